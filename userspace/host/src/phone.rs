//! An open phone, in the host and as an application handles it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use ringback_request::Time;
use ringback_request::sync::EvenPoisoned;
use ringback_tspi::error::PhoneError;
use ringback_tspi::provider::PhoneMessage;
use ringback_tspi::structs::{PHONECAPS, PHONESTATUS};
use ringback_tspi::types::{HDRVPHONE, HTAPIPHONE};

use super::asked;
use super::baton::Deliver;
use super::closing::{self, CloseError, Closed, Closing};
use super::info::fetch;
use super::inside;
use super::ledger::{Ledger, Telling};
use super::mailbox::{self, Events, Subscribers};
use super::open::Open;
use super::phone_events::PhoneEvent;
use super::phone_info::{PhoneCaps, PhoneInfo, PhoneStatus};
use super::service::Service;
use super::trace::{Observer, Traced};

/// The open phones of a host.
pub(super) type Phones = Open<HTAPIPHONE, PhoneInner>;

pub(super) struct PhoneInner {
    service: Arc<Service>,
    pub(super) info: PhoneInfo,
    tapi: HTAPIPHONE,
    /// Counts the running upcalls.
    ledger: Ledger,
    driver: OnceLock<HDRVPHONE>,
    phones: Arc<Phones>,
    observer: Arc<Observer>,
    queue: Mutex<VecDeque<PhoneMessage>>,
    subscribers: Mutex<Subscribers<PhoneEvent>>,
    /// Nothing is delivered any more.
    ended: AtomicBool,
}

impl PhoneInner {
    /// A phone that is about to be opened. It can be found from now on, because its events may come
    /// before the provider's function has returned.
    pub(super) fn new(
        service: &Arc<Service>,
        phones: &Arc<Phones>,
        observer: &Arc<Observer>,
        info: PhoneInfo,
        tapi: HTAPIPHONE,
    ) -> Arc<PhoneInner> {
        let phone = Arc::new(PhoneInner {
            service: Arc::clone(service),
            info,
            tapi,
            ledger: Ledger::default(),
            driver: OnceLock::new(),
            phones: Arc::clone(phones),
            observer: Arc::clone(observer),
            queue: Mutex::default(),
            subscribers: Mutex::new(Subscribers::new(service.shared.runner)),
            ended: AtomicBool::new(false),
        });
        phones.insert(tapi, &phone);
        phone
    }

    /// The provider's handle, once its function has returned.
    pub(super) fn set_driver(&self, driver: HDRVPHONE) {
        // Set once: a phone is opened once.
        let _ = self.driver.set(driver);
    }

    /// Whether this provider has it.
    pub(super) fn is_of(&self, service: &Service) -> bool {
        self.service.id == service.id
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<PhoneMessage>> {
        self.queue.lock().even_poisoned()
    }

    /// Queues a message that has come in an upcall, and delivers the queue.
    pub(super) fn push(self: Arc<Self>, message: PhoneMessage) {
        self.queue().push_back(message);
        let service = Arc::clone(&self.service);
        service.arrived(self);
    }

    /// Delivers an event, unless the phone is closed (D2).
    fn tell(&self, told: PhoneMessage) {
        let shared = &self.service.shared;
        let ledgers = [Some(&shared.ledger), Some(&self.ledger), None];
        let telling = Telling::begin(ledgers, &shared.turns);
        if self.is_ended() {
            return;
        }
        let event = PhoneEvent::of(told.message, told.params, Time::monotonic());
        self.observer.see(&Traced::PhoneEvent { device_id: self.info.device_id, event: &event });
        // The observer may have closed it.
        if !self.is_ended() {
            mailbox::publish(&self.subscribers, &event);
        }
        drop(telling);
        if let PhoneEvent::Closed { .. } = event {
            self.end();
        }
    }

    fn is_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    fn close(&self) -> Result<Closed, CloseError> {
        closing::close(&self.service.shared, &self.ledger, closing::LIMIT, || self.close_now())
    }

    /// Closes the phone as part of a shutdown, which waits for everything at once.
    pub(super) fn close_without_waiting(&self) -> Result<(), PhoneError> {
        if !self.ledger.begin_closing() {
            return Ok(());
        }
        let closed = self.close_now();
        self.ledger.close();
        closed
    }

    fn close_now(&self) -> Result<(), PhoneError> {
        let closed = match self.driver.get() {
            Some(driver) => self.service.provider().phone_close(*driver),
            // It was never opened.
            None => Ok(()),
        };
        self.end();
        // If the host is being shut down, that has closed the phone already.
        let above = self.service.shared.ledger.is_open();
        if closed == Err(PhoneError::INVALPHONEHANDLE) && !above { Ok(()) } else { closed }
    }

    /// From here on no event is delivered and every function is refused.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.phones.remove(self.tapi);
        mailbox::end(&self.subscribers);
        self.ledger.close();
        self.service.shared.turns.changed();
    }
}

impl Deliver for PhoneInner {
    fn drain(self: Arc<Self>) {
        loop {
            // Not under the lock of the queue.
            let next = self.queue().pop_front();
            let Some(told) = next else { return };
            let inside = inside::enter();
            self.tell(told);
            drop(inside);
            // Functions that the observer has called have returned by now.
            asked::enter();
        }
    }
}

/// An open phone. Dropping it closes it.
pub struct Phone(pub(super) Arc<PhoneInner>);

impl Phone {
    /// The provider's handle while the phone is open.
    fn usable(&self) -> Result<HDRVPHONE, PhoneError> {
        asked::enter();
        if !self.0.ledger.is_open() {
            return Err(PhoneError::INVALPHONEHANDLE);
        }
        self.0.driver.get().copied().ok_or(PhoneError::INVALPHONEHANDLE)
    }

    /// The information about the phone from the start of the host.
    pub fn info(&self) -> &PhoneInfo {
        &self.0.info
    }

    /// What it can do (TSPI_phoneGetDevCaps).
    ///
    /// # Errors
    /// The provider's.
    pub fn caps(&self) -> Result<PhoneCaps, PhoneError> {
        asked::enter();
        let PhoneInfo { device_id, version, .. } = self.0.info;
        let provider = self.0.service.provider();
        let bytes = fetch::<PHONECAPS, _>(|memory| {
            provider.phone_get_dev_caps(device_id, version, 0, memory)
        })?;
        PhoneCaps::read(&bytes, version)
    }

    /// How it is now (TSPI_phoneGetStatus).
    ///
    /// # Errors
    /// INVALPHONEHANDLE once it is closed.
    pub fn status(&self) -> Result<PhoneStatus, PhoneError> {
        let driver = self.usable()?;
        let provider = self.0.service.provider();
        let bytes = fetch::<PHONESTATUS, _>(|memory| provider.phone_get_status(driver, memory))?;
        PhoneStatus::read(&bytes, self.0.info.version)
    }

    /// Its events. The first time, all since the phone was opened; after that, all from now on.
    pub fn events(&self) -> Events<PhoneEvent> {
        asked::enter();
        self.0.subscribers.lock().even_poisoned().subscribe()
    }

    /// Whether the phone is closed, by [`close`](Phone::close), by the provider, or because the
    /// host was shut down.
    pub fn is_closed(&self) -> bool {
        asked::enter();
        self.0.is_ended()
    }

    /// Closes it (TSPI_phoneClose); no event is delivered afterwards (D2). It waits as
    /// [`Line::close`](super::Line::close) does.
    ///
    /// # Errors
    /// [`CloseError`]; the phone is closed all the same.
    pub fn close(&self) -> Result<Closed, CloseError> {
        self.0.close()
    }

    /// As [`close`](Phone::close), on a thread of the host's. Closing begins at once, also if the
    /// future is never polled; the future is ready when the phone is closed.
    pub fn close_async(&self) -> Closing {
        let phone = Arc::clone(&self.0);
        Closing::begin(&self.0.service.shared, move || phone.close())
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        // There is no caller left to get an error.
        let _ = self.close();
    }
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phone").field("info", &self.0.info).finish_non_exhaustive()
    }
}
