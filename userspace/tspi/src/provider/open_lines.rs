//! The lines that are open, by the handle that was given out for each.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::LineError;
use crate::line::Opening;
use crate::types::{HDRVLINE, HTAPILINE, Version};

/// A line as it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OpenLine {
    pub(super) handle: HDRVLINE,
    /// The line as the engine counts.
    pub(super) index: usize,
    pub(super) tapi: HTAPILINE,
    /// Which opening of the line it is, as the engine counts.
    pub(super) opening: Opening,
    /// Committed until the line is closed.
    pub(super) version: Version,
}

/// Numbers the openings of a provider's lines, over all pairs of init and shutdown.
pub(super) type Serial = Arc<AtomicUsize>;

/// All open lines. A handle has the line in its low byte and a serial number above, so that one of a
/// line that was closed is never taken for one that was opened later, after another init either.
#[derive(Debug)]
pub(super) struct OpenLines {
    lines: Mutex<Vec<OpenLine>>,
    serial: Serial,
}

impl OpenLines {
    /// None yet.
    pub(super) fn new(serial: &Serial) -> OpenLines {
        OpenLines { lines: Mutex::default(), serial: Arc::clone(serial) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<OpenLine>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a handle to a line that has been opened.
    pub(super) fn opened(
        &self,
        index: usize,
        tapi: HTAPILINE,
        opening: Opening,
        version: Version,
    ) -> Result<HDRVLINE, LineError> {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed) + 1;
        let handle = HDRVLINE::new(serial << 8 | (index + 1)).ok_or(LineError::NOMEM)?;
        self.lock().push(OpenLine { handle, index, tapi, opening, version });
        Ok(handle)
    }

    /// The line with this handle.
    pub(super) fn get(&self, handle: HDRVLINE) -> Result<OpenLine, LineError> {
        let found = self.lock().iter().find(|line| line.handle == handle).copied();
        found.ok_or(LineError::INVALLINEHANDLE)
    }

    /// The version that was committed for a line, as the engine counts.
    pub(super) fn version(&self, index: usize) -> Option<Version> {
        self.lock().iter().find(|line| line.index == index).map(|line| line.version)
    }

    /// Takes the line out: of two threads that close it, one does.
    pub(super) fn take(&self, handle: HDRVLINE) -> Result<OpenLine, LineError> {
        let mut lines = self.lock();
        let place = lines.iter().position(|line| line.handle == handle);
        Ok(lines.swap_remove(place.ok_or(LineError::INVALLINEHANDLE)?))
    }

    /// Takes all out: the card has failed.
    pub(super) fn take_all(&self) -> Vec<OpenLine> {
        std::mem::take(&mut *self.lock())
    }

    /// The line is closed by itself: the card is gone.
    pub(super) fn gone(&self, tapi: HTAPILINE) {
        self.lock().retain(|line| line.tapi != tapi);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_dead_when_its_line_is_closed_d2() {
        let serial = Serial::default();
        let lines = OpenLines::new(&serial);
        let tapi = HTAPILINE::new(7).unwrap();
        let first = lines.opened(3, tapi, Opening::FIRST, Version::V2_0).unwrap();
        assert_eq!(lines.get(first).unwrap().index, 3);
        assert_eq!(lines.version(3), Some(Version::V2_0));
        assert!(lines.take(first).is_ok());
        assert_eq!(lines.take(first), Err(LineError::INVALLINEHANDLE));
        let second = lines.opened(3, tapi, Opening::FIRST, Version::V3_1).unwrap();
        assert_ne!(first, second);
        assert_eq!(lines.get(first), Err(LineError::INVALLINEHANDLE));
        lines.gone(tapi);
        assert_eq!(lines.get(second), Err(LineError::INVALLINEHANDLE));
        let after = OpenLines::new(&serial);
        let third = after.opened(3, tapi, Opening::FIRST, Version::V3_1).unwrap();
        assert!(third != first && third != second, "nor of an earlier pair");
    }
}
