//! What a line does to its sound: gains, and the cancellation of its echo.
//!
//! The options are a part of the line's configuration, in which they are text: `echo-cancel=on` and
//! so on, those that are usual left out.

use std::ops::RangeInclusive;

use ringback_tspi::error::LineError;

/// The options of a line's sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SoundOptions {
    /// Whether the echo of what is sent is taken out of what is received, while a call is connected
    /// and until a fax machine or a modem is heard on it. What is received is 8 ms late then.
    pub echo_cancel: bool,
    /// By how many dB what is received is louder, -24 to 12.
    pub gain_received: i8,
    /// By how many dB what is sent is louder, -24 to 12.
    pub gain_sent: i8,
}

impl SoundOptions {
    /// The gains that a line can have, in dB.
    pub const GAINS: RangeInclusive<i8> = -24..=12;

    /// The options that differ from the usual, each as `name=value`.
    pub fn parts(&self) -> Vec<String> {
        let echo = self.echo_cancel.then(|| "echo-cancel=on".to_owned());
        let gain = |name: &str, db: i8| (db != 0).then(|| format!("{name}={db}"));
        let gains = [gain("gain-received", self.gain_received), gain("gain-sent", self.gain_sent)];
        echo.into_iter().chain(gains.into_iter().flatten()).collect()
    }

    /// Sets one option.
    ///
    /// # Errors
    /// INVALPARAM for an unknown name or value; nothing is changed.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), LineError> {
        let gain = || {
            let gain = value.parse().ok();
            gain.filter(|db| SoundOptions::GAINS.contains(db)).ok_or(LineError::INVALPARAM)
        };
        match (name, value) {
            ("echo-cancel", "on") => self.echo_cancel = true,
            ("gain-received", _) => self.gain_received = gain()?,
            ("gain-sent", _) => self.gain_sent = gain()?,
            _ => return Err(LineError::INVALPARAM),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_they_are_written_and_others_are_refused() {
        for echo_cancel in [false, true] {
            for (gain_received, gain_sent) in [(0, 0), (-24, 12), (12, -24), (3, 0)] {
                let options = SoundOptions { echo_cancel, gain_received, gain_sent };
                let mut read = SoundOptions::default();
                for part in options.parts() {
                    let (name, value) = part.split_once('=').unwrap();
                    read.set(name, value).unwrap();
                }
                assert_eq!(read, options);
            }
        }
        let mut options = SoundOptions::default();
        assert!(options.parts().is_empty());
        for (name, value) in [
            ("echo-cancel", "perhaps"),
            ("gain-sent", "13"),
            ("gain-sent", "-25"),
            ("gain-received", "1.5"),
            ("gain", "1"),
        ] {
            assert_eq!(options.set(name, value), Err(LineError::INVALPARAM), "{name}={value}");
        }
        assert_eq!(options, SoundOptions::default());
    }
}
