//! The host: the TAPI of its providers.

use std::sync::Arc;

use ringback_tspi::error::LineError;
use ringback_tspi::types::HTAPILINE;

use super::asked;
use super::counts::Counts;
use super::info::LineInfo;
use super::line::Line;
use super::outlet::{LineOutlet, Lines};
use super::service::Service;
use super::shared::Shared;

/// One or several providers with their lines, ready to be used. Dropping it shuts them down.
pub struct Host {
    pub(super) shared: Arc<Shared>,
    pub(super) open: Arc<Lines>,
    pub(super) services: Vec<Arc<Service>>,
    /// The lines, and the provider of each.
    pub(super) infos: Vec<LineInfo>,
    pub(super) served_by: Vec<Arc<Service>>,
}

impl Host {
    /// The lines there are.
    pub fn lines(&self) -> &[LineInfo] {
        &self.infos
    }

    /// Opens a line (TSPI_lineOpen), by its device id, and has its calls of every kind reported
    /// (TSPI_lineSetDefaultMediaDetection).
    ///
    /// # Errors
    /// NODEVICE if there is no such line; ALLOCATED if it is open; UNINITIALIZED once the host is
    /// shut down.
    pub fn open(&self, device_id: u32) -> Result<Line, LineError> {
        asked::enter();
        if !self.shared.ledger.is_open() {
            return Err(LineError::UNINITIALIZED);
        }
        let mut lines = self.infos.iter().zip(&self.served_by);
        let line = lines.find(|(info, _)| info.device_id == device_id);
        let (info, service) = line.ok_or(LineError::NODEVICE)?;
        let LineInfo { version, media_modes, .. } = *info;
        let tapi = HTAPILINE::new(self.shared.next_handle()).ok_or(LineError::NOMEM)?;
        self.shared.hand.start();
        // Dropping it closes it, also if it does not open.
        let line = Line(LineOutlet::new(service, &self.open, info.clone(), tapi));
        let provider = service.provider();
        let driver = provider.line_open(device_id, tapi, version)?;
        line.0.inner.set_driver(driver);
        match provider.line_set_default_media_detection(driver, media_modes) {
            // A provider that tells calls without being asked to.
            Ok(()) | Err(LineError::OPERATIONUNAVAIL) => {}
            Err(error) => return Err(error),
        }
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
