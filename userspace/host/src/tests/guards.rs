//! Actions of applications that must not affect others: panics, logs, forks.

use std::sync::atomic::AtomicU32;
use std::sync::mpsc;

use super::*;

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(thread::panicking(), "the payload of a panic panics when it is dropped");
    }
}

#[test]
fn a_callback_that_panics_with_a_payload_that_panics_leaves_the_line_in_order() {
    let (mock, _host, line) = start(Mock::default());
    let call = made(&mock, &line);
    let dial = call.dial("1").unwrap();
    let id = dial.id();
    dial.on_complete(|_| std::panic::panic_any(Bomb));
    mock.complete(id, Ok(()));
    assert_eq!(call.dial("at once").unwrap().wait(DEADLINE), Ok(()));
}

#[test]
fn c6_upcalls_never_overlap_on_whichever_threads_they_come() {
    let inside = Arc::new(AtomicU32::new(0));
    let overlaps = Arc::new(AtomicU32::new(0));
    let (mock, _host, line) = start(Mock::default());
    let call = made(&mock, &line);
    let (give, results) = mpsc::channel();
    // Half of them are delivered by the mock's thread, half by the host's.
    for round in 0..200 {
        let (inside, overlaps, give) = (Arc::clone(&inside), Arc::clone(&overlaps), give.clone());
        let dial = call.dial(if round % 2 == 0 { "at once" } else { "later" }).unwrap();
        let id = dial.id();
        dial.on_complete(move |_| {
            overlaps.fetch_add(inside.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
            thread::yield_now();
            inside.fetch_sub(1, Ordering::SeqCst);
            give.send(()).unwrap();
        });
        if round % 2 != 0 {
            mock.complete(id, Ok(()));
        }
    }
    for _ in 0..200 {
        results.recv_timeout(DEADLINE).unwrap();
    }
    assert_eq!(overlaps.load(Ordering::SeqCst), 0);
}
