//! Sound of the law by which the lines of a country compand samples is not coded anew: each code
//! word arrives as it was, in both directions, at telephones and exchanges, and silence is that
//! law's silence.

use ringback_country::{Companding, Country};
use ringback_media::g711;

use super::*;

/// A country of each law, and the other law.
const COUNTRIES: [(&str, Companding); 2] =
    [("FCC", Companding::ALaw), ("GERMANY", Companding::ULaw)];

/// All code words of a law, in both orders, without u-law's second zero, which no chip sends.
fn code_words(law: Companding) -> Vec<u8> {
    let second_zero = (law == Companding::ULaw).then_some(0x7F);
    (0..=u8::MAX).chain((0..=u8::MAX).rev()).filter(|code| Some(*code) != second_zero).collect()
}

fn decoded(law: Companding, codes: &[u8]) -> Vec<i16> {
    codes.iter().map(|code| g711::decode(law, *code)).collect()
}

fn encoded(law: Companding, samples: &[i16]) -> Vec<u8> {
    samples.iter().map(|sample| g711::encode(law, *sample)).collect()
}

/// Where these code words are in samples.
fn find(law: Companding, samples: &[i16], codes: &[u8]) -> Option<usize> {
    encoded(law, samples).windows(codes.len()).position(|part| part == codes)
}

/// A world in a country, with the person at the other end of a connected call of a line.
fn connected(kernel: bool, country: Country, line: usize) -> (World, Telephone) {
    let exchange = ExchangeConfig { country, ..ExchangeConfig::default() };
    let mut world = World::build(kernel, exchange, LineOptions::default().loop_break_ms);
    let number = LineNumber::at(line);
    if line == FXO {
        let subscriber = world.subscriber("201", Behaviour::AnswerAfterRings(1));
        world.connect(number, "201");
        return (world, subscriber);
    }
    let telephone = world.telephone(line);
    let (call, made) = world.make_call(number, "");
    made.unwrap();
    world.until(call, CallState::Ringback, 500);
    telephone.off_hook();
    world.until(call, CallState::Connected, 500);
    (world, telephone)
}

#[test]
fn code_words_of_the_countrys_law_pass_unchanged_in_both_directions() {
    for (country, other) in COUNTRIES {
        let country: Country = country.parse().unwrap();
        let law = country.companding();
        let codes = code_words(law);
        let samples = decoded(law, &codes);
        // On a line of the other law this test fails.
        let transcoded = decoded(other, &encoded(other, &samples));
        assert_ne!(encoded(law, &transcoded), codes, "{law}");

        for (kernel, line) in [(false, FXS), (false, FXO), (true, FXS), (true, FXO)] {
            let what = format!("{law}, line {line}, kernel {kernel}");
            let (mut world, person) = connected(kernel, country, line);
            let audio = world.audio(LineNumber::at(line));
            world.run(500);
            person.take_heard();
            assert_eq!(audio.play(&samples), samples.len());
            world.run(700);
            let arrived = person.take_heard();
            let at = find(law, &arrived, &codes).unwrap_or_else(|| panic!("{what}: sent"));
            assert_eq!(arrived[at..at + samples.len()], samples, "{what}");
            let silence = g711::decode(law, law.silence());
            let around = arrived[..at].iter().chain(&arrived[at + samples.len()..]);
            assert!(around.copied().all(|sample| sample == silence), "{what}: silence around it");

            audio.record(true);
            person.play(&samples);
            world.run(700);
            let mut heard = Vec::new();
            audio.fetch(&mut heard);
            let at = find(law, &heard, &codes).unwrap_or_else(|| panic!("{what}: received"));
            assert_eq!(heard[at..at + samples.len()], samples, "{what}");
        }
    }
}

#[test]
fn code_words_pass_unchanged_after_the_module_of_the_call_was_set_up_again() {
    for ((country, _), kernel) in COUNTRIES.into_iter().flat_map(|c| [(c, false), (c, true)]) {
        let country: Country = country.parse().unwrap();
        let law = country.companding();
        let codes = code_words(law);
        let samples = decoded(law, &codes);
        let (mut world, person) = connected(kernel, country, FXS);
        let audio = world.audio(LineNumber::at(FXS));
        world.card.set_fault(Fault::PartReset(PortNumber::at(FXS)), true);
        world.run(1500);
        person.take_heard();
        audio.play(&samples);
        world.run(700);
        assert!(find(law, &person.take_heard(), &codes).is_some(), "{law}, kernel {kernel}");
        audio.record(true);
        person.play(&samples);
        world.run(700);
        let mut heard = Vec::new();
        audio.fetch(&mut heard);
        assert!(find(law, &heard, &codes).is_some(), "{law}, kernel {kernel}");
    }
}
