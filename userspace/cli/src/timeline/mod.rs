//! A log of what happened, in order: written by any thread, read by one.
//!
//! The [`Recorder`] is the host's observer, and commands add entries of their own. The [`Log`]
//! reads the entries for printing; while it reads, it counts the requests and checks the order
//! rules ([`Summary`]). Rules: recording never waits, so that a slow terminal can't delay an
//! upcall; an entry is counted when it is read, by one thread, in the order of recording.

mod entry;
mod text;

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;

use ringback_driver::Time;
use ringback_driver::request::{ErrorCode, RequestId};
use ringback_host::Traced;
use ringback_tspi::callstate::monitor::{Monitor, Seen};
use ringback_tspi::constants::*;
use ringback_tspi::error::LineError;
use ringback_tspi::types::{HDRVCALL, HTAPICALL, HTAPILINE};
use serde::Serialize;

pub(crate) use entry::{Entry, EntryObject, What};
pub(crate) use text::{HEADINGS, Table, row, told};

/// An outcome as one number, as a log has it: 0, or the error's.
fn number(outcome: Result<(), LineError>) -> i32 {
    ErrorCode::number_of(outcome.map_err(ErrorCode::from))
}

/// The writing end of a log. Clones write to the same log.
#[derive(Debug, Clone)]
pub(crate) struct Recorder(mpsc::Sender<Entry>);

impl Recorder {
    /// Records what a command does or finds.
    pub(crate) fn add(&self, line: Option<u32>, what: What) {
        self.put(Entry { at: Time::monotonic(), line, what });
    }

    /// Records what the host reports to its observer.
    pub(crate) fn trace(&self, traced: &Traced<'_>) {
        match traced {
            Traced::Submitted { id, function, device_id, call, at, .. } => {
                let what = What::Submitted { id: id.get(), function, call: call.raw() };
                self.put(Entry { at: *at, line: Some(*device_id), what });
            }
            Traced::Returned { id, at } => self.request(*at, What::Returned { id: id.get() }),
            Traced::Refused { id, error, at } => {
                let (id, result, error) = (id.get(), error.raw(), error.to_string());
                let what = What::Refused { id, result, error };
                self.request(*at, what);
            }
            Traced::Completed { id, outcome, completed, delivered, early } => {
                let (id, early, result) = (id.get(), *early, number(*outcome));
                self.request(*completed, What::Completed { id, early });
                self.request(*delivered, What::Delivered { id, result });
            }
            Traced::Duplicate { id, outcome, at } => {
                let (id, result) = (id.get(), number(*outcome));
                self.request(*at, What::Duplicate { id, result });
            }
            Traced::Lost { id, at } => self.request(*at, What::Lost { id: id.get() }),
            Traced::Event { device_id, event } => {
                let what = What::of_event(event);
                self.put(Entry { at: event.at(), line: Some(*device_id), what });
            }
            _ => {}
        }
    }

    fn request(&self, at: Time, what: What) {
        self.put(Entry { at, line: None, what });
    }

    fn put(&self, entry: Entry) {
        // The log is gone, because the command is ending.
        let _ = self.0.send(entry);
    }
}

/// What the log contains about one request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) id: u32,
    pub(crate) function: &'static str,
    pub(crate) line: Option<u32>,
    pub(crate) submitted: Time,
    pub(crate) returned: Option<Time>,
    pub(crate) completed: Option<Time>,
    pub(crate) delivered: Option<Time>,
    pub(crate) result: Option<i32>,
    completions: u64,
    early: bool,
}

/// The counts and violations of a whole run. The last line of `demo --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Summary {
    /// Requests that were accepted; each must have one completion.
    pub(crate) requests: u64,
    /// Requests that were completed, once or more often.
    pub(crate) completed: u64,
    /// Completions that came before their function had returned.
    pub(crate) early: u64,
    /// Completions beyond the first of a request, or of no request at all.
    pub(crate) duplicate: u64,
    /// Requests that were never completed.
    pub(crate) lost: u64,
    /// Violations of an order rule (O1, O3, O4, O5, N4, N14, D2, D5), in words.
    pub(crate) order_violations: Vec<String>,
}

/// The reading end of a log.
#[derive(Debug)]
pub(crate) struct Log {
    entries: mpsc::Receiver<Entry>,
    started: Time,
    requests: Vec<Request>,
    /// For each id the request that has it now, as its index in `requests`.
    bearers: BTreeMap<u32, usize>,
    /// Completions with an id that no request ever had.
    strays: u64,
    monitor: Monitor,
}

/// A recorder and its log.
pub(crate) fn new() -> (Recorder, Log) {
    let (sender, entries) = mpsc::channel();
    let log = Log {
        entries,
        started: Time::monotonic(),
        requests: Vec::new(),
        bearers: BTreeMap::new(),
        strays: 0,
        monitor: Monitor::new(),
    };
    (Recorder(sender), log)
}

impl Log {
    /// Makes times count from now.
    pub(crate) fn start(&mut self) {
        self.started = Time::monotonic();
    }

    /// Returns the next entry, waiting for it for at most `wait`.
    pub(crate) fn next(&mut self, wait: Duration) -> Option<Entry> {
        let mut entry = self.entries.recv_timeout(wait).ok()?;
        if entry.line.is_none() {
            entry.line = entry.what.request().and_then(|id| self.bearer(id)?.line);
        }
        self.count(&entry);
        Some(entry)
    }

    /// Converts a time to milliseconds since the start.
    pub(crate) fn ms(&self, at: Time) -> f64 {
        // Microseconds are exact enough, and easy to read.
        (at.since(self.started).as_nanos() / 1000) as f64 / 1000.0
    }

    /// Milliseconds from the start to now.
    pub(crate) fn now_ms(&self) -> f64 {
        self.ms(Time::monotonic())
    }

    /// The entry as an object for machines.
    pub(crate) fn object<'a>(&self, entry: &'a Entry) -> EntryObject<'a> {
        EntryObject { t_ms: self.ms(entry.at), line: entry.line, what: &entry.what }
    }

    /// Returns all requests so far.
    pub(crate) fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// Returns the function of the request that has this id.
    pub(crate) fn function(&self, id: u32) -> &'static str {
        self.bearer(id).map_or("?", |request| request.function)
    }

    /// Computes the summary of everything so far.
    pub(crate) fn summary(&self) -> Summary {
        let accepted = || self.requests.iter().filter(|request| !request.is_refused());
        let count = |n: usize| n as u64;
        let again = self.requests.iter().map(|one| one.completions.saturating_sub(1)).sum::<u64>();
        let refused_and_completed = count(
            self.requests.iter().filter(|one| one.is_refused() && one.completions > 0).count(),
        );
        Summary {
            requests: count(accepted().count()),
            completed: count(accepted().filter(|one| one.completions > 0).count()),
            early: count(self.requests.iter().filter(|one| one.early).count()),
            duplicate: again + refused_and_completed + self.strays,
            lost: count(accepted().filter(|one| one.completions == 0).count()),
            order_violations: self.monitor.violations().iter().map(ToString::to_string).collect(),
        }
    }

    fn bearer(&self, id: u32) -> Option<&Request> {
        self.requests.get(*self.bearers.get(&id)?)
    }

    fn bearer_mut(&mut self, id: u32) -> Option<&mut Request> {
        self.requests.get_mut(*self.bearers.get(&id)?)
    }

    fn count(&mut self, entry: &Entry) {
        let (at, line) = (entry.at, entry.line);
        match &entry.what {
            What::Submitted { id, function, call } => {
                self.bearers.insert(*id, self.requests.len());
                self.requests.push(Request {
                    id: *id,
                    function,
                    line,
                    submitted: at,
                    returned: None,
                    completed: None,
                    delivered: None,
                    result: None,
                    completions: 0,
                    early: false,
                });
                if *function == "lineMakeCall"
                    && let (Some(request), Some(line), Some(call)) =
                        (RequestId::new(*id), handle(line), HTAPICALL::new(*call))
                {
                    self.see(Seen::Making { request, line, call });
                }
            }
            What::Returned { id } => {
                if let Some(request) = self.bearer_mut(*id) {
                    request.returned = Some(at);
                }
            }
            What::Refused { id, result, .. } => {
                if let Some(request) = self.bearer_mut(*id) {
                    request.result = Some(*result);
                }
                self.over(*id, *result);
            }
            What::Completed { id, early } => {
                if let Some(request) = self.bearer_mut(*id) {
                    request.early |= *early;
                    request.completed.get_or_insert(at);
                }
            }
            What::Delivered { id, result } => {
                match self.bearer_mut(*id) {
                    Some(request) => {
                        request.early |= request.returned.is_none() && !request.is_refused();
                        request.completions += 1;
                        if request.delivered.is_none() {
                            request.delivered = Some(at);
                            request.result = Some(*result);
                        }
                    }
                    None => self.strays += 1,
                }
                self.over(*id, *result);
            }
            What::Duplicate { id, .. } => match self.bearer_mut(*id) {
                Some(request) => request.completions += 1,
                None => self.strays += 1,
            },
            // A request without a completion is counted as lost already, so that this adds nothing.
            What::Lost { .. } => {}
            what => self.see_event(line, what),
        }
    }

    fn over(&mut self, id: u32, result: i32) {
        if let (Some(request), Some(result)) = (RequestId::new(id), ErrorCode::result_of(result)) {
            self.see(Seen::Completed { request, result });
        }
    }

    /// Passes an event to the monitor of the order rules. The device id stands for the line's
    /// handle, and TAPI's handle of a call for the driver's.
    fn see_event(&mut self, line: Option<u32>, what: &What) {
        let Some(line) = handle(line) else { return };
        let event = |call: usize, message, param1| {
            Some(Seen::Event { line, call: HTAPICALL::new(call), message, param1 })
        };
        let seen = match what {
            What::NewCall { call } => HDRVCALL::new(*call).map(|driver_call| Seen::NewCall {
                line,
                driver_call,
                call: HTAPICALL::new(*call),
            }),
            What::CallState { call, bit, .. } => event(*call, LINE_CALLSTATE, *bit as usize),
            What::CallInfo { call, bits, .. } => event(*call, LINE_CALLINFO, *bits as usize),
            What::Digit { call, digit, .. } => {
                event(*call, LINE_MONITORDIGITS, u32::from(*digit) as usize)
            }
            What::Generated { call, .. } => event(*call, LINE_GENERATE, 0),
            What::Message { call, message, params, .. } => {
                event(call.unwrap_or(0), *message, params[0])
            }
            What::CallClosed { call } => {
                HTAPICALL::new(*call).map(|call| Seen::CallClosed { call })
            }
            What::LineClosed => Some(Seen::LineClosed { line }),
            _ => None,
        };
        if let Some(seen) = seen {
            self.see(seen);
        }
    }

    fn see(&mut self, seen: Seen) {
        self.monitor.see(seen);
    }

    /// Returns whether this rule was broken so far.
    #[cfg(test)]
    fn broke(&self, rule: ringback_tspi::callstate::monitor::Rule) -> bool {
        self.monitor.violations().iter().any(|violation| violation.rule == rule)
    }
}

impl Request {
    /// Returns whether the function returned an error, so that no completion follows (R4).
    pub(crate) fn is_refused(&self) -> bool {
        self.returned.is_none() && self.completed.is_none() && self.result.is_some_and(|r| r < 0)
    }
}

/// Makes a handle for the line with this device id, for the monitor only.
fn handle(line: Option<u32>) -> Option<HTAPILINE> {
    HTAPILINE::new(line? as usize + 1)
}

#[cfg(test)]
mod tests {
    use ringback_tspi::callstate::CallState;
    use ringback_tspi::callstate::monitor::Rule;
    use ringback_tspi::error::LineError;

    use super::*;

    const NONE: Duration = Duration::ZERO;

    /// Reads all recorded entries.
    fn read(log: &mut Log) {
        while log.next(NONE).is_some() {}
    }

    fn submitted(id: u32, function: &'static str) -> What {
        What::Submitted { id, function, call: 1 }
    }

    fn over(recorder: &Recorder, id: u32, result: i32) {
        recorder.add(None, What::Completed { id, early: false });
        recorder.add(None, What::Delivered { id, result });
    }

    #[test]
    fn a_request_that_goes_well_is_counted_once() {
        let (recorder, mut log) = new();
        recorder.add(Some(2), submitted(1, "lineMakeCall"));
        recorder.add(None, What::Returned { id: 1 });
        over(&recorder, 1, 0);
        recorder.add(Some(2), What::state(1, CallState::DialTone, 1));
        read(&mut log);
        let summary = log.summary();
        assert_eq!((summary.requests, summary.completed), (1, 1));
        assert_eq!((summary.early, summary.duplicate, summary.lost), (0, 0, 0));
        assert_eq!(summary.order_violations, Vec::<String>::new());
        let request = &log.requests()[0];
        assert_eq!((request.line, request.result), (Some(2), Some(0)));
        assert!(request.submitted <= request.returned.unwrap());
        assert!(request.completed.unwrap() <= request.delivered.unwrap());
    }

    #[test]
    fn what_goes_wrong_is_counted() {
        let (recorder, mut log) = new();
        // 1 completes early, 2 completes twice, 3 never, 4 although it was refused; 9 was never
        // submitted.
        recorder.add(Some(0), submitted(1, "lineDrop"));
        over(&recorder, 1, 0);
        recorder.add(None, What::Returned { id: 1 });
        recorder.add(Some(0), submitted(2, "lineDrop"));
        recorder.add(None, What::Returned { id: 2 });
        over(&recorder, 2, 0);
        recorder.add(None, What::Duplicate { id: 2, result: 0 });
        recorder.add(Some(0), submitted(3, "lineDrop"));
        recorder.add(None, What::Returned { id: 3 });
        recorder.add(None, What::Lost { id: 3 });
        recorder.add(Some(0), submitted(4, "lineDrop"));
        let result = LineError::INVALCALLSTATE.raw();
        recorder.add(None, What::Refused { id: 4, result, error: String::new() });
        recorder.add(None, What::Duplicate { id: 4, result });
        recorder.add(None, What::Duplicate { id: 9, result: 0 });
        read(&mut log);
        let summary = log.summary();
        assert_eq!((summary.requests, summary.completed), (3, 2));
        assert_eq!((summary.early, summary.duplicate, summary.lost), (1, 3, 1));
    }

    #[test]
    fn an_id_that_is_used_again_is_another_request_t4() {
        let (recorder, mut log) = new();
        for _ in 0..2 {
            recorder.add(Some(0), submitted(1, "lineDrop"));
            recorder.add(None, What::Returned { id: 1 });
            over(&recorder, 1, 0);
        }
        read(&mut log);
        let summary = log.summary();
        assert_eq!((summary.requests, summary.completed, summary.duplicate), (2, 2, 0));
    }

    #[test]
    fn the_order_rules_are_checked_on_the_log() {
        let (recorder, mut log) = new();
        recorder.add(Some(0), submitted(1, "lineMakeCall"));
        recorder.add(Some(0), What::state(1, CallState::DialTone, 1));
        read(&mut log);
        assert!(log.broke(Rule::O1));
        recorder.add(Some(1), What::NewCall { call: 2 });
        recorder.add(Some(1), What::Digit { call: 2, digit: '1', end: false });
        read(&mut log);
        assert!(log.broke(Rule::N14) && !log.broke(Rule::O3));
        recorder.add(Some(1), What::state(2, CallState::Idle, 0));
        recorder.add(Some(1), What::state(2, CallState::Connected, 1));
        read(&mut log);
        assert!(log.broke(Rule::O3) && !log.broke(Rule::D5));
        recorder.add(Some(1), What::CallClosed { call: 2 });
        recorder.add(Some(1), What::state(2, CallState::Idle, 0));
        read(&mut log);
        assert!(log.broke(Rule::D5));
        assert_eq!(log.summary().order_violations.len(), 4);
    }

    #[test]
    fn a_table_has_a_row_for_every_request() {
        let (recorder, mut log) = new();
        recorder.add(Some(2), submitted(1, "lineMakeCall"));
        recorder.add(None, What::Returned { id: 1 });
        read(&mut log);
        let table = Table(&log).to_string();
        let rows: Vec<&str> = table.lines().collect();
        assert_eq!(rows.len(), 2);
        assert!(rows[0].contains("submitted") && rows[0].ends_with("result"));
        assert!(rows[1].contains("#1") && rows[1].contains("lineMakeCall"));
        assert!(rows[1].ends_with("-  none"), "not completed: {}", rows[1]);
    }
}
