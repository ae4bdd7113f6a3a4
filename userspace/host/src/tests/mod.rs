//! The host against providers that behave badly, or just differently: early, twice, never.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ringback_request::RequestId;
use ringback_request::sync::EvenPoisoned;
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::error::LineError;
use ringback_tspi::provider::{LineMessage, PhoneMessage, Provider};
use ringback_tspi::types::{HDRVCALL, HTAPICALL, HTAPILINE, Version};

use self::mock::{Mock, done, failed, tell_state};
use super::*;

mod closing;
mod contract;
mod events;
mod foreign;
mod guards;
mod local;
mod mock;
mod ownership;
mod pending;
mod phones;
mod reservation;
mod several;
mod shutdown;

const DEADLINE: Duration = Duration::from_secs(60);
const FAILED: LineError = LineError::OPERATIONFAILED;

/// A mock, and the host that it was given to.
fn try_start(mock: Mock, options: HostOptions) -> (Arc<Mock>, Result<Host, StartError>) {
    let mock = Arc::new(mock);
    let host = Host::start(Arc::clone(&mock) as Arc<dyn Provider>, options);
    (mock, host)
}

fn start_with(mock: Mock, options: HostOptions) -> (Arc<Mock>, Host, Line) {
    let (mock, host) = try_start(mock, options);
    let host = host.unwrap();
    let line = host.open(0).unwrap();
    (mock, host, line)
}

fn start(mock: Mock) -> (Arc<Mock>, Host, Line) {
    start_with(mock, HostOptions::default())
}

/// A host whose observer does this.
fn observed(observer: impl Fn(&Traced<'_>) + Send + Sync + 'static) -> HostOptions {
    HostOptions { trace: Some(Arc::new(observer)) }
}

fn make(line: &Line) -> Pending<Call> {
    line.make_call("1", &CallOptions::default()).unwrap()
}

/// A call that is made.
fn made(mock: &Mock, line: &Line) -> Call {
    let pending = make(line);
    mock.complete(pending.id(), Ok(()));
    pending.wait(DEADLINE).unwrap()
}

/// Waits until it is so.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < DEADLINE, "{what}: it never came true");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The next so many call states.
fn states(events: &Events, count: usize) -> Vec<CallState> {
    events
        .within(DEADLINE)
        .filter_map(|event| match event {
            LineEvent::State { state, .. } => Some(state),
            _ => None,
        })
        .take(count)
        .collect()
}
