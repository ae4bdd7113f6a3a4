//! The data message of caller id: Bellcore GR-30 (SDMF and MDMF), and ETSI EN 300 659-3, which has
//! the same form.
//!
//! A message is its type, the number of the bytes that follow, those bytes, and a checksum with
//! which the sum of all bytes is a multiple of 256.

use super::{Caller, Party};

/// Types of messages: a time and a number, or parameters.
const SINGLE: u8 = 0x04;
const MULTIPLE: u8 = 0x80;
/// Types of parameters (ETSI EN 300 659-3 section 5.4).
const NUMBER: u8 = 0x02;
const NO_NUMBER: u8 = 0x04;
const NAME: u8 = 0x07;
const NO_NAME: u8 = 0x08;
/// A single message begins with month, day, hour and minute.
const TIME: usize = 8;

/// Reads the message of an incoming call. `None` if it is none, is cut off, or has another sum than
/// its checksum says; a message without a checksum behind it is accepted.
pub fn read_message(message: &[u8]) -> Option<Caller> {
    let (&[kind, length], rest) = message.split_first_chunk()?;
    let (body, checksum) = rest.split_at_checked(usize::from(length))?;
    let sum = message.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    match checksum {
        [] => {}
        [_] if sum == 0 => {}
        _ => return None,
    }
    match kind {
        SINGLE => Some(Caller { number: single(body.get(TIME..)?), name: Party::Unknown }),
        MULTIPLE => multiple(body),
        _ => None,
    }
}

/// A number, or one letter that says why there is none.
fn single(text: &[u8]) -> Party {
    match text {
        [_] => absent(text),
        _ => reported(text),
    }
}

fn multiple(mut body: &[u8]) -> Option<Caller> {
    let mut caller = Caller::default();
    while let Some((&[kind, length], rest)) = body.split_first_chunk() {
        let (value, behind) = rest.split_at_checked(usize::from(length))?;
        match kind {
            NUMBER => caller.number = reported(value),
            NO_NUMBER => caller.number = absent(value),
            NAME => caller.name = reported(value),
            NO_NAME => caller.name = absent(value),
            // Time, the number that was called, and what networks have added.
            _ => {}
        }
        body = behind;
    }
    body.is_empty().then_some(caller)
}

/// The text of ISO 8859-1, of which the standards use subsets.
fn reported(bytes: &[u8]) -> Party {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    Party::reported(&text)
}

fn absent(reason: &[u8]) -> Party {
    match reason {
        b"P" => Party::Withheld,
        b"O" => Party::OutOfArea,
        _ => Party::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![kind, u8::try_from(body.len()).unwrap()];
        bytes.extend(body);
        let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        bytes.push(sum.wrapping_neg());
        bytes
    }

    fn caller(number: Party, name: Party) -> Option<Caller> {
        Some(Caller { number, name })
    }

    #[test]
    fn a_single_message_has_a_time_and_a_number() {
        let read = |body: &[u8]| read_message(&message(SINGLE, body));
        let known = caller(Party::Known("5551234".into()), Party::Unknown);
        assert_eq!(read(b"112818005551234"), known);
        assert_eq!(read(b"11281800P"), caller(Party::Withheld, Party::Unknown));
        assert_eq!(read(b"11281800O"), caller(Party::OutOfArea, Party::Unknown));
        assert_eq!(read(b"1128180"), None);
    }

    #[test]
    fn a_multiple_message_has_parameters_in_any_order() {
        let read = |body: &[u8]| read_message(&message(MULTIPLE, body));
        let both = caller(Party::Known("030123".into()), Party::Known("J\u{fc}rgen".into()));
        let body = b"\x01\x0811281800\x02\x06030123\x07\x06J\xfcrgen\x03\x025X";
        assert_eq!(read(body), both);
        assert_eq!(read(b"\x08\x01P\x04\x01O"), caller(Party::OutOfArea, Party::Withheld));
        assert_eq!(read(b""), caller(Party::Unknown, Party::Unknown));
        assert_eq!(read(b"\x02\x07030123"), None, "cut off");
        assert_eq!(read(b"\x02"), None);
    }

    #[test]
    fn what_is_damaged_is_no_message() {
        let whole = message(MULTIPLE, b"\x02\x06030123");
        assert!(read_message(&whole).is_some());
        assert!(read_message(&whole[..whole.len() - 1]).is_some(), "without its checksum");
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            assert_eq!(read_message(&damaged), None, "byte {at}");
        }
        for length in 0..whole.len() - 1 {
            assert_eq!(read_message(&whole[..length]), None);
        }
    }
}
