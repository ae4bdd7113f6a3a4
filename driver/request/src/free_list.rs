//! The free slots: a lock-free stack of slot numbers, with a tag against ABA, and beside it one
//! place for a single number, the spare.
//!
//! Only the reaper fills the spare, so that it can use a plain store. If requests come one after
//! another, this saves one atomic operation for each.

use crate::sync::{AtomicU32, AtomicU64, Ordering, OwnLine, will_write};

const NONE: u32 = u32::MAX;

/// Stores for each number the number below it in the stack. The links are in the slots, whose cache
/// lines are needed anyway.
pub(crate) trait Links {
    /// Returns the link of a number; `None` for numbers outside the capacity.
    fn link(&self, number: u32) -> Option<&AtomicU32>;
}

/// A stack of the numbers below its capacity. The head has the top number in its low half, and in
/// its high half a tag that changes with every operation.
pub(crate) struct FreeList {
    ends: OwnLine<Ends>,
}

struct Ends {
    head: AtomicU64,
    /// A free number that is not in the stack, or [`NONE`].
    spare: AtomicU32,
}

impl FreeList {
    /// Creates a list of all numbers below `capacity`, with 0 on top, if each link is created with
    /// [`FreeList::first_link`].
    pub(crate) fn full() -> Self {
        FreeList { ends: OwnLine(Ends { head: AtomicU64::new(0), spare: AtomicU32::new(NONE) }) }
    }

    /// The initial link of a number below `capacity`.
    pub(crate) fn first_link(number: usize, capacity: usize) -> AtomicU32 {
        AtomicU32::new(if number + 1 < capacity { number as u32 + 1 } else { NONE })
    }

    /// Takes a free number off the list; `None` if it is empty.
    #[inline]
    pub(crate) fn pop(&self, links: &(impl Links + ?Sized)) -> Option<u16> {
        let Ends { head: place, spare } = &*self.ends;
        if spare.load(Ordering::Relaxed) != NONE {
            let number = spare.swap(NONE, Ordering::Acquire);
            if number != NONE {
                return Some(number as u16);
            }
        }
        will_write(|order| place.fetch_or(0, order));
        let mut head = place.load(Ordering::Acquire);
        loop {
            // NONE has no link, so that an empty list returns here.
            let next = links.link(top(head))?.load(Ordering::Relaxed);
            match place.compare_exchange_weak(
                head,
                step(head, next),
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some(top(head) as u16),
                Err(now) => head = now,
            }
        }
    }

    /// Puts a number back. Only one thread at a time may call this.
    #[inline]
    pub(crate) fn give_back(&self, links: &(impl Links + ?Sized), number: u16) {
        let spare = &self.ends.spare;
        will_write(|order| spare.fetch_or(0, order));
        // Other threads only ever empty the spare, so that it stays empty after this check.
        if spare.load(Ordering::Relaxed) == NONE {
            spare.store(u32::from(number), Ordering::Release);
        } else {
            self.push(links, number);
        }
    }

    /// Puts a number back, from any thread.
    #[inline]
    pub(crate) fn push(&self, links: &(impl Links + ?Sized), number: u16) {
        let Some(link) = links.link(u32::from(number)) else { return };
        let place = &self.ends.head;
        will_write(|order| place.fetch_or(0, order));
        let mut head = place.load(Ordering::Relaxed);
        loop {
            link.store(top(head), Ordering::Relaxed);
            match place.compare_exchange_weak(
                head,
                step(head, u32::from(number)),
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }
}

fn top(head: u64) -> u32 {
    head as u32
}

fn step(head: u64, top: u32) -> u64 {
    (head >> 32).wrapping_add(1) << 32 | u64::from(top)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    impl Links for [AtomicU32] {
        fn link(&self, number: u32) -> Option<&AtomicU32> {
            self.get(number as usize)
        }
    }

    fn full(capacity: usize) -> (FreeList, Vec<AtomicU32>) {
        let links = (0..capacity).map(|n| FreeList::first_link(n, capacity)).collect();
        (FreeList::full(), links)
    }

    #[test]
    fn gives_each_number_once_and_takes_it_back() {
        let (list, links) = full(3);
        let all: Vec<_> = std::iter::from_fn(|| list.pop(&links[..])).collect();
        assert_eq!(all, [0, 1, 2]);
        assert_eq!(list.pop(&links[..]), None);
        list.push(&links[..], 1);
        assert_eq!(list.pop(&links[..]), Some(1));
        assert_eq!(list.pop(&links[..]), None);
        for number in [2, 0, 1] {
            list.give_back(&links[..], number);
        }
        let all: Vec<_> = std::iter::from_fn(|| list.pop(&links[..])).collect();
        assert_eq!(all, [2, 1, 0]);
    }

    #[test]
    fn holds_all_of_65536() {
        let (list, links) = full(65536);
        assert_eq!(std::iter::from_fn(|| list.pop(&links[..])).count(), 65536);
        list.push(&links[..], 65535);
        assert_eq!(list.pop(&links[..]), Some(65535));
    }
}
