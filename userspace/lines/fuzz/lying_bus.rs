//! A card behind a bus on which some reads return a wrong value. The card is refused, or given up,
//! or goes on; each request completes exactly once.

#![no_main]

mod world;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use ringback_driver::Time;
use ringback_driver::card::tiger320::{Options, Tiger320};
use ringback_driver::device::soft::{Hardware, SoftDevice, SoftInterrupt, SoftMemory};
use ringback_lines::{CallHandles, Lines};
use ringback_softcard::{CardConfig, HostMemory, InterruptLine, SoftCard};

use world::World;

/// The wrong reads that are still to come.
struct Lies {
    rest: std::vec::IntoIter<Lie>,
    next: Option<Lie>,
}

impl Lies {
    fn of(&mut self, value: u32) -> u32 {
        match &mut self.next {
            None => return value,
            Some((reads @ 1.., _)) => {
                *reads -= 1;
                return value;
            }
            Some(_) => {}
        }
        let how = self.next.take().map_or(0, |(_, how)| how);
        self.next = self.rest.next();
        match how {
            0xFF => u32::MAX,
            0xFE => 0,
            bit @ 0xF0.. => value ^ 1 << (bit & 7),
            byte => u32::from(byte),
        }
    }
}

struct Window {
    card: SoftCard,
    lies: Arc<Mutex<Lies>>,
}

impl Hardware for Window {
    fn read(&self, offset: usize, width: u32) -> u32 {
        let value = u32::try_from(offset).map_or(u32::MAX, |offset| self.card.read(offset, width));
        let width = if width == 1 { 0xFF } else { u32::MAX };
        self.lies.lock().expect("no read panics").of(value) & width
    }

    fn write(&self, offset: usize, width: u32, value: u32) {
        if let Ok(offset) = u32::try_from(offset) {
            self.card.write(offset, width, value);
        }
    }

    fn len(&self) -> usize {
        0x1000
    }
}

struct Pin(Arc<AtomicBool>);

impl InterruptLine for Pin {
    fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One wrong read: how many reads before it are right, and the value that it returns.
type Lie = (u16, u8);
/// What happens in one step: the application's two bytes, and how many milliseconds it takes.
type Step = ([u8; 2], u8);

fuzz_target!(|input: (Vec<Lie>, Vec<Step>)| {
    let (lies, steps) = input;
    let mut rest = lies.into_iter();
    let next = rest.next();
    let lies = Arc::new(Mutex::new(Lies { rest, next }));
    let card = SoftCard::new(CardConfig::default());
    let (memory, raised) = (Arc::new(SoftMemory::new(0x1000)), Arc::new(AtomicBool::new(false)));
    let pin = Arc::new(Pin(Arc::clone(&raised)));
    card.connect(Arc::clone(&memory) as Arc<dyn HostMemory>, pin);
    let Ok(interrupt) = SoftInterrupt::new() else { return };
    let window = Window { card: card.clone(), lies };
    let device = SoftDevice::new(window, Some(memory), interrupt);
    let mut delay = |time: Duration| {
        card.advance(u64::try_from(time.as_millis()).unwrap_or(0).clamp(1, 1000));
    };
    let Ok(opened) = Tiger320::open(device, Options::default(), &mut delay) else { return };
    let handles = Arc::new(CallHandles::default());
    let Ok(lines) = Lines::new(opened, Arc::clone(&handles), Time::ZERO) else { return };
    let count = u32::try_from(lines.infos().len()).unwrap_or(0);
    let mut world = World::new(lines, handles, count);
    for (action, long) in steps.into_iter().take(32) {
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
});
