//! A thread of the application, which does anything at any time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use ringback_driver::PortNumber;
use ringback_host::{Call, CallOptions, Host, HostOptions, LineEvent, Pending};
use ringback_tspi::callstate::CallState;
use ringback_tspi::error::LineError;

use crate::callback;
use crate::closing::{CLOSE, block_on, came_to};
use crate::dice::Dice;
use crate::life::{Kept, LINES, Leg, Life, ask, make, short};
use crate::watchdog::doing;

/// The longest time for a function that does not wait.
const PROMPT: Duration = Duration::from_secs(5);

/// Acts until the life is over.
pub(crate) fn run(life: &Arc<Life>, mut dice: Dice) {
    let _doing = doing("acting", life.plan.time + CLOSE * 4);
    while !life.is_over() {
        act(life, &mut dice);
        if dice.percent(20) {
            thread::sleep(dice.ms(0, 5));
        }
    }
}

fn act(life: &Arc<Life>, dice: &mut Dice) {
    match dice.below(200) {
        0..22 => open(life, dice),
        22..66 => make_call(life, dice),
        66..116 => ask_leg(life, dice),
        116..140 => fetch(life, dice),
        140..154 => {
            if let Some(kept) = life.take_kept(dice) {
                look_at(life, kept, dice);
            }
        }
        154..161 => {
            if let Some(leg) = life.any_leg(dice) {
                life.close_call(&leg, false, dice);
            }
        }
        161..165 => {
            let _doing = doing("dropping a call", CLOSE);
            drop(life.take_leg(dice));
        }
        165 => {
            if let Some(open) = life.any_line(dice) {
                life.close_line(&open, false, dice);
            }
        }
        169 if dice.percent(30) => {
            let (_, side) = life.side(dice);
            let _doing = doing("dropping a line", CLOSE);
            drop(side.take_line(dice.index(LINES)));
        }
        170..173 => second_host(life, dice),
        173..175 if life.may_end() => {
            let (_, side) = life.side(dice);
            let _ = life.shut_down(side, false);
        }
        175..187 => people(life, dice),
        _ => ask_state(life, dice),
    }
}

fn open(life: &Arc<Life>, dice: &mut Dice) {
    let (card, side) = life.side(dice);
    let _doing = doing("opening a line", PROMPT + CLOSE);
    let opened = side.open(card, dice.below(LINES as u32));
    life.tally.count(came_to("open", &opened));
}

fn make_call(life: &Arc<Life>, dice: &mut Dice) {
    let Some(open) = life.any_line(dice) else { return };
    // Two of the lines are mostly left free for incoming calls.
    if matches!(open.device, 1 | 2) && dice.percent(90) {
        return people(life, dice);
    }
    let address = match open.device {
        0 | 1 => "",
        _ => dice.pick(&["", "200", "200", "201", "999", ",,,,,,,,1", "2?"]).unwrap_or_default(),
    };
    let options = CallOptions { only_if_idle: dice.percent(20), ..CallOptions::default() };
    let made = {
        let _doing = doing("making a call", PROMPT);
        make(&open, dice.percent(30), address, &options)
    };
    life.tally.count(came_to("lineMakeCall", &made));
    let Ok(pending) = made else { return };
    if open.device >= 2 && address.is_empty() && dice.percent(50) {
        return callback::dial_when_made(life, open.card, open.no, pending);
    }
    if dice.percent(70) {
        callback::leg_of(life, open.card, open.no, pending.call());
    }
    let _doing = doing("disposing of a request that makes a call", CLOSE);
    match dice.below(10) {
        0 => pending.release(),
        1 => life.leak(Kept::Made(open.card, pending)),
        2..6 => callback::give(life, open.card, pending, dice),
        _ => look_at(life, Kept::Made(open.card, pending), dice),
    }
}

/// Generates digits on a call.
fn send_digits(life: &Arc<Life>, call: &Call) {
    let begun = call.generate_digits("123,4", 0).map(|_| ());
    life.tally.count(came_to("lineGenerateDigits", &begun));
}

fn ask_leg(life: &Arc<Life>, dice: &mut Dice) {
    let Some(leg) = life.any_leg(dice) else { return };
    let known = dice.percent(30);
    let digits = dice.pick(&["1", "23", ",,,,,5", "1W2", ""]).unwrap_or_default();
    let _doing = doing("asking for something on a call", PROMPT);
    let (what, asked) = match dice.below(10) {
        0..3 => {
            let reserved = ask(&leg, known, |call| call.dial(digits), |id| id.dial(digits));
            ("lineDial", reserved)
        }
        3..5 => ("lineAnswer", ask(&leg, known, Call::answer, |id| id.answer())),
        5..8 => ("lineDrop", ask(&leg, known, Call::drop_call, |id| id.drop_call())),
        8 => {
            send_digits(life, &leg.call);
            return;
        }
        _ => {
            let _ = (leg.call.cancel_digits(), leg.call.monitor_digits(dice.percent(50)));
            return;
        }
    };
    life.tally.count(came_to(what, &asked));
    if asked.as_ref().err() == Some(&LineError::INVALCALLHANDLE) {
        life.forget_leg(&leg);
    }
    let Ok(pending) = asked else { return };
    match dice.below(10) {
        0 => pending.release(),
        1 => life.leak(Kept::Asked(leg.card, pending)),
        2..6 => callback::give(life, leg.card, pending, dice),
        _ => look_at(life, Kept::Asked(leg.card, pending), dice),
    }
}

/// Waits for, cancels, or awaits a request that is outstanding.
fn look_at(life: &Arc<Life>, kept: Kept, dice: &mut Dice) {
    match kept {
        Kept::Made(card, pending) => {
            if let Some(pending) = look(life, card, pending, dice) {
                life.keep(Kept::Made(card, pending));
            }
        }
        Kept::Asked(card, pending) => {
            if let Some(pending) = look(life, card, pending, dice) {
                life.keep(Kept::Asked(card, pending));
            }
        }
    }
}

fn look<T: Clone + Send + Unpin + 'static>(
    life: &Arc<Life>,
    card: usize,
    pending: Pending<T>,
    dice: &mut Dice,
) -> Option<Pending<T>> {
    let _doing = doing("looking at a request", CLOSE + PROMPT);
    match dice.below(6) {
        0 => {
            life.tally.count(came_to("wait", &pending.wait(short(dice))));
            Some(pending)
        }
        1 => {
            block_on(pending, short(dice));
            None
        }
        2 => {
            life.tally.count(format!("cancel: {}", pending.cancel()));
            Some(pending)
        }
        3 => None,
        4 => {
            callback::give(life, card, pending, dice);
            None
        }
        _ => Some(pending),
    }
}

/// Fetches events, and takes incoming calls.
fn fetch(life: &Arc<Life>, dice: &mut Dice) {
    let Some(open) = life.any_line(dice) else { return };
    let _doing = doing("fetching events", PROMPT);
    for _ in 0..8 {
        let event = match dice.percent(20) {
            true => open.events.next_timeout(short(dice)),
            false => open.events.try_next(),
        };
        let Some(event) = event else { break };
        match event {
            LineEvent::NewCall { call, .. } => {
                life.tally.count("a new call");
                life.keep_leg(Leg { card: open.card, opening: open.no, call });
            }
            LineEvent::State { call, state, .. } => {
                life.tally.count(format!("state {state}"));
                // Its loop is closed, unless it has ended since, so that it can send digits.
                if matches!(
                    state,
                    CallState::DialTone
                        | CallState::Dialing
                        | CallState::Proceeding
                        | CallState::Connected
                ) {
                    send_digits(life, &call);
                }
            }
            _ => {}
        }
    }
}

/// Starts another host on a provider, which is refused while one is using it (D15).
pub(crate) fn second_host(life: &Arc<Life>, dice: &mut Dice) {
    let (_, side) = life.side(dice);
    let _doing = doing("starting a second host", CLOSE * 2);
    let started = Host::start(Arc::clone(side.bench.bare()), HostOptions::default());
    life.tally.count(came_to("a second host", &started.as_ref().map_err(|error| error.error())));
    match started {
        Ok(host) => {
            if !side.ending.load(Ordering::SeqCst) {
                side.books.wrong("D15: a second host starts on a provider in use".into());
            }
            let line = host.open(dice.below(LINES as u32));
            let made = line.as_ref().map(|line| line.make_call("", &CallOptions::default()));
            drop(made);
        }
        Err(error) => {
            let known = [LineError::ALLOCATED, LineError::RESOURCEUNAVAIL, LineError::NODRIVER];
            if !known.contains(&error.error()) {
                side.books.wrong(format!("a second host is refused with {error}"));
            }
        }
    }
}

/// Lets people lift their telephones and call.
fn people(life: &Arc<Life>, dice: &mut Dice) {
    let (_, side) = life.side(dice);
    if !side.is_time_for_people(dice.ms(20, 120)) {
        return;
    }
    let exchange = side.bench.exchange();
    match dice.below(6) {
        0 | 1 => {
            let number = if dice.percent(50) { "102" } else { "103" };
            let _ = exchange.call("201", number);
        }
        2 => side.bench.subscriber("200").on_hook(),
        3 => side.bench.subscriber("201").on_hook(),
        _ => {
            let telephone = side.bench.card.telephone(PortNumber::at(dice.index(2)));
            let Some(telephone) = telephone else { return };
            match dice.percent(70) {
                true => telephone.off_hook(),
                false => telephone.on_hook(),
            }
        }
    }
}

/// Calls functions that do not wait.
fn ask_state(life: &Arc<Life>, dice: &mut Dice) {
    let _doing = doing("asking how things are", PROMPT);
    let (_, side) = life.side(dice);
    let _ = (side.host.outstanding(), side.host.counts(), side.bench.slots());
    if let Some(open) = life.any_line(dice) {
        let _ = (open.line.status(), open.line.caps(), open.line.is_closed());
    }
    if let Some(leg) = life.any_leg(dice) {
        let _ = (leg.call.info(), leg.call.status(), leg.call.state());
    }
}
