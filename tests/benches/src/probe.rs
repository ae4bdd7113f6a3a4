//! Time stamps on the path of a request.
//!
//! Every sample has time stamps before the call, after it, and in the callback, and the hardware
//! stamps its interrupts. The stages need more, which are taken only in every eighth sample
//! ([`Probe::is_staged`]); such samples count for the stages and not for the whole, so that the
//! whole does not contain the cost of the time stamps.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use ringback_driver::device::{Device, InterruptFd, Registers};

use crate::clock::now;

/// The place at which the callback of a thread's request arrives.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Landing {
    at: AtomicU64,
    woke: AtomicU64,
    /// The thread that sleeps until then.
    sleeper: OnceLock<Thread>,
}

impl Landing {
    pub(crate) fn clear(&self) {
        self.at.store(0, Ordering::Relaxed);
    }

    /// Called in the callback.
    pub(crate) fn land(&self) {
        self.land_at(now());
    }

    /// Called in the callback, with the time at which the reaper woke.
    pub(crate) fn land_from(&self, woke: u64) {
        let at = now();
        self.woke.store(woke, Ordering::Relaxed);
        self.land_at(at);
    }

    fn land_at(&self, at: u64) {
        self.at.store(at, Ordering::Release);
        if let Some(sleeper) = self.sleeper.get() {
            sleeper.unpark();
        }
    }

    /// Makes each landing wake the calling thread, see [`Landing::sleep`].
    pub(crate) fn wake_me(&self) {
        let _ = self.sleeper.set(thread::current());
    }

    /// Sleeps until something has landed, for at most `limit`.
    pub(crate) fn sleep(&self, limit: Duration) {
        thread::park_timeout(limit);
    }

    /// Returns when the callback ran, and when its reaper woke if that is known.
    pub(crate) fn landed(&self) -> Option<(u64, u64)> {
        let at = self.at.load(Ordering::Acquire);
        (at != 0).then(|| (at, self.woke.load(Ordering::Relaxed)))
    }

    pub(crate) fn several(count: usize) -> Arc<[Landing]> {
        (0..count).map(|_| Landing::default()).collect()
    }
}

/// The time stamps of a sample for the stages.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Probe {
    staged: AtomicBool,
    doorbell: AtomicU64,
    woke: AtomicU64,
}

impl Probe {
    pub(crate) fn stage(&self, staged: bool) {
        self.staged.store(staged, Ordering::Relaxed);
        self.woke.store(0, Ordering::Relaxed);
    }

    pub(crate) fn is_staged(&self) -> bool {
        self.staged.load(Ordering::Relaxed)
    }

    /// Called when a reaper's wait has returned.
    pub(crate) fn woken(&self) {
        if self.is_staged() {
            self.woke.store(now(), Ordering::Relaxed);
        }
    }

    pub(crate) fn doorbell(&self) -> u64 {
        self.doorbell.load(Ordering::Relaxed)
    }

    pub(crate) fn woke(&self) -> u64 {
        self.woke.load(Ordering::Relaxed)
    }
}

/// A device whose doorbell is time-stamped.
pub(crate) struct ProbeDevice<D> {
    registers: ProbeRegisters<D>,
}

impl<D: Device> ProbeDevice<D> {
    /// `doorbell` is the register whose writes are time-stamped.
    pub(crate) fn new(device: D, doorbell: usize, probe: Arc<Probe>) -> Self {
        ProbeDevice { registers: ProbeRegisters { device, doorbell, probe } }
    }
}

impl<D: Device> Device for ProbeDevice<D> {
    type Registers = ProbeRegisters<D>;
    type Dma = D::Dma;

    fn name(&self) -> &str {
        self.registers.device.name()
    }
    fn registers(&self) -> &ProbeRegisters<D> {
        &self.registers
    }
    fn dma(&self) -> Option<&D::Dma> {
        self.registers.device.dma()
    }
    fn interrupt(&self) -> io::Result<InterruptFd> {
        self.registers.device.interrupt()
    }
    fn rearm(&self) -> io::Result<()> {
        self.registers.device.rearm()
    }
    fn enable_bus_master(&self) -> io::Result<()> {
        self.registers.device.enable_bus_master()
    }
}

/// The registers, of which the doorbell is time-stamped.
pub(crate) struct ProbeRegisters<D> {
    device: D,
    doorbell: usize,
    probe: Arc<Probe>,
}

impl<D> ProbeRegisters<D> {
    fn written(&self, offset: usize) {
        if offset == self.doorbell && self.probe.is_staged() {
            self.probe.doorbell.store(now(), Ordering::Relaxed);
        }
    }
}

impl<D: Device> Registers for ProbeRegisters<D> {
    fn len(&self) -> usize {
        self.device.registers().len()
    }
    fn read8(&self, offset: usize) -> u8 {
        self.device.registers().read8(offset)
    }
    fn write8(&self, offset: usize, value: u8) {
        self.device.registers().write8(offset, value);
        self.written(offset);
    }
    fn read32(&self, offset: usize) -> u32 {
        self.device.registers().read32(offset)
    }
    fn write32(&self, offset: usize, value: u32) {
        self.device.registers().write32(offset, value);
        self.written(offset);
    }
}
