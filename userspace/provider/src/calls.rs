//! The calls that TAPI knows, with both sides' handles.
//!
//! A call has its entry before TAPI can know it, so that the entry exists at its first event (C9),
//! and until it is closed. An event of a call without an entry is dropped (D5).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use ringback_driver::request::{ErrorCode, RequestId};
use ringback_tspi::EvenPoisoned;
use ringback_tspi::types::{HDRVCALL, HTAPICALL, HTAPILINE};

/// One call that TAPI knows or is about to know.
#[derive(Debug)]
struct Entry {
    line: HTAPILINE,
    /// `None` while LINE_NEWCALL has not been answered.
    tapi: Option<HTAPICALL>,
}

#[derive(Debug, Default)]
struct Table {
    calls: HashMap<HDRVCALL, Entry>,
    /// The calls that are being made, by their requests; a conference comes with two.
    making: HashMap<RequestId, Vec<HDRVCALL>>,
}

/// All calls of a provider. Its lock is never held during an upcall.
#[derive(Debug, Default)]
pub(super) struct Calls(Mutex<Table>);

impl Calls {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().even_poisoned()
    }

    /// Notes that a request is about to make this call.
    pub(super) fn making(&self, id: RequestId, line: HTAPILINE, call: HDRVCALL, tapi: HTAPICALL) {
        let mut table = self.lock();
        table.making.entry(id).or_default().push(call);
        table.calls.insert(call, Entry { line, tapi: Some(tapi) });
    }

    /// Notes that a request is complete. If it failed to make a call, the call's handle is dead;
    /// TAPI may close it all the same (N8), which needs no entry.
    pub(super) fn completed(&self, id: RequestId, result: Result<(), ErrorCode>) {
        let mut table = self.lock();
        for call in table.making.remove(&id).unwrap_or_default() {
            if result.is_err() {
                table.calls.remove(&call);
            }
        }
    }

    /// Adds a call that begins on the line, before TAPI gets LINE_NEWCALL.
    pub(super) fn born(&self, line: HTAPILINE, call: HDRVCALL) {
        self.lock().calls.insert(call, Entry { line, tapi: None });
    }

    /// Stores TAPI's handle; `false` if TAPI has closed the call already.
    pub(super) fn named(&self, call: HDRVCALL, tapi: HTAPICALL) -> bool {
        match self.lock().calls.get_mut(&call) {
            Some(entry) => {
                entry.tapi = Some(tapi);
                true
            }
            None => false,
        }
    }

    /// Whether TAPI may use the handle.
    pub(super) fn knows(&self, call: HDRVCALL) -> bool {
        self.lock().calls.contains_key(&call)
    }

    /// TAPI's handle of the call.
    pub(super) fn tapi(&self, call: HDRVCALL) -> Option<HTAPICALL> {
        self.lock().calls.get(&call)?.tapi
    }

    /// Removes a call that was closed.
    pub(super) fn closed(&self, call: HDRVCALL) {
        self.lock().calls.remove(&call);
    }

    /// Removes the calls of a line that was closed.
    pub(super) fn line_closed(&self, line: HTAPILINE) {
        self.lock().calls.retain(|_, entry| entry.line != line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Result<(), ErrorCode> = Err(ErrorCode::of::<-1>());

    fn id(number: u32) -> RequestId {
        RequestId::new(number).unwrap()
    }

    fn call(value: usize) -> HDRVCALL {
        HDRVCALL::new(value).unwrap()
    }

    #[test]
    fn a_call_that_was_not_made_is_forgotten_n8() {
        let (calls, line) = (Calls::default(), HTAPILINE::new(1).unwrap());
        let tapi = HTAPICALL::new(9).unwrap();
        calls.making(id(5), line, call(1), tapi);
        assert_eq!(calls.tapi(call(1)), Some(tapi), "known before the request is submitted");
        calls.completed(id(4), FAILED);
        assert!(calls.knows(call(1)), "another request's failure changes nothing");
        calls.completed(id(5), FAILED);
        assert!(!calls.knows(call(1)));
        calls.making(id(5), line, call(2), tapi);
        calls.completed(id(5), Ok(()));
        calls.completed(id(5), FAILED);
        assert!(calls.knows(call(2)), "the id is free for another request (T4)");
    }

    #[test]
    fn a_call_that_tapi_closed_during_linenewcall_stays_closed_c9() {
        let (calls, line) = (Calls::default(), HTAPILINE::new(1).unwrap());
        calls.born(line, call(1));
        assert!(calls.knows(call(1)), "it can be closed before TAPI's handle is known");
        calls.closed(call(1));
        assert!(!calls.named(call(1), HTAPICALL::new(9).unwrap()));
        assert_eq!(calls.tapi(call(1)), None);
    }

    #[test]
    fn closing_a_line_takes_its_calls_along_d2() {
        let calls = Calls::default();
        let line = |value| HTAPILINE::new(value).unwrap();
        let tapi = HTAPICALL::new(9).unwrap();
        calls.making(id(1), line(1), call(1), tapi);
        calls.making(id(2), line(2), call(2), tapi);
        calls.line_closed(line(1));
        assert!(!calls.knows(call(1)) && calls.knows(call(2)));
    }
}
