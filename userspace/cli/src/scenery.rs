//! The telephones, exchange lines and subscribers behind the software card, so that every command
//! can be tried without hardware: two telephones, two exchange lines, and subscribers who answer,
//! are busy or call.
//!
//! Everything here runs by itself in the card's time; a command only chooses what it needs of it.

use std::sync::Arc;

use ringback_country::Country;
use ringback_media::SAMPLE_RATE;
use ringback_media::tone::Generator;
use ringback_softcard::{
    Behaviour, CardConfig, ExchangeConfig, LineOptions, ModuleKind, SoftCard, Step, Telephone,
};

/// The numbers of the exchange lines at slots 2 and 3.
pub(crate) const LINE_NUMBERS: [&str; 2] = ["5550202", "5550203"];
/// This subscriber answers in the second ring and plays a tone every three seconds.
const ANSWERS: &str = "5550100";
/// This subscriber is busy.
const BUSY: &str = "5550101";
/// This subscriber never answers.
const SILENT: &str = "5550102";
/// This subscriber answers in the first ring, plays a tone and hangs up.
const BRIEF: &str = "5550103";
/// The subscribers who call the line at slot 2 and the one at slot 3.
const CALLERS: [&str; 2] = ["5550110", "5550111"];
/// The number that a telephone dials when it is lifted.
const DIALS: &str = "100";

/// The scenery, for `--help`.
pub(crate) const HELP: &str = "\
The software card (--card soft) has four lines and somebody behind each:
  lines 0, 1   telephones (FXS): the one at line 0 answers in the second ring,
               nobody is at home at line 1; the address of a call is not looked at
  lines 2, 3   lines of an exchange (FXO), numbers 5550202 and 5550203
  5550100      answers in the second ring and says a tone now and then
  5550101      is busy
  5550102      never answers
  5550103      answers in the first ring, says a tone and hangs up after 3 seconds
  others       reorder tone: no such number
With `answer` and `monitor` somebody calls the line two seconds after the start, says a tone,
dials 1234 and hangs up.";

/// Returns a tone of at most a second, at a frequency that no exchange uses.
pub(crate) fn tone(hz: f32, ms: u32) -> Vec<i16> {
    let mut samples = vec![0; (u64::from(ms) * u64::from(SAMPLE_RATE) / 1000) as usize];
    Generator::sine(hz, -12.0).fill(&mut samples);
    samples
}

/// Returns the software card that all commands use: telephones in slots 0 and 1, and in slots 2 and
/// 3 lines of an exchange of this country.
pub(crate) fn card(country: Country) -> SoftCard {
    let [line2, line3] = LINE_NUMBERS
        .map(|number| LineOptions { number: number.to_owned(), ..LineOptions::default() });
    SoftCard::new(CardConfig {
        modules: [ModuleKind::Fxs, ModuleKind::Fxs, ModuleKind::Fxo, ModuleKind::Fxo],
        lines: [LineOptions::default(), LineOptions::default(), line2, line3],
        exchange: ExchangeConfig { country, ..ExchangeConfig::default() },
    })
}

/// Adds the subscribers who answer calls, and those who do not.
pub(crate) fn furnish(card: &SoftCard) {
    let exchange = card.exchange();
    let hello: Arc<[i16]> = tone(1000.0, 1000).into();
    let mut steps = Vec::new();
    for _ in 0..200 {
        steps.extend([Step::Play(hello.clone()), Step::Wait(2000)]);
    }
    exchange.add_subscriber(ANSWERS, Behaviour::AnswerThen { rings: 2, steps: steps.clone() });
    exchange.add_subscriber(BUSY, Behaviour::Manual).off_hook();
    exchange.add_subscriber(SILENT, Behaviour::Manual);
    let brief = vec![Step::Play(hello), Step::Wait(2000), Step::HangUp];
    exchange.add_subscriber(BRIEF, Behaviour::AnswerThen { rings: 1, steps: brief });
    if let Some(telephone) = card.telephone(0) {
        telephone.set_behaviour(Behaviour::AnswerThen { rings: 2, steps });
    }
}

/// Places a call to a line two seconds from now. A subscriber calls the line of an exchange; on an
/// FXS line the telephone is lifted and dials. It happens `again` times in all, half a minute
/// apart.
pub(crate) fn call(card: &SoftCard, slot: usize, again: usize) {
    let (telephone, number): (Option<Telephone>, &str) = match slot {
        0 | 1 => (card.telephone(slot), DIALS),
        2 => (Some(card.exchange().add_subscriber(CALLERS[0], Behaviour::Manual)), LINE_NUMBERS[0]),
        3 => (Some(card.exchange().add_subscriber(CALLERS[1], Behaviour::Manual)), LINE_NUMBERS[1]),
        _ => (None, ""),
    };
    let Some(telephone) = telephone else { return };
    let once = [
        Step::Wait(2000),
        Step::OffHook,
        Step::Wait(500),
        Step::Dial(number.to_owned()),
        Step::Wait(5000),
        Step::Play(tone(1000.0, 1000).into()),
        Step::Dial("1234".to_owned()),
        Step::Wait(3000),
        Step::HangUp,
        Step::Wait(18_000),
    ];
    telephone.run(once.iter().cycle().take(once.len() * again.max(1)).cloned().collect());
}

#[cfg(test)]
mod tests {
    use ringback_media::level::power_at;
    use ringback_softcard::LineState;

    use super::*;

    #[test]
    fn the_help_names_everybody() {
        for number in [ANSWERS, BUSY, SILENT, BRIEF, LINE_NUMBERS[0], LINE_NUMBERS[1]] {
            assert!(HELP.contains(number), "{number}");
        }
    }

    #[test]
    fn a_tone_is_as_long_and_as_high_as_asked() {
        let samples = tone(1000.0, 1000);
        assert_eq!(samples.len(), 8000);
        assert!((power_at(&samples[..800], 1000.0) + 12.0).abs() < 0.5);
    }

    #[test]
    fn subscribers_are_as_the_help_says() {
        let card = card(Country::default());
        furnish(&card);
        let exchange = card.exchange();
        card.advance(12_000);
        assert_eq!(exchange.state(BUSY), Some(LineState::Reorder), "off-hook for good");
        assert_eq!(exchange.state(SILENT), Some(LineState::Idle));
        assert_eq!(exchange.line_number(2).as_deref(), Some(LINE_NUMBERS[0]));
        assert_eq!(exchange.line_number(3).as_deref(), Some(LINE_NUMBERS[1]));
    }

    #[test]
    fn callers_call_as_often_as_asked() {
        let card = card(Country::default());
        call(&card, 2, 2);
        let rings = |within: u64| {
            (0..within).any(|_| {
                card.tick();
                card.exchange().state(LINE_NUMBERS[0]) == Some(LineState::Ringing)
            })
        };
        assert!(rings(6000), "the first call");
        card.advance(12_000);
        assert_eq!(card.exchange().state(LINE_NUMBERS[0]), Some(LineState::Idle), "given up");
        assert!(rings(30_000), "the second call");
        card.advance(60_000);
        assert!(!rings(30_000), "there is no third");
    }
}
