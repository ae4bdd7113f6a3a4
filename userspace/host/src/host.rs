//! The host: one provider's TAPI.

use std::sync::Arc;

use ringback_tspi::error::LineError;
use ringback_tspi::types::{HTAPILINE, Version};

use super::asked;
use super::counts::Counts;
use super::info::LineInfo;
use super::line::Line;
use super::outlet::{LineOutlet, Lines};
use super::shared::Shared;

/// Which installation of the provider this is; there is one.
pub(super) const PERMANENT_PROVIDER_ID: u32 = 1;

/// A provider with its lines, ready to be used. Dropping it shuts it down.
pub struct Host {
    pub(super) shared: Arc<Shared>,
    pub(super) open: Arc<Lines>,
    pub(super) infos: Vec<LineInfo>,
    pub(super) version: Version,
}

impl Host {
    /// The lines there are.
    pub fn lines(&self) -> &[LineInfo] {
        &self.infos
    }

    /// Opens a line (TSPI_lineOpen), by its device id.
    ///
    /// # Errors
    /// NODEVICE if there is no such line; ALLOCATED if it is open; UNINITIALIZED once the host is
    /// shut down.
    pub fn open(&self, device_id: u32) -> Result<Line, LineError> {
        asked::enter();
        if !self.shared.ledger.is_open() {
            return Err(LineError::UNINITIALIZED);
        }
        let info = self.infos.iter().find(|info| info.device_id == device_id);
        let info = info.cloned().ok_or(LineError::NODEVICE)?;
        let version = info.version;
        let tapi = HTAPILINE::new(self.shared.next_handle()).ok_or(LineError::NOMEM)?;
        self.shared.hand.start();
        // Dropping it closes it, also if it does not open.
        let line = Line(LineOutlet::new(&self.shared, &self.open, info, tapi));
        line.0.inner.set_driver(self.shared.provider.line_open(device_id, tapi, version)?);
        // It may have been shut down meanwhile.
        if self.shared.ledger.is_open() { Ok(line) } else { Err(LineError::UNINITIALIZED) }
    }

    /// How many requests came to what so far.
    pub fn counts(&self) -> Counts {
        asked::enter();
        self.shared.counters.read()
    }

    /// How many requests are outstanding now.
    pub fn outstanding(&self) -> usize {
        asked::enter();
        self.shared.requests.len()
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("lines", &self.infos).finish_non_exhaustive()
    }
}
