//! The host against providers that behave badly, or just differently: early, twice, never.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, TryLockError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ringback_request::sync::EvenPoisoned;
use ringback_request::{ErrorCode, RequestId};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::error::{LineError, PhoneError};
use ringback_tspi::provider::{
    Completion, Control, Devices, InProcess, Init, LineMessage, PhoneMessage, Provider, Tapi,
    Ticket,
};
use ringback_tspi::structs::{LINEDEVCAPS, PHONECAPS, PHONESTATUS, Writer};
use ringback_tspi::types::{
    HDRVCALL, HDRVLINE, HDRVPHONE, HTAPICALL, HTAPILINE, HTAPIPHONE, Version,
};

use super::*;

mod closing;
mod contract;
mod events;
mod foreign;
mod guards;
mod local;
mod ownership;
mod pending;
mod phones;
mod reservation;
mod several;
mod shutdown;

const DEADLINE: Duration = Duration::from_secs(60);
const FAILED: LineError = LineError::OPERATIONFAILED;

/// What it does inside lineMakeCall.
type Act =
    Box<dyn FnMut(&mut dyn Tapi, RequestId, HTAPILINE, HTAPICALL) -> Option<LineError> + Send>;

/// What it does when something is closed.
type InClose = Box<dyn FnOnce() -> LineError + Send>;

/// Requests that were accepted and are not complete, with the call that each is about.
type Accepted = Arc<Mutex<HashMap<RequestId, HDRVCALL>>>;

/// A provider with one line, whose completions nothing holds back. What is closed it completes,
/// after the upcall if there is one.
#[derive(Default)]
struct Mock {
    tapi: Mutex<Option<Box<dyn Tapi>>>,
    accepted: Accepted,
    /// Completions to be told as soon as no upcall is under way.
    later: Mutex<Vec<Completion>>,
    /// Its way up is to be dropped then.
    ending: AtomicBool,
    line: Mutex<Option<HTAPILINE>>,
    making: Mutex<Option<Act>>,
    options: u32,
    in_open: bool,
    /// Its upcalls are under its locks.
    locks: bool,
    /// The versions that it answers, for itself and for its line, whatever it is offered.
    answers: [Option<Version>; 2],
    /// All its calls have the same handle.
    one_handle: bool,
    /// How opening the line fails.
    open_fails: Option<LineError>,
    /// How asking for calls fails.
    detection_fails: Option<LineError>,
    /// How many phones it has.
    phones: u32,
    /// It does not describe its phones.
    no_caps: bool,
    /// The phone that is open.
    phone: Mutex<Option<HTAPIPHONE>>,
    closed_phones: Mutex<u32>,
    /// What its init was given.
    given: Mutex<Option<Init>>,
    /// The media modes of which calls are asked for, since the line was opened.
    detected: Mutex<Option<u32>>,
    /// A function was called in one of its upcalls.
    nested: AtomicBool,
    /// Threads that are in functions now, and how many that were at most.
    inside: AtomicUsize,
    most_inside: AtomicUsize,
    /// Closing completes nothing.
    never: bool,
    /// What it does first when a call or a line is closed, and with which error that fails then.
    in_close: Mutex<Option<InClose>>,
    closed_calls: Mutex<Vec<HDRVCALL>>,
    closed_lines: Mutex<u32>,
    shut_down: Mutex<u32>,
}

/// The way up, which keeps the books of what is accepted.
struct Noting(Box<dyn Tapi>, Accepted);

impl Tapi for Noting {
    fn completion(&mut self, completion: &Completion) {
        self.1.lock().even_poisoned().remove(&completion.id);
        self.0.completion(completion);
    }

    fn line_event(&mut self, event: &LineMessage) {
        self.0.line_event(event);
    }

    fn new_call(&mut self, line: HTAPILINE, call: HDRVCALL) -> Option<HTAPICALL> {
        self.0.new_call(line, call)
    }

    fn phone_event(&mut self, event: &PhoneMessage) {
        self.0.phone_event(event);
    }
}

/// The completion of a request that has succeeded.
fn done(id: RequestId) -> Completion {
    Completion::now(id, Ok(()))
}

/// The completion of a request that has failed with this number.
fn failed(id: RequestId, number: i32) -> Completion {
    Completion::now(id, Err(ErrorCode::new(number).unwrap()))
}

thread_local! {
    /// Whether the thread is in an upcall of a mock.
    static IN_UPCALL: Cell<bool> = const { Cell::new(false) };
}

impl Mock {
    /// An upcall.
    fn tell<R>(&self, act: impl FnOnce(&mut dyn Tapi) -> R) -> R {
        let result = upcall(|| act(&mut **self.tapi.lock().even_poisoned().as_mut().unwrap()));
        self.catch_up();
        result
    }

    /// A function is called.
    fn function<R>(&self, act: impl FnOnce() -> R) -> R {
        self.nested.fetch_or(IN_UPCALL.get(), Ordering::SeqCst);
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_inside.fetch_max(inside, Ordering::SeqCst);
        let result = act();
        self.inside.fetch_sub(1, Ordering::SeqCst);
        result
    }

    /// Tells what is to be told later, unless an upcall is under way, behind which it comes.
    fn catch_up(&self) {
        loop {
            let mut tapi = match self.tapi.try_lock() {
                Ok(tapi) => tapi,
                Err(TryLockError::Poisoned(tapi)) => tapi.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            let later = std::mem::take(&mut *self.later.lock().even_poisoned());
            let ended = later.is_empty() && self.ending.swap(false, Ordering::SeqCst);
            if later.is_empty() && !ended {
                return;
            }
            if let Some(tapi) = &mut *tapi {
                upcall(|| {
                    later.iter().for_each(|completion| tapi.completion(completion));
                });
            }
            if ended {
                *tapi = None;
            }
        }
    }

    fn complete(&self, id: RequestId, result: Result<(), LineError>) {
        self.later.lock().even_poisoned().push(Completion::now(id, result.map_err(Into::into)));
        self.catch_up();
    }

    /// Fails what is accepted, of one call or of all.
    fn fail(&self, call: Option<HDRVCALL>) {
        if self.never {
            return;
        }
        let accepted = self.accepted.lock().even_poisoned().clone();
        for (id, of) in accepted {
            if call.is_none_or(|call| call == of)
                && self.accepted.lock().even_poisoned().remove(&id).is_some()
            {
                self.later.lock().even_poisoned().push(Completion::now(id, Err(FAILED.into())));
            }
        }
        self.catch_up();
    }

    fn accept(&self, request: RequestId, call: HDRVCALL) -> Result<Ticket, LineError> {
        self.accepted.lock().even_poisoned().insert(request, call);
        Ok(Ticket::ungated(request))
    }

    /// Something is about to be closed.
    fn closing(&self) -> Result<(), LineError> {
        let act = self.in_close.lock().even_poisoned().take();
        act.map_or(Ok(()), |act| Err(act()))
    }

    fn line(&self) -> HTAPILINE {
        self.line.lock().unwrap().unwrap()
    }

    /// Has lineMakeCall do this.
    fn in_make_call<F>(&self, act: F)
    where
        F: FnMut(&mut dyn Tapi, RequestId, HTAPILINE, HTAPICALL) -> Option<LineError>
            + Send
            + 'static,
    {
        *self.making.lock().unwrap() = Some(Box::new(act));
    }

    fn state(&self, call: HTAPICALL, state: CallState) {
        let line = self.line();
        self.tell(|tapi| tell_state(tapi, line, call, state));
    }

    /// The line itself tells something.
    fn line_state(&self, params: [usize; 3]) {
        let line = self.line();
        let event = LineMessage { line, call: None, message: LINE_LINEDEVSTATE, params };
        self.tell(|tapi| tapi.line_event(&event));
    }

    /// A call comes in.
    fn call_in(&self, driver: usize) -> HTAPICALL {
        let line = self.line();
        let call = self.tell(|tapi| tapi.new_call(line, HDRVCALL::new(driver).unwrap())).unwrap();
        self.state(call, CallState::Offering);
        call
    }
}

fn upcall<R>(act: impl FnOnce() -> R) -> R {
    let before = IN_UPCALL.replace(true);
    let result = act();
    IN_UPCALL.set(before);
    result
}

fn tell_state(tapi: &mut dyn Tapi, line: HTAPILINE, call: HTAPICALL, state: CallState) {
    let params = [state.bit() as usize, 0, 4];
    tapi.line_event(&LineMessage { line, call: Some(call), message: LINE_CALLSTATE, params });
}

impl Provider for Mock {
    fn line_negotiate_tspi_version(
        &self,
        device_id: u32,
        low: u32,
        high: u32,
    ) -> Result<Version, LineError> {
        let answer = self.answers[usize::from(device_id != INITIALIZE_NEGOTIATION)];
        answer.map_or_else(|| Version::negotiate(low, high), Ok)
    }

    fn provider_enum_devices(&self, _: u32) -> Result<Devices, LineError> {
        Ok(Devices { lines: 1, phones: self.phones })
    }

    fn provider_init(&self, init: Init, tapi: Box<dyn Tapi>) -> Result<u32, LineError> {
        *self.given.lock().even_poisoned() = Some(init);
        let mut ours = self.tapi.lock().even_poisoned();
        // D15.
        if ours.is_none() {
            *ours = Some(Box::new(Noting(tapi, Arc::clone(&self.accepted))));
        }
        Ok(self.options)
    }

    fn provider_shutdown(&self, _: Version, _: u32) -> Result<(), LineError> {
        *self.shut_down.lock().unwrap() += 1;
        self.fail(None);
        self.ending.store(true, Ordering::SeqCst);
        self.catch_up();
        Ok(())
    }

    fn line_open(&self, _: u32, line: HTAPILINE, _: Version) -> Result<HDRVLINE, LineError> {
        *self.line.lock().unwrap() = Some(line);
        if let Some(error) = self.open_fails {
            return Err(error);
        }
        if self.in_open {
            self.call_in(77);
        }
        *self.detected.lock().even_poisoned() = None;
        Ok(HDRVLINE::new(5).unwrap())
    }

    fn line_set_default_media_detection(
        &self,
        line: HDRVLINE,
        media_modes: u32,
    ) -> Result<(), LineError> {
        assert_eq!(line.raw(), 5);
        *self.detected.lock().even_poisoned() = Some(media_modes);
        self.detection_fails.map_or(Ok(()), Err)
    }

    fn line_close(&self, _: HDRVLINE) -> Result<(), LineError> {
        self.closing()?;
        *self.closed_lines.lock().unwrap() += 1;
        self.fail(None);
        Ok(())
    }

    fn line_get_dev_caps(
        &self,
        _: u32,
        version: Version,
        _: u32,
        caps: &mut [u8],
    ) -> Result<(), LineError> {
        Writer::<LINEDEVCAPS>::new(caps, version)?
            .string(LINEDEVCAPS::dwLineName, "mock")
            .set(LINEDEVCAPS::dwMediaModes, LINEMEDIAMODE_DATAMODEM);
        Ok(())
    }

    fn line_make_call(
        &self,
        request: RequestId,
        _: HDRVLINE,
        call: HTAPICALL,
        _: Option<&str>,
        _: u32,
        _: Option<&[u8]>,
    ) -> Result<(HDRVCALL, Ticket), LineError> {
        let line = self.line();
        let handle = if self.one_handle { 1 } else { call.raw() << 4 };
        let handle = HDRVCALL::new(handle).unwrap();
        let ticket = self.accept(request, handle)?;
        if let Some(act) = &mut *self.making.lock().unwrap()
            && let Some(error) = self.tell(|tapi| act(tapi, request, line, call))
        {
            self.accepted.lock().even_poisoned().remove(&request);
            return Err(error);
        }
        Ok((handle, ticket))
    }

    fn line_dial(
        &self,
        request: RequestId,
        call: HDRVCALL,
        address: &str,
        _: u32,
    ) -> Result<Ticket, LineError> {
        self.function(|| {
            let ticket = self.accept(request, call)?;
            match address {
                "at once" => self.complete(request, Ok(())),
                "slowly" => thread::sleep(Duration::from_millis(1)),
                _ => {}
            }
            Ok(ticket)
        })
    }

    fn line_answer(&self, id: RequestId, call: HDRVCALL, _: &[u8]) -> Result<Ticket, LineError> {
        self.accept(id, call)
    }

    fn phone_negotiate_tspi_version(
        &self,
        _: u32,
        low: u32,
        high: u32,
    ) -> Result<Version, PhoneError> {
        Version::negotiate(low, high).map_err(|_| PhoneError::INCOMPATIBLEAPIVERSION)
    }

    fn phone_get_dev_caps(
        &self,
        _: u32,
        version: Version,
        _: u32,
        caps: &mut [u8],
    ) -> Result<(), PhoneError> {
        if self.no_caps {
            return Err(PhoneError::OPERATIONUNAVAIL);
        }
        Writer::<PHONECAPS>::new(caps, version)
            .map_err(|_| PhoneError::STRUCTURETOOSMALL)?
            .string(PHONECAPS::dwPhoneName, "mock phone")
            .set(PHONECAPS::dwHookSwitchDevs, 1);
        Ok(())
    }

    fn phone_open(&self, _: u32, phone: HTAPIPHONE, _: Version) -> Result<HDRVPHONE, PhoneError> {
        *self.phone.lock().even_poisoned() = Some(phone);
        Ok(HDRVPHONE::new(3).unwrap())
    }

    fn phone_get_status(&self, _: HDRVPHONE, status: &mut [u8]) -> Result<(), PhoneError> {
        Writer::<PHONESTATUS>::new(status, Version::NEWEST_SPOKEN)
            .map_err(|_| PhoneError::STRUCTURETOOSMALL)?
            .set(PHONESTATUS::dwHandsetHookSwitchMode, 4)
            .set(PHONESTATUS::dwHandsetVolume, 0x8000);
        Ok(())
    }

    fn phone_close(&self, _: HDRVPHONE) -> Result<(), PhoneError> {
        *self.closed_phones.lock().even_poisoned() += 1;
        Ok(())
    }

    fn line_close_call(&self, call: HDRVCALL) -> Result<(), LineError> {
        self.closing()?;
        self.closed_calls.lock().unwrap().push(call);
        self.fail(Some(call));
        Ok(())
    }
}

impl InProcess for Mock {
    fn calls_up_under_locks(&self) -> bool {
        self.locks
    }

    fn control(&self) -> Option<&dyn Control> {
        Some(self)
    }
}

impl Control for Mock {
    fn failure_text(&self) -> Option<String> {
        Some("the mock is not in the mood".to_owned())
    }

    fn cancel(&self, request: RequestId) -> bool {
        let known = self.accepted.lock().even_poisoned().contains_key(&request);
        if known {
            self.complete(request, Err(FAILED));
        }
        known
    }
}

fn start_with(mock: Mock, options: HostOptions) -> (Arc<Mock>, Host, Line) {
    let mock = Arc::new(mock);
    let provider: Arc<dyn Provider> = Arc::clone(&mock) as Arc<dyn Provider>;
    let host = Host::start(provider, options).unwrap();
    let line = host.open(0).unwrap();
    (mock, host, line)
}

fn start(mock: Mock) -> (Arc<Mock>, Host, Line) {
    start_with(mock, HostOptions::default())
}

/// A host whose observer does this.
fn observed(observer: impl Fn(&Traced<'_>) + Send + Sync + 'static) -> HostOptions {
    HostOptions { trace: Some(Arc::new(observer)) }
}

fn make(line: &Line) -> Pending<Call> {
    line.make_call("1", &CallOptions::default()).unwrap()
}

/// A call that is made.
fn made(mock: &Mock, line: &Line) -> Call {
    let pending = make(line);
    mock.complete(pending.id(), Ok(()));
    pending.wait(DEADLINE).unwrap()
}

/// Waits until it is so.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < DEADLINE, "{what}: it never came true");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The next so many call states.
fn states(events: &Events, count: usize) -> Vec<CallState> {
    events
        .within(DEADLINE)
        .filter_map(|event| match event {
            LineEvent::State { state, .. } => Some(state),
            _ => None,
        })
        .take(count)
        .collect()
}
