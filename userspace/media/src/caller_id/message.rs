//! The data message of caller id: Bellcore GR-30 (SDMF and MDMF), and ETSI EN 300 659-3, which has
//! the same form.
//!
//! A message is its type, the number of the bytes that follow, those bytes, and a checksum with
//! which the sum of all bytes is a multiple of 256.

use super::{Caller, CallerTime, Party};

/// Types of messages: a time and a number, or parameters.
const SINGLE: u8 = 0x04;
const MULTIPLE: u8 = 0x80;
/// Types of messages that tell whether other messages wait to be fetched (Telcordia GR-1401, ETSI
/// EN 300 659-3), with a parameter or without, and what both consist of.
const WAITING_SINGLE: u8 = 0x06;
const WAITING_MULTIPLE: u8 = 0x82;
const INDICATOR: u8 = 0x0B;
const INDICATOR_ON: u8 = 0xFF;
const INDICATOR_OFF: u8 = 0x00;
const SINGLE_ON: &[u8] = b"BBB";
const SINGLE_OFF: &[u8] = b"ooo";
/// Types of parameters (ETSI EN 300 659-3 section 5.4).
pub(super) const DATE: u8 = 0x01;
pub(super) const NUMBER: u8 = 0x02;
pub(super) const NO_NUMBER: u8 = 0x04;
pub(super) const NAME: u8 = 0x07;
pub(super) const NO_NAME: u8 = 0x08;
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
        SINGLE => {
            let (date, number) = body.split_at_checked(TIME)?;
            Some(Caller { number: single(number), name: Party::Unknown, time: time(date) })
        }
        MULTIPLE => parameters(body),
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

/// The caller of parameters, each with its type and length.
pub(super) fn parameters(mut body: &[u8]) -> Option<Caller> {
    let mut caller = Caller::default();
    while let Some((&[kind, length], rest)) = body.split_first_chunk() {
        let (value, behind) = rest.split_at_checked(usize::from(length))?;
        match kind {
            DATE => caller.time = time(value),
            NUMBER => caller.number = reported(value),
            NO_NUMBER => caller.number = absent(value),
            NAME => caller.name = reported(value),
            NO_NAME => caller.name = absent(value),
            // The number that was called, and what networks have added.
            _ => {}
        }
        body = behind;
    }
    body.is_empty().then_some(caller)
}

/// Whether messages wait, as a data message without its checksum tells it; `None` if it does not.
pub(super) fn read_indicator(message: &[u8]) -> Option<bool> {
    let (&[kind, length], body) = message.split_first_chunk()?;
    if body.len() != usize::from(length) {
        return None;
    }
    match kind {
        WAITING_SINGLE if body == SINGLE_ON => Some(true),
        WAITING_SINGLE if body == SINGLE_OFF => Some(false),
        WAITING_MULTIPLE => indicator(body),
        _ => None,
    }
}

/// The indicator among parameters; `None` if any of them is damaged.
fn indicator(mut body: &[u8]) -> Option<bool> {
    let mut waits = None;
    while let Some((&[kind, length], rest)) = body.split_first_chunk() {
        let (value, behind) = rest.split_at_checked(usize::from(length))?;
        match (kind, value) {
            (INDICATOR, [INDICATOR_ON]) => waits = Some(true),
            (INDICATOR, [INDICATOR_OFF]) => waits = Some(false),
            (INDICATOR, _) => return None,
            // When it came, from whom, and how many there are.
            _ => {}
        }
        body = behind;
    }
    waits.filter(|_| body.is_empty())
}

/// The data message that tells whether messages wait, with its checksum.
pub(super) fn write_indicator(waits: bool) -> Vec<u8> {
    let value = if waits { INDICATOR_ON } else { INDICATOR_OFF };
    with_checksum(vec![WAITING_MULTIPLE, 3, INDICATOR, 1, value])
}

fn with_checksum(mut message: Vec<u8>) -> Vec<u8> {
    let sum = message.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    message.push(sum.wrapping_neg());
    message
}

/// The text of ISO 8859-1, of which the standards use subsets.
fn reported(bytes: &[u8]) -> Party {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    Party::reported(&text)
}

fn absent(reason: &[u8]) -> Party {
    match reason {
        b"P" => Party::Withheld,
        // From a public telephone, and where services collide, are Japan's.
        b"O" | b"C" | b"S" => Party::OutOfArea,
        _ => Party::Unknown,
    }
}

/// Month, day, hour and minute, two digits each.
fn time(digits: &[u8]) -> Option<CallerTime> {
    let two = |at: usize| {
        let pair = str::from_utf8(digits.get(at..at + 2)?).ok()?;
        pair.bytes().all(|digit| digit.is_ascii_digit()).then(|| pair.parse().ok())?
    };
    let whole = digits.len() == TIME;
    whole.then(|| CallerTime::new(two(0)?, two(2)?, two(4)?, two(6)?))?
}

/// The longest number of ETSI EN 300 659-3.
const LONGEST_NUMBER: usize = 20;

/// The message that tells of a caller, with its checksum: parameters, of which a name has at most
/// so many letters. A letter that ISO 8859-1 does not have becomes `?`. If nothing is known of the
/// number, it is said to be out of area.
pub(super) fn write_message(caller: &Caller, longest_name: usize) -> Vec<u8> {
    let mut body = Vec::new();
    let mut add = |kind: u8, value: &[u8]| {
        if let Ok(length) = u8::try_from(value.len()) {
            body.extend([kind, length]);
            body.extend(value);
        }
    };
    if let Some(time) = caller.time {
        add(DATE, time.digits().as_bytes());
    }
    match &caller.number {
        Party::Known(number) => add(NUMBER, &latin(number, LONGEST_NUMBER)),
        Party::Withheld => add(NO_NUMBER, b"P"),
        Party::OutOfArea | Party::Unknown => add(NO_NUMBER, b"O"),
    }
    match &caller.name {
        Party::Known(name) => add(NAME, &latin(name, longest_name)),
        Party::Withheld => add(NO_NAME, b"P"),
        Party::OutOfArea => add(NO_NAME, b"O"),
        Party::Unknown => {}
    }
    let mut message = vec![MULTIPLE, u8::try_from(body.len()).unwrap_or(u8::MAX)];
    message.extend(body);
    with_checksum(message)
}

fn latin(text: &str, longest: usize) -> Vec<u8> {
    text.chars().take(longest).map(|letter| u8::try_from(letter).unwrap_or(b'?')).collect()
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
        Some(Caller { number, name, time: None })
    }

    fn at(time: [u8; 4], caller: Option<Caller>) -> Option<Caller> {
        let [month, day, hour, minute] = time;
        let time = CallerTime::new(month, day, hour, minute);
        assert!(time.is_some());
        caller.map(|caller| Caller { time, ..caller })
    }

    #[test]
    fn a_single_message_has_a_time_and_a_number() {
        let read = |body: &[u8]| read_message(&message(SINGLE, body));
        let known = caller(Party::Known("5551234".into()), Party::Unknown);
        let when = [11, 28, 18, 0];
        assert_eq!(read(b"112818005551234"), at(when, known.clone()));
        assert_eq!(read(b"112899005551234"), known, "without a time that there is not");
        assert_eq!(read(b"11281800P"), at(when, caller(Party::Withheld, Party::Unknown)));
        assert_eq!(read(b"11281800O"), at(when, caller(Party::OutOfArea, Party::Unknown)));
        assert_eq!(read(b"1128180"), None);
    }

    #[test]
    fn a_multiple_message_has_parameters_in_any_order() {
        let read = |body: &[u8]| read_message(&message(MULTIPLE, body));
        let both = caller(Party::Known("030123".into()), Party::Known("J\u{fc}rgen".into()));
        let body = b"\x01\x0811281800\x02\x06030123\x07\x06J\xfcrgen\x03\x025X";
        assert_eq!(read(body), at([11, 28, 18, 0], both));
        assert_eq!(read(b"\x08\x01P\x04\x01O"), caller(Party::OutOfArea, Party::Withheld));
        assert_eq!(read(b""), caller(Party::Unknown, Party::Unknown));
        assert_eq!(read(b"\x02\x07030123"), None, "cut off");
        assert_eq!(read(b"\x02"), None);
    }

    #[test]
    fn what_is_written_is_read() {
        let known = |text: &str| Party::Known(text.to_owned());
        for (number, name) in [
            (known("030123"), known("J\u{fc}rgen")),
            (known("030123"), Party::Unknown),
            (Party::Withheld, Party::Withheld),
            (Party::OutOfArea, known("Ada")),
            (Party::OutOfArea, Party::OutOfArea),
        ] {
            let told = at([1, 2, 3, 4], caller(number, name)).unwrap();
            assert_eq!(read_message(&write_message(&told, 50)), Some(told.clone()));
            let timeless = Caller { time: None, ..told };
            assert_eq!(read_message(&write_message(&timeless, 50)), Some(timeless));
        }
        let long = caller(known(&"1".repeat(64)), known(&"\u{20ac}".repeat(64))).unwrap();
        let read = read_message(&write_message(&long, 15)).unwrap();
        assert_eq!(read.number, known(&"1".repeat(20)));
        assert_eq!(read.name, known(&"?".repeat(15)), "cut, and without what can't be written");
        let nothing = read_message(&write_message(&Caller::default(), 15)).unwrap();
        assert_eq!(nothing.number, Party::OutOfArea);
    }

    #[test]
    fn messages_wait_or_do_not() {
        for waits in [true, false] {
            let written = write_indicator(waits);
            let sum = written.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
            assert_eq!((written.len(), sum), (6, 0));
            assert_eq!(read_indicator(&written[..5]), Some(waits));
            assert_eq!(read_indicator(&written[..4]), None, "cut off");
            assert_eq!(read_message(&written), None, "it is no caller");
        }
        // With a time before it and a number of messages behind it, and without parameters.
        let message = b"\x82\x10\x01\x0811281800\x0B\x01\xFF\x13\x01\x02";
        assert_eq!(read_indicator(message), Some(true));
        assert_eq!(read_indicator(b"\x06\x03BBB"), Some(true));
        assert_eq!(read_indicator(b"\x06\x03ooo"), Some(false));
        for none in [
            b"\x80\x03\x0B\x01\xFF",
            b"\x82\x03\x0B\x01\x7F",
            b"\x82\x03\x0C\x01\xFF",
            b"\x82\x03\x0B\x02\xFF",
            b"\x06\x03BBo",
        ] {
            assert_eq!(read_indicator(none), None);
        }
        assert_eq!(read_indicator(b"\x82\x04\x0B\x01\xFF\x13"), None, "cut off behind it");
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
