//! Delivers for an open line: its queue, its subscribers and the observer.

use std::sync::{Arc, Mutex, MutexGuard};

use ringback_request::sync::EvenPoisoned;
use ringback_tspi::error::LineError;
use ringback_tspi::provider::LineMessage;
use ringback_tspi::types::{HTAPICALL, HTAPILINE};

use super::closing::{self, CloseError, Closed};
use super::events::LineEvent;
use super::info::LineInfo;
use super::inner::LineInner;
use super::mailbox::{self, Events, Subscribers};
use super::open::Open;
use super::queue::{Queue, Upcall};
use super::record::Outlet;
use super::service::Service;
use super::trace::Observer;

/// A message of a line or call.
pub(super) enum LineUpcall {
    NewCall(HTAPICALL),
    Event(LineMessage),
}

/// The open lines of a host.
pub(super) type Lines = Open<HTAPILINE, LineOutlet>;

/// An open line with what it delivers to the application.
pub(super) struct LineOutlet {
    pub(super) inner: Arc<LineInner>,
    lines: Arc<Lines>,
    pub(super) observer: Arc<Observer>,
    queue: Mutex<Queue<LineUpcall>>,
    pub(super) subscribers: Mutex<Subscribers<LineEvent>>,
}

impl LineOutlet {
    /// A line that is about to be opened. It can be found from now on, because its events may come
    /// before the provider's function has returned (N17).
    pub(super) fn new(
        service: &Arc<Service>,
        lines: &Arc<Lines>,
        observer: &Arc<Observer>,
        info: LineInfo,
        tapi: HTAPILINE,
    ) -> Arc<LineOutlet> {
        let line = Arc::new(LineOutlet {
            inner: Arc::new(LineInner::new(service, info, tapi)),
            lines: Arc::clone(lines),
            observer: Arc::clone(observer),
            queue: Mutex::default(),
            subscribers: Mutex::new(Subscribers::new(service.shared.runner)),
        });
        lines.insert(tapi, &line);
        line
    }

    /// This line as the outlet of its requests.
    pub(super) fn outlet(self: &Arc<Self>) -> Arc<dyn Outlet> {
        Arc::clone(self) as Arc<dyn Outlet>
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue<LineUpcall>> {
        self.queue.lock().even_poisoned()
    }

    /// Queues something that the next delivery takes.
    pub(super) fn queue_up(&self, upcall: Upcall<LineUpcall>) {
        self.queue().put(upcall);
    }

    fn subscribers(&self) -> MutexGuard<'_, Subscribers<LineEvent>> {
        self.subscribers.lock().even_poisoned()
    }

    /// Subscribes to its events.
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
        closing::await_unused(shared, &self.inner.ledger);
        let closed = match self.inner.driver() {
            Some(driver) => self.inner.service.provider().line_close(driver),
            // It was never opened.
            None => Ok(()),
        };
        self.end();
        // If the host is being shut down, that has closed the line already.
        let above = shared.ledger.is_open();
        if closed == Err(LineError::INVALLINEHANDLE) && !above { Ok(()) } else { closed }
    }

    /// From here on no event is delivered and every function is refused.
    pub(super) fn end(&self) {
        self.inner.set_ended();
        self.lines.remove(self.inner.tapi);
        self.inner.end_calls();
        mailbox::end(&self.subscribers);
        self.inner.ledger.close();
        self.inner.shared.turns.changed();
    }
}
