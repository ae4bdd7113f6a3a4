//! The functions of an engine of lines for the phones beside them.

use ringback_driver::engine::Context;
use ringback_driver::request::LineNumber;
use ringback_tspi::error::PhoneError;
use ringback_tspi::types::HTAPIPHONE;

use super::{Event, Opening};

/// How a phone is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhoneReport {
    /// Whether it can be used: its module was not given up.
    pub connected: bool,
    /// Whether the handset is lifted.
    pub off_hook: bool,
    /// The mode in which it rings, for a call or by TSPI_phoneSetRing: 1, or 0 if it does not ring.
    pub ring_mode: u32,
    /// Whether TSPI_phoneSetRing can ring it now.
    pub can_ring: bool,
    /// The mode of the message lamp: PHONELAMPMODE_OFF, STEADY or FLASH.
    pub lamp: u32,
    /// The volume of the handset as it was set, 0 to 0xFFFF.
    pub volume: u32,
    /// The gain of the handset as it was set, 0 to 0xFFFF.
    pub gain: u32,
}

/// Which messages of a phone TAPI has asked for; none when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PhoneWishes {
    /// PHONESTATE_ bits.
    pub states: u32,
    /// PHONEBUTTONMODE_ bits.
    pub button_modes: u32,
    /// PHONEBUTTONSTATE_ bits.
    pub button_states: u32,
}

/// The synchronous functions of phones. A phone has the number of the line that it is beside, and
/// is open or closed whether that line is or not. Lines without phones need no body.
pub trait PhoneEngine {
    /// Opens a phone: from now on it emits its events under TAPI's handle.
    ///
    /// # Errors
    /// ALLOCATED if it is open, NODEVICE if there is no such phone or the device is gone.
    fn open_phone(&mut self, line: LineNumber, tapi: HTAPIPHONE) -> Result<Opening, PhoneError> {
        let _ = (line, tapi);
        Err(PhoneError::NODEVICE)
    }

    /// Closes a phone: it stops to ring if TSPI_phoneSetRing has rung it, and no event of it
    /// follows (D10). Its lamp and its levels remain.
    ///
    /// # Errors
    /// INVALPHONEHANDLE if it is not open, NODEVICE if there is no such phone.
    fn close_phone(
        &mut self,
        line: LineNumber,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), PhoneError> {
        let _ = (line, cx);
        Err(PhoneError::NODEVICE)
    }

    /// How a phone is, for a caller that has it open in this opening.
    ///
    /// # Errors
    /// INVALPHONEHANDLE; NODEVICE if the device is gone.
    fn phone(&self, line: LineNumber, opening: Opening) -> Result<PhoneReport, PhoneError> {
        let _ = (line, opening);
        Err(PhoneError::INVALPHONEHANDLE)
    }

    /// Chooses the messages of a phone (TSPI_phoneSetStatusMessages).
    ///
    /// # Errors
    /// INVALPHONEHANDLE.
    fn set_phone_wishes(
        &mut self,
        line: LineNumber,
        opening: Opening,
        wishes: PhoneWishes,
    ) -> Result<(), PhoneError> {
        let _ = (line, opening, wishes);
        Err(PhoneError::INVALPHONEHANDLE)
    }
}
