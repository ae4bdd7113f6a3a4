//! A modem that sends arbitrary bytes besides its own responses, at any time: each request
//! completes exactly once.

#![no_main]

mod world;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use ringback_driver::Time;
use ringback_driver::card::uart16550::{Options, Uart16550};
use ringback_driver::device::soft::{SoftDevice, SoftInterrupt};
use ringback_lines::CallHandles;
use ringback_lines::modem::{Modem, ModemOptions, ResultCode};
use ringback_softcard::{Far, SoftModem, SoftUart, UartModel};

use world::World;

/// Characters of 115200 8N1 in a millisecond, roughly.
const PER_MS: usize = 11;

/// What happens in one step: the application's two bytes, how long it takes, and what the modem
/// sends meanwhile without being asked.
type Step = ([u8; 2], u8, Vec<u8>);

fuzz_target!(|steps: Vec<Step>| {
    for (.., said) in &steps {
        let _ = ResultCode::parse(said);
    }
    let mut modem = SoftModem::new();
    modem.add("5550100", Far::Echo(Duration::from_secs(1)));
    modem.add("100", Far::Endless);
    let uart = SoftUart::new(UartModel::default());
    let Ok(interrupt) = SoftInterrupt::new() else { return };
    let device = SoftDevice::new(uart.clone(), None, interrupt);
    let mut delay = |time: Duration| {
        let characters = PER_MS * usize::try_from(time.as_millis()).unwrap_or(0);
        uart.run(characters, &mut VecDeque::new(), &mut Vec::new());
    };
    let card = Uart16550::open(device, Options::default(), &mut delay).expect("a UART");
    let handles = Arc::new(CallHandles::default());
    let engine = Modem::new(card, &ModemOptions::default(), Arc::clone(&handles), Time::ZERO);
    let mut world = World::new(engine.expect("a modem"), handles, 1);
    let (mut to_modem, mut from_modem) = (Vec::new(), VecDeque::new());
    for (action, long, said) in steps.into_iter().take(64) {
        world.act(action);
        from_modem.extend(said);
        for _ in 0..u32::from(long) * u32::from(long) / 16 + 1 {
            for _ in 0..PER_MS {
                let waits = &mut VecDeque::new();
                let flows = if uart.rts() { &mut from_modem } else { waits };
                uart.run(1, flows, &mut to_modem);
                if uart.interrupts() {
                    world.stepper.interrupt();
                }
            }
            let now = world.stepper.now() - Time::ZERO;
            modem.run(now, uart.dtr(), &mut to_modem, &mut from_modem);
            uart.set_inputs(modem.signals());
            world.stepper.advance(Duration::from_millis(1));
        }
    }
    world.end();
});
