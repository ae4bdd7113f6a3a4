//! One record for each call, as a line of JSON.
//!
//! A record that can't be written ends nothing: the log says so.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::warn;

use crate::cause::{Cause, Refusal};
use crate::exit::Failure;
use crate::media::MediaReport;

/// Which side began a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Direction {
    /// From the line to the PBX.
    In,
    /// From the PBX to the line.
    Out,
}

/// Which side ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EndedBy {
    /// The line: its exchange, or who is behind that.
    Line,
    /// The PBX.
    Pbx,
    /// The gateway itself.
    Gateway,
}

/// How a call has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallEnd {
    /// SIP's status; 200 for a call that was answered.
    pub(crate) status: u16,
    pub(crate) cause: Cause,
    pub(crate) by: EndedBy,
}

impl CallEnd {
    /// A call that was answered has ended.
    pub(crate) fn answered(cause: Cause, by: EndedBy) -> CallEnd {
        CallEnd { status: 200, cause, by }
    }

    /// A call was not answered.
    pub(crate) fn refused(refusal: Refusal, by: EndedBy) -> CallEnd {
        CallEnd { status: refusal.status, cause: refusal.cause, by }
    }
}

impl fmt::Display for CallEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.by {
            EndedBy::Line => "line",
            EndedBy::Pbx => "PBX",
            EndedBy::Gateway => "gateway",
        };
        write!(f, "by the {by}: status {}, cause {}", self.status, self.cause.0)
    }
}

/// A call.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CallRecord {
    /// When it began, in UTC (RFC 3339).
    began: String,
    /// When it was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<String>,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    /// The line.
    line: u32,
    direction: Direction,
    /// Who called, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// Who was called.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// The dialog's Call-ID, if the PBX was called at all.
    #[serde(skip_serializing_if = "String::is_empty")]
    call_id: String,
    status: u16,
    /// The cause of ITU-T Q.850.
    cause: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_by: Option<EndedBy>,
    /// Its sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    rtp: Option<MediaReport>,
}

impl CallRecord {
    /// A call that begins now.
    pub(crate) fn begin(
        line: u32,
        direction: Direction,
        from: Option<String>,
        to: &str,
        call_id: String,
    ) -> CallRecord {
        CallRecord {
            began: now(),
            answered: None,
            ended: None,
            line,
            direction,
            from,
            to: Some(to.to_owned()),
            call_id,
            status: 0,
            cause: 0,
            ended_by: None,
            rtp: None,
        }
    }

    /// It is answered now.
    pub(crate) fn answered(&mut self) {
        self.answered = Some(now());
    }

    /// It is over now.
    pub(crate) fn end(self, end: CallEnd, rtp: Option<MediaReport>) -> CallRecord {
        let CallEnd { status, cause, by } = end;
        CallRecord { ended: Some(now()), status, cause: cause.0, ended_by: Some(by), rtp, ..self }
    }
}

/// The time now, in UTC.
fn now() -> String {
    OffsetDateTime::from(SystemTime::now()).format(&Rfc3339).unwrap_or_default()
}

/// Where the records go.
#[derive(Clone)]
pub(crate) struct CallRecords(Arc<Mutex<RecordWriter>>);

struct RecordWriter {
    file: Box<dyn Write + Send>,
    /// Whether numbers are among what is written.
    numbers: bool,
}

impl CallRecords {
    /// Appends to a file, which only its owner can read if it is new; standard output without one.
    pub(crate) fn open(path: Option<&Path>, numbers: bool) -> Result<CallRecords, Failure> {
        let file = CallRecords::file(path)?;
        Ok(CallRecords(Arc::new(Mutex::new(RecordWriter { file, numbers }))))
    }

    /// Appends to this file from now on, also if it is a new one of the same name.
    pub(crate) fn reopen(&self, path: Option<&Path>, numbers: bool) -> Result<(), Failure> {
        let file = CallRecords::file(path)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = RecordWriter { file, numbers };
        Ok(())
    }

    fn file(path: Option<&Path>) -> Result<Box<dyn Write + Send>, Failure> {
        let Some(path) = path else { return Ok(Box::new(io::stdout())) };
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
        let file = file.map_err(|error| {
            let name = path.display();
            Failure::failed(format_args!("the call records {name} can't be written: {error}"))
        })?;
        Ok(Box::new(file))
    }

    pub(crate) fn write(&self, record: CallRecord) {
        let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let record = match writer.numbers {
            true => record,
            false => CallRecord { from: None, to: None, ..record },
        };
        let Ok(line) = serde_json::to_string(&record) else { return };
        if let Err(error) = writer.file.write_all(format!("{line}\n").as_bytes()) {
            warn!("a call record can't be written: {error}");
        }
    }
}
