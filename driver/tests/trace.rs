//! The trace of register accesses: what a subscriber gets, and that it costs nothing without one.
//!
//! One test, because the level that switches the trace on is one for the whole process.

#![allow(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use ringback_driver::card::port::{FRAME, PortEvent, PortSink};
use ringback_driver::card::tiger320::{Options, Tiger320};
use ringback_driver::card::{Hook, LineFeed, PortCard, Service};
use ringback_driver::device::soft::SoftDevice;
use ringback_driver::{PortNumber, Time};
use ringback_listener::Log;
use ringback_softcard::{CardConfig, ModuleKind, SoftCard};
use tracing::Level;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// Counts what each thread allocates.
struct Counting;

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps to `GlobalAlloc`.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps to `GlobalAlloc`.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A sink that drops what comes in, and plays nothing.
struct Nobody;

impl PortSink for Nobody {
    fn event(&mut self, _: PortNumber, _: PortEvent) {}
    fn frame(&mut self, _: PortNumber, _: &[u8; FRAME], _: &mut [u8; FRAME]) {}
}

const TICK: Duration = Duration::from_millis(1);

fn open() -> (SoftCard, Tiger320<SoftDevice<SoftCard>>) {
    let modules = [ModuleKind::Fxs, ModuleKind::Empty, ModuleKind::Fxo, ModuleKind::Empty];
    let soft = SoftCard::new(CardConfig { modules, ..CardConfig::default() });
    let clock = soft.clone();
    let mut delay = |time: Duration| clock.advance(time.as_millis() as u64);
    let device = SoftDevice::card(soft.clone()).unwrap();
    let card = Tiger320::open(device, Options::default(), &mut delay).unwrap();
    (soft, card)
}

#[test]
fn accesses_are_traced_by_name_and_cost_nothing_while_tracing_is_off() {
    // No subscriber is set.
    let (soft, mut card) = open();
    let mut now = Time::from_nanos(1);
    card.start(now).unwrap();
    let before = ALLOCATIONS.get();
    let mut frames = 0;
    for n in 0..64 {
        soft.tick();
        now += TICK;
        let allocated = ALLOCATIONS.get();
        card.set_hook(PortNumber(2), if n % 2 == 0 { Hook::Off } else { Hook::On }).unwrap();
        let service = card.service(now, &mut Nobody);
        assert_eq!(ALLOCATIONS.get(), allocated, "tick {n}");
        frames += u32::from(matches!(service, Service::Frames { .. }));
    }
    assert!(frames > 60 && ALLOCATIONS.get() >= before);

    let trace = Log::default();
    tracing::dispatcher::with_default(&trace.subscriber(), || {
        let (soft, mut card) = open();
        let lines = trace.take(Level::TRACE);
        let has = |line: &str| assert!(lines.iter().any(|told| told == line), "{line}");
        has("Tiger320 0x00 CNTL: wrote 0x01 = RUN");
        has("Tiger320 0x2d SERCTL: wrote 0xc1 = DOUBLE_RATE | IN_MSB_FIRST | OUT_MSB_FIRST");
        has("Tiger320 0xc0 CPLD_SYNC: wrote 0x0b = HALF_DUTY | SLOT_0 | SLOT_2");
        has("slot 0: Si3210 8 LOOPBACK: read 0x02 = DIGITAL");
        has("slot 0: Si3210 30 INDIRECT_ADDRESS: wrote 0x14 = RING_COEFFICIENT");
        has("slot 0: Si3210 64 LINE_STATE: wrote 0x01 = ACTIVE");
        has("slot 2: Si3050 1 CONTROL_1: wrote 0x80 = SOFT_RESET");
        has("slot 2: Si3050 6 DAA_CONTROL_2: wrote 0x00");
        assert!(lines.iter().all(|line| !line.contains("AUXR")));

        card.set_hook(PortNumber(2), Hook::Off).unwrap();
        card.set_line_feed(PortNumber(0), LineFeed::Ringing).unwrap();
        card.set_hook(PortNumber(2), Hook::On).unwrap();
        let commands = trace.take(Level::TRACE);
        let commands: Vec<_> = commands.iter().filter(|line| line.starts_with("slot")).collect();
        assert_eq!(
            commands,
            [
                "slot 2: Si3050 5 DAA_CONTROL: wrote 0x09 = OFF_HOOK | ON_HOOK_MONITOR",
                "slot 0: Si3210 64 LINE_STATE: wrote 0x04 = RINGING",
                "slot 2: Si3050 5 DAA_CONTROL: wrote 0x08 = ON_HOOK_MONITOR",
            ]
        );

        card.start(Time::from_nanos(1)).unwrap();
        trace.take(Level::TRACE);
        soft.tick();
        card.service(Time::from_nanos(1) + TICK, &mut Nobody);
        let tick = trace.take(Level::TRACE);
        assert_eq!(tick[0], "Tiger320 0x06 INTSTAT: read 0x05 = TX_HALF | RX_HALF");
        // It is acknowledged before anything else, and looked at once more at the end.
        assert_eq!(tick[1], "Tiger320 0x06 INTSTAT: wrote 0x05 = TX_HALF | RX_HALF");
        assert!(tick[2].starts_with("Tiger320 0x24 RX_CURRENT: read 0x"), "{tick:?}");
        assert_eq!(tick[4], "Tiger320 0x06 INTSTAT: read 0x00");
        let told = "slot 0: Si3210 68 LOOP_STATUS: read 0x00";
        assert!(tick.iter().any(|line| line == told), "{tick:?}");
        assert!(
            tick.len() < 10,
            "accesses to the serial bus's pins are not traced one by one: {tick:?}"
        );
    });
}
