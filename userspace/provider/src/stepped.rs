//! A card whose time a simulation determines: nothing happens between two of its calls, so that a
//! seed determines what host and provider do.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ringback_driver::engine::{Play, Played};
use ringback_driver::reactor::{Handle, PortOrder, StartError, Stepper};
use ringback_driver::{PortNumber, Time};
use ringback_tspi::EvenPoisoned;
use ringback_tspi::provider::Runner;

use super::cards::Card;
use super::upward::Upward;

type Place<C> = Option<Stepper<<C as Card>::Lines, Upward<<C as Card>::Lines>>>;

/// The time and the interrupts of a provider's card
/// ([`LineProvider::under_a_virtual_clock`](super::LineProvider::under_a_virtual_clock)). Clones
/// are the same card.
///
/// Before the provider is started there is no card, and nothing happens. Upcalls are made within
/// these functions, which must not be called in one.
pub struct SteppedCard<C: Card>(Arc<Mutex<Place<C>>>);

impl<C: Card> SteppedCard<C> {
    fn place(&self) -> MutexGuard<'_, Place<C>> {
        self.0.lock().even_poisoned()
    }

    /// Begins with a card that was opened, at time zero, in place of the one before.
    pub(super) fn begin(
        &self,
        engine: C::Lines,
        upward: Upward<C::Lines>,
        capacity: usize,
    ) -> Result<Handle<C::Lines>, StartError> {
        let stepper = Stepper::new(engine, upward, capacity)?;
        let handle = stepper.handle();
        *self.place() = Some(stepper);
        Ok(handle)
    }

    /// Signals an interrupt of the card, and delivers what is due.
    pub fn interrupt(&self) {
        self.place().iter_mut().for_each(Stepper::interrupt);
    }

    /// Makes the card's interrupt fail, as when the card is pulled out.
    pub fn gone(&self) {
        self.place().iter_mut().for_each(Stepper::gone);
    }

    /// Takes the orders of the lines to the ports since the last call, where the kernel moves the
    /// samples.
    pub fn orders(&self) -> Vec<PortOrder> {
        self.place().as_mut().map_or(Vec::new(), Stepper::orders)
    }

    /// Makes a port receive samples; of more than 160 the rest is dropped.
    pub fn received(&self, port: PortNumber, samples: &[u8]) {
        self.place().iter_mut().for_each(|stepper| stepper.received(port, samples));
    }

    /// Reports the end of something that was ordered to be played.
    pub fn played(&self, port: PortNumber, play: Play, played: Played) {
        self.place().iter_mut().for_each(|stepper| stepper.played(port, play, played));
    }

    /// Looks at the engine of the lines. `None` if there is no card, or its engine has panicked.
    pub fn ask<R: Send + 'static>(
        &self,
        ask: impl FnOnce(&C::Lines) -> R + Send + 'static,
    ) -> Option<R> {
        let handle = self.place().as_ref().map(Stepper::handle)?;
        handle.with(|lines, _| ask(lines)).ok()
    }

    /// Moves the card's clock, and delivers what is due.
    pub fn advance(&self, time: Duration) {
        self.place().iter_mut().for_each(|stepper| stepper.advance(time));
    }
}

impl<C: Card> Runner for SteppedCard<C> {
    /// Never waits, because nothing comes by itself.
    fn run_once(&mut self, _: Time) -> usize {
        let mut place = self.place();
        let upcalls = place.as_mut().map_or(0, Stepper::deliver);
        *place = place.take().and_then(Stepper::end);
        upcalls
    }
}

impl<C: Card> Default for SteppedCard<C> {
    fn default() -> SteppedCard<C> {
        SteppedCard(Arc::default())
    }
}

impl<C: Card> Clone for SteppedCard<C> {
    fn clone(&self) -> SteppedCard<C> {
        SteppedCard(Arc::clone(&self.0))
    }
}

impl<C: Card> std::fmt::Debug for SteppedCard<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SteppedCard").finish_non_exhaustive()
    }
}
