//! The ioctls of DAHDI's character devices that are used here.
#![allow(unsafe_code, reason = "ioctl")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use nix::libc::c_int;

/// The type byte of DAHDI's ioctls.
const CODE: u8 = 0xDA;

#[repr(C)]
struct ChannelConfig {
    channel: c_int,
    name: [u8; 40],
    signalling: c_int,
    law: c_int,
    master: c_int,
    idle_bits: c_int,
    netdev: [u8; 16],
}

#[repr(C)]
struct Buffers {
    transmit_policy: c_int,
    receive_policy: c_int,
    count: c_int,
    size: c_int,
    full_read: c_int,
    full_write: c_int,
}

/// The ring cadence of a zone; tones could follow, and there are none.
#[repr(C)]
struct Zone {
    tones: c_int,
    number: c_int,
    ring_cadence: [c_int; 16],
    name: [u8; 40],
}

nix::ioctl_write_ptr!(flush_request, CODE, 3, c_int);
nix::ioctl_write_ptr!(hook_request, CODE, 7, c_int);
nix::ioctl_read!(event_request, CODE, 8, c_int);
nix::ioctl_write_ptr!(configure_request, CODE, 19, ChannelConfig);
nix::ioctl_write_ptr!(load_zone_request, CODE, 25, Zone);
nix::ioctl_write_ptr!(buffers_request, CODE, 27, Buffers);
nix::ioctl_write_ptr!(polarity_request, CODE, 92, c_int);

/// Sets the signalling of a channel. `control` is `/dev/dahdi/ctl`.
pub fn configure(control: &File, channel: c_int, signalling: c_int) -> io::Result<()> {
    let config = ChannelConfig {
        channel,
        name: [0; 40],
        signalling,
        law: 0,
        master: channel,
        idle_bits: 0,
        netdev: [0; 16],
    };
    // SAFETY: the structure lives through the call and has the layout of `struct dahdi_chanconfig`.
    unsafe { configure_request(control.as_raw_fd(), &config) }?;
    Ok(())
}

/// Loads a zone that rings for 2 s in 6.
pub fn load_zone(control: &File) -> io::Result<()> {
    let (mut ring_cadence, mut name) = ([0; 16], [0; 40]);
    ring_cadence[..2].copy_from_slice(&[2000, 4000]);
    name[..3].copy_from_slice(b"lab");
    let zone = Zone { tones: 0, number: 0, ring_cadence, name };
    // SAFETY: the structure lives through the call, has the layout of `struct
    // dahdi_tone_def_header`, and its count says that nothing follows it.
    unsafe { load_zone_request(control.as_raw_fd(), &zone) }?;
    Ok(())
}

/// Sets number and size of a channel's buffers; each is used as soon as it has data.
pub fn set_buffers(channel: &File, count: c_int, size: c_int) -> io::Result<()> {
    let buffers =
        Buffers { transmit_policy: 0, receive_policy: 0, count, size, full_read: 0, full_write: 0 };
    // SAFETY: the structure lives through the call and has the layout of `struct dahdi_bufferinfo`.
    unsafe { buffers_request(channel.as_raw_fd(), &buffers) }?;
    Ok(())
}

/// Drops buffered data: bit 0 what was received, 1 what is to be sent, 2 events.
pub fn flush(channel: &File, what: c_int) -> io::Result<()> {
    // SAFETY: the number lives through the call.
    unsafe { flush_request(channel.as_raw_fd(), &what) }?;
    Ok(())
}

/// Operates the hook switch or the ring generator.
pub fn hook(channel: &File, operation: c_int) -> io::Result<()> {
    // SAFETY: the number lives through the call.
    unsafe { hook_request(channel.as_raw_fd(), &operation) }?;
    Ok(())
}

/// Reads the next event, 0 for none.
pub fn event(channel: &File) -> io::Result<c_int> {
    let mut event = 0;
    // SAFETY: the number lives through the call, which writes one.
    unsafe { event_request(channel.as_raw_fd(), &mut event) }?;
    Ok(event)
}

/// Sets battery to forward (0) or reversed (1).
pub fn set_polarity(channel: &File, reversed: c_int) -> io::Result<()> {
    // SAFETY: the number lives through the call.
    unsafe { polarity_request(channel.as_raw_fd(), &reversed) }?;
    Ok(())
}
