//! The status of a line's device that an application has set (TSPI_lineSetLineDevStatus).
//!
//! It is the device's and not an opening's: it stays when the line is closed, until the provider is
//! shut down.

/// What an application has set; at first nothing, and the line serves as its hardware does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DeviceStatus {
    /// No call can be made on the line; calls that come in are offered.
    pub(crate) locked: bool,
    /// The line was taken out of service: no call can be made, and none is offered.
    pub(crate) withdrawn: bool,
}
