//! Ringback's provider through C and back: host, loader, exported functions, provider, card. And a
//! provider in C, compiled here, under the host.
#![allow(unsafe_code, reason = "the loader of the C interface asks its caller for guarantees")]

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use ringback_driver::PortNumber;
use ringback_host::{CallOptions, Host, HostOptions, Line, PhoneEvent};
use ringback_tests::{Bench, DEADLINE, FXO, SUPERVISED, eventually, incoming, make, state};
use ringback_tspi::EvenPoisoned;
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::error::{LineError, PhoneError};
use ringback_tspi::ffi::Loaded;
use ringback_tspi::functions::RequestId;
use ringback_tspi::provider::Provider;
use ringback_tspi::types::{HDRVCALL, HDRVLINE, HTAPICALL, Version};

/// The provider behind the exports: a C library has one, as long as it is loaded.
static PROVIDER: Mutex<Option<Arc<dyn Provider>>> = Mutex::new(None);

mod exports {
    ringback_tspi::export_provider!(super::provider);
}

fn provider() -> Result<Arc<dyn Provider>, LineError> {
    let provider = PROVIDER.lock().even_poisoned().clone();
    provider.ok_or(LineError::NODRIVER)
}

fn loaded() -> Arc<dyn Provider> {
    // SAFETY: the exports are made of the rows.
    Arc::new(unsafe { Loaded::of_symbols(exports::tspi_symbol) }.unwrap())
}

fn open(host: &Host, device_id: u32) -> Line {
    let line = host.open(device_id).unwrap();
    eventually("the line is in service", || line.status().is_ok_and(|status| status.in_service));
    line
}

/// Calls in both directions through the C interface. The witness is on the provider's side of it.
fn calls(bench: &Bench) {
    let host = Host::start(loaded(), HostOptions::default()).unwrap();
    assert_eq!(host.lines().len(), 4);
    let line = open(&host, SUPERVISED);
    let events = line.events();
    let call = make(&line, "200");
    state(&events, &call, CallState::Connected);
    let info = call.info().unwrap();
    assert_eq!((info.called.as_deref(), info.is_incoming()), (Some("200"), false));
    assert_eq!(call.status().unwrap().state, CallState::Connected);
    let refused = line.make_call("1\u{1F4DE}", &CallOptions::default()).map(|_| ());
    assert_eq!(refused, Err(LineError::INVALADDRESS), "R7, with a text that has crossed C");
    call.drop_call().unwrap().wait(DEADLINE).unwrap();
    state(&events, &call, CallState::Idle);
    call.close().unwrap();

    let line = open(&host, FXO);
    let events = line.events();
    bench.exchange().call("201", "102").unwrap();
    let call = incoming(&events);
    call.answer().unwrap().wait(DEADLINE).unwrap();
    state(&events, &call, CallState::Connected);
    assert!(line.audio().is_err(), "what is beside TSPI does not cross C");
    call.drop_call().unwrap().wait(DEADLINE).unwrap();
    call.close().unwrap();
    phones(bench, &host);
    host.shutdown().unwrap();
}

/// A telephone as a phone through the C interface.
fn phones(bench: &Bench, host: &Host) {
    assert_eq!(host.phones().len(), 2);
    let phone = host.open_phone(0).unwrap();
    phone.set_status_messages(PHONESTATE_HANDSETHOOKSWITCH, 0, 0).unwrap();
    let events = phone.events();
    assert_eq!(phone.caps().unwrap().hook_switches, PHONEHOOKSWITCHDEV_HANDSET);
    phone.set_lamp(0, PHONELAMPMODE_STEADY).unwrap().wait(DEADLINE).unwrap();
    assert_eq!(phone.lamp(0), Ok(PHONELAMPMODE_STEADY));
    let refused = phone.set_lamp(3, PHONELAMPMODE_STEADY).map(drop);
    assert_eq!(refused, Err(PhoneError::INVALBUTTONLAMPID), "R4");
    bench.card.telephone(PortNumber(0)).unwrap().off_hook();
    let lifted = events.next_timeout(DEADLINE);
    let detail = PHONEHOOKSWITCHMODE_MICSPEAKER;
    assert!(matches!(lifted, Some(PhoneEvent::State { detail: mode, .. }) if mode == detail));
    phone.close().unwrap();
}

/// Calls functions of a running provider with handles that are dead or were never given out.
fn guesses(bench: &Bench) {
    let host = Host::start(Arc::clone(&bench.provider), HostOptions::default()).unwrap();
    let provider = loaded();
    let id = RequestId::new(1_000_000).unwrap();
    let mut memory = [0; 512];
    memory[1] = 2;
    for guess in [1, 7, 0x100, 0x101, 0xFFFF, usize::MAX >> 1, usize::MAX] {
        let (line, call) = (HDRVLINE::new(guess).unwrap(), HDRVCALL::new(guess).unwrap());
        let (no_line, no_call) = (LineError::INVALLINEHANDLE, LineError::INVALCALLHANDLE);
        assert_eq!(provider.line_get_num_address_ids(line), Err(no_line), "{guess:#x}");
        assert_eq!(provider.line_get_line_dev_status(line, &mut memory), Err(no_line));
        let tapi = HTAPICALL::new(5).unwrap();
        let made = provider.line_make_call(id, line, tapi, Some("1"), 0, None);
        assert_eq!(made.map(|_| ()), Err(no_line), "{guess:#x}");
        assert_eq!(provider.line_get_call_info(call, &mut memory), Err(no_call), "{guess:#x}");
        assert_eq!(provider.line_drop(id, call, &[]).map(|_| ()), Err(no_call), "{guess:#x}");
        assert_eq!(provider.line_monitor_digits(call, 1), Err(no_call), "{guess:#x}");
        assert_eq!(provider.line_close(line), Err(no_line), "{guess:#x}");
    }
    let version = Version::V2_0;
    assert_eq!(provider.line_get_dev_caps(99, version, 0, &mut memory), Err(LineError::NODEVICE));
    host.shutdown().unwrap();
}

#[test]
fn the_provider_is_the_same_through_c() {
    assert_eq!(
        loaded().provider_enum_devices(1),
        Err(LineError::NODRIVER),
        "there is no provider yet, and the next call asks again"
    );
    let bench = Bench::new();
    *PROVIDER.lock().unwrap() = Some(Arc::clone(&bench.provider));
    calls(&bench);
    guesses(&bench);
    bench.witness.judge();
}

#[test]
fn a_provider_in_c_works_under_the_host() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("provider.so");
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let status = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()))
        .args(["-std=c99", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(top.join("../userspace/tspi/src/ffi/tests/provider.c"))
        .status()
        .expect("a C compiler is there");
    assert!(status.success());
    // SAFETY: the library is the provider that was just compiled.
    let provider: Arc<dyn Provider> = Arc::new(unsafe { Loaded::open(&library) }.unwrap());
    let host = Host::start(provider, HostOptions::default()).unwrap();
    assert_eq!(host.lines().len(), 1);
    let line = host.open(0).unwrap();
    let events = line.events();
    let call = make(&line, "12");
    state(&events, &call, CallState::Connected);
    call.drop_call().unwrap().wait(DEADLINE).unwrap();
    let unavailable = call.dial("3").map(|_| ());
    assert_eq!(unavailable, Err(LineError::OPERATIONUNAVAIL));
    assert!(call.close().is_ok());
    drop(line);
    assert!(host.shutdown().is_ok());
}
