//! The levels of the lines, which `monitor --levels` shows every second.

use std::time::{Duration, Instant};

use ringback_host::Line;
use ringback_media::level::mean_dbm0;
use ringback_tspi::media::{Audio, Levels, SoundMeasure};

use crate::timeline::{Recorder, What};

const EVERY: Duration = Duration::from_secs(1);

/// Reads the levels of lines every second.
#[derive(Debug)]
pub(crate) struct LevelMeter {
    /// The lines with sound: their numbers, and what was measured when they were read last.
    lines: Vec<(u32, Audio, Levels)>,
    next: Instant,
}

impl LevelMeter {
    /// Begins with these lines, of which those without sound are left out.
    pub(crate) fn new<'a>(lines: impl Iterator<Item = &'a Line>) -> LevelMeter {
        let measured = |line: &Line| {
            let audio = line.audio().ok()?;
            let levels = audio.levels();
            Some((line.info().device_id, audio, levels))
        };
        LevelMeter { lines: lines.filter_map(measured).collect(), next: Instant::now() + EVERY }
    }

    /// Adds the levels to the log, if they are due.
    pub(crate) fn read(&mut self, recorder: &Recorder) {
        if Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + EVERY;
        for (line, audio, before) in &mut self.lines {
            let now = audio.levels();
            let heard = now.heard.since(&before.heard);
            let sent = now.sent.since(&before.sent);
            *before = now;
            let what = What::Levels {
                heard_dbm0: dbm0(&heard),
                heard_clipped: heard.clipped,
                sent_dbm0: dbm0(&sent),
                sent_clipped: sent.clipped,
            };
            recorder.add(Some(*line), what);
        }
    }
}

/// The mean level with one decimal.
fn dbm0(measure: &SoundMeasure) -> f64 {
    let level = f64::from(mean_dbm0(measure.energy, measure.samples));
    (level * 10.0).round() / 10.0
}
