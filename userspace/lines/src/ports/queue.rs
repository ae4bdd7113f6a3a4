//! The kinds of sound that a port plays, and the buffers that the kernel has to play.
//!
//! If the kernel moves the samples, what a port plays is rendered ahead and noted here; to stop it,
//! the kernel drops the rest. If the lines move them, the queue is always empty.

use ringback_driver::engine::Play;
use ringback_media::tone::CallProgress;

/// The most samples that one buffer holds: 2 s.
pub(super) const MOST: usize = 16_000;

/// How much the kernel has to play at least where there must be no gap: 60 ms, three of its reads.
pub(super) const REST: usize = 480;

/// What a port plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sound {
    /// A tone to a telephone.
    Tone(CallProgress),
    /// Who calls, or whether messages wait, to a telephone.
    CallerId,
    /// The digit that acknowledges that another caller waits, and silence behind it.
    Acknowledgement,
    /// Digits of the dial string.
    Dial,
    /// Digits that the application generates.
    Digits,
    /// Samples that the application has written.
    Audio,
    /// Silence between the others, without which their time would not be known exactly.
    Rest,
}

impl Sound {
    /// The most samples in one buffer of it. Buffers of the application's samples are short, so
    /// that one need not wait for many samples.
    pub(super) fn piece(self) -> usize {
        match self {
            Sound::Audio => 1000,
            Sound::Rest => REST,
            Sound::Tone(_)
            | Sound::CallerId
            | Sound::Acknowledgement
            | Sound::Dial
            | Sound::Digits => MOST,
        }
    }

    /// The most samples of it that the kernel gets at a time.
    fn most(self) -> usize {
        match self {
            Sound::Audio => 4000,
            Sound::Rest => REST,
            Sound::Tone(_)
            | Sound::CallerId
            | Sound::Acknowledgement
            | Sound::Dial
            | Sound::Digits => 2 * MOST,
        }
    }
}

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

    /// Forgets a buffer that has ended; returns its sound, unless it was dropped before.
    pub(super) fn ended(&mut self, play: Play) -> Option<(Sound, usize)> {
        let place = self.0.iter().position(|queued| queued.play == play)?;
        let Queued { sound, samples, .. } = self.0.remove(place);
        Some((sound, samples))
    }

    /// How many samples of a sound the kernel has.
    pub(super) fn samples(&self, sound: Sound) -> usize {
        self.0.iter().filter(|queued| queued.sound == sound).map(|queued| queued.samples).sum()
    }

    /// Whether there is room for one more buffer of a sound.
    pub(super) fn has_room(&self, sound: Sound) -> bool {
        self.samples(sound) + sound.piece() <= sound.most()
    }

    /// How many samples the kernel has.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|queued| queued.samples).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is a tone, or who calls, that is not this sound.
    pub(super) fn has_tone_but(&self, sound: Sound) -> bool {
        let mut sounds = self.0.iter().map(|queued| queued.sound);
        let of_ours = |queued| matches!(queued, Sound::Tone(_) | Sound::CallerId);
        sounds.any(|queued| of_ours(queued) && queued != sound)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
