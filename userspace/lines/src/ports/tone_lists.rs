//! The lists of tones that an application listens for, all at the same time
//! (TSPI_lineMonitorTones).

use ringback_media::level::{power_at, rms_dbm0};
use ringback_tspi::structs::LINEMONITORTONE;

/// Samples that are judged together: 50 ms, which distinguishes tones 50 Hz apart.
const BLOCK: usize = 400;
const BLOCK_MS: u32 = 50;
/// Quieter than this is silence.
const QUIET_DBM0: f32 = -42.0;
/// The frequencies of a tone have at least this share of the power.
const SHARE: f32 = 0.6;
/// None of them has less than this share of the power.
const LEAST_SHARE: f32 = 0.06;

/// A tone and for how long it was heard.
#[derive(Debug)]
struct Watched {
    tone: LINEMONITORTONE,
    heard_ms: u32,
    told: bool,
}

/// All lists of a call.
#[derive(Debug)]
pub(super) struct ToneLists {
    lists: Vec<(u32, Vec<Watched>)>,
    block: [i16; BLOCK],
    filled: usize,
}

impl ToneLists {
    pub(super) fn new() -> ToneLists {
        ToneLists { lists: Vec::new(), block: [0; BLOCK], filled: 0 }
    }

    /// Installs or replaces the list with this id, or removes it.
    pub(super) fn set(&mut self, id: u32, tones: Option<&[LINEMONITORTONE]>) {
        self.lists.retain(|(one, _)| *one != id);
        if let Some(tones) = tones {
            let watched =
                |tone: &LINEMONITORTONE| Watched { tone: *tone, heard_ms: 0, told: false };
            self.lists.push((id, tones.iter().map(watched).collect()));
        }
    }

    /// How many lists there are besides the one with this id.
    pub(super) fn others(&self, id: u32) -> usize {
        self.lists.iter().filter(|(one, _)| *one != id).count()
    }

    /// Removes all.
    pub(super) fn clear(&mut self) {
        self.lists.clear();
        self.filled = 0;
    }

    /// Takes samples. `tell` is called with dwAppSpecific and the list's id once a tone has lasted
    /// as long as required, and again after it has stopped and begun again.
    pub(super) fn feed(&mut self, samples: &[i16], tell: &mut dyn FnMut(u32, u32)) {
        if self.lists.is_empty() {
            return;
        }
        for sample in samples {
            if let Some(place) = self.block.get_mut(self.filled) {
                *place = *sample;
            }
            self.filled += 1;
            if self.filled == BLOCK {
                self.filled = 0;
                self.judge(tell);
            }
        }
    }

    fn judge(&mut self, tell: &mut dyn FnMut(u32, u32)) {
        let level = rms_dbm0(&self.block);
        for (id, tones) in &mut self.lists {
            for watched in tones {
                if !is_heard(&watched.tone, &self.block, level) {
                    (watched.heard_ms, watched.told) = (0, false);
                    continue;
                }
                watched.heard_ms = watched.heard_ms.saturating_add(BLOCK_MS);
                if watched.heard_ms >= watched.tone.duration && !watched.told {
                    watched.told = true;
                    tell(watched.tone.app_specific, *id);
                }
            }
        }
    }
}

/// Whether a block of this level is the tone; without frequencies it is silence.
fn is_heard(tone: &LINEMONITORTONE, block: &[i16; BLOCK], level: f32) -> bool {
    let frequencies = [tone.frequency1, tone.frequency2, tone.frequency3];
    let mut frequencies = frequencies.into_iter().filter(|hz| *hz != 0).peekable();
    if frequencies.peek().is_none() {
        return level < QUIET_DBM0;
    }
    if level < QUIET_DBM0 {
        return false;
    }
    // The shares of the frequencies in the power of the block.
    let share = |hz: u32| 10f32.powf((power_at(block, hz as f32) - level) / 10.0);
    let mut sum = 0.0;
    for hz in frequencies {
        let share = share(hz);
        if share < LEAST_SHARE {
            return false;
        }
        sum += share;
    }
    sum >= SHARE
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringback_country::Country;
    use ringback_media::tone::Generator;

    fn tone(app_specific: u32, duration: u32, [a, b, c]: [u32; 3]) -> LINEMONITORTONE {
        LINEMONITORTONE { app_specific, duration, frequency1: a, frequency2: b, frequency3: c }
    }

    fn heard(lists: &mut ToneLists, sound: &mut Generator, ms: usize) -> Vec<(u32, u32)> {
        let (mut samples, mut told) = (vec![0; ms * 8], Vec::new());
        sound.fill(&mut samples);
        for frame in samples.chunks(8) {
            lists.feed(frame, &mut |app, list| told.push((app, list)));
        }
        told
    }

    #[test]
    fn a_tone_is_reported_once_it_has_lasted_and_again_when_it_begins_anew() {
        let mut lists = ToneLists::new();
        lists.set(1, Some(&[tone(11, 500, [1100, 0, 0]), tone(12, 100, [2100, 0, 0])]));
        lists.set(2, Some(&[tone(21, 300, [0; 3])]));
        let mut cng = Generator::sine(1100.0, -15.0);
        assert_eq!(heard(&mut lists, &mut cng, 450), []);
        assert_eq!(heard(&mut lists, &mut cng, 2000), [(11, 1)]);
        let mut silence = Generator::sine(1000.0, -70.0);
        assert_eq!(heard(&mut lists, &mut silence, 1000), [(21, 2)]);
        assert_eq!(heard(&mut lists, &mut Generator::sine(2100.0, -30.0), 500), [(12, 1)]);
        assert_eq!(heard(&mut lists, &mut cng, 1000), [(11, 1)]);
        lists.set(1, None);
        assert_eq!(heard(&mut lists, &mut Generator::sine(2100.0, -30.0), 500), []);
        assert_eq!(lists.others(1), 1);
    }

    #[test]
    fn two_frequencies_are_heard_together_and_neither_alone() {
        let mut lists = ToneLists::new();
        lists.set(1, Some(&[tone(1, 100, [350, 440, 0])]));
        let plan = Country::default().tones();
        let mut dial = Generator::new(&plan.dial);
        assert_eq!(heard(&mut lists, &mut dial, 1000), [(1, 1)]);
        for other in [Generator::sine(350.0, -13.0), Generator::new(&plan.busy)] {
            assert_eq!(heard(&mut lists, &mut other.clone(), 1000), []);
        }
    }
}
