//! The lines and phones that are open, by the handle that was given out for each.

use std::fmt::Debug;
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
use ringback_tspi::error::{LineError, PhoneError};
use ringback_tspi::types::{HDRVLINE, HDRVPHONE, HTAPILINE, HTAPIPHONE, Version};

/// TAPI's handle of a kind of device, and what goes with it.
pub(super) trait TapiHandle: Copy + Eq + Debug {
    /// The provider's handle.
    type Driver: Copy + Eq + Debug;
    /// The errors of the functions of such devices.
    type Error;
    /// The error for a handle of no open device.
    const NOT_OPEN: Self::Error;
    /// The error if there is no handle left.
    const NO_HANDLE: Self::Error;

    /// The provider's handle with this value; `None` for 0.
    fn driver(value: usize) -> Option<Self::Driver>;
}

impl TapiHandle for HTAPILINE {
    type Driver = HDRVLINE;
    type Error = LineError;
    const NOT_OPEN: LineError = LineError::INVALLINEHANDLE;
    const NO_HANDLE: LineError = LineError::NOMEM;

    fn driver(value: usize) -> Option<HDRVLINE> {
        HDRVLINE::new(value)
    }
}

impl TapiHandle for HTAPIPHONE {
    type Driver = HDRVPHONE;
    type Error = PhoneError;
    const NOT_OPEN: PhoneError = PhoneError::INVALPHONEHANDLE;
    const NO_HANDLE: PhoneError = PhoneError::NOMEM;

    fn driver(value: usize) -> Option<HDRVPHONE> {
        HDRVPHONE::new(value)
    }
}

/// An open line or phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OpenDevice<T: TapiHandle> {
    pub(super) handle: T::Driver,
    /// The number of the line in the engine, of a phone that of the line that it is beside.
    pub(super) number: LineNumber,
    pub(super) tapi: T,
    /// The engine's opening of it.
    pub(super) opening: Opening,
    /// Committed until it is closed.
    pub(super) version: Version,
}

/// An open line.
pub(super) type OpenLine = OpenDevice<HTAPILINE>;
/// An open phone.
pub(super) type OpenPhone = OpenDevice<HTAPIPHONE>;

/// Numbers the openings of a provider's lines and phones; a shutdown does not reset it.
pub(super) type Serial = Arc<AtomicUsize>;

/// All open devices of a kind. A handle has the line's number in its low byte and a serial number
/// above it, so that a handle from an earlier opening is never valid for a later one, not even
/// after another init.
#[derive(Debug)]
pub(super) struct OpenDevices<T: TapiHandle> {
    devices: Mutex<Vec<OpenDevice<T>>>,
    serial: Serial,
}

/// All open lines.
pub(super) type OpenLines = OpenDevices<HTAPILINE>;
/// All open phones.
pub(super) type OpenPhones = OpenDevices<HTAPIPHONE>;

impl<T: TapiHandle> OpenDevices<T> {
    /// Makes an empty list.
    pub(super) fn new(serial: &Serial) -> OpenDevices<T> {
        OpenDevices { devices: Mutex::new(Vec::new()), serial: Arc::clone(serial) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<OpenDevice<T>>> {
        self.devices.lock().even_poisoned()
    }

    /// Gives a handle to a device that has been opened.
    pub(super) fn opened(
        &self,
        number: LineNumber,
        tapi: T,
        opening: Opening,
        version: Version,
    ) -> Result<T::Driver, T::Error> {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed) + 1;
        let handle = T::driver(serial << 8 | (number.index() + 1)).ok_or(T::NO_HANDLE)?;
        self.lock().push(OpenDevice { handle, number, tapi, opening, version });
        Ok(handle)
    }

    /// The device with this handle.
    pub(super) fn get(&self, handle: T::Driver) -> Result<OpenDevice<T>, T::Error> {
        let found = self.lock().iter().find(|device| device.handle == handle).copied();
        found.ok_or(T::NOT_OPEN)
    }

    /// The open line with this number, or the phone beside it.
    pub(super) fn at(&self, number: LineNumber) -> Option<OpenDevice<T>> {
        self.lock().iter().find(|device| device.number == number).copied()
    }

    /// The version that was committed for the line with this number, or the phone beside it.
    pub(super) fn version(&self, number: LineNumber) -> Option<Version> {
        self.at(number).map(|device| device.version)
    }

    /// Removes the device. If two threads close it, only one gets it.
    pub(super) fn take(&self, handle: T::Driver) -> Result<OpenDevice<T>, T::Error> {
        let mut devices = self.lock();
        let place = devices.iter().position(|device| device.handle == handle);
        Ok(devices.swap_remove(place.ok_or(T::NOT_OPEN)?))
    }

    /// Removes all devices, because the card has failed.
    pub(super) fn take_all(&self) -> Vec<OpenDevice<T>> {
        std::mem::take(&mut *self.lock())
    }

    /// Removes a device, because the card is gone.
    pub(super) fn gone(&self, tapi: T) {
        self.lock().retain(|device| device.tapi != tapi);
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
