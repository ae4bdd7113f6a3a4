//! Is it a 16550, which one, and does it work.

use std::time::Duration;

use super::error::OpenError;
use super::format::LineFormat;
use super::registers::*;
use crate::card::Delay;
use crate::device::Registers;

/// Longer than a character of the loopback test takes on any clock, many times.
const CHARACTER: Duration = Duration::from_millis(1);
const ATTEMPTS: u32 = 20;
/// More than any FIFO holds.
const FIFO_LIMIT: usize = 256;

/// Bytes the transmitter takes when it is empty.
pub(super) const FIFO_DEPTH: usize = 16;

/// Makes sure that it is a 16550 (or a relative), silent and off the line; says how many bytes its
/// FIFOs hold, 1 where there are none that work.
pub(super) fn probe(r: &impl Registers, delay: &mut dyn Delay) -> Result<usize, OpenError> {
    if r.len() < WINDOW {
        return Err(OpenError::Window { len: r.len() });
    }
    if [IER, IIR, LCR, MCR, LSR, SCR].iter().all(|&register| r.read8(register) == ABSENT) {
        return Err(OpenError::AllOnes);
    }
    r.write8(LCR, 0);
    r.write8(IER, 0);
    for wrote in [!SIGNATURE, SIGNATURE] {
        r.write8(SCR, wrote);
        let read = r.read8(SCR);
        if read != wrote {
            return Err(OpenError::Scratch { wrote, read });
        }
    }
    let depth = enable_fifos(r);
    loopback(r, delay)?;
    Ok(depth)
}

fn enable_fifos(r: &impl Registers) -> usize {
    r.write8(FCR, FCR_ENABLE);
    r.write8(FCR, FCR_ENABLE | FCR_CLEAR | FCR_TRIGGER_8);
    if r.read8(IIR) & IIR_FIFOS == IIR_FIFOS {
        FIFO_DEPTH
    } else {
        r.write8(FCR, 0);
        1
    }
}

/// Sends bytes round inside the chip. Nothing of it is seen on the wire, where DTR and RTS are off.
fn loopback(r: &impl Registers, delay: &mut dyn Delay) -> Result<(), OpenError> {
    r.write8(MCR, MCR_LOOP);
    set_format(r, 1, LineFormat::default().line_control()?);
    // What was on its way in.
    delay.delay(CHARACTER);
    drain(r);
    for wrote in [0x55, 0xAA, 0x00] {
        r.write8(DATA, wrote);
        let mut tries = 0..ATTEMPTS;
        let came = tries.any(|_| {
            r.read8(LSR) & LSR_DATA_READY != 0 || {
                delay.delay(CHARACTER);
                false
            }
        });
        let read = came.then(|| r.read8(DATA));
        if read != Some(wrote) {
            r.write8(MCR, 0);
            return Err(OpenError::Loopback { wrote, read });
        }
    }
    drain(r);
    r.write8(MCR, 0);
    Ok(())
}

/// Takes out what has been received, bounded for a chip that says so for ever.
fn drain(r: &impl Registers) {
    for _ in 0..FIFO_LIMIT {
        if r.read8(LSR) & LSR_DATA_READY == 0 {
            break;
        }
        r.read8(DATA);
    }
}

/// Sets speed and form; interrupts are off.
pub(super) fn set_format(r: &impl Registers, divisor: u16, line_control: u8) {
    let [low, high] = divisor.to_le_bytes();
    r.write8(LCR, line_control | LCR_DLAB);
    r.write8(DATA, low);
    r.write8(IER, high);
    r.write8(LCR, line_control);
}
