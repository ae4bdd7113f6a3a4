//! The software card as the driver's device, with a tap on the bus and on the interrupt pin.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use ringback_driver::card::tiger320::Tiger320;
use ringback_driver::device::soft::{Hardware, SoftDevice, SoftInterrupt, SoftMemory};
use ringback_driver::reactor::Handle;
use ringback_joint_card::JointCard;
use ringback_lines::Lines;
use ringback_softcard::{HostMemory, InterruptLine, SoftCard};

/// The engine under test.
pub(crate) type SimLines = Lines<JointCard<Tiger320<SoftDevice<Window>>>>;
/// The handle of it.
pub(crate) type SimHandle = Handle<SimLines>;

/// Size of the card's BAR1 in bytes.
const BAR1: usize = 0x1000;
/// Where module registers are written, bit by bit (Tiger320 AUXD).
const AUX_DATA: usize = 0x03;

/// What the tap counts, and what it spoils.
#[derive(Debug, Default)]
pub(crate) struct Tap {
    /// Number of register accesses since it was last taken.
    accesses: AtomicU64,
    /// Number of interrupts since it was last taken.
    raised: AtomicU32,
    /// Sabotage: writes to the modules' bus are dropped.
    pub(crate) deaf: AtomicBool,
    /// Sabotage: the number that each access counts in addition.
    pub(crate) extra: AtomicU64,
}

impl Tap {
    pub(crate) fn take_accesses(&self) -> u64 {
        self.accesses.swap(0, Ordering::Relaxed)
    }

    pub(crate) fn take_raised(&self) -> u32 {
        self.raised.swap(0, Ordering::Relaxed)
    }

    fn count(&self) {
        self.accesses.fetch_add(1 + self.extra.load(Ordering::Relaxed), Ordering::Relaxed);
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
        u32::try_from(offset).map_or(u32::MAX, |offset| self.card.read(offset, width))
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

struct Pin(Arc<Tap>);

impl InterruptLine for Pin {
    fn raise(&self) {
        self.0.raised.fetch_add(1, Ordering::Relaxed);
    }
}

/// Connects the card. The tap counts its interrupts, and the world delivers them.
///
/// # Errors
/// The eventfd can't be created.
pub(crate) fn plug(card: &SoftCard, tap: &Arc<Tap>) -> io::Result<SoftDevice<Window>> {
    let memory = Arc::new(SoftMemory::new(0x1000));
    card.connect(Arc::clone(&memory) as Arc<dyn HostMemory>, Arc::new(Pin(Arc::clone(tap))));
    let window = Window { card: card.clone(), tap: Arc::clone(tap) };
    Ok(SoftDevice::new(window, Some(memory), SoftInterrupt::new()?))
}
