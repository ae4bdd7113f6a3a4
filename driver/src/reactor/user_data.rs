//! user_data: the request id in the low 32 bits, and above it kind, slot and a stamp of the slot's
//! generation.
//!
//! | bits | what |
//! |---|---|
//! | 63..60 | kind, never 0 |
//! | 59..44 | slot, 0 where the entry belongs to no request |
//! | 43..32 | low bits of the generation |
//! | 31..0 | request id, 0 where the entry belongs to no request |
//!
//! For the READ of a port's samples the slot is the port's place. For a WRITE of samples it is the
//! place among the WRITEs, with a stamp that changes at each use, because a request may have
//! several in flight.

use crate::device::ring::WRITE_BIT;
use crate::request::{RequestId, RequestSlot, Table, Token};

/// The meaning of a submission or completion queue entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// The POLL of the interrupt file.
    Interrupt,
    /// The POLL of the eventfd that wakes the reaper.
    Wake,
    /// The TIMEOUT that is this running request's deadline.
    Deadline(Token),
    /// The TIMEOUT of a request that is over.
    LateDeadline,
    /// The removal of a TIMEOUT.
    Removal,
    /// The TIMEOUT that is the upper bound on the reaper's sleep.
    Alarm,
    /// The READ of a port's samples.
    Received(usize),
    /// A WRITE of samples, with its place and stamp, and the id of its request.
    Play { place: usize, stamp: u16, id: Option<RequestId> },
    /// The empty WRITE that drops a port's samples.
    Silence,
    /// A value that this driver never submits.
    Unknown,
}

const INTERRUPT: u64 = 1;
const WAKE: u64 = 2;
const DEADLINE: u64 = 3;
const REMOVAL: u64 = 4;
const RECEIVED: u64 = 5;
const SILENCE: u64 = 6;
const ALARM: u64 = 7;
/// Its highest bit is [`WRITE_BIT`], which no other kind has.
const PLAY: u64 = 8;
const _: () = assert!(PLAY << 60 == WRITE_BIT);

/// The bits that a stamp may have.
pub(crate) const STAMP: u16 = 0xFFF;

/// The value for the POLL of the interrupt file.
pub(crate) const fn interrupt() -> u64 {
    INTERRUPT << 60
}

/// The value for the POLL of the wake-up eventfd.
pub(crate) const fn wake() -> u64 {
    WAKE << 60
}

/// The value for the TIMEOUT that bounds the reaper's sleep.
pub(crate) const fn alarm() -> u64 {
    ALARM << 60
}

/// The value for the TIMEOUT of a request.
pub(crate) fn deadline(token: Token, id: RequestId) -> u64 {
    of_request(DEADLINE, token, id)
}

/// The value for the removal of that TIMEOUT.
pub(crate) fn removal(token: Token, id: RequestId) -> u64 {
    of_request(REMOVAL, token, id)
}

/// The value for the READ of a port's samples.
pub(crate) const fn received(place: usize) -> u64 {
    RECEIVED << 60 | (place as u64 & 0xFFFF) << 44
}

/// The value for a WRITE of samples of the request with this id, or of none, which is written 0.
pub(crate) const fn play(place: usize, stamp: u16, id: Option<RequestId>) -> u64 {
    let id = match id {
        Some(id) => id.get(),
        None => 0,
    };
    PLAY << 60 | (place as u64 & 0xFFFF) << 44 | ((stamp & STAMP) as u64) << 32 | id as u64
}

/// The value for the empty WRITE that drops a port's samples.
pub(crate) const fn silence(place: usize) -> u64 {
    SILENCE << 60 | (place as u64 & 0xFFFF) << 44
}

fn of_request(kind: u64, token: Token, id: RequestId) -> u64 {
    let (slot, stamp) = (u64::from(token.slot().0), u64::from(token.stamp()));
    kind << 60 | slot << 44 | stamp << 32 | u64::from(id.get())
}

/// Decodes the value of a completion queue entry. Slot, stamp and id must all be those of a running
/// request; otherwise the value is not taken for that of a request.
pub(crate) fn classify(user_data: u64, table: &Table) -> EntryKind {
    let number = (user_data >> 44 & 0xFFFF) as u16;
    let (slot, place) = (RequestSlot(number), usize::from(number));
    let stamp = (user_data >> 32 & 0xFFF) as u16;
    let id = user_data as u32;
    match user_data >> 60 {
        DEADLINE => {
            table.find(slot, stamp, id).map_or(EntryKind::LateDeadline, EntryKind::Deadline)
        }
        REMOVAL => EntryKind::Removal,
        RECEIVED if user_data == received(place) => EntryKind::Received(place),
        SILENCE if user_data == silence(place) => EntryKind::Silence,
        PLAY => EntryKind::Play { place, stamp, id: RequestId::new(id) },
        INTERRUPT if user_data == interrupt() => EntryKind::Interrupt,
        WAKE if user_data == wake() => EntryKind::Wake,
        ALARM if user_data == alarm() => EntryKind::Alarm,
        _ => EntryKind::Unknown,
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::Time;
    use crate::request::LineNumber;

    #[test]
    fn no_value_is_mistaken_for_a_live_request() {
        let table = Table::with_capacity(65_536).unwrap();
        let all: Vec<_> = (0..65_536)
            .map(|_| table.reserve(None, LineNumber(0), Time::ZERO, Time::NEVER).unwrap())
            .collect();
        for (id, token) in [all[0], all[4095], all[65_535]] {
            let mine = deadline(token, id);
            assert_eq!(mine as u32, id.get(), "the id is the low 32 bits");
            assert_eq!(classify(mine, &table), EntryKind::Deadline(token));
            assert_eq!(classify(removal(token, id), &table), EntryKind::Removal);
            for bit in 0..64 {
                let other = classify(mine ^ 1 << bit, &table);
                assert!(!matches!(other, EntryKind::Deadline(_)), "bit {bit}: {other:?}");
            }
            assert!(!matches!(classify(u64::from(id.get()), &table), EntryKind::Deadline(_)));
        }
        let broken = [interrupt() | 1, wake() | 1 << 44, alarm() | 1, received(3) | 1];
        for value in broken.into_iter().chain([0, u64::MAX]) {
            assert_eq!(classify(value, &table), EntryKind::Unknown);
        }
        assert_eq!(classify(received(3), &table), EntryKind::Received(3));
        assert_eq!(classify(silence(3), &table), EntryKind::Silence);
        let id = RequestId::new(0x7FFF_FFFF);
        let mine = play(7, 0xABC, id);
        assert_eq!(mine as u32, 0x7FFF_FFFF, "the id is the low 32 bits");
        let expected = EntryKind::Play { place: 7, stamp: 0xABC, id };
        assert_eq!(classify(mine, &table), expected);
        assert_eq!(classify(interrupt(), &table), EntryKind::Interrupt);
        assert_eq!(classify(alarm(), &table), EntryKind::Alarm);
        assert_eq!(classify(wake(), &table), EntryKind::Wake);
    }

    #[test]
    fn a_deadline_outlives_neither_its_request_nor_its_slot() {
        let table = Table::with_capacity(1).unwrap();
        let id = RequestId::new(77);
        let reserve = || table.reserve(id, LineNumber(0), Time::ZERO, Time::NEVER).unwrap();
        let (_, token) = reserve();
        let mine = deadline(token, id.unwrap());
        table.release(token);
        table.complete(token, Ok(()), Time::ZERO);
        assert_eq!(classify(mine, &table), EntryKind::LateDeadline);
        table.take(token);
        let (_, again) = reserve();
        assert_eq!(
            classify(mine, &table),
            EntryKind::LateDeadline,
            "same slot, same id, other use"
        );
        assert_eq!(classify(deadline(again, id.unwrap()), &table), EntryKind::Deadline(again));
    }
}
