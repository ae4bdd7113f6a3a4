//! What a phone can do, how it is, and what its buttons are for.

use super::layout::structure;

structure! {
    /// Capabilities of a phone (TSPI_phoneGetDevCaps).
    PHONECAPS: Returned {V1_3: 144, V2_0: 180, V2_2: 196} [
        0 dwTotalSize: HEADER, Tapi;
        4 dwNeededSize: HEADER, Provider;
        8 dwUsedSize: HEADER, Provider;
        12 dwProviderInfo: ITEM, Provider;
        20 dwPhoneInfo: ITEM, Provider;
        28 dwPermanentPhoneID: DWORD, Provider;
        32 dwPhoneName: ITEM, Provider;
        40 dwStringFormat: DWORD, Provider;
        44 dwPhoneStates: DWORD, Provider;
        48 dwHookSwitchDevs: DWORD, Provider;
        52 dwHandsetHookSwitchModes: DWORD, Provider;
        56 dwSpeakerHookSwitchModes: DWORD, Provider;
        60 dwHeadsetHookSwitchModes: DWORD, Provider;
        64 dwVolumeFlags: DWORD, Provider;
        68 dwGainFlags: DWORD, Provider;
        72 dwDisplayNumRows: DWORD, Provider;
        76 dwDisplayNumColumns: DWORD, Provider;
        80 dwNumRingModes: DWORD, Provider;
        84 dwNumButtonLamps: DWORD, Provider;
        88 dwButtonModes: ITEM, Provider;
        96 dwButtonFunctions: ITEM, Provider;
        104 dwLampModes: ITEM, Provider;
        112 dwNumSetData: DWORD, Provider;
        116 dwSetData: ITEM, Provider;
        124 dwNumGetData: DWORD, Provider;
        128 dwGetData: ITEM, Provider;
        136 dwDevSpecific: ITEM, Provider;
        144 dwDeviceClasses: ITEM, Provider;
        152 dwPhoneFeatures: DWORD, Provider;
        156 dwSettableHandsetHookSwitchModes: DWORD, Provider;
        160 dwSettableSpeakerHookSwitchModes: DWORD, Provider;
        164 dwSettableHeadsetHookSwitchModes: DWORD, Provider;
        168 dwMonitoredHandsetHookSwitchModes: DWORD, Provider;
        172 dwMonitoredSpeakerHookSwitchModes: DWORD, Provider;
        176 dwMonitoredHeadsetHookSwitchModes: DWORD, Provider;
        180 PermanentPhoneGuid: GUID, Provider;
    ]
}

structure! {
    /// Status of an open phone (TSPI_phoneGetStatus).
    PHONESTATUS: Returned {V1_3: 100, V2_0: 104} [
        0 dwTotalSize: HEADER, Tapi;
        4 dwNeededSize: HEADER, Provider;
        8 dwUsedSize: HEADER, Provider;
        12 dwStatusFlags: DWORD, Provider;
        16 dwNumOwners: DWORD, Tapi;
        20 dwNumMonitors: DWORD, Tapi;
        24 dwRingMode: DWORD, Provider;
        28 dwRingVolume: DWORD, Provider;
        32 dwHandsetHookSwitchMode: DWORD, Provider;
        36 dwHandsetVolume: DWORD, Provider;
        40 dwHandsetGain: DWORD, Provider;
        44 dwSpeakerHookSwitchMode: DWORD, Provider;
        48 dwSpeakerVolume: DWORD, Provider;
        52 dwSpeakerGain: DWORD, Provider;
        56 dwHeadsetHookSwitchMode: DWORD, Provider;
        60 dwHeadsetVolume: DWORD, Provider;
        64 dwHeadsetGain: DWORD, Provider;
        68 dwDisplay: ITEM, Provider;
        76 dwLampModes: ITEM, Provider;
        84 dwOwnerName: ITEM, Tapi;
        92 dwDevSpecific: ITEM, Provider;
        100 dwPhoneFeatures: DWORD, Provider;
    ]
}

structure! {
    /// A button of a phone (TSPI_phoneGetButtonInfo, TSPI_phoneSetButtonInfo).
    PHONEBUTTONINFO: Returned {V1_3: 40} [
        0 dwTotalSize: HEADER, Tapi;
        4 dwNeededSize: HEADER, Provider;
        8 dwUsedSize: HEADER, Provider;
        12 dwButtonMode: DWORD, Provider;
        16 dwButtonFunction: DWORD, Provider;
        20 dwButtonText: ITEM, Provider;
        28 dwDevSpecific: ITEM, Provider;
        36 dwButtonState: DWORD, Provider;
    ]
}
