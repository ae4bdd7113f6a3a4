//! An open phone in the host: its handles, and what it delivers to the application.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use ringback_request::sync::EvenPoisoned;
use ringback_request::{RequestId, Time};
use ringback_tspi::error::PhoneError;
use ringback_tspi::provider::PhoneMessage;
use ringback_tspi::types::{HDRVPHONE, HTAPIPHONE};

use super::asked;
use super::baton::Deliver;
use super::closing::{self, CloseError, Closed};
use super::counts::count;
use super::delivery::{late, wake};
use super::inside;
use super::ledger::{Ledger, Telling, Turns};
use super::mailbox::{self, Events, Subscribers};
use super::open::Open;
use super::phone_events::PhoneEvent;
use super::phone_info::PhoneInfo;
use super::queue::{Next, Queue, Upcall};
use super::record::{Arrived, Asking, Ending, Outlet, Record};
use super::service::Service;
use super::trace::{Observer, Traced};

/// The open phones of a host.
pub(super) type Phones = Open<HTAPIPHONE, PhoneInner>;

pub(super) struct PhoneInner {
    pub(super) service: Arc<Service>,
    pub(super) info: PhoneInfo,
    tapi: HTAPIPHONE,
    /// Counts its outstanding requests and the running upcalls.
    pub(super) ledger: Ledger,
    driver: OnceLock<HDRVPHONE>,
    phones: Arc<Phones>,
    observer: Arc<Observer>,
    queue: Mutex<Queue<PhoneMessage>>,
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

    /// The provider's handle while it is open.
    pub(super) fn driver(&self) -> Option<HDRVPHONE> {
        self.driver.get().copied()
    }

    /// This phone as the outlet of its requests.
    pub(super) fn outlet(self: &Arc<Self>) -> Arc<dyn Outlet> {
        Arc::clone(self) as Arc<dyn Outlet>
    }

    /// Subscribes to its events.
    pub(super) fn events(&self) -> Events<PhoneEvent> {
        self.subscribers.lock().even_poisoned().subscribe()
    }

    /// Whether this provider has it.
    pub(super) fn is_of(&self, service: &Service) -> bool {
        self.service.id == service.id
    }

    fn queue(&self) -> MutexGuard<'_, Queue<PhoneMessage>> {
        self.queue.lock().even_poisoned()
    }

    /// Queues a message that has come in an upcall, and delivers the queue.
    pub(super) fn push(self: Arc<Self>, message: PhoneMessage) {
        self.queue().put(Upcall::Message(message));
        self.arrived();
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
            if matches!(event, PhoneEvent::Closed { .. }) {
                // Who has the event finds the phone closed.
                self.ended.store(true, Ordering::SeqCst);
                self.ledger.close();
            }
            mailbox::publish(&self.subscribers, &event);
        }
        drop(telling);
        if let PhoneEvent::Closed { .. } = event {
            self.end();
        }
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Closes the phone (D10).
    pub(super) fn close(&self) -> Result<Closed, CloseError> {
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
        closing::await_unused(&self.service.shared, &self.ledger);
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

impl PhoneInner {
    fn upcall(&self, upcall: Upcall<PhoneMessage>) {
        let inside = inside::enter();
        match upcall {
            Upcall::Request(record, Ending::Completed(arrived)) => self.completed(&record, arrived),
            Upcall::Request(record, Ending::Lost) => self.lost(&record),
            Upcall::Request(record, Ending::Late(callback)) => late(&record, callback),
            Upcall::Message(told) => self.tell(told),
        }
        drop(inside);
        // Functions that the callback has called have returned by now.
        asked::enter();
    }

    fn completed(&self, record: &Record, arrived: Arrived) {
        let Arrived { outcome, completed, early } = arrived;
        let counters = &self.service.shared.counters;
        let id = record.id;
        let Some(_telling) = record.begin_telling() else {
            return self.observer.duplicate(counters, id, outcome);
        };
        count(&counters.completed);
        if early {
            count(&counters.early);
        }
        let (delivered, told) = (Time::monotonic(), outcome.map_err(PhoneError::from));
        let told = Traced::PhoneCompleted { id, outcome: told, completed, delivered, early };
        self.observer.see(&told);
        wake(record, outcome);
    }

    fn lost(&self, record: &Record) {
        let Some(_telling) = record.begin_telling() else { return };
        count(&self.service.shared.counters.lost);
        self.observer.see(&Traced::Lost { id: record.id, at: Time::monotonic() });
        wake(record, Err(PhoneError::OPERATIONFAILED.into()));
    }
}

impl Outlet for PhoneInner {
    fn ledgers(&self) -> [&Ledger; 2] {
        [&self.service.shared.ledger, &self.ledger]
    }

    fn provider(&self) -> u32 {
        self.service.id
    }

    fn turns(&self) -> &Turns {
        &self.service.shared.turns
    }

    fn asking(&self, id: RequestId, asking: Asking) {
        let (device_id, at) = (self.info.device_id, Time::monotonic());
        self.observer.see(&match asking {
            Asking::Submitted { function, .. } => {
                Traced::PhoneSubmitted { id, function, device_id, at }
            }
            Asking::Returned => Traced::Returned { id, at },
            Asking::Refused(error) => Traced::PhoneRefused { id, error: error.into(), at },
        });
    }

    fn put(&self, record: Arc<Record>, ending: Ending) {
        self.queue().put(Upcall::Request(record, ending));
    }

    fn arrived(self: Arc<Self>) {
        let service = Arc::clone(&self.service);
        service.arrived(self);
    }

    fn deliver_later(self: Arc<Self>) {
        let service = Arc::clone(&self.service);
        service.shared.hand.deliver(self);
    }
}

impl Deliver for PhoneInner {
    fn drain(self: Arc<Self>) {
        loop {
            // Not under the lock of the queue.
            let next = self.queue().next();
            match next {
                Next::Upcall(upcall) => self.upcall(upcall),
                Next::Parks(record) => return self.service.shared.hand.watch(&record),
                Next::Nothing => return,
            }
        }
    }
}
