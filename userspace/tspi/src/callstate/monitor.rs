//! Watches a provider's upcalls and reports violations of the order rules.
//!
//! It depends on nothing but what it is shown, in the order in which TAPI sees it. So it can watch
//! any provider: in tests, in a conformance run, in the demonstration.
//!
//! | rule | what is reported |
//! |---|---|
//! | O1 | a LINE_CALLSTATE of a new call before completion(0) of the request that makes it |
//! | N4 | any other event of a call that is not yet, or never, complete |
//! | N14 | an event of a call that was not announced; not LINE_CALLSTATE first after LINE_NEWCALL |
//! | O3 | a LINE_CALLSTATE after IDLE |
//! | O4 | a LINE_CALLINFO after IDLE |
//! | O5 | a digit, tone or media event after IDLE or DISCONNECTED |
//! | D2 | an event of a line, or of its calls, after lineClose |
//! | D5 | an event of a call after lineCloseCall |

use std::collections::HashMap;
use std::fmt;

use ringback_request::{ErrorCode, RequestId};

use super::CallState;
use crate::constants::*;
use crate::types::{DWORD, DWORD_PTR, HDRVCALL, HTAPICALL, HTAPILINE};

/// One thing that happened between TAPI and a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// TAPI calls a function that makes a new call, such as TSPI_lineMakeCall. Shown before the
    /// function is called.
    Making {
        /// The request that makes it.
        request: RequestId,
        /// TAPI's handle of the line.
        line: HTAPILINE,
        /// TAPI's handle of the new call.
        call: HTAPICALL,
    },
    /// The completion procedure was called; or, with an error, the function returned it (R4).
    Completed {
        /// The id of the request that is over.
        request: RequestId,
        /// Success, or why it failed.
        result: Result<(), ErrorCode>,
    },
    /// LINE_NEWCALL: the provider announces a call of its own.
    NewCall {
        /// TAPI's handle of the line.
        line: HTAPILINE,
        /// The provider's handle of the call.
        driver_call: HDRVCALL,
        /// The handle TAPI gave it; `None` if it could not (N15).
        call: Option<HTAPICALL>,
    },
    /// Any other message through the event procedure.
    Event {
        /// TAPI's handle of the line.
        line: HTAPILINE,
        /// The call; `None` for an event of the line.
        call: Option<HTAPICALL>,
        /// The message, LINE_CALLSTATE for example.
        message: DWORD,
        /// The message's dwParam1.
        param1: DWORD_PTR,
    },
    /// TSPI_lineCloseCall has returned.
    CallClosed {
        /// TAPI's handle of the call.
        call: HTAPICALL,
    },
    /// TSPI_lineClose has returned.
    LineClosed {
        /// TAPI's handle of the line.
        line: HTAPILINE,
    },
}

/// A rule that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is explained in the module's table")]
#[non_exhaustive]
pub enum Rule {
    D2,
    D5,
    N4,
    N14,
    O1,
    O3,
    O4,
    O5,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// One violation of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule that was broken.
    pub rule: Rule,
    /// The call; `None` if it was an event of a line.
    pub call: Option<HTAPICALL>,
    /// Which of the things seen it was, counted from 0.
    pub index: usize,
    /// What happened, in words.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at event {}: {}", self.rule, self.index, self.text)
    }
}

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// The request that makes it is not complete.
    Making(RequestId),
    /// The request that was to make it failed.
    Failed,
    /// LINE_NEWCALL came, its first state did not.
    Announced,
    /// Its state, once one was reported.
    Alive(Option<CallState>),
    /// lineCloseCall has returned.
    Closed,
}

/// Watches one provider. See the [module](self).
#[derive(Debug, Default)]
pub struct Monitor {
    calls: HashMap<HTAPICALL, (HTAPILINE, Life)>,
    closed_lines: Vec<HTAPILINE>,
    violations: Vec<Violation>,
    index: usize,
}

impl Monitor {
    /// A monitor that has seen nothing yet.
    pub fn new() -> Monitor {
        Monitor::default()
    }

    /// Takes in what happened next, and returns the violation if it broke a rule.
    pub fn see(&mut self, seen: Seen) -> Option<&Violation> {
        let found = self.judge(seen);
        let index = self.index;
        self.index += 1;
        let (rule, call, text) = found?;
        self.violations.push(Violation { rule, call, index, text });
        self.violations.last()
    }

    /// All violations so far.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The state of a call as last reported.
    pub fn state(&self, call: HTAPICALL) -> Option<CallState> {
        match self.calls.get(&call) {
            Some((_, Life::Alive(state))) => *state,
            _ => None,
        }
    }

    fn judge(&mut self, seen: Seen) -> Option<(Rule, Option<HTAPICALL>, String)> {
        match seen {
            Seen::Making { request, line, call } => {
                // A new line or call may have a handle that was closed before.
                self.closed_lines.retain(|closed| *closed != line);
                self.calls.insert(call, (line, Life::Making(request)));
                None
            }
            Seen::Completed { request, result } => {
                for (_, life) in self.calls.values_mut() {
                    if *life == Life::Making(request) {
                        *life = if result.is_ok() { Life::Alive(None) } else { Life::Failed };
                    }
                }
                None
            }
            Seen::NewCall { line, driver_call, call } => {
                self.new_call(line, driver_call, call).map(|(rule, text)| (rule, call, text))
            }
            Seen::Event { line, call, message, param1 } => {
                self.event(line, call, message, param1).map(|(rule, text)| (rule, call, text))
            }
            Seen::CallClosed { call } => {
                if let Some((_, life)) = self.calls.get_mut(&call) {
                    *life = Life::Closed;
                }
                None
            }
            Seen::LineClosed { line } => {
                self.calls.retain(|_, (of, _)| *of != line);
                self.closed_lines.push(line);
                None
            }
        }
    }

    fn new_call(
        &mut self,
        line: HTAPILINE,
        driver_call: HDRVCALL,
        call: Option<HTAPICALL>,
    ) -> Option<(Rule, String)> {
        let call = call?;
        if let Some((_, life)) = self.calls.get(&call)
            && !matches!(life, Life::Closed | Life::Failed)
        {
            return Some((
                Rule::N14,
                format!("LINE_NEWCALL for {driver_call}, which TAPI already knows as {call}"),
            ));
        }
        self.closed_lines.retain(|closed| *closed != line);
        self.calls.insert(call, (line, Life::Announced));
        None
    }

    fn event(
        &mut self,
        line: HTAPILINE,
        call: Option<HTAPICALL>,
        message: DWORD,
        param1: DWORD_PTR,
    ) -> Option<(Rule, String)> {
        let name = match line_message_name(message) {
            Some(name) => name.to_owned(),
            None => format!("message {message}"),
        };
        if self.closed_lines.contains(&line) {
            return Some((Rule::D2, format!("{name} of line {line} after it was closed")));
        }
        let is_state = message == LINE_CALLSTATE;
        let Some(call) = call else {
            return is_state.then(|| (Rule::N14, format!("{name} without a call")));
        };
        let Some((_, life)) = self.calls.get_mut(&call) else {
            return Some((Rule::N14, format!("{name} of call {call}, which was not announced")));
        };
        let state = u32::try_from(param1).ok().and_then(CallState::from_raw);
        match *life {
            Life::Making(request) if is_state => Some((
                Rule::O1,
                format!(
                    "{name} of call {call} before request {request}, which makes it, completed"
                ),
            )),
            Life::Making(request) => Some((
                Rule::N4,
                format!(
                    "{name} of call {call} before request {request}, which makes it, completed"
                ),
            )),
            Life::Failed => Some((
                Rule::N4,
                format!("{name} of call {call}, although the request that makes it failed"),
            )),
            Life::Announced => {
                *life = Life::Alive(state);
                (!is_state).then(|| {
                    (Rule::N14, format!("{name} of call {call} before its first LINE_CALLSTATE"))
                })
            }
            Life::Alive(Some(CallState::Idle)) => match message {
                LINE_CALLSTATE => {
                    Some((Rule::O3, format!("{name} of call {call} after it was idle")))
                }
                LINE_CALLINFO => {
                    Some((Rule::O4, format!("{name} of call {call} after it was idle")))
                }
                _ => monitoring(message, &name, call),
            },
            Life::Alive(Some(CallState::Disconnected)) if !is_state => {
                monitoring(message, &name, call)
            }
            Life::Alive(_) => {
                if is_state {
                    *life = Life::Alive(state);
                }
                None
            }
            Life::Closed => Some((Rule::D5, format!("{name} of call {call} after it was closed"))),
        }
    }
}

/// An event of monitoring that should have ended with the call (O5).
fn monitoring(message: DWORD, name: &str, call: HTAPICALL) -> Option<(Rule, String)> {
    matches!(message, LINE_MONITORDIGITS | LINE_MONITORTONE | LINE_MONITORMEDIA)
        .then(|| (Rule::O5, format!("{name} of call {call} after it ended")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::LineError;

    fn line() -> HTAPILINE {
        HTAPILINE::new(0x10).unwrap()
    }

    fn call(value: usize) -> HTAPICALL {
        HTAPICALL::new(value).unwrap()
    }

    fn making(request: u32, value: usize) -> Seen {
        let request = RequestId::new(request).unwrap();
        Seen::Making { request, line: line(), call: call(value) }
    }

    fn completed(request: u32, result: i32) -> Seen {
        let result = ErrorCode::result_of(result).unwrap();
        Seen::Completed { request: RequestId::new(request).unwrap(), result }
    }

    fn new_call(value: usize) -> Seen {
        let driver_call = HDRVCALL::new(value + 0x100).unwrap();
        Seen::NewCall { line: line(), driver_call, call: Some(call(value)) }
    }

    fn event(value: usize, message: u32) -> Seen {
        Seen::Event { line: line(), call: Some(call(value)), message, param1: 0 }
    }

    fn state(value: usize, state: CallState) -> Seen {
        let param1 = usize::try_from(state.bit()).unwrap();
        Seen::Event { line: line(), call: Some(call(value)), message: LINE_CALLSTATE, param1 }
    }

    /// The rules that a sequence breaks, with the index of each.
    fn broken(sequence: &[Seen]) -> Vec<(Rule, usize)> {
        let mut monitor = Monitor::new();
        for seen in sequence {
            monitor.see(*seen);
        }
        monitor.violations().iter().map(|v| (v.rule, v.index)).collect()
    }

    const ERROR: i32 = LineError::OPERATIONFAILED.raw();

    #[test]
    fn a_call_as_it_should_be() {
        let sequence = [
            making(1, 1),
            completed(1, 0),
            state(1, CallState::DialTone),
            event(1, LINE_CALLINFO),
            state(1, CallState::Connected),
            event(1, LINE_MONITORDIGITS),
            // Both orders of completion and state are right for a call that exists (O2).
            state(1, CallState::Idle),
            completed(2, 0),
            event(1, LINE_GENERATE),
            Seen::CallClosed { call: call(1) },
            new_call(1),
            state(1, CallState::Offering),
            event(1, LINE_CALLINFO),
            Seen::Event { line: line(), call: None, message: LINE_LINEDEVSTATE, param1: 2 },
            state(1, CallState::Idle),
            Seen::CallClosed { call: call(1) },
            Seen::LineClosed { line: line() },
        ];
        assert_eq!(broken(&sequence), []);
    }

    #[test]
    fn a_state_before_the_completion_is_against_o1() {
        let sequence = [making(5, 1), state(1, CallState::Dialing), completed(5, 0)];
        assert_eq!(broken(&sequence), [(Rule::O1, 1)]);
        // The completion of another request does not help.
        let sequence = [making(5, 1), completed(4, 0), state(1, CallState::Dialing)];
        assert_eq!(broken(&sequence), [(Rule::O1, 2)]);
    }

    #[test]
    fn an_event_before_the_completion_is_against_n4() {
        assert_eq!(broken(&[making(5, 1), event(1, LINE_CALLINFO)]), [(Rule::N4, 1)]);
        let sequence = [making(5, 1), completed(5, ERROR), state(1, CallState::Idle)];
        assert_eq!(broken(&sequence), [(Rule::N4, 2)], "the call never came about");
    }

    #[test]
    fn a_call_never_leaves_idle_o3_o4() {
        let idle = [making(1, 1), completed(1, 0), state(1, CallState::Idle)];
        let then = |seen| broken(&[&idle[..], &[seen]].concat());
        assert_eq!(then(state(1, CallState::Connected)), [(Rule::O3, 3)]);
        assert_eq!(then(state(1, CallState::Idle)), [(Rule::O3, 3)], "not even for idle");
        assert_eq!(then(event(1, LINE_CALLINFO)), [(Rule::O4, 3)]);
        assert_eq!(then(event(1, LINE_MONITORDIGITS)), [(Rule::O5, 3)]);
        assert_eq!(then(event(1, LINE_GATHERDIGITS)), [], "the cancelled collection is reported");
    }

    #[test]
    fn monitoring_ends_with_the_connection_o5() {
        let sequence = [
            making(1, 1),
            completed(1, 0),
            state(1, CallState::Disconnected),
            event(1, LINE_MONITORTONE),
            event(1, LINE_CALLINFO),
            state(1, CallState::Idle),
        ];
        assert_eq!(broken(&sequence), [(Rule::O5, 3)]);
    }

    #[test]
    fn a_call_is_announced_first_and_its_state_comes_next_n14() {
        assert_eq!(broken(&[state(1, CallState::Offering)]), [(Rule::N14, 0)]);
        assert_eq!(broken(&[new_call(1), event(1, LINE_CALLINFO)]), [(Rule::N14, 1)]);
        assert_eq!(broken(&[new_call(1), new_call(1)]), [(Rule::N14, 1)]);
        let sequence = [making(1, 1), new_call(1)];
        assert_eq!(broken(&sequence), [(Rule::N14, 1)], "only for calls TAPI does not know (N16)");
        let stateless =
            Seen::Event { line: line(), call: None, message: LINE_CALLSTATE, param1: 2 };
        assert_eq!(broken(&[stateless]), [(Rule::N14, 0)]);
        // TAPI uses the handle of a call that could not be made again.
        let sequence =
            [making(1, 1), completed(1, ERROR), new_call(1), state(1, CallState::Offering)];
        assert_eq!(broken(&sequence), []);
        // TAPI had no handle to give: there is no call, and nothing more to say about it (N15).
        let driver_call = HDRVCALL::new(7).unwrap();
        assert_eq!(broken(&[Seen::NewCall { line: line(), driver_call, call: None }]), []);
    }

    #[test]
    fn nothing_comes_after_closing_d2_d5() {
        let open = [making(1, 1), completed(1, 0), state(1, CallState::Connected)];
        let then = |seen: &[Seen]| broken(&[&open[..], seen].concat());
        let closed = Seen::CallClosed { call: call(1) };
        assert_eq!(then(&[closed, state(1, CallState::Idle)]), [(Rule::D5, 4)]);
        let closed = Seen::LineClosed { line: line() };
        assert_eq!(then(&[closed, state(1, CallState::Idle)]), [(Rule::D2, 4)]);
        let ringing =
            Seen::Event { line: line(), call: None, message: LINE_LINEDEVSTATE, param1: 2 };
        assert_eq!(then(&[closed, ringing]), [(Rule::D2, 4)]);
        assert_eq!(then(&[closed, new_call(2), state(2, CallState::Offering)]), []);
    }

    #[test]
    fn the_state_is_what_was_last_reported() {
        let mut monitor = Monitor::new();
        monitor.see(new_call(3));
        assert_eq!(monitor.state(call(3)), None);
        monitor.see(state(3, CallState::Offering));
        assert_eq!(monitor.state(call(3)), Some(CallState::Offering));
        assert!(monitor.see(state(4, CallState::Busy)).is_some_and(|violation| {
            violation.to_string()
                == "N14 at event 2: LINE_CALLSTATE of call 0x4, which was not announced"
        }));
    }
}
