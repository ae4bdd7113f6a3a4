//! The configuration of a line's device.

use ringback_country::{Country, Profile};

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

    /// Whether it is known how the exchange of the line tells who calls.
    pub fn tells_callers(&self) -> bool {
        let DeviceConfig::Exchange { country, .. } = self else { return false };
        // A country of the user's own tells it as the one that it changes.
        let known = country.split('/').next().map(str::parse::<Country>);
        known.is_some_and(|known| known.is_ok_and(|country| country.caller_id().is_some()))
    }
}
