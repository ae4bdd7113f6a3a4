//! `ringback answer`: waits for an incoming call and answers it.

use std::time::{Duration, Instant};

use clap::Args;
use ringback_host::{Call, LineEvent};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::LINECALLINFOSTATE_CALLERID;
use ringback_tspi::dev_specific::LineKind;

use crate::card::{CardArguments, Station, parse_seconds};
use crate::conversation::Conversation;
use crate::exchange::ExchangeArguments;
use crate::exit::{CODES, Exit, Failure};
use crate::line_sound::SoundArguments;
use crate::one_call::{Asked, OneCall};
use crate::scenery;
use crate::talk::TalkArguments;
use crate::telephone::TelephoneArguments;
use crate::timeline::What;

/// How long after the first ring it is known who calls, if the exchange tells it at all: the pause
/// behind a ring is of up to 5 s.
const CALLER_KNOWN: Duration = Duration::from_secs(8);

/// Wait for an incoming call and answer it
///
/// On an exchange line (FXO) or a modem a call comes in when it rings; on a telephone (FXS) when
/// the telephone is lifted and has dialled.
#[derive(Debug, Args)]
#[command(after_long_help = format!("\
Examples:
  ringback answer 3                               on the software card
  ringback answer 3 --record heard.wav --hangup-after 10
  ringback answer 0 --card uio:/dev/uio0 --play welcome.wav --timeout 60

{CODES}

{}", scenery::HELP))]
pub(crate) struct Answer {
    /// The line, as `ringback lines` numbers them
    line: u32,
    /// Give up if no call has come in within this time
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    timeout: Option<Duration>,
    /// Answer only when it is known who calls, or after 8 seconds: most exchanges tell it after the
    /// first ring, which is too late for a call that is answered at once
    #[arg(long)]
    await_caller: bool,
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

impl OneCall for Answer {
    fn asked(&self) -> Asked<'_> {
        Asked {
            line: self.line,
            digits: None,
            talk: &self.talk,
            exchange: &self.exchange,
            telephone: &self.telephone,
            sound: &self.sound,
            card: &self.card,
        }
    }

    fn prepare(&self, station: &Station, line: &Conversation<'_>) -> Result<String, Failure> {
        if let (Some(card), Some(slot)) = (&station.soft, line.line.info().slot) {
            scenery::call(card, slot, 1);
        }
        Ok(format!("waiting for a call on {}", line.name()))
    }

    /// Waits for a call and answers it. Skips a call whose caller hangs up before it is answered.
    fn connect(&self, line: &mut Conversation<'_>) -> Result<Call, Failure> {
        let since = Instant::now();
        loop {
            if let Some(LineEvent::State { call, state: CallState::Offering, .. }) = line.beat()? {
                match self.answer(line, &call) {
                    Ok(true) => return Ok(call),
                    missed => {
                        line.hang_up(&call);
                        missed?;
                    }
                }
            }
            if let Some(limit) = self.timeout.filter(|limit| since.elapsed() >= *limit) {
                let text =
                    format!("nobody called {} within {} s", line.name(), limit.as_secs_f64());
                return Err(Failure::new(Exit::NoAnswer, text));
            }
        }
    }
}

impl Answer {
    /// Answers a call. Returns `false` if the caller has hung up already.
    fn answer(&self, line: &mut Conversation<'_>, call: &Call) -> Result<bool, Failure> {
        let info = call.info().ok();
        // A telephone on an FXS line does not tell who calls.
        let told = line.line.info().kind != Some(LineKind::Fxs);
        if self.await_caller && told && !knows_caller(line, call)? {
            return Ok(false);
        }
        line.tell_caller(call);
        if let Some(number) = info.and_then(|info| info.called).filter(|n| !n.is_empty()) {
            line.say("the caller", format!("has dialled {number}"));
        }
        let Ok(pending) = call.answer() else { return Ok(false) };
        Ok(line.complete(&pending)?.is_ok())
    }
}

/// Waits until it is known who calls, or is too late for that. Returns `false` if the caller has
/// hung up meanwhile.
fn knows_caller(line: &mut Conversation<'_>, call: &Call) -> Result<bool, Failure> {
    let since = Instant::now();
    while What::caller(call).is_none() && since.elapsed() < CALLER_KNOWN {
        match line.beat()? {
            Some(LineEvent::CallInfo { call: of, changed, .. })
                if of == *call && changed & LINECALLINFOSTATE_CALLERID != 0 =>
            {
                break;
            }
            Some(LineEvent::State {
                call: of,
                state: CallState::Disconnected | CallState::Idle,
                ..
            }) if of == *call => return Ok(false),
            _ => {}
        }
    }
    Ok(true)
}
