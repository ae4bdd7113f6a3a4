//! A host on the application's own thread.

use std::rc::Rc;

use ringback_request::Time;

use super::mock::Local;
use super::*;

#[test]
fn everything_is_delivered_on_the_applications_own_thread() {
    let provider: Arc<dyn Provider> =
        Arc::new(Mock { local: Some(Local::default()), ..Mock::default() });
    let mut local = LocalHost::start(provider, HostOptions::default()).unwrap();
    let line = local.open(0).unwrap();
    let pending = make(&line);
    assert_eq!(pending.wait(DEADLINE).unwrap_err(), WaitError::InUpcall, "it would never end");
    assert!(line.events().next_timeout(DEADLINE).is_none());
    let (give, results) = mpsc::channel();
    pending.on_complete(move |made| give.send((made.is_ok(), thread::current().id())).unwrap());
    while local.run_once(Time::NEVER) == 0 {}
    assert_eq!(results.try_recv(), Ok((true, thread::current().id())));
    // A request that is only given its callback after it was completed is delivered by the next
    // round.
    let late = make(&line);
    while local.run_once(Time::NEVER) == 0 {}
    let (give, results) = mpsc::channel();
    late.on_complete(move |made| give.send(made.is_ok()).unwrap());
    assert_eq!(local.run_once(Time::ZERO), 0);
    assert_eq!(results.try_recv(), Ok(true));
    let left = make(&line);
    assert_eq!(local.shutdown(), Ok(Closed::Now));
    assert!(left.wait(Duration::ZERO).is_ok(), "delivered by the last rounds");
    let _not_send = Rc::new(local);
}
