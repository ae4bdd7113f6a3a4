//! Breaking rules on purpose, to show that it is noticed.
//!
//! [`Spoiled`] sits between the provider and the witness and spoils one thing. What it leaves alone
//! is the real system.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use ringback_driver::request::RequestId;
use ringback_tspi::constants::LINE_CALLSTATE;
use ringback_tspi::error::LineError;
use ringback_tspi::provider::{Devices, Init, Provider, Tapi, Ticket};
use ringback_tspi::types::{HDRVCALL, HDRVLINE, HTAPICALL, HTAPILINE, Version};

/// What is spoiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sabotage {
    /// A completion never comes.
    Lose,
    /// What a shutdown has ended is not completed.
    LoseAtShutdown,
    /// A completion comes twice.
    Twice,
    /// A completion has a positive result.
    Positive,
    /// A completion comes before the function has returned.
    Early,
    /// A completion comes on another thread than the reaper.
    OtherThread,
    /// The last event of a line comes again after its close.
    AfterClose,
    /// A line is not closed: it, and its calls, are still there when it is opened next.
    LivesOn,
    /// The shutdown is left out.
    NoShutdown,
    /// A second host is let in.
    TwoHosts,
    /// The second of two closers returns at once. This is done by the application.
    SecondCloserAtOnce,
}

impl Sabotage {
    /// All of them.
    pub const ALL: [Sabotage; 11] = [
        Sabotage::Lose,
        Sabotage::LoseAtShutdown,
        Sabotage::Twice,
        Sabotage::Positive,
        Sabotage::Early,
        Sabotage::OtherThread,
        Sabotage::AfterClose,
        Sabotage::LivesOn,
        Sabotage::NoShutdown,
        Sabotage::TwoHosts,
        Sabotage::SecondCloserAtOnce,
    ];
}

/// One event in so many, or one completion, is spoiled.
const CHANCE: u64 = 7;
/// After so long something comes that should not come any more.
const SOON: Duration = Duration::from_millis(1);

type Way = Arc<Mutex<Box<dyn Tapi>>>;

#[derive(Default)]
struct Desk {
    way: Weak<Mutex<Box<dyn Tapi>>>,
    /// Hosts that were let in though there is one.
    guests: Vec<Box<dyn Tapi>>,
    /// The device of each line, and what TAPI calls it.
    lines: HashMap<HDRVLINE, (u32, HTAPILINE)>,
    /// Lines that were not closed.
    living: HashMap<u32, HDRVLINE>,
    /// The last event of each line.
    last: HashMap<HTAPILINE, (Option<HTAPICALL>, usize)>,
    ending: bool,
}

struct Plot {
    sabotage: Sabotage,
    chances: AtomicU64,
    desk: Mutex<Desk>,
}

impl Plot {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn plans(&self, what: Sabotage) -> bool {
        self.sabotage == what
    }

    /// Whether to act now that there is something to act on.
    fn acts(&self, what: Sabotage) -> bool {
        self.plans(what) && self.chances.fetch_add(1, Ordering::SeqCst) % CHANCE == CHANCE - 1
    }
}

/// A provider that breaks one rule. See the [module](self).
pub(crate) struct Spoiled {
    provider: Arc<dyn Provider>,
    plot: Arc<Plot>,
}

struct SpoiledTapi {
    way: Way,
    plot: Arc<Plot>,
}

impl SpoiledTapi {
    fn tell<R>(&self, tell: impl FnOnce(&mut dyn Tapi) -> R) -> R {
        tell(&mut **self.way.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Tapi for SpoiledTapi {
    fn completion(&mut self, id: u32, result: i32) {
        let ending = self.plot.desk().ending;
        let lost = self.plot.plans(Sabotage::LoseAtShutdown) && ending;
        if lost || self.plot.acts(Sabotage::Lose) {
            return;
        }
        if self.plot.acts(Sabotage::OtherThread) {
            return thread::scope(|scope| {
                scope.spawn(|| self.tell(|tapi| tapi.completion(id, result)));
            });
        }
        if self.plot.acts(Sabotage::Twice) {
            self.tell(|tapi| tapi.completion(id, result));
        }
        let result = if self.plot.acts(Sabotage::Positive) { 7 } else { result };
        self.tell(|tapi| tapi.completion(id, result));
    }

    fn line_event(
        &mut self,
        line: HTAPILINE,
        call: Option<HTAPICALL>,
        message: u32,
        param1: usize,
        param2: usize,
        param3: usize,
    ) {
        self.plot.desk().last.insert(line, (call, param1));
        self.tell(|tapi| tapi.line_event(line, call, message, param1, param2, param3));
    }

    fn new_call(&mut self, line: HTAPILINE, call: HDRVCALL) -> Option<HTAPICALL> {
        self.tell(|tapi| tapi.new_call(line, call))
    }
}

impl Spoiled {
    pub(crate) fn new(provider: Arc<dyn Provider>, sabotage: Sabotage) -> Spoiled {
        let (chances, desk) = (AtomicU64::new(0), Mutex::default());
        Spoiled { provider, plot: Arc::new(Plot { sabotage, chances, desk }) }
    }

    /// Tells something out of turn, unless something is being told.
    fn intrude(&self, tell: impl FnOnce(&mut dyn Tapi)) {
        let way = self.plot.desk().way.upgrade();
        if let Some(way) = way
            && let Ok(mut tapi) = way.try_lock()
        {
            tell(&mut **tapi);
        }
    }

    /// Around every asynchronous function.
    fn request<R>(&self, id: RequestId, asked: Result<R, LineError>) -> Result<R, LineError> {
        if asked.is_ok() && self.plot.acts(Sabotage::Early) {
            self.intrude(|tapi| tapi.completion(id.get(), 0));
        }
        asked
    }
}

impl Provider for Spoiled {
    fn line_negotiate_tspi_version(
        &self,
        device_id: u32,
        low: u32,
        high: u32,
    ) -> Result<Version, LineError> {
        self.provider.line_negotiate_tspi_version(device_id, low, high)
    }

    fn provider_enum_devices(&self, permanent_provider_id: u32) -> Result<Devices, LineError> {
        self.provider.provider_enum_devices(permanent_provider_id)
    }

    fn provider_init(&self, init: Init, tapi: Box<dyn Tapi>) -> Result<u32, LineError> {
        let in_use = self.plot.desk().way.strong_count() != 0;
        if in_use && self.plot.plans(Sabotage::TwoHosts) {
            self.plot.desk().guests.push(tapi);
            return Ok(0);
        }
        let way = Arc::new(Mutex::new(tapi));
        let weak = Arc::downgrade(&way);
        let tapi = SpoiledTapi { way, plot: Arc::clone(&self.plot) };
        let started = self.provider.provider_init(init, Box::new(tapi))?;
        if weak.strong_count() != 0 {
            let mut desk = self.plot.desk();
            desk.living.clear();
            (desk.way, desk.ending) = (weak, false);
        }
        Ok(started)
    }

    fn failure_text(&self) -> Option<String> {
        self.provider.failure_text()
    }

    fn provider_shutdown(
        &self,
        version: Version,
        permanent_provider_id: u32,
    ) -> Result<(), LineError> {
        if self.plot.plans(Sabotage::NoShutdown) {
            return Ok(());
        }
        self.plot.desk().ending = true;
        self.provider.provider_shutdown(version, permanent_provider_id)
    }

    fn line_open(
        &self,
        device_id: u32,
        line: HTAPILINE,
        version: Version,
    ) -> Result<HDRVLINE, LineError> {
        let living = self.plot.desk().living.remove(&device_id);
        let handle = match living {
            Some(handle) => handle,
            None => self.provider.line_open(device_id, line, version)?,
        };
        self.plot.desk().lines.insert(handle, (device_id, line));
        Ok(handle)
    }

    fn line_close(&self, line: HDRVLINE) -> Result<(), LineError> {
        let known = self.plot.desk().lines.get(&line).copied();
        let Some((device, tapi)) = known else { return self.provider.line_close(line) };
        if self.plot.plans(Sabotage::LivesOn) {
            self.plot.desk().living.insert(device, line);
            return Ok(());
        }
        self.provider.line_close(line)?;
        let last = self.plot.desk().last.get(&tapi).copied();
        if let Some((call, state)) = last
            && self.plot.plans(Sabotage::AfterClose)
        {
            let again = move |way: Weak<Mutex<Box<dyn Tapi>>>| {
                thread::sleep(SOON);
                if let Some(way) = way.upgrade() {
                    let mut tapi_way = way.lock().unwrap_or_else(PoisonError::into_inner);
                    tapi_way.line_event(tapi, call, LINE_CALLSTATE, state, 0, 0);
                }
            };
            let way = self.plot.desk().way.clone();
            thread::spawn(move || again(way));
        }
        Ok(())
    }

    fn line_get_dev_caps(
        &self,
        device_id: u32,
        version: Version,
        ext_version: u32,
        caps: &mut [u8],
    ) -> Result<(), LineError> {
        self.provider.line_get_dev_caps(device_id, version, ext_version, caps)
    }

    fn line_get_line_dev_status(&self, line: HDRVLINE, status: &mut [u8]) -> Result<(), LineError> {
        self.provider.line_get_line_dev_status(line, status)
    }

    fn line_make_call(
        &self,
        request: RequestId,
        line: HDRVLINE,
        call: HTAPICALL,
        address: Option<&str>,
        country_code: u32,
        params: Option<&[u8]>,
    ) -> Result<(HDRVCALL, Ticket), LineError> {
        let made = self.provider.line_make_call(request, line, call, address, country_code, params);
        self.request(request, made)
    }

    fn line_dial(
        &self,
        request: RequestId,
        call: HDRVCALL,
        address: &str,
        country_code: u32,
    ) -> Result<Ticket, LineError> {
        self.request(request, self.provider.line_dial(request, call, address, country_code))
    }

    fn line_answer(
        &self,
        request: RequestId,
        call: HDRVCALL,
        user_user_info: &[u8],
    ) -> Result<Ticket, LineError> {
        self.request(request, self.provider.line_answer(request, call, user_user_info))
    }

    fn line_drop(
        &self,
        request: RequestId,
        call: HDRVCALL,
        user_user_info: &[u8],
    ) -> Result<Ticket, LineError> {
        self.request(request, self.provider.line_drop(request, call, user_user_info))
    }

    fn line_close_call(&self, call: HDRVCALL) -> Result<(), LineError> {
        self.provider.line_close_call(call)
    }

    fn line_get_call_info(&self, call: HDRVCALL, info: &mut [u8]) -> Result<(), LineError> {
        self.provider.line_get_call_info(call, info)
    }

    fn line_get_call_status(&self, call: HDRVCALL, status: &mut [u8]) -> Result<(), LineError> {
        self.provider.line_get_call_status(call, status)
    }

    fn cancel(&self, request: RequestId) -> bool {
        self.provider.cancel(request)
    }
}
