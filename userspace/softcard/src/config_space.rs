//! PCI configuration space of the TDM400P, 256 bytes.
//!
//! Identity e159:0001 (Tiger320), subsystem b100:0003 (TDM400P REV E/F), class 0x078000, interrupt
//! pin A, power management as the only capability. Only BAR1 (4 KiB of memory) exists: the I/O BAR0
//! of the real board has the same registers, and drivers use memory if it is missing.
//!
//! Rule for bus mastering: before the first write to the command register the card may master the
//! bus, because the platform that connected it in process is trusted. After that, bit 2 of the
//! command register decides.

/// Size of the space.
pub(crate) const SIZE: u32 = 256;

const COMMAND: u32 = 0x04;
const STATUS_HIGH: u32 = 0x07;
const CACHE_LINE: u32 = 0x0C;
const LATENCY: u32 = 0x0D;
const BAR1: u32 = 0x14;
const BAR1_SIZE: u32 = 0x1000;
const INTERRUPT_LINE: u32 = 0x3C;
const POWER_STATE: u32 = 0x44;

const COMMAND_BUS_MASTER: u8 = 0x04;
/// The command bits that are implemented: memory space, bus master, parity response, SERR enable.
const COMMAND_LOW_BITS: u8 = 0x46;
const COMMAND_HIGH_BITS: u8 = 0x01;
/// Status bits 12 and 13, in the high byte: received target abort, received master abort.
const RECEIVED_TARGET_ABORT: u8 = 0x10;
const RECEIVED_MASTER_ABORT: u8 = 0x20;

/// The bytes as they are after power-on.
const POWER_ON: [(u32, &[u8]); 9] = [
    (0x00, &[0x59, 0xE1, 0x01, 0x00]),
    // Status: capability list, fast back-to-back, medium DEVSEL.
    (0x06, &[0x90, 0x02]),
    (0x08, &[0x00, 0x00, 0x80, 0x07]),
    (0x2C, &[0x00, 0xB1, 0x03, 0x00]),
    (0x34, &[0x40]),
    // Interrupt line unassigned, pin A, minimum grant 250 ns, maximum latency 32 us.
    (0x3C, &[0xFF, 0x01, 0x01, 0x80]),
    // Power management, version 2, end of the list.
    (0x40, &[0x01, 0x00, 0x02, 0x00]),
    // D0; the registers survive D3 (no soft reset).
    (POWER_STATE, &[0x08, 0x00]),
    (BAR1, &[0x00, 0x00, 0x00, 0x00]),
];

/// The card's configuration space.
#[derive(Debug, Clone)]
pub(crate) struct ConfigSpace {
    bytes: [u8; SIZE as usize],
    command_written: bool,
}

impl ConfigSpace {
    pub(crate) fn new() -> ConfigSpace {
        let mut bytes = [0; SIZE as usize];
        for (offset, values) in POWER_ON {
            for (byte, value) in bytes.iter_mut().skip(offset as usize).zip(values) {
                *byte = *value;
            }
        }
        ConfigSpace { bytes, command_written: false }
    }

    pub(crate) fn read8(&self, offset: u32) -> u8 {
        self.bytes.get(offset as usize).copied().unwrap_or(0xFF)
    }

    pub(crate) fn write8(&mut self, offset: u32, value: u8) {
        let Some(byte) = self.bytes.get_mut(offset as usize) else { return };
        match offset {
            COMMAND => {
                *byte = value & COMMAND_LOW_BITS;
                self.command_written = true;
            }
            0x05 => *byte = value & COMMAND_HIGH_BITS,
            // Writing a one clears an abort bit.
            STATUS_HIGH => *byte &= !(value & (RECEIVED_TARGET_ABORT | RECEIVED_MASTER_ABORT)),
            CACHE_LINE | LATENCY | INTERRUPT_LINE => *byte = value,
            BAR1..=0x17 => {
                let lane = 8 * (offset - BAR1);
                let writable = (!(BAR1_SIZE - 1) >> lane) as u8;
                *byte = value & writable;
            }
            POWER_STATE => *byte = (*byte & !0x03) | (value & 0x03),
            _ => {}
        }
    }

    /// Whether the card may start bus cycles of its own.
    pub(crate) fn bus_master(&self) -> bool {
        !self.command_written || self.read8(COMMAND) & COMMAND_BUS_MASTER != 0
    }

    /// Sets the status bit of an aborted bus cycle: target abort or master abort.
    pub(crate) fn note_abort(&mut self, target: bool) {
        if let Some(status) = self.bytes.get_mut(STATUS_HIGH as usize) {
            *status |= if target { RECEIVED_TARGET_ABORT } else { RECEIVED_MASTER_ABORT };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read32(space: &ConfigSpace, offset: u32) -> u32 {
        (0..4).fold(0, |word, lane| word | u32::from(space.read8(offset + lane)) << (8 * lane))
    }

    fn write32(space: &mut ConfigSpace, offset: u32, value: u32) {
        for lane in 0..4 {
            space.write8(offset + lane, (value >> (8 * lane)) as u8);
        }
    }

    #[test]
    fn identity_is_the_tdm400p() {
        let space = ConfigSpace::new();
        assert_eq!(read32(&space, 0x00), 0x0001_E159);
        assert_eq!(read32(&space, 0x2C), 0x0003_B100);
        assert_eq!(read32(&space, 0x08) >> 8, 0x07_8000);
        assert_eq!(read32(&space, 0x04) >> 16 & 0x10, 0x10, "no capability list");
        assert_eq!(space.read8(0x34), 0x40);
        assert_eq!(space.read8(0x40), 0x01);
        assert_eq!(space.read8(0x41), 0x00, "power management must be the only capability");
        assert_eq!(space.read8(0x3D), 1);
    }

    #[test]
    fn only_bar1_is_there_and_it_is_4_kib_of_memory() {
        let mut space = ConfigSpace::new();
        for bar in [0x10, 0x14, 0x18, 0x1C, 0x20, 0x24, 0x30] {
            write32(&mut space, bar, 0xFFFF_FFFF);
            let expected = if bar == 0x14 { 0xFFFF_F000 } else { 0 };
            assert_eq!(read32(&space, bar), expected, "BAR at {bar:#x}");
        }
    }

    #[test]
    fn bus_master_is_on_until_the_command_register_is_written() {
        let mut space = ConfigSpace::new();
        assert!(space.bus_master());
        space.write8(0x04, 0x02);
        assert!(!space.bus_master());
        space.write8(0x04, 0x06);
        assert!(space.bus_master());
        space.write8(0x05, 0xFF);
        assert_eq!(read32(&space, 0x04) & 0xFFFF, 0x0106, "no INTx-disable bit in this chip");
    }

    #[test]
    fn abort_bits_are_cleared_by_writing_ones() {
        let mut space = ConfigSpace::new();
        space.note_abort(false);
        space.note_abort(true);
        assert_eq!(space.read8(0x07), 0x32);
        space.write8(0x07, 0x20);
        assert_eq!(space.read8(0x07), 0x12);
        space.write8(0x07, 0xFF);
        assert_eq!(space.read8(0x07), 0x02);
    }
}
