//! The part of the kernel module `ringback` in a world whose samples the kernel moves, one for each
//! software card: it serves the card's interrupts, exchanges the samples of the ports, and reports
//! to the reactor what was received and played. As the module's README says, a write ends with EIO
//! when no samples were exchanged for a second, and with ENODEV when the card reads all ones.
//!
//! Its reports come late at times, because the program's thread does not run at once; those of one
//! port keep their order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ringback_driver::device::soft::SoftMemory;
use ringback_driver::engine::{Play, Played};
use ringback_driver::reactor::PortOrder;
use ringback_driver::{PortNumber, Time};
use ringback_softcard::{SLOTS, SoftCard};

use crate::dice::Dice;

/// Tiger320: whether DMA runs, the interrupt's status, and where the card is in the ring that it
/// fills.
const OPER: u32 = 0x01;
const INTSTAT: u32 = 0x06;
const RX_CURRENT: u32 = 0x24;
/// Bus errors in INTSTAT, and what it reads when the card is gone.
const ABORTS: u32 = 0x30;
const ABSENT: u32 = 0xFF;
/// Words of the ring in each direction, and where the received ones begin.
const RING: u32 = 16;
const RECEIVED: u32 = 4 * RING;
/// Where the memory has, for each slot, what is played with nothing queued; 0 stands for 0xFF.
const IDLE: u32 = 2 * RECEIVED;
/// Samples of a READ.
const BLOCK: usize = 160;
/// The time without samples after which writes end.
const STILL: Duration = Duration::from_secs(1);
const EIO: i32 = 5;
const ENODEV: i32 = 19;

/// What the module tells the program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Received(PortNumber, Vec<u8>),
    Played(PortNumber, Play, Played),
}

#[derive(Default)]
struct Port {
    came: Vec<u8>,
    queue: VecDeque<u8>,
    /// The plays in order, each with the count of samples at which it ends.
    plays: VecDeque<(Play, u64)>,
    queued: u64,
    played: u64,
    /// What the program does not know yet, each with the time at which it does.
    told: VecDeque<(Time, Told)>,
}

impl Port {
    fn end(&mut self, number: PortNumber, how: Played, at: Time) {
        self.queue.clear();
        self.queued = self.played;
        for (play, _) in std::mem::take(&mut self.plays) {
            self.tell(at, Told::Played(number, play, how));
        }
    }

    fn tell(&mut self, at: Time, told: Told) {
        let at = self.told.back().map_or(at, |(before, _)| at.max(*before));
        self.told.push_back((at, told));
    }
}

/// The module, for one card.
pub(crate) struct Kernel {
    card: SoftCard,
    memory: Arc<SoftMemory>,
    /// The number of the card's first port on the whole card.
    base: usize,
    position: u32,
    exchanged: Time,
    gone: bool,
    ports: [Port; SLOTS],
    /// Ends every write with EIO.
    pub(crate) fails: bool,
}

impl Kernel {
    pub(crate) fn new(card: SoftCard, memory: Arc<SoftMemory>, base: usize) -> Kernel {
        let ports = Default::default();
        let (position, exchanged) = (0, Time::ZERO);
        Kernel { card, memory, base, position, exchanged, gone: false, ports, fails: false }
    }

    /// Serves an interrupt of the card. Returns `false` once the card is gone.
    pub(crate) fn interrupt(&mut self, now: Time) -> bool {
        if self.gone {
            return false;
        }
        let status = self.card.read(INTSTAT, 1);
        if status == ABSENT {
            self.gone = true;
            self.end_all(Played::Failed(ENODEV), now);
            return false;
        }
        self.card.write(INTSTAT, 1, status);
        if status & ABORTS != 0 {
            // DMA would only fail again. The driver notices that the card stands still.
            self.card.write(OPER, 1, 0);
        }
        if status & !ABORTS != 0 {
            self.exchange(now);
        }
        true
    }

    fn exchange(&mut self, now: Time) {
        let base = SoftMemory::BUS_ADDRESS;
        let current = self.card.read(RX_CURRENT, 4).wrapping_sub(base + RECEIVED);
        let current = current / 4 % RING;
        while self.position != current {
            let word = base + 4 * self.position;
            let came = self.memory.read(word + RECEIVED).unwrap_or(u32::MAX).to_le_bytes();
            let mut play = self.memory.read(base + IDLE).unwrap_or(0).to_le_bytes();
            play.iter_mut().filter(|sample| **sample == 0).for_each(|sample| *sample = 0xFF);
            for ((port, came), play) in self.ports.iter_mut().zip(came).zip(&mut play) {
                port.came.push(came);
                if let Some(sample) = port.queue.pop_front() {
                    *play = sample;
                    port.played += 1;
                }
            }
            self.memory.write(word, u32::from_le_bytes(play));
            self.position = (self.position + 1) % RING;
            self.exchanged = now;
        }
    }

    /// One step of time: writes that come to no end are given up, and the program learns what has
    /// happened, in some steps a little later.
    pub(crate) fn step(&mut self, now: Time, dice: &mut Dice) {
        if now - self.exchanged > STILL {
            self.end_all(Played::Failed(EIO), now);
        }
        let late = if dice.one_in(50) { dice.ms(1, 40) } else { Duration::ZERO };
        for (own, port) in self.ports.iter_mut().enumerate() {
            let number = PortNumber::at(self.base + own);
            while let Some(&(play, end)) = port.plays.front()
                && end <= port.played
            {
                port.plays.pop_front();
                port.tell(now + late, Told::Played(number, play, Played::All));
            }
            while port.came.len() >= BLOCK {
                let block = port.came.drain(..BLOCK).collect();
                port.tell(now + late, Told::Received(number, block));
            }
        }
    }

    fn end_all(&mut self, how: Played, now: Time) {
        for (own, port) in self.ports.iter_mut().enumerate() {
            port.end(PortNumber::at(self.base + own), how, now);
        }
    }

    /// Takes an order of the lines, if it is for a port of this card.
    pub(crate) fn order(&mut self, order: &PortOrder, now: Time) {
        let (PortOrder::Play { port, .. } | PortOrder::Silence { port }) = *order;
        let own = port.index().checked_sub(self.base).and_then(|own| self.ports.get_mut(own));
        let Some(own) = own else { return };
        match order {
            PortOrder::Play { play, .. } if self.gone || self.fails => {
                let errno = if self.gone { ENODEV } else { EIO };
                own.tell(now, Told::Played(port, *play, Played::Failed(errno)));
            }
            PortOrder::Play { play, samples, .. } => {
                if own.plays.is_empty() {
                    // The second without samples is counted from the first write.
                    self.exchanged = self.exchanged.max(now);
                }
                own.queued += samples.len() as u64;
                own.queue.extend(samples);
                own.plays.push_back((*play, own.queued));
            }
            PortOrder::Silence { .. } => own.end(port, Played::Dropped, now),
        }
    }

    /// What the program learns now.
    pub(crate) fn due(&mut self, now: Time) -> Vec<Told> {
        let mut due = Vec::new();
        for port in &mut self.ports {
            while let Some((_, told)) = port.told.pop_front_if(|(at, _)| *at <= now) {
                due.push(told);
            }
        }
        due
    }
}
