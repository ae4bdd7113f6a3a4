//! What a modem answers (V.250 section 5.7.1): result codes, in words and in numbers.

/// A result code. Other lines from a modem (information text, caller id) are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultCode {
    /// The command was carried out.
    Ok,
    /// Connected to another modem; the speed in bit/s, if it reports one.
    Connect(Option<u32>),
    /// An incoming call rings.
    Ring,
    /// There is no other modem, or the connection is lost.
    NoCarrier,
    /// The command was not understood, or can't be carried out now.
    Error,
    /// The exchange gives no dial tone.
    NoDialTone,
    /// The called line is busy.
    Busy,
    /// The called telephone was not answered (after `@`: there was no silence).
    NoAnswer,
    /// The called telephone rings. It is not in V.250, but some modems send it.
    RemoteRings,
    /// The modem refuses to dial a number that has failed too often (by law of some countries).
    Refused,
}

impl ResultCode {
    /// Reads a line that the modem sent, without its line end.
    pub fn parse(line: &[u8]) -> Option<ResultCode> {
        let text = str::from_utf8(line).ok()?.trim();
        if !text.is_empty() && text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return ResultCode::from_number(text.parse().ok()?);
        }
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        let begins = |word: &str| {
            let head = text.get(..word.len()).filter(|head| head.eq_ignore_ascii_case(word));
            head.and_then(|_| text.get(word.len()..))
        };
        Some(match text {
            _ if is("OK") => ResultCode::Ok,
            _ if is("BUSY") => ResultCode::Busy,
            _ if is("ERROR") => ResultCode::Error,
            _ if is("NO CARRIER") => ResultCode::NoCarrier,
            _ if is("NO ANSWER") => ResultCode::NoAnswer,
            _ if is("NO DIALTONE") || is("NO DIAL TONE") => ResultCode::NoDialTone,
            _ if is("RINGING") || is("RRING") => ResultCode::RemoteRings,
            _ => {
                if let Some(rest) = begins("CONNECT") {
                    return speed(rest);
                }
                // "RING 1": distinctive ringing.
                if begins("RING").is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')) {
                    return Some(ResultCode::Ring);
                }
                if begins("+CME ERROR").is_some() {
                    return Some(ResultCode::Error);
                }
                if begins("DELAYED").is_some() || begins("BLACKLISTED").is_some() {
                    return Some(ResultCode::Refused);
                }
                return None;
            }
        })
    }

    /// The numbers of V.250, and those that later modems use for speeds.
    fn from_number(number: u16) -> Option<ResultCode> {
        let at = |speed| Some(ResultCode::Connect(Some(speed)));
        match number {
            0 => Some(ResultCode::Ok),
            1 => Some(ResultCode::Connect(None)),
            2 => Some(ResultCode::Ring),
            3 => Some(ResultCode::NoCarrier),
            4 => Some(ResultCode::Error),
            5 => at(1200),
            6 => Some(ResultCode::NoDialTone),
            7 => Some(ResultCode::Busy),
            8 => Some(ResultCode::NoAnswer),
            10 => at(2400),
            11 => at(4800),
            12 => at(9600),
            13 => at(7200),
            14 => at(12_000),
            15 => at(14_400),
            16 => at(19_200),
            17 => at(38_400),
            18 => at(57_600),
            19 => at(115_200),
            _ => None,
        }
    }

    /// Whether a command has ended with it.
    pub fn is_final(self) -> bool {
        !matches!(self, ResultCode::Ring | ResultCode::RemoteRings)
    }
}

/// What follows CONNECT: nothing, or a speed and more.
fn speed(rest: &str) -> Option<ResultCode> {
    if rest.is_empty() {
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
            ("12", ResultCode::Connect(Some(9600))),
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
            "9",
            "20",
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
