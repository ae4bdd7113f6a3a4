//! Cards that fail: removed, without interrupts, with a clock that stands still.

use super::*;

#[test]
fn removal_in_the_middle_of_everything_ends_each_request_once_and_closes_the_lines() {
    let mut world = World::new();
    world.subscriber("55", Behaviour::AnswerAfterRings(2));
    let call = world.connect(LineNumber::at(FXO), "55");
    let dial = world.dial(call, "123456").unwrap();
    let (_, made) = world.make_call(LineNumber::at(SUPERVISED), "1");
    let made = made.unwrap();
    world.card.set_fault(Fault::Removal, true);
    world.run(500);
    let told = world.told();
    let completed: Vec<_> = told
        .iter()
        .filter_map(|told| match told {
            Told::Completed(id, result) => Some((*id, *result)),
            Told::Event(_) => None,
        })
        .collect();
    let gone = Err(LineError::NODEVICE);
    assert_eq!(completed.len(), 2);
    assert!(completed.contains(&(dial, gone)) && completed.contains(&(made, gone)));
    let closed = |told: &&Told| {
        matches!(
            told,
            Told::Event(Event::Line { subject: Subject::Line { message: LINE_CLOSE, .. }, .. })
        )
    };
    assert_eq!(told.iter().filter(closed).count(), 4, "D13: every line, after its requests");
    assert_eq!(world.make_call(LineNumber::at(FXO), "1").1, Err(LineError::NODEVICE));
}

#[test]
fn lost_interrupts_do_not_lose_a_call() {
    let mut world = World::new();
    world.subscriber("55", Behaviour::AnswerAfterRings(2));
    let (call, _) = world.make_call(LineNumber::at(FXO), "55");
    // No interrupt at all for a while: the timer looks after the card.
    for _ in 0..2000 {
        world.card.tick();
        world.stepper.advance(Duration::from_millis(1));
    }
    let dropped = world.drop_call(call).unwrap();
    world.run(100);
    assert!(world.told().contains(&Told::Completed(dropped, Ok(()))));
    world.assert_on_hook(LineNumber::at(FXO));
}

#[test]
fn a_card_whose_clock_stands_still_fails_requests_at_their_deadlines() {
    let mut world = World::new();
    let (call, made) = world.make_call(LineNumber::at(FXO), "1");
    let made = made.unwrap();
    // Neither ticks nor interrupts, but the registers answer.
    world.stepper.advance(Duration::from_secs(30));
    let told = world.told();
    let results: Vec<_> =
        told.iter().filter(|told| matches!(told, Told::Completed(id, _) if *id == made)).collect();
    assert_eq!(results.len(), 1, "{told:?}");
    assert!(matches!(results[0], Told::Completed(_, result) if result.is_err()));
    assert_eq!(world.state(call), None);
}

/// Whether each line can be called, by its report.
fn in_service(world: &World) -> [bool; 4] {
    [0, 1, 2, 3].map(|line| world.report(LineNumber::at(line)).in_service)
}

#[test]
fn after_a_reset_of_the_card_calls_are_over_in_order_and_its_lines_in_service() {
    for kernel in [false, true] {
        let mut world = World::start(kernel);
        world.subscriber("55", Behaviour::AnswerAfterRings(2));
        let connected = world.connect(LineNumber::at(FXO), "55");
        let dial = world.dial(connected, "123456").unwrap();
        let (_, made) = world.make_call(LineNumber::at(SUPERVISED), "1");
        let (rung, rings) = world.make_call(LineNumber::at(FXS), "");
        world.run(300);
        assert_eq!(in_service(&world), [true; 4]);
        world.story();
        world.card.set_fault(Fault::Reset, true);
        world.run(200);
        assert_eq!(in_service(&world), [false; 4]);
        let told = world.told();
        let failed = Err(LineError::OPERATIONFAILED);
        assert!(told.contains(&Told::Completed(dial, failed)), "{told:?}");
        assert!(told.contains(&Told::Completed(made.unwrap(), failed)), "{told:?}");
        assert!(rings.is_ok());
        for call in [connected, rung] {
            assert_eq!(world.state(call), Some(CallState::Disconnected), "kernel {kernel}");
        }
        for call in [connected, rung] {
            let dropped = world.drop_call(call).unwrap();
            world.run(50);
            assert!(world.told().contains(&Told::Completed(dropped, Ok(()))));
        }
        world.run(2000);
        assert_eq!(in_service(&world), [true; 4], "kernel {kernel}");
        // Both kinds of lines work again.
        world.card.set_fault(Fault::Reset, false);
        let again = world.connect(LineNumber::at(FXO), "55");
        world.drop_call(again).unwrap();
        let (_, rings) = world.make_call(LineNumber::at(FXS), "");
        rings.unwrap();
        world.run(500);
        assert!(world.telephone(FXS).is_ringing());
    }
}

#[test]
fn misread_registers_do_not_disturb_a_call() {
    let mut world = World::new();
    world.subscriber("55", Behaviour::AnswerAfterRings(2));
    let call = world.connect(LineNumber::at(FXO), "55");
    world.story();
    for fault in [Fault::StuckSpiLow, Fault::StuckSpi] {
        for slot in [FXS, FXO, SUPERVISED].map(PortNumber::at) {
            for _ in 0..5 {
                world.card.set_fault(fault(slot), true);
                world.run(4);
                world.card.set_fault(fault(slot), false);
                world.run(53);
            }
        }
    }
    assert_eq!(world.story(), [""; 0]);
    assert_eq!(world.state(call), Some(CallState::Connected));
    let restored = world.handle.with(|lines, _| lines.card().counters().restored).unwrap();
    assert_eq!(restored, 0);
}
