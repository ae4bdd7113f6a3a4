//! What the fuzzers of lines share: an engine under a virtual clock, and an application whose
//! actions are chosen by the input. Every request that is accepted completes exactly once (R4, C3),
//! and one that is refused never completes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ringback_driver::reactor::{Handle, Stepper, Upcalls};
use ringback_driver::request::{Completion, LineNumber, RequestId};
use ringback_lines::{CallHandles, CallNotes, Command, Event, LineEngine, Opening, Subject};
use ringback_media::caller_id::Caller;
use ringback_tspi::constants::LINEMEDIAMODE_INTERACTIVEVOICE;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring::{Modifiers, parse};
use ringback_tspi::types::{HDRVCALL, HTAPILINE};

/// The completions, and the call that was announced.
#[derive(Default)]
pub(crate) struct Seen {
    /// How often each request was completed.
    completed: BTreeMap<RequestId, usize>,
    /// The call that was announced last.
    offered: Option<HDRVCALL>,
}

/// Records what the engine reports.
#[derive(Clone, Default)]
pub(crate) struct Ear(Arc<Mutex<Seen>>);

impl Ear {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().expect("no upcall panics")
    }
}

impl<O> Upcalls<Event, O> for Ear {
    fn completed(&mut self, completion: Completion<O>) {
        *self.seen().completed.entry(completion.id).or_default() += 1;
    }

    fn event(&mut self, _: LineNumber, event: Event) {
        if let Event::Line { subject: Subject::NewCall(call), .. } = event {
            self.seen().offered = Some(call);
        }
    }
}

/// An engine with its application.
pub(crate) struct World<E: LineEngine> {
    pub(crate) stepper: Stepper<E, Ear>,
    handle: Handle<E>,
    handles: Arc<CallHandles>,
    ear: Ear,
    lines: u32,
    openings: BTreeMap<LineNumber, Opening>,
    call: Option<HDRVCALL>,
    accepted: Vec<RequestId>,
}

impl<E: LineEngine> World<E> {
    /// All lines are closed.
    pub(crate) fn new(engine: E, handles: Arc<CallHandles>, lines: u32) -> World<E> {
        let ear = Ear::default();
        let stepper = Stepper::new(engine, ear.clone(), 64).expect("a capacity");
        let handle = stepper.handle();
        let (openings, accepted) = (BTreeMap::new(), Vec::new());
        World { stepper, handle, handles, ear, lines, openings, call: None, accepted }
    }

    /// Carries out the action that two bytes choose. The engine may refuse it.
    pub(crate) fn act(&mut self, [what, how]: [u8; 2]) {
        let line = LineNumber(u32::from(how) % self.lines.max(1));
        let offered = self.ear.seen().offered;
        match what % 10 {
            0 | 1 => self.open(line),
            2 => {
                self.openings.remove(&line);
                // A line that is not open can't be closed.
                let _ = self.handle.with(move |engine, cx| engine.close(line, cx));
            }
            3 | 4 => self.make_call(line, how),
            5 => {
                let modifiers = Modifiers::default();
                let address = parse(["1", "23;", ",4", ""][usize::from(how % 4)], modifiers);
                self.on_call(|call| Command::Dial { call, address: address.unwrap_or_default() });
            }
            6 => {
                self.call = offered.or(self.call);
                self.on_call(|call| Command::Answer { call });
            }
            7 => self.on_call(|call| Command::Drop { call }),
            8 => {
                let bytes = vec![how; usize::from(how)];
                self.on_call(|call| Command::Send { call, bytes });
            }
            _ => {
                let Some(call) = self.call.take() else { return };
                // The call may be closed already.
                let _ = self.handle.with(move |engine, cx| engine.close_call(call, cx));
            }
        }
    }

    fn open(&mut self, line: LineNumber) {
        let Some(tapi) = HTAPILINE::new(line.index() + 1) else { return };
        let opened = self.handle.with(move |engine, cx| engine.open(line, tapi, cx));
        if let Ok(Ok(opening)) = opened {
            self.openings.insert(line, opening);
        }
    }

    fn make_call(&mut self, line: LineNumber, how: u8) {
        let opening = self.openings.get(&line).copied().unwrap_or(Opening::FIRST);
        let Some(call) = self.handles.next(line) else { return };
        let called = ["5550100", "100", "1,2", "", "T9P8", "7;"][usize::from(how / 4 % 6)];
        let Ok(address) = parse(called, Modifiers::default()) else { return };
        self.call = Some(call);
        self.submit(Command::MakeCall {
            opening,
            call,
            address,
            called: called.to_owned(),
            only_if_idle: how & 0x80 != 0,
            media: LINEMEDIAMODE_INTERACTIVEVOICE,
            timing: DialTiming::default(),
            caller: Caller::default(),
            notes: CallNotes::default(),
        });
    }

    fn on_call(&mut self, command: impl FnOnce(HDRVCALL) -> Command) {
        let Some(call) = self.call else { return };
        self.submit(command(call));
    }

    fn submit(&mut self, command: Command) {
        let Some(line) = command.call().and_then(CallHandles::line) else { return };
        if let Ok(ticket) = self.handle.submit(line, command) {
            self.accepted.push(ticket.id());
        }
    }

    /// Ends the engine, and checks that each accepted request has completed exactly once.
    pub(crate) fn end(mut self) {
        self.stepper.advance(Duration::from_millis(1));
        self.stepper.stop();
        let mut expected: BTreeMap<RequestId, usize> = BTreeMap::new();
        for id in self.accepted {
            *expected.entry(id).or_default() += 1;
        }
        assert_eq!(self.ear.seen().completed, expected, "each id completes as often as accepted");
    }
}
