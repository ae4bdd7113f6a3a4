//! A layer between host and provider that checks the rules.
//!
//! It sees every function and every upcall and checks: the order rules by
//! [`Monitor`](ringback_tspi::callstate::monitor::Monitor); that each request that was accepted is
//! completed once (C3, R5), not before its function returned (G1), and a refused one never (R4);
//! that upcalls come one at a time from one thread (C6); that no upcall comes after shutdown (D12);
//! and that a function returns no error that its row does not have.
//!
//! Handles and ids are valid within one pair of init and shutdown. With the next pair the records
//! begin anew; violations, and what was seen, are kept.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, ThreadId};

use ringback_driver::request::{ErrorCode, RequestId};
use ringback_tspi::EvenPoisoned;
use ringback_tspi::callstate::monitor::{Monitor, Seen};
use ringback_tspi::error::LineError;
use ringback_tspi::functions::{
    TSPI_lineClose, TSPI_lineCloseCall, TSPI_lineCompleteTransfer, TSPI_lineMakeCall,
    TSPI_lineOpen, TSPI_linePickup, TSPI_linePrepareAddToConference, TSPI_lineSetupConference,
    TSPI_lineSetupTransfer, TSPI_lineUnpark, TSPI_providerShutdown,
};
use ringback_tspi::layer::{Asked, Layer, Layered, Outcome, Step, Value};
use ringback_tspi::provider::{Completion, LineMessage, PhoneMessage, Provider, Tapi};
use ringback_tspi::types::{HDRVCALL, HDRVLINE, HTAPICALL, HTAPILINE};

#[derive(Default)]
struct Book {
    monitor: Monitor,
    seen: Vec<Seen>,
    outstanding: HashSet<RequestId>,
    returned: HashSet<RequestId>,
    completed: u64,
    calls: HashMap<HDRVCALL, HTAPICALL>,
    lines: HashMap<HDRVLINE, HTAPILINE>,
    reaper: Option<ThreadId>,
    down: bool,
    /// The number of the pair of init and shutdown.
    pair: u64,
    pairs: u64,
    wrong: Vec<String>,
}

impl Book {
    /// Begins a pair of init and shutdown.
    fn begin(&mut self, pair: u64) {
        let ended = std::mem::take(&mut self.monitor);
        self.wrong.extend(ended.violations().iter().map(ToString::to_string));
        let accepted = |id: &RequestId| self.returned.contains(id);
        let lost: Vec<RequestId> = self.outstanding.iter().copied().filter(accepted).collect();
        if !lost.is_empty() {
            self.wrong.push(format!("C3: not complete when the next pair began: {lost:?}"));
        }
        for id in lost {
            self.outstanding.remove(&id);
        }
        self.calls.clear();
        self.lines.clear();
        (self.pair, self.reaper, self.down) = (pair, None, false);
    }
}

thread_local! {
    /// The witnesses, by their addresses, in whose upcalls this thread is.
    static INSIDE: RefCell<Vec<*const Witness>> = const { RefCell::new(Vec::new()) };
}

/// An upcall that is running; if the host panics in it, dropping this ends it as well.
struct Inside<'a>(&'a Witness);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        INSIDE.with_borrow_mut(Vec::pop);
        self.0.in_upcall.store(false, Ordering::SeqCst);
    }
}

/// What the witness has seen.
#[derive(Default)]
pub struct Witness {
    book: Mutex<Book>,
    in_upcall: AtomicBool,
    refuse_calls: AtomicBool,
    /// Whether the provider makes its upcalls on the application's thread.
    local: bool,
}

/// Makes TAPI refuse handles for new calls until it is dropped (N15).
pub struct Refusal(Arc<Witness>);

impl Drop for Refusal {
    fn drop(&mut self) {
        self.0.refuse_calls.store(false, Ordering::SeqCst);
    }
}

impl Witness {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().even_poisoned()
    }

    /// The witness of a provider under a `LocalHost`, which delivers what is left after the
    /// provider's shutdown has returned. Its shutdown is over when [`down`](Witness::down) is
    /// called.
    pub fn of_local_host() -> Witness {
        Witness { local: true, ..Witness::default() }
    }

    /// The host is down: no upcall follows (D12).
    pub fn down(&self) {
        self.book().down = true;
    }

    /// Everything that was seen, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.book().seen.clone()
    }

    /// The number of completions that were seen.
    pub fn completed(&self) -> u64 {
        self.book().completed
    }

    /// The number of outstanding requests.
    pub fn outstanding(&self) -> usize {
        self.book().outstanding.len()
    }

    /// The thread of the upcalls.
    pub fn reaper(&self) -> Option<ThreadId> {
        self.book().reaper
    }

    /// The provider's handle of a line that is open, of the only one where there is one.
    pub fn open_line(&self) -> Option<HDRVLINE> {
        self.book().lines.keys().next().copied()
    }

    /// The provider's handle of a call.
    pub fn driver_call(&self, call: HTAPICALL) -> Option<HDRVCALL> {
        self.book().calls.iter().find(|(_, tapi)| **tapi == call).map(|(driver, _)| *driver)
    }

    /// From now on LINE_NEWCALL gets no handle.
    pub fn refuse_calls(self: &Arc<Self>) -> Refusal {
        self.refuse_calls.store(true, Ordering::SeqCst);
        Refusal(Arc::clone(self))
    }

    /// Stops expecting the completion of this request.
    pub fn forgive(&self, id: RequestId) {
        self.book().outstanding.remove(&id);
    }

    /// The violations so far, in words.
    pub fn wrong(&self) -> Vec<String> {
        let book = self.book();
        let broken = book.monitor.violations().iter().map(ToString::to_string);
        broken.chain(book.wrong.iter().cloned()).collect()
    }

    /// Checks everything once nothing is outstanding any more.
    ///
    /// # Panics
    /// If a rule was broken.
    pub fn judge(&self) {
        let mut wrong = self.wrong();
        let left = self.book().outstanding.clone();
        if !left.is_empty() {
            wrong.push(format!("C3: never completed: {left:?}"));
        }
        assert!(wrong.is_empty(), "{wrong:#?}\nseen: {:#?}", self.seen());
    }

    fn see(&self, seen: Seen) {
        let mut book = self.book();
        book.seen.push(seen);
        book.monitor.see(seen);
    }

    fn wrong_if(&self, is_wrong: bool, text: impl FnOnce() -> String) {
        if is_wrong {
            self.book().wrong.push(text());
        }
    }

    /// Notes that something was closed. A thread in an upcall of another card does not wait for
    /// upcalls of this card that are running, so that for it the close is not the end.
    fn closed(&self, seen: Option<Seen>) {
        let myself = std::ptr::from_ref(self);
        let ended = INSIDE.with_borrow(|inside| inside.is_empty() || inside.contains(&myself));
        if let Some(seen) = seen.filter(|_| ended) {
            self.see(seen);
        }
    }

    /// TAPI's handle of the line that a function is called for.
    fn line(&self, asked: &Asked<'_>) -> Option<HTAPILINE> {
        let handle = HDRVLINE::new(asked.word("line"))?;
        self.book().lines.get(&handle).copied()
    }

    /// TAPI's handle of the call that a function is called for.
    fn call(&self, asked: &Asked<'_>) -> Option<HTAPICALL> {
        let handle = HDRVCALL::new(asked.word("call"))?;
        self.book().calls.get(&handle).copied()
    }

    /// TAPI's handle of the line of the call that a function is called for. The handles of lines
    /// and calls have the line's number in their low byte.
    fn line_of_call(&self, asked: &Asked<'_>) -> Option<HTAPILINE> {
        let call = asked.word("call").max(asked.word("conf_call"));
        let book = self.book();
        let mut lines = book.lines.iter();
        lines.find(|(line, _)| line.raw() & 0xFF == call & 0xFF).map(|(_, line)| *line)
    }

    /// Wraps every upcall.
    fn upcall<R>(&self, pair: u64, what: &str, act: impl FnOnce() -> R) -> R {
        let busy = self.in_upcall.swap(true, Ordering::SeqCst);
        self.wrong_if(busy, || format!("C6: {what} while another upcall is under way"));
        INSIDE.with_borrow_mut(|inside| inside.push(self));
        let _inside = Inside(self);
        let here = thread::current().id();
        let reaper = *self.book().reaper.get_or_insert(here);
        self.wrong_if(reaper != here, || format!("{what} from another thread than the reaper"));
        let over = |book: &Book| book.down || book.pair != pair;
        let over = over(&self.book());
        self.wrong_if(over, || format!("D12: {what} after shutdown"));
        act()
    }

    /// Wraps init: `start` gets the number of the pair that it begins, and a reference that keeps
    /// the upward interface. An init that the provider refuses (D15) begins no pair.
    fn pair<R>(
        &self,
        start: impl FnOnce(u64, Arc<()>) -> Result<R, LineError>,
    ) -> Result<R, LineError> {
        let pair = {
            let mut book = self.book();
            book.pairs += 1;
            book.pairs
        };
        let kept = Arc::new(());
        let result = start(pair, Arc::clone(&kept));
        if result.is_ok() && Arc::strong_count(&kept) > 1 {
            self.book().begin(pair);
        }
        result
    }

    /// Notes that an asynchronous function is about to be called.
    fn asking(&self, id: RequestId) {
        let mut book = self.book();
        if !book.outstanding.insert(id) {
            book.wrong.push(format!("T3: {id} is outstanding already"));
        }
        book.returned.remove(&id);
    }

    /// Notes that the function has returned.
    fn asked(&self, id: RequestId, accepted: bool) {
        let mut book = self.book();
        if accepted {
            book.returned.insert(id);
        } else if !book.outstanding.remove(&id) {
            book.wrong.push(format!("R4: {id} was refused and completed"));
        }
    }
}

/// A provider with a witness.
pub type Watched = Layered<Watch>;

/// Puts the witness in front of the provider.
pub fn watched(provider: Arc<dyn Provider>, witness: Arc<Witness>) -> Watched {
    Layered::new(provider, Watch(witness))
}

struct WatchedTapi {
    tapi: Box<dyn Tapi>,
    witness: Arc<Witness>,
    pair: u64,
    _kept: Arc<()>,
}

impl Tapi for WatchedTapi {
    fn completion(&mut self, completion: &Completion) {
        let Completion { id, result, .. } = *completion;
        let witness = Arc::clone(&self.witness);
        witness.upcall(self.pair, "completion", || {
            let mut book = witness.book();
            book.completed += 1;
            if !book.outstanding.remove(&id) {
                book.wrong.push(format!("C3: completion of {id}, which is not outstanding"));
            }
            if !book.returned.contains(&id) {
                book.wrong.push(format!("G1: completion of {id} before its function returned"));
            }
            drop(book);
            witness.see(Seen::Completed { request: id, result });
            self.tapi.completion(completion);
        });
    }

    fn line_event(&mut self, event: &LineMessage) {
        let witness = Arc::clone(&self.witness);
        witness.upcall(self.pair, "event", || {
            let LineMessage { line, call, message, params: [param1, ..] } = *event;
            witness.see(Seen::Event { line, call, message, param1 });
            self.tapi.line_event(event);
        });
    }

    fn new_call(&mut self, line: HTAPILINE, driver_call: HDRVCALL) -> Option<HTAPICALL> {
        let witness = Arc::clone(&self.witness);
        witness.upcall(self.pair, "new call", || {
            let call = if witness.refuse_calls.load(Ordering::SeqCst) {
                None
            } else {
                self.tapi.new_call(line, driver_call)
            };
            witness.see(Seen::NewCall { line, driver_call, call });
            if let Some(call) = call {
                witness.book().calls.insert(driver_call, call);
            }
            call
        })
    }

    fn phone_event(&mut self, event: &PhoneMessage) {
        let witness = Arc::clone(&self.witness);
        witness.upcall(self.pair, "phone event", || self.tapi.phone_event(event));
    }
}

/// The parameters with TAPI's handles of the calls that a function makes beside another.
fn made_beside(asked: &Asked<'_>) -> &'static [&'static str] {
    if asked.is(&TSPI_lineSetupTransfer) || asked.is(&TSPI_linePrepareAddToConference) {
        &["consult_call"]
    } else if asked.is(&TSPI_lineSetupConference) {
        &["conf_call", "consult_call"]
    } else if asked.is(&TSPI_lineCompleteTransfer) {
        &["conf_call"]
    } else {
        &[]
    }
}

/// Whether a function of a line makes a call, with TAPI's handle in its parameter `call`.
fn makes_call(asked: &Asked<'_>) -> bool {
    [TSPI_lineMakeCall, TSPI_linePickup, TSPI_lineUnpark].iter().any(|one| asked.is(one))
}

/// The layer through which the witness sees the functions.
pub struct Watch(Arc<Witness>);

impl Layer for Watch {
    /// TAPI's handle of what is closed, and the pair that a shutdown ends.
    type Kept<'a> = (Option<Seen>, u64);

    fn before(&self, asked: &Asked<'_>) -> Step<(Option<Seen>, u64)> {
        let witness = &self.0;
        if makes_call(asked) {
            let tapi = witness.line(asked);
            if let (Some(line), Some(request)) = (tapi, asked.request())
                && let Some(call) = HTAPICALL::new(asked.word("call"))
            {
                witness.see(Seen::Making { request, line, call });
            }
        }
        if let (Some(line), Some(request)) = (witness.line_of_call(asked), asked.request()) {
            for call in
                made_beside(asked).iter().filter_map(|name| HTAPICALL::new(asked.word(name)))
            {
                witness.see(Seen::Making { request, line, call });
            }
        }
        if let Some(request) = asked.request() {
            witness.asking(request);
        }
        let closing = if asked.is(&TSPI_lineClose) {
            witness.line(asked).map(|line| Seen::LineClosed { line })
        } else if asked.is(&TSPI_lineCloseCall) {
            witness.call(asked).map(|call| Seen::CallClosed { call })
        } else {
            None
        };
        let pair = witness.book().pair;
        Step::Go((closing, pair))
    }

    fn after(&self, asked: &Asked<'_>, outcome: &Outcome, (closing, pair): (Option<Seen>, u64)) {
        let witness = &self.0;
        if let Some(function) = asked.function() {
            let strange = !outcome.is_ok() && !function.may_give(outcome.result);
            witness
                .wrong_if(strange, || format!("{asked} gave {:#x}, not its own", outcome.result));
        }
        if let Some(request) = asked.request() {
            witness.asked(request, outcome.is_ok());
            if let Some(error) = ErrorCode::new(outcome.result)
                && (makes_call(asked) || !made_beside(asked).is_empty())
            {
                witness.see(Seen::Completed { request, result: Err(error) });
            }
        }
        if asked.is(&TSPI_lineOpen)
            && let (Some(line), Some(handle)) =
                (HTAPILINE::new(asked.word("line")), HDRVLINE::new(outcome.word()))
        {
            witness.book().lines.insert(handle, line);
        }
        if makes_call(asked)
            && let (Some(call), Some(handle)) =
                (HTAPICALL::new(asked.word("call")), HDRVCALL::new(outcome.word()))
        {
            witness.book().calls.insert(handle, call);
        }
        for (name, handle) in made_beside(asked).iter().zip(&outcome.given) {
            let handle = match handle {
                Value::Word(word) => HDRVCALL::new(*word),
                _ => None,
            };
            if let (Some(call), Some(handle)) = (HTAPICALL::new(asked.word(name)), handle) {
                witness.book().calls.insert(handle, call);
            }
        }
        if outcome.is_ok() {
            witness.closed(closing);
        }
        if asked.is(&TSPI_providerShutdown) {
            // A close in an upcall, of another card as well, does not wait, and the rest follows
            // later.
            let waited = !witness.local && INSIDE.with_borrow(Vec::is_empty);
            let mut book = witness.book();
            book.down |= outcome.is_ok() && waited && book.pair == pair;
        }
    }

    fn init(
        &self,
        tapi: Box<dyn Tapi>,
        start: impl FnOnce(Box<dyn Tapi>) -> Result<(), LineError>,
    ) -> Result<(), LineError> {
        self.0.pair(|pair, _kept| {
            let witness = Arc::clone(&self.0);
            start(Box::new(WatchedTapi { tapi, witness, pair, _kept }))
        })
    }
}
