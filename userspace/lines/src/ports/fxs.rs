//! An FXS line: a telephone, with us as the exchange.
//!
//! Making a call on it rings the telephone, whatever the address is; lifting the telephone answers.
//! A telephone that is lifted without ringing gets dial tone, and the number that it dials is
//! offered as an incoming call. When the other side has hung up, it gets reorder tone until it is
//! hung up. A call on hold is muted in both directions; until it is connected again, and before the
//! call of a telephone is answered, the telephone hears the call's treatment. Who calls is told to
//! it before it rings, or between two rings (`caller_teller`).
//! While messages wait, the dial tone stutters. When that begins or ends, the telephone is told so
//! by a data message, too, as soon as it has been idle for a second; a call or a lifted handset
//! ends that, and it is told again later.
//!
//! A device on the line may want battery to be taken from it for a moment when the other side has
//! hung up ([`TelephoneOptions`]). What the loop does meanwhile means nothing.
//!
//! A telephone may also dial by pulses. A flash is a button of its phone; in dial or reorder tone
//! it begins the dialling anew, as on an exchange.
//!
//! The telephone is a phone as well (`phone`), which can be rung without a call.

mod caller_teller;

use std::time::Duration;

use ringback_country::Country;
use ringback_driver::Time;
use ringback_driver::card::{FRAME, Hook, LineFeed, Polarity, PortEvent, PortFault, Remedy};
use ringback_driver::request::{LineNumber, Token};
use ringback_media::dtmf;
use ringback_media::tone::{CallProgress, Generator};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::error::{LineError, PhoneError};

use self::caller_teller::CallerTeller;
use super::hook_switch::{HookSignal, HookSwitch};
use super::machine::{Machine, Outgoing};
use super::phone::Phone;
use super::port::{Order, Port, Visit};
use super::queue::Sound;
use crate::book::Op;
use crate::call::{Call, CallInfo};
use crate::telephone_options::ring_cadence;
use crate::{Caller, PhoneReport, TelephoneOptions, Treatment};

/// How long a telephone is rung.
const RING_LIMIT: Duration = Duration::from_secs(180);
/// Time after the return of battery until the loop is as the device has it.
const BATTERY_SETTLES: Duration = Duration::from_millis(200);
/// How long a telephone is idle before it is told whether messages wait.
const IDLE_FOR: Duration = Duration::from_secs(1);
/// Limit for the first digit of a lifted telephone.
const FIRST_DIGIT: Duration = Duration::from_secs(15);
/// The number is complete when no digit has come for this long, or after a `#`.
const NEXT_DIGIT: Duration = Duration::from_secs(3);
/// Limit of collected digits, more than any number has.
const MOST_DIGITS: usize = 32;

/// The media mode of a call that the telephone makes, if TAPI has asked for such calls.
fn offered_media(port: &Port) -> Option<u32> {
    port.book.offered_media(LINEMEDIAMODE_INTERACTIVEVOICE, LINEMEDIAMODE_AUTOMATEDVOICE)
}

#[derive(Debug)]
enum FxsPhase {
    /// On-hook.
    Idle,
    /// On-hook, and it is told whether messages wait.
    Notifying { wait: bool },
    /// It is told who calls, and is rung after that.
    Telling,
    /// Being rung, at this step of the cadence until `next`; for a call, or by the phone.
    Ringing { mode: u32, step: usize, next: Time, until: Time, for_call: bool },
    /// Lifted; it hears dial tone and dials.
    Dialing { last: Time },
    /// It has dialled and waits for an answer.
    Waiting,
    /// In conversation.
    Talking,
    /// Its conversation is on hold.
    Held,
    /// Off-hook after the other side has gone.
    Reorder,
}

/// Battery that was taken from the line, because the other side has hung up.
#[derive(Debug, Clone, Copy)]
struct BatteryDrop {
    /// When it is returned, or when the loop is settled after that.
    until: Time,
    returned: bool,
}

/// The state of an FXS line.
#[derive(Debug)]
pub(super) struct Fxs {
    country: Country,
    phase: FxsPhase,
    options: TelephoneOptions,
    /// The loop as the card has reported it last.
    contact: Hook,
    switch: HookSwitch,
    battery_drop: Option<BatteryDrop>,
    digits: String,
    listener: dtmf::Detector,
    tone: Generator,
    /// What tells it who calls, or whether messages wait, until that is over.
    teller: Option<CallerTeller>,
    /// When it was last told something that was cut off.
    cut_off: Option<Time>,
    /// What it was told of waiting messages last, and since when it has been idle.
    told_messages: bool,
    idle_since: Option<Time>,
    /// Battery is reversed.
    reversed: bool,
    phone: Phone,
    /// Its module was given up: it can neither ring nor receive any more.
    out_of_order: bool,
}

impl Fxs {
    pub(super) fn new(country: Country, line: LineNumber) -> Fxs {
        Fxs {
            country,
            phase: FxsPhase::Idle,
            options: TelephoneOptions::default(),
            contact: Hook::On,
            switch: HookSwitch::new(country),
            battery_drop: None,
            digits: String::new(),
            listener: dtmf::Detector::new(),
            tone: Generator::new(&country.tones().dial),
            teller: None,
            cut_off: None,
            told_messages: false,
            idle_since: None,
            reversed: false,
            phone: Phone::new(line),
            out_of_order: false,
        }
    }

    fn lifted(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        match self.phase {
            FxsPhase::Telling | FxsPhase::Ringing { for_call: true, .. } => {
                self.stop_telling(port, visit);
                port.order(visit, Order::Feed(LineFeed::Active));
                self.connected(port, visit);
            }
            FxsPhase::Ringing { for_call: false, .. } => {
                self.stop_ringing(port, visit);
                self.lifted(port, visit);
            }
            FxsPhase::Notifying { .. } => {
                self.stop_ringing(port, visit);
                self.begin_dialing(port, visit);
            }
            FxsPhase::Idle => self.begin_dialing(port, visit),
            _ => {}
        }
    }

    /// Gives the telephone dial tone, or reorder tone if the line is not open, or if its last call
    /// is not dropped yet.
    fn begin_dialing(&mut self, port: &Port, visit: &Visit<'_, '_>) {
        if offered_media(port).is_none() {
            return self.reorder();
        }
        self.phase = FxsPhase::Dialing { last: visit.now() };
        self.digits.clear();
        self.listener = dtmf::Detector::new();
        self.sound(CallProgress::Dial);
        if self.phone.message_waits() {
            self.tone = Generator::new(&self.country.tones().messages_waiting());
        }
    }

    /// Processes what the telephone's hook switch or dial has done.
    fn signalled(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, signal: HookSignal) {
        match (signal, &self.phase) {
            (HookSignal::Lifted, _) => self.lifted(port, visit),
            (HookSignal::HungUp, _) => self.hung_up(port, visit),
            (HookSignal::Flash, phase) => {
                if let FxsPhase::Dialing { .. } | FxsPhase::Reorder = phase {
                    self.begin_dialing(port, visit);
                }
                self.phone.flash(visit.cx);
            }
            (HookSignal::Digit(digit), FxsPhase::Dialing { .. }) => {
                if self.digits.len() < MOST_DIGITS {
                    self.digits.push(digit);
                }
            }
            (HookSignal::Digit(digit), FxsPhase::Waiting | FxsPhase::Talking) => {
                port.pulsed(visit, digit);
            }
            (HookSignal::Digit(_), _) => {}
        }
    }

    fn hung_up(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        match self.phase {
            FxsPhase::Waiting | FxsPhase::Talking | FxsPhase::Held => {
                let missed = matches!(self.phase, FxsPhase::Waiting);
                port.set_state(visit, CallState::Disconnected, LINEDISCONNECTMODE_NORMAL);
                if missed {
                    // A call that was never answered need not be dropped.
                    port.set_state(visit, CallState::Idle, 0);
                }
                self.phase = FxsPhase::Idle;
            }
            FxsPhase::Dialing { .. } | FxsPhase::Reorder => self.phase = FxsPhase::Idle,
            FxsPhase::Idle
            | FxsPhase::Notifying { .. }
            | FxsPhase::Telling
            | FxsPhase::Ringing { .. } => {}
        }
    }

    fn dialing(
        &mut self,
        port: &mut Port,
        visit: &mut Visit<'_, '_>,
        last: Time,
        heard: &[i16; FRAME],
    ) {
        let now = visit.now();
        let (mut dialed, mut over) = (self.switch.pulses(), false);
        let digits = &mut self.digits;
        self.listener.feed(heard, &mut |event| {
            match event {
                // Only at its end, so that an application that answers at once does not hear the
                // rest of the `#` as a digit.
                dtmf::Event::Up(digit) if digit.as_char() == '#' => over = !digits.is_empty(),
                dtmf::Event::Up(_) => {}
                dtmf::Event::Down(digit) => {
                    dialed = true;
                    if digit.as_char() != '#' && digits.len() < MOST_DIGITS {
                        digits.push(digit.as_char());
                    }
                }
            }
        });
        if dialed {
            self.phase = FxsPhase::Dialing { last: now };
        }
        let limit = if self.digits.is_empty() { FIRST_DIGIT } else { NEXT_DIGIT };
        if !over && (dialed || now - last < limit) {
            return;
        }
        // A call that was made in the meantime has the line, and found it busy.
        let media = offered_media(port).filter(|_| !self.digits.is_empty());
        let call = media.and_then(|media| Some((visit.handles.next(port.book.line)?, media)));
        let Some((call, media)) = call else { return self.reorder() };
        let info = CallInfo {
            reason: LINECALLREASON_DIRECT,
            called: std::mem::take(&mut self.digits),
            ..CallInfo::inbound(call, media)
        };
        self.phase = FxsPhase::Waiting;
        port.book.offer(visit.cx, Call::new(call, info));
        self.treatment_changed(port);
    }

    fn connected(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>) {
        self.phase = FxsPhase::Talking;
        port.listen_anew();
        port.set_state(visit, CallState::Connected, LINECONNECTEDMODE_CONFIRMED);
    }

    /// Takes battery from the line, if that is wanted, so that the device on it notices that the
    /// other side has hung up.
    fn drop_battery(&mut self, port: &Port, visit: &mut Visit<'_, '_>) {
        if let Some(time) = self.options.battery_drop {
            port.order(visit, Order::Feed(LineFeed::Open));
            self.battery_drop = Some(BatteryDrop { until: visit.now() + time, returned: false });
        }
    }

    /// Returns battery to the line when it is time, and later looks whether the device has hung up.
    fn pass_battery_drop(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, drop: BatteryDrop) {
        let now = visit.now();
        if now < drop.until {
            return;
        }
        if !drop.returned {
            port.order(visit, Order::Feed(LineFeed::Active));
            let until = now + BATTERY_SETTLES;
            self.battery_drop = Some(BatteryDrop { until, returned: true });
            return;
        }
        self.battery_drop = None;
        if let Some(signal) = self.switch.found(self.contact) {
            self.signalled(port, visit, signal);
        }
    }

    /// The tone of a call's treatment; `None` is silence.
    fn treatment(port: &Port) -> Option<CallProgress> {
        match port.book.call.as_ref()?.treatment() {
            Treatment::Silence => None,
            Treatment::Ringback => Some(CallProgress::Ringback),
            Treatment::Busy => Some(CallProgress::Busy),
        }
    }

    fn reorder(&mut self) {
        self.phase = FxsPhase::Reorder;
        self.sound(CallProgress::Reorder);
    }

    fn sound(&mut self, tone: CallProgress) {
        self.tone = Generator::new(self.country.tones().sent(tone));
    }

    /// Whether the telephone can be rung without a call, or is rung so already.
    fn can_ring(&self) -> bool {
        match self.phase {
            FxsPhase::Ringing { for_call, .. } => !for_call,
            FxsPhase::Idle | FxsPhase::Notifying { .. } => {
                !self.switch.is_off_hook() && !self.out_of_order
            }
            _ => false,
        }
    }

    /// Starts to ring the telephone.
    fn start_ringing(&mut self, port: &Port, visit: &mut Visit<'_, '_>, mode: u32, for_call: bool) {
        if let FxsPhase::Notifying { .. } = self.phase {
            self.stop_telling(port, visit);
        }
        let now = visit.now();
        let (feed, time) = self.ring_step(mode, 0);
        port.order(visit, Order::Feed(feed));
        let (next, until) = (now + time, now + RING_LIMIT);
        self.phase = FxsPhase::Ringing { mode, step: 0, next, until, for_call };
    }

    /// Reverses battery on the line, or the opposite.
    fn reverse(&mut self, port: &Port, visit: &mut Visit<'_, '_>, reversed: bool) {
        if std::mem::replace(&mut self.reversed, reversed) != reversed {
            let polarity = if reversed { Polarity::Reverse } else { Polarity::Forward };
            port.order(visit, Order::Polarity(polarity));
        }
    }

    /// Rings the telephone for a call, after it was told who calls if the country's exchanges do
    /// that before.
    fn announce(&mut self, port: &Port, visit: &mut Visit<'_, '_>, caller: &Caller) {
        if let FxsPhase::Notifying { .. } = self.phase {
            self.stop_ringing(port, visit);
        }
        self.teller = CallerTeller::new(self.country, caller);
        if let (Some(teller), Some(cut_off)) = (&mut self.teller, self.cut_off.take()) {
            teller.follow_cut_off(visit.now() - cut_off);
        }
        match &mut self.teller {
            Some(teller) if teller.is_before_ring() => {
                teller.begin(visit.now());
                let reverses = teller.reverses();
                port.order(visit, Order::Feed(LineFeed::OnHookTransmission));
                self.reverse(port, visit, reverses);
                self.phase = FxsPhase::Telling;
            }
            _ => self.start_ringing(port, visit, self.options.ring_mode, true),
        }
    }

    /// Goes on with what is told, and rings the telephone when it is over if it came before that.
    fn tell(&mut self, port: &Port, visit: &mut Visit<'_, '_>) {
        let now = visit.now();
        let Some(teller) = &self.teller else { return };
        let (has_told, is_over) = (teller.has_told(now), teller.is_over(now));
        if has_told {
            self.reverse(port, visit, false);
        }
        if is_over {
            self.teller = None;
            if let FxsPhase::Telling = self.phase {
                self.start_ringing(port, visit, self.options.ring_mode, true);
            } else if let FxsPhase::Notifying { wait } = self.phase {
                self.told_messages = wait;
                self.stop_ringing(port, visit);
            }
        }
    }

    /// Begins to tell an idle telephone whether messages wait, if that has changed.
    fn notify(&mut self, port: &Port, visit: &mut Visit<'_, '_>) {
        let (now, wait) = (visit.now(), self.phone.message_waits());
        let is_idle = matches!(self.phase, FxsPhase::Idle)
            && !self.switch.is_off_hook()
            && !self.out_of_order
            && self.battery_drop.is_none();
        if !is_idle {
            self.idle_since = None;
            return;
        }
        let since = *self.idle_since.get_or_insert(now);
        if wait == self.told_messages || now - since < IDLE_FOR {
            return;
        }
        self.teller = CallerTeller::messages(self.country, wait);
        match &mut self.teller {
            Some(teller) => {
                teller.begin(now);
                let reverses = teller.reverses();
                port.order(visit, Order::Feed(LineFeed::OnHookTransmission));
                self.reverse(port, visit, reverses);
                self.phase = FxsPhase::Notifying { wait };
            }
            // There only dial tone tells it.
            None => self.told_messages = wait,
        }
    }

    /// Ends what is told.
    fn stop_telling(&mut self, port: &Port, visit: &mut Visit<'_, '_>) {
        let now = visit.now();
        if self.teller.take().is_some_and(|teller| teller.sounds() && !teller.has_told(now)) {
            self.cut_off = Some(now);
        }
        self.reverse(port, visit, false);
    }

    /// Stops to ring the telephone, or to tell it something.
    fn stop_ringing(&mut self, port: &Port, visit: &mut Visit<'_, '_>) {
        self.stop_telling(port, visit);
        port.order(visit, Order::Feed(LineFeed::Active));
        self.phase = FxsPhase::Idle;
    }

    /// The line feed at a step of the cadence of ringing, and how long it lasts.
    fn ring_step(&self, mode: u32, step: usize) -> (LineFeed, Duration) {
        let cadence = ring_cadence(mode, self.country.ring());
        let ms = cadence.steps_ms().nth(step).unwrap_or_default();
        let on = step.is_multiple_of(2);
        let feed = if on { LineFeed::Ringing } else { LineFeed::OnHookTransmission };
        (feed, Duration::from_millis(u64::from(ms)))
    }
}

impl Machine for Fxs {
    fn in_service(&self) -> bool {
        !self.out_of_order
    }

    /// Whether a call can be made now.
    fn can_call(&self, port: &Port) -> Result<(), LineError> {
        if self.out_of_order {
            return Err(LineError::INVALLINESTATE);
        }
        if port.book.call.is_some() { Err(LineError::CALLUNAVAIL) } else { Ok(()) }
    }

    /// Whether a function can be called now that the call's state allows; `None` if it never can.
    /// Digits can't be heard while the telephone rings or waits for an answer.
    fn can(&self, feature: u32) -> Option<bool> {
        match feature {
            LINECALLFEATURE_DROP
            | LINECALLFEATURE_MONITORDIGITS
            | LINECALLFEATURE_MONITORMEDIA
            | LINECALLFEATURE_MONITORTONES
            | LINECALLFEATURE_SETTREATMENT => Some(true),
            LINECALLFEATURE_GATHERDIGITS => {
                Some(matches!(self.phase, FxsPhase::Waiting | FxsPhase::Talking))
            }
            LINECALLFEATURE_ANSWER => Some(matches!(self.phase, FxsPhase::Waiting)),
            LINECALLFEATURE_GENERATEDIGITS
            | LINECALLFEATURE_GENERATETONE
            | LINECALLFEATURE_HOLD => Some(matches!(self.phase, FxsPhase::Talking)),
            LINECALLFEATURE_UNHOLD => Some(matches!(self.phase, FxsPhase::Held)),
            _ => None,
        }
    }

    fn make_call(
        &mut self,
        port: &mut Port,
        visit: &mut Visit<'_, '_>,
        call: Call,
        _: Outgoing,
    ) -> Result<(), LineError> {
        self.can_call(port)?;
        let caller = call.info.caller.clone();
        port.book.call = Some(call);
        port.book.complete(visit.cx, Op::MakeCall, Ok(()));
        if self.switch.is_off_hook() {
            port.set_state(visit, CallState::Busy, LINEBUSYMODE_STATION);
            return Ok(());
        }
        self.announce(port, visit, &caller);
        port.set_state(visit, CallState::Ringback, 0);
        Ok(())
    }

    fn telephone(&self) -> Option<TelephoneOptions> {
        Some(self.options)
    }

    fn set_telephone(&mut self, options: TelephoneOptions) {
        self.options = options;
    }

    fn answer(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, request: Token) {
        port.book.started(request, Op::Answer);
        self.connected(port, visit);
        port.book.complete(visit.cx, Op::Answer, Ok(()));
    }

    fn hold(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, on_hold: bool) {
        if on_hold {
            self.phase = FxsPhase::Held;
            port.stop_generating(visit);
            port.silence(visit);
            port.set_state(visit, CallState::OnHold, 0);
            self.treatment_changed(port);
        } else {
            self.phase = FxsPhase::Talking;
            port.set_state(visit, CallState::Connected, LINECONNECTEDMODE_CONFIRMED);
        }
    }

    fn treatment_changed(&mut self, port: &mut Port) {
        if let FxsPhase::Waiting | FxsPhase::Held = self.phase
            && let Some(tone) = Fxs::treatment(port)
        {
            self.sound(tone);
        }
    }

    /// Ends the call from our side: stops ringing, or plays the reorder tone to a lifted telephone.
    fn hang_up(&mut self, port: &Port, visit: &mut Visit<'_, '_>) {
        match self.phase {
            FxsPhase::Telling | FxsPhase::Ringing { for_call: true, .. } => {
                self.stop_ringing(port, visit);
            }
            FxsPhase::Waiting | FxsPhase::Talking | FxsPhase::Held => {
                self.reorder();
                self.drop_battery(port, visit);
            }
            FxsPhase::Ringing { for_call: false, .. }
            | FxsPhase::Idle
            | FxsPhase::Notifying { .. }
            | FxsPhase::Dialing { .. }
            | FxsPhase::Reorder => {}
        }
    }

    fn event(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, event: PortEvent) {
        match event {
            PortEvent::RingTrip => self.lifted(port, visit),
            PortEvent::Hook(hook) => {
                self.contact = hook;
                if self.battery_drop.is_some() {
                    return;
                }
                let now = visit.now();
                let signals = [self.switch.passes(now), self.switch.changed(hook, now)];
                for signal in signals.into_iter().flatten() {
                    self.signalled(port, visit, signal);
                }
            }
            PortEvent::Fault(
                fault @ (PortFault::CardReset(Remedy::Restoring | Remedy::GaveUp)
                | PortFault::PartReset(Remedy::GaveUp)
                | PortFault::PowerAlarm(Remedy::GaveUp)
                | PortFault::NotAnswering(Remedy::GaveUp)),
            ) => {
                // After a power alarm the line may be tried again; it is fed when it is rung.
                if !matches!(fault, PortFault::PowerAlarm(_)) && !self.out_of_order {
                    self.out_of_order = true;
                    port.book.serves(visit.cx, false);
                }
                if let PortFault::PowerAlarm(_) = fault {
                    // To be told of messages it would be fed, and raise the alarm again and again.
                    self.told_messages = self.phone.message_waits();
                }
                self.battery_drop = None;
                self.stop_telling(port, visit);
                port.book.complete_all(visit.cx, LineError::OPERATIONFAILED);
                if port.book.state().is_some() {
                    let mode = LINEDISCONNECTMODE_OUTOFORDER;
                    port.set_state(visit, CallState::Disconnected, mode);
                }
                self.phase = FxsPhase::Idle;
            }
            PortEvent::Fault(PortFault::CardReset(Remedy::Restored)) if self.out_of_order => {
                self.out_of_order = false;
                port.book.serves(visit.cx, true);
            }
            _ => {}
        }
    }

    fn messages_wait(&self) -> bool {
        self.phone.message_waits()
    }

    fn phone(&self) -> Option<&Phone> {
        Some(&self.phone)
    }

    fn phone_mut(&mut self) -> Option<&mut Phone> {
        Some(&mut self.phone)
    }

    fn phone_report(&self) -> Option<PhoneReport> {
        let setting = self.phone.setting;
        Some(PhoneReport {
            connected: !self.out_of_order,
            off_hook: self.switch.is_off_hook(),
            ring_mode: match self.phase {
                FxsPhase::Ringing { mode, .. } => mode,
                _ => 0,
            },
            can_ring: self.can_ring(),
            lamp: setting.lamp,
            volume: setting.volume,
            gain: setting.gain,
        })
    }

    fn ring(
        &mut self,
        port: &mut Port,
        visit: &mut Visit<'_, '_>,
        mode: u32,
    ) -> Result<(), PhoneError> {
        match (&self.phase, mode) {
            (FxsPhase::Ringing { for_call: true, .. }, _) => Err(PhoneError::INVALPHONESTATE),
            (FxsPhase::Ringing { mode: now, .. }, mode) if *now == mode => Ok(()),
            (FxsPhase::Ringing { .. }, 0) => {
                self.stop_ringing(port, visit);
                Ok(())
            }
            (_, 0) => Ok(()),
            (_, mode) if self.can_ring() => {
                self.start_ringing(port, visit, mode, false);
                Ok(())
            }
            _ => Err(PhoneError::INVALPHONESTATE),
        }
    }

    /// Processes a received frame.
    fn hear(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, heard: &[i16; FRAME]) {
        let now = visit.now();
        if let Some(drop) = self.battery_drop {
            self.pass_battery_drop(port, visit, drop);
        } else if let Some(signal) = self.switch.passes(now) {
            self.signalled(port, visit, signal);
        }
        if self.switch.is_off_hook() {
            self.phone.hear(visit.cx, heard);
        }
        self.tell(port, visit);
        self.notify(port, visit);
        match self.phase {
            FxsPhase::Idle | FxsPhase::Notifying { .. } | FxsPhase::Telling => {}
            FxsPhase::Ringing { until, for_call, .. } if now >= until => {
                self.stop_ringing(port, visit);
                if for_call {
                    port.set_state(visit, CallState::Disconnected, LINEDISCONNECTMODE_NOANSWER);
                }
            }
            FxsPhase::Ringing { mode, step, next, until, for_call } if now >= next => {
                let cadence = ring_cadence(mode, self.country.ring());
                let step = (step + 1) % cadence.steps_ms().len().max(1);
                let (feed, time) = self.ring_step(mode, step);
                port.order(visit, Order::Feed(feed));
                match (&mut self.teller, feed) {
                    (Some(teller), LineFeed::OnHookTransmission) => teller.pause(now, time),
                    // The pause was too short for what is told.
                    (Some(teller), _) if teller.sounds() => self.teller = None,
                    _ => {}
                }
                self.phase = FxsPhase::Ringing { mode, step, next: now + time, until, for_call };
            }
            FxsPhase::Ringing { .. } => {}
            FxsPhase::Dialing { last } => self.dialing(port, visit, last, heard),
            FxsPhase::Waiting | FxsPhase::Talking => port.hear(visit, heard),
            FxsPhase::Held => port.pass_on_hold(visit),
            FxsPhase::Reorder => {}
        }
    }

    fn sound(&self, port: &Port) -> Option<Sound> {
        match self.phase {
            FxsPhase::Dialing { .. } if self.digits.is_empty() && !self.switch.pulses() => {
                Some(Sound::Tone(CallProgress::Dial))
            }
            FxsPhase::Waiting | FxsPhase::Held => Fxs::treatment(port).map(Sound::Tone),
            FxsPhase::Reorder => Some(Sound::Tone(CallProgress::Reorder)),
            FxsPhase::Talking => Some(port.sound()),
            FxsPhase::Notifying { .. } | FxsPhase::Telling | FxsPhase::Ringing { .. } => {
                let sounds = self.teller.as_ref().is_some_and(CallerTeller::sounds);
                sounds.then_some(Sound::CallerId)
            }
            FxsPhase::Dialing { .. } | FxsPhase::Idle => None,
        }
    }

    fn render(
        &mut self,
        port: &mut Port,
        visit: &mut Visit<'_, '_>,
        sound: Sound,
        play: &mut [i16],
    ) -> usize {
        match sound {
            Sound::Tone(_) => {
                self.tone.fill(play);
                play.len()
            }
            Sound::CallerId => self.teller.as_mut().map_or(0, |teller| teller.render(play)),
            Sound::Acknowledgement | Sound::Dial | Sound::Digits | Sound::Audio | Sound::Rest => {
                port.render(visit, play)
            }
        }
    }
}
