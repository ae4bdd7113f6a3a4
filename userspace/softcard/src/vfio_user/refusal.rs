//! The error replies to messages.

use std::fmt;

use rustix::io::Errno;

/// The refusal of a message: the error number for the client and the reason for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    errno: Errno,
    reason: &'static str,
}

impl Refusal {
    /// A descriptor of the message was lost, and the message means something else without it.
    pub(super) const LOST_DESCRIPTOR: Refusal = Refusal {
        errno: Errno::MFILE,
        reason: "a descriptor was lost: the client sent too many, or there is none left here \
                 (ulimit -n, LimitNOFILE=)",
    };

    pub(super) fn new(errno: Errno, reason: &'static str) -> Refusal {
        Refusal { errno, reason }
    }

    /// Refused as an invalid argument.
    pub(super) fn invalid(reason: &'static str) -> Refusal {
        Refusal::new(Errno::INVAL, reason)
    }

    /// Refused because the card, or this server, does not support it.
    pub(super) fn unsupported(reason: &'static str) -> Refusal {
        Refusal::new(Errno::OPNOTSUPP, reason)
    }

    pub(super) fn errno(self) -> u32 {
        self.errno.raw_os_error().unsigned_abs()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}
