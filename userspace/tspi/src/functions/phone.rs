//! The phone functions, nine of them asynchronous.

use super::table::functions;
use super::*;

/// The phone functions, a row each.
#[doc(hidden)]
#[macro_export]
macro_rules! phone_rows {
    ($($then:tt)*) => { $crate::take_rows! { [$($then)*] Phone PhoneError
        /// Closes the phone after it has completed or aborted its asynchronous operations.
        phone_close TSPI_phoneClose Sync Supplementary
            (phone: Phone(hdPhone))
            [not stated] (INVALPHONEHANDLE OPERATIONFAILED NOMEM OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Shows the dialog of a phone device. It is obsolete: only TSPI 1.x has it, the 2.x header
        /// does not, and TUISPI_phoneConfigDialog replaces it.
        phone_config_dialog TSPI_phoneConfigDialog Sync Obsolete
            (device_id: DeviceId(dwDeviceID), owner: Window(hwndOwner),
             device_class: NarrowClass(lpszDeviceClass))
            [not stated] (BADDEVICEID NOMEM INUSE OPERATIONFAILED INVALPARAM OPERATIONUNAVAIL
                INVALDEVICECLASS RESOURCEUNAVAIL);
        /// Carries a vendor's own function to a phone. The provider's answers come by
        /// PHONE_DEVSPECIFIC.
        phone_dev_specific TSPI_phoneDevSpecific Async Extended
            (request: Request(dwRequestID), phone: Phone(hdPhone),
             params: Params(lpParams, dwSize))
            [not stated] (INVALPHONEHANDLE OPERATIONUNAVAIL INVALPOINTER NOMEM OPERATIONFAILED
                RESOURCEUNAVAIL);
        /// Returns mode, function and text of a button. NOMEM is also the error if the memory with
        /// the data can't be reached.
        phone_get_button_info TSPI_phoneGetButtonInfo Sync Supplementary
            (phone: Phone(hdPhone), button_lamp_id: Number(dwButtonLampID),
             button_info: [Filled PHONEBUTTONINFO](lpButtonInfo))
            [not stated] (INVALPHONEHANDLE OPERATIONFAILED INVALBUTTONLAMPID OPERATIONUNAVAIL
                INVALPHONESTATE RESOURCEUNAVAIL NOMEM);
        /// Uploads at most dwSize bytes of a data area of the phone; a dwSize of 0 copies nothing.
        /// It is synchronous, so the caller waits for the phone.
        phone_get_data TSPI_phoneGetData Sync Supplementary
            (phone: Phone(hdPhone), data_id: Number(dwDataID), data: Block(lpData, dwSize))
            [not stated] (INVALPHONEHANDLE OPERATIONFAILED INVALPHONESTATE OPERATIONUNAVAIL
                INVALDATAID RESOURCEUNAVAIL);
        /// Fills PHONECAPS. Afterwards TAPI adds OWNER, MONITORS and REINIT to dwPhoneStates.
        phone_get_dev_caps TSPI_phoneGetDevCaps Sync Supplementary
            (device_id: DeviceId(dwDeviceID), version: Version(dwTSPIVersion),
             ext_version: Number(dwExtVersion), caps: [Filled PHONECAPS](lpPhoneCaps))
            [not stated] (INCOMPATIBLEAPIVERSION RESOURCEUNAVAIL INCOMPATIBLEEXTVERSION
                OPERATIONFAILED NODRIVER OPERATIONUNAVAIL NOMEM);
        /// Returns what the display shows, in a VARSTRING.
        phone_get_display TSPI_phoneGetDisplay Sync Supplementary
            (phone: Phone(hdPhone), display: [Filled VARSTRING](lpDisplay))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// Returns the 128-bit id of the vendor's extensions; all zero says that there are none.
        phone_get_extension_id TSPI_phoneGetExtensionID Sync Extended
            (device_id: DeviceId(dwDeviceID), version: Version(dwTSPIVersion),
             extension_id: [ExtensionOut PHONEEXTENSIONID](lpExtensionID))
            [not stated] (INCOMPATIBLEAPIVERSION RESOURCEUNAVAIL NODRIVER OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// Returns the gain of a hookswitch device's microphone, 0 to 0xFFFF.
        phone_get_gain TSPI_phoneGetGain Sync Supplementary
            (phone: Phone(hdPhone), hook_switch_dev: Number(dwHookSwitchDev),
             gain: NumberOut(lpdwGain))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED
                INVALHOOKSWITCHDEV OPERATIONUNAVAIL NOMEM);
        /// Returns which hookswitch devices are off-hook. A device's bit is set if its microphone,
        /// its speaker or both are off-hook.
        phone_get_hook_switch TSPI_phoneGetHookSwitch Sync Supplementary
            (phone: Phone(hdPhone), hook_switch_devs: NumberOut(lpdwHookSwitchDevs))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// Returns an icon. It may be left out: if it is not exported or the icon is NULL, TAPI
        /// takes a generic one.
        phone_get_icon TSPI_phoneGetIcon Sync Supplementary
            (device_id: DeviceId(dwDeviceID), device_class: DeviceClass(lpszDeviceClass),
             icon: IconOut(lphIcon))
            [not stated] (INVALDEVICECLASS OPERATIONFAILED NOMEM OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Returns the id of a device of a class that belongs to the phone. It may duplicate a
        /// handle into hTargetProcess. TAPI itself answers for "tapi/line" and "tapi/phone".
        phone_get_id TSPI_phoneGetID Sync Supplementary
            (phone: Phone(hdPhone), device_id: [Filled VARSTRING](lpDeviceID),
             device_class: DeviceClass(lpszDeviceClass), target_process: Foreign(hTargetProcess))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALDEVICECLASS OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// Returns the mode of a lamp (PHONELAMPMODE).
        phone_get_lamp TSPI_phoneGetLamp Sync Supplementary
            (phone: Phone(hdPhone), button_lamp_id: Number(dwButtonLampID),
             lamp_mode: NumberOut(lpdwLampMode))
            [not stated] (INVALBUTTONLAMPID RESOURCEUNAVAIL INVALPHONEHANDLE OPERATIONFAILED
                INVALPHONESTATE OPERATIONUNAVAIL NOMEM);
        /// Returns the ring mode, 0 for a phone that does not ring, and the volume, 0 to 0xFFFF.
        phone_get_ring TSPI_phoneGetRing Sync Supplementary
            (phone: Phone(hdPhone), ring_mode: NumberOut(lpdwRingMode),
             volume: NumberOut(lpdwVolume))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// Fills PHONESTATUS. TAPI owns dwNumOwners, dwNumMonitors and the owner's name.
        phone_get_status TSPI_phoneGetStatus Sync Supplementary
            (phone: Phone(hdPhone), status: [Filled PHONESTATUS](lpPhoneStatus))
            [not stated] (INVALPHONEHANDLE OPERATIONFAILED NOMEM OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Returns the volume of a hookswitch device's speaker, 0 to 0xFFFF.
        phone_get_volume TSPI_phoneGetVolume Sync Supplementary
            (phone: Phone(hdPhone), hook_switch_dev: Number(dwHookSwitchDev),
             volume: NumberOut(lpdwVolume))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED
                INVALHOOKSWITCHDEV OPERATIONUNAVAIL NOMEM);
        /// Negotiates a version of the vendor's extensions for a phone, as lineNegotiateExtVersion
        /// does for a line.
        phone_negotiate_ext_version TSPI_phoneNegotiateExtVersion Sync Extended
            (device_id: DeviceId(dwDeviceID), version: Version(dwTSPIVersion),
             low: Number(dwLowVersion), high: Number(dwHighVersion),
             ext_version: NumberOut(lpdwExtVersion))
            [not stated] (INCOMPATIBLEAPIVERSION RESOURCEUNAVAIL INCOMPATIBLEEXTVERSION
                OPERATIONFAILED NODRIVER OPERATIONUNAVAIL NOMEM);
        /// Negotiates a version of TSPI for a phone, as lineNegotiateTSPIVersion does for a line.
        /// INITIALIZE_NEGOTIATION is never passed here. A provider with phones must have it and
        /// must not answer OPERATIONUNAVAIL; the reference's list of basic functions names it
        /// without that condition.
        phone_negotiate_tspi_version TSPI_phoneNegotiateTSPIVersion Sync Basic
            (device_id: DeviceId(dwDeviceID), low: Number(dwLowVersion),
             high: Number(dwHighVersion), version: VersionOut(lpdwTSPIVersion))
            [not stated] (INCOMPATIBLEAPIVERSION RESOURCEUNAVAIL NODRIVER OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// Opens the phone: both sides exchange handles, and the provider reserves what the phone
        /// needs.
        phone_open TSPI_phoneOpen Sync Supplementary
            (device_id: DeviceId(dwDeviceID), phone: [New HTAPIPHONE HDRVPHONE](htPhone, lphdPhone),
             version: Version(dwTSPIVersion), event_proc: PhoneEvents(lpfnEventProc))
            [not stated] (ALLOCATED NOMEM INCOMPATIBLEAPIVERSION RESOURCEUNAVAIL NODRIVER
                OPERATIONFAILED INUSE OPERATIONUNAVAIL INIFILECORRUPT);
        /// Selects a version of the vendor's extensions for the phone; 0 cancels the selection.
        phone_select_ext_version TSPI_phoneSelectExtVersion Sync Extended
            (phone: Phone(hdPhone), ext_version: Number(dwExtVersion))
            [not stated] (INCOMPATIBLEEXTVERSION OPERATIONFAILED NOMEM OPERATIONUNAVAIL
                RESOURCEUNAVAIL);
        /// Sets mode, function and text of a button.
        phone_set_button_info TSPI_phoneSetButtonInfo Async Supplementary
            (request: Request(dwRequestID), phone: Phone(hdPhone),
             button_lamp_id: Number(dwButtonLampID),
             button_info: [Given PHONEBUTTONINFO](lpButtonInfo))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALBUTTONLAMPID OPERATIONFAILED NOMEM
                OPERATIONUNAVAIL);
        /// Downloads at most dwSize bytes to a data area of the phone, which may act as a command.
        phone_set_data TSPI_phoneSetData Async Supplementary
            (request: Request(dwRequestID), phone: Phone(hdPhone), data_id: Number(dwDataID),
             data: Config(lpData, dwSize))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALDATAID OPERATIONFAILED
                INVALPHONESTATE OPERATIONUNAVAIL NOMEM);
        /// Writes text over what the display shows, from a row and a column that count from 0. Text
        /// that is too long is cut off, which is no error.
        phone_set_display TSPI_phoneSetDisplay Async Supplementary
            (request: Request(dwRequestID), phone: Phone(hdPhone), row: Number(dwRow),
             column: Number(dwColumn), display: SizedText(lpsDisplay, dwSize))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED
                INVALPARAM OPERATIONUNAVAIL NOMEM);
        /// Sets the gain of a hookswitch device's microphone, 0 to 0xFFFF. TAPI has brought the
        /// value into that range.
        phone_set_gain TSPI_phoneSetGain Async Supplementary
            (request: Request(dwRequestID), phone: Phone(hdPhone),
             hook_switch_dev: Number(dwHookSwitchDev), gain: Number(dwGain))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED
                INVALHOOKSWITCHDEV OPERATIONUNAVAIL NOMEM);
        /// Sets the hook mode of the devices whose bits are set. PHONE_STATE follows.
        phone_set_hook_switch TSPI_phoneSetHookSwitch Async Supplementary
            (request: Request(dwRequestID), phone: Phone(hdPhone),
             hook_switch_devs: Number(dwHookSwitchDevs),
             hook_switch_mode: Number(dwHookSwitchMode))
            [not stated] (INVALPHONEHANDLE NOMEM INVALHOOKSWITCHDEV RESOURCEUNAVAIL
                INVALHOOKSWITCHMODE OPERATIONFAILED INVALPHONESTATE OPERATIONUNAVAIL);
        /// Sets the mode of a lamp (PHONELAMPMODE).
        phone_set_lamp TSPI_phoneSetLamp Async Supplementary
            (request: Request(dwRequestID), phone: Phone(hdPhone),
             button_lamp_id: Number(dwButtonLampID), lamp_mode: Number(dwLampMode))
            [not stated] (INVALPHONEHANDLE NOMEM INVALBUTTONLAMPID RESOURCEUNAVAIL INVALPHONESTATE
                OPERATIONFAILED INVALLAMPMODE OPERATIONUNAVAIL);
        /// Sets the ring mode, 0 (silence) to dwNumRingModes, and the volume, which TAPI has
        /// brought into its range.
        phone_set_ring TSPI_phoneSetRing Async Supplementary
            (request: Request(dwRequestID), phone: Phone(hdPhone), ring_mode: Number(dwRingMode),
             volume: Number(dwVolume))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED
                INVALRINGMODE OPERATIONUNAVAIL NOMEM);
        /// Sets which `PHONESTATE_` changes, button modes and button states the provider reports at
        /// least; those that it does not support it accepts silently. At first all are off except
        /// PHONESTATE_REINIT. Button modes other than 0 need button states other than 0.
        phone_set_status_messages TSPI_phoneSetStatusMessages Sync Supplementary
            (phone: Phone(hdPhone), phone_states: Number(dwPhoneStates),
             button_modes: Number(dwButtonModes), button_states: Number(dwButtonStates))
            [not stated] (INVALPHONEHANDLE NOMEM INVALPHONESTATE RESOURCEUNAVAIL INVALBUTTONMODE
                OPERATIONFAILED INVALBUTTONSTATE OPERATIONUNAVAIL);
        /// Sets the volume of a hookswitch device's speaker, 0 to 0xFFFF. TAPI has brought the
        /// value into that range.
        phone_set_volume TSPI_phoneSetVolume Async Supplementary
            (request: Request(dwRequestID), phone: Phone(hdPhone),
             hook_switch_dev: Number(dwHookSwitchDev), volume: Number(dwVolume))
            [not stated] (INVALPHONEHANDLE RESOURCEUNAVAIL INVALPHONESTATE OPERATIONFAILED
                INVALHOOKSWITCHDEV OPERATIONUNAVAIL NOMEM);
    } };
}
phone_rows! { functions, { PHONE }, {}, }
