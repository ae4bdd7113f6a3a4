//! The card fails in the middle of everything.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use ringback_driver::PortNumber;
use ringback_host::{Call, CallOptions, Events, Line, LineEvent, Pending};
use ringback_softcard::Fault;
use ringback_tests::{
    DEADLINE, Desk, FXO, FXS, SUPERVISED, World, call, eventually, id, make, refusal,
};
use ringback_tspi::error::LineError;

/// Lines and calls with requests of every kind on their way.
struct Everything {
    lines: Vec<(Line, Events)>,
    made: Pending<Call>,
    dials: Vec<Pending<()>>,
    /// Dropping them would hang up.
    _calls: [Call; 2],
}

fn everything(world: &World) -> Everything {
    everything_for(world, 30_000, ",,,,,,,,,,1")
}

/// With a call that waits so long for a dial tone, and this to be dialled three times.
fn everything_for(world: &World, dial_tone_ms: u32, address: &str) -> Everything {
    let lines: Vec<_> = [FXS, FXO, SUPERVISED]
        .into_iter()
        .map(|device| {
            let line = world.open(device);
            let events = line.events();
            (line, events)
        })
        .collect();
    let (rung, _) = &lines[0];
    let rung = make(rung, "");
    let connected = world.connected(&lines[2].0, &lines[2].1);
    let made = world.stuck(&lines[1].0, dial_tone_ms);
    let dials = (0..3).map(|_| connected.dial(address).unwrap()).collect();
    Everything { lines, made, dials, _calls: [rung, connected] }
}

/// Waits for the end of each line; what came before it is put aside.
fn closed(events: &Events) {
    let last = events.within(DEADLINE).last();
    assert!(
        matches!(last, Some(LineEvent::Closed { .. })),
        "D13: LINE_CLOSE is the last: {last:?}"
    );
    assert!(events.is_over());
}

#[test]
fn r6_d13_a_card_that_is_pulled_fails_each_request_once_and_closes_its_lines() {
    let world = World::new();
    let Everything { lines, made, dials, _calls } = everything(&world);
    let (give, results) = mpsc::channel();
    let first = give.clone();
    made.on_complete(move |result| first.send(result.map(|_| ())).unwrap());
    for dial in dials {
        let give = give.clone();
        dial.on_complete(move |result| give.send(result).unwrap());
    }
    world.card.set_fault(Fault::Removal, true);
    for _ in 0..4 {
        assert_eq!(results.recv_timeout(DEADLINE).unwrap(), Err(LineError::NODEVICE));
    }
    for (line, events) in &lines {
        closed(events);
        assert!(line.is_closed());
        let refused = line.make_call("1", &CallOptions::default()).unwrap_err();
        assert_eq!(refused, LineError::INVALLINEHANDLE);
        line.close().unwrap();
    }
    assert_eq!(world.host.open(FXO).unwrap_err(), LineError::NODEVICE);
    assert_eq!(world.host.outstanding(), 0);
    drop(give);
    assert!(results.recv().is_err(), "once");
}

#[test]
fn d13_a_pulled_card_closes_its_lines_last_although_its_requests_are_not_waited_for() {
    let world = World::new();
    let Everything { lines, made, dials, _calls } = everything(&world);
    world.card.set_fault(Fault::Removal, true);
    for (_, events) in &lines {
        closed(events);
    }
    // Their requests came first.
    assert_eq!(made.wait(Duration::ZERO).unwrap_err(), LineError::NODEVICE.into());
    for dial in dials {
        assert_eq!(dial.wait(Duration::ZERO), Err(LineError::NODEVICE.into()));
    }
}

#[test]
fn lost_interrupts_lose_no_completion() {
    let world = World::new();
    let Everything { lines, made, dials, _calls } = everything_for(&world, 5000, ",");
    world.card.set_fault(Fault::LostInterrupts, true);
    // Each completes, with success or an error, within its deadline.
    assert_eq!(made.wait(DEADLINE).unwrap_err(), LineError::CALLUNAVAIL.into());
    for dial in dials {
        assert_ne!(dial.wait(DEADLINE), Err(ringback_host::WaitError::TimedOut));
    }
    for (line, _) in lines {
        line.close().unwrap();
    }
}

#[test]
fn a_card_that_stands_still_fails_each_request() {
    let world = World::new();
    let Everything { lines: _lines, made, dials, _calls } = everything(&world);
    world.stop_clock();
    assert_eq!(made.wait(DEADLINE).unwrap_err(), LineError::NODEVICE.into());
    for dial in dials {
        assert_eq!(dial.wait(DEADLINE), Err(LineError::NODEVICE.into()));
    }
}

#[test]
fn a_module_that_fails_for_good_ends_its_call_and_leaves_the_others() {
    let world = World::new();
    let Everything { lines, made, dials, _calls } = everything(&world);
    world.exchange().plug_in("102").unwrap();
    let other = made.wait(DEADLINE).unwrap();
    world.card.set_fault(Fault::NoIsoLink(PortNumber(3)), true);
    for dial in dials {
        assert_eq!(dial.wait(DEADLINE), Err(LineError::OPERATIONFAILED.into()));
    }
    eventually("its line is out of service", || {
        lines[2].0.status().is_ok_and(|status| !status.in_service)
    });
    let refused = refusal(lines[2].0.make_call("1", &CallOptions::default()));
    assert!(matches!(refused, LineError::INVALLINESTATE | LineError::CALLUNAVAIL), "{refused:?}");
    other.drop_call().unwrap().wait(DEADLINE).unwrap();
    assert!(lines[1].0.status().unwrap().in_service);
}

#[test]
fn c3_g8_many_threads_ask_at_once_and_the_card_is_pulled() {
    let desk = Arc::new(Desk::new());
    let lines: Vec<_> = (0..4).map(|line| desk.open(line, line as usize + 1)).collect();
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let (desk, line) = (Arc::clone(&desk), lines[thread as usize]);
            thread::spawn(move || {
                let mut number = thread * 1_000_000;
                let mut rounds = 0_u32;
                loop {
                    number += 2;
                    rounds += 1;
                    let tapi = call(number as usize + 1);
                    let provider = &desk.provider;
                    let made =
                        provider.line_make_call(id(number), line, tapi, Some("200"), 0, None);
                    match made {
                        Ok((handle, ticket)) => {
                            ticket.release();
                            let dropped = provider.line_drop(id(number + 1), handle, &[]);
                            // Every other time the close comes while the ticket is held.
                            let held = dropped.ok().filter(|_| rounds.is_multiple_of(2));
                            let _ = provider.line_close_call(handle);
                            drop(held);
                        }
                        Err(LineError::NODEVICE | LineError::INVALLINEHANDLE) => return rounds,
                        Err(_) => thread::sleep(Duration::from_millis(1)),
                    }
                }
            })
        })
        .collect();
    eventually("they are at work", || desk.witness.completed() > 500);
    desk.card.set_fault(Fault::Removal, true);
    for thread in threads {
        assert!(thread.join().unwrap() > 1);
    }
    eventually("nothing is outstanding", || desk.witness.outstanding() == 0);
}
