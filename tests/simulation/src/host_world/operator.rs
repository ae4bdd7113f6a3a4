//! The application of a host: what it opens, the calls that it knows, and what it does next.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringback_driver::Time;
use ringback_host::{
    Call, CallOptions, CloseError, Closed, Events, Line, LineEvent, LocalHost, Pending, WaitError,
};
use ringback_tspi::EvenPoisoned;
use ringback_tspi::callstate::CallState;
use ringback_tspi::error::LineError;

use crate::acts::{Act, Acts};
use crate::checker::Rule;
use crate::coverage::Coverage;
use crate::dice::Dice;
use crate::journal::{Journal, note};
use crate::scenario::Manner;

use super::phones::Phones;
use super::rules::{Gone, Rules};

/// The most calls that it keeps; more are forgotten, which hangs its own up.
const CALLS: usize = 12;
/// The most requests that it keeps.
const KEPT: usize = 8;
/// One in so many acts shuts the host down and starts it again.
const RESTARTS: u32 = 120;

/// A line with its events.
struct Place {
    device: u32,
    line: Line,
    events: Events<LineEvent>,
}

/// A request that it keeps, to look at it later.
enum Kept {
    Made(Pending<Call>),
    Done(Pending<()>),
}

/// The application.
pub(super) struct Operator {
    acts: Acts,
    reactions: Arc<Mutex<Acts>>,
    manner: Manner,
    journal: Journal,
    rules: Arc<Mutex<Rules>>,
    next: Time,
    places: Vec<Place>,
    calls: Arc<Mutex<Vec<Call>>>,
    kept: Vec<Kept>,
    phones: Phones,
    restart: bool,
}

impl Operator {
    pub(super) fn new(
        acts: Acts,
        reactions: Acts,
        manner: Manner,
        journal: Journal,
        rules: Arc<Mutex<Rules>>,
    ) -> Operator {
        let phones = Phones::new(journal.clone(), Arc::clone(&rules));
        Operator {
            acts,
            reactions: Arc::new(Mutex::new(reactions)),
            manner,
            journal,
            rules,
            next: Time::ZERO,
            places: Vec::new(),
            calls: Arc::default(),
            kept: Vec::new(),
            phones,
            restart: false,
        }
    }

    /// The acts that were carried out so far.
    pub(super) fn done(&self) -> impl Iterator<Item = Act> {
        let mut done = self.acts.done().to_vec();
        done.extend(self.reactions.lock().even_poisoned().done());
        done.into_iter()
    }

    /// Whether the host is to be shut down and started again now.
    pub(super) fn wants_restart(&mut self) -> bool {
        std::mem::take(&mut self.restart)
    }

    /// Does nothing any more.
    pub(super) fn quieten(&mut self) {
        self.next = Time::NEVER;
    }

    /// A host was started, or could not be.
    pub(super) fn started(&mut self, well: bool) {
        // In some worlds it tries again until it starts; in the others the host stays down.
        self.restart = !well && self.next != Time::NEVER && self.acts.pause().one_in(4);
    }

    /// The host is shut down: whatever the application has kept is of no use.
    pub(super) fn stopped(&mut self) {
        self.phones.stopped();
        for place in self.places.drain(..) {
            let closed = place.line.is_closed();
            if !closed {
                self.rules
                    .lock()
                    .even_poisoned()
                    .fail(Rule::D12, format!("line {} is open after the shutdown", place.device));
            }
        }
        self.calls.lock().even_poisoned().clear();
        for kept in self.kept.drain(..) {
            let left = match &kept {
                Kept::Made(pending) => over(pending.wait(Duration::ZERO)).is_none(),
                Kept::Done(pending) => over(pending.wait(Duration::ZERO)).is_none(),
            };
            if left {
                let text = "a request that is kept has no outcome after the shutdown";
                self.rules.lock().even_poisoned().fail(Rule::D12, text.to_owned());
            }
        }
    }

    /// Fetches events, and looks at the requests that are kept.
    pub(super) fn hear(&mut self, coverage: &mut Coverage) {
        for place in &self.places {
            while let Some(event) = place.events.try_next() {
                match &event {
                    LineEvent::NewCall { call, .. } => {
                        coverage.count("host: a call came in");
                        self.calls.lock().even_poisoned().push(call.clone());
                    }
                    LineEvent::State { state, .. } => {
                        coverage.count_owned(format!("host: state {state}"));
                    }
                    _ => {}
                }
            }
        }
        let kept = std::mem::take(&mut self.kept);
        for kept in kept {
            match kept {
                Kept::Made(pending) => match over(pending.wait(Duration::ZERO)) {
                    None => self.kept.push(Kept::Made(pending)),
                    Some(Ok(call)) => self.calls.lock().even_poisoned().push(call),
                    Some(Err(_)) => {}
                },
                Kept::Done(pending) => {
                    if over(pending.wait(Duration::ZERO)).is_none() {
                        self.kept.push(Kept::Done(pending));
                    }
                }
            }
        }
        let mut calls = self.calls.lock().even_poisoned();
        let surplus = calls.len().saturating_sub(CALLS);
        let forgotten: Vec<Call> = calls.drain(..surplus).collect();
        drop(calls);
        drop(forgotten);
        self.phones.hear(coverage);
    }

    /// Does something, if it is time.
    pub(super) fn act(&mut self, host: &LocalHost, now: Time, coverage: &mut Coverage) {
        if now < self.next {
            return;
        }
        self.next = now + self.acts.pause().mostly_short_ms(1, self.manner.pause_ms);
        let Some(mut dice) = self.acts.next() else { return };
        if dice.one_in(RESTARTS) {
            self.restart = true;
            return;
        }
        if dice.one_in(5) {
            return self.phones.act(host, &mut dice, coverage);
        }
        let lines = host.lines().len();
        if lines == 0 {
            return;
        }
        let device = dice.index(lines) as u32;
        if self.place(device).is_none() || dice.one_in(40) {
            return self.open(host, device);
        }
        match dice.below(20) {
            0..=3 => self.make_call(device, &mut dice, coverage),
            4 => self.close_line(device, coverage),
            5..=7 => self.on_call(&mut dice, coverage, Ask::Answer),
            8..=10 => self.on_call(&mut dice, coverage, Ask::Drop),
            11 => {
                let number = dice.pick(&self.manner.numbers).unwrap_or_default();
                self.on_call(&mut dice, coverage, Ask::Dial(number));
            }
            12..=13 => self.close_call(&mut dice, coverage),
            14 => self.forget_call(&mut dice),
            15 => self.cancel(&mut dice, coverage),
            16 => self.ask_about(device, &mut dice),
            17 => self.digits(&mut dice),
            _ => self.sensible(&mut dice, coverage),
        }
    }

    fn place(&self, device: u32) -> Option<&Place> {
        self.places.iter().find(|place| place.device == device)
    }

    fn a_call(&self, dice: &mut Dice) -> Option<Call> {
        dice.pick(&self.calls.lock().even_poisoned())
    }

    fn fail(&self, rule: Rule, text: String) {
        self.rules.lock().even_poisoned().fail(rule, text);
    }

    fn open(&mut self, host: &LocalHost, device: u32) {
        // LINE_CLOSE closes a line also (D13), and the card that is gone can't be opened again.
        self.places.retain(|place| place.device != device || !place.line.is_closed());
        // Perhaps another application has it open.
        let is_open = self.rules.lock().even_poisoned().is_open(Gone::Line(device));
        match host.open(device) {
            Ok(line) => {
                note!(self.journal, "app  line {device} is opened");
                self.rules.lock().even_poisoned().opened(Gone::Line(device));
                let events = line.events();
                self.places.push(Place { device, line, events });
            }
            Err(error) => {
                note!(self.journal, "app  line {device} does not open: {error}");
                if is_open && error != LineError::ALLOCATED {
                    self.fail(Rule::OneCall, format!("line {device} is open, and got {error}"));
                }
            }
        }
    }

    fn close_line(&mut self, device: u32, coverage: &mut Coverage) {
        let Some(at) = self.places.iter().position(|place| place.device == device) else { return };
        let place = self.places.remove(at);
        let closed = place.line.close();
        note!(self.journal, "app  line {device} is closed: {closed:?}");
        coverage.count_owned(format!("host: line closed {closed:?}"));
        self.note_closed(Gone::Line(device), closed);
    }

    /// A close may only fail if its line has ended by itself.
    fn note_closed(&self, gone: Gone, closed: Result<Closed, CloseError>) {
        self.rules.lock().even_poisoned().closed(gone, closed == Ok(Closed::Now));
    }

    fn make_call(&mut self, device: u32, dice: &mut Dice, coverage: &mut Coverage) {
        let number = dice.pick(&self.manner.numbers).unwrap_or_default();
        let number = dice.pick(&[number, String::new(), "9@".into()]).unwrap_or_default();
        let Some(place) = self.place(device) else { return };
        let options = CallOptions::default();
        let made = if dice.one_in(3) {
            let reservation = place.line.reserve();
            if dice.one_in(5) {
                // An id that is not used is free again.
                return drop(reservation);
            }
            reservation.make_call(&number, &options)
        } else {
            place.line.make_call(&number, &options)
        };
        let Ok(pending) = made else { return };
        coverage.count("host: a call is made");
        match dice.below(9) {
            8 => {
                self.keep(Kept::Made(pending));
                self.close_line(device, coverage);
            }
            0 => {
                // Gives it up.
                drop(pending);
            }
            1 => pending.release(),
            2 => {
                coverage.count("host: cancelled");
                pending.cancel();
                self.keep(Kept::Made(pending));
            }
            3..=5 => self.keep(Kept::Made(pending)),
            _ => {
                let (calls, rules) = (Arc::clone(&self.calls), Arc::clone(&self.rules));
                let reactions = Arc::clone(&self.reactions);
                rules.lock().even_poisoned().owe_callback();
                pending.on_complete(move |made| {
                    rules.lock().even_poisoned().callback();
                    let Ok(call) = made else { return };
                    let dice = reactions.lock().even_poisoned().next();
                    react(&call, dice, &rules);
                    calls.lock().even_poisoned().push(call);
                });
            }
        }
    }

    fn keep(&mut self, kept: Kept) {
        self.kept.push(kept);
        if self.kept.len() > KEPT {
            // The request continues, and its result is dropped.
            self.kept.remove(0);
        }
    }

    fn on_call(&mut self, dice: &mut Dice, coverage: &mut Coverage, what: Ask) {
        let Some(call) = self.a_call(dice) else { return };
        let asked = what.of(&call);
        let Ok(pending) = asked else { return };
        coverage.count("host: asked of a call");
        match dice.below(4) {
            0 => drop(pending),
            1 => self.keep(Kept::Done(pending)),
            _ => {
                let rules = Arc::clone(&self.rules);
                rules.lock().even_poisoned().owe_callback();
                let reactions = Arc::clone(&self.reactions);
                pending.on_complete(move |_| {
                    rules.lock().even_poisoned().callback();
                    let dice = reactions.lock().even_poisoned().next();
                    react(&call, dice, &rules);
                });
            }
        }
    }

    /// Does what fits the state of a call.
    fn sensible(&mut self, dice: &mut Dice, coverage: &mut Coverage) {
        let Some(call) = self.a_call(dice) else { return };
        let what = match call.state() {
            Some(CallState::Offering) => Ask::Answer,
            Some(CallState::DialTone) => {
                Ask::Dial(dice.pick(&self.manner.numbers).unwrap_or_default())
            }
            _ => Ask::Drop,
        };
        if let Ok(pending) = what.of(&call) {
            coverage.count("host: asked of a call");
            self.keep(Kept::Done(pending));
        }
    }

    fn close_call(&mut self, dice: &mut Dice, coverage: &mut Coverage) {
        let mut calls = self.calls.lock().even_poisoned();
        if calls.is_empty() {
            return;
        }
        let at = dice.index(calls.len());
        let call = calls.remove(at);
        drop(calls);
        let closed = call.close();
        note!(self.journal, "app  {} is closed: {closed:?}", call.handle());
        coverage.count_owned(format!("host: call closed {closed:?}"));
        self.note_closed(Gone::Call(call.handle()), closed);
    }

    fn forget_call(&mut self, dice: &mut Dice) {
        let mut calls = self.calls.lock().even_poisoned();
        let forgotten = if calls.is_empty() { None } else { Some(dice.index(calls.len())) };
        let forgotten = forgotten.map(|at| calls.remove(at));
        drop(calls);
        if let Some(call) = &forgotten {
            note!(self.journal, "app  {} is forgotten", call.handle());
        }
    }

    fn cancel(&mut self, dice: &mut Dice, coverage: &mut Coverage) {
        if self.kept.is_empty() {
            return;
        }
        coverage.count("host: cancelled");
        let at = dice.index(self.kept.len());
        match &self.kept[at] {
            Kept::Made(pending) => pending.cancel(),
            Kept::Done(pending) => pending.cancel(),
        };
    }

    /// Asks for what is known. Whatever is answered, it is about something that is open.
    fn ask_about(&self, device: u32, dice: &mut Dice) {
        if let Some(place) = self.place(device)
            && let Err(error) = place.line.status()
        {
            note!(self.journal, "app  line {device} has no status: {error}");
        }
        if let Some(call) = self.a_call(dice)
            && let (Ok(info), Ok(status)) = (call.info(), call.status())
        {
            note!(self.journal, "app  {}: {info:?}, {status:?}", call.handle());
        }
    }

    fn digits(&self, dice: &mut Dice) {
        let Some(call) = self.a_call(dice) else { return };
        // Which states allow it is the provider's to say.
        let _ = match dice.below(4) {
            0 => call.monitor_digits(true),
            1 => call.monitor_digits(false),
            2 => call.generate_digits("12,3", 0).map(drop),
            _ => call.cancel_digits(),
        };
    }
}

/// A request of a call.
enum Ask {
    Answer,
    Drop,
    Dial(String),
}

impl Ask {
    fn of(&self, call: &Call) -> Result<Pending<()>, LineError> {
        match self {
            Ask::Answer => call.answer(),
            Ask::Drop => call.drop_call(),
            Ask::Dial(number) => call.dial(number),
        }
    }
}

/// What the application does in a callback about a call.
fn react(call: &Call, dice: Option<Dice>, rules: &Mutex<Rules>) {
    let Some(mut dice) = dice else { return };
    match dice.below(8) {
        0 => {
            // Its outcome is of no interest.
            if let Ok(pending) = call.drop_call() {
                pending.release();
            }
        }
        1 => {
            let closed = call.close();
            rules
                .lock()
                .even_poisoned()
                .closed(Gone::Call(call.handle()), closed == Ok(Closed::Now));
        }
        2 => {
            let Ok(pending) = call.drop_call() else { return };
            if pending.wait(Duration::from_secs(3600)) == Err(WaitError::TimedOut) {
                let text = "a callback has waited for a request".to_owned();
                rules.lock().even_poisoned().fail(Rule::C6, text);
            }
        }
        _ => {}
    }
}

/// The outcome of a request; `None` if it has none yet, which this thread can't wait for.
pub(super) fn over<T, E>(waited: Result<T, WaitError<E>>) -> Option<Result<T, E>> {
    match waited {
        Ok(value) => Some(Ok(value)),
        Err(WaitError::Failed(error)) => Some(Err(error)),
        Err(_) => None,
    }
}
