//! What a new kind of device implements: one state machine that is told everything.
//!
//! An [`Engine`] takes commands, interrupts and the time, and puts effects (completions, events)
//! into its [`Context`]. It starts no thread, asks no clock and waits for nothing, so the same
//! engine runs under the reaper and under a virtual clock. Exactly one thread is in it at a time.
//! Where the kernel moves a card's samples, an engine also plays ([`Context::play`]) and is told
//! what came in ([`Engine::received`], [`Engine::played`]); other engines leave that out.
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

use crate::Time;
use crate::request::{ErrorCode, Token};

/// The state machine of one card and what hangs on it.
pub trait Engine: Send + 'static {
    /// What a caller may ask. A command owns all of its input (rule B1).
    type Command: Send + 'static;
    /// What is told without being asked.
    type Event: Send + 'static;
    /// What a completion carries besides its result; `()` where the result says it all, and then it
    /// costs nothing. See [`Context::complete_with`].
    type Output: Payload;

    /// Whether [`Engine::poll`] finds all that an interrupt would tell, so that a reaper that polls
    /// need not have it.
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
    /// The request is over when someone calls [`Context::complete`] for it, here or later.
    ///
    /// # Errors
    /// Why nothing was started. If the card was free, the submitter gets it as its return value and
    /// no completion ever comes (R4); if not, it is the completion's (R6).
    fn start(
        &mut self,
        request: Token,
        command: Self::Command,
        cx: &mut Context<'_, Self::Event, Self::Output>,
    ) -> Result<(), ErrorCode>;

    /// The card interrupted since the last call, once or more; or another card did that shares its
    /// line. An interrupt that comes after this has looked is told again.
    fn interrupt(&mut self, cx: &mut Context<'_, Self::Event, Self::Output>);

    /// Looks for what has ended without having been interrupted. Called again and again by a reaper
    /// that [polls](crate::reactor::Waiting), so it must cost next to nothing where nothing has: a
    /// read of memory that the hardware writes, not of a register behind a bus. Where there is no
    /// such memory, leave it out: the interrupt tells. Where there is, say [`Engine::POLLS`].
    fn poll(&mut self, cx: &mut Context<'_, Self::Event, Self::Output>) {
        let _ = cx;
    }

    /// Samples came in at a port, u-law at 8 kHz, where the kernel moves them.
    fn received(
        &mut self,
        port: usize,
        samples: &[u8],
        cx: &mut Context<'_, Self::Event, Self::Output>,
    ) {
        let _ = (port, samples, cx);
    }

    /// Something that this engine [plays](Context::play) has ended. Told exactly once.
    fn played(
        &mut self,
        port: usize,
        play: Play,
        how: Played,
        cx: &mut Context<'_, Self::Event, Self::Output>,
    ) {
        let _ = (port, play, how, cx);
    }

    /// When [`Engine::timer`] wants to be called next; [`Time::NEVER`] where it does not.
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
    /// ended. It is made by whoever shuts the card down, on that thread, and also after a panic of
    /// this engine, whose state may then be half changed.
    fn stop(&mut self, cx: &mut Context<'_, Self::Event, Self::Output>);
}
