//! The numbers that are dialled, and texts for results and events in the journal.

use ringback_driver::request::ErrorCode;
use ringback_lines::{Event, Subject};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::error::LineError;

use crate::dice::Dice;

/// Dial strings that are difficult for a parser or a dialler.
const ODD: &[&str] = &[
    "",
    ";",
    "2;",
    "20;",
    "W",
    "W20",
    "WW20",
    "P12",
    "P20;",
    "P0",
    "!20",
    "20!",
    ",20",
    "20,,",
    "T5",
    "P1T2",
    "#",
    "*#06#",
    "ABCD",
    "+15550123",
    "555-0123",
    "(555) 01.23",
    "20|5^Somebody",
    "20\r\n21",
    "0@1",
    "0$1",
    "0?1",
    "20;1",
    "ring me",
    "\u{1F4DE}",
    "1234567890123456789012345678901234567890",
];

/// Usually the number of a subscriber or line.
pub(super) fn any(dice: &mut Dice, known: &[String]) -> String {
    match dice.below(10) {
        0 => dice.pick(ODD).unwrap_or_default().into(),
        1 => (0..dice.below(6)).map(|_| (b'0' + dice.below(10) as u8) as char).collect(),
        2 => format!("{};", dice.pick(known).unwrap_or_default()),
        3 => String::new(),
        _ => dice.pick(known).unwrap_or_default(),
    }
}

/// The name of a result.
pub(super) fn result(result: Result<(), ErrorCode>) -> String {
    match result.map_err(LineError::from) {
        Err(error) => format!("{error:?}"),
        Ok(()) => "0".to_owned(),
    }
}

/// An event as text.
pub(super) fn event(event: &Event) -> String {
    let Event::Line { subject, .. } = event else { return format!("{event:?}") };
    match *subject {
        Subject::NewCall(call) => format!("LINE_NEWCALL {call}"),
        Subject::Call { call, message, params: [first, second, third] } => {
            let state = u32::try_from(first).ok().and_then(CallState::from_raw);
            match (message, state) {
                (LINE_CALLSTATE, Some(state)) => format!("{call} {state} {second:#x}"),
                _ => {
                    let name = line_message_name(message).unwrap_or("?");
                    format!("{call} {name} {first:#x} {second:#x} {third:#x}")
                }
            }
        }
        Subject::Line { message, params } => {
            format!("{} {params:x?}", line_message_name(message).unwrap_or("?"))
        }
    }
}
