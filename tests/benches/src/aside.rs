//! A CPU that is set aside for whoever plays the hardware.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// Whether the reaper, too, keeps a CPU busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reaper {
    /// It sleeps while there is nothing to do.
    Sleeps,
    /// It looks without end.
    Watches,
}

/// The calling thread.
const SELF: Pid = Pid::from_raw(0);

/// The CPU that can be spared: `None` if that left none for the requester and the reaper.
pub(crate) fn spare_cpu(reaper: Reaper) -> Option<usize> {
    let allowed = sched_getaffinity(SELF).ok()?;
    let mut cpus = (0..CpuSet::count()).filter(|&cpu| allowed.is_set(cpu) == Ok(true));
    let first = cpus.next();
    let others = if reaper == Reaper::Watches { 2 } else { 1 };
    first.filter(|_| cpus.count() >= others)
}

/// Has the calling thread run on that CPU and no other.
pub(crate) fn enter(cpu: usize) -> nix::Result<()> {
    let mut only = CpuSet::new();
    only.set(cpu)?;
    sched_setaffinity(SELF, &only)
}

/// As long as this lives, the thread that has made it, and all threads that it makes, keep off a
/// CPU.
#[derive(Debug)]
pub(crate) struct Aside {
    before: CpuSet,
}

impl Aside {
    pub(crate) fn set(cpu: usize) -> nix::Result<Aside> {
        let before = sched_getaffinity(SELF)?;
        let mut others = before;
        others.unset(cpu)?;
        sched_setaffinity(SELF, &others)?;
        Ok(Aside { before })
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // It was allowed before.
        let _ = sched_setaffinity(SELF, &self.before);
    }
}
