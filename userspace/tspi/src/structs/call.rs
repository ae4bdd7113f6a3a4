//! A call: what is known about it, and what is asked for when it is made.

use super::layout::structure;

structure! {
    /// What is known about a call (TSPI_lineGetCallInfo). TAPI adds UNKNOWN to dwCallStates, and
    /// the application name, called party and comment behind the provider's items.
    LINECALLINFO: Returned {V1_3: 296, V2_0: 324, V3_0: 344} [
        0 dwTotalSize: HEADER, Tapi;
        4 dwNeededSize: HEADER, Provider;
        8 dwUsedSize: HEADER, Provider;
        12 hLine: HLINE, Tapi;
        16 dwLineDeviceID: DWORD, Provider;
        20 dwAddressID: DWORD, Provider;
        24 dwBearerMode: DWORD, Provider;
        28 dwRate: DWORD, Provider;
        32 dwMediaMode: DWORD, Provider;
        36 dwAppSpecific: DWORD, Provider;
        40 dwCallID: DWORD, Provider;
        44 dwRelatedCallID: DWORD, Provider;
        48 dwCallParamFlags: DWORD, Provider;
        52 dwCallStates: DWORD, Both;
        56 dwMonitorDigitModes: DWORD, Tapi;
        60 dwMonitorMediaModes: DWORD, Tapi;
        64 DialParams: LINEDIALPARAMS, Provider;
        80 dwOrigin: DWORD, Provider;
        84 dwReason: DWORD, Provider;
        88 dwCompletionID: DWORD, Provider;
        92 dwNumOwners: DWORD, Tapi;
        96 dwNumMonitors: DWORD, Tapi;
        100 dwCountryCode: DWORD, Provider;
        104 dwTrunk: DWORD, Provider;
        108 dwCallerIDFlags: DWORD, Provider;
        112 dwCallerID: ITEM, Provider;
        120 dwCallerIDName: ITEM, Provider;
        128 dwCalledIDFlags: DWORD, Provider;
        132 dwCalledID: ITEM, Provider;
        140 dwCalledIDName: ITEM, Provider;
        148 dwConnectedIDFlags: DWORD, Provider;
        152 dwConnectedID: ITEM, Provider;
        160 dwConnectedIDName: ITEM, Provider;
        168 dwRedirectionIDFlags: DWORD, Provider;
        172 dwRedirectionID: ITEM, Provider;
        180 dwRedirectionIDName: ITEM, Provider;
        188 dwRedirectingIDFlags: DWORD, Provider;
        192 dwRedirectingID: ITEM, Provider;
        200 dwRedirectingIDName: ITEM, Provider;
        208 dwAppName: ITEM, Tapi;
        216 dwDisplayableAddress: ITEM, Tapi;
        224 dwCalledParty: ITEM, Tapi;
        232 dwComment: ITEM, Tapi;
        240 dwDisplay: ITEM, Provider;
        248 dwUserUserInfo: ITEM, Provider;
        256 dwHighLevelComp: ITEM, Provider;
        264 dwLowLevelComp: ITEM, Provider;
        272 dwChargingInfo: ITEM, Provider;
        280 dwTerminalModes: ITEM, Provider;
        288 dwDevSpecific: ITEM, Provider;
        296 dwCallTreatment: DWORD, Provider;
        300 dwCallData: ITEM, Provider;
        308 dwSendingFlowspec: ITEM, Provider;
        316 dwReceivingFlowspec: ITEM, Provider;
        324 dwCallerIDAddressType: DWORD, Provider;
        328 dwCalledIDAddressType: DWORD, Provider;
        332 dwConnectedIDAddressType: DWORD, Provider;
        336 dwRedirectionIDAddressType: DWORD, Provider;
        340 dwRedirectingIDAddressType: DWORD, Provider;
    ]
}

structure! {
    /// What is asked for when a call is made (TSPI_lineMakeCall and its like). NULL means the
    /// default: a voice call from any address. [`CallParams`](super::CallParams) is the copy to
    /// work with.
    LINECALLPARAMS: Given {V1_3: 112, V2_0: 176, V3_0: 180} [
        0 dwTotalSize: HEADER, Caller;
        4 dwBearerMode: DWORD, Caller;
        8 dwMinRate: DWORD, Caller;
        12 dwMaxRate: DWORD, Caller;
        16 dwMediaMode: DWORD, Caller;
        20 dwCallParamFlags: DWORD, Caller;
        24 dwAddressMode: DWORD, Caller;
        28 dwAddressID: DWORD, Caller;
        32 DialParams: LINEDIALPARAMS, Caller;
        48 dwOrigAddress: ITEM, Caller;
        56 dwDisplayableAddress: ITEM, Caller;
        64 dwCalledParty: ITEM, Caller;
        72 dwComment: ITEM, Caller;
        80 dwUserUserInfo: ITEM, Caller;
        88 dwHighLevelComp: ITEM, Caller;
        96 dwLowLevelComp: ITEM, Caller;
        104 dwDevSpecific: ITEM, Caller;
        112 dwPredictiveAutoTransferStates: DWORD, Caller;
        116 dwTargetAddress: ITEM, Caller;
        124 dwSendingFlowspec: ITEM, Caller;
        132 dwReceivingFlowspec: ITEM, Caller;
        140 dwDeviceClass: ITEM, Caller;
        148 dwDeviceConfig: ITEM, Caller;
        156 dwCallData: ITEM, Caller;
        164 dwNoAnswerTimeout: DWORD, Caller;
        168 dwCallingPartyID: ITEM, Caller;
        176 dwAddressType: DWORD, Caller;
    ]
}
