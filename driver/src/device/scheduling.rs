//! The scheduling class of a thread. nix has no function for it.

#![allow(unsafe_code)]

use nix::errno::Errno;

/// Puts the calling thread under SCHED_FIFO with this priority, 1 to 99: it runs whenever it can,
/// and no ordinary thread of its CPU does meanwhile. Threads that it creates are ordinary again.
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

/// How much of a CPU a thread is entitled to, compared with others: the scheduling class first,
/// then the priority or the nice value within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entitlement(i32);

impl Entitlement {
    /// The entitlement of a thread under SCHED_OTHER at nice 0.
    pub const ORDINARY: Entitlement = Entitlement(20);

    /// The entitlement of the calling thread; [`Entitlement::ORDINARY`] if the kernel returns an
    /// error. Costs one system call.
    pub fn of_this_thread() -> Entitlement {
        let mut attributes = SchedAttributes::default();
        let size = size_of::<SchedAttributes>();
        let into = &raw mut attributes;
        // SAFETY: the kernel writes at most `size` bytes to `attributes`, which has as many.
        let result = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, into, size, 0) };
        if result != 0 {
            return Entitlement::ORDINARY;
        }
        let SchedAttributes { policy, nice, priority, .. } = attributes;
        Entitlement(match policy.cast_signed() {
            libc::SCHED_IDLE => 0,
            libc::SCHED_FIFO | libc::SCHED_RR => 100 + priority.min(99).cast_signed(),
            libc::SCHED_DEADLINE => 200,
            // SCHED_OTHER, SCHED_BATCH and other classes that share the CPU by weight: 1 to 40.
            _ => 20 - nice.clamp(-20, 19),
        })
    }
}

/// struct sched_attr in its first version (linux/sched/types.h), 48 bytes.
#[derive(Debug, Default)]
#[repr(C)]
struct SchedAttributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lower_entitlement_compares_as_less() {
        assert_eq!(size_of::<SchedAttributes>(), 48);
        let as_niced = |nice| {
            std::thread::spawn(move || {
                // SAFETY: a call without pointers.
                assert_eq!(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) }, 0);
                Entitlement::of_this_thread()
            })
        };
        let idle = std::thread::spawn(|| {
            let parameters = libc::sched_param { sched_priority: 0 };
            // SAFETY: `parameters` lives until the call has returned.
            let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &parameters) };
            assert_eq!(result, 0);
            Entitlement::of_this_thread()
        });
        let (idle, nice) = (idle.join().unwrap(), as_niced(19).join().unwrap());
        let mine = Entitlement::of_this_thread();
        assert!(idle < nice && nice < Entitlement::ORDINARY);
        assert!(nice < mine, "{mine:?}");
    }

    #[test]
    fn priorities_outside_of_the_range_are_refused() {
        assert_eq!(set_fifo(0), Err(Errno::EINVAL));
        assert_eq!(set_fifo(100), Err(Errno::EINVAL));
    }
}
