//! The functions that have the exchange of a line follow a code: forward, park, pick up, call back.

use ringback_driver::request::RequestId;
use ringback_lines::{CallHandles, Command};
use ringback_tspi::constants::*;
use ringback_tspi::error::LineError;
use ringback_tspi::late::LateOutput;
use ringback_tspi::provider::Ticket;
use ringback_tspi::types::{HDRVCALL, HDRVLINE, HTAPICALL};

use super::abilities::{ExchangeAbilities, abilities};
use super::card::{LineProvider, refused};
use super::cards::Card;
use super::lookup::gated;
use super::open_devices::OpenLine;
use super::{checks, forwarding};

impl<C: Card> LineProvider<C> {
    /// An open line, and what its exchange can do; refused if that is not this.
    fn serving(
        &self,
        line: HDRVLINE,
        can: impl Fn(&ExchangeAbilities) -> bool,
    ) -> Result<(OpenLine, ExchangeAbilities), LineError> {
        let line = self.for_line()?.line(line)?;
        let exchange = self.exchange(line.number)?;
        if can(&exchange) { Ok((line, exchange)) } else { Err(LineError::OPERATIONUNAVAIL) }
    }

    fn submit_to_line(
        &self,
        request: RequestId,
        line: &OpenLine,
        command: Command,
    ) -> Result<Ticket, LineError> {
        let running = self.for_line()?;
        let ticket = running.handle.submit_as(Some(request), line.number, command);
        Ok(gated(ticket.map_err(refused)?))
    }

    /// TSPI_lineForward.
    pub(super) fn forward(
        &self,
        request: RequestId,
        line: HDRVLINE,
        address_id: Option<u32>,
        list: Option<&[u8]>,
    ) -> Result<Ticket, LineError> {
        let (line, exchange) = self.serving(line, |exchange| exchange.forward_modes != 0)?;
        address_id.map_or(Ok(()), checks::address_id)?;
        let can = abilities(self.kind(line.number)?);
        let forwards = forwarding::read(list, can, exchange.forward_modes)?;
        let command = Command::Forward { line: line.number, opening: line.opening, forwards };
        self.submit_to_line(request, &line, command)
    }

    /// TSPI_lineUncompleteCall.
    pub(super) fn uncomplete_call(
        &self,
        request: RequestId,
        line: HDRVLINE,
        completion: u32,
    ) -> Result<Ticket, LineError> {
        let can = |exchange: &ExchangeAbilities| {
            exchange.address_features & LINEADDRFEATURE_UNCOMPLETECALL != 0
        };
        let (line, _) = self.serving(line, can)?;
        let (number, opening) = (line.number, line.opening);
        let command = Command::UncompleteCall { line: number, opening, completion };
        self.submit_to_line(request, &line, command)
    }

    /// TSPI_lineCompleteCall. The completion id is the call's own.
    pub(super) fn complete_call(
        &self,
        request: RequestId,
        call: HDRVCALL,
        id: &LateOutput,
        mode: u32,
    ) -> Result<Ticket, LineError> {
        let (_, line) = self.for_call(call)?;
        self.has(line, LINECALLFEATURE_COMPLETECALL)?;
        if mode != LINECALLCOMPLMODE_CALLBACK {
            return Err(LineError::INVALCALLCOMPLMODE);
        }
        let completion = CallHandles::serial(call);
        // C13: it is written before completion, and what a refused function has written is void.
        id.write(&completion.to_le_bytes());
        self.submit(request, call, Command::CompleteCall { call, completion })
    }

    /// TSPI_linePark, to a place that the application names: the exchange tells of none.
    pub(super) fn park(
        &self,
        request: RequestId,
        call: HDRVCALL,
        mode: u32,
        place: Option<&str>,
    ) -> Result<Ticket, LineError> {
        let (_, line) = self.for_call(call)?;
        self.has(line, LINECALLFEATURE_PARK)?;
        if mode != LINEPARKMODE_DIRECTED {
            return Err(LineError::INVALPARKMODE);
        }
        let place = forwarding::number(place.unwrap_or_default(), 0, self.abilities_of(call)?)?;
        self.submit(request, call, Command::Park { call, place })
    }

    /// TSPI_lineUnpark.
    pub(super) fn unpark(
        &self,
        request: RequestId,
        line: HDRVLINE,
        address_id: u32,
        call: HTAPICALL,
        place: &str,
    ) -> Result<(HDRVCALL, Ticket), LineError> {
        let can =
            |exchange: &ExchangeAbilities| exchange.address_features & LINEADDRFEATURE_UNPARK != 0;
        let (line, _) = self.serving(line, can)?;
        checks::address_id(address_id)?;
        let place = forwarding::number(place, 0, abilities(self.kind(line.number)?))?;
        let opening = line.opening;
        self.fetch(request, &line, call, |call| Command::Unpark { opening, call, place })
    }

    /// TSPI_linePickup: of a number, or of any.
    pub(super) fn pick_up(
        &self,
        request: RequestId,
        line: HDRVLINE,
        address_id: u32,
        call: HTAPICALL,
        number: Option<&str>,
        group: Option<&str>,
    ) -> Result<(HDRVCALL, Ticket), LineError> {
        let number = number.filter(|number| !number.is_empty());
        let feature = match number {
            Some(_) => LINEADDRFEATURE_PICKUPDIRECT,
            None => LINEADDRFEATURE_PICKUPGROUP,
        };
        let can = |exchange: &ExchangeAbilities| exchange.address_features & feature != 0;
        let (line, _) = self.serving(line, can)?;
        checks::address_id(address_id)?;
        // Which groups there are is the exchange's own affair: PICKUPGROUPID is not announced.
        if group.is_some_and(|group| !group.is_empty()) {
            return Err(LineError::INVALGROUPID);
        }
        let own = abilities(self.kind(line.number)?);
        let number = number.map(|number| forwarding::number(number, 0, own)).transpose()?;
        let opening = line.opening;
        self.fetch(request, &line, call, |call| Command::PickUp { opening, call, number })
    }

    /// Submits a request that makes a call of the line.
    fn fetch(
        &self,
        request: RequestId,
        line: &OpenLine,
        tapi: HTAPICALL,
        command: impl FnOnce(HDRVCALL) -> Command,
    ) -> Result<(HDRVCALL, Ticket), LineError> {
        let running = self.for_line()?;
        let call = running.handles.next(line.number).ok_or(LineError::NOMEM)?;
        running.calls.making(request, line.tapi, call, tapi);
        let ticket = self.submit_to_line(request, line, command(call)).inspect_err(|error| {
            // N7: the handle is dead, and TAPI does not close it.
            running.calls.completed(request, Err((*error).into()));
        })?;
        Ok((call, ticket))
    }
}
