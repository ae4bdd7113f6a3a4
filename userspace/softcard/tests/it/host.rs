//! The host's side of a test: memory, interrupt pin, and a minimal driver that initialises the card
//! in the order that the chips' data sheets and the drivers of the real card have.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use ringback_softcard::{CardConfig, HostMemory, InterruptLine, ModuleKind, SoftCard};

pub const CNTL: u32 = 0x00;
pub const OPER: u32 = 0x01;
pub const AUXC: u32 = 0x02;
pub const AUXD: u32 = 0x03;
pub const MASK0: u32 = 0x04;
pub const MASK1: u32 = 0x05;
pub const INTSTAT: u32 = 0x06;
pub const AUXR: u32 = 0x07;
pub const SYNC: u32 = 0xC0;
pub const CS: u32 = 0xC8;
pub const VER: u32 = 0xCC;

const AUX_CS: u8 = 1 << 2;
const AUX_SCLK: u8 = 1 << 3;
const AUX_SDI: u8 = 1 << 4;
const AUX_SDO: u8 = 1 << 5;
const AUX_IDLE: u8 = AUX_CS | AUX_SCLK | AUX_SDI;

/// The address of the rings in the host's memory: TX in its first 64 bytes, RX in the next.
pub const RING: u32 = 0x0010_0000;

/// The 44 indirect registers of an Si3210 and their values in service.
pub const INDIRECT: [u16; 44] = [
    0x55C2, 0x51E6, 0x4B85, 0x4937, 0x3333, 0x0202, 0x0202, 0x0198, 0x0198, 0x0611, 0x0202, 0x00E5,
    0x0A1C, 0x7B30, 0x0063, 0x0000, 0x7870, 0x007D, 0x0000, 0x0000, 0x7EF0, 0x0160, 0x0000, 0x2000,
    0x2000, 0x0000, 0x2000, 0x4000, 0x1000, 0x3600, 0x1000, 0x0200, 0x07C0, 0x2600, 0x1B80, 0x8000,
    0x0320, 0x008C, 0x0100, 0x0010, 0x0C00, 0x0C00, 0x1000, 0x1000,
];

/// 128 bytes of memory at [`RING`].
#[derive(Default)]
pub struct Memory(Mutex<[u32; 32]>);

impl Memory {
    fn index(address: u32) -> Option<usize> {
        let offset = address.checked_sub(RING)?;
        (offset % 4 == 0 && offset < 128).then_some(offset as usize / 4)
    }

    pub fn word(&self, index: usize) -> u32 {
        self.0.lock().unwrap()[index]
    }

    pub fn set_word(&self, index: usize, value: u32) {
        self.0.lock().unwrap()[index] = value;
    }
}

impl HostMemory for Memory {
    fn read32(&self, bus_address: u32) -> Option<u32> {
        Memory::index(bus_address).map(|index| self.word(index))
    }

    fn write32(&self, bus_address: u32, value: u32) -> bool {
        Memory::index(bus_address).map(|index| self.set_word(index, value)).is_some()
    }
}

/// Counts interrupts.
#[derive(Default)]
pub struct Pin(AtomicU32);

impl Pin {
    pub fn take(&self) -> u32 {
        self.0.swap(0, Ordering::SeqCst)
    }
}

impl InterruptLine for Pin {
    fn raise(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Why a module could not be initialised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No chip of this kind answers.
    NotThere,
    /// The DC-DC converter does not reach its voltage.
    NoPower,
    /// An indirect register does not hold its value.
    Indirect(u8),
    /// The line side does not respond.
    NoLink,
}

/// A card, and the memory and interrupt pin that it is connected to.
pub struct Host {
    pub card: SoftCard,
    pub memory: Arc<Memory>,
    pub pin: Arc<Pin>,
}

impl Host {
    pub fn new(config: CardConfig) -> Host {
        let card = SoftCard::new(config);
        let (memory, pin) = (Arc::new(Memory::default()), Arc::new(Pin::default()));
        card.connect(memory.clone(), pin.clone());
        Host { card, memory, pin }
    }

    /// Returns the driver's side for a card that is connected to another host.
    pub fn of(card: &SoftCard) -> Host {
        Host { card: card.clone(), memory: Arc::default(), pin: Arc::default() }
    }

    pub fn with(modules: [ModuleKind; 4]) -> Host {
        Host::new(CardConfig { modules, ..CardConfig::default() })
    }

    pub fn read8(&self, offset: u32) -> u8 {
        self.card.read(offset, 1) as u8
    }

    pub fn write8(&self, offset: u32, value: u8) {
        self.card.write(offset, 1, u32::from(value));
    }

    /// Resets the DMA of a card that was stopped, and starts it again.
    pub fn restart_dma(&self) {
        self.write8(CNTL, 0x43);
        self.write8(CNTL, 0x41);
        self.write8(OPER, 1);
    }

    /// Initialises the Tiger320, up to where modules can be reached. Panics where the drivers of
    /// the real card give up.
    pub fn initialise(&self) {
        self.write8(CNTL, 0x01);
        self.read8(CNTL);
        assert_eq!(self.read8(VER), 0x73);
        for value in 0..=254 {
            self.write8(CS, value);
            assert_eq!(self.read8(CS), value, "register test of the CPLD");
        }
        self.write8(SYNC, 0x01);
        assert_eq!(self.read8(SYNC), 0x01);
        self.write8(CNTL, 0x06);
        self.write8(AUXD, AUX_IDLE);
        self.write8(AUXC, 0xDF);
        self.write8(0x2B, 0x04);
        self.card.advance(250);
        self.write8(CNTL, 0x31);
        self.write8(CNTL, self.read8(CNTL) & 0xF9);
        self.write8(0x2D, 0xC1);
        self.write8(0x2F, 0x00);
        for (register, offset) in
            [(0x08, 0), (0x0C, 28), (0x10, 60), (0x18, 64), (0x1C, 92), (0x20, 124)]
        {
            self.card.write(register, 4, RING + offset);
        }
        self.write8(INTSTAT, 0xFF);
        self.card.advance(250);
    }

    /// Starts the rings; `cntl` is 0x01 (status not latched) or 0x41 (latched).
    pub fn start(&self, cntl: u8) {
        self.write8(MASK0, 0x3F);
        self.write8(MASK1, 0);
        self.write8(CNTL, 0x0F);
        self.card.advance(4);
        self.write8(CNTL, cntl);
        self.write8(OPER, 0x01);
    }

    /// Stops the card as a driver does that is removed.
    pub fn shut_down(&self) {
        self.write8(OPER, 0);
        self.write8(CNTL, 0x0F);
        self.write8(MASK0, 0);
        self.write8(MASK1, 0);
        self.write8(CNTL, 0x0E);
    }

    pub fn select(&self, slot: usize) {
        self.write8(CS, 1 << slot);
    }

    pub fn spi_write(&self, byte: u8) {
        self.write8(AUXD, AUX_SCLK | AUX_SDI);
        for bit in (0..8).rev() {
            let sdi = if byte >> bit & 1 != 0 { AUX_SDI } else { 0 };
            self.write8(AUXD, sdi);
            self.write8(AUXD, sdi | AUX_SCLK);
        }
        self.write8(AUXD, AUX_IDLE);
    }

    pub fn spi_read(&self) -> u8 {
        let mut byte = 0;
        self.write8(AUXD, AUX_SCLK | AUX_SDI);
        for _ in 0..8 {
            self.write8(AUXD, AUX_SDI);
            self.write8(AUXD, AUX_SDI | AUX_SCLK);
            byte = byte << 1 | u8::from(self.read8(AUXR) & AUX_SDO != 0);
        }
        self.write8(AUXD, AUX_IDLE);
        byte
    }

    /// Resets a module's byte counter to 0: a chip select of one clock, and one more clock.
    pub fn resynchronise(&self, slot: usize) {
        self.select(slot);
        for aux in [AUX_IDLE, AUX_SCLK | AUX_SDI, AUX_SDI, AUX_SCLK | AUX_SDI, AUX_IDLE] {
            self.write8(AUXD, aux);
        }
        self.write8(AUXD, AUX_CS | AUX_SDI);
        self.write8(AUXD, AUX_IDLE);
    }

    pub fn fxs_read(&self, slot: usize, register: u8) -> u8 {
        self.select(slot);
        self.spi_write(register | 0x80);
        self.spi_read()
    }

    pub fn fxs_write(&self, slot: usize, register: u8, value: u8) {
        self.select(slot);
        self.spi_write(register);
        self.spi_write(value);
    }

    pub fn fxo_read(&self, slot: usize, register: u8) -> u8 {
        self.select(slot);
        self.spi_write(0x60);
        self.spi_write(register);
        self.spi_read()
    }

    pub fn fxo_write(&self, slot: usize, register: u8, value: u8) {
        self.select(slot);
        self.spi_write(0x20);
        self.spi_write(register);
        self.spi_write(value);
    }

    pub fn indirect_write(&self, slot: usize, index: u8, value: u16) {
        assert_eq!(self.fxs_read(slot, 31), 0, "an indirect access is pending");
        let [low, high] = value.to_le_bytes();
        self.fxs_write(slot, 28, low);
        self.fxs_write(slot, 29, high);
        self.fxs_write(slot, 30, index);
    }

    pub fn indirect_read(&self, slot: usize, index: u8) -> u16 {
        assert_eq!(self.fxs_read(slot, 31), 0, "an indirect access is pending");
        self.fxs_write(slot, 30, index);
        u16::from_le_bytes([self.fxs_read(slot, 28), self.fxs_read(slot, 29)])
    }

    /// Initialises an FXS module, in the order of the real card's driver.
    pub fn bring_up_fxs(&self, slot: usize) -> Result<(), Failure> {
        let w = |register, value| self.fxs_write(slot, register, value);
        let r = |register| self.fxs_read(slot, register);
        if !(2..=14).contains(&(r(0) & 0x0F)) || r(1) & 0x80 != 0 {
            return Err(Failure::NotThere);
        }
        if (r(8), r(64), r(11)) != (0x02, 0x00, 0x33) {
            return Err(Failure::NotThere);
        }
        w(30, 0);
        for (index, value) in (0..).zip(INDIRECT) {
            self.indirect_write(slot, index, value);
        }
        self.indirect_write(slot, 97, 0);
        for (register, value) in [(8, 0x00), (108, 0xEB), (67, 0x07), (66, 0x01)] {
            w(register, value);
        }
        for index in 35..40 {
            self.indirect_write(slot, index, 0x8000);
        }
        self.fxs_power_up(slot)?;
        w(71, 0x00);
        w(93, 0x19);
        w(64, 0x00);
        w(14, 0x10);
        assert_eq!(r(82), 6, "leak test");
        self.fxs_power_up(slot)?;
        w(97, 0x1F);
        w(96, 0x5F);
        assert_eq!(r(96), 0, "calibration");
        w(93, 0x99);
        assert!((2..=0x0D).contains(&r(107)), "calibration of the converter");
        for (index, value) in (35..40).zip(&INDIRECT[35..40]) {
            self.indirect_write(slot, index, *value);
        }
        for (index, value) in (0..).zip(INDIRECT) {
            if self.indirect_read(slot, index) != value {
                return Err(Failure::Indirect(index));
            }
        }
        let count = (3 - slot as u8) * 8;
        for (register, value) in [(1, 0x28), (2, count), (3, 0), (4, count), (5, 0)] {
            w(register, value);
        }
        for (register, value) in [(18, 0xFF), (19, 0xFF), (20, 0xFF), (73, 0x04), (34, 0x00)] {
            w(register, value);
        }
        for (register, value) in [(48, 0xE0), (49, 0x01), (50, 0xF0), (51, 0x05), (74, 0x32)] {
            w(register, value);
        }
        w(64, 0x01);
        assert_eq!(r(64), 0x11);
        Ok(())
    }

    fn fxs_power_up(&self, slot: usize) -> Result<(), Failure> {
        self.fxs_write(slot, 92, 0xFF);
        self.fxs_write(slot, 14, 0x00);
        for _ in 0..50 {
            if self.fxs_read(slot, 82) >= 0xC0 {
                return Ok(());
            }
            self.card.advance(10);
        }
        Err(Failure::NoPower)
    }

    /// Initialises an FXO module, in the order of the real card's driver.
    pub fn bring_up_fxo(&self, slot: usize) -> Result<(), Failure> {
        let w = |register, value| self.fxo_write(slot, register, value);
        let r = |register| self.fxo_read(slot, register);
        self.resynchronise(slot);
        self.resynchronise(slot);
        if r(2) != 0x03 {
            return Err(Failure::NotThere);
        }
        r(11);
        w(1, 0x80);
        self.card.advance(100);
        assert_eq!(r(11) >> 4, 0, "the line side is powered down after a reset");
        let count = (3 - slot as u8) * 8;
        for (register, value) in [(33, 0x28), (16, 0x01), (26, 0xC0), (30, 0x00), (31, 0xA3)] {
            w(register, value);
        }
        for (register, value) in [(34, count), (35, 0), (36, count), (37, 0), (6, 0x00)] {
            w(register, value);
        }
        for _ in 0..20 {
            if r(11) >> 4 != 0 {
                w(5, 0x08);
                for register in 38..42 {
                    w(register, 0);
                }
                return Ok(());
            }
            self.card.advance(100);
        }
        Err(Failure::NoLink)
    }

    /// Probes a slot: FXS first, then FXO.
    pub fn probe(&self, slot: usize) -> Result<ModuleKind, Failure> {
        match self.bring_up_fxs(slot) {
            Err(Failure::NotThere) => match self.bring_up_fxo(slot) {
                Err(Failure::NotThere) => Ok(ModuleKind::Empty),
                done => done.map(|()| ModuleKind::Fxo),
            },
            done => done.map(|()| ModuleKind::Fxs),
        }
    }

    /// Resets the modules and probes one slot again.
    pub fn probe_again(&self, slot: usize) -> Result<ModuleKind, Failure> {
        self.write8(OPER, 0);
        self.initialise();
        self.probe(slot)
    }

    /// Returns a card whose modules are initialised and whose rings run with latched status.
    pub fn running(modules: [ModuleKind; 4]) -> Host {
        Host::new(CardConfig { modules, ..CardConfig::default() }).up()
    }

    /// Initialises the card and all modules, and starts with latched status.
    pub fn up(self) -> Host {
        self.initialise();
        for slot in 0..4 {
            self.probe(slot).expect("the module comes up");
        }
        self.write8(SYNC, 0x1F);
        self.start(0x41);
        self
    }

    /// Runs one millisecond and serves its interrupt: plays `to_line[slot]`, and returns what comes
    /// from each slot's line. What is played now reaches the line two milliseconds later.
    pub fn millisecond(&self, to_line: [[u8; 8]; 4]) -> [[u8; 8]; 4] {
        self.card.tick();
        let status = self.read8(INTSTAT);
        self.write8(INTSTAT, status);
        let half = if self.card.read(0x14, 4) == RING + 28 { 0 } else { 8 };
        let mut from_line = [[0; 8]; 4];
        for frame in 0..8 {
            let word = self.memory.word(16 + half + frame).to_le_bytes();
            for (slot, byte) in word.into_iter().enumerate() {
                from_line[slot][frame] = byte;
            }
            let word = u32::from_le_bytes(to_line.map(|bytes| bytes[frame]));
            self.memory.set_word(half + frame, word);
        }
        from_line
    }

    /// Plays silence until `done`, for at most `ms`. Returns false if that was not enough.
    pub fn run_until(&self, ms: u32, mut done: impl FnMut() -> bool) -> bool {
        (0..ms).any(|_| {
            self.millisecond([[0xFF; 8]; 4]);
            done()
        })
    }

    /// Plays silence for `ms`.
    pub fn run(&self, ms: u32) {
        self.run_until(ms, || false);
    }
}
