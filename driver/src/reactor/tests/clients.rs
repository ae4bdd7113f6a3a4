//! The client, whose requests are futures.

use crate::request::LineNumber;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Poll, Wake, Waker};

use super::*;

/// Unparks a thread that sleeps in [`block_on`].
struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future to its end, and polls it only after a wake-up.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = std::task::Context::from_waker(&waker);
    let until = std::time::Instant::now() + DEADLINE;
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        thread::park_timeout(DEADLINE);
        assert!(std::time::Instant::now() < until, "the task is not woken");
    }
}

fn start(mode: Mode) -> (Running<Puppet>, Client<Puppet>, Receiver<(LineNumber, u32)>) {
    let (tell, events) = channel();
    let (upcalls, client) = Client::new(move |line, event| {
        tell.send((line, event)).ok();
    });
    let driver = mode.run(Puppet::default(), None, upcalls, 64);
    let client = client.connect(driver.handle());
    (driver, client, events)
}

#[test]
fn a_request_is_awaited_or_waited_for_in_any_order() {
    in_every_mode(|mode| {
        let (_driver, client, events) = start(mode);
        let first = client.request(LineNumber(0), Ask::Now(-7)).unwrap();
        let mut second = client.request(LineNumber(0), Ask::Tell(3, 0)).unwrap();
        let third = client.request(LineNumber(1), Ask::Slow(Duration::from_millis(10))).unwrap();
        assert_eq!(block_on(third), Ok(()));
        assert_eq!(second.wait(DEADLINE), Some(Ok(())));
        assert_eq!(second.wait(DEADLINE), None, "delivered once");
        assert_eq!(block_on(first), Err(error(-7)));
        assert_eq!(events.recv_timeout(DEADLINE), Ok((LineNumber(0), 3)));
        let mut runs = client.request(LineNumber(0), FOR_EVER).unwrap();
        assert_eq!(runs.wait(Duration::ZERO), None);
        assert!(client.handle().cancel_id(runs.id()));
        assert_eq!(block_on(runs), Err(error(-2)));
    });
}

#[test]
fn a_pending_that_is_dropped_cancels_and_one_that_is_forgotten_does_not() {
    in_every_mode(|mode| {
        let (driver, client, _) = start(mode);
        let handle = driver.handle();
        let ended = || handle.with(|puppet, _| puppet.ended.len()).unwrap();
        client.request(LineNumber(0), FOR_EVER).unwrap().forget();
        assert_eq!(ended(), 0);
        drop(client.request(LineNumber(0), FOR_EVER).unwrap());
        assert_eq!(ended(), 1);
        drop(client.request(LineNumber(0), Ask::Now(0)).unwrap());
        assert_eq!(block_on(client.request(LineNumber(0), Ask::Now(0)).unwrap()), Ok(()));
        assert_eq!(ended(), 1, "what is over is not cancelled");
    });
}

#[test]
fn the_end_of_the_card_completes_every_pending_and_wakes_its_task() {
    in_every_mode(|mode| {
        let (driver, client, _) = start(mode);
        let pending: Vec<_> =
            (0..10).map(|n| client.request(LineNumber(n % 2), FOR_EVER).unwrap()).collect();
        let waiting = thread::spawn(move || pending.into_iter().map(block_on).collect::<Vec<_>>());
        driver.shutdown();
        assert_eq!(waiting.join().unwrap(), [Err(error(-3)); 10]);
        assert!(client.handle().wait_ended(DEADLINE));
        assert_eq!(client.request(LineNumber(0), Ask::Now(0)).map(drop), Err(Refused::Closed));
    });
}

#[test]
fn a_panic_of_the_engine_is_an_error_of_each_pending() {
    in_every_mode(|mode| {
        let (_driver, client, _) = start(mode);
        let runs = client.request(LineNumber(0), FOR_EVER).unwrap();
        let panics = client.request(LineNumber(0), Ask::Panic);
        match panics {
            Ok(pending) => assert_eq!(block_on(pending), Err(error(-5))),
            Err(refused) => assert_eq!(refused, Refused::Failed(Failure::Internal)),
        }
        assert_eq!(block_on(runs), Err(error(-5)));
    });
}

#[test]
fn a_callback_submits_and_does_not_wait() {
    in_every_mode(|mode| {
        let (tell, told) = channel();
        let own = Arc::new(Mutex::new(None::<Client<Puppet>>));
        let inside = Arc::clone(&own);
        let (upcalls, client) = Client::new(move |_, _| {
            let client = inside.lock().unwrap().clone().unwrap();
            let mut pending = client.request(LineNumber(1), Ask::Now(0)).unwrap();
            assert_eq!(pending.wait(DEADLINE), None, "the wait would never end");
            tell.send(pending).unwrap();
        });
        let driver = mode.run(Puppet::default(), None, upcalls, 64);
        let client = client.connect(driver.handle());
        *own.lock().unwrap() = Some(client.clone());
        client.request(LineNumber(0), Ask::Tell(1, 0)).unwrap().forget();
        let pending = told.recv_timeout(DEADLINE).unwrap();
        assert_eq!(block_on(pending), Ok(()));
        // The callback owns it, and it owns the card.
        own.lock().unwrap().take();
    });
}

#[test]
fn a_task_that_panics_when_it_is_woken_keeps_no_other_from_its_outcome() {
    struct Bomb;
    impl Wake for Bomb {
        fn wake(self: Arc<Self>) {
            panic!("an executor that is gone");
        }
    }
    in_every_mode(|mode| {
        let (driver, client, _) = start(mode);
        let mut armed = client.request(LineNumber(0), FOR_EVER).unwrap();
        let waker = Waker::from(Arc::new(Bomb));
        let mut cx = std::task::Context::from_waker(&waker);
        assert_eq!(pin!(&mut armed).poll(&mut cx), Poll::Pending);
        let other = client.request(LineNumber(0), FOR_EVER).unwrap();
        driver.shutdown();
        assert_eq!(block_on(other), Err(error(-3)));
        assert_eq!(armed.wait(DEADLINE), Some(Err(error(-3))));
    });
}
