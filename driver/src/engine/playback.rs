//! What an engine plays where the kernel moves a card's samples, and how it ends.

/// Something that is being played on a port; see [`Context::play`](super::Context::play).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Play(pub(crate) u32);

/// How a [`Play`] has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Played {
    /// Its last sample was played.
    All,
    /// It was dropped by [`Context::silence`](super::Context::silence).
    Dropped,
    /// The kernel gave up, with this errno: EIO if the card stands still, ENODEV if it is gone.
    Failed(i32),
}
