//! The queue of commands for a busy card. Queueing is lock-free, and the queue can be closed.
//!
//! Each request has a place of its own, the one with the number of its slot. Queueing fills the
//! place and then pushes the slot on a stack with one compare-and-swap; the holder of the card
//! takes the whole stack with one swap and reverses it. A thread that is preempted while it queues
//! therefore delays neither the card nor another submitter, and commands are taken in the order in
//! which they were queued.
//!
//! Each line may queue only its share of the places, so that a line with endless requests can't
//! take all places from the others while the card is busy.
//!
//! Closing is a swap as well: queueing fails from then on, so that no command is accepted that
//! would never be taken.

use std::marker::PhantomData;

use crate::request::{LineNumber, RequestSlot};
use crate::sync::{AtomicU32, EvenPoisoned, Mutex, Ordering, will_write};

/// Marks the end of a list.
const NONE: u32 = u32::MAX;
/// The value of `newest` in a closed queue.
const CLOSED: u32 = u32::MAX - 1;

/// What a model can leave out or weaken, to show that it is needed.
pub(crate) trait Queueing {
    /// The memory order with which a command is pushed on the stack.
    const PUBLISHES: Ordering = Ordering::SeqCst;
    /// Whether closing is a single step.
    const CLOSES_AT_ONCE: bool = true;
}

/// The queued commands, by the slots of their requests.
#[derive(Debug)]
pub(crate) struct Commands<Command, Q> {
    /// The slot that was queued last: the top of the stack.
    newest: AtomicU32,
    /// For each slot the one that was queued before it (on the stack), or after it (once it is
    /// taken).
    next: Box<[AtomicU32]>,
    /// The command in each slot. The mutexes are never contended: the submitter has unlocked before
    /// the slot is on the stack.
    commands: Box<[Mutex<Option<Command>>]>,
    /// How many commands of each line are queued.
    queued: Box<[AtomicU32]>,
    /// How many commands of a line may be queued.
    share: u32,
    queueing: PhantomData<fn() -> Q>,
}

/// Commands that were taken from the queue and are not worked off yet. Belongs to the holder of the
/// card.
#[derive(Debug)]
pub(crate) struct Taken {
    oldest: u32,
}

impl Default for Taken {
    fn default() -> Self {
        Taken { oldest: NONE }
    }
}

impl Taken {
    pub(crate) fn is_empty(&self) -> bool {
        self.oldest == NONE
    }
}

/// Why a command was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotQueued {
    Closed,
    /// The line has queued this many commands already, which is its share.
    Crowded(usize),
}

impl<Command, Q: Queueing> Commands<Command, Q> {
    /// Makes a queue with a place for each slot below `capacity`, for `lines` lines.
    pub(crate) fn new(capacity: usize, lines: usize) -> Self {
        let share = if lines > 1 { capacity.div_ceil(2) } else { capacity };
        Commands {
            newest: AtomicU32::new(NONE),
            next: (0..capacity).map(|_| AtomicU32::new(NONE)).collect(),
            commands: (0..capacity).map(|_| Mutex::new(None)).collect(),
            queued: (0..lines).map(|_| AtomicU32::new(0)).collect(),
            share: share as u32,
            queueing: PhantomData,
        }
    }

    /// Queues the command of the request in a slot of this line. Only the thread that has just
    /// reserved the slot may call it.
    ///
    /// # Errors
    /// The queue is closed, or the line's share is used up.
    pub(crate) fn push(
        &self,
        slot: RequestSlot,
        line: LineNumber,
        command: Command,
    ) -> Result<(), NotQueued> {
        let (Some(next), Some(place)) =
            (self.next.get(slot.index()), self.commands.get(slot.index()))
        else {
            return Err(NotQueued::Closed);
        };
        let Some(queued) = self.queued.get(line.index()) else { return Err(NotQueued::Closed) };
        if queued.fetch_add(1, Ordering::Relaxed) >= self.share {
            queued.fetch_sub(1, Ordering::Relaxed);
            return Err(NotQueued::Crowded(self.share as usize));
        }
        *place.lock().even_poisoned() = Some(command);
        will_write(|order| self.newest.fetch_or(0, order));
        let mut newest = self.newest.load(Ordering::Relaxed);
        loop {
            if newest == CLOSED {
                // The command is not visible to others yet, because its slot is not on the stack.
                drop(place.lock().even_poisoned().take());
                queued.fetch_sub(1, Ordering::Relaxed);
                return Err(NotQueued::Closed);
            }
            next.store(newest, Ordering::Relaxed);
            // Publishes the place. Sequentially consistent, because the holder of the card looks
            // here after unlocking, and the submitter tries the card after queueing: one of the two
            // must see the other.
            match self.newest.compare_exchange_weak(
                newest,
                u32::from(slot.0),
                Q::PUBLISHES,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Ok(()),
                Err(now) => newest = now,
            }
        }
    }

    /// Returns whether nothing was queued since the last [`Commands::pop`].
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.newest.load(Ordering::SeqCst), NONE | CLOSED)
    }

    /// Takes the command that was queued first, with its slot; the caller has to call
    /// [`Commands::left`] then. Only the holder of the card may call it.
    pub(crate) fn pop(&self, taken: &mut Taken) -> Option<(RequestSlot, Command)> {
        if taken.is_empty() {
            if self.is_empty() {
                return None;
            }
            let newest = self.newest.swap(NONE, Ordering::SeqCst);
            self.turn_round(newest, taken);
        }
        self.pop_taken(taken)
    }

    /// Refuses everything from now on, and takes what was queued before. Only the holder of the
    /// card may call it.
    pub(crate) fn close(&self, taken: &mut Taken) {
        if !Q::CLOSES_AT_ONCE {
            self.turn_round(self.newest.swap(NONE, Ordering::SeqCst), taken);
            self.newest.store(CLOSED, Ordering::SeqCst);
            return;
        }
        let newest = self.newest.swap(CLOSED, Ordering::SeqCst);
        if newest != CLOSED {
            self.turn_round(newest, taken);
        }
    }

    /// Like [`Commands::pop`], but only from what was taken already.
    pub(crate) fn pop_taken(&self, taken: &mut Taken) -> Option<(RequestSlot, Command)> {
        let slot = taken.oldest as usize;
        let (next, place) = (self.next.get(slot)?, self.commands.get(slot)?);
        taken.oldest = next.load(Ordering::Relaxed);
        Some((RequestSlot::at(slot), place.lock().even_poisoned().take()?))
    }

    /// Notes that a command of this line has left the queue.
    pub(crate) fn left(&self, line: LineNumber) {
        if let Some(queued) = self.queued.get(line.index()) {
            queued.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Appends a stack, whose top is the newest command, to the taken ones, which begin with the
    /// oldest.
    fn turn_round(&self, newest: u32, taken: &mut Taken) {
        let (mut slot, mut oldest) = (newest, NONE);
        while let Some(next) = self.next.get(slot as usize) {
            let before = next.load(Ordering::Relaxed);
            next.store(oldest, Ordering::Relaxed);
            (oldest, slot) = (slot, before);
        }
        if taken.is_empty() {
            taken.oldest = oldest;
            return;
        }
        let mut last = taken.oldest;
        while let Some(next) = self.next.get(last as usize) {
            match next.load(Ordering::Relaxed) {
                NONE => return next.store(oldest, Ordering::Relaxed),
                slot => last = slot,
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    struct InUse;
    impl Queueing for InUse {}
    type Commands<Command> = super::Commands<Command, InUse>;

    /// Takes the first command that was queued on line 0, as the hand-over does.
    fn pop(commands: &Commands<char>, taken: &mut Taken) -> Option<(u16, char)> {
        let popped = commands.pop(taken).inspect(|_| commands.left(LineNumber(0)));
        popped.map(|(slot, command)| (slot.0, command))
    }

    fn all(commands: &Commands<char>, taken: &mut Taken) -> String {
        std::iter::from_fn(|| pop(commands, taken)).map(|(_, command)| command).collect()
    }

    #[test]
    fn what_was_queued_first_comes_first() {
        let (commands, mut taken) = (Commands::new(4, 1), Taken::default());
        for (slot, command) in [(2, 'a'), (0, 'b'), (3, 'c')] {
            commands.push(RequestSlot(slot), LineNumber(0), command).unwrap();
        }
        assert_eq!(pop(&commands, &mut taken), Some((2, 'a')));
        commands.push(RequestSlot(1), LineNumber(0), 'd').unwrap();
        assert!(!commands.is_empty() && !taken.is_empty());
        assert_eq!(all(&commands, &mut taken), "bcd");
        assert!(commands.is_empty() && taken.is_empty());
        commands.push(RequestSlot(2), LineNumber(0), 'e').unwrap();
        assert_eq!(all(&commands, &mut taken), "e");
    }

    #[test]
    fn c3_a_closed_queue_gives_what_it_has_and_takes_nothing() {
        let (commands, mut taken) = (Commands::new(4, 1), Taken::default());
        for (slot, command) in [(0, 'a'), (1, 'b'), (2, 'c')] {
            commands.push(RequestSlot(slot), LineNumber(0), command).unwrap();
        }
        assert_eq!(pop(&commands, &mut taken), Some((0, 'a')));
        commands.push(RequestSlot(0), LineNumber(0), 'd').unwrap();
        commands.close(&mut taken);
        assert_eq!(commands.push(RequestSlot(3), LineNumber(0), 'e'), Err(NotQueued::Closed));
        assert_eq!(all(&commands, &mut taken), "bcd");
        commands.close(&mut taken);
        assert_eq!(pop(&commands, &mut taken), None);
        assert_eq!(commands.push(RequestSlot(3), LineNumber(0), 'e'), Err(NotQueued::Closed));
    }

    #[test]
    fn a_line_leaves_places_to_the_others() {
        let (commands, mut taken) = (Commands::new(4, 2), Taken::default());
        commands.push(RequestSlot(0), LineNumber(0), 'a').unwrap();
        commands.push(RequestSlot(1), LineNumber(0), 'b').unwrap();
        assert_eq!(commands.push(RequestSlot(2), LineNumber(0), 'c'), Err(NotQueued::Crowded(2)));
        commands.push(RequestSlot(2), LineNumber(1), 'd').unwrap();
        assert_eq!(pop(&commands, &mut taken), Some((0, 'a')));
        commands.push(RequestSlot(0), LineNumber(0), 'e').unwrap();
        assert_eq!(pop(&commands, &mut taken), Some((1, 'b')));
        assert_eq!(commands.pop(&mut taken), Some((RequestSlot(2), 'd')));
    }
}
