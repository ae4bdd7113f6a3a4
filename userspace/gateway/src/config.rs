//! The configuration: one TOML file.
//!
//! What is wrong is reported with its line and column, and nothing of the file is used then.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ringback_country::Country;
use ringback_driver::device::selector::Selector;
use ringback_provider::{Answer, ExchangeOptions, SoundOptions};

use crate::config_text::{
    AnswerName, ConfigText, LineKey, LineSection, Named, Peer, Ports, Rate, Silence, UserName,
};
use crate::secret::Secret;
pub use crate::trunk::Trunk;

/// The largest file that is read, in bytes.
const MOST_BYTES: u64 = 64 * 1024;
/// How many calls a peer may begin in a second, if the file does not say it.
const CALLS_PER_SECOND: u32 = 10;

/// What the file says.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where and whom it answers.
    pub sip: SipConfig,
    /// The cards, in their order.
    pub cards: Vec<CardConfig>,
    /// The lines that it serves, by their numbers: they are counted through all cards.
    pub lines: BTreeMap<u32, LineConfig>,
    /// The file of the call records; `None` for standard output.
    pub call_records: Option<PathBuf>,
    /// Whether call records have the numbers of who calls and is called.
    pub numbers: bool,
}

/// Where and whom the gateway answers.
#[derive(Debug, Clone)]
pub struct SipConfig {
    /// The address, for UDP and TCP.
    pub listen: SocketAddr,
    /// The first and the last UDP port for RTP; `None` for any.
    pub rtp_ports: Option<(u16, u16)>,
    /// Who may call besides the trunks' hosts.
    pub peers: Vec<String>,
    /// How many calls a peer may begin in a second.
    pub calls_per_second: u32,
    /// Whose secret callers have to know; `None` for none.
    pub credential: Option<UserSecret>,
}

/// A user and the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSecret {
    /// The name.
    pub user: String,
    /// The secret.
    pub secret: Secret,
}

/// A card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardConfig {
    /// Which card.
    pub device: Selector,
    /// The country of its lines.
    pub country: Country,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineConfig {
    /// The PBX that it belongs to.
    pub trunk: Trunk,
    /// Its number: by which an extension is called, and whom calls of an exchange line are for.
    pub number: String,
    /// What the line says when the PBX asks who it is.
    pub credential: Option<UserSecret>,
    /// Whether the line registers at its PBX.
    pub register: bool,
    /// Whose waiting messages the PBX is asked for.
    pub mailbox: Option<String>,
    /// How it understands its exchange.
    pub exchange: ExchangeOptions,
}

impl Config {
    /// Reads the file, and the secrets that it names.
    ///
    /// # Errors
    /// What is wrong, with its line and column, and what to write instead.
    pub fn load(path: &Path) -> Result<Config, String> {
        let name = path.display();
        let failed = |error: std::io::Error| format!("{name} can't be read: {error}");
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(failed)?;
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(format!("{name} has more than {MOST_BYTES} bytes, which no gateway needs"));
        }
        let text = str::from_utf8(&bytes).map_err(|error| {
            format!("{name} is no text in UTF-8, at byte {}: save it so", error.valid_up_to())
        })?;
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        Config::read(text, credentials).map_err(|error| format!("{name}: {error}"))
    }

    /// Reads the content of a file; `credentials` is systemd's folder of them.
    ///
    /// # Errors
    /// As [`load`](Config::load).
    pub fn read(text: &str, credentials: Option<PathBuf>) -> Result<Config, String> {
        let ConfigText { sip, card, line, call_records, numbers } =
            toml::from_str(text).map_err(|error| error.to_string())?;
        if card.is_empty() {
            return Err("there is no card: write [[card]] and below it device = with what \
                        `ringback device` names, such as \"shim:/dev/uio0\""
                .to_owned());
        }
        if line.is_empty() {
            return Err(
                "there is no line: write [line.2] and below it trunk = \"sip:PBX\", with a \
                        number of `ringback lines`"
                    .to_owned(),
            );
        }
        let secret = |of: &str,
                      user: Option<String>,
                      file: Option<PathBuf>,
                      name: Option<String>| {
            let secret = match (file, name) {
                (Some(_), Some(_)) => {
                    Err("write secret_file or secret_credential, not both".into())
                }
                (Some(file), None) => Secret::read(&file).map(Some),
                (None, Some(name)) => Secret::credential(&name, credentials.clone()).map(Some),
                (None, None) => Ok(None),
            };
            match (user, secret.map_err(|error| format!("[{of}]: {error}"))?) {
                (Some(user), Some(secret)) => Ok(Some(UserSecret { user, secret })),
                (None, None) => Ok(None),
                _ => Err(format!(
                    "[{of}]: user and its secret belong together: write user, and secret_file or \
                     secret_credential, or none of them"
                )),
            }
        };
        let user = sip.user.map(|UserName(user)| user);
        let sip = SipConfig {
            listen: sip.listen.map_or(SocketAddr::from(([127, 0, 0, 1], 5060)), |listen| listen.0),
            rtp_ports: sip.rtp_ports.map(|Ports(ports)| ports),
            peers: sip.peers.into_iter().map(|Peer(peer)| peer).collect(),
            calls_per_second: sip.calls_per_second.map_or(CALLS_PER_SECOND, |Rate(rate)| rate),
            credential: secret("sip", user, sip.secret_file, sip.secret_credential)?,
        };
        let mut lines = BTreeMap::<u32, LineConfig>::new();
        for (LineKey(key), line) in line {
            let user = line.user.map(|UserName(user)| user);
            let of = format!("line.{key}");
            let credential = secret(&of, user, line.secret_file, line.secret_credential)?;
            let number = line.number.map_or_else(|| format!("line{key}"), |UserName(name)| name);
            if let Some((other, _)) = lines.iter().find(|(_, other)| other.number == number) {
                return Err(format!(
                    "[line.{key}] has the number {number} of [line.{other}]: write another one"
                ));
            }
            let sound = SoundOptions {
                echo_cancel: line.echo_cancel,
                gain_received: line.gain_received.0,
                gain_sent: line.gain_sent.0,
            };
            let exchange = ExchangeOptions {
                answer: line.answer.map_or(Answer::Any, |AnswerName(answer)| answer),
                silence: line.silence.map(|Silence(silence)| silence),
                profile: None,
                sound,
            };
            let LineSection { trunk, register, mailbox, .. } = line;
            let mailbox = mailbox.map(|UserName(mailbox)| mailbox);
            let config = LineConfig { trunk, number, credential, register, mailbox, exchange };
            lines.insert(key, config);
        }
        let cards = card.into_iter().map(|card| CardConfig {
            device: card.device.0,
            country: card.country.map_or_else(Country::default, |Named(country)| country),
        });
        Ok(Config { sip, cards: cards.collect(), lines, call_records, numbers })
    }

    /// The hosts that are peers: those of the trunks, and those that are named besides.
    pub(crate) fn peer_hosts(&self) -> Vec<String> {
        let trunks = self.lines.values().map(|line| line.trunk.host.clone());
        let mut hosts: Vec<String> = self.sip.peers.iter().cloned().chain(trunks).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LEAST: &str = "[[card]]\ndevice = 'soft'\n[line.2]\ntrunk = 'sip:pbx'\n";

    #[test]
    fn the_least_file_has_defaults_that_work() {
        let config = Config::read(LEAST, None).unwrap();
        assert_eq!(config.sip.listen.to_string(), "127.0.0.1:5060");
        assert_eq!(config.cards[0].device, Selector::Soft);
        let line = &config.lines[&2];
        assert_eq!((line.trunk.to_string().as_str(), line.number.as_str()), ("sip:pbx", "line2"));
        assert!(line.exchange.sound.echo_cancel && line.credential.is_none());
        assert_eq!(config.peer_hosts(), ["pbx"]);
        assert!(config.call_records.is_none() && config.numbers);
    }

    #[test]
    fn an_ipv6_address_is_read_with_port_and_without() {
        for (text, address) in [
            ("2001:db8::1", "[2001:db8::1]:5060"),
            ("[2001:db8::1]", "[2001:db8::1]:5060"),
            ("[2001:db8::1]:5080", "[2001:db8::1]:5080"),
        ] {
            let config = Config::read(&format!("{LEAST}[sip]\nlisten = '{text}'"), None).unwrap();
            assert_eq!(config.sip.listen.to_string(), address, "{text}");
        }
    }

    #[test]
    fn a_whole_file_is_read_with_its_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("trunk");
        std::fs::write(&file, "one").unwrap();
        std::fs::write(folder.path().join("callers"), "two").unwrap();
        for name in ["trunk", "callers"] {
            use std::os::unix::fs::PermissionsExt;
            let path = folder.path().join(name);
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let text = format!(
            "call_records = 'calls.jsonl'\nnumbers = false\n[sip]\nlisten = '192.0.2.1'\n\
             rtp_ports = [10000, 10099]\npeers = ['192.0.2.9']\ncalls_per_second = 2\n\
             user = 'pbx'\nsecret_credential = 'callers'\n[[card]]\ndevice = 'uio:/dev/uio0'\n\
             country = 'de'\n[[card]]\ndevice = 'soft'\n[line.0]\ntrunk = 'sip:pbx'\n\
             number = '100'\nmailbox = '199'\n[line.2]\ntrunk = 'sip:in@pbx:5070'\nuser = 'line'\n\
             secret_file = '{}'\nanswer = 'polarity'\nsilence = 30\nregister = true\n\
             echo_cancel = false\ngain_sent = -3\n",
            file.display()
        );
        let config = Config::read(&text, Some(folder.path().to_owned())).unwrap();
        assert_eq!(config.sip.listen.to_string(), "192.0.2.1:5060");
        assert_eq!((config.sip.rtp_ports, config.numbers), (Some((10000, 10099)), false));
        let callers = config.sip.credential.as_ref().unwrap();
        assert_eq!((callers.user.as_str(), callers.secret.reveal()), ("pbx", "two"));
        assert_eq!((config.cards.len(), config.lines.len()), (2, 2));
        assert_eq!(config.peer_hosts(), ["192.0.2.9", "pbx"]);
        let line = &config.lines[&2];
        assert_eq!(line.credential.as_ref().unwrap().secret.reveal(), "one");
        assert!(line.register && !config.lines[&0].register);
        assert_eq!((&line.mailbox, config.lines[&0].mailbox.as_deref()), (&None, Some("199")));
        assert_eq!(line.exchange.answer, Answer::Polarity);
        assert_eq!(line.exchange.silence, Some(Duration::from_secs(30)));
        let sound = line.exchange.sound;
        assert_eq!((sound.echo_cancel, sound.gain_sent, sound.gain_received), (false, -3, 0));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_column_and_the_cure() {
        for (text, place, cure) in [
            ("[[card]]\ndevice = 'uio0'", "line 2, column 10", "write soft, shim:/dev/uio0"),
            ("[[card]]\ndevice = 'soft'\ncountry = 'Atlantis'", "line 3, column 11", "use one of"),
            ("[[card]]\n", "line 1, column 1", "missing field `device`"),
            ("[line.2]\ntrunk = 'pbx'", "line 2, column 9", "write sip:HOST"),
            ("[line.2]\nnumber = '1'", "line 1, column 1", "missing field `trunk`"),
            ("[line.x]\ntrunk = 'sip:pbx'", "line 1, column 7", "write [line.2]"),
            ("[line.2]\ntrunk = 'sip:p'\nanswer = 'luck'", "line 3, column 10", "polarity"),
            ("[line.2]\ntrunk = 'sip:p'\nsilence = 0", "line 3, column 11", "write 1 to 3600"),
            ("[line.2]\ntrunk = 'sip:p'\ngain_sent = 13", "line 3, column 13", "from -24 to 12"),
            ("[line.2]\ntrunk = 'sip:p'\nnumber = 'a b'", "line 3, column 10", "letters, digits"),
            ("[sip]\nlisten = '0.0.0.0'", "line 2, column 10", "by which it reaches"),
            ("[sip]\nlisten = '::'", "line 2, column 10", "by which it reaches"),
            ("[sip]\nlisten = '[192.0.2.1'", "line 2, column 10", "such as 192.0.2.1:5060"),
            ("[sip]\nlisten = 'here'", "line 2, column 10", "such as 192.0.2.1:5060"),
            ("[sip]\nrtp_ports = [1001, 1003]", "line 2, column 13", "[10000, 10099]"),
            ("[sip]\ncalls_per_second = 0", "line 2, column 20", "write 1 to 1000"),
            ("[sip]\npeers = ['a b']", "line 2, column 9", "address of a host"),
            ("[sip]\nport = 5060", "line 2, column 1", "expected one of `listen`"),
            ("[card]\ndevice = 'soft'", "line 1, column 1", "sequence"),
        ] {
            let error = Config::read(text, None).unwrap_err();
            assert!(error.contains(place) && error.contains(cure), "{text:?}: {error}");
        }
        let more = |text: &str| Config::read(&format!("{LEAST}{text}"), None).unwrap_err();
        assert!(Config::read("", None).unwrap_err().contains("write [[card]]"));
        let card = "[[card]]\ndevice = 'soft'\n";
        assert!(Config::read(card, None).unwrap_err().contains("write [line.2]"));
        assert!(more("user = 'x'").contains("[line.2]: user and its secret"));
        assert!(more("user = 'x'\nsecret_file = '/nowhere'").contains("can't be read"));
        assert!(more("[line.3]\ntrunk = 'sip:p'\nnumber = 'line2'").contains("of [line.2]"));
    }

    /// Whatever a file contains, it is read or refused.
    #[test]
    fn no_file_is_too_odd() {
        for at in 0..LEAST.len() {
            for odd in ["\n", "'", "[", "9", "=", "-", "\u{e4}"] {
                let _ = Config::read(&[&LEAST[..at], odd, &LEAST[at..]].concat(), None);
            }
            let _ = Config::read(&LEAST[..at], None);
        }
        assert!(Config::read(&format!("line = {}", "[".repeat(30_000)), None).is_err());
    }
}
