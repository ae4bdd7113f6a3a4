//! The TDM400P as a card with ports.
//!
//! A command writes its module's register at once where the tick has room, else in the next tick.

use std::io;
use std::time::Duration;

use ringback_country::Country;

use super::alignment::TRIAL;
use super::bring_up::{PORTS_RESET, Recovery};
use super::dump_task::DumpTask;
use super::module::Module;
use super::registers::{Bus, CNTL, Control, Interrupts, MASK0, OPER, Operate};
use super::service::POLL_INTERVAL;
use super::{State, TICK, Tiger320};
use crate::card::port::{
    Gains, Hook, LineFeed, LineTuning, Polarity, PortError, PortSink, PortStatus,
};
use crate::card::port_card::{PortCard, Service, Slot, StartCardError};
use crate::card::register_dump::RegisterDump;
use crate::device::{Device, Files};
use crate::{PortNumber, Time};

/// A card that has not interrupted for this long is looked after.
const QUIET: Duration = Duration::from_millis(50);

impl<D: Device> PortCard for Tiger320<D> {
    fn name(&self) -> &str {
        self.device.name()
    }

    fn country(&self) -> Country {
        self.country
    }

    fn slots(&self) -> &[Slot] {
        &self.slots
    }

    fn status(&self, port: PortNumber) -> Option<PortStatus> {
        if self.failure.is_some() {
            return None;
        }
        self.modules.get(port.index())?.as_ref().map(Module::status)
    }

    fn files(&self) -> io::Result<Files> {
        self.device.files()
    }

    fn kernel_moves_samples(&self) -> bool {
        self.device.kernel_moves_samples()
    }

    fn look_interval(&self) -> Duration {
        match self.recovery {
            // In the interval the card goes round its ring four times: it has to be found elsewhere
            // the next time, if it moves.
            _ if self.device.kernel_moves_samples() && self.stood => POLL_INTERVAL - TICK,
            _ if self.device.kernel_moves_samples() => POLL_INTERVAL,
            Some((Recovery::Trial(_), _)) => TRIAL,
            Some(_) => PORTS_RESET,
            None => QUIET,
        }
    }

    fn start(&mut self, now: Time) -> Result<(), StartCardError> {
        match self.state {
            State::Running => return Ok(()),
            State::Closed => return Err(StartCardError::Closed),
            State::Ready => {}
        }
        self.device.enable_bus_master().map_err(StartCardError::BusMaster)?;
        self.start_dma(now);
        self.device.rearm().map_err(|error| {
            self.safe();
            StartCardError::Interrupt(error)
        })?;
        self.state = State::Running;
        self.exchanged = now;
        self.worked = now;
        Ok(())
    }

    fn service(&mut self, now: Time, sink: &mut impl PortSink) -> Service {
        self.serve(now, sink, true)
    }

    fn look_after(&mut self, now: Time, sink: &mut impl PortSink) -> Service {
        if self.device.kernel_moves_samples() {
            self.poll(now, sink)
        } else {
            self.check(now, sink)
        }
    }

    fn set_hook(&mut self, port: PortNumber, hook: Hook) -> Result<(), PortError> {
        self.command(port, |module| module.set_hook(hook))
    }

    fn set_line_feed(&mut self, port: PortNumber, feed: LineFeed) -> Result<(), PortError> {
        self.command(port, |module| module.set_feed(feed))
    }

    fn set_polarity(&mut self, port: PortNumber, polarity: Polarity) -> Result<(), PortError> {
        self.command(port, |module| module.set_polarity(polarity))
    }

    fn set_gains(&mut self, port: PortNumber, gains: Gains) -> Result<(), PortError> {
        self.command(port, |module| module.set_gains(gains))
    }

    fn tune(&mut self, port: PortNumber, tuning: LineTuning) -> Result<(), PortError> {
        self.command(port, |module| module.tune(tuning))
    }

    fn begin_dump(&mut self) -> bool {
        self.dump = None;
        self.dumping = (self.state == State::Running).then(DumpTask::default);
        self.dumping.is_some()
    }

    fn dump(&self) -> Option<&RegisterDump> {
        self.dump.as_ref()
    }

    fn safe(&mut self) {
        if self.state == State::Closed {
            return;
        }
        self.state = State::Closed;
        let r = Bus::new(self.device.registers());
        r.write(MASK0, Interrupts::empty());
        r.write(OPER, Operate::empty());
        for (slot, module) in PortNumber::each().zip(&mut self.modules) {
            if let Some(module) = module {
                self.spi.perform(r, slot, module.kind(), module.release());
            }
        }
        // Resets the modules; the writes before are for lines whose module does not take the reset.
        r.write(CNTL, Control::SAFE);
        self.count_spi();
    }
}
