//! The plain types of the contract: words, request ids, handles, versions, return values.
//!
//! Names in capitals are those of the C headers, so that a signature here reads like its C
//! prototype. Widths hold on every platform: DWORD and LONG have 32 bits also on LP64 (T8), event
//! parameters and handles are pointer-sized (T9). A handle is never 0 (N2): a C handle that may be
//! NULL is an `Option` of the type, and has the same size.

use std::fmt;
use std::num::NonZeroUsize;

use crate::error::LineError;

/// An unsigned word of 32 bits.
pub type DWORD = u32;
/// A signed word of 32 bits; results of functions (T8).
pub type LONG = i32;
/// An unsigned word as wide as a pointer; event parameters (T9).
#[allow(non_camel_case_types)]
pub type DWORD_PTR = usize;
/// The id of an asynchronous request as it crosses the C interface (T1);
/// [`RequestId`](ringback_request::RequestId) elsewhere.
#[allow(non_camel_case_types)]
pub type DRV_REQUESTID = u32;

/// Handles: opaque to the side that did not make them, never 0.
macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name(NonZeroUsize);

        impl $name {
            /// The handle with this value; `None` for 0, which is no handle (N2).
            pub const fn new(value: usize) -> Option<$name> {
                match NonZeroUsize::new(value) {
                    Some(value) => Some($name(value)),
                    None => None,
                }
            }

            /// The value as it crosses the C interface.
            pub const fn raw(self) -> usize {
                self.0.get()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:#x})"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:#x}", self.0)
            }
        }
    )*};
}

handles! {
    /// The provider's handle of an open line; TAPI passes it back in every call.
    HDRVLINE;
    /// The provider's handle of a call.
    HDRVCALL;
    /// TAPI's handle of an open line; the provider passes it back in every event.
    HTAPILINE;
    /// TAPI's handle of a call. TAPI uses the values again after a call is closed, so a provider
    /// must not identify its own calls by them.
    HTAPICALL;
    /// TAPI's handle of the provider itself, for LINE_CREATE.
    HPROVIDER;
    /// The provider's handle of an open phone.
    HDRVPHONE;
    /// TAPI's handle of an open phone; the provider passes it back in every event.
    HTAPIPHONE;
    /// The provider's handle of its side of a media service provider's channel (3.0).
    HDRVMSPLINE;
    /// TAPI's handle of a media service provider's channel (3.0).
    HTAPIMSPLINE;
    /// The provider's handle of a dialog that it has asked for.
    HDRVDIALOGINSTANCE;
}

/// A version of the contract, e.g. 2.0: major number in the high word, minor in the low one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Version(DWORD);

impl Version {
    /// 1.3, of 16-bit Windows.
    pub const V1_3: Version = Version(0x0001_0003);
    /// 1.4, of Windows 95.
    pub const V1_4: Version = Version(0x0001_0004);
    /// 2.0: the first with the return classes and the 42 asynchronous functions of today (K6).
    pub const V2_0: Version = Version(0x0002_0000);
    /// TSPI 2.1, dwTSPIVersion 0x00020001.
    pub const V2_1: Version = Version(0x0002_0001);
    /// TSPI 2.2, dwTSPIVersion 0x00020002.
    pub const V2_2: Version = Version(0x0002_0002);
    /// TSPI 3.0, which adds call hubs and media service providers.
    pub const V3_0: Version = Version(0x0003_0000);
    /// TSPI 3.1, the newest version.
    pub const V3_1: Version = Version(0x0003_0001);

    /// Every version there is, oldest first.
    pub const ALL: [Version; 7] = [
        Version::V1_3,
        Version::V1_4,
        Version::V2_0,
        Version::V2_1,
        Version::V2_2,
        Version::V3_0,
        Version::V3_1,
    ];

    /// The oldest version that Ringback speaks. Before 2.0 synchronous and asynchronous functions
    /// were not kept apart (K6).
    pub const OLDEST_SPOKEN: Version = Version::V2_0;
    /// The newest version that Ringback speaks.
    pub const NEWEST_SPOKEN: Version = Version::V3_1;

    /// The version with this word; `None` if there is none.
    pub fn from_word(word: DWORD) -> Option<Version> {
        Version::ALL.into_iter().find(|version| version.0 == word)
    }

    /// The version as a DWORD.
    pub const fn word(self) -> DWORD {
        self.0
    }

    /// The newest version that Ringback speaks and that lies in `low..=high`
    /// (TSPI_lineNegotiateTSPIVersion).
    ///
    /// # Errors
    /// INCOMPATIBLEAPIVERSION if there is none.
    pub fn negotiate(low: DWORD, high: DWORD) -> Result<Version, LineError> {
        Version::ALL
            .into_iter()
            .rev()
            .filter(|version| *version >= Version::OLDEST_SPOKEN)
            .find(|version| (low..=high).contains(&version.0))
            .ok_or(LineError::INCOMPATIBLEAPIVERSION)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 >> 16, self.0 & 0xFFFF)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constants::TAPI_CURRENT_VERSION;

    #[test]
    fn words_have_their_widths_t8_t9() {
        assert_eq!(size_of::<DWORD>(), 4);
        assert_eq!(size_of::<LONG>(), 4);
        assert_eq!(size_of::<DRV_REQUESTID>(), 4);
        assert_eq!(size_of::<DWORD_PTR>(), size_of::<*const ()>());
    }

    #[test]
    fn zero_is_no_handle_n2() {
        assert_eq!(HDRVCALL::new(0), None);
        assert_eq!(HDRVCALL::new(7).map(HDRVCALL::raw), Some(7));
        assert_eq!(size_of::<Option<HDRVLINE>>(), size_of::<*const ()>());
        assert_eq!(format!("{:?}", HTAPICALL::new(0x1f).unwrap()), "HTAPICALL(0x1f)");
    }

    #[test]
    fn the_newest_common_version_is_negotiated() {
        let negotiate = |low: u32, high: u32| Version::negotiate(low, high).ok();
        assert_eq!(negotiate(0x0001_0003, TAPI_CURRENT_VERSION), Some(Version::V3_1));
        assert_eq!(negotiate(0x0001_0003, 0x0002_0002), Some(Version::V2_2));
        assert_eq!(negotiate(0x0002_0000, 0x0002_0000), Some(Version::V2_0));
        assert_eq!(negotiate(0, u32::MAX), Some(Version::NEWEST_SPOKEN));
        assert_eq!(negotiate(0x0001_0003, 0x0001_0004), None, "too old");
        assert_eq!(negotiate(0x0003_0002, 0x0004_0000), None, "too new");
        assert_eq!(negotiate(0x0003_0001, 0x0002_0000), None, "upside down");
        assert_eq!(
            Version::negotiate(0, 0),
            Err(LineError::INCOMPATIBLEAPIVERSION),
            "the error that TAPI knows"
        );
    }

    #[test]
    fn versions_are_words() {
        for version in Version::ALL {
            assert_eq!(Version::from_word(version.word()), Some(version));
        }
        assert_eq!(Version::from_word(0x0002_0003), None);
        assert_eq!(Version::V3_1.word(), TAPI_CURRENT_VERSION);
        assert_eq!(Version::V2_0.to_string(), "2.0");
    }
}
