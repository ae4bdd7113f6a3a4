//! What a new kind of device implements: one state machine, driven by calls.
//!
//! An [`Engine`] gets commands, interrupts and the time, and puts effects (completions, events)
//! into its [`Context`]. It starts no thread, reads no clock and waits for nothing, so the same
//! engine runs under the reaper and under a virtual clock. Exactly one thread is in it at a time.
//! Where the kernel moves a card's samples, an engine also plays samples ([`Context::play`]) and
//! gets received ones ([`Engine::received`], [`Engine::played`]); other engines leave that out.
//! `card/mailbox` is a whole engine, written to be read first.

mod context;
mod effects;
mod failure;
mod payload;
mod per_request;
mod playback;

pub use context::Context;
pub(crate) use effects::Effects;
pub use failure::Failure;
pub use payload::Payload;
pub use per_request::PerRequest;
pub use playback::{Play, Played};

use std::time::Duration;

use crate::request::{ErrorCode, Token};
use crate::{PortNumber, Time};

/// The state machine of one card and what hangs on it.
pub trait Engine: Send + 'static {
    /// What a caller may ask. A command owns all of its input (rule B1).
    type Command: Send + 'static;
    /// What happens on a line without a request.
    type Event: Send + 'static;
    /// What a completion carries besides its result; `()`, which costs nothing, if the result is
    /// enough. See [`Context::complete_with`].
    type Output: Payload;

    /// Whether [`Engine::poll`] finds everything for which the card interrupts, so that a polling
    /// reaper needs no interrupts.
    const POLLS: bool = false;

    /// How many lines there are. Upcalls keep their order within a line, and only there.
    fn lines(&self) -> usize;

    /// How long a command may take before it is ended with [`Failure::Deadline`].
    fn time_limit(command: &Self::Command) -> Duration;

    /// The error that stands for a failure the reactor found; [`Failure::errno`] where the engine
    /// has none of its own.
    fn failure(cause: Failure) -> ErrorCode;

    /// Starts a command. Runs on the caller's thread when the card is free, so it must be short.
    ///
    /// The request is over when [`Context::complete`] is called for it, here or later.
    ///
    /// # Errors
    /// The reason why nothing was started. If the card was free, it is returned to the submitter,
    /// and no completion comes (R4); if the command was queued, it is the result of the completion
    /// (R6).
    fn start(
        &mut self,
        request: Token,
        command: Self::Command,
        cx: &mut Context<'_, Self::Event, Self::Output>,
    ) -> Result<(), ErrorCode>;

    /// The card interrupted since the last call, once or more; or another card that shares its line
    /// did. For an interrupt that comes while this runs, it is called again.
    fn interrupt(&mut self, cx: &mut Context<'_, Self::Event, Self::Output>);

    /// Looks for ended operations without an interrupt. A reaper that
    /// [polls](crate::reactor::Waiting) calls it in a loop, so it must cost next to nothing if
    /// nothing has ended: a read of memory that the hardware writes, not of a register behind a
    /// bus. If there is such memory, implement this and set [`Engine::POLLS`]; otherwise leave it
    /// out, and the interrupt is used.
    fn poll(&mut self, cx: &mut Context<'_, Self::Event, Self::Output>) {
        let _ = cx;
    }

    /// Samples came in at a port, where the kernel moves them: 8 kHz, companded as the card's
    /// modules are set.
    fn received(
        &mut self,
        port: PortNumber,
        samples: &[u8],
        cx: &mut Context<'_, Self::Event, Self::Output>,
    ) {
        let _ = (port, samples, cx);
    }

    /// Something that this engine [plays](Context::play) has ended. Called exactly once for each.
    fn played(
        &mut self,
        port: PortNumber,
        play: Play,
        how: Played,
        cx: &mut Context<'_, Self::Event, Self::Output>,
    ) {
        let _ = (port, play, how, cx);
    }

    /// When [`Engine::timer`] is to be called next; [`Time::NEVER`] for not at all.
    fn next_timer(&self) -> Time {
        Time::NEVER
    }

    /// The time [`Engine::next_timer`] named has come. It must name a later one now: a timer that
    /// is due again at once is called every millisecond, and logged.
    fn timer(&mut self, cx: &mut Context<'_, Self::Event, Self::Output>) {
        let _ = cx;
    }

    /// A request is about to be ended with `cause`: forget it, and undo what it did to the
    /// hardware. It may be completed here with another result.
    fn ended(
        &mut self,
        request: Token,
        cause: Failure,
        cx: &mut Context<'_, Self::Event, Self::Output>,
    );

    /// The interrupt file failed: the card is gone. Requests still running afterwards are ended.
    fn gone(&mut self, cx: &mut Context<'_, Self::Event, Self::Output>) {
        let _ = cx;
    }

    /// The last call: put the hardware into its safe state. Requests still running afterwards are
    /// ended. It runs on the thread that shuts the card down. It is also called after a panic of
    /// this engine, whose state may then be half changed.
    fn stop(&mut self, cx: &mut Context<'_, Self::Event, Self::Output>);
}
