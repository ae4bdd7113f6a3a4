//! How requests end that can't be carried out, and the state in which the card is left.

use std::fs;
use std::io::{Read, Write};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::card::*;
use super::ring::Ring;
use crate::Outcome;
use crate::far::Far;

/// The slot of the FXO module.
const LINE: usize = 3;
/// More samples than any test plays.
const ENDLESS: usize = 60_000;

/// Waits until the exchange reports this state for the line of the FXO module.
fn line_is(far: &mut Far, wanted: &str) -> Outcome {
    far.until(wanted, "state", |state| state["slots"][LINE]["line"]["state"] == wanted).map(drop)
}

/// Opens a card and takes the line off-hook.
fn seized(far: &mut Far) -> Result<Card, String> {
    let card = Card::running()?;
    card.seize_line(LINE);
    line_is(far, "dial-tone")?;
    Ok(card)
}

/// Checks that a card that was just opened is in the state of an unused one.
fn is_safe(card: &Card) -> Outcome {
    let found = [CNTL, OPER].map(|register| card.read(register));
    same("CNTL, OPER", found, [0x4E, 0])
}

/// Whichever use of the card ends last, and however, the line goes on-hook and requests end.
pub fn last_user() -> Outcome {
    let mut far = Far::open()?;
    let port = open_port(LINE, 0).map_err(|error| error.to_string())?;
    let mut ring = Ring::new()?;

    // The close of the file is the last.
    let mut card = seized(&mut far)?;
    ring.write(&port, &pattern(1, ENDLESS), 1)?;
    card.registers = None;
    card.dma = None;
    fails("a second opener", libc::EBUSY, open_control(0))?;
    card.control = None;
    same("a WRITE", ring.ends(1, long())?[0].result, -libc::EIO)?;
    line_is(&mut far, "idle")?;
    is_safe(&Card::open()?)?;

    // The end of either mapping is the last.
    for registers_last in [true, false] {
        let mut card = seized(&mut far)?;
        ring.write(&port, &pattern(2, ENDLESS), 2)?;
        card.control = None;
        if registers_last {
            card.dma = None;
        } else {
            card.registers = None;
        }
        same("an early end", ring.end(Duration::from_millis(200))?.is_none(), true)?;
        fails("a second opener", libc::EBUSY, open_control(0))?;
        line_is(&mut far, "dial-tone")?;
        drop(card);
        same("a WRITE", ring.ends(1, long())?[0].result, -libc::EIO)?;
        line_is(&mut far, "idle")?;
        is_safe(&Card::open()?)?;
    }
    Ok(())
}

/// A card that stops, aborts, or interrupts too late, twice or not at all.
pub fn faults() -> Outcome {
    let mut far = Far::open()?;
    let card = Card::running()?;
    let port = open_port(0, 0).map_err(|error| error.to_string())?;
    let mut ring = Ring::new()?;
    let again = |card: &Card, ring: &mut Ring| {
        card.start()?;
        ring.write(&port, &pattern(3, 400), 3)?;
        same("a WRITE on a card that runs again", ring.ends(1, long())?[0].result, 400)
    };

    ring.write(&port, &pattern(3, ENDLESS), 1)?;
    card.stop()?;
    same("a WRITE on a card at rest", ring.ends(1, long())?[0].result, -libc::EIO)?;
    again(&card, &mut ring)?;

    for fault in ["master-abort", "target-abort"] {
        let aborts = counter("aborts")?;
        ring.write(&port, &pattern(3, ENDLESS), 1)?;
        far.ask(&format!("fault {fault} on"))?;
        same(fault, ring.ends(1, long())?[0].result, -libc::EIO)?;
        same("aborts", counter("aborts")?, aborts + 1)?;
        same("OPER", card.read(OPER), 0)?;
        far.ask(&format!("fault {fault} off"))?;
        again(&card, &mut ring)?;
    }

    far.ask("fault lost-interrupts on")?;
    ring.write(&port, &pattern(3, ENDLESS), 1)?;
    same("no interrupts", ring.ends(1, long())?[0].result, -libc::EIO)?;
    far.ask("fault lost-interrupts off")?;
    again(&card, &mut ring)?;

    // An interrupt that stays although it is acknowledged is masked, and can be enabled again.
    far.ask("fault standing-interrupt on")?;
    until("the interrupt masked", || {
        let ticks = counter("ticks")?;
        thread::sleep(Duration::from_millis(200));
        Ok(counter("ticks")? == ticks)
    })?;
    far.ask("fault standing-interrupt off")?;
    again(&card, &mut ring)?;

    // With the first two faults samples are lost and counted; a WRITE ends all the same.
    let lossless = ["doubled-interrupts", "strict-acknowledgment"];
    for fault in ["late-tick", "late-interrupt"].into_iter().chain(lossless) {
        let ticks = counter("ticks")?;
        until("ticks", || Ok(counter("ticks")? > ticks + 10))?;
        let missed = counter("missed")?;
        far.ask(&format!("fault {fault} on"))?;
        ring.write(&port, &pattern(3, 400), 4)?;
        same(fault, ring.ends(1, long())?[0].result, 400)?;
        far.ask(&format!("fault {fault} off"))?;
        let missed = counter("missed")? - missed;
        println!("{fault}: {missed} ms missed");
        if (missed > 0) == lossless.contains(&fault) {
            return Err(format!("{fault}: {missed} ms were missed"));
        }
    }
    Ok(())
}

/// The card is pulled out while it is used: reads return all ones.
pub fn removal() -> Outcome {
    let mut far = Far::open()?;
    let mut card = Card::running()?;
    let port = open_port(0, 0).map_err(|error| error.to_string())?;
    let mut ring = Ring::new()?;
    ring.write(&port, &pattern(4, ENDLESS), 1)?;
    thread::scope(|scope| {
        let writer = scope.spawn(|| (&port).write(&pattern(5, 2 * ENDLESS)));
        far.ask("fault removal on")?;
        same("a WRITE", ring.ends(1, long())?[0].result, -libc::ENODEV)?;
        let written = writer.join().map_err(|_| "the writer panicked".to_owned())?;
        fails("a write", libc::ENODEV, written)
    })?;
    fails("a read", libc::ENODEV, (&port).read(&mut [0; 8]))?;
    fails("a write", libc::ENODEV, (&port).write(&[0; 8]))?;
    fails("another port", libc::ENODEV, open_port(1, 0))?;
    let mut control = card.control.as_ref().ok_or("no control file")?;
    fails("irqcontrol", libc::ENODEV, control.write(&1_i32.to_ne_bytes()))?;
    same("a register", card.read(INTSTAT), 0xFF)?;
    card.registers = None;
    card.dma = None;
    card.control = None;
    fails("the UIO file", libc::ENODEV, open_control(0))?;

    // The kernel removes the device, as if the slot had reported it, and then it is plugged in
    // again.
    let folder = format!("/sys/bus/pci/devices/{}", pci_address()?);
    fs::write(format!("{folder}/remove"), "1").map_err(|error| format!("remove: {error}"))?;
    same("UIO devices", info().is_err(), true)?;
    fails("a read", libc::ENODEV, (&port).read(&mut [0; 8]))?;
    drop(port);
    far.ask("fault removal off")?;
    fs::write("/sys/bus/pci/rescan", "1").map_err(|error| format!("rescan: {error}"))?;
    works()
}

/// Checks that a card that is opened now plays.
pub fn works() -> Outcome {
    until("the card", || Ok(info().is_ok() && open_port(0, 0).is_ok()))?;
    let _card = Card::running_when_free()?;
    let mut port = open_port(0, 0).map_err(|error| error.to_string())?;
    same("a write", port.write(&pattern(6, 400)).map_err(|error| error.to_string())?, 400)
}

/// The driver is unbound while everything is in use, and bound again while the old files are open.
pub fn unbind() -> Outcome {
    let mut far = Far::open()?;
    let card = seized(&mut far)?;
    let ports: Result<Vec<_>, _> = (0..4).map(|slot| open_port(slot, 0)).collect();
    let ports = ports.map_err(|error| error.to_string())?;
    let mut ring = Ring::new()?;
    for (slot, port) in ports.iter().enumerate() {
        ring.write(port, &pattern(7, ENDLESS), slot as u64)?;
        ring.read(port, 160, 10 + slot as u64)?;
    }
    let before = ring.ends(4, long())?;
    same("early ends of WRITEs", before.iter().filter(|end| end.tag < 10).count(), 0)?;
    let rmmod = Command::new("rmmod").arg("ringback").output().map_err(|e| e.to_string())?;
    same("rmmod under use succeeds", rmmod.status.success(), false)?;

    let address = pci_address()?;
    let driver = "/sys/bus/pci/drivers/ringback";
    thread::scope(|scope| {
        // One thread sleeps in a read that will get no more data.
        card.stop()?;
        let reader = scope.spawn(|| {
            let mut all = Vec::new();
            (&ports[1]).read_to_end(&mut all)
        });
        fs::write(format!("{driver}/unbind"), &address).map_err(|e| format!("unbind: {e}"))?;
        for end in ring.ends(4, long())? {
            same("a WRITE", end.result, -libc::ENODEV)?;
        }
        let read = reader.join().map_err(|_| "the reader panicked".to_owned())?;
        fails("a read that waited", libc::ENODEV, read)
    })?;
    line_is(&mut far, "idle")?;
    same("UIO devices", info().is_err(), true)?;
    let mut control = card.control.as_ref().ok_or("no control file")?;
    fails("the UIO file", libc::EIO, control.read(&mut [0; 4]))?;
    for port in &ports {
        let mut port = port;
        fails("a read", libc::ENODEV, port.read(&mut [0; 8]))?;
        fails("a write", libc::ENODEV, port.write(&[0; 8]))?;
        same("a write of nothing", port.write(&[]).map_err(|error| error.to_string())?, 0)?;
    }
    let registers = [CNTL, OPER, INTSTAT, 0xC8].map(|register| card.read(register));
    same("registers of a card that is gone", registers, [0xFF; 4])?;
    same("its memory", card.memory().iter().all(|word| *word == u32::MAX), true)?;

    fs::write(format!("{driver}/bind"), &address).map_err(|error| format!("bind: {error}"))?;
    works()?;
    drop((card, ports));
    works()
}

/// Opens everything and submits requests, until it is killed.
pub fn forever() -> Outcome {
    let mut far = Far::open()?;
    let card = seized(&mut far)?;
    let ports: Result<Vec<_>, _> = (0..4).map(|slot| open_port(slot, 0)).collect();
    let ports = ports.map_err(|error| error.to_string())?;
    drop(far);
    let mut ring = Ring::new()?;
    let samples = pattern(8, ENDLESS / 3);
    for (slot, port) in ports.iter().enumerate() {
        for n in 0..3 {
            ring.write(port, &samples, n * 10 + slot as u64)?;
        }
        ring.read(port, 160, 100 + slot as u64)?;
    }
    println!("running");
    loop {
        let end = ring.end(long())?.ok_or("the card stands still")?;
        let port = &ports[end.tag as usize % 10];
        match end.result {
            error @ ..0 => return Err(format!("operation {} ended with {error}", end.tag)),
            _ if end.tag < 100 => ring.write(port, &samples, end.tag)?,
            _ => ring.read(port, 160, end.tag)?,
        }
        // All ones: the card was pulled out a moment ago, and the next operation fails.
        match card.read(OPER) {
            1 | 0xFF => {}
            other => return Err(format!("OPER: {other:#x}")),
        }
    }
}

/// Checks what a killed process has left: lines on-hook, files free, a card that works.
pub fn left() -> Outcome {
    let mut far = Far::open()?;
    line_is(&mut far, "idle")?;
    until("the end of the UIO file's use", || Ok(open_control(0).is_ok()))?;
    let card = Card::open()?;
    // Modules in reset, DMA stopped, interrupts masked. A card that was plugged in again is so
    // after power-on.
    let found = (card.read(CNTL) & 1, card.read(OPER));
    same("CNTL bit 0, OPER", found, (0, 0))?;
    drop(card);
    for slot in 0..4 {
        until("the end of a port's use", || Ok(open_port(slot, 0).is_ok()))?;
    }
    works()
}

/// The machine is suspended while the line is off-hook.
pub fn sleep() -> Outcome {
    let mut far = Far::open()?;
    let card = seized(&mut far)?;
    let port = open_port(0, 0).map_err(|error| error.to_string())?;
    let mut ring = Ring::new()?;
    ring.write(&port, &pattern(9, ENDLESS), 1)?;
    // The connection to the far ends does not survive a suspend on every kernel.
    drop(far);
    // The devices are suspended and resumed, with the part that is without interrupts; the machine
    // is not.
    fs::write("/sys/power/pm_test", "platform").map_err(|error| format!("pm_test: {error}"))?;
    fs::write("/sys/power/state", "freeze").map_err(|error| format!("state: {error}"))?;
    same("a WRITE", ring.ends(1, long())?[0].result, -libc::EIO)?;
    let found = (card.read(CNTL) & 1, card.read(OPER));
    same("CNTL bit 0, OPER", found, (0, 0))?;
    card.reset();
    card.start()?;
    ring.write(&port, &pattern(9, 400), 2)?;
    same("a WRITE after it", ring.ends(1, long())?[0].result, 400)
}

/// The card is pulled out while the machine is suspended: waiters of a port get an error. A task
/// would check again by itself, because it is woken to be frozen; a READ of io_uring's would not.
pub fn sleep_without() -> Outcome {
    let mut far = Far::open()?;
    let card = Card::running()?;
    let port = open_port(0, 0).map_err(|error| error.to_string())?;
    card.stop()?;
    let mut ring = Ring::new()?;
    let mut reads = 0;
    loop {
        // The first READs return what came in until then.
        ring.read(&port, 4096, reads)?;
        if ring.end(Duration::from_millis(300))?.is_none() {
            break;
        }
        reads += 1;
    }
    far.ask("fault removal on")?;
    drop(far);
    fs::write("/sys/power/pm_test", "devices").map_err(|error| format!("pm_test: {error}"))?;
    fs::write("/sys/power/state", "freeze").map_err(|error| format!("state: {error}"))?;
    same("a READ", ring.ends(1, long())?[0].result, -libc::ENODEV)?;
    fails("a write", libc::ENODEV, (&port).write(&[0; 8]))
}
