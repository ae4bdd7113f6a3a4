//! How long the parts of dialling take: the values of LINEDIALPARAMS and their limits.

/// How long the parts of dialling take (LINEDIALPARAMS, in milliseconds).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DialTiming {
    /// How long a comma pauses, in ms (dwDialPause).
    pub pause_ms: u32,
    /// The pause between two digits, in ms (dwDialSpeed).
    pub gap_ms: u32,
    /// How long one DTMF digit sounds, in ms (dwDigitDuration).
    pub digit_ms: u32,
    /// How long dial tone is waited for, in ms (dwWaitForDialtone).
    pub dial_tone_ms: u32,
}

impl Default for DialTiming {
    fn default() -> Self {
        DialTiming { pause_ms: 2000, gap_ms: 80, digit_ms: 80, dial_tone_ms: 3000 }
    }
}

impl DialTiming {
    /// The shortest times that are accepted (MinDialParams).
    pub const MIN: DialTiming =
        DialTiming { pause_ms: 100, gap_ms: 50, digit_ms: 50, dial_tone_ms: 500 };
    /// The longest times that are accepted (MaxDialParams).
    pub const MAX: DialTiming =
        DialTiming { pause_ms: 10_000, gap_ms: 1000, digit_ms: 2000, dial_tone_ms: 30_000 };

    /// Each value brought within the limits; 0 asks for the default.
    pub fn clamped(self) -> DialTiming {
        let usual = DialTiming::default();
        let fit = |asked: u32, usual, min, max| match asked {
            0 => usual,
            _ => asked.clamp(min, max),
        };
        let (min, max) = (DialTiming::MIN, DialTiming::MAX);
        DialTiming {
            pause_ms: fit(self.pause_ms, usual.pause_ms, min.pause_ms, max.pause_ms),
            gap_ms: fit(self.gap_ms, usual.gap_ms, min.gap_ms, max.gap_ms),
            digit_ms: fit(self.digit_ms, usual.digit_ms, min.digit_ms, max.digit_ms),
            dial_tone_ms: fit(
                self.dial_tone_ms,
                usual.dial_tone_ms,
                min.dial_tone_ms,
                max.dial_tone_ms,
            ),
        }
    }
}
