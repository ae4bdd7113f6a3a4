//! Codes that are dialled to have an exchange forward, park, pick up or call back.
//!
//! A code is a dial string as in a [`Profile`](crate::Profile), in which `N` stands for the number
//! that the code is about. `W` before it means that the exchange sends dial tone again until the
//! number comes. A `#` at the end tells the exchange that the code is complete. The exchange
//! confirms it by a tone, or refuses it by busy, reorder or a special information tone.

use crate::{Plan, Signal, Sound};

/// When the calls of a line are forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Forwarding {
    /// Every call.
    Unconditional,
    /// Calls while the line is in use.
    Busy,
    /// Calls that are not answered.
    NoAnswer,
}

impl Forwarding {
    /// Every kind of forwarding.
    pub const ALL: [Forwarding; 3] =
        [Forwarding::Unconditional, Forwarding::Busy, Forwarding::NoAnswer];
}

/// The codes of one kind of forwarding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForwardCodes {
    /// Forwards calls to `N`.
    pub set: &'static str,
    /// Forwards no calls any more.
    pub cancel: &'static str,
}

/// The codes of an exchange; `None` for what it has none for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Codes {
    /// Every call.
    pub forward: Option<ForwardCodes>,
    /// Calls while the line is in use.
    pub forward_busy: Option<ForwardCodes>,
    /// Calls that are not answered.
    pub forward_no_answer: Option<ForwardCodes>,
    /// In conversation: parks the party at `N`, which everyone can unpark there.
    pub park: Option<&'static str>,
    /// Connects the party that is parked at `N`.
    pub unpark: Option<&'static str>,
    /// Connects the caller for whom the telephone with the number `N` rings.
    pub pick_up: Option<&'static str>,
    /// Connects a caller for whom any other telephone rings.
    pub pick_up_any: Option<&'static str>,
    /// At busy tone: the exchange is to ring when the called line is free.
    pub call_back: Option<&'static str>,
    /// It is not to do so any more, for no line.
    pub cancel_call_back: Option<&'static str>,
    /// For how many minutes it waits for the called line.
    pub call_back_minutes: u16,
    /// The tone that confirms.
    pub confirmation: Bursts,
    /// How long it takes at most until it confirms or refuses, in ms.
    pub confirms_ms: u16,
    /// How long it takes at most until it refuses to unpark or to pick up, which it does not
    /// confirm, in ms.
    pub refuses_ms: u16,
}

/// A tone with the sound of dial tone that sounds some times and then stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bursts {
    /// How often it sounds at least. It may sound once more.
    pub times: u8,
    /// How long it sounds, in ms.
    pub on_ms: u16,
    /// How long it rests in between, in ms.
    pub off_ms: u16,
}

/// What somebody has dialled a code for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeMeaning {
    /// Forward calls to this number, or not any more.
    Forward(Forwarding, Option<String>),
    /// Park the party at this place.
    Park(String),
    /// Connect the party that is parked there.
    Unpark(String),
    /// Connect the caller for whom this number rings; any for `None`.
    PickUp(Option<String>),
    /// Ring when the called line is free.
    CallBack,
    /// Forget all of these.
    CancelCallBack,
}

/// What a code consists of, as the exchange gets it.
struct Shape {
    /// The digits in front of the number, or all of them.
    digits: String,
    has_number: bool,
    /// A `#` follows.
    ends: bool,
}

impl Shape {
    fn of(code: &str) -> Shape {
        let ends = code.ends_with('#');
        let dialled = code.strip_suffix('#').unwrap_or(code);
        let (front, has_number) = match dialled.split_once('N') {
            // In front of the number there may be an asterisk, behind it nothing but `#`.
            Some((front, _)) => (front, true),
            None => (dialled, false),
        };
        let is_digit = |c: &char| c.is_ascii_digit() || matches!(c, '*' | '#');
        Shape { digits: front.chars().filter(is_digit).collect(), has_number, ends }
    }
}

impl Codes {
    /// The codes of a kind of forwarding.
    pub fn forward(&self, kind: Forwarding) -> Option<ForwardCodes> {
        match kind {
            Forwarding::Unconditional => self.forward,
            Forwarding::Busy => self.forward_busy,
            Forwarding::NoAnswer => self.forward_no_answer,
        }
    }

    /// Every code, with what it means if it is about this number.
    fn meanings(&self, number: &str) -> Vec<(&'static str, CodeMeaning)> {
        let number = || number.to_owned();
        let mut all = Vec::new();
        for kind in Forwarding::ALL {
            if let Some(ForwardCodes { set, cancel }) = self.forward(kind) {
                all.push((set, CodeMeaning::Forward(kind, Some(number()))));
                all.push((cancel, CodeMeaning::Forward(kind, None)));
            }
        }
        let others = [
            (self.park, CodeMeaning::Park(number())),
            (self.unpark, CodeMeaning::Unpark(number())),
            (self.pick_up, CodeMeaning::PickUp(Some(number()))),
            (self.pick_up_any, CodeMeaning::PickUp(None)),
            (self.call_back, CodeMeaning::CallBack),
            (self.cancel_call_back, CodeMeaning::CancelCallBack),
        ];
        all.extend(others.into_iter().filter_map(|(code, meaning)| Some((code?, meaning))));
        all
    }

    /// Every code.
    pub fn texts(&self) -> Vec<&'static str> {
        self.meanings("").into_iter().map(|(code, _)| code).collect()
    }

    /// What these digits mean, without the `#` that has ended them; `None` if they are no code, or
    /// none yet.
    pub fn meaning(&self, dialled: &str) -> Option<CodeMeaning> {
        self.texts()
            .into_iter()
            .enumerate()
            .find_map(|(place, code)| {
                let shape = Shape::of(code);
                let number = dialled.strip_prefix(&shape.digits)?;
                let fits = number.is_empty() != shape.has_number;
                fits.then(|| self.meanings(number).into_iter().nth(place)).flatten()
            })
            .map(|(_, meaning)| meaning)
    }

    /// Whether these digits are a whole code without a number, which nothing has to end.
    pub fn is_complete(&self, dialled: &str) -> bool {
        self.texts()
            .into_iter()
            .map(Shape::of)
            .any(|shape| !shape.has_number && !shape.ends && shape.digits == dialled)
    }

    /// The number behind a code's digits, if nothing has to end it.
    pub fn number<'a>(&self, dialled: &'a str) -> Option<&'a str> {
        let open = self.texts().into_iter().map(Shape::of);
        open.filter(|shape| shape.has_number && !shape.ends)
            .find_map(|shape| dialled.strip_prefix(&shape.digits))
    }

    /// Whether a number follows these digits behind another dial tone.
    pub fn asks_for_number(&self, dialled: &str) -> bool {
        let waits = |code: &&str| code.contains("WN") && Shape::of(code).digits == dialled;
        self.texts().iter().any(waits)
    }

    /// What is to be dialled for a code that is about this number.
    pub fn with_number(code: &str, number: &str) -> String {
        code.replace('N', number)
    }

    /// The tone that confirms, in a country.
    pub fn confirmation(&self, plan: &Plan) -> Option<Signal> {
        let Bursts { times, on_ms, off_ms } = self.confirmation;
        let hz: Vec<String> = Codes::sound(plan)?.hz().map(|hz| hz.to_string()).collect();
        let burst = format!("!{}/{on_ms}", hz.join("+"));
        let bursts = vec![burst; usize::from(times)].join(&format!(",!0/{off_ms},"));
        Signal::parse(&format!("{bursts},0/1000"), plan.dial.level_dbm0).ok()
    }

    /// The sound of the confirming tone in a country: that of its dial tone.
    pub fn sound(plan: &Plan) -> Option<Sound> {
        plan.dial.sounds().last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Country, Profile};

    #[test]
    fn codes_are_understood_as_they_are_dialled() {
        for profile in Profile::ALL {
            let codes = &profile.codes;
            for (code, meaning) in codes.meanings("205") {
                let dialled = Codes::with_number(code, "205");
                let digits: String =
                    dialled.chars().filter(|c| c.is_ascii_digit() || "*#".contains(*c)).collect();
                let digits = digits.strip_suffix('#').unwrap_or(&digits);
                assert_eq!(codes.meaning(digits), Some(meaning), "{code} of {}", profile.name);
                let whole = !code.contains('N') && !code.ends_with('#');
                assert_eq!(codes.is_complete(digits), whole, "{code} of {}", profile.name);
            }
            for nothing in ["", "205", "*", "*2", "*721", "#", "9"] {
                let is_number = profile
                    .codes
                    .meaning(nothing)
                    .is_some_and(|meaning| matches!(meaning, CodeMeaning::Forward(_, Some(_))));
                assert_eq!(is_number, nothing == "*721" && profile.name == "north-america");
            }
        }
        assert!(Profile::NORTH_AMERICA.codes.asks_for_number("*72"));
        assert!(!Profile::EUROPEAN_PBX.codes.asks_for_number("*21*"));
        assert_eq!(Codes::default().meaning("*72"), None);
    }

    #[test]
    fn every_country_has_a_tone_that_confirms() {
        for country in Country::each_zone() {
            for profile in Profile::ALL {
                let Bursts { times, on_ms, .. } = profile.codes.confirmation;
                let signal = profile.codes.confirmation(country.tones()).unwrap();
                let sounds: Vec<_> =
                    signal.once().iter().filter(|part| part.sound.is_some()).collect();
                assert_eq!(sounds.len(), usize::from(times), "{country}");
                assert!(sounds.iter().all(|part| part.ms == Some(on_ms)), "{country}");
            }
        }
    }
}
