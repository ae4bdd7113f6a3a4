//! How a host ends (D12).

use std::sync::Arc;
use std::time::{Duration, Instant};

use ringback_request::report;
use ringback_tspi::error::LineError;

use super::asked;
use super::closing::{self, CloseError, Closed};
use super::host::Host;

/// How long shutting down waits, unless the provider takes longer.
const LIMIT: Duration = Duration::from_secs(4);
/// How long lines are closed one by one; the rest is left to the provider's own shutdown, which
/// closes them as well.
const LINES: Duration = Duration::from_millis(1500);

impl Host {
    /// Closes all lines and phones and shuts the providers down (D12). Requests that they have not
    /// completed by then fail with OPERATIONFAILED and are counted as lost. A second shutdown does
    /// nothing; if several threads shut it down, each returns when it is down.
    ///
    /// It waits some seconds at most for a callback that does not return. In a callback it does not
    /// wait ([`Closed::AfterUpcall`]); use [`wait_down`](Host::wait_down) on another thread.
    ///
    /// # Errors
    /// [`CloseError`]; the host can't be used any more all the same.
    pub fn shutdown(&self) -> Result<Closed, CloseError> {
        let shared = &self.shared;
        closing::close(shared, &shared.ledger, LIMIT, || self.end())
    }

    fn end(&self) -> Result<(), LineError> {
        let begin = Instant::now();
        for phone in self.ways.phones.all() {
            if let Err(error) = phone.close_without_waiting() {
                let phone = phone.info.device_id;
                report!(WARN, "phone {phone} was not closed in order: {error}");
            }
        }
        for line in self.ways.lines.all() {
            if begin.elapsed() > LINES {
                line.end();
            } else if let Err(error) = line.close_without_waiting() {
                let line = line.inner.info.device_id;
                report!(WARN, "line {line} was not closed in order: {error}");
            }
        }
        closing::await_unused(&self.shared, &self.shared.ledger);
        let ended: Vec<_> = self.services.iter().map(|service| service.shut_down()).collect();
        ended.into_iter().collect()
    }

    /// Waits until a shutdown is over, for example one that was begun in a callback: the provider
    /// emits nothing more, and everything was delivered.
    ///
    /// # Errors
    /// [`CloseError::Unfinished`] if it is not over in time, or was never begun;
    /// [`CloseError::InUpcall`].
    pub fn wait_down(&self, time: Duration) -> Result<(), CloseError> {
        asked::enter();
        let shared = &self.shared;
        let are_over = || self.services.iter().all(|service| service.is_over());
        let is_down = || shared.ledger.is_closed() && are_over() && shared.ledger.is_settled();
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
            // Dropping a provider here would touch the parent's card.
            self.services.iter().for_each(|service| std::mem::forget(Arc::clone(service)));
            return;
        }
        // There is no caller left to get an error.
        let _ = self.shutdown();
    }
}
