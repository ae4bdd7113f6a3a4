//! The mailbox of the module `uio_dummy`, with the kernel's UIO.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ringback_driver::card::mailbox::{Complement, Mailbox};
use ringback_driver::device::mmio::MappedRegisters;
use ringback_driver::device::sysfs::SysfsRoot;
use ringback_driver::device::uio::{UioDevice, UioInfo};
use ringback_driver::device::{Device, Needs, Registers};
use ringback_driver::engine::Failure;
use ringback_driver::reactor::{Driver, Handle, Refused};

use crate::Outcome;
use crate::tally::{Tallied, Tally};
use crate::trace::Submissions;

const CAPACITY: usize = 4096;
const NEEDS: Needs = Needs { registers: 0x1000, dma: 0, msi: false };
/// The time limit of requests that will be answered.
const LONG: Duration = Duration::from_secs(100);

type Engine = Mailbox<UioDevice>;

struct Card {
    driver: Driver<Engine>,
    number: u32,
}

impl Card {
    fn open(tally: &Arc<Tally>) -> Result<Card, String> {
        let root = SysfsRoot::system();
        let info = UioInfo::all(&root)
            .into_iter()
            .find(|info| info.name == "uio_dummy")
            .ok_or("there is no UIO device uio_dummy")?;
        let device = UioDevice::open(&root, info.number, &NEEDS).map_err(|e| e.to_string())?;
        let interrupt = device.interrupt().map_err(|e| e.to_string())?;
        let engine = Mailbox::new(device, CAPACITY).map_err(|e| e.to_string())?;
        let driver = Driver::start(engine, Some(interrupt), Tallied(Arc::clone(tally)), CAPACITY)
            .map_err(|e| e.to_string())?;
        Ok(Card { driver, number: info.number })
    }

    /// Reads a counter of the module in /sys.
    fn counter(&self, name: &str) -> Result<u64, String> {
        let path = format!("/sys/class/uio/uio{}/device/{name}", self.number);
        let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        text.trim().parse().map_err(|_| format!("{path}: not a number: {text}"))
    }
}

fn complement(operand: u32, time_limit: Duration) -> impl Fn() -> Complement {
    move || Complement { operand, time_limit }
}

/// Submits requests and releases their tickets at once.
fn submit_plainly(
    tally: &Tally,
    handle: &Handle<Engine>,
    ids: impl Iterator<Item = u32>,
    time_limit: Duration,
) -> Result<(), Refused> {
    for id in ids {
        let ticket = tally.submit(handle, id, complement(id, time_limit), &mut None)?;
        tally.release(ticket);
    }
    Ok(())
}

/// 100 000 requests from four threads, with thousands outstanding: none is lost, early or doubled,
/// and there are fewer interrupts than answers.
pub fn flood() -> Outcome {
    const THREADS: u32 = 4;
    const EACH: u32 = 25_000;
    const ALL: u32 = THREADS * EACH;

    let tally = Tally::new(1, ALL);
    let card = Card::open(&tally)?;
    let before = (card.counter("answered")?, card.counter("interrupts")?);
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (tally, handle) = (Arc::clone(&tally), card.driver.handle());
            thread::spawn(move || submit_some(&tally, &handle, thread * EACH + 1, EACH))
        })
        .collect();
    for thread in threads {
        thread.join().map_err(|_| "a submitter panicked")??;
    }
    tally.wait(LONG)?;
    let answered = card.counter("answered")? - before.0;
    let interrupts = card.counter("interrupts")? - before.1;
    card.driver.shutdown();

    let counts = tally.counts();
    counts.exactly_once(ALL as usize)?;
    counts.only(&[0, -libc::ECANCELED])?;
    println!("{answered} answers, {interrupts} interrupts");
    if counts.most < 2000 {
        return Err(format!("at most {} requests were outstanding, not thousands", counts.most));
    }
    let cancelled = counts.count(-libc::ECANCELED);
    if cancelled == 0 || cancelled > (ALL / 97) as usize + 1 {
        return Err(format!("{cancelled} requests ended cancelled, {} were", ALL / 97));
    }
    if interrupts * 4 > answered {
        return Err(format!("{interrupts} interrupts for {answered} answers: not coalesced"));
    }
    Ok(())
}

/// Holds some tickets while the next requests are submitted, and cancels some requests.
fn submit_some(tally: &Tally, handle: &Handle<Engine>, first: u32, many: u32) -> Outcome {
    let mut held = None;
    for id in first..first + many {
        let ticket = tally
            .submit(handle, id, complement(id.wrapping_mul(0x9E37_79B9), LONG), &mut held)
            .map_err(|refused| format!("request {id}: {refused}"))?;
        if id % 97 == 0 {
            handle.cancel(ticket.token());
        }
        if id % 64 == 0 {
            held = Some(ticket);
            continue;
        }
        tally.release(ticket);
        if id % 64 == 16
            && let Some(ticket) = held.take()
        {
            tally.release(ticket);
        }
    }
    if let Some(ticket) = held {
        tally.release(ticket);
    }
    Ok(())
}

/// The device is removed while requests are outstanding and others are submitted: each ends with an
/// error, and new ones are refused.
pub fn removal() -> Outcome {
    const BEFORE: u32 = 2000;
    const MOST: u32 = 1_000_000;

    let tally = Tally::new(1, MOST);
    let card = Card::open(&tally)?;
    let handle = card.driver.handle();
    submit_plainly(&tally, &handle, 1..=BEFORE, LONG).map_err(|e| e.to_string())?;
    let rmmod = Command::new("rmmod").arg("uio_dummy").status().map_err(|e| e.to_string())?;
    if rmmod.success() {
        return Err("the module could be removed while its file was open".into());
    }
    let unbind = thread::spawn(|| {
        fs::write("/sys/bus/platform/drivers/uio_dummy/unbind", "uio_dummy.0")
            .map_err(|error| format!("unbind: {error}"))
    });
    let refused = submit_plainly(&tally, &handle, BEFORE + 1..=MOST, LONG);
    unbind.join().map_err(|_| "the unbinder panicked")??;
    tally.wait(LONG)?;
    card.driver.shutdown();

    let counts = tally.counts();
    counts.exactly_once(counts.submitted)?;
    counts.only(&[0, -libc::ENODEV])?;
    if refused != Err(Refused::Rejected(Failure::Gone.errno())) {
        return Err(format!(
            "a request after the removal was not refused as it should: {refused:?}"
        ));
    }
    let answered = counts.count(0);
    if answered >= BEFORE as usize {
        return Err(format!("{answered} requests were answered; none was left to be removed"));
    }
    Ok(())
}

/// Each request that reaches its deadline had a TIMEOUT in the ring under its own id, and no other
/// entry had an id.
pub fn traced() -> Outcome {
    const FIRST: u32 = 0x1234_5678;
    const MANY: u32 = 300;
    let ids = FIRST..FIRST + MANY;

    let tally = Tally::new(FIRST, MANY);
    let submissions = Submissions::start()?;
    let card = Card::open(&tally)?;
    submit_plainly(&tally, &card.driver.handle(), ids.clone(), Duration::from_millis(200))
        .map_err(|e| e.to_string())?;
    tally.wait(LONG)?;
    card.driver.shutdown();
    let seen = submissions.stop()?;

    let counts = tally.counts();
    counts.exactly_once(MANY as usize)?;
    counts.only(&[0, -libc::ETIMEDOUT])?;
    let in_the_ring: HashSet<u32> = seen.iter().map(|entry| entry.user_data as u32).collect();
    println!("{} entries were submitted, under {} ids", seen.len(), in_the_ring.len());
    if let Some(entry) = seen
        .iter()
        .find(|entry| !matches!(entry.user_data as u32, id if id == 0 || ids.contains(&id)))
    {
        return Err(format!("an entry carries what is no request's id: {entry:?}"));
    }
    if counts.count(-libc::ETIMEDOUT) < 100 {
        return Err("the hardware was too fast for this check".into());
    }
    let late = |id: &u32| tally.result(*id) == Some(-libc::ETIMEDOUT);
    match ids.filter(late).find(|id| !in_the_ring.contains(id)) {
        Some(id) => Err(format!("request {id:#x} timed out and was never in the ring")),
        None => Ok(()),
    }
}

/// A card that was shut down can be opened again at once.
pub fn reopen() -> Outcome {
    const TIMES: u32 = 30;
    const EACH: u32 = 20;
    let tally = Tally::new(1, TIMES * EACH);
    for time in 0..TIMES {
        let card = Card::open(&tally).map_err(|cause| format!("opening it again: {cause}"))?;
        let ids = time * EACH + 1..=(time + 1) * EACH;
        submit_plainly(&tally, &card.driver.handle(), ids, LONG).map_err(|e| e.to_string())?;
        tally.wait(LONG)?;
        card.driver.shutdown();
    }
    let counts = tally.counts();
    counts.exactly_once((TIMES * EACH) as usize)?;
    counts.only(&[0])
}

/// Opens the device as soon as it appears, again and again, while the module is loaded and removed:
/// it answers and interrupts however early that is. `lab-guest mailbox-early SECONDS`.
pub fn early() -> Outcome {
    const ACCEPTED: usize = 0x0C;
    const SUBMITTED: usize = 0x08;
    let seconds =
        std::env::args().nth(2).and_then(|text| text.parse().ok()).ok_or("say SECONDS")?;
    let (end, mut opens) = (Instant::now() + Duration::from_secs(seconds), 0);
    while Instant::now() < end {
        let mut file = OpenOptions::new();
        let file = file.read(true).write(true).custom_flags(libc::O_NONBLOCK).open("/dev/uio0");
        let Ok(mut file) = file else { continue };
        let registers = MappedRegisters::new(&file, 0, 0, 0x1000)
            .map_err(|error| format!("the mailbox can't be mapped: {error}"))?;
        file.write_all(&1_i32.to_ne_bytes()).map_err(|error| format!("irqcontrol: {error}"))?;
        registers.write32(SUBMITTED, registers.read32(ACCEPTED).wrapping_add(1));
        let mut files = [PollFd::new(file.as_fd(), PollFlags::POLLIN)];
        let some = poll(&mut files, PollTimeout::from(20_000_u16));
        if some.map_err(|error| format!("poll: {error}"))? != 1 {
            return Err("a command of an early opener was never interrupted for".to_owned());
        }
        opens += 1;
        drop(registers);
        drop(file);
        // Time in which the module can be removed.
        thread::sleep(Duration::from_millis(3));
    }
    println!("{opens} opens");
    if opens < 50 { Err(format!("only {opens} opens")) } else { Ok(()) }
}

/// Submits requests until it is killed.
pub fn forever() -> Outcome {
    let tally = Tally::new(1, 0);
    let card = Card::open(&tally)?;
    println!("running");
    submit_plainly(&tally, &card.driver.handle(), (1..=1_000_000).cycle(), LONG)
        .map_err(|refused| refused.to_string())
}
