//! A line of text as a command.

use std::str::FromStr;

use crate::{ExchangeError, Fault, SLOTS, UnknownFault};
use ringback_country::{Country, CountryError, Profile};
use ringback_request::PortNumber;

/// A command for a card, or for what is behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command<'a> {
    State,
    Help,
    Telephone { slot: PortNumber, action: Action<'a> },
    AddSubscriber(&'a str),
    Subscriber { number: &'a str, action: Action<'a> },
    Line { number: &'a str, unplug: bool },
    Messages { number: &'a str, wait: bool },
    TellCallers(bool),
    Fault { fault: Fault, on: bool },
    SetCountry(Country),
    SetProfile(Option<&'static Profile>),
}

/// What a telephone is to do or to report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action<'a> {
    OffHook,
    OnHook,
    Flash,
    Break { ms: u32 },
    Pulse(&'a str),
    Dial(&'a str),
    Call(&'a str),
    Tone { hz: u16, ms: u32 },
    Speak(Vec<i16>),
    AnswerAfter(u32),
    Manual,
    Display,
    State,
    Heard { ms: u32 },
    Level { hz: u16, ms: u32 },
    Forget,
}

/// Why a line is not a command, or why its command can't be carried out.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CommandError {
    #[error("there is no command {0:?}; known are {known}", known = COMMANDS.join("; "))]
    Unknown(String),
    #[error("a telephone can't {0:?}; it can {known}", known = ACTIONS.join("; "))]
    UnknownAction(String),
    #[error("{given:?} is no {what}")]
    BadValue { what: &'static str, given: String },
    #[error("there is no card {number}; cards are numbered from 0, and there are {cards}")]
    NoSuchCard { number: usize, cards: usize },
    #[error(
        "slot {0} has no FXS module, so no telephone hangs on it; the command state lists the slots"
    )]
    NoTelephone(PortNumber),
    #[error(
        "the telephone has {0} ms to say already, and takes {MAX_UNSAID_MS} at a time: wait until \
         its state is no longer busy, or hang it up"
    )]
    TooMuchToSay(u32),
    #[error("the exchange has {MAX_SUBSCRIBERS} subscribers, and room for no more")]
    TooManySubscribers,
    #[error("the exchange's country {0} tells nothing to displays, as far as is known")]
    NoDisplay(Country),
    #[error(transparent)]
    Fault(#[from] UnknownFault),
    #[error(transparent)]
    Country(#[from] CountryError),
    #[error("{0:?} is no profile; known are none, {known}", known = PROFILES.join(", "))]
    UnknownProfile(String),
    #[error("{0}; the command 'subscriber NUMBER add' makes one")]
    Exchange(#[from] ExchangeError),
}

/// The profiles that every program knows; those of users' files have no name here.
const PROFILES: [&str; Profile::ALL.len()] = {
    let [america, europe] = Profile::ALL;
    [america.name, europe.name]
};

pub(super) const COMMANDS: [&str; 11] = [
    "state",
    "telephone SLOT ACTION",
    "subscriber NUMBER add",
    "subscriber NUMBER ACTION",
    "line NUMBER unplug|plug-in",
    "line NUMBER messages on|off",
    "fault NAME on|off",
    "exchange callers on|off",
    "exchange country COUNTRY",
    "exchange profile NAME|none",
    "help",
];

pub(super) const ACTIONS: [&str; 16] = [
    "off-hook",
    "on-hook",
    "flash",
    "break MS",
    "pulse DIGITS",
    "dial DIGITS",
    "call NUMBER",
    "tone HZ MS",
    "speak SAMPLE ...",
    "answer-after RINGS",
    "manual",
    "display",
    "state",
    "heard MS",
    "level HZ MS",
    "forget",
];

/// The longest tone or recording in one command, in milliseconds: a telephone records no more.
const MAX_MS: u32 = 30_000;
/// The most that a telephone's queue may have still to send, in milliseconds.
pub(super) const MAX_UNSAID_MS: u32 = 60_000;
/// The most subscribers that commands can add, because each takes time in every tick.
pub(super) const MAX_SUBSCRIBERS: usize = 100;
/// The longest number or string of digits.
const MAX_DIGITS: usize = 256;

impl<'a> Command<'a> {
    /// Returns the card's number and the command.
    pub(super) fn parse(line: &'a str) -> Result<(usize, Command<'a>), CommandError> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (card, words) = match words.as_slice() {
            ["card", number, rest @ ..] => (value("number of a card", number)?, rest),
            all => (0, all),
        };
        let command = match words {
            ["state"] => Command::State,
            ["help"] => Command::Help,
            ["telephone", slot, action @ ..] => {
                Command::Telephone { slot: self::slot(slot)?, action: Action::parse(action)? }
            }
            ["subscriber", number, "add"] => Command::AddSubscriber(self::number(number)?),
            ["subscriber", number, action @ ..] => {
                Command::Subscriber { number, action: Action::parse(action)? }
            }
            ["line", number, "unplug"] => Command::Line { number, unplug: true },
            ["line", number, "plug-in"] => Command::Line { number, unplug: false },
            ["line", number, "messages", "on"] => Command::Messages { number, wait: true },
            ["line", number, "messages", "off"] => Command::Messages { number, wait: false },
            ["fault", name, "on"] => Command::Fault { fault: name.parse()?, on: true },
            ["fault", name, "off"] => Command::Fault { fault: name.parse()?, on: false },
            ["exchange", "callers", "on"] => Command::TellCallers(true),
            ["exchange", "callers", "off"] => Command::TellCallers(false),
            ["exchange", "country", name @ ..] => Command::SetCountry(name.join(" ").parse()?),
            ["exchange", "profile", "none"] => Command::SetProfile(None),
            ["exchange", "profile", name] => Command::SetProfile(Some(profile(name)?)),
            other => return Err(CommandError::Unknown(other.join(" "))),
        };
        Ok((card, command))
    }
}

impl<'a> Action<'a> {
    fn parse(words: &[&'a str]) -> Result<Action<'a>, CommandError> {
        Ok(match words {
            ["off-hook"] => Action::OffHook,
            ["on-hook"] => Action::OnHook,
            ["flash"] => Action::Flash,
            ["break", ms] => Action::Break { ms: self::ms(ms)? },
            ["pulse", digits] => Action::Pulse(self::digits(digits)?),
            ["dial", digits] => Action::Dial(self::digits(digits)?),
            ["call", number] => Action::Call(self::digits(number)?),
            ["tone", hz, ms] => Action::Tone { hz: self::hz(hz)?, ms: self::ms(ms)? },
            ["speak", samples @ ..] => {
                let samples: Result<_, _> =
                    samples.iter().map(|sample| value("16-bit sample", sample)).collect();
                Action::Speak(samples?)
            }
            ["answer-after", rings] => Action::AnswerAfter(value("number of rings", rings)?),
            ["manual"] => Action::Manual,
            ["display"] => Action::Display,
            ["state"] => Action::State,
            ["heard", ms] => Action::Heard { ms: self::ms(ms)? },
            ["level", hz, ms] => Action::Level { hz: self::hz(hz)?, ms: self::ms(ms)? },
            ["forget"] => Action::Forget,
            other => return Err(CommandError::UnknownAction(other.join(" "))),
        })
    }
}

fn value<T: FromStr>(what: &'static str, given: &str) -> Result<T, CommandError> {
    given.parse().map_err(|_| bad(what, given))
}

fn bad(what: &'static str, given: &str) -> CommandError {
    CommandError::BadValue { what, given: given.to_owned() }
}

fn slot(given: &str) -> Result<PortNumber, CommandError> {
    let slot = value("slot (0 to 3)", given).map(PortNumber)?;
    if slot.index() < SLOTS { Ok(slot) } else { Err(bad("slot (0 to 3)", given)) }
}

fn profile(name: &str) -> Result<&'static Profile, CommandError> {
    let known = Profile::ALL.into_iter().find(|profile| profile.name == name);
    known.ok_or_else(|| CommandError::UnknownProfile(name.to_owned()))
}

fn number(given: &str) -> Result<&str, CommandError> {
    let dialled = |key: char| key.is_ascii_digit() || key == '*';
    if given.len() <= MAX_DIGITS && given.chars().all(dialled) {
        Ok(given)
    } else {
        Err(bad("number that can be dialled", given))
    }
}

/// Limits the length of what is to be dialled. It may contain keys, commas for pauses, and other
/// characters, which send nothing.
fn digits(given: &str) -> Result<&str, CommandError> {
    if given.len() <= MAX_DIGITS {
        return Ok(given);
    }
    Err(bad("string of at most 256 digits", given.get(..MAX_DIGITS).unwrap_or_default()))
}

fn hz(given: &str) -> Result<u16, CommandError> {
    let what = "frequency on a telephone line (1 to 3999 Hz)";
    value(what, given).and_then(|hz| match hz {
        1..4000 => Ok(hz),
        _ => Err(bad(what, given)),
    })
}

fn ms(given: &str) -> Result<u32, CommandError> {
    let what = "time (1 to 30000 ms)";
    value(what, given).and_then(|ms| match ms {
        1..=MAX_MS => Ok(ms),
        _ => Err(bad(what, given)),
    })
}
