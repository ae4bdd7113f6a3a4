//! Messages that cross the event procedures, line and phone.
//!
//! Numbers below 500 exist at the application level too; those from 500 on are used between a
//! provider and TAPI only. [`line_message_name`](super::line_message_name) names both for logs.

use super::{Family, constants};

constants! {
    /// Line messages that also exist at the application level.
    LINE_MESSAGE: scalar, "" {
        LINE_ADDRESSSTATE = 0x0,
        LINE_CALLINFO = 0x1,
        LINE_CALLSTATE = 0x2,
        LINE_CLOSE = 0x3,
        LINE_DEVSPECIFIC = 0x4,
        LINE_DEVSPECIFICFEATURE = 0x5,
        LINE_GATHERDIGITS = 0x6,
        LINE_GENERATE = 0x7,
        LINE_LINEDEVSTATE = 0x8,
        LINE_MONITORDIGITS = 0x9,
        LINE_MONITORMEDIA = 0xA,
        LINE_MONITORTONE = 0xB,
        LINE_REPLY = 0xC,
        LINE_REQUEST = 0xD,
        LINE_CREATE = 0x13,
        LINE_AGENTSPECIFIC = 0x15,
        LINE_AGENTSTATUS = 0x16,
        LINE_APPNEWCALL = 0x17,
        LINE_PROXYREQUEST = 0x18,
        LINE_REMOVE = 0x19,
        LINE_AGENTSESSIONSTATUS = 0x1B,
        LINE_QUEUESTATUS = 0x1C,
        LINE_AGENTSTATUSEX = 0x1D,
        LINE_GROUPSTATUS = 0x1E,
        LINE_PROXYSTATUS = 0x1F,
        LINE_APPNEWCALLHUB = 0x20,
        LINE_CALLHUBCLOSE = 0x21,
        LINE_DEVSPECIFICEX = 0x22,
    }
}

constants! {
    /// Messages between a provider and TAPI only.
    TSPI_MESSAGE: scalar, "" {
        TSPI_MESSAGE_BASE = 0x1F4,
        LINE_NEWCALL = 0x1F4,
        LINE_CALLDEVSPECIFIC = 0x1F5,
        LINE_CALLDEVSPECIFICFEATURE = 0x1F6,
        LINE_CREATEDIALOGINSTANCE = 0x1F7,
        LINE_SENDDIALOGINSTANCEDATA = 0x1F8,
        LINE_SENDMSPDATA = 0x1F9,
        LINE_QOSINFO = 0x1FA,
    }
}

constants! {
    /// Messages of phones, through PHONEEVENT.
    PHONE_MESSAGE: scalar, "" {
        PHONE_BUTTON = 0xE,
        PHONE_CLOSE = 0xF,
        PHONE_DEVSPECIFIC = 0x10,
        PHONE_REPLY = 0x11,
        PHONE_STATE = 0x12,
        PHONE_CREATE = 0x14,
        PHONE_REMOVE = 0x1A,
    }
}
