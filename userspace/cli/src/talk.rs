//! What is sent and received on an answered call: digits, then sound, or data on a modem, until one
//! side hangs up.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use ringback_host::{Call, LineEvent, Pending, WaitError};
use ringback_tspi::error::LineError;
use ringback_tspi::media::{Audio, Data};

use crate::card::parse_seconds;
use crate::conversation::Conversation;
use crate::data::Bytes;
use crate::exit::{Exit, Failure};
use crate::files::Target;
use crate::output::Output;
use crate::signals::Signals;
use crate::sound::{Recording, Sound};

/// What is done once the call is answered.
#[derive(Debug, Clone, Args)]
pub(crate) struct TalkArguments {
    /// Play this WAV file (8 kHz mono) after the answer, then hang up
    #[arg(long, value_name = "FILE.wav")]
    play: Option<PathBuf>,
    /// Record the other side into this WAV file, which must not exist, from the answer on
    #[arg(long, value_name = "FILE.wav")]
    record: Option<PathBuf>,
    /// Record both sides into this WAV file, which must not exist, from the answer on: the other
    /// side on the left, this one on the right
    #[arg(long, value_name = "FILE.wav", conflicts_with = "record")]
    record_both: Option<PathBuf>,
    /// On a modem: send the bytes of this file once connected, then hang up, unless --receive or
    /// --hangup-after says otherwise
    #[arg(long, value_name = "FILE")]
    send: Option<PathBuf>,
    /// On a modem: write the received bytes into this file, which must not exist, until the other
    /// side hangs up
    #[arg(long, value_name = "FILE")]
    receive: Option<PathBuf>,
    /// Hang up this long after the answer. Without this, --play or --send the call lasts until the
    /// other side hangs up, or Ctrl-C
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    hangup_after: Option<Duration>,
    /// Print one JSON object per event instead of text: those of `ringback demo --help`, and at the
    /// end line_left (line, hook), if a line was opened, and result (outcome, exit, reason)
    #[arg(long)]
    json: bool,
}

impl TalkArguments {
    /// Opens the files to read, and checks those to write, before the card is opened.
    pub(crate) fn files(&self, overwrite: bool, signals: &Signals) -> Result<Files, Failure> {
        let read = [self.play.as_deref(), self.send.as_deref()];
        let look = |path: &Option<PathBuf>| {
            let path = path.as_deref();
            path.map(|path| Target::look(path, overwrite, &read, signals)).transpose()
        };
        let both = look(&self.record_both)?.map(Recording::both);
        let record = both.or(look(&self.record)?.map(Recording::heard));
        let receive = look(&self.receive)?;
        let [play, send] = read;
        Ok(Files {
            sound: Sound::open(play, record, signals)?,
            bytes: Bytes::open(send, receive, signals)?,
        })
    }

    /// Returns the first option that this kind of line does not support.
    fn misplaced(&self, modem: bool, digits: bool) -> Option<&'static str> {
        let options = [
            ("--digits", digits, false),
            ("--play", self.play.is_some(), false),
            ("--record", self.record.is_some(), false),
            ("--record-both", self.record_both.is_some(), false),
            ("--send", self.send.is_some(), true),
            ("--receive", self.receive.is_some(), true),
        ];
        options.into_iter().find(|(_, given, for_modem)| *given && *for_modem != modem).map(|o| o.0)
    }

    pub(crate) fn output<'a>(&self, signals: &'a Signals) -> Output<'a> {
        Output::new(self.json, signals)
    }
}

/// The files of a call.
#[derive(Debug)]
pub(crate) struct Files {
    sound: Sound,
    bytes: Bytes,
}

/// Why the conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    FarEnd,
    Here,
}

impl Conversation<'_> {
    /// Refuses options that the line does not support, before a call is made.
    pub(crate) fn check(&self, digits: bool, arguments: &TalkArguments) -> Result<(), Failure> {
        let Some(option) = arguments.misplaced(self.is_modem(), digits) else { return Ok(()) };
        let name = self.name();
        let text = if self.is_modem() {
            format!("{name} carries data and no sound: use --send and --receive, not {option}")
        } else {
            format!("{name} carries sound and no data: {option} is for modems")
        };
        Err(Failure::new(Exit::Usage, text))
    }

    /// Sends digits, then sound or data, until one side hangs up. To be called when the call is
    /// connected.
    pub(crate) fn talk(
        &mut self,
        call: &Call,
        digits: Option<&str>,
        files: Files,
        arguments: &TalkArguments,
    ) -> Result<(), Failure> {
        let Files { mut sound, mut bytes } = files;
        let answered = Instant::now();
        let name = self.name();
        let lost = |error| Failure::line(format_args!("{name} is lost"), error);
        let end = if self.is_modem() {
            let data = self.line.data().map_err(lost)?;
            let ended = self.transfer(call, &mut bytes, &data, arguments.hangup_after, answered);
            let received = bytes.finish(&data, self.signals);
            let end = ended?;
            if let (Some(bytes), Some(path)) = (received?, &arguments.receive) {
                self.say("this side", format!("received {bytes} bytes into {}", path.display()));
            }
            end
        } else {
            let audio = self.line.audio().map_err(lost)?;
            sound.start(&audio)?;
            let ended = self.talk_on(call, digits, &mut sound, &audio, arguments, answered);
            let recorded = sound.finish(&audio, self.signals);
            let end = ended?;
            let path = arguments.record.as_ref().or(arguments.record_both.as_ref());
            if let (Some(ms), Some(path)) = (recorded?, path) {
                let seconds = ms as f64 / 1000.0;
                self.say("this side", format!("recorded {seconds:.1} s into {}", path.display()));
            }
            end
        };
        if end == End::Here {
            self.say("this side", "hangs up".to_owned());
        }
        Ok(())
    }

    fn talk_on(
        &mut self,
        call: &Call,
        digits: Option<&str>,
        sound: &mut Sound,
        audio: &Audio,
        arguments: &TalkArguments,
        answered: Instant,
    ) -> Result<End, Failure> {
        let mut sending = None;
        let asked = call.monitor_digits(true).and_then(|()| {
            sending = digits.map(|digits| call.generate_digits(digits, 0)).transpose()?;
            Ok(())
        });
        match asked {
            // The other side has hung up first; the event that reports it follows.
            Ok(()) | Err(LineError::INVALCALLSTATE) => {}
            Err(error) => return Err(Failure::line("digits can't be sent or heard", error)),
        }
        loop {
            let event = self.beat()?;
            if self.is_over(event.as_ref())? {
                return Ok(End::FarEnd);
            }
            if let Some(LineEvent::Generated { end_to_end, .. }) = event
                && sending == Some(end_to_end)
            {
                sending = None;
            }
            sound.pump(audio, sending.is_none())?;
            let over = match arguments.hangup_after {
                Some(limit) => answered.elapsed() >= limit,
                None => sound.is_played(audio),
            };
            if over {
                return Ok(End::Here);
            }
        }
    }

    /// Sends and receives until one side hangs up, or there is nothing left to do.
    pub(crate) fn transfer(
        &mut self,
        call: &Call,
        bytes: &mut Bytes,
        data: &Data,
        hangup_after: Option<Duration>,
        connected: Instant,
    ) -> Result<End, Failure> {
        bytes.start()?;
        let mut source = bytes.take_source();
        let sends = source.is_some();
        let mut sending: Option<Pending<()>> = None;
        loop {
            let event = self.beat()?;
            if let Some(text) = bytes.pump(data)? {
                self.say("the other side", format!("sends {text:?}"));
            }
            if self.is_over(event.as_ref())? {
                return Ok(End::FarEnd);
            }
            if let Some(pending) = &sending {
                match pending.wait(Duration::ZERO) {
                    Err(WaitError::TimedOut) => {}
                    Ok(()) => sending = None,
                    // The call has ended; the event that reports it follows.
                    Err(WaitError::Failed(
                        LineError::OPERATIONFAILED | LineError::INVALCALLSTATE,
                    )) => (sending, source) = (None, None),
                    Err(error) => {
                        return Err(Failure::failed(format_args!("not all was sent: {error}")));
                    }
                }
            }
            if sending.is_none()
                && let Some(file) = &mut source
            {
                let piece = file.now()?;
                let count = piece.len();
                if count > 0 {
                    match call.send(piece) {
                        Ok(pending) => sending = Some(pending),
                        // The other side has hung up first; the event that reports it follows.
                        Err(LineError::INVALCALLSTATE) => source = None,
                        Err(error) => {
                            return Err(Failure::line("the bytes can't be sent", error));
                        }
                    }
                } else if file.is_over() {
                    source = None;
                    self.say("this side", "has sent everything".to_owned());
                }
                if let Some(file) = &mut source {
                    file.took(count);
                }
            }
            let over = match hangup_after {
                Some(limit) => connected.elapsed() >= limit,
                None => sends && source.is_none() && sending.is_none() && !bytes.is_receiving(),
            };
            if over {
                return Ok(End::Here);
            }
        }
    }
}
