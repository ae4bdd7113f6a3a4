//! One life of the hosts: what all its threads share.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ringback_host::{
    Call, CallOptions, Events, Host, HostOptions, Line, Pending, Reservation, StartError,
};
use ringback_tests::Bench;
use ringback_tspi::EvenPoisoned;
use ringback_tspi::error::LineError;

use crate::books::{Books, OpeningNo, asking};
use crate::dice::Dice;
use crate::plan::LifePlan;
use crate::sabotage::Sabotage;
use crate::tally::Tally;

/// Lines of a card.
pub(crate) const LINES: usize = 4;
/// How long a life goes on after its hosts are shut down.
const WAKE: Duration = Duration::from_millis(40);
/// The number of objects of a kind that are kept for later.
const KEPT: usize = 12;

/// A line that was opened.
pub(crate) struct Open {
    pub(crate) no: OpeningNo,
    pub(crate) card: usize,
    pub(crate) device: u32,
    pub(crate) line: Line,
    pub(crate) events: Events,
    /// Whether a thread is closing it.
    pub(crate) closing: AtomicBool,
}

/// A call, and its card.
#[derive(Clone)]
pub(crate) struct Leg {
    pub(crate) card: usize,
    pub(crate) opening: OpeningNo,
    pub(crate) call: Call,
}

/// A request for later, which some thread may look at or not.
pub(crate) enum Kept {
    Made(usize, Pending<Call>),
    Asked(usize, Pending<()>),
}

/// A card with its host.
pub(crate) struct Side {
    pub(crate) bench: Arc<Bench>,
    pub(crate) host: Arc<Host>,
    pub(crate) books: Arc<Books>,
    /// Whether a thread has begun to shut it down.
    pub(crate) ending: AtomicBool,
    places: [Mutex<Option<Arc<Open>>>; LINES],
    /// When people act next. The card does not notice actions that follow too fast.
    people: Mutex<Option<Instant>>,
}

/// What all threads share. See the [module](self).
pub(crate) struct Life {
    pub(crate) sides: Vec<Side>,
    pub(crate) plan: LifePlan,
    pub(crate) long: bool,
    pub(crate) since: Instant,
    pub(crate) sabotage: Option<Sabotage>,
    pub(crate) tally: Arc<Tally>,
    /// When every host was found to be shut down.
    ended: Mutex<Option<Instant>>,
    legs: Mutex<Vec<Leg>>,
    kept: Mutex<Vec<Kept>>,
    /// Requests that count as leaked: no thread uses them before the hosts are gone.
    leaked: Mutex<Vec<Kept>>,
}

impl Side {
    /// Starts a host on a card.
    pub(crate) fn start(bench: &Arc<Bench>) -> Result<Side, StartError> {
        let books = Arc::new(Books::default());
        let observer = Arc::clone(&books);
        let trace =
            Arc::new(move |happened: &ringback_host::Traced<'_>| observer.observe(happened));
        let options = HostOptions { trace: Some(trace) };
        let host = Host::start(Arc::clone(&bench.provider), options)?;
        Ok(Side {
            bench: Arc::clone(bench),
            host: Arc::new(host),
            books,
            ending: AtomicBool::new(false),
            places: Default::default(),
            people: Mutex::default(),
        })
    }

    /// Opens one of the card's lines.
    pub(crate) fn open(&self, card: usize, device: u32) -> Result<Arc<Open>, LineError> {
        let no = self.books.opening(device);
        let opened = self.host.open(device);
        let line = match opened {
            Ok(line) => line,
            Err(error) => {
                self.books.not_opened(no);
                return Err(error);
            }
        };
        self.books.note(format!("opening {no} of line {device}"));
        let events = line.events();
        let closing = AtomicBool::new(false);
        let open = Arc::new(Open { no, card, device, line, events, closing });
        let place = self.places.get(device as usize);
        let before =
            place.and_then(|place| place.lock().even_poisoned().replace(Arc::clone(&open)));
        // Dropping a line closes it, which must not be done under a lock.
        drop(before);
        Ok(open)
    }

    /// Returns whether it is time for people to act; if so, the next time is `pause` later.
    pub(crate) fn is_time_for_people(&self, pause: Duration) -> bool {
        let (now, mut people) = (Instant::now(), self.people.lock().even_poisoned());
        let is_time = people.is_none_or(|time| now >= time);
        if is_time {
            *people = Some(now + pause);
        }
        is_time
    }

    pub(crate) fn line(&self, device: usize) -> Option<Arc<Open>> {
        self.places.get(device).and_then(|place| place.lock().even_poisoned().clone())
    }

    pub(crate) fn take_line(&self, device: usize) -> Option<Arc<Open>> {
        self.places.get(device).and_then(|place| place.lock().even_poisoned().take())
    }
}

impl Life {
    pub(crate) fn new(
        sides: Vec<Side>,
        plan: LifePlan,
        long: bool,
        sabotage: Option<Sabotage>,
        tally: Arc<Tally>,
    ) -> Life {
        Life {
            sides,
            plan,
            long,
            since: Instant::now(),
            sabotage,
            tally,
            ended: Mutex::default(),
            legs: Mutex::default(),
            kept: Mutex::default(),
            leaked: Mutex::default(),
        }
    }

    /// Returns whether its time is over, or every host has been down for a while.
    pub(crate) fn is_over(&self) -> bool {
        let ended = |side: &Side| side.ending.load(Ordering::SeqCst);
        let wake = || {
            let since = *self.ended.lock().even_poisoned().get_or_insert_with(Instant::now);
            since.elapsed() >= WAKE
        };
        self.since.elapsed() >= self.plan.time || self.sides.iter().all(ended) && wake()
    }

    /// Returns whether a host may be shut down now.
    pub(crate) fn may_end(&self) -> bool {
        self.since.elapsed() >= self.plan.shutdown_after
    }

    pub(crate) fn side(&self, dice: &mut Dice) -> (usize, &Side) {
        let card = dice.index(self.sides.len());
        (card, &self.sides[card])
    }

    /// Returns an open line, if the random choice finds one.
    pub(crate) fn any_line(&self, dice: &mut Dice) -> Option<Arc<Open>> {
        let (_, side) = self.side(dice);
        side.line(dice.index(LINES))
    }

    /// Returns a call, if there is one. The application then has one more handle of it.
    pub(crate) fn any_leg(&self, dice: &mut Dice) -> Option<Leg> {
        dice.pick(&self.legs.lock().even_poisoned())
    }

    /// Takes a call out of the pool.
    pub(crate) fn take_leg(&self, dice: &mut Dice) -> Option<Leg> {
        let mut legs = self.legs.lock().even_poisoned();
        let at = dice.index(legs.len());
        (at < legs.len()).then(|| legs.swap_remove(at))
    }

    /// Removes a call that can't be used any more.
    pub(crate) fn forget_leg(&self, leg: &Leg) {
        let forgotten: Vec<Leg> = self
            .legs
            .lock()
            .even_poisoned()
            .extract_if(.., |known| known.call == leg.call)
            .collect();
        // Dropping the last handle of a call closes it, which must not be done under a lock.
        drop(forgotten);
    }

    /// Puts a call into the pool.
    pub(crate) fn keep_leg(&self, leg: Leg) {
        let dropped = {
            let mut legs = self.legs.lock().even_poisoned();
            legs.push(leg);
            (legs.len() > KEPT).then(|| legs.remove(0))
        };
        drop(dropped);
    }

    /// Keeps a request for later.
    pub(crate) fn keep(&self, kept: Kept) {
        let dropped = {
            let mut all = self.kept.lock().even_poisoned();
            all.push(kept);
            (all.len() > KEPT).then(|| all.remove(0))
        };
        drop(dropped);
    }

    pub(crate) fn take_kept(&self, dice: &mut Dice) -> Option<Kept> {
        let mut kept = self.kept.lock().even_poisoned();
        let at = dice.index(kept.len());
        (at < kept.len()).then(|| kept.swap_remove(at))
    }

    /// Keeps a request that no thread will look at.
    pub(crate) fn leak(&self, kept: Kept) {
        self.leaked.lock().even_poisoned().push(kept);
    }

    /// Takes everything that is kept: requests, and those that count as leaked.
    pub(crate) fn take_all(&self) -> (Vec<Kept>, Vec<Kept>) {
        let legs = mem::take(&mut *self.legs.lock().even_poisoned());
        drop(legs);
        (
            mem::take(&mut *self.kept.lock().even_poisoned()),
            mem::take(&mut *self.leaked.lock().even_poisoned()),
        )
    }
}

/// Makes a call, in one step or with the id reserved first.
pub(crate) fn make(
    open: &Open,
    known: bool,
    address: &str,
    options: &CallOptions,
) -> Result<Pending<Call>, LineError> {
    asking(open.no, known, || match known {
        true => open.line.reserve().make_call(address, options),
        false => open.line.make_call(address, options),
    })
}

/// Submits a request on a call, in one step or with the id reserved first.
pub(crate) fn ask(
    leg: &Leg,
    known: bool,
    one_step: impl FnOnce(&Call) -> Result<Pending<()>, LineError>,
    reserved: impl FnOnce(Reservation<'_, Call>) -> Result<Pending<()>, LineError>,
) -> Result<Pending<()>, LineError> {
    asking(leg.opening, known, || match known {
        true => reserved(leg.call.reserve()),
        false => one_step(&leg.call),
    })
}

/// The length of a wait of an application.
pub(crate) fn short(dice: &mut Dice) -> Duration {
    dice.ms(0, 20)
}
