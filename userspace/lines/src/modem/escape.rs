//! Keeps data from being the escape sequence.
//!
//! A modem takes `+++` between two silences of register S12 (1 s) for a command to it, whoever
//! wrote it. So a third plus that nothing follows is held back until something does, or until the
//! pause is so long that the modem takes it for the beginning of another sequence. A modem whose
//! escape needs no silence (TIES) takes `+++AT` anywhere; nothing can be done about that in data.

use std::time::Duration;

use ringback_driver::Time;

/// A shorter pause between two bytes is no silence, for any S12 in use.
const SHORT: Duration = Duration::from_millis(300);
/// After a longer pause a plus continues no sequence: longer than S12, which is 1 s.
const LONG: Duration = Duration::from_millis(1300);
const PLUS: u8 = b'+';

/// The bit of a number of pluses in [`EscapeGuard::pluses`].
const fn bit(pluses: u8) -> u8 {
    1 << pluses
}

/// The pluses that the modem may have counted.
#[derive(Debug)]
pub(super) struct EscapeGuard {
    /// The numbers that are possible, as bits: 0 outside of a sequence, 4 if it is too long to be
    /// an escape. A pause between [`SHORT`] and [`LONG`] may be a silence or not.
    pluses: u8,
    /// When the last byte was sent.
    sent: Time,
}

impl Default for EscapeGuard {
    fn default() -> EscapeGuard {
        EscapeGuard { pluses: bit(0), sent: Time::ZERO }
    }
}

impl EscapeGuard {
    /// How many of these bytes may be sent now. `followed` says whether others wait behind them.
    pub(super) fn allows(&self, bytes: &[u8], followed: bool, now: Time) -> usize {
        let held = !followed && bytes.last() == Some(&PLUS) && self.after(bytes, now) & bit(3) != 0;
        bytes.len() - usize::from(held)
    }

    /// Notes that these bytes are sent.
    pub(super) fn note(&mut self, bytes: &[u8], now: Time) {
        if !bytes.is_empty() {
            self.pluses = self.after(bytes, now);
            self.sent = now;
        }
    }

    /// The transmitter is still busy at `now` with what was sent before.
    pub(super) fn is_sending(&mut self, now: Time) {
        self.sent = now;
    }

    /// The pluses that are possible after these bytes.
    fn after(&self, bytes: &[u8], now: Time) -> u8 {
        let mut pause = now.since(self.sent);
        let mut pluses = self.pluses;
        for byte in bytes {
            // One outside of a sequence stays outside, and a fifth changes nothing.
            let kept = pluses & (bit(0) | bit(4));
            let counted = (pluses & !kept) << 1;
            pluses = if *byte != PLUS {
                bit(0)
            } else if pause >= LONG {
                bit(1)
            } else if pause >= SHORT {
                bit(1) | counted | kept
            } else {
                counted | kept
            };
            pause = Duration::ZERO;
        }
        pluses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends each text after its pause in ms, and returns how much of it was allowed at once.
    fn allowed(texts: &[(u64, &str)]) -> Vec<usize> {
        let mut guard = EscapeGuard::default();
        let mut now = Time::ZERO;
        let mut allowed = Vec::new();
        for (pause, text) in texts {
            now += Duration::from_millis(*pause);
            let count = guard.allows(text.as_bytes(), false, now);
            guard.note(&text.as_bytes()[..count], now);
            allowed.push(count);
        }
        allowed
    }

    #[test]
    fn only_the_third_plus_between_two_silences_is_held() {
        assert_eq!(allowed(&[(2000, "+++")]), [2]);
        assert_eq!(allowed(&[(2000, "a+++")]), [4], "no silence before");
        assert_eq!(allowed(&[(2000, "+++b")]), [4], "none behind");
        assert_eq!(allowed(&[(2000, "++++")]), [4], "too many");
        assert_eq!(allowed(&[(2000, "++"), (0, "+")]), [2, 0]);
        assert_eq!(allowed(&[(2000, "+"), (900, "+"), (900, "+")]), [1, 1, 0]);
        assert_eq!(allowed(&[(2000, "+"), (1400, "++")]), [1, 2], "another sequence");
        assert_eq!(allowed(&[(2000, "x"), (1400, "++"), (1400, "+")]), [1, 2, 1]);
    }

    #[test]
    fn a_plus_after_a_long_pause_begins_a_sequence_itself() {
        let texts = [(2000, "++"), (1400, "+"), (100, "++"), (1400, "+")];
        assert_eq!(allowed(&texts), [2, 1, 1, 1]);
        let texts = [(2000, "++++"), (400, "+++")];
        assert_eq!(allowed(&texts), [4, 2], "four were no escape, these could be one");
        let texts = [(2000, "++"), (1200, "+"), (200, "+"), (1100, "+++")];
        assert_eq!(allowed(&texts), [2, 0, 1, 2], "whatever the modem takes for a silence");
    }

    #[test]
    fn what_waits_behind_goes_along() {
        let guard = EscapeGuard::default();
        let now = Time::ZERO + Duration::from_secs(5);
        assert_eq!(guard.allows(b"+++", true, now), 3);
        assert_eq!(guard.allows(b"", false, now), 0);
    }
}
