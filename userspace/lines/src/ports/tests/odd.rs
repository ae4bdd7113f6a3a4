//! Sequences of events in which the simulation has found bugs, each as a test of its own.

use super::*;
use ringback_driver::PortNumber;

impl World {
    fn is_given_up(&self, line: LineNumber) -> bool {
        self.handle
            .with(move |lines, _| lines.card().status(PortNumber::at(line.index())))
            .unwrap()
            .is_none()
    }

    /// Keeps a fault until the module is given up; the time it took, in ms.
    fn give_up(&mut self, fault: Fault, line: LineNumber) -> u64 {
        self.card.set_fault(fault, true);
        let ms = (1..40_000).find(|_| {
            self.run(1);
            self.is_given_up(line)
        });
        ms.expect("a module that does not answer is given up")
    }
}

#[test]
fn a_busy_telephone_that_dials_does_not_make_a_second_call() {
    let mut world = World::new();
    let telephone = world.telephone(FXS);
    telephone.off_hook();
    world.run(500);
    let (busy, _) = world.make_call(LineNumber::at(FXS), "");
    telephone.dial("98#");
    world.run(3000);
    assert_eq!(world.story(), ["ok", "BUSY 0x1"], "one call a line");
    world.drop_call(busy).unwrap();
    telephone.on_hook();
    world.run(HUNG_UP);
    telephone.call("98#");
    world.offered(3000);
}

#[test]
fn a_telephone_hung_up_right_after_the_answer_ends_the_call() {
    let mut world = World::new();
    let telephone = world.telephone(FXS);
    let (call, _) = world.make_call(LineNumber::at(FXS), "");
    world.run(500);
    telephone.off_hook();
    world.until(call, CallState::Connected, 500);
    telephone.on_hook();
    world.until(call, CallState::Disconnected, HUNG_UP);
}

#[test]
fn a_line_whose_module_is_given_up_refuses_calls() {
    for line in [FXS, FXO] {
        let mut world = World::new();
        world.give_up(Fault::StuckSpi(PortNumber::at(line)), LineNumber::at(line));
        assert_eq!(world.make_call(LineNumber::at(line), "").1, Err(LineError::INVALLINESTATE));
        let state = world.report(LineNumber::at(line));
        assert!(!state.in_service);
    }
}

#[test]
fn n8_a_call_whose_making_fails_with_its_module_leaves_nothing_behind() {
    let ms = World::new().give_up(Fault::StuckSpi(PortNumber::at(FXO)), LineNumber::at(FXO));
    let mut world = World::new();
    world.card.set_fault(Fault::StuckSpi(PortNumber::at(FXO)), true);
    world.run(ms - 100);
    world.make_call(LineNumber::at(FXO), "5").1.unwrap();
    world.run(150);
    assert!(world.is_given_up(LineNumber::at(FXO)));
    assert_eq!(world.story(), ["LINEERR_OPERATIONFAILED"]);
    let state = world.report(LineNumber::at(FXO));
    assert_eq!(state.call, None);
}

#[test]
fn what_one_call_had_left_to_dial_the_next_does_not_dial() {
    let mut world = World::new();
    let caller = world.subscriber("11", Behaviour::Manual);
    let (call, _) = world.make_call(LineNumber::at(FXO), "");
    world.until(call, CallState::DialTone, 3000);
    world.dial(call, "1234567890").unwrap();
    world.run(300);
    world.drop_call(call).unwrap();
    world.run(2000);
    world.told();
    caller.call("102");
    let call = world.offered(15_000);
    world.answer(call).unwrap();
    world.until(call, CallState::Connected, 1000);
    world.dial(call, "42").unwrap();
    world.run(3000);
    assert_eq!(caller.digits_heard(), "42");
}

#[test]
fn a_cancelled_flash_closes_the_loop_again() {
    let mut world = World::new();
    world.subscriber("55", Behaviour::AnswerAfterRings(2));
    let call = world.connect(LineNumber::at(FXO), "55");
    let address = parse("!123", Modifiers::default()).unwrap();
    let ticket = world.handle.submit(LineNumber::at(FXO), Command::Dial { call, address }).unwrap();
    let token = ticket.token();
    drop(ticket);
    world.run(100);
    assert_eq!(world.hook(LineNumber::at(FXO)), Hook::On, "in the middle of the flash");
    assert!(world.handle.cancel(token));
    world.run(20);
    assert_eq!(world.hook(LineNumber::at(FXO)), Hook::Off);
    assert_eq!(world.state(call), Some(CallState::Connected));
}

#[test]
fn a_card_whose_interrupt_fails_leaves_no_line_off_hook() {
    let mut world = World::new();
    world.subscriber("55", Behaviour::AnswerAfterRings(2));
    world.connect(LineNumber::at(FXO), "55");
    let telephone = world.telephone(FXS);
    world.make_call(LineNumber::at(FXS), "").1.unwrap();
    world.run(500);
    assert!(telephone.is_ringing());
    world.stepper.gone();
    for _ in 0..1500 {
        world.card.tick();
    }
    assert_eq!(world.card.exchange().state("102"), Some(ringback_softcard::LineState::Idle));
    assert!(!telephone.is_ringing());
}

#[test]
fn a_line_that_is_unplugged_while_it_rings_is_not_connected() {
    for unplugged_before in [1000, 10] {
        let mut world = World::new();
        world.subscriber("11", Behaviour::Manual).call("102");
        let call = world.offered(15_000);
        world.story();
        world.card.set_fault(Fault::LineUnplugged(PortNumber::at(FXO)), true);
        world.run(unplugged_before);
        world.answer(call).unwrap();
        world.run(500);
        assert_eq!(world.story(), ["LINEERR_OPERATIONFAILED", "DISCONNECTED 0x1"]);
        world.drop_call(call).unwrap();
        world.assert_on_hook(LineNumber::at(FXO));
    }
}

#[test]
fn a_line_that_is_unplugged_while_it_is_seized_makes_no_call() {
    let mut world = World::new();
    world.make_call(LineNumber::at(FXO), "5").1.unwrap();
    world.run(30);
    world.card.set_fault(Fault::LineUnplugged(PortNumber::at(FXO)), true);
    world.run(8000);
    assert_eq!(world.story(), ["LINEERR_INVALLINESTATE"]);
    let state = world.report(LineNumber::at(FXO));
    assert_eq!(state.call, None);
    world.assert_on_hook(LineNumber::at(FXO));
}

#[test]
fn d2_a_call_for_an_earlier_opening_is_refused_on_a_later_one() {
    let mut world = World::new();
    let opening = world.report(LineNumber::at(FXO)).opening.unwrap();
    // Between the look at the handle and the request another thread closes the line and opens it.
    world.close(LineNumber::at(FXO));
    let later = world.open(LineNumber::at(FXO));
    assert_ne!(opening, later);
    let (_, made) = world.make_call_in(opening, LineNumber::at(FXO), "", false);
    assert_eq!(made, Err(LineError::INVALLINEHANDLE));
    world.run(500);
    assert!(world.story().is_empty(), "nothing has happened on the line");
    world.make_call_in(later, LineNumber::at(FXO), "", false).1.unwrap();
    // Samples played by a handle of an earlier opening do not reach the later one.
    let kept = world.audio(LineNumber::at(FXO));
    world.close(LineNumber::at(FXO));
    world.open(LineNumber::at(FXO));
    kept.play(&[1; 8]);
    assert_eq!(world.audio(LineNumber::at(FXO)).queued(), 0);
}
