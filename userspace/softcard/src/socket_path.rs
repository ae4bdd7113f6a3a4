//! A socket at a place in the file system, for others to connect to.

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

/// How long to leave the system alone when it has no descriptor for another connection.
const RETRY: Duration = Duration::from_millis(100);
/// How long somebody else may be at the same folder's sockets, and how often that is looked at.
const LOCKED: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(10);
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 128;

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
    /// There is nobody to serve it.
    #[error(
        "there is no thread to be had to serve {} ({cause}): end other programs, or raise the \
         limits (ulimit -u, systemd's TasksMax)", path.display()
    )]
    NoThread {
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
    /// Listens at `path`, for this user only. A socket that a program has left there without ending
    /// properly is replaced.
    pub(crate) fn bind(path: &Path) -> Result<SocketPath, SocketPathError> {
        let unavailable = |cause| SocketPathError::Unavailable { path: path.to_path_buf(), cause };
        // Of two that find the same socket left over, the second must not replace the first's.
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

    /// That there is no thread to serve the socket.
    pub(crate) fn no_thread(path: &Path, cause: io::Error) -> SocketPathError {
        SocketPathError::NoThread { path: path.to_path_buf(), cause }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for somebody to connect. The connection can be shut down by others than its user.
    /// `None`: the socket is closed.
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

    /// Ends [`accept`](SocketPath::accept), now and from now on.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes whoever waits. It can't fail on a socket that listens.
        let _ = shutdown(&self.listener, Shutdown::Both);
    }
}

/// Keeps others who serve sockets in the same folder away until it is dropped.
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
            // A file system that knows no locks: two at once are rare.
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

/// Whether somebody listens there; does not wait for one who is too busy to answer.
fn is_served(path: &Path) -> io::Result<bool> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    match connect(&socket, &SocketAddrUnix::new(path)?) {
        // Its backlog is full.
        Ok(()) | Err(Errno::AGAIN) => Ok(true),
        Err(Errno::CONNREFUSED) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn listen_at(path: &Path) -> io::Result<UnixListener> {
    let socket: OwnedFd =
        socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    // The file gets the mode of the socket, so that there is no moment in which others may connect.
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
        // Without the lock it is looked at all the same: somebody may keep it for ever.
        let _lock = lock_folder(&self.path);
        if self.identity.is_some() && self.identity == identity(&self.path) {
            // Whoever has removed the folder meanwhile has removed the socket.
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
