//! A log as a file: one JSON object a line, the header first.
//!
//! The file is not trusted. The length of a line is limited, so that a file without line ends can't
//! exhaust the memory, and every entry is checked by [`Log::push`].

use std::io::{self, BufRead, Read, Write};

use super::{Entry, FORMAT, Impossible, Log};

/// The most bytes of a line, far more than any TSPI function needs.
pub const LINE_LIMIT: u64 = 1 << 20;

/// What the header of every format has.
#[derive(serde::Deserialize)]
struct Format {
    format: u32,
}

/// The first bytes of a header; no entry begins with them.
const BEGIN: &[u8] = b"{\"format\"";

/// Why a file is not a log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It can't be read.
    #[error("line {line}: {error}")]
    Read {
        /// The line, counted from 1.
        line: u64,
        /// What the system says.
        error: io::Error,
    },
    /// There is no header.
    #[error("it is empty; the first line of a log is its header")]
    Empty,
    /// A line is too long.
    #[error("line {line} is longer than {LINE_LIMIT} bytes, which no line of a log is")]
    TooLong {
        /// The line, counted from 1.
        line: u64,
    },
    /// A line is not what the format says.
    #[error("line {line}: {error}")]
    Syntax {
        /// The line, counted from 1.
        line: u64,
        /// What is wrong, and in which column.
        error: serde_json::Error,
    },
    /// The log is of another format.
    #[error("line {line}: this is format {found}; this program reads format {FORMAT}")]
    Format {
        /// The line, counted from 1.
        line: u64,
        /// The format it has.
        found: u32,
    },
    /// An entry can't follow those before it.
    #[error("line {line}: {error}")]
    Impossible {
        /// The line, counted from 1.
        line: u64,
        /// Why it can't.
        error: Impossible,
    },
}

impl Log {
    /// Reads a log.
    ///
    /// # Errors
    /// [`ReadError`] names the line and says what is wrong with it; a second log is wrong too.
    pub fn read(file: impl BufRead) -> Result<Log, ReadError> {
        let mut logs = read(file, 1)?;
        logs.pop().ok_or(ReadError::Empty)
    }

    /// Reads a file of one or several logs, one behind the other.
    ///
    /// # Errors
    /// [`ReadError`] names the line and says what is wrong with it.
    pub fn read_all(file: impl BufRead) -> Result<Vec<Log>, ReadError> {
        read(file, usize::MAX)
    }

    /// Writes the log.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        write_line(&mut out, self.header())?;
        self.entries().iter().try_for_each(|entry| write_line(&mut out, entry))
    }
}

/// Reads at most so many logs.
fn read(mut file: impl BufRead, most: usize) -> Result<Vec<Log>, ReadError> {
    let (mut logs, mut text): (Vec<Log>, _) = (Vec::new(), Vec::new());
    let mut line = 1;
    while next_line(&mut file, line, &mut text)? {
        let entry = logs.last().map(|_| serde_json::from_slice::<Entry>(&text));
        let is_last = logs.len() == most || !text.starts_with(BEGIN);
        match (entry, logs.last_mut()) {
            (Some(Ok(entry)), Some(log)) => {
                log.push(entry).map_err(|error| ReadError::Impossible { line, error })?;
            }
            (Some(Err(error)), _) if is_last => {
                return Err(ReadError::Syntax { line, error });
            }
            _ => {
                let wrong = |error| ReadError::Syntax { line, error };
                // The header of another format may have other members.
                let Format { format } = serde_json::from_slice(&text).map_err(wrong)?;
                if format != FORMAT {
                    return Err(ReadError::Format { line, found: format });
                }
                logs.push(Log::new(serde_json::from_slice(&text).map_err(wrong)?));
            }
        }
        line += 1;
    }
    if logs.is_empty() { Err(ReadError::Empty) } else { Ok(logs) }
}

/// Writes a header or an entry as a line.
pub(crate) fn write_line(mut out: impl Write, value: &impl serde::Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line)
}

/// Reads the next line into `text`, without its end; `false` at the end of the file.
fn next_line(file: &mut impl BufRead, line: u64, text: &mut Vec<u8>) -> Result<bool, ReadError> {
    text.clear();
    let read = file.take(LINE_LIMIT + 1).read_until(b'\n', text);
    read.map_err(|error| ReadError::Read { line, error })?;
    if text.last() == Some(&b'\n') {
        text.pop();
    } else if text.len() as u64 > LINE_LIMIT {
        return Err(ReadError::TooLong { line });
    } else if text.is_empty() {
        return Ok(false);
    }
    Ok(true)
}
