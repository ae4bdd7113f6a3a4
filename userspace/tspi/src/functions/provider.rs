//! The functions of the provider as a whole, and those of its dialogs.

use super::table::functions;
use super::*;

/// The two functions that begin a provider's work. Their Rust methods are written by hand, because
/// the callbacks of C become a [`Tapi`](crate::provider::Tapi).
#[doc(hidden)]
#[macro_export]
macro_rules! start_rows {
    ($($then:tt)*) => { $crate::take_rows! { [$($then)*] Provider LineError
        /// Returns the number of lines and phones, before providerInit. The provider gets hProvider
        /// and the procedures by which it creates devices. It is mandatory from TSPI 2.0.
        provider_enum_devices TSPI_providerEnumDevices Sync Mandatory
            (permanent_provider_id: Number(dwPermanentProviderID),
             num_lines: NumberOut(lpdwNumLines), num_phones: NumberOut(lpdwNumPhones),
             provider: Creator(hProvider), line_create_proc: LineEvents(lpfnLineCreateProc),
             phone_create_proc: PhoneEvents(lpfnPhoneCreateProc))
            [not stated] (NOMEM OPERATIONFAILED);
        /// Starts the provider. It gets the TSPI version, its provider id, its first device ids,
        /// the numbers of its devices and the completion procedure, and returns its options.
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
        /// Shows the provider's dialog. It is obsolete from 2.0, where its export only says that
        /// there is a dialog, and TUISPI_providerConfig shows it. It may be called between init and
        /// shutdown; what is changed takes effect at the next init.
        provider_config TSPI_providerConfig Sync Obsolete
            (owner: Window(hwndOwner), permanent_provider_id: Number(dwPermanentProviderID))
            [not stated] (OPERATIONFAILED NOMEM);
        /// Answers LINE_CREATE: it gives the line with this temporary id its device id. So the ids
        /// of a provider are not contiguous any more.
        provider_create_line_device TSPI_providerCreateLineDevice Sync Supplementary
            (temp_id: Word(dwTempID), device_id: DeviceId(dwDeviceID))
            [not stated] (BADDEVICEID NOMEM OPERATIONFAILED);
        /// Answers PHONE_CREATE: it gives the phone with this temporary id its device id.
        provider_create_phone_device TSPI_providerCreatePhoneDevice Sync Supplementary
            (temp_id: Word(dwTempID), device_id: DeviceId(dwDeviceID))
            [not stated] (BADDEVICEID NOMEM OPERATIONFAILED);
        /// Says that the thread of a dialog has ended, or its application has. The provider forgets
        /// the dialog and sends it no more data. It is needed only with LINE_CREATEDIALOGINSTANCE.
        provider_free_dialog_instance TSPI_providerFreeDialogInstance Sync UserInterface
            (dialog: Dialog(hdDlgInst))
            [not stated] (INVALPARAM NOMEM OPERATIONFAILED);
        /// Takes data from the dialog's library for an object of the type `TUISPIDLL_OBJECT_`. The
        /// provider may change the block, which TAPI copies back. It is mandatory if the library
        /// uses TUISPIDLLCALLBACK.
        provider_generic_dialog_data TSPI_providerGenericDialogData Sync UserInterface
            (object_id: Word(dwObjectID), object_type: Number(dwObjectType),
             params: Block(lpParams, dwSize))
            [not stated] (INVALPARAM NOMEM OPERATIONFAILED);
        /// Installs the provider. It is obsolete from 2.0, where its export only says that the
        /// provider can be installed, and TUISPI_providerInstall does it.
        provider_install TSPI_providerInstall Sync Obsolete
            (owner: Window(hwndOwner), permanent_provider_id: Number(dwPermanentProviderID))
            [not stated] (OPERATIONFAILED INIFILECORRUPT NOMEM INVALPARAM);
        /// Removes the provider. It is obsolete from 2.0, where TUISPI_providerRemove does it.
        provider_remove TSPI_providerRemove Sync Obsolete
            (owner: Window(hwndOwner), permanent_provider_id: Number(dwPermanentProviderID))
            [not stated] (OPERATIONFAILED INIFILECORRUPT NOMEM INVALPARAM);
        /// Ends the provider's work.
        ///
        /// What is outstanding fails with OPERATIONFAILED; no completion or event follows (D12).
        provider_shutdown TSPI_providerShutdown Sync Basic
            (version: Version(dwTSPIVersion), permanent_provider_id: Number(dwPermanentProviderID))
            [not stated] (INCOMPATIBLEAPIVERSION NOMEM);
        /// Writes the full path of the dialog's library into a buffer of at least MAX_PATH
        /// characters. It is mandatory if there is any dialog function, and should not fail.
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
        /// Shows the dialog of a line device. It runs in the application, which waits for it, and
        /// is optional.
        ui_line_config_dialog TUISPI_lineConfigDialog Sync UserInterface
            (callback: UiCallback(lpfnUIDLLCallback), device_id: DeviceId(dwDeviceID),
             owner: Window(hwndOwner), device_class: DeviceClass(lpszDeviceClass))
            [not stated] (INUSE OPERATIONUNAVAIL INVALDEVICECLASS OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Shows a dialog that edits a block of a device's configuration. It runs in the
        /// application, which waits for it, and is optional; if it is not exported, TAPI answers
        /// OPERATIONUNAVAIL.
        ui_line_config_dialog_edit TUISPI_lineConfigDialogEdit Sync UserInterface
            (callback: UiCallback(lpfnUIDLLCallback), device_id: DeviceId(dwDeviceID),
             owner: Window(hwndOwner), device_class: DeviceClass(lpszDeviceClass),
             device_config_in: Config(lpDeviceConfigIn, dwSize),
             device_config_out: [Filled VARSTRING](lpDeviceConfigOut))
            [not stated] (INVALDEVICECLASS OPERATIONFAILED INVALPARAM RESOURCEUNAVAIL NODRIVER
                OPERATIONUNAVAIL NOMEM);
        /// Shows the provider's dialog. It runs in the application, which waits for it, and is
        /// optional. What is changed takes effect at the next init.
        ui_provider_config TUISPI_providerConfig Sync UserInterface
            (callback: UiCallback(lpfnUIDLLCallback), owner: Window(hwndOwner),
             permanent_provider_id: Number(dwPermanentProviderID))
            [not stated] (OPERATIONFAILED NOMEM);
        /// Shows a dialog that the provider has asked for, in a thread of its own. It calls
        /// SetEvent(hEvent) when it is ready, until when its data is held back, and returns when it
        /// is closed. It is mandatory with LINE_CREATEDIALOGINSTANCE.
        ui_provider_generic_dialog TUISPI_providerGenericDialog Sync UserInterface
            (callback: UiCallback(lpfnUIDLLCallback), dialog: TapiDialog(htDlgInst),
             params: Block(lpParams, dwSize), event: Foreign(hEvent))
            [not stated] (INVALPARAM NOMEM OPERATIONFAILED);
        /// Takes data that the provider sends to the dialog, one way; NULL closes the dialog, which
        /// calls back no more while it cleans up. It comes on another thread and must not block. It
        /// is mandatory if providerGenericDialog is exported.
        ui_provider_generic_dialog_data TUISPI_providerGenericDialogData Sync UserInterface
            (dialog: TapiDialog(htDlgInst), params: Block(lpParams, dwSize))
            [not stated] (INVALPARAM NOMEM OPERATIONFAILED);
        /// Installs the provider. It runs in the application, which waits for it, and is optional.
        /// It may come several times; a provider that does not support that answers
        /// NOMULTIPLEINSTANCE, which the reference names in its remarks only. It must leave a
        /// consistent state.
        ui_provider_install TUISPI_providerInstall Sync UserInterface
            (callback: UiCallback(lpfnUIDLLCallback), owner: Window(hwndOwner),
             permanent_provider_id: Number(dwPermanentProviderID))
            [not stated] (OPERATIONFAILED INIFILECORRUPT NOMEM INVALPARAM);
        /// Removes the provider. It runs in the application, which waits for it, and is optional.
        /// It may come while the provider is in use; then it asks the user, and answers not INUSE
        /// but OPERATIONFAILED.
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
        /// Shows the dialog of a phone device. It runs in the application, which waits for it, and
        /// is optional.
        ui_phone_config_dialog TUISPI_phoneConfigDialog Sync UserInterface
            (callback: UiCallback(lpfnUIDLLCallback), device_id: DeviceId(dwDeviceID),
             owner: Window(hwndOwner), device_class: DeviceClass(lpszDeviceClass))
            [not stated] (BADDEVICEID NOMEM INUSE OPERATIONFAILED INVALPARAM OPERATIONUNAVAIL
                INVALDEVICECLASS RESOURCEUNAVAIL);
    } };
}
ui_phone_rows! { functions, { UI_PHONE }, {}, }
