//! The SIP stack on its UDP and TCP sockets.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rsipstack::EndpointBuilder;
use rsipstack::dialog::dialog_layer::DialogLayer;
use rsipstack::sip::{HostWithPort, Transport, Uri};
use rsipstack::transaction::TransactionReceiver;
use rsipstack::transport::udp::UdpConnection;
use rsipstack::transport::{SipAddr, SipConnection, TransportLayer};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::exit::Failure;
use crate::peers::{Peers, addresses};
use crate::tcp::{self, ConnectionGuard};
use crate::trunk::{Trunk, TrunkTransport};

/// How often another port is tried, if any will do: TCP may have none of the number that UDP has.
const TRIES: u32 = 20;

/// The running stack. Dropping it ends it.
pub(crate) struct SipEndpoint {
    pub(crate) dialogs: Arc<DialogLayer>,
    pub(crate) address: SocketAddr,
    end: CancellationToken,
}

/// Where a trunk is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrunkAddress {
    pub(crate) ip: IpAddr,
    /// The same with port and transport.
    pub(crate) destination: SipAddr,
}

impl SipEndpoint {
    /// Opens the sockets, and answers nobody but the peers.
    ///
    /// # Errors
    /// The address can't be used.
    pub(crate) async fn open(
        listen: SocketAddr,
        peers: &Peers,
    ) -> Result<(SipEndpoint, TransactionReceiver), Failure> {
        let failed = |error: rsipstack::Error| {
            Failure::failed(format_args!(
                "the gateway can't listen on {listen}: {error}; another program may have the port, \
                 or the address may be none of this machine's ([sip] listen)"
            ))
        };
        let end = CancellationToken::new();
        let transports = TransportLayer::new(end.clone());
        let (socket, listener) = bind(listen, &end).await.map_err(failed)?;
        let address = socket.get_addr().get_socketaddr().map_err(failed)?;
        transports.add_transport(SipConnection::Udp(socket));
        let admitted = peers.clone();
        transports.set_whitelist(move |ip: IpAddr| std::future::ready(admitted.admits(ip)));
        let endpoint = EndpointBuilder::new()
            .with_user_agent(concat!("Ringback/", env!("CARGO_PKG_VERSION")))
            .with_cancel_token(end.clone())
            .with_transport_layer(transports)
            .with_transport_inspector(Box::new(ConnectionGuard(peers.clone())))
            .build();
        let incoming = endpoint.incoming_transactions().map_err(failed)?;
        let dialogs = Arc::new(DialogLayer::new(endpoint.inner.clone()));
        let inner = endpoint.inner.clone();
        tokio::spawn(tcp::accept(listener, address, peers.clone(), inner, end.clone()));
        tokio::spawn(async move { endpoint.serve().await });
        Ok((SipEndpoint { dialogs, address, end }, incoming))
    }

    /// The URI by which we are reached: in dialogs, and by this user of ours.
    pub(crate) fn contact(
        &self,
        user: &str,
        transport: Transport,
    ) -> Result<Uri, rsipstack::sip::Error> {
        let parameter = match transport {
            Transport::Tcp => ";transport=tcp",
            _ => "",
        };
        Uri::try_from(format!("sip:{user}@{}{parameter}", self.address))
    }

    /// Where a trunk is at the moment, of the family of addresses that we have.
    ///
    /// # Errors
    /// It has no such address, or nobody knows it in time.
    pub(crate) async fn locate(&self, trunk: &Trunk) -> io::Result<TrunkAddress> {
        let v4 = self.address.is_ipv4();
        let found = addresses(&trunk.host).await?;
        let ip = found.into_iter().find(|ip| ip.is_ipv4() == v4).ok_or_else(|| {
            let family = if v4 { "IPv4" } else { "IPv6" };
            io::Error::other(format!(
                "it has no {family} address, and [sip] listen names one of {family}"
            ))
        })?;
        let addr = HostWithPort::from(SocketAddr::new(ip, trunk.port));
        let destination = SipAddr { r#type: Some(trunk.transport.into()), addr };
        Ok(TrunkAddress { ip, destination })
    }
}

impl From<TrunkTransport> for Transport {
    fn from(transport: TrunkTransport) -> Transport {
        match transport {
            TrunkTransport::Udp => Transport::Udp,
            TrunkTransport::Tcp => Transport::Tcp,
        }
    }
}

impl Drop for SipEndpoint {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

/// Opens both sockets, with the same port.
async fn bind(
    listen: SocketAddr,
    end: &CancellationToken,
) -> rsipstack::Result<(UdpConnection, TcpListener)> {
    let mut tries = 0;
    loop {
        let socket =
            UdpConnection::create_connection(listen, None, Some(end.child_token())).await?;
        let address = socket.get_addr().get_socketaddr()?;
        tries += 1;
        match TcpListener::bind(address).await {
            Err(error)
                if error.kind() == io::ErrorKind::AddrInUse
                    && listen.port() == 0
                    && tries < TRIES => {}
            bound => return Ok((socket, bound?)),
        }
    }
}

/// An address as a URI has it.
pub(crate) fn uri_host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}
