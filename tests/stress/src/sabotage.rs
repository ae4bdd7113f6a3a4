//! Breaking rules on purpose, to show that it is noticed.
//!
//! [`spoiled`] puts a layer between the provider and the witness that spoils one thing. Everything
//! else is the real system.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::thread;
use std::time::Duration;

use ringback_tspi::EvenPoisoned;
use ringback_tspi::error::LineError;
use ringback_tspi::functions::{TSPI_lineClose, TSPI_lineOpen, TSPI_providerShutdown};
use ringback_tspi::layer::{Asked, Layer, Layered, Outcome, Step, Value};
use ringback_tspi::provider::{Completion, LineMessage, PhoneMessage, Provider, Tapi};
use ringback_tspi::types::{HDRVCALL, HDRVLINE, HTAPICALL, HTAPILINE};

/// The kinds of sabotage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sabotage {
    /// A completion is never delivered.
    Lose,
    /// Requests that a shutdown has ended are not completed.
    LoseAtShutdown,
    /// A completion is delivered twice.
    Twice,
    /// A completion is delivered before the function has returned.
    Early,
    /// A completion is delivered on another thread than the reaper.
    OtherThread,
    /// The last event of a line is delivered again after its close.
    AfterClose,
    /// A line is not closed: it and its calls still exist when it is opened next.
    LivesOn,
    /// The shutdown is omitted.
    NoShutdown,
    /// A second host is accepted.
    TwoHosts,
    /// The second of two closers returns at once. The application does this.
    SecondCloserAtOnce,
}

impl Sabotage {
    /// All kinds of sabotage.
    pub const ALL: [Sabotage; 10] = [
        Sabotage::Lose,
        Sabotage::LoseAtShutdown,
        Sabotage::Twice,
        Sabotage::Early,
        Sabotage::OtherThread,
        Sabotage::AfterClose,
        Sabotage::LivesOn,
        Sabotage::NoShutdown,
        Sabotage::TwoHosts,
        Sabotage::SecondCloserAtOnce,
    ];
}

/// One of this many events, or completions, is spoiled.
const CHANCE: u64 = 7;
/// The delay after which something is delivered that should not be delivered any more.
const SOON: Duration = Duration::from_millis(1);

type Way = Arc<Mutex<Box<dyn Tapi>>>;

#[derive(Default)]
struct Desk {
    way: Weak<Mutex<Box<dyn Tapi>>>,
    /// Hosts that were accepted although there is one.
    guests: Vec<Box<dyn Tapi>>,
    /// The device id and TAPI's handle of each line.
    lines: HashMap<HDRVLINE, (u32, HTAPILINE)>,
    /// Lines that were not closed.
    living: HashMap<u32, HDRVLINE>,
    /// The last event of each line.
    last: HashMap<HTAPILINE, LineMessage>,
    ending: bool,
}

struct Plot {
    sabotage: Sabotage,
    chances: AtomicU64,
    desk: Mutex<Desk>,
}

impl Plot {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().even_poisoned()
    }

    fn plans(&self, what: Sabotage) -> bool {
        self.sabotage == what
    }

    /// Returns whether to act in this situation.
    fn acts(&self, what: Sabotage) -> bool {
        self.plans(what) && self.chances.fetch_add(1, Ordering::SeqCst) % CHANCE == CHANCE - 1
    }
}

/// The layer that breaks one rule. See the [module](self).
pub(crate) struct Spoiling {
    plot: Arc<Plot>,
}

struct SpoiledTapi {
    way: Way,
    plot: Arc<Plot>,
}

impl SpoiledTapi {
    fn tell<R>(&self, tell: impl FnOnce(&mut dyn Tapi) -> R) -> R {
        tell(&mut **self.way.lock().even_poisoned())
    }
}

impl Tapi for SpoiledTapi {
    fn completion(&mut self, completion: &Completion) {
        let ending = self.plot.desk().ending;
        let lost = self.plot.plans(Sabotage::LoseAtShutdown) && ending;
        if lost || self.plot.acts(Sabotage::Lose) {
            return;
        }
        if self.plot.acts(Sabotage::OtherThread) {
            return thread::scope(|scope| {
                scope.spawn(|| self.tell(|tapi| tapi.completion(completion)));
            });
        }
        if self.plot.acts(Sabotage::Twice) {
            self.tell(|tapi| tapi.completion(completion));
        }
        self.tell(|tapi| tapi.completion(completion));
    }

    fn line_event(&mut self, event: &LineMessage) {
        self.plot.desk().last.insert(event.line, *event);
        self.tell(|tapi| tapi.line_event(event));
    }

    fn new_call(&mut self, line: HTAPILINE, call: HDRVCALL) -> Option<HTAPICALL> {
        self.tell(|tapi| tapi.new_call(line, call))
    }

    fn phone_event(&mut self, event: &PhoneMessage) {
        self.tell(|tapi| tapi.phone_event(event));
    }
}

/// Returns the provider with one rule broken.
pub(crate) fn spoiled(provider: Arc<dyn Provider>, sabotage: Sabotage) -> Layered<Spoiling> {
    let (chances, desk) = (AtomicU64::new(0), Mutex::default());
    let plot = Arc::new(Plot { sabotage, chances, desk });
    Layered::new(provider, Spoiling { plot })
}

impl Spoiling {
    /// Delivers something out of turn, unless an upcall is running.
    fn intrude(&self, tell: impl FnOnce(&mut dyn Tapi)) {
        let way = self.plot.desk().way.upgrade();
        if let Some(way) = way
            && let Ok(mut tapi) = way.try_lock()
        {
            tell(&mut **tapi);
        }
    }

    /// Delivers the last event of a closed line again after a moment.
    fn tell_again(&self, line: HDRVLINE) {
        let desk = self.plot.desk();
        let tapi = desk.lines.get(&line).map(|(_, tapi)| *tapi);
        let Some(event) = tapi.and_then(|tapi| desk.last.get(&tapi).copied()) else { return };
        let way = desk.way.clone();
        thread::spawn(move || {
            thread::sleep(SOON);
            if let Some(way) = way.upgrade() {
                way.lock().even_poisoned().line_event(&event);
            }
        });
    }

    /// Records a line that was opened, or that the sabotage reports as opened.
    fn opened(&self, asked: &Asked<'_>, handle: HDRVLINE) {
        let device = u32::try_from(asked.word("device_id")).unwrap_or(u32::MAX);
        if let Some(line) = HTAPILINE::new(asked.word("line")) {
            self.plot.desk().lines.insert(handle, (device, line));
        }
    }
}

impl Layer for Spoiling {
    type Kept<'a> = ();

    fn before(&self, asked: &Asked<'_>) -> Step<()> {
        if asked.is(&TSPI_providerShutdown) {
            if self.plot.plans(Sabotage::NoShutdown) {
                return Step::Answer(Outcome::done(Vec::new()));
            }
            self.plot.desk().ending = true;
        }
        if asked.is(&TSPI_lineOpen) {
            let device = u32::try_from(asked.word("device_id")).unwrap_or(u32::MAX);
            let living = self.plot.desk().living.remove(&device);
            if let Some(handle) = living {
                self.opened(asked, handle);
                return Step::Answer(Outcome::done(vec![Value::Word(handle.raw())]));
            }
        }
        if asked.is(&TSPI_lineClose)
            && self.plot.plans(Sabotage::LivesOn)
            && let Some(line) = HDRVLINE::new(asked.word("line"))
        {
            let mut desk = self.plot.desk();
            if let Some((device, _)) = desk.lines.get(&line).copied() {
                desk.living.insert(device, line);
                return Step::Answer(Outcome::done(Vec::new()));
            }
        }
        Step::Go(())
    }

    fn after(&self, asked: &Asked<'_>, outcome: &Outcome, (): ()) {
        if !outcome.is_ok() {
            return;
        }
        if let Some(request) = asked.request()
            && self.plot.acts(Sabotage::Early)
        {
            self.intrude(|tapi| tapi.completion(&Completion::now(request, Ok(()))));
        }
        if asked.is(&TSPI_lineOpen)
            && let Some(handle) = HDRVLINE::new(outcome.word())
        {
            self.opened(asked, handle);
        }
        if asked.is(&TSPI_lineClose)
            && self.plot.plans(Sabotage::AfterClose)
            && let Some(line) = HDRVLINE::new(asked.word("line"))
        {
            self.tell_again(line);
        }
    }

    fn init(
        &self,
        tapi: Box<dyn Tapi>,
        start: impl FnOnce(Box<dyn Tapi>) -> Result<(), LineError>,
    ) -> Result<(), LineError> {
        let in_use = self.plot.desk().way.strong_count() != 0;
        if in_use && self.plot.plans(Sabotage::TwoHosts) {
            self.plot.desk().guests.push(tapi);
            return Ok(());
        }
        let way = Arc::new(Mutex::new(tapi));
        let weak = Arc::downgrade(&way);
        start(Box::new(SpoiledTapi { way, plot: Arc::clone(&self.plot) }))?;
        if weak.strong_count() != 0 {
            let mut desk = self.plot.desk();
            desk.living.clear();
            (desk.way, desk.ending) = (weak, false);
        }
        Ok(())
    }
}
