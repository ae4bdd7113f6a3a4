//! The page's engine on the chip in software: under the virtual clock, and on the real ring.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use driver_writer::chip::{BROKEN, Chip, SILENT, value_of};
use driver_writer::sensor::*;
use ringback_driver::device::Device;
use ringback_driver::device::soft::{SoftDevice, SoftInterrupt};
use ringback_driver::reactor::{Client, Driver, Pending, Settled, Stepper};
use ringback_driver::request::{ErrorCode, LineNumber};

/// Long enough for any machine; nothing waits this long unless it is broken.
const DEADLINE: Duration = Duration::from_secs(60);

type Soft = Sensor<SoftDevice<Chip>>;

fn chip() -> (Chip, SoftDevice<Chip>) {
    let interrupt = SoftInterrupt::line().unwrap();
    let chip = Chip::new(interrupt.clone());
    (chip.clone(), SoftDevice::new(chip, None, interrupt))
}

fn measure(channel: u32, time_limit: Duration) -> Measure {
    Measure { channel, time_limit }
}

/// A waker that does nothing, for tests that poll.
struct Nobody;
impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}

fn outcome(pending: &mut Pending<Soft>) -> Option<Result<u32, ErrorCode>> {
    let waker = Waker::from(Arc::new(Nobody));
    match std::pin::Pin::new(pending).poll(&mut Context::from_waker(&waker)) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}

#[test]
fn under_the_virtual_clock_each_end_is_reported() {
    let (chip, device) = chip();
    let (upcalls, client) = Client::new(|_, ()| ());
    let mut stepper = Stepper::new(Sensor::new(device).unwrap(), upcalls, 8).unwrap();
    let client = client.connect(stepper.handle());
    let second = Duration::from_secs(1);
    let mut good = client.request(LineNumber(0), measure(7, second)).unwrap();
    let mut bad = client.request(LineNumber(0), measure(BROKEN, second)).unwrap();
    let mut silent = client.request(LineNumber(0), measure(SILENT, second)).unwrap();
    let dropped = client.request(LineNumber(0), measure(SILENT | 1, second)).unwrap();
    drop(dropped);
    assert!(chip.answer());
    stepper.interrupt();
    assert_eq!(outcome(&mut good), Some(Ok(value_of(7))));
    assert_eq!(outcome(&mut bad), Some(Err(EIO)));
    assert_eq!(outcome(&mut silent), None);
    stepper.advance(second);
    assert_eq!(outcome(&mut silent), Some(Err(ETIMEDOUT)));

    let mut late = client.request(LineNumber(0), measure(9, second)).unwrap();
    stepper.advance(second);
    assert_eq!(outcome(&mut late), Some(Err(ETIMEDOUT)));
    let mut next = client.request(LineNumber(0), measure(10, second)).unwrap();
    assert!(chip.answer(), "the late one, and the next");
    stepper.interrupt();
    assert_eq!(outcome(&mut next), Some(Ok(value_of(10))), "a late answer is dropped");

    let mut left = client.request(LineNumber(0), measure(11, second)).unwrap();
    stepper.stop();
    assert_eq!(outcome(&mut left), Some(Err(ESHUTDOWN)));
    assert!(!chip.runs());
}

#[test]
fn ten_thousand_requests_from_four_threads_end_once_each() {
    const EACH: u32 = 2500;
    let (chip, device) = chip();
    let files = device.files().unwrap();
    let (upcalls, client) = Client::new(|_, ()| ());
    let driver = Driver::start(Sensor::new(device).unwrap(), files, upcalls, 1024).unwrap();
    let client = client.connect(driver.handle());
    let over = AtomicBool::new(false);
    let told = Mutex::new(HashMap::<Result<(), ErrorCode>, u32>::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                if !chip.answer() {
                    thread::yield_now();
                }
            }
        });
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let (client, told) = (client.clone(), &told);
                scope.spawn(move || {
                    let mut running = Vec::new();
                    let end = |(channel, mut pending): (u32, Pending<Soft>)| {
                        let outcome = pending.wait(DEADLINE).expect("each completes");
                        if let Ok(value) = outcome {
                            assert_eq!(value, value_of(channel), "another request's value");
                        }
                        *told.lock().unwrap().entry(outcome.map(drop)).or_default() += 1;
                    };
                    for n in 0..EACH {
                        let channel = thread << 13 | n;
                        let (channel, limit) = match n % 50 {
                            7 => (channel | SILENT, Duration::from_millis(20)),
                            8 => (channel | BROKEN, DEADLINE),
                            _ => (channel, DEADLINE),
                        };
                        let pending =
                            client.request(LineNumber(0), measure(channel, limit)).unwrap();
                        match n % 50 {
                            9 => drop(pending),
                            _ => running.push((channel, pending)),
                        }
                        if running.len() == 100 {
                            running.drain(..).for_each(end);
                        }
                    }
                    running.into_iter().for_each(end);
                })
            })
            .collect();
        let ended: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        over.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok));
    });
    let told = told.into_inner().unwrap();
    let count = |outcome| told.get(&outcome).copied().unwrap_or(0);
    assert_eq!((count(Err(ETIMEDOUT)), count(Err(EIO)), count(Ok(()))), (200, 200, 9400));
    let mut left = client.request(LineNumber(0), measure(SILENT, DEADLINE)).unwrap();
    assert_eq!(driver.shutdown(), Settled::Delivered);
    assert_eq!(left.wait(DEADLINE), Some(Err(ESHUTDOWN)));
    assert!(client.request(LineNumber(0), measure(1, DEADLINE)).is_err() && !chip.runs());
}
