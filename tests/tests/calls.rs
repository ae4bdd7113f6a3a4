//! Calls in both directions, as an application makes them (N, O, K).

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringback_driver::PortNumber;
use ringback_host::{CallOptions, Events, HostOptions, LineEvent, Traced, WaitError};
use ringback_softcard::LineState;
use ringback_tests::{
    DEADLINE, FXO, FXS, SUPERVISED, World, assert_walk, eventually, incoming, make, refusal, state,
};
use ringback_tspi::callstate::CallState;
use ringback_tspi::callstate::monitor::Seen;
use ringback_tspi::callstate::pots::{INBOUND, OUTBOUND};
use ringback_tspi::constants::*;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::error::LineError;

#[test]
fn a_call_through_the_exchange_is_made_answered_and_dropped() {
    let world = World::new();
    let line = world.open(SUPERVISED);
    let events = line.events();
    assert!(line.status().unwrap().can_make_call());
    let call = make(&line, "200");
    let passed = state(&events, &call, CallState::Connected);
    assert_walk(OUTBOUND, None, &passed);
    assert_eq!(call.state_mode(), LINECONNECTEDMODE_CONFIRMED);
    let info = call.info().unwrap();
    assert_eq!((info.called.as_deref(), info.is_incoming()), (Some("200"), false));
    let status = call.status().unwrap();
    assert_eq!(status.state, CallState::Connected);
    assert_ne!(status.features & LINECALLFEATURE_DROP, 0);
    assert!(!line.status().unwrap().can_make_call());
    call.drop_call().unwrap().wait(DEADLINE).unwrap();
    assert_eq!(state(&events, &call, CallState::Idle), [CallState::Idle]);
    world.until_line("103", LineState::Idle);
    call.close().unwrap();
    assert_eq!(call.info(), Err(LineError::INVALCALLHANDLE));
    line.close().unwrap();
    assert!(events.next_timeout(DEADLINE).is_none() && events.is_over());
}

#[test]
fn n14_a_call_from_the_exchange_is_offered_answered_and_ended_from_afar() {
    let world = World::new();
    let line = world.open(FXO);
    let events = line.events();
    world.exchange().call("201", "102").unwrap();
    let call = incoming(&events);
    assert!(call.info().unwrap().is_incoming());
    call.answer().unwrap().wait(DEADLINE).unwrap();
    let mut passed = state(&events, &call, CallState::Connected);
    world.subscriber("201").on_hook();
    passed.extend(state(&events, &call, CallState::Disconnected));
    call.drop_call().unwrap().wait(DEADLINE).unwrap();
    passed.extend(state(&events, &call, CallState::Idle));
    assert_walk(INBOUND, Some(CallState::Offering), &passed);
    call.close().unwrap();
}

#[test]
fn a_telephone_is_rung_and_answers_and_dials_by_itself() {
    let world = World::new();
    let line = world.open(FXS);
    let events = line.events();
    let telephone = world.card.telephone(PortNumber(0)).unwrap();
    let call = make(&line, "");
    state(&events, &call, CallState::Ringback);
    eventually("the bell", || telephone.is_ringing());
    telephone.off_hook();
    state(&events, &call, CallState::Connected);
    call.drop_call().unwrap().wait(DEADLINE).unwrap();
    call.close().unwrap();
    // Long enough to be no hook flash.
    telephone.on_hook();
    world.pass(Duration::from_secs(2));

    telephone.call("77#");
    let call = incoming(&events);
    assert_eq!(call.info().unwrap().called.as_deref(), Some("77"));
    call.answer().unwrap().wait(DEADLINE).unwrap();
    state(&events, &call, CallState::Connected);
}

#[test]
fn n1_n4_n6_a_call_on_its_way_has_a_handle_counts_for_nothing_and_can_be_closed() {
    let world = World::new();
    let line = world.open(FXO);
    let events = line.events();
    let pending = world.stuck(&line, 30_000);
    let call = pending.call();
    assert_eq!(line.status().unwrap().active_calls, 0, "N4: not counted");
    assert!(!line.status().unwrap().can_make_call());
    assert_eq!(call.info(), Err(LineError::INVALCALLSTATE), "N3: not valid yet");
    assert_eq!(call.drop_call().unwrap_err(), LineError::INVALCALLSTATE, "G7");
    let result = Arc::new(Mutex::new(None));
    let told = Arc::clone(&result);
    pending.on_complete(move |made| *told.lock().unwrap() = Some(made.map(|_| ())));
    assert_eq!(*result.lock().unwrap(), None);
    call.close().unwrap();
    let result = *result.lock().unwrap();
    assert_eq!(result, Some(Err(LineError::OPERATIONFAILED)), "N6: before close returned");
    call.close().unwrap();
    assert!(events.try_next().is_none(), "N4");
    // The line is free for the next one.
    world.exchange().plug_in("102").unwrap();
    let made = |options: &CallOptions| line.make_call("200", options);
    let mut next = None;
    eventually("the line is free", || {
        next = made(&CallOptions::default()).ok();
        next.is_some()
    });
    let _call = next.unwrap().wait(DEADLINE).unwrap();
}

#[test]
fn n8_a_call_that_fails_later_is_dead_and_a_close_does_no_harm() {
    let world = World::new();
    let line = world.open(FXO);
    let events = line.events();
    let pending = world.stuck(&line, 500);
    let call = pending.call();
    let failed = pending.wait(DEADLINE);
    assert_eq!(failed.unwrap_err(), WaitError::Failed(LineError::CALLUNAVAIL));
    // The application may close it; the host does not pass that on to the provider.
    call.close().unwrap();
    assert!(!world.witness.seen().iter().any(|seen| matches!(seen, Seen::CallClosed { .. })));
    assert!(events.try_next().is_none(), "N4: no event of a call that never was");
    assert_eq!(call.drop_call().unwrap_err(), LineError::INVALCALLHANDLE);
    // A provider accepts the close nevertheless, and twice.
    let handle = world.witness.driver_call(call.handle()).unwrap();
    world.provider.line_close_call(handle).unwrap();
    world.provider.line_close_call(handle).unwrap();
}

#[test]
fn n9_o1_the_completion_of_a_new_call_is_delivered_before_its_events() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let trace = move |happened: &Traced<'_>| match happened {
        Traced::Completed { completed, delivered, .. } => {
            assert!(completed <= delivered);
            log.lock().unwrap().push("completed");
        }
        Traced::Event { .. } => log.lock().unwrap().push("event"),
        Traced::Submitted { function, .. } => log.lock().unwrap().push(function),
        Traced::Returned { .. } => log.lock().unwrap().push("returned"),
        _ => log.lock().unwrap().push("wrong"),
    };
    let world = World::with(HostOptions { trace: Some(Arc::new(trace)) });
    let (_line, _events, call) = world.talking();
    let told = told.lock().unwrap();
    assert_eq!(told[..4], ["lineMakeCall", "returned", "completed", "event"]);
    assert_eq!(told.iter().filter(|what| **what == "completed").count(), 1);
    assert!(told[4..].iter().all(|what| *what == "event"));
    assert_eq!(call.state(), Some(CallState::Connected));
}

#[test]
fn n15_a_call_without_a_handle_is_dropped_and_has_no_events() {
    let world = World::new();
    let line = world.open(FXO);
    let events = line.events();
    let refusal = world.witness.refuse_calls();
    world.exchange().call("201", "102").unwrap();
    let refused = |seen: &Seen| matches!(seen, Seen::NewCall { call: None, .. });
    eventually("the call is refused", || world.witness.seen().iter().any(refused));
    // The exchange rings on, and gives up when the caller does.
    world.pass(Duration::from_secs(7));
    assert!(events.try_next().is_none());
    let after = world.witness.seen().into_iter().skip_while(|seen| !refused(seen)).skip(1);
    assert_eq!(after.count(), 0, "no further message");
    world.subscriber("201").on_hook();
    drop(refusal);
    world.pass(Duration::from_secs(9));
    world.exchange().call("201", "102").unwrap();
    let _call = incoming(&events);
}

#[test]
fn o3_o4_o5_nothing_follows_idle() {
    let world = World::new();
    let (_line, events, call) = world.talking();
    call.monitor_digits(true).unwrap();
    call.generate_digits("123456789", 2000).unwrap();
    let telephone = world.subscriber("200");
    telephone.dial("147");
    assert!(matches!(digit(&events), ('1', false)));
    call.drop_call().unwrap().wait(DEADLINE).unwrap();
    let mut cancelled = 0;
    for event in events.within(DEADLINE) {
        match event {
            LineEvent::Generated { done, .. } => {
                assert!(!done);
                cancelled += 1;
            }
            LineEvent::State { state, .. } => {
                assert_eq!(state, CallState::Idle);
                break;
            }
            _ => {}
        }
    }
    assert_eq!(cancelled, 1, "D17: the end of the call cancels what is being sent");
    telephone.dial("369");
    world.pass(Duration::from_secs(2));
    assert!(events.try_next().is_none());
    assert_eq!(call.generate_digits("1", 0), Err(LineError::INVALCALLSTATE));
    assert_eq!(call.monitor_digits(true), Err(LineError::INVALCALLSTATE));
    assert_eq!(call.monitor_digits(false), Ok(()), "disabling never fails");
    assert_eq!(refusal(call.drop_call()), LineError::INVALCALLSTATE, "D9");
}

fn digit(events: &Events) -> (char, bool) {
    let found = events.within(DEADLINE).find_map(|event| match event {
        LineEvent::Digit { digit, end, .. } => Some((digit, end)),
        _ => None,
    });
    found.expect("a digit")
}

fn generated(events: &Events) -> (u32, bool) {
    let found = events.within(DEADLINE).find_map(|event| match event {
        LineEvent::Generated { end_to_end, done, .. } => Some((end_to_end, done)),
        _ => None,
    });
    found.expect("an end of digits")
}

#[test]
fn k5_d17_digits_go_one_set_at_a_time_and_their_end_is_an_event() {
    let world = World::new();
    let (_line, events, call) = world.talking();
    let telephone = world.subscriber("200");
    let before = world.witness.completed();
    let first = call.generate_digits("1234567890", 2000).unwrap();
    let second = call.generate_digits("42", 0).unwrap();
    assert_ne!(first, second);
    assert_eq!(generated(&events), (first, false), "D17: cancelled by the second");
    assert_eq!(generated(&events), (second, true));
    eventually("the digits arrive", || telephone.digits_heard().ends_with("42"));
    let third = call.generate_digits("1234567890", 2000).unwrap();
    call.cancel_digits().unwrap();
    assert_eq!(generated(&events), (third, false));
    assert_eq!(world.witness.completed(), before, "K3: no completion");

    call.monitor_digits(true).unwrap();
    telephone.dial("5#");
    let expected = [('5', false), ('5', true), ('#', false), ('#', true)];
    assert_eq!([(); 4].map(|()| digit(&events)), expected);
    let state = call.state();
    assert_eq!(state, Some(CallState::Connected), "digits do not make it DIALING");
}

#[test]
fn dialling_in_parts() {
    let world = World::new();
    let line = world.open(SUPERVISED);
    let events = line.events();
    let call = make(&line, "");
    state(&events, &call, CallState::DialTone);
    call.dial("2;").unwrap().wait(DEADLINE).unwrap();
    call.dial("00").unwrap().wait(DEADLINE).unwrap();
    state(&events, &call, CallState::Connected);
    assert_eq!(world.exchange().dialled("103").as_deref(), Some("200"));
}

#[test]
fn audio_goes_both_ways() {
    let world = World::new();
    let line = world.open(SUPERVISED);
    let events = line.events();
    let audio = line.audio().unwrap();
    let _call = world.connected(&line, &events);
    let tone: Vec<i16> = (0..8000).map(|n| (8000.0 * (f64::from(n) * 0.7).sin()) as i16).collect();
    let telephone = world.subscriber("200");
    let loud = |samples: &[i16]| samples.iter().filter(|sample| sample.abs() > 4000).count();
    telephone.take_heard();
    assert_eq!(audio.play(&tone), 8000);
    eventually("it is heard there", || loud(&telephone.heard()) > 2000);
    audio.record(true);
    telephone.play(&tone);
    let mut heard = Vec::new();
    eventually("it is heard here", || {
        audio.fetch(&mut heard);
        loud(&heard) > 2000
    });
}

#[test]
fn options_are_judged_before_anything_happens() {
    let world = World::new();
    let line = world.open(FXO);
    let timing = DialTiming { digit_ms: 1, ..DialTiming::default() };
    let accepted = CallOptions { timing: Some(timing), ..CallOptions::default() };
    let _call = line.make_call("", &accepted).unwrap().wait(DEADLINE).unwrap();
    let refused = CallOptions { media_modes: LINEMEDIAMODE_G3FAX, ..CallOptions::default() };
    assert_eq!(line.make_call("1", &refused).unwrap_err(), LineError::INVALMEDIAMODE);
    let counts = world.host.counts();
    assert_eq!((counts.requests, counts.refused, counts.completed), (1, 1, 1));
    assert_eq!(world.host.outstanding(), 0);
}

/// An application that moves a call's sound needs no timer: it is told at every 20 ms of the card's
/// clock, and at each of them finds these 20 ms.
#[test]
fn an_application_follows_the_cards_clock() {
    let world = World::new();
    let (line, _events, call) = world.talking();
    let audio = line.audio().unwrap();
    let (mut told, event) = std::io::pipe().unwrap();
    audio.signal_recorded(Some((event.into(), 160)));
    audio.record(true);
    let (passed, await_passed) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut count = [0; 8];
        while told.read_exact(&mut count).is_ok() && passed.send(count).is_ok() {}
    });
    let mut heard = Vec::new();
    for frames in 1..=50 {
        let count = await_passed.recv_timeout(DEADLINE).expect("20 ms are recorded");
        assert_eq!(u64::from_ne_bytes(count), 1);
        assert_eq!(audio.fetch(&mut heard), 0, "nothing is lost");
        assert!(heard.len() >= frames * 160, "{} samples", heard.len());
    }
    audio.signal_recorded(None);
    reader.join().expect("the descriptor is closed");
    call.close().unwrap();
}
