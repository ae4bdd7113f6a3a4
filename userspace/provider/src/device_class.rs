//! The classes of the devices that belong to a line or phone (dwDeviceClasses).

use ringback_tspi::dev_specific::LineKind;

/// The class of lines themselves, in their capabilities and for TSPI_lineGetID.
pub(super) const CLASS_LINE: &str = "tapi/line";
/// The class of phones, likewise.
pub(super) const CLASS_PHONE: &str = "tapi/phone";
/// The class of modems, likewise, and for the configuration of a line.
pub(super) const CLASS_MODEM: &str = "comm/datamodem";

/// Whether two names of classes are the same: case does not count.
pub(super) fn is_class(class: &str, name: &str) -> bool {
    class.eq_ignore_ascii_case(name)
}

/// The classes of a kind of line, which are also those of the phone beside it.
pub(super) fn classes(kind: LineKind) -> &'static [&'static str] {
    match kind {
        LineKind::Fxo => &[CLASS_LINE],
        LineKind::Fxs => &[CLASS_LINE, CLASS_PHONE],
        LineKind::Modem => &[CLASS_LINE, CLASS_MODEM],
    }
}
