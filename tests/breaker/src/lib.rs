//! A provider that loads a good one and breaks exactly one rule of it.
//!
//! `RINGBACK_BREAKER_PROVIDER` is the library, `RINGBACK_BREAKER_RULE` the key of the rule; without
//! a key nothing is broken. Functions and upcalls pass through unchanged, except for those that the
//! key concerns. They are changed in three places: `asked` (in place of a function, or with other
//! arguments), `answered` (after its return), and `told` (upcalls).
//!
//! UNSAFETY: this library is between a TAPI and a provider; both guarantee what the documentation
//! of the functions requires of their pointers. The code that breaks a rule about memory violates
//! that on purpose.
#![allow(unsafe_code)]

mod answered;
mod asked;
mod books;
mod told;

use std::sync::OnceLock;

use books::Books;
use ringback_tspi::error::LineError;
use ringback_tspi::ffi::Symbols;
use ringback_tspi::functions::Function;

ringback_tspi::export_words!(answer);

/// The provider whose rule is broken, and the records of what has passed.
struct Breaker {
    inner: Symbols,
    rule: String,
    books: Books,
}

static BREAKER: OnceLock<Option<Breaker>> = OnceLock::new();

fn breaker() -> Option<&'static Breaker> {
    let load = || {
        let path = std::env::var_os("RINGBACK_BREAKER_PROVIDER")?;
        // SAFETY: the user who set the variable guarantees that the library is a provider.
        let inner = unsafe { Symbols::open(path) }
            .inspect_err(|error| eprintln!("RINGBACK_BREAKER_PROVIDER: {error}"))
            .ok()?;
        let rule = std::env::var("RINGBACK_BREAKER_RULE").unwrap_or_default();
        Some(Breaker { inner, rule, books: Books::default() })
    };
    BREAKER.get_or_init(load).as_ref()
}

/// What every function of this library does.
fn answer(function: &'static Function, words: &[usize]) -> i32 {
    let Some(breaker) = breaker() else { return LineError::OPERATIONFAILED.raw() };
    breaker.answer(function, words.to_vec())
}

impl Breaker {
    /// Whether this is the rule that is broken.
    fn breaks(&self, key: &str) -> bool {
        self.rule == key
    }

    fn answer(&'static self, function: &'static Function, mut words: Vec<usize>) -> i32 {
        self.books.called(function, &words);
        told::replace_callbacks(self, function, &mut words);
        if let Some(instead) = self.asked(function, &mut words) {
            return instead;
        }
        let closes = function.name.contains("Close") || function.name.contains("Shutdown");
        if closes {
            self.books.closes(function.name);
        }
        // SAFETY: the words are those of the caller's, or memory of ours that is never given back.
        let result = unsafe { self.inner.call(function, &words) };
        if closes {
            self.books.closed(function.name);
        }
        let result = result.unwrap_or(LineError::OPERATIONUNAVAIL.raw());
        self.books.returned(function, &words, result);
        self.answered(function, &words, result)
    }
}

/// The word of the C parameter with this name; 0 if there is none.
fn word(function: &Function, words: &[usize], name: &str) -> usize {
    let place = function.c_parameters().position(|parameter| parameter.name == name);
    place.and_then(|place| words.get(place)).copied().unwrap_or(0)
}

/// Writes a DWORD at an address plus an offset in bytes.
fn write(at: usize, offset: usize, number: u32) {
    let at = std::ptr::with_exposed_provenance_mut::<u8>(at + offset).cast::<u32>();
    // SAFETY: the caller names memory that TAPI has handed over for writing.
    unsafe { at.write_unaligned(number) };
}

/// Reads a byte of TAPI's memory, which may not be valid any more.
fn read(at: usize) -> u8 {
    let at = std::ptr::with_exposed_provenance::<u8>(at);
    // SAFETY: nothing guarantees it: this is the access that the suite has to detect.
    unsafe { at.read_volatile() }
}

/// Memory that is never given back, with this in it.
fn leaked(bytes: Vec<u8>) -> usize {
    Box::leak(bytes.into_boxed_slice()).as_mut_ptr().expose_provenance()
}
