//! The data message of Japan's caller id (NTT's number display; spandsp's `adsi.h` and Dialogic's
//! manual of CAS, in its table of the caller id of NTT, have its parameters).
//!
//! Characters of seven bits with even parity stand between control characters (DLE SOH, a header,
//! DLE STX, the message, DLE ETX); a DLE in the message is doubled. Behind it are two bytes with
//! which the cyclic redundancy check (x^16 + x^12 + x^5 + 1, the lowest bit first) of all from the
//! header on is 0. The message is a type, a length and parameters as elsewhere: a number (0x02) or
//! why there is none (0x04), a name (0x07) or why there is none (0x08), a time (0x01); with other
//! lengths than elsewhere, and a redirecting number in 0x0B. spandsp's own receiver does not undo
//! doubled DLEs, as a length of 16 is one.
//!
//! A name is read and written in the characters that seven bits have. How Japanese characters are
//! shifted to is in no public source: a name with control characters, by which that is done, is
//! not known.

use super::message::{DATE, NAME, NO_NAME, NO_NUMBER, NUMBER, parameters};
use super::{Caller, Party};
use crate::ffi::FskReceiver;

const SOH: u8 = 0x01;
const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const DLE: u8 = 0x10;
const HEADER: u8 = 0x07;
/// The type of the message that tells of a caller.
const CALLER: u8 = 0x40;
/// A message is no longer than its length can say.
const LONGEST: usize = 256;
const LONGEST_NUMBER: usize = 20;
const LONGEST_NAME: usize = 30;

fn check(crc: u16, byte: u8) -> u16 {
    (0..8).fold(
        crc ^ u16::from(byte),
        |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0x8408 } else { crc >> 1 }
        },
    )
}

fn with_parity(character: u8) -> u8 {
    let odd = (character & 0x7F).count_ones() % 2 == 1;
    character & 0x7F | u8::from(odd) << 7
}

/// All bytes that tell of a caller: the number, or why there is none; out of area if nothing is
/// known. Time and name come behind it, if they are known.
pub(super) fn write_ntt(caller: &Caller) -> Vec<u8> {
    let cut = |text: &str, longest: usize| -> Vec<u8> {
        let seven = |letter| u8::try_from(letter).ok().filter(u8::is_ascii).unwrap_or(b'?');
        text.chars().map(seven).take(longest).collect()
    };
    let mut body = Vec::new();
    let mut add = |kind: u8, value: Vec<u8>| {
        body.extend([kind, value.len() as u8]);
        body.extend(value);
    };
    match &caller.number {
        Party::Known(number) => add(NUMBER, cut(number, LONGEST_NUMBER)),
        Party::Withheld => add(NO_NUMBER, b"P".to_vec()),
        Party::OutOfArea | Party::Unknown => add(NO_NUMBER, b"O".to_vec()),
    }
    if let Some(time) = caller.time {
        add(DATE, time.digits().into_bytes());
    }
    match &caller.name {
        Party::Known(name) => add(NAME, cut(name, LONGEST_NAME)),
        Party::Withheld => add(NO_NAME, b"P".to_vec()),
        Party::OutOfArea => add(NO_NAME, b"O".to_vec()),
        Party::Unknown => {}
    }
    let message = [vec![CALLER, body.len() as u8], body].concat();
    let mut checked = vec![HEADER, DLE, STX];
    for byte in message {
        checked.extend([byte, DLE].iter().take(if byte == DLE { 2 } else { 1 }));
    }
    checked.extend([DLE, ETX]);
    let checked: Vec<u8> = checked.into_iter().map(with_parity).collect();
    let crc = checked.iter().fold(0, |crc, byte| check(crc, *byte));
    let mut all = vec![with_parity(DLE), with_parity(SOH)];
    all.extend(checked);
    all.extend(crc.to_le_bytes());
    all
}

/// The caller of a message without control characters; `None` if it is of another type or cut off.
fn read_ntt(message: &[u8]) -> Option<Caller> {
    let (&[CALLER, length], body) = message.split_first_chunk()? else { return None };
    let whole = body.len() == usize::from(length);
    let caller = parameters(body).filter(|_| whole)?;
    let name = if has_shifts(body) { Party::Unknown } else { caller.name };
    Some(Caller { name, ..caller })
}

/// Whether the name in these parameters has control characters.
fn has_shifts(mut body: &[u8]) -> bool {
    while let Some((&[kind, length], rest)) = body.split_first_chunk() {
        let Some((value, behind)) = rest.split_at_checked(usize::from(length)) else { break };
        if kind == NAME && value.iter().any(u8::is_ascii_control) {
            return true;
        }
        body = behind;
    }
    false
}

/// What has come of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    Begun,
    Header,
    HeaderEnd,
    Start,
    Message,
    Escaped,
    Check,
    CheckEnd,
}

/// Receives them.
#[derive(Debug)]
pub(super) struct NttReceiver {
    bits: FskReceiver,
    bytes: Bytes,
    messages: Messages,
}

impl NttReceiver {
    pub(super) fn new() -> NttReceiver {
        NttReceiver { bits: FskReceiver::new(), bytes: Bytes::default(), messages: Messages::new() }
    }

    pub(super) fn reset(&mut self) {
        self.bits.reset();
        self.bytes = Bytes::default();
        self.messages.place = Place::Outside;
    }

    /// Processes at most as many samples as the receiver of bits does. Returns the caller whose
    /// message has ended in them.
    pub(super) fn listen(&mut self, samples: &[i16]) -> Option<Caller> {
        let mut told = None;
        for bit in self.bits.listen(samples) {
            if let Some(byte) = self.bytes.bit(*bit)
                && let Some(caller) = self.messages.byte(byte)
            {
                told = Some(caller);
            }
        }
        told
    }
}

/// Makes bytes of bits: each has a bit of 0 before it and at least one of 1 behind it.
#[derive(Debug, Default)]
struct Bytes {
    /// How many bits of the byte have come, with its first 0.
    count: u32,
    byte: u8,
}

impl Bytes {
    fn bit(&mut self, bit: bool) -> Option<u8> {
        match self.count {
            0 => self.count = u32::from(!bit),
            1..=8 => {
                self.byte = self.byte >> 1 | u8::from(bit) << 7;
                self.count += 1;
            }
            _ => {
                self.count = 0;
                return bit.then_some(self.byte);
            }
        }
        None
    }
}

/// Makes messages of bytes.
#[derive(Debug)]
struct Messages {
    place: Place,
    crc: u16,
    message: Vec<u8>,
}

impl Messages {
    fn new() -> Messages {
        Messages { place: Place::Outside, crc: 0, message: Vec::with_capacity(LONGEST) }
    }

    fn byte(&mut self, byte: u8) -> Option<Caller> {
        self.crc = check(self.crc, byte);
        let character = byte & 0x7F;
        self.place = match (self.place, character) {
            (Place::Outside | Place::Begun, DLE) => Place::Begun,
            (Place::Begun, SOH) => {
                self.crc = 0;
                Place::Header
            }
            (Place::Header, _) => Place::HeaderEnd,
            (Place::HeaderEnd, DLE) => Place::Start,
            (Place::Start, STX) => {
                self.message.clear();
                Place::Message
            }
            (Place::Message, DLE) => Place::Escaped,
            (Place::Escaped, ETX) => Place::Check,
            (Place::Message, _) | (Place::Escaped, DLE) if self.message.len() < LONGEST => {
                self.message.push(character);
                Place::Message
            }
            (Place::Check, _) => Place::CheckEnd,
            (Place::CheckEnd, _) => {
                self.place = Place::Outside;
                return if self.crc == 0 { read_ntt(&self.message) } else { None };
            }
            _ => Place::Outside,
        };
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::CallerTime;
    use super::*;

    fn known(digits: usize) -> Caller {
        let number = Party::Known("09012345678901234567".chars().take(digits).collect());
        Caller { number, ..Caller::default() }
    }

    fn read(bytes: &[u8]) -> Vec<Caller> {
        let mut messages = Messages::new();
        bytes.iter().filter_map(|byte| messages.byte(*byte)).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        // With lengths of 16, which look like DLE.
        for digits in 1..=20 {
            assert_eq!(read(&write_ntt(&known(digits))), [known(digits)]);
        }
        for number in [Party::Withheld, Party::OutOfArea] {
            let caller = Caller { number, ..Caller::default() };
            assert_eq!(read(&write_ntt(&caller)), [caller]);
        }
    }

    #[test]
    fn a_name_is_read_or_why_there_is_none() {
        let time = CallerTime::new(11, 28, 18, 5);
        for name in [Party::Known("TANAKA TARO".to_owned()), Party::Withheld, Party::OutOfArea] {
            let caller = Caller { name, time, ..known(10) };
            assert_eq!(read(&write_ntt(&caller)), [caller]);
        }
        let long = Caller { name: Party::Known("\u{30bf}A".repeat(40)), ..known(10) };
        let [told] = read(&write_ntt(&long)).try_into().unwrap();
        assert_eq!(told.name, Party::Known("?A".repeat(15)));
        // As the sources have it: public telephone, and characters that are shifted to.
        let message = b"\x40\x08\x02\x03090\x08\x01C";
        assert_eq!(read_ntt(message).unwrap().name, Party::OutOfArea);
        let shifted = b"\x40\x0B\x02\x03090\x07\x04\x1b$B;";
        assert_eq!(read_ntt(shifted), Some(known(3)));
    }

    #[test]
    fn a_message_is_as_the_sources_have_it() {
        let bytes = write_ntt(&known(3));
        let expected = [0x90, 0x81, 0x87, 0x90, 0x82, 0xC0, 0x05, 0x82, 0x03, 0x30, 0x39, 0x30];
        assert_eq!(bytes[..12], expected);
        assert_eq!(bytes[12..14], [0x90, 0x03]);
        assert_eq!(bytes.len(), 16);
        // Reasons that are Japan's own: from a public telephone, or where services collide.
        for reason in [b"C", b"S"] {
            let message = [[CALLER, 3, NO_NUMBER, 1].as_slice(), reason].concat();
            assert_eq!(read_ntt(&message).unwrap().number, Party::OutOfArea);
        }
    }

    #[test]
    fn what_is_damaged_is_no_message() {
        let whole = write_ntt(&known(14));
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[at] ^= 1 << bit;
                // The characters before the header are not checked, but for being there.
                let parity = at < 2 && bit == 7;
                assert_eq!(read(&damaged).is_empty(), !parity, "bit {bit} of byte {at}");
            }
            assert!(read(&whole[..at]).is_empty(), "cut off");
            // And what comes behind it is heard.
            let both = [&whole[..at], &whole].concat();
            assert!(read(&both).len() <= 1);
        }
        assert_eq!(read_ntt(b"\x40\x05\x02\x03090"), Some(known(3)));
        for wrong in [b"\x40\x06\x02\x03090", b"\x41\x05\x02\x03090", b"\x40\x05\x02\x04090"] {
            assert_eq!(read_ntt(wrong), None);
        }
    }
}
