//! Who is called, and who is to be called back.

/// A party, as its index in the exchange.
pub(super) type Id = usize;

/// What becomes of a call to a number.
pub(super) enum Destination {
    /// This party is rung.
    Free(Id),
    /// It is in use, as the last one that the call was forwarded to.
    Busy(Id),
    /// Nobody has the number.
    Unknown,
}

/// A line that waits until another one is free.
#[derive(Debug)]
pub(super) struct CallBack {
    pub(super) caller: Id,
    pub(super) called: Id,
    /// It is given up at this time.
    pub(super) until: u64,
}
