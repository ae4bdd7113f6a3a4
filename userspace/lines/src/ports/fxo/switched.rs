//! Has the exchange hold, swap and transfer: flash, wait for its tone, digits, wait for its tone.
//!
//! What is dialled stands in the line's profile of the exchange; a line without a profile does none
//! of this. Rules: the exchange is asked for one thing at a time; a request is complete when it has
//! done it, and has failed when it refuses it, which leaves the conversation as it was.

use std::time::Duration;

use ringback_driver::card::FRAME;
use ringback_media::tone::{CallProgress, Heard};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring::{DialString, Modifiers, parse};
use ringback_tspi::error::LineError;
use ringback_tspi::types::HDRVCALL;

use super::super::port::{Port, Visit};
use super::super::queue::Sound;
use super::super::service::code;
use super::super::switching::{Stage, Switching, Task};
use super::coded::refuses;
use super::{DIALS_ON, Fxo, FxoPhase, RECALL_MS};
use crate::MOST_CALL_BACKS;
use crate::book::Op;
use crate::call::Call;

/// How long a telephone to which a call is transferred may take until it rings.
const RINGS: Duration = Duration::from_secs(30);

fn dial_string(text: &str) -> DialString {
    let modifiers = Modifiers { dial_tone: true, ..Modifiers::default() };
    // A test parses the texts of all profiles.
    parse(text, modifiers).unwrap_or_default()
}

impl Fxo {
    /// Whether the dialler is in use for the exchange.
    pub(super) fn dials_to_switch(&self) -> bool {
        let stage = self.switching.as_ref().map(|switching| switching.stage);
        matches!(stage, Some(Stage::Dialing | Stage::Clearing))
    }

    /// As [`Machine::can_switch`](super::super::machine::Machine::can_switch).
    pub(super) fn offers(&self, port: &Port, call: HDRVCALL, feature: u32) -> Option<bool> {
        let profile = self.options.profile?;
        let free = self.switching.is_none();
        let active = port.book.state();
        let is = |one: &Call, state: CallState| one.state == Some(state);
        let known = |state: CallState| port.book.aside.iter().any(|one| is(one, state));
        let reached = matches!(active, Some(CallState::Connected | CallState::Ringback));
        let transfers =
            profile.transfers && free && known(CallState::OnHoldPendTransfer) && reached;
        let talks = free && matches!(self.phase, FxoPhase::Talking);
        let swaps = profile.swap.is_some() && talks && active == Some(CallState::Connected);
        let joins = profile.join.is_some() && talks && active == Some(CallState::Connected);
        let members = port.book.aside.iter().filter(|one| is(one, CallState::Conferenced));
        let members: Vec<HDRVCALL> = members.map(|one| one.handle).collect();
        let adds = joins && known(CallState::OnHoldPendConf);
        if let Some(one) = port.book.aside.iter().find(|one| one.handle == call) {
            let held = is(one, CallState::OnHoldPendTransfer) || is(one, CallState::OnHoldPendConf);
            return Some(match feature {
                LINECALLFEATURE_DROP => true,
                LINECALLFEATURE_UNHOLD => free && held,
                LINECALLFEATURE_COMPLETETRANSF => transfers && held,
                LINECALLFEATURE_SWAPHOLD => swaps && held,
                LINECALLFEATURE_ADDTOCONF => adds && is(one, CallState::OnHoldPendConf),
                // The first party stays until the end.
                LINECALLFEATURE_REMOVEFROMCONF => {
                    joins && members.len() > 1 && members.last() == Some(&call)
                }
                _ => false,
            });
        }
        let held = active == Some(CallState::OnHold);
        let alone = port.book.aside.is_empty();
        match feature {
            LINECALLFEATURE_PARK => {
                let connected = active == Some(CallState::Connected);
                profile.codes.park.map(|_| talks && connected && alone)
            }
            LINECALLFEATURE_COMPLETECALL => {
                let busy = active == Some(CallState::Busy);
                let listens = matches!(self.phase, FxoPhase::Progress(_));
                profile.codes.call_back.map(|_| free && busy && listens && alone)
            }
            LINECALLFEATURE_HOLD => Some(talks && port.book.aside.is_empty()),
            LINECALLFEATURE_UNHOLD => Some(free && held),
            LINECALLFEATURE_SETUPTRANSFER | LINECALLFEATURE_BLINDTRANSFER => {
                profile.transfers.then_some(talks && port.book.aside.is_empty())
            }
            LINECALLFEATURE_COMPLETETRANSF => profile.transfers.then_some(transfers),
            LINECALLFEATURE_SWAPHOLD => {
                let pending =
                    known(CallState::OnHoldPendTransfer) || known(CallState::OnHoldPendConf);
                profile.swap.map(|_| swaps && pending)
            }
            LINECALLFEATURE_SETUPCONF => profile.join.map(|_| joins && port.book.aside.is_empty()),
            LINECALLFEATURE_PREPAREADDCONF => {
                profile.join.map(|_| joins && members.len() == 1 && port.book.aside.len() == 1)
            }
            LINECALLFEATURE_ADDTOCONF => profile.join.map(|_| adds),
            LINECALLFEATURE_REMOVEFROMCONF => profile.join.map(|_| false),
            LINECALLFEATURE_DIAL
            | LINECALLFEATURE_GATHERDIGITS
            | LINECALLFEATURE_GENERATEDIGITS
            | LINECALLFEATURE_GENERATETONE
                if held || !free =>
            {
                Some(false)
            }
            _ => None,
        }
    }

    /// Begins to ask the exchange.
    pub(super) fn ask_exchange(
        &mut self,
        port: &mut Port,
        visit: &mut Visit<'_, '_>,
        task: Task,
    ) -> Result<(), LineError> {
        let profile = self.options.profile.ok_or(LineError::OPERATIONUNAVAIL)?;
        port.stop_generating(visit);
        port.stop_listening(visit);
        // Digits that the application is dialling to the far end would not reach it any more.
        port.book.complete(visit.cx, Op::Dial, Err(LineError::OPERATIONFAILED));
        let release = match self.phase {
            FxoPhase::Talking => profile.release,
            _ => profile.back,
        };
        let unavailable = LineError::OPERATIONUNAVAIL;
        let text = match &task {
            Task::Transfer => {
                self.transferred(port, visit);
                return Ok(());
            }
            Task::CallBack(_) if self.call_backs.len() >= MOST_CALL_BACKS as usize => {
                return Err(LineError::COMPLETIONOVERRUN);
            }
            Task::CallBack(_) => profile.codes.call_back.ok_or(unavailable)?,
            Task::Park(_) => profile.codes.park.ok_or(unavailable)?,
            Task::ReleaseHeld(_) => profile.release_held.ok_or(unavailable)?,
            Task::Conference(_) => profile.join.ok_or(unavailable)?,
            Task::Hold
            | Task::Consult(_)
            | Task::Redirect(_)
            | Task::Confer(..)
            | Task::Prepare(_) => profile.hold,
            Task::Add(_) => profile.join.ok_or(LineError::OPERATIONUNAVAIL)?,
            Task::Remove(_) => profile.release_last,
            Task::Unhold(call) if !port.book.is_aside(*call) => profile.back,
            Task::Unhold(_) | Task::Back => release,
            Task::Swap(_) => profile.swap.ok_or(LineError::OPERATIONUNAVAIL)?,
        };
        let mut address = match &task {
            Task::Park(place) => code(text, Some(place)),
            _ => dial_string(text),
        };
        if let Task::Redirect(to) = &task {
            address.steps.extend(to.steps.iter().copied());
        }
        self.dial_to_exchange(port, visit, address);
        self.switching = Some(Switching { task, stage: Stage::Dialing });
        Ok(())
    }

    fn dial_to_exchange(
        &mut self,
        port: &mut Port,
        visit: &mut Visit<'_, '_>,
        address: DialString,
    ) {
        port.silence(visit);
        self.listen_anew(port);
        self.forget_confirmation();
        self.dialer.reset(DialTiming { dial_tone_ms: RECALL_MS, ..DialTiming::default() });
        self.dialer.push(address);
    }

    /// The dialler has ended; `heard` unless there was no dial tone.
    pub(super) fn dialed_to_switch(
        &mut self,
        port: &mut Port,
        visit: &mut Visit<'_, '_>,
        heard: bool,
    ) {
        let now = visit.now();
        let settles = self.options.profile.map_or(0, |profile| profile.settles_ms);
        let Some(Switching { task, stage }) = &mut self.switching else { return };
        match (&task, *stage) {
            (_, Stage::Clearing) => self.refused(port, visit),
            // It has ignored the flash.
            _ if !heard => self.refused(port, visit),
            (Task::Hold | Task::Consult(_) | Task::Confer(..) | Task::Prepare(_), _) => {
                self.done(port, visit);
            }
            (Task::Park(_) | Task::CallBack(_), _) => {
                self.listen_anew(port);
                let until = now + self.confirms();
                if let Some(switching) = &mut self.switching {
                    switching.stage = Stage::Confirming(until);
                }
            }
            (Task::Redirect(_), _) => {
                *stage = Stage::Calling(now + RINGS);
                self.listen_anew(port);
            }
            _ => {
                *stage = Stage::Settling(now + Duration::from_millis(u64::from(settles)));
                self.listen_anew(port);
            }
        }
    }

    /// Processes a millisecond while the exchange is being asked.
    pub(super) fn hear_exchange(
        &mut self,
        port: &mut Port,
        visit: &mut Visit<'_, '_>,
        heard: &[i16; FRAME],
    ) {
        let now = visit.now();
        let tone = self.listen(heard);
        port.hear(visit, heard);
        let calls = matches!(self.switching, Some(Switching { stage: Stage::Calling(_), .. }));
        // Whoever is called may answer before ringback is recognised.
        let confirms = matches!(
            self.switching,
            Some(Switching { task: Task::Park(_) | Task::CallBack(_), .. })
        );
        let confirmed = confirms && self.hears_confirmation(heard);
        let answered = calls && (self.activity.feed(heard) || self.answered_silently());
        let Some(Switching { task, stage }) = &self.switching else { return };
        let refuses = refuses(tone);
        let settles = matches!(
            task,
            Task::Swap(_)
                | Task::Add(_)
                | Task::Remove(_)
                | Task::Conference(_)
                | Task::ReleaseHeld(_)
        );
        match *stage {
            Stage::Dialing | Stage::Clearing => {}
            Stage::Confirming(_) if confirmed => self.done(port, visit),
            Stage::Confirming(until) if refuses || now >= until => match task {
                Task::CallBack(_) => self.not_called_back(port, visit),
                _ => self.clear(port, visit),
            },
            Stage::Confirming(_) => {}
            Stage::Settling(_) if refuses && settles => self.clear(port, visit),
            Stage::Settling(until) if now >= until => self.done(port, visit),
            Stage::Settling(_) => {}
            Stage::Calling(_) if answered || tone == Some(Heard::Tone(CallProgress::Ringback)) => {
                self.done(port, visit);
            }
            Stage::Calling(until) => {
                if refuses || now >= until || tone == Some(Heard::Tone(CallProgress::Dial)) {
                    self.clear(port, visit);
                }
            }
        }
    }

    /// Goes back to the conversation after a refusal.
    fn clear(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        let back = self.options.profile.map_or("", |profile| profile.back);
        self.dial_to_exchange(port, visit, dial_string(back));
        if let Some(switching) = &mut self.switching {
            switching.stage = Stage::Clearing;
        }
    }

    /// The exchange has given its busy tone up, and does not call back.
    fn not_called_back(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        self.switching = None;
        port.book.complete(visit.cx, Op::Switch, Err(LineError::OPERATIONFAILED));
        self.disconnect(port, visit, LINEDISCONNECTMODE_BUSY);
    }

    /// As [`Machine::releases`](super::super::machine::Machine::releases).
    pub(super) fn release_of(&self, port: &Port, call: HDRVCALL) -> Option<Task> {
        let profile = self.options.profile?;
        let talks = self.switching.is_none() && matches!(self.phase, FxoPhase::Talking);
        if !talks || port.book.state() != Some(CallState::Connected) {
            return None;
        }
        let state = port.book.aside.iter().find(|one| one.handle == call)?.state?;
        let members = |one: &&Call| one.state == Some(CallState::Conferenced);
        match state {
            CallState::OnHoldPendTransfer | CallState::OnHoldPendConf
                if port.book.aside.len() == 1 =>
            {
                profile.release_held.map(|_| Task::ReleaseHeld(call))
            }
            CallState::Conferenced if port.book.aside.iter().filter(members).count() > 1 => {
                let last = port.book.aside.iter().rfind(members);
                last.filter(|last| last.handle == call).map(|_| Task::Remove(call))
            }
            _ => None,
        }
    }

    fn refused(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        self.switching = None;
        port.book.complete(visit.cx, Op::Switch, Err(LineError::OPERATIONFAILED));
        port.book.aside.retain(|one| one.state.is_some());
        self.listen_anew(port);
        self.heard_at = visit.now();
        self.dials_on_until = visit.now() + DIALS_ON;
    }

    fn done(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        let Some(Switching { task, .. }) = self.switching.take() else { return };
        port.book.complete(visit.cx, Op::Switch, Ok(()));
        match task {
            Task::Hold => {
                port.set_state(visit, CallState::OnHold, 0);
                self.phase = FxoPhase::Ready;
            }
            Task::Consult(consult) => {
                // The request was cancelled by closing the call that it makes (N6).
                if !port.book.is_aside(consult) {
                    let _ = self.ask_exchange(port, visit, Task::Back);
                    return;
                }
                self.consults(port, visit, consult, CallState::OnHoldPendTransfer);
            }
            Task::Confer(conference, consult) => {
                self.consults(port, visit, consult, CallState::Conferenced);
                port.book.set_aside(visit.cx, conference, CallState::OnHoldPendConf, 0);
            }
            Task::Prepare(consult) => {
                self.consults(port, visit, consult, CallState::OnHoldPendConf);
            }
            Task::Add(conference) => {
                let added = port.book.call.as_ref().map(|call| call.handle);
                port.book.switch_to(conference);
                if let Some(added) = added {
                    port.book.set_aside(visit.cx, added, CallState::Conferenced, 0);
                }
                self.converses(port, visit);
            }
            Task::Remove(removed) => {
                port.book.set_aside(visit.cx, removed, CallState::Idle, 0);
                self.heard_at = visit.now();
            }
            Task::Redirect(_) | Task::Park(_) => self.let_go(port, visit),
            Task::CallBack(completion) => {
                let minutes = self.codes().map_or(0, |codes| codes.call_back_minutes);
                let until = visit.now() + Duration::from_secs(60 * u64::from(minutes));
                self.call_backs.push((completion, until));
                self.disconnect(port, visit, LINEDISCONNECTMODE_BUSY);
            }
            Task::ReleaseHeld(released) => {
                port.book.set_aside(visit.cx, released, CallState::Idle, 0);
                self.heard_at = visit.now();
            }
            Task::Conference(conference) => {
                let consult = port.book.call.as_ref().map(|call| call.handle);
                let pending = |one: &&Call| one.state == Some(CallState::OnHoldPendTransfer);
                let held = port.book.aside.iter().find(pending).map(|one| one.handle);
                port.book.switch_to(conference);
                // Who came last stands last.
                for member in [held, consult].into_iter().flatten() {
                    port.book.set_aside(visit.cx, member, CallState::Conferenced, 0);
                }
                self.converses(port, visit);
            }
            Task::Swap(held) => {
                let state = port.book.find(held).and_then(|call| call.state);
                let active = port.book.call.as_ref().map(|call| call.handle);
                if let (Some(active), Some(state)) = (active, state) {
                    port.book.switch_to(held);
                    port.book.set_aside(visit.cx, active, state, 0);
                }
                self.converses(port, visit);
            }
            Task::Unhold(call) if port.book.is_aside(call) => {
                port.set_state(visit, CallState::Idle, 0);
                port.book.switch_to(call);
                self.converses(port, visit);
            }
            Task::Unhold(_) => self.converses(port, visit),
            Task::Back => {
                let pending = |one: &&Call| one.state != Some(CallState::Conferenced);
                if let Some(held) = port.book.aside.iter().find(pending).map(|one| one.handle) {
                    port.book.switch_to(held);
                }
                self.converses(port, visit);
            }
            Task::Transfer => {}
        }
    }

    /// The consultation call has the second dial tone, and the call of the conversation is held in
    /// this state.
    fn consults(
        &mut self,
        port: &mut Port,
        visit: &mut Visit<'_, '_>,
        consult: HDRVCALL,
        state: CallState,
    ) {
        let held = port.book.call.as_ref().map(|call| call.handle);
        port.book.switch_to(consult);
        if let Some(held) = held {
            port.book.set_aside(visit.cx, held, state, 0);
        }
        self.dialer.reset(DialTiming::default());
        self.phase = FxoPhase::Ready;
        port.set_state(visit, CallState::DialTone, LINEDIALTONEMODE_NORMAL);
    }

    /// The line is in conversation again, or the party has gone in the meantime, which tones tell.
    fn converses(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        self.connected(port, visit, LINECONNECTEDMODE_ACTIVE);
        self.listen_anew(port);
        self.dials_on_until = visit.now();
    }

    fn transferred(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        port.book.complete(visit.cx, Op::Switch, Ok(()));
        self.let_go(port, visit);
    }

    /// Hangs up; all calls are over.
    fn let_go(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        super::Machine::hang_up(self, port, visit);
        port.book.end_aside(visit.cx, None);
        port.set_state(visit, CallState::Idle, 0);
    }

    /// A request to the exchange was ended from outside. Whatever the exchange has done, it is told
    /// to go back.
    pub(super) fn stop_switching(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        port.book.aside.retain(|one| one.state.is_some());
        if self.switching.is_some() {
            self.clear(port, visit);
        }
    }

    /// The line is lost, and with it what the exchange holds.
    pub(super) fn lose_held(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, mode: u32) {
        self.switching = None;
        port.book.complete(visit.cx, Op::Switch, Err(LineError::OPERATIONFAILED));
        port.book.end_aside(visit.cx, Some(mode));
        if port.queue.samples(Sound::Dial) > 0 {
            port.silence(visit);
        }
    }
}

#[cfg(test)]
mod tests {
    use ringback_country::Profile;

    use super::*;

    #[test]
    fn what_profiles_dial_can_be_dialled() {
        for profile in Profile::ALL {
            let required = [profile.hold, profile.back, profile.release, profile.release_last];
            let optional = [profile.swap, profile.join, profile.release_held];
            for text in required.into_iter().chain(optional.into_iter().flatten()) {
                assert_eq!(dial_string(text).to_string(), text, "{}", profile.name);
            }
        }
    }
}
