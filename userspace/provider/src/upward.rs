//! Turns completions and events of the lines and phones into calls of TAPI's procedures.
//!
//! Everything here runs on the reaper's thread, one upcall at a time (C6), with no lock held.

use std::sync::{Arc, OnceLock};

use ringback_driver::engine::Failure;
use ringback_driver::reactor::{Handle, Upcalls};
use ringback_driver::report;
use ringback_driver::request;
use ringback_driver::request::LineNumber;
use ringback_lines::{Event, LineEngine, Subject};
use ringback_tspi::constants::{LINE_CLOSE, PHONE_CLOSE};
use ringback_tspi::provider::{Completion, LineMessage, PhoneMessage, Tapi};
use ringback_tspi::types::{HDRVCALL, HTAPILINE};

use super::calls::Calls;
use super::open_devices::{OpenLines, OpenPhones};
use super::phone_requests::PhoneRequests;

/// Turns completions and events into upcalls.
pub(super) struct Upward<L: LineEngine> {
    pub(super) tapi: Box<dyn Tapi>,
    pub(super) calls: Arc<Calls>,
    pub(super) lines: Arc<OpenLines>,
    pub(super) phones: Arc<OpenPhones>,
    pub(super) phone_requests: Arc<PhoneRequests>,
    /// Set before a line can be opened, and so before there can be events.
    pub(super) handle: Arc<OnceLock<Handle<L>>>,
}

impl<L: LineEngine> Upcalls<Event> for Upward<L> {
    fn completed(&mut self, completion: request::Completion) {
        let request::Completion { id, result, completed, .. } = completion;
        // T4: the provider's own record is removed first.
        self.calls.completed(id, result);
        let result = self.phone_requests.completed(id, result);
        self.tapi.completion(&Completion { id, result, completed });
    }

    fn event(&mut self, _: LineNumber, event: Event) {
        let (line, subject) = match event {
            Event::Line { line, subject } => (line, subject),
            Event::Phone(message) => return self.phone_event(&message),
        };
        match subject {
            Subject::NewCall(call) => self.new_call(line, call),
            Subject::Call { call, message, params } => {
                if let Some(tapi) = self.calls.tapi(call) {
                    self.tapi.line_event(&LineMessage { line, call: Some(tapi), message, params });
                }
            }
            Subject::Line { message, params } => {
                self.tapi.line_event(&LineMessage { line, call: None, message, params });
                if message == LINE_CLOSE {
                    // D13: TAPI does not use the handle any more after this.
                    self.lines.gone(line);
                    self.calls.line_closed(line);
                }
            }
        }
    }

    /// D13: sends LINE_CLOSE and PHONE_CLOSE for what is open when the card fails.
    fn over(&mut self, cause: Failure) {
        if cause == Failure::Closed {
            return;
        }
        for line in self.lines.take_all() {
            let (line, params) = (line.tapi, [0; 3]);
            self.tapi.line_event(&LineMessage { line, call: None, message: LINE_CLOSE, params });
            self.calls.line_closed(line);
        }
        for phone in self.phones.take_all() {
            let (phone, message, params) = (phone.tapi, PHONE_CLOSE, [0; 3]);
            self.tapi.phone_event(&PhoneMessage { phone, message, params });
        }
    }
}

impl<L: LineEngine> Upward<L> {
    fn phone_event(&mut self, message: &PhoneMessage) {
        self.tapi.phone_event(message);
        if message.message == PHONE_CLOSE {
            // D13: TAPI does not use the handle any more after this.
            self.phones.gone(message.phone);
        }
    }

    fn new_call(&mut self, line: HTAPILINE, call: HDRVCALL) {
        self.calls.born(line, call);
        match self.tapi.new_call(line, call) {
            Some(tapi) => {
                self.calls.named(call, tapi);
            }
            None => {
                // N15: TAPI has no room. Closing drops the call and its other events.
                report!(WARN, "incoming call {call} is dropped: there is no handle for it");
                self.calls.closed(call);
                if let Some(handle) = self.handle.get() {
                    // If the lines have failed, there is nothing to close.
                    let _ = handle.with(move |lines, cx| lines.close_call(call, cx));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use ringback_driver::card::tiger320::Tiger320;
    use ringback_driver::device::soft::SoftDevice;

    use super::*;
    use ringback_lines::{Lines, Opening};
    use ringback_tspi::types::{HTAPICALL, HTAPIPHONE, Version};

    /// Notes the messages of lines and phones.
    #[derive(Clone, Default)]
    struct Ear(Arc<Mutex<Vec<(usize, u32)>>>);

    impl Tapi for Ear {
        fn completion(&mut self, _: &Completion) {}
        fn line_event(&mut self, event: &LineMessage) {
            self.0.lock().unwrap().push((event.line.raw(), event.message));
        }
        fn new_call(&mut self, _: HTAPILINE, _: HDRVCALL) -> Option<HTAPICALL> {
            None
        }
        fn phone_event(&mut self, event: &PhoneMessage) {
            self.0.lock().unwrap().push((event.phone.raw(), event.message));
        }
    }

    #[test]
    fn d13_what_is_open_when_the_card_fails_is_closed_by_itself() {
        let tapi = |number| HTAPILINE::new(number).unwrap();
        for (cause, closed) in [
            (Failure::Closed, vec![]),
            (Failure::Internal, vec![(7, LINE_CLOSE), (8, LINE_CLOSE), (9, PHONE_CLOSE)]),
        ] {
            let (ear, lines) = (Ear::default(), Arc::new(OpenLines::new(&Arc::default())));
            let open = |index, number| {
                lines.opened(index, tapi(number), Opening::FIRST, Version::V3_1).unwrap()
            };
            let handles = [open(LineNumber(0), 7), open(LineNumber(1), 8)];
            let phones = Arc::new(OpenPhones::new(&Arc::default()));
            let phone = HTAPIPHONE::new(9).unwrap();
            let phone = phones.opened(LineNumber(0), phone, Opening::FIRST, Version::V3_1).unwrap();
            let mut upward = Upward::<Lines<Tiger320<SoftDevice<ringback_softcard::SoftCard>>>> {
                tapi: Box::new(ear.clone()),
                calls: Arc::default(),
                lines: Arc::clone(&lines),
                phones: Arc::clone(&phones),
                phone_requests: Arc::default(),
                handle: Arc::default(),
            };
            upward.over(cause);
            assert_eq!(*ear.0.lock().unwrap(), closed, "{cause}");
            assert_eq!(handles.map(|handle| lines.get(handle).is_err()), [!closed.is_empty(); 2]);
            assert_eq!(phones.get(phone).is_err(), !closed.is_empty());
        }
    }
}
