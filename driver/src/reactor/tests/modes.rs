//! What only the virtual clock, or only a reaper on the application's own thread, does.

use super::*;
use crate::request::LineNumber;

#[test]
fn the_stepper_keeps_deadlines_and_order_under_a_virtual_clock() {
    let (ear, heard) = ear(|_| ());
    let mut stepper = Stepper::new(Puppet::default(), ear, 8).unwrap();
    let handle = stepper.handle();
    let late = handle.submit(LineNumber(0), Ask::Wait(Duration::from_secs(3600))).unwrap().id();
    let soon = handle.submit(LineNumber(0), Ask::Wait(Duration::from_millis(1))).unwrap().id();
    stepper.advance(Duration::from_micros(999));
    assert!(heard.try_recv().is_err());
    stepper.advance(Duration::from_micros(1));
    assert_eq!(next(&heard), Heard::Completed(soon, -1));
    stepper.interrupt();
    assert_eq!(next(&heard), Heard::Event(1, 3));
    stepper.advance(Duration::from_secs(3599));
    assert!(heard.try_recv().is_err());
    stepper.advance(Duration::from_secs(1));
    assert_eq!(next(&heard), Heard::Completed(late, -1));
    assert_eq!(stepper.now(), Time::from_nanos(3_600_001_000_000));
    assert_eq!(handle.settle(LineNumber(0)), Settled::Delivered);
    stepper.stop();
    assert_eq!(handle.with(|_, _| ()), Err(Refused::Closed));
}

#[test]
fn the_stepper_arms_what_runs_longer_than_a_look_and_disarms_what_has_ended() {
    let (ear, heard) = ear(|_| ());
    let mut stepper = Stepper::new(Puppet::default(), ear, 8).unwrap();
    let handle = stepper.handle();
    let submit = |ask| {
        let ticket = handle.submit(LineNumber(0), ask).unwrap();
        (ticket.id(), ticket.token())
    };
    stepper.deliver();
    let (_, long) = submit(FOR_EVER);
    let (cancelled, done) = submit(FOR_EVER);
    stepper.deliver();
    assert_eq!(stepper.armed(), [], "it may end before it needs a timer");
    handle.cancel(done);
    stepper.advance(LOOK_INTERVAL);
    assert_eq!(stepper.armed(), [long]);
    // A deadline before the next look is armed at once, and all others with it.
    let (_, longer) = submit(FOR_EVER);
    let (soon, _) = submit(Ask::Wait(Duration::from_millis(10)));
    stepper.deliver();
    assert_eq!(stepper.armed().len(), 3);
    stepper.advance(Duration::from_millis(10));
    assert_eq!(next(&heard), Heard::Completed(cancelled, -2));
    assert_eq!(next(&heard), Heard::Completed(soon, -1));
    handle.cancel(long);
    stepper.deliver();
    assert_eq!(stepper.armed(), [longer]);
}

#[test]
fn local_delivers_only_where_it_is_run() {
    let (ear, heard) = ear(|_| ());
    let options = Options { capacity: 8, ..Options::default() };
    let mut local = Local::new(Puppet::default(), None, ear, &options).unwrap();
    let handle = local.handle();
    assert_eq!(local.run_once(Time::ZERO), 0);
    let id = handle.submit(LineNumber(0), Ask::Now(0)).unwrap().id();
    assert_eq!(
        handle.settle(LineNumber(0)),
        Settled::AfterThisUpcall,
        "this thread would wait for itself"
    );
    assert!(heard.try_recv().is_err());
    assert_eq!(local.run_once(Time::ZERO), 1);
    assert_eq!(heard.try_recv().unwrap(), (Heard::Completed(id, 0), thread::current().id()));
    assert_eq!(local.run_once(handle.now() + Duration::from_millis(5)), 0);

    // The request of another thread ends a sleep without a limit.
    let other = thread::spawn(move || handle.submit(LineNumber(1), Ask::Now(-3)).unwrap().id());
    assert_eq!(local.run_once(Time::NEVER), 1);
    assert_eq!(next(&heard), Heard::Completed(other.join().unwrap(), -3));
    let handle = local.handle();
    let running = handle.submit(LineNumber(0), FOR_EVER).unwrap().id();
    local.shutdown();
    assert_eq!(next(&heard), Heard::Completed(running, -3));
    assert_eq!(heard.try_recv(), Err(TryRecvError::Disconnected));
}
