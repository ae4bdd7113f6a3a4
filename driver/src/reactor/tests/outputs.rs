//! The output of a completion is delivered with its own request, once, and dropped once if it is
//! not delivered.

use std::sync::atomic::AtomicUsize;

use super::*;
use crate::engine::Payload;
use crate::request::LineNumber;

/// Counts how many were dropped, except [`Payload::NONE`].
#[derive(Debug)]
struct Parcel {
    number: u32,
    dropped: Option<Arc<AtomicUsize>>,
}

impl Payload for Parcel {
    const NONE: Parcel = Parcel { number: 0, dropped: None };
}

impl Drop for Parcel {
    fn drop(&mut self) {
        if let Some(dropped) = &self.dropped {
            dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[derive(Clone, Copy)]
enum Order {
    /// Completes with this parcel.
    Give(u32),
    /// Completes with this parcel, and then again with another.
    GiveTwice(u32),
    /// Completes without a parcel.
    Plain(i32),
    /// Runs until it is ended, and completes too late.
    Late,
}

struct Sender(Arc<AtomicUsize>);

impl Sender {
    fn parcel(&self, number: u32) -> Parcel {
        Parcel { number, dropped: Some(Arc::clone(&self.0)) }
    }
}

type Cx<'a> = Context<'a, u32, Parcel>;

impl Engine for Sender {
    type Command = Order;
    type Event = u32;
    type Output = Parcel;
    fn lines(&self) -> usize {
        2
    }
    fn time_limit(_: &Order) -> Duration {
        10 * DEADLINE
    }
    fn failure(cause: Failure) -> ErrorCode {
        Puppet::failure(cause)
    }
    fn start(&mut self, request: Token, order: Order, cx: &mut Cx<'_>) -> Result<(), ErrorCode> {
        match order {
            Order::Give(number) => assert!(cx.complete_with(request, self.parcel(number))),
            Order::GiveTwice(number) => {
                assert!(cx.complete_with(request, self.parcel(number)));
                assert!(!cx.complete_with(request, self.parcel(number + 1)), "C3");
                assert!(!cx.complete(request, outcome(-9)), "C3");
            }
            Order::Plain(result) => assert!(cx.complete(request, outcome(result))),
            Order::Late => {}
        }
        Ok(())
    }
    fn interrupt(&mut self, _: &mut Cx<'_>) {}
    fn ended(&mut self, request: Token, _: Failure, cx: &mut Cx<'_>) {
        cx.complete(request, outcome(-2));
        assert!(!cx.complete_with(request, self.parcel(1)), "C3");
    }
    fn stop(&mut self, _: &mut Cx<'_>) {}
}

/// Sends each completion to the test.
struct Receiving(std::sync::mpsc::Sender<Completion<Parcel>>);

impl Upcalls<u32, Parcel> for Receiving {
    fn completed(&mut self, completion: Completion<Parcel>) {
        self.0.send(completion).ok();
    }
    fn event(&mut self, _: LineNumber, _: u32) {}
}

fn start(mode: Mode) -> (Running<Sender>, Receiver<Completion<Parcel>>, Arc<AtomicUsize>) {
    let dropped = Arc::new(AtomicUsize::new(0));
    let (receiving, received) = channel();
    let driver = mode.run(Sender(Arc::clone(&dropped)), None, Receiving(receiving), 256);
    (driver, received, dropped)
}

#[test]
fn each_output_comes_with_its_own_request_whoever_submits() {
    const EACH: u32 = 500;
    in_every_mode(|mode| {
        let (driver, received, dropped) = start(mode);
        let (tell, told) = channel();
        thread::scope(|scope| {
            for line in 0..2_u32 {
                let (handle, tell) = (driver.handle(), tell.clone());
                scope.spawn(move || {
                    for n in 1..=EACH {
                        let number = line << 16 | n;
                        let order =
                            if n % 2 == 0 { Order::Give(number) } else { Order::GiveTwice(number) };
                        loop {
                            match handle.submit(LineNumber::at(line as usize), order) {
                                Ok(ticket) => break tell.send((ticket.id(), number)).unwrap(),
                                Err(Refused::Full(_) | Refused::Crowded(_)) => thread::yield_now(),
                                Err(other) => panic!("{other}"),
                            }
                        }
                    }
                });
            }
            drop(tell);
            let mut next = [1, 1];
            for _ in 0..2 * EACH {
                let completion = received.recv_timeout(DEADLINE).unwrap();
                let line = completion.line;
                assert_eq!(completion.output.number, line.0 << 16 | next[line.index()], "O1");
                next[line.index()] += 1;
            }
        });
        let submitted: Vec<_> = told.iter().collect();
        assert_eq!(submitted.len(), 2 * EACH as usize);
        // All parcels that were delivered, and for every second request the one that came second.
        assert_eq!(dropped.load(Ordering::SeqCst), 3 * EACH as usize);
        driver.shutdown();
        assert!(received.recv_timeout(DEADLINE).is_err(), "C3");
    });
}

#[test]
fn a_request_that_fails_or_brings_nothing_has_no_output() {
    in_every_mode(|mode| {
        let (driver, received, dropped) = start(mode);
        let handle = driver.handle();
        let next = || received.recv_timeout(DEADLINE).unwrap();
        for result in [0, -7] {
            handle.submit(LineNumber(0), Order::Plain(result)).unwrap().release();
            let completion = next();
            assert_eq!((completion.result, completion.output.number), (outcome(result), 0));
            let expected = outcome(result).map(|()| 0);
            assert_eq!(completion.into_result().map(|parcel| parcel.number), expected);
        }
        let ticket = handle.submit(LineNumber(0), Order::Late).unwrap();
        assert!(handle.cancel(ticket.token()));
        drop(ticket);
        let completion = next();
        assert_eq!((completion.result, completion.output.number), (outcome(-2), 0));
        assert_eq!(dropped.load(Ordering::SeqCst), 1, "what came too late");
    });
}

#[test]
fn an_output_that_a_ticket_holds_back_until_the_end_is_dropped_with_the_engine() {
    in_every_mode_at_once(|mode| {
        let (driver, received, dropped) = start(mode);
        let handle = driver.handle();
        let held = handle.submit(LineNumber(0), Order::Give(5)).unwrap();
        let free = handle.submit(LineNumber(1), Order::Give(6)).unwrap();
        drop(free);
        assert_eq!(received.recv_timeout(DEADLINE).unwrap().output.number, 6);
        driver.shutdown();
        assert!(handle.wait_ended(DEADLINE));
        assert_eq!(dropped.load(Ordering::SeqCst), 2, "although ticket and handle are there");
        assert!(received.recv_timeout(DEADLINE).is_err(), "G1");
        drop(held);
    });
}
