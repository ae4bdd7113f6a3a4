//! A whole run: measures, prints and draws.

use std::io::{self, IsTerminal};

use hdrhistogram::Histogram;
use ringback_driver::device::selector::Selector;
use serde_json::{Value, json};

use crate::cell::Stages;
use crate::costs::{Costs, Relaunch};
use crate::figures;
use crate::latency::{self, Latency};
use crate::noise::{Noise, Watch, machine};
use crate::plant::{Soft, ways_on};
use crate::scale::Scale;
use crate::ways::{self, Way};
use crate::{plot, report};

/// The number of rounds of a reliable run.
pub const ROUNDS: usize = 7;

/// The options of a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The device: the software mailbox, or a card of this machine.
    pub card: Selector,
    /// How many times each way runs in each cell; a ratio is the median over all rounds.
    pub rounds: usize,
    /// Whether to print JSON, one object per line, instead of text.
    pub json: bool,
    /// How the program runs itself for what tools count.
    pub relaunch: Relaunch,
    /// Returns the guest instructions on `uio_dummy`, relative to a blocking read's, or why they
    /// are missing.
    pub lab: fn() -> Result<f64, String>,
}

/// Why a run has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The card can't be measured.
    #[error("{0}")]
    Card(String),
    /// `stop` returned true.
    #[error("stopped")]
    Stopped,
}

/// What a run has measured.
pub struct Report {
    /// The tables, or the JSON objects.
    pub text: String,
    latency: Latency,
}

impl Report {
    /// The latency distributions as an SVG picture.
    pub fn plot(&self) -> String {
        plot::svg(&self.latency)
    }
}

/// The progress on stderr: a line that is rewritten on a terminal; elsewhere a line for each tenth.
struct Progress {
    terminal: bool,
    tenths: u32,
}

impl Progress {
    fn tell(&mut self, what: &str, part: f64) {
        let percent = (100.0 * part) as u32;
        if self.terminal {
            eprint!("\r\x1b[K{percent:>3} %  {what}");
        } else if percent / 10 >= self.tenths {
            eprintln!("{percent:>3} %  {what}");
            self.tenths = percent / 10 + 1;
        }
    }

    fn end(&self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
    }
}

/// Measures everything that this machine can. Ends soon after `stop` returns true.
///
/// # Errors
/// [`Error`]. A figure that could not be measured is not an error: the report has the reason.
pub fn run(options: &Options, stop: &dyn Fn() -> bool) -> Result<Report, Error> {
    let mut progress = Progress { terminal: io::stderr().is_terminal(), tenths: 0 };
    let watch = Watch::start();
    let mut part = |what: &str, part: f64| progress.tell(what, part);
    let ways = all_ways(&options.card)?;
    // These measurements do not depend on the card.
    let soft = options.card == Selector::Soft;
    let elsewhere = || "told by a run on the software mailbox".to_string();
    let scale = if soft {
        Scale::measure(&mut |what, done| part(what, 0.05 * done))
    } else {
        Scale::without(&elsewhere())
    };
    let latency = latency::measure(&ways, options.rounds, stop, &mut |what, done| {
        part(what, if soft { 0.05 + 0.8 * done } else { done });
    })
    .ok_or(Error::Stopped);
    let noise = watch.noise();
    // The tools disturb the machine, but what they count does not depend on the clock.
    let costs = match latency {
        Ok(_) if soft => {
            Costs::count(&options.relaunch, stop, &mut |w, done| part(w, 0.85 + 0.1 * done))
        }
        _ => Some(Costs::without(&elsewhere())),
    };
    let lab = if soft && latency.is_ok() && !stop() {
        part("guest instructions, in the lab", 0.95);
        (options.lab)()
    } else {
        Err(elsewhere())
    };
    progress.end();
    let latency = latency?;
    let costs = costs.ok_or(Error::Stopped)?;
    let figures = figures::all(&latency, &costs, &scale, lab);
    let text = if options.json {
        let mut lines = json_of(&options.card, &latency, &noise);
        lines.push(json_of_scale(&scale));
        lines.push(json!({ "figures": figures::json(&figures) }));
        lines.iter().map(|line| format!("{line}\n")).collect()
    } else {
        [
            format!("Machine: {}\n", machine()),
            report::device(&options.card.to_string(), &latency),
            report::noise(&noise, &latency),
            report::latency(&latency),
            report::stages(&latency),
            if soft { report::scale(&scale) + &report::costs(&costs) } else { String::new() },
            report::figures(&figures),
        ]
        .concat()
    };
    Ok(Report { text, latency })
}

fn all_ways(card: &Selector) -> Result<Vec<Box<dyn Way>>, Error> {
    if *card != Selector::Soft {
        return ways_on(card).map_err(Error::Card);
    }
    let mut ways = ways::all(Soft);
    ways.push(ways::liburing());
    Ok(ways)
}

fn json_of(card: &Selector, latency: &Latency, noise: &Noise) -> Vec<Value> {
    let mut lines = vec![json!({
        "machine": machine(),
        "device": card.to_string(),
        "noise": {
            "others_percent": noise.others,
            "stolen_percent": noise.stolen,
            "load": noise.load,
            "loud": noise.is_loud(),
        },
    })];
    for field in &latency.fields {
        for course in &field.courses {
            let cell = field.cell;
            lines.push(json!({
                "way": course.way,
                "gap_ns": cell.gap.as_nanos() as u64,
                "outstanding": cell.depth,
                "threads": cell.threads,
                "missing": course.missing,
                "ns": stages(&course.all),
            }));
        }
    }
    lines
}

fn json_of_scale(scale: &Scale) -> Value {
    let throughput = scale.throughput.iter().flatten().map(|one| {
        json!({
            "per_interrupt": one.depth,
            "delivered_per_s": one.reaper,
            "submitted_answered_delivered_per_s": one.whole,
        })
    });
    let ticks =
        scale.ticks.iter().flatten().map(
            |tick| json!({ "ports": tick.ports, "ns": tick.nanos, "accesses": tick.accesses }),
        );
    json!({
        "throughput": throughput.collect::<Vec<_>>(),
        "tiger320_ticks": ticks.collect::<Vec<_>>(),
    })
}

fn stages(all: &Stages) -> Value {
    json!({
        "submit": quantiles(&all.submit),
        "start": quantiles(&all.start),
        "interrupt_to_reaper": quantiles(&all.wake),
        "reaper_to_callback": quantiles(&all.deliver),
        "interrupt_to_callback": quantiles(&all.serve),
        "whole": quantiles(&all.whole),
    })
}

fn quantiles(histogram: &Histogram<u64>) -> Value {
    if histogram.is_empty() {
        return Value::Null;
    }
    let at = |quantile| histogram.value_at_quantile(quantile);
    json!({
        "p50": at(0.5),
        "p90": at(0.9),
        "p99": at(0.99),
        "p99.9": at(0.999),
        "max": histogram.max(),
        "count": histogram.len(),
    })
}
