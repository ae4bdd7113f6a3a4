//! The openings of a line: a request for one opening fails in any later one (D2).

use ringback_tspi::error::LineError;
use ringback_tspi::types::HTAPILINE;

/// One opening of a line. Calls belong to the opening that they were made or offered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Opening(u64);

impl Opening {
    /// The first opening of a line.
    pub const FIRST: Opening = Opening(1);
}

/// Whether a line is open, and in which opening.
#[derive(Debug, Default)]
pub struct Openings {
    /// TAPI's handle while it is open.
    tapi: Option<HTAPILINE>,
    /// The number of openings so far.
    count: u64,
}

impl Openings {
    /// Opens the line.
    ///
    /// # Errors
    /// ALLOCATED if it is open.
    pub fn open(&mut self, tapi: HTAPILINE) -> Result<Opening, LineError> {
        if self.tapi.is_some() {
            return Err(LineError::ALLOCATED);
        }
        self.tapi = Some(tapi);
        self.count += 1;
        Ok(Opening(self.count))
    }

    /// Closes the line, if it is open.
    pub fn close(&mut self) {
        self.tapi = None;
    }

    /// TAPI's handle of the line while it is open.
    pub fn tapi(&self) -> Option<HTAPILINE> {
        self.tapi
    }

    /// The opening that the line is in, while it is open.
    pub fn current(&self) -> Option<Opening> {
        self.tapi.map(|_| Opening(self.count))
    }

    /// Refuses an opening that is not the current one.
    ///
    /// # Errors
    /// INVALLINEHANDLE.
    pub fn check(&self, opening: Opening) -> Result<(), LineError> {
        if self.current() == Some(opening) { Ok(()) } else { Err(LineError::INVALLINEHANDLE) }
    }
}
