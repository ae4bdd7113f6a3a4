//! The rules that are watched, each with what it says.

use std::fmt;

/// A rule. Those of the TSPI contract bear its key; the others say what they are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// A result is 0 or negative.
    C2,
    /// Each request that returned its id completes once: not twice, not never.
    C3,
    /// Upcalls do not nest.
    C6,
    /// A refused request gets no completion.
    R4,
    /// An id is unique among the outstanding ones.
    T3,
    /// No completion before its function has returned, that is, before its ticket was released.
    G1,
    /// Nothing of a line overtakes a completion that is held back.
    O1,
    /// A new call has no event before completion(0) of the request that makes it, nor after it
    /// failed.
    N4,
    /// Closing a call whose creation is pending completes the creating request with
    /// OPERATIONFAILED.
    N6,
    /// LINE_NEWCALL comes first, and the state is the next message of that call.
    N14,
    /// A call never leaves IDLE, and nothing is told of it any more.
    O3,
    /// No LINE_CALLINFO after IDLE.
    O4,
    /// Monitoring ends with the conversation, and tells only what was asked for.
    O5,
    /// Closing a line completes everything before it returns.
    D1,
    /// After a line was closed there is no event of it.
    D2,
    /// Closing a call completes everything before it returns, and no event of it follows.
    D5,
    /// Dropping a call completes its other requests with OPERATIONFAILED, and itself after them.
    D7,
    /// A call that was dropped is told to be idle.
    D8,
    /// At the shutdown everything is settled.
    D12,
    /// Everything is complete before LINE_CLOSE.
    D13,
    /// One generation of digits at a time: the next one and a cancel end it, and each ends once.
    D17,
    /// A request is over within its time limit.
    Deadline,
    /// A state follows from the one before as on an analog line (section 4), with a mode of its
    /// own.
    Steps,
    /// No state is told twice in a row.
    Repeated,
    /// A line has at most one live call.
    OneCall,
    /// A call that was answered was told to be connected.
    Answered,
    /// What the engine says of a line and its calls when asked is what it has told.
    Agrees,
    /// While a call holds an FXO line, its loop is closed, but for pulses and flashes.
    OffHook,
    /// A call follows its far end: a line without battery and a telephone that was hung up
    /// disconnect it, a telephone that was lifted connects it.
    Follows,
    /// `callstate::monitor` noticed what this checker did not.
    Witness,
    /// Register accesses stay within the budget of a tick.
    Budget,
    /// An FXO line's loop is open while no call holds it.
    OnHook,
    /// A telephone rings only for a call.
    Rings,
    /// A line whose module works makes calls once faults are over; another refuses them.
    Serves,
    /// The engine does not panic.
    Panic,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The rule.
    pub rule: Rule,
    /// What happened.
    pub text: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.text)
    }
}
