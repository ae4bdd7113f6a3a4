//! A running card: starts its reaper on a thread of its own, and shuts it down.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use crate::device::Files;
use crate::engine::Engine;

use super::card::Card;
use super::delivery::Reaping;
use super::handle::{Handle, Settled};
use super::realtime::Granted;
use super::reaper::Reaper;
use super::start::{StartError, card, give_back, system};
use super::{Options, Upcalls};

/// A running card: owns its reaper. Dropping it shuts the card down.
pub struct Driver<E: Engine> {
    card: Arc<Card<E>>,
    thread: Option<JoinHandle<()>>,
    granted: Granted,
}

impl<E: Engine> Driver<E> {
    /// Starts a thread as the reaper of an engine, which sleeps while there is nothing to do.
    ///
    /// `files` are the card's: its interrupt file (an `Option`, `None` if the card has none), or
    /// [`Files`] if the kernel moves its samples. `capacity` is the number of requests that can be
    /// outstanding, 1 to 65536; 4096 suits most cards.
    ///
    /// # Errors
    /// [`StartError`] with the cause.
    pub fn start(
        engine: E,
        files: impl Into<Files>,
        upcalls: impl Upcalls<E::Event, E::Output>,
        capacity: usize,
    ) -> Result<Driver<E>, StartError> {
        let options = Options { capacity, ..Options::default() };
        Self::start_with(engine, files, upcalls, &options)
    }

    /// Like [`Driver::start`], with another way of waiting, or with real-time settings.
    ///
    /// # Errors
    /// [`StartError`] with the cause. A refused setting is not an error; see [`Driver::granted`].
    pub fn start_with(
        engine: E,
        files: impl Into<Files>,
        upcalls: impl Upcalls<E::Event, E::Output>,
        options: &Options,
    ) -> Result<Driver<E>, StartError> {
        let files = files.into();
        let (card, kicked) = card(engine, options.capacity)?;
        let reaping = Reaping::new(Arc::clone(&card), upcalls);
        let (started, ready) = mpsc::sync_channel(1);
        let (realtime, waiting) = (options.realtime.clone(), options.waiting);
        let reap = move || {
            // This comes before the reaper is made, which records its thread's entitlement.
            let granted = realtime.apply();
            match Reaper::new(reaping, files, kicked, waiting) {
                Ok(mut reaper) => {
                    let _ = started.send(Ok(granted));
                    reaper.run();
                    reaper.end();
                }
                Err(error) => {
                    let _ = started.send(Err(error));
                }
            }
        };
        let spawned = thread::Builder::new().name("ringback".into()).spawn(reap);
        let begun = spawned.map_err(system("creating its thread")).and_then(|thread| {
            // The thread creates its own ring, so that only the thread can report whether that
            // worked.
            let gone = |_| system("its thread")(io::ErrorKind::BrokenPipe.into());
            Ok((thread, ready.recv().map_err(gone)??))
        });
        let (thread, granted) = begun.inspect_err(|_| give_back(&card))?;
        Ok(Driver { card, thread: Some(thread), granted })
    }

    /// Returns a handle of the card.
    pub fn handle(&self) -> Handle<E> {
        Handle { card: Arc::clone(&self.card) }
    }

    /// Returns for each real-time setting that was asked for whether it was granted.
    pub fn granted(&self) -> &Granted {
        &self.granted
    }

    /// Puts the hardware into its safe state at once, refuses everything from now on, completes
    /// every outstanding request and delivers the completions. No upcall is made afterwards (D12).
    ///
    /// It waits for at most three seconds, and not at all in an upcall, of this card or of another
    /// one; the result says which, and [`Handle::wait_ended`] can wait later. The rest is delivered
    /// as soon as the upcall that delays it has returned.
    ///
    /// A ticket that is still held holds its completion back; shutting down waits for two seconds
    /// and then gives the completion up.
    pub fn shutdown(mut self) -> Settled {
        self.end()
    }

    fn end(&mut self) -> Settled {
        let Some(thread) = self.thread.take() else { return Settled::Delivered };
        if self.card.core.is_foreign() {
            // In a child process thread and card belong to the parent.
            std::mem::forget(thread);
            return Settled::Delivered;
        }
        let settled = self.handle().shutdown();
        if settled == Settled::Delivered {
            // The thread has announced its end, so that joining does not take long.
            let _ = thread.join();
        }
        settled
    }
}

impl<E: Engine> Drop for Driver<E> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<E: Engine> fmt::Debug for Driver<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}
