//! The module `ringback` on the software card, by its files alone: none of Ringback's driver but
//! the mapping of memory.
//!
//! The machine's card has FXS modules in slots 0 to 2 and an FXO module in slot 3, whose line has
//! the number 103. An FXS module that is told to gives back every byte that it is given.

mod aio;
mod attacks;
mod card;
mod endings;
mod files;
mod hostile;
mod requests;
mod ring;
mod samples;
mod wild;

pub use attacks::{
    access, addresses, behind, behind_others, executed, fsync, left_bytes, may_open, stale, touch,
};
pub use endings::{faults, forever, last_user, left, removal, sleep, sleep_without, unbind, works};
pub use files::{control, counters, ports};
pub use hostile::{files as hostile_files, memory, registers as hostile_registers};
pub use requests::{nonblocking, requests};
pub use samples::{samples, telephone};
