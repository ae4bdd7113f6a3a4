//! The C interface of TSPI, both ways.
//!
//! [`export_provider!`](crate::export_provider) makes the TSPI functions of a Rust
//! [`Provider`](crate::provider::Provider) into exported C functions; [`Loaded`] is the provider
//! that calls the functions of a library. Both are made of the rows of the
//! [table](crate::functions), so a new row is enough for a new function. Handles and ids are passed
//! unchanged, texts are UTF-16 in C and UTF-8 in Rust (B6), structures stay bytes.
//!
//! Rules that hold here: an error is of the family of its function and comes without a completion
//! (R4); an asynchronous function returns its id or an error (R1, R2); outputs are written before
//! the function returns, or by the completion (K4, C13); upcalls that a library makes concurrently
//! or nested are delivered one at a time (C6).
//!
//! UNSAFETY: memory of C code is read and written, and C functions are called here. Whether a
//! pointer points to what the function's page says can't be checked; what can be checked (NULL, a
//! size that is too small, a dead handle) is an error. Nothing unwinds into C.
//!
//! | file | what |
//! |---|---|
//! | `face`, `openings`, `exported`, `export` | a Rust provider called by C |
//! | `read`, `outward` | parameters that come from C; results that go there |
//! | `loader`, `loaded`, `late_calls` | a library as a Rust provider |
//! | `symbols` | the functions of a library as they are, and exports that get them so |
//! | `lend`, `upward` | parameters that go to C; completions and events that come from there |
#![allow(unsafe_code)]

mod export;
pub mod exported;
mod face;
mod late_calls;
mod lend;
mod loaded;
mod loader;
mod openings;
mod outward;
mod read;
mod symbols;
#[cfg(test)]
mod tests;
mod upward;

pub use face::{Face, Make};
pub use loader::{LoadError, Loaded};
pub use symbols::{Symbols, Word};

/// ASYNC_COMPLETION: completes a request (C1).
pub type AsyncCompletion = unsafe extern "C" fn(u32, i32);
/// LINEEVENT: a message of a line or of a call.
pub type LineEvent = unsafe extern "C" fn(usize, usize, u32, usize, usize, usize);
/// PHONEEVENT: a message of a phone.
pub type PhoneEvent = unsafe extern "C" fn(usize, u32, usize, usize, usize);
