//! Panics on purpose, and a log subscriber that panics at times and calls the host.

use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, Weak};
use std::{panic, thread};

use ringback_host::Host;
use ringback_tests::Bench;
use ringback_tspi::EvenPoisoned;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::life::Side;

/// A panic on purpose. Its message is not printed.
struct Staged;

/// A panic on purpose whose payload panics again when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            throw();
        }
    }
}

pub(crate) fn throw() -> ! {
    panic::panic_any(Staged)
}

/// Panics with a payload that panics when it is dropped.
pub(crate) fn throw_bomb() -> ! {
    panic::panic_any(Bomb)
}

/// Returns whether a panic was on purpose.
fn is_staged(payload: &(dyn Any + Send)) -> bool {
    payload.is::<Staged>() || payload.is::<Bomb>()
}

/// The subscriber of the log.
#[derive(Default)]
struct Moody {
    lines: AtomicU64,
}

static STORM: AtomicBool = AtomicBool::new(false);
static HOSTS: Mutex<Vec<(Weak<Host>, Weak<Bench>)>> = Mutex::new(Vec::new());

impl Subscriber for Moody {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        STORM.load(Ordering::Relaxed)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        let line = self.lines.fetch_add(1, Ordering::Relaxed);
        if line.is_multiple_of(2) {
            let hosts = HOSTS.lock().even_poisoned().clone();
            let there = |(host, bench): &(Weak<Host>, Weak<Bench>)| {
                Some((host.upgrade()?, bench.upgrade()?))
            };
            for (host, bench) in hosts.iter().filter_map(there) {
                let _ = (host.outstanding(), host.counts(), bench.slots());
            }
        }
        if line.is_multiple_of(3) {
            throw();
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Begins a life: with `storm` the subscriber panics and calls the hosts.
pub(crate) fn begin(storm: bool, sides: &[Side]) {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !is_staged(info.payload()) {
                print(info);
            }
        }));
        // If another subscriber is installed already, the log does not panic.
        let _ = tracing::subscriber::set_global_default(Moody::default());
    });
    *HOSTS.lock().even_poisoned() = sides
        .iter()
        .map(|side| (Arc::downgrade(&side.host), Arc::downgrade(&side.bench)))
        .collect();
    if STORM.swap(storm, Ordering::Relaxed) != storm {
        tracing::callsite::rebuild_interest_cache();
    }
}
