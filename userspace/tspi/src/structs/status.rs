//! The present state of a line, an address, a call, and strings on their own.

use super::layout::structure;

structure! {
    /// Status of an open line (TSPI_lineGetLineDevStatus).
    LINEDEVSTATUS: Returned {V1_3: 76, V2_0: 88} [
        0 dwTotalSize: HEADER, Tapi;
        4 dwNeededSize: HEADER, Provider;
        8 dwUsedSize: HEADER, Provider;
        12 dwNumOpens: DWORD, Tapi;
        16 dwOpenMediaModes: DWORD, Tapi;
        20 dwNumActiveCalls: DWORD, Provider;
        24 dwNumOnHoldCalls: DWORD, Provider;
        28 dwNumOnHoldPendCalls: DWORD, Provider;
        32 dwLineFeatures: DWORD, Provider;
        36 dwNumCallCompletions: DWORD, Provider;
        40 dwRingMode: DWORD, Provider;
        44 dwSignalLevel: DWORD, Provider;
        48 dwBatteryLevel: DWORD, Provider;
        52 dwRoamMode: DWORD, Provider;
        56 dwDevStatusFlags: DWORD, Provider;
        60 dwTerminalModes: ITEM, Provider;
        68 dwDevSpecific: ITEM, Provider;
        76 dwAvailableMediaModes: DWORD, Provider;
        80 dwAppInfo: ITEM, Tapi;
    ]
}

structure! {
    /// Status of an address (TSPI_lineGetAddressStatus).
    LINEADDRESSSTATUS: Returned {V1_3: 64} [
        0 dwTotalSize: HEADER, Tapi;
        4 dwNeededSize: HEADER, Provider;
        8 dwUsedSize: HEADER, Provider;
        12 dwNumInUse: DWORD, Provider;
        16 dwNumActiveCalls: DWORD, Provider;
        20 dwNumOnHoldCalls: DWORD, Provider;
        24 dwNumOnHoldPendCalls: DWORD, Provider;
        28 dwAddressFeatures: DWORD, Provider;
        32 dwNumRingsNoAnswer: DWORD, Provider;
        36 dwForwardNumEntries: DWORD, Provider;
        40 dwForward: ITEM, Provider;
        48 dwTerminalModes: ITEM, Provider;
        56 dwDevSpecific: ITEM, Provider;
    ]
}

structure! {
    /// State of a call and what can be done with it (TSPI_lineGetCallStatus). dwCallStateMode is
    /// the mode of the present state, as in LINE_CALLSTATE.
    LINECALLSTATUS: Returned {V1_3: 36, V2_0: 56} [
        0 dwTotalSize: HEADER, Tapi;
        4 dwNeededSize: HEADER, Provider;
        8 dwUsedSize: HEADER, Provider;
        12 dwCallState: DWORD, Provider;
        16 dwCallStateMode: DWORD, Provider;
        20 dwCallPrivilege: DWORD, Tapi;
        24 dwCallFeatures: DWORD, Provider;
        28 dwDevSpecific: ITEM, Provider;
        36 dwCallFeatures2: DWORD, Provider;
        40 tStateEntryTime: SYSTEMTIME, Provider;
    ]
}

structure! {
    /// A string or blob on its own (TSPI_lineGetID, TSPI_lineGetDevConfig, TSPI_linePark);
    /// dwStringFormat is a STRINGFORMAT_.
    VARSTRING: Returned {V1_3: 24} [
        0 dwTotalSize: HEADER, Tapi;
        4 dwNeededSize: HEADER, Provider;
        8 dwUsedSize: HEADER, Provider;
        12 dwStringFormat: DWORD, Provider;
        16 dwString: ITEM, Provider;
    ]
}

structure! {
    /// Call hub tracking (TSPI_lineGetCallHubTracking).
    LINECALLHUBTRACKINGINFO: Returned {V1_3: 20} [
        0 dwTotalSize: HEADER, Caller;
        4 dwNeededSize: HEADER, Caller;
        8 dwUsedSize: HEADER, Caller;
        12 dwAvailableTracking: DWORD, Caller;
        16 dwCurrentTracking: DWORD, Caller;
    ]
}
