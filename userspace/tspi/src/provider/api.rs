//! The surface between TAPI and a provider, as Rust traits.

use std::time::Duration;

use ringback_request::{Completion, RequestId, Time};

use crate::error::LineError;
use crate::media::{Audio, Data};
use crate::provider::Ticket;
use crate::types::{HDRVCALL, HDRVLINE, HTAPICALL, HTAPILINE, Version};

/// What TSPI_providerInit is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Init {
    /// The version that was negotiated for the provider itself.
    pub version: Version,
    /// Which installation of the provider this is.
    pub permanent_provider_id: u32,
    /// The device id of its first line; the others follow.
    pub line_device_id_base: u32,
    /// The device id of its first phone.
    pub phone_device_id_base: u32,
    /// How many lines it has said to have.
    pub num_lines: u32,
    /// How many phones it has said to have.
    pub num_phones: u32,
}

/// How many devices a provider has (TSPI_providerEnumDevices).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Devices {
    /// Lines.
    pub lines: u32,
    /// Phones.
    pub phones: u32,
}

/// A TAPI service provider: the TSPI functions under their names in snake case.
///
/// Functions that take a [`RequestId`] are asynchronous (K1): they return an error, and then it is
/// over and no completion ever comes (R4), or a [`Ticket`], and then exactly one completion comes
/// (R5, C3). All others are synchronous (K2) and never complete anything (K3). Input is copied before
/// a function returns (B1). Any function may be called from any thread at any time (G8), from inside
/// an upcall as well.
///
/// What a provider does not implement answers OPERATIONUNAVAIL, as TAPI does for a missing export.
#[allow(unused_variables, reason = "parameters of functions that are not implemented")]
pub trait Provider: Send + Sync {
    /// TSPI_lineNegotiateTSPIVersion: the newest version that both sides speak. With
    /// INITIALIZE_NEGOTIATION as device id it is about the provider itself, before anything else.
    ///
    /// # Errors
    /// INCOMPATIBLEAPIVERSION; NODEVICE for a device id that is not this provider's.
    fn line_negotiate_tspi_version(
        &self,
        device_id: u32,
        low: u32,
        high: u32,
    ) -> Result<Version, LineError>;

    /// TSPI_providerEnumDevices: how many devices there are. Called before
    /// [`provider_init`](Provider::provider_init).
    ///
    /// # Errors
    /// NOMEM, OPERATIONFAILED.
    fn provider_enum_devices(&self, permanent_provider_id: u32) -> Result<Devices, LineError>;

    /// TSPI_providerInit: begins a pair that [`provider_shutdown`](Provider::provider_shutdown) ends.
    /// From now on `tapi` is told completions and events. While a pair is open, another call is
    /// ignored with success, and its `tapi` is never used (D15). The value is the options word, 0 or
    /// LINETSPIOPTION_NONREENTRANT.
    ///
    /// # Errors
    /// INCOMPATIBLEAPIVERSION, RESOURCEUNAVAIL, OPERATIONFAILED and the like.
    fn provider_init(&self, init: Init, tapi: Box<dyn Tapi>) -> Result<u32, LineError>;

    /// As [`provider_init`](Provider::provider_init), for a host whose application brings the thread:
    /// completions and events come from within [`Runner::run_once`] and from nowhere else.
    ///
    /// # Errors
    /// As [`provider_init`](Provider::provider_init); OPERATIONUNAVAIL from a provider that needs a
    /// thread of its own.
    fn provider_init_local(
        &self,
        init: Init,
        tapi: Box<dyn Tapi>,
    ) -> Result<(u32, Box<dyn Runner>), LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// Why the last init failed, in words, which an error number has no room for. `None` if it did
    /// not fail, or if there is nothing to add to the number.
    fn failure_text(&self) -> Option<String> {
        None
    }

    /// TSPI_providerShutdown: completes what is outstanding (OPERATIONFAILED) and ends; nothing is
    /// told afterwards (D12).
    ///
    /// # Errors
    /// INCOMPATIBLEAPIVERSION; OPERATIONFAILED if there is no pair to end.
    fn provider_shutdown(
        &self,
        version: Version,
        permanent_provider_id: u32,
    ) -> Result<(), LineError>;

    /// TSPI_lineOpen: opens a line; from now on its events come under TAPI's handle.
    ///
    /// # Errors
    /// ALLOCATED, NODRIVER, NODEVICE, INCOMPATIBLEAPIVERSION.
    fn line_open(
        &self,
        device_id: u32,
        line: HTAPILINE,
        version: Version,
    ) -> Result<HDRVLINE, LineError>;

    /// TSPI_lineClose: completes what is outstanding on the line and its calls (D1); no event
    /// follows (D2).
    ///
    /// # Errors
    /// INVALLINEHANDLE.
    fn line_close(&self, line: HDRVLINE) -> Result<(), LineError>;

    /// TSPI_lineGetDevCaps: fills LINEDEVCAPS.
    ///
    /// # Errors
    /// NODEVICE, INCOMPATIBLEAPIVERSION, INCOMPATIBLEEXTVERSION, STRUCTURETOOSMALL.
    fn line_get_dev_caps(
        &self,
        device_id: u32,
        version: Version,
        ext_version: u32,
        caps: &mut [u8],
    ) -> Result<(), LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// TSPI_lineGetAddressCaps: fills LINEADDRESSCAPS.
    ///
    /// # Errors
    /// As [`line_get_dev_caps`](Provider::line_get_dev_caps); INVALADDRESSID.
    fn line_get_address_caps(
        &self,
        device_id: u32,
        address_id: u32,
        version: Version,
        ext_version: u32,
        caps: &mut [u8],
    ) -> Result<(), LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// TSPI_lineGetNumAddressIDs: how many addresses the line has, at least 1.
    ///
    /// # Errors
    /// INVALLINEHANDLE.
    fn line_get_num_address_ids(&self, line: HDRVLINE) -> Result<u32, LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// TSPI_lineGetLineDevStatus: fills LINEDEVSTATUS.
    ///
    /// # Errors
    /// INVALLINEHANDLE, STRUCTURETOOSMALL.
    fn line_get_line_dev_status(&self, line: HDRVLINE, status: &mut [u8]) -> Result<(), LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// TSPI_lineMakeCall, asynchronous. The handle may be used by
    /// [`line_close_call`](Provider::line_close_call) at once (N1, N6), by others after
    /// completion(0) (N3).
    ///
    /// Without an address, or with an empty one, the line is only taken: dial tone.
    ///
    /// # Errors
    /// What can be decided without the hardware is returned, and nothing has happened on the line
    /// (R7).
    fn line_make_call(
        &self,
        request: RequestId,
        line: HDRVLINE,
        call: HTAPICALL,
        address: Option<&str>,
        country_code: u32,
        params: Option<&[u8]>,
    ) -> Result<(HDRVCALL, Ticket), LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// TSPI_lineDial, asynchronous: dials on a call that exists.
    ///
    /// # Errors
    /// As for the address of [`line_make_call`](Provider::line_make_call); INVALCALLHANDLE,
    /// INVALCALLSTATE.
    fn line_dial(
        &self,
        request: RequestId,
        call: HDRVCALL,
        address: &str,
        country_code: u32,
    ) -> Result<Ticket, LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// TSPI_lineAnswer, asynchronous.
    ///
    /// # Errors
    /// INVALCALLHANDLE, INVALCALLSTATE, USERUSERINFOTOOBIG.
    fn line_answer(
        &self,
        request: RequestId,
        call: HDRVCALL,
        user_user_info: &[u8],
    ) -> Result<Ticket, LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// TSPI_lineDrop, asynchronous: legal in every state but idle (D9).
    ///
    /// # Errors
    /// INVALCALLHANDLE, INVALCALLSTATE, USERUSERINFOTOOBIG.
    fn line_drop(
        &self,
        request: RequestId,
        call: HDRVCALL,
        user_user_info: &[u8],
    ) -> Result<Ticket, LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// TSPI_lineCloseCall: completes what is outstanding on the call; no event follows (D5). In any
    /// state, also while the call is being made (N6) and after that failed (N8).
    ///
    /// # Errors
    /// INVALCALLHANDLE for a handle that was never given out.
    fn line_close_call(&self, call: HDRVCALL) -> Result<(), LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// TSPI_lineGetCallAddressID: the address that a call is on.
    ///
    /// # Errors
    /// INVALCALLHANDLE.
    fn line_get_call_address_id(&self, call: HDRVCALL) -> Result<u32, LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// TSPI_lineGetCallInfo: fills LINECALLINFO.
    ///
    /// # Errors
    /// INVALCALLHANDLE, STRUCTURETOOSMALL.
    fn line_get_call_info(&self, call: HDRVCALL, info: &mut [u8]) -> Result<(), LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// TSPI_lineGetCallStatus: fills LINECALLSTATUS.
    ///
    /// # Errors
    /// INVALCALLHANDLE, STRUCTURETOOSMALL.
    fn line_get_call_status(&self, call: HDRVCALL, status: &mut [u8]) -> Result<(), LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// TSPI_lineGenerateDigits: starts digits; LINE_GENERATE with the end-to-end id tells their end
    /// (K5). Without digits, what is being generated is cancelled (D17). A duration of 0 ms is the
    /// default, any other is brought into the limits of LINEDEVCAPS.
    ///
    /// # Errors
    /// INVALCALLHANDLE, INVALCALLSTATE, INVALDIGITMODE.
    fn line_generate_digits(
        &self,
        call: HDRVCALL,
        end_to_end_id: u32,
        digit_mode: u32,
        digits: Option<&str>,
        duration: u32,
    ) -> Result<(), LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// TSPI_lineMonitorDigits: from now on LINE_MONITORDIGITS tells digits; 0 ends it.
    ///
    /// # Errors
    /// INVALCALLHANDLE, INVALCALLSTATE, INVALDIGITMODE.
    fn line_monitor_digits(&self, call: HDRVCALL, digit_modes: u32) -> Result<(), LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// The samples of an open line, which TSPI leaves to other interfaces. `None` where there are
    /// none.
    fn line_audio(&self, line: HDRVLINE) -> Option<Audio> {
        None
    }

    /// Sends bytes on a connected call, asynchronous: complete when the last has left the computer.
    /// TSPI leaves it to other interfaces (the device class comm/datamodem).
    ///
    /// # Errors
    /// INVALCALLHANDLE; INVALCALLSTATE without a connection; OPERATIONUNAVAIL on a line without data.
    fn call_send(
        &self,
        request: RequestId,
        call: HDRVCALL,
        bytes: &[u8],
    ) -> Result<Ticket, LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// Waits until so many bytes can be fetched on a connected call, asynchronous. It fails if the
    /// call ends or the time is over before that; [`line_data`](Provider::line_data) has what came.
    ///
    /// # Errors
    /// As [`call_send`](Provider::call_send); INVALPARAM for more bytes than are kept.
    fn call_receive(
        &self,
        request: RequestId,
        call: HDRVCALL,
        bytes: usize,
        time_limit: Duration,
    ) -> Result<Ticket, LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// Ends an outstanding request before its time. It completes as failed, in its turn, unless it
    /// was complete already. `false` if there is no such request or the provider can't end it; then
    /// it goes on. A request that makes a call is ended by
    /// [`line_close_call`](Provider::line_close_call) instead (N6).
    fn cancel(&self, request: RequestId) -> bool {
        false
    }

    /// The bytes that come over an open line. `None` where there are none.
    fn line_data(&self, line: HDRVLINE) -> Option<Data> {
        None
    }
}

/// A provider whose upcalls come on a thread of the application's
/// ([`Provider::provider_init_local`]).
pub trait Runner {
    /// Delivers what there is to deliver; if there is nothing, waits for it until `until`, on
    /// CLOCK_MONOTONIC. Returns the number of upcalls: 0 when the time has come.
    ///
    /// [`Time::ZERO`] does not wait.
    fn run_once(&mut self, until: Time) -> usize;
}

/// What TAPI gives a provider: where completions and events go. Dropping it says that nothing more
/// will be told.
///
/// Called by one thread at a time and never nested (C6), with no lock of the provider's held. It may
/// call into the provider.
pub trait Tapi: Send {
    /// ASYNC_COMPLETION: a request is over, with 0 or a negative error (C2). Its id may be in use
    /// again (T4).
    fn completion(&mut self, id: u32, result: i32);

    /// LINEEVENT: a message of a line, or of a call. Never LINE_REPLY (C14) nor LINE_NEWCALL.
    fn line_event(
        &mut self,
        line: HTAPILINE,
        call: Option<HTAPICALL>,
        message: u32,
        param1: usize,
        param2: usize,
        param3: usize,
    );

    /// LINEEVENT with LINE_NEWCALL: a call that was born in the provider, and TAPI's handle for it.
    /// `None`: TAPI has no room; no message of the call follows, and the provider drops it (N15).
    fn new_call(&mut self, line: HTAPILINE, call: HDRVCALL) -> Option<HTAPICALL>;

    /// When the operation behind the next [`completion`](Tapi::completion) ended, from a provider
    /// that knows it.
    fn timing(&mut self, completion: &Completion) {
        let _ = completion;
    }
}
