//! The ring as the kernel sees it: its trace of every submitted entry.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;

const TRACING: &str = "/sys/kernel/tracing";

/// The tracepoint for submitted entries, enabled.
pub struct Submissions {
    event: PathBuf,
}

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
        let event = ["io_uring_submit_req", "io_uring_submit_sqe"]
            .map(|name| Path::new(TRACING).join("events/io_uring").join(name))
            .into_iter()
            .find(|event| event.exists())
            .ok_or("the kernel has no tracepoint for submitted entries")?;
        write(&Path::new(TRACING).join("buffer_size_kb"), "8192")?;
        write(&Path::new(TRACING).join("trace"), "")?;
        write(&event.join("enable"), "1")?;
        Ok(Submissions { event })
    }

    /// Stops tracing, and returns the submitted entries.
    ///
    /// # Errors
    /// The error of the trace file.
    pub fn stop(self) -> Result<Vec<Submission>, String> {
        write(&self.event.join("enable"), "0")?;
        let path = Path::new(TRACING).join("trace");
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
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
