//! Digits that are gathered into a buffer: one buffer at a time (D18), which is complete when
//! LINE_GATHERDIGITS is emitted (B7).

use std::time::Duration;

use ringback_driver::Time;
use ringback_tspi::constants::*;

use crate::Gather;

/// A buffer that is being filled.
#[derive(Debug)]
pub(super) struct Gathering {
    asked: Gather,
    /// The digits so far, as they will be written.
    digits: Vec<u8>,
    /// When it ends without a further digit.
    until: Option<Time>,
}

impl Gathering {
    pub(super) fn new(asked: Gather, now: Time) -> Gathering {
        let until = Self::deadline(asked.first, now);
        Gathering { digits: Vec::with_capacity(asked.output.size()), asked, until }
    }

    fn deadline(wait: Option<Duration>, now: Time) -> Option<Time> {
        wait.map(|wait| now + wait)
    }

    /// A digit of this LINEDIGITMODE_ begins. Returns the LINEGATHERTERM_ by which it ends the
    /// gathering.
    pub(super) fn digit(&mut self, digit: char, mode: u32, now: Time) -> Option<u32> {
        if self.asked.modes & mode == 0 {
            return None;
        }
        self.digits.extend((digit as u16).to_le_bytes());
        self.until = Self::deadline(self.asked.next, now);
        if self.asked.termination.contains(digit) {
            Some(LINEGATHERTERM_TERMDIGIT)
        } else if self.digits.len() + 1 >= self.asked.output.size() {
            Some(LINEGATHERTERM_BUFFERFULL)
        } else {
            None
        }
    }

    /// The LINEGATHERTERM_ of the timeout that has ended it.
    pub(super) fn expired(&self, now: Time) -> Option<u32> {
        let late = self.until.is_some_and(|until| now >= until);
        let first = self.digits.is_empty();
        late.then_some(if first {
            LINEGATHERTERM_FIRSTTIMEOUT
        } else {
            LINEGATHERTERM_INTERTIMEOUT
        })
    }

    /// Writes the digits, with a terminator if there is room for one; returns dwEndToEndID.
    pub(super) fn finish(mut self) -> u32 {
        self.digits.extend([0, 0]);
        self.asked.output.write(&self.digits);
        self.asked.end_to_end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringback_tspi::late::{LateOutput, OwnedMemory};

    const SECOND: Duration = Duration::from_secs(1);

    fn gather(room: usize, termination: &str) -> (Gathering, OwnedMemory) {
        let memory = OwnedMemory::new(vec![0xEE; 2 * room]);
        let asked = Gather {
            end_to_end: 7,
            modes: LINEDIGITMODE_DTMF,
            output: LateOutput::new(memory.clone()),
            termination: termination.into(),
            first: Some(3 * SECOND),
            next: Some(SECOND),
        };
        (Gathering::new(asked, Time::ZERO), memory)
    }

    #[test]
    fn it_ends_when_the_buffer_is_full_or_a_digit_ends_it_b7() {
        let (mut full, memory) = gather(2, "#");
        assert_eq!(full.digit('4', LINEDIGITMODE_DTMF, Time::ZERO), None);
        assert_eq!(
            full.digit('2', LINEDIGITMODE_DTMF, Time::ZERO),
            Some(LINEGATHERTERM_BUFFERFULL)
        );
        assert_eq!(memory.bytes(), [0xEE; 4], "nothing before its end");
        assert_eq!(full.finish(), 7);
        assert_eq!(memory.bytes(), [b'4', 0, b'2', 0]);
        let (mut ended, memory) = gather(4, "*#");
        assert_eq!(ended.digit('1', LINEDIGITMODE_DTMF, Time::ZERO), None);
        assert_eq!(
            ended.digit('#', LINEDIGITMODE_DTMF, Time::ZERO),
            Some(LINEGATHERTERM_TERMDIGIT)
        );
        ended.finish();
        let wanted = [b'1', 0, b'#', 0, 0, 0, 0xEE, 0xEE];
        assert_eq!(memory.bytes(), wanted, "with the digit that ended it, and a terminator");
    }

    #[test]
    fn it_ends_when_no_digit_comes() {
        let (mut gathering, memory) = gather(4, "");
        assert_eq!(gathering.expired(Time::ZERO + 2 * SECOND), None);
        let first = gathering.expired(Time::ZERO + 3 * SECOND);
        assert_eq!(first, Some(LINEGATHERTERM_FIRSTTIMEOUT));
        gathering.digit('1', LINEDIGITMODE_DTMF, Time::ZERO + 2 * SECOND);
        assert_eq!(gathering.expired(Time::ZERO + SECOND * 5 / 2), None);
        let next = gathering.expired(Time::ZERO + 3 * SECOND);
        assert_eq!(next, Some(LINEGATHERTERM_INTERTIMEOUT));
        gathering.finish();
        assert_eq!(memory.bytes()[..4], [b'1', 0, 0, 0]);
    }
}
