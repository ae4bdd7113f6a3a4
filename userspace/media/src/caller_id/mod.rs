//! Who calls, as an exchange reports it before a call is answered.
//!
//! [`read_message`] reads the data message that a modem passes on as it came (`MESG=`). What others
//! have written into a number or a name is kept as text without control characters, and cut where
//! no standard allows it to be longer.

mod message;

pub use message::read_message;

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
}
