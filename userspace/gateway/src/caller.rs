//! Who calls: from a line to SIP, and from SIP to a telephone.
//!
//! Text of others gets into headers only after everything was taken out of it that means something
//! there. A number that is withheld is not sent (RFC 3323, RFC 3325).

use ringback_host::CallInfo;
use ringback_tspi::constants::*;
use rsipstack::sip::prelude::{HeadersExt, ToTypedHeader};
use rsipstack::sip::{Header, Request};

/// The longest name that is passed on.
const MOST_NAME: usize = 64;
/// The longest number.
const MOST_NUMBER: usize = 32;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CallerIdentity {
    pub(crate) number: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) withheld: bool,
}

impl CallerIdentity {
    /// Who calls on a line of an exchange, as far as that has told.
    pub(crate) fn of_line(info: &CallInfo) -> CallerIdentity {
        if info.caller_flags & LINECALLPARTYID_BLOCKED != 0 {
            return CallerIdentity { withheld: true, ..CallerIdentity::default() };
        }
        CallerIdentity {
            number: info.caller.as_deref().and_then(clean_number),
            name: info.caller_name.as_deref().and_then(clean_name),
            withheld: false,
        }
    }

    /// Whether the exchange has told something.
    pub(crate) fn is_told(info: &CallInfo) -> bool {
        let told = LINECALLPARTYID_BLOCKED | LINECALLPARTYID_OUTOFAREA;
        info.caller.is_some() || info.caller_name.is_some() || info.caller_flags & told != 0
    }

    /// Who calls by an INVITE: P-Asserted-Identity before From.
    pub(crate) fn of_request(request: &Request) -> CallerIdentity {
        let withheld = request.headers.iter().any(|header| {
            let Header::Privacy(privacy) = header else { return false };
            let asked = |value: &str| ["id", "user", "header"].contains(&value.trim());
            privacy.value().split([';', ',']).any(asked)
        });
        let asserted = request.headers.iter().find_map(|header| match header {
            Header::PAssertedIdentity(identity) => {
                rsipstack::sip::typed::From::parse(identity.value()).ok()
            }
            _ => None,
        });
        let from = || request.from_header().ok()?.typed().ok();
        let Some(identity) = asserted.or_else(from) else { return CallerIdentity::default() };
        let user = identity.uri.user().unwrap_or_default();
        let anonymous = user.eq_ignore_ascii_case("anonymous");
        if withheld || anonymous {
            return CallerIdentity { withheld: true, ..CallerIdentity::default() };
        }
        let name = identity.display_name.as_deref().and_then(clean_name);
        CallerIdentity { number: clean_number(user), name, withheld: false }
    }

    /// Who calls from a telephone: its number.
    pub(crate) fn of_telephone(number: &str) -> CallerIdentity {
        CallerIdentity { number: Some(number.to_owned()), ..CallerIdentity::default() }
    }

    /// As a telephone is shown it (dwCallingPartyID).
    pub(crate) fn for_telephone(&self) -> Option<String> {
        match (&self.number, &self.name) {
            (Some(number), Some(name)) => Some(format!("{name} <{number}>")),
            (number, name) => number.clone().or(name.clone()),
        }
    }

    /// The name and the URI of From; `host` is ours.
    pub(crate) fn from(&self, host: &str) -> (Option<String>, String) {
        if self.withheld {
            return (Some("Anonymous".to_owned()), "sip:anonymous@anonymous.invalid".to_owned());
        }
        match &self.number {
            Some(number) => (self.name.clone(), format!("sip:{}@{host}", escaped(number))),
            None => {
                let name = self.name.clone().unwrap_or_else(|| "Unavailable".to_owned());
                (Some(name), "sip:unavailable@unknown.invalid".to_owned())
            }
        }
    }

    /// P-Asserted-Identity and Privacy.
    pub(crate) fn headers(&self, host: &str) -> Vec<Header> {
        if self.withheld {
            return vec![Header::Privacy("id".into())];
        }
        let Some(number) = &self.number else { return Vec::new() };
        let name = self.name.as_ref().map(|name| format!("\"{name}\" ")).unwrap_or_default();
        let identity = format!("{name}<sip:{}@{host}>", escaped(number));
        vec![Header::PAssertedIdentity(identity.into())]
    }
}

/// What of a number can be in a URI.
fn clean_number(text: &str) -> Option<String> {
    let number: String = decoded(text)?
        .chars()
        .filter(|c| c.is_ascii_digit() || "*#+".contains(*c))
        .take(MOST_NUMBER)
        .collect();
    (!number.is_empty()).then_some(number)
}

/// What of a name can be between quotation marks.
fn clean_name(text: &str) -> Option<String> {
    let allowed = |c: &char| !c.is_control() && !"\"\\<>".contains(*c);
    let name: String = text.chars().filter(allowed).take(MOST_NAME).collect();
    let name = name.trim().to_owned();
    (!name.is_empty()).then_some(name)
}

/// A number as a URI's user part, in which `#` has to be escaped.
pub(crate) fn escaped(number: &str) -> String {
    number.replace('#', "%23")
}

/// A user part without escapes; `None` if one is malformed.
fn decoded(user: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(user.len());
    let mut rest = user.as_bytes();
    while let [first, after @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let (hex, after) = after.split_first_chunk::<2>()?;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        bytes.push(u8::try_from(digit(hex[0])? * 16 + digit(hex[1])?).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// What an INVITE asks to dial: digits, `*`, `#` and A to D. `None` for anything else.
///
/// Nothing that means more in a dialable address gets to the line: no flash, no pause, no pulses.
pub(crate) fn dialable(user: &str) -> Option<String> {
    // What follows is a parameter of the number, such as `;phone-context=`.
    let number = decoded(user.split(';').next().unwrap_or_default())?;
    let digit = |c: char| c.is_ascii_digit() || "*#ABCD".contains(c);
    (!number.is_empty() && number.len() <= MOST_NUMBER && number.chars().all(digit))
        .then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> CallInfo {
        CallInfo {
            origin: LINECALLORIGIN_INBOUND,
            reason: 0,
            media_mode: 0,
            bearer_mode: 0,
            call_id: 1,
            states: 0,
            caller: None,
            caller_name: None,
            caller_flags: 0,
            display: None,
            called: None,
        }
    }

    #[test]
    fn a_caller_of_a_line_gets_into_from_and_the_asserted_identity() {
        let told = CallInfo {
            caller: Some("555-1234#".into()),
            caller_name: Some("ADA \"<x>\r\nVia: y".into()),
            ..info()
        };
        let caller = CallerIdentity::of_line(&told);
        assert!(CallerIdentity::is_told(&told) && !CallerIdentity::is_told(&info()));
        let (name, uri) = caller.from("192.0.2.1");
        assert_eq!((name.as_deref(), &*uri), (Some("ADA xVia: y"), "sip:5551234%23@192.0.2.1"));
        let identity = "\"ADA xVia: y\" <sip:5551234%23@192.0.2.1>";
        assert_eq!(caller.headers("192.0.2.1"), [Header::PAssertedIdentity(identity.into())]);
        let unknown = CallerIdentity::of_line(&info());
        assert_eq!(unknown.from("h").1, "sip:unavailable@unknown.invalid");
        assert_eq!(unknown.headers("h"), []);
    }

    #[test]
    fn a_withheld_caller_stays_so() {
        let told = CallInfo {
            caller: Some("5551234".into()),
            caller_flags: LINECALLPARTYID_BLOCKED,
            ..info()
        };
        let caller = CallerIdentity::of_line(&told);
        assert_eq!(caller.from("h").1, "sip:anonymous@anonymous.invalid");
        assert_eq!(caller.headers("h"), [Header::Privacy("id".into())]);
    }

    #[test]
    fn who_calls_by_sip_is_the_asserted_identity_or_from() {
        let of = |headers: &[Header]| {
            let text =
                "INVITE sip:1@ringback SIP/2.0\r\nVia: SIP/2.0/UDP pbx;branch=z9hG4bK1\r\n\r\n";
            let mut request = Request::try_from(text.as_bytes()).unwrap();
            headers.iter().for_each(|header| request.headers.push(header.clone()));
            CallerIdentity::of_request(&request)
        };
        let from = Header::From("\"Ada\" <sip:%2B495551@pbx>;tag=1".into());
        let shown = of(std::slice::from_ref(&from));
        assert_eq!(
            (shown.number.as_deref(), shown.name.as_deref()),
            (Some("+495551"), Some("Ada"))
        );
        assert_eq!(shown.for_telephone().as_deref(), Some("Ada <+495551>"));
        let asserted = Header::PAssertedIdentity("<sip:77@pbx>".into());
        assert_eq!(of(&[from.clone(), asserted]).number.as_deref(), Some("77"));
        assert!(of(&[from.clone(), Header::Privacy("id".into())]).withheld);
        assert!(of(&[Header::From("<sip:anonymous@anonymous.invalid>".into())]).withheld);
        assert_eq!(of(&[]), CallerIdentity::default());
    }

    #[test]
    fn only_digits_are_dialled() {
        for (user, number) in
            [("5550100", "5550100"), ("*72%23", "*72#"), ("1;phone-context=x", "1"), ("A", "A")]
        {
            assert_eq!(dialable(user).as_deref(), Some(number));
        }
        let long = "1".repeat(33);
        for user in ["", "!1", "1,2", "W1", "T1", "+49", "1%2", "1%zz", "a b", "%FF", "1P2", &long]
        {
            assert_eq!(dialable(user), None, "{user}");
        }
    }
}
