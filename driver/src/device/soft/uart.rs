//! The 16550 in software as the hardware of a device.

use ringback_softcard::SoftUart;

use super::Hardware;

impl Hardware for SoftUart {
    fn read(&self, offset: usize, width: u32) -> u32 {
        if width == 1 { u32::from(SoftUart::read(self, offset)) } else { u32::MAX }
    }

    fn write(&self, offset: usize, width: u32, value: u32) {
        if width == 1 {
            SoftUart::write(self, offset, value as u8);
        }
    }

    fn len(&self) -> usize {
        SoftUart::WINDOW
    }
}
