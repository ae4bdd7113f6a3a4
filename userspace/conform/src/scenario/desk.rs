//! TAPI's side: the handles and ids that it has given out, and the upcalls that it has received.
//!
//! Upcalls come on any thread of the provider's. The desk records them, behaves as its [`Habit`]
//! says, and wakes the scenario.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, Weak};
use std::thread;
use std::time::{Duration, Instant};

use ringback_request::sync::EvenPoisoned;
use ringback_tspi::constants::{
    LINE_CALLSTATE, LINE_CLOSE, LINE_GATHERDIGITS, LINE_GENERATE, LINE_REMOVE, LINECALLSTATE_IDLE,
};
use ringback_tspi::functions::{TSPI_lineGetCallInfo, TSPI_lineGetCallStatus};

use super::Subject;
use super::arguments::{filled, handle};

/// What TAPI does in upcalls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// It records the upcall and returns.
    Plain,
    /// It takes 15 ms for each upcall.
    Sleeps,
    /// It takes a lock that it also holds while it calls functions.
    HoldsLock,
    /// It calls functions of the provider, but not from inside the completion procedure (C8).
    CallsBack,
    /// It has no handle for new calls (N15).
    NoRoom,
    /// Inside a completion it waits until its id was used again, by another thread (T4).
    Reuses,
    /// It calls several functions at once although the provider has asked it not to by
    /// LINETSPIOPTION_NONREENTRANT. TAPI itself never does (G9); other hosts may.
    Unserialised,
}

/// How long an upcall of a slow TAPI takes.
const SLOW: Duration = Duration::from_millis(15);
/// How long an upcall waits for the lock or for an id to be used again.
const HELD: Duration = Duration::from_millis(200);

/// A call, as TAPI knows it.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownCall {
    /// The provider's handle; 0 until it is given.
    pub driver: u64,
    pub line: u64,
    pub states: Vec<u32>,
    pub is_dropped: bool,
    pub is_closed: bool,
}

impl KnownCall {
    pub fn was(&self, state: u32) -> bool {
        self.states.contains(&state)
    }
}

/// TAPI's records of handles, calls, requests and upcalls.
#[derive(Debug, Default)]
pub(super) struct State {
    next_id: u32,
    next_handle: u64,
    /// Requests that were accepted and are not complete.
    pub outstanding: HashSet<u32>,
    /// The results of completions that the scenario has not taken yet.
    pub completed: HashMap<u32, VecDeque<i32>>,
    pub calls: BTreeMap<u64, KnownCall>,
    /// Calls that the provider announced, oldest first.
    pub announced: VecDeque<u64>,
    /// Generating and gathering that was started and whose end was not reported.
    pub unended: HashMap<(u32, u32), u64>,
    /// Lines that the provider has closed.
    pub closed_lines: HashSet<u64>,
    pub removed: usize,
    /// Ids whose completion is being delivered.
    pub telling: Vec<u32>,
    pub reused: bool,
    heard: Option<Instant>,
    busy: usize,
}

/// TAPI's side of one provider.
pub struct Desk {
    habit: Habit,
    state: Mutex<State>,
    changed: Condvar,
    subject: OnceLock<Weak<dyn Subject>>,
    /// TAPI's own lock.
    own: Mutex<()>,
}

impl Desk {
    /// A desk at which nothing has happened.
    pub fn new(habit: Habit) -> Desk {
        Desk {
            habit,
            state: Mutex::default(),
            changed: Condvar::new(),
            subject: OnceLock::new(),
            own: Mutex::new(()),
        }
    }

    /// Sets the provider whose upcalls the desk gets, so that the desk can call it.
    pub fn serve(&self, subject: &Arc<dyn Subject>) {
        // A second one would be the same.
        let _ = self.subject.set(Arc::downgrade(subject));
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().even_poisoned()
    }

    /// TAPI's lock, while it calls an asynchronous function.
    pub(super) fn own_lock(&self) -> Option<MutexGuard<'_, ()>> {
        let holds = self.habit == Habit::HoldsLock;
        holds.then(|| self.own.lock().even_poisoned())
    }

    pub(super) fn reuses(&self) -> bool {
        self.habit == Habit::Reuses
    }

    /// Waits until there is something, at most so long.
    pub(super) fn wait<T>(
        &self,
        limit: Duration,
        mut what: impl FnMut(&mut State) -> Option<T>,
    ) -> Option<T> {
        let until = Instant::now() + limit;
        let mut state = self.state();
        loop {
            if let Some(found) = what(&mut state) {
                return Some(found);
            }
            let left = until.checked_duration_since(Instant::now())?;
            let waited = self.changed.wait_timeout(state, left);
            state = waited.even_poisoned().0;
        }
    }

    /// Waits until nothing is outstanding and nothing has come for `settled`, for at most
    /// `patience`.
    pub(super) fn wait_quiet(&self, patience: Duration, settled: Duration) {
        let until = Instant::now() + patience;
        loop {
            let owed = {
                let state = self.state();
                state.owes()
                    || state.busy > 0
                    || state.heard.is_some_and(|heard| heard.elapsed() < settled)
            };
            if !owed || Instant::now() > until {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn told(&self, note: impl FnOnce(&mut State)) {
        let mut state = self.state();
        note(&mut state);
        state.heard = Some(Instant::now());
        state.busy += 1;
        drop(state);
        self.changed.notify_all();
    }

    /// Does what the habit requires in every upcall, as its last part.
    fn indulge(&self) {
        match self.habit {
            Habit::Sleeps => thread::sleep(SLOW),
            Habit::HoldsLock => {
                let until = Instant::now() + HELD;
                while self.own.try_lock().is_err() && Instant::now() < until {
                    thread::sleep(Duration::from_millis(1));
                }
            }
            _ => {}
        }
        let mut state = self.state();
        state.busy -= 1;
        state.heard = Some(Instant::now());
    }

    /// ASYNC_COMPLETION.
    pub fn completion(&self, request: u32, result: i32) {
        self.told(|state| {
            state.outstanding.remove(&request);
            state.completed.entry(request).or_default().push_back(result);
            state.telling.push(request);
        });
        if self.habit == Habit::Reuses {
            self.wait(HELD, |state| std::mem::take(&mut state.reused).then_some(()));
        }
        self.state().telling.retain(|id| *id != request);
        self.indulge();
    }

    /// LINEEVENT with LINE_NEWCALL; TAPI's handle of the call.
    pub fn new_call(&self, line: u64, driver: u64) -> Option<u64> {
        let mut made = None;
        self.told(|state| {
            if self.habit != Habit::NoRoom {
                let call = state.new_handle();
                let known = KnownCall { driver, line, ..KnownCall::default() };
                state.calls.insert(call, known);
                state.announced.push_back(call);
                made = Some(call);
            } else {
                state.announced.push_back(0);
            }
        });
        if self.habit == Habit::CallsBack && driver != 0 {
            self.look_at(driver);
        }
        self.indulge();
        made
    }

    /// Any other LINEEVENT.
    pub fn line_event(&self, line: u64, call: u64, message: u32, params: [u64; 3]) {
        self.told(|state| match message {
            LINE_CALLSTATE => {
                if let Some(known) = state.calls.get_mut(&call) {
                    known.states.push(params[0] as u32);
                }
            }
            LINE_GENERATE | LINE_GATHERDIGITS => {
                state.unended.remove(&(message, params[1] as u32));
            }
            LINE_CLOSE => {
                state.closed_lines.insert(line);
            }
            LINE_REMOVE => state.removed += 1,
            _ => {}
        });
        if self.habit == Habit::CallsBack && message == LINE_CALLSTATE {
            let driver = self.state().calls.get(&call).filter(|c| !c.is_closed).map(|c| c.driver);
            if let Some(driver) = driver.filter(|driver| *driver != 0) {
                self.look_at(driver);
            }
        }
        self.indulge();
    }

    /// PHONEEVENT.
    pub fn phone_event(&self, _: u64, _: u32, _: [u64; 3]) {
        self.told(|_| ());
        self.indulge();
    }

    /// Asks about a call.
    fn look_at(&self, driver: u64) {
        let Some(subject) = self.subject.get().and_then(Weak::upgrade) else { return };
        for (function, name) in
            [(&TSPI_lineGetCallStatus, "status"), (&TSPI_lineGetCallInfo, "info")]
        {
            let parameter = function.parameters.iter().find(|p| p.name == name);
            let kind = parameter.map_or("", |p| p.c[0].kind);
            let arguments = BTreeMap::from([
                ("call".to_owned(), handle("HDRVCALL", driver)),
                (name.to_owned(), filled(kind, 400)),
            ]);
            subject.call(function, arguments);
        }
    }
}

impl State {
    /// A handle of TAPI's.
    pub fn new_handle(&mut self) -> u64 {
        self.next_handle += 1;
        // A number that a provider can't mistake for an address or an index of its own.
        0x7A00_0000 + self.next_handle * 0x10
    }

    /// An id that no outstanding request has.
    pub fn new_id(&mut self) -> u32 {
        loop {
            self.next_id = if self.next_id >= 0x7FFF_FFFF { 1 } else { self.next_id + 1 };
            if !self.outstanding.contains(&self.next_id) && !self.telling.contains(&self.next_id) {
                return self.next_id;
            }
        }
    }

    /// Makes this the next id, if it is free.
    pub fn next_is(&mut self, id: u32) {
        self.next_id = id - 1;
    }

    /// Whether a completion or the end of generating or gathering is outstanding.
    fn owes(&self) -> bool {
        let idle = |call: &KnownCall| call.was(LINECALLSTATE_IDLE) || call.is_closed;
        !self.outstanding.is_empty()
            || self.calls.values().any(|call| call.is_dropped && !idle(call))
            || self.unended.values().any(|call| self.calls.get(call).is_some_and(|c| !c.is_closed))
    }
}
