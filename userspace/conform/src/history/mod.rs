//! A log as objects: functions with their returns, requests with their completions, lines, phones
//! and calls with their handles. The rules are judged by these and not by the log's entries.
//!
//! Handles and ids are used again. An entry's handle or id therefore refers to the last opening,
//! call or request before it that has this handle or id.

mod build;

use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::LINE_CALLSTATE;
use ringback_tspi::functions::Function;

use crate::log::{Data, Gave, Hex, Log, Upcall};

/// A function that was called.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    /// The number of the entry of its call.
    pub at: u64,
    pub thread: u32,
    pub function: &'static Function,
    arguments: &'a std::collections::BTreeMap<String, Data>,
    pub returned: Option<Returned<'a>>,
}

/// What a function returned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Returned<'a> {
    pub at: u64,
    pub result: i32,
    pub gave: &'a [Gave],
    pub filled: &'a std::collections::BTreeMap<String, Hex>,
}

impl<'a> Run<'a> {
    pub fn is(&self, function: &Function) -> bool {
        self.function.name == function.name
    }

    pub fn argument(&self, name: &str) -> Option<&'a Data> {
        self.arguments.get(name)
    }

    /// The arguments with their names.
    pub fn arguments(&self) -> impl Iterator<Item = (&'a str, &'a Data)> {
        self.arguments.iter().map(|(name, data)| (&**name, data))
    }

    pub fn number(&self, name: &str) -> Option<u32> {
        match self.argument(name) {
            Some(Data::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// The handles of this type among the arguments, in the order of the row's parameters.
    pub fn handles(&self, kind: &str) -> impl Iterator<Item = u64> {
        self.function.parameters.iter().filter_map(move |parameter| {
            match self.argument(parameter.name) {
                Some(Data::Handle { of, value }) if of == kind => Some(*value),
                _ => None,
            }
        })
    }

    pub fn result(&self) -> Option<i32> {
        self.returned.map(|returned| returned.result)
    }

    /// Whether it was synchronous and has done its work.
    pub fn is_done(&self) -> bool {
        !self.function.is_async() && self.result() == Some(0)
    }

    /// Whether this entry stands between its call and its return.
    pub fn is_under_way(&self, at: u64) -> bool {
        self.at < at && self.returned.is_none_or(|returned| at < returned.at)
    }
}

/// An upcall of the provider, from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Up<'a> {
    /// The number of the entry of its beginning.
    pub at: u64,
    pub thread: u32,
    pub way: u32,
    pub upcall: &'a Upcall,
    /// The number of the entry of its end.
    pub ended: Option<u64>,
}

impl Up<'_> {
    /// Whether this entry stands between its beginning and its end.
    pub fn is_under_way(&self, at: u64) -> bool {
        self.at < at && self.ended.is_none_or(|ended| at < ended)
    }
}

/// A completion of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Done {
    /// The number of the entry of its beginning.
    pub at: u64,
    /// The number of the entry of its end.
    pub ended: Option<u64>,
    pub thread: u32,
    pub result: i32,
}

/// How the function of a request has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It returned its id (R5).
    Accepted,
    /// It returned an error (R4).
    Refused(i32),
    /// It returned something else (R1).
    Wrong(i32),
    /// It has not returned.
    Asking,
}

/// An asynchronous request.
#[derive(Debug)]
pub(crate) struct Request {
    pub id: u32,
    /// Its function, an index of [`History::runs`].
    pub run: usize,
    /// The number of the entry of its call.
    pub at: u64,
    pub fate: Fate,
    /// When its function returned.
    pub returned: Option<u64>,
    pub done: Vec<Done>,
    /// The opening of a line, an index of [`History::lines`].
    pub line: Option<usize>,
    /// The opening of a phone, an index of [`History::phones`].
    pub phone: Option<usize>,
    /// The calls it is about, indices of [`History::calls`].
    pub calls: Vec<usize>,
    /// The calls it makes.
    pub makes: Vec<usize>,
}

impl Request {
    pub fn is_accepted(&self) -> bool {
        self.fate == Fate::Accepted
    }

    /// Its first completion.
    pub fn first(&self) -> Option<Done> {
        self.done.first().copied()
    }

    /// Whether it was accepted before this entry, or asked and accepted later, and had no
    /// completion until then.
    pub fn is_outstanding(&self, at: u64) -> bool {
        self.is_accepted() && self.at < at && self.first().is_none_or(|done| done.at > at)
    }

    /// Whether its completion was reported, which is to say had returned, before this entry.
    pub fn is_reported(&self, at: u64) -> bool {
        self.first().and_then(|done| done.ended).is_some_and(|ended| ended < at)
    }
}

/// A time in which a line or a phone was open.
#[derive(Debug)]
pub(crate) struct Opening {
    /// TAPI's handle.
    pub tapi: u64,
    /// The provider's handle; 0 until it is given.
    pub driver: u64,
    /// When opening was asked for.
    pub at: u64,
    /// The function that closed it with success, an index of [`History::runs`].
    pub closed: Option<usize>,
    /// Whether opening failed.
    pub failed: bool,
}

/// A call, with both sides' handles and all that happened to it.
#[derive(Debug)]
pub(crate) struct Call {
    /// TAPI's handle; 0 if TAPI had none for it.
    pub tapi: u64,
    /// The provider's handle; 0 until it is given.
    pub driver: u64,
    /// The opening of its line.
    pub line: Option<usize>,
    /// The request that makes it; `None` if the provider announced the call.
    pub maker: Option<usize>,
    /// Where it begins: the function that makes it, or LINE_NEWCALL.
    pub at: u64,
    /// The upcall that announced it, an index of [`History::ups`].
    pub announced: Option<usize>,
    /// The functions that were to close it, indices of [`History::runs`].
    pub closes: Vec<usize>,
    /// Its events, indices of [`History::ups`].
    pub events: Vec<usize>,
}

/// A whole log.
pub(crate) struct History<'a> {
    pub log: &'a Log,
    pub runs: Vec<Run<'a>>,
    pub ups: Vec<Up<'a>>,
    pub requests: Vec<Request>,
    pub lines: Vec<Opening>,
    pub phones: Vec<Opening>,
    pub calls: Vec<Call>,
    /// Completions with the id of no request: indices of `ups`.
    pub stray: Vec<usize>,
    /// The entries at which every completion and event that was due should have come.
    pub quiet: Vec<u64>,
}

impl<'a> History<'a> {
    /// The line that this handle of TAPI's named at this entry.
    pub fn line(&self, tapi: u64, at: u64) -> Option<usize> {
        self.lines.iter().rposition(|line| line.tapi == tapi && line.at < at)
    }

    /// When the function that closed it returned.
    pub fn closed(&self, opening: &Opening) -> Option<u64> {
        self.runs[opening.closed?].returned.map(|returned| returned.at)
    }

    /// The first function that closed the call with success.
    pub fn close_of(&self, call: &Call) -> Option<&Run<'a>> {
        call.closes.iter().map(|run| &self.runs[*run]).find(|run| run.result() == Some(0))
    }

    /// Whether TAPI waited after this entry until nothing more came.
    pub fn is_quiet_after(&self, at: u64) -> bool {
        self.quiet.iter().any(|quiet| *quiet > at)
    }

    /// Whether closing the call or its line, or shutting down, began after this entry and before
    /// TAPI waited. If so, events that were due may rightly be missing.
    pub fn is_ended_after(&self, call: &Call, at: u64) -> bool {
        let waited = self.quiet.iter().copied().find(|quiet| *quiet > at).unwrap_or(u64::MAX);
        let line = call.line.map(|line| self.lines[line].driver);
        self.runs.iter().filter(|run| run.at < waited).any(|run| {
            let of_call = run.handles("HDRVCALL").any(|handle| handle == call.driver);
            let of_line = run.handles("HDRVLINE").any(|handle| Some(handle) == line);
            let until = run.returned.map_or(u64::MAX, |returned| returned.at);
            until > at
                && (of_call && run.function.name == "TSPI_lineCloseCall"
                    || of_line && run.function.name == "TSPI_lineClose"
                    || run.function.name == "TSPI_providerShutdown")
        })
    }

    /// The messages of a call: where, which, and their parameters.
    pub fn messages(&self, call: &Call) -> impl Iterator<Item = (u64, u32, [u64; 3])> {
        call.events.iter().filter_map(|up| match self.ups[*up].upcall {
            Upcall::Line { message, params, .. } => Some((self.ups[*up].at, *message, *params)),
            _ => None,
        })
    }

    /// The states of a call, and where each was reported.
    pub fn states(&self, call: &Call) -> impl Iterator<Item = (u64, CallState)> {
        self.messages(call).filter_map(|(at, message, params)| {
            let state = u32::try_from(params[0]).ok().and_then(CallState::from_raw);
            (message == LINE_CALLSTATE).then_some(())?;
            Some((at, state?))
        })
    }

    /// Where the call became IDLE.
    pub fn idle(&self, call: &Call) -> Option<u64> {
        self.states(call).find(|(_, state)| *state == CallState::Idle).map(|(at, _)| at)
    }

    /// The function of a request.
    pub fn run(&self, request: &Request) -> &Run<'a> {
        &self.runs[request.run]
    }
}
