//! Checks whether the machine's clock counts instructions, as it does in a machine with instruction
//! counting.

// Only a loop written in assembly has a known number of instructions.
#![allow(unsafe_code)]

use std::arch::asm;
use std::time::Instant;

use crate::Outcome;

/// Number of rounds of the loop, which take less than a tick of the kernel's.
const SHORT: u64 = 100_000;
const LONG: u64 = 300_000;
/// Number of instructions in each round.
const INSTRUCTIONS: u64 = 2;
/// Each reading of the clock is rounded to whole nanoseconds.
const ROUNDING: u64 = 4;

/// Compares a loop of known length with one three times as long: their times must differ by as many
/// nanoseconds as they differ in instructions.
pub fn instructions() -> Outcome {
    let (short, long) = (best(SHORT), best(LONG));
    let (counted, told) = ((LONG - SHORT) * INSTRUCTIONS, long.saturating_sub(short));
    println!("{counted} instructions: {told} ns; {short} ns for {}", SHORT * INSTRUCTIONS);
    if told.abs_diff(counted) > ROUNDING {
        return Err(format!("the clock does not count: {told} ns for {counted} instructions"));
    }
    Ok(())
}

/// Returns the shortest time of several runs; the others were interrupted.
fn best(rounds: u64) -> u64 {
    let time = || {
        let begin = Instant::now();
        count_down(rounds);
        begin.elapsed().as_nanos() as u64
    };
    (0..20).map(|_| time()).min().unwrap_or_default()
}

/// Runs two instructions in each round.
fn count_down(rounds: u64) {
    // SAFETY: the loop uses only the register that it is given, and the flags.
    unsafe {
        asm!("2:", "dec {0}", "jnz 2b", inout(reg) rounds => _, options(nomem, nostack));
    }
}
