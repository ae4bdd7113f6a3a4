//! The ways from a request to its callback: Ringback in its modes, and other designs in use today.

mod blocking;
mod driver;
mod epoll;
mod floor;
mod liburing;
mod local;
mod peer;
mod tokio;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use nix::sys::prctl::set_timerslack;
use ringback_driver::reactor::Waiting;

use crate::cell::{Cell, Recorder, Stages, WARM_UP};
use crate::hardware::Hardware;
use crate::kinds::Kind;
use crate::plant::Plant;
use crate::probe::{Landing, Probe, ProbeDevice};

/// The default capacity of a driver, and the most requests that a mailbox holds.
pub(crate) const CAPACITY: usize = 4096;

/// A plant's device with time stamps, Ringback's engine for it, and its registers.
type DeviceOf<P> = ProbeDevice<<P as Plant>::Device>;
type EngineOf<P> = <<P as Plant>::Kind as Kind>::Engine<DeviceOf<P>>;
type BareOf<P> = <<P as Plant>::Kind as Kind>::Bare<DeviceOf<P>>;

/// One way from a request to its callback.
pub(crate) trait Way: Send + Sync {
    /// The name in results.
    fn name(&self) -> &'static str;

    /// The CPU on which the hardware is to be played; the caller reserves it for the slice.
    fn aside(&self) -> Option<usize>;

    /// Sets the way up, times `count` requests, and takes it down again.
    ///
    /// # Errors
    /// Why it can't run in this cell or on this machine, in a few words.
    fn slice(&self, cell: Cell, count: usize, aside: Option<usize>) -> Result<Stages, String>;
}

/// How long the spinning reaper polls before it sleeps: longer than the short gap, shorter than the
/// long one.
const SPIN: Duration = Duration::from_micros(50);

/// The names by which figures refer to ways.
pub(crate) const SLEEP: &str = "ringback, sleeping";
pub(crate) const POLL: &str = "ringback, polling";
pub(crate) const BLOCKING: &str = "(a) blocking read";
pub(crate) const EPOLL: &str = "(b) epoll";
pub(crate) const TOKIO: &str = "(c) tokio AsyncFd";
pub(crate) const FLOOR: &str = "(d) bare io_uring";
pub(crate) const LIBURING: &str = "(e) bare liburing, C";

/// The peers and their letters.
pub(crate) const PEERS: [(&str, char); 5] =
    [(BLOCKING, 'a'), (EPOLL, 'b'), (TOKIO, 'c'), (FLOOR, 'd'), (LIBURING, 'e')];

/// All ways on a device.
pub(crate) fn all(plant: impl Plant) -> Vec<Box<dyn Way>> {
    let plant = Arc::new(plant);
    let driver = |name, waiting| Box::new(driver::InThread::new(&plant, name, waiting));
    vec![
        driver(SLEEP, Waiting::Sleep),
        driver("ringback, spinning", Waiting::Spin(SPIN)),
        driver(POLL, Waiting::Poll),
        Box::new(local::InPlace::new(&plant)),
        Box::new(blocking::Blocking::new(&plant)),
        Box::new(epoll::Epoll::new(&plant)),
        Box::new(tokio::Tokio::new(&plant)),
        Box::new(floor::Floor::new(&plant)),
    ]
}

/// The peer that is a C program, on a mailbox of its own in memory.
pub(crate) fn liburing() -> Box<dyn Way> {
    Box::new(liburing::Liburing::compile())
}

/// Times `count` requests. `submit` submits one for the thread with the given number, and its
/// callback arrives at that thread's landing.
fn drive(
    cell: Cell,
    count: usize,
    probe: &Probe,
    hardware: &Hardware,
    landings: &[Landing],
    submit: &(impl Fn(usize) + Sync),
) -> Result<Stages, String> {
    hardware.begin();
    let thread = |number: usize, landing: &Landing| {
        // Makes sleeps between arrivals exact to a microsecond.
        let _ = set_timerslack(1_000);
        if !hardware.is_requester() {
            landing.wake_me();
        }
        let mut recorder = Recorder::new(cell, number, probe);
        for _ in 0..WARM_UP + count / cell.threads {
            landing.clear();
            let mut shot = recorder.begin();
            submit(number);
            recorder.returned(&mut shot, hardware);
            recorder.land(shot, landing, hardware)?;
        }
        Ok(recorder.stages)
    };
    if let [landing] = landings {
        return thread(0, landing);
    }
    thread::scope(|scope| {
        let threads: Vec<_> = (0..)
            .zip(landings)
            .map(|(number, landing)| scope.spawn(move || thread(number, landing)))
            .collect();
        let mut all = Stages::new();
        for thread in threads {
            all.add(&thread.join().map_err(|_| "a submitting thread panicked".to_string())??);
        }
        Ok(all)
    })
}

/// Submits the requests of a cell that stay outstanding: all but one per thread.
fn fill(cell: Cell, hardware: &Hardware, submit: impl FnMut(usize)) -> Result<(), String> {
    let outstanding = cell.depth.saturating_sub(cell.threads);
    if outstanding == 0 {
        return Ok(());
    }
    if matches!(hardware, Hardware::Real(_)) {
        return Err("this hardware answers everything at once".into());
    }
    (0..outstanding).for_each(submit);
    hardware.hold();
    Ok(())
}

/// The error of a system call in a few words.
fn words(what: &'static str) -> impl Fn(std::io::Error) -> String {
    move |error| format!("{what}: {error}")
}
