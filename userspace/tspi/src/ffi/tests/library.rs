//! A library in C, compiled by the system's compiler, behind the loader.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use ringback_request::ErrorCode;

use super::*;
use crate::functions::{RequestId, TSPI_lineHold, TSPI_lineMakeCall};
use crate::types::*;

/// The upcalls to TAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Completion(u32, i32),
    Line(usize, usize, u32, [usize; 3]),
    NewCall(usize, usize),
    Phone(usize, u32),
    End,
}

/// Notes each upcall; inside an event it calls the provider, if the test has set one.
struct Ear {
    told: Arc<Mutex<Vec<Told>>>,
    inside: Arc<Mutex<Option<Arc<Loaded>>>>,
}

impl Ear {
    fn note(&self, told: Told) {
        self.told.lock().even_poisoned().push(told);
    }
}

impl Tapi for Ear {
    fn completion(&mut self, completion: &Completion) {
        let result = ErrorCode::number_of(completion.result);
        self.note(Told::Completion(completion.id.get(), result));
    }

    fn line_event(&mut self, event: &LineMessage) {
        let LineMessage { line, call, message, params } = *event;
        let provider = self.inside.lock().even_poisoned().take();
        if let Some(provider) = provider {
            // It completes at once, which is inside this event.
            provider.line_drop(id(77), HDRVCALL::new(1).unwrap(), &[]).unwrap().release();
        }
        let call = call.map_or(0, HTAPICALL::raw);
        self.note(Told::Line(line.raw(), call, message, params));
    }

    fn new_call(&mut self, line: HTAPILINE, call: HDRVCALL) -> Option<HTAPICALL> {
        self.note(Told::NewCall(line.raw(), call.raw()));
        HTAPICALL::new(0x5000)
    }

    fn phone_event(&mut self, event: &PhoneMessage) {
        self.note(Told::Phone(event.phone.raw(), event.message));
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.note(Told::End);
    }
}

pub fn id(value: u32) -> RequestId {
    RequestId::new(value).unwrap()
}

pub fn call(value: usize) -> HDRVCALL {
    HDRVCALL::new(value).unwrap()
}

pub fn line(value: usize) -> HDRVLINE {
    HDRVLINE::new(value).unwrap()
}

/// Compiles the library, once, and copies it, so that each test has one with its own variables.
fn compiled(name: &str) -> PathBuf {
    static COMPILED: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = COMPILED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ffi/tests/provider.c");
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        let status = Command::new(compiler)
            .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o"])
            .arg(folder.path().join("provider.so"))
            .arg(source)
            .status()
            .expect("a C compiler is there");
        assert!(status.success());
        folder
    });
    let copy = folder.path().join(name);
    std::fs::copy(folder.path().join("provider.so"), &copy).unwrap();
    copy
}

fn load() -> Loaded {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COPIES: AtomicU32 = AtomicU32::new(0);
    let number = COPIES.fetch_add(1, Ordering::SeqCst);
    // SAFETY: the library is the one beside this file.
    unsafe { Loaded::open(compiled(&format!("{number}.so"))) }.unwrap()
}

/// The library between its init and its shutdown.
pub struct Library {
    pub provider: Arc<Loaded>,
    told: Arc<Mutex<Vec<Told>>>,
    inside: Arc<Mutex<Option<Arc<Loaded>>>>,
}

impl Library {
    pub fn start() -> Library {
        let (told, inside) = (Arc::default(), Arc::default());
        let ear = Ear { told: Arc::clone(&told), inside: Arc::clone(&inside) };
        let provider = Arc::new(load());
        let init = Init {
            version: Version::V2_0,
            permanent_provider_id: 1,
            line_device_id_base: 0,
            phone_device_id_base: 0,
            num_lines: 1,
            num_phones: 0,
        };
        assert_eq!(provider.provider_init(init, Box::new(ear)), Ok(0));
        Library { provider, told, inside }
    }

    /// The upcalls to TAPI since the last call of this.
    pub fn told(&self) -> Vec<Told> {
        std::mem::take(&mut *self.told.lock().even_poisoned())
    }

    fn open(&self) {
        let opened = self.provider.line_open(0, HTAPILINE::new(70).unwrap(), Version::V2_0);
        assert_eq!(opened, Ok(line(1)));
    }
}

#[test]
fn a_library_without_a_provider_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.so");
    // SAFETY: there is nothing to load.
    let error = unsafe { Loaded::open(&missing) }.unwrap_err();
    assert!(error.to_string().contains("missing.so"), "{error}");
    // SAFETY: the C library is loaded already.
    let error = unsafe { Loaded::open("libc.so.6") }.unwrap_err();
    assert!(matches!(error, LoadError::NoProvider(_)), "{error}");
}

#[test]
fn what_a_library_does_not_export_is_unavailable() {
    let library = Library::start();
    assert!(library.provider.has(&TSPI_lineMakeCall) && library.provider.has(&TSPI_lineHold));
    let refused = library.provider.line_unhold(id(1), call(1)).unwrap_err();
    assert_eq!(refused, LineError::OPERATIONUNAVAIL);
}

#[test]
fn returns_that_are_against_the_rules_are_failures() {
    let library = Library::start();
    let failed = Err(LineError::OPERATIONFAILED);
    let answered = library.provider.line_answer(id(3), call(1), &[]).map(|_| ());
    assert_eq!(answered, failed, "R2: it returns 0");
    let held = library.provider.line_hold(id(3), call(1)).map(|_| ());
    assert_eq!(held, failed, "R3: it returns another id");
    assert_eq!(library.provider.line_monitor_digits(call(1), 1), failed, "K2: a positive result");
    assert_eq!(library.told(), [], "a refused request has no completion");
}

#[test]
fn a_request_that_fails_inside_its_function_is_refused() {
    let library = Library::start();
    library.open();
    let tapi = HTAPICALL::new(0x700).unwrap();
    let made = library.provider.line_make_call(id(4), line(1), tapi, Some("busy"), 0, None);
    assert_eq!(made.map(|_| ()), Err(LineError::CALLUNAVAIL), "no handle, and a failed completion");
    assert_eq!(library.told(), []);
    // One that is made has its handle, and completes inside its function (C4).
    let made = library.provider.line_make_call(id(5), line(1), tapi, Some("12"), 0, None).unwrap();
    assert_eq!(made.0, call(1));
    assert_eq!(library.told()[0], Told::Completion(5, 0));
}

#[test]
fn upcalls_inside_each_other_come_one_after_the_other_c6() {
    let library = Library::start();
    library.open();
    *library.inside.lock().even_poisoned() = Some(Arc::clone(&library.provider));
    // Sends two events, the second inside the first; then one of a call that it announces.
    library.provider.line_set_current_location(1).unwrap();
    let told = library.told();
    let events: Vec<_> = told.iter().map(|told| matches!(told, Told::Line(70, ..))).collect();
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(events, [true, false, false, true], "{told:?}");
    assert_eq!(told[1], Told::Completion(77, 0));
    assert_eq!(told[2], Told::NewCall(70, 2));
    assert_eq!(told[3], Told::Line(70, 0x5000, 2, [2, 0, 4]), "under the handle that it was given");
    *library.inside.lock().even_poisoned() = None;
}

#[test]
fn d12_nothing_is_delivered_after_the_shutdown() {
    let library = Library::start();
    library.open();
    assert_eq!(library.provider.provider_shutdown(Version::V2_0, 1), Ok(()));
    assert_eq!(library.told(), [Told::Completion(99, LineError::OPERATIONFAILED.raw()), Told::End]);
    library.provider.line_set_current_location(1).unwrap();
    assert_eq!(library.told(), []);
}
