//! The application's own books of one host: what it has asked, what it was told, what is closed.
//!
//! They are kept by the host's observer, by the application's callbacks and by whoever closes
//! something, and judged at every entry. The witness before the provider judges the same from
//! below; here it is judged what the host makes of it.

mod pages;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use ringback_host::Traced;
use ringback_tspi::types::HTAPICALL;

use self::pages::{Opening, Pages, Request, Stage};

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

fn by(upcall: bool) -> &'static str {
    if upcall { ", it was said in a callback" } else { "" }
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
