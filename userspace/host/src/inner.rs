//! A line and its calls in the host: the provider's handles, the phase of each call, and whether
//! the application still holds it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use ringback_request::sync::EvenPoisoned;
use ringback_tspi::callstate::CallState;
use ringback_tspi::error::LineError;
use ringback_tspi::provider::LineMessage;
use ringback_tspi::types::{HDRVCALL, HDRVLINE, HTAPICALL, HTAPILINE};

use super::closing::{self, CloseError, Closed};
use super::info::LineInfo;
use super::ledger::{Ledger, Use};
use super::record::Outlet;
use super::service::Service;
use super::shared::Shared;

pub(super) struct LineInner {
    pub(super) shared: Arc<Shared>,
    /// The provider of the line.
    pub(super) service: Arc<Service>,
    pub(super) info: LineInfo,
    pub(super) tapi: HTAPILINE,
    pub(super) ledger: Ledger,
    driver: OnceLock<HDRVLINE>,
    calls: Mutex<HashMap<HTAPICALL, Arc<CallInner>>>,
    /// Nothing is delivered any more.
    ended: AtomicBool,
}

impl LineInner {
    pub(super) fn new(service: &Arc<Service>, info: LineInfo, tapi: HTAPILINE) -> LineInner {
        LineInner {
            shared: Arc::clone(&service.shared),
            service: Arc::clone(service),
            info,
            tapi,
            ledger: Ledger::default(),
            driver: OnceLock::new(),
            calls: Mutex::default(),
            ended: AtomicBool::new(false),
        }
    }

    /// The provider's handle, once its function has returned.
    pub(super) fn set_driver(&self, driver: HDRVLINE) {
        // Set once: a line is opened once.
        let _ = self.driver.set(driver);
    }

    /// The provider's handle, while the line is open.
    pub(super) fn driver(&self) -> Option<HDRVLINE> {
        self.driver.get().copied()
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<HTAPICALL, Arc<CallInner>>> {
        self.calls.lock().even_poisoned()
    }

    pub(super) fn call(&self, tapi: HTAPICALL) -> Option<Arc<CallInner>> {
        self.calls().get(&tapi).cloned()
    }

    pub(super) fn forget(&self, tapi: HTAPICALL) {
        self.calls().remove(&tapi);
    }

    /// Making this call has failed (N8).
    pub(super) fn not_made(&self, tapi: HTAPICALL) {
        // Not under the lock of the calls.
        let call = self.calls().remove(&tapi);
        if let Some(call) = call {
            call.kill();
        }
    }

    /// The number of calls that are kept.
    #[cfg(test)]
    pub(super) fn known_calls(&self) -> usize {
        self.calls().len()
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Stops delivery of its completions and events.
    pub(super) fn set_ended(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }

    /// Ends all its calls.
    pub(super) fn end_calls(&self) {
        let calls = std::mem::take(&mut *self.calls());
        for call in calls.into_values() {
            call.kill();
        }
    }
}

/// The phase of a call between host and provider.
enum Phase {
    /// The request that makes it is not complete; events that came too early are kept here (N9).
    Making(Vec<LineMessage>),
    Alive,
    /// It is closed, or making it failed.
    Dead,
}

struct Life {
    phase: Phase,
    /// The state that was delivered last; none before the first LINE_CALLSTATE.
    state: Option<CallState>,
    mode: u32,
    /// The application has made it or answered it, so it is hung up when the last `Call` of it is
    /// dropped.
    owned: bool,
    /// How many [`Call`](super::Call)s of it the application has.
    held: usize,
    /// How many events about it were not fetched yet.
    mentioned: usize,
}

impl Life {
    /// Whether nothing is left that could close it.
    fn is_abandoned(&self) -> bool {
        let over = self.mentioned == 0 && self.state == Some(CallState::Idle);
        !matches!(self.phase, Phase::Dead) && self.held == 0 && (self.owned || over)
    }
}

pub(super) struct CallInner {
    pub(super) line: Arc<LineInner>,
    /// Where the outcomes of its requests go.
    pub(super) outlet: Arc<dyn Outlet>,
    pub(super) tapi: HTAPICALL,
    pub(super) ledger: Arc<Ledger>,
    driver: OnceLock<HDRVCALL>,
    life: Mutex<Life>,
}

impl CallInner {
    /// Adds a call to its line.
    fn enter(
        line: &Arc<LineInner>,
        outlet: Arc<dyn Outlet>,
        tapi: HTAPICALL,
        phase: Phase,
        driver: OnceLock<HDRVCALL>,
    ) -> Arc<CallInner> {
        let owned = matches!(phase, Phase::Making(_));
        let life = Life { phase, state: None, mode: 0, owned, held: 0, mentioned: 0 };
        let call = Arc::new(CallInner {
            line: Arc::clone(line),
            outlet,
            tapi,
            ledger: Arc::default(),
            driver,
            life: Mutex::new(life),
        });
        line.calls().insert(tapi, Arc::clone(&call));
        call
    }

    /// A call that is about to be made here.
    pub(super) fn outgoing(
        line: &Arc<LineInner>,
        outlet: Arc<dyn Outlet>,
        tapi: HTAPICALL,
    ) -> Arc<CallInner> {
        CallInner::enter(line, outlet, tapi, Phase::Making(Vec::new()), OnceLock::new())
    }

    /// A call that the provider has announced.
    pub(super) fn incoming(
        line: &Arc<LineInner>,
        outlet: Arc<dyn Outlet>,
        tapi: HTAPICALL,
        driver: HDRVCALL,
    ) -> Arc<CallInner> {
        CallInner::enter(line, outlet, tapi, Phase::Alive, OnceLock::from(driver))
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().even_poisoned()
    }

    /// The provider's handle, once its function has returned (N1).
    pub(super) fn set_driver(&self, driver: HDRVCALL) {
        // Set once: a call is made once.
        let _ = self.driver.set(driver);
    }

    /// The request that makes it is complete; returns the events that came too early.
    pub(super) fn made(&self) -> Vec<LineMessage> {
        let mut life = self.life();
        match &mut life.phase {
            Phase::Making(early) => {
                let early = std::mem::take(early);
                life.phase = Phase::Alive;
                early
            }
            Phase::Alive | Phase::Dead => Vec::new(),
        }
    }

    /// Making it failed, or its line is closed.
    pub(super) fn kill(&self) {
        self.life().phase = Phase::Dead;
        self.ledger.close();
    }

    pub(super) fn is_dead(&self) -> bool {
        matches!(self.life().phase, Phase::Dead)
    }

    /// Whether an event of the call may be delivered now; an early one is kept (N9), a late one
    /// dropped (D5).
    pub(super) fn admit(&self, told: &LineMessage) -> bool {
        match &mut self.life().phase {
            Phase::Alive => true,
            Phase::Making(early) => {
                early.push(*told);
                false
            }
            Phase::Dead => false,
        }
    }

    pub(super) fn set_state(&self, state: CallState, mode: u32) {
        let mut life = self.life();
        life.state = Some(state);
        life.mode = mode;
    }

    /// Its state and that state's mode, as delivered last.
    pub(super) fn state(&self) -> (Option<CallState>, u32) {
        let life = self.life();
        (life.state, life.mode)
    }

    /// The provider's handle of a call that can be used. Closing the call waits for all functions
    /// on its line.
    pub(super) fn usable(&self) -> Result<Use<'_, HDRVCALL>, LineError> {
        let LineInner { ledger, shared, .. } = &*self.line;
        let ledgers = [ledger, &shared.ledger];
        Use::begin(ledgers, &shared.turns, LineError::INVALCALLHANDLE, || {
            match &self.life().phase {
                Phase::Alive => {}
                // G7: until it is made, a call is only closed.
                Phase::Making(_) => return Err(LineError::INVALCALLSTATE),
                Phase::Dead => return Err(LineError::INVALCALLHANDLE),
            }
            self.driver.get().copied().ok_or(LineError::INVALCALLHANDLE)
        })
    }

    /// Closes it (D5). The provider's function is called once, however often and by whichever
    /// thread this is called.
    pub(super) fn close(&self) -> Result<Closed, CloseError> {
        let shared = &self.line.shared;
        closing::close(shared, &self.ledger, closing::LIMIT, || {
            self.life().phase = Phase::Dead;
            closing::await_unused(shared, &self.line.ledger);
            let closed = match self.driver.get() {
                Some(driver) => self.line.service.provider().line_close_call(*driver),
                None => Ok(()),
            };
            self.line.forget(self.tapi);
            // If the line is being closed, or the host shut down, that has closed the call already.
            let above = self.line.ledger.is_open() && shared.ledger.is_open();
            if closed == Err(LineError::INVALCALLHANDLE) && !above { Ok(()) } else { closed }
        })
    }

    // Ownership

    /// Changes the counts of its holders, and closes it if there is none any more.
    fn pass(&self, change: impl FnOnce(&mut Life)) {
        let abandoned = {
            let mut life = self.life();
            change(&mut life);
            life.is_abandoned()
        };
        if abandoned {
            // There is no caller left to get an error.
            let _ = self.close();
        }
    }

    /// The application has one more `Call` of it.
    pub(super) fn hold(&self) {
        self.life().held += 1;
    }

    /// An event about it is queued.
    pub(super) fn mention(&self) {
        self.life().mentioned += 1;
    }

    /// An event that is about it was fetched.
    pub(super) fn fetched(&self) {
        let mut life = self.life();
        life.mentioned -= 1;
        life.held += 1;
    }

    /// A `Call` of the application's is put into an event.
    pub(super) fn queued(&self) {
        self.pass(|life| {
            life.held -= 1;
            life.mentioned += 1;
        });
    }

    /// The application has one `Call` of it less.
    pub(super) fn let_go(&self) {
        self.pass(|life| life.held -= 1);
    }

    /// An event about it was dropped before it was fetched.
    pub(super) fn unmention(&self) {
        self.pass(|life| life.mentioned -= 1);
    }

    /// The application has answered it.
    pub(super) fn own(&self) {
        self.life().owned = true;
    }

    /// It continues although the application drops it.
    pub(super) fn disown(&self) {
        self.life().owned = false;
    }
}
