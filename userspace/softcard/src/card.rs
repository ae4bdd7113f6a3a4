//! The card as its host sees it: register windows, the millisecond tick, faults.
//!
//! Rules:
//! - One lock guards the board; it is held for a single register access or a single step of a tick,
//!   never during a bus cycle and never while the interrupt is raised.
//! - Ticks do not overlap: a second one waits for the first.
//! - When the host stops the DMA, or clears bus mastering, only the bus cycle under way is still
//!   completed, as on a real bus.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ringback_request::PortNumber;
use ringback_request::sync::EvenPoisoned;

use crate::board::{Board, Transfer};
use crate::chips::{Abort, FRAME};
use crate::exchange::{Exchange, LineOptions};
use crate::fault::Fault;
use crate::host::{HostMemory, InterruptLine};
use crate::module::{ModuleKind, Slot};
use crate::telephone::Telephone;
use crate::{ExchangeConfig, SLOTS};

/// The modules of the card, its lines, and the exchange behind them.
#[derive(Debug, Clone)]
pub struct CardConfig {
    /// The kind of module in each slot.
    pub modules: [ModuleKind; SLOTS],
    /// The exchange line at each slot. Lines at slots without an FXO module are not connected.
    pub lines: [LineOptions; SLOTS],
    /// Country and timers of the exchange behind the FXO slots.
    pub exchange: ExchangeConfig,
}

impl Default for CardConfig {
    /// Two telephones (slots 0 and 1) and two exchange lines (slots 2 and 3), numbered 100 + slot.
    fn default() -> CardConfig {
        CardConfig {
            modules: [ModuleKind::Fxs, ModuleKind::Fxs, ModuleKind::Fxo, ModuleKind::Fxo],
            lines: std::array::from_fn(|slot| LineOptions {
                number: (100 + slot).to_string(),
                ..LineOptions::default()
            }),
            exchange: ExchangeConfig::default(),
        }
    }
}

struct Host {
    memory: Arc<dyn HostMemory>,
    interrupt: Arc<dyn InterruptLine>,
}

struct CardShared {
    board: Mutex<Board>,
    /// Held during a tick, so that ticks do not overlap.
    turn: Mutex<Owed>,
    host: Mutex<Option<Host>>,
    /// A copy of [`Board::run`] that bus cycles read without the board's lock.
    run: AtomicU64,
    exchange: Exchange,
    telephones: [Option<Telephone>; SLOTS],
}

/// Milliseconds that [`Fault::LateTick`] has delayed to the next tick.
#[derive(Debug, Default)]
struct Owed(u32);

/// A TDM400P in software: a handle that is cheap to clone and can be used from any thread.
#[derive(Clone)]
pub struct SoftCard(Arc<CardShared>);

impl SoftCard {
    /// A card after power-on, not connected to a host.
    pub fn new(config: CardConfig) -> SoftCard {
        let board = Board::new(config.modules);
        let mut number = 0;
        let lines = config.lines.map(|line| {
            let connected = board.slots().get(number).is_some_and(Slot::is_fxo);
            number += 1;
            connected.then_some(line)
        });
        let telephones =
            std::array::from_fn(|slot| board.slots().get(slot).and_then(Slot::telephone).cloned());
        SoftCard(Arc::new(CardShared {
            board: Mutex::new(board),
            turn: Mutex::new(Owed::default()),
            host: Mutex::new(None),
            run: AtomicU64::new(0),
            exchange: Exchange::new(config.exchange, lines),
            telephones,
        }))
    }

    /// Plugs the card into a host, replacing any earlier one. A card without a host gets a master
    /// abort for each bus cycle, and its interrupts are dropped.
    pub fn connect(&self, memory: Arc<dyn HostMemory>, interrupt: Arc<dyn InterruptLine>) {
        *self.0.host.lock().even_poisoned() = Some(Host { memory, interrupt });
    }

    /// Unplugs the card from its host: the opposite of [`connect`](SoftCard::connect).
    pub fn disconnect(&self) {
        *self.0.host.lock().even_poisoned() = None;
    }

    /// Reads BAR1: `width` is 1, 2 or 4 bytes, little-endian. Outside the 4 KiB, with another
    /// width, or from a removed card, all bits of the result are 1.
    pub fn read(&self, offset: u32, width: u32) -> u32 {
        let board = self.0.board.lock().even_poisoned();
        read(offset, width, |offset| board.read8(offset))
    }

    /// Writes BAR1: `width` is 1, 2 or 4 bytes, little-endian, lowest byte first. A write outside
    /// the 4 KiB, or of another width, is ignored.
    pub fn write(&self, offset: u32, width: u32, value: u32) {
        let mut board = self.0.board.lock().even_poisoned();
        write(offset, width, value, |offset, byte| board.write8(offset, byte));
        self.0.run.store(board.run(), Ordering::Release);
    }

    /// Reads the PCI configuration space (256 bytes), as [`read`](SoftCard::read) does BAR1.
    pub fn config_read(&self, offset: u32, width: u32) -> u32 {
        let board = self.0.board.lock().even_poisoned();
        read(offset, width, |offset| board.config_read8(offset))
    }

    /// Writes the PCI configuration space. After the first write to the command register, its bit 2
    /// decides whether the card may master the bus; before that it may.
    pub fn config_write(&self, offset: u32, width: u32, value: u32) {
        let mut board = self.0.board.lock().even_poisoned();
        write(offset, width, value, |offset, byte| board.config_write8(offset, byte));
        self.0.run.store(board.run(), Ordering::Release);
    }

    /// PCI reset: registers, configuration space and modules return to their state after power-on.
    /// Faults, exchange and telephones do not change.
    pub fn reset(&self) {
        let mut board = self.0.board.lock().even_poisoned();
        board.reset();
        self.0.run.store(board.run(), Ordering::Release);
    }

    /// Runs one millisecond of the card's clock: the lines exchange 8 samples, the rings move by 8
    /// frames, telephones and exchange advance by a millisecond, and then an asserted interrupt is
    /// raised.
    pub fn tick(&self) {
        let mut owed = self.0.turn.lock().even_poisoned();
        let late = {
            let mut board = self.0.board.lock().even_poisoned();
            board.advance_clock();
            board.has_fault(Fault::LateTick)
        };
        owed.0 += 1;
        if late && owed.0 < 2 {
            return;
        }
        for _ in 0..std::mem::take(&mut owed.0) {
            self.millisecond();
        }
        let raise = self.0.board.lock().even_poisoned().interrupts();
        drop(owed);
        self.raise(raise);
    }

    fn raise(&self, times: u32) {
        let interrupt =
            self.0.host.lock().even_poisoned().as_ref().map(|host| host.interrupt.clone());
        if let Some(interrupt) = interrupt {
            for _ in 0..times {
                interrupt.raise();
            }
        }
    }

    /// Raises an interrupt again that was raised before and is not served.
    pub(crate) fn remind(&self) {
        if !self.is_served() {
            self.raise(1);
        }
    }

    /// Runs `ms` ticks in a row: a virtual clock.
    pub fn advance(&self, ms: u64) {
        for _ in 0..ms {
            self.tick();
        }
    }

    fn millisecond(&self) {
        let memory = self.0.host.lock().even_poisoned().as_ref().map(|host| host.memory.clone());
        let transfer = self.0.board.lock().even_poisoned().begin();
        let Some(transfer) = transfer else {
            self.0.board.lock().even_poisoned().run_lines(None, &self.0.exchange);
            return;
        };
        let bus = Bus { memory, run: &self.0.run, transfer: &transfer };
        let (words, read) = bus.read();
        let to_host = self.0.board.lock().even_poisoned().run_lines(Some(words), &self.0.exchange);
        let written = bus.write(&to_host, read.moved);
        // The first failure is reported. After a failed read the frame is not written either.
        let done = if written.abort.is_some() { written } else { read };
        let mut board = self.0.board.lock().even_poisoned();
        board.end(transfer.run, done.moved, done.abort);
        self.0.run.store(board.run(), Ordering::Release);
    }

    /// Milliseconds of the card's clock since the card was created.
    pub fn now_ms(&self) -> u64 {
        self.0.board.lock().even_poisoned().now_ms()
    }

    /// The telephone plugged into an FXS slot; `None` for another slot.
    pub fn telephone(&self, slot: PortNumber) -> Option<Telephone> {
        self.0.telephones.get(slot.index()).cloned().flatten()
    }

    /// The exchange behind the FXO slots.
    pub fn exchange(&self) -> Exchange {
        self.0.exchange.clone()
    }

    /// Sets the impedance of the line at an FXO slot, as one of the Si3050's register 30: with
    /// another impedance than its own, the module hears what it sends. `None` is a line that
    /// returns nothing, as all are at first. Nothing happens in any other slot.
    pub fn set_line_impedance(&self, slot: PortNumber, impedance: Option<u8>) {
        self.0.board.lock().even_poisoned().set_line_impedance(slot, impedance);
    }

    /// Switches a fault on or off.
    pub fn set_fault(&self, fault: Fault, on: bool) {
        let mut board = self.0.board.lock().even_poisoned();
        board.set_fault(fault, on);
        self.0.run.store(board.run(), Ordering::Release);
    }

    /// The faults that are on.
    pub fn faults(&self) -> Vec<Fault> {
        self.0.board.lock().even_poisoned().faults()
    }

    /// Whether the host is done with the last interrupt that was raised, or all interrupts are
    /// disabled.
    pub(crate) fn is_served(&self) -> bool {
        self.0.board.lock().even_poisoned().is_served()
    }
}

fn read(offset: u32, width: u32, byte_at: impl Fn(u32) -> u8) -> u32 {
    if !matches!(width, 1 | 2 | 4) {
        return u32::MAX;
    }
    (0..width)
        .fold(0, |word, lane| word | u32::from(byte_at(offset.saturating_add(lane))) << (8 * lane))
}

fn write(offset: u32, width: u32, value: u32, mut byte_to: impl FnMut(u32, u8)) {
    if matches!(width, 1 | 2 | 4) {
        for lane in 0..width {
            byte_to(offset.saturating_add(lane), (value >> (8 * lane)) as u8);
        }
    }
}

/// How many bus cycles of a millisecond were completed, and how they ended.
#[derive(Debug, Clone, Copy, Default)]
struct Done {
    moved: usize,
    abort: Option<Abort>,
}

/// The card's bus cycles, made with none of its locks held.
struct Bus<'a> {
    memory: Option<Arc<dyn HostMemory>>,
    run: &'a AtomicU64,
    transfer: &'a Transfer,
}

impl Bus<'_> {
    /// Whether the host has stopped the DMA since the millisecond began.
    fn stopped(&self) -> bool {
        self.run.load(Ordering::Acquire) != self.transfer.run
    }

    /// Runs one bus cycle; `Err` if it was aborted.
    fn cycle<T>(&self, access: impl FnOnce(&dyn HostMemory) -> Option<T>) -> Result<T, Abort> {
        if let Some(refused) = self.transfer.refused {
            return Err(refused);
        }
        self.memory.as_deref().and_then(access).ok_or(Abort::Master)
    }

    /// Reads the words of the host-to-line ring.
    fn read(&self) -> ([u32; FRAME], Done) {
        let mut words = [0; FRAME];
        let mut done = Done::default();
        for (word, (address, _)) in words.iter_mut().zip(self.transfer.frames) {
            if self.stopped() {
                break;
            }
            if let Some(address) = address {
                match self.cycle(|memory| memory.read32(address)) {
                    Ok(value) => *word = value,
                    Err(abort) => {
                        done.abort = Some(abort);
                        break;
                    }
                }
            }
            done.moved += 1;
        }
        (words, done)
    }

    /// Writes the first `count` words of the line-to-host ring.
    fn write(&self, words: &[u32; FRAME], count: usize) -> Done {
        let mut done = Done::default();
        for (word, (_, address)) in words.iter().zip(self.transfer.frames).take(count) {
            if self.stopped() {
                break;
            }
            if let Some(address) = address
                && let Err(abort) =
                    self.cycle(|memory| memory.write32(address, *word).then_some(()))
            {
                done.abort = Some(abort);
                break;
            }
            done.moved += 1;
        }
        done
    }
}

impl std::fmt::Debug for SoftCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SoftCard").field("now_ms", &self.now_ms()).finish_non_exhaustive()
    }
}
