//! Closing: by two threads at once, while another settles, in callbacks of each other, and beside a
//! callback that does not return.

use crate::request::LineNumber;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, OnceLock};

use super::*;

#[test]
fn d1_settling_ends_when_another_closer_drops_what_it_awaits() {
    in_every_mode(|mode| {
        let (go, may_go) = channel::<()>();
        let (ear, heard) = ear(move |told| {
            if told == Heard::Event(1, 1) {
                may_go.recv_timeout(DEADLINE).unwrap();
            }
        });
        let driver = mode.run(Puppet::default(), None, ear, 8);
        let handle = driver.handle();
        handle.with(|_, cx| cx.event(LineNumber(1), 1)).unwrap();
        assert_eq!(next(&heard), Heard::Event(1, 1));
        // The reaper is in an upcall, and an event of line 0 is queued.
        handle.with(|_, cx| cx.event(LineNumber(0), 7)).unwrap();
        let settling = {
            let handle = handle.clone();
            thread::spawn(move || handle.settle(LineNumber(0)))
        };
        // Time for the other thread to begin waiting. Without it the test still passes, but tests
        // less.
        thread::sleep(Duration::from_millis(20));
        handle.with(|_, cx| cx.retain_events(LineNumber(0), |_| false)).unwrap();
        go.send(()).unwrap();
        assert_eq!(settling.join().unwrap(), Settled::Delivered);
        nothing_on_line_0(&driver, &heard);
    });
}

#[test]
fn d1_settling_is_not_delayed_by_other_submitters() {
    in_every_mode(|mode| {
        let (driver, _heard) = mode.start(256);
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                let (handle, over) = (driver.handle(), &over);
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        drop(handle.submit(LineNumber(0), Ask::Now(0)));
                    }
                });
            }
            let settled: HashSet<_> =
                (0..50).map(|_| format!("{:?}", driver.handle().settle(LineNumber(0)))).collect();
            over.store(true, Ordering::Relaxed);
            assert_eq!(settled, HashSet::from(["Delivered".to_string()]));
        });
    });
}

#[test]
fn d12_each_closer_returns_when_it_is_closed() {
    in_every_mode(|mode| {
        let told = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&told);
        let (ear, _heard) = ear(move |_| {
            thread::sleep(Duration::from_millis(1));
            count.fetch_add(1, Ordering::SeqCst);
        });
        let driver = mode.run(Puppet::default(), None, ear, 32);
        let handle = driver.handle();
        for n in 0..32 {
            handle.submit(LineNumber(n % 2), FOR_EVER).unwrap().release();
        }
        let start = Barrier::new(3);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    start.wait();
                    assert_eq!(handle.shutdown(), Settled::Delivered);
                    assert_eq!(told.load(Ordering::SeqCst), 32, "before any of them returned");
                });
            }
        });
    });
}

#[test]
fn d12_a_held_ticket_takes_no_other_request_with_it() {
    in_every_mode_at_once(|mode| {
        let log = log::Log::default();
        let (driver, heard, _guard) = log::start(mode, 8, &log.subscriber(), |_| ());
        let handle = driver.handle();
        let held = handle.submit(LineNumber(0), FOR_EVER).unwrap();
        let behind = handle.submit(LineNumber(0), FOR_EVER).unwrap().id();
        let held_event = handle.submit(LineNumber(1), Ask::TellAndWait(5)).unwrap();
        let behind_event = handle.submit(LineNumber(1), FOR_EVER).unwrap().id();
        driver.shutdown();
        assert!(handle.wait_ended(DEADLINE));
        let told: HashSet<_> = heard.try_iter().map(|(told, _)| told).collect();
        let due = [behind, behind_event].map(|id| Heard::Completed(id, -3));
        assert_eq!(told, HashSet::from(due));
        for (line, ticket) in [held, held_event].into_iter().enumerate() {
            let text = format!("request {} of line {line} is never reported", ticket.id());
            assert_eq!(log.with(tracing::Level::ERROR, &text).len(), 1, "it is named");
        }
        assert_eq!(log.with(tracing::Level::ERROR, "never reported").len(), 2);
    });
}

/// As in a gateway that hangs up the other leg, on two cards at once.
#[test]
fn two_cards_whose_callbacks_settle_and_close_each_other_do_not_wait() {
    in_every_mode(|mode| {
        let others: [Arc<OnceLock<Handle<Puppet>>>; 2] = [Arc::default(), Arc::default()];
        let both = Arc::new(Barrier::new(2));
        let (tell, told) = channel();
        let closing = |other: &Arc<OnceLock<Handle<Puppet>>>| {
            let (other, both, tell) = (Arc::clone(other), Arc::clone(&both), tell.clone());
            ear(move |heard| {
                if let Heard::Completed(_, 0) = heard {
                    let other = other.get().unwrap();
                    both.wait();
                    let settled = [other.settle(LineNumber(0)), other.shutdown()];
                    // This returns at once in spite of the limit.
                    other.wait_ended(10 * DEADLINE);
                    tell.send(settled).unwrap();
                }
            })
        };
        let [(ear_a, heard_a), (ear_b, heard_b)] = [closing(&others[1]), closing(&others[0])];
        let a = mode.run(Puppet::default(), None, ear_a, 8);
        let b = mode.run(Puppet::default(), None, ear_b, 8);
        assert!(others[0].set(a.handle()).is_ok() && others[1].set(b.handle()).is_ok());
        let running =
            [&a, &b].map(|card| card.handle().submit(LineNumber(1), FOR_EVER).unwrap().id());
        for card in [&a, &b] {
            card.handle().submit(LineNumber(0), Ask::Now(0)).unwrap().release();
        }
        for _ in 0..2 {
            let settled = told.recv_timeout(DEADLINE).unwrap();
            // By now everything of the other card's line must be delivered.
            assert_ne!(settled[0], Settled::TimedOut);
            assert_eq!(settled[1], Settled::AfterThisUpcall);
        }
        assert!(a.handle().wait_ended(DEADLINE) && b.handle().wait_ended(DEADLINE));
        for (heard, id) in [heard_a, heard_b].iter().zip(running) {
            assert!(matches!(next(heard), Heard::Completed(_, 0)));
            assert_eq!(next(heard), Heard::Completed(id, -3));
        }
    });
}

/// The callback needs a lock that the closer holds.
#[test]
fn closing_is_bounded_when_a_callback_does_not_return() {
    in_every_mode_at_once(|mode| {
        let lock = Arc::new(Mutex::new(()));
        let wanted = Arc::clone(&lock);
        let (ear, heard) = ear(move |told| {
            if told == Heard::Event(1, 1) {
                drop(wanted.lock().unwrap());
            }
        });
        let stopped = Arc::new(AtomicBool::new(false));
        let driver = mode.run(Safe(Puppet::default(), Arc::clone(&stopped)), None, ear, 8);
        let handle = driver.handle();
        let running = handle.submit(LineNumber(0), FOR_EVER).unwrap().id();
        let held = lock.lock().unwrap();
        handle.with(|_, cx| cx.event(LineNumber(1), 1)).unwrap();
        assert_eq!(next(&heard), Heard::Event(1, 1));
        handle.with(|_, cx| cx.event(LineNumber(0), 2)).unwrap();
        assert_eq!(handle.settle(LineNumber(0)), Settled::TimedOut);
        assert!(!stopped.load(Ordering::SeqCst));
        assert_eq!(handle.shutdown(), Settled::TimedOut);
        assert!(stopped.load(Ordering::SeqCst), "at once, on the thread that closes");
        assert_eq!(handle.submit(LineNumber(0), Ask::Now(0)).unwrap_err(), Refused::Closed);
        assert!(!handle.wait_ended(Duration::ZERO));
        drop(held);
        assert!(handle.wait_ended(DEADLINE));
        assert_eq!(next(&heard), Heard::Event(0, 2));
        assert_eq!(next(&heard), Heard::Completed(running, -3));
        assert_eq!(handle.shutdown(), Settled::Delivered);
    });
}

/// A puppet that records when it is stopped.
struct Safe(Puppet, Arc<AtomicBool>);

impl Engine for Safe {
    type Command = Ask;
    type Event = u32;
    type Output = ();
    fn lines(&self) -> usize {
        self.0.lines()
    }
    fn time_limit(ask: &Ask) -> Duration {
        Puppet::time_limit(ask)
    }
    fn failure(cause: Failure) -> ErrorCode {
        Puppet::failure(cause)
    }
    fn start(
        &mut self,
        request: Token,
        ask: Ask,
        cx: &mut Context<'_, u32>,
    ) -> Result<(), ErrorCode> {
        self.0.start(request, ask, cx)
    }
    fn interrupt(&mut self, _: &mut Context<'_, u32>) {}
    fn ended(&mut self, _: Token, _: Failure, _: &mut Context<'_, u32>) {}
    fn stop(&mut self, _: &mut Context<'_, u32>) {
        self.1.store(true, Ordering::SeqCst);
    }
}
