//! Whether the machine's clock counts instructions, as that of a machine that counts has to.

// The only loop whose instructions are known is one that is written in them.
#![allow(unsafe_code)]

use std::arch::asm;
use std::time::Instant;

use crate::Outcome;

/// Rounds of the loop; short of a tick of the kernel's.
const SHORT: u64 = 100_000;
const LONG: u64 = 300_000;
/// In each round.
const INSTRUCTIONS: u64 = 2;
/// A reading of the clock is rounded to whole nanoseconds.
const ROUNDING: u64 = 4;

/// A loop of known length, and one of three times that, differ by as many nanoseconds as there are
/// instructions between them.
pub fn instructions() -> Outcome {
    let (short, long) = (best(SHORT), best(LONG));
    let (counted, told) = ((LONG - SHORT) * INSTRUCTIONS, long.saturating_sub(short));
    println!("{counted} instructions: {told} ns; {short} ns for {}", SHORT * INSTRUCTIONS);
    if told.abs_diff(counted) > ROUNDING {
        return Err(format!("the clock does not count: {told} ns for {counted} instructions"));
    }
    Ok(())
}

/// The least time of several; the others were interrupted.
fn best(rounds: u64) -> u64 {
    let time = || {
        let begin = Instant::now();
        count_down(rounds);
        begin.elapsed().as_nanos() as u64
    };
    (0..20).map(|_| time()).min().unwrap_or_default()
}

/// Two instructions each round.
fn count_down(rounds: u64) {
    // SAFETY: the loop touches nothing but the register that it is given, and the flags.
    unsafe {
        asm!("2:", "dec {0}", "jnz 2b", inout(reg) rounds => _, options(nomem, nostack));
    }
}
