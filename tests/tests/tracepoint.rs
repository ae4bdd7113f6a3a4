//! Submission queue entries have request ids in the low 32 bits of their user_data, as the kernel's
//! own tracepoint shows.
//!
//! Needs root, for tracefs. `make test` runs it with sudo if necessary.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use ringback_driver::card::mailbox::{Complement, Mailbox, SoftMailbox};
use ringback_driver::device::Device;
use ringback_driver::device::soft::{SoftDevice, SoftInterrupt};
use ringback_driver::engine::Failure;
use ringback_driver::reactor::{Driver, Upcalls};
use ringback_driver::request::{Completion, LineNumber};

const DEADLINE: Duration = Duration::from_secs(20);

/// A trace instance of our own on a tracefs of our own: other programs' tracing is not touched.
struct Trace {
    tracefs: tempfile::TempDir,
    instance: PathBuf,
    enable: PathBuf,
}

impl Trace {
    fn start() -> Trace {
        let tracefs = tempfile::tempdir().unwrap();
        let none: Option<&str> = None;
        mount(none, tracefs.path(), Some("tracefs"), MsFlags::empty(), none).expect(
            "tracefs can't be mounted: this test needs root and a kernel with CONFIG_TRACING",
        );
        let instance = tracefs.path().join(format!("instances/ringback-{}", std::process::id()));
        fs::create_dir(&instance).unwrap();
        // The event was renamed in 6.3.
        let events = instance.join("events/io_uring");
        let enable = ["io_uring_submit_req", "io_uring_submit_sqe"]
            .map(|name| events.join(name).join("enable"))
            .into_iter()
            .find(|path| path.exists())
            .expect("the kernel has no tracepoint for submitted io_uring entries");
        fs::write(&enable, "1").unwrap();
        Trace { tracefs, instance, enable }
    }

    /// The low 32 bits of the user_data of each TIMEOUT that this process has submitted for a
    /// request; the reaper's own has 0 there.
    fn timeouts(&self) -> Vec<u32> {
        let trace = fs::read_to_string(self.instance.join("trace")).unwrap();
        // The tracepoint covers all processes, and others may run a driver as well.
        let ours = |line: &&str| {
            let thread = line.split(" [").next().and_then(|task| task.rsplit('-').next());
            let thread = thread.map(str::trim_end).filter(|thread| !thread.is_empty());
            thread.is_some_and(|thread| Path::new("/proc/self/task").join(thread).exists())
        };
        trace
            .lines()
            .filter(|line| line.contains("opcode TIMEOUT,"))
            .filter(ours)
            .filter_map(|line| {
                let value = line.split("user_data 0x").nth(1)?.split([',', ' ']).next()?;
                u64::from_str_radix(value, 16).ok()
            })
            .map(|user_data| user_data as u32)
            .filter(|&id| id != 0)
            .collect()
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        fs::write(&self.enable, "0").ok();
        fs::remove_dir(&self.instance).ok();
        umount2(self.tracefs.path() as &Path, MntFlags::MNT_DETACH).ok();
    }
}

struct Tell(Sender<Completion>);

impl Upcalls<()> for Tell {
    fn completed(&mut self, completion: Completion) {
        self.0.send(completion).ok();
    }
    fn event(&mut self, _: LineNumber, (): ()) {}
}

#[test]
fn every_running_request_is_in_the_ring_under_its_own_id() {
    let trace = Trace::start();
    let hardware = SoftMailbox::new(64);
    let interrupt = SoftInterrupt::new().unwrap();
    let device = SoftDevice::new(hardware.clone(), None, interrupt.clone());
    let file = device.interrupt().unwrap();
    let (tell, told) = channel();
    let engine = Mailbox::new(device, 64).unwrap();
    let driver = Driver::start(engine, Some(file), Tell(tell), 64).unwrap();
    let handle = driver.handle();
    let complement = |operand| Complement { operand, time_limit: Duration::from_millis(400) };
    // They run until their deadlines: the hardware is silent.
    let ids: HashSet<u32> =
        (0..40).map(|n| handle.submit(LineNumber(0), complement(n)).unwrap().id().get()).collect();
    for _ in 0..40 {
        let completion = told.recv_timeout(DEADLINE).unwrap();
        assert_eq!(completion.result, Err(Failure::Deadline.errno()));
        assert!(ids.contains(&completion.id.get()));
    }
    let in_the_ring = trace.timeouts();
    let distinct: HashSet<u32> = in_the_ring.iter().copied().collect();
    assert_eq!(distinct, ids, "each request by its id, and nothing else");
    assert_eq!(in_the_ring.len(), ids.len(), "each once");
}
