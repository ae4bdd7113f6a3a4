//! A socket at a place in the file system, for others to connect to.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::net::{Shutdown, shutdown};

/// How long to leave the system alone when it has no descriptor for another connection.
const RETRY: Duration = Duration::from_millis(100);

/// Why there is no socket at a path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SocketPathError {
    /// Something else is there.
    #[error("{} exists and is not a socket; remove it or name another path", .0.display())]
    NotASocket(PathBuf),
    /// A program listens there.
    #[error(
        "another program serves {}; end it (ss -xlp names it) or name another path", .0.display()
    )]
    InUse(PathBuf),
    /// The path can't be had.
    #[error("no socket at {}: {cause}; is its folder there, writable, and the path \
             shorter than 108 bytes?", path.display())]
    Unavailable {
        /// The path.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
}

/// A socket that listens at a path, which goes with it.
#[derive(Debug)]
pub(crate) struct SocketPath {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode, to remove nobody else's.
    identity: Option<(u64, u64)>,
    closed: AtomicBool,
}

impl SocketPath {
    /// Listens at `path`. A socket that a program has left there without ending properly is
    /// replaced.
    pub(crate) fn bind(path: &Path) -> Result<SocketPath, SocketPathError> {
        let unavailable = |cause| SocketPathError::Unavailable { path: path.to_path_buf(), cause };
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                return Err(SocketPathError::NotASocket(path.to_path_buf()));
            }
            Ok(_) => match UnixStream::connect(path) {
                Err(refused) if refused.kind() == ErrorKind::ConnectionRefused => {
                    fs::remove_file(path).map_err(unavailable)?;
                }
                Err(cause) => return Err(unavailable(cause)),
                Ok(_) => return Err(SocketPathError::InUse(path.to_path_buf())),
            },
            Err(_) => {}
        }
        let listener = UnixListener::bind(path).map_err(unavailable)?;
        let closed = AtomicBool::new(false);
        Ok(SocketPath { listener, path: path.to_path_buf(), identity: identity(path), closed })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for somebody to connect: the connection, twice, so that it can be shut down by others
    /// than its user. `None`: the socket is closed.
    pub(crate) fn accept(&self) -> Option<(UnixStream, UnixStream)> {
        loop {
            let accepted =
                self.listener.accept().and_then(|(stream, _)| Ok((stream.try_clone()?, stream)));
            if self.is_closed() {
                return None;
            }
            match accepted {
                Ok(connection) => return Some(connection),
                Err(error) => {
                    tracing::warn!("no connection at {}: {error}", self.path.display());
                    thread::sleep(RETRY);
                }
            }
        }
    }

    /// Whether [`close`](SocketPath::close) was called.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Ends [`accept`](SocketPath::accept), now and from now on.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes whoever waits. It can't fail on a socket that listens.
        let _ = shutdown(&self.listener, Shutdown::Both);
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

impl Drop for SocketPath {
    fn drop(&mut self) {
        if self.identity.is_some() && self.identity == identity(&self.path) {
            // Whoever has removed the folder meanwhile has removed the socket.
            let _ = fs::remove_file(&self.path);
        }
    }
}
