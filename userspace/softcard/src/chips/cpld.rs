//! The "Freshmaker" CPLD behind the peripheral window: chip selects and identity.
//!
//! Rule: it is held in reset with the modules. Then it takes no writes and drives nothing.

use crate::SLOTS;

/// Offsets from 0xC0; the registers are a byte wide, 4 bytes apart.
mod reg {
    pub(super) const SYNC: u32 = 0x00;
    pub(super) const TEST: u32 = 0x04;
    pub(super) const CS: u32 = 0x08;
    pub(super) const VERSION: u32 = 0x0C;
}

/// The version real cards report: 0x71 or 0x73.
const VERSION: u8 = 0x73;

/// The CPLD's registers, 0 after reset.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cpld {
    sync: u8,
    test: u8,
    cs: u8,
}

impl Cpld {
    pub(crate) fn read8(&self, offset: u32) -> u8 {
        match offset {
            reg::SYNC => self.sync,
            reg::TEST => self.test,
            reg::CS => self.cs,
            reg::VERSION => VERSION,
            _ => 0,
        }
    }

    pub(crate) fn write8(&mut self, offset: u32, value: u8) {
        match offset {
            reg::SYNC => self.sync = value,
            reg::TEST => self.test = value,
            reg::CS => self.cs = value,
            _ => {}
        }
    }

    /// The slot whose module gets the common chip select: the one bit that is set in CS. None or
    /// several bits select nothing.
    pub(crate) fn selected(&self) -> Option<usize> {
        let slot = self.cs.trailing_zeros() as usize;
        (self.cs.is_power_of_two() && slot < SLOTS).then_some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chip_select_reads_back_and_selects_one_hot() {
        let mut cpld = Cpld::default();
        for value in 0..=255 {
            cpld.write8(reg::CS, value);
            assert_eq!(cpld.read8(reg::CS), value);
            let expected = match value {
                1 => Some(0),
                2 => Some(1),
                4 => Some(2),
                8 => Some(3),
                _ => None,
            };
            assert_eq!(cpld.selected(), expected);
        }
        cpld.write8(reg::VERSION, 0);
        assert_eq!(cpld.read8(reg::VERSION), VERSION);
    }
}
