//! The functions of `ringback/ringback.h`.
//!
//! | file | what |
//! |---|---|
//! | `hosts` | hosts, and delivery |
//! | `lines` | lines and the ids of requests |
//! | `calls` | calls |
//! | `phones` | phones |

mod calls;
mod hosts;
mod lines;
mod phones;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use calls::*;
pub use hosts::*;
pub use lines::*;
pub use phones::*;
use ringback_tspi::error::LineError;

use crate::asker;

/// Runs a function and returns 0 or its error. A panic becomes an error.
fn guarded(act: impl FnOnce() -> Result<(), LineError>) -> i32 {
    asker::enter();
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(Ok(())) => 0,
        Ok(Err(error)) => error.raw(),
        Err(_) => LineError::OPERATIONFAILED.raw(),
    }
}

/// Checks that a pointer to an output is not NULL.
fn place<T>(at: *mut T) -> Result<Place<T>, LineError> {
    if at.is_null() { Err(LineError::INVALPOINTER) } else { Ok(Place(at)) }
}

/// Where an output is written; not NULL.
struct Place<T>(*mut T);

impl<T> Place<T> {
    /// # Safety
    /// The place is writable.
    unsafe fn put(&self, value: T) {
        // SAFETY: the caller guarantees that it is writable.
        unsafe { self.0.write_unaligned(value) };
    }
}
