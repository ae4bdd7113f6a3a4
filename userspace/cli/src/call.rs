//! `ringback call`: places a call, reports its progress, plays and records on it, and returns an
//! exit code for its outcome.

use std::time::{Duration, Instant};

use clap::Args;
use ringback_host::Call as Handle;
use ringback_host::{CallOptions, LineEvent};
use ringback_media::dtmf::Digit;
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::dev_specific::LineKind;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring;
use ringback_tspi::dialstring::Modifiers;
use ringback_tspi::error::LineError;

use crate::card::{CardArguments, Station, parse_seconds};
use crate::conversation::Conversation;
use crate::exchange::ExchangeArguments;
use crate::exit::{CODES, Exit, Failure};
use crate::line_sound::SoundArguments;
use crate::one_call::{Asked, OneCall};
use crate::scenery;
use crate::talk::TalkArguments;
use crate::telephone::TelephoneArguments;

/// Place a call
///
/// On an exchange line (FXO) the number is dialled; on a telephone line (FXS) the telephone is
/// rung; a modem dials by itself and connects to another modem.
#[derive(Debug, Args)]
#[command(after_long_help = format!("\
Examples:
  ringback call 2 5550100 --hangup-after 5        on the software card
  ringback call 2 5550100 --digits 12# --record heard.wav --hangup-after 10
  ringback call 1 9,5551234 --card uio:/dev/uio0 --play hello.wav
  ringback call 2 5550100 --answer dialled --record all.wav   records the exchange's tones, too
  ringback call 0 5551234 --card pci:0000:05:00.0 --receive news.txt     on a modem

{CODES}

{}", scenery::HELP))]
pub(crate) struct Call {
    /// The line, as `ringback lines` numbers them
    line: u32,
    /// The number: 0-9 * # A-D; , pauses, W waits for dial tone, ! is a hook flash, P and T switch
    /// to pulse and tone dialling; a modem can also wait for a quiet answer (@) or a billing tone
    /// ($)
    #[arg(value_parser = parse_number)]
    number: String,
    /// How long to wait for dial tone before giving up; `wait` is as long as a line can (30 s),
    /// `ignore` dials without it after half a second
    #[arg(
        long,
        value_name = "wait|SECONDS|ignore",
        value_parser = parse_dial_tone,
        default_value = "3"
    )]
    dial_tone: DialTone,
    /// DTMF digits to send after the answer, before --play; a comma is a pause
    #[arg(long, value_name = "DIGITS", value_parser = parse_digits)]
    digits: Option<String>,
    /// Who calls, for a telephone on an FXS line to show: a number, a name, or both as
    /// 'Ada <5551234>'
    #[arg(long, value_name = "TEXT")]
    caller: Option<String>,
    /// Give up if the call is not answered within this time (the line itself gives up after 3
    /// minutes of ringing)
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    timeout: Option<Duration>,
    #[command(flatten)]
    talk: TalkArguments,
    #[command(flatten)]
    exchange: ExchangeArguments,
    #[command(flatten)]
    telephone: TelephoneArguments,
    #[command(flatten)]
    sound: SoundArguments,
    #[command(flatten)]
    card: CardArguments,
}

/// What the call does if there is no dial tone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DialTone {
    /// Wait at most so many ms for dial tone, and then give the call up.
    Within(u32),
    /// Dial whether there is dial tone or not.
    Ignore,
}

impl DialTone {
    fn options(self) -> CallOptions {
        let (only_if_idle, dial_tone_ms) = match self {
            DialTone::Within(ms) => (true, ms),
            DialTone::Ignore => (false, DialTiming::MIN.dial_tone_ms),
        };
        let timing = Some(DialTiming { dial_tone_ms, ..DialTiming::default() });
        CallOptions { only_if_idle, timing, ..CallOptions::default() }
    }
}

fn parse_dial_tone(text: &str) -> Result<DialTone, String> {
    let (least, most) = (DialTiming::MIN.dial_tone_ms, DialTiming::MAX.dial_tone_ms);
    match text {
        "wait" => return Ok(DialTone::Within(most)),
        "ignore" => return Ok(DialTone::Ignore),
        _ => {}
    }
    let ms = parse_seconds(text).ok().and_then(|time| u32::try_from(time.as_millis()).ok());
    ms.filter(|ms| (least..=most).contains(ms)).map(DialTone::Within).ok_or_else(|| {
        format!(
            "{text:?} is no way to wait for dial tone: write wait, ignore, or seconds from {} to \
             {}",
            f64::from(least) / 1000.0,
            most / 1000
        )
    })
}

/// The modifiers that at least one kind of line accepts in a dial string. Whether the chosen line
/// accepts them is checked once it is open.
const MODIFIERS: Modifiers = Modifiers { dial_tone: true, quiet: true, billing: true };

/// Refuses a number that can't be dialled, before the card is opened.
fn parse_number(text: &str) -> Result<String, String> {
    let parsed = dialstring::parse(text, MODIFIERS).map_err(|error| error.to_string())?;
    if parsed.international {
        return Err("a number that begins with '+', character 1, is written for the whole world: \
                    write what is to be dialled here, with the prefix for calls abroad (such as \
                    00 or 011) in its place"
            .to_owned());
    }
    if parsed.partial {
        return Err("a ';' means that more digits will follow, which this command can't dial; \
                    write the whole number"
            .to_owned());
    }
    if parsed.digits().is_empty() {
        return Err("there is no digit in it".to_owned());
    }
    Ok(text.to_owned())
}

/// Refuses characters that are not DTMF digits or pauses.
fn parse_digits(text: &str) -> Result<String, String> {
    match (1..).zip(text.chars()).find(|(_, c)| *c != ',' && Digit::from_char(*c).is_none()) {
        None if text.is_empty() => Err("there is no digit in it".to_owned()),
        None => Ok(text.to_owned()),
        Some((place, c)) => Err(format!(
            "{c:?}, character {place}, is not a DTMF digit: use 0-9, A-D, * and #, and a comma for \
             a pause"
        )),
    }
}

impl OneCall for Call {
    fn asked(&self) -> Asked<'_> {
        Asked {
            line: self.line,
            digits: self.digits.as_deref(),
            talk: &self.talk,
            exchange: &self.exchange,
            telephone: &self.telephone,
            sound: &self.sound,
            card: &self.card,
        }
    }

    fn prepare(&self, _: &Station, line: &Conversation<'_>) -> Result<String, Failure> {
        self.check_number(line)?;
        Ok(format!("calling {} on {}", self.number, line.name()))
    }

    fn connect(&self, line: &mut Conversation<'_>) -> Result<Handle, Failure> {
        let call = self.place(line)?;
        self.reach(line).inspect_err(|_| line.hang_up(&call))?;
        if let (Some(card), Some(slot)) = (line.soft(), line.line.info().slot)
            && self.number == scenery::CALLED_AGAIN
        {
            scenery::call_again(card, slot);
        }
        Ok(call)
    }
}

impl Call {
    /// Refuses a number with a modifier that waits for something this line can't detect.
    fn check_number(&self, line: &Conversation<'_>) -> Result<(), Failure> {
        let caps = line.line.caps();
        let caps = caps.map_err(|error| Failure::line(line.name(), error))?;
        // An FXS line rings its telephone and dials nothing, so that any number will do.
        if caps.own.is_some_and(|own| own.kind == LineKind::Fxs) {
            return Ok(());
        }
        match dialstring::parse(&self.number, Modifiers::from_dev_cap_flags(caps.flags)) {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::new(
                Exit::Usage,
                format_args!("{} can't dial {:?}: {error}", line.name(), self.number),
            )),
        }
    }

    /// Opens the line and submits the call.
    fn place(&self, line: &mut Conversation<'_>) -> Result<Handle, Failure> {
        let caller = self.caller.clone();
        if caller.is_some() && line.line.info().kind != Some(LineKind::Fxs) {
            return Err(Failure::new(
                Exit::Usage,
                format_args!(
                    "--caller is what a telephone on an FXS line shows; {} has none",
                    line.name()
                ),
            ));
        }
        let options = CallOptions { calling_party: caller, ..self.dial_tone.options() };
        let pending = line.line.make_call(&self.number, &options).map_err(|error| match error {
            LineError::INVALLINESTATE => self.not_made(line, error),
            error => Failure::line(format_args!("{} does not take the call", line.name()), error),
        })?;
        let call = pending.call();
        let made = line.complete(&pending).inspect_err(|_| line.hang_up(&call))?;
        // A call that could not be made is idle already, and needs no lineDrop (N8).
        made.map_err(|error| self.not_made(line, error))
    }

    /// Why a call was not made. A line that does not yet know whether it has battery takes the
    /// call, so that INVALLINESTATE is the answer of the function or of its completion.
    fn not_made(&self, line: &Conversation<'_>, error: LineError) -> Failure {
        let name = line.name();
        match (error, line.line.info().kind) {
            (LineError::INVALLINESTATE, Some(LineKind::Fxo)) => Failure::new(
                Exit::NoDialTone,
                format_args!(
                    "{name} has no battery: plug it into the exchange's wall socket, and check that"
                ),
            ),
            (LineError::INVALLINESTATE, Some(LineKind::Fxs)) => Failure::new(
                Exit::Refused,
                format_args!("{name} is out of service: `ringback lines` shows why"),
            ),
            (LineError::CALLUNAVAIL, _) => Failure::new(
                Exit::NoDialTone,
                format_args!(
                    "no dial tone on {name}: is it plugged into an exchange, and nobody else on \
                     it? An exchange of another country than {} (--country) has another tone; \
                     --dial-tone ignore dials without",
                    self.card.country()
                ),
            ),
            _ => Failure::line(format_args!("the call can't be made on {name}"), error),
        }
    }

    /// Waits until the call is answered. Fails when it ends before that, or after `--timeout`.
    fn reach(&self, line: &mut Conversation<'_>) -> Result<(), Failure> {
        let placed = Instant::now();
        let telephone = line.line.info().kind == Some(LineKind::Fxs);
        let called = if telephone { "the telephone".to_owned() } else { self.number.clone() };
        loop {
            if let Some(LineEvent::State { state, mode, .. }) = line.beat()? {
                match state {
                    CallState::Connected => return Ok(()),
                    CallState::Busy if telephone => {
                        return Err(Failure::new(Exit::Busy, "the telephone is off-hook"));
                    }
                    CallState::Busy => {
                        return Err(Failure::new(Exit::Busy, format_args!("{called} is busy")));
                    }
                    CallState::SpecialInfo => return Err(refused(&called, mode)),
                    CallState::Disconnected if mode == LINEDISCONNECTMODE_OUTOFORDER => {
                        return Err(line.out_of_order());
                    }
                    CallState::Disconnected | CallState::Idle => {
                        return Err(ended(&called, mode, line.is_modem()));
                    }
                    _ => {}
                }
            }
            if self.timeout.is_some_and(|limit| placed.elapsed() >= limit) {
                let seconds = self.timeout.unwrap_or_default().as_secs_f64();
                let text = format!("{called} did not answer within {seconds} s");
                return Err(Failure::new(Exit::NoAnswer, text));
            }
        }
    }
}

/// Describes a call that the exchange does not put through, by its LINESPECIALINFO_.
fn refused(called: &str, mode: u32) -> Failure {
    let (tone, cure) = match mode {
        LINESPECIALINFO_CUSTIRREG => {
            ("the tone for a number that nobody has, or that has changed", "check the number")
        }
        LINESPECIALINFO_NOCIRCUIT => ("the tone for no free circuit", "try again later"),
        LINESPECIALINFO_UNAVAIL => (
            "the special information tone",
            "the announcement says why: --answer dialled --record FILE.wav records it",
        ),
        _ => ("reorder tone", "check the number, or try again later"),
    };
    let text = format_args!("the exchange does not put {called} through ({tone}): {cure}");
    Failure::new(Exit::Refused, text)
}

/// Describes a call that ended before it was answered, by its LINEDISCONNECTMODE_.
fn ended(called: &str, mode: u32, modem: bool) -> Failure {
    match mode {
        LINEDISCONNECTMODE_UNAVAIL if modem => Failure::new(
            Exit::NoAnswer,
            format_args!("no modem answered at {called} (NO CARRIER): check the number"),
        ),
        LINEDISCONNECTMODE_TEMPFAILURE => Failure::new(
            Exit::Refused,
            format_args!(
                "the modem does not dial {called} now: another telephone uses its line, the number \
                 was dialled too often, or dialling is locked; try it later"
            ),
        ),
        LINEDISCONNECTMODE_NODIALTONE => Failure::new(
            Exit::NoDialTone,
            "the dial tone that the W in the number waits for did not come",
        ),
        LINEDISCONNECTMODE_BUSY => Failure::new(Exit::Busy, format_args!("{called} is busy")),
        LINEDISCONNECTMODE_UNAVAIL => Failure::new(
            Exit::Refused,
            format_args!("the exchange gives dial tone again: it did not take {called}"),
        ),
        _ => Failure::new(Exit::NoAnswer, format_args!("{called} did not answer")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_can_not_be_dialled_is_refused_with_the_place() {
        assert_eq!(parse_number("9,(555) 12-34W#").as_deref(), Ok("9,(555) 12-34W#"));
        let error = parse_number("555x").unwrap_err();
        assert!(error.contains("'x', character 4"), "{error}");
        assert!(parse_number("12?").unwrap_err().contains("'?'"), "no line can ask the user");
        assert!(parse_number("").is_err() && parse_number(" - ").is_err());
        assert!(parse_number("+1 555-0100").unwrap_err().contains("'+', character 1"));
        assert!(parse_number("12;").unwrap_err().contains("whole number"));
    }

    #[test]
    fn dial_tone_is_waited_for_as_asked() {
        let parsed = |text| parse_dial_tone(text).map(DialTone::options);
        let wait = |text| parsed(text).map(|options| options.timing.unwrap().dial_tone_ms);
        assert_eq!(wait("3"), Ok(3000));
        assert_eq!(wait("0.5"), Ok(500));
        assert_eq!(wait("wait"), Ok(30_000));
        assert!(parsed("12").unwrap().only_if_idle);
        assert!(!parsed("ignore").unwrap().only_if_idle);
        for wrong in ["0", "31", "soon", "-1", ""] {
            assert!(parsed(wrong).unwrap_err().contains("from 0.5 to 30"), "{wrong}");
        }
    }

    #[test]
    fn digits_are_those_that_a_key_sends() {
        assert_eq!(parse_digits("12,#*D").as_deref(), Ok("12,#*D"));
        assert!(parse_digits("12e").unwrap_err().contains("'e', character 3"));
        assert!(parse_digits("").is_err());
    }

    #[test]
    fn a_call_that_is_not_put_through_says_why() {
        let text = |mode| refused("5551234", mode).text;
        assert!(text(LINESPECIALINFO_REORDER).contains("reorder tone"));
        assert!(text(LINESPECIALINFO_CUSTIRREG).contains("nobody has"));
        assert!(text(LINESPECIALINFO_NOCIRCUIT).contains("no free circuit"));
        assert!(text(LINESPECIALINFO_UNAVAIL).contains("--record"));
    }

    #[test]
    fn an_end_before_the_answer_has_its_own_code() {
        let exit = |mode| ended("5551234", mode, false).exit;
        assert_eq!(exit(LINEDISCONNECTMODE_NOANSWER), Exit::NoAnswer);
        assert_eq!(exit(LINEDISCONNECTMODE_NORMAL), Exit::NoAnswer);
        assert_eq!(exit(LINEDISCONNECTMODE_NODIALTONE), Exit::NoDialTone);
        assert_eq!(exit(LINEDISCONNECTMODE_BUSY), Exit::Busy);
        assert_eq!(exit(LINEDISCONNECTMODE_UNAVAIL), Exit::Refused);
        let silent = ended("5551234", LINEDISCONNECTMODE_UNAVAIL, true);
        assert_eq!(silent.exit, Exit::NoAnswer);
        assert!(silent.text.contains("NO CARRIER"), "{silent}");
    }
}
