//! The engine of a card's lines: commands and interrupts in, completions and events out. Its
//! synchronous functions are in `functions`.

use std::sync::Arc;
use std::time::Duration;

use ringback_country::Country;
use ringback_driver::card::{
    FRAME, LineTuning, ModuleKind, PortCard, PortError, PortEvent, PortSink, Service,
    StartCardError,
};
use ringback_driver::engine::{Context, Engine, Failure, Play, Played};
use ringback_driver::request::{ErrorCode, LineNumber, Token};
use ringback_driver::{PortNumber, Time, report};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring::DialString;
use ringback_tspi::error::{LineError, PhoneError};
use ringback_tspi::types::HDRVCALL;

use super::clock::SampleClock;
use super::dialer::dialing_time;
use super::fxo::Fxo;
use super::fxs::Fxs;
use super::machine::{Machine, Outgoing};
use super::playing;
use super::port::{Order, Port, PortInfo, Visit};
use super::queue::{MOST, Sound};
use super::service::Asked;
use super::switching::{self, Task};
use crate::book::Op;
use crate::call::{Call, CallHandles, CallInfo};
use crate::{Command, Event, LineEngine, Opening, PhoneEngine, book};

/// Limit of answering and dropping, which take a few frames; a card that takes longer does not
/// work.
const SHORT: Duration = Duration::from_secs(5);
/// Limit of what the exchange does with calls, the waits for its tones included.
const SWITCHING: Duration = Duration::from_secs(30);
/// Limit of following one code: seizing the line, dialling, and the exchange's answer.
const FOLLOWING: Duration = Duration::from_secs(60);
/// Limit of the time until a telephone rings to which a call is transferred.
const RINGS: Duration = Duration::from_secs(30);
/// Time to seize a line, in addition to the wait for dial tone.
const SEIZE: Duration = Duration::from_secs(10);

/// A line: its port, and what depends on its kind.
type Line = (Port, Box<dyn Machine>);

/// All lines of one card.
#[derive(Debug)]
pub struct Lines<C: PortCard> {
    pub(super) card: C,
    pub(super) lines: Vec<Line>,
    pub(super) infos: Vec<PortInfo>,
    pub(super) handles: Arc<CallHandles>,
    orders: Vec<(PortNumber, Order)>,
    clock: SampleClock,
    /// Room to render what the kernel plays; empty if the lines move the samples.
    rendered: Vec<i16>,
    look_after: Time,
    pub(super) gone: bool,
}

/// Passes a card's frames and events to its lines.
struct Sink<'a, 'b, 'c> {
    lines: &'a mut [Line],
    clock: &'a mut SampleClock,
    visit: Visit<'b, 'c>,
}

impl Sink<'_, '_, '_> {
    /// A frame of samples of a port came in.
    fn hear(&mut self, number: PortNumber, received: &[u8; FRAME]) {
        let real = self.visit.cx.now();
        self.clock.heard(number, FRAME, real);
        self.visit.now = self.clock.now(real);
        for (port, machine) in self.lines.iter_mut().filter(|(port, _)| port.number == number) {
            let heard = port.receive(received);
            machine.hear(port, &mut self.visit, &heard);
        }
    }
}

impl PortSink for Sink<'_, '_, '_> {
    fn event(&mut self, number: PortNumber, event: PortEvent) {
        report!(DEBUG, "port {number}: {event:?}");
        for (port, machine) in self.lines.iter_mut().filter(|(port, _)| port.number == number) {
            machine.event(port, &mut self.visit, event);
        }
    }

    fn frame(&mut self, number: PortNumber, received: &[u8; FRAME], play: &mut [u8; FRAME]) {
        self.hear(number, received);
        for (port, machine) in self.lines.iter_mut().filter(|(port, _)| port.number == number) {
            let samples = playing::frame(port, machine.as_mut(), &mut self.visit);
            *play = samples.map(|sample| port.sound_path.send(sample));
        }
    }
}

impl<C: PortCard> Lines<C> {
    /// Starts a card that was brought up.
    ///
    /// # Errors
    /// The card does not start.
    pub fn new(mut card: C, handles: Arc<CallHandles>, now: Time) -> Result<Self, StartCardError> {
        card.start(now)?;
        let country = card.country();
        let mut infos = Vec::new();
        let mut lines = Vec::new();
        for port in PortNumber::each().take(card.slots().len()) {
            let Some(status) = card.status(port) else { continue };
            infos.push(PortInfo { port, kind: status.kind });
            let machine: Box<dyn Machine> = match status.kind {
                ModuleKind::Fxo => Box::new(Fxo::new(country, status.battery)),
                ModuleKind::Fxs => Box::new(Fxs::new(country, LineNumber::at(lines.len()))),
            };
            let number = LineNumber::at(lines.len());
            lines.push((Port::new(number, port, country.companding()), machine));
        }
        let orders = Vec::with_capacity(64);
        let rendered = vec![0; if card.kernel_moves_samples() { MOST } else { 0 }];
        let look_after = now + card.look_interval();
        let clock = SampleClock::new(card.slots().len(), now);
        Ok(Lines { card, lines, infos, handles, orders, clock, rendered, look_after, gone: false })
    }

    /// The lines, in the order of their numbers.
    pub fn infos(&self) -> &[PortInfo] {
        &self.infos
    }

    /// The card whose ports the lines are.
    pub fn card(&self) -> &C {
        &self.card
    }

    /// Fits an FXO port to its line; returns whether it is one, in service.
    pub fn tune(&mut self, port: PortNumber, tuning: LineTuning) -> bool {
        self.card.tune(port, tuning).is_ok()
    }

    /// Begins to read all registers of the card ([`PortCard::begin_dump`]).
    pub fn begin_register_dump(&mut self) -> bool {
        self.card.begin_dump()
    }

    // Inside

    /// The port of a call, which may be over.
    pub(super) fn port_of(&mut self, call: HDRVCALL) -> Result<&mut Port, LineError> {
        let line = CallHandles::line(call).ok_or(LineError::INVALCALLHANDLE)?;
        let (port, _) = self.lines.get_mut(line.index()).ok_or(LineError::INVALCALLHANDLE)?;
        Ok(port)
    }

    /// A call's port and what depends on its kind, and a visit to them; the call may be over.
    pub(super) fn line_of<'a, 'c>(
        &'a mut self,
        call: HDRVCALL,
        cx: &'a mut Context<'c, Event>,
    ) -> Result<(&'a mut Port, &'a mut dyn Machine, Visit<'a, 'c>), LineError> {
        let line = CallHandles::line(call).ok_or(LineError::INVALCALLHANDLE)?;
        let (lines, visit) = self.parts(cx);
        let (port, machine) = lines.get_mut(line.index()).ok_or(LineError::INVALCALLHANDLE)?;
        Ok((port, machine.as_mut(), visit))
    }

    /// The lines and a visit to them, borrowed side by side.
    pub(super) fn parts<'a, 'c>(
        &'a mut self,
        cx: &'a mut Context<'c, Event>,
    ) -> (&'a mut [Line], Visit<'a, 'c>) {
        let now = self.clock.now(cx.now());
        let (orders, handles) = (&mut self.orders, &*self.handles);
        (&mut self.lines, Visit { cx, orders, handles, now })
    }

    fn visit_card(
        &mut self,
        cx: &mut Context<'_, Event>,
        visit: impl FnOnce(&mut C, Time, &mut Sink<'_, '_, '_>) -> Service,
    ) {
        if self.gone {
            return;
        }
        let real = cx.now();
        let (card, mut sink) = self.sink(cx);
        let service = visit(card, real, &mut sink);
        self.look_after = real + self.card.look_interval();
        match service {
            Service::Gone => self.gone(cx),
            Service::Frames { missed, .. } => {
                self.clock.missed(u64::from(missed) * FRAME as u64);
                self.carry_out(cx);
            }
            _ => self.carry_out(cx),
        }
    }

    /// The card, and the sink of its frames and events.
    fn sink<'a, 'c>(&'a mut self, cx: &'a mut Context<'c, Event>) -> (&'a mut C, Sink<'a, 'a, 'c>) {
        let now = self.clock.now(cx.now());
        let visit = Visit { cx, orders: &mut self.orders, handles: &self.handles, now };
        let (lines, clock) = (&mut self.lines, &mut self.clock);
        (&mut self.card, Sink { lines, clock, visit })
    }

    /// If the kernel moves the samples: gives it what the lines play.
    fn play_ahead(&mut self, cx: &mut Context<'_, Event>) {
        if self.rendered.is_empty() || self.gone {
            return;
        }
        let mut rendered = std::mem::take(&mut self.rendered);
        let (lines, mut visit) = self.parts(cx);
        for (port, machine) in lines {
            playing::ahead(port, machine.as_mut(), &mut visit, &mut rendered);
        }
        self.rendered = rendered;
    }

    /// Gives the card the orders of its lines.
    pub(super) fn carry_out(&mut self, cx: &mut Context<'_, Event>) {
        self.play_ahead(cx);
        let mut gone = false;
        for (port, order) in self.orders.drain(..) {
            let done = match order {
                Order::Hook(hook) => self.card.set_hook(port, hook),
                Order::Feed(feed) => self.card.set_line_feed(port, feed),
                Order::Polarity(polarity) => self.card.set_polarity(port, polarity),
            };
            if let Err(error) = done {
                report!(WARN, "port {port}: the card did not take an order ({order:?}): {error}");
                gone |= error == PortError::Gone;
            }
        }
        if gone && !self.gone {
            self.gone(cx);
        }
        self.notice_phones(cx);
    }

    fn make_call(
        &mut self,
        request: Token,
        command: Command,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), LineError> {
        let Command::MakeCall {
            opening,
            call,
            address,
            called,
            only_if_idle,
            media,
            timing,
            caller,
            notes,
        } = command
        else {
            return Err(LineError::OPERATIONFAILED);
        };
        let (lines, mut visit) = self.parts(cx);
        let line = CallHandles::line(call).ok_or(LineError::INVALLINEHANDLE)?;
        let (port, machine) = lines.get_mut(line.index()).ok_or(LineError::INVALLINEHANDLE)?;
        port.book.openings.check(opening)?;
        port.book.may_call()?;
        let info = CallInfo { caller, ..CallInfo::outbound(call, media, called, timing, notes) };
        let call = Call::new(call, info);
        port.book.started(request, Op::MakeCall);
        let outgoing = Outgoing { address, only_if_idle, timing };
        let made = machine.make_call(port, &mut visit, call, outgoing);
        if made.is_err() {
            port.book.ended(request);
        }
        made
    }

    /// Has the exchange of a line that has no call do something by codes.
    fn serve(
        &mut self,
        request: Token,
        line: LineNumber,
        opening: Opening,
        asked: &Asked,
        call: Option<Call>,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), LineError> {
        let (lines, mut visit) = self.parts(cx);
        let place = lines.get_mut(line.index());
        let (port, machine) = place.ok_or(LineError::INVALLINEHANDLE)?;
        port.book.openings.check(opening)?;
        // None of these functions' pages has the error of lineMakeCall.
        port.book.may_call().map_err(|_| LineError::RESOURCEUNAVAIL)?;
        let op = if call.is_some() { Op::MakeCall } else { Op::Service };
        port.book.started(request, op);
        let begun = machine.serve(port, &mut visit, asked, call);
        if begun.is_err() {
            port.book.ended(request);
        }
        begun
    }

    fn begin(
        &mut self,
        request: Token,
        command: Command,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), LineError> {
        match command {
            Command::MakeCall { .. } => return self.make_call(request, command, cx),
            Command::Forward { line, opening, forwards } => {
                return self.serve(request, line, opening, &Asked::Forward(forwards), None, cx);
            }
            Command::UncompleteCall { line, opening, completion } => {
                let asked = Asked::Uncomplete(completion);
                return self.serve(request, line, opening, &asked, None, cx);
            }
            Command::PickUp { opening, call, number } => {
                let line = CallHandles::line(call).ok_or(LineError::INVALLINEHANDLE)?;
                let call = fetched(call, LINECALLREASON_PICKUP);
                let asked = Asked::PickUp(number);
                return self.serve(request, line, opening, &asked, Some(call), cx);
            }
            Command::Unpark { opening, call, place } => {
                let line = CallHandles::line(call).ok_or(LineError::INVALLINEHANDLE)?;
                let call = fetched(call, LINECALLREASON_UNPARK);
                let asked = Asked::Unpark(place);
                return self.serve(request, line, opening, &asked, Some(call), cx);
            }
            Command::PassThrough { .. } => return Err(LineError::BEARERMODEUNAVAIL),
            Command::SetLineDevStatus { line, opening, bits, on } => {
                let place = self.lines.get_mut(line.index());
                let (port, machine) = place.ok_or(LineError::INVALLINEHANDLE)?;
                port.book.openings.check(opening)?;
                port.book.set_device_status(cx, bits, on, machine.in_service())?;
                cx.complete(request, Ok(()));
                if bits & LINEDEVSTATUSFLAGS_MSGWAIT != 0 {
                    let lamp = if on { PHONELAMPMODE_STEADY } else { PHONELAMPMODE_OFF };
                    self.set_lamp(line, lamp, cx);
                }
                return Ok(());
            }
            _ => {}
        }
        let call = command.call().ok_or(LineError::INVALCALLHANDLE)?;
        self.can(call, command.feature().ok_or(LineError::OPERATIONUNAVAIL)?)?;
        let (port, machine, mut visit) = self.line_of(call, cx)?;
        let Some(command) = port.book.keep(visit.cx, request, command) else { return Ok(()) };
        match command {
            Command::Dial { address, .. } => machine.dial(port, &mut visit, request, address)?,
            Command::Answer { .. } => machine.answer(port, &mut visit, request),
            Command::Hold { .. } | Command::Unhold { .. } if machine.exchange().is_none() => {
                visit.cx.complete(request, Ok(()));
                machine.hold(port, &mut visit, matches!(command, Command::Hold { .. }));
            }
            Command::Hold { .. }
            | Command::Unhold { .. }
            | Command::SetupTransfer { .. }
            | Command::SetupConference { .. }
            | Command::PrepareAddToConference { .. }
            | Command::AddToConference { .. }
            | Command::RemoveFromConference { .. }
            | Command::CompleteTransfer { .. }
            | Command::BlindTransfer { .. }
            | Command::Park { .. }
            | Command::CompleteCall { .. }
            | Command::SwapHold { .. } => {
                let task = switching::task(&mut port.book, command)?;
                port.book.started(request, Op::Switch);
                let begun = machine.switch(port, &mut visit, task);
                if begun.is_err() {
                    port.book.ended(request);
                }
                begun?;
            }
            Command::SetCallTreatment { treatment, .. } => {
                if port.book.set_treatment(visit.cx, call, treatment) {
                    machine.treatment_changed(port);
                }
                visit.cx.complete(request, Ok(()));
            }
            Command::Drop { .. } => {
                // D7: dropping ends the call's other requests.
                port.book.complete_all(visit.cx, LineError::OPERATIONFAILED);
                if let Some(task) = machine.releases(port, call) {
                    port.book.started(request, Op::Switch);
                    return machine.switch(port, &mut visit, task);
                }
                if machine.returns(port, call) {
                    port.set_state(&mut visit, CallState::Idle, 0);
                    machine.switch(port, &mut visit, Task::Back)?;
                    visit.cx.complete(request, Ok(()));
                    return Ok(());
                }
                machine.hang_up(port, &mut visit);
                port.book.end_aside(visit.cx, None);
                if port.book.state().is_some() {
                    port.set_state(&mut visit, CallState::Idle, 0);
                } else if port.book.living(call).is_ok() {
                    port.book.forget(call);
                    port.hush(&mut visit);
                }
                visit.cx.complete(request, Ok(()));
            }
            _ => return Err(LineError::OPERATIONUNAVAIL),
        }
        Ok(())
    }
}

/// A call that is fetched from elsewhere.
fn fetched(call: HDRVCALL, reason: u32) -> Call {
    let info = CallInfo::inbound(call, LINEMEDIAMODE_INTERACTIVEVOICE);
    Call::new(call, CallInfo { reason, ..info })
}

impl<C: PortCard> Engine for Lines<C> {
    type Command = Command;
    type Event = Event;
    type Output = ();

    fn lines(&self) -> usize {
        self.lines.len()
    }

    fn time_limit(command: &Command) -> Duration {
        match command {
            Command::MakeCall { timing, .. } => {
                let wait = Duration::from_millis(u64::from(timing.dial_tone_ms));
                SEIZE + wait + Country::MOST_DIAL_TONE_DELAY + Country::MOST_STUTTER
            }
            Command::Hold { .. }
            | Command::Unhold { .. }
            | Command::SetupTransfer { .. }
            | Command::SetupConference { .. }
            | Command::PrepareAddToConference { .. }
            | Command::AddToConference { .. }
            | Command::RemoveFromConference { .. }
            | Command::CompleteTransfer { .. }
            | Command::CompleteCall { .. }
            | Command::SwapHold { .. } => SWITCHING,
            Command::Park { place, .. } => SWITCHING + 2 * dialing_time(place, &DialTiming::MAX),
            Command::UncompleteCall { .. } => FOLLOWING,
            Command::Forward { forwards, .. } => {
                let time = |to: &Option<DialString>| {
                    let dial = |to| 2 * dialing_time(to, &DialTiming::MAX);
                    FOLLOWING + to.as_ref().map_or(Duration::ZERO, dial)
                };
                forwards.iter().map(|(_, to)| time(to)).sum()
            }
            Command::PickUp { number, .. } => {
                let dial = |number| 2 * dialing_time(number, &DialTiming::MAX);
                FOLLOWING + number.as_ref().map_or(Duration::ZERO, dial)
            }
            Command::Unpark { place, .. } => FOLLOWING + 2 * dialing_time(place, &DialTiming::MAX),
            Command::BlindTransfer { address, .. } => {
                SWITCHING + RINGS + 2 * dialing_time(address, &DialTiming::MAX)
            }
            Command::Dial { address, .. } => SHORT + 2 * dialing_time(address, &DialTiming::MAX),
            // PassThrough, Send and Receive are for modems, and refused.
            Command::Answer { .. }
            | Command::Drop { .. }
            | Command::Accept { .. }
            | Command::SetCallData { .. }
            | Command::SetCallParams { .. }
            | Command::SetCallTreatment { .. }
            | Command::SetLineDevStatus { .. }
            | Command::PassThrough { .. }
            | Command::Send { .. }
            | Command::Receive { .. }
            | Command::SetPhone { .. } => SHORT,
        }
    }

    fn failure(cause: Failure) -> ErrorCode {
        book::failure(cause)
    }

    fn start(
        &mut self,
        request: Token,
        command: Command,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), ErrorCode> {
        if self.gone {
            return Err(match command {
                Command::SetPhone { .. } => PhoneError::NODEVICE.into(),
                _ => LineError::NODEVICE.into(),
            });
        }
        let begun = match command {
            Command::SetPhone { line, opening, setting } => {
                self.set_phone(request, line, opening, setting, cx).map_err(ErrorCode::from)
            }
            _ => self.begin(request, command, cx).map_err(ErrorCode::from),
        };
        self.carry_out(cx);
        begun
    }

    fn interrupt(&mut self, cx: &mut Context<'_, Event>) {
        self.visit_card(cx, |card, now, sink| card.service(now, sink));
    }

    fn next_timer(&self) -> Time {
        if self.gone { Time::NEVER } else { self.look_after }
    }

    fn timer(&mut self, cx: &mut Context<'_, Event>) {
        self.visit_card(cx, |card, now, sink| card.look_after(now, sink));
    }

    fn received(&mut self, number: PortNumber, samples: &[u8], cx: &mut Context<'_, Event>) {
        if self.gone {
            return;
        }
        let silence = self.card.country().companding().silence();
        let (card, mut sink) = self.sink(cx);
        // Samples of a module whose chip is being set up again are not sound.
        let mute = card.status(number).is_none_or(|status| status.restoring);
        for frame in samples.chunks(FRAME) {
            let mut heard = [silence; FRAME];
            for (heard, sample) in heard.iter_mut().zip(frame).filter(|_| !mute) {
                *heard = *sample;
            }
            sink.hear(number, &heard);
        }
        self.carry_out(cx);
    }

    fn played(&mut self, number: PortNumber, play: Play, how: Played, cx: &mut Context<'_, Event>) {
        let (lines, mut visit) = self.parts(cx);
        for (port, machine) in lines.iter_mut().filter(|(port, _)| port.number == number) {
            let Some(sound) = port.played(play) else { continue };
            if how == Played::All {
                continue;
            }
            port.sound_path.forget();
            report!(WARN, "line {}: samples were not played ({sound:?}): {how:?}", port.book.line);
            match sound {
                Sound::Dial => machine.dial_failed(port, &mut visit),
                Sound::Digits => port.stop_generating(&mut visit),
                Sound::Tone(_)
                | Sound::CallerId
                | Sound::Acknowledgement
                | Sound::Audio
                | Sound::Rest => {}
            }
        }
        self.carry_out(cx);
    }

    fn ended(&mut self, request: Token, cause: Failure, cx: &mut Context<'_, Event>) {
        let (lines, mut visit) = self.parts(cx);
        for (port, machine) in lines {
            let Some(op) = port.book.ended(request) else { continue };
            report!(WARN, "line {}: a request was ended ({op:?}): {cause}", port.book.line);
            match op {
                // Making the call failed (N8).
                Op::MakeCall => {
                    machine.hang_up(port, &mut visit);
                    port.book.call = None;
                }
                Op::Answer => {
                    machine.hang_up(port, &mut visit);
                    port.set_state(&mut visit, CallState::Idle, 0);
                }
                Op::Dial => machine.dial_ended(port, &mut visit),
                Op::Switch => machine.switch_ended(port, &mut visit),
                Op::Service => machine.hang_up(port, &mut visit),
                Op::Drop => {}
            }
        }
        self.carry_out(cx);
    }

    fn gone(&mut self, cx: &mut Context<'_, Event>) {
        if std::mem::replace(&mut self.gone, true) {
            return;
        }
        report!(ERROR, "the card is gone");
        let (lines, mut visit) = self.parts(cx);
        for (port, machine) in lines {
            machine.hang_up(port, &mut visit);
            port.stop_generating(&mut visit);
            port.stop_listening(&mut visit);
            port.book.gone(visit.cx);
            if let Some(phone) = machine.phone_mut() {
                phone.gone(visit.cx);
            }
            port.hush(&mut visit);
        }
        self.orders.clear();
        // If only the interrupt failed, the card still takes commands, and no line may stay
        // off-hook.
        self.card.safe();
    }

    fn stop(&mut self, cx: &mut Context<'_, Event>) {
        for line in 0..self.lines.len() {
            // What is not open has nothing to close.
            let _ = self.close(LineNumber::at(line), cx);
            let _ = self.close_phone(LineNumber::at(line), cx);
        }
        self.card.safe();
    }
}
