//! An exchange that says and does anything: tones, noise and silence of any length on the lines,
//! battery that comes, goes and is reversed, calls that are given up, messages that wait. Each
//! request completes exactly once.

#![no_main]

mod plugged;
mod world;

use std::f32::consts::TAU;

use std::sync::{Arc, Mutex};

use libfuzzer_sys::fuzz_target;
use ringback_driver::PortNumber;
use ringback_driver::device::soft::SoftMemory;
use ringback_media::g711::ulaw_encode;
use ringback_softcard::{Behaviour, HostMemory, SoftCard, Telephone, scenery};

use plugged::{Step, run};

/// A sound: which slots hear it (bits 0 to 3), its two frequencies in units of 16 Hz, its level in
/// 256ths of the loudest, and its length in units of 10 ms.
type Sound = (u8, u8, u8, u8, u8);
/// What the exchange does before a step, and on which line.
type Deed = u8;
/// The samples of one slot in a second.
const RATE: f32 = 8000.0;

/// The sounds that are still to come, and how many frames of the first have passed.
struct Sounds {
    rest: std::vec::IntoIter<Sound>,
    now: Sound,
    frame: u32,
}

impl Sounds {
    /// One frame: the slots' samples, as u-law, in place of those of the software exchange.
    fn frame(&mut self, word: u32) -> u32 {
        let (slots, low, high, level, length) = self.now;
        let time = self.frame as f32 / RATE;
        let wave = |unit: u8| (time * f32::from(unit) * 16.0 * TAU).sin();
        let code = ulaw_encode(((wave(low) + wave(high)) * f32::from(level) * 64.0) as i16);
        self.frame += 1;
        if self.frame >= u32::from(length) * 80 {
            (self.now, self.frame) = (self.rest.next().unwrap_or_default(), 0);
        }
        let mut bytes = word.to_le_bytes();
        for (slot, byte) in bytes.iter_mut().enumerate() {
            if slots & (1 << slot) != 0 {
                *byte = code;
            }
        }
        u32::from_le_bytes(bytes)
    }
}

/// The card's memory behind the lines on which the sounds are heard.
struct Wires {
    memory: Arc<SoftMemory>,
    sounds: Mutex<Sounds>,
}

impl HostMemory for Wires {
    fn read32(&self, address: u32) -> Option<u32> {
        self.memory.read32(address)
    }

    fn write32(&self, address: u32, value: u32) -> bool {
        let heard = self.sounds.lock().expect("no write panics").frame(value);
        self.memory.write32(address, heard)
    }
}

/// Does what a byte chooses to one of the two lines.
fn act(card: &SoftCard, callers: &[Telephone; 2], deed: Deed) {
    let exchange = card.exchange();
    let line = usize::from(deed >> 7);
    let slot = PortNumber(2 + line as u8);
    let Some(number) = exchange.line_number(slot) else { return };
    let caller = &callers[line];
    let done = match deed & 0x7F {
        0 => exchange.unplug(&number),
        1 => exchange.plug_in(&number),
        2 => exchange.set_reversed(&number, true),
        3 => exchange.set_reversed(&number, false),
        4 => {
            caller.call(&number);
            Ok(())
        }
        5 => {
            caller.on_hook();
            Ok(())
        }
        6 => exchange.set_messages(&number, true),
        7 => exchange.set_messages(&number, false),
        _ => Ok(()),
    };
    done.expect("the number of a line");
}

fuzz_target!(|input: (Vec<Sound>, Vec<Deed>, Vec<Step>)| {
    let (sounds, deeds, steps) = input;
    let card = scenery::card(ringback_country::Country::default());
    scenery::furnish(&card);
    let callers =
        ["7771", "7772"].map(|number| card.exchange().add_subscriber(number, Behaviour::Manual));
    let mut rest = sounds.into_iter();
    let now = rest.next().unwrap_or_default();
    let sounds = Mutex::new(Sounds { rest, now, frame: 0 });
    let through = |memory| -> Arc<dyn HostMemory> { Arc::new(Wires { memory, sounds }) };
    let before = |at: usize| {
        if let Some(deed) = deeds.get(at) {
            act(&card, &callers, *deed);
        }
    };
    run(&card, card.clone(), through, steps, before);
});
