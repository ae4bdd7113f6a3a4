//! What the program says, and where: results on stdout, everything else on stderr.
//!
//! Rules: with `--json` stdout holds one JSON object per line and nothing else. A reader who goes
//! away ([`Exit::BrokenPipe`]) is a wish to end, not an error. Colours only on a terminal, and not
//! with NO_COLOR. Stdout is not written in an upcall: a pipe that is not read makes its writer
//! wait, until a signal comes. Stderr makes nobody wait.

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

/// So much a pipe takes at once that says that it takes anything.
const PIECE: usize = 4096;
/// How long stderr may keep somebody who has something to say.
const UNREAD: Duration = Duration::from_millis(100);

/// Standard output. Whoever writes there waits for the reader, but not beyond a signal.
#[derive(Clone, Copy)]
pub(crate) struct Output<'a> {
    /// JSON for machines, in place of text for people.
    pub(crate) json: bool,
    colours: bool,
    signals: &'a Signals,
}

impl<'a> Output<'a> {
    pub(crate) fn new(json: bool, signals: &'a Signals) -> Output<'a> {
        Output { json, colours: !json && colours_on(&io::stdout()), signals }
    }

    /// Writes a line for people; nothing with `--json`.
    pub(crate) fn text(&self, line: impl fmt::Display) -> Result<(), Failure> {
        if self.json {
            return Ok(());
        }
        self.write(coloured(&harmless(&format!("{line}\n"), true)).as_bytes())
    }

    /// Writes an object for machines; nothing without `--json`.
    pub(crate) fn object(&self, object: &impl Serialize) -> Result<(), Failure> {
        if !self.json {
            return Ok(());
        }
        let line = serde_json::to_string(object).map_err(Failure::failed)?;
        self.write(format!("{}\n", json_harmless(&line)).as_bytes())
    }

    /// Writes what is put together already.
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

    /// The text in a colour, where there are colours.
    pub(crate) fn paint<T: fmt::Display>(&self, colour: Colour, text: T) -> Painted<T> {
        Painted { colour: self.colours.then_some(colour), text }
    }
}

/// Writes a piece to what is ready for it; the bytes that were taken.
fn put(fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    match write(fd, bytes.get(..PIECE).unwrap_or(bytes)) {
        // Somebody else was faster.
        Err(nix::Error::EAGAIN | nix::Error::EINTR) => Ok(0),
        wrote => Ok(wrote?),
    }
}

/// Standard error, which keeps nobody waiting: a line that nobody takes is dropped. The log comes
/// from threads that must not wait, and a pipe that is not read would keep the line off-hook.
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

/// Whether to colour what goes there.
pub(crate) fn colours_on(stream: &impl IsTerminal) -> bool {
    wants_colours(stream.is_terminal(), var_os("NO_COLOR"), var_os("TERM"))
}

/// Whether to colour: on a terminal that can, and not with NO_COLOR (no-color.org).
fn wants_colours(terminal: bool, no_color: Option<OsString>, term: Option<OsString>) -> bool {
    let declined = no_color.is_some_and(|value| !value.is_empty());
    terminal && !declined && term.is_some_and(|term| term != "dumb")
}

/// Says something on stderr that is not a result: progress, a hint. Whether it can be said does not
/// matter.
pub(crate) fn note(text: impl fmt::Display) {
    let _ =
        Stderr.write_all(format!("ringback: {}\n", harmless(&text.to_string(), false)).as_bytes());
}

/// Says on stderr why the command line can't be followed.
pub(crate) fn complain(text: &str) {
    let _ = Stderr.write_all(harmless(text, true).as_bytes());
}

/// What others have named (processes, devices, files, callers) may hold what a terminal takes for a
/// command, or writes backwards: such characters are written as what they are. A colour of ours is
/// [marked](MARKS) and stays.
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
    // Controls, and those that change the direction of writing.
    c.is_control()
        || matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// JSON escapes the controls below the space; terminals know others.
fn json_harmless(json: &str) -> Cow<'_, str> {
    if !json.contains(is_harmful) {
        return Cow::Borrowed(json);
    }
    let mut told = String::with_capacity(json.len());
    for c in json.chars() {
        // They are in strings only, and all below 0x10000.
        if is_harmful(c) { told.push_str(&format!("\\u{:04x}", c as u32)) } else { told.push(c) }
    }
    Cow::Owned(told)
}

/// What stands for the colours, in the order of [`Colour`], and for their end, until a line is
/// written: characters that are none.
const MARKS: [char; 6] = ['\u{FDD0}', '\u{FDD1}', '\u{FDD2}', '\u{FDD3}', '\u{FDD4}', '\u{FDD5}'];
const ESCAPES: [&str; 6] = ["\x1b[32m", "\x1b[1;31m", "\x1b[36m", "\x1b[2m", "\x1b[1m", "\x1b[0m"];

/// Makes colours of the marks.
fn coloured(text: &str) -> String {
    MARKS
        .iter()
        .zip(ESCAPES)
        .fold(text.to_owned(), |text, (mark, escape)| text.replace(*mark, escape))
}

/// Says something that is of interest only to somebody who watches.
pub(crate) fn progress(text: impl fmt::Display) {
    if io::stderr().is_terminal() {
        note(text);
    }
}

/// The colours that are used, by what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// A call's state.
    State,
    /// Less important.
    Dim,
    /// A heading.
    Bold,
}

/// A text that may have a colour. Widths and alignments are those of the text.
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
