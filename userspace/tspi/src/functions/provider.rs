//! The functions of the provider as a whole, and those of its dialogs.

use super::table::functions;
use super::*;

/// The two functions that begin a provider's work. Their Rust methods are written by hand, because
/// the callbacks of C become a [`Tapi`](crate::provider::Tapi).
#[doc(hidden)]
#[macro_export]
macro_rules! start_rows {
    ($($then:tt)*) => { $crate::take_rows! { [$($then)*] Provider LineError
        /// Before providerInit: number of lines/phones; gives hProvider and create-callbacks.
        /// Mandatory from TSPI 2.0.
        provider_enum_devices TSPI_providerEnumDevices Sync Mandatory
            (permanent_provider_id: Number(dwPermanentProviderID),
             num_lines: NumberOut(lpdwNumLines), num_phones: NumberOut(lpdwNumPhones),
             provider: Creator(hProvider), line_create_proc: LineEvents(lpfnLineCreateProc),
             phone_create_proc: PhoneEvents(lpfnPhoneCreateProc))
            [not stated] (NOMEM OPERATIONFAILED);
        /// Start the provider: version, provider id, device-id bases, counts, completion procedure,
        /// options out.
        provider_init TSPI_providerInit Sync Basic
            (version: Version(dwTSPIVersion),
             permanent_provider_id: Number(dwPermanentProviderID),
             line_device_id_base: Number(dwLineDeviceIDBase),
             phone_device_id_base: Number(dwPhoneDeviceIDBase), num_lines: Word(dwNumLines),
             num_phones: Word(dwNumPhones), completion_proc: Completions(lpfnCompletionProc),
             options: NumberOut(lpdwTSPIOptions))
            [not stated] (INCOMPATIBLEAPIVERSION OPERATIONFAILED NOMEM RESOURCEUNAVAIL
                INIFILECORRUPT NOMULTIPLEINSTANCE);
    } };
}
start_rows! { functions, { START }, {}, }

/// The other provider functions, a row each.
#[doc(hidden)]
#[macro_export]
macro_rules! provider_rows {
    ($($then:tt)*) => { $crate::take_rows! { [$($then)*] Provider LineError
        /// Obsolete from 2.0 (export only marks "configurable"); TUISPI_providerConfig does it;
        /// legal between init and shutdown, effect at next init.
        provider_config TSPI_providerConfig Sync Obsolete
            (owner: Window(hwndOwner), permanent_provider_id: Number(dwPermanentProviderID))
            [not stated] (OPERATIONFAILED NOMEM);
        /// Answer to LINE_CREATE: bind temp id to new device id (ids become non-contiguous).
        provider_create_line_device TSPI_providerCreateLineDevice Sync Supplementary
            (temp_id: Word(dwTempID), device_id: DeviceId(dwDeviceID))
            [not stated] (BADDEVICEID NOMEM OPERATIONFAILED);
        /// Answer to PHONE_CREATE: bind temp id to new device id.
        provider_create_phone_device TSPI_providerCreatePhoneDevice Sync Supplementary
            (temp_id: Word(dwTempID), device_id: DeviceId(dwDeviceID))
            [not stated] (BADDEVICEID NOMEM OPERATIONFAILED);
        /// UI thread ended (or app died): forget the dialog instance, send no more data to it.
        /// Needed only with LINE_CREATEDIALOGINSTANCE.
        provider_free_dialog_instance TSPI_providerFreeDialogInstance Sync UserInterface
            (dialog: Dialog(hdDlgInst))
            [not stated] (INVALPARAM NOMEM OPERATIONFAILED);
        /// Data from the UI DLL (object type `TUISPIDLL_OBJECT_`); provider may change the block,
        /// TAPI copies it back. Mandatory if the UI DLL uses TUISPIDLLCALLBACK.
        provider_generic_dialog_data TSPI_providerGenericDialogData Sync UserInterface
            (object_id: Word(dwObjectID), object_type: Number(dwObjectType),
             params: Block(lpParams, dwSize))
            [not stated] (INVALPARAM NOMEM OPERATIONFAILED);
        /// Obsolete from 2.0 (export marks "installable"); TUISPI_providerInstall does it.
        provider_install TSPI_providerInstall Sync Obsolete
            (owner: Window(hwndOwner), permanent_provider_id: Number(dwPermanentProviderID))
            [not stated] (OPERATIONFAILED INIFILECORRUPT NOMEM INVALPARAM);
        /// Obsolete from 2.0; TUISPI_providerRemove does it.
        provider_remove TSPI_providerRemove Sync Obsolete
            (owner: Window(hwndOwner), permanent_provider_id: Number(dwPermanentProviderID))
            [not stated] (OPERATIONFAILED INIFILECORRUPT NOMEM INVALPARAM);
        /// End the provider's work.
        ///
        /// What is outstanding fails with OPERATIONFAILED, and nothing is told afterwards (D12).
        provider_shutdown TSPI_providerShutdown Sync Basic
            (version: Version(dwTSPIVersion), permanent_provider_id: Number(dwPermanentProviderID))
            [not stated] (INCOMPATIBLEAPIVERSION NOMEM);
        /// Full path of the UI DLL into a buffer of at least MAX_PATH; mandatory if any UI function
        /// exists; should not fail.
        provider_ui_identify TSPI_providerUIIdentify Sync UserInterface
            (path: PathOut(lpszUIDLLName))
            [not stated] (NOMEM OPERATIONFAILED);
    } };
}
provider_rows! { functions, { PROVIDER }, {}, }

/// The dialogs of lines and of the provider, a row each.
#[doc(hidden)]
#[macro_export]
macro_rules! ui_line_rows {
    ($($then:tt)*) => { $crate::take_rows! { [$($then)*] Ui LineError
        /// Device dialog (runs in the application, synchronous); optional.
        ui_line_config_dialog TUISPI_lineConfigDialog Sync UserInterface
            (callback: UiCallback(lpfnUIDLLCallback), device_id: DeviceId(dwDeviceID),
             owner: Window(hwndOwner), device_class: DeviceClass(lpszDeviceClass))
            [not stated] (INUSE OPERATIONUNAVAIL INVALDEVICECLASS OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Device dialog on a config blob (runs in the application, synchronous); optional; not
        /// exported -> OPERATIONUNAVAIL.
        ui_line_config_dialog_edit TUISPI_lineConfigDialogEdit Sync UserInterface
            (callback: UiCallback(lpfnUIDLLCallback), device_id: DeviceId(dwDeviceID),
             owner: Window(hwndOwner), device_class: DeviceClass(lpszDeviceClass),
             device_config_in: Config(lpDeviceConfigIn, dwSize),
             device_config_out: [Filled VARSTRING](lpDeviceConfigOut))
            [not stated] (INVALDEVICECLASS OPERATIONFAILED INVALPARAM RESOURCEUNAVAIL NODRIVER
                OPERATIONUNAVAIL NOMEM);
        /// Provider dialog (runs in the application, synchronous); optional; effect at next init.
        ui_provider_config TUISPI_providerConfig Sync UserInterface
            (callback: UiCallback(lpfnUIDLLCallback), owner: Window(hwndOwner),
             permanent_provider_id: Number(dwPermanentProviderID))
            [not stated] (OPERATIONFAILED NOMEM);
        /// Spontaneous dialog; own thread; SetEvent(hEvent) when ready, data is held back until
        /// then; returns when closed. Mandatory with LINE_CREATEDIALOGINSTANCE.
        ui_provider_generic_dialog TUISPI_providerGenericDialog Sync UserInterface
            (callback: UiCallback(lpfnUIDLLCallback), dialog: TapiDialog(htDlgInst),
             params: Block(lpParams, dwSize), event: Foreign(hEvent))
            [not stated] (INVALPARAM NOMEM OPERATIONFAILED);
        /// Data from the TSP to the dialog, one-way (NULL = close, no callback during clean-up);
        /// other thread, must not block. Mandatory if providerGenericDialog is exported.
        ui_provider_generic_dialog_data TUISPI_providerGenericDialogData Sync UserInterface
            (dialog: TapiDialog(htDlgInst), params: Block(lpParams, dwSize))
            [not stated] (INVALPARAM NOMEM OPERATIONFAILED);
        /// Install (runs in the application, synchronous); optional; may come several times:
        /// NOMULTIPLEINSTANCE if not supported (named in the remarks only); must leave a consistent
        /// state.
        ui_provider_install TUISPI_providerInstall Sync UserInterface
            (callback: UiCallback(lpfnUIDLLCallback), owner: Window(hwndOwner),
             permanent_provider_id: Number(dwPermanentProviderID))
            [not stated] (OPERATIONFAILED INIFILECORRUPT NOMEM INVALPARAM);
        /// Remove (runs in the application, synchronous); optional; legal while in use; must not
        /// answer INUSE but OPERATIONFAILED after asking the user.
        ui_provider_remove TUISPI_providerRemove Sync UserInterface
            (callback: UiCallback(lpfnUIDLLCallback), owner: Window(hwndOwner),
             permanent_provider_id: Number(dwPermanentProviderID))
            [not stated] (OPERATIONFAILED INIFILECORRUPT NOMEM INVALPARAM);
    } };
}
ui_line_rows! { functions, { UI_LINE }, {}, }

/// The dialog of phones, a row each.
#[doc(hidden)]
#[macro_export]
macro_rules! ui_phone_rows {
    ($($then:tt)*) => { $crate::take_rows! { [$($then)*] Ui PhoneError
        /// Phone dialog (runs in the application, synchronous); optional.
        ui_phone_config_dialog TUISPI_phoneConfigDialog Sync UserInterface
            (callback: UiCallback(lpfnUIDLLCallback), device_id: DeviceId(dwDeviceID),
             owner: Window(hwndOwner), device_class: DeviceClass(lpszDeviceClass))
            [not stated] (BADDEVICEID NOMEM INUSE OPERATIONFAILED INVALPARAM OPERATIONUNAVAIL
                INVALDEVICECLASS RESOURCEUNAVAIL);
    } };
}
ui_phone_rows! { functions, { UI_PHONE }, {}, }
