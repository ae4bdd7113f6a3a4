//! A request that is held back, for those who do not know who holds it.

use std::fmt;
use std::sync::Arc;

use crate::Token;

/// Whoever holds completions back until the function that asked has returned (G1).
pub trait Holder: Send + Sync {
    /// The function has returned: the completion may be delivered, and what is behind it. Does
    /// nothing for a request that is not held any more.
    fn release(&self, token: Token);
}

/// Dropping it lets a completion go that somebody holds back.
pub struct Held {
    token: Token,
    holder: Arc<dyn Holder>,
}

impl Held {
    /// The request of `token`, which `holder` holds back.
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
