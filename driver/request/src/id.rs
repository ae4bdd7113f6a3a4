//! The names of a request: its id for the outside, and its token inside the driver.

use std::fmt;
use std::num::NonZeroU32;

use crate::number::RequestSlot;

/// A request id as TAPI hands it out (DRV_REQUESTID): 1..=0x7FFF_FFFF (rule T2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(NonZeroU32);

impl RequestId {
    /// The largest id (rule T2).
    pub const MAX: u32 = 0x7FFF_FFFF;
    /// The smallest id, 1.
    pub const FIRST: RequestId = RequestId(NonZeroU32::MIN);

    /// Converts a number; `None` for 0 and for numbers with bit 31 set (rule T2).
    #[inline]
    pub const fn new(number: u32) -> Option<RequestId> {
        match NonZeroU32::new(number) {
            Some(number) if number.get() <= Self::MAX => Some(RequestId(number)),
            _ => None,
        }
    }

    /// The number for TAPI, 1 to [`RequestId::MAX`].
    #[inline]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The id that is counted after this one: 1 after the largest.
    #[inline]
    pub const fn next(self) -> RequestId {
        match RequestId::new(self.get() + 1) {
            Some(next) => next,
            None => RequestId::FIRST,
        }
    }

    /// The id of the `generation`th use of `slot`. It is unique among outstanding requests because
    /// the slot is (rule T3), and differs from the ids of many earlier uses.
    #[inline]
    pub(crate) fn of_slot(slot: RequestSlot, generation: u32) -> RequestId {
        let high = generation % 0x7FFF + 1;
        RequestId::new(high << 16 | u32::from(slot.0)).unwrap_or(RequestId::FIRST)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.get())
    }
}

/// One use of one slot of the table.
///
/// The slot alone would be an ABA bug: the generation distinguishes this use from every other, and
/// every operation on a token checks it. The number of the table is checked as well, so that a
/// token of one card has no effect on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    pub(crate) slot: RequestSlot,
    /// The number of its table.
    pub(crate) table: u16,
    pub(crate) generation: u32,
}

impl Token {
    /// Its slot in its table. State of the request can be stored under the slot's index.
    #[inline]
    pub const fn slot(self) -> RequestSlot {
        self.slot
    }

    /// A number that the hardware returns with its answer: the slot in bits 15..0, the low 12 bits
    /// of the generation in bits 27..16, and 0 above. The next uses of the slot have other tags, up
    /// to the 4096th.
    #[inline]
    pub const fn tag(self) -> u32 {
        (self.stamp() as u32) << 16 | self.slot.0 as u32
    }

    /// Returns the slot of a tag. The tag comes from the hardware, so that the slot has to be
    /// checked.
    #[inline]
    pub const fn slot_of_tag(tag: u32) -> RequestSlot {
        RequestSlot((tag & 0xFFFF) as u16)
    }

    /// The low 12 bits of the generation, as in user_data.
    #[inline]
    pub const fn stamp(self) -> u16 {
        (self.generation & 0xFFF) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t2_ids_are_31_bit_and_never_zero() {
        assert!(RequestId::new(0).is_none());
        assert_eq!(RequestId::new(1).unwrap().get(), 1);
        assert_eq!(RequestId::new(0x7FFF_FFFF).unwrap().get(), 0x7FFF_FFFF);
        assert!(RequestId::new(0x8000_0000).is_none());
        assert!(RequestId::new(u32::MAX).is_none());
        let last = RequestId::new(RequestId::MAX).unwrap();
        assert_eq!(last.next().get(), 1);
        assert_eq!(last.next().next().get(), 2);
        for slot in [0, 1, 4095, u16::MAX].map(RequestSlot) {
            for generation in [0, 1, 0x7FFE, 0x7FFF, 0x8000, 0x1FFF_FFFF] {
                let id = RequestId::of_slot(slot, generation).get();
                assert!((1..=0x7FFF_FFFF).contains(&id));
                assert_eq!(id & 0xFFFF, u32::from(slot.0), "T3: one id a slot");
            }
        }
    }
}
