//! Constants about one call: its states, their modes, what can be done with it, who it is with.
//!
//! Bits unless a family says otherwise. The mode of a state travels in the second parameter of
//! LINE_CALLSTATE.

use super::{Family, constants};

constants! {
    /// Call states (LINE_CALLSTATE, first parameter): exactly one bit at a time; the high 8 bits
    /// are a vendor's substate.
    LINECALLSTATE: bits, "LINECALLSTATE_" {
        /// The call is over. Nothing follows (O3).
        LINECALLSTATE_IDLE = 0x1,
        /// An incoming call is announced.
        LINECALLSTATE_OFFERING = 0x2,
        /// The offered call is accepted, but not answered yet.
        LINECALLSTATE_ACCEPTED = 0x4,
        /// The exchange is ready for digits.
        LINECALLSTATE_DIALTONE = 0x8,
        /// Digits are being sent.
        LINECALLSTATE_DIALING = 0x10,
        /// The called telephone rings.
        LINECALLSTATE_RINGBACK = 0x20,
        /// A busy tone is heard.
        LINECALLSTATE_BUSY = 0x40,
        /// The network plays a special information tone.
        LINECALLSTATE_SPECIALINFO = 0x80,
        /// The parties hear each other.
        LINECALLSTATE_CONNECTED = 0x100,
        /// Dialling is complete, the network looks for the destination.
        LINECALLSTATE_PROCEEDING = 0x200,
        /// The call is held by the switch.
        LINECALLSTATE_ONHOLD = 0x400,
        /// The call is a member of a conference.
        LINECALLSTATE_CONFERENCED = 0x800,
        /// The call waits for a party to be added to a conference.
        LINECALLSTATE_ONHOLDPENDCONF = 0x1000,
        /// The call waits to be transferred.
        LINECALLSTATE_ONHOLDPENDTRANSFER = 0x2000,
        /// The other party has gone; the call still has to be dropped.
        LINECALLSTATE_DISCONNECTED = 0x4000,
        /// The state is not known.
        LINECALLSTATE_UNKNOWN = 0x8000,
    }
}

constants! {
    /// Why a call was disconnected (mode of LINECALLSTATE_DISCONNECTED).
    LINEDISCONNECTMODE: bits, "LINEDISCONNECTMODE_" {
        /// The other party hung up.
        LINEDISCONNECTMODE_NORMAL = 0x1,
        /// The reason is not known.
        LINEDISCONNECTMODE_UNKNOWN = 0x2,
        /// The other party refused the call.
        LINEDISCONNECTMODE_REJECT = 0x4,
        /// Another set on the same line took the call.
        LINEDISCONNECTMODE_PICKUP = 0x8,
        /// The call was forwarded by the switch.
        LINEDISCONNECTMODE_FORWARDED = 0x10,
        /// The destination is busy.
        LINEDISCONNECTMODE_BUSY = 0x20,
        /// The destination did not answer in time.
        LINEDISCONNECTMODE_NOANSWER = 0x40,
        /// The destination address is not valid.
        LINEDISCONNECTMODE_BADADDRESS = 0x80,
        /// The destination can't be reached.
        LINEDISCONNECTMODE_UNREACHABLE = 0x100,
        /// The network is full.
        LINEDISCONNECTMODE_CONGESTION = 0x200,
        LINEDISCONNECTMODE_INCOMPATIBLE = 0x400,
        LINEDISCONNECTMODE_UNAVAIL = 0x800,
        /// No dial tone came in time (from version 1.4).
        LINEDISCONNECTMODE_NODIALTONE = 0x1000,
        LINEDISCONNECTMODE_NUMBERCHANGED = 0x2000,
        LINEDISCONNECTMODE_OUTOFORDER = 0x4000,
        LINEDISCONNECTMODE_TEMPFAILURE = 0x8000,
        LINEDISCONNECTMODE_QOSUNAVAIL = 0x0001_0000,
        LINEDISCONNECTMODE_BLOCKED = 0x0002_0000,
        LINEDISCONNECTMODE_DONOTDISTURB = 0x0004_0000,
        /// The call was cancelled (from version 2.0, as every later one).
        LINEDISCONNECTMODE_CANCELLED = 0x0008_0000,
    }
}

constants! {
    /// Which dial tone is heard (mode of LINECALLSTATE_DIALTONE).
    LINEDIALTONEMODE: bits, "LINEDIALTONEMODE_" {
        /// The ordinary dial tone.
        LINEDIALTONEMODE_NORMAL = 0x1,
        /// A stutter tone: a message waits, or a feature is active.
        LINEDIALTONEMODE_SPECIAL = 0x2,
        LINEDIALTONEMODE_INTERNAL = 0x4,
        LINEDIALTONEMODE_EXTERNAL = 0x8,
        LINEDIALTONEMODE_UNKNOWN = 0x10,
        /// The provider does not distinguish dial tones.
        LINEDIALTONEMODE_UNAVAIL = 0x20,
    }
}

constants! {
    /// Which busy tone is heard (mode of LINECALLSTATE_BUSY).
    LINEBUSYMODE: bits, "LINEBUSYMODE_" {
        /// The called set is busy (slow busy tone).
        LINEBUSYMODE_STATION = 0x1,
        /// The network is busy (fast busy tone).
        LINEBUSYMODE_TRUNK = 0x2,
        LINEBUSYMODE_UNKNOWN = 0x4,
        /// The provider does not distinguish busy tones.
        LINEBUSYMODE_UNAVAIL = 0x8,
    }
}

constants! {
    /// Which special information tone is heard (mode of LINECALLSTATE_SPECIALINFO).
    LINESPECIALINFO: bits, "LINESPECIALINFO_" {
        /// No circuit: the network is full.
        LINESPECIALINFO_NOCIRCUIT = 0x1,
        /// Customer irregularity: wrong or changed number.
        LINESPECIALINFO_CUSTIRREG = 0x2,
        /// Reorder tone: dialling failed, or the set is off-hook too long.
        LINESPECIALINFO_REORDER = 0x4,
        LINESPECIALINFO_UNKNOWN = 0x8,
        LINESPECIALINFO_UNAVAIL = 0x10,
    }
}

constants! {
    /// How a call is connected (mode of LINECALLSTATE_CONNECTED); 0 means ACTIVE.
    LINECONNECTEDMODE: bits, "LINECONNECTEDMODE_" {
        /// Connected at this station.
        LINECONNECTEDMODE_ACTIVE = 0x1,
        /// Connected at another station of the same address.
        LINECONNECTEDMODE_INACTIVE = 0x2,
        LINECONNECTEDMODE_ACTIVEHELD = 0x4,
        LINECONNECTEDMODE_INACTIVEHELD = 0x8,
        /// The network confirmed the answer (true answer supervision).
        LINECONNECTEDMODE_CONFIRMED = 0x10,
    }
}

constants! {
    /// How a call is offered (mode of LINECALLSTATE_OFFERING).
    LINEOFFERINGMODE: bits, "LINEOFFERINGMODE_" {
        LINEOFFERINGMODE_ACTIVE = 0x1,
        LINEOFFERINGMODE_INACTIVE = 0x2,
    }
}

constants! {
    /// What can be done with a call in its present state (LINECALLSTATUS, dwCallFeatures).
    LINECALLFEATURE: bits, "LINECALLFEATURE_" {
        LINECALLFEATURE_ACCEPT = 0x1,
        LINECALLFEATURE_ADDTOCONF = 0x2,
        LINECALLFEATURE_ANSWER = 0x4,
        LINECALLFEATURE_BLINDTRANSFER = 0x8,
        LINECALLFEATURE_COMPLETECALL = 0x10,
        LINECALLFEATURE_COMPLETETRANSF = 0x20,
        LINECALLFEATURE_DIAL = 0x40,
        LINECALLFEATURE_DROP = 0x80,
        LINECALLFEATURE_GATHERDIGITS = 0x100,
        LINECALLFEATURE_GENERATEDIGITS = 0x200,
        LINECALLFEATURE_GENERATETONE = 0x400,
        LINECALLFEATURE_HOLD = 0x800,
        LINECALLFEATURE_MONITORDIGITS = 0x1000,
        LINECALLFEATURE_MONITORMEDIA = 0x2000,
        LINECALLFEATURE_MONITORTONES = 0x4000,
        LINECALLFEATURE_PARK = 0x8000,
        LINECALLFEATURE_PREPAREADDCONF = 0x0001_0000,
        LINECALLFEATURE_REDIRECT = 0x0002_0000,
        LINECALLFEATURE_REMOVEFROMCONF = 0x0004_0000,
        LINECALLFEATURE_SECURECALL = 0x0008_0000,
        LINECALLFEATURE_SENDUSERUSER = 0x0010_0000,
        LINECALLFEATURE_SETCALLPARAMS = 0x0020_0000,
        LINECALLFEATURE_SETMEDIACONTROL = 0x0040_0000,
        LINECALLFEATURE_SETTERMINAL = 0x0080_0000,
        LINECALLFEATURE_SETUPCONF = 0x0100_0000,
        LINECALLFEATURE_SETUPTRANSFER = 0x0200_0000,
        LINECALLFEATURE_SWAPHOLD = 0x0400_0000,
        LINECALLFEATURE_UNHOLD = 0x0800_0000,
        LINECALLFEATURE_RELEASEUSERUSERINFO = 0x1000_0000,
        LINECALLFEATURE_SETTREATMENT = 0x2000_0000,
        LINECALLFEATURE_SETQOS = 0x4000_0000,
        LINECALLFEATURE_SETCALLDATA = 0x8000_0000,
    }
}

constants! {
    /// More of what can be done with a call (dwCallFeatures2, from version 2.0).
    LINECALLFEATURE2: bits, "LINECALLFEATURE2_" {
        LINECALLFEATURE2_NOHOLDCONFERENCE = 0x1,
        LINECALLFEATURE2_ONESTEPTRANSFER = 0x2,
        LINECALLFEATURE2_COMPLCAMPON = 0x4,
        LINECALLFEATURE2_COMPLCALLBACK = 0x8,
        LINECALLFEATURE2_COMPLINTRUDE = 0x10,
        LINECALLFEATURE2_COMPLMESSAGE = 0x20,
        LINECALLFEATURE2_TRANSFERNORM = 0x40,
        LINECALLFEATURE2_TRANSFERCONF = 0x80,
        LINECALLFEATURE2_PARKDIRECT = 0x100,
        LINECALLFEATURE2_PARKNONDIRECT = 0x200,
    }
}

constants! {
    /// What changed in the information about a call (LINE_CALLINFO, first parameter).
    LINECALLINFOSTATE: bits, "LINECALLINFOSTATE_" {
        LINECALLINFOSTATE_OTHER = 0x1,
        LINECALLINFOSTATE_DEVSPECIFIC = 0x2,
        LINECALLINFOSTATE_BEARERMODE = 0x4,
        LINECALLINFOSTATE_RATE = 0x8,
        LINECALLINFOSTATE_MEDIAMODE = 0x10,
        LINECALLINFOSTATE_APPSPECIFIC = 0x20,
        LINECALLINFOSTATE_CALLID = 0x40,
        LINECALLINFOSTATE_RELATEDCALLID = 0x80,
        LINECALLINFOSTATE_ORIGIN = 0x100,
        LINECALLINFOSTATE_REASON = 0x200,
        LINECALLINFOSTATE_COMPLETIONID = 0x400,
        LINECALLINFOSTATE_NUMOWNERINCR = 0x800,
        LINECALLINFOSTATE_NUMOWNERDECR = 0x1000,
        LINECALLINFOSTATE_NUMMONITORS = 0x2000,
        LINECALLINFOSTATE_TRUNK = 0x4000,
        LINECALLINFOSTATE_CALLERID = 0x8000,
        LINECALLINFOSTATE_CALLEDID = 0x0001_0000,
        LINECALLINFOSTATE_CONNECTEDID = 0x0002_0000,
        LINECALLINFOSTATE_REDIRECTIONID = 0x0004_0000,
        LINECALLINFOSTATE_REDIRECTINGID = 0x0008_0000,
        LINECALLINFOSTATE_DISPLAY = 0x0010_0000,
        LINECALLINFOSTATE_USERUSERINFO = 0x0020_0000,
        LINECALLINFOSTATE_HIGHLEVELCOMP = 0x0040_0000,
        LINECALLINFOSTATE_LOWLEVELCOMP = 0x0080_0000,
        LINECALLINFOSTATE_CHARGINGINFO = 0x0100_0000,
        LINECALLINFOSTATE_TERMINAL = 0x0200_0000,
        LINECALLINFOSTATE_DIALPARAMS = 0x0400_0000,
        LINECALLINFOSTATE_MONITORMODES = 0x0800_0000,
        LINECALLINFOSTATE_TREATMENT = 0x1000_0000,
        LINECALLINFOSTATE_QOS = 0x2000_0000,
        LINECALLINFOSTATE_CALLDATA = 0x4000_0000,
    }
}

constants! {
    /// Where a call comes from.
    LINECALLORIGIN: bits, "LINECALLORIGIN_" {
        LINECALLORIGIN_OUTBOUND = 0x1,
        LINECALLORIGIN_INTERNAL = 0x2,
        LINECALLORIGIN_EXTERNAL = 0x4,
        LINECALLORIGIN_UNKNOWN = 0x10,
        LINECALLORIGIN_UNAVAIL = 0x20,
        LINECALLORIGIN_CONFERENCE = 0x40,
        LINECALLORIGIN_INBOUND = 0x80,
    }
}

constants! {
    /// Why a call came about.
    LINECALLREASON: bits, "LINECALLREASON_" {
        LINECALLREASON_DIRECT = 0x1,
        LINECALLREASON_FWDBUSY = 0x2,
        LINECALLREASON_FWDNOANSWER = 0x4,
        LINECALLREASON_FWDUNCOND = 0x8,
        LINECALLREASON_PICKUP = 0x10,
        LINECALLREASON_UNPARK = 0x20,
        LINECALLREASON_REDIRECT = 0x40,
        LINECALLREASON_CALLCOMPLETION = 0x80,
        LINECALLREASON_TRANSFER = 0x100,
        LINECALLREASON_REMINDER = 0x200,
        LINECALLREASON_UNKNOWN = 0x400,
        LINECALLREASON_UNAVAIL = 0x800,
        LINECALLREASON_INTRUDE = 0x1000,
        LINECALLREASON_PARKED = 0x2000,
        LINECALLREASON_CAMPEDON = 0x4000,
        LINECALLREASON_ROUTEREQUEST = 0x8000,
    }
}

constants! {
    /// What is known about a party of a call (caller id and its like).
    LINECALLPARTYID: bits, "LINECALLPARTYID_" {
        LINECALLPARTYID_BLOCKED = 0x1,
        LINECALLPARTYID_OUTOFAREA = 0x2,
        LINECALLPARTYID_NAME = 0x4,
        LINECALLPARTYID_ADDRESS = 0x8,
        LINECALLPARTYID_PARTIAL = 0x10,
        LINECALLPARTYID_UNKNOWN = 0x20,
        LINECALLPARTYID_UNAVAIL = 0x40,
    }
}

constants! {
    /// Options of a call to be made (LINECALLPARAMS, dwCallParamFlags).
    LINECALLPARAMFLAGS: bits, "LINECALLPARAMFLAGS_" {
        LINECALLPARAMFLAGS_SECURE = 0x1,
        /// Only on an idle line: without dial tone the call fails with CALLUNAVAIL.
        LINECALLPARAMFLAGS_IDLE = 0x2,
        LINECALLPARAMFLAGS_BLOCKID = 0x4,
        LINECALLPARAMFLAGS_ORIGOFFHOOK = 0x8,
        LINECALLPARAMFLAGS_DESTOFFHOOK = 0x10,
        LINECALLPARAMFLAGS_NOHOLDCONFERENCE = 0x20,
        LINECALLPARAMFLAGS_PREDICTIVEDIAL = 0x40,
        LINECALLPARAMFLAGS_ONESTEPTRANSFER = 0x80,
    }
}

constants! {
    /// What an application may do with a call.
    LINECALLPRIVILEGE: bits, "LINECALLPRIVILEGE_" {
        LINECALLPRIVILEGE_NONE = 0x1,
        LINECALLPRIVILEGE_MONITOR = 0x2,
        LINECALLPRIVILEGE_OWNER = 0x4,
    }
}

constants! {
    /// Which object a function is about: line, address or call.
    LINECALLSELECT: bits, "LINECALLSELECT_" {
        LINECALLSELECT_LINE = 0x1,
        LINECALLSELECT_ADDRESS = 0x2,
        LINECALLSELECT_CALL = 0x4,
        LINECALLSELECT_DEVICEID = 0x8,
        LINECALLSELECT_CALLID = 0x10,
    }
}

constants! {
    /// What an unanswered or held party hears: one value, not bits.
    LINECALLTREATMENT: scalar, "LINECALLTREATMENT_" {
        LINECALLTREATMENT_SILENCE = 0x1,
        LINECALLTREATMENT_RINGBACK = 0x2,
        LINECALLTREATMENT_BUSY = 0x3,
        LINECALLTREATMENT_MUSIC = 0x4,
    }
}

constants! {
    /// When a call completion can be asked for.
    LINECALLCOMPLCOND: bits, "LINECALLCOMPLCOND_" {
        LINECALLCOMPLCOND_BUSY = 0x1,
        LINECALLCOMPLCOND_NOANSWER = 0x2,
    }
}

constants! {
    /// Ways to complete a call that can't connect.
    LINECALLCOMPLMODE: bits, "LINECALLCOMPLMODE_" {
        LINECALLCOMPLMODE_CAMPON = 0x1,
        LINECALLCOMPLMODE_CALLBACK = 0x2,
        LINECALLCOMPLMODE_INTRUDE = 0x4,
        LINECALLCOMPLMODE_MESSAGE = 0x8,
    }
}

constants! {
    /// Call hub tracking: one value, not bits.
    LINECALLHUBTRACKING: scalar, "LINECALLHUBTRACKING_" {
        LINECALLHUBTRACKING_NONE = 0x0,
        LINECALLHUBTRACKING_PROVIDERLEVEL = 0x1,
        LINECALLHUBTRACKING_ALLCALLS = 0x2,
    }
}

constants! {
    /// Media modes of a call; bit 0x1 is reserved.
    LINEMEDIAMODE: bits, "LINEMEDIAMODE_" {
        LINEMEDIAMODE_UNKNOWN = 0x2,
        LINEMEDIAMODE_INTERACTIVEVOICE = 0x4,
        LINEMEDIAMODE_AUTOMATEDVOICE = 0x8,
        LINEMEDIAMODE_DATAMODEM = 0x10,
        LINEMEDIAMODE_G3FAX = 0x20,
        LINEMEDIAMODE_TDD = 0x40,
        LINEMEDIAMODE_G4FAX = 0x80,
        LINEMEDIAMODE_DIGITALDATA = 0x100,
        LINEMEDIAMODE_TELETEX = 0x200,
        LINEMEDIAMODE_VIDEOTEX = 0x400,
        LINEMEDIAMODE_TELEX = 0x800,
        LINEMEDIAMODE_MIXED = 0x1000,
        LINEMEDIAMODE_ADSI = 0x2000,
        LINEMEDIAMODE_VOICEVIEW = 0x4000,
        LINEMEDIAMODE_VIDEO = 0x8000,
        LAST_LINEMEDIAMODE = 0x8000,
    }
}

constants! {
    /// Bearer modes: the quality of service asked from the network.
    LINEBEARERMODE: bits, "LINEBEARERMODE_" {
        LINEBEARERMODE_VOICE = 0x1,
        LINEBEARERMODE_SPEECH = 0x2,
        LINEBEARERMODE_MULTIUSE = 0x4,
        LINEBEARERMODE_DATA = 0x8,
        LINEBEARERMODE_ALTSPEECHDATA = 0x10,
        LINEBEARERMODE_NONCALLSIGNALING = 0x20,
        LINEBEARERMODE_PASSTHROUGH = 0x40,
        LINEBEARERMODE_RESTRICTEDDATA = 0x80,
    }
}

constants! {
    /// What happens to an active call when another one is answered.
    LINEANSWERMODE: bits, "LINEANSWERMODE_" {
        LINEANSWERMODE_NONE = 0x1,
        LINEANSWERMODE_DROP = 0x2,
        LINEANSWERMODE_HOLD = 0x4,
    }
}

constants! {
    /// How a transfer is completed.
    LINETRANSFERMODE: bits, "LINETRANSFERMODE_" {
        LINETRANSFERMODE_TRANSFER = 0x1,
        LINETRANSFERMODE_CONFERENCE = 0x2,
    }
}

constants! {
    /// How a call is parked.
    LINEPARKMODE: bits, "LINEPARKMODE_" {
        LINEPARKMODE_DIRECTED = 0x1,
        LINEPARKMODE_NONDIRECTED = 0x2,
    }
}

constants! {
    /// Which parties can be removed from a conference: one value, not bits.
    LINEREMOVEFROMCONF: scalar, "LINEREMOVEFROMCONF_" {
        LINEREMOVEFROMCONF_NONE = 0x1,
        LINEREMOVEFROMCONF_LAST = 0x2,
        LINEREMOVEFROMCONF_ANY = 0x3,
    }
}

constants! {
    /// Conditions of call forwarding.
    LINEFORWARDMODE: bits, "LINEFORWARDMODE_" {
        LINEFORWARDMODE_UNCOND = 0x1,
        LINEFORWARDMODE_UNCONDINTERNAL = 0x2,
        LINEFORWARDMODE_UNCONDEXTERNAL = 0x4,
        LINEFORWARDMODE_UNCONDSPECIFIC = 0x8,
        LINEFORWARDMODE_BUSY = 0x10,
        LINEFORWARDMODE_BUSYINTERNAL = 0x20,
        LINEFORWARDMODE_BUSYEXTERNAL = 0x40,
        LINEFORWARDMODE_BUSYSPECIFIC = 0x80,
        LINEFORWARDMODE_NOANSW = 0x100,
        LINEFORWARDMODE_NOANSWINTERNAL = 0x200,
        LINEFORWARDMODE_NOANSWEXTERNAL = 0x400,
        LINEFORWARDMODE_NOANSWSPECIFIC = 0x800,
        LINEFORWARDMODE_BUSYNA = 0x1000,
        LINEFORWARDMODE_BUSYNAINTERNAL = 0x2000,
        LINEFORWARDMODE_BUSYNAEXTERNAL = 0x4000,
        LINEFORWARDMODE_BUSYNASPECIFIC = 0x8000,
        LINEFORWARDMODE_UNKNOWN = 0x0001_0000,
        LINEFORWARDMODE_UNAVAIL = 0x0002_0000,
    }
}
