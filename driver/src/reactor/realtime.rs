//! Real-time settings of the reaper's thread: what they need, and which were granted.
//!
//! None of them is needed for correctness. Without a setting that is refused the driver works as
//! before; [`Granted`] reports it, with the cure.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::unistd::Pid;

use crate::device::scheduling::set_fifo;
use crate::report;

/// Settings for the reaper's thread; none by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Realtime {
    /// Run under SCHED_FIFO with this priority, 1 to 99: before every ordinary thread of the CPU.
    /// With [`Waiting::Poll`](super::Waiting::Poll) those threads get only the time that the kernel
    /// reserves for them, 5 % by default.
    pub priority: Option<u8>,
    /// Run on this CPU only.
    pub cpu: Option<usize>,
    /// Keep all memory of the process from being paged out, now and in future.
    pub lock_memory: bool,
    /// Keep all CPUs out of idle states that take longer to leave than this, in microseconds, for
    /// as long as [`Granted`] lives. Costs power; 0 allows no idle state at all.
    pub idle_latency_us: Option<u16>,
}

/// One setting that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Setting {
    /// [`Realtime::priority`].
    Priority(u8),
    /// [`Realtime::cpu`].
    Cpu(usize),
    /// [`Realtime::lock_memory`].
    LockMemory,
    /// [`Realtime::idle_latency_us`].
    IdleLatency(u16),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Priority(priority) => write!(f, "SCHED_FIFO with priority {priority}"),
            Setting::Cpu(cpu) => write!(f, "CPU {cpu} only"),
            Setting::LockMemory => write!(f, "memory locked"),
            Setting::IdleLatency(us) => write!(f, "no idle states of more than {us} us"),
        }
    }
}

impl Setting {
    /// What the process needs for the setting to be granted.
    fn needs(self) -> impl fmt::Display {
        fmt::from_fn(move |f| match self {
            Setting::Priority(priority) => write!(
                f,
                "a priority from 1 to 99, and CAP_SYS_NICE or a limit of real-time priority \
                 (ulimit -r) of {priority} or more"
            ),
            Setting::Cpu(_) => write!(f, "a CPU that is there, online and allowed to this process"),
            Setting::LockMemory => {
                write!(f, "CAP_IPC_LOCK or a limit of locked memory (ulimit -l) beyond all of ours")
            }
            Setting::IdleLatency(_) => write!(f, "write access to {LATENCY}, which root has"),
        })
    }
}

/// A setting that was asked for, with its result. Displays as a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The setting, with the value that was asked for.
    pub setting: Setting,
    /// The error that refused the setting.
    pub result: Result<(), Errno>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.result {
            Ok(()) => write!(f, "{}: granted", self.setting),
            Err(error) => {
                let (setting, needs) = (self.setting, self.setting.needs());
                write!(f, "{setting}: refused ({}); it needs {needs}", error.desc())
            }
        }
    }
}

/// The settings that were asked for, and which of them were granted.
#[derive(Debug, Default)]
pub struct Granted {
    answers: Vec<Answer>,
    /// The low-latency request to the kernel holds while this file is open.
    _latency: Option<File>,
}

impl Granted {
    /// One for each setting that was asked for.
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }
}

/// Accepts the longest latency of leaving an idle state, in microseconds (i32).
const LATENCY: &str = "/dev/cpu_dma_latency";

impl Realtime {
    /// Applies all settings to the calling thread.
    pub fn apply(&self) -> Granted {
        let mut granted = Granted::default();
        let mut answer = |setting, result| granted.answers.push(Answer { setting, result });
        if let Some(cpu) = self.cpu {
            answer(Setting::Cpu(cpu), pin(cpu));
        }
        if let Some(priority) = self.priority {
            answer(Setting::Priority(priority), set_fifo(priority));
        }
        if self.lock_memory {
            let all = MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE;
            answer(Setting::LockMemory, mlockall(all));
        }
        if let Some(us) = self.idle_latency_us {
            let held = hold_latency(us);
            answer(Setting::IdleLatency(us), held.as_ref().map(drop).map_err(|error| *error));
            granted._latency = held.ok();
        }
        for answer in &granted.answers {
            match answer.result {
                Ok(()) => report!(INFO, "{answer}"),
                // Programs ask for it in any case, and few may have it.
                Err(_) if matches!(answer.setting, Setting::IdleLatency(_)) => {
                    report!(INFO, "{answer}");
                }
                Err(_) => report!(WARN, "{answer}"),
            }
        }
        granted
    }
}

fn pin(cpu: usize) -> nix::Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    sched_setaffinity(Pid::from_raw(0), &set)
}

fn hold_latency(us: u16) -> Result<File, Errno> {
    let open = || {
        let mut file = OpenOptions::new().write(true).open(LATENCY)?;
        file.write_all(&i32::from(us).to_ne_bytes())?;
        Ok::<_, std::io::Error>(file)
    };
    open().map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn nothing_asked_for_nothing_done() {
        assert_eq!(Realtime::default().apply().answers(), []);
    }

    #[test]
    fn a_cpu_that_is_not_there_is_refused_with_the_cure() {
        let granted = Realtime { cpu: Some(1000), ..Realtime::default() }.apply();
        let [answer] = granted.answers() else { panic!("{granted:?}") };
        assert_eq!(answer.result, Err(Errno::EINVAL));
        assert_eq!(
            answer.to_string(),
            "CPU 1000 only: refused (Invalid argument); it needs a CPU that is there, online and \
             allowed to this process"
        );
    }

    #[test]
    fn a_limit_of_idle_latency_is_held_or_refused_with_the_cure() {
        let granted = Realtime { idle_latency_us: Some(2000), ..Realtime::default() }.apply();
        let [answer] = granted.answers() else { panic!("{granted:?}") };
        assert_eq!(answer.result.is_ok(), granted._latency.is_some());
        let text = answer.to_string();
        assert!(text.starts_with("no idle states of more than 2000 us: "), "{text}");
        assert!(answer.result.is_ok() || text.contains("write access to"), "{text}");
    }

    #[test]
    fn the_cpu_it_runs_on_is_granted() {
        let cpu = nix::sched::sched_getcpu().unwrap();
        // The settings outlive a test, so that they are applied to a thread of its own.
        let granted = std::thread::spawn(move || {
            let granted = Realtime { cpu: Some(cpu), ..Realtime::default() }.apply();
            assert_eq!(nix::sched::sched_getcpu(), Ok(cpu));
            granted
        });
        let granted = granted.join().unwrap();
        let [answer] = granted.answers() else { panic!("{granted:?}") };
        assert_eq!(answer.to_string(), format!("CPU {cpu} only: granted"));
    }
}
