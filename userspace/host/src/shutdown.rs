//! How a host ends (D12).

use std::sync::Arc;
use std::time::{Duration, Instant};

use ringback_request::report;
use ringback_tspi::error::LineError;

use super::asked;
use super::closing::{self, CloseError, Closed};
use super::host::{Host, PERMANENT_PROVIDER_ID};

/// How long shutting down waits, unless the provider takes longer.
const LIMIT: Duration = Duration::from_secs(4);
/// Lines are closed one by one for so long; the rest is left to the provider's own shutdown, which
/// ends everything as well.
const LINES: Duration = Duration::from_millis(1500);

impl Host {
    /// Closes all lines and shuts the provider down (D12). Requests that it has not completed by
    /// then fail with OPERATIONFAILED and are counted as lost. Harmless when repeated; of several
    /// who shut it down, each returns when it is down.
    ///
    /// A callback that does not return holds it up for some seconds, not for ever. In a callback it
    /// does not wait ([`Closed::AfterUpcall`]); [`wait_down`](Host::wait_down) does that elsewhere.
    ///
    /// # Errors
    /// [`CloseError`]; nothing can be asked any more all the same.
    pub fn shutdown(&self) -> Result<Closed, CloseError> {
        let shared = &self.shared;
        closing::close(shared, &shared.ledger, LIMIT, || self.end())
    }

    fn end(&self) -> Result<(), LineError> {
        let shared = &self.shared;
        let begin = Instant::now();
        for line in self.open.all() {
            if begin.elapsed() > LINES {
                line.end();
            } else if let Err(error) = line.close_without_waiting() {
                let line = line.inner.info.device_id;
                report!(WARN, "line {line} was not closed in order: {error}");
            }
        }
        let ended = shared.provider.provider_shutdown(self.version, PERMANENT_PROVIDER_ID);
        match &ended {
            // In an upcall the provider still emits what is left, and drops its `Tapi` afterwards.
            Ok(()) if shared.must_not_wait() => {}
            Ok(()) => shared.nothing_follows(),
            Err(error) => {
                report!(WARN, "the provider did not shut down in order: {error}");
            }
        }
        ended
    }

    /// Waits until a shutdown is over, one that was begun in a callback for example: the provider
    /// emits nothing more, and everything was delivered.
    ///
    /// # Errors
    /// [`CloseError::Unfinished`] if it is not over in time, or was never begun;
    /// [`CloseError::InUpcall`].
    pub fn wait_down(&self, time: Duration) -> Result<(), CloseError> {
        asked::enter();
        let shared = &self.shared;
        let is_down =
            || shared.ledger.is_closed() && shared.is_over() && shared.ledger.is_settled();
        if is_down() || shared.is_forked() {
            return Ok(());
        }
        if shared.must_not_wait() {
            return Err(CloseError::InUpcall);
        }
        let until = Instant::now() + time.min(Duration::from_secs(u64::from(u32::MAX)));
        if shared.turns.wait(until, is_down, || shared.hand.look()) {
            return Ok(());
        }
        Err(CloseError::Unfinished { requests: shared.ledger.untold() })
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if self.shared.is_forked() {
            // Dropping the provider here would touch the parent's card.
            std::mem::forget(Arc::clone(&self.shared));
            return;
        }
        // There is no caller left to get an error.
        let _ = self.shutdown();
    }
}
