//! What a modem answers: result codes, in words and in numbers.
//!
//! The words are those of V.250 section 5.7.1 and of the manuals of USRobotics, Rockwell and
//! Conexant modems. V.250 gives numbers to the first nine; of the others, which makers have
//! numbered differently, the numbers of Rockwell and Conexant are understood, which are also those
//! of ThinkPads and of later USRobotics modems. (A Courier's own are not: its 11 is RINGING and
//! its 12 VOICE.) A modem sends numbers only if it ignores the command to use words.

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
const WORDS: [(&str, ResultCode); 24] = [
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
    // What +FCERROR is among numbers.
    ("+F4", ResultCode::Error),
];

/// The words that numbers stand for. Those of a connection's progress are no result codes, but are
/// known to be none: another code follows them.
const NUMBERS: [(u16, &str); 51] = [
    (0, "OK"),
    (1, "CONNECT"),
    (2, "RING"),
    (3, "NO CARRIER"),
    (4, "ERROR"),
    (5, "CONNECT 1200"),
    (6, "NO DIALTONE"),
    (7, "BUSY"),
    (8, "NO ANSWER"),
    (9, "CONNECT 600"),
    (10, "CONNECT 2400"),
    (11, "CONNECT 4800"),
    (12, "CONNECT 9600"),
    (13, "CONNECT 7200"),
    (14, "CONNECT 12000"),
    (15, "CONNECT 14400"),
    (16, "CONNECT 19200"),
    (17, "CONNECT 38400"),
    (18, "CONNECT 57600"),
    (19, "CONNECT 115200"),
    (20, "CONNECT 230400"),
    (22, "CONNECT 75TX/1200RX"),
    (23, "CONNECT 1200TX/75RX"),
    (24, "DELAYED"),
    (32, "BLACKLISTED"),
    (33, "FAX"),
    (35, "DATA"),
    (40, "CARRIER 300"),
    (44, "CARRIER 1200/75"),
    (45, "CARRIER 75/1200"),
    (46, "CARRIER 1200"),
    (47, "CARRIER 2400"),
    (48, "CARRIER 4800"),
    (49, "CARRIER 7200"),
    (50, "CARRIER 9600"),
    (51, "CARRIER 12000"),
    (52, "CARRIER 14400"),
    (53, "CARRIER 16800"),
    (54, "CARRIER 19200"),
    (55, "CARRIER 21600"),
    (56, "CARRIER 24000"),
    (57, "CARRIER 26400"),
    (58, "CARRIER 28800"),
    (59, "CONNECT 16800"),
    (61, "CONNECT 21600"),
    (62, "CONNECT 24000"),
    (63, "CONNECT 26400"),
    (64, "CONNECT 28800"),
    (83, "LINE IN USE"),
    (84, "CONNECT 33600"),
    (91, "CONNECT 31200"),
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
        ResultCode::from_words(text)
    }

    /// Reads the words of a result code.
    fn from_words(text: &str) -> Option<ResultCode> {
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

    /// What the word means that this number stands for.
    fn from_number(number: u16) -> Option<ResultCode> {
        let (_, word) = NUMBERS.iter().find(|(own, _)| *own == number)?;
        ResultCode::from_words(word)
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
            ("+F4", ResultCode::Error),
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

    /// Every number of up to three digits; those of which nothing is said mean nothing.
    #[test]
    fn each_number_has_the_meaning_of_its_words_and_no_other_has_one() {
        let codes = [
            (0, ResultCode::Ok),
            (1, ResultCode::Connect(None)),
            (2, ResultCode::Ring),
            (3, ResultCode::NoCarrier),
            (4, ResultCode::Error),
            (6, ResultCode::NoDialTone),
            (7, ResultCode::Busy),
            (8, ResultCode::NoAnswer),
            (24, ResultCode::Refused),
            (32, ResultCode::Refused),
            (83, ResultCode::Refused),
        ];
        let speeds = [
            (5, 1200),
            (9, 600),
            (10, 2400),
            (11, 4800),
            (12, 9600),
            (13, 7200),
            (14, 12_000),
            (15, 14_400),
            (16, 19_200),
            (17, 38_400),
            (18, 57_600),
            (19, 115_200),
            (20, 230_400),
            (22, 75),
            (23, 1200),
            (59, 16_800),
            (61, 21_600),
            (62, 24_000),
            (63, 26_400),
            (64, 28_800),
            (84, 33_600),
            (91, 31_200),
        ];
        let connected = speeds.map(|(number, speed)| (number, ResultCode::Connect(Some(speed))));
        let known: Vec<(u32, ResultCode)> = codes.into_iter().chain(connected).collect();
        for number in 0..=999 {
            let code = known.iter().find(|(own, _)| *own == number).map(|(_, code)| *code);
            assert_eq!(read(&number.to_string()), code, "{number}");
        }
    }

    /// FAX, DATA, and the progress of a connection, of which a result code follows.
    #[test]
    fn numbers_of_what_is_no_result_code_are_known_to_be_none() {
        for (number, word) in [
            (33, "FAX"),
            (35, "DATA"),
            (40, "CARRIER 300"),
            (45, "CARRIER 75/1200"),
            (52, "CARRIER 14400"),
            (58, "CARRIER 28800"),
        ] {
            assert!(NUMBERS.contains(&(number, word)), "{number}");
            assert_eq!((read(word), read(&number.to_string())), (None, None), "{word}");
        }
        assert!(NUMBERS.is_sorted_by_key(|(number, _)| number), "each is there once");
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
