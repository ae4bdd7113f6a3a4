//! Checks the output of `ringback bench latency --json` for a device: whether all ways were timed,
//! and how many guest instructions they took, if the machine counts them.
//!
//! The arguments after the check's name are the file and, for some checks, the limit.

use std::fs;

use serde_json::Value;

use crate::Outcome;

/// The cell that is checked: a request every 20 us, one outstanding, one thread.
const GAP: u64 = 20_000;
/// Marks the figure on the console; see `tests/benches/src/lab.rs`.
const MARK: &str = "guest instructions against (a): ";
const OURS: &str = "ringback, sleeping";
const BLOCKING: &str = "(a) blocking read";
/// The number of ways: Ringback in four modes, four peers.
const WAYS: usize = 8;

struct Told {
    ways: Vec<Value>,
    figures: Value,
}

impl Told {
    fn read() -> Result<Told, String> {
        let path = argument(2)?;
        let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let lines = text.lines().map(serde_json::from_str::<Value>).collect::<Result<Vec<_>, _>>();
        let lines = lines.map_err(|error| format!("{path} is not JSON by lines: {error}"))?;
        let figures = lines.last().and_then(|line| line.get("figures"));
        let figures = figures.ok_or("the last line has no figures")?.clone();
        let in_cell = |line: &Value| {
            line["gap_ns"] == GAP && line["outstanding"] == 1 && line["threads"] == 1
        };
        let ways: Vec<_> = lines.into_iter().filter(in_cell).collect();
        match ways.len() {
            WAYS => Ok(Told { ways, figures }),
            other => Err(format!("there are {other} ways, not {WAYS}")),
        }
    }
}

fn argument(number: usize) -> Result<String, String> {
    std::env::args().nth(number).ok_or_else(|| format!("argument {number} is missing"))
}

/// The median of a stage: half of all samples took no longer.
fn median(way: &Value, stage: &str) -> Option<u64> {
    way["ns"][stage]["p50"].as_u64()
}

/// Checks that every way was timed.
pub fn ways() -> Outcome {
    let told = Told::read()?;
    for way in &told.ways {
        let name = way["way"].as_str().unwrap_or_default();
        let count = way["ns"]["whole"]["count"].as_u64().unwrap_or_default();
        let whole = median(way, "whole").unwrap_or_default();
        println!("{name:<22}{count:>6} requests, half within {whole} ns");
        if count == 0 || !way["missing"].is_null() {
            return Err(format!("{name}: {count} requests were timed: {}", way["missing"]));
        }
    }
    Ok(())
}

/// Checks that the whole path with a sleeping reaper takes at most the limit, relative to a
/// blocking read's.
pub fn instructions() -> Outcome {
    let told = Told::read()?;
    let limit: f64 = argument(3)?.parse().map_err(|_| "the limit is not a number")?;
    println!("{:<22}{:>24}{:>10}", "guest instructions", "interrupt to callback", "whole");
    for way in &told.ways {
        let name = way["way"].as_str().unwrap_or_default();
        match (median(way, "interrupt_to_callback"), median(way, "whole")) {
            (Some(serve), Some(whole)) => println!("{name:<22}{serve:>24}{whole:>10}"),
            _ => println!("{name:<22}  {}", way["missing"].as_str().unwrap_or("not timed")),
        }
    }
    let ratio = told.figures["p50_blocking"]["value"].as_f64();
    let ratio = ratio.ok_or_else(|| format!("no ratio of {OURS} and {BLOCKING}"))?;
    println!("{MARK}{ratio:.3}");
    if ratio > limit {
        return Err(format!("{ratio:.3} times the guest instructions of (a); {limit} are allowed"));
    }
    Ok(())
}
