//! The functions that real applications call before anything else, at the provider: what they
//! return, what they store, and which events they cause.

use std::sync::Arc;

use ringback_host::LineEvent;
use ringback_softcard::Behaviour;
use ringback_tests::{Desk, FXO, FXS, Rack, SUPERVISED, Solo, Told, World, call, eventually, id};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::error::LineError;
use ringback_tspi::provider::{LineMessage, Provider};
use ringback_tspi::structs::layout::Returned;
use ringback_tspi::structs::{
    LINEADDRESSCAPS, LINEADDRESSSTATUS, LINECALLINFO, LINECALLSTATUS, LINEDEVCAPS, LINEDEVSTATUS,
    LINEDIALPARAMS, LINEEXTENSIONID, Reader, VARSTRING, blank,
};
use ringback_tspi::types::{HDRVCALL, HDRVLINE, HTAPIPHONE, Version};

const V: Version = Version::V3_1;

/// Has a structure filled.
fn filled<S: Returned>(fill: impl FnOnce(&mut [u8]) -> Result<(), LineError>) -> Vec<u8> {
    let mut memory = blank::<S>(16 * 1024);
    fill(&mut memory).expect("it is filled");
    memory
}

fn varstring(fill: impl FnOnce(&mut [u8]) -> Result<(), LineError>) -> Result<Vec<u8>, LineError> {
    let mut memory = blank::<VARSTRING>(512);
    fill(&mut memory)?;
    let text = Reader::<VARSTRING>::new(&memory, V).unwrap();
    assert_eq!(text.get(VARSTRING::dwStringFormat), STRINGFORMAT_BINARY);
    Ok(text.item(VARSTRING::dwString).to_vec())
}

/// What an application does before its first call, on a line with this device id. `own` is its
/// media mode, and `class` the one under which it is configured.
fn first_steps(provider: &Arc<dyn Provider>, device: u32, line: HDRVLINE, own: u32, class: &str) {
    let extension = provider.line_get_extension_id(device, V);
    assert_eq!(extension, Ok(LINEEXTENSIONID::default()), "there are none");
    let negotiated = provider.line_negotiate_ext_version(device, V, 0, 9);
    assert_eq!(negotiated, Err(LineError::OPERATIONUNAVAIL));

    let address =
        |id| provider.line_get_address_status(line, id, &mut blank::<LINEADDRESSSTATUS>(0));
    assert_eq!(address(1), Err(LineError::INVALADDRESSID));
    let memory = filled::<LINEADDRESSSTATUS>(|to| provider.line_get_address_status(line, 0, to));
    let status = Reader::<LINEADDRESSSTATUS>::new(&memory, V).unwrap();
    assert_eq!(status.get(LINEADDRESSSTATUS::dwNumInUse), 0);
    let number = provider.line_get_address_id(line, LINEADDRESSMODE_DIALABLEADDR, "5551234");
    assert_eq!(number, Err(LineError::INVALADDRESS), "its number is not known");

    assert_eq!(provider.line_get_icon(device, "tapi/line"), Ok(0), "TAPI takes its own icon");
    assert_eq!(provider.line_get_icon(device, "TAPI/Line"), Ok(0), "upper or lower case");
    assert_eq!(provider.line_get_icon(device, "wave/in"), Err(LineError::INVALDEVICECLASS));
    let select = |select, class: &str| {
        varstring(|to| provider.line_get_id(line, 0, None, select, to, class, usize::MAX))
    };
    for by in [LINECALLSELECT_LINE, LINECALLSELECT_ADDRESS] {
        assert_eq!(select(by, "tapi/line"), Ok(device.to_le_bytes().to_vec()));
        assert_eq!(select(by, "wave/in"), Err(LineError::INVALDEVICECLASS));
    }
    // Every class that is announced is known to it.
    let caps = filled::<LINEDEVCAPS>(|to| provider.line_get_dev_caps(device, V, 0, to));
    let caps = Reader::<LINEDEVCAPS>::new(&caps, V).unwrap();
    let bytes = caps.item(LINEDEVCAPS::dwDeviceClasses).chunks_exact(2);
    let announced: Vec<u16> = bytes.map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
    let announced = String::from_utf16(&announced).unwrap();
    let modem = announced.contains("comm/datamodem");
    assert_eq!(modem, own == LINEMEDIAMODE_DATAMODEM, "{announced:?}");
    for class in announced.split_terminator('\0').filter(|class| !class.is_empty()) {
        let mut memory = blank::<VARSTRING>(512);
        let by = LINECALLSELECT_LINE;
        assert_eq!(provider.line_get_id(line, 0, None, by, &mut memory, class, 0), Ok(()));
        let device_of = Reader::<VARSTRING>::new(&memory, V).unwrap();
        if class == "comm/datamodem" {
            let format = device_of.get(VARSTRING::dwStringFormat);
            assert_eq!(format, STRINGFORMAT_UNICODE, "a name");
            let name = device_of.string(VARSTRING::dwString).unwrap();
            assert!(caps.string(LINEDEVCAPS::dwLineName).unwrap().starts_with(&name), "{name}");
        }
    }
    assert_eq!(select(LINECALLSELECT_CALL, "tapi/line"), Err(LineError::INVALCALLHANDLE));

    for modes in [0, own, own | LINEMEDIAMODE_UNKNOWN] {
        assert_eq!(provider.line_set_default_media_detection(line, modes), Ok(()), "{modes:#x}");
        assert_eq!(provider.line_conditional_media_detection(line, modes, None), Ok(()));
    }
    let foreign = LINEMEDIAMODE_G3FAX;
    let refused = Err(LineError::INVALMEDIAMODE);
    assert_eq!(provider.line_set_default_media_detection(line, foreign), refused);
    assert_eq!(provider.line_conditional_media_detection(line, foreign, None), refused);

    let (lines, addresses) = (LINEDEVSTATE.mask(), LINEADDRESSSTATE.mask());
    assert_eq!(provider.line_set_status_messages(line, lines, addresses), Ok(()));
    let set = |lines, addresses| provider.line_set_status_messages(line, lines, addresses);
    assert_eq!(set(1 << 31, 0), Err(LineError::INVALLINESTATE));
    assert_eq!(set(0, 1 << 31), Err(LineError::INVALADDRESSSTATE));
    assert_eq!(set(0, 0), Ok(()));

    let get = |class: &str| varstring(|to| provider.line_get_dev_config(device, to, class));
    assert_eq!(get("wave/out"), Err(LineError::INVALDEVICECLASS));
    let block = get(class).unwrap();
    assert_eq!(provider.line_set_dev_config(device, &block, class), Ok(()));
    for broken in [&block[..11], b"another provider's block"] {
        let set = provider.line_set_dev_config(device, broken, class);
        assert_eq!(set, Err(LineError::INVALPARAM));
    }
    // V6: with room for the fixed part alone it says how much it needs, which is a success.
    let mut small = 24u32.to_le_bytes().to_vec();
    small.resize(24, 0);
    assert_eq!(provider.line_get_dev_config(device, &mut small, class), Ok(()));
    let needed = Reader::<VARSTRING>::new(&small, V).unwrap().get(VARSTRING::dwNeededSize);
    assert_eq!(needed as usize, 24 + block.len());
}

#[test]
fn an_applications_first_calls_succeed_on_every_kind_of_line() {
    let desk = Desk::new();
    assert_eq!(desk.provider.provider_install(0, 1), Ok(()));
    for line in [FXO, FXS] {
        let device = Desk::BASE + line;
        let open = desk.open(line, 1 + line as usize);
        first_steps(&desk.provider, device, open, LINEMEDIAMODE_AUTOMATEDVOICE, "tapi/line");
        let caps = filled::<LINEDEVCAPS>(|to| desk.provider.line_get_dev_caps(device, V, 0, to));
        let caps = Reader::<LINEDEVCAPS>::new(&caps, V).unwrap();
        assert_eq!(caps.get(LINEDEVCAPS::dwPermanentLineID), 1 << 16 | line, "provider 1");
        let rings = caps.get(LINEDEVCAPS::dwRingModes);
        let told = caps.get(LINEDEVCAPS::dwLineStates) & LINEDEVSTATE_RINGING != 0;
        assert_eq!((rings, told), if line == FXO { (1, true) } else { (0, false) });
    }
    assert_eq!(desk.provider.provider_remove(0, 1), Ok(()));

    let rack = Rack::new();
    let _line = rack.line();
    eventually("the line is open", || rack.witness.open_line().is_some());
    let open = rack.witness.open_line().unwrap();
    let class = "comm/datamodem";
    first_steps(&rack.provider, 0, open, LINEMEDIAMODE_DATAMODEM, class);
}

#[test]
fn a_modem_is_sent_the_configuration_that_it_was_given() {
    let rack = Rack::new();
    let provider = &rack.provider;
    let mut block = varstring(|to| provider.line_get_dev_config(0, to, "comm/datamodem")).unwrap();
    block.truncate(12);
    for no_command in ["", "X4", "AT\rD", "AT\u{fc}"] {
        let block = [&block, no_command.as_bytes()].concat();
        let set = provider.line_set_dev_config(0, &block, "comm/datamodem");
        assert_eq!(set, Err(LineError::INVALPARAM), "{no_command:?}");
    }
    block.extend(b"ATX3");
    assert_eq!(provider.line_set_dev_config(0, &block, "comm/datamodem"), Ok(()));
    let again = varstring(|to| provider.line_get_dev_config(0, to, "comm/datamodem"));
    assert_eq!(again, Ok(block));
    // A modem with X3 does not wait for dial tone.
    let line = rack.line();
    eventually("the modem answers", || line.status().unwrap().in_service);
}

#[test]
fn the_country_of_a_card_is_returned_and_cannot_be_changed() {
    let desk = Desk::new();
    let device = Desk::BASE + FXO;
    let get = |to: &mut [u8]| desk.provider.line_get_dev_config(device, to, "tapi/line");
    let block = varstring(get).unwrap();
    let other = [&block[..12], b"GERMANY"].concat();
    let set = |block: &[u8]| desk.provider.line_set_dev_config(device, block, "tapi/line");
    assert_eq!(set(&other), Err(LineError::INVALLINESTATE));
    assert_eq!(set(&[&block[..12], b"ATLANTIS"].concat()), Err(LineError::INVALPARAM));
    assert_eq!(set(&block), Ok(()));
}

fn infos(desk: &Desk) -> Vec<usize> {
    desk.told()
        .into_iter()
        .filter_map(|told| match told {
            Told::Event(LineMessage {
                call: Some(_),
                message: LINE_CALLINFO,
                params: [bits, ..],
                ..
            }) => Some(bits),
            _ => None,
        })
        .collect()
}

fn info(desk: &Desk, call: HDRVCALL) -> Vec<u8> {
    filled::<LINECALLINFO>(|to| desk.provider.line_get_call_info(call, to))
}

#[test]
fn data_about_a_call_is_kept_and_returned() {
    type I = LINECALLINFO;
    let desk = Desk::new();
    let provider = &desk.provider;
    let line = desk.open(SUPERVISED, 1);
    let made = provider.line_make_call(id(1), line, call(9), Some("200"), 43, None);
    let (handle, ticket) = made.unwrap();
    ticket.release();
    desk.state(call(9), CallState::Connected);
    assert_eq!(provider.line_set_app_specific(handle, 77), Ok(()));
    let modes = LINEMEDIAMODE_AUTOMATEDVOICE;
    assert_eq!(provider.line_set_media_mode(handle, modes), Ok(()));
    let both = modes | LINEMEDIAMODE_INTERACTIVEVOICE;
    let refused = Err(LineError::INVALMEDIAMODE);
    assert_eq!(provider.line_set_media_mode(handle, both), refused, "several without UNKNOWN");
    // B1: the bytes are copied before the function returns.
    let mut data = vec![5; 4096];
    provider.line_set_call_data(id(2), handle, &data).unwrap().release();
    data.fill(0xA5);
    assert_eq!(desk.completion(id(2)), Ok(()));
    let more = provider.line_set_call_data(id(3), handle, &[5; 4097]);
    assert_eq!(more.unwrap_err(), LineError::INVALPARAM);
    let slow = LINEDIALPARAMS { digit_duration: 300, ..LINEDIALPARAMS::default() };
    let set = |id, bearer, rate, params| {
        provider.line_set_call_params(id, handle, bearer, rate, rate, params)
    };
    set(id(4), LINEBEARERMODE_VOICE, 3100, Some(slow)).unwrap().release();
    assert_eq!(desk.completion(id(4)), Ok(()));
    let refusal = |bearer, rate| set(id(5), bearer, rate, None).unwrap_err();
    assert_eq!(refusal(LINEBEARERMODE_DATA, 3100), LineError::BEARERMODEUNAVAIL);
    assert_eq!(refusal(0, 3100), LineError::INVALBEARERMODE);
    assert_eq!(refusal(LINEBEARERMODE_VOICE, 64_000), LineError::RATEUNAVAIL);
    let ids = provider.line_get_call_ids(handle).unwrap();

    let memory = info(&desk, handle);
    let told = Reader::<I>::new(&memory, V).unwrap();
    assert_eq!(told.get(I::dwAppSpecific), 77);
    assert_eq!(told.get(I::dwMediaMode), modes);
    assert_eq!(told.get(I::dwCountryCode), 43);
    assert!(told.item(I::dwCallData) == [5; 4096], "as it was when it was set");
    assert_eq!(told.get(I::DialParams).digit_duration, 300);
    assert_eq!(ids, (0, told.get(I::dwCallID), 0));
    let memory = filled::<LINECALLSTATUS>(|to| provider.line_get_call_status(handle, to));
    let status = Reader::<LINECALLSTATUS>::new(&memory, V).unwrap();
    assert!(status.get(LINECALLSTATUS::tStateEntryTime).year >= 2026);

    provider.line_drop(id(6), handle, &[]).unwrap().release();
    desk.state(call(9), CallState::Idle);
    assert_eq!(provider.line_set_app_specific(handle, 78), Ok(()), "legal in every state");
    let memory = info(&desk, handle);
    assert_eq!(Reader::<I>::new(&memory, V).unwrap().get(I::dwAppSpecific), 78);
    let late = provider.line_set_call_data(id(7), handle, b"late");
    assert_eq!(desk.refusal(late), LineError::INVALCALLSTATE);
    provider.line_close_call(handle).unwrap();
    let wanted = [
        LINECALLINFOSTATE_APPSPECIFIC,
        LINECALLINFOSTATE_MEDIAMODE,
        LINECALLINFOSTATE_CALLDATA,
        LINECALLINFOSTATE_DIALPARAMS,
    ];
    assert_eq!(infos(&desk), wanted.map(|bit| bit as usize), "O4: nothing after IDLE");
    let caps = |to: &mut [u8]| provider.line_get_address_caps(Desk::BASE + SUPERVISED, 0, V, 0, to);
    let memory = filled::<LINEADDRESSCAPS>(caps);
    let caps = Reader::<LINEADDRESSCAPS>::new(&memory, V).unwrap();
    let announced = caps.get(LINEADDRESSCAPS::dwCallInfoStates);
    // Who calls is told of calls that come in.
    let callers = LINECALLINFOSTATE_CALLERID | LINECALLINFOSTATE_DISPLAY;
    let sent = wanted.iter().fold(callers, |all, bit| all | bit);
    assert_eq!(announced, sent, "what is sent, no more");
    assert_eq!(caps.get(LINEADDRESSCAPS::dwMaxCallDataSize), 4096);
}

#[test]
fn a_call_that_rings_is_accepted_before_it_is_answered() {
    let desk = Desk::new();
    let provider = &desk.provider;
    let line = desk.open(FXO, 1);
    provider.line_set_status_messages(line, LINEDEVSTATE_RINGING, 0).unwrap();
    desk.subscriber("201").call("102");
    let mut found = None;
    eventually("the call is announced", || {
        found = desk.told().into_iter().find_map(|told| match told {
            Told::NewCall(call, tapi) => Some((call, tapi)),
            _ => None,
        });
        found.is_some()
    });
    let (handle, tapi) = found.unwrap();
    desk.state(tapi, CallState::Offering);
    eventually("it rings", || {
        let ring = (None, LINE_LINEDEVSTATE, [LINEDEVSTATE_RINGING as usize, 1, 0]);
        desk.told().iter().any(|told| {
            matches!(told, Told::Event(event) if (event.call, event.message, event.params) == ring)
        })
    });
    let status = |to: &mut [u8]| provider.line_get_line_dev_status(line, to);
    let memory = filled::<LINEDEVSTATUS>(status);
    let status = Reader::<LINEDEVSTATUS>::new(&memory, V).unwrap();
    assert_eq!(status.get(LINEDEVSTATUS::dwRingMode), 1);
    assert_eq!(status.get(LINEDEVSTATUS::dwLineFeatures), LINEFEATURE_SETDEVSTATUS);
    let other = provider.line_conditional_media_detection(line, LINEMEDIAMODE_AUTOMATEDVOICE, None);
    assert_eq!(other, Err(LineError::RESOURCEUNAVAIL), "the line is taken");
    let greeting = provider.line_accept(id(1), handle, b"hello");
    assert_eq!(greeting.unwrap_err(), LineError::USERUSERINFOTOOBIG);
    provider.line_accept(id(2), handle, &[]).unwrap().release();
    assert_eq!(desk.completion(id(2)), Ok(()));
    desk.state(tapi, CallState::Accepted);
    let again = provider.line_accept(id(3), handle, &[]);
    assert_eq!(desk.refusal(again), LineError::INVALCALLSTATE);
    provider.line_answer(id(4), handle, &[]).unwrap().release();
    assert_eq!(desk.completion(id(4)), Ok(()));
    desk.state(tapi, CallState::Connected);
    let by_call = varstring(|to| {
        provider.line_get_id(line, 0, Some(handle), LINECALLSELECT_CALL, to, "tapi/line", 0)
    });
    assert_eq!(by_call, Ok((Desk::BASE + FXO).to_le_bytes().to_vec()));
    provider.line_close_call(handle).unwrap();
}

/// The LINEDEVSTATUSFLAGS_ bits of a line, and whether a call can be made on it.
fn line_status(provider: &Arc<dyn Provider>, line: HDRVLINE) -> (u32, bool) {
    let memory = filled::<LINEDEVSTATUS>(|to| provider.line_get_line_dev_status(line, to));
    let status = Reader::<LINEDEVSTATUS>::new(&memory, V).unwrap();
    let calls = status.get(LINEDEVSTATUS::dwLineFeatures) & LINEFEATURE_MAKECALL != 0;
    (status.get(LINEDEVSTATUS::dwDevStatusFlags), calls)
}

/// The LINEDEVSTATE_ bits of LINE_LINEDEVSTATE so far.
fn line_states(told: &[Told]) -> Vec<u32> {
    let states = told.iter().filter_map(|told| match told {
        Told::Event(LineMessage { call: None, message: LINE_LINEDEVSTATE, params, .. }) => {
            u32::try_from(params[0]).ok()
        }
        _ => None,
    });
    states.collect()
}

#[test]
fn a_line_is_locked_and_taken_out_of_service_by_an_application() {
    let (connected, serving, locked) =
        (LINEDEVSTATUSFLAGS_CONNECTED, LINEDEVSTATUSFLAGS_INSERVICE, LINEDEVSTATUSFLAGS_LOCKED);
    let solo = Solo::new();
    let provider = &solo.provider;
    let mut ids = 1..;
    let mut set = |line: u32, bits: u32, on: u32| {
        let id = id(ids.next().unwrap());
        let asked = provider.line_set_line_dev_status(id, solo.line(line), bits, on);
        asked.map(|ticket| ticket.release()).map(|()| solo.completion(id).unwrap())
    };
    for line in [FXO, FXS] {
        provider.line_set_status_messages(solo.line(line), LINEDEVSTATE.mask(), 0).unwrap();
        let before = line_states(&solo.told()).len();
        let caps = |to: &mut [u8]| provider.line_get_dev_caps(Solo::BASE + line, V, 0, to);
        let caps = filled::<LINEDEVCAPS>(caps);
        let caps = Reader::<LINEDEVCAPS>::new(&caps, V).unwrap();
        let messages = if line == FXS { LINEDEVSTATUSFLAGS_MSGWAIT } else { 0 };
        assert_eq!(caps.get(LINEDEVCAPS::dwSettableDevStatus), serving | locked | messages);
        let features = caps.get(LINEDEVCAPS::dwLineFeatures);
        assert_ne!(features & LINEFEATURE_SETDEVSTATUS, 0);
        let others = LINEDEVSTATUSFLAGS_MSGWAIT & !messages;
        for bits in [0, connected, connected | locked, 0x10, others] {
            assert_eq!(set(line, bits, 1), Err(LineError::INVALPARAM), "{bits:#x}");
        }
        let status = || line_status(provider, solo.line(line));
        assert_eq!(status(), (connected | serving, true));
        assert_eq!(set(line, locked, 1), Ok(Ok(())));
        assert_eq!(set(line, locked, 7), Ok(Ok(())), "it is locked already");
        assert_eq!(status(), (connected | serving | locked, false));
        assert_eq!(set(line, serving, 0), Ok(Ok(())));
        assert_eq!(status(), (connected | locked, false));
        let call = provider.line_make_call(id(900), solo.line(line), call(8), Some("201"), 0, None);
        assert_eq!(call.map(|_| ()), Err(LineError::INVALLINESTATE));
        assert_eq!(set(line, serving | locked, 0), Ok(Ok(())));
        assert_eq!(status(), (connected, false));
        assert_eq!(set(line, serving, 1), Ok(Ok(())));
        assert_eq!(status(), (connected | serving, true));
        let wanted = [
            LINEDEVSTATE_LOCK,
            LINEDEVSTATE_OUTOFSERVICE,
            LINEDEVSTATE_LOCK,
            LINEDEVSTATE_INSERVICE,
        ];
        assert_eq!(line_states(&solo.told())[before..], wanted);
        let announced = caps.get(LINEDEVCAPS::dwLineStates);
        assert!(wanted.iter().all(|state| announced & state != 0), "{announced:#x}");
    }
    // A line that is out of service offers nothing, and one that is locked does.
    assert_eq!(set(FXO, serving, 0), Ok(Ok(())));
    let caller = solo.subscriber("201");
    caller.call("102");
    solo.run(5000);
    let calls = || solo.told().iter().filter(|told| matches!(told, Told::NewCall(..))).count();
    assert_eq!(calls(), 0);
    assert_eq!(set(FXO, locked, 1), Ok(Ok(())));
    assert_eq!(set(FXO, serving, 1), Ok(Ok(())));
    let (handle, tapi) = solo.offered();
    assert_eq!(set(FXO, serving | locked, 0), Err(LineError::INVALLINESTATE), "it has a call");
    let status = line_status(provider, solo.line(FXO));
    assert_eq!(status, (connected | serving | locked, false), "nothing was changed");
    provider.line_answer(id(901), handle, &[]).unwrap().release();
    solo.until(tapi, CallState::Connected);
    provider.line_close_call(handle).unwrap();
}

#[test]
fn messages_wait_on_the_line_and_on_the_lamp_of_its_phone() {
    let solo = Solo::new();
    let (provider, line) = (&solo.provider, solo.line(FXS));
    provider.line_set_status_messages(line, LINEDEVSTATE.mask(), 0).unwrap();
    let phone = provider.phone_open(0, HTAPIPHONE::new(70).unwrap(), V).unwrap();
    let waits = || line_status(provider, line).0 & LINEDEVSTATUSFLAGS_MSGWAIT != 0;
    let lamp = || provider.phone_get_lamp(phone, 0).unwrap();
    for (request, on, mode) in [(1, 1, PHONELAMPMODE_STEADY), (2, 0, PHONELAMPMODE_OFF)] {
        let bits = LINEDEVSTATUSFLAGS_MSGWAIT;
        provider.line_set_line_dev_status(id(request), line, bits, on).unwrap().release();
        assert_eq!(solo.completion(id(request)), Some(Ok(())));
        assert_eq!((waits(), lamp()), (on != 0, mode));
    }
    provider.phone_set_lamp(id(3), phone, 0, PHONELAMPMODE_FLASH).unwrap().release();
    assert_eq!(solo.completion(id(3)), Some(Ok(())));
    assert!(waits());
    let wanted = [LINEDEVSTATE_MSGWAITON, LINEDEVSTATE_MSGWAITOFF, LINEDEVSTATE_MSGWAITON];
    assert_eq!(line_states(&solo.told()), wanted);
}

#[test]
fn the_status_of_a_line_outlasts_its_closing() {
    let desk = Desk::new();
    let line = desk.open(FXS, 1);
    let locked = LINEDEVSTATUSFLAGS_LOCKED;
    desk.provider.line_set_line_dev_status(id(1), line, locked, 1).unwrap().release();
    assert_eq!(desk.completion(id(1)), Ok(()));
    desk.provider.line_close(line).unwrap();
    let late = desk.provider.line_set_line_dev_status(id(2), line, locked, 0);
    assert_eq!(late.map(|_| ()), Err(LineError::INVALLINEHANDLE));
    let line = desk.open(FXS, 2);
    assert_eq!(line_status(&desk.provider, line).0 & locked, locked, "the device is locked");
}

#[test]
fn a_host_gets_a_caller_who_gave_up_and_the_next_one() {
    let world = World::new();
    let line = world.open(FXO);
    let events = line.events();
    let caller = world.exchange().add_subscriber("11", Behaviour::Manual);
    for _ in 0..2 {
        caller.call("102");
        let call = ringback_tests::incoming(&events);
        caller.on_hook();
        let passed = ringback_tests::state(&events, &call, CallState::Idle);
        assert_eq!(passed, [CallState::Disconnected, CallState::Idle]);
    }
    assert!(line.status().unwrap().can_make_call());
    assert!(
        !events
            .within(std::time::Duration::ZERO)
            .any(|event| { matches!(event, LineEvent::Other { .. }) }),
        "messages that are not enabled are not sent"
    );
}
