//! Hardware in software: a device whose registers are function calls.
//!
//! A [`SoftDevice`] looks to a driver like any other card: registers, memory that the card masters,
//! an interrupt that a ring can wait for. Behind it is a [`Hardware`]. The three pieces that a real
//! card and its driver share are made first and given to both sides:
//!
//! ```
//! use std::sync::{Arc, atomic::{AtomicU32, Ordering}};
//! use ringback_driver::device::{Device, DmaMemory, Registers};
//! use ringback_driver::device::soft::{Hardware, SoftDevice, SoftInterrupt, SoftMemory};
//!
//! /// Adds what is written to it to the first word of its memory, and interrupts.
//! struct Adder { memory: Arc<SoftMemory>, interrupt: SoftInterrupt }
//!
//! impl Hardware for Adder {
//!     fn len(&self) -> usize { 4 }
//!     fn read(&self, _offset: usize, _width: u32) -> u32 { 0 }
//!     fn write(&self, _offset: usize, _width: u32, value: u32) {
//!         let address = SoftMemory::BUS_ADDRESS;
//!         let sum = self.memory.read(address).map(|word| word + value);
//!         if sum.is_some_and(|sum| self.memory.write(address, sum)) {
//!             self.interrupt.raise();
//!         }
//!     }
//! }
//!
//! # fn main() -> std::io::Result<()> {
//! let memory = Arc::new(SoftMemory::new(64));
//! let interrupt = SoftInterrupt::new()?;
//! let adder = Adder { memory: Arc::clone(&memory), interrupt: interrupt.clone() };
//! let device = SoftDevice::new(adder, Some(memory), interrupt);
//!
//! device.enable_bus_master()?;
//! device.registers().write32(0, 5);
//! assert_eq!(device.dma().map(|dma| dma.read32(0)), Some(5));
//! # Ok(())
//! # }
//! ```
//!
//! As on a PCI bus, the card reaches memory only after the driver called
//! [`Device::enable_bus_master`] and until the device is dropped; else its accesses fail (a master
//! abort).
//!
//! With the cargo feature `softcard`, `SoftDevice::card` plugs in the TDM400P of
//! `ringback-softcard`, and its `SoftUart` is a [`Hardware`].

#[cfg(feature = "softcard")]
mod card;
#[cfg(any(test, feature = "softcard"))]
mod uart;

use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use nix::sys::eventfd::{EfdFlags, EventFd};

use super::{Device, DmaMemory, InterruptFd, InterruptSize, Registers, reaches};
use crate::sync::EvenPoisoned;

/// A register file in software.
///
/// Called from the driver's threads at the same time; must not call back into the driver.
pub trait Hardware: Send + Sync + 'static {
    /// One read of `width` bytes (1 or 4) at a byte offset; wholly inside the window and aligned.
    fn read(&self, offset: usize, width: u32) -> u32;
    /// One write of `width` bytes (1 or 4) at a byte offset; wholly inside the window and aligned.
    fn write(&self, offset: usize, width: u32, value: u32);
    /// Size of the register window in bytes.
    fn len(&self) -> usize;
    /// Whether the window is empty.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A device made of a [`Hardware`], memory and an interrupt; selected as `soft`.
pub struct SoftDevice<H> {
    registers: SoftRegisters<H>,
    memory: Option<Arc<SoftMemory>>,
    interrupt: SoftInterrupt,
}

impl<H: Hardware> SoftDevice<H> {
    /// The driver's side of `hardware`, which holds clones of `memory` and `interrupt`.
    pub fn new(
        hardware: H,
        memory: Option<Arc<SoftMemory>>,
        interrupt: SoftInterrupt,
    ) -> SoftDevice<H> {
        SoftDevice { registers: SoftRegisters { hardware }, memory, interrupt }
    }
}

impl<H: Hardware> Device for SoftDevice<H> {
    type Registers = SoftRegisters<H>;
    type Dma = Arc<SoftMemory>;

    fn name(&self) -> &str {
        "soft"
    }

    fn registers(&self) -> &SoftRegisters<H> {
        &self.registers
    }

    fn dma(&self) -> Option<&Arc<SoftMemory>> {
        self.memory.as_ref()
    }

    fn interrupt(&self) -> io::Result<InterruptFd> {
        let fd = self.interrupt.event.as_fd().try_clone_to_owned()?;
        Ok(InterruptFd { fd, size: InterruptSize::EventFd })
    }

    /// Unmasks an [interrupt line](SoftInterrupt::line); a message never masks itself.
    fn rearm(&self) -> io::Result<()> {
        self.interrupt.unmask();
        Ok(())
    }

    fn enable_bus_master(&self) -> io::Result<()> {
        if let Some(memory) = &self.memory {
            memory.reachable.store(true, Ordering::Release);
        }
        Ok(())
    }
}

impl<H> Drop for SoftDevice<H> {
    /// Ends bus mastering, as closing any other device does.
    fn drop(&mut self) {
        if let Some(memory) = &self.memory {
            memory.reachable.store(false, Ordering::Release);
        }
    }
}

/// The register window of a [`SoftDevice`].
pub struct SoftRegisters<H> {
    hardware: H,
}

impl<H: Hardware> SoftRegisters<H> {
    /// The hardware behind the registers.
    pub fn hardware(&self) -> &H {
        &self.hardware
    }
}

impl<H: Hardware> Registers for SoftRegisters<H> {
    fn len(&self) -> usize {
        self.hardware.len()
    }

    fn read8(&self, offset: usize) -> u8 {
        if !reaches(self.len(), offset, 1) {
            return u8::MAX;
        }
        self.hardware.read(offset, 1) as u8
    }

    fn write8(&self, offset: usize, value: u8) {
        if reaches(self.len(), offset, 1) {
            self.hardware.write(offset, 1, u32::from(value));
        }
    }

    fn read32(&self, offset: usize) -> u32 {
        if !reaches(self.len(), offset, 4) {
            return u32::MAX;
        }
        self.hardware.read(offset, 4)
    }

    fn write32(&self, offset: usize, value: u32) {
        if reaches(self.len(), offset, 4) {
            self.hardware.write(offset, 4, value);
        }
    }
}

/// Memory that the driver and the card share.
///
/// The driver's side is [`DmaMemory`], by offset. The card's side is [`SoftMemory::read`] and
/// [`SoftMemory::write`], by bus address.
#[derive(Debug)]
pub struct SoftMemory {
    words: Box<[AtomicU32]>,
    /// The card is bus master.
    reachable: AtomicBool,
}

impl SoftMemory {
    /// The bus address of the first byte.
    pub const BUS_ADDRESS: u32 = 0x0010_0000;

    /// Zeroed memory of `len` bytes, rounded up to whole words; not yet reachable by the card.
    pub fn new(len: usize) -> SoftMemory {
        let words = (0..len.div_ceil(4)).map(|_| AtomicU32::new(0)).collect();
        SoftMemory { words, reachable: AtomicBool::new(false) }
    }

    /// The card reads a word; `None` is a master abort: an address outside the memory, one that is
    /// not a multiple of 4, or a card that is not bus master.
    pub fn read(&self, bus_address: u32) -> Option<u32> {
        self.on_bus(bus_address).map(|word| word.load(Ordering::Acquire))
    }

    /// The card writes a word; false is a master abort, as for [`SoftMemory::read`].
    pub fn write(&self, bus_address: u32, value: u32) -> bool {
        let word = self.on_bus(bus_address);
        word.map(|word| word.store(value, Ordering::Release)).is_some()
    }

    fn on_bus(&self, bus_address: u32) -> Option<&AtomicU32> {
        let offset = bus_address.checked_sub(Self::BUS_ADDRESS)?;
        let word = self.word(usize::try_from(offset).ok()?)?;
        self.reachable.load(Ordering::Acquire).then_some(word)
    }

    fn word(&self, offset: usize) -> Option<&AtomicU32> {
        if offset.is_multiple_of(4) { self.words.get(offset / 4) } else { None }
    }
}

impl DmaMemory for Arc<SoftMemory> {
    fn len(&self) -> usize {
        self.words.len() * 4
    }

    fn bus_address(&self) -> u64 {
        u64::from(SoftMemory::BUS_ADDRESS)
    }

    fn read32(&self, offset: usize) -> u32 {
        self.word(offset).map_or(0, |word| word.load(Ordering::Acquire))
    }

    fn write32(&self, offset: usize, value: u32) {
        if let Some(word) = self.word(offset) {
            word.store(value, Ordering::Release);
        }
    }
}

/// The interrupt of a card in software; clones are the same interrupt.
///
/// There are two kinds, as on a PCI bus. A message ([`SoftInterrupt::new`]) is signalled whenever
/// it is raised. A line ([`SoftInterrupt::line`]) is masked when it is signalled, as UIO and VFIO
/// do, until the driver calls [`Device::rearm`]. If the card still raises it then, because its
/// cause was not acknowledged, it is signalled again.
#[derive(Debug, Clone)]
pub struct SoftInterrupt {
    event: Arc<EventFd>,
    line: Option<Arc<Mutex<IrqLine>>>,
}

/// The state of an interrupt line.
#[derive(Debug, Default)]
struct IrqLine {
    raised: bool,
    masked: bool,
}

impl IrqLine {
    /// Returns whether the interrupt is to be signalled now, and masks it in that case.
    fn fires(&mut self) -> bool {
        let fires = self.raised && !self.masked;
        self.masked |= fires;
        fires
    }
}

impl SoftInterrupt {
    /// A message that was never sent.
    ///
    /// # Errors
    /// The error of `eventfd(2)`: no descriptor or no memory left.
    pub fn new() -> io::Result<SoftInterrupt> {
        // Non-blocking, so that raising it can never hang the card.
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(SoftInterrupt { event: Arc::new(event), line: None })
    }

    /// A line that was never raised.
    ///
    /// # Errors
    /// Those of [`SoftInterrupt::new`].
    pub fn line() -> io::Result<SoftInterrupt> {
        Ok(SoftInterrupt { line: Some(Arc::default()), ..SoftInterrupt::new()? })
    }

    /// The card interrupts. A line stays raised until [`SoftInterrupt::lower`].
    pub fn raise(&self) {
        self.change(|line| line.raised = true);
    }

    /// The card takes back what it has raised: the driver has acknowledged the cause. A message
    /// can't be taken back.
    pub fn lower(&self) {
        if self.line.is_some() {
            self.change(|line| line.raised = false);
        }
    }

    fn unmask(&self) {
        if self.line.is_some() {
            self.change(|line| line.masked = false);
        }
    }

    /// Changes a line and signals what comes of it; a message is always signalled.
    fn change(&self, change: impl FnOnce(&mut IrqLine)) {
        if let Some(line) = &self.line {
            // A poisoned lock is fine, because each change is a single step.
            let mut line = line.lock().even_poisoned();
            change(&mut line);
            if !line.fires() {
                return;
            }
        }
        // Fails only when the counter is full; then the file is readable already.
        let _ = self.event.write(1);
    }
}

#[cfg(test)]
mod tests {
    use super::super::ring::{Completion, Places, Ring};
    use super::*;

    /// Remembers each access; reads give the offset.
    #[derive(Default)]
    struct Recorder {
        writes: Mutex<Vec<(usize, u32, u32)>>,
    }

    impl Hardware for Recorder {
        fn read(&self, offset: usize, width: u32) -> u32 {
            assert!(offset + width as usize <= 10);
            offset as u32
        }
        fn write(&self, offset: usize, width: u32, value: u32) {
            self.writes.lock().unwrap().push((offset, width, value));
        }
        fn len(&self) -> usize {
            10
        }
    }

    fn device() -> SoftDevice<Recorder> {
        let memory = Arc::new(SoftMemory::new(128));
        SoftDevice::new(Recorder::default(), Some(memory), SoftInterrupt::new().unwrap())
    }

    #[test]
    fn accesses_inside_the_window_reach_the_hardware() {
        let device = device();
        let registers = device.registers();
        assert_eq!(registers.len(), 10);
        assert_eq!(registers.read8(9), 9);
        assert_eq!(registers.read32(4), 4);
        registers.write8(9, 0xFE);
        registers.write32(4, 0xDEAD_BEEF);
        assert_eq!(
            *registers.hardware().writes.lock().unwrap(),
            [(9, 1, 0xFE), (4, 4, 0xDEAD_BEEF)]
        );
    }

    #[test]
    fn accesses_outside_the_window_are_not_made() {
        let device = device();
        let registers = device.registers();
        for offset in [10, 11, usize::MAX] {
            assert_eq!(registers.read8(offset), u8::MAX);
            registers.write8(offset, 1);
        }
        for offset in [8, 12, 2, 3, usize::MAX, usize::MAX - 3] {
            assert_eq!(registers.read32(offset), u32::MAX);
            registers.write32(offset, 1);
        }
        assert!(registers.hardware().writes.lock().unwrap().is_empty());
    }

    #[test]
    fn both_sides_see_the_same_memory() {
        let device = device();
        device.enable_bus_master().unwrap();
        let dma = device.dma().unwrap();
        assert_eq!((dma.len(), dma.bus_address()), (128, 0x0010_0000));
        dma.write32(64, 0x0102_0304);
        assert_eq!(dma.read(SoftMemory::BUS_ADDRESS + 64), Some(0x0102_0304));
        assert!(dma.write(SoftMemory::BUS_ADDRESS + 124, 7));
        assert_eq!(dma.read32(124), 7);
    }

    #[test]
    fn outside_the_memory_is_nothing() {
        let device = device();
        device.enable_bus_master().unwrap();
        let dma = device.dma().unwrap();
        for address in [0, SoftMemory::BUS_ADDRESS - 4, SoftMemory::BUS_ADDRESS + 128, u32::MAX] {
            assert_eq!(dma.read(address), None);
            assert!(!dma.write(address, 1));
        }
        assert_eq!(dma.read(SoftMemory::BUS_ADDRESS + 2), None, "not a word's address");
        for offset in [128, 130, 2, usize::MAX, usize::MAX - 3] {
            dma.write32(offset, 1);
            assert_eq!(dma.read32(offset), 0);
        }
        assert!((0..32).all(|word| dma.read32(word * 4) == 0));
    }

    #[test]
    fn the_card_reaches_memory_only_as_bus_master() {
        let device = device();
        let dma = device.dma().unwrap();
        dma.write32(0, 5);
        assert_eq!(dma.read(SoftMemory::BUS_ADDRESS), None);
        assert!(!dma.write(SoftMemory::BUS_ADDRESS, 6));
        assert_eq!(dma.read32(0), 5);
        device.enable_bus_master().unwrap();
        assert_eq!(dma.read(SoftMemory::BUS_ADDRESS), Some(5));
    }

    #[test]
    fn a_line_is_signalled_once_until_it_is_rearmed_and_again_while_it_is_raised() {
        let interrupt = SoftInterrupt::line().unwrap();
        let device = SoftDevice::new(Recorder::default(), None, interrupt.clone());
        let told = || interrupt.event.read().unwrap_or(0);
        interrupt.raise();
        interrupt.raise();
        assert_eq!(told(), 1);
        assert_eq!(told(), 0, "masked");
        device.rearm().unwrap();
        assert_eq!(told(), 1, "its cause was not acknowledged");
        interrupt.lower();
        device.rearm().unwrap();
        assert_eq!(told(), 0);
        interrupt.raise();
        assert_eq!(told(), 1);
        interrupt.lower();
        interrupt.raise();
        assert_eq!(told(), 0, "masked");
        device.rearm().unwrap();
        assert_eq!(told(), 1, "raised while it was masked");
        let message = SoftInterrupt::new().unwrap();
        message.raise();
        message.lower();
        message.raise();
        assert_eq!(message.event.read().unwrap(), 2, "a message is neither masked nor taken back");
    }

    #[test]
    fn interrupts_are_reported_by_a_ring() {
        let device = device();
        let mut ring = Ring::new(16, Places { files: 1, ports: 0 }).unwrap();
        let file = ring.add_file(device.interrupt().unwrap().fd).unwrap();
        assert!(ring.listen(file, 1));
        ring.poll().unwrap();
        ring.completions(&mut |early| panic!("{early:?} without an interrupt"));

        let line = device.interrupt.clone();
        for _ in 0..2 {
            line.raise();
            let mut got = Vec::new();
            while got.is_empty() {
                ring.wait(None).unwrap();
                ring.completions(&mut |completion| got.push(completion));
            }
            assert_eq!(got, [Completion { user_data: 1, result: libc::POLLIN.into() }]);
            device.rearm().unwrap();
        }
    }
}
