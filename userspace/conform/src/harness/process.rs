//! The provider's process: calls one library as TAPI does, and writes everything to the log.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use nix::unistd::dup2_stdout;
use ringback_request::sync::EvenPoisoned;
use ringback_tspi::constants::{LINE_GATHERDIGITS, LINE_NEWCALL, LINETSPIOPTION_NONREENTRANT};
use ringback_tspi::error::LineError;
use ringback_tspi::ffi::{AsyncCompletion, LineEvent, PhoneEvent, Symbols, Word};
use ringback_tspi::functions;
use ringback_tspi::functions::{
    Function, TSPI_lineGatherDigits, TSPI_lineMonitorTones, TSPI_providerInit,
};

use super::arguments::{Arguments, Callbacks, Lent};
use super::codes::{DONE, FAILED, HUNG, NOT_LOADED, end};
use super::memory::{Watched, watch_faults};
use crate::log::{Data, FORMAT, Header, Hex, Upcall, Watch, What};
use crate::recorder::Recorder;
use crate::scenario::{Answer, Desk, Habit, Plan, Subject};
use crate::structures::owned;

/// How long a function may take, in milliseconds, before it counts as one that does not return.
const RETURNS_WITHIN: u64 = 10_000;
/// How many sets of callbacks there are. Each init passes another set; later inits share the
/// last.
const WAYS: usize = 4;

/// The event after which late memory (C12) has to be filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Request(u32),
    Digits(u32),
}

/// Memory that is still checked after its function has returned.
struct Left {
    of: u64,
    parameter: &'static str,
    watched: Watched,
    is_input: bool,
}

/// Memory that is filled later, with what was in it.
struct Waiting {
    of: u64,
    lent: Lent,
    before: Vec<u8>,
}

struct Provider {
    symbols: Symbols,
    recorder: Arc<Recorder>,
    desk: Arc<Desk>,
    running: Mutex<HashMap<u64, Instant>>,
    left: Mutex<Vec<Left>>,
    waiting: Mutex<HashMap<Key, Waiting>>,
    inits: AtomicU32,
    /// The set of callbacks of the open pair of init and shutdown.
    way: AtomicU32,
    /// Whether this TAPI lets one function in at a time if the provider asks for that (G9).
    honours_option: bool,
    /// Whether only one function may run at a time, and the lock for it.
    is_serial: AtomicBool,
    serial: Mutex<()>,
    far: Option<String>,
}

/// The one provider of this process. It is global because C callbacks have no context argument.
static PROVIDER: OnceLock<Arc<Provider>> = OnceLock::new();

thread_local! {
    /// The number of upcalls that this thread is in.
    static UPCALLS: Cell<u32> = const { Cell::new(0) };
}

/// Runs a scenario on a library, and ends the process.
///
/// The log goes to stdout, entry by entry; what the provider prints goes to stderr. `far` is run by
/// the shell when the far end is to do something.
pub fn run(library: &Path, plan: Plan, far: Option<String>) -> ! {
    let failed = |what: &str, error: &dyn std::fmt::Display, code: i32| -> ! {
        eprintln!("{what}: {error}");
        end(code)
    };
    let file = match std::io::stdout().as_fd().try_clone_to_owned() {
        Ok(file) => File::from(file),
        Err(error) => failed("the log can't be written", &error, FAILED),
    };
    if let Err(error) = dup2_stdout(std::io::stderr()) {
        failed("stdout can't be moved", &error, FAILED);
    }
    // SAFETY: the user asked for this library to be loaded, in this process, which is for it alone.
    let symbols = match unsafe { Symbols::open(library) } {
        Ok(symbols) => symbols,
        Err(error) => failed("the provider", &error, NOT_LOADED),
    };
    if let Err(error) = watch_faults() {
        failed("faults can't be watched", &error, FAILED);
    }
    let missing = functions::all().filter(|function| !symbols.has(function));
    let header = Header {
        format: FORMAT,
        provider: library.display().to_string(),
        scenario: plan.scenario.name.to_owned(),
        seed: plan.seed,
        missing: missing.map(|function| function.name.to_owned()).collect(),
        watched: vec![Watch::Inputs, Watch::Outputs],
    };
    let desk = Arc::new(Desk::new(plan.scenario.habit));
    let provider = Arc::new(Provider {
        symbols,
        recorder: Recorder::into_file(header, file),
        desk: Arc::clone(&desk),
        running: Mutex::default(),
        left: Mutex::default(),
        waiting: Mutex::default(),
        inits: AtomicU32::new(0),
        way: AtomicU32::new(0),
        honours_option: plan.scenario.habit != Habit::Unserialised,
        is_serial: AtomicBool::new(false),
        serial: Mutex::default(),
        far,
    });
    if PROVIDER.set(Arc::clone(&provider)).is_err() {
        end(FAILED);
    }
    let watched = Arc::clone(&provider);
    thread::spawn(move || watched.watch());
    let subject: Arc<dyn Subject> = Arc::clone(&provider) as Arc<dyn Subject>;
    desk.serve(&subject);
    let ran = catch_unwind(AssertUnwindSafe(|| plan.run(&subject, &desk)));
    provider.look();
    end(if ran.is_ok() { DONE } else { FAILED })
}

impl Provider {
    /// Ends the process if a function does not return.
    fn watch(&self) {
        loop {
            thread::sleep(Duration::from_millis(100));
            let hung = self.running.lock().even_poisoned().iter().find_map(|(of, since)| {
                let is_hung = since.elapsed() > Duration::from_millis(RETURNS_WITHIN);
                is_hung.then_some(*of)
            });
            if let Some(of) = hung {
                self.recorder.note(What::Hung { of, milliseconds: RETURNS_WITHIN });
                end(HUNG);
            }
        }
    }

    /// Records the accesses to protected memory since the last call.
    fn look(&self) {
        let mut found = Vec::new();
        self.left.lock().even_poisoned().retain(|left| {
            let used = left.watched.used();
            if let Some(offset) = used {
                let (of, parameter) = (left.of, left.parameter.to_owned());
                found.push(if left.is_input {
                    What::Touched { of, parameter }
                } else {
                    What::Overwritten { of, parameter, offset }
                });
            }
            used.is_none()
        });
        for what in found {
            self.recorder.note(what);
        }
    }

    fn callbacks(&self, function: &Function) -> Callbacks {
        let way = if function.name == TSPI_providerInit.name {
            self.inits.fetch_add(1, SeqCst) as usize
        } else {
            0
        };
        let completion = COMPLETIONS[way.min(WAYS - 1)];
        Callbacks {
            line: Some(line_event as LineEvent).word(),
            phone: Some(phone_event as PhoneEvent).word(),
            completion: Some(completion).word(),
        }
    }

    /// Records the result of a function, and checks its memory.
    fn returned(
        &self,
        function: &'static Function,
        of: u64,
        result: i32,
        arguments: &Arguments,
        before: &BTreeMap<String, Data>,
    ) -> Answer {
        let is_input_copied = function.is_async() || function.name == TSPI_lineMonitorTones.name;
        for input in arguments.inputs.iter().filter(|_| is_input_copied) {
            if let Some(watched) = input.piece.take_away() {
                let parameter = input.parameter.name;
                self.left.lock().even_poisoned().push(Left {
                    of,
                    parameter,
                    watched,
                    is_input: true,
                });
            }
        }
        let (mut gave, unwritten) = arguments.gave();
        let filled = arguments.filled();
        if result < 0 {
            gave.clear();
        }
        let returned = What::Returned { of, result, gave: gave.clone(), filled: filled.clone() };
        self.recorder.note(returned);
        let is_done = result == 0 || function.is_async() && result > 0;
        for parameter in unwritten.into_iter().filter(|_| is_done) {
            self.recorder.note(What::Unwritten { of, parameter: parameter.to_owned() });
        }
        for output in &arguments.outputs {
            let name = output.parameter.name;
            let Some(Data::Bytes(Hex(before))) = before.get(name) else { continue };
            let Some(Hex(after)) = filled.get(name) else { continue };
            for offset in owned(output.parameter.c[0].kind) {
                let member = offset..offset + 4;
                if before.get(member.clone()) != after.get(member) {
                    let (parameter, offset) = (name.to_owned(), offset as u64);
                    self.recorder.note(What::Overwritten { of, parameter, offset });
                }
            }
            if before == after && result == 0 {
                self.recorder.note(What::Unwritten { of, parameter: name.to_owned() });
            }
        }
        self.look();
        Answer { result, gave, filled }
    }

    /// Records which memory that had to be filled before this event was left unwritten.
    fn arrived(&self, key: Key, is_filled: bool) {
        let Some(waiting) = self.waiting.lock().even_poisoned().remove(&key) else { return };
        if is_filled && waiting.lent.piece.bytes() == waiting.before {
            let parameter = waiting.lent.parameter.name.to_owned();
            self.recorder.note(What::Unwritten { of: waiting.of, parameter });
        }
    }

    fn upcall<R>(
        &self,
        way: u32,
        upcall: Upcall,
        act: impl FnOnce(&Desk) -> R,
        call: impl FnOnce(&R) -> Option<u64>,
    ) -> R {
        let of = self.recorder.note(What::Upcall { way, upcall });
        UPCALLS.set(UPCALLS.get() + 1);
        let Ok(answer) = catch_unwind(AssertUnwindSafe(|| act(&self.desk))) else { end(FAILED) };
        UPCALLS.set(UPCALLS.get() - 1);
        if let Some(of) = of {
            self.recorder.note(What::Answered { of, call: call(&answer) });
        }
        answer
    }
}

impl Subject for Provider {
    fn has(&self, function: &Function) -> bool {
        self.symbols.has(function)
    }

    fn call(&self, function: &'static Function, given: BTreeMap<String, Data>) -> Answer {
        if !self.symbols.has(function) {
            return Answer::failed(LineError::OPERATIONUNAVAIL.raw());
        }
        let Ok(arguments) = Arguments::new(function, &given, self.callbacks(function)) else {
            eprintln!("no memory for the arguments of {}", function.name);
            end(FAILED)
        };
        let is_serial = self.is_serial.load(SeqCst);
        let serial = if !is_serial {
            None
        } else if UPCALLS.get() == 0 {
            Some(self.serial.lock().even_poisoned())
        } else if let Ok(free) = self.serial.try_lock() {
            Some(free)
        } else {
            // The function that is running may wait for this very upcall.
            return Answer::failed(LineError::OPERATIONFAILED.raw());
        };
        let called = What::Called { function: function.name.to_owned(), arguments: given.clone() };
        let Some(of) = self.recorder.note(called) else {
            eprintln!("{} was called with what it does not have", function.name);
            end(FAILED)
        };
        for output in &arguments.outputs {
            if let Some(watched) = output.behind {
                let parameter = output.parameter.name;
                self.left.lock().even_poisoned().push(Left {
                    of,
                    parameter,
                    watched,
                    is_input: false,
                });
            }
        }
        let number = |name: &str| match given.get(name) {
            Some(Data::Number(number) | Data::Request(number)) => *number,
            _ => 0,
        };
        let key = if function.name == TSPI_lineGatherDigits.name {
            Key::Digits(number("end_to_end_id"))
        } else {
            Key::Request(number("request"))
        };
        for lent in &arguments.late {
            let before = lent.piece.bytes();
            self.waiting.lock().even_poisoned().insert(key, Waiting { of, lent: *lent, before });
        }
        self.running.lock().even_poisoned().insert(of, Instant::now());
        // SAFETY: the words are the function's parameters, made of its row; their memory is never
        // given back.
        let result = unsafe { self.symbols.call(function, &arguments.words) };
        self.running.lock().even_poisoned().remove(&of);
        drop(serial);
        let result = result.unwrap_or(LineError::OPERATIONUNAVAIL.raw());
        if result < 0 {
            self.waiting.lock().even_poisoned().remove(&key);
        }
        let answer = self.returned(function, of, result, &arguments, &given);
        if function.name == TSPI_providerInit.name && result == 0 {
            let options = answer.word(0) as u32;
            let asks = options & LINETSPIOPTION_NONREENTRANT != 0;
            self.is_serial.store(asks && self.honours_option, SeqCst);
        }
        answer
    }

    fn quiet(&self, waited: Duration) {
        self.look();
        let milliseconds = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        self.recorder.note(What::Quiet { milliseconds });
    }

    fn pair_is_open(&self, way: u32) {
        self.way.store(way, SeqCst);
    }

    fn far(&self, what: &str) -> bool {
        let Some(command) = &self.far else { return false };
        let mut shell = std::process::Command::new("/bin/sh");
        shell.args(["-c", command]).env("RINGBACK_FAR", what);
        // The command's output is not part of the suite's.
        shell.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
        match shell.status() {
            Ok(status) if status.success() => true,
            Ok(status) => {
                eprintln!("the command of --far ended with {status}: {command}");
                end(FAILED)
            }
            Err(error) => {
                eprintln!("the command of --far can't be run: {error}");
                end(FAILED)
            }
        }
    }
}

unsafe extern "C" fn completion<const WAY: u32>(request: u32, result: i32) {
    let Some(provider) = PROVIDER.get() else { return };
    provider.arrived(Key::Request(request), result == 0);
    let upcall = Upcall::Completion { request, result };
    provider.upcall(WAY, upcall, |desk| desk.completion(request, result), |()| None);
}

/// The completion procedure of each way.
const COMPLETIONS: [AsyncCompletion; WAYS] =
    [completion::<0>, completion::<1>, completion::<2>, completion::<3>];

unsafe extern "C" fn line_event(
    line: usize,
    call: usize,
    message: u32,
    param1: usize,
    param2: usize,
    param3: usize,
) {
    let Some(provider) = PROVIDER.get() else { return };
    let way = provider.way.load(SeqCst);
    let (line, call) = (line as u64, call as u64);
    if message == LINE_NEWCALL {
        let upcall = Upcall::NewCall { line, call: param1 as u64 };
        let act = |desk: &Desk| desk.new_call(line, param1 as u64);
        let made = provider.upcall(way, upcall, act, |made| *made);
        let place = std::ptr::with_exposed_provenance_mut::<usize>(param2);
        if !place.is_null() {
            // SAFETY: the library guarantees memory for a handle at LINE_NEWCALL's second
            // parameter.
            unsafe { place.write_unaligned(made.unwrap_or(0) as usize) };
        }
        return;
    }
    let params = [param1 as u64, param2 as u64, param3 as u64];
    if message == LINE_GATHERDIGITS {
        provider.arrived(Key::Digits(param2 as u32), true);
    }
    let upcall = Upcall::Line { line, call, message, params };
    provider.upcall(way, upcall, |desk| desk.line_event(line, call, message, params), |()| None);
}

unsafe extern "C" fn phone_event(
    phone: usize,
    message: u32,
    param1: usize,
    param2: usize,
    param3: usize,
) {
    let Some(provider) = PROVIDER.get() else { return };
    let way = provider.way.load(SeqCst);
    let params = [param1 as u64, param2 as u64, param3 as u64];
    let phone = phone as u64;
    let upcall = Upcall::Phone { phone, message, params };
    provider.upcall(way, upcall, |desk| desk.phone_event(phone, message, params), |()| None);
}
