//! Structures without a variable part: plain records of 32-bit words.

use super::wire::record;

record! {
    /// Times of dialling in milliseconds.
    LINEDIALPARAMS, 16 {
        /// One comma in a dial string.
        dial_pause: dwDialPause,
        /// From one digit to the next.
        dial_speed: dwDialSpeed,
        /// How long one digit sounds.
        digit_duration: dwDigitDuration,
        /// Longest wait for dial tone.
        wait_for_dialtone: dwWaitForDialtone,
    }
}

record! {
    /// One frequency of a custom tone (TSPI_lineGenerateTone).
    LINEGENERATETONE, 16 {
        /// Frequency of the tone in hertz.
        frequency: dwFrequency,
        /// Milliseconds for which the tone sounds; 0 for none.
        cadence_on: dwCadenceOn,
        /// Milliseconds for which it rests after that; 0 if it goes on.
        cadence_off: dwCadenceOff,
        /// Volume: 0xFFFF the loudest, 0 silence.
        volume: dwVolume,
    }
}

record! {
    /// One tone to listen for (TSPI_lineMonitorTones). Three zero frequencies stand for silence.
    LINEMONITORTONE, 20 {
        /// Comes back in LINE_MONITORTONE.
        app_specific: dwAppSpecific,
        /// Milliseconds the tone must last.
        duration: dwDuration,
        /// Hertz, 0 for none.
        frequency1: dwFrequency1,
        /// Hertz, 0 for none.
        frequency2: dwFrequency2,
        /// Hertz, 0 for none.
        frequency3: dwFrequency3,
    }
}

record! {
    /// A media action on a digit (TSPI_lineSetMediaControl).
    LINEMEDIACONTROLDIGIT, 12 {
        /// The digit, a character in the low word.
        digit: dwDigit,
        /// LINEDIGITMODE_ bits.
        digit_modes: dwDigitModes,
        /// The action, one LINEMEDIACONTROL_ value.
        media_control: dwMediaControl,
    }
}

record! {
    /// A media action on a media mode (TSPI_lineSetMediaControl).
    LINEMEDIACONTROLMEDIA, 12 {
        /// LINEMEDIAMODE_ bits.
        media_modes: dwMediaModes,
        /// Milliseconds the mode must last.
        duration: dwDuration,
        /// The action, one LINEMEDIACONTROL_ value.
        media_control: dwMediaControl,
    }
}

record! {
    /// A media action on a tone (TSPI_lineSetMediaControl).
    LINEMEDIACONTROLTONE, 24 {
        /// A number that the provider passes on and does not interpret.
        app_specific: dwAppSpecific,
        /// Milliseconds the tone must last.
        duration: dwDuration,
        /// Hertz, 0 for none.
        frequency1: dwFrequency1,
        /// Hertz, 0 for none.
        frequency2: dwFrequency2,
        /// Hertz, 0 for none.
        frequency3: dwFrequency3,
        /// The action, one LINEMEDIACONTROL_ value.
        media_control: dwMediaControl,
    }
}

record! {
    /// A media action on a call state (TSPI_lineSetMediaControl).
    LINEMEDIACONTROLCALLSTATE, 8 {
        /// LINECALLSTATE_ bits.
        call_states: dwCallStates,
        /// The action, one LINEMEDIACONTROL_ value.
        media_control: dwMediaControl,
    }
}

record! {
    /// A terminal of a line (item of LINEDEVCAPS).
    LINETERMCAPS, 12 {
        /// What the terminal is, one LINETERMDEV_ value.
        term_dev: dwTermDev,
        /// LINETERMMODE_ bits.
        term_modes: dwTermModes,
        /// How the terminal is shared, one LINETERMSHARING_ value.
        term_sharing: dwTermSharing,
    }
}

record! {
    /// Names the extensions of a device; all zero where there are none (TSPI_lineGetExtensionID).
    LINEEXTENSIONID, 16 {
        /// The first 32 bits of the id.
        id0: dwExtensionID0,
        /// The second 32 bits of the id.
        id1: dwExtensionID1,
        /// The third 32 bits of the id.
        id2: dwExtensionID2,
        /// The last 32 bits of the id.
        id3: dwExtensionID3,
    }
}
