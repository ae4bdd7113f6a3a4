//! The configuration of a line's device.

use ringback_country::Profile;

use super::{ExchangeOptions, TelephoneOptions};

/// The configuration of a device, which an application can keep to restore it later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceConfig {
    /// A line of an exchange.
    Exchange {
        /// The name of the country whose exchange it is set for.
        country: String,
        /// How the line understands that exchange.
        options: ExchangeOptions,
    },
    /// A line of a telephone.
    Telephone {
        /// How the line treats the telephone.
        options: TelephoneOptions,
    },
    /// A modem.
    Modem {
        /// The command line, beginning with AT, that it is sent before every call.
        init: String,
    },
}

impl DeviceConfig {
    /// What the exchange of the line can do, as far as is known.
    pub fn profile(&self) -> Option<&'static Profile> {
        match self {
            DeviceConfig::Exchange { options, .. } => options.profile,
            DeviceConfig::Telephone { .. } | DeviceConfig::Modem { .. } => None,
        }
    }
}
