//! The negative number by which a request fails.

use std::fmt;
use std::num::NonZeroI32;

/// Why a request failed: a negative number (C2), and never anything else. Its meaning is the
/// engine's: a negated errno, or an error of TSPI.
///
/// A result is a `Result<(), ErrorCode>`, which is as wide as the number alone. A number from a
/// device or a library is converted by [`ErrorCode::result_of`] where it enters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct ErrorCode(NonZeroI32);

impl ErrorCode {
    /// The smallest number, for a failure without one: `i32::MIN`.
    pub const UNKNOWN: ErrorCode = ErrorCode(NonZeroI32::MIN);

    /// The error with this number; `None` unless it is negative.
    #[inline]
    pub const fn new(number: i32) -> Option<ErrorCode> {
        match NonZeroI32::new(number) {
            Some(number) if number.get() < 0 => Some(ErrorCode(number)),
            _ => None,
        }
    }

    /// The error with a number that is written in the source. A number that is not negative does
    /// not compile.
    ///
    /// ```
    /// use ringback_request::ErrorCode;
    ///
    /// const EIO: ErrorCode = ErrorCode::of::<-5>();
    /// assert_eq!(EIO.get(), -5);
    /// ```
    ///
    /// ```compile_fail
    /// let positive = ringback_request::ErrorCode::of::<5>();
    /// ```
    pub const fn of<const NUMBER: i32>() -> ErrorCode {
        const { assert!(NUMBER < 0, "an error is negative") };
        match ErrorCode::new(NUMBER) {
            Some(error) => error,
            None => ErrorCode::UNKNOWN,
        }
    }

    /// The number, which is negative.
    #[inline]
    pub const fn get(self) -> i32 {
        self.0.get()
    }

    /// The result for a number from outside. `None` for a positive one, which is no result (C2):
    /// the caller decides what to do with it.
    #[inline]
    pub const fn result_of(number: i32) -> Option<Result<(), ErrorCode>> {
        match ErrorCode::new(number) {
            Some(error) => Some(Err(error)),
            None if number == 0 => Some(Ok(())),
            None => None,
        }
    }

    /// The result from which [`ErrorCode::number_of`] made this number. The gate stores results so;
    /// their sign needs no second check.
    #[inline]
    pub(crate) const fn of_kept(number: i32) -> Result<(), ErrorCode> {
        match NonZeroI32::new(number) {
            Some(number) => Err(ErrorCode(number)),
            None => Ok(()),
        }
    }

    /// A result as one number: 0, or the error's.
    #[inline]
    pub const fn number_of(result: Result<(), ErrorCode>) -> i32 {
        match result {
            Ok(()) => 0,
            Err(error) => error.get(),
        }
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ErrorCode({})", self.0)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for ErrorCode {}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn c2_a_result_is_0_or_negative() {
        for number in [1, 5, i32::MAX] {
            assert_eq!(ErrorCode::new(number), None);
            assert_eq!(ErrorCode::result_of(number), None);
        }
        assert_eq!(ErrorCode::new(0), None);
        assert_eq!(ErrorCode::result_of(0), Some(Ok(())));
        for number in [-1, -2_147_483_576, i32::MIN] {
            let error = ErrorCode::new(number).unwrap();
            assert_eq!(error.get(), number);
            assert_eq!(ErrorCode::result_of(number), Some(Err(error)));
            assert_eq!(ErrorCode::number_of(Err(error)), number);
        }
        assert_eq!(ErrorCode::number_of(Ok(())), 0);
        assert_eq!(ErrorCode::UNKNOWN.get(), i32::MIN);
    }

    #[test]
    fn a_result_is_as_wide_as_its_number() {
        assert_eq!(size_of::<Result<(), ErrorCode>>(), size_of::<i32>());
    }
}
