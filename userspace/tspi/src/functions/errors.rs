//! The errors of a function, in two columns: those of its page, and the general ones.
//!
//! The pages are not complete. A function that takes a handle may find it dead, one that fills a
//! structure may find it too small, whether its page says so or not; so the shapes of the
//! parameters have errors of their own. Three errors of a dying device may come from every
//! function, and a function that a provider does not export answers OPERATIONUNAVAIL. What remains
//! is OPERATIONFAILED: requests that closing ends fail with it (D1), and a client treats an error
//! that it does not know as this one (T7).

use super::Function;
use crate::error::{LineError, PhoneError};

/// Errors of one family, in the order of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errors {
    /// Of a line, provider or dialog function.
    Line(&'static [LineError]),
    /// Of a phone function.
    Phone(&'static [PhoneError]),
}

impl Errors {
    /// The errors as a function returns them. The phone errors are a range of their own, so that
    /// the code alone says which family it is of.
    pub fn codes(self) -> impl Iterator<Item = i32> {
        let (line, phone) = match self {
            Errors::Line(errors) => (errors, &[][..]),
            Errors::Phone(errors) => (&[][..], errors),
        };
        line.iter().map(|error| error.raw()).chain(phone.iter().map(|error| error.raw()))
    }

    /// Whether this is one of them.
    pub fn contains(self, code: i32) -> bool {
        self.codes().any(|error| error == code)
    }
}

/// What every line and provider function may answer.
const OF_EVERY_LINE_FUNCTION: &[LineError] = &[
    LineError::NODRIVER,
    LineError::NODEVICE,
    LineError::REINIT,
    LineError::OPERATIONUNAVAIL,
    LineError::OPERATIONFAILED,
];

/// What every phone function may answer.
const OF_EVERY_PHONE_FUNCTION: &[PhoneError] = &[
    PhoneError::NODRIVER,
    PhoneError::NODEVICE,
    PhoneError::REINIT,
    PhoneError::OPERATIONUNAVAIL,
    PhoneError::OPERATIONFAILED,
];

impl Function {
    /// The general errors: those of the shapes of its parameters, then those that every function
    /// may give. One that is on the page as well is in both columns.
    pub fn general_errors(&self) -> impl Iterator<Item = i32> {
        let of_every = match self.errors {
            Errors::Line(_) => Errors::Line(OF_EVERY_LINE_FUNCTION),
            Errors::Phone(_) => Errors::Phone(OF_EVERY_PHONE_FUNCTION),
        };
        let of_shapes = self.parameters.iter().flat_map(|parameter| parameter.errors.codes());
        of_shapes.chain(of_every.codes())
    }

    /// Whether the page lists this error.
    pub fn lists_error(&self, code: i32) -> bool {
        self.errors.contains(code)
    }

    /// Whether the function may give this error by either column, or by a vendor's own range (T6).
    pub fn may_give(&self, code: i32) -> bool {
        let is_vendors = LineError::from_raw(code).is_some_and(LineError::is_device_specific);
        is_vendors || self.lists_error(code) || self.general_errors().any(|error| error == code)
    }
}
