//! spandsp's concealment of lost packets: declarations of the functions that are used, and their
//! owner.
//!
//! UNSAFETY: needed to call a C library. The declarations are those of spandsp 0.0.6 in
//! `spandsp/plc.h`; the functions named here have kept their signatures since. No callback is
//! registered, so C never calls into Rust.

use std::alloc::{Layout, handle_alloc_error};
use std::ffi::c_int;
use std::ptr::{self, NonNull};

/// `plc_state_t`, of which only spandsp uses the layout.
#[repr(C)]
struct PlcState {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    /// Allocates a state if `state` is null; returns null if there is no memory.
    fn plc_init(state: *mut PlcState) -> *mut PlcState;
    /// Takes in `len` samples at `amp`, and blends the first of them with what was made up before.
    fn plc_rx(state: *mut PlcState, amp: *mut i16, len: c_int) -> c_int;
    /// Writes `len` samples to `amp` in place of samples that are missing.
    fn plc_fillin(state: *mut PlcState, amp: *mut i16, len: c_int) -> c_int;
    /// Frees what `plc_init` allocated.
    fn plc_free(state: *mut PlcState) -> c_int;
}

/// What spandsp remembers of a stream to make up what is missing of it.
#[derive(Debug)]
pub(crate) struct Plc {
    state: NonNull<PlcState>,
}

// SAFETY: spandsp keeps no thread-local data; the state is reached through its one owner only.
unsafe impl Send for Plc {}

impl Plc {
    /// The most samples that are processed at a time.
    pub(crate) const BLOCK: usize = 160;

    pub(crate) fn new() -> Plc {
        // SAFETY: a null state asks spandsp to allocate one.
        let state = unsafe { plc_init(ptr::null_mut()) };
        match NonNull::new(state) {
            Some(state) => Plc { state },
            None => handle_alloc_error(Layout::new::<PlcState>()),
        }
    }

    /// Takes in up to [`BLOCK`](Plc::BLOCK) samples, of which it may change the first.
    pub(crate) fn take_in(&mut self, samples: &mut [i16]) {
        let len = samples.len().min(Plc::BLOCK) as c_int;
        // SAFETY: `new` made the state, and `len` samples are inside the slice.
        unsafe { plc_rx(self.state.as_ptr(), samples.as_mut_ptr(), len) };
    }

    /// Makes up to [`BLOCK`](Plc::BLOCK) samples up.
    pub(crate) fn make_up(&mut self, samples: &mut [i16]) {
        let len = samples.len().min(Plc::BLOCK) as c_int;
        // SAFETY: `new` made the state, and `len` samples are inside the slice.
        unsafe { plc_fillin(self.state.as_ptr(), samples.as_mut_ptr(), len) };
    }
}

impl Drop for Plc {
    fn drop(&mut self) {
        // SAFETY: `new` allocated the state, and nothing uses it after its owner.
        unsafe { plc_free(self.state.as_ptr()) };
    }
}
