//! The 33 asynchronous line functions: each returns its request id and completes later.

use super::table::functions;
use super::*;

/// The asynchronous line functions, a row each.
#[doc(hidden)]
#[macro_export]
macro_rules! line_async_rows {
    ($($then:tt)*) => { $crate::take_rows! { [$($then)*] Line LineError
        /// Accept an offered call (claims it / starts alerting); -> accepted. Needs
        /// LINEADDRCAPFLAGS_ACCEPTTOALERT if alerting depends on it.
        line_accept TSPI_lineAccept Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall),
             user_user_info: UserInfo(lpsUserUserInfo, dwSize))
            [hdCall: Offering] (INVALCALLHANDLE OPERATIONFAILED INVALCALLSTATE RESOURCEUNAVAIL NOMEM
                USERUSERINFOTOOBIG OPERATIONUNAVAIL);
        /// Join consultation call into conference.
        line_add_to_conference TSPI_lineAddToConference Async Supplementary
            (request: Request(dwRequestID), conf_call: Call(hdConfCall),
             consult_call: Call(hdConsultCall))
            [hdConfCall: OnHoldPendConf OnHold, hdConsultCall: Connected OnHold Proceeding Ringback]
                (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED CONFERENCEFULL
                RESOURCEUNAVAIL NOMEM);
        /// Answer an offered call -> connected; effect on another active call per answer mode
        /// (none/drop/hold).
        line_answer TSPI_lineAnswer Async Basic
            (request: Request(dwRequestID), call: Call(hdCall),
             user_user_info: UserInfo(lpsUserUserInfo, dwSize))
            [hdCall: Offering Accepted] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE
                OPERATIONFAILED INUSE RESOURCEUNAVAIL NOMEM USERUSERINFOTOOBIG);
        /// One-step transfer; call -> idle, handle stays valid until lineCloseCall; no dialling if
        /// INVALADDRESS.
        line_blind_transfer TSPI_lineBlindTransfer Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall),
             dest_address: Address(lpszDestAddress), country_code: Number(dwCountryCode))
            [hdCall: Connected] (INVALCALLHANDLE NOMEM INVALCALLSTATE OPERATIONUNAVAIL INVALADDRESS
                OPERATIONFAILED ADDRESSBLOCKED RESOURCEUNAVAIL INVALCOUNTRYCODE);
        /// Camp-on / callback / intrude / message for a call that cannot connect; writes completion
        /// id; later OFFERING with reason CALLCOMPLETION.
        line_complete_call TSPI_lineCompleteCall Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall),
             completion_id: NumberLater(lpdwCompletionID),
             completion_mode: Number(dwCompletionMode), message_id: Number(dwMessageID))
            [hdCall: Busy Ringback Proceeding] (INVALCALLHANDLE NOMEM INVALCALLSTATE
                OPERATIONUNAVAIL INVALCALLCOMPLMODE OPERATIONFAILED INVALPOINTER RESOURCEUNAVAIL
                COMPLETIONOVERRUN INVALMESSAGEID);
        /// Finish consultation transfer (both calls -> idle) or turn into 3-way conference (both ->
        /// conferenced, new conf call -> connected).
        line_complete_transfer TSPI_lineCompleteTransfer Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall), consult_call: Call(hdConsultCall),
             conf_call: NewCallOrNone(htConfCall, lphdConfCall),
             transfer_mode: Number(dwTransferMode))
            [hdCall: OnHoldPendTransfer, hdConsultCall: Connected Ringback Busy Proceeding]
                (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Vendor escape on line/address/call; answers via LINE_(CALL)DEVSPECIFIC; blob has no
        /// pointers.
        line_dev_specific TSPI_lineDevSpecific Async Extended
            (request: Request(dwRequestID), line: Line(hdLine), address_id: Number(dwAddressID),
             call: CallOrNull(hdCall), params: Params(lpParams, dwSize))
            [device] (INVALLINEHANDLE OPERATIONUNAVAIL INVALADDRESSID OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Press a switch feature key (`PHONEBUTTONFUNCTION_` id); only after an extension version
        /// was selected.
        line_dev_specific_feature TSPI_lineDevSpecificFeature Async Extended
            (request: Request(dwRequestID), line: Line(hdLine), feature: Number(dwFeature),
             params: Params(lpParams, dwSize))
            [device] (INVALFEATURE OPERATIONUNAVAIL INVALLINEHANDLE OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Dial (more) digits on an existing call; empty string after a ";" = dialling complete;
        /// done when address accepted.
        line_dial TSPI_lineDial Async Basic
            (request: Request(dwRequestID), call: Call(hdCall),
             dest_address: Address(lpszDestAddress), country_code: Number(dwCountryCode))
            [hdCall: any - Idle Disconnected] (INVALCALLHANDLE OPERATIONFAILED INVALADDRESS
                RESOURCEUNAVAIL INVALCOUNTRYCODE DIALBILLING INVALCALLSTATE DIALQUIET ADDRESSBLOCKED
                DIALDIALTONE NOMEM DIALPROMPT OPERATIONUNAVAIL);
        /// Disconnect / abandon / reject; -> idle; related calls may change too.
        line_drop TSPI_lineDrop Async Basic
            (request: Request(dwRequestID), call: Call(hdCall),
             user_user_info: UserInfo(lpsUserUserInfo, dwSize))
            [hdCall: any - Idle] (INVALCALLHANDLE OPERATIONFAILED INVALCALLSTATE RESOURCEUNAVAIL
                NOMEM USERUSERINFOTOOBIG OPERATIONUNAVAIL);
        /// Set/replace/cancel forwarding or do-not-disturb; may create a consultation call; effect
        /// told by LINE_ADDRESSSTATE(FORWARD).
        line_forward TSPI_lineForward Async Supplementary
            (request: Request(dwRequestID), line: Line(hdLine),
             all_addresses: Number(bAllAddresses), address_id: Number(dwAddressID),
             forward_list: [GivenOrNull LINEFORWARDLIST](lpForwardList),
             num_rings_no_answer: Number(dwNumRingsNoAnswer),
             consult_call: NewCallOrNone(htConsultCall, lphdConsultCall),
             call_params: [GivenOrNull LINECALLPARAMS](lpCallParams))
            [not stated] (INVALLINEHANDLE NOMEM INVALADDRESS OPERATIONUNAVAIL INVALADDRESSID
                OPERATIONFAILED INVALCOUNTRYCODE RESOURCEUNAVAIL INVALPARAM STRUCTURETOOSMALL);
        /// Hard hold -> onHold.
        line_hold TSPI_lineHold Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall))
            [hdCall: Connected] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED
                NOMEM RESOURCEUNAVAIL);
        /// Place a call (NULL address = just go off-hook -> dialtone; trailing ";" = partial dial).
        /// IDLE param flag + no dial tone -> CALLUNAVAIL.
        ///
        /// Without an address, or with an empty one, the line is only taken. The new handle may be
        /// given to `line_close_call` at once (N1, N6), to others after completion(0) (N3). What
        /// can be judged without the hardware is returned directly, and nothing has happened (R7).
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
        /// Park directed/non-directed; -> idle; returns park address in VARSTRING.
        line_park TSPI_linePark Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall), park_mode: Number(dwParkMode),
             dir_address: AddressOrNull(lpszDirAddress),
             non_dir_address: [FilledLater VARSTRING](lpNonDirAddress))
            [hdCall: Connected] (INVALCALLHANDLE NOMEM INVALPARKMODE OPERATIONUNAVAIL INVALCALLSTATE
                OPERATIONFAILED INVALADDRESS RESOURCEUNAVAIL STRUCTURETOOSMALL);
        /// Pick up a call alerting elsewhere (NULL address = group pickup); reason PICKUP.
        line_pickup TSPI_linePickup Async Supplementary
            (request: Request(dwRequestID), line: Line(hdLine), address_id: Number(dwAddressID),
             call: [New HTAPICALL HDRVCALL](htCall, lphdCall),
             dest_address: AddressOrNull(lpszDestAddress),
             group_id: GroupOrNull(lpszGroupID))
            [not stated] (INVALLINEHANDLE NOMEM INVALADDRESSID OPERATIONUNAVAIL INVALADDRESS
                OPERATIONFAILED INVALGROUPID RESOURCEUNAVAIL);
        /// Put conference on onHoldPendConf, make consultation call.
        line_prepare_add_to_conference TSPI_linePrepareAddToConference Async Supplementary
            (request: Request(dwRequestID), conf_call: Call(hdConfCall),
             consult_call: [New HTAPICALL HDRVCALL](htConsultCall, lphdConsultCall),
             call_params: [GivenOrNull LINECALLPARAMS](lpCallParams))
            [hdConfCall: Connected] (BEARERMODEUNAVAIL INVALLINESTATE CALLUNAVAIL INVALMEDIAMODE
                CONFERENCEFULL INVALRATE INUSE NOMEM INVALADDRESSMODE OPERATIONUNAVAIL
                INVALBEARERMODE OPERATIONFAILED INVALCALLPARAMS RATEUNAVAIL INVALCALLSTATE
                RESOURCEUNAVAIL INVALCONFCALLHANDLE USERUSERINFOTOOBIG);
        /// Deflect an offered call without answering; -> idle.
        line_redirect TSPI_lineRedirect Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall),
             dest_address: Address(lpszDestAddress), country_code: Number(dwCountryCode))
            [hdCall: Offering] (INVALCALLHANDLE NOMEM INVALCALLSTATE OPERATIONUNAVAIL
                INVALCOUNTRYCODE OPERATIONFAILED INVALADDRESS RESOURCEUNAVAIL);
        /// App has read user-user info; next one may overwrite; success even if none.
        line_release_user_user_info TSPI_lineReleaseUserUserInfo Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall))
            [any] (INVALCALLHANDLE OPERATIONFAILED NOMEM RESOURCEUNAVAIL);
        /// Take a party out; resulting state announced in dwRemoveFromConfState.
        line_remove_from_conference TSPI_lineRemoveFromConference Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall))
            [hdCall: Conferenced] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED
                NOMEM RESOURCEUNAVAIL);
        /// Protect the call from interruptions (e.g. call-waiting tones) for its whole life.
        line_secure_call TSPI_lineSecureCall Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall))
            [hdCall: any - Idle] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED
                NOMEM RESOURCEUNAVAIL);
        /// Send user-user info; provider splits/joins network messages.
        line_send_user_user_info TSPI_lineSendUserUserInfo Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall),
             user_user_info: UserInfo(lpsUserUserInfo, dwSize))
            [hdCall: Connected Offering Accepted Ringback] (INVALCALLHANDLE OPERATIONFAILED
                INVALCALLSTATE RESOURCEUNAVAIL NOMEM USERUSERINFOTOOBIG OPERATIONUNAVAIL);
        /// Attach data blob to the call (0 bytes clears); LINE_CALLINFO(CALLDATA).
        line_set_call_data TSPI_lineSetCallData Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall),
             call_data: Params(lpCallData, dwSize))
            [not stated] (INVALCALLSTATE INVALPARAM NOMEM OPERATIONFAILED RESOURCEUNAVAIL);
        /// Change bearer mode / rate / dial params.
        line_set_call_params TSPI_lineSetCallParams Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall), bearer_mode: Number(dwBearerMode),
             min_rate: Number(dwMinRate), max_rate: Number(dwMaxRate),
             dial_params: [RecordOrNull LINEDIALPARAMS](lpDialParams))
            [hdCall: any - Idle Disconnected] (INVALCALLHANDLE RATEUNAVAIL INVALCALLSTATE NOMEM
                INVALBEARERMODE OPERATIONUNAVAIL INVALPOINTER OPERATIONFAILED INVALRATE
                RESOURCEUNAVAIL BEARERMODEUNAVAIL);
        /// Renegotiate QOS; on failure old QOS stays; LINE_CALLINFO(QOS).
        line_set_call_quality_of_service TSPI_lineSetCallQualityOfService Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall),
             sending_flowspec: Params(lpSendingFlowspec, dwSendingFlowspecSize),
             receiving_flowspec: Params(lpReceivingFlowspec, dwReceivingFlowspecSize))
            [not stated] (INVALCALLSTATE INVALRATE NOMEM OPERATIONFAILED RATEUNAVAIL
                RESOURCEUNAVAIL);
        /// What an unanswered/held party hears; now or on next relevant state;
        /// LINE_CALLINFO(TREATMENT).
        line_set_call_treatment TSPI_lineSetCallTreatment Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall), treatment: Number(dwTreatment))
            [not stated] (INVALCALLSTATE INVALPARAM NOMEM OPERATIONFAILED RESOURCEUNAVAIL);
        /// Set connected/msgwait/in-service/locked bits; LINE_LINEDEVSTATE.
        line_set_line_dev_status TSPI_lineSetLineDevStatus Async Supplementary
            (request: Request(dwRequestID), line: Line(hdLine),
             status_to_change: Number(dwStatusToChange), status: Number(fStatus))
            [not stated] (INVALLINESTATE INVALPARAM NOMEM OPERATIONFAILED RESOURCEUNAVAIL);
        /// Route low-level events/media to a terminal.
        line_set_terminal TSPI_lineSetTerminal Async Supplementary
            (request: Request(dwRequestID), line: Line(hdLine), address_id: Number(dwAddressID),
             call: CallOrNull(hdCall), select: Number(dwSelect),
             terminal_modes: Number(dwTerminalModes), terminal_id: Number(dwTerminalID),
             enable: Number(bEnable))
            [any] (INVALLINEHANDLE INVALTERMINALID INVALADDRESSID RESOURCEUNAVAIL INVALCALLHANDLE
                NOMEM INVALCALLSELECT OPERATIONUNAVAIL INVALTERMINALMODE OPERATIONFAILED);
        /// Make conference + consultation call from a call (or from NULL if SETUPCONFNULL); conf ->
        /// onHoldPendConf, consult -> dialtone, first -> conferenced.
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
        /// Consultation hold: call -> onHoldPendTransfer, new consult call -> dialtone;
        /// TRANSFERHELD/TRANSFERMAKE models return OPERATIONFAILED.
        line_setup_transfer TSPI_lineSetupTransfer Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall),
             consult_call: [New HTAPICALL HDRVCALL](htConsultCall, lphdConsultCall),
             call_params: [GivenOrNull LINECALLPARAMS](lpCallParams))
            [hdCall: Connected] (INVALCALLHANDLE INVALBEARERMODE INVALCALLSTATE INVALRATE
                CALLUNAVAIL INVALCALLPARAMS NOMEM INVALLINESTATE OPERATIONUNAVAIL INVALMEDIAMODE
                OPERATIONFAILED INUSE RESOURCEUNAVAIL BEARERMODEUNAVAIL RATEUNAVAIL INVALADDRESSMODE
                USERUSERINFOTOOBIG);
        /// Swap active and (consultation-)held call.
        line_swap_hold TSPI_lineSwapHold Async Supplementary
            (request: Request(dwRequestID), active_call: Call(hdActiveCall),
             held_call: Call(hdHeldCall))
            [hdActiveCall: Connected, hdHeldCall: OnHoldPendTransfer OnHoldPendConf OnHold]
                (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Cancel a call-completion request.
        line_uncomplete_call TSPI_lineUncompleteCall Async Supplementary
            (request: Request(dwRequestID), line: Line(hdLine),
             completion_id: Number(dwCompletionID))
            [not stated] (INVALLINEHANDLE OPERATIONUNAVAIL INVALCOMPLETIONID OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Retrieve a hard- or soft-held call -> connected (a consultation call goes idle).
        line_unhold TSPI_lineUnhold Async Supplementary
            (request: Request(dwRequestID), call: Call(hdCall))
            [hdCall: OnHold OnHoldPendTransfer OnHoldPendConf] (INVALCALLHANDLE OPERATIONUNAVAIL
                INVALCALLSTATE OPERATIONFAILED NOMEM RESOURCEUNAVAIL);
        /// Retrieve a parked call as a new call.
        line_unpark TSPI_lineUnpark Async Supplementary
            (request: Request(dwRequestID), line: Line(hdLine), address_id: Number(dwAddressID),
             call: [New HTAPICALL HDRVCALL](htCall, lphdCall),
             dest_address: Address(lpszDestAddress))
            [not stated] (INVALLINEHANDLE NOMEM INVALPOINTER OPERATIONUNAVAIL INVALADDRESSID
                OPERATIONFAILED INVALADDRESS RESOURCEUNAVAIL);
    } };
}
line_async_rows! { functions, { LINE_ASYNC }, {}, }
