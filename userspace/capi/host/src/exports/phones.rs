//! Phones, and the requests about them.

use ringback_host::{Pending, Phone, Reservation};
use ringback_tspi::error::PhoneError;

use super::{guarded, place};
use crate::registry::{HOSTS, PHONES, of_phones};
use crate::requests;

/// Makes a request of a phone under an id.
fn make(
    request: u32,
    phone: u64,
    ask: impl FnOnce(Reservation<'_, Phone>) -> Result<Pending<(), PhoneError>, PhoneError>,
) -> i32 {
    guarded(|| {
        let open = PHONES.find(phone)?;
        let found = requests::find(request)?;
        found.make(phone)?;
        let reservation = open.phone.reserve();
        let host_id = reservation.id();
        open.host.making_of_phone(host_id, &found);
        match ask(reservation) {
            Ok(pending) => {
                // Dropping it does not end the request, whose completion comes to the observer.
                drop(pending);
                found.made();
                Ok(())
            }
            Err(error) => {
                open.host.not_made(host_id);
                found.refused();
                Err(of_phones(error))
            }
        }
    })
}

/// Writes something that a phone says to where the caller wants it.
///
/// # Safety
/// `at` is NULL or writable.
unsafe fn read(
    phone: u64,
    at: *mut u32,
    ask: impl FnOnce(&Phone) -> Result<u32, PhoneError>,
) -> i32 {
    guarded(|| {
        let place = place(at)?;
        let value = ask(&PHONES.find(phone)?.phone).map_err(of_phones)?;
        // SAFETY: the caller guarantees that it is writable.
        unsafe { place.put(value) };
        Ok(())
    })
}

/// Opens a phone.
///
/// # Safety
/// `phone` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_phone_open(host: u64, device_id: u32, phone: *mut u64) -> i32 {
    guarded(|| {
        let place = place(phone)?;
        let handle = HOSTS.find(host)?.open_phone(device_id)?;
        // SAFETY: the caller guarantees that it is writable.
        unsafe { place.put(handle) };
        Ok(())
    })
}

/// Closes a phone.
#[unsafe(no_mangle)]
pub extern "C" fn rb_phone_close(phone: u64) -> i32 {
    guarded(|| {
        let open = PHONES.find(phone)?;
        open.host.close_phone(phone, &open)
    })
}

/// Chooses the messages of a phone.
#[unsafe(no_mangle)]
pub extern "C" fn rb_phone_status_messages(
    phone: u64,
    states: u32,
    button_modes: u32,
    button_states: u32,
) -> i32 {
    guarded(|| {
        let open = PHONES.find(phone)?;
        let set = open.phone.set_status_messages(states, button_modes, button_states);
        set.map_err(of_phones)
    })
}

/// The hook switches that are off-hook.
///
/// # Safety
/// `hook_switches` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_phone_off_hook(phone: u64, hook_switches: *mut u32) -> i32 {
    // SAFETY: the caller guarantees it.
    unsafe { read(phone, hook_switches, Phone::off_hook) }
}

/// The mode of a lamp.
///
/// # Safety
/// `mode` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_phone_lamp(phone: u64, lamp: u32, mode: *mut u32) -> i32 {
    // SAFETY: the caller guarantees it.
    unsafe { read(phone, mode, |phone| phone.lamp(lamp)) }
}

/// The mode and the volume of ringing.
///
/// # Safety
/// `mode` and `volume` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_phone_ring(phone: u64, mode: *mut u32, volume: *mut u32) -> i32 {
    guarded(|| {
        let (to_mode, to_volume) = (place(mode)?, place(volume)?);
        let (mode, volume) = PHONES.find(phone)?.phone.ring().map_err(of_phones)?;
        // SAFETY: the caller guarantees that it is writable.
        unsafe { to_mode.put(mode) };
        // SAFETY: the caller guarantees that it is writable.
        unsafe { to_volume.put(volume) };
        Ok(())
    })
}

/// The volume of a hook switch's speaker.
///
/// # Safety
/// `volume` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_phone_volume(phone: u64, hook_switch: u32, volume: *mut u32) -> i32 {
    // SAFETY: the caller guarantees it.
    unsafe { read(phone, volume, |phone| phone.volume(hook_switch)) }
}

/// The gain of a hook switch's microphone.
///
/// # Safety
/// `gain` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_phone_gain(phone: u64, hook_switch: u32, gain: *mut u32) -> i32 {
    // SAFETY: the caller guarantees it.
    unsafe { read(phone, gain, |phone| phone.gain(hook_switch)) }
}

/// Takes an id for a request on a phone.
///
/// # Safety
/// `request` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_phone_request_new(phone: u64, request: *mut u32) -> i32 {
    guarded(|| {
        let place = place(request)?;
        let id = requests::reserve(phone, &PHONES.find(phone)?.host.deliveries)?;
        // SAFETY: the caller guarantees that it is writable.
        unsafe { place.put(id) };
        Ok(())
    })
}

/// Sets a lamp.
#[unsafe(no_mangle)]
pub extern "C" fn rb_phone_set_lamp(request: u32, phone: u64, lamp: u32, mode: u32) -> i32 {
    make(request, phone, |reservation| reservation.set_lamp(lamp, mode))
}

/// Rings a phone without a call, or stops that.
#[unsafe(no_mangle)]
pub extern "C" fn rb_phone_set_ring(request: u32, phone: u64, mode: u32, volume: u32) -> i32 {
    make(request, phone, |reservation| reservation.set_ring(mode, volume))
}

/// Sets the volume of a hook switch's speaker.
#[unsafe(no_mangle)]
pub extern "C" fn rb_phone_set_volume(
    request: u32,
    phone: u64,
    hook_switch: u32,
    volume: u32,
) -> i32 {
    make(request, phone, |reservation| reservation.set_volume(hook_switch, volume))
}

/// Sets the gain of a hook switch's microphone.
#[unsafe(no_mangle)]
pub extern "C" fn rb_phone_set_gain(request: u32, phone: u64, hook_switch: u32, gain: u32) -> i32 {
    make(request, phone, |reservation| reservation.set_gain(hook_switch, gain))
}
