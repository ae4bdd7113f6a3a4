//! Calls, and the requests about them.

use std::ffi::{c_char, c_int};
use std::sync::Arc;

use ringback_host::{Call, CallOptions, Line, Pending, Reservation};
use ringback_tspi::error::LineError;

use super::{guarded, place};
use crate::host::LoadedHost;
use crate::registry::{CALLS, LINES, OwnedCall};
use crate::requests::{self, Request};
use crate::text;

/// Makes a request under an id: `reservation` has the host's own id for it. The caller says when it
/// is [`made`](Request::made).
fn make<On, T>(
    request: u32,
    line: u64,
    host: &LoadedHost,
    reservation: Reservation<'_, On>,
    ask: impl FnOnce(Reservation<'_, On>) -> Result<Pending<T>, LineError>,
) -> Result<(Arc<Request>, Pending<T>), LineError> {
    let found = requests::find(request)?;
    found.make(line)?;
    let host_id = reservation.id();
    host.making(host_id, &found);
    match ask(reservation) {
        Ok(pending) => Ok((found, pending)),
        Err(error) => {
            host.not_made(host_id);
            found.refused();
            Err(error)
        }
    }
}

/// As [`make`], for a request that returns nothing besides its completion.
fn make_of_call(
    request: u32,
    call: u64,
    ask: impl FnOnce(Reservation<'_, Call>) -> Result<Pending<()>, LineError>,
) -> Result<(), LineError> {
    let owned = CALLS.find(call)?;
    let (found, pending) = make(request, owned.line, &owned.host, owned.call.reserve(), ask)?;
    // Dropping it does not end the request, whose completion comes to the observer.
    drop(pending);
    found.made();
    Ok(())
}

/// Makes a call.
///
/// # Safety
/// `address` is NULL or a text, `call` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_call_make(
    request: u32,
    line: u64,
    address: *const c_char,
    call: *mut u64,
) -> i32 {
    guarded(|| {
        let place = place(call)?;
        // SAFETY: the caller guarantees a text.
        let address = unsafe { text::read(address, LineError::INVALADDRESS) }?;
        let open = LINES.find(line)?;
        let options = CallOptions::default();
        let ask = |reservation: Reservation<'_, Line>| reservation.make_call(&address, &options);
        let (found, pending) = make(request, line, &open.host, open.line.reserve(), ask)?;
        let made = pending.call();
        let handle = open.host.call_handle(made.handle().raw());
        let handle = handle.ok_or(LineError::OPERATIONFAILED)?;
        CALLS.insert(handle, OwnedCall { host: Arc::clone(&open.host), line, call: made });
        found.made();
        // SAFETY: the caller guarantees that it is writable.
        unsafe { place.put(handle) };
        Ok(())
    })
}

/// Dials more on a call.
///
/// # Safety
/// `address` is NULL or a text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_call_dial(request: u32, call: u64, address: *const c_char) -> i32 {
    guarded(|| {
        // SAFETY: the caller guarantees a text.
        let address = unsafe { text::read(address, LineError::INVALADDRESS) }?;
        make_of_call(request, call, |reservation| reservation.dial(&address))
    })
}

/// Answers a call.
#[unsafe(no_mangle)]
pub extern "C" fn rb_call_answer(request: u32, call: u64) -> i32 {
    guarded(|| make_of_call(request, call, |reservation| reservation.answer()))
}

/// Hangs up.
#[unsafe(no_mangle)]
pub extern "C" fn rb_call_drop(request: u32, call: u64) -> i32 {
    guarded(|| make_of_call(request, call, |reservation| reservation.drop_call()))
}

/// Closes a call.
#[unsafe(no_mangle)]
pub extern "C" fn rb_call_close(call: u64) -> i32 {
    guarded(|| {
        let owned = CALLS.find(call)?;
        owned.host.close_call(call, &owned)
    })
}

/// The state and the mode that a call is in now.
///
/// # Safety
/// `state` and `mode` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_call_state(call: u64, state: *mut u32, mode: *mut u32) -> i32 {
    guarded(|| {
        let (state, mode) = (place(state)?, place(mode)?);
        let status = CALLS.find(call)?.call.status()?;
        // SAFETY: the caller guarantees that it is writable.
        unsafe { state.put(status.state.bit()) };
        // SAFETY: the caller guarantees that it is writable.
        unsafe { mode.put(status.mode) };
        Ok(())
    })
}

/// The number of the party that calls, empty if it is not known.
///
/// # Safety
/// `number` is NULL, or writable for `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_call_caller(call: u64, number: *mut c_char, size: usize) -> i32 {
    guarded(|| {
        let info = CALLS.find(call)?.call.info()?;
        // SAFETY: the caller guarantees so many bytes.
        unsafe { text::write(number, size, info.caller.as_deref().unwrap_or_default()) }
    })
}

/// Sends DTMF digits; LINE_GENERATE with the id that this returns reports their end.
///
/// # Safety
/// `digits` is NULL or a text, `end_to_end_id` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_call_generate_digits(
    call: u64,
    digits: *const c_char,
    digit_ms: u32,
    end_to_end_id: *mut u32,
) -> i32 {
    guarded(|| {
        let place = place(end_to_end_id)?;
        // SAFETY: the caller guarantees a text.
        let digits = unsafe { text::read(digits, LineError::INVALPARAM) }?;
        let id = CALLS.find(call)?.call.generate_digits(&digits, digit_ms)?;
        // SAFETY: the caller guarantees that it is writable.
        unsafe { place.put(id) };
        Ok(())
    })
}

/// Starts or stops reporting the digits of the other side by LINE_MONITORDIGITS.
#[unsafe(no_mangle)]
pub extern "C" fn rb_call_monitor_digits(call: u64, on: c_int) -> i32 {
    guarded(|| CALLS.find(call)?.call.monitor_digits(on != 0))
}
