//! A thread that is entitled to less of a CPU than the reaper does not delay other threads' use of
//! the card, although all of them share one CPU with a program that never sleeps. Needs no
//! privilege.

#![allow(unsafe_code, reason = "scheduling classes, for which there is no safe face")]

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use ringback_driver::engine::{Context, Engine, Failure};
use ringback_driver::reactor::{Driver, Handle, Refused, Upcalls};
use ringback_driver::request::{Completion, ErrorCode, LineNumber, RequestId, Token};

/// Long enough for any machine; nothing waits this long unless it is broken.
const DEADLINE: Duration = Duration::from_secs(300);

/// The most CPU time that the busy program may use while a thread with the same entitlement waits
/// for the card. Measured in the busy program's CPU time and not by the clock, because other
/// programs of the machine may delay both of them.
const LIMIT: Duration = Duration::from_secs(2);

/// How long a command of the idle thread takes.
const WORK: Duration = Duration::from_micros(20);

/// How many requests are measured at the least.
const MEASURED: usize = 200;

/// The least number of rounds that the idle thread must have done.
const TURNS: usize = 10;

enum Ask {
    /// Works for so long, then completes.
    Work(Duration),
    /// Runs until it is ended.
    Wait,
}

/// Which threads have been in the engine.
type Seen = Arc<Mutex<HashSet<ThreadId>>>;

struct Worker {
    seen: Seen,
}

impl Worker {
    fn is_here(&self) {
        self.seen.lock().unwrap().insert(thread::current().id());
    }
}

impl Engine for Worker {
    type Command = Ask;
    type Event = ();
    type Output = ();
    fn lines(&self) -> usize {
        2
    }
    fn time_limit(_: &Ask) -> Duration {
        Duration::from_secs(3600)
    }
    fn failure(cause: Failure) -> ErrorCode {
        cause.errno()
    }
    fn start(
        &mut self,
        request: Token,
        ask: Ask,
        cx: &mut Context<'_, ()>,
    ) -> Result<(), ErrorCode> {
        self.is_here();
        if let Ask::Work(time) = ask {
            let begin = Instant::now();
            while begin.elapsed() < time {
                std::hint::spin_loop();
            }
            cx.complete(request, Ok(()));
        }
        Ok(())
    }
    fn interrupt(&mut self, _: &mut Context<'_, ()>) {}
    fn ended(&mut self, _: Token, _: Failure, _: &mut Context<'_, ()>) {
        self.is_here();
    }
    fn stop(&mut self, _: &mut Context<'_, ()>) {}
}

/// Counts the completions of line 0, and passes on those of line 1.
struct Ear {
    line_0: Arc<AtomicUsize>,
    line_1: std::sync::mpsc::Sender<(RequestId, Result<(), ErrorCode>)>,
}

impl Upcalls<()> for Ear {
    fn completed(&mut self, completion: Completion) {
        if completion.line == LineNumber(0) {
            self.line_0.fetch_add(1, Ordering::SeqCst);
        } else {
            self.line_1.send((completion.id, completion.result)).ok();
        }
    }
    fn event(&mut self, _: LineNumber, (): ()) {}
}

/// The completions of line 1: ids and results.
type Told = Receiver<(RequestId, Result<(), ErrorCode>)>;

/// A card whose reaper, and all threads that the calling one starts, run on one CPU.
fn card() -> (Driver<Worker>, Seen, Arc<AtomicUsize>, Told) {
    let here = Pid::from_raw(0);
    let allowed = sched_getaffinity(here).unwrap();
    let cpu = (0..CpuSet::count()).find(|&cpu| allowed.is_set(cpu) == Ok(true)).unwrap();
    let mut one = CpuSet::new();
    one.set(cpu).unwrap();
    // Each test is a thread of its own, so no other test is confined.
    sched_setaffinity(here, &one).unwrap();
    let (seen, line_0) = (Seen::default(), Arc::new(AtomicUsize::new(0)));
    let (line_1, told) = channel();
    let ear = Ear { line_0: Arc::clone(&line_0), line_1 };
    let driver = Driver::start(Worker { seen: Arc::clone(&seen) }, None, ear, 4096).unwrap();
    (driver, seen, line_0, told)
}

/// From now on the calling thread runs only when no other thread wants its CPU.
fn become_idle() {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: `parameters` lives until the call has returned.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &parameters) };
    assert_eq!(result, 0);
}

/// A program that never sleeps, and what it has used of its CPU.
#[derive(Default)]
struct Busy {
    over: AtomicBool,
    used: AtomicU64,
}

impl Busy {
    fn run(&self) {
        while !self.over.load(Ordering::Relaxed) {
            let used: Duration = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into();
            self.used.store(used.as_nanos() as u64, Ordering::Relaxed);
        }
    }

    fn used(&self) -> Duration {
        Duration::from_nanos(self.used.load(Ordering::Relaxed))
    }
}

/// Beside a busy program, an idle thread does this with the card repeatedly while this thread makes
/// requests on line 1. Returns the threads that have been in the engine, and the idle one.
fn beside_an_idle_thread(act: impl Fn(&Handle<Worker>) + Send + Sync) -> (Seen, ThreadId) {
    let (driver, seen, _line_0, told) = card();
    let handle = driver.handle();
    let (busy, turns) = (Busy::default(), AtomicUsize::new(0));
    let idle = thread::scope(|scope| {
        scope.spawn(|| busy.run());
        let idle = scope.spawn(|| {
            become_idle();
            while !busy.over.load(Ordering::Relaxed) {
                act(&handle);
                turns.fetch_add(1, Ordering::Relaxed);
            }
            thread::current().id()
        });
        let measured = measure(&handle, &told, &busy, &turns);
        // Set before the assertion, which would otherwise leave the threads running.
        busy.over.store(true, Ordering::Relaxed);
        assert_eq!(measured, Ok(()));
        idle.join().unwrap()
    });
    driver.shutdown();
    (seen, idle)
}

/// Calls the engine synchronously, submits and waits, until the idle thread has had its turns as
/// well.
///
/// Each has a limit: the idle thread gets almost no CPU, so that a wait for it would take much
/// longer.
fn measure(
    handle: &Handle<Worker>,
    told: &Told,
    busy: &Busy,
    turns: &AtomicUsize,
) -> Result<(), String> {
    let until = Instant::now() + DEADLINE;
    let mut n = 0;
    while n < MEASURED || turns.load(Ordering::Relaxed) < TURNS {
        if Instant::now() > until {
            return Err(format!("only {n} requests, {turns:?} turns of the idle thread"));
        }
        n += 1;
        let begin = busy.used();
        handle.with(|_, _| ()).map_err(|refused| refused.to_string())?;
        let waited = busy.used() - begin;
        if waited > LIMIT {
            return Err(format!("call {n} waited while the busy program used {waited:?}"));
        }
        let begin = busy.used();
        let ticket = loop {
            match handle.submit(LineNumber(1), Ask::Work(Duration::ZERO)) {
                Ok(ticket) => break ticket,
                // The requests of the idle thread are completed, and are being delivered.
                Err(Refused::Full(_)) if busy.used() - begin < LIMIT => thread::yield_now(),
                Err(refused) => return Err(format!("request {n}: {refused}")),
            }
        };
        let due = (ticket.id(), Ok(()));
        drop(ticket);
        let came = loop {
            match told.recv_timeout(Duration::from_millis(100)) {
                Err(RecvTimeoutError::Timeout) if busy.used() - begin < LIMIT => {}
                came => break came,
            }
        };
        if came != Ok(due) {
            return Err(format!("request {n}: {came:?}"));
        }
        thread::sleep(Duration::from_micros(200));
    }
    Ok(())
}

#[test]
fn an_idle_submitter_only_queues() {
    let (seen, idle) = beside_an_idle_thread(|handle| {
        // As many at a time as it has CPU for.
        for _ in 0..50 {
            match handle.submit(LineNumber(0), Ask::Work(WORK)) {
                Ok(ticket) => drop(ticket),
                Err(Refused::Full(_) | Refused::Crowded(_)) => thread::yield_now(),
                Err(other) => panic!("{other}"),
            }
        }
    });
    assert!(!seen.lock().unwrap().contains(&idle), "it was in the engine");
}

#[test]
fn what_an_idle_thread_asks_synchronously_is_done_by_the_reaper() {
    let threads = Mutex::new(HashSet::new());
    let (seen, idle) = beside_an_idle_thread(|handle| {
        let ticket = handle.submit(LineNumber(0), Ask::Wait).unwrap();
        let token = ticket.token();
        drop(ticket);
        let worker = handle.with(move |_, cx| (thread::current().id(), cx.is_running(token)));
        let (worker, running) = worker.unwrap();
        assert!(running, "behind what was submitted before");
        threads.lock().unwrap().insert(worker);
        assert!(handle.cancel(token));
    });
    let threads = threads.into_inner().unwrap();
    assert_eq!(threads.len(), 1, "by the reaper: {threads:?}");
    assert!(!threads.contains(&idle), "it was in the engine");
    assert!(!seen.lock().unwrap().contains(&idle), "it was in the engine");
}

#[test]
fn all_requests_of_an_idle_thread_are_completed() {
    let (driver, seen, line_0, _told) = card();
    let handle = driver.handle();
    let idle = thread::spawn(move || {
        become_idle();
        for _ in 0..1000 {
            handle.submit(LineNumber(0), Ask::Work(WORK)).unwrap().release();
        }
        thread::current().id()
    });
    let until = Instant::now() + DEADLINE;
    while line_0.load(Ordering::SeqCst) < 1000 {
        assert!(Instant::now() < until, "{} of 1000 are delivered", line_0.load(Ordering::SeqCst));
        thread::sleep(Duration::from_millis(1));
    }
    assert!(!seen.lock().unwrap().contains(&idle.join().unwrap()));
}
