//! What checks with an application's calls share: a host, waiting for a call's states, and the end.

use std::time::Duration;

use ringback_host::{Call, Events, Host, LineEvent};
use ringback_tspi::callstate::CallState;

use crate::Outcome;

/// Limit of waits for what has to happen.
pub const LONG: Duration = Duration::from_secs(60);

/// An error as it is printed.
pub fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Waits for a state of the call, and prints those before it. Returns the state's mode.
///
/// # Errors
/// The call does not come to this state.
pub fn until(events: &Events, call: &Call, wanted: CallState) -> Result<u32, String> {
    for event in events.within(LONG) {
        if let LineEvent::State { call: of, state, mode, .. } = event
            && of == *call
        {
            println!("{state} {mode:#x}");
            if state == wanted {
                return Ok(mode);
            }
        }
    }
    Err(format!("the call did not come to {wanted}; it is {:?}", call.state()))
}

/// Hangs up, waits until the call is idle, and closes it.
///
/// # Errors
/// The call can't be hung up or closed.
pub fn hang_up(events: &Events, call: &Call) -> Outcome {
    call.drop_call().map_err(text)?.wait(LONG).map_err(text)?;
    until(events, call, CallState::Idle)?;
    call.close().map_err(text)?;
    Ok(())
}

/// Shuts the host down, and checks that every request has completed once, and not early.
///
/// # Errors
/// One has not, or the host does not shut down.
pub fn shut_down(host: &Host) -> Outcome {
    host.shutdown().map_err(text)?;
    let counts = host.counts();
    println!("{counts:?}");
    if counts.completed + counts.refused != counts.requests
        || counts.early + counts.duplicate + counts.lost != 0
    {
        return Err(format!("not every request completed once: {counts:?}"));
    }
    Ok(())
}
