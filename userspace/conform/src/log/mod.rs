//! What passed between TAPI and a provider, entry by entry.
//!
//! A log is a [`Header`] and [`Entry`]s in the order in which they were seen. As a file it is one
//! JSON object a line, the header first, so a file that was cut off is a valid log up to its last
//! whole line. A log comes from a run or from a file, which may be damaged or hostile;
//! [`Log::push`] accepts only entries that are possible, and so the rules can rely on this:
//! numbers rise, a function returns once and on the thread that called it, an upcall ends once and
//! on its own thread, and functions are those of TSPI.
//!
//! A function's entry is made before the function is called and the one of its return afterwards;
//! an upcall's entry is made at its beginning. If an upcall's entry follows the entry of a return,
//! it began after the return, or at least too late for a provider that waits for its own upcalls
//! before it returns.

mod data;
mod file;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

pub use data::{Data, Gave, Hex};
pub(crate) use file::write_line;
pub use file::{LINE_LIMIT, ReadError};
use ringback_tspi::functions;
use serde::{Deserialize, Serialize};

/// The format that is written, and the only one that is read.
pub const FORMAT: u32 = 2;

/// Where a log is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// The provider, as the user named it.
    pub provider: String,
    /// What was done with it, by name.
    pub scenario: String,
    /// The seed of the scenario, which repeats it.
    pub seed: u64,
    /// The functions that the provider does not export, by name.
    pub missing: Vec<String>,
    /// What was watched besides functions and upcalls.
    pub watched: Vec<Watch>,
}

/// Something that only the harness can observe, and a layer around a provider can't.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watch {
    /// Input memory, after its function has returned (B1).
    Inputs,
    /// Output memory: what was left unwritten (K4, C13), and what was overwritten (B4).
    Outputs,
}

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Counted from 0; other entries refer to this one by it.
    pub number: u64,
    /// The thread; threads are numbered from 0 in the order of their first entries.
    pub thread: u32,
    /// What was seen.
    pub what: What,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum What {
    /// TAPI is about to call a function.
    Called {
        /// Its C name.
        function: String,
        /// Its arguments by the names of the row's parameters.
        arguments: BTreeMap<String, Data>,
    },
    /// A function has returned.
    Returned {
        /// The number of the entry of its call.
        of: u64,
        /// Its result, as it was returned (T5).
        result: i32,
        /// What it gave back at once, in the order of the row's parameters.
        gave: Vec<Gave>,
        /// Structures that it was to fill, by the names of their parameters, as they are now.
        filled: BTreeMap<String, Hex>,
    },
    /// The provider makes an upcall.
    Upcall {
        /// Which set of callbacks it uses: each init passes one, counted from 0 (D15).
        way: u32,
        /// Which upcall it is.
        upcall: Upcall,
    },
    /// An upcall has returned to the provider.
    Answered {
        /// The number of the entry of its beginning.
        of: u64,
        /// TAPI's handle of a new call; `None` if it had no room (N15), and of other upcalls.
        call: Option<u64>,
    },
    /// TAPI has waited for outstanding completions and events, and nothing more came.
    Quiet {
        /// How long, in milliseconds.
        milliseconds: u64,
    },
    /// The provider's process was ended by a signal.
    Died {
        /// The signal's number.
        signal: i32,
    },
    /// The provider's process ended by itself.
    Exited {
        /// Its exit code.
        code: i32,
    },
    /// A function did not return.
    Hung {
        /// The number of the entry of its call.
        of: u64,
        /// How long it was waited for, in milliseconds.
        milliseconds: u64,
    },
    /// Memory that was handed in was used after its function had returned (B1).
    Touched {
        /// The number of the entry of the call.
        of: u64,
        /// The parameter's name in the row.
        parameter: String,
    },
    /// Memory that was to be filled is as it was, although the function or request has succeeded.
    Unwritten {
        /// The number of the entry of the call.
        of: u64,
        /// The parameter's name in the row.
        parameter: String,
    },
    /// Memory that is TAPI's was written (B4).
    Overwritten {
        /// The number of the entry of the call.
        of: u64,
        /// The parameter's name in the row.
        parameter: String,
        /// Where, in bytes from its start.
        offset: u64,
    },
}

/// An upcall with its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Upcall {
    /// ASYNC_COMPLETION.
    Completion {
        /// The request that is said to be over.
        request: u32,
        /// 0 or a negative error (C2).
        result: i32,
    },
    /// LINEEVENT with LINE_NEWCALL.
    NewCall {
        /// TAPI's handle of the line.
        line: u64,
        /// The provider's handle of the call.
        call: u64,
    },
    /// Any other LINEEVENT.
    Line {
        /// TAPI's handle of the line.
        line: u64,
        /// TAPI's handle of the call; 0 for an event of the line.
        call: u64,
        /// The message, LINE_CALLSTATE for example.
        message: u32,
        /// dwParam1 to dwParam3.
        params: [u64; 3],
    },
    /// PHONEEVENT.
    Phone {
        /// TAPI's handle of the phone.
        phone: u64,
        /// The message, PHONE_STATE for example.
        message: u32,
        /// dwParam1 to dwParam3.
        params: [u64; 3],
    },
}

/// Why an entry can't follow those before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Impossible {
    /// Its number is not its place in the log.
    #[error("entry {found} stands where entry {expected} should")]
    Number {
        /// The number it has.
        found: u64,
        /// The number it should have.
        expected: u64,
    },
    /// No such function.
    #[error("{0} is not a function of TSPI")]
    Function(String),
    /// A parameter that the function does not have.
    #[error("{function} has no parameter {parameter}")]
    Parameter {
        /// The function's C name.
        function: String,
        /// The name that was given.
        parameter: String,
    },
    /// It refers to a function or upcall that is not running.
    #[error("it is about entry {of}, which is no {what} that is under way on thread {thread}")]
    About {
        /// The entry it names.
        of: u64,
        /// What that entry should be.
        what: &'static str,
        /// The thread of the entry that names it.
        thread: u32,
    },
    /// The entry that it refers to is not the call of a function.
    #[error("it is about entry {0}, which is not the call of a function")]
    NoCall(u64),
}

/// What passed between TAPI and a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    header: Header,
    entries: Vec<Entry>,
    /// The thread of each function and upcall that is under way, by the number of its entry.
    open: HashMap<u64, u32>,
}

impl Log {
    /// A log without entries.
    pub fn new(header: Header) -> Log {
        Log { header, entries: Vec::new(), open: HashMap::new() }
    }

    /// Where it is from.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What was seen, in order; an entry's number is its place.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry with this number.
    pub fn entry(&self, number: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(number).ok()?)
    }

    /// The calls of functions that have not returned, by the numbers of their entries.
    pub fn running(&self) -> impl Iterator<Item = u64> {
        self.open.keys().copied().filter(|of| self.function(*of).is_ok())
    }

    /// Whether it was watched for this.
    pub fn watches(&self, watch: Watch) -> bool {
        self.header.watched.contains(&watch)
    }

    /// Adds what was seen next on a thread; the number of its entry.
    ///
    /// # Errors
    /// [`Impossible`] says why that can't follow; the log is as it was.
    pub fn add(&mut self, thread: u32, what: What) -> Result<u64, Impossible> {
        let number = self.entries.len() as u64;
        self.push(Entry { number, thread, what }).map(|()| number)
    }

    /// Adds the next entry.
    ///
    /// # Errors
    /// [`Impossible`] says why it can't be the next one; the log is as it was.
    pub fn push(&mut self, entry: Entry) -> Result<(), Impossible> {
        let Entry { number, thread, ref what } = entry;
        let expected = self.entries.len() as u64;
        if number != expected {
            return Err(Impossible::Number { found: number, expected });
        }
        match what {
            What::Called { function, arguments } => {
                check(function, arguments.keys())?;
                self.open.insert(number, thread);
            }
            What::Upcall { .. } => {
                self.open.insert(number, thread);
            }
            What::Returned { of, filled, .. } => {
                check(self.function(*of)?, filled.keys())?;
                self.end(*of, thread, "function")?;
            }
            What::Answered { of, .. } => {
                let is_upcall =
                    matches!(self.entry(*of), Some(Entry { what: What::Upcall { .. }, .. }));
                if !is_upcall {
                    return Err(Impossible::About { of: *of, what: "upcall", thread });
                }
                self.end(*of, thread, "upcall")?;
            }
            What::Hung { of, .. } => {
                self.function(*of)?;
                if !self.open.contains_key(of) {
                    return Err(Impossible::About { of: *of, what: "function", thread });
                }
            }
            What::Touched { of, parameter }
            | What::Unwritten { of, parameter }
            | What::Overwritten { of, parameter, .. } => {
                check(self.function(*of)?, [parameter].into_iter())?;
            }
            What::Quiet { .. } | What::Died { .. } | What::Exited { .. } => {}
        }
        self.entries.push(entry);
        Ok(())
    }

    /// The function whose call is this entry.
    fn function(&self, of: u64) -> Result<&str, Impossible> {
        match self.entry(of) {
            Some(Entry { what: What::Called { function, .. }, .. }) => Ok(function),
            _ => Err(Impossible::NoCall(of)),
        }
    }

    /// What began with this entry ends on this thread.
    fn end(&mut self, of: u64, thread: u32, what: &'static str) -> Result<(), Impossible> {
        if self.open.get(&of) != Some(&thread) {
            return Err(Impossible::About { of, what, thread });
        }
        self.open.remove(&of);
        Ok(())
    }
}

/// Checks that there is such a function and that it has these parameters.
fn check<'a>(
    function: &str,
    parameters: impl Iterator<Item = &'a String>,
) -> Result<(), Impossible> {
    let Some(row) = functions::find(function) else {
        return Err(Impossible::Function(function.to_owned()));
    };
    for parameter in parameters {
        if !row.parameters.iter().any(|of_row| of_row.name == parameter) {
            let (function, parameter) = (function.to_owned(), parameter.clone());
            return Err(Impossible::Parameter { function, parameter });
        }
    }
    Ok(())
}
