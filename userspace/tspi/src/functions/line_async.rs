//! The 33 asynchronous line functions: each returns its request id and completes later.

use super::{CallParameter, Class, Errors, Function, Group, Kind, Legal, functions};
use crate::callstate::{CallState, CallStates};
use crate::error::LineError;

functions! {
    /// The asynchronous line functions.
    LINE_ASYNC: Line, Line LineError {
        /// Accept an offered call (claims it / starts alerting); -> accepted. Needs
        /// LINEADDRCAPFLAGS_ACCEPTTOALERT if alerting depends on it.
        TSPI_lineAccept Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPCSTR lpsUserUserInfo, DWORD dwSize"
            [hdCall: Offering] (INVALCALLHANDLE OPERATIONFAILED INVALCALLSTATE RESOURCEUNAVAIL NOMEM
                USERUSERINFOTOOBIG OPERATIONUNAVAIL);
        /// Join consultation call into conference.
        TSPI_lineAddToConference Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdConfCall, HDRVCALL hdConsultCall"
            [hdConfCall: OnHoldPendConf OnHold, hdConsultCall: Connected OnHold Proceeding Ringback]
                (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED CONFERENCEFULL
                RESOURCEUNAVAIL NOMEM);
        /// Answer an offered call -> connected; effect on another active call per answer mode
        /// (none/drop/hold).
        TSPI_lineAnswer Async Basic
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPCSTR lpsUserUserInfo, DWORD dwSize"
            [hdCall: Offering Accepted] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE
                OPERATIONFAILED INUSE RESOURCEUNAVAIL NOMEM USERUSERINFOTOOBIG);
        /// One-step transfer; call -> idle, handle stays valid until lineCloseCall; no dialling if
        /// INVALADDRESS.
        TSPI_lineBlindTransfer Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPCWSTR lpszDestAddress, DWORD \
             dwCountryCode"
            [hdCall: Connected] (INVALCALLHANDLE NOMEM INVALCALLSTATE OPERATIONUNAVAIL INVALADDRESS
                OPERATIONFAILED ADDRESSBLOCKED RESOURCEUNAVAIL INVALCOUNTRYCODE);
        /// Camp-on / callback / intrude / message for a call that cannot connect; writes completion
        /// id; later OFFERING with reason CALLCOMPLETION.
        TSPI_lineCompleteCall Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPDWORD lpdwCompletionID, DWORD \
             dwCompletionMode, DWORD dwMessageID"
            [hdCall: Busy Ringback Proceeding] (INVALCALLHANDLE NOMEM INVALCALLSTATE
                OPERATIONUNAVAIL INVALCALLCOMPLMODE OPERATIONFAILED INVALPOINTER RESOURCEUNAVAIL
                COMPLETIONOVERRUN INVALMESSAGEID);
        /// Finish consultation transfer (both calls -> idle) or turn into 3-way conference (both ->
        /// conferenced, new conf call -> connected).
        TSPI_lineCompleteTransfer Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall, HDRVCALL hdConsultCall, HTAPICALL \
             htConfCall, LPHDRVCALL lphdConfCall, DWORD dwTransferMode"
            [hdCall: OnHoldPendTransfer, hdConsultCall: Connected Ringback Busy Proceeding]
                (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Vendor escape on line/address/call; answers via LINE_(CALL)DEVSPECIFIC; blob has no
        /// pointers.
        TSPI_lineDevSpecific Async Extended
            "DRV_REQUESTID dwRequestID, HDRVLINE hdLine, DWORD dwAddressID, HDRVCALL hdCall, \
             LPVOID lpParams, DWORD dwSize"
            [device] (INVALLINEHANDLE OPERATIONUNAVAIL INVALADDRESSID OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Press a switch feature key (`PHONEBUTTONFUNCTION_` id); only after an extension version
        /// was selected.
        TSPI_lineDevSpecificFeature Async Extended
            "DRV_REQUESTID dwRequestID, HDRVLINE hdLine, DWORD dwFeature, LPVOID lpParams, DWORD \
             dwSize"
            [device] (INVALFEATURE OPERATIONUNAVAIL INVALLINEHANDLE OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Dial (more) digits on an existing call; empty string after a ";" = dialling complete;
        /// done when address accepted.
        TSPI_lineDial Async Basic
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPCWSTR lpszDestAddress, DWORD \
             dwCountryCode"
            [hdCall: any - Idle Disconnected] (INVALCALLHANDLE OPERATIONFAILED INVALADDRESS
                RESOURCEUNAVAIL INVALCOUNTRYCODE DIALBILLING INVALCALLSTATE DIALQUIET ADDRESSBLOCKED
                DIALDIALTONE NOMEM DIALPROMPT OPERATIONUNAVAIL);
        /// Disconnect / abandon / reject; -> idle; related calls may change too.
        TSPI_lineDrop Async Basic
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPCSTR lpsUserUserInfo, DWORD dwSize"
            [hdCall: any - Idle] (INVALCALLHANDLE OPERATIONFAILED INVALCALLSTATE RESOURCEUNAVAIL
                NOMEM USERUSERINFOTOOBIG OPERATIONUNAVAIL);
        /// Set/replace/cancel forwarding or do-not-disturb; may create a consultation call; effect
        /// told by LINE_ADDRESSSTATE(FORWARD).
        TSPI_lineForward Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVLINE hdLine, DWORD bAllAddresses, DWORD dwAddressID, \
             LPLINEFORWARDLIST const lpForwardList, DWORD dwNumRingsNoAnswer, HTAPICALL \
             htConsultCall, LPHDRVCALL lphdConsultCall, LPLINECALLPARAMS const lpCallParams"
            [not stated] (INVALLINEHANDLE NOMEM INVALADDRESS OPERATIONUNAVAIL INVALADDRESSID
                OPERATIONFAILED INVALCOUNTRYCODE RESOURCEUNAVAIL INVALPARAM STRUCTURETOOSMALL);
        /// Hard hold -> onHold.
        TSPI_lineHold Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall"
            [hdCall: Connected] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED
                NOMEM RESOURCEUNAVAIL);
        /// Place a call (NULL address = just go off-hook -> dialtone; trailing ";" = partial dial).
        /// IDLE param flag + no dial tone -> CALLUNAVAIL.
        TSPI_lineMakeCall Async Basic
            "DRV_REQUESTID dwRequestID, HDRVLINE hdLine, HTAPICALL htCall, LPHDRVCALL lphdCall, \
             LPCWSTR lpszDestAddress, DWORD dwCountryCode, LPLINECALLPARAMS const lpCallParams"
            [not stated] (ADDRESSBLOCKED INVALLINESTATE BEARERMODEUNAVAIL INVALRATE CALLUNAVAIL
                INVALLINEHANDLE DIALBILLING INVALADDRESS DIALQUIET INVALADDRESSID DIALDIALTONE
                INVALCALLPARAMS DIALPROMPT NOMEM INUSE OPERATIONUNAVAIL INVALADDRESSMODE
                OPERATIONFAILED INVALBEARERMODE RESOURCEUNAVAIL INVALCOUNTRYCODE RATEUNAVAIL
                INVALMEDIAMODE USERUSERINFOTOOBIG);
        /// Park directed/non-directed; -> idle; returns park address in VARSTRING.
        TSPI_linePark Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall, DWORD dwParkMode, LPCWSTR \
             lpszDirAddress, LPVARSTRING lpNonDirAddress"
            [hdCall: Connected] (INVALCALLHANDLE NOMEM INVALPARKMODE OPERATIONUNAVAIL INVALCALLSTATE
                OPERATIONFAILED INVALADDRESS RESOURCEUNAVAIL STRUCTURETOOSMALL);
        /// Pick up a call alerting elsewhere (NULL address = group pickup); reason PICKUP.
        TSPI_linePickup Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVLINE hdLine, DWORD dwAddressID, HTAPICALL htCall, \
             LPHDRVCALL lphdCall, LPCWSTR lpszDestAddress, LPCWSTR lpszGroupID"
            [not stated] (INVALLINEHANDLE NOMEM INVALADDRESSID OPERATIONUNAVAIL INVALADDRESS
                OPERATIONFAILED INVALGROUPID RESOURCEUNAVAIL);
        /// Put conference on onHoldPendConf, make consultation call.
        TSPI_linePrepareAddToConference Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdConfCall, HTAPICALL htConsultCall, LPHDRVCALL \
             lphdConsultCall, LPLINECALLPARAMS const lpCallParams"
            [hdConfCall: Connected] (BEARERMODEUNAVAIL INVALLINESTATE CALLUNAVAIL INVALMEDIAMODE
                CONFERENCEFULL INVALRATE INUSE NOMEM INVALADDRESSMODE OPERATIONUNAVAIL
                INVALBEARERMODE OPERATIONFAILED INVALCALLPARAMS RATEUNAVAIL INVALCALLSTATE
                RESOURCEUNAVAIL INVALCONFCALLHANDLE USERUSERINFOTOOBIG);
        /// Deflect an offered call without answering; -> idle.
        TSPI_lineRedirect Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPCWSTR lpszDestAddress, DWORD \
             dwCountryCode"
            [hdCall: Offering] (INVALCALLHANDLE NOMEM INVALCALLSTATE OPERATIONUNAVAIL
                INVALCOUNTRYCODE OPERATIONFAILED INVALADDRESS RESOURCEUNAVAIL);
        /// App has read user-user info; next one may overwrite; success even if none.
        TSPI_lineReleaseUserUserInfo Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall"
            [any] (INVALCALLHANDLE OPERATIONFAILED NOMEM RESOURCEUNAVAIL);
        /// Take a party out; resulting state announced in dwRemoveFromConfState.
        TSPI_lineRemoveFromConference Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall"
            [hdCall: Conferenced] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED
                NOMEM RESOURCEUNAVAIL);
        /// Protect the call from interruptions (e.g. call-waiting tones) for its whole life.
        TSPI_lineSecureCall Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall"
            [hdCall: any - Idle] (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED
                NOMEM RESOURCEUNAVAIL);
        /// Send user-user info; provider splits/joins network messages.
        TSPI_lineSendUserUserInfo Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPCSTR lpsUserUserInfo, DWORD dwSize"
            [hdCall: Connected Offering Accepted Ringback] (INVALCALLHANDLE OPERATIONFAILED
                INVALCALLSTATE RESOURCEUNAVAIL NOMEM USERUSERINFOTOOBIG OPERATIONUNAVAIL);
        /// Attach data blob to the call (0 bytes clears); LINE_CALLINFO(CALLDATA).
        TSPI_lineSetCallData Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPVOID lpCallData, DWORD dwSize"
            [not stated] (INVALCALLSTATE INVALPARAM NOMEM OPERATIONFAILED RESOURCEUNAVAIL);
        /// Change bearer mode / rate / dial params.
        TSPI_lineSetCallParams Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall, DWORD dwBearerMode, DWORD dwMinRate, \
             DWORD dwMaxRate, LPLINEDIALPARAMS const lpDialParams"
            [hdCall: any - Idle Disconnected] (INVALCALLHANDLE RATEUNAVAIL INVALCALLSTATE NOMEM
                INVALBEARERMODE OPERATIONUNAVAIL INVALPOINTER OPERATIONFAILED INVALRATE
                RESOURCEUNAVAIL BEARERMODEUNAVAIL);
        /// Renegotiate QOS; on failure old QOS stays; LINE_CALLINFO(QOS).
        TSPI_lineSetCallQualityOfService Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPVOID lpSendingFlowspec, DWORD \
             dwSendingFlowspecSize, LPVOID lpReceivingFlowspec, DWORD dwReceivingFlowspecSize"
            [not stated] (INVALCALLSTATE INVALRATE NOMEM OPERATIONFAILED RATEUNAVAIL
                RESOURCEUNAVAIL);
        /// What an unanswered/held party hears; now or on next relevant state;
        /// LINE_CALLINFO(TREATMENT).
        TSPI_lineSetCallTreatment Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall, DWORD dwTreatment"
            [not stated] (INVALCALLSTATE INVALPARAM NOMEM OPERATIONFAILED RESOURCEUNAVAIL);
        /// Set connected/msgwait/in-service/locked bits; LINE_LINEDEVSTATE.
        TSPI_lineSetLineDevStatus Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVLINE hdLine, DWORD dwStatusToChange, DWORD fStatus"
            [not stated] (INVALLINESTATE INVALPARAM NOMEM OPERATIONFAILED RESOURCEUNAVAIL);
        /// Route low-level events/media to a terminal.
        TSPI_lineSetTerminal Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVLINE hdLine, DWORD dwAddressID, HDRVCALL hdCall, \
             DWORD dwSelect, DWORD dwTerminalModes, DWORD dwTerminalID, DWORD bEnable"
            [any] (INVALLINEHANDLE INVALTERMINALID INVALADDRESSID RESOURCEUNAVAIL INVALCALLHANDLE
                NOMEM INVALCALLSELECT OPERATIONUNAVAIL INVALTERMINALMODE OPERATIONFAILED);
        /// Make conference + consultation call from a call (or from NULL if SETUPCONFNULL); conf ->
        /// onHoldPendConf, consult -> dialtone, first -> conferenced.
        TSPI_lineSetupConference Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall, HDRVLINE hdLine, HTAPICALL htConfCall, \
             LPHDRVCALL lphdConfCall, HTAPICALL htConsultCall, LPHDRVCALL lphdConsultCall, DWORD \
             dwNumParties, LPLINECALLPARAMS const lpCallParams"
            [hdCall: Connected | NULL] (INVALCALLHANDLE INVALADDRESSMODE INVALLINEHANDLE
                INVALBEARERMODE INVALCALLSTATE INVALCALLPARAMS CALLUNAVAIL INVALLINESTATE
                CONFERENCEFULL INVALMEDIAMODE NOMEM INVALRATE OPERATIONUNAVAIL INUSE OPERATIONFAILED
                RATEUNAVAIL RESOURCEUNAVAIL USERUSERINFOTOOBIG BEARERMODEUNAVAIL);
        /// Consultation hold: call -> onHoldPendTransfer, new consult call -> dialtone;
        /// TRANSFERHELD/TRANSFERMAKE models return OPERATIONFAILED.
        TSPI_lineSetupTransfer Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall, HTAPICALL htConsultCall, LPHDRVCALL \
             lphdConsultCall, LPLINECALLPARAMS const lpCallParams"
            [hdCall: Connected] (INVALCALLHANDLE INVALBEARERMODE INVALCALLSTATE INVALRATE
                CALLUNAVAIL INVALCALLPARAMS NOMEM INVALLINESTATE OPERATIONUNAVAIL INVALMEDIAMODE
                OPERATIONFAILED INUSE RESOURCEUNAVAIL BEARERMODEUNAVAIL RATEUNAVAIL INVALADDRESSMODE
                USERUSERINFOTOOBIG);
        /// Swap active and (consultation-)held call.
        TSPI_lineSwapHold Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdActiveCall, HDRVCALL hdHeldCall"
            [hdActiveCall: Connected, hdHeldCall: OnHoldPendTransfer OnHoldPendConf OnHold]
                (INVALCALLHANDLE OPERATIONUNAVAIL INVALCALLSTATE OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Cancel a call-completion request.
        TSPI_lineUncompleteCall Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVLINE hdLine, DWORD dwCompletionID"
            [not stated] (INVALLINEHANDLE OPERATIONUNAVAIL INVALCOMPLETIONID OPERATIONFAILED NOMEM
                RESOURCEUNAVAIL);
        /// Retrieve a hard- or soft-held call -> connected (a consultation call goes idle).
        TSPI_lineUnhold Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVCALL hdCall"
            [hdCall: OnHold OnHoldPendTransfer OnHoldPendConf] (INVALCALLHANDLE OPERATIONUNAVAIL
                INVALCALLSTATE OPERATIONFAILED NOMEM RESOURCEUNAVAIL);
        /// Retrieve a parked call as a new call.
        TSPI_lineUnpark Async Supplementary
            "DRV_REQUESTID dwRequestID, HDRVLINE hdLine, DWORD dwAddressID, HTAPICALL htCall, \
             LPHDRVCALL lphdCall, LPCWSTR lpszDestAddress"
            [not stated] (INVALLINEHANDLE NOMEM INVALPOINTER OPERATIONUNAVAIL INVALADDRESSID
                OPERATIONFAILED INVALADDRESS RESOURCEUNAVAIL);
    }
}
