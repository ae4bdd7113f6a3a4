//! The ring seen from outside: what the kernel traces of every submitted entry.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;

const TRACING: &str = "/sys/kernel/tracing";

/// The tracepoint for submitted entries, switched on.
pub struct Submissions {
    event: PathBuf,
}

/// An entry of the submission queue as the kernel saw it.
#[derive(Debug, PartialEq, Eq)]
pub struct Submission {
    /// What it asked for; a name, or a number on Linux 6.1.
    pub opcode: String,
    /// Its user_data.
    pub user_data: u64,
}

impl Submissions {
    /// Starts to trace.
    ///
    /// # Errors
    /// What the kernel does not offer.
    pub fn start() -> Result<Submissions, String> {
        // It was called submit_sqe before Linux 6.3.
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

    /// Stops, and gives what was submitted.
    ///
    /// # Errors
    /// The error of the file.
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
