//! What a line and an address can do: the structures a provider fills once per device.

use super::layout::structure;

structure! {
    /// Capabilities of a line device (TSPI_lineGetDevCaps). TAPI adds OPEN, CLOSE, REINIT and
    /// TRANSLATECHANGE to dwLineStates afterwards.
    LINEDEVCAPS: Returned {V1_3: 236, V1_4: 240, V2_0: 252, V2_2: 268, V3_0: 292} [
        0 dwTotalSize: HEADER, Tapi;
        4 dwNeededSize: HEADER, Provider;
        8 dwUsedSize: HEADER, Provider;
        12 dwProviderInfo: ITEM, Provider;
        20 dwSwitchInfo: ITEM, Provider;
        28 dwPermanentLineID: DWORD, Provider;
        32 dwLineName: ITEM, Provider;
        40 dwStringFormat: DWORD, Provider;
        44 dwAddressModes: DWORD, Provider;
        48 dwNumAddresses: DWORD, Provider;
        52 dwBearerModes: DWORD, Provider;
        56 dwMaxRate: DWORD, Provider;
        60 dwMediaModes: DWORD, Provider;
        64 dwGenerateToneModes: DWORD, Provider;
        68 dwGenerateToneMaxNumFreq: DWORD, Provider;
        72 dwGenerateDigitModes: DWORD, Provider;
        76 dwMonitorToneMaxNumFreq: DWORD, Provider;
        80 dwMonitorToneMaxNumEntries: DWORD, Provider;
        84 dwMonitorDigitModes: DWORD, Provider;
        88 dwGatherDigitsMinTimeout: DWORD, Provider;
        92 dwGatherDigitsMaxTimeout: DWORD, Provider;
        96 dwMedCtlDigitMaxListSize: DWORD, Provider;
        100 dwMedCtlMediaMaxListSize: DWORD, Provider;
        104 dwMedCtlToneMaxListSize: DWORD, Provider;
        108 dwMedCtlCallStateMaxListSize: DWORD, Provider;
        112 dwDevCapFlags: DWORD, Provider;
        116 dwMaxNumActiveCalls: DWORD, Provider;
        120 dwAnswerMode: DWORD, Provider;
        124 dwRingModes: DWORD, Provider;
        128 dwLineStates: DWORD, Provider;
        132 dwUUIAcceptSize: DWORD, Provider;
        136 dwUUIAnswerSize: DWORD, Provider;
        140 dwUUIMakeCallSize: DWORD, Provider;
        144 dwUUIDropSize: DWORD, Provider;
        148 dwUUISendUserUserInfoSize: DWORD, Provider;
        152 dwUUICallInfoSize: DWORD, Provider;
        156 MinDialParams: LINEDIALPARAMS, Provider;
        172 MaxDialParams: LINEDIALPARAMS, Provider;
        188 DefaultDialParams: LINEDIALPARAMS, Provider;
        204 dwNumTerminals: DWORD, Provider;
        208 dwTerminalCaps: ITEM, Provider;
        216 dwTerminalTextEntrySize: DWORD, Provider;
        220 dwTerminalText: ITEM, Provider;
        228 dwDevSpecific: ITEM, Provider;
        236 dwLineFeatures: DWORD, Provider;
        240 dwSettableDevStatus: DWORD, Provider;
        244 dwDeviceClasses: ITEM, Provider;
        252 PermanentLineGuid: GUID, Provider;
        268 dwAddressTypes: DWORD, Provider;
        272 ProtocolGuid: GUID, Provider;
        288 dwAvailableTracking: DWORD, Provider;
    ]
}

structure! {
    /// Capabilities of an address (TSPI_lineGetAddressCaps). TAPI adds the owner and monitor bits
    /// to dwCallInfoStates and UNKNOWN to dwCallStates afterwards.
    LINEADDRESSCAPS: Returned {V1_3: 176, V1_4: 180, V2_0: 228} [
        0 dwTotalSize: HEADER, Tapi;
        4 dwNeededSize: HEADER, Provider;
        8 dwUsedSize: HEADER, Provider;
        12 dwLineDeviceID: DWORD, Provider;
        16 dwAddress: ITEM, Provider;
        24 dwDevSpecific: ITEM, Provider;
        32 dwAddressSharing: DWORD, Provider;
        36 dwAddressStates: DWORD, Provider;
        40 dwCallInfoStates: DWORD, Provider;
        44 dwCallerIDFlags: DWORD, Provider;
        48 dwCalledIDFlags: DWORD, Provider;
        52 dwConnectedIDFlags: DWORD, Provider;
        56 dwRedirectionIDFlags: DWORD, Provider;
        60 dwRedirectingIDFlags: DWORD, Provider;
        64 dwCallStates: DWORD, Provider;
        68 dwDialToneModes: DWORD, Provider;
        72 dwBusyModes: DWORD, Provider;
        76 dwSpecialInfo: DWORD, Provider;
        80 dwDisconnectModes: DWORD, Provider;
        84 dwMaxNumActiveCalls: DWORD, Provider;
        88 dwMaxNumOnHoldCalls: DWORD, Provider;
        92 dwMaxNumOnHoldPendingCalls: DWORD, Provider;
        96 dwMaxNumConference: DWORD, Provider;
        100 dwMaxNumTransConf: DWORD, Provider;
        104 dwAddrCapFlags: DWORD, Provider;
        108 dwCallFeatures: DWORD, Provider;
        112 dwRemoveFromConfCaps: DWORD, Provider;
        116 dwRemoveFromConfState: DWORD, Provider;
        120 dwTransferModes: DWORD, Provider;
        124 dwParkModes: DWORD, Provider;
        128 dwForwardModes: DWORD, Provider;
        132 dwMaxForwardEntries: DWORD, Provider;
        136 dwMaxSpecificEntries: DWORD, Provider;
        140 dwMinFwdNumRings: DWORD, Provider;
        144 dwMaxFwdNumRings: DWORD, Provider;
        148 dwMaxCallCompletions: DWORD, Provider;
        152 dwCallCompletionConds: DWORD, Provider;
        156 dwCallCompletionModes: DWORD, Provider;
        160 dwNumCompletionMessages: DWORD, Provider;
        164 dwCompletionMsgTextEntrySize: DWORD, Provider;
        168 dwCompletionMsgText: ITEM, Provider;
        176 dwAddressFeatures: DWORD, Provider;
        180 dwPredictiveAutoTransferStates: DWORD, Provider;
        184 dwNumCallTreatments: DWORD, Provider;
        188 dwCallTreatmentList: ITEM, Provider;
        196 dwDeviceClasses: ITEM, Provider;
        204 dwMaxCallDataSize: DWORD, Provider;
        208 dwCallFeatures2: DWORD, Provider;
        212 dwMaxNoAnswerTimeout: DWORD, Provider;
        216 dwConnectedModes: DWORD, Provider;
        220 dwOfferingModes: DWORD, Provider;
        224 dwAvailableMediaModes: DWORD, Provider;
    ]
}
