//! The openings of a line or phone: a request for one opening fails in any later one (D2).

use ringback_tspi::error::LineError;
use ringback_tspi::types::HTAPILINE;

/// One opening of a line or phone. Calls belong to the opening that they were made or offered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Opening(u64);

impl Opening {
    /// The first opening.
    pub const FIRST: Opening = Opening(1);
}

/// Whether a line is open, and in which opening; or with TAPI's handle of a phone, a phone.
#[derive(Debug)]
pub struct Openings<H = HTAPILINE> {
    /// TAPI's handle while it is open.
    tapi: Option<H>,
    /// The number of openings so far.
    count: u64,
}

impl<H> Default for Openings<H> {
    fn default() -> Openings<H> {
        Openings { tapi: None, count: 0 }
    }
}

impl<H: Copy> Openings<H> {
    /// Opens it.
    ///
    /// # Errors
    /// ALLOCATED if it is open.
    pub fn open(&mut self, tapi: H) -> Result<Opening, LineError> {
        if self.tapi.is_some() {
            return Err(LineError::ALLOCATED);
        }
        self.tapi = Some(tapi);
        self.count += 1;
        Ok(Opening(self.count))
    }

    /// Closes it, if it is open.
    pub fn close(&mut self) {
        self.tapi = None;
    }

    /// TAPI's handle while it is open.
    pub fn tapi(&self) -> Option<H> {
        self.tapi
    }

    /// The opening that it is in, while it is open.
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
