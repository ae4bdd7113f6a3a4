//! An FXS line in service: its commanded state, and what its status registers mean.
//!
//! The chip changes the line state by itself in two cases (register 67): when a telephone is lifted
//! it makes the line active, also from ringing, and on a power alarm it opens the line. In the
//! first case the commanded feed is changed to match the chip; in the second the module's repair
//! feeds the line again.

use super::registers::{
    ABSENT, AUDIO_GAIN, AudioGain, FeedState, LINE_STATE, LOOP_STATUS, LOOPBACK, LineState,
    LoopStatus, PCM_MODE, PcmMode,
};
use crate::card::debounce::HookDetector;
use crate::card::module::{Reaction, Sending};
use crate::card::port::{Gain, Gains, Hook, LineFeed, Polarity, PortEvent};
use crate::card::register::Address;
use crate::card::sequence::Operation;

/// Number of loop samples (8 ms each) after a ring trip within which a telephone that stays lifted
/// is found off-hook. It allows for the chip's own debouncing and a zero crossing of the ringing.
const SETTLED: u8 = 16;

/// An FXS line in service: its commanded state, and the last values of its registers.
#[derive(Debug, Clone)]
pub(crate) struct FxsLine {
    /// How the line is fed.
    pub(crate) feed: LineFeed,
    /// Which of TIP and RING is the positive wire.
    pub(crate) polarity: Polarity,
    /// How loud sound passes.
    pub(crate) gains: Gains,
    hook: HookDetector,
    /// Number of samples that are left, after a ring trip, for the loop to be found closed.
    tripped: u8,
}

impl FxsLine {
    /// A line as bring-up leaves it.
    pub(crate) const fn new() -> FxsLine {
        FxsLine {
            feed: LineFeed::Active,
            polarity: Polarity::Forward,
            gains: Gains { to_telephone: Gain::Normal, from_telephone: Gain::Normal },
            hook: HookDetector::new(),
            tripped: 0,
        }
    }

    /// The telephone's hook, debounced.
    pub(crate) const fn hook(&self) -> Hook {
        self.hook.hook()
    }

    /// The write of register 64 as commanded.
    pub(crate) fn control(&self) -> Operation {
        let state = match (self.feed, self.polarity) {
            (LineFeed::Open, _) => FeedState::OPEN,
            (LineFeed::Active, Polarity::Forward) => FeedState::ACTIVE,
            (LineFeed::Active, Polarity::Reverse) => FeedState::ACTIVE_REVERSE,
            (LineFeed::OnHookTransmission, Polarity::Forward) => FeedState::ON_HOOK_TRANSMISSION,
            (LineFeed::OnHookTransmission, Polarity::Reverse) => {
                FeedState::ON_HOOK_TRANSMISSION_REVERSE
            }
            (LineFeed::Ringing, _) => FeedState::RINGING,
        };
        Operation::write(LINE_STATE, LineState::ask(state))
    }

    /// The write of register 9 as commanded.
    pub(crate) fn audio_gain(&self) -> Operation {
        Operation::write(AUDIO_GAIN, AudioGain::of(self.gains))
    }

    /// The write that has the chip send samples in this way.
    pub(crate) fn sending(sending: Sending) -> Operation {
        let mode = match sending {
            Sending::Samples(companding) => PcmMode::service(companding),
            Sending::Nothing => PcmMode::empty(),
        };
        Operation::write(PCM_MODE, mode)
    }

    /// The status registers that are sampled, in turn: two often, one seldom.
    pub(crate) const SAMPLED: [Option<Address>; 4] =
        [Some(LOOP_STATUS.address()), Some(LINE_STATE.address()), Some(LOOPBACK.address()), None];

    /// One sample of one of the status registers.
    pub(crate) fn sample(
        &mut self,
        register: Address,
        value: u8,
        event: &mut dyn FnMut(PortEvent),
    ) -> Reaction {
        if value == ABSENT {
            // No sampled register reads as all ones in a chip that answers.
            return Reaction::Suspect;
        }
        if let Some(status) = register.holds(LOOP_STATUS, value) {
            return self.loop_status(status, event);
        }
        if let Some(state) = register.holds(LINE_STATE, value) {
            return self.line_state(state, event);
        }
        match register.holds(LOOPBACK, value) {
            // Digital loopback is on after a reset. This finds a reset also while the line is open
            // or was just written, when the line state does not show it.
            Some(loopback) if !loopback.is_empty() => Reaction::Suspect,
            _ => Reaction::None,
        }
    }

    fn loop_status(&mut self, status: LoopStatus, event: &mut dyn FnMut(PortEvent)) -> Reaction {
        let mut reaction = Reaction::None;
        if status.contains(LoopStatus::RING_TRIP) && self.feed == LineFeed::Ringing {
            self.trip(event);
            // The chip has made the line active by itself. The state is written again because the
            // chip does not keep the polarity.
            reaction = Reaction::Write;
        }
        let off_hook = status.contains(LoopStatus::OFF_HOOK);
        if let Some(hook) = self.hook.sample(if off_hook { Hook::Off } else { Hook::On }) {
            if hook == Hook::Off
                && matches!(self.feed, LineFeed::Ringing | LineFeed::OnHookTransmission)
            {
                self.feed = LineFeed::Active;
                reaction = Reaction::Write;
            }
            self.tripped = 0;
            event(PortEvent::Hook(hook));
        }
        self.settle(event);
        reaction
    }

    /// Reports on-hook for a telephone that was hung up right after the ring trip, which the
    /// detector has never seen off-hook.
    fn settle(&mut self, event: &mut dyn FnMut(PortEvent)) {
        if self.tripped == 0 {
            return;
        }
        self.tripped -= 1;
        if self.tripped == 0 {
            event(PortEvent::Hook(Hook::On));
        }
    }

    fn line_state(&mut self, state: LineState, event: &mut dyn FnMut(PortEvent)) -> Reaction {
        let asked = state.asked();
        if asked == FeedState::OPEN && self.feed != LineFeed::Open {
            return Reaction::Suspect;
        }
        // Active although something else was commanded: the chip saw the telephone being lifted.
        if matches!(asked, FeedState::ACTIVE | FeedState::ACTIVE_REVERSE) {
            match self.feed {
                LineFeed::Ringing => {
                    self.trip(event);
                    return Reaction::Write;
                }
                LineFeed::OnHookTransmission => {
                    self.feed = LineFeed::Active;
                    return Reaction::Write;
                }
                LineFeed::Open | LineFeed::Active => {}
            }
        }
        Reaction::None
    }

    fn trip(&mut self, event: &mut dyn FnMut(PortEvent)) {
        self.feed = LineFeed::Active;
        if self.hook.hook() == Hook::On {
            self.tripped = SETTLED;
        }
        event(PortEvent::RingTrip);
    }
}

#[cfg(test)]
mod tests {
    use super::super::registers::Si3210;
    use super::*;
    use crate::card::register::Register;

    fn sample<V>(
        line: &mut FxsLine,
        register: Register<Si3210, V>,
        value: u8,
    ) -> (Reaction, Vec<PortEvent>) {
        let mut events = Vec::new();
        let reaction = line.sample(register.address(), value, &mut |event| events.push(event));
        (reaction, events)
    }

    #[test]
    fn states_and_polarities() {
        let mut line = FxsLine::new();
        let mut codes = Vec::new();
        for polarity in [Polarity::Forward, Polarity::Reverse] {
            for feed in
                [LineFeed::Open, LineFeed::Active, LineFeed::OnHookTransmission, LineFeed::Ringing]
            {
                line.feed = feed;
                line.polarity = polarity;
                let Operation::Write(register, code) = line.control() else { panic!() };
                assert_eq!(register.number(), 64);
                codes.push(code);
            }
        }
        assert_eq!(codes, [0, 1, 2, 4, 0, 5, 6, 4]);
    }

    #[test]
    fn ring_trip_is_reported_at_once_and_the_hook_when_stable() {
        let mut line = FxsLine::new();
        line.polarity = Polarity::Reverse;
        line.feed = LineFeed::Ringing;
        assert_eq!(sample(&mut line, LOOP_STATUS, 0x00), (Reaction::None, vec![]));
        assert_eq!(
            sample(&mut line, LOOP_STATUS, 0x07),
            (Reaction::Write, vec![PortEvent::RingTrip])
        );
        assert_eq!(
            line.control(),
            Operation::Write(LINE_STATE.address(), 5),
            "the polarity is kept"
        );
        assert_eq!(sample(&mut line, LINE_STATE, 0x11), (Reaction::None, vec![]));
        assert_eq!(
            sample(&mut line, LOOP_STATUS, 0x05),
            (Reaction::None, vec![PortEvent::Hook(Hook::Off)])
        );
    }

    #[test]
    fn a_telephone_hung_up_right_after_the_trip_is_reported_on_hook() {
        let mut line = FxsLine::new();
        line.feed = LineFeed::Ringing;
        assert_eq!(sample(&mut line, LOOP_STATUS, 0x02).1, [PortEvent::RingTrip]);
        let mut events = Vec::new();
        for _ in 0..100 {
            events.extend(sample(&mut line, LOOP_STATUS, 0x00).1);
        }
        assert_eq!(events, [PortEvent::Hook(Hook::On)], "once");
        // A telephone that stays lifted is not reported on-hook.
        line.feed = LineFeed::Ringing;
        assert_eq!(sample(&mut line, LOOP_STATUS, 0x07).1, [PortEvent::RingTrip]);
        let events: Vec<_> =
            (0..100).flat_map(|_| sample(&mut line, LOOP_STATUS, 0x05).1).collect();
        assert_eq!(events, [PortEvent::Hook(Hook::Off)]);
    }

    #[test]
    fn ring_trip_is_seen_in_the_line_state_too() {
        let mut line = FxsLine::new();
        line.feed = LineFeed::Ringing;
        assert_eq!(sample(&mut line, LINE_STATE, 0x44), (Reaction::None, vec![]));
        assert_eq!(
            sample(&mut line, LINE_STATE, 0x24),
            (Reaction::None, vec![]),
            "waits for a zero crossing"
        );
        assert_eq!(
            sample(&mut line, LINE_STATE, 0x11),
            (Reaction::Write, vec![PortEvent::RingTrip])
        );
        assert_eq!(sample(&mut line, LOOP_STATUS, 0x07).1, vec![], "reported once");
    }

    #[test]
    fn lifting_in_on_hook_transmission_makes_the_line_active() {
        let mut line = FxsLine::new();
        line.feed = LineFeed::OnHookTransmission;
        assert_eq!(sample(&mut line, LOOP_STATUS, 0x05), (Reaction::None, vec![]));
        assert_eq!(
            sample(&mut line, LOOP_STATUS, 0x05),
            (Reaction::Write, vec![PortEvent::Hook(Hook::Off)])
        );
        assert_eq!(line.feed, LineFeed::Active);
    }

    #[test]
    fn samples_that_can_not_be_are_suspect() {
        let mut line = FxsLine::new();
        assert_eq!(sample(&mut line, LINE_STATE, 0x00), (Reaction::Suspect, vec![]));
        assert_eq!(sample(&mut line, LINE_STATE, 0xFF), (Reaction::Suspect, vec![]));
        assert_eq!(sample(&mut line, LOOP_STATUS, 0xFF), (Reaction::Suspect, vec![]));
        assert_eq!(sample(&mut line, LOOP_STATUS, 0xFF), (Reaction::Suspect, vec![]));
        assert_eq!(line.hook(), Hook::On);
        line.feed = LineFeed::Open;
        assert_eq!(sample(&mut line, LINE_STATE, 0x00), (Reaction::None, vec![]));
    }

    #[test]
    fn a_reset_is_seen_whatever_the_line_is_commanded_to_be() {
        let mut line = FxsLine::new();
        for feed in [LineFeed::Open, LineFeed::Active, LineFeed::Ringing] {
            line.feed = feed;
            assert_eq!(sample(&mut line, LOOPBACK, 0x02), (Reaction::Suspect, vec![]), "{feed:?}");
            assert_eq!(sample(&mut line, LOOPBACK, 0x00), (Reaction::None, vec![]));
        }
    }
}
