//! spandsp's receiver of the bits of FSK modems: declarations of the functions that are used, and
//! their owner.
//!
//! UNSAFETY: needed to call a C library. The declarations are those of spandsp 0.0.6 in
//! `spandsp/fsk.h`; the functions named here have kept their signatures since. C calls one
//! function of ours, from within `fsk_rx`: it writes a bit into the owner's memory, with its place
//! checked, and can't panic.

use std::alloc::{Layout, handle_alloc_error};
use std::ffi::{c_char, c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::PoisonError;

use super::INIT;

/// `fsk_rx_state_t`, whose layout is private to spandsp.
#[repr(C)]
struct FskReceiveState {
    _opaque: [u8; 0],
}

/// `fsk_spec_t`: what is sent for 0 and 1 in Hz, levels in dBm0, and bits in 100 seconds.
#[repr(C)]
struct FskSpec {
    name: *const c_char,
    freq_zero: c_int,
    freq_one: c_int,
    tx_level: c_int,
    min_level: c_int,
    baud_rate: c_int,
}

// SAFETY: it is never written, and its name is a literal.
unsafe impl Sync for FskSpec {}

static V_23: FskSpec = FskSpec {
    name: c"V.23".as_ptr(),
    freq_zero: 2100,
    freq_one: 1300,
    tx_level: -14,
    min_level: -30,
    baud_rate: 120_000,
};

/// FSK_FRAME_MODE_ASYNC: single bits, as they come.
const SINGLE_BITS: c_int = 0;

type PutBit = unsafe extern "C" fn(*mut c_void, c_int);

unsafe extern "C" {
    /// Allocates a receiver if `state` is null, and else begins anew with that one; returns null if
    /// there is no memory.
    fn fsk_rx_init(
        state: *mut FskReceiveState,
        spec: *const FskSpec,
        framing_mode: c_int,
        put_bit: PutBit,
        user_data: *mut c_void,
    ) -> *mut FskReceiveState;
    /// Processes `len` samples at `amp`, and calls `put_bit` for each bit, and with a negative
    /// number for changes of its state.
    fn fsk_rx(state: *mut FskReceiveState, amp: *const i16, len: c_int) -> c_int;
    /// Frees what `fsk_rx_init` allocated.
    fn fsk_rx_free(state: *mut FskReceiveState) -> c_int;
}

/// More than the bits of a block: 12.
const MOST_BITS: usize = 32;

/// The bits of the block that is being processed.
struct Bits {
    bits: [bool; MOST_BITS],
    count: usize,
}

/// Adds a bit to the [`Bits`] at `user_data`; negative numbers are no bits.
unsafe extern "C" fn put_bit(user_data: *mut c_void, bit: c_int) {
    // SAFETY: `user_data` are the bits that the receiver was made with, or null; the receiver's
    // owner does not use them during `fsk_rx`, which makes this call.
    let Some(bits) = (unsafe { user_data.cast::<Bits>().as_mut() }) else { return };
    if bit >= 0
        && let Some(place) = bits.bits.get_mut(bits.count)
    {
        *place = bit & 1 == 1;
        bits.count += 1;
    }
}

/// A receiver of spandsp for the bits of a V.23 modem, at 1200 bit/s.
#[derive(Debug)]
pub(crate) struct FskReceiver {
    state: NonNull<FskReceiveState>,
    bits: NonNull<Bits>,
}

// SAFETY: spandsp keeps no thread-local data; state and bits are reached through their one owner
// only.
unsafe impl Send for FskReceiver {}

impl FskReceiver {
    /// The most samples that are processed at a time.
    pub(crate) const BLOCK: usize = 80;

    pub(crate) fn new() -> FskReceiver {
        let bits = Box::new(Bits { bits: [false; MOST_BITS], count: 0 });
        let bits = NonNull::from(Box::leak(bits));
        let guard = INIT.lock().unwrap_or_else(PoisonError::into_inner);
        let user_data = bits.as_ptr().cast();
        // SAFETY: a null state asks spandsp to allocate one; specification and bits live as long
        // as it.
        let state = unsafe {
            fsk_rx_init(ptr::null_mut(), &raw const V_23, SINGLE_BITS, put_bit, user_data)
        };
        drop(guard);
        match NonNull::new(state) {
            Some(state) => FskReceiver { state, bits },
            None => handle_alloc_error(Layout::new::<FskReceiveState>()),
        }
    }

    /// Forgets what was heard.
    pub(crate) fn reset(&mut self) {
        let _guard = INIT.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, user_data) = (self.state.as_ptr(), self.bits.as_ptr().cast());
        // SAFETY: `new` made the state with these bits; spandsp sets up a given state in place.
        unsafe { fsk_rx_init(state, &raw const V_23, SINGLE_BITS, put_bit, user_data) };
    }

    /// Processes up to [`BLOCK`](FskReceiver::BLOCK) samples. Returns the bits in them.
    pub(crate) fn listen(&mut self, samples: &[i16]) -> &[bool] {
        let len = samples.len().min(Self::BLOCK) as c_int;
        // SAFETY: `new` leaked the bits, and C uses them within `fsk_rx` only.
        unsafe { self.bits.as_mut() }.count = 0;
        // SAFETY: `new` made the state, and `len` samples are inside the slice.
        unsafe { fsk_rx(self.state.as_ptr(), samples.as_ptr(), len) };
        // SAFETY: as above.
        let bits = unsafe { self.bits.as_ref() };
        bits.bits.get(..bits.count).unwrap_or_default()
    }
}

impl Drop for FskReceiver {
    fn drop(&mut self) {
        // SAFETY: `new` allocated the state, and nothing uses it after its owner.
        unsafe { fsk_rx_free(self.state.as_ptr()) };
        // SAFETY: `new` leaked this box, and the state that knew it is gone.
        drop(unsafe { Box::from_raw(self.bits.as_ptr()) });
    }
}
