//! Builds a history in one pass through the log, in its order.

use std::collections::HashMap;

use ringback_tspi::functions::{
    self, TSPI_lineClose, TSPI_lineCloseCall, TSPI_lineOpen, TSPI_phoneClose, TSPI_phoneOpen,
};

use super::{Call, Done, Fate, History, Opening, Request, Returned, Run, Up};
use crate::log::{Data, Log, Upcall, What};

/// The indices of the objects that entries refer to, during the pass through the log.
#[derive(Default)]
struct Places {
    runs: HashMap<u64, usize>,
    ups: HashMap<u64, usize>,
    /// The request of a run.
    requests: HashMap<usize, usize>,
    /// The call that an upcall announces.
    announced: HashMap<usize, usize>,
    /// The completion that an upcall is: the request and which of its completions.
    done: HashMap<usize, (usize, usize)>,
}

impl<'a> History<'a> {
    /// Builds the history of a log.
    pub fn of(log: &'a Log) -> History<'a> {
        let mut history = History {
            log,
            runs: Vec::new(),
            ups: Vec::new(),
            requests: Vec::new(),
            lines: Vec::new(),
            phones: Vec::new(),
            calls: Vec::new(),
            stray: Vec::new(),
            quiet: Vec::new(),
        };
        let mut places = Places::default();
        for entry in log.entries() {
            let (at, thread) = (entry.number, entry.thread);
            match &entry.what {
                What::Called { function, arguments } => {
                    // A log has only functions of TSPI.
                    let Some(function) = functions::find(function) else { continue };
                    places.runs.insert(at, history.runs.len());
                    history.runs.push(Run { at, thread, function, arguments, returned: None });
                    history.called(&mut places);
                }
                What::Returned { of, result, gave, filled } => {
                    let Some(&run) = places.runs.get(of) else { continue };
                    let returned = Returned { at, result: *result, gave, filled };
                    history.runs[run].returned = Some(returned);
                    history.returned(&places, run);
                }
                What::Upcall { way, upcall } => {
                    places.ups.insert(at, history.ups.len());
                    history.ups.push(Up { at, thread, way: *way, upcall, ended: None });
                    history.upcall(&mut places);
                }
                What::Answered { of, call } => {
                    let Some(&up) = places.ups.get(of) else { continue };
                    history.ups[up].ended = Some(at);
                    if let Some(&announced) = places.announced.get(&up) {
                        history.calls[announced].tapi = call.unwrap_or(0);
                    }
                    if let Some(&(request, index)) = places.done.get(&up) {
                        history.requests[request].done[index].ended = Some(at);
                    }
                }
                What::Quiet { .. } => history.quiet.push(at),
                _ => {}
            }
        }
        history
    }

    /// The last of the runs has begun.
    fn called(&mut self, places: &mut Places) {
        let index = self.runs.len() - 1;
        let run = &self.runs[index];
        let (at, function) = (run.at, run.function);
        let opening = |tapi: Option<u64>| Opening {
            tapi: tapi.unwrap_or(0),
            driver: 0,
            at,
            closed: None,
            failed: false,
        };
        if run.is(&TSPI_lineOpen) {
            self.lines.push(opening(run.handles("HTAPILINE").next()));
        } else if run.is(&TSPI_phoneOpen) {
            self.phones.push(opening(run.handles("HTAPIPHONE").next()));
        } else if run.is(&TSPI_lineCloseCall)
            && let Some(call) = run.handles("HDRVCALL").next().and_then(|call| self.driver(call))
        {
            self.calls[call].closes.push(index);
        }
        let ids = function.parameters.iter().find_map(|parameter| {
            match self.runs[index].argument(parameter.name) {
                Some(Data::Request(id)) => Some(*id),
                _ => None,
            }
        });
        let Some(id) = ids.filter(|_| function.is_async()) else { return };
        let run = &self.runs[index];
        let calls: Vec<usize> =
            run.handles("HDRVCALL").filter_map(|call| self.driver(call)).collect();
        let line = run.handles("HDRVLINE").next().and_then(|line| last(&self.lines, line));
        let line = line.or_else(|| calls.first().and_then(|call| self.calls[*call].line));
        let phone = run.handles("HDRVPHONE").next().and_then(|phone| last(&self.phones, phone));
        let new: Vec<u64> = run.handles("HTAPICALL").collect();
        let request = self.requests.len();
        let makes = new.into_iter().map(|tapi| {
            let (announced, closes, events) = (None, Vec::new(), Vec::new());
            let maker = Some(request);
            self.calls.push(Call { tapi, driver: 0, line, maker, at, announced, closes, events });
            self.calls.len() - 1
        });
        let makes = makes.collect();
        places.requests.insert(index, request);
        self.requests.push(Request {
            id,
            run: index,
            at,
            fate: Fate::Asking,
            returned: None,
            done: Vec::new(),
            line,
            phone,
            calls,
            makes,
        });
    }

    /// This run has ended.
    fn returned(&mut self, places: &Places, index: usize) {
        let run = &self.runs[index];
        let Some(returned) = run.returned else { return };
        let words: Vec<u64> = returned.gave.iter().map(crate::log::Gave::word).collect();
        let open = |openings: &mut Vec<Opening>| {
            if let Some(opening) = openings.iter_mut().find(|opening| opening.at == run.at) {
                opening.failed = returned.result != 0;
                opening.driver = words.first().copied().unwrap_or(0);
            }
        };
        if run.is(&TSPI_lineOpen) {
            open(&mut self.lines);
        } else if run.is(&TSPI_phoneOpen) {
            open(&mut self.phones);
        } else if returned.result == 0 {
            let close = |openings: &mut Vec<Opening>, kind| {
                let handle = run.handles(kind).next();
                if let Some(place) = handle.and_then(|handle| last(openings, handle)) {
                    openings[place].closed.get_or_insert(index);
                }
            };
            if run.is(&TSPI_lineClose) {
                close(&mut self.lines, "HDRVLINE");
            } else if run.is(&TSPI_phoneClose) {
                close(&mut self.phones, "HDRVPHONE");
            }
        }
        let Some(&request) = places.requests.get(&index) else { return };
        let request = &mut self.requests[request];
        request.returned = Some(returned.at);
        request.fate = match returned.result {
            error if error < 0 => Fate::Refused(error),
            id if id.cast_unsigned() == request.id => Fate::Accepted,
            other => Fate::Wrong(other),
        };
        if returned.result >= 0 {
            for (call, driver) in request.makes.iter().zip(words) {
                self.calls[*call].driver = driver;
            }
        }
    }

    /// The last of the upcalls has begun.
    fn upcall(&mut self, places: &mut Places) {
        let index = self.ups.len() - 1;
        let Up { at, thread, upcall, .. } = self.ups[index];
        match upcall {
            Upcall::Completion { request: id, result } => {
                let of = |request: &Request| request.id == *id;
                let waiting = |request: &Request| {
                    of(request)
                        && request.done.is_empty()
                        && !matches!(request.fate, Fate::Refused(_))
                };
                let place = self.requests.iter().rposition(waiting);
                let Some(place) = place.or_else(|| self.requests.iter().rposition(of)) else {
                    self.stray.push(index);
                    return;
                };
                let done = &mut self.requests[place].done;
                places.done.insert(index, (place, done.len()));
                done.push(Done { at, ended: None, thread, result: *result });
            }
            Upcall::NewCall { line, call } => {
                places.announced.insert(index, self.calls.len());
                let line = self.line(*line, at);
                self.calls.push(Call {
                    tapi: 0,
                    driver: *call,
                    line,
                    maker: None,
                    at,
                    announced: Some(index),
                    closes: Vec::new(),
                    events: Vec::new(),
                });
            }
            Upcall::Line { call, .. } if *call != 0 => {
                if let Some(place) = self.calls.iter().rposition(|known| known.tapi == *call) {
                    self.calls[place].events.push(index);
                }
            }
            Upcall::Line { .. } | Upcall::Phone { .. } => {}
        }
    }

    /// The call that has this handle of the provider's now.
    fn driver(&self, handle: u64) -> Option<usize> {
        self.calls.iter().rposition(|call| handle != 0 && call.driver == handle)
    }
}

/// The opening that has this handle of the provider's now.
fn last(openings: &[Opening], handle: u64) -> Option<usize> {
    openings.iter().rposition(|opening| handle != 0 && opening.driver == handle)
}
