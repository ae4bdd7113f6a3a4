//! The samples of a line, for an application that plays and records.

use std::collections::VecDeque;
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

#[derive(Debug, Default)]
struct Tap {
    recording: bool,
    heard: VecDeque<i16>,
    lost: u64,
    play: VecDeque<i16>,
    /// Taken, and not played yet.
    taken: usize,
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
        let mut tap = self.lock();
        tap.recording = on;
        if on {
            tap.heard.clear();
            tap.lost = 0;
        }
    }

    /// Moves what has been recorded to the end of `samples`; says how many samples were lost so far
    /// because they were not fetched within 2 s.
    pub fn fetch(&self, samples: &mut Vec<i16>) -> u64 {
        let mut tap = self.lock();
        samples.extend(tap.heard.drain(..));
        tap.lost
    }

    // For the engine of the line

    /// Records what came over the line, if recording is on.
    pub fn hear(&self, heard: &[i16]) {
        let mut tap = self.lock();
        if tap.recording {
            tap.heard.extend(heard);
            let over = tap.heard.len().saturating_sub(ROOM);
            tap.heard.drain(..over);
            tap.lost += over as u64;
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
        audio.hear(&[7; 8]);
        audio.record(true);
        audio.hear(&[1; 8]);
        audio.hear(&vec![2; ROOM - 4]);
        let mut heard = Vec::new();
        assert_eq!(audio.fetch(&mut heard), 4);
        assert_eq!(heard.len(), ROOM);
        assert_eq!(&heard[..5], [1, 1, 1, 1, 2]);
    }
}
