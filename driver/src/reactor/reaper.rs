//! The reaper's thread and its ring.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::Time;
use crate::device::ring::{FileIndex, Ring, RingError};
use crate::device::{InterruptFd, InterruptSize};
use crate::engine::{Engine, Failure};
use crate::request::{CapacityError, RequestId, Table, Token};

use super::card::{Card, Core};
use super::clock::Clock;
use super::delivery::{Alarms, Reaping};
use super::handle::Handle;
use super::user_data::{self, Kind};
use super::{SETTLE_LIMIT, Upcalls};

/// Rounds of delivery between two looks at the ring.
const ROUNDS: usize = 32;

/// Why the reaper could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The capacity is out of range.
    #[error(transparent)]
    Capacity(#[from] CapacityError),
    /// io_uring is missing, disabled or blocked.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// A system call of the start failed.
    #[error("the reaper could not start: {what} failed: {source}")]
    System {
        /// Which one.
        what: &'static str,
        /// Its error.
        source: io::Error,
    },
}

/// A running card: owns its reaper. Dropping it shuts the card down.
pub struct Driver<E: Engine> {
    card: Arc<Card<E>>,
    thread: Option<JoinHandle<()>>,
}

impl<E: Engine> Driver<E> {
    /// Starts the reaper for an engine.
    ///
    /// `interrupt` is the card's interrupt file, `None` where there is none; `capacity` the number of
    /// requests that can be outstanding, 1 to 65536 (4096 is a good one).
    ///
    /// # Errors
    /// [`StartError`], naming the cause.
    pub fn start(
        engine: E,
        interrupt: Option<InterruptFd>,
        upcalls: impl Upcalls<E::Event>,
        capacity: usize,
    ) -> Result<Driver<E>, StartError> {
        let system = |what| move |source: io::Error| StartError::System { what, source };
        let table = Table::with_capacity(capacity)?;
        let kick = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)
            .map_err(|error| system("eventfd")(error.into()))?;
        let kicked = std::os::fd::AsFd::as_fd(&kick)
            .try_clone_to_owned()
            .map_err(system("duplicating an eventfd"))?;
        let core = Core::new(table, Clock::Monotonic, Some(kick));
        let card = Arc::new(Card::new(engine, core));
        let reaping = Reaping::new(Arc::clone(&card), upcalls);
        let (started, ready) = mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name("ringback".into())
            .spawn(move || match Reaper::new(reaping, interrupt, kicked) {
                Ok(reaper) => {
                    let _ = started.send(Ok(()));
                    reaper.run();
                }
                Err(error) => {
                    let _ = started.send(Err(error));
                }
            })
            .map_err(system("creating its thread"))?;
        // The ring belongs to its thread, so only the thread can say whether there is one.
        let gone = || system("its thread")(io::ErrorKind::BrokenPipe.into());
        ready.recv().map_err(|_| gone())??;
        Ok(Driver { card, thread: Some(thread) })
    }

    /// A way to the card.
    pub fn handle(&self) -> Handle<E> {
        Handle { card: Arc::clone(&self.card) }
    }

    /// Puts the hardware into its safe state, completes every outstanding request and delivers that;
    /// afterwards nothing is called any more (D12). From an upcall it does not wait: the rest is
    /// delivered once that upcall has returned.
    ///
    /// A ticket that is still held keeps its completion back; shutting down waits two seconds for it
    /// and then gives it up.
    pub fn shutdown(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.card.core.stopping.store(true, Ordering::Release);
        self.card.core.wake();
        if !self.card.core.is_reaper() && thread.join().is_err() {
            tracing::error!("the reaper panicked");
        }
    }
}

impl<E: Engine> Drop for Driver<E> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<E: Engine> fmt::Debug for Driver<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

/// Deadlines are TIMEOUTs in the ring, each under its request's id.
struct RingAlarms<'a>(&'a mut Ring);

impl Alarms for RingAlarms<'_> {
    fn arm(&mut self, request: Token, id: RequestId, at: Time) {
        self.0.timeout(at.as_nanos(), user_data::deadline(request, id));
    }
    fn disarm(&mut self, request: Token, id: RequestId) {
        let target = user_data::deadline(request, id);
        self.0.cancel_timeout(target, user_data::removal(request, id));
    }
}

struct Reaper<E: Engine, U> {
    reaping: Reaping<E, U>,
    ring: Ring,
    wake: FileIndex,
    interrupt: Option<FileIndex>,
    /// When to give up on tickets that are held, once shutting down has begun.
    give_up: Option<Time>,
}

impl<E: Engine, U: Upcalls<E::Event>> Reaper<E, U> {
    fn new(
        reaping: Reaping<E, U>,
        interrupt: Option<InterruptFd>,
        kicked: OwnedFd,
    ) -> Result<Self, RingError> {
        let mut ring = Ring::new(reaping.card.core.table.capacity())?;
        let wake = ring.add_file(kicked, InterruptSize::EventFd)?;
        ring.read(wake, user_data::wake());
        let interrupt = interrupt.map(|file| ring.add_file(file.fd, file.size)).transpose()?;
        if let Some(file) = interrupt {
            ring.read(file, user_data::interrupt());
        }
        reaping.card.core.become_reaper();
        Ok(Reaper { reaping, ring, wake, interrupt, give_up: None })
    }

    fn run(mut self) {
        let mut completions = Vec::with_capacity(1024);
        loop {
            let core = &self.reaping.card.core;
            // Before looking: what comes from now on wakes us again.
            core.doze.awake();
            if self.reaping.card.is_stopping() && self.give_up.is_none() {
                self.give_up = Some(core.clock.now() + SETTLE_LIMIT);
                self.reaping.card.with(|state| state.stop());
            }
            let mut look = self.reaping.look(&mut RingAlarms(&mut self.ring));
            for _ in 1..ROUNDS {
                if !look.delivered {
                    break;
                }
                look = self.reaping.look(&mut RingAlarms(&mut self.ring));
            }
            if !look.delivered && self.is_over() {
                return;
            }
            let core = &self.reaping.card.core;
            let until = self.give_up.unwrap_or(Time::NEVER).min(look.until);
            let result = if !look.delivered && core.doze.fall_asleep() {
                self.ring.wait(Some(until.as_nanos()))
            } else {
                self.ring.poll()
            };
            if let Err(error) = result {
                tracing::error!(%error, "the ring failed; every request on this card fails");
                self.reaping.card.with(|state| state.fail(Failure::Internal));
                self.reaping.card.core.stopping.store(true, Ordering::Release);
            }
            self.ring.completions(&mut |completion| completions.push(completion));
            for completion in completions.drain(..) {
                self.completed(completion);
            }
        }
    }

    /// Whether shutting down has come to its end.
    fn is_over(&self) -> bool {
        let Some(give_up) = self.give_up else { return false };
        if self.reaping.card.with(|state| state.is_empty()) {
            return true;
        }
        let over = self.reaping.card.core.clock.now() >= give_up;
        if over {
            tracing::error!("shut down while tickets were held; their completions are given up");
        }
        over
    }

    fn completed(&mut self, completion: crate::device::ring::Completion) {
        match user_data::classify(completion.user_data, &self.reaping.card.core.table) {
            Kind::Wake => {
                self.ring.read(self.wake, user_data::wake());
            }
            Kind::Interrupt if completion.result > 0 => {
                self.reaping.interrupt(completion.count);
                if let Some(file) = self.interrupt {
                    self.ring.read(file, user_data::interrupt());
                }
            }
            Kind::Interrupt => {
                let error = io::Error::from_raw_os_error(-completion.result);
                tracing::error!(%error, "the interrupt file failed; the card is gone");
                self.interrupt = None;
                self.reaping.card.with(|state| state.gone());
            }
            // Removed: the request has ended and the slot's next user has a stamp of its own.
            Kind::Deadline(_) if completion.result == -libc::ECANCELED => {}
            Kind::Deadline(request) => self.reaping.expired(request),
            Kind::LateDeadline | Kind::Removal => {}
            Kind::Unknown => {
                tracing::error!(user_data = completion.user_data, "an unknown completion");
            }
        }
    }
}
