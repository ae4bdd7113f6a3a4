//! How a line understands its exchange: what of an exchange's behaviour can't be seen by itself.
//!
//! The options are a part of the line's configuration, in which they are text: `answer=tones` and
//! so on, those that are usual left out.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use ringback_country::Profile;
use ringback_tspi::error::LineError;

use crate::SoundOptions;

/// The options of a line of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExchangeOptions {
    /// What shows that a call was answered.
    pub answer: Answer,
    /// After how much silence a conversation is over, 1 s to an hour in whole seconds; `None` for
    /// never.
    pub silence: Option<Duration>,
    /// What the exchange can do with calls; `None` for nothing.
    pub profile: Option<&'static Profile>,
    /// What it does to its sound.
    pub sound: SoundOptions,
}

/// What shows that a call that was made here was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Answer {
    /// Whatever comes first: the reversal of polarity, or as with [`Tones`](Answer::Tones).
    #[default]
    Any,
    /// Only a reversal of polarity. A further reversal ends the call, also one that came in.
    Polarity,
    /// A voice, or ringback that stops where its cadence has no rest and does not come back.
    /// Polarity means nothing.
    Tones,
    /// The end of dialling: the call is connected at once, and the caller listens to its tones.
    Dialled,
}

impl Answer {
    /// Every value, with its name.
    pub const ALL: [(Answer, &'static str); 4] = [
        (Answer::Any, "any"),
        (Answer::Polarity, "polarity"),
        (Answer::Tones, "tones"),
        (Answer::Dialled, "dialled"),
    ];
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = Answer::ALL.iter().find(|(answer, _)| answer == self);
        f.write_str(own.map_or("", |(_, name)| name))
    }
}

impl FromStr for Answer {
    type Err = LineError;

    fn from_str(name: &str) -> Result<Answer, LineError> {
        let own = Answer::ALL.iter().find(|(_, own)| *own == name);
        own.map(|(answer, _)| *answer).ok_or(LineError::INVALPARAM)
    }
}

impl ExchangeOptions {
    /// The longest silence that can be waited for.
    pub const MOST_SILENCE: Duration = Duration::from_secs(3600);

    /// The options that differ from the usual, each as `name=value`.
    pub fn parts(&self) -> Vec<String> {
        let answer = (self.answer != Answer::Any).then(|| format!("answer={}", self.answer));
        let silence = self.silence.map(|silence| format!("silence={}", silence.as_secs()));
        let profile = self.profile.map(|profile| format!("profile={}", profile.name));
        [answer, silence, profile].into_iter().flatten().chain(self.sound.parts()).collect()
    }

    /// Sets one option, from `name=value`.
    ///
    /// # Errors
    /// INVALPARAM for an unknown name or value; nothing is changed.
    pub fn set(&mut self, part: &str) -> Result<(), LineError> {
        match part.split_once('=').ok_or(LineError::INVALPARAM)? {
            ("answer", answer) => self.answer = answer.parse()?,
            ("profile", name) => {
                self.profile = Some(Profile::named(name).ok_or(LineError::INVALPARAM)?);
            }
            ("silence", seconds) => {
                let seconds = seconds.parse().map_err(|_| LineError::INVALPARAM)?;
                let silence = Duration::from_secs(seconds);
                if silence.is_zero() || silence > ExchangeOptions::MOST_SILENCE {
                    return Err(LineError::INVALPARAM);
                }
                self.silence = Some(silence);
            }
            (name, value) => self.sound.set(name, value)?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_they_are_written_and_others_are_refused() {
        let silence = Some(Duration::from_secs(30));
        for (answer, _) in Answer::ALL {
            for (silence, profile) in [(None, Profile::named("european-pbx")), (silence, None)] {
                let sound = SoundOptions { gain_sent: -6, ..SoundOptions::default() };
                let options = ExchangeOptions { answer, silence, profile, sound };
                let mut read = ExchangeOptions::default();
                options.parts().iter().for_each(|part| read.set(part).unwrap());
                assert_eq!(read, options);
            }
        }
        let mut options = ExchangeOptions::default();
        assert!(options.parts().is_empty());
        for wrong in
            ["", "answer", "answer=x", "silence=0", "silence=3601", "silence=x", "profile=x", "x=1"]
        {
            assert_eq!(options.set(wrong), Err(LineError::INVALPARAM), "{wrong}");
        }
        assert_eq!(options, ExchangeOptions::default());
    }
}
