//! The model application: it asks for anything at any time, and reacts to upcalls.
//!
//! Most of what it does makes sense, so that calls make progress; some of it does not: unknown,
//! dead and late handles, wrong states, odd dial strings, ids that are used again at once. It also
//! acts from inside upcalls.

mod asking;
mod choosing;
mod numbers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use ringback_driver::card::ModuleKind;
use ringback_driver::reactor::{Handle, Ticket, Upcalls};
use ringback_driver::request::{Completion, LineNumber, RequestId};
use ringback_driver::{PortNumber, Time};
use ringback_lines::{CallHandles, Event, LineEngine, Subject};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::types::{HDRVCALL, HTAPILINE};

use crate::acts::{Act, Actor, Acts};
use crate::callers::Callers;
use crate::checker::{Checker, Rule};
use crate::coverage::Coverage;
use crate::dice::Dice;
use crate::journal::{Journal, note};
use crate::sabotage::{Saboteur, Told};
use crate::scenario::Manner;

/// The number of handles that are remembered, to be used long after their calls have ended.
const REMEMBERED: usize = 24;

/// Something the application has decided to do later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    Answer(HDRVCALL),
    Drop(HDRVCALL),
    Close(HDRVCALL),
    Open(usize),
}

struct Held {
    id: RequestId,
    until: Time,
    /// `None` if sabotage has released the ticket already.
    ticket: Option<Ticket>,
}

/// How the application has ended a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndedBy {
    /// It closed the call or the line.
    Close,
    /// It dropped the call.
    Drop,
}

/// The application, with its checker.
pub(crate) struct Application<E: LineEngine> {
    pub(crate) checker: Checker,
    pub(crate) coverage: Coverage,
    pub(crate) saboteur: Saboteur,
    journal: Journal,
    acts: Acts,
    reactions: Acts,
    /// The random numbers of the act that is carried out.
    dice: Dice,
    manner: Manner,
    handle: Option<Handle<E>>,
    handles: Arc<CallHandles>,
    kinds: Vec<ModuleKind>,
    /// The LINEMEDIAMODE_ of the calls that it makes.
    media: u32,
    /// Who calls, if the lines are those of ports, with the ports.
    callers: Option<(Arc<Mutex<Callers>>, Vec<PortNumber>)>,
    /// Handles of calls, the newest last.
    calls: Vec<HDRVCALL>,
    tickets: Vec<Held>,
    plans: BTreeMap<(Time, u32), (Plan, Dice)>,
    planned: u32,
    acts_next: Time,
    opened: usize,
    generations: u32,
    /// Whether the application has stopped acting by itself.
    quiet: bool,
    /// The requests that it has just ended, and how.
    ended: BTreeMap<RequestId, EndedBy>,
}

impl<E: LineEngine> Application<E> {
    pub(crate) fn new(
        acts: impl Fn(Actor) -> Acts,
        manner: Manner,
        journal: Journal,
        handles: Arc<CallHandles>,
        kinds: Vec<ModuleKind>,
        media: u32,
        saboteur: Saboteur,
    ) -> Application<E> {
        Application {
            checker: Checker::new(kinds.len()),
            coverage: Coverage::default(),
            saboteur,
            journal,
            acts: acts(Actor::Application),
            reactions: acts(Actor::Reaction),
            dice: Dice::new(0),
            manner,
            handle: None,
            handles,
            kinds,
            media,
            callers: None,
            calls: Vec::new(),
            tickets: Vec::new(),
            plans: BTreeMap::new(),
            planned: 0,
            acts_next: Time::ZERO,
            opened: 0,
            generations: 0,
            quiet: false,
            ended: BTreeMap::new(),
        }
    }

    /// Gives the application access to the card.
    pub(crate) fn connect(&mut self, handle: Handle<E>) {
        self.handle = Some(handle);
    }

    /// Has calls on FXS lines say who calls.
    pub(crate) fn name_callers(&mut self, callers: Arc<Mutex<Callers>>, ports: Vec<PortNumber>) {
        self.callers = Some((callers, ports));
    }

    pub(crate) fn kinds(&self) -> &[ModuleKind] {
        &self.kinds
    }

    fn now(&self) -> Time {
        self.handle.as_ref().map_or(Time::ZERO, Handle::now)
    }

    fn plan(&mut self, plan: Plan, from_ms: u64, to_ms: u64) {
        let at = self.now() + self.dice.ms(from_ms, to_ms);
        self.planned += 1;
        let dice = self.dice.fork();
        self.plans.insert((at, self.planned), (plan, dice));
    }

    /// Stops acting by itself.
    pub(crate) fn quieten(&mut self) {
        self.quiet = true;
        self.dice = Dice::new(0);
    }

    /// The acts that were carried out so far.
    pub(crate) fn done(&self) -> impl Iterator<Item = Act> {
        self.acts.done().iter().chain(self.reactions.done()).copied()
    }

    /// One step of the world: releases tickets, carries out plans, and does something new.
    pub(crate) fn act(&mut self) {
        let now = self.now();
        while let Some(place) = self.tickets.iter().position(|held| held.until <= now) {
            let held = self.tickets.remove(place);
            self.release(held);
        }
        for told in self.saboteur.due(now) {
            self.take(told);
        }
        if self.quiet {
            return;
        }
        while let Some(due) = self.plans.first_entry()
            && due.key().0 <= now
        {
            let (plan, dice) = due.remove();
            self.dice = dice;
            self.carry_out(plan);
        }
        if now >= self.acts_next {
            self.acts_next = now + self.acts.pause().mostly_short_ms(1, self.manner.pause_ms);
            if let Some(dice) = self.acts.next() {
                self.dice = dice;
                self.do_something();
            }
        }
    }

    fn carry_out(&mut self, plan: Plan) {
        match plan {
            Plan::Answer(call) => self.answer(call),
            Plan::Drop(call) => self.drop_call(call),
            Plan::Close(call) => self.close_call(call),
            Plan::Open(line) => self.open(line),
        }
    }

    fn release(&mut self, held: Held) {
        note!(self.journal, "app  releases {}", held.id);
        self.checker.released(held.id);
        let now = self.now();
        self.saboteur.released(held.id, now);
        if let Some(ticket) = held.ticket {
            ticket.release();
        }
    }

    /// Releases every ticket.
    pub(crate) fn release_all(&mut self) {
        for held in std::mem::take(&mut self.tickets) {
            self.release(held);
        }
    }

    /// The outstanding requests that still run. `None` if the engine does not answer any more.
    pub(crate) fn running(&self) -> Option<BTreeSet<RequestId>> {
        let outstanding: Vec<_> = self.checker.outstanding().collect();
        if outstanding.is_empty() {
            return Some(BTreeSet::new());
        }
        let running = self.handle.as_ref()?.with(move |_, cx| {
            let runs = |(id, token): &(RequestId, _)| cx.is_running(*token).then_some(*id);
            outstanding.iter().filter_map(runs).collect()
        });
        running.ok()
    }

    /// Checks what holds when everything deliverable has been delivered; `over` once the reactor
    /// was stopped, and `nested` if upcalls have nested.
    pub(crate) fn check_delivered(&mut self, over: bool, nested: bool) {
        let running = self.running();
        if running.is_none() && !over {
            self.engine_gone();
        }
        let (now, running) = (self.now(), running.unwrap_or_default());
        self.checker.delivered(&running);
        self.checker.step(now, &running);
        if nested {
            let text = "an upcall came inside another, or failed in the simulation itself";
            self.checker.fail(Rule::C6, text.into());
        }
    }

    fn is_modem(&self) -> bool {
        self.media == LINEMEDIAMODE_DATAMODEM
    }

    // Upcalls

    fn told(&mut self, told: Told) {
        let (held, ended) = match &told {
            Told::Completed(completion) => (
                self.tickets.iter().any(|held| held.id == completion.id),
                self.ended.remove(&completion.id),
            ),
            Told::Event(..) => (false, None),
        };
        let now = self.now();
        for told in self.saboteur.pass(told, held, ended, now) {
            self.take(told);
        }
    }

    /// Notes that everything deliverable has been delivered. Returns `true` if the saboteur had
    /// kept something back, to which the application may have reacted with a new request.
    pub(crate) fn delivered(&mut self) -> bool {
        let Some(kept) = self.saboteur.delivered() else { return false };
        self.take(kept);
        true
    }

    fn take(&mut self, told: Told) {
        match told {
            Told::Completed(completion) => self.completed(&completion),
            Told::Event(line, event) => self.event(LineNumber::at(line), &event),
        }
    }

    fn completed(&mut self, completion: &Completion) {
        let Completion { id, result, .. } = *completion;
        note!(self.journal, "     completed {id} {}", numbers::result(result));
        self.coverage.count(if result.is_ok() { "completed 0" } else { "completed with an error" });
        self.checker.completed(completion, self.now());
        self.react(None);
    }

    fn event(&mut self, line: LineNumber, event: &Event) {
        note!(self.journal, "     line {line} {}", numbers::event(event));
        self.checker.event(line, event);
        let Event::Line { subject, .. } = *event else { return };
        let mut reached = None;
        match subject {
            Subject::NewCall(call) => {
                self.coverage.count("a call came in");
                self.remember(call);
            }
            Subject::Call { call, message: LINE_CALLSTATE, params: [state, mode, _] } => {
                if let Some(state) = u32::try_from(state).ok().and_then(CallState::from_raw) {
                    self.coverage.count_owned(format!("state {state} mode {mode}"));
                    self.coverage.count_owned(format!("state {state}"));
                    reached = Some((call, state));
                }
            }
            Subject::Call { message, .. } | Subject::Line { message, .. } => {
                let name = line_message_name(message).unwrap_or("?");
                self.coverage.count_owned(format!("message {name}"));
            }
        }
        self.react(reached);
    }

    /// Reacts to an upcall, which may have brought a call into a state. Sometimes it acts before
    /// the upcall has returned.
    fn react(&mut self, reached: Option<(HDRVCALL, CallState)>) {
        if self.quiet {
            return;
        }
        // An upcall may come in an act, which goes on afterwards.
        let Some(dice) = self.reactions.next() else { return };
        let before = std::mem::replace(&mut self.dice, dice);
        if let Some((call, state)) = reached {
            self.plan_for(call, state);
        }
        if self.dice.percent(self.manner.inside) {
            self.coverage.count("acted inside an upcall");
            self.do_something();
        }
        self.dice = before;
    }

    fn plan_for(&mut self, call: HDRVCALL, state: CallState) {
        match state {
            CallState::Offering if self.dice.percent(60) => {
                self.plan(Plan::Answer(call), 0, 6000);
            }
            CallState::Offering if self.dice.percent(40) => self.plan(Plan::Drop(call), 0, 9000),
            CallState::Disconnected | CallState::Busy | CallState::SpecialInfo
                if self.dice.percent(85) =>
            {
                self.plan(Plan::Drop(call), 0, 3000);
            }
            CallState::Connected if self.dice.percent(60) => {
                self.plan(Plan::Drop(call), 200, 8000);
            }
            CallState::Idle if self.dice.percent(85) => self.plan(Plan::Close(call), 0, 2000),
            _ => {}
        }
    }

    fn remember(&mut self, call: HDRVCALL) {
        if self.calls.len() == REMEMBERED {
            self.calls.remove(0);
        }
        self.calls.push(call);
    }

    fn next_tapi(&mut self) -> Option<HTAPILINE> {
        self.opened += 1;
        HTAPILINE::new(self.opened)
    }
}

/// The upcalls of the reactor. They lock the application.
pub(crate) struct Ear<E: LineEngine> {
    pub(crate) application: Arc<Mutex<Application<E>>>,
    /// Set if an upcall came inside another, or while the application called a function (C6).
    pub(crate) nested: Arc<AtomicBool>,
}

impl<E: LineEngine> Ear<E> {
    fn hear(&self, told: Told) {
        match self.application.try_lock() {
            Ok(mut application) => application.told(told),
            // The reactor would contain a panic here and only log it.
            Err(_) => self.nested.store(true, Ordering::Relaxed),
        }
    }
}

impl<E: LineEngine> Upcalls<Event> for Ear<E> {
    fn completed(&mut self, completion: Completion) {
        self.hear(Told::Completed(completion));
    }

    fn event(&mut self, line: LineNumber, event: Event) {
        self.hear(Told::Event(line.index(), event));
    }
}

impl<E: LineEngine> Application<E> {
    /// Reports that the engine does not answer, which is only right after it was stopped.
    fn engine_gone(&mut self) {
        self.checker.fail(Rule::Panic, "the engine answers no more".into());
    }
}
