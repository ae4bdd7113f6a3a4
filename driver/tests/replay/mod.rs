//! A card whose registers read what a trace has: what happened to somebody else's card happens to
//! the driver again, without that card.
//!
//! What the driver writes goes nowhere, except for the pins of the serial bus, by which it asks for
//! a register of a module. Two paces:
//! - while the card is brought up, each register gives its recorded values one after the other,
//!   however long that takes;
//! - in service it gives the value of its time. A driver that reads a register more often than the
//!   one that was recorded sees values again, one that reads it less often misses some.
//!
//! So a trace stays of use when the driver does things in another order. A trace of `shim`, where
//! the kernel serves the interrupts and moves the samples, has the rounds in which the driver
//! polls.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ringback_driver::card::tiger320::{Options, Tiger320};
use ringback_driver::card::{Hook, LineFeed, PortCard, PortEvent, PortSink, Service, Slot};
use ringback_driver::device::trace::{RecordedAccess, RecordedTrace, RegisterTrace, TracedDevice};
use ringback_driver::device::{Device, DmaMemory, InterruptFd, Registers};
use ringback_driver::{PortNumber, Time};
use ringback_softcard::chips::{Circuit, Framing, Pins, RegisterFile, SlotPins, SpiPort};

const TIGER: &str = "Tiger320";
const FXS: &str = "Si3210";
const FXO: &str = "Si3050";
const OPER: u16 = 0x01;
const INTSTAT: u16 = 0x06;
const AUXR: usize = 0x07;
const TX_START: u16 = 0x08;
const RX_CURRENT: u16 = 0x24;
/// Registers of the Si3210: indirect data and address, line state. Of the Si3050: hook.
const INDIRECT_DATA: [u8; 2] = [28, 29];
const INDIRECT_ADDRESS: u8 = 30;
const LINE_STATE: u16 = 64;
const DAA_CONTROL: u16 = 5;
/// In service, what was read so much later counts as now; what was read so much before, as past.
const EARLY: Duration = Duration::from_millis(1);
const PAST: Duration = Duration::from_millis(4);
/// Accesses to INTSTAT or RX_CURRENT that are closer than this are of one service.
const ONE_SERVICE: Duration = Duration::from_micros(200);
/// A card that has not interrupted for this long was looked after.
const QUIET: Duration = Duration::from_millis(50);
/// A trial is over after so long.
const TRIAL: Duration = Duration::from_millis(20);
/// Time at which the recording begins.
const BEGIN: Time = Time::from_nanos(1_000_000_000);

/// A register: its chip, its slot, its number, and the indirect address where that matters.
type Key = (&'static str, Option<u8>, u16, u8);

/// The recorded values of a register.
#[derive(Debug, Default)]
struct Values {
    all: Vec<(Duration, u32)>,
    next: usize,
}

/// The recorded values of all registers, and the time.
#[derive(Debug, Default)]
struct Tape {
    registers: BTreeMap<Key, Values>,
    /// `None` while the card is brought up.
    now: Option<Duration>,
}

impl Tape {
    fn read(&mut self, key: Key) -> Option<u32> {
        let values = self.registers.get_mut(&key)?;
        let due = |place: usize, now: Duration| {
            values.all.get(place).is_some_and(|(at, _)| *at <= now + EARLY)
        };
        let mut next = values.next;
        if let Some(now) = self.now {
            while due(next + 1, now) && values.all.get(next).is_some_and(|(at, _)| *at + PAST < now)
            {
                next += 1;
            }
        }
        if values.all.len() > next && self.now.is_none_or(|now| due(next, now)) {
            next += 1;
        }
        values.next = next;
        values.all.get(next.saturating_sub(1)).map(|(_, value)| *value)
    }
}

/// A chip of a module.
struct ReplayChip {
    tape: Arc<Mutex<Tape>>,
    name: &'static str,
    slot: u8,
    indirect: u8,
    written: BTreeMap<u8, u8>,
}

impl ReplayChip {
    fn key(&self, register: u8) -> Key {
        let indirect = self.name == FXS && INDIRECT_DATA.contains(&register);
        let indirect = if indirect { self.indirect } else { 0 };
        (self.name, Some(self.slot), register.into(), indirect)
    }
}

impl RegisterFile for ReplayChip {
    fn read(&mut self, register: u8) -> u8 {
        let recorded = self.tape.lock().unwrap().read(self.key(register));
        match recorded {
            Some(value) => value as u8,
            // Nobody has read it: it holds what was written.
            None => self.written.get(&register).copied().unwrap_or_default(),
        }
    }

    fn write(&mut self, register: u8, value: u8) {
        if self.name == FXS && register == INDIRECT_ADDRESS {
            self.indirect = value;
        }
        self.written.insert(register, value);
    }
}

/// A slot. The driver asks for a Si3210 first; if none answers, it asks for a Si3050 in that chip's
/// way, after a frame of a single clock.
struct ReplaySlot {
    fxs: (SpiPort, ReplayChip),
    fxo: (SpiPort, ReplayChip),
    /// The trace has a Si3050 in this slot, which the driver asks for now.
    has_fxo: bool,
    asks_fxo: bool,
    pins: Pins,
    clocks: u32,
}

impl ReplaySlot {
    fn new(slot: u8, tape: &Arc<Mutex<Tape>>) -> ReplaySlot {
        let chip = |name| ReplayChip {
            tape: Arc::clone(tape),
            name,
            slot,
            indirect: 0,
            written: BTreeMap::new(),
        };
        let has_fxo = {
            let tape = tape.lock().unwrap();
            tape.registers.keys().any(|(name, own, ..)| (*name, *own) == (FXO, Some(slot)))
        };
        ReplaySlot {
            fxs: (SpiPort::new(Framing::TwoBytes), chip(FXS)),
            fxo: (SpiPort::new(Framing::ThreeBytes), chip(FXO)),
            has_fxo,
            asks_fxo: false,
            pins: Pins { selected: false, sclk: true, sdi: true },
            clocks: 0,
        }
    }
}

impl SlotPins for ReplaySlot {
    fn reset(&mut self) {
        self.asks_fxo = false;
    }

    fn drive(&mut self, pins: Pins) {
        let was = std::mem::replace(&mut self.pins, pins);
        if pins.selected && !was.selected {
            self.clocks = 0;
        }
        self.clocks += u32::from(pins.selected && pins.sclk && !was.sclk);
        let (port, chip) = if self.asks_fxo { &mut self.fxo } else { &mut self.fxs };
        port.drive(pins, chip);
        if was.selected && !pins.selected && self.clocks == 1 && self.has_fxo {
            self.asks_fxo = true;
        }
    }

    fn sdo(&self) -> bool {
        if self.asks_fxo { self.fxo.0.sdo() } else { self.fxs.0.sdo() }
    }
}

/// Memory for samples, at the address that it had.
pub struct ReplayMemory {
    address: u64,
    words: Mutex<[u32; 32]>,
}

impl DmaMemory for ReplayMemory {
    fn len(&self) -> usize {
        128
    }
    fn bus_address(&self) -> u64 {
        self.address
    }
    fn read32(&self, offset: usize) -> u32 {
        self.words.lock().unwrap().get(offset / 4).copied().unwrap_or_default()
    }
    fn write32(&self, offset: usize, value: u32) {
        if let Some(word) = self.words.lock().unwrap().get_mut(offset / 4) {
            *word = value;
        }
    }
}

/// The card of a trace.
pub struct ReplayDevice {
    tape: Arc<Mutex<Tape>>,
    circuit: Mutex<Circuit<ReplaySlot>>,
    memory: ReplayMemory,
    kernel_moves_samples: bool,
}

impl ReplayDevice {
    fn new(trace: &RecordedTrace) -> ReplayDevice {
        let mut tape = Tape::default();
        let mut indirect = BTreeMap::new();
        let mut address = 0;
        for access in &trace.accesses {
            let Some(name) = known(trace, access) else { continue };
            let slot = trace.chips[access.chip].slot.map(|slot| slot.0);
            let number = u8::try_from(access.number).unwrap_or(u8::MAX);
            if access.written {
                if name == FXS && number == INDIRECT_ADDRESS {
                    indirect.insert(slot, access.value as u8);
                }
                if name == TIGER && access.number == TX_START {
                    address = access.value;
                }
                continue;
            }
            let of = (name == FXS && INDIRECT_DATA.contains(&number)).then(|| indirect.get(&slot));
            let key = (name, slot, access.number, of.flatten().copied().unwrap_or_default());
            tape.registers.entry(key).or_default().all.push((access.at, access.value));
        }
        let tape = Arc::new(Mutex::new(tape));
        let slots = [0, 1, 2, 3].map(|slot| ReplaySlot::new(slot, &tape));
        let memory = ReplayMemory { address: address.into(), words: Mutex::default() };
        let circuit = Mutex::new(Circuit::new(slots));
        let kernel_moves_samples = trace.about.iter().any(|line| line.starts_with("card shim:"));
        ReplayDevice { tape, circuit, memory, kernel_moves_samples }
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit<ReplaySlot>> {
        self.circuit.lock().unwrap()
    }

    fn recorded(&self, offset: usize) -> Option<u32> {
        // The pins of the serial bus are not recorded.
        let offset = u16::try_from(offset).ok().filter(|_| offset != AUXR)?;
        self.tape.lock().unwrap().read((TIGER, None, offset, 0))
    }
}

impl Registers for ReplayDevice {
    fn len(&self) -> usize {
        256
    }
    fn read8(&self, offset: usize) -> u8 {
        let pins = self.circuit().read8(offset as u32);
        self.recorded(offset).map_or(pins, |value| value as u8)
    }
    fn write8(&self, offset: usize, value: u8) {
        self.circuit().write8(offset as u32, value);
    }
    fn read32(&self, offset: usize) -> u32 {
        self.recorded(offset).unwrap_or_default()
    }
    fn write32(&self, _: usize, _: u32) {}
}

impl Device for ReplayDevice {
    type Registers = ReplayDevice;
    type Dma = ReplayMemory;

    fn name(&self) -> &str {
        "replay"
    }
    fn registers(&self) -> &ReplayDevice {
        self
    }
    fn dma(&self) -> Option<&ReplayMemory> {
        Some(&self.memory)
    }
    fn interrupt(&self) -> io::Result<InterruptFd> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn kernel_moves_samples(&self) -> bool {
        self.kernel_moves_samples
    }
    fn rearm(&self) -> io::Result<()> {
        Ok(())
    }
    fn enable_bus_master(&self) -> io::Result<()> {
        Ok(())
    }
}

/// The name of the chip of an access, if the driver knows such a chip.
fn known(trace: &RecordedTrace, access: &RecordedAccess) -> Option<&'static str> {
    let name = &trace.chips[access.chip].name;
    [TIGER, FXS, FXO].into_iter().find(|known| known == name)
}

/// What the driver makes of a trace.
#[derive(Debug)]
pub struct Replayed {
    /// What was found in the slots.
    pub slots: Vec<Slot>,
    /// The events of the ports, with their times in milliseconds since the card was started.
    pub events: Vec<(u128, u8, PortEvent)>,
    /// The card was lost.
    pub gone: bool,
    /// What the driver has written into registers of modules: slot, register, value.
    pub written: Vec<(u8, u16, u32)>,
}

#[derive(Default)]
struct Events(Vec<(PortNumber, PortEvent)>);

impl PortSink for Events {
    fn event(&mut self, port: PortNumber, event: PortEvent) {
        self.0.push((port, event));
    }
    fn frame(&mut self, _: PortNumber, _: &[u8; 8], _: &mut [u8; 8]) {}
}

/// What was written into registers of modules.
pub fn written(trace: &RecordedTrace) -> Vec<(u8, u16, u32)> {
    let written = trace.accesses.iter().filter(|access| access.written);
    written
        .filter_map(|access| Some((trace.chips[access.chip].slot?.0, access.number, access.value)))
        .collect()
}

/// Lets the driver drive the card of a trace: brings it up, serves it when it was served, and
/// commands what was commanded.
pub fn replay(trace: &RecordedTrace, options: Options) -> Replayed {
    let device = ReplayDevice::new(trace);
    let tape = Arc::clone(&device.tape);
    let again = Arc::new(RegisterTrace::new(&[]));
    let device = TracedDevice::new(device, Some(Arc::clone(&again)));
    let mut pieces = Vec::new();
    let mut card = Tiger320::open(device, options, &mut |_: Duration| {}).unwrap();
    let starts = |access: &RecordedAccess| {
        known(trace, access) == Some(TIGER)
            && (access.written, access.number, access.value) == (true, OPER, 1)
    };
    let stops = |access: &RecordedAccess| {
        known(trace, access) == Some(TIGER) && access.written && access.number == OPER
    };
    // DMA that ends so soon was a trial of the slots' order.
    let tries = |place: usize| {
        let next = trace.accesses[place + 1..].iter().find(|access| stops(access));
        next.is_some_and(|next| next.value == 0 && next.at < trace.accesses[place].at + TRIAL)
    };
    let mut places = (0..trace.accesses.len()).filter(|place| starts(&trace.accesses[*place]));
    let place = places.find(|place| !tries(*place)).expect("the card was never started");
    let started = trace.accesses[place].at;
    // What follows the last stop of DMA made the card safe, which nobody has commanded.
    let last =
        trace.accesses.iter().rposition(stops).filter(|last| trace.accesses[*last].value == 0);
    let end = last.unwrap_or(trace.accesses.len());
    tape.lock().unwrap().now = Some(started);
    card.start(BEGIN + started).unwrap();
    let mut replayed =
        Replayed { slots: card.slots().to_vec(), events: Vec::new(), gone: false, written: vec![] };
    let mut served = started;
    for access in &trace.accesses[place..end] {
        let name = known(trace, access);
        let at = access.at;
        match (name, access.written, access.number) {
            (Some(TIGER), false, INTSTAT | RX_CURRENT)
                if at > served + ONE_SERVICE || at == started =>
            {
                tape.lock().unwrap().now = Some(at);
                let mut events = Events::default();
                let service = if card.kernel_moves_samples() || at >= served + QUIET {
                    card.look_after(BEGIN + at, &mut events)
                } else {
                    card.service(BEGIN + at, &mut events)
                };
                replayed.gone |= service == Service::Gone;
                let ms = (at - started).as_millis();
                replayed.events.extend(events.0.iter().map(|(port, one)| (ms, port.0, *one)));
                served = at;
            }
            (Some(FXO), true, DAA_CONTROL) | (Some(FXS), true, LINE_STATE) => {
                let port = trace.chips[access.chip].slot.unwrap();
                command(&mut card, port, name == Some(FXO), access.value as u8);
            }
            _ => {}
        }
        pieces.push(again.fetch());
    }
    drop(card);
    pieces.push(again.fetch());
    replayed.written = written(&RecordedTrace::parse(pieces.concat().as_bytes()).unwrap());
    replayed
}

/// Commands what was written, unless the driver has written it by itself.
fn command(
    card: &mut Tiger320<TracedDevice<ReplayDevice>>,
    port: PortNumber,
    is_fxo: bool,
    value: u8,
) {
    let Some(status) = card.status(port).filter(|status| !status.restoring) else { return };
    if is_fxo {
        let hook = if value & 1 != 0 { Hook::Off } else { Hook::On };
        if status.hook != hook {
            card.set_hook(port, hook).unwrap();
        }
        return;
    }
    let feed = match value & 7 {
        0 => LineFeed::Open,
        4 => LineFeed::Ringing,
        2 | 6 => LineFeed::OnHookTransmission,
        _ => LineFeed::Active,
    };
    if status.feed != Some(feed) {
        card.set_line_feed(port, feed).unwrap();
    }
}
