//! The clock thread. The tests check only what holds on a busy machine as well.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use ringback_softcard::ModuleKind::Empty;
use ringback_softcard::{HostMemory, InterruptLine, RealClock, SoftCard};

use crate::host::*;

const DEADLINE: Duration = Duration::from_secs(30);

fn wait_until(mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < DEADLINE, "it never came true");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn it_ticks_until_it_is_dropped() {
    let host = Host::running([Empty; 4]);
    let from = host.card.now_ms();
    let clock = RealClock::start(&host.card).unwrap();
    wait_until(|| host.card.now_ms() >= from + 20);
    drop(clock);
    let stopped = host.card.now_ms();
    thread::sleep(Duration::from_millis(20));
    assert_eq!(host.card.now_ms(), stopped);
}

#[test]
fn it_never_ticks_ahead_of_time() {
    let host = Host::running([Empty; 4]);
    let from = host.card.now_ms();
    let start = Instant::now();
    let _clock = RealClock::start(&host.card).unwrap();
    for _ in 0..20 {
        thread::sleep(Duration::from_millis(2));
        let ticks = host.card.now_ms() - from;
        assert!(u128::from(ticks) <= start.elapsed().as_millis());
    }
}

/// A host that stops the clock from within its interrupt.
struct Stopper {
    clock: mpsc::Receiver<RealClock>,
    done: mpsc::Sender<()>,
}

#[test]
fn it_can_be_dropped_from_within_an_interrupt() {
    struct Line(std::sync::Mutex<Option<Stopper>>);
    impl InterruptLine for Line {
        fn raise(&self) {
            if let Some(stopper) = self.0.lock().unwrap().take() {
                drop(stopper.clock.recv().unwrap());
                stopper.done.send(()).unwrap();
            }
        }
    }
    struct Anything;
    impl HostMemory for Anything {
        fn read32(&self, _: u32) -> Option<u32> {
            Some(0)
        }
        fn write32(&self, _: u32, _: u32) -> bool {
            true
        }
    }
    let host = Host::running([Empty; 4]);
    let card: SoftCard = host.card.clone();
    let (give, clock) = mpsc::channel();
    let (done, stopped) = mpsc::channel();
    let line = Line(std::sync::Mutex::new(Some(Stopper { clock, done })));
    card.connect(Arc::new(Anything), Arc::new(line));
    give.send(RealClock::start(&card).unwrap()).unwrap();
    stopped.recv_timeout(DEADLINE).expect("the drop returned");
}
