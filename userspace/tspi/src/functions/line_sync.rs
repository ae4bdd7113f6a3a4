//! The synchronous line functions: done, or failed, when they return.

use super::table::functions;
use super::*;

/// The synchronous line functions, a row each.
#[doc(hidden)]
#[macro_export]
macro_rules! line_sync_rows {
    ($($then:tt)*) => { $crate::take_rows! { [$($then)*] Line LineError
        /// Close line after completing/aborting all calls and async operations.
        ///
        /// What is outstanding on the line and its calls is completed first (D1), and no event
        /// follows (D2).
        line_close TSPI_lineClose Sync Basic
            (line: Line(hdLine))
            [not stated] (NOMEM OPERATIONFAILED OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Free a call after completing/aborting its async operations; called when last app
        /// deallocates.
        ///
        /// No event follows (D5). Legal also while the call is being made (N6) and after that
        /// failed (N8).
        line_close_call TSPI_lineCloseCall Sync Required
            (call: Call(hdCall))
            [any] (NOMEM OPERATIONFAILED OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Close that channel again (one MSP instance per application).
        line_close_msp_instance TSPI_lineCloseMSPInstance Sync Version3
            (msp_line: MspLine(hdMSPLine))
            [not stated] (INVALPOINTER);
        /// LINEMAPPER test: could this line monitor these media modes and make such a call now?
        /// Leaves active monitoring unchanged.
        line_conditional_media_detection TSPI_lineConditionalMediaDetection Sync Required
            (line: Line(hdLine), media_modes: Number(dwMediaModes),
             call_params: [GivenOrNull LINECALLPARAMS](lpCallParams))
            [not stated] (INVALLINEHANDLE OPERATIONFAILED NODRIVER RESOURCEUNAVAIL NOMEM
                INVALMEDIAMODE OPERATIONUNAVAIL);
        /// Obsolete: TSPI 1.x only, not in the 2.x header; replaced by TUISPI_lineConfigDialog.
        /// Allowed while the line is open; provider may refuse with INUSE.
        line_config_dialog TSPI_lineConfigDialog Sync Obsolete
            (device_id: DeviceId(dwDeviceID), owner: Window(hwndOwner),
             device_class: NarrowClass(lpszDeviceClass))
            [not stated] (INUSE OPERATIONUNAVAIL INVALDEVICECLASS OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Obsolete: TSPI 1.x only, not in the 2.x header; replaced by TUISPI_lineConfigDialogEdit.
        /// Works on a blob, not on the live device; not exported -> TAPI answers OPERATIONUNAVAIL.
        line_config_dialog_edit TSPI_lineConfigDialogEdit Sync Obsolete
            (device_id: DeviceId(dwDeviceID), owner: Window(hwndOwner),
             device_class: NarrowClass(lpszDeviceClass),
             device_config_in: Config(lpDeviceConfigIn, dwSize),
             device_config_out: [Filled VARSTRING](lpDeviceConfigOut))
            [not stated] (INVALDEVICECLASS OPERATIONFAILED INVALPARAM RESOURCEUNAVAIL NODRIVER
                OPERATIONUNAVAIL NOMEM);
        /// Create TSP side of an MSP channel; keep htMSPLine for LINE_SENDMSPDATA.
        line_create_msp_instance TSPI_lineCreateMSPInstance Sync Version3
            (line: Line(hdLine), address_id: Number(dwAddressID),
             msp_line: [New HTAPIMSPLINE HDRVMSPLINE](htMSPLine, lphdMSPLine))
            [not stated] (INVALLINEHANDLE INVALPOINTER);
        /// Obsolete (TSPI 1.x): drop because no owner found.
        line_drop_no_owner TSPI_lineDropNoOwner Sync Obsolete
            (call: Call(hdCall))
            [not stated] ();
        /// Obsolete (TSPI 1.x): drop because sole owner closed.
        line_drop_on_close TSPI_lineDropOnClose Sync Obsolete
            (call: Call(hdCall))
            [not stated] ();
        /// Start/cancel buffered digit collection; end told by LINE_GATHERDIGITS(dwEndToEndID).
        line_gather_digits TSPI_lineGatherDigits Sync Supplementary
            (call: Call(hdCall), end_to_end_id: Number(dwEndToEndID),
             digit_modes: Number(dwDigitModes), digits: DigitsLater(lpsDigits, dwNumDigits),
             termination_digits: DigitsOrNull(lpszTerminationDigits),
             first_digit_timeout: Number(dwFirstDigitTimeout),
             inter_digit_timeout: Number(dwInterDigitTimeout))
            [hdCall: any - Idle] (INVALCALLHANDLE RESOURCEUNAVAIL INVALCALLSTATE NOMEM INVALTIMEOUT
                OPERATIONUNAVAIL INVALDIGITMODE OPERATIONFAILED INVALDIGITS INVALPARAM);
        /// Start/cancel in-band digits; end told by LINE_GENERATE(dwEndToEndID); comma = pause;
        /// invalid digits skipped silently; duration clamped to Min/MaxDialParams.
        ///
        /// It returns when the digits have begun (K5). Without digits, what is being generated is
        /// cancelled (D17).
        line_generate_digits TSPI_lineGenerateDigits Sync Supplementary
            (call: Call(hdCall), end_to_end_id: Number(dwEndToEndID),
             digit_mode: Number(dwDigitMode), digits: DigitsOrNull(lpszDigits),
             duration: Number(dwDuration))
            [any] (INVALCALLHANDLE NOMEM INVALCALLSTATE OPERATIONUNAVAIL INVALDIGITMODE
                OPERATIONFAILED RESOURCEUNAVAIL);
        /// Start/cancel in-band tone (mode 0 cancels); duration 0 = default (infinite; billing: one
        /// cycle).
        line_generate_tone TSPI_lineGenerateTone Sync Supplementary
            (call: Call(hdCall), end_to_end_id: Number(dwEndToEndID),
             tone_mode: Number(dwToneMode), duration: Number(dwDuration),
             num_tones: [CountedList LINEGENERATETONE](dwNumTones, lpTones))
            [hdCall: any - Idle] (INVALCALLHANDLE NOMEM INVALCALLSTATE OPERATIONUNAVAIL
                INVALTONEMODE OPERATIONFAILED INVALTONE RESOURCEUNAVAIL);
        /// Fill LINEADDRESSCAPS for a device/address; address id and extension version not checked
        /// by TAPI; afterwards TAPI ORs owner/monitor info bits and call state UNKNOWN into it.
        line_get_address_caps TSPI_lineGetAddressCaps Sync Basic
            (device_id: DeviceId(dwDeviceID), address_id: Number(dwAddressID),
             version: Version(dwTSPIVersion), ext_version: Number(dwExtVersion),
             caps: [Filled LINEADDRESSCAPS](lpAddressCaps))
            [not stated] (INCOMPATIBLEAPIVERSION NOMEM INCOMPATIBLEEXTVERSION OPERATIONUNAVAIL
                INVALADDRESSID OPERATIONFAILED NODRIVER RESOURCEUNAVAIL);
        /// Translate an address of the line into an address id (dwSize counts the terminator for
        /// DIALABLEADDR).
        line_get_address_id TSPI_lineGetAddressID Sync Basic
            (line: Line(hdLine), address_id: NumberOut(lpdwAddressID),
             address_mode: Number(dwAddressMode), address: SizedAddress(lpsAddress, dwSize))
            [not stated] (INVALLINEHANDLE OPERATIONUNAVAIL INVALADDRESS OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Fill LINEADDRESSSTATUS (call counts, features, forwarding).
        line_get_address_status TSPI_lineGetAddressStatus Sync Basic
            (line: Line(hdLine), address_id: Number(dwAddressID),
             status: [Filled LINEADDRESSSTATUS](lpAddressStatus))
            [not stated] (INVALLINEHANDLE OPERATIONUNAVAIL INVALADDRESSID OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Address id a call lives on; no TAPI twin, used for lineGetNewCalls by address.
        line_get_call_address_id TSPI_lineGetCallAddressID Sync Required
            (call: Call(hdCall), address_id: NumberOut(lpdwAddressID))
            [any] (NOMEM OPERATIONFAILED OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Report call-hub tracking state (page text calls hdLine a call handle).
        line_get_call_hub_tracking TSPI_lineGetCallHubTracking Sync Version3
            (line: Line(hdLine), tracking_info: [Filled LINECALLHUBTRACKINGINFO](lpTrackingInfo))
            [any] ();
        /// Address id, call id, related call id of a call.
        line_get_call_ids TSPI_lineGetCallIDs Sync Version3
            (call: Call(hdCall), address_id: NumberOut(lpdwAddressID),
             call_id: NumberOut(lpdwCallID), related_call_id: NumberOut(lpdwRelatedCallID))
            [not stated] ();
        /// Fill LINECALLINFO (static call data); TAPI owns hLine, monitor modes, owner counts, app
        /// name, displayable address, called party, comment.
        line_get_call_info TSPI_lineGetCallInfo Sync Basic
            (call: Call(hdCall), info: [Filled LINECALLINFO](lpCallInfo))
            [any] (INVALCALLHANDLE OPERATIONFAILED NOMEM RESOURCEUNAVAIL OPERATIONUNAVAIL);
        /// Fill LINECALLSTATUS (state, mode, features); TAPI owns dwCallPrivilege.
        line_get_call_status TSPI_lineGetCallStatus Sync Basic
            (call: Call(hdCall), status: [Filled LINECALLSTATUS](lpCallStatus))
            [any] (INVALCALLHANDLE OPERATIONFAILED NOMEM RESOURCEUNAVAIL OPERATIONUNAVAIL);
        /// Fill LINEDEVCAPS incl. all LINETERMCAPS; afterwards TAPI ORs OPEN, CLOSE, REINIT,
        /// TRANSLATECHANGE into dwLineStates.
        line_get_dev_caps TSPI_lineGetDevCaps Sync Basic
            (device_id: DeviceId(dwDeviceID), version: Version(dwTSPIVersion),
             ext_version: Number(dwExtVersion), caps: [Filled LINEDEVCAPS](lpLineDevCaps))
            [not stated] (INCOMPATIBLEAPIVERSION OPERATIONUNAVAIL INCOMPATIBLEEXTVERSION
                OPERATIONFAILED NODRIVER RESOURCEUNAVAIL NOMEM);
        /// Return opaque media-device configuration (STRINGFORMAT_BINARY); fixed part fits -> set
        /// dwNeededSize and return 0. Must fit devices that map one-to-one to the line; temporary
        /// settings last until line close.
        line_get_dev_config TSPI_lineGetDevConfig Sync Basic
            (device_id: DeviceId(dwDeviceID), device_config: [Filled VARSTRING](lpDeviceConfig),
             device_class: DeviceClass(lpszDeviceClass))
            [device] (INVALDEVICECLASS NOMEM INVALPOINTER OPERATIONUNAVAIL STRUCTURETOOSMALL
                OPERATIONFAILED NODRIVER RESOURCEUNAVAIL);
        /// Return 128-bit extension id; all zero = no extensions.
        line_get_extension_id TSPI_lineGetExtensionID Sync Extended
            (device_id: DeviceId(dwDeviceID), version: Version(dwTSPIVersion),
             extension_id: [ExtensionOut LINEEXTENSIONID](lpExtensionID))
            [not stated] (NOMEM OPERATIONFAILED OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Return icon for device class; NULL handle -> TAPI uses a generic icon.
        line_get_icon TSPI_lineGetIcon Sync Basic
            (device_id: DeviceId(dwDeviceID), device_class: DeviceClass(lpszDeviceClass),
             icon: IconOut(lphIcon))
            [not stated] (INVALDEVICECLASS OPERATIONFAILED NOMEM RESOURCEUNAVAIL OPERATIONUNAVAIL);
        /// Map line/address/call to a device id of a class ("wave/in", "comm/datamodem",
        /// "tapi/line" …); may duplicate a handle into hTargetProcess, INVALID_HANDLE_VALUE =
        /// remote.
        line_get_id TSPI_lineGetID Sync Basic
            (line: Line(hdLine), address_id: Number(dwAddressID), call: CallOrNull(hdCall),
             select: Number(dwSelect), device_id: [Filled VARSTRING](lpDeviceID),
             device_class: DeviceClass(lpszDeviceClass), target_process: Foreign(hTargetProcess))
            [not stated] (INVALLINEHANDLE NOMEM INVALADDRESSID OPERATIONUNAVAIL INVALCALLHANDLE
                OPERATIONFAILED NODEVICE RESOURCEUNAVAIL);
        /// Fill LINEDEVSTATUS (features, counts, in-service flags); TAPI owns dwNumOpens,
        /// dwOpenMediaModes.
        line_get_line_dev_status TSPI_lineGetLineDevStatus Sync Basic
            (line: Line(hdLine), status: [Filled LINEDEVSTATUS](lpLineDevStatus))
            [not stated] (INVALLINEHANDLE OPERATIONFAILED NOMEM RESOURCEUNAVAIL OPERATIONUNAVAIL);
        /// Number of addresses on the line, ≥ 1 (TAPI checks address ids with it for
        /// lineSetNumRings, lineGetNumRings, lineGetNewCalls).
        line_get_num_address_ids TSPI_lineGetNumAddressIDs Sync Basic
            (line: Line(hdLine), num_address_i_ds: NumberOut(lpdwNumAddressIDs))
            [not stated] (NOMEM OPERATIONFAILED OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Enable (modes) / disable (0) unbuffered digit detection; ends by itself at idle;
        /// disabling always returns 0.
        line_monitor_digits TSPI_lineMonitorDigits Sync Supplementary
            (call: Call(hdCall), digit_modes: Number(dwDigitModes))
            [hdCall: any - Idle Disconnected] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE
                OPERATIONFAILED INVALDIGITMODE RESOURCEUNAVAIL NOMEM);
        /// Enable/disable (0) media-mode detection; ends at idle; TAPI passes the union of all
        /// clients without reserved bits; never changes the media mode stored in LINECALLINFO.
        line_monitor_media TSPI_lineMonitorMedia Sync Supplementary
            (call: Call(hdCall), media_modes: Number(dwMediaModes))
            [hdCall: any - Idle] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED
                INVALMEDIAMODE RESOURCEUNAVAIL NOMEM);
        /// Install/replace/drop one tone list (by dwToneListID); all lists run at once; silence =
        /// all-zero frequencies.
        line_monitor_tones TSPI_lineMonitorTones Sync Supplementary
            (call: Call(hdCall), tone_list_id: Number(dwToneListID),
             tones: [List LINEMONITORTONE](lpToneList, dwNumEntries))
            [hdCall: any - Idle] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED
                INVALTONE RESOURCEUNAVAIL NOMEM INVALPOINTER);
        /// CLSID of the media service provider paired with a line; only called with
        /// LINEDEVCAPFLAGS_MSP.
        line_msp_identify TSPI_lineMSPIdentify Sync Version3
            (device_id: DeviceId(dwDeviceID), class_id: GuidOut(pCLSID))
            [not stated] (OPERATIONUNAVAIL);
        /// Negotiate extension version; INITIALIZE_NEGOTIATION not allowed; while one is selected
        /// only that one, else INCOMPATIBLEEXTVERSION.
        line_negotiate_ext_version TSPI_lineNegotiateExtVersion Sync Extended
            (device_id: DeviceId(dwDeviceID), version: Version(dwTSPIVersion),
             low: Number(dwLowVersion), high: Number(dwHighVersion),
             ext_version: NumberOut(lpdwExtVersion))
            [not stated] (INCOMPATIBLEAPIVERSION OPERATIONUNAVAIL INCOMPATIBLEEXTVERSION
                OPERATIONFAILED NODRIVER RESOURCEUNAVAIL NOMEM);
        /// Return highest common TSPI version; with INITIALIZE_NEGOTIATION must never return
        /// OPERATIONUNAVAIL.
        line_negotiate_tspi_version TSPI_lineNegotiateTSPIVersion Sync Basic
            (device_id: DeviceId(dwDeviceID), low: Number(dwLowVersion),
             high: Number(dwHighVersion), version: VersionOut(lpdwTSPIVersion))
            [not stated] (INCOMPATIBLEAPIVERSION OPERATIONUNAVAIL NODRIVER OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Open line, exchange handles, hand over LINEEVENT; inexpensive.
        line_open TSPI_lineOpen Sync Basic
            (device_id: DeviceId(dwDeviceID), line: [New HTAPILINE HDRVLINE](htLine, lphdLine),
             version: Version(dwTSPIVersion), event_proc: LineEvents(lpfnEventProc))
            [not stated] (ALLOCATED OPERATIONUNAVAIL NODRIVER OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Opaque data from MSP.
        line_receive_msp_data TSPI_lineReceiveMSPData Sync Version3
            (line: Line(hdLine), call: CallOrNull(hdCall), msp_line: MspLine(hdMSPLine),
             buffer: Params(pBuffer, dwSize))
            [not stated] ();
        /// Commit to an extension version; 0 cancels.
        line_select_ext_version TSPI_lineSelectExtVersion Sync Extended
            (line: Line(hdLine), ext_version: Number(dwExtVersion))
            [not stated] (INCOMPATIBLEEXTVERSION OPERATIONFAILED NOMEM RESOURCEUNAVAIL
                OPERATIONUNAVAIL);
        /// Set dwAppSpecific of the call (uninterpreted); LINE_CALLINFO(APPSPECIFIC).
        line_set_app_specific TSPI_lineSetAppSpecific Sync Basic
            (call: Call(hdCall), app_specific: Number(dwAppSpecific))
            [any] (INVALCALLHANDLE OPERATIONFAILED NOMEM RESOURCEUNAVAIL OPERATIONUNAVAIL);
        /// Turn call-hub tracking on/off (page text and error name speak of a call handle).
        line_set_call_hub_tracking TSPI_lineSetCallHubTracking Sync Version3
            (line: Line(hdLine),
             tracking_info: [Changeable LINECALLHUBTRACKINGINFO](lpTrackingInfo))
            [any] (INVALCALLHANDLE NOMEM OPERATIONFAILED OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Obsolete: which location the user dials from.
        line_set_current_location TSPI_lineSetCurrentLocation Sync Obsolete
            (location: Number(dwLocation))
            [not stated] ();
        /// Union of media modes all openers want (may be 0); also initial monitor set for new
        /// calls; lineOpen fails if this fails.
        line_set_default_media_detection TSPI_lineSetDefaultMediaDetection Sync Required
            (line: Line(hdLine), media_modes: Number(dwMediaModes))
            [not stated] (INVALLINEHANDLE OPERATIONFAILED INVALMEDIAMODE RESOURCEUNAVAIL NOMEM
                NODRIVER OPERATIONUNAVAIL);
        /// Restore opaque media-device configuration; bad blob -> INVALPARAM, not changeable now ->
        /// INVALLINESTATE.
        line_set_dev_config TSPI_lineSetDevConfig Sync Basic
            (device_id: DeviceId(dwDeviceID), device_config: Config(lpDeviceConfig, dwSize),
             device_class: DeviceClass(lpszDeviceClass))
            [device] (INVALDEVICECLASS NOMEM INVALPOINTER OPERATIONUNAVAIL INVALPARAM
                OPERATIONFAILED INVALLINESTATE RESOURCEUNAVAIL NODRIVER);
        /// Install digit/media/tone/state-triggered media actions; NULL list disables that kind.
        line_set_media_control TSPI_lineSetMediaControl Sync Supplementary
            (line: Line(hdLine), address_id: Number(dwAddressID), call: CallOrNull(hdCall),
             select: Number(dwSelect),
             digit_list: [List LINEMEDIACONTROLDIGIT](lpDigitList, dwDigitNumEntries),
             media_list: [List LINEMEDIACONTROLMEDIA](lpMediaList, dwMediaNumEntries),
             tone_list: [List LINEMEDIACONTROLTONE](lpToneList, dwToneNumEntries),
             call_state_list: [List LINEMEDIACONTROLCALLSTATE](lpCallStateList,
                dwCallStateNumEntries))
            [any] (INVALADDRESSID INVALPOINTER INVALCALLHANDLE INVALTONELIST INVALCALLSELECT NOMEM
                INVALCALLSTATELIST OPERATIONUNAVAIL INVALDIGITLIST OPERATIONFAILED INVALLINEHANDLE
                RESOURCEUNAVAIL INVALMEDIALIST);
        /// Set the media mode(s) stored for a call (advisory); several bits only together with
        /// UNKNOWN; TAPI has checked ≥ 1 bit and no reserved bit.
        line_set_media_mode TSPI_lineSetMediaMode Sync Supplementary
            (call: Call(hdCall), media_mode: Number(dwMediaMode))
            [any] (INVALCALLHANDLE OPERATIONUNAVAIL INVALMEDIAMODE OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Which LINEDEVSTATE_/`LINEADDRESSSTATE_` events to send (union of apps; at least these);
        /// initially none.
        line_set_status_messages TSPI_lineSetStatusMessages Sync Basic
            (line: Line(hdLine), line_states: Number(dwLineStates),
             address_states: Number(dwAddressStates))
            [not stated] (INVALADDRESSSTATE OPERATIONUNAVAIL INVALLINEHANDLE OPERATIONFAILED
                INVALLINESTATE RESOURCEUNAVAIL NOMEM);
    } };
}
line_sync_rows! { functions, { LINE_SYNC }, {}, }
