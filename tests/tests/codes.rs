//! What a line offers because its exchange has codes for it: it is announced, offered and accepted
//! with a profile, and neither without one; and TAPI is told when that changes.

use ringback_country::Profile;
use ringback_softcard::scenery::tone;
use ringback_softcard::{Behaviour, Step};
use ringback_tests::{FXO, Solo, Told, id, member_of};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::error::LineError;
use ringback_tspi::late::{LateOutput, OwnedMemory};
use ringback_tspi::provider::LineMessage;
use ringback_tspi::structs::{
    LINEADDRESSCAPS, LINEADDRESSSTATUS, LINEDEVCAPS, LINEDEVSTATUS, Reader,
};
use ringback_tspi::types::{HTAPICALL, Version};

const V: Version = Version::V3_1;

fn tapi(number: usize) -> HTAPICALL {
    HTAPICALL::new(number).unwrap()
}

/// What is announced: the features of the address and of the line, and the kinds of forwarding, of
/// parking and of completing calls.
fn announced(solo: &Solo) -> [u32; 5] {
    type A = LINEADDRESSCAPS;
    let device = Solo::BASE + FXO;
    let of_address = |member: fn(&Reader<'_, A>) -> u32| {
        member_of::<A>(|to| solo.provider.line_get_address_caps(device, 0, V, 0, to), member)
    };
    [
        of_address(|caps| caps.get(A::dwAddressFeatures)),
        member_of::<LINEDEVCAPS>(
            |to| solo.provider.line_get_dev_caps(device, V, 0, to),
            |caps| caps.get(LINEDEVCAPS::dwLineFeatures),
        ),
        of_address(|caps| caps.get(A::dwForwardModes)),
        of_address(|caps| caps.get(A::dwParkModes)),
        of_address(|caps| caps.get(A::dwCallCompletionModes)),
    ]
}

/// What is offered now: the features of the address and of the line.
fn offered(solo: &Solo) -> [u32; 2] {
    let line = solo.line(FXO);
    [
        member_of::<LINEADDRESSSTATUS>(
            |to| solo.provider.line_get_address_status(line, 0, to),
            |status| status.get(LINEADDRESSSTATUS::dwAddressFeatures),
        ),
        member_of::<LINEDEVSTATUS>(
            |to| solo.provider.line_get_line_dev_status(line, to),
            |status| status.get(LINEDEVSTATUS::dwLineFeatures),
        ),
    ]
}

/// The messages of the line so far with this number, by their first two parameters.
fn messages(solo: &Solo, of: u32) -> Vec<[usize; 2]> {
    let told = solo.told().into_iter().filter_map(|told| match told {
        Told::Event(LineMessage { message, params: [first, second, _], .. }) if message == of => {
            Some([first, second])
        }
        _ => None,
    });
    told.collect()
}

fn completed(solo: &Solo, request: u32) -> Result<(), LineError> {
    for _ in 0..120 {
        if let Some(result) = solo.completion(id(request)) {
            return result;
        }
        solo.run(1000);
    }
    panic!("request {request} never completes");
}

/// A LINEFORWARDLIST with one entry.
fn forward_list(mode: u32, number: &str) -> Vec<u8> {
    let text: Vec<u8> = number.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    let size = u32::try_from(text.len()).unwrap();
    let words = [40 + size, 1, mode, 0, 0, 0, size, 40, 0, 0];
    words.iter().flat_map(|word| word.to_le_bytes()).chain(text).collect()
}

#[test]
fn codes_are_announced_and_offered_with_a_profile_and_only_where_it_has_them() {
    let without = Solo::new();
    assert_eq!(
        announced(&without),
        [LINEADDRFEATURE_MAKECALL, LINEFEATURE_MAKECALL | LINEFEATURE_SETDEVSTATUS, 0, 0, 0]
    );
    let refused =
        without.provider.line_forward(id(1), without.line(FXO), 0, 0, None, 3, None, None);
    assert_eq!(refused.map(drop), Err(LineError::OPERATIONUNAVAIL));
    for profile in Profile::ALL {
        let solo = Solo::with_profile(profile);
        let [address, line, forward, park, complete] = announced(&solo);
        let any = profile.codes.pick_up_any.is_some();
        let services = LINEADDRFEATURE_FORWARD
            | LINEADDRFEATURE_FORWARDFWD
            | LINEADDRFEATURE_UNPARK
            | LINEADDRFEATURE_PICKUP
            | LINEADDRFEATURE_PICKUPDIRECT
            | if any { LINEADDRFEATURE_PICKUPGROUP } else { 0 };
        let uncomplete = LINEADDRFEATURE_UNCOMPLETECALL;
        assert_eq!(address, LINEADDRFEATURE_MAKECALL | services | uncomplete);
        let kinds = LINEFORWARDMODE_UNCOND
            | LINEFORWARDMODE_BUSY
            | LINEFORWARDMODE_NOANSW
            | LINEFORWARDMODE_BUSYNA;
        let modes = [kinds, LINEPARKMODE_DIRECTED, LINECALLCOMPLMODE_CALLBACK];
        assert_eq!([forward, park, complete], modes);
        // F1: nothing waits to be called back yet, and during a call nothing else is offered.
        assert_eq!(offered(&solo), [LINEADDRFEATURE_MAKECALL | services, line]);
        solo.make_call(id(2), solo.line(FXO), tapi(9), Some(""));
        solo.until(tapi(9), CallState::DialTone);
        assert_eq!(offered(&solo), [0, LINEFEATURE_SETDEVSTATUS]);
        let asked = solo.provider.line_forward(id(3), solo.line(FXO), 0, 0, None, 3, None, None);
        assert_eq!(asked.map(drop), Err(LineError::RESOURCEUNAVAIL));
    }
}

#[test]
fn a_line_is_forwarded_and_tells_so_n12() {
    for profile in Profile::ALL {
        let solo = Solo::with_profile(profile);
        let line = solo.line(FXO);
        solo.provider.line_set_status_messages(line, 0, LINEADDRESSSTATE.mask()).unwrap();
        let forward = |request, list: Option<&[u8]>| {
            let provider = &solo.provider;
            let asked = provider.line_forward(id(request), line, 0, 0, list, 3, None, None);
            let (consult, ticket) = asked.unwrap();
            assert_eq!(consult, None, "N2: no consultation call is made");
            ticket.release();
            completed(&solo, request)
        };
        let list = forward_list(LINEFORWARDMODE_UNCOND, "200");
        assert_eq!(forward(1, Some(&list)), Ok(()));
        solo.run(3000);
        let changed = [0, LINEADDRESSSTATE_FORWARD as usize];
        assert_eq!(messages(&solo, LINE_ADDRESSSTATE), [changed]);
        let caller = solo.exchange().subscriber("201").unwrap();
        caller.call("102");
        solo.run(8000);
        let state = solo.exchange().state("200");
        assert_ne!(state, Some(ringback_softcard::LineState::Idle), "its calls go there");
        caller.on_hook();
        solo.run(3000);
        assert_eq!(forward(2, None), Ok(()));
        let wrong = forward_list(LINEFORWARDMODE_UNCOND, "999");
        assert_eq!(forward(3, Some(&wrong)), Err(LineError::OPERATIONFAILED));
    }
}

#[test]
fn a_call_back_is_asked_for_and_cancelled_by_its_id_c13() {
    for profile in Profile::ALL {
        let solo = Solo::with_profile(profile);
        let line = solo.line(FXO);
        solo.exchange().subscriber("201").unwrap().off_hook();
        let call = solo.make_call(id(1), line, tapi(9), Some("201"));
        solo.until(tapi(9), CallState::Busy);
        let memory = OwnedMemory::new(vec![0; 4]);
        let later = LateOutput::new(memory.clone());
        let complete = |mode| solo.provider.line_complete_call(id(2), call, &later, mode, 0);
        let refused = complete(LINECALLCOMPLMODE_CAMPON).map(drop);
        assert_eq!(refused, Err(LineError::INVALCALLCOMPLMODE));
        complete(LINECALLCOMPLMODE_CALLBACK).unwrap().release();
        assert_eq!(completed(&solo, 2), Ok(()), "{}", profile.name);
        let completion = u32::from_le_bytes(memory.bytes().try_into().unwrap());
        assert_ne!(completion, 0);
        solo.provider.line_drop(id(3), call, &[]).unwrap().release();
        solo.run(3000);
        assert_ne!(offered(&solo)[0] & LINEADDRFEATURE_UNCOMPLETECALL, 0);
        let cancel = |request, number| {
            solo.provider.line_uncomplete_call(id(request), line, number).map(|t| t.release())
        };
        assert_eq!(cancel(4, completion + 1), Err(LineError::INVALCOMPLETIONID));
        assert_eq!(cancel(5, completion), Ok(()));
        assert_eq!(completed(&solo, 5), Ok(()));
        assert_eq!(offered(&solo)[0] & LINEADDRFEATURE_UNCOMPLETECALL, 0);
    }
}

#[test]
fn a_call_is_parked_and_fetched_again_n1_n3() {
    for profile in Profile::ALL {
        let solo = Solo::with_profile(profile);
        let line = solo.line(FXO);
        let steps = vec![Step::Play(tone(700.0, 1500).into())];
        solo.exchange().add_subscriber("78", Behaviour::AnswerThen { rings: 1, steps });
        let call = solo.make_call(id(1), line, tapi(9), Some("78"));
        solo.until(tapi(9), CallState::Connected);
        solo.run(2000);
        let park = |mode, place| solo.provider.line_park(id(2), call, mode, place, None);
        let undirected = park(LINEPARKMODE_NONDIRECTED, Some("7")).map(drop);
        assert_eq!(undirected, Err(LineError::INVALPARKMODE), "the exchange does not tell where");
        for wrong in [None, Some(""), Some("7,7"), Some("x")] {
            let refused = park(LINEPARKMODE_DIRECTED, wrong).map(drop);
            assert_eq!(refused, Err(LineError::INVALADDRESS), "{wrong:?}");
        }
        park(LINEPARKMODE_DIRECTED, Some("7")).unwrap().release();
        assert_eq!(completed(&solo, 2), Ok(()), "{}", profile.name);
        solo.until(tapi(9), CallState::Idle);
        solo.run(2000);
        let (_, ticket) = solo.provider.line_unpark(id(3), line, 0, tapi(10), "7").unwrap();
        ticket.release();
        assert_eq!(completed(&solo, 3), Ok(()), "{}", profile.name);
        solo.until(tapi(10), CallState::Connected);
        let group = solo.provider.line_pickup(id(4), line, 0, tapi(11), Some("200"), Some("1"));
        assert_eq!(group.map(drop), Err(LineError::INVALGROUPID));
    }
}

#[test]
fn a_profile_that_changes_is_told_and_two_calls_are_many() {
    let profile = &Profile::EUROPEAN_PBX;
    let solo = Solo::new();
    let line = solo.line(FXO);
    let states = (LINEDEVSTATE.mask(), LINEADDRESSSTATE.mask());
    solo.provider.line_set_status_messages(line, states.0, states.1).unwrap();
    for _ in 0..2 {
        solo.set_profile(Solo::BASE + FXO, profile);
        solo.run(10);
        let changed = [[LINEDEVSTATE_CAPSCHANGE as usize, 0]];
        assert_eq!(messages(&solo, LINE_LINEDEVSTATE), changed, "only when it changes");
        let changed = [[0, LINEADDRESSSTATE_CAPSCHANGE as usize]];
        assert_eq!(messages(&solo, LINE_ADDRESSSTATE), changed);
    }
    drop(solo);

    let solo = Solo::with_profile(profile);
    let line = solo.line(FXO);
    let steps = vec![Step::Play(tone(700.0, 1500).into())];
    solo.exchange().add_subscriber("78", Behaviour::AnswerThen { rings: 1, steps });
    solo.provider.line_set_status_messages(line, 0, LINEADDRESSSTATE.mask()).unwrap();
    let call = solo.make_call(id(1), line, tapi(9), Some("78"));
    solo.until(tapi(9), CallState::Connected);
    solo.run(2000);
    let (consult, ticket) = solo.provider.line_setup_transfer(id(2), call, tapi(10), None).unwrap();
    ticket.release();
    solo.until(tapi(10), CallState::DialTone);
    solo.provider.line_drop(id(3), consult, &[]).unwrap().release();
    solo.until(tapi(9), CallState::Connected);
    let calls = LINEADDRESSSTATE_NUMCALLS as usize;
    let told: Vec<usize> =
        messages(&solo, LINE_ADDRESSSTATE).iter().map(|[_, states]| states & !calls).collect();
    let [one, many] = [LINEADDRESSSTATE_INUSEONE, LINEADDRESSSTATE_INUSEMANY];
    assert_eq!(told, [one as usize, many as usize, one as usize]);
}
