//! (e) The lower bound again, as a C program on liburing (`liburing.c`) in a process of its own.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{LIBURING, Way};
use crate::aside::{Reaper, spare_cpu};
use crate::cell::{Cell, STAGED, Stages, WARM_UP};
use crate::hardware::THINKS;

/// The compiled program, or why it could not be compiled.
pub(super) struct Liburing {
    folder: Result<TempDir, String>,
}

const PROGRAM: &str = "liburing-floor";

impl Liburing {
    /// Compiles it.
    pub(super) fn compile() -> Liburing {
        Liburing { folder: compile() }
    }
}

fn compile() -> Result<TempDir, String> {
    let folder = tempfile::tempdir().map_err(super::words("temporary folder"))?;
    let source = folder.path().join("liburing.c");
    std::fs::write(&source, include_str!("liburing.c")).map_err(super::words("source"))?;
    let output = Command::new("cc")
        .args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-pthread", "-o"])
        .arg(folder.path().join(PROGRAM))
        .arg(&source)
        .arg("-luring")
        .output()
        .map_err(super::words("a C compiler"))?;
    if output.status.success() {
        return Ok(folder);
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let first = text.lines().find(|line| line.contains("error") || line.contains("cannot"));
    Err(format!("not compiled, is liburing-dev there? {}", first.unwrap_or_default().trim()))
}

impl Way for Liburing {
    fn name(&self) -> &'static str {
        LIBURING
    }

    fn aside(&self) -> Option<usize> {
        spare_cpu(Reaper::Sleeps)
    }

    fn slice(&self, cell: Cell, count: usize, aside: Option<usize>) -> Result<Stages, String> {
        if cell.threads != 1 {
            return Err("has one submitting thread".into());
        }
        let folder = self.folder.as_ref().map_err(Clone::clone)?;
        let mut child = Command::new(folder.path().join(PROGRAM))
            .arg(cell.depth.to_string())
            .arg(aside.map_or("-1".into(), |cpu| cpu.to_string()))
            .arg(THINKS.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(super::words("starting it"))?;
        let mut records = Vec::with_capacity(count * 32);
        let mut talk = || {
            let (Some(mut orders), Some(mut times)) = (child.stdin.take(), child.stdout.take())
            else {
                return Err(std::io::ErrorKind::BrokenPipe.into());
            };
            writeln!(orders, "{} {WARM_UP} {count}", cell.gap.as_nanos())?;
            // The program ends at the end of its input.
            drop(orders);
            times.read_to_end(&mut records)
        };
        let read = talk();
        let status = child.wait().map_err(super::words("waiting for it"))?;
        read.map_err(super::words("talking to it"))?;
        if !status.success() || records.len() != count * 32 {
            return Err(format!("failed: {status}"));
        }
        let mut stages = Stages::new();
        for (n, record) in records.chunks_exact(32).enumerate() {
            let mut times = record
                .chunks_exact(8)
                .map(|time| u64::from_ne_bytes(time.try_into().unwrap_or_default()));
            let times = std::array::from_fn(|_| times.next().unwrap_or_default());
            stages.record(times, n % STAGED == STAGED - 1);
        }
        Ok(stages)
    }
}
