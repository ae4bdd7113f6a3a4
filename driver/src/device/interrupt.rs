//! The file that becomes readable when a card interrupts, and which files are not suitable.

use std::os::fd::OwnedFd;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::stat::{SFlag, fstat, major};

/// The file whose readability is the card's interrupt, for the reaper's ring.
#[derive(Debug)]
pub struct InterruptFd {
    /// The file, O_NONBLOCK. The reaper waits for it and does not read it.
    pub fd: OwnedFd,
    /// How many bytes one read takes, for code that reads the file.
    pub size: InterruptSize,
}

/// Why a file can't be an interrupt file: it is always ready, or never.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InterruptFileError {
    /// Its kind can't be found out.
    #[error("the interrupt file can't be examined: {0}")]
    Unknown(#[source] nix::Error),
    /// It is of a kind that is always ready.
    #[error(
        "the interrupt file is {0}, which is always ready and reports no interrupt; use the \
         device's own file: /dev/uioN, or the eventfd that VFIO signals"
    )]
    Kind(&'static str),
    /// It can't be read.
    #[error("the interrupt file is open for writing only, so it reports no interrupt")]
    WriteOnly,
}

impl InterruptFd {
    /// Makes a file an interrupt file, if it can be one: /dev/uioN, or an eventfd. The size of a
    /// read follows from the kind of file. Sets O_NONBLOCK.
    ///
    /// # Errors
    /// The reason why the file is not suitable.
    pub fn new(fd: OwnedFd) -> Result<InterruptFd, InterruptFileError> {
        let stat = fstat(&fd).map_err(InterruptFileError::Unknown)?;
        let device = stat.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFCHR.bits();
        let size = if device { InterruptSize::UioCounter } else { InterruptSize::EventFd };
        let interrupt = InterruptFd { fd, size };
        interrupt.check()?;
        let flags = fcntl(&interrupt.fd, FcntlArg::F_GETFL).map_err(InterruptFileError::Unknown)?;
        let flags = OFlag::from_bits_retain(flags) | OFlag::O_NONBLOCK;
        fcntl(&interrupt.fd, FcntlArg::F_SETFL(flags)).map_err(InterruptFileError::Unknown)?;
        Ok(interrupt)
    }

    /// Checks that this can be an interrupt file. Every reaper calls it before it starts.
    ///
    /// # Errors
    /// The reason why the file is not suitable.
    pub fn check(&self) -> Result<(), InterruptFileError> {
        let stat = fstat(&self.fd).map_err(InterruptFileError::Unknown)?;
        let kind = match SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits()) {
            SFlag::S_IFREG => Some("a regular file"),
            SFlag::S_IFDIR => Some("a directory"),
            SFlag::S_IFBLK => Some("a block device"),
            // /dev/null, /dev/zero, /dev/random and the like.
            SFlag::S_IFCHR if major(stat.st_rdev) == 1 => Some("a memory device"),
            _ => None,
        };
        if let Some(kind) = kind {
            return Err(InterruptFileError::Kind(kind));
        }
        let flags = fcntl(&self.fd, FcntlArg::F_GETFL).map_err(InterruptFileError::Unknown)?;
        match OFlag::from_bits_truncate(flags) & OFlag::O_ACCMODE {
            OFlag::O_WRONLY => Err(InterruptFileError::WriteOnly),
            _ => Ok(()),
        }
    }
}

/// How an interrupt file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterruptSize {
    /// UIO: 4 bytes, the number of interrupts since registration (wrapping s32).
    UioCounter,
    /// eventfd: 8 bytes, the number of signals since the last read.
    EventFd,
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;

    use nix::sys::eventfd::EventFd;

    use super::*;

    #[test]
    fn an_eventfd_is_an_interrupt_file_and_is_made_non_blocking() {
        let event = EventFd::from_flags(nix::sys::eventfd::EfdFlags::empty()).unwrap();
        let interrupt = InterruptFd::new(event.as_fd().try_clone_to_owned().unwrap()).unwrap();
        assert_eq!(interrupt.size, InterruptSize::EventFd);
        assert_eq!(event.read(), Err(nix::errno::Errno::EAGAIN), "they share the flag");
    }

    #[test]
    fn what_is_always_ready_or_never_is_refused_with_its_kind() {
        let (_read, write) = nix::unistd::pipe().unwrap();
        let open = |path: &str| OwnedFd::from(File::open(path).unwrap());
        for (fd, text) in [
            (open("/dev/null"), "a memory device"),
            (open("/"), "a directory"),
            (tempfile::tempfile().unwrap().into(), "a regular file"),
            (write, "for writing only"),
        ] {
            let error = InterruptFd::new(fd).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
