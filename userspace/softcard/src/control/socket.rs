//! Commands at a socket, in several conversations at a time.
//!
//! Rules: the number of conversations is limited. If a client connects when all places are taken,
//! it gets the place of the conversation that has been silent for longest, if that is longer than
//! [`IDLE`]; otherwise it is refused. A client that does not read its replies loses its place.

use std::io::{BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ringback_request::sync::EvenPoisoned;

use super::Control;
use crate::socket_path::{SocketPath, SocketPathError};

/// The number of conversations at a time.
const SEATS: usize = 16;
/// A conversation that is silent for longer than this can lose its place to a new one.
const IDLE: Duration = Duration::from_secs(10);
/// How long writing a reply may take.
const TAKEN: Duration = Duration::from_secs(10);
/// The reply to a client that gets no place.
const NO_SEAT: &str = "{\"ok\":false,\"error\":\"16 others talk to these cards already: end one, \
                       or come back when one has been silent for ten seconds\"}\n";

/// Accepts commands at a socket until it is dropped.
#[derive(Debug)]
pub struct ControlSocket {
    shared: Arc<SocketShared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct SocketShared {
    socket: SocketPath,
    conversations: Mutex<Vec<Conversation>>,
}

#[derive(Debug)]
struct Conversation {
    stream: Arc<UnixStream>,
    thread: JoinHandle<()>,
    /// When the last command was read.
    heard: Arc<Mutex<Instant>>,
}

impl Conversation {
    fn silent(&self) -> Duration {
        self.heard.lock().even_poisoned().elapsed()
    }

    fn end(self) {
        // An error means that the connection has ended. A panic has been reported by the thread
        // itself.
        let _ = self.stream.shutdown(Shutdown::Both);
        let _ = self.thread.join();
    }
}

impl ControlSocket {
    /// Listens at `path`, and carries out the commands of the clients.
    ///
    /// # Errors
    /// The socket can't be created, or its thread can't be started. A socket that no program serves
    /// any more is replaced. Only the user of this process can connect.
    pub fn start(
        control: Control,
        path: impl AsRef<Path>,
    ) -> Result<ControlSocket, SocketPathError> {
        let socket = SocketPath::bind(path.as_ref())?;
        let shared = Arc::new(SocketShared { socket, conversations: Mutex::default() });
        let theirs = shared.clone();
        let thread = thread::Builder::new()
            .name("softcard-control".to_owned())
            .spawn(move || theirs.run(&control))
            .map_err(|cause| SocketPath::no_thread(shared.socket.path(), cause))?;
        Ok(ControlSocket { shared, thread: Some(thread) })
    }

    /// The path at which it listens.
    pub fn path(&self) -> &Path {
        self.shared.socket.path()
    }
}

impl Drop for ControlSocket {
    /// Ends the conversations, and removes the socket.
    fn drop(&mut self) {
        self.shared.socket.close();
        if let Some(thread) = self.thread.take() {
            // A panic has been reported by the thread itself.
            let _ = thread.join();
        }
        self.shared.conversations().drain(..).for_each(Conversation::end);
    }
}

impl SocketShared {
    fn conversations(&self) -> MutexGuard<'_, Vec<Conversation>> {
        self.conversations.lock().even_poisoned()
    }

    fn run(&self, control: &Control) {
        while let Some(stream) = self.socket.accept() {
            let mut conversations = self.conversations();
            conversations.retain(|conversation| !conversation.thread.is_finished());
            if conversations.len() >= SEATS && !make_room(&mut conversations) {
                // This does not block, because the send buffer is empty.
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

/// Ends the conversation that has been silent for longest. Returns `false` if none has been silent
/// for longer than [`IDLE`].
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
    let heard = || *heard.lock().even_poisoned() = Instant::now();
    if let Err(error) = control.converse_heard(BufReader::new(stream), stream, heard) {
        tracing::debug!("a conversation ended: {error}");
    }
    // Dropping this stream is not enough: the conversation keeps another handle of the connection.
    let _ = stream.shutdown(Shutdown::Both);
}
