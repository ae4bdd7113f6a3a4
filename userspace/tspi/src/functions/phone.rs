//! The phone functions, nine of them asynchronous.

use super::{Class, Errors, Function, Group, Kind, Legal, functions};
use crate::error::PhoneError;

functions! {
    /// The phone functions.
    PHONE: Phone, Phone PhoneError {
        /// Close phone after completing/aborting async operations.
        TSPI_phoneClose Sync Supplementary
            "HDRVPHONE hdPhone"
            [not stated] (INVALPHONEHANDLE OPERATIONFAILED NOMEM OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Obsolete: TSPI 1.x only, not in the 2.x header; replaced by TUISPI_phoneConfigDialog.
        TSPI_phoneConfigDialog Sync Obsolete
            "DWORD dwDeviceID, HWND hwndOwner, LPCWSTR lpszDeviceClass"
            [not stated] (BADDEVICEID NOMEM INUSE OPERATIONFAILED INVALPARAM OPERATIONUNAVAIL
                INVALDEVICECLASS RESOURCEUNAVAIL);
        /// Vendor escape; answers via PHONE_DEVSPECIFIC.
        TSPI_phoneDevSpecific Async Extended
            "DRV_REQUESTID dwRequestID, HDRVPHONE hdPhone, LPVOID lpParams, DWORD dwSize"
            [not stated] (INVALPHONEHANDLE OPERATIONUNAVAIL INVALPOINTER NOMEM OPERATIONFAILED
                RESOURCEUNAVAIL);
        /// Mode/function/text of a button; NOMEM also when the memory holding the data cannot be
        /// reached.
        TSPI_phoneGetButtonInfo Sync Supplementary
            "HDRVPHONE hdPhone, DWORD dwButtonLampID, LPPHONEBUTTONINFO lpButtonInfo"
            [not stated] (INVALPHONEHANDLE OPERATIONFAILED INVALBUTTONLAMPID OPERATIONUNAVAIL
                INVALPHONESTATE RESOURCEUNAVAIL NOMEM);
        /// Upload at most dwSize bytes of a data area (synchronous!); dwSize 0 copies nothing.
        TSPI_phoneGetData Sync Supplementary
            "HDRVPHONE hdPhone, DWORD dwDataID, LPVOID lpData, DWORD dwSize"
            [not stated] (INVALPHONEHANDLE OPERATIONFAILED INVALPHONESTATE OPERATIONUNAVAIL
                INVALDATAID RESOURCEUNAVAIL);
        /// Fill PHONECAPS; afterwards TAPI ORs OWNER, MONITORS, REINIT into dwPhoneStates.
        TSPI_phoneGetDevCaps Sync Supplementary
            "DWORD dwDeviceID, DWORD dwTSPIVersion, DWORD dwExtVersion, LPPHONECAPS lpPhoneCaps"
            [not stated] (INCOMPATIBLEAPIVERSION RESOURCEUNAVAIL INCOMPATIBLEEXTVERSION
                OPERATIONFAILED NODRIVER OPERATIONUNAVAIL NOMEM);
        /// Current display content (VARSTRING).
        TSPI_phoneGetDisplay Sync Supplementary
            "HDRVPHONE hdPhone, LPVARSTRING lpDisplay"
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// 128-bit extension id; all zero = no extensions.
        TSPI_phoneGetExtensionID Sync Extended
            "DWORD dwDeviceID, DWORD dwTSPIVersion, LPPHONEEXTENSIONID lpExtensionID"
            [not stated] (INCOMPATIBLEAPIVERSION RESOURCEUNAVAIL NODRIVER OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// Microphone gain of a hookswitch device (0..0xFFFF).
        TSPI_phoneGetGain Sync Supplementary
            "HDRVPHONE hdPhone, DWORD dwHookSwitchDev, LPDWORD lpdwGain"
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED
                INVALHOOKSWITCHDEV OPERATIONUNAVAIL NOMEM);
        /// Which hookswitch devices are off-hook (bit set = microphone and/or speaker off-hook).
        TSPI_phoneGetHookSwitch Sync Supplementary
            "HDRVPHONE hdPhone, LPDWORD lpdwHookSwitchDevs"
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// Icon; may be left out, NULL or missing export -> TAPI uses a generic icon.
        TSPI_phoneGetIcon Sync Supplementary
            "DWORD dwDeviceID, LPCWSTR lpszDeviceClass, LPHICON lphIcon"
            [not stated] (INVALDEVICECLASS OPERATIONFAILED NOMEM OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Device id of a class for the phone; may duplicate a handle into hTargetProcess;
        /// "tapi/line" and "tapi/phone" are handled by TAPI.
        TSPI_phoneGetID Sync Supplementary
            "HDRVPHONE hdPhone, LPVARSTRING lpDeviceID, LPCWSTR lpszDeviceClass, HANDLE \
             hTargetProcess"
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALDEVICECLASS OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// Lamp mode.
        TSPI_phoneGetLamp Sync Supplementary
            "HDRVPHONE hdPhone, DWORD dwButtonLampID, LPDWORD lpdwLampMode"
            [not stated] (INVALBUTTONLAMPID RESOURCEUNAVAIL INVALPHONEHANDLE OPERATIONFAILED
                INVALPHONESTATE OPERATIONUNAVAIL NOMEM);
        /// Ring mode (0 = not ringing) and volume (0..0xFFFF).
        TSPI_phoneGetRing Sync Supplementary
            "HDRVPHONE hdPhone, LPDWORD lpdwRingMode, LPDWORD lpdwVolume"
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// Fill PHONESTATUS; TAPI owns dwNumOwners, dwNumMonitors, owner name.
        TSPI_phoneGetStatus Sync Supplementary
            "HDRVPHONE hdPhone, LPPHONESTATUS lpPhoneStatus"
            [not stated] (INVALPHONEHANDLE OPERATIONFAILED NOMEM OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Speaker volume (0..0xFFFF).
        TSPI_phoneGetVolume Sync Supplementary
            "HDRVPHONE hdPhone, DWORD dwHookSwitchDev, LPDWORD lpdwVolume"
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED
                INVALHOOKSWITCHDEV OPERATIONUNAVAIL NOMEM);
        /// As line.
        TSPI_phoneNegotiateExtVersion Sync Extended
            "DWORD dwDeviceID, DWORD dwTSPIVersion, DWORD dwLowVersion, DWORD dwHighVersion, \
             LPDWORD lpdwExtVersion"
            [not stated] (INCOMPATIBLEAPIVERSION RESOURCEUNAVAIL INCOMPATIBLEEXTVERSION
                OPERATIONFAILED NODRIVER OPERATIONUNAVAIL NOMEM);
        /// As line; INITIALIZE_NEGOTIATION never passed here; a provider with phones must support
        /// it and must not answer OPERATIONUNAVAIL (Basic list names it without that condition).
        TSPI_phoneNegotiateTSPIVersion Sync Basic
            "DWORD dwDeviceID, DWORD dwLowVersion, DWORD dwHighVersion, LPDWORD lpdwTSPIVersion"
            [not stated] (INCOMPATIBLEAPIVERSION RESOURCEUNAVAIL NODRIVER OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// Open phone, exchange handles, reserve resources.
        TSPI_phoneOpen Sync Supplementary
            "DWORD dwDeviceID, HTAPIPHONE htPhone, LPHDRVPHONE lphdPhone, DWORD dwTSPIVersion, \
             PHONEEVENT lpfnEventProc"
            [not stated] (ALLOCATED NOMEM INCOMPATIBLEAPIVERSION RESOURCEUNAVAIL NODRIVER
                OPERATIONFAILED INUSE OPERATIONUNAVAIL INIFILECORRUPT);
        /// As line; 0 cancels.
        TSPI_phoneSelectExtVersion Sync Extended
            "HDRVPHONE hdPhone, DWORD dwExtVersion"
            [not stated] (INCOMPATIBLEEXTVERSION OPERATIONFAILED NOMEM OPERATIONUNAVAIL
                RESOURCEUNAVAIL);
        /// Set mode/function/text of a button.
        TSPI_phoneSetButtonInfo Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVPHONE hdPhone, DWORD dwButtonLampID, \
             LPPHONEBUTTONINFO const lpButtonInfo"
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALBUTTONLAMPID OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// Download at most dwSize bytes to a data area; may act as a command to the phone.
        TSPI_phoneSetData Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVPHONE hdPhone, DWORD dwDataID, LPVOID const lpData, \
             DWORD dwSize"
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALDATAID OPERATIONFAILED
                INVALPHONESTATE OPERATIONUNAVAIL NOMEM);
        /// Write text at row/column (zero-based); overwrites; too long is truncated, no error.
        TSPI_phoneSetDisplay Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVPHONE hdPhone, DWORD dwRow, DWORD dwColumn, LPCWSTR \
             lpsDisplay, DWORD dwSize"
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED
                INVALPARAM OPERATIONUNAVAIL NOMEM);
        /// Microphone gain 0..0xFFFF (TAPI clamps out-of-range values before the call).
        TSPI_phoneSetGain Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVPHONE hdPhone, DWORD dwHookSwitchDev, DWORD dwGain"
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED
                INVALHOOKSWITCHDEV OPERATIONUNAVAIL NOMEM);
        /// Hook mode of the listed devices; PHONE_STATE follows.
        TSPI_phoneSetHookSwitch Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVPHONE hdPhone, DWORD dwHookSwitchDevs, DWORD \
             dwHookSwitchMode"
            [not stated] (INVALPHONEHANDLE NOMEM INVALHOOKSWITCHDEV RESOURCEUNAVAIL
                INVALHOOKSWITCHMODE OPERATIONFAILED INVALPHONESTATE OPERATIONUNAVAIL);
        /// Lamp mode.
        TSPI_phoneSetLamp Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVPHONE hdPhone, DWORD dwButtonLampID, DWORD dwLampMode"
            [not stated] (INVALPHONEHANDLE NOMEM INVALBUTTONLAMPID RESOURCEUNAVAIL INVALPHONESTATE
                OPERATIONFAILED INVALLAMPMODE OPERATIONUNAVAIL);
        /// Ring mode 0..dwNumRingModes (0 = silence) and volume (TAPI clamps the volume).
        TSPI_phoneSetRing Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVPHONE hdPhone, DWORD dwRingMode, DWORD dwVolume"
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED
                INVALRINGMODE OPERATIONUNAVAIL NOMEM);
        /// Which `PHONESTATE_`, button modes/states to report (at least these; unsupported ones
        /// accepted silently); all off by default except PHONESTATE_REINIT; button modes ≠ 0 needs
        /// button states ≠ 0.
        TSPI_phoneSetStatusMessages Sync Supplementary
            "HDRVPHONE hdPhone, DWORD dwPhoneStates, DWORD dwButtonModes, DWORD dwButtonStates"
            [not stated] (INVALPHONEHANDLE NOMEM INVALPHONESTATE RESOURCEUNAVAIL INVALBUTTONMODE
                OPERATIONFAILED INVALBUTTONSTATE OPERATIONUNAVAIL);
        /// Speaker volume 0..0xFFFF (TAPI clamps).
        TSPI_phoneSetVolume Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVPHONE hdPhone, DWORD dwHookSwitchDev, DWORD dwVolume"
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED
                INVALHOOKSWITCHDEV OPERATIONUNAVAIL NOMEM);
    }
}
