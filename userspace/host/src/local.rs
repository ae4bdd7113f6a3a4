//! A host that runs on the application's own thread.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use ringback_request::Time;
use ringback_tspi::error::LineError;
use ringback_tspi::provider::{Provider, Runner};

use super::asked;
use super::closing::{CloseError, Closed};
use super::evidence::this_thread;
use super::host::Host;
use super::start::{HostOptions, StartError};

/// The interval at which it checks whether parked completions may be delivered.
const LOOK: Duration = Duration::from_millis(10);
/// The most rounds for delivering what is left after a shutdown.
const LAST_ROUNDS: usize = 1000;

/// A host whose provider has no thread: callbacks run, and events come, only in
/// [`run_once`](LocalHost::run_once).
///
/// Any thread may call its functions. Its own thread can't wait for a request, because nothing
/// would run the card meanwhile; it gives requests callbacks, or polls them between two rounds.
/// Dropping it shuts it down.
pub struct LocalHost {
    host: Host,
    runner: Box<dyn Runner>,
    /// It stays on the thread that has started it.
    here: PhantomData<*const ()>,
}

impl LocalHost {
    /// Takes a provider and starts it on this thread.
    ///
    /// # Errors
    /// As [`Host::start`]; OPERATIONUNAVAIL from a provider that needs a thread of its own.
    pub fn start(
        provider: impl Into<Arc<dyn Provider>>,
        options: HostOptions,
    ) -> Result<LocalHost, StartError> {
        let mut host = Host::without_providers(options, Some(this_thread()));
        let runner = host.add_by(provider.into(), |provider, init, tapi| {
            let control = provider.control().ok_or(LineError::OPERATIONUNAVAIL)?;
            control.provider_init_local(init, tapi)
        })?;
        Ok(LocalHost { host, runner, here: PhantomData })
    }

    /// Delivers what there is to deliver; if there is nothing, waits for it until `until`, on
    /// CLOCK_MONOTONIC. Returns the number of the provider's upcalls: 0 when the time has come.
    ///
    /// [`Time::ZERO`] does not wait.
    pub fn run_once(&mut self, until: Time) -> usize {
        asked::enter();
        let hand = &self.host.shared.hand;
        loop {
            hand.tell();
            hand.look();
            let look = Time::monotonic() + LOOK;
            let step = if hand.is_watching() { until.min(look) } else { until };
            let upcalls = self.runner.run_once(step);
            hand.tell();
            if upcalls != 0 || step == until {
                return upcalls;
            }
        }
    }

    /// As [`Host::shutdown`], and delivers what is left after it, so that everything is delivered
    /// when this returns.
    ///
    /// # Errors
    /// [`CloseError`]; the host can't be used any more all the same.
    pub fn shutdown(&mut self) -> Result<Closed, CloseError> {
        let ended = self.host.shutdown();
        for _ in 0..LAST_ROUNDS {
            if self.run_once(Time::ZERO) == 0 {
                break;
            }
        }
        self.host.services.iter().for_each(|service| service.nothing_follows());
        self.host.shared.hand.tell();
        ended?;
        self.host.shutdown()
    }
}

impl Deref for LocalHost {
    type Target = Host;
    fn deref(&self) -> &Host {
        &self.host
    }
}

impl Drop for LocalHost {
    fn drop(&mut self) {
        if !self.host.shared.is_forked() {
            // There is no caller left to get an error.
            let _ = self.shutdown();
        }
    }
}

impl std::fmt::Debug for LocalHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalHost").field("host", &self.host).finish_non_exhaustive()
    }
}
