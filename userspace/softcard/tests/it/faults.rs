//! Each fault does what its name says, and the card works again when it is switched off.

use ringback_request::PortNumber;
use ringback_softcard::ModuleKind::{self, Empty, Fxo, Fxs};
use ringback_softcard::{Behaviour, Fault, LineState};

use crate::host::*;

const MODULES: [ModuleKind; 4] = [Fxs, Fxs, Fxo, Fxo];

fn host() -> Host {
    Host::running(MODULES)
}

/// Returns the ticks, of `count`, in which interrupts came, and how many. Each interrupt is
/// acknowledged at once.
fn interrupts(host: &Host, count: u64) -> Vec<(u64, u32)> {
    host.write8(INTSTAT, 0xFF);
    host.pin.take();
    (1..=count)
        .filter_map(|tick| {
            host.card.tick();
            let came = host.pin.take();
            if came > 0 {
                host.write8(INTSTAT, 0xFF);
            }
            (came > 0).then_some((tick, came))
        })
        .collect()
}

#[test]
fn switched_faults_are_listed() {
    let host = host();
    assert_eq!(host.card.faults(), []);
    host.card.set_fault(Fault::NoPower(PortNumber(2)), true);
    host.card.set_fault(Fault::LateTick, true);
    host.card.set_fault(Fault::LateTick, true);
    assert_eq!(host.card.faults(), [Fault::LateTick, Fault::NoPower(PortNumber(2))]);
    host.card.set_fault(Fault::LateTick, false);
    assert_eq!(host.card.faults(), [Fault::NoPower(PortNumber(2))]);
}

#[test]
fn a_fault_of_a_slot_that_is_none_is_harmless() {
    let host = host();
    for fault in [
        Fault::NoPower(PortNumber(4)),
        Fault::StuckSpi(PortNumber(u8::MAX)),
        Fault::LineUnplugged(PortNumber(99)),
    ] {
        host.card.set_fault(fault, true);
    }
    for (slot, module) in MODULES.into_iter().enumerate() {
        assert_eq!(host.probe_again(slot), Ok(module));
    }
}

#[test]
fn lost_interrupts() {
    let host = host();
    host.card.set_fault(Fault::LostInterrupts, true);
    assert_eq!(interrupts(&host, 20), []);
    assert_eq!(host.read8(INTSTAT), 0x0F, "status and samples go on");
    host.card.set_fault(Fault::LostInterrupts, false);
    assert_eq!(interrupts(&host, 2).len(), 2);
}

#[test]
fn late_interrupts() {
    let host = host();
    host.card.set_fault(Fault::LateInterrupt, true);
    assert_eq!(interrupts(&host, 12), [(4, 1), (8, 1), (12, 1)]);
    host.card.tick();
    assert_ne!(host.read8(INTSTAT), 0);
    host.card.set_fault(Fault::LateInterrupt, false);
    assert_eq!(interrupts(&host, 3).len(), 3);
}

#[test]
fn doubled_interrupts() {
    let host = host();
    host.card.set_fault(Fault::DoubledInterrupts, true);
    assert_eq!(interrupts(&host, 3), [(1, 2), (2, 2), (3, 2)]);
}

#[test]
fn a_strict_card_wants_its_status_back_with_the_next_access() {
    let host = host();
    host.card.set_fault(Fault::StrictAcknowledgment, true);
    host.card.tick();
    let status = host.read8(INTSTAT);
    host.write8(INTSTAT, status);
    host.card.tick();
    let status = host.read8(INTSTAT);
    assert_ne!(status, 0, "acknowledged in time");
    host.read8(OPER);
    host.write8(INTSTAT, status);
    host.card.tick();
    assert_eq!(host.read8(INTSTAT), 0, "acknowledged late");
    host.card.tick();
    assert_ne!(host.read8(INTSTAT), 0, "and once more in time");
}

#[test]
fn late_ticks_move_two_halves_at_once() {
    let host = host();
    host.card.set_fault(Fault::LateTick, true);
    assert_eq!(interrupts(&host, 6), [(2, 1), (4, 1), (6, 1)]);
    host.card.advance(2);
    assert_eq!(host.read8(INTSTAT), 0x0F);
    let before = host.card.now_ms();
    host.card.tick();
    assert_eq!(host.card.now_ms(), before + 1, "the clock itself goes on");
    host.write8(INTSTAT, 0xFF);
    host.card.set_fault(Fault::LateTick, false);
    host.card.tick();
    assert_eq!(host.read8(INTSTAT), 0x0F, "what was put off is made up for");
}

#[test]
fn master_and_target_abort_halt_until_the_dma_is_restarted() {
    for (fault, bit, status) in
        [(Fault::MasterAbort, 0x10, 0x2000), (Fault::TargetAbort, 0x20, 0x1000)]
    {
        let host = host();
        host.write8(INTSTAT, 0xFF);
        host.card.set_fault(fault, true);
        host.card.tick();
        assert_eq!(host.read8(INTSTAT), bit);
        assert_eq!(host.card.config_read(0x06, 2) & 0x3000, status);
        assert_eq!(host.pin.take() & 1, 1, "it interrupts");
        host.card.set_fault(fault, false);
        host.write8(INTSTAT, 0xFF);
        host.card.advance(5);
        assert_eq!(host.read8(INTSTAT), 0, "acknowledging is not enough");
        host.write8(OPER, 0);
        host.restart_dma();
        host.card.tick();
        assert_eq!(host.read8(INTSTAT), 0x05);
        assert_eq!(host.fxs_read(0, 64), 0x11, "the modules were not reset");
    }
}

#[test]
fn removal_reads_ones_and_the_card_comes_back_as_after_power_on() {
    let host = host();
    let exchange = host.card.exchange();
    host.fxo_write(2, 5, 0x09);
    host.run(50);
    assert_eq!(exchange.state("102"), Some(LineState::DialTone));
    host.card.set_fault(Fault::Removal, true);
    host.pin.take();
    host.memory.set_word(16, 0x55AA_55AA);
    for offset in [CNTL, INTSTAT, AUXR, VER, 0x14] {
        assert_eq!(host.card.read(offset, 1), 0xFF);
    }
    assert_eq!(host.card.read(0x14, 4), 0xFFFF_FFFF);
    assert_eq!(host.card.config_read(0, 4), 0xFFFF_FFFF);
    host.write8(OPER, 1);
    host.card.advance(800);
    assert_eq!(host.pin.take(), 0);
    assert_eq!(host.memory.word(16), 0x55AA_55AA, "no DMA");
    assert_eq!(exchange.state("102"), Some(LineState::Idle), "the relay has opened");

    host.card.set_fault(Fault::Removal, false);
    assert_eq!(host.read8(CNTL), 0);
    let host = host.up();
    host.run(10);
    assert!(host.pin.take() > 0);
}

#[test]
fn part_reset_of_an_fxs_module() {
    let host = host();
    host.card.set_fault(Fault::PartReset(PortNumber(1)), true);
    assert_eq!((host.fxs_read(1, 8), host.fxs_read(1, 64)), (0x02, 0x00));
    assert_eq!(host.fxs_read(0, 64), 0x11, "the other module goes on");
    assert_eq!(host.bring_up_fxs(1), Ok(()), "once");
    host.run(100);
    assert_eq!(host.fxs_read(1, 64), 0x11);
    host.card.set_fault(Fault::PartReset(PortNumber(2)), true);
    assert_eq!(host.fxo_read(2, 5), 0x08, "FXO modules have no such fault");
}

#[test]
fn power_alarm_opens_the_line_for_as_long_as_it_lasts() {
    let host = host();
    host.card.set_fault(Fault::PowerAlarm(PortNumber(0)), true);
    host.run(2);
    assert_eq!((host.fxs_read(0, 8), host.fxs_read(0, 64)), (0x00, 0x00));
    assert_eq!(host.fxs_read(0, 19) & 0xFC, 0xFC);
    assert!(!host.card.telephone(PortNumber(0)).unwrap().has_battery());
    host.fxs_write(0, 64, 1);
    host.run(1);
    assert_eq!(host.fxs_read(0, 64), 0x00, "again");
    host.fxs_write(0, 67, 0x06);
    host.fxs_write(0, 64, 1);
    host.run(1);
    assert_eq!(host.fxs_read(0, 64), 0x11, "without automatic opening it only alarms");
    host.fxs_write(0, 67, 0x07);
    host.run(1);
    host.card.set_fault(Fault::PowerAlarm(PortNumber(0)), false);
    host.fxs_write(0, 64, 1);
    host.run(2);
    assert_eq!(host.fxs_read(0, 64), 0x11);
    assert!(host.card.telephone(PortNumber(0)).unwrap().has_battery());
}

#[test]
fn no_power() {
    let host = Host::with(MODULES);
    host.card.set_fault(Fault::NoPower(PortNumber(1)), true);
    host.initialise();
    assert_eq!(host.probe(0), Ok(Fxs));
    assert_eq!(host.probe(1), Err(Failure::NoPower));
    assert_eq!(host.fxs_read(1, 82), 0);
    host.card.set_fault(Fault::NoPower(PortNumber(1)), false);
    assert_eq!(host.probe_again(1), Ok(Fxs));
}

#[test]
fn no_isolation_link() {
    let host = Host::with(MODULES);
    host.card.set_fault(Fault::NoIsoLink(PortNumber(3)), true);
    host.initialise();
    assert_eq!(host.probe(2), Ok(Fxo));
    assert_eq!(host.probe(3), Err(Failure::NoLink));
    assert_eq!(host.fxo_read(3, 29), 0);
    host.fxo_write(3, 5, 0x09);
    host.card.advance(100);
    assert_eq!(host.card.exchange().state("103"), Some(LineState::Idle), "the relay is open");
    host.card.set_fault(Fault::NoIsoLink(PortNumber(3)), false);
    assert_eq!(host.probe_again(3), Ok(Fxo));
}

#[test]
fn stuck_spi() {
    for (fault, level) in [
        (Fault::StuckSpi as fn(PortNumber) -> Fault, 0xFF),
        (Fault::StuckSpiLow as fn(PortNumber) -> Fault, 0x00),
    ] {
        let host = host();
        for slot in [1, 2] {
            host.card.set_fault(fault(PortNumber(slot)), true);
        }
        assert_eq!(host.fxs_read(1, 0), level);
        assert_eq!(host.fxo_read(2, 2), level);
        assert_eq!(host.fxs_read(0, 0), 0x05, "the others are not affected");
        host.fxs_write(1, 64, 2);
        host.card.set_fault(fault(PortNumber(1)), false);
        assert_eq!(host.fxs_read(1, 64), 0x22, "it heard the host");
    }
}

#[test]
fn one_stuck_level_replaces_the_other() {
    let host = host();
    host.card.set_fault(Fault::StuckSpi(PortNumber(0)), true);
    host.card.set_fault(Fault::StuckSpiLow(PortNumber(0)), true);
    assert_eq!(host.fxs_read(0, 0), 0x00);
    host.card.set_fault(Fault::StuckSpiLow(PortNumber(0)), false);
    assert_eq!(host.fxs_read(0, 0), 0xFF, "the one that is still on");
}

#[test]
fn an_unplugged_jack() {
    let host = host();
    host.card.telephone(PortNumber(0)).unwrap().off_hook();
    host.fxo_write(2, 5, 0x09);
    host.run(100);
    assert_eq!(host.fxs_read(0, 68) & 0x01, 0x01);
    for slot in [0, 2] {
        host.card.set_fault(Fault::LineUnplugged(PortNumber(slot)), true);
    }
    host.run(800);
    assert_eq!(host.fxs_read(0, 68), 0x00);
    assert!(host.fxo_read(2, 29).cast_signed().unsigned_abs() < 3);
    assert_eq!(host.card.exchange().state("102"), Some(LineState::Idle));

    // An unplugged telephone neither rings nor sends sound.
    host.card.exchange().add_subscriber("200", Behaviour::Manual).call("102");
    host.card.telephone(PortNumber(0)).unwrap().on_hook();
    host.fxo_write(2, 5, 0x08);
    host.fxs_write(0, 64, 4);
    assert!(!host.run_until(4000, || host.fxo_read(2, 5) & 0x60 != 0));
    assert!(!host.card.telephone(PortNumber(0)).unwrap().is_ringing());
    for slot in [0, 2] {
        host.card.set_fault(Fault::LineUnplugged(PortNumber(slot)), false);
    }
    assert!(host.run_until(4000, || host.fxo_read(2, 5) & 0x60 != 0));
    assert!(host.card.telephone(PortNumber(0)).unwrap().is_ringing());
}

#[test]
fn empty_modules_take_every_fault() {
    let host = Host::running([Empty; 4]);
    for fault in Fault::all() {
        host.card.set_fault(fault, true);
        host.card.advance(3);
        host.card.set_fault(fault, false);
    }
    assert_eq!(host.card.faults(), []);
}
