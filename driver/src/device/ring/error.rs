//! Why there is no ring, in words that say what to do about it.

use std::fs;
use std::io;

use thiserror::Error;

/// What can go wrong with a [`Ring`](super::Ring).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RingError {
    /// ENOSYS, and the sysctl that kernels with io_uring have is missing.
    #[error(
        "this kernel ({release}) has no io_uring; Ringback needs Linux 6.1 or newer, built with \
         CONFIG_IO_URING (a container's seccomp filter may also hide io_uring_setup)"
    )]
    Missing {
        /// The kernel's release, as `uname -r` prints it.
        release: String,
    },
    /// EPERM, and `kernel.io_uring_disabled` is 2.
    #[error(
        "io_uring is switched off on this machine (sysctl kernel.io_uring_disabled=2); as root: \
         sysctl kernel.io_uring_disabled=0"
    )]
    Disabled,
    /// EPERM, and `kernel.io_uring_disabled` is 1.
    #[error(
        "io_uring is for privileged users on this machine (sysctl kernel.io_uring_disabled=1); run \
         as root, join the group named by sysctl kernel.io_uring_group, or as root: \
         sysctl kernel.io_uring_disabled=0"
    )]
    PrivilegedOnly,
    /// Refused although the kernel has it and no sysctl forbids it.
    #[error(
        "io_uring is blocked for this program by a seccomp filter or a security module, as \
         containers do; allow io_uring_setup, io_uring_enter and io_uring_register (Docker and \
         Podman: --security-opt seccomp=PROFILE; systemd: SystemCallFilter=@aio): {0}"
    )]
    Blocked(#[source] io::Error),
    /// EINVAL: the kernel does not know the flags this ring is made with.
    #[error(
        "this kernel ({release}) is too old: its io_uring lacks DEFER_TASKRUN; Ringback needs \
         Linux 6.1 or newer"
    )]
    TooOld {
        /// The kernel's release, as `uname -r` prints it.
        release: String,
    },
    /// EINVAL, although the kernel's release is new enough.
    #[error(
        "this kernel ({release}) refuses the ring that Linux 6.1 and newer give: an emulated \
         kernel (gVisor, WSL), or a filter, is in the way; run this outside of it: {source}"
    )]
    Unsuited {
        /// The kernel's release, as `uname -r` prints it.
        release: String,
        /// The error of the system call.
        source: io::Error,
    },
    /// EMFILE or ENFILE: the process or the system has too many open files.
    #[error(
        "too few file descriptors for the ring, which counts those that it keeps for itself \
         against the limit as well; raise the limit (ulimit -n, LimitNOFILE=): {0}"
    )]
    Descriptors(#[source] io::Error),
    /// ENOMEM: no memory for the ring's queues.
    #[error(
        "not enough memory for the ring; raise the memory limit of this service or container \
         (MemoryMax=, ulimit -l), or ask for room for fewer requests: {0}"
    )]
    Memory(#[source] io::Error),
    /// Any other error of making the ring.
    #[error("io_uring could not be set up: {0}")]
    Setup(#[source] io::Error),
    /// An interrupt file that the ring does not accept.
    #[error("the card's interrupt file can't be used with io_uring: {0}")]
    File(#[source] io::Error),
    /// More interrupt files than the ring has places for.
    #[error("one ring serves up to {limit} cards; start another one for this card")]
    TooManyFiles {
        /// The highest number, [`MAX_FILES`](super::MAX_FILES).
        limit: usize,
    },
    /// EBADR: the kernel had no memory to keep a completion.
    #[error(
        "the kernel ran out of memory and lost a completion; the card must be closed and opened \
         again"
    )]
    Lost,
    /// The ring itself failed while submitting or waiting.
    #[error("io_uring failed: {0}")]
    Enter(#[source] io::Error),
}

impl RingError {
    /// Explains the error of making a ring, with what the system says about itself.
    pub(super) fn from_setup(error: io::Error) -> RingError {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease");
        let release = release.map(|text| text.trim().to_owned());
        let disabled = fs::read_to_string("/proc/sys/kernel/io_uring_disabled").ok();
        let release = release.unwrap_or_else(|_| "unknown release".to_owned());
        RingError::explain(error, release, disabled.as_deref())
    }

    /// `disabled` is the text of the sysctl, which kernels since 6.6 have.
    fn explain(error: io::Error, release: String, disabled: Option<&str>) -> RingError {
        match (error.raw_os_error(), disabled.map(str::trim)) {
            (Some(libc::ENOSYS), None) => RingError::Missing { release },
            (Some(libc::EPERM), Some("2")) => RingError::Disabled,
            (Some(libc::EPERM), Some("1")) => RingError::PrivilegedOnly,
            (Some(libc::EPERM | libc::EACCES | libc::ENOSYS), _) => RingError::Blocked(error),
            (Some(libc::EINVAL), _) if is_new_enough(&release) => {
                RingError::Unsuited { release, source: error }
            }
            (Some(libc::EINVAL), _) => RingError::TooOld { release },
            (Some(libc::EMFILE | libc::ENFILE), _) => RingError::Descriptors(error),
            (Some(libc::ENOMEM), _) => RingError::Memory(error),
            _ => RingError::Setup(error),
        }
    }
}

/// Whether a kernel calls itself 6.1 or newer.
fn is_new_enough(release: &str) -> bool {
    let mut numbers = release.split(|digit: char| !digit.is_ascii_digit()).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= (6, 1),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(errno: i32, disabled: Option<&str>) -> String {
        let error = io::Error::from_raw_os_error(errno);
        RingError::explain(error, "5.10.0-30-amd64".to_owned(), disabled).to_string()
    }

    #[test]
    fn each_cause_is_reported_with_its_cure() {
        for (errno, disabled, cause, cure) in [
            (libc::ENOSYS, None, "no io_uring", "CONFIG_IO_URING"),
            (libc::ENOSYS, Some("0\n"), "seccomp", "allow io_uring_setup"),
            (libc::EPERM, Some("2\n"), "io_uring_disabled=2", "io_uring_disabled=0"),
            (libc::EPERM, Some("1\n"), "io_uring_disabled=1", "io_uring_group"),
            (libc::EPERM, Some("0\n"), "seccomp", "allow io_uring_setup"),
            (libc::EPERM, None, "seccomp", "allow io_uring_setup"),
            (libc::EACCES, Some("0\n"), "security module", "allow io_uring_setup"),
            (libc::EINVAL, None, "5.10.0-30-amd64", "6.1 or newer"),
            (libc::EMFILE, None, "too few file descriptors", "ulimit -n"),
            (libc::ENFILE, None, "too few file descriptors", "ulimit -n"),
            (libc::ENOMEM, None, "not enough memory", "fewer requests"),
        ] {
            let text = text(errno, disabled);
            assert!(text.contains(cause), "errno {errno}: {text}");
            assert!(text.contains(cure), "errno {errno}: {text}");
        }
    }

    #[test]
    fn only_an_old_kernel_is_called_too_old() {
        for (release, old) in [
            ("5.15.0-91-generic", true),
            ("6.0.19", true),
            ("6.1.0", false),
            ("6.12.8-gvisor", false),
            ("10.0", false),
            ("unknown release", true),
        ] {
            let error = io::Error::from_raw_os_error(libc::EINVAL);
            let text = RingError::explain(error, release.to_owned(), None).to_string();
            assert_eq!(text.contains("too old"), old, "{text}");
            assert!(text.contains(release), "{text}");
        }
    }

    #[test]
    fn an_unknown_cause_is_passed_on() {
        assert!(
            text(libc::EIO, None).contains(&io::Error::from_raw_os_error(libc::EIO).to_string())
        );
    }
}
