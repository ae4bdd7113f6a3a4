//! The dial command (V.250 section 6.3.1) of a dial string.

use std::fmt::Write;

use ringback_tspi::dialstring::{DialStep, DialString};

/// Starts the handshake with the other modem, after all digits are dialled.
pub(super) const ORIGINATE: &str = "ATD\r";

/// `ATD` with the steps of the address, by tones unless it says otherwise, ended by CR.
///
/// Every modifier of a dialable address is also one of the dial command. A partial address ends
/// with `;`: the modem stays off-hook and accepts more. So does an empty one, for which the modem
/// only waits for dial tone.
pub(super) fn dial_command(address: &DialString) -> String {
    let mut command = String::from("ATD");
    if !matches!(address.steps.first(), Some(DialStep::ToneMode | DialStep::PulseMode)) {
        command.push('T');
    }
    for step in &address.steps {
        // Writing to a String does not fail.
        let _ = write!(command, "{step}");
    }
    if address.steps.is_empty() {
        command.push('W');
    }
    if stays_in_command_state(address) {
        command.push(';');
    }
    command.push('\r');
    command
}

/// Whether the modem takes commands again after dialling this, instead of starting the handshake.
pub(super) fn stays_in_command_state(address: &DialString) -> bool {
    address.partial || address.steps.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringback_tspi::dialstring::{Modifiers, parse};

    fn command(text: &str) -> String {
        let all = Modifiers { dial_tone: true, quiet: true, billing: true };
        dial_command(&parse(text, all).unwrap())
    }

    #[test]
    fn every_modifier_has_its_place_in_the_command() {
        assert_eq!(command("(555) 123-4"), "ATDT5551234\r");
        assert_eq!(command("P123"), "ATDP123\r");
        assert_eq!(command("T123"), "ATDT123\r");
        assert_eq!(command("0W,,1!P2T#*A"), "ATDT0W,,1!P2T#*A\r");
        assert_eq!(command("9@1$2"), "ATDT9@1$2\r");
    }

    #[test]
    fn partial_and_empty_addresses_keep_the_modem_off_hook() {
        assert_eq!(command("555;"), "ATDT555;\r");
        assert_eq!(command(""), "ATDTW;\r");
        assert_eq!(command(";"), "ATDTW;\r");
    }

    #[test]
    fn nothing_but_digits_and_modifiers_gets_into_it() {
        assert_eq!(command("1|2^Ada\r\nATH"), "ATDT1\r");
    }
}
