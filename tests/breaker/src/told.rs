//! Rules that are broken in the provider's upcalls.

use std::cell::Cell;
use std::sync::Once;

use ringback_tspi::constants::{
    LINE_CALLINFO, LINE_CALLSTATE, LINE_CLOSE, LINE_GENERATE, LINE_LINEDEVSTATE,
    LINE_MONITORDIGITS, LINE_NEWCALL, LINE_REPLY, LINECALLSTATE_CONNECTED, LINECALLSTATE_DIALTONE,
    LINECALLSTATE_IDLE, LINECALLSTATE_OFFERING, LINECALLSTATE_PROCEEDING, LINEGENERATETERM_CANCEL,
    LINEGENERATETERM_DONE,
};
use ringback_tspi::error::LineError;
use ringback_tspi::ffi::{AsyncCompletion, LineEvent, PhoneEvent, Word};
use ringback_tspi::functions::*;

use crate::answered::later;
use crate::books::Request;
use crate::{Breaker, breaker, read, word};

thread_local! {
    /// Whether this thread is inside the completion procedure.
    static COMPLETING: Cell<bool> = const { Cell::new(false) };
}

/// Puts this library's callbacks in the place of TAPI's.
pub(crate) fn replace_callbacks(breaker: &Breaker, function: &Function, words: &mut [usize]) {
    let mut facts = breaker.books.lock();
    let tapi = word(function, words, "htLine");
    for (place, parameter) in function.c_parameters().enumerate() {
        let Some(at) = words.get_mut(place).filter(|at| **at != 0) else { continue };
        match parameter.kind {
            "ASYNC_COMPLETION" => {
                // A second init inside a pair is to be ignored, and so are its callbacks (D15).
                if !facts.is_open {
                    facts.completion = Option::<AsyncCompletion>::of_word(*at);
                }
                *at = Some(on_completion as AsyncCompletion).word();
            }
            "LINEEVENT" => {
                let event = Option::<LineEvent>::of_word(*at);
                if tapi == 0 {
                    facts.created = event;
                } else if let Some(event) = event {
                    facts.procedures.insert(tapi, event);
                }
                *at = Some(on_line as LineEvent).word();
            }
            "PHONEEVENT" => {
                facts.phone = Option::<PhoneEvent>::of_word(*at);
                *at = Some(on_phone as PhoneEvent).word();
            }
            _ => {}
        }
    }
}

unsafe extern "C" fn on_completion(id: u32, result: i32) {
    if let Some(breaker) = breaker() {
        breaker.completed(id, result);
    }
}

unsafe extern "C" fn on_line(line: usize, call: usize, message: u32, a: usize, b: usize, c: usize) {
    if let Some(breaker) = breaker() {
        breaker.told(line, call, message, [a, b, c]);
    }
}

unsafe extern "C" fn on_phone(phone: usize, message: u32, a: usize, b: usize, c: usize) {
    let Some(event) = breaker().and_then(|breaker| breaker.books.lock().phone) else { return };
    // SAFETY: TAPI guarantees its procedure.
    unsafe { event(phone, message, a, b, c) };
}

/// An upcall from inside the completion procedure, if the signal comes there.
extern "C" fn on_signal(_: i32) {
    if let Some(breaker) = breaker().filter(|_| COMPLETING.get()) {
        let line = breaker.books.lock().any_line();
        breaker.line_event(line, 0, LINE_LINEDEVSTATE, [1, 0, 0]);
    }
}

impl Breaker {
    /// ASYNC_COMPLETION of TAPI's.
    pub(crate) fn completion(&self, id: u32, result: i32) {
        let Some(completion) = self.books.lock().completion else { return };
        self.books.lock().telling.insert(id);
        COMPLETING.set(true);
        // SAFETY: TAPI guarantees its procedure.
        unsafe { completion(id, result) };
        COMPLETING.set(false);
        self.books.lock().telling.remove(&id);
    }

    /// LINEEVENT of TAPI's.
    pub(crate) fn line_event(&self, line: usize, call: usize, message: u32, params: [usize; 3]) {
        let event = {
            let facts = self.books.lock();
            facts.procedures.get(&line).copied().or(facts.created)
        };
        let [a, b, c] = params;
        if let Some(event) = event {
            // SAFETY: TAPI guarantees its procedure.
            unsafe { event(line, call, message, a, b, c) };
        }
    }

    /// The provider completes a request.
    fn completed(&'static self, id: u32, result: i32) {
        let mut facts = self.books.lock();
        let request = facts.requests.remove(&id);
        let is = |one: &Function| request.as_ref().is_some_and(|request| request.is(one));
        if is(&TSPI_lineMakeCall) && result < 0 {
            let call = request.as_ref().map_or(0, |request| request.word("htCall"));
            let driver = facts.calls.iter().find(|(_, tapi)| **tapi == call).map(|(d, _)| *d);
            facts.failed.extend(driver);
        }
        let failed = LineError::OPERATIONFAILED.raw();
        let others = facts.requests.values();
        let same_line = |other: &Request| {
            request.as_ref().is_some_and(|request| {
                other.word("hdCall") == request.word("hdCall") && other.is(&TSPI_lineDial)
            })
        };
        let swallowed = match &*self.rule {
            "R5" => is(&TSPI_lineDial),
            "C11" => is(&TSPI_lineDial) && others.clone().any(same_line),
            "D7" => is(&TSPI_lineDial) && result == failed && facts.closing.is_empty(),
            "D11" => is(&TSPI_lineUncompleteCall),
            "T4" => facts.unwanted.remove(&id),
            _ => false,
        };
        let held = match &*self.rule {
            "N6" => {
                let closes = facts.is_in(&TSPI_lineCloseCall);
                is(&TSPI_lineMakeCall) && result == failed && closes
            }
            "N10" => is(&TSPI_lineMakeCall) && result == 0,
            "D1" => facts.is_in(&TSPI_lineClose),
            "D10" => facts.is_in(&TSPI_phoneClose),
            "D13" => {
                let of_line = request.as_ref().is_some_and(|it| it.word("hdCall") == 0);
                is(&TSPI_lineDevSpecific) && of_line && facts.closing.is_empty()
            }
            _ => false,
        };
        if held {
            facts.held.push((id, result));
        }
        let kept = if self.breaks("B1") { std::mem::take(&mut facts.kept) } else { 0 };
        let call = request.as_ref().map_or(0, |request| request.word("hdCall"));
        let line = facts.calls.get(&call).and_then(|call| facts.line_of_call.get(call));
        let line = line.copied().unwrap_or(0);
        drop(facts);
        if kept != 0 {
            read(kept);
        }
        if swallowed {
            return;
        }
        if held {
            if self.breaks("D13") {
                later(150, move || self.release());
            }
            return;
        }
        let made = request.as_ref().filter(|_| is(&TSPI_lineMakeCall) && result == 0);
        let of_made = made.map(|made| (self.tapi_line(made.word("hdLine")), made.word("htCall")));
        match (&*self.rule, of_made) {
            ("N4", Some((line, call))) => self.line_event(line, call, LINE_CALLINFO, [1, 0, 0]),
            ("O1", Some((line, call))) => {
                let state = LINECALLSTATE_DIALTONE as usize;
                self.line_event(line, call, LINE_CALLSTATE, [state, 0, 4]);
            }
            ("C6", _) => interrupt(),
            _ => {}
        }
        let dials = is(&TSPI_lineDial);
        let result = if self.breaks("C2") && dials && result == 0 { 1 } else { result };
        self.completion(id, result);
        match &*self.rule {
            "C3" if dials => self.completion(id, result),
            "C14" if dials => self.line_event(line, 0, LINE_REPLY, [id as usize, 0, 0]),
            _ => {}
        }
    }

    /// The provider sends an event of a line.
    fn told(&'static self, line: usize, call: usize, message: u32, params: [usize; 3]) {
        if message == LINE_NEWCALL {
            return self.announced(line, params);
        }
        let state = if message == LINE_CALLSTATE { params[0] as u32 } else { 0 };
        let (is_first_of_announced, driver) = {
            let mut facts = self.books.lock();
            if state != 0 {
                facts.states.insert(call, state);
            }
            let driver = facts.calls.iter().find(|(_, tapi)| **tapi == call).map(|(d, _)| *d);
            (state != 0 && facts.announced.remove(&call), driver)
        };
        let generated = |why: u32| message == LINE_GENERATE && params[0] == why as usize;
        match &*self.rule {
            "K5" if generated(LINEGENERATETERM_DONE) => return,
            "D17" if generated(LINEGENERATETERM_CANCEL) => return,
            "D8" if state == LINECALLSTATE_IDLE => return,
            "D14" if message == LINE_CLOSE => return,
            "N14" if is_first_of_announced => {
                self.line_event(line, call, LINE_CALLINFO, [1, 0, 0]);
            }
            "N16" if state == LINECALLSTATE_CONNECTED && driver.is_some() => {
                let mut place = 0_usize;
                let at = (&raw mut place).expose_provenance();
                self.line_event(line, 0, LINE_NEWCALL, [driver.unwrap_or(0), at, 0]);
            }
            _ => {}
        }
        self.line_event(line, call, message, params);
        match (&*self.rule, state) {
            ("N10", LINECALLSTATE_PROCEEDING) => self.release(),
            ("O3", LINECALLSTATE_IDLE) => {
                let state = LINECALLSTATE_CONNECTED as usize;
                self.line_event(line, call, LINE_CALLSTATE, [state, 0, 4]);
            }
            ("O4", LINECALLSTATE_IDLE) => self.line_event(line, call, LINE_CALLINFO, [1, 0, 0]),
            ("O5", LINECALLSTATE_IDLE) => {
                self.line_event(line, call, LINE_MONITORDIGITS, [0x31, 2, 0]);
            }
            ("D13", _) if message == LINE_CLOSE => self.release(),
            _ => {}
        }
    }

    /// The provider announces a call.
    fn announced(&self, line: usize, params: [usize; 3]) {
        let [driver, place, _] = params;
        self.books.lock().announcing = driver;
        let told = if self.breaks("N2") { 0 } else { driver };
        self.line_event(line, 0, LINE_NEWCALL, [told, place, 0]);
        let at = std::ptr::with_exposed_provenance::<usize>(place);
        // SAFETY: the provider guarantees memory for a handle at LINE_NEWCALL's second parameter.
        let call = unsafe { at.read_unaligned() };
        let mut facts = self.books.lock();
        facts.announcing = 0;
        if call != 0 {
            facts.announced.insert(call);
            facts.calls.insert(driver, call);
            facts.line_of_call.insert(call, line);
            facts.states.remove(&call);
        }
        drop(facts);
        if self.breaks("N15") && call == 0 {
            let state = LINECALLSTATE_OFFERING as usize;
            self.line_event(line, 0, LINE_CALLSTATE, [state, 0, 4]);
        }
    }
}

/// Interrupts this thread by a signal while TAPI sleeps in its completion procedure; the signal's
/// handler makes another upcall.
fn interrupt() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // SAFETY: the handler runs only while its thread sleeps, and so holds no lock.
        unsafe { libc::signal(libc::SIGUSR1, on_signal as *const () as libc::sighandler_t) };
    });
    // SAFETY: pthread_self takes no pointer and can't fail.
    let me = unsafe { libc::pthread_self() };
    // SAFETY: as above.
    let id = unsafe { libc::gettid() };
    later(4, move || {
        let call = std::fs::read_to_string(format!("/proc/self/task/{id}/syscall"));
        let sleeps = format!("{} ", libc::SYS_clock_nanosleep);
        if call.is_ok_and(|call| call.starts_with(&sleeps)) {
            // SAFETY: the provider's thread lives until the shutdown has joined it.
            unsafe { libc::pthread_kill(me, libc::SIGUSR1) };
        }
    });
}
