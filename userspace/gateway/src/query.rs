//! Requests to the PBX of a line that belong to no call: each has the Call-ID of those before it,
//! and the next number (RFC 3261, 8.1.1 and 10.2).
//!
//! A challenge is answered once with what the line knows, and again only if the PBX says that its
//! own nonce was too old.

use std::sync::Arc;
use std::time::Duration;

use rsipstack::dialog::authenticate::{AuthRetry, Credential, handle_client_authenticate};
use rsipstack::sip::prelude::{HeadersExt, ToTypedHeader};
use rsipstack::sip::{
    Header, Method, Response, SipMessage, StatusCode, StatusCodeKind, Uri, typed,
};
use rsipstack::transaction::key::{TransactionKey, TransactionRole};
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transaction::{make_call_id, make_tag};
use rsipstack::transport::SipAddr;
use tokio::time::timeout;

use crate::endpoint::TrunkAddress;
use crate::served_line::Site;
use crate::trunk::Trunk;

/// How long the PBX has to answer: longer than the stack repeats a request.
const ANSWERED: Duration = Duration::from_secs(40);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    /// The PBX has no address at the moment.
    #[error("it has no address at the moment: {0}")]
    Unknown(#[from] std::io::Error),
    /// The stack can't send it.
    #[error("{0}")]
    Stack(#[from] rsipstack::Error),
    /// Nobody has answered.
    #[error("it does not answer")]
    Unanswered,
}

/// The requests of one kind of a line.
pub(crate) struct Query {
    site: Arc<Site>,
    trunk: Trunk,
    credential: Option<Credential>,
    /// Whom they are about: the line's user at the PBX.
    about: Uri,
    /// The URI by which the line is reached.
    contact: Uri,
    from: typed::From,
    call_id: rsipstack::sip::CallId,
    number: u32,
    /// What a subscription has begun; `None` outside of one.
    dialog: Option<SubscriptionDialog>,
}

/// The dialog of a subscription (RFC 6665, 4.4).
struct SubscriptionDialog {
    to: typed::To,
    target: Uri,
    routes: Vec<Header>,
}

impl Query {
    /// Requests about a user of a trunk's host, with the line's own credential.
    ///
    /// # Errors
    /// The names make no URIs.
    pub(crate) fn new(
        site: &Arc<Site>,
        trunk: &Trunk,
        user: &str,
        credential: Option<Credential>,
    ) -> Result<Query, rsipstack::sip::Error> {
        let about = Uri::try_from(format!("sip:{user}@{}", trunk.uri_host()))?;
        let contact = site.sip.contact(user, trunk.transport.into())?;
        let from = typed::From { display_name: None, uri: about.clone(), params: Vec::new() };
        let option = &site.sip.dialogs.endpoint.option;
        let call_id = make_call_id(option.callid_suffix.as_deref(), option.callid_format);
        Ok(Query {
            site: Arc::clone(site),
            trunk: trunk.clone(),
            credential,
            about,
            contact,
            from: from.with_tag(make_tag()),
            call_id,
            number: 0,
            dialog: None,
        })
    }

    /// Our tag, by which the PBX names us in what it tells.
    pub(crate) fn tag(&self) -> String {
        self.from.tag().map(|tag| tag.to_string()).unwrap_or_default()
    }

    /// The PBX has ended the subscription: the next request begins another one.
    pub(crate) fn forget_dialog(&mut self) {
        self.dialog = None;
    }

    /// Our URI, as the answer has it.
    pub(crate) fn contact(&self) -> &Uri {
        &self.contact
    }

    /// Asks the host of the trunk, and returns its final response.
    ///
    /// # Errors
    /// There is none.
    pub(crate) async fn ask(
        &mut self,
        method: Method,
        headers: Vec<Header>,
    ) -> Result<Response, QueryError> {
        let TrunkAddress { destination, .. } = self.site.sip.locate(&self.trunk).await?;
        let host = format!("sip:{}:{}", self.trunk.uri_host(), self.trunk.port);
        let target = match (&self.dialog, method) {
            (_, Method::Register) => Uri::try_from(host).map_err(rsipstack::Error::from)?,
            (Some(dialog), _) => dialog.target.clone(),
            (None, _) => self.about.clone(),
        };
        let asked = self.exchange(method, target, destination, headers);
        let answer = timeout(ANSWERED, asked).await.unwrap_or(Err(QueryError::Unanswered));
        match &answer {
            Ok(response)
                if response.status_code.kind() == StatusCodeKind::Successful
                    && method == Method::Subscribe =>
            {
                self.begun(response);
            }
            // Whatever there was, the PBX does not know it any more.
            _ => self.dialog = None,
        }
        answer
    }

    /// Remembers the dialog that a subscription has begun.
    fn begun(&mut self, response: &Response) {
        let to = response.to_header().ok().and_then(|to| to.typed().ok());
        let contact = response.contact_header().ok().and_then(|contact| contact.typed().ok());
        let (None, Some(to), Some(contact)) = (&self.dialog, to, contact) else { return };
        // The last proxy on the way here is the first on the way back.
        let routes = response.typed_record_route_headers().unwrap_or_default();
        let routes = routes.into_iter().rev().map(|route| {
            let typed::RecordRoute { display_name, uri, params } = route;
            Header::Route(typed::Route { display_name, uri, params }.into())
        });
        let routes = routes.collect();
        self.dialog = Some(SubscriptionDialog { to, target: contact.uri, routes });
    }

    async fn exchange(
        &mut self,
        method: Method,
        target: Uri,
        destination: SipAddr,
        headers: Vec<Header>,
    ) -> Result<Response, QueryError> {
        let endpoint = &self.site.sip.dialogs.endpoint;
        let own = SipAddr { r#type: destination.r#type, addr: self.site.sip.address.into() };
        let via = endpoint.get_via(Some(own), None)?;
        let about =
            || typed::To { display_name: None, uri: self.about.clone(), params: Vec::new() };
        let to = self.dialog.as_ref().map_or_else(about, |dialog| dialog.to.clone());
        let routes: Vec<Header> =
            self.dialog.iter().flat_map(|dialog| dialog.routes.clone()).collect();
        self.number += 1;
        let id = Some(self.call_id.clone());
        let mut request =
            endpoint.make_request(method, target, via, self.from.clone(), to, self.number, id);
        let contact =
            typed::Contact { display_name: None, uri: self.contact.clone(), params: Vec::new() };
        request.headers.push(Header::Contact(contact.into()));
        headers.into_iter().chain(routes).for_each(|header| request.headers.push(header));
        let key = TransactionKey::from_request(&request, TransactionRole::Client)?;
        let mut transaction = Transaction::new_client(key, request, endpoint.clone(), None);
        transaction.destination = Some(destination);
        transaction.send().await?;
        let mut retry = AuthRetry::new();
        while let Some(message) = transaction.receive().await {
            let SipMessage::Response(response) = message else { continue };
            let challenges = [StatusCode::Unauthorized, StatusCode::ProxyAuthenticationRequired];
            match &self.credential {
                _ if response.status_code.kind() == StatusCodeKind::Provisional => {}
                Some(credential)
                    if challenges.contains(&response.status_code)
                        && retry.should_answer(&response) =>
                {
                    self.number += 1;
                    let answered =
                        handle_client_authenticate(self.number, &transaction, response, credential);
                    transaction = answered.await?;
                    transaction.send().await?;
                }
                _ => return Ok(response),
            }
        }
        Err(QueryError::Unanswered)
    }
}
