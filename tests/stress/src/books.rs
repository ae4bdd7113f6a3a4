//! The application's own books of one host: what it has asked, what it was told, what is closed.
//!
//! They are kept by the host's observer, by the application's callbacks and by whoever closes
//! something, and judged at every entry. The witness before the provider judges the same from
//! below; here it is judged what the host makes of it.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use ringback_tspi::callstate::CallState;
use ringback_tspi::host::{Call, LineEvent, Traced};
use ringback_tspi::types::HTAPICALL;

/// Happenings that a failure shows.
const SHOWN: usize = 80;

/// How many of them come after the first broken rule.
const AFTER: usize = 20;

/// Which opening of a line, counted from 1 in a host's life.
pub(crate) type OpeningNo = u64;

/// What is being asked by a thread.
#[derive(Clone)]
struct Asking {
    opening: OpeningNo,
    /// The application has the id already, so the outcome may overtake the function (G1).
    known: bool,
    /// The host's function has not returned.
    inside: Arc<AtomicBool>,
}

thread_local! {
    static ASKING: RefCell<Option<Asking>> = const { RefCell::new(None) };
}

/// Asks the host for something asynchronous.
pub(crate) fn asking<R>(opening: OpeningNo, known: bool, ask: impl FnOnce() -> R) -> R {
    let inside = Arc::new(AtomicBool::new(true));
    let now = Asking { opening, known, inside: Arc::clone(&inside) };
    ASKING.with_borrow_mut(|asking| *asking = Some(now));
    let result = ask();
    // First of all, or the host may find out before us that its function has returned.
    inside.store(false, Ordering::SeqCst);
    ASKING.with_borrow_mut(Option::take);
    result
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Asked,
    Accepted,
    Refused,
    Told,
}

struct Request {
    stage: Stage,
    call: HTAPICALL,
    opening: Option<OpeningNo>,
    asking: Option<Asking>,
    /// A callback was given to it; and it was before the outcome was told.
    given: bool,
    given_in_time: bool,
    /// That callback has not returned.
    running: bool,
}

impl Request {
    /// Whether something of it is still to be told, or being told.
    fn is_open(&self) -> bool {
        self.stage == Stage::Accepted || self.running && self.given_in_time
    }
}

struct CallBook {
    opening: Option<OpeningNo>,
    closed: bool,
    /// The request that makes it has not succeeded.
    making: bool,
    idle: bool,
}

struct Opening {
    line: u32,
    closed: bool,
}

#[derive(Default)]
struct Pages {
    openings: HashMap<OpeningNo, Opening>,
    calls: HashMap<HTAPICALL, CallBook>,
    requests: HashMap<u32, Request>,
    /// Callbacks that were given to requests, and callbacks that were called.
    promised: u64,
    called: u64,
    /// A shutdown has returned that it is down.
    down: bool,
    broken: Vec<String>,
    journal: VecDeque<String>,
    /// How many happenings were noted since.
    after: usize,
}

/// The books of one host. See the [module](self).
#[derive(Default)]
pub(crate) struct Books {
    pages: Mutex<Pages>,
    /// Somebody is being told something.
    telling: AtomicBool,
    /// How often the observer was called.
    observed: AtomicU64,
}

/// Somebody is being told something until this is dropped.
struct Telling<'a>(&'a Books);

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        self.0.telling.store(false, Ordering::SeqCst);
    }
}

impl Pages {
    fn note(&mut self, text: String) {
        // What comes long after the first broken rule explains nothing.
        self.after += usize::from(!self.broken.is_empty());
        if self.after > AFTER {
            return;
        }
        if self.journal.len() == SHOWN {
            self.journal.pop_front();
        }
        self.journal.push_back(text);
    }

    fn wrong(&mut self, text: String) {
        self.note(format!("BROKEN {text}"));
        self.broken.push(text);
    }

    fn is_closed(&self, opening: Option<OpeningNo>) -> bool {
        opening.and_then(|no| self.openings.get(&no)).is_some_and(|opening| opening.closed)
    }

    /// The only opening of a line that is not known to be closed.
    fn open_on(&self, line: u32) -> Vec<OpeningNo> {
        let open = |opening: &Opening| opening.line == line && !opening.closed;
        self.openings.iter().filter(|(_, one)| open(one)).map(|(no, _)| *no).collect()
    }

    fn asked(&mut self, id: u32, function: &str, line: u32, call: HTAPICALL) {
        let asking = ASKING.with_borrow(Clone::clone);
        let making = function == "lineMakeCall";
        let opening = match self.calls.get(&call) {
            Some(known) => known.opening,
            None => asking.as_ref().map(|asking| asking.opening),
        };
        if making {
            let book = CallBook { opening, closed: false, making, idle: false };
            if self.calls.insert(call, book).is_some() {
                self.wrong(format!("N2: the handle {call} is given out twice"));
            }
        }
        let taken = self.requests.get(&id).map(|known| known.stage);
        if matches!(taken, Some(Stage::Asked | Stage::Accepted)) {
            self.wrong(format!("T3: {id} is given out while it is outstanding"));
        }
        let request = Request {
            stage: Stage::Asked,
            call,
            opening,
            asking,
            given: false,
            given_in_time: false,
            running: false,
        };
        self.requests.insert(id, request);
        self.note(format!("{function} {id} on line {line}, {call}, opening {opening:?}"));
    }

    fn told(&mut self, id: u32, result: i32) {
        self.note(format!("{id} told {result}"));
        if self.down {
            self.wrong(format!("D12: {id} is told {result} after the shutdown"));
        }
        let Some(request) = self.requests.get_mut(&id) else {
            return self.wrong(format!("C3: {id} is told {result}, which nobody has asked"));
        };
        let before = std::mem::replace(&mut request.stage, Stage::Told);
        request.given_in_time = request.given;
        let (call, opening) = (request.call, request.opening);
        let early = request
            .asking
            .as_ref()
            .is_some_and(|asking| !asking.known && asking.inside.load(Ordering::SeqCst));
        if matches!(before, Stage::Told | Stage::Refused) {
            self.wrong(format!("C3, R4: {id} is told {result}, and was {before:?}"));
        }
        if early {
            self.wrong(format!("G1: {id} is told {result} before its function has returned"));
        }
        if result > 0 {
            self.wrong(format!("C2: {id} is told {result}"));
        }
        if self.is_closed(opening) {
            self.wrong(format!("D1: {id} is told {result} after its line's close"));
        }
        if let Some(book) = self.calls.get_mut(&call) {
            book.making &= result != 0;
            if book.closed {
                self.wrong(format!("D5: {id} is told {result} after its call's close"));
            }
        }
    }

    fn event(&mut self, line: u32, event: &LineEvent) {
        let call = event.call().map(Call::handle);
        let state = match event {
            LineEvent::State { state, .. } => Some(*state),
            _ => None,
        };
        let name = event_name(event);
        self.note(format!("line {line}: {name} {call:?} {state:?}"));
        if self.down {
            self.wrong(format!("D12: {name} on line {line} after the shutdown"));
        }
        let open = self.open_on(line);
        if open.is_empty() {
            self.wrong(format!("D2: {name} on line {line}, which is closed"));
        }
        let Some(call) = call else { return };
        if matches!(event, LineEvent::NewCall { .. }) {
            // While one opening ends and the next begins, it may be of either.
            let opening = open.first().copied().filter(|_| open.len() == 1);
            let book = CallBook { opening, closed: false, making: false, idle: false };
            if self.calls.insert(call, book).is_some() {
                self.wrong(format!("N2: the handle {call} is announced twice"));
            }
            return;
        }
        let Some(book) = self.calls.get_mut(&call) else {
            return self.wrong(format!("N14: {name} of {call}, which nobody knows"));
        };
        let (closed, making, was_idle) = (book.closed, book.making, book.idle);
        book.idle |= state == Some(CallState::Idle);
        let opening = book.opening;
        if closed {
            self.wrong(format!("D5: {name} of {call} after its close"));
        }
        if making {
            self.wrong(format!("O1: {name} of {call} before it is made"));
        }
        if was_idle && state.is_some() {
            self.wrong(format!("O3: {state:?} of {call} after IDLE"));
        }
        if self.is_closed(opening) {
            self.wrong(format!("D2: {name} of {call}, whose line's opening is closed"));
        }
    }

    /// Something was closed: of the requests that are its own, none may be open.
    fn none_open(&mut self, rule: &str, what: &str, own: impl Fn(&Request) -> bool) {
        let open: Vec<String> = self
            .requests
            .iter()
            .filter(|(_, request)| own(request) && request.is_open())
            .map(|(id, request)| format!("{id} ({:?}, running {})", request.stage, request.running))
            .collect();
        if !open.is_empty() {
            self.wrong(format!("{rule}: {what} is closed, it was said, and open are {open:?}"));
        }
    }
}

fn by(upcall: bool) -> &'static str {
    if upcall { ", it was said in a callback" } else { "" }
}

fn event_name(event: &LineEvent) -> &'static str {
    match event {
        LineEvent::NewCall { .. } => "a new call",
        LineEvent::State { .. } => "a state",
        LineEvent::CallInfo { .. } => "call info",
        LineEvent::Digit { .. } => "a digit",
        LineEvent::Generated { .. } => "the end of digits",
        LineEvent::Closed { .. } => "LINE_CLOSE",
        _ => "an event",
    }
}

impl Books {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wrong(&self, text: String) {
        self.pages().wrong(text);
    }

    pub(crate) fn note(&self, text: String) {
        self.pages().note(text);
    }

    /// What was broken, and what happened last.
    pub(crate) fn broken(&self) -> (Vec<String>, Vec<String>) {
        let pages = self.pages();
        (pages.broken.clone(), pages.journal.iter().cloned().collect())
    }

    /// Somebody is being told something; nobody else may be meanwhile (C6).
    fn telling(&self, what: &str) -> Telling<'_> {
        if self.telling.swap(true, Ordering::SeqCst) {
            self.wrong(format!("C6: {what} while another upcall is under way"));
        }
        Telling(self)
    }

    /// Takes its time now and then, so that others come in between: between the check of a handle
    /// and the provider's function, or between what is told and the callback.
    fn dawdle(&self) {
        match self.observed.fetch_add(1, Ordering::Relaxed) % 29 {
            3 | 17 => thread::yield_now(),
            7 | 11 | 23 => thread::sleep(Duration::from_micros(300)),
            13 => thread::sleep(Duration::from_millis(7)),
            _ => {}
        }
    }

    /// The host's observer.
    pub(crate) fn observe(&self, happened: &Traced<'_>) {
        self.dawdle();
        match *happened {
            Traced::Submitted { id, function, device_id, call, .. } => {
                self.pages().asked(id, function, device_id, call);
            }
            Traced::Returned { id, .. } => {
                if let Some(request) = self.pages().requests.get_mut(&id)
                    && request.stage == Stage::Asked
                {
                    request.stage = Stage::Accepted;
                }
            }
            Traced::Refused { id, error, .. } => {
                let mut pages = self.pages();
                pages.note(format!("{id} refused: {error}"));
                if let Some(request) = pages.requests.get_mut(&id) {
                    let before = std::mem::replace(&mut request.stage, Stage::Refused);
                    if before != Stage::Asked {
                        pages.wrong(format!("R4: {id} is refused, and was {before:?}"));
                    }
                }
            }
            Traced::Completed { id, result, .. } => {
                let _telling = self.telling("a completion");
                self.pages().told(id, result);
            }
            Traced::Lost { id, .. } => {
                let _telling = self.telling("a lost request");
                let mut pages = self.pages();
                pages.told(id, i32::MIN);
                pages.wrong(format!("R5: {id} was never completed by the provider"));
            }
            Traced::Duplicate { id, result, .. } => {
                self.wrong(format!("C3: {id} is completed with {result} and not outstanding"));
            }
            Traced::Event { device_id, event } => {
                let _telling = self.telling("an event");
                self.pages().event(device_id, event);
            }
            _ => {}
        }
    }

    /// A line is about to be opened.
    pub(crate) fn opening(&self, line: u32) -> OpeningNo {
        let mut pages = self.pages();
        let no = pages.openings.len() as OpeningNo + 1;
        pages.openings.insert(no, Opening { line, closed: false });
        no
    }

    /// It was not opened: nothing may be told of it.
    pub(crate) fn not_opened(&self, no: OpeningNo) {
        if let Some(opening) = self.pages().openings.get_mut(&no) {
            opening.closed = true;
        }
    }

    /// A callback is about to be given to a request.
    pub(crate) fn promise(&self, id: u32) {
        let mut pages = self.pages();
        pages.promised += 1;
        pages.note(format!("a callback for {id}"));
    }

    /// It was given.
    pub(crate) fn given(&self, id: u32) {
        if let Some(request) = self.pages().requests.get_mut(&id) {
            request.given = true;
        }
    }

    /// In a callback of a request: does what it has to do.
    pub(crate) fn called(&self, id: u32, act: impl FnOnce()) {
        struct Running<'a>(&'a Books, u32);
        impl Drop for Running<'_> {
            fn drop(&mut self) {
                if let Some(request) = self.0.pages().requests.get_mut(&self.1) {
                    request.running = false;
                }
            }
        }
        let _telling = self.telling("a callback");
        {
            let mut pages = self.pages();
            pages.called += 1;
            pages.note(format!("the callback of {id}"));
            if let Some(request) = pages.requests.get_mut(&id) {
                request.running = true;
            }
        }
        let _running = Running(self, id);
        act();
    }

    /// A close has said that this opening of a line is closed and nothing follows.
    pub(crate) fn line_closed(&self, no: OpeningNo, upcall: bool) {
        let mut pages = self.pages();
        pages.note(format!("opening {no} is closed{}", by(upcall)));
        let own = |request: &Request| request.opening == Some(no) && !(upcall && request.running);
        pages.none_open("D1", &format!("opening {no}"), own);
        if let Some(opening) = pages.openings.get_mut(&no) {
            opening.closed = true;
        }
    }

    /// The same of a call.
    pub(crate) fn call_closed(&self, call: HTAPICALL, upcall: bool) {
        let mut pages = self.pages();
        pages.note(format!("{call} is closed{}", by(upcall)));
        let own = |request: &Request| request.call == call && !(upcall && request.running);
        pages.none_open("D5", &format!("{call}"), own);
        if let Some(book) = pages.calls.get_mut(&call) {
            book.closed = true;
        }
    }

    /// The same of the host.
    pub(crate) fn down(&self, upcall: bool) {
        let mut pages = self.pages();
        pages.note(format!("the host is down{}", by(upcall)));
        pages.none_open("D12", "the host", |request| !(upcall && request.running));
        pages.down = true;
        for opening in pages.openings.values_mut() {
            opening.closed = true;
        }
    }

    /// At the end of the host's life.
    pub(crate) fn close(&self) {
        let mut pages = self.pages();
        let left: Vec<u32> = pages
            .requests
            .iter()
            .filter(|(_, request)| matches!(request.stage, Stage::Asked | Stage::Accepted))
            .map(|(id, _)| *id)
            .collect();
        if !left.is_empty() {
            pages.wrong(format!("C3: never told: {left:?}"));
        }
        if pages.promised != pages.called {
            let (promised, called) = (pages.promised, pages.called);
            pages.wrong(format!("C3: {promised} callbacks were given, {called} were called"));
        }
    }
}
