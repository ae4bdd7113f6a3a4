//! The telephone on an FXS slot.

use super::*;

#[test]
fn a_telephone_off_hook_is_seen_and_heard_both_ways() {
    let (talk, phone) = with_phone();
    assert_eq!(talk.host.fxs_read(FXS, 68), 0);
    phone.off_hook();
    assert!(talk.run_until(30, || talk.host.fxs_read(FXS, 68) & 0x01 != 0));
    assert_eq!(talk.host.fxs_read(FXS, 68), 0x05);

    phone.dial("159#");
    talk.dial(FXS, "*2C");
    assert_eq!(talk.digits(FXS, 900), "159#");
    assert_eq!(phone.digits_heard(), "*2C");

    phone.play(&sine(1000.0, 300));
    talk.say(FXS, &sine(600.0, 300));
    phone.take_heard();
    talk.take_heard(FXS);
    talk.run(200);
    assert_sounds(&talk.take_heard(FXS)[400..], 1000.0);
    assert_sounds(&phone.take_heard()[400..], 600.0);

    phone.on_hook();
    assert!(talk.run_until(30, || talk.host.fxs_read(FXS, 68) == 0));
    talk.run(4);
    talk.take_heard(FXS);
    talk.say(FXS, &sine(600.0, 100));
    talk.run(100);
    assert!(talk.take_heard(FXS).iter().all(|sample| *sample == 0), "on-hook passes nothing");
    assert!(phone.heard().is_empty());
}

#[test]
fn loop_closure_is_debounced_and_raw_closure_is_not() {
    let (talk, phone) = with_phone();
    phone.off_hook();
    talk.run(1);
    assert_eq!(talk.host.fxs_read(FXS, 68), 0x04);
    talk.run(11);
    assert_eq!(talk.host.fxs_read(FXS, 68), 0x04);
    talk.run(1);
    assert_eq!(talk.host.fxs_read(FXS, 68), 0x05, "after 10 steps of 1.25 ms");
    phone.flash();
    talk.run(100);
    assert_eq!(talk.host.fxs_read(FXS, 68), 0x00);
    talk.run(250);
    assert_eq!(talk.host.fxs_read(FXS, 68), 0x05);
}

#[test]
fn only_line_feed_state_4_rings_and_ring_trip_ends_it() {
    let (talk, phone) = with_phone();
    for state in [0, 1, 2, 3, 5, 6, 7] {
        talk.host.fxs_write(FXS, 64, state);
        assert!(!talk.run_until(50, || phone.is_ringing()), "rings in state {state}");
    }
    talk.host.fxs_write(FXS, 64, 4);
    assert_eq!(talk.host.fxs_read(FXS, 64), 0x44);
    talk.run(1000);
    assert!(phone.is_ringing());
    assert_eq!(phone.ring_count(), 1);
    talk.host.fxs_write(FXS, 64, 1);
    talk.run(2000);
    assert!(!phone.is_ringing());
    talk.host.fxs_write(FXS, 64, 4);
    talk.run(500);
    assert_eq!(phone.ring_count(), 2);
    talk.host.fxs_write(FXS, 19, 0xFF);
    phone.off_hook();
    assert!(talk.run_until(20, || talk.host.fxs_read(FXS, 64) == 0x11), "active by itself");
    assert_eq!(talk.host.fxs_read(FXS, 68) & 0x05, 0x05);
    assert_eq!(talk.host.fxs_read(FXS, 19) & 0x03, 0x03, "ring trip and loop closure");
    assert!(!phone.is_ringing());
}

#[test]
fn without_automatic_control_ring_trip_is_only_reported() {
    let talk = talk();
    talk.host.fxs_write(FXS, 67, 0x00);
    talk.host.fxs_write(FXS, 64, 4);
    talk.run(100);
    talk.host.card.telephone(PortNumber::at(FXS)).unwrap().off_hook();
    talk.run(50);
    assert_eq!(talk.host.fxs_read(FXS, 64), 0x44);
    assert_eq!(talk.host.fxs_read(FXS, 68), 0x07);
}

#[test]
fn on_hook_transmission_becomes_active_with_its_polarity() {
    let (talk, phone) = with_phone();
    for (idle, active, reversed) in [(2, 0x11, false), (6, 0x55, true)] {
        talk.host.fxs_write(FXS, 64, idle);
        talk.run(5);
        assert_eq!(phone.is_reversed(), reversed);
        phone.off_hook();
        assert!(talk.run_until(20, || talk.host.fxs_read(FXS, 64) == active));
        phone.on_hook();
        talk.run(50);
    }
}

#[test]
fn the_sense_registers_follow_the_line() {
    let talk = talk();
    let volts = |register| f64::from(talk.host.fxs_read(FXS, register)) * 0.376;
    let (tip, ring) = (volts(80), volts(81));
    assert!((ring - tip - 48.0).abs() < 1.0, "on-hook {tip} V, {ring} V");
    assert!((volts(82) - 75.0).abs() < 1.0);
    talk.host.fxs_write(FXS, 64, 5);
    assert!(volts(80) > volts(81) + 40.0, "reversed");
    talk.host.fxs_write(FXS, 64, 1);
    talk.host.card.telephone(PortNumber::at(FXS)).unwrap().off_hook();
    talk.run(20);
    assert!((volts(81) - volts(80) - 6.0).abs() < 1.0, "20 mA in 300 ohms");
    assert_eq!(talk.host.fxs_read(FXS, 79), 16, "20 mA in steps of 1.25");
}

#[test]
fn an_automatic_telephone_answers_speaks_and_hangs_up_when_battery_goes() {
    let (talk, phone) = with_phone();
    phone.set_behaviour(Behaviour::AnswerThen {
        rings: 2,
        steps: vec![Step::Wait(100), Step::Dial("42".to_owned())],
    });
    let mut rings = 0;
    while !phone.is_off_hook() && rings < 5 {
        rings += 1;
        talk.host.fxs_write(FXS, 64, 4);
        if !talk.run_until(2000, || phone.is_off_hook()) {
            talk.host.fxs_write(FXS, 64, 1);
            talk.run(4000);
        }
    }
    assert_eq!(rings, 2);
    assert_eq!(talk.digits(FXS, 500), "42");
    talk.host.fxs_write(FXS, 64, 0);
    talk.run(200);
    assert!(!phone.is_off_hook());
}
