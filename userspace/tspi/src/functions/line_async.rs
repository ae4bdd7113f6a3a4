//! The 33 asynchronous line functions: each returns its request id and completes later.

use super::table::functions;
use super::*;

/// The asynchronous line functions, a row each.
#[doc(hidden)]
#[macro_export]
macro_rules! line_async_rows {
    ($($then:tt)*) => { $crate::take_rows! { [$($then)*] Line LineError
        /// Accepts an offered call, which claims it and may start alerting; the call becomes
        /// ACCEPTED. An address on which alerting depends on it announces
        /// LINEADDRCAPFLAGS_ACCEPTTOALERT.
        line_accept TSPI_lineAccept Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall),
             user_user_info: UserInfo(lpsUserUserInfo, dwSize))
            [hdCall: Offering] (INVALCALLHANDLE OPERATIONFAILED INVALCALLSTATE RESOURCEUNAVAIL NOMEM
                USERUSERINFOTOOBIG OPERATIONUNAVAIL);
        /// Adds the consultation call to the conference.
        line_add_to_conference TSPI_lineAddToConference Async Supplementary
            (request: Request(dwRequestID), conf_call: Call(hdConfCall),
             consult_call: Call(hdConsultCall))
            [hdConfCall: OnHoldPendConf OnHold, hdConsultCall: Connected OnHold Proceeding Ringback]
                (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED CONFERENCEFULL
                RESOURCEUNAVAIL NOMEM);
        /// Answers an offered call, which becomes CONNECTED. The answer mode of the line says what
        /// happens to another active call: nothing, it is dropped, or it is held.
        line_answer TSPI_lineAnswer Async Basic
            (request: Request(dwRequestID), call: Call(hdCall),
             user_user_info: UserInfo(lpsUserUserInfo, dwSize))
            [hdCall: Offering Accepted] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE
                OPERATIONFAILED INUSE RESOURCEUNAVAIL NOMEM USERUSERINFOTOOBIG);
        /// Transfers the call in one step; it becomes IDLE, and its handle stays valid until
        /// lineCloseCall. After INVALADDRESS nothing has been dialled.
        line_blind_transfer TSPI_lineBlindTransfer Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall),
             dest_address: Address(lpszDestAddress), country_code: Number(dwCountryCode))
            [hdCall: Connected] (INVALCALLHANDLE NOMEM INVALCALLSTATE OPERATIONUNAVAIL INVALADDRESS
                OPERATIONFAILED ADDRESSBLOCKED RESOURCEUNAVAIL INVALCOUNTRYCODE);
        /// Asks the switch to complete a call that can't be connected now: by camp-on, callback,
        /// intrusion or a message. It writes a completion id. A callback comes later as a call that
        /// is OFFERING with the reason CALLCOMPLETION.
        line_complete_call TSPI_lineCompleteCall Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall),
             completion_id: NumberLater(lpdwCompletionID),
             completion_mode: Number(dwCompletionMode), message_id: Number(dwMessageID))
            [hdCall: Busy Ringback Proceeding] (INVALCALLHANDLE NOMEM INVALCALLSTATE
                OPERATIONUNAVAIL INVALCALLCOMPLMODE OPERATIONFAILED INVALPOINTER RESOURCEUNAVAIL
                COMPLETIONOVERRUN INVALMESSAGEID);
        /// Finishes a transfer by consultation, after which both calls become IDLE. Or it makes a
        /// conference of three: both calls become CONFERENCED, and a new conference call becomes
        /// CONNECTED.
        line_complete_transfer TSPI_lineCompleteTransfer Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall), consult_call: Call(hdConsultCall),
             conf_call: NewCallOrNone(htConfCall, lphdConfCall),
             transfer_mode: Number(dwTransferMode))
            [hdCall: OnHoldPendTransfer, hdConsultCall: Connected Ringback Busy Proceeding]
                (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Carries a vendor's own function to a line, an address or a call. The provider's answers
        /// come by LINE_DEVSPECIFIC or LINE_CALLDEVSPECIFIC. The parameters are a block of bytes
        /// without pointers.
        line_dev_specific TSPI_lineDevSpecific Async Extended
            (request: Request(dwRequestID), line: Line(hdLine), address_id: Number(dwAddressID),
             call: CallOrNull(hdCall), params: Params(lpParams, dwSize))
            [device] (INVALLINEHANDLE OPERATIONUNAVAIL INVALADDRESSID OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Presses a feature key of the switch, named by its `PHONEBUTTONFUNCTION_` id. It is
        /// called only after an extension version was selected.
        line_dev_specific_feature TSPI_lineDevSpecificFeature Async Extended
            (request: Request(dwRequestID), line: Line(hdLine), feature: Number(dwFeature),
             params: Params(lpParams, dwSize))
            [device] (INVALFEATURE OPERATIONUNAVAIL INVALLINEHANDLE OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Dials the digits, or further digits, on an existing call. An empty string after an
        /// address that ended in ';' says that dialling is complete. The request completes when the
        /// address has been accepted, not when the call is connected (N12).
        line_dial TSPI_lineDial Async Basic
            (request: Request(dwRequestID), call: Call(hdCall),
             dest_address: Address(lpszDestAddress), country_code: Number(dwCountryCode))
            [hdCall: any - Idle Disconnected] (INVALCALLHANDLE OPERATIONFAILED INVALADDRESS
                RESOURCEUNAVAIL INVALCOUNTRYCODE DIALBILLING INVALCALLSTATE DIALQUIET ADDRESSBLOCKED
                DIALDIALTONE NOMEM DIALPROMPT OPERATIONUNAVAIL);
        /// Ends a call: it disconnects, abandons or rejects it. The call becomes IDLE, and the
        /// states of related calls may change too.
        line_drop TSPI_lineDrop Async Basic
            (request: Request(dwRequestID), call: Call(hdCall),
             user_user_info: UserInfo(lpsUserUserInfo, dwSize))
            [hdCall: any - Idle] (INVALCALLHANDLE OPERATIONFAILED INVALCALLSTATE RESOURCEUNAVAIL
                NOMEM USERUSERINFOTOOBIG OPERATIONUNAVAIL);
        /// Sets, replaces or cancels forwarding or do-not-disturb. It may make a consultation call.
        /// It completes when the request is accepted; LINE_ADDRESSSTATE with FORWARD reports that
        /// forwarding has changed (N12).
        line_forward TSPI_lineForward Async Supplementary
            (request: Request(dwRequestID), line: Line(hdLine),
             all_addresses: Number(bAllAddresses), address_id: Number(dwAddressID),
             forward_list: [GivenOrNull LINEFORWARDLIST](lpForwardList),
             num_rings_no_answer: Number(dwNumRingsNoAnswer),
             consult_call: NewCallOrNone(htConsultCall, lphdConsultCall),
             call_params: [GivenOrNull LINECALLPARAMS](lpCallParams))
            [not stated] (INVALLINEHANDLE NOMEM INVALADDRESS OPERATIONUNAVAIL INVALADDRESSID
                OPERATIONFAILED INVALCOUNTRYCODE RESOURCEUNAVAIL INVALPARAM STRUCTURETOOSMALL);
        /// Puts the call on hard hold; it becomes ONHOLD.
        line_hold TSPI_lineHold Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall))
            [hdCall: Connected] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED
                NOMEM RESOURCEUNAVAIL);
        /// Places a call. Without an address, or with an empty one, the line only goes off-hook,
        /// and the call becomes DIALTONE; a ';' at the end says that more digits follow. If the
        /// parameters ask for an idle line and there is no dial tone, the error is CALLUNAVAIL.
        ///
        /// The new handle may be given to `line_close_call` at once (N1, N6), to other functions
        /// after completion(0) (N3). What can be refused without the hardware is refused at once,
        /// before anything has happened (R7).
        line_make_call TSPI_lineMakeCall Async Basic
            (request: Request(dwRequestID), line: Line(hdLine),
             call: [New HTAPICALL HDRVCALL](htCall, lphdCall),
             dest_address: AddressOrNull(lpszDestAddress), country_code: Number(dwCountryCode),
             params: [GivenOrNull LINECALLPARAMS](lpCallParams))
            [not stated] (ADDRESSBLOCKED INVALLINESTATE BEARERMODEUNAVAIL INVALRATE CALLUNAVAIL
                INVALLINEHANDLE DIALBILLING INVALADDRESS DIALQUIET INVALADDRESSID DIALDIALTONE
                INVALCALLPARAMS DIALPROMPT NOMEM INUSE OPERATIONUNAVAIL INVALADDRESSMODE
                OPERATIONFAILED INVALBEARERMODE RESOURCEUNAVAIL INVALCOUNTRYCODE RATEUNAVAIL
                INVALMEDIAMODE USERUSERINFOTOOBIG);
        /// Parks a call at an address that is given (directed) or that the switch chooses
        /// (non-directed); the call becomes IDLE. For a non-directed park it writes the address
        /// into the VARSTRING.
        line_park TSPI_linePark Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall), park_mode: Number(dwParkMode),
             dir_address: AddressOrNull(lpszDirAddress),
             non_dir_address: [FilledLater VARSTRING](lpNonDirAddress))
            [hdCall: Connected] (INVALCALLHANDLE NOMEM INVALPARKMODE OPERATIONUNAVAIL INVALCALLSTATE
                OPERATIONFAILED INVALADDRESS RESOURCEUNAVAIL STRUCTURETOOSMALL);
        /// Picks up a call that alerts elsewhere, as a new call with the reason PICKUP. Without an
        /// address it picks up a call of the group.
        line_pickup TSPI_linePickup Async Supplementary
            (request: Request(dwRequestID), line: Line(hdLine), address_id: Number(dwAddressID),
             call: [New HTAPICALL HDRVCALL](htCall, lphdCall),
             dest_address: AddressOrNull(lpszDestAddress),
             group_id: GroupOrNull(lpszGroupID))
            [not stated] (INVALLINEHANDLE NOMEM INVALADDRESSID OPERATIONUNAVAIL INVALADDRESS
                OPERATIONFAILED INVALGROUPID RESOURCEUNAVAIL);
        /// Prepares for a further party: the conference call becomes ONHOLDPENDCONF, and a new
        /// consultation call is made.
        line_prepare_add_to_conference TSPI_linePrepareAddToConference Async Supplementary
            (request: Request(dwRequestID), conf_call: Call(hdConfCall),
             consult_call: [New HTAPICALL HDRVCALL](htConsultCall, lphdConsultCall),
             call_params: [GivenOrNull LINECALLPARAMS](lpCallParams))
            [hdConfCall: Connected] (BEARERMODEUNAVAIL INVALLINESTATE CALLUNAVAIL INVALMEDIAMODE
                CONFERENCEFULL INVALRATE INUSE NOMEM INVALADDRESSMODE OPERATIONUNAVAIL
                INVALBEARERMODE OPERATIONFAILED INVALCALLPARAMS RATEUNAVAIL INVALCALLSTATE
                RESOURCEUNAVAIL INVALCONFCALLHANDLE USERUSERINFOTOOBIG);
        /// Sends an offered call on to another address without answering it; the call becomes IDLE.
        line_redirect TSPI_lineRedirect Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall),
             dest_address: Address(lpszDestAddress), country_code: Number(dwCountryCode))
            [hdCall: Offering] (INVALCALLHANDLE NOMEM INVALCALLSTATE OPERATIONUNAVAIL
                INVALCOUNTRYCODE OPERATIONFAILED INVALADDRESS RESOURCEUNAVAIL);
        /// Says that the application has read the call's user-user information, which the next one
        /// may overwrite. It succeeds also if there is none.
        line_release_user_user_info TSPI_lineReleaseUserUserInfo Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall))
            [any] (INVALCALLHANDLE OPERATIONFAILED NOMEM RESOURCEUNAVAIL);
        /// Takes a party out of its conference. dwRemoveFromConfState in the address capabilities
        /// gives the state of the call afterwards.
        line_remove_from_conference TSPI_lineRemoveFromConference Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall))
            [hdCall: Conferenced] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED
                NOMEM RESOURCEUNAVAIL);
        /// Protects the call from interruptions, such as tones of call waiting, until it ends.
        line_secure_call TSPI_lineSecureCall Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall))
            [hdCall: any - Idle] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED
                NOMEM RESOURCEUNAVAIL);
        /// Sends user-user information to the other end. The provider splits and joins it as
        /// messages of the network require.
        line_send_user_user_info TSPI_lineSendUserUserInfo Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall),
             user_user_info: UserInfo(lpsUserUserInfo, dwSize))
            [hdCall: Connected Offering Accepted Ringback] (INVALCALLHANDLE OPERATIONFAILED
                INVALCALLSTATE RESOURCEUNAVAIL NOMEM USERUSERINFOTOOBIG OPERATIONUNAVAIL);
        /// Attaches a block of bytes to the call; 0 bytes remove it. LINE_CALLINFO with CALLDATA
        /// reports it.
        line_set_call_data TSPI_lineSetCallData Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall),
             call_data: Params(lpCallData, dwSize))
            [not stated] (INVALCALLSTATE INVALPARAM NOMEM OPERATIONFAILED RESOURCEUNAVAIL);
        /// Changes the bearer mode, the rate and the dialling parameters of a call.
        line_set_call_params TSPI_lineSetCallParams Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall), bearer_mode: Number(dwBearerMode),
             min_rate: Number(dwMinRate), max_rate: Number(dwMaxRate),
             dial_params: [RecordOrNull LINEDIALPARAMS](lpDialParams))
            [hdCall: any - Idle Disconnected] (INVALCALLHANDLE RATEUNAVAIL INVALCALLSTATE NOMEM
                INVALBEARERMODE OPERATIONUNAVAIL INVALPOINTER OPERATIONFAILED INVALRATE
                RESOURCEUNAVAIL BEARERMODEUNAVAIL);
        /// Negotiates another quality of service for a call; if that fails, the old one stays.
        /// LINE_CALLINFO with QOS reports the new one.
        line_set_call_quality_of_service TSPI_lineSetCallQualityOfService Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall),
             sending_flowspec: Params(lpSendingFlowspec, dwSendingFlowspecSize),
             receiving_flowspec: Params(lpReceivingFlowspec, dwReceivingFlowspecSize))
            [not stated] (INVALCALLSTATE INVALRATE NOMEM OPERATIONFAILED RATEUNAVAIL
                RESOURCEUNAVAIL);
        /// Sets what a party hears that is not answered or on hold. It takes effect now, or with
        /// the next state in which it applies. LINE_CALLINFO with TREATMENT reports it.
        line_set_call_treatment TSPI_lineSetCallTreatment Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall), treatment: Number(dwTreatment))
            [not stated] (INVALCALLSTATE INVALPARAM NOMEM OPERATIONFAILED RESOURCEUNAVAIL);
        /// Sets or clears status bits of the line device: connected, message waiting, in service,
        /// locked. LINE_LINEDEVSTATE reports the change.
        line_set_line_dev_status TSPI_lineSetLineDevStatus Async Supplementary
            (request: Request(dwRequestID), line: Line(hdLine),
             status_to_change: Number(dwStatusToChange), status: Number(fStatus))
            [not stated] (INVALLINESTATE INVALPARAM NOMEM OPERATIONFAILED RESOURCEUNAVAIL);
        /// Routes low-level events or media to a terminal, or no longer.
        line_set_terminal TSPI_lineSetTerminal Async Supplementary
            (request: Request(dwRequestID), line: Line(hdLine), address_id: Number(dwAddressID),
             call: CallOrNull(hdCall), select: Number(dwSelect),
             terminal_modes: Number(dwTerminalModes), terminal_id: Number(dwTerminalID),
             enable: Number(bEnable))
            [any] (INVALLINEHANDLE INVALTERMINALID INVALADDRESSID RESOURCEUNAVAIL INVALCALLHANDLE
                NOMEM INVALCALLSELECT OPERATIONUNAVAIL INVALTERMINALMODE OPERATIONFAILED);
        /// Makes a conference call and a consultation call for its next party, from an existing
        /// call, or from none if the address announces SETUPCONFNULL. The conference becomes
        /// ONHOLDPENDCONF, the consultation call DIALTONE, and the existing call CONFERENCED.
        line_setup_conference TSPI_lineSetupConference Async Supplementary
            (request: Request(dwRequestID), call: CallOrNull(hdCall), line: LineOrNull(hdLine),
             conf_call: [New HTAPICALL HDRVCALL](htConfCall, lphdConfCall),
             consult_call: [New HTAPICALL HDRVCALL](htConsultCall, lphdConsultCall),
             num_parties: Number(dwNumParties),
             call_params: [GivenOrNull LINECALLPARAMS](lpCallParams))
            [hdCall: Connected | NULL] (INVALCALLHANDLE INVALADDRESSMODE INVALLINEHANDLE
                INVALBEARERMODE INVALCALLSTATE INVALCALLPARAMS CALLUNAVAIL INVALLINESTATE
                CONFERENCEFULL INVALMEDIAMODE NOMEM INVALRATE OPERATIONUNAVAIL INUSE OPERATIONFAILED
                RATEUNAVAIL RESOURCEUNAVAIL USERUSERINFOTOOBIG BEARERMODEUNAVAIL);
        /// Begins a transfer by consultation: the call becomes ONHOLDPENDTRANSFER, and a new
        /// consultation call DIALTONE. A switch that transfers held or freshly made calls
        /// (TRANSFERHELD, TRANSFERMAKE) answers OPERATIONFAILED.
        line_setup_transfer TSPI_lineSetupTransfer Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall),
             consult_call: [New HTAPICALL HDRVCALL](htConsultCall, lphdConsultCall),
             call_params: [GivenOrNull LINECALLPARAMS](lpCallParams))
            [hdCall: Connected] (INVALCALLHANDLE INVALBEARERMODE INVALCALLSTATE INVALRATE
                CALLUNAVAIL INVALCALLPARAMS NOMEM INVALLINESTATE OPERATIONUNAVAIL INVALMEDIAMODE
                OPERATIONFAILED INUSE RESOURCEUNAVAIL BEARERMODEUNAVAIL RATEUNAVAIL INVALADDRESSMODE
                USERUSERINFOTOOBIG);
        /// Exchanges the active call and a call on hold or on consultation hold.
        line_swap_hold TSPI_lineSwapHold Async Supplementary
            (request: Request(dwRequestID), active_call: Call(hdActiveCall),
             held_call: Call(hdHeldCall))
            [hdActiveCall: Connected, hdHeldCall: OnHoldPendTransfer OnHoldPendConf OnHold]
                (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Cancels a request to complete a call, named by its completion id.
        line_uncomplete_call TSPI_lineUncompleteCall Async Supplementary
            (request: Request(dwRequestID), line: Line(hdLine),
             completion_id: Number(dwCompletionID))
            [not stated] (INVALLINEHANDLE OPERATIONUNAVAIL INVALCOMPLETIONID OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Takes a call back from hard hold or consultation hold; it becomes CONNECTED, and a
        /// consultation call becomes IDLE.
        line_unhold TSPI_lineUnhold Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall))
            [hdCall: OnHold OnHoldPendTransfer OnHoldPendConf] (INVALCALLHANDLE OPERATIONUNAVAIL
                INVALCALLSTATE OPERATIONFAILED NOMEM RESOURCEUNAVAIL);
        /// Takes a parked call back, as a new call.
        line_unpark TSPI_lineUnpark Async Supplementary
            (request: Request(dwRequestID), line: Line(hdLine), address_id: Number(dwAddressID),
             call: [New HTAPICALL HDRVCALL](htCall, lphdCall),
             dest_address: Address(lpszDestAddress))
            [not stated] (INVALLINEHANDLE NOMEM INVALPOINTER OPERATIONUNAVAIL INVALADDRESSID
                OPERATIONFAILED INVALADDRESS RESOURCEUNAVAIL);
    } };
}
line_async_rows! { functions, { LINE_ASYNC }, {}, }
