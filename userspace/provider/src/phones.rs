//! The functions of phones: each telephone on an FXS line is a phone beside that line.
//!
//! A phone can be open while its line is closed, and the other way round. Its requests and messages
//! are in the queue of its line.

use std::sync::Arc;

use ringback_driver::engine::Context;
use ringback_driver::reactor::Refused;
use ringback_driver::request::{LineNumber, RequestId};
use ringback_lines::{Command, Event, PhoneEngine, PhoneReport, PhoneSetting, PhoneWishes};
use ringback_tspi::constants::*;
use ringback_tspi::dev_specific::DevSpecific;
use ringback_tspi::error::PhoneError;
use ringback_tspi::provider::Ticket;
use ringback_tspi::types::{HDRVPHONE, HTAPIPHONE, Version};

use super::card::{LineProvider, Running};
use super::cards::Card;
use super::checks;
use super::device_class::{CLASS_PHONE, classes, is_class};
use super::lookup::gated;
use super::open_devices::OpenPhone;
use super::phone_fill::{self, BUTTONS, LAMP_MODES, MESSAGE_LAMP, RING_MODES};

fn check_version(version: Version) -> Result<(), PhoneError> {
    checks::version(version).map(drop).map_err(|_| PhoneError::INCOMPATIBLEAPIVERSION)
}

/// A plain telephone has a handset and nothing else.
fn check_handset(hook_switch: u32) -> Result<(), PhoneError> {
    match hook_switch {
        PHONEHOOKSWITCHDEV_HANDSET => Ok(()),
        _ => Err(PhoneError::INVALHOOKSWITCHDEV),
    }
}

fn check_lamp(id: u32) -> Result<(), PhoneError> {
    if id == MESSAGE_LAMP { Ok(()) } else { Err(PhoneError::INVALBUTTONLAMPID) }
}

/// Values that TAPI has brought into their range; a direct caller may not have.
fn in_range(level: u32) -> u32 {
    level.min(0xFFFF)
}

/// The error that a function returns for a refused request.
fn refused(refused: Refused) -> PhoneError {
    match refused {
        Refused::Full(_) | Refused::Crowded(_) => PhoneError::RESOURCEUNAVAIL,
        Refused::NoSuchLine(_) => PhoneError::INVALPHONEHANDLE,
        Refused::Rejected(error) => error.into(),
        Refused::Closed | Refused::Failed(_) => PhoneError::NODRIVER,
        _ => PhoneError::OPERATIONFAILED,
    }
}

impl<C: Card> Running<C> {
    /// Calls into the engine for a phone. NODRIVER if it has failed.
    fn ask_phone<R: Send + 'static>(
        &self,
        act: impl FnOnce(&mut C::Lines, &mut Context<'_, Event>) -> Result<R, PhoneError>
        + Send
        + 'static,
    ) -> Result<R, PhoneError> {
        self.handle.with(act).unwrap_or(Err(PhoneError::NODRIVER))
    }

    fn report_of(&self, open: &OpenPhone) -> Result<PhoneReport, PhoneError> {
        let (number, opening) = (open.number, open.opening);
        self.ask_phone(move |lines, _| lines.phone(number, opening))
    }
}

impl<C: Card> LineProvider<C> {
    /// The running card and an open phone.
    fn open_phone(&self, phone: HDRVPHONE) -> Result<(Arc<Running<C>>, OpenPhone), PhoneError> {
        let running = self.running(PhoneError::INVALPHONEHANDLE)?;
        let open = running.phones.get(phone)?;
        Ok((running, open))
    }

    /// The running card and the line of a phone by its device id.
    fn phone_device(
        &self,
        device_id: u32,
    ) -> Result<(Arc<Running<C>>, LineNumber, &DevSpecific), PhoneError> {
        let running = self.running(PhoneError::NODRIVER)?;
        let place = device_id.checked_sub(running.phone_device_id_base);
        let place = place.and_then(|place| usize::try_from(place).ok());
        let number = place.and_then(|place| self.phones.get(place)).ok_or(PhoneError::NODEVICE)?;
        let info = self.infos.get(number.index()).ok_or(PhoneError::NODEVICE)?;
        Ok((running, *number, info))
    }

    /// The device id of the phone beside a line.
    pub(super) fn phone_id(&self, running: &Running<C>, line: LineNumber) -> Option<u32> {
        let place = self.phones.iter().position(|number| *number == line)?;
        u32::try_from(place).ok()?.checked_add(running.phone_device_id_base)
    }

    /// TSPI_phoneNegotiateTSPIVersion.
    pub(super) fn phone_version(
        &self,
        device_id: u32,
        low: u32,
        high: u32,
    ) -> Result<Version, PhoneError> {
        if device_id != INITIALIZE_NEGOTIATION {
            self.phone_device(device_id)?;
        }
        Version::negotiate(low, high).map_err(|_| PhoneError::INCOMPATIBLEAPIVERSION)
    }

    /// TSPI_phoneOpen.
    pub(super) fn phone_opened(
        &self,
        device_id: u32,
        phone: HTAPIPHONE,
        version: Version,
    ) -> Result<HDRVPHONE, PhoneError> {
        let (running, number, _) = self.phone_device(device_id)?;
        check_version(version)?;
        let opening = running.ask_phone(move |lines, _| lines.open_phone(number, phone))?;
        running.phones.opened(number, phone, opening, version)
    }

    /// TSPI_phoneClose (D10).
    pub(super) fn phone_closed(&self, phone: HDRVPHONE) -> Result<(), PhoneError> {
        let running = self.running(PhoneError::INVALPHONEHANDLE)?;
        let number = running.phones.take(phone)?.number;
        // An error means that the engine has closed the phone already.
        let _ = running.ask_phone(move |lines, cx| lines.close_phone(number, cx));
        running.settle(number).map_err(|_| PhoneError::OPERATIONFAILED)
    }

    /// The phone of a device id, for a function that fills capabilities.
    fn for_phone_caps(
        &self,
        device_id: u32,
        version: Version,
        ext_version: u32,
    ) -> Result<(u32, &DevSpecific), PhoneError> {
        let (running, _, info) = self.phone_device(device_id)?;
        check_version(version)?;
        // There are no extensions, so that the only version of them is 0.
        match ext_version {
            0 => Ok((running.permanent_provider_id, info)),
            _ => Err(PhoneError::INCOMPATIBLEEXTVERSION),
        }
    }

    /// TSPI_phoneGetDevCaps.
    pub(super) fn phone_caps(
        &self,
        device_id: u32,
        version: Version,
        ext_version: u32,
        caps: &mut [u8],
    ) -> Result<(), PhoneError> {
        let (provider_id, info) = self.for_phone_caps(device_id, version, ext_version)?;
        phone_fill::phone_caps(caps, version, &self.name, provider_id, info)
    }

    /// TSPI_phoneGetExtensionID: there are none.
    pub(super) fn phone_extension(
        &self,
        device_id: u32,
        version: Version,
    ) -> Result<(), PhoneError> {
        self.for_phone_caps(device_id, version, 0).map(drop)
    }

    /// TSPI_phoneGetIcon: none, so that TAPI uses its own.
    pub(super) fn phone_icon(&self, device_id: u32, class: &str) -> Result<usize, PhoneError> {
        let (_, _, info) = self.phone_device(device_id)?;
        let known = class.is_empty() || classes(info.kind).iter().any(|name| is_class(class, name));
        if known { Ok(0) } else { Err(PhoneError::INVALDEVICECLASS) }
    }

    /// TSPI_phoneGetID: the phone itself, or the line that it is beside.
    pub(super) fn phone_device_of_class(
        &self,
        phone: HDRVPHONE,
        device: &mut [u8],
        class: &str,
    ) -> Result<(), PhoneError> {
        let (running, open) = self.open_phone(phone)?;
        let info = self.infos.get(open.number.index()).ok_or(PhoneError::NODEVICE)?;
        let found = classes(info.kind).iter().find(|name| is_class(class, name));
        let id = match *found.ok_or(PhoneError::INVALDEVICECLASS)? {
            CLASS_PHONE => self.phone_id(&running, open.number).ok_or(PhoneError::NODEVICE)?,
            _ => running.line_device_id_base.saturating_add(open.number.0),
        };
        phone_fill::device_id(device, open.version, id)
    }

    /// TSPI_phoneGetStatus.
    pub(super) fn phone_status(
        &self,
        phone: HDRVPHONE,
        status: &mut [u8],
    ) -> Result<(), PhoneError> {
        let (running, open) = self.open_phone(phone)?;
        phone_fill::phone_status(status, open.version, &running.report_of(&open)?)
    }

    /// How an open phone is.
    pub(super) fn phone_report(&self, phone: HDRVPHONE) -> Result<PhoneReport, PhoneError> {
        let (running, open) = self.open_phone(phone)?;
        running.report_of(&open)
    }

    /// As [`phone_report`](Self::phone_report), for a function that names a hook switch.
    pub(super) fn handset(
        &self,
        phone: HDRVPHONE,
        hook_switch: u32,
    ) -> Result<PhoneReport, PhoneError> {
        let report = self.phone_report(phone)?;
        check_handset(hook_switch)?;
        Ok(report)
    }

    /// TSPI_phoneGetLamp.
    pub(super) fn lamp(&self, phone: HDRVPHONE, id: u32) -> Result<u32, PhoneError> {
        let report = self.phone_report(phone)?;
        check_lamp(id)?;
        Ok(report.lamp)
    }

    /// TSPI_phoneGetButtonInfo.
    pub(super) fn button(
        &self,
        phone: HDRVPHONE,
        id: u32,
        info: &mut [u8],
    ) -> Result<(), PhoneError> {
        let (_, open) = self.open_phone(phone)?;
        if id >= BUTTONS {
            return Err(PhoneError::INVALBUTTONLAMPID);
        }
        phone_fill::button_info(info, open.version, id)
    }

    /// TSPI_phoneSetStatusMessages. Messages that are never sent are accepted as well.
    pub(super) fn phone_messages(
        &self,
        phone: HDRVPHONE,
        states: u32,
        button_modes: u32,
        button_states: u32,
    ) -> Result<(), PhoneError> {
        let (running, open) = self.open_phone(phone)?;
        if states & !PHONESTATE.mask() != 0 {
            return Err(PhoneError::INVALPHONESTATE);
        }
        if button_modes & !PHONEBUTTONMODE.mask() != 0 {
            return Err(PhoneError::INVALBUTTONMODE);
        }
        let unknown = button_states & !PHONEBUTTONSTATE.mask() != 0;
        if unknown || button_modes != 0 && button_states == 0 {
            return Err(PhoneError::INVALBUTTONSTATE);
        }
        let wishes = PhoneWishes { states, button_modes, button_states };
        running.ask_phone(move |lines, _| lines.set_phone_wishes(open.number, open.opening, wishes))
    }

    /// TSPI_phoneSetVolume and TSPI_phoneSetGain; `setting` is given the level.
    pub(super) fn set_level(
        &self,
        request: RequestId,
        phone: HDRVPHONE,
        hook_switch: u32,
        level: u32,
        setting: fn(u32) -> PhoneSetting,
    ) -> Result<Ticket, PhoneError> {
        let (running, open) = self.open_phone(phone)?;
        check_handset(hook_switch)?;
        submit(&running, request, &open, setting(in_range(level)))
    }

    /// TSPI_phoneSetLamp.
    pub(super) fn set_lamp(
        &self,
        request: RequestId,
        phone: HDRVPHONE,
        id: u32,
        mode: u32,
    ) -> Result<Ticket, PhoneError> {
        let (running, open) = self.open_phone(phone)?;
        check_lamp(id)?;
        if !LAMP_MODES.contains(&mode) {
            return Err(PhoneError::INVALLAMPMODE);
        }
        submit(&running, request, &open, PhoneSetting::Lamp(mode))
    }

    /// TSPI_phoneSetRing. A bell has one volume, and is silent with a volume of 0.
    pub(super) fn set_ring(
        &self,
        request: RequestId,
        phone: HDRVPHONE,
        mode: u32,
        volume: u32,
    ) -> Result<Ticket, PhoneError> {
        let (running, open) = self.open_phone(phone)?;
        if mode > RING_MODES {
            return Err(PhoneError::INVALRINGMODE);
        }
        submit(&running, request, &open, PhoneSetting::Ring(if volume == 0 { 0 } else { mode }))
    }
}

/// Submits a request of a phone.
fn submit<C: Card>(
    running: &Running<C>,
    request: RequestId,
    open: &OpenPhone,
    setting: PhoneSetting,
) -> Result<Ticket, PhoneError> {
    let command = Command::SetPhone { line: open.number, opening: open.opening, setting };
    running.phone_requests.begin(request);
    match running.handle.submit_as(Some(request), open.number, command) {
        Ok(ticket) => Ok(gated(ticket)),
        Err(error) => {
            running.phone_requests.refused(request);
            Err(refused(error))
        }
    }
}
