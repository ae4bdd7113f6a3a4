//! Errors of phone functions (`PHONEERR_`).

use ringback_request::ErrorCode;

use super::errors;

errors! {
    /// An error of a phone function: a negative LONG.
    PhoneError, PHONEERR, "PHONEERR_", OPERATIONFAILED {
        ALLOCATED = PHONEERR_ALLOCATED:
            "the phone is in use by another program and can't be shared; close it there first",
        BADDEVICEID = PHONEERR_BADDEVICEID: "there is no phone with this id",
        INCOMPATIBLEAPIVERSION = PHONEERR_INCOMPATIBLEAPIVERSION:
            "no version of the interface is spoken by both sides",
        INCOMPATIBLEEXTVERSION = PHONEERR_INCOMPATIBLEEXTVERSION:
            "no version of the phone's extensions is spoken by both sides",
        INIFILECORRUPT = PHONEERR_INIFILECORRUPT:
            "the configuration can't be read; check it or install the provider again",
        INUSE = PHONEERR_INUSE: "the phone is in use",
        INVALAPPHANDLE = PHONEERR_INVALAPPHANDLE: "the application handle is not valid",
        INVALAPPNAME = PHONEERR_INVALAPPNAME: "the application's name is not valid",
        INVALBUTTONLAMPID = PHONEERR_INVALBUTTONLAMPID:
            "the phone has no button or lamp with this id",
        INVALBUTTONMODE = PHONEERR_INVALBUTTONMODE: "the button mode is not valid",
        INVALBUTTONSTATE = PHONEERR_INVALBUTTONSTATE: "the button state is not valid",
        INVALDATAID = PHONEERR_INVALDATAID: "the phone has no data area with this id",
        INVALDEVICECLASS = PHONEERR_INVALDEVICECLASS: "the device class is not one the phone has",
        INVALEXTVERSION = PHONEERR_INVALEXTVERSION: "the extension version is not valid",
        INVALHOOKSWITCHDEV = PHONEERR_INVALHOOKSWITCHDEV: "the phone has no such hookswitch",
        INVALHOOKSWITCHMODE = PHONEERR_INVALHOOKSWITCHMODE:
            "the hookswitch mode is not one the phone supports",
        INVALLAMPMODE = PHONEERR_INVALLAMPMODE: "the lamp mode is not one the phone supports",
        INVALPARAM = PHONEERR_INVALPARAM: "a parameter is not valid",
        INVALPHONEHANDLE = PHONEERR_INVALPHONEHANDLE:
            "the phone is not open; it may have been closed already",
        INVALPHONESTATE = PHONEERR_INVALPHONESTATE:
            "the phone is not in a state in which this can be done",
        INVALPOINTER = PHONEERR_INVALPOINTER: "a pointer does not lead to memory that can be used",
        INVALPRIVILEGE = PHONEERR_INVALPRIVILEGE: "the privilege is not valid",
        INVALRINGMODE = PHONEERR_INVALRINGMODE: "the phone has no such ring mode",
        NODEVICE = PHONEERR_NODEVICE: "the phone has gone: pulled out, or its driver was unbound",
        NODRIVER = PHONEERR_NODRIVER:
            "the phone's driver does not answer; is it loaded and bound to the card?",
        NOMEM = PHONEERR_NOMEM: "there is not enough memory, or every request slot is taken",
        NOTOWNER = PHONEERR_NOTOWNER: "only the owner of the phone may do this",
        OPERATIONFAILED = PHONEERR_OPERATIONFAILED: "the operation failed",
        OPERATIONUNAVAIL = PHONEERR_OPERATIONUNAVAIL:
            "the phone can't do this at all, or not at present",
        RESOURCEUNAVAIL = PHONEERR_RESOURCEUNAVAIL:
            "something the operation needs is not available; the log may say what",
        REQUESTOVERRUN = PHONEERR_REQUESTOVERRUN: "too many requests are waiting",
        STRUCTURETOOSMALL = PHONEERR_STRUCTURETOOSMALL:
            "the memory for the answer does not even hold the fixed part of the structure",
        UNINITIALIZED = PHONEERR_UNINITIALIZED: "the interface was not initialised",
        REINIT = PHONEERR_REINIT: "devices have changed; shut down and initialise again",
        DISCONNECTED = PHONEERR_DISCONNECTED: "the connection to the telephony server is lost",
        SERVICE_NOT_RUNNING = PHONEERR_SERVICE_NOT_RUNNING: "the telephony service is not running",
    }
}
