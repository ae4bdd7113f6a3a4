//! The outstanding requests of phones.
//!
//! If the reactor itself ends a request, for example because the card fails, it has an error of
//! lines. A phone's request completes with errors of phones only (R6), so they are told apart here.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard};

use ringback_driver::request::{ErrorCode, RequestId};
use ringback_tspi::EvenPoisoned;
use ringback_tspi::error::{LineError, PhoneError};

/// The requests of phones that were submitted and are not complete.
#[derive(Debug, Default)]
pub(super) struct PhoneRequests(Mutex<HashSet<RequestId>>);

impl PhoneRequests {
    fn lock(&self) -> MutexGuard<'_, HashSet<RequestId>> {
        self.0.lock().even_poisoned()
    }

    /// Notes a request that is about to be submitted.
    pub(super) fn begin(&self, id: RequestId) {
        self.lock().insert(id);
    }

    /// Forgets a request that was refused.
    pub(super) fn refused(&self, id: RequestId) {
        self.lock().remove(&id);
    }

    /// Forgets a request that is complete (T4), and returns its result: that of a phone's request
    /// is an error of phones.
    pub(super) fn completed(
        &self,
        id: RequestId,
        result: Result<(), ErrorCode>,
    ) -> Result<(), ErrorCode> {
        if !self.lock().remove(&id) {
            return result;
        }
        result.map_err(|code| match LineError::from(code) {
            LineError::NODEVICE => PhoneError::NODEVICE.into(),
            error if error.name().is_some() => PhoneError::OPERATIONFAILED.into(),
            _ => code,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r6_a_phones_request_fails_with_errors_of_phones() {
        let requests = PhoneRequests::default();
        let id = RequestId::FIRST;
        let outcome = |error: ErrorCode| {
            requests.begin(id);
            requests.completed(id, Err(error)).unwrap_err()
        };
        assert_eq!(outcome(LineError::NODEVICE.into()), PhoneError::NODEVICE.into());
        assert_eq!(outcome(LineError::OPERATIONFAILED.into()), PhoneError::OPERATIONFAILED.into());
        let own = ErrorCode::from(PhoneError::INVALPHONESTATE);
        assert_eq!(outcome(own), own);
        let lines = Err(LineError::NODEVICE.into());
        assert_eq!(requests.completed(id, lines), lines, "T4: the id is another request's now");
    }
}
