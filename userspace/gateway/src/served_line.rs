//! A line as its task has it, and what all lines share.

use std::sync::{Arc, PoisonError, RwLock};

use ringback_host::{Call, Events, Line, LineEvent, Phone};
use ringback_tspi::callstate::CallState;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::call_record::CallRecords;
use crate::cards::LineSettings;
use crate::config::LineConfig;
use crate::endpoint::SipEndpoint;

/// What all lines share.
pub(crate) struct Site {
    pub(crate) sip: SipEndpoint,
    /// The first and the last UDP port for RTP; `None` for any.
    pub(crate) rtp_ports: RwLock<Option<(u16, u16)>>,
    pub(crate) records: CallRecords,
    /// No new call begins; lines are closed when their calls are over.
    pub(crate) drain: CancellationToken,
    /// Calls are hung up.
    pub(crate) stop: CancellationToken,
}

impl Site {
    pub(crate) fn rtp_ports(&self) -> Option<(u16, u16)> {
        *self.rtp_ports.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ports for the calls from now on.
    pub(crate) fn set_rtp_ports(&self, ports: Option<(u16, u16)>) {
        *self.rtp_ports.write().unwrap_or_else(PoisonError::into_inner) = ports;
    }
}

/// An open line.
pub(crate) struct ServedLine {
    /// Its number in the configuration.
    pub(crate) number: u32,
    pub(crate) config: LineConfig,
    pub(crate) line: Line,
    pub(crate) events: Events,
    /// A call that has begun while the line had another one.
    pub(crate) offered: Option<Call>,
    /// Its telephone; `None` for a line of an exchange.
    pub(crate) telephone: Option<Arc<Phone>>,
    /// What it is set to.
    pub(crate) settings: LineSettings,
    pub(crate) site: Arc<Site>,
}

impl ServedLine {
    /// It is a telephone's; otherwise it is a line of an exchange.
    pub(crate) fn is_telephone(&self) -> bool {
        self.telephone.is_some()
    }

    /// The next event of this call, or of the line as a whole; `None` when the line is closed. A
    /// call that begins meanwhile is kept for later. Cancel-safe.
    pub(crate) async fn next(&mut self, call: &Call) -> Option<LineEvent> {
        loop {
            let event = self.events.next().await?;
            match (event.call(), &event) {
                (Some(of), LineEvent::State { state: CallState::Offering, .. }) if of != call => {
                    self.offered = Some(of.clone());
                }
                (Some(of), _) if of != call => {}
                _ => return Some(event),
            }
        }
    }
}

/// Hangs a call up and closes it, in whatever state it is.
pub(crate) async fn hang_up(call: &Call) {
    if let Err(error) = call.close_async().await {
        warn!("a call on a line was not closed in order: {error}");
    }
}
