//! Constants about line devices and their addresses, and the words that open them.
//!
//! What a line can do, what happens to it, and the few values of the start-up negotiation.

use super::{Family, constants};

constants! {
    /// The newest version of the headers; every version is a constant of
    /// [`Version`](crate::types::Version).
    TAPI_VERSION: scalar, "" {
        TAPI_CURRENT_VERSION = 0x0003_0001,
    }
}

constants! {
    /// Values that stand for no device or for all of them.
    MISC: scalar, "" {
        /// In place of a device id: negotiate for the provider as a whole.
        INITIALIZE_NEGOTIATION = 0xFFFF_FFFF,
        /// In place of a device id: any line that fits.
        LINEMAPPER = 0xFFFF_FFFF,
        TAPI_REPLY = 0x463,
    }
}

constants! {
    /// Options a provider sets in TSPI_providerInit.
    LINETSPIOPTION: bits, "LINETSPIOPTION_" {
        /// TAPI calls one function of the provider at a time (G9). Ringback never sets it.
        LINETSPIOPTION_NONREENTRANT = 0x1,
    }
}

constants! {
    /// Formats of the string in a VARSTRING and of the strings in capability structures: one value,
    /// not bits.
    STRINGFORMAT: scalar, "STRINGFORMAT_" {
        STRINGFORMAT_ASCII = 0x1,
        STRINGFORMAT_DBCS = 0x2,
        STRINGFORMAT_UNICODE = 0x3,
        STRINGFORMAT_BINARY = 0x4,
    }
}

constants! {
    /// Capabilities of a line device (LINEDEVCAPS, dwDevCapFlags).
    LINEDEVCAPFLAGS: bits, "LINEDEVCAPFLAGS_" {
        LINEDEVCAPFLAGS_CROSSADDRCONF = 0x1,
        LINEDEVCAPFLAGS_HIGHLEVCOMP = 0x2,
        LINEDEVCAPFLAGS_LOWLEVCOMP = 0x4,
        LINEDEVCAPFLAGS_MEDIACONTROL = 0x8,
        LINEDEVCAPFLAGS_MULTIPLEADDR = 0x10,
        /// Closing a line drops its calls (D3).
        LINEDEVCAPFLAGS_CLOSEDROP = 0x20,
        /// `$` in a dial string works: the line can wait for a billing tone.
        LINEDEVCAPFLAGS_DIALBILLING = 0x40,
        /// `@` in a dial string works: the line can wait for a quiet answer.
        LINEDEVCAPFLAGS_DIALQUIET = 0x80,
        /// `W` in a dial string works: the line can wait for dial tone.
        LINEDEVCAPFLAGS_DIALDIALTONE = 0x100,
        LINEDEVCAPFLAGS_MSP = 0x200,
        LINEDEVCAPFLAGS_CALLHUB = 0x400,
        LINEDEVCAPFLAGS_CALLHUBTRACKING = 0x800,
        LINEDEVCAPFLAGS_PRIVATEOBJECTS = 0x1000,
        LINEDEVCAPFLAGS_LOCAL = 0x2000,
    }
}

constants! {
    /// What changed about a line device (LINE_LINEDEVSTATE, first parameter).
    LINEDEVSTATE: bits, "LINEDEVSTATE_" {
        LINEDEVSTATE_OTHER = 0x1,
        /// The line rings; ring mode and ring count travel with it.
        LINEDEVSTATE_RINGING = 0x2,
        /// The line was plugged in.
        LINEDEVSTATE_CONNECTED = 0x4,
        /// The line was unplugged.
        LINEDEVSTATE_DISCONNECTED = 0x8,
        LINEDEVSTATE_MSGWAITON = 0x10,
        LINEDEVSTATE_MSGWAITOFF = 0x20,
        /// The line works again.
        LINEDEVSTATE_INSERVICE = 0x40,
        /// The line is out of order.
        LINEDEVSTATE_OUTOFSERVICE = 0x80,
        LINEDEVSTATE_MAINTENANCE = 0x100,
        LINEDEVSTATE_OPEN = 0x200,
        LINEDEVSTATE_CLOSE = 0x400,
        LINEDEVSTATE_NUMCALLS = 0x800,
        LINEDEVSTATE_NUMCOMPLETIONS = 0x1000,
        LINEDEVSTATE_TERMINALS = 0x2000,
        LINEDEVSTATE_ROAMMODE = 0x4000,
        LINEDEVSTATE_BATTERY = 0x8000,
        LINEDEVSTATE_SIGNAL = 0x0001_0000,
        LINEDEVSTATE_DEVSPECIFIC = 0x0002_0000,
        LINEDEVSTATE_REINIT = 0x0004_0000,
        LINEDEVSTATE_LOCK = 0x0008_0000,
        LINEDEVSTATE_CAPSCHANGE = 0x0010_0000,
        LINEDEVSTATE_CONFIGCHANGE = 0x0020_0000,
        LINEDEVSTATE_TRANSLATECHANGE = 0x0040_0000,
        LINEDEVSTATE_COMPLCANCEL = 0x0080_0000,
        LINEDEVSTATE_REMOVED = 0x0100_0000,
    }
}

constants! {
    /// Status of a line device (LINEDEVSTATUS, dwDevStatusFlags).
    LINEDEVSTATUSFLAGS: bits, "LINEDEVSTATUSFLAGS_" {
        LINEDEVSTATUSFLAGS_CONNECTED = 0x1,
        LINEDEVSTATUSFLAGS_MSGWAIT = 0x2,
        LINEDEVSTATUSFLAGS_INSERVICE = 0x4,
        LINEDEVSTATUSFLAGS_LOCKED = 0x8,
    }
}

constants! {
    /// What can be done with a line at present (dwLineFeatures).
    LINEFEATURE: bits, "LINEFEATURE_" {
        LINEFEATURE_DEVSPECIFIC = 0x1,
        LINEFEATURE_DEVSPECIFICFEAT = 0x2,
        LINEFEATURE_FORWARD = 0x4,
        LINEFEATURE_MAKECALL = 0x8,
        LINEFEATURE_SETMEDIACONTROL = 0x10,
        LINEFEATURE_SETTERMINAL = 0x20,
        LINEFEATURE_SETDEVSTATUS = 0x40,
        LINEFEATURE_FORWARDFWD = 0x80,
        LINEFEATURE_FORWARDDND = 0x100,
    }
}

constants! {
    /// Roaming of a mobile line.
    LINEROAMMODE: bits, "LINEROAMMODE_" {
        LINEROAMMODE_UNKNOWN = 0x1,
        LINEROAMMODE_UNAVAIL = 0x2,
        LINEROAMMODE_HOME = 0x4,
        LINEROAMMODE_ROAMA = 0x8,
        LINEROAMMODE_ROAMB = 0x10,
    }
}

constants! {
    /// Capabilities of an address (LINEADDRESSCAPS, dwAddrCapFlags).
    LINEADDRCAPFLAGS: bits, "LINEADDRCAPFLAGS_" {
        LINEADDRCAPFLAGS_FWDNUMRINGS = 0x1,
        LINEADDRCAPFLAGS_PICKUPGROUPID = 0x2,
        LINEADDRCAPFLAGS_SECURE = 0x4,
        LINEADDRCAPFLAGS_BLOCKIDDEFAULT = 0x8,
        LINEADDRCAPFLAGS_BLOCKIDOVERRIDE = 0x10,
        LINEADDRCAPFLAGS_DIALED = 0x20,
        LINEADDRCAPFLAGS_ORIGOFFHOOK = 0x40,
        LINEADDRCAPFLAGS_DESTOFFHOOK = 0x80,
        LINEADDRCAPFLAGS_FWDCONSULT = 0x100,
        LINEADDRCAPFLAGS_SETUPCONFNULL = 0x200,
        LINEADDRCAPFLAGS_AUTORECONNECT = 0x400,
        LINEADDRCAPFLAGS_COMPLETIONID = 0x800,
        LINEADDRCAPFLAGS_TRANSFERHELD = 0x1000,
        LINEADDRCAPFLAGS_TRANSFERMAKE = 0x2000,
        LINEADDRCAPFLAGS_CONFERENCEHELD = 0x4000,
        LINEADDRCAPFLAGS_CONFERENCEMAKE = 0x8000,
        LINEADDRCAPFLAGS_PARTIALDIAL = 0x0001_0000,
        LINEADDRCAPFLAGS_FWDSTATUSVALID = 0x0002_0000,
        LINEADDRCAPFLAGS_FWDINTEXTADDR = 0x0004_0000,
        LINEADDRCAPFLAGS_FWDBUSYNAADDR = 0x0008_0000,
        LINEADDRCAPFLAGS_ACCEPTTOALERT = 0x0010_0000,
        LINEADDRCAPFLAGS_CONFDROP = 0x0020_0000,
        LINEADDRCAPFLAGS_PICKUPCALLWAIT = 0x0040_0000,
        LINEADDRCAPFLAGS_PREDICTIVEDIALER = 0x0080_0000,
        LINEADDRCAPFLAGS_QUEUE = 0x0100_0000,
        LINEADDRCAPFLAGS_ROUTEPOINT = 0x0200_0000,
        LINEADDRCAPFLAGS_HOLDMAKESNEW = 0x0400_0000,
        LINEADDRCAPFLAGS_NOINTERNALCALLS = 0x0800_0000,
        LINEADDRCAPFLAGS_NOEXTERNALCALLS = 0x1000_0000,
        LINEADDRCAPFLAGS_SETCALLINGID = 0x2000_0000,
        LINEADDRCAPFLAGS_ACDGROUP = 0x4000_0000,
        LINEADDRCAPFLAGS_NOPSTNADDRESSTRANSLATION = 0x8000_0000,
    }
}

constants! {
    /// What can be done with an address at present (dwAddressFeatures).
    LINEADDRFEATURE: bits, "LINEADDRFEATURE_" {
        LINEADDRFEATURE_FORWARD = 0x1,
        LINEADDRFEATURE_MAKECALL = 0x2,
        LINEADDRFEATURE_PICKUP = 0x4,
        LINEADDRFEATURE_SETMEDIACONTROL = 0x8,
        LINEADDRFEATURE_SETTERMINAL = 0x10,
        LINEADDRFEATURE_SETUPCONF = 0x20,
        LINEADDRFEATURE_UNCOMPLETECALL = 0x40,
        LINEADDRFEATURE_UNPARK = 0x80,
        LINEADDRFEATURE_PICKUPHELD = 0x100,
        LINEADDRFEATURE_PICKUPGROUP = 0x200,
        LINEADDRFEATURE_PICKUPDIRECT = 0x400,
        LINEADDRFEATURE_PICKUPWAITING = 0x800,
        LINEADDRFEATURE_FORWARDFWD = 0x1000,
        LINEADDRFEATURE_FORWARDDND = 0x2000,
    }
}

constants! {
    /// How an address is named.
    LINEADDRESSMODE: bits, "LINEADDRESSMODE_" {
        LINEADDRESSMODE_ADDRESSID = 0x1,
        LINEADDRESSMODE_DIALABLEADDR = 0x2,
    }
}

constants! {
    /// How an address is shared between stations.
    LINEADDRESSSHARING: bits, "LINEADDRESSSHARING_" {
        LINEADDRESSSHARING_PRIVATE = 0x1,
        LINEADDRESSSHARING_BRIDGEDEXCL = 0x2,
        LINEADDRESSSHARING_BRIDGEDNEW = 0x4,
        LINEADDRESSSHARING_BRIDGEDSHARED = 0x8,
        LINEADDRESSSHARING_MONITORED = 0x10,
    }
}

constants! {
    /// What changed about an address (LINE_ADDRESSSTATE, second parameter).
    LINEADDRESSSTATE: bits, "LINEADDRESSSTATE_" {
        LINEADDRESSSTATE_OTHER = 0x1,
        LINEADDRESSSTATE_DEVSPECIFIC = 0x2,
        LINEADDRESSSTATE_INUSEZERO = 0x4,
        LINEADDRESSSTATE_INUSEONE = 0x8,
        LINEADDRESSSTATE_INUSEMANY = 0x10,
        LINEADDRESSSTATE_NUMCALLS = 0x20,
        LINEADDRESSSTATE_FORWARD = 0x40,
        LINEADDRESSSTATE_TERMINALS = 0x80,
        LINEADDRESSSTATE_CAPSCHANGE = 0x100,
    }
}

constants! {
    /// What kind of string an address is.
    LINEADDRESSTYPE: bits, "LINEADDRESSTYPE_" {
        LINEADDRESSTYPE_PHONENUMBER = 0x1,
        LINEADDRESSTYPE_SDP = 0x2,
        LINEADDRESSTYPE_EMAILNAME = 0x4,
        LINEADDRESSTYPE_DOMAINNAME = 0x8,
        LINEADDRESSTYPE_IPADDRESS = 0x10,
    }
}

constants! {
    /// Kinds of terminals: a telephone, a headset, a speaker.
    LINETERMDEV: bits, "LINETERMDEV_" {
        LINETERMDEV_PHONE = 0x1,
        LINETERMDEV_HEADSET = 0x2,
        LINETERMDEV_SPEAKER = 0x4,
    }
}

constants! {
    /// What can be routed to a terminal.
    LINETERMMODE: bits, "LINETERMMODE_" {
        LINETERMMODE_BUTTONS = 0x1,
        LINETERMMODE_LAMPS = 0x2,
        LINETERMMODE_DISPLAY = 0x4,
        LINETERMMODE_RINGER = 0x8,
        LINETERMMODE_HOOKSWITCH = 0x10,
        LINETERMMODE_MEDIATOLINE = 0x20,
        LINETERMMODE_MEDIAFROMLINE = 0x40,
        LINETERMMODE_MEDIABIDIRECT = 0x80,
    }
}

constants! {
    /// How a terminal is shared between lines.
    LINETERMSHARING: bits, "LINETERMSHARING_" {
        LINETERMSHARING_PRIVATE = 0x1,
        LINETERMSHARING_SHAREDEXCL = 0x2,
        LINETERMSHARING_SHAREDCONF = 0x4,
    }
}
