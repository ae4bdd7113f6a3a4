//! The interrupt service: frames in time, module work within the budget, removal.

use std::time::Duration;

use super::budget::Budget;
use super::error::Failure;
use super::registers::{ABSENT, Bus, INTSTAT, Interrupts, MASK0, RX_CURRENT, TX_CURRENT};
use super::ring::SLOTS;
use super::{State, TICK, Tiger320, spi};
use crate::card::debounce::SAMPLE_MS;
use crate::card::port::{FRAME, PortSink};
use crate::card::port_card::{PortCard, Service, Slot};
use crate::card::sequence::Operation;
use crate::device::Device;
use crate::{PortNumber, Time};

/// DMA that has not moved for this long is restarted.
const STALL: Duration = Duration::from_millis(100);
/// Like [`STALL`], where the kernel moves the samples. It is shorter than the second after which
/// the kernel module itself notices a card that stands still.
const KERNEL_STALL: Duration = Duration::from_millis(500);
/// The interrupt is masked after this many in succession that are acknowledged and come again at
/// once.
const STANDING: u32 = 64;
/// The most ticks whose module work is made up for in one call.
const MOST_WORK: u32 = SAMPLE_MS;
/// Ticks between two samples of the registers that are sampled seldom. Each is sampled every 32 ms:
/// a lost isolation link is found before its missing line voltage counts as a loss of battery (64
/// ms).
const SELDOM: u32 = 4;

/// How often [`Tiger320::poll`] is to be called: debouncing counts on samples every 8 ms.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(SAMPLE_MS as u64);

impl<D: Device> Tiger320<D> {
    /// Looks after a card that has not interrupted for a while: serves what is due,
    /// starts DMA anew if it stands still (for 100 ms), and sees removal.
    pub(super) fn check(&mut self, now: Time, sink: &mut impl PortSink) -> Service {
        self.serve(now, sink, false)
    }

    /// Looks after a card whose samples the kernel moves, which serves the interrupt: samples the
    /// modules' registers, goes on with repairs, starts DMA anew if it stands still (for 500 ms),
    /// and sees removal. To be called every 8 ms; makes up for as many ticks.
    pub(super) fn poll(&mut self, now: Time, sink: &mut impl PortSink) -> Service {
        if self.state != State::Running {
            return Service::Idle;
        }
        if self.recovery.is_some() {
            return self.go_on(now, sink);
        }
        let address = Bus::new(self.device.registers()).read(RX_CURRENT);
        let Some(position) = self.ring.rx_word(address) else {
            if address == u32::MAX {
                return self.lose(Failure::Removed);
            }
            self.counters.stalls += 1;
            return self.recover(now, sink);
        };
        self.stood = !self.ring.has_moved(position);
        if !self.stood {
            self.moved = now;
            self.exchanged = now;
            self.restarts = 0;
        } else if now.since(self.moved) >= KERNEL_STALL {
            self.counters.stalls += 1;
            return self.recover(now, sink);
        }
        let restored = self.counters.restored;
        let ticks = now.since(self.worked).as_millis();
        let ticks = u32::try_from(ticks).unwrap_or(MOST_WORK).min(MOST_WORK);
        for _ in 0..ticks {
            self.work(now, sink);
        }
        if ticks > 0 {
            self.worked = now;
        }
        self.count_spi();
        if self.unproved && self.counters.restored > restored {
            return self.prove(Service::Idle, now);
        }
        Service::Idle
    }

    pub(super) fn serve(
        &mut self,
        now: Time,
        sink: &mut impl PortSink,
        interrupted: bool,
    ) -> Service {
        if self.state != State::Running {
            return Service::Idle;
        }
        if self.recovery.is_some() {
            return self.go_on(now, sink);
        }
        let r = Bus::new(self.device.registers());
        let status = r.read(INTSTAT);
        if status.bits() == ABSENT && r.read(RX_CURRENT) == u32::MAX {
            return self.lose(Failure::Removed);
        }
        // What was read is written back at once, as the chip's specification wants it; a status
        // that comes from now on is one of its own.
        if !status.is_empty() {
            r.write(INTSTAT, status);
        }
        let aborted = |abort| u64::from(status.contains(abort));
        self.counters.master_aborts += aborted(Interrupts::MASTER_ABORT);
        self.counters.target_aborts += aborted(Interrupts::TARGET_ABORT);
        if status.intersects(Interrupts::ABORTS) {
            return self.recover(now, sink);
        }
        let restored = self.counters.restored;
        let outcome = self.exchange(now, status, sink, interrupted);
        self.count_spi();
        // A recovery lets the next interrupt come by itself.
        if outcome == Service::Gone || self.recovery.is_some() {
            return outcome;
        }
        if self.unproved && self.counters.restored > restored {
            return self.prove(outcome, now);
        }
        self.mask_if_standing(interrupted);
        match self.device.rearm() {
            Ok(()) => outcome,
            Err(error) => self.lose(Failure::Device(error)),
        }
    }

    /// Masks the interrupt if it comes again and again although it is acknowledged; else the reaper
    /// would do nothing else. The next look enables it again.
    fn mask_if_standing(&mut self, interrupted: bool) {
        let r = Bus::new(self.device.registers());
        if interrupted && self.standing == STANDING {
            self.counters.masked += 1;
            r.write(MASK0, Interrupts::empty());
        } else if !interrupted && self.standing >= STANDING {
            self.standing = 0;
            r.write(MASK0, Interrupts::USED);
        }
    }

    /// Exchanges the frame that is due, and does the tick's module work.
    fn exchange(
        &mut self,
        now: Time,
        status: Interrupts,
        sink: &mut impl PortSink,
        interrupted: bool,
    ) -> Service {
        let r = Bus::new(self.device.registers());
        let Some(memory) = self.device.dma() else { return self.lose(Failure::Removed) };
        let (rx, tx) = (r.read(RX_CURRENT), r.read(TX_CURRENT));
        let Some(position) = self.ring.rx_word(rx) else {
            if rx == u32::MAX {
                return self.lose(Failure::Removed);
            }
            self.counters.stalls += 1;
            return self.recover(now, sink);
        };
        let still = self.ring.is_at(position);
        let told = if still && self.standing > 0 { Interrupts::empty() } else { status };
        let acknowledged = interrupted && self.device.kernel_acknowledges();
        let progress = self.ring.advance(memory, position, told, acknowledged, now);
        if progress.moved > 0 {
            self.moved = now;
        } else if !interrupted && now.since(self.moved) >= STALL {
            self.counters.stalls += 1;
            return self.recover(now, sink);
        }
        self.counters.missed += progress.missed;
        if let Some(chunk) = progress.chunk {
            let mut received = self.ring.received(memory, chunk);
            let silence = self.country.companding().silence();
            let mut play = [[silence; FRAME]; SLOTS];
            let ports = self.modules.iter().zip(received.iter_mut().zip(&mut play)).enumerate();
            for (port, (module, (received, play))) in ports {
                let Some(module) = module else { continue };
                if module.is_restoring() {
                    *received = [silence; FRAME];
                }
                sink.frame(PortNumber::at(port), received, play);
            }
            self.ring.play(memory, chunk, &play);
            self.counters.ticks += 1;
            self.counters.late += u64::from(self.ring.is_late(chunk, tx));
            self.exchanged = now;
            self.restarts = 0;
        }
        // A status that is set although it was acknowledged, with the card at the same word,
        // stands. A software card goes on when its status is read again, here.
        let used = status & Interrupts::USED;
        let stands = !used.is_empty()
            && Bus::new(self.device.registers()).read(INTSTAT).intersects(used)
            && still;
        if interrupted {
            self.standing = if stands { self.standing.saturating_add(1) } else { 0 };
        }
        if progress.chunk.is_some() || now.since(self.worked) >= TICK {
            self.worked = now;
            self.work(now, sink);
        }
        if progress.chunk.is_none() {
            self.counters.idle += 1;
            return Service::Idle;
        }
        Service::Frames { frames: 1, missed: u32::try_from(progress.missed).unwrap_or(u32::MAX) }
    }

    /// One tick of module work: samples, commands, repairs.
    fn work(&mut self, now: Time, sink: &mut impl PortSink) {
        self.budget = Budget::new();
        let tick = self.tick;
        self.tick = tick.wrapping_add(1);
        // Four ports, two registers: each is sampled every 8 ticks; the seldom ones every 32.
        let turn = |n: u32| (PortNumber::at((n % 4) as usize), (n / 4 % 2) as usize);
        let (port, register) = turn(tick);
        self.sample(port, register, sink);
        if tick.is_multiple_of(SELDOM) {
            let (port, register) = turn(tick / SELDOM);
            self.sample(port, 2 + register, sink);
        }
        for port in PortNumber::each().take(SLOTS) {
            self.write_due(port);
        }
        // Rotates the starting port each tick so that none is starved.
        for n in 0..SLOTS {
            self.repair(PortNumber::at((tick as usize + n) % SLOTS), now, sink);
        }
        self.dump_registers();
    }

    /// Samples one of a port's status registers.
    fn sample(&mut self, port: PortNumber, register: usize, sink: &mut impl PortSink) {
        let Some(module) = self.modules.get_mut(port.index()).and_then(Option::as_mut) else {
            return;
        };
        let Some(register) = module.sampled().get(register).copied().flatten() else { return };
        let (kind, operation) = (module.kind(), Operation::Read(register));
        if module.in_repair() || !self.budget.take(spi::cost(kind, operation)) {
            return;
        }
        let value = self.spi.perform(Bus::new(self.device.registers()), port, kind, operation);
        module.sample(register, value, &mut self.counters, &mut |event| sink.event(port, event));
    }

    /// Goes on with a port's repair as far as there is room.
    fn repair(&mut self, port: PortNumber, now: Time, sink: &mut impl PortSink) {
        let (Some(entry), Some(slot)) =
            (self.modules.get_mut(port.index()), self.slots.get_mut(port.index()))
        else {
            return;
        };
        let Some(module) = entry else { return };
        let (budget, bus) = (&mut self.budget, &mut self.spi);
        let r = Bus::new(self.device.registers());
        let mut perform = |kind, operation| {
            budget.take(spi::cost(kind, operation)).then(|| bus.perform(r, port, kind, operation))
        };
        let given_up = module
            .repair(now, &mut perform, &mut self.counters, &mut |event| sink.event(port, event))
            .err();
        if let Some(error) = given_up {
            *slot = Slot::Failed(error);
            *entry = None;
        }
    }

    /// The card is lost, and made safe. One that reads all ones is made safe as well: it may be
    /// loose, or its bridge may have stopped for a moment, and then it would keep its lines
    /// off-hook. If it is not there, the writes have no effect.
    pub(super) fn lose(&mut self, failure: Failure) -> Service {
        self.failure = Some(failure);
        self.safe();
        Service::Gone
    }
}
