//! A small TDM400P for tests: the chips of the software card, DMA word by word, and every access
//! counted.
//!
//! The word at the interrupt address is transferred after the interrupt, which of all readings of
//! the data sheet is the hardest for the driver. The software card moves whole milliseconds.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringback_softcard::chips::{Abort, Circuit, Framing, Pins, SlotPins, SpiPort};

use super::registers;
use crate::card::register::offsets;
use crate::card::si3050::simulation::Si3050;
use crate::card::si3210::simulation::Si3210;
use crate::device::{Device, DmaMemory, InterruptFd, InterruptSize, Registers};

offsets!(registers: CNTL TX_START TX_END RX_START RX_INTERRUPT RX_END);
offsets!(registers: CPLD_SYNC CPLD_TEST CPLD_SELECT);

/// Where the DMA memory is on the bus.
pub(super) const BASE: u32 = 0x1_0000;

/// What is in a slot.
#[derive(Debug, Clone)]
pub(super) enum FakeModule {
    None,
    Fxs(Box<Si3210>),
    Fxo(Box<Si3050>),
}

/// A module and its end of the serial bus.
#[derive(Debug)]
pub(super) struct Slot {
    module: FakeModule,
    port: SpiPort,
}

impl Slot {
    fn new(module: FakeModule) -> Slot {
        let framing = match module {
            FakeModule::Fxo(_) => Framing::ThreeBytes,
            _ => Framing::TwoBytes,
        };
        Slot { module, port: SpiPort::new(framing) }
    }
}

impl SlotPins for Slot {
    fn reset(&mut self) {
        match &mut self.module {
            FakeModule::None => {}
            FakeModule::Fxs(chip) => chip.reset(),
            FakeModule::Fxo(chip) => chip.reset(),
        }
        *self = Slot::new(std::mem::replace(&mut self.module, FakeModule::None));
    }

    fn drive(&mut self, pins: Pins) {
        match &mut self.module {
            FakeModule::None => {}
            FakeModule::Fxs(chip) => self.port.drive(pins, chip.as_mut()),
            FakeModule::Fxo(chip) => self.port.drive(pins, chip.as_mut()),
        }
    }

    fn sdo(&self) -> bool {
        self.port.sdo()
    }
}

/// Chips, DMA memory and faults of the card.
#[derive(Debug)]
pub(super) struct Card {
    circuit: Circuit<Slot>,
    pub(super) memory: Vec<u32>,
    /// Words that were moved since the beginning.
    pub(super) transferred: u32,
    /// What slot `n` plays, word by word.
    pub(super) played: Vec<[u8; 4]>,
    /// Register accesses, and all writes to CNTL.
    pub(super) accesses: u64,
    pub(super) controls: Vec<u8>,
    /// All reads are ones, writes do nothing.
    pub(super) gone: bool,
    /// All reads are ones, and the card is there all the same.
    pub(super) unreadable: bool,
    /// The CPLD holds bits of this mask only.
    pub(super) cpld: u8,
    pub(super) bus_master: bool,
    /// Each DMA access ends in an abort.
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

    /// A register, as the test reads it.
    pub(super) fn register(&self, offset: usize) -> u8 {
        self.circuit.read8(offset as u32)
    }

    /// What may interrupt. The driver can't read it.
    pub(super) fn enabled(&self) -> u8 {
        self.circuit.tiger.enabled()
    }

    fn register32(&self, offset: usize) -> u32 {
        u32::from_le_bytes([0, 1, 2, 3].map(|lane| self.register(offset + lane)))
    }

    fn write(&mut self, offset: usize, value: u8) {
        let value = match offset {
            CNTL => {
                self.controls.push(value);
                value
            }
            CPLD_SELECT | CPLD_TEST | CPLD_SYNC => value & self.cpld,
            _ => value,
        };
        self.circuit.write8(offset as u32, value);
    }

    /// Whether the interrupt line is up.
    pub(super) fn interrupts(&self) -> bool {
        self.circuit.tiger.interrupt()
    }

    /// The status bits of a card at an interrupt word stay, or do no more.
    pub(super) fn stand(&mut self, stand: bool) {
        self.circuit.tiger.stands = stand;
    }

    /// Resets the card, as by a reset of its bus.
    pub(super) fn reset(&mut self) {
        self.circuit.reset();
        self.bus_master = false;
    }

    /// Moves one word in and one out, if DMA runs.
    fn word(&mut self) {
        if self.frozen || self.gone || !self.circuit.tiger.dma_runs() {
            return;
        }
        if !self.bus_master || self.aborting {
            self.bus_master = false;
            self.circuit.tiger.abort(Abort::Master);
            return;
        }
        let [tx, tx_end, rx, rx_interrupt, rx_end] =
            [TX_START, TX_END, RX_START, RX_INTERRUPT, RX_END]
                .map(|register| (self.register32(register) - BASE) / 4);
        assert_eq!([tx_end - tx, rx_end - rx, rx_interrupt - rx], [15, 15, 7]);
        let tiger = &mut self.circuit.tiger;
        if tiger.rx.next() == Some(tiger.rx.current()) {
            // The pointers show the first word, which is not moved yet.
            tiger.tx.advance(false);
            tiger.rx.advance(false);
        }
        let [tx, rx] = [&tiger.tx, &tiger.rx].map(|ring| ((ring.current() - BASE) / 4) as usize);
        self.played.push(self.memory[tx].to_le_bytes());
        let n = self.transferred;
        self.memory[rx] = u32::from_le_bytes([0, 1, 2, 3].map(|slot| Card::sound(n, slot)));
        self.transferred += 1;
        // Only now do the pointers show the next word, and only they raise the interrupt.
        let crossed = tiger.tx.advance(false) | tiger.rx.advance(false) << 2;
        tiger.end_period(crossed);
    }

    /// An FXS module's chip.
    pub(super) fn fxs(&mut self, slot: usize) -> &mut Si3210 {
        match &mut self.circuit.slots[slot].module {
            FakeModule::Fxs(chip) => chip,
            other => panic!("{other:?}"),
        }
    }

    /// An FXO module's chip.
    pub(super) fn fxo(&mut self, slot: usize) -> &mut Si3050 {
        match &mut self.circuit.slots[slot].module {
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
            circuit: Circuit::new(modules.map(Slot::new)),
            memory: vec![0x55AA_55AA; 32],
            transferred: 0,
            played: Vec::new(),
            accesses: 0,
            controls: Vec::new(),
            gone: false,
            unreadable: false,
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
            for slot in &mut card.circuit.slots {
                match &mut slot.module {
                    FakeModule::None => {}
                    FakeModule::Fxs(chip) => chip.pass(time),
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
            !card.gone && card.circuit.tiger.interrupt()
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
            if card.gone || card.unreadable { 0xFF } else { card.register(offset) }
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
            if card.gone || card.unreadable { u32::MAX } else { card.register32(offset) }
        })
    }
    fn write32(&self, offset: usize, value: u32) {
        self.0.with(|card| {
            card.accesses += 1;
            if !card.gone {
                for (lane, byte) in value.to_le_bytes().into_iter().enumerate() {
                    card.write(offset + lane, byte);
                }
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
