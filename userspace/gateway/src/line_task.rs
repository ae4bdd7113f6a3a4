//! One line: takes calls from both sides, one at a time.

use std::time::Duration;

use ringback_host::{Call, LineEvent};
use ringback_tspi::callstate::CallState;
use tokio::sync::mpsc::{
    Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel,
};
use tokio::time::sleep;
use tracing::{info, warn};

use crate::cards::LineSettings;
use crate::cause::Refusal;
use crate::config::LineConfig;
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

/// Another configuration of the line.
pub(crate) struct LineChange {
    pub(crate) config: LineConfig,
    pub(crate) settings: LineSettings,
}

impl LineEntry {
    /// Follows another configuration of the line.
    pub(crate) fn follow(&mut self, config: &LineConfig) {
        self.trunk = config.trunk.clone();
        self.telephone = self.telephone.is_some().then(|| config.number.clone());
    }

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
    changes: UnboundedReceiver<LineChange>,
}

impl LineTask {
    /// The task of a line, what the dispatcher has of it, and how it is told of changes.
    pub(crate) fn new(served: ServedLine) -> (LineTask, LineEntry, UnboundedSender<LineChange>) {
        let occupancy = Occupancy::default();
        let (sender, invitations) = channel(1);
        let trunk = served.config.trunk.clone();
        let telephone = served.is_telephone().then(|| served.config.number.clone());
        let entry =
            LineEntry { trunk, telephone, occupancy: occupancy.clone(), invitations: sender };
        let (changed, changes) = unbounded_channel();
        (LineTask { served, occupancy, invitations, changes }, entry, changed)
    }

    /// Serves the line until it is gone, or no new call may begin on it.
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
                change = self.changes.recv() => match change {
                    Some(change) => self.change(change),
                    // It is not in the configuration any more.
                    None => break,
                },
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

    /// Follows another configuration, while the line has no call.
    fn change(&mut self, change: LineChange) {
        let LineChange { config, settings } = change;
        let number = self.served.number;
        match settings.apply() {
            Ok(()) => info!("line {number} has its new configuration"),
            Err(error) => warn!("line {number} can't be set to its new configuration: {error}"),
        }
        self.served.config = config;
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
