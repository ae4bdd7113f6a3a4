//! How a telephone rings for a call: as the PBX asks by Alert-Info (RFC 3261, 20.4; RFC 7462).
//!
//! PBXs write the same thing in several ways, and a telephone has three ways of ringing. What is
//! not known rings as usual.
//!
//! | Alert-Info has | the telephone rings |
//! |---|---|
//! | `Bellcore-dr2`, `alert-internal`, `urn:alert:source:internal` | twice, in ring mode 2 |
//! | `Bellcore-dr3` or a higher one, `alert-group`, `urn:alert:priority:high` | short and long, 3 |
//! | anything else, or nothing | as the country's telephones do, 1 |

use rsipstack::sip::{Header, Request};

/// The ring mode that an INVITE asks for, 1 to 3.
pub(crate) fn ring_mode(request: &Request) -> u32 {
    let asked = request.headers.iter().find_map(|header| match header {
        Header::AlertInfo(alert) => Some(alert.value().to_ascii_lowercase()),
        _ => None,
    });
    let Some(asked) = asked else { return 1 };
    if let Some((_, rest)) = asked.split_once("bellcore-dr") {
        return match rest.chars().next() {
            Some('2') => 2,
            Some('3'..='9') => 3,
            _ => 1,
        };
    }
    let has = |names: [&str; 2]| names.iter().any(|name| asked.contains(name));
    if has(["alert-internal", "urn:alert:source:internal"]) {
        2
    } else if has(["alert-group", "urn:alert:priority:high"]) {
        3
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pbx_asks_for_is_one_of_three_rings() {
        for (alert, mode) in [
            ("<http://127.0.0.1/Bellcore-dr1>", 1),
            ("<http://127.0.0.1/Bellcore-dr2>", 2),
            ("Bellcore-dr3", 3),
            ("<bellcore-DR5>", 3),
            ("<Bellcore-dr>", 1),
            ("<http://www.notused.com>;info=alert-internal;x-line-id=0", 2),
            ("<http://www.notused.com>;info=alert-external", 1),
            ("<http://pbx>;info=alert-group", 3),
            ("<urn:alert:source:internal>", 2),
            ("<urn:alert:priority:high>", 3),
            ("<http://pbx/ring.wav>", 1),
            ("", 1),
        ] {
            let text = format!(
                "INVITE sip:1@ringback SIP/2.0\r\nVia: SIP/2.0/UDP pbx;branch=z9hG4bK1\r\n\
                 Alert-Info: {alert}\r\n\r\n"
            );
            let request = Request::try_from(text.as_bytes()).unwrap();
            assert_eq!(ring_mode(&request), mode, "{alert}");
        }
    }
}
