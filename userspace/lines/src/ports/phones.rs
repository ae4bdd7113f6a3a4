//! The functions of the phones beside a card's lines.

use ringback_driver::card::{PortCard, PortError};
use ringback_driver::engine::Context;
use ringback_driver::report;
use ringback_driver::request::{LineNumber, Token};
use ringback_tspi::error::PhoneError;
use ringback_tspi::types::HTAPIPHONE;

use super::engine::Lines;
use super::phone::Phone;
use crate::{Event, Opening, PhoneEngine, PhoneReport, PhoneSetting, PhoneWishes};

impl<C: PortCard> Lines<C> {
    /// The phone beside a line.
    fn phone_of(&mut self, line: LineNumber) -> Result<&mut Phone, PhoneError> {
        if self.gone {
            return Err(PhoneError::NODEVICE);
        }
        let (_, machine) = self.lines.get_mut(line.index()).ok_or(PhoneError::NODEVICE)?;
        machine.phone_mut().ok_or(PhoneError::NODEVICE)
    }

    /// The phone beside a line, for a caller that has it open in this opening.
    fn open_phone_of(
        &mut self,
        line: LineNumber,
        opening: Opening,
    ) -> Result<&mut Phone, PhoneError> {
        let phone = self.phone_of(line)?;
        phone.openings.check(opening).map_err(|_| PhoneError::INVALPHONEHANDLE)?;
        Ok(phone)
    }

    /// Sets something on a phone. The card takes it at once, so the request is complete.
    pub(super) fn set_phone(
        &mut self,
        request: Token,
        line: LineNumber,
        opening: Opening,
        setting: PhoneSetting,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), PhoneError> {
        let phone = self.open_phone_of(line, opening)?;
        let before = phone.setting;
        match setting {
            PhoneSetting::Volume(volume) => phone.setting.volume = volume,
            PhoneSetting::Gain(gain) => phone.setting.gain = gain,
            PhoneSetting::Lamp(_) => {}
            PhoneSetting::Ring(mode) => {
                let (lines, mut visit) = self.parts(cx);
                let (port, machine) = lines.get_mut(line.index()).ok_or(PhoneError::NODEVICE)?;
                machine.ring(port, &mut visit, mode)?;
            }
        }
        if let PhoneSetting::Volume(_) | PhoneSetting::Gain(_) = setting
            && let Err(error) = self.set_gains(line)
        {
            self.phone_of(line)?.setting = before;
            return Err(error);
        }
        cx.complete(request, Ok(()));
        if let PhoneSetting::Lamp(lamp) = setting {
            self.set_lamp(line, lamp, cx);
        }
        Ok(())
    }

    /// Has the card take the gains of a phone.
    fn set_gains(&mut self, line: LineNumber) -> Result<(), PhoneError> {
        let gains = self.phone_of(line)?.gains();
        let (port, _) = self.lines.get(line.index()).ok_or(PhoneError::NODEVICE)?;
        let number = port.number;
        self.card.set_gains(number, gains).map_err(|error| {
            report!(WARN, "port {number}: the card did not take {gains:?}: {error}");
            match error {
                PortError::Gone => PhoneError::NODEVICE,
                _ => PhoneError::OPERATIONFAILED,
            }
        })
    }

    /// Sets the lamp of a phone: whether messages wait, which the line reports as well.
    pub(super) fn set_lamp(&mut self, line: LineNumber, lamp: u32, cx: &mut Context<'_, Event>) {
        let Some((port, machine)) = self.lines.get_mut(line.index()) else { return };
        let Some(phone) = machine.phone_mut() else { return };
        let before = phone.message_waits();
        phone.setting.lamp = lamp;
        let waits = phone.message_waits();
        if before != waits {
            port.book.messages(cx, waits);
        }
    }

    /// Emits what has changed on the phones.
    pub(super) fn notice_phones(&mut self, cx: &mut Context<'_, Event>) {
        for (_, machine) in &mut self.lines {
            if let Some(now) = machine.phone_report()
                && let Some(phone) = machine.phone_mut()
            {
                phone.notice(cx, now);
            }
        }
    }
}

impl<C: PortCard> PhoneEngine for Lines<C> {
    fn open_phone(&mut self, line: LineNumber, tapi: HTAPIPHONE) -> Result<Opening, PhoneError> {
        self.phone_of(line)?.openings.open(tapi).map_err(|_| PhoneError::ALLOCATED)
    }

    fn close_phone(
        &mut self,
        line: LineNumber,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), PhoneError> {
        let phone = self.phone_of(line)?;
        if phone.openings.tapi().is_none() {
            return Err(PhoneError::INVALPHONEHANDLE);
        }
        phone.close(cx);
        let (lines, mut visit) = self.parts(cx);
        if let Some((port, machine)) = lines.get_mut(line.index()) {
            // It is refused only while a call rings it, and then the call goes on ringing it.
            let _ = machine.ring(port, &mut visit, 0);
        }
        self.carry_out(cx);
        Ok(())
    }

    fn phone(&self, line: LineNumber, opening: Opening) -> Result<PhoneReport, PhoneError> {
        let (_, machine) = self.lines.get(line.index()).ok_or(PhoneError::INVALPHONEHANDLE)?;
        let phone = machine.phone().ok_or(PhoneError::INVALPHONEHANDLE)?;
        phone.openings.check(opening).map_err(|_| PhoneError::INVALPHONEHANDLE)?;
        machine.phone_report().ok_or(PhoneError::INVALPHONEHANDLE)
    }

    fn set_phone_wishes(
        &mut self,
        line: LineNumber,
        opening: Opening,
        wishes: PhoneWishes,
    ) -> Result<(), PhoneError> {
        self.open_phone_of(line, opening)?.wish(wishes);
        Ok(())
    }
}
