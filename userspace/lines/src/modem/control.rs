//! The dialogue with the modem: commands, their answers, and what to do when there is none.
//!
//! [`Control`] gets the bytes, the time and the carrier, puts data aside, and returns as [`News`]
//! how the modem's state has changed. Every wait in it has a limit, so each of its functions that
//! starts something ends with news. It does not deal with calls.
//!
//! To recover a modem that does not answer takes the same steps as hanging up, because such a modem
//! may be on-line with another one: DTR off and on (`&D2`); then, if it has not reacted, the escape
//! sequence between two silences (`+++`, from Hayes); then `ATH`.

use std::time::Duration;

use ringback_driver::{Time, report};
use ringback_media::caller_id::Caller;
use ringback_tspi::media::Data;

use super::caller_lines::CallerLines;
use super::reader::LineReader;
use super::result_code::ResultCode;

/// The serial line to the modem, for commands.
pub(super) trait Wire {
    /// Queues the bytes of a command to be sent.
    fn send(&mut self, bytes: &[u8]);
    /// Sets DTR (V.24 circuit 108/2).
    fn set_dtr(&mut self, on: bool);
}

/// A result of the dialogue, for the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// It answers and takes commands.
    Ready,
    /// It does not answer, after everything was tried.
    Silent,
    /// A partial number was dialled; it accepts more.
    OffHook,
    /// It is on-line with another one.
    Connected,
    /// Dialling or answering has ended with this.
    Failed(ResultCode),
    /// Dialling or answering has not ended by its deadline; it is being hung up.
    NoResult,
    /// Hanging up has ended; if it is not confirmed, the modem does not answer.
    OnHook {
        /// The modem has confirmed it.
        confirmed: bool,
    },
    /// An incoming call rings.
    Ring,
    /// It has become known who calls: [`Control::caller`].
    Caller,
    /// The telephone that was dialled rings.
    RemoteRings,
    /// The other modem has gone. Nothing can be sent to it any more; what it has sent may still
    /// come.
    CarrierOff,
    /// Everything that the other modem has sent is here; this one is being hung up.
    CarrierLost,
}

/// Limit for the answer to a command that the modem carries out at once.
const COMMAND: Duration = Duration::from_secs(2);
/// Limit for the result of an aborted call.
const ABORTED: Duration = Duration::from_millis(1500);
/// DTR off: longer than any S25, which is 50 ms where it is not changed. It is raised sooner if the
/// carrier goes off.
const DTR_OFF: Duration = Duration::from_millis(500);
/// Time from DTR on until the modem takes commands.
const DTR_ON: Duration = Duration::from_millis(300);
/// Silence before and after the escape sequence: longer than S12, which is 1 s.
const GUARD: Duration = Duration::from_millis(1200);
/// Limit for the silence after the escape sequence, and for the answer.
const ESCAPED: Duration = Duration::from_millis(1700);
/// "NO CARRIER" is a result code and not data if nothing follows it for this time. A modem without
/// carrier that sends nothing for this time holds no more data.
const QUIET: Duration = Duration::from_millis(500);
/// How long a modem without carrier is listened to at most: 30 kB at 9600 bit/s.
const HELD: Duration = Duration::from_secs(30);

/// Echo off, result codes on, in words; and on-hook, because a modem that did not answer may still
/// be off-hook.
const SYNC: &[u8] = b"ATE0Q0V1H0\r";
/// The first CR ends a line that may have been begun.
const SYNC_AGAIN: &[u8] = b"\rATE0Q0V1H0\r";
/// Report who calls: as ITU-T V.253 has it, and as older modems do.
const CALLER_ID: &[u8] = b"AT+VCID=1\r";
const OLD_CALLER_ID: &[u8] = b"AT#CID=1\r";
const ESCAPE: &[u8] = b"+++";
const ON_HOOK: &[u8] = b"ATH\r";
const ANSWER: &[u8] = b"ATA\r";
/// Any character ends the attempt to get a connection (V.250 section 5.6.1).
const ABORT: &[u8] = b"\r";
/// What the modem sends when it loses the carrier; needed if the DCD circuit is not connected.
const NO_CARRIER: &[u8] = b"\r\nNO CARRIER\r\n";

/// Why steps are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To get the modem to take commands.
    Prepare,
    /// To end a call.
    HangUp,
    /// To take the modem back from an application that had direct access.
    Release,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Sync { again: bool },
    Init,
    CallerId { old: bool },
    Abort,
    DropDtr { answered: bool },
    RaiseDtr { answered: bool },
    Guard,
    Escape,
    OnHook { answered: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Not tried yet, or it does not answer.
    Unknown,
    Steps(Purpose, Step),
    /// On-hook, takes commands.
    Ready,
    /// It dials or answers, and its result is waited for.
    Waiting {
        partial: bool,
    },
    /// Off-hook, takes commands.
    OffHook,
    /// On-line with another modem.
    Online,
    /// The carrier is gone; the modem sends what it still holds, at the latest until this time.
    Draining(Time),
    /// The application has direct access to the modem.
    Raw,
}

/// The dialogue with one modem.
#[derive(Debug)]
pub(super) struct Control {
    init: Vec<u8>,
    mode: Mode,
    /// When the current wait ends.
    until: Time,
    reader: LineReader,
    reported: CallerLines,
    /// The line end of CONNECT is not yet complete.
    line_feed_due: bool,
    /// How many bytes of NO_CARRIER have just been received.
    matched: usize,
    /// DCD was off before the call, so the circuit is connected and not stuck.
    carrier_moves: bool,
    carrier: bool,
}

impl Control {
    /// `init` is sent, as a command line without its end, whenever the modem is prepared.
    pub(super) fn new(init: &str) -> Control {
        Control {
            init: format!("{init}\r").into_bytes(),
            mode: Mode::Unknown,
            until: Time::NEVER,
            reader: LineReader::new(),
            reported: CallerLines::default(),
            line_feed_due: false,
            matched: 0,
            carrier_moves: false,
            carrier: false,
        }
    }

    /// The command line that is sent whenever the modem is prepared, without its end.
    pub(super) fn init(&self) -> String {
        String::from_utf8_lossy(&self.init).trim_end().to_owned()
    }

    /// Changes it from the next time on.
    pub(super) fn set_init(&mut self, init: &str) {
        self.init = format!("{init}\r").into_bytes();
    }

    /// When [`Control::expired`] is to be called.
    pub(super) fn until(&self) -> Time {
        self.until
    }

    /// Who calls, as far as the modem has reported it.
    pub(super) fn caller(&self) -> &Caller {
        &self.reported.caller
    }

    /// Forgets who has called.
    pub(super) fn forget_caller(&mut self) {
        self.reported = CallerLines::default();
    }

    /// The modem takes commands and is on-hook.
    pub(super) fn is_ready(&self) -> bool {
        self.mode == Mode::Ready
    }

    /// Bytes that are sent are data, for another modem or for the application's direct access.
    pub(super) fn is_online(&self) -> bool {
        matches!(self.mode, Mode::Online | Mode::Raw)
    }

    /// Bytes that are received are data.
    pub(super) fn gives_data(&self) -> bool {
        self.is_online() || matches!(self.mode, Mode::Draining(_))
    }

    /// The modem would take the escape sequence in the data for a command to itself.
    pub(super) fn escapes(&self) -> bool {
        self.mode == Mode::Online
    }

    /// A partial number was dialled, and it accepts more.
    pub(super) fn is_off_hook(&self) -> bool {
        self.mode == Mode::OffHook
    }

    /// It is being prepared or hung up, which ends with news.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.mode, Mode::Steps(..))
    }

    // What it is asked for

    /// Gets the modem to take commands, or finds out that it does not answer. Ends with
    /// [`News::Ready`] or [`News::Silent`]; ignored while there is a call.
    pub(super) fn prepare(&mut self, now: Time, wire: &mut dyn Wire) {
        if matches!(self.mode, Mode::Unknown | Mode::Ready) {
            self.enter(Purpose::Prepare, Step::Sync { again: false }, now, wire);
        }
    }

    /// Dials. A partial number ends with [`News::OffHook`], any other with [`News::Connected`];
    /// both may end with [`News::Failed`] or [`News::NoResult`].
    pub(super) fn dial(&mut self, command: &str, partial: bool, until: Time, wire: &mut dyn Wire) {
        self.command(command.as_bytes(), Mode::Waiting { partial }, until, wire);
    }

    /// Answers a call that rings. Ends as dialling does.
    pub(super) fn answer(&mut self, until: Time, wire: &mut dyn Wire) {
        self.command(ANSWER, Mode::Waiting { partial: false }, until, wire);
    }

    fn command(&mut self, command: &[u8], mode: Mode, until: Time, wire: &mut dyn Wire) {
        self.reader.clear();
        self.carrier_moves = !self.carrier;
        self.mode = mode;
        self.until = until;
        wire.send(command);
    }

    /// Gives the application direct access: everything is data from now on.
    pub(super) fn give_away(&mut self) {
        self.mode = Mode::Raw;
        self.until = Time::NEVER;
    }

    /// Ends the call. `true` if there is none; otherwise it ends with [`News::OnHook`].
    #[must_use]
    pub(super) fn hang_up(&mut self, now: Time, wire: &mut dyn Wire) -> bool {
        let (purpose, step) = match self.mode {
            Mode::Unknown | Mode::Ready | Mode::Steps(Purpose::Prepare, _) => return true,
            Mode::Steps(..) => return false,
            Mode::Waiting { .. } => (Purpose::HangUp, Step::Abort),
            Mode::OffHook => (Purpose::HangUp, Step::OnHook { answered: false }),
            Mode::Online => (Purpose::HangUp, Step::DropDtr { answered: false }),
            Mode::Draining(_) => (Purpose::HangUp, Step::DropDtr { answered: true }),
            Mode::Raw => (Purpose::Release, Step::DropDtr { answered: false }),
        };
        self.reader.clear();
        self.enter(purpose, step, now, wire);
        false
    }

    // What happens

    /// A byte has come from the modem. One from the other modem is added to the data.
    pub(super) fn byte(
        &mut self,
        byte: u8,
        now: Time,
        wire: &mut dyn Wire,
        data: &Data,
    ) -> Option<News> {
        match self.mode {
            Mode::Raw => data.push(byte),
            Mode::Online => {
                if std::mem::take(&mut self.line_feed_due) && byte == b'\n' {
                    return None;
                }
                self.watch(byte, now);
                data.push(byte);
            }
            Mode::Draining(end) => {
                self.until = end.min(now + QUIET);
                self.hold(byte, data);
            }
            _ => {
                let line = self.reader.take(byte)?;
                // An echo of the command is no result code either.
                let Some(code) = ResultCode::parse(line) else {
                    return self.reported.read(line).then_some(News::Caller);
                };
                self.line_feed_due = line.first().is_some_and(u8::is_ascii_alphabetic);
                return self.code(code, now, wire);
            }
        }
        None
    }

    /// Bytes that have come can't be taken yet, because nobody fetches the data.
    pub(super) fn held_up(&mut self, now: Time) {
        if let Mode::Draining(end) = self.mode {
            self.until = end.min(now + QUIET);
        }
    }

    /// How many bytes of NO_CARRIER have been received after this one.
    fn matched_with(&self, byte: u8) -> usize {
        match NO_CARRIER.get(self.matched) {
            Some(wanted) if *wanted == byte => self.matched + 1,
            _ => usize::from(NO_CARRIER.first() == Some(&byte)),
        }
    }

    /// Takes a byte after the carrier has gone. What may become the modem's own NO CARRIER is no
    /// data until it proves not to be.
    fn hold(&mut self, byte: u8, data: &Data) {
        let before = self.matched;
        self.matched = self.matched_with(byte);
        if self.matched > before {
            return;
        }
        self.release(before, data);
        if self.matched == 0 {
            data.push(byte);
        }
    }

    /// These first bytes of NO_CARRIER were data.
    fn release(&self, bytes: usize, data: &Data) {
        NO_CARRIER.iter().take(bytes).for_each(|byte| data.push(*byte));
    }

    /// Looks for the end of the call in the data from the other modem, for the case that DCD does
    /// not signal it.
    fn watch(&mut self, byte: u8, now: Time) {
        self.until = Time::NEVER;
        self.matched = self.matched_with(byte);
        if self.matched == NO_CARRIER.len() {
            self.matched = 0;
            if !(self.carrier_moves && self.carrier) {
                self.until = now + QUIET;
            }
        }
    }

    /// Takes the current state of the carrier detect circuit.
    pub(super) fn carrier(&mut self, on: bool, now: Time, wire: &mut dyn Wire) -> Option<News> {
        let lost = std::mem::replace(&mut self.carrier, on) && !on;
        match self.mode {
            Mode::Online if lost => {
                self.mode = Mode::Draining(now + HELD);
                self.until = now + QUIET;
                self.matched = 0;
                Some(News::CarrierOff)
            }
            // The modem has seen that DTR is off, and has hung up: there is nothing to wait for.
            Mode::Steps(purpose, Step::DropDtr { .. }) if lost => {
                self.enter(purpose, Step::RaiseDtr { answered: true }, now, wire);
                None
            }
            _ => None,
        }
    }

    /// A modem without a carrier takes commands. It hangs up by itself, but gets the command all
    /// the same.
    fn lose_carrier(&mut self, now: Time, wire: &mut dyn Wire) -> News {
        self.reader.clear();
        self.enter(Purpose::HangUp, Step::DropDtr { answered: true }, now, wire);
        News::CarrierLost
    }

    /// The time of [`Control::until`] has come.
    pub(super) fn expired(&mut self, now: Time, wire: &mut dyn Wire, data: &Data) -> Option<News> {
        if now < self.until {
            return None;
        }
        self.until = Time::NEVER;
        match self.mode {
            Mode::Steps(purpose, step) => self.step(purpose, step, None, now, wire),
            Mode::Waiting { .. } => {
                self.enter(Purpose::HangUp, Step::Abort, now, wire);
                Some(News::NoResult)
            }
            Mode::Online => Some(self.lose_carrier(now, wire)),
            Mode::Draining(_) => {
                if self.matched < NO_CARRIER.len() {
                    self.release(self.matched, data);
                }
                Some(self.lose_carrier(now, wire))
            }
            Mode::Unknown | Mode::Ready | Mode::OffHook | Mode::Raw => None,
        }
    }

    fn code(&mut self, code: ResultCode, now: Time, wire: &mut dyn Wire) -> Option<News> {
        report!(DEBUG, "modem: {code:?} in {:?}", self.mode);
        match (self.mode, code) {
            (Mode::Waiting { .. }, ResultCode::RemoteRings) => Some(News::RemoteRings),
            (_, ResultCode::RemoteRings) => None,
            (_, ResultCode::Ring) => Some(News::Ring),
            (Mode::Steps(purpose, step), _) => self.step(purpose, step, Some(code), now, wire),
            (Mode::Waiting { .. }, ResultCode::Connect(_)) => {
                self.mode = Mode::Online;
                self.until = Time::NEVER;
                self.matched = 0;
                Some(News::Connected)
            }
            (Mode::Waiting { partial: true }, ResultCode::Ok) => {
                self.mode = Mode::OffHook;
                self.until = Time::NEVER;
                Some(News::OffHook)
            }
            // Late, and of another command.
            (Mode::Waiting { .. }, ResultCode::Ok) => None,
            (Mode::Waiting { .. } | Mode::OffHook, _) => {
                self.mode = Mode::Ready;
                self.until = Time::NEVER;
                Some(News::Failed(code))
            }
            (Mode::Unknown | Mode::Ready | Mode::Online | Mode::Draining(_) | Mode::Raw, _) => None,
        }
    }

    // Steps

    fn enter(&mut self, purpose: Purpose, step: Step, now: Time, wire: &mut dyn Wire) {
        let wait = match step {
            Step::Sync { again } => {
                wire.send(if again { SYNC_AGAIN } else { SYNC });
                COMMAND
            }
            Step::Init => {
                wire.send(&self.init);
                COMMAND
            }
            Step::CallerId { old } => {
                wire.send(if old { OLD_CALLER_ID } else { CALLER_ID });
                COMMAND
            }
            Step::Abort => {
                wire.send(ABORT);
                ABORTED
            }
            Step::DropDtr { .. } => {
                wire.set_dtr(false);
                DTR_OFF
            }
            Step::RaiseDtr { .. } => {
                wire.set_dtr(true);
                DTR_ON
            }
            Step::Guard => GUARD,
            Step::Escape => {
                wire.send(ESCAPE);
                ESCAPED
            }
            Step::OnHook { .. } => {
                wire.send(ON_HOOK);
                COMMAND
            }
        };
        self.mode = Mode::Steps(purpose, step);
        self.until = now + wait;
    }

    /// A step has got an answer, or its time is over (`None`).
    fn step(
        &mut self,
        purpose: Purpose,
        step: Step,
        code: Option<ResultCode>,
        now: Time,
        wire: &mut dyn Wire,
    ) -> Option<News> {
        let done = matches!(code, Some(ResultCode::Ok | ResultCode::Error));
        let next = match (step, code) {
            (Step::Sync { .. }, Some(_)) if done => Step::Init,
            (Step::Sync { again: false }, None) => Step::DropDtr { answered: false },
            (Step::Sync { again: true } | Step::Init, None) => {
                self.mode = Mode::Unknown;
                return Some(News::Silent);
            }
            (Step::Init, Some(_)) if done => {
                if code == Some(ResultCode::Error) {
                    let init = String::from_utf8_lossy(&self.init);
                    report!(WARN, "the modem refuses the command {:?}", init.trim_end());
                }
                Step::CallerId { old: false }
            }
            (Step::CallerId { old: false }, Some(ResultCode::Error)) => {
                Step::CallerId { old: true }
            }
            // A modem that can't report who calls is ready, too.
            (Step::CallerId { .. }, code) if done || code.is_none() => {
                self.mode = Mode::Ready;
                self.until = Time::NEVER;
                return Some(News::Ready);
            }
            (Step::CallerId { .. }, _) => return None,
            // An answer to an earlier command.
            (Step::Sync { .. } | Step::Init, Some(_)) => return None,
            // It was connected just before it was aborted.
            (Step::Abort, Some(ResultCode::Connect(_))) => Step::DropDtr { answered: false },
            (Step::Abort, _) => Step::OnHook { answered: false },
            (Step::DropDtr { .. }, Some(_)) => {
                self.mode = Mode::Steps(purpose, Step::DropDtr { answered: true });
                return None;
            }
            (Step::DropDtr { answered }, None) => Step::RaiseDtr { answered },
            (Step::RaiseDtr { .. }, Some(_)) => {
                self.mode = Mode::Steps(purpose, Step::RaiseDtr { answered: true });
                return None;
            }
            (Step::RaiseDtr { .. }, None) if purpose == Purpose::Release => {
                self.mode = Mode::Unknown;
                return Some(News::OnHook { confirmed: true });
            }
            (Step::RaiseDtr { answered: true }, None) => Step::OnHook { answered: false },
            (Step::RaiseDtr { answered: false }, None) => Step::Guard,
            (Step::Guard, None) => Step::Escape,
            // It takes commands already, or again.
            (Step::Guard | Step::Escape, Some(_)) => Step::OnHook { answered: false },
            (Step::Escape, None) if purpose == Purpose::Prepare => Step::Sync { again: true },
            (Step::Escape, None) => Step::OnHook { answered: false },
            (Step::OnHook { .. }, Some(_)) if !done => {
                self.mode = Mode::Steps(purpose, Step::OnHook { answered: true });
                return None;
            }
            (Step::OnHook { .. }, _) if purpose == Purpose::Prepare => Step::Sync { again: true },
            (Step::OnHook { answered }, _) => {
                let confirmed = done || answered;
                self.mode = if confirmed { Mode::Ready } else { Mode::Unknown };
                self.until = Time::NEVER;
                return Some(News::OnHook { confirmed });
            }
        };
        self.enter(purpose, next, now, wire);
        None
    }
}
