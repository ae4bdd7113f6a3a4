//! How a driver is to run.

use std::time::Duration;

use super::realtime::Realtime;

/// How the reaper waits for something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Waiting {
    /// Sleeps in the ring. It costs nothing while nothing happens; each interrupt costs a wake-up.
    #[default]
    Sleep,
    /// Polls for so long after the last activity, then sleeps. For traffic in bursts: only the
    /// first interrupt of a burst costs a wake-up.
    Spin(Duration),
    /// Polls and never sleeps. The end of an operation is found where the engine can
    /// [poll](crate::engine::Engine::poll) its hardware, before any interrupt. It takes a whole
    /// CPU; give it one of its own ([`Realtime::cpu`]).
    Poll,
}

/// How a driver is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The number of requests that can be outstanding, 1 to 65536.
    pub capacity: usize,
    /// How the reaper waits.
    pub waiting: Waiting,
    /// What the reaper's thread asks of the operating system.
    pub realtime: Realtime,
}

impl Default for Options {
    /// 4096 requests, sleeping, nothing special asked for.
    fn default() -> Self {
        Options { capacity: 4096, waiting: Waiting::Sleep, realtime: Realtime::default() }
    }
}
