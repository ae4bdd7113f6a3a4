//! A request whose completion is held back, for code that does not know the ticket's type.

use std::fmt;
use std::sync::Arc;

use crate::Token;

/// Holds completions back until the function of their request has returned (G1).
pub trait Holder: Send + Sync {
    /// Signals that the function has returned: the completion and what is behind it may be
    /// delivered. Has no effect on a request that is not held any more.
    fn release(&self, token: Token);
}

/// Holds a completion back until it is dropped.
pub struct Held {
    token: Token,
    holder: Arc<dyn Holder>,
}

impl Held {
    /// Makes a guard for the request of `token`, which `holder` holds back.
    pub fn new(token: Token, holder: Arc<dyn Holder>) -> Held {
        Held { token, holder }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.holder.release(self.token);
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").field(&self.token).finish()
    }
}
