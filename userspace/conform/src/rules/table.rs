//! All rules, in the order of their keys.

use super::{Judgement, Rule, buffers, calls, completions, ends, order, returns, status};

/// The rule binds TAPI and not the provider.
const TAPI: &str = "it binds TAPI, and in a run of the suite TAPI is the suite";
/// The rule is a permission.
const ALLOWS: &str = "it allows a provider something, so no provider can break it";
/// The rule is kept or broken when the provider is compiled.
const COMPILED: &str = "it is about the types of the C interface, which a compiler sees and a \
                        log does not";
/// The rule is about the far end.
const FAR: &str = "only the switch and the far end know what happened there";

macro_rules! rules {
    ($($key:literal $judged:tt $says:literal $source:literal)*) => {
        /// Every rule of the contract.
        pub const ALL: &[Rule] = &[$(Rule {
            key: $key,
            says: $says,
            source: $source,
            judged: judged!($judged),
        }),*];
    };
}

macro_rules! judged {
    ((not $reason:expr)) => {
        Judgement::Not($reason)
    };
    (($($by:tt)*)) => {
        Judgement::By($($by)*)
    };
}

rules! {
    "T1" (not COMPILED)
    "A request id is an unsigned number of 32 bits."
    "W32/drv-requestid"
    "T2" (not TAPI)
    "Request ids are 1 to 0x7FFFFFFF."
    "W32/drv-requestid"
    "T3" (not TAPI)
    "An id is not handed out again while its request is outstanding."
    "W32/drv-requestid"
    "T4" (returns::t4)
    "An id may be handed out again as soon as its completion is reported, so a provider forgets \
     it before it calls the completion procedure."
    "W32/drv-requestid; TSP++ Conn.cpp CompleteRequest"
    "T5" (not "it defines the three classes of results; R1 and K2 judge which are returned")
    "0 is success, 1 to 0x7FFFFFFF a request id, a negative result an error."
    "W32/lineerr--constants, W32/phoneerr--constants"
    "T6" (returns::t6)
    "An error below 0xC0000000 is one that the headers define; a vendor's own are above."
    "W32/lineerr--constants, W32/phoneerr--constants"
    "T7" (not TAPI)
    "An error that is not known is treated as OPERATIONFAILED."
    "W32/lineerr--constants, W32/phoneerr--constants"
    "T8" (not COMPILED)
    "A result has 32 bits on every platform."
    "HDR; atapi.net issue 39"
    "T9" (not COMPILED)
    "The parameters of events are as wide as a pointer."
    "HDR; SIPTAPI changelog 0.3.14"
    "K1" (not COMPILED)
    "A function is asynchronous if its first parameter is a request id, and only then."
    "W32/synchronous-asynchronous-model; HDR"
    "K2" (returns::k2)
    "A synchronous function returns 0 or a negative error."
    "W32/synchronous-asynchronous-model, W32/synchronous-requests"
    "K3" (returns::k3)
    "The completion procedure is not called for a synchronous function."
    "W32/synchronous-asynchronous-model"
    "K4" (returns::k4)
    "The output of a synchronous function is complete when it returns 0."
    "W32/synchronous-requests"
    "K5" (order::k5)
    "Generating and gathering digits end by one event with their dwEndToEndID."
    "SDK/lineGenerateDigits, SDK/lineGenerateTone, SDK/lineGatherDigits"
    "K6" (not "it is about TSPI 1.0; a provider that follows it breaks R2 or K2")
    "Where TSPI 1.0 differs, it is not followed."
    "TSPI1/S28F5"
    "K7" (returns::k7)
    "A synchronous function returns without waiting for the device."
    "W32/synchronous-requests, SDK/lineOpen"
    "R1" (returns::r1)
    "An asynchronous function returns its request id or a negative error."
    "W32/synchronous-asynchronous-model"
    "R2" (returns::r2)
    "An asynchronous function never returns 0."
    "W32/asynchronous-functions"
    "R3" (returns::r3)
    "An asynchronous function returns no positive number but its request id."
    "W32/synchronous-asynchronous-model"
    "R4" (returns::r4)
    "A request that was refused is not completed."
    "W32/synchronous-asynchronous-model; SDK/async_completion"
    "R5" (returns::r5)
    "A request that was accepted is completed."
    "W32/drv-requestid; SDK/async_completion"
    "R6" (not ALLOWS)
    "An error may come as the return or as the completion."
    "SDK/async_completion; W32/asynchronous-functions"
    "R7" (returns::r7)
    "A dial string with a modifier that the line can't follow is refused at once, with nothing \
     done on the line."
    "SDK/lineMakeCall, SDK/lineDial"
    "C1" (not COMPILED)
    "There is one completion procedure for each init, for lines and phones."
    "HDR; SDK/providerInit"
    "C2" (completions::c2)
    "A completion's result is 0 or negative."
    "SDK/async_completion"
    "C3" (completions::c3)
    "A request that was accepted is completed exactly once."
    "SDK/async_completion; W32/life-cycle"
    "C4" (not ALLOWS)
    "A completion may come before its function has returned."
    "SDK/async_completion; W32/synchronous-asynchronous-model"
    "C5" (completions::c5)
    "A function that completes its request before it returns still returns the id."
    "ATSP; follows from R1 and R5"
    "C6" (completions::c6)
    "Inside the completion procedure no further upcall is made until it has returned."
    "SDK/async_completion"
    "C7" (not "the documents do not say whether C6 is meant for one thread or for all")
    "Upcalls of several threads do not overlap."
    "no page; our reading"
    "C8" (not TAPI)
    "TAPI does not call the provider from inside the completion procedure."
    "SDK/async_completion"
    "C9" (completions::c9)
    "A call is complete before LINE_NEWCALL announces it, because TAPI may use it inside the \
     upcall."
    "TSP++ Address.cpp; SIPTAPI tapi-debugging.txt; KB262290"
    "C10" (not ALLOWS)
    "A completion may come in any call state and on any thread."
    "SDK/async_completion"
    "C11" (completions::c11)
    "Requests may overlap: a second one may be made before the first is complete."
    "W32/life-cycle"
    "C12" (not TAPI)
    "The output of an asynchronous function is read after its completion, and its memory is valid \
     until then."
    "W32/tspi-structures, W32/memory-allocation"
    "C13" (completions::c13)
    "The output of a request is written before it is completed with 0."
    "W32/the-meaning-of-success"
    "C14" (completions::c14)
    "LINE_REPLY and PHONE_REPLY are not sent by a provider."
    "W32/tspi-messages"
    "G1" (not TAPI)
    "The application is told of a completion after its function has returned."
    "W32/synchronous-asynchronous-model"
    "G2" (not TAPI)
    "An application may see the reply before its function returns."
    "W32/asynchronous-functions"
    "G3" (not TAPI)
    "The reply can't be disabled."
    "W32/line-reply"
    "G4" (not TAPI)
    "The reply may be missing if the call handle is gone."
    "W32/line-reply"
    "G5" (not TAPI)
    "TAPI checks pointers, sizes and handles before it calls."
    "W32/error-checking"
    "G6" (not "each provider decides which values it accepts; a refusal is no fault")
    "What TAPI does not check the provider checks."
    "the pages of the functions"
    "G7" (not TAPI)
    "Before the completion of a new call, TAPI does nothing with it but close it."
    "W32/async-replies-versus-events-on-new-call-handles"
    "G8" (not TAPI)
    "TAPI calls from several threads at once unless the provider asks it not to."
    "SDK/providerInit"
    "G9" (not TAPI)
    "With LINETSPIOPTION_NONREENTRANT TAPI lets one function in at a time."
    "W32/linetspioption--constants"
    "G10" (not TAPI)
    "That option does not hold for functions that show dialogs."
    "SDK/providerInit"
    "G11" (not TAPI)
    "TAPI clears the word of options before init."
    "SDK/providerInit"
    "B1" (buffers::b1)
    "The input of an asynchronous function is copied before it returns."
    "W32/synchronous-asynchronous-model"
    "B2" (buffers::b2)
    "TSPI_lineMonitorTones copies its list."
    "SDK/lineMonitorTones"
    "B3" (buffers::b3)
    "A structure that is filled states correctly how much of it is used and how much is needed."
    "W32/memory-allocation"
    "B4" (buffers::b4)
    "Members that are TAPI's are not overwritten, dwTotalSize least of all."
    "W32/tspi-structures, SDK/lineGetCallInfo, SDK/lineGetID"
    "B5" (not ALLOWS)
    "A missing string may be expressed in three ways."
    "W32/tspi-structures"
    "B6" (not COMPILED)
    "Strings are UTF-16, user-user information is bytes."
    "HDR"
    "B7" (buffers::b7)
    "The buffer of gathered digits is complete when LINE_GATHERDIGITS comes."
    "SDK/lineGatherDigits, W32/line-gatherdigits"
    "N1" (calls::n1)
    "The handle of a new call is written before the function that makes it returns."
    "SDK/lineMakeCall"
    "N2" (calls::n2)
    "0 is no handle."
    "W32/opaque-handles-and-private-data-structures"
    "N3" (not "what may be done with a new call is G7, N4 and N6")
    "Until completion(0) the handle of a new call is not valid."
    "W32/the-meaning-of-success"
    "N4" (order::n4)
    "A new call has no event before the completion(0) of the request that makes it."
    "W32/async-replies-versus-events-on-new-call-handles; SDK/lineMakeCall"
    "N5" (not ALLOWS)
    "Events may follow completion(0) at once."
    "SDK/lineMakeCall, SDK/lineSetupTransfer"
    "N6" (calls::n6)
    "Closing a call that is being made completes the request that makes it with \
     OPERATIONFAILED."
    "W32/pending-call-handles"
    "N7" (not TAPI)
    "A call that was refused is not closed."
    "SDK/lineCloseCall"
    "N8" (calls::n8)
    "A call that could not be made may still be closed, without harm."
    "W32/async-replies-versus-events-on-new-call-handles; SDK/lineCloseCall"
    "N9" (not TAPI)
    "The application gets a new call with the reply."
    "W32/async-replies-versus-events-on-new-call-handles"
    "N10" (calls::n10)
    "TSPI_lineMakeCall is complete at the latest when the call proceeds."
    "W32/the-meaning-of-success"
    "N11" (not FAR)
    "Other functions of calls complete when their work is done."
    "W32/the-meaning-of-success"
    "N12" (not FAR)
    "TSPI_lineDial, TSPI_lineForward and TSPI_lineCompleteCall complete when they are accepted."
    "SDK/lineDial, SDK/lineForward, SDK/lineCompleteCall"
    "N13" (not "it says what becomes of a state that is reported against O1")
    "A state that is reported before the call is made gets lost."
    "TSP++ reference guide, RTMakeCall"
    "N14" (order::n14)
    "A call that begins in the provider is announced by LINE_NEWCALL, and LINE_CALLSTATE is its \
     next message."
    "W32/line-newcall"
    "N15" (calls::n15)
    "A call to which TAPI gives no handle has no further message."
    "W32/line-newcall"
    "N16" (calls::n16)
    "LINE_NEWCALL is for calls that TAPI does not know."
    "W32/line-newcall"
    "N17" (not TAPI)
    "LINE_NEWCALL from inside TSPI_lineOpen is lost with some versions of TAPI."
    "TSP++ Lineconn.cpp"
    "O1" (order::o1)
    "completion(0) comes before the first LINE_CALLSTATE of the call that it made."
    "W32/async-replies-versus-events-on-new-call-handles"
    "O2" (not ALLOWS)
    "On a call that exists, completion and state come in any order."
    "ATSP; SIPTAPI; W32/state-ovr"
    "O3" (order::o3)
    "A call never leaves IDLE."
    "W32/linecallstate--constants"
    "O4" (order::o4)
    "No LINE_CALLINFO comes after IDLE."
    "W32/line-callinfo"
    "O5" (order::o5)
    "Monitoring ends when the call is disconnected or IDLE."
    "SDK/lineMonitorDigits, W32/digit-monitoring"
    "D1" (ends::d1)
    "TSPI_lineClose returns after everything that is outstanding on the line and its calls is \
     complete."
    "SDK/lineClose; W32/call-less-asynchronous-operations"
    "D2" (ends::d2)
    "No event of a line comes after TSPI_lineClose has returned."
    "SDK/lineClose"
    "D3" (not FAR)
    "Closing drops a call only if the line has announced CLOSEDROP."
    "SDK/lineClose, SDK/lineCloseCall"
    "D4" (ends::d4)
    "TSPI_lineClose itself is not reported by LINE_LINEDEVSTATE."
    "SDK/lineClose"
    "D5" (ends::d5)
    "TSPI_lineCloseCall returns after everything that is outstanding on the call is complete, \
     and no event of the call follows."
    "SDK/lineCloseCall; W32/termination-of-asynchronous-operations"
    "D6" (ends::d6)
    "TSPI_lineCloseCall is accepted in every state of the call, also before and during a drop."
    "W32/termination-of-asynchronous-operations; ATSP"
    "D7" (ends::d7)
    "TSPI_lineDrop ends what else is outstanding on the call."
    "W32/termination-of-asynchronous-operations; TSP++ RTDropCall"
    "D8" (ends::d8)
    "A call that was dropped becomes IDLE, unless it is closed before."
    "W32/termination-of-asynchronous-operations"
    "D9" (ends::d9)
    "TSPI_lineDrop is accepted in every state but IDLE."
    "SDK/lineDrop"
    "D10" (ends::d10)
    "TSPI_phoneClose returns after everything that is outstanding on the phone is complete, and \
     no event of the phone follows."
    "SDK/phoneClose; W32/asynchronous-phone-operations"
    "D11" (ends::d11)
    "Requests of a line without a call complete even if the application that made them closes the \
     line."
    "W32/call-less-asynchronous-operations"
    "D12" (ends::d12)
    "TSPI_providerShutdown completes what is outstanding, and nothing follows it."
    "SDK/providerShutdown, W32/life-cycle"
    "D13" (ends::d13)
    "Everything outstanding is complete before LINE_CLOSE or PHONE_CLOSE."
    "TSPI1/S290E"
    "D14" (ends::d14)
    "LINE_REMOVE and PHONE_REMOVE follow LINE_CLOSE and PHONE_CLOSE if the device is open."
    "W32/line-remove, W32/phone-remove"
    "D15" (ends::d15)
    "A second TSPI_providerInit before the shutdown is ignored with success."
    "SDK/providerInit"
    "D16" (not "TAPI 2.0 and later do not call these functions")
    "TSPI_lineDropOnClose, TSPI_lineDropNoOwner and TSPI_lineSetCurrentLocation are obsolete."
    "W32/tspi-linedroponclose, W32/tspi-linedropnoowner, W32/tspi-linesetcurrentlocation"
    "D17" (order::d17)
    "A second generation on a call cancels the first, by LINE_GENERATE with CANCEL."
    "SDK/lineGenerateDigits, SDK/lineGenerateTone"
    "D18" (order::d18)
    "A second gathering on a call cancels the first, and gathering 0 digits is refused."
    "SDK/lineGatherDigits"
    "F1" (status::f1)
    "A function that TSPI_lineGetCallStatus offers in dwCallFeatures is not refused as unavailable \
     or for the call's state."
    "SDK/lineGetCallStatus; W32/linecallfeature--constants"
    "F2" (status::f2)
    "A state that TSPI_lineGetCallStatus reports is sent by LINE_CALLSTATE."
    "SDK/lineGetCallStatus; W32/line-callstate"
    "V1" (returns::v1)
    "A version that is negotiated lies between the two that are offered."
    "SDK/lineNegotiateTSPIVersion, SDK/phoneNegotiateTSPIVersion"
    "X1" (returns::x1)
    "A provider does not end the process it is in."
    "no page; every host's first condition"
}
