//! Prints the results of a run as text.

use std::fmt::Write;

use hdrhistogram::Histogram;

use crate::costs::Costs;
use crate::figures::Figure;
use crate::latency::{Field, Latency, MAIN};
use crate::noise::Noise;
use crate::scale::Scale;
use crate::tick::Tick;
use crate::ways::PEERS;

/// The estimated time of an access to a PCI register: a read on a card behind a bridge, in ns.
const PCI_ACCESS: f64 = 1000.0;

fn micros(nanos: u64) -> String {
    format!("{:.2}", nanos as f64 / 1000.0)
}

/// Describes the device, and whether its own time is left out.
pub(crate) fn device(card: &str, found: &Latency) -> String {
    let mut courses = found.fields.iter().flat_map(|field| &field.courses);
    let whole = if courses.any(|course| !course.all.serve.is_empty()) {
        "it tells when it interrupts: its own time, from a call's return on, is left out"
    } else {
        "it does not tell when it interrupts: its own time is in the whole"
    };
    format!("Device: {card}; {whole}\n")
}

/// The distributions of the whole, cell by cell, with ratios to the peers.
pub(crate) fn latency(found: &Latency) -> String {
    let mut text = String::new();
    for field in &found.fields {
        let _ = writeln!(text, "\n{}", field.cell);
        let _ = write!(
            text,
            "{:<22}{:>9}{:>9}{:>9}{:>9}{:>10}{:>8} ",
            "us", "p50", "p90", "p99", "p99.9", "max", "count"
        );
        for (_, letter) in PEERS {
            let _ = write!(text, "{:>7}", format!("/{letter}"));
        }
        text.push('\n');
        for course in &field.courses {
            let whole = &course.all.whole;
            if whole.is_empty() {
                let reason = course.missing.as_deref().unwrap_or("nothing was timed");
                let _ = writeln!(text, "{:<22}  {reason}", course.way);
                continue;
            }
            let _ = write!(text, "{:<22}", course.way);
            for quantile in [0.5, 0.9, 0.99, 0.999] {
                let _ = write!(text, "{:>9}", micros(whole.value_at_quantile(quantile)));
            }
            let _ = write!(text, "{:>10}{:>8} ", micros(whole.max()), whole.len());
            ratios(&mut text, field, course.way);
            text.push('\n');
        }
    }
    text
}

/// The ratios of p50 to each peer's, as the median over the rounds.
fn ratios(text: &mut String, field: &Field, way: &str) {
    for (peer, _) in PEERS {
        let ratio = (peer != way).then(|| field.ratio(way, peer, crate::latency::Quantile::P50));
        let ratio = ratio.flatten().map_or("-".into(), |ratio| format!("{ratio:.2}"));
        let _ = write!(text, "{ratio:>7}");
    }
}

/// The stages in the main cell.
pub(crate) fn stages(found: &Latency) -> String {
    let mut text = format!("\nStages, {MAIN}; p50 and p99 in us\n");
    let names =
        ["submit", "start", "interrupt to reaper", "reaper to callback", "interrupt to callback"]
            .map(|n| format!("{n:>22}"));
    let _ = writeln!(text, "{:<22}{}", "", names.concat());
    for course in found.field(MAIN).into_iter().flat_map(|field| &field.courses) {
        let all = &course.all;
        let _ = write!(text, "{:<22}", course.way);
        for stage in [&all.submit, &all.start, &all.wake, &all.deliver, &all.serve] {
            let _ = write!(text, "{:>22}", both(stage));
        }
        text.push('\n');
    }
    text
}

fn both(stage: &Histogram<u64>) -> String {
    if stage.is_empty() {
        return "-".into();
    }
    let [p50, p99] = [0.5, 0.99].map(|quantile| micros(stage.value_at_quantile(quantile)));
    format!("{p50} {p99}")
}

/// The counted costs.
pub(crate) fn costs(costs: &Costs) -> String {
    let rows = [
        ("instructions: gate", &costs.gate),
        ("instructions: submit", &costs.submit),
        ("instructions: delivery", &costs.deliver),
        ("allocations: submit", &costs.submit_allocations),
        ("allocations: whole path", &costs.allocations),
        ("bytes while outstanding", &costs.bytes),
        ("system calls: submit", &costs.submit_calls),
        ("system calls: whole path", &costs.calls),
    ];
    let mut text = String::from("\nPer request, counted\n");
    for (what, value) in rows {
        let value = value.as_ref().map_or_else(Clone::clone, |value| format!("{value:.2}"));
        let _ = writeln!(text, "{what:<42}{value:>10}");
    }
    text
}

/// The throughput of one core.
pub(crate) fn scale(scale: &Scale) -> String {
    let mut text =
        String::from("\nOne reaper, one core: million requests/s by requests per interrupt\n");
    match &scale.throughput {
        Ok(all) => {
            for one in all {
                let (reaper, whole) = (one.reaper / 1e6, one.whole / 1e6);
                let _ = writeln!(
                    text,
                    "{:>6} {reaper:>8.2} delivered, {whole:>6.2} submitted, answered and delivered",
                    one.depth
                );
            }
        }
        Err(reason) => {
            let _ = writeln!(text, "  {reason}");
        }
    }
    text.push_str(&ticks(&scale.ticks));
    if let (Ok(gate), Ok(steps)) = (&scale.gate, &scale.steps) {
        let _ = writeln!(text, "\nThe gate: {gate:.1} ns; three atomic steps alone: {steps:.1} ns");
    }
    text
}

fn ticks(found: &Result<Vec<Tick>, String>) -> String {
    let ticks = match found {
        Ok(ticks) => ticks,
        Err(reason) => return format!("\nA Tiger320 tick: {reason}\n"),
    };
    let mut text = format!(
        "\nA Tiger320 tick, beyond the register accesses; and the cards and lines that one core \
         carries at 1 ms,\nif accesses were free and where each takes {PCI_ACCESS} ns\n\
         ports       us  accesses  cards (lines), free  cards (lines), {PCI_ACCESS} ns\n"
    );
    for tick in ticks {
        let carried = [0.0, PCI_ACCESS].map(|access| {
            let cards = tick.cards(access);
            format!("{cards:.1} ({:.0})", (cards * tick.ports as f64).floor())
        });
        let [free, real] = carried;
        let (us, accesses) = (tick.nanos / 1000.0, tick.accesses);
        let _ = writeln!(text, "{:>5} {us:>8.3} {accesses:>9.1} {free:>20} {real:>23}", tick.ports);
    }
    if let [service, .., full] = &ticks[..]
        && full.ports != 0
    {
        let port = (full.nanos - service.nanos) / full.ports as f64 / 1000.0;
        let service = service.nanos / 1000.0;
        let _ = writeln!(
            text,
            "the interrupt's service {service:.3} us, one port's samples and polling {port:.3} us"
        );
    }
    text
}

/// The disturbance of the run.
pub(crate) fn noise(noise: &Noise, found: &Latency) -> String {
    let mut hiccups = crate::cell::histogram();
    for course in found.fields.iter().flat_map(|field| &field.courses) {
        let _ = hiccups.add(&course.all.hiccups);
    }
    let mut text = format!("Noise: {noise}\n");
    let _ = writeln!(
        text,
        "       a thread that only read the clock was held up {} times for more than 10 us, at \
         most {} us",
        hiccups.len(),
        micros(hiccups.max())
    );
    if let Err(reason) = &found.awake {
        let _ = writeln!(text, "       {reason}; waking an idle CPU is in all sleeping ways");
    }
    if noise.is_loud() {
        text.push_str(
            "       THE MACHINE WAS NOT QUIET: trust ratios more than times, and p50 more than \
             p99\n",
        );
    }
    text
}

/// The figures and their targets.
pub(crate) fn figures(figures: &[Figure]) -> String {
    let mut text = String::from("\nFigures to reach\n");
    for figure in figures {
        let value = figure.value.as_ref().map_or("-".into(), |value| format!("{value:.2}"));
        let verdict = match (figure.is_reached(), &figure.value) {
            (Some(true), _) => "reached".into(),
            (Some(false), _) => "NOT REACHED".into(),
            (None, value) => format!("not measured: {}", value.as_ref().err().map_or("", |e| e)),
        };
        let target = figure.target.to_string();
        let _ = writeln!(text, "{:<42}{value:>10}   {target:<14} {verdict}", figure.what);
    }
    let reached = figures.iter().filter(|figure| figure.is_reached() == Some(true)).count();
    let _ = writeln!(text, "{reached} of {} reached", figures.len());
    text
}
