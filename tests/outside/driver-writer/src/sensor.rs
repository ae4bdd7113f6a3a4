use std::time::Duration;

use ringback_driver::device::{Device, Registers};
use ringback_driver::engine::{Context, Engine, Failure, PerRequest};
use ringback_driver::request::{ErrorCode, Token};

/// Reads 0x5345_4E53 ("SENS").
pub const ID: usize = 0x00;
/// Bit 0: the sensor runs and interrupts.
pub const CONTROL: usize = 0x04;
/// Tag of the measurement that is started next.
pub const TAG: usize = 0x08;
/// Starts a measurement of the channel that is written.
pub const START: usize = 0x0C;
/// How many answers wait to be read, at most 64.
pub const LEVEL: usize = 0x10;
/// Tag of the first of these answers.
pub const ANSWER_TAG: usize = 0x14;
/// Value of the first answer; bit 31: the measurement failed.
pub const ANSWER: usize = 0x18;
/// Any write drops the first answer.
pub const POP: usize = 0x1C;
/// Bit 0: answers came. Writing 1 clears the bit, and with it the interrupt.
pub const CAUSE: usize = 0x20;
/// How many bytes the registers take.
pub const WINDOW: usize = 0x24;

pub const MAGIC: u32 = 0x5345_4E53;
pub const ANSWERED: u32 = 1;
pub const FAILED: u32 = 1 << 31;
pub const MOST_ANSWERS: u32 = 64;

/// Measures a channel. A command owns all of its input (B1).
pub struct Measure {
    pub channel: u32,
    pub time_limit: Duration,
}

/// Errors of this engine. Any negative numbers will do; these are those of errno.
pub const EIO: ErrorCode = ErrorCode::of::<-5>();
pub const ENODEV: ErrorCode = ErrorCode::of::<-19>();
pub const ESHUTDOWN: ErrorCode = ErrorCode::of::<-108>();
pub const ETIMEDOUT: ErrorCode = ErrorCode::of::<-110>();
pub const ECANCELED: ErrorCode = ErrorCode::of::<-125>();

pub struct Sensor<D> {
    device: D,
    /// The running requests; the hardware answers with a request's tag.
    waiting: PerRequest<()>,
    gone: bool,
}

impl<D: Device> Sensor<D> {
    /// Starts the device; `None` if it is another one.
    pub fn new(device: D) -> Option<Sensor<D>> {
        let registers = device.registers();
        if registers.len() < WINDOW || registers.read32(ID) != MAGIC {
            return None;
        }
        registers.write32(CONTROL, 1);
        Some(Sensor { device, waiting: PerRequest::new(), gone: false })
    }
}

impl<D: Device> Engine for Sensor<D> {
    type Command = Measure;
    type Event = ();
    type Output = u32;

    fn lines(&self) -> usize {
        1
    }

    fn time_limit(command: &Measure) -> Duration {
        command.time_limit
    }

    fn failure(cause: Failure) -> ErrorCode {
        match cause {
            Failure::Deadline => ETIMEDOUT,
            Failure::Cancelled => ECANCELED,
            Failure::Closed => ESHUTDOWN,
            Failure::Gone => ENODEV,
            _ => EIO,
        }
    }

    fn start(
        &mut self,
        request: Token,
        command: Measure,
        _: &mut Context<'_, (), u32>,
    ) -> Result<(), ErrorCode> {
        if self.gone {
            return Err(ENODEV);
        }
        let registers = self.device.registers();
        registers.write32(TAG, request.tag());
        registers.write32(START, command.channel);
        self.waiting.put(request, ());
        Ok(())
    }

    fn interrupt(&mut self, cx: &mut Context<'_, (), u32>) {
        let registers = self.device.registers();
        if registers.read32(ID) != MAGIC {
            return self.gone(cx);
        }
        // This comes first: an answer that comes during the loop below interrupts again.
        registers.write32(CAUSE, ANSWERED);
        for _ in 0..registers.read32(LEVEL).min(MOST_ANSWERS) {
            let (tag, value) = (registers.read32(ANSWER_TAG), registers.read32(ANSWER));
            registers.write32(POP, 1);
            match self.waiting.take_tag(tag) {
                Some((request, ())) if value & FAILED == 0 => cx.complete_with(request, value),
                Some((request, ())) => cx.complete(request, Err(EIO)),
                // The answer to a request that has ended before.
                None => false,
            };
        }
        if self.device.rearm().is_err() {
            self.gone(cx);
        }
    }

    fn ended(&mut self, request: Token, _: Failure, _: &mut Context<'_, (), u32>) {
        self.waiting.take(request);
    }

    fn gone(&mut self, cx: &mut Context<'_, (), u32>) {
        self.gone = true;
        for (request, ()) in self.waiting.drain() {
            cx.complete(request, Err(ENODEV));
        }
    }

    fn stop(&mut self, _: &mut Context<'_, (), u32>) {
        self.device.registers().write32(CONTROL, 0);
    }
}
