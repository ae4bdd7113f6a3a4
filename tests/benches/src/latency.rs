//! The run: every way in every cell, one after another, in rounds, so that disturbances of the
//! machine affect all of them.

use std::time::Duration;

use hdrhistogram::Histogram;
use ringback_driver::reactor::Realtime;

use crate::aside::Aside;
use crate::cell::{Cell, Stages};
use crate::ways::Way;

/// The gaps between arrivals, and how many requests a slice times.
const GAPS: [(Duration, usize); 2] =
    [(Duration::from_micros(20), 2000), (Duration::from_millis(1), 100)];
const DEPTHS: [usize; 3] = [1, 64, 4096];
const THREADS: [usize; 2] = [1, 4];

/// The cell that the figures are taken from.
pub(crate) const MAIN: Cell = Cell { gap: GAPS[0].0, depth: 1, threads: 1 };

/// One way in one cell, over all rounds.
pub(crate) struct Course {
    pub(crate) way: &'static str,
    pub(crate) all: Stages,
    /// p50 and p99 of the whole for each round; `None` if the slice failed.
    pub(crate) rounds: Vec<Option<[f64; 2]>>,
    /// Why a slice failed.
    pub(crate) missing: Option<String>,
}

/// All ways in one cell.
pub(crate) struct Field {
    pub(crate) cell: Cell,
    pub(crate) courses: Vec<Course>,
}

/// The results of the run.
pub(crate) struct Latency {
    pub(crate) fields: Vec<Field>,
    /// Whether CPUs were kept from idling in the cells with fast arrivals.
    pub(crate) awake: Result<(), String>,
}

/// A quantile of a round.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Quantile {
    P50,
    P99,
}

impl Field {
    pub(crate) fn course(&self, way: &str) -> Option<&Course> {
        self.courses.iter().find(|course| course.way == way)
    }

    /// The median over all rounds of one way's quantile divided by another's.
    pub(crate) fn ratio(&self, way: &str, peer: &str, quantile: Quantile) -> Option<f64> {
        let (way, peer) = (self.course(way)?, self.course(peer)?);
        let ratios = way.rounds.iter().zip(&peer.rounds).filter_map(|(way, peer)| {
            let n = quantile as usize;
            Some((*way)?[n] / (*peer)?[n])
        });
        median(ratios.collect())
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[half]),
        _ => Some((values[half - 1] + values[half]) / 2.0),
    }
}

fn quantiles(histogram: &Histogram<u64>) -> Option<[f64; 2]> {
    (!histogram.is_empty())
        .then(|| [0.5, 0.99].map(|quantile| histogram.value_at_quantile(quantile) as f64))
}

impl Latency {
    pub(crate) fn field(&self, cell: Cell) -> Option<&Field> {
        self.fields.iter().find(|field| field.cell == cell)
    }

    /// [`Field::ratio`] in a cell, or why it is missing.
    pub(crate) fn ratio(
        &self,
        cell: Cell,
        way: &str,
        peer: &str,
        quantile: Quantile,
    ) -> Result<f64, String> {
        let field = self.field(cell).ok_or("the cell was left out")?;
        field.ratio(way, peer, quantile).ok_or_else(|| {
            let missing = [way, peer].iter().find_map(|way| field.course(way)?.missing.clone());
            missing.unwrap_or_else(|| "nothing was timed".into())
        })
    }
}

/// Runs all `ways` in all cells, `rounds` times. `progress` gets the current task, and how much is
/// done, from 0 to 1. `None` if `stop` returned true.
pub(crate) fn measure(
    ways: &[Box<dyn Way>],
    rounds: usize,
    stop: &dyn Fn() -> bool,
    progress: &mut dyn FnMut(&str, f64),
) -> Option<Latency> {
    let cells = GAPS.iter().flat_map(|&(gap, count)| {
        THREADS.iter().flat_map(move |&threads| {
            DEPTHS
                .iter()
                .filter(move |&&depth| depth >= threads || depth == 1)
                .map(move |&depth| (Cell { gap, depth: depth.max(threads), threads }, count))
        })
    });
    let course = |way: &dyn Way| Course {
        way: way.name(),
        all: Stages::new(),
        rounds: Vec::new(),
        missing: None,
    };
    let mut fields: Vec<(Field, usize)> = cells
        .map(|(cell, count)| {
            (Field { cell, courses: ways.iter().map(|way| course(&**way)).collect() }, count)
        })
        .collect();
    let mut awake = Ok(());
    let steps = (rounds * fields.len() * ways.len()) as f64;
    let mut step = 0.0;
    for round in 0..rounds {
        for (field, count) in &mut fields {
            // Fast arrivals stand for a busy machine, whose CPUs do not become idle.
            let idle_latency_us = (field.cell.gap == GAPS[0].0).then_some(0);
            let realtime = Realtime { idle_latency_us, ..Realtime::default() };
            let held = realtime.apply();
            if let Some(answer) = held.answers().iter().find(|answer| answer.result.is_err()) {
                awake = Err(answer.to_string());
            }
            for n in 0..ways.len() {
                // Each round begins with another way, so that none always follows the same one.
                let n = (n + round) % ways.len();
                let (way, course) = (&ways[n], &mut field.courses[n]);
                if stop() {
                    return None;
                }
                step += 1.0;
                progress(&format!("{}: {}", field.cell, way.name()), step / steps);
                if course.missing.is_some() && course.all.whole.is_empty() {
                    continue;
                }
                match slice(&**way, field.cell, *count) {
                    Ok(stages) => {
                        course.rounds.push(quantiles(&stages.whole));
                        course.all.add(&stages);
                    }
                    Err(reason) => {
                        course.rounds.push(None);
                        course.missing = Some(reason);
                    }
                }
            }
        }
    }
    Some(Latency { fields: fields.into_iter().map(|(field, _)| field).collect(), awake })
}

/// Runs a slice, with a CPU reserved for its hardware.
fn slice(way: &dyn Way, cell: Cell, count: usize) -> Result<Stages, String> {
    let cpu = way.aside();
    let aside = cpu.map(Aside::set).transpose();
    let _aside = aside.map_err(|error| format!("a CPU for the hardware: {error}"))?;
    way.slice(cell, count, cpu)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_of_rounds_that_both_have() {
        let course = |way, rounds: &[Option<f64>]| Course {
            way,
            all: Stages::new(),
            rounds: rounds.iter().map(|round| round.map(|p50| [p50, 2.0 * p50])).collect(),
            missing: None,
        };
        let mine = course("mine", &[Some(1.0), Some(4.0), None, Some(9.0)]);
        let theirs = course("theirs", &[Some(2.0), Some(2.0), Some(1.0), Some(3.0)]);
        let field = Field { cell: MAIN, courses: vec![mine, theirs] };
        assert_eq!(field.ratio("mine", "theirs", Quantile::P50), Some(2.0));
        assert_eq!(field.ratio("theirs", "mine", Quantile::P99), Some(0.5));
        assert_eq!(field.ratio("mine", "nobody", Quantile::P50), None);
    }

    #[test]
    fn medians() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0]), Some(2.5));
    }
}
