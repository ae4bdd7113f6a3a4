//! Whole calls through a UART and a modem in software, under a virtual clock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ringback_driver::Time;
use ringback_driver::card::uart16550::{Options, Uart16550};
use ringback_driver::device::soft::{SoftDevice, SoftInterrupt};
use ringback_driver::reactor::Stepper;
use ringback_driver::request::{LineNumber, RequestId};
use ringback_softcard::{Far, ModemFault, SoftModem, SoftUart, UartModel};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::dialstring::{Modifiers, parse};
use ringback_tspi::error::LineError;
use ringback_tspi::media::Data;
use ringback_tspi::types::HDRVCALL;

use super::*;
use crate::tests::{Log, Outside, Told};
use crate::{CallHandles, CallNotes, Caller, Command, LineEngine, Party};

mod calls;
mod data;
mod ends;
mod modems;
mod offered;

type World = crate::tests::World<Serial>;

/// The modem's line.
const LINE: LineNumber = LineNumber(0);

/// Characters of 115200 8N1 in a millisecond, roughly.
const PER_MS: usize = 11;

/// A serial port with a modem behind it.
struct Serial {
    uart: SoftUart,
    modem: SoftModem,
    to_modem: Vec<u8>,
    from_modem: VecDeque<u8>,
    interrupts: bool,
}

impl Outside for Serial {
    type Engine = Modem<SoftDevice<SoftUart>>;

    const MEDIA: u32 = LINEMEDIAMODE_DATAMODEM;

    fn tick(&mut self, stepper: &mut Stepper<Self::Engine, Log>) {
        for _ in 0..PER_MS {
            let waits = &mut VecDeque::new();
            let flows = if self.uart.rts() { &mut self.from_modem } else { waits };
            self.uart.run(1, flows, &mut self.to_modem);
            self.interrupt(stepper);
        }
        let now = stepper.now() - Time::ZERO;
        self.modem.run(now, self.uart.dtr(), &mut self.to_modem, &mut self.from_modem);
        self.uart.set_inputs(self.modem.signals());
        self.interrupt(stepper);
    }

    fn judge(&self) {
        assert_eq!(self.uart.overwritten(), 0);
    }
}

impl Serial {
    fn interrupt(&self, stepper: &mut Stepper<Modem<SoftDevice<SoftUart>>, Log>) {
        if self.interrupts && self.uart.interrupts() {
            stepper.interrupt();
        }
    }

    /// The modem at the other end hangs up.
    fn far_hang_up(&mut self) {
        self.modem.far_hang_up(&mut self.from_modem);
    }
}

impl World {
    /// The line is open and the modem ready.
    fn new() -> World {
        let mut world = World::with(SoftModem::new());
        world.run(100);
        world
    }

    /// A modem with that fault.
    fn faulty(fault: ModemFault) -> World {
        let mut modem = SoftModem::new();
        modem.set_fault(fault, true);
        World::with(modem)
    }

    fn with(modem: SoftModem) -> World {
        World::set_up(modem, &ModemOptions::default())
    }

    fn set_up(mut modem: SoftModem, options: &ModemOptions) -> World {
        for (number, far) in [
            ("100", Far::Echo(Duration::from_secs(8))),
            ("101", Far::Busy),
            ("102", Far::NoCarrier),
            ("103", Far::NoAnswer),
            ("104", Far::NoDialTone),
            ("105", Far::Endless),
            ("106", Far::Modem(Duration::from_secs(8))),
        ] {
            modem.add(number, far);
        }
        let uart = SoftUart::new(UartModel::default());
        let device = SoftDevice::new(uart.clone(), None, SoftInterrupt::new().unwrap());
        let mut delay = |time: Duration| {
            let characters = PER_MS * time.as_millis() as usize;
            uart.run(characters, &mut VecDeque::new(), &mut Vec::new());
        };
        let card = Uart16550::open(device, Options::default(), &mut delay).unwrap();
        let handles = Arc::new(CallHandles::default());
        let engine = Modem::new(card, options, Arc::clone(&handles), Time::ZERO).unwrap();
        let serial = Serial {
            uart,
            modem,
            to_modem: Vec::new(),
            from_modem: VecDeque::new(),
            interrupts: true,
        };
        let mut world = World::around(serial, engine, handles);
        world.open(LINE);
        world
    }

    fn pass_through(&mut self) -> HDRVCALL {
        let (call, made) = self.make(Command::PassThrough {
            opening: self.report(LINE).opening.unwrap(),
            call: self.handles.next(LINE).unwrap(),
            media: LINEMEDIAMODE_DATAMODEM,
            notes: CallNotes::default(),
        });
        made.unwrap();
        call
    }

    fn send(&self, call: HDRVCALL, bytes: &[u8]) -> Result<RequestId, LineError> {
        self.ask(Command::Send { call, bytes: bytes.to_vec() })
    }

    fn receive(&self, call: HDRVCALL, bytes: usize, ms: u64) -> Result<RequestId, LineError> {
        let time_limit = Duration::from_millis(ms);
        self.ask(Command::Receive { call, bytes, time_limit })
    }

    /// The data of this opening of the line.
    fn data(&self) -> Data {
        self.handle.with(|modem, _| modem.data(LINE)).unwrap().unwrap()
    }

    fn fetch(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.data().fetch(&mut bytes);
        bytes
    }

    /// A call comes in and is offered.
    fn ring(&mut self) -> HDRVCALL {
        let now = self.now();
        self.modem.call(now);
        self.offered(1000)
    }
}
