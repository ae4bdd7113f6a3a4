//! A running card: its reaper is started on a thread of its own, and shut down.

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
    /// Starts the reaper for an engine: it sleeps while there is nothing to do.
    ///
    /// `files` are the card's: its interrupt file (an `Option`, `None` where there is none), or
    /// [`Files`] where the kernel moves its samples. `capacity` is the number of requests that can
    /// be outstanding, 1 to 65536 (4096 is a good one).
    ///
    /// # Errors
    /// [`StartError`], naming the cause.
    pub fn start(
        engine: E,
        files: impl Into<Files>,
        upcalls: impl Upcalls<E::Event, E::Output>,
        capacity: usize,
    ) -> Result<Driver<E>, StartError> {
        let options = Options { capacity, ..Options::default() };
        Self::start_with(engine, files, upcalls, &options)
    }

    /// As [`Driver::start`], with a reaper that waits otherwise or asks for real-time settings.
    ///
    /// # Errors
    /// [`StartError`], naming the cause. A setting that is refused is none; see
    /// [`Driver::granted`].
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
            // Before the reaper is made, which stores its thread's entitlement.
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
            // The thread makes its own ring, so only the thread can report whether that worked.
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

    /// The answers to the real-time settings that were asked for.
    pub fn granted(&self) -> &Granted {
        &self.granted
    }

    /// Puts the hardware into its safe state at once, refuses everything from now on, completes
    /// every outstanding request and delivers that; afterwards nothing is called any more (D12).
    ///
    /// It waits three seconds at the most, and not at all in an upcall, of this card or of another;
    /// the result says which, and [`Handle::wait_ended`] waits later. The rest is delivered as soon
    /// as the upcall that is in the way has returned.
    ///
    /// A ticket that is still held keeps its completion back; shutting down waits two seconds for
    /// it and then gives it up.
    pub fn shutdown(mut self) -> Settled {
        self.end()
    }

    fn end(&mut self) -> Settled {
        let Some(thread) = self.thread.take() else { return Settled::Delivered };
        if self.card.core.is_foreign() {
            // The thread is the parent's, and so is the card.
            std::mem::forget(thread);
            return Settled::Delivered;
        }
        let settled = self.handle().shutdown();
        if settled == Settled::Delivered {
            // It has nothing left to do.
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
