//! The buffers of a line that the kernel plays.
//!
//! Where the kernel moves the samples, sound is rendered ahead, in whole buffers: a request's
//! samples are one WRITE under its id, and its end is the end of that. A tone that goes on is
//! rendered a few seconds at a time, and stopped by dropping what the kernel has left of it. What
//! is played is rendered by the same generators as frame by frame, and noted here.

use ringback_driver::engine::Play;
use ringback_media::tone::CallProgress;

/// What a buffer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sound {
    /// A tone of ours to a telephone.
    Tone(CallProgress),
    /// Digits of the dial string.
    Dial,
    /// Digits that the application generates.
    Digits,
    /// Samples that the application has written.
    Audio,
}

/// Samples that are rendered at once, at least: 2 s. More are rendered when that much is left.
pub(super) const CHUNK: usize = 16_000;
/// The application's audio that the kernel has at the most: 0.5 s.
pub(super) const AUDIO: usize = 4000;
/// The part of it that one WRITE carries at the most.
pub(super) const AUDIO_PIECE: usize = 1000;

#[derive(Debug)]
struct Queued {
    play: Play,
    sound: Sound,
    samples: usize,
}

/// The buffers of a line that the kernel has.
#[derive(Debug, Default)]
pub(super) struct Queue(Vec<Queued>);

impl Queue {
    pub(super) fn push(&mut self, play: Play, sound: Sound, samples: usize) {
        self.0.push(Queued { play, sound, samples });
    }

    /// Forgets a buffer that has ended; returns what it was, unless it was dropped before.
    pub(super) fn ended(&mut self, play: Play) -> Option<(Sound, usize)> {
        let place = self.0.iter().position(|queued| queued.play == play)?;
        let Queued { sound, samples, .. } = self.0.remove(place);
        Some((sound, samples))
    }

    /// How many samples there are of a sound.
    pub(super) fn samples(&self, sound: Sound) -> usize {
        self.0.iter().filter(|queued| queued.sound == sound).map(|queued| queued.samples).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is a tone, but not this one.
    pub(super) fn has_tone_but(&self, tone: Option<CallProgress>) -> bool {
        self.0.iter().any(|queued| {
            matches!(queued.sound, Sound::Tone(_)) && Some(queued.sound) != tone.map(Sound::Tone)
        })
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
