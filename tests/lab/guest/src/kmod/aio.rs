//! The kernel's older asynchronous calls (io_submit and others), which the kernel ends in a special
//! way when a process exits.
#![allow(unsafe_code, reason = "io_setup, io_submit, io_cancel and io_getevents have no wrappers")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

/// `IOCB_CMD_PWRITE` and `IOCB_CMD_FSYNC`.
const WRITE: u16 = 1;
const FSYNC: u16 = 2;

/// `struct iocb`, little-endian.
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
struct Operation {
    data: u64,
    key: u32,
    flags: u32,
    opcode: u16,
    priority: i16,
    file: u32,
    memory: u64,
    length: u64,
    offset: i64,
    reserved: u64,
    more_flags: u32,
    result_file: u32,
}

/// `struct io_event`.
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
struct Event {
    data: u64,
    operation: u64,
    result: i64,
    result2: i64,
}

/// A context. Its operations and their memory are never freed, because the process does not live
/// long.
#[derive(Debug)]
pub struct Aio {
    context: libc::c_ulong,
}

/// An operation that was submitted and may not have ended.
#[derive(Debug, Clone, Copy)]
pub struct Submitted(&'static Operation);

impl Aio {
    pub fn new() -> io::Result<Aio> {
        let mut context: libc::c_ulong = 0;
        // SAFETY: the call writes one word, to where `context` is.
        let result = unsafe { libc::syscall(libc::SYS_io_setup, 64, &raw mut context) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(Aio { context }) }
    }

    /// Submits a write.
    pub fn write(&self, file: &File, samples: &[u8]) -> io::Result<Submitted> {
        let memory: &'static [u8] = Box::leak(samples.into());
        self.submit(Operation {
            opcode: WRITE,
            file: file.as_raw_fd() as u32,
            memory: memory.as_ptr() as u64,
            length: memory.len() as u64,
            ..Operation::default()
        })
    }

    /// Submits an fsync.
    pub fn fsync(&self, file: &File) -> io::Result<Submitted> {
        self.submit(Operation {
            opcode: FSYNC,
            file: file.as_raw_fd() as u32,
            ..Operation::default()
        })
    }

    fn submit(&self, operation: Operation) -> io::Result<Submitted> {
        let operation: &'static Operation = Box::leak(Box::new(operation));
        let list = [operation];
        // SAFETY: the list has one operation; it and the memory that it points to are leaked, so
        // that they outlive whatever the kernel does with them.
        let result = unsafe { libc::syscall(libc::SYS_io_submit, self.context, 1, list.as_ptr()) };
        if result == 1 { Ok(Submitted(operation)) } else { Err(io::Error::last_os_error()) }
    }

    /// Cancels an operation. Returns whether the kernel has accepted that.
    pub fn cancel(&self, submitted: Submitted) -> io::Result<()> {
        let mut event = Event::default();
        // SAFETY: the operation is leaked; the call writes at most one event, to where `event` is.
        let result = unsafe {
            libc::syscall(libc::SYS_io_cancel, self.context, submitted.0, &raw mut event)
        };
        match io::Error::last_os_error() {
            _ if result == 0 => Ok(()),
            error if error.raw_os_error() == Some(libc::EINPROGRESS) => Ok(()),
            error => Err(error),
        }
    }

    /// Returns the result of the next operation that ends; `None` if none ends within the limit.
    pub fn end(&self, within: Duration) -> io::Result<Option<i64>> {
        let mut event = Event::default();
        let limit = libc::timespec { tv_sec: within.as_secs() as i64, tv_nsec: 0 };
        // SAFETY: the call writes at most one event, to where `event` is, and reads the limit.
        let result = unsafe {
            libc::syscall(
                libc::SYS_io_getevents,
                self.context,
                1,
                1,
                &raw mut event,
                &raw const limit,
            )
        };
        match result {
            0 => Ok(None),
            1 => Ok(Some(event.result)),
            _ => Err(io::Error::last_os_error()),
        }
    }
}
