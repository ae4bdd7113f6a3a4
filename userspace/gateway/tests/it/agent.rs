//! A PBX, as far as the gateway sees one: a SIP user agent that calls and is called.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ringback_gateway::sdp::Codec;
use rsipstack::EndpointBuilder;
use rsipstack::dialog::authenticate::{Credential, verify_digest};
use rsipstack::dialog::dialog::{DialogState, DialogStateReceiver};
use rsipstack::dialog::dialog_layer::DialogLayer;
use rsipstack::dialog::invitation::{InviteAsyncResult, InviteOption};
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::sip::prelude::HeadersExt;
use rsipstack::sip::typed::Authorization;
use rsipstack::sip::{Header, Method, Request, Response, StatusCode, Uri};
use rsipstack::transaction::TransactionReceiver;
use rsipstack::transport::TransportLayer;
use rsipstack::transport::tcp_listener::TcpListenerConnection;
use rsipstack::transport::udp::UdpConnection;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::site::within;
use crate::voice::Voice;

/// Who may register, and the secret.
pub const REGISTRAR_USER: &str = "desk";
pub const REGISTRAR_SECRET: &str = "open sesame";

/// A call of the gateway's.
pub struct Called {
    pub request: Request,
    pub leg: AgentLeg,
}

/// A dialog of the agent's, and its sound.
pub struct AgentLeg {
    pub dialog: InviteDialog,
    states: DialogStateReceiver,
    inviting: Option<JoinHandle<InviteAsyncResult>>,
    pub voice: Voice,
}

pub struct Agent {
    pub address: SocketAddr,
    dialogs: Arc<DialogLayer>,
    contact: Uri,
    /// `;transport=tcp` behind its URIs, if it calls by TCP.
    parameter: &'static str,
    called: Mutex<UnboundedReceiver<Called>>,
    registered: Mutex<UnboundedReceiver<Request>>,
    subscribed: Mutex<UnboundedReceiver<Request>>,
    end: CancellationToken,
}

impl Agent {
    pub async fn start() -> Agent {
        Agent::at("127.0.0.1").await
    }

    pub async fn at(ip: &str) -> Agent {
        Agent::with(ip, "").await
    }

    /// One that calls by TCP, and is called by it.
    pub async fn by_tcp(ip: &str) -> Agent {
        Agent::with(ip, ";transport=tcp").await
    }

    async fn with(ip: &str, parameter: &'static str) -> Agent {
        let end = CancellationToken::new();
        let transports = TransportLayer::new(end.clone());
        let listen = SocketAddr::new(ip.parse().unwrap(), 0);
        let socket = UdpConnection::create_connection(listen, None, Some(end.child_token())).await;
        let socket = socket.unwrap();
        let address = socket.get_addr().get_socketaddr().unwrap();
        transports.add_transport(socket.into());
        if !parameter.is_empty() {
            let listener = TcpListenerConnection::new(address, None).await.unwrap();
            transports.add_transport(listener.into());
        }
        let endpoint = EndpointBuilder::new()
            .with_cancel_token(end.clone())
            .with_transport_layer(transports)
            .build();
        let requests = endpoint.incoming_transactions().unwrap();
        let dialogs = Arc::new(DialogLayer::new(endpoint.inner.clone()));
        let contact = Uri::try_from(format!("sip:pbx@{address}{parameter}")).unwrap();
        tokio::spawn(async move { endpoint.serve().await });
        let (sender, called) = unbounded_channel();
        let (registrations, registered) = unbounded_channel();
        let (subscriptions, subscribed) = unbounded_channel();
        let server = Server {
            dialogs: Arc::clone(&dialogs),
            contact: contact.clone(),
            called: sender,
            registrations,
            subscriptions,
            ip: address.ip(),
        };
        tokio::spawn(server.serve(requests));
        Agent {
            address,
            dialogs,
            contact,
            parameter,
            called: Mutex::new(called),
            registered: Mutex::new(registered),
            subscribed: Mutex::new(subscribed),
            end,
        }
    }

    /// Its address in a URI.
    pub fn host(&self) -> String {
        match self.address.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        }
    }

    /// Its URI as that of a trunk.
    pub fn trunk(&self) -> String {
        format!("sip:in@{}{}", self.address, self.parameter)
    }

    /// Calls a number through the gateway.
    pub async fn call(&self, gateway: SocketAddr, number: &str, codec: Codec) -> AgentLeg {
        let voice = Voice::new(self.address.ip(), codec).await;
        let offer = voice.description();
        self.invite(gateway, number, voice, offer, None)
    }

    /// Calls with any offer, and with a secret or without.
    pub fn invite(
        &self,
        gateway: SocketAddr,
        number: &str,
        voice: Voice,
        offer: Vec<u8>,
        credential: Option<(&str, &str)>,
    ) -> AgentLeg {
        self.invite_with(gateway, number, voice, offer, credential, Vec::new())
    }

    /// Calls with further headers.
    pub fn invite_with(
        &self,
        gateway: SocketAddr,
        number: &str,
        voice: Voice,
        offer: Vec<u8>,
        credential: Option<(&str, &str)>,
        headers: Vec<Header>,
    ) -> AgentLeg {
        let (sender, states) = self.dialogs.new_dialog_state_channel();
        let options = InviteOption {
            caller_display_name: Some("Ada".to_owned()),
            caller: Uri::try_from(format!("sip:100@{}", self.host())).unwrap(),
            callee: Uri::try_from(format!("sip:{number}@{gateway}{}", self.parameter)).unwrap(),
            contact: self.contact.clone(),
            offer: Some(offer),
            headers: Some(headers),
            credential: credential.map(|(username, password)| Credential {
                username: username.to_owned(),
                password: password.to_owned(),
                ..Credential::default()
            }),
            ..InviteOption::default()
        };
        let (dialog, inviting) = self.dialogs.do_invite_async(options, sender).unwrap();
        AgentLeg { dialog, states, inviting: Some(inviting), voice }
    }

    /// The next call of the gateway's.
    pub async fn called(&self) -> Called {
        let mut called = self.called.lock().await;
        within("the gateway calls", called.recv()).await.unwrap()
    }

    /// The next REGISTER that knows the secret.
    pub async fn registered(&self) -> Request {
        let mut registered = self.registered.lock().await;
        within("the gateway registers", registered.recv()).await.unwrap()
    }

    /// The next SUBSCRIBE, which is granted for two seconds.
    pub async fn subscribed(&self) -> Request {
        let mut subscribed = self.subscribed.lock().await;
        within("the gateway subscribes", subscribed.recv()).await.unwrap()
    }

    /// Whether the gateway has not called.
    pub async fn is_not_called(&self) -> bool {
        self.called.lock().await.try_recv().is_err()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

/// What takes the requests of the gateway.
struct Server {
    dialogs: Arc<DialogLayer>,
    contact: Uri,
    called: UnboundedSender<Called>,
    registrations: UnboundedSender<Request>,
    subscriptions: UnboundedSender<Request>,
    ip: IpAddr,
}

impl Server {
    async fn serve(self, mut requests: TransactionReceiver) {
        let Server { dialogs, contact, called, registrations, subscriptions, ip } = self;
        while let Some(mut transaction) = requests.recv().await {
            if transaction.original.method == Method::Subscribe {
                let _ = subscriptions.send(transaction.original.clone());
                let contact = Header::Contact(format!("<{contact}>").into());
                let granted = expires(&transaction.original).min(2);
                let headers = vec![contact, Header::Expires(granted.into())];
                transaction.reply_with(StatusCode::OK, headers, None).await.unwrap();
                continue;
            }
            let tag = transaction.original.to_header().unwrap().tag().unwrap();
            if tag.is_some() {
                match dialogs.match_dialog(&transaction) {
                    Some(mut dialog) => {
                        tokio::spawn(async move { dialog.handle(&mut transaction).await });
                    }
                    None => {
                        let _ = transaction.reply(StatusCode::CallTransactionDoesNotExist).await;
                    }
                }
                continue;
            }
            if transaction.original.method == Method::Register {
                let (status, headers) = registrar(&transaction.original, &registrations);
                transaction.reply_with(status, headers, None).await.unwrap();
                continue;
            }
            assert_eq!(transaction.original.method, Method::Invite);
            let (sender, states) = dialogs.new_dialog_state_channel();
            let dialog = dialogs
                .get_or_create_server_invite(&transaction, sender, None, Some(contact.clone()))
                .unwrap();
            let request = transaction.original.clone();
            let mut handled = dialog.clone();
            tokio::spawn(async move { handled.handle(&mut transaction).await });
            let voice = Voice::new(ip, Codec::Pcmu).await;
            let leg = AgentLeg { dialog, states, inviting: None, voice };
            let _ = called.send(Called { request, leg });
        }
    }
}

/// Registers whoever knows the secret, for two seconds, or for what is asked if that is less.
fn registrar(request: &Request, known: &UnboundedSender<Request>) -> (StatusCode, Vec<Header>) {
    let header = request.authorization_header();
    let knows = header.is_some_and(|header| {
        let shown = Authorization::parse(header.value()).unwrap();
        let right = verify_digest(&shown, REGISTRAR_SECRET, &request.method, header.value());
        shown.username == REGISTRAR_USER && shown.nonce == "1234" && right
    });
    if !knows {
        let challenge = "Digest realm=\"pbx\", nonce=\"1234\", algorithm=MD5, qop=\"auth\"";
        return (StatusCode::Unauthorized, vec![Header::WwwAuthenticate(challenge.into())]);
    }
    let _ = known.send(request.clone());
    let contact = request.contact_header().unwrap().value();
    let granted = if expires(request) == 0 { 0 } else { 2 };
    let others = format!("<sip:100@192.0.2.77>;expires=600, {contact};expires={granted}");
    (StatusCode::OK, vec![Header::Contact(others.into())])
}

/// The seconds that a REGISTER or SUBSCRIBE asks for.
pub fn expires(request: &Request) -> u32 {
    let expires = request.headers.iter().find_map(|header| match header {
        Header::Expires(expires) => Some(expires.value().parse().unwrap()),
        _ => None,
    });
    expires.unwrap()
}

impl AgentLeg {
    /// Waits for a provisional response with this status.
    pub async fn progress(&mut self, status: StatusCode) -> Response {
        within(&format!("the gateway sends {status}"), async {
            loop {
                match self.states.recv().await.unwrap() {
                    DialogState::Early(_, response) if response.status_code == status => {
                        break response;
                    }
                    DialogState::Terminated(_, why) => panic!("no {status}, but {why:?}"),
                    _ => {}
                }
            }
        })
        .await
    }

    /// Waits for the final response.
    pub async fn final_response(&mut self) -> Response {
        let inviting = self.inviting.as_mut().unwrap();
        let (_, response) = within("the final response", inviting).await.unwrap().unwrap();
        response.unwrap()
    }

    /// Waits for the answer, and begins to send.
    pub async fn answered(&mut self) {
        let response = self.final_response().await;
        assert_eq!(response.status_code, StatusCode::OK, "{response}");
        self.voice.connect(&response.body);
    }

    /// Answers a call of the gateway's, and begins to send.
    pub fn answer(&self, request: &Request) {
        self.voice.connect(&request.body);
        let headers = vec![Header::ContentType("application/sdp".into())];
        self.dialog.accept(Some(headers), Some(self.voice.description())).unwrap();
    }

    /// Changes the session by a re-INVITE; returns the response.
    pub async fn change(&self, description: &str) -> Response {
        let headers = vec![Header::ContentType("application/sdp".into())];
        let body = description.as_bytes().to_vec();
        let asked = self.dialog.reinvite(Some(headers), Some(body));
        within("an answer to the re-INVITE", asked).await.unwrap().unwrap()
    }

    /// Sends an INFO; returns the status of its response.
    pub async fn info(&self, kind: &str, body: &str) -> StatusCode {
        let headers = vec![Header::ContentType(kind.into())];
        let asked = self.dialog.info(Some(headers), Some(body.as_bytes().to_vec()));
        within("an answer to the INFO", asked).await.unwrap().unwrap().status_code
    }

    /// Waits for an INFO, and answers it.
    pub async fn is_informed(&mut self) -> Request {
        within("the gateway sends an INFO", async {
            loop {
                match self.states.recv().await.unwrap() {
                    DialogState::Info(_, request, handle) => {
                        handle.respond(StatusCode::OK, None, None).await.unwrap();
                        break request;
                    }
                    DialogState::Terminated(_, why) => panic!("no INFO, but {why:?}"),
                    _ => {}
                }
            }
        })
        .await
    }

    /// Hangs up.
    pub async fn hang_up(&self) {
        within("hanging up", self.dialog.hangup()).await.unwrap();
    }

    /// Waits until the gateway ends the call.
    pub async fn ended(&mut self) {
        within("the gateway hangs up", async {
            loop {
                match self.states.recv().await {
                    None | Some(DialogState::Terminated(..)) => break,
                    Some(_) => {}
                }
            }
        })
        .await;
    }
}

/// The cause of Q.850 in a response.
pub fn cause(response: &Response) -> Option<String> {
    response.headers.iter().find_map(|header| match header {
        Header::Reason(reason) => Some(reason.value().to_owned()),
        _ => None,
    })
}
