//! The serial interface between the card and one module.
//!
//! The host makes the signals with the AUX pins. Every byte has a frame of its own, chip select low
//! to high, most significant bit first; the module samples SDI on the rising edge of SCLK, drives
//! SDO on the falling edge and holds it through the high phase. Bytes make up accesses:
//! - Si3210: address (bit 7 set to read), data;
//! - Si3050: control (0x20 write, 0x60 read), address, data.
//!
//! Rule: a frame that does not have exactly 8 clocks resets the byte count of the access. A host
//! uses this to resynchronise with a module whose byte count it does not know.

/// What an access reaches: the registers of a module's chip.
pub trait RegisterFile {
    /// Reads a register.
    fn read(&mut self, register: u8) -> u8;
    /// Writes a register.
    fn write(&mut self, register: u8, value: u8);
}

/// Levels at a module's pins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pins {
    /// Chip select, active low; true is low.
    pub selected: bool,
    /// Clock.
    pub sclk: bool,
    /// Data from the host to the module.
    pub sdi: bool,
}

/// How a chip counts the bytes of an access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Address and data (Si3210).
    TwoBytes,
    /// Control, address and data (Si3050).
    ThreeBytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SpiAccess {
    Read,
    Write,
    /// A control byte that the chip does not know: the bytes are counted, nothing is done.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    First,
    Address(SpiAccess),
    Data(SpiAccess, u8),
}

/// The module's side of the interface: shift register and byte count.
#[derive(Debug, Clone)]
pub struct SpiPort {
    framing: Framing,
    pins: Pins,
    clocks: u32,
    input: u8,
    /// Byte to drive in the next (or this) frame; `None` leaves SDO alone.
    output: Option<u8>,
    sdo: bool,
    expect: Expect,
}

impl SpiPort {
    /// A port at rest, which expects the first byte of an access.
    pub fn new(framing: Framing) -> SpiPort {
        SpiPort {
            framing,
            pins: Pins { selected: false, sclk: true, sdi: true },
            clocks: 0,
            input: 0,
            output: None,
            sdo: true,
            expect: Expect::First,
        }
    }

    /// The level that the module drives on SDO while selected; high when it drives nothing.
    pub fn sdo(&self) -> bool {
        self.sdo
    }

    /// Sets new levels at the pins. The last clock of an access reads or writes the chip.
    pub fn drive(&mut self, pins: Pins, chip: &mut dyn RegisterFile) {
        let was = std::mem::replace(&mut self.pins, pins);
        if pins.selected && !was.selected {
            self.clocks = 0;
            self.input = 0;
            if !was.sclk {
                // A clock that idles low: the first bit has to be there before its rising edge.
                self.sdo = self.output_bit();
            }
        }
        if pins.selected && pins.sclk != was.sclk {
            if pins.sclk {
                self.input = self.input << 1 | u8::from(pins.sdi);
                self.clocks = self.clocks.saturating_add(1);
            } else {
                self.sdo = self.output_bit();
            }
        }
        if was.selected && !pins.selected {
            self.sdo = true;
            self.output = None;
            if self.clocks == 8 {
                self.deliver(self.input, chip);
            } else {
                self.expect = Expect::First;
            }
        }
    }

    fn output_bit(&self) -> bool {
        match (self.output, 7_u32.checked_sub(self.clocks)) {
            (Some(byte), Some(bit)) => byte >> bit & 1 != 0,
            _ => true,
        }
    }

    fn deliver(&mut self, byte: u8, chip: &mut dyn RegisterFile) {
        self.expect = match (self.expect, self.framing) {
            (Expect::First, Framing::TwoBytes) => {
                let access = if byte & 0x80 != 0 { SpiAccess::Read } else { SpiAccess::Write };
                self.address(access, byte & 0x7F, chip)
            }
            (Expect::First, Framing::ThreeBytes) => Expect::Address(match byte {
                0x60 => SpiAccess::Read,
                0x20 => SpiAccess::Write,
                _ => SpiAccess::Unknown,
            }),
            (Expect::Address(access), _) => self.address(access, byte, chip),
            (Expect::Data(access, register), _) => {
                if access == SpiAccess::Write {
                    chip.write(register, byte);
                }
                Expect::First
            }
        };
    }

    fn address(&mut self, access: SpiAccess, register: u8, chip: &mut dyn RegisterFile) -> Expect {
        if access == SpiAccess::Read {
            self.output = Some(chip.read(register));
        }
        Expect::Data(access, register)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Plain([u8; 256]);
    impl RegisterFile for Plain {
        fn read(&mut self, register: u8) -> u8 {
            self.0[usize::from(register)]
        }
        fn write(&mut self, register: u8, value: u8) {
            self.0[usize::from(register)] = value;
        }
    }

    const IDLE: Pins = Pins { selected: false, sclk: true, sdi: true };

    struct Host {
        port: SpiPort,
        chip: Plain,
    }

    impl Host {
        fn new(framing: Framing) -> Host {
            Host { port: SpiPort::new(framing), chip: Plain([0x5A; 256]) }
        }

        fn drive(&mut self, selected: bool, sclk: bool, sdi: bool) {
            self.port.drive(Pins { selected, sclk, sdi }, &mut self.chip);
        }

        /// One frame of `bits` clocks; returns SDO as it was during each low and each high phase.
        fn frame(&mut self, byte: u8, bits: u32) -> (u8, u8) {
            let (mut low, mut high) = (0, 0);
            self.drive(true, true, true);
            for bit in 0..bits {
                let sdi = byte.rotate_left(bit) & 0x80 != 0;
                self.drive(true, false, sdi);
                low = low << 1 | u8::from(self.port.sdo());
                self.drive(true, true, sdi);
                high = high << 1 | u8::from(self.port.sdo());
            }
            self.port.drive(IDLE, &mut self.chip);
            (low, high)
        }
    }

    #[test]
    fn two_bytes_make_an_access() {
        let mut host = Host::new(Framing::TwoBytes);
        host.frame(0x40, 8);
        host.frame(0x01, 8);
        assert_eq!(host.chip.0[0x40], 0x01);
        assert_eq!(host.frame(0xC0, 8), (0xFF, 0xFF), "nothing is driven in the address byte");
        assert_eq!(host.frame(0xFF, 8), (0x01, 0x01), "driven on the falling edge, held high");
        assert_eq!(host.frame(0xC1, 8), (0xFF, 0xFF));
        assert_eq!(host.frame(0x00, 8).1, 0x5A);
    }

    #[test]
    fn three_bytes_make_an_access() {
        let mut host = Host::new(Framing::ThreeBytes);
        for byte in [0x20, 0x05, 0x08] {
            host.frame(byte, 8);
        }
        assert_eq!(host.chip.0[5], 0x08);
        host.frame(0x60, 8);
        host.frame(0x05, 8);
        assert_eq!(host.frame(0x05, 8).1, 0x08);
    }

    #[test]
    fn an_unknown_control_byte_is_counted_and_answers_nothing() {
        let mut host = Host::new(Framing::ThreeBytes);
        for _ in 0..3 {
            assert_eq!(host.frame(0x80, 8).1, 0xFF);
        }
        host.frame(0x60, 8);
        host.frame(0x05, 8);
        assert_eq!(host.frame(0x00, 8).1, 0x5A, "three bytes on, it is in step again");
    }

    #[test]
    fn a_frame_of_another_length_resynchronises() {
        for bits in [0, 1, 7, 9, 16] {
            let mut host = Host::new(Framing::ThreeBytes);
            host.frame(0x80, 8);
            host.frame(0xFF, bits);
            for byte in [0x20, 0x05, 0x08] {
                host.frame(byte, 8);
            }
            assert_eq!(host.chip.0[5], 0x08, "{bits} clocks");
        }
    }

    #[test]
    fn a_clock_that_idles_low_reads_the_same() {
        let mut host = Host::new(Framing::TwoBytes);
        host.chip.0[0x31] = 0xA6;
        host.drive(false, false, true);
        for byte in [0xB1_u8, 0xFF] {
            let mut read = 0_u8;
            host.drive(true, false, true);
            for bit in 0..8 {
                let sdi = byte << bit & 0x80 != 0;
                host.drive(true, false, sdi);
                read = read << 1 | u8::from(host.port.sdo());
                host.drive(true, true, sdi);
                host.drive(true, false, sdi);
            }
            host.drive(false, false, true);
            assert_eq!(read, if byte == 0xFF { 0xA6 } else { 0xFF });
        }
    }

    #[test]
    fn clocks_without_chip_select_do_nothing() {
        let mut host = Host::new(Framing::TwoBytes);
        host.frame(0x40, 8);
        for level in [false, true, false, true] {
            host.drive(false, level, true);
        }
        host.frame(0x07, 8);
        assert_eq!(host.chip.0[0x40], 0x07);
    }
}
