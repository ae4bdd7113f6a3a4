//! How an exchange is set up.

use ringback_country::{CallProgress, Country, Profile};

/// The country and the timers of the exchange; all times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeConfig {
    /// Decides the tones and the ringing.
    pub country: Country,
    /// How long a line hears dial tone without dialling before it hears reorder tone.
    pub first_digit_ms: u32,
    /// How long after the last digit the number is taken as complete.
    pub inter_digit_ms: u32,
    /// How long the loop has to be open to count as hung up: longer than the hook flash of every
    /// country. A shorter break is a flash.
    pub hang_up_ms: u32,
    /// How long a telephone is rung before its calls go on to another number, if they do.
    pub no_answer_ms: u32,
    /// What a hook flash does in a conversation, and which codes can be dialled; `None` for
    /// nothing.
    pub profile: Option<&'static Profile>,
    /// What a caller hears who has dialled a number that nobody has.
    pub unknown_number: CallProgress,
}

impl Default for ExchangeConfig {
    /// North America; 10 s, 3 s, 700 ms, 20 s; reorder.
    fn default() -> ExchangeConfig {
        ExchangeConfig {
            country: Country::default(),
            first_digit_ms: 10_000,
            inter_digit_ms: 3000,
            hang_up_ms: 700,
            no_answer_ms: 20_000,
            profile: None,
            unknown_number: CallProgress::Reorder,
        }
    }
}
