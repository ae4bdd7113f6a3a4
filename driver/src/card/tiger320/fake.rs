//! A small TDM400P for tests: registers, serial bus, DMA, and every access counted.
//!
//! DMA moves word by word, and the word at the interrupt address is transferred after the
//! interrupt: the hardest reading of what the chip does.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::registers;
use crate::card::si3050::simulation::Si3050;
use crate::card::si3210::simulation::Si3210;
use crate::device::{Device, DmaMemory, InterruptFd, InterruptSize, Registers};

macro_rules! offsets {
    ($($name:ident)*) => { $(pub(super) const $name: usize = registers::$name.number();)* };
}
offsets! {
    CNTL OPER AUXD MASK0 INTSTAT AUXR TX_START TX_END TX_CURRENT RX_START RX_INTERRUPT RX_END
    RX_CURRENT CPLD_SYNC CPLD_TEST CPLD_SELECT CPLD_VERSION
}
const AUX_CS: u8 = registers::Aux::CHIP_SELECT.bits();
const AUX_CLOCK: u8 = registers::Aux::CLOCK.bits();
const AUX_TO_MODULE: u8 = registers::Aux::TO_MODULE.bits();
const AUX_FROM_MODULE: u8 = registers::Aux::FROM_MODULE.bits();

/// Where the DMA memory is on the bus.
pub(super) const BASE: u32 = 0x1_0000;

/// What is in a slot.
#[derive(Debug, Clone)]
pub(super) enum FakeModule {
    None,
    Fxs(Box<Si3210>),
    Fxo(Box<Si3050>),
}

/// One module's end of the serial bus.
#[derive(Debug, Clone, Default)]
struct Slave {
    bits: u32,
    byte: u8,
    out: u8,
    level: bool,
    bytes: Vec<u8>,
}

/// Registers, DMA and modules of the made-up card.
#[derive(Debug)]
pub(super) struct Card {
    pub(super) registers: [u8; 256],
    pub(super) modules: [FakeModule; 4],
    slaves: [Slave; 4],
    pub(super) memory: Vec<u32>,
    /// Words moved since DMA was reset, and since the beginning.
    words: u64,
    pub(super) transferred: u32,
    /// What slot `n` plays, word by word.
    pub(super) played: Vec<[u8; 4]>,
    /// Register accesses, and all writes to CNTL.
    pub(super) accesses: u64,
    pub(super) controls: Vec<u8>,
    /// All reads are ones, writes do nothing.
    pub(super) gone: bool,
    /// The CPLD holds bits of this mask only.
    pub(super) cpld: u8,
    pub(super) bus_master: bool,
    /// Bus mastering does not last.
    pub(super) aborting: bool,
    /// DMA does not move.
    pub(super) frozen: bool,
    pub(super) rearmed: u32,
    pub(super) refuse_rearm: bool,
}

impl Card {
    /// What comes in on a slot at word `n`.
    pub(super) fn sound(n: u32, slot: usize) -> u8 {
        (n % 61) as u8 | (slot as u8) << 6
    }

    fn read32(&self, offset: usize) -> u32 {
        let word = (self.words % 16) as u32 * 4;
        match offset {
            RX_CURRENT => self.register32(RX_START) + word,
            TX_CURRENT => self.register32(TX_START) + word,
            _ => self.register32(offset),
        }
    }

    fn register32(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.registers[offset..offset + 4].try_into().unwrap())
    }

    fn read(&mut self, offset: usize) -> u8 {
        match offset {
            AUXR => {
                let level = self.selected().is_none_or(|slot| self.slaves[slot].level);
                if level { 0xFF } else { !AUX_FROM_MODULE }
            }
            CPLD_VERSION => 0x73,
            _ => self.registers[offset],
        }
    }

    fn write(&mut self, offset: usize, value: u8) {
        match offset {
            CNTL => {
                self.controls.push(value);
                if value & 0x01 == 0 {
                    for module in &mut self.modules {
                        match module {
                            FakeModule::None => {}
                            FakeModule::Fxs(chip) => chip.reset(),
                            FakeModule::Fxo(chip) => chip.reset(),
                        }
                    }
                    self.slaves = Default::default();
                }
                if value & 0x02 != 0 {
                    self.words = 0;
                }
            }
            INTSTAT => {
                self.registers[INTSTAT] &= !value;
                return;
            }
            AUXD => self.pins(value),
            CPLD_SELECT | CPLD_TEST | CPLD_SYNC => {
                self.registers[offset] = value & self.cpld;
                return;
            }
            _ => {}
        }
        self.registers[offset] = value;
    }

    fn selected(&self) -> Option<usize> {
        let select = self.registers[CPLD_SELECT];
        (select.is_power_of_two() && select < 16).then(|| select.trailing_zeros() as usize)
    }

    fn pins(&mut self, pins: u8) {
        let before = self.registers[AUXD];
        let Some(slot) = self.selected() else { return };
        let fell = |bit| before & bit != 0 && pins & bit == 0;
        let rose = |bit| before & bit == 0 && pins & bit != 0;
        let slave = &mut self.slaves[slot];
        if fell(AUX_CS) {
            (slave.bits, slave.byte) = (0, 0);
        }
        if pins & AUX_CS == 0 && fell(AUX_CLOCK) {
            slave.level = slave.out & 0x80 != 0;
            slave.out <<= 1;
        }
        if pins & AUX_CS == 0 && rose(AUX_CLOCK) {
            slave.bits += 1;
            slave.byte = slave.byte << 1 | u8::from(pins & AUX_TO_MODULE != 0);
        }
        if rose(AUX_CS) {
            slave.out = 0xFF;
            if slave.bits == 8 {
                slave.bytes.push(slave.byte);
                self.deliver(slot);
            } else {
                slave.bytes.clear();
            }
        }
    }

    fn deliver(&mut self, slot: usize) {
        let slave = &mut self.slaves[slot];
        let (module, bytes) = (&mut self.modules[slot], slave.bytes.as_slice());
        let done = match (module, bytes) {
            (FakeModule::None, _) => true,
            (FakeModule::Fxs(chip), [register]) => {
                if register & 0x80 != 0 {
                    slave.out = chip.read(register & 0x7F);
                }
                false
            }
            (FakeModule::Fxs(chip), [register, value]) => {
                if register & 0x80 == 0 {
                    chip.write(*register, *value);
                }
                true
            }
            (FakeModule::Fxo(chip), [0x60, register]) => {
                slave.out = chip.read(*register);
                false
            }
            (FakeModule::Fxo(chip), [0x20, register, value]) => {
                chip.write(*register, *value);
                true
            }
            (_, bytes) => bytes.len() >= 3,
        };
        if done {
            slave.bytes.clear();
        }
    }

    /// One word in and one out, if DMA runs.
    fn word(&mut self) {
        if self.frozen
            || self.gone
            || self.registers[OPER] & 1 == 0
            || self.registers[CNTL] & 0x06 != 0
        {
            return;
        }
        if !self.bus_master || self.aborting {
            self.bus_master = false;
            self.registers[INTSTAT] |= 0x10;
            return;
        }
        let [tx, tx_end, rx, rx_interrupt, rx_end] =
            [TX_START, TX_END, RX_START, RX_INTERRUPT, RX_END]
                .map(|register| ((self.register32(register) - BASE) / 4) as usize);
        assert_eq!([tx_end - tx, rx_end - rx, rx_interrupt - rx], [15, 15, 7]);
        let word = (self.words % 16) as usize;
        self.played.push(self.memory[tx + word].to_le_bytes());
        let n = self.transferred;
        self.memory[rx + word] = u32::from_le_bytes([0, 1, 2, 3].map(|slot| Card::sound(n, slot)));
        self.transferred += 1;
        self.words += 1;
        match self.words % 16 {
            7 => self.registers[INTSTAT] |= 0x05,
            15 => self.registers[INTSTAT] |= 0x0A,
            _ => {}
        }
    }

    /// An FXS module's chip.
    pub(super) fn fxs(&mut self, slot: usize) -> &mut Si3210 {
        match &mut self.modules[slot] {
            FakeModule::Fxs(chip) => chip,
            other => panic!("{other:?}"),
        }
    }

    /// An FXO module's chip.
    pub(super) fn fxo(&mut self, slot: usize) -> &mut Si3050 {
        match &mut self.modules[slot] {
            FakeModule::Fxo(chip) => chip,
            other => panic!("{other:?}"),
        }
    }
}

/// The card, shared by a driver and its test.
#[derive(Debug, Clone)]
pub(super) struct Fake(Arc<Mutex<Card>>);

impl Fake {
    pub(super) fn new(modules: [FakeModule; 4]) -> Fake {
        Fake(Arc::new(Mutex::new(Card {
            registers: [0; 256],
            modules,
            slaves: Default::default(),
            memory: vec![0x55AA_55AA; 32],
            words: 0,
            transferred: 0,
            played: Vec::new(),
            accesses: 0,
            controls: Vec::new(),
            gone: false,
            cpld: 0xFF,
            bus_master: false,
            aborting: false,
            frozen: false,
            rearmed: 0,
            refuse_rearm: false,
        })))
    }

    pub(super) fn with<T>(&self, f: impl FnOnce(&mut Card) -> T) -> T {
        f(&mut self.0.lock().unwrap())
    }

    /// The device by which the driver reaches this card.
    pub(super) fn device(&self) -> FakeDevice {
        FakeDevice {
            registers: FakeRegisters(self.clone()),
            memory: FakeMemory(self.clone(), 128, u64::from(BASE)),
        }
    }

    /// Lets time pass for the modules.
    pub(super) fn pass(&self, time: Duration) {
        self.with(|card| {
            for module in &mut card.modules {
                match module {
                    FakeModule::None => {}
                    FakeModule::Fxs(chip) => chip.waited += time,
                    FakeModule::Fxo(chip) => chip.pass(time),
                }
            }
        });
    }

    /// Moves DMA; whether the interrupt line is up afterwards.
    pub(super) fn run(&self, words: u32) -> bool {
        self.with(|card| {
            for _ in 0..words {
                card.word();
            }
            !card.gone && card.registers[INTSTAT] & card.registers[MASK0] != 0
        })
    }
}

/// The card as the driver sees it, with its windows and files.
#[derive(Debug)]
pub(super) struct FakeDevice {
    registers: FakeRegisters,
    pub(super) memory: FakeMemory,
}

#[derive(Debug)]
pub(super) struct FakeRegisters(Fake);

/// The memory, its size and its bus address.
#[derive(Debug)]
pub(super) struct FakeMemory(Fake, pub(super) usize, pub(super) u64);

impl Registers for FakeRegisters {
    fn len(&self) -> usize {
        256
    }
    fn read8(&self, offset: usize) -> u8 {
        self.0.with(|card| {
            card.accesses += 1;
            if card.gone { 0xFF } else { card.read(offset) }
        })
    }
    fn write8(&self, offset: usize, value: u8) {
        self.0.with(|card| {
            card.accesses += 1;
            if !card.gone {
                card.write(offset, value);
            }
        });
    }
    fn read32(&self, offset: usize) -> u32 {
        self.0.with(|card| {
            card.accesses += 1;
            if card.gone { u32::MAX } else { card.read32(offset) }
        })
    }
    fn write32(&self, offset: usize, value: u32) {
        self.0.with(|card| {
            card.accesses += 1;
            if !card.gone {
                card.registers[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
            }
        });
    }
}

impl DmaMemory for FakeMemory {
    fn len(&self) -> usize {
        self.1
    }
    fn bus_address(&self) -> u64 {
        self.2
    }
    fn read32(&self, offset: usize) -> u32 {
        self.0.with(|card| card.memory.get(offset / 4).copied().unwrap_or(0))
    }
    fn write32(&self, offset: usize, value: u32) {
        self.0.with(|card| {
            if let Some(word) = card.memory.get_mut(offset / 4) {
                *word = value;
            }
        });
    }
}

impl Device for FakeDevice {
    type Registers = FakeRegisters;
    type Dma = FakeMemory;

    fn name(&self) -> &str {
        "fake"
    }
    fn registers(&self) -> &FakeRegisters {
        &self.registers
    }
    fn dma(&self) -> Option<&FakeMemory> {
        (self.memory.1 > 0).then_some(&self.memory)
    }
    fn interrupt(&self) -> io::Result<InterruptFd> {
        Ok(InterruptFd {
            fd: OwnedFd::from(std::fs::File::open("/dev/null")?),
            size: InterruptSize::EventFd,
        })
    }
    fn rearm(&self) -> io::Result<()> {
        self.registers.0.with(|card| {
            card.rearmed += 1;
            if card.refuse_rearm { Err(io::ErrorKind::NotConnected.into()) } else { Ok(()) }
        })
    }
    fn enable_bus_master(&self) -> io::Result<()> {
        self.registers.0.with(|card| card.bus_master = true);
        Ok(())
    }
}
