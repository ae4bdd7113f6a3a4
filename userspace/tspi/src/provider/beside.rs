//! What a provider in the same program may offer beside TSPI.
//!
//! TSPI leaves samples and data to other interfaces, and upcalls come on the provider's threads.
//! A provider that offers more does so by [`InProcess`]; one that was loaded from a library, or
//! that has nothing to add, implements that trait without a body.

use std::time::Duration;

use ringback_request::{RequestId, Time};

use super::{Init, Tapi, Ticket};
use crate::error::LineError;
use crate::media::{Audio, Data};
use crate::types::{HDRVCALL, HDRVLINE};

/// Where the host finds what a provider offers beside TSPI.
pub trait InProcess {
    /// The samples and the data of its lines.
    fn media(&self) -> Option<&dyn Media> {
        None
    }

    /// Functions about the provider itself and its requests.
    fn control(&self) -> Option<&dyn Control> {
        None
    }

    /// Whether its upcalls may come inside its functions or under its locks, as those of a loaded
    /// library may. Then a host does not call the application inside them (C8): a callback that
    /// calls the provider could wait for a lock that its own thread holds.
    fn calls_up_under_locks(&self) -> bool {
        false
    }
}

/// The samples and the data of lines, which TSPI leaves to other interfaces.
pub trait Media: Send + Sync {
    /// The samples of an open line. `None` where there are none.
    fn line_audio(&self, line: HDRVLINE) -> Option<Audio>;

    /// The bytes that come over an open line. `None` where there are none.
    fn line_data(&self, line: HDRVLINE) -> Option<Data>;

    /// Sends bytes on a connected call, asynchronous: complete when the last has left the computer.
    /// It stands for the device class comm/datamodem.
    ///
    /// # Errors
    /// INVALCALLHANDLE; INVALCALLSTATE without a connection; OPERATIONUNAVAIL on a line without
    /// data.
    fn call_send(
        &self,
        request: RequestId,
        call: HDRVCALL,
        bytes: &[u8],
    ) -> Result<Ticket, LineError>;

    /// Waits until so many bytes can be fetched on a connected call, asynchronous. It fails if the
    /// call ends or the time is over before that; [`line_data`](Media::line_data) has what came.
    ///
    /// # Errors
    /// As [`call_send`](Media::call_send); INVALPARAM for more bytes than are kept.
    fn call_receive(
        &self,
        request: RequestId,
        call: HDRVCALL,
        bytes: usize,
        time_limit: Duration,
    ) -> Result<Ticket, LineError>;
}

/// Functions that a provider offers only to callers in the same program.
pub trait Control: Send + Sync {
    /// As [`provider_init`](super::Provider::provider_init), for a host that runs on the
    /// application's thread: completions and events come only inside of [`Runner::run_once`].
    ///
    /// # Errors
    /// As [`provider_init`](super::Provider::provider_init); OPERATIONUNAVAIL from a provider that
    /// needs a thread of its own.
    fn provider_init_local(
        &self,
        init: Init,
        tapi: Box<dyn Tapi>,
    ) -> Result<(u32, Box<dyn Runner>), LineError> {
        let _ = (init, tapi);
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// Why the last init failed, in words. `None` if it did not fail, or if the error number says
    /// it all.
    fn failure_text(&self) -> Option<String> {
        None
    }

    /// Ends an outstanding request before its time. Its completion is an error, and comes in the
    /// order of its line, unless it was complete already. `false` if there is no such request or
    /// the provider can't end it; then it goes on. A request that makes a call is ended by
    /// [`line_close_call`](super::Provider::line_close_call) instead (N6).
    fn cancel(&self, request: RequestId) -> bool {
        let _ = request;
        false
    }
}

/// A provider whose upcalls come on a thread of the application's
/// ([`Control::provider_init_local`]).
pub trait Runner {
    /// Delivers what there is to deliver; if there is nothing, waits for it until `until`, on
    /// CLOCK_MONOTONIC. Returns the number of upcalls: 0 when the time has come.
    ///
    /// [`Time::ZERO`] does not wait.
    fn run_once(&mut self, until: Time) -> usize;
}
