//! Structures without a variable part: plain records of 32-bit words.

use super::wire::record;

record! {
    /// Times of dialling in milliseconds.
    LINEDIALPARAMS, 16 {
        /// One comma in a dial string.
        dial_pause: dwDialPause,
        /// From one digit to the next.
        dial_speed: dwDialSpeed,
        /// One digit.
        digit_duration: dwDigitDuration,
        /// Longest wait for dial tone.
        wait_for_dialtone: dwWaitForDialtone,
    }
}

record! {
    /// One frequency of a custom tone (TSPI_lineGenerateTone).
    LINEGENERATETONE, 16 {
        /// Hertz.
        frequency: dwFrequency,
        /// Milliseconds on.
        cadence_on: dwCadenceOn,
        /// Milliseconds off.
        cadence_off: dwCadenceOff,
        /// Volume, 0xFFFF the loudest; 0 the default.
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
        /// LINEMEDIACONTROL_.
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
        /// LINEMEDIACONTROL_.
        media_control: dwMediaControl,
    }
}

record! {
    /// A media action on a tone (TSPI_lineSetMediaControl).
    LINEMEDIACONTROLTONE, 24 {
        /// The application's own.
        app_specific: dwAppSpecific,
        /// Milliseconds the tone must last.
        duration: dwDuration,
        /// Hertz, 0 for none.
        frequency1: dwFrequency1,
        /// Hertz, 0 for none.
        frequency2: dwFrequency2,
        /// Hertz, 0 for none.
        frequency3: dwFrequency3,
        /// LINEMEDIACONTROL_.
        media_control: dwMediaControl,
    }
}

record! {
    /// A media action on a call state (TSPI_lineSetMediaControl).
    LINEMEDIACONTROLCALLSTATE, 8 {
        /// LINECALLSTATE_ bits.
        call_states: dwCallStates,
        /// LINEMEDIACONTROL_.
        media_control: dwMediaControl,
    }
}

record! {
    /// A terminal of a line (item of LINEDEVCAPS).
    LINETERMCAPS, 12 {
        /// LINETERMDEV_.
        term_dev: dwTermDev,
        /// LINETERMMODE_ bits.
        term_modes: dwTermModes,
        /// LINETERMSHARING_.
        term_sharing: dwTermSharing,
    }
}

record! {
    /// Names the extensions of a device; all zero where there are none (TSPI_lineGetExtensionID).
    LINEEXTENSIONID, 16 {
        /// First word.
        id0: dwExtensionID0,
        /// Second word.
        id1: dwExtensionID1,
        /// Third word.
        id2: dwExtensionID2,
        /// Fourth word.
        id3: dwExtensionID3,
    }
}
