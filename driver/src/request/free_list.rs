//! The free slots: a lock-free stack of slot numbers, with a tag against ABA.

use crate::sync::{AtomicU32, AtomicU64, Ordering};

const NONE: u32 = u32::MAX;

/// A stack of the numbers below its capacity. The head is the top number in the low half and a tag
/// in the high half that changes with every step.
pub(super) struct FreeList {
    head: AtomicU64,
    next: Box<[AtomicU32]>,
}

impl FreeList {
    /// All numbers below `capacity`, 0 on top.
    pub(super) fn full(capacity: usize) -> Self {
        let next = (1..=capacity)
            .map(|next| AtomicU32::new(if next < capacity { next as u32 } else { NONE }))
            .collect();
        FreeList { head: AtomicU64::new(0), next }
    }

    /// Takes the top number.
    pub(super) fn pop(&self) -> Option<u16> {
        let mut head = self.head.load(Ordering::Acquire);
        loop {
            // `get` fails on NONE: the list is empty.
            let next = self.next.get(top(head) as usize)?.load(Ordering::Relaxed);
            match self.head.compare_exchange_weak(
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

    /// Puts a number back.
    pub(super) fn push(&self, number: u16) {
        let Some(link) = self.next.get(usize::from(number)) else { return };
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            link.store(top(head), Ordering::Relaxed);
            match self.head.compare_exchange_weak(
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

    #[test]
    fn gives_each_number_once_and_takes_it_back() {
        let list = FreeList::full(3);
        let all: Vec<_> = std::iter::from_fn(|| list.pop()).collect();
        assert_eq!(all, [0, 1, 2]);
        assert_eq!(list.pop(), None);
        list.push(1);
        assert_eq!(list.pop(), Some(1));
        assert_eq!(list.pop(), None);
    }

    #[test]
    fn holds_all_of_65536() {
        let list = FreeList::full(65536);
        assert_eq!(std::iter::from_fn(|| list.pop()).count(), 65536);
        list.push(65535);
        assert_eq!(list.pop(), Some(65535));
    }
}
