//! The provider of a card, from enumeration over init to shutdown.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, RwLock};
use std::time::Duration;

use ringback_driver::card::tiger320::Tiger320;
use ringback_driver::device::Files;
use ringback_driver::engine::Context;
use ringback_driver::reactor::{
    Driver, Handle, Local, Options, Refused, Settled, StartError, is_in_upcall,
};
use ringback_driver::request::LineNumber;
use ringback_driver::{Time, report};
use ringback_lines::{CallHandles, Event, LineEngine};
use ringback_tspi::EvenPoisoned;
use ringback_tspi::dev_specific::{DevSpecific, LineKind};
use ringback_tspi::error::LineError;
use ringback_tspi::provider::{Init, Runner, Tapi};
use ringback_tspi::types::HDRVLINE;

use super::calls::Calls;
use super::cards::{Card, ModemCard};
use super::checks;
use super::open_devices::{OpenLine, OpenLines, OpenPhones, Serial};
use super::open_error::OpenError;
use super::phone_requests::PhoneRequests;
use super::stepped::SteppedCard;
use super::upward::Upward;

/// Requests that can be outstanding on a card at once.
const CAPACITY: usize = 4096;

/// How long init and a second shutdown wait for a running shutdown: a little longer than the
/// reactor does.
const STOP_LIMIT: Duration = Duration::from_secs(4);

/// Opens the card and brings it up, ready to be started.
type CardOpener<C> = Box<dyn FnMut() -> Result<C, OpenError> + Send>;

/// The provider of a card's lines.
///
/// Dropping it shuts it down.
pub struct LineProvider<C: Card> {
    /// The device's short name.
    pub(super) name: String,
    /// The lines, in the order of their device ids.
    pub(super) infos: Vec<DevSpecific>,
    /// The lines that have a phone beside them, in the order of the phones' device ids.
    pub(super) phones: Vec<LineNumber>,
    running: RwLock<Option<Arc<Running<C>>>>,
    power: Mutex<Power<C>>,
    /// Notified when a shutdown has ended.
    stopped: Condvar,
    /// The card's place if a simulation determines its time.
    stepped: Option<SteppedCard<C>>,
}

/// The provider of a TDM400P's lines.
pub type CardProvider<D> = LineProvider<Tiger320<D>>;

/// The provider of a modem's line.
pub type ModemProvider<D> = LineProvider<ModemCard<D>>;

/// What init and shutdown change.
struct Power<C: Card> {
    opener: CardOpener<C>,
    state: State<C>,
    /// Callers may keep handles after a shutdown, and these must not be valid after the next init.
    /// So the counters of handles are never reset.
    handles: Arc<CallHandles>,
    openings: Serial,
    /// Why the last init failed, in words.
    failure: Option<String>,
}

enum State<C: Card> {
    /// Not running; with the card, if it is open.
    Off(Option<Box<C>>),
    /// Running; with the driver, unless the reaper is the application's own thread.
    On(Handle<C::Lines>, Option<Driver<C::Lines>>),
    /// A thread is shutting it down.
    Stopping,
    /// Shut down, but a callback has not returned: the card is open until it does.
    Ending(Handle<C::Lines>),
}

/// The card between init and shutdown.
pub(super) struct Running<C: Card> {
    pub(super) handle: Handle<C::Lines>,
    pub(super) handles: Arc<CallHandles>,
    pub(super) calls: Arc<Calls>,
    pub(super) lines: Arc<OpenLines>,
    pub(super) phones: Arc<OpenPhones>,
    pub(super) phone_requests: Arc<PhoneRequests>,
    pub(super) line_device_id_base: u32,
    pub(super) phone_device_id_base: u32,
    /// Identifies the installation of the provider.
    pub(super) permanent_provider_id: u32,
}

impl<C: Card> LineProvider<C> {
    /// Opens a card. `opener` is called now, and again by every init that follows a shutdown.
    ///
    /// # Errors
    /// That of `opener`; [`OpenError::NoModules`] if there is no working module on the card.
    pub fn new(
        mut opener: impl FnMut() -> Result<C, OpenError> + Send + 'static,
    ) -> Result<LineProvider<C>, OpenError> {
        let card = opener()?;
        let infos = card.lines();
        if infos.is_empty() {
            return Err(OpenError::NoModules(card.empty()));
        }
        let all = infos.iter().enumerate();
        let telephones = all.filter(|(_, info)| info.kind == LineKind::Fxs);
        let phones = telephones.map(|(index, _)| LineNumber::at(index)).collect();
        Ok(LineProvider {
            name: card.name(),
            infos,
            phones,
            running: RwLock::new(None),
            power: Mutex::new(Power {
                opener: Box::new(opener),
                state: State::Off(Some(Box::new(card))),
                handles: Arc::default(),
                openings: Serial::default(),
                failure: None,
            }),
            stopped: Condvar::new(),
            stepped: None,
        })
    }

    /// Puts the provider under a virtual clock, which the [`SteppedCard`] moves. It can then be
    /// started by [`provider_init_local`] alone, because there is no reaper of its own.
    ///
    /// [`provider_init_local`]: ringback_tspi::provider::Control::provider_init_local
    #[must_use]
    pub fn under_a_virtual_clock(self) -> (LineProvider<C>, SteppedCard<C>) {
        let stepped = SteppedCard::default();
        (LineProvider { stepped: Some(stepped.clone()), ..self }, stepped)
    }

    fn power(&self) -> MutexGuard<'_, Power<C>> {
        self.power.lock().even_poisoned()
    }

    fn set_running(&self, running: Option<Arc<Running<C>>>) {
        *self.running.write().even_poisoned() = running;
    }

    /// The running card; `missing` before init and after shutdown.
    pub(super) fn running<E>(&self, missing: E) -> Result<Arc<Running<C>>, E> {
        let running = self.running.read().even_poisoned();
        running.clone().ok_or(missing)
    }

    /// TSPI_providerInit, with a reaper of the driver's own.
    pub(super) fn init(&self, init: Init, tapi: Box<dyn Tapi>) -> Result<u32, LineError> {
        if self.stepped.is_some() {
            return Err(LineError::OPERATIONUNAVAIL);
        }
        self.init_with(init, tapi, |engine, files, upward| {
            let driver = Driver::start(engine, files, upward, CAPACITY)?;
            Ok((driver.handle(), Some(driver), ()))
        })
        .map(|(options, _)| options)
    }

    /// TSPI_providerInit, with the calling thread as the reaper. Fails if the provider was
    /// initialised before.
    pub(super) fn init_local(
        &self,
        init: Init,
        tapi: Box<dyn Tapi>,
    ) -> Result<(u32, Box<dyn Runner>), LineError> {
        let (options, runner) = self.init_with(init, tapi, |engine, files, upward| {
            if let Some(stepped) = &self.stepped {
                let handle = stepped.begin(engine, upward, CAPACITY)?;
                return Ok((handle, None, Box::new(stepped.clone()) as Box<dyn Runner>));
            }
            let options = Options { capacity: CAPACITY, ..Options::default() };
            let local = Local::new(engine, files, upward, &options)?;
            let handle = local.handle();
            let runner: Box<dyn Runner> = Box::new(LocalRunner(local));
            Ok((handle, None, runner))
        })?;
        Ok((options, runner.ok_or(LineError::OPERATIONFAILED)?))
    }

    fn init_with<T>(
        &self,
        init: Init,
        tapi: Box<dyn Tapi>,
        start: impl FnOnce(C::Lines, Files, Upward<C::Lines>) -> Result<Started<C, T>, StartError>,
    ) -> Result<(u32, Option<T>), LineError> {
        checks::version(init.version)?;
        let mut power = self.wait_stopped();
        power.failure = None;
        let now = if self.stepped.is_some() { Time::ZERO } else { Time::monotonic() };
        let result = power.begin(&self.infos, init, tapi, now, start);
        match result {
            Ok(Some((running, started))) => {
                self.set_running(Some(Arc::new(running)));
                Ok((0, Some(started)))
            }
            // D15: a second init changes nothing.
            Ok(None) => Ok((0, None)),
            Err(cause) => {
                report!(ERROR, "the provider can't start: {cause}");
                power.failure = Some(cause.to_string());
                Err(LineError::RESOURCEUNAVAIL)
            }
        }
    }

    /// Why the last init failed, in words.
    pub(super) fn failure_text(&self) -> Option<String> {
        self.power().failure.clone()
    }

    /// What init and shutdown change, once no thread is shutting down any more. In an upcall, where
    /// waiting is impossible, and after [`STOP_LIMIT`] it returns all the same.
    fn wait_stopped(&self) -> MutexGuard<'_, Power<C>> {
        let power = self.power();
        if is_in_upcall() {
            return power;
        }
        let stopping = |power: &mut Power<C>| matches!(power.state, State::Stopping);
        let waited = self.stopped.wait_timeout_while(power, STOP_LIMIT, stopping);
        let mut power = waited.even_poisoned().0;
        if let State::Ending(handle) = &power.state {
            let handle = handle.clone();
            // The callback that delays the shutdown may call this.
            drop(power);
            handle.wait_ended(STOP_LIMIT);
            power = self.power();
        }
        power
    }

    /// TSPI_providerShutdown. If two threads call it, the second waits for the first and then has
    /// nothing to shut down.
    pub(super) fn shutdown(&self) -> Result<(), LineError> {
        let mut power = self.wait_stopped();
        let (handle, driver) = match std::mem::replace(&mut power.state, State::Stopping) {
            State::On(handle, driver) => (handle, driver),
            other => {
                power.state = other;
                return Err(LineError::OPERATIONFAILED);
            }
        };
        // An upcall may call this while this thread waits for the last of them.
        drop(power);
        self.set_running(None);
        let settled = driver.map_or_else(|| handle.shutdown(), Driver::shutdown);
        self.power().state = match settled {
            Settled::Delivered => State::Off(None),
            Settled::AfterThisUpcall | Settled::TimedOut => State::Ending(handle),
        };
        self.stopped.notify_all();
        // D12: a callback that has not returned may be followed by another upcall.
        if settled == Settled::TimedOut { Err(LineError::OPERATIONFAILED) } else { Ok(()) }
    }
}

/// A started reaper: its handle, its driver, and the value that the starter returns.
type Started<C, T> = (Handle<<C as Card>::Lines>, Option<Driver<<C as Card>::Lines>>, T);

impl<C: Card> Power<C> {
    /// Starts the card at this time of its clock; `None` if it runs already.
    fn begin<T>(
        &mut self,
        infos: &[DevSpecific],
        init: Init,
        tapi: Box<dyn Tapi>,
        now: Time,
        start: impl FnOnce(C::Lines, Files, Upward<C::Lines>) -> Result<Started<C, T>, StartError>,
    ) -> Result<Option<(Running<C>, T)>, OpenError> {
        let card = match &mut self.state {
            State::On(..) => return Ok(None),
            State::Stopping => return Err(OpenError::StillRunning),
            State::Ending(handle) if !handle.wait_ended(Duration::ZERO) => {
                return Err(OpenError::StillRunning);
            }
            State::Ending(_) => None,
            State::Off(card) => card.take(),
        };
        self.state = State::Off(None);
        let card = match card {
            Some(card) => *card,
            None => (self.opener)()?,
        };
        if card.lines() != infos {
            return Err(OpenError::OtherModules);
        }
        let files = card.files().map_err(OpenError::Interrupt)?;
        let handles = Arc::clone(&self.handles);
        let engine = card.start(Arc::clone(&handles), now)?;
        let calls = Arc::new(Calls::default());
        let lines = Arc::new(OpenLines::new(&self.openings));
        let phones = Arc::new(OpenPhones::new(&self.openings));
        let phone_requests = Arc::default();
        let way = Arc::new(OnceLock::new());
        let upward = Upward {
            tapi,
            calls: Arc::clone(&calls),
            lines: Arc::clone(&lines),
            phones: Arc::clone(&phones),
            phone_requests: Arc::clone(&phone_requests),
            handle: Arc::clone(&way),
        };
        let (handle, driver, started) = start(engine, files, upward)?;
        // No line is open yet, so nothing was delivered.
        let _ = way.set(handle.clone());
        self.state = State::On(handle.clone(), driver);
        let running = Running {
            handle,
            handles,
            calls,
            lines,
            phones,
            phone_requests,
            line_device_id_base: init.line_device_id_base,
            phone_device_id_base: init.phone_device_id_base,
            permanent_provider_id: init.permanent_provider_id,
        };
        Ok(Some((running, started)))
    }
}

/// A reaper on the application's own thread.
struct LocalRunner<L: LineEngine>(Local<L, Upward<L>>);

impl<L: LineEngine> Runner for LocalRunner<L> {
    fn run_once(&mut self, until: Time) -> usize {
        self.0.run_once(until)
    }
}

impl<C: Card> Running<C> {
    /// Finds the open line with this handle.
    pub(super) fn line(&self, line: HDRVLINE) -> Result<OpenLine, LineError> {
        self.lines.get(line)
    }

    /// Calls into the engine of the lines. NODRIVER if it has failed.
    pub(super) fn ask<R: Send + 'static>(
        &self,
        act: impl FnOnce(&mut C::Lines, &mut Context<'_, Event>) -> Result<R, LineError>
        + Send
        + 'static,
    ) -> Result<R, LineError> {
        self.handle.with(act).unwrap_or(Err(LineError::NODRIVER))
    }

    /// Waits until the completions of a close are delivered (D1, D5). In an upcall they are
    /// delivered as soon as the upcall has returned.
    ///
    /// # Errors
    /// OPERATIONFAILED if a callback has not returned within the limit.
    pub(super) fn settle(&self, line: LineNumber) -> Result<(), LineError> {
        if self.handle.settle(line) == Settled::TimedOut {
            report!(
                ERROR,
                "line {line}: closed, but a callback does not return, so completions are not \
                 delivered yet"
            );
            return Err(LineError::OPERATIONFAILED);
        }
        Ok(())
    }
}

/// The error that a function returns for a refused request.
pub(super) fn refused(refused: Refused) -> LineError {
    match refused {
        Refused::Full(_) | Refused::Crowded(_) => LineError::RESOURCEUNAVAIL,
        Refused::NoSuchLine(_) => LineError::INVALLINEHANDLE,
        Refused::Rejected(error) => error.into(),
        Refused::Closed | Refused::Failed(_) => LineError::NODRIVER,
        _ => LineError::OPERATIONFAILED,
    }
}
