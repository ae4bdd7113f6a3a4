//! What systemd is told about the service (sd_notify): that it serves, stops, and is alive.
//!
//! Without systemd, or with a service that is not of `Type=notify`, nobody is told anything. What
//! can't be told ends nothing.

use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use ringback_driver::request::Time;
use tracing::warn;

/// The way to systemd.
#[derive(Debug)]
pub struct ServiceManager {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl ServiceManager {
    /// The one that has started this process, by its environment.
    pub fn of_environment() -> ServiceManager {
        let variable = |name: &str| std::env::var_os(name);
        let number = |name: &str| variable(name)?.to_str()?.parse::<u64>().ok();
        let for_us = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let limit = number("WATCHDOG_USEC").filter(|limit| for_us && *limit > 0);
        ServiceManager::new(variable("NOTIFY_SOCKET"), limit.map(Duration::from_micros))
    }

    /// One that listens at this address, and expects a sign of life within this time.
    fn new(address: Option<OsString>, watchdog: Option<Duration>) -> ServiceManager {
        let socket = address.and_then(|address| {
            let opened = address_of(&address).and_then(|address| {
                let socket = UnixDatagram::unbound()?;
                socket.set_nonblocking(true)?;
                Ok((socket, address))
            });
            opened.inspect_err(|error| warn!("systemd can't be told anything: {error}")).ok()
        });
        ServiceManager { socket, watchdog }
    }

    /// How often a sign of life is due: twice within what systemd waits. `None` if it waits for
    /// none.
    pub fn sign_of_life(&self) -> Option<Duration> {
        self.watchdog.filter(|_| self.socket.is_some()).map(|limit| limit / 2)
    }

    /// The service serves calls.
    pub fn ready(&self) {
        self.tell("READY=1");
    }

    /// The service reads its configuration anew; [`ready`](ServiceManager::ready) says that it has.
    pub fn reloading(&self) {
        let now = Time::monotonic().as_nanos() / 1000;
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={now}"));
    }

    /// The service ends: no new call is taken.
    pub fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    /// The service is alive.
    pub fn alive(&self) {
        self.tell("WATCHDOG=1");
    }

    fn tell(&self, text: &str) {
        let Some((socket, address)) = &self.socket else { return };
        if let Err(error) = socket.send_to_addr(text.as_bytes(), address) {
            warn!("systemd was not told {text}: {error}");
        }
    }
}

/// The address of a socket: its path, or `@` and its name.
fn address_of(address: &OsString) -> io::Result<SocketAddr> {
    match address.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        _ => SocketAddr::from_pathname(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_is_told_by_a_path_or_an_abstract_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify").into_os_string();
        let name = format!("@ringback-gateway-test-{}", std::process::id());
        for address in [path, name.into()] {
            let systemd = UnixDatagram::bind_addr(&address_of(&address).unwrap()).unwrap();
            let limit = Some(Duration::from_secs(10));
            let manager = ServiceManager::new(Some(address), limit);
            assert_eq!(manager.sign_of_life(), Some(Duration::from_secs(5)));
            manager.ready();
            manager.alive();
            manager.stopping();
            let mut datagram = [0; 100];
            for text in ["READY=1", "WATCHDOG=1", "STOPPING=1"] {
                let len = systemd.recv(&mut datagram).unwrap();
                assert_eq!(str::from_utf8(&datagram[..len]), Ok(text));
            }
        }
        let nobody = ServiceManager::new(None, Some(Duration::from_secs(10)));
        assert_eq!(nobody.sign_of_life(), None);
        nobody.ready();
    }
}
