//! Records what has passed: requests, lines, calls, and TAPI's callbacks.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

use ringback_tspi::EvenPoisoned;
use ringback_tspi::ffi::{AsyncCompletion, LineEvent, PhoneEvent};
use ringback_tspi::functions::{Function, TSPI_lineClose, TSPI_lineMakeCall, TSPI_lineOpen};

use crate::word;

/// A request that is not complete.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub function: &'static Function,
    pub words: Vec<usize>,
}

impl Request {
    pub fn is(&self, function: &Function) -> bool {
        self.function.name == function.name
    }

    pub fn word(&self, name: &str) -> usize {
        word(self.function, &self.words, name)
    }
}

#[derive(Default)]
pub(crate) struct Facts {
    pub completion: Option<AsyncCompletion>,
    pub created: Option<LineEvent>,
    pub phone: Option<PhoneEvent>,
    pub is_open: bool,
    /// TAPI's handle of each line, by the provider's handle; and the event procedure, by TAPI's
    /// handle.
    pub lines: HashMap<usize, usize>,
    pub procedures: HashMap<usize, LineEvent>,
    pub requests: HashMap<u32, Request>,
    /// TAPI's handle of each call that was made, by the provider's, and its line and state.
    pub calls: HashMap<usize, usize>,
    pub line_of_call: HashMap<usize, usize>,
    pub states: HashMap<usize, u32>,
    pub announced: HashSet<usize>,
    /// The call that is being announced.
    pub announcing: usize,
    /// Calls that could not be made.
    pub failed: HashSet<usize>,
    /// Completions that are held back.
    pub held: Vec<(u32, i32)>,
    /// Ids whose completion is being delivered, or is not to be delivered.
    pub telling: HashSet<u32>,
    pub unwanted: HashSet<u32>,
    /// The closing functions that are running.
    pub closing: Vec<&'static str>,
    /// The address of an input that was passed to a function, to be read after its return.
    pub kept: usize,
}

#[derive(Default)]
pub(crate) struct Books(Mutex<Facts>);

impl Books {
    pub fn lock(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().even_poisoned()
    }

    pub fn called(&self, function: &'static Function, words: &[usize]) {
        if function.is_async() {
            let request = Request { function, words: words.to_vec() };
            self.lock().requests.insert(words[0] as u32, request);
        }
    }

    /// Notes that a closing function is called.
    pub fn closes(&self, name: &'static str) {
        self.lock().closing.push(name);
    }

    /// Notes that it has returned.
    pub fn closed(&self, name: &'static str) {
        let mut facts = self.lock();
        if let Some(place) = facts.closing.iter().rposition(|running| *running == name) {
            facts.closing.remove(place);
        }
    }

    pub fn returned(&self, function: &'static Function, words: &[usize], result: i32) {
        let mut facts = self.lock();
        if result < 0 && function.is_async() {
            facts.requests.remove(&(words[0] as u32));
        }
        if function.name == TSPI_lineClose.name && result == 0 {
            let line = facts.lines.get(&word(function, words, "hdLine")).copied();
            facts.procedures.remove(&line.unwrap_or(0));
        }
        let placed = |name: &str| {
            let at = std::ptr::with_exposed_provenance::<usize>(word(function, words, name));
            // SAFETY: the function has succeeded, so it has written its handle there.
            unsafe { at.read_unaligned() }
        };
        if function.name == TSPI_lineOpen.name && result == 0 {
            facts.lines.insert(placed("lphdLine"), word(function, words, "htLine"));
        }
        if function.name == TSPI_lineMakeCall.name && result > 0 {
            let call = word(function, words, "htCall");
            let line = facts.lines.get(&word(function, words, "hdLine")).copied().unwrap_or(0);
            let driver = placed("lphdCall");
            facts.calls.insert(driver, call);
            facts.line_of_call.insert(call, line);
            facts.failed.remove(&driver);
            facts.states.remove(&call);
        }
    }
}

impl Facts {
    /// Whether this closing function is running.
    pub fn is_in(&self, function: &Function) -> bool {
        self.closing.contains(&function.name)
    }

    /// A line that was opened, as TAPI names it.
    pub fn any_line(&self) -> usize {
        self.procedures.keys().copied().next().unwrap_or(0)
    }
}
