//! What telephones do by themselves.

use std::sync::Arc;

/// What a telephone does when it rings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Behaviour {
    /// It does nothing, and rings until it is lifted by a command.
    #[default]
    Manual,
    /// It answers half a second into the given ring (0 is taken as 1), and stays on the line until
    /// battery is gone for more than 100 ms, as at the end of a call. Then it hangs up.
    AnswerAfterRings(u32),
    /// It answers likewise, and then runs the steps. After the last one it stays on the line as
    /// above.
    AnswerThen {
        /// The ring in which it answers; 0 is taken as 1.
        rings: u32,
        /// What it does after the answer.
        steps: Vec<Step>,
    },
}

/// A step of a script. Each begins when the one before has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Waits for so many milliseconds.
    Wait(u32),
    /// Lifts the handset.
    OffHook,
    /// Hangs up.
    HangUp,
    /// Opens the loop for 300 ms; ends when it is closed again.
    Flash,
    /// Opens the loop for so many milliseconds, as a bouncing hook switch does; ends when it is
    /// closed again.
    Break(u32),
    /// Dials with a rotary dial, as [`Telephone::pulse`](crate::Telephone::pulse) does; ends after
    /// the pause that follows the last digit.
    Pulse(String),
    /// Dials, as [`Telephone::dial`](crate::Telephone::dial) does; ends when all is sent.
    Dial(String),
    /// Plays 16-bit linear samples at 8 kHz; ends when all are played. They are shared, because
    /// scripts repeat for hours.
    Play(Arc<[i16]>),
}

impl Behaviour {
    /// The ring in which the telephone answers.
    pub(super) fn answers_ring(&self) -> Option<u32> {
        match self {
            Behaviour::Manual => None,
            Behaviour::AnswerAfterRings(rings) | Behaviour::AnswerThen { rings, .. } => {
                Some((*rings).max(1))
            }
        }
    }

    /// The steps after the answer.
    pub(super) fn steps(&self) -> &[Step] {
        match self {
            Behaviour::Manual | Behaviour::AnswerAfterRings(_) => &[],
            Behaviour::AnswerThen { steps, .. } => steps,
        }
    }
}
