//! A device whose samples the kernel moves, with the part of the `ringback` module.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use ringback_driver::PortNumber;
use ringback_driver::device::soft::{SoftDevice, SoftMemory, SoftRegisters};
use ringback_driver::device::{Device, InterruptFd};
use ringback_driver::engine::{Play, Played};
use ringback_driver::reactor::{PortOrder, Stepper};
use ringback_driver::request::RequestId;
use ringback_softcard::SoftCard;

use super::{Outside, Ports};
use crate::tests::Log;

type Engine = <Ports as Outside>::Engine;

/// The software card, with the kernel between it and the lines or without.
pub(super) struct TestDevice {
    soft: SoftDevice<SoftCard>,
    kernel: bool,
}

impl TestDevice {
    pub(super) fn new(card: &SoftCard, kernel: bool) -> TestDevice {
        TestDevice { soft: SoftDevice::card(card.clone()).unwrap(), kernel }
    }
}

impl Device for TestDevice {
    type Registers = SoftRegisters<SoftCard>;
    type Dma = Arc<SoftMemory>;
    fn name(&self) -> &str {
        self.soft.name()
    }
    fn registers(&self) -> &SoftRegisters<SoftCard> {
        self.soft.registers()
    }
    fn dma(&self) -> Option<&Arc<SoftMemory>> {
        self.soft.dma()
    }
    fn interrupt(&self) -> io::Result<InterruptFd> {
        self.soft.interrupt()
    }
    fn kernel_moves_samples(&self) -> bool {
        self.kernel
    }
    fn rearm(&self) -> io::Result<()> {
        self.soft.rearm()
    }
    fn enable_bus_master(&self) -> io::Result<()> {
        self.soft.enable_bus_master()
    }
}

/// Tiger320: interrupt status, and where the card is in the ring that it fills.
const INTSTAT: u32 = 0x06;
const RX_CURRENT: u32 = 0x24;
/// Where the memory has, for each slot, what is played with nothing queued; 0 stands for 0xFF.
const IDLE: u32 = 128;

/// A WRITE as the lines gave it: the request's id, and how many samples.
pub(super) type Written = (Option<RequestId>, usize);

#[derive(Default)]
pub(super) struct Port {
    came: Vec<u8>,
    pub(super) queue: VecDeque<u8>,
    pub(super) plays: VecDeque<(Play, u64)>,
    queued: u64,
    played: u64,
    pub(super) written: Vec<Written>,
    pub(super) silenced: usize,
}

/// What the module does: exchanges the samples in each tick, and says what was played.
pub(super) struct Kernel {
    memory: Arc<SoftMemory>,
    position: u32,
    pub(super) ports: [Port; 4],
    /// Ends every WRITE with this errno.
    pub(super) broken: Option<i32>,
}

impl Kernel {
    pub(super) fn new(device: &TestDevice) -> Kernel {
        let memory = Arc::clone(device.dma().unwrap());
        Kernel { memory, position: 0, ports: Default::default(), broken: None }
    }

    pub(super) fn tick(&mut self, card: &SoftCard, stepper: &mut Stepper<Engine, Log>) {
        let status = card.read(INTSTAT, 1);
        if status == 0xFF {
            return stepper.gone();
        }
        card.write(INTSTAT, 1, status);
        let base = SoftMemory::BUS_ADDRESS;
        let position = card.read(RX_CURRENT, 4).wrapping_sub(base + 64) / 4 % 16;
        while self.position != position {
            let word = base + 4 * self.position;
            let came = self.memory.read(word + 64).unwrap().to_le_bytes();
            let mut play = self.memory.read(base + IDLE).unwrap().to_le_bytes();
            play.iter_mut().filter(|sample| **sample == 0).for_each(|sample| *sample = 0xFF);
            for (slot, port) in self.ports.iter_mut().enumerate() {
                port.came.push(came[slot]);
                if let Some(sample) = port.queue.pop_front() {
                    play[slot] = sample;
                    port.played += 1;
                }
            }
            self.memory.write(word, u32::from_le_bytes(play));
            self.position = (self.position + 1) % 16;
        }
        for number in 0..4 {
            while let port = &mut self.ports[number]
                && let Some(&(play, end)) = port.plays.front()
                && end <= port.played
            {
                port.plays.pop_front();
                stepper.played(PortNumber::at(number), play, Played::All);
            }
            if self.ports[number].came.len() >= 160 {
                let came: Vec<u8> = self.ports[number].came.drain(..160).collect();
                stepper.received(PortNumber::at(number), &came);
            }
        }
        self.take_orders(stepper);
    }

    /// Carries out the orders of the lines.
    pub(super) fn take_orders(&mut self, stepper: &mut Stepper<Engine, Log>) {
        loop {
            let orders = stepper.orders();
            if orders.is_empty() {
                return;
            }
            for order in orders {
                match order {
                    PortOrder::Play { port, play, .. } if self.broken.is_some() => {
                        stepper.played(port, play, Played::Failed(self.broken.unwrap()));
                    }
                    PortOrder::Play { port: number, play, id, samples } => {
                        let port = &mut self.ports[number.index()];
                        port.written.push((id, samples.len()));
                        port.queued += samples.len() as u64;
                        port.queue.extend(samples);
                        port.plays.push_back((play, port.queued));
                        assert!(port.queue.len() <= 65_536, "more than the module takes");
                    }
                    PortOrder::Silence { port: number } => {
                        let port = &mut self.ports[number.index()];
                        port.silenced += 1;
                        port.queue.clear();
                        port.queued = port.played;
                        for (play, _) in std::mem::take(&mut port.plays) {
                            stepper.played(number, play, Played::Dropped);
                        }
                    }
                }
            }
        }
    }
}
