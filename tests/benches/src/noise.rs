//! How much other programs and machines disturbed the measurement.

use std::fmt;
use std::fs;
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

/// CPU times of the machine in clock ticks, from `/proc/stat`.
#[derive(Debug, Clone, Copy, Default)]
struct Ticks {
    all: u64,
    idle: u64,
    stolen: u64,
}

/// Records the CPU times from its creation on.
pub(crate) struct Watch {
    begin: Instant,
    ticks: Ticks,
    own: f64,
}

/// The disturbance of a run.
#[derive(Debug, Clone)]
pub(crate) struct Noise {
    /// The share of other programs in the CPUs' time, in per cent.
    pub(crate) others: f64,
    /// The share that the hypervisor took for other machines, in per cent.
    pub(crate) stolen: f64,
    /// The number of runnable tasks, averaged over the last minute.
    pub(crate) load: f64,
    pub(crate) cpus: usize,
}

fn ticks() -> Ticks {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let times: Vec<u64> = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    // user nice system idle iowait irq softirq steal; guest times are contained in user.
    let at = |n: usize| times.get(n).copied().unwrap_or(0);
    Ticks { all: times.iter().take(8).sum(), idle: at(3) + at(4), stolen: at(7) }
}

/// CPU seconds of this process and of children that it has waited for.
fn own() -> f64 {
    [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN]
        .into_iter()
        .filter_map(|who| getrusage(who).ok())
        .flat_map(|usage| [usage.user_time(), usage.system_time()])
        .map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6)
        .sum()
}

pub(crate) fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Watch {
    pub(crate) fn start() -> Watch {
        Watch { begin: Instant::now(), ticks: ticks(), own: own() }
    }

    pub(crate) fn noise(&self) -> Noise {
        let now = ticks();
        let all = (now.all - self.ticks.all).max(1) as f64;
        let share = |ticks: u64| 100.0 * ticks as f64 / all;
        let cpus = cpus();
        let own = 100.0 * (own() - self.own) / (self.begin.elapsed().as_secs_f64() * cpus as f64);
        let stolen = share(now.stolen - self.ticks.stolen);
        let busy = 100.0 - share(now.idle - self.ticks.idle) - stolen;
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0);
        Noise { others: (busy - own).max(0.0), stolen, load, cpus }
    }
}

impl Noise {
    /// Returns whether only the comparisons within the run can be relied on.
    pub(crate) fn is_loud(&self) -> bool {
        self.others > 5.0 || self.stolen > 2.0
    }
}

impl fmt::Display for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Noise { others, stolen, load, cpus } = self;
        write!(
            f,
            "other programs took {others:.0} % of {cpus} CPUs, the hypervisor {stolen:.1} %, \
             load {load:.1}"
        )
    }
}

/// Describes the machine in a line.
pub(crate) fn machine() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split(": ").nth(1)).unwrap_or("unknown").to_string()
    };
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let virtual_machine = cpuinfo
        .lines()
        .any(|line| line.starts_with("flags") && line.split(' ').any(|flag| flag == "hypervisor"));
    let kind = if virtual_machine { "a virtual machine" } else { "bare metal" };
    format!("{} CPUs, {}, Linux {}, {kind}", cpus(), field("model name"), kernel.trim())
}
