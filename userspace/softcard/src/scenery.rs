//! What is behind a software card, so that everything can be tried without hardware: two
//! telephones, two exchange lines, and subscribers of the exchange that answer, are busy or call.
//!
//! Everything here runs by itself, in card time; a program only chooses which parts of it there
//! are.

use std::sync::Arc;

use crate::{
    Behaviour, CardConfig, ExchangeConfig, LineOptions, ModuleKind, SoftCard, Step, Telephone,
};
use ringback_country::Country;
use ringback_media::SAMPLE_RATE;
use ringback_media::tone::Generator;
use ringback_request::PortNumber;

/// The numbers of the exchange lines at slots 2 and 3.
pub const LINE_NUMBERS: [&str; 2] = ["5550202", "5550203"];
/// Answers in the second ring and plays a tone every three seconds.
pub const ANSWERS: &str = "5550100";
/// A subscriber that is always busy.
pub const BUSY: &str = "5550101";
/// A subscriber that never answers.
pub const SILENT: &str = "5550102";
/// Answers in the first ring, plays a tone and hangs up.
pub const BRIEF: &str = "5550103";
/// Answers in the first ring and plays a tone every three seconds; meanwhile [`AGAIN`] calls.
pub const CALLED_AGAIN: &str = "5550104";
/// Calls a line in conversation, and waits.
pub const AGAIN: &str = "5550112";
/// Calls the line at slot 2, and the one at slot 3.
const CALLERS: [&str; 2] = ["5550110", "5550111"];
/// What a lifted telephone dials.
const DIALS: &str = "100";

/// A tone of this many milliseconds, which is none of an exchange's.
pub fn tone(hz: f32, ms: u32) -> Vec<i16> {
    let mut samples = vec![0; (u64::from(ms) * u64::from(SAMPLE_RATE) / 1000) as usize];
    Generator::sine(hz, -12.0).fill(&mut samples);
    samples
}

/// The software card of all programs: telephones in slots 0 and 1, and in slots 2 and 3 lines of an
/// exchange of this country.
pub fn card(country: Country) -> SoftCard {
    let [line2, line3] = LINE_NUMBERS
        .map(|number| LineOptions { number: number.to_owned(), ..LineOptions::default() });
    SoftCard::new(CardConfig {
        modules: [ModuleKind::Fxs, ModuleKind::Fxs, ModuleKind::Fxo, ModuleKind::Fxo],
        lines: [LineOptions::default(), LineOptions::default(), line2, line3],
        exchange: ExchangeConfig { country, ..ExchangeConfig::default() },
    })
}

/// Adds the subscribers, and sets how they and the telephones react to calls.
pub fn furnish(card: &SoftCard) {
    let exchange = card.exchange();
    let hello: Arc<[i16]> = tone(1000.0, 1000).into();
    let mut steps = Vec::new();
    for _ in 0..200 {
        steps.extend([Step::Play(hello.clone()), Step::Wait(2000)]);
    }
    exchange.add_subscriber(ANSWERS, Behaviour::AnswerThen { rings: 2, steps: steps.clone() });
    exchange.add_subscriber(BUSY, Behaviour::Manual).off_hook();
    exchange.add_subscriber(SILENT, Behaviour::Manual);
    let again = Behaviour::AnswerThen { rings: 1, steps: steps.clone() };
    exchange.add_subscriber(CALLED_AGAIN, again);
    let brief = vec![Step::Play(hello), Step::Wait(2000), Step::HangUp];
    exchange.add_subscriber(BRIEF, Behaviour::AnswerThen { rings: 1, steps: brief });
    if let Some(telephone) = card.telephone(PortNumber(0)) {
        telephone.set_behaviour(Behaviour::AnswerThen { rings: 2, steps });
    }
}

/// Has a line called two seconds from now: by a subscriber if it is an exchange line, otherwise by
/// its telephone. `again` times in all, half a minute apart. The line is told who calls.
pub fn call(card: &SoftCard, slot: PortNumber, again: usize) {
    let (telephone, number): (Option<Telephone>, &str) = match slot.0 {
        0 | 1 => (card.telephone(slot), DIALS),
        2 => (Some(card.exchange().add_subscriber(CALLERS[0], Behaviour::Manual)), LINE_NUMBERS[0]),
        3 => (Some(card.exchange().add_subscriber(CALLERS[1], Behaviour::Manual)), LINE_NUMBERS[1]),
        _ => (None, ""),
    };
    let Some(telephone) = telephone else { return };
    card.exchange().tell_callers(true);
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

/// Has [`AGAIN`] call the exchange line at this slot, which is in conversation: it is told who
/// waits.
pub fn call_again(card: &SoftCard, slot: PortNumber) {
    let exchange = card.exchange();
    let Some(number) = exchange.line_number(slot) else { return };
    exchange.tell_callers(true);
    // A line that the exchange knows can be set.
    let _ = exchange.set_call_waiting(&number, true);
    exchange.add_subscriber(AGAIN, Behaviour::Manual).call(&number);
}

/// Leaves a message for the line at slot 3, of which the exchange tells it.
pub fn leave_message(card: &SoftCard) {
    // As above.
    let _ = card.exchange().set_messages(LINE_NUMBERS[1], true);
}

#[cfg(test)]
mod tests {
    use crate::LineState;
    use ringback_media::level::power_at;

    use super::*;

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
        assert_eq!(exchange.state(CALLED_AGAIN), Some(LineState::Idle));
        assert_eq!(exchange.line_number(PortNumber(2)).as_deref(), Some(LINE_NUMBERS[0]));
        assert_eq!(exchange.line_number(PortNumber(3)).as_deref(), Some(LINE_NUMBERS[1]));
    }

    #[test]
    fn callers_call_as_often_as_asked() {
        let card = card(Country::default());
        call(&card, PortNumber(2), 2);
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
