//! Listens on an idle line for who calls, in the way of the country's exchanges, and for whether
//! messages wait.
//!
//! The data message of a caller comes after a ring or after a reversal of battery, and counts only
//! then; digits may come unannounced, and so may the data message about waiting messages. A caller
//! that is told before the first ring is kept for the call that the ring begins. In Japan the line
//! answers a short ring behind a reversal, is told, and hangs up; only the rings after that are
//! those of a call.

use std::time::Duration;

use ringback_country::{CallerIdCoding, CallerIdMoment, Country};
use ringback_driver::Time;
use ringback_driver::card::FRAME;
use ringback_media::caller_id::CallerIdReceiver;

use crate::Caller;

/// How long after a ring or a reversal a data message has ended: it begins within a second, and
/// the longest takes less than three (ETSI EN 300 659-1).
const MESSAGE: Duration = Duration::from_secs(5);
/// How long after a caller was told the line rings at the latest; exchanges ring within a second.
const RINGS: Duration = Duration::from_secs(6);

/// What listens on a line, and what it has heard.
#[derive(Debug)]
pub(super) struct CallerListener {
    /// `None` where it is not known how exchanges tell who calls.
    receiver: Option<CallerIdReceiver>,
    /// Callers may come unannounced: by digits.
    always: bool,
    /// Data messages may tell whether messages wait.
    for_messages: bool,
    /// The data message of a caller is listened for until then.
    until: Time,
    /// The line has to answer to be told.
    off_hook: bool,
    /// The caller of a call that is not offered yet, and when it was told.
    told: Option<(Caller, Time)>,
}

impl CallerListener {
    pub(super) fn new(country: Country) -> CallerListener {
        let method = country.caller_id();
        let coding = method.map(|method| method.coding);
        CallerListener {
            receiver: coding.map(CallerIdReceiver::new),
            always: matches!(coding, Some(CallerIdCoding::Dtmf { .. })),
            for_messages: matches!(coding, Some(CallerIdCoding::Bell202 | CallerIdCoding::V23)),
            until: Time::ZERO,
            off_hook: method.is_some_and(|method| method.moment == CallerIdMoment::OffHook),
            told: None,
        }
    }

    /// A ring has ended, or battery was reversed: a caller may be told from now on.
    pub(super) fn announced(&mut self, now: Time) {
        if now >= self.until
            && !self.always
            && let Some(receiver) = &mut self.receiver
        {
            receiver.reset();
        }
        self.until = now + MESSAGE;
    }

    /// Whether the line has to answer short rings to be told.
    pub(super) fn answers(&self) -> bool {
        self.off_hook
    }

    /// Whether battery was reversed, so that a caller may be told.
    pub(super) fn is_announced(&self, now: Time) -> bool {
        now < self.until
    }

    /// The line has answered the short ring: it is told within so long from now on.
    pub(super) fn answered(&mut self, now: Time) -> Time {
        self.announced(now);
        self.until
    }

    /// The line has hung up again, or it rings as usual: its next ring is that of a call.
    pub(super) fn hung_up(&mut self) {
        self.until = Time::ZERO;
    }

    /// Processes a frame of the idle line. Returns the caller who was told in it.
    pub(super) fn hear(&mut self, now: Time, heard: &[i16; FRAME]) -> Option<Caller> {
        let for_callers = self.always || now < self.until;
        let receiver = self.receiver.as_mut().filter(|_| for_callers || self.for_messages)?;
        let mut told = None;
        receiver.feed(heard, &mut |caller| told = Some(caller));
        told.filter(|_| for_callers)
    }

    /// Whether messages wait, if that was told in the last frame.
    pub(super) fn take_messages(&mut self) -> Option<bool> {
        self.receiver.as_mut()?.take_indicator()
    }

    /// Keeps a caller for the call that the next ring begins.
    pub(super) fn keep(&mut self, now: Time, caller: Caller) {
        self.told = Some((caller, now));
    }

    /// The caller of the call that is offered now: the kept one, unless it was told too long ago on
    /// a line that has not rung since.
    pub(super) fn take(&mut self, now: Time, rang_since: bool) -> Caller {
        let told = self.told.take().filter(|(_, at)| rang_since || now - *at <= RINGS);
        told.map(|(caller, _)| caller).unwrap_or_default()
    }

    /// Forgets a caller whose call is over.
    pub(super) fn forget(&mut self) {
        self.told = None;
    }
}
