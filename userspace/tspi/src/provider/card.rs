//! The provider of a card: how it lives between enumeration, init and shutdown.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use ringback_driver::card::tiger320::Tiger320;
use ringback_driver::engine::Context;
use ringback_driver::reactor::{Driver, Handle, Refused};

use super::calls::Calls;
use super::cards::{Card, ModemCard};
use super::open::OpenError;
use super::open_lines::{OpenLine, OpenLines};
use super::upward::Upward;
use super::{DevSpecific, Init, Tapi, checks};
use crate::clock;
use crate::error::LineError;
use crate::line::{CallHandles, Event};
use crate::types::HDRVLINE;

/// Requests that can be outstanding on a card at once.
const CAPACITY: usize = 4096;

/// Opens the card, brought up and ready to be started.
type Opener<C> = Box<dyn FnMut() -> Result<C, OpenError> + Send>;

/// The provider of a card's lines.
///
/// Dropping it shuts it down.
pub struct LineProvider<C: Card> {
    /// The device's short name.
    pub(super) name: String,
    /// The lines, in the order of their device ids.
    pub(super) infos: Vec<DevSpecific>,
    running: RwLock<Option<Arc<Running<C>>>>,
    power: Mutex<Power<C>>,
}

/// The provider of a TDM400P's lines.
pub type CardProvider<D> = LineProvider<Tiger320<D>>;

/// The provider of a modem's line.
pub type ModemProvider<D> = LineProvider<ModemCard<D>>;

/// What init and shutdown change.
struct Power<C: Card> {
    opener: Opener<C>,
    state: State<C>,
}

enum State<C: Card> {
    /// With the card, if it is open.
    Off(Option<Box<C>>),
    On(Driver<C::Lines>),
    Stopping,
}

/// The card between init and shutdown.
pub(super) struct Running<C: Card> {
    pub(super) handle: Handle<C::Lines>,
    pub(super) handles: Arc<CallHandles>,
    pub(super) calls: Arc<Calls>,
    pub(super) lines: Arc<OpenLines>,
    pub(super) line_device_id_base: u32,
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
        Ok(LineProvider {
            name: card.name(),
            infos,
            running: RwLock::new(None),
            power: Mutex::new(Power {
                opener: Box::new(opener),
                state: State::Off(Some(Box::new(card))),
            }),
        })
    }

    fn power(&self) -> MutexGuard<'_, Power<C>> {
        self.power.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_running(&self, running: Option<Arc<Running<C>>>) {
        *self.running.write().unwrap_or_else(PoisonError::into_inner) = running;
    }

    /// The running card; `missing` outside of a pair of init and shutdown.
    pub(super) fn running(&self, missing: LineError) -> Result<Arc<Running<C>>, LineError> {
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        running.clone().ok_or(missing)
    }

    /// TSPI_providerInit.
    pub(super) fn init(&self, init: Init, tapi: Box<dyn Tapi>) -> Result<u32, LineError> {
        checks::version(init.version)?;
        let mut power = self.power();
        let card = match &mut power.state {
            // D15: the pair that is open stays as it is.
            State::On(_) => return Ok(0),
            State::Stopping => return Err(LineError::OPERATIONFAILED),
            State::Off(card) => card.take(),
        };
        let card = match card {
            Some(card) => *card,
            None => (power.opener)().map_err(failed)?,
        };
        if card.lines() != self.infos {
            tracing::error!("the card's modules are not those that were there before");
            return Err(LineError::OPERATIONFAILED);
        }
        let (running, driver) = start(card, init, tapi).map_err(failed)?;
        self.set_running(Some(Arc::new(running)));
        power.state = State::On(driver);
        Ok(0)
    }

    /// TSPI_providerShutdown.
    pub(super) fn shutdown(&self) -> Result<(), LineError> {
        let mut power = self.power();
        let driver = match std::mem::replace(&mut power.state, State::Stopping) {
            State::On(driver) => driver,
            other => {
                power.state = other;
                return Err(LineError::OPERATIONFAILED);
            }
        };
        // An upcall may come by here while we wait for the last of them.
        drop(power);
        self.set_running(None);
        driver.shutdown();
        self.power().state = State::Off(None);
        Ok(())
    }
}

/// Why the card does not start, told in the log: a TSPI error has no room for it.
fn failed(error: OpenError) -> LineError {
    tracing::error!(%error, "the provider can't start");
    LineError::RESOURCEUNAVAIL
}

fn start<C: Card>(
    card: C,
    init: Init,
    tapi: Box<dyn Tapi>,
) -> Result<(Running<C>, Driver<C::Lines>), OpenError> {
    let files = card.files().map_err(OpenError::Interrupt)?;
    let handles = Arc::new(CallHandles::default());
    let engine = card.start(Arc::clone(&handles), clock::now())?;
    let calls = Arc::new(Calls::default());
    let lines = Arc::new(OpenLines::default());
    let way = Arc::new(OnceLock::new());
    let upward = Upward {
        tapi,
        calls: Arc::clone(&calls),
        lines: Arc::clone(&lines),
        handle: Arc::clone(&way),
    };
    let driver = Driver::start(engine, files, upward, CAPACITY)?;
    let handle = driver.handle();
    // No line is open yet, so nothing has been told.
    let _ = way.set(handle.clone());
    let line_device_id_base = init.line_device_id_base;
    Ok((Running { handle, handles, calls, lines, line_device_id_base }, driver))
}

impl<C: Card> Running<C> {
    /// An open line.
    pub(super) fn line(&self, line: HDRVLINE) -> Result<OpenLine, LineError> {
        self.lines.get(line)
    }

    /// Calls into the lines. Where they have failed there is no driver any more.
    pub(super) fn ask<R>(
        &self,
        act: impl FnOnce(&mut C::Lines, &mut Context<'_, Event>) -> Result<R, LineError>,
    ) -> Result<R, LineError> {
        self.handle.with(act).unwrap_or(Err(LineError::NODRIVER))
    }

    /// Waits until what a close has ended is told (D1, D5).
    pub(super) fn settle(&self, line: usize) {
        use ringback_driver::reactor::Settled;
        if self.handle.settle(line) == Settled::TimedOut {
            tracing::error!(line, "a callback does not return; closed without waiting for it");
        }
    }
}

/// Why a request was refused, as a function returns it.
pub(super) fn refused(refused: Refused) -> LineError {
    match refused {
        Refused::Full(_) => LineError::RESOURCEUNAVAIL,
        Refused::NoSuchLine(_) => LineError::INVALLINEHANDLE,
        Refused::Rejected(result) => {
            LineError::from_raw(result).unwrap_or(LineError::OPERATIONFAILED)
        }
        _ => LineError::OPERATIONFAILED,
    }
}
