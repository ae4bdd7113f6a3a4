//! A layer between a host and a provider, which sees every function as data.
//!
//! [`Layered`] is a provider around another one. It shows each call to its [`Layer`], before with
//! the arguments and afterwards with the outcome; the layer may answer instead of the provider. The
//! methods are made of the rows of the [table](crate::functions), so every function, also a new
//! one, is forwarded. By layers providers are serialised ([`Serial`]), traced and recorded
//! ([`Asked`] can be printed as text and as JSON), checked against the rules of the contract, and
//! broken on purpose.
//!
//! A layer must keep the rules that the provider keeps. It copies what it needs of the input (B1),
//! holds no lock during an upcall, and passes the provider's ticket on, so that G1 holds. If it
//! answers an asynchronous function instead of the provider, the layer has to send the completion
//! (R5).

mod asked;
mod forward;
mod outcome;
mod serial;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use asked::{Argument, Asked};
pub(crate) use forward::answered;
pub(crate) use outcome::OutputType;
pub use outcome::{Outcome, Value};
pub use serial::Serial;

use crate::error::LineError;
use crate::provider::{Provider, Tapi};

/// What a layer does around the functions of a provider.
pub trait Layer: Send + Sync {
    /// A value that is kept from `before` to `after`: a lock, a time, nothing.
    type Kept<'a>
    where
        Self: 'a;

    /// A function is about to be called, on the caller's thread.
    fn before<'a>(&'a self, asked: &Asked<'_>) -> Step<Self::Kept<'a>>;

    /// The function has returned this. Memory that it has filled is in the arguments. Not called
    /// for what [`before`](Layer::before) has answered.
    fn after<'a>(&'a self, asked: &Asked<'_>, outcome: &Outcome, kept: Self::Kept<'a>);

    /// The provider's init, between its `before` and `after`: `start` calls it with this upward
    /// interface, or with one that the layer puts around it. A layer that returns Ok without
    /// calling it ignores the init with success (D15).
    ///
    /// # Errors
    /// Those of the init.
    fn init(
        &self,
        tapi: Box<dyn Tapi>,
        start: impl FnOnce(Box<dyn Tapi>) -> Result<(), LineError>,
    ) -> Result<(), LineError> {
        start(tapi)
    }
}

/// What [`before`](Layer::before) decides about a call.
#[derive(Debug)]
pub enum Step<Kept> {
    /// The provider is called.
    Go(Kept),
    /// The provider is not called. An answer that does not fit the function becomes
    /// OPERATIONFAILED.
    Answer(Outcome),
}

/// A provider with a layer around it.
pub struct Layered<L> {
    provider: Arc<dyn Provider>,
    layer: L,
}

impl<L: Layer> Layered<L> {
    /// Puts the layer around the provider.
    pub fn new(provider: impl Into<Arc<dyn Provider>>, layer: L) -> Layered<L> {
        Layered { provider: provider.into(), layer }
    }

    /// The layer around the provider.
    pub fn layer(&self) -> &L {
        &self.layer
    }

    /// The provider inside the layer.
    pub fn provider(&self) -> &Arc<dyn Provider> {
        &self.provider
    }
}
