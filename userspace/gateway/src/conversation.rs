//! An answered call, whichever side began it.

use std::collections::VecDeque;
use std::future::pending;
use std::pin::Pin;
use std::time::Duration;

use ringback_host::{Call, LineEvent};
use ringback_tspi::callstate::CallState;
use tokio::time::{Instant, sleep_until};
use tracing::warn;

use crate::call_record::{CallEnd, EndedBy};
use crate::cause::Cause;
use crate::leg::{Leg, LegEvent};
use crate::media::Media;
use crate::served_line::ServedLine;

/// A PBX that has sent nothing for so long is asked whether it still knows the call.
const SILENCE: Duration = Duration::from_secs(30);
/// The most digits that wait to be sent on the line; further ones are dropped.
const MOST_DIGITS: usize = 64;

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
    let mut digits = DigitQueue::new(call.clone());
    let (mut received, mut look) = (media.received(), Instant::now() + SILENCE);
    let mut alive: Option<Alive> = None;
    loop {
        let is_alive = async {
            match &mut alive {
                Some(alive) => alive.await,
                None => pending().await,
            }
        };
        tokio::select! {
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

/// Digits of the PBX on their way to the line, one after the other: a line cancels the digits that
/// it is sending when others are to be sent (D17).
struct DigitQueue {
    call: Call,
    waiting: VecDeque<char>,
    /// The id of the digit that is being sent.
    sending: Option<u32>,
}

impl DigitQueue {
    fn new(call: Call) -> DigitQueue {
        DigitQueue { call, waiting: VecDeque::new(), sending: None }
    }

    fn add(&mut self, digit: char) {
        if self.waiting.len() < MOST_DIGITS {
            self.waiting.push_back(digit);
        }
        self.send();
    }

    fn sent(&mut self, end_to_end: u32) {
        if self.sending == Some(end_to_end) {
            self.sending = None;
            self.send();
        }
    }

    fn send(&mut self) {
        while self.sending.is_none()
            && let Some(digit) = self.waiting.pop_front()
        {
            match self.call.generate_digits(&digit.to_string(), 0) {
                Ok(id) => self.sending = Some(id),
                Err(error) => warn!("a digit can't be sent on a line: {error}"),
            }
        }
    }
}
