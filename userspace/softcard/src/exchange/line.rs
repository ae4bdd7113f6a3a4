//! What the outside knows of a line: its options and its state.

/// One line of the exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineOptions {
    /// The number by which the line is called.
    pub number: String,
    /// Whether battery is reversed during calls that this line makes, from the answer to the end.
    pub polarity_on_answer: bool,
    /// How long battery is removed from this line when the far end has hung up; 0 for not at all.
    pub loop_break_ms: u32,
}

impl Default for LineOptions {
    /// No number, no reversal, a break of 500 ms.
    fn default() -> LineOptions {
        LineOptions { number: String::new(), polarity_on_answer: false, loop_break_ms: 500 }
    }
}

/// The state of a line or a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineState {
    /// On-hook.
    Idle,
    /// Off-hook with dial tone, before the first digit.
    DialTone,
    /// Collects digits.
    Dialling,
    /// Hears ringback tone.
    Calling,
    /// The exchange rings it, because another party calls.
    Ringing,
    /// Hears an announcement.
    Announcement,
    /// Connected to the other party of a call.
    Talking,
    /// Hears silence, because the other party holds it.
    Held,
    /// Hears silence, because it is parked.
    Parked,
    /// Hears that the exchange has done what a code asks for.
    Confirmed,
    /// Connected to two parties, who hear each other.
    Conference,
    /// The far end has hung up, and battery is off for a moment.
    LoopBreak,
    /// Hears busy tone, because the called party is not idle.
    Busy,
    /// Hears reorder tone: no such number, no number in time, or the far end has hung up.
    Reorder,
}
