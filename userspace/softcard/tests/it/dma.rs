//! The rings: samples in both directions, pointers, status bits and interrupts.

use ringback_softcard::ModuleKind::{Empty, Fxo, Fxs};

use crate::host::*;

/// Returns a card whose FXS modules loop the host's bytes back (Si3210 register 8 bit 1).
fn looped() -> Host {
    let host = Host::running([Fxs; 4]);
    for slot in 0..4 {
        host.fxs_write(slot, 8, 0x02);
    }
    host
}

#[test]
fn bytes_go_to_their_slot_and_come_back_in_order() {
    let host = looped();
    let mut sent = Vec::new();
    let mut received = Vec::new();
    for number in 0..50_u8 {
        let byte = |slot: usize, i: usize| number.wrapping_mul(7) ^ (slot * 64 + i) as u8;
        let frames = std::array::from_fn(|slot| std::array::from_fn(|i| byte(slot, i)));
        received.push(host.millisecond(frames));
        sent.push(frames);
    }
    // It takes two milliseconds: one while the other half is played, and the one for this half.
    assert_eq!(received[2..], sent[..48]);
}

#[test]
fn an_undisturbed_ring_replays_stale_samples() {
    let host = looped();
    for word in 0..16 {
        host.memory.set_word(word, 0x0101_0101 * word as u32);
    }
    host.card.advance(6);
    for word in 0..16 {
        assert_eq!(host.memory.word(16 + word), 0x0101_0101 * word as u32);
    }
}

#[test]
fn pointers_name_the_half_at_each_interrupt() {
    let host = Host::running([Empty; 4]);
    for tick in 0..10 {
        host.card.tick();
        let (tx, rx) = (host.card.read(0x14, 4), host.card.read(0x24, 4));
        let end = if tick % 2 == 0 { 28 } else { 60 };
        assert_eq!((tx, rx), (RING + end, RING + 64 + end));
    }
}

#[test]
fn unlatched_status_is_that_of_the_last_half_and_latched_status_adds_up() {
    let host = Host::running([Empty; 4]);
    host.start(0x01);
    let mut seen = Vec::new();
    for _ in 0..4 {
        host.card.tick();
        seen.push(host.read8(INTSTAT));
    }
    assert_eq!(seen, [0x05, 0x0A, 0x05, 0x0A], "never both, although none was acknowledged");

    host.start(0x41);
    host.write8(INTSTAT, 0xFF);
    host.card.tick();
    assert_eq!(host.read8(INTSTAT), 0x05);
    host.card.tick();
    assert_eq!(host.read8(INTSTAT), 0x0F);
    host.write8(INTSTAT, 0x0F);
    assert_eq!(host.read8(INTSTAT), 0x00);
    host.card.tick();
    assert_eq!(host.read8(INTSTAT), 0x05);
}

#[test]
fn the_interrupt_comes_once_a_millisecond_while_status_and_mask_meet() {
    let host = Host::running([Empty; 4]);
    host.pin.take();
    host.card.tick();
    assert_eq!(host.pin.take(), 1);
    host.write8(INTSTAT, 0xFF);
    assert_eq!(host.pin.take(), 0, "no interrupt between ticks");
    host.write8(MASK0, 0x30);
    host.card.advance(5);
    assert_eq!(host.pin.take(), 0);
    host.write8(MASK0, 0x08);
    host.write8(INTSTAT, 0xFF);
    host.card.advance(1);
    let first = host.pin.take();
    host.write8(INTSTAT, 0xFF);
    host.card.advance(1);
    let second = host.pin.take();
    assert_eq!(first + second, 1, "only the end of the RX ring interrupts");
    host.write8(OPER, 0);
    host.write8(INTSTAT, 0xFF);
    host.card.advance(5);
    assert_eq!(host.pin.take(), 0);
}

#[test]
fn a_level_that_is_not_acknowledged_interrupts_again() {
    let host = Host::running([Empty; 4]);
    host.card.tick();
    host.write8(OPER, 0);
    host.pin.take();
    host.card.advance(3);
    assert_eq!(host.pin.take(), 3, "latched status keeps the pin asserted");
}

#[test]
fn stopping_rewinds_to_the_first_half() {
    let host = Host::running([Empty; 4]);
    host.card.tick();
    host.write8(OPER, 0);
    assert_eq!(host.card.read(0x14, 4), RING);
    host.write8(OPER, 1);
    host.card.tick();
    assert_eq!(host.card.read(0x14, 4), RING + 28);
}

#[test]
fn without_bus_master_there_is_a_master_abort_and_no_transfer() {
    let host = Host::running([Empty; 4]);
    host.card.config_write(0x04, 1, 0x02);
    host.write8(INTSTAT, 0xFF);
    host.memory.set_word(16, 0x1234_5678);
    host.card.tick();
    assert_eq!(host.read8(INTSTAT), 0x10);
    assert_eq!(host.memory.word(16), 0x1234_5678);
    assert_eq!(host.card.config_read(0x06, 2) & 0x2000, 0x2000, "received master abort");

    // To recover: stop, enable bus mastering again, reset the DMA, start.
    host.write8(OPER, 0);
    host.card.config_write(0x04, 1, 0x06);
    host.write8(INTSTAT, 0xFF);
    host.write8(CNTL, 0x43);
    host.write8(CNTL, 0x41);
    host.write8(OPER, 1);
    host.card.tick();
    assert_eq!(host.read8(INTSTAT), 0x05);
    assert_eq!(host.memory.word(16), 0xFFFF_FFFF, "no module drives the bus of an empty card");
}

#[test]
fn an_address_without_a_target_aborts_and_halts() {
    let host = Host::running([Empty; 4]);
    host.write8(OPER, 0);
    host.card.write(0x20, 4, RING + 4096);
    host.card.write(0x18, 4, RING + 128 - 8);
    host.write8(OPER, 1);
    host.write8(INTSTAT, 0xFF);
    host.card.tick();
    assert_eq!(host.read8(INTSTAT) & 0x30, 0x10);
    assert_eq!(host.card.read(0x24, 4), RING + 124, "stands at the last word that was moved");
    host.write8(INTSTAT, 0xFF);
    host.card.advance(3);
    assert_eq!(host.read8(INTSTAT), 0, "halted");
}

#[test]
fn a_card_without_host_aborts() {
    let host = Host::running([Empty; 4]);
    host.card.disconnect();
    host.write8(INTSTAT, 0xFF);
    host.card.tick();
    assert_eq!(host.read8(INTSTAT), 0x10);
}

#[test]
fn a_module_drives_the_slot_that_it_is_programmed_for() {
    let host = Host::running([Fxs, Fxo, Empty, Empty]);
    let idle = host.millisecond([[0xFF; 8]; 4]);
    assert_eq!(idle, [[0xFF; 8]; 4]);
    host.fxs_write(0, 1, 0x20);
    let alaw = host.millisecond([[0xFF; 8]; 4]);
    assert_eq!(alaw[0], [0xD5; 8]);
    host.fxs_write(0, 2, 0);
    let moved = host.millisecond([[0xFF; 8]; 4]);
    assert_eq!((moved[0], moved[3]), ([0xFF; 8], [0xD5; 8]));
}

/// A host whose memory calls back into the card, from the bus cycle and from the interrupt.
#[test]
fn the_host_may_call_back_from_a_bus_cycle_and_from_the_interrupt() {
    use ringback_softcard::{HostMemory, InterruptLine, SoftCard};
    use std::sync::Arc;

    struct Reentrant(SoftCard);
    impl HostMemory for Reentrant {
        fn read32(&self, _: u32) -> Option<u32> {
            Some(self.0.read(0, 4))
        }
        fn write32(&self, bus_address: u32, _: u32) -> bool {
            if bus_address == RING + 64 + 4 * 3 {
                self.0.write(OPER, 1, 0);
            }
            self.0.now_ms() > 0
        }
    }
    impl InterruptLine for Reentrant {
        fn raise(&self) {
            let status = self.0.read(INTSTAT, 1);
            self.0.write(INTSTAT, 1, status);
            self.0.tick();
        }
    }
    let host = Host::running([Fxs; 4]);
    let reentrant = Arc::new(Reentrant(host.card.clone()));
    host.card.connect(reentrant.clone(), reentrant);
    host.write8(INTSTAT, 0xFF);
    host.card.tick();
    assert_eq!(host.read8(OPER), 0, "stopped in the middle of its own tick");
    assert_eq!(host.card.read(0x24, 4), RING + 64, "and rewound");
    assert_eq!(host.read8(INTSTAT), 0);
    host.card.disconnect();
}

#[test]
fn no_cycle_follows_the_one_in_which_bus_mastership_is_taken_away() {
    use ringback_softcard::{HostMemory, SoftCard};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    struct Leaving {
        card: SoftCard,
        cycles: AtomicU32,
    }
    impl HostMemory for Leaving {
        fn read32(&self, _: u32) -> Option<u32> {
            if self.cycles.fetch_add(1, Ordering::SeqCst) == 2 {
                self.card.config_write(0x04, 2, 0x0002);
            }
            Some(0)
        }
        fn write32(&self, _: u32, _: u32) -> bool {
            self.cycles.fetch_add(1, Ordering::SeqCst);
            true
        }
    }
    let host = Host::running([Empty; 4]);
    let leaving = Arc::new(Leaving { card: host.card.clone(), cycles: AtomicU32::new(0) });
    host.card.connect(leaving.clone(), host.pin.clone());
    host.card.tick();
    assert_eq!(leaving.cycles.load(Ordering::SeqCst), 3);
    host.card.advance(3);
    assert_eq!(leaving.cycles.load(Ordering::SeqCst), 3);
    assert_eq!(host.read8(INTSTAT) & 0x30, 0x10);
    host.card.disconnect();
}
