//! Who calls, as an exchange reports it before a call is answered.
//!
//! [`CallerIdReceiver`] finds it in the sound of a line, and [`CallerIdSender`] makes that sound:
//! a data message by FSK, or DTMF digits, as the country has it. [`read_message`] reads the data
//! message that a modem passes on as it came (`MESG=`). What others have written into a number or
//! a name is kept as text without control characters, and cut where no standard allows it to be
//! longer. What is damaged is no caller: a message has a checksum, and digits have a form.
//! [`WaitingCallReceiver`] finds who else calls during a conversation. A data message can also tell
//! a line that is on-hook whether messages wait ([`CallerIdSender::message_waiting`]).

mod digits;
mod fsk;
mod message;
mod ntt;
mod receiver;
mod sender;
mod share;
mod waiting_call;

use std::fmt;

pub use message::read_message;
pub use receiver::CallerIdReceiver;
pub use ringback_country::{CallerIdCoding, CallerIdMethod, CallerIdMoment};
pub use sender::CallerIdSender;
pub use waiting_call::{
    ACKNOWLEDGEMENT, ACKNOWLEDGEMENT_MS, AlertSender, WaitingCallEvent, WaitingCallReceiver,
};

/// The longest text that is kept, in characters; ETSI EN 300 659-3 allows a name of 50.
const LONGEST: usize = 64;

/// What is known about a number or a name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Party {
    /// Nothing was reported.
    #[default]
    Unknown,
    /// It was reported.
    Known(String),
    /// The caller does not want it to be shown.
    Withheld,
    /// The caller's exchange does not report it.
    OutOfArea,
}

impl Party {
    /// What somebody has reported; [`Party::Unknown`] if nothing is left of it.
    pub fn reported(text: &str) -> Party {
        let shown = text.chars().filter(|letter| !letter.is_control());
        let text: String = shown.take(LONGEST).collect();
        match text.trim() {
            "" => Party::Unknown,
            text => Party::Known(text.to_owned()),
        }
    }

    /// What was reported.
    pub fn text(&self) -> Option<&str> {
        match self {
            Party::Known(text) => Some(text),
            _ => None,
        }
    }
}

/// A caller.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    /// The number.
    pub number: Party,
    /// The name.
    pub name: Party,
    /// The exchange's time of the call.
    pub time: Option<CallerTime>,
}

/// A time as an exchange reports it, local and without a year. It is shown as `11-28 18:05`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallerTime {
    /// 1 to 12.
    month: u8,
    /// 1 to 31.
    day: u8,
    /// 0 to 23.
    hour: u8,
    /// 0 to 59.
    minute: u8,
}

impl CallerTime {
    /// A time; `None` if there is no such time in any year.
    pub fn new(month: u8, day: u8, hour: u8, minute: u8) -> Option<CallerTime> {
        let valid = (1..=12).contains(&month) && (1..=31).contains(&day);
        (valid && hour < 24 && minute < 60).then_some(CallerTime { month, day, hour, minute })
    }

    /// Month, day, hour and minute, two digits each.
    fn digits(self) -> String {
        let CallerTime { month, day, hour, minute } = self;
        format!("{month:02}{day:02}{hour:02}{minute:02}")
    }

    /// Another time of the same day; `None` if there is no such time.
    pub fn at(self, hour: u8, minute: u8) -> Option<CallerTime> {
        CallerTime::new(self.month, self.day, hour, minute)
    }
}

impl fmt::Display for CallerTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CallerTime { month, day, hour, minute } = self;
        write!(f, "{month:02}-{day:02} {hour:02}:{minute:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_have_written_is_text() {
        assert_eq!(Party::reported(" Ada\u{7}\r\n\u{1b}[31m ").text(), Some("Ada[31m"));
        assert_eq!(Party::reported("\0\t "), Party::Unknown);
        let long = Party::reported(&"\u{e4}".repeat(1000));
        assert_eq!(long.text().map(|text| text.chars().count()), Some(LONGEST));
    }

    #[test]
    fn a_time_is_one_of_some_year() {
        let time = CallerTime::new(2, 29, 0, 7).unwrap();
        assert_eq!(time.to_string(), "02-29 00:07");
        assert_eq!(time.at(23, 59).unwrap().to_string(), "02-29 23:59");
        assert_eq!(time.at(24, 0), None);
        for (month, day, hour, minute) in [(0, 1, 0, 0), (13, 1, 0, 0), (1, 0, 0, 0), (1, 32, 0, 0)]
            .into_iter()
            .chain([(1, 1, 24, 0), (1, 1, 0, 60)])
        {
            assert_eq!(CallerTime::new(month, day, hour, minute), None);
        }
    }
}
