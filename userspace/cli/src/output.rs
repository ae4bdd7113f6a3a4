//! What the program prints: results on stdout, everything else on stderr.
//!
//! Rules: with `--json` stdout has one JSON object per line and nothing else. A reader who closes
//! the pipe ([`Exit::BrokenPipe`]) ends the program without an error message. Colours are used on a
//! terminal only, and not with NO_COLOR. Stdout is not written in an upcall, because writing to a
//! full pipe blocks until its reader goes on or a signal comes. Writing to stderr never blocks for
//! long.

use std::borrow::Cow;
use std::env::var_os;
use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::write;
use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::signals::Signals;

/// A pipe that poll reports as writable takes at least this much.
const PIECE: usize = 4096;
/// How long a write to stderr may wait for its reader.
const UNREAD: Duration = Duration::from_millis(100);

/// Standard output. A write blocks until the reader takes it, but ends soon after a signal.
#[derive(Clone, Copy)]
pub(crate) struct Output<'a> {
    /// Whether JSON is printed in place of text.
    pub(crate) json: bool,
    /// Whether neither is printed.
    silent: bool,
    colours: bool,
    signals: &'a Signals,
}

impl<'a> Output<'a> {
    pub(crate) fn new(json: bool, signals: &'a Signals) -> Output<'a> {
        let colours = !json && colours_on(&io::stdout());
        Output { json, silent: false, colours, signals }
    }

    /// An output for what is of no interest beside a result.
    pub(crate) fn silent(signals: &'a Signals) -> Output<'a> {
        Output { silent: true, ..Output::new(false, signals) }
    }

    /// Prints a line of text; does nothing with `--json`.
    pub(crate) fn text(&self, line: impl fmt::Display) -> Result<(), Failure> {
        if self.json || self.silent {
            return Ok(());
        }
        self.write(coloured(&harmless(&format!("{line}\n"), true)).as_bytes())
    }

    /// Prints an object as a line of JSON; does nothing without `--json`.
    pub(crate) fn object(&self, object: &impl Serialize) -> Result<(), Failure> {
        if !self.json {
            return Ok(());
        }
        let line = serde_json::to_string(object).map_err(Failure::failed)?;
        self.write(format!("{}\n", json_harmless(&line)).as_bytes())
    }

    /// Writes bytes as they are.
    pub(crate) fn write(&self, mut bytes: &[u8]) -> Result<(), Failure> {
        let stdout = io::stdout();
        while !bytes.is_empty() {
            self.signals.wait_writable(stdout.as_fd())?;
            match put(stdout.as_fd(), bytes) {
                Ok(wrote) => bytes = bytes.get(wrote..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    return Err(Failure::silent(Exit::BrokenPipe));
                }
                Err(error) => {
                    let text = format!("the output can't be written: {error}");
                    return Err(Failure::failed(text));
                }
            }
        }
        Ok(())
    }

    /// Gives the text a colour, if colours are on.
    pub(crate) fn paint<T: fmt::Display>(&self, colour: Colour, text: T) -> Painted<T> {
        Painted { colour: self.colours.then_some(colour), text }
    }
}

/// Writes a piece to a descriptor that is ready, and returns how many bytes it took.
fn put(fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    match write(fd, bytes.get(..PIECE).unwrap_or(bytes)) {
        // Another process that shares the pipe has filled it since the poll.
        Err(nix::Error::EAGAIN | nix::Error::EINTR) => Ok(0),
        wrote => Ok(wrote?),
    }
}

/// Standard error. A line that its reader does not take in time is dropped: the log comes from
/// threads that must not wait, and a full pipe would keep the line off-hook.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let stderr = io::stderr();
        let until = Instant::now() + UNREAD;
        let mut rest = bytes;
        while !rest.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
            match poll(&mut [PollFd::new(stderr.as_fd(), PollFlags::POLLOUT)], timeout) {
                Ok(0) => break,
                Err(nix::Error::EINTR) => {}
                _ => rest = rest.get(put(stderr.as_fd(), rest)?..).unwrap_or_default(),
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns whether to print colours to this stream.
pub(crate) fn colours_on(stream: &impl IsTerminal) -> bool {
    wants_colours(stream.is_terminal(), var_os("NO_COLOR"), var_os("TERM"))
}

/// Returns whether to print colours: on a terminal that has them, and not with NO_COLOR
/// (no-color.org).
fn wants_colours(terminal: bool, no_color: Option<OsString>, term: Option<OsString>) -> bool {
    let declined = no_color.is_some_and(|value| !value.is_empty());
    terminal && !declined && term.is_some_and(|term| term != "dumb")
}

/// Prints something that is not a result on stderr: progress, or a hint. Errors are ignored.
pub(crate) fn note(text: impl fmt::Display) {
    let _ =
        Stderr.write_all(format!("ringback: {}\n", harmless(&text.to_string(), false)).as_bytes());
}

/// Prints on stderr why the command line is wrong.
pub(crate) fn complain(text: &str) {
    let _ = Stderr.write_all(harmless(text, true).as_bytes());
}

/// Escapes characters that a terminal would execute or that reverse the direction of writing. Names
/// of processes, devices, files and callers come from others and may contain them. Our own colours
/// are [marks](MARKS), which are kept.
fn harmless(text: &str, lines: bool) -> Cow<'_, str> {
    let harmful = |c: char| is_harmful(c) && !(lines && c == '\n');
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    let mut told = String::with_capacity(text.len());
    for c in text.chars() {
        if harmful(c) { told.extend(c.escape_default()) } else { told.push(c) }
    }
    Cow::Owned(told)
}

fn is_harmful(c: char) -> bool {
    // Control characters, and those that change the direction of writing.
    c.is_control()
        || matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// JSON escapes the control characters below the space; terminals obey others, too.
fn json_harmless(json: &str) -> Cow<'_, str> {
    if !json.contains(is_harmful) {
        return Cow::Borrowed(json);
    }
    let mut told = String::with_capacity(json.len());
    for c in json.chars() {
        // They occur in strings only, and all of them are below 0x10000, so that one escape is
        // enough.
        if is_harmful(c) { told.push_str(&format!("\\u{:04x}", c as u32)) } else { told.push(c) }
    }
    Cow::Owned(told)
}

/// Private stand-ins for the colours, in the order of [`Colour`], and for their end. They are
/// Unicode noncharacters, and are replaced when a line is written.
const MARKS: [char; 6] = ['\u{FDD0}', '\u{FDD1}', '\u{FDD2}', '\u{FDD3}', '\u{FDD4}', '\u{FDD5}'];
const ESCAPES: [&str; 6] = ["\x1b[32m", "\x1b[1;31m", "\x1b[36m", "\x1b[2m", "\x1b[1m", "\x1b[0m"];

/// Replaces the marks by the terminal's colour codes.
fn coloured(text: &str) -> String {
    MARKS
        .iter()
        .zip(ESCAPES)
        .fold(text.to_owned(), |text, (mark, escape)| text.replace(*mark, escape))
}

/// Prints progress that matters only to a user at a terminal.
pub(crate) fn progress(text: impl fmt::Display) {
    if io::stderr().is_terminal() {
        note(text);
    }
}

/// The colours, named by what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    Good,
    Bad,
    State,
    Dim,
    Bold,
}

/// A text that may have a colour. Width and alignment apply to the text without it.
#[derive(Debug)]
pub(crate) struct Painted<T> {
    colour: Option<Colour>,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(colour) = self.colour else { return self.text.fmt(f) };
        let [good, bad, state, dim, bold, end] = MARKS;
        f.write_char(match colour {
            Colour::Good => good,
            Colour::Bad => bad,
            Colour::State => state,
            Colour::Dim => dim,
            Colour::Bold => bold,
        })?;
        self.text.fmt(f)?;
        f.write_char(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_painted_text_keeps_its_width() {
        let plain = Painted { colour: None, text: "ok" };
        assert_eq!(format!("{plain:>4}|"), "  ok|");
        let green = Painted { colour: Some(Colour::Good), text: "ok" };
        assert_eq!(coloured(&format!("{green:>4}|")), "\x1b[32m  ok\x1b[0m|");
    }

    #[test]
    fn what_others_name_can_not_command_the_terminal() {
        let name = "a\x1b]0;title\x07b\u{9b}31mc\u{202E}d\r\ne";
        assert_eq!(harmless(name, false), "a\\u{1b}]0;title\\u{7}b\\u{9b}31mc\\u{202e}d\\r\\ne");
        assert!(harmless(name, true).ends_with("\\r\ne"), "a table has lines");
        assert_eq!(harmless("plain, \u{e4}", false), "plain, \u{e4}");
        let painted = Painted { colour: Some(Colour::Bad), text: name }.to_string();
        let told = coloured(&harmless(&painted, false));
        assert_eq!(told.matches('\x1b').count(), 2, "ours only: {told:?}");
    }

    #[test]
    fn what_others_name_stays_the_same_in_json() {
        let name = "a\x1b\u{9b}\x7f\u{202E}";
        let json = serde_json::to_string(name).unwrap();
        let told = json_harmless(&json);
        assert!(told.is_ascii(), "{told}");
        assert_eq!(serde_json::from_str::<String>(&told).unwrap(), name);
    }

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        let some = |text: &str| Some(OsString::from(text));
        assert!(wants_colours(true, None, some("xterm")));
        assert!(wants_colours(true, some(""), some("xterm")), "an empty NO_COLOR is none");
        assert!(!wants_colours(true, some("1"), some("xterm")));
        assert!(!wants_colours(true, None, some("dumb")));
        assert!(!wants_colours(true, None, None));
        assert!(!wants_colours(false, None, some("xterm")));
    }
}
