//! The state machine of each line and subscriber (party), and the calls that join two of them.
//!
//! Rules: a call joins exactly two parties; whenever one of them changes its state, the other one
//! is changed in the same step. All times are the exchange's own milliseconds.

use std::collections::HashMap;
use std::sync::Arc;

use ringback_country::{CallProgress, Country, Forwarding};
use ringback_media::dtmf;
use ringback_media::tone;
use ringback_request::PortNumber;

use super::call_waiting::WaitingCall;
use super::caller_id::{Identity, Telling};
use super::config::ExchangeConfig;
use super::destination::{CallBack, Destination, Id};
use super::line::{LineOptions, LineState};
use super::messages::MessageDesk;
use crate::SLOTS;
use crate::chips::{Battery, Feed, Frame, Load};
use crate::telephone::Telephone;

/// How long the loop has to be closed to count as off-hook.
const SEIZE_MS: u32 = 20;
/// How long the loop has to be open for a flash: longer than a dial pulse.
const FLASH_MS: u32 = 75;
/// The most digits that are kept; no number is longer.
const MAX_DIGITS: usize = 64;

/// The far end of a pair of wires.
#[derive(Debug)]
pub(super) enum Terminal {
    /// The FXO module in a slot of the card.
    Line(PortNumber),
    /// A telephone of the exchange's own.
    Subscriber(Telephone),
}

#[derive(Debug)]
pub(super) enum SwitchState {
    Idle,
    Collecting(Box<Register>),
    Calling(Id),
    Ringing(Id),
    Talking(Id),
    /// Held by another party.
    Held(Id),
    /// Connected to two parties, of which the second came last.
    Conference(Id, Id),
    /// One of the two parties of a conference.
    Member(Id),
    /// Parked, until somebody unparks it.
    Parked,
    /// The exchange rings it, because this party is free now.
    CalledBack(Id),
    /// A code was dialled and followed.
    Confirmed,
    LoopBreak,
    Tone(CallProgress),
    /// Hears what is left of an announcement.
    Announcement(Arc<[i16]>, usize),
}

/// Collects the digits of one caller.
#[derive(Debug)]
pub(super) struct Register {
    detector: dtmf::Detector,
    /// The time at which waiting for the first digit, or the next one, ends.
    deadline: u64,
}

/// A line or a subscriber.
#[derive(Debug)]
pub(super) struct Party {
    pub(super) terminal: Terminal,
    pub(super) options: LineOptions,
    pub(super) unplugged: bool,
    pub(super) dialled: String,
    pub(super) state: SwitchState,
    /// The time at which the current state began.
    pub(super) since: u64,
    off_hook: bool,
    /// For how many milliseconds the loop has differed from `off_hook`.
    hook_ms: u32,
    /// The loop was open for a flash, and is closed again.
    flashed: bool,
    /// The parties that it holds: that of the first conversation; and while it is to dial what is
    /// to be done with both, that of the second.
    pub(super) held: Option<Id>,
    pub(super) aside: Option<Id>,
    /// Where its calls go instead.
    pub(super) forwards: Vec<(Forwarding, String)>,
    /// The party that was in use when this one called it last.
    pub(super) busy: Option<Id>,
    pub(super) reversed: bool,
    pub(super) tone: Option<tone::Generator>,
    pub(super) load: Load,
    feed: Feed,
    pub(super) identity: Identity,
    /// What it is told while it rings.
    telling: Option<Telling>,
    /// Whether others may wait for the end of its conversation, and who does.
    pub(super) call_waiting: bool,
    pub(super) waiting: Option<WaitingCall>,
    pub(super) messages: MessageDesk,
}

impl Party {
    fn enter(&mut self, state: SwitchState, now: u64, country: Country) {
        let sound = match &state {
            SwitchState::Collecting(_) => Some(CallProgress::Dial),
            SwitchState::Calling(_) => Some(CallProgress::Ringback),
            SwitchState::Tone(tone) => Some(*tone),
            SwitchState::Idle
            | SwitchState::Ringing(_)
            | SwitchState::Talking(_)
            | SwitchState::Held(_)
            | SwitchState::Conference(..)
            | SwitchState::Member(_)
            | SwitchState::Parked
            | SwitchState::CalledBack(_)
            | SwitchState::Confirmed
            | SwitchState::LoopBreak
            | SwitchState::Announcement(..) => None,
        };
        self.tone = sound.map(|sound| tone::Generator::new(country.tones().sent(sound)));
        self.state = state;
        self.since = now;
        self.telling = None;
        self.messages.interrupt();
    }

    pub(super) fn line_state(&self) -> LineState {
        match &self.state {
            SwitchState::Idle => LineState::Idle,
            SwitchState::Collecting(_) if self.dialled.is_empty() => LineState::DialTone,
            SwitchState::Collecting(_) => LineState::Dialling,
            SwitchState::Calling(_) => LineState::Calling,
            SwitchState::Ringing(_) => LineState::Ringing,
            SwitchState::Talking(_) => LineState::Talking,
            SwitchState::Held(_) => LineState::Held,
            SwitchState::Conference(..) => LineState::Conference,
            SwitchState::Member(_) => LineState::Talking,
            SwitchState::Parked => LineState::Parked,
            SwitchState::CalledBack(_) => LineState::Ringing,
            SwitchState::Confirmed => LineState::Confirmed,
            SwitchState::LoopBreak => LineState::LoopBreak,
            SwitchState::Announcement(..) => LineState::Announcement,
            SwitchState::Tone(CallProgress::Busy) => LineState::Busy,
            SwitchState::Tone(_) => LineState::Reorder,
        }
    }

    /// Stores the millisecond's load and debounces the hook.
    fn watch_hook(&mut self, load: Load, hang_up_ms: u32) {
        self.load = if self.unplugged { Load::default() } else { load };
        if self.load.off_hook == self.off_hook {
            self.flashed |= self.off_hook && self.hook_ms >= FLASH_MS;
            self.hook_ms = 0;
            return;
        }
        self.hook_ms += 1;
        let enough = if self.load.off_hook { SEIZE_MS } else { hang_up_ms };
        if self.hook_ms >= enough {
            self.off_hook = self.load.off_hook;
            self.hook_ms = 0;
        }
    }

    fn battery(&self) -> Battery {
        match self.state {
            _ if self.unplugged => Battery::Off,
            SwitchState::LoopBreak => Battery::Off,
            _ if self.telling.as_ref().is_some_and(Telling::reverses) => Battery::Reversed,
            _ if self.messages.reverses() => Battery::Reversed,
            _ if self.reversed => Battery::Reversed,
            _ => Battery::Forward,
        }
    }

    /// Returns the frequency of the ringing voltage at this moment, in Hz.
    fn rings(&self, now: u64, country: Country) -> Option<u16> {
        // The bell stops as soon as the loop is closed, before the answer is recognised.
        let called_ms = now.saturating_sub(self.since);
        let ring = country.ring();
        let sounds = match &self.telling {
            Some(telling) => telling.rings(called_ms, ring),
            None => ring.sounds_at(called_ms),
        };
        let rings = matches!(self.state, SwitchState::Ringing(_) | SwitchState::CalledBack(_))
            && !self.unplugged
            && !self.load.off_hook
            && sounds;
        rings.then_some(country.slic().ring_hz)
    }
}

/// All parties, and the time.
#[derive(Debug)]
pub(super) struct Switch {
    pub(super) config: ExchangeConfig,
    pub(super) parties: Vec<Party>,
    /// The parked parties, by their places.
    pub(super) parked: Vec<(String, Id)>,
    pub(super) call_backs: Vec<CallBack>,
    /// The announcements, by their numbers.
    announcements: HashMap<String, Arc<[i16]>>,
    /// What a line hears that is to dial.
    dial_tone: CallProgress,
    pub(super) tells_callers: bool,
    pub(super) now: u64,
}

impl Switch {
    pub(super) fn new(config: ExchangeConfig) -> Switch {
        Switch {
            config,
            parties: Vec::new(),
            parked: Vec::new(),
            call_backs: Vec::new(),
            announcements: HashMap::new(),
            dial_tone: CallProgress::Dial,
            tells_callers: false,
            now: 0,
        }
    }

    pub(super) fn add(&mut self, terminal: Terminal, options: LineOptions) {
        self.parties.push(Party {
            terminal,
            options,
            unplugged: false,
            dialled: String::new(),
            state: SwitchState::Idle,
            since: self.now,
            off_hook: false,
            hook_ms: 0,
            flashed: false,
            held: None,
            aside: None,
            forwards: Vec::new(),
            busy: None,
            reversed: false,
            tone: None,
            load: Load::default(),
            feed: Feed::default(),
            identity: Identity::default(),
            telling: None,
            call_waiting: false,
            waiting: None,
            messages: MessageDesk::default(),
        });
    }

    pub(super) fn announce(&mut self, number: &str, samples: &[i16]) {
        self.announcements.insert(number.to_owned(), samples.into());
    }

    pub(super) fn set_dial_tone(&mut self, signal: CallProgress) {
        self.dial_tone = signal;
    }

    pub(super) fn parties(&self) -> &[Party] {
        &self.parties
    }

    pub(super) fn find(&self, number: &str) -> Option<Id> {
        self.parties.iter().rposition(|party| party.options.number == number)
    }

    pub(super) fn party(&self, number: &str) -> Option<&Party> {
        self.parties.get(self.find(number)?)
    }

    pub(super) fn party_mut(&mut self, number: &str) -> Option<&mut Party> {
        let id = self.find(number)?;
        self.parties.get_mut(id)
    }

    pub(super) fn line(&self, slot: PortNumber) -> Option<&Party> {
        self.parties.iter().find(|party| matches!(party.terminal, Terminal::Line(at) if at == slot))
    }

    /// Runs one millisecond.
    pub(super) fn tick(&mut self, loads: &[Load; SLOTS]) -> [Feed; SLOTS] {
        self.now += 1;
        for party in &mut self.parties {
            let load = match &party.terminal {
                Terminal::Line(slot) => loads.get(slot.index()).copied().unwrap_or_default(),
                Terminal::Subscriber(telephone) => telephone.tick(party.feed),
            };
            party.watch_hook(load, self.config.hang_up_ms);
        }
        for id in 0..self.parties.len() {
            self.step(id);
        }
        self.call_whom_it_waits_for();
        let mut feeds = [Feed::default(); SLOTS];
        for id in 0..self.parties.len() {
            let feed = self.feed(id);
            if let Some(party) = self.parties.get_mut(id) {
                party.feed = feed;
                if let Terminal::Line(slot) = party.terminal
                    && let Some(of_slot) = feeds.get_mut(slot.index())
                {
                    *of_slot = feed;
                }
            }
        }
        feeds
    }

    pub(super) fn enter(&mut self, id: Id, state: SwitchState) {
        let telling = match state {
            SwitchState::Ringing(caller) => self.telling(caller, id),
            _ => None,
        };
        if let Some(party) = self.parties.get_mut(id) {
            party.enter(state, self.now, self.config.country);
            party.telling = telling;
        }
    }

    fn step(&mut self, id: Id) {
        let Some(party) = self.parties.get_mut(id) else { return };
        if std::mem::take(&mut party.flashed)
            && let Some(profile) = self.config.profile
        {
            return self.flash(id, profile);
        }
        let Some(party) = self.parties.get_mut(id) else { return };
        let off_hook = party.off_hook;
        if matches!(party.state, SwitchState::Ringing(_))
            && party.telling.as_mut().is_some_and(|telling| telling.watch(off_hook))
        {
            return;
        }
        let Some(party) = self.parties.get(id) else { return };
        if !party.off_hook && (party.held.is_some() || self.is_conference(id)) {
            return self.hang_up_on_both(id);
        }
        let elapsed = self.now.saturating_sub(party.since);
        match (&party.state, party.off_hook) {
            (SwitchState::Idle, true) => self.begin_dialling(id),
            (SwitchState::Ringing(caller), true) => self.connect(*caller, id),
            (SwitchState::Ringing(caller), false)
                if elapsed == u64::from(self.config.no_answer_ms) =>
            {
                self.goes_on(*caller, id);
            }
            (SwitchState::CalledBack(called), answers) => {
                let called = *called;
                self.step_call_back(id, called, answers);
            }
            (SwitchState::Parked, false) => self.leave_park(id),
            (SwitchState::Collecting(_), true) => self.collect(id),
            (SwitchState::LoopBreak, true) if elapsed >= u64::from(party.options.loop_break_ms) => {
                self.enter(id, SwitchState::Tone(CallProgress::Reorder));
            }
            (SwitchState::Calling(called), false) => {
                let called = *called;
                self.enter(id, SwitchState::Idle);
                self.stop_calling(id, called);
            }
            (SwitchState::Talking(other) | SwitchState::Held(other), false) => {
                let other = *other;
                self.end(id);
                self.release(other);
            }
            (SwitchState::Member(controller), false) => {
                let controller = *controller;
                self.end(id);
                self.member_left(controller, id);
            }
            (
                SwitchState::Collecting(_)
                | SwitchState::Confirmed
                | SwitchState::LoopBreak
                | SwitchState::Tone(_)
                | SwitchState::Announcement(..),
                false,
            ) => self.end(id),
            _ => {}
        }
    }

    pub(super) fn begin_dialling(&mut self, id: Id) {
        let mut detector = dtmf::Detector::new();
        detector.set_dial_tone_filter(true);
        let deadline = self.now + u64::from(self.config.first_digit_ms);
        if let Some(party) = self.parties.get_mut(id) {
            party.dialled.clear();
            party.enter(
                SwitchState::Collecting(Box::new(Register { detector, deadline })),
                self.now,
                self.config.country,
            );
            let tones = self.config.country.tones();
            party.tone = Some(match party.messages.wait {
                true if self.dial_tone == CallProgress::Dial => {
                    tone::Generator::new(&tones.messages_waiting())
                }
                _ => tone::Generator::new(tones.sent(self.dial_tone)),
            });
        }
    }

    /// Waits for the first digit of a number behind a code.
    pub(super) fn collect_on(&mut self, id: Id) {
        let deadline = self.now + u64::from(self.config.first_digit_ms);
        let Some(party) = self.parties.get_mut(id) else { return };
        if let SwitchState::Collecting(register) = &mut party.state {
            register.detector.set_dial_tone_filter(true);
            register.deadline = deadline;
        }
    }

    fn collect(&mut self, id: Id) {
        let Some(party) = self.parties.get_mut(id) else { return };
        let SwitchState::Collecting(register) = &mut party.state else { return };
        let (mut ended, mut quiet) = (false, false);
        let mut came = Vec::new();
        register.detector.feed(&party.load.audio, &mut |event| match event {
            dtmf::Event::Down(digit) => came.push(digit.as_char()),
            dtmf::Event::Up(_) => quiet = true,
        });
        if quiet {
            // Dial tone has stopped with the first digit. The filter is switched off only after
            // that digit, because changing it within the digit would split the digit in two.
            register.detector.set_dial_tone_filter(false);
            let dialled = party.dialled.clone();
            return self.prompt(id, &dialled);
        }
        if !came.is_empty() {
            party.tone = None;
            register.deadline = self.now + u64::from(self.config.inter_digit_ms);
        }
        for digit in came {
            if digit == '#' && !party.dialled.is_empty() {
                ended = true;
            } else if party.dialled.len() < MAX_DIGITS {
                party.dialled.push(digit);
            }
        }
        let expired = self.now >= register.deadline;
        let dialled = party.dialled.clone();
        let commands = self.is_aside(id) && !dialled.is_empty();
        if ended || expired || commands || self.is_number(&dialled) || self.is_code(&dialled) {
            self.route(id, &dialled);
        }
    }

    /// Returns whether these digits are a number and not the beginning of a longer one.
    pub(super) fn is_number(&self, dialled: &str) -> bool {
        let numbers = self.parties.iter().map(|party| party.options.number.as_str());
        let mut numbers = numbers.chain(self.announcements.keys().map(String::as_str));
        !dialled.is_empty()
            && numbers.clone().any(|number| number == dialled)
            && !numbers.any(|number| number != dialled && number.starts_with(dialled))
    }

    pub(super) fn route(&mut self, caller: Id, dialled: &str) {
        if self.is_aside(caller) {
            return self.command(caller, dialled);
        }
        if let Some(meaning) = self.meaning(dialled) {
            return self.follow(caller, meaning);
        }
        if let Some(samples) = self.announcements.get(dialled) {
            let announcement = SwitchState::Announcement(Arc::clone(samples), 0);
            return self.enter(caller, announcement);
        }
        match self.destination(dialled) {
            Destination::Free(called) => self.ring(caller, called),
            Destination::Busy(called) if self.wait(caller, called) => {}
            Destination::Busy(called) => {
                self.enter(caller, SwitchState::Tone(CallProgress::Busy));
                if let Some(party) = self.parties.get_mut(caller) {
                    party.busy = Some(called);
                }
            }
            Destination::Unknown => {
                self.enter(caller, SwitchState::Tone(self.config.unknown_number));
            }
        }
    }

    pub(super) fn is_free(&self, id: Id) -> bool {
        self.parties.get(id).is_some_and(|party| {
            matches!(party.state, SwitchState::Idle) && !party.off_hook && !party.load.off_hook
        })
    }

    pub(super) fn ring(&mut self, caller: Id, called: Id) {
        self.enter(caller, SwitchState::Calling(called));
        self.enter(called, SwitchState::Ringing(caller));
    }

    pub(super) fn connect(&mut self, caller: Id, called: Id) {
        self.enter(caller, SwitchState::Talking(called));
        self.enter(called, SwitchState::Talking(caller));
        if let Some(party) = self.parties.get_mut(caller) {
            party.reversed = party.options.polarity_on_answer;
        }
    }

    /// The party itself has hung up.
    pub(super) fn end(&mut self, id: Id) {
        if let Some(party) = self.parties.get_mut(id) {
            party.reversed = false;
            party.enter(SwitchState::Idle, self.now, self.config.country);
        }
        if let Some(caller) = self.take_waiting(id) {
            self.ring(caller, id);
        }
    }

    /// The far end of the party's call has hung up. A party that it held or is held by is told by
    /// a tone, or when it is connected again.
    pub(super) fn release(&mut self, id: Id) {
        let Some(party) = self.parties.get_mut(id) else { return };
        if party.held.is_some() && self.forget_held(id) {
            return;
        }
        let Some(party) = self.parties.get_mut(id) else { return };
        party.reversed = false;
        let state = if party.options.loop_break_ms > 0 && party.held.is_none() {
            SwitchState::LoopBreak
        } else {
            SwitchState::Tone(CallProgress::Reorder)
        };
        party.enter(state, self.now, self.config.country);
    }

    fn feed(&mut self, id: Id) -> Feed {
        let now = self.now;
        let mut audio = self.hears(id).unwrap_or_default();
        self.tell_waiting(id, &mut audio);
        let Some(party) = self.parties.get_mut(id) else { return Feed::default() };
        if let Some(tone) = &mut party.tone {
            tone.fill(&mut audio);
        }
        if let SwitchState::Announcement(samples, at) = &mut party.state {
            for (place, sample) in audio.iter_mut().zip(samples.iter().skip(*at)) {
                *place = *sample;
            }
            *at += audio.len();
        }
        if let Some(telling) = &mut party.telling {
            telling.tell(now.saturating_sub(party.since), &mut audio);
        }
        if matches!(party.state, SwitchState::Idle) && !party.load.off_hook && !party.unplugged {
            let (idle, wrong) = (now.saturating_sub(party.since), party.identity.wrong_bit);
            party.messages.tell(self.config.country, idle, wrong, &mut audio);
        }
        let battery = party.battery();
        if battery == Battery::Off {
            audio = Frame::default();
        }
        Feed { battery, ringing: party.rings(now, self.config.country), audio }
    }
}
