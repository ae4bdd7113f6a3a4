//! The speed of single pieces of the path, and the throughput of one core.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ringback_driver::request::Table;

use crate::clock::{now, thread_cpu};
use crate::latency::median;
use crate::tick::{self, Tick};
use crate::workload::{Driven, InPlace, MOST, life, submit};

/// Number of measurements of each kind, of which the median is taken.
const TURNS: usize = 15;
/// The depths at which the reaper's throughput is measured.
const DEPTHS: [usize; 4] = [1, 16, 256, MOST];

/// The number of requests per second that one reaper can handle, at a depth.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Throughput {
    pub(crate) depth: usize,
    /// From the interrupt to the callbacks, per second of the reaper's CPU time.
    pub(crate) reaper: f64,
    /// The same including submission and hardware, on the same core.
    pub(crate) whole: f64,
}

/// The results; one that could not be measured has a reason in its place.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    /// One use of a slot, in ns.
    pub(crate) gate: Result<f64, String>,
    /// Three atomic operations on one word, in ns: the least that taking the slot, RETURNED and
    /// COMPLETED can cost.
    pub(crate) steps: Result<f64, String>,
    /// A submission to a sleeping driver, with software registers and the release of the ticket, in
    /// ns.
    pub(crate) submit: Result<f64, String>,
    pub(crate) throughput: Result<Vec<Throughput>, String>,
    /// The ticks of cards with no to four ports.
    pub(crate) ticks: Result<Vec<Tick>, String>,
}

impl Scale {
    /// No results, for a reason.
    pub(crate) fn without(reason: &str) -> Scale {
        let none = || Err(reason.to_string());
        Scale {
            gate: none(),
            steps: none(),
            submit: none(),
            throughput: Err(reason.into()),
            ticks: Err(reason.into()),
        }
    }

    /// Measures everything; `progress` gets the current task, and how much is done, from 0 to 1.
    pub(crate) fn measure(progress: &mut dyn FnMut(&str, f64)) -> Scale {
        progress("the gate alone", 0.0);
        let (gate, steps) = (gate(), steps());
        progress("submitting alone", 0.25);
        let submit = submitting();
        progress("the reaper's throughput", 0.5);
        let throughput = DEPTHS.into_iter().map(throughput).collect();
        progress("the tick of a card", 0.75);
        Scale { gate, steps, submit, throughput, ticks: tick::measure() }
    }
}

/// The median of several measurements, each in ns per operation.
pub(crate) fn turns(mut turn: impl FnMut() -> Result<f64, String>) -> Result<f64, String> {
    // The first measurement warms up and is not used.
    turn()?;
    let all = (0..TURNS).map(|_| turn()).collect::<Result<Vec<_>, _>>()?;
    Ok(median(all).unwrap_or_default())
}

fn gate() -> Result<f64, String> {
    const COUNT: usize = 100_000;
    let table = Table::with_capacity(MOST).map_err(|error| error.to_string())?;
    turns(|| {
        let begin = thread_cpu();
        for _ in 0..COUNT {
            black_box(life(black_box(&table)));
        }
        Ok((thread_cpu() - begin) as f64 / COUNT as f64)
    })
}

fn steps() -> Result<f64, String> {
    const COUNT: u64 = 100_000;
    let word = AtomicU64::new(0);
    turns(|| {
        let begin = thread_cpu();
        for n in 0..COUNT {
            let word = black_box(&word);
            let _ = word.compare_exchange(0, n, Ordering::AcqRel, Ordering::Relaxed);
            let seen = word.fetch_or(1 << 32, Ordering::AcqRel);
            let seen = black_box(seen) | 1 << 32;
            let _ =
                word.compare_exchange(seen, seen | 1 << 33, Ordering::AcqRel, Ordering::Relaxed);
            word.store(0, Ordering::Release);
        }
        Ok((thread_cpu() - begin) as f64 / COUNT as f64)
    })
}

fn submitting() -> Result<f64, String> {
    /// Each submission is to a free card, because the reaper sleeps.
    const COUNT: usize = 1000;
    let driven = Driven::start()?;
    let mut due = 0;
    turns(|| {
        // Time for the reaper, which has just delivered, to fall asleep.
        std::thread::sleep(Duration::from_millis(2));
        let begin = now();
        (0..COUNT).try_for_each(|_| submit(&driven.handle))?;
        let took = now() - begin;
        due += COUNT;
        driven.finish(due)?;
        Ok(took as f64 / COUNT as f64)
    })
}

fn throughput(depth: usize) -> Result<Throughput, String> {
    const COUNT: usize = 1 << 17;
    let InPlace { mut local, handle, hardware, interrupt, done } = InPlace::start()?;
    let mut whole = Vec::new();
    let reaper = turns(|| {
        let (begin, mut reaping) = (thread_cpu(), 0);
        for _ in 0..COUNT / depth {
            (0..depth).try_for_each(|_| submit(&handle))?;
            hardware.step(usize::MAX);
            interrupt.raise();
            let due = done.load(Ordering::Relaxed) + depth;
            let before = thread_cpu();
            while done.load(Ordering::Relaxed) < due {
                if local.run_once(handle.now() + Duration::from_secs(10)) == 0 {
                    return Err("requests have not come back".into());
                }
            }
            reaping += thread_cpu() - before;
        }
        whole.push((thread_cpu() - begin) as f64 / COUNT as f64);
        Ok(reaping as f64 / COUNT as f64)
    })?;
    let whole = median(whole).unwrap_or_default();
    Ok(Throughput { depth, reaper: 1e9 / reaper, whole: 1e9 / whole })
}
