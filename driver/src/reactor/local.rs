//! The application's own thread as the reaper: no thread switch between interrupt and callback.

use std::fmt;

use crate::Time;
use crate::device::Files;
use crate::engine::{Engine, Failure};

use super::delivery::Reaping;
use super::handle::{Handle, Settled};
use super::realtime::Granted;
use super::reaper::Reaper;
use super::start::{StartError, card, give_back};
use super::{Options, Upcalls};

/// A card whose reaper is the thread that has created this: upcalls are made only within
/// [`run_once`](Local::run_once).
///
/// Everything else is as with a [`Driver`](super::Driver). Any thread may submit, with a
/// [`Handle`]. While `run_once` is not called, nothing is delivered and no deadline is kept.
/// Dropping it shuts the card down.
pub struct Local<E: Engine, U: Upcalls<E::Event, E::Output>> {
    /// `None` once the card was shut down.
    reaper: Option<Reaper<E, U>>,
    handle: Handle<E>,
    granted: Granted,
}

impl<E: Engine, U: Upcalls<E::Event, E::Output>> Local<E, U> {
    /// Makes the calling thread the reaper of an engine, with these real-time settings.
    ///
    /// `files` are the card's, as with a `Driver`.
    ///
    /// # Errors
    /// [`StartError`] with the cause.
    pub fn new(
        engine: E,
        files: impl Into<Files>,
        upcalls: U,
        options: &Options,
    ) -> Result<Self, StartError> {
        let (card, kicked) = card(engine, options.capacity)?;
        let handle = Handle { card: card.clone() };
        let reaping = Reaping::new(card, upcalls);
        // This comes before the reaper is made, which records its thread's entitlement.
        let granted = options.realtime.apply();
        let reaper = Reaper::new(reaping, files.into(), kicked, options.waiting)
            .inspect_err(|_| give_back(&handle.card))?;
        Ok(Local { reaper: Some(reaper), handle, granted })
    }

    /// Returns a handle of the card.
    pub fn handle(&self) -> Handle<E> {
        self.handle.clone()
    }

    /// Returns for each real-time setting that was asked for whether it was granted.
    pub fn granted(&self) -> &Granted {
        &self.granted
    }

    /// Delivers what there is to deliver; if there is nothing, waits for it until `until` on
    /// [`Handle::now`]'s clock. Returns the number of upcalls: 0 when the time has come, or the
    /// ring has failed.
    ///
    /// [`Time::ZERO`] does not wait, [`Time::NEVER`] waits for ever.
    pub fn run_once(&mut self, until: Time) -> usize {
        let Some(reaper) = self.reaper.as_mut().filter(|_| !self.handle.card.core.is_foreign())
        else {
            return 0;
        };
        let handle = &self.handle;
        let delivered = reaper.turn(|reaper| {
            let delivered = loop {
                let look = reaper.look();
                if look.delivered != 0 || reaper.is_over() {
                    break look.delivered;
                }
                let delivered = reaper.wait(look, until);
                if delivered != 0 {
                    break delivered;
                }
                if handle.now() >= until {
                    break reaper.look().delivered;
                }
            };
            // The application's time after this point must not count as the callbacks'.
            reaper.judge();
            delivered
        });
        if self.is_over() {
            self.end();
        }
        delivered
    }

    /// Returns whether the card is shut down or has failed, and everything is delivered: no upcall
    /// follows.
    pub fn is_over(&self) -> bool {
        self.reaper.as_ref().is_none_or(Reaper::is_over)
    }

    /// Like [`Driver::shutdown`](super::Driver::shutdown), but delivers what is left on this
    /// thread.
    pub fn shutdown(mut self) -> Settled {
        self.end()
    }

    fn end(&mut self) -> Settled {
        let Some(mut reaper) = self.reaper.take() else { return Settled::Delivered };
        let card = &self.handle.card;
        if card.core.is_foreign() {
            // In a child process ring and card belong to the parent.
            std::mem::forget(reaper);
            return Settled::Delivered;
        }
        if !reaper.is_over() {
            card.close(|state| state.end(Failure::Closed));
        }
        reaper.run();
        reaper.end();
        Settled::Delivered
    }
}

impl<E: Engine, U: Upcalls<E::Event, E::Output>> Drop for Local<E, U> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<E: Engine, U: Upcalls<E::Event, E::Output>> fmt::Debug for Local<E, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").finish_non_exhaustive()
    }
}
