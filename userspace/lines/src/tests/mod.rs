//! What the tests of every kind of line share: an engine on a [`Stepper`], the requests to its
//! lines and their upcalls, and the rules that hold in every test.
//!
//! A kind of line adds what is outside of its engine: an [`Outside`].

mod told;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use ringback_driver::Time;
use ringback_driver::reactor::{Handle, Refused, Stepper};
use ringback_driver::request::{LineNumber, RequestId};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring::{Modifiers, parse};
use ringback_tspi::error::LineError;
use ringback_tspi::key::Key;
use ringback_tspi::types::{HDRVCALL, HTAPILINE};

pub(crate) use self::told::{Log, Told};
use super::{
    CallHandles, CallInfo, CallNotes, Caller, Command, Event, LineEngine, LineReport, Opening,
    Subject,
};

/// What an engine under test has around it: the hardware of its card, and what hangs on that.
pub(crate) trait Outside: Sized {
    type Engine: LineEngine;

    /// The media mode of the calls that are made.
    const MEDIA: u32;

    /// Lets a millisecond pass, and the card interrupt in it as it has to.
    fn tick(&mut self, stepper: &mut Stepper<Self::Engine, Log>);

    /// Asserts at the end of each test what always holds.
    fn judge(&self) {}
}

/// An engine under a virtual clock with what is outside of it. Its fields can be used as the
/// world's own.
pub(crate) struct World<O: Outside> {
    pub(crate) outside: O,
    pub(crate) stepper: Stepper<O::Engine, Log>,
    pub(crate) handle: Handle<O::Engine>,
    pub(crate) handles: Arc<CallHandles>,
    log: Log,
    /// The calls that were made, and by which requests.
    made: Vec<(RequestId, HDRVCALL)>,
}

impl<O: Outside> World<O> {
    /// All lines are closed.
    pub(crate) fn around(outside: O, engine: O::Engine, handles: Arc<CallHandles>) -> World<O> {
        let log = Log::default();
        let stepper = Stepper::new(engine, log.clone(), 64).unwrap();
        let handle = stepper.handle();
        World { outside, stepper, handle, handles, log, made: Vec::new() }
    }

    /// Opens a line; TAPI's handle of line 0 is 1, and so on.
    pub(crate) fn open(&mut self, line: LineNumber) -> Opening {
        let tapi = tapi_line(line);
        self.handle.with(move |lines, cx| lines.open(line, tapi, cx)).unwrap().unwrap()
    }

    pub(crate) fn close(&mut self, line: LineNumber) {
        self.handle.with(move |lines, cx| lines.close(line, cx)).unwrap().unwrap();
    }

    pub(crate) fn now(&self) -> Duration {
        self.stepper.now() - Time::ZERO
    }

    pub(crate) fn run(&mut self, ms: u64) {
        for _ in 0..ms {
            self.outside.tick(&mut self.stepper);
            self.stepper.advance(Duration::from_millis(1));
        }
    }

    /// Runs until this finds something, or fails after that many ms.
    pub(crate) fn find<T>(
        &mut self,
        what: &str,
        ms: u64,
        find: impl Fn(&mut World<O>) -> Option<T>,
    ) -> T {
        for _ in 0..ms {
            if let Some(found) = find(self) {
                return found;
            }
            self.run(1);
        }
        panic!("{what} was due; emitted: {:#?}", self.log.told());
    }

    /// Runs until the call is in the state, or fails after that many ms.
    pub(crate) fn until(&mut self, call: HDRVCALL, state: CallState, ms: u64) {
        self.find(state.name(), ms, |world| (world.state(call) == Some(state)).then_some(()));
    }

    /// Runs until a call is announced, and returns it, or fails after that many ms.
    pub(crate) fn offered(&mut self, ms: u64) -> HDRVCALL {
        self.find("a call", ms, |world| {
            world.log.told().iter().find_map(|told| match told {
                Told::Event(Event::Line { subject: Subject::NewCall(call), .. }) => Some(*call),
                _ => None,
            })
        })
    }

    pub(crate) fn submit(
        &self,
        line: LineNumber,
        command: Command,
    ) -> Result<RequestId, LineError> {
        match self.handle.submit(line, command) {
            Ok(ticket) => Ok(ticket.id()),
            Err(Refused::Rejected(error)) => Err(error.into()),
            Err(other) => panic!("{other}"),
        }
    }

    /// Submits a command to the line of its call.
    pub(crate) fn ask(&self, command: Command) -> Result<RequestId, LineError> {
        let line = CallHandles::line(command.call().unwrap()).unwrap();
        self.submit(line, command)
    }

    pub(crate) fn make_call(
        &mut self,
        line: LineNumber,
        number: &str,
    ) -> (HDRVCALL, Result<RequestId, LineError>) {
        self.make_call_if(line, number, false)
    }

    /// Makes a call; the request has failed where `only_if_idle` holds and the line is not.
    pub(crate) fn make_call_if(
        &mut self,
        line: LineNumber,
        number: &str,
        only_if_idle: bool,
    ) -> (HDRVCALL, Result<RequestId, LineError>) {
        let opening = self.report(line).opening.unwrap_or(Opening::FIRST);
        self.make_call_in(opening, line, number, only_if_idle)
    }

    /// Makes a call for this opening of the line, which may be over.
    pub(crate) fn make_call_in(
        &mut self,
        opening: Opening,
        line: LineNumber,
        number: &str,
        only_if_idle: bool,
    ) -> (HDRVCALL, Result<RequestId, LineError>) {
        let call = self.handles.next(line).unwrap();
        let modifiers = Modifiers { dial_tone: true, ..Modifiers::default() };
        self.make(Command::MakeCall {
            opening,
            call,
            address: parse(number, modifiers).unwrap(),
            called: number.into(),
            only_if_idle,
            media: O::MEDIA,
            timing: DialTiming::default(),
            caller: Caller::default(),
            notes: CallNotes::default(),
        })
    }

    /// Submits a command that makes a call.
    pub(crate) fn make(&mut self, command: Command) -> (HDRVCALL, Result<RequestId, LineError>) {
        let call = command.call().unwrap();
        let made = self.ask(command);
        self.made.extend(made.ok().map(|id| (id, call)));
        (call, made)
    }

    /// Submits a command to a call that makes another one.
    pub(crate) fn make_beside(
        &mut self,
        command: Command,
        call: HDRVCALL,
    ) -> Result<RequestId, LineError> {
        let made = self.ask(command);
        self.made.extend(made.ok().map(|id| (id, call)));
        made
    }

    /// Notes a further call that the last request makes.
    pub(crate) fn note_made(&mut self, call: HDRVCALL) {
        let last = self.made.last().map(|(id, _)| *id);
        self.made.extend(last.map(|id| (id, call)));
    }

    /// Makes a call that is answered, and drops the upcalls until then.
    pub(crate) fn connect(&mut self, line: LineNumber, number: &str) -> HDRVCALL {
        let (call, made) = self.make_call(line, number);
        made.unwrap();
        self.until(call, CallState::Connected, 20_000);
        self.story();
        call
    }

    pub(crate) fn dial(&self, call: HDRVCALL, number: &str) -> Result<RequestId, LineError> {
        self.ask(Command::Dial { call, address: parse(number, Modifiers::default()).unwrap() })
    }

    pub(crate) fn answer(&self, call: HDRVCALL) -> Result<RequestId, LineError> {
        self.ask(Command::Answer { call })
    }

    pub(crate) fn drop_call(&self, call: HDRVCALL) -> Result<RequestId, LineError> {
        self.ask(Command::Drop { call })
    }

    pub(crate) fn close_call(&self, call: HDRVCALL) -> Result<(), LineError> {
        self.handle.with(move |lines, cx| lines.close_call(call, cx)).unwrap()
    }

    /// Generates digits, each a character; without any it cancels.
    pub(crate) fn generate(
        &self,
        call: HDRVCALL,
        end_to_end: u32,
        digits: Option<&str>,
    ) -> Result<(), LineError> {
        let keys = |digits: &str| digits.chars().map(Key::from_char).collect::<Vec<_>>();
        let (digits, timing) = (digits.map(keys), DialTiming::default());
        let generate = self.handle.with(move |lines, cx| {
            lines.generate_digits(call, end_to_end, digits.as_deref(), timing, cx)
        });
        generate.unwrap()
    }

    pub(crate) fn state(&self, call: HDRVCALL) -> Option<CallState> {
        self.handle.with(move |lines, _| lines.call(call)).unwrap().ok()?.state
    }

    pub(crate) fn info(&self, call: HDRVCALL) -> CallInfo {
        self.handle.with(move |lines, _| lines.call(call)).unwrap().unwrap().info
    }

    pub(crate) fn features(&self, call: HDRVCALL) -> u32 {
        self.handle.with(move |lines, _| lines.features(call)).unwrap()
    }

    pub(crate) fn report(&self, line: LineNumber) -> LineReport {
        self.handle.with(move |lines, _| lines.state(line)).unwrap().unwrap()
    }

    /// Requests all status messages of a line.
    pub(crate) fn subscribe(&self, line: LineNumber) {
        let (states, address_states) = (LINEDEVSTATE.mask(), LINEADDRESSSTATE.mask());
        self.set_status_messages(line, states, address_states);
    }

    pub(crate) fn set_status_messages(&self, line: LineNumber, states: u32, address_states: u32) {
        let set = self.handle.with(move |lines, _| {
            lines.book(line).unwrap().set_status_messages(states, address_states);
        });
        set.unwrap();
    }

    /// Makes a line offer calls of these media modes, and no others.
    pub(crate) fn want(&self, line: LineNumber, media: u32) {
        let want = self.handle.with(move |lines, _| {
            lines.book(line).unwrap().set_default_media_detection(media);
        });
        want.unwrap();
    }

    /// The upcalls since this or [`story`](World::story) was called last.
    pub(crate) fn told(&mut self) -> Vec<Told> {
        self.stepper.deliver();
        self.log.take()
    }

    /// The same in short: states with their modes, results of requests, and so on.
    pub(crate) fn story(&mut self) -> Vec<String> {
        self.told().iter().map(Told::in_short).collect()
    }
}

/// TAPI's handle of a line.
fn tapi_line(line: LineNumber) -> HTAPILINE {
    HTAPILINE::new(line.index() + 1).unwrap()
}

impl<O: Outside> Deref for World<O> {
    type Target = O;
    fn deref(&self) -> &O {
        &self.outside
    }
}

impl<O: Outside> DerefMut for World<O> {
    fn deref_mut(&mut self) -> &mut O {
        &mut self.outside
    }
}

impl<O: Outside> Drop for World<O> {
    /// Checks, for every test, that the order rules held, and that each step of a call was one that
    /// a plain line can take.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.told();
        told::judge(&self.made, &self.log.all());
        self.outside.judge();
    }
}
