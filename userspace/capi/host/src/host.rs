//! A provider with its host, and the observer that queues completions and events.
//!
//! The host calls the observer for each completion and event, in the order of delivery. The
//! observer queues them under the application's own handles.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use ringback_host::{Host, HostOptions, LineEvent, PhoneEvent, StartError, Traced};
use ringback_tspi::EvenPoisoned;
use ringback_tspi::error::{LineError, PhoneError};
use ringback_tspi::ffi::Loaded;
use ringback_tspi::functions::RequestId;
use ringback_tspi::provider::Provider;

use crate::deliveries::Deliveries;
use crate::event::Event;
use crate::registry::{self, CALLS, LINES, OpenLine, OpenPhone, OwnedCall, PHONES, of_phones};
use crate::requests::{self, Request};

/// A provider and its host.
pub struct LoadedHost {
    pub host: Host,
    pub deliveries: Arc<Deliveries>,
    names: Arc<Names>,
}

/// Maps the host's handles and ids to the application's.
#[derive(Default)]
struct Names {
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    /// Handles of open lines, by device id.
    lines: HashMap<u32, u64>,
    /// Handles of open phones, by device id.
    phones: HashMap<u32, u64>,
    /// Handles of calls, by the host's.
    calls: HashMap<usize, u64>,
    /// Requests that were made, by the host's id.
    requests: HashMap<RequestId, Made>,
    /// Needed for incoming calls; `None` before a line is open.
    host: Option<Weak<LoadedHost>>,
}

/// A request that was made.
struct Made {
    request: Arc<Request>,
    /// What it is about, once that is known.
    about: About,
}

/// What a request is about.
#[derive(Clone, Copy)]
enum About {
    /// A call, 0 as long as it has no handle.
    Call(u64),
    Phone,
}

impl Names {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().even_poisoned()
    }

    /// The observer of the host. For completions and events it is called by one thread at a time;
    /// for a submission it is called on the submitting thread.
    fn observe(&self, deliveries: &Deliveries, traced: &Traced<'_>) {
        match traced {
            Traced::Submitted { id, call, .. } => {
                let mut books = self.books();
                let handle = *books.calls.entry(call.raw()).or_insert_with(registry::next);
                if let Some(made) = books.requests.get_mut(id) {
                    made.about = About::Call(handle);
                }
            }
            Traced::Completed { id, outcome, .. } => {
                self.completed(deliveries, *id, outcome.map_or_else(LineError::raw, |()| 0));
            }
            Traced::PhoneCompleted { id, outcome, .. } => {
                self.completed(deliveries, *id, outcome.map_or_else(PhoneError::raw, |()| 0));
            }
            Traced::Lost { id, .. } => self.lost(deliveries, *id),
            Traced::Event { device_id, event } => self.event(deliveries, *device_id, event),
            Traced::PhoneEvent { device_id, event } => {
                self.phone_event(deliveries, *device_id, event);
            }
            _ => {}
        }
    }

    fn completed(&self, deliveries: &Deliveries, id: RequestId, result: i32) {
        let Some(Made { request, about }) = self.books().requests.remove(&id) else { return };
        let event = match about {
            About::Call(call) => Event::completion(request.line, call, request.id, result),
            About::Phone => Event::phone_completion(request.line, request.id, result),
        };
        deliveries.push(event, Some(request));
    }

    /// The provider has ended without completing it.
    fn lost(&self, deliveries: &Deliveries, id: RequestId) {
        let about = self.books().requests.get(&id).map(|made| made.about);
        let result = match about {
            Some(About::Phone) => PhoneError::OPERATIONFAILED.raw(),
            _ => LineError::OPERATIONFAILED.raw(),
        };
        self.completed(deliveries, id, result);
    }

    fn phone_event(&self, deliveries: &Deliveries, device_id: u32, event: &PhoneEvent) {
        let phone = self.books().phones.get(&device_id).copied();
        if let Some(phone) = phone {
            deliveries.push(Event::of_phone(event, phone), None);
        }
    }

    fn event(&self, deliveries: &Deliveries, device_id: u32, event: &LineEvent) {
        let (line, call, host) = {
            let mut books = self.books();
            let Some(line) = books.lines.get(&device_id).copied() else { return };
            let call = match event.call() {
                None => 0,
                Some(call) => {
                    let is_new = matches!(event, LineEvent::NewCall { .. });
                    let known = books.calls.get(&call.handle().raw()).copied();
                    match known {
                        Some(known) => known,
                        None if is_new => registry::next(),
                        // The application has closed it.
                        None => return,
                    }
                }
            };
            if let LineEvent::NewCall { call: new, .. } = event {
                books.calls.insert(new.handle().raw(), call);
            }
            (line, call, books.host.clone())
        };
        if let LineEvent::NewCall { call: new, .. } = event
            && let Some(host) = host.and_then(|host| host.upgrade())
        {
            CALLS.insert(call, OwnedCall { host, line, call: new.clone() });
        }
        deliveries.push(Event::of(event, line, call), None);
    }
}

/// Why a provider did not start.
pub struct OpenError {
    pub error: LineError,
    pub cause: String,
}

impl From<StartError> for OpenError {
    fn from(error: StartError) -> OpenError {
        OpenError { error: error.error(), cause: error.to_string() }
    }
}

impl LoadedHost {
    /// Starts a loaded provider.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn start(provider: Loaded) -> Result<Arc<LoadedHost>, OpenError> {
        let (names, deliveries) = (Arc::<Names>::default(), Arc::<Deliveries>::default());
        let (observer, told) = (Arc::clone(&names), Arc::clone(&deliveries));
        let trace = move |traced: &Traced<'_>| observer.observe(&told, traced);
        let provider: Arc<dyn Provider> = Arc::new(provider);
        let host = Host::start(provider, HostOptions { trace: Some(Arc::new(trace)) })?;
        let host = Arc::new(LoadedHost { host, deliveries, names });
        host.names.books().host = Some(Arc::downgrade(&host));
        Ok(host)
    }

    /// Opens a line and gives its handle.
    ///
    /// # Errors
    /// As [`Host::open`].
    pub fn open_line(self: &Arc<Self>, device_id: u32) -> Result<u64, LineError> {
        let handle = registry::next();
        {
            let mut books = self.names.books();
            if books.lines.contains_key(&device_id) {
                return Err(LineError::ALLOCATED);
            }
            // Its first event may come before the host has returned.
            books.lines.insert(device_id, handle);
        }
        match self.host.open(device_id) {
            Ok(line) => {
                // The observer gets the events. A subscription whose queue is never read would keep
                // calls alive.
                drop(line.events());
                LINES.insert(handle, OpenLine { host: Arc::clone(self), line });
                Ok(handle)
            }
            Err(error) => {
                self.names.books().lines.remove(&device_id);
                Err(error)
            }
        }
    }

    /// Closes a line: its requests fail, and no event of it follows.
    ///
    /// # Errors
    /// The provider's; OPERATIONFAILED if something is left when the limit has passed. The line is
    /// closed all the same.
    pub fn close_line(&self, handle: u64, line: &OpenLine) -> Result<(), LineError> {
        let closed = line.line.close();
        {
            let mut books = self.names.books();
            books.lines.retain(|_, known| *known != handle);
            let of_line = CALLS.remove_all(|call| call.line == handle);
            books.calls.retain(|_, known| of_line.iter().all(|call| call.0 != *known));
            drop(books);
            drop(of_line);
        }
        requests::forget_unmade(handle);
        let told = self.deliveries.drop_events(handle, None);
        LINES.remove(handle);
        closed?;
        told
    }

    /// Opens a phone and gives its handle.
    ///
    /// # Errors
    /// As [`Host::open_phone`].
    pub fn open_phone(self: &Arc<Self>, device_id: u32) -> Result<u64, LineError> {
        let handle = registry::next();
        {
            let mut books = self.names.books();
            if books.phones.contains_key(&device_id) {
                return Err(of_phones(PhoneError::ALLOCATED));
            }
            // Its first event may come before the host has returned.
            books.phones.insert(device_id, handle);
        }
        match self.host.open_phone(device_id) {
            Ok(phone) => {
                // The observer gets the events.
                drop(phone.events());
                PHONES.insert(handle, OpenPhone { host: Arc::clone(self), phone });
                Ok(handle)
            }
            Err(error) => {
                self.names.books().phones.remove(&device_id);
                Err(of_phones(error))
            }
        }
    }

    /// Closes a phone: its requests fail, and no event of it follows (D10).
    ///
    /// # Errors
    /// As [`close_line`](LoadedHost::close_line).
    pub fn close_phone(&self, handle: u64, phone: &OpenPhone) -> Result<(), LineError> {
        let closed = phone.phone.close();
        self.names.books().phones.retain(|_, known| *known != handle);
        requests::forget_unmade(handle);
        let told = self.deliveries.drop_events(handle, None);
        PHONES.remove(handle);
        closed?;
        told
    }

    /// Closes a call: its requests fail, and no event of it follows.
    ///
    /// # Errors
    /// As [`close_line`](LoadedHost::close_line).
    pub fn close_call(&self, handle: u64, call: &OwnedCall) -> Result<(), LineError> {
        let closed = call.call.close();
        self.names.books().calls.retain(|_, known| *known != handle);
        let told = self.deliveries.drop_events(call.line, Some(handle));
        CALLS.remove(handle);
        closed?;
        told
    }

    /// Notes that a request is about to be made under an id of the host's.
    pub fn making(&self, host_id: RequestId, request: &Arc<Request>) {
        let made = Made { request: Arc::clone(request), about: About::Call(0) };
        self.names.books().requests.insert(host_id, made);
    }

    /// As [`making`](LoadedHost::making), for a request of a phone.
    pub fn making_of_phone(&self, host_id: RequestId, request: &Arc<Request>) {
        let made = Made { request: Arc::clone(request), about: About::Phone };
        self.names.books().requests.insert(host_id, made);
    }

    /// The request was refused; the call that it would have made does not exist.
    pub fn not_made(&self, host_id: RequestId) {
        let mut books = self.names.books();
        if let Some(Made { about: About::Call(call), .. }) = books.requests.remove(&host_id)
            && CALLS.find(call).is_err()
        {
            books.calls.retain(|_, known| *known != call);
        }
    }

    /// The handle of a call that is being made.
    pub fn call_handle(&self, tapi: usize) -> Option<u64> {
        self.names.books().calls.get(&tapi).copied()
    }

    /// Shuts the host down; what is queued can still be dispatched.
    ///
    /// # Errors
    /// As [`Host::shutdown`].
    pub fn shutdown(self: &Arc<Self>) -> Result<(), LineError> {
        let down = self.host.shutdown();
        let of_host = |host: &Arc<LoadedHost>| Arc::ptr_eq(host, self);
        let calls = CALLS.remove_all(|call| of_host(&call.host));
        let lines = LINES.remove_all(|line| of_host(&line.host));
        let phones = PHONES.remove_all(|phone| of_host(&phone.host));
        let handles = lines.iter().map(|line| line.0).chain(phones.iter().map(|phone| phone.0));
        handles.for_each(requests::forget_unmade);
        drop((calls, lines, phones));
        let mut books = self.names.books();
        books.lines.clear();
        books.phones.clear();
        books.calls.clear();
        drop(books);
        Ok(down.map(|_| ())?)
    }

    /// Ends delivery, and drops what is queued.
    ///
    /// # Errors
    /// OPERATIONFAILED if a callback does not return in time.
    pub fn end(&self) -> Result<(), LineError> {
        let ended = self.deliveries.end();
        requests::forget_all(&self.deliveries);
        ended
    }
}
