//! The functions of a card's provider.

use std::time::Duration;

use ringback_driver::reactor;
use ringback_driver::request::RequestId;
use ringback_lines::{CallHandles, CallSnapshot, Command, LineEngine};
use ringback_tspi::constants::*;
use ringback_tspi::dev_specific::{DevSpecific, LineKind};
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::error::LineError;
use ringback_tspi::media::{Audio, Data};
use ringback_tspi::provider::{
    Control, Devices, InProcess, Init, Media, Provider, Runner, Tapi, Ticket,
};
use ringback_tspi::types::{HDRVCALL, HDRVLINE, HTAPICALL, HTAPILINE, Version};

use super::abilities::{Abilities, abilities};
use super::card::{LineProvider, Running, refused};
use super::cards::Card;
use super::{SlotReport, checks, fill};
use crate::Slots;

/// Makes TAPI's ticket of the reactor's.
fn gated(ticket: reactor::Ticket) -> Ticket {
    Ticket::gated(ticket.id(), ticket.into())
}

impl<C: Card> LineProvider<C> {
    /// The running card, for a function that takes a line.
    fn for_line(&self) -> Result<std::sync::Arc<Running<C>>, LineError> {
        self.running(LineError::INVALLINEHANDLE)
    }

    /// The running card and the line of a call, for a function that takes a call TAPI may use.
    fn for_call(&self, call: HDRVCALL) -> Result<(std::sync::Arc<Running<C>>, usize), LineError> {
        let running = self.running(LineError::INVALCALLHANDLE)?;
        if !running.calls.knows(call) {
            return Err(LineError::INVALCALLHANDLE);
        }
        let line = CallHandles::line(call).ok_or(LineError::INVALCALLHANDLE)?;
        Ok((running, line))
    }

    /// What a line is made of.
    fn kind(&self, line: usize) -> Result<LineKind, LineError> {
        Ok(self.infos.get(line).ok_or(LineError::NODEVICE)?.kind)
    }

    /// What the line of a call that TAPI may use can do.
    fn abilities_of(&self, call: HDRVCALL) -> Result<&'static Abilities, LineError> {
        let (_, line) = self.for_call(call)?;
        Ok(abilities(self.kind(line)?))
    }

    /// The running card and a line by its device id.
    fn device(
        &self,
        device_id: u32,
    ) -> Result<(std::sync::Arc<Running<C>>, usize, &DevSpecific), LineError> {
        let running = self.running(LineError::NODRIVER)?;
        let index = device_id.checked_sub(running.line_device_id_base);
        let index = index.and_then(|index| usize::try_from(index).ok());
        let index = index.ok_or(LineError::NODEVICE)?;
        Ok((running, index, self.infos.get(index).ok_or(LineError::NODEVICE)?))
    }

    /// As [`device`](Self::device), for a function that fills capabilities.
    fn for_caps(
        &self,
        device_id: u32,
        version: Version,
        ext_version: u32,
    ) -> Result<&DevSpecific, LineError> {
        let (_, _, info) = self.device(device_id)?;
        checks::version(version)?;
        // There are no extensions, so there is no version of them but 0.
        if ext_version != 0 {
            return Err(LineError::INCOMPATIBLEEXTVERSION);
        }
        Ok(info)
    }

    /// What is known of a call, with the version of its line, its line's device id and kind.
    fn call(
        &self,
        call: HDRVCALL,
    ) -> Result<(CallSnapshot, Version, u32, &DevSpecific), LineError> {
        let (running, line) = self.for_call(call)?;
        let snapshot = running.ask(move |lines, _| lines.call(call))?;
        let info = self.infos.get(line).ok_or(LineError::INVALCALLHANDLE)?;
        let version = running.lines.version(line).ok_or(LineError::INVALCALLHANDLE)?;
        let index = u32::try_from(line).unwrap_or(u32::MAX);
        Ok((snapshot, version, running.line_device_id_base.saturating_add(index), info))
    }

    /// Submits a request of a call.
    fn submit(
        &self,
        request: RequestId,
        call: HDRVCALL,
        command: Command,
    ) -> Result<Ticket, LineError> {
        let (running, line) = self.for_call(call)?;
        let ticket = running.handle.submit_as(Some(request), line, command).map_err(refused)?;
        Ok(gated(ticket))
    }
}

impl<C: Card> Provider for LineProvider<C> {
    fn line_negotiate_tspi_version(
        &self,
        device_id: u32,
        low: u32,
        high: u32,
    ) -> Result<Version, LineError> {
        if device_id != INITIALIZE_NEGOTIATION {
            self.device(device_id)?;
        }
        Version::negotiate(low, high)
    }

    fn provider_enum_devices(&self, _: u32) -> Result<Devices, LineError> {
        Ok(Devices { lines: u32::try_from(self.infos.len()).unwrap_or(u32::MAX), phones: 0 })
    }

    fn provider_init(&self, init: Init, tapi: Box<dyn Tapi>) -> Result<u32, LineError> {
        self.init(init, tapi)
    }

    fn provider_shutdown(&self, version: Version, _: u32) -> Result<(), LineError> {
        checks::version(version)?;
        self.shutdown()
    }

    fn line_open(
        &self,
        device_id: u32,
        line: HTAPILINE,
        version: Version,
    ) -> Result<HDRVLINE, LineError> {
        let (running, index, _) = self.device(device_id)?;
        checks::version(version)?;
        let opening = running.ask(move |lines, cx| lines.open(index, line, cx))?;
        running.lines.opened(index, line, opening, version)
    }

    fn line_close(&self, line: HDRVLINE) -> Result<(), LineError> {
        let running = self.for_line()?;
        let line = running.lines.take(line)?;
        // A line that the engine has closed by itself is closed all the same.
        let _ = running.handle.with(move |lines, cx| lines.close(line.index, cx));
        let settled = running.settle(line.index);
        running.calls.line_closed(line.tapi);
        settled
    }

    fn line_get_dev_caps(
        &self,
        device_id: u32,
        version: Version,
        ext_version: u32,
        caps: &mut [u8],
    ) -> Result<(), LineError> {
        let info = self.for_caps(device_id, version, ext_version)?;
        fill::dev_caps(caps, version, &self.name, info)
    }

    fn line_get_address_caps(
        &self,
        device_id: u32,
        address_id: u32,
        version: Version,
        ext_version: u32,
        caps: &mut [u8],
    ) -> Result<(), LineError> {
        let info = self.for_caps(device_id, version, ext_version)?;
        if address_id != 0 {
            return Err(LineError::INVALADDRESSID);
        }
        fill::address_caps(caps, version, device_id, info)
    }

    fn line_get_num_address_ids(&self, line: HDRVLINE) -> Result<u32, LineError> {
        self.for_line()?.line(line)?;
        Ok(1)
    }

    fn line_get_line_dev_status(&self, line: HDRVLINE, status: &mut [u8]) -> Result<(), LineError> {
        let running = self.for_line()?;
        let line = running.line(line)?;
        let state =
            running.ask(move |lines, _| lines.state(line.index).ok_or(LineError::NODEVICE))?;
        fill::line_dev_status(status, line.version, self.kind(line.index)?, &state)
    }

    fn line_make_call(
        &self,
        request: RequestId,
        line: HDRVLINE,
        call: HTAPICALL,
        address: Option<&str>,
        country_code: u32,
        params: Option<&[u8]>,
    ) -> Result<(HDRVCALL, Ticket), LineError> {
        let running = self.for_line()?;
        let line = running.line(line)?;
        let can = abilities(self.kind(line.index)?);
        let params = checks::call_params(params, line.version, can)?;
        let address = checks::address(address.unwrap_or_default(), country_code, can)?;
        let driver_call = running.handles.next(line.index).ok_or(LineError::NOMEM)?;
        let command = match params.bearer_mode {
            LINEBEARERMODE_PASSTHROUGH => {
                let opening = line.opening;
                Command::PassThrough { opening, call: driver_call, media: params.media_mode }
            }
            _ => Command::MakeCall {
                opening: line.opening,
                call: driver_call,
                called: address.digits(),
                address,
                only_if_idle: params.flags & LINECALLPARAMFLAGS_IDLE != 0,
                media: params.media_mode,
                timing: checks::timing(&params.dial_params),
            },
        };
        running.calls.making(request.get(), line.tapi, driver_call, call);
        match running.handle.submit_as(Some(request), line.index, command) {
            Ok(ticket) => Ok((driver_call, gated(ticket))),
            Err(error) => {
                // N7: the handle is dead, and TAPI does not close it.
                let error = refused(error);
                running.calls.completed(request.get(), error.raw());
                Err(error)
            }
        }
    }

    fn line_dial(
        &self,
        request: RequestId,
        call: HDRVCALL,
        address: &str,
        country_code: u32,
    ) -> Result<Ticket, LineError> {
        let address = checks::address(address, country_code, self.abilities_of(call)?)?;
        self.submit(request, call, Command::Dial { call, address })
    }

    fn line_answer(
        &self,
        request: RequestId,
        call: HDRVCALL,
        user_user_info: &[u8],
    ) -> Result<Ticket, LineError> {
        checks::user_user_info(user_user_info)?;
        self.submit(request, call, Command::Answer { call })
    }

    fn line_drop(
        &self,
        request: RequestId,
        call: HDRVCALL,
        user_user_info: &[u8],
    ) -> Result<Ticket, LineError> {
        checks::user_user_info(user_user_info)?;
        self.submit(request, call, Command::Drop { call })
    }

    fn line_close_call(&self, call: HDRVCALL) -> Result<(), LineError> {
        let running = self.running(LineError::INVALCALLHANDLE)?;
        // If the lines have failed, nothing is left to end, and nothing more is delivered.
        running.handle.with(move |lines, cx| lines.close_call(call, cx)).unwrap_or(Ok(()))?;
        let settled = CallHandles::line(call).map_or(Ok(()), |line| running.settle(line));
        running.calls.closed(call);
        settled
    }

    fn line_get_call_address_id(&self, call: HDRVCALL) -> Result<u32, LineError> {
        self.for_call(call)?;
        Ok(0)
    }

    fn line_get_call_info(&self, call: HDRVCALL, info: &mut [u8]) -> Result<(), LineError> {
        let (snapshot, version, device_id, port) = self.call(call)?;
        fill::call_info(info, version, device_id, port.kind, &snapshot)
    }

    fn line_get_call_status(&self, call: HDRVCALL, status: &mut [u8]) -> Result<(), LineError> {
        let (snapshot, version, ..) = self.call(call)?;
        fill::call_status(status, version, &snapshot)
    }

    fn line_generate_digits(
        &self,
        call: HDRVCALL,
        end_to_end_id: u32,
        digit_mode: u32,
        digits: Option<&str>,
        duration: u32,
    ) -> Result<(), LineError> {
        let (running, _) = self.for_call(call)?;
        if digits.is_some() && digit_mode != LINEDIGITMODE_DTMF {
            return Err(LineError::INVALDIGITMODE);
        }
        let digits = digits.map(checks::digits);
        let timing = DialTiming { digit_ms: duration, ..DialTiming::default() }.clamped();
        running.ask(move |lines, cx| {
            lines.generate_digits(call, end_to_end_id, digits.as_deref(), timing, cx)
        })
    }

    fn line_monitor_digits(&self, call: HDRVCALL, digit_modes: u32) -> Result<(), LineError> {
        let (running, _) = self.for_call(call)?;
        running.ask(move |lines, _| lines.monitor_digits(call, digit_modes))
    }
}

impl<C: Card> InProcess for LineProvider<C> {
    fn media(&self) -> Option<&dyn Media> {
        Some(self)
    }

    fn control(&self) -> Option<&dyn Control> {
        Some(self)
    }
}

impl<C: Card> Media for LineProvider<C> {
    fn line_audio(&self, line: HDRVLINE) -> Option<Audio> {
        let running = self.for_line().ok()?;
        let line = running.line(line).ok()?;
        running.handle.with(move |lines, _| lines.audio(line.index)).ok().flatten()
    }

    fn line_data(&self, line: HDRVLINE) -> Option<Data> {
        let running = self.for_line().ok()?;
        let line = running.line(line).ok()?;
        running.handle.with(move |lines, _| lines.data(line.index)).ok().flatten()
    }

    fn call_send(
        &self,
        request: RequestId,
        call: HDRVCALL,
        bytes: &[u8],
    ) -> Result<Ticket, LineError> {
        self.submit(request, call, Command::Send { call, bytes: bytes.to_vec() })
    }

    fn call_receive(
        &self,
        request: RequestId,
        call: HDRVCALL,
        bytes: usize,
        time_limit: Duration,
    ) -> Result<Ticket, LineError> {
        self.submit(request, call, Command::Receive { call, bytes, time_limit })
    }
}

impl<C: Card> Slots for LineProvider<C> {
    fn slots(&self) -> Vec<SlotReport> {
        let Ok(running) = self.running(LineError::NODRIVER) else { return Vec::new() };
        let base = running.line_device_id_base;
        running.ask(move |lines, _| Ok(C::slot_reports(lines, base))).unwrap_or_default()
    }
}

impl<C: Card> Control for LineProvider<C> {
    fn provider_init_local(
        &self,
        init: Init,
        tapi: Box<dyn Tapi>,
    ) -> Result<(u32, Box<dyn Runner>), LineError> {
        self.init_local(init, tapi)
    }

    fn failure_text(&self) -> Option<String> {
        self.failure_text()
    }

    fn cancel(&self, request: RequestId) -> bool {
        self.running(LineError::NODRIVER).is_ok_and(|running| running.handle.cancel_id(request))
    }
}
