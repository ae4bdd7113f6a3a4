//! The reaper: owns the ring, and runs the loop that waits for it and delivers.

use std::os::fd::OwnedFd;

use crate::Time;
use crate::device::Files;
use crate::device::ring::{FileIndex, Places, Ring, RingError};
use crate::engine::{Engine, Failure};
use crate::guard::contain;
use crate::report;
use crate::request::{RequestId, Token};

use super::delivery::{Alarms, Look, Reaping};
use super::handover::Work;
use super::intake::Intake;
use super::samples::{Order, Ports};
use super::start::StartError;
use super::user_data;
use super::{LOOK_INTERVAL, SETTLE_LIMIT, Upcalls, Waiting};

/// The reaper gives up after more panics than this.
const MAX_PANICS: u32 = 3;

/// Keeps deadlines as TIMEOUTs in the ring, each under its request's id.
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

/// The ring, and the state of delivery. Belongs to one thread, which is the reaper.
pub(super) struct Reaper<E: Engine, U> {
    reaping: Reaping<E, U>,
    ring: Ring,
    waiting: Waiting,
    wake: FileIndex,
    interrupt: Option<FileIndex>,
    ports: Ports,
    intake: Intake,
    /// When a reaper that never sleeps polls the interrupt file again.
    renewal: Time,
    /// Time of the last activity; for [`Waiting::Spin`].
    active: Time,
    /// When a shutdown gives up waiting for held tickets; `None` before the shutdown.
    give_up: Option<Time>,
    /// Set when the ring has failed; the rest is done without it.
    broken: bool,
    /// How often this thread has panicked outside of upcalls and engine.
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
    /// every accepted request is completed and delivered.
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

    /// Stops a card that has failed without a fault of its engine, and completes every request.
    fn fail(&mut self) {
        let card = &self.reaping.card;
        if let Err(text) = contain(|| card.close(|state| state.end(Failure::Internal))) {
            report!(ERROR, "the card could not be stopped: {text}");
        }
        card.core.stop(Failure::Internal);
    }

    /// Runs [`Reaping::end`] with the ring as the rest.
    pub(super) fn end(self) {
        let Reaper { reaping, ring, .. } = self;
        reaping.end(ring);
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn judge(&mut self) {
        self.reaping.judge();
    }

    /// Looks at the card until there is nothing more to deliver, or until the ring has to be looked
    /// at again.
    pub(super) fn look(&mut self) -> Look {
        let core = &self.reaping.card.core;
        // This comes before the look: what is queued from now on notifies the reaper again.
        core.doze.awake();
        if core.is_stopping() && self.give_up.is_none() {
            self.give_up = Some(core.clock.now() + SETTLE_LIMIT);
            // Usually the thread that shuts the card down has done this already, but not if it was
            // in an engine.
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
    /// reaper may already deliver here; the result is the number of its upcalls.
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
        // If a POLL is already in flight, no other is queued.
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
            // A TIMEOUT that is still in the ring is used again, because starting and cancelling
            // one for each sleep would cost more than everything else here.
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

    /// Polls for something to do until `until`. Returns the number of upcalls that were delivered,
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

    /// Takes completions from the ring. Returns whether there were any.
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

    /// Returns whether the shutdown is complete, and whether to look again before waiting.
    fn has_ended(&self) -> (bool, bool) {
        let Some(give_up) = self.give_up else { return (false, false) };
        let now = self.reaping.card.core.clock.now();
        self.reaping.card.reap(now, |state| {
            // After the limit, completions that tickets hold back are logged and given up, but
            // nothing else.
            let ended = state.is_empty() || now >= give_up && state.pass_held();
            (ended, state.leave())
        })
    }
}
