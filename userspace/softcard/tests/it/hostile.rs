//! Nothing that a host does can make the card panic, hang, or access memory that it was not given.

use proptest::prelude::*;
use ringback_request::PortNumber;
use ringback_softcard::ModuleKind::{Fxo, Fxs};
use ringback_softcard::{Behaviour, CardConfig, Fault, SoftCard};

use crate::host::*;

#[derive(Debug, Clone)]
enum Act {
    Write(u32, u32, u32),
    Read(u32, u32),
    ConfigWrite(u32, u32, u32),
    ConfigRead(u32, u32),
    Module(usize, u8, u8),
    Tick(u8),
    Fault(usize, bool),
    Hook(usize, bool),
    Dial(String),
    Reset,
}

fn width() -> impl Strategy<Value = u32> {
    prop_oneof![8 => prop_oneof![Just(1), Just(2), Just(4)], 1 => any::<u32>()]
}

fn offset() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0_u32..0x30, 4 => 0xC0_u32..0xD0, 1 => 0_u32..0x1010, 1 => any::<u32>()]
}

fn value() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), 0_u32..0x100, (0_u32..40).prop_map(|word| RING + 4 * word)]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => (offset(), width(), value()).prop_map(|(o, w, v)| Act::Write(o, w, v)),
        4 => (offset(), width()).prop_map(|(o, w)| Act::Read(o, w)),
        1 => (any::<u32>(), width(), any::<u32>()).prop_map(|(o, w, v)| Act::ConfigWrite(o, w, v)),
        1 => (0_u32..0x110, width()).prop_map(|(o, w)| Act::ConfigRead(o, w)),
        8 => (0_usize..4, any::<u8>(), any::<u8>()).prop_map(|(s, r, v)| Act::Module(s, r, v)),
        6 => (1_u8..50).prop_map(Act::Tick),
        1 => (0_usize..40, any::<bool>()).prop_map(|(fault, on)| Act::Fault(fault, on)),
        1 => (0_usize..4, any::<bool>()).prop_map(|(slot, off)| Act::Hook(slot, off)),
        1 => "[0-9*#A-D,x]{0,6}".prop_map(Act::Dial),
        1 => Just(Act::Reset),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_sequence_of_accesses_panics(acts in prop::collection::vec(act(), 1..200)) {
        let host = Host::running([Fxs, Fxs, Fxo, Fxo]);
        let exchange = host.card.exchange();
        let subscriber = exchange.add_subscriber("2", Behaviour::AnswerAfterRings(1));
        for act in acts {
            match act {
                Act::Write(offset, width, value) => host.card.write(offset, width, value),
                Act::Read(offset, width) => {
                    let value = host.card.read(offset, width);
                    let unbounded = width >= 4 || width == 0 || width == 3;
                    prop_assert!(unbounded || value >> (8 * width) == 0);
                }
                Act::ConfigWrite(offset, width, value) => {
                    host.card.config_write(offset, width, value);
                }
                Act::ConfigRead(offset, width) => {
                    host.card.config_read(offset, width);
                }
                Act::Module(slot, register, value) => {
                    host.fxs_write(slot, register, value);
                    host.fxo_write(slot, register, value);
                    host.fxs_read(slot, register);
                    host.fxo_read(slot, register);
                }
                Act::Tick(ms) => host.card.advance(u64::from(ms)),
                Act::Fault(index, on) => {
                    if let Some(fault) = Fault::all().nth(index) {
                        host.card.set_fault(fault, on);
                    }
                }
                Act::Hook(slot, off) => {
                    if let Some(phone) = host.card.telephone(PortNumber::at(slot)) {
                        if off { phone.off_hook() } else { phone.on_hook() }
                    }
                }
                Act::Dial(digits) => subscriber.call(&digits),
                Act::Reset => host.card.reset(),
            }
        }
        for fault in host.card.faults() {
            host.card.set_fault(fault, false);
        }
        // Whatever the writes did, a new driver finds a card that works.
        host.card.reset();
        for slot in [0, 1] {
            host.card.telephone(PortNumber(slot)).unwrap().on_hook();
        }
        host.card.advance(20);
        let host = host.up();
        host.run(4);
        prop_assert!(host.pin.take() > 0);
    }
}

#[test]
fn every_register_takes_every_byte() {
    let card = SoftCard::new(CardConfig::default());
    for offset in 0..0x100 {
        for value in 0..=0xFF {
            card.write(offset, 1, value);
            card.read(offset, 1);
        }
        card.tick();
    }
}

#[test]
fn every_module_register_takes_every_bit() {
    let host = Host::running([Fxs, Fxs, Fxo, Fxo]);
    let values = [0x00, 0xFF].into_iter().chain((0..8).map(|bit| 1 << bit));
    for register in 0..=0xFF {
        for value in values.clone() {
            host.fxs_write(0, register, value);
            host.fxo_write(2, register, value);
        }
        host.fxs_read(0, register);
        host.fxo_read(2, register);
        host.run(1);
    }
}
