//! An open line's way to the application: what waits to be delivered, who gets its events, and the
//! observer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringback_request::report;
use ringback_tspi::clock;
use ringback_tspi::error::LineError;
use ringback_tspi::types::HTAPILINE;

use super::closing::{self, CloseError, Closed};
use super::counts::{Counters, count};
use super::guard::guarded;
use super::info::LineInfo;
use super::inner::LineInner;
use super::mailbox::{self, Events, Subscribers};
use super::queue::{Queue, Upcall};
use super::record::Outlet;
use super::service::Service;
use super::trace::{Trace, Traced};

/// The open lines of a host, and its observer.
pub(super) struct Lines {
    open: Mutex<HashMap<HTAPILINE, Arc<LineOutlet>>>,
    trace: Option<Arc<Trace>>,
}

impl Lines {
    pub(super) fn new(trace: Option<Arc<Trace>>) -> Lines {
        Lines { open: Mutex::default(), trace }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<HTAPILINE, Arc<LineOutlet>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The line of this provider with this handle, if it is open.
    pub(super) fn get(&self, tapi: HTAPILINE, service: &Service) -> Option<Arc<LineOutlet>> {
        let line = self.open().get(&tapi).cloned();
        line.filter(|line| line.inner.service.id == service.id)
    }

    /// All that are open.
    pub(super) fn all(&self) -> Vec<Arc<LineOutlet>> {
        self.open().values().cloned().collect()
    }

    /// Calls the observer. Panics are caught, because this may run on the reaper's thread.
    pub(super) fn trace(&self, happened: &Traced<'_>) {
        if let Some(trace) = &self.trace {
            guarded("observer", || trace(happened));
        }
    }

    /// Reports a completion for an unknown request id.
    pub(super) fn duplicate(&self, counters: &Counters, id: u32, result: i32) {
        count(&counters.duplicate);
        report!(
            ERROR,
            "the provider completed request {id:#010x}, which is not outstanding, with {result}"
        );
        self.trace(&Traced::Duplicate { id, result, at: clock::now() });
    }
}

/// An open line's way to the application.
pub(super) struct LineOutlet {
    pub(super) inner: Arc<LineInner>,
    pub(super) lines: Arc<Lines>,
    queue: Mutex<Queue>,
    pub(super) subscribers: Mutex<Subscribers>,
}

impl LineOutlet {
    /// A line that is about to be opened. It is known from now on, because its events may come
    /// before the provider's function has returned (N17).
    pub(super) fn new(
        service: &Arc<Service>,
        lines: &Arc<Lines>,
        info: LineInfo,
        tapi: HTAPILINE,
    ) -> Arc<LineOutlet> {
        let line = Arc::new(LineOutlet {
            inner: Arc::new(LineInner::new(service, info, tapi)),
            lines: Arc::clone(lines),
            queue: Mutex::default(),
            subscribers: Mutex::new(Subscribers::new(service.shared.runner)),
        });
        lines.open().insert(tapi, Arc::clone(&line));
        line
    }

    /// Where the outcomes of its requests go: here.
    pub(super) fn outlet(self: &Arc<Self>) -> Arc<dyn Outlet> {
        Arc::clone(self) as Arc<dyn Outlet>
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues something that the next delivery takes.
    pub(super) fn queue_up(&self, upcall: Upcall) {
        self.queue().put(upcall);
    }

    fn subscribers(&self) -> MutexGuard<'_, Subscribers> {
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its events.
    pub(super) fn events(&self) -> Events {
        self.subscribers().subscribe()
    }

    /// Drops the events that are kept for a first caller: they keep their calls and the line.
    pub(super) fn forget_first_events(&self) {
        // Not under the lock.
        let first = self.subscribers().take_first();
        drop(first);
    }

    /// Closes the line (D1, D2).
    pub(super) fn close(&self) -> Result<Closed, CloseError> {
        let LineInner { shared, ledger, .. } = &*self.inner;
        closing::close(shared, ledger, closing::LIMIT, || self.close_now())
    }

    /// Closes the line as part of a shutdown, which waits for everything at once.
    pub(super) fn close_without_waiting(&self) -> Result<(), LineError> {
        let ledger = &self.inner.ledger;
        if !ledger.begin_closing() {
            return Ok(());
        }
        let closed = self.close_now();
        ledger.close();
        closed
    }

    fn close_now(&self) -> Result<(), LineError> {
        let shared = &self.inner.shared;
        let closed = match self.inner.driver() {
            Some(driver) => self.inner.service.provider().line_close(driver),
            // It was never opened.
            None => Ok(()),
        };
        self.end();
        // Who shuts the host down has closed the line before us.
        let above = shared.ledger.is_open();
        if closed == Err(LineError::INVALLINEHANDLE) && !above { Ok(()) } else { closed }
    }

    /// From here on no event is delivered and every function is refused.
    pub(super) fn end(&self) {
        self.inner.set_ended();
        // Not under the lock of the lines.
        let this = self.lines.open().remove(&self.inner.tapi);
        drop(this);
        self.inner.end_calls();
        mailbox::end(&self.subscribers);
        self.inner.ledger.close();
        self.inner.shared.turns.changed();
    }
}
