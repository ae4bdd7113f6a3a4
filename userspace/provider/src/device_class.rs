//! The classes of the devices that belong to a line (dwDeviceClasses).

use ringback_tspi::dev_specific::LineKind;

/// The class of lines themselves, in their capabilities and for TSPI_lineGetID.
pub(super) const CLASS_LINE: &str = "tapi/line";
/// The class of modems, likewise, and for the configuration of a line.
pub(super) const CLASS_MODEM: &str = "comm/datamodem";

/// Whether two names of classes are the same: case does not count.
pub(super) fn is_class(class: &str, name: &str) -> bool {
    class.eq_ignore_ascii_case(name)
}

/// The classes of a kind of line.
pub(super) fn classes(kind: LineKind) -> &'static [&'static str] {
    match kind {
        LineKind::Fxo | LineKind::Fxs => &[CLASS_LINE],
        LineKind::Modem => &[CLASS_LINE, CLASS_MODEM],
    }
}
