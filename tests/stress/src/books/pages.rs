//! The entries of the books, and the rules that each entry is checked against.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering;

use ringback_driver::request::RequestId;
use ringback_host::{Call, LineEvent};
use ringback_tspi::callstate::CallState;
use ringback_tspi::error::LineError;
use ringback_tspi::types::HTAPICALL;

use super::{ASKING, Asking, OpeningNo};

/// The number of entries that a failure prints.
const SHOWN: usize = 80;

/// The number of these that come after the first violation.
const AFTER: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Asked,
    Accepted,
    Refused,
    Told,
}

pub(super) struct Request {
    pub(super) stage: Stage,
    pub(super) call: HTAPICALL,
    pub(super) opening: Option<OpeningNo>,
    pub(super) asking: Option<Asking>,
    /// Whether a callback was set for it, and whether that was before the outcome was delivered.
    pub(super) given: bool,
    pub(super) given_in_time: bool,
    /// Whether that callback is running.
    pub(super) running: bool,
}

impl Request {
    /// Returns whether something of it is not delivered, or is being delivered.
    pub(super) fn is_open(&self) -> bool {
        self.stage == Stage::Accepted || self.running && self.given_in_time
    }
}

pub(super) struct CallBook {
    pub(super) opening: Option<OpeningNo>,
    pub(super) closed: bool,
    /// Whether the request that makes it has not succeeded yet.
    pub(super) making: bool,
    pub(super) idle: bool,
}

pub(super) struct Opening {
    pub(super) line: u32,
    pub(super) closed: bool,
}

#[derive(Default)]
pub(super) struct Pages {
    pub(super) openings: HashMap<OpeningNo, Opening>,
    pub(super) calls: HashMap<HTAPICALL, CallBook>,
    pub(super) requests: HashMap<RequestId, Request>,
    /// The number of callbacks that were set for requests, and of those that were called.
    pub(super) promised: u64,
    pub(super) called: u64,
    /// Whether a shutdown has returned that the host is down.
    pub(super) down: bool,
    pub(super) broken: Vec<String>,
    pub(super) journal: VecDeque<String>,
    /// The number of entries since the first violation.
    pub(super) after: usize,
}

impl Pages {
    pub(super) fn note(&mut self, text: String) {
        // Entries long after the first violation do not help to explain it.
        self.after += usize::from(!self.broken.is_empty());
        if self.after > AFTER {
            return;
        }
        if self.journal.len() == SHOWN {
            self.journal.pop_front();
        }
        self.journal.push_back(text);
    }

    pub(super) fn wrong(&mut self, text: String) {
        self.note(format!("BROKEN {text}"));
        self.broken.push(text);
    }

    pub(super) fn is_closed(&self, opening: Option<OpeningNo>) -> bool {
        opening.and_then(|no| self.openings.get(&no)).is_some_and(|opening| opening.closed)
    }

    /// The openings of a line that are not known to be closed.
    pub(super) fn open_on(&self, line: u32) -> Vec<OpeningNo> {
        let open = |opening: &Opening| opening.line == line && !opening.closed;
        self.openings.iter().filter(|(_, one)| open(one)).map(|(no, _)| *no).collect()
    }

    pub(super) fn asked(&mut self, id: RequestId, function: &str, line: u32, call: HTAPICALL) {
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

    pub(super) fn told(&mut self, id: RequestId, outcome: Result<(), LineError>) {
        self.note(format!("{id} told {outcome:?}"));
        if self.down {
            self.wrong(format!("D12: {id} is told {outcome:?} after the shutdown"));
        }
        let Some(request) = self.requests.get_mut(&id) else {
            return self.wrong(format!("C3: {id} is told {outcome:?}, which nobody has asked"));
        };
        let before = std::mem::replace(&mut request.stage, Stage::Told);
        request.given_in_time = request.given;
        let (call, opening) = (request.call, request.opening);
        let early = request
            .asking
            .as_ref()
            .is_some_and(|asking| !asking.known && asking.inside.load(Ordering::SeqCst));
        if matches!(before, Stage::Told | Stage::Refused) {
            self.wrong(format!("C3, R4: {id} is told {outcome:?}, and was {before:?}"));
        }
        if early {
            self.wrong(format!("G1: {id} is told {outcome:?} before its function has returned"));
        }
        if self.is_closed(opening) {
            self.wrong(format!("D1: {id} is told {outcome:?} after its line's close"));
        }
        if let Some(book) = self.calls.get_mut(&call) {
            book.making &= outcome.is_err();
            if book.closed {
                self.wrong(format!("D5: {id} is told {outcome:?} after its call's close"));
            }
        }
    }

    pub(super) fn event(&mut self, line: u32, event: &LineEvent) {
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
            // While one opening ends and the next begins, the event may belong to either.
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

    /// Checks that none of the requests of something that was closed is open.
    pub(super) fn none_open(&mut self, rule: &str, what: &str, own: impl Fn(&Request) -> bool) {
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
