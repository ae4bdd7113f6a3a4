//! Starts and ends everything.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use ringback_softcard::SoftCard;
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::call_record::CallRecords;
use crate::cards::Cards;
use crate::config::{CardConfig, Config};
use crate::dispatcher::{Dispatcher, Routing};
use crate::endpoint::SipEndpoint;
use crate::exit::{Exit, Failure};
use crate::line_set::LineSet;
use crate::peers::Peers;
use crate::served_line::Site;

/// How often the names of peers are asked for again.
const RESOLVE: Duration = Duration::from_secs(60);
/// How long calls have to be hung up when the gateway is stopped.
const HUNG_UP: Duration = Duration::from_secs(20);

/// A running gateway. Dropping it makes the cards safe; [`stop`](Gateway::stop) hangs up by SIP,
/// too.
pub struct Gateway {
    site: Arc<Site>,
    lines: LineSet,
    peers: Peers,
    /// What the dispatcher goes by.
    routing: watch::Sender<Arc<Routing>>,
    /// What can't be changed while it runs: where it listens, and its cards.
    fixed: (SocketAddr, Vec<CardConfig>),
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
        let Config { sip, cards, lines, call_records, numbers } = config;
        let records = CallRecords::open(call_records.as_deref(), numbers)?;
        // Bringing a card up waits for it.
        let card_configs = cards.clone();
        let cards = spawn_blocking(move || Cards::open(&cards, soft)).await;
        let cards = cards.map_err(Failure::failed)??;
        let (endpoint, requests) = SipEndpoint::open(sip.listen, &peers).await?;
        info!("SIP on {}", endpoint.address);
        let site = Arc::new(Site {
            sip: endpoint,
            rtp_ports: RwLock::new(sip.rtp_ports),
            records,
            drain: CancellationToken::new(),
            stop: CancellationToken::new(),
        });
        let mut running = LineSet::default();
        for (number, config) in lines {
            let settings = cards.settings(number, &config)?;
            running.add(&cards, &site, number, config, settings)?;
        }
        let mut others = JoinSet::new();
        let named = peers.clone();
        others.spawn(async move {
            loop {
                sleep(RESOLVE).await;
                named.resolve().await;
            }
        });
        let routing = Routing::new(running.entries(), &sip, None);
        let (routing, routings) = watch::channel(Arc::new(routing));
        let dispatcher = Dispatcher::new(Arc::clone(&site), routings, peers.clone());
        others.spawn(dispatcher.run(requests));
        let fixed = (sip.listen, card_configs);
        let lines = running;
        Ok(Gateway { site, lines, peers, routing, fixed, others, cards: Some(cards) })
    }

    /// The address of its SIP socket.
    pub fn address(&self) -> SocketAddr {
        self.site.sip.address
    }

    /// Returns when no line works any more, because the cards are gone. Cancel-safe.
    pub async fn lines_gone(&mut self) {
        self.lines.gone().await;
    }

    /// Follows another configuration. Calls go on as they have begun.
    ///
    /// # Errors
    /// What can't be used of it, and then nothing of it is; or which lines can't be opened, and
    /// then they alone are not served.
    pub async fn reload(&mut self, config: Config) -> Result<(), Failure> {
        let Config { ref sip, ref cards, ref lines, ref call_records, numbers } = config;
        let (listen, before) = &self.fixed;
        for (what, same) in [("[sip] listen", *listen == sip.listen), ("[[card]]", before == cards)]
        {
            if !same {
                return Err(Failure::new(
                    Exit::Usage,
                    format_args!("{what} is another one: start the gateway anew to change it"),
                ));
            }
        }
        let Some(open) = &self.cards else { return Err(Failure::failed("there is no card")) };
        let lines = lines
            .iter()
            .map(|(number, line)| Ok((*number, (line.clone(), open.settings(*number, line)?))));
        let lines: BTreeMap<_, _> = lines.collect::<Result<_, Failure>>()?;
        self.site.records.reopen(call_records.as_deref(), numbers)?;
        self.site.set_rtp_ports(sip.rtp_ports);
        // A new PBX has to be known before it is asked anything.
        self.peers.follow(config.peer_hosts(), sip.calls_per_second);
        self.peers.resolve().await;
        let opened = self.lines.follow(open, &self.site, lines);
        let doorkeeper = self.routing.borrow().doorkeeper();
        let routing = Routing::new(self.lines.entries(), sip, doorkeeper);
        self.routing.send_replace(Arc::new(routing));
        opened
    }

    /// Takes no new call, and waits until those that there are have ended, but no longer than this.
    /// Lines without a call are closed at once, and the PBX is told that they are not there any
    /// more. After it [`stop`](Gateway::stop) has to be called. Cancel-safe.
    pub async fn drain(&mut self, limit: Duration) {
        self.site.drain.cancel();
        self.lines.unregister().await;
        if timeout(limit, self.lines_gone()).await.is_err() {
            warn!("not all calls have ended in {} s: they are hung up", limit.as_secs());
        }
    }

    /// Hangs all calls up, on the lines and by SIP, and makes the cards safe.
    pub async fn stop(mut self) {
        self.site.drain.cancel();
        self.site.stop.cancel();
        self.lines.unregister().await;
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
