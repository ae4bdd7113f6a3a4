//! Finds out whether a device is a 16550, which variant it is, and whether it works.

use std::time::Duration;

use super::error::OpenError;
use super::format::LineFormat;
use super::registers::*;
use crate::card::Delay;
use crate::device::Registers;

/// Many times the duration of a character of the loopback test, on any clock.
const CHARACTER: Duration = Duration::from_millis(1);
/// How often it is waited for: a chip in software may get no processor for a while.
const ATTEMPTS: u32 = 500;
/// Bytes of the loopback test: alternating bits, their complement, and no bit.
const LOOPED: [u8; 3] = [0x55, 0xAA, 0x00];
/// More than any FIFO holds.
const FIFO_LIMIT: usize = 256;

/// Bytes the transmitter takes when it is empty.
pub(super) const FIFO_DEPTH: usize = 16;

/// Makes sure that the device is a 16550 or compatible, with interrupts and outputs off. Returns
/// how many bytes its FIFOs hold, 1 if it has none that work.
pub(super) fn probe(r: Bus<'_, impl Registers>, delay: &mut dyn Delay) -> Result<usize, OpenError> {
    if r.len() < WINDOW {
        return Err(OpenError::Window { len: r.len() });
    }
    let seen = [
        r.read(IER).bits(),
        r.read(IIR).bits(),
        r.read(LCR).bits(),
        r.read(MCR).bits(),
        r.read(LSR).bits(),
        r.read(SCR),
    ];
    if seen == [ABSENT; 6] {
        return Err(OpenError::AllOnes);
    }
    r.write(LCR, Lcr::empty());
    r.write(IER, Ier::empty());
    for wrote in [!SIGNATURE, SIGNATURE] {
        r.write(SCR, wrote);
        let read = r.read(SCR);
        if read != wrote {
            return Err(OpenError::Scratch { wrote, read });
        }
    }
    let depth = enable_fifos(r);
    loopback(r, delay)?;
    Ok(depth)
}

fn enable_fifos(r: Bus<'_, impl Registers>) -> usize {
    r.write(FCR, Fcr::ENABLE);
    r.write(FCR, Fcr::ENABLE | Fcr::CLEAR | Fcr::TRIGGER_8);
    if r.read(IIR).contains(Iir::FIFOS) {
        FIFO_DEPTH
    } else {
        r.write(FCR, Fcr::empty());
        1
    }
}

/// Loops bytes back inside the chip. On the wire nothing is sent, and DTR and RTS stay off.
fn loopback(r: Bus<'_, impl Registers>, delay: &mut dyn Delay) -> Result<(), OpenError> {
    r.write(MCR, Mcr::LOOP);
    set_format(r, 1, LineFormat::default().line_control()?);
    // Lets a character that is being received end, so that it can be drained.
    delay.delay(CHARACTER);
    drain(r);
    for wrote in LOOPED {
        r.write(DATA, wrote);
        let mut tries = 0..ATTEMPTS;
        let came = tries.any(|_| {
            r.read(LSR).contains(Lsr::DATA_READY) || {
                delay.delay(CHARACTER);
                false
            }
        });
        let read = came.then(|| r.read(DATA));
        if read != Some(wrote) {
            r.write(MCR, Mcr::empty());
            return Err(OpenError::Loopback { wrote, read });
        }
    }
    drain(r);
    r.write(MCR, Mcr::empty());
    Ok(())
}

/// Discards received bytes; bounded, because a faulty chip may report data for ever.
fn drain(r: Bus<'_, impl Registers>) {
    for _ in 0..FIFO_LIMIT {
        if !r.read(LSR).contains(Lsr::DATA_READY) {
            break;
        }
        r.read(DATA);
    }
}

/// Sets speed and form; interrupts are off.
pub(super) fn set_format(r: Bus<'_, impl Registers>, divisor: u16, line_control: Lcr) {
    let [low, high] = divisor.to_le_bytes();
    r.write(LCR, line_control | Lcr::DLAB);
    r.write(DIVISOR_LOW, low);
    r.write(DIVISOR_HIGH, high);
    r.write(LCR, line_control);
}
