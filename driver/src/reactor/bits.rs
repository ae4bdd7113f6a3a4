//! A set of request slots, one bit each.

use crate::request::RequestSlot;

/// A set of request slots below a capacity.
#[derive(Debug)]
pub(crate) struct Bits(Box<[u64]>);

impl Bits {
    /// Creates an empty set for slots below `capacity`.
    pub(crate) fn none(capacity: usize) -> Bits {
        Bits(vec![0; capacity.div_ceil(64)].into())
    }

    /// Adds a slot.
    pub(crate) fn set(&mut self, slot: RequestSlot) {
        let slot = slot.index();
        if let Some(word) = self.0.get_mut(slot / 64) {
            *word |= 1 << (slot % 64);
        }
    }

    pub(crate) fn has(&self, slot: RequestSlot) -> bool {
        let slot = slot.index();
        self.0.get(slot / 64).is_some_and(|word| word & 1 << (slot % 64) != 0)
    }

    /// Removes a slot. Returns whether it was in the set.
    pub(crate) fn clear(&mut self, slot: RequestSlot) -> bool {
        let slot = slot.index();
        let Some(word) = self.0.get_mut(slot / 64) else { return false };
        let before = *word;
        *word &= !(1 << (slot % 64));
        before != *word
    }

    /// Removes all slots and calls `f` with each.
    pub(crate) fn drain(&mut self, mut f: impl FnMut(RequestSlot)) {
        for (n, word) in self.0.iter_mut().enumerate() {
            while *word != 0 {
                f(RequestSlot::at(n * 64 + word.trailing_zeros() as usize));
                *word &= *word - 1;
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_in_from_set_to_clear() {
        let mut bits = Bits::none(130);
        for slot in [0, 63, 64, 129].map(RequestSlot) {
            assert!(!bits.clear(slot));
            bits.set(slot);
            bits.set(slot);
            assert!(bits.clear(slot) && !bits.clear(slot));
        }
        bits.set(RequestSlot(9999));
        assert!(!bits.clear(RequestSlot(9999)), "there is no such slot");
    }

    #[test]
    fn draining_gives_each_once_in_order() {
        let mut bits = Bits::none(200);
        for slot in [199, 0, 5, 64].map(RequestSlot) {
            bits.set(slot);
        }
        let mut all = Vec::new();
        bits.drain(|slot| all.push(slot));
        assert_eq!(all, [0, 5, 64, 199].map(RequestSlot));
        bits.drain(|slot| panic!("{slot} again"));
    }
}
