//! The synchronous line functions: done, or failed, when they return.

use super::table::functions;
use super::*;

/// The synchronous line functions, a row each.
#[doc(hidden)]
#[macro_export]
macro_rules! line_sync_rows {
    ($($then:tt)*) => { $crate::take_rows! { [$($then)*] Line LineError
        /// Closes the line after it has completed or aborted all calls and asynchronous operations.
        ///
        /// What is outstanding on the line and its calls is completed first (D1), and no event
        /// follows (D2).
        line_close TSPI_lineClose Sync Basic
            (line: Line(hdLine))
            [not stated] (NOMEM OPERATIONFAILED OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Frees a call after it has completed or aborted its asynchronous operations. TAPI calls
        /// it when the last application deallocates the call.
        ///
        /// No event follows (D5). Legal also while the call is being made (N6) and after that
        /// failed (N8).
        line_close_call TSPI_lineCloseCall Sync Required
            (call: Call(hdCall))
            [any] (NOMEM OPERATIONFAILED OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Closes what lineCreateMSPInstance made. There is one instance for each application.
        line_close_msp_instance TSPI_lineCloseMSPInstance Sync Version3
            (msp_line: MspLine(hdMSPLine))
            [not stated] (INVALPOINTER);
        /// Says, for LINEMAPPER, whether the line could now detect these media modes and make such
        /// a call. The detection that is active does not change.
        line_conditional_media_detection TSPI_lineConditionalMediaDetection Sync Required
            (line: Line(hdLine), media_modes: Number(dwMediaModes),
             call_params: [GivenOrNull LINECALLPARAMS](lpCallParams))
            [not stated] (INVALLINEHANDLE OPERATIONFAILED NODRIVER RESOURCEUNAVAIL NOMEM
                INVALMEDIAMODE OPERATIONUNAVAIL);
        /// Shows the dialog of a line device. It is obsolete: only TSPI 1.x has it, the 2.x header
        /// does not, and TUISPI_lineConfigDialog replaces it. It may be called while the line is
        /// open; the provider may refuse with INUSE.
        line_config_dialog TSPI_lineConfigDialog Sync Obsolete
            (device_id: DeviceId(dwDeviceID), owner: Window(hwndOwner),
             device_class: NarrowClass(lpszDeviceClass))
            [not stated] (INUSE OPERATIONUNAVAIL INVALDEVICECLASS OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Shows a dialog that edits a block of configuration, not the live device. It is obsolete:
        /// only TSPI 1.x has it, the 2.x header does not, and TUISPI_lineConfigDialogEdit replaces
        /// it. If it is not exported, TAPI answers OPERATIONUNAVAIL.
        line_config_dialog_edit TSPI_lineConfigDialogEdit Sync Obsolete
            (device_id: DeviceId(dwDeviceID), owner: Window(hwndOwner),
             device_class: NarrowClass(lpszDeviceClass),
             device_config_in: Config(lpDeviceConfigIn, dwSize),
             device_config_out: [Filled VARSTRING](lpDeviceConfigOut))
            [not stated] (INVALDEVICECLASS OPERATIONFAILED INVALPARAM RESOURCEUNAVAIL NODRIVER
                OPERATIONUNAVAIL NOMEM);
        /// Makes the provider's side of a channel to a media service provider. The provider keeps
        /// htMSPLine for LINE_SENDMSPDATA.
        line_create_msp_instance TSPI_lineCreateMSPInstance Sync Version3
            (line: Line(hdLine), address_id: Number(dwAddressID),
             msp_line: [New HTAPIMSPLINE HDRVMSPLINE](htMSPLine, lphdMSPLine))
            [not stated] (INVALLINEHANDLE INVALPOINTER);
        /// Drops a call for which no owner was found. It is obsolete: only TSPI 1.x has it (D16).
        line_drop_no_owner TSPI_lineDropNoOwner Sync Obsolete
            (call: Call(hdCall))
            [not stated] ();
        /// Drops a call whose only owner has closed the line. It is obsolete: only TSPI 1.x has it
        /// (D16).
        line_drop_on_close TSPI_lineDropOnClose Sync Obsolete
            (call: Call(hdCall))
            [not stated] ();
        /// Starts to collect digits into a buffer, or cancels it. LINE_GATHERDIGITS with
        /// dwEndToEndID reports the end.
        line_gather_digits TSPI_lineGatherDigits Sync Supplementary
            (call: Call(hdCall), end_to_end_id: Number(dwEndToEndID),
             digit_modes: Number(dwDigitModes), digits: DigitsLater(lpsDigits, dwNumDigits),
             termination_digits: DigitsOrNull(lpszTerminationDigits),
             first_digit_timeout: Number(dwFirstDigitTimeout),
             inter_digit_timeout: Number(dwInterDigitTimeout))
            [hdCall: any - Idle] (INVALCALLHANDLE RESOURCEUNAVAIL INVALCALLSTATE NOMEM INVALTIMEOUT
                OPERATIONUNAVAIL INVALDIGITMODE OPERATIONFAILED INVALDIGITS INVALPARAM);
        /// Starts to play digits on the call, or cancels it. LINE_GENERATE with dwEndToEndID
        /// reports the end. A comma is a pause, characters that are no digits are skipped silently,
        /// and the duration is kept within the limits of the dialling parameters.
        ///
        /// It returns when the digits have begun (K5). Without digits, what is being generated is
        /// cancelled (D17).
        line_generate_digits TSPI_lineGenerateDigits Sync Supplementary
            (call: Call(hdCall), end_to_end_id: Number(dwEndToEndID),
             digit_mode: Number(dwDigitMode), digits: DigitsOrNull(lpszDigits),
             duration: Number(dwDuration))
            [any] (INVALCALLHANDLE NOMEM INVALCALLSTATE OPERATIONUNAVAIL INVALDIGITMODE
                OPERATIONFAILED RESOURCEUNAVAIL);
        /// Starts to play a tone on the call; mode 0 cancels it. A duration of 0 is the default:
        /// the tone has no end, except for a billing tone, which plays one cycle.
        line_generate_tone TSPI_lineGenerateTone Sync Supplementary
            (call: Call(hdCall), end_to_end_id: Number(dwEndToEndID),
             tone_mode: Number(dwToneMode), duration: Number(dwDuration),
             num_tones: [CountedList LINEGENERATETONE](dwNumTones, lpTones))
            [hdCall: any - Idle] (INVALCALLHANDLE NOMEM INVALCALLSTATE OPERATIONUNAVAIL
                INVALTONEMODE OPERATIONFAILED INVALTONE RESOURCEUNAVAIL);
        /// Fills LINEADDRESSCAPS for an address of a device. TAPI has not checked the address id
        /// and the extension version. Afterwards TAPI adds the bits for owners and monitors and the
        /// call state UNKNOWN.
        line_get_address_caps TSPI_lineGetAddressCaps Sync Basic
            (device_id: DeviceId(dwDeviceID), address_id: Number(dwAddressID),
             version: Version(dwTSPIVersion), ext_version: Number(dwExtVersion),
             caps: [Filled LINEADDRESSCAPS](lpAddressCaps))
            [not stated] (INCOMPATIBLEAPIVERSION NOMEM INCOMPATIBLEEXTVERSION OPERATIONUNAVAIL
                INVALADDRESSID OPERATIONFAILED NODRIVER RESOURCEUNAVAIL);
        /// Translates an address of the line into its address id. For the mode DIALABLEADDR dwSize
        /// counts the terminator.
        line_get_address_id TSPI_lineGetAddressID Sync Basic
            (line: Line(hdLine), address_id: NumberOut(lpdwAddressID),
             address_mode: Number(dwAddressMode), address: SizedAddress(lpsAddress, dwSize))
            [not stated] (INVALLINEHANDLE OPERATIONUNAVAIL INVALADDRESS OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Fills LINEADDRESSSTATUS: numbers of calls, features, forwarding.
        line_get_address_status TSPI_lineGetAddressStatus Sync Basic
            (line: Line(hdLine), address_id: Number(dwAddressID),
             status: [Filled LINEADDRESSSTATUS](lpAddressStatus))
            [not stated] (INVALLINEHANDLE OPERATIONUNAVAIL INVALADDRESSID OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Returns the id of the address that a call is on. TAPI has no such function of its own;
        /// it needs this one for lineGetNewCalls by address.
        line_get_call_address_id TSPI_lineGetCallAddressID Sync Required
            (call: Call(hdCall), address_id: NumberOut(lpdwAddressID))
            [any] (NOMEM OPERATIONFAILED OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Returns how call hubs are tracked. The reference calls hdLine a call handle; it is the
        /// line's.
        line_get_call_hub_tracking TSPI_lineGetCallHubTracking Sync Version3
            (line: Line(hdLine), tracking_info: [Filled LINECALLHUBTRACKINGINFO](lpTrackingInfo))
            [any] ();
        /// Returns the address id, the call id and the related call id of a call.
        line_get_call_ids TSPI_lineGetCallIDs Sync Version3
            (call: Call(hdCall), address_id: NumberOut(lpdwAddressID),
             call_id: NumberOut(lpdwCallID), related_call_id: NumberOut(lpdwRelatedCallID))
            [not stated] ();
        /// Fills LINECALLINFO, what is known about a call. TAPI owns hLine, monitor modes, numbers
        /// of owners, the application's name, the displayable address, called party and comment.
        line_get_call_info TSPI_lineGetCallInfo Sync Basic
            (call: Call(hdCall), info: [Filled LINECALLINFO](lpCallInfo))
            [any] (INVALCALLHANDLE OPERATIONFAILED NOMEM RESOURCEUNAVAIL OPERATIONUNAVAIL);
        /// Fills LINECALLSTATUS: the state of a call, its mode, and the features offered in it.
        /// TAPI owns dwCallPrivilege.
        line_get_call_status TSPI_lineGetCallStatus Sync Basic
            (call: Call(hdCall), status: [Filled LINECALLSTATUS](lpCallStatus))
            [any] (INVALCALLHANDLE OPERATIONFAILED NOMEM RESOURCEUNAVAIL OPERATIONUNAVAIL);
        /// Fills LINEDEVCAPS with all LINETERMCAPS. Afterwards TAPI adds OPEN, CLOSE, REINIT and
        /// TRANSLATECHANGE to dwLineStates.
        line_get_dev_caps TSPI_lineGetDevCaps Sync Basic
            (device_id: DeviceId(dwDeviceID), version: Version(dwTSPIVersion),
             ext_version: Number(dwExtVersion), caps: [Filled LINEDEVCAPS](lpLineDevCaps))
            [not stated] (INCOMPATIBLEAPIVERSION OPERATIONUNAVAIL INCOMPATIBLEEXTVERSION
                OPERATIONFAILED NODRIVER RESOURCEUNAVAIL NOMEM);
        /// Returns the configuration of a media device as an opaque block (STRINGFORMAT_BINARY). If
        /// only the fixed part fits, it sets dwNeededSize and returns 0. The block must fit devices
        /// that belong to the line one to one. Temporary settings last until the line is closed.
        line_get_dev_config TSPI_lineGetDevConfig Sync Basic
            (device_id: DeviceId(dwDeviceID), device_config: [Filled VARSTRING](lpDeviceConfig),
             device_class: DeviceClass(lpszDeviceClass))
            [device] (INVALDEVICECLASS NOMEM INVALPOINTER OPERATIONUNAVAIL STRUCTURETOOSMALL
                OPERATIONFAILED NODRIVER RESOURCEUNAVAIL);
        /// Returns the 128-bit id of the vendor's extensions; all zero says that there are none.
        line_get_extension_id TSPI_lineGetExtensionID Sync Extended
            (device_id: DeviceId(dwDeviceID), version: Version(dwTSPIVersion),
             extension_id: [ExtensionOut LINEEXTENSIONID](lpExtensionID))
            [not stated] (NOMEM OPERATIONFAILED OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Returns an icon for a device class. For a NULL handle TAPI takes a generic one.
        line_get_icon TSPI_lineGetIcon Sync Basic
            (device_id: DeviceId(dwDeviceID), device_class: DeviceClass(lpszDeviceClass),
             icon: IconOut(lphIcon))
            [not stated] (INVALDEVICECLASS OPERATIONFAILED NOMEM RESOURCEUNAVAIL OPERATIONUNAVAIL);
        /// Returns the id of a device of a class ("wave/in", "comm/datamodem", "tapi/line" and
        /// others) that belongs to a line, an address or a call. It may duplicate a handle into
        /// hTargetProcess; INVALID_HANDLE_VALUE says that the process is on another machine.
        line_get_id TSPI_lineGetID Sync Basic
            (line: Line(hdLine), address_id: Number(dwAddressID), call: CallOrNull(hdCall),
             select: Number(dwSelect), device_id: [Filled VARSTRING](lpDeviceID),
             device_class: DeviceClass(lpszDeviceClass), target_process: Foreign(hTargetProcess))
            [not stated] (INVALLINEHANDLE NOMEM INVALADDRESSID OPERATIONUNAVAIL INVALCALLHANDLE
                OPERATIONFAILED NODEVICE RESOURCEUNAVAIL);
        /// Fills LINEDEVSTATUS: features, numbers of calls, whether the line is in service. TAPI
        /// owns dwNumOpens and dwOpenMediaModes.
        line_get_line_dev_status TSPI_lineGetLineDevStatus Sync Basic
            (line: Line(hdLine), status: [Filled LINEDEVSTATUS](lpLineDevStatus))
            [not stated] (INVALLINEHANDLE OPERATIONFAILED NOMEM RESOURCEUNAVAIL OPERATIONUNAVAIL);
        /// Returns the number of addresses on the line, at least 1. With it TAPI checks the address
        /// ids of lineSetNumRings, lineGetNumRings and lineGetNewCalls.
        line_get_num_address_ids TSPI_lineGetNumAddressIDs Sync Basic
            (line: Line(hdLine), num_address_i_ds: NumberOut(lpdwNumAddressIDs))
            [not stated] (NOMEM OPERATIONFAILED OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Starts to report digits one by one as they are detected; no modes (0) stop it, which
        /// always succeeds. It ends by itself when the call becomes IDLE.
        line_monitor_digits TSPI_lineMonitorDigits Sync Supplementary
            (call: Call(hdCall), digit_modes: Number(dwDigitModes))
            [hdCall: any - Idle Disconnected] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE
                OPERATIONFAILED INVALDIGITMODE RESOURCEUNAVAIL NOMEM);
        /// Starts to detect media modes; no modes (0) stop it, and it ends when the call becomes
        /// IDLE. TAPI passes the modes of all its clients together, without reserved bits. The
        /// media mode stored in LINECALLINFO never changes by it.
        line_monitor_media TSPI_lineMonitorMedia Sync Supplementary
            (call: Call(hdCall), media_modes: Number(dwMediaModes))
            [hdCall: any - Idle] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED
                INVALMEDIAMODE RESOURCEUNAVAIL NOMEM);
        /// Installs, replaces or removes the list of tones with the id dwToneListID. All lists are
        /// detected at once. A tone whose frequencies are all 0 is silence.
        line_monitor_tones TSPI_lineMonitorTones Sync Supplementary
            (call: Call(hdCall), tone_list_id: Number(dwToneListID),
             tones: [List LINEMONITORTONE](lpToneList, dwNumEntries))
            [hdCall: any - Idle] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED
                INVALTONE RESOURCEUNAVAIL NOMEM INVALPOINTER);
        /// Returns the CLSID of the media service provider that belongs to a line. It is called
        /// only for a line with LINEDEVCAPFLAGS_MSP.
        line_msp_identify TSPI_lineMSPIdentify Sync Version3
            (device_id: DeviceId(dwDeviceID), class_id: GuidOut(pCLSID))
            [not stated] (OPERATIONUNAVAIL);
        /// Negotiates a version of the vendor's extensions. INITIALIZE_NEGOTIATION is not allowed
        /// as the device. While a version is selected only that one is negotiated, and another one
        /// fails with INCOMPATIBLEEXTVERSION.
        line_negotiate_ext_version TSPI_lineNegotiateExtVersion Sync Extended
            (device_id: DeviceId(dwDeviceID), version: Version(dwTSPIVersion),
             low: Number(dwLowVersion), high: Number(dwHighVersion),
             ext_version: NumberOut(lpdwExtVersion))
            [not stated] (INCOMPATIBLEAPIVERSION OPERATIONUNAVAIL INCOMPATIBLEEXTVERSION
                OPERATIONFAILED NODRIVER RESOURCEUNAVAIL NOMEM);
        /// Returns the highest version of TSPI that both sides know. For INITIALIZE_NEGOTIATION it
        /// must never return OPERATIONUNAVAIL.
        line_negotiate_tspi_version TSPI_lineNegotiateTSPIVersion Sync Basic
            (device_id: DeviceId(dwDeviceID), low: Number(dwLowVersion),
             high: Number(dwHighVersion), version: VersionOut(lpdwTSPIVersion))
            [not stated] (INCOMPATIBLEAPIVERSION OPERATIONUNAVAIL NODRIVER OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Opens the line: both sides exchange handles, and the provider gets the LINEEVENT
        /// procedure. It should take little time.
        line_open TSPI_lineOpen Sync Basic
            (device_id: DeviceId(dwDeviceID), line: [New HTAPILINE HDRVLINE](htLine, lphdLine),
             version: Version(dwTSPIVersion), event_proc: LineEvents(lpfnEventProc))
            [not stated] (ALLOCATED OPERATIONUNAVAIL NODRIVER OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Takes opaque data from the media service provider.
        line_receive_msp_data TSPI_lineReceiveMSPData Sync Version3
            (line: Line(hdLine), call: CallOrNull(hdCall), msp_line: MspLine(hdMSPLine),
             buffer: Params(pBuffer, dwSize))
            [not stated] ();
        /// Selects a version of the vendor's extensions for the line; 0 cancels the selection.
        line_select_ext_version TSPI_lineSelectExtVersion Sync Extended
            (line: Line(hdLine), ext_version: Number(dwExtVersion))
            [not stated] (INCOMPATIBLEEXTVERSION OPERATIONFAILED NOMEM RESOURCEUNAVAIL
                OPERATIONUNAVAIL);
        /// Sets the call's dwAppSpecific, which the provider does not interpret. LINE_CALLINFO with
        /// APPSPECIFIC reports it.
        line_set_app_specific TSPI_lineSetAppSpecific Sync Basic
            (call: Call(hdCall), app_specific: Number(dwAppSpecific))
            [any] (INVALCALLHANDLE OPERATIONFAILED NOMEM RESOURCEUNAVAIL OPERATIONUNAVAIL);
        /// Turns the tracking of call hubs on or off. The reference speaks of a call handle, as its
        /// error does; hdLine is the line's.
        line_set_call_hub_tracking TSPI_lineSetCallHubTracking Sync Version3
            (line: Line(hdLine),
             tracking_info: [Changeable LINECALLHUBTRACKINGINFO](lpTrackingInfo))
            [any] (INVALCALLHANDLE NOMEM OPERATIONFAILED OPERATIONUNAVAIL RESOURCEUNAVAIL);
        /// Says which location the user dials from. It is obsolete (D16).
        line_set_current_location TSPI_lineSetCurrentLocation Sync Obsolete
            (location: Number(dwLocation))
            [not stated] ();
        /// Sets the media modes that all applications with the line open want, which may be none
        /// (0). They are detected for each new call from its start. If it fails, lineOpen fails.
        line_set_default_media_detection TSPI_lineSetDefaultMediaDetection Sync Required
            (line: Line(hdLine), media_modes: Number(dwMediaModes))
            [not stated] (INVALLINEHANDLE OPERATIONFAILED INVALMEDIAMODE RESOURCEUNAVAIL NOMEM
                NODRIVER OPERATIONUNAVAIL);
        /// Restores the configuration of a media device from an opaque block. A block that is not
        /// valid is INVALPARAM; a configuration that can't be changed now is INVALLINESTATE.
        line_set_dev_config TSPI_lineSetDevConfig Sync Basic
            (device_id: DeviceId(dwDeviceID), device_config: Config(lpDeviceConfig, dwSize),
             device_class: DeviceClass(lpszDeviceClass))
            [device] (INVALDEVICECLASS NOMEM INVALPOINTER OPERATIONUNAVAIL INVALPARAM
                OPERATIONFAILED INVALLINESTATE RESOURCEUNAVAIL NODRIVER);
        /// Installs actions on media that digits, media modes, tones or call states trigger. A NULL
        /// list disables the actions of its kind.
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
        /// Sets the media mode that is stored for a call; it is advisory. Several bits are valid
        /// only together with UNKNOWN. TAPI has checked that there is at least one bit and no
        /// reserved one.
        line_set_media_mode TSPI_lineSetMediaMode Sync Supplementary
            (call: Call(hdCall), media_mode: Number(dwMediaMode))
            [any] (INVALCALLHANDLE OPERATIONUNAVAIL INVALMEDIAMODE OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Sets which `LINEDEVSTATE_` and `LINEADDRESSSTATE_` events the provider sends at least:
        /// those that any application wants. Initially there are none.
        line_set_status_messages TSPI_lineSetStatusMessages Sync Basic
            (line: Line(hdLine), line_states: Number(dwLineStates),
             address_states: Number(dwAddressStates))
            [not stated] (INVALADDRESSSTATE OPERATIONUNAVAIL INVALLINEHANDLE OPERATIONFAILED
                INVALLINESTATE RESOURCEUNAVAIL NOMEM);
    } };
}
line_sync_rows! { functions, { LINE_SYNC }, {}, }
