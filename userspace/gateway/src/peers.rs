//! Who may call: the addresses of the peers, and how many calls each may begin.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::warn;

/// Datagrams that are read of a peer in a second; what is beyond is dropped unread.
const DATAGRAMS_PER_SECOND: u32 = 1000;
/// How long a name may take to be resolved.
const RESOLVED: Duration = Duration::from_secs(10);

/// Lets so many through in a second, and as many at once after a pause.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    rate: f64,
    left: f64,
    at: Instant,
}

impl Allowance {
    fn new(rate: u32, now: Instant) -> Allowance {
        Allowance { rate: f64::from(rate), left: f64::from(rate), at: now }
    }

    fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + passed * self.rate).min(self.rate);
        self.at = now;
        let allowed = self.left >= 1.0;
        if allowed {
            self.left -= 1.0;
        }
        allowed
    }
}

#[derive(Debug)]
struct PeerState {
    /// The names of the configuration that have this address.
    hosts: Vec<String>,
    datagrams: Allowance,
    calls: Allowance,
}

/// The peers.
#[derive(Debug, Clone)]
pub(crate) struct Peers(Arc<Mutex<PeerBook>>);

#[derive(Debug)]
struct PeerBook {
    hosts: Vec<String>,
    calls_per_second: u32,
    by_address: HashMap<IpAddr, PeerState>,
}

impl Peers {
    /// Peers by their names and addresses. Names are known once they are
    /// [resolved](Peers::resolve).
    pub(crate) fn new(hosts: Vec<String>, calls_per_second: u32) -> Peers {
        let by_address = HashMap::new();
        Peers(Arc::new(Mutex::new(PeerBook { hosts, calls_per_second, by_address })))
    }

    fn lock(&self) -> MutexGuard<'_, PeerBook> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows another configuration. Who is still a peer keeps the addresses that are known.
    pub(crate) fn follow(&self, hosts: Vec<String>, calls_per_second: u32) {
        let now = Instant::now();
        let mut book = self.lock();
        let other_rate = book.calls_per_second != calls_per_second;
        for state in book.by_address.values_mut() {
            state.hosts.retain(|own| hosts.contains(own));
            if other_rate {
                state.calls = Allowance::new(calls_per_second, now);
            }
        }
        book.by_address.retain(|_, state| !state.hosts.is_empty());
        (book.hosts, book.calls_per_second) = (hosts, calls_per_second);
    }

    /// Asks for the addresses of all names again. A name that is not known at the moment keeps the
    /// addresses that it had.
    pub(crate) async fn resolve(&self) {
        let hosts = self.lock().hosts.clone();
        for host in &hosts {
            match addresses(host).await {
                Ok(found) => self.set(host, &found),
                Err(error) => warn!("the peer {host} has no address at the moment: {error}"),
            }
        }
    }

    fn set(&self, host: &str, found: &[IpAddr]) {
        let now = Instant::now();
        let mut book = self.lock();
        // The configuration may be another one meanwhile.
        if !book.hosts.iter().any(|own| own == host) {
            return;
        }
        let PeerBook { calls_per_second, by_address, .. } = &mut *book;
        for state in by_address.values_mut() {
            state.hosts.retain(|own| own != host);
        }
        for address in found {
            let state = by_address.entry(*address).or_insert_with(|| PeerState {
                hosts: Vec::new(),
                datagrams: Allowance::new(DATAGRAMS_PER_SECOND, now),
                calls: Allowance::new(*calls_per_second, now),
            });
            state.hosts.push(host.to_owned());
        }
        by_address.retain(|_, state| !state.hosts.is_empty());
    }

    /// Whether a datagram of this address is read.
    pub(crate) fn admits(&self, address: IpAddr) -> bool {
        let mut book = self.lock();
        let state = book.by_address.get_mut(&address.to_canonical());
        state.is_some_and(|state| state.datagrams.take(Instant::now()))
    }

    /// Whether this address may begin a call now.
    pub(crate) fn may_call(&self, address: IpAddr) -> bool {
        let mut book = self.lock();
        let state = book.by_address.get_mut(&address.to_canonical());
        state.is_some_and(|state| state.calls.take(Instant::now()))
    }

    /// Whether a host of the configuration has this address.
    pub(crate) fn is_host(&self, address: IpAddr, host: &str) -> bool {
        let book = self.lock();
        let state = book.by_address.get(&address.to_canonical());
        state.is_some_and(|state| state.hosts.iter().any(|own| own == host))
    }
}

/// The addresses of a host, within a time.
pub(crate) async fn addresses(host: &str) -> std::io::Result<Vec<IpAddr>> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let found = tokio::time::timeout(RESOLVED, tokio::net::lookup_host((host, 0))).await;
    let found: Vec<IpAddr> = found??.map(|address| address.ip().to_canonical()).collect();
    if found.is_empty() { Err(std::io::ErrorKind::NotFound.into()) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_peers_are_admitted_and_no_faster_than_they_may() {
        let peers = Peers::new(vec!["pbx".into()], 2);
        let [ours, other]: [IpAddr; 2] = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse().unwrap());
        assert!(!peers.admits(ours) && !peers.may_call(ours), "the name is not known yet");
        peers.set("pbx", &[ours]);
        assert!(peers.admits("::ffff:192.0.2.1".parse().unwrap()) && !peers.admits(other));
        assert!(peers.is_host(ours, "pbx") && !peers.is_host(ours, "other"));
        assert!(peers.may_call(ours) && peers.may_call(ours) && !peers.may_call(ours));
        assert!(!peers.may_call(other));
        peers.set("pbx", &[other]);
        assert!(!peers.admits(ours) && peers.admits(other), "it has moved");
    }

    #[test]
    fn another_configuration_keeps_what_is_known_of_those_who_stay() {
        let peers = Peers::new(vec!["pbx".into(), "old".into()], 1);
        let [pbx, old, new]: [IpAddr; 3] =
            ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|ip| ip.parse().unwrap());
        peers.set("pbx", &[pbx]);
        peers.set("old", &[old]);
        peers.follow(vec!["pbx".into(), "new".into()], 2);
        peers.set("old", &[old]);
        assert!(peers.admits(pbx) && !peers.admits(old) && !peers.admits(new));
        assert!(peers.may_call(pbx) && peers.may_call(pbx) && !peers.may_call(pbx));
        peers.set("new", &[new]);
        assert!(peers.admits(new) && peers.is_host(new, "new"));
    }

    #[test]
    fn an_allowance_comes_back_with_time() {
        let start = Instant::now();
        let mut allowance = Allowance::new(10, start);
        assert_eq!((0..20).filter(|_| allowance.take(start)).count(), 10);
        let later = start + Duration::from_millis(350);
        assert_eq!((0..20).filter(|_| allowance.take(later)).count(), 3);
        assert!(allowance.take(later + Duration::from_secs(3600)));
    }
}
