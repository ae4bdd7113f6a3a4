//! The functions of the provider as a whole, and those of its dialogs.

use super::{Class, Errors, Function, Group, Kind, Legal, functions};
use crate::error::{LineError, PhoneError};

functions! {
    /// The provider functions.
    PROVIDER: Provider, Line LineError {
        /// Obsolete from 2.0 (export only marks "configurable"); TUISPI_providerConfig does it;
        /// legal between init and shutdown, effect at next init.
        TSPI_providerConfig Sync Obsolete
            "HWND hwndOwner, DWORD dwPermanentProviderID"
            [not stated] (OPERATIONFAILED NOMEM);
        /// Answer to LINE_CREATE: bind temp id to new device id (ids become non-contiguous).
        TSPI_providerCreateLineDevice Sync Supplementary
            "DWORD_PTR dwTempID, DWORD dwDeviceID"
            [not stated] (BADDEVICEID NOMEM OPERATIONFAILED);
        /// Same for PHONE_CREATE.
        TSPI_providerCreatePhoneDevice Sync Supplementary
            "DWORD_PTR dwTempID, DWORD dwDeviceID"
            [not stated] (BADDEVICEID NOMEM OPERATIONFAILED);
        /// Before providerInit: number of lines/phones; gives hProvider and create-callbacks.
        /// Mandatory from TSPI 2.0.
        TSPI_providerEnumDevices Sync Mandatory
            "DWORD dwPermanentProviderID, LPDWORD lpdwNumLines, LPDWORD lpdwNumPhones, HPROVIDER \
             hProvider, LINEEVENT lpfnLineCreateProc, PHONEEVENT lpfnPhoneCreateProc"
            [not stated] (NOMEM OPERATIONFAILED);
        /// UI thread ended (or app died): forget the dialog instance, send no more data to it.
        /// Needed only with LINE_CREATEDIALOGINSTANCE.
        TSPI_providerFreeDialogInstance Sync UserInterface
            "HDRVDIALOGINSTANCE hdDlgInst"
            [not stated] (INVALPARAM NOMEM OPERATIONFAILED);
        /// Data from the UI DLL (object type `TUISPIDLL_OBJECT_`); provider may change the block,
        /// TAPI copies it back. Mandatory if the UI DLL uses TUISPIDLLCALLBACK.
        TSPI_providerGenericDialogData Sync UserInterface
            "DWORD_PTR dwObjectID, DWORD dwObjectType, LPVOID lpParams, DWORD dwSize"
            [not stated] (INVALPARAM NOMEM OPERATIONFAILED);
        /// Start the provider: version, provider id, device-id bases, counts, completion procedure,
        /// options out.
        TSPI_providerInit Sync Basic
            "DWORD dwTSPIVersion, DWORD dwPermanentProviderID, DWORD dwLineDeviceIDBase, DWORD \
             dwPhoneDeviceIDBase, DWORD_PTR dwNumLines, DWORD_PTR dwNumPhones, ASYNC_COMPLETION \
             lpfnCompletionProc, LPDWORD lpdwTSPIOptions"
            [not stated] (INCOMPATIBLEAPIVERSION OPERATIONFAILED NOMEM RESOURCEUNAVAIL
                INIFILECORRUPT NOMULTIPLEINSTANCE);
        /// Obsolete from 2.0 (export marks "installable"); TUISPI_providerInstall does it.
        TSPI_providerInstall Sync Obsolete
            "HWND hwndOwner, DWORD dwPermanentProviderID"
            [not stated] (OPERATIONFAILED INIFILECORRUPT NOMEM INVALPARAM);
        /// Obsolete from 2.0; TUISPI_providerRemove does it.
        TSPI_providerRemove Sync Obsolete
            "HWND hwndOwner, DWORD dwPermanentProviderID"
            [not stated] (OPERATIONFAILED INIFILECORRUPT NOMEM INVALPARAM);
        /// End the provider's work.
        TSPI_providerShutdown Sync Basic
            "DWORD dwTSPIVersion, DWORD dwPermanentProviderID"
            [not stated] (INCOMPATIBLEAPIVERSION NOMEM);
        /// Full path of the UI DLL into a buffer of at least MAX_PATH; mandatory if any UI function
        /// exists; should not fail.
        TSPI_providerUIIdentify Sync UserInterface
            "LPWSTR lpszUIDLLName"
            [not stated] (NOMEM OPERATIONFAILED);
    }
}

functions! {
    /// The dialogs of lines and of the provider.
    UI_LINE: Ui, Line LineError {
        /// Device dialog (runs in the application, synchronous); optional.
        TUISPI_lineConfigDialog Sync UserInterface
            "TUISPIDLLCALLBACK lpfnUIDLLCallback, DWORD dwDeviceID, HWND hwndOwner, LPCWSTR \
             lpszDeviceClass"
            [not stated] (INUSE OPERATIONUNAVAIL INVALDEVICECLASS OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Device dialog on a config blob (runs in the application, synchronous); optional; not
        /// exported -> OPERATIONUNAVAIL.
        TUISPI_lineConfigDialogEdit Sync UserInterface
            "TUISPIDLLCALLBACK lpfnUIDLLCallback, DWORD dwDeviceID, HWND hwndOwner, LPCWSTR \
             lpszDeviceClass, LPVOID const lpDeviceConfigIn, DWORD dwSize, LPVARSTRING \
             lpDeviceConfigOut"
            [not stated] (INVALDEVICECLASS OPERATIONFAILED INVALPARAM RESOURCEUNAVAIL NODRIVER
                OPERATIONUNAVAIL NOMEM);
        /// Provider dialog (runs in the application, synchronous); optional; effect at next init.
        TUISPI_providerConfig Sync UserInterface
            "TUISPIDLLCALLBACK lpfnUIDLLCallback, HWND hwndOwner, DWORD dwPermanentProviderID"
            [not stated] (OPERATIONFAILED NOMEM);
        /// Spontaneous dialog; own thread; SetEvent(hEvent) when ready, data is held back until
        /// then; returns when closed. Mandatory with LINE_CREATEDIALOGINSTANCE.
        TUISPI_providerGenericDialog Sync UserInterface
            "TUISPIDLLCALLBACK lpfnUIDLLCallback, HTAPIDIALOGINSTANCE htDlgInst, LPVOID lpParams, \
             DWORD dwSize, HANDLE hEvent"
            [not stated] (INVALPARAM NOMEM OPERATIONFAILED);
        /// Data from the TSP to the dialog, one-way (NULL = close, no callback during clean-up);
        /// other thread, must not block. Mandatory if providerGenericDialog is exported.
        TUISPI_providerGenericDialogData Sync UserInterface
            "HTAPIDIALOGINSTANCE htDlgInst, LPVOID lpParams, DWORD dwSize"
            [not stated] (INVALPARAM NOMEM OPERATIONFAILED);
        /// Install (runs in the application, synchronous); optional; may come several times:
        /// NOMULTIPLEINSTANCE if not supported (named in the remarks only); must leave a consistent
        /// state.
        TUISPI_providerInstall Sync UserInterface
            "TUISPIDLLCALLBACK lpfnUIDLLCallback, HWND hwndOwner, DWORD dwPermanentProviderID"
            [not stated] (OPERATIONFAILED INIFILECORRUPT NOMEM INVALPARAM);
        /// Remove (runs in the application, synchronous); optional; legal while in use; must not
        /// answer INUSE but OPERATIONFAILED after asking the user.
        TUISPI_providerRemove Sync UserInterface
            "TUISPIDLLCALLBACK lpfnUIDLLCallback, HWND hwndOwner, DWORD dwPermanentProviderID"
            [not stated] (OPERATIONFAILED INIFILECORRUPT NOMEM INVALPARAM);
    }
}

functions! {
    /// The dialog of phones.
    UI_PHONE: Ui, Phone PhoneError {
        /// Phone dialog (runs in the application, synchronous); optional.
        TUISPI_phoneConfigDialog Sync UserInterface
            "TUISPIDLLCALLBACK lpfnUIDLLCallback, DWORD dwDeviceID, HWND hwndOwner, LPCWSTR \
             lpszDeviceClass"
            [not stated] (BADDEVICEID NOMEM INUSE OPERATIONFAILED INVALPARAM OPERATIONUNAVAIL
                INVALDEVICECLASS RESOURCEUNAVAIL);
    }
}
