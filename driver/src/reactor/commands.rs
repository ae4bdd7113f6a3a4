//! The queue of commands in front of a busy card: nobody waits in it, and it can be closed.
//!
//! Each request has a place of its own, by its slot. Queueing fills the place and then puts the slot
//! on a stack by one compare-and-swap; whoever holds the card takes the whole stack by one swap and
//! turns it round. So a thread that is preempted in the middle of queueing holds up neither the card
//! nor another submitter, and what was queued earlier is taken earlier.
//!
//! A line queues no more than its share of the places: one that is asked without end can't take them
//! all from the others while the card is busy.
//!
//! Closing is a swap too: from then on queueing fails, so that no command is accepted that nobody
//! will take.

use std::marker::PhantomData;
use std::sync::PoisonError;

use crate::sync::{AtomicU32, Mutex, Ordering, will_write};

/// No slot.
const NONE: u32 = u32::MAX;
/// The queue is closed.
const CLOSED: u32 = u32::MAX - 1;

/// What a model may leave out or weaken to show that it is needed.
pub(crate) trait Queueing {
    /// The order in which a command is put on the stack.
    const PUBLISHES: Ordering = Ordering::SeqCst;
    /// Closing is one step.
    const CLOSES_AT_ONCE: bool = true;
}

#[derive(Debug)]
struct Place<Command> {
    /// The slot that was queued before (on the stack), or after (once it is taken).
    next: AtomicU32,
    line: AtomicU32,
    /// Never contended: its owner is done with it before the slot is on the stack.
    command: Mutex<Option<Command>>,
}

/// Commands that wait, by the slots of their requests.
#[derive(Debug)]
pub(crate) struct Commands<Command, Q> {
    /// The slot that was queued last.
    newest: AtomicU32,
    places: Box<[Place<Command>]>,
    /// How many each line has queued.
    queued: Box<[AtomicU32]>,
    /// How many a line may have queued.
    share: u32,
    queueing: PhantomData<fn() -> Q>,
}

/// What was taken from the queue and is not worked off yet. Belongs to whoever holds the card.
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
    /// The queue is closed.
    Closed,
    /// Its line has queued this many already, which is its share.
    Crowded(usize),
}

impl<Command, Q: Queueing> Commands<Command, Q> {
    /// With a place for each slot below `capacity`, for so many lines.
    pub(crate) fn new(capacity: usize, lines: usize) -> Self {
        let place = || Place {
            next: AtomicU32::new(NONE),
            line: AtomicU32::new(0),
            command: Mutex::new(None),
        };
        let places = std::iter::repeat_with(place).take(capacity).collect();
        let queued = std::iter::repeat_with(|| AtomicU32::new(0)).take(lines).collect();
        let share = if lines > 1 { capacity.div_ceil(2) } else { capacity };
        let (newest, share) = (AtomicU32::new(NONE), share as u32);
        Commands { newest, places, queued, share, queueing: PhantomData }
    }

    /// Queues the command of the request in a slot, which is of this line. Only for the one who has
    /// just reserved the slot.
    ///
    /// # Errors
    /// Why it is not queued.
    pub(crate) fn push(&self, slot: usize, line: usize, command: Command) -> Result<(), NotQueued> {
        let (Some(place), Some(queued)) = (self.places.get(slot), self.queued.get(line)) else {
            return Err(NotQueued::Closed);
        };
        if queued.fetch_add(1, Ordering::Relaxed) >= self.share {
            queued.fetch_sub(1, Ordering::Relaxed);
            return Err(NotQueued::Crowded(self.share as usize));
        }
        place.line.store(line as u32, Ordering::Relaxed);
        *lock(&place.command) = Some(command);
        will_write(|order| self.newest.fetch_or(0, order));
        let mut newest = self.newest.load(Ordering::Relaxed);
        loop {
            if newest == CLOSED {
                // Put there above, and not on the stack yet.
                drop(lock(&place.command).take());
                queued.fetch_sub(1, Ordering::Relaxed);
                return Err(NotQueued::Closed);
            }
            place.next.store(newest, Ordering::Relaxed);
            // Publishes the place; sequentially consistent, because whoever frees the card looks
            // here after that, and whoever has queued tries the card after this.
            match self.newest.compare_exchange_weak(
                newest,
                slot as u32,
                Q::PUBLISHES,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Ok(()),
                Err(now) => newest = now,
            }
        }
    }

    /// Whether nothing was queued since the last [`Commands::pop`].
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.newest.load(Ordering::SeqCst), NONE | CLOSED)
    }

    /// The command that was queued first, with its slot. Only for the holder of the card.
    pub(crate) fn pop(&self, taken: &mut Taken) -> Option<(usize, Command)> {
        if taken.is_empty() {
            if self.is_empty() {
                return None;
            }
            let newest = self.newest.swap(NONE, Ordering::SeqCst);
            self.turn_round(newest, taken);
        }
        self.pop_taken(taken)
    }

    /// Refuses everything from now on, and takes what was queued before. Only for the holder of the
    /// card.
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

    /// As [`Commands::pop`], of what was taken already.
    pub(crate) fn pop_taken(&self, taken: &mut Taken) -> Option<(usize, Command)> {
        let slot = taken.oldest as usize;
        let place = self.places.get(slot)?;
        taken.oldest = place.next.load(Ordering::Relaxed);
        if let Some(queued) = self.queued.get(place.line.load(Ordering::Relaxed) as usize) {
            queued.fetch_sub(1, Ordering::Relaxed);
        }
        Some((slot, lock(&place.command).take()?))
    }

    /// Appends a stack, the newest on top, to what is taken, the oldest first.
    fn turn_round(&self, newest: u32, taken: &mut Taken) {
        let (mut slot, mut oldest) = (newest, NONE);
        while let Some(place) = self.places.get(slot as usize) {
            let before = place.next.load(Ordering::Relaxed);
            place.next.store(oldest, Ordering::Relaxed);
            (oldest, slot) = (slot, before);
        }
        if taken.is_empty() {
            taken.oldest = oldest;
            return;
        }
        let mut last = taken.oldest;
        while let Some(place) = self.places.get(last as usize) {
            match place.next.load(Ordering::Relaxed) {
                NONE => return place.next.store(oldest, Ordering::Relaxed),
                next => last = next,
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> crate::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    struct InUse;
    impl Queueing for InUse {}
    type Commands<Command> = super::Commands<Command, InUse>;

    fn all(commands: &Commands<char>, taken: &mut Taken) -> String {
        std::iter::from_fn(|| commands.pop(taken)).map(|(_, command)| command).collect()
    }

    #[test]
    fn what_was_queued_first_comes_first() {
        let (commands, mut taken) = (Commands::new(4, 1), Taken::default());
        for (slot, command) in [(2, 'a'), (0, 'b'), (3, 'c')] {
            commands.push(slot, 0, command).unwrap();
        }
        assert_eq!(commands.pop(&mut taken), Some((2, 'a')));
        commands.push(1, 0, 'd').unwrap();
        assert!(!commands.is_empty() && !taken.is_empty());
        assert_eq!(all(&commands, &mut taken), "bcd");
        assert!(commands.is_empty() && taken.is_empty());
        commands.push(2, 0, 'e').unwrap();
        assert_eq!(all(&commands, &mut taken), "e");
    }

    #[test]
    fn c3_a_closed_queue_gives_what_it_has_and_takes_nothing() {
        let (commands, mut taken) = (Commands::new(4, 1), Taken::default());
        for (slot, command) in [(0, 'a'), (1, 'b'), (2, 'c')] {
            commands.push(slot, 0, command).unwrap();
        }
        assert_eq!(commands.pop(&mut taken), Some((0, 'a')));
        commands.push(0, 0, 'd').unwrap();
        commands.close(&mut taken);
        assert_eq!(commands.push(3, 0, 'e'), Err(NotQueued::Closed));
        assert_eq!(all(&commands, &mut taken), "bcd");
        commands.close(&mut taken);
        assert_eq!(commands.pop(&mut taken), None);
        assert_eq!(commands.push(3, 0, 'e'), Err(NotQueued::Closed));
    }

    #[test]
    fn a_line_leaves_places_to_the_others() {
        let (commands, mut taken) = (Commands::new(4, 2), Taken::default());
        commands.push(0, 0, 'a').unwrap();
        commands.push(1, 0, 'b').unwrap();
        assert_eq!(commands.push(2, 0, 'c'), Err(NotQueued::Crowded(2)));
        commands.push(2, 1, 'd').unwrap();
        assert_eq!(commands.pop(&mut taken), Some((0, 'a')));
        commands.push(0, 0, 'e').unwrap();
        assert_eq!(all(&commands, &mut taken), "bde");
    }
}
