//! What applications do in their callbacks, including what they should not do.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ringback_host::{Call, Pending, WaitError};
use ringback_tspi::error::LineError;

use crate::books::OpeningNo;
use crate::closing::came_to;
use crate::dice::Dice;
use crate::life::{Kept, LINES, Leg, Life, ask};
use crate::weather;

/// Sets a callback for a request. What the callback will do is decided now.
pub(crate) fn give<T: Clone + Send + 'static>(
    life: &Arc<Life>,
    card: usize,
    pending: Pending<T>,
    dice: &mut Dice,
) {
    let id = pending.id();
    let books = Arc::clone(&life.sides[card].books);
    books.promise(id);
    let (mut dice, theirs) = (dice.fork(), Arc::clone(life));
    let telling = Arc::clone(&books);
    pending.on_complete(move |_: Result<T, LineError>| {
        telling.called(id, || act(&theirs, card, &mut dice));
    });
    books.given(id);
}

/// Has a call that only takes the line off-hook dial a digit as soon as it is made: it waits for
/// digits then, and seldom later.
pub(crate) fn dial_when_made(
    life: &Arc<Life>,
    card: usize,
    opening: OpeningNo,
    pending: Pending<Call>,
) {
    let id = pending.id();
    let books = Arc::clone(&life.sides[card].books);
    books.promise(id);
    let (theirs, telling) = (Arc::clone(life), Arc::clone(&books));
    pending.on_complete(move |made: Result<Call, LineError>| {
        telling.called(id, || {
            let Ok(call) = made else { return };
            let leg = Leg { card, opening, call };
            let dialed = ask(&leg, false, |call| call.dial("1"), |id| id.dial("1"));
            theirs.tally.count(came_to("lineDial", &dialed));
            dialed.into_iter().for_each(|pending| theirs.keep(Kept::Asked(card, pending)));
            theirs.keep_leg(leg);
        });
    });
    books.given(id);
}

fn act(life: &Arc<Life>, card: usize, dice: &mut Dice) {
    match dice.below(100) {
        0..25 => life.tally.count("a callback that does nothing"),
        25..37 => thread::sleep(dice.ms(1, 40)),
        37 if life.long => {
            life.tally.count("a callback that takes long");
            thread::sleep(dice.ms(1900, 4500));
        }
        37..43 => {
            life.tally.count("a callback that panics");
            weather::throw();
        }
        43..48 => {
            life.tally.count("a callback that throws a bomb");
            weather::throw_bomb();
        }
        // On its own card or on the other one: a gateway hangs up the other leg.
        48..58 => {
            if let Some(leg) = life.any_leg(dice) {
                life.close_call(&leg, true, dice);
            }
        }
        58..60 => {
            if let Some(open) = life.any_line(dice) {
                life.close_line(&open, true, dice);
            }
        }
        60..68 => {
            let (_, side) = life.side(dice);
            if life.may_end() {
                let _ = life.shut_down(side, true);
            }
        }
        68..73 => {
            let side = &life.sides[card];
            let _ = side.open(card, dice.below(LINES as u32));
        }
        73..78 => drop(life.take_kept(dice)),
        78..82 => drop(life.take_leg(dice)),
        82..88 => wait(life, card, dice),
        88..90 => crate::actor::second_host(life, dice),
        _ => drop_call(life, dice),
    }
}

/// Submits another request, with a callback of its own.
fn drop_call(life: &Arc<Life>, dice: &mut Dice) {
    let Some(leg) = life.any_leg(dice) else { return };
    let known = dice.percent(30);
    let dropped = ask(&leg, known, Call::drop_call, |reserved| reserved.drop_call());
    if let Ok(pending) = dropped {
        give(life, leg.card, pending, dice);
    }
}

/// Waits in a callback, where waiting is impossible.
fn wait(life: &Arc<Life>, card: usize, dice: &mut Dice) {
    let long = Duration::from_secs(60);
    let waited = match life.take_kept(dice) {
        Some(Kept::Made(_, pending)) => pending.wait(long).map(|_| ()),
        Some(Kept::Asked(_, pending)) => pending.wait(long),
        None => return,
    };
    life.tally.count(came_to("a callback that waits", &waited));
    if waited == Err(WaitError::TimedOut) {
        life.sides[card].books.wrong("a callback has waited for a request".into());
    }
}

/// Makes an entry of the pool of calls, for the outcome of a request that makes a call.
pub(crate) fn leg_of(life: &Life, card: usize, opening: u64, call: Call) {
    life.keep_leg(Leg { card, opening, call });
}
