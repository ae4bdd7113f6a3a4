//! What a request is called: outside by its id, inside by its token.

use std::fmt;
use std::num::NonZeroU32;

/// A request id as TAPI hands it out (DRV_REQUESTID): 1..=0x7FFF_FFFF (rule T2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(NonZeroU32);

impl RequestId {
    /// The largest id (rule T2).
    pub const MAX: u32 = 0x7FFF_FFFF;

    /// The id with this number; `None` for 0 and for numbers with bit 31 set (rule T2).
    #[inline]
    pub const fn new(number: u32) -> Option<RequestId> {
        match NonZeroU32::new(number) {
            Some(number) if number.get() <= Self::MAX => Some(RequestId(number)),
            _ => None,
        }
    }

    /// The number that TAPI is given, 1 to [`RequestId::MAX`].
    #[inline]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The id of the `generation`th use of `slot`: unique among outstanding requests because the
    /// slot is (rule T3), and far from its own last use.
    #[inline]
    pub(crate) fn of_slot(slot: u16, generation: u32) -> RequestId {
        let high = generation % 0x7FFF + 1;
        RequestId::new(high << 16 | u32::from(slot)).unwrap_or(RequestId(NonZeroU32::MIN))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.get())
    }
}

/// One use of one slot of the table.
///
/// The slot alone would be an ABA bug: the generation tells this use from every other, and every
/// operation on a token checks it. So it does the table: a token of one card is nothing to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    pub(crate) slot: u16,
    /// The number of its table.
    pub(crate) table: u16,
    pub(crate) generation: u32,
}

impl Token {
    /// The slot's index, below the capacity of its table: where per-request state may be kept.
    #[inline]
    pub const fn slot(self) -> usize {
        self.slot as usize
    }

    /// A number for the hardware to answer with: the slot in bits 15..0, the low 12 bits of the
    /// generation in bits 27..16, and 0 above. Another use of the slot has another tag, until the
    /// slot has been used 4096 times.
    #[inline]
    pub const fn tag(self) -> u32 {
        (self.stamp() as u32) << 16 | self.slot as u32
    }

    /// The slot that a tag names, whatever the hardware has given for one.
    #[inline]
    pub const fn slot_of_tag(tag: u32) -> usize {
        (tag & 0xFFFF) as usize
    }

    /// The low 12 bits of the generation, as they stand in user_data.
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
        for slot in [0, 1, 4095, u16::MAX] {
            for generation in [0, 1, 0x7FFE, 0x7FFF, 0x8000, 0x1FFF_FFFF] {
                let id = RequestId::of_slot(slot, generation).get();
                assert!((1..=0x7FFF_FFFF).contains(&id));
                assert_eq!(id & 0xFFFF, u32::from(slot), "T3: one id a slot");
            }
        }
    }
}
