//! Digits and the hook flash in INFO requests, which some PBXs send in place of RTP events.
//!
//! `application/hook-flash` is a flash whatever its body says. `application/dtmf-relay` has a line
//! `Signal=`: a digit, the number of an event of RFC 4733, or `hf`.

use rsipstack::sip::{Header, Request};

use crate::telephone_event::{FLASH, digit_of};

/// The type of the body that we send.
pub(crate) const HOOK_FLASH: &str = "application/hook-flash";
/// The types that are understood.
pub(crate) const TYPES: &str = "application/dtmf-relay, application/hook-flash";

/// Why an INFO is not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InfoError {
    /// It is of no type that we know (415).
    Type,
    /// It has no signal that we know (400).
    Signal,
}

/// The digit of an INFO, or `!` for a hook flash.
pub(crate) fn signal(request: &Request) -> Result<char, InfoError> {
    let kind = request.headers.iter().find_map(|header| match header {
        Header::ContentType(kind) => Some(kind.value()),
        _ => None,
    });
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case(HOOK_FLASH) {
        return Ok(FLASH);
    }
    if !kind.eq_ignore_ascii_case("application/dtmf-relay") {
        return Err(InfoError::Type);
    }
    let text = str::from_utf8(&request.body).map_err(|_| InfoError::Signal)?;
    let signal = text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        name.trim().eq_ignore_ascii_case("signal").then(|| value.trim())
    });
    let signal = signal.ok_or(InfoError::Signal)?;
    let mut characters = signal.chars();
    let found = match (characters.next(), characters.next()) {
        (Some(digit @ ('0'..='9' | '*' | '#' | '!' | 'A'..='D')), None) => Some(digit),
        (Some(digit @ 'a'..='d'), None) => Some(digit.to_ascii_uppercase()),
        _ if signal.eq_ignore_ascii_case("hf") => Some(FLASH),
        _ => signal.parse().ok().and_then(digit_of),
    };
    found.ok_or(InfoError::Signal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, body: &str) -> Result<char, InfoError> {
        let text = "INFO sip:1@ringback SIP/2.0\r\nVia: SIP/2.0/UDP pbx;branch=z9hG4bK1\r\n\r\n";
        let mut request = Request::try_from(text.as_bytes()).unwrap();
        request.headers.push(Header::ContentType(kind.into()));
        request.body = body.as_bytes().to_vec();
        signal(&request)
    }

    #[test]
    fn a_signal_is_a_digit_or_a_flash() {
        for (body, digit) in [
            ("Signal=5\r\nDuration=160\r\n", '5'),
            ("Signal= *\nDuration= 250", '*'),
            ("Duration=160\r\nsignal=d", 'D'),
            ("Signal=11", '#'),
            ("Signal=16", FLASH),
            ("Signal=hf", FLASH),
            ("Signal=!", FLASH),
        ] {
            assert_eq!(read("application/dtmf-relay", body), Ok(digit), "{body:?}");
        }
        for body in ["", "Signal", "Signal=", "Signal=17", "Signal=-1", "Signal=xx", "Signal=5 6"] {
            let read = read("Application/DTMF-Relay; x=y", body);
            assert_eq!(read, Err(InfoError::Signal), "{body:?}");
        }
        assert_eq!(read(HOOK_FLASH, "signal=hf"), Ok(FLASH));
        assert_eq!(read(HOOK_FLASH, ""), Ok(FLASH));
        assert_eq!(read("application/media_control+xml", "Signal=1"), Err(InfoError::Type));
    }
}
