//! The completions and events that an application receives.

use ringback_host::{LineEvent, PhoneEvent};
use ringback_tspi::constants::*;

/// `rb_event` of ringback.h, field by field.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The size of the structure in this version of the library, in bytes.
    pub size: u32,
    /// LINE_REPLY, LINE_APPNEWCALL, LINE_CALLSTATE or another message of tspi.h.
    pub message: u32,
    /// The handle of the line, 0 for a phone.
    pub line: u64,
    /// The handle of the call, 0 for none.
    pub call: u64,
    /// The request that is complete; 0 unless the message is LINE_REPLY or PHONE_REPLY.
    pub request: u32,
    /// How it ended: 0 or a negative error.
    pub result: i32,
    /// dwParam1 to dwParam3 of any other message.
    pub params: [u64; 3],
    /// The handle of the phone, 0 for a line.
    pub phone: u64,
}

const SIZE: u32 = size_of::<Event>() as u32;

impl Event {
    /// The LINE_REPLY of a request.
    pub fn completion(line: u64, call: u64, request: u32, result: i32) -> Event {
        Event {
            size: SIZE,
            message: LINE_REPLY,
            line,
            call,
            request,
            result,
            params: [0; 3],
            phone: 0,
        }
    }

    /// The PHONE_REPLY of a request.
    pub fn phone_completion(phone: u64, request: u32, result: i32) -> Event {
        let event = Event::completion(0, 0, request, result);
        Event { message: PHONE_REPLY, phone, ..event }
    }

    /// The handle of the line or phone that it is about.
    pub fn device(&self) -> u64 {
        if self.phone == 0 { self.line } else { self.phone }
    }

    /// An event of a phone.
    pub fn of_phone(event: &PhoneEvent, phone: u64) -> Event {
        let (message, params) = match event {
            PhoneEvent::Button { id, mode, state, .. } => {
                (PHONE_BUTTON, [*id, *mode, *state].map(u64::from))
            }
            PhoneEvent::State { changed, detail, .. } => {
                (PHONE_STATE, [*changed, *detail, 0].map(u64::from))
            }
            PhoneEvent::Closed { .. } => (PHONE_CLOSE, [0; 3]),
            PhoneEvent::Other { message, params, .. } => {
                (*message, params.map(|param| u64::try_from(param).unwrap_or(u64::MAX)))
            }
            // Nothing is lost here, because every event is taken at once.
            _ => (PHONE_STATE, [u64::from(PHONESTATE_OTHER), 0, 0]),
        };
        Event { message, params, ..Event::phone_completion(phone, 0, 0) }
    }

    /// An event of a line.
    pub fn of(event: &LineEvent, line: u64, call: u64) -> Event {
        let (message, params) = match event {
            LineEvent::NewCall { .. } => (LINE_APPNEWCALL, [0; 3]),
            LineEvent::State { state, mode, media, .. } => {
                (LINE_CALLSTATE, [state.bit(), *mode, *media].map(u64::from))
            }
            LineEvent::CallInfo { changed, .. } => (LINE_CALLINFO, [u64::from(*changed), 0, 0]),
            LineEvent::Digit { digit, end, pulse, ticks, .. } => {
                let mode = match (end, pulse) {
                    (true, _) => LINEDIGITMODE_DTMFEND,
                    (false, true) => LINEDIGITMODE_PULSE,
                    (false, false) => LINEDIGITMODE_DTMF,
                };
                (LINE_MONITORDIGITS, [u32::from(*digit), mode, *ticks].map(u64::from))
            }
            LineEvent::Generated { end_to_end, done, .. } => {
                let why = if *done { LINEGENERATETERM_DONE } else { LINEGENERATETERM_CANCEL };
                (LINE_GENERATE, [why, *end_to_end, 0].map(u64::from))
            }
            LineEvent::Closed { .. } => (LINE_CLOSE, [0; 3]),
            LineEvent::Other { message, params, .. } => {
                (*message, params.map(|param| u64::try_from(param).unwrap_or(u64::MAX)))
            }
            // Nothing is lost here, because every event is taken at once.
            _ => (LINE_LINEDEVSTATE, [u64::from(LINEDEVSTATE_OTHER), 0, 0]),
        };
        Event { message, params, ..Event::completion(line, call, 0, 0) }
    }
}
