//! What the user wants of a telephone's line, for the telephone or the device on it.

use std::time::Duration;

use clap::Args;
use ringback_provider::{DeviceConfig, SoundOptions, TelephoneOptions, config_block};
use ringback_tspi::dev_specific::LineKind;

use crate::card::Station;
use crate::conversation::Conversation;
use crate::exit::{Exit, Failure};

/// The device class of a telephone line's configuration.
const CLASS: &str = "tapi/line";

/// How a telephone is treated.
#[derive(Debug, Clone, Args)]
pub(crate) struct TelephoneArguments {
    /// On a telephone's line: battery is taken from it for so many ms (100 to 5000; 500 is usual)
    /// when we hang up, so that an answering machine or an exchange on it notices that
    /// [default: not at all]
    #[arg(long, value_name = "MS", value_parser = parse_battery_drop)]
    battery_drop: Option<Duration>,
    /// On a telephone's line: how it rings. 1: as the country does; 2: two long rings; 3: a short
    /// and a long one
    #[arg(
        long,
        value_name = "MODE",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(TelephoneOptions::RING_MODES)),
        default_value_t = 1
    )]
    ring_mode: u32,
}

fn parse_battery_drop(text: &str) -> Result<Duration, String> {
    let times = TelephoneOptions::BATTERY_DROPS;
    let time = text.parse().ok().map(Duration::from_millis);
    time.filter(|time| times.contains(time)).ok_or_else(|| {
        let [least, most] = [times.start(), times.end()].map(Duration::as_millis);
        format!("{text:?} is no time without battery: write whole ms from {least} to {most}")
    })
}

impl TelephoneArguments {
    /// Configures the line before a call, its sound as well. Another kind of line is left alone.
    pub(crate) fn configure(
        &self,
        station: &Station,
        line: &Conversation<'_>,
        sound: SoundOptions,
    ) -> Result<(), Failure> {
        let &TelephoneArguments { battery_drop, ring_mode } = self;
        let usual = TelephoneOptions::default();
        let own = TelephoneOptions { battery_drop, ring_mode, ..usual };
        let info = line.line.info();
        if info.kind != Some(LineKind::Fxs) {
            if own == usual {
                return Ok(());
            }
            let text = "--battery-drop and --ring-mode are for lines of a telephone (FXS)";
            return Err(Failure::new(Exit::Usage, format_args!("{}: {text}", line.name())));
        }
        let options = TelephoneOptions { sound, ..own };
        if options == usual {
            return Ok(());
        }
        let block = config_block(&DeviceConfig::Telephone { options });
        let set = station.provider().line_set_dev_config(info.device_id, &block, CLASS);
        set.map_err(|error| Failure::line(line.name(), error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_battery_is_read_and_anything_else_refused_with_the_limits() {
        assert_eq!(parse_battery_drop("500"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "99", "5001", "0.5", "-1", ""] {
            let error = parse_battery_drop(wrong).unwrap_err();
            assert!(error.contains("from 100 to 5000"), "{wrong}: {error}");
        }
    }
}
