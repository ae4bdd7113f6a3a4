//! What is to be delivered on a line, in order.
//!
//! A completion that may not be delivered yet stays at the head and holds back what is behind it
//! (O1).

use std::collections::VecDeque;
use std::sync::Arc;

use ringback_tspi::provider::LineMessage;
use ringback_tspi::types::HTAPICALL;

use super::record::{Admission, Ending, Record};

/// An entry that is to be delivered.
pub(super) enum Upcall {
    Request(Arc<Record>, Ending),
    NewCall(HTAPICALL),
    Event(LineMessage),
}

/// What is to be delivered on a line, in order.
#[derive(Default)]
pub(super) struct Queue(VecDeque<Upcall>);

/// What comes next on a line.
pub(super) enum Next {
    Upcall(Upcall),
    /// A completion that may not be delivered yet, and that the host's thread does not watch yet.
    Parks(Arc<Record>),
    Nothing,
}

impl Queue {
    pub(super) fn put(&mut self, upcall: Upcall) {
        self.0.push_back(upcall);
    }

    pub(super) fn next(&mut self) -> Next {
        if let Some(Upcall::Request(record, Ending::Completed(_) | Ending::Lost)) = self.0.front() {
            match record.admit() {
                Admission::Open => {}
                Admission::Parks => return Next::Parks(Arc::clone(record)),
                Admission::Parked => return Next::Nothing,
            }
        }
        self.0.pop_front().map_or(Next::Nothing, Next::Upcall)
    }
}
