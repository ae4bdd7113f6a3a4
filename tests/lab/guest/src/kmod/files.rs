//! Which processes may open which file, what the files contain, and what the counters count.

use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::Duration;

use super::card::*;
use crate::Outcome;

/// The UIO file: one opener, two maps, interrupts that are counted and can be disabled.
pub fn control() -> Outcome {
    let about = info()?;
    let maps: Vec<_> = about.maps.iter().map(|map| (map.name.as_str(), map.size)).collect();
    same("maps", maps, vec![("registers", 4096), ("dma", 4096)])?;
    let card = Card::running()?;
    fails("a second opener", libc::EBUSY, open_control(0))?;

    let mut control = card.control.as_ref().ok_or("no control file")?;
    let mut word = [0; 4];
    let mut interrupts = || match control.read(&mut word) {
        Ok(4) => Ok(Some(i32::from_ne_bytes(word))),
        Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => Ok(None),
        other => Err(format!("a read of the UIO file gave {other:?}")),
    };
    let mut first = None;
    until("a first interrupt", || {
        first = interrupts()?;
        Ok(first.is_some())
    })?;
    let ticks = counter("ticks")?;
    let mut last = first;
    until("a hundred interrupts", || {
        last = interrupts()?.or(last);
        Ok(last.zip(first).is_some_and(|(last, first)| last.wrapping_sub(first) > 100))
    })?;
    if counter("ticks")? < ticks + 90 {
        return Err("interrupts came that were no ticks".to_owned());
    }

    card.interrupts(false)?;
    let ticks = counter("ticks")?;
    thread::sleep(Duration::from_millis(200));
    if counter("ticks")? > ticks + 1 {
        return Err("interrupts that were switched off came".to_owned());
    }
    card.interrupts(true)?;
    until("interrupts again", || Ok(counter("ticks")? > ticks + 10))?;

    // Interrupts that the program has not enabled are masked by the module, not left to the kernel.
    card.write(MASK1, 0xFF);
    thread::sleep(Duration::from_millis(100));
    fails("a read of 3 bytes", libc::EINVAL, control.read(&mut [0; 3]))?;
    fails("a read of 8 bytes", libc::EINVAL, control.read(&mut [0; 8]))?;
    fails("a write of 8 bytes", libc::EINVAL, control.write(&[0; 8]))?;
    Ok(())
}

/// The ports' files: one opener each, not seekable.
pub fn ports() -> Outcome {
    for slot in 0..4 {
        let port = open_port(slot, 0).map_err(|error| format!("port {slot}: {error}"))?;
        fails("a second opener", libc::EBUSY, open_port(slot, 0))?;
        fails("a second opener", libc::EBUSY, open_port(slot, libc::O_NONBLOCK))?;
        fails("pread", libc::ESPIPE, port.read_at(&mut [0; 4], 0))?;
        fails("pwrite", libc::ESPIPE, port.write_at(&[0; 4], 0))?;
    }
    // Opening the file of a port does not start the card, so that there is never anything to read.
    let mut port = open_port(0, libc::O_NONBLOCK).map_err(|error| error.to_string())?;
    fails("a read with the card at rest", libc::EAGAIN, port.read(&mut [0; 8]))?;
    Ok(())
}

/// The counters of the module.
pub fn counters() -> Outcome {
    let card = Card::running()?;
    card.loop_back(0);
    let mut port = open_port(0, 0).map_err(|error| format!("port 0: {error}"))?;
    until("ticks", || Ok(counter("ticks")? > 10))?;
    let (overruns, underruns) = (counter("overruns")?, counter("underruns")?);

    // Each write begins when the one before has been played, so that there is a gap each time.
    for n in 0..4 {
        port.write_all(&pattern(n, 160)).map_err(|error| error.to_string())?;
    }
    match counter("underruns")? - underruns {
        // If the program took longer than 20 ms, this was not a gap but a separate sound.
        0 => return Err("gaps were not counted".to_owned()),
        1..=3 => {}
        more => return Err(format!("{more} gaps between four writes")),
    }

    // Nothing reads for longer than the queue can hold.
    until("overruns", || Ok(counter("overruns")? > overruns))?;
    card.stop()?;
    let (mut held, mut some) = (0, [0; 4096]);
    while held < 8192 {
        held += port.read(&mut some).map_err(|error| error.to_string())?;
    }
    same("what a port holds", held, 8192)
}
