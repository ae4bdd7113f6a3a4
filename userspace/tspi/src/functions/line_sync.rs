//! The synchronous line functions: done, or failed, when they return.

use super::{CallParameter, Class, Errors, Function, Group, Kind, Legal, functions};
use crate::callstate::{CallState, CallStates};
use crate::error::LineError;

functions! {
    /// The synchronous line functions.
    LINE_SYNC: Line, Line LineError {
        /// Close line after completing/aborting all calls and async operations.
        TSPI_lineClose Sync Basic
            "HDRVLINE hdLine"
            [not stated] (NOMEM OPERATIONFAILED OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Free a call after completing/aborting its async operations; called when last app
        /// deallocates.
        TSPI_lineCloseCall Sync Required
            "HDRVCALL hdCall"
            [any] (NOMEM OPERATIONFAILED OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Close that channel again (one MSP instance per application).
        TSPI_lineCloseMSPInstance Sync Version3
            "HDRVMSPLINE hdMSPLine"
            [not stated] (INVALPOINTER);
        /// LINEMAPPER test: could this line monitor these media modes and make such a call now?
        /// Leaves active monitoring unchanged.
        TSPI_lineConditionalMediaDetection Sync Required
            "HDRVLINE hdLine, DWORD dwMediaModes, LPLINECALLPARAMS const lpCallParams"
            [not stated] (INVALLINEHANDLE OPERATIONFAILED NODRIVER RESOURCEUNAVAIL NOMEM
                INVALMEDIAMODE OPERATIONUNAVAIL);
        /// Obsolete: TSPI 1.x only, not in the 2.x header; replaced by TUISPI_lineConfigDialog.
        /// Allowed while the line is open; provider may refuse with INUSE.
        TSPI_lineConfigDialog Sync Obsolete
            "DWORD dwDeviceID, HWND hwndOwner, LPCWSTR lpszDeviceClass"
            [not stated] (INUSE OPERATIONUNAVAIL INVALDEVICECLASS OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Obsolete: TSPI 1.x only, not in the 2.x header; replaced by TUISPI_lineConfigDialogEdit.
        /// Works on a blob, not on the live device; not exported -> TAPI answers OPERATIONUNAVAIL.
        TSPI_lineConfigDialogEdit Sync Obsolete
            "DWORD dwDeviceID, HWND hwndOwner, LPCWSTR lpszDeviceClass, LPVOID const \
             lpDeviceConfigIn, DWORD dwSize, LPVARSTRING lpDeviceConfigOut"
            [not stated] (INVALDEVICECLASS OPERATIONFAILED INVALPARAM RESOURCEUNAVAIL NODRIVER
                OPERATIONUNAVAIL NOMEM);
        /// Create TSP side of an MSP channel; keep htMSPLine for LINE_SENDMSPDATA.
        TSPI_lineCreateMSPInstance Sync Version3
            "HDRVLINE hdLine, DWORD dwAddressID, HTAPIMSPLINE htMSPLine, LPHDRVMSPLINE \
             lphdMSPLine"
            [not stated] (INVALLINEHANDLE INVALPOINTER);
        /// Obsolete (TSPI 1.x): drop because no owner found.
        TSPI_lineDropNoOwner Sync Obsolete
            "HDRVCALL hdCall"
            [not stated] ();
        /// Obsolete (TSPI 1.x): drop because sole owner closed.
        TSPI_lineDropOnClose Sync Obsolete
            "HDRVCALL hdCall"
            [not stated] ();
        /// Start/cancel buffered digit collection; end told by LINE_GATHERDIGITS(dwEndToEndID).
        TSPI_lineGatherDigits Sync Supplementary
            "HDRVCALL hdCall, DWORD dwEndToEndID, DWORD dwDigitModes, LPWSTR lpsDigits, DWORD \
             dwNumDigits, LPCWSTR lpszTerminationDigits, DWORD dwFirstDigitTimeout, DWORD \
             dwInterDigitTimeout"
            [hdCall: any - Idle] (INVALCALLHANDLE RESOURCEUNAVAIL INVALCALLSTATE NOMEM INVALTIMEOUT
                OPERATIONUNAVAIL INVALDIGITMODE OPERATIONFAILED INVALDIGITS INVALPARAM);
        /// Start/cancel in-band digits; end told by LINE_GENERATE(dwEndToEndID); comma = pause;
        /// invalid digits skipped silently; duration clamped to Min/MaxDialParams.
        TSPI_lineGenerateDigits Sync Supplementary
            "HDRVCALL hdCall, DWORD dwEndToEndID, DWORD dwDigitMode, LPCWSTR lpszDigits, DWORD \
             dwDuration"
            [any] (INVALCALLHANDLE NOMEM INVALCALLSTATE OPERATIONUNAVAIL INVALDIGITMODE
                OPERATIONFAILED RESOURCEUNAVAIL);
        /// Start/cancel in-band tone (mode 0 cancels); duration 0 = default (infinite; billing: one
        /// cycle).
        TSPI_lineGenerateTone Sync Supplementary
            "HDRVCALL hdCall, DWORD dwEndToEndID, DWORD dwToneMode, DWORD dwDuration, DWORD \
             dwNumTones, LPLINEGENERATETONE const lpTones"
            [hdCall: any - Idle] (INVALCALLHANDLE NOMEM INVALCALLSTATE OPERATIONUNAVAIL
                INVALTONEMODE OPERATIONFAILED INVALTONE RESOURCEUNAVAIL);
        /// Fill LINEADDRESSCAPS for a device/address; address id and extension version not checked
        /// by TAPI; afterwards TAPI ORs owner/monitor info bits and call state UNKNOWN into it.
        TSPI_lineGetAddressCaps Sync Basic
            "DWORD dwDeviceID, DWORD dwAddressID, DWORD dwTSPIVersion, DWORD dwExtVersion, \
             LPLINEADDRESSCAPS lpAddressCaps"
            [not stated] (INCOMPATIBLEAPIVERSION NOMEM INCOMPATIBLEEXTVERSION OPERATIONUNAVAIL
                INVALADDRESSID OPERATIONFAILED NODRIVER RESOURCEUNAVAIL);
        /// Translate an address of the line into an address id (dwSize counts the terminator for
        /// DIALABLEADDR).
        TSPI_lineGetAddressID Sync Basic
            "HDRVLINE hdLine, LPDWORD lpdwAddressID, DWORD dwAddressMode, LPCWSTR lpsAddress, \
             DWORD dwSize"
            [not stated] (INVALLINEHANDLE OPERATIONUNAVAIL INVALADDRESS OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Fill LINEADDRESSSTATUS (call counts, features, forwarding).
        TSPI_lineGetAddressStatus Sync Basic
            "HDRVLINE hdLine, DWORD dwAddressID, LPLINEADDRESSSTATUS lpAddressStatus"
            [not stated] (INVALLINEHANDLE OPERATIONUNAVAIL INVALADDRESSID OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Address id a call lives on; no TAPI twin, used for lineGetNewCalls by address.
        TSPI_lineGetCallAddressID Sync Required
            "HDRVCALL hdCall, LPDWORD lpdwAddressID"
            [any] (NOMEM OPERATIONFAILED OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Report call-hub tracking state (page text calls hdLine a call handle).
        TSPI_lineGetCallHubTracking Sync Version3
            "HDRVLINE hdLine, LPLINECALLHUBTRACKINGINFO lpTrackingInfo"
            [any] ();
        /// Address id, call id, related call id of a call.
        TSPI_lineGetCallIDs Sync Version3
            "HDRVCALL hdCall, LPDWORD lpdwAddressID, LPDWORD lpdwCallID, LPDWORD \
             lpdwRelatedCallID"
            [not stated] ();
        /// Fill LINECALLINFO (static call data); TAPI owns hLine, monitor modes, owner counts, app
        /// name, displayable address, called party, comment.
        TSPI_lineGetCallInfo Sync Basic
            "HDRVCALL hdCall, LPLINECALLINFO lpCallInfo"
            [any] (INVALCALLHANDLE OPERATIONFAILED NOMEM RESOURCEUNAVAIL OPERATIONUNAVAIL);
        /// Fill LINECALLSTATUS (state, mode, features); TAPI owns dwCallPrivilege.
        TSPI_lineGetCallStatus Sync Basic
            "HDRVCALL hdCall, LPLINECALLSTATUS lpCallStatus"
            [any] (INVALCALLHANDLE OPERATIONFAILED NOMEM RESOURCEUNAVAIL OPERATIONUNAVAIL);
        /// Fill LINEDEVCAPS incl. all LINETERMCAPS; afterwards TAPI ORs OPEN, CLOSE, REINIT,
        /// TRANSLATECHANGE into dwLineStates.
        TSPI_lineGetDevCaps Sync Basic
            "DWORD dwDeviceID, DWORD dwTSPIVersion, DWORD dwExtVersion, LPLINEDEVCAPS \
             lpLineDevCaps"
            [not stated] (INCOMPATIBLEAPIVERSION OPERATIONUNAVAIL INCOMPATIBLEEXTVERSION
                OPERATIONFAILED NODRIVER RESOURCEUNAVAIL NOMEM);
        /// Return opaque media-device configuration (STRINGFORMAT_BINARY); fixed part fits -> set
        /// dwNeededSize and return 0. Must fit devices that map one-to-one to the line; temporary
        /// settings last until line close.
        TSPI_lineGetDevConfig Sync Basic
            "DWORD dwDeviceID, LPVARSTRING lpDeviceConfig, LPCWSTR lpszDeviceClass"
            [device] (INVALDEVICECLASS NOMEM INVALPOINTER OPERATIONUNAVAIL STRUCTURETOOSMALL
                OPERATIONFAILED NODRIVER RESOURCEUNAVAIL);
        /// Return 128-bit extension id; all zero = no extensions.
        TSPI_lineGetExtensionID Sync Extended
            "DWORD dwDeviceID, DWORD dwTSPIVersion, LPLINEEXTENSIONID lpExtensionID"
            [not stated] (NOMEM OPERATIONFAILED OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Return icon for device class; NULL handle -> TAPI uses a generic icon.
        TSPI_lineGetIcon Sync Basic
            "DWORD dwDeviceID, LPCWSTR lpszDeviceClass, LPHICON lphIcon"
            [not stated] (INVALDEVICECLASS OPERATIONFAILED NOMEM RESOURCEUNAVAIL OPERATIONUNAVAIL);
        /// Map line/address/call to a device id of a class ("wave/in", "comm/datamodem",
        /// "tapi/line" …); may duplicate a handle into hTargetProcess, INVALID_HANDLE_VALUE =
        /// remote.
        TSPI_lineGetID Sync Basic
            "HDRVLINE hdLine, DWORD dwAddressID, HDRVCALL hdCall, DWORD dwSelect, LPVARSTRING \
             lpDeviceID, LPCWSTR lpszDeviceClass, HANDLE hTargetProcess"
            [not stated] (INVALLINEHANDLE NOMEM INVALADDRESSID OPERATIONUNAVAIL INVALCALLHANDLE
                OPERATIONFAILED NODEVICE RESOURCEUNAVAIL);
        /// Fill LINEDEVSTATUS (features, counts, in-service flags); TAPI owns dwNumOpens,
        /// dwOpenMediaModes.
        TSPI_lineGetLineDevStatus Sync Basic
            "HDRVLINE hdLine, LPLINEDEVSTATUS lpLineDevStatus"
            [not stated] (INVALLINEHANDLE OPERATIONFAILED NOMEM RESOURCEUNAVAIL OPERATIONUNAVAIL);
        /// Number of addresses on the line, ≥ 1 (TAPI checks address ids with it for
        /// lineSetNumRings, lineGetNumRings, lineGetNewCalls).
        TSPI_lineGetNumAddressIDs Sync Basic
            "HDRVLINE hdLine, LPDWORD lpdwNumAddressIDs"
            [not stated] (NOMEM OPERATIONFAILED OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Enable (modes) / disable (0) unbuffered digit detection; ends by itself at idle;
        /// disabling always returns 0.
        TSPI_lineMonitorDigits Sync Supplementary
            "HDRVCALL hdCall, DWORD dwDigitModes"
            [hdCall: any - Idle Disconnected] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE
                OPERATIONFAILED INVALDIGITMODE RESOURCEUNAVAIL NOMEM);
        /// Enable/disable (0) media-mode detection; ends at idle; TAPI passes the union of all
        /// clients without reserved bits; never changes the media mode stored in LINECALLINFO.
        TSPI_lineMonitorMedia Sync Supplementary
            "HDRVCALL hdCall, DWORD dwMediaModes"
            [hdCall: any - Idle] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED
                INVALMEDIAMODE RESOURCEUNAVAIL NOMEM);
        /// Install/replace/drop one tone list (by dwToneListID); all lists run at once; silence =
        /// all-zero frequencies.
        TSPI_lineMonitorTones Sync Supplementary
            "HDRVCALL hdCall, DWORD dwToneListID, LPLINEMONITORTONE const lpToneList, DWORD \
             dwNumEntries"
            [hdCall: any - Idle] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED
                INVALTONE RESOURCEUNAVAIL NOMEM INVALPOINTER);
        /// CLSID of the media service provider paired with a line; only called with
        /// LINEDEVCAPFLAGS_MSP.
        TSPI_lineMSPIdentify Sync Version3
            "DWORD dwDeviceID, GUID *pCLSID"
            [not stated] (OPERATIONUNAVAIL);
        /// Negotiate extension version; INITIALIZE_NEGOTIATION not allowed; while one is selected
        /// only that one, else INCOMPATIBLEEXTVERSION.
        TSPI_lineNegotiateExtVersion Sync Extended
            "DWORD dwDeviceID, DWORD dwTSPIVersion, DWORD dwLowVersion, DWORD dwHighVersion, \
             LPDWORD lpdwExtVersion"
            [not stated] (INCOMPATIBLEAPIVERSION OPERATIONUNAVAIL INCOMPATIBLEEXTVERSION
                OPERATIONFAILED NODRIVER RESOURCEUNAVAIL NOMEM);
        /// Return highest common TSPI version; with INITIALIZE_NEGOTIATION must never return
        /// OPERATIONUNAVAIL.
        TSPI_lineNegotiateTSPIVersion Sync Basic
            "DWORD dwDeviceID, DWORD dwLowVersion, DWORD dwHighVersion, LPDWORD lpdwTSPIVersion"
            [not stated] (INCOMPATIBLEAPIVERSION OPERATIONUNAVAIL NODRIVER OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Open line, exchange handles, hand over LINEEVENT; inexpensive.
        TSPI_lineOpen Sync Basic
            "DWORD dwDeviceID, HTAPILINE htLine, LPHDRVLINE lphdLine, DWORD dwTSPIVersion, \
             LINEEVENT lpfnEventProc"
            [not stated] (ALLOCATED OPERATIONUNAVAIL NODRIVER OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Opaque data from MSP.
        TSPI_lineReceiveMSPData Sync Version3
            "HDRVLINE hdLine, HDRVCALL hdCall, HDRVMSPLINE hdMSPLine, LPVOID pBuffer, DWORD \
             dwSize"
            [not stated] ();
        /// Commit to an extension version; 0 cancels.
        TSPI_lineSelectExtVersion Sync Extended
            "HDRVLINE hdLine, DWORD dwExtVersion"
            [not stated] (INCOMPATIBLEEXTVERSION OPERATIONFAILED NOMEM RESOURCEUNAVAIL
                OPERATIONUNAVAIL);
        /// Set dwAppSpecific of the call (uninterpreted); LINE_CALLINFO(APPSPECIFIC).
        TSPI_lineSetAppSpecific Sync Basic
            "HDRVCALL hdCall, DWORD dwAppSpecific"
            [any] (INVALCALLHANDLE OPERATIONFAILED NOMEM RESOURCEUNAVAIL OPERATIONUNAVAIL);
        /// Turn call-hub tracking on/off (page text and error name speak of a call handle).
        TSPI_lineSetCallHubTracking Sync Version3
            "HDRVLINE hdLine, LPLINECALLHUBTRACKINGINFO lpTrackingInfo"
            [any] (INVALCALLHANDLE NOMEM OPERATIONFAILED OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Obsolete.
        TSPI_lineSetCurrentLocation Sync Obsolete
            "DWORD dwLocation"
            [not stated] ();
        /// Union of media modes all openers want (may be 0); also initial monitor set for new
        /// calls; lineOpen fails if this fails.
        TSPI_lineSetDefaultMediaDetection Sync Required
            "HDRVLINE hdLine, DWORD dwMediaModes"
            [not stated] (INVALLINEHANDLE OPERATIONFAILED INVALMEDIAMODE RESOURCEUNAVAIL NOMEM
                NODRIVER OPERATIONUNAVAIL);
        /// Restore opaque media-device configuration; bad blob -> INVALPARAM, not changeable now ->
        /// INVALLINESTATE.
        TSPI_lineSetDevConfig Sync Basic
            "DWORD dwDeviceID, LPVOID const lpDeviceConfig, DWORD dwSize, LPCWSTR lpszDeviceClass"
            [device] (INVALDEVICECLASS NOMEM INVALPOINTER OPERATIONUNAVAIL INVALPARAM
                OPERATIONFAILED INVALLINESTATE RESOURCEUNAVAIL NODRIVER);
        /// Install digit/media/tone/state-triggered media actions; NULL list disables that kind.
        TSPI_lineSetMediaControl Sync Supplementary
            "HDRVLINE hdLine, DWORD dwAddressID, HDRVCALL hdCall, DWORD dwSelect, \
             LPLINEMEDIACONTROLDIGIT const lpDigitList, DWORD dwDigitNumEntries, \
             LPLINEMEDIACONTROLMEDIA const lpMediaList, DWORD dwMediaNumEntries, \
             LPLINEMEDIACONTROLTONE const lpToneList, DWORD dwToneNumEntries, \
             LPLINEMEDIACONTROLCALLSTATE const lpCallStateList, DWORD dwCallStateNumEntries"
            [any] (INVALADDRESSID INVALPOINTER INVALCALLHANDLE INVALTONELIST INVALCALLSELECT NOMEM
                INVALCALLSTATELIST OPERATIONUNAVAIL INVALDIGITLIST OPERATIONFAILED INVALLINEHANDLE
                RESOURCEUNAVAIL INVALMEDIALIST);
        /// Set the media mode(s) stored for a call (advisory); several bits only together with
        /// UNKNOWN; TAPI has checked ≥ 1 bit and no reserved bit.
        TSPI_lineSetMediaMode Sync Supplementary
            "HDRVCALL hdCall, DWORD dwMediaMode"
            [any] (INVALCALLHANDLE OPERATIONUNAVAIL INVALMEDIAMODE OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Which LINEDEVSTATE_/`LINEADDRESSSTATE_` events to send (union of apps; at least these);
        /// initially none.
        TSPI_lineSetStatusMessages Sync Basic
            "HDRVLINE hdLine, DWORD dwLineStates, DWORD dwAddressStates"
            [not stated] (INVALADDRESSSTATE OPERATIONUNAVAIL INVALLINEHANDLE OPERATIONFAILED
                INVALLINESTATE RESOURCEUNAVAIL NOMEM);
    }
}
