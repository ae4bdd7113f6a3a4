//! What every exported function does when it returns: it converts errors to its family, contains
//! panics, and drops the ticket last.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::read::Fault;
use crate::error::{LineError, PhoneError};
use crate::provider::Ticket;

/// An error family, for what every function may refuse.
pub(super) trait ErrorFamily: Copy + Into<i32> {
    const NULL: Self;
    const SIZE: Self;
    const FAILED: Self;
    fn of_line(error: LineError) -> Self;
}

impl ErrorFamily for LineError {
    const NULL: LineError = LineError::INVALPOINTER;
    const SIZE: LineError = LineError::STRUCTURETOOSMALL;
    const FAILED: LineError = LineError::OPERATIONFAILED;
    fn of_line(error: LineError) -> LineError {
        error
    }
}

impl ErrorFamily for PhoneError {
    const NULL: PhoneError = PhoneError::INVALPOINTER;
    const SIZE: PhoneError = PhoneError::STRUCTURETOOSMALL;
    const FAILED: PhoneError = PhoneError::OPERATIONFAILED;
    fn of_line(error: LineError) -> PhoneError {
        match error {
            LineError::NODRIVER => PhoneError::NODRIVER,
            LineError::NODEVICE => PhoneError::NODEVICE,
            LineError::NOMEM => PhoneError::NOMEM,
            LineError::RESOURCEUNAVAIL => PhoneError::RESOURCEUNAVAIL,
            _ => PhoneError::OPERATIONFAILED,
        }
    }
}

/// The error of a fault; `invalid` is the shape's own.
pub(super) fn error<E: ErrorFamily>(fault: Fault, invalid: E) -> E {
    match fault {
        Fault::Null => E::NULL,
        Fault::Size => E::SIZE,
        Fault::Invalid => invalid,
    }
}

/// Runs a function; a panic in it becomes its error.
pub(super) fn guarded<E: ErrorFamily>(act: impl FnOnce() -> Result<i32, E>) -> i32 {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => error.into(),
        Err(_) => E::FAILED.into(),
    }
}

/// The end of an asynchronous function: drops the ticket, and returns the id (R1).
pub(super) fn returned(ticket: Option<Ticket>) -> i32 {
    ticket.map_or(0, |ticket| {
        let id = ticket.id().get().cast_signed();
        ticket.release();
        id
    })
}
