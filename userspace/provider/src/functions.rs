//! The functions of a card's provider, each under its name. Those of more than a few lines are in
//! other files; `bookkeeping` has those that only store or return data.

use ringback_driver::request::RequestId;
use ringback_lines::{CallHandles, CallNotes, Caller, Command, LineEngine, PhoneSetting};
use ringback_tspi::constants::*;
use ringback_tspi::dev_specific::LineKind;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::error::{LineError, PhoneError};
use ringback_tspi::late::LateOutput;
use ringback_tspi::provider::{Devices, Init, Provider, Tapi, Ticket};
use ringback_tspi::structs::{LINEDIALPARAMS, LINEEXTENSIONID, LINEGENERATETONE, LINEMONITORTONE};
use ringback_tspi::types::{
    HDRVCALL, HDRVLINE, HDRVPHONE, HTAPICALL, HTAPILINE, HTAPIPHONE, Version,
};

use super::abilities::abilities;
use super::calling_party::calling_party;
use super::card::{LineProvider, refused};
use super::cards::Card;
use super::lookup::gated;
use super::phone_fill::RING_VOLUME;
use super::{checks, fill};

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
        let count = |devices: usize| u32::try_from(devices).unwrap_or(u32::MAX);
        Ok(Devices { lines: count(self.infos.len()), phones: count(self.phones.len()) })
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
        let (running, number, _) = self.device(device_id)?;
        checks::version(version)?;
        let opening = running.ask(move |lines, cx| lines.open(number, line, cx))?;
        running.lines.opened(number, line, opening, version)
    }

    fn line_close(&self, line: HDRVLINE) -> Result<(), LineError> {
        let running = self.for_line()?;
        let line = running.lines.take(line)?;
        // An error means that the engine has closed the line already.
        let _ = running.handle.with(move |lines, cx| lines.close(line.number, cx));
        let settled = running.settle(line.number);
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
        let provider_id = self.running(LineError::NODRIVER)?.permanent_provider_id;
        let (_, line, _) = self.device(device_id)?;
        let exchange = self.exchange(line)?;
        fill::dev_caps(caps, version, &self.name, provider_id, info, &exchange)
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
        checks::address_id(address_id)?;
        let (_, line, _) = self.device(device_id)?;
        fill::address_caps(caps, version, device_id, info, &self.exchange(line)?)
    }

    fn line_get_num_address_ids(&self, line: HDRVLINE) -> Result<u32, LineError> {
        self.for_line()?.line(line)?;
        Ok(1)
    }

    fn line_get_line_dev_status(&self, line: HDRVLINE, status: &mut [u8]) -> Result<(), LineError> {
        let running = self.for_line()?;
        let line = running.line(line)?;
        let state =
            running.ask(move |lines, _| lines.state(line.number).ok_or(LineError::NODEVICE))?;
        let exchange = self.exchange(line.number)?;
        fill::line_dev_status(status, line.version, self.kind(line.number)?, &exchange, &state)
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
        let can = abilities(self.kind(line.number)?);
        let params = checks::call_params(params, line.version, can)?;
        let address = checks::address(address.unwrap_or_default(), country_code, can)?;
        let caller = match self.kind(line.number)? {
            LineKind::Fxs => calling_party(&params),
            LineKind::Fxo | LineKind::Modem => Caller::default(),
        };
        let driver_call = running.handles.next(line.number).ok_or(LineError::NOMEM)?;
        let data = params.call_data;
        let notes = CallNotes { country: country_code, flags: params.flags, data };
        let command = match params.bearer_mode {
            LINEBEARERMODE_PASSTHROUGH => {
                let opening = line.opening;
                let media = params.media_mode;
                Command::PassThrough { opening, call: driver_call, media, notes }
            }
            _ => Command::MakeCall {
                opening: line.opening,
                call: driver_call,
                called: address.digits(),
                address,
                only_if_idle: params.flags & LINECALLPARAMFLAGS_IDLE != 0,
                media: params.media_mode,
                timing: checks::timing(&params.dial_params),
                caller,
                notes,
            },
        };
        running.calls.making(request, line.tapi, driver_call, call);
        match running.handle.submit_as(Some(request), line.number, command) {
            Ok(ticket) => Ok((driver_call, gated(ticket))),
            Err(error) => {
                // N7: the handle is dead, and TAPI does not close it.
                let error = refused(error);
                running.calls.completed(request, Err(error.into()));
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
        let exchange = self.exchange(snapshot.line)?;
        fill::call_info(info, version, device_id, port.kind, &exchange, &snapshot)
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
        let (running, line) = self.for_call(call)?;
        self.has(line, LINECALLFEATURE_GENERATEDIGITS)?;
        if digits.is_some() && digit_mode != LINEDIGITMODE_DTMF {
            return Err(LineError::INVALDIGITMODE);
        }
        let digits = digits.map(checks::digits);
        // The duration is that of a digit and of the pause after it.
        let timing =
            DialTiming { digit_ms: duration, gap_ms: duration, ..DialTiming::default() }.clamped();
        running.ask(move |lines, cx| {
            lines.generate_digits(call, end_to_end_id, digits.as_deref(), timing, cx)
        })
    }

    fn line_monitor_digits(&self, call: HDRVCALL, digit_modes: u32) -> Result<(), LineError> {
        let (running, line) = self.for_call(call)?;
        self.has(line, LINECALLFEATURE_MONITORDIGITS)?;
        running.ask(move |lines, _| lines.monitor_digits(call, digit_modes))
    }

    fn provider_install(&self, _: usize, _: u32) -> Result<(), LineError> {
        Ok(())
    }

    fn provider_remove(&self, _: usize, _: u32) -> Result<(), LineError> {
        Ok(())
    }

    fn line_get_extension_id(
        &self,
        device_id: u32,
        version: Version,
    ) -> Result<LINEEXTENSIONID, LineError> {
        self.for_caps(device_id, version, 0)?;
        Ok(LINEEXTENSIONID::default())
    }

    fn line_get_address_id(&self, line: HDRVLINE, _: u32, _: &str) -> Result<u32, LineError> {
        self.address_id(line)
    }

    fn line_get_address_status(
        &self,
        line: HDRVLINE,
        address_id: u32,
        status: &mut [u8],
    ) -> Result<(), LineError> {
        self.address_status(line, address_id, status)
    }

    fn line_get_icon(&self, device_id: u32, device_class: &str) -> Result<usize, LineError> {
        self.icon(device_id, device_class)
    }

    fn line_get_id(
        &self,
        line: HDRVLINE,
        address_id: u32,
        call: Option<HDRVCALL>,
        select: u32,
        device_id: &mut [u8],
        device_class: &str,
        _: usize,
    ) -> Result<(), LineError> {
        self.device_of_class(line, address_id, call, select, device_id, device_class)
    }

    fn line_set_status_messages(
        &self,
        line: HDRVLINE,
        line_states: u32,
        address_states: u32,
    ) -> Result<(), LineError> {
        self.status_messages(line, line_states, address_states)
    }

    fn line_set_default_media_detection(
        &self,
        line: HDRVLINE,
        media_modes: u32,
    ) -> Result<(), LineError> {
        self.default_media_detection(line, media_modes)
    }

    fn line_conditional_media_detection(
        &self,
        line: HDRVLINE,
        media_modes: u32,
        call_params: Option<&[u8]>,
    ) -> Result<(), LineError> {
        self.conditional_media_detection(line, media_modes, call_params)
    }

    fn line_get_dev_config(
        &self,
        device_id: u32,
        device_config: &mut [u8],
        device_class: &str,
    ) -> Result<(), LineError> {
        self.device_config(device_id, device_config, device_class)
    }

    fn line_set_dev_config(
        &self,
        device_id: u32,
        device_config: &[u8],
        device_class: &str,
    ) -> Result<(), LineError> {
        self.set_device_config(device_id, device_config, device_class)
    }

    fn line_accept(
        &self,
        request: RequestId,
        call: HDRVCALL,
        user_user_info: &[u8],
    ) -> Result<Ticket, LineError> {
        checks::user_user_info(user_user_info)?;
        self.submit(request, call, Command::Accept { call })
    }

    fn line_get_call_ids(&self, call: HDRVCALL) -> Result<(u32, u32, u32), LineError> {
        let (snapshot, ..) = self.call(call)?;
        Ok((0, snapshot.info.call_id, 0))
    }

    fn line_set_app_specific(&self, call: HDRVCALL, app_specific: u32) -> Result<(), LineError> {
        self.set_app_specific(call, app_specific)
    }

    fn line_set_media_mode(&self, call: HDRVCALL, media_mode: u32) -> Result<(), LineError> {
        self.set_media_mode(call, media_mode)
    }

    fn line_set_call_data(
        &self,
        request: RequestId,
        call: HDRVCALL,
        call_data: &[u8],
    ) -> Result<Ticket, LineError> {
        self.set_call_data(request, call, call_data)
    }

    fn line_set_call_params(
        &self,
        request: RequestId,
        call: HDRVCALL,
        bearer_mode: u32,
        min_rate: u32,
        max_rate: u32,
        dial_params: Option<LINEDIALPARAMS>,
    ) -> Result<Ticket, LineError> {
        self.set_call_params(request, call, bearer_mode, [min_rate, max_rate], dial_params)
    }

    fn line_hold(&self, request: RequestId, call: HDRVCALL) -> Result<Ticket, LineError> {
        self.submit(request, call, Command::Hold { call })
    }

    fn line_unhold(&self, request: RequestId, call: HDRVCALL) -> Result<Ticket, LineError> {
        self.submit(request, call, Command::Unhold { call })
    }

    fn line_swap_hold(
        &self,
        request: RequestId,
        active_call: HDRVCALL,
        held_call: HDRVCALL,
    ) -> Result<Ticket, LineError> {
        self.for_call(held_call)?;
        self.submit(request, active_call, Command::SwapHold { call: active_call, held: held_call })
    }

    fn line_setup_transfer(
        &self,
        request: RequestId,
        call: HDRVCALL,
        consult_call: HTAPICALL,
        call_params: Option<&[u8]>,
    ) -> Result<(HDRVCALL, Ticket), LineError> {
        let (running, line) = self.for_call(call)?;
        self.has(line, LINECALLFEATURE_SETUPTRANSFER)?;
        let (media, timing, notes) = self.beside(call, call_params)?;
        let consult = running.handles.next(line).ok_or(LineError::NOMEM)?;
        let command = Command::SetupTransfer { call, consult, media, timing, notes };
        let ticket = self.submit_making(request, call, &[(consult, consult_call)], command)?;
        Ok((consult, ticket))
    }

    /// A conference begins with a call: its address does not announce SETUPCONFNULL.
    fn line_setup_conference(
        &self,
        request: RequestId,
        call: Option<HDRVCALL>,
        line: Option<HDRVLINE>,
        conf_call: HTAPICALL,
        consult_call: HTAPICALL,
        num_parties: u32,
        call_params: Option<&[u8]>,
    ) -> Result<(HDRVCALL, HDRVCALL, Ticket), LineError> {
        let Some(call) = call else {
            self.for_line()?.line(line.ok_or(LineError::INVALCALLHANDLE)?)?;
            return Err(LineError::OPERATIONUNAVAIL);
        };
        let (running, number) = self.for_call(call)?;
        self.has(number, LINECALLFEATURE_SETUPCONF)?;
        if num_parties > self.exchange(number)?.conference {
            return Err(LineError::CONFERENCEFULL);
        }
        let (media, timing, notes) = self.beside(call, call_params)?;
        let next = || running.handles.next(number).ok_or(LineError::NOMEM);
        let (conference, consult) = (next()?, next()?);
        let made = [conference, consult];
        let command = Command::SetupConference { call, made, media, timing, notes };
        let named = [(conference, conf_call), (consult, consult_call)];
        let ticket = self.submit_making(request, call, &named, command)?;
        Ok((conference, consult, ticket))
    }

    fn line_prepare_add_to_conference(
        &self,
        request: RequestId,
        conf_call: HDRVCALL,
        consult_call: HTAPICALL,
        call_params: Option<&[u8]>,
    ) -> Result<(HDRVCALL, Ticket), LineError> {
        let (running, line) = self.for_call(conf_call)?;
        self.has(line, LINECALLFEATURE_PREPAREADDCONF)?;
        let (media, timing, notes) = self.beside(conf_call, call_params)?;
        let consult = running.handles.next(line).ok_or(LineError::NOMEM)?;
        let call = conf_call;
        let command = Command::PrepareAddToConference { call, consult, media, timing, notes };
        let ticket = self.submit_making(request, call, &[(consult, consult_call)], command)?;
        Ok((consult, ticket))
    }

    fn line_add_to_conference(
        &self,
        request: RequestId,
        conf_call: HDRVCALL,
        consult_call: HDRVCALL,
    ) -> Result<Ticket, LineError> {
        self.for_call(consult_call)?;
        let command = Command::AddToConference { call: conf_call, consult: consult_call };
        self.submit(request, conf_call, command)
    }

    fn line_remove_from_conference(
        &self,
        request: RequestId,
        call: HDRVCALL,
    ) -> Result<Ticket, LineError> {
        self.submit(request, call, Command::RemoveFromConference { call })
    }

    fn line_complete_transfer(
        &self,
        request: RequestId,
        call: HDRVCALL,
        consult_call: HDRVCALL,
        conf_call: Option<HTAPICALL>,
        transfer_mode: u32,
    ) -> Result<(Option<HDRVCALL>, Ticket), LineError> {
        let (_, line) = self.for_call(call)?;
        self.has(line, LINECALLFEATURE_COMPLETETRANSF)?;
        self.for_call(consult_call)?;
        let (running, _) = self.for_call(call)?;
        // The function's page has no error for a wrong mode.
        match transfer_mode {
            mode if LINETRANSFERMODE.name_of(mode).is_none() => {
                return Err(LineError::OPERATIONFAILED);
            }
            mode if mode & self.exchange(line)?.transfer_modes == 0 => {
                return Err(LineError::OPERATIONUNAVAIL);
            }
            _ => {}
        }
        if transfer_mode != LINETRANSFERMODE_CONFERENCE {
            let consult = consult_call;
            let command = Command::CompleteTransfer { call, consult, conference: None };
            return Ok((None, self.submit(request, call, command)?));
        }
        let tapi = conf_call.ok_or(LineError::OPERATIONFAILED)?;
        let made = running.handles.next(line).ok_or(LineError::NOMEM)?;
        let (consult, conference) = (consult_call, Some(made));
        let command = Command::CompleteTransfer { call, consult, conference };
        Ok((conference, self.submit_making(request, call, &[(made, tapi)], command)?))
    }

    fn line_forward(
        &self,
        request: RequestId,
        line: HDRVLINE,
        all_addresses: u32,
        address_id: u32,
        forward_list: Option<&[u8]>,
        _: u32,
        _: Option<HTAPICALL>,
        _: Option<&[u8]>,
    ) -> Result<(Option<HDRVCALL>, Ticket), LineError> {
        let address_id = Some(address_id).filter(|_| all_addresses == 0);
        // No consultation call is made: the codes are dialled within the request.
        Ok((None, self.forward(request, line, address_id, forward_list)?))
    }

    fn line_complete_call(
        &self,
        request: RequestId,
        call: HDRVCALL,
        completion_id: &LateOutput,
        completion_mode: u32,
        _: u32,
    ) -> Result<Ticket, LineError> {
        self.complete_call(request, call, completion_id, completion_mode)
    }

    fn line_uncomplete_call(
        &self,
        request: RequestId,
        line: HDRVLINE,
        completion_id: u32,
    ) -> Result<Ticket, LineError> {
        self.uncomplete_call(request, line, completion_id)
    }

    fn line_park(
        &self,
        request: RequestId,
        call: HDRVCALL,
        park_mode: u32,
        dir_address: Option<&str>,
        _: Option<&LateOutput>,
    ) -> Result<Ticket, LineError> {
        self.park(request, call, park_mode, dir_address)
    }

    fn line_unpark(
        &self,
        request: RequestId,
        line: HDRVLINE,
        address_id: u32,
        call: HTAPICALL,
        dest_address: &str,
    ) -> Result<(HDRVCALL, Ticket), LineError> {
        self.unpark(request, line, address_id, call, dest_address)
    }

    fn line_pickup(
        &self,
        request: RequestId,
        line: HDRVLINE,
        address_id: u32,
        call: HTAPICALL,
        dest_address: Option<&str>,
        group_id: Option<&str>,
    ) -> Result<(HDRVCALL, Ticket), LineError> {
        self.pick_up(request, line, address_id, call, dest_address, group_id)
    }

    fn line_blind_transfer(
        &self,
        request: RequestId,
        call: HDRVCALL,
        dest_address: &str,
        country_code: u32,
    ) -> Result<Ticket, LineError> {
        let (_, line) = self.for_call(call)?;
        self.has(line, LINECALLFEATURE_BLINDTRANSFER)?;
        let address = checks::address(dest_address, country_code, self.abilities_of(call)?)?;
        if address.partial || address.digits().is_empty() {
            return Err(LineError::INVALADDRESS);
        }
        self.submit(request, call, Command::BlindTransfer { call, address })
    }

    fn line_set_call_treatment(
        &self,
        request: RequestId,
        call: HDRVCALL,
        treatment: u32,
    ) -> Result<Ticket, LineError> {
        let (_, line) = self.for_call(call)?;
        self.has(line, LINECALLFEATURE_SETTREATMENT)?;
        let mut treatments = self.abilities_of(call)?.treatments.iter().copied();
        let treatment = treatments.find(|one| one.id() == treatment);
        let treatment = treatment.ok_or(LineError::INVALPARAM)?;
        self.submit(request, call, Command::SetCallTreatment { call, treatment })
    }

    fn line_set_line_dev_status(
        &self,
        request: RequestId,
        line: HDRVLINE,
        status_to_change: u32,
        status: u32,
    ) -> Result<Ticket, LineError> {
        self.set_line_dev_status(request, line, status_to_change, status != 0)
    }

    fn line_generate_tone(
        &self,
        call: HDRVCALL,
        end_to_end_id: u32,
        tone_mode: u32,
        duration: u32,
        tones: Option<&[LINEGENERATETONE]>,
    ) -> Result<(), LineError> {
        self.generate_tone(call, end_to_end_id, tone_mode, duration, tones)
    }

    fn line_gather_digits(
        &self,
        call: HDRVCALL,
        end_to_end_id: u32,
        digit_modes: u32,
        digits: Option<&LateOutput>,
        termination_digits: Option<&str>,
        first_digit_timeout: u32,
        inter_digit_timeout: u32,
    ) -> Result<(), LineError> {
        let timeouts = [first_digit_timeout, inter_digit_timeout];
        self.gather_digits(call, end_to_end_id, digit_modes, digits, termination_digits, timeouts)
    }

    fn line_monitor_media(&self, call: HDRVCALL, media_modes: u32) -> Result<(), LineError> {
        self.monitor_media(call, media_modes)
    }

    fn line_monitor_tones(
        &self,
        call: HDRVCALL,
        tone_list_id: u32,
        tones: Option<&[LINEMONITORTONE]>,
    ) -> Result<(), LineError> {
        self.monitor_tones(call, tone_list_id, tones)
    }

    // Phones

    fn phone_negotiate_tspi_version(
        &self,
        device_id: u32,
        low: u32,
        high: u32,
    ) -> Result<Version, PhoneError> {
        self.phone_version(device_id, low, high)
    }

    fn phone_open(
        &self,
        device_id: u32,
        phone: HTAPIPHONE,
        version: Version,
    ) -> Result<HDRVPHONE, PhoneError> {
        self.phone_opened(device_id, phone, version)
    }

    fn phone_close(&self, phone: HDRVPHONE) -> Result<(), PhoneError> {
        self.phone_closed(phone)
    }

    fn phone_get_dev_caps(
        &self,
        device_id: u32,
        version: Version,
        ext_version: u32,
        caps: &mut [u8],
    ) -> Result<(), PhoneError> {
        self.phone_caps(device_id, version, ext_version, caps)
    }

    fn phone_get_extension_id(
        &self,
        device_id: u32,
        version: Version,
    ) -> Result<LINEEXTENSIONID, PhoneError> {
        self.phone_extension(device_id, version)?;
        Ok(LINEEXTENSIONID::default())
    }

    fn phone_get_icon(&self, device_id: u32, device_class: &str) -> Result<usize, PhoneError> {
        self.phone_icon(device_id, device_class)
    }

    fn phone_get_id(
        &self,
        phone: HDRVPHONE,
        device_id: &mut [u8],
        device_class: &str,
        _: usize,
    ) -> Result<(), PhoneError> {
        self.phone_device_of_class(phone, device_id, device_class)
    }

    fn phone_get_status(&self, phone: HDRVPHONE, status: &mut [u8]) -> Result<(), PhoneError> {
        self.phone_status(phone, status)
    }

    fn phone_get_hook_switch(&self, phone: HDRVPHONE) -> Result<u32, PhoneError> {
        let lifted = self.phone_report(phone)?.off_hook;
        Ok(if lifted { PHONEHOOKSWITCHDEV_HANDSET } else { 0 })
    }

    fn phone_get_ring(&self, phone: HDRVPHONE) -> Result<(u32, u32), PhoneError> {
        Ok((self.phone_report(phone)?.ring_mode, RING_VOLUME))
    }

    fn phone_get_lamp(&self, phone: HDRVPHONE, button_lamp_id: u32) -> Result<u32, PhoneError> {
        self.lamp(phone, button_lamp_id)
    }

    fn phone_get_volume(&self, phone: HDRVPHONE, hook_switch_dev: u32) -> Result<u32, PhoneError> {
        Ok(self.handset(phone, hook_switch_dev)?.volume)
    }

    fn phone_get_gain(&self, phone: HDRVPHONE, hook_switch_dev: u32) -> Result<u32, PhoneError> {
        Ok(self.handset(phone, hook_switch_dev)?.gain)
    }

    fn phone_get_button_info(
        &self,
        phone: HDRVPHONE,
        button_lamp_id: u32,
        button_info: &mut [u8],
    ) -> Result<(), PhoneError> {
        self.button(phone, button_lamp_id, button_info)
    }

    fn phone_set_status_messages(
        &self,
        phone: HDRVPHONE,
        phone_states: u32,
        button_modes: u32,
        button_states: u32,
    ) -> Result<(), PhoneError> {
        self.phone_messages(phone, phone_states, button_modes, button_states)
    }

    fn phone_set_volume(
        &self,
        request: RequestId,
        phone: HDRVPHONE,
        hook_switch_dev: u32,
        volume: u32,
    ) -> Result<Ticket, PhoneError> {
        self.set_level(request, phone, hook_switch_dev, volume, PhoneSetting::Volume)
    }

    fn phone_set_gain(
        &self,
        request: RequestId,
        phone: HDRVPHONE,
        hook_switch_dev: u32,
        gain: u32,
    ) -> Result<Ticket, PhoneError> {
        self.set_level(request, phone, hook_switch_dev, gain, PhoneSetting::Gain)
    }

    fn phone_set_lamp(
        &self,
        request: RequestId,
        phone: HDRVPHONE,
        button_lamp_id: u32,
        lamp_mode: u32,
    ) -> Result<Ticket, PhoneError> {
        self.set_lamp(request, phone, button_lamp_id, lamp_mode)
    }

    fn phone_set_ring(
        &self,
        request: RequestId,
        phone: HDRVPHONE,
        ring_mode: u32,
        volume: u32,
    ) -> Result<Ticket, PhoneError> {
        self.set_ring(request, phone, ring_mode, volume)
    }
}
