//! Telephones on FXS lines as phones, through host and provider on the real reactor.

use std::time::Duration;

use ringback_driver::PortNumber;
use ringback_host::{Events, Host, HostOptions, Phone, PhoneEvent};
use ringback_softcard::{Fault, Telephone};
use ringback_tests::{Bench, DEADLINE, FXS, World, eventually, make, refusal, state};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::error::PhoneError;
use ringback_tspi::functions::RequestId;
use ringback_tspi::provider::Provider;
use ringback_tspi::structs::{PHONEBUTTONINFO, PHONECAPS, Reader, VARSTRING, blank};
use ringback_tspi::types::{HDRVPHONE, HTAPIPHONE, Version};

/// The phone of the telephone on line 0.
const PHONE: u32 = 0;
const HANDSET: u32 = PHONEHOOKSWITCHDEV_HANDSET;
const V: Version = Version::NEWEST_SPOKEN;

/// A phone that sends all its messages, its events, and the telephone.
fn open(world: &World) -> (Phone, Events<PhoneEvent>, Telephone) {
    let phone = world.host.open_phone(PHONE).unwrap();
    let states = PHONEBUTTONSTATE_UP | PHONEBUTTONSTATE_DOWN;
    let modes = PHONEBUTTONMODE_KEYPAD | PHONEBUTTONMODE_FEATURE;
    phone.set_status_messages(PHONESTATE.mask(), modes, states).unwrap();
    let events = phone.events();
    (phone, events, world.card.telephone(PortNumber(0)).unwrap())
}

/// Waits for PHONE_STATE of this state, and returns its detail.
fn changed(events: &Events<PhoneEvent>, wanted: u32) -> u32 {
    let mut found = events.within(DEADLINE).filter_map(|event| match event {
        PhoneEvent::State { changed, detail, .. } if changed == wanted => Some(detail),
        _ => None,
    });
    found.next().expect("the state changes")
}

#[test]
fn a_phone_is_rung_lifted_dialled_and_hung_up_beside_its_line() {
    let world = World::new();
    let line = world.open(FXS);
    let (phone, events, telephone) = open(&world);
    assert_eq!(world.host.open_phone(PHONE).unwrap_err(), PhoneError::ALLOCATED);
    assert_eq!((phone.off_hook(), phone.ring()), (Ok(0), Ok((0, 0xFFFF))));

    phone.set_ring(1, 0xFFFF).unwrap().wait(DEADLINE).unwrap();
    assert_eq!(changed(&events, PHONESTATE_RINGMODE), 1);
    eventually("it rings", || telephone.ring_count() > 0);
    phone.set_ring(0, 0).unwrap().wait(DEADLINE).unwrap();
    assert_eq!(changed(&events, PHONESTATE_RINGMODE), 0);

    telephone.off_hook();
    let lifted = changed(&events, PHONESTATE_HANDSETHOOKSWITCH);
    assert_eq!((lifted, phone.off_hook()), (PHONEHOOKSWITCHMODE_MICSPEAKER, Ok(HANDSET)));
    let status = phone.status().unwrap();
    assert_eq!(status.features & PHONEFEATURE_SETRING, 0, "it is not offered");
    assert_eq!(refusal(phone.set_ring(1, 1)), PhoneError::INVALPHONESTATE, "nor accepted");
    telephone.dial("8");
    let buttons = events.within(DEADLINE).filter_map(|event| match event {
        PhoneEvent::Button { id, mode, state, .. } => Some((id, mode, state)),
        _ => None,
    });
    let key = |state| (8, PHONEBUTTONMODE_KEYPAD, state);
    let down_and_up = [key(PHONEBUTTONSTATE_DOWN), key(PHONEBUTTONSTATE_UP)];
    assert_eq!(buttons.take(2).collect::<Vec<_>>(), down_and_up);
    // It flashes, which is no hanging up.
    telephone.flash();
    let buttons = events.within(DEADLINE).map_while(|event| match event {
        PhoneEvent::Button { id, mode, state, .. } => Some((id, mode, state)),
        _ => None,
    });
    let flash = |state| (12, PHONEBUTTONMODE_FEATURE, state);
    let down_and_up = [flash(PHONEBUTTONSTATE_DOWN), flash(PHONEBUTTONSTATE_UP)];
    assert_eq!(buttons.take(2).collect::<Vec<_>>(), down_and_up);
    telephone.on_hook();
    assert_eq!(changed(&events, PHONESTATE_HANDSETHOOKSWITCH), PHONEHOOKSWITCHMODE_ONHOOK);
    drop(line);
    // The line is closed, and the phone is not.
    telephone.off_hook();
    assert_eq!(changed(&events, PHONESTATE_HANDSETHOOKSWITCH), PHONEHOOKSWITCHMODE_MICSPEAKER);
}

#[test]
fn a_call_rings_the_phone_that_nobody_else_can_ring_then() {
    let world = World::new();
    let line = world.open(FXS);
    let line_events = line.events();
    let (phone, events, telephone) = open(&world);
    let call = make(&line, "");
    state(&line_events, &call, CallState::Ringback);
    assert_eq!(changed(&events, PHONESTATE_RINGMODE), 1);
    for mode in [0, 1] {
        assert_eq!(refusal(phone.set_ring(mode, 1)), PhoneError::INVALPHONESTATE, "R4");
    }
    phone.close().unwrap();
    telephone.off_hook();
    state(&line_events, &call, CallState::Connected);
    call.drop_call().unwrap().wait(DEADLINE).unwrap();
    call.close().unwrap();
}

#[test]
fn lamp_volume_and_gain_are_kept_and_what_it_does_not_have_is_refused() {
    let world = World::new();
    let line = world.open(FXS);
    let (phone, events, _telephone) = open(&world);
    let lamp = phone.set_lamp(0, PHONELAMPMODE_FLASH).unwrap();
    let volume = phone.set_volume(HANDSET, 0xFFFF).unwrap();
    let gain = phone.set_gain(HANDSET, 0x1_0000).unwrap();
    for pending in [lamp, volume, gain] {
        pending.wait(DEADLINE).unwrap();
    }
    assert_eq!(changed(&events, PHONESTATE_LAMP), 0);
    changed(&events, PHONESTATE_HANDSETVOLUME);
    changed(&events, PHONESTATE_HANDSETGAIN);
    assert_eq!(phone.lamp(0), Ok(PHONELAMPMODE_FLASH));
    assert_eq!((phone.volume(HANDSET), phone.gain(HANDSET)), (Ok(0xFFFF), Ok(0xFFFF)));
    let status = phone.status().unwrap();
    assert!(status.connected);
    assert_eq!((status.handset.volume, status.handset.gain), (0xFFFF, 0xFFFF));

    let refused = |asked: Result<_, PhoneError>| asked.map(drop).unwrap_err();
    for other in [0, PHONEHOOKSWITCHDEV_SPEAKER, HANDSET | PHONEHOOKSWITCHDEV_HEADSET] {
        let error = PhoneError::INVALHOOKSWITCHDEV;
        assert_eq!((phone.volume(other), phone.gain(other)), (Err(error), Err(error)));
        assert_eq!(refused(phone.set_volume(other, 1)), error, "R4");
        assert_eq!(refused(phone.set_gain(other, 1)), error, "R4");
    }
    assert_eq!(phone.lamp(1), Err(PhoneError::INVALBUTTONLAMPID));
    assert_eq!(refused(phone.set_lamp(1, PHONELAMPMODE_OFF)), PhoneError::INVALBUTTONLAMPID);
    assert_eq!(refused(phone.set_lamp(0, PHONELAMPMODE_WINK)), PhoneError::INVALLAMPMODE);
    assert_eq!(refused(phone.set_ring(4, 1)), PhoneError::INVALRINGMODE);
    let moved = phone.set_hook_switch(HANDSET, PHONEHOOKSWITCHMODE_ONHOOK);
    assert_eq!(refused(moved), PhoneError::OPERATIONUNAVAIL, "only people lift it");
    let error = phone.set_status_messages(0, PHONEBUTTONMODE_KEYPAD, 0).unwrap_err();
    assert_eq!(error, PhoneError::INVALBUTTONSTATE);
    drop(line);
}

#[test]
fn d13_a_phone_is_closed_when_its_card_is_pulled_out() {
    let world = World::new();
    let (phone, events, _telephone) = open(&world);
    world.card.set_fault(Fault::Removal, true);
    let closed = events.within(DEADLINE).find(|event| matches!(event, PhoneEvent::Closed { .. }));
    assert!(closed.is_some() && phone.is_closed());
    let refused = phone.set_lamp(0, PHONELAMPMODE_STEADY).unwrap_err();
    assert_eq!(refused, PhoneError::INVALPHONEHANDLE);
}

#[test]
fn c3_d10_requests_of_several_threads_complete_while_the_phone_is_closed_and_opened() {
    let world = World::new();
    for _ in 0..30 {
        let phone = world.host.open_phone(PHONE).unwrap();
        std::thread::scope(|scope| {
            for asker in 0..3 {
                let phone = &phone;
                scope.spawn(move || {
                    for level in 0..20 {
                        let asked = match asker {
                            0 => phone.set_volume(HANDSET, level),
                            1 => phone.set_gain(HANDSET, level),
                            _ => phone.set_ring(level % 2, 1),
                        };
                        match asked {
                            // The outcome may be that the phone is being closed.
                            Ok(pending) => drop(pending.wait(DEADLINE)),
                            Err(PhoneError::INVALPHONEHANDLE) => return,
                            Err(error) => panic!("{error}"),
                        }
                    }
                });
            }
            std::thread::sleep(Duration::from_micros(300));
            phone.close().unwrap();
        });
        assert_eq!(world.host.outstanding(), 0, "D10");
    }
}

#[test]
fn what_a_phone_announces_is_what_it_does() {
    let bench = Bench::new();
    let host = Host::start(std::sync::Arc::clone(&bench.provider), HostOptions::default()).unwrap();
    assert_eq!(host.phones().len(), 2, "one for each telephone");
    let provider: &dyn Provider = &*bench.provider;
    let tapi = HTAPIPHONE::new(77).unwrap();
    let gone = |device| provider.phone_open(device, tapi, V).unwrap_err();
    assert_eq!((gone(2), gone(u32::MAX)), (PhoneError::NODEVICE, PhoneError::NODEVICE));
    let old = provider.phone_open(1, tapi, Version::V1_3).unwrap_err();
    assert_eq!(old, PhoneError::INCOMPATIBLEAPIVERSION);
    let version = provider.phone_negotiate_tspi_version(INITIALIZE_NEGOTIATION, 0, u32::MAX);
    assert_eq!(version, Ok(Version::NEWEST_SPOKEN));
    let phone = provider.phone_open(1, tapi, V).unwrap();

    let mut memory = blank::<PHONECAPS>(1024);
    provider.phone_get_dev_caps(1, V, 0, &mut memory).unwrap();
    let other = provider.phone_get_dev_caps(1, V, 1, &mut memory);
    assert_eq!(other, Err(PhoneError::INCOMPATIBLEEXTVERSION));
    let caps = Reader::<PHONECAPS>::new(&memory, V).unwrap();
    for id in 0..=caps.get(PHONECAPS::dwNumButtonLamps) {
        let mut memory = blank::<PHONEBUTTONINFO>(128);
        let answer = provider.phone_get_button_info(phone, id, &mut memory);
        if id == caps.get(PHONECAPS::dwNumButtonLamps) {
            assert_eq!(answer, Err(PhoneError::INVALBUTTONLAMPID));
        } else {
            answer.unwrap();
            let info = Reader::<PHONEBUTTONINFO>::new(&memory, V).unwrap();
            let what = [PHONEBUTTONINFO::dwButtonMode, PHONEBUTTONINFO::dwButtonFunction];
            let flash = what.map(|field| info.get(field))
                == [PHONEBUTTONMODE_FEATURE, PHONEBUTTONFUNCTION_FLASH];
            let keypad = info.get(PHONEBUTTONINFO::dwButtonMode) == PHONEBUTTONMODE_KEYPAD;
            assert_eq!((keypad, flash), (id < 12, id == 12), "button {id}");
        }
    }
    for (class, id) in [("tapi/line", FXS + 1), ("TAPI/phone", 1)] {
        assert_eq!(provider.phone_get_icon(1, class), Ok(0));
        let mut memory = blank::<VARSTRING>(64);
        provider.phone_get_id(phone, &mut memory, class, 0).unwrap();
        let device = Reader::<VARSTRING>::new(&memory, V).unwrap();
        assert_eq!(device.item(VARSTRING::dwString), id.to_le_bytes());
    }
    let mut memory = blank::<VARSTRING>(64);
    let unknown = Err(PhoneError::INVALDEVICECLASS);
    assert_eq!(provider.phone_get_id(phone, &mut memory, "wave/in", 0), unknown);
    assert_eq!(provider.phone_close(phone), Ok(()));
    let dead = PhoneError::INVALPHONEHANDLE;
    for guess in [phone, HDRVPHONE::new(1).unwrap(), HDRVPHONE::new(usize::MAX).unwrap()] {
        assert_eq!(provider.phone_close(guess), Err(dead));
        assert_eq!(provider.phone_get_hook_switch(guess), Err(dead));
        let asked = provider.phone_set_lamp(RequestId::FIRST, guess, 0, PHONELAMPMODE_OFF);
        assert_eq!(asked.map(drop), Err(dead));
    }
    host.shutdown().unwrap();
    bench.witness.judge();
}
