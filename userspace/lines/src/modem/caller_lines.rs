//! The lines in which a modem reports who calls, between two RINGs or before the first.
//!
//! `DATE = 1128`, `TIME = 1805`, `NMBR = 5551234`, `NAME = ADA` and `MESG = 8008...`, with or
//! without spaces, are of modems that were asked by `AT+VCID=1` (ITU-T V.253) or `AT#CID=1`
//! (Rockwell). `+CLIP:` is of mobile
//! telephones (3GPP TS 27.007).

use ringback_media::caller_id::{Caller, CallerTime, Party, read_message};

/// What the lines of one call have reported.
#[derive(Debug, Default)]
pub(super) struct CallerLines {
    pub(super) caller: Caller,
    /// The date, which a line with the time follows.
    date: Option<CallerTime>,
}

impl CallerLines {
    /// Adds what a line reports about the caller. Returns whether something is known by it.
    pub(super) fn read(&mut self, line: &[u8]) -> bool {
        let text = String::from_utf8_lossy(line);
        let caller = &mut self.caller;
        if let Some(fields) = strip_key(&text, "+CLIP:") {
            return clip(fields, caller);
        }
        let Some((key, value)) = text.split_once(['=', ':']) else { return false };
        let value = value.trim();
        match key.trim().to_ascii_uppercase().as_str() {
            "NMBR" => caller.number = party(value),
            "NAME" => caller.name = party(value),
            "DATE" => {
                let date = pairs(value);
                self.date = date.and_then(|[month, day]| CallerTime::new(month, day, 0, 0));
                return false;
            }
            "TIME" => {
                let time = pairs(value).zip(self.date);
                match time.and_then(|([hour, minute], date)| date.at(hour, minute)) {
                    Some(time) => caller.time = Some(time),
                    None => return false,
                }
            }
            "MESG" => match bytes(value).and_then(|message| read_message(&message)) {
                Some(told) => *caller = told,
                None => return false,
            },
            _ => return false,
        }
        true
    }
}

/// Two numbers of two digits each.
fn pairs(value: &str) -> Option<[u8; 2]> {
    let two = |at: usize| value.get(at..at + 2)?.parse().ok();
    let digits = value.len() == 4 && value.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Some([two(0)?, two(2)?]))?
}

fn strip_key<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let head = text.get(..key.len()).filter(|head| head.eq_ignore_ascii_case(key));
    head.and_then(|_| text.get(key.len()..))
}

/// A value, or the reason why there is none, as modems write it.
fn party(value: &str) -> Party {
    match value.to_ascii_uppercase().as_str() {
        "P" | "PRIVATE" | "ANONYMOUS" => Party::Withheld,
        "O" | "OUT OF AREA" | "UNAVAILABLE" => Party::OutOfArea,
        _ => Party::reported(value),
    }
}

/// `"number",type,"subaddress",type,"name",validity`, where all but the first two may be missing.
fn clip(fields: &str, caller: &mut Caller) -> bool {
    let mut fields = fields.split(',').map(|field| field.trim().trim_matches('"'));
    let Some(number) = fields.next() else { return false };
    let (name, validity) = (fields.nth(3).unwrap_or_default(), fields.next());
    caller.number = match validity {
        Some("1") => Party::Withheld,
        Some("2") => Party::OutOfArea,
        _ => Party::reported(number),
    };
    caller.name = Party::reported(name);
    true
}

/// The bytes of hexadecimal digits.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            let pair = str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
            pair.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some(())?;
            u8::from_str_radix(pair, 16).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: &[&str]) -> Caller {
        let mut read = CallerLines::default();
        for line in lines {
            let told = read.read(line.as_bytes());
            assert_eq!(told, !line.starts_with("DATE"), "{line}");
        }
        read.caller
    }

    fn known(text: &str) -> Party {
        Party::Known(text.into())
    }

    #[test]
    fn each_form_is_understood() {
        let ada = Caller { number: known("5551234"), name: known("ADA"), time: None };
        assert_eq!(told(&["NMBR = 5551234", "NAME = ADA"]), ada);
        assert_eq!(told(&["nmbr=5551234", "NAME:ADA"]), ada);
        let message = "MESG = 800E020735353531323334070341444130";
        assert_eq!(told(&[message]), ada);
        assert_eq!(told(&["+CLIP: \"5551234\",129,\"\",,\"ADA\",0"]), ada);
        assert_eq!(told(&["+CLIP: \"5551234\",129"]).number, known("5551234"));
        assert_eq!(told(&["+CLIP: \"\",128,,,,1"]).number, Party::Withheld);
        assert_eq!(told(&["NMBR = P", "NAME = O"]).number, Party::Withheld);
        assert_eq!(told(&["NMBR = O"]).number, Party::OutOfArea);
        let time = CallerTime::new(11, 28, 18, 5);
        let lines = ["DATE = 1128", "TIME=1805", "NMBR = 5551234", "NAME = ADA"];
        assert_eq!(told(&lines), Caller { time, ..ada });
    }

    #[test]
    fn other_lines_are_none() {
        for line in [
            "RING",
            "DATE = 1328",
            "DATE = 112",
            "TIME = 1800",
            "OK",
            "",
            "=",
            "MESG = 8",
            "MESG = zz",
        ] {
            let mut read = CallerLines::default();
            assert!(!read.read(line.as_bytes()), "{line}");
            assert_eq!(read.caller, Caller::default());
        }
        assert!(!CallerLines::default().read(&[0xFF, b'=', 0]));
    }
}
