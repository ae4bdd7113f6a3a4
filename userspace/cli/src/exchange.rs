//! What the user knows of the exchange behind a line, and the line can't see by itself.

use std::time::Duration;

use clap::Args;
use ringback_country::{Country, Profile};
use ringback_provider::{Answer, DeviceConfig, ExchangeOptions, SoundOptions, config_block};
use ringback_tspi::dev_specific::LineKind;

use crate::card::Station;
use crate::conversation::Conversation;
use crate::exchange_section::parse_profile;
use crate::exit::{Exit, Failure};

/// The device class of an exchange line's configuration.
pub(crate) const CLASS: &str = "tapi/line";

/// How the exchange behaves.
#[derive(Debug, Clone, Args)]
pub(crate) struct ExchangeArguments {
    /// On an exchange line: what shows that a call was answered. `polarity`: only a reversal of
    /// battery, and a further one ends the call; `tones`: a voice, or ringback that stops, and no
    /// reversal; `any`: one of both; `dialled`: the end of dialling, so that you listen to the
    /// exchange's tones
    #[arg(
        long,
        value_name = "any|polarity|tones|dialled",
        value_parser = parse_answer,
        default_value = "any"
    )]
    answer: Answer,
    /// On an exchange line: the call is over after this much silence, in whole seconds up to 3600
    /// [default: never]
    #[arg(long, value_name = "SECONDS", value_parser = parse_silence)]
    silence: Option<Duration>,
    /// On an exchange line: what the exchange does after a hook flash and by codes, so that calls
    /// can be held, transferred, parked and forwarded. A country file can have a profile of your
    /// own [default: that of the country file, or none]
    #[arg(long, value_name = "north-america|european-pbx", value_parser = parse_profile)]
    profile: Option<&'static Profile>,
}

fn parse_answer(name: &str) -> Result<Answer, String> {
    name.parse().map_err(|_| {
        let names: Vec<&str> = Answer::ALL.iter().map(|(_, name)| *name).collect();
        format!("{name:?} does not show that a call was answered: write {}", names.join(", "))
    })
}

fn parse_silence(text: &str) -> Result<Duration, String> {
    let most = ExchangeOptions::MOST_SILENCE;
    let silence = text.parse().ok().map(Duration::from_secs);
    silence.filter(|silence| !silence.is_zero() && *silence <= most).ok_or_else(|| {
        format!("{text:?} is no silence: write whole seconds from 1 to {}", most.as_secs())
    })
}

impl ExchangeArguments {
    fn options(&self, country: Country) -> ExchangeOptions {
        let profile = self.profile.or(country.profile());
        ExchangeOptions {
            answer: self.answer,
            silence: self.silence,
            profile,
            ..Default::default()
        }
    }

    /// Configures the line before a call, its sound as well. Another kind of line is left alone.
    pub(crate) fn configure(
        &self,
        station: &Station,
        line: &Conversation<'_>,
        sound: SoundOptions,
    ) -> Result<(), Failure> {
        let own = self.options(station.country);
        let usual = ExchangeOptions { profile: station.country.profile(), ..Default::default() };
        let info = line.line.info();
        if info.kind != Some(LineKind::Fxo) {
            if own == usual {
                return Ok(());
            }
            let text = "--answer, --silence and --profile are for lines of an exchange (FXO)";
            return Err(Failure::new(Exit::Usage, format_args!("{}: {text}", line.name())));
        }
        let options = ExchangeOptions { sound, ..own };
        if options == usual {
            return Ok(());
        }
        let country = station.country.to_string();
        let block = config_block(&DeviceConfig::Exchange { country, options });
        let set = station.provider().line_set_dev_config(info.device_id, &block, CLASS);
        set.map_err(|error| Failure::line(line.name(), error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_an_answer_is_named_and_anything_else_refused_with_the_names() {
        assert_eq!(parse_answer("polarity"), Ok(Answer::Polarity));
        assert_eq!(parse_profile("european-pbx"), Ok(&Profile::EUROPEAN_PBX));
        assert!(parse_profile("luck").unwrap_err().contains("north-america (a North American"));
        assert!(parse_answer("luck").unwrap_err().contains("any, polarity, tones, dialled"));
        assert_eq!(parse_silence("20"), Ok(Duration::from_secs(20)));
        for wrong in ["0", "3601", "2.5", "-1", ""] {
            assert!(parse_silence(wrong).unwrap_err().contains("from 1 to 3600"), "{wrong}");
        }
    }
}
