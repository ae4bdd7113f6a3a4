//! The host's `Tapi`: what the provider calls with completions and events.

use std::sync::Arc;

use ringback_request::Completion;
use ringback_tspi::clock;
use ringback_tspi::provider::Tapi;
use ringback_tspi::types::{HDRVCALL, HTAPICALL, HTAPILINE, HTAPIPHONE};

use super::inner::CallInner;
use super::outlet::Lines;
use super::queue::{Told, Upcall};
use super::record::{Arrived, Ending};
use super::service::Service;

/// Dropping it says that nothing follows, by which a host learns that its provider is down.
pub(super) struct Upward {
    service: Arc<Service>,
    open: Arc<Lines>,
    timing: Option<Completion>,
}

impl Upward {
    pub(super) fn new(service: &Arc<Service>, open: &Arc<Lines>) -> Upward {
        Upward { service: Arc::clone(service), open: Arc::clone(open), timing: None }
    }

    /// A completion of no request that the provider owes.
    fn duplicate(&self, id: u32, result: i32) {
        let (shared, open) = (Arc::clone(&self.service.shared), Arc::clone(&self.open));
        let hand = Arc::clone(&shared.hand);
        let report = move || open.duplicate(&shared.counters, id, result);
        if self.service.is_apart() {
            // The observer is the application's as well.
            hand.run(Box::new(report));
        } else {
            report();
        }
    }
}

impl Tapi for Upward {
    fn completion(&mut self, id: u32, result: i32) {
        let now = clock::now();
        let timing = self.timing.take().filter(|timing| timing.id.get() == id);
        let completed = timing.map_or(now, |timing| timing.completed);
        let Some(record) = self.service.shared.requests.take(id, self.service.id) else {
            return self.duplicate(id, result);
        };
        let early = !record.state().returned;
        record.end(Ending::Completed(Arrived { result, completed, early }));
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
        if let Some(line) = self.open.get(line, &self.service) {
            line.push(Upcall::Event(Told { call, message, params: [param1, param2, param3] }));
        }
    }

    fn new_call(&mut self, line: HTAPILINE, call: HDRVCALL) -> Option<HTAPICALL> {
        let line = self.open.get(line, &self.service)?;
        let tapi = HTAPICALL::new(self.service.shared.next_handle())?;
        CallInner::incoming(&line.inner, line.outlet(), tapi, call);
        line.push(Upcall::NewCall(tapi));
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
        self.service.nothing_follows();
    }
}
