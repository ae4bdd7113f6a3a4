//! speexdsp's echo canceller: declarations of the functions that are used, and their owner.
//!
//! UNSAFETY: needed to call a C library. The declarations are those of speexdsp 1.2 in
//! `speex/speex_echo.h`, whose signatures have not changed since 1.2 (the older functions among
//! them since Speex 1.1). No callback is registered, so C never calls into Rust. It prints nothing
//! on the standard output; a warning goes to the standard error when it has lost the echo path and
//! begins anew, which its owner does before it.
#![allow(unsafe_code)]

use std::alloc::{Layout, handle_alloc_error};
use std::ffi::{c_int, c_void};
use std::ptr::{self, NonNull};

use crate::SAMPLE_RATE;

/// `SpeexEchoState`, whose layout is private to speexdsp.
#[repr(C)]
struct SpeexEchoState {
    _opaque: [u8; 0],
}

/// `SPEEX_ECHO_SET_SAMPLING_RATE`, which takes a `spx_int32_t`.
const SET_SAMPLING_RATE: c_int = 24;

unsafe extern "C" {
    /// Allocates a canceller for blocks of `frame_size` samples and an echo of up to
    /// `filter_length` samples; null if there is no memory.
    fn speex_echo_state_init(frame_size: c_int, filter_length: c_int) -> *mut SpeexEchoState;
    /// Sets or reads a parameter; returns 0, or -1 for an unknown request.
    fn speex_echo_ctl(state: *mut SpeexEchoState, request: c_int, value: *mut c_void) -> c_int;
    /// Processes a block: `heard` with its echo of `sent`, and `clean` without. All three have
    /// `frame_size` samples.
    fn speex_echo_cancellation(
        state: *mut SpeexEchoState,
        heard: *const i16,
        sent: *const i16,
        clean: *mut i16,
    );
    /// Forgets what was heard.
    fn speex_echo_state_reset(state: *mut SpeexEchoState);
    /// Frees what `speex_echo_state_init` allocated.
    fn speex_echo_state_destroy(state: *mut SpeexEchoState);
}

/// A canceller of speexdsp for blocks of [`BLOCK`](EchoState::BLOCK) samples.
#[derive(Debug)]
pub(super) struct EchoState(NonNull<SpeexEchoState>);

// SAFETY: speexdsp keeps no thread-local data; the state is reached through its one owner only.
unsafe impl Send for EchoState {}

impl EchoState {
    /// How many samples are processed at a time: 8 ms.
    pub(super) const BLOCK: usize = 64;
    /// How long after a sample was sent its echo may last, in samples: 64 ms. The echo paths of
    /// ITU-T G.168 last for up to 16 ms; the rest is for the time from here to the hybrid and back.
    const TAIL: usize = 512;

    pub(super) fn new() -> EchoState {
        // SAFETY: both sizes are positive and small; null is checked below.
        let state = unsafe { speex_echo_state_init(Self::BLOCK as c_int, Self::TAIL as c_int) };
        let Some(state) = NonNull::new(state) else {
            handle_alloc_error(Layout::new::<SpeexEchoState>())
        };
        let mut rate = SAMPLE_RATE as i32;
        // SAFETY: the state was just made, and this request reads one i32.
        unsafe {
            speex_echo_ctl(state.as_ptr(), SET_SAMPLING_RATE, ptr::from_mut(&mut rate).cast());
        }
        EchoState(state)
    }

    /// Writes what was heard to `clean`, without the echo of what was sent.
    pub(super) fn cancel(
        &mut self,
        sent: &[i16; Self::BLOCK],
        heard: &[i16; Self::BLOCK],
        clean: &mut [i16; Self::BLOCK],
    ) {
        // SAFETY: the state was made for blocks of this length, and `clean` is no other's.
        unsafe {
            speex_echo_cancellation(
                self.0.as_ptr(),
                heard.as_ptr(),
                sent.as_ptr(),
                clean.as_mut_ptr(),
            );
        }
    }

    pub(super) fn reset(&mut self) {
        // SAFETY: `new` made the state.
        unsafe { speex_echo_state_reset(self.0.as_ptr()) };
    }
}

impl Drop for EchoState {
    fn drop(&mut self) {
        // SAFETY: `new` allocated the state, and nothing uses it after its owner.
        unsafe { speex_echo_state_destroy(self.0.as_ptr()) };
    }
}
