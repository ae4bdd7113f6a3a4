//! What an exchange is asked to do with the calls of a line.

use ringback_driver::Time;
use ringback_tspi::callstate::CallState;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring::DialString;
use ringback_tspi::error::LineError;
use ringback_tspi::types::HDRVCALL;

use crate::Command;
use crate::book::Book;
use crate::call::{Call, CallInfo, CallNotes};

/// A task for the exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Task {
    /// Hold the party of the conversation.
    Hold,
    /// Connect the party of this held call again, and give up the other call.
    Unhold(HDRVCALL),
    /// Hold the party of the conversation, and give this call the second dial tone.
    Consult(HDRVCALL),
    /// Hold the party of the conversation as the first of a conference: the conference call, and
    /// the call that gets the second dial tone.
    Confer(HDRVCALL, HDRVCALL),
    /// Hold the conference, and give this call the second dial tone.
    Prepare(HDRVCALL),
    /// Join the party of the conversation with that of this held conference call.
    Add(HDRVCALL),
    /// Release the party of this call from the conference.
    Remove(HDRVCALL),
    /// Connect the held party with the called one.
    Transfer,
    /// Hold the party of the conversation, dial, and connect it with whoever is called.
    Redirect(DialString),
    /// Connect the party of this held call, and hold that of the conversation.
    Swap(HDRVCALL),
    /// Connect the held party again, as the other call is over.
    Back,
    /// Join both parties in a conference, which is this new call.
    Conference(HDRVCALL),
    /// Give the held party of this call up.
    ReleaseHeld(HDRVCALL),
    /// Park the party of the conversation at this place.
    Park(DialString),
    /// Call back under this number, when the called line is free.
    CallBack(u32),
}

/// What is being asked of the exchange.
#[derive(Debug)]
pub(super) struct Switching {
    pub(super) task: Task,
    pub(super) stage: Stage,
}

/// How far that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Dialing,
    /// The exchange may refuse what was dialled, until this time.
    Settling(Time),
    /// Ringback has to be heard until this time.
    Calling(Time),
    /// The tone that confirms has to be heard until this time.
    Confirming(Time),
    /// It has refused, and is being told to go back to the conversation.
    Clearing,
}

/// The task of a command whose first call was checked. A call that it makes is put beside the
/// others, without a state.
///
/// # Errors
/// INVALCALLHANDLE or INVALCALLSTATE for its second call.
pub(super) fn task(book: &mut Book, command: Command) -> Result<Task, LineError> {
    let active = book.call.as_ref().map(|active| active.handle);
    Ok(match command {
        Command::Hold { .. } => Task::Hold,
        Command::Unhold { call } => Task::Unhold(call),
        Command::BlindTransfer { address, .. } => Task::Redirect(address),
        Command::SetupTransfer { consult, media, timing, notes, .. } => {
            let info = CallInfo::outbound(consult, media, String::new(), timing, notes);
            book.aside.push(Call::new(consult, info));
            Task::Consult(consult)
        }
        Command::SetupConference { made, media, timing, notes, .. } => {
            for call in made {
                let (called, notes) = (String::new(), notes.clone());
                let info = CallInfo::outbound(call, media, called, timing, notes);
                book.aside.push(Call::new(call, info));
            }
            Task::Confer(made[0], made[1])
        }
        Command::PrepareAddToConference { consult, media, timing, notes, .. } => {
            let info = CallInfo::outbound(consult, media, String::new(), timing, notes);
            book.aside.push(Call::new(consult, info));
            Task::Prepare(consult)
        }
        Command::AddToConference { call, consult } => {
            let held = book.living(call)?.state;
            book.living(consult)?;
            if held != Some(CallState::OnHoldPendConf) || active != Some(consult) {
                return Err(LineError::INVALCALLSTATE);
            }
            Task::Add(call)
        }
        Command::RemoveFromConference { call } => Task::Remove(call),
        Command::CompleteTransfer { call, consult, conference } => {
            let held = book.living(call)?.state;
            let reached = book.living(consult)?.state;
            if held != Some(CallState::OnHoldPendTransfer) || active != Some(consult) {
                return Err(LineError::INVALCALLSTATE);
            }
            let Some(conference) = conference else { return Ok(Task::Transfer) };
            if reached != Some(CallState::Connected) {
                return Err(LineError::INVALCALLSTATE);
            }
            let (media, timing) = (book.living(consult)?.info.media, DialTiming::default());
            let notes = CallNotes::default();
            let info = CallInfo::outbound(conference, media, String::new(), timing, notes);
            book.aside.push(Call::new(conference, info));
            Task::Conference(conference)
        }
        Command::Park { place, .. } => Task::Park(place),
        Command::CompleteCall { completion, .. } => Task::CallBack(completion),
        Command::SwapHold { call, held } => {
            book.living(held)?;
            if active != Some(call) || !book.is_aside(held) {
                return Err(LineError::INVALCALLSTATE);
            }
            Task::Swap(held)
        }
        _ => return Err(LineError::OPERATIONUNAVAIL),
    })
}
