//! Who else calls during a conversation on an FXO line. The other side's telephone plays what an
//! exchange would send.

use super::*;
use ringback_country::{CallerIdCoding, Country};
use ringback_media::caller_id::{AlertSender, CallerIdSender, CallerTime};

fn ada() -> Caller {
    Caller {
        number: Party::Known("5550123".into()),
        name: Party::Known("ADA BYRON".into()),
        time: CallerTime::new(11, 28, 18, 5),
    }
}

fn coding(country: &str) -> CallerIdCoding {
    country.parse::<Country>().unwrap().caller_id().unwrap().coding
}

/// Line 102 in a country, in conversation with 77, with its call and the other telephone.
fn in_conversation(country: &str, kernel: bool) -> (World, HDRVCALL, Telephone) {
    let country = country.parse().unwrap();
    let exchange = ExchangeConfig { country, ..ExchangeConfig::default() };
    let mut world = World::build(kernel, exchange, LineOptions::default().loop_break_ms);
    world.card.exchange().tell_callers(true);
    let telephone = world.subscriber("77", Behaviour::Manual);
    telephone.call("102");
    let call = world.offered(15_000);
    // Who is told before or after the first ring is told by then.
    world.run(4500);
    world.answer(call).unwrap();
    world.until(call, CallState::Connected, 3000);
    world.run(1000);
    world.story();
    telephone.take_heard();
    (world, call, telephone)
}

/// What an exchange sends when somebody else calls: its tone, the alert, and while the line
/// acknowledges that a pause, then the message.
fn told(coding: CallerIdCoding, caller: &Caller, wrong: Option<usize>) -> Vec<i16> {
    let mut samples = [tone(440.0, 300), vec![0; 320]].concat();
    let mut alert = vec![0; 640];
    assert_eq!(AlertSender::default().fill(&mut alert), 640);
    samples.extend(alert);
    samples.extend([0; 8 * 200]);
    let mut sender = CallerIdSender::in_conversation(coding, caller).unwrap();
    if let Some(bit) = wrong {
        sender.set_wrong_bit(bit);
    }
    let mut message = vec![0; 16_000];
    let count = sender.fill(&mut message);
    samples.extend(&message[..count]);
    samples
}

fn info() -> String {
    format!("call {LINE_CALLINFO} [{LINECALLINFOSTATE_DISPLAY}, 0, 0]")
}

#[test]
fn a_caller_who_waits_is_told_and_the_conversation_goes_on() {
    for (country, kernel) in
        [("USA", false), ("USA", true), ("GERMANY", false), ("UK", false), ("UK", true)]
    {
        let (mut world, call, telephone) = in_conversation(country, kernel);
        let first = world.info(call).caller;
        assert_eq!(first.number, Party::Known("77".into()), "{country}");
        // Each is told, also if it is the same caller.
        for _ in 0..2 {
            telephone.play(&told(coding(country), &ada(), None));
            world.run(4000);
            assert_eq!(world.info(call).waiting, Some(ada()), "{country} {kernel}");
            assert_eq!(world.info(call).caller, first, "{country}: it is the other one's call");
            assert_eq!(world.story(), [info()], "{country} {kernel}");
        }
        assert_eq!(telephone.digits_heard(), "DD", "{country}: it was acknowledged");
        // Both hear each other again.
        telephone.take_heard();
        telephone.play(&tone(1000.0, 1500));
        let audio = world.audio(LineNumber::at(FXO));
        audio.play(&tone(700.0, 1500));
        audio.record(true);
        world.run(2000);
        assert!(has_tone(&telephone.take_heard(), 700.0), "{country} {kernel}");
        let mut recorded = Vec::new();
        audio.fetch(&mut recorded);
        assert!(has_tone(&recorded, 1000.0), "{country} {kernel}");
    }
}

/// The exchange hears the digit in time, and nothing else meanwhile; the application does not hear
/// the message, and what it plays is not lost.
#[test]
fn a_conversation_is_silenced_while_a_caller_is_told() {
    for kernel in [false, true] {
        let (mut world, call, telephone) = in_conversation("USA", kernel);
        let audio = world.audio(LineNumber::at(FXO));
        audio.record(true);
        let (mut played, mut recorded) = (0, Vec::new());
        for n in 0..60 {
            if n == 10 {
                telephone.play(&told(coding("USA"), &ada(), None));
            }
            played += audio.play(&tone(700.0, 100));
            world.run(100);
            audio.fetch(&mut recorded);
        }
        assert!(world.info(call).waiting.is_some(), "{kernel}");
        let message = recorded.chunks_exact(400).filter(|block| power_at(block, 1200.0) > -35.0);
        // It lasts for more than half a second; the ends of the alert have all frequencies.
        assert!(message.count() <= 2, "{kernel}: the application does not hear the message");
        world.run(2000);
        let heard = telephone.take_heard();
        let blocks = |hz: f32| heard.chunks_exact(80).map(move |block| power_at(block, hz) > -30.0);
        let digit: Vec<usize> =
            blocks(1633.0).enumerate().filter(|(_, on)| *on).map(|(n, _)| n).collect();
        assert!((5..=8).contains(&digit.len()), "{kernel}: a digit of 60 ms: {digit:?}");
        // Within 100 ms of the alert's end, which is 420 ms after 1 s; and silence while the
        // message lasts.
        let begins = digit[0] * 10;
        assert!((1420..=1520).contains(&begins), "{kernel}: it begins after {begins} ms");
        let silent = blocks(700.0).skip(digit[0] + 8).take_while(|on| !on).count();
        assert!(silent >= 50, "{kernel}: silent for {silent} blocks of 10 ms");
        // What is played meanwhile comes later, unless the kernel had it.
        let lost = if kernel { 4000 } else { 0 };
        let loud = blocks(700.0).filter(|on| *on).count();
        assert!(80 * (loud + 8) >= played - lost, "{kernel}: {loud} of {}", played / 80);
    }
}

#[test]
fn a_message_with_a_wrong_bit_tells_nobody_and_the_conversation_goes_on() {
    for country in ["USA", "GERMANY"] {
        for bit in [3, 57, 124] {
            let (mut world, call, telephone) = in_conversation(country, false);
            telephone.play(&told(coding(country), &ada(), Some(bit)));
            world.run(4000);
            assert_eq!(world.info(call).waiting, None, "{country}: bit {bit}");
            assert_eq!(world.story(), [""; 0], "{country}: bit {bit}");
            telephone.take_heard();
            world.audio(LineNumber::at(FXO)).play(&tone(700.0, 1500));
            world.run(2000);
            assert!(has_tone(&telephone.take_heard(), 700.0), "{country}: bit {bit}");
        }
    }
}

/// Where callers are told by digits nothing is acknowledged; nor while the line sends digits.
#[test]
fn an_alert_is_not_acknowledged_where_no_message_follows_or_it_can_not_be() {
    let (mut world, call, telephone) = in_conversation("SWEDEN", false);
    telephone.play(&told(CallerIdCoding::V23, &ada(), None));
    world.run(4000);
    assert_eq!((world.info(call).waiting, telephone.digits_heard()), (None, String::new()));
    assert_eq!(world.story(), [""; 0]);
    let (mut world, call, telephone) = in_conversation("USA", false);
    telephone.play(&told(coding("USA"), &ada(), None));
    world.dial(call, "1234567890").unwrap();
    world.run(4000);
    assert_eq!(world.info(call).waiting, None);
    assert_eq!(telephone.digits_heard(), "1234567890");
}
