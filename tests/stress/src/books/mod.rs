//! The application's own books of one host: what it has asked for, what was delivered, what is
//! closed.
//!
//! The host's observer, the application's callbacks and the closing threads write into them, and
//! the rules are checked at every entry. The witness between host and provider checks the same
//! rules for the provider; these books check the host.

mod pages;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use ringback_driver::request::RequestId;
use ringback_host::Traced;
use ringback_tspi::EvenPoisoned;
use ringback_tspi::error::LineError;
use ringback_tspi::types::HTAPICALL;

use self::pages::{Opening, Pages, Request, Stage};

/// The number of an opening of a line, counted from 1 in a host's life.
pub(crate) type OpeningNo = u64;

/// The asynchronous function that a thread is calling.
#[derive(Clone)]
struct Asking {
    opening: OpeningNo,
    /// Whether the application has the id already, so that the outcome may come before the function
    /// returns (G1).
    known: bool,
    /// Whether the host's function has not returned.
    inside: Arc<AtomicBool>,
}

thread_local! {
    static ASKING: RefCell<Option<Asking>> = const { RefCell::new(None) };
}

/// Calls an asynchronous function of the host.
pub(crate) fn asking<R>(opening: OpeningNo, known: bool, ask: impl FnOnce() -> R) -> R {
    let inside = Arc::new(AtomicBool::new(true));
    let now = Asking { opening, known, inside: Arc::clone(&inside) };
    ASKING.with_borrow_mut(|asking| *asking = Some(now));
    let result = ask();
    // This comes first, because the host may find out at once that its function has returned.
    inside.store(false, Ordering::SeqCst);
    ASKING.with_borrow_mut(Option::take);
    result
}

/// The books of one host. See the [module](self).
#[derive(Default)]
pub(crate) struct Books {
    pages: Mutex<Pages>,
    /// Whether a callback is running.
    telling: AtomicBool,
    /// The number of calls of the observer.
    observed: AtomicU64,
}

/// Marks a callback as running until this is dropped.
struct Telling<'a>(&'a Books);

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        self.0.telling.store(false, Ordering::SeqCst);
    }
}

fn by(upcall: bool) -> &'static str {
    if upcall { ", it was said in a callback" } else { "" }
}

impl Books {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().even_poisoned()
    }

    pub(crate) fn wrong(&self, text: String) {
        self.pages().wrong(text);
    }

    pub(crate) fn note(&self, text: String) {
        self.pages().note(text);
    }

    /// Returns the violations, and the last entries.
    pub(crate) fn broken(&self) -> (Vec<String>, Vec<String>) {
        let pages = self.pages();
        (pages.broken.clone(), pages.journal.iter().cloned().collect())
    }

    /// Marks a callback as running. No other one may run at the same time (C6).
    fn telling(&self, what: &str) -> Telling<'_> {
        if self.telling.swap(true, Ordering::SeqCst) {
            self.wrong(format!("C6: {what} while another upcall is under way"));
        }
        Telling(self)
    }

    /// Delays the thread at times, so that others act in between: between the check of a handle and
    /// the provider's function, or between the observer and the callback.
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
            Traced::Completed { id, outcome, .. } => {
                let _telling = self.telling("a completion");
                self.pages().told(id, outcome);
            }
            Traced::Lost { id, .. } => {
                let _telling = self.telling("a lost request");
                let mut pages = self.pages();
                pages.told(id, Err(LineError::OPERATIONFAILED));
                pages.wrong(format!("R5: {id} was never completed by the provider"));
            }
            Traced::Duplicate { id, outcome, .. } => {
                self.wrong(format!("C3: {id} is completed with {outcome:?} and not outstanding"));
            }
            Traced::Event { device_id, event } => {
                let _telling = self.telling("an event");
                self.pages().event(device_id, event);
            }
            _ => {}
        }
    }

    /// Called when a line is about to be opened.
    pub(crate) fn opening(&self, line: u32) -> OpeningNo {
        let mut pages = self.pages();
        let no = pages.openings.len() as OpeningNo + 1;
        pages.openings.insert(no, Opening { line, closed: false });
        no
    }

    /// Called when the line was not opened: nothing of it may be delivered.
    pub(crate) fn not_opened(&self, no: OpeningNo) {
        if let Some(opening) = self.pages().openings.get_mut(&no) {
            opening.closed = true;
        }
    }

    /// Called when a callback is about to be set for a request.
    pub(crate) fn promise(&self, id: RequestId) {
        let mut pages = self.pages();
        pages.promised += 1;
        pages.note(format!("a callback for {id}"));
    }

    /// Called when the callback was set.
    pub(crate) fn given(&self, id: RequestId) {
        if let Some(request) = self.pages().requests.get_mut(&id) {
            request.given = true;
        }
    }

    /// Runs the callback of a request.
    pub(crate) fn called(&self, id: RequestId, act: impl FnOnce()) {
        struct Running<'a>(&'a Books, RequestId);
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

    /// Called when a close has returned that this opening is closed and nothing follows.
    pub(crate) fn line_closed(&self, no: OpeningNo, upcall: bool) {
        let mut pages = self.pages();
        pages.note(format!("opening {no} is closed{}", by(upcall)));
        let own = |request: &Request| request.opening == Some(no) && !(upcall && request.running);
        pages.none_open("D1", &format!("opening {no}"), own);
        if let Some(opening) = pages.openings.get_mut(&no) {
            opening.closed = true;
        }
    }

    /// The same for a call.
    pub(crate) fn call_closed(&self, call: HTAPICALL, upcall: bool) {
        let mut pages = self.pages();
        pages.note(format!("{call} is closed{}", by(upcall)));
        let own = |request: &Request| request.call == call && !(upcall && request.running);
        pages.none_open("D5", &format!("{call}"), own);
        if let Some(book) = pages.calls.get_mut(&call) {
            book.closed = true;
        }
    }

    /// The same for the host.
    pub(crate) fn down(&self, upcall: bool) {
        let mut pages = self.pages();
        pages.note(format!("the host is down{}", by(upcall)));
        pages.none_open("D12", "the host", |request| !(upcall && request.running));
        pages.down = true;
        for opening in pages.openings.values_mut() {
            opening.closed = true;
        }
    }

    /// Called at the end of the host's life.
    pub(crate) fn close(&self) {
        let mut pages = self.pages();
        let left: Vec<RequestId> = pages
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
