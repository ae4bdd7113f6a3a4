//! The short names by which a person selects a card.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::pci::PciAddress;

/// Which card: `soft`, `shim:/dev/uio0`, `uio:/dev/uio0`, `pci:0000:05:00.0` or `mdev:UUID`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Selector {
    /// The card in software.
    Soft,
    /// A UIO device of the `ringback` module, by its number, with the samples moved by the module.
    Shim(u32),
    /// A UIO device, by its number, with the samples moved in its interrupt by userspace.
    Uio(u32),
    /// A PCI function under vfio-pci.
    Pci(PciAddress),
    /// A mediated device, named by its UUID.
    Mdev(MdevUuid),
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selector::Soft => write!(f, "soft"),
            Selector::Shim(number) => write!(f, "shim:/dev/uio{number}"),
            Selector::Uio(number) => write!(f, "uio:/dev/uio{number}"),
            Selector::Pci(address) => write!(f, "pci:{address}"),
            Selector::Mdev(uuid) => write!(f, "mdev:{uuid}"),
        }
    }
}

/// The text selects no card.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SelectorError {
    /// None of the forms.
    #[error(
        "{0:?} is not a card; write soft, shim:/dev/uio0, uio:/dev/uio0, pci:0000:05:00.0 or \
         mdev:83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"
    )]
    Unknown(String),
    /// `uio:` or `shim:` and something that is no UIO device.
    #[error(
        "{0:?} is not a UIO device; write it like uio:/dev/uio0 or shim:/dev/uio0 (ls /dev/uio* \
         shows them)"
    )]
    Uio(String),
    /// `pci:` and something that is no address.
    #[error(
        "{0:?} is not a PCI address; write it like pci:0000:05:00.0 (lspci -D shows them: domain, \
         bus, device up to 1f, function up to 7)"
    )]
    Pci(String),
    /// `mdev:` and something that is no UUID.
    #[error(
        "{0:?} is not the UUID of a mediated device; write it like \
         mdev:83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 (ls /sys/bus/mdev/devices shows them)"
    )]
    Mdev(String),
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Selector, SelectorError> {
        if text == "soft" {
            return Ok(Selector::Soft);
        }
        let (kind, rest) =
            text.split_once(':').ok_or_else(|| SelectorError::Unknown(text.to_owned()))?;
        let uio = || {
            let number = rest.strip_prefix("/dev/uio").and_then(uio_number);
            number.ok_or_else(|| SelectorError::Uio(rest.to_owned()))
        };
        match kind {
            "shim" => uio().map(Selector::Shim),
            "uio" => uio().map(Selector::Uio),
            "pci" => {
                rest.parse().map(Selector::Pci).map_err(|_| SelectorError::Pci(rest.to_owned()))
            }
            "mdev" => {
                rest.parse().map(Selector::Mdev).map_err(|_| SelectorError::Mdev(rest.to_owned()))
            }
            _ => Err(SelectorError::Unknown(text.to_owned())),
        }
    }
}

/// The number of a UIO device as its name is made of it: digits without a leading zero.
pub(super) fn uio_number(digits: &str) -> Option<u32> {
    let number: u32 = digits.parse().ok()?;
    (number.to_string() == digits).then_some(number)
}

/// The UUID of a mediated device, in lower case as the kernel shows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MdevUuid(String);

impl fmt::Display for MdevUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not a UUID")]
pub struct NotAUuid;

impl FromStr for MdevUuid {
    type Err = NotAUuid;

    fn from_str(text: &str) -> Result<MdevUuid, NotAUuid> {
        let groups = text
            .split('-')
            .map(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(group.len()));
        if groups.eq([8, 4, 4, 4, 12].map(Some)) {
            Ok(MdevUuid(text.to_ascii_lowercase()))
        } else {
            Err(NotAUuid)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_reads_back_what_it_shows() {
        for (text, shown) in [
            ("soft", "soft"),
            ("shim:/dev/uio12", "shim:/dev/uio12"),
            ("uio:/dev/uio0", "uio:/dev/uio0"),
            ("uio:/dev/uio4294967295", "uio:/dev/uio4294967295"),
            ("pci:05:00.0", "pci:0000:05:00.0"),
            (
                "mdev:83B8F4F2-509F-382F-3C1E-E6BFE0FA1001",
                "mdev:83b8f4f2-509f-382f-3c1e-e6bfe0fa1001",
            ),
        ] {
            let selector: Selector = text.parse().unwrap();
            assert_eq!(selector.to_string(), shown);
            assert_eq!(shown.parse(), Ok(selector));
        }
    }

    #[test]
    fn bad_input_gets_the_form_it_should_have() {
        let error = |text: &str| text.parse::<Selector>().unwrap_err();
        for text in ["", "Soft", "soft:", "/dev/uio0", "usb:1", ":", "pci"] {
            assert_eq!(error(text), SelectorError::Unknown(text.to_owned()));
        }
        for rest in
            ["", "uio0", "/dev/uio", "/dev/uio-1", "/dev/uio01", "/dev/uio+1", "/dev/uio4294967296"]
        {
            assert_eq!(error(&format!("uio:{rest}")), SelectorError::Uio(rest.to_owned()));
            assert_eq!(error(&format!("shim:{rest}")), SelectorError::Uio(rest.to_owned()));
        }
        for rest in ["", "0000:05:00", "05:20.0", "e159:0001", "0000:05:00.8", "../.."] {
            let error = error(&format!("pci:{rest}"));
            assert_eq!(error, SelectorError::Pci(rest.to_owned()));
            assert!(error.to_string().contains("pci:0000:05:00.0"));
        }
        for rest in [
            "",
            "83b8f4f2-509f-382f-3c1e",
            "83b8f4f2509f382f3c1ee6bfe0fa1001",
            "83b8f4f2-509f-382f-3c1e-e6bfe0fa100g",
            "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001-",
            "../../../etc",
        ] {
            assert_eq!(error(&format!("mdev:{rest}")), SelectorError::Mdev(rest.to_owned()));
        }
    }
}
