//! Starts and ends everything.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ringback_softcard::SoftCard;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::call_record::CallRecords;
use crate::cards::{Cards, OpenLine};
use crate::config::{Config, LineConfig, UserSecret};
use crate::dispatcher::Dispatcher;
use crate::endpoint::SipEndpoint;
use crate::exit::Failure;
use crate::line_task::LineTask;
use crate::peers::Peers;
use crate::query::Query;
use crate::registration::Registration;
use crate::served_line::{ServedLine, Site};

/// How often the names of peers are asked for again.
const RESOLVE: Duration = Duration::from_secs(60);
/// How long calls have to be hung up when the gateway is stopped.
const HUNG_UP: Duration = Duration::from_secs(20);

/// Registers a line at its PBX, if it is to be.
fn register(
    site: &Arc<Site>,
    number: u32,
    config: &LineConfig,
) -> Result<Option<Registration>, Failure> {
    if !config.register {
        return Ok(None);
    }
    let LineConfig { trunk, number: user, credential, .. } = config;
    let what = format!("line {number}");
    let query = Query::new(site, trunk, user, credential.as_ref().map(UserSecret::credential));
    let query = query.map_err(|error| Failure::failed(format_args!("{what}: {error}")))?;
    Ok(Some(Registration::start(query, what)))
}

/// A running gateway. Dropping it makes the cards safe; [`stop`](Gateway::stop) hangs up by SIP,
/// too.
pub struct Gateway {
    site: Arc<Site>,
    lines: JoinSet<()>,
    registrations: Vec<Registration>,
    /// The dispatcher, and what keeps the addresses of the peers.
    others: JoinSet<()>,
    cards: Option<Cards>,
}

impl Gateway {
    /// Opens the cards and the socket, and serves calls from then on. `soft` is the first software
    /// card of the configuration, for a test that has its exchange; without it, that has the usual
    /// subscribers.
    ///
    /// It has to be called in a runtime of tokio with its drivers of time and I/O.
    ///
    /// # Errors
    /// A card, a line, a file or the socket can't be used: the cause and the cure.
    pub async fn start(config: Config, soft: Option<SoftCard>) -> Result<Gateway, Failure> {
        let peers = Peers::new(config.peer_hosts(), config.sip.calls_per_second);
        peers.resolve().await;
        let Config { sip, cards, lines, call_records } = config;
        let records = CallRecords::open(call_records.as_deref())?;
        // Bringing a card up waits for it.
        let cards = spawn_blocking(move || Cards::open(&cards, soft)).await;
        let cards = cards.map_err(Failure::failed)??;
        let (endpoint, requests) = SipEndpoint::open(sip.listen, &peers).await?;
        info!("SIP on {}", endpoint.address);
        let site = Arc::new(Site {
            sip: endpoint,
            rtp_ports: sip.rtp_ports,
            records,
            drain: CancellationToken::new(),
            stop: CancellationToken::new(),
        });
        let (mut tasks, mut entries) = (JoinSet::new(), Vec::new());
        let mut registrations = Vec::new();
        for (number, config) in lines {
            let OpenLine { line, telephone, tells_callers } = cards.line(number, &config)?;
            registrations.extend(register(&site, number, &config)?);
            let events = line.events();
            let site = Arc::clone(&site);
            let served = ServedLine {
                number,
                config,
                line,
                events,
                offered: None,
                telephone,
                tells_callers,
                site,
            };
            let (task, entry) = LineTask::new(served);
            tasks.spawn(task.run());
            entries.push(entry);
        }
        let mut others = JoinSet::new();
        let named = peers.clone();
        others.spawn(async move {
            loop {
                sleep(RESOLVE).await;
                named.resolve().await;
            }
        });
        let dispatcher = Dispatcher::new(Arc::clone(&site), entries, peers, sip);
        others.spawn(dispatcher.run(requests));
        Ok(Gateway { site, lines: tasks, registrations, others, cards: Some(cards) })
    }

    /// The address of its SIP socket.
    pub fn address(&self) -> SocketAddr {
        self.site.sip.address
    }

    /// Returns when no line works any more, because the cards are gone. Cancel-safe.
    pub async fn lines_gone(&mut self) {
        while self.lines.join_next().await.is_some() {}
    }

    /// Takes no new call, and waits until those that there are have ended, but no longer than this.
    /// Lines without a call are closed at once, and the PBX is told that they are not there any
    /// more. After it [`stop`](Gateway::stop) has to be called. Cancel-safe.
    pub async fn drain(&mut self, limit: Duration) {
        self.site.drain.cancel();
        self.unregister().await;
        if timeout(limit, self.lines_gone()).await.is_err() {
            warn!("not all calls have ended in {} s: they are hung up", limit.as_secs());
        }
    }

    async fn unregister(&mut self) {
        let registrations = std::mem::take(&mut self.registrations);
        let ended: JoinSet<()> = registrations.into_iter().map(Registration::stop).collect();
        ended.join_all().await;
    }

    /// Hangs all calls up, on the lines and by SIP, and makes the cards safe.
    pub async fn stop(mut self) {
        self.site.drain.cancel();
        self.site.stop.cancel();
        self.unregister().await;
        if timeout(HUNG_UP, self.lines_gone()).await.is_err() {
            warn!("not all calls were hung up in time");
        }
        if let Some(cards) = self.cards.take()
            && let Err(error) = spawn_blocking(move || drop(cards)).await
        {
            warn!("the cards were not shut down in order: {error}");
        }
        self.others.shutdown().await;
    }
}
