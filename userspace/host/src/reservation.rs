//! Making requests: an id is taken and its record stored, then the provider is called.

use std::sync::Arc;
use std::time::Duration;

use ringback_request::{ErrorCode, RequestId};
use ringback_tspi::error::LineError;
use ringback_tspi::provider::{Provider, Ticket};
use ringback_tspi::types::HTAPICALL;

use super::asked;
use super::call::Call;
use super::counts::count;
use super::info::CallOptions;
use super::inner::CallInner;
use super::line::Line;
use super::pending::Pending;
use super::record::{Asking, Outlet, Record};
use super::service::Service;

/// The id of a request that is not made yet, from [`Line::reserve`], [`Call::reserve`] or
/// [`Phone::reserve`](super::Phone::reserve).
///
/// The application stores the id and then makes the request by this. As it knows the id already,
/// the completion may be delivered at once, on another thread even before the function that makes
/// the request has returned. Dropping it unused frees the id.
#[must_use = "it has taken an id; make a request by it, or drop it"]
pub struct Reservation<'a, On> {
    pub(super) on: &'a On,
    service: &'a Arc<Service>,
    record: Arc<Record>,
    asked: bool,
}

impl<'a, On> Reservation<'a, On> {
    /// Takes an id; the outcome goes to `outlet`. `known` means that the application has the id, so
    /// that the completion need not be held back.
    pub(super) fn of(
        on: &'a On,
        service: &'a Arc<Service>,
        outlet: Arc<dyn Outlet>,
        known: bool,
    ) -> Reservation<'a, On> {
        asked::enter();
        let record = service.shared.requests.allocate(outlet, known);
        Reservation { on, service, record, asked: false }
    }

    /// The id that the request will have.
    pub fn id(&self) -> RequestId {
        self.record.id
    }

    /// Calls the provider's function under the reserved id; an error frees the id. `making` is the
    /// call that it makes.
    pub(super) fn ask<T, E: Copy + Into<ErrorCode>>(
        mut self,
        function: &'static str,
        call: Option<HTAPICALL>,
        making: Option<Arc<CallInner>>,
        value: T,
        act: impl FnOnce(&dyn Provider, RequestId) -> Result<Ticket, E>,
    ) -> Result<Pending<T, E>, E> {
        self.asked = true;
        let record = Arc::clone(&self.record);
        let service = self.service;
        let shared = &service.shared;
        record.owe();
        record.outlet.asking(record.id, Asking::Submitted { function, call });
        match act(service.provider(), record.id) {
            Ok(ticket) => {
                record.returned();
                // From here on the record holds back early completions, and the provider holds
                // nothing back.
                drop(ticket);
                count(&shared.counters.requests);
                record.outlet.asking(record.id, Asking::Returned);
                if service.is_over() {
                    // The provider was shut down after it had accepted the request.
                    service.lose_all();
                }
                Ok(Pending::new(record, Arc::clone(service), making, value))
            }
            Err(error) => {
                count(&shared.counters.refused);
                record.outlet.asking(record.id, Asking::Refused(error.into()));
                shared.requests.take(record.id, service.id);
                record.refused();
                Err(error)
            }
        }
    }
}

impl<'a> Reservation<'a, Line> {
    pub(super) fn of_line(line: &'a Line, known: bool) -> Reservation<'a, Line> {
        Reservation::of(line, &line.0.inner.service, line.0.outlet(), known)
    }

    /// As [`Line::make_call`].
    ///
    /// # Errors
    /// As [`Line::make_call`].
    pub fn make_call(
        self,
        address: &str,
        options: &CallOptions,
    ) -> Result<Pending<Call>, LineError> {
        let line = &self.on.0.inner;
        let driver = self.on.usable()?;
        let tapi = HTAPICALL::new(line.shared.next_handle()).ok_or(LineError::NOMEM)?;
        let call = CallInner::outgoing(line, Arc::clone(&self.record.outlet), tapi);
        self.record.set_call(tapi, &call.ledger, true);
        let params = options.params(&line.info);
        let address = Some(address).filter(|address| !address.is_empty());
        let making = Some(Arc::clone(&call));
        self.ask("lineMakeCall", Some(tapi), making, Call::held(&call), |provider, id| {
            let country = options.country_code;
            let made = provider.line_make_call(
                id,
                driver.handle(),
                tapi,
                address,
                country,
                params.as_deref(),
            );
            match made {
                Ok((handle, ticket)) => {
                    call.set_driver(handle);
                    Ok(ticket)
                }
                Err(error) => {
                    // N7: a call that was refused is not closed.
                    line.not_made(tapi);
                    Err(error)
                }
            }
        })
    }
}

impl<'a> Reservation<'a, Call> {
    pub(super) fn of_call(call: &'a Call, known: bool) -> Reservation<'a, Call> {
        let CallInner { line, outlet, tapi, ledger, .. } = &*call.inner;
        let reservation = Reservation::of(call, &line.service, Arc::clone(outlet), known);
        reservation.record.set_call(*tapi, ledger, false);
        reservation
    }

    /// As [`Call::dial`].
    ///
    /// # Errors
    /// As [`Call::dial`].
    pub fn dial(self, address: &str) -> Result<Pending<()>, LineError> {
        let (call, driver) = (self.on.handle(), self.on.inner.usable()?);
        self.ask("lineDial", Some(call), None, (), |provider, id| {
            provider.line_dial(id, driver.handle(), address, 0)
        })
    }

    /// As [`Call::answer`].
    ///
    /// # Errors
    /// As [`Call::answer`].
    pub fn answer(self) -> Result<Pending<()>, LineError> {
        let (call, driver) = (self.on, self.on.inner.usable()?);
        self.ask("lineAnswer", Some(call.handle()), None, (), |provider, id| {
            provider.line_answer(id, driver.handle(), &[]).inspect(|_| call.inner.own())
        })
    }

    /// As [`Call::drop_call`].
    ///
    /// # Errors
    /// As [`Call::drop_call`].
    pub fn drop_call(self) -> Result<Pending<()>, LineError> {
        let (call, driver) = (self.on.handle(), self.on.inner.usable()?);
        self.ask("lineDrop", Some(call), None, (), |provider, id| {
            provider.line_drop(id, driver.handle(), &[])
        })
    }

    /// As [`Call::send`].
    ///
    /// # Errors
    /// As [`Call::send`].
    pub fn send(self, bytes: &[u8]) -> Result<Pending<()>, LineError> {
        let (call, driver) = (self.on.handle(), self.on.inner.usable()?);
        self.ask("send", Some(call), None, (), |provider, id| {
            let media = provider.media().ok_or(LineError::OPERATIONUNAVAIL)?;
            media.call_send(id, driver.handle(), bytes)
        })
    }

    /// As [`Call::receive`].
    ///
    /// # Errors
    /// As [`Call::receive`].
    pub fn receive(self, bytes: usize, time_limit: Duration) -> Result<Pending<()>, LineError> {
        let (call, driver) = (self.on.handle(), self.on.inner.usable()?);
        self.ask("receive", Some(call), None, (), |provider, id| {
            let media = provider.media().ok_or(LineError::OPERATIONUNAVAIL)?;
            media.call_receive(id, driver.handle(), bytes, time_limit)
        })
    }
}

impl Line {
    /// Takes the id of a request before it is made, for an application that has to store it first.
    pub fn reserve(&self) -> Reservation<'_, Line> {
        Reservation::of_line(self, true)
    }

    /// Makes a call (TSPI_lineMakeCall). With an empty address it takes the line off-hook, to dial
    /// by [`Call::dial`].
    ///
    /// The request is complete when the call exists, at the latest when dialling begins; its
    /// progress is reported by events. If it fails, the call is dead and needs no [`Call::close`]
    /// (N8).
    ///
    /// The call belongs to the application: when the [`Pending`] and every [`Call`] of it are
    /// dropped, it is hung up. So an application that returns early, for example because the call
    /// took too long, leaves the line free. After [`Pending::release`] it continues.
    ///
    /// # Errors
    /// The request is refused, and has no completion (R4). This includes all errors that are found
    /// without the line, for example an address that can't be dialled (R7).
    pub fn make_call(
        &self,
        address: &str,
        options: &CallOptions,
    ) -> Result<Pending<Call>, LineError> {
        Reservation::of_line(self, false).make_call(address, options).map(Pending::leave)
    }
}

impl Call {
    /// Takes the id of a request before it is made, for an application that has to store it first.
    pub fn reserve(&self) -> Reservation<'_, Call> {
        Reservation::of_call(self, true)
    }

    /// Dials more (TSPI_lineDial); an empty address ends a number that a `;` left incomplete.
    ///
    /// # Errors
    /// The address is refused (R7), or the call is in no state for it.
    pub fn dial(&self, address: &str) -> Result<Pending<()>, LineError> {
        Reservation::of_call(self, false).dial(address).map(Pending::leave)
    }

    /// Answers (TSPI_lineAnswer). From then on the call belongs to the application: it is hung up
    /// when the last `Call` of it is dropped.
    ///
    /// # Errors
    /// INVALCALLSTATE unless the call is offered.
    pub fn answer(&self) -> Result<Pending<()>, LineError> {
        Reservation::of_call(self, false).answer().map(Pending::leave)
    }

    /// Hangs up (TSPI_lineDrop): the call becomes idle, and should then be [closed](Call::close).
    ///
    /// # Errors
    /// INVALCALLSTATE if it is idle already.
    pub fn drop_call(&self) -> Result<Pending<()>, LineError> {
        Reservation::of_call(self, false).drop_call().map(Pending::leave)
    }

    /// Sends bytes to the other modem, on a modem's line. Complete when the last has left.
    ///
    /// # Errors
    /// INVALCALLSTATE without a connection; OPERATIONUNAVAIL on a line without data.
    pub fn send(&self, bytes: &[u8]) -> Result<Pending<()>, LineError> {
        Reservation::of_call(self, false).send(bytes).map(Pending::leave)
    }

    /// Waits until this many bytes have come from the other modem; [`Line::data`] returns them.
    ///
    /// # Errors
    /// As [`send`](Call::send); INVALPARAM for more than 65536 bytes.
    ///
    /// [`Line::data`]: super::Line::data
    pub fn receive(&self, bytes: usize, time_limit: Duration) -> Result<Pending<()>, LineError> {
        Reservation::of_call(self, false).receive(bytes, time_limit).map(Pending::leave)
    }
}

impl<On> Drop for Reservation<'_, On> {
    fn drop(&mut self) {
        if !self.asked {
            self.service.shared.requests.give_back(&self.record);
        }
    }
}

impl<On> std::fmt::Debug for Reservation<'_, On> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reservation").field("id", &self.id()).finish_non_exhaustive()
    }
}
