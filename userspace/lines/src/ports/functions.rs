//! The synchronous functions (K2) of a card's lines.

use ringback_country::Country;
use ringback_driver::card::{ModuleKind, PortCard};
use ringback_driver::engine::Context;
use ringback_driver::request::LineNumber;
use ringback_tspi::constants::*;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::error::LineError;
use ringback_tspi::key::Key;
use ringback_tspi::media::Audio;
use ringback_tspi::structs::LINEMONITORTONE;
use ringback_tspi::types::{HDRVCALL, HTAPILINE};

use super::engine::Lines;
use super::generation::Generation;
use crate::book::Op;
use crate::call::{CallHandles, CallSnapshot};
use crate::{Book, DeviceConfig, Event, Gather, LineEngine, LineReport, Opening, Tone};

/// The most lists of tones that a call can have.
const MOST_LISTS: usize = 8;

impl<C: PortCard> LineEngine for Lines<C> {
    fn book(&mut self, line: LineNumber) -> Option<&mut Book> {
        self.lines.get_mut(line.index()).map(|(port, _)| &mut port.book)
    }

    fn state(&self, line: LineNumber) -> Option<LineReport> {
        let (port, machine) = self.lines.get(line.index())?;
        Some(LineReport {
            opening: port.book.openings.current(),
            call: port.book.call.as_ref().map(|call| call.state),
            held: u32::try_from(port.book.aside.iter().filter(|call| call.state.is_some()).count())
                .unwrap_or(u32::MAX),
            in_service: !self.gone && machine.in_service() && !port.book.is_withdrawn(),
            locked: port.book.is_locked(),
            takes_call: !self.gone
                && port.book.may_call().is_ok()
                && machine.can_call(port).is_ok(),
            ring_mode: port.book.ring_mode(),
            message_waiting: machine.messages_wait(),
            call_backs: machine.call_backs(),
        })
    }

    fn open(
        &mut self,
        line: LineNumber,
        tapi: HTAPILINE,
        _: &mut Context<'_, Event>,
    ) -> Result<Opening, LineError> {
        let (port, _) = self.lines.get_mut(line.index()).ok_or(LineError::NODEVICE)?;
        if self.gone {
            return Err(LineError::NODEVICE);
        }
        let opening = port.book.open(tapi)?;
        // An `Audio` that an application has kept from an earlier opening gets no samples of this
        // one.
        port.audio = Audio::default();
        Ok(opening)
    }

    fn close(&mut self, line: LineNumber, cx: &mut Context<'_, Event>) -> Result<(), LineError> {
        let (lines, mut visit) = self.parts(cx);
        let (port, machine) = lines.get_mut(line.index()).ok_or(LineError::NODEVICE)?;
        if port.book.openings.tapi().is_none() {
            return Err(LineError::OPERATIONUNAVAIL);
        }
        machine.hang_up(port, &mut visit);
        port.hush(&mut visit);
        port.book.close(visit.cx);
        self.carry_out(cx);
        Ok(())
    }

    fn close_call(&mut self, call: HDRVCALL, cx: &mut Context<'_, Event>) -> Result<(), LineError> {
        if !self.handles.knows(call) {
            return Err(LineError::INVALCALLHANDLE);
        }
        let (port, machine, mut visit) = self.line_of(call, cx)?;
        if port.book.living(call).is_ok() {
            machine.hang_up(port, &mut visit);
            port.hush(&mut visit);
            // The wire is free: no other call on it goes on either.
            port.book.complete_all(visit.cx, LineError::OPERATIONFAILED);
            port.book.end_all_but(visit.cx, call);
        }
        port.book.close_call(visit.cx, call);
        self.carry_out(cx);
        Ok(())
    }

    fn call(&self, call: HDRVCALL) -> Result<CallSnapshot, LineError> {
        let line = CallHandles::line(call).ok_or(LineError::INVALCALLHANDLE)?;
        let (port, _) = self.lines.get(line.index()).ok_or(LineError::INVALCALLHANDLE)?;
        Ok(port
            .book
            .find(call)
            .ok_or(LineError::INVALCALLHANDLE)?
            .snapshot(LineNumber::at(line.index()), self.features(call)))
    }

    fn generate_digits(
        &mut self,
        call: HDRVCALL,
        end_to_end: u32,
        digits: Option<&[Option<Key>]>,
        timing: DialTiming,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), LineError> {
        if digits.is_some() {
            self.can(call, LINECALLFEATURE_GENERATEDIGITS)?;
        }
        let (port, _, mut visit) = self.line_of(call, cx)?;
        port.book.living(call)?;
        match digits {
            Some(digits) => {
                port.generate(&mut visit, end_to_end, Generation::digits(digits, timing));
            }
            None => port.stop_generating(&mut visit),
        }
        self.carry_out(cx);
        Ok(())
    }

    fn generate_tone(
        &mut self,
        call: HDRVCALL,
        end_to_end: u32,
        tone: Option<&Tone>,
        duration_ms: u32,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), LineError> {
        let Some(tone) = tone else {
            return self.generate_digits(call, end_to_end, None, DialTiming::default(), cx);
        };
        self.can(call, LINECALLFEATURE_GENERATETONE)?;
        let generation = Generation::tone(tone, duration_ms, self.card.country());
        let (port, _, mut visit) = self.line_of(call, cx)?;
        port.generate(&mut visit, end_to_end, generation);
        self.carry_out(cx);
        Ok(())
    }

    fn gather_digits(
        &mut self,
        call: HDRVCALL,
        gather: Option<Gather>,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), LineError> {
        if gather.is_some() {
            self.can(call, LINECALLFEATURE_GATHERDIGITS)?;
        }
        let (port, _, mut visit) = self.line_of(call, cx)?;
        port.book.living(call)?;
        match gather {
            Some(gather) => port.gather(&mut visit, gather),
            None => port.stop_gathering(&mut visit, LINEGATHERTERM_CANCEL),
        }
        Ok(())
    }

    fn monitor_tones(
        &mut self,
        call: HDRVCALL,
        list: u32,
        tones: Option<&[LINEMONITORTONE]>,
    ) -> Result<(), LineError> {
        if tones.is_some() {
            self.can(call, LINECALLFEATURE_MONITORTONES)?;
        }
        let port = self.port_of(call)?;
        port.book.living(call)?;
        let lists = port.tone_lists();
        if tones.is_some() && lists.others(list) >= MOST_LISTS {
            return Err(LineError::RESOURCEUNAVAIL);
        }
        lists.set(list, tones);
        Ok(())
    }

    fn monitor_media(&mut self, call: HDRVCALL, modes: u32) -> Result<(), LineError> {
        if modes != 0 {
            self.can(call, LINECALLFEATURE_MONITORMEDIA)?;
        }
        let port = self.port_of(call)?;
        port.book.living(call)?;
        port.monitor_media(modes);
        Ok(())
    }

    fn monitor_digits(&mut self, call: HDRVCALL, modes: u32) -> Result<(), LineError> {
        let line = CallHandles::line(call).ok_or(LineError::INVALCALLHANDLE)?;
        let info = self.infos.get(line.index()).ok_or(LineError::INVALCALLHANDLE)?;
        // Only a telephone dials by pulses.
        let pulse = if info.kind == ModuleKind::Fxs { LINEDIGITMODE_PULSE } else { 0 };
        if modes & !(LINEDIGITMODE_DTMF | LINEDIGITMODE_DTMFEND | pulse) != 0 {
            return Err(LineError::INVALDIGITMODE);
        }
        if modes != 0 {
            self.can(call, LINECALLFEATURE_MONITORDIGITS)?;
        }
        let port = self.port_of(call)?;
        if modes == 0 {
            port.book.find(call).ok_or(LineError::INVALCALLHANDLE)?;
            if let Ok(live) = port.book.live(call) {
                live.monitored = 0;
            }
            return Ok(());
        }
        port.book.living(call)?;
        port.start_listening();
        port.book.live(call)?.monitored = modes;
        Ok(())
    }

    fn can(&self, call: HDRVCALL, feature: u32) -> Result<(), LineError> {
        let line = CallHandles::line(call).ok_or(LineError::INVALCALLHANDLE)?;
        let (port, machine) = self.lines.get(line.index()).ok_or(LineError::INVALCALLHANDLE)?;
        port.book.living(call)?;
        let possible = match machine.can_switch(port, call, feature) {
            Some(possible) => Some(possible),
            None => machine.can(feature).or(port.book.can_keep(feature)),
        };
        let possible = possible.ok_or(LineError::OPERATIONUNAVAIL)?;
        port.book.allows(call, feature)?;
        if possible { Ok(()) } else { Err(LineError::INVALCALLSTATE) }
    }

    fn config(&self, line: LineNumber) -> Result<DeviceConfig, LineError> {
        let (_, machine) = self.lines.get(line.index()).ok_or(LineError::NODEVICE)?;
        if let Some(options) = machine.telephone() {
            return Ok(DeviceConfig::Telephone { options });
        }
        let options = machine.exchange().ok_or(LineError::OPERATIONUNAVAIL)?;
        Ok(DeviceConfig::Exchange { country: self.card.country().to_string(), options })
    }

    /// The country can't be changed: the card's chips are set for it when the card is brought up.
    /// Nor can anything else during a call.
    fn set_config(&mut self, line: LineNumber, config: DeviceConfig) -> Result<(), LineError> {
        let current = self.config(line)?;
        if config == current {
            return Ok(());
        }
        let (port, machine) = self.lines.get_mut(line.index()).ok_or(LineError::NODEVICE)?;
        match (config, current) {
            (DeviceConfig::Exchange { country, options }, DeviceConfig::Exchange { .. }) => {
                let own = self.card.country();
                let same = match country.parse::<Country>() {
                    Ok(country) => country == own,
                    // A country of the user's own is found by no name.
                    Err(_) if country == own.to_string() => true,
                    Err(_) => return Err(LineError::INVALPARAM),
                };
                if !same || port.book.call.is_some() || port.book.has(Op::Service) {
                    return Err(LineError::INVALLINESTATE);
                }
                machine.set_exchange(options);
                port.sound_path.set(options.sound);
            }
            (DeviceConfig::Telephone { options }, DeviceConfig::Telephone { .. }) => {
                if port.book.call.is_some() {
                    return Err(LineError::INVALLINESTATE);
                }
                machine.set_telephone(options);
                port.sound_path.set(options.sound);
            }
            _ => return Err(LineError::INVALPARAM),
        }
        Ok(())
    }

    fn audio(&self, line: LineNumber) -> Option<Audio> {
        self.lines.get(line.index()).map(|(port, _)| port.audio.clone())
    }
}
