//! Evidence that a thread has returned from the function by which it made a request, although it
//! has neither used the request nor called the host again.
//!
//! Returning from the host to the application takes less than a microsecond, and does not sleep. So
//! a thread that has slept since then has returned, and so has one that has run for a millisecond
//! since. A thread that was preempted shows neither. /proc has the state and the run time of each
//! thread; where it can't be read, a second counts as evidence.

use std::cell::Cell;
use std::fs::read_to_string;
use std::time::{Duration, Instant};

/// The shortest interval between two readings of /proc.
const PAUSE: Duration = Duration::from_millis(5);
/// The kernel updates a thread's run time at every tick, which is far more often than this.
const TICKS: Duration = Duration::from_millis(100);
/// Run time in ns that returning from the host never takes.
const RAN: u64 = 1_000_000;
/// Where /proc can't be read, a thread counts as returned after this time.
const LONG: Duration = Duration::from_secs(1);

thread_local! {
    /// The thread's id in /proc; 0 until it is first needed.
    static THREAD: Cell<i32> = const { Cell::new(0) };
}

/// The calling thread's id. Asks the kernel once per thread.
pub(super) fn this_thread() -> i32 {
    if THREAD.get() == 0 {
        THREAD.set(nix::unistd::gettid().as_raw());
    }
    THREAD.get()
}

/// What /proc says about a thread.
#[derive(Debug, PartialEq, Eq)]
enum Doing {
    Sleeps,
    /// It runs, or would if it had a processor, or waits for a disk.
    Else,
    Gone,
    Unknown,
}

/// A thread that has made a request, and what was seen of it so far.
#[derive(Debug)]
pub(super) struct Asker {
    thread: i32,
    /// When the host's function was first seen to be returning.
    since: Option<Instant>,
    looked: Option<Instant>,
    slept: bool,
    run_time: Option<u64>,
}

impl Asker {
    pub(super) fn new(thread: i32) -> Asker {
        Asker { thread, since: None, looked: None, slept: false, run_time: None }
    }

    /// Reads the state of the thread, whose function is returning: whether it has returned.
    pub(super) fn has_returned(&mut self, now: Instant) -> bool {
        if self.looked.is_some_and(|looked| now.duration_since(looked) < PAUSE) {
            return false;
        }
        self.looked = Some(now);
        let since = now.duration_since(*self.since.get_or_insert(now));
        match doing(self.thread) {
            Doing::Gone => true,
            // Twice, because a thread that thaws from a frozen cgroup may still look asleep.
            Doing::Sleeps => std::mem::replace(&mut self.slept, true),
            Doing::Else => {
                self.slept = false;
                self.has_run(since)
            }
            Doing::Unknown => since >= LONG,
        }
    }

    /// Whether it has run for [`RAN`] since the function began to return. A reading lacks the time
    /// since the last tick, so the one to compare with is taken [`TICKS`] later.
    fn has_run(&mut self, since: Duration) -> bool {
        let Some(ran) = run_time(self.thread) else { return since >= LONG };
        if since < TICKS {
            return false;
        }
        ran > self.run_time.get_or_insert(ran).saturating_add(RAN)
    }
}

fn doing(thread: i32) -> Doing {
    match read_to_string(format!("/proc/self/task/{thread}/stat")) {
        // The thread's name, which comes before, may contain spaces and parentheses.
        Ok(stat) => match stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()) {
            Some('S') => Doing::Sleeps,
            Some(_) => Doing::Else,
            None => Doing::Unknown,
        },
        // In a /proc of another PID namespace the thread is not found under its id.
        Err(_) if read_to_string(format!("/proc/self/task/{}/stat", this_thread())).is_ok() => {
            Doing::Gone
        }
        Err(_) => Doing::Unknown,
    }
}

/// How long a thread has run, in ns.
fn run_time(thread: i32) -> Option<u64> {
    let schedstat = read_to_string(format!("/proc/self/task/{thread}/schedstat")).ok()?;
    schedstat.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    fn returned_within(asker: &mut Asker, looks: u32) -> bool {
        (0..looks).any(|_| {
            thread::sleep(PAUSE);
            asker.has_returned(Instant::now())
        })
    }

    #[test]
    fn a_thread_that_sleeps_or_is_gone_has_returned() {
        let (give, thread_id) = mpsc::channel();
        let (end, ends) = mpsc::channel::<()>();
        let sleeper = thread::spawn(move || {
            give.send(this_thread()).unwrap();
            let _ = ends.recv();
        });
        let id = thread_id.recv().unwrap();
        let mut asker = Asker::new(id);
        assert!(!asker.has_returned(Instant::now()), "one reading may be chance");
        assert!(returned_within(&mut asker, 2000));
        drop(end);
        sleeper.join().unwrap();
        assert!(returned_within(&mut Asker::new(id), 2000));
    }

    #[test]
    fn a_thread_that_goes_on_running_has_returned() {
        let over = AtomicBool::new(false);
        let (give, thread_id) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                give.send(this_thread()).unwrap();
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
            let mut asker = Asker::new(thread_id.recv().unwrap());
            let start = Instant::now();
            assert!(returned_within(&mut asker, 20_000));
            assert!(start.elapsed() >= TICKS, "decided by a reading that may be out of date");
            over.store(true, Ordering::Relaxed);
        });
    }
}
