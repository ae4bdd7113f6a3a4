//! The software card as the driver's device, with a tap on the bus and on the interrupt pin, and a
//! bus that lies at times.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ringback_driver::card::tiger320::Tiger320;
use ringback_driver::device::soft::{
    Hardware, SoftDevice, SoftInterrupt, SoftMemory, SoftRegisters,
};
use ringback_driver::device::{Device, InterruptFd};
use ringback_driver::reactor::Handle;
use ringback_joint_card::JointCard;
use ringback_lines::Lines;
use ringback_softcard::{HostMemory, InterruptLine, SoftCard};
use ringback_tspi::EvenPoisoned;

use crate::dice::Dice;
use crate::meter::Meter;

/// The engine under test.
pub(crate) type SimLines = Lines<JointCard<Tiger320<SimDevice>>>;
/// The handle of it.
pub(crate) type SimHandle = Handle<SimLines>;

/// Size of the card's BAR1 in bytes.
const BAR1: usize = 0x1000;
/// Where module registers are written, bit by bit (Tiger320 AUXD).
const AUX_DATA: usize = 0x03;

/// What the tap counts, and what it spoils.
#[derive(Debug, Default)]
pub(crate) struct Tap {
    /// How many register accesses were made when.
    pub(crate) meter: Meter,
    /// Number of interrupts since it was last taken.
    raised: AtomicU32,
    /// Sabotage: writes to the modules' bus are dropped.
    pub(crate) deaf: AtomicBool,
    /// Sabotage: the number that each access counts in addition.
    pub(crate) extra: AtomicU64,
    /// The lies of the bus that are still to come.
    lies: Mutex<Lies>,
}

/// Wrong reads.
#[derive(Debug, Default)]
struct Lies {
    left: u32,
    dice: Option<Dice>,
}

impl Lies {
    /// What is read in place of the value.
    fn of(&mut self, value: u32) -> u32 {
        let Some(dice) = self.dice.as_mut().filter(|_| self.left > 0) else { return value };
        // Most reads in between are right.
        if !dice.one_in(4) {
            return value;
        }
        self.left -= 1;
        match dice.below(4) {
            0 => u32::MAX,
            1 => 0,
            2 => value ^ 1 << dice.below(8),
            _ => dice.below(256),
        }
    }
}

impl Tap {
    pub(crate) fn take_raised(&self) -> u32 {
        self.raised.swap(0, Ordering::Relaxed)
    }

    /// Makes so many of the next reads return a wrong value.
    pub(crate) fn lie(&self, left: u32, dice: Dice) {
        *self.lies.lock().even_poisoned() = Lies { left, dice: Some(dice) };
    }

    /// Returns whether there are lies that were not read yet.
    pub(crate) fn lies(&self) -> bool {
        self.lies.lock().even_poisoned().left > 0
    }

    fn count(&self) {
        self.meter.count(1 + self.extra.load(Ordering::Relaxed));
    }
}

/// The card's register window.
#[derive(Debug)]
pub(crate) struct Window {
    card: SoftCard,
    tap: Arc<Tap>,
}

impl Hardware for Window {
    fn read(&self, offset: usize, width: u32) -> u32 {
        self.tap.count();
        let value = u32::try_from(offset).map_or(u32::MAX, |offset| self.card.read(offset, width));
        self.tap.lies.lock().even_poisoned().of(value)
    }

    fn write(&self, offset: usize, width: u32, value: u32) {
        self.tap.count();
        if offset == AUX_DATA && self.tap.deaf.load(Ordering::Relaxed) {
            return;
        }
        if let Ok(offset) = u32::try_from(offset) {
            self.card.write(offset, width, value);
        }
    }

    fn len(&self) -> usize {
        BAR1
    }
}

/// The driver's device: the card as it is, or with the kernel between it and the lines.
pub(crate) struct SimDevice {
    soft: SoftDevice<Window>,
    kernel: bool,
}

impl Device for SimDevice {
    type Registers = SoftRegisters<Window>;
    type Dma = Arc<SoftMemory>;

    fn name(&self) -> &str {
        self.soft.name()
    }

    fn registers(&self) -> &SoftRegisters<Window> {
        self.soft.registers()
    }

    fn dma(&self) -> Option<&Arc<SoftMemory>> {
        self.soft.dma()
    }

    fn interrupt(&self) -> io::Result<InterruptFd> {
        self.soft.interrupt()
    }

    fn kernel_moves_samples(&self) -> bool {
        self.kernel
    }

    fn rearm(&self) -> io::Result<()> {
        self.soft.rearm()
    }

    fn enable_bus_master(&self) -> io::Result<()> {
        self.soft.enable_bus_master()
    }
}

struct Pin(Arc<Tap>);

impl InterruptLine for Pin {
    fn raise(&self) {
        self.0.raised.fetch_add(1, Ordering::Relaxed);
    }
}

/// Connects the card. The tap counts its interrupts, and the world delivers them. With `kernel` the
/// kernel moves the samples, and its part is for the world to play.
///
/// # Errors
/// The eventfd can't be created.
pub(crate) fn plug(card: &SoftCard, tap: &Arc<Tap>, kernel: bool) -> io::Result<SimDevice> {
    let memory = Arc::new(SoftMemory::new(0x1000));
    card.connect(Arc::clone(&memory) as Arc<dyn HostMemory>, Arc::new(Pin(Arc::clone(tap))));
    let window = Window { card: card.clone(), tap: Arc::clone(tap) };
    let soft = SoftDevice::new(window, Some(memory), SoftInterrupt::new()?);
    Ok(SimDevice { soft, kernel })
}
