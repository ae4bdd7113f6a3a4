//! Lines, and the ids of requests.

use std::ffi::c_int;

use super::{guarded, place};
use crate::registry::{HOSTS, LINES};
use crate::requests;

/// Opens a line.
///
/// # Safety
/// `line` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_line_open(host: u64, device_id: u32, line: *mut u64) -> i32 {
    guarded(|| {
        let place = place(line)?;
        let handle = HOSTS.find(host)?.open_line(device_id)?;
        // SAFETY: the caller guarantees that it is writable.
        unsafe { place.put(handle) };
        Ok(())
    })
}

/// Closes a line.
#[unsafe(no_mangle)]
pub extern "C" fn rb_line_close(line: u64) -> i32 {
    guarded(|| {
        let open = LINES.find(line)?;
        open.host.close_line(line, &open)
    })
}

/// Whether a line works: an exchange feeds it, or it is a telephone's.
///
/// # Safety
/// `in_service` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_line_in_service(line: u64, in_service: *mut c_int) -> i32 {
    guarded(|| {
        let place = place(in_service)?;
        let status = LINES.find(line)?.line.status()?;
        // SAFETY: the caller guarantees that it is writable.
        unsafe { place.put(c_int::from(status.in_service)) };
        Ok(())
    })
}

/// Takes an id for a request on a line or on one of its calls.
///
/// # Safety
/// `request` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_request_new(line: u64, request: *mut u32) -> i32 {
    guarded(|| {
        let place = place(request)?;
        let id = requests::reserve(line, &LINES.find(line)?.host.deliveries)?;
        // SAFETY: the caller guarantees that it is writable.
        unsafe { place.put(id) };
        Ok(())
    })
}

/// Allows the delivery of a request's completion, whether the function that makes it has returned
/// or not.
#[unsafe(no_mangle)]
pub extern "C" fn rb_request_release(request: u32) -> i32 {
    guarded(|| {
        requests::find(request)?.release();
        Ok(())
    })
}

/// Frees an id with which no request was made.
#[unsafe(no_mangle)]
pub extern "C" fn rb_request_free(request: u32) -> i32 {
    guarded(|| {
        let found = requests::find(request)?;
        // From here on no thread can make the request.
        found.make(found.line)?;
        requests::forget(request);
        Ok(())
    })
}
