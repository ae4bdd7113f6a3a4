//! The host: one provider's TAPI.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringback_request::report;
use ringback_tspi::clock;
use ringback_tspi::error::LineError;
use ringback_tspi::provider::Provider;
use ringback_tspi::types::{HTAPILINE, Version};

use super::closing::Closer;
use super::delivery::{Baton, Upcall};
use super::guard::guarded;
use super::hand::Hand;
use super::ledger::{Ledger, Turns};
use super::line::LineInner;
use super::requests::Requests;
use super::trace::{Counters, Traced, count};
use super::{Counts, HostOptions, Line, LineInfo, Trace, asked, inside};

/// What everything of a host keeps alive.
pub(super) struct Shared {
    pub(super) provider: Arc<dyn Provider>,
    pub(super) requests: Requests,
    pub(super) counters: Counters,
    pub(super) ledger: Ledger,
    pub(super) turns: Turns,
    pub(super) baton: Baton,
    pub(super) hand: Arc<Hand>,
    pub(super) closer: Arc<Closer>,
    lines: Mutex<HashMap<HTAPILINE, Arc<LineInner>>>,
    handles: AtomicUsize,
    end_to_end: AtomicU32,
    trace: Option<Arc<Trace>>,
    /// The provider emits nothing any more.
    over: AtomicBool,
    /// The process that has started it. A child that was forked has no thread of it and must not
    /// touch its card.
    process: u32,
    /// The thread that runs a local host.
    pub(super) runner: Option<i32>,
}

impl Shared {
    pub(super) fn new(
        provider: Arc<dyn Provider>,
        options: HostOptions,
        runner: Option<i32>,
    ) -> Shared {
        Shared {
            provider,
            requests: Requests::default(),
            counters: Counters::default(),
            ledger: Ledger::default(),
            turns: Turns::default(),
            baton: Baton::default(),
            hand: Arc::new(Hand::new(runner.is_some())),
            closer: Arc::default(),
            lines: Mutex::default(),
            handles: AtomicUsize::new(0),
            end_to_end: AtomicU32::new(0),
            trace: options.trace,
            over: AtomicBool::new(false),
            process: std::process::id(),
            runner,
        }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<HTAPILINE, Arc<LineInner>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn line(&self, tapi: HTAPILINE) -> Option<Arc<LineInner>> {
        self.lines().get(&tapi).cloned()
    }

    /// The lines that are open.
    pub(super) fn open_lines(&self) -> Vec<Arc<LineInner>> {
        self.lines().values().cloned().collect()
    }

    pub(super) fn forget(&self, tapi: HTAPILINE) {
        self.lines().remove(&tapi);
    }

    /// A number for a handle: never 0 (N2), never used again.
    pub(super) fn next_handle(&self) -> usize {
        self.handles.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A number for the generation of digits.
    pub(super) fn next_end_to_end(&self) -> u32 {
        self.end_to_end.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// Whether this is a child that was forked from the host's process.
    pub(super) fn is_forked(&self) -> bool {
        self.process != std::process::id()
    }

    /// Whether the calling thread would wait for itself.
    pub(super) fn must_not_wait(&self) -> bool {
        inside::is_inside() || self.runner == Some(asked::this_thread())
    }

    /// Whether the provider emits nothing any more.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Notes that the provider emits nothing any more: what it has not completed is lost (R5).
    pub(super) fn nothing_follows(&self) {
        self.over.store(true, Ordering::SeqCst);
        self.lose_all();
        self.turns.changed();
    }

    /// Fails every request that is outstanding.
    pub(super) fn lose_all(&self) {
        for record in self.requests.take_all() {
            let line = Arc::clone(&record.line);
            line.push(Upcall::Lost(record));
        }
    }

    /// Calls the observer. Panics are caught, because this may run on the reaper's thread.
    pub(super) fn trace(&self, happened: &Traced<'_>) {
        if let Some(trace) = &self.trace {
            guarded("observer", || trace(happened));
        }
    }

    /// Reports a completion for an unknown request id.
    pub(super) fn duplicate(&self, id: u32, result: i32) {
        count(&self.counters.duplicate);
        report!(
            ERROR,
            "the provider completed request {id:#010x}, which is not outstanding, with {result}"
        );
        self.trace(&Traced::Duplicate { id, result, at: clock::now() });
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.hand.end();
        self.closer.end();
    }
}

/// A provider with its lines, ready to be used. Dropping it shuts it down.
pub struct Host {
    pub(super) shared: Arc<Shared>,
    pub(super) infos: Vec<LineInfo>,
    pub(super) version: Version,
}

impl Host {
    /// The lines there are.
    pub fn lines(&self) -> &[LineInfo] {
        &self.infos
    }

    /// Opens a line (TSPI_lineOpen), by its device id.
    ///
    /// # Errors
    /// NODEVICE if there is no such line; ALLOCATED if it is open; UNINITIALIZED once the host is
    /// shut down.
    pub fn open(&self, device_id: u32) -> Result<Line, LineError> {
        asked::enter();
        if !self.shared.ledger.is_open() {
            return Err(LineError::UNINITIALIZED);
        }
        let info = self.infos.iter().find(|info| info.device_id == device_id);
        let info = info.cloned().ok_or(LineError::NODEVICE)?;
        let version = info.version;
        let tapi = HTAPILINE::new(self.shared.next_handle()).ok_or(LineError::NOMEM)?;
        self.shared.hand.start();
        // Dropping it closes it, also if it does not open.
        let line = Line(Arc::new(LineInner::new(&self.shared, info, tapi)));
        self.shared.lines().insert(tapi, Arc::clone(&line.0));
        line.0.set_driver(self.shared.provider.line_open(device_id, tapi, version)?);
        // It may have been shut down meanwhile.
        if self.shared.ledger.is_open() { Ok(line) } else { Err(LineError::UNINITIALIZED) }
    }

    /// How many requests came to what so far.
    pub fn counts(&self) -> Counts {
        asked::enter();
        self.shared.counters.read()
    }

    /// How many requests are outstanding now.
    pub fn outstanding(&self) -> usize {
        asked::enter();
        self.shared.requests.len()
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("lines", &self.infos).finish_non_exhaustive()
    }
}
