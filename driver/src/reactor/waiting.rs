//! Options of a driver: capacity, real-time settings, and how its reaper waits.

use std::time::Duration;

use super::realtime::Realtime;

/// How the reaper waits for something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Waiting {
    /// Sleeps in the ring. An idle card costs no CPU time, and each interrupt costs a wake-up.
    #[default]
    Sleep,
    /// Polls for this long after the last activity, then sleeps. For traffic in bursts: only the
    /// first interrupt of a burst costs a wake-up.
    Spin(Duration),
    /// Polls and never sleeps. If the engine can [poll](crate::engine::Engine::poll) its hardware,
    /// the end of an operation is found before its interrupt. Takes a whole CPU, which should be
    /// reserved for it ([`Realtime::cpu`]).
    Poll,
}

/// Options of a driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The number of requests that can be outstanding, 1 to 65536.
    pub capacity: usize,
    /// How the reaper waits for something to do; asleep by default.
    pub waiting: Waiting,
    /// The real-time settings to ask for.
    pub realtime: Realtime,
}

impl Default for Options {
    /// 4096 requests, sleeping, no real-time settings.
    fn default() -> Self {
        Options { capacity: 4096, waiting: Waiting::Sleep, realtime: Realtime::default() }
    }
}
