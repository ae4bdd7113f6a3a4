//! `ringback demo`: four calls at once on the software card, one on each line: out to an exchange
//! and in from it, to a telephone and from one. Both sides of each call send digits and sound, and
//! the demo checks what arrives. The software card can also be in another process, as a virtual
//! machine sees it; its far ends are then controlled through `ringback softcard --control`.
//!
//! Every request is followed from its submission to its delivery; the demo fails when one of them
//! is not completed exactly once, when an order rule is broken, or when a check is not met.

mod ear;
mod far;
mod scene;
mod scenes;

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clap::Args;
use ringback_country::Country;
use ringback_driver::device::selector::Selector;
use ringback_provider::CardOptions;
use ringback_softcard::SoftCard;
use serde::Serialize;

use self::far::Far;
use self::scene::Scene;
use self::scenes::SCENES;
use crate::card::Station;
use crate::exit::{Exit, Failure};
use crate::output::{Colour, Output};
use crate::scenery;
use crate::signals::Signals;
use crate::timeline::{self, Entry, HEADINGS, Log, Recorder, Summary, Table, What, row};

/// Make four calls at once on the software card and show every request and state
///
/// Needs no hardware and takes about twenty seconds. Exits with 1 if anything is not as it should
/// be.
#[derive(Debug, Args)]
#[command(after_long_help = format!("{EXAMPLE}\n\n{JSON}"))]
pub(crate) struct Demo {
    /// The card, if it is not in this process: one that `ringback softcard` serves, with its
    /// default modules, FXS in slots 0 and 1, FXO in 2 and 3
    #[arg(long, value_name = "CARD", requires = "far")]
    card: Option<Selector>,
    /// Where its far ends are controlled: the socket of `ringback softcard --control`, or a port of
    /// the virtual machine that leads there
    #[arg(long, value_name = "PATH", requires = "card")]
    far: Option<PathBuf>,
    /// The country of lines, exchange and telephones: DAHDI's name, the English one or the ISO code
    /// (a wrong name lists them all)
    #[arg(long, value_name = "COUNTRY", default_value_t)]
    country: Country,
    /// Print one JSON object per event instead of text
    #[arg(long)]
    json: bool,
}

const EXAMPLE: &str = "\
In a virtual machine that has the card of `ringback softcard` (see its --help), and a port to the
socket of its --control (QEMU: -chardev socket,id=far,path=/tmp/card.control \
-device virtio-serial-pci
-device virtserialport,chardev=far,name=far):
  ringback demo --card pci:0000:00:03.0 --far /dev/virtio-ports/far";

/// The fields of the JSON output.
const JSON: &str = "\
With --json every line is one object with `event`, `t_ms` (milliseconds since the start) and usually
`line`, in the order of delivery:
  submitted    a function is called: id, function, call (the call it makes or is about)
  returned     it has returned its id
  refused      it has returned an error instead: id, result, error
  completed    the operation has ended: id; early if that was before the function had returned
  delivered    the completion reaches the application: id, result (0 or a negative error)
  duplicate    a completion of no request that was outstanding: id, result
  lost         a request that was never completed: id
  new_call     a call has begun on the line: call
  call_state   call, state (DIALTONE ...), mode
  call_info    call, changed
  digit        the other side sends a digit: call, digit, end
  generated    our digits are sent: call, end_to_end_id, done
  message      any other message of the line: message, name, params
  line_closed  the provider has closed the line
  call_closed  the call was closed: call
  does         somebody at the other end does something: who, does
  check        the demo has checked something: what, ok, found
The last line is the summary: requests, completed, early, duplicate, lost (counts),
order_violations, failures (sentences), ok.";

/// How long one wait for something to print lasts.
const BEAT: Duration = Duration::from_millis(20);

/// The last line of `--json`.
#[derive(Debug, Serialize)]
struct DemoEnd<'a> {
    event: &'static str,
    t_ms: f64,
    #[serde(flatten)]
    summary: &'a Summary,
    failures: &'a [String],
    ok: bool,
}

impl Demo {
    pub(crate) fn run(&self, signals: &Signals) -> Result<(), Failure> {
        let out = Output::new(self.json, signals);
        let (recorder, mut log) = timeline::new();
        let (selector, card, far) = self.stage(signals)?;
        let name = match &card {
            Some(_) => "a card in software".to_owned(),
            None => selector.to_string(),
        };
        out.text(format_args!(
            "Four calls at once on {name}: line 0 rings its telephone, line 1's"
        ))?;
        out.text("telephone calls us, line 2 calls out over the exchange, line 3 is called.")?;
        out.text("")?;
        let setup = CardOptions { country: self.country, soft: card, ..CardOptions::default() };
        let station = Station::open(&selector, setup, signals, &recorder)?;
        log.start();
        out.text(out.paint(Colour::Bold, HEADINGS.trim_end()))?;
        let failures = play(&station, &far, signals, &recorder, &mut log, out)?;
        // Upcalls that come while the lines close and the provider shuts down are checked as well.
        drop(station);
        print(&mut log, out)?;
        signals.check()?;
        conclude(&log, out, failures)
    }

    /// Returns the selected card, the software card if it is in this process, and the far ends.
    fn stage(&self, signals: &Signals) -> Result<(Selector, Option<SoftCard>, Far), Failure> {
        match (&self.card, &self.far) {
            (Some(Selector::Soft), _) => Err(Failure::new(
                Exit::Usage,
                "the card soft is in this process, and so are its far ends: leave --card and --far \
                 out",
            )),
            (Some(card), Some(path)) => Ok((card.clone(), None, Far::there(path, signals)?)),
            _ => {
                let card = scenery::card(self.country);
                let far = Far::here(&card);
                Ok((Selector::Soft, Some(card), far))
            }
        }
    }
}

/// Plays all scenes at once and prints meanwhile. Returns the sentences of those that failed.
fn play(
    station: &Station,
    far: &Far,
    signals: &Signals,
    recorder: &Recorder,
    log: &mut Log,
    out: Output<'_>,
) -> Result<Vec<String>, Failure> {
    let mut scenes = Vec::new();
    for (number, scene) in (0..).zip(SCENES) {
        scenes.push((Scene::new(station, number, far, signals, recorder)?, scene));
    }
    thread::scope(|scope| {
        let (done, ended) = mpsc::channel();
        let count = scenes.len();
        for (mut scene, play) in scenes {
            let done = done.clone();
            scope.spawn(move || {
                let played = play(&mut scene);
                let failed = played.err().map(|what| format!("line {}: {what}", scene.number()));
                scene.end();
                // The receiver is gone only if printing has failed, and that error is reported
                // then.
                let _ = done.send(failed);
            });
        }
        let mut results = Vec::new();
        while results.len() < count {
            if let Err(failure) = print(log, out) {
                // Printing has failed, so that the scenes need not go on.
                signals.give_up();
                return Err(failure);
            }
            results.extend(ended.recv_timeout(BEAT).ok());
        }
        Ok(results.into_iter().flatten().collect())
    })
}

/// Prints the entries of the log that are new.
fn print(log: &mut Log, out: Output<'_>) -> Result<(), Failure> {
    while let Some(entry) = log.next(Duration::ZERO) {
        out.object(&log.object(&entry))?;
        if is_telling(&entry) {
            out.text(row(log, out, &entry))?;
        }
    }
    Ok(())
}

/// Returns whether the entry is printed as text. Left out are the ends of digits, and completions:
/// they become known only with the delivery, and the table has their times.
fn is_telling(entry: &Entry) -> bool {
    !matches!(entry.what, What::Digit { end: true, .. } | What::Completed { early: false, .. })
}

/// Prints the table and the counts, and fails if anything was wrong.
fn conclude(log: &Log, out: Output<'_>, mut failures: Vec<String>) -> Result<(), Failure> {
    let summary = log.summary();
    failures.extend(complaints(&summary));
    let ok = failures.is_empty();
    out.text("")?;
    out.text(Table(log))?;
    out.text("")?;
    let Summary { requests, completed, early, duplicate, lost, order_violations } = &summary;
    out.text(format_args!(
        "{requests} requests, {completed} completed; {early} early, {duplicate} duplicate, {lost} \
         lost; {} violations of the order",
        order_violations.len()
    ))?;
    let t_ms = log.now_ms();
    out.object(&DemoEnd { event: "summary", t_ms, summary: &summary, failures: &failures, ok })?;
    verdict(&failures)?;
    out.text(out.paint(Colour::Good, "All four calls went as they should."))
}

/// Fails with all the sentences that describe what was wrong.
fn verdict(failures: &[String]) -> Result<(), Failure> {
    if failures.is_empty() {
        return Ok(());
    }
    Err(Failure::failed(format_args!("the demo failed: {}", failures.join("; "))))
}

/// Describes in sentences what is wrong in the summary.
fn complaints(summary: &Summary) -> Vec<String> {
    let mut complaints = summary.order_violations.clone();
    if summary.requests == 0 {
        complaints.push("not one request was made".to_owned());
    }
    if summary.completed != summary.requests {
        let missing = summary.requests.abs_diff(summary.completed);
        complaints.push(format!("{missing} of {} requests have no completion", summary.requests));
    }
    for (count, what) in [
        (summary.early, "completed before its function had returned"),
        (summary.duplicate, "completed though nothing was outstanding"),
        (summary.lost, "lost"),
    ] {
        if count > 0 {
            complaints.push(format!("{count} times a request was {what}"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAN: Summary = Summary {
        requests: 3,
        completed: 3,
        early: 0,
        duplicate: 0,
        lost: 0,
        order_violations: Vec::new(),
    };

    #[test]
    fn a_clean_summary_gives_nothing_to_complain_of() {
        assert_eq!(complaints(&CLEAN), Vec::<String>::new());
    }

    #[test]
    fn a_demo_with_faults_fails_and_lists_all_of_them() {
        assert_eq!(verdict(&[]), Ok(()));
        let failures = ["line 2: busy".to_owned(), "1 times a request was lost".to_owned()];
        let failed = verdict(&failures).unwrap_err();
        assert_eq!(failed.exit, crate::exit::Exit::Failed);
        assert!(failed.text.contains(&failures[0]) && failed.text.contains(&failures[1]));
    }

    #[test]
    fn every_fault_is_named() {
        let named = |summary: Summary| complaints(&summary).join(" ");
        assert!(named(Summary { early: 1, ..CLEAN }).contains("before its function"));
        assert!(named(Summary { duplicate: 2, ..CLEAN }).contains("2 times"));
        assert!(named(Summary { lost: 1, ..CLEAN }).contains("lost"));
        assert!(named(Summary { completed: 2, ..CLEAN }).contains("1 of 3 requests"));
        assert!(named(Summary { requests: 0, completed: 0, ..CLEAN }).contains("not one"));
        let violation = vec!["O3 at event 4: LINE_CALLSTATE of call 0x1 after it was idle".into()];
        assert!(named(Summary { order_violations: violation, ..CLEAN }).contains("O3"));
    }
}
