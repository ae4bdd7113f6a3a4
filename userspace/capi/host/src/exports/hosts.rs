//! Hosts, and the delivery of completions and events.

use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;
use std::thread;

use ringback_tspi::error::{LineError, PhoneError};
use ringback_tspi::ffi::Loaded;

use super::{guarded, place};
use crate::event::Event;
use crate::host::{LoadedHost, OpenError};
use crate::registry::{self, HOSTS};
use crate::{asker, text};

/// `rb_callback`: the application's function for completions and events.
pub type Callback = unsafe extern "C" fn(*mut c_void, *const Event);

/// Loads a provider and starts it. `rb_failure` says in words why not.
///
/// # Safety
/// `provider` is NULL or a text, `host` NULL or writable. The functions that the library at that
/// path exports under the names of TSPI are TSPI's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_host_open(provider: *const c_char, host: *mut u64) -> i32 {
    guarded(|| {
        let place = place(host)?;
        // SAFETY: the caller guarantees a text.
        let path = unsafe { text::read(provider, LineError::INVALPARAM) }?;
        let unloadable = |error: &dyn std::fmt::Display| OpenError {
            error: LineError::NODRIVER,
            cause: error.to_string(),
        };
        // SAFETY: the caller guarantees that the library is a provider.
        let opened = unsafe { Loaded::open(&path) }
            .map_err(|error| unloadable(&error))
            .and_then(LoadedHost::start);
        let opened = opened.map_err(|failed| {
            text::set_failure(&failed.cause);
            failed.error
        })?;
        let handle = registry::next();
        HOSTS.insert_shared(handle, opened);
        // SAFETY: the caller guarantees that it is writable.
        unsafe { place.put(handle) };
        Ok(())
    })
}

/// Why the last `rb_host_open` on this thread has failed, in words.
#[unsafe(no_mangle)]
pub extern "C" fn rb_failure() -> *const c_char {
    asker::enter();
    text::failure()
}

/// A sentence about an error.
#[unsafe(no_mangle)]
pub extern "C" fn rb_error_text(error: i32) -> *const c_char {
    text::of_error(error).as_ptr()
}

/// Ends everything of a host. What is not delivered yet can still be dispatched.
#[unsafe(no_mangle)]
pub extern "C" fn rb_host_shutdown(host: u64) -> i32 {
    guarded(|| HOSTS.find(host)?.shutdown())
}

/// Ends a host and releases its handle. What is not delivered yet is dropped.
#[unsafe(no_mangle)]
pub extern "C" fn rb_host_free(host: u64) -> i32 {
    guarded(|| {
        let found = HOSTS.find(host)?;
        let down = found.shutdown();
        let ended = found.end();
        HOSTS.remove(host);
        down?;
        ended
    })
}

/// How many lines the provider has; their device ids are 0 and up.
///
/// # Safety
/// `count` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_host_lines(host: u64, count: *mut u32) -> i32 {
    guarded(|| {
        let place = place(count)?;
        let lines = HOSTS.find(host)?.host.lines().len();
        // SAFETY: the caller guarantees that it is writable.
        unsafe { place.put(u32::try_from(lines).unwrap_or(u32::MAX)) };
        Ok(())
    })
}

/// The name of a line for people.
///
/// # Safety
/// `name` is NULL, or writable for `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_host_line_name(
    host: u64,
    device_id: u32,
    name: *mut c_char,
    size: usize,
) -> i32 {
    guarded(|| {
        let found = HOSTS.find(host)?;
        let info = found.host.lines().iter().find(|info| info.device_id == device_id);
        let info = info.ok_or(LineError::NODEVICE)?;
        // SAFETY: the caller guarantees so many bytes.
        unsafe { text::write(name, size, &info.name) }
    })
}

/// How many phones the provider has; their device ids are 0 and up.
///
/// # Safety
/// `count` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_host_phones(host: u64, count: *mut u32) -> i32 {
    guarded(|| {
        let place = place(count)?;
        let found = HOSTS.find(host)?;
        // A phone that its provider does not describe is left out, but has its device id.
        let last = found.host.phones().iter().map(|info| info.device_id).max();
        // SAFETY: the caller guarantees that it is writable.
        unsafe { place.put(last.map_or(0, |last| last.saturating_add(1))) };
        Ok(())
    })
}

/// The name of a phone for people.
///
/// # Safety
/// `name` is NULL, or writable for `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_host_phone_name(
    host: u64,
    device_id: u32,
    name: *mut c_char,
    size: usize,
) -> i32 {
    guarded(|| {
        let found = HOSTS.find(host)?;
        let info = found.host.phones().iter().find(|info| info.device_id == device_id);
        let info = info.ok_or(registry::of_phones(PhoneError::NODEVICE))?;
        // SAFETY: the caller guarantees so many bytes.
        unsafe { text::write(name, size, &info.name) }
    })
}

/// The descriptor that is readable when there may be something to deliver.
///
/// # Safety
/// `fd` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_host_fd(host: u64, fd: *mut c_int) -> i32 {
    guarded(|| {
        let place = place(fd)?;
        let readable = HOSTS.find(host)?.deliveries.fd()?;
        // SAFETY: the caller guarantees that it is writable.
        unsafe { place.put(readable) };
        Ok(())
    })
}

/// A callback with its context.
struct Told {
    callback: Callback,
    context: *mut c_void,
}

// SAFETY: the caller of `rb_host_deliver` guarantees that callback and context may be used on any
// thread.
unsafe impl Send for Told {}

impl Told {
    fn tell(&self, event: &Event) {
        // SAFETY: the application guarantees that its callback may be called with its context.
        unsafe { (self.callback)(self.context, event) };
    }
}

/// Delivers what may be delivered, on this thread, and stores how many messages that was.
///
/// # Safety
/// `callback` is NULL or may be called with `context`; `told` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_host_dispatch(
    host: u64,
    callback: Option<Callback>,
    context: *mut c_void,
    told: *mut u32,
) -> i32 {
    guarded(|| {
        let callback = callback.ok_or(LineError::INVALPOINTER)?;
        let found = HOSTS.find(host)?;
        let tell = Told { callback, context };
        let count = found.deliveries.dispatch(|event| tell.tell(event))?;
        if let Ok(place) = place(told) {
            // SAFETY: the caller guarantees that it is writable.
            unsafe { place.put(count) };
        }
        Ok(())
    })
}

/// Starts a thread of the host's that delivers everything from now on.
///
/// # Safety
/// `callback` is NULL, or may be called with `context` on any thread until `rb_host_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_host_deliver(
    host: u64,
    callback: Option<Callback>,
    context: *mut c_void,
) -> i32 {
    guarded(|| {
        let tell = Told { callback: callback.ok_or(LineError::INVALPOINTER)?, context };
        let deliveries = Arc::clone(&HOSTS.find(host)?.deliveries);
        deliveries.claim()?;
        let own = Arc::clone(&deliveries);
        let started = thread::Builder::new().name("ringback-tell".into()).spawn(move || {
            let tell = tell;
            own.run(|event| tell.tell(event));
        });
        started.map(|_| ()).map_err(|_| {
            deliveries.disclaim();
            LineError::RESOURCEUNAVAIL
        })
    })
}
