//! Every constant of the TSPI and TAPI headers, under its own C name.
//!
//! A constant is a plain `u32`, the header's DWORD. Constants that belong together form a
//! [`Family`], which turns a value into its name for logs:
//!
//! ```
//! use ringback_tspi::constants::{LINECALLFEATURE, LINECALLSTATE, LINECALLSTATE_CONNECTED};
//!
//! assert_eq!(LINECALLSTATE.name_of(LINECALLSTATE_CONNECTED), Some("CONNECTED"));
//! assert_eq!(LINECALLFEATURE.show(0x84).to_string(), "ANSWER|DROP");
//! ```
//!
//! The values agree one by one with `facts/constants.tsv` (a test compares them all), which comes
//! from the public-domain mingw-w64 headers `tapi.h` and `tspi.h`.

mod app;
mod call;
mod errors;
mod line;
mod media;
mod messages;
mod phone;

pub use app::*;
pub use call::*;
pub use errors::*;
pub use line::*;
pub use media::*;
pub use messages::*;
pub use phone::*;

use std::fmt;

/// Constants that belong together, with their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// The name the headers give the family, e.g. `LINECALLSTATE`.
    pub name: &'static str,
    /// What every member's name starts with, e.g. `LINECALLSTATE_`; empty where names have nothing
    /// in common.
    pub prefix: &'static str,
    /// Whether members are bits that can be combined.
    pub bits: bool,
    /// Full C name and value of every member, in the headers' order.
    pub members: &'static [(&'static str, u32)],
}

impl Family {
    /// The member with exactly this value, without the prefix: `CONNECTED`.
    pub fn name_of(&self, value: u32) -> Option<&'static str> {
        self.members.iter().find(|(_, member)| *member == value).map(|(name, _)| self.short(name))
    }

    /// The value as names for logs: `CONNECTED`, `ANSWER|DROP`, `0`; hexadecimal for what has no
    /// name.
    pub const fn show(self, value: u32) -> Show {
        Show { family: self, value }
    }

    /// All bits of the family.
    pub fn mask(&self) -> u32 {
        self.members.iter().fold(0, |mask, (_, member)| mask | member)
    }

    fn short(&self, name: &'static str) -> &'static str {
        name.strip_prefix(self.prefix).unwrap_or(name)
    }
}

/// A value of a family, for printing. Made by [`Family::show`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Show {
    family: Family,
    value: u32,
}

impl fmt::Display for Show {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.family.name_of(self.value) {
            return f.write_str(name);
        }
        let mut rest = self.value;
        let mut separator = "";
        if self.family.bits {
            for (name, bit) in self.family.members {
                if rest & bit != 0 {
                    write!(f, "{separator}{}", self.family.short(name))?;
                    rest &= !bit;
                    separator = "|";
                }
            }
        }
        match (rest, separator) {
            (0, "") => f.write_str("0"),
            (0, _) => Ok(()),
            _ => write!(f, "{separator}{rest:#x}"),
        }
    }
}

/// The name of a message of the line event procedure, e.g. `LINE_CALLSTATE`.
pub fn line_message_name(message: u32) -> Option<&'static str> {
    LINE_MESSAGE.name_of(message).or_else(|| {
        // The base is a number to count from, not a message.
        TSPI_MESSAGE
            .members
            .iter()
            .find(|(name, value)| *value == message && *name != "TSPI_MESSAGE_BASE")
            .map(|(name, _)| *name)
    })
}

/// One family and its members as constants; the value follows each member's own words in its docs.
macro_rules! constants {
    (
        $(#[$family_doc:meta])*
        $family:ident: $kind:ident, $prefix:literal {
            $($(#[$doc:meta])* $name:ident = $value:literal,)*
        }
    ) => {
        $(#[$family_doc])*
        pub const $family: Family = Family {
            name: stringify!($family),
            prefix: $prefix,
            bits: constants!(@bits $kind),
            members: &[$((stringify!($name), $name)),*],
        };
        $(
            $(#[$doc])*
            #[doc = concat!("(", stringify!($value), ", family [`", stringify!($family), "`])")]
            pub const $name: u32 = $value;
        )*
    };
    (@bits bits) => { true };
    (@bits scalar) => { false };
}
use constants;

/// All families, in the order of the files above.
pub const FAMILIES: &[Family] = &[
    LINEAGENTFEATURE,
    LINEAGENTSTATE,
    LINEAGENTSTATUS,
    LINEAGENTSTATEEX,
    LINEAGENTSTATUSEX,
    LINEAGENTSESSIONSTATE,
    LINEAGENTSESSIONSTATUS,
    LINEQUEUESTATUS,
    LINEGROUPSTATUS,
    LINEPROXYSTATUS,
    LINECARDOPTION,
    LINEINITIALIZEEXOPTION,
    LINELOCATIONOPTION,
    LINEOPENOPTION,
    LINEPROXYREQUEST,
    LINEREQUESTMODE,
    LINETOLLLISTOPTION,
    LINETRANSLATEOPTION,
    LINETRANSLATERESULT,
    PHONEINITIALIZEEXOPTION,
    TAPIERR,
    TAPIMAX,
    TUISPIDLL_OBJECT,
    PRIVATEOBJECT,
    LINECALLSTATE,
    LINEDISCONNECTMODE,
    LINEDIALTONEMODE,
    LINEBUSYMODE,
    LINESPECIALINFO,
    LINECONNECTEDMODE,
    LINEOFFERINGMODE,
    LINECALLFEATURE,
    LINECALLFEATURE2,
    LINECALLINFOSTATE,
    LINECALLORIGIN,
    LINECALLREASON,
    LINECALLPARTYID,
    LINECALLPARAMFLAGS,
    LINECALLPRIVILEGE,
    LINECALLSELECT,
    LINECALLTREATMENT,
    LINECALLCOMPLCOND,
    LINECALLCOMPLMODE,
    LINECALLHUBTRACKING,
    LINEMEDIAMODE,
    LINEBEARERMODE,
    LINEANSWERMODE,
    LINETRANSFERMODE,
    LINEPARKMODE,
    LINEREMOVEFROMCONF,
    LINEFORWARDMODE,
    LINEERR,
    PHONEERR,
    TAPI_VERSION,
    MISC,
    LINETSPIOPTION,
    STRINGFORMAT,
    LINEDEVCAPFLAGS,
    LINEDEVSTATE,
    LINEDEVSTATUSFLAGS,
    LINEFEATURE,
    LINEROAMMODE,
    LINEADDRCAPFLAGS,
    LINEADDRFEATURE,
    LINEADDRESSMODE,
    LINEADDRESSSHARING,
    LINEADDRESSSTATE,
    LINEADDRESSTYPE,
    LINETERMDEV,
    LINETERMMODE,
    LINETERMSHARING,
    LINEDIGITMODE,
    LINETONEMODE,
    LINEGENERATETERM,
    LINEGATHERTERM,
    LINEMEDIACONTROL,
    LINEQOSSTRUCT,
    LINEQOSREQUESTTYPE,
    LINEQOSSERVICELEVEL,
    LINEEQOSINFO,
    LINE_MESSAGE,
    TSPI_MESSAGE,
    PHONE_MESSAGE,
    PHONESTATE,
    PHONESTATUSFLAGS,
    PHONEPRIVILEGE,
    PHONEHOOKSWITCHDEV,
    PHONEHOOKSWITCHMODE,
    PHONELAMPMODE,
    PHONEBUTTONMODE,
    PHONEBUTTONSTATE,
    PHONEBUTTONFUNCTION,
    PHONEFEATURE,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::types::Version;

    /// Family, name and value of every row of the headers' constants.
    fn rows() -> Vec<(&'static str, &'static str, u32)> {
        include_str!("../../facts/constants.tsv")
            .lines()
            .skip(1)
            .map(|line| {
                let mut cells = line.split('\t');
                let mut cell = || cells.next().expect("three cells per row");
                let (family, name, value) = (cell(), cell(), cell());
                let digits = value.strip_prefix("0x").expect("hexadecimal");
                (family, name, u32::from_str_radix(digits, 16).expect("hexadecimal"))
            })
            .collect()
    }

    #[test]
    fn every_constant_of_the_headers_is_here_with_its_value() {
        let mut wanted: BTreeMap<&str, Vec<(&str, u32)>> = BTreeMap::new();
        for (family, name, value) in rows() {
            if let Some(version) = name.strip_prefix("(version ") {
                // Versions have no name in the headers; they are constants of a type here.
                let version = version.strip_suffix(')').expect("a closing bracket");
                let found = Version::ALL.iter().find(|v| v.to_string() == version);
                assert_eq!(found.map(|v| v.word()), Some(value), "version {version}");
            } else {
                wanted.entry(family).or_default().push((name, value));
            }
        }
        assert_eq!(wanted.values().map(Vec::len).sum::<usize>(), 875);
        let here: BTreeMap<&str, Vec<(&str, u32)>> =
            FAMILIES.iter().map(|f| (f.name, f.members.to_vec())).collect();
        assert_eq!(here.len(), FAMILIES.len(), "a family is listed twice");
        for (family, members) in &wanted {
            assert_eq!(here.get(family), Some(members), "family {family}");
        }
        assert_eq!(here.len(), wanted.len(), "a family that the headers do not have");
    }

    #[test]
    fn a_bit_family_holds_single_bits_under_one_prefix() {
        for family in FAMILIES.iter().filter(|family| family.bits) {
            for (name, value) in family.members {
                assert_eq!(value.count_ones(), 1, "{name}");
                assert!(
                    name.starts_with(family.prefix) || name.starts_with("LAST_"),
                    "{name} does not start with {}",
                    family.prefix
                );
            }
        }
    }

    #[test]
    fn values_are_shown_by_name() {
        assert_eq!(LINECALLSTATE.show(LINECALLSTATE_CONNECTED).to_string(), "CONNECTED");
        assert_eq!(LINECALLSTATE.show(0x0100_0000).to_string(), "0x1000000");
        assert_eq!(
            LINECALLFEATURE.show(LINECALLFEATURE_DROP | LINECALLFEATURE_ANSWER).to_string(),
            "ANSWER|DROP"
        );
        assert_eq!(LINEMEDIAMODE.show(0x1 | 0x8000).to_string(), "VIDEO|0x1");
        assert_eq!(LINECALLFEATURE.show(0).to_string(), "0");
        assert_eq!(LINECALLHUBTRACKING.show(0).to_string(), "NONE");
        assert_eq!(LINECALLTREATMENT.show(3).to_string(), "BUSY");
        assert_eq!(LINECALLTREATMENT.show(7).to_string(), "0x7");
        assert_eq!(LINEERR.show(0x8000_0048).to_string(), "OPERATIONFAILED");
    }

    #[test]
    fn messages_have_names() {
        assert_eq!(line_message_name(2), Some("LINE_CALLSTATE"));
        assert_eq!(line_message_name(500), Some("LINE_NEWCALL"));
        assert_eq!(line_message_name(506), Some("LINE_QOSINFO"));
        assert_eq!(line_message_name(14), None, "a phone's message");
        assert_eq!(line_message_name(u32::MAX), None);
    }
}
