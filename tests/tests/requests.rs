//! The contract of a request, at the provider's functions (R, C, T, G, B).

use ringback_driver::PortNumber;
use ringback_driver::request::RequestId;
use ringback_softcard::LineState;
use ringback_tests::{Desk, Told, call, eventually, id};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::error::LineError;
use ringback_tspi::structs::{Builder, LINECALLINFO, LINECALLPARAMS, Reader, blank};
use ringback_tspi::types::Version;

/// The lines of the card, by the desk's numbers.
const FXS: u32 = 0;
const FXO: u32 = 2;
const SUPERVISED: u32 = 3;

#[test]
fn r1_r2_r3_r5_c3_t2_an_accepted_request_goes_by_its_id_and_completes_once() {
    let desk = Desk::new();
    let line = desk.open(SUPERVISED, 1);
    for (number, tapi) in [(1, call(9)), (0x7FFF_FFFF, call(10))] {
        let made = desk.provider.line_make_call(id(number), line, tapi, Some("200"), 0, None);
        let (handle, ticket) = made.unwrap();
        assert_eq!(ticket.id().get(), number);
        ticket.release();
        assert_eq!(desk.completion(id(number)), Ok(()));
        // The whole call behind it brings no second one.
        desk.state(tapi, CallState::Connected);
        desk.provider.line_drop(id(500), handle, &[]).unwrap().release();
        desk.state(tapi, CallState::Idle);
        assert_eq!(desk.completions(id(number)), 1);
        desk.provider.line_close_call(handle).unwrap();
    }
}

#[test]
fn r4_r7_a_refused_address_has_no_completion_and_does_nothing_on_the_line() {
    let desk = Desk::new();
    let line = desk.open(FXO, 1);
    let refused = [
        ("555$1@", LineError::DIALBILLING),
        ("555@1$", LineError::DIALQUIET),
        ("5?", LineError::DIALPROMPT),
        ("5x5", LineError::INVALADDRESS),
        ("+15551234", LineError::INVALADDRESS),
    ];
    let provider = &desk.provider;
    for (number, (address, error)) in (100..).zip(refused) {
        let made = provider.line_make_call(id(number), line, call(9), Some(address), 0, None);
        assert_eq!(made.unwrap_err(), error, "{address}");
        assert_eq!(desk.exchange().state("102"), Some(LineState::Idle), "not off-hook");
    }
    let made = provider.line_make_call(id(200), line, call(9), Some("1"), 1000, None);
    assert_eq!(made.unwrap_err(), LineError::INVALCOUNTRYCODE);
    // The same on a call that exists: not a digit goes out.
    let handle = desk.make_call(id(1), line, call(9), None);
    desk.state(call(9), CallState::DialTone);
    assert_eq!(provider.line_dial(id(201), handle, "2$", 0).unwrap_err(), LineError::DIALBILLING);
    assert_eq!(desk.exchange().state("102"), Some(LineState::DialTone));
    provider.line_dial(id(2), handle, "200", 0).unwrap().release();
    assert_eq!(desk.completion(id(2)), Ok(()));
    eventually("the exchange has the number", || {
        desk.exchange().dialled("102").as_deref() == Some("200")
    });
    let ids: Vec<RequestId> = desk
        .told()
        .into_iter()
        .filter_map(|told| match told {
            Told::Completed(id, _) => Some(id),
            _ => None,
        })
        .collect();
    assert_eq!(ids, [id(1), id(2)], "R4: no completion of what was refused");
}

#[test]
fn r4_handles_and_states_are_checked() {
    let desk = Desk::new();
    let line = desk.open(FXO, 1);
    let provider = &desk.provider;
    let handle = desk.make_call(id(1), line, call(9), None);
    assert_eq!(desk.completion(id(1)), Ok(()));
    let again = provider.line_make_call(id(2), line, call(8), None, 0, None);
    let again = desk.refusal(again.map(|(_, ticket)| ticket));
    assert_eq!(again, LineError::CALLUNAVAIL, "N7: one call at a time");
    let answer = desk.refusal(provider.line_answer(id(3), handle, &[]));
    assert_eq!(answer, LineError::INVALCALLSTATE, "it is not offered");
    let greeting = provider.line_drop(id(4), handle, b"bye").unwrap_err();
    assert_eq!(greeting, LineError::USERUSERINFOTOOBIG);
    let forged = ringback_tspi::types::HDRVCALL::new(0x7000_0003).unwrap();
    assert_eq!(provider.line_drop(id(5), forged, &[]).unwrap_err(), LineError::INVALCALLHANDLE);
    assert_eq!(provider.line_close_call(forged), Err(LineError::INVALCALLHANDLE));
    let other = ringback_tspi::types::HDRVLINE::new(line.raw() + 0x100).unwrap();
    assert_eq!(provider.line_close(other), Err(LineError::INVALLINEHANDLE));
    provider.line_close(line).unwrap();
    assert_eq!(provider.line_close(line), Err(LineError::INVALLINEHANDLE), "D2: dead");
    assert_eq!(provider.line_drop(id(6), handle, &[]).unwrap_err(), LineError::INVALCALLHANDLE);
}

#[test]
fn c5_g1_a_request_that_ends_inside_its_function_is_delivered_after_it() {
    let desk = Desk::new();
    let line = desk.open(FXS, 1);
    // Ringing a telephone is complete when it begins, inside the function.
    let made = desk.provider.line_make_call(id(5), line, call(9), Some("1"), 0, None);
    let (handle, ticket) = made.unwrap();
    assert_eq!(ticket.id(), id(5));
    let telephone = desk.card.telephone(PortNumber(0)).unwrap();
    eventually("it rings", || telephone.is_ringing());
    assert_eq!(desk.told(), [], "the function has not returned yet");
    ticket.release();
    assert_eq!(desk.completion(id(5)), Ok(()));
    let ticket = desk.provider.line_drop(id(6), handle, &[]).unwrap();
    eventually("it is quiet", || !telephone.is_ringing());
    assert_eq!(desk.completions(id(6)), 0);
    ticket.release();
    assert_eq!(desk.completion(id(6)), Ok(()));
}

#[test]
fn t4_an_id_may_be_used_again_from_inside_its_completion() {
    let desk = Desk::new();
    let line = desk.open(FXO, 1);
    let provider = std::sync::Arc::clone(&desk.provider);
    let (handle, ticket) = provider.line_make_call(id(7), line, call(9), None, 0, None).unwrap();
    let again = std::sync::Arc::clone(&provider);
    desk.at_next_completion(move |completed, result| {
        assert_eq!((completed, result), (id(7), Ok(())));
        again.line_drop(id(7), handle, &[]).unwrap().release();
    });
    ticket.release();
    eventually("both are complete", || desk.completions(id(7)) == 2);
    desk.state(call(9), CallState::Idle);
}

#[test]
fn b1_input_that_is_overwritten_right_after_return_changes_nothing() {
    let desk = Desk::new();
    let line = desk.open(SUPERVISED, 1);
    let mut address = *b"200";
    let mut params = Builder::<LINECALLPARAMS>::new(Version::V3_1)
        .set(LINECALLPARAMS::dwBearerMode, LINEBEARERMODE_VOICE)
        .set(LINECALLPARAMS::dwMinRate, 3100)
        .set(LINECALLPARAMS::dwMaxRate, 3100)
        .set(LINECALLPARAMS::dwMediaMode, LINEMEDIAMODE_AUTOMATEDVOICE)
        .set(LINECALLPARAMS::dwAddressMode, LINEADDRESSMODE_ADDRESSID)
        .finish();
    let (handle, ticket) = desk
        .provider
        .line_make_call(
            id(1),
            line,
            call(9),
            Some(std::str::from_utf8(&address).unwrap()),
            0,
            Some(&params),
        )
        .unwrap();
    address.fill(b'9');
    params.fill(0xA5);
    ticket.release();
    assert_eq!(desk.completion(id(1)), Ok(()));
    desk.state(call(9), CallState::Connected);
    assert_eq!(desk.exchange().dialled("103").as_deref(), Some("200"));
    let mut memory = blank::<LINECALLINFO>(1024);
    desk.provider.line_get_call_info(handle, &mut memory).unwrap();
    let info = Reader::<LINECALLINFO>::new(&memory, Version::V3_1).unwrap();
    assert_eq!(info.string(LINECALLINFO::dwCalledID).as_deref(), Some("200"));
    assert_eq!(info.get(LINECALLINFO::dwMediaMode), LINEMEDIAMODE_AUTOMATEDVOICE);
    assert_eq!((address, params[0]), (*b"999", 0xA5), "the memory is the caller's");

    // The same for digits of a synchronous function.
    let mut digits = *b"147";
    let text = std::str::from_utf8(&digits).unwrap();
    desk.provider.line_generate_digits(handle, 1, LINEDIGITMODE_DTMF, Some(text), 0).unwrap();
    digits.fill(b'9');
    let telephone = desk.subscriber("200");
    eventually("the digits arrive", || telephone.digits_heard().ends_with("147"));
    assert_eq!(digits, *b"999");
}

#[test]
fn versions_and_device_ids_are_checked() {
    let desk = Desk::new();
    let provider = &desk.provider;
    let own = Desk::BASE + FXO;
    let newest = Version::NEWEST_SPOKEN.word();
    for device in [INITIALIZE_NEGOTIATION, own] {
        let version = provider.line_negotiate_tspi_version(device, 0x0001_0003, newest);
        assert_eq!(version, Ok(Version::NEWEST_SPOKEN));
        let version = provider.line_negotiate_tspi_version(device, 0x0001_0003, 0x0001_0004);
        assert_eq!(version, Err(LineError::INCOMPATIBLEAPIVERSION));
    }
    for device in [Desk::BASE - 1, Desk::BASE + 4, 0] {
        let version = provider.line_negotiate_tspi_version(device, 0, newest);
        assert_eq!(version, Err(LineError::NODEVICE), "{device}");
    }
    let tapi = ringback_tspi::types::HTAPILINE::new(1).unwrap();
    let old = provider.line_open(own, tapi, Version::V1_4);
    assert_eq!(old, Err(LineError::INCOMPATIBLEAPIVERSION));
    let mut memory = blank::<LINECALLINFO>(4096);
    let caps = provider.line_get_dev_caps(own, Version::V2_0, 1, &mut memory);
    assert_eq!(caps, Err(LineError::INCOMPATIBLEEXTVERSION));
    let caps = provider.line_get_address_caps(own, 1, Version::V2_0, 0, &mut memory);
    assert_eq!(caps, Err(LineError::INVALADDRESSID));
    let line = desk.open(FXO, 1);
    let twice = provider.line_open(own, tapi, Version::V3_1);
    assert_eq!(twice, Err(LineError::ALLOCATED));
    assert_eq!(provider.line_get_num_address_ids(line), Ok(1));
    // A version that was committed counts for the calls of the line, and no byte more is written.
    provider.line_close(line).unwrap();
    let line = provider.line_open(own, tapi, Version::V2_0).unwrap();
    let handle = desk.make_call(id(1), line, call(9), None);
    let _ = desk.completion(id(1));
    assert_eq!(provider.line_get_call_address_id(handle), Ok(0));
    let mut memory = [0xEE; 57];
    memory[..4].copy_from_slice(&56u32.to_le_bytes());
    provider.line_get_call_status(handle, &mut memory).unwrap();
    assert_eq!(memory[56], 0xEE);
    let mut small = [0; 55];
    small[0] = 55;
    let status = provider.line_get_call_status(handle, &mut small);
    assert_eq!(status, Err(LineError::STRUCTURETOOSMALL));
}
