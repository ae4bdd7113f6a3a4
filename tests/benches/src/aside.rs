//! Reserves a CPU for the thread that plays the hardware.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// Whether the reaper keeps a CPU busy as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reaper {
    /// It sleeps while there is nothing to do.
    Sleeps,
    /// It polls all the time.
    Watches,
}

/// The calling thread, for sched_setaffinity.
const SELF: Pid = Pid::from_raw(0);

/// The CPU to reserve; `None` if that would leave none for the requester and the reaper.
pub(crate) fn spare_cpu(reaper: Reaper) -> Option<usize> {
    let allowed = sched_getaffinity(SELF).ok()?;
    let mut cpus = (0..CpuSet::count()).filter(|&cpu| allowed.is_set(cpu) == Ok(true));
    let first = cpus.next();
    let others = if reaper == Reaper::Watches { 2 } else { 1 };
    first.filter(|_| cpus.count() >= others)
}

/// Makes the calling thread run on that CPU only.
pub(crate) fn enter(cpu: usize) -> nix::Result<()> {
    let mut only = CpuSet::new();
    only.set(cpu)?;
    sched_setaffinity(SELF, &only)
}

/// As long as this lives, the thread that has made it does not use a CPU, and neither do threads
/// that it starts.
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
        // This was allowed before, so that it does not fail.
        let _ = sched_setaffinity(SELF, &self.before);
    }
}
