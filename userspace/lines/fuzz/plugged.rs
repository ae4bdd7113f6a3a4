//! What the fuzzers of port lines share: lines on a software card whose clock is stepped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ringback_driver::Time;
use ringback_driver::card::tiger320::{Options, Tiger320};
use ringback_driver::device::soft::{Hardware, SoftDevice, SoftInterrupt, SoftMemory};
use ringback_lines::{CallHandles, Lines};
use ringback_softcard::{HostMemory, InterruptLine, SoftCard};

use crate::world::World;

/// The size of a card's DMA memory in bytes.
pub(crate) const MEMORY: usize = 0x1000;
/// The most steps of one input, which bounds how long it takes.
const MOST: usize = 32;

/// The application's two bytes, and how many milliseconds the step takes.
pub(crate) type Step = ([u8; 2], u8);

struct Pin(Arc<AtomicBool>);

impl InterruptLine for Pin {
    fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Carries out the steps on the lines of a card: `window` is its registers, and `through` what is
/// between the card and its memory. `before` is called before each step.
///
/// A card that is refused at its start is no failure.
pub(crate) fn run(
    card: &SoftCard,
    window: impl Hardware,
    through: impl FnOnce(Arc<SoftMemory>) -> Arc<dyn HostMemory>,
    steps: impl IntoIterator<Item = Step>,
    mut before: impl FnMut(usize),
) {
    let (memory, raised) = (Arc::new(SoftMemory::new(MEMORY)), Arc::new(AtomicBool::new(false)));
    card.connect(through(Arc::clone(&memory)), Arc::new(Pin(Arc::clone(&raised))));
    let Ok(interrupt) = SoftInterrupt::new() else { return };
    let device = SoftDevice::new(window, Some(memory), interrupt);
    let mut delay = |time: Duration| {
        card.advance(u64::try_from(time.as_millis()).unwrap_or(0).clamp(1, 1000));
    };
    let Ok(opened) = Tiger320::open(device, Options::default(), &mut delay) else { return };
    let handles = Arc::new(CallHandles::default());
    let Ok(lines) = Lines::new(opened, Arc::clone(&handles), Time::ZERO) else { return };
    let count = u32::try_from(lines.infos().len()).unwrap_or(0);
    let mut world = World::new(lines, handles, count);
    for (at, (action, long)) in steps.into_iter().take(MOST).enumerate() {
        before(at);
        world.act(action);
        for _ in 0..u32::from(long) + 1 {
            card.tick();
            if raised.swap(false, Ordering::Relaxed) {
                world.stepper.interrupt();
            }
            world.stepper.advance(Duration::from_millis(1));
        }
    }
    world.end();
}
