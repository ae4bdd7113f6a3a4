//! Interprets completion queue entries of the ring, which the kernel writes and which can't be
//! trusted.
//!
//! Rule: a transient error of the kernel is neither an expired deadline nor the end of the card.

use std::io;

use crate::Time;
use crate::device::ring;
use crate::report;
use crate::request::Table;

use super::arrived::Arrived;
use super::user_data::{self, EntryKind};

/// Errors of a POLL that are transient, and no property of the file.
const PASSING: [i32; 5] = [libc::EAGAIN, libc::EINTR, libc::ENOMEM, libc::EBUSY, libc::ECANCELED];

/// After this many transient errors in a row the interrupt file counts as failed.
const MAX_REFUSED: u32 = 1000;

/// Interprets completion queue entries.
#[derive(Debug, Default)]
pub(super) struct Intake {
    pub(super) arrived: Arrived,
    /// Completions of READs and WRITEs of samples: kind, user_data and result.
    pub(super) heard: Vec<(EntryKind, u64, i32)>,
    /// Expiry of the TIMEOUT currently in the ring, if any. A sleep that ends later reuses it.
    pub(super) alarm: Option<Time>,
    /// How many POLLs of the interrupt file have failed in a row.
    refused: u32,
    /// Set when the interrupt file has failed and is not polled any more.
    pub(super) deaf: bool,
}

impl Intake {
    /// Interprets one entry.
    pub(super) fn take(&mut self, completion: ring::Completion, table: &Table) {
        let ring::Completion { user_data, result } = completion;
        let error = || io::Error::from_raw_os_error(-result);
        match user_data::classify(user_data, table) {
            EntryKind::Interrupt if result > 0 => {
                self.refused = 0;
                self.arrived.interrupted = true;
            }
            // The kernel could not poll the file at the moment. The POLL is submitted again.
            EntryKind::Interrupt if PASSING.contains(&-result) && self.refused < MAX_REFUSED => {
                self.refused += 1;
            }
            EntryKind::Interrupt => {
                report!(ERROR, "the interrupt file failed ({}); the card is gone", error());
                self.deaf = true;
                self.arrived.gone = true;
            }
            EntryKind::Deadline(request) if result == -libc::ETIME => {
                self.arrived.expired.push(request);
            }
            // This driver has not cancelled it: it removes only TIMEOUTs of requests that are over.
            EntryKind::Deadline(request) => {
                report!(WARN, "the kernel refused a time limit ({}); it is set again", error());
                self.arrived.unarmed.push(request);
            }
            EntryKind::Alarm => self.alarm = None,
            EntryKind::Wake | EntryKind::LateDeadline | EntryKind::Removal | EntryKind::Silence => {
            }
            kind @ (EntryKind::Received(_) | EntryKind::Play { .. }) => {
                self.heard.push((kind, user_data, result));
            }
            EntryKind::Unknown => report!(ERROR, "an unknown completion: {user_data:#x}"),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::request::LineNumber;

    #[test]
    fn an_error_of_the_kernel_is_neither_a_deadline_nor_the_end_of_the_card() {
        let table = Table::with_capacity(1).unwrap();
        let (id, request) = table.reserve(None, LineNumber(0), Time::ZERO, Time::NEVER).unwrap();
        let mut intake = Intake::default();
        let mut take = |user_data, result| {
            intake.take(ring::Completion { user_data, result }, &table);
            let Arrived { expired, unarmed, interrupted, gone, .. } =
                std::mem::take(&mut intake.arrived);
            (expired, unarmed, interrupted, gone)
        };
        let deadline = user_data::deadline(request, id);
        for error in [libc::ENOMEM, libc::EINVAL, libc::ECANCELED] {
            assert_eq!(take(deadline, -error), (vec![], vec![request], false, false));
        }
        assert_eq!(take(deadline, -libc::ETIME), (vec![request], vec![], false, false));
        let interrupt = user_data::interrupt();
        for error in PASSING {
            assert_eq!(take(interrupt, -error), (vec![], vec![], false, false));
        }
        assert_eq!(take(interrupt, 1), (vec![], vec![], true, false));
        assert_eq!(take(interrupt, -libc::EIO), (vec![], vec![], false, true));
        assert!(intake.deaf);
    }

    #[test]
    fn a_file_that_can_never_be_listened_to_is_not_asked_for_ever() {
        let table = Table::with_capacity(1).unwrap();
        let mut intake = Intake::default();
        let refused = ring::Completion { user_data: user_data::interrupt(), result: -libc::ENOMEM };
        for _ in 0..=MAX_REFUSED {
            assert!(!intake.arrived.gone);
            intake.take(refused, &table);
        }
        assert!(intake.arrived.gone && intake.deaf);
    }

    #[test]
    fn deadlines_of_requests_that_are_over_say_nothing() {
        let table = Table::with_capacity(1).unwrap();
        let (id, request) = table.reserve(None, LineNumber(0), Time::ZERO, Time::NEVER).unwrap();
        table.complete(request, Ok(()), Time::ZERO);
        let mut intake = Intake::default();
        for result in [-libc::ETIME, -libc::ECANCELED, -libc::ENOENT] {
            let user_data = user_data::deadline(request, id);
            intake.take(ring::Completion { user_data, result }, &table);
        }
        assert!(intake.arrived.expired.is_empty() && intake.arrived.unarmed.is_empty());
    }
}
