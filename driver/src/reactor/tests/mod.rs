//! Tests of the reactor with the real ring, in every way of waiting, with an engine that does just
//! what a test asks for.
//!
//! A test can't know when a command finds the card free, because the reaper holds it at times as
//! well. A command that fails is therefore either refused at once (R4) or completes with its error
//! (R6).

/// The parts that engines of these tests have in common if they are only used to start commands:
/// one line, no hardware.
macro_rules! engine_without_hardware {
    () => {
        type Command = ();
        type Event = u32;
        type Output = ();
        fn lines(&self) -> usize {
            1
        }
        fn time_limit((): &()) -> Duration {
            DEADLINE
        }
        fn failure(_: Failure) -> ErrorCode {
            error(-1)
        }
        fn interrupt(&mut self, _: &mut Context<'_, u32>) {}
        fn ended(&mut self, _: Token, _: Failure, _: &mut Context<'_, u32>) {}
    };
}

mod child;
mod clients;
mod closing;
mod ends;
mod guards;
mod log;
mod logging;
#[cfg(feature = "cards")]
mod mailbox;
mod mistakes;
mod modes;
mod order;
mod outputs;
mod samples;
mod submitters;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Duration;

use super::*;
use crate::Time;
use crate::device::{InterruptFd, InterruptSize};
use crate::engine::{Context, Engine, Failure};
use crate::report;
use crate::request::{ErrorCode, LineNumber, RequestId, Token};

/// Long enough for any machine; only a fault makes a test wait as long.
const DEADLINE: Duration = Duration::from_secs(20);

/// The error with this number.
fn error(number: i32) -> ErrorCode {
    ErrorCode::new(number).expect("an error is negative")
}

/// The result with this number.
fn outcome(number: i32) -> Result<(), ErrorCode> {
    ErrorCode::result_of(number).expect("C2")
}

enum Ask {
    /// Completes at once, with this result.
    Now(i32),
    /// Emits this event, then completes at once.
    Tell(u32, i32),
    /// Emits this event, then runs until it is ended.
    TellAndWait(u32),
    /// Emits events on both lines, the first of them explicitly for the request.
    TellOnBoth(u32),
    /// Runs until it is ended.
    Wait(Duration),
    /// Completes when the reaper polls the engine.
    Polled,
    /// The engine refuses, with this result.
    Refuse(i32),
    /// Completes with 0, and is then refused.
    CompleteAndRefuse(i32),
    /// Spends this time in the engine, then completes.
    Slow(Duration),
    Panic,
}

#[derive(Default)]
struct Puppet {
    ended: Vec<(Token, Failure)>,
    polled: Option<Token>,
    stopped: bool,
}

impl Engine for Puppet {
    type Command = Ask;
    type Event = u32;
    type Output = ();
    fn lines(&self) -> usize {
        2
    }
    fn time_limit(ask: &Ask) -> Duration {
        if let Ask::Wait(limit) = ask { *limit } else { Duration::from_secs(60) }
    }
    fn failure(cause: Failure) -> ErrorCode {
        match cause {
            Failure::Deadline => error(-1),
            Failure::Cancelled => error(-2),
            Failure::Closed => error(-3),
            Failure::Gone => error(-4),
            Failure::Internal => error(-5),
        }
    }
    fn start(
        &mut self,
        request: Token,
        ask: Ask,
        cx: &mut Context<'_, u32>,
    ) -> Result<(), ErrorCode> {
        // A line of a level and in a place where a subscriber must not run.
        report!(TRACE, "the puppet starts {:?}", cx.table.id(request));
        match ask {
            Ask::Now(result) => assert!(cx.complete(request, outcome(result))),
            Ask::Tell(event, result) => {
                cx.event(LineNumber(0), event);
                cx.complete(request, outcome(result));
            }
            Ask::TellAndWait(event) => cx.event(LineNumber(0), event),
            Ask::TellOnBoth(event) => {
                cx.event_of(request, LineNumber(1), event);
                cx.event(LineNumber(0), event + 1);
                cx.event(LineNumber(1), event + 2);
            }
            Ask::Wait(_) => {}
            Ask::Polled => self.polled = Some(request),
            Ask::Refuse(number) => return Err(error(number)),
            Ask::CompleteAndRefuse(number) => {
                cx.complete(request, Ok(()));
                return Err(error(number));
            }
            Ask::Slow(time) => {
                thread::sleep(time);
                cx.complete(request, Ok(()));
            }
            Ask::Panic => panic!("the puppet was told to"),
        }
        Ok(())
    }
    fn interrupt(&mut self, cx: &mut Context<'_, u32>) {
        cx.event(LineNumber(1), 3);
    }
    fn poll(&mut self, cx: &mut Context<'_, u32>) {
        if let Some(request) = self.polled.take() {
            cx.complete(request, Ok(()));
        }
    }
    fn ended(&mut self, request: Token, cause: Failure, _: &mut Context<'_, u32>) {
        report!(TRACE, "the puppet hears that a request has ended: {cause}");
        self.ended.push((request, cause));
    }
    fn stop(&mut self, _: &mut Context<'_, u32>) {
        report!(TRACE, "the puppet stops");
        self.stopped = true;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Heard {
    Completed(RequestId, i32),
    Event(usize, u32),
}

type Act = Box<dyn FnMut(Heard) + Send>;

/// Sends each upcall with its thread, and then does what the test wants.
struct Ear {
    heard: Sender<(Heard, ThreadId)>,
    act: Act,
}

impl Upcalls<u32> for Ear {
    fn completed(&mut self, completion: Completion) {
        let result = ErrorCode::number_of(completion.result);
        self.hear(Heard::Completed(completion.id, result));
    }
    fn event(&mut self, line: LineNumber, event: u32) {
        self.hear(Heard::Event(line.index(), event));
    }
}

impl Ear {
    fn hear(&mut self, heard: Heard) {
        self.heard.send((heard, thread::current().id())).ok();
        (self.act)(heard);
    }
}

fn ear(act: impl FnMut(Heard) + Send + 'static) -> (Ear, Receiver<(Heard, ThreadId)>) {
    let (heard, ears) = channel();
    (Ear { heard, act: Box::new(act) }, ears)
}

/// A way for the reaper to wait, and whose thread the reaper is.
#[derive(Debug, Clone, Copy)]
enum Mode {
    Thread(Waiting),
    Local(Waiting),
}

fn modes() -> impl Iterator<Item = Mode> {
    let spin = Waiting::Spin(Duration::from_micros(200));
    let waiting = [Waiting::Sleep, spin, Waiting::Poll].into_iter();
    waiting.flat_map(|waiting| [Mode::Thread(waiting), Mode::Local(waiting)])
}

/// Runs a test in every mode.
fn in_every_mode(test: impl Fn(Mode)) {
    for mode in modes() {
        println!("{mode:?}");
        test(mode);
    }
}

/// Like [`in_every_mode`], but in all modes at once, for a test that waits for a limit of seconds.
fn in_every_mode_at_once(test: impl Fn(Mode) + Sync) {
    thread::scope(|scope| {
        for mode in modes() {
            let test = &test;
            scope.spawn(move || test(mode));
        }
    });
}

/// Fails if the function does not return within [`DEADLINE`].
fn bounded<R: Send + 'static>(act: impl FnOnce() -> R + Send + 'static) -> R {
    let (tell, told) = channel();
    let thread = thread::spawn(move || tell.send(act()).ok());
    match told.recv_timeout(DEADLINE) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => panic!("it does not return"),
        Err(RecvTimeoutError::Disconnected) => {
            std::panic::resume_unwind(thread.join().unwrap_err())
        }
    }
}

/// Waits until the condition is met.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = std::time::Instant::now() + DEADLINE;
    while !is_so() {
        assert!(std::time::Instant::now() < until, "{what}");
        thread::sleep(Duration::from_millis(1));
    }
}

impl Mode {
    fn run<E: Engine>(
        self,
        engine: E,
        interrupt: Option<InterruptFd>,
        upcalls: impl Upcalls<E::Event, E::Output>,
        capacity: usize,
    ) -> Running<E> {
        let (Mode::Thread(waiting) | Mode::Local(waiting)) = self;
        let options = Options { capacity, waiting, ..Options::default() };
        if let Mode::Thread(_) = self {
            let driver = Driver::start_with(engine, interrupt, upcalls, &options).unwrap();
            return Running { handle: driver.handle(), driver: Some(driver), local: None };
        }
        let (handle, handles) = channel();
        let over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let mut local = Local::new(engine, interrupt, upcalls, &options).unwrap();
            handle.send(local.handle()).unwrap();
            while !over.load(Ordering::SeqCst) {
                let until = local.handle().now() + Duration::from_millis(20);
                local.run_once(until);
            }
        });
        let handle = handles.recv_timeout(DEADLINE).unwrap();
        Running { handle, driver: None, local: Some((stop, thread)) }
    }

    fn start(self, capacity: usize) -> (Running<Puppet>, Receiver<(Heard, ThreadId)>) {
        let (ear, heard) = ear(|_| ());
        (self.run(Puppet::default(), None, ear, capacity), heard)
    }
}

/// A driver, or a thread of an application that is the reaper; each is shut down when dropped.
struct Running<E: Engine> {
    handle: Handle<E>,
    driver: Option<Driver<E>>,
    local: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl<E: Engine> Running<E> {
    fn handle(&self) -> Handle<E> {
        self.handle.clone()
    }

    fn shutdown(self) {}
}

impl<E: Engine> Drop for Running<E> {
    fn drop(&mut self) {
        if let Some(driver) = self.driver.take() {
            driver.shutdown();
        }
        if let Some((stop, thread)) = self.local.take() {
            stop.store(true, Ordering::SeqCst);
            if thread.thread().id() != thread::current().id() {
                thread.join().unwrap();
            }
        }
    }
}

fn next(heard: &Receiver<(Heard, ThreadId)>) -> Heard {
    heard.recv_timeout(DEADLINE).expect("an upcall").0
}

/// Proves that nothing is delivered on line 0: a later request on the other line comes first.
fn nothing_on_line_0(driver: &Running<Puppet>, heard: &Receiver<(Heard, ThreadId)>) {
    let id = {
        let ticket = driver.handle().submit(LineNumber(1), Ask::Now(0)).unwrap();
        ticket.id()
    };
    assert_eq!(next(heard), Heard::Completed(id, 0));
}

/// The result of a command that fails, as a refusal or as a completion.
fn failure(handle: &Handle<Puppet>, ask: Ask, heard: &Receiver<(Heard, ThreadId)>) -> i32 {
    match handle.submit(LineNumber(0), ask).map(|ticket| ticket.id()) {
        Err(Refused::Rejected(error)) => error.get(),
        Err(Refused::Closed) => Puppet::failure(Failure::Closed).get(),
        Err(Refused::Failed(cause)) => Puppet::failure(cause).get(),
        Err(other) => panic!("{other}"),
        Ok(submitted) => match next(heard) {
            Heard::Completed(id, result) if id == submitted => result,
            other => panic!("{other:?}"),
        },
    }
}

const FOR_EVER: Ask = Ask::Wait(Duration::from_secs(3600));
