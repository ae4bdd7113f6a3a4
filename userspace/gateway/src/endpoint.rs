//! The SIP stack on its UDP socket.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rsipstack::EndpointBuilder;
use rsipstack::dialog::dialog_layer::DialogLayer;
use rsipstack::sip::Uri;
use rsipstack::transaction::TransactionReceiver;
use rsipstack::transport::udp::UdpConnection;
use rsipstack::transport::{SipConnection, TransportLayer};
use tokio_util::sync::CancellationToken;

use crate::exit::Failure;
use crate::peers::Peers;

/// The running stack. Dropping it ends it.
pub(crate) struct SipEndpoint {
    pub(crate) dialogs: Arc<DialogLayer>,
    pub(crate) address: SocketAddr,
    /// The URI by which we are reached in dialogs.
    pub(crate) contact: Uri,
    end: CancellationToken,
}

impl SipEndpoint {
    /// Opens the socket, and answers nobody but the peers.
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
        let socket = UdpConnection::create_connection(listen, None, Some(end.child_token())).await;
        let socket = socket.map_err(failed)?;
        let address = socket.get_addr().get_socketaddr().map_err(failed)?;
        transports.add_transport(SipConnection::Udp(socket));
        let admitted = peers.clone();
        transports.set_whitelist(move |ip: IpAddr| std::future::ready(admitted.admits(ip)));
        let endpoint = EndpointBuilder::new()
            .with_user_agent(concat!("Ringback/", env!("CARGO_PKG_VERSION")))
            .with_cancel_token(end.clone())
            .with_transport_layer(transports)
            .build();
        let incoming = endpoint.incoming_transactions().map_err(failed)?;
        let dialogs = Arc::new(DialogLayer::new(endpoint.inner.clone()));
        let contact = Uri::try_from(format!("sip:ringback@{address}")).map_err(|error| {
            Failure::failed(format_args!("{address} makes no SIP URI: {error}"))
        })?;
        tokio::spawn(async move { endpoint.serve().await });
        Ok((SipEndpoint { dialogs, address, contact, end }, incoming))
    }
}

impl Drop for SipEndpoint {
    fn drop(&mut self) {
        self.end.cancel();
    }
}
