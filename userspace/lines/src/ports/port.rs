//! What FXO and FXS lines have in common: the call, its requests, its digits and its audio.

use ringback_country::Companding;
use ringback_driver::card::{FRAME, Hook, LineFeed, ModuleKind, Polarity};
use ringback_driver::engine::{Context, Play};
use ringback_driver::request::{LineNumber, Token};
use ringback_driver::{PortNumber, Time};
use ringback_media::dtmf;
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::dev_specific::LineKind;
use ringback_tspi::media::Audio;

use super::gathering::Gathering;
use super::generation::Generation;
use super::media_modes::MediaMonitor;
use super::queue::{Queue, Sound};
use super::sound_path::SoundPath;
use super::tone_lists::ToneLists;
use crate::book::Book;
use crate::call::CallHandles;
use crate::{Event, Gather};

/// The description of a line, for LINEDEVCAPS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortInfo {
    /// Its port on the card.
    pub port: PortNumber,
    /// What the port is.
    pub kind: ModuleKind,
}

/// The kind of a line on this kind of module.
pub fn line_kind(module: ModuleKind) -> LineKind {
    match module {
        ModuleKind::Fxo => LineKind::Fxo,
        ModuleKind::Fxs => LineKind::Fxs,
    }
}

/// An order to the card, carried out after the samples were moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Hook(Hook),
    Feed(LineFeed),
    Polarity(Polarity),
}

/// What the engine passes to a function of a line: the time, and the context for its effects.
pub(super) struct Visit<'a, 'c> {
    pub(super) cx: &'a mut Context<'c, Event>,
    pub(super) orders: &'a mut Vec<(PortNumber, Order)>,
    pub(super) handles: &'a CallHandles,
    pub(super) now: Time,
}

impl Visit<'_, '_> {
    /// The time of the lines, which is that of their samples.
    pub(super) fn now(&self) -> Time {
        self.now
    }

    /// The tick count of an event: milliseconds of the real clock, wrapping at 32 bits.
    fn ticks(&self) -> usize {
        self.cx.now().as_millis() as u32 as usize
    }
}

/// One port of the card, with its line's call and its sound.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) book: Book,
    /// Its number on the card.
    pub(super) number: PortNumber,
    pub(super) audio: Audio,
    pub(super) sound_path: SoundPath,
    listener: dtmf::Detector,
    /// A received digit has not ended yet.
    in_digit: bool,
    generator: Generation,
    gathering: Option<Gathering>,
    tone_lists: ToneLists,
    media: Option<MediaMonitor>,
    /// What the kernel has to play, if it moves the samples.
    pub(super) queue: Queue,
    encoded: Vec<u8>,
}

impl Port {
    /// A port of a line, whose samples are of this law.
    pub(super) fn new(line: LineNumber, number: PortNumber, companding: Companding) -> Port {
        Port {
            book: Book::new(line),
            number,
            audio: Audio::default(),
            sound_path: SoundPath::new(companding),
            listener: dtmf::Detector::new(),
            in_digit: false,
            generator: Generation::none(),
            gathering: None,
            tone_lists: ToneLists::new(),
            media: None,
            queue: Queue::default(),
            encoded: Vec::new(),
        }
    }

    pub(super) fn order(&self, visit: &mut Visit<'_, '_>, order: Order) {
        visit.orders.push((self.number, order));
    }

    /// Moves the call to a state and emits it once.
    pub(super) fn set_state(&mut self, visit: &mut Visit<'_, '_>, state: CallState, mode: u32) {
        if !self.book.would_change(state, mode) {
            return;
        }
        if matches!(state, CallState::Idle | CallState::Disconnected) {
            // O5: monitoring ends with the conversation.
            if let Some(call) = &mut self.book.call {
                call.monitored = 0;
            }
            self.stop_generating(visit);
            self.stop_listening(visit);
            self.sound_path.end();
        } else if state == CallState::Connected {
            self.sound_path.begin();
        }
        self.book.set_state(visit.cx, state, mode);
        if state == CallState::Idle {
            self.hush(visit);
        }
    }

    /// Stops playback and discards everything queued.
    pub(super) fn hush(&mut self, visit: &mut Visit<'_, '_>) {
        self.gathering = None;
        self.tone_lists.clear();
        self.media = None;
        self.sound_path.end();
        self.audio.hush();
        self.silence(visit);
    }

    // Digits

    /// Starts to generate digits or a tone (D17): what is being generated is cancelled first.
    pub(super) fn generate(
        &mut self,
        visit: &mut Visit<'_, '_>,
        end_to_end: u32,
        generation: Generation,
    ) {
        self.stop_generating(visit);
        self.generator = generation;
        if let Some(call) = &mut self.book.call {
            call.generating = Some(end_to_end);
        }
    }

    /// Cancels what is being generated, with LINE_GENERATE(CANCEL).
    pub(super) fn stop_generating(&mut self, visit: &mut Visit<'_, '_>) {
        self.generator = Generation::none();
        if self.queue.samples(Sound::Digits) > 0 {
            self.silence(visit);
        }
        self.tell_generated(visit, LINEGENERATETERM_CANCEL);
    }

    fn tell_generated(&mut self, visit: &mut Visit<'_, '_>, how: u32) {
        let generating = self.book.call.as_mut().and_then(|call| call.generating.take());
        if let Some(end_to_end) = generating {
            let params = [how as usize, end_to_end as usize, visit.ticks()];
            self.book.tell_call(visit.cx, LINE_GENERATE, params);
        }
    }

    /// Starts to gather digits (D18): what was being gathered ends first.
    pub(super) fn gather(&mut self, visit: &mut Visit<'_, '_>, asked: Gather) {
        self.stop_gathering(visit, LINEGATHERTERM_CANCEL);
        self.start_listening();
        self.gathering = Some(Gathering::new(asked, visit.now()));
    }

    /// Ends the gathering of digits, which are in their buffer before LINE_GATHERDIGITS (B7).
    pub(super) fn stop_gathering(&mut self, visit: &mut Visit<'_, '_>, how: u32) {
        if let Some(gathering) = self.gathering.take() {
            let params = [how as usize, gathering.finish() as usize, visit.ticks()];
            self.book.tell_call(visit.cx, LINE_GATHERDIGITS, params);
        }
    }

    /// The lists of tones that are listened for.
    pub(super) fn tone_lists(&mut self) -> &mut ToneLists {
        &mut self.tone_lists
    }

    /// Listens for these LINEMEDIAMODE_ bits from now on; 0 for none.
    pub(super) fn monitor_media(&mut self, modes: u32) {
        self.media = (modes != 0).then(|| MediaMonitor::new(modes));
    }

    /// Stops all listening, because the conversation is over (O5).
    pub(super) fn stop_listening(&mut self, visit: &mut Visit<'_, '_>) {
        self.stop_gathering(visit, LINEGATHERTERM_CANCEL);
        self.tone_lists.clear();
        self.media = None;
    }

    /// A frame came in: returns it as the line hears it.
    pub(super) fn receive(&mut self, received: &[u8; FRAME]) -> [i16; FRAME] {
        let heard = self.sound_path.receive(received);
        if let Some(levels) = self.sound_path.due_levels() {
            self.audio.measured(levels);
        }
        heard
    }

    /// Processes samples received on a call whose loop is closed: digits, and the application's
    /// recording.
    pub(super) fn hear(&mut self, visit: &mut Visit<'_, '_>, heard: &[i16; FRAME]) {
        let monitored = self.book.call.as_ref().map_or(0, |call| call.monitored);
        if monitored != 0 || self.gathering.is_some() || self.in_digit {
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
                    let params = [digit, mode as usize, visit.ticks()];
                    self.book.tell_call(visit.cx, LINE_MONITORDIGITS, params);
                }
                self.in_digit = mode == LINEDIGITMODE_DTMF;
                if self.in_digit {
                    let now = visit.now();
                    let gathering = self.gathering.as_mut();
                    let ended = gathering.and_then(|one| one.digit(digit.as_char(), mode, now));
                    self.gathered(visit, ended);
                }
            }
            let ended = self.gathering.as_ref().and_then(|one| one.expired(visit.now()));
            self.gathered(visit, ended);
        }
        let ticks = visit.ticks();
        let (book, cx) = (&self.book, &mut *visit.cx);
        self.tone_lists.feed(heard, &mut |app_specific, list| {
            let params = [app_specific as usize, list as usize, ticks];
            book.tell_call(cx, LINE_MONITORTONE, params);
        });
        if let Some(media) = &mut self.media {
            media.feed(heard, &mut |mode| {
                book.tell_call(cx, LINE_MONITORMEDIA, [mode as usize, 0, ticks]);
            });
        }
        self.audio.hear(heard, self.sound_path.passed());
    }

    /// A digit was dialled by pulses.
    pub(super) fn pulsed(&mut self, visit: &mut Visit<'_, '_>, digit: char) {
        let mode = LINEDIGITMODE_PULSE;
        if self.book.call.as_ref().is_some_and(|call| call.monitored & mode != 0) {
            let params = [digit as usize, mode as usize, visit.ticks()];
            self.book.tell_call(visit.cx, LINE_MONITORDIGITS, params);
        }
        let now = visit.now();
        let ended = self.gathering.as_mut().and_then(|one| one.digit(digit, mode, now));
        self.gathered(visit, ended);
    }

    /// Processes a millisecond of a call on hold: the application hears silence, and what it plays
    /// is lost.
    pub(super) fn pass_on_hold(&mut self, visit: &mut Visit<'_, '_>) {
        self.hear(visit, &[0; FRAME]);
        let lost = self.audio.take(&mut [0; FRAME]);
        self.audio.played(lost);
    }

    fn gathered(&mut self, visit: &mut Visit<'_, '_>, ended: Option<u32>) {
        if let Some(how) = ended {
            self.stop_gathering(visit, how);
        }
    }

    /// What is played for the application: digits or a tone that it generates, otherwise its own
    /// samples.
    pub(super) fn sound(&self) -> Sound {
        let generates = self.book.call.as_ref().is_some_and(|call| call.generating.is_some());
        if generates { Sound::Digits } else { Sound::Audio }
    }

    /// Renders the next samples of [`sound`](Port::sound) to the start of `play`; returns how many
    /// there are.
    pub(super) fn render(&mut self, visit: &mut Visit<'_, '_>, play: &mut [i16]) -> usize {
        if self.sound() == Sound::Audio {
            return self.audio.take(play);
        }
        let count = self.generator.fill(play);
        if count == 0 && self.queue.samples(Sound::Digits) == 0 {
            self.tell_generated(visit, LINEGENERATETERM_DONE);
        }
        count
    }

    // What the kernel plays

    /// Has the kernel play samples, for a request or for none.
    pub(super) fn play(
        &mut self,
        visit: &mut Visit<'_, '_>,
        sound: Sound,
        request: Option<Token>,
        samples: &[i16],
    ) {
        if samples.is_empty() {
            return;
        }
        self.encoded.clear();
        self.encoded.extend(samples.iter().map(|sample| self.sound_path.send(*sample)));
        let play = visit.cx.play(self.number, request, &self.encoded);
        self.queue.push(play, sound, samples.len());
    }

    /// Has the kernel drop what it has to play.
    pub(super) fn silence(&mut self, visit: &mut Visit<'_, '_>) {
        if !self.queue.is_empty() {
            self.audio.played(self.queue.samples(Sound::Audio));
            self.queue.clear();
            self.sound_path.forget();
            visit.cx.silence(self.number);
        }
    }

    /// Takes a play that has ended out of the queue; returns what it was, unless it was dropped
    /// before.
    pub(super) fn played(&mut self, play: Play) -> Option<Sound> {
        let (sound, samples) = self.queue.ended(play)?;
        if sound == Sound::Audio {
            self.audio.played(samples);
        }
        Some(sound)
    }

    /// Restarts the detection of digits.
    pub(super) fn listen_anew(&mut self) {
        self.listener = dtmf::Detector::new();
        self.in_digit = false;
    }

    /// Starts to report digits. A digit that has already begun is not reported, because only the
    /// rest of it would be heard.
    pub(super) fn start_listening(&mut self) {
        let monitored = self.book.call.as_ref().is_some_and(|call| call.monitored != 0);
        if !monitored && self.gathering.is_none() && !self.in_digit {
            self.listen_anew();
        }
    }
}
