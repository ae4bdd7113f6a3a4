//! Logs faults of an engine or an interrupt file. A fault that can go on for ever is logged once.

use std::time::Duration;

use crate::report;
use crate::request::{ErrorCode, Table, Token};

use super::{LOOK_INTERVAL, SLOW};

/// More interrupts in a [`LOOK_INTERVAL`] than any working card raises.
const STORM: u32 = 100_000;

/// A timer is logged when it was due again at once so many times in a row.
const RESTLESS: u32 = 100;

/// Counts events that are faults only if they are frequent.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    /// Interrupts since the last [`Complaints::interval`].
    interrupts: u32,
    storm_told: bool,
    /// How many times in a row the timer was due again at once.
    restless: u32,
}

impl Complaints {
    /// Counts an interrupt of the card.
    pub(super) fn interrupted(&mut self) {
        self.interrupts = self.interrupts.saturating_add(1);
    }

    /// Ends a [`LOOK_INTERVAL`]: logs an interrupt file that was signalled far too often.
    pub(super) fn interval(&mut self) {
        let interrupts = std::mem::take(&mut self.interrupts);
        let storm = interrupts > STORM;
        if storm && !self.storm_told {
            report!(
                ERROR,
                "the interrupt file was ready {interrupts} times in {LOOK_INTERVAL:?}: it is not \
                 an interrupt file, or the engine does not acknowledge the interrupt"
            );
        }
        self.storm_told = storm;
    }

    /// Counts a call of the timer, which is due again at once if `again`.
    #[inline]
    pub(super) fn timer(&mut self, again: bool) {
        self.restless = if again { self.restless.saturating_add(1) } else { 0 };
        if self.restless == RESTLESS {
            restless();
        }
    }
}

#[cold]
fn restless() {
    report!(
        ERROR,
        "the engine's timer was due again {RESTLESS} times as soon as it had been called; \
         next_timer must name a later time after each call"
    );
}

/// Logs a request that the engine took long to start.
#[cold]
pub(super) fn slow(table: &Table, request: Token, took: Duration) {
    if took > SLOW
        && let (Some(id), Some(line)) = (table.id(request), table.line(request))
    {
        report!(
            WARN,
            "the engine took {took:?} to start request {id} of line {line}; everything else on \
             the card waited"
        );
    }
}

/// Logs a request that the engine has completed and then refused. The completion counts.
#[cold]
pub(super) fn contradiction(table: &Table, request: Token, error: ErrorCode) {
    if !table.is_running(request)
        && let (Some(id), Some(line)) = (table.id(request), table.line(request))
    {
        report!(
            WARN,
            "the engine completed request {id} of line {line} and then refused it with \
             {error}; the completion counts"
        );
    }
}
