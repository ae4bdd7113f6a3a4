//! Time limits on kernels that check themselves: they and the card's clock are slower there by the
//! factor that the lab gives the machine as the variable `SLOWNESS`.

use std::time::Duration;

/// The time limit on this machine's kernel, of one that suffices on a usual kernel.
pub fn here(usual: Duration) -> Duration {
    let factor = std::env::var("SLOWNESS").ok().and_then(|factor| factor.parse().ok());
    usual * factor.unwrap_or(1)
}
