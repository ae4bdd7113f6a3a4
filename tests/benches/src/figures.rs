//! The figures with their targets, and whether they are reached.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::costs::Costs;
use crate::latency::{Latency, MAIN, Quantile};
use crate::scale::Scale;
use crate::ways::{BLOCKING, EPOLL, FLOOR, POLL, SLEEP, TOKIO};

/// The target of a figure.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

/// One row of the table of figures.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    /// The name in JSON.
    pub(crate) name: &'static str,
    /// The name in text, with the unit.
    pub(crate) what: &'static str,
    pub(crate) target: Target,
    /// The value, or why it is missing.
    pub(crate) value: Result<f64, String>,
}

impl Figure {
    /// Returns whether the target is reached; `None` without a value.
    pub(crate) fn is_reached(&self) -> Option<bool> {
        let value = *self.value.as_ref().ok()?;
        // A count per request is the difference of two runs, which contains a small rest of the
        // start.
        Some(match self.target {
            Target::AtMost(0.0) => value.abs() < 0.005,
            Target::AtMost(most) => value <= most,
            Target::AtLeast(least) => value >= least,
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::AtMost(value) => write!(f, "at most {value}"),
            Target::AtLeast(value) => write!(f, "at least {value}"),
        }
    }
}

/// All figures, from the results of a run.
pub(crate) fn all(
    latency: &Latency,
    costs: &Costs,
    scale: &Scale,
    lab: Result<f64, String>,
) -> Vec<Figure> {
    let ratio = |name, what, way: &str, peer: &str, quantile, most| Figure {
        name,
        what,
        target: Target::AtMost(most),
        value: latency.ratio(MAIN, way, peer, quantile),
    };
    let most = |name, what, most, value: &Result<f64, String>| Figure {
        name,
        what,
        target: Target::AtMost(most),
        value: value.clone(),
    };
    let deepest = scale.throughput.clone().and_then(|all| {
        all.last().map(|one| one.reaper / 1e6).ok_or_else(|| "not measured".to_string())
    });
    let tick = scale.ticks.clone().and_then(|all| {
        all.last().map(|tick| tick.nanos / 1000.0).ok_or_else(|| "not measured".to_string())
    });
    let (p50, p99) = (Quantile::P50, Quantile::P99);
    vec![
        ratio("p50_floor", "sleeping, p50 / (d) bare io_uring", SLEEP, FLOOR, p50, 1.05),
        ratio("p50_blocking", "sleeping, p50 / (a) blocking read", SLEEP, BLOCKING, p50, 1.0),
        ratio("p50_epoll", "sleeping, p50 / (b) epoll", SLEEP, EPOLL, p50, 0.9),
        ratio("p50_tokio", "sleeping, p50 / (c) tokio", SLEEP, TOKIO, p50, 0.75),
        ratio("p99_blocking", "sleeping, p99 / (a) blocking read", SLEEP, BLOCKING, p99, 0.8),
        ratio("p99_epoll", "sleeping, p99 / (b) epoll", SLEEP, EPOLL, p99, 0.8),
        ratio("p99_tokio", "sleeping, p99 / (c) tokio", SLEEP, TOKIO, p99, 0.8),
        ratio("p50_poll_blocking", "polling, p50 / (a) blocking read", POLL, BLOCKING, p50, 0.1),
        most("gate_ns", "gate, ns", 40.0, &scale.gate),
        most("gate_instructions", "gate, instructions", 200.0, &costs.gate),
        most("submit_ns", "submit on a free card, ns", 150.0, &scale.submit),
        most("submit_syscalls", "submit, system calls", 0.0, &costs.submit_calls),
        most("submit_allocations", "submit, allocations", 0.0, &costs.submit_allocations),
        most("allocations", "whole path, allocations per request", 0.0, &costs.allocations),
        most("bytes", "memory per outstanding request, bytes", 128.0, &costs.bytes),
        most("lab_instructions", "uio_dummy, guest instructions / (a)", 1.0, &lab),
        Figure {
            name: "throughput",
            what: "reaper at depth 4096, million requests/s",
            target: Target::AtLeast(5.0),
            value: deepest,
        },
        most("tick_us", "Tiger320 tick beyond the registers, us", 2.0, &tick),
    ]
}

/// `{name: {value, target, reached}}`; a figure that was not measured has a reason in place of the
/// value.
pub(crate) fn json(figures: &[Figure]) -> Value {
    let object = |figure: &Figure| {
        let (kind, target) = match figure.target {
            Target::AtMost(value) => ("at_most", value),
            Target::AtLeast(value) => ("at_least", value),
        };
        let value = figure.value.as_ref();
        json!({
            "value": value.ok(),
            "target": { kind: target },
            "reached": figure.is_reached(),
            "missing": value.err(),
        })
    };
    let all: Map<_, _> =
        figures.iter().map(|figure| (figure.name.to_string(), object(figure))).collect();
    Value::Object(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(target: Target, value: Result<f64, String>) -> Figure {
        Figure { name: "name", what: "what", target, value }
    }

    #[test]
    fn reached_or_not_or_not_known() {
        assert_eq!(figure(Target::AtMost(1.0), Ok(1.0)).is_reached(), Some(true));
        assert_eq!(figure(Target::AtMost(1.0), Ok(1.1)).is_reached(), Some(false));
        assert_eq!(figure(Target::AtMost(0.0), Ok(0.001)).is_reached(), Some(true));
        assert_eq!(figure(Target::AtMost(0.0), Ok(0.01)).is_reached(), Some(false));
        assert_eq!(figure(Target::AtLeast(5.0), Ok(4.9)).is_reached(), Some(false));
        assert_eq!(figure(Target::AtLeast(5.0), Err("no".into())).is_reached(), None);
    }

    #[test]
    fn the_object_says_why_a_value_is_missing() {
        let all = json(&[figure(Target::AtMost(2.0), Err("no valgrind".into()))]);
        assert_eq!(
            all["name"],
            json!({"value": null, "target": {"at_most": 2.0}, "reached": null,
                   "missing": "no valgrind"})
        );
    }
}
