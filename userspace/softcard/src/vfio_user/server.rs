//! The server of one card: a thread that serves one client after another.

use std::io::{self, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ringback_request::sync::EvenPoisoned;

use super::connection::{Broken, Connection};
use super::refusal::Refusal;
use super::session::Session;
use crate::SoftCard;
use crate::socket_path::{SocketPath, SocketPathError};

/// How long a client may take to send its version. A virtual machine's monitor sends it at once;
/// any other client is disconnected, so that the next one is served.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// How long writing a reply may block. A machine that is stopped sends no requests either, so that
/// its socket has room for the replies in progress.
const UNREAD: Duration = Duration::from_secs(5);

/// Serves a card at a socket until it is dropped.
#[derive(Debug)]
pub struct Server {
    shared: Arc<ServerShared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct ServerShared {
    socket: SocketPath,
    client: Mutex<Option<Arc<UnixStream>>>,
    begun: AtomicBool,
}

impl Server {
    /// Listens at `path`, and serves `card` to each client that connects. The card's clock is not
    /// part of it: see [`RealClock`](crate::RealClock).
    ///
    /// # Errors
    /// The socket can't be created, or its thread can't be started. A socket that no program serves
    /// any more is replaced. Only the user of this process can connect.
    pub fn start(card: &SoftCard, path: impl AsRef<Path>) -> Result<Server, SocketPathError> {
        let shared = Arc::new(ServerShared {
            socket: SocketPath::bind(path.as_ref())?,
            client: Mutex::new(None),
            begun: AtomicBool::new(false),
        });
        let (card, theirs) = (card.clone(), shared.clone());
        let thread = thread::Builder::new()
            .name("softcard-vfio".to_owned())
            .spawn(move || theirs.run(&card))
            .map_err(|cause| SocketPath::no_thread(shared.socket.path(), cause))?;
        Ok(Server { shared, thread: Some(thread) })
    }

    /// The path at which the server listens.
    pub fn path(&self) -> &Path {
        self.shared.socket.path()
    }
}

impl Drop for Server {
    /// Disconnects the client, and removes the socket.
    fn drop(&mut self) {
        self.shared.socket.close();
        if let Some(client) = &*self.shared.client() {
            // An error means that the client has closed the connection.
            let _ = client.shutdown(Shutdown::Both);
        }
        if let Some(thread) = self.thread.take() {
            // A panic has been reported by the thread itself.
            let _ = thread.join();
        }
    }
}

impl ServerShared {
    fn client(&self) -> MutexGuard<'_, Option<Arc<UnixStream>>> {
        self.client.lock().even_poisoned()
    }

    fn run(&self, card: &SoftCard) {
        while let Some(stream) = self.socket.accept() {
            *self.client() = Some(Arc::clone(&stream));
            // If the server was closed before the client was stored, the closer could not
            // disconnect it.
            if !self.socket.is_closed() {
                self.serve(card, &stream);
            }
            *self.client() = None;
        }
    }

    fn serve(&self, card: &SoftCard, stream: &UnixStream) {
        let ended = self.converse(card, stream);
        let was_client = self.begun.swap(false, Ordering::AcqRel);
        match ended {
            Err(broken) if !self.socket.is_closed() => {
                tracing::warn!("a client was dropped: {broken}");
            }
            _ if was_client => tracing::info!("the client has left"),
            // The connection only tested whether the socket is served.
            _ => {}
        }
    }

    fn converse(&self, card: &SoftCard, stream: &UnixStream) -> Result<(), Broken> {
        let mut connection = Connection::new(stream, Instant::now() + HANDSHAKE);
        stream.set_write_timeout(Some(UNREAD))?;
        let mut session = Session::new(card);
        let mut refusals = 0_u64;
        while let Some(message) = connection.next()? {
            let header = message.header;
            let answer = match message.lost_fds {
                true => Err(Refusal::LOST_DESCRIPTOR),
                false => session.answer(header, message.payload, message.fds),
            };
            let reply = match answer {
                Ok(payload) => header.reply(&payload),
                Err(refusal) => {
                    refusals += 1;
                    // The first refusal is logged as a warning; a client can cause any number of
                    // them.
                    if refusals == 1 {
                        tracing::warn!("refused command {}: {refusal}", header.command);
                    } else {
                        tracing::debug!("refused command {}: {refusal}", header.command);
                    }
                    header.error(refusal)
                }
            };
            if header.wants_reply() {
                write(stream, &reply)?;
            }
            if !session.has_begun() {
                return Err(io::Error::other("it did not introduce itself").into());
            }
            if !self.begun.swap(true, Ordering::AcqRel) {
                connection.take_your_time()?;
                tracing::info!("a client has connected");
            }
        }
        Ok(())
    }
}

/// Writes the reply with one call, because some clients read it with one.
fn write(mut stream: &UnixStream, reply: &[u8]) -> Result<(), Broken> {
    stream.write_all(reply).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => Broken::Unread,
        _ => Broken::Io(error),
    })
}
