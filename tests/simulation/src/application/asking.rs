//! The requests and functions that the application can use. Each is reported to the checker and the
//! journal.

use std::collections::BTreeSet;
use std::time::Duration;

use ringback_driver::card::ModuleKind;
use ringback_driver::engine::Context;
use ringback_driver::reactor::Refused;
use ringback_driver::request::{LineNumber, RequestId};
use ringback_lines::{CallHandles, Caller, Command, Event, LineEngine, Opening, Treatment};
use ringback_tspi::EvenPoisoned;
use ringback_tspi::constants::{LINEADDRESSSTATE, LINEDEVSTATE};
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring::{Modifiers, parse};
use ringback_tspi::error::LineError;
use ringback_tspi::key::Key;
use ringback_tspi::types::HDRVCALL;

use super::{Application, EndedBy, Held};
use crate::checker::{Kind, Rule, Submitted};
use crate::journal::note;

impl<E: LineEngine> Application<E> {
    /// Calls a synchronous function of the lines.
    fn with<R: Send + 'static>(
        &mut self,
        act: impl FnOnce(&mut E, &mut Context<'_, Event>) -> R + Send + 'static,
    ) -> Option<R> {
        let result = self.handle.as_ref()?.with(act).ok();
        if result.is_none() && !self.quiet {
            self.engine_gone();
        }
        result
    }

    fn running_now(&self) -> BTreeSet<RequestId> {
        self.running().unwrap_or_default()
    }

    fn note_ended(
        &mut self,
        by: EndedBy,
        before: &BTreeSet<RequestId>,
        after: &BTreeSet<RequestId>,
    ) {
        self.ended.extend(before.difference(after).map(|id| (*id, by)));
    }

    pub(crate) fn open(&mut self, line: usize) {
        let Some(tapi) = self.next_tapi() else { return };
        let was_open = self.checker.is_open(line);
        let Some(opened) = self.with(move |lines, cx| lines.open(LineNumber::at(line), tapi, cx))
        else {
            return;
        };
        note!(self.journal, "app  opens line {line} as {tapi}: {opened:?}");
        if opened.is_ok() {
            if was_open {
                self.checker.fail(Rule::OneCall, format!("line {line} was opened twice"));
            }
            self.checker.opened(line, tapi);
            // Most applications ask for status messages when they open a line.
            if self.dice.percent(70) {
                let (lines, addresses) = (LINEDEVSTATE.mask(), LINEADDRESSSTATE.mask());
                self.with(move |engine, _| {
                    engine
                        .book(LineNumber::at(line))
                        .map(|book| book.set_status_messages(lines, addresses))
                });
            }
        }
    }

    pub(crate) fn close(&mut self, line: usize) {
        let before = self.running_now();
        let Some(closed) = self.with(move |lines, cx| lines.close(LineNumber::at(line), cx)) else {
            return;
        };
        note!(self.journal, "app  closes line {line}: {closed:?}");
        if closed.is_err() {
            return;
        }
        self.coverage.count(if before.is_empty() { "closed a line" } else { "closed a busy line" });
        let after = self.running_now();
        self.note_ended(EndedBy::Close, &before, &after);
        self.checker.line_closed(line, &before, &after);
        let now = self.now();
        self.saboteur.closed_line(line, now);
    }

    pub(crate) fn close_call(&mut self, call: HDRVCALL) {
        let before = self.running_now();
        let Some(closed) = self.with(move |lines, cx| lines.close_call(call, cx)) else { return };
        note!(self.journal, "app  closes call {call}: {closed:?}");
        if closed.is_err() {
            return;
        }
        let after = self.running_now();
        if before != after {
            self.coverage.count("closed a call with requests");
        }
        self.note_ended(EndedBy::Close, &before, &after);
        self.checker.call_closed(call, &before, &after);
        let now = self.now();
        self.saboteur.closed_call(call, now);
    }

    pub(crate) fn make_call(&mut self, line: usize, text: &str) -> Option<HDRVCALL> {
        let modifiers = Modifiers { dial_tone: true, ..Modifiers::default() };
        let address = match parse(text, modifiers) {
            Ok(address) => address,
            Err(refused) => {
                // The number is refused before anything is submitted (R7).
                note!(self.journal, "app  can't dial {text:?}: {:?}", refused.error);
                self.coverage.count("refused a dial string");
                return None;
            }
        };
        let call = self.handles.next(LineNumber::at(line))?;
        let only_if_idle = !self.quiet && self.dice.one_in(5);
        let timing = if self.quiet { DialTiming::default() } else { self.timing() };
        let caller = self.caller(line);
        let opening = self.with(move |lines, _| lines.state(LineNumber::at(line))?.opening);
        let command = Command::MakeCall {
            opening: opening.flatten().unwrap_or(Opening::FIRST),
            call,
            address,
            called: text.into(),
            only_if_idle,
            media: self.media,
            timing,
            caller,
            notes: ringback_lines::CallNotes::default(),
        };
        note!(self.journal, "app  makes call {call} on line {line} to {text:?}");
        self.remember(call);
        self.submit(line, Kind::MakeCall, call, command).then_some(call)
    }

    /// Who a telephone is told calls it.
    fn caller(&mut self, line: usize) -> Caller {
        let (now, kind) = (self.now(), self.kind(line));
        let Some((callers, ports)) = &self.callers else { return Caller::default() };
        let Some(port) = ports.get(line).filter(|_| kind == Some(ModuleKind::Fxs)) else {
            return Caller::default();
        };
        let mut callers = callers.lock().even_poisoned();
        let caller = callers.for_telephone(&mut self.dice);
        note!(self.journal, "app  calls telephone {port} for {caller:?}");
        callers.made(*port, caller, now)
    }

    pub(crate) fn dial(&mut self, call: HDRVCALL, text: &str) {
        let Ok(address) = parse(text, Modifiers { dial_tone: true, ..Modifiers::default() }) else {
            self.coverage.count("refused a dial string");
            return;
        };
        note!(self.journal, "app  dials {text:?} on {call}");
        self.ask(Kind::Dial, call, Command::Dial { call, address });
    }

    pub(crate) fn answer(&mut self, call: HDRVCALL) {
        note!(self.journal, "app  answers {call}");
        self.ask(Kind::Answer, call, Command::Answer { call });
    }

    pub(crate) fn accept(&mut self, call: HDRVCALL) {
        note!(self.journal, "app  accepts {call}");
        self.ask(Kind::Keep, call, Command::Accept { call });
    }

    /// Attaches something to a call: bytes, times of dialling, a number.
    pub(crate) fn attach(&mut self, call: HDRVCALL) {
        note!(self.journal, "app  attaches something to {call}");
        match self.dice.below(3) {
            0 => self.ask(Kind::Keep, call, Command::SetCallData { call, data: vec![1, 2, 3] }),
            1 => {
                let timing = Some(self.timing().clamped());
                self.ask(Kind::Keep, call, Command::SetCallParams { call, timing });
            }
            _ => {
                let number = self.dice.below(2);
                self.with(move |lines, cx| {
                    let book = CallHandles::line(call).and_then(|line| lines.book(line));
                    book.map(|book| book.set_app_specific(cx, call, number))
                });
            }
        }
    }

    /// Puts a call on hold, or connects it again.
    pub(crate) fn put_on_hold(&mut self, call: HDRVCALL, on_hold: bool) {
        note!(self.journal, "app  puts {call} on hold: {on_hold}");
        let command = if on_hold { Command::Hold { call } } else { Command::Unhold { call } };
        self.ask(Kind::Keep, call, command);
    }

    /// Chooses what a telephone hears that waits.
    pub(crate) fn treat(&mut self, call: HDRVCALL) {
        let treatment = self.dice.pick(Treatment::ALL).unwrap_or(Treatment::Silence);
        note!(self.journal, "app  lets the telephone of {call} hear {treatment:?}");
        self.ask(Kind::Keep, call, Command::SetCallTreatment { call, treatment });
    }

    pub(crate) fn drop_call(&mut self, call: HDRVCALL) {
        note!(self.journal, "app  drops {call}");
        self.ask(Kind::Drop, call, Command::Drop { call });
    }

    /// Sends bytes on a call, or receives some, which only a modem does.
    pub(crate) fn transfer(&mut self, call: HDRVCALL) {
        let bytes = self.dice.index(600);
        note!(self.journal, "app  transfers {bytes} bytes on {call}");
        let command = if self.dice.percent(50) {
            Command::Send { call, bytes: vec![b'x'; bytes] }
        } else {
            let time_limit = self.dice.mostly_short_ms(1, 20_000);
            Command::Receive { call, bytes: bytes.max(1), time_limit }
        };
        self.ask(Kind::Data, call, command);
    }

    fn ask(&mut self, kind: Kind, call: HDRVCALL, command: Command) {
        let line = CallHandles::line(call).unwrap_or(LineNumber::at(usize::MAX));
        self.submit(line.index(), kind, call, command);
    }

    fn timing(&mut self) -> DialTiming {
        let mut any = |max: u32| match self.dice.below(4) {
            0 => 0,
            1 => u32::MAX,
            2 => 1,
            _ => self.dice.below(max),
        };
        let asked = DialTiming {
            pause_ms: any(3000),
            gap_ms: any(200),
            digit_ms: any(200),
            dial_tone_ms: any(5000),
        };
        if self.dice.one_in(6) { asked.clamped() } else { DialTiming::default() }
    }

    /// Submits a request. Returns `false` if it was refused.
    fn submit(&mut self, line: usize, kind: Kind, call: HDRVCALL, command: Command) -> bool {
        let Some(handle) = &self.handle else { return false };
        let (time, limit) = (handle.now(), E::time_limit(&command));
        let id = self.manner.own_ids.then(|| self.free_id()).flatten();
        let before = self.running_now();
        let Some(handle) = &self.handle else { return false };
        let ticket = match handle.submit_as(id, LineNumber::at(line), command) {
            Ok(ticket) => ticket,
            Err(refused) => {
                let error = match refused {
                    Refused::Rejected(error) => error.into(),
                    // A provider returns this error for all other refusals.
                    _ => LineError::RESOURCEUNAVAIL,
                };
                note!(self.journal, "     refused: {error:?} ({refused})");
                self.coverage.count(match refused {
                    Refused::Full(_) => "refused, table full",
                    _ => "refused",
                });
                self.checker.refused(id);
                self.saboteur.refused(id, line, time);
                return false;
            }
        };
        let (id, token) = (ticket.id(), ticket.token());
        self.checker.submitted(Submitted { id, token, line, kind, call, time, limit });
        if kind == Kind::Drop {
            let after = self.running_now();
            if before.iter().any(|id| !after.contains(id)) {
                self.coverage.count("dropped a call with requests");
            }
            self.note_ended(EndedBy::Drop, &before, &after);
            self.checker.dropping(id, call, &before, &after);
        }
        let hold = self.hold();
        note!(self.journal, "     submitted {id}, ticket held for {hold:?}");
        self.coverage.count(if hold.is_zero() { "released at once" } else { "held a ticket" });
        let held = Held { id, until: time + hold, ticket: Some(ticket) };
        if hold.is_zero() {
            self.release(held);
        } else if self.saboteur.opens_gate() {
            self.tickets.push(Held { ticket: None, ..held });
        } else {
            self.tickets.push(held);
        }
        true
    }

    /// Chooses how long a ticket is held.
    fn hold(&mut self) -> Duration {
        if self.quiet || !self.dice.percent(self.manner.holds) {
            return Duration::ZERO;
        }
        let longest = if self.dice.one_in(8) { 8000 } else { 300 };
        self.dice.mostly_short_ms(1, longest)
    }

    /// Returns an id from the ends of the range, used again as soon as it is free (T2, T4).
    fn free_id(&mut self) -> Option<RequestId> {
        let first = self.dice.below(6);
        (0..64)
            .map(|n| (first + n) % 64)
            .map(|n| if n < 32 { n + 1 } else { RequestId::MAX - (n - 32) })
            .filter_map(RequestId::new)
            .find(|id| !self.checker.is_outstanding(*id))
    }

    pub(crate) fn cancel(&mut self) {
        let Some((id, token)) = self.dice_outstanding() else { return };
        let Some(handle) = &self.handle else { return };
        let cancelled = handle.cancel(token);
        note!(self.journal, "app  cancels {id}: {cancelled}");
        self.coverage.count(if cancelled { "cancelled" } else { "cancelled too late" });
    }

    fn dice_outstanding(&mut self) -> Option<(RequestId, ringback_driver::request::Token)> {
        let outstanding: Vec<_> = self.checker.outstanding().collect();
        self.dice.pick(&outstanding)
    }

    pub(crate) fn generate(&mut self, call: HDRVCALL, text: Option<&str>) {
        self.generations += 1;
        let id = self.generations;
        let digits = text.map(|text| text.chars().map(Key::from_char).collect::<Vec<_>>());
        let timing = DialTiming::default();
        let generated = self
            .with(move |lines, cx| lines.generate_digits(call, id, digits.as_deref(), timing, cx));
        let Some(generated) = generated else { return };
        note!(self.journal, "app  generates {text:?} on {call} as {id}: {generated:?}");
        if generated.is_ok() {
            self.checker.generating(call, text.map(|_| id));
        }
    }

    pub(crate) fn monitor(&mut self, call: HDRVCALL, modes: u32) {
        let Some(monitored) = self.with(move |lines, _| lines.monitor_digits(call, modes)) else {
            return;
        };
        note!(self.journal, "app  monitors {call} for {modes:#x}: {monitored:?}");
        if monitored.is_ok() {
            self.checker.monitoring(call, modes);
        }
    }

    /// Calls every function that only reads, and plays something.
    pub(crate) fn look(&mut self, line: usize, call: HDRVCALL) {
        let samples: Vec<i16> = (0..800).map(|n| if n % 16 < 8 { 4000 } else { -4000 }).collect();
        let looked = self.with(move |lines, _| {
            if let Some(audio) = lines.audio(LineNumber::at(line)) {
                audio.record(true);
                audio.play(&samples);
            }
            if let Some(data) = lines.data(LineNumber::at(line)) {
                data.fetch(&mut Vec::new());
            }
            (
                lines.state(LineNumber::at(line)),
                lines.call(call).map(|call| (call.state, call.mode)),
            )
        });
        note!(self.journal, "app  looks at line {line} and {call}: {looked:?}");
    }
}
