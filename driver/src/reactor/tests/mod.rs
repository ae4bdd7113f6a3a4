//! The reactor against the real ring, in every way of waiting, with an engine that does just what a
//! test tells it.
//!
//! A test may not say when a command finds the card free: the reaper holds it at times of its own. So
//! a command that fails is refused at once (R4) or completes with its error (R6).

mod ends;
mod mailbox;
mod modes;
mod order;
mod samples;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Duration;

use super::*;
use crate::Time;
use crate::card::mailbox::{Complement, Mailbox, SoftMailbox};
use crate::device::soft::{SoftDevice, SoftInterrupt};
use crate::device::{Device, InterruptFd, InterruptSize};
use crate::engine::{Context, Engine, Failure};
use crate::request::{RequestId, Token};

/// Long enough for any machine; nothing waits this long unless it is broken.
const DEADLINE: Duration = Duration::from_secs(20);

enum Ask {
    /// Completes at once.
    Now(i32),
    /// Tells this event, then completes at once.
    Tell(u32, i32),
    /// Tells this event, then runs until someone ends it.
    TellAndWait(u32),
    /// Runs until someone ends it.
    Wait(Duration),
    /// Is refused.
    Refuse(i32),
    /// Panics in the engine.
    Panic,
}

#[derive(Default)]
struct Puppet {
    ended: Vec<(Token, Failure)>,
    stopped: bool,
}

impl Engine for Puppet {
    type Command = Ask;
    type Event = u32;
    fn lines(&self) -> usize {
        2
    }
    fn time_limit(ask: &Ask) -> Duration {
        if let Ask::Wait(limit) = ask { *limit } else { Duration::from_secs(60) }
    }
    fn failure(cause: Failure) -> i32 {
        match cause {
            Failure::Deadline => -1,
            Failure::Cancelled => -2,
            Failure::Closed => -3,
            Failure::Gone => -4,
            Failure::Internal => -5,
        }
    }
    fn start(&mut self, request: Token, ask: Ask, cx: &mut Context<'_, u32>) -> Result<(), i32> {
        match ask {
            Ask::Now(result) => assert!(cx.complete(request, result)),
            Ask::Tell(event, result) => {
                cx.event(0, event);
                cx.complete(request, result);
            }
            Ask::TellAndWait(event) => cx.event(0, event),
            Ask::Wait(_) => {}
            Ask::Refuse(result) => return Err(result),
            Ask::Panic => panic!("the puppet was told to"),
        }
        Ok(())
    }
    fn interrupt(&mut self, cx: &mut Context<'_, u32>) {
        cx.event(1, 3);
    }
    fn ended(&mut self, request: Token, cause: Failure, _: &mut Context<'_, u32>) {
        self.ended.push((request, cause));
    }
    fn stop(&mut self, _: &mut Context<'_, u32>) {
        self.stopped = true;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Heard {
    Completed(RequestId, i32),
    Event(usize, u32),
}

type Act = Box<dyn FnMut(Heard) + Send>;

/// Sends what it hears, with the thread that told it, and then does what the test wants.
struct Ear {
    heard: Sender<(Heard, ThreadId)>,
    act: Act,
}

impl Upcalls<u32> for Ear {
    fn completed(&mut self, completion: Completion) {
        self.hear(Heard::Completed(completion.id, completion.result));
    }
    fn event(&mut self, line: usize, event: u32) {
        self.hear(Heard::Event(line, event));
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

/// A way for the reaper to wait, and whose thread it is.
#[derive(Debug, Clone, Copy)]
enum Mode {
    Thread(Waiting),
    Local(Waiting),
}

/// Runs a test in every mode.
fn in_every_mode(test: impl Fn(Mode)) {
    let spin = Waiting::Spin(Duration::from_micros(200));
    for waiting in [Waiting::Sleep, spin, Waiting::Poll] {
        for mode in [Mode::Thread(waiting), Mode::Local(waiting)] {
            println!("{mode:?}");
            test(mode);
        }
    }
}

impl Mode {
    fn run<E: Engine>(
        self,
        engine: E,
        interrupt: Option<InterruptFd>,
        upcalls: impl Upcalls<E::Event>,
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

/// A driver, or a thread of an application that is the reaper; each shuts down when dropped.
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

/// Proves that nothing comes: something submitted later on the other line came first.
fn nothing_on_line_0(driver: &Running<Puppet>, heard: &Receiver<(Heard, ThreadId)>) {
    let id = {
        let ticket = driver.handle().submit(1, Ask::Now(0)).unwrap();
        ticket.id()
    };
    assert_eq!(next(heard), Heard::Completed(id, 0));
}

/// The result of a command that fails, which it may learn either way.
fn failure(handle: &Handle<Puppet>, ask: Ask, heard: &Receiver<(Heard, ThreadId)>) -> i32 {
    match handle.submit(0, ask).map(|ticket| ticket.id()) {
        Err(Refused::Rejected(result)) => result,
        Err(Refused::Closed) => Puppet::failure(Failure::Closed),
        Err(Refused::Failed(cause)) => Puppet::failure(cause),
        Err(other) => panic!("{other}"),
        Ok(submitted) => match next(heard) {
            Heard::Completed(id, result) if id == submitted => result,
            other => panic!("{other:?}"),
        },
    }
}

const FOR_EVER: Ask = Ask::Wait(Duration::from_secs(3600));
