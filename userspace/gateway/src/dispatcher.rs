//! Requests from outside: which are answered, and by which line.
//!
//! A call for the number of a telephone is for that; any other one is dialled on an idle line of an
//! exchange. Both have to belong to the trunk whose host has sent it.

use std::net::IpAddr;
use std::sync::Arc;

use rsipstack::sip::prelude::HeadersExt;
use rsipstack::sip::{Header, Method, StatusCode, Transport};
use rsipstack::transaction::TransactionReceiver;
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transport::SipConnection;
use tokio::sync::watch;
use tracing::{debug, warn};

use crate::alert;
use crate::caller::{CallerIdentity, dialable};
use crate::cause::Refusal;
use crate::config::SipConfig;
use crate::digest::Doorkeeper;
use crate::leg::{CONTACT, Leg};
use crate::line_task::LineEntry;
use crate::media;
use crate::messages::MessageNotice;
use crate::occupancy::Seizure;
use crate::outgoing::Invitation;
use crate::peers::Peers;
use crate::sdp::{SdpError, Session};
use crate::served_line::Site;

/// The methods that are understood.
const METHODS: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, NOTIFY";

/// What decides about requests.
pub(crate) struct Dispatcher {
    pub(crate) site: Arc<Site>,
    routing: watch::Receiver<Arc<Routing>>,
    pub(crate) peers: Peers,
}

/// What it goes by; another one if the configuration is changed.
pub(crate) struct Routing {
    lines: Vec<LineEntry>,
    /// The peers that may call on every line.
    everywhere: Vec<String>,
    doorkeeper: Option<Arc<Doorkeeper>>,
}

impl Routing {
    /// The routing of these lines. A doorkeeper that asks for the same secret goes on with what it
    /// has asked for.
    pub(crate) fn new(
        lines: Vec<LineEntry>,
        config: &SipConfig,
        before: Option<Arc<Doorkeeper>>,
    ) -> Routing {
        let doorkeeper = config.credential.as_ref().map(|who| {
            let same = before.filter(|before| before.asks_for(who));
            same.unwrap_or_else(|| Arc::new(Doorkeeper::new(who.clone())))
        });
        Routing { lines, everywhere: config.peers.clone(), doorkeeper }
    }

    pub(crate) fn doorkeeper(&self) -> Option<Arc<Doorkeeper>> {
        self.doorkeeper.clone()
    }
}

/// Why an INVITE gets no line, in SIP's words.
struct Rejection {
    status: StatusCode,
    headers: Vec<Header>,
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Rejection {
        let mut headers = vec![Header::Reason(refusal.cause.reason().into())];
        let retry = refusal.retry_after();
        headers.extend(retry.map(|seconds| Header::RetryAfter(seconds.to_string().into())));
        Rejection { status: refusal.status(), headers }
    }
}

impl Dispatcher {
    pub(crate) fn new(
        site: Arc<Site>,
        routing: watch::Receiver<Arc<Routing>>,
        peers: Peers,
    ) -> Dispatcher {
        Dispatcher { site, routing, peers }
    }

    /// Serves requests until the stack ends.
    pub(crate) async fn run(self, mut incoming: TransactionReceiver) {
        while let Some(transaction) = incoming.recv().await {
            self.request(transaction).await;
        }
    }

    async fn request(&self, mut transaction: Transaction) {
        let tag = transaction.original.to_header().ok().and_then(|to| to.tag().ok().flatten());
        let tag = tag.map(|tag| tag.to_string());
        let method = transaction.original.method;
        let (status, headers) = match method {
            _ if tag.is_some() => match self.site.sip.dialogs.match_dialog(&transaction) {
                Some(mut dialog) => {
                    tokio::spawn(async move {
                        if let Err(error) = dialog.handle(&mut transaction).await {
                            debug!("a request within a call: {error}");
                        }
                    });
                    return;
                }
                None if method == Method::Notify => self.notice(&transaction, tag.as_deref()),
                None => (StatusCode::CallTransactionDoesNotExist, Vec::new()),
            },
            Method::Notify => self.notice(&transaction, None),
            Method::Invite => match self.invite(transaction).await {
                None => return,
                Some((refused, rejection)) => {
                    transaction = refused;
                    (rejection.status, rejection.headers)
                }
            },
            // Who looks for another gateway finds out so, too.
            Method::Options if self.site.drain.is_cancelled() => {
                let Rejection { status, headers } = Refusal::STOPPING.into();
                (status, headers)
            }
            Method::Options => {
                let accept = Header::Accept("application/sdp".into());
                (StatusCode::OK, vec![Header::Allow(METHODS.into()), accept])
            }
            Method::Ack => return,
            _ => (StatusCode::MethodNotAllowed, vec![Header::Allow(METHODS.into())]),
        };
        if let Err(error) = transaction.reply_with(status, headers, None).await {
            debug!("a response was not sent: {error}");
        }
    }

    /// Takes in whether messages wait for a telephone of the PBX that tells so. `tag` is that of
    /// the subscription with which it was asked to.
    fn notice(&self, transaction: &Transaction, tag: Option<&str>) -> (StatusCode, Vec<Header>) {
        let request = &transaction.original;
        let notice = match MessageNotice::read(request) {
            Ok(notice) => notice,
            Err(refused) => return refused,
        };
        let routing = Arc::clone(&self.routing.borrow());
        let pbx = source(transaction);
        let telephones = || {
            let own = |line: &&LineEntry| {
                pbx.is_some_and(|pbx| self.peers.is_host(pbx, &line.trunk.host))
            };
            routing.lines.iter().filter(own).filter_map(|line| line.telephone.as_ref())
        };
        let found = match tag {
            Some(tag) => {
                telephones().find(|telephone| telephone.subscription.as_deref() == Some(tag))
            }
            // It is for whom it is sent to, or for whom it says.
            None => {
                let to = request.to_header().ok().and_then(|to| to.uri().ok());
                let users = [
                    request.uri.user().map(str::to_owned),
                    to.and_then(|to| to.user().map(str::to_owned)),
                    notice.summary.as_ref().and_then(|summary| summary.account.clone()),
                ];
                let mut users = users.into_iter().flatten();
                users.find_map(|user| telephones().find(|telephone| telephone.number == user))
            }
        };
        let Some(telephone) = found else {
            let unknown = match tag {
                Some(_) => StatusCode::CallTransactionDoesNotExist,
                None => StatusCode::NotFound,
            };
            return (unknown, Vec::new());
        };
        if let Some(summary) = notice.summary {
            telephone.set_messages(summary.waiting);
        }
        if notice.is_last && tag.is_some() {
            telephone.over.notify_one();
        }
        (StatusCode::OK, Vec::new())
    }

    /// Gives a call to a line, or returns why it gets none.
    async fn invite(&self, mut transaction: Transaction) -> Option<(Transaction, Rejection)> {
        let (line, invited) = match self.admit(&transaction).await {
            Ok(admitted) => admitted,
            Err(rejection) => return Some((transaction, rejection)),
        };
        let dialogs = Arc::clone(&self.site.sip.dialogs);
        let (sender, states) = dialogs.new_dialog_state_channel();
        let transport =
            transaction.connection.as_ref().map_or(Transport::Udp, SipConnection::transport);
        let dialog = match self.site.sip.contact(CONTACT, transport) {
            Ok(contact) => dialogs
                .get_or_create_server_invite(&transaction, sender, None, Some(contact))
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let dialog = match dialog {
            Ok(dialog) => dialog,
            Err(error) => {
                debug!("an INVITE can't be used: {error}");
                return Some((transaction, Refusal::MALFORMED.into()));
            }
        };
        let Ok(local) = invited.socket.local_addr() else {
            return Some((transaction, Refusal::NO_RESOURCE.into()));
        };
        let leg = Leg::called(dialogs, dialog.clone(), states, local);
        let Invited { number, ring_mode, caller, offer, pbx, socket, seizure } = invited;
        line.invite(Invitation { leg, number, ring_mode, caller, offer, pbx, socket, seizure });
        tokio::spawn(async move {
            let mut dialog = dialog;
            if let Err(error) = dialog.handle(&mut transaction).await {
                debug!("an INVITE has ended: {error}");
            }
        });
        None
    }

    /// Whether a caller is let in, and to which line.
    async fn admit(&self, transaction: &Transaction) -> Result<(LineEntry, Invited), Rejection> {
        let routing = Arc::clone(&self.routing.borrow());
        let request = &transaction.original;
        // Without an address it can't be of a peer.
        let pbx = source(transaction)
            .ok_or(Rejection { status: StatusCode::Forbidden, headers: Vec::new() })?;
        if self.site.drain.is_cancelled() {
            return Err(Refusal::STOPPING.into());
        }
        // An INVITE without a secret is only asked for one: it begins no call yet.
        if let Some(doorkeeper) = &routing.doorkeeper
            && request.authorization_header().is_none()
        {
            return Err(challenged(doorkeeper, pbx));
        }
        if !self.peers.may_call(pbx) {
            warn!("{pbx} begins more calls than it may (calls_per_second)");
            let mut rejection = Rejection::from(Refusal::REORDER);
            rejection.headers.push(Header::RetryAfter("1".into()));
            return Err(rejection);
        }
        if let Some(doorkeeper) = &routing.doorkeeper
            && !doorkeeper.lets_in(request, pbx)
        {
            warn!("{pbx} does not know the secret");
            return Err(challenged(doorkeeper, pbx));
        }
        let offer = Session::read(&request.body).map_err(|error| match error {
            // Without an offer we would have to make one.
            SdpError::Malformed if !request.body.is_empty() => Refusal::MALFORMED,
            _ => Refusal::NOT_ACCEPTABLE,
        })?;
        let own = self.site.sip.address.ip();
        if !offer.is_reachable_from(own) {
            return Err(Refusal::NOT_ACCEPTABLE.into());
        }
        let (line, number, seizure) =
            routing.seize(&self.peers, pbx, request.uri.user().unwrap_or_default())?;
        let bound = media::bind(own, self.site.rtp_ports()).await;
        let socket = bound.map_err(|error| {
            warn!("there is no port for RTP: {error}");
            Refusal::NO_RESOURCE
        })?;
        let caller = CallerIdentity::of_request(request);
        let ring_mode = alert::ring_mode(request);
        Ok((line, Invited { number, ring_mode, caller, offer, pbx, socket, seizure }))
    }
}

impl Routing {
    /// Takes a line for a call of this PBX.
    fn seize(
        &self,
        peers: &Peers,
        pbx: IpAddr,
        user: &str,
    ) -> Result<(LineEntry, String, Seizure), Refusal> {
        let everywhere = self.everywhere.iter().any(|host| peers.is_host(pbx, host));
        let its = || {
            let own = |line: &&LineEntry| everywhere || peers.is_host(pbx, &line.trunk.host);
            self.lines.iter().filter(own)
        };
        if let Some(line) = its().find(|line| line.has_number(user)) {
            let seizure = line.occupancy.seize().ok_or(Refusal::BUSY)?;
            return Ok((line.clone(), user.to_owned(), seizure));
        }
        // Exchanges look for an idle line from the first one on: from the other end, both sides
        // seldom take the same one.
        let trunk = || its().filter(|line| line.telephone.is_none()).rev();
        if trunk().next().is_none() {
            return Err(Refusal::NO_SUCH_NUMBER);
        }
        let number = dialable(user).ok_or(Refusal::NO_NUMBER)?;
        let free = trunk().find_map(|line| Some((line.clone(), line.occupancy.seize()?)));
        let (line, seizure) = free.ok_or(Refusal::NO_CIRCUIT)?;
        Ok((line, number, seizure))
    }
}

/// The caller has to show that it knows the secret.
fn challenged(doorkeeper: &Doorkeeper, pbx: IpAddr) -> Rejection {
    Rejection { status: StatusCode::Unauthorized, headers: vec![doorkeeper.challenge(pbx)] }
}

/// What an INVITE asks for.
struct Invited {
    number: String,
    ring_mode: u32,
    caller: CallerIdentity,
    offer: Session,
    pbx: IpAddr,
    socket: tokio::net::UdpSocket,
    seizure: Seizure,
}

/// The address that a request has come from.
fn source(transaction: &Transaction) -> Option<IpAddr> {
    let address = transaction.connection.as_ref()?.get_remote_addr()?.get_socketaddr().ok()?;
    Some(address.ip().to_canonical())
}
