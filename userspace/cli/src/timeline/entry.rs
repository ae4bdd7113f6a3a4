//! One entry of the log, and its form in JSON.

use ringback_driver::Time;
use ringback_host::{Call, LineEvent};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::{
    LINE_LINEDEVSTATE, LINECALLINFOSTATE, LINECALLINFOSTATE_CALLERID, LINECALLINFOSTATE_DISPLAY,
    LINECALLPARTYID_BLOCKED, LINECALLPARTYID_OUTOFAREA, LINEDEVSTATE_MSGWAITOFF,
    LINEDEVSTATE_MSGWAITON, line_message_name,
};
use serde::Serialize;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// The time of CLOCK_MONOTONIC.
    pub(crate) at: Time,
    pub(crate) line: Option<u32>,
    pub(crate) what: What,
}

/// An entry as JSON: time, line and event.
#[derive(Debug, Serialize)]
pub(crate) struct EntryObject<'a> {
    /// Milliseconds since the start.
    pub(crate) t_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u32>,
    #[serde(flatten)]
    pub(crate) what: &'a What,
}

/// An event. `call` is TAPI's handle, `id` the request id.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum What {
    /// A function is about to be called; `call` is the call that it makes or refers to.
    Submitted { id: u32, function: &'static str, call: usize },
    /// The function has returned its request id.
    Returned { id: u32 },
    /// The function has returned an error, so that no completion follows (R4).
    Refused { id: u32, result: i32, error: String },
    /// The request was completed, `early` if that was before the function had returned.
    Completed { id: u32, early: bool },
    /// The completion was delivered to the application, with 0 or a negative error.
    Delivered { id: u32, result: i32 },
    /// A completion arrived for a request that is completed already or does not exist.
    Duplicate { id: u32, result: i32 },
    /// The provider shut down without completing the request.
    Lost { id: u32 },
    /// LINE_NEWCALL was delivered.
    NewCall { call: usize },
    /// LINE_CALLSTATE.
    CallState {
        call: usize,
        state: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        mode: Option<String>,
        #[serde(skip)]
        bit: u32,
    },
    /// LINE_CALLINFO was delivered; the fields have what is known now.
    CallInfo {
        call: usize,
        changed: String,
        #[serde(skip)]
        bits: u32,
    },
    /// Who calls, as far as is known: number and name, or why there is no number, and when.
    Caller {
        call: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        number: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        unknown: Option<&'static str>,
        /// The exchange's time of the call.
        #[serde(skip_serializing_if = "Option::is_none")]
        time: Option<String>,
    },
    /// What the exchange shows about a call in its course: who else calls.
    Shown { call: usize, text: String },
    /// Whether messages wait for whoever is at the line, because that has changed.
    Messages { waiting: bool },
    /// LINE_MONITORDIGITS: a digit from the other side began or ended.
    Digit { call: usize, digit: char, end: bool },
    /// LINE_GENERATE: our digits were sent, or cancelled.
    Generated { call: usize, end_to_end_id: u32, done: bool },
    /// How loud the line was in the last second, and how many samples were clipped.
    Levels { heard_dbm0: f64, heard_clipped: u64, sent_dbm0: f64, sent_clipped: u64 },
    /// LINE_CLOSE: the provider has closed the line.
    LineClosed,
    /// Any other message was delivered.
    Message {
        #[serde(skip_serializing_if = "Option::is_none")]
        call: Option<usize>,
        message: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'static str>,
        params: [usize; 3],
    },
    /// lineCloseCall has returned.
    CallClosed { call: usize },
    /// The far end does something.
    Does { who: String, does: String },
    /// Something was checked: what was found, and whether it is as expected.
    Check { what: String, ok: bool, found: String },
}

impl What {
    /// Converts an event of a line.
    pub(super) fn of_event(event: &LineEvent) -> What {
        match event {
            LineEvent::NewCall { call, .. } => What::NewCall { call: call.handle().raw() },
            LineEvent::State { call, state, mode, .. } => {
                What::state(call.handle().raw(), *state, *mode)
            }
            LineEvent::CallInfo { call, changed, .. } => What::CallInfo {
                call: call.handle().raw(),
                changed: LINECALLINFOSTATE.show(*changed).to_string(),
                bits: *changed,
            },
            LineEvent::Digit { call, digit, end, .. } => {
                What::Digit { call: call.handle().raw(), digit: *digit, end: *end }
            }
            LineEvent::Generated { call, end_to_end, done, .. } => What::Generated {
                call: call.handle().raw(),
                end_to_end_id: *end_to_end,
                done: *done,
            },
            LineEvent::Closed { .. } => What::LineClosed,
            LineEvent::Other { call, message, params, .. } => What::Message {
                call: call.as_ref().map(|call| call.handle().raw()),
                message: *message,
                name: line_message_name(*message),
                params: *params,
            },
            // An event of a kind that is newer than this program.
            _ => What::Message { call: None, message: u32::MAX, name: None, params: [0; 3] },
        }
    }

    /// Who calls; `None` if nothing is known about it.
    pub(crate) fn caller(call: &Call) -> Option<What> {
        let info = call.info().ok()?;
        let unknown = match info.caller_flags {
            LINECALLPARTYID_BLOCKED => Some("withheld"),
            LINECALLPARTYID_OUTOFAREA => Some("out of area"),
            _ => None,
        };
        let (number, name, time) = (info.caller, info.caller_name, info.display);
        (number.is_some() || name.is_some() || unknown.is_some()).then(|| What::Caller {
            call: call.handle().raw(),
            number,
            name,
            unknown,
            time,
        })
    }

    /// What the exchange shows in the course of a call, if these parts of it have changed; who
    /// calls is [`What::caller`].
    pub(crate) fn shown(call: &Call, changed: u32) -> Option<What> {
        let both = LINECALLINFOSTATE_DISPLAY | LINECALLINFOSTATE_CALLERID;
        let shows = changed & both == LINECALLINFOSTATE_DISPLAY;
        let text = call.info().ok().filter(|_| shows)?.display?;
        Some(What::Shown { call: call.handle().raw(), text })
    }

    /// What a line tells of waiting messages; `None` if the event is about something else.
    pub(crate) fn messages(event: &LineEvent) -> Option<What> {
        let LineEvent::Other { call: None, message: LINE_LINEDEVSTATE, params, .. } = event else {
            return None;
        };
        let on = params[0] == LINEDEVSTATE_MSGWAITON as usize;
        let off = params[0] == LINEDEVSTATE_MSGWAITOFF as usize;
        (on || off).then_some(What::Messages { waiting: on })
    }

    /// A call's state, with the name of its mode.
    pub(super) fn state(call: usize, state: CallState, mode: u32) -> What {
        let mode =
            state.mode_family().filter(|_| mode != 0).map(|family| family.show(mode).to_string());
        What::CallState { call, state: state.name(), mode, bit: state.bit() }
    }

    /// Returns the id of the request that the entry is about.
    pub(super) fn request(&self) -> Option<u32> {
        match self {
            What::Submitted { id, .. }
            | What::Returned { id }
            | What::Refused { id, .. }
            | What::Completed { id, .. }
            | What::Delivered { id, .. }
            | What::Duplicate { id, .. }
            | What::Lost { id } => Some(*id),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;

    fn value(what: &What) -> serde_json::Value {
        to_value(EntryObject { t_ms: 1.5, line: Some(2), what }).unwrap()
    }

    #[test]
    fn an_entry_is_one_flat_object() {
        let submitted = What::Submitted { id: 7, function: "lineMakeCall", call: 3 };
        assert_eq!(
            value(&submitted),
            json!({"t_ms": 1.5, "line": 2, "event": "submitted", "id": 7,
                "function": "lineMakeCall", "call": 3})
        );
        assert_eq!(submitted.request(), Some(7));
        assert_eq!(
            value(&What::LineClosed),
            json!({"t_ms": 1.5, "line": 2, "event": "line_closed"})
        );
    }

    #[test]
    fn what_an_exchange_shows_is_told_with_its_call() {
        let shown = What::Shown { call: 3, text: "waiting: 5550123".to_owned() };
        assert_eq!(
            value(&shown),
            json!({"t_ms": 1.5, "line": 2, "event": "shown", "call": 3,
                "text": "waiting: 5550123"})
        );
    }

    #[test]
    fn a_state_bears_the_name_of_its_mode() {
        let offering = What::state(3, CallState::Offering, 1);
        assert_eq!(
            value(&offering),
            json!({"t_ms": 1.5, "line": 2, "event": "call_state", "call": 3, "state": "OFFERING",
                "mode": "ACTIVE"})
        );
        assert_eq!(
            value(&What::state(3, CallState::Idle, 0)),
            json!({"t_ms": 1.5, "line": 2, "event": "call_state", "call": 3, "state": "IDLE"})
        );
        assert_eq!(offering.request(), None);
    }
}
