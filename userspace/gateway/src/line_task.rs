//! One line: takes calls from both sides, one at a time.

use std::sync::Arc;
use std::time::Duration;

use ringback_host::{Call, LineEvent, Phone};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::{PHONELAMPMODE_OFF, PHONELAMPMODE_STEADY};
use tokio::sync::Notify;
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

/// The lamp of a telephone that says that messages wait; it is its only one.
const MESSAGE_LAMP: u32 = 0;

/// A line, as the dispatcher knows it.
#[derive(Clone)]
pub(crate) struct LineEntry {
    pub(crate) trunk: Trunk,
    /// Its telephone; `None` for a line of an exchange.
    pub(crate) telephone: Option<TelephoneEntry>,
    pub(crate) occupancy: Occupancy,
    /// Where calls go for which the line was seized.
    invitations: Sender<Invitation>,
}

/// A telephone, as the dispatcher knows it.
#[derive(Clone)]
pub(crate) struct TelephoneEntry {
    pub(crate) number: String,
    phone: Arc<Phone>,
    /// Our tag in its subscription to waiting messages.
    pub(crate) subscription: Option<String>,
    /// The subscription is told here that the PBX has ended it.
    pub(crate) over: Arc<Notify>,
}

impl TelephoneEntry {
    /// Has its lamp say whether messages wait; a telephone with a display is told so, and its dial
    /// tone stutters.
    pub(crate) fn set_messages(&self, wait: bool) {
        let mode = if wait { PHONELAMPMODE_STEADY } else { PHONELAMPMODE_OFF };
        let pending = self.phone.set_lamp(MESSAGE_LAMP, mode);
        tokio::spawn(async move {
            let set = match pending {
                Ok(pending) => pending.await.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = set {
                warn!("a telephone can't be told of its messages: {error}");
            }
        });
    }
}

/// Another configuration of the line.
pub(crate) struct LineChange {
    pub(crate) config: LineConfig,
    pub(crate) settings: LineSettings,
}

impl LineEntry {
    /// Whether it is that of a telephone with this number.
    pub(crate) fn has_number(&self, number: &str) -> bool {
        self.telephone.as_ref().is_some_and(|telephone| telephone.number == number)
    }

    /// Follows another configuration of the line.
    pub(crate) fn follow(&mut self, config: &LineConfig) {
        self.trunk = config.trunk.clone();
        if let Some(telephone) = &mut self.telephone {
            telephone.number.clone_from(&config.number);
        }
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
        let telephone = served.telephone.as_ref().map(|phone| TelephoneEntry {
            number: served.config.number.clone(),
            phone: Arc::clone(phone),
            subscription: None,
            over: Arc::default(),
        });
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
        self.served.settings = settings;
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
