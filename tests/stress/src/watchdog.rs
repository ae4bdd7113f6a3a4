//! The watchdog: each thread registers what it is doing and how long that may take. If one takes
//! much longer, the watchdog prints it with the seed and ends the process, because a test that
//! hangs reports nothing.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{LazyLock, Mutex, MutexGuard, Once};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use ringback_tspi::EvenPoisoned;

/// How much longer than its limit an operation may take on a busy machine.
const BOUND: Duration = Duration::from_secs(30);
/// The interval of the watchdog's checks.
const LOOK: Duration = Duration::from_millis(500);

struct Work {
    what: &'static str,
    since: Instant,
    limit: Duration,
}

#[derive(Default)]
struct Watch {
    /// The history that is running.
    history: String,
    threads: HashMap<ThreadId, (String, Vec<Work>)>,
}

static WATCH: LazyLock<Mutex<Watch>> = LazyLock::new(Mutex::default);

fn watch() -> MutexGuard<'static, Watch> {
    WATCH.lock().even_poisoned()
}

/// Registers an operation of the calling thread until this is dropped.
pub(crate) struct Doing(ThreadId);

/// Registers an operation of the calling thread that ends by itself within `limit`.
pub(crate) fn doing(what: &'static str, limit: Duration) -> Doing {
    let thread = thread::current();
    let mut watch = watch();
    let (_, works) = watch.threads.entry(thread.id()).or_insert_with(|| {
        let name = thread.name().unwrap_or("a thread without a name").to_owned();
        (name, Vec::new())
    });
    works.push(Work { what, since: Instant::now(), limit });
    Doing(thread.id())
}

impl Drop for Doing {
    fn drop(&mut self) {
        let mut watch = watch();
        if let Some((_, works)) = watch.threads.get_mut(&self.0) {
            works.pop();
            if works.is_empty() {
                watch.threads.remove(&self.0);
            }
        }
    }
}

/// Names this history in later reports. Starts the watchdog at the first call.
pub(crate) fn begin(history: String) {
    static STARTED: Once = Once::new();
    watch().history = history;
    STARTED.call_once(|| {
        let started = thread::Builder::new().name("watchdog".into()).spawn(|| {
            loop {
                thread::sleep(LOOK);
                if let Some(report) = overdue(Instant::now()) {
                    // Not by eprintln!, whose text the test harness keeps until the test ends.
                    let _ = std::io::stderr().write_all(report.as_bytes());
                    std::process::abort();
                }
            }
        });
        started.expect("the operating system starts a thread");
    });
}

/// Returns what all threads are doing, if one of them takes much longer than it may.
fn overdue(now: Instant) -> Option<String> {
    let watch = watch();
    let over = |work: &Work| now.saturating_duration_since(work.since) > work.limit + BOUND;
    if !watch.threads.values().any(|(_, works)| works.iter().any(over)) {
        return None;
    }
    let mut report = format!("\nSTUCK in {}\n", watch.history);
    for (name, works) in watch.threads.values() {
        for work in works {
            let mark = if over(work) { "STUCK" } else { "" };
            let took = now.saturating_duration_since(work.since);
            let _ = writeln!(report, "{mark:>6} {name}: {} for {took:?}", work.what);
        }
    }
    Some(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_takes_much_longer_than_its_limit_is_named() {
        begin("seed 7".into());
        let _outer = doing("a whole life", Duration::from_secs(1000));
        let inner = doing("closing a line", Duration::from_secs(2));
        let later = Instant::now() + BOUND + Duration::from_secs(3);
        let report = overdue(later).expect("it is overdue");
        assert!(report.contains("seed 7") && report.contains("closing a line"), "{report}");
        drop(inner);
        assert_eq!(overdue(later), None);
    }
}
