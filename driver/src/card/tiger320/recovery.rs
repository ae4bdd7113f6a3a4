//! Recovery: a card whose DMA has stopped is started anew, and one that was reset is set up again.
//!
//! DMA stops when the card can't reach memory, when it stands still for no known reason, and when
//! the card was reset (the machine was suspended, a bridge has reset its bus). Only then its
//! registers have lost what bring-up wrote, and so have its modules.
//!
//! Whenever the serial port was reset, a trial shows whether each slot's samples are in their place
//! (`alignment`), before any are exchanged.
//!
//! Nothing waits here: a recovery is a few steps, each of which is due some time after the last. In
//! between the card does not interrupt, and whoever looks after it is told to come soon. Modules of
//! a card that was reset are set up again in the ticks after the last step.

use std::io::ErrorKind;
use std::time::Duration;

use super::Tiger320;
use super::alignment::{Alignment, MOST_SHIFTS, TRIAL};
use super::bring_up::{self, PORTS_RESET, Recovery, SETTLE};
use super::error::Failure;
use super::registers::{
    ABSENT, Aux, Bus, CNTL, Control, INTSTAT, Interrupts, MASK0, MASK1, OPER, Operate, RX_CURRENT,
};
use crate::card::port::PortSink;
use crate::card::port_card::Service;
use crate::device::Device;
use crate::{PortNumber, Time};

/// The card is given up after this many restarts, if no frame was exchanged for [`PATIENCE`].
const RESTARTS: u32 = 8;
const PATIENCE: Duration = Duration::from_millis(250);

/// How long the kernel may refuse the card because it resets it itself.
const BUSY: Duration = Duration::from_secs(30);

impl<D: Device> Tiger320<D> {
    /// Begins to start DMA anew, and if the card has lost its settings, to set it up again.
    pub(super) fn recover(&mut self, now: Time, sink: &mut impl PortSink) -> Service {
        self.restarts += 1;
        if self.restarts > RESTARTS && now.since(self.exchanged) >= PATIENCE {
            return self.lose(Failure::Stuck { attempts: self.restarts - 1 });
        }
        if let Err(error) = self.device.enable_bus_master() {
            return self.lose(Failure::Device(error));
        }
        self.counters.recoveries += 1;
        let r = Bus::new(self.device.registers());
        r.write(OPER, Operate::empty());
        r.write(MASK0, Interrupts::empty());
        r.write(INTSTAT, Interrupts::EVERY);
        if self.settings.are_lost(r) {
            return self.revive(now, sink);
        }
        // The reset loads the current addresses from the start addresses.
        self.ring.program(r);
        self.reset_ports(now);
        self.rearmed(Service::Recovered, now)
    }

    /// Ends a service: lets the next interrupt come. While the kernel itself resets the card it
    /// refuses that, and the last step is made again.
    fn rearmed(&mut self, outcome: Service, now: Time) -> Service {
        match self.device.rearm() {
            Ok(()) => outcome,
            Err(error)
                if error.kind() == ErrorKind::ResourceBusy && now.since(self.exchanged) < BUSY =>
            {
                self.recovery = self.recovery.or(Some((Recovery::Ports, now + PORTS_RESET)));
                outcome
            }
            Err(error) => self.lose(Failure::Device(error)),
        }
    }

    /// Begins to set up a card that was reset, with all its modules.
    fn revive(&mut self, now: Time, sink: &mut impl PortSink) -> Service {
        self.counters.resets += 1;
        if !self.resets.take(now) {
            return self.lose(Failure::Resets);
        }
        self.spi.lost();
        self.unproved = true;
        let modules = PortNumber::each().zip(&mut self.modules);
        for (port, module) in modules.filter_map(|(port, module)| Some((port, module.as_mut()?))) {
            module.card_was_reset(now, &mut |event| sink.event(port, event));
        }
        bring_up::reset(Bus::new(self.device.registers()));
        self.recovery = Some((Recovery::Reset, now + SETTLE));
        self.rearmed(Service::Recovered, now)
    }

    /// Goes on with a recovery, if its next step is due.
    pub(super) fn go_on(&mut self, now: Time, sink: &mut impl PortSink) -> Service {
        let r = Bus::new(self.device.registers());
        if r.read(INTSTAT).bits() == ABSENT && r.read(RX_CURRENT) == u32::MAX {
            return self.lose(Failure::Removed);
        }
        let Some((step, due)) = self.recovery else { return Service::Idle };
        if now < due {
            return Service::Idle;
        }
        match step {
            Recovery::Reset => {
                bring_up::set_up(r, &self.ring);
                self.recovery = Some((Recovery::Settling, now + SETTLE));
            }
            Recovery::Settling => self.reset_ports(now),
            // It may have been reset meanwhile.
            Recovery::Ports | Recovery::Trial(_) if self.settings.are_lost(r) => {
                return self.revive(now, sink);
            }
            Recovery::Ports => {
                r.write(CNTL, Control::SERVICE);
                let Some(witness) = self.witness() else { return self.started_anew(now) };
                self.begin_trial(witness, now);
                self.recovery = Some((Recovery::Trial(witness), now + TRIAL));
            }
            Recovery::Trial(witness) => match self.end_trial(witness) {
                Alignment::Proved | Alignment::Unknown => return self.started_anew(now),
                Alignment::Shifted if self.shifts < MOST_SHIFTS => self.reset_ports(now),
                Alignment::Shifted => return self.lose(Failure::Shifted),
            },
        }
        Service::Idle
    }

    fn reset_ports(&mut self, now: Time) {
        bring_up::reset_ports(Bus::new(self.device.registers()), &self.slots);
        self.recovery = Some((Recovery::Ports, now + PORTS_RESET));
    }

    /// Ends a recovery.
    fn started_anew(&mut self, now: Time) -> Service {
        self.recovery = None;
        self.start_dma(now);
        self.rearmed(Service::Idle, now)
    }

    /// Stops DMA for a trial with a module that was set up after the card was reset: until then
    /// there was none that could send. `outcome` is that of the service so far.
    pub(super) fn prove(&mut self, outcome: Service, now: Time) -> Service {
        let r = Bus::new(self.device.registers());
        r.write(OPER, Operate::empty());
        r.write(MASK0, Interrupts::empty());
        r.write(INTSTAT, Interrupts::EVERY);
        self.reset_ports(now);
        self.rearmed(outcome, now)
    }

    /// Ends the reset of DMA and serial port, if that has not ended yet, and lets DMA run, with
    /// interrupts.
    pub(super) fn start_dma(&mut self, now: Time) {
        let Some(memory) = self.device.dma() else { return };
        let r = Bus::new(self.device.registers());
        r.write(CNTL, Control::SERVICE);
        r.write(INTSTAT, Interrupts::EVERY);
        r.write(MASK1, Aux::empty());
        r.write(MASK0, Interrupts::USED);
        if self.device.kernel_moves_samples() {
            self.ring.tell_silence(memory);
        }
        self.ring.restart(memory, self.ring.rx_word(r.read(RX_CURRENT)).unwrap_or(0), now);
        self.moved = now;
        r.write(OPER, Operate::DMA);
    }
}
