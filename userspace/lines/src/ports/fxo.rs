//! An FXO line: a line of an exchange, with us as the telephone.
//!
//! The states and their order are those of a plain analog line: dial tone, digits, then what the
//! tones of the exchange mean. That the far end has hung up is recognised by a break of battery or
//! loop current, by the polarity going back, or by the exchange's tones. Who calls is heard
//! on-hook, before the first ring or after it (`caller_listener`); who else calls, in the
//! conversation (`waiting_call`); that messages wait, on-hook and in dial tone (`messages`).

mod caller_listener;
mod coded;
mod messages;
mod switched;
mod waiting_call;

use std::collections::VecDeque;
use std::time::Duration;

use ringback_country::{Country, Forwarding, Profile};
use ringback_driver::Time;
use ringback_driver::card::{FRAME, Hook, PortEvent, PortFault, Remedy};
use ringback_driver::request::Token;
use ringback_media::tone::{CallProgress, Confirmation, Detector, Heard, Refusal, refusal};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring::DialString;
use ringback_tspi::error::LineError;
use ringback_tspi::types::HDRVCALL;

use self::caller_listener::CallerListener;
use self::messages::WaitingMessages;
use self::waiting_call::WaitingCallListener;
use super::activity::Activity;
use super::dialer::{Dialed, Dialer};
use super::machine::{Machine, Outgoing};
use super::port::{Order, Port, Visit};
use super::queue::Sound;
use super::service::{Asked, Service};
use super::switching::{Switching, Task};
use crate::book::Op;
use crate::call::{Call, CallInfo};
use crate::{Answer, ExchangeOptions};

/// The loop stays open at least this long between two calls, because the exchange would take a
/// shorter break for a flash: exchanges of North America need more than a second.
const GUARD: Duration = Duration::from_millis(1200);
/// Time from closing the loop until the line carries sound.
const SETTLE: Duration = Duration::from_millis(60);
/// Time from then until dial tone sounds on a line whose caller has given up.
const CALLER_GONE: Duration = Duration::from_millis(300);
/// Limit within which it is known whether what sounds is dial tone.
const DIAL_TONE_KNOWN: Duration = Duration::from_secs(4);
/// Limit within which battery is found again after a ringing line was answered.
const BATTERY_FOUND: Duration = Duration::from_millis(200);
/// An incoming call is over when it has not rung for this long; bursts are up to 4 s apart.
const RING_GONE: Duration = Duration::from_secs(7);
/// A ring that lasts for longer is none that asks the line to be told who calls: that lasts for
/// half a second, and the usual one for a second.
const SHORT_RING: Duration = Duration::from_millis(800);
/// Limit of silence after dialling.
const PROCEEDING_LIMIT: Duration = Duration::from_secs(60);
/// How long the called telephone may ring without an answer.
const RINGBACK_LIMIT: Duration = Duration::from_secs(180);

/// A silence of this length, and of two seconds more than the rest of ringback, is an answer if
/// ringback has not ended at its rest. Where a call is forwarded the exchange may pause that long.
const SILENT_ANSWER: Duration = Duration::from_secs(6);
/// A silence of this length after ringback means that the exchange has given the call up.
const RINGBACK_GONE: Duration = Duration::from_secs(30);
/// A tone that begins within this time of our own answer, flash or digits is not the end of the
/// call: the far end or the exchange wants to be dialled to.
const DIALS_ON: Duration = Duration::from_secs(10);
/// Dial tone that lasts longer is the end of a call.
const DIAL_TONE_END: Duration = Duration::from_secs(2);
/// Polarity that changes sooner after the beginning of the conversation belongs to the answer.
const POLARITY_SETTLES: Duration = Duration::from_millis(600);
/// What is quieter is silence, as the largest sample: -42 dBm0.
const SILENT: u16 = 181;

/// How long a second dial tone may take, in ms.
const RECALL_MS: u32 = 5000;

/// As many samples as a special information tone has until it is recognised.
const RECENT: usize = 9600;

/// How long busy tone or reorder tone is listened to.
const REFUSED_LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FxoPhase {
    /// On-hook, silent.
    OnHook,
    /// On-hook, ringing; the last ring was heard then.
    Ringing(Time),
    /// As `Ringing`, but the call was dropped: an analog line can't be told to stop ringing.
    Rejected(Time),
    /// As `Ringing`, but the call was not offered, because the line is not open, or TAPI has not
    /// asked for such calls. It is offered at a later ring if that has changed by then; until the
    /// caller gives up the line can't be used, because seizing it would answer him.
    Unwanted(Time),
    /// On-hook; a ring began then that the line has to answer if it is short and battery was
    /// reversed, to be told who calls.
    ShortRing(Time),
    /// Off-hook until this time to be told who calls, without a call.
    Told(Time),
    /// On-hook until this time, then it is seized.
    Guard(Time),
    /// Off-hook; waiting for dial tone until this time.
    Seizing(Time),
    /// Off-hook, waiting for more to dial.
    Ready,
    /// Off-hook, dialling.
    Dialing,
    /// Dialled; the tones report the progress. The call is given up at this time.
    Progress(Time),
    /// Off-hook to answer; sound is processed from this time on.
    Answering(Time),
    /// In conversation.
    Talking,
    /// Dials a code to the exchange, without a call or for one that it is to connect.
    Serving,
    /// The call is over and the loop is still closed.
    Over,
}

/// How long the loop is opened for a flash: as the exchange wants it, or as is usual in the
/// country.
fn flash_of(country: Country, profile: Option<&Profile>) -> Duration {
    profile.map_or(country.flash(), |profile| Duration::from_millis(u64::from(profile.flash_ms)))
}

/// The state of an FXO line.
#[derive(Debug)]
pub(super) struct Fxo {
    country: Country,
    phase: FxoPhase,
    dialer: Dialer,
    callers: CallerListener,
    waiting_call: WaitingCallListener,
    messages: WaitingMessages,
    tones: Detector,
    dial_tone: bool,
    activity: Activity,
    /// The latest samples while tones report the progress, at most [`RECENT`] of them.
    recent: VecDeque<i16>,
    on_hook_since: Option<Time>,
    /// `None` until it was measured.
    battery: Option<bool>,
    options: ExchangeOptions,
    /// What the exchange is being asked to do with the calls.
    switching: Option<Switching>,
    /// What it is being asked for by codes, without a call.
    service: Option<Service>,
    /// Listens for its confirmation, and whether that was heard.
    confirmation: Option<Confirmation>,
    confirmed: bool,
    /// The kinds of forwarding that were asked for here.
    forwarded: Vec<Forwarding>,
    /// The calls back that it was asked for, and how long it tries.
    call_backs: Vec<(u32, Time)>,
    /// The exchange announced the answer by its polarity.
    supervised: bool,
    /// The conversation began then, and something was heard then for the last time.
    connected_at: Time,
    heard_at: Time,
    /// Dial tone that begins before this time does not end the call.
    dials_on_until: Time,
    /// A tone that ends the call if it still sounds at that time.
    ending: Option<Time>,
    /// The address ended in a semicolon.
    partial: bool,
    only_if_idle: bool,
    address: DialString,
}

impl Fxo {
    pub(super) fn new(country: Country, battery: Option<bool>) -> Fxo {
        Fxo {
            country,
            phase: FxoPhase::OnHook,
            dialer: {
                let mut dialer = Dialer::new(country);
                dialer.set_flash(flash_of(country, country.profile()));
                dialer
            },
            callers: CallerListener::new(country),
            waiting_call: WaitingCallListener::new(country),
            messages: WaitingMessages::new(country),
            tones: Detector::new(country.tones()),
            dial_tone: false,
            activity: Activity::new(country.tones()),
            recent: VecDeque::new(),
            on_hook_since: None,
            battery,
            options: ExchangeOptions { profile: country.profile(), ..Default::default() },
            switching: None,
            service: None,
            confirmation: None,
            confirmed: false,
            forwarded: Vec::new(),
            call_backs: Vec::new(),
            supervised: false,
            connected_at: Time::ZERO,
            heard_at: Time::ZERO,
            dials_on_until: Time::ZERO,
            ending: None,
            partial: false,
            only_if_idle: false,
            address: DialString::default(),
        }
    }

    fn seize(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        port.order(visit, Order::Hook(Hook::Off));
        self.listen_anew(port);
        self.messages.seized();
        let wait = Duration::from_millis(u64::from(self.dialer.timing().dial_tone_ms));
        let wait = wait + self.country.dial_tone_delay();
        self.phase = FxoPhase::Seizing(visit.now() + wait);
    }

    fn listen_anew(&mut self, port: &mut Port) {
        self.tones.reset();
        self.dial_tone = false;
        self.activity.clear();
        self.recent.clear();
        self.waiting_call.reset();
        port.listen_anew();
    }

    /// The exchange begins a ring.
    fn rings(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        let waits = matches!(self.phase, FxoPhase::OnHook) && self.callers.answers();
        if waits && port.book.openings.tapi().is_some() {
            self.phase = FxoPhase::ShortRing(visit.now());
        } else {
            self.call_rings(port, visit);
        }
    }

    /// The exchange rings for a call.
    fn call_rings(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        let now = visit.now();
        match &mut self.phase {
            FxoPhase::Ringing(last) | FxoPhase::Rejected(last) => *last = now,
            FxoPhase::OnHook | FxoPhase::Unwanted(_) => {
                let media = port
                    .book
                    .offered_media(LINEMEDIAMODE_INTERACTIVEVOICE, LINEMEDIAMODE_AUTOMATEDVOICE);
                let wanted =
                    media.and_then(|media| Some((visit.handles.next(port.book.line)?, media)));
                if let Some((call, media)) = wanted {
                    let rang = matches!(self.phase, FxoPhase::Unwanted(_));
                    self.phase = FxoPhase::Ringing(now);
                    let caller = self.callers.take(now, rang);
                    let info = CallInfo { caller, ..CallInfo::inbound(call, media) };
                    port.book.offer(visit.cx, Call::new(call, info));
                } else {
                    self.phase = FxoPhase::Unwanted(now);
                }
            }
            _ => return,
        }
        port.book.rings(visit.cx);
    }

    /// The ring that may be a short one is the usual one, or has ended.
    fn short_ring(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, since: Time, ends: bool) {
        let now = visit.now();
        let is_usual = now - since >= SHORT_RING || ends && !self.callers.is_announced(now);
        if is_usual {
            self.callers.hung_up();
            self.phase = FxoPhase::OnHook;
            self.call_rings(port, visit);
        } else if ends {
            port.order(visit, Order::Hook(Hook::Off));
            self.phase = FxoPhase::Told(self.callers.answered(now));
        }
    }

    /// Listens on the line that has answered the short ring, and hangs up when it was told.
    fn be_told(
        &mut self,
        port: &Port,
        visit: &mut Visit<'_, '_>,
        until: Time,
        heard: &[i16; FRAME],
    ) {
        let now = visit.now();
        let told = self.callers.hear(now, heard);
        let is_told = told.is_some();
        if let Some(caller) = told {
            self.callers.keep(now, caller);
        }
        if is_told || now >= until {
            self.callers.hung_up();
            self.hang_up(port, visit);
        }
    }

    /// Notes what the exchange has told of waiting messages, and reports it if that is new.
    fn note_messages(
        &mut self,
        port: &Port,
        visit: &mut Visit<'_, '_>,
        note: impl FnOnce(&mut WaitingMessages),
    ) {
        let before = self.messages.wait();
        note(&mut self.messages);
        let wait = self.messages.wait();
        if before != wait {
            port.book.messages(visit.cx, wait);
        }
    }

    /// Notes what the dial tone tells that the line hears before anything is dialled.
    fn note_dial_tone(&mut self, port: &Port, visit: &mut Visit<'_, '_>) {
        let Fxo { messages, tones, .. } = self;
        let before = messages.wait();
        messages.dial_tone(tones);
        let wait = messages.wait();
        if before != wait {
            port.book.messages(visit.cx, wait);
        }
    }

    /// Listens on the idle line for who calls, and whether messages wait.
    fn hear_caller(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, heard: &[i16; FRAME]) {
        let caller = self.callers.hear(visit.now(), heard);
        if let Some(wait) = self.callers.take_messages() {
            self.note_messages(port, visit, |messages| messages.told(wait));
        }
        let Some(caller) = caller else { return };
        match self.phase {
            FxoPhase::Ringing(_) => port.book.set_caller(visit.cx, caller),
            FxoPhase::OnHook | FxoPhase::Unwanted(_) => self.callers.keep(visit.now(), caller),
            _ => {}
        }
    }

    /// It has not rung for so long that the caller must have given up.
    fn missed(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        self.callers.forget();
        port.book.stops_ringing();
        if let FxoPhase::Ringing(_) = self.phase {
            // A call that was never answered need not be dropped: the line is on-hook.
            port.set_state(visit, CallState::Disconnected, LINEDISCONNECTMODE_NORMAL);
            port.set_state(visit, CallState::Idle, 0);
        }
        self.phase = FxoPhase::OnHook;
    }

    fn dials(&self, port: &Port) -> bool {
        match self.phase {
            _ if self.switching.is_some() => self.dials_to_switch(),
            FxoPhase::Serving => self.dials_code(),
            FxoPhase::Dialing => true,
            // Further digits go to the far end.
            FxoPhase::Progress(_) | FxoPhase::Talking => port.book.has(Op::Dial),
            _ => false,
        }
    }

    fn listen(&mut self, heard: &[i16; FRAME]) -> Option<Heard> {
        let tone = self.tones.feed(heard);
        match tone {
            Some(Heard::Tone(what)) => self.dial_tone = what == CallProgress::Dial,
            Some(Heard::Ended(CallProgress::Dial)) => self.dial_tone = false,
            _ => {}
        }
        tone
    }

    /// The line is seized: the call exists from here on (N10).
    fn seized(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, dial_tone: u32) {
        port.book.complete(visit.cx, Op::MakeCall, Ok(()));
        if dial_tone == LINEDIALTONEMODE_NORMAL {
            self.note_dial_tone(port, visit);
        }
        let address = std::mem::take(&mut self.address);
        let waits = address.steps.is_empty();
        if waits || dial_tone == LINEDIALTONEMODE_NORMAL {
            port.set_state(visit, CallState::DialTone, dial_tone);
        }
        if waits {
            self.phase = FxoPhase::Ready;
            return;
        }
        self.messages.dialled();
        self.dialer.push(address);
        self.phase = FxoPhase::Dialing;
        port.set_state(visit, CallState::Dialing, 0);
    }

    /// There is no dial tone: making the call failed (N8).
    fn not_seized(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, why: LineError) {
        port.book.complete(visit.cx, Op::MakeCall, Err(why));
        self.hang_up(port, visit);
        port.book.call = None;
    }

    /// The line was answered when there was no caller any more.
    fn not_answered(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        port.book.complete(visit.cx, Op::Answer, Err(LineError::OPERATIONFAILED));
        self.disconnect(port, visit, LINEDISCONNECTMODE_NORMAL);
    }

    /// Updates the call by the progress of dialling; returns how many samples were rendered.
    fn dialed(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, dialed: Dialed) -> usize {
        let now = visit.now();
        match (dialed, self.phase) {
            (Dialed::Samples(count), _) => return count,
            (Dialed::Done | Dialed::NoDialTone, _) if self.switching.is_some() => {
                self.dialed_to_switch(port, visit, dialed == Dialed::Done);
            }
            (Dialed::Done | Dialed::NoDialTone, FxoPhase::Serving) => {
                self.code_dialled(port, visit, dialed == Dialed::Done);
            }
            (Dialed::Done, FxoPhase::Dialing) => {
                port.book.complete(visit.cx, Op::Dial, Ok(()));
                if self.partial {
                    self.phase = FxoPhase::Ready;
                } else {
                    self.listen_anew(port);
                    self.phase = FxoPhase::Progress(now + PROCEEDING_LIMIT);
                    port.set_state(visit, CallState::Proceeding, 0);
                    if self.options.answer == Answer::Dialled {
                        self.connected(port, visit, LINECONNECTEDMODE_ACTIVE);
                    }
                }
            }
            (Dialed::Done, _) => {
                self.dials_on_until = now + DIALS_ON;
                port.book.complete(visit.cx, Op::Dial, Ok(()));
            }
            (Dialed::NoDialTone, _) => {
                self.disconnect(port, visit, LINEDISCONNECTMODE_NODIALTONE);
            }
        }
        0
    }

    fn progress(
        &mut self,
        port: &mut Port,
        visit: &mut Visit<'_, '_>,
        heard: &[i16; FRAME],
        tone: Option<Heard>,
    ) {
        self.recent.extend(heard);
        let surplus = self.recent.len().saturating_sub(RECENT);
        self.recent.drain(..surplus);
        let by_sound = matches!(self.options.answer, Answer::Any | Answer::Tones);
        let speech = self.activity.feed(heard) && by_sound;
        let waits = matches!(port.book.state(), Some(CallState::Proceeding | CallState::Ringback));
        if !waits {
            return;
        }
        let now = visit.now();
        match tone {
            Some(Heard::Tone(CallProgress::Ringback)) => {
                if port.book.state() == Some(CallState::Proceeding) {
                    self.phase = FxoPhase::Progress(now + RINGBACK_LIMIT);
                }
                port.set_state(visit, CallState::Ringback, 0);
            }
            Some(Heard::Tone(CallProgress::Busy)) => {
                self.phase = FxoPhase::Progress(now + REFUSED_LIMIT);
                port.set_state(visit, CallState::Busy, LINEBUSYMODE_STATION);
            }
            Some(Heard::Tone(CallProgress::Reorder)) => {
                self.phase = FxoPhase::Progress(now + REFUSED_LIMIT);
                port.set_state(visit, CallState::SpecialInfo, LINESPECIALINFO_REORDER);
            }
            Some(Heard::Tone(CallProgress::SpecialInformation)) => {
                self.phase = FxoPhase::Progress(now + REFUSED_LIMIT);
                let kind = match refusal(self.recent.make_contiguous()) {
                    Some(Refusal::Number) => LINESPECIALINFO_CUSTIRREG,
                    Some(Refusal::Equipment) => LINESPECIALINFO_REORDER,
                    Some(Refusal::NoCircuit) => LINESPECIALINFO_NOCIRCUIT,
                    // The reason is only in the announcement that follows.
                    None => LINESPECIALINFO_UNAVAIL,
                };
                port.set_state(visit, CallState::SpecialInfo, kind);
            }
            Some(Heard::Tone(CallProgress::Dial)) => {
                self.disconnect(port, visit, LINEDISCONNECTMODE_UNAVAIL);
            }
            Some(Heard::Ended(_)) | None => {
                let answered = speech || by_sound && self.answered_silently();
                if answered {
                    self.connected(port, visit, LINECONNECTEDMODE_ACTIVE);
                } else if self.silent_since_ringback() >= RINGBACK_GONE {
                    self.disconnect(port, visit, LINEDISCONNECTMODE_NOANSWER);
                }
            }
        }
    }

    /// Whether ringback has stopped where its cadence has no rest, and has not come back.
    fn answered_silently(&self) -> bool {
        let signal = self.country.tones().sent(CallProgress::Ringback);
        let rests = signal.figure().iter().filter(|segment| segment.sound.is_none());
        let rest = rests.filter_map(|segment| segment.ms).max().unwrap_or(0);
        let rest = Duration::from_millis(u64::from(rest));
        let enough = SILENT_ANSWER.max(rest + Duration::from_secs(2));
        self.tones.ringback_pause().is_some_and(|pause| {
            pause.ends_early && Duration::from_millis(u64::from(pause.ms)) >= enough
        })
    }

    fn silent_since_ringback(&self) -> Duration {
        let pause = self.tones.ringback_pause();
        Duration::from_millis(pause.map_or(0, |pause| u64::from(pause.ms)))
    }

    /// Whether a tone has told by now that the call is over, or it has been silent for as long as
    /// the line's owner wants to wait.
    fn is_over(
        &mut self,
        port: &Port,
        now: Time,
        heard: &[i16; FRAME],
        tone: Option<Heard>,
    ) -> bool {
        let dials = port.book.has(Op::Dial);
        if dials {
            self.dials_on_until = now + DIALS_ON;
            self.ending = None;
        }
        match tone {
            Some(Heard::Tone(what @ (CallProgress::Busy | CallProgress::Reorder))) if !dials => {
                // The detector has heard one cycle.
                let cycles = u32::from(self.country.busy_cycles()).saturating_sub(1);
                let rest = self.country.tones().sent(what).figure_ms().saturating_mul(cycles);
                self.ending = Some(now + Duration::from_millis(u64::from(rest)));
            }
            Some(Heard::Tone(CallProgress::Dial)) if now >= self.dials_on_until => {
                self.ending = Some(now + DIAL_TONE_END);
            }
            Some(Heard::Ended(_)) => self.ending = None,
            _ => {}
        }
        if heard.iter().any(|sample| sample.unsigned_abs() > SILENT) {
            self.heard_at = now;
        }
        let silent = self.options.silence.is_some_and(|limit| now - self.heard_at >= limit);
        silent || self.ending.is_some_and(|end| now >= end)
    }

    fn connected(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, mode: u32) {
        let now = visit.now();
        self.phase = FxoPhase::Talking;
        self.tones.reset();
        self.connected_at = now;
        self.heard_at = now;
        self.ending = None;
        let outbound = |call: &Call| call.info.origin == LINECALLORIGIN_OUTBOUND;
        let called = port.book.call.as_ref().is_some_and(outbound);
        self.dials_on_until = if called { now + DIALS_ON } else { now };
        port.set_state(visit, CallState::Connected, mode);
    }

    fn disconnect(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, mode: u32) {
        port.book.complete(visit.cx, Op::Dial, Err(LineError::OPERATIONFAILED));
        if port.queue.samples(Sound::Dial) > 0 {
            port.silence(visit);
        }
        if port.book.state().is_some() {
            port.set_state(visit, CallState::Disconnected, mode);
        }
        if !matches!(self.phase, FxoPhase::OnHook | FxoPhase::Rejected(_) | FxoPhase::Unwanted(_)) {
            self.phase = FxoPhase::Over;
        }
    }
}

impl Machine for Fxo {
    fn in_service(&self) -> bool {
        self.battery == Some(true)
    }

    /// Whether a call can be made now.
    fn can_call(&self, port: &Port) -> Result<(), LineError> {
        if self.battery == Some(false) {
            return Err(LineError::INVALLINESTATE);
        }
        match self.phase {
            FxoPhase::OnHook if port.book.call.is_none() => Ok(()),
            FxoPhase::Rejected(_)
            | FxoPhase::Unwanted(_)
            | FxoPhase::ShortRing(_)
            | FxoPhase::Told(_) => Err(LineError::INUSE),
            _ => Err(LineError::CALLUNAVAIL),
        }
    }

    /// Whether a function can be called now that the call's state allows; `None` if it never can.
    fn can(&self, feature: u32) -> Option<bool> {
        let heard = matches!(
            self.phase,
            FxoPhase::Ready | FxoPhase::Dialing | FxoPhase::Progress(_) | FxoPhase::Talking
        );
        match feature {
            LINECALLFEATURE_DROP
            | LINECALLFEATURE_MONITORDIGITS
            | LINECALLFEATURE_MONITORMEDIA
            | LINECALLFEATURE_MONITORTONES => Some(true),
            LINECALLFEATURE_ANSWER => Some(matches!(self.phase, FxoPhase::Ringing(_))),
            LINECALLFEATURE_DIAL
            | LINECALLFEATURE_GATHERDIGITS
            | LINECALLFEATURE_GENERATEDIGITS
            | LINECALLFEATURE_GENERATETONE => Some(heard),
            _ => None,
        }
    }

    fn make_call(
        &mut self,
        port: &mut Port,
        visit: &mut Visit<'_, '_>,
        call: Call,
        outgoing: Outgoing,
    ) -> Result<(), LineError> {
        self.can_call(port)?;
        port.book.call = Some(call);
        let Outgoing { address, only_if_idle, timing } = outgoing;
        self.dialer.reset(timing);
        self.only_if_idle = only_if_idle;
        self.partial = address.partial;
        self.address = address;
        self.supervised = false;
        let free = self.on_hook_since.map_or(Time::ZERO, |since| since + GUARD);
        if visit.now() < free {
            self.phase = FxoPhase::Guard(free);
        } else {
            self.seize(port, visit);
        }
        Ok(())
    }

    fn dial(
        &mut self,
        port: &mut Port,
        visit: &mut Visit<'_, '_>,
        request: Token,
        address: DialString,
    ) -> Result<(), LineError> {
        self.messages.dialled();
        // Later digits go to the far end, and the call's state stays.
        if matches!(self.phase, FxoPhase::Ready | FxoPhase::Dialing) {
            self.partial = address.partial;
            port.set_state(visit, CallState::Dialing, 0);
            self.phase = FxoPhase::Dialing;
        }
        port.book.started(request, Op::Dial);
        if let Some(call) = &port.book.call {
            self.dialer.set_timing(call.info.timing);
        }
        self.dialer.push(address);
        Ok(())
    }

    /// A request to dial was ended from outside. In conversation its remaining digits are
    /// discarded, and the loop is closed in case it was in the middle of a flash.
    fn dial_ended(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        if matches!(self.phase, FxoPhase::Progress(_) | FxoPhase::Talking)
            && !port.book.has(Op::Dial)
        {
            let timing = self.dialer.timing();
            self.dialer.reset(timing);
            port.silence(visit);
            port.order(visit, Order::Hook(Hook::Off));
        }
    }

    fn exchange(&self) -> Option<ExchangeOptions> {
        Some(self.options)
    }

    fn set_exchange(&mut self, options: ExchangeOptions) {
        self.options = options;
        self.dialer.set_flash(flash_of(self.country, options.profile));
    }

    fn can_switch(&self, port: &Port, call: HDRVCALL, feature: u32) -> Option<bool> {
        self.offers(port, call, feature)
    }

    fn switch(
        &mut self,
        port: &mut Port,
        visit: &mut Visit<'_, '_>,
        task: Task,
    ) -> Result<(), LineError> {
        self.ask_exchange(port, visit, task)
    }

    fn serve(
        &mut self,
        port: &mut Port,
        _: &mut Visit<'_, '_>,
        asked: &Asked,
        call: Option<Call>,
    ) -> Result<(), LineError> {
        self.begin_service(port, asked, call)
    }

    fn call_backs(&self) -> usize {
        self.call_backs.len()
    }

    fn releases(&self, port: &Port, call: HDRVCALL) -> Option<Task> {
        self.release_of(port, call)
    }

    fn returns(&self, port: &Port, call: HDRVCALL) -> bool {
        let pending = [Some(CallState::OnHoldPendTransfer), Some(CallState::OnHoldPendConf)];
        let holds = port.book.aside.iter().any(|one| pending.contains(&one.state));
        holds && !port.book.is_aside(call) && self.switching.is_none()
    }

    fn switch_ended(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        self.stop_switching(port, visit);
    }

    /// The kernel could not play what is dialled, because the card stands still or is gone.
    fn dial_failed(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        if self.service.is_some() {
            return self.end_service(port, visit, false);
        }
        if self.dials(port) {
            self.lose_held(port, visit, LINEDISCONNECTMODE_OUTOFORDER);
            self.disconnect(port, visit, LINEDISCONNECTMODE_OUTOFORDER);
        }
    }

    fn answer(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, request: Token) {
        port.order(visit, Order::Hook(Hook::Off));
        port.book.started(request, Op::Answer);
        port.book.stops_ringing();
        self.listen_anew(port);
        self.dialer.reset(DialTiming::default());
        self.supervised = false;
        self.phase = FxoPhase::Answering(visit.now() + SETTLE);
    }

    /// Opens the loop and ends the call; the line may still ring after that.
    fn hang_up(&mut self, port: &Port, visit: &mut Visit<'_, '_>) {
        self.switching = None;
        self.service = None;
        match self.phase {
            FxoPhase::Ringing(last) => self.phase = FxoPhase::Rejected(last),
            FxoPhase::OnHook | FxoPhase::Rejected(_) | FxoPhase::Unwanted(_) => {}
            FxoPhase::Guard(_) | FxoPhase::ShortRing(_) => self.phase = FxoPhase::OnHook,
            _ => {
                port.order(visit, Order::Hook(Hook::On));
                self.on_hook_since = Some(visit.now());
                self.phase = FxoPhase::OnHook;
            }
        }
    }

    fn event(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, event: PortEvent) {
        let now = visit.now();
        match event {
            PortEvent::Ring(true) => self.rings(port, visit),
            PortEvent::Ring(false) => {
                if let FxoPhase::ShortRing(since) = self.phase {
                    return self.short_ring(port, visit, since, true);
                }
                if let FxoPhase::Ringing(last)
                | FxoPhase::Rejected(last)
                | FxoPhase::Unwanted(last) = &mut self.phase
                {
                    *last = now;
                }
                self.callers.announced(now);
            }
            PortEvent::Battery(present) => {
                if self.battery.replace(present) != Some(present) {
                    port.book.serves(visit.cx, present);
                }
                let in_use = matches!(
                    self.phase,
                    FxoPhase::Ready | FxoPhase::Dialing | FxoPhase::Progress(_) | FxoPhase::Talking
                );
                if !present && matches!(self.phase, FxoPhase::Serving) {
                    self.end_service(port, visit, false);
                }
                if !present && in_use {
                    self.lose_held(port, visit, LINEDISCONNECTMODE_NORMAL);
                    self.disconnect(port, visit, LINEDISCONNECTMODE_NORMAL);
                }
            }
            PortEvent::Polarity(_) => {
                let by_polarity = self.options.answer == Answer::Polarity;
                match self.phase {
                    FxoPhase::Progress(_) if by_polarity || self.options.answer == Answer::Any => {
                        self.supervised = true;
                        self.connected(port, visit, LINECONNECTEDMODE_CONFIRMED);
                    }
                    FxoPhase::Talking
                        if self.supervised
                            || by_polarity && now - self.connected_at >= POLARITY_SETTLES =>
                    {
                        self.disconnect(port, visit, LINEDISCONNECTMODE_NORMAL);
                    }
                    FxoPhase::OnHook | FxoPhase::ShortRing(_) => self.callers.announced(now),
                    _ => {}
                }
            }
            PortEvent::Fault(
                // The line is in service again when its battery is seen.
                PortFault::CardReset(Remedy::Restoring | Remedy::GaveUp)
                | PortFault::PartReset(Remedy::GaveUp)
                | PortFault::IsoLinkLost(Remedy::GaveUp)
                | PortFault::NotAnswering(Remedy::GaveUp),
            ) => {
                if self.battery.replace(false) != Some(false) {
                    port.book.serves(visit.cx, false);
                }
                port.book.complete_all(visit.cx, LineError::OPERATIONFAILED);
                self.lose_held(port, visit, LINEDISCONNECTMODE_OUTOFORDER);
                if port.book.state().is_none() {
                    // Making the call failed (N8).
                    self.hang_up(port, visit);
                    port.book.call = None;
                }
                self.disconnect(port, visit, LINEDISCONNECTMODE_OUTOFORDER);
            }
            PortEvent::Lamp(on) => {
                self.note_messages(port, visit, |messages| messages.lit(on));
            }
            PortEvent::Fault(_) | PortEvent::Hook(_) | PortEvent::RingTrip => {}
        }
    }

    fn messages_wait(&self) -> bool {
        self.messages.wait()
    }

    /// Processes a received frame.
    fn hear(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, heard: &[i16; FRAME]) {
        let now = visit.now();
        if !self.call_backs.is_empty() {
            self.call_backs.retain(|(_, until)| now < *until);
        }
        if self.switching.is_some() {
            return self.hear_exchange(port, visit, heard);
        }
        match self.phase {
            FxoPhase::Serving => self.hear_service(port, visit, heard),
            FxoPhase::OnHook => self.hear_caller(port, visit, heard),
            FxoPhase::ShortRing(since) => self.short_ring(port, visit, since, false),
            FxoPhase::Told(until) => self.be_told(port, visit, until, heard),
            FxoPhase::Ringing(last) | FxoPhase::Rejected(last) | FxoPhase::Unwanted(last) => {
                self.hear_caller(port, visit, heard);
                if now - last > RING_GONE {
                    self.missed(port, visit);
                }
            }
            FxoPhase::Guard(until) => {
                if now >= until {
                    self.seize(port, visit);
                }
            }
            FxoPhase::Seizing(until) => {
                self.listen(heard);
                let mut until = until;
                if self.messages.hear(heard) {
                    // It is dial tone, but is recognised as that only when it is continuous.
                    until += self.country.stutter();
                    self.phase = FxoPhase::Seizing(until);
                }
                let battery = self.battery != Some(false);
                if self.dial_tone && battery {
                    self.seized(port, visit, LINEDIALTONEMODE_NORMAL);
                } else if now >= until && self.only_if_idle {
                    self.not_seized(port, visit, LineError::CALLUNAVAIL);
                } else if now >= until && !battery {
                    self.not_seized(port, visit, LineError::INVALLINESTATE);
                } else if now >= until {
                    self.seized(port, visit, LINEDIALTONEMODE_UNAVAIL);
                }
            }
            FxoPhase::Ready | FxoPhase::Dialing => {
                self.listen(heard);
                self.messages.hear(heard);
                if self.dial_tone {
                    self.note_dial_tone(port, visit);
                }
                port.hear(visit, heard);
            }
            FxoPhase::Progress(until) => {
                let tone = self.listen(heard);
                port.hear(visit, heard);
                self.progress(port, visit, heard, tone);
                if matches!(self.phase, FxoPhase::Progress(_)) && now >= until {
                    let why = match port.book.state() {
                        Some(CallState::Busy) => LINEDISCONNECTMODE_BUSY,
                        Some(CallState::SpecialInfo) => LINEDISCONNECTMODE_UNAVAIL,
                        _ => LINEDISCONNECTMODE_NOANSWER,
                    };
                    self.disconnect(port, visit, why);
                }
            }
            FxoPhase::Answering(until) => {
                if self.battery == Some(false) {
                    if now >= until + BATTERY_FOUND {
                        self.not_answered(port, visit);
                    }
                } else if now >= until {
                    self.listen(heard);
                    if self.dial_tone {
                        self.not_answered(port, visit);
                    } else if now >= until + DIAL_TONE_KNOWN
                        || now >= until + CALLER_GONE && !self.tones.suggests(CallProgress::Dial)
                    {
                        self.connected(port, visit, LINECONNECTEDMODE_ACTIVE);
                        port.book.complete(visit.cx, Op::Answer, Ok(()));
                    }
                }
            }
            FxoPhase::Talking if self.waiting_call.hear(port, visit, heard) => {
                self.heard_at = now;
                port.hear(visit, &[0; FRAME]);
            }
            FxoPhase::Talking => {
                let tone = self.listen(heard);
                port.hear(visit, heard);
                if self.is_over(port, now, heard, tone) {
                    self.disconnect(port, visit, LINEDISCONNECTMODE_NORMAL);
                }
            }
            FxoPhase::Over => port.hear(visit, heard),
        }
    }

    fn sound(&self, port: &Port) -> Option<Sound> {
        if self.dials(port) {
            return Some(Sound::Dial);
        }
        if matches!(self.phase, FxoPhase::Talking) && self.waiting_call.is_alerted() {
            return Some(Sound::Acknowledgement);
        }
        let speaks = matches!(
            self.phase,
            FxoPhase::Ready | FxoPhase::Progress(_) | FxoPhase::Talking | FxoPhase::Over
        );
        speaks.then(|| port.sound())
    }

    fn render(
        &mut self,
        port: &mut Port,
        visit: &mut Visit<'_, '_>,
        sound: Sound,
        play: &mut [i16],
    ) -> usize {
        match sound {
            Sound::Dial => {}
            Sound::Acknowledgement => return self.waiting_call.render(play),
            _ => return port.render(visit, play),
        }
        let (now, dial_tone) = (visit.now(), self.dial_tone);
        let is_played = port.queue.samples(Sound::Dial) == 0;
        let mut hook = |hook| port.order(visit, Order::Hook(hook));
        let dialed = self.dialer.render(now, dial_tone, is_played, play, &mut hook);
        self.dialed(port, visit, dialed)
    }
}
