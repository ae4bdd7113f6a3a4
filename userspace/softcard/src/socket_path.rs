//! A Unix socket at a path of the file system.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, fchmod};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, Shutdown, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen,
    shutdown, socket_with,
};

/// How long to wait if the process has no descriptor for another connection.
const RETRY: Duration = Duration::from_millis(100);
/// How long another process may hold the folder's lock, and the interval at which it is tried.
const LOCKED: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(10);
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 128;

/// Why a socket at a path can't be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SocketPathError {
    /// The path exists, and is not a socket.
    #[error("{} exists and is not a socket; remove it or name another path", .0.display())]
    NotASocket(PathBuf),
    /// A program listens there.
    #[error(
        "another program serves {}; end it (ss -xlp names it) or name another path", .0.display()
    )]
    InUse(PathBuf),
    /// The socket can't be created.
    #[error("no socket at {}: {cause}; is its folder there, writable, and the path \
             shorter than 108 bytes?", path.display())]
    Unavailable {
        /// The path at which the socket was to be.
        path: PathBuf,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// The thread that would serve it can't be started.
    #[error(
        "no thread can be started to serve {} ({cause}): end other programs, or raise the \
         limits (ulimit -u, systemd's TasksMax)", path.display()
    )]
    NoThread {
        /// The path at which the socket was to be.
        path: PathBuf,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
}

/// A socket that listens at a path. Dropping it removes the path.
#[derive(Debug)]
pub(crate) struct SocketPath {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode of the socket, so that only this one is removed.
    identity: Option<(u64, u64)>,
    closed: AtomicBool,
}

impl SocketPath {
    /// Listens at `path`, for this user only. A socket that is left over from a program that
    /// crashed is replaced.
    pub(crate) fn bind(path: &Path) -> Result<SocketPath, SocketPathError> {
        let unavailable = |cause| SocketPathError::Unavailable { path: path.to_path_buf(), cause };
        // If two processes find the same left-over socket, the second must not replace that of the
        // first.
        let _lock = lock_folder(path).map_err(unavailable)?;
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                return Err(SocketPathError::NotASocket(path.to_path_buf()));
            }
            Ok(_) => {
                if is_served(path).map_err(unavailable)? {
                    return Err(SocketPathError::InUse(path.to_path_buf()));
                }
                fs::remove_file(path).map_err(unavailable)?;
            }
            Err(_) => {}
        }
        let listener = listen_at(path).map_err(unavailable)?;
        let closed = AtomicBool::new(false);
        Ok(SocketPath { listener, path: path.to_path_buf(), identity: identity(path), closed })
    }

    /// The error for a thread that could not be started.
    pub(crate) fn no_thread(path: &Path, cause: io::Error) -> SocketPathError {
        SocketPathError::NoThread { path: path.to_path_buf(), cause }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for a client to connect. The connection is shared, so that other threads can shut it
    /// down. `None` if the socket is closed.
    pub(crate) fn accept(&self) -> Option<Arc<UnixStream>> {
        loop {
            let accepted = self.listener.accept().map(|(stream, _)| Arc::new(stream));
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

    /// Makes the current and every later [`accept`](SocketPath::accept) return `None`.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes the thread in `accept`. This can't fail on a listening socket.
        let _ = shutdown(&self.listener, Shutdown::Both);
    }
}

/// Locks the folder against others who create or remove sockets in it, until it is dropped.
fn lock_folder(path: &Path) -> io::Result<File> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let folder = File::open(folder)?;
    let until = Instant::now() + LOCKED;
    loop {
        match folder.try_lock() {
            Ok(()) => return Ok(folder),
            // On a file system without locks go on: two at once are rare.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                return Ok(folder);
            }
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(LOOK),
            Err(TryLockError::WouldBlock) => {
                let text = "another program keeps its folder locked (lslocks names it)";
                return Err(io::Error::new(ErrorKind::WouldBlock, text));
            }
        }
    }
}

/// Returns whether a program listens there, without waiting for it to accept.
fn is_served(path: &Path) -> io::Result<bool> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    match connect(&socket, &SocketAddrUnix::new(path)?) {
        // EAGAIN means that the listener's backlog is full.
        Ok(()) | Err(Errno::AGAIN) => Ok(true),
        Err(Errno::CONNREFUSED) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn listen_at(path: &Path) -> io::Result<UnixListener> {
    let socket: OwnedFd =
        socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    // The file gets the mode of the socket, so that other users can't connect at any moment.
    fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    bind(&socket, &SocketAddrUnix::new(path)?)?;
    listen(&socket, BACKLOG)?;
    Ok(UnixListener::from(socket))
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

impl Drop for SocketPath {
    fn drop(&mut self) {
        // If the lock is not free, go on without it, because another process may hold it for ever.
        let _lock = lock_folder(&self.path);
        if self.identity.is_some() && self.identity == identity(&self.path) {
            // This fails only if the socket is removed already, for example with its folder.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn of_two_at_one_stale_socket_one_serves_it() {
        for _ in 0..60 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("socket");
            drop(UnixListener::bind(&path).unwrap());
            let together = Barrier::new(4);
            let bound: Vec<_> = thread::scope(|scope| {
                let bind = || {
                    together.wait();
                    SocketPath::bind(&path)
                };
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(bind)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let served = bound.iter().filter(|bound| bound.is_ok()).count();
            assert_eq!(served, 1, "{bound:?}");
        }
    }

    #[test]
    fn a_socket_is_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let socket = SocketPath::bind(&folder.path().join("socket")).unwrap();
        let mode = fs::metadata(socket.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_socket_whose_backlog_is_full_is_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let _busy = SocketPath::bind(&path).unwrap();
        let address = SocketAddrUnix::new(&path).unwrap();
        let mut waiting = Vec::new();
        loop {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap();
            if connect(&socket, &address).is_err() {
                break;
            }
            waiting.push(socket);
        }
        let error = SocketPath::bind(&path).unwrap_err();
        assert!(matches!(error, SocketPathError::InUse(_)), "{error}");
    }
}
