//! Pieces of the path on their own, for tools that count what a whole process does: a number of
//! requests, and nothing else that grows with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ringback_driver::Time;
use ringback_driver::card::mailbox::{Complement, Mailbox, SoftMailbox};
use ringback_driver::device::soft::{SoftDevice, SoftInterrupt};
use ringback_driver::device::{Device, InterruptFd};
use ringback_driver::reactor::{Driver, Handle, Local, Options, Stepper, Upcalls};
use ringback_driver::request::{Completion, ErrorCode, LineNumber, Table};

/// The most outstanding requests, in workloads with all of them outstanding.
pub(crate) const MOST: usize = 4096;

/// Limit of waits for what takes microseconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// The pieces of the path that can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    /// The use of a slot on one thread: reserved, returned, completed, taken.
    Gate,
    /// Requests are submitted and outstanding at the end; there is no reaper.
    Submit,
    /// Like `Submit`, and the hardware answers.
    Answer,
    /// Like `Answer`, and one interrupt delivers all completions.
    Deliver,
    /// One after another through the ring of a driver that runs on this thread and never sleeps.
    Local,
    /// A driver with room for exactly this many requests, all of them outstanding.
    Outstanding,
    /// Requests are submitted to a driver whose reaper sleeps in its ring.
    SubmitToDriver,
    /// One after another through a driver whose reaper sleeps: submitted, answered, waited for.
    Whole,
}

impl Workload {
    const ALL: [(Workload, &str); 8] = [
        (Workload::Gate, "gate"),
        (Workload::Submit, "submit"),
        (Workload::Answer, "answer"),
        (Workload::Deliver, "deliver"),
        (Workload::Local, "local"),
        (Workload::Outstanding, "outstanding"),
        (Workload::SubmitToDriver, "submit-to-driver"),
        (Workload::Whole, "whole"),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(one, _)| *one == self).map_or("", |(_, name)| name)
    }
}

/// Runs the workload with this name for `count` requests, at most 4096 if all of them are
/// outstanding at once.
///
/// # Errors
/// There is no workload of this name, or the machine has no io_uring.
pub fn workload(name: &str, count: usize) -> Result<(), String> {
    let Some((workload, _)) = Workload::ALL.iter().find(|(_, other)| *other == name) else {
        return Err(format!("there is no workload {name}"));
    };
    match workload {
        Workload::Gate => gate(count),
        Workload::Submit => Bench::new(MOST)?.submit(count),
        Workload::Answer => {
            let bench = Bench::new(MOST)?;
            bench.submit(count)?;
            bench.hardware.step(usize::MAX);
            Ok(())
        }
        Workload::Deliver => Bench::new(MOST)?.round(count),
        Workload::Local => local(count),
        Workload::Outstanding => Bench::new(count)?.submit(count),
        Workload::SubmitToDriver => {
            let driven = Driven::start()?;
            (0..count).try_for_each(|_| submit(&driven.handle))
        }
        Workload::Whole => whole(count),
    }
}

/// `count` uses of slots on one thread.
pub(crate) fn gate(count: usize) -> Result<(), String> {
    let table = Table::with_capacity(MOST).map_err(|error| error.to_string())?;
    let lost = (0..count).filter(|_| life(&table) != Some(Ok(()))).count();
    if lost == 0 { Ok(()) } else { Err(format!("the gate lost {lost} requests")) }
}

/// One use of a slot; returns its result.
pub(crate) fn life(table: &Table) -> Option<Result<(), ErrorCode>> {
    let (_, request) = table.reserve(None, LineNumber(0), Time::ZERO, Time::NEVER).ok()?;
    table.release(request);
    table.complete(request, Ok(()), Time::ZERO);
    table.take(request).map(|completion| completion.result)
}

/// Counts completions.
pub(crate) struct Count(pub(crate) Arc<AtomicUsize>);

impl Upcalls<()> for Count {
    fn completed(&mut self, completion: Completion) {
        // Only one thread counts, so that a store is enough.
        let right = usize::from(completion.result.is_ok());
        self.0.store(self.0.load(Ordering::Relaxed) + right, Ordering::Release);
    }
    fn event(&mut self, _: LineNumber, (): ()) {}
}

pub(crate) type SoftEngine = Mailbox<SoftDevice<SoftMailbox>>;

/// A mailbox's engine, its hardware, and both ends of its interrupt.
struct Parts {
    engine: SoftEngine,
    hardware: SoftMailbox,
    interrupt: SoftInterrupt,
    file: InterruptFd,
}

fn mailbox(capacity: usize) -> Result<Parts, String> {
    let hardware = SoftMailbox::new(MOST as u32);
    let interrupt = SoftInterrupt::new().map_err(|error| error.to_string())?;
    let device = SoftDevice::new(hardware.clone(), None, interrupt.clone());
    let file = device.interrupt().map_err(|error| error.to_string())?;
    let engine = Mailbox::new(device, capacity).map_err(|error| error.to_string())?;
    Ok(Parts { engine, hardware, interrupt, file })
}

pub(crate) fn submit(handle: &Handle<SoftEngine>) -> Result<(), String> {
    let command = Complement { operand: 7, time_limit: Duration::from_secs(60) };
    handle.submit(LineNumber(0), command).map(drop).map_err(|error| error.to_string())
}

/// The path without thread and ring.
struct Bench {
    stepper: Stepper<SoftEngine, Count>,
    handle: Handle<SoftEngine>,
    hardware: SoftMailbox,
    done: Arc<AtomicUsize>,
}

impl Bench {
    fn new(capacity: usize) -> Result<Bench, String> {
        let Parts { engine, hardware, .. } = mailbox(capacity)?;
        let done = Arc::default();
        let stepper = Stepper::new(engine, Count(Arc::clone(&done)), capacity)
            .map_err(|error| error.to_string())?;
        Ok(Bench { handle: stepper.handle(), stepper, hardware, done })
    }

    fn submit(&self, count: usize) -> Result<(), String> {
        (0..count).try_for_each(|_| submit(&self.handle))
    }

    fn round(&mut self, count: usize) -> Result<(), String> {
        let due = self.done.load(Ordering::Relaxed) + count;
        self.submit(count)?;
        self.hardware.step(usize::MAX);
        self.stepper.interrupt();
        let done = self.done.load(Ordering::Relaxed);
        if done == due { Ok(()) } else { Err(format!("{done} of {due} requests have ended")) }
    }
}

/// The path with thread and ring, and its hardware.
pub(crate) struct Driven {
    pub(crate) handle: Handle<SoftEngine>,
    pub(crate) hardware: SoftMailbox,
    pub(crate) interrupt: SoftInterrupt,
    pub(crate) done: Arc<AtomicUsize>,
    _driver: Driver<SoftEngine>,
}

impl Driven {
    pub(crate) fn start() -> Result<Driven, String> {
        let Parts { engine, hardware, interrupt, file } = mailbox(MOST)?;
        let done = Arc::default();
        let driver = Driver::start(engine, Some(file), Count(Arc::clone(&done)), MOST)
            .map_err(|error| error.to_string())?;
        Ok(Driven { handle: driver.handle(), hardware, interrupt, done, _driver: driver })
    }

    /// Answers what is outstanding and waits until `due` requests have ended.
    ///
    /// # Errors
    /// They have not ended within a minute.
    pub(crate) fn finish(&self, due: usize) -> Result<(), String> {
        let began = Instant::now();
        loop {
            // Repeated, because the reaper may have held the card and may start commands that it
            // found queued.
            if self.hardware.step(usize::MAX) != 0 {
                self.interrupt.raise();
            }
            let done = self.done.load(Ordering::Acquire);
            if done >= due {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("{done} of {due} requests have ended"));
            }
            // Other threads may need this CPU, among them the reaper.
            thread::yield_now();
        }
    }
}

fn local(count: usize) -> Result<(), String> {
    let InPlace { mut local, handle, hardware, interrupt, done } = InPlace::start()?;
    for due in 1..=count {
        submit(&handle)?;
        hardware.step(usize::MAX);
        interrupt.raise();
        let began = Instant::now();
        while done.load(Ordering::Relaxed) < due {
            if began.elapsed() > PATIENCE {
                return Err(format!("request {due} has not ended"));
            }
            local.run_once(Time::ZERO);
        }
    }
    Ok(())
}

/// The path with a ring on this thread, and its hardware.
pub(crate) struct InPlace {
    pub(crate) local: Local<SoftEngine, Count>,
    pub(crate) handle: Handle<SoftEngine>,
    pub(crate) hardware: SoftMailbox,
    pub(crate) interrupt: SoftInterrupt,
    pub(crate) done: Arc<AtomicUsize>,
}

impl InPlace {
    pub(crate) fn start() -> Result<InPlace, String> {
        let Parts { engine, hardware, interrupt, file } = mailbox(MOST)?;
        let done = Arc::default();
        let options = Options { capacity: MOST, ..Options::default() };
        let local = Local::new(engine, Some(file), Count(Arc::clone(&done)), &options)
            .map_err(|error| error.to_string())?;
        Ok(InPlace { handle: local.handle(), local, hardware, interrupt, done })
    }
}

fn whole(count: usize) -> Result<(), String> {
    let driven = Driven::start()?;
    for n in 1..=count {
        submit(&driven.handle)?;
        driven.finish(n)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_runs_and_no_other() {
        for (_, name) in Workload::ALL {
            workload(name, 130).unwrap();
        }
        assert_eq!(workload("nothing", 1).unwrap_err(), "there is no workload nothing");
    }
}
