//! What the user wants of a line's sound: gains, and the cancellation of its echo.

use clap::Args;
use ringback_provider::SoundOptions;

use crate::conversation::Conversation;
use crate::exit::{Exit, Failure};

/// What a line does to its sound.
#[derive(Debug, Clone, Args)]
pub(crate) struct SoundArguments {
    /// Take the echo of what is sent out of what is received, while the call is connected and until
    /// a fax machine or a modem is heard on it
    #[arg(long)]
    echo_cancel: bool,
    /// What is received is louder by so many dB, -24 to 12
    #[arg(long, value_name = "DB", value_parser = parse_gain, default_value_t = 0,
          allow_negative_numbers = true)]
    gain_received: i8,
    /// What is sent is louder by so many dB, -24 to 12; tones and digits as well
    #[arg(long, value_name = "DB", value_parser = parse_gain, default_value_t = 0,
          allow_negative_numbers = true)]
    gain_sent: i8,
}

fn parse_gain(text: &str) -> Result<i8, String> {
    let gains = SoundOptions::GAINS;
    text.parse().ok().filter(|gain| gains.contains(gain)).ok_or_else(|| {
        let (least, most) = gains.into_inner();
        format!("{text:?} is no gain: write whole dB from {least} to {most}")
    })
}

impl SoundArguments {
    /// The options of a line's sound.
    ///
    /// # Errors
    /// The line carries none, and options were given.
    pub(crate) fn options(&self, line: &Conversation<'_>) -> Result<SoundOptions, Failure> {
        let &SoundArguments { echo_cancel, gain_received, gain_sent } = self;
        let options = SoundOptions { echo_cancel, gain_received, gain_sent };
        if options != SoundOptions::default() && line.is_modem() {
            let text = "--echo-cancel, --gain-received and --gain-sent are for lines with sound";
            return Err(Failure::new(Exit::Usage, format_args!("{}: {text}", line.name())));
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_is_read_and_anything_else_refused_with_the_limits() {
        for (text, gain) in [("-24", -24), ("0", 0), ("12", 12), ("+3", 3)] {
            assert_eq!(parse_gain(text), Ok(gain));
        }
        for wrong in ["-25", "13", "200", "1.5", "loud", ""] {
            assert!(parse_gain(wrong).unwrap_err().contains("from -24 to 12"), "{wrong}");
        }
    }
}
