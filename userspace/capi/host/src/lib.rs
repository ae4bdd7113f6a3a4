//! `libringback`: the host for C programs, and for whatever calls C.
//!
//! An application loads a provider by its path, opens lines, makes and answers calls, and is told
//! completions and events, on a thread of its own or on one of the host's. What each function does
//! and when something is told is in `ringback/ringback.h`.
//!
//! Rules that hold here: an id is taken before the request is made, so that the application has
//! stored it; a completion is delivered to another thread only when the function that made the
//! request has returned for certain, or the application has released the request (G1), and what is
//! behind it on its line waits with it (O1); deliveries neither overlap nor nest (C6). Every handle
//! is looked up, so that a dead or guessed one is an error. Nothing unwinds into C.
//!
//! UNSAFETY: memory of C's is read and written here, functions of C's are called, and libraries are
//! loaded. NULL is an error; that any other pointer leads where it should the caller guarantees.
//!
//! | file | what |
//! |---|---|
//! | `exports` | the functions of ringback.h |
//! | `host` | a provider with its host; the names of things on either side |
//! | `deliveries`, `event` | what is to be told, and to whom when |
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
