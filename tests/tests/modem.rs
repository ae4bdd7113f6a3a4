//! A modem's line behind provider and host: the same functions and events as a card's lines have.

use std::time::Duration;

use ringback_host::{Call, CallOptions, Line, LineEvent, WaitError};
use ringback_softcard::ModemFault;
use ringback_tests::{DEADLINE, Rack, assert_walk, eventually, incoming, make, refusal, state};
use ringback_tspi::callstate::CallState;
use ringback_tspi::callstate::pots::{INBOUND, OUTBOUND};
use ringback_tspi::constants::*;
use ringback_tspi::dev_specific::LineKind;
use ringback_tspi::error::LineError;

/// Sends bytes that come back.
fn echo(line: &Line, call: &Call, bytes: &[u8]) {
    call.send(bytes).unwrap().wait(DEADLINE).unwrap();
    call.receive(bytes.len(), DEADLINE).unwrap().wait(DEADLINE).unwrap();
    let mut got = Vec::new();
    line.data().unwrap().fetch(&mut got);
    assert!(got == bytes, "{} bytes were sent, {} others came", bytes.len(), got.len());
}

#[test]
fn a_modem_calls_another_and_exchanges_data_with_it() {
    let rack = Rack::new();
    let line = rack.line();
    let events = line.events();
    let call = make(&line, "100");
    let passed = state(&events, &call, CallState::Connected);
    assert_walk(OUTBOUND, None, &passed);
    assert_eq!(call.state_mode(), LINECONNECTEDMODE_CONFIRMED);
    let info = call.info().unwrap();
    assert_eq!((info.called.as_deref(), info.is_incoming()), (Some("100"), false));
    assert!(line.status().unwrap().in_service);
    for length in [1, 16, 17, 3000] {
        let bytes: Vec<u8> = (0..length).map(|n: u32| (n * 31 + length) as u8).collect();
        echo(&line, &call, &bytes);
    }
    call.drop_call().unwrap().wait(DEADLINE).unwrap();
    state(&events, &call, CallState::Idle);
    assert!(rack.modem(|modem| modem.is_on_hook()), "a drop is complete when it has hung up");
    assert_eq!(refusal(call.send(b"late")), LineError::INVALCALLSTATE);
    call.close().unwrap();
}

#[test]
fn every_end_of_a_call_has_its_reason() {
    let rack = Rack::new();
    let line = rack.line();
    let events = line.events();
    for (number, wanted, mode) in [
        ("101", CallState::Busy, LINEBUSYMODE_UNAVAIL),
        ("102", CallState::Disconnected, LINEDISCONNECTMODE_UNAVAIL),
        ("103", CallState::Disconnected, LINEDISCONNECTMODE_NOANSWER),
        ("104", CallState::Disconnected, LINEDISCONNECTMODE_NODIALTONE),
    ] {
        let call = make(&line, number);
        state(&events, &call, wanted);
        assert_eq!(call.state_mode(), mode, "{number}");
        call.close().unwrap();
    }
    let only_if_idle = CallOptions { only_if_idle: true, ..CallOptions::default() };
    let made = line.make_call("104", &only_if_idle).unwrap().wait(DEADLINE);
    assert_eq!(made.unwrap_err(), WaitError::Failed(LineError::CALLUNAVAIL));

    let call = make(&line, "100");
    state(&events, &call, CallState::Connected);
    let waits = call.receive(1, DEADLINE).unwrap();
    rack.modem(|modem| modem.set_fault(ModemFault::Dead, true));
    // A line that is closed does not wait for its modem (D1).
    line.close().unwrap();
    assert_eq!(waits.wait(DEADLINE), Err(WaitError::Failed(LineError::OPERATIONFAILED)));
}

#[test]
fn n14_a_call_that_comes_in_is_offered_and_answered() {
    let rack = Rack::new();
    let line = rack.line();
    let events = line.events();
    eventually("the modem is ready", || line.status().unwrap().in_service);
    rack.call_in(&[]);
    let call = incoming(&events);
    assert!(call.info().unwrap().is_incoming());
    call.answer().unwrap().wait(DEADLINE).unwrap();
    let passed = state(&events, &call, CallState::Connected);
    assert_walk(INBOUND, Some(CallState::Offering), &passed);
    rack.modem(|modem| modem.far_send(b"hello"));
    call.receive(5, DEADLINE).unwrap().wait(DEADLINE).unwrap();
    call.drop_call().unwrap().wait(DEADLINE).unwrap();
    state(&events, &call, CallState::Idle);
}

#[test]
fn who_calls_is_told_when_it_becomes_known() {
    let rack = Rack::new();
    let line = rack.line();
    let events = line.events();
    eventually("the modem is ready", || line.status().unwrap().in_service);
    rack.call_in(&["NMBR = 5551234", "NAME = A\u{7}da"]);
    let call = incoming(&events);
    let both = LINECALLPARTYID_ADDRESS | LINECALLPARTYID_NAME;
    for event in events.within(DEADLINE) {
        if let LineEvent::CallInfo { call: of, changed, .. } = event {
            assert_eq!((of, changed), (call.clone(), LINECALLINFOSTATE_CALLERID));
            if call.info().unwrap().caller_flags == both {
                break;
            }
        }
    }
    let info = call.info().unwrap();
    assert_eq!((info.caller.as_deref(), info.caller_flags), (Some("5551234"), both));
    assert_eq!(info.caller_name.as_deref(), Some("Ada"), "without what is no text");
    call.drop_call().unwrap().wait(DEADLINE).unwrap();
    call.close().unwrap();
}

#[test]
fn the_capabilities_are_those_of_a_modem() {
    let rack = Rack::new();
    let info = &rack.host.lines()[0];
    assert_eq!((info.kind, rack.host.lines().len()), (Some(LineKind::Modem), 1));
    assert!(info.name.contains("modem"), "{}", info.name);
    let line = rack.line();
    let caps = line.caps().unwrap();
    assert_eq!(caps.media_modes, LINEMEDIAMODE_DATAMODEM);
    assert_eq!(caps.bearer_modes, LINEBEARERMODE_VOICE | LINEBEARERMODE_PASSTHROUGH);
    assert_eq!((caps.generate_digits, caps.monitor_digits), (0, 0));
    assert!(matches!(line.audio(), Err(LineError::OPERATIONUNAVAIL)), "there are no samples");
    let voice =
        CallOptions { media_modes: LINEMEDIAMODE_INTERACTIVEVOICE, ..CallOptions::default() };
    assert_eq!(line.make_call("100", &voice).unwrap_err(), LineError::INVALMEDIAMODE);
    assert_eq!(line.make_call("5?5", &CallOptions::default()).unwrap_err(), LineError::DIALPROMPT);
}

#[test]
fn a_modem_that_does_not_answer_fails_the_call_once() {
    let rack = Rack::new();
    rack.modem(|modem| modem.set_fault(ModemFault::Dead, true));
    let line = rack.line();
    let made = line.make_call("100", &CallOptions::default()).unwrap().wait(DEADLINE);
    assert_eq!(made.unwrap_err(), WaitError::Failed(LineError::OPERATIONFAILED));
    assert!(!line.status().unwrap().in_service);
    rack.modem(|modem| modem.set_fault(ModemFault::Dead, false));
    let events = line.events();
    let call = make(&line, "100");
    state(&events, &call, CallState::Connected);
}

#[test]
fn in_pass_through_mode_the_modem_gets_any_bytes() {
    let rack = Rack::new();
    let line = rack.line();
    let events = line.events();
    let own = CallOptions { pass_through: true, ..CallOptions::default() };
    let call = line.make_call("", &own).unwrap().wait(DEADLINE).unwrap();
    state(&events, &call, CallState::Connected);
    call.send(b"ATE1\r").unwrap().wait(DEADLINE).unwrap();
    eventually("the answer", || line.data().unwrap().available() >= 6);
    let mut got = Vec::new();
    line.data().unwrap().fetch(&mut got);
    assert!(String::from_utf8_lossy(&got).contains("OK"), "{got:?}");
    call.close().unwrap();
    let call = make(&line, "100");
    state(&events, &call, CallState::Connected);
}

#[test]
fn a_port_that_is_gone_closes_its_line() {
    let rack = Rack::new();
    let line = rack.line();
    let events = line.events();
    let call = make(&line, "100");
    state(&events, &call, CallState::Connected);
    let waits = call.receive(1, Duration::from_secs(3600)).unwrap();
    rack.uart.remove();
    assert_eq!(waits.wait(DEADLINE), Err(WaitError::Failed(LineError::NODEVICE)));
    eventually("the line closes", || line.is_closed());
}

#[test]
fn d12_a_shutdown_hangs_up() {
    let rack = Rack::new();
    let line = rack.line();
    let events = line.events();
    let call = make(&line, "100");
    state(&events, &call, CallState::Connected);
    rack.host.shutdown().unwrap();
    eventually("DTR hangs it up", || rack.modem(|modem| modem.is_on_hook()));
    assert!(line.is_closed());
}
