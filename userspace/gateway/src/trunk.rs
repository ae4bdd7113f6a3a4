//! The address of a PBX, as the configuration names it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::Deserialize;

/// The port of SIP without TLS (RFC 3261, 19.1.2).
const SIP_PORT: u16 = 5060;

/// `sip:HOST`, `sip:USER@HOST` or `sip:USER@HOST:PORT`, and `;transport=tcp` behind it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Trunk {
    /// Whom calls from the line are for; `None` for the number of the line.
    pub user: Option<String>,
    /// A name, or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How it is reached: by UDP or by TCP.
    pub transport: TrunkTransport,
}

/// How a PBX is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrunkTransport {
    /// By datagrams.
    Udp,
    /// By a connection.
    Tcp,
}

/// The text is no address of a PBX.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no address of a PBX: write sip:HOST, sip:USER@HOST or sip:USER@HOST:PORT, and \
         ;transport=tcp behind it for TCP"
)]
pub struct TrunkError(String);

impl Trunk {
    /// The host as a URI has it: with brackets if it is an IPv6 address.
    pub fn uri_host(&self) -> String {
        match self.host.parse() {
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            _ => self.host.clone(),
        }
    }
}

impl TryFrom<String> for Trunk {
    type Error = TrunkError;

    fn try_from(text: String) -> Result<Trunk, TrunkError> {
        text.parse()
    }
}

impl FromStr for Trunk {
    type Err = TrunkError;

    fn from_str(text: &str) -> Result<Trunk, TrunkError> {
        let wrong = || TrunkError(text.to_owned());
        let rest = text.strip_prefix("sip:").ok_or_else(wrong)?;
        let (rest, transport) = match rest.split_once(';') {
            None => (rest, TrunkTransport::Udp),
            Some((rest, "transport=udp")) => (rest, TrunkTransport::Udp),
            Some((rest, "transport=tcp")) => (rest, TrunkTransport::Tcp),
            Some(_) => return Err(wrong()),
        };
        let (user, place) = match rest.split_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        let (host, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or_else(wrong)?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| wrong())?;
                (host, port.strip_prefix(':').or(port.is_empty().then_some("")))
            }
            None => match place.split_once(':') {
                Some((host, port)) => (host, Some(port).filter(|port| !port.is_empty())),
                None => (place, Some("")),
            },
        };
        let port = match port.ok_or_else(wrong)? {
            "" => SIP_PORT,
            port => port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?,
        };
        let named = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        let user_named = |c: char| c.is_ascii_alphanumeric() || "-_.!~*'()&=+$,".contains(c);
        if host.is_empty() || !host.chars().all(named) {
            return Err(wrong());
        }
        if user.is_some_and(|user| user.is_empty() || !user.chars().all(user_named)) {
            return Err(wrong());
        }
        Ok(Trunk { user: user.map(str::to_owned), host: host.to_owned(), port, transport })
    }
}

impl fmt::Display for Trunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sip:")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        f.write_str(&self.uri_host())?;
        if self.port != SIP_PORT {
            write!(f, ":{}", self.port)?;
        }
        if self.transport == TrunkTransport::Tcp { f.write_str(";transport=tcp") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        for (text, user, host, port) in [
            ("sip:pbx", None, "pbx", 5060),
            ("sip:100@192.0.2.1:5080", Some("100"), "192.0.2.1", 5080),
            ("sip:in@[2001:db8::1]", Some("in"), "2001:db8::1", 5060),
            ("sip:[::1]:5070", None, "::1", 5070),
        ] {
            let trunk: Trunk = text.parse().unwrap();
            assert_eq!((trunk.user.as_deref(), &*trunk.host, trunk.port), (user, host, port));
            assert_eq!((trunk.to_string().as_str(), trunk.transport), (text, TrunkTransport::Udp));
            let tcp: Trunk = format!("{text};transport=tcp").parse().unwrap();
            assert_eq!(
                (&tcp.host, tcp.port, tcp.transport),
                (&trunk.host, port, TrunkTransport::Tcp)
            );
            assert_eq!(tcp.to_string(), format!("{text};transport=tcp"));
            assert_eq!(format!("{text};transport=udp").parse(), Ok(trunk));
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_forms() {
        for text in [
            "",
            "pbx",
            "sips:pbx",
            "sip:",
            "sip:@pbx",
            "sip:a@",
            "sip:pbx:",
            "sip:pbx:0",
            "sip:pbx:99999",
            "sip:pbx;transport=tls",
            "sip:pbx;transport=tcp;lr",
            "sip:pbx;",
            "sip:a b@pbx",
            "sip:[::1",
            "sip:[x]",
            "sip:a\r\nb@pbx",
            "sip:[::1]5060",
        ] {
            let error = text.parse::<Trunk>().unwrap_err().to_string();
            assert!(error.contains("write sip:HOST"), "{text}: {error}");
        }
    }
}
