//! What a modem answers: result codes, in words and in numbers.
//!
//! The words are those of V.250 section 5.7.1 and of the manuals of USRobotics, Rockwell and
//! Conexant modems. V.250 gives numbers to the first nine; of the others, which makers have
//! numbered differently, the numbers of Rockwell and Conexant are understood. A modem sends numbers
//! only if it ignores the command to use words.

/// A result code. Other lines from a modem (information text, caller id, the progress of a
/// connection such as `CARRIER 9600` or `PROTOCOL: LAPM`) are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultCode {
    /// The command was carried out.
    Ok,
    /// Connected to another modem; the speed in bit/s, if it reports one.
    Connect(Option<u32>),
    /// An incoming call rings.
    Ring,
    /// There is no other modem (a voice has answered), or the connection is lost.
    NoCarrier,
    /// The command was not understood, or can't be carried out now.
    Error,
    /// The exchange gives no dial tone, or no exchange is connected.
    NoDialTone,
    /// The called line is busy.
    Busy,
    /// The called telephone was not answered (after `@` there was no silence, after `$` no tone).
    NoAnswer,
    /// The called telephone rings. It is not in V.250, but some modems send it.
    RemoteRings,
    /// The modem does not dial now: another telephone uses the line, the number has failed too
    /// often (by law of some countries), or dialling is locked.
    Refused,
}

/// Words that are a whole line.
const WORDS: [(&str, ResultCode); 23] = [
    ("OK", ResultCode::Ok),
    ("BUSY", ResultCode::Busy),
    ("ERROR", ResultCode::Error),
    ("NO CARRIER", ResultCode::NoCarrier),
    ("VOICE", ResultCode::NoCarrier),
    ("NO ANSWER", ResultCode::NoAnswer),
    ("NO BONGTONE", ResultCode::NoAnswer),
    ("NO BONG TONE", ResultCode::NoAnswer),
    ("NO PROMPTTONE", ResultCode::NoAnswer),
    ("NO PROMPT TONE", ResultCode::NoAnswer),
    ("NO DIALTONE", ResultCode::NoDialTone),
    ("NO DIAL TONE", ResultCode::NoDialTone),
    ("RINGING", ResultCode::RemoteRings),
    ("RRING", ResultCode::RemoteRings),
    ("LINE IN USE", ResultCode::Refused),
    ("PHONE OFF-HOOK", ResultCode::Refused),
    ("PHONE OFF HOOK", ResultCode::Refused),
    ("DIAL LOCKED", ResultCode::Refused),
    ("BLACKLIST FULL", ResultCode::Refused),
    ("NO LOOP CURRENT", ResultCode::NoDialTone),
    ("NO LINE", ResultCode::NoDialTone),
    ("+FCERROR", ResultCode::Error),
    ("FCERROR", ResultCode::Error),
];

/// Words that more may follow, after one of these characters.
const BEGINNINGS: [(&str, &str, ResultCode); 6] = [
    // "RING 1" and "RING A": distinctive ringing.
    ("RING", " ", ResultCode::Ring),
    // What the call is, for example "+CRING: VOICE".
    ("+CRING", ":", ResultCode::Ring),
    ("+CME ERROR", ":", ResultCode::Error),
    ("+CMS ERROR", ":", ResultCode::Error),
    ("DELAYED", " /", ResultCode::Refused),
    ("BLACKLISTED", " /", ResultCode::Refused),
];

impl ResultCode {
    /// Reads a line that the modem sent, without its line end.
    pub fn parse(line: &[u8]) -> Option<ResultCode> {
        let text = str::from_utf8(line).ok()?.trim();
        if !text.is_empty() && text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return ResultCode::from_number(text.parse().ok()?);
        }
        let after = |word: &str| {
            let head = text.get(..word.len()).filter(|head| head.eq_ignore_ascii_case(word));
            head.and_then(|_| text.get(word.len()..))
        };
        let begins = |word, next: &str| {
            after(word)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(|c| next.contains(c)))
        };
        if let Some((_, code)) = WORDS.iter().find(|(word, _)| text.eq_ignore_ascii_case(word)) {
            return Some(*code);
        }
        if let Some((.., code)) = BEGINNINGS.iter().find(|(word, next, _)| begins(word, next)) {
            return Some(*code);
        }
        after("CONNECT").and_then(speed)
    }

    /// The numbers of V.250, then those of Rockwell and Conexant.
    fn from_number(number: u16) -> Option<ResultCode> {
        let speed = match number {
            0 => return Some(ResultCode::Ok),
            1 => return Some(ResultCode::Connect(None)),
            2 => return Some(ResultCode::Ring),
            3 => return Some(ResultCode::NoCarrier),
            4 => return Some(ResultCode::Error),
            6 => return Some(ResultCode::NoDialTone),
            7 => return Some(ResultCode::Busy),
            8 => return Some(ResultCode::NoAnswer),
            24 | 32 | 83 => return Some(ResultCode::Refused),
            5 | 23 => 1200,
            9 => 600,
            10 => 2400,
            11 => 4800,
            12 => 9600,
            13 => 7200,
            14 => 12_000,
            15 => 14_400,
            16 => 19_200,
            17 => 38_400,
            18 => 57_600,
            19 => 115_200,
            20 => 230_400,
            22 => 75,
            59 => 16_800,
            61 => 21_600,
            62 => 24_000,
            63 => 26_400,
            64 => 28_800,
            84 => 33_600,
            91 => 31_200,
            _ => return None,
        };
        Some(ResultCode::Connect(Some(speed)))
    }

    /// Whether a command has ended with it.
    pub fn is_final(self) -> bool {
        !matches!(self, ResultCode::Ring | ResultCode::RemoteRings)
    }
}

/// What follows CONNECT: nothing, a speed and more, or what kind of connection it is (`/ARQ`).
fn speed(rest: &str) -> Option<ResultCode> {
    if rest.is_empty() || rest.starts_with('/') {
        return Some(ResultCode::Connect(None));
    }
    let digits = rest.strip_prefix(' ')?.trim_start();
    let end = digits.find(|found: char| !found.is_ascii_digit()).unwrap_or(digits.len());
    Some(ResultCode::Connect(digits.get(..end)?.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<ResultCode> {
        ResultCode::parse(text.as_bytes())
    }

    #[test]
    fn words_are_understood_with_what_follows_them() {
        for (text, code) in [
            ("OK", ResultCode::Ok),
            (" ok ", ResultCode::Ok),
            ("CONNECT", ResultCode::Connect(None)),
            ("CONNECT 9600", ResultCode::Connect(Some(9600))),
            ("CONNECT 33600/ARQ/V34/LAPM", ResultCode::Connect(Some(33_600))),
            ("CONNECT V42", ResultCode::Connect(None)),
            ("CONNECT 99999999999", ResultCode::Connect(None)),
            ("RING", ResultCode::Ring),
            ("RING 1", ResultCode::Ring),
            ("RINGING", ResultCode::RemoteRings),
            ("NO CARRIER", ResultCode::NoCarrier),
            ("NO DIALTONE", ResultCode::NoDialTone),
            ("NO DIAL TONE", ResultCode::NoDialTone),
            ("NO ANSWER", ResultCode::NoAnswer),
            ("BUSY", ResultCode::Busy),
            ("ERROR", ResultCode::Error),
            ("+CME ERROR: 3", ResultCode::Error),
            ("DELAYED 00:02:00", ResultCode::Refused),
            ("BLACKLISTED", ResultCode::Refused),
            ("CONNECT/ARQ", ResultCode::Connect(None)),
            ("CONNECT 1200TX/75RX", ResultCode::Connect(Some(1200))),
            ("CONNECT FAX", ResultCode::Connect(None)),
            ("RING A", ResultCode::Ring),
            ("+CRING: VOICE", ResultCode::Ring),
            ("+cring: rel async", ResultCode::Ring),
            ("VOICE", ResultCode::NoCarrier),
            ("NO BONGTONE", ResultCode::NoAnswer),
            ("LINE IN USE", ResultCode::Refused),
            ("PHONE OFF-HOOK", ResultCode::Refused),
            ("DIAL LOCKED", ResultCode::Refused),
            ("BLACKLIST FULL", ResultCode::Refused),
            ("NO LOOP CURRENT", ResultCode::NoDialTone),
        ] {
            assert_eq!(read(text), Some(code), "{text}");
        }
    }

    #[test]
    fn numbers_are_understood_too() {
        for (text, code) in [
            ("0", ResultCode::Ok),
            ("1", ResultCode::Connect(None)),
            ("2", ResultCode::Ring),
            ("3", ResultCode::NoCarrier),
            ("4", ResultCode::Error),
            ("6", ResultCode::NoDialTone),
            ("7", ResultCode::Busy),
            ("8", ResultCode::NoAnswer),
            ("9", ResultCode::Connect(Some(600))),
            ("12", ResultCode::Connect(Some(9600))),
            ("24", ResultCode::Refused),
            ("32", ResultCode::Refused),
            ("59", ResultCode::Connect(Some(16_800))),
            ("64", ResultCode::Connect(Some(28_800))),
        ] {
            assert_eq!(read(text), Some(code), "{text}");
        }
    }

    #[test]
    fn what_is_no_result_code_is_none() {
        for text in [
            "",
            "ATDT5551234",
            "NMBR = 5551234",
            "OKAY",
            "CONNECTED",
            "RINGBACK",
            "33",
            "65",
            "+CRINGS",
            "CARRIER 9600",
            "PROTOCOL: LAPM",
            "COMPRESSION: V.42BIS",
            "+MCR: V34",
            "VOICES",
            "DELAYEDLY",
            "FAX",
            "DATA",
            "1234",
            "-1",
            "BUSYNESS",
            "+++",
            "ü",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(ResultCode::parse(&[0xFF, 0xFE]), None);
    }
}
