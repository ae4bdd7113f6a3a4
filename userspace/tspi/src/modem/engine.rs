//! The engine of a modem line: commands and interrupts in, completions and events out.

use std::sync::Arc;
use std::time::Duration;

use ringback_driver::Time;
use ringback_driver::card::uart16550::{Service, Uart16550};
use ringback_driver::device::Device;
use ringback_driver::engine::{Context, Engine, Failure};
use ringback_driver::request::Token;

use super::control::{Control, Heard, News, Wire};
use super::data::{self, Data};
use super::dial_command::{ORIGINATE, dial_command, stays_in_command_state};
use super::result_code::ResultCode;
use super::transfer::Transfers;
use crate::callstate::CallState;
use crate::constants::*;
use crate::dialstring::DialString;
use crate::error::LineError;
use crate::line::{
    Book, Call, CallHandles, CallInfo, CallSnapshot, Command, DialTiming, Event, Op, PortState,
    dialing_time, failure,
};
use crate::types::{HDRVCALL, HTAPILINE};

/// A UART that has not interrupted for this long is looked after.
const QUIET: Duration = Duration::from_millis(50);
/// One that has more to be looked after than one service does.
const SOON: Duration = Duration::from_millis(1);
/// An incoming call is over when RING has not come for so long; it comes every 5 or 6 s.
const RING_GONE: Duration = Duration::from_secs(10);
/// From the last digit to CONNECT or another result. Modems give up after S7, 50 s by default.
const RESULT: Duration = Duration::from_secs(120);
/// Longer than a modem waits for dial tone before it says that there is none.
const NO_DIAL_TONE: Duration = Duration::from_secs(10);
/// From the last digit of a partial number to OK.
const DIALED: Duration = Duration::from_secs(10);
/// From ATA to CONNECT or another result.
const ANSWERED: Duration = Duration::from_secs(60);
/// More than the end of the last call, and getting a modem that does not answer to do so, take.
const PREPARED: Duration = Duration::from_secs(25);
/// More than hanging up takes.
const HUNG_UP: Duration = Duration::from_secs(15);
/// Sending, besides the time of the bytes at 300 bit/s: the other modem may ask to wait.
const SENT: Duration = Duration::from_secs(15);
const BYTE: Duration = Duration::from_millis(40);

/// What a modem line is made of, beside its UART.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModemOptions {
    /// The command line, beginning with AT, that is sent before every call. A modem that refuses it
    /// is used nevertheless.
    pub init: String,
}

impl Default for ModemOptions {
    /// Tell dial tone and busy (X4), carrier by DCD (&C1), hang up by DTR (&D2), never answer by
    /// itself (S0=0).
    fn default() -> Self {
        ModemOptions { init: "ATX4&C1&D2S0=0".into() }
    }
}

/// What is to be done as soon as the modem takes commands.
#[derive(Debug)]
enum Plan {
    Dial { address: DialString, only_if_idle: bool, timing: DialTiming },
    PassThrough,
    Answer,
}

/// Whether it rings, and when it did last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ringing {
    No,
    /// A call is offered.
    Offered(Time),
    /// A call that was dropped rings on: a plain line can't be told to stop.
    Rejected(Time),
}

/// A line whose device is a modem behind a UART.
#[derive(Debug)]
pub struct Modem<D: Device> {
    uart: Uart16550<D>,
    control: Control,
    book: Book,
    handles: Arc<CallHandles>,
    plan: Option<Plan>,
    ringing: Ringing,
    /// When what is being dialled will be out.
    dialed_at: Time,
    /// The timing of the call's dialling.
    timing: DialTiming,
    /// The call was made without a number.
    only_seizes: bool,
    transfers: Transfers,
    data: Data,
    /// It answered when it was asked last.
    answers: bool,
    look_after: Time,
    gone: bool,
}

impl<D: Device> Wire for Uart16550<D> {
    fn send(&mut self, bytes: &[u8]) {
        if Uart16550::send(self, bytes) < bytes.len() {
            tracing::warn!("the modem takes no bytes; a command is lost");
        }
    }

    fn set_dtr(&mut self, on: bool) {
        Uart16550::set_dtr(self, on);
    }
}

impl<D: Device> Modem<D> {
    /// Takes a UART that was opened and starts it. The modem is asked for nothing before its line is
    /// opened.
    ///
    /// # Errors
    /// The operating system does not let the UART's interrupt through.
    pub fn new(
        mut uart: Uart16550<D>,
        options: &ModemOptions,
        handles: Arc<CallHandles>,
        now: Time,
    ) -> std::io::Result<Modem<D>> {
        uart.start()?;
        Ok(Modem {
            uart,
            control: Control::new(&options.init),
            book: Book::new(0),
            handles,
            plan: None,
            ringing: Ringing::No,
            dialed_at: Time::NEVER,
            timing: DialTiming::default(),
            only_seizes: false,
            transfers: Transfers::default(),
            data: Data::default(),
            answers: false,
            look_after: now + QUIET,
            gone: false,
        })
    }

    /// What comes from the other modem.
    pub fn data(&self) -> Data {
        self.data.clone()
    }

    /// The UART below.
    pub fn uart(&self) -> &Uart16550<D> {
        &self.uart
    }

    /// How the line is.
    pub fn state(&self) -> PortState {
        PortState {
            open: self.book.open.is_some(),
            call: self.book.call.as_ref().map(|call| call.state),
            in_service: self.answers && !self.gone,
        }
    }

    // Synchronous functions (K2)

    /// Opens the line: from now on it tells its events under TAPI's handle. The modem is prepared
    /// meanwhile; a call made before that is done waits for it.
    ///
    /// # Errors
    /// ALLOCATED if it is open, NODEVICE if the UART is gone.
    pub fn open(&mut self, tapi: HTAPILINE, cx: &Context<'_, Event>) -> Result<(), LineError> {
        if self.gone {
            return Err(LineError::NODEVICE);
        }
        if self.book.open.is_some() {
            return Err(LineError::ALLOCATED);
        }
        self.book.open = Some(tapi);
        self.control.prepare(cx.now(), &mut self.uart);
        Ok(())
    }

    /// Closes the line: its call is dropped (LINEDEVCAPFLAGS_CLOSEDROP, D3), every outstanding
    /// request is completed with OPERATIONFAILED (D1), no event follows (D2). The modem hangs up
    /// afterwards.
    ///
    /// # Errors
    /// OPERATIONUNAVAIL if it is not open.
    pub fn close(&mut self, cx: &mut Context<'_, Event>) -> Result<(), LineError> {
        if self.book.open.is_none() {
            return Err(LineError::OPERATIONUNAVAIL);
        }
        self.hang_up(cx);
        self.book.close(cx);
        Ok(())
    }

    /// Closes a call in any state, also one whose creation is pending (N6) or that failed (N8): its
    /// outstanding requests are completed with OPERATIONFAILED, no event follows (D5). The modem
    /// hangs up afterwards.
    ///
    /// # Errors
    /// INVALCALLHANDLE for a handle that was never given out.
    pub fn close_call(
        &mut self,
        call: HDRVCALL,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), LineError> {
        if !self.handles.knows(call) {
            return Err(LineError::INVALCALLHANDLE);
        }
        if self.book.live(call).is_ok() {
            self.hang_up(cx);
        }
        self.book.close_call(cx, call);
        Ok(())
    }

    /// What is known of a call.
    ///
    /// # Errors
    /// INVALCALLHANDLE.
    pub fn call(&self, call: HDRVCALL) -> Result<CallSnapshot, LineError> {
        Ok(self.book.find(call).ok_or(LineError::INVALCALLHANDLE)?.snapshot(self.book.line))
    }

    // Requests

    fn begin(
        &mut self,
        request: Token,
        command: Command,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), LineError> {
        match command {
            Command::MakeCall { call, address, called, only_if_idle, media, timing } => {
                let info = CallInfo::outbound(call, media, called);
                let plan = Plan::Dial { address, only_if_idle, timing };
                return self.make_call(request, Call::new(call, info), plan, cx);
            }
            Command::PassThrough { call, media } => {
                let info = CallInfo::outbound(call, media, String::new());
                return self.make_call(request, Call::new(call, info), Plan::PassThrough, cx);
            }
            _ => {}
        }
        let state = self.book.live(command.call())?.state;
        match command {
            Command::Dial { address, .. } => self.dial(request, &address, cx),
            Command::Answer { .. } => {
                if self.book.has(Op::Answer) || state != Some(CallState::Offering) {
                    return Err(LineError::INVALCALLSTATE);
                }
                self.book.started(request, Op::Answer);
                self.ringing = Ringing::No;
                self.plan = Some(Plan::Answer);
                self.go_on(cx);
                Ok(())
            }
            Command::Drop { call } => {
                self.drop_call(request, call, cx);
                Ok(())
            }
            Command::Send { bytes, .. } if self.control.is_online() => {
                self.transfers.send(request, bytes);
                self.transfers.advance(&mut self.uart, &self.data, cx);
                Ok(())
            }
            Command::Receive { bytes, .. } if bytes > data::ROOM => Err(LineError::INVALPARAM),
            Command::Receive { bytes, .. } if self.control.is_online() => {
                self.transfers.receive(request, bytes);
                self.transfers.advance(&mut self.uart, &self.data, cx);
                Ok(())
            }
            _ => Err(LineError::INVALCALLSTATE),
        }
    }

    fn make_call(
        &mut self,
        request: Token,
        call: Call,
        plan: Plan,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), LineError> {
        if self.book.open.is_none() {
            return Err(LineError::INVALLINEHANDLE);
        }
        if self.book.call.is_some() {
            return Err(LineError::CALLUNAVAIL);
        }
        if self.ringing != Ringing::No {
            return Err(LineError::INUSE);
        }
        self.book.started(request, Op::MakeCall);
        self.book.call = Some(call);
        if !matches!(plan, Plan::PassThrough) {
            // Also a modem that took commands a while ago has to show that it still does.
            self.control.prepare(cx.now(), &mut self.uart);
        }
        self.plan = Some(plan);
        self.go_on(cx);
        Ok(())
    }

    fn dial(
        &mut self,
        request: Token,
        address: &DialString,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), LineError> {
        if !self.control.is_off_hook() {
            return Err(LineError::INVALCALLSTATE);
        }
        self.book.set_state(cx, CallState::Dialing, 0);
        self.book.started(request, Op::Dial);
        let nothing = address.steps.is_empty();
        if nothing && address.partial {
            self.book.complete(cx, Op::Dial, Ok(()));
            return Ok(());
        }
        let command = if nothing { ORIGINATE.to_owned() } else { dial_command(address) };
        let wait = Duration::from_millis(u64::from(self.timing.dial_tone_ms));
        self.send_dial(&command, address, address.partial, wait, cx);
        Ok(())
    }

    fn send_dial(
        &mut self,
        command: &str,
        address: &DialString,
        partial: bool,
        wait: Duration,
        cx: &mut Context<'_, Event>,
    ) {
        let dialed = cx.now() + wait + dialing_time(address, &self.timing);
        self.dialed_at = if partial { Time::NEVER } else { dialed };
        let until = dialed + if partial { DIALED } else { RESULT };
        self.control.dial(command, partial, until, &mut self.uart);
    }

    /// D7: whatever else the call was asked for will not happen any more.
    fn drop_call(&mut self, request: Token, call: HDRVCALL, cx: &mut Context<'_, Event>) {
        if self.book.has(Op::Drop) {
            self.book.started(request, Op::Drop);
            return;
        }
        self.book.complete_all(cx, LineError::OPERATIONFAILED);
        let on_hook = self.hang_up(cx);
        if self.book.state().is_none() {
            self.book.forget(call);
            cx.complete(request, 0);
        } else if on_hook {
            self.book.set_state(cx, CallState::Idle, 0);
            cx.complete(request, 0);
        } else {
            self.book.started(request, Op::Drop);
        }
    }

    /// Ends whatever the modem does; `true` if it is on-hook already.
    fn hang_up(&mut self, cx: &mut Context<'_, Event>) -> bool {
        if let Ringing::Offered(last) = self.ringing {
            self.ringing = Ringing::Rejected(last);
        }
        self.plan = None;
        self.dialed_at = Time::NEVER;
        self.end_transfers(cx);
        self.control.hang_up(cx.now(), &mut self.uart)
    }

    fn end_transfers(&mut self, cx: &mut Context<'_, Event>) {
        self.transfers.fail(cx, LineError::OPERATIONFAILED);
        self.uart.discard_unsent();
    }

    // What is to be done

    /// Does what is planned if the modem is ready for it, or gets it ready.
    fn go_on(&mut self, cx: &mut Context<'_, Event>) {
        if self.control.is_busy() {
            return;
        }
        match self.plan.take() {
            Some(Plan::PassThrough) => {
                self.control.give_away();
                self.connected(cx, LINECONNECTEDMODE_ACTIVE);
            }
            plan @ Some(_) if !self.control.is_ready() => {
                self.plan = plan;
                self.control.prepare(cx.now(), &mut self.uart);
            }
            Some(Plan::Answer) => self.control.answer(cx.now() + ANSWERED, &mut self.uart),
            Some(Plan::Dial { address, only_if_idle, timing }) => {
                self.timing = timing;
                self.only_seizes = address.steps.is_empty();
                let wait = Duration::from_millis(u64::from(timing.dial_tone_ms));
                let wait = if only_if_idle { wait.max(NO_DIAL_TONE) } else { wait };
                let partial = stays_in_command_state(&address);
                self.send_dial(&dial_command(&address), &address, partial, wait, cx);
                // Where the call depends on dial tone, there is none while that may be missing.
                if !only_if_idle && !self.only_seizes {
                    self.book.complete(cx, Op::MakeCall, Ok(()));
                    self.book.set_state(cx, CallState::Dialing, 0);
                }
            }
            None => {}
        }
    }

    fn news(&mut self, news: News, cx: &mut Context<'_, Event>) {
        tracing::debug!(?news, "modem");
        match news {
            News::Ready => {
                self.answers = true;
                self.go_on(cx);
            }
            News::Silent => self.silent(cx),
            News::OffHook => self.off_hook(cx),
            News::Connected => self.connected(cx, LINECONNECTEDMODE_CONFIRMED),
            News::Failed(code) => self.failed(code, cx),
            News::NoResult if self.book.has(Op::MakeCall) => {
                self.not_made(LineError::OPERATIONFAILED, cx);
            }
            News::NoResult => self.disconnected(LINEDISCONNECTMODE_NOANSWER, cx),
            News::CarrierLost => self.disconnected(LINEDISCONNECTMODE_NORMAL, cx),
            News::RemoteRings => {
                self.dialed(cx);
                self.book.set_state(cx, CallState::Ringback, 0);
            }
            News::Ring => self.ring(cx),
            News::OnHook { confirmed } => {
                self.answers &= confirmed;
                if self.book.has(Op::Drop) {
                    let result = if confirmed { Ok(()) } else { Err(LineError::OPERATIONFAILED) };
                    self.book.set_state(cx, CallState::Idle, 0);
                    self.book.complete(cx, Op::Drop, result);
                }
                self.go_on(cx);
            }
        }
    }

    /// The modem does not answer: nothing that was planned can be done.
    fn silent(&mut self, cx: &mut Context<'_, Event>) {
        tracing::warn!("the modem does not answer: is it switched on, and is it one?");
        self.answers = false;
        self.uart.discard_unsent();
        match self.plan {
            // Whoever wants the modem for himself may know better how to talk to it.
            Some(Plan::PassThrough) => self.go_on(cx),
            Some(Plan::Answer) => self.disconnected(LINEDISCONNECTMODE_OUTOFORDER, cx),
            Some(Plan::Dial { .. }) => self.not_made(LineError::OPERATIONFAILED, cx),
            None => {}
        }
        self.plan = None;
    }

    /// The call that was being made has not come into being (N3).
    fn not_made(&mut self, error: LineError, cx: &mut Context<'_, Event>) {
        self.book.complete(cx, Op::MakeCall, Err(error));
        self.book.call = None;
    }

    /// The line is ours, and waits for more.
    fn off_hook(&mut self, cx: &mut Context<'_, Event>) {
        let made = self.book.has(Op::MakeCall);
        self.book.complete(cx, Op::MakeCall, Ok(()));
        self.book.complete(cx, Op::Dial, Ok(()));
        if made && self.only_seizes {
            // That it waited for dial tone is all that is known of it.
            self.book.set_state(cx, CallState::DialTone, LINEDIALTONEMODE_UNAVAIL);
        } else if made {
            self.book.set_state(cx, CallState::Dialing, 0);
        }
    }

    /// The digits are out (N10, N12).
    fn dialed(&mut self, cx: &mut Context<'_, Event>) {
        self.dialed_at = Time::NEVER;
        self.book.complete(cx, Op::MakeCall, Ok(()));
        self.book.complete(cx, Op::Dial, Ok(()));
    }

    fn connected(&mut self, cx: &mut Context<'_, Event>, mode: u32) {
        self.data.clear();
        self.dialed(cx);
        self.book.set_state(cx, CallState::Connected, mode);
        self.book.complete(cx, Op::Answer, Ok(()));
    }

    /// Dialling or answering has ended without a connection; the modem is on-hook.
    fn failed(&mut self, code: ResultCode, cx: &mut Context<'_, Event>) {
        let making = self.book.has(Op::MakeCall);
        match code {
            ResultCode::NoDialTone if making => self.not_made(LineError::CALLUNAVAIL, cx),
            ResultCode::Error if making => self.not_made(LineError::OPERATIONFAILED, cx),
            ResultCode::Busy => {
                self.dialed(cx);
                self.book.set_state(cx, CallState::Busy, LINEBUSYMODE_UNAVAIL);
            }
            ResultCode::NoAnswer => {
                self.dialed(cx);
                self.disconnected(LINEDISCONNECTMODE_NOANSWER, cx);
            }
            ResultCode::NoCarrier => {
                self.dialed(cx);
                self.disconnected(LINEDISCONNECTMODE_UNAVAIL, cx);
            }
            ResultCode::NoDialTone => self.disconnected(LINEDISCONNECTMODE_NODIALTONE, cx),
            ResultCode::Refused => self.disconnected(LINEDISCONNECTMODE_TEMPFAILURE, cx),
            _ => self.disconnected(LINEDISCONNECTMODE_UNKNOWN, cx),
        }
    }

    /// The call is over; what was asked of it fails.
    fn disconnected(&mut self, mode: u32, cx: &mut Context<'_, Event>) {
        self.dialed_at = Time::NEVER;
        self.end_transfers(cx);
        self.book.complete(cx, Op::MakeCall, Ok(()));
        self.book.complete(cx, Op::Dial, Err(LineError::OPERATIONFAILED));
        self.book.complete(cx, Op::Answer, Err(LineError::OPERATIONFAILED));
        self.book.set_state(cx, CallState::Disconnected, mode);
    }

    fn ring(&mut self, cx: &mut Context<'_, Event>) {
        let now = cx.now();
        match &mut self.ringing {
            Ringing::Offered(last) | Ringing::Rejected(last) => *last = now,
            Ringing::No if self.book.call.is_none() && self.book.open.is_some() => {
                let Some(call) = self.handles.next(self.book.line) else { return };
                let info = CallInfo::inbound(call, LINEMEDIAMODE_DATAMODEM);
                self.ringing = Ringing::Offered(now);
                self.book.offer(cx, Call::new(call, info));
            }
            Ringing::No => {}
        }
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
        while !self.control.is_online() || self.data.room() > 0 {
            let Some(byte) = self.uart.receive() else { break };
            match self.control.byte(byte, now, &mut self.uart) {
                Heard::Nothing => {}
                Heard::Data => self.data.push(byte),
                Heard::News(news) => self.news(news, cx),
            }
        }
        let carrier = self.uart.modem_status().dcd;
        if let Some(news) = self.control.carrier(carrier, now, &mut self.uart) {
            self.news(news, cx);
        }
        self.transfers.advance(&mut self.uart, &self.data, cx);
        self.look_after = now + if service == Service::More { SOON } else { QUIET };
    }

    /// When RING has not come for too long.
    fn ring_gone(&self) -> Time {
        match self.ringing {
            Ringing::No => Time::NEVER,
            Ringing::Offered(last) | Ringing::Rejected(last) => last + RING_GONE,
        }
    }
}

impl<D: Device> Engine for Modem<D> {
    type Command = Command;
    type Event = Event;

    fn lines(&self) -> usize {
        1
    }

    fn time_limit(command: &Command) -> Duration {
        match command {
            Command::MakeCall { address, timing, .. } => {
                let wait = Duration::from_millis(u64::from(timing.dial_tone_ms));
                PREPARED + wait.max(NO_DIAL_TONE) + dialing_time(address, timing) + DIALED
            }
            Command::PassThrough { .. } => PREPARED,
            Command::Dial { address, .. } => {
                let timing = DialTiming::MAX;
                let wait = Duration::from_millis(u64::from(timing.dial_tone_ms));
                wait + dialing_time(address, &timing) + 2 * DIALED
            }
            Command::Answer { .. } => PREPARED + ANSWERED,
            Command::Drop { .. } => HUNG_UP,
            Command::Send { bytes, .. } => {
                SENT + BYTE * u32::try_from(bytes.len()).unwrap_or(u32::MAX)
            }
            Command::Receive { time_limit, .. } => *time_limit,
        }
    }

    fn failure(cause: Failure) -> i32 {
        failure(cause)
    }

    fn start(
        &mut self,
        request: Token,
        command: Command,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), i32> {
        if self.gone {
            return Err(LineError::NODEVICE.raw());
        }
        self.begin(request, command, cx).map_err(LineError::raw)
    }

    fn interrupt(&mut self, _: u64, cx: &mut Context<'_, Event>) {
        self.visit(cx);
    }

    fn next_timer(&self) -> Time {
        if self.gone {
            return Time::NEVER;
        }
        self.look_after.min(self.control.until()).min(self.dialed_at).min(self.ring_gone())
    }

    fn timer(&mut self, cx: &mut Context<'_, Event>) {
        self.visit(cx);
        let now = cx.now();
        if let Some(news) = self.control.expired(now, &mut self.uart) {
            self.news(news, cx);
        }
        if now >= self.dialed_at {
            self.dialed(cx);
            self.book.set_state(cx, CallState::Proceeding, 0);
        }
        if now >= self.ring_gone() {
            if let Ringing::Offered(_) = self.ringing {
                self.disconnected(LINEDISCONNECTMODE_NORMAL, cx);
            }
            self.ringing = Ringing::No;
        }
    }

    fn ended(&mut self, request: Token, cause: Failure, cx: &mut Context<'_, Event>) {
        self.transfers.ended(request);
        let Some(op) = self.book.ended(request) else { return };
        tracing::warn!(?op, ?cause, "a request was ended");
        match op {
            // The call never came into being (N8).
            Op::MakeCall => {
                self.hang_up(cx);
                self.book.call = None;
            }
            Op::Answer => {
                self.hang_up(cx);
                self.book.set_state(cx, CallState::Idle, 0);
            }
            Op::Drop => self.book.set_state(cx, CallState::Idle, 0),
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
        let _ = self.close(cx);
        self.uart.safe();
    }
}
