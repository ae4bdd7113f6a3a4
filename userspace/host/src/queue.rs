//! What is to be delivered on a line or phone, in order.
//!
//! A completion that may not be delivered yet stays at the head and holds back what is behind it
//! (O1).

use std::collections::VecDeque;
use std::sync::Arc;

use super::record::{Admission, Ending, Record};

/// An entry that is to be delivered; `M` is a message without a request.
pub(super) enum Upcall<M> {
    Request(Arc<Record>, Ending),
    Message(M),
}

/// What is to be delivered on a line or phone, in order.
pub(super) struct Queue<M>(VecDeque<Upcall<M>>);

/// What comes next.
pub(super) enum Next<M> {
    Upcall(Upcall<M>),
    /// A completion that may not be delivered yet, and that the host's thread does not watch yet.
    Parks(Arc<Record>),
    Nothing,
}

impl<M> Default for Queue<M> {
    fn default() -> Queue<M> {
        Queue(VecDeque::new())
    }
}

impl<M> Queue<M> {
    pub(super) fn put(&mut self, upcall: Upcall<M>) {
        self.0.push_back(upcall);
    }

    pub(super) fn next(&mut self) -> Next<M> {
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
