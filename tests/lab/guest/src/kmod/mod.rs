//! The module `ringback` with the software card, used through its files alone; of Ringback's driver
//! only the mapping of memory is used.
//!
//! The machine's card has FXS modules in slots 0 to 2 and an FXO module in slot 3, whose line has
//! the number 103. An FXS module can be set to return every byte that it gets.

mod aio;
mod allocations;
mod attacks;
mod card;
mod cost;
mod endings;
mod files;
mod hostile;
mod requests;
mod ring;
mod samples;
mod wild;

pub use allocations::allocations;
pub use attacks::{
    access, addresses, behind, behind_others, executed, fsync, left_bytes, may_open, stale, touch,
};
pub use cost::interrupt;
pub use endings::{faults, forever, last_user, left, removal, sleep, sleep_without, unbind, works};
pub use files::{control, counters, ports};
pub use hostile::{files as hostile_files, memory, registers as hostile_registers};
pub use requests::{nonblocking, requests};
pub use samples::{idle, samples, telephone};
