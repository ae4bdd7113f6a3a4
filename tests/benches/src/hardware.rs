//! Plays the hardware of the software mailbox.
//!
//! A thread plays it, like a device: it polls the doorbell on a CPU that is reserved for it, and
//! answers a little later, when the requester sleeps. By then everything that a way does after its
//! doorbell is over, and every way that sleeps has to be woken. If there is no CPU to reserve,
//! because there are too few or because the reaper keeps one busy, the requester plays the
//! hardware: it answers right after its call.
//!
//! The hardware's own time, from the call's return to the interrupt, is not part of the whole.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use ringback_driver::card::mailbox::SoftMailbox;
use ringback_driver::device::soft::SoftInterrupt;

use crate::aside::enter;
use crate::clock::now;

/// How long the hardware takes, in ns: longer than a thread needs to fall asleep, and much shorter
/// than the short gap.
pub(crate) const THINKS: u64 = 8_000;

/// What answers the requests.
#[derive(Debug)]
pub(crate) enum Hardware {
    /// The requester, after its call.
    Requester(Mailbox),
    /// A thread of its own.
    Thread(Player),
    /// A real device or a kernel module; some of them report the time of their last interrupt.
    Real(Option<Told>),
}

/// Reads the time of a device's last interrupt.
#[derive(Clone)]
pub(crate) struct Told(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Told {
    pub(crate) fn new(time: impl Fn() -> u64 + Send + Sync + 'static) -> Told {
        Told(Arc::new(time))
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told")
    }
}

/// The mailbox, from the hardware's side.
#[derive(Debug, Clone)]
pub(crate) struct Mailbox {
    mailbox: SoftMailbox,
    interrupt: SoftInterrupt,
}

impl Mailbox {
    /// Answers the waiting requests and interrupts. Returns the time of that, if there were any.
    fn answer(&self) -> Option<u64> {
        let raised = now();
        (self.mailbox.step(usize::MAX) != 0).then(|| {
            self.interrupt.raise();
            raised
        })
    }
}

/// The thread that plays the hardware.
#[derive(Debug)]
pub(crate) struct Player {
    mailbox: Mailbox,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    plays: AtomicBool,
    over: AtomicBool,
    raises: Raises,
}

/// The times of the last interrupts.
#[derive(Debug)]
struct Raises {
    times: [AtomicU64; 64],
    count: AtomicUsize,
}

impl Default for Raises {
    fn default() -> Self {
        Raises { times: [const { AtomicU64::new(0) }; 64], count: AtomicUsize::new(0) }
    }
}

impl Raises {
    fn push(&self, time: u64) {
        let count = self.count.load(Ordering::Relaxed);
        self.times[count % self.times.len()].store(time, Ordering::Relaxed);
        self.count.store(count + 1, Ordering::Release);
    }

    /// The first time in the range from `from` to `to`.
    fn between(&self, from: u64, to: u64) -> Option<u64> {
        let count = self.count.load(Ordering::Acquire);
        let back = (count.saturating_sub(self.times.len())..count).rev();
        back.map(|n| self.times[n % self.times.len()].load(Ordering::Relaxed))
            .skip_while(|&time| time > to)
            .take_while(|&time| time >= from)
            .last()
    }
}

impl Player {
    fn start(mailbox: Mailbox, cpu: usize) -> io::Result<Player> {
        let state = Arc::new(State::default());
        let (entered, ready) = mpsc::sync_channel(1);
        let thread = {
            let (mailbox, state) = (mailbox.clone(), Arc::clone(&state));
            thread::Builder::new().name("hardware".into()).spawn(move || {
                let there = enter(cpu);
                let _ = entered.send(there);
                if there.is_ok() {
                    play(&mailbox, &state);
                }
            })?
        };
        let player = Player { mailbox, state, thread: Some(thread) };
        ready.recv().map_err(|_| io::ErrorKind::BrokenPipe)??;
        Ok(player)
    }
}

fn play(mailbox: &Mailbox, state: &State) {
    while !state.over.load(Ordering::Relaxed) {
        std::hint::spin_loop();
        if !state.plays.load(Ordering::Acquire) || mailbox.mailbox.waiting() == 0 {
            continue;
        }
        let answers = now() + THINKS;
        while now() < answers {
            std::hint::spin_loop();
        }
        // Stored before the answer, because a polling reaper could read the answer at once.
        state.raises.push(now());
        mailbox.answer();
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Hardware {
    /// Makes a mailbox that a thread on this CPU plays, or the requester.
    pub(crate) fn played(
        mailbox: SoftMailbox,
        interrupt: SoftInterrupt,
        cpu: Option<usize>,
    ) -> io::Result<Hardware> {
        let mailbox = Mailbox { mailbox, interrupt };
        match cpu {
            Some(cpu) => Ok(Hardware::Thread(Player::start(mailbox, cpu)?)),
            None => Ok(Hardware::Requester(mailbox)),
        }
    }

    /// Accepts the submitted requests and never answers them, if the hardware is played.
    pub(crate) fn hold(&self) {
        match self {
            Hardware::Requester(mailbox) => mailbox.mailbox.hold(),
            Hardware::Thread(player) => player.mailbox.mailbox.hold(),
            Hardware::Real(_) => {}
        }
    }

    /// Answers from now on.
    pub(crate) fn begin(&self) {
        if let Hardware::Thread(player) = self {
            player.state.plays.store(true, Ordering::Release);
        }
    }

    /// Returns whether the requester has to play the hardware.
    pub(crate) fn is_requester(&self) -> bool {
        matches!(self, Hardware::Requester(_))
    }

    /// Plays the hardware, if the requester has to, and returns the time of the interrupt. `None`
    /// also if no request is there yet: if the card was busy, the thread that holds it rings the
    /// doorbell later.
    pub(crate) fn answer(&self) -> Option<u64> {
        match self {
            Hardware::Requester(mailbox) => mailbox.answer(),
            Hardware::Thread(_) | Hardware::Real(_) => None,
        }
    }

    /// Returns when the hardware has interrupted for a request whose call returned at `from` and
    /// whose callback ran at `to`, if that is known.
    pub(crate) fn raised(&self, from: u64, to: u64) -> Option<u64> {
        match self {
            Hardware::Thread(player) => player.state.raises.between(from, to),
            // It is read after the callback, and another thread's interrupt may have come in
            // between.
            Hardware::Real(told) => told.as_ref().map(|told| (told.0)()).filter(|&time| time <= to),
            Hardware::Requester(_) => None,
        }
    }

    /// Interrupts once more, for a reaper that is to stop at the next interrupt and has rung the
    /// doorbell.
    pub(crate) fn nudge(&self) {
        self.begin();
        self.answer();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_belongs_to_the_first_interrupt_after_it() {
        let raises = Raises::default();
        for time in 1..=100 {
            raises.push(10 * time);
        }
        assert_eq!(raises.between(915, 945), Some(920));
        assert_eq!(raises.between(920, 920), Some(920));
        assert_eq!(raises.between(921, 929), None);
        assert_eq!(raises.between(1001, 2000), None);
        // Times that are not stored any more are not invented.
        assert_eq!(raises.between(0, 300), None);
    }
}
