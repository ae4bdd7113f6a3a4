//! The engine of a card's lines: commands and interrupts in, completions and events out.

use std::sync::Arc;
use std::time::Duration;

use ringback_country::Country;
use ringback_driver::card::{
    FRAME, ModuleKind, PortCard, PortError, PortEvent, PortSink, SILENCE, Service, StartError,
};
use ringback_driver::engine::{Context, Engine, Failure, Play, Played};
use ringback_driver::request::{ErrorCode, Token};
use ringback_driver::{Time, report};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::error::LineError;
use ringback_tspi::key::Key;
use ringback_tspi::media::Audio;
use ringback_tspi::structs::LINEMONITORTONE;
use ringback_tspi::types::{HDRVCALL, HTAPILINE};

use super::clock::SampleClock;
use super::dialer::dialing_time;
use super::fxo::Fxo;
use super::fxs::Fxs;
use super::generation::Generation;
use super::port::{Order, Port, PortInfo, Visit, decode, encode};
use super::whole::Sound;
use crate::book::Op;
use crate::call::{Call, CallHandles, CallInfo, CallSnapshot};
use crate::{
    Book, Command, DeviceConfig, Event, Gather, LineEngine, LineReport, Opening, Tone, book,
};

/// Limit of answering and dropping, which take a few frames; a card that takes longer does not
/// work.
const SHORT: Duration = Duration::from_secs(5);
/// Time to seize a line, in addition to the wait for dial tone.
const SEIZE: Duration = Duration::from_secs(10);

/// Lists of tones that can be listened for at once on a line.
const MOST_LISTS: usize = 8;

/// The part of a line that depends on its kind.
#[derive(Debug)]
enum Machine {
    Fxo(Box<Fxo>),
    Fxs(Fxs),
}

/// All lines of one card.
#[derive(Debug)]
pub struct Lines<C: PortCard> {
    card: C,
    lines: Vec<(Port, Machine)>,
    infos: Vec<PortInfo>,
    handles: Arc<CallHandles>,
    orders: Vec<(usize, Order)>,
    clock: SampleClock,
    /// The kernel moves the samples: they come in and go out by whole buffers.
    whole: bool,
    look_after: Time,
    gone: bool,
}

/// Hands a card's frames and events to its lines.
struct Sink<'a, 'b, 'c> {
    lines: &'a mut [(Port, Machine)],
    handles: &'a CallHandles,
    clock: &'a mut SampleClock,
    visit: Visit<'b, 'c>,
}

impl Sink<'_, '_, '_> {
    /// A frame of samples of a slot came in.
    fn hear(&mut self, slot: usize, received: &[u8; FRAME]) {
        let real = self.visit.cx.now();
        self.clock.heard(slot, FRAME, real);
        self.visit.now = self.clock.now(real);
        for (port, machine) in self.lines.iter_mut().filter(|(port, _)| port.slot == slot) {
            let heard = decode(received);
            match machine {
                Machine::Fxo(fxo) => fxo.hear(port, &mut self.visit, &heard),
                Machine::Fxs(fxs) => fxs.hear(port, &mut self.visit, self.handles, &heard),
            }
        }
    }
}

impl PortSink for Sink<'_, '_, '_> {
    fn event(&mut self, slot: usize, event: PortEvent) {
        report!(DEBUG, "port {slot}: {event:?}");
        for (port, machine) in self.lines.iter_mut().filter(|(port, _)| port.slot == slot) {
            match machine {
                Machine::Fxo(fxo) => fxo.event(port, &mut self.visit, self.handles, event),
                Machine::Fxs(fxs) => fxs.event(port, &mut self.visit, event),
            }
        }
    }

    fn frame(&mut self, slot: usize, received: &[u8; FRAME], play: &mut [u8; FRAME]) {
        self.hear(slot, received);
        for (port, machine) in self.lines.iter_mut().filter(|(port, _)| port.slot == slot) {
            let mut out = [0; FRAME];
            match machine {
                Machine::Fxo(fxo) => fxo.fill(port, &mut self.visit, &mut out),
                Machine::Fxs(fxs) => fxs.fill(port, &mut self.visit, &mut out),
            }
            *play = encode(out);
        }
    }
}

impl<C: PortCard> Lines<C> {
    /// Takes a card that was brought up and starts it.
    ///
    /// # Errors
    /// The card does not start.
    pub fn new(mut card: C, handles: Arc<CallHandles>, now: Time) -> Result<Self, StartError> {
        card.start(now)?;
        let country = card.country();
        let mut infos = Vec::new();
        let mut lines = Vec::new();
        for slot in 0..card.slots().len() {
            let Some(status) = card.status(slot) else { continue };
            infos.push(PortInfo { port: slot, kind: status.kind });
            let machine = match status.kind {
                ModuleKind::Fxo => Machine::Fxo(Box::new(Fxo::new(country, status.battery))),
                ModuleKind::Fxs => Machine::Fxs(Fxs::new(country)),
            };
            lines.push((Port::new(lines.len(), slot), machine));
        }
        let orders = Vec::with_capacity(64);
        let whole = card.kernel_moves_samples();
        let look_after = now + card.look_interval();
        let clock = SampleClock::new(card.slots().len(), now);
        Ok(Lines { card, lines, infos, handles, orders, clock, whole, look_after, gone: false })
    }

    /// What the lines are, in the order in which they are numbered.
    pub fn infos(&self) -> &[PortInfo] {
        &self.infos
    }

    /// The card whose ports the lines are.
    pub fn card(&self) -> &C {
        &self.card
    }

    // Inside

    /// The lines and a visit to them, borrowed side by side.
    fn parts<'a, 'c>(
        &'a mut self,
        cx: &'a mut Context<'c, Event>,
    ) -> (&'a mut [(Port, Machine)], Visit<'a, 'c>) {
        let now = self.clock.now(cx.now());
        (&mut self.lines, Visit { cx, orders: &mut self.orders, now })
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
        self.look_after = real + self.card.look_interval();
        let (card, mut sink) = self.sink(cx);
        match visit(card, real, &mut sink) {
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
        let visit = Visit { cx, orders: &mut self.orders, now };
        let (lines, handles, clock) = (&mut self.lines, &self.handles, &mut self.clock);
        (&mut self.card, Sink { lines, handles, clock, visit })
    }

    /// Where the kernel moves the samples: hands it what the lines have to play.
    fn go_on(&mut self, cx: &mut Context<'_, Event>) {
        if !self.whole || self.gone {
            return;
        }
        let (lines, mut visit) = self.parts(cx);
        for (port, machine) in lines {
            match machine {
                Machine::Fxo(fxo) => fxo.go_on(port, &mut visit),
                Machine::Fxs(fxs) => fxs.go_on(port, &mut visit),
            }
        }
    }

    /// Gives the card the orders of its lines.
    fn carry_out(&mut self, cx: &mut Context<'_, Event>) {
        self.go_on(cx);
        let mut gone = false;
        for (slot, order) in self.orders.drain(..) {
            let done = match order {
                Order::Hook(hook) => self.card.set_hook(slot, hook),
                Order::Feed(feed) => self.card.set_line_feed(slot, feed),
            };
            if let Err(error) = done {
                report!(WARN, "slot {slot}: the card did not take an order ({order:?}): {error}");
                gone |= error == PortError::Gone;
            }
        }
        if gone && !self.gone {
            self.gone(cx);
        }
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
            notes,
        } = command
        else {
            return Err(LineError::OPERATIONFAILED);
        };
        let (lines, mut visit) = self.parts(cx);
        let line = CallHandles::line(call).ok_or(LineError::INVALLINEHANDLE)?;
        let (port, machine) = lines.get_mut(line).ok_or(LineError::INVALLINEHANDLE)?;
        port.book.openings.check(opening)?;
        let info = CallInfo::outbound(call, media, called, timing, notes);
        let call = Call::new(call, info);
        port.book.started(request, Op::MakeCall);
        let made = match machine {
            Machine::Fxo(fxo) => {
                fxo.make_call(port, &mut visit, call, address, only_if_idle, timing)
            }
            Machine::Fxs(fxs) => fxs.make_call(port, &mut visit, call),
        };
        if made.is_err() {
            port.book.ended(request);
        }
        made
    }

    fn begin(
        &mut self,
        request: Token,
        command: Command,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), LineError> {
        let call = command.call();
        match command {
            Command::MakeCall { .. } => return self.make_call(request, command, cx),
            Command::PassThrough { .. } => return Err(LineError::BEARERMODEUNAVAIL),
            _ => {}
        }
        self.can(call, command.feature().ok_or(LineError::OPERATIONUNAVAIL)?)?;
        let (lines, mut visit) = self.parts(cx);
        let line = CallHandles::line(call).ok_or(LineError::INVALCALLHANDLE)?;
        let (port, machine) = lines.get_mut(line).ok_or(LineError::INVALCALLHANDLE)?;
        let Some(command) = port.book.keep(visit.cx, request, command) else { return Ok(()) };
        match (command, machine) {
            (Command::Dial { address, .. }, Machine::Fxo(fxo)) => {
                fxo.dial(port, &mut visit, request, address);
            }
            (Command::Answer { .. }, Machine::Fxo(fxo)) => fxo.answer(port, &mut visit, request),
            (Command::Answer { .. }, Machine::Fxs(fxs)) => fxs.answer(port, &mut visit, request),
            (Command::Drop { .. }, machine) => {
                // D7: dropping ends the call's other requests.
                port.book.complete_all(visit.cx, LineError::OPERATIONFAILED);
                hang_up(port, machine, &mut visit);
                if port.book.state().is_some() {
                    port.set_state(&mut visit, CallState::Idle, 0);
                } else {
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

fn hang_up(port: &Port, machine: &mut Machine, visit: &mut Visit<'_, '_>) {
    match machine {
        Machine::Fxo(fxo) => fxo.hang_up(port, visit),
        Machine::Fxs(fxs) => fxs.hang_up(port, visit),
    }
}

impl<C: PortCard> LineEngine for Lines<C> {
    fn book(&mut self, line: usize) -> Option<&mut Book> {
        self.lines.get_mut(line).map(|(port, _)| &mut port.book)
    }

    fn state(&self, line: usize) -> Option<LineReport> {
        let (port, machine) = self.lines.get(line)?;
        let takes_call = match machine {
            Machine::Fxo(fxo) => fxo.can_call(port),
            Machine::Fxs(fxs) => fxs.can_call(port),
        };
        Some(LineReport {
            opening: port.book.openings.current(),
            call: port.book.call.as_ref().map(|call| call.state),
            in_service: !self.gone
                && match machine {
                    Machine::Fxo(fxo) => fxo.in_service(),
                    Machine::Fxs(fxs) => fxs.in_service(),
                },
            takes_call: !self.gone && takes_call.is_ok(),
            ring_mode: port.book.ring_mode(),
        })
    }

    fn open(
        &mut self,
        line: usize,
        tapi: HTAPILINE,
        _: &mut Context<'_, Event>,
    ) -> Result<Opening, LineError> {
        let (port, _) = self.lines.get_mut(line).ok_or(LineError::NODEVICE)?;
        if self.gone {
            return Err(LineError::NODEVICE);
        }
        let opening = port.book.open(tapi)?;
        // Samples that an application has kept from an earlier opening get nothing of this one.
        port.audio = Audio::default();
        Ok(opening)
    }

    fn close(&mut self, line: usize, cx: &mut Context<'_, Event>) -> Result<(), LineError> {
        let (lines, mut visit) = self.parts(cx);
        let (port, machine) = lines.get_mut(line).ok_or(LineError::NODEVICE)?;
        if port.book.openings.tapi().is_none() {
            return Err(LineError::OPERATIONUNAVAIL);
        }
        hang_up(port, machine, &mut visit);
        port.hush(&mut visit);
        port.book.close(visit.cx);
        self.carry_out(cx);
        Ok(())
    }

    fn close_call(&mut self, call: HDRVCALL, cx: &mut Context<'_, Event>) -> Result<(), LineError> {
        if !self.handles.knows(call) {
            return Err(LineError::INVALCALLHANDLE);
        }
        let (lines, mut visit) = self.parts(cx);
        let line = CallHandles::line(call).ok_or(LineError::INVALCALLHANDLE)?;
        let (port, machine) = lines.get_mut(line).ok_or(LineError::INVALCALLHANDLE)?;
        if port.book.live(call).is_ok() {
            hang_up(port, machine, &mut visit);
            port.hush(&mut visit);
        }
        port.book.close_call(visit.cx, call);
        self.carry_out(cx);
        Ok(())
    }

    fn call(&self, call: HDRVCALL) -> Result<CallSnapshot, LineError> {
        let line = CallHandles::line(call).ok_or(LineError::INVALCALLHANDLE)?;
        let (port, _) = self.lines.get(line).ok_or(LineError::INVALCALLHANDLE)?;
        Ok(port
            .book
            .find(call)
            .ok_or(LineError::INVALCALLHANDLE)?
            .snapshot(line, self.features(call)))
    }

    fn generate_digits(
        &mut self,
        call: HDRVCALL,
        end_to_end: u32,
        digits: Option<&[Option<Key>]>,
        timing: DialTiming,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), LineError> {
        if digits.is_some() {
            self.can(call, LINECALLFEATURE_GENERATEDIGITS)?;
        }
        let (lines, mut visit) = self.parts(cx);
        let line = CallHandles::line(call).ok_or(LineError::INVALCALLHANDLE)?;
        let (port, _) = lines.get_mut(line).ok_or(LineError::INVALCALLHANDLE)?;
        port.book.living(call)?;
        let Some(digits) = digits else {
            port.stop_generating(&mut visit);
            self.carry_out(cx);
            return Ok(());
        };
        port.generate(&mut visit, end_to_end, Generation::digits(digits, timing));
        self.carry_out(cx);
        Ok(())
    }

    fn generate_tone(
        &mut self,
        call: HDRVCALL,
        end_to_end: u32,
        tone: Option<&Tone>,
        duration_ms: u32,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), LineError> {
        let Some(tone) = tone else {
            return self.generate_digits(call, end_to_end, None, DialTiming::default(), cx);
        };
        self.can(call, LINECALLFEATURE_GENERATETONE)?;
        let generation = Generation::tone(tone, duration_ms, self.card.country());
        let (lines, mut visit) = self.parts(cx);
        let line = CallHandles::line(call).ok_or(LineError::INVALCALLHANDLE)?;
        let (port, _) = lines.get_mut(line).ok_or(LineError::INVALCALLHANDLE)?;
        port.generate(&mut visit, end_to_end, generation);
        self.carry_out(cx);
        Ok(())
    }

    fn gather_digits(
        &mut self,
        call: HDRVCALL,
        gather: Option<Gather>,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), LineError> {
        if gather.is_some() {
            self.can(call, LINECALLFEATURE_GATHERDIGITS)?;
        }
        let (lines, mut visit) = self.parts(cx);
        let line = CallHandles::line(call).ok_or(LineError::INVALCALLHANDLE)?;
        let (port, _) = lines.get_mut(line).ok_or(LineError::INVALCALLHANDLE)?;
        port.book.living(call)?;
        match gather {
            Some(gather) => port.gather(&mut visit, gather),
            None => port.stop_gathering(&mut visit, LINEGATHERTERM_CANCEL),
        }
        Ok(())
    }

    fn monitor_tones(
        &mut self,
        call: HDRVCALL,
        list: u32,
        tones: Option<&[LINEMONITORTONE]>,
    ) -> Result<(), LineError> {
        if tones.is_some() {
            self.can(call, LINECALLFEATURE_MONITORTONES)?;
        }
        let line = CallHandles::line(call).ok_or(LineError::INVALCALLHANDLE)?;
        let (port, _) = self.lines.get_mut(line).ok_or(LineError::INVALCALLHANDLE)?;
        port.book.living(call)?;
        let lists = port.tone_lists();
        if tones.is_some() && lists.others(list) >= MOST_LISTS {
            return Err(LineError::RESOURCEUNAVAIL);
        }
        lists.set(list, tones);
        Ok(())
    }

    fn monitor_digits(&mut self, call: HDRVCALL, modes: u32) -> Result<(), LineError> {
        if modes & !(LINEDIGITMODE_DTMF | LINEDIGITMODE_DTMFEND) != 0 {
            return Err(LineError::INVALDIGITMODE);
        }
        if modes != 0 {
            self.can(call, LINECALLFEATURE_MONITORDIGITS)?;
        }
        let line = CallHandles::line(call).ok_or(LineError::INVALCALLHANDLE)?;
        let (port, _) = self.lines.get_mut(line).ok_or(LineError::INVALCALLHANDLE)?;
        if modes == 0 {
            port.book.find(call).ok_or(LineError::INVALCALLHANDLE)?;
            if let Ok(live) = port.book.live(call) {
                live.monitored = 0;
            }
            return Ok(());
        }
        port.book.living(call)?;
        port.start_listening();
        port.book.live(call)?.monitored = modes;
        Ok(())
    }

    fn can(&self, call: HDRVCALL, feature: u32) -> Result<(), LineError> {
        let line = CallHandles::line(call).ok_or(LineError::INVALCALLHANDLE)?;
        let (port, machine) = self.lines.get(line).ok_or(LineError::INVALCALLHANDLE)?;
        port.book.living(call)?;
        let possible = match machine {
            Machine::Fxo(fxo) => fxo.can(feature),
            Machine::Fxs(fxs) => fxs.can(feature),
        };
        let possible = possible.or(port.book.can_keep(feature));
        let possible = possible.ok_or(LineError::OPERATIONUNAVAIL)?;
        port.book.allows(call, feature)?;
        if possible { Ok(()) } else { Err(LineError::INVALCALLSTATE) }
    }

    fn config(&self, line: usize) -> Result<DeviceConfig, LineError> {
        match self.lines.get(line).ok_or(LineError::NODEVICE)? {
            (_, Machine::Fxo(_)) => {
                Ok(DeviceConfig::Exchange { country: self.card.country().name().to_owned() })
            }
            (_, Machine::Fxs(_)) => Err(LineError::OPERATIONUNAVAIL),
        }
    }

    /// The card's chips are set for a country when it is brought up, so there is no other one
    /// later.
    fn set_config(&mut self, line: usize, config: DeviceConfig) -> Result<(), LineError> {
        let current = self.config(line)?;
        match &config {
            _ if config == current => Ok(()),
            DeviceConfig::Exchange { country } if country.parse::<Country>().is_ok() => {
                Err(LineError::INVALLINESTATE)
            }
            _ => Err(LineError::INVALPARAM),
        }
    }

    fn audio(&self, line: usize) -> Option<Audio> {
        self.lines.get(line).map(|(port, _)| port.audio.clone())
    }
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
                SEIZE + Duration::from_millis(u64::from(timing.dial_tone_ms))
            }
            Command::Dial { address, .. } => SHORT + 2 * dialing_time(address, &DialTiming::MAX),
            // Those from PassThrough on are for modems, and refused.
            Command::Answer { .. }
            | Command::Drop { .. }
            | Command::Accept { .. }
            | Command::SetCallData { .. }
            | Command::SetCallParams { .. }
            | Command::PassThrough { .. }
            | Command::Send { .. }
            | Command::Receive { .. } => SHORT,
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
            return Err(LineError::NODEVICE.into());
        }
        let begun = self.begin(request, command, cx);
        self.carry_out(cx);
        begun.map_err(ErrorCode::from)
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

    fn received(&mut self, slot: usize, samples: &[u8], cx: &mut Context<'_, Event>) {
        if self.gone {
            return;
        }
        let (card, mut sink) = self.sink(cx);
        // Samples of a module whose chip is being set up again are not sound.
        let mute = card.status(slot).is_none_or(|status| status.restoring);
        for frame in samples.chunks(FRAME) {
            let mut heard = [SILENCE; FRAME];
            for (heard, sample) in heard.iter_mut().zip(frame).filter(|_| !mute) {
                *heard = *sample;
            }
            sink.hear(slot, &heard);
        }
        self.carry_out(cx);
    }

    fn played(&mut self, slot: usize, play: Play, how: Played, cx: &mut Context<'_, Event>) {
        let (lines, mut visit) = self.parts(cx);
        for (port, machine) in lines.iter_mut().filter(|(port, _)| port.slot == slot) {
            let Some(sound) = port.played(play) else { continue };
            if how == Played::All {
                continue;
            }
            report!(WARN, "line {}: samples were not played ({sound:?}): {how:?}", port.book.line);
            match (sound, machine) {
                (Sound::Dial, Machine::Fxo(fxo)) => fxo.dial_failed(port, &mut visit),
                (Sound::Digits, _) => port.stop_generating(&mut visit),
                _ => {}
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
                    hang_up(port, machine, &mut visit);
                    port.book.call = None;
                }
                Op::Answer => {
                    hang_up(port, machine, &mut visit);
                    port.set_state(&mut visit, CallState::Idle, 0);
                }
                Op::Dial => {
                    if let Machine::Fxo(fxo) = machine {
                        fxo.dial_ended(port, &mut visit);
                    }
                }
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
            hang_up(port, machine, &mut visit);
            port.stop_generating(&mut visit);
            port.stop_listening(&mut visit);
            port.book.gone(visit.cx);
            port.hush(&mut visit);
        }
        self.orders.clear();
        // If only the interrupt failed, the card still takes commands, and no line may stay
        // off-hook.
        self.card.safe();
    }

    fn stop(&mut self, cx: &mut Context<'_, Event>) {
        for line in 0..self.lines.len() {
            // A line that is not open has nothing to close.
            let _ = self.close(line, cx);
        }
        self.card.safe();
    }
}
