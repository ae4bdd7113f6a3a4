//! Finds the running card, and the line, device or call of a handle or id.

use std::sync::Arc;

use ringback_driver::reactor;
use ringback_driver::request::{LineNumber, RequestId};
use ringback_lines::{CallHandles, CallNotes, CallSnapshot, Command, LineEngine};
use ringback_tspi::dev_specific::{DevSpecific, LineKind};
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::error::LineError;
use ringback_tspi::provider::Ticket;
use ringback_tspi::types::{HDRVCALL, HTAPICALL, Version};

use super::abilities::{Abilities, ExchangeAbilities, abilities};
use super::card::{LineProvider, Running, refused};
use super::cards::Card;
use super::checks;

/// Makes TAPI's ticket of the reactor's.
pub(super) fn gated(ticket: reactor::Ticket) -> Ticket {
    Ticket::gated(ticket.id(), ticket.into())
}

impl<C: Card> LineProvider<C> {
    /// The running card, for a function that takes a line.
    pub(super) fn for_line(&self) -> Result<Arc<Running<C>>, LineError> {
        self.running(LineError::INVALLINEHANDLE)
    }

    /// The running card and the line of a call, for a function that takes a call TAPI may use.
    pub(super) fn for_call(
        &self,
        call: HDRVCALL,
    ) -> Result<(Arc<Running<C>>, LineNumber), LineError> {
        let running = self.running(LineError::INVALCALLHANDLE)?;
        if !running.calls.knows(call) {
            return Err(LineError::INVALCALLHANDLE);
        }
        let line = CallHandles::line(call).ok_or(LineError::INVALCALLHANDLE)?;
        Ok((running, line))
    }

    /// The kind of a line.
    pub(super) fn kind(&self, line: LineNumber) -> Result<LineKind, LineError> {
        Ok(self.infos.get(line.index()).ok_or(LineError::NODEVICE)?.kind)
    }

    /// What the line of a call that TAPI may use can do.
    pub(super) fn abilities_of(&self, call: HDRVCALL) -> Result<&'static Abilities, LineError> {
        let (_, line) = self.for_call(call)?;
        Ok(abilities(self.kind(line)?))
    }

    /// Refuses a function that no call of a line has, before its parameters are checked.
    pub(super) fn has(&self, line: LineNumber, feature: u32) -> Result<(), LineError> {
        let kind = self.kind(line)?;
        let has = abilities(kind).features & feature != 0
            || kind == LineKind::Fxo && self.exchange(line)?.features & feature != 0;
        if has { Ok(()) } else { Err(LineError::OPERATIONUNAVAIL) }
    }

    /// What the exchange of a line can do.
    pub(super) fn exchange(&self, line: LineNumber) -> Result<ExchangeAbilities, LineError> {
        let running = self.running(LineError::NODRIVER)?;
        let config = running.ask(move |lines, _| Ok(lines.config(line).ok()))?;
        Ok(config.as_ref().map(ExchangeAbilities::of).unwrap_or_default())
    }

    /// The running card and a line by its device id.
    pub(super) fn device(
        &self,
        device_id: u32,
    ) -> Result<(Arc<Running<C>>, LineNumber, &DevSpecific), LineError> {
        let running = self.running(LineError::NODRIVER)?;
        let line = device_id.checked_sub(running.line_device_id_base).map(LineNumber);
        let line = line.ok_or(LineError::NODEVICE)?;
        Ok((running, line, self.infos.get(line.index()).ok_or(LineError::NODEVICE)?))
    }

    /// As [`device`](Self::device), for a function that fills capabilities.
    pub(super) fn for_caps(
        &self,
        device_id: u32,
        version: Version,
        ext_version: u32,
    ) -> Result<&DevSpecific, LineError> {
        let (_, _, info) = self.device(device_id)?;
        checks::version(version)?;
        // There are no extensions, so that the only version of them is 0.
        if ext_version != 0 {
            return Err(LineError::INCOMPATIBLEEXTVERSION);
        }
        Ok(info)
    }

    /// The checked parameters of calls that are made beside another.
    pub(super) fn beside(
        &self,
        call: HDRVCALL,
        params: Option<&[u8]>,
    ) -> Result<(u32, DialTiming, CallNotes), LineError> {
        let (running, line) = self.for_call(call)?;
        let version = running.lines.version(line).ok_or(LineError::INVALCALLHANDLE)?;
        let params = checks::call_params(params, version, self.abilities_of(call)?)?;
        let notes = CallNotes { country: 0, flags: params.flags, data: params.call_data };
        Ok((params.media_mode, checks::timing(&params.dial_params), notes))
    }

    /// Submits a request that makes calls beside another.
    pub(super) fn submit_making(
        &self,
        request: RequestId,
        call: HDRVCALL,
        made: &[(HDRVCALL, HTAPICALL)],
        command: Command,
    ) -> Result<Ticket, LineError> {
        let (running, line) = self.for_call(call)?;
        let open = running.lines.at(line).ok_or(LineError::INVALCALLHANDLE)?;
        for (made, tapi) in made {
            running.calls.making(request, open.tapi, *made, *tapi);
        }
        // N7: if it is refused the handle is dead, and TAPI does not close it.
        self.submit(request, call, command).inspect_err(|error| {
            running.calls.completed(request, Err((*error).into()));
        })
    }

    /// What is known about a call, with the version, the device id and the kind of its line.
    pub(super) fn call(
        &self,
        call: HDRVCALL,
    ) -> Result<(CallSnapshot, Version, u32, &DevSpecific), LineError> {
        let (running, line) = self.for_call(call)?;
        let snapshot = running.ask(move |lines, _| lines.call(call))?;
        let info = self.infos.get(line.index()).ok_or(LineError::INVALCALLHANDLE)?;
        let version = running.lines.version(line).ok_or(LineError::INVALCALLHANDLE)?;
        let device_id = running.line_device_id_base.saturating_add(line.0);
        Ok((snapshot, version, device_id, info))
    }

    /// Submits a request of a call. What no call of its line can do is refused at once.
    pub(super) fn submit(
        &self,
        request: RequestId,
        call: HDRVCALL,
        command: Command,
    ) -> Result<Ticket, LineError> {
        let (running, line) = self.for_call(call)?;
        if let Some(feature) = command.feature() {
            self.has(line, feature)?;
        }
        let ticket = running.handle.submit_as(Some(request), line, command).map_err(refused)?;
        Ok(gated(ticket))
    }
}
