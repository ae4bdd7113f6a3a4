//! Breaking rules on purpose, to show that the checker notices.
//!
//! A saboteur sits where the reactor delivers results and events to the application, or at the
//! gate, or on the card's bus, and spoils one thing at times. Everything else is the real system.

use std::collections::VecDeque;
use std::time::Duration;

use ringback_driver::Time;
use ringback_driver::request::{Completion, LineNumber, RequestId};
use ringback_lines::{Event, Subject};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::types::HDRVCALL;

use crate::application::EndedBy;

/// The kinds of sabotage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sabotage {
    /// A completion is delivered twice.
    TellTwice,
    /// A completion is never delivered.
    Lose,
    /// A completion is delivered 40 s late.
    Delay,
    /// A completion has another request's line.
    WrongLine,
    /// The gate is opened while the ticket is held.
    OpenGate,
    /// A refused request completes.
    CompleteRefused,
    /// Events of a line are delivered before a completion that is held back.
    Overtake,
    /// LINE_NEWCALL is delivered after the call's first state.
    Swap,
    /// A call that becomes CONNECTED is reported as OFFERING.
    WrongState,
    /// The first state of a call that was made is delivered before completion(0).
    StateFirst,
    /// The first state of an incoming call is dropped.
    LoseFirstState,
    /// A state is delivered twice.
    RepeatState,
    /// A call becomes CONNECTED after IDLE.
    Resurrect,
    /// A call's information changes after IDLE.
    InfoAfterIdle,
    /// A digit is delivered after DISCONNECTED.
    LateDigit,
    /// IDLE is not delivered.
    LoseIdle,
    /// CONNECTED is not delivered.
    LoseConnected,
    /// The end of digit generation is not delivered.
    LoseGenerated,
    /// An event of a closed call is delivered again.
    AfterCloseCall,
    /// An event of a closed line is delivered again.
    AfterCloseLine,
    /// A second call is announced while there is one.
    SecondCall,
    /// LINE_CLOSE is delivered before the completions.
    CloseFirst,
    /// A request that a close has ended completes with 0.
    CloseSucceeds,
    /// A drop completes before the requests that it ends.
    DropFirst,
    /// A request that a drop has ended completes with 0.
    DropSucceeds,
    /// The exchanges say that somebody else calls.
    WrongCaller,
    /// The exchanges say of nobody that they call.
    LoseCaller,
    /// LINE_CALLINFO about a caller is not delivered.
    LoseCallerInfo,
    /// Calls to telephones are made without their callers.
    HideCaller,
    /// Register accesses count three times.
    BusyBus,
    /// The modules receive nothing any more.
    DeafModules,
    /// The shutdown is omitted.
    NoStop,
}

/// An upcall on its way to the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Completed(Completion),
    Event(usize, Event),
}

impl Told {
    fn line(&self) -> usize {
        match self {
            Told::Completed(completion) => completion.line.index(),
            Told::Event(line, _) => *line,
        }
    }

    fn state(&self) -> Option<(HDRVCALL, CallState)> {
        match self {
            Told::Event(
                _,
                Event::Line {
                    subject: Subject::Call { call, message: LINE_CALLSTATE, params: [state, ..] },
                    ..
                },
            ) => Some((*call, CallState::from_raw(u32::try_from(*state).ok()?)?)),
            _ => None,
        }
    }

    fn is_message(&self, wanted: u32) -> bool {
        match self {
            Told::Event(
                _,
                Event::Line {
                    subject: Subject::Call { message, .. } | Subject::Line { message, .. },
                    ..
                },
            ) => *message == wanted,
            Told::Event(..) | Told::Completed(_) => false,
        }
    }

    /// Whether it is a LINE_CALLINFO about a caller.
    fn is_about_caller(&self) -> bool {
        let Told::Event(_, Event::Line { subject, .. }) = self else { return false };
        let Subject::Call { message: LINE_CALLINFO, params: [what, ..], .. } = *subject else {
            return false;
        };
        what & (LINECALLINFOSTATE_CALLERID | LINECALLINFOSTATE_DISPLAY) as usize != 0
    }

    /// The same event of the call with another message.
    fn with(&self, message: u32, params: [usize; 3]) -> Option<Told> {
        let Told::Event(number, event @ Event::Line { line, .. }) = *self else { return None };
        let call = event.call()?;
        let subject = Subject::Call { call, message, params };
        Some(Told::Event(number, Event::Line { line, subject }))
    }
}

/// Carries a sabotage out.
#[derive(Debug, Default)]
pub(crate) struct Saboteur {
    plan: Option<Sabotage>,
    /// How often it could have acted. It acts at the third chance, when the world is in progress.
    chances: u32,
    /// Upcalls that are delivered later, with their times.
    later: VecDeque<(Time, Told)>,
    /// An upcall that is kept back until after the line's next event, or to the end of the
    /// delivery. One that a drop has ended is kept back until after the drop's completion.
    kept: Option<Told>,
    last: Option<Told>,
}

/// The chance at which it acts.
const TAKEN: u32 = 3;

impl Saboteur {
    pub(crate) fn new(plan: Option<Sabotage>) -> Saboteur {
        Saboteur { plan, ..Saboteur::default() }
    }

    pub(crate) fn plans(&self, what: Sabotage) -> bool {
        self.plan == Some(what)
    }

    /// Returns whether to act, if the situation fits.
    fn acts(&mut self, what: Sabotage, fits: bool) -> bool {
        let chance = self.plans(what) && fits;
        self.chances += u32::from(chance);
        chance && self.chances == TAKEN
    }

    /// Returns whether to release a ticket that the application is about to hold.
    pub(crate) fn opens_gate(&self) -> bool {
        self.plans(Sabotage::OpenGate) || self.plans(Sabotage::Overtake)
    }

    pub(crate) fn refused(&mut self, id: Option<RequestId>, line: usize, now: Time) {
        let Some(id) = id else { return };
        if self.acts(Sabotage::CompleteRefused, true) {
            let lie = Completion {
                id,
                line: LineNumber::at(line),
                result: Ok(()),
                submitted: now,
                completed: now,
                output: (),
            };
            self.later.push_back((now, Told::Completed(lie)));
        }
    }

    pub(crate) fn closed_call(&mut self, call: HDRVCALL, now: Time) {
        let of_call =
            |told: &Told| matches!(told, Told::Event(_, event) if event.call() == Some(call));
        if let Some(last) = self.last.filter(of_call)
            && self.acts(Sabotage::AfterCloseCall, true)
        {
            self.later.push_back((now, last));
        }
    }

    pub(crate) fn closed_line(&mut self, line: usize, now: Time) {
        let last = self.last.filter(|told| matches!(told, Told::Event(of, _) if *of == line));
        // Lines are closed seldom, so that it acts at the first chance.
        if let Some(last) = last
            && self.plans(Sabotage::AfterCloseLine)
        {
            self.later.push_back((now, last));
        }
    }

    /// Returns the delayed upcalls that are due.
    pub(crate) fn due(&mut self, now: Time) -> Vec<Told> {
        let (due, later) = self.later.drain(..).partition(|(at, _)| *at <= now);
        self.later = later;
        let due: VecDeque<(Time, Told)> = due;
        due.into_iter().map(|(_, told)| told).collect()
    }

    /// Called at the end of a delivery: returns the upcall that is kept back.
    pub(crate) fn delivered(&mut self) -> Option<Told> {
        self.kept.take()
    }

    /// Returns what the application gets in place of this upcall.
    pub(crate) fn pass(
        &mut self,
        told: Told,
        held: bool,
        ended: Option<EndedBy>,
        now: Time,
    ) -> Vec<Told> {
        let out = self.spoil(told, held, ended, now);
        if matches!(told, Told::Event(..)) {
            self.last = Some(told);
        }
        out
    }

    fn spoil(&mut self, told: Told, held: bool, ended: Option<EndedBy>, now: Time) -> Vec<Told> {
        let Some(plan) = self.plan else { return vec![told] };
        let releases = match told {
            Told::Event(..) => plan != Sabotage::DropFirst,
            Told::Completed(_) => plan == Sabotage::DropFirst && ended.is_none(),
        };
        if let Some(kept) = self.kept
            && kept.line() == told.line()
            && releases
        {
            self.kept = None;
            return vec![told, kept];
        }
        if let Told::Completed(completion) = told {
            return self.spoil_completion(plan, completion, held, ended, now);
        }
        let state = told.state().map(|(_, state)| state);
        let is = |wanted| state == Some(wanted);
        match plan {
            Sabotage::Swap
                if matches!(
                    told,
                    Told::Event(_, Event::Line { subject: Subject::NewCall(_), .. })
                ) =>
            {
                self.kept = Some(told);
                vec![]
            }
            Sabotage::WrongState if is(CallState::Connected) => {
                let params = [CallState::Offering.bit() as usize, 1, 0];
                told.with(LINE_CALLSTATE, params).into_iter().collect()
            }
            Sabotage::LoseFirstState if is(CallState::Offering) => vec![],
            Sabotage::RepeatState if self.acts(plan, state.is_some()) => vec![told, told],
            Sabotage::Resurrect if self.acts(plan, is(CallState::Idle)) => {
                let params = [CallState::Connected.bit() as usize, 1, 0];
                [Some(told), told.with(LINE_CALLSTATE, params)].into_iter().flatten().collect()
            }
            Sabotage::InfoAfterIdle if self.acts(plan, is(CallState::Idle)) => {
                let info = told.with(LINE_CALLINFO, [LINECALLINFOSTATE_CALLERID as usize, 0, 0]);
                [Some(told), info].into_iter().flatten().collect()
            }
            Sabotage::LateDigit if is(CallState::Disconnected) => {
                let digit = [usize::from(b'5'), LINEDIGITMODE_DTMF as usize, 0];
                [Some(told), told.with(LINE_MONITORDIGITS, digit)].into_iter().flatten().collect()
            }
            Sabotage::LoseIdle if self.acts(plan, is(CallState::Idle)) => vec![],
            Sabotage::LoseConnected if is(CallState::Connected) => vec![],
            Sabotage::LoseCallerInfo if told.is_about_caller() => vec![],
            Sabotage::LoseGenerated if told.is_message(LINE_GENERATE) => vec![],
            Sabotage::SecondCall if self.acts(plan, is(CallState::Connected)) => {
                let second =
                    told.state().and_then(|(call, _)| HDRVCALL::new(call.raw() + (1 << 24)));
                let Told::Event(number, Event::Line { line, .. }) = told else {
                    return vec![told];
                };
                let second = second.map(|call| {
                    Told::Event(number, Event::Line { line, subject: Subject::NewCall(call) })
                });
                [Some(told), second].into_iter().flatten().collect()
            }
            _ => vec![told],
        }
    }

    fn spoil_completion(
        &mut self,
        plan: Sabotage,
        completion: Completion,
        held: bool,
        ended: Option<EndedBy>,
        now: Time,
    ) -> Vec<Told> {
        let told = Told::Completed(completion);
        match plan {
            // Only the order is spoiled: the completion itself waits for its ticket.
            Sabotage::Overtake if held => {
                self.later.push_back((Time::NEVER, told));
                vec![]
            }
            Sabotage::TellTwice if self.acts(plan, true) => vec![told, told],
            Sabotage::Lose if self.acts(plan, true) => vec![],
            Sabotage::Delay if self.acts(plan, true) => {
                self.later.push_back((now + Duration::from_secs(40), told));
                vec![]
            }
            Sabotage::WrongLine if self.acts(plan, true) => {
                vec![Told::Completed(Completion {
                    line: LineNumber(completion.line.0 + 1),
                    ..completion
                })]
            }
            Sabotage::CloseSucceeds if ended == Some(EndedBy::Close) => {
                vec![Told::Completed(Completion { result: Ok(()), ..completion })]
            }
            Sabotage::DropSucceeds if ended == Some(EndedBy::Drop) => {
                vec![Told::Completed(Completion { result: Ok(()), ..completion })]
            }
            Sabotage::DropFirst if ended == Some(EndedBy::Drop) && self.kept.is_none() => {
                self.kept = Some(told);
                vec![]
            }
            Sabotage::StateFirst if completion.result.is_ok() && self.kept.is_none() => {
                self.kept = Some(told);
                vec![]
            }
            // What a drop has ended is excluded: that would be `DropFirst`.
            Sabotage::CloseFirst
                if completion.result.is_err() && ended.is_none() && self.kept.is_none() =>
            {
                self.kept = Some(told);
                vec![]
            }
            _ => vec![told],
        }
    }

    /// Called when the ticket of the gate that was opened is released: the kept upcalls may be
    /// delivered.
    pub(crate) fn released(&mut self, id: RequestId, now: Time) {
        for (at, told) in &mut self.later {
            if matches!(told, Told::Completed(completion) if completion.id == id) {
                *at = now;
            }
        }
    }
}
