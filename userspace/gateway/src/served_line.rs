//! A line as its task has it, and what all lines share.

use std::sync::Arc;

use ringback_host::{Call, Events, Line};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::call_record::CallRecords;
use crate::config::LineConfig;
use crate::endpoint::SipEndpoint;

/// What all lines share.
pub(crate) struct Site {
    pub(crate) sip: SipEndpoint,
    /// The first and the last UDP port for RTP; `None` for any.
    pub(crate) rtp_ports: Option<(u16, u16)>,
    pub(crate) records: CallRecords,
    /// The gateway is being stopped: calls are hung up, and no new one begins.
    pub(crate) stop: CancellationToken,
}

/// An open line.
pub(crate) struct ServedLine {
    /// Its number in the configuration.
    pub(crate) number: u32,
    pub(crate) config: LineConfig,
    pub(crate) line: Line,
    pub(crate) events: Events,
    /// Whether exchanges of its country tell who calls.
    pub(crate) tells_callers: bool,
    pub(crate) site: Arc<Site>,
}

/// Hangs a call up and closes it, in whatever state it is.
pub(crate) async fn hang_up(call: &Call) {
    if let Err(error) = call.close_async().await {
        warn!("a call on a line was not closed in order: {error}");
    }
}
