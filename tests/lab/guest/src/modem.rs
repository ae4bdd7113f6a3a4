//! A modem's line as an application uses it: host, provider, engine and UART with a real kernel.

use std::time::{Duration, Instant};

use ringback_driver::card::{KINDS, uart16550};
use ringback_driver::device::discover::discover;
use ringback_driver::device::selector::Selector;
use ringback_driver::device::sysfs::SysfsRoot;
use ringback_host::{Call, CallOptions, Events, Host, HostOptions, Line, WaitError};
use ringback_provider::{CardOptions, open_card};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::{
    LINEDISCONNECTMODE_NODIALTONE, LINEDISCONNECTMODE_NORMAL, LINEDISCONNECTMODE_UNAVAIL,
};
use ringback_tspi::error::LineError;
use ringback_tspi::provider::Provider;

use crate::Outcome;
use crate::desk::{LONG, hang_up, shut_down, text, until};

/// Time until the line reports that the modem does not answer: it asks the modem twice, two seconds
/// each, and tries to hang it up in between.
const PATIENCE: Duration = Duration::from_secs(4);

/// mtty takes a FIFO with 16 bytes for an empty one.
const MTTY_FIFO: usize = 15;

/// An open line.
struct Desk {
    host: Host,
    line: Line,
    events: Events,
}

impl Desk {
    fn open() -> Result<Desk, String> {
        let found = discover(&SysfsRoot::system(), KINDS);
        let usable = |selector: &Selector| matches!(selector, Selector::Pci(_) | Selector::Mdev(_));
        let card = found.iter().find(|card| {
            card.kind == uart16550::KIND && card.need.is_none() && usable(&card.selector)
        });
        let card =
            card.ok_or_else(|| format!("there is no serial port that is ready: {found:?}"))?;
        println!("{card}");
        let provider: Box<dyn Provider> =
            open_card(&card.selector, CardOptions::default()).map_err(text)?;
        let host = Host::start(provider, HostOptions::default()).map_err(text)?;
        let line = host.open(0).map_err(text)?;
        let events = line.events();
        Ok(Desk { host, line, events })
    }

    fn until(&self, call: &Call, wanted: CallState) -> Result<u32, String> {
        until(&self.events, call, wanted)
    }

    fn call(&self, number: &str) -> Result<Call, String> {
        println!("calling {number}");
        let made = self.line.make_call(number, &CallOptions::default()).map_err(text)?;
        made.wait(LONG).map_err(text)
    }

    fn hang_up(&self, call: &Call) -> Outcome {
        hang_up(&self.events, call)
    }

    /// Sends bytes, and checks that they come back.
    fn echo(&self, call: &Call, bytes: &[u8]) -> Outcome {
        call.send(bytes).map_err(text)?.wait(LONG).map_err(text)?;
        call.receive(bytes.len(), LONG).map_err(text)?.wait(LONG).map_err(text)?;
        let mut got = Vec::new();
        self.line.data().map_err(text)?.fetch(&mut got);
        if got != bytes {
            return Err(format!("{} bytes were sent, {} others came back", bytes.len(), got.len()));
        }
        Ok(())
    }

    fn close(self) -> Outcome {
        self.line.close().map_err(text)?;
        shut_down(&self.host)
    }
}

fn mode(what: &str, got: u32, wanted: u32) -> Outcome {
    if got == wanted { Ok(()) } else { Err(format!("{what}: mode {got:#x}, not {wanted:#x}")) }
}

/// A call with data, and calls that end for all kinds of reasons.
pub fn calls() -> Outcome {
    let desk = Desk::open()?;

    let call = desk.call("100")?;
    desk.until(&call, CallState::Connected)?;
    for length in [1, 17, 5000] {
        let bytes: Vec<u8> = (0..length).map(|n: u32| (n * 31 + length) as u8).collect();
        desk.echo(&call, &bytes)?;
    }
    desk.hang_up(&call)?;

    for (number, wanted) in [
        ("102", LINEDISCONNECTMODE_UNAVAIL),
        ("104", LINEDISCONNECTMODE_NODIALTONE),
        // It connects, and then the other modem hangs up.
        ("105", LINEDISCONNECTMODE_NORMAL),
    ] {
        let call = desk.call(number)?;
        mode(number, desk.until(&call, CallState::Disconnected)?, wanted)?;
        desk.hang_up(&call)?;
    }

    let asked = CallOptions { only_if_idle: true, ..CallOptions::default() };
    let made = desk.line.make_call("104", &asked).map_err(text)?.wait(LONG);
    match made {
        Err(WaitError::Failed(LineError::CALLUNAVAIL)) => {}
        other => return Err(format!("a call without dial tone: {other:?}")),
    }
    desk.close()
}

/// Connects, and stays connected until it is killed.
pub fn forever() -> Outcome {
    let desk = Desk::open()?;
    let call = desk.call("100")?;
    desk.until(&call, CallState::Connected)?;
    println!("connected");
    loop {
        desk.echo(&call, b"hello")?;
    }
}

/// A modem that was left on-line can make calls again.
pub fn again() -> Outcome {
    let desk = Desk::open()?;
    let call = desk.call("100")?;
    desk.until(&call, CallState::Connected)?;
    desk.echo(&call, b"hello")?;
    desk.hang_up(&call)?;
    desk.close()
}

/// A port with a loopback: a call to any number ends once, and data comes back.
pub fn loopback() -> Outcome {
    let desk = Desk::open()?;
    let asked = Instant::now();
    match desk.line.make_call("5551234", &CallOptions::default()).map_err(text)?.wait(LONG) {
        Err(WaitError::Failed(LineError::OPERATIONFAILED)) => {}
        other => return Err(format!("a call that nobody answered: {other:?}")),
    }
    let after = asked.elapsed();
    println!("given up after {after:?}");
    if after < PATIENCE {
        return Err(format!("given up after {after:?}, which is too soon"));
    }
    let own = CallOptions { pass_through: true, ..CallOptions::default() };
    let call = desk.line.make_call("", &own).map_err(text)?.wait(LONG).map_err(text)?;
    desk.until(&call, CallState::Connected)?;
    let bytes: Vec<u8> = (0..1500_u32).map(|n| (n * 31) as u8).collect();
    for few in bytes.chunks(MTTY_FIFO) {
        desk.echo(&call, few)?;
    }
    desk.hang_up(&call)?;
    desk.close()
}
