//! What an interrupt of the card costs, on a machine whose clock counts instructions.

use std::fs::File;

use super::card::*;
use super::ring::Ring;
use crate::Outcome;
use crate::trace::Trace;

/// Interrupts of each measurement.
const INTERRUPTS: u64 = 1500;
/// The samples of a request: 20 ms.
const SAMPLES: usize = 160;

/// The allocations that the kernel can trace, and the beginning and end of interrupt handlers.
const EVENTS: [&str; 5] = [
    "irq/irq_handler_entry",
    "irq/irq_handler_exit",
    "kmem/kmalloc",
    "kmem/kmem_cache_alloc",
    "kmem/mm_page_alloc",
];

/// What the handler of one interrupt did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Handled {
    /// From the tracepoint before it to that after it.
    instructions: u64,
    allocations: u64,
}

/// Reads a line of a trace whose times are numbers: the time, the event, and its fields.
fn event(line: &str) -> Option<(u64, &str, &str)> {
    // The task's name is before the time, and may have spaces and colons.
    let mut parts = line.split(": ");
    let mut before = parts.next()?;
    loop {
        let name = parts.next()?;
        if let Some(Ok(time)) = before.rsplit(' ').next().map(str::parse) {
            let fields = line.split_once(&format!(": {name}: "))?.1;
            return Some((time, name, fields));
        }
        before = name;
    }
}

/// The interrupts of the card in a trace of a machine with one processor.
fn handled(trace: &str) -> Vec<Handled> {
    let mut all = Vec::new();
    let mut running: Option<(u64, u64)> = None;
    for (time, name, fields) in trace.lines().filter_map(event) {
        match (name, &mut running) {
            ("irq_handler_entry", _) if fields.ends_with("name=ringback") => {
                running = Some((time, 0))
            }
            ("irq_handler_exit", Some((began, allocations))) => {
                let instructions = time.saturating_sub(*began);
                all.push(Handled { instructions, allocations: *allocations });
                running = None;
            }
            (_, Some((_, allocations))) => *allocations += 1,
            _ => {}
        }
    }
    all
}

/// Traces interrupts during `work`, and prints what they cost. Returns the mean: how many ticks end
/// requests depends on the phases of the ports, and with it the median, but not the sum.
fn measure(what: &str, work: impl FnOnce(u64) -> Outcome) -> Result<u64, String> {
    let trace = Trace::start(&EVENTS, "x86-tsc")?;
    work(counter("ticks")? + INTERRUPTS)?;
    let all = handled(&trace.stop()?);
    let mut costs: Vec<_> = all.iter().map(|one| one.instructions).collect();
    costs.sort_unstable();
    let count = costs.len();
    if (count as u64) < INTERRUPTS {
        return Err(format!("{what}: only {count} interrupts are in the trace"));
    }
    let (median, mean) = (costs[count / 2], costs.iter().sum::<u64>() / count as u64);
    let (most, long) = (costs[count - 1], costs[count * 99 / 100]);
    println!(
        "{what}: {count} interrupts; instructions of each: median {median}, mean {mean}, 99 % at \
         most {long}, most {most}"
    );
    let allocations: u64 = all.iter().map(|one| one.allocations).sum();
    same("allocations in the handler", allocations, 0)?;
    Ok(mean)
}

/// Where locks are taken and given back with interrupts off, and by which argument.
const LOCKS: [(&str, &str); 4] = [
    ("taken", "_raw_spin_lock_irqsave lock=%di"),
    ("taken_by_task", "_raw_spin_lock_irq lock=%di"),
    ("returned", "_raw_spin_unlock_irqrestore lock=%di"),
    ("returned_by_task", "_raw_spin_unlock_irq lock=%di"),
];
/// Interrupts during which the lock is looked at. There are other locks in the trace as well.
const LOOKED_AT: u64 = 300;

/// For how many instructions the card's lock was held each time: by the handler, and by tasks. It
/// is the first lock that the handler takes.
fn held(trace: &str) -> [Vec<u64>; 2] {
    let events: Vec<_> = trace.lines().filter_map(event).collect();
    let begins = |&(_, name, fields): &(u64, &str, &str)| {
        name == "irq_handler_entry" && fields.ends_with("name=ringback")
    };
    let of = |fields: &str| fields.rsplit_once("lock=").map(|(_, lock)| lock.to_owned());
    let mut handlers = events.windows(2).filter(|pair| begins(&pair[0]) && pair[1].1 == "taken");
    let lock = handlers.next().and_then(|pair| of(pair[1].2));
    let mut all = [Vec::new(), Vec::new()];
    let (mut since, mut in_handler) = (None, false);
    for event in &events {
        let &(time, name, fields) = event;
        match name {
            "irq_handler_entry" => in_handler = begins(event),
            "irq_handler_exit" => in_handler = false,
            _ if of(fields) != lock => {}
            "taken" | "taken_by_task" => since = Some(time),
            "returned" | "returned_by_task" => {
                let held = since.take().map(|since| time.saturating_sub(since));
                all[usize::from(!in_handler)].extend(held);
            }
            _ => {}
        }
    }
    all
}

/// Prints for how long the card's lock is held, which is with interrupts off, while ports are used;
/// the tracing of two calls included. No task may hold it for twice as long as the handler does,
/// which has the samples to move.
fn lock(ports: &[File]) -> Outcome {
    let trace = Trace::start_with_probes(&EVENTS[..2], &LOCKS, "x86-tsc")?;
    use_all(ports, counter("ticks")? + LOOKED_AT)?;
    let mut all = held(&trace.stop()?);
    let [handler, tasks] = &mut all;
    let report = |who, held: &mut Vec<u64>| {
        held.sort_unstable();
        let (count, Some(most)) = (held.len(), held.last().copied()) else {
            return Err(format!("{who}: the lock was never held"));
        };
        let median = held[count / 2];
        println!("{who}: the lock held {count} times, instructions: median {median}, most {most}");
        Ok((median, most))
    };
    let (usual, _) = report("the handler", handler)?;
    let (_, most) = report("tasks", tasks)?;
    if most > 2 * usual {
        return Err(format!("a task has held the lock for {most} instructions"));
    }
    Ok(())
}

/// Requests on all ports: on each two WRITEs and a READ are always under way.
fn use_all(ports: &[File], end: u64) -> Outcome {
    let mut ring = Ring::new()?;
    let samples = pattern(1, SAMPLES);
    let submit = |ring: &mut Ring, tag: u64| {
        let port = &ports[tag as usize % ports.len()];
        match tag / ports.len() as u64 {
            0 => ring.read(port, SAMPLES as u32, tag),
            _ => ring.write(port, &samples, tag),
        }
    };
    let tags = 3 * ports.len() as u64;
    (0..tags).try_for_each(|tag| submit(&mut ring, tag))?;
    while counter("ticks")? < end {
        let ended = &ring.ends(1, long())?[0];
        same("a request", ended.result, SAMPLES as i32)?;
        submit(&mut ring, ended.tag)?;
    }
    Ok(())
}

/// How often the ports are used at most until their interrupts are cheap enough. On a computer that
/// does other work the machine misses ticks, and more requests end in one interrupt.
const TRIES: usize = 5;

/// Counts the instructions of an interrupt without ports, with four ports that are open, and with
/// four ports that are used. `lab-guest kmod-interrupt LIMIT`: the most that the last may need.
pub fn interrupt() -> Outcome {
    let limit = std::env::args().nth(2).and_then(|limit| limit.parse::<u64>().ok());
    let limit = limit.ok_or("say LIMIT")?;
    let _card = Card::running()?;
    let idle = |end| until("the interrupts", || Ok(counter("ticks")? >= end));
    measure("no port is open", idle)?;
    let ports: Result<Vec<_>, _> = (0..4).map(|slot| open_port(slot, 0)).collect();
    let ports = ports.map_err(|error| error.to_string())?;
    measure("four ports are open", idle)?;
    let mut least = u64::MAX;
    for _ in 0..TRIES {
        least = least.min(measure("four ports are used", |end| use_all(&ports, end))?);
        if least <= limit {
            return lock(&ports);
        }
    }
    Err(format!("{least} instructions for an interrupt, and not {limit} at most"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interrupts_are_found_in_a_trace() {
        let trace = "# tracer: nop\n\
            a: b-7 [000] d.h1. 1000: irq_handler_entry: irq=10 name=ringback\n\
            a: b-7 [000] d.h1. 1100: kmalloc: call_site=x+0x1/0x2 ptr=1\n\
            a: b-7 [000] d.h1. 1500: irq_handler_exit: irq=10 ret=handled\n\
            a: b-7 [000] d.h1. 2000: irq_handler_entry: irq=4 name=ttyS0\n\
            a: b-7 [000] d.h1. 2500: irq_handler_exit: irq=4 ret=handled\n\
            a: b-7 [000] d.... 2600: kmem_cache_alloc: call_site=y ptr=1\n\
            <idle>-0 [000] d.h1. 3000: irq_handler_entry: irq=10 name=ringback\n\
            <idle>-0 [000] d.h1. 3200: irq_handler_exit: irq=10 ret=handled\n";
        let wanted = [(500, 1), (200, 0)]
            .map(|(instructions, allocations)| Handled { instructions, allocations });
        assert_eq!(handled(trace), wanted);
    }

    #[test]
    fn the_cards_lock_is_found_in_a_trace() {
        let trace = "a: b-7 [000] d.... 900: taken: (_raw_spin_lock_irqsave+0x0/0x40) lock=0x5\n\
            a: b-7 [000] d.h1. 1000: irq_handler_entry: irq=10 name=ringback\n\
            a: b-7 [000] d.h1. 1010: taken: (_raw_spin_lock_irqsave+0x0/0x40) lock=0x9\n\
            a: b-7 [000] d.h1. 1100: taken: (_raw_spin_lock_irqsave+0x0/0x40) lock=0x5\n\
            a: b-7 [000] d.h1. 1210: returned: (_raw_spin_unlock_irqrestore+0x0/0x2) lock=0x9\n\
            a: b-7 [000] d.h1. 1500: irq_handler_exit: irq=10 ret=handled\n\
            a: b-7 [000] d.... 2000: taken_by_task: (_raw_spin_lock_irq+0x0/0x4) lock=0x9\n\
            a: b-7 [000] d.... 2030: returned_by_task: (_raw_spin_unlock_irq+0x0/0x2) lock=0x9\n";
        assert_eq!(held(trace), [vec![200], vec![30]]);
    }
}
