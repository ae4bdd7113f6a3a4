//! What a line stores and reports: accepted and missed calls, what applications attach, which media
//! modes are wanted, states of the line and its address.

use super::*;

#[test]
fn a_missed_call_goes_to_idle_by_itself_and_the_next_caller_is_announced() {
    let mut world = World::new();
    let caller = world.subscriber("11", Behaviour::Manual);
    for accepted in [false, true] {
        caller.call("102");
        let call = world.offered(15_000);
        if accepted {
            world.ask(Command::Accept { call }).unwrap();
        }
        caller.on_hook();
        world.until(call, CallState::Idle, 10_000);
        let mut wanted = vec!["NEWCALL", "OFFERING 0x1", "DISCONNECTED 0x1", "IDLE 0x0"];
        if accepted {
            wanted.splice(2..2, ["ACCEPTED 0x0", "ok"]);
        }
        assert_eq!(world.story(), wanted);
        assert_eq!(world.ask(Command::Accept { call }), Err(LineError::INVALCALLSTATE), "O3");
    }
    // The call of a telephone is not accepted.
    let telephone = world.telephone(FXS);
    for _ in 0..2 {
        telephone.off_hook();
        world.run(300);
        telephone.dial("5#");
        let call = world.offered(8000);
        telephone.on_hook();
        world.until(call, CallState::Idle, HUNG_UP);
        let story = world.story();
        assert_eq!(story, ["NEWCALL", "OFFERING 0x1", "DISCONNECTED 0x1", "IDLE 0x0"]);
    }
    world.make_call(LineNumber::at(FXO), "11").1.unwrap();
}

#[test]
fn an_accepted_call_is_answered_and_cannot_be_accepted_twice() {
    let mut world = World::new();
    world.subscriber("11", Behaviour::Manual).call("102");
    let call = world.offered(15_000);
    world.ask(Command::Accept { call }).unwrap();
    assert_eq!(world.ask(Command::Accept { call }), Err(LineError::INVALCALLSTATE));
    world.answer(call).unwrap();
    world.until(call, CallState::Connected, 1000);
    let wanted = ["NEWCALL", "OFFERING 0x1", "ACCEPTED 0x0", "ok", "CONNECTED 0x1", "ok"];
    assert_eq!(world.story(), wanted);
}

#[test]
fn a_call_is_offered_only_if_its_media_mode_is_wanted() {
    let mut world = World::new();
    let caller = world.subscriber("11", Behaviour::Manual);
    world.want(LineNumber::at(FXO), 0);
    world.subscribe(LineNumber::at(FXO));
    caller.call("102");
    world.run(7000);
    let ring = |count| format!("line {LINE_LINEDEVSTATE} [{LINEDEVSTATE_RINGING}, 1, {count}]");
    assert_eq!(world.story(), [ring(0), ring(1)], "a monitor is informed of the ring");
    assert_eq!(
        world.make_call(LineNumber::at(FXO), "11").1,
        Err(LineError::INUSE),
        "as it is not offered"
    );
    // Its media mode becomes wanted while it rings.
    world.want(LineNumber::at(FXO), LINEMEDIAMODE_AUTOMATEDVOICE);
    let call = world.offered(7000);
    assert_eq!(world.info(call).media, LINEMEDIAMODE_AUTOMATEDVOICE);
    caller.on_hook();
    world.until(call, CallState::Idle, 10_000);
    world.story();
    world.want(LineNumber::at(FXO), LINEMEDIAMODE_UNKNOWN | LINEMEDIAMODE_AUTOMATEDVOICE);
    caller.call("102");
    let call = world.offered(15_000);
    assert_eq!(world.info(call).media, LINEMEDIAMODE_INTERACTIVEVOICE);

    let telephone = world.telephone(FXS);
    world.want(LineNumber::at(FXS), 0);
    world.story();
    telephone.off_hook();
    world.run(300);
    telephone.dial("5#");
    world.run(4000);
    assert!(!world.story().iter().any(|told| told == "NEWCALL"), "no call is announced");
}

#[test]
fn what_is_attached_to_a_call_is_kept_and_reported_o4() {
    let mut world = World::new();
    let call = world.seize(LineNumber::at(FXO));
    let set = |world: &World, number: u32| {
        let set = world.handle.with(move |lines, cx| {
            let book = lines.book(LineNumber::at(FXO)).unwrap();
            book.set_app_specific(cx, call, number)?;
            book.set_media_mode(cx, call, LINEMEDIAMODE_AUTOMATEDVOICE)
        });
        set.unwrap()
    };
    assert_eq!(set(&world, 7), Ok(()));
    assert_eq!(set(&world, 7), Ok(()));
    let told = |state| format!("call {LINE_CALLINFO} [{state}, 0, 0]");
    let changes = [told(LINECALLINFOSTATE_APPSPECIFIC), told(LINECALLINFOSTATE_MEDIAMODE)];
    assert_eq!(world.story(), changes, "what has not changed is not reported again");
    world.ask(Command::SetCallData { call, data: b"note".to_vec() }).unwrap();
    assert_eq!(world.story(), [told(LINECALLINFOSTATE_CALLDATA), "ok".into()]);
    let timing = DialTiming { digit_ms: 200, ..DialTiming::default() };
    world.ask(Command::SetCallParams { call, timing: Some(timing) }).unwrap();
    world.ask(Command::SetCallParams { call, timing: None }).unwrap();
    assert_eq!(world.story(), [told(LINECALLINFOSTATE_DIALPARAMS), "ok".into(), "ok".into()]);
    let kept = world.info(call);
    assert_eq!((kept.app_specific, kept.notes.data.as_slice()), (7, &b"note"[..]));
    assert_eq!((kept.media, kept.timing), (LINEMEDIAMODE_AUTOMATEDVOICE, timing));

    world.drop_call(call).unwrap();
    world.story();
    assert_eq!(set(&world, 8), Ok(()), "legal in every state");
    assert_eq!(world.info(call).app_specific, 8);
    assert!(world.story().is_empty(), "O4: nothing is emitted after IDLE");
    let late = Command::SetCallData { call, data: Vec::new() };
    assert_eq!(world.ask(late), Err(LineError::INVALCALLSTATE));
    let never = HDRVCALL::new(call.raw() + (1 << 20)).unwrap();
    let set = world.handle.with(move |lines, cx| {
        lines.book(LineNumber::at(FXO)).unwrap().set_app_specific(cx, never, 1)
    });
    assert_eq!(set.unwrap(), Err(LineError::INVALCALLHANDLE));
}

#[test]
fn n4_a_call_that_is_being_made_has_no_events() {
    let mut world = World::new();
    let (call, _) = world.make_call(LineNumber::at(FXO), "5");
    let set = world.handle.with(move |lines, cx| {
        lines.book(LineNumber::at(FXO)).unwrap().set_app_specific(cx, call, 7)
    });
    assert_eq!(set.unwrap(), Ok(()));
    assert!(world.story().is_empty());
    assert_eq!(world.info(call).app_specific, 7);
}

#[test]
fn parameters_that_are_set_are_those_of_what_is_dialled_later() {
    let mut world = World::new();
    let (call, _) = world.make_call(LineNumber::at(FXO), "");
    world.until(call, CallState::DialTone, 3000);
    let dial = |world: &mut World| {
        let before = world.card.now_ms();
        world.dial(call, "1;").unwrap();
        world.story();
        while !world.story().iter().any(|told| told == "ok") {
            world.run(1);
        }
        world.card.now_ms() - before
    };
    assert!((155..=175).contains(&dial(&mut world)), "80 ms and 80 ms");
    let timing = DialTiming { digit_ms: 400, gap_ms: 600, ..DialTiming::default() };
    world.ask(Command::SetCallParams { call, timing: Some(timing) }).unwrap();
    assert!((995..=1015).contains(&dial(&mut world)));
}

#[test]
fn the_line_reports_rings_calls_and_service_if_they_are_enabled() {
    let mut world = World::new();
    let caller = world.subscriber("11", Behaviour::Manual);
    world.subscribe(LineNumber::at(FXO));
    caller.call("102");
    let call = world.offered(15_000);
    world.run(6000);
    let line = |state, mode, count| format!("line {LINE_LINEDEVSTATE} [{state}, {mode}, {count}]");
    let address = |in_use| {
        let states = LINEADDRESSSTATE_NUMCALLS | in_use;
        format!("line {LINE_ADDRESSSTATE} [0, {states}, 0]")
    };
    let wanted = [
        "NEWCALL".into(),
        "OFFERING 0x1".into(),
        line(LINEDEVSTATE_NUMCALLS, 0, 0),
        address(LINEADDRESSSTATE_INUSEONE),
        line(LINEDEVSTATE_RINGING, 1, 0),
        line(LINEDEVSTATE_RINGING, 1, 1),
    ];
    assert_eq!(world.story(), wanted);
    let report = |world: &World| world.report(LineNumber::at(FXO));
    assert_eq!((report(&world).ring_mode, report(&world).takes_call), (1, false));
    caller.on_hook();
    world.until(call, CallState::Idle, 10_000);
    let gone = [line(LINEDEVSTATE_NUMCALLS, 0, 0), address(LINEADDRESSSTATE_INUSEZERO)];
    assert_eq!(world.story()[2..], gone);
    assert_eq!((report(&world).ring_mode, report(&world).takes_call), (0, true));

    world.card.exchange().unplug("102").unwrap();
    world.run(2000);
    world.card.exchange().plug_in("102").unwrap();
    world.run(2000);
    let service = [line(LINEDEVSTATE_OUTOFSERVICE, 0, 0), line(LINEDEVSTATE_INSERVICE, 0, 0)];
    assert_eq!(world.story(), service);
    // No status messages are on any more, as after opening.
    world.set_status_messages(LineNumber::at(FXO), 0, 0);
    caller.call("102");
    world.offered(15_000);
    world.run(6000);
    assert_eq!(world.story(), ["NEWCALL", "OFFERING 0x1"], "the count of rings begins anew");
}

#[test]
fn a_call_that_is_being_made_is_not_counted_and_one_that_is_closed_no_more_n4_d5() {
    let mut world = World::new();
    world.subscribe(LineNumber::at(FXO));
    let (call, _) = world.make_call(LineNumber::at(FXO), "");
    world.run(50);
    assert!(world.story().is_empty(), "N4");
    world.until(call, CallState::DialTone, 3000);
    let story = world.story();
    assert_eq!(story[..2], ["ok", "DIALTONE 0x1"]);
    assert_eq!(story.len(), 4, "the line's and the address's number of calls: {story:?}");
    world.close_call(call).unwrap();
    let story = world.story();
    assert!(story.len() == 2 && story.iter().all(|told| told.starts_with("line ")), "{story:?}");
    world.run(1000);
    world.seize(LineNumber::at(FXO));
    world.close(LineNumber::at(FXO));
    assert!(world.story().is_empty(), "D4: a line does not report its own closing");
}

#[test]
fn busy_that_lasts_ends_as_busy() {
    let mut world = World::new();
    let busy = world.subscriber("11", Behaviour::Manual);
    busy.off_hook();
    let (call, _) = world.make_call(LineNumber::at(FXO), "11");
    world.until(call, CallState::Busy, 20_000);
    world.until(call, CallState::Disconnected, 70_000);
    assert_eq!(
        world.story().last().unwrap(),
        &format!("DISCONNECTED {LINEDISCONNECTMODE_BUSY:#x}")
    );
}
