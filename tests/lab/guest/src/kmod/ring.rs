//! io_uring on the module's files: operations that own their memory until they have ended.
#![allow(unsafe_code, reason = "io_uring")]

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use io_uring::types::{CancelBuilder, Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, opcode, squeue};

/// The position for a file that is not seekable.
const NOWHERE: u64 = u64::MAX;

/// The completion of one operation.
#[derive(Debug)]
pub struct End {
    /// The tag of its submission.
    pub tag: u64,
    /// The number of bytes, or a negative errno.
    pub result: i32,
    /// The bytes that a READ returned.
    pub bytes: Vec<u8>,
}

/// A ring that belongs to this thread.
pub struct Ring {
    uring: IoUring,
    /// The memory of operations in flight, by tag.
    memory: HashMap<u64, Box<[u8]>>,
}

impl Ring {
    /// Set up like the driver's: one thread submits and reaps.
    pub fn new() -> Result<Ring, String> {
        let uring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .build(64)
            .map_err(|error| format!("io_uring: {error}"))?;
        Ok(Ring { uring, memory: HashMap::new() })
    }

    /// Submits a WRITE. No other operation in flight may have this tag.
    pub fn write(&mut self, file: &File, samples: &[u8], tag: u64) -> Result<(), String> {
        let memory: Box<[u8]> = samples.into();
        let length = u32::try_from(memory.len()).map_err(|error| error.to_string())?;
        let entry = opcode::Write::new(Fd(file.as_raw_fd()), memory.as_ptr(), length);
        self.submit(entry.offset(NOWHERE).build(), tag, memory)
    }

    /// Submits a READ.
    pub fn read(&mut self, file: &File, length: u32, tag: u64) -> Result<(), String> {
        let mut memory = vec![0; length as usize].into_boxed_slice();
        let entry = opcode::Read::new(Fd(file.as_raw_fd()), memory.as_mut_ptr(), length);
        self.submit(entry.offset(NOWHERE).build(), tag, memory)
    }

    /// Submits an FSYNC.
    pub fn fsync(&mut self, file: &File, tag: u64) -> Result<(), String> {
        let entry = opcode::Fsync::new(Fd(file.as_raw_fd())).build();
        self.submit(entry, tag, Box::default())
    }

    /// Submits the cancellation of all operations in flight on a file.
    pub fn cancel(&mut self, file: &File, tag: u64) -> Result<(), String> {
        let what = CancelBuilder::fd(Fd(file.as_raw_fd())).all();
        self.submit(opcode::AsyncCancel2::new(what).build(), tag, Box::default())
    }

    fn submit(&mut self, entry: squeue::Entry, tag: u64, memory: Box<[u8]>) -> Result<(), String> {
        let entry = entry.user_data(tag);
        if self.memory.insert(tag, memory).is_some() {
            return Err(format!("tag {tag} is taken"));
        }
        // SAFETY: `memory` keeps what the entry points to until its completion was seen, and leaks
        // it if that does not come.
        unsafe { self.uring.submission().push(&entry) }.map_err(|error| error.to_string())?;
        self.uring.submit().map_err(|error| format!("io_uring_enter: {error}"))?;
        Ok(())
    }

    /// Returns the next operation that ends; `None` if none ends within the limit.
    pub fn end(&mut self, within: Duration) -> Result<Option<End>, String> {
        let start = Instant::now();
        loop {
            if let Some(entry) = self.uring.completion().next() {
                let (tag, result) = (entry.user_data(), entry.result());
                let memory = self.memory.remove(&tag).ok_or_else(|| {
                    format!("tag {tag} ended with {result}, and nothing with it was under way")
                })?;
                let length = usize::try_from(result).unwrap_or(0).min(memory.len());
                return Ok(Some(End { tag, result, bytes: memory[..length].to_vec() }));
            }
            let Some(left) = within.checked_sub(start.elapsed()) else { return Ok(None) };
            let left = Timespec::from(left);
            match self.uring.submitter().submit_with_args(1, &SubmitArgs::new().timespec(&left)) {
                Ok(_) => {}
                Err(error) if error.raw_os_error() == Some(libc::ETIME) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("io_uring_enter: {error}")),
            }
        }
    }

    /// Returns the next `count` operations that end, in their order.
    pub fn ends(&mut self, count: usize, within: Duration) -> Result<Vec<End>, String> {
        let mut ends = Vec::new();
        while ends.len() < count {
            let end = self.end(within)?;
            ends.push(end.ok_or_else(|| format!("only {} of {count} ended", ends.len()))?);
        }
        Ok(ends)
    }
}

impl Drop for Ring {
    /// Leaks the memory of operations in flight, which the kernel may still write to.
    fn drop(&mut self) {
        std::mem::take(&mut self.memory).into_values().for_each(std::mem::forget);
    }
}
