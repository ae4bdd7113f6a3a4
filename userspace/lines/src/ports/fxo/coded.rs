//! Has the exchange forward calls, call back, park and pick up by codes, and hears its answer.
//!
//! Rules: a line that has no call seizes the line for each code, and hangs up after it; a request
//! is complete when the exchange has confirmed it, and has failed when it refuses or does not
//! answer. What it does not confirm, to unpark and to pick up, it has done if it does not refuse.

use std::time::Duration;

use ringback_country::Forwarding;
use ringback_driver::card::{FRAME, Hook};
use ringback_media::tone::{CallProgress, Codes, Confirmation, Heard};
use ringback_tspi::constants::*;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring::DialString;
use ringback_tspi::error::LineError;

use super::super::port::{Order, Port, Visit};
use super::super::service::{Asked, Service, ServiceStage, ServiceTask, code};
use super::{Fxo, FxoPhase, GUARD, RECALL_MS};
use crate::book::Op;
use crate::call::Call;

/// Whether the exchange refuses.
pub(super) fn refuses(tone: Option<Heard>) -> bool {
    use CallProgress::{Busy, Reorder, SpecialInformation};
    matches!(tone, Some(Heard::Tone(Busy | Reorder | SpecialInformation)))
}

impl Fxo {
    pub(super) fn codes(&self) -> Option<&'static Codes> {
        self.options.profile.map(|profile| &profile.codes)
    }

    /// How long the exchange may take to confirm.
    pub(super) fn confirms(&self) -> Duration {
        Duration::from_millis(self.codes().map_or(0, |codes| u64::from(codes.confirms_ms)))
    }

    /// A code is dialled from now on.
    pub(super) fn forget_confirmation(&mut self) {
        (self.confirmation, self.confirmed) = (None, false);
    }

    /// Whether the tone that confirms was heard. An exchange may send it as soon as it has the last
    /// digit, before that has ended.
    pub(super) fn hears_confirmation(&mut self, heard: &[i16; FRAME]) -> bool {
        if self.confirmation.is_none() && self.dialer.ends() {
            let sound = Codes::sound(self.country.tones());
            self.confirmation = self
                .codes()
                .zip(sound)
                .map(|(codes, sound)| Confirmation::new(codes.confirmation, sound));
        }
        let confirmation = self.confirmation.as_mut();
        self.confirmed |= confirmation.is_some_and(|confirmation| confirmation.feed(heard));
        self.confirmed
    }

    /// As [`Machine::serve`](super::super::machine::Machine::serve).
    pub(super) fn begin_service(
        &mut self,
        port: &mut Port,
        asked: &Asked,
        call: Option<Call>,
    ) -> Result<(), LineError> {
        let codes = self.codes().ok_or(LineError::OPERATIONUNAVAIL)?;
        let one = |text: Option<&str>, number| Some(vec![code(text?, number)]);
        let forward = |kind: Forwarding, to: Option<&DialString>| {
            let codes = codes.forward(kind)?;
            Some(code(if to.is_some() { codes.set } else { codes.cancel }, to))
        };
        let dialled = match asked {
            Asked::Forward(list) => {
                // What is asked for replaces what was before.
                let old =
                    self.forwarded.iter().filter(|old| list.iter().all(|(kind, _)| kind != *old));
                let codes = list.iter().map(|(kind, to)| forward(*kind, to.as_ref()));
                codes.chain(old.map(|kind| forward(*kind, None))).collect()
            }
            Asked::Uncomplete(id) => {
                if !self.call_backs.iter().any(|(one, _)| one == id) {
                    return Err(LineError::INVALCOMPLETIONID);
                }
                one(codes.cancel_call_back, None)
            }
            Asked::PickUp(None) => one(codes.pick_up_any, None),
            Asked::PickUp(Some(number)) => one(codes.pick_up, Some(number)),
            Asked::Unpark(place) => one(codes.unpark, Some(place)),
        };
        let dialled = dialled.ok_or(LineError::OPERATIONUNAVAIL)?;
        // None of these functions' pages has the errors of lineMakeCall.
        super::Machine::can_call(self, port).map_err(|_| LineError::RESOURCEUNAVAIL)?;
        let task = match (asked, &call) {
            (Asked::Forward(_), _) => ServiceTask::Forward,
            (_, Some(call)) => ServiceTask::Fetch(call.handle),
            _ => ServiceTask::Uncomplete,
        };
        port.book.call = call;
        self.supervised = false;
        let stage = ServiceStage::Guard(self.guarded_until());
        let forwards = match asked {
            Asked::Forward(list) => {
                list.iter().filter(|(_, to)| to.is_some()).map(|(kind, _)| *kind).collect()
            }
            _ => Vec::new(),
        };
        self.service = Some(Service { task, codes: dialled.into(), forwards, stage });
        self.phase = FxoPhase::Serving;
        Ok(())
    }

    /// The loop stays open until then after the last call.
    fn guarded_until(&self) -> ringback_driver::Time {
        self.on_hook_since.map_or(ringback_driver::Time::ZERO, |since| since + GUARD)
    }

    /// Whether the dialler is in use for a code.
    pub(super) fn dials_code(&self) -> bool {
        self.service.as_ref().is_some_and(|service| service.stage == ServiceStage::Dialing)
    }

    /// Processes a millisecond while a code is followed.
    pub(super) fn hear_service(
        &mut self,
        port: &mut Port,
        visit: &mut Visit<'_, '_>,
        heard: &[i16; FRAME],
    ) {
        let now = visit.now();
        let tone = self.listen(heard);
        let dialled = matches!(
            self.service,
            Some(Service { stage: ServiceStage::Dialing | ServiceStage::Hearing(_), .. })
        );
        let confirmed = dialled && self.hears_confirmation(heard);
        let Some(Service { task, stage, .. }) = &self.service else { return };
        let fetches = matches!(task, ServiceTask::Fetch(_));
        let answers = fetches && self.activity.feed(heard);
        match *stage {
            ServiceStage::Guard(until) if now >= until => {
                port.order(visit, Order::Hook(Hook::Off));
                self.listen_anew(port);
                let wait = Duration::from_millis(u64::from(RECALL_MS));
                let until = now + wait + self.country.dial_tone_delay();
                self.enter_stage(ServiceStage::Seizing(until));
            }
            ServiceStage::Seizing(_) if self.dial_tone => self.dial_code(),
            ServiceStage::Seizing(until) if now >= until => self.end_service(port, visit, false),
            ServiceStage::Guard(_) | ServiceStage::Seizing(_) | ServiceStage::Dialing => {}
            ServiceStage::Hearing(until) => {
                let dial_tone = tone == Some(Heard::Tone(CallProgress::Dial));
                if refuses(tone) || fetches && dial_tone {
                    self.end_service(port, visit, false);
                } else if confirmed && !fetches || answers {
                    self.code_followed(port, visit);
                } else if now >= until {
                    self.end_service(port, visit, fetches);
                }
            }
        }
    }

    fn enter_stage(&mut self, stage: ServiceStage) {
        if let Some(service) = &mut self.service {
            service.stage = stage;
        }
    }

    fn dial_code(&mut self) {
        let Some(service) = &mut self.service else { return };
        service.stage = ServiceStage::Dialing;
        let code = service.codes.pop_front().unwrap_or_default();
        self.forget_confirmation();
        self.dialer.reset(DialTiming { dial_tone_ms: RECALL_MS, ..DialTiming::default() });
        self.dialer.push(code);
    }

    /// The dialler has ended; `heard` unless there was no second dial tone.
    pub(super) fn code_dialled(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, heard: bool) {
        if !heard {
            return self.end_service(port, visit, false);
        }
        self.listen_anew(port);
        let task = self.service.as_ref().map(|service| service.task);
        let wait = match (task, self.codes()) {
            (Some(ServiceTask::Fetch(_)), Some(codes)) => {
                Duration::from_millis(u64::from(codes.refuses_ms))
            }
            _ => self.confirms(),
        };
        self.enter_stage(ServiceStage::Hearing(visit.now() + wait));
    }

    fn code_followed(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        if self.service.as_ref().is_none_or(|service| service.codes.is_empty()) {
            return self.end_service(port, visit, true);
        }
        port.order(visit, Order::Hook(Hook::On));
        self.on_hook_since = Some(visit.now());
        let until = self.guarded_until();
        self.enter_stage(ServiceStage::Guard(until));
    }

    /// The exchange has done everything, or something has failed.
    pub(super) fn end_service(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, done: bool) {
        let Some(Service { task, forwards, .. }) = self.service.take() else { return };
        self.forget_confirmation();
        let result = if done { Ok(()) } else { Err(LineError::OPERATIONFAILED) };
        if let ServiceTask::Fetch(_) = task {
            port.book.complete(visit.cx, Op::MakeCall, result);
            if done {
                self.connected(port, visit, LINECONNECTEDMODE_ACTIVE);
                self.listen_anew(port);
            } else {
                super::Machine::hang_up(self, port, visit);
                port.book.call = None;
            }
            return;
        }
        super::Machine::hang_up(self, port, visit);
        port.book.complete(visit.cx, Op::Service, result);
        match task {
            ServiceTask::Forward if done => {
                self.forwarded = forwards;
                port.book.tell_address_states(visit.cx, LINEADDRESSSTATE_FORWARD);
            }
            // Some of it may have been done.
            ServiceTask::Forward => self.forwarded.extend(forwards),
            // One code ends all of them.
            ServiceTask::Uncomplete if done => self.call_backs.clear(),
            _ => {}
        }
    }
}
