//! What the kernel's tracepoints report, above all the ring as the kernel sees it: its trace of
//! every submitted entry.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;

const TRACING: &str = "/sys/kernel/tracing";

/// Tracepoints, enabled.
pub struct Trace {
    events: Vec<PathBuf>,
}

impl Trace {
    /// Starts tracing these events (`GROUP/NAME`), with the times of this clock of the kernel's.
    ///
    /// # Errors
    /// What the kernel does not have.
    pub fn start(events: &[&str], clock: &str) -> Result<Trace, String> {
        let folder = Path::new(TRACING);
        let events = events.iter().map(|event| folder.join("events").join(event).join("enable"));
        let events: Vec<_> = events.collect();
        write(&folder.join("buffer_size_kb"), "16384")?;
        write(&folder.join("trace_clock"), clock)?;
        write(&folder.join("trace"), "")?;
        events.iter().try_for_each(|event| write(event, "1"))?;
        Ok(Trace { events })
    }

    /// As [`start`](Trace::start), also of calls of functions: what is written to `kprobe_events`.
    ///
    /// # Errors
    /// What the kernel does not have.
    pub fn start_with_probes(
        events: &[&str],
        probes: &[(&str, &str)],
        clock: &str,
    ) -> Result<Trace, String> {
        let lines: Vec<_> =
            probes.iter().map(|(name, of)| format!("p:lab/{name} {of}\n")).collect();
        write(&Path::new(TRACING).join("kprobe_events"), &lines.concat())?;
        let probes = probes.iter().map(|(name, _)| format!("lab/{name}"));
        let all: Vec<_> = events.iter().map(ToString::to_string).chain(probes).collect();
        Trace::start(&all.iter().map(String::as_str).collect::<Vec<_>>(), clock)
    }

    /// Stops tracing, and returns the lines of the trace.
    ///
    /// # Errors
    /// The error of the trace file.
    pub fn stop(self) -> Result<String, String> {
        self.events.iter().try_for_each(|event| write(event, "0"))?;
        let path = Path::new(TRACING).join("trace");
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    }
}

/// The tracepoint for submitted entries, enabled.
pub struct Submissions(Trace);

/// An entry of the submission queue as the kernel saw it.
#[derive(Debug, PartialEq, Eq)]
pub struct Submission {
    /// The operation: a name, or a number on Linux 6.1.
    pub opcode: String,
    /// The user_data of the entry.
    pub user_data: u64,
}

impl Submissions {
    /// Starts tracing.
    ///
    /// # Errors
    /// The facility that the kernel does not have.
    pub fn start() -> Result<Submissions, String> {
        // Its name was submit_sqe before Linux 6.3.
        let event = ["io_uring/io_uring_submit_req", "io_uring/io_uring_submit_sqe"]
            .into_iter()
            .find(|event| Path::new(TRACING).join("events").join(event).exists())
            .ok_or("the kernel has no tracepoint for submitted entries")?;
        Trace::start(&[event], "local").map(Submissions)
    }

    /// Stops tracing, and returns the submitted entries.
    ///
    /// # Errors
    /// The error of the trace file.
    pub fn stop(self) -> Result<Vec<Submission>, String> {
        let text = self.0.stop()?;
        for line in text.lines().filter(|line| line.contains("user_data")).take(3) {
            println!("{line}");
        }
        Ok(text.lines().filter_map(submission).collect())
    }
}

fn submission(line: &str) -> Option<Submission> {
    let number = line.split("user_data 0x").nth(1)?;
    let number = number.split(|c: char| !c.is_ascii_hexdigit()).next()?;
    let opcode = line.split("opcode ").nth(1)?.split([',', ' ']).next()?;
    let user_data = u64::from_str_radix(number, 16).ok()?;
    Some(Submission { opcode: opcode.to_owned(), user_data })
}

fn write(path: &Path, text: &str) -> Outcome {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_trace_is_read() {
        let line = " ringback-77 [001] ..... 1.23: io_uring_submit_req: ring 0000000012345678, \
                    req 00000000abcdef01, user_data 0x3000012300000001, opcode TIMEOUT, \
                    flags 0x80000, sq_thread 0";
        let user_data = 0x3000_0123_0000_0001;
        assert_eq!(submission(line), Some(Submission { opcode: "TIMEOUT".into(), user_data }));
        assert_eq!(submission("# tracer: nop"), None);
    }
}
