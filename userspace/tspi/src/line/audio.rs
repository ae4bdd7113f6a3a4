//! The samples of a line, for an application that plays and records.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
}

impl Audio {
    /// Queues samples to be played; says how many fitted. Play the rest when [`Audio::queued`] has
    /// gone down.
    pub fn play(&self, samples: &[i16]) -> usize {
        let mut tap = self.lock();
        let room = ROOM.saturating_sub(tap.play.len()).min(samples.len());
        tap.play.extend(samples.iter().take(room));
        room
    }

    /// How many samples are still to be played.
    pub fn queued(&self) -> usize {
        self.lock().play.len()
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
    /// because nobody fetched them for 2 s.
    pub fn fetch(&self, samples: &mut Vec<i16>) -> u64 {
        let mut tap = self.lock();
        samples.extend(tap.heard.drain(..));
        tap.lost
    }

    /// One frame of the line, from the engine: takes what came in, gives what to play.
    pub(super) fn exchange(&self, heard: &[i16], play: Option<&mut [i16]>) {
        let mut tap = self.lock();
        if tap.recording {
            tap.heard.extend(heard);
            let over = tap.heard.len().saturating_sub(ROOM);
            tap.heard.drain(..over);
            tap.lost += over as u64;
        }
        if let Some(play) = play {
            for place in play {
                *place = tap.play.pop_front().unwrap_or(0);
            }
        }
    }

    /// Drops what is still to be played: the call is over.
    pub(super) fn hush(&self) {
        self.lock().play.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Tap> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_played_comes_out_in_order_and_then_silence() {
        let audio = Audio::default();
        assert_eq!(audio.play(&[1, 2, 3]), 3);
        let mut out = [9; 4];
        audio.exchange(&[], Some(&mut out));
        assert_eq!(out, [1, 2, 3, 0]);
        assert_eq!(audio.play(&vec![5; ROOM + 1]), ROOM);
        audio.hush();
        assert_eq!(audio.queued(), 0);
    }

    #[test]
    fn a_recording_loses_the_oldest_and_says_so() {
        let audio = Audio::default();
        audio.exchange(&[7; 8], None);
        audio.record(true);
        audio.exchange(&[1; 8], None);
        audio.exchange(&vec![2; ROOM - 4], None);
        let mut heard = Vec::new();
        assert_eq!(audio.fetch(&mut heard), 4);
        assert_eq!(heard.len(), ROOM);
        assert_eq!(&heard[..5], [1, 1, 1, 1, 2]);
    }
}
