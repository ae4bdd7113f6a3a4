//! The server of one card: a thread that serves one client after the other.

use std::io::{self, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::connection::{Broken, Connection};
use super::refusal::Refusal;
use super::session::Session;
use crate::SoftCard;
use crate::socket_path::{SocketPath, SocketPathError};

/// A machine's monitor introduces itself at once. Whoever does not by then leaves its seat to
/// others.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// How long a reply may wait to be taken. A machine that stands still asks nothing either, so there
/// is room in its socket for the replies under way.
const UNREAD: Duration = Duration::from_secs(5);

/// Serves a card at a socket until it is dropped.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    socket: SocketPath,
    client: Mutex<Option<Arc<UnixStream>>>,
    begun: AtomicBool,
}

impl Server {
    /// Listens at `path`, and serves `card` to whoever connects. The card's clock is not part of
    /// it: see [`RealClock`](crate::RealClock).
    ///
    /// # Errors
    /// There can be no socket at `path`, or no thread to serve it. A socket that nobody serves any
    /// more is replaced. Only the user may connect whose process this is.
    pub fn start(card: &SoftCard, path: impl AsRef<Path>) -> Result<Server, SocketPathError> {
        let shared = Arc::new(Shared {
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

    /// Where the server listens.
    pub fn path(&self) -> &Path {
        self.shared.socket.path()
    }

    /// Whether the card is in a machine: a client is connected and has introduced itself.
    pub fn has_client(&self) -> bool {
        self.shared.begun.load(Ordering::Acquire)
    }
}

impl Drop for Server {
    /// Takes the card out of its machine, and the socket away.
    fn drop(&mut self) {
        self.shared.socket.close();
        if let Some(client) = &*self.shared.client() {
            // An error means that the client has left.
            let _ = client.shutdown(Shutdown::Both);
        }
        if let Some(thread) = self.thread.take() {
            // A panic has been reported by the thread itself.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn client(&self) -> MutexGuard<'_, Option<Arc<UnixStream>>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, card: &SoftCard) {
        while let Some(stream) = self.socket.accept() {
            *self.client() = Some(Arc::clone(&stream));
            // Whoever closed the socket before it saw the client left it to us.
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
            // Somebody who looked whether the socket is served.
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
                    // One says what is wrong; a client can send any number.
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

/// In one piece, as some clients read it in one.
fn write(mut stream: &UnixStream, reply: &[u8]) -> Result<(), Broken> {
    stream.write_all(reply).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => Broken::Unread,
        _ => Broken::Io(error),
    })
}
