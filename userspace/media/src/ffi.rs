//! spandsp's receiver of the tones of fax machines and modems: declarations of the functions that
//! are used, and their owner. Its receivers of caller id are in `adsi` and `fsk`, its concealment
//! of lost packets is in `plc`.
//!
//! UNSAFETY: needed to call a C library. The declarations are those of spandsp 0.0.6 in
//! `spandsp/modem_connect_tones.h`; the functions named here have kept their signatures since. No
//! callback is registered, so C never calls into Rust.
#![allow(unsafe_code)]

mod adsi;
mod fsk;
mod plc;

use std::alloc::{Layout, handle_alloc_error};
use std::ffi::{c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::{Mutex, PoisonError};

pub(crate) use adsi::AdsiReceiver;
pub(crate) use fsk::FskReceiver;
pub(crate) use plc::Plc;

/// `modem_connect_tones_rx_state_t`, whose layout is private to spandsp.
#[repr(C)]
struct ConnectTonesState {
    _opaque: [u8; 0],
}

type ToneCallback = extern "C" fn(*mut c_void, c_int, c_int, c_int);

unsafe extern "C" {
    /// Allocates a receiver if `state` is null; returns null if there is no memory.
    fn modem_connect_tones_rx_init(
        state: *mut ConnectTonesState,
        tone_type: c_int,
        callback: Option<ToneCallback>,
        user_data: *mut c_void,
    ) -> *mut ConnectTonesState;
    /// Processes `samples` samples at `amp`.
    fn modem_connect_tones_rx(
        state: *mut ConnectTonesState,
        amp: *const i16,
        samples: c_int,
    ) -> c_int;
    /// Returns the tone that has begun since the last call, 0 for none.
    fn modem_connect_tones_rx_get(state: *mut ConnectTonesState) -> c_int;
    /// Frees what `modem_connect_tones_rx_init` allocated.
    fn modem_connect_tones_rx_free(state: *mut ConnectTonesState) -> c_int;
}

/// Held while a receiver is made, which fills tables that all receivers share, without a lock of
/// spandsp's own.
static INIT: Mutex<()> = Mutex::new(());

/// A receiver of spandsp for the tones by which fax machines and modems announce themselves.
#[derive(Debug)]
pub(crate) struct ConnectTones {
    state: NonNull<ConnectTonesState>,
}

// SAFETY: spandsp keeps no thread-local data; the state is reached through its one owner only.
unsafe impl Send for ConnectTones {}

impl ConnectTones {
    /// The most samples that are processed at a time.
    pub(crate) const BLOCK: usize = 80;

    /// What a receiver can be made for: the calling tone of fax machines, or the answer tones of
    /// all equipment and the flags of fax machines.
    pub(crate) const CALLING_FAX: c_int = Self::CNG;
    pub(crate) const ANSWERING: c_int = 7;

    /// The tones: calling tone of a fax machine, answer tone, the same with phase reversals,
    /// modulated, and modulated with phase reversals; flags of a fax machine.
    pub(crate) const CNG: c_int = 1;
    pub(crate) const ANS: c_int = 2;
    pub(crate) const ANS_PR: c_int = 3;
    pub(crate) const ANSAM: c_int = 4;
    pub(crate) const ANSAM_PR: c_int = 5;
    pub(crate) const FAX_PREAMBLE: c_int = 6;

    pub(crate) fn new(what: c_int) -> ConnectTones {
        let guard = INIT.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: a null state asks spandsp to allocate one; a null callback is allowed.
        let state =
            unsafe { modem_connect_tones_rx_init(ptr::null_mut(), what, None, ptr::null_mut()) };
        drop(guard);
        match NonNull::new(state) {
            Some(state) => ConnectTones { state },
            None => handle_alloc_error(Layout::new::<ConnectTonesState>()),
        }
    }

    /// Processes samples, and returns the tone that has begun in them.
    pub(crate) fn listen(&mut self, samples: &[i16]) -> Option<c_int> {
        let len = samples.len().min(Self::BLOCK) as c_int;
        // SAFETY: `new` made the state, and `len` samples are inside the slice.
        unsafe { modem_connect_tones_rx(self.state.as_ptr(), samples.as_ptr(), len) };
        // SAFETY: `new` made the state.
        let tone = unsafe { modem_connect_tones_rx_get(self.state.as_ptr()) };
        (tone != 0).then_some(tone)
    }
}

impl Drop for ConnectTones {
    fn drop(&mut self) {
        // SAFETY: `new` allocated the state, and nothing uses it after its owner.
        unsafe { modem_connect_tones_rx_free(self.state.as_ptr()) };
    }
}
