//! A 16550 whose output is looped back to its input: a request is a byte. The device is the
//! kernel's sample mtty, or a port with a loopback plug.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use ringback_driver::Time;
use ringback_driver::card::ThreadDelay;
use ringback_driver::card::uart16550::{FlowControl, Options, Service, Uart16550};
use ringback_driver::device::{Device, Registers};
use ringback_driver::engine::{Context, Engine, Failure};
use ringback_driver::request::sync::EvenPoisoned;
use ringback_driver::request::{ErrorCode, Token};

use super::{Bare, Kind, words};

/// Fails a request whose answer is not what it must be.
const BAD_ANSWER: ErrorCode = ErrorCode::of::<{ -libc::EBADMSG }>();

// PC16550D data sheet, table II.
const DATA: usize = 0;
const IER: usize = 1;
const FCR: usize = 2;
const LCR: usize = 3;
const MCR: usize = 4;
const LSR: usize = 5;
const IER_RECEIVED: u8 = 1;
/// FIFOs enabled and emptied, an interrupt for each byte.
const FCR_FRESH: u8 = 0b111;
const LCR_EIGHT_BITS: u8 = 0b11;
const MCR_ON: u8 = 0b1011;
const LSR_DATA_READY: u8 = 1;

const LIMIT: Duration = Duration::from_secs(60);
/// Time between two looks at a port that always reports more: mtty reports changed modem inputs
/// without end.
const AGAIN: Duration = Duration::from_millis(2);

pub(crate) struct Uart;

impl Kind for Uart {
    type Engine<D: Device> = Echo<D>;
    type Bare<D: Device + Sync> = Port<D>;

    const DOORBELL: usize = DATA;

    fn engine<D: Device>(device: D) -> Result<Echo<D>, String> {
        let options = Options { flow_control: FlowControl::None, ..Options::default() };
        let mut uart = Uart16550::open(device, options, &mut ThreadDelay).map_err(words)?;
        uart.start().map_err(words)?;
        Ok(Echo { uart, waiting: VecDeque::new(), again: Time::NEVER })
    }

    fn command<D: Device>(operand: u32) -> u8 {
        operand as u8
    }

    fn bare<D: Device + Sync>(device: D) -> Result<Port<D>, String> {
        let registers = device.registers();
        registers.write8(LCR, LCR_EIGHT_BITS);
        registers.write8(FCR, FCR_FRESH);
        registers.write8(MCR, MCR_ON);
        registers.write8(IER, IER_RECEIVED);
        device.rearm().map_err(words)?;
        Ok(Port { device, tags: Mutex::default() })
    }

    fn answer(operand: u32) -> u32 {
        operand & 0xFF
    }
}

/// Ringback's engine: one line. A request sends a byte, and is over when the byte is back.
pub(crate) struct Echo<D: Device> {
    uart: Uart16550<D>,
    waiting: VecDeque<(Token, u8)>,
    again: Time,
}

impl<D: Device> Echo<D> {
    fn service(&mut self, cx: &mut Context<'_, ()>) {
        let service = self.uart.service();
        while let Some(byte) = self.uart.receive() {
            if let Some((request, sent)) = self.waiting.pop_front() {
                cx.complete(request, if byte == sent { Ok(()) } else { Err(BAD_ANSWER) });
            }
        }
        self.again = match service {
            Service::More if !self.waiting.is_empty() => cx.now() + AGAIN,
            _ => Time::NEVER,
        };
        if service == Service::Gone {
            self.gone(cx);
        }
    }
}

impl<D: Device> Engine for Echo<D> {
    type Command = u8;
    type Event = ();
    type Output = ();

    fn lines(&self) -> usize {
        1
    }

    fn time_limit(_: &u8) -> Duration {
        LIMIT
    }

    fn failure(cause: Failure) -> ErrorCode {
        cause.errno()
    }

    fn start(
        &mut self,
        request: Token,
        byte: u8,
        _: &mut Context<'_, ()>,
    ) -> Result<(), ErrorCode> {
        self.waiting.push_back((request, byte));
        self.uart.send(&[byte]);
        Ok(())
    }

    fn interrupt(&mut self, cx: &mut Context<'_, ()>) {
        self.service(cx);
    }

    fn next_timer(&self) -> Time {
        self.again
    }

    fn timer(&mut self, cx: &mut Context<'_, ()>) {
        self.service(cx);
    }

    fn ended(&mut self, _: Token, _: Failure, _: &mut Context<'_, ()>) {}

    fn gone(&mut self, cx: &mut Context<'_, ()>) {
        for (request, _) in self.waiting.drain(..) {
            cx.complete(request, Err(Self::failure(Failure::Gone)));
        }
    }

    fn stop(&mut self, _: &mut Context<'_, ()>) {
        self.uart.safe();
    }
}

/// The port by its registers: bytes come back in the order in which they were sent.
pub(crate) struct Port<D: Device> {
    device: D,
    tags: Mutex<VecDeque<u32>>,
}

impl<D: Device + Sync> Bare for Port<D> {
    fn ring(&self, tag: u32, operand: u32) {
        let mut tags = self.tags.lock().even_poisoned();
        tags.push_back(tag);
        self.device.registers().write8(DATA, operand as u8);
    }

    fn reap(&self, _: &mut u32, mut f: impl FnMut(u32, u32)) {
        let registers = self.device.registers();
        let next = || {
            let ready = registers.read8(LSR) & LSR_DATA_READY != 0;
            let byte = ready.then(|| registers.read8(DATA))?;
            let tag = self.tags.lock().even_poisoned().pop_front()?;
            Some((tag, u32::from(byte)))
        };
        while let Some((tag, answer)) = next() {
            f(tag, answer);
        }
        // It fails if the port is gone; then the request is reported as lost.
        let _ = self.device.rearm();
    }
}

impl<D: Device> Drop for Port<D> {
    fn drop(&mut self) {
        self.device.registers().write8(IER, 0);
        self.device.registers().write8(MCR, 0);
    }
}
