//! The SIP side of a call: what its dialog does, as far as a call is concerned.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rsipstack::dialog::dialog::{DialogState, DialogStateReceiver, TransactionHandle};
use rsipstack::dialog::dialog_layer::DialogLayer;
use rsipstack::dialog::invitation::{InviteAsyncResult, InviteOption};
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::sip::{Header, Method, Request, Response, StatusCode, StatusCodeKind};
use tokio::task::JoinHandle;
use tracing::warn;

use crate::cause::{Cause, Refusal};
use crate::info::{self, InfoError};
use crate::sdp::{self, SdpError, Session};

/// How long the other side has to answer a BYE or an OPTIONS.
const ANSWERED: Duration = Duration::from_secs(10);

/// The user of our URI in dialogs: calls are told apart by their dialogs.
pub(crate) const CONTACT: &str = "ringback";

/// What the other side does.
#[derive(Debug)]
pub(crate) enum LegEvent {
    /// It has sound before its answer (183).
    Progress(Session),
    /// It has answered our INVITE with this session.
    Answered(Result<Session, SdpError>),
    /// It has changed the session.
    Changed(Session),
    /// It has sent a digit by INFO, or a hook flash, `!`.
    Digit(char),
    /// The call is over. If it has refused our INVITE, with this status.
    Over(Option<u16>),
}

/// The dialog of a call, with what it has reported and nobody has looked at.
pub(crate) struct Leg {
    dialogs: Arc<DialogLayer>,
    dialog: InviteDialog,
    states: DialogStateReceiver,
    /// Our INVITE, until it has its final response.
    inviting: Option<JoinHandle<InviteAsyncResult>>,
    /// Where we receive RTP.
    local: SocketAddr,
    /// The version of our description.
    version: u64,
}

impl Leg {
    /// A call of the other side's.
    pub(crate) fn called(
        dialogs: Arc<DialogLayer>,
        dialog: InviteDialog,
        states: DialogStateReceiver,
        local: SocketAddr,
    ) -> Leg {
        Leg { dialogs, dialog, states, inviting: None, local, version: 1 }
    }

    /// Calls the other side, with our offer.
    ///
    /// # Errors
    /// Why the stack can't make the INVITE.
    pub(crate) fn call(
        dialogs: Arc<DialogLayer>,
        local: SocketAddr,
        options: InviteOption,
    ) -> Result<Leg, String> {
        let (sender, states) = dialogs.new_dialog_state_channel();
        let offer = Some(sdp::offer(local, 1));
        let invited = dialogs.do_invite_async(InviteOption { offer, ..options }, sender);
        let (dialog, inviting) = invited.map_err(|error| error.to_string())?;
        Ok(Leg { dialogs, dialog, states, inviting: Some(inviting), local, version: 1 })
    }

    /// The dialog's Call-ID.
    pub(crate) fn call_id(&self) -> String {
        self.dialog.id().call_id
    }

    /// What happens next. Cancel-safe, but for the answer to a request, which is sent at once.
    pub(crate) async fn next(&mut self) -> LegEvent {
        loop {
            let invited = async {
                match &mut self.inviting {
                    Some(inviting) => inviting.await,
                    None => pending().await,
                }
            };
            let state = tokio::select! {
                biased;
                state = self.states.recv() => state,
                outcome = invited => {
                    self.inviting = None;
                    return self.invited(outcome.ok().and_then(Result::ok));
                }
            };
            match state {
                // The final response of our INVITE says the same, and more.
                Some(DialogState::Terminated(..)) if self.inviting.is_some() => {}
                None | Some(DialogState::Terminated(..)) => return LegEvent::Over(None),
                // Our own ones to an INVITE of the other side's come so, too.
                Some(DialogState::Early(_, response)) if self.inviting.is_some() => {
                    if let Ok(session) = self.read(&response.body) {
                        return LegEvent::Progress(session);
                    }
                }
                Some(DialogState::Updated(_, request, handle)) => {
                    if let Some(session) = self.changed(&request, &handle) {
                        return LegEvent::Changed(session);
                    }
                }
                Some(DialogState::Options(_, _, handle)) => reply(&handle, StatusCode::OK, None),
                Some(DialogState::Info(_, request, handle)) => match info::signal(&request) {
                    Ok(digit) => {
                        reply(&handle, StatusCode::OK, None);
                        return LegEvent::Digit(digit);
                    }
                    Err(InfoError::Signal) => reply(&handle, StatusCode::BadRequest, None),
                    Err(InfoError::Type) => {
                        let accept = vec![Header::Accept(info::TYPES.into())];
                        reply_with(&handle, StatusCode::UnsupportedMediaType, accept, None);
                    }
                },
                Some(
                    DialogState::Message(_, _, handle)
                    | DialogState::Notify(_, _, handle)
                    | DialogState::Refer(_, _, handle),
                ) => reply(&handle, StatusCode::NotImplemented, None),
                Some(_) => {}
            }
        }
    }

    /// Reads the description of a session to which we can send.
    fn read(&self, body: &[u8]) -> Result<Session, SdpError> {
        let session = Session::read(body)?;
        let reachable = session.is_reachable_from(self.local.ip());
        if reachable { Ok(session) } else { Err(SdpError::OtherFamily) }
    }

    /// Our INVITE has its final response, or none has come.
    fn invited(&self, outcome: Option<(impl Sized, Option<Response>)>) -> LegEvent {
        let Some((_, Some(response))) = outcome else { return LegEvent::Over(None) };
        // It may have been hung up already.
        let over = matches!(self.dialog.state(), DialogState::Terminated(..));
        match response.status_code.kind() {
            StatusCodeKind::Successful if over => LegEvent::Over(None),
            StatusCodeKind::Successful => LegEvent::Answered(self.read(&response.body)),
            _ => LegEvent::Over(Some(response.status_code.code())),
        }
    }

    /// Answers a re-INVITE or an UPDATE.
    fn changed(&mut self, request: &Request, handle: &TransactionHandle) -> Option<Session> {
        if request.body.is_empty() {
            // An UPDATE only says that the other side is there. A re-INVITE wants our offer, whose
            // answer would be in its ACK.
            let status = match request.method {
                Method::Update => StatusCode::OK,
                _ => StatusCode::NotAcceptableHere,
            };
            reply(handle, status, None);
            return None;
        }
        match self.read(&request.body) {
            Ok(session) => {
                self.version += 1;
                let answer = session.answer(self.local, self.version);
                reply(handle, StatusCode::OK, Some(answer));
                Some(session)
            }
            Err(error) => {
                warn!("a change of a session is refused: {error}");
                reply(handle, StatusCode::NotAcceptableHere, None);
                None
            }
        }
    }

    /// Tells the caller that there is sound before the answer (183).
    pub(crate) fn progress(&self, offer: &Session) {
        let answer = offer.answer(self.local, self.version);
        self.told(self.dialog.ringing(Some(description()), Some(answer)));
    }

    /// Tells the caller that it rings (180).
    pub(crate) fn ring(&self) {
        self.told(self.dialog.ringing(None, None));
    }

    /// Answers the caller, with the same description as [`progress`](Leg::progress).
    pub(crate) fn accept(&self, offer: &Session) {
        let answer = offer.answer(self.local, self.version);
        self.told(self.dialog.accept(Some(description()), Some(answer)));
    }

    /// Refuses the caller.
    pub(crate) fn refuse(&self, refusal: Refusal) {
        self.told(self.dialog.reject(Some(refusal.status()), Some(refusal.cause.reason())));
    }

    fn told(&self, result: rsipstack::Result<()>) {
        if let Err(error) = result {
            warn!("a response can't be sent: {error}");
        }
    }

    /// Ends the call: by CANCEL before our INVITE is answered, otherwise by BYE.
    pub(crate) async fn hang_up(&self, cause: Cause) {
        let headers = Some(vec![Header::Reason(cause.reason().into())]);
        let ended = tokio::time::timeout(ANSWERED, self.dialog.hangup_with_headers(headers)).await;
        if let Ok(Err(error)) = ended {
            warn!("a call was not hung up in order: {error}");
        }
    }

    /// Sends a hook flash by INFO. Whether the other side takes it is its own affair.
    pub(crate) fn flash(&self) {
        let dialog = self.dialog.clone();
        tokio::spawn(async move {
            let headers = vec![Header::ContentType(info::HOOK_FLASH.into())];
            let sent = tokio::time::timeout(ANSWERED, dialog.info(Some(headers), None)).await;
            if let Ok(Ok(Some(answer))) = sent
                && answer.status_code != StatusCode::OK
            {
                warn!("the PBX takes no hook flash: {}", answer.status_code);
            }
        });
    }

    /// Whether the other side still knows the call.
    pub(crate) fn is_alive(&self) -> impl Future<Output = bool> + use<> {
        let dialog = self.dialog.clone();
        async move {
            let asked = dialog.request(Method::Options, None, None);
            let answer: Option<Response> = match tokio::time::timeout(ANSWERED, asked).await {
                Ok(Ok(answer)) => answer,
                _ => None,
            };
            let lost = [StatusCode::CallTransactionDoesNotExist, StatusCode::RequestTimeout];
            answer.is_some_and(|answer| !lost.contains(&answer.status_code))
        }
    }
}

impl Drop for Leg {
    fn drop(&mut self) {
        // The task of an INVITE without a final response forgets its dialog itself.
        if self.inviting.is_none() {
            self.dialogs.remove_dialog(&self.dialog.id());
        }
    }
}

fn description() -> Vec<Header> {
    vec![Header::ContentType("application/sdp".into())]
}

/// Answers a request within a dialog; a body is a description of a session.
fn reply(handle: &TransactionHandle, status: StatusCode, body: Option<Vec<u8>>) {
    let headers = body.as_ref().map(|_| description()).unwrap_or_default();
    reply_with(handle, status, headers, body);
}

/// The same, with these headers. The stack sends it.
fn reply_with(
    handle: &TransactionHandle,
    status: StatusCode,
    headers: Vec<Header>,
    body: Option<Vec<u8>>,
) {
    let handle = handle.clone();
    tokio::spawn(async move {
        // The request may be over.
        let _ = handle.respond(status, Some(headers), body).await;
    });
}
