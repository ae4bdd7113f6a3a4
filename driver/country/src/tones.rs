//! Tones of an exchange as data: frequencies, cadences and levels.

/// The meaning of an exchange's tone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallProgress {
    /// The exchange is ready for digits.
    Dial,
    /// The other side is being rung.
    Ringback,
    /// The other side is in use.
    Busy,
    /// The call can't be completed, or the telephone was off-hook too long: congestion, fast busy.
    Reorder,
}

impl CallProgress {
    /// Every kind of signal, for loops over them.
    pub const ALL: [CallProgress; 4] =
        [CallProgress::Dial, CallProgress::Ringback, CallProgress::Busy, CallProgress::Reorder];
}

/// When a signal sounds and when it is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cadence {
    /// Sound, silence, sound, silence in ms, repeated after the last that is not 0.
    steps_ms: [u16; 4],
}

impl Cadence {
    /// Sounds continuously.
    pub const CONTINUOUS: Cadence = Cadence { steps_ms: [0; 4] };

    /// Sounds for `on_ms`, is silent for `off_ms`, and repeats. With `off_ms` 0 it is continuous.
    pub const fn on_off(on_ms: u16, off_ms: u16) -> Cadence {
        Cadence::double(on_ms, off_ms, 0, 0)
    }

    /// Two sounds of different length, or with silences of different length, repeated; in ms.
    pub const fn double(on_ms: u16, off_ms: u16, second_on_ms: u16, second_off_ms: u16) -> Cadence {
        if on_ms == 0 || off_ms == 0 {
            return Cadence::CONTINUOUS;
        }
        if second_on_ms == 0 || second_off_ms == 0 {
            return Cadence { steps_ms: [on_ms, off_ms, 0, 0] };
        }
        Cadence { steps_ms: [on_ms, off_ms, second_on_ms, second_off_ms] }
    }

    /// The lengths of sound and silence in turn, in ms; empty if it is continuous.
    pub fn steps_ms(&self) -> impl ExactSizeIterator<Item = u16> + Clone + '_ {
        let used = self.steps_ms.iter().take_while(|&&ms| ms != 0).count();
        self.steps_ms.iter().take(used).copied()
    }

    /// Whether it sounds this many ms after it began.
    pub fn sounds_at(&self, ms: u64) -> bool {
        let cycle: u64 = self.steps_ms().map(u64::from).sum();
        if cycle == 0 {
            return true;
        }
        let (mut left, mut sounds) = (ms % cycle, true);
        for step in self.steps_ms().map(u64::from) {
            if left < step {
                break;
            }
            left -= step;
            sounds = !sounds;
        }
        sounds
    }

    /// Whether it sounds continuously.
    pub fn is_continuous(&self) -> bool {
        *self == Cadence::CONTINUOUS
    }
}

/// One signal of a plan: one or two frequencies in a cadence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signal {
    /// The frequency, or the lower of two, in Hz.
    pub low_hz: u16,
    /// The higher frequency, where there are two, in Hz.
    pub high_hz: Option<u16>,
    /// When it sounds and when it rests, in ms.
    pub cadence: Cadence,
    /// The level it is sent with, of each frequency, in dBm0.
    pub level_dbm0: f32,
}

/// The call-progress signals of one country.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Dial tone: the exchange waits for digits.
    pub dial: Signal,
    /// Ringback: the called telephone rings.
    pub ringback: Signal,
    /// Busy: the called line is in use.
    pub busy: Signal,
    /// Reorder or congestion: the exchange can't complete the call.
    pub reorder: Signal,
}

impl Plan {
    /// The signal with the meaning `what`.
    pub const fn signal(&self, what: CallProgress) -> &Signal {
        match what {
            CallProgress::Dial => &self.dial,
            CallProgress::Ringback => &self.ringback,
            CallProgress::Busy => &self.busy,
            CallProgress::Reorder => &self.reorder,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cadences_without_sound_or_rest_are_continuous() {
        assert!(Cadence::on_off(0, 500).is_continuous());
        assert!(Cadence::on_off(500, 0).is_continuous());
        assert_eq!(Cadence::double(400, 200, 400, 0), Cadence::on_off(400, 200));
        assert_eq!(Cadence::on_off(1, 2).steps_ms().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(Cadence::double(1, 2, 3, 4).steps_ms().count(), 4);
    }

    #[test]
    fn a_cadence_goes_round() {
        let at = |cadence: Cadence| {
            (0..12).map(move |ms| if cadence.sounds_at(ms) { 'x' } else { '.' }).collect::<String>()
        };
        assert_eq!(at(Cadence::double(2, 1, 1, 2)), "xx.x..xx.x..");
        assert_eq!(at(Cadence::on_off(1, 3)), "x...x...x...");
        assert_eq!(at(Cadence::CONTINUOUS), "xxxxxxxxxxxx");
    }
}
