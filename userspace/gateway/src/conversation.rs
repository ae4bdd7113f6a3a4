//! An answered call, whichever side began it.

use std::future::pending;
use std::pin::Pin;
use std::time::Duration;

use ringback_host::{Call, Events, LineEvent, PhoneEvent};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::PHONEBUTTONSTATE_DOWN;
use tokio::time::{Instant, sleep_until};
use tracing::warn;

use crate::call_record::{CallEnd, EndedBy};
use crate::cause::Cause;
use crate::digit_queue::DigitQueue;
use crate::leg::{Leg, LegEvent};
use crate::media::Media;
use crate::served_line::ServedLine;

/// A PBX that has sent nothing for so long is asked whether it still knows the call.
const SILENCE: Duration = Duration::from_secs(10);

/// The button of a telephone's hook flash.
const FLASH_BUTTON: u32 = 12;

/// Whether the PBX still knows the call.
type Alive = Pin<Box<dyn Future<Output = bool> + Send>>;

/// Lets both sides talk until one of them hangs up. The call on the line is not closed.
pub(crate) async fn converse(
    served: &mut ServedLine,
    call: &Call,
    leg: &mut Leg,
    media: &mut Media,
) -> CallEnd {
    if let Err(error) = call.monitor_digits(true) {
        warn!("line {}: digits are not heard: {error}", served.number);
    }
    let stop = served.site.stop.clone();
    let mut digits = DigitQueue::new(call.clone(), served.is_telephone());
    let (mut received, mut look) = (media.received(), Instant::now() + SILENCE);
    let mut alive: Option<Alive> = None;
    let mut buttons = served.telephone.as_ref().map(|telephone| telephone.events());
    loop {
        let is_alive = async {
            match &mut alive {
                Some(alive) => alive.await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = digits.flashed() => {}
            () = flashed(&mut buttons) => if !media.flash() {
                leg.flash();
            },
            event = served.next(call) => match event {
                Some(LineEvent::State {
                    state: CallState::Disconnected | CallState::Idle, ..
                }) => {
                    leg.hang_up(Cause::NORMAL).await;
                    return CallEnd::answered(Cause::NORMAL, EndedBy::Line);
                }
                Some(LineEvent::Digit { digit, end, pulse, .. }) => {
                    media.digit(digit, end);
                    if pulse {
                        // No end of it is reported.
                        media.digit(digit, true);
                    }
                }
                Some(LineEvent::Generated { end_to_end, .. }) => digits.sent(end_to_end),
                None | Some(LineEvent::Closed { .. }) => {
                    leg.hang_up(Cause::OUT_OF_ORDER).await;
                    return CallEnd::answered(Cause::OUT_OF_ORDER, EndedBy::Line);
                }
                Some(_) => {}
            },
            event = leg.next() => match event {
                LegEvent::Changed(session) => media.set_session(session),
                LegEvent::Digit(digit) => digits.add(digit),
                LegEvent::Answered(_) | LegEvent::Progress(_) => {}
                LegEvent::Over(_) => return CallEnd::answered(Cause::NORMAL, EndedBy::Pbx),
            },
            Some(digit) = media.next_digit() => digits.add(digit),
            () = sleep_until(look) => {
                look = Instant::now() + SILENCE;
                let before = std::mem::replace(&mut received, media.received());
                if before == received && alive.is_none() {
                    alive = Some(Box::pin(leg.is_alive()));
                }
            }
            known = is_alive => {
                alive = None;
                if !known {
                    leg.hang_up(Cause::RECOVERY).await;
                    return CallEnd::answered(Cause::RECOVERY, EndedBy::Gateway);
                }
            }
            () = stop.cancelled() => {
                leg.hang_up(Cause::TEMPORARY).await;
                return CallEnd::answered(Cause::TEMPORARY, EndedBy::Gateway);
            }
        }
    }
}

/// Returns when the telephone has flashed. Cancel-safe; without a telephone it waits for ever.
async fn flashed(buttons: &mut Option<Events<PhoneEvent>>) {
    while let Some(events) = buttons {
        match events.next().await {
            Some(PhoneEvent::Button { id: FLASH_BUTTON, state: PHONEBUTTONSTATE_DOWN, .. }) => {
                return;
            }
            Some(_) => {}
            // The line says that it is gone.
            None => break,
        }
    }
    pending().await
}
