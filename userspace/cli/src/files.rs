//! The user's files that are read or written during a call.
//!
//! Rules: files are checked before the card is opened, so that a wrong name costs no call, and no
//! file is created or emptied before the call is connected. An existing file is overwritten only on
//! request, symbolic links are not followed, and a recording is readable by the user alone. Each
//! file has a thread of its own, because a FIFO or a disk may block for any time, and the amount of
//! data between that thread and the call is limited.

use std::fs::{File, Metadata, OpenOptions, Permissions, metadata, symlink_metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender, TryRecvError};
use std::time::Duration;

use nix::fcntl::{AT_FDCWD, AtFlags, OFlag};
use nix::unistd::{AccessFlags, faccessat};

use crate::exit::{Exit, Failure};
use crate::signals::{Signals, spawn};

/// Number of pieces that are read ahead.
const AHEAD: usize = 2;
/// How long writing the rest of a file may take.
const DRAINED: Duration = Duration::from_secs(5);

/// Reads the next piece; returns `None` at the end of the file.
type Next<T> = Box<dyn FnMut() -> Result<Option<Vec<T>>, String> + Send>;

/// A file that is read as it is needed.
#[derive(Debug)]
pub(crate) struct Source<T> {
    pieces: Receiver<Result<Vec<T>, String>>,
    /// The part of the last piece that is not used yet.
    rest: Vec<T>,
    ended: bool,
}

impl<T: Copy + Send + 'static> Source<T> {
    /// Opens a file on a thread of its own. `open` returns the function that reads it. A signal
    /// interrupts waiting for the other end of a FIFO.
    pub(crate) fn open(
        signals: &Signals,
        open: impl FnOnce() -> Result<Next<T>, String> + Send + 'static,
    ) -> Result<Source<T>, Failure> {
        let opened = signals.interruptible("open", move || {
            let mut next = open()?;
            // Many errors, such as a directory in place of a file, show only at the first read.
            let first = next()?;
            Ok((next, first))
        })?;
        let (mut next, first) = opened.map_err(|text: String| Failure::failed(text))?;
        let (sender, pieces) = mpsc::sync_channel(AHEAD);
        let ended = first.is_none();
        if !ended {
            spawn("read", move || read_on(&mut next, &sender))?;
        }
        Ok(Source { pieces, rest: first.unwrap_or_default(), ended })
    }

    /// Returns what has been read so far, without waiting. Empty if nothing has come yet, or at the
    /// end.
    pub(crate) fn now(&mut self) -> Result<&[T], Failure> {
        if self.rest.is_empty() && !self.ended {
            match self.pieces.try_recv() {
                Ok(piece) => self.rest = piece.map_err(Failure::failed)?,
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => self.ended = true,
            }
        }
        Ok(&self.rest)
    }

    /// Removes `count` items that were used.
    pub(crate) fn took(&mut self, count: usize) {
        self.rest.drain(..count.min(self.rest.len()));
    }

    /// Returns whether everything was used.
    pub(crate) fn is_over(&self) -> bool {
        self.ended && self.rest.is_empty()
    }
}

fn read_on<T>(next: &mut Next<T>, pieces: &SyncSender<Result<Vec<T>, String>>) {
    loop {
        let piece = match next() {
            Ok(None) => return,
            Ok(Some(piece)) => Ok(piece),
            Err(text) => Err(text),
        };
        let failed = piece.is_err();
        if pieces.send(piece).is_err() || failed {
            return;
        }
    }
}

/// A file to be written, which has been checked but not touched.
#[derive(Debug)]
pub(crate) struct Target {
    path: PathBuf,
    overwrite: bool,
    /// Set for a FIFO or a terminal, which is opened during the check because opening may block.
    stream: Option<File>,
}

impl Target {
    /// Checks whether the file can be written. `read` are the files that are read at the same time.
    pub(crate) fn look(
        path: &Path,
        overwrite: bool,
        read: &[Option<&Path>],
        signals: &Signals,
    ) -> Result<Target, Failure> {
        let failed = |error| told(path, &error);
        let mut stream = None;
        match symlink_metadata(path) {
            Ok(found) => {
                // A link to a pipe, such as the shell makes for >(...), can't be used to overwrite
                // a file.
                let behind = if found.is_symlink() { metadata(path) } else { Ok(found.clone()) };
                match behind {
                    Ok(behind) if is_stream(&behind) => {
                        let name = path.to_owned();
                        let opened = signals.interruptible("open", move || {
                            OpenOptions::new()
                                .write(true)
                                .custom_flags(OFlag::O_NOCTTY.bits())
                                .open(name)
                        })?;
                        let file = opened.map_err(failed)?;
                        if !is_stream(&file.metadata().map_err(failed)?) {
                            return Err(refused(path, "was exchanged while it was opened"));
                        }
                        stream = Some(file);
                    }
                    _ if found.is_symlink() => {
                        return Err(refused(path, "is a link: name the file that it leads to"));
                    }
                    _ if found.is_dir() => return Err(refused(path, "is a folder")),
                    _ if !found.is_file() => {
                        return Err(refused(path, "is neither a file nor a pipe"));
                    }
                    _ if read.iter().flatten().any(|read| is_same(read, &found)) => {
                        return Err(refused(path, "is read by the same call: name another file"));
                    }
                    _ if !overwrite => {
                        let why = "exists: name another file, or say --overwrite";
                        return Err(refused(path, why));
                    }
                    _ => access(path, AccessFlags::W_OK).map_err(failed)?,
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = match path.parent() {
                    Some(folder) if folder != Path::new("") => folder,
                    _ => Path::new("."),
                };
                access(folder, AccessFlags::W_OK | AccessFlags::X_OK).map_err(failed)?;
            }
            Err(error) => return Err(failed(error)),
        }
        Ok(Target { path: path.to_owned(), overwrite, stream })
    }

    /// Opens the file, which is new or emptied.
    pub(crate) fn open(self) -> Result<(File, PathBuf), Failure> {
        let Target { path, overwrite, stream } = self;
        let file = match stream {
            Some(stream) => Ok(stream),
            None => create(&path, overwrite),
        };
        match file {
            Ok(file) => Ok((file, path)),
            Err(error) => Err(told(&path, &error)),
        }
    }
}

/// Creates a file that only its owner can read and write; an existing file is emptied and gets
/// these rights.
fn create(path: &Path, overwrite: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600).custom_flags(OFlag::O_NOFOLLOW.bits());
    match options.create_new(true).open(path) {
        Err(error) if overwrite && error.kind() == io::ErrorKind::AlreadyExists => {}
        created => return created,
    }
    options.create_new(false).custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits());
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.set_len(0)?;
    Ok(file)
}

fn access(path: &Path, how: AccessFlags) -> io::Result<()> {
    Ok(faccessat(AT_FDCWD, path, how, AtFlags::AT_EACCESS)?)
}

/// Whether the file is one that can't be sized or rewound.
fn is_stream(found: &Metadata) -> bool {
    found.file_type().is_fifo() || found.file_type().is_char_device()
}

fn is_same(path: &Path, other: &Metadata) -> bool {
    metadata(path).is_ok_and(|one| (one.dev(), one.ino()) == (other.dev(), other.ino()))
}

fn told(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format_args!("{}: {error}", path.display()))
}

fn refused(path: &Path, why: &str) -> Failure {
    Failure::failed(format_args!("{} {why}", path.display()))
}

/// Writes a piece; `None` ends the file.
type Put<T> = Box<dyn FnMut(Option<Vec<T>>) -> Result<(), Failure> + Send>;

/// A file that is written while data arrives.
#[derive(Debug)]
pub(crate) struct Sink<T> {
    pieces: Sender<Vec<T>>,
    /// Number of items that the thread has not written yet.
    waiting: Arc<AtomicUsize>,
    /// Carries the thread's result; `None` stands for a signal that ends the wait for it.
    end: Sender<Option<Result<(), Failure>>>,
    ended: Receiver<Option<Result<(), Failure>>>,
    /// The thread's error, once it is known. The thread sends its result only once.
    failed: Option<Failure>,
    path: PathBuf,
}

impl<T: Send + 'static> Sink<T> {
    /// Writes with `put` on a thread of its own.
    pub(crate) fn start(path: PathBuf, mut put: Put<T>) -> Result<Sink<T>, Failure> {
        let (pieces, come) = mpsc::channel::<Vec<T>>();
        let (end, ended) = mpsc::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let (left, told) = (Arc::clone(&waiting), end.clone());
        spawn("write", move || {
            let mut write = || {
                for piece in &come {
                    let count = piece.len();
                    put(Some(piece))?;
                    left.fetch_sub(count, Ordering::Relaxed);
                }
                put(None)
            };
            // The receiver is gone only if the call has ended without waiting for the file.
            let _ = told.send(Some(write()));
        })?;
        Ok(Sink { pieces, waiting, end, ended, failed: None, path })
    }

    /// Returns the number of items that are not written yet.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Queues a piece to be written. After an error every further piece fails with the same one.
    pub(crate) fn put(&mut self, piece: Vec<T>) -> Result<(), Failure> {
        if let Some(failure) = &self.failed {
            return Err(failure.clone());
        }
        self.waiting.fetch_add(piece.len(), Ordering::Relaxed);
        if self.pieces.send(piece).is_err() {
            // The thread has ended, which it does only after an error as long as there are pieces.
            // It has sent the error before, so that nothing is waited for here.
            let told = self.ended.try_recv().ok().flatten().and_then(Result::err);
            let failure = told.unwrap_or_else(|| self.cut());
            self.failed = Some(failure.clone());
            return Err(failure);
        }
        Ok(())
    }

    /// Waits until everything is written.
    pub(crate) fn finish(self, signals: &Signals) -> Result<(), Failure> {
        if let Some(failure) = self.failed {
            return Err(failure);
        }
        let cut = self.cut();
        drop(self.pieces);
        signals.await_end(self.end, &self.ended, DRAINED).unwrap_or(Err(cut))
    }

    fn cut(&self) -> Failure {
        refused(&self.path, "is incomplete: its reader, or its disk, does not accept the rest")
    }
}

/// Describes why a file can't be written any more. For a pipe that is the end of its reader.
pub(crate) fn not_written(path: &Path, error: &io::Error) -> Failure {
    let exit = match error.kind() {
        io::ErrorKind::BrokenPipe => Exit::BrokenPipe,
        _ => Exit::Failed,
    };
    Failure::new(exit, format_args!("{} can't be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;

    fn look(path: &Path, overwrite: bool) -> Result<Target, Failure> {
        Target::look(path, overwrite, &[], &Signals::default())
    }

    #[test]
    fn a_file_is_looked_at_and_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heard.wav");
        let target = look(&path, false).unwrap();
        assert!(!path.exists());
        let (file, _) = target.open().unwrap();
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
        fs::write(&path, "a recording").unwrap();
        let failure = look(&path, false).unwrap_err();
        assert!(failure.text.contains("exists") && failure.text.contains("--overwrite"));
        fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        let target = look(&path, true).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a recording");
        let (file, _) = target.open().unwrap();
        let now = file.metadata().unwrap();
        assert_eq!((now.len(), now.mode() & 0o777), (0, 0o600));
    }

    #[test]
    fn what_comes_into_being_after_the_look_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heard.wav");
        let target = look(&path, false).unwrap();
        fs::write(&path, "somebody's").unwrap();
        assert!(target.open().is_err());
        let target = look(&path, true).unwrap();
        let other = folder.path().join("other");
        fs::rename(&path, &other).unwrap();
        symlink(&other, &path).unwrap();
        assert!(target.open().is_err());
        assert_eq!(fs::read_to_string(&other).unwrap(), "somebody's");
    }

    #[test]
    fn what_must_not_be_written_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "mine").unwrap();
        symlink(path("file"), path("link")).unwrap();
        symlink(path("none"), path("dangling")).unwrap();
        let refused = |name: &str| look(&path(name), true).unwrap_err().text;
        assert!(refused("link").contains("is a link"));
        assert!(refused("dangling").contains("is a link"));
        assert!(refused("").contains("is a folder"));
        assert!(refused("no/such").contains("No such file"));
        fs::hard_link(path("file"), path("same")).unwrap();
        let played = path("same");
        let same = Target::look(&path("file"), true, &[Some(&played)], &Signals::default());
        assert!(same.unwrap_err().text.contains("is read by the same call"));
        assert_eq!(fs::read_to_string(path("file")).unwrap(), "mine");
    }

    #[test]
    fn after_an_error_each_piece_fails_and_nothing_is_waited_for() {
        let full = || Failure::failed("the disk is full");
        let put = move |_: Option<Vec<u8>>| Err(full());
        let mut sink = Sink::start("heard.wav".into(), Box::new(put)).unwrap();
        // The first pieces may be queued before the thread has written one.
        let first = loop {
            if let Err(failure) = sink.put(vec![1]) {
                break failure;
            }
            std::thread::yield_now();
        };
        assert_eq!(first, full());
        let (done, ended) = mpsc::channel();
        std::thread::spawn(move || {
            let again = sink.put(vec![1]);
            done.send((again, sink.finish(&Signals::default()))).unwrap();
        });
        let told = ended.recv_timeout(Duration::from_secs(60)).expect("it waits for ever");
        assert_eq!(told, (Err(full()), Err(full())));
    }

    #[test]
    fn a_pipe_is_written_also_by_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (fifo, link) = (folder.path().join("fifo"), folder.path().join("link"));
        mkfifo(&fifo, Mode::S_IRWXU).unwrap();
        symlink(&fifo, &link).unwrap();
        for path in [&fifo, &link] {
            let reader = std::thread::spawn({
                let fifo = fifo.clone();
                move || fs::read(fifo).unwrap()
            });
            let (mut file, _) = look(path, false).unwrap().open().unwrap();
            io::Write::write_all(&mut file, b"sound").unwrap();
            drop(file);
            assert_eq!(reader.join().unwrap(), b"sound");
        }
    }
}
