//! The TDM400P in software as a device.

use std::io;
use std::sync::Arc;

use ringback_softcard::{HostMemory, InterruptLine, SoftCard};

use super::{Hardware, SoftDevice, SoftInterrupt, SoftMemory};

/// Size of the card's BAR1 in bytes.
const BAR1: usize = 0x1000;

/// One page of DMA memory, as the other devices give it.
const MEMORY: usize = 0x1000;

impl Hardware for SoftCard {
    fn read(&self, offset: usize, width: u32) -> u32 {
        u32::try_from(offset).map_or(u32::MAX, |offset| SoftCard::read(self, offset, width))
    }

    fn write(&self, offset: usize, width: u32, value: u32) {
        if let Ok(offset) = u32::try_from(offset) {
            SoftCard::write(self, offset, width, value);
        }
    }

    fn len(&self) -> usize {
        BAR1
    }
}

impl HostMemory for SoftMemory {
    fn read32(&self, bus_address: u32) -> Option<u32> {
        self.read(bus_address)
    }

    fn write32(&self, bus_address: u32, value: u32) -> bool {
        self.write(bus_address, value)
    }
}

impl InterruptLine for SoftInterrupt {
    fn raise(&self) {
        SoftInterrupt::raise(self);
    }
}

impl SoftDevice<SoftCard> {
    /// Plugs `card` into a device of its own: registers, a page of memory, an interrupt. By a clone
    /// of the card the caller can control its other side: clock, telephones, exchange, faults.
    ///
    /// # Errors
    /// As [`SoftInterrupt::new`].
    pub fn card(card: SoftCard) -> io::Result<SoftDevice<SoftCard>> {
        let memory = Arc::new(SoftMemory::new(MEMORY));
        let interrupt = SoftInterrupt::new()?;
        card.connect(Arc::clone(&memory) as Arc<dyn HostMemory>, Arc::new(interrupt.clone()));
        Ok(SoftDevice::new(card, Some(memory), interrupt))
    }
}

#[cfg(test)]
mod tests {
    use ringback_softcard::CardConfig;

    use super::*;
    use crate::device::{Device, DmaMemory, Registers};

    /// Tiger320: control, start of DMA, interrupt mask and status.
    const CNTL: usize = 0x00;
    const OPER: usize = 0x01;
    const MASK0: usize = 0x04;
    const INTSTAT: usize = 0x06;
    /// Interrupt status bit: a master abort of the card's DMA.
    const ABORT: u8 = 0x10;

    /// A card whose rings run: TX in the first 64 bytes of memory, RX in the next.
    fn running() -> (SoftCard, SoftDevice<SoftCard>) {
        let card = SoftCard::new(CardConfig::default());
        let device = SoftDevice::card(card.clone()).unwrap();
        let base = device.dma().unwrap().bus_address() as u32;
        let registers = device.registers();
        registers.write8(CNTL, 0x01);
        for (register, place) in
            [(0x08, 0), (0x0C, 28), (0x10, 60), (0x18, 64), (0x1C, 92), (0x20, 124)]
        {
            registers.write32(register, base + place);
        }
        registers.write8(INTSTAT, 0xFF);
        registers.write8(MASK0, 0x3F);
        registers.write8(CNTL, 0x0F);
        registers.write8(CNTL, 0x41);
        (card, device)
    }

    fn interrupts(device: &SoftDevice<SoftCard>) -> u64 {
        device.interrupt.event.read().unwrap_or(0)
    }

    #[test]
    fn registers_are_those_of_the_card() {
        let (card, device) = running();
        assert_eq!(device.registers().len(), 0x1000);
        assert_eq!(device.registers().read8(0xCC), 0x73, "version of the CPLD");
        assert_eq!(card.read(0x08, 4), SoftMemory::BUS_ADDRESS);
        assert_eq!(device.registers().read32(0x1000), u32::MAX);
    }

    #[test]
    fn the_card_moves_samples_and_interrupts() {
        let (card, device) = running();
        device.enable_bus_master().unwrap();
        let dma = device.dma().unwrap();
        for offset in (64..128).step_by(4) {
            dma.write32(offset, 0x5555_5555);
        }
        device.registers().write8(OPER, 0x01);
        card.tick();
        assert_eq!(device.registers().read8(INTSTAT), 0x05);
        assert_eq!(interrupts(&device), 1);
        assert!((64..96).step_by(4).all(|offset| dma.read32(offset) != 0x5555_5555));
        assert!((96..128).step_by(4).all(|offset| dma.read32(offset) == 0x5555_5555));
    }

    #[test]
    fn a_card_that_is_not_bus_master_aborts() {
        let (card, device) = running();
        device.registers().write8(OPER, 0x01);
        card.tick();
        assert_eq!(device.registers().read8(INTSTAT) & ABORT, ABORT);
    }

    #[test]
    fn a_dropped_device_is_out_of_the_cards_reach() {
        let (card, device) = running();
        device.enable_bus_master().unwrap();
        let memory = Arc::clone(device.dma().unwrap());
        device.registers().write8(OPER, 0x01);
        drop(device);
        card.tick();
        assert_eq!(card.read(INTSTAT as u32, 1) as u8 & ABORT, ABORT);
        assert_eq!(memory.read(SoftMemory::BUS_ADDRESS), None);
    }
}
