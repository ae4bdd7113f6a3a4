//! One provider of a host.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use ringback_request::report;
use ringback_tspi::constants::LINETSPIOPTION_NONREENTRANT;
use ringback_tspi::error::LineError;
use ringback_tspi::layer::{Layered, Serial};
use ringback_tspi::provider::Provider;
use ringback_tspi::types::Version;

use super::baton::Deliver;
use super::record::Ending;
use super::shared::Shared;

/// A provider, and whether it is running.
pub(super) struct Service {
    pub(super) shared: Arc<Shared>,
    /// Its permanent provider id: a number from 1 that no other provider of the host has.
    pub(super) id: u32,
    version: Version,
    provider: Arc<dyn Provider>,
    /// The provider within a [`Serial`], if its init has returned LINETSPIOPTION_NONREENTRANT (G9).
    serial: OnceLock<Arc<dyn Provider>>,
    /// It emits nothing any more.
    over: AtomicBool,
}

impl Service {
    pub(super) fn new(
        shared: &Arc<Shared>,
        id: u32,
        version: Version,
        provider: &Arc<dyn Provider>,
    ) -> Service {
        Service {
            shared: Arc::clone(shared),
            id,
            version,
            provider: Arc::clone(provider),
            serial: OnceLock::new(),
            over: AtomicBool::new(false),
        }
    }

    /// Follows the options word that its init has returned.
    pub(super) fn set_options(&self, options: u32) {
        if options & LINETSPIOPTION_NONREENTRANT != 0 {
            let serial = Layered::new(Arc::clone(&self.provider), Serial::default());
            // Set once: it is initialised once.
            let _ = self.serial.set(Arc::new(serial));
        }
    }

    /// The provider, or the [`Serial`] around it.
    pub(super) fn provider(&self) -> &dyn Provider {
        &**self.serial.get().unwrap_or(&self.provider)
    }

    /// Whether the application is not called in its upcalls (C8), but on the host's thread.
    pub(super) fn is_apart(&self) -> bool {
        self.serial.get().is_some() || self.provider.calls_up_under_locks()
    }

    /// Delivers what was queued in its upcall, either in the upcall or by the host's thread.
    pub(super) fn arrived(&self, at: Arc<dyn Deliver>) {
        if self.is_apart() {
            self.shared.hand.deliver(at);
        } else {
            self.shared.baton.deliver(at);
        }
    }

    /// Whether it emits nothing any more.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Notes that it emits nothing any more: what it has not completed is lost (R5).
    pub(super) fn nothing_follows(&self) {
        self.over.store(true, Ordering::SeqCst);
        self.lose_all();
        self.shared.turns.changed();
    }

    /// Fails every request of it that is outstanding.
    pub(super) fn lose_all(&self) {
        for record in self.shared.requests.take_all(self.id) {
            record.end(Ending::Lost);
        }
    }

    /// Shuts it down (D12).
    pub(super) fn shut_down(&self) -> Result<(), LineError> {
        let ended = self.provider().provider_shutdown(self.version, self.id);
        match &ended {
            // In an upcall the provider still emits what is left, and drops its `Tapi` afterwards.
            Ok(()) if self.shared.must_not_wait() => {}
            Ok(()) => self.nothing_follows(),
            Err(error) => report!(WARN, "the provider did not shut down in order: {error}"),
        }
        ended
    }
}
