//! Several threads close the same line, call or host, while callbacks delay them (D1, D2, D5, D12).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ringback_host::{Call, CallOptions, CloseError, Closed, Events, Host, HostOptions, Line};
use ringback_softcard::LineState;
use ringback_tests::{DEADLINE, FXS, SLOW, SUPERVISED, World, eventually, make, state};
use ringback_tspi::callstate::CallState;
use ringback_tspi::error::LineError;

/// A connected call with a request on its way, on a card whose callbacks are held up.
struct HeldUp {
    world: World,
    line: Line,
    _events: Events,
    call: Call,
    /// Whether the failure of the request was delivered.
    told: Arc<AtomicBool>,
    /// Lets the callback of another line return.
    go: Sender<()>,
    _telephone: Line,
}

fn held_up() -> HeldUp {
    let world = World::new();
    let (line, events, call) = world.talking();
    let telephone = world.open(FXS);
    let (tell, is_in) = mpsc::channel();
    let (go, may_go) = mpsc::channel::<()>();
    telephone.make_call("", &CallOptions::default()).unwrap().on_complete(move |_| {
        tell.send(()).unwrap();
        let _ = may_go.recv_timeout(DEADLINE);
    });
    is_in.recv_timeout(DEADLINE).unwrap();
    let told = Arc::new(AtomicBool::new(false));
    let tells = Arc::clone(&told);
    call.dial(SLOW).unwrap().on_complete(move |_| tells.store(true, Ordering::SeqCst));
    HeldUp { world, line, _events: events, call, told, go, _telephone: telephone }
}

impl HeldUp {
    /// Two threads close. Returns the result of each, and whether the request's outcome had been
    /// delivered by then.
    fn twice<R: Send>(&self, close: impl Fn(&HeldUp) -> R + Sync) -> [(R, bool); 2] {
        let closer = || (close(self), self.told.load(Ordering::SeqCst));
        thread::scope(|scope| {
            let closers = [scope.spawn(closer), scope.spawn(closer)];
            thread::sleep(Duration::from_millis(200));
            self.go.send(()).unwrap();
            closers.map(|closer| closer.join().unwrap())
        })
    }
}

const BOTH: [(Result<Closed, CloseError>, bool); 2] = [(Ok(Closed::Now), true); 2];

#[test]
fn d1_two_threads_that_close_a_line_return_when_it_is_closed() {
    assert_eq!(held_up().twice(|held_up| held_up.line.close()), BOTH);
}

#[test]
fn d5_two_threads_that_close_a_call_return_when_it_is_closed() {
    assert_eq!(held_up().twice(|held_up| held_up.call.close()), BOTH);
}

#[test]
fn d12_two_threads_that_shut_down_return_when_it_is_down() {
    let held_up = held_up();
    assert_eq!(held_up.twice(|held_up| held_up.world.host.shutdown()), BOTH);
    let exchange = held_up.world.exchange();
    eventually("the line is on-hook", || exchange.state("103") == Some(LineState::Idle));
}

#[test]
fn d1_a_close_that_a_callback_elsewhere_holds_up_says_so() {
    let held_up = held_up();
    let closed = held_up.line.close();
    assert_eq!(closed, Err(CloseError::Unfinished { requests: 1 }));
    assert!(!held_up.told.load(Ordering::SeqCst));
    held_up.go.send(()).unwrap();
    assert_eq!(held_up.line.close(), Ok(Closed::Now));
    assert!(held_up.told.load(Ordering::SeqCst));
}

/// Two hosts of one process, whose callbacks hang up each other's leg.
#[test]
fn two_cards_whose_callbacks_hang_up_each_others_leg_do_not_wait_for_each_other() {
    let worlds = [World::new(), World::new()];
    let lines = worlds.each_ref().map(|world| world.open(SUPERVISED));
    let events = lines.each_ref().map(Line::events);
    let [here, there] = [0, 1].map(|n| worlds[n].connected(&lines[n], &events[n]));
    let both = Arc::new(Barrier::new(2));
    let (tell, told) = mpsc::channel();
    for (mine, other) in [(here.clone(), there.clone()), (there, here)] {
        let (both, tell) = (Arc::clone(&both), tell.clone());
        mine.dial("1").unwrap().on_complete(move |_| {
            both.wait();
            let begin = Instant::now();
            let closed = other.close().is_ok();
            // Two of those that wait for each other give up after two seconds.
            tell.send((closed, begin.elapsed() < Duration::from_secs(2))).unwrap();
        });
    }
    for _ in 0..2 {
        assert_eq!(told.recv_timeout(DEADLINE).unwrap(), (true, true));
    }
}

#[test]
fn d12_a_shutdown_is_over_in_some_seconds_though_a_callback_wants_a_lock_of_its_callers() {
    let world = World::new();
    let line = world.open(FXS);
    let lock = Arc::new(Mutex::new(()));
    let held = lock.lock().unwrap();
    let wants = Arc::clone(&lock);
    let (tell, told) = mpsc::channel();
    line.make_call("", &CallOptions::default()).unwrap().on_complete(move |_| {
        tell.send(()).unwrap();
        drop(wants.lock());
    });
    told.recv_timeout(DEADLINE).unwrap();
    let host = Arc::clone(&world.host);
    let (give, down) = mpsc::channel();
    let shuts = thread::spawn(move || give.send(host.shutdown()).unwrap());
    let down = down.recv_timeout(Duration::from_secs(30));
    drop(held);
    shuts.join().unwrap();
    assert!(down.expect("it is over in time").is_err());
    world.host.wait_down(DEADLINE).unwrap();
}

#[test]
fn d15_a_second_host_on_a_provider_in_use_is_refused_without_effect() {
    let world = World::new();
    let line = world.open(SUPERVISED);
    let events = line.events();
    let second = Host::start(Arc::clone(&world.provider), HostOptions::default()).unwrap_err();
    assert_eq!(second, LineError::ALLOCATED);
    let _call = world.connected(&line, &events);
}

#[test]
fn a_provider_can_be_started_again_after_a_shutdown_in_a_callback() {
    let world = World::new();
    let telephone = world.open(FXS);
    let host = Arc::clone(&world.host);
    telephone.make_call("", &CallOptions::default()).unwrap().on_complete(move |_| {
        host.shutdown().unwrap();
    });
    world.host.wait_down(DEADLINE).unwrap();
    let again = Host::start(Arc::clone(&world.provider), HostOptions::default()).unwrap();
    let line = again.open(SUPERVISED).unwrap();
    let events = line.events();
    eventually("the line is in service", || line.status().is_ok_and(|status| status.in_service));
    let call = make(&line, "200");
    state(&events, &call, CallState::Connected);
}

#[test]
fn everything_that_outlives_its_host_answers() {
    let world = World::new();
    let (line, events, call) = world.talking();
    let pending = call.dial(SLOW).unwrap();
    drop(world);
    assert_eq!(pending.wait(DEADLINE), Err(LineError::OPERATIONFAILED.into()));
    assert_eq!(line.status(), Err(LineError::INVALLINEHANDLE));
    assert_eq!(call.info(), Err(LineError::INVALCALLHANDLE));
    assert!(call.drop_call().is_err());
    events.within(DEADLINE).for_each(drop);
    assert!(events.is_over());
    assert_eq!((line.close(), call.close()), (Ok(Closed::Now), Ok(Closed::Now)));
}
