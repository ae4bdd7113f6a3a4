//! Costs that do not depend on the clock: instructions, allocations, bytes and system calls.
//!
//! A tool counts what a process does that runs one workload. It runs twice, for few requests and
//! for many, and the difference is the cost of the requests: start and end cost the same in both
//! runs and cancel out.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::workload::Workload;

/// How the program runs itself for one workload: the program, and the arguments before the
/// workload's name and the number of requests.
#[derive(Debug, Clone)]
pub struct Relaunch {
    /// The path of the program.
    pub program: PathBuf,
    /// The arguments before the workload's name.
    pub arguments: Vec<OsString>,
}

/// Few and many requests, for workloads with all of them outstanding and for the others.
const OUTSTANDING: [usize; 2] = [1024, 4096];
const PASSING: [usize; 2] = [64, 1024];

/// The costs per request, or why one was not counted.
#[derive(Debug, Clone)]
pub(crate) struct Costs {
    /// Instructions of one use of a slot.
    pub(crate) gate: Result<f64, String>,
    /// Instructions from the call to its return, including the release of the ticket.
    pub(crate) submit: Result<f64, String>,
    /// Instructions from the interrupt to the return of the callback.
    pub(crate) deliver: Result<f64, String>,
    /// Allocations per submission.
    pub(crate) submit_allocations: Result<f64, String>,
    /// Allocations of the whole path, through the ring.
    pub(crate) allocations: Result<f64, String>,
    /// Bytes of the heap per outstanding request.
    pub(crate) bytes: Result<f64, String>,
    /// System calls per submission to a sleeping driver.
    pub(crate) submit_calls: Result<f64, String>,
    /// System calls of the whole path, without the one of the hardware.
    pub(crate) calls: Result<f64, String>,
}

impl Costs {
    /// No costs, for a reason.
    pub(crate) fn without(reason: &str) -> Costs {
        let [gate, submit, deliver, submit_allocations, allocations, bytes, submit_calls, calls] =
            std::array::from_fn(|_| Err(reason.to_string()));
        Costs { gate, submit, deliver, submit_allocations, allocations, bytes, submit_calls, calls }
    }

    /// Counts all costs; `progress` gets the current task, and how much is done, from 0 to 1.
    /// `None` if `stop` returned true.
    pub(crate) fn count(
        relaunch: &Relaunch,
        stop: &dyn Fn() -> bool,
        progress: &mut dyn FnMut(&str, f64),
    ) -> Option<Costs> {
        let mut step = 0.0;
        let mut next = |tool: Tool, workload: Workload| {
            if stop() {
                return Err("stopped".into());
            }
            progress(&format!("{}: {}", tool.program(), workload.name()), step / 9.0);
            step += 1.0;
            per_request(relaunch, tool, workload)
        };
        let gate = next(Tool::Instructions, Workload::Gate);
        let submit = next(Tool::Instructions, Workload::Submit);
        let answer = next(Tool::Instructions, Workload::Answer);
        let deliver = next(Tool::Instructions, Workload::Deliver);
        let costs = Costs {
            gate,
            submit,
            deliver: deliver.and_then(|deliver| Ok(deliver - answer?)),
            submit_allocations: next(Tool::Allocations, Workload::Submit),
            allocations: next(Tool::Allocations, Workload::Local),
            bytes: next(Tool::Bytes, Workload::Outstanding),
            submit_calls: next(Tool::SystemCalls, Workload::SubmitToDriver),
            // The hardware makes one, its interrupt.
            calls: next(Tool::SystemCalls, Workload::Whole).map(|calls| calls - 1.0),
        };
        (!stop()).then_some(costs)
    }
}

#[derive(Debug, Clone, Copy)]
enum Tool {
    Instructions,
    Allocations,
    Bytes,
    SystemCalls,
}

impl Tool {
    fn program(self) -> &'static str {
        match self {
            Tool::Instructions | Tool::Allocations | Tool::Bytes => "valgrind",
            Tool::SystemCalls => "strace",
        }
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Tool::Instructions => &["--tool=callgrind", "--callgrind-out-file=/dev/null"],
            Tool::Allocations | Tool::Bytes => &["--tool=dhat", "--dhat-out-file=/dev/null"],
            // The thread that waits for the callback yields, which is not part of the path.
            Tool::SystemCalls => &["-f", "-c", "--seccomp-bpf", "-e", "trace=!sched_yield"],
        }
    }

    /// Extracts the count from the tool's output.
    fn read(self, text: &str) -> Option<f64> {
        let words = |line: &str| -> Vec<String> {
            line.split_whitespace().map(|word| word.replace(',', "")).collect()
        };
        let after = |label: &str, place: usize| {
            let line = text.lines().find(|line| line.contains(label))?;
            words(line.split(label).nth(1)?).get(place)?.parse().ok()
        };
        match self {
            Tool::Instructions => after("Collected :", 0),
            // "Total:     1,106 bytes in 12 blocks", "At t-gmax: 930 bytes in 3 blocks".
            Tool::Allocations => after(" Total:", 3),
            Tool::Bytes => after("At t-gmax:", 0),
            // "100.00    0.000123           3        42         1 total": the last word is the
            // name, and the column of errors may be missing.
            Tool::SystemCalls => {
                let line = text.lines().rev().find(|line| line.trim_end().ends_with(" total"))?;
                words(line).get(3)?.parse().ok()
            }
        }
    }
}

fn per_request(relaunch: &Relaunch, tool: Tool, workload: Workload) -> Result<f64, String> {
    let [few, many] = match workload {
        Workload::Submit
        | Workload::Answer
        | Workload::Deliver
        | Workload::Outstanding
        | Workload::SubmitToDriver => OUTSTANDING,
        Workload::Gate | Workload::Local | Workload::Whole => PASSING,
    };
    let at_few = run(relaunch, tool, workload, few)?;
    let at_many = run(relaunch, tool, workload, many)?;
    Ok((at_many - at_few) / (many - few) as f64)
}

fn run(relaunch: &Relaunch, tool: Tool, workload: Workload, count: usize) -> Result<f64, String> {
    let output = Command::new(tool.program())
        .args(tool.arguments())
        .arg(&relaunch.program)
        .args(&relaunch.arguments)
        .arg(workload.name())
        .arg(count.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => format!("{} is not installed", tool.program()),
            _ => format!("{}: {error}", tool.program()),
        })?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let last = text.lines().last().unwrap_or_default();
        return Err(format!("{} failed ({}): {last}", tool.program(), output.status));
    }
    tool.read(&text).ok_or_else(|| format!("{} printed no count", tool.program()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_found_in_what_the_tools_print() {
        let callgrind = "==7== Events    : Ir\n==7== Collected : 1234567\n";
        assert_eq!(Tool::Instructions.read(callgrind), Some(1_234_567.0));
        let dhat = "==7== Total:     1,106 bytes in 12 blocks\n\
                    ==7== At t-gmax: 930 bytes in 3 blocks\n";
        assert_eq!(Tool::Allocations.read(dhat), Some(12.0));
        assert_eq!(Tool::Bytes.read(dhat), Some(930.0));
        let strace = "% time     seconds  usecs/call     calls    errors syscall\n\
                      ------ ----------- ----------- --------- --------- ----------------\n \
                      90.00    0.000090           3        30           write\n\
                      ------ ----------- ----------- --------- --------- ----------------\n\
                      100.00    0.000100           2        42         1 total\n";
        assert_eq!(Tool::SystemCalls.read(strace), Some(42.0));
        assert_eq!(Tool::SystemCalls.read(""), None);
    }
}
