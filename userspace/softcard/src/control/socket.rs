//! Commands from a socket: several conversations at a time.
//!
//! Rules: there is room for so many conversations. Whoever comes when there is none takes the place
//! of the one that has been silent for longest, if that is a while; else it is refused. Whoever
//! does not take its replies loses its place.

use std::io::{BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Control;
use crate::socket_path::{SocketPath, SocketPathError};

/// Conversations at a time.
const SEATS: usize = 16;
/// Silent for longer than this, a conversation gives its place to another one.
const IDLE: Duration = Duration::from_secs(10);
/// How long a reply may take to be taken.
const TAKEN: Duration = Duration::from_secs(10);
/// What whoever finds no place is told.
const NO_SEAT: &str = "{\"ok\":false,\"error\":\"16 others talk to these cards already: end one, \
                       or come back when one has been silent for ten seconds\"}\n";

/// Takes commands at a socket until it is dropped.
#[derive(Debug)]
pub struct ControlSocket {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    socket: SocketPath,
    conversations: Mutex<Vec<Conversation>>,
}

#[derive(Debug)]
struct Conversation {
    stream: Arc<UnixStream>,
    thread: JoinHandle<()>,
    /// When the last command came.
    heard: Arc<Mutex<Instant>>,
}

impl Conversation {
    fn silent(&self) -> Duration {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    fn end(self) {
        // An error means that it has ended. A panic has been reported by the thread itself.
        let _ = self.stream.shutdown(Shutdown::Both);
        let _ = self.thread.join();
    }
}

impl ControlSocket {
    /// Listens at `path`, and does what whoever connects says.
    ///
    /// # Errors
    /// There can be no socket at `path`, or no thread to serve it. A socket that nobody serves any
    /// more is replaced. Only the user may connect whose process this is.
    pub fn start(
        control: Control,
        path: impl AsRef<Path>,
    ) -> Result<ControlSocket, SocketPathError> {
        let socket = SocketPath::bind(path.as_ref())?;
        let shared = Arc::new(Shared { socket, conversations: Mutex::default() });
        let theirs = shared.clone();
        let thread = thread::Builder::new()
            .name("softcard-control".to_owned())
            .spawn(move || theirs.run(&control))
            .map_err(|cause| SocketPath::no_thread(shared.socket.path(), cause))?;
        Ok(ControlSocket { shared, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        self.shared.socket.path()
    }
}

impl Drop for ControlSocket {
    /// Ends the conversations, and takes the socket away.
    fn drop(&mut self) {
        self.shared.socket.close();
        if let Some(thread) = self.thread.take() {
            // A panic has been reported by the thread itself.
            let _ = thread.join();
        }
        self.shared.conversations().drain(..).for_each(Conversation::end);
    }
}

impl Shared {
    fn conversations(&self) -> MutexGuard<'_, Vec<Conversation>> {
        self.conversations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, control: &Control) {
        while let Some(stream) = self.socket.accept() {
            let mut conversations = self.conversations();
            conversations.retain(|conversation| !conversation.thread.is_finished());
            if conversations.len() >= SEATS && !make_room(&mut conversations) {
                // Into an empty buffer, so that it does not wait.
                let _ = (&*stream).write_all(NO_SEAT.as_bytes());
                continue;
            }
            match Conversation::begin(control, stream) {
                Ok(conversation) => conversations.push(conversation),
                Err(error) => tracing::warn!("no conversation: {error}"),
            }
        }
    }
}

/// Ends the conversation that has been silent for longest. `false`: none has been for long.
fn make_room(conversations: &mut Vec<Conversation>) -> bool {
    let longest = (0..conversations.len())
        .max_by_key(|&place| conversations.get(place).map(Conversation::silent));
    match longest.filter(|&place| conversations.get(place).is_some_and(|one| one.silent() > IDLE)) {
        Some(place) => {
            conversations.swap_remove(place).end();
            true
        }
        None => false,
    }
}

impl Conversation {
    fn begin(control: &Control, stream: Arc<UnixStream>) -> std::io::Result<Conversation> {
        stream.set_write_timeout(Some(TAKEN))?;
        let heard = Arc::new(Mutex::new(Instant::now()));
        let (control, theirs, listening) = (control.clone(), stream.clone(), heard.clone());
        let thread = thread::Builder::new()
            .name("softcard-talk".to_owned())
            .spawn(move || converse(&control, &theirs, &listening))?;
        Ok(Conversation { stream, thread, heard })
    }
}

fn converse(control: &Control, stream: &UnixStream, heard: &Mutex<Instant>) {
    let heard = || *heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    if let Err(error) = control.converse_heard(BufReader::new(stream), stream, heard) {
        tracing::debug!("a conversation ended: {error}");
    }
    // The handle that is kept for the end of the socket would hold the connection open.
    let _ = stream.shutdown(Shutdown::Both);
}
