//! The phone functions, nine of them asynchronous.

use super::table::functions;
use super::*;

/// The phone functions, a row each.
#[doc(hidden)]
#[macro_export]
macro_rules! phone_rows {
    ($($then:tt)*) => { $crate::take_rows! { [$($then)*] Phone PhoneError
        /// Close phone after completing/aborting async operations.
        phone_close TSPI_phoneClose Sync Supplementary
            (phone: Phone(hdPhone))
            [not stated] (INVALPHONEHANDLE OPERATIONFAILED NOMEM OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Obsolete: TSPI 1.x only, not in the 2.x header; replaced by TUISPI_phoneConfigDialog.
        phone_config_dialog TSPI_phoneConfigDialog Sync Obsolete
            (device_id: DeviceId(dwDeviceID), owner: Window(hwndOwner),
             device_class: NarrowClass(lpszDeviceClass))
            [not stated] (BADDEVICEID NOMEM INUSE OPERATIONFAILED INVALPARAM OPERATIONUNAVAIL
                INVALDEVICECLASS RESOURCEUNAVAIL);
        /// Vendor escape; answers via PHONE_DEVSPECIFIC.
        phone_dev_specific TSPI_phoneDevSpecific Async Extended
            (request: Request(dwRequestID), phone: Phone(hdPhone),
             params: Params(lpParams, dwSize))
            [not stated] (INVALPHONEHANDLE OPERATIONUNAVAIL INVALPOINTER NOMEM OPERATIONFAILED
                RESOURCEUNAVAIL);
        /// Mode/function/text of a button; NOMEM also when the memory holding the data cannot be
        /// reached.
        phone_get_button_info TSPI_phoneGetButtonInfo Sync Supplementary
            (phone: Phone(hdPhone), button_lamp_id: Number(dwButtonLampID),
             button_info: [Filled PHONEBUTTONINFO](lpButtonInfo))
            [not stated] (INVALPHONEHANDLE OPERATIONFAILED INVALBUTTONLAMPID OPERATIONUNAVAIL
                INVALPHONESTATE RESOURCEUNAVAIL NOMEM);
        /// Upload at most dwSize bytes of a data area (synchronous!); dwSize 0 copies nothing.
        phone_get_data TSPI_phoneGetData Sync Supplementary
            (phone: Phone(hdPhone), data_id: Number(dwDataID), data: Block(lpData, dwSize))
            [not stated] (INVALPHONEHANDLE OPERATIONFAILED INVALPHONESTATE OPERATIONUNAVAIL
                INVALDATAID RESOURCEUNAVAIL);
        /// Fill PHONECAPS; afterwards TAPI ORs OWNER, MONITORS, REINIT into dwPhoneStates.
        phone_get_dev_caps TSPI_phoneGetDevCaps Sync Supplementary
            (device_id: DeviceId(dwDeviceID), version: Version(dwTSPIVersion),
             ext_version: Number(dwExtVersion), caps: [Filled PHONECAPS](lpPhoneCaps))
            [not stated] (INCOMPATIBLEAPIVERSION RESOURCEUNAVAIL INCOMPATIBLEEXTVERSION
                OPERATIONFAILED NODRIVER OPERATIONUNAVAIL NOMEM);
        /// Current display content (VARSTRING).
        phone_get_display TSPI_phoneGetDisplay Sync Supplementary
            (phone: Phone(hdPhone), display: [Filled VARSTRING](lpDisplay))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// 128-bit extension id; all zero = no extensions.
        phone_get_extension_id TSPI_phoneGetExtensionID Sync Extended
            (device_id: DeviceId(dwDeviceID), version: Version(dwTSPIVersion),
             extension_id: [ExtensionOut PHONEEXTENSIONID](lpExtensionID))
            [not stated] (INCOMPATIBLEAPIVERSION RESOURCEUNAVAIL NODRIVER OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// Microphone gain of a hookswitch device (0..0xFFFF).
        phone_get_gain TSPI_phoneGetGain Sync Supplementary
            (phone: Phone(hdPhone), hook_switch_dev: Number(dwHookSwitchDev),
             gain: NumberOut(lpdwGain))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED
                INVALHOOKSWITCHDEV OPERATIONUNAVAIL NOMEM);
        /// Which hookswitch devices are off-hook (bit set = microphone and/or speaker off-hook).
        phone_get_hook_switch TSPI_phoneGetHookSwitch Sync Supplementary
            (phone: Phone(hdPhone), hook_switch_devs: NumberOut(lpdwHookSwitchDevs))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// Icon; may be left out, NULL or missing export -> TAPI uses a generic icon.
        phone_get_icon TSPI_phoneGetIcon Sync Supplementary
            (device_id: DeviceId(dwDeviceID), device_class: DeviceClass(lpszDeviceClass),
             icon: IconOut(lphIcon))
            [not stated] (INVALDEVICECLASS OPERATIONFAILED NOMEM OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Device id of a class for the phone; may duplicate a handle into hTargetProcess;
        /// "tapi/line" and "tapi/phone" are handled by TAPI.
        phone_get_id TSPI_phoneGetID Sync Supplementary
            (phone: Phone(hdPhone), device_id: [Filled VARSTRING](lpDeviceID),
             device_class: DeviceClass(lpszDeviceClass), target_process: Foreign(hTargetProcess))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALDEVICECLASS OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// Mode of a lamp (PHONELAMPMODE).
        phone_get_lamp TSPI_phoneGetLamp Sync Supplementary
            (phone: Phone(hdPhone), button_lamp_id: Number(dwButtonLampID),
             lamp_mode: NumberOut(lpdwLampMode))
            [not stated] (INVALBUTTONLAMPID RESOURCEUNAVAIL INVALPHONEHANDLE OPERATIONFAILED
                INVALPHONESTATE OPERATIONUNAVAIL NOMEM);
        /// Ring mode (0 = not ringing) and volume (0..0xFFFF).
        phone_get_ring TSPI_phoneGetRing Sync Supplementary
            (phone: Phone(hdPhone), ring_mode: NumberOut(lpdwRingMode),
             volume: NumberOut(lpdwVolume))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// Fill PHONESTATUS; TAPI owns dwNumOwners, dwNumMonitors, owner name.
        phone_get_status TSPI_phoneGetStatus Sync Supplementary
            (phone: Phone(hdPhone), status: [Filled PHONESTATUS](lpPhoneStatus))
            [not stated] (INVALPHONEHANDLE OPERATIONFAILED NOMEM OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Speaker volume of a hookswitch device (0..0xFFFF).
        phone_get_volume TSPI_phoneGetVolume Sync Supplementary
            (phone: Phone(hdPhone), hook_switch_dev: Number(dwHookSwitchDev),
             volume: NumberOut(lpdwVolume))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED
                INVALHOOKSWITCHDEV OPERATIONUNAVAIL NOMEM);
        /// Negotiate extension version of a phone; as for lines.
        phone_negotiate_ext_version TSPI_phoneNegotiateExtVersion Sync Extended
            (device_id: DeviceId(dwDeviceID), version: Version(dwTSPIVersion),
             low: Number(dwLowVersion), high: Number(dwHighVersion),
             ext_version: NumberOut(lpdwExtVersion))
            [not stated] (INCOMPATIBLEAPIVERSION RESOURCEUNAVAIL INCOMPATIBLEEXTVERSION
                OPERATIONFAILED NODRIVER OPERATIONUNAVAIL NOMEM);
        /// As line; INITIALIZE_NEGOTIATION never passed here; a provider with phones must support
        /// it and must not answer OPERATIONUNAVAIL (Basic list names it without that condition).
        phone_negotiate_tspi_version TSPI_phoneNegotiateTSPIVersion Sync Basic
            (device_id: DeviceId(dwDeviceID), low: Number(dwLowVersion),
             high: Number(dwHighVersion), version: VersionOut(lpdwTSPIVersion))
            [not stated] (INCOMPATIBLEAPIVERSION RESOURCEUNAVAIL NODRIVER OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// Open phone, exchange handles, reserve resources.
        phone_open TSPI_phoneOpen Sync Supplementary
            (device_id: DeviceId(dwDeviceID), phone: [New HTAPIPHONE HDRVPHONE](htPhone, lphdPhone),
             version: Version(dwTSPIVersion), event_proc: PhoneEvents(lpfnEventProc))
            [not stated] (ALLOCATED NOMEM INCOMPATIBLEAPIVERSION RESOURCEUNAVAIL NODRIVER
                OPERATIONFAILED INUSE OPERATIONUNAVAIL INIFILECORRUPT);
        /// As line; 0 cancels.
        phone_select_ext_version TSPI_phoneSelectExtVersion Sync Extended
            (phone: Phone(hdPhone), ext_version: Number(dwExtVersion))
            [not stated] (INCOMPATIBLEEXTVERSION OPERATIONFAILED NOMEM OPERATIONUNAVAIL
                RESOURCEUNAVAIL);
        /// Set mode/function/text of a button.
        phone_set_button_info TSPI_phoneSetButtonInfo Async Supplementary
            (request: Request(dwRequestID), phone: Phone(hdPhone),
             button_lamp_id: Number(dwButtonLampID),
             button_info: [Given PHONEBUTTONINFO](lpButtonInfo))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALBUTTONLAMPID OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// Download at most dwSize bytes to a data area; may act as a command to the phone.
        phone_set_data TSPI_phoneSetData Async Supplementary
            (request: Request(dwRequestID), phone: Phone(hdPhone), data_id: Number(dwDataID),
             data: Config(lpData, dwSize))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALDATAID OPERATIONFAILED
                INVALPHONESTATE OPERATIONUNAVAIL NOMEM);
        /// Write text at row/column (zero-based); overwrites; too long is truncated, no error.
        phone_set_display TSPI_phoneSetDisplay Async Supplementary
            (request: Request(dwRequestID), phone: Phone(hdPhone), row: Number(dwRow),
             column: Number(dwColumn), display: SizedText(lpsDisplay, dwSize))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED
                INVALPARAM OPERATIONUNAVAIL NOMEM);
        /// Microphone gain 0..0xFFFF (TAPI clamps out-of-range values before the call).
        phone_set_gain TSPI_phoneSetGain Async Supplementary
            (request: Request(dwRequestID), phone: Phone(hdPhone),
             hook_switch_dev: Number(dwHookSwitchDev), gain: Number(dwGain))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED
                INVALHOOKSWITCHDEV OPERATIONUNAVAIL NOMEM);
        /// Hook mode of the listed devices; PHONE_STATE follows.
        phone_set_hook_switch TSPI_phoneSetHookSwitch Async Supplementary
            (request: Request(dwRequestID), phone: Phone(hdPhone),
             hook_switch_devs: Number(dwHookSwitchDevs),
             hook_switch_mode: Number(dwHookSwitchMode))
            [not stated] (INVALPHONEHANDLE NOMEM INVALHOOKSWITCHDEV RESOURCEUNAVAIL
                INVALHOOKSWITCHMODE OPERATIONFAILED INVALPHONESTATE OPERATIONUNAVAIL);
        /// Set the mode of a lamp (PHONELAMPMODE).
        phone_set_lamp TSPI_phoneSetLamp Async Supplementary
            (request: Request(dwRequestID), phone: Phone(hdPhone),
             button_lamp_id: Number(dwButtonLampID), lamp_mode: Number(dwLampMode))
            [not stated] (INVALPHONEHANDLE NOMEM INVALBUTTONLAMPID RESOURCEUNAVAIL INVALPHONESTATE
                OPERATIONFAILED INVALLAMPMODE OPERATIONUNAVAIL);
        /// Ring mode 0..dwNumRingModes (0 = silence) and volume (TAPI clamps the volume).
        phone_set_ring TSPI_phoneSetRing Async Supplementary
            (request: Request(dwRequestID), phone: Phone(hdPhone), ring_mode: Number(dwRingMode),
             volume: Number(dwVolume))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED
                INVALRINGMODE OPERATIONUNAVAIL NOMEM);
        /// Which `PHONESTATE_`, button modes/states to report (at least these; unsupported ones
        /// accepted silently); all off by default except PHONESTATE_REINIT; button modes ≠ 0
        /// needs button states ≠ 0.
        phone_set_status_messages TSPI_phoneSetStatusMessages Sync Supplementary
            (phone: Phone(hdPhone), phone_states: Number(dwPhoneStates),
             button_modes: Number(dwButtonModes), button_states: Number(dwButtonStates))
            [not stated] (INVALPHONEHANDLE NOMEM INVALPHONESTATE RESOURCEUNAVAIL INVALBUTTONMODE
                OPERATIONFAILED INVALBUTTONSTATE OPERATIONUNAVAIL);
        /// Speaker volume 0..0xFFFF (TAPI clamps).
        phone_set_volume TSPI_phoneSetVolume Async Supplementary
            (request: Request(dwRequestID), phone: Phone(hdPhone),
             hook_switch_dev: Number(dwHookSwitchDev), volume: Number(dwVolume))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED
                INVALHOOKSWITCHDEV OPERATIONUNAVAIL NOMEM);
    } };
}
phone_rows! { functions, { PHONE }, {}, }
