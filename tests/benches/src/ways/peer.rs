//! What the peers have in common: the mailbox's registers, and requests in a map under a mutex.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use ringback_driver::device::{Device, InterruptSize, Registers};

use super::words;
use crate::hardware::Hardware;
use crate::plant::Plant;
use crate::probe::{Probe, ProbeDevice};

const ENTRIES: usize = 0x04;
const SUBMITTED: usize = 0x08;
const ANSWERED: usize = 0x10;
const REAPED: usize = 0x14;
const CONTROL: usize = 0x18;
const RINGS: usize = 0x1000;

/// The mailbox by its registers, without any notion of a request beyond its tag.
pub(super) struct Registered<D: Device> {
    device: ProbeDevice<D>,
    entries: u32,
    submitted: Mutex<u32>,
}

impl<D: Device> Registered<D> {
    fn new(device: ProbeDevice<D>) -> Self {
        let registers = device.registers();
        let entries = registers.read32(ENTRIES);
        let submitted = registers.read32(SUBMITTED);
        registers.write32(REAPED, registers.read32(ANSWERED));
        registers.write32(CONTROL, 1);
        Registered { device, entries, submitted: Mutex::new(submitted) }
    }

    fn entry(&self, number: u32) -> usize {
        RINGS + 8 * (number & (self.entries - 1)) as usize
    }

    /// Writes a command and rings the doorbell.
    pub(super) fn ring(&self, tag: u32, operand: u32) {
        let mut submitted = self.submitted.lock().unwrap_or_else(PoisonError::into_inner);
        self.put(*submitted, tag, operand);
        *submitted = submitted.wrapping_add(1);
    }

    /// How many commands were submitted.
    pub(super) fn count(&self) -> u32 {
        *self.submitted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For who has submitted by [`Registered::put`].
    pub(super) fn set_count(&self, submitted: u32) {
        *self.submitted.lock().unwrap_or_else(PoisonError::into_inner) = submitted;
    }

    /// As [`Registered::ring`], for the only thread that submits: gives the next count.
    pub(super) fn put(&self, submitted: u32, tag: u32, operand: u32) -> u32 {
        let registers = self.device.registers();
        let entry = self.entry(submitted);
        registers.write32(entry, tag);
        registers.write32(entry + 4, operand);
        let submitted = submitted.wrapping_add(1);
        registers.write32(SUBMITTED, submitted);
        submitted
    }

    /// Hands each new answer to `f`: tag and answer. Only for the one thread that reaps.
    pub(super) fn reap(&self, reaped: &mut u32, mut f: impl FnMut(u32, u32)) {
        let registers = self.device.registers();
        let answered = registers.read32(ANSWERED);
        while *reaped != answered {
            let entry = self.entry(*reaped) + 8 * self.entries as usize;
            let (tag, answer) = (registers.read32(entry), registers.read32(entry + 4));
            *reaped = reaped.wrapping_add(1);
            f(tag, answer);
        }
        registers.write32(REAPED, answered);
    }
}

/// A mailbox with its interrupt file, as every peer gets it.
pub(super) struct Common<D: Device> {
    pub(super) mailbox: Registered<D>,
    pub(super) hardware: Hardware,
    pub(super) probe: Arc<Probe>,
    pub(super) over: AtomicBool,
}

impl<D: Device + Sync> Common<D> {
    /// The interrupt file is made blocking or not, and comes with the size of its reads.
    pub(super) fn set_up<P: Plant<Device = D>>(
        plant: &P,
        blocking: bool,
        aside: Option<usize>,
    ) -> Result<(Arc<Self>, OwnedFd, usize), String> {
        let (device, hardware) = plant.set_up(aside).map_err(words("device"))?;
        let interrupt = device.interrupt().map_err(words("interrupt"))?;
        let size = match interrupt.size {
            InterruptSize::UioCounter => 4,
            InterruptSize::EventFd => 8,
        };
        let set = || {
            let mut flags = OFlag::from_bits_retain(fcntl(&interrupt.fd, FcntlArg::F_GETFL)?);
            flags.set(OFlag::O_NONBLOCK, !blocking);
            fcntl(&interrupt.fd, FcntlArg::F_SETFL(flags))
        };
        set().map_err(|error| format!("fcntl: {error}"))?;
        let probe = Arc::new(Probe::default());
        let mailbox = Registered::new(ProbeDevice::new(device, Arc::clone(&probe)));
        let common = Common { mailbox, hardware, probe, over: AtomicBool::new(false) };
        Ok((Arc::new(common), interrupt.fd, size))
    }

    /// Has the reaper stop at the interrupt that this makes.
    pub(super) fn stop(&self) {
        self.over.store(true, Ordering::Release);
        self.mailbox.ring(u32::MAX, 0);
        self.hardware.nudge();
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}

/// What is called when a request is over.
pub(super) type Callback = Box<dyn FnOnce(i32) + Send>;

/// Requests by id.
pub(super) struct Pending<T> {
    requests: Mutex<HashMap<u32, (u32, T)>>,
    next: AtomicU32,
}

impl<T> Pending<T> {
    pub(super) fn new() -> Self {
        Pending { requests: Mutex::default(), next: AtomicU32::new(0) }
    }

    /// Puts a request in, then rings the doorbell.
    pub(super) fn submit<D: Device>(&self, mailbox: &Registered<D>, operand: u32, then: T) {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.insert(id, (operand, then));
        drop(requests);
        mailbox.ring(id, operand);
    }

    /// Takes the request an answer belongs to, with its result.
    pub(super) fn take(&self, id: u32, answer: u32) -> Option<(T, i32)> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let (operand, then) = requests.remove(&id)?;
        Some((then, if answer == !operand { 0 } else { -libc::EBADMSG }))
    }
}
