//! `ringback monitor`: live events of all lines.

use std::time::Duration;

use clap::Args;
use ringback_host::{Call, Events, Line, LineEvent};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::{
    LINECALLINFOSTATE_CALLERID, LINEDEVSTATE_MSGWAITOFF, LINEDEVSTATE_MSGWAITON,
    LINEDISCONNECTMODE_OUTOFORDER,
};

use crate::card::CardArguments;
use crate::exit::Failure;
use crate::levels::LevelMeter;
use crate::output::Output;
use crate::signals::Signals;
use crate::timeline::{HEADINGS, Recorder, What, row};
use crate::{scenery, timeline};

/// How many calls the software card's scenery places: enough for hours.
const CALLS: usize = 1000;
/// How long one wait for an event lasts.
const BEAT: Duration = Duration::from_millis(50);

/// Show what happens on all lines, until Ctrl-C
///
/// No call is answered. A call that is over is closed, so that the next one on its line is seen.
#[derive(Debug, Args)]
#[command(after_long_help = format!("\
Examples:
  ringback monitor                                on the software card
  ringback monitor --card uio:/dev/uio0 --json
  ringback monitor --card shim:/dev/uio0 --levels

{}", scenery::HELP))]
pub(crate) struct Monitor {
    /// Print one JSON object per event instead of text
    #[arg(long)]
    json: bool,
    /// Show every second how loud each line is in both directions, and how many samples were
    /// clipped; as JSON: `levels` with heard_dbm0, heard_clipped, sent_dbm0, sent_clipped
    #[arg(long)]
    levels: bool,
    #[command(flatten)]
    card: CardArguments,
}

impl Monitor {
    pub(crate) fn run(&self, signals: &Signals) -> Result<(), Failure> {
        let (recorder, mut log) = timeline::new();
        let station = self.card.open(signals, &recorder, scenery::furnish)?;
        let lines: Vec<(Line, Events)> = station
            .host
            .lines()
            .iter()
            .map(|info| station.line(info.device_id))
            .map(|line| line.map(|line| (line.events(), line)).map(|(events, line)| (line, events)))
            .collect::<Result<_, _>>()?;
        if let Some(card) = &station.soft {
            for (line, _) in &lines {
                if let Some(slot) = line.info().slot {
                    scenery::call(card, slot, CALLS);
                }
            }
        }
        for (line, _) in &lines {
            tell_messages(line, &recorder)?;
        }
        if let Some(card) = &station.soft {
            scenery::leave_message(card);
        }
        let mut levels = self.levels.then(|| LevelMeter::new(lines.iter().map(|(line, _)| line)));
        log.start();
        let out = Output::new(self.json, signals);
        let what = format!("{}: {} lines; end with Ctrl-C", station.name(), lines.len());
        out.text(what)?;
        out.text(HEADINGS.trim_end())?;
        loop {
            signals.check()?;
            while let Some(entry) = log.next(BEAT) {
                signals.check()?;
                out.object(&log.object(&entry))?;
                out.text(row(&log, out, &entry))?;
                serve(&lines, &recorder);
            }
            serve(&lines, &recorder);
            if let Some(levels) = &mut levels {
                levels.read(&recorder);
            }
            if lines.iter().all(|(line, _)| line.is_closed()) {
                // Check for a signal first: a second one closes the lines as well.
                signals.check()?;
                return Err(Failure::gone("every line", station.name()));
            }
        }
    }
}

/// Adds to the log that messages wait, if they do already, and has the line tell when that changes.
fn tell_messages(line: &Line, recorder: &Recorder) -> Result<(), Failure> {
    let number = line.info().device_id;
    let failed =
        |error| Failure::line(format_args!("line {number} tells nothing of itself"), error);
    let states = LINEDEVSTATE_MSGWAITON | LINEDEVSTATE_MSGWAITOFF;
    line.set_status_messages(states, 0).map_err(failed)?;
    if line.status().map_err(failed)?.message_waiting {
        recorder.add(Some(number), What::Messages { waiting: true });
    }
    Ok(())
}

/// Adds who calls to the log, if that is known.
fn tell_caller(line: &Line, call: &Call, recorder: &Recorder) {
    if let Some(caller) = What::caller(call) {
        recorder.add(Some(line.info().device_id), caller);
    }
}

/// Adds who calls to the log, and closes calls that are over, because a line takes no new call
/// before that.
fn serve(lines: &[(Line, Events)], recorder: &Recorder) {
    for (line, events) in lines {
        while let Some(event) = events.try_next() {
            let (call, state, mode) = match event {
                LineEvent::State { call, state, mode, .. } => (call, state, mode),
                LineEvent::CallInfo { call, changed, .. } => {
                    if changed & LINECALLINFOSTATE_CALLERID != 0 {
                        tell_caller(line, &call, recorder);
                    } else if let Some(shown) = What::shown(&call, changed) {
                        recorder.add(Some(line.info().device_id), shown);
                    }
                    continue;
                }
                other => {
                    if let Some(messages) = What::messages(&other) {
                        recorder.add(Some(line.info().device_id), messages);
                    }
                    continue;
                }
            };
            if state == CallState::Offering {
                tell_caller(line, &call, recorder);
            }
            // A call that nobody answers becomes idle by itself, unless its module has failed.
            let failed = state == CallState::Disconnected && mode == LINEDISCONNECTMODE_OUTOFORDER;
            if state == CallState::Idle || failed {
                // An error means that the line is gone with its card.
                let _ = call.close();
                let what = What::CallClosed { call: call.handle().raw() };
                recorder.add(Some(line.info().device_id), what);
            }
        }
    }
}
