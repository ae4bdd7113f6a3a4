//! A modem with numbers that it can call: for tests, and for the far end of a virtual machine's
//! serial port.
//!
//! It follows V.250 as far as a modem of 1990 did, and is set up by `AT` commands. Rules:
//! - It acts in [`SoftModem::run`] only, which gets the time since any fixed moment.
//! - The dialled number decides how a call ends ([`SoftModem::add`]).

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::uart16550::ModemSignals;

/// The other end of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Far {
    /// A modem; the duration is the time from dialling to the connection.
    Modem(Duration),
    /// A modem that sends back what it receives; the duration is that of [`Far::Modem`].
    Echo(Duration),
    /// A modem that hangs up in the middle of a connection.
    HangsUp {
        /// The time from dialling to the connection.
        after: Duration,
        /// The duration of the connection.
        talks: Duration,
    },
    /// A line in use: the modem reports BUSY.
    Busy,
    /// A human voice: the modem reports NO CARRIER.
    NoCarrier,
    /// A telephone that is not answered: the modem reports NO ANSWER.
    NoAnswer,
    /// An exchange without a dial tone: the modem reports NO DIALTONE.
    NoDialTone,
    /// A call on which the modem never reports a result.
    Endless,
    /// A call that ends with these words of the modem's.
    Reports(&'static str),
    /// Somebody who hangs up, and calls back this long after the modem reported NO CARRIER.
    CallsBack(Duration),
}

/// A fault of the modem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModemFault {
    /// The modem does not react at all.
    Dead,
    /// The modem sends back what it gets, and nothing else.
    Loop,
    /// The modem sends noise before each of its answers.
    Noise,
    /// The modem answers in numbers, whatever ATV commands.
    Numeric,
    /// The modem does not see DTR.
    NoDtr,
    /// The modem does not drive DCD, so that the UART sees it on.
    NoDcd,
    /// The modem reports callers if it is asked by AT#CID and not by AT+VCID.
    OldCallerId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ModemState {
    OnHook,
    /// Off-hook, takes commands.
    OffHook,
    /// Dialling; the result is reported at this time, or never.
    Calling(Option<Duration>, Far),
    Online(Far),
    /// Still on-line, but takes commands.
    Escaped(Far),
}

/// The time from dialling to the result of a call that reaches no modem.
const RESULT: Duration = Duration::from_secs(4);
/// Register S7: how long the modem waits for a carrier.
const NO_ANSWER: Duration = Duration::from_secs(50);
const NO_DIAL_TONE: Duration = Duration::from_secs(5);
const HANDSHAKE: Duration = Duration::from_secs(3);
const RING_EVERY: Duration = Duration::from_secs(6);
/// Register S12: the silence before and after the escape `+++`.
const GUARD: Duration = Duration::from_secs(1);
/// Register S25: how long DTR must be off before it counts.
const DTR_OFF: Duration = Duration::from_millis(50);

/// A modem with numbers that it can call. Times are those since any fixed moment.
#[derive(Debug)]
pub struct SoftModem {
    numbers: HashMap<String, Far>,
    faults: Vec<ModemFault>,
    state: ModemState,
    echo: bool,
    verbose: bool,
    quiet: bool,
    line: Vec<u8>,
    dialed: String,
    commands: Vec<String>,
    /// When the next RING is reported.
    rings: Option<Duration>,
    /// The lines about the caller that follow the next RING.
    caller: Vec<String>,
    reports_callers: bool,
    heard_at: Duration,
    pluses: u8,
    dtr_off_since: Option<Duration>,
    far_received: Vec<u8>,
    far_sends: VecDeque<u8>,
    far_ends: Option<Duration>,
}

impl Default for SoftModem {
    fn default() -> Self {
        SoftModem {
            numbers: HashMap::new(),
            faults: Vec::new(),
            state: ModemState::OnHook,
            echo: true,
            verbose: true,
            quiet: false,
            line: Vec::new(),
            dialed: String::new(),
            commands: Vec::new(),
            rings: None,
            caller: Vec::new(),
            reports_callers: false,
            heard_at: Duration::ZERO,
            pluses: 0,
            dtr_off_since: None,
            far_received: Vec::new(),
            far_sends: VecDeque::new(),
            far_ends: None,
        }
    }
}

impl SoftModem {
    /// A modem without numbers: every call ends in NO CARRIER.
    pub fn new() -> SoftModem {
        SoftModem::default()
    }

    /// Puts `far` at a number, which is compared with the dialled digits (0 to 9, A to D, * and #).
    pub fn add(&mut self, number: &str, far: Far) {
        self.numbers.insert(number.to_owned(), far);
    }

    /// Switches a fault on or off.
    pub fn set_fault(&mut self, fault: ModemFault, broken: bool) {
        self.faults.retain(|one| *one != fault);
        if broken {
            self.faults.push(fault);
        }
    }

    /// Makes an incoming call, which rings until it is answered or [`SoftModem::give_up`].
    pub fn call(&mut self, now: Duration) {
        self.rings = Some(now);
    }

    /// As [`SoftModem::call`]; after the first ring the modem sends these lines about the caller,
    /// if it was asked to.
    pub fn call_from(&mut self, now: Duration, lines: &[&str]) {
        self.call(now);
        self.caller = lines.iter().map(ToString::to_string).collect();
    }

    /// Ends an incoming call that is not answered.
    pub fn give_up(&mut self) {
        self.rings = None;
    }

    /// Sends bytes from the other modem, as soon as there is a connection.
    pub fn far_send(&mut self, bytes: &[u8]) {
        self.far_sends.extend(bytes);
    }

    /// The bytes that the other modem has received so far, in all connections.
    pub fn far_received(&self) -> &[u8] {
        &self.far_received
    }

    /// Ends a connection from the other side: NO CARRIER is added to `to_computer`.
    pub fn far_hang_up(&mut self, to_computer: &mut VecDeque<u8>) {
        if matches!(self.state, ModemState::Online(_) | ModemState::Escaped(_)) {
            self.state = ModemState::OnHook;
            self.say("NO CARRIER", 3, to_computer);
        }
    }

    /// Whether the modem's line is free.
    pub fn is_on_hook(&self) -> bool {
        self.state == ModemState::OnHook
    }

    /// The command lines that the modem got, in order, in upper case and from AT on.
    pub fn commands(&self) -> &[String] {
        &self.commands
    }

    /// The levels of the modem's outputs.
    pub fn signals(&self) -> ModemSignals {
        let online = matches!(self.state, ModemState::Online(_) | ModemState::Escaped(_));
        ModemSignals { cts: true, dsr: true, ri: false, dcd: online || self.has(ModemFault::NoDcd) }
    }

    fn has(&self, fault: ModemFault) -> bool {
        self.faults.contains(&fault)
    }

    /// Lets the modem react to the time, to DTR, and to the bytes from the computer, all of which
    /// it takes. Its answers are added to `to_computer`. The time must not go back.
    pub fn run(
        &mut self,
        now: Duration,
        dtr: bool,
        from_computer: &mut Vec<u8>,
        to_computer: &mut VecDeque<u8>,
    ) {
        let bytes = std::mem::take(from_computer);
        if self.has(ModemFault::Dead) {
            return;
        }
        if self.has(ModemFault::Loop) {
            to_computer.extend(bytes);
            return;
        }
        for byte in bytes {
            self.byte(byte, now, to_computer);
        }
        self.time(now, dtr, to_computer);
    }

    fn time(&mut self, now: Duration, dtr: bool, out: &mut VecDeque<u8>) {
        if self.pluses == 3 && now.saturating_sub(self.heard_at) >= GUARD {
            self.pluses = 0;
            if let ModemState::Online(far) = self.state {
                self.state = ModemState::Escaped(far);
                self.say("OK", 0, out);
            }
        }
        self.dtr_off_since = match self.dtr_off_since {
            _ if dtr || self.has(ModemFault::NoDtr) => None,
            None => Some(now),
            since => since,
        };
        if self.dtr_off_since.is_some_and(|since| now.saturating_sub(since) >= DTR_OFF) {
            let busy = self.state != ModemState::OnHook;
            self.state = ModemState::OnHook;
            if busy {
                self.say("NO CARRIER", 3, out);
            }
        }
        if self.rings.is_some_and(|next| now >= next) && self.state == ModemState::OnHook {
            self.rings = Some(now + RING_EVERY);
            self.say("RING", 2, out);
            for line in std::mem::take(&mut self.caller) {
                if self.reports_callers {
                    out.extend(format!("\r\n{line}\r\n").bytes());
                }
            }
        }
        if let ModemState::Calling(Some(at), far) = self.state
            && now >= at
        {
            self.result(now, far, out);
        }
        if self.far_ends.take_if(|end| now >= *end).is_some() {
            self.far_hang_up(out);
        }
        if let ModemState::Online(_) = self.state {
            out.extend(self.far_sends.drain(..));
        }
    }

    fn result(&mut self, now: Duration, far: Far, out: &mut VecDeque<u8>) {
        self.state = ModemState::OnHook;
        match far {
            Far::Modem(_) | Far::Echo(_) | Far::HangsUp { .. } => {
                self.state = ModemState::Online(far);
                self.far_ends = match far {
                    Far::HangsUp { talks, .. } => Some(now.saturating_add(talks)),
                    _ => None,
                };
                self.heard_at = now;
                self.say("CONNECT 33600", 1, out);
            }
            Far::Busy => self.say("BUSY", 7, out),
            Far::NoCarrier => self.say("NO CARRIER", 3, out),
            Far::NoAnswer => self.say("NO ANSWER", 8, out),
            Far::NoDialTone => self.say("NO DIALTONE", 6, out),
            Far::Reports(words) => self.say(words, 99, out),
            Far::Endless => self.state = ModemState::Calling(None, far),
            Far::CallsBack(after) => {
                self.rings = Some(now.saturating_add(after));
                self.say("NO CARRIER", 3, out);
            }
        }
    }

    fn say(&self, words: &str, number: u8, out: &mut VecDeque<u8>) {
        if self.quiet {
            return;
        }
        let text = if self.verbose && !self.has(ModemFault::Numeric) {
            format!("\r\n{words}\r\n")
        } else {
            format!("{number}\r")
        };
        if self.has(ModemFault::Noise) {
            out.extend([0xFE, 0x7F, b'x', 0, b'\r', 0x80]);
            out.extend([b'\r', b'3', b'3', b'\n']);
        }
        out.extend(text.bytes());
    }

    fn byte(&mut self, byte: u8, now: Duration, out: &mut VecDeque<u8>) {
        let silence = now.saturating_sub(self.heard_at);
        self.heard_at = now;
        if let ModemState::Online(far) = self.state {
            let goes_on = (1..3).contains(&self.pluses) && silence < GUARD;
            self.pluses = match byte {
                b'+' if goes_on => self.pluses + 1,
                b'+' if silence >= GUARD => 1,
                _ => 0,
            };
            self.far_received.push(byte);
            if let Far::Echo(_) = far {
                out.push_back(byte);
            }
            return;
        }
        if let ModemState::Calling(..) = self.state {
            // Any character ends the call.
            self.state = ModemState::OnHook;
            self.say("NO CARRIER", 3, out);
            return;
        }
        if self.echo {
            out.push_back(byte);
        }
        if byte != b'\r' {
            self.line.push(byte);
            return;
        }
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line).to_ascii_uppercase();
        // What comes before the prefix does not count.
        let Some(at) = text.find("AT") else { return };
        let (_, command) = text.split_at(at);
        self.commands.push(command.to_owned());
        let command = command.get(2..).unwrap_or_default().to_owned();
        self.command(&command, now, out);
    }

    fn command(&mut self, command: &str, now: Duration, out: &mut VecDeque<u8>) {
        let mut rest = command;
        while let Some(letter) = rest.chars().next() {
            rest = rest.get(letter.len_utf8()..).unwrap_or_default();
            match letter {
                'D' => return self.dial(rest, now, out),
                'A' => {
                    let ringing = self.rings.take().is_some();
                    let far = if ringing { Far::Modem(HANDSHAKE) } else { Far::NoCarrier };
                    self.state = ModemState::Calling(Some(now + HANDSHAKE), far);
                    return;
                }
                'E' | 'V' | 'Q' | 'H' | 'X' | 'Z' | 'O' => {
                    let value = number(&mut rest);
                    match letter {
                        'E' => self.echo = value != 0,
                        'V' => self.verbose = value != 0,
                        'Q' => self.quiet = value != 0,
                        'H' | 'Z' => self.state = ModemState::OnHook,
                        'O' => {
                            if let ModemState::Escaped(far) = self.state {
                                self.state = ModemState::Online(far);
                                return self.say("CONNECT 33600", 1, out);
                            }
                        }
                        _ => {}
                    }
                }
                '&' if rest.starts_with(['C', 'D']) => {
                    rest = rest.get(1..).unwrap_or_default();
                    number(&mut rest);
                }
                'S' => {
                    number(&mut rest);
                    rest = rest.strip_prefix('=').unwrap_or(rest);
                    number(&mut rest);
                }
                '+' | '#' => {
                    let (own, key) = match self.has(ModemFault::OldCallerId) {
                        true => ('#', "CID="),
                        false => ('+', "VCID="),
                    };
                    let Some(value) = rest.strip_prefix(key).filter(|_| letter == own) else {
                        return self.say("ERROR", 4, out);
                    };
                    rest = value;
                    self.reports_callers = number(&mut rest) == 1;
                }
                _ => return self.say("ERROR", 4, out),
            }
        }
        self.say("OK", 0, out);
    }

    fn dial(&mut self, text: &str, now: Duration, out: &mut VecDeque<u8>) {
        let digits = text.chars().filter(|c| matches!(c, '0'..='9' | 'A'..='D' | '*' | '#'));
        if self.state == ModemState::OnHook {
            self.dialed.clear();
        }
        self.dialed.extend(digits);
        if text.ends_with(';') {
            self.state = ModemState::OffHook;
            return self.say("OK", 0, out);
        }
        let far = self.numbers.get(&self.dialed).copied().unwrap_or(Far::NoCarrier);
        let after = match far {
            Far::Modem(after) | Far::Echo(after) | Far::HangsUp { after, .. } => after,
            Far::NoAnswer => NO_ANSWER,
            Far::NoDialTone => NO_DIAL_TONE,
            _ => RESULT,
        };
        self.state = ModemState::Calling(Some(now.saturating_add(after)), far);
    }
}

/// Takes the number off the front of the text; 0 if there is none.
fn number(text: &mut &str) -> u32 {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    digits.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Desk {
        modem: SoftModem,
        ms: u64,
        dtr: bool,
        from: VecDeque<u8>,
    }

    impl Desk {
        fn new() -> Desk {
            Desk { modem: SoftModem::new(), ms: 0, dtr: true, from: VecDeque::new() }
        }

        /// Types, waits, and returns what the modem said, line ends left out.
        fn type_in(&mut self, text: &str, wait_ms: u64) -> String {
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..=wait_ms {
                let now = Duration::from_millis(self.ms);
                self.modem.run(now, self.dtr, &mut bytes, &mut self.from);
                self.ms += 1;
            }
            let said: Vec<u8> = self.from.drain(..).collect();
            String::from_utf8_lossy(&said).replace("\r\n", "|").replace('\r', "/")
        }
    }

    #[test]
    fn commands_are_echoed_and_answered() {
        let mut desk = Desk::new();
        assert_eq!(desk.type_in("AT\r", 1), "AT/|OK|");
        assert_eq!(desk.type_in("ate0q0v1\r", 1), "ate0q0v1/|OK|");
        assert_eq!(desk.type_in("ATX4&C1&D2S0=0S7=50\r", 1), "|OK|");
        assert_eq!(desk.type_in("AT!\r", 1), "|ERROR|");
        assert_eq!(desk.type_in("ATV0\r", 1), "0/");
        assert_eq!(desk.type_in("ATV1Q1\r", 1), "");
        assert_eq!(desk.type_in("hello\r", 1), "");
    }

    #[test]
    fn a_number_is_called_and_escaped_from_between_two_silences() {
        let mut desk = Desk::new();
        desk.modem.add("123", Far::Echo(Duration::from_secs(1)));
        assert_eq!(desk.type_in("ATE0\r", 1), "ATE0/|OK|");
        assert_eq!(desk.type_in("ATDT1,2;\r", 1), "|OK|");
        assert!(!desk.modem.is_on_hook());
        assert_eq!(desk.type_in("ATD3\r", 1001), "|CONNECT 33600|");
        assert!(desk.modem.signals().dcd);
        assert_eq!(desk.type_in("a+++", 3000), "a+++", "no silence before it");
        assert_eq!(desk.type_in("+++b", 3000), "+++b", "none after it");
        assert_eq!(desk.type_in("++", 1001), "++", "a silence in it");
        assert_eq!(desk.type_in("+", 3000), "+");
        assert_eq!(desk.type_in("+++", 1001), "+++|OK|");
        assert_eq!(desk.type_in("ATO\r", 1), "|CONNECT 33600|");
        desk.dtr = false;
        assert_eq!(desk.type_in("", 51), "|NO CARRIER|");
        assert!(desk.modem.is_on_hook() && !desk.modem.signals().dcd);
    }

    #[test]
    fn it_rings_until_it_is_answered() {
        let mut desk = Desk::new();
        desk.modem.call(Duration::ZERO);
        assert_eq!(desk.type_in("ATE0\r", 12_100), "ATE0/|OK||RING||RING||RING|");
        assert_eq!(desk.type_in("ATA\r", 10_000), "|CONNECT 33600|");
    }
}
