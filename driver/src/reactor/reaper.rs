//! The reaper's thread and its ring.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::Time;
use crate::device::Files;
use crate::device::ring::{FileIndex, Ring, RingError};
use crate::engine::{Engine, Failure};
use crate::request::{CapacityError, RequestId, Table, Token};

use super::card::{Arrived, Card, Core};
use super::clock::Clock;
use super::delivery::{Alarms, Look, Reaping};
use super::handle::Handle;
use super::realtime::Granted;
use super::samples::{Order, Ports};
use super::user_data::{self, Kind};
use super::{LOOK_INTERVAL, Options, SETTLE_LIMIT, Upcalls, Waiting};

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
    granted: Granted,
}

impl<E: Engine> Driver<E> {
    /// Starts the reaper for an engine: it sleeps while there is nothing to do.
    ///
    /// `files` are the card's: its interrupt file (an `Option`, `None` where there is none), or
    /// [`Files`] where the kernel moves its samples. `capacity` is the number of requests that can be outstanding, 1 to 65536 (4096 is a good one).
    ///
    /// # Errors
    /// [`StartError`], naming the cause.
    pub fn start(
        engine: E,
        files: impl Into<Files>,
        upcalls: impl Upcalls<E::Event>,
        capacity: usize,
    ) -> Result<Driver<E>, StartError> {
        let options = Options { capacity, ..Options::default() };
        Self::start_with(engine, files, upcalls, &options)
    }

    /// As [`Driver::start`], with a reaper that waits otherwise or asks for real-time settings.
    ///
    /// # Errors
    /// [`StartError`], naming the cause. A setting that is refused is none; see
    /// [`Driver::granted`].
    pub fn start_with(
        engine: E,
        files: impl Into<Files>,
        upcalls: impl Upcalls<E::Event>,
        options: &Options,
    ) -> Result<Driver<E>, StartError> {
        let files = files.into();
        let (card, kicked) = card(engine, options.capacity)?;
        let reaping = Reaping::new(Arc::clone(&card), upcalls);
        let (started, ready) = mpsc::sync_channel(1);
        let (realtime, waiting) = (options.realtime.clone(), options.waiting);
        let thread = thread::Builder::new()
            .name("ringback".into())
            .spawn(move || match Reaper::new(reaping, files, kicked, waiting) {
                Ok(mut reaper) => {
                    let _ = started.send(Ok(realtime.apply()));
                    reaper.run();
                }
                Err(error) => {
                    let _ = started.send(Err(error));
                }
            })
            .map_err(system("creating its thread"))?;
        // The ring belongs to its thread, so only the thread can say whether there is one.
        let gone = || system("its thread")(io::ErrorKind::BrokenPipe.into());
        let granted = ready.recv().map_err(|_| gone())??;
        Ok(Driver { card, thread: Some(thread), granted })
    }

    /// A way to the card.
    pub fn handle(&self) -> Handle<E> {
        Handle { card: Arc::clone(&self.card) }
    }

    /// What came of the real-time settings that were asked for.
    pub fn granted(&self) -> &Granted {
        &self.granted
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

fn system(what: &'static str) -> impl Fn(io::Error) -> StartError {
    move |source| StartError::System { what, source }
}

/// A card on the real clock, and the file by which its reaper is woken.
pub(super) fn card<E: Engine>(
    engine: E,
    capacity: usize,
) -> Result<(Arc<Card<E>>, OwnedFd), StartError> {
    let table = Table::with_capacity(capacity)?;
    let kick = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)
        .map_err(|error| system("eventfd")(error.into()))?;
    let kicked = kick.as_fd().try_clone_to_owned().map_err(system("duplicating an eventfd"))?;
    let core = Core::new(table, Clock::Monotonic, Some(kick));
    Ok((Arc::new(Card::new(engine, core)), kicked))
}

/// Deadlines are TIMEOUTs in the ring, each under its request's id.
struct RingAlarms<'a>(&'a mut Ring, &'a mut Ports);

impl Alarms for RingAlarms<'_> {
    fn arm(&mut self, request: Token, id: RequestId, at: Time) {
        self.0.timeout(at.as_nanos(), user_data::deadline(request, id));
    }
    fn disarm(&mut self, request: Token, id: RequestId) {
        let target = user_data::deadline(request, id);
        self.0.cancel_timeout(target, user_data::removal(request, id));
    }
    fn order(&mut self, order: Order) {
        self.1.order(order, self.0);
    }
}

/// The ring and what goes up from it. Belongs to one thread, which is the reaper.
pub(super) struct Reaper<E: Engine, U> {
    reaping: Reaping<E, U>,
    ring: Ring,
    waiting: Waiting,
    wake: FileIndex,
    interrupt: Option<FileIndex>,
    ports: Ports,
    /// Completions of ports, kind by kind with their results.
    heard: Vec<(Kind, u64, i32)>,
    arrived: Arrived,
    /// When the TIMEOUT ends that stands in the ring for sleeps that end no sooner.
    alarm: Option<Time>,
    /// When a reaper that never sleeps listens to the interrupt file again.
    renewal: Time,
    /// When there was something to do last.
    active: Time,
    /// When to give up on tickets that are held, once shutting down has begun.
    give_up: Option<Time>,
    over: bool,
}

impl<E: Engine, U: Upcalls<E::Event>> Reaper<E, U> {
    pub(super) fn new(
        reaping: Reaping<E, U>,
        files: Files,
        kicked: OwnedFd,
        waiting: Waiting,
    ) -> Result<Self, RingError> {
        let mut ring = Ring::new(reaping.card.core.table.capacity())?;
        let wake = ring.add_file(kicked)?;
        let Files { interrupt, ports } = files;
        let interrupt = interrupt.map(|file| ring.add_file(file.fd)).transpose()?;
        let ports = Ports::new(ports, &mut ring)?;
        reaping.card.core.become_reaper();
        Ok(Reaper {
            reaping,
            ring,
            waiting,
            wake,
            interrupt,
            ports,
            heard: Vec::new(),
            arrived: Arrived::default(),
            alarm: None,
            renewal: Time::ZERO,
            active: Time::ZERO,
            give_up: None,
            over: false,
        })
    }

    /// Until the card is shut down and everything is delivered.
    pub(super) fn run(&mut self) {
        while !self.over {
            let look = self.look();
            self.wait(look, Time::NEVER);
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Looks at the card until there is nothing more to deliver, or for so long that the ring has to
    /// be looked at again.
    pub(super) fn look(&mut self) -> Look {
        let core = &self.reaping.card.core;
        // Before looking: what comes from now on is announced again.
        core.doze.awake();
        if core.stopping.load(Ordering::Acquire) && self.give_up.is_none() {
            self.give_up = Some(core.clock.now() + SETTLE_LIMIT);
            self.reaping.card.with(|state| state.stop());
        }
        let alarms = &mut RingAlarms(&mut self.ring, &mut self.ports);
        let mut look = self.reaping.look(&mut self.arrived, alarms);
        let mut delivered = look.delivered;
        for _ in 1..ROUNDS {
            if look.delivered == 0 {
                break;
            }
            look = self.reaping.look(&mut self.arrived, alarms);
            delivered += look.delivered;
        }
        if delivered != 0 {
            self.active = look.now;
        }
        look.again |= look.delivered != 0;
        look.delivered = delivered;
        if !look.again && self.has_ended() {
            self.over = true;
            self.reaping.card.core.over();
        }
        look
    }

    /// Waits for something to do, but not beyond `latest`, and takes it from the ring. Polling, it
    /// may deliver at once: gives how many upcalls that were.
    pub(super) fn wait(&mut self, look: Look, latest: Time) -> usize {
        if self.over {
            return 0;
        }
        // What is in flight already is not queued again.
        self.ring.listen(self.wake, user_data::wake());
        self.listen(look.now);
        self.ports.listen(&mut self.ring);
        let again = look.again || self.ports.has_news();
        let until = self.give_up.unwrap_or(Time::NEVER).min(look.until).min(latest);
        let waited = match self.waiting {
            _ if again => self.ring.poll().map(|()| 0),
            Waiting::Sleep => self.sleep(until),
            Waiting::Spin(limit) => {
                let watched = self.watch(until.min(self.active + limit));
                watched.and_then(|found| found.map_or_else(|| self.sleep(until), Ok))
            }
            Waiting::Poll => self.watch(until).map(Option::unwrap_or_default),
        };
        self.take();
        waited.unwrap_or_else(|error| {
            tracing::error!(%error, "the ring failed; every request on this card fails");
            self.reaping.card.with(|state| state.fail(Failure::Internal));
            self.reaping.card.core.stopping.store(true, Ordering::Release);
            0
        })
    }

    /// Has the ring tell of the card's interrupts. Who watches the card all the time knows before they
    /// come, and only wants to hear now and then whether the card is still there.
    fn listen(&mut self, now: Time) {
        let Some(file) = self.interrupt else { return };
        if !E::POLLS || self.waiting != Waiting::Poll {
            self.ring.listen(file, user_data::interrupt());
        } else if self.renewal <= now {
            self.ring.listen_once(file, user_data::interrupt());
            self.renewal = now + LOOK_INTERVAL;
        }
    }

    fn sleep(&mut self, until: Time) -> Result<usize, RingError> {
        if self.reaping.card.core.doze.fall_asleep() {
            // Starting and cancelling a timer for each sleep would cost more than all the rest here.
            if self.alarm.is_none() && until != Time::NEVER {
                self.ring.timeout(until.as_nanos(), user_data::alarm());
                self.alarm = Some(until);
            }
            let in_time = self.alarm.is_none_or(|alarm| alarm <= until);
            self.ring.wait((!in_time).then_some(until.as_nanos()))?;
        } else {
            self.ring.poll()?;
        }
        Ok(0)
    }

    /// Looks for something to do, again and again: what was delivered on the way, or `None` if there
    /// was nothing to do by then.
    fn watch(&mut self, until: Time) -> Result<Option<usize>, RingError> {
        loop {
            self.ring.poll()?;
            if self.take() || self.reaping.card.core.doze.is_notified() {
                return Ok(Some(0));
            }
            let look = self.reaping.poll(&mut RingAlarms(&mut self.ring, &mut self.ports));
            if look.delivered != 0 || look.again {
                self.active = look.now;
                return Ok(Some(look.delivered));
            }
            if look.now >= until {
                return Ok(None);
            }
            std::hint::spin_loop();
        }
    }

    /// Takes what has come up the ring. `true` if that was anything.
    fn take(&mut self) -> bool {
        let Reaper { reaping, ring, interrupt, arrived, alarm, ports, heard, .. } = self;
        let table = &reaping.card.core.table;
        let mut any = false;
        ring.completions(&mut |completion| {
            any = true;
            match user_data::classify(completion.user_data, table) {
                Kind::Wake => {}
                Kind::Interrupt if completion.result > 0 => {
                    arrived.interrupted = true;
                }
                Kind::Interrupt => {
                    let error = io::Error::from_raw_os_error(-completion.result);
                    tracing::error!(%error, "the interrupt file failed; the card is gone");
                    *interrupt = None;
                    arrived.gone = true;
                }
                // Removed: the request has ended and the slot's next user has a stamp of its own.
                Kind::Deadline(_) if completion.result == -libc::ECANCELED => {}
                Kind::Deadline(request) => arrived.expired.push(request),
                Kind::Alarm => *alarm = None,
                Kind::LateDeadline | Kind::Removal | Kind::Silence => {}
                kind @ (Kind::Received(_) | Kind::Play { .. }) => {
                    heard.push((kind, completion.user_data, completion.result));
                }
                Kind::Unknown => {
                    tracing::error!(user_data = completion.user_data, "an unknown completion");
                }
            }
        });
        for (kind, user_data, result) in heard.drain(..) {
            ports.completed(kind, user_data, result, ring, arrived);
        }
        ports.tell(arrived);
        any
    }

    /// Whether shutting down has come to its end.
    fn has_ended(&self) -> bool {
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
}
