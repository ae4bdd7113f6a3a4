//! Commands from a socket: as many conversations at a time as are begun.

use std::io::BufReader;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::Control;
use crate::socket_path::{SocketPath, SocketPathError};

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
    stream: UnixStream,
    thread: JoinHandle<()>,
}

impl ControlSocket {
    /// Listens at `path`, and does what whoever connects says.
    ///
    /// # Errors
    /// There can be no socket at `path`. One that nobody serves any more is replaced.
    ///
    /// # Panics
    /// If the operating system can't start a thread.
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
            .expect("the operating system starts a thread");
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
            // A panic has been reported by the thread itself, here and below.
            let _ = thread.join();
        }
        for conversation in self.shared.conversations().drain(..) {
            // An error means that it has ended.
            let _ = conversation.stream.shutdown(Shutdown::Both);
            let _ = conversation.thread.join();
        }
    }
}

impl Shared {
    fn conversations(&self) -> MutexGuard<'_, Vec<Conversation>> {
        self.conversations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, control: &Control) {
        while let Some((handle, stream)) = self.socket.accept() {
            let control = control.clone();
            let begun = thread::Builder::new()
                .name("softcard-talk".to_owned())
                .spawn(move || converse(&control, &stream));
            let mut conversations = self.conversations();
            conversations.retain(|conversation| !conversation.thread.is_finished());
            match begun {
                Ok(thread) => conversations.push(Conversation { stream: handle, thread }),
                Err(error) => tracing::warn!("no conversation: {error}"),
            }
        }
    }
}

fn converse(control: &Control, stream: &UnixStream) {
    if let Err(error) = control.converse(BufReader::new(stream), stream) {
        tracing::debug!("a conversation ended: {error}");
    }
    // The handle that is kept for the end of the socket would hold the connection open.
    let _ = stream.shutdown(Shutdown::Both);
}
