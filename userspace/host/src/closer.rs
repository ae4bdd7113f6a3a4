//! The thread on which the host closes lines, calls and phones for callers that do not wait.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use ringback_request::report;
use ringback_request::sync::EvenPoisoned;

/// The thread ends after it had nothing to do for this time.
const IDLE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    running: bool,
    over: bool,
}

/// The jobs of the thread, which is started by the first job and ends if there is none for
/// [`IDLE`].
#[derive(Default)]
pub(super) struct Closer {
    jobs: Mutex<Jobs>,
    arrived: Condvar,
}

impl Closer {
    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().even_poisoned()
    }

    /// Has the thread run this; runs it here if the thread can't be started.
    pub(super) fn run(self: &Arc<Self>, job: Job) {
        let mut jobs = self.jobs();
        jobs.waiting.push_back(job);
        if std::mem::replace(&mut jobs.running, true) {
            drop(jobs);
            self.arrived.notify_one();
            return;
        }
        drop(jobs);
        let closer = Arc::clone(self);
        let work = move || while closer.next().map(|job| job()).is_some() {};
        if let Err(error) = thread::Builder::new().name("ringback-closer".into()).spawn(work) {
            report!(ERROR, "there is no thread to close on ({error}); closing here");
            let waiting = {
                let mut jobs = self.jobs();
                jobs.running = false;
                std::mem::take(&mut jobs.waiting)
            };
            waiting.into_iter().for_each(|job| job());
        }
    }

    /// The next job; `None` if the thread is not needed any more.
    fn next(&self) -> Option<Job> {
        let until = Instant::now() + IDLE;
        let mut jobs = self.jobs();
        loop {
            if let Some(job) = jobs.waiting.pop_front() {
                return Some(job);
            }
            let left = until.saturating_duration_since(Instant::now());
            if jobs.over || left.is_zero() {
                jobs.running = false;
                return None;
            }
            let waited = self.arrived.wait_timeout(jobs, left);
            jobs = waited.even_poisoned().0;
        }
    }

    /// Ends the thread with the host; jobs that are queued are still done.
    pub(super) fn end(&self) {
        self.jobs().over = true;
        self.arrived.notify_one();
    }
}
