//! A channel of DAHDI: hook, events, samples.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use super::sys;
use crate::Outcome;
use crate::far::deadline;

/// Signalling of an FXS port, on which we are the exchange for a telephone, and of an FXO port.
pub const FXS_PORT: i32 = 1 << 5 | 1 << 12;
pub const FXO_PORT: i32 = 1 << 2 | 1 << 13;

/// Operations of the hook switch and of ringing.
pub const ON_HOOK: i32 = 0;
pub const OFF_HOOK: i32 = 1;
pub const RING: i32 = 5;

/// Events.
pub const WENT_ON_HOOK: i32 = 1;
pub const WENT_OFF_HOOK: i32 = 2;
pub const FLASHED: i32 = 3;
pub const ALARM: i32 = 4;
pub const NO_ALARM: i32 = 5;
pub const RING_BEGAN: i32 = 18;

/// The error of reads and writes while an event waits.
const EVENT_WAITS: i32 = 500;

/// Blocks of 20 ms, and enough of them for most of a second.
const BLOCK: usize = 160;
const BLOCKS: i32 = 32;
const PAUSE: Duration = Duration::from_millis(2);

const CONTROL: &str = "/dev/dahdi/ctl";

fn open(path: &str) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

/// Sets DAHDI's ring cadence, without which no telephone rings. To be called once after DAHDI was
/// loaded.
///
/// # Errors
/// DAHDI is not loaded, or has the zone already.
pub fn load_zone() -> Outcome {
    let loaded = open(CONTROL).and_then(|control| sys::load_zone(&control));
    loaded.map_err(|error| format!("no tone zone: {error}"))
}

/// An open channel.
pub struct Channel {
    number: u32,
    file: File,
    events: VecDeque<i32>,
}

impl Channel {
    /// Sets the channel's signalling and opens the channel.
    ///
    /// # Errors
    /// The channel does not exist, or its module does not support this signalling.
    pub fn open(number: u32, signalling: i32) -> Result<Channel, String> {
        let say = |what: &str| {
            let what = format!("channel {number}: {what}");
            move |error: std::io::Error| format!("{what}: {error}")
        };
        let control = open(CONTROL).map_err(say("no control device"))?;
        sys::configure(&control, number as i32, signalling).map_err(say("not configured"))?;
        let file = open(&format!("/dev/dahdi/chan/001/{number:03}")).map_err(say("not opened"))?;
        sys::set_buffers(&file, BLOCKS, BLOCK as i32).map_err(say("no buffers"))?;
        Ok(Channel { number, file, events: VecDeque::new() })
    }

    fn failed(&self, what: &str, error: std::io::Error) -> String {
        format!("channel {}: {what}: {error}", self.number)
    }

    /// Operates the hook switch or the ring generator.
    ///
    /// # Errors
    /// The driver refuses.
    pub fn hook(&self, operation: i32) -> Outcome {
        let named = format!("hook operation {operation}");
        sys::hook(&self.file, operation).map_err(|error| self.failed(&named, error))
    }

    /// Sets battery to reversed or forward.
    ///
    /// # Errors
    /// The driver refuses.
    pub fn set_reversed(&self, reversed: bool) -> Outcome {
        sys::set_polarity(&self.file, i32::from(reversed))
            .map_err(|error| self.failed("polarity", error))
    }

    fn take_events(&mut self) -> Outcome {
        loop {
            match sys::event(&self.file).map_err(|error| self.failed("no event", error))? {
                0 => return Ok(()),
                event => {
                    println!("channel {}: event {event}", self.number);
                    self.events.push_back(event);
                }
            }
        }
    }

    /// Waits for an event, and drops those before it.
    ///
    /// # Errors
    /// The event does not come in time.
    pub fn expect(&mut self, what: &str, expected: i32) -> Outcome {
        let start = Instant::now();
        loop {
            self.take_events()?;
            while let Some(event) = self.events.pop_front() {
                if event == expected {
                    return Ok(());
                }
            }
            if start.elapsed() > deadline() {
                return Err(format!("channel {}: no event of {what}", self.number));
            }
            thread::sleep(PAUSE);
        }
    }

    /// Drops all events and received samples, and begins to receive: after a flush the driver
    /// records nothing until it is asked to.
    ///
    /// # Errors
    /// The error of the driver.
    pub fn listen(&mut self) -> Outcome {
        self.events.clear();
        sys::flush(&self.file, 1 | 4).map_err(|error| self.failed("not flushed", error))?;
        self.hear().map(drop)
    }

    /// Reads the next samples, at least one.
    ///
    /// # Errors
    /// The error of the driver.
    pub fn hear(&mut self) -> Result<Vec<u8>, String> {
        let mut block = [0; BLOCK];
        loop {
            match self.file.read(&mut block) {
                Ok(0) => return Err(format!("channel {} is at its end", self.number)),
                Ok(count) => return Ok(block.iter().take(count).copied().collect()),
                Err(error) if error.raw_os_error() == Some(EVENT_WAITS) => self.take_events()?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed("nothing heard", error)),
            }
        }
    }

    /// Writes samples; waits while the buffers are full.
    ///
    /// # Errors
    /// The error of the driver.
    pub fn say(&mut self, mut bytes: &[u8]) -> Outcome {
        while !bytes.is_empty() {
            match self.file.write(&bytes[..bytes.len().min(BLOCK)]) {
                Ok(0) => return Err(format!("channel {} takes nothing", self.number)),
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.raw_os_error() == Some(EVENT_WAITS) => self.take_events()?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed("nothing said", error)),
            }
        }
        Ok(())
    }
}
