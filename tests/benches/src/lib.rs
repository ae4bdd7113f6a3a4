//! Measures the path from submitting a request to its callback, stage by stage, and compares it
//! with other designs.
//!
//! | module | what |
//! |---|---|
//! | `probe` | time stamps on the path: doorbell, wake-up, callback |
//! | `plant`, `kinds` | the device under test, and how it is driven |
//! | `hardware`, `aside` | plays its hardware, on a CPU of its own |
//! | `cell` | the parameters (gap, depth, threads) and the timing of a request |
//! | `ways` | Ringback in each of its modes, and the peers as their users write them |
//! | `latency` | the run: every way in every cell, interleaved, round by round |
//! | `workload`, `costs` | costs without a clock: instructions, allocations, bytes, system calls |
//! | `scale`, `tick` | gate, submission and reaper on their own; the tick of a card |
//! | `figures` | the figures with their targets |
//! | `run`, `report`, `plot` | a whole run, with progress; tables, JSON, SVG |
//! | [`lab`] | guest instructions, counted in a virtual machine |
//! | `noise` | how much the machine was disturbed |
//!
//! Rules: all ways are timed by the same code at the same points; in the samples that are compared
//! no way has more time stamps than the others; what could not be measured is reported as missing,
//! and not estimated.

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
