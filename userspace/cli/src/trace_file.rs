//! `--trace-registers FILE`: the accesses to a card's registers, recorded into a file.
//!
//! The file is new and readable by the user alone, as all files are. A thread of its own writes it,
//! so that a slow disk holds up nothing; what it does not write in time is counted in the trace. If
//! the file can't be written, that is told once, and the command goes on.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use ringback_driver::device::selector::Selector;
use ringback_driver::device::trace::RegisterTrace;

use crate::exit::Failure;
use crate::files::{Target, not_written};
use crate::output::note;
use crate::signals::spawn;

/// How often what was recorded is written.
const INTERVAL: Duration = Duration::from_millis(100);
/// How long the end of the file may take.
const DRAINED: Duration = Duration::from_secs(2);

/// A trace and the thread that writes it. Dropping it writes the rest.
pub(crate) struct TraceFile {
    stop: Option<Sender<()>>,
    written: Receiver<()>,
}

impl TraceFile {
    /// Creates the file, and starts to write what is recorded from now on.
    pub(crate) fn start(
        target: Target,
        card: &Selector,
    ) -> Result<(TraceFile, Arc<RegisterTrace>), Failure> {
        let (file, path) = target.open()?;
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let trace = Arc::new(RegisterTrace::new(&[
            format!("program {}", env!("CARGO_PKG_VERSION")),
            format!("kernel {}", kernel.trim()),
            format!("card {card}"),
        ]));
        let (stop, stopped) = mpsc::channel();
        let (done, written) = mpsc::channel();
        let recorded = Arc::clone(&trace);
        spawn("trace", move || {
            write(file, &path, &recorded, &stopped);
            drop(done);
        })?;
        Ok((TraceFile { stop: Some(stop), written }, trace))
    }
}

/// Writes what is recorded until the other end of `stopped` is gone, and the rest then.
fn write(mut file: File, path: &Path, trace: &RegisterTrace, stopped: &Receiver<()>) {
    loop {
        let over = stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout);
        if let Err(error) = file.write_all(trace.fetch().as_bytes()) {
            return note(not_written(path, &error));
        }
        if over {
            return;
        }
    }
}

impl Drop for TraceFile {
    fn drop(&mut self) {
        drop(self.stop.take());
        // The thread sends nothing; its end is the end of the channel.
        let _ = self.written.recv_timeout(DRAINED);
    }
}
