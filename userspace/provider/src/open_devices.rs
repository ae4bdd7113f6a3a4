//! The lines that are open, by the handle that was given out for each.

use std::sync::Arc;

#[cfg(loom)]
use loom::{
    sync::atomic::{AtomicUsize, Ordering},
    sync::{Mutex, MutexGuard},
};
#[cfg(not(loom))]
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    sync::{Mutex, MutexGuard},
};

use ringback_driver::request::LineNumber;
use ringback_lines::Opening;
use ringback_tspi::EvenPoisoned;
use ringback_tspi::error::LineError;
use ringback_tspi::types::{HDRVLINE, HTAPILINE, Version};

/// An open line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OpenLine {
    pub(super) handle: HDRVLINE,
    /// The number of the line in the engine.
    pub(super) number: LineNumber,
    pub(super) tapi: HTAPILINE,
    /// The engine's opening of the line.
    pub(super) opening: Opening,
    /// Committed until the line is closed.
    pub(super) version: Version,
}

/// Numbers the openings of a provider's lines; a shutdown does not reset it.
pub(super) type Serial = Arc<AtomicUsize>;

/// All open lines. A handle has the line in its low byte and a serial number above it, so that a
/// handle from an earlier opening is never valid for a later one, not even after another init.
#[derive(Debug)]
pub(super) struct OpenLines {
    lines: Mutex<Vec<OpenLine>>,
    serial: Serial,
}

impl OpenLines {
    /// Makes an empty list of open lines.
    pub(super) fn new(serial: &Serial) -> OpenLines {
        OpenLines { lines: Mutex::default(), serial: Arc::clone(serial) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<OpenLine>> {
        self.lines.lock().even_poisoned()
    }

    /// Gives a handle to a line that has been opened.
    pub(super) fn opened(
        &self,
        number: LineNumber,
        tapi: HTAPILINE,
        opening: Opening,
        version: Version,
    ) -> Result<HDRVLINE, LineError> {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed) + 1;
        let handle = HDRVLINE::new(serial << 8 | (number.index() + 1)).ok_or(LineError::NOMEM)?;
        self.lock().push(OpenLine { handle, number, tapi, opening, version });
        Ok(handle)
    }

    /// The line with this handle.
    pub(super) fn get(&self, handle: HDRVLINE) -> Result<OpenLine, LineError> {
        let found = self.lock().iter().find(|line| line.handle == handle).copied();
        found.ok_or(LineError::INVALLINEHANDLE)
    }

    /// The version that was committed for the line with this number.
    pub(super) fn version(&self, number: LineNumber) -> Option<Version> {
        self.lock().iter().find(|line| line.number == number).map(|line| line.version)
    }

    /// Removes the line. If two threads close it, only one gets it.
    pub(super) fn take(&self, handle: HDRVLINE) -> Result<OpenLine, LineError> {
        let mut lines = self.lock();
        let place = lines.iter().position(|line| line.handle == handle);
        Ok(lines.swap_remove(place.ok_or(LineError::INVALLINEHANDLE)?))
    }

    /// Removes all lines, because the card has failed.
    pub(super) fn take_all(&self) -> Vec<OpenLine> {
        std::mem::take(&mut *self.lock())
    }

    /// Removes a line, because the card is gone.
    pub(super) fn gone(&self, tapi: HTAPILINE) {
        self.lock().retain(|line| line.tapi != tapi);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_dead_when_its_line_is_closed_d2() {
        let serial = Serial::default();
        let lines = OpenLines::new(&serial);
        let tapi = HTAPILINE::new(7).unwrap();
        let first = lines.opened(LineNumber(3), tapi, Opening::FIRST, Version::V2_0).unwrap();
        assert_eq!(lines.get(first).unwrap().number, LineNumber(3));
        assert_eq!(lines.version(LineNumber(3)), Some(Version::V2_0));
        assert!(lines.take(first).is_ok());
        assert_eq!(lines.take(first), Err(LineError::INVALLINEHANDLE));
        let second = lines.opened(LineNumber(3), tapi, Opening::FIRST, Version::V3_1).unwrap();
        assert_ne!(first, second);
        assert_eq!(lines.get(first), Err(LineError::INVALLINEHANDLE));
        lines.gone(tapi);
        assert_eq!(lines.get(second), Err(LineError::INVALLINEHANDLE));
        let after = OpenLines::new(&serial);
        let third = after.opened(LineNumber(3), tapi, Opening::FIRST, Version::V3_1).unwrap();
        assert!(third != first && third != second, "handles of earlier pairs differ");
    }
}

/// Loom: a request to a line that is closed and opened again in the meantime. Every interleaving.
#[cfg(all(test, loom))]
mod model {
    use std::panic::catch_unwind;

    use loom::thread;

    use super::*;
    use ringback_lines::Openings;

    /// The engine's part: the line's openings behind the card's lock, and the requests to each.
    struct Engine {
        openings: Openings,
        calls: Vec<Opening>,
    }

    fn tapi(number: usize) -> HTAPILINE {
        HTAPILINE::new(number).unwrap()
    }

    fn open(lines: &OpenLines, engine: &Mutex<Engine>, number: usize) -> HDRVLINE {
        let opening = engine.lock().unwrap().openings.open(tapi(number)).unwrap();
        lines.opened(LineNumber(0), tapi(number), opening, Version::V3_1).unwrap()
    }

    /// One thread makes a call, one closes the line and opens it again, and a third closes it, too.
    fn reopen(checks: bool) {
        loom::model(move || {
            let lines = Arc::new(OpenLines::new(&Serial::default()));
            let engine =
                Arc::new(Mutex::new(Engine { openings: Openings::default(), calls: Vec::new() }));
            let first = open(&lines, &engine, 1);
            let asks = {
                let (lines, engine) = (Arc::clone(&lines), Arc::clone(&engine));
                thread::spawn(move || {
                    let Ok(line) = lines.get(first) else { return };
                    let mut engine = engine.lock().unwrap();
                    if !checks || engine.openings.check(line.opening).is_ok() {
                        engine.calls.push(line.opening);
                    }
                })
            };
            let closes = {
                let lines = Arc::clone(&lines);
                thread::spawn(move || lines.take(first).is_ok())
            };
            let mut second = None;
            if lines.take(first).is_ok() {
                let mut closed = engine.lock().unwrap();
                closed.openings.close();
                closed.calls.clear();
                drop(closed);
                second = Some(open(&lines, &engine, 2));
            }
            asks.join().unwrap();
            assert!(closes.join().unwrap() != second.is_some(), "one of the two closes it");
            if second.is_some() {
                let calls = &engine.lock().unwrap().calls;
                assert!(calls.is_empty(), "D2: a call lives on the line's next opening");
            }
        });
    }

    #[test]
    fn model_d2_a_call_on_a_closed_line_does_not_live_on_its_next_opening() {
        reopen(true);
    }

    #[test]
    fn model_notices_an_engine_that_asks_for_no_opening() {
        assert!(catch_unwind(|| reopen(false)).is_err());
    }
}
