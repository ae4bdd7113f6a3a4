//! What the program says, and where: results on stdout, everything else on stderr.
//!
//! Rules: with `--json` stdout holds one JSON object per line and nothing else. A reader who goes
//! away ([`Exit::BrokenPipe`]) is a wish to end, not an error. Colours only on a terminal, and not
//! with NO_COLOR. Nothing here is called from an upcall: a pipe that is not read may block.

use std::env::var_os;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::exit::{Exit, Failure};

/// Standard output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// JSON for machines, in place of text for people.
    pub(crate) json: bool,
    colours: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Output {
        Output { json, colours: !json && colours_on(&io::stdout()) }
    }

    /// Writes a line for people; nothing with `--json`.
    pub(crate) fn text(&self, line: impl fmt::Display) -> Result<(), Failure> {
        if self.json { Ok(()) } else { write(format_args!("{line}\n")) }
    }

    /// Writes an object for machines; nothing without `--json`.
    pub(crate) fn object(&self, object: &impl Serialize) -> Result<(), Failure> {
        if !self.json {
            return Ok(());
        }
        let line = serde_json::to_string(object).map_err(Failure::failed)?;
        write(format_args!("{line}\n"))
    }

    /// The text in a colour, where there are colours.
    pub(crate) fn paint<T: fmt::Display>(&self, colour: Colour, text: T) -> Painted<T> {
        Painted { colour: self.colours.then_some(colour), text }
    }
}

fn write(line: fmt::Arguments<'_>) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_fmt(line).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::silent(Exit::BrokenPipe),
        _ => Failure::failed(format_args!("the output can't be written: {error}")),
    })
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
    let _ = writeln!(io::stderr(), "ringback: {text}");
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
        f.write_str(match colour {
            Colour::Good => "\x1b[32m",
            Colour::Bad => "\x1b[1;31m",
            Colour::State => "\x1b[36m",
            Colour::Dim => "\x1b[2m",
            Colour::Bold => "\x1b[1m",
        })?;
        self.text.fmt(f)?;
        f.write_str("\x1b[0m")
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
        assert_eq!(format!("{green:>4}|"), "\x1b[32m  ok\x1b[0m|");
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
