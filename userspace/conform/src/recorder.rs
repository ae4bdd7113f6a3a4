//! The layer around a provider that logs functions and upcalls.
//!
//! It sees the functions as a [`Layer`] does, and the upcalls by a [`Tapi`] that it puts before the
//! one that the provider is given. It changes nothing: input, results, order and threads are those
//! of TAPI and the provider, and no lock is held during a function or an upcall. Each entry goes to
//! the log in memory and, if there is a file, into the file at once, so that the entries are there
//! when the process dies.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, ThreadId};

use ringback_request::ErrorCode;
use ringback_request::sync::EvenPoisoned;
use ringback_tspi::error::LineError;
use ringback_tspi::functions::Shape;
use ringback_tspi::layer::{Argument, Asked, Layer, Layered, Outcome, Step};
use ringback_tspi::provider::{Completion, LineMessage, PhoneMessage, Provider, Tapi};
use ringback_tspi::types::{HDRVCALL, HTAPICALL, HTAPILINE};

use crate::log::{Data, Gave, Header, Hex, Log, Upcall, What, write_line};

struct Book {
    log: Log,
    file: Option<Box<dyn Write + Send>>,
    threads: HashMap<ThreadId, u32>,
    ways: u32,
}

/// Makes the log of one run of one provider.
pub struct Recorder(Mutex<Book>);

impl Recorder {
    /// A recorder that has seen nothing yet.
    pub fn new(header: Header) -> Arc<Recorder> {
        Recorder::with(header, None)
    }

    /// A recorder that also writes each line to the file at once. If writing fails, the rest is
    /// only in the log in memory.
    pub fn into_file(header: Header, file: impl Write + Send + 'static) -> Arc<Recorder> {
        Recorder::with(header, Some(Box::new(file)))
    }

    fn with(header: Header, mut file: Option<Box<dyn Write + Send>>) -> Arc<Recorder> {
        if let Some(out) = &mut file
            && write_line(out, &header).is_err()
        {
            file = None;
        }
        let book = Book { log: Log::new(header), file, threads: HashMap::new(), ways: 0 };
        Arc::new(Recorder(Mutex::new(book)))
    }

    /// What was seen so far.
    pub fn log(&self) -> Log {
        self.book().log.clone()
    }

    /// Notes something that was seen on this thread; the number of its entry, or `None` if it
    /// can't have happened.
    pub fn note(&self, what: What) -> Option<u64> {
        let mut book = self.book();
        let threads = book.threads.len() as u32;
        let thread = *book.threads.entry(thread::current().id()).or_insert(threads);
        let number = book.log.add(thread, what).ok()?;
        let Book { log, file, .. } = &mut *book;
        if let (Some(out), Some(entry)) = (&mut *file, log.entry(number))
            && write_line(out, entry).is_err()
        {
            // Nothing can follow a line that was written in part.
            *file = None;
        }
        Some(number)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().even_poisoned()
    }
}

/// A provider that is recorded.
pub type Recorded = Layered<Recording>;

/// Puts the recorder around the provider.
pub fn recorded(provider: Arc<dyn Provider>, recorder: Arc<Recorder>) -> Recorded {
    Layered::new(provider, Recording(recorder))
}

/// The layer through which a [`Recorder`] sees the functions.
pub struct Recording(Arc<Recorder>);

impl Layer for Recording {
    /// The number of the entry of the call; `None` of what is not TSPI's.
    type Kept<'a> = Option<u64>;

    fn before(&self, asked: &Asked<'_>) -> Step<Option<u64>> {
        let called = asked.function().and_then(|function| {
            let of =
                |(name, argument): &(&str, Argument<'_>)| ((*name).to_owned(), Data::of(argument));
            let arguments = asked.arguments().iter().map(of).collect();
            self.0.note(What::Called { function: function.name.to_owned(), arguments })
        });
        Step::Go(called)
    }

    fn after(&self, asked: &Asked<'_>, outcome: &Outcome, called: Option<u64>) {
        let Some((of, function)) = called.zip(asked.function()) else { return };
        let mut filled = BTreeMap::new();
        for parameter in function.parameters {
            if matches!(parameter.shape, Shape::Filled | Shape::Block)
                && let Some(Argument::Bytes(bytes)) = asked.argument(parameter.name)
            {
                filled.insert(parameter.name.to_owned(), Hex(bytes.to_vec()));
            }
        }
        let gave = outcome.given.iter().map(Gave::of).collect();
        self.0.note(What::Returned { of, result: outcome.result, gave, filled });
    }

    fn init(
        &self,
        tapi: Box<dyn Tapi>,
        start: impl FnOnce(Box<dyn Tapi>) -> Result<(), LineError>,
    ) -> Result<(), LineError> {
        let way = {
            let mut book = self.0.book();
            book.ways += 1;
            book.ways - 1
        };
        start(Box::new(RecordedTapi { tapi, recorder: Arc::clone(&self.0), way }))
    }
}

/// The upcalls of a provider that is recorded.
struct RecordedTapi {
    tapi: Box<dyn Tapi>,
    recorder: Arc<Recorder>,
    way: u32,
}

impl RecordedTapi {
    fn around<R>(
        &mut self,
        upcall: Upcall,
        act: impl FnOnce(&mut dyn Tapi) -> R,
        call: impl FnOnce(&R) -> Option<u64>,
    ) -> R {
        let of = self.recorder.note(What::Upcall { way: self.way, upcall });
        let answer = act(&mut *self.tapi);
        if let Some(of) = of {
            self.recorder.note(What::Answered { of, call: call(&answer) });
        }
        answer
    }
}

fn params(params: [usize; 3]) -> [u64; 3] {
    params.map(|param| param as u64)
}

impl Tapi for RecordedTapi {
    fn completion(&mut self, completion: &Completion) {
        let result = ErrorCode::number_of(completion.result);
        let upcall = Upcall::Completion { request: completion.id.get(), result };
        self.around(upcall, |tapi| tapi.completion(completion), |()| None);
    }

    fn line_event(&mut self, event: &LineMessage) {
        let upcall = Upcall::Line {
            line: event.line.raw() as u64,
            call: event.call.map_or(0, HTAPICALL::raw) as u64,
            message: event.message,
            params: params(event.params),
        };
        self.around(upcall, |tapi| tapi.line_event(event), |()| None);
    }

    fn new_call(&mut self, line: HTAPILINE, call: HDRVCALL) -> Option<HTAPICALL> {
        let upcall = Upcall::NewCall { line: line.raw() as u64, call: call.raw() as u64 };
        let answer = |call: &Option<HTAPICALL>| call.map(|call| call.raw() as u64);
        self.around(upcall, |tapi| tapi.new_call(line, call), answer)
    }

    fn phone_event(&mut self, event: &PhoneMessage) {
        let upcall = Upcall::Phone {
            phone: event.phone.raw() as u64,
            message: event.message,
            params: params(event.params),
        };
        self.around(upcall, |tapi| tapi.phone_event(event), |()| None);
    }
}

#[cfg(test)]
mod tests;
