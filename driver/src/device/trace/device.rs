//! A device whose accesses are traced.

use std::io;
use std::sync::Arc;

use super::{NotedAccess, RegisterTrace};
use crate::device::{Device, Files, InterruptFd, Registers};

/// A device with a trace of the accesses to it, if one is wanted.
#[derive(Debug)]
pub struct TracedDevice<D> {
    device: D,
    trace: Option<Arc<RegisterTrace>>,
}

impl<D: Device> TracedDevice<D> {
    /// Traces a device; without a trace it is the device itself.
    pub fn new(device: D, trace: Option<Arc<RegisterTrace>>) -> TracedDevice<D> {
        TracedDevice { device, trace }
    }
}

impl<D: Device> Registers for TracedDevice<D> {
    fn len(&self) -> usize {
        self.device.registers().len()
    }

    fn read8(&self, offset: usize) -> u8 {
        self.device.registers().read8(offset)
    }

    fn write8(&self, offset: usize, value: u8) {
        self.device.registers().write8(offset, value);
    }

    fn read32(&self, offset: usize) -> u32 {
        self.device.registers().read32(offset)
    }

    fn write32(&self, offset: usize, value: u32) {
        self.device.registers().write32(offset, value);
    }

    fn note(&self, access: NotedAccess) {
        if let Some(trace) = &self.trace {
            trace.note(access);
        }
    }
}

impl<D: Device> Device for TracedDevice<D> {
    type Registers = TracedDevice<D>;
    type Dma = D::Dma;

    fn name(&self) -> &str {
        self.device.name()
    }

    fn registers(&self) -> &TracedDevice<D> {
        self
    }

    fn dma(&self) -> Option<&D::Dma> {
        self.device.dma()
    }

    fn interrupt(&self) -> io::Result<InterruptFd> {
        self.device.interrupt()
    }

    fn kernel_moves_samples(&self) -> bool {
        self.device.kernel_moves_samples()
    }

    fn kernel_acknowledges(&self) -> bool {
        self.device.kernel_acknowledges()
    }

    fn files(&self) -> io::Result<Files> {
        self.device.files()
    }

    fn rearm(&self) -> io::Result<()> {
        self.device.rearm()
    }

    fn enable_bus_master(&self) -> io::Result<()> {
        self.device.enable_bus_master()
    }
}
