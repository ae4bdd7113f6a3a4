//! The reaper's thread and its ring.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use crate::Time;
use crate::device::ring::{self, FileIndex, Places, Ring, RingError};
use crate::device::{Files, InterruptFileError};
use crate::engine::{Engine, Failure};
use crate::guard::contain;
use crate::report;
use crate::request::{CapacityError, RequestId, Table, Token};

use super::card::Card;
use super::clock::Clock;
use super::core::Core;
use super::delivery::{Alarms, Look, Reaping};
use super::handle::{Handle, Settled};
use super::handover::Work;
use super::kick::Kick;
use super::realtime::Granted;
use super::samples::{Order, Ports};
use super::state::{Arrived, State};
use super::user_data::{self, Kind};
use super::{LOOK_INTERVAL, Options, SETTLE_LIMIT, Upcalls, Waiting};

/// Panics of the reaper after which it gives up.
const MAX_PANICS: u32 = 3;

/// Errors of a POLL that pass, and say nothing about the file.
const PASSING: [i32; 5] = [libc::EAGAIN, libc::EINTR, libc::ENOMEM, libc::EBUSY, libc::ECANCELED];

/// After so many of them in a row the file counts as failed.
const MAX_REFUSED: u32 = 1000;

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
    /// What was given as the interrupt file can't be one.
    #[error(transparent)]
    InterruptFile(#[from] InterruptFileError),
    /// A system call of the start failed.
    #[error("the reaper could not start: {what} failed: {source}")]
    System {
        /// The system call, as the error names it.
        what: &'static str,
        /// The error that the system call gave.
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
    /// [`Files`] where the kernel moves its samples. `capacity` is the number of requests that can
    /// be outstanding, 1 to 65536 (4096 is a good one).
    ///
    /// # Errors
    /// [`StartError`], naming the cause.
    pub fn start(
        engine: E,
        files: impl Into<Files>,
        upcalls: impl Upcalls<E::Event, E::Output>,
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
        upcalls: impl Upcalls<E::Event, E::Output>,
        options: &Options,
    ) -> Result<Driver<E>, StartError> {
        let files = files.into();
        let (card, kicked) = card(engine, options.capacity)?;
        let reaping = Reaping::new(Arc::clone(&card), upcalls);
        let (started, ready) = mpsc::sync_channel(1);
        let (realtime, waiting) = (options.realtime.clone(), options.waiting);
        let reap = move || {
            // Before the reaper is made, which stores its thread's entitlement.
            let granted = realtime.apply();
            match Reaper::new(reaping, files, kicked, waiting) {
                Ok(mut reaper) => {
                    let _ = started.send(Ok(granted));
                    reaper.run();
                    reaper.end();
                }
                Err(error) => {
                    let _ = started.send(Err(error));
                }
            }
        };
        let spawned = thread::Builder::new().name("ringback".into()).spawn(reap);
        let begun = spawned.map_err(system("creating its thread")).and_then(|thread| {
            // The thread makes its own ring, so only the thread can report whether that worked.
            let gone = |_| system("its thread")(io::ErrorKind::BrokenPipe.into());
            Ok((thread, ready.recv().map_err(gone)??))
        });
        let (thread, granted) = begun.inspect_err(|_| give_back(&card))?;
        Ok(Driver { card, thread: Some(thread), granted })
    }

    /// Returns a handle of the card.
    pub fn handle(&self) -> Handle<E> {
        Handle { card: Arc::clone(&self.card) }
    }

    /// The answers to the real-time settings that were asked for.
    pub fn granted(&self) -> &Granted {
        &self.granted
    }

    /// Puts the hardware into its safe state at once, refuses everything from now on, completes
    /// every outstanding request and delivers that; afterwards nothing is called any more (D12).
    ///
    /// It waits three seconds at the most, and not at all in an upcall, of this card or of another;
    /// the result says which, and [`Handle::wait_ended`] waits later. The rest is delivered as soon
    /// as the upcall that is in the way has returned.
    ///
    /// A ticket that is still held keeps its completion back; shutting down waits two seconds for
    /// it and then gives it up.
    pub fn shutdown(mut self) -> Settled {
        self.end()
    }

    fn end(&mut self) -> Settled {
        let Some(thread) = self.thread.take() else { return Settled::Delivered };
        if self.card.core.is_foreign() {
            // The thread is the parent's, and so is the card.
            std::mem::forget(thread);
            return Settled::Delivered;
        }
        let settled = self.handle().shutdown();
        if settled == Settled::Delivered {
            // It has nothing left to do.
            let _ = thread.join();
        }
        settled
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
    let kick = Kick::new().map_err(system("eventfd"))?;
    let kicked = kick.file().map_err(system("duplicating an eventfd"))?;
    let core = Core::new(table, Clock::Monotonic, Some(kick));
    Ok((Arc::new(Card::new(engine, core)), kicked))
}

/// No reaper could be started for a card: its hardware may run already, and is stopped.
pub(super) fn give_back<E: Engine>(card: &Card<E>) {
    card.close(State::bury);
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

/// The ring and what is delivered from it. It belongs to one thread, which is the reaper.
pub(super) struct Reaper<E: Engine, U> {
    reaping: Reaping<E, U>,
    ring: Ring,
    waiting: Waiting,
    wake: FileIndex,
    interrupt: Option<FileIndex>,
    ports: Ports,
    intake: Intake,
    /// When a reaper that never sleeps listens to the interrupt file again.
    renewal: Time,
    /// Time of the last activity.
    active: Time,
    /// When to give up on tickets that are held, once shutting down has begun.
    give_up: Option<Time>,
    /// The ring has failed; what is left to do is done without it.
    broken: bool,
    /// How often this thread has panicked outside of an upcall and of the engine.
    panics: u32,
    over: bool,
}

impl<E: Engine, U: Upcalls<E::Event, E::Output>> Reaper<E, U> {
    pub(super) fn new(
        reaping: Reaping<E, U>,
        files: Files,
        kicked: OwnedFd,
        waiting: Waiting,
    ) -> Result<Self, StartError> {
        let Files { interrupt, ports } = files;
        if let Some(file) = &interrupt {
            file.check()?;
        }
        let places = Places { files: 1 + usize::from(interrupt.is_some()), ports: ports.len() };
        let mut ring = Ring::new(reaping.card.core.table.capacity(), places)?;
        let wake = ring.add_file(kicked)?;
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
            intake: Intake::default(),
            renewal: Time::ZERO,
            active: Time::ZERO,
            give_up: None,
            broken: false,
            panics: 0,
            over: false,
        })
    }

    /// Runs until the card is shut down and everything is delivered.
    pub(super) fn run(&mut self) {
        // The loop is entered again after each panic.
        while !self.over {
            self.turn(|reaper| {
                while !reaper.over {
                    let look = reaper.look();
                    reaper.wait(look, Time::NEVER);
                }
                0
            });
        }
    }

    /// Runs a part of the loop. A panic in it ends the card in order: the engine is stopped, and
    /// every request that was accepted is completed and delivered.
    pub(super) fn turn(&mut self, act: impl FnOnce(&mut Self) -> usize) -> usize {
        contain(|| act(self)).unwrap_or_else(|text| {
            self.panics += 1;
            report!(ERROR, "the reaper panicked ({text}); the card is stopped");
            self.fail();
            // After repeated panics nothing more can be delivered.
            self.over |= self.panics > MAX_PANICS;
            0
        })
    }

    /// Stops a card that has failed by no fault of its engine, and completes every request.
    fn fail(&mut self) {
        let card = &self.reaping.card;
        if let Err(text) = contain(|| card.close(|state| state.end(Failure::Internal))) {
            report!(ERROR, "the card could not be stopped: {text}");
        }
        card.core.stop(Failure::Internal);
    }

    /// The last act; see [`Reaping::end`].
    pub(super) fn end(self) {
        let Reaper { reaping, ring, .. } = self;
        reaping.end(ring);
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// As [`Reaping::judge`].
    pub(super) fn judge(&mut self) {
        self.reaping.judge();
    }

    /// Looks at the card until there is nothing more to deliver, or for so long that the ring has
    /// to be looked at again.
    pub(super) fn look(&mut self) -> Look {
        let core = &self.reaping.card.core;
        // Before looking: what is queued from now on notifies the reaper again.
        core.doze.awake();
        if core.is_stopping() && self.give_up.is_none() {
            self.give_up = Some(core.clock.now() + SETTLE_LIMIT);
            // Usually the thread that shuts the card down has done this already; not if it was in
            // an engine.
            self.reaping.card.close(|state| state.end(Failure::Closed));
        }
        let alarms = &mut RingAlarms(&mut self.ring, &mut self.ports);
        let arrived = &mut self.intake.arrived;
        let mut look = self.reaping.rounds(arrived, alarms);
        if look.delivered != 0 {
            self.active = look.now;
        }
        if !look.again {
            let (ended, again) = self.has_ended();
            self.over |= ended;
            look.again = again;
        }
        look
    }

    /// Waits for something to do, until `latest` at most, and takes it from the ring. A polling
    /// reaper may deliver at once; returns how many upcalls that were.
    pub(super) fn wait(&mut self, look: Look, latest: Time) -> usize {
        if self.over {
            return 0;
        }
        if self.broken {
            let until = self.give_up.unwrap_or(look.now).min(latest);
            if !look.again && self.reaping.card.core.doze.fall_asleep() {
                self.reaping.card.core.sleep(until - look.now);
            }
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
            report!(ERROR, "the ring failed ({error}); the card is stopped");
            self.broken = true;
            self.fail();
            0
        })
    }

    /// Arms a poll on the interrupt file. A polling reaper sees interrupts before they are
    /// signalled and uses the file only to detect removal.
    fn listen(&mut self, now: Time) {
        let Some(file) = self.interrupt.filter(|_| !self.intake.deaf) else { return };
        if !E::POLLS || self.waiting != Waiting::Poll {
            self.ring.listen(file, user_data::interrupt());
        } else if self.renewal <= now {
            self.ring.listen_once(file, user_data::interrupt());
            self.renewal = now + LOOK_INTERVAL;
        }
    }

    fn sleep(&mut self, until: Time) -> Result<usize, RingError> {
        if self.reaping.card.core.doze.fall_asleep() {
            // Starting and cancelling a timer for each sleep would cost more than all the rest
            // here.
            let alarm = &mut self.intake.alarm;
            if alarm.is_none() && until != Time::NEVER {
                self.ring.timeout(until.as_nanos(), user_data::alarm());
                *alarm = Some(until);
            }
            let in_time = alarm.is_none_or(|alarm| alarm <= until);
            self.ring.wait((!in_time).then_some(until.as_nanos()))?;
        } else {
            self.ring.poll()?;
        }
        Ok(0)
    }

    /// Polls for something to do until `until`. Returns how many upcalls were delivered meanwhile,
    /// or `None` if there was nothing to do.
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

    /// Takes completions from the ring; `true` if there were any.
    fn take(&mut self) -> bool {
        let Reaper { reaping, ring, intake, ports, .. } = self;
        let table = &reaping.card.core.table;
        let mut any = false;
        ring.completions(&mut |completion| {
            any = true;
            intake.take(completion, table);
        });
        let Intake { heard, arrived, .. } = intake;
        if !heard.is_empty() || ports.has_news() {
            for (kind, user_data, result) in heard.drain(..) {
                ports.completed(kind, user_data, result, ring, arrived);
            }
            ports.tell(arrived);
        }
        any
    }

    /// Whether shutting down has come to its end, and whether to look again before waiting.
    fn has_ended(&self) -> (bool, bool) {
        let Some(give_up) = self.give_up else { return (false, false) };
        let now = self.reaping.card.core.clock.now();
        self.reaping.card.reap(now, |state| {
            // After the limit, what tickets hold back is named in the log and given up, and only
            // that.
            let ended = state.is_empty() || now >= give_up && state.pass_held();
            (ended, state.leave())
        })
    }
}

/// Interprets completion queue entries.
#[derive(Debug, Default)]
struct Intake {
    arrived: Arrived,
    /// Completions of ports, kind by kind with their results.
    heard: Vec<(Kind, u64, i32)>,
    /// Expiry of the TIMEOUT currently in the ring, if any. A sleep that ends later reuses it.
    alarm: Option<Time>,
    /// POLLs of the interrupt file that have failed, one after the other.
    refused: u32,
    /// The interrupt file has failed: it is polled no more.
    deaf: bool,
}

impl Intake {
    fn take(&mut self, completion: ring::Completion, table: &Table) {
        let ring::Completion { user_data, result } = completion;
        let error = || io::Error::from_raw_os_error(-result);
        match user_data::classify(user_data, table) {
            Kind::Interrupt if result > 0 => {
                self.refused = 0;
                self.arrived.interrupted = true;
            }
            // The kernel could not poll the file for the moment: the POLL is submitted again.
            Kind::Interrupt if PASSING.contains(&-result) && self.refused < MAX_REFUSED => {
                self.refused += 1;
            }
            Kind::Interrupt => {
                report!(ERROR, "the interrupt file failed ({}); the card is gone", error());
                self.deaf = true;
                self.arrived.gone = true;
            }
            Kind::Deadline(request) if result == -libc::ETIME => {
                self.arrived.expired.push(request);
            }
            // This driver did not cancel it: it removes only TIMEOUTs of requests that are over.
            Kind::Deadline(request) => {
                report!(WARN, "the kernel keeps no time limit ({}); it gets it again", error());
                self.arrived.unarmed.push(request);
            }
            Kind::Alarm => self.alarm = None,
            Kind::Wake | Kind::LateDeadline | Kind::Removal | Kind::Silence => {}
            kind @ (Kind::Received(_) | Kind::Play { .. }) => {
                self.heard.push((kind, user_data, result));
            }
            Kind::Unknown => report!(ERROR, "an unknown completion: {user_data:#x}"),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_kernel_is_neither_a_deadline_nor_the_end_of_the_card() {
        let table = Table::with_capacity(1).unwrap();
        let (id, request) = table.reserve(None, 0, Time::ZERO, Time::NEVER).unwrap();
        let mut intake = Intake::default();
        let mut take = |user_data, result| {
            intake.take(ring::Completion { user_data, result }, &table);
            let Arrived { expired, unarmed, interrupted, gone, .. } =
                std::mem::take(&mut intake.arrived);
            (expired, unarmed, interrupted, gone)
        };
        let deadline = user_data::deadline(request, id);
        for error in [libc::ENOMEM, libc::EINVAL, libc::ECANCELED] {
            assert_eq!(take(deadline, -error), (vec![], vec![request], false, false));
        }
        assert_eq!(take(deadline, -libc::ETIME), (vec![request], vec![], false, false));
        let interrupt = user_data::interrupt();
        for error in PASSING {
            assert_eq!(take(interrupt, -error), (vec![], vec![], false, false));
        }
        assert_eq!(take(interrupt, 1), (vec![], vec![], true, false));
        assert_eq!(take(interrupt, -libc::EIO), (vec![], vec![], false, true));
        assert!(intake.deaf);
    }

    #[test]
    fn a_file_that_can_never_be_listened_to_is_not_asked_for_ever() {
        let table = Table::with_capacity(1).unwrap();
        let mut intake = Intake::default();
        let refused = ring::Completion { user_data: user_data::interrupt(), result: -libc::ENOMEM };
        for _ in 0..=MAX_REFUSED {
            assert!(!intake.arrived.gone);
            intake.take(refused, &table);
        }
        assert!(intake.arrived.gone && intake.deaf);
    }

    #[test]
    fn deadlines_of_requests_that_are_over_say_nothing() {
        let table = Table::with_capacity(1).unwrap();
        let (id, request) = table.reserve(None, 0, Time::ZERO, Time::NEVER).unwrap();
        table.complete(request, 0, Time::ZERO);
        let mut intake = Intake::default();
        for result in [-libc::ETIME, -libc::ECANCELED, -libc::ENOENT] {
            let user_data = user_data::deadline(request, id);
            intake.take(ring::Completion { user_data, result }, &table);
        }
        assert!(intake.arrived.expired.is_empty() && intake.arrived.unarmed.is_empty());
    }
}
