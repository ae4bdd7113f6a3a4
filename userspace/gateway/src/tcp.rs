//! SIP over TCP: takes connections, and bounds what they may bring.
//!
//! Who is no peer is disconnected before anything is read of it. A message that comes by a
//! connection counts like a datagram of its peer; what is beyond is dropped.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use rsipstack::sip::Transport;
use rsipstack::transaction::endpoint::{EndpointInnerRef, TransportEventInspector};
use rsipstack::transport::tcp::TcpConnection;
use rsipstack::transport::{SipAddr, SipConnection, TransportEvent};
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::peers::Peers;

/// The most connections at a time; a further one is disconnected.
const MOST_CONNECTIONS: usize = 64;
/// How long it is waited when no connection can be taken, for lack of descriptors for example.
const PAUSE: Duration = Duration::from_millis(100);

/// Takes connections until the stack ends.
pub(crate) async fn accept(
    listener: TcpListener,
    address: SocketAddr,
    peers: Peers,
    endpoint: EndpointInnerRef,
    end: CancellationToken,
) {
    let local = SipAddr { r#type: Some(Transport::Tcp), addr: address.into() };
    loop {
        let accepted = tokio::select! {
            () = end.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!("a connection can't be taken: {error}");
                sleep(PAUSE).await;
                continue;
            }
        };
        let transports = &endpoint.transport_layer;
        // Dropping the stream disconnects it.
        if !peers.admits(from.ip()) {
            continue;
        }
        if transports.connections_count() >= MOST_CONNECTIONS {
            warn!("{from} is disconnected: there are {MOST_CONNECTIONS} connections already");
            continue;
        }
        // Messages are short, and a call waits for each.
        if let Err(error) = stream.set_nodelay(true) {
            debug!("messages to {from} may be delayed: {error}");
        }
        let connection = TcpConnection::from_stream(stream, local.clone(), Some(end.child_token()));
        match connection {
            Ok(connection) => transports.add_connection(SipConnection::Tcp(connection)),
            Err(error) => debug!("{from} has disconnected already: {error}"),
        }
    }
}

/// Drops messages of connections whose other side is no peer any more, or sends too many.
pub(crate) struct ConnectionGuard(pub(crate) Peers);

impl TransportEventInspector for ConnectionGuard {
    fn handle<'this, 'future>(
        &'this self,
        event: TransportEvent,
    ) -> Pin<Box<dyn Future<Output = Option<TransportEvent>> + Send + 'future>>
    where
        'this: 'future,
    {
        let admitted = match &event {
            // Datagrams were counted before they were read.
            TransportEvent::Incoming(_, connection, from) if connection.is_reliable() => {
                from.get_socketaddr().is_ok_and(|from| self.0.admits(from.ip()))
            }
            _ => true,
        };
        Box::pin(std::future::ready(admitted.then_some(event)))
    }
}
