//! Initialisation of every kind of module in every slot.

use ringback_softcard::ModuleKind::{self, Empty, Fxo, Fxs};

use crate::host::*;

#[test]
fn every_kind_of_module_comes_up_in_every_slot() {
    for slot in 0..4 {
        for kind in [Empty, Fxs, Fxo] {
            let mut modules = [Empty; 4];
            modules[slot] = kind;
            let host = Host::with(modules);
            host.initialise();
            for (number, module) in modules.into_iter().enumerate() {
                assert_eq!(host.probe(number), Ok(module), "slot {number} of {modules:?}");
            }
        }
    }
}

#[test]
fn mixed_cards_come_up() {
    for modules in [[Fxs; 4], [Fxo; 4], [Fxs, Fxo, Empty, Fxs], [Fxo, Fxs, Fxs, Fxo]] {
        let host = Host::with(modules);
        host.initialise();
        let found: Vec<ModuleKind> = (0..4).map(|slot| host.probe(slot).unwrap()).collect();
        assert_eq!(found, modules);
    }
}

#[test]
fn a_second_driver_finds_the_modules_reset() {
    let host = Host::with([Fxs, Fxo, Empty, Fxs]);
    for _ in 0..3 {
        host.initialise();
        for (slot, module) in [Fxs, Fxo, Empty, Fxs].into_iter().enumerate() {
            assert_eq!(host.probe(slot), Ok(module));
        }
        host.start(0x01);
        host.run(20);
        host.fxo_write(1, 5, 0x09);
        host.shut_down();
        host.card.advance(10);
        assert_eq!(host.read8(VER), 0xFF, "the CPLD is held in reset");
    }
}

#[test]
fn external_reset_resets_the_chips_and_not_the_pci_side() {
    let host = Host::running([Fxs, Fxo, Empty, Empty]);
    host.write8(CNTL, 0x40);
    host.write8(CS, 0x02);
    host.write8(CNTL, 0x41);
    assert_eq!(host.read8(CS), 0, "a write while the CPLD is in reset is lost");
    assert_eq!(host.fxs_read(0, 8), 0x02);
    assert_eq!(host.fxs_read(0, 64), 0x00);
    assert_eq!(host.fxo_read(1, 6), 0x10);
    assert_eq!(host.card.read(0x08, 4), RING);
    assert_eq!(host.read8(MASK0), 0, "the masks can't be read");
}

#[test]
fn an_empty_slot_and_a_bad_chip_select_read_ones() {
    let host = Host::with([Fxs; 4]);
    host.initialise();
    for cs in [0x00, 0x03, 0x0F, 0x10, 0xFF] {
        host.write8(CS, cs);
        host.spi_write(0x80);
        assert_eq!(host.spi_read(), 0xFF, "CS {cs:#04x}");
    }
    assert_eq!(host.fxs_read(2, 0), 0x05, "the modules saw nothing of it");
}

#[test]
fn spi_resynchronises_after_lost_bytes() {
    let host = Host::with([Fxs, Fxo, Empty, Empty]);
    host.initialise();
    for lost in 1..3 {
        host.select(1);
        for _ in 0..lost {
            host.spi_write(0x60);
        }
        assert_ne!(host.fxo_read(1, 2), 0x03, "out of step after {lost} bytes");
        host.resynchronise(1);
        assert_eq!(host.fxo_read(1, 2), 0x03);
    }
    host.select(0);
    host.spi_write(0x80);
    host.resynchronise(0);
    assert_eq!(host.fxs_read(0, 11), 0x33);
}

#[test]
fn registers_take_8_16_and_32_bits() {
    let host = Host::with([Empty; 4]);
    host.card.write(0x08, 4, 0x1234_5678);
    assert_eq!(host.card.read(0x08, 4), 0x1234_5678);
    assert_eq!(host.card.read(0x0A, 2), 0x1234);
    host.card.write(0x09, 1, 0xAB);
    assert_eq!(host.card.read(0x08, 4), 0x1234_AB78);
    host.card.write(0x00, 4, 0x1CDF_0001);
    assert_eq!(
        [CNTL, OPER, AUXC, AUXD].map(|register| host.read8(register)),
        [0x01, 0x00, 0xDF, 0x1C]
    );
    host.card.write(0x24, 4, 0xFFFF_FFFF);
    assert_eq!(host.card.read(0x24, 4), 0, "a pointer is read only");
    assert_eq!(host.card.read(VER, 4) & 0xFF, 0x73);
    assert_eq!(host.card.read(0x1000, 4), 0xFFFF_FFFF);
    assert_eq!(host.card.read(0xFFE, 4), 0xFFFF_0000);
    assert_eq!(host.card.read(0, 3), 0xFFFF_FFFF);
}

#[test]
fn pci_reset_is_power_on() {
    let host = Host::running([Fxs, Fxo, Empty, Empty]);
    host.card.config_write(0x04, 2, 0x0006);
    host.run(10);
    host.card.reset();
    for offset in (0..0x30).filter(|offset| *offset != AUXR) {
        assert_eq!(host.read8(offset), 0, "register {offset:#04x}");
    }
    assert_eq!(host.card.config_read(0x04, 2), 0);
    host.pin.take();
    host.card.advance(10);
    assert_eq!(host.pin.take(), 0);
    let again = host.up();
    again.run(10);
    assert!(again.pin.take() > 0);
}
