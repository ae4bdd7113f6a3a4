//! Whatever panics or fails, the card ends in order: its hardware is stopped, every accepted
//! request is completed, and the last upcall reports the end exactly once.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use nix::sys::eventfd::EventFd;
use nix::time::{ClockId, clock_gettime};

use super::*;
use crate::device::seccomp;
use crate::request::LineNumber;

/// The function in which an engine panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Nowhere,
    Start,
    Interrupt,
    Timer,
    NextTimer,
    Ended,
    Gone,
    Stop,
    Failure,
    Drop,
}

/// What has happened to an engine.
#[derive(Debug, Default)]
struct Fate {
    stops: AtomicUsize,
    drops: AtomicUsize,
}

struct Wreck {
    place: Place,
    /// Whether its timer is due from now on.
    timer: bool,
    fate: Arc<Fate>,
}

impl Wreck {
    fn panics_in(&self, place: Place) {
        assert_ne!(self.place, place, "a bug of the engine");
    }
}

enum Errand {
    Run,
    RunFor(Duration),
    /// Panics if the engine is to panic in `start`.
    Start,
    /// Makes the timer due.
    Timer,
}

impl Engine for Wreck {
    type Command = Errand;
    type Event = u32;
    type Output = ();
    fn lines(&self) -> usize {
        2
    }
    fn time_limit(errand: &Errand) -> Duration {
        if let Errand::RunFor(limit) = errand { *limit } else { Duration::from_secs(3600) }
    }
    fn failure(cause: Failure) -> ErrorCode {
        match cause {
            // One of the engines panics in `failure` as well.
            Failure::Cancelled => panic!("a bug in failure"),
            _ => Puppet::failure(cause),
        }
    }
    fn start(
        &mut self,
        _: Token,
        errand: Errand,
        _: &mut Context<'_, u32>,
    ) -> Result<(), ErrorCode> {
        match errand {
            Errand::Start => self.panics_in(Place::Start),
            Errand::Timer => self.timer = true,
            Errand::Run | Errand::RunFor(_) => {}
        }
        Ok(())
    }
    fn interrupt(&mut self, _: &mut Context<'_, u32>) {
        self.panics_in(Place::Interrupt);
    }
    fn next_timer(&self) -> Time {
        if !self.timer {
            return Time::NEVER;
        }
        self.panics_in(Place::NextTimer);
        Time::ZERO
    }
    fn timer(&mut self, _: &mut Context<'_, u32>) {
        self.timer = false;
        self.panics_in(Place::Timer);
    }
    fn ended(&mut self, _: Token, _: Failure, _: &mut Context<'_, u32>) {
        self.panics_in(Place::Ended);
    }
    fn gone(&mut self, _: &mut Context<'_, u32>) {
        self.panics_in(Place::Gone);
    }
    fn stop(&mut self, _: &mut Context<'_, u32>) {
        self.fate.stops.fetch_add(1, Ordering::SeqCst);
        self.panics_in(Place::Stop);
    }
}

impl Drop for Wreck {
    fn drop(&mut self) {
        self.fate.drops.fetch_add(1, Ordering::SeqCst);
        self.panics_in(Place::Drop);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Completed(RequestId, i32),
    Event(u32),
    Over(Failure),
}

struct Listener<F>(Sender<Told>, F);

impl<F: FnMut(Told) + Send + 'static> Upcalls<u32> for Listener<F> {
    fn completed(&mut self, completion: Completion) {
        let result = ErrorCode::number_of(completion.result);
        self.hear(Told::Completed(completion.id, result));
    }
    fn event(&mut self, _: LineNumber, event: u32) {
        self.hear(Told::Event(event));
    }
    fn over(&mut self, cause: Failure) {
        self.hear(Told::Over(cause));
    }
}

impl<F: FnMut(Told)> Listener<F> {
    fn hear(&mut self, told: Told) {
        self.0.send(told).ok();
        (self.1)(told);
    }
}

/// Returns an interrupt file, and the descriptor that makes it ready or fail.
fn interrupt(fails: bool) -> (InterruptFd, OwnedFd) {
    let (fd, other) = if fails {
        nix::unistd::pipe().unwrap()
    } else {
        let event = EventFd::new().unwrap();
        (event.as_fd().try_clone_to_owned().unwrap(), event.into())
    };
    (InterruptFd { fd, size: InterruptSize::EventFd }, other)
}

#[test]
fn c3_d12_an_engine_that_panics_anywhere_ends_in_order() {
    use Place::*;
    for place in [Start, Interrupt, Timer, NextTimer, Ended, Gone, Stop, Failure, Drop, Nowhere] {
        in_every_mode(|mode| panics_in(place, mode));
    }
}

fn panics_in(place: Place, mode: Mode) {
    println!("{place:?}");
    let fate = Arc::new(Fate::default());
    let (tell, told) = channel();
    let engine = Wreck { place, timer: false, fate: Arc::clone(&fate) };
    let (file, other) = interrupt(place == Place::Gone);
    // A callback that panics as well must make no difference.
    let upcalls = Listener(tell, |_| panic!("a careless application"));
    let driver = mode.run(engine, Some(file), upcalls, 8);
    let handle = driver.handle();
    let mut due = HashSet::new();
    let mut submit = |errand| {
        let submitted = handle.submit(LineNumber(0), errand);
        submitted.map(|ticket| {
            due.insert(ticket.id());
            ticket.token()
        })
    };
    let token = submit(Errand::Run).unwrap();
    submit(Errand::Run).unwrap();
    // The ticket of this request is held: its completion is delivered when it is released.
    let held = handle.submit(LineNumber(1), Errand::Run).unwrap();
    match place {
        // This one is refused, or completed like the others.
        Place::Start => drop(submit(Errand::Start)),
        Place::Timer | Place::NextTimer => drop(submit(Errand::Timer)),
        Place::Interrupt => {
            nix::unistd::write(&other, &1_u64.to_ne_bytes()).unwrap();
        }
        Place::Gone => drop(other),
        Place::Ended => drop(submit(Errand::RunFor(Duration::from_millis(1)))),
        Place::Failure => assert!(handle.cancel(token)),
        Place::Stop | Place::Drop | Place::Nowhere => {
            // The thread counts as being in an upcall, so that it does not wait for the held
            // ticket.
            let _upcall = super::super::submitter::enter_upcall();
            assert_eq!(handle.shutdown(), Settled::AfterThisUpcall);
        }
    }
    let cause = match place {
        Place::Nowhere | Place::Drop => Failure::Closed,
        _ => Failure::Internal,
    };
    eventually("the engine is stopped", || fate.stops.load(Ordering::SeqCst) == 1);
    due.insert(held.id());
    drop(held);
    for left in (0..due.len()).rev() {
        match told.recv_timeout(DEADLINE).unwrap() {
            Told::Completed(id, result) => {
                assert!(due.remove(&id), "C3: {id} is not due");
                assert!(result < 0, "{result}");
            }
            other => panic!("{other:?}, and {left} are due"),
        }
    }
    assert_eq!(told.recv_timeout(DEADLINE), Ok(Told::Over(cause)));
    assert_eq!(told.recv_timeout(DEADLINE), Err(RecvTimeoutError::Disconnected), "D12");
    assert!(handle.wait_ended(DEADLINE));
    assert_eq!(fate.drops.load(Ordering::SeqCst), 1, "dropped although a handle exists");
    assert_eq!(fate.stops.load(Ordering::SeqCst), 1);
    let refused = handle.submit(LineNumber(0), Errand::Run).unwrap_err();
    match cause {
        Failure::Closed => assert_eq!(refused, Refused::Closed),
        cause => assert_eq!(refused, Refused::Failed(cause)),
    }
    assert_eq!(handle.shutdown(), Settled::Delivered, "nothing is left to wait for");
}

/// The kernel makes the reaper's ring fail, beginning within an upcall.
#[test]
fn c3_d12_a_ring_that_fails_ends_the_card_in_order_and_without_spinning() {
    in_every_mode_at_once(|mode| {
        let fate = Arc::new(Fate::default());
        let (tell, told) = channel();
        let (spent, spending) = channel();
        let upcalls = Listener(tell, move |told| match told {
            Told::Event(1) => seccomp::refuse(libc::SYS_io_uring_enter, None, libc::EPERM),
            // This is the first upcall after the failure; before it, a polling reaper rightly uses
            // its CPU.
            Told::Completed(_, -5) | Told::Over(_) => {
                spent.send((cpu_time(), Instant::now())).unwrap();
            }
            _ => {}
        });
        let engine = Wreck { place: Place::Nowhere, timer: false, fate: Arc::clone(&fate) };
        let driver = mode.run(engine, None, upcalls, 8);
        let handle = driver.handle();
        let first = handle.submit(LineNumber(0), Errand::Run).unwrap().id();
        let held = handle.submit(LineNumber(1), Errand::Run).unwrap();
        handle.with(|_, cx| cx.event(LineNumber(0), 1)).unwrap();
        assert_eq!(told.recv_timeout(DEADLINE), Ok(Told::Event(1)));
        assert_eq!(told.recv_timeout(DEADLINE), Ok(Told::Completed(first, -5)));
        assert_eq!(fate.stops.load(Ordering::SeqCst), 1);
        // The reaper waits two seconds for the ticket, and must not use its CPU meanwhile.
        assert_eq!(told.recv_timeout(DEADLINE), Ok(Told::Over(Failure::Internal)));
        assert_eq!(told.recv_timeout(DEADLINE), Err(RecvTimeoutError::Disconnected));
        assert!(handle.wait_ended(DEADLINE));
        assert_eq!(fate.drops.load(Ordering::SeqCst), 1);
        assert_eq!(
            handle.submit(LineNumber(0), Errand::Run).unwrap_err(),
            Refused::Failed(Failure::Internal)
        );
        drop(held);
        let (before, after) = (spending.recv().unwrap(), spending.recv().unwrap());
        let (used, passed) = (after.0 - before.0, after.1 - before.1);
        assert!(used < passed / 8, "{used:?} of a CPU in {passed:?}");
    });
}

/// CPU time that the calling thread has used.
fn cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

#[test]
fn a_completion_is_delivered_at_once_if_its_ticket_is_released_after_the_ring_failed() {
    in_every_mode(|mode| {
        let fate = Arc::new(Fate::default());
        let (tell, told) = channel();
        let upcalls = Listener(tell, |told| {
            if told == Told::Event(1) {
                seccomp::refuse(libc::SYS_io_uring_enter, None, libc::EPERM);
            }
        });
        let engine = Wreck { place: Place::Nowhere, timer: false, fate: Arc::clone(&fate) };
        let driver = mode.run(engine, None, upcalls, 8);
        let handle = driver.handle();
        let held = handle.submit(LineNumber(1), Errand::Run).unwrap();
        let id = held.id();
        handle.with(|_, cx| cx.event(LineNumber(0), 1)).unwrap();
        assert_eq!(told.recv_timeout(DEADLINE), Ok(Told::Event(1)));
        eventually("the engine is stopped", || fate.stops.load(Ordering::SeqCst) == 1);
        drop(held);
        assert_eq!(told.recv_timeout(DEADLINE), Ok(Told::Completed(id, -5)));
        assert_eq!(told.recv_timeout(DEADLINE), Ok(Told::Over(Failure::Internal)));
    });
}

#[test]
fn a_closure_that_panics_in_the_engine_is_its_panic() {
    in_every_mode(|mode| {
        let (driver, heard) = mode.start(8);
        let handle = driver.handle();
        let id = handle.submit(LineNumber(0), FOR_EVER).unwrap().id();
        let asked = handle.with(|_, _| panic!("a bug in the closure"));
        assert_eq!(asked, Err::<(), _>(Refused::Failed(Failure::Internal)));
        assert_eq!(next(&heard), Heard::Completed(id, -5));
        assert!(handle.wait_ended(DEADLINE));
    });
}
