//! The rules that are checked.

use std::fmt;

/// A rule. Those of the TSPI contract have its keys, and the others are named after their subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Each request that returned its id completes exactly once.
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
    /// A new call has no event before completion(0) of the request that makes it, and none if that
    /// request fails.
    N4,
    /// Closing a call whose creation is pending completes the creating request with
    /// OPERATIONFAILED.
    N6,
    /// LINE_NEWCALL comes first, and the state is the next message of that call.
    N14,
    /// A call never leaves IDLE, and no event of it follows.
    O3,
    /// No LINE_CALLINFO after IDLE.
    O4,
    /// Monitoring ends with the conversation, and reports only the requested digits.
    O5,
    /// Closing a line completes all its requests before it returns.
    D1,
    /// After a line was closed no event of it is delivered.
    D2,
    /// Closing a call completes all its requests before it returns, and no event of it follows.
    D5,
    /// Dropping a call completes its other requests with OPERATIONFAILED, and itself after them.
    D7,
    /// A dropped call gets the state IDLE.
    D8,
    /// After a phone was closed no event of it is delivered.
    D10,
    /// The shutdown settles everything.
    D12,
    /// All requests complete before LINE_CLOSE.
    D13,
    /// One generation of digits runs at a time: the next one and a cancel end it, and the end of
    /// each is reported once.
    D17,
    /// A request completes within its time limit.
    Deadline,
    /// A state follows from the one before as on an analog line (`callstate::pots`), with a mode
    /// that it can have.
    Steps,
    /// No state is delivered twice in a row.
    Repeated,
    /// A line has at most one live call.
    OneCall,
    /// A call that was answered becomes CONNECTED.
    Answered,
    /// The states that the engine returns for a line and its calls are those that it has emitted.
    Agrees,
    /// While a call holds an FXO line, its loop is closed, except for pulses and flashes.
    OffHook,
    /// A call follows its far end: it is disconnected when the line loses battery or the telephone
    /// hangs up, and connected when the telephone is lifted.
    Follows,
    /// Who calls is reported on a line that listens, nobody is made up, and whatever becomes known
    /// later is told by LINE_CALLINFO; a telephone shows who calls it.
    Caller,
    /// `callstate::monitor` found a violation that this checker did not.
    Witness,
    /// Register accesses stay within a tick's budget.
    Budget,
    /// An FXO line's loop is open while no call holds it.
    OnHook,
    /// A telephone rings only for a call.
    Rings,
    /// When all faults are over, a line whose module works makes calls, and any other line refuses
    /// them.
    Serves,
    /// The engine does not panic.
    Panic,
    /// No rule of the system: the world was cut off, because it is a smaller copy of one that
    /// failed sooner.
    Cut,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A violation of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The rule that was broken.
    pub rule: Rule,
    /// What happened, in words.
    pub text: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.text)
    }
}
