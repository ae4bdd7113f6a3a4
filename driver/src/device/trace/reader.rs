//! Reading a trace that somebody has sent.
//!
//! Whatever a file contains, reading it needs memory in proportion to its size at most, and ends
//! with an error that names the line.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use super::{CHIPS, FORMAT};
use crate::PortNumber;

/// The longest line; those of people are cut off before.
const LONGEST: usize = 1000;
/// The longest name of a chip.
const NAME: usize = 32;
/// The longest trace: a day.
const LONGEST_TIME: Duration = Duration::from_secs(86_400);

/// A chip of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedChip {
    /// Its name, such as `Si3210`.
    pub name: String,
    /// Where it is; `None` for the card's own chip.
    pub slot: Option<PortNumber>,
}

/// An access of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedAccess {
    /// When it was, since the trace began.
    pub at: Duration,
    /// The place of its chip in [`RecordedTrace::chips`].
    pub chip: usize,
    /// The register's number, or its byte offset in the card's own window.
    pub number: u16,
    /// Whether it was written; else it was read.
    pub written: bool,
    /// What was read or written.
    pub value: u32,
}

/// A trace that was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordedTrace {
    /// What it says about itself.
    pub about: Vec<String>,
    /// Its chips.
    pub chips: Vec<RecordedChip>,
    /// Its accesses, in their order.
    pub accesses: Vec<RecordedAccess>,
    /// How many accesses are missing in it.
    pub lost: u64,
}

/// What is wrong with a line of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceFault {
    /// The first line is not that of a trace of this version.
    NoTrace,
    /// It is not text, or longer than 1000 bytes.
    NoLine,
    /// It is none of the lines that a trace has.
    Unknown,
    /// A chip whose letter is taken or not the next one, or whose name or slot is none.
    Chip,
    /// An access whose chip was not named before.
    NoChip,
    /// A number that does not fit.
    Number,
    /// The trace lasts more than a day.
    TooLong,
}

impl fmt::Display for TraceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TraceFault::NoTrace => "a trace begins with \"ringback-trace 1\"",
            TraceFault::NoLine => "it is not text, or longer than 1000 bytes",
            TraceFault::Unknown => "it is no line of a trace",
            TraceFault::Chip => "a chip has the next letter, a name, and a slot if it is in one",
            TraceFault::NoChip => "its chip was not named before",
            TraceFault::Number => "a number in it is none, or too large",
            TraceFault::TooLong => "the trace lasts more than a day",
        })
    }
}

/// Why a trace can't be read.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error(
    "line {line} of the trace is damaged: {fault}; ask for the file again, compressed so that \
     nothing on the way changes it"
)]
pub struct TraceError {
    /// The number of the line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: TraceFault,
}

impl RecordedTrace {
    /// Reads a trace.
    ///
    /// # Errors
    /// A line is none of a trace, or says what can't be. A last line without its end is left out:
    /// the program that wrote it was killed.
    pub fn parse(bytes: &[u8]) -> Result<RecordedTrace, TraceError> {
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut lines = bytes[..whole].split_inclusive(|byte| *byte == b'\n').zip(1..);
        let mut trace = RecordedTrace::default();
        let mut now = Duration::ZERO;
        match lines.next() {
            Some((first, _)) if text(first) == Ok(FORMAT) => {}
            _ => return Err(TraceError { line: 1, fault: TraceFault::NoTrace }),
        }
        for (bytes, line) in lines {
            let read = text(bytes).and_then(|text| trace.line(text, &mut now));
            read.map_err(|fault| TraceError { line, fault })?;
        }
        Ok(trace)
    }

    fn line(&mut self, line: &str, now: &mut Duration) -> Result<(), TraceFault> {
        if let Some(about) = line.strip_prefix('#') {
            self.about.push(about.trim().to_owned());
            return Ok(());
        }
        let (first, rest) = line.split_once(' ').ok_or(TraceFault::Unknown)?;
        match first {
            "chip" => self.chip(rest),
            "lost" => {
                let lost = number::<u64>(rest, 10)?;
                self.lost = self.lost.saturating_add(lost);
                Ok(())
            }
            micros => self.access(micros, rest, now),
        }
    }

    fn chip(&mut self, rest: &str) -> Result<(), TraceFault> {
        let mut words = rest.split(' ');
        let next = u8::try_from(self.chips.len()).ok().filter(|next| usize::from(*next) < CHIPS);
        let next = next.map(|next| char::from(b'a' + next)).ok_or(TraceFault::Chip)?;
        let letter = words.next().ok_or(TraceFault::Chip)?;
        let name = words.next().filter(|name| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            (1..=NAME).contains(&name.len()) && name.bytes().all(allowed)
        });
        let name = name.ok_or(TraceFault::Chip)?.to_owned();
        let slot = words.next().map(|slot| number::<u8>(slot, 10).map(PortNumber)).transpose()?;
        let alone = letter.chars().eq([next]) && words.next().is_none();
        if !alone || self.chips.iter().any(|chip| chip.name == name && chip.slot == slot) {
            return Err(TraceFault::Chip);
        }
        self.chips.push(RecordedChip { name, slot });
        Ok(())
    }

    fn access(&mut self, micros: &str, rest: &str, now: &mut Duration) -> Result<(), TraceFault> {
        let micros = number::<u64>(micros, 10).map_err(|_| TraceFault::Unknown)?;
        let (register, value) = rest.split_once(' ').ok_or(TraceFault::Unknown)?;
        let mut letters = register.chars();
        let (chip, way) = (letters.next(), letters.next());
        let written = match way {
            Some('r') => false,
            Some('w') => true,
            _ => return Err(TraceFault::Unknown),
        };
        let named = usize::from(u8::try_from(self.chips.len()).unwrap_or(u8::MAX));
        let chip = ('a'..='z').take(named).position(|letter| Some(letter) == chip);
        let access = RecordedAccess {
            at: now.saturating_add(Duration::from_micros(micros)),
            chip: chip.ok_or(TraceFault::NoChip)?,
            number: number(letters.as_str(), 10)?,
            written,
            value: number(value, 16)?,
        };
        if access.at > LONGEST_TIME {
            return Err(TraceFault::TooLong);
        }
        *now = access.at;
        self.accesses.push(access);
        Ok(())
    }
}

fn text(line: &[u8]) -> Result<&str, TraceFault> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok(text) if text.len() <= LONGEST => Ok(text),
        _ => Err(TraceFault::NoLine),
    }
}

/// A number of digits alone, without a sign.
fn number<N: TryFrom<u64>>(text: &str, radix: u32) -> Result<N, TraceFault> {
    let digits = !text.is_empty() && text.chars().all(|digit| digit.is_digit(radix));
    let number = digits.then(|| u64::from_str_radix(text, radix).ok()).flatten();
    number.and_then(|number| N::try_from(number).ok()).ok_or(TraceFault::Number)
}

#[cfg(test)]
mod tests {
    use super::super::{NotedAccess, RegisterTrace};
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn refused(text: &str) -> (usize, TraceFault) {
        let error = RecordedTrace::parse(text.as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with(&format!("line {} of the trace", error.line)));
        (error.line, error.fault)
    }

    #[test]
    fn what_is_recorded_is_read() {
        let micros = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&micros);
        let about = ["card soft".to_owned(), "two\nlines".to_owned()];
        let trace = RegisterTrace::with_clock(&about, move || {
            Duration::from_nanos(clock.load(Ordering::Relaxed))
        });
        let access = |slot: Option<u8>, number, written, value| {
            let chip = if slot.is_some() { "Si3050" } else { "Tiger320" };
            NotedAccess { chip, slot: slot.map(PortNumber), number, written, value }
        };
        let mut text = String::new();
        for (nanos, access) in [
            (1_500, access(None, 0x24, false, 0x10_005C)),
            (2_999, access(Some(2), 5, true, 0x09)),
            (1_000_000, access(None, 1, true, 1)),
            (1_000_100, access(Some(3), 29, false, 0xD0)),
        ] {
            micros.store(nanos, Ordering::Relaxed);
            trace.note(access);
            text += &trace.fetch();
        }
        assert_eq!(
            text,
            "ringback-trace 1\n# card soft\n# two\n# lines\nchip a Tiger320\n1 ar36 10005c\n\
             chip b Si3050 2\n1 bw5 9\n998 aw1 1\nchip c Si3050 3\n0 cr29 d0\n"
        );
        let read = RecordedTrace::parse(text.as_bytes()).unwrap();
        assert_eq!(read.about, ["card soft", "two", "lines"]);
        assert_eq!((read.chips.len(), read.accesses.len(), read.lost), (3, 4, 0));
        assert_eq!(
            read.accesses[3],
            RecordedAccess {
                at: Duration::from_micros(1000),
                chip: 2,
                number: 29,
                written: false,
                value: 0xD0
            }
        );
    }

    #[test]
    fn what_is_not_fetched_in_time_is_counted() {
        let trace = RegisterTrace::with_clock(&[], || Duration::ZERO);
        let slot = Some(PortNumber(0));
        let access = NotedAccess { chip: "Si3210", slot, number: 1, written: false, value: 1 };
        let all = 400_000;
        (0..all).for_each(|_| trace.note(access));
        let mut text = trace.fetch();
        assert!(text.len() < 1 << 20);
        trace.note(access);
        text += &trace.fetch();
        let read = RecordedTrace::parse(text.as_bytes()).unwrap();
        assert!(read.lost > 0);
        assert_eq!(read.accesses.len() as u64 + read.lost, all + 1);
    }

    #[test]
    fn damaged_traces_are_refused_with_the_line() {
        assert_eq!(refused(""), (1, TraceFault::NoTrace));
        assert_eq!(refused("ringback-trace 2\n"), (1, TraceFault::NoTrace));
        assert_eq!(refused("ringback-trace 1"), (1, TraceFault::NoTrace), "no end of line");
        for (line, fault) in [
            ("chip b Si3050 2", TraceFault::Chip),
            ("chip a", TraceFault::Chip),
            ("chip a \u{1b}[2J", TraceFault::Chip),
            ("chip a Si3050 256", TraceFault::Number),
            ("chip a Si3050 -1", TraceFault::Number),
            ("chip a Si3050 1 2", TraceFault::Chip),
            ("5 ar1 0", TraceFault::NoChip),
            ("", TraceFault::Unknown),
            ("5", TraceFault::Unknown),
            ("lost +1", TraceFault::Number),
            ("lost 18446744073709551616", TraceFault::Number),
        ] {
            assert_eq!(
                refused(&format!("ringback-trace 1\n# x\n{line}\n")),
                (3, fault),
                "{line:?}"
            );
        }
        for (line, fault) in [
            ("chip b Si3050 2", TraceFault::Chip),
            ("5 ax1 0", TraceFault::Unknown),
            ("5 ar65536 0", TraceFault::Number),
            ("5 ar1 100000000", TraceFault::Number),
            ("5 ar1 ", TraceFault::Number),
            ("5 ar1 0 0", TraceFault::Number),
            ("5 ar 0", TraceFault::Number),
            ("5 br1 0", TraceFault::NoChip),
            ("5 {r1 0", TraceFault::NoChip),
            ("-5 ar1 0", TraceFault::Unknown),
            ("86400000001 ar1 0", TraceFault::TooLong),
            ("18446744073709551615 ar1 0", TraceFault::TooLong),
        ] {
            let text = format!("ringback-trace 1\nchip a Si3050 2\n1 ar1 ff\n{line}\n");
            assert_eq!(refused(&text), (4, fault), "{line:?}");
        }
        let long = format!("ringback-trace 1\n# {}\n", "x".repeat(1000));
        assert_eq!(refused(&long), (2, TraceFault::NoLine));
        let bytes = b"ringback-trace 1\n# \xff\n";
        assert_eq!(RecordedTrace::parse(bytes).unwrap_err().fault, TraceFault::NoLine);
    }

    #[test]
    fn a_last_line_that_was_cut_off_is_left_out() {
        let text = "ringback-trace 1\nchip a Si3050 2\n1 ar1 ff\n7 ar2 f";
        assert_eq!(RecordedTrace::parse(text.as_bytes()).unwrap().accesses.len(), 1);
    }

    #[test]
    fn there_are_as_many_chips_as_letters() {
        let chips: String = ('a'..='z')
            .zip(0..)
            .map(|(letter, slot)| format!("chip {letter} X {slot}\n"))
            .collect();
        let text = format!("ringback-trace 1\n{chips}");
        assert_eq!(RecordedTrace::parse(text.as_bytes()).unwrap().chips.len(), 26);
        assert_eq!(refused(&format!("{text}chip {{ X 26\n")), (28, TraceFault::Chip));
    }
}
