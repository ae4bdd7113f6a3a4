//! What the provider of a card offers besides TSPI.

use std::time::Duration;

use ringback_driver::PortNumber;
use ringback_driver::card::{LineTuning, RegisterDump};
use ringback_driver::request::RequestId;
use ringback_lines::{Command, LineEngine};
use ringback_tspi::error::LineError;
use ringback_tspi::media::{Audio, Data};
use ringback_tspi::provider::{Control, InProcess, Init, Media, Runner, Tapi, Ticket};
use ringback_tspi::types::{HDRVCALL, HDRVLINE};

use super::SlotReport;
use super::card::LineProvider;
use super::cards::Card;
use crate::Slots;

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
        running.handle.with(move |lines, _| lines.audio(line.number)).ok().flatten()
    }

    fn line_data(&self, line: HDRVLINE) -> Option<Data> {
        let running = self.for_line().ok()?;
        let line = running.line(line).ok()?;
        running.handle.with(move |lines, _| lines.data(line.number)).ok().flatten()
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

    fn tune_line(&self, slot: PortNumber, tuning: LineTuning) -> bool {
        let Ok(running) = self.running(LineError::NODRIVER) else { return false };
        running.ask(move |lines, _| Ok(C::tune_line(lines, slot, tuning))).unwrap_or_default()
    }

    fn begin_register_dump(&self) -> bool {
        let Ok(running) = self.running(LineError::NODRIVER) else { return false };
        running.ask(|lines, _| Ok(C::begin_register_dump(lines))).unwrap_or_default()
    }

    fn register_dump(&self) -> Option<RegisterDump> {
        let running = self.running(LineError::NODRIVER).ok()?;
        running.ask(|lines, _| Ok(C::register_dump(lines))).ok().flatten()
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
