//! A call from a line to SIP: waits until it is known who calls, calls the PBX, and answers the
//! line when the PBX answers.
//!
//! A telephone hears ringback until the PBX has sound for it, be it before the answer, and reorder
//! tone after that. What it has dialled is whom it calls. A line of an exchange can't refuse a
//! call: it rings until its caller gives up. A call that the PBX refuses is left to ring.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ringback_host::{Call, LineEvent};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::LINECALLINFOSTATE_CALLERID;
use rsipstack::dialog::invitation::InviteOption;
use rsipstack::sip::Uri;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{info, warn};

use crate::call_record::{CallEnd, CallRecord, Direction, EndedBy};
use crate::caller::{CallerIdentity, escaped};
use crate::cause::{Cause, Refusal};
use crate::config::UserSecret;
use crate::conversation::converse;
use crate::endpoint::uri_host;
use crate::leg::{CONTACT, Leg, LegEvent};
use crate::media::{self, Media};
use crate::occupancy::Seizure;
use crate::sdp::Session;
use crate::served_line::{ServedLine, hang_up};

/// How long it is waited for who calls: exchanges tell it before the second ring.
const CALLER_KNOWN: Duration = Duration::from_secs(6);
/// How long the PBX may let it ring.
const UNANSWERED: Duration = Duration::from_secs(240);
/// A line is off-hook within a fraction of a second.
const LINE_ANSWERED: Duration = Duration::from_secs(10);

/// The caller has given up before the answer.
const MISSED: CallEnd = CallEnd { status: 487, cause: Cause::NORMAL, by: EndedBy::Line };

/// Has the call, until it is over and the line is hung up, or left to ring.
pub(crate) async fn run(served: &mut ServedLine, call: Call, seizure: Seizure) {
    let mut record = None;
    let (end, report) = match begin(served, &call).await {
        Ok((caller, mut attempt)) => {
            let called = attempt.called.clone();
            let id = attempt.leg.call_id();
            let begun = CallRecord::begin(served.number, Direction::In, caller.number, &called, id);
            let end = attempt.follow(served, &call, record.insert(begun)).await;
            let report = match attempt.media {
                Some(media) => Some(media.stop().await),
                None => None,
            };
            (end, report)
        }
        Err(end) => (end, None),
    };
    hang_up(&call).await;
    info!("line {}: a call in has ended, {end}", served.number);
    let record = record.unwrap_or_else(|| {
        let called = served.config.number.clone();
        CallRecord::begin(served.number, Direction::In, None, &called, String::new())
    });
    served.site.records.write(record.end(end, report));
    drop(seizure);
}

/// Whether this event ends the call on the line.
fn ends(event: Option<&LineEvent>) -> bool {
    matches!(
        event,
        None | Some(
            LineEvent::Closed { .. }
                | LineEvent::State { state: CallState::Disconnected | CallState::Idle, .. }
        )
    )
}

/// Waits until it is known who calls, and calls the PBX.
async fn begin(served: &mut ServedLine, call: &Call) -> Result<(CallerIdentity, Attempt), CallEnd> {
    let (caller, called) = if served.is_telephone() {
        let dialled = call.info().map_err(|_| MISSED)?.called.unwrap_or_default();
        (CallerIdentity::of_telephone(&served.config.number), dialled)
    } else {
        let user = served.config.trunk.user.as_ref();
        let called = user.unwrap_or(&served.config.number).clone();
        (caller(served, call).await?, called)
    };
    let failed = |why: &dyn std::fmt::Display| {
        warn!("line {}: the PBX can't be called: {why}", served.number);
        CallEnd::refused(Refusal::FAILED, EndedBy::Gateway)
    };
    let trunk = &served.config.trunk;
    let sip = &served.site.sip;
    let found = sip.locate(trunk).await.map_err(|error| failed(&error))?;
    let own = sip.address.ip();
    let socket = media::bind(own, served.site.rtp_ports()).await.map_err(|error| failed(&error))?;
    let local = socket.local_addr().map_err(|error| failed(&error))?;
    let host = uri_host(own);
    let (name, from) = caller.from(&host);
    // The log has no numbers, so not the text either.
    let uri = |text: String| Uri::try_from(text).map_err(|_| failed(&"a number makes no SIP URI"));
    let options = InviteOption {
        caller_display_name: name,
        caller: uri(from)?,
        callee: uri(format!("sip:{}@{}:{}", escaped(&called), trunk.uri_host(), trunk.port))?,
        destination: Some(found.destination),
        contact: sip.contact(CONTACT, trunk.transport.into()).map_err(|error| failed(&error))?,
        credential: served.config.credential.as_ref().map(UserSecret::credential),
        headers: Some(caller.headers(&host)),
        ..InviteOption::default()
    };
    let leg = Leg::call(Arc::clone(&sip.dialogs), local, options);
    let leg = leg.map_err(|error| failed(&error))?;
    let socket = Arc::new(socket);
    Ok((caller, Attempt { leg, called, pbx: found.ip, socket, media: None }))
}

/// Who calls, as far as the exchange tells it in time.
async fn caller(served: &mut ServedLine, call: &Call) -> Result<CallerIdentity, CallEnd> {
    let (stop, until) = (served.site.stop.clone(), Instant::now() + CALLER_KNOWN);
    loop {
        let info = call.info().map_err(|_| MISSED)?;
        if !served.settings.tells_callers || CallerIdentity::is_told(&info) {
            return Ok(CallerIdentity::of_line(&info));
        }
        tokio::select! {
            event = served.next(call) => match event {
                event if ends(event.as_ref()) => return Err(MISSED),
                Some(LineEvent::CallInfo { changed, .. })
                    if changed & LINECALLINFOSTATE_CALLERID != 0 =>
                {
                    let info = call.info().map_err(|_| MISSED)?;
                    return Ok(CallerIdentity::of_line(&info));
                }
                _ => {}
            },
            () = sleep_until(until) => return Ok(CallerIdentity::of_line(&info)),
            () = stop.cancelled() => {
                return Err(CallEnd::refused(Refusal::STOPPING, EndedBy::Gateway));
            }
        }
    }
}

/// A call of the PBX's side that is on its way.
struct Attempt {
    leg: Leg,
    called: String,
    pbx: IpAddr,
    socket: Arc<tokio::net::UdpSocket>,
    media: Option<Media>,
}

impl Attempt {
    async fn follow(
        &mut self,
        served: &mut ServedLine,
        call: &Call,
        record: &mut CallRecord,
    ) -> CallEnd {
        let (stop, until) = (served.site.stop.clone(), Instant::now() + UNANSWERED);
        let session = loop {
            tokio::select! {
                event = self.leg.next() => match event {
                    LegEvent::Answered(Ok(session)) => break session,
                    LegEvent::Answered(Err(error)) => {
                        warn!("line {}: the PBX's answer can't be used: {error}", served.number);
                        self.leg.hang_up(Refusal::NOT_ACCEPTABLE.cause).await;
                        return CallEnd::refused(Refusal::NOT_ACCEPTABLE, EndedBy::Gateway);
                    }
                    // A line of an exchange is answered only when the PBX has answered.
                    LegEvent::Progress(session) if served.is_telephone() => {
                        if let Err(end) = self.sound(served, call, session).await {
                            self.leg.hang_up(end.cause).await;
                            return end;
                        }
                    }
                    LegEvent::Digit(digit) => {
                        if let Some(media) = &self.media {
                            media.press(digit);
                        }
                    }
                    LegEvent::Progress(_) | LegEvent::Changed(_) => {}
                    LegEvent::Over(status) => {
                        let end = CallEnd::refused(Refusal::NO_ANSWER, EndedBy::Pbx);
                        return CallEnd { status: status.unwrap_or(408), ..end };
                    }
                },
                event = served.next(call) => if ends(event.as_ref()) {
                    self.leg.hang_up(Cause::NORMAL).await;
                    return MISSED;
                },
                () = sleep_until(until) => {
                    self.leg.hang_up(Refusal::NO_ANSWER.cause).await;
                    return CallEnd::refused(Refusal::NO_ANSWER, EndedBy::Gateway);
                }
                () = stop.cancelled() => {
                    self.leg.hang_up(Cause::TEMPORARY).await;
                    return CallEnd::refused(Refusal::STOPPING, EndedBy::Gateway);
                }
            }
        };
        match self.sound(served, call, session).await {
            Ok(()) => {
                record.answered();
                let Some(media) = &mut self.media else {
                    return CallEnd::refused(Refusal::FAILED, EndedBy::Gateway);
                };
                converse(served, call, &mut self.leg, media).await
            }
            Err(end) => {
                self.leg.hang_up(end.cause).await;
                end
            }
        }
    }

    /// Answers the line, and starts the sound; or changes it, if the line is answered already.
    async fn sound(
        &mut self,
        served: &ServedLine,
        call: &Call,
        session: Session,
    ) -> Result<(), CallEnd> {
        if let Some(media) = &self.media {
            media.set_session(session);
            return Ok(());
        }
        // The caller may have given up at this moment.
        let answer = call.answer().map_err(|_| MISSED)?;
        let answered = timeout(LINE_ANSWERED, answer).await;
        answered.ok().and_then(Result::ok).ok_or(MISSED)?;
        let failed = |_| CallEnd::refused(Refusal::NO_RESOURCE, EndedBy::Gateway);
        let audio = served.line.audio().map_err(|_| MISSED)?;
        let socket = Arc::clone(&self.socket);
        self.media = Some(Media::start(audio, socket, self.pbx, session).map_err(failed)?);
        Ok(())
    }
}
