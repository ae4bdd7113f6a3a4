//! A card behind a bus on which some reads return a wrong value. The card is refused, or given up,
//! or goes on; each request completes exactly once.

#![no_main]

mod plugged;
mod world;

use std::sync::{Arc, Mutex};

use libfuzzer_sys::fuzz_target;
use ringback_driver::device::soft::Hardware;
use ringback_softcard::{CardConfig, SoftCard};

use plugged::{Step, run};

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
        Hardware::len(&self.card)
    }
}

/// One wrong read: how many reads before it are right, and the value that it returns.
type Lie = (u16, u8);
fuzz_target!(|input: (Vec<Lie>, Vec<Step>)| {
    let (lies, steps) = input;
    let mut rest = lies.into_iter();
    let next = rest.next();
    let lies = Arc::new(Mutex::new(Lies { rest, next }));
    let card = SoftCard::new(CardConfig::default());
    let window = Window { card: card.clone(), lies };
    run(&card, window, |memory| memory, steps, |_| {});
});
