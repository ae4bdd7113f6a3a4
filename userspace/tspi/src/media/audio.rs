//! The samples of a line, for an application that plays and records.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::iter;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard};

use ringback_request::sync::EvenPoisoned;

/// Samples that are kept in each direction: 2 s. What is recorded and not fetched by then is lost,
/// oldest first, and counted.
const ROOM: usize = 16_000;

/// The application's end of a line's audio: 8 kHz mono, 16-bit linear.
///
/// Playing is silent and recording empty while the line has no call with a closed loop.
#[derive(Debug, Clone, Default)]
pub struct Audio(Arc<Mutex<Tap>>);

/// What was measured of the sound in one direction, since the line exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SoundMeasure {
    /// How many samples there were.
    pub samples: u64,
    /// The sum of their squares.
    pub energy: u64,
    /// How many were as large as the largest of u-law, or larger with the line's gain. Of A-law's
    /// samples one of each sign is.
    pub clipped: u64,
}

impl SoundMeasure {
    /// The largest sample of u-law (ITU-T G.711).
    const LARGEST: u16 = 32_124;

    /// Measures further samples.
    pub fn add(&mut self, samples: &[i16]) {
        for sample in samples.iter().map(|sample| sample.unsigned_abs()) {
            self.samples += 1;
            self.energy += u64::from(sample) * u64::from(sample);
            self.clipped += u64::from(sample >= SoundMeasure::LARGEST);
        }
    }

    /// What was measured since an earlier measurement.
    pub fn since(&self, earlier: &SoundMeasure) -> SoundMeasure {
        SoundMeasure {
            samples: self.samples.saturating_sub(earlier.samples),
            energy: self.energy.saturating_sub(earlier.energy),
            clipped: self.clipped.saturating_sub(earlier.clipped),
        }
    }
}

/// What was measured of a line's sound in both directions, with the line's gains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Levels {
    /// What came over the line, before its echo was cancelled.
    pub heard: SoundMeasure,
    /// What the line has sent.
    pub sent: SoundMeasure,
}

#[derive(Debug, Default)]
struct Tap {
    recording: bool,
    /// Beside each sample that was heard the one that was sent is kept.
    both: bool,
    heard: VecDeque<i16>,
    lost: u64,
    play: VecDeque<i16>,
    /// Taken, and not played yet.
    taken: usize,
    levels: Levels,
    signal: Option<RecordSignal>,
}

/// Tells an application that enough was recorded.
#[derive(Debug)]
struct RecordSignal {
    event: File,
    samples: usize,
    /// It was told, and has not fetched since.
    told: bool,
}

impl Audio {
    /// Queues samples to be played; says how many fitted. Play the rest when [`Audio::queued`] has
    /// gone down.
    pub fn play(&self, samples: &[i16]) -> usize {
        let mut tap = self.lock();
        let room = ROOM.saturating_sub(tap.play.len() + tap.taken).min(samples.len());
        tap.play.extend(samples.iter().take(room));
        room
    }

    /// How many samples are still to be played.
    pub fn queued(&self) -> usize {
        let tap = self.lock();
        tap.play.len() + tap.taken
    }

    /// Begins or ends recording; beginning drops what was recorded before.
    pub fn record(&self, on: bool) {
        self.set_recording(on, false);
    }

    /// Begins to record what is heard and what is sent: pairs of samples, that which was heard
    /// first. What was recorded before is dropped. [`record`](Audio::record) ends it.
    pub fn record_both(&self) {
        self.set_recording(true, true);
    }

    fn set_recording(&self, on: bool, both: bool) {
        let mut tap = self.lock();
        (tap.recording, tap.both) = (on, both);
        if on {
            tap.heard.clear();
            tap.lost = 0;
        }
        if let Some(signal) = &mut tap.signal {
            signal.told = false;
        }
    }

    /// Has 1 added to an eventfd whenever so many samples, or pairs, are recorded, once for each
    /// [`fetch`](Audio::fetch); 160 are 20 ms. So an application follows the clock of the card and
    /// needs no timer of its own. `None` ends it.
    ///
    /// The eventfd is written with the card held, and should not block (EFD_NONBLOCK).
    pub fn signal_recorded(&self, signal: Option<(OwnedFd, usize)>) {
        let signal = signal.map(|(event, samples)| RecordSignal {
            event: event.into(),
            samples,
            told: false,
        });
        // Closing the descriptor of the one before is a system call, which the card need not wait
        // for.
        let replaced = std::mem::replace(&mut self.lock().signal, signal);
        drop(replaced);
    }

    /// Moves what has been recorded to the end of `samples`; says how many samples, or pairs, were
    /// lost so far because they were not fetched within 2 s.
    pub fn fetch(&self, samples: &mut Vec<i16>) -> u64 {
        let mut tap = self.lock();
        samples.extend(tap.heard.drain(..));
        if let Some(signal) = &mut tap.signal {
            signal.told = false;
        }
        tap.lost
    }

    /// What was measured of the line's sound, whatever the state of its call is; up to 100 ms old.
    pub fn levels(&self) -> Levels {
        self.lock().levels
    }

    // For the engine of the line

    /// Passes on what was measured.
    pub fn measured(&self, levels: Levels) {
        self.lock().levels = levels;
    }

    /// Records what came over the line, if recording is on; `sent` is what was sent meanwhile.
    pub fn hear(&self, heard: &[i16], sent: &[i16]) {
        let mut tap = self.lock();
        if !tap.recording {
            return;
        }
        let width = if tap.both { 2 } else { 1 };
        if tap.both {
            let sent = sent.iter().copied().chain(iter::repeat(0));
            tap.heard.extend(heard.iter().zip(sent).flat_map(|(heard, sent)| [*heard, sent]));
        } else {
            tap.heard.extend(heard);
        }
        let over = tap.heard.len().saturating_sub(width * ROOM);
        tap.heard.drain(..over);
        tap.lost += (over / width) as u64;
        let recorded = tap.heard.len() / width;
        if let Some(signal) = &mut tap.signal
            && !signal.told
            && recorded >= signal.samples
        {
            signal.told = true;
            // It fails only when the count is full, and the application is told then.
            let _ = (&signal.event).write(&1u64.to_ne_bytes());
        }
    }

    /// Moves what is to be played next to the start of `play`; returns how many samples there are.
    /// They count as queued until [`Audio::played`].
    pub fn take(&self, play: &mut [i16]) -> usize {
        let mut tap = self.lock();
        let count = play.len().min(tap.play.len());
        for (place, sample) in play.iter_mut().zip(tap.play.drain(..count)) {
            *place = sample;
        }
        tap.taken += count;
        count
    }

    /// So many of those that were taken have been played, or will not be.
    pub fn played(&self, samples: usize) {
        let mut tap = self.lock();
        tap.taken = tap.taken.saturating_sub(samples);
    }

    /// Drops what is still to be played, at the end of a call.
    pub fn hush(&self) {
        self.lock().play.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Tap> {
        self.0.lock().even_poisoned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_played_comes_out_in_order() {
        let audio = Audio::default();
        assert_eq!(audio.play(&[1, 2, 3]), 3);
        let mut out = [9; 4];
        assert_eq!((audio.take(&mut out), out), (3, [1, 2, 3, 9]));
        audio.played(3);
        assert_eq!(audio.play(&vec![5; ROOM + 1]), ROOM);
        audio.hush();
        assert_eq!(audio.queued(), 0);
    }

    #[test]
    fn what_is_taken_is_queued_until_it_was_played() {
        let audio = Audio::default();
        audio.play(&[1, 2, 3]);
        let mut taken = [0; 2];
        assert_eq!(audio.take(&mut taken), 2);
        assert_eq!((taken, audio.queued()), ([1, 2], 3));
        assert_eq!(audio.play(&vec![5; ROOM]), ROOM - 3);
        audio.played(2);
        assert_eq!(audio.queued(), ROOM - 2);
        audio.hush();
        assert_eq!(audio.queued(), 0);
    }

    #[test]
    fn a_recording_loses_the_oldest_and_says_so() {
        let audio = Audio::default();
        audio.hear(&[7; 8], &[]);
        audio.record(true);
        audio.hear(&[1; 8], &[9; 8]);
        audio.hear(&vec![2; ROOM - 4], &[]);
        let mut heard = Vec::new();
        assert_eq!(audio.fetch(&mut heard), 4);
        assert_eq!(heard.len(), ROOM);
        assert_eq!(&heard[..5], [1, 1, 1, 1, 2]);
    }

    #[test]
    fn an_application_is_told_once_when_enough_is_recorded() {
        use std::io::Read;

        let (mut told, event) = std::io::pipe().unwrap();
        let audio = Audio::default();
        audio.signal_recorded(Some((event.into(), 4)));
        audio.hear(&[1; 8], &[]);
        audio.record(true);
        audio.hear(&[1; 3], &[]);
        audio.hear(&[2; 3], &[]);
        audio.hear(&[3; 3], &[]);
        let mut heard = Vec::new();
        audio.fetch(&mut heard);
        assert_eq!(heard.len(), 9);
        audio.hear(&[4; 4], &[]);
        audio.signal_recorded(None);
        audio.hear(&[5; 4], &[]);
        let mut counts = Vec::new();
        told.read_to_end(&mut counts).unwrap();
        assert_eq!(
            counts,
            [1u64.to_ne_bytes(), 1u64.to_ne_bytes()].concat(),
            "once for each fetch"
        );
    }

    #[test]
    fn both_sides_are_recorded_in_pairs_of_which_the_oldest_are_lost() {
        let audio = Audio::default();
        audio.record_both();
        audio.hear(&[1, 2, 3], &[4, 5, 6]);
        audio.hear(&[7, 8], &[9]);
        let mut heard = Vec::new();
        assert_eq!(audio.fetch(&mut heard), 0);
        assert_eq!(heard, [1, 4, 2, 5, 3, 6, 7, 9, 8, 0]);
        audio.hear(&vec![2; ROOM], &vec![3; ROOM]);
        audio.hear(&[4; 8], &[5; 8]);
        heard.clear();
        assert_eq!(audio.fetch(&mut heard), 8);
        assert_eq!((heard.len(), &heard[2 * ROOM - 2..]), (2 * ROOM, &[4, 5][..]));
        audio.record(true);
        audio.hear(&[1, 2], &[3, 4]);
        heard.clear();
        audio.fetch(&mut heard);
        assert_eq!(heard, [1, 2], "what is heard alone");
    }

    #[test]
    fn levels_are_sums_and_the_largest_samples_are_clipped() {
        let mut measure = SoundMeasure::default();
        measure.add(&[3, -4]);
        let earlier = measure;
        measure.add(&[i16::MIN, 32_124, -32_124, 32_123]);
        let energy = (1 << 30) + 2 * 32_124 * 32_124 + 32_123 * 32_123;
        assert_eq!((earlier.samples, earlier.energy, earlier.clipped), (2, 25, 0));
        assert_eq!(measure.since(&earlier), SoundMeasure { samples: 4, energy, clipped: 3 });
        let audio = Audio::default();
        let levels = Levels { heard: measure, sent: earlier };
        audio.measured(levels);
        assert_eq!(audio.levels(), levels);
    }
}
