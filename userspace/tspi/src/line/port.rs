//! What FXO and FXS lines have in common: the call, its requests, its digits and its audio.

use ringback_driver::Time;
use ringback_driver::card::{FRAME, Hook, LineFeed, ModuleKind};
use ringback_driver::engine::Context;
use ringback_driver::request::Token;
use ringback_media::dtmf;
use ringback_media::g711::{ulaw_decode, ulaw_encode};
use ringback_media::tone::Plan;

use super::audio::Audio;
use super::call::Call;
use super::{Event, Subject};
use crate::callstate::CallState;
use crate::constants::*;
use crate::error::LineError;
use crate::types::{HDRVCALL, HTAPILINE};

/// Calls that are over and not yet closed, per line. TAPI closes each one; more than this are left
/// by an application that leaks, and the oldest goes.
const OVER: usize = 64;

/// What a line is, for LINEDEVCAPS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortInfo {
    /// The slot on the card.
    pub port: usize,
    /// What is in it.
    pub kind: ModuleKind,
}

/// How a line is now, for LINEDEVSTATUS and for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortState {
    /// The line is open.
    pub open: bool,
    /// The state of its call, if it has one; `None` inside while the call has no state yet.
    pub call: Option<Option<CallState>>,
    /// FXO: an exchange feeds the line; FXS: always true.
    pub in_service: bool,
}

/// What the card is to do after the samples have been moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Hook(Hook),
    Feed(LineFeed),
}

/// The kinds of request a call has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    MakeCall,
    Dial,
    Answer,
}

/// One visit of the engine to a line: the time, and where effects go.
pub(super) struct Visit<'a, 'c> {
    pub(super) cx: &'a mut Context<'c, Event>,
    pub(super) orders: &'a mut Vec<(usize, Order)>,
}

impl Visit<'_, '_> {
    pub(super) fn now(&self) -> Time {
        self.cx.now()
    }
}

/// One line.
#[derive(Debug)]
pub(super) struct Port {
    /// Its number as the reactor counts.
    pub(super) line: usize,
    /// Its slot on the card.
    pub(super) slot: usize,
    pub(super) open: Option<HTAPILINE>,
    pub(super) call: Option<Call>,
    /// Calls in IDLE that are not closed.
    over: Vec<Call>,
    requests: Vec<(Token, Op)>,
    pub(super) audio: Audio,
    listener: dtmf::Detector,
    generator: dtmf::Generator,
}

impl Port {
    pub(super) fn new(line: usize, slot: usize) -> Port {
        Port {
            line,
            slot,
            open: None,
            call: None,
            over: Vec::with_capacity(OVER),
            requests: Vec::with_capacity(8),
            audio: Audio::default(),
            listener: dtmf::Detector::new(),
            generator: dtmf::Generator::new(),
        }
    }

    /// The call with this handle, live or over.
    pub(super) fn find(&self, call: HDRVCALL) -> Option<&Call> {
        self.call.iter().chain(&self.over).find(|one| one.handle == call)
    }

    /// The live call, if it has this handle.
    pub(super) fn live(&mut self, call: HDRVCALL) -> Result<&mut Call, LineError> {
        match &mut self.call {
            Some(live) if live.handle == call => Ok(live),
            _ if self.over.iter().any(|one| one.handle == call) => Err(LineError::INVALCALLSTATE),
            _ => Err(LineError::INVALCALLHANDLE),
        }
    }

    /// The state of the live call.
    pub(super) fn state(&self) -> Option<CallState> {
        self.call.as_ref().and_then(|call| call.state)
    }

    pub(super) fn order(&self, visit: &mut Visit<'_, '_>, order: Order) {
        visit.orders.push((self.slot, order));
    }

    // Events

    pub(super) fn tell_line(&self, visit: &mut Visit<'_, '_>, message: u32, params: [usize; 3]) {
        if let Some(line) = self.open {
            visit.cx.event(self.line, Event { line, subject: Subject::Line { message, params } });
        }
    }

    fn tell_call(&self, visit: &mut Visit<'_, '_>, message: u32, params: [usize; 3]) {
        if let (Some(line), Some(call)) = (self.open, &self.call) {
            let subject = Subject::Call { call: call.handle, message, params };
            visit.cx.event(self.line, Event { line, subject });
        }
    }

    /// Announces a call born here, with its first state (N14).
    pub(super) fn offer(&mut self, visit: &mut Visit<'_, '_>, call: Call) {
        let Some(line) = self.open else { return };
        let subject = Subject::NewCall(call.handle);
        self.call = Some(call);
        visit.cx.event(self.line, Event { line, subject });
        self.set_state(visit, CallState::Offering, LINEOFFERINGMODE_ACTIVE);
    }

    /// Moves the call to a state and tells it, once. IDLE ends the call (O3).
    pub(super) fn set_state(&mut self, visit: &mut Visit<'_, '_>, state: CallState, mode: u32) {
        let Some(call) = &mut self.call else { return };
        if call.state == Some(state) && call.mode == mode {
            return;
        }
        call.state = Some(state);
        call.mode = mode;
        let media = call.info.media as usize;
        if matches!(state, CallState::Idle | CallState::Disconnected) {
            // O5: monitoring ends with the conversation.
            call.monitored = 0;
            self.stop_generating(visit);
        }
        self.tell_call(visit, LINE_CALLSTATE, [state.bit() as usize, mode as usize, media]);
        if state == CallState::Idle {
            self.audio.hush();
            if self.over.len() == OVER {
                self.over.remove(0);
            }
            self.over.extend(self.call.take());
        }
    }

    /// Forgets a call without telling anything: it was closed, or it never came into being.
    pub(super) fn forget(&mut self, call: HDRVCALL) {
        self.call.take_if(|live| live.handle == call);
        self.over.retain(|one| one.handle != call);
        self.audio.hush();
    }

    /// Forgets every call: the line is closed.
    pub(super) fn forget_all(&mut self) {
        self.call = None;
        self.over.clear();
        self.audio.hush();
    }

    // Requests

    pub(super) fn started(&mut self, request: Token, op: Op) {
        self.requests.push((request, op));
    }

    /// Completes the requests of one kind.
    pub(super) fn complete(
        &mut self,
        visit: &mut Visit<'_, '_>,
        op: Op,
        result: Result<(), LineError>,
    ) {
        self.complete_if(visit, |one| one == op, result);
    }

    /// Completes every request (D1, D5, D7).
    pub(super) fn complete_all(&mut self, visit: &mut Visit<'_, '_>, result: LineError) {
        self.complete_if(visit, |_| true, Err(result));
    }

    fn complete_if(
        &mut self,
        visit: &mut Visit<'_, '_>,
        which: impl Fn(Op) -> bool,
        result: Result<(), LineError>,
    ) {
        let result = result.map_or_else(LineError::raw, |()| 0);
        self.requests.retain(|(request, op)| {
            if which(*op) {
                visit.cx.complete(*request, result);
            }
            !which(*op)
        });
    }

    /// Forgets a request that ended elsewhere and says what it was.
    pub(super) fn ended(&mut self, request: Token) -> Option<Op> {
        let place = self.requests.iter().position(|(one, _)| *one == request)?;
        Some(self.requests.remove(place).1)
    }

    pub(super) fn has(&self, op: Op) -> bool {
        self.requests.iter().any(|(_, one)| *one == op)
    }

    // Digits

    /// Starts to generate digits (D17): what is being generated is cancelled first.
    pub(super) fn generate(
        &mut self,
        visit: &mut Visit<'_, '_>,
        end_to_end: u32,
        digits: &[Option<dtmf::Digit>],
        timing: (u32, u32, u32),
    ) {
        self.stop_generating(visit);
        let (digit_ms, gap_ms, pause_ms) = timing;
        self.generator.set_timing(digit_ms, gap_ms);
        for digit in digits {
            match digit {
                Some(digit) => self.generator.push(*digit),
                None => self.generator.pause(pause_ms),
            }
        }
        if let Some(call) = &mut self.call {
            call.generating = Some(end_to_end);
        }
    }

    /// Cancels what is being generated, with LINE_GENERATE(CANCEL).
    pub(super) fn stop_generating(&mut self, visit: &mut Visit<'_, '_>) {
        self.generator.clear();
        self.tell_generated(visit, LINEGENERATETERM_CANCEL);
    }

    fn tell_generated(&mut self, visit: &mut Visit<'_, '_>, how: u32) {
        let generating = self.call.as_mut().and_then(|call| call.generating.take());
        if let Some(end_to_end) = generating {
            let params = [how as usize, end_to_end as usize, ticks(visit.now())];
            self.tell_call(visit, LINE_GENERATE, params);
        }
    }

    /// One frame of a call whose loop is closed: digits in both directions, and the application's
    /// audio where nothing else is played.
    pub(super) fn talk(
        &mut self,
        visit: &mut Visit<'_, '_>,
        heard: &[i16; FRAME],
        play: Option<&mut [i16; FRAME]>,
    ) {
        let monitored = self.call.as_ref().map_or(0, |call| call.monitored);
        if monitored != 0 {
            let mut events = [None; 2];
            let mut count = 0;
            self.listener.feed(heard, &mut |event| {
                if let Some(place) = events.get_mut(count) {
                    *place = Some(event);
                    count += 1;
                }
            });
            for event in events.into_iter().flatten() {
                let (mode, digit) = match event {
                    dtmf::Event::Down(digit) => (LINEDIGITMODE_DTMF, digit),
                    dtmf::Event::Up(digit) => (LINEDIGITMODE_DTMFEND, digit),
                };
                if monitored & mode != 0 {
                    let digit = digit.as_char() as usize;
                    let params = [digit, mode as usize, ticks(visit.now())];
                    self.tell_call(visit, LINE_MONITORDIGITS, params);
                }
            }
        }
        let Some(play) = play else { return self.audio.exchange(heard, None) };
        if self.call.as_ref().is_some_and(|call| call.generating.is_some()) {
            self.audio.exchange(heard, None);
            if self.generator.fill(play) == 0 {
                self.tell_generated(visit, LINEGENERATETERM_DONE);
            }
        } else {
            self.audio.exchange(heard, Some(play));
        }
    }

    /// Starts to listen for digits anew.
    pub(super) fn listen_anew(&mut self) {
        self.listener = dtmf::Detector::new();
    }
}

/// The tick count of an event: milliseconds, wrapping at 32 bits.
fn ticks(now: Time) -> usize {
    now.as_millis() as u32 as usize
}

pub(super) fn decode(received: &[u8; FRAME]) -> [i16; FRAME] {
    received.map(ulaw_decode)
}

pub(super) fn encode(play: [i16; FRAME]) -> [u8; FRAME] {
    play.map(ulaw_encode)
}

/// The tones of the country.
pub(super) const PLAN: &Plan = &Plan::NORTH_AMERICA;
