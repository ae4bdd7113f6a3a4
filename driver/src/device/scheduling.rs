//! The scheduling class of a thread, for which nix has no face.

#![allow(unsafe_code)]

use nix::errno::Errno;

/// Puts the calling thread under SCHED_FIFO with this priority, 1 to 99: it runs whenever it can, and
/// no ordinary thread of its CPU does meanwhile. Threads that it creates are ordinary again.
///
/// # Errors
/// EPERM without CAP_SYS_NICE and beyond RLIMIT_RTPRIO; EINVAL for other priorities.
pub fn set_fifo(priority: u8) -> nix::Result<()> {
    let parameters = libc::sched_param { sched_priority: i32::from(priority) };
    let policy = libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK;
    // SAFETY: `parameters` lives until the call has returned; the kernel copies it.
    let result = unsafe { libc::sched_setscheduler(0, policy, &parameters) };
    Errno::result(result).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_outside_of_the_range_are_refused() {
        assert_eq!(set_fifo(0), Err(Errno::EINVAL));
        assert_eq!(set_fifo(100), Err(Errno::EINVAL));
    }
}
