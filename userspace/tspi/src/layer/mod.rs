//! A layer between a host and a provider, which sees every function as data.
//!
//! [`Layered`] is a provider around another one. Before each function it shows its [`Layer`] what
//! is asked, and afterwards what came of it; the layer may answer in the provider's place. What a
//! layer does not care about goes through unchanged: the methods are made of the rows of the
//! [table](crate::functions), so a function that is new is forwarded from its first day. That is
//! how providers are serialised ([`Serial`]), traced and recorded ([`Asked`]
//! can be printed as text and as JSON), watched for the rules of the contract, and broken on
//! purpose.
//!
//! A layer keeps the rules that the provider keeps. It copies what it wants of the input (B1),
//! holds no lock during an upcall, and hands the provider's ticket on, so that G1 stays what it
//! was. If it answers an asynchronous function in the provider's place, the completion is the
//! layer's to tell (R5).

mod asked;
mod forward;
mod outcome;
mod serial;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use asked::{Argument, Asked};
pub(crate) use forward::answered;
pub(crate) use outcome::Given;
pub use outcome::{Outcome, Value};
pub use serial::Serial;

use crate::error::LineError;
use crate::provider::{Provider, Tapi};

/// What a layer does around the functions of a provider.
pub trait Layer: Send + Sync {
    /// What is kept from before a function until after it: a lock, a time, nothing.
    type Kept<'a>
    where
        Self: 'a;

    /// A function is about to be called, on the caller's thread.
    fn before<'a>(&'a self, asked: &Asked<'_>) -> Step<Self::Kept<'a>>;

    /// The function has returned this. Memory that it fills is in the arguments, filled. Not called
    /// for what [`before`](Layer::before) has answered.
    fn after<'a>(&'a self, asked: &Asked<'_>, outcome: &Outcome, kept: Self::Kept<'a>);

    /// The provider's init, within `before` and `after` of it: `start` calls it with this way up,
    /// or with another one that the layer puts before it. A layer that returns Ok and has not
    /// called it has ignored the init with success (D15).
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

/// How it goes on with a function that is about to be called.
#[derive(Debug)]
pub enum Step<Kept> {
    /// The provider is asked.
    Go(Kept),
    /// The provider is not asked. An answer that does not fit the function is OPERATIONFAILED.
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
