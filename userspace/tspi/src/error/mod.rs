//! Errors of the contract: negative 32-bit results (T5), each with its C name and a sentence.
//!
//! A result may also be an unknown error: a vendor's own (0xC0000000 and up, T6) or one of a newer
//! header. Such a value is kept as it is, and [`LineError::known`] treats it as OPERATIONFAILED,
//! which is what the contract asks of a client (T7).

mod line;
mod phone;

pub use line::LineError;
pub use phone::PhoneError;

/// One type of errors: the codes, and for each a sentence with its cause and remedy.
macro_rules! errors {
    (
        $(#[$doc:meta])*
        $type:ident, $family:ident, $prefix:literal, $fallback:ident {
            $($name:ident = $code:ident: $text:literal,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $type(ErrorCode);

        impl $type {
            $(
                #[doc = concat!("`", $prefix, stringify!($name), "`: ", $text, ".")]
                pub const $name: $type =
                    $type(ErrorCode::of::<{ crate::constants::$code.cast_signed() }>());
            )*

            /// Every error the headers define, in the order of their codes.
            pub const ALL: &'static [$type] = &[$($type::$name),*];

            /// The error with this value; `None` unless it is negative (T5).
            pub const fn from_raw(value: i32) -> Option<$type> {
                match ErrorCode::new(value) {
                    Some(code) => Some($type(code)),
                    None => None,
                }
            }

            /// The value as a function returns it: negative.
            pub const fn raw(self) -> i32 {
                self.0.get()
            }

            /// The value as the headers write it, e.g. 0x80000048.
            pub const fn code(self) -> u32 {
                self.raw().cast_unsigned()
            }

            /// Whether the code is a vendor's own (T6).
            pub const fn is_device_specific(self) -> bool {
                self.code() >= 0xC000_0000
            }

            /// The error itself if the headers define it, otherwise OPERATIONFAILED (T7).
            pub fn known(self) -> $type {
                if self.name().is_some() { self } else { $type::$fallback }
            }

            /// The full C name; `None` if the headers do not define it.
            pub fn name(self) -> Option<&'static str> {
                crate::constants::$family
                    .members
                    .iter()
                    .find(|(_, code)| *code == self.code())
                    .map(|(name, _)| *name)
            }

            /// Cause and remedy in one sentence without a full stop; for an unknown code the one of
            /// OPERATIONFAILED (T7).
            pub fn text(self) -> &'static str {
                match self.known() {
                    $($type::$name => $text,)*
                    _ => "the operation failed",
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.name() {
                    Some(name) => write!(f, "{} ({name}, {:#010x})", self.text(), self.code()),
                    None if self.is_device_specific() => {
                        write!(f, "{} (device-specific error {:#010x})", self.text(), self.code())
                    }
                    None => write!(f, "{} (unknown error {:#010x})", self.text(), self.code()),
                }
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, concat!($prefix, "({:#010x})"), self.code()),
                }
            }
        }

        impl std::error::Error for $type {}

        impl From<$type> for i32 {
            fn from(error: $type) -> i32 {
                error.raw()
            }
        }

        impl From<$type> for ErrorCode {
            fn from(error: $type) -> ErrorCode {
                error.0
            }
        }

        impl From<ErrorCode> for $type {
            fn from(code: ErrorCode) -> $type {
                $type(code)
            }
        }
    };
}
use errors;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constants::{LINEERR, PHONEERR};

    #[test]
    fn every_code_of_the_headers_is_an_error() {
        assert_eq!(LineError::ALL.len(), 95);
        assert_eq!(PhoneError::ALL.len(), 36);
        let line: Vec<u32> = LineError::ALL.iter().map(|e| e.code()).collect();
        let phone: Vec<u32> = PhoneError::ALL.iter().map(|e| e.code()).collect();
        assert_eq!(line, LINEERR.members.iter().map(|m| m.1).collect::<Vec<_>>());
        assert_eq!(phone, PHONEERR.members.iter().map(|m| m.1).collect::<Vec<_>>());
    }

    #[test]
    fn constants_bear_their_c_names() {
        assert_eq!(LineError::OPERATIONFAILED.name(), Some("LINEERR_OPERATIONFAILED"));
        assert_eq!(LineError::OPERATIONFAILED.raw(), -2_147_483_576);
        assert_eq!(PhoneError::INVALPHONEHANDLE.raw(), -1_879_048_173);
        assert_eq!(format!("{:?}", LineError::INUSE), "LINEERR_INUSE");
    }

    #[test]
    fn only_negative_values_are_errors_t5() {
        assert_eq!(LineError::from_raw(0), None);
        assert_eq!(LineError::from_raw(i32::MAX), None);
        assert_eq!(LineError::from_raw(-2_147_483_576), Some(LineError::OPERATIONFAILED));
    }

    #[test]
    fn a_vendors_error_is_kept_and_treated_as_operationfailed_t6_t7() {
        let vendor = LineError::from_raw(0xC000_0001_u32.cast_signed()).unwrap();
        assert!(vendor.is_device_specific());
        assert_eq!(vendor.code(), 0xC000_0001);
        assert_eq!(vendor.known(), LineError::OPERATIONFAILED);
        assert_eq!(vendor.text(), LineError::OPERATIONFAILED.text());
        // 0x80000004 is not assigned in the headers.
        let hole = LineError::from_raw(0x8000_0004_u32.cast_signed()).unwrap();
        assert!(!hole.is_device_specific());
        assert_eq!(hole.known(), LineError::OPERATIONFAILED);
        assert!(hole.to_string().ends_with("(unknown error 0x80000004)"), "{hole}");
    }

    #[test]
    fn every_error_has_a_text() {
        let mut seen = std::collections::BTreeSet::new();
        for error in LineError::ALL {
            assert_eq!(error.known(), *error);
            let text = error.to_string();
            assert!(text.contains(error.name().unwrap()), "{text}");
            assert!(!error.text().ends_with('.') && error.text().len() > 12, "{text}");
            assert!(seen.insert(error.text()), "said twice: {text}");
        }
    }
}
