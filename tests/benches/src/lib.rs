//! The way from submitting a request to its callback, stage by stage, beside its peers.
//!
//! | module | what |
//! |---|---|
//! | `probe` | stamps on the way: doorbell, wake-up, callback |
//! | `plant`, `kinds` | the device under test, and how it is driven |
//! | `hardware`, `aside` | who plays its hardware, on a CPU of its own |
//! | `cell` | what is varied (gap, depth, threads) and how one request is timed |
//! | `ways` | Ringback in each of its modes, and the peers as their users write them |
//! | `latency` | the run: every way in every cell, interleaved, round by round |
//! | `workload`, `costs` | what needs no clock: instructions, allocations, bytes, system calls |
//! | `scale`, `tick` | the gate, submitting and the reaper alone; the tick of a card |
//! | `figures` | the figures to reach |
//! | `run`, `report`, `plot` | a whole run, with progress; tables, JSON, SVG |
//! | [`lab`] | guest instructions, counted in a virtual machine |
//! | `noise` | how disturbed the machine was |
//!
//! Rules: all ways are timed by the same code at the same points; no way is stamped more often than
//! the others in the samples that are compared; what could not be measured is said and not guessed.

mod aside;
mod cell;
mod clock;
mod costs;
mod figures;
mod hardware;
mod kinds;
pub mod lab;
mod latency;
mod noise;
mod plant;
mod plot;
mod probe;
mod report;
mod run;
mod scale;
mod tick;
mod ways;
mod workload;

pub use costs::Relaunch;
pub use run::{Error, Options, ROUNDS, run};
pub use workload::workload;
