//! A host on the application's own thread, on a whole card: callbacks come from within `run_once`
//! and from nowhere else.

use std::sync::Arc;
use std::sync::mpsc::{TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use ringback_driver::Time;
use ringback_host::{CallOptions, Closed, HostOptions, LineEvent, LocalHost};
use ringback_softcard::LineState;
use ringback_tests::{Bench, FXS, SUPERVISED};
use ringback_tspi::callstate::CallState;
use ringback_tspi::error::LineError;

const DEADLINE: Duration = Duration::from_secs(30);

/// Runs the host until `done` gives something.
fn run<R>(host: &mut LocalHost, mut done: impl FnMut() -> Option<R>) -> R {
    let until = Instant::now() + DEADLINE;
    loop {
        if let Some(result) = done() {
            return result;
        }
        assert!(Instant::now() < until, "it did not come");
        host.run_once(Time::ZERO);
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn g1_d12_a_whole_call_on_the_thread_of_the_application() {
    let bench = Bench::new();
    let mut host = LocalHost::start(Arc::clone(&bench.provider), HostOptions::default()).unwrap();
    let (line, telephone) = (host.open(SUPERVISED).unwrap(), host.open(FXS).unwrap());
    let events = line.events();
    run(&mut host, || line.status().unwrap().in_service.then_some(()));
    let here = thread::current().id();
    let (tell, told) = channel();
    line.make_call("200", &CallOptions::default()).unwrap().on_complete(move |call| {
        tell.send((call, thread::current().id())).unwrap();
    });
    thread::sleep(Duration::from_millis(50));
    assert_eq!(told.try_recv().err(), Some(TryRecvError::Empty), "the host was not run");
    let (call, thread) = run(&mut host, || told.try_recv().ok());
    let call = call.unwrap();
    assert_eq!(thread, here);
    run(&mut host, || match events.try_next()? {
        LineEvent::State { state: CallState::Connected, .. } => Some(()),
        _ => None,
    });
    assert_eq!(call.close(), Ok(Closed::Now), "nothing of it is outstanding");
    // What is outstanding when it is shut down fails before that returns.
    let (tell, told) = channel();
    telephone.make_call("", &CallOptions::default()).unwrap().on_complete(move |made| {
        tell.send(made.map(drop)).unwrap();
    });
    host.shutdown().unwrap();
    assert!(matches!(told.try_recv(), Ok(Ok(()) | Err(LineError::OPERATIONFAILED))));
    assert_eq!(host.outstanding(), 0);
    bench.until_line("103", LineState::Idle);
    drop(host);
    // The provider can be started again, on a thread of its own as well.
    let again = ringback_host::Host::start(Arc::clone(&bench.provider), HostOptions::default());
    again.unwrap().open(SUPERVISED).unwrap();
}
