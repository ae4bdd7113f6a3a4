//! The exchange line on an FXO slot.

use super::*;

#[test]
fn an_idle_line_has_battery_and_no_current() {
    let talk = talk();
    assert_eq!(talk.host.fxo_read(FXO, 5), 0x08);
    assert_eq!(line_voltage(&talk, FXO), 48);
    assert_eq!(talk.host.fxo_read(FXO, 28), 0);
    assert_eq!(talk.host.fxo_read(FXO, 12), 0x40, "frame lock, no current");
    hook(&talk, FXO, true);
    talk.run(2);
    assert_eq!(talk.host.fxo_read(FXO, 5), 0x09);
    assert!((7..=10).contains(&line_voltage(&talk, FXO)));
    assert!((20..=25).contains(&talk.host.fxo_read(FXO, 28)));
    assert_eq!(talk.host.fxo_read(FXO, 12), 0x47);
}

#[test]
fn dial_tone_comes_at_once_and_ends_with_the_first_digit() {
    let talk = talk();
    hook(&talk, FXO, true);
    talk.take_heard(FXO);
    talk.run(100);
    let heard = talk.take_heard(FXO);
    assert!(heard.iter().any(|sample| *sample != 0), "nothing within 100 ms");
    assert_eq!(talk.tone(FXO, 800), Some(CallProgress::Dial));
    talk.dial(FXO, "9");
    talk.run(110);
    talk.take_heard(FXO);
    talk.run(500);
    assert!(talk.take_heard(FXO).iter().all(|sample| *sample == 0));
    assert_eq!(talk.host.card.exchange().state("102"), Some(LineState::Dialling));
    assert_eq!(talk.host.card.exchange().dialled("102").as_deref(), Some("9"));
}

#[test]
fn an_outgoing_call_is_answered_spoken_on_and_dropped() {
    let (talk, exchange) = with_exchange();
    let peer = exchange.add_subscriber("200", Behaviour::AnswerAfterRings(2));
    dial_out(&talk, "200");
    assert_eq!(exchange.state("102"), Some(LineState::Calling));
    assert_eq!(exchange.state("200"), Some(LineState::Ringing));
    talk.take_heard(FXO);
    assert!(talk.run_until(7000, || peer.is_off_hook()));
    assert_eq!(tone_in(&talk.take_heard(FXO)), Some(CallProgress::Ringback));
    assert_eq!(peer.ring_count(), 2);
    talk.run(50);
    assert_eq!(exchange.state("102"), Some(LineState::Talking));

    peer.dial("7531");
    talk.dial(FXO, "0#");
    assert_eq!(talk.digits(FXO, 700), "7531");
    assert_eq!(peer.digits_heard(), "0#");
    peer.take_heard();
    peer.play(&sine(440.0, 300));
    talk.say(FXO, &sine(880.0, 300));
    talk.run(200);
    assert_sounds(&talk.take_heard(FXO)[400..], 440.0);
    assert_sounds(&peer.take_heard()[400..], 880.0);

    hook(&talk, FXO, false);
    assert!(talk.run_until(720, || exchange.state("102") == Some(LineState::Idle)));
    assert_eq!(exchange.state("200"), Some(LineState::LoopBreak));
    talk.run(200);
    assert!(!peer.is_off_hook(), "hangs up on the break");
    assert!(talk.run_until(800, || exchange.state("200") == Some(LineState::Idle)));
}

#[test]
fn an_incoming_call_rings_in_cadence_and_is_answered() {
    let (talk, exchange) = with_exchange();
    let caller = exchange.add_subscriber("200", Behaviour::Manual);
    exchange.call("200", "102").unwrap();
    assert!(talk.run_until(1500, || exchange.state("102") == Some(LineState::Ringing)));

    // Covers two ringing cycles: which of every 10 ms has a ring signal.
    let mut rings = Vec::new();
    for _ in 0..1200 {
        talk.run(10);
        rings.push(talk.host.fxo_read(FXO, 5) & 0x60 != 0);
    }
    let rang = |from: usize, to: usize| {
        let span = &rings[from..to];
        span.iter().filter(|rang| **rang).count() * 100 / span.len()
    };
    assert!(rang(5, 195) > 60, "2 s of ringing");
    assert_eq!(rang(205, 595), 0, "4 s of pause");
    assert!(rang(605, 795) > 60);
    assert_eq!(rang(805, 1195), 0);
    assert_eq!(tone_in(&caller.take_heard()), Some(CallProgress::Ringback));

    hook(&talk, FXO, true);
    talk.run(30);
    assert_eq!(exchange.state("200"), Some(LineState::Talking));
    caller.dial("11");
    talk.dial(FXO, "22");
    assert_eq!(talk.digits(FXO, 500), "11");
    assert!(caller.digits_heard().ends_with("22"));
    caller.on_hook();
    assert!(talk.run_until(720, || line_voltage(&talk, FXO) == 0), "loop break");
    assert_eq!(talk.host.fxo_read(FXO, 28), 0);
    assert_eq!(talk.host.fxo_read(FXO, 19) & 0x02, 0x02, "drop-out");
    let mut off = 0;
    assert!(talk.run_until(900, || {
        off += 1;
        line_voltage(&talk, FXO) != 0
    }));
    assert!((495..=505).contains(&off), "{off} ms of break");
    assert_eq!(talk.tone(FXO, 1500), Some(CallProgress::Reorder));
    hang_up(&talk);
    assert_eq!(exchange.state("102"), Some(LineState::Idle));
}

#[test]
fn ring_signals_are_half_cycles_of_20_hz() {
    let (talk, exchange) = with_exchange();
    exchange.add_subscriber("200", Behaviour::Manual).call("102");
    assert!(talk.run_until(1500, || exchange.state("102") == Some(LineState::Ringing)));
    talk.run(20);
    let mut signals = Vec::new();
    for _ in 0..200 {
        talk.run(1);
        signals.push(talk.host.fxo_read(FXO, 5) & 0x60);
    }
    let positive = signals.iter().filter(|bits| **bits == 0x20).count();
    let negative = signals.iter().filter(|bits| **bits == 0x40).count();
    assert_eq!((positive, negative), (84, 84), "4 cycles, less the zero crossings");
    signals.retain(|bits| *bits != 0);
    signals.dedup();
    assert!((8..=9).contains(&signals.len()), "half cycles: {}", signals.len());
}

#[test]
fn a_caller_who_gives_up_ends_the_ringing() {
    let (talk, exchange) = with_exchange();
    let caller = exchange.add_subscriber("200", Behaviour::Manual);
    caller.call("102");
    assert!(talk.run_until(1500, || talk.host.fxo_read(FXO, 5) & 0x60 != 0));
    caller.on_hook();
    talk.run(720);
    assert_eq!(exchange.state("102"), Some(LineState::Idle));
    assert!(!talk.run_until(6000, || talk.host.fxo_read(FXO, 5) & 0x64 != 0));
}

#[test]
fn a_number_in_use_gives_busy_tone() {
    let (talk, exchange) = with_exchange();
    exchange.add_subscriber("200", Behaviour::Manual).off_hook();
    dial_out(&talk, "200");
    assert_eq!(talk.tone(FXO, 2500), Some(CallProgress::Busy));
    hang_up(&talk);
    dial_out(&talk, "102");
    assert_eq!(exchange.state("102"), Some(LineState::Busy), "its own number");
}

#[test]
fn an_unknown_number_gives_reorder_after_the_inter_digit_time() {
    let (talk, exchange) = with_exchange();
    dial_out(&talk, "555");
    talk.run(2500);
    assert_eq!(exchange.state("102"), Some(LineState::Dialling));
    talk.run(500);
    assert_eq!(exchange.state("102"), Some(LineState::Reorder));
    assert_eq!(talk.tone(FXO, 1500), Some(CallProgress::Reorder));
}

#[test]
fn no_digit_in_time_gives_reorder() {
    let talk = talk();
    hook(&talk, FXO, true);
    talk.run(9900);
    assert_eq!(talk.host.card.exchange().state("102"), Some(LineState::DialTone));
    talk.run(200);
    assert_eq!(talk.tone(FXO, 1500), Some(CallProgress::Reorder));
}

#[test]
fn a_number_that_begins_another_waits_and_a_hash_ends_it() {
    let (talk, exchange) = with_exchange();
    exchange.add_subscriber("20", Behaviour::Manual);
    exchange.add_subscriber("200", Behaviour::Manual);
    dial_out(&talk, "20");
    talk.run(2000);
    assert_eq!(exchange.state("20"), Some(LineState::Idle));
    talk.run(1000);
    assert_eq!(exchange.state("20"), Some(LineState::Ringing));
    hang_up(&talk);
    hook(&talk, FXO, true);
    talk.run(500);
    talk.dial(FXO, "20#");
    talk.run(900);
    assert_eq!(exchange.state("20"), Some(LineState::Ringing));
    assert_eq!(exchange.state("200"), Some(LineState::Idle));
}

#[test]
fn a_flash_is_not_a_hang_up() {
    let (talk, exchange) = with_exchange();
    let peer = talk_to_peer(&talk);
    assert_eq!(exchange.state("200"), Some(LineState::Talking));
    peer.flash();
    hook(&talk, FXO, false);
    talk.run(300);
    hook(&talk, FXO, true);
    talk.run(300);
    assert_eq!(exchange.state("102"), Some(LineState::Talking));
}

#[test]
fn battery_reverses_on_answer_where_the_line_has_it() {
    let mut config = CardConfig { modules: [Empty, Empty, Fxo, Fxo], ..CardConfig::default() };
    config.lines[FXO] =
        LineOptions { number: "12".to_owned(), polarity_on_answer: true, loop_break_ms: 0 };
    let talk = Talk::new(Host::new(config).up());
    let exchange = talk.host.card.exchange();
    assert_eq!(exchange.line_number(PortNumber::at(FXO)).as_deref(), Some("12"));
    assert_eq!(exchange.line_number(PortNumber(0)), None);
    let peer = exchange.add_subscriber("200", Behaviour::AnswerAfterRings(1));
    hook(&talk, FXO, true);
    talk.run(500);
    talk.dial(FXO, "200");
    talk.run(900);
    assert!(line_voltage(&talk, FXO) > 0);
    assert!(talk.run_until(1000, || line_voltage(&talk, FXO) < 0));
    assert!(peer.is_off_hook());
    peer.on_hook();
    talk.run(720);
    assert!(line_voltage(&talk, FXO) > 0, "no break on this line");
    assert_eq!(talk.tone(FXO, 1500), Some(CallProgress::Reorder));
}

#[test]
fn an_unplugged_line_has_no_battery_and_its_call_ends() {
    let (talk, exchange) = with_exchange();
    talk_to_peer(&talk);
    exchange.unplug("102").unwrap();
    talk.run(2);
    assert_eq!(line_voltage(&talk, FXO), 0);
    talk.run(1500);
    assert_eq!(exchange.state("102"), Some(LineState::Idle));
    assert_eq!(exchange.state("200"), Some(LineState::Idle));
    exchange.plug_in("102").unwrap();
    assert_eq!(talk.tone(FXO, 800), Some(CallProgress::Dial), "still off-hook");
}

#[test]
fn two_lines_of_the_card_call_each_other() {
    let talk = talk();
    dial_out(&talk, "103");
    assert!(talk.run_until(100, || talk.host.fxo_read(3, 5) & 0x60 != 0));
    hook(&talk, 3, true);
    talk.run(30);
    talk.dial(FXO, "123");
    talk.dial(3, "456");
    talk.take_heard(FXO);
    assert_eq!(talk.digits(3, 700), "123");
    assert_eq!(digits_in(&talk.take_heard(FXO)), "456");
}

#[test]
fn subscribers_call_each_other_while_no_driver_runs() {
    let card = ringback_softcard::SoftCard::new(CardConfig::default());
    let exchange = card.exchange();
    let one = exchange.add_subscriber("1", Behaviour::Manual);
    let other = exchange.add_subscriber(
        "2",
        Behaviour::AnswerThen {
            rings: 1,
            steps: vec![Step::Wait(200), Step::Play(dtmf_samples("88").into()), Step::HangUp],
        },
    );
    exchange.call("1", "2").unwrap();
    card.advance(3000);
    assert_eq!(one.digits_heard(), "88");
    assert!(!other.is_off_hook());
    assert_eq!(exchange.call("3", "1"), Err(ExchangeError::UnknownNumber("3".to_owned())));
    assert_eq!(exchange.call("102", "1"), Err(ExchangeError::NotASubscriber("102".to_owned())));
}

#[test]
fn the_line_is_heard_on_hook_only_with_the_monitor_on() {
    let talk = talk();
    let peer = talk_to_peer(&talk);
    peer.play(&sine(1000.0, 400));
    let audible = |control| {
        talk.host.fxo_write(FXO, 5, control);
        talk.run(5);
        talk.take_heard(FXO);
        talk.run(50);
        talk.take_heard(FXO).iter().any(|sample| *sample != 0)
    };
    assert!(audible(0x09));
    assert!(!audible(0x00));
    assert!(audible(0x08));
    talk.host.fxo_write(FXO, 15, 0x08);
    assert!(!audible(0x09), "receive muted");
}

#[test]
fn the_same_script_gives_the_same_samples() {
    let heard = || {
        let (talk, exchange) = with_exchange();
        exchange.add_subscriber("200", Behaviour::AnswerAfterRings(1));
        hook(&talk, FXO, true);
        talk.run(300);
        talk.dial(FXO, "200");
        talk.run(3000);
        talk.take_heard(FXO)
    };
    assert_eq!(heard(), heard());
}
