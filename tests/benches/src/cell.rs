//! The parameters that are varied, and the timing of a request.
//!
//! A submitting thread waits for its next arrival, submits one request, and waits until the
//! callback has run; only then comes the next. Each thread therefore has one answer under way, in
//! every way that is compared, and no queue hides delays. The other outstanding requests were
//! submitted before and are not answered.
//!
//! The whole is the time that software takes: from the call to its return, and from the interrupt
//! to the callback. If the interrupt has no time stamp, it is from the call to the callback.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::clock::{now, sleep_until};
use crate::hardware::Hardware;
use crate::noise::cpus;
use crate::probe::{Landing, Probe};

/// One of this many samples is for the stages.
pub(crate) const STAGED: usize = 8;
/// The number of samples at the start of a slice that are not counted.
pub(crate) const WARM_UP: usize = 32;
/// A request that takes longer than this is lost, in ns.
const LOST: u64 = 10_000_000_000;
/// If two readings of the clock differ by more than this, the thread was interrupted, in ns.
const HICCUP: u64 = 10_000;

/// One combination of the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Time between two arrivals, of all threads together.
    pub(crate) gap: Duration,
    pub(crate) depth: usize,
    pub(crate) threads: usize,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cell { gap, depth, threads } = self;
        let plural = if *threads == 1 { "" } else { "s" };
        write!(f, "a request every {gap:?}, {depth} outstanding, {threads} thread{plural}")
    }
}

/// The stages of one way in one cell, all in nanoseconds.
#[derive(Debug, Clone)]
pub(crate) struct Stages {
    /// From the call to its return.
    pub(crate) submit: Histogram<u64>,
    /// From the call to the doorbell.
    pub(crate) start: Histogram<u64>,
    /// From the interrupt until the reaper's wait has returned.
    pub(crate) wake: Histogram<u64>,
    /// From there to the callback.
    pub(crate) deliver: Histogram<u64>,
    /// From the interrupt to the callback.
    pub(crate) serve: Histogram<u64>,
    /// From the call to the callback, without the hardware's time.
    pub(crate) whole: Histogram<u64>,
    /// How long the submitting thread was interrupted while it only read the clock.
    pub(crate) hiccups: Histogram<u64>,
}

/// A histogram from 1 ns to a minute, 3 digits.
pub(crate) fn histogram() -> Histogram<u64> {
    // These bounds and digits are valid.
    Histogram::new_with_bounds(1, 60_000_000_000, 3).unwrap_or_else(|_| unreachable!())
}

impl Stages {
    pub(crate) fn new() -> Stages {
        let [submit, start, wake, deliver, serve, whole, hiccups] =
            std::array::from_fn(|_| histogram());
        Stages { submit, start, wake, deliver, serve, whole, hiccups }
    }

    pub(crate) fn add(&mut self, other: &Stages) {
        let pairs = [
            (&mut self.submit, &other.submit),
            (&mut self.start, &other.start),
            (&mut self.wake, &other.wake),
            (&mut self.deliver, &other.deliver),
            (&mut self.serve, &other.serve),
            (&mut self.whole, &other.whole),
            (&mut self.hiccups, &other.hiccups),
        ];
        for (mine, theirs) in pairs {
            // Both have the same bounds, so that this does not fail.
            let _ = mine.add(theirs);
        }
    }

    /// Adds a sample that another program has taken: times of call, return, interrupt and callback;
    /// and whether it is for the stages.
    pub(crate) fn record(&mut self, [call, returned, raised, callback]: [u64; 4], staged: bool) {
        let submit = returned.saturating_sub(call);
        let wake = callback.saturating_sub(raised);
        if staged {
            self.submit.saturating_record(submit);
            self.wake.saturating_record(wake);
        } else {
            self.serve.saturating_record(wake);
            self.whole.saturating_record(submit + wake);
        }
    }
}

#[derive(Debug)]
pub(crate) struct Shot {
    staged: bool,
    call: u64,
    returned: u64,
    raised: Option<u64>,
}

/// Times the requests of one submitting thread, and stores the results.
pub(crate) struct Recorder<'a> {
    pub(crate) stages: Stages,
    probe: &'a Probe,
    cell: Cell,
    next: u64,
    samples: usize,
    spins: bool,
}

impl<'a> Recorder<'a> {
    /// Makes a recorder for thread number `thread` of the cell.
    pub(crate) fn new(cell: Cell, thread: usize, probe: &'a Probe) -> Self {
        let gap = cell.gap.as_nanos() as u64;
        let next = now() + gap * (1 + thread as u64);
        Recorder { stages: Stages::new(), probe, cell, next, samples: 0, spins: cpus() > 1 }
    }

    /// Waits for the next arrival. The call follows.
    pub(crate) fn begin(&mut self) -> Shot {
        let gap = self.cell.gap.as_nanos() as u64 * self.cell.threads as u64;
        // A single thread keeps its CPU busy, so that its call does not begin with a wake-up. With
        // several threads, or on the only CPU, that would leave none for the reaper.
        if self.cell.threads == 1 && self.spins {
            self.spin();
        } else {
            sleep_until(self.next);
        }
        let staged = self.cell.threads == 1 && self.samples % STAGED == STAGED - 1;
        self.probe.stage(staged);
        let call = now();
        self.next = call + gap;
        Shot { staged, call, returned: call, raised: None }
    }

    fn spin(&mut self) {
        let mut before = now();
        while before < self.next {
            std::hint::spin_loop();
            let time = now();
            if time - before > HICCUP && self.samples >= WARM_UP {
                self.stages.hiccups.saturating_record(time - before);
            }
            before = time;
        }
    }

    /// Notes that the call has returned. The requester then plays the hardware, if no thread does.
    pub(crate) fn returned(&self, shot: &mut Shot, hardware: &Hardware) {
        shot.returned = now();
        shot.raised = hardware.answer();
    }

    /// Waits for the callback.
    pub(crate) fn land(
        &mut self,
        mut shot: Shot,
        landing: &Landing,
        hardware: &Hardware,
    ) -> Result<(), String> {
        loop {
            if let Some((at, woke)) = landing.landed() {
                self.end(shot, at, woke, hardware);
                return Ok(());
            }
            if now() > shot.call + LOST {
                return Err("a request has not come back".into());
            }
            if !hardware.is_requester() {
                landing.sleep(Duration::from_nanos(LOST));
                continue;
            }
            // A single requester must be answered now; with several, another may have answered it.
            shot.raised = shot.raised.or_else(|| hardware.answer());
            if self.cell.threads == 1 {
                std::hint::spin_loop();
            } else {
                sleep_until(now() + 5_000);
            }
        }
    }

    /// Ends a sample: the callback ran at `at`; its reaper woke at `woke`, if that is known.
    pub(crate) fn end(&mut self, shot: Shot, at: u64, woke: u64, hardware: &Hardware) {
        self.samples += 1;
        if self.samples <= WARM_UP {
            return;
        }
        let Shot { staged, call, returned, raised } = shot;
        let raised = raised.or_else(|| hardware.raised(returned, at));
        if !staged {
            if let Some(raised) = raised {
                self.stages.serve.saturating_record(at.saturating_sub(raised));
            }
            let thought = raised.unwrap_or(returned).saturating_sub(returned);
            self.stages.whole.saturating_record((at - call).saturating_sub(thought));
            return;
        }
        let woke = if woke == 0 { self.probe.woke() } else { woke };
        self.stages.submit.saturating_record(returned - call);
        let doorbell = self.probe.doorbell();
        self.stages.start.saturating_record(doorbell.saturating_sub(call));
        // If the interrupt has no time stamp, the time counts from the doorbell.
        let raised = raised.unwrap_or(doorbell);
        if woke != 0 {
            self.stages.wake.saturating_record(woke.saturating_sub(raised));
            self.stages.deliver.saturating_record(at.saturating_sub(woke));
        }
    }
}
