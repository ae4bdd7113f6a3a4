//! System calls with arbitrary arguments: no correct program makes them, but any program can.
#![allow(unsafe_code, reason = "system calls with wild arguments")]
#![allow(clippy::multiple_unsafe_ops_per_block, reason = "one reason for all of them: the sandbox")]

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use io_uring::types::{CancelBuilder, Fd};
use io_uring::{IoUring, opcode, squeue};
use libc::{c_int, c_void};

/// The size of a sandbox in bytes.
const MEMORY: usize = 1 << 18;

/// Pseudo-random numbers, the same for the same seed.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }

    pub fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    /// A number of samples: usual sizes, and unusual ones.
    fn size(&mut self) -> usize {
        match self.below(12) {
            0 => 0,
            1 => 1,
            2 => usize::MAX,
            3 => isize::MAX as usize,
            4..=6 => self.below(70_000) as usize,
            _ => self.below(400) as usize,
        }
    }
}

/// Memory that the kernel may read and write at any time, because it is never freed and never read;
/// the page after it is not mapped.
#[derive(Clone, Copy)]
pub struct Sandbox(*mut c_void);

impl Sandbox {
    pub fn new() -> io::Result<Sandbox> {
        let (length, access) = (MEMORY + 4096, libc::PROT_READ | libc::PROT_WRITE);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping at an address of the kernel's choice affects no existing memory.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), length, access, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let end = start.wrapping_byte_add(MEMORY);
        // SAFETY: this is the last page of the mapping that was just made, to which nothing points.
        unsafe { libc::munmap(end, 4096) };
        Ok(Sandbox(start))
    }

    /// An address in it, one so near its end that an access crosses it, or an invalid one.
    fn somewhere(self, dice: &mut Dice) -> *mut c_void {
        match dice.below(8) {
            0 => std::ptr::null_mut(),
            1 => std::ptr::without_provenance_mut(8),
            2 => std::ptr::without_provenance_mut(0xFFFF_8880_0000_1000),
            3 => self.0.wrapping_byte_add(MEMORY - dice.below(300) as usize),
            _ => self.0.wrapping_byte_add(dice.below(4096) as usize),
        }
    }
}

/// Makes a signal interrupt every call that sleeps longer than this.
pub fn interrupt_every(period: Duration) {
    extern "C" fn nothing(_: c_int) {}
    let time = libc::timeval { tv_sec: 0, tv_usec: period.as_micros() as i64 };
    let timer = libc::itimerval { it_interval: time, it_value: time };
    // SAFETY: a zeroed sigaction is a valid one; the handler does nothing, so it may run anywhere.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = nothing as *const () as usize;
        libc::sigaction(libc::SIGALRM, &action, std::ptr::null_mut());
        libc::setitimer(libc::ITIMER_REAL, &timer, std::ptr::null_mut());
        // Ended children need not be waited for.
        libc::signal(libc::SIGCHLD, libc::SIG_IGN);
    }
}

/// Makes one call on a file. Its result is ignored.
pub fn call(file: &File, sandbox: Sandbox, dice: &mut Dice) {
    let fd = file.as_raw_fd();
    let (at, size, number) = (sandbox.somewhere(dice), dice.size(), dice.number());
    let offset = number as i64;
    let vector = libc::iovec { iov_base: at, iov_len: size };
    let what = dice.below(20);
    // SAFETY: the kernel writes only to where `at` points: into the sandbox, whose memory is never
    // read, or to addresses that it refuses. Mappings are made at addresses of its choice.
    unsafe {
        match what {
            0..=2 => libc::read(fd, at, size),
            3..=6 => libc::write(fd, at, size),
            7 => libc::readv(fd, &vector, 1),
            8 => libc::writev(fd, &vector, 1),
            9 => libc::preadv2(fd, &vector, 1, offset, number as c_int & 0xFF),
            10 => libc::pwritev2(fd, &vector, 1, -1, number as c_int & 0xFF),
            11 => libc::pread(fd, at, size, offset),
            12 => libc::pwrite(fd, at, size, offset),
            13 => libc::lseek(fd, offset, (number & 7) as c_int) as isize,
            14 => libc::ioctl(fd, number & 0xFFFF_FFFF, at) as isize,
            15 => map(fd, dice) as isize,
            16 => {
                let flags = libc::O_NONBLOCK | libc::O_APPEND | libc::O_ASYNC;
                libc::fcntl(fd, libc::F_SETFL, number as c_int & flags) as isize
            }
            17 => libc::fsync(fd) as isize,
            18 => {
                let mut poll = libc::pollfd { fd, events: number as i16, revents: 0 };
                libc::poll(&mut poll, 1, (number & 15) as c_int) as isize
            }
            _ => child(fd, at, size, number) as isize,
        }
    };
}

/// Maps a part of a file somewhere, and unmaps it again.
fn map(fd: RawFd, dice: &mut Dice) -> c_int {
    let length = (dice.below(4) as usize + 1) * 4096 - dice.below(2) as usize * 100;
    let place = dice.below(4) as i64 * 4096 + if dice.one_in(4) { 64 } else { 0 };
    let access = (dice.below(8)) as c_int;
    let kind = if dice.one_in(2) { libc::MAP_SHARED } else { libc::MAP_PRIVATE };
    // SAFETY: the new mapping is at an address of the kernel's choice, nothing uses it, and it is
    // unmapped.
    unsafe {
        let start = libc::mmap(std::ptr::null_mut(), length, access, kind, fd, place);
        if start == libc::MAP_FAILED {
            return -1;
        }
        let start = match libc::mremap(start, length, 3 * length, libc::MREMAP_MAYMOVE) {
            libc::MAP_FAILED => return libc::munmap(start, length),
            moved => moved,
        };
        libc::munmap(start, 3 * length)
    }
}

/// Forks a child that shares the file, uses it, and may outlive its parent. With older asynchronous
/// writes in flight it exits, is killed, or executes another program.
fn child(fd: RawFd, at: *mut c_void, size: usize, number: u64) -> c_int {
    const PROGRAM: &std::ffi::CStr = c"/bin/true";
    // SAFETY: the child of a process with one thread makes system calls and exits; its memory is
    // its own. A `struct iocb` is eight words; it points into the sandbox or nowhere.
    unsafe {
        match libc::fork() {
            0 => {
                libc::signal(libc::SIGALRM, libc::SIG_DFL);
                libc::alarm(1);
                let mut context: libc::c_ulong = 0;
                libc::syscall(libc::SYS_io_setup, 16, &raw mut context);
                let kind = [0, 1, 1, 1, 2, 3, 5, 7][number as usize & 7];
                let control = [0, 0, kind | (fd as u64) << 32, at as u64, size as u64, 0, 0, 0];
                for _ in 0..number >> 3 & 3 {
                    let list = [&raw const control];
                    libc::syscall(libc::SYS_io_submit, context, 1, list.as_ptr());
                }
                match number >> 5 & 3 {
                    0 => {
                        let arguments = [PROGRAM.as_ptr(), std::ptr::null()];
                        libc::execv(PROGRAM.as_ptr(), arguments.as_ptr());
                    }
                    1 => drop(libc::kill(libc::getpid(), libc::SIGKILL)),
                    _ => {}
                }
                libc::write(fd, at, size);
                libc::read(fd, at, size);
                libc::_exit(0)
            }
            child => child,
        }
    }
}

/// Submits an operation of any kind to a ring. Its memory is the sandbox's or invalid.
pub fn submit(uring: &mut IoUring, file: &File, sandbox: Sandbox, dice: &mut Dice) {
    let fd = Fd(file.as_raw_fd());
    let (at, size) = (sandbox.somewhere(dice).cast::<u8>(), dice.size() as u32);
    let offset = if dice.one_in(3) { dice.number() } else { u64::MAX };
    let entry = match dice.below(9) {
        0..=2 => opcode::Write::new(fd, at, size).offset(offset).build(),
        3..=4 => opcode::Read::new(fd, at, size).offset(offset).build(),
        5 => opcode::Fsync::new(fd).build(),
        6 => opcode::PollAdd::new(fd, dice.below(0x40) as u32).multi(dice.one_in(2)).build(),
        7 => opcode::AsyncCancel2::new(CancelBuilder::fd(fd).all()).build(),
        _ => opcode::Splice::new(fd, -1, fd, -1, size).build(),
    };
    let flags = match dice.below(8) {
        0 => squeue::Flags::ASYNC,
        1 => squeue::Flags::IO_LINK,
        2 => squeue::Flags::IO_DRAIN,
        _ => squeue::Flags::empty(),
    };
    // SAFETY: the memory is the sandbox's, which is never freed, or an address that the kernel
    // refuses.
    let _ = unsafe { uring.submission().push(&entry.flags(flags)) };
    let _ = uring.submit();
    // The completions are taken to make room in the ring, and ignored.
    uring.completion().for_each(drop);
}
