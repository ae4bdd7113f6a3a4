//! A card with the module `ringback`, as used by a program without Ringback's driver: the mapped
//! registers and DMA memory, the ports' files, the counters.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use ringback_driver::device::mmio::{MappedMemory, MappedRegisters};
use ringback_driver::device::sysfs::SysfsRoot;
use ringback_driver::device::uio::UioInfo;
use ringback_driver::device::{DmaMemory, Registers};

use crate::{Outcome, slowness};

/// Limit of waits for what has to happen.
pub fn long() -> Duration {
    slowness::here(Duration::from_secs(60))
}

/// Registers of the Tiger320.
pub const CNTL: usize = 0x00;
pub const OPER: usize = 0x01;
pub const AUXC: usize = 0x02;
pub const AUXD: usize = 0x03;
/// What the module enables in MASK0 (register 0x04), which can't be read.
const WANTED: u8 = 0x3C;
pub const MASK1: usize = 0x05;
pub const INTSTAT: usize = 0x06;
const SERCTL: usize = 0x2D;
const FSCDELAY: usize = 0x2F;
const CHIP_SELECT: usize = 0xC8;

/// Bits of AUXD: the serial bus to the modules.
const CS: u8 = 1 << 2;
const SCLK: u8 = 1 << 3;
const SDI: u8 = 1 << 4;

const PAGE: u64 = 4096;

/// The kind of a slot's module, which decides how its registers are addressed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Fxs,
    Fxo,
}

/// The index of the card to use: the variable `CARD`, or the first one.
fn number() -> usize {
    std::env::var("CARD").ok().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Reads the card's entries in sysfs, without opening it.
pub fn info() -> Result<UioInfo, String> {
    UioInfo::all(&SysfsRoot::system())
        .into_iter()
        .filter(|info| info.name == "ringback")
        .nth(number())
        .ok_or_else(|| "there is no UIO device ringback".to_owned())
}

/// The address of the card's PCI function.
pub fn pci_address() -> Result<String, String> {
    let address = info()?.pci.ok_or("the UIO device is no PCI function's")?;
    Ok(address.to_string())
}

/// Reads a counter of the module.
pub fn counter(name: &str) -> Result<u64, String> {
    let path = format!("/sys/class/uio/uio{}/device/{name}", info()?.number);
    let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    text.trim().parse().map_err(|_| format!("{path}: not a number: {text}"))
}

/// Opens `/dev/uioN` of the card.
pub fn open_control(flags: i32) -> io::Result<File> {
    let number = info().map_err(io::Error::other)?.number;
    open(PathBuf::from(format!("/dev/uio{number}")), flags)
}

/// Opens the character device of a slot.
pub fn open_port(slot: usize, flags: i32) -> io::Result<File> {
    open(PathBuf::from(format!("/dev/ringback{}p{slot}", number())), flags)
}

fn open(path: PathBuf, flags: i32) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)
}

/// An open card. Its fields may be dropped one by one.
pub struct Card {
    pub control: Option<File>,
    pub registers: Option<MappedRegisters>,
    pub dma: Option<MappedMemory>,
    bus: u32,
}

impl Card {
    pub fn open() -> Result<Card, String> {
        let failed = |what: &'static str| move |error| format!("{what}: {error}");
        let info = info()?;
        let bus = info.dma().ok_or("the module does not show the DMA memory")?.address;
        let bus = u32::try_from(bus).map_err(|_| format!("DMA memory at {bus:#x}, over 4 GiB"))?;
        let control = open_control(libc::O_NONBLOCK).map_err(failed("/dev/uio"))?;
        Card::map(control, bus)
    }

    /// Opens a card and starts its rings once the card is no longer in use: the kernel ends the
    /// io_uring of a process, and with it the use of the file, some time after the process.
    pub fn running_when_free() -> Result<Card, String> {
        until("the end of the UIO file's use", || match open_control(0) {
            Ok(_) => Ok(true),
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => Ok(false),
            Err(error) => Err(format!("/dev/uio: {error}")),
        })?;
        Card::running()
    }

    /// Maps the same file once more.
    pub fn again(&self) -> Result<Card, String> {
        let control = self.control.as_ref().ok_or("the control file is closed")?;
        Card::map(control.try_clone().map_err(|error| error.to_string())?, self.bus)
    }

    fn map(control: File, bus: u32) -> Result<Card, String> {
        let failed = |what: &'static str| move |error| format!("{what}: {error}");
        let size = PAGE as usize;
        let registers =
            MappedRegisters::new(&control, 0, 0, size).map_err(failed("the registers"))?;
        let dma = MappedMemory::new(&control, PAGE, 0, size, u64::from(bus))
            .map_err(failed("the DMA memory"))?;
        Ok(Card { control: Some(control), registers: Some(registers), dma: Some(dma), bus })
    }

    /// Opens a card and starts its rings.
    pub fn running() -> Result<Card, String> {
        let card = Card::open()?;
        card.reset();
        card.start()?;
        Ok(card)
    }

    pub fn read(&self, register: usize) -> u8 {
        self.registers.as_ref().map_or(0, |registers| registers.read8(register))
    }

    pub fn write(&self, register: usize, value: u8) {
        if let Some(registers) = &self.registers {
            registers.write8(register, value);
        }
    }

    fn write32(&self, register: usize, value: u32) {
        if let Some(registers) = &self.registers {
            registers.write32(register, value);
        }
    }

    /// Returns all words of the DMA memory.
    pub fn memory(&self) -> Vec<u32> {
        let words = 0..PAGE as usize / 4;
        self.dma.as_ref().map_or(Vec::new(), |dma| words.map(|word| dma.read32(word * 4)).collect())
    }

    /// Resets the modules and lets them run.
    pub fn reset(&self) {
        self.write(OPER, 0);
        self.write(CNTL, 0x06);
        self.write(AUXD, CS | SCLK | SDI);
        self.write(AUXC, 0xDF);
        self.write(CNTL, 0x4F);
        self.write(SERCTL, 0xC1);
        self.write(FSCDELAY, 0);
    }

    /// Starts the rings, with interrupts.
    pub fn start(&self) -> Outcome {
        self.write(OPER, 0);
        for (start, at) in [(0x08, self.bus), (0x18, self.bus + 64)] {
            self.write32(start, at);
            self.write32(start + 4, at + 28);
            self.write32(start + 8, at + 60);
        }
        self.write(INTSTAT, 0xFF);
        self.write(CNTL, 0x41);
        self.interrupts(true)?;
        self.write(OPER, 1);
        Ok(())
    }

    /// Stops the rings, whose interrupt is enabled. The last interrupt may still come, and the
    /// module would then move samples; this waits until it is acknowledged.
    pub fn stop(&self) -> Outcome {
        self.write(OPER, 0);
        until("the last interrupt served", || Ok(self.read(INTSTAT) & WANTED == 0))
    }

    /// Enables or disables the interrupt by `irqcontrol`.
    pub fn interrupts(&self, on: bool) -> Outcome {
        let mut control = self.control.as_ref().ok_or("the control file is closed")?;
        let written = control.write(&i32::from(on).to_ne_bytes());
        written.map(drop).map_err(|error| format!("irqcontrol: {error}"))
    }

    /// Makes an FXS module return each byte that it gets (Si3210 register 8).
    pub fn loop_back(&self, slot: usize) {
        self.interface(slot, Kind::Fxs);
        self.set(slot, Kind::Fxs, 8, 0x02);
    }

    /// Feeds the telephone at an FXS module, so that it can send and receive sound.
    pub fn feed_telephone(&self, slot: usize) {
        self.interface(slot, Kind::Fxs);
        self.set(slot, Kind::Fxs, 8, 0x00);
        self.set(slot, Kind::Fxs, 14, 0x00);
        self.set(slot, Kind::Fxs, 64, 0x01);
    }

    /// Powers an FXO module up and takes its line off-hook (Si3050 register 5).
    pub fn seize_line(&self, slot: usize) {
        self.set(slot, Kind::Fxo, 6, 0x00);
        self.interface(slot, Kind::Fxo);
        self.set(slot, Kind::Fxo, 5, 0x09);
    }

    /// Connects a module's u-law samples to the byte of its slot.
    fn interface(&self, slot: usize, kind: Kind) {
        let (mode, counts) = match kind {
            Kind::Fxs => (1, [2, 4]),
            Kind::Fxo => (33, [34, 36]),
        };
        for count in counts {
            self.set(slot, kind, count, (3 - slot as u8) * 8);
            self.set(slot, kind, count + 1, 0);
        }
        self.set(slot, kind, mode, 0x28);
    }

    /// Writes a register of a module.
    fn set(&self, slot: usize, kind: Kind, register: u8, value: u8) {
        self.write(CHIP_SELECT, 1 << slot);
        if kind == Kind::Fxo {
            self.send(0x20);
        }
        self.send(register);
        self.send(value);
    }

    /// Sends a byte over the serial bus, most significant bit first.
    fn send(&self, byte: u8) {
        for bit in (0..8).rev() {
            let data = if byte >> bit & 1 == 1 { SDI } else { 0 };
            self.write(AUXD, data);
            self.write(AUXD, data | SCLK);
        }
        self.write(AUXD, CS | SCLK | SDI);
    }
}

/// Waits until the condition holds.
pub fn until(what: &str, mut holds: impl FnMut() -> Result<bool, String>) -> Outcome {
    let start = Instant::now();
    while !holds()? {
        if start.elapsed() > long() {
            return Err(format!("{what} never came"));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Checks that the result is an error, and that it is this errno.
pub fn fails<T: std::fmt::Debug>(what: &str, errno: i32, result: io::Result<T>) -> Outcome {
    match result {
        Err(error) if error.raw_os_error() == Some(errno) => Ok(()),
        other => {
            let wanted = io::Error::from_raw_os_error(errno);
            Err(format!("{what}: {other:?}, and not {wanted}"))
        }
    }
}

/// Checks that two values are equal.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: T, wanted: T) -> Outcome {
    if is == wanted { Ok(()) } else { Err(format!("{what}: {is:?}, and not {wanted:?}")) }
}

/// Returns samples without a visible order and without silence, different for each seed.
pub fn pattern(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 16) as u8
    };
    // 0x7F and 0xFF both decode to 0 and are left out.
    std::iter::from_fn(|| Some(next())).filter(|byte| byte & 0x7F != 0x7F).take(length).collect()
}
