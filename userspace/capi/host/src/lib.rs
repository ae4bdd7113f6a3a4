//! `libringback`: the host for C programs, and for other languages that call C.
//!
//! An application loads a provider by its path, opens lines, makes and answers calls, and receives
//! completions and events, on a thread of its own or on one of the host's. `ringback/ringback.h`
//! describes what each function does and when something is delivered.
//!
//! Rules that hold here: an id is taken before the request is made, so that the application has
//! stored it; a completion is delivered to another thread only when the function that made the
//! request has returned for certain, or the application has released the request (G1), and what is
//! behind it on its line waits with it (O1); deliveries neither overlap nor nest (C6). Every handle
//! is looked up, so that a dead or guessed one is an error. Nothing unwinds into C.
//!
//! UNSAFETY: this crate reads and writes memory of C code, calls C functions, and loads libraries.
//! NULL is an error; the caller guarantees that any other pointer is valid.
//!
//! | file | what |
//! |---|---|
//! | `exports` | the functions of ringback.h |
//! | `host` | a provider with its host; the names of things on either side |
//! | `deliveries`, `event` | what is to be delivered, on which thread and when |
//! | `requests`, `asker` | ids, and whether the function that asked has returned |
//! | `registry` | handles |
//! | `text` | texts |
#![allow(unsafe_code)]

mod asker;
mod deliveries;
mod event;
pub mod exports;
mod host;
mod registry;
mod requests;
mod text;

pub use event::Event;
