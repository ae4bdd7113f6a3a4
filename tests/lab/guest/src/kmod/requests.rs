//! Requests on the ports: io_uring operations, each of which completes on its own, and non-blocking
//! calls.

use std::io::{Read, Write};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::os::fd::AsFd;

use super::aio::Aio;
use super::card::{Card, counter, fails, long, open_port, pattern, same, until};
use super::ring::Ring;
use crate::Outcome;

/// The samples that a port can queue, 8 s.
const TX_SIZE: usize = 65_536;
/// The samples of 20 ms.
const CHUNK: usize = 160;

/// WRITEs complete in the order in which they were played, each with its own tag; READs can be
/// cancelled; an empty write ends all WRITEs of its port.
pub fn requests() -> Outcome {
    let card = Card::running()?;
    (0..3).for_each(|slot| card.loop_back(slot));
    let mut ports = Vec::new();
    for slot in 0..3 {
        ports.push(open_port(slot, 0).map_err(|error| format!("port {slot}: {error}"))?);
    }
    let mut ring = Ring::new()?;

    // The longest one is submitted first.
    let before = counter("ticks")?;
    for (slot, length) in [(0, 2400), (1, 800), (2, 1600)] {
        ring.write(&ports[slot], &pattern(1, length), 10 + slot as u64)?;
    }
    for (tag, length) in [(11, 800), (12, 1600), (10, 2400)] {
        let end = &ring.ends(1, long())?[0];
        same("the next WRITE to end", (end.tag, end.result), (tag, length))?;
        let ticks = counter("ticks")? - before;
        if ticks < length as u64 / 8 {
            return Err(format!("{length} samples were played within {ticks} ms"));
        }
    }

    // Several follow each other on one port, and one on another port is not delayed by them.
    for n in 0..20 {
        ring.write(&ports[2], &pattern(2, 80 + n), n as u64)?;
    }
    ring.write(&ports[1], &pattern(3, 1), 77)?;
    let ends: Vec<_> = ring.ends(21, long())?.iter().map(|end| (end.tag, end.result)).collect();
    let place = |tag| ends.iter().position(|end| end.0 == tag);
    if place(77) > place(19) {
        return Err(format!("a WRITE had to wait for those of another port: {ends:?}"));
    }
    let in_order: Vec<_> = ends.into_iter().filter(|end| end.0 < 20).collect();
    same("WRITEs of one port", in_order, (0..20).map(|n| (n, 80 + n as i32)).collect())?;

    // The second does not fit in and waits for room. What was queued is dropped.
    ring.write(&ports[0], &pattern(4, 40_000), 5)?;
    ring.write(&ports[0], &pattern(4, 40_000), 6)?;
    let mut ended = Vec::new();
    until("end of dropped WRITEs", || {
        let nothing = (&ports[0]).write(&[]).map_err(|error| format!("write of 0: {error}"))?;
        same("a write of nothing", nothing, 0)?;
        if let Some(end) = ring.end(Duration::from_millis(20))? {
            ended.push((end.tag, end.result));
        }
        Ok(ended.len() == 2)
    })?;
    same("dropped WRITEs", ended, vec![(5, -libc::ECANCELED), (6, -libc::ECANCELED)])?;

    // 20 ms of samples are enough for a READ.
    for (slot, port) in ports.iter().enumerate() {
        ring.read(port, 4096, 30 + slot as u64)?;
    }
    for end in ring.ends(3, long())? {
        if end.result < CHUNK as i32 || end.bytes.is_empty() {
            return Err(format!("a READ ended with {}", end.result));
        }
    }
    card.stop()?;
    let mut drained = 0;
    while drained < 8 {
        // While the rings are stopped nothing comes in, so that READs stay in flight.
        ring.read(&ports[0], 4096, 40 + drained)?;
        drained += 1;
    }
    ring.cancel(&ports[0], 60)?;
    for end in ring.ends(9, long())? {
        let fine = end.result == -libc::ECANCELED || end.result >= CHUNK as i32;
        if end.tag < 60 && !fine {
            return Err(format!("a cancelled READ ended with {}", end.result));
        }
    }
    Ok(())
}

/// The calls of programs that use poll(2).
pub fn nonblocking() -> Outcome {
    let card = Card::running()?;
    card.loop_back(0);
    let mut port = open_port(0, libc::O_NONBLOCK).map_err(|error| format!("port 0: {error}"))?;
    let mut some = [0; 1000];
    until("20 ms of samples", || match port.read(&mut some) {
        Ok(length) if length >= CHUNK => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => {
            ready(&port, PollFlags::POLLIN, long())
        }
        other => Err(format!("a non-blocking read gave {other:?}")),
    })?;

    card.stop()?;
    let samples = pattern(5, 5000);
    let mut queued = 0;
    loop {
        match port.write(&samples) {
            Ok(length) => queued += length,
            error => {
                fails("a write to a full port", libc::EAGAIN, error)?;
                break;
            }
        }
    }
    same("a port that does not play takes", queued, TX_SIZE)?;
    same("a full port is writable", ready(&port, PollFlags::POLLOUT, Duration::ZERO)?, false)?;

    // A waiter that needs little room is woken when there is that much, even if another needs more.
    let aio = Aio::new().map_err(|error| format!("io_setup: {error}"))?;
    let no_room = |length| {
        aio.write(&port, &pattern(6, length)).map_err(|error| format!("io_submit: {error}"))?;
        let end = aio.end(long()).map_err(|error| format!("io_getevents: {error}"))?;
        same("a write for which there is no room", end, Some(-i64::from(libc::EAGAIN)))
    };
    no_room(6000)?;
    no_room(40_000)?;
    card.start()?;
    same("a port with some room is writable", ready(&port, PollFlags::POLLOUT, long())?, true)?;
    no_room(40_000)?;
    card.stop()?;
    same("a write of nothing", port.write(&[]).map_err(|e| e.to_string())?, 0)?;
    same("an empty port is writable", ready(&port, PollFlags::POLLOUT, long())?, true)?;

    // What fits in is queued at once, and is played.
    card.start()?;
    same("a write", port.write(&samples[..800]).map_err(|e| e.to_string())?, 800)?;
    // A WRITE of io_uring's completes when it was played, on a non-blocking file as well, and
    // everything before it was played by then.
    let (mut ring, before) = (Ring::new()?, counter("ticks")?);
    ring.write(&port, &pattern(6, CHUNK), 1)?;
    same("a WRITE", ring.ends(1, long())?[0].result, CHUNK as i32)?;
    if counter("ticks")? - before < 80 {
        return Err("a WRITE ended before what lay before it was played".to_owned());
    }
    Ok(())
}

fn ready(port: impl AsFd, what: PollFlags, within: Duration) -> Result<bool, String> {
    let timeout = PollTimeout::try_from(within).map_err(|error| error.to_string())?;
    let mut files = [PollFd::new(port.as_fd(), what)];
    poll(&mut files, timeout).map_err(|error| format!("poll: {error}"))?;
    Ok(files[0].revents().is_some_and(|events| events.contains(what)))
}
