//! A call from SIP to a line: makes it on the line, and tells the PBX how far it is.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ringback_host::{Call, CallOptions, LineEvent};
use ringback_tspi::callstate::CallState;
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

use crate::call_record::{CallEnd, CallRecord, Direction, EndedBy};
use crate::caller::CallerIdentity;
use crate::cause::{Cause, Refusal};
use crate::conversation::converse;
use crate::leg::{Leg, LegEvent};
use crate::media::Media;
use crate::occupancy::Seizure;
use crate::sdp::Session;
use crate::served_line::{ServedLine, hang_up};

/// How long a call may take until it is answered. A line gives up after three minutes by itself.
const UNANSWERED: Duration = Duration::from_secs(240);

/// A call that a PBX asks for.
pub(crate) struct Invitation {
    pub(crate) leg: Leg,
    /// What is dialled.
    pub(crate) number: String,
    /// How a telephone rings.
    pub(crate) ring_mode: u32,
    /// Who calls, for a telephone to show.
    pub(crate) caller: CallerIdentity,
    pub(crate) offer: Session,
    /// The address of the PBX.
    pub(crate) pbx: IpAddr,
    /// The socket for RTP.
    pub(crate) socket: UdpSocket,
    /// The line, which is kept for this call.
    pub(crate) seizure: Seizure,
}

/// Has the call, until it is over and the line is hung up.
pub(crate) async fn run(served: &mut ServedLine, invitation: Invitation) {
    let Invitation { mut leg, number, ring_mode, caller, offer, pbx, socket, seizure } = invitation;
    let from = caller.number.clone();
    let mut record = CallRecord::begin(served.number, Direction::Out, from, &number, leg.call_id());
    let mut sound = Sound { offer, pbx, socket: Arc::new(socket), media: None };
    if let Err(error) = served.settings.set_ring_mode(ring_mode) {
        warn!("line {}: its telephone rings as before: {error}", served.number);
    }
    let end = match make(served, &mut leg, &number, &caller).await {
        Ok(call) => {
            let end = follow(served, &mut leg, &call, &mut sound, &mut record).await;
            hang_up(&call).await;
            end
        }
        Err(end) => end,
    };
    let report = match sound.media {
        Some(media) => Some(media.stop().await),
        None => None,
    };
    info!("line {}: a call out has ended, {end}", served.number);
    served.site.records.write(record.end(end, report));
    drop(seizure);
}

/// The sound of the call, which begins before the answer.
struct Sound {
    offer: Session,
    pbx: IpAddr,
    socket: Arc<UdpSocket>,
    media: Option<Media>,
}

impl Sound {
    /// Starts it, if it does not run yet.
    fn start(&mut self, served: &ServedLine) -> Result<&mut Media, Refusal> {
        let media = match self.media.take() {
            Some(media) => media,
            None => {
                let audio = served.line.audio().map_err(|_| Refusal::FAILED)?;
                let socket = Arc::clone(&self.socket);
                let started = Media::start(audio, socket, self.pbx, self.offer.clone());
                started.map_err(|error| {
                    warn!("line {}: there is no sound: {error}", served.number);
                    Refusal::NO_RESOURCE
                })?
            }
        };
        Ok(self.media.insert(media))
    }
}

/// Refuses the caller.
fn refused(leg: &Leg, refusal: Refusal, by: EndedBy) -> CallEnd {
    leg.refuse(refusal);
    CallEnd::refused(refusal, by)
}

/// The caller has given up (487).
const CANCELLED: CallEnd = CallEnd { status: 487, cause: Cause::NORMAL, by: EndedBy::Pbx };

/// Makes the call, until it proceeds (N10).
async fn make(
    served: &mut ServedLine,
    leg: &mut Leg,
    number: &str,
    caller: &CallerIdentity,
) -> Result<Call, CallEnd> {
    let telephone = served.is_telephone();
    let options = match telephone {
        true => CallOptions {
            calling_party: caller.for_telephone(),
            withheld: caller.withheld,
            ..CallOptions::default()
        },
        // Not without dial tone.
        false => CallOptions { only_if_idle: true, ..CallOptions::default() },
    };
    let refusal = |error| Refusal::of_error(error, telephone);
    let mut pending = match served.line.make_call(number, &options) {
        Ok(pending) => pending,
        Err(error) => return Err(refused(leg, refusal(error), EndedBy::Line)),
    };
    let call = pending.call();
    let end = loop {
        tokio::select! {
            made = &mut pending => match made {
                Ok(_) => return Ok(call),
                Err(error) => {
                    let refusal = match error {
                        ringback_host::WaitError::Failed(error) => refusal(error),
                        _ => Refusal::FAILED,
                    };
                    return Err(refused(leg, refusal, EndedBy::Line));
                }
            },
            event = leg.next() => if let LegEvent::Over(_) = event {
                break CANCELLED;
            },
            () = served.site.stop.cancelled() => {
                break refused(leg, Refusal::STOPPING, EndedBy::Gateway);
            }
        }
    };
    // Closing it fails the request (N6).
    hang_up(&call).await;
    Err(end)
}

/// Follows the call until it is over.
async fn follow(
    served: &mut ServedLine,
    leg: &mut Leg,
    call: &Call,
    sound: &mut Sound,
    record: &mut CallRecord,
) -> CallEnd {
    let (stop, until) = (served.site.stop.clone(), Instant::now() + UNANSWERED);
    loop {
        tokio::select! {
            event = served.next(call) => {
                let (state, mode) = match event {
                    Some(LineEvent::State { state, mode, .. }) => (state, mode),
                    None | Some(LineEvent::Closed { .. }) => {
                        return refused(leg, Refusal::OUT_OF_ORDER, EndedBy::Line);
                    }
                    Some(_) => continue,
                };
                let refusal = match state {
                    CallState::Proceeding => match sound.start(served) {
                        Ok(_) => {
                            leg.progress(&sound.offer);
                            continue;
                        }
                        Err(refusal) => return refused(leg, refusal, EndedBy::Gateway),
                    },
                    CallState::Ringback => {
                        leg.ring();
                        continue;
                    }
                    CallState::Connected => {
                        let offer = sound.offer.clone();
                        return match sound.start(served) {
                            Ok(media) => {
                                leg.accept(&offer);
                                record.answered();
                                converse(served, call, leg, media).await
                            }
                            Err(refusal) => refused(leg, refusal, EndedBy::Gateway),
                        };
                    }
                    CallState::Busy => Refusal::BUSY,
                    CallState::SpecialInfo => Refusal::of_special_information(mode),
                    CallState::Disconnected => Refusal::of_disconnect(mode),
                    CallState::Idle => Refusal::NO_ANSWER,
                    _ => continue,
                };
                return refused(leg, refusal, EndedBy::Line);
            }
            event = leg.next() => match event {
                LegEvent::Over(_) => return CANCELLED,
                LegEvent::Changed(session) => {
                    sound.offer = session.clone();
                    if let Some(media) = &sound.media {
                        media.set_session(session);
                    }
                }
                // Digits wait for the answer, however they come.
                LegEvent::Digit(digit) => {
                    if let Some(media) = &sound.media {
                        media.press(digit);
                    }
                }
                LegEvent::Answered(_) | LegEvent::Progress(_) => {}
            },
            () = sleep_until(until) => return refused(leg, Refusal::NO_ANSWER, EndedBy::Gateway),
            () = stop.cancelled() => {
                return refused(leg, Refusal::STOPPING, EndedBy::Gateway);
            }
        }
    }
}
