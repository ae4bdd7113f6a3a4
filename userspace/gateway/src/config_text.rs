//! What the configuration file may contain: its sections, and what each value may be.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ringback_country::Country;
use ringback_driver::device::selector::Selector;
use ringback_provider::{Answer, ExchangeOptions, SoundOptions};
use serde::Deserialize;

use crate::trunk::Trunk;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigText {
    #[serde(default)]
    pub(crate) sip: SipSection,
    #[serde(default)]
    pub(crate) card: Vec<CardSection>,
    #[serde(default)]
    pub(crate) line: BTreeMap<LineKey, LineSection>,
    pub(crate) call_records: Option<PathBuf>,
    #[serde(default = "yes")]
    pub(crate) numbers: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SipSection {
    pub(crate) listen: Option<Listen>,
    pub(crate) rtp_ports: Option<Ports>,
    #[serde(default)]
    pub(crate) peers: Vec<Peer>,
    pub(crate) calls_per_second: Option<Rate>,
    pub(crate) user: Option<UserName>,
    pub(crate) secret_file: Option<PathBuf>,
    pub(crate) secret_credential: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CardSection {
    pub(crate) device: Named<Selector>,
    #[serde(default)]
    pub(crate) country: Option<Named<Country>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LineSection {
    pub(crate) trunk: Trunk,
    pub(crate) number: Option<UserName>,
    pub(crate) user: Option<UserName>,
    pub(crate) secret_file: Option<PathBuf>,
    pub(crate) secret_credential: Option<String>,
    pub(crate) answer: Option<AnswerName>,
    pub(crate) silence: Option<Silence>,
    #[serde(default)]
    pub(crate) register: bool,
    pub(crate) mailbox: Option<UserName>,
    #[serde(default = "yes")]
    pub(crate) echo_cancel: bool,
    #[serde(default)]
    pub(crate) gain_received: Gain,
    #[serde(default)]
    pub(crate) gain_sent: Gain,
}

fn yes() -> bool {
    true
}

/// Makes a type that is read from a TOML value, and refuses what is out of its range.
macro_rules! checked {
    ($(#[$doc:meta])* $name:ident($inner:ty) from $raw:literal $raw_type:ty: $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize)]
        #[serde(try_from = $raw)]
        pub(crate) struct $name(pub(crate) $inner);

        impl TryFrom<$raw_type> for $name {
            type Error = String;

            fn try_from(value: $raw_type) -> Result<$name, String> {
                let check: fn($raw_type) -> Result<$inner, String> = $check;
                check(value).map($name)
            }
        }
    };
}

checked! {
    /// The number of a line, as a key.
    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    LineKey(u32) from "String" String: |text| {
        text.parse().map_err(|_| {
            format!("there is no line {text:?}: write [line.2] with a number of `ringback lines`")
        })
    }
}
checked! {
    Listen(SocketAddr) from "String" String: |text| {
        let address = text.parse::<SocketAddr>().ok();
        // An IPv6 address may have brackets without a port, too.
        let ip = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&text);
        let address = address.or_else(|| Some(SocketAddr::new(ip.parse().ok()?, 5060)));
        let address = address.ok_or_else(|| {
            format!("{text:?} is no address: write one of this machine's, such as 192.0.2.1:5060")
        })?;
        if address.ip().to_canonical().is_unspecified() {
            return Err(format!(
                "{text:?} is every address of this machine, and the PBX has to be told one: write \
                 that by which it reaches this machine"
            ));
        }
        Ok(address)
    }
}
checked! {
    Ports((u16, u16)) from "[u16; 2]" [u16; 2]: |[first, last]| {
        if first < 1024 || first % 2 != 0 || last < first {
            return Err(format!(
                "{first} to {last} are no ports for RTP: write an even one from 1024 up, and one \
                 behind it, such as [10000, 10099]"
            ));
        }
        Ok((first, last))
    }
}
checked! {
    Peer(String) from "String" String: |text| {
        let named = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        if text.is_empty() || !text.chars().all(named) {
            return Err(format!("{text:?} is no peer: write the name or the address of a host"));
        }
        Ok(text)
    }
}
checked! {
    Rate(u32) from "u32" u32: |rate| {
        if (1..=1000).contains(&rate) {
            return Ok(rate);
        }
        Err(format!("{rate} calls in a second are out of range: write 1 to 1000"))
    }
}
checked! {
    UserName(String) from "String" String: |text| {
        let named = |c: char| c.is_ascii_alphanumeric() || "-_.*+".contains(c);
        if text.is_empty() || text.len() > 64 || !text.chars().all(named) {
            return Err(format!(
                "{text:?} is no name: write up to 64 letters, digits, and - _ . * +"
            ));
        }
        Ok(text)
    }
}
checked! {
    #[derive(Default)]
    Gain(i8) from "i8" i8: |gain| {
        let gains = SoundOptions::GAINS;
        if gains.contains(&gain) {
            return Ok(gain);
        }
        Err(format!("{gain} is no gain: write whole dB from {} to {}", gains.start(), gains.end()))
    }
}
checked! {
    Silence(Duration) from "u64" u64: |seconds| {
        let (silence, most) = (Duration::from_secs(seconds), ExchangeOptions::MOST_SILENCE);
        if silence.is_zero() || silence > most {
            return Err(format!("{seconds} s of silence: write 1 to {} seconds", most.as_secs()));
        }
        Ok(silence)
    }
}
checked! {
    AnswerName(Answer) from "String" String: |name| {
        name.parse().map_err(|_| {
            let names: Vec<&str> = Answer::ALL.iter().map(|(_, name)| *name).collect();
            format!("{name:?} shows no answer: write {}", names.join(", "))
        })
    }
}

/// A value that is written as its type's own text.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String", bound(deserialize = ""))]
pub(crate) struct Named<T: std::str::FromStr>(pub(crate) T)
where
    T::Err: std::fmt::Display;

impl<T: std::str::FromStr> TryFrom<String> for Named<T>
where
    T::Err: std::fmt::Display,
{
    type Error = String;

    fn try_from(text: String) -> Result<Named<T>, String> {
        text.parse().map(Named).map_err(|error: T::Err| error.to_string())
    }
}
