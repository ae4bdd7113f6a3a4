//! The host's `Tapi`: what the provider calls with completions and events.

use std::sync::Arc;

use ringback_request::RequestId;
use ringback_tspi::provider::{Completion, LineMessage, PhoneMessage, Tapi};
use ringback_tspi::types::{HDRVCALL, HTAPICALL, HTAPILINE};

use super::host::Ways;
use super::inner::CallInner;
use super::outlet::{LineOutlet, LineUpcall};
use super::record::{Arrived, Ending, Outcome};
use super::service::Service;

/// The provider drops it when it will emit nothing more; the host then knows that the provider is
/// down.
pub(super) struct Upward {
    service: Arc<Service>,
    ways: Ways,
}

impl Upward {
    pub(super) fn new(service: &Arc<Service>, ways: &Ways) -> Upward {
        Upward { service: Arc::clone(service), ways: ways.clone() }
    }

    /// The line with this handle, if it is open and the provider's.
    fn line(&self, tapi: HTAPILINE) -> Option<Arc<LineOutlet>> {
        let line = self.ways.lines.get(tapi);
        line.filter(|line| line.inner.service.id == self.service.id)
    }

    /// A completion of no outstanding request of the provider.
    fn duplicate(&self, id: RequestId, outcome: Outcome) {
        let shared = Arc::clone(&self.service.shared);
        let observer = Arc::clone(&self.ways.observer);
        let hand = Arc::clone(&shared.hand);
        let report = move || observer.duplicate(&shared.counters, id, outcome);
        if self.service.is_apart() {
            // The observer is code of the application, too.
            hand.run(Box::new(report));
        } else {
            report();
        }
    }
}

impl Tapi for Upward {
    fn completion(&mut self, completion: &Completion) {
        let Completion { id, result: outcome, completed } = *completion;
        let Some(record) = self.service.shared.requests.take(id, self.service.id) else {
            return self.duplicate(id, outcome);
        };
        let early = !record.state().returned;
        record.end(Ending::Completed(Arrived { outcome, completed, early }));
    }

    fn line_event(&mut self, event: &LineMessage) {
        if let Some(line) = self.line(event.line) {
            line.push(LineUpcall::Event(*event));
        }
    }

    fn new_call(&mut self, line: HTAPILINE, call: HDRVCALL) -> Option<HTAPICALL> {
        let line = self.line(line)?;
        let tapi = HTAPICALL::new(self.service.shared.next_handle())?;
        CallInner::incoming(&line.inner, line.outlet(), tapi, call);
        line.push(LineUpcall::NewCall(tapi));
        Some(tapi)
    }

    fn phone_event(&mut self, event: &PhoneMessage) {
        let phone = self.ways.phones.get(event.phone);
        if let Some(phone) = phone.filter(|phone| phone.is_of(&self.service)) {
            phone.push(*event);
        }
    }
}

impl Drop for Upward {
    fn drop(&mut self) {
        self.service.nothing_follows();
    }
}
