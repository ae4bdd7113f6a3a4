//! An engine for a serial port whose output is looped back to its input: a request sends a text,
//! and is over when the text has come back.

use std::collections::VecDeque;
use std::time::Duration;

use ringback_driver::Time;
use ringback_driver::card::uart16550::{Service, Uart16550};
use ringback_driver::device::Device;
use ringback_driver::engine::{Context, Engine, Failure};
use ringback_driver::request::{ErrorCode, Token};

/// Fails a request whose answer is not what it must be.
const BAD_ANSWER: ErrorCode = ErrorCode::of::<{ -libc::EBADMSG }>();
/// Number of bytes that are written to the port at once. mtty takes a FIFO with all its 16 bytes
/// used for an empty one.
const BURST: usize = 15;
/// Time between two looks at a port that always reports more.
const AGAIN: Duration = Duration::from_millis(2);

/// A text to send around the loop.
pub struct Text {
    /// The bytes of the text; at least one.
    pub bytes: Vec<u8>,
    /// The longest time until it is back.
    pub time_limit: Duration,
}

struct Waiting {
    request: Token,
    bytes: VecDeque<u8>,
    /// The number of bytes that are not written to the port yet; the last ones of `bytes`.
    unsent: usize,
    /// Whether a byte came back that was not the expected one.
    wrong: bool,
}

/// The engine, with one line. Results are 0 or a negative errno.
pub struct Echo<D: Device> {
    uart: Uart16550<D>,
    waiting: VecDeque<Waiting>,
    /// When to look at the port again without an interrupt.
    again: Time,
    interrupts: u64,
}

impl<D: Device> Echo<D> {
    /// Makes the engine for a port that was started.
    pub fn new(uart: Uart16550<D>) -> Echo<D> {
        Echo { uart, waiting: VecDeque::new(), again: Time::NEVER, interrupts: 0 }
    }

    /// The port, to read its state.
    pub fn uart(&self) -> &Uart16550<D> {
        &self.uart
    }

    /// The number of interrupts of the port.
    pub fn interrupts(&self) -> u64 {
        self.interrupts
    }

    /// Writes the next few bytes, when the last ones are sent.
    fn send(&mut self) {
        let next = self.waiting.iter_mut().find(|waiting| waiting.unsent > 0);
        if let Some(waiting) = next
            && self.uart.unsent() == 0
        {
            let sent = waiting.bytes.len() - waiting.unsent;
            let (_, unsent) = waiting.bytes.make_contiguous().split_at(sent);
            let few = unsent.get(..BURST).unwrap_or(unsent);
            waiting.unsent -= self.uart.send(few);
        }
    }

    fn receive(&mut self, cx: &mut Context<'_, ()>) {
        while let Some(byte) = self.uart.receive() {
            let Some(waiting) = self.waiting.front_mut() else { continue };
            waiting.wrong |= waiting.bytes.pop_front() != Some(byte);
            if waiting.bytes.is_empty() {
                let result = if waiting.wrong { Err(BAD_ANSWER) } else { Ok(()) };
                cx.complete(waiting.request, result);
                self.waiting.pop_front();
            }
        }
    }

    fn service(&mut self, cx: &mut Context<'_, ()>) {
        let service = self.uart.service();
        self.receive(cx);
        self.send();
        // mtty reports changed modem inputs without end, so that there is always more.
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
    type Command = Text;
    type Event = ();
    type Output = ();

    fn lines(&self) -> usize {
        1
    }

    fn time_limit(text: &Text) -> Duration {
        text.time_limit
    }

    fn failure(cause: Failure) -> ErrorCode {
        cause.errno()
    }

    fn start(
        &mut self,
        request: Token,
        text: Text,
        _: &mut Context<'_, ()>,
    ) -> Result<(), ErrorCode> {
        let bytes = VecDeque::from(text.bytes);
        if bytes.is_empty() {
            return Err(ErrorCode::of::<{ -libc::EINVAL }>());
        }
        self.waiting.push_back(Waiting { request, unsent: bytes.len(), bytes, wrong: false });
        self.send();
        Ok(())
    }

    fn interrupt(&mut self, cx: &mut Context<'_, ()>) {
        self.interrupts += 1;
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
        for waiting in self.waiting.drain(..) {
            cx.complete(waiting.request, Err(Self::failure(Failure::Gone)));
        }
    }

    fn stop(&mut self, _: &mut Context<'_, ()>) {
        self.uart.safe();
    }
}
