//! The engine of a modem line: commands and interrupts in, completions and events out.

use std::sync::Arc;
use std::time::Duration;

use ringback_driver::card::uart16550::{Service, Uart16550};
use ringback_driver::device::Device;
use ringback_driver::engine::{Context, Engine, Failure};
use ringback_driver::request::{ErrorCode, LineNumber, Token};
use ringback_driver::{Time, report};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::error::LineError;
use ringback_tspi::media::Data;
use ringback_tspi::types::{HDRVCALL, HTAPILINE};

use super::control::{Control, Wire};
use super::limits;
use super::options::ModemOptions;
use super::plan::{Plan, Ringing};
use super::transfer::Transfers;
use crate::book::{Op, failure};
use crate::{
    Book, CallHandles, CallSnapshot, Command, DeviceConfig, Event, LineEngine, LineReport, Opening,
    PhoneEngine,
};

/// A UART that has not interrupted for this long is serviced all the same.
const QUIET: Duration = Duration::from_millis(50);
/// The delay of a further service, if one was not enough.
const SOON: Duration = Duration::from_millis(1);
/// An incoming call is over when RING has not come for this long; it comes every 5 or 6 s.
pub(super) const RING_GONE: Duration = Duration::from_secs(10);

/// A line whose device is a modem behind a UART.
#[derive(Debug)]
pub struct Modem<D: Device> {
    pub(super) uart: Uart16550<D>,
    pub(super) control: Control,
    pub(super) book: Book,
    pub(super) handles: Arc<CallHandles>,
    pub(super) plan: Option<Plan>,
    pub(super) ringing: Ringing,
    /// When the modem last reported who calls.
    pub(super) caller_at: Time,
    /// When the digits will have been dialled.
    pub(super) dialed_at: Time,
    /// When a call that is busy ends.
    pub(super) busy_until: Time,
    /// When a modem that has not confirmed that it hung up is tried again.
    pub(super) retry_at: Time,
    /// The timing of the call's dialling.
    pub(super) timing: DialTiming,
    /// The call was made without a number.
    pub(super) only_seizes: bool,
    pub(super) transfers: Transfers,
    pub(super) data: Data,
    /// It answered the last time.
    pub(super) answers: bool,
    look_after: Time,
    gone: bool,
}

impl<D: Device> Wire for Uart16550<D> {
    fn send(&mut self, bytes: &[u8]) {
        if Uart16550::send(self, bytes) < bytes.len() {
            report!(WARN, "the modem takes no bytes; a command is lost");
        }
    }

    fn set_dtr(&mut self, on: bool) {
        Uart16550::set_dtr(self, on);
    }
}

impl<D: Device> Modem<D> {
    /// Starts an opened UART. Nothing is sent to the modem before its line is opened.
    ///
    /// # Errors
    /// The operating system can't enable the UART's interrupt.
    pub fn new(
        mut uart: Uart16550<D>,
        options: &ModemOptions,
        handles: Arc<CallHandles>,
        now: Time,
    ) -> std::io::Result<Modem<D>> {
        uart.start()?;
        Ok(Modem {
            uart,
            control: Control::new(options.init()),
            book: Book::new(LineNumber(0)),
            handles,
            plan: None,
            ringing: Ringing::No,
            caller_at: now,
            dialed_at: Time::NEVER,
            busy_until: Time::NEVER,
            retry_at: Time::NEVER,
            timing: DialTiming::default(),
            only_seizes: false,
            transfers: Transfers::default(),
            data: Data::default(),
            answers: false,
            look_after: now + QUIET,
            gone: false,
        })
    }

    /// The UART that the modem is behind.
    pub fn uart(&self) -> &Uart16550<D> {
        &self.uart
    }

    // The device

    fn visit(&mut self, cx: &mut Context<'_, Event>) {
        if self.gone {
            return;
        }
        let service = self.uart.service();
        if service == Service::Gone {
            return self.gone(cx);
        }
        let now = cx.now();
        loop {
            if self.control.gives_data() && self.data.room() == 0 {
                self.control.held_up(now);
                break;
            }
            let Some(byte) = self.uart.receive() else { break };
            if let Some(news) = self.control.byte(byte, now, &mut self.uart, &self.data) {
                self.news(news, cx);
            }
        }
        let carrier = self.uart.modem_status().dcd;
        if let Some(news) = self.control.carrier(carrier, now, &mut self.uart) {
            self.news(news, cx);
        }
        self.advance(cx);
        self.look_after = now + if service == Service::More { SOON } else { QUIET };
    }

    /// Goes on with the transfers of data.
    pub(super) fn advance(&mut self, cx: &mut Context<'_, Event>) {
        let escapes = self.control.escapes();
        self.transfers.advance(&mut self.uart, &self.data, escapes, cx);
    }

    /// When the call is over, unless RING comes again.
    fn ring_gone(&self) -> Time {
        match self.ringing {
            Ringing::No => Time::NEVER,
            Ringing::Offered(last) | Ringing::Rejected(last) | Ringing::Unwanted(last) => {
                last + RING_GONE
            }
        }
    }
}

impl<D: Device> PhoneEngine for Modem<D> {}

impl<D: Device> LineEngine for Modem<D> {
    /// The modem is prepared in the meantime; a call that is made before it is ready waits for
    /// that.
    fn open(
        &mut self,
        line: LineNumber,
        tapi: HTAPILINE,
        cx: &mut Context<'_, Event>,
    ) -> Result<Opening, LineError> {
        if line != self.book.line || self.gone {
            return Err(LineError::NODEVICE);
        }
        let opening = self.book.open(tapi)?;
        // A `Data` that an application has kept from an earlier opening gets no bytes of this one.
        self.data = Data::default();
        self.control.prepare(cx.now(), &mut self.uart);
        Ok(opening)
    }

    /// The modem hangs up afterwards.
    fn close(&mut self, line: LineNumber, cx: &mut Context<'_, Event>) -> Result<(), LineError> {
        if line != self.book.line {
            return Err(LineError::NODEVICE);
        }
        if self.book.openings.tapi().is_none() {
            return Err(LineError::OPERATIONUNAVAIL);
        }
        self.hang_up(cx);
        self.book.close(cx);
        Ok(())
    }

    /// The modem hangs up afterwards.
    fn close_call(&mut self, call: HDRVCALL, cx: &mut Context<'_, Event>) -> Result<(), LineError> {
        if !self.handles.knows(call) {
            return Err(LineError::INVALCALLHANDLE);
        }
        if self.book.live(call).is_ok() {
            self.hang_up(cx);
        }
        self.book.close_call(cx, call);
        Ok(())
    }

    fn book(&mut self, line: LineNumber) -> Option<&mut Book> {
        (line == self.book.line).then_some(&mut self.book)
    }

    fn state(&self, line: LineNumber) -> Option<LineReport> {
        (line == self.book.line).then(|| LineReport {
            held: 0,
            opening: self.book.openings.current(),
            call: self.book.call.as_ref().map(|call| call.state),
            in_service: self.answers && !self.gone && !self.book.is_withdrawn(),
            locked: self.book.is_locked(),
            takes_call: self.can_call().is_ok() && !self.gone,
            ring_mode: self.book.ring_mode(),
            message_waiting: false,
            call_backs: 0,
        })
    }

    fn call(&self, call: HDRVCALL) -> Result<CallSnapshot, LineError> {
        Ok(self
            .book
            .find(call)
            .ok_or(LineError::INVALCALLHANDLE)?
            .snapshot(self.book.line, self.features(call)))
    }

    fn can(&self, call: HDRVCALL, feature: u32) -> Result<(), LineError> {
        self.can_on(call, feature)
    }

    fn config(&self, line: LineNumber) -> Result<DeviceConfig, LineError> {
        if line != self.book.line {
            return Err(LineError::NODEVICE);
        }
        Ok(DeviceConfig::Modem { init: self.control.init() })
    }

    /// The modem is sent the new command line before the next call.
    fn set_config(&mut self, line: LineNumber, config: DeviceConfig) -> Result<(), LineError> {
        let DeviceConfig::Modem { init } = config else { return Err(LineError::INVALPARAM) };
        if line != self.book.line {
            return Err(LineError::NODEVICE);
        }
        if self.book.call.is_some() {
            return Err(LineError::INVALLINESTATE);
        }
        let options: ModemOptions = init.parse().map_err(|_| LineError::INVALPARAM)?;
        self.control.set_init(options.init());
        Ok(())
    }

    fn data(&self, line: LineNumber) -> Option<Data> {
        (line == self.book.line).then(|| self.data.clone())
    }
}

impl<D: Device> Engine for Modem<D> {
    type Command = Command;
    type Event = Event;
    type Output = ();

    fn lines(&self) -> usize {
        1
    }

    fn time_limit(command: &Command) -> Duration {
        limits::time_limit(command)
    }

    fn failure(cause: Failure) -> ErrorCode {
        failure(cause)
    }

    fn start(
        &mut self,
        request: Token,
        command: Command,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), ErrorCode> {
        if self.gone {
            return Err(LineError::NODEVICE.into());
        }
        self.begin(request, command, cx).map_err(ErrorCode::from)
    }

    fn interrupt(&mut self, cx: &mut Context<'_, Event>) {
        self.visit(cx);
    }

    fn next_timer(&self) -> Time {
        if self.gone {
            return Time::NEVER;
        }
        let of_modem = self.look_after.min(self.control.until());
        let of_calls = self.dialed_at.min(self.busy_until).min(self.retry_at);
        of_modem.min(of_calls).min(self.ring_gone())
    }

    fn timer(&mut self, cx: &mut Context<'_, Event>) {
        self.visit(cx);
        let now = cx.now();
        if let Some(news) = self.control.expired(now, &mut self.uart, &self.data) {
            self.news(news, cx);
        }
        if now >= self.dialed_at {
            self.dialed(cx);
            self.book.set_state(cx, CallState::Proceeding, 0);
        }
        if now >= self.busy_until {
            self.disconnected(LINEDISCONNECTMODE_BUSY, cx);
        }
        if now >= self.retry_at {
            self.retry(now);
        }
        if now >= self.ring_gone() {
            self.book.stops_ringing();
            if let Ringing::Offered(_) = self.ringing {
                self.disconnected(LINEDISCONNECTMODE_NORMAL, cx);
                // A call that was never answered need not be dropped: the modem is on-hook.
                self.book.set_state(cx, CallState::Idle, 0);
            }
            self.ringing = Ringing::No;
            self.control.forget_caller();
        }
    }

    fn ended(&mut self, request: Token, cause: Failure, cx: &mut Context<'_, Event>) {
        self.transfers.ended(request);
        let Some(op) = self.book.ended(request) else { return };
        report!(WARN, "a request was ended ({op:?}): {cause}");
        match op {
            // Making the call failed (N8).
            Op::MakeCall => {
                self.hang_up(cx);
                self.book.call = None;
            }
            Op::Answer => {
                self.hang_up(cx);
                self.book.set_state(cx, CallState::Idle, 0);
            }
            // Another drop of the call still waits for the modem, and completes with IDLE (D5).
            Op::Drop if self.book.has(Op::Drop) => {}
            Op::Drop => self.book.set_state(cx, CallState::Idle, 0),
            // No modem asks its exchange for anything.
            Op::Switch | Op::Service => {}
            Op::Dial => {}
        }
    }

    fn gone(&mut self, cx: &mut Context<'_, Event>) {
        if std::mem::replace(&mut self.gone, true) {
            return;
        }
        self.uart.safe();
        self.plan = None;
        self.transfers.fail(cx, LineError::NODEVICE);
        self.book.gone(cx);
    }

    fn stop(&mut self, cx: &mut Context<'_, Event>) {
        // A line that is not open has nothing to close.
        let _ = self.close(self.book.line, cx);
        self.uart.safe();
    }
}
