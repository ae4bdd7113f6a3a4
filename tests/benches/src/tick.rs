//! The tick of a Tiger320: what an interrupt costs beyond its register accesses.
//!
//! The software card is brought up and served for one period of its module work, and every value
//! that the driver reads is recorded. Then the record is played back again and again: the driver
//! repeats exactly what it did, and an access costs only the lookup of the next value.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringback_driver::card::port::{FRAME, PortEvent, PortSink};
use ringback_driver::card::tiger320::{Options, Tiger320};
use ringback_driver::card::{PortCard, Service};
use ringback_driver::device::soft::SoftDevice;
use ringback_driver::device::{Device, InterruptFd, Registers};
use ringback_driver::request::sync::EvenPoisoned;
use ringback_driver::{PortNumber, Time};
use ringback_softcard::{CardConfig, ModuleKind, SLOTS, SoftCard};

use crate::clock::thread_cpu;
use crate::scale::turns;

/// The module work repeats after this many ticks.
const PERIOD: usize = 64;
const TICK: Duration = Duration::from_millis(1);

/// The cost of a tick of a card with this many ports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tick {
    pub(crate) ports: usize,
    /// CPU time without the register accesses, in ns.
    pub(crate) nanos: f64,
    /// Average number of register accesses.
    pub(crate) accesses: f64,
}

impl Tick {
    /// How many cards one core can serve every ms if a register access takes `access` ns.
    pub(crate) fn cards(&self, access: f64) -> f64 {
        TICK.as_nanos() as f64 / (self.nanos + self.accesses * access)
    }
}

/// The recorded values, and whether they are recorded or played back.
#[derive(Default)]
struct Notes {
    values: Mutex<Vec<u32>>,
    tape: std::sync::OnceLock<Box<[u32]>>,
    place: AtomicUsize,
    accesses: AtomicU64,
}

struct Taped {
    card: SoftDevice<SoftCard>,
    registers: TapedRegisters,
}

struct TapedRegisters {
    card: SoftCard,
    notes: Arc<Notes>,
}

impl TapedRegisters {
    fn read(&self, offset: usize, width: u32) -> u32 {
        if let Some(tape) = self.notes.tape.get() {
            // Only one thread reads.
            let place = self.notes.place.load(Ordering::Relaxed);
            let next = if place + 1 < tape.len() { place + 1 } else { 0 };
            self.notes.place.store(next, Ordering::Relaxed);
            return tape.get(place).copied().unwrap_or(u32::MAX);
        }
        let value = self.card.read(offset as u32, width);
        self.notes.accesses.fetch_add(1, Ordering::Relaxed);
        self.notes.values.lock().even_poisoned().push(value);
        value
    }

    fn write(&self, offset: usize, width: u32, value: u32) {
        if self.notes.tape.get().is_none() {
            self.card.write(offset as u32, width, value);
            self.notes.accesses.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Registers for TapedRegisters {
    fn len(&self) -> usize {
        0x1000
    }
    fn read8(&self, offset: usize) -> u8 {
        self.read(offset, 1) as u8
    }
    fn write8(&self, offset: usize, value: u8) {
        self.write(offset, 1, u32::from(value));
    }
    fn read32(&self, offset: usize) -> u32 {
        self.read(offset, 4)
    }
    fn write32(&self, offset: usize, value: u32) {
        self.write(offset, 4, value);
    }
}

impl Device for Taped {
    type Registers = TapedRegisters;
    type Dma = <SoftDevice<SoftCard> as Device>::Dma;

    fn name(&self) -> &str {
        self.card.name()
    }
    fn registers(&self) -> &TapedRegisters {
        &self.registers
    }
    fn dma(&self) -> Option<&Self::Dma> {
        self.card.dma()
    }
    fn interrupt(&self) -> io::Result<InterruptFd> {
        self.card.interrupt()
    }
    fn rearm(&self) -> io::Result<()> {
        Ok(())
    }
    fn enable_bus_master(&self) -> io::Result<()> {
        self.card.enable_bus_master()
    }
}

/// Plays the samples that came in before, so that samples are moved and not processed.
#[derive(Default)]
struct Echo([[u8; FRAME]; 4]);

impl PortSink for Echo {
    fn frame(&mut self, port: PortNumber, received: &[u8; FRAME], play: &mut [u8; FRAME]) {
        if let Some(last) = self.0.get_mut(port.index()) {
            *play = std::mem::replace(last, *received);
        }
    }
    fn event(&mut self, _: PortNumber, _: PortEvent) {}
}

/// Measures cards without modules, with one, and so on: the first is the interrupt's service alone,
/// the last a card with four modules.
pub(crate) fn measure() -> Result<Vec<Tick>, String> {
    (0..=SLOTS).map(tick).collect()
}

fn tick(ports: usize) -> Result<Tick, String> {
    let mut config = CardConfig::default();
    config.modules.iter_mut().skip(ports).for_each(|module| *module = ModuleKind::Empty);
    let soft = SoftCard::new(config);
    let notes = Arc::<Notes>::default();
    let device = Taped {
        card: SoftDevice::card(soft.clone()).map_err(|error| error.to_string())?,
        registers: TapedRegisters { card: soft.clone(), notes: Arc::clone(&notes) },
    };
    let mut pass = |time: Duration| {
        for _ in 0..time.as_millis() {
            soft.tick();
        }
    };
    let mut card =
        Tiger320::open(device, Options::default(), &mut pass).map_err(|error| error.to_string())?;
    let mut time = Time::ZERO;
    card.start(time).map_err(|error| error.to_string())?;
    let mut echo = Echo::default();
    let mut serve = |card: &mut Tiger320<Taped>, soft: Option<&SoftCard>| {
        if let Some(soft) = soft {
            soft.tick();
        }
        time += TICK;
        card.service(time, &mut echo)
    };
    // Until all inputs are debounced and settled.
    for _ in 0..16 * PERIOD {
        serve(&mut card, Some(&soft));
    }
    notes.values.lock().even_poisoned().clear();
    notes.accesses.store(0, Ordering::Relaxed);
    for _ in 0..PERIOD {
        serve(&mut card, Some(&soft));
    }
    let accesses = notes.accesses.load(Ordering::Relaxed) as f64 / PERIOD as f64;
    let tape = std::mem::take(&mut *notes.values.lock().even_poisoned());
    let _ = notes.tape.set(tape.into());
    const COUNT: usize = 64 * PERIOD;
    let nanos = turns(|| {
        let begin = thread_cpu();
        for _ in 0..COUNT {
            let served = serve(&mut card, None);
            if served != (Service::Frames { frames: 1, missed: 0 }) {
                return Err(format!("the tape is not what the card did: {served:?}"));
            }
        }
        Ok((thread_cpu() - begin) as f64 / COUNT as f64)
    })?;
    Ok(Tick { ports, nanos, accesses })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tape_is_what_the_card_did() {
        let ticks = measure().unwrap();
        for (ports, tick) in ticks.iter().enumerate() {
            assert_eq!(tick.ports, ports);
            assert!(tick.nanos > 0.0, "{tick:?}");
        }
        assert!((10.0..2000.0).contains(&ticks[SLOTS].accesses), "{ticks:?}");
        assert!(ticks.windows(2).all(|two| two[0].accesses < two[1].accesses), "{ticks:?}");
    }
}
