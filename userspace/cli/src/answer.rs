//! `ringback answer`: waits for an incoming call and answers it.

use std::time::{Duration, Instant};

use clap::Args;
use ringback_host::{Call, LineEvent};
use ringback_tspi::callstate::CallState;

use crate::card::{CardArguments, parse_seconds};
use crate::conversation::{Conversation, conclude};
use crate::exit::{CODES, Exit, Failure};
use crate::output::Output;
use crate::signals::Signals;
use crate::talk::TalkArguments;
use crate::{scenery, timeline};

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
    /// Give up when nobody has called after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    timeout: Option<Duration>,
    #[command(flatten)]
    talk: TalkArguments,
    #[command(flatten)]
    card: CardArguments,
}

impl Answer {
    pub(crate) fn run(&self, signals: &Signals) -> Result<(), Failure> {
        let out = self.talk.output(signals);
        conclude(out, signals, self.converse(out, signals))
    }

    fn converse(&self, out: Output<'_>, signals: &Signals) -> Result<(), Failure> {
        let files = self.talk.files(signals)?;
        let (recorder, log) = timeline::new();
        let station = self.card.open(signals, &recorder, scenery::furnish)?;
        let mut line = Conversation::open(&station, self.line, out, signals, &recorder, log)?;
        line.check(false, &self.talk)?;
        if let (Some(card), Some(slot)) = (&station.soft, line.line.info().slot) {
            scenery::call(card, slot as usize, 1);
        }
        let name = line.name();
        out.text(format_args!("waiting for a call on {name}"))?;
        let ended = match self.wait(&mut line) {
            Ok(call) => {
                let talked = line.talk(&call, None, files, &self.talk);
                line.hang_up(&call);
                talked
            }
            Err(failure) => Err(failure),
        };
        line.finish(ended)
    }

    /// Waits for a call and answers it. Skips a call whose caller hangs up before it is answered.
    fn wait(&self, line: &mut Conversation<'_>) -> Result<Call, Failure> {
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

    /// Answers a call. Returns `false` if the caller has hung up already.
    fn answer(&self, line: &mut Conversation<'_>, call: &Call) -> Result<bool, Failure> {
        if let Some(number) =
            call.info().ok().and_then(|info| info.called).filter(|n| !n.is_empty())
        {
            line.say("the caller", format!("has dialled {number}"));
        }
        let Ok(pending) = call.answer() else { return Ok(false) };
        Ok(line.complete(&pending)?.is_ok())
    }
}
