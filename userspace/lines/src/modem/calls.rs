//! The calls of a modem line: their requests, and what the modem's [`News`](super::control::News)
//! mean for them.

use std::time::Duration;

use ringback_driver::device::Device;
use ringback_driver::engine::Context;
use ringback_driver::request::{LineNumber, Token};
use ringback_driver::{Time, report};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring::DialString;
use ringback_tspi::error::LineError;
use ringback_tspi::media::DATA_ROOM;
use ringback_tspi::types::HDRVCALL;

use super::control::News;
use super::dial_command::{ORIGINATE, dial_command, stays_in_command_state};
use super::engine::{Modem, RING_GONE};
use super::limits::{ANSWERED, BUSY, DIALED, NO_DIAL_TONE, RESULT, RETRY};
use super::plan::{Plan, Ringing};
use super::result_code::ResultCode;
use crate::book::Op;
use crate::call::Call;
use crate::{CallInfo, Command, Event, dialing_time};

impl<D: Device> Modem<D> {
    // Requests

    pub(super) fn begin(
        &mut self,
        request: Token,
        command: Command,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), LineError> {
        match command {
            Command::MakeCall {
                opening,
                call,
                address,
                called,
                only_if_idle,
                media,
                timing,
                notes,
                ..
            } => {
                self.book.openings.check(opening)?;
                let info = CallInfo::outbound(call, media, called, timing, notes);
                let plan = Plan::Dial { address, only_if_idle, timing };
                return self.make_call(request, Call::new(call, info), plan, cx);
            }
            Command::PassThrough { opening, call, media, notes } => {
                self.book.openings.check(opening)?;
                let timing = DialTiming::default();
                let info = CallInfo::outbound(call, media, String::new(), timing, notes);
                let info = CallInfo { bearer: LINEBEARERMODE_PASSTHROUGH, ..info };
                return self.make_call(request, Call::new(call, info), Plan::PassThrough, cx);
            }
            Command::SetLineDevStatus { line, opening, bits, on } => {
                if line != self.book.line {
                    return Err(LineError::INVALLINEHANDLE);
                }
                self.book.openings.check(opening)?;
                self.book.set_device_status(cx, bits, on, self.answers)?;
                cx.complete(request, Ok(()));
                return Ok(());
            }
            _ => {}
        }
        let call = command.call().ok_or(LineError::INVALCALLHANDLE)?;
        match command.feature() {
            Some(feature) => self.can_on(call, feature)?,
            None => {
                self.book.living(call)?;
            }
        }
        let Some(command) = self.book.keep(cx, request, command) else { return Ok(()) };
        match command {
            Command::Dial { address, .. } => self.dial(request, &address, cx),
            Command::Answer { .. } => {
                self.book.started(request, Op::Answer);
                self.ringing = Ringing::No;
                self.book.stops_ringing();
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
                self.advance(cx);
                Ok(())
            }
            Command::Receive { bytes, .. } if bytes > DATA_ROOM => Err(LineError::INVALPARAM),
            Command::Receive { bytes, .. } if self.control.gives_data() => {
                self.transfers.receive(request, bytes);
                self.advance(cx);
                Ok(())
            }
            _ => Err(LineError::INVALCALLSTATE),
        }
    }

    /// The answer of [`LineEngine::can`](crate::LineEngine::can).
    pub(super) fn can_on(&self, call: HDRVCALL, feature: u32) -> Result<(), LineError> {
        self.book.living(call)?;
        let possible = match feature {
            LINECALLFEATURE_DROP => true,
            // A call that is being dropped is not answered any more.
            LINECALLFEATURE_ANSWER => !self.book.has(Op::Answer) && !self.book.has(Op::Drop),
            // More can be dialled only after a partial number, when the modem takes commands.
            LINECALLFEATURE_DIAL => self.control.is_off_hook(),
            other => self.book.can_keep(other).ok_or(LineError::OPERATIONUNAVAIL)?,
        };
        self.book.allows(call, feature)?;
        if possible { Ok(()) } else { Err(LineError::INVALCALLSTATE) }
    }

    /// Whether a call can be made now.
    pub(super) fn can_call(&self) -> Result<(), LineError> {
        self.book.may_call()?;
        if self.book.call.is_some() {
            return Err(LineError::CALLUNAVAIL);
        }
        if self.ringing == Ringing::No { Ok(()) } else { Err(LineError::INUSE) }
    }

    fn make_call(
        &mut self,
        request: Token,
        call: Call,
        plan: Plan,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), LineError> {
        self.can_call()?;
        self.book.started(request, Op::MakeCall);
        self.book.call = Some(call);
        if !matches!(plan, Plan::PassThrough) {
            // A modem that took commands a while ago may not do so any more, so it is checked.
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
        self.book.set_state(cx, CallState::Dialing, 0);
        self.book.started(request, Op::Dial);
        if let Some(call) = &self.book.call {
            self.timing = call.info.timing;
        }
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

    /// D7: dropping ends the call's other requests.
    fn drop_call(&mut self, request: Token, call: HDRVCALL, cx: &mut Context<'_, Event>) {
        if self.book.has(Op::Drop) {
            self.book.started(request, Op::Drop);
            return;
        }
        self.book.complete_all(cx, LineError::OPERATIONFAILED);
        let on_hook = self.hang_up(cx);
        if self.book.state().is_none() {
            self.book.forget(call);
            cx.complete(request, Ok(()));
        } else if on_hook {
            self.book.set_state(cx, CallState::Idle, 0);
            cx.complete(request, Ok(()));
        } else {
            self.book.started(request, Op::Drop);
        }
    }

    /// Hangs the modem up, whatever it does; `true` if it is on-hook already.
    pub(super) fn hang_up(&mut self, cx: &mut Context<'_, Event>) -> bool {
        if let Ringing::Offered(last) = self.ringing {
            self.ringing = Ringing::Rejected(last);
        }
        self.plan = None;
        self.dialed_at = Time::NEVER;
        self.busy_until = Time::NEVER;
        self.end_transfers(cx);
        self.control.hang_up(cx.now(), &mut self.uart)
    }

    fn end_transfers(&mut self, cx: &mut Context<'_, Event>) {
        self.transfers.fail(cx, LineError::OPERATIONFAILED);
        self.uart.discard_unsent();
    }

    // What is to be done

    /// Carries out the plan if the modem is ready for it, otherwise prepares the modem.
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
                // If the call depends on dial tone, it has no state as long as dial tone may be
                // missing.
                if !only_if_idle && !self.only_seizes {
                    self.book.complete(cx, Op::MakeCall, Ok(()));
                    self.book.set_state(cx, CallState::Dialing, 0);
                }
            }
            None => {}
        }
    }

    pub(super) fn news(&mut self, news: News, cx: &mut Context<'_, Event>) {
        report!(DEBUG, "modem: {news:?}");
        match news {
            News::Ready => {
                self.retry_at = Time::NEVER;
                self.answers(true, cx);
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
            News::CarrierOff => {
                self.transfers.fail_sends(cx, LineError::OPERATIONFAILED);
                self.uart.discard_unsent();
            }
            News::CarrierLost => self.disconnected(LINEDISCONNECTMODE_NORMAL, cx),
            News::RemoteRings => {
                self.dialed(cx);
                self.book.set_state(cx, CallState::Ringback, 0);
            }
            News::Ring => self.ring(cx),
            News::Caller => {
                self.caller_at = cx.now();
                if let Ringing::Offered(_) = self.ringing {
                    self.book.set_caller(cx, self.control.caller().clone());
                }
            }
            News::OnHook { confirmed } => {
                self.retry_at = if confirmed { Time::NEVER } else { cx.now() + RETRY };
                self.answers(self.answers && confirmed, cx);
                if self.book.has(Op::Drop) {
                    let result = if confirmed { Ok(()) } else { Err(LineError::OPERATIONFAILED) };
                    self.book.set_state(cx, CallState::Idle, 0);
                    self.book.complete(cx, Op::Drop, result);
                }
                self.go_on(cx);
            }
        }
    }

    /// Tries to hang a modem up that did not confirm it, which preparing it does: a line that is
    /// left off-hook may cost money.
    pub(super) fn retry(&mut self, now: Time) {
        self.retry_at = now + RETRY;
        self.control.prepare(now, &mut self.uart);
    }

    /// The modem does not answer: what was planned fails.
    fn silent(&mut self, cx: &mut Context<'_, Event>) {
        report!(WARN, "the modem does not answer: is it switched on, and is it one?");
        self.answers(false, cx);
        self.uart.discard_unsent();
        match self.plan {
            // An application that wants direct access may get the modem to answer.
            Some(Plan::PassThrough) => self.go_on(cx),
            Some(Plan::Answer) => self.disconnected(LINEDISCONNECTMODE_OUTOFORDER, cx),
            Some(Plan::Dial { .. }) => self.not_made(LineError::OPERATIONFAILED, cx),
            None => {}
        }
        self.plan = None;
    }

    /// Notes whether the modem answers: the line is in service or out of it.
    fn answers(&mut self, answers: bool, cx: &mut Context<'_, Event>) {
        if std::mem::replace(&mut self.answers, answers) != answers {
            self.book.serves(cx, answers);
        }
    }

    /// Making the call has failed (N3).
    fn not_made(&mut self, error: LineError, cx: &mut Context<'_, Event>) {
        self.dialed_at = Time::NEVER;
        self.book.complete(cx, Op::MakeCall, Err(error));
        self.book.call = None;
    }

    /// The line is seized, and waits for more digits.
    fn off_hook(&mut self, cx: &mut Context<'_, Event>) {
        let made = self.book.has(Op::MakeCall);
        self.book.complete(cx, Op::MakeCall, Ok(()));
        self.book.complete(cx, Op::Dial, Ok(()));
        if made && self.only_seizes {
            // Only that the modem waited for dial tone is known, not which one it heard.
            self.book.set_state(cx, CallState::DialTone, LINEDIALTONEMODE_UNAVAIL);
        } else if made {
            self.book.set_state(cx, CallState::Dialing, 0);
        }
    }

    /// The digits were dialled (N10, N12).
    pub(super) fn dialed(&mut self, cx: &mut Context<'_, Event>) {
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
                self.busy_until = cx.now() + BUSY;
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

    /// The call is over; its requests fail.
    pub(super) fn disconnected(&mut self, mode: u32, cx: &mut Context<'_, Event>) {
        self.dialed_at = Time::NEVER;
        self.busy_until = Time::NEVER;
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
            // The rest of a ring that is being answered.
            Ringing::No if self.book.call.is_some() => return,
            Ringing::No if self.book.openings.tapi().is_none() => return,
            Ringing::No | Ringing::Unwanted(_) => {
                if self.ringing == Ringing::No && now - self.caller_at > RING_GONE {
                    // That was another caller.
                    self.control.forget_caller();
                }
                let media = self.book.offered_media(LINEMEDIAMODE_DATAMODEM, 0);
                let wanted =
                    media.and_then(|media| Some((self.handles.next(LineNumber(0))?, media)));
                if let Some((call, media)) = wanted {
                    self.ringing = Ringing::Offered(now);
                    let caller = self.control.caller().clone();
                    let info = CallInfo { caller, ..CallInfo::inbound(call, media) };
                    self.book.offer(cx, Call::new(call, info));
                } else {
                    self.ringing = Ringing::Unwanted(now);
                }
            }
        }
        self.book.rings(cx);
    }
}
