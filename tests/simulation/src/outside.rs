//! The people at the telephones: the exchange's subscribers, and those at the FXS ports.

use ringback_driver::{PortNumber, Time};
use ringback_softcard::{Behaviour, Step, Telephone};

use crate::acts::Acts;
use crate::cards::Cards;
use crate::dice::Dice;
use crate::journal::{Journal, note};

/// All telephones, and what people do with them.
pub(crate) struct Outside {
    pub(crate) acts: Acts,
    journal: Journal,
    pause_ms: u64,
    /// The telephones with their names.
    telephones: Vec<(String, Telephone)>,
    /// Numbers that can be called.
    numbers: Vec<String>,
    next: Time,
}

impl Outside {
    pub(crate) fn new(
        mut dice: Dice,
        acts: Acts,
        journal: Journal,
        card: &Cards,
        subscribers: &[String],
        numbers: Vec<String>,
        pause_ms: u64,
    ) -> Outside {
        let mut telephones = Vec::new();
        for slot in 0..card.ports() {
            telephones.extend(
                card.telephone(PortNumber::at(slot)).map(|phone| (format!("slot {slot}"), phone)),
            );
        }
        for number in subscribers {
            for part in card.parts() {
                let behaviour = behaviour(&mut dice);
                note!(journal, "     subscriber {number} {}", in_short(&behaviour));
                let phone = part.exchange().add_subscriber(number, behaviour);
                telephones.push((number.clone(), phone));
            }
        }
        Outside { acts, journal, pause_ms, telephones, numbers, next: Time::ZERO }
    }

    /// Lets a person do something, if it is time.
    pub(crate) fn act(&mut self, now: Time) {
        if now < self.next {
            return;
        }
        self.next = now + self.acts.pause().mostly_short_ms(5, self.pause_ms);
        let Some(mut dice) = self.acts.next() else { return };
        let Some((name, phone)) = dice.pick(&self.telephones) else { return };
        let what = self.choose(&phone, &mut dice);
        note!(self.journal, "tel  {name} {what}");
    }

    fn choose(&self, phone: &Telephone, dice: &mut Dice) -> String {
        if !phone.is_off_hook() {
            return match dice.below(6) {
                0 => {
                    let behaviour = behaviour(dice);
                    let text = in_short(&behaviour);
                    phone.set_behaviour(behaviour);
                    text
                }
                1..=3 => {
                    let number = dice.pick(&self.numbers).unwrap_or_default();
                    let number = if dice.one_in(4) { format!("{number}#") } else { number };
                    phone.call(&number);
                    format!("calls {number}")
                }
                _ => {
                    phone.off_hook();
                    "is lifted".into()
                }
            };
        }
        match dice.below(8) {
            0..=3 => {
                phone.on_hook();
                "hangs up".into()
            }
            4 => {
                phone.flash();
                "flashes".into()
            }
            5 => {
                phone.dial("12#");
                "dials 12#".into()
            }
            // Off-hook for a moment, or on-hook for a moment.
            6 => {
                let ms = dice.below(300);
                phone.run(vec![Step::HangUp, Step::Wait(ms), Step::OffHook]);
                format!("hangs up for {ms} ms")
            }
            _ => {
                phone.play(&speech(dice));
                "speaks".into()
            }
        }
    }

    /// Hangs all telephones up for good.
    pub(crate) fn hang_up(&mut self) {
        self.next = Time::NEVER;
        for (_, phone) in &self.telephones {
            phone.set_behaviour(Behaviour::Manual);
            phone.on_hook();
        }
        note!(self.journal, "tel  all hang up");
    }
}

fn behaviour(dice: &mut Dice) -> Behaviour {
    let rings = 1 + dice.below(3);
    match dice.below(4) {
        0 => Behaviour::Manual,
        1 => Behaviour::AnswerAfterRings(rings),
        _ => {
            let mut steps = vec![Step::Wait(dice.below(1500)), Step::Play(speech(dice).into())];
            for _ in 0..dice.below(4) {
                steps.push(match dice.below(5) {
                    0 => Step::Dial("42#".into()),
                    1 => Step::Flash,
                    2 => Step::HangUp,
                    3 => Step::Play(speech(dice).into()),
                    _ => Step::Wait(dice.below(4000)),
                });
            }
            if dice.percent(70) {
                steps.extend([Step::Wait(dice.below(5000)), Step::HangUp]);
            }
            Behaviour::AnswerThen { rings, steps }
        }
    }
}

fn in_short(behaviour: &Behaviour) -> String {
    match behaviour {
        Behaviour::AnswerThen { rings, steps } => {
            let steps: Vec<String> = steps
                .iter()
                .map(|step| match step {
                    Step::Play(samples) => format!("Play({} ms)", samples.len() / 8),
                    step => format!("{step:?}"),
                })
                .collect();
            format!("answers ring {rings}, then {}", steps.join(" "))
        }
        behaviour => format!("{behaviour:?}"),
    }
}

/// Sound that is no tone of an exchange: pitch and loudness vary as in speech.
fn speech(dice: &mut Dice) -> Vec<i16> {
    let len = 800 + dice.index(8000);
    let pitch = 300.0 + f64::from(dice.below(900));
    (0..len)
        .map(|n| {
            let t = n as f64 / 8000.0;
            let loud = 0.5 + 0.5 * (t * 25.0).sin();
            (6000.0 * loud * (t * pitch * std::f64::consts::TAU + 3.0 * (t * 20.0).sin()).sin())
                as i16
        })
        .collect()
}
