//! Constants about what is heard on a call: digits, tones, media control, quality of service.
//!
//! The end of a digit or tone generation and of a digit collection is reported by an event, not by
//! the completion procedure (K5). The termination families here are what those events carry.

use super::{Family, constants};

constants! {
    /// How digits are signalled. No other modes may be added.
    LINEDIGITMODE: bits, "LINEDIGITMODE_" {
        /// Loop interruptions: digits 0 to 9.
        LINEDIGITMODE_PULSE = 0x1,
        /// Tone pairs: 0 to 9, A to D, * and #. The event reports the start of a tone.
        LINEDIGITMODE_DTMF = 0x2,
        /// As DTMF, but the event reports the end of a tone.
        LINEDIGITMODE_DTMFEND = 0x4,
    }
}

constants! {
    /// Tones that can be generated; the high 16 bits are a vendor's.
    LINETONEMODE: bits, "LINETONEMODE_" {
        LINETONEMODE_CUSTOM = 0x1,
        LINETONEMODE_RINGBACK = 0x2,
        LINETONEMODE_BUSY = 0x4,
        LINETONEMODE_BEEP = 0x8,
        LINETONEMODE_BILLING = 0x10,
    }
}

constants! {
    /// How a digit or tone generation ended (LINE_GENERATE, first parameter).
    LINEGENERATETERM: bits, "LINEGENERATETERM_" {
        /// Everything was sent.
        LINEGENERATETERM_DONE = 0x1,
        /// Cut short: by a new generation, a failure, or the end of the call (D17).
        LINEGENERATETERM_CANCEL = 0x2,
    }
}

constants! {
    /// How a digit collection ended (LINE_GATHERDIGITS, first parameter).
    LINEGATHERTERM: bits, "LINEGATHERTERM_" {
        /// As many digits as asked for.
        LINEGATHERTERM_BUFFERFULL = 0x1,
        /// One of the termination digits came; it is in the buffer too.
        LINEGATHERTERM_TERMDIGIT = 0x2,
        /// No first digit in time.
        LINEGATHERTERM_FIRSTTIMEOUT = 0x4,
        /// No further digit in time.
        LINEGATHERTERM_INTERTIMEOUT = 0x8,
        /// Ended by a new collection, by request, or by the end of the call (D18).
        LINEGATHERTERM_CANCEL = 0x10,
    }
}

constants! {
    /// Actions on a media stream.
    LINEMEDIACONTROL: bits, "LINEMEDIACONTROL_" {
        LINEMEDIACONTROL_NONE = 0x1,
        LINEMEDIACONTROL_START = 0x2,
        LINEMEDIACONTROL_RESET = 0x4,
        LINEMEDIACONTROL_PAUSE = 0x8,
        LINEMEDIACONTROL_RESUME = 0x10,
        LINEMEDIACONTROL_RATEUP = 0x20,
        LINEMEDIACONTROL_RATEDOWN = 0x40,
        LINEMEDIACONTROL_RATENORMAL = 0x80,
        LINEMEDIACONTROL_VOLUMEUP = 0x100,
        LINEMEDIACONTROL_VOLUMEDOWN = 0x200,
        LINEMEDIACONTROL_VOLUMENORMAL = 0x400,
    }
}

constants! {
    /// The key word that opens a LINECALLQOSINFO: the characters LQSK.
    LINEQOSSTRUCT: scalar, "LINEQOSSTRUCT_" {
        LINEQOSSTRUCT_KEY = 0x4C51_534B,
    }
}

constants! {
    /// What a LINECALLQOSINFO asks for: one value, not bits.
    LINEQOSREQUESTTYPE: scalar, "LINEQOSREQUESTTYPE_" {
        LINEQOSREQUESTTYPE_SERVICELEVEL = 0x1,
    }
}

constants! {
    /// How much a quality of service is wanted: one value, not bits.
    LINEQOSSERVICELEVEL: scalar, "LINEQOSSERVICELEVEL_" {
        LINEQOSSERVICELEVEL_NEEDED = 0x1,
        LINEQOSSERVICELEVEL_IFAVAILABLE = 0x2,
        LINEQOSSERVICELEVEL_BESTEFFORT = 0x3,
    }
}

constants! {
    /// Why a quality of service was not given: one value, not bits.
    LINEEQOSINFO: scalar, "LINEEQOSINFO_" {
        LINEEQOSINFO_NOQOS = 0x1,
        LINEEQOSINFO_ADMISSIONFAILURE = 0x2,
        LINEEQOSINFO_POLICYFAILURE = 0x3,
        LINEEQOSINFO_GENERICERROR = 0x4,
    }
}
