//! One line: takes calls from both sides, one at a time.

use ringback_host::{Call, LineEvent};
use ringback_tspi::callstate::CallState;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tracing::{info, warn};

use crate::cause::Refusal;
use crate::occupancy::Occupancy;
use crate::outgoing::{self, Invitation};
use crate::served_line::ServedLine;
use crate::{incoming, trunk::Trunk};

/// A line, as the dispatcher knows it.
#[derive(Clone)]
pub(crate) struct LineEntry {
    pub(crate) trunk: Trunk,
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
        let entry = LineEntry { trunk, occupancy: occupancy.clone(), invitations: sender };
        (LineTask { served, occupancy, invitations }, entry)
    }

    /// Serves the line until it is gone, or the gateway is stopped.
    pub(crate) async fn run(mut self) {
        let stop = self.served.site.stop.clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
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
        if let Err(error) = self.served.line.close_async().await {
            warn!("line {} was not closed in order: {error}", self.served.number);
        }
    }

    /// Takes a call of the exchange's.
    async fn take(&mut self, call: Call) {
        let number = self.served.number;
        // It may have waited in the queue until the call before was over.
        if call.state() != Some(CallState::Offering) {
            return;
        }
        info!("line {number}: it rings");
        let seizure = match self.occupancy.seize() {
            Some(seizure) => seizure,
            // A PBX has seized the line for a call that can't be made while it rings.
            None => match self.invitations.recv().await {
                Some(Invitation { leg, seizure, .. }) => {
                    leg.refuse(Refusal::IN_USE);
                    seizure
                }
                None => return,
            },
        };
        incoming::run(&mut self.served, call, seizure).await;
    }
}
