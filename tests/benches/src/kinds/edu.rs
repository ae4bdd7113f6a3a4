//! QEMU's edu device: factorials, one at a time, so that the others are queued in software.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use ringback_driver::card::edu::{self, Order, Work};
use ringback_driver::device::{Device, Registers};
use ringback_driver::request::sync::EvenPoisoned;

use super::{Bare, Kind, words};

const FACTORIAL: usize = 0x08;
const STATUS: usize = 0x20;
const INTERRUPTS: usize = 0x24;
const ACKNOWLEDGE: usize = 0x64;
/// Interrupt at the end of a factorial.
const STATUS_INTERRUPT: u32 = 1 << 7;
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Edu;

impl Kind for Edu {
    type Engine<D: Device> = edu::Edu<D>;
    type Bare<D: Device + Sync> = Unit<D>;

    const DOORBELL: usize = FACTORIAL;

    fn engine<D: Device>(device: D) -> Result<Self::Engine<D>, String> {
        edu::Edu::new(device).map_err(words)
    }

    fn command<D: Device>(operand: u32) -> Order {
        Order { work: Work::Factorial { operand }, time_limit: LIMIT }
    }

    fn bare<D: Device + Sync>(device: D) -> Result<Unit<D>, String> {
        let registers = device.registers();
        // An earlier user may have left an interrupt pending.
        registers.write32(ACKNOWLEDGE, registers.read32(INTERRUPTS));
        registers.write32(STATUS, STATUS_INTERRUPT);
        device.rearm().map_err(words)?;
        Ok(Unit { device, queue: Mutex::default() })
    }

    fn answer(operand: u32) -> u32 {
        (1..=operand).fold(1, u32::wrapping_mul)
    }
}

/// The unit that computes factorials.
pub(crate) struct Unit<D: Device> {
    device: D,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// The tag of the running computation.
    running: Option<u32>,
    waiting: VecDeque<(u32, u32)>,
}

impl<D: Device> Unit<D> {
    fn pump(&self, queue: &mut Queue) {
        if queue.running.is_none()
            && let Some((tag, operand)) = queue.waiting.pop_front()
        {
            queue.running = Some(tag);
            self.device.registers().write32(FACTORIAL, operand);
        }
    }
}

impl<D: Device + Sync> Bare for Unit<D> {
    fn ring(&self, tag: u32, operand: u32) {
        let mut queue = self.queue.lock().even_poisoned();
        queue.waiting.push_back((tag, operand));
        self.pump(&mut queue);
    }

    fn reap(&self, _: &mut u32, mut f: impl FnMut(u32, u32)) {
        let registers = self.device.registers();
        let pending = registers.read32(INTERRUPTS);
        let mut done = None;
        if pending != 0 {
            // This comes before the next start, so that the next one's interrupt is not
            // acknowledged.
            registers.write32(ACKNOWLEDGE, pending);
            let answer = registers.read32(FACTORIAL);
            let mut queue = self.queue.lock().even_poisoned();
            done = queue.running.take().map(|tag| (tag, answer));
            self.pump(&mut queue);
        }
        // It fails if the card is gone; then the request is reported as lost.
        let _ = self.device.rearm();
        if let Some((tag, answer)) = done {
            f(tag, answer);
        }
    }
}

impl<D: Device> Drop for Unit<D> {
    fn drop(&mut self) {
        self.device.registers().write32(STATUS, 0);
    }
}
