//! Breaking rules on purpose, to show that the checker notices.
//!
//! A saboteur sits where the reactor hands results and events to the application, or at the gate,
//! or on the card's bus, and spoils one thing, now and then. What it leaves alone is the real
//! system.

use std::collections::VecDeque;
use std::time::Duration;

use ringback_driver::Time;
use ringback_driver::request::{Completion, RequestId};
use ringback_lines::{Event, Subject};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::types::HDRVCALL;

use crate::application::EndedBy;

/// What is spoiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sabotage {
    /// A completion comes twice.
    TellTwice,
    /// A completion never comes.
    Lose,
    /// A completion comes 40 s late.
    Delay,
    /// A completion has a positive result.
    Positive,
    /// A completion has another request's line.
    WrongLine,
    /// The gate opens while the ticket is held.
    OpenGate,
    /// A refused request completes.
    CompleteRefused,
    /// A line's events do not wait for a completion that is held back.
    Overtake,
    /// LINE_NEWCALL comes after the call's first state.
    Swap,
    /// A call that became CONNECTED is told to be OFFERING.
    WrongState,
    /// The first state of a call that was made comes before completion(0).
    StateFirst,
    /// The first state of an incoming call is lost.
    LoseFirstState,
    /// A state is told twice.
    RepeatState,
    /// A call becomes CONNECTED after IDLE.
    Resurrect,
    /// A call's information changes after IDLE.
    InfoAfterIdle,
    /// A digit is told after DISCONNECTED.
    LateDigit,
    /// IDLE is not told.
    LoseIdle,
    /// CONNECTED is not told.
    LoseConnected,
    /// The end of digit generation is not told.
    LoseGenerated,
    /// An event of a closed call comes again.
    AfterCloseCall,
    /// An event of a closed line comes again.
    AfterCloseLine,
    /// A second call is announced while there is one.
    SecondCall,
    /// LINE_CLOSE comes before the completions.
    CloseFirst,
    /// A request that a close ends completes with 0.
    CloseSucceeds,
    /// A drop completes before the requests that it ends.
    DropFirst,
    /// A request that a drop ends completes with 0.
    DropSucceeds,
    /// Register accesses cost three times as much.
    BusyBus,
    /// The modules hear nothing any more.
    DeafModules,
    /// The shutdown is left out.
    NoStop,
}

/// Something on its way to the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Completed(Completion),
    Event(usize, Event),
}

impl Told {
    fn line(&self) -> usize {
        match self {
            Told::Completed(completion) => completion.line,
            Told::Event(line, _) => *line,
        }
    }

    fn state(&self) -> Option<(HDRVCALL, CallState)> {
        match self {
            Told::Event(
                _,
                Event {
                    subject: Subject::Call { call, message: LINE_CALLSTATE, params: [state, ..] },
                    ..
                },
            ) => Some((*call, CallState::from_raw(u32::try_from(*state).ok()?)?)),
            _ => None,
        }
    }

    fn is_message(&self, wanted: u32) -> bool {
        match self {
            Told::Event(_, event) => match event.subject {
                Subject::Call { message, .. } | Subject::Line { message, .. } => message == wanted,
                Subject::NewCall(_) => false,
            },
            Told::Completed(_) => false,
        }
    }

    /// The same call's event with another message.
    fn with(&self, message: u32, params: [usize; 3]) -> Option<Told> {
        let Told::Event(line, event) = *self else { return None };
        let call = event.call()?;
        let subject = Subject::Call { call, message, params };
        Some(Told::Event(line, Event { line: event.line, subject }))
    }
}

/// Who does it.
#[derive(Debug, Default)]
pub(crate) struct Saboteur {
    plan: Option<Sabotage>,
    /// Things seen that the plan could spoil; the third is spoiled, so that the world is under way.
    chances: u32,
    /// What comes later, with when.
    later: VecDeque<(Time, Told)>,
    /// Kept back until after the line's next event (what a drop has ended: until after the drop's
    /// completion), or to the end of the delivery.
    kept: Option<Told>,
    last: Option<Told>,
}

/// The chance that is taken.
const TAKEN: u32 = 3;

impl Saboteur {
    pub(crate) fn new(plan: Option<Sabotage>) -> Saboteur {
        Saboteur { plan, ..Saboteur::default() }
    }

    pub(crate) fn plans(&self, what: Sabotage) -> bool {
        self.plan == Some(what)
    }

    /// Whether to act now that there is something to act on.
    fn acts(&mut self, what: Sabotage, fits: bool) -> bool {
        let chance = self.plans(what) && fits;
        self.chances += u32::from(chance);
        chance && self.chances == TAKEN
    }

    /// A ticket is about to be held; `true` to release it behind the application's back.
    pub(crate) fn opens_gate(&self) -> bool {
        self.plans(Sabotage::OpenGate) || self.plans(Sabotage::Overtake)
    }

    pub(crate) fn refused(&mut self, id: Option<RequestId>, line: usize, now: Time) {
        let Some(id) = id else { return };
        if self.acts(Sabotage::CompleteRefused, true) {
            let lie =
                Completion { id, line, result: 0, submitted: now, completed: now, output: () };
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
        // Lines are closed seldom: the first time will do.
        if let Some(last) = last
            && self.plans(Sabotage::AfterCloseLine)
        {
            self.later.push_back((now, last));
        }
    }

    /// What comes by itself by now.
    pub(crate) fn due(&mut self, now: Time) -> Vec<Told> {
        let (due, later) = self.later.drain(..).partition(|(at, _)| *at <= now);
        self.later = later;
        let due: VecDeque<(Time, Told)> = due;
        due.into_iter().map(|(_, told)| told).collect()
    }

    /// The delivery has ended: what is kept back comes after all.
    pub(crate) fn delivered(&mut self) -> Option<Told> {
        self.kept.take()
    }

    /// What the application is told in place of this.
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
                if matches!(told, Told::Event(_, Event { subject: Subject::NewCall(_), .. })) =>
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
            Sabotage::LoseGenerated if told.is_message(LINE_GENERATE) => vec![],
            Sabotage::SecondCall if self.acts(plan, is(CallState::Connected)) => {
                let second =
                    told.state().and_then(|(call, _)| HDRVCALL::new(call.raw() + (1 << 24)));
                let Told::Event(line, event) = told else { return vec![told] };
                let second = second.map(|call| {
                    Told::Event(line, Event { subject: Subject::NewCall(call), ..event })
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
            Sabotage::Positive if self.acts(plan, true) => {
                vec![Told::Completed(Completion { result: 7, ..completion })]
            }
            Sabotage::WrongLine if self.acts(plan, true) => {
                vec![Told::Completed(Completion { line: completion.line + 1, ..completion })]
            }
            Sabotage::CloseSucceeds if ended == Some(EndedBy::Close) => {
                vec![Told::Completed(Completion { result: 0, ..completion })]
            }
            Sabotage::DropSucceeds if ended == Some(EndedBy::Drop) => {
                vec![Told::Completed(Completion { result: 0, ..completion })]
            }
            Sabotage::DropFirst if ended == Some(EndedBy::Drop) && self.kept.is_none() => {
                self.kept = Some(told);
                vec![]
            }
            Sabotage::StateFirst if completion.result == 0 && self.kept.is_none() => {
                self.kept = Some(told);
                vec![]
            }
            // Not what a drop has ended: that would be `DropFirst`.
            Sabotage::CloseFirst
                if completion.result < 0 && ended.is_none() && self.kept.is_none() =>
            {
                self.kept = Some(told);
                vec![]
            }
            _ => vec![told],
        }
    }

    /// The ticket behind whose back the gate was opened is released: what was kept may come.
    pub(crate) fn released(&mut self, id: RequestId, now: Time) {
        for (at, told) in &mut self.later {
            if matches!(told, Told::Completed(completion) if completion.id == id) {
                *at = now;
            }
        }
    }
}
