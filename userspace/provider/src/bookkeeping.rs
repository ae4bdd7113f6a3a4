//! The functions that only store or return data, which real applications call before their first
//! call.

use ringback_driver::request::RequestId;
use ringback_lines::{CallNotes, Command, LineEngine};
use ringback_tspi::constants::*;
use ringback_tspi::dev_specific::LineKind;
use ringback_tspi::error::LineError;
use ringback_tspi::provider::Ticket;
use ringback_tspi::structs::{LINEDIALPARAMS, VARSTRING, Writer};
use ringback_tspi::types::{HDRVCALL, HDRVLINE, Version};

use super::abilities::abilities;
use super::card::{LineProvider, refused};
use super::cards::Card;
use super::device_class::{CLASS_LINE, CLASS_MODEM, CLASS_PHONE, classes, is_class};
use super::lookup::gated;
use super::{checks, config, fill};

impl<C: Card> LineProvider<C> {
    // Lines

    /// TSPI_lineGetAddressID. A plain line does not know its own number, so no number is its own.
    pub(super) fn address_id(&self, line: HDRVLINE) -> Result<u32, LineError> {
        self.for_line()?.line(line)?;
        Err(LineError::INVALADDRESS)
    }

    /// TSPI_lineGetAddressStatus.
    pub(super) fn address_status(
        &self,
        line: HDRVLINE,
        address_id: u32,
        status: &mut [u8],
    ) -> Result<(), LineError> {
        let running = self.for_line()?;
        let line = running.line(line)?;
        checks::address_id(address_id)?;
        let state =
            running.ask(move |lines, _| lines.state(line.number).ok_or(LineError::NODEVICE))?;
        fill::address_status(status, line.version, &self.exchange(line.number)?, &state)
    }

    /// TSPI_lineGetIcon: none, so that TAPI uses its own.
    pub(super) fn icon(&self, device_id: u32, class: &str) -> Result<usize, LineError> {
        let (_, _, info) = self.device(device_id)?;
        let known = class.is_empty() || classes(info.kind).iter().any(|name| is_class(class, name));
        if known { Ok(0) } else { Err(LineError::INVALDEVICECLASS) }
    }

    /// TSPI_lineGetID: the device of a class that belongs to a line, its address or a call. A line
    /// or phone is identified by its device id, and a modem by the name of the device that it is
    /// behind.
    ///
    /// It never creates a handle for another process: only one program at a time can have the
    /// device, and samples and data are not files of the system.
    pub(super) fn device_of_class(
        &self,
        line: HDRVLINE,
        address_id: u32,
        call: Option<HDRVCALL>,
        select: u32,
        device: &mut [u8],
        class: &str,
    ) -> Result<(), LineError> {
        let (running, number, version) = if select == LINECALLSELECT_CALL {
            let call = call.ok_or(LineError::INVALCALLHANDLE)?;
            let (running, number) = self.for_call(call)?;
            let version = running.lines.version(number).ok_or(LineError::INVALCALLHANDLE)?;
            (running, number, version)
        } else {
            let running = self.for_line()?;
            let line = running.line(line)?;
            if select == LINECALLSELECT_ADDRESS {
                checks::address_id(address_id)?;
            }
            (running, line.number, line.version)
        };
        let classes = classes(self.kind(number)?);
        let found = classes.iter().find(|name| is_class(class, name));
        let class = *found.ok_or(LineError::INVALDEVICECLASS)?;
        let mut out = Writer::<VARSTRING>::new(device, version)?;
        if class == CLASS_MODEM {
            out.set(VARSTRING::dwStringFormat, STRINGFORMAT_UNICODE)
                .string(VARSTRING::dwString, &self.name);
        } else {
            let id = match class {
                CLASS_PHONE => self.phone_id(&running, number).ok_or(LineError::NODEVICE)?,
                _ => running.line_device_id_base.saturating_add(number.0),
            };
            out.set(VARSTRING::dwStringFormat, STRINGFORMAT_BINARY)
                .item(VARSTRING::dwString, &id.to_le_bytes());
        }
        Ok(())
    }

    /// TSPI_lineSetStatusMessages. Messages that are never sent are accepted as well.
    pub(super) fn status_messages(
        &self,
        line: HDRVLINE,
        line_states: u32,
        address_states: u32,
    ) -> Result<(), LineError> {
        let running = self.for_line()?;
        let line = running.line(line)?;
        if line_states & !LINEDEVSTATE.mask() != 0 {
            return Err(LineError::INVALLINESTATE);
        }
        if address_states & !LINEADDRESSSTATE.mask() != 0 {
            return Err(LineError::INVALADDRESSSTATE);
        }
        running.ask(move |lines, _| {
            let book = lines.book_of(line.number, line.opening)?;
            book.set_status_messages(line_states, address_states);
            Ok(())
        })
    }

    /// TSPI_lineSetDefaultMediaDetection.
    pub(super) fn default_media_detection(
        &self,
        line: HDRVLINE,
        modes: u32,
    ) -> Result<(), LineError> {
        let running = self.for_line()?;
        let line = running.line(line)?;
        let can = abilities(self.kind(line.number)?);
        if modes & !(can.media | LINEMEDIAMODE_UNKNOWN) != 0 {
            return Err(LineError::INVALMEDIAMODE);
        }
        running.ask(move |lines, _| {
            lines.book_of(line.number, line.opening)?.set_default_media_detection(modes);
            Ok(())
        })
    }

    /// TSPI_lineConditionalMediaDetection: whether such calls could come in, and such a call be
    /// made.
    pub(super) fn conditional_media_detection(
        &self,
        line: HDRVLINE,
        modes: u32,
        params: Option<&[u8]>,
    ) -> Result<(), LineError> {
        let running = self.for_line()?;
        let line = running.line(line)?;
        let can = abilities(self.kind(line.number)?);
        if modes & !(can.media | LINEMEDIAMODE_UNKNOWN) != 0 {
            return Err(LineError::INVALMEDIAMODE);
        }
        checks::call_params(params, line.version, can).map_err(|error| match error {
            LineError::INVALMEDIAMODE => error,
            // The function's page has no other error for what the line can't do.
            _ => LineError::OPERATIONUNAVAIL,
        })?;
        let state =
            running.ask(move |lines, _| lines.state(line.number).ok_or(LineError::NODEVICE))?;
        if state.takes_call { Ok(()) } else { Err(LineError::RESOURCEUNAVAIL) }
    }

    /// TSPI_lineSetLineDevStatus. Whether a line is connected can't be set.
    pub(super) fn set_line_dev_status(
        &self,
        request: RequestId,
        line: HDRVLINE,
        bits: u32,
        on: bool,
    ) -> Result<Ticket, LineError> {
        let running = self.for_line()?;
        let line = running.line(line)?;
        let settable = abilities(self.kind(line.number)?).settable_status;
        if bits == 0 || bits & !settable != 0 {
            return Err(LineError::INVALPARAM);
        }
        let (number, opening) = (line.number, line.opening);
        let command = Command::SetLineDevStatus { line: number, opening, bits, on };
        Ok(gated(running.handle.submit_as(Some(request), number, command).map_err(refused)?))
    }

    // Configuration

    /// Refuses a class whose devices have no configuration on this line.
    fn check_config_class(kind: LineKind, class: &str) -> Result<(), LineError> {
        let own = match kind {
            LineKind::Fxo | LineKind::Fxs => CLASS_LINE,
            LineKind::Modem => CLASS_MODEM,
        };
        if is_class(class, own) { Ok(()) } else { Err(LineError::INVALDEVICECLASS) }
    }

    /// TSPI_lineGetDevConfig.
    pub(super) fn device_config(
        &self,
        device_id: u32,
        block: &mut [u8],
        class: &str,
    ) -> Result<(), LineError> {
        let (running, number, info) = self.device(device_id)?;
        Self::check_config_class(info.kind, class)?;
        let config = running.ask(move |lines, _| lines.config(number))?;
        // The device need not be open, so no version is committed; the structure is the same in
        // all.
        let mut out = Writer::<VARSTRING>::new(block, Version::V2_0)?;
        out.set(VARSTRING::dwStringFormat, STRINGFORMAT_BINARY)
            .item(VARSTRING::dwString, &config::config_block(&config));
        Ok(())
    }

    /// TSPI_lineSetDevConfig.
    pub(super) fn set_device_config(
        &self,
        device_id: u32,
        block: &[u8],
        class: &str,
    ) -> Result<(), LineError> {
        let (running, number, info) = self.device(device_id)?;
        Self::check_config_class(info.kind, class)?;
        let config = config::read(block)?;
        running.ask(move |lines, cx| {
            let before = lines.config(number)?;
            let other = config.profile() != before.profile();
            lines.set_config(number, config)?;
            if other {
                let book = lines.book(number).ok_or(LineError::NODEVICE)?;
                book.abilities_changed(cx);
            }
            Ok(())
        })
    }

    // Calls

    /// TSPI_lineSetAppSpecific.
    pub(super) fn set_app_specific(&self, call: HDRVCALL, number: u32) -> Result<(), LineError> {
        let (running, line) = self.for_call(call)?;
        running.ask(move |lines, cx| {
            let book = lines.book(line).ok_or(LineError::INVALCALLHANDLE)?;
            book.set_app_specific(cx, call, number)
        })
    }

    /// TSPI_lineSetMediaMode.
    pub(super) fn set_media_mode(&self, call: HDRVCALL, modes: u32) -> Result<(), LineError> {
        let (running, line) = self.for_call(call)?;
        checks::media_modes(modes, abilities(self.kind(line)?).media)?;
        running.ask(move |lines, cx| {
            let book = lines.book(line).ok_or(LineError::INVALCALLHANDLE)?;
            book.set_media_mode(cx, call, modes)
        })
    }

    /// TSPI_lineSetCallData.
    pub(super) fn set_call_data(
        &self,
        request: RequestId,
        call: HDRVCALL,
        data: &[u8],
    ) -> Result<Ticket, LineError> {
        if data.len() > CallNotes::MOST_DATA {
            return Err(LineError::INVALPARAM);
        }
        self.submit(request, call, Command::SetCallData { call, data: data.to_vec() })
    }

    /// TSPI_lineSetCallParams. A call keeps the bearer mode with which it was made.
    pub(super) fn set_call_params(
        &self,
        request: RequestId,
        call: HDRVCALL,
        bearer_mode: u32,
        [min_rate, max_rate]: [u32; 2],
        dial_params: Option<LINEDIALPARAMS>,
    ) -> Result<Ticket, LineError> {
        checks::bearer(bearer_mode, [min_rate, max_rate], self.abilities_of(call)?)?;
        let timing = dial_params.map(|params| checks::timing(&params));
        self.submit(request, call, Command::SetCallParams { call, timing })
    }
}
