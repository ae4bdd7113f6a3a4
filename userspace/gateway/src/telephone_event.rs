//! Digits in RTP packets (RFC 4733): events 0 to 15 are 0-9, `*`, `#` and A-D, and 16 is a hook
//! flash, which is written as `!` here, as in a number to dial.

use crate::rtp::Packet;

/// A hook flash.
pub(crate) const FLASH: char = '!';
/// The digits in the order of their events, and the hook flash.
const DIGITS: [char; 17] =
    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D', FLASH];
/// The volume that events are sent with, in -dBm0.
const VOLUME: u8 = 10;
/// How often the last packet of an event is sent, so that its end is not lost.
const ENDS: u8 = 3;
/// Samples of a packet, and the shortest event: 80 ms.
const STEP: u16 = 160;
const SHORTEST: u16 = 640;

/// The digit of an event, or the hook flash.
pub(crate) fn digit_of(event: u8) -> Option<char> {
    DIGITS.get(usize::from(event)).copied()
}

/// Finds the digits in received packets.
#[derive(Debug, Default)]
pub(crate) struct EventReceiver {
    /// The stream and the beginning of the last event.
    last: Option<(u32, u32)>,
}

impl EventReceiver {
    /// The digit that begins with this packet. Every packet of an event has the time of its
    /// beginning, so that the loss of some does no harm.
    pub(crate) fn receive(&mut self, packet: &Packet<'_>) -> Option<char> {
        let [event, ..] = packet.payload.first_chunk::<4>()?;
        let digit = digit_of(*event)?;
        let this = Some((packet.source, packet.timestamp));
        (std::mem::replace(&mut self.last, this) != this).then_some(digit)
    }
}

/// An event that is being sent.
#[derive(Debug)]
pub(crate) struct EventSender {
    event: u8,
    timestamp: u32,
    duration: u16,
    /// The digit is over.
    released: bool,
    ends: u8,
}

impl EventSender {
    /// Begins a digit at this time of the stream; `None` if it is no digit.
    pub(crate) fn begin(digit: char, timestamp: u32) -> Option<EventSender> {
        let event = DIGITS.iter().position(|own| *own == digit)?;
        let event = u8::try_from(event).ok()?;
        Some(EventSender { event, timestamp, duration: 0, released: false, ends: 0 })
    }

    /// The digit is over: the event ends when it is long enough.
    pub(crate) fn release(&mut self) {
        self.released = true;
    }

    /// The time that the packets of the event have.
    pub(crate) fn timestamp(&self) -> u32 {
        self.timestamp
    }

    /// The next packet's payload, and whether it is the first one.
    pub(crate) fn next(&mut self) -> ([u8; 4], bool) {
        let first = self.duration == 0;
        if self.ends == 0 {
            self.duration = self.duration.saturating_add(STEP);
        }
        // An event that lasts for 8 s is over whatever happens.
        let over = self.released && self.duration >= SHORTEST || self.duration > u16::MAX - STEP;
        if over {
            self.ends += 1;
        }
        let [high, low] = self.duration.to_be_bytes();
        let end = if over { 0x80 } else { 0 };
        ([self.event, end | VOLUME, high, low], first)
    }

    /// Whether its end was sent often enough.
    pub(crate) fn is_over(&self) -> bool {
        self.ends >= ENDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet<'a>(timestamp: u32, payload: &'a [u8]) -> Packet<'a> {
        let (payload_type, marker, sequence, source) = (101, false, 0, 9);
        Packet { payload_type, marker, sequence, timestamp, source, payload }
    }

    #[test]
    fn a_digit_is_received_once_whichever_of_its_packets_arrive() {
        let mut receiver = EventReceiver::default();
        for digit in ['5', '5', '#', 'D', FLASH] {
            let start = u32::from(digit) * 1000 + receiver.last.map_or(0, |(_, at)| at);
            let mut sender = EventSender::begin(digit, start).unwrap();
            sender.release();
            let mut heard = Vec::new();
            // The first one is lost.
            let (_, first) = sender.next();
            assert!(first);
            while !sender.is_over() {
                let (payload, first) = sender.next();
                assert!(!first);
                heard.extend(receiver.receive(&packet(start, &payload)));
            }
            assert_eq!(heard, [digit]);
        }
    }

    #[test]
    fn an_event_is_long_enough_and_its_end_is_sent_three_times() {
        let mut sender = EventSender::begin('*', 5).unwrap();
        let mut sent = Vec::new();
        sent.push(sender.next().0);
        sender.release();
        while !sender.is_over() {
            sent.push(sender.next().0);
        }
        let last = [10, 0x8A, 2, 0x80];
        assert_eq!(sent[0], [10, 0x0A, 0, 160]);
        assert_eq!(sent[3..], [last; 3], "640 samples");
        assert!(EventSender::begin('x', 0).is_none());
    }

    #[test]
    fn an_event_that_never_ends_ends() {
        let mut sender = EventSender::begin('1', 0).unwrap();
        let sent = (0..1000).take_while(|_| !sender.is_over() && sender.next().0[0] == 1);
        assert_eq!(sent.count(), 411, "8 s and the repetitions");
    }

    #[test]
    fn what_is_no_digit_is_none() {
        let mut receiver = EventReceiver::default();
        assert_eq!(receiver.receive(&packet(1, &[17, 0, 0, 0])), None, "another event");
        assert_eq!(receiver.receive(&packet(2, &[1, 0, 0])), None, "too short");
        assert_eq!(receiver.receive(&packet(3, &[1, 0, 0, 0])), Some('1'));
    }
}
