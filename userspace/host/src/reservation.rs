//! Making requests: an id is taken and its record stored, then the provider is called.

use std::sync::Arc;
use std::time::Duration;

use ringback_request::RequestId;
use ringback_tspi::clock;
use ringback_tspi::error::LineError;
use ringback_tspi::provider::{Provider, Ticket};
use ringback_tspi::types::HTAPICALL;

use super::life::CallInner;
use super::line::LineInner;
use super::requests::Record;
use super::trace::{Traced, count};
use super::{Call, CallOptions, Line, Pending, asked};

/// The id of a request that is not made yet, from [`Line::reserve`] or [`Call::reserve`].
///
/// The application stores the id and then makes the request by this. As it knows the id already,
/// the completion may be delivered at once, on another thread even before the function that makes
/// the request has returned. Dropping it unused gives the id back.
#[must_use = "it has taken an id; make a request by it, or drop it"]
pub struct Reservation<'a, On> {
    on: &'a On,
    line: &'a Arc<LineInner>,
    record: Arc<Record>,
    asked: bool,
}

impl<On> Reservation<'_, On> {
    /// The id that the request will have.
    pub fn id(&self) -> RequestId {
        self.record.id
    }

    /// Calls the provider's function under the reserved id; an error gives the id back.
    fn ask<T>(
        mut self,
        function: &'static str,
        call: HTAPICALL,
        value: T,
        act: impl FnOnce(&dyn Provider, RequestId) -> Result<Ticket, LineError>,
    ) -> Result<Pending<T>, LineError> {
        self.asked = true;
        let record = Arc::clone(&self.record);
        let LineInner { shared, info, .. } = &**self.line;
        let id = record.id.get();
        record.owe();
        let at = clock::now();
        shared.trace(&Traced::Submitted { id, function, device_id: info.device_id, call, at });
        match act(&*shared.provider, record.id) {
            Ok(ticket) => {
                record.returned();
                // From here on the record holds back early completions, and the provider holds
                // nothing back.
                drop(ticket);
                count(&shared.counters.requests);
                shared.trace(&Traced::Returned { id, at: clock::now() });
                if shared.is_over() {
                    // The provider was shut down after it had accepted the request.
                    shared.lose_all();
                }
                Ok(Pending::new(record, value))
            }
            Err(error) => {
                count(&shared.counters.refused);
                shared.trace(&Traced::Refused { id, error, at: clock::now() });
                shared.requests.take(id);
                record.refused();
                Err(error)
            }
        }
    }
}

impl<'a> Reservation<'a, Line> {
    /// `known` says that the application has the id and need not be protected from being overtaken.
    pub(super) fn of_line(line: &'a Line, known: bool) -> Reservation<'a, Line> {
        asked::enter();
        let record = line.0.shared.requests.allocate(&line.0, known);
        Reservation { on: line, line: &line.0, record, asked: false }
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
        let line = self.line;
        let driver = self.on.usable()?;
        let tapi = HTAPICALL::new(line.shared.next_handle()).ok_or(LineError::NOMEM)?;
        let call = Arc::new(CallInner::outgoing(line, tapi));
        self.record.set_call(&call, true);
        line.remember(&call);
        let params = options.params(&line.info);
        let address = Some(address).filter(|address| !address.is_empty());
        let made = self.ask("lineMakeCall", tapi, Call::held(&call), |provider, id| {
            let country = options.country_code;
            let made =
                provider.line_make_call(id, driver, tapi, address, country, params.as_deref());
            match made {
                Ok((handle, ticket)) => {
                    call.set_driver(handle);
                    Ok(ticket)
                }
                Err(error) => {
                    // N7: it needs no closing.
                    call.kill();
                    Err(error)
                }
            }
        });
        if made.is_err() {
            line.forget(tapi);
        }
        made
    }
}

impl<'a> Reservation<'a, Call> {
    pub(super) fn of_call(call: &'a Call, known: bool) -> Reservation<'a, Call> {
        asked::enter();
        let line = &call.inner.line;
        let record = line.shared.requests.allocate(line, known);
        record.set_call(&call.inner, false);
        Reservation { on: call, line, record, asked: false }
    }

    /// As [`Call::dial`].
    ///
    /// # Errors
    /// As [`Call::dial`].
    pub fn dial(self, address: &str) -> Result<Pending<()>, LineError> {
        let (call, driver) = (self.on.handle(), self.on.inner.usable()?);
        self.ask("lineDial", call, (), |provider, id| provider.line_dial(id, driver, address, 0))
    }

    /// As [`Call::answer`].
    ///
    /// # Errors
    /// As [`Call::answer`].
    pub fn answer(self) -> Result<Pending<()>, LineError> {
        let (call, driver) = (self.on, self.on.inner.usable()?);
        self.ask("lineAnswer", call.handle(), (), |provider, id| {
            provider.line_answer(id, driver, &[]).inspect(|_| call.inner.own())
        })
    }

    /// As [`Call::drop_call`].
    ///
    /// # Errors
    /// As [`Call::drop_call`].
    pub fn drop_call(self) -> Result<Pending<()>, LineError> {
        let (call, driver) = (self.on.handle(), self.on.inner.usable()?);
        self.ask("lineDrop", call, (), |provider, id| provider.line_drop(id, driver, &[]))
    }

    /// As [`Call::send`].
    ///
    /// # Errors
    /// As [`Call::send`].
    pub fn send(self, bytes: &[u8]) -> Result<Pending<()>, LineError> {
        let (call, driver) = (self.on.handle(), self.on.inner.usable()?);
        self.ask("send", call, (), |provider, id| {
            let media = provider.media().ok_or(LineError::OPERATIONUNAVAIL)?;
            media.call_send(id, driver, bytes)
        })
    }

    /// As [`Call::receive`].
    ///
    /// # Errors
    /// As [`Call::receive`].
    pub fn receive(self, bytes: usize, time_limit: Duration) -> Result<Pending<()>, LineError> {
        let (call, driver) = (self.on.handle(), self.on.inner.usable()?);
        self.ask("receive", call, (), |provider, id| {
            let media = provider.media().ok_or(LineError::OPERATIONUNAVAIL)?;
            media.call_receive(id, driver, bytes, time_limit)
        })
    }
}

impl<On> Drop for Reservation<'_, On> {
    fn drop(&mut self) {
        if !self.asked {
            self.line.shared.requests.give_back(&self.record);
        }
    }
}

impl<On> std::fmt::Debug for Reservation<'_, On> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reservation").field("id", &self.id()).finish_non_exhaustive()
    }
}
