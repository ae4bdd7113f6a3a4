//! A gateway on a software card, with the exchange behind its line 2.

use std::future::Future;
use std::time::{Duration, Instant};

use ringback_country::Country;
use ringback_gateway::config::Config;
use ringback_gateway::gateway::Gateway;
use ringback_softcard::{Behaviour, Exchange, LineState, SoftCard, Telephone, scenery};

use crate::agent::Agent;

/// Far beyond what anything takes.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// The number of line 2 at its exchange, and that of a subscriber.
pub const LINE: &str = scenery::LINE_NUMBERS[0];
pub const SUBSCRIBER: &str = "5550155";

/// A gateway, its PBX, and a subscriber of the exchange.
pub struct Site {
    pub agent: Agent,
    pub gateway: Gateway,
    pub card: SoftCard,
    pub exchange: Exchange,
    pub telephone: Telephone,
    pub records: tempfile::TempDir,
    /// Its configuration, up to that of line 2.
    head: String,
}

impl Site {
    /// One whose line 2 belongs to the PBX; `more` is added to the configuration of the line.
    pub async fn new(more: &str) -> Site {
        Site::with("", more).await
    }

    /// The same, with something in the section of SIP.
    pub async fn with(sip: &str, line: &str) -> Site {
        let agent = Agent::start().await;
        let trunk = agent.trunk();
        Site::of_trunk(agent, &trunk, sip, line).await
    }

    /// The same, whose line belongs to this trunk.
    pub async fn of_trunk(agent: Agent, trunk: &str, sip: &str, line: &str) -> Site {
        Site::in_country(Country::default(), agent, trunk, sip, line).await
    }

    /// The same, in another country.
    pub async fn in_country(
        country: Country,
        agent: Agent,
        trunk: &str,
        sip: &str,
        line: &str,
    ) -> Site {
        // What stands before the sections.
        let (top, sip) = match sip.strip_prefix("numbers = false") {
            Some(sip) => ("numbers = false\n", sip),
            None => ("", sip),
        };
        let records = tempfile::tempdir().unwrap();
        let file = records.path().join("calls");
        let head = format!(
            "call_records = '{}'\n{top}[[card]]\ndevice = 'soft'\ncountry = '{country}'\n\
             [sip]\nlisten = '{}:0'\n{sip}\n",
            file.display(),
            agent.host()
        );
        let text = format!("{head}[line.2]\ntrunk = '{trunk}'\n{line}\n");
        let card = scenery::card(country);
        let gateway = start(&text, &card).await;
        let exchange = card.exchange();
        let telephone = exchange.add_subscriber(SUBSCRIBER, Behaviour::Manual);
        Site { agent, gateway, card, exchange, telephone, records, head }
    }

    /// Has the gateway follow another configuration of lines.
    pub async fn reload(&mut self, lines: &str) -> Result<(), String> {
        let config = Config::read(&format!("{}{lines}", self.head), None)?;
        self.gateway.reload(config).await.map_err(|failure| failure.text)
    }

    /// Waits until the line is on-hook.
    pub async fn line_idle(&self) {
        eventually("the line is on-hook", || self.exchange.state(LINE) == Some(LineState::Idle))
            .await;
    }

    fn records(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.records.path().join("calls")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The records of so many calls, once they are written.
    pub async fn call_records(&self, count: usize) -> Vec<serde_json::Value> {
        eventually("the calls are recorded", || self.records().len() >= count).await;
        let records = self.records();
        assert_eq!(records.len(), count, "{records:?}");
        records
    }

    /// The record of the first call to this number, once it is written.
    pub async fn call_record_of(&self, number: &str) -> serde_json::Value {
        let find = || self.records().into_iter().find(|record| record["to"] == number);
        eventually("the call is recorded", || find().is_some()).await;
        find().unwrap()
    }
}

async fn start(text: &str, card: &SoftCard) -> Gateway {
    let config = Config::read(text, None).unwrap();
    Gateway::start(config, Some(card.clone())).await.unwrap()
}

/// Waits until it is so.
pub async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < until, "it has not come about: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits for it, but not for ever.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(DEADLINE, future).await;
    waited.unwrap_or_else(|_| panic!("it has not come: {what}"))
}
