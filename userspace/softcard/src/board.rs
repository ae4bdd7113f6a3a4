//! The board: the circuit of chips and slots, the configuration space, and the card's faults.
//!
//! A millisecond of the card is split in three, because bus cycles are made with no lock held:
//! [`Board::begin`] names the words to move, [`Board::run_lines`] moves the samples through
//! modules, telephones and exchange, [`Board::end`] moves the pointers and the status bits.

use std::collections::BTreeSet;

use ringback_request::PortNumber;

use crate::SLOTS;
use crate::chips::pcm::{self, Bytes};
use crate::chips::{Abort, Circuit, FRAME, Feed, Load};
use crate::config_space::ConfigSpace;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::module::{ModuleKind, Slot};

/// Size of BAR1.
pub(crate) const WINDOW: u32 = 0x1000;

/// How long an interrupt is held back by [`Fault::LateInterrupt`].
const LATE_MS: u64 = 3;

/// The bus cycles of one millisecond.
#[derive(Debug, Clone)]
pub(crate) struct Transfer {
    /// The run of the DMA to which they belong.
    pub(crate) run: u64,
    /// For each frame the address to read and the address to write; `None` where a ring has ended.
    pub(crate) frames: [(Option<u32>, Option<u32>); FRAME],
    /// The fault or the switched-off bus master that aborts the first cycle.
    pub(crate) refused: Option<Abort>,
}

/// The board's state.
#[derive(Debug)]
pub(crate) struct Board {
    circuit: Circuit<Slot>,
    config: ConfigSpace,
    /// What the exchange feeds each slot's line with.
    feeds: [Feed; SLOTS],
    faults: BTreeSet<Fault>,
    /// Whether the DMA ran when that was noted last.
    dma_ran: bool,
    /// Counts the times the DMA was stopped.
    run: u64,
    now_ms: u64,
    /// When the cause of the interrupt that is held back arose.
    held_interrupt: Option<u64>,
    /// The host was told of an interrupt at the end of the last millisecond.
    raised: bool,
}

impl Board {
    pub(crate) fn new(modules: [ModuleKind; SLOTS]) -> Board {
        Board {
            circuit: Circuit::new(modules.map(Slot::new)),
            config: ConfigSpace::new(),
            feeds: [Feed::default(); SLOTS],
            faults: BTreeSet::new(),
            dma_ran: false,
            run: 0,
            now_ms: 0,
            held_interrupt: None,
            raised: false,
        }
    }

    pub(crate) fn slots(&self) -> &[Slot; SLOTS] {
        &self.circuit.slots
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Changes whenever the DMA stops: cycles of an earlier run must not be made any more.
    pub(crate) fn run(&self) -> u64 {
        self.run
    }

    fn removed(&self) -> bool {
        self.faults.contains(&Fault::Removal)
    }

    pub(crate) fn read8(&self, offset: u32) -> u8 {
        match offset {
            _ if self.removed() => 0xFF,
            0..WINDOW => self.circuit.read8(offset),
            WINDOW.. => 0xFF,
        }
    }

    pub(crate) fn write8(&mut self, offset: u32, value: u8) {
        if !self.removed() {
            self.circuit.write8(offset, value);
            self.settle();
        }
    }

    pub(crate) fn config_read8(&self, offset: u32) -> u8 {
        if self.removed() { 0xFF } else { self.config.read8(offset) }
    }

    pub(crate) fn config_write8(&mut self, offset: u32, value: u8) {
        if !self.removed() {
            self.config.write8(offset, value);
            self.settle();
        }
    }

    /// PCI reset: everything as after power-on, but for the faults and what is behind the jacks.
    pub(crate) fn reset(&mut self) {
        self.circuit.reset();
        self.config = ConfigSpace::new();
        self.held_interrupt = None;
        self.settle();
    }

    /// Sets the impedance of the line at an FXO slot.
    pub(crate) fn set_line_impedance(&mut self, slot: PortNumber, impedance: Option<u8>) {
        if let Some(slot) = self.circuit.slots.get_mut(slot.index()) {
            slot.set_line_impedance(impedance);
        }
    }

    pub(crate) fn set_fault(&mut self, fault: Fault, on: bool) {
        let changed = if on { self.faults.insert(fault) } else { self.faults.remove(&fault) };
        if !changed {
            return;
        }
        if fault == Fault::Removal || (fault == Fault::Reset && on) {
            self.reset();
        }
        match fault {
            Fault::ShortSelect => self.circuit.misses_short_selects = on,
            Fault::StandingInterrupt => self.circuit.tiger.stands = on,
            Fault::StrictAcknowledgment => self.circuit.tiger.hastens = on,
            Fault::ShiftedSlots => self.circuit.tiger.begins_late = on,
            _ => {}
        }
        if let Some(slot) = fault.slot().and_then(|slot| self.circuit.slots.get_mut(slot.index())) {
            slot.set_fault(fault, on);
        }
    }

    pub(crate) fn faults(&self) -> Vec<Fault> {
        self.faults.iter().copied().collect()
    }

    pub(crate) fn has_fault(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    /// Notes whether the DMA has stopped, after anything that may have stopped it.
    fn settle(&mut self) {
        let dma_runs = self.circuit.tiger.dma_runs() && self.config.bus_master();
        if self.dma_ran && !dma_runs {
            self.run += 1;
        }
        self.dma_ran = dma_runs;
    }

    /// A millisecond of the card's clock has passed.
    pub(crate) fn advance_clock(&mut self) {
        self.now_ms += 1;
    }

    /// The bus cycles of this millisecond; `None` while the rings stand still.
    pub(crate) fn begin(&self) -> Option<Transfer> {
        if !self.circuit.tiger.dma_runs() {
            return None;
        }
        let (mut tx, mut rx) = (self.circuit.tiger.tx.clone(), self.circuit.tiger.rx.clone());
        let frames = std::array::from_fn(|_| {
            let addresses = (tx.next(), rx.next());
            tx.advance(self.circuit.tiger.stops_at_end());
            rx.advance(self.circuit.tiger.stops_at_end());
            addresses
        });
        let refused = if self.faults.contains(&Fault::TargetAbort) {
            Some(Abort::Target)
        } else if self.faults.contains(&Fault::MasterAbort) || !self.config.bus_master() {
            Some(Abort::Master)
        } else {
            None
        };
        Some(Transfer { run: self.run, frames, refused })
    }

    /// Moves a millisecond of samples: `words` are those read from memory, `None` while the serial
    /// bus stands still. Returns the words for memory.
    pub(crate) fn run_lines(
        &mut self,
        words: Option<[u32; FRAME]>,
        exchange: &Exchange,
    ) -> [u32; FRAME] {
        let from_host: Option<[Bytes; SLOTS]> = words.map(|words| {
            let shifted = words.map(|word| self.circuit.tiger.shift_out(word).to_le_bytes());
            std::array::from_fn(|lane| shifted.map(|frame| frame[lane]))
        });
        let mut to_host = [pcm::IDLE_BUS; SLOTS];
        let mut loads = [Load::default(); SLOTS];
        for ((slot, feed), load) in self.circuit.slots.iter_mut().zip(self.feeds).zip(&mut loads) {
            let driven;
            (*load, driven) = slot.tick(from_host.as_ref(), feed);
            if let Some((lane, bytes)) = driven
                && let Some(bus) = to_host.get_mut(lane)
            {
                // Two modules in one time slot: a low level wins.
                bus.iter_mut().zip(bytes).for_each(|(bus, byte)| *bus &= byte);
            }
        }
        self.feeds = exchange.tick(&loads);
        std::array::from_fn(|frame| {
            let bits = u32::from_le_bytes(to_host.map(|lane| lane[frame]));
            self.circuit.tiger.shift_in(bits)
        })
    }

    /// Ends a millisecond in which `moved` frames were transferred and then, perhaps, one failed.
    pub(crate) fn end(&mut self, run: u64, moved: usize, abort: Option<Abort>) {
        if run != self.run {
            // Stopped or restarted meanwhile: the pointers belong to another run.
            return;
        }
        let stops_at_end = self.circuit.tiger.stops_at_end();
        let mut crossed = 0;
        for _ in 0..moved {
            crossed |= self.circuit.tiger.tx.advance(stops_at_end);
            crossed |= self.circuit.tiger.rx.advance(stops_at_end) << 2;
        }
        self.circuit.tiger.end_period(crossed);
        if let Some(abort) = abort {
            self.circuit.tiger.abort(abort);
            self.config.note_abort(abort == Abort::Target);
        }
        self.settle();
    }

    /// How often the interrupt is to be raised at the end of this millisecond.
    pub(crate) fn interrupts(&mut self) -> u32 {
        let asserted = u32::from(self.circuit.tiger.interrupt());
        let raised = if self.faults.contains(&Fault::LostInterrupts) {
            0
        } else if self.faults.contains(&Fault::LateInterrupt) {
            self.late_interrupt(asserted)
        } else {
            self.held_interrupt = None;
            if self.faults.contains(&Fault::DoubledInterrupts) { 2 * asserted } else { asserted }
        };
        self.raised = raised > 0;
        raised
    }

    /// Holds an interrupt back until its cause is [`LATE_MS`] old.
    fn late_interrupt(&mut self, asserted: u32) -> u32 {
        let since = *self.held_interrupt.get_or_insert(self.now_ms);
        if asserted == 0 {
            self.held_interrupt = None;
        } else if self.now_ms.saturating_sub(since) >= LATE_MS {
            self.held_interrupt = None;
            return asserted;
        }
        0
    }

    /// Whether the host is done with the last interrupt that it was told of: it has acknowledged
    /// it, and then looked whether there is more.
    pub(crate) fn is_served(&self) -> bool {
        !self.raised || !self.circuit.tiger.interrupt() && self.circuit.tiger.is_served()
    }
}
