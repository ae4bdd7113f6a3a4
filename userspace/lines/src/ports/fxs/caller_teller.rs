//! Tells a telephone who calls, in the way of the country's exchanges: in the first long pause of
//! its ringing, or before it rings; and while it is idle, whether messages wait.
//!
//! What is told is known by its length, in the time of the lines, because the kernel may play it.

use std::time::Duration;

use ringback_country::Country;
use ringback_driver::Time;
use ringback_media::caller_id::{CallerIdMoment, CallerIdSender};

use crate::Caller;

/// The pauses of ringing in which a message has room.
const ROOM: Duration = Duration::from_secs(1);
/// How much later the kernel may play what it was given.
const LATE: Duration = Duration::from_millis(40);

/// What a telephone is told, and how far that is.
#[derive(Debug)]
pub(super) struct CallerTeller {
    sender: CallerIdSender,
    moment: CallerIdMoment,
    /// When battery has its usual polarity again, and when all is over; `None` before it begins.
    ends: Option<[Time; 2]>,
}

impl CallerTeller {
    /// `None` if there is nothing to tell, if it is not known how the country's exchanges tell it,
    /// or if a telephone would have to answer before that, which older ones do not.
    pub(super) fn new(country: Country, caller: &Caller) -> Option<CallerTeller> {
        let method = country.caller_id().filter(|_| *caller != Caller::default())?;
        if method.moment == CallerIdMoment::OffHook {
            return None;
        }
        let sender = CallerIdSender::new(method, caller);
        Some(CallerTeller { sender, moment: method.moment, ends: None })
    }

    /// Tells whether messages wait; `None` if the country's exchanges do not tell it by data
    /// messages. No ring belongs to it.
    pub(super) fn messages(country: Country, wait: bool) -> Option<CallerTeller> {
        let method = country.caller_id()?;
        let sender = CallerIdSender::message_waiting(method, wait)?;
        Some(CallerTeller { sender, moment: method.moment, ends: None })
    }

    /// The one before was cut off that long ago.
    pub(super) fn follow_cut_off(&mut self, since: Duration) {
        let since = u32::try_from(since.as_millis()).unwrap_or(u32::MAX);
        self.sender.follow_cut_off(since);
    }

    /// Whether the telephone rings only after it.
    pub(super) fn is_before_ring(&self) -> bool {
        self.moment != CallerIdMoment::AfterRing
    }

    /// Whether battery is reversed for it.
    pub(super) fn reverses(&self) -> bool {
        self.moment == CallerIdMoment::AfterReversal
    }

    /// Begins.
    pub(super) fn begin(&mut self, now: Time) {
        let lengths = self.sender.lengths_ms().map(|ms| Duration::from_millis(u64::from(ms)));
        self.ends = Some(lengths.map(|length| now + length + LATE));
    }

    /// The ringing pauses for so long. Begins if there is room for it, and it has not begun.
    pub(super) fn pause(&mut self, now: Time, pause: Duration) {
        if !self.is_before_ring() && self.ends.is_none() && pause >= ROOM {
            self.begin(now);
        }
    }

    /// Whether the line plays it.
    pub(super) fn sounds(&self) -> bool {
        self.ends.is_some()
    }

    /// Whether only the pause before the ring is left.
    pub(super) fn has_told(&self, now: Time) -> bool {
        self.ends.is_some_and(|[told, _]| now >= told)
    }

    /// Whether it is over.
    pub(super) fn is_over(&self, now: Time) -> bool {
        self.ends.is_some_and(|[_, over]| now >= over)
    }

    /// Renders its next samples to the start of `play`; returns how many there are.
    pub(super) fn render(&mut self, play: &mut [i16]) -> usize {
        self.sender.fill(play)
    }
}
