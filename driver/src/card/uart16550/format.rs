//! Speed and form of the characters on the wire.

use super::registers::Lcr;

/// How the parity bit of each byte is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Parity {
    /// No parity bit is sent.
    #[default]
    None,
    /// An even number of ones.
    Even,
    /// An odd number of ones.
    Odd,
}

/// Speed and form of the characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineFormat {
    /// Speed on the wire, in bits per second.
    pub baud: u32,
    /// Data bits of a byte, 5 to 8.
    pub data_bits: u8,
    /// The parity bit behind the data bits, if there is one.
    pub parity: Parity,
    /// Two stop bits rather than one (with 5 data bits: one and a half).
    pub two_stop_bits: bool,
}

impl Default for LineFormat {
    /// 115200 bit/s, 8 data bits, no parity, 1 stop bit.
    fn default() -> Self {
        LineFormat { baud: 115_200, data_bits: 8, parity: Parity::None, two_stop_bits: false }
    }
}

/// The chip can't do that format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// No divisor comes near enough.
    #[error(
        "{baud} bit/s can't be made of a clock for {base} bit/s: take {base} divided by a whole \
         number"
    )]
    Baud {
        /// What was asked for.
        baud: u32,
        /// What the chip's clock gives undivided.
        base: u32,
    },
    /// Not 5 to 8 data bits.
    #[error("a character has 5 to 8 data bits, not {0}")]
    DataBits(u8),
}

impl LineFormat {
    /// The divisor for a clock that gives `base` bit/s undivided.
    pub(super) fn divisor(&self, base: u32) -> Result<u16, FormatError> {
        let refused = FormatError::Baud { baud: self.baud, base };
        let baud = u64::from(self.baud);
        if baud == 0 {
            return Err(refused);
        }
        let divisor = (u64::from(base) + baud / 2) / baud;
        let made = u64::from(base).checked_div(divisor).ok_or(refused)?;
        // A receiver samples the tenth bit; it tolerates 5 %, shared by both sides.
        if made.abs_diff(baud) * 40 > baud {
            return Err(refused);
        }
        u16::try_from(divisor).map_err(|_| refused)
    }

    /// The line control register, DLAB off.
    pub(super) fn line_control(&self) -> Result<Lcr, FormatError> {
        if !(5..=8).contains(&self.data_bits) {
            return Err(FormatError::DataBits(self.data_bits));
        }
        let parity = match self.parity {
            Parity::None => Lcr::empty(),
            Parity::Even => Lcr::PARITY | Lcr::EVEN,
            Parity::Odd => Lcr::PARITY,
        };
        let stop = if self.two_stop_bits { Lcr::TWO_STOP_BITS } else { Lcr::empty() };
        Ok(Lcr::from_bits_retain(self.data_bits - 5) | parity | stop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divisor(baud: u32, base: u32) -> Result<u16, FormatError> {
        LineFormat { baud, ..LineFormat::default() }.divisor(base)
    }

    #[test]
    fn divisors_are_those_of_the_data_sheet() {
        for (baud, wanted) in [(115_200, 1), (57_600, 2), (9600, 12), (1200, 96), (50, 2304)] {
            assert_eq!(divisor(baud, 115_200), Ok(wanted));
        }
        // The data sheet lists 56000 with an error of 2.86 %, which is too much for the other side.
        for baud in [0, 56_000, 200_000, 230_400, 1, u32::MAX] {
            assert!(divisor(baud, 115_200).is_err(), "{baud}");
        }
        assert_eq!(divisor(230_400, 921_600), Ok(4));
        assert!(divisor(9600, 0).is_err());
    }

    #[test]
    fn the_form_is_the_line_control_register() {
        let form = |data_bits, parity, two_stop_bits| {
            LineFormat { baud: 9600, data_bits, parity, two_stop_bits }.line_control()
        };
        assert_eq!(LineFormat::default().line_control(), Ok(Lcr::from_bits_retain(0x03)));
        assert_eq!(form(7, Parity::Even, false), Ok(Lcr::from_bits_retain(0x1A)));
        assert_eq!(form(7, Parity::Odd, true), Ok(Lcr::from_bits_retain(0x0E)));
        assert_eq!(form(5, Parity::None, false), Ok(Lcr::from_bits_retain(0x00)));
        assert_eq!(form(4, Parity::None, false), Err(FormatError::DataBits(4)));
        assert_eq!(form(9, Parity::None, false), Err(FormatError::DataBits(9)));
    }
}
