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
