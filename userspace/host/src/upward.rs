//! The host's `Tapi`: what the provider calls with completions and events.

use std::sync::Arc;

use ringback_request::Completion;
use ringback_tspi::clock;
use ringback_tspi::provider::Tapi;
use ringback_tspi::types::{HDRVCALL, HTAPICALL, HTAPILINE, HTAPIPHONE};

use super::delivery::{Told, Upcall};
use super::host::Shared;
use super::life::CallInner;
use super::requests::Arrived;

/// Dropping it says that nothing follows, by which a host learns that its provider is down.
pub(super) struct Upward {
    pub(super) shared: Arc<Shared>,
    pub(super) timing: Option<Completion>,
}

impl Tapi for Upward {
    fn completion(&mut self, id: u32, result: i32) {
        let now = clock::now();
        let timing = self.timing.take().filter(|timing| timing.id.get() == id);
        let completed = timing.map_or(now, |timing| timing.completed);
        let Some(record) = self.shared.requests.take(id) else {
            return self.shared.duplicate(id, result);
        };
        let early = !record.state().returned;
        let line = Arc::clone(&record.line);
        line.push(Upcall::Completed(record, Arrived { result, completed, early }));
    }

    fn line_event(
        &mut self,
        line: HTAPILINE,
        call: Option<HTAPICALL>,
        message: u32,
        param1: usize,
        param2: usize,
        param3: usize,
    ) {
        if let Some(line) = self.shared.line(line) {
            line.push(Upcall::Event(Told { call, message, params: [param1, param2, param3] }));
        }
    }

    fn new_call(&mut self, line: HTAPILINE, call: HDRVCALL) -> Option<HTAPICALL> {
        let line = self.shared.line(line)?;
        let tapi = HTAPICALL::new(self.shared.next_handle())?;
        let call = Arc::new(CallInner::incoming(&line, tapi, call));
        line.remember(&call);
        line.push(Upcall::NewCall(call));
        Some(tapi)
    }

    fn phone_event(&mut self, _: HTAPIPHONE, _: u32, _: usize, _: usize, _: usize) {
        // This host opens no phones, so a message of one is about nothing that it knows.
    }

    fn timing(&mut self, completion: &Completion) {
        self.timing = Some(*completion);
    }
}

impl Drop for Upward {
    fn drop(&mut self) {
        self.shared.nothing_follows();
    }
}
