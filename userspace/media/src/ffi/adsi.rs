//! spandsp's receiver of the messages of caller id that are sent by FSK: declarations of the
//! functions that are used, and their owner.
//!
//! UNSAFETY: needed to call a C library. The declarations are those of spandsp 0.0.6 in
//! `spandsp/adsi.h`; the functions named here have kept their signatures since. C calls one
//! function of ours, from within `adsi_rx`: it copies a message into the owner's memory, with
//! sizes checked, and can't panic.

use std::alloc::{Layout, handle_alloc_error};
use std::ffi::{c_int, c_void};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::PoisonError;

use super::INIT;

/// `adsi_rx_state_t`, whose layout is private to spandsp.
#[repr(C)]
struct AdsiReceiveState {
    _opaque: [u8; 0],
}

type PutMessage = unsafe extern "C" fn(*mut c_void, *const u8, c_int);

unsafe extern "C" {
    /// Allocates a receiver if `state` is null, and else begins anew with that one; returns null if
    /// there is no memory.
    fn adsi_rx_init(
        state: *mut AdsiReceiveState,
        standard: c_int,
        put_message: PutMessage,
        user_data: *mut c_void,
    ) -> *mut AdsiReceiveState;
    /// Processes `len` samples at `amp`, and calls `put_message` for each message whose checksum
    /// is right, without that checksum.
    fn adsi_rx(state: *mut AdsiReceiveState, amp: *const i16, len: c_int) -> c_int;
    /// Frees what `adsi_rx_init` allocated.
    fn adsi_rx_free(state: *mut AdsiReceiveState) -> c_int;
}

/// The longest message: type, length, and the 255 bytes that a length can say.
const LONGEST: usize = 257;

/// The message that came last.
struct Inbox {
    bytes: [u8; LONGEST],
    /// `None` if it was taken.
    length: Option<usize>,
}

/// Copies a message into the [`Inbox`] at `user_data`; one that is too long is dropped.
unsafe extern "C" fn put_message(user_data: *mut c_void, message: *const u8, length: c_int) {
    let Ok(length) = usize::try_from(length) else { return };
    if message.is_null() {
        return;
    }
    // SAFETY: `user_data` is the inbox that the receiver was made with, or null; the receiver's
    // owner does not use it during `adsi_rx`, which makes this call.
    let Some(inbox) = (unsafe { user_data.cast::<Inbox>().as_mut() }) else { return };
    // SAFETY: spandsp gives `length` bytes at `message`, and leaves them alone during this call.
    let message = unsafe { slice::from_raw_parts(message, length) };
    if let Some(place) = inbox.bytes.get_mut(..length) {
        place.copy_from_slice(message);
        inbox.length = Some(length);
    }
}

/// A receiver of spandsp for messages of caller id by FSK.
#[derive(Debug)]
pub(crate) struct AdsiReceiver {
    state: NonNull<AdsiReceiveState>,
    inbox: NonNull<Inbox>,
    standard: c_int,
}

// SAFETY: spandsp keeps no thread-local data; state and inbox are reached through their one owner
// only.
unsafe impl Send for AdsiReceiver {}

impl AdsiReceiver {
    /// The standards: Bell 202, and V.23 in the form of ETSI.
    pub(crate) const CLASS: c_int = 1;
    pub(crate) const CLIP: c_int = 2;

    /// The most samples that are processed at a time: fewer than any message has.
    pub(crate) const BLOCK: usize = 80;

    pub(crate) fn new(standard: c_int) -> AdsiReceiver {
        let inbox = Box::new(Inbox { bytes: [0; LONGEST], length: None });
        let inbox = NonNull::from(Box::leak(inbox));
        let guard = INIT.lock().unwrap_or_else(PoisonError::into_inner);
        let user_data = inbox.as_ptr().cast();
        // SAFETY: a null state asks spandsp to allocate one; the inbox lives as long as it.
        let state = unsafe { adsi_rx_init(ptr::null_mut(), standard, put_message, user_data) };
        drop(guard);
        match NonNull::new(state) {
            Some(state) => AdsiReceiver { state, inbox, standard },
            None => handle_alloc_error(Layout::new::<AdsiReceiveState>()),
        }
    }

    /// Forgets what was heard.
    pub(crate) fn reset(&mut self) {
        let _guard = INIT.lock().unwrap_or_else(PoisonError::into_inner);
        let user_data = self.inbox.as_ptr().cast();
        // SAFETY: `new` made the state with this inbox; spandsp sets up a given state in place.
        unsafe { adsi_rx_init(self.state.as_ptr(), self.standard, put_message, user_data) };
    }

    /// Processes up to [`BLOCK`](AdsiReceiver::BLOCK) samples. Returns the message that has ended
    /// in them, without its checksum, which was right.
    pub(crate) fn listen(&mut self, samples: &[i16]) -> Option<&[u8]> {
        let len = samples.len().min(Self::BLOCK) as c_int;
        // SAFETY: `new` made the state, and `len` samples are inside the slice.
        unsafe { adsi_rx(self.state.as_ptr(), samples.as_ptr(), len) };
        // SAFETY: `new` leaked the inbox, and C uses it within `adsi_rx` only.
        let inbox = unsafe { self.inbox.as_mut() };
        let length = inbox.length.take()?;
        inbox.bytes.get(..length)
    }
}

impl Drop for AdsiReceiver {
    fn drop(&mut self) {
        // SAFETY: `new` allocated the state, and nothing uses it after its owner.
        unsafe { adsi_rx_free(self.state.as_ptr()) };
        // SAFETY: `new` leaked this box, and the state that knew it is gone.
        drop(unsafe { Box::from_raw(self.inbox.as_ptr()) });
    }
}
