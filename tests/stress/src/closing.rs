//! Closing in all its ways. When a close has returned, the books check that nothing follows.

use std::fmt::Debug;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use ringback_host::{CloseError, Closed};
use ringback_tests::waker;

use crate::dice::Dice;
use crate::life::{Leg, Life, Open, Side};
use crate::sabotage::Sabotage;
use crate::watchdog::doing;

/// The longest time for a close: its own waiting, and the provider's.
pub(crate) const CLOSE: Duration = Duration::from_secs(10);
/// The longest time for a shutdown.
const SHUTDOWN: Duration = Duration::from_secs(20);

type Result = std::result::Result<Closed, CloseError>;

/// Runs a future for at most `limit`.
pub(crate) fn block_on<F: Future>(future: F, limit: Duration) -> Option<F::Output> {
    let mut future = pin!(future);
    let waker = waker();
    let until = Instant::now() + limit;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}

impl Life {
    /// Closes a line. `upcall` says that the thread is in a callback.
    pub(crate) fn close_line(&self, open: &Open, upcall: bool, dice: &mut Dice) {
        let direct = || {
            let begun = open.closing.swap(true, Ordering::SeqCst);
            if begun && self.sabotage == Some(Sabotage::SecondCloserAtOnce) {
                return self.line_closed(open, upcall, Ok(Closed::Now));
            }
            let _doing = doing("closing a line", CLOSE);
            self.line_closed(open, upcall, open.line.close());
        };
        match dice.below(10) {
            0..5 => direct(),
            5..7 if !upcall => thread::scope(|scope| {
                scope.spawn(direct);
                direct();
            }),
            5..8 => drop(open.line.close_async()),
            _ if upcall => direct(),
            _ => {
                let _doing = doing("awaiting the close of a line", CLOSE);
                match block_on(open.line.close_async(), CLOSE) {
                    Some(closed) => self.line_closed(open, upcall, closed),
                    None => self.sides[open.card].books.note("a close that nobody awaits".into()),
                }
            }
        }
    }

    fn line_closed(&self, open: &Open, upcall: bool, closed: Result) {
        let side = &self.sides[open.card];
        self.judge("closing a line", side, upcall, &closed);
        if closed == Ok(Closed::Now) {
            side.books.line_closed(open.no, upcall);
        }
    }

    /// Closes a call.
    pub(crate) fn close_call(&self, leg: &Leg, upcall: bool, dice: &mut Dice) {
        let direct = || {
            let _doing = doing("closing a call", CLOSE);
            self.call_closed(leg, upcall, leg.call.close());
        };
        match dice.below(10) {
            0..6 => direct(),
            6..8 if !upcall => thread::scope(|scope| {
                scope.spawn(direct);
                direct();
            }),
            6..9 => drop(leg.call.close_async()),
            _ if upcall => direct(),
            _ => {
                let _doing = doing("awaiting the close of a call", CLOSE);
                if let Some(closed) = block_on(leg.call.close_async(), CLOSE) {
                    self.call_closed(leg, upcall, closed);
                }
            }
        }
    }

    fn call_closed(&self, leg: &Leg, upcall: bool, closed: Result) {
        let side = &self.sides[leg.card];
        self.judge("closing a call", side, upcall, &closed);
        if closed == Ok(Closed::Now) {
            side.books.call_closed(leg.call.handle(), upcall);
        }
    }

    /// Shuts a host down.
    pub(crate) fn shut_down(&self, side: &Side, upcall: bool) -> Result {
        side.ending.store(true, Ordering::SeqCst);
        let _doing = doing("shutting a host down", SHUTDOWN);
        let down = side.host.shutdown();
        self.judge("shutting down", side, upcall, &down);
        if down == Ok(Closed::Now) {
            side.books.down(upcall);
        }
        down
    }

    fn judge(&self, what: &str, side: &Side, upcall: bool, closed: &Result) {
        self.tally.count(format!("{what}: {closed:?}"));
        match closed {
            Ok(Closed::AfterUpcall) if !upcall => {
                side.books.wrong(format!("{what} outside of an upcall gave {closed:?}"));
            }
            Err(CloseError::Provider(_)) if !self.long => {
                side.books.wrong(format!("{what} gave {closed:?}"));
            }
            _ => {}
        }
    }
}

/// The name of a result for the tally, without its value.
pub(crate) fn came_to<T, E: Debug>(what: &str, result: &std::result::Result<T, E>) -> String {
    match result {
        Ok(_) => format!("{what}: ok"),
        Err(error) => format!("{what}: {error:?}"),
    }
}
