//! One line: takes calls from both sides, one at a time.

use std::time::Duration;

use ringback_host::{Call, LineEvent};
use ringback_tspi::callstate::CallState;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::sleep;
use tracing::{info, warn};

use crate::cause::Refusal;
use crate::occupancy::Occupancy;
use crate::outgoing::{self, Invitation};
use crate::served_line::ServedLine;
use crate::{incoming, trunk::Trunk};

/// How often it is looked whether a line that was seized is free again.
const LOOK: Duration = Duration::from_millis(20);

/// A line, as the dispatcher knows it.
#[derive(Clone)]
pub(crate) struct LineEntry {
    pub(crate) trunk: Trunk,
    /// The number of a telephone; `None` for a line of an exchange.
    pub(crate) telephone: Option<String>,
    pub(crate) occupancy: Occupancy,
    /// Where calls go for which the line was seized.
    invitations: Sender<Invitation>,
}

impl LineEntry {
    /// Gives the line a call, for which it was seized.
    pub(crate) fn invite(&self, invitation: Invitation) {
        // There is room: who has seized the line is the only one who sends.
        if let Err(error) = self.invitations.try_send(invitation) {
            error.into_inner().leg.refuse(Refusal::OUT_OF_ORDER);
        }
    }
}

/// The task of a line.
pub(crate) struct LineTask {
    served: ServedLine,
    occupancy: Occupancy,
    invitations: Receiver<Invitation>,
}

impl LineTask {
    pub(crate) fn new(served: ServedLine) -> (LineTask, LineEntry) {
        let occupancy = Occupancy::default();
        let (sender, invitations) = channel(1);
        let trunk = served.config.trunk.clone();
        let telephone = served.is_telephone().then(|| served.config.number.clone());
        let entry =
            LineEntry { trunk, telephone, occupancy: occupancy.clone(), invitations: sender };
        (LineTask { served, occupancy, invitations }, entry)
    }

    /// Serves the line until it is gone, or no new call may begin.
    pub(crate) async fn run(mut self) {
        let drain = self.served.site.drain.clone();
        loop {
            if drain.is_cancelled() {
                break;
            }
            if let Some(call) = self.served.offered.take() {
                self.take(call).await;
                continue;
            }
            tokio::select! {
                () = drain.cancelled() => break,
                Some(invitation) = self.invitations.recv() => {
                    outgoing::run(&mut self.served, invitation).await;
                }
                event = self.served.events.next() => match event {
                    Some(LineEvent::State { call, state: CallState::Offering, .. }) => {
                        self.take(call).await;
                    }
                    None | Some(LineEvent::Closed { .. }) => {
                        let number = self.served.number;
                        warn!("line {number} is gone: its card does not work any more");
                        return;
                    }
                    Some(_) => {}
                },
            }
        }
        self.invitations.close();
        while let Ok(Invitation { leg, .. }) = self.invitations.try_recv() {
            leg.refuse(Refusal::STOPPING);
        }
        if let Err(error) = self.served.line.close_async().await {
            warn!("line {} was not closed in order: {error}", self.served.number);
        }
    }

    /// Takes a call of the exchange's, or of the telephone's.
    async fn take(&mut self, call: Call) {
        let number = self.served.number;
        // It may have waited in the queue until the call before was over.
        if call.state() != Some(CallState::Offering) {
            return;
        }
        let what = if self.served.is_telephone() { "its telephone calls" } else { "it rings" };
        info!("line {number}: {what}");
        let seizure = loop {
            if let Some(seizure) = self.occupancy.seize() {
                break seizure;
            }
            // A PBX has seized the line for a call, which can't be made now: glare.
            tokio::select! {
                Some(Invitation { leg, seizure, .. }) = self.invitations.recv() => {
                    leg.refuse(if self.served.is_telephone() {
                        Refusal::BUSY
                    } else {
                        Refusal::IN_USE
                    });
                    break seizure;
                }
                // It has let the line go again, because there was no port for the sound.
                () = sleep(LOOK) => {}
            }
        };
        incoming::run(&mut self.served, call, seizure).await;
    }
}
