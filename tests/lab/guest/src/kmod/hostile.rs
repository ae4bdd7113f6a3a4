//! Programs that use the module's files in arbitrary ways for a while. The results of their calls
//! do not matter; the kernel must log no fault, and the card must work afterwards.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::thread;
use std::time::{Duration, Instant};

use io_uring::IoUring;
use ringback_driver::device::{DmaMemory, Registers};

use super::card::*;
use super::wild::{self, Dice, Sandbox};
use crate::Outcome;

/// Parses `lab-guest COMMAND SEED SECONDS`.
fn arguments() -> Result<(Dice, Instant), String> {
    let numbers: Vec<u64> = std::env::args().skip(2).flat_map(|number| number.parse()).collect();
    let [seed, seconds] = numbers[..] else { return Err("say SEED and SECONDS".to_owned()) };
    Ok((Dice::new(seed), Instant::now() + Duration::from_secs(seconds)))
}

/// Opens one of the module's files with some flags.
fn any_file(dice: &mut Dice) -> Option<File> {
    let path = match dice.below(6) {
        0 => format!("/dev/uio{}", info().ok()?.number),
        _ => format!("/dev/ringback0p{}", dice.below(5)),
    };
    let flags = [0, libc::O_NONBLOCK, libc::O_APPEND, libc::O_DIRECT, libc::O_PATH, libc::O_SYNC];
    OpenOptions::new()
        .read(!dice.one_in(4))
        .write(!dice.one_in(4))
        .custom_flags(flags[dice.below(6) as usize])
        .open(path)
        .ok()
}

/// Makes calls on the module's files, which it opens and closes all the time; one process of
/// several.
pub fn files() -> Outcome {
    let (mut dice, end) = arguments()?;
    let sandbox = Sandbox::new().map_err(|error| format!("memory: {error}"))?;
    wild::interrupt_every(Duration::from_millis(30));
    let ring = || IoUring::new(64).map_err(|error| format!("io_uring: {error}"));
    let (mut file, mut uring, mut calls) = (None, ring()?, 0_u64);
    while Instant::now() < end {
        match (&file, dice.below(50)) {
            (None, _) => {
                file = any_file(&mut dice);
                if file.is_none() {
                    thread::sleep(Duration::from_millis(1));
                }
            }
            (Some(_), 0) => file = None,
            // Drops the ring with everything that is in flight in it.
            (Some(_), 1) => uring = ring()?,
            (Some(file), 2..20) => wild::submit(&mut uring, file, sandbox, &mut dice),
            (Some(file), _) => wild::call(file, sandbox, &mut dice),
        }
        calls += 1;
    }
    println!("{calls} calls");
    Ok(())
}

/// Opens the card when it can, and writes anything to its registers and its memory.
pub fn registers() -> Outcome {
    let (mut dice, end) = arguments()?;
    let mut writes = 0_u64;
    while Instant::now() < end {
        // Another process may have it open, or the module may just be binding.
        let Ok(mut card) = Card::open() else {
            thread::sleep(Duration::from_millis(1));
            continue;
        };
        if dice.one_in(2) {
            card.reset();
            let _ = card.start();
        }
        for _ in 0..dice.below(400) {
            scribble(&card, &mut dice);
            writes += 1;
        }
        match dice.below(3) {
            0 => card.control = None,
            1 => card.registers = None,
            _ => card.dma = None,
        }
        for _ in 0..dice.below(40) {
            scribble(&card, &mut dice);
        }
    }
    println!("{writes} writes");
    Ok(())
}

fn scribble(card: &Card, dice: &mut Dice) {
    let value = dice.number() as u32;
    match dice.below(12) {
        0 => thread::sleep(Duration::from_millis(dice.below(4))),
        1..=3 => {
            if let Some(dma) = &card.dma {
                dma.write32(dice.below(1024) as usize * 4, value);
            }
        }
        4 => {
            let _ = card.interrupts(value & 1 == 0);
        }
        // Starts the DMA, whatever the addresses are now.
        5 => card.write(OPER, 1),
        6 => card.write(CNTL, 0x41),
        7..=8 => {
            if let Some(registers) = &card.registers {
                registers.write32(dice.below(0x40) as usize * 4, value);
            }
        }
        _ => card.write(dice.below(0x100) as usize, value as u8),
    }
}

/// Memory of the kernel that can't be reclaimed, in kB.
fn kernel_memory() -> Result<u64, String> {
    let text = std::fs::read_to_string("/proc/meminfo").map_err(|error| error.to_string())?;
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let kilobytes = |value: &str| value.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0);
    Ok(lines
        .filter(|(name, _)| ["SUnreclaim", "VmallocUsed"].contains(name))
        .map(|(_, value)| kilobytes(value))
        .sum())
}

/// How often a port is opened before the memory is looked at.
const OPENS: u32 = 300;

/// Opening ports and dropping requests does not leak memory.
pub fn memory() -> Outcome {
    let use_it = || {
        let card = Card::running_when_free()?;
        let mut ring = super::ring::Ring::new()?;
        for _ in 0..OPENS {
            let mut port = open_port(0, 0).map_err(|error| error.to_string())?;
            for tag in 0..60 {
                ring.write(&port, &[0; 8], tag)?;
            }
            std::io::Write::write(&mut port, &[]).map_err(|error| error.to_string())?;
            ring.ends(60, long())?;
        }
        drop(card);
        kernel_memory()
    };
    // In the first round the kernel fills its caches, and KASAN what it keeps of freed memory.
    let before = use_it()?;
    let after = use_it()?;
    println!(
        "kernel memory: {before} kB before, {after} kB after {OPENS} opens and 18000 requests"
    );
    // A leak would show: 300 queues are 22 MB, 18000 requests 2 MB.
    if after > before + 1500 {
        return Err(format!("{} kB of memory were left behind", after - before));
    }
    Ok(())
}
