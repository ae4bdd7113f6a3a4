//! spandsp's DTMF receiver: declarations of the functions that are used, and their owner.
//!
//! UNSAFETY: needed to call a C library. The declarations are spandsp 0.0.6's `spandsp/dtmf.h`; the
//! functions named here have kept their signatures since. No callback is registered, so C never
//! calls into Rust.
#![allow(unsafe_code)]

use std::alloc::{Layout, handle_alloc_error};
use std::ffi::{c_char, c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::{Mutex, PoisonError};

/// `dtmf_rx_state_t`, whose layout is private to spandsp.
#[repr(C)]
struct DtmfRxState {
    _opaque: [u8; 0],
}

type DigitsCallback = extern "C" fn(*mut c_void, *const c_char, c_int);

unsafe extern "C" {
    /// Allocates a receiver if `state` is null; returns null if there is no memory.
    fn dtmf_rx_init(
        state: *mut DtmfRxState,
        callback: Option<DigitsCallback>,
        user_data: *mut c_void,
    ) -> *mut DtmfRxState;
    /// Processes `samples` samples at `amp`.
    fn dtmf_rx(state: *mut DtmfRxState, amp: *const i16, samples: c_int) -> c_int;
    /// Returns the current digit in ASCII, 'x' if there may be one, 0 for none.
    fn dtmf_rx_status(state: *mut DtmfRxState) -> c_int;
    /// Frees what `dtmf_rx_init` allocated.
    fn dtmf_rx_free(state: *mut DtmfRxState) -> c_int;
}

/// Held during `dtmf_rx_init`, which fills tables that all receivers share, without a lock of its
/// own.
static INIT: Mutex<()> = Mutex::new(());

/// A DTMF receiver of spandsp.
#[derive(Debug)]
pub(crate) struct DtmfReceiver {
    state: NonNull<DtmfRxState>,
}

// SAFETY: spandsp keeps no thread-local data; the state is reached through its one owner only.
unsafe impl Send for DtmfReceiver {}

impl DtmfReceiver {
    /// Samples per decision: the receiver's status changes at most once in so many samples.
    pub(crate) const BLOCK: usize = 102;

    pub(crate) fn new() -> DtmfReceiver {
        let guard = INIT.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: a null state asks spandsp to allocate one; a null callback is allowed by dtmf.h.
        let state = unsafe { dtmf_rx_init(ptr::null_mut(), None, ptr::null_mut()) };
        drop(guard);
        match NonNull::new(state) {
            Some(state) => DtmfReceiver { state },
            None => handle_alloc_error(Layout::new::<DtmfRxState>()),
        }
    }

    /// Processes at most [`BLOCK`](Self::BLOCK) samples, and returns the digit that sounds at their
    /// end, in ASCII.
    pub(crate) fn listen(&mut self, samples: &[i16; Self::BLOCK], len: usize) -> Option<u8> {
        let len = len.min(Self::BLOCK) as c_int;
        // SAFETY: `new` made the state, and `len` samples are inside the array.
        unsafe { dtmf_rx(self.state.as_ptr(), samples.as_ptr(), len) };
        // SAFETY: `new` made the state.
        let status = unsafe { dtmf_rx_status(self.state.as_ptr()) };
        u8::try_from(status).ok().filter(|&digit| digit != 0 && digit != b'x')
    }
}

impl Drop for DtmfReceiver {
    fn drop(&mut self) {
        // SAFETY: `new` allocated the state, and nothing uses it after its owner.
        unsafe { dtmf_rx_free(self.state.as_ptr()) };
    }
}
