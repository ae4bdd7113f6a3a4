//! QEMU's edu device: factorials and DMA as requests, with `uio_pci_generic` and with vfio-pci.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use ringback_driver::card::KINDS;
use ringback_driver::card::edu::{self, Answer, Edu, Order, Work};
use ringback_driver::device::discover::discover;
use ringback_driver::device::pci::PciAddress;
use ringback_driver::device::selector::Selector;
use ringback_driver::device::sysfs::SysfsRoot;
use ringback_driver::device::uio::UioDevice;
use ringback_driver::device::vfio::VfioDevice;
use ringback_driver::device::{Device, Needs};
use ringback_driver::reactor::{Driver, Refused, Upcalls};
use ringback_driver::request::{Completion, ErrorCode, LineNumber};
use ringback_tspi::EvenPoisoned;

use crate::Outcome;
use crate::tally::Tally;

const CAPACITY: usize = 256;
const REGISTERS: usize = 0x9C;
/// The size of the card's memory, in words.
const WORDS: usize = 1024;
const LONG: Duration = Duration::from_secs(100);
/// Number of factorials that are requested at once.
const FACTORIALS: u32 = 240;

#[derive(Clone)]
struct Listener {
    tally: Arc<Tally>,
    answers: Arc<Mutex<Vec<Answer>>>,
}

impl Upcalls<(), Answer> for Listener {
    fn completed(&mut self, mut completion: Completion<Answer>) {
        let answer = std::mem::replace(&mut completion.output, Answer::Nothing);
        if answer != Answer::Nothing {
            // Stored before the tally counts it, because the tally is what other threads wait for.
            self.answers.lock().even_poisoned().push(answer);
        }
        self.tally.completed(&completion);
    }

    fn event(&mut self, _: LineNumber, (): ()) {}
}

/// A running card, and its next request id.
struct Card<D: Device> {
    driver: Driver<Edu<D>>,
    tally: Arc<Tally>,
    answers: Arc<Mutex<Vec<Answer>>>,
    next: AtomicU32,
}

impl<D: Device> Card<D> {
    fn start(device: D) -> Result<Card<D>, String> {
        let interrupt = device.interrupt().map_err(|e| e.to_string())?;
        let engine = Edu::new(device).map_err(|e| e.to_string())?;
        let tally = Tally::new(1, 100_000);
        let answers = Arc::new(Mutex::new(Vec::new()));
        let listener = Listener { tally: Arc::clone(&tally), answers: Arc::clone(&answers) };
        let driver = Driver::start(engine, Some(interrupt), listener, CAPACITY)
            .map_err(|e| e.to_string())?;
        Ok(Card { driver, tally, answers, next: AtomicU32::new(1) })
    }

    fn submit(&self, work: Work, time_limit: Duration) -> Result<u32, Refused> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let order = || Order { work: work.clone(), time_limit };
        let ticket = self.tally.submit(&self.driver.handle(), id, order, &mut None)?;
        self.tally.release(ticket);
        Ok(id)
    }

    /// The answers since the last call.
    fn answers(&self) -> Vec<Answer> {
        std::mem::take(&mut *self.answers.lock().even_poisoned())
    }

    /// Submits requests, waits for all of them, and returns their answers.
    fn run(&self, work: Work) -> Result<Vec<Answer>, String> {
        let id = self.submit(work.clone(), LONG).map_err(|e| format!("{work:?}: {e}"))?;
        self.tally.wait(LONG)?;
        match self.tally.result(id) {
            Some(0) => Ok(self.answers()),
            result => Err(format!("{work:?} ended with {result:?}")),
        }
    }

    /// Shuts down, and checks that every request has completed exactly once.
    fn end(self, allowed: &[i32]) -> Outcome {
        let submitted = self.tally.counts().submitted;
        self.driver.shutdown();
        let counts = self.tally.counts();
        counts.exactly_once(submitted)?;
        counts.only(allowed)
    }

    /// Requests factorials from three threads at once.
    fn factorials(&self) -> Outcome {
        let some = |thread| {
            (0..FACTORIALS / 3)
                .map(|n| n * 3 + thread)
                .try_for_each(|operand| self.submit(Work::Factorial { operand }, LONG).map(|_| ()))
        };
        thread::scope(|scope| {
            let threads = [0, 1, 2].map(|thread| scope.spawn(move || some(thread)));
            threads.into_iter().try_for_each(|thread| {
                let joined = thread.join().map_err(|_| "a submitter panicked".to_owned())?;
                joined.map_err(|refused| refused.to_string())
            })
        })?;
        self.tally.wait(LONG)?;
        let mut seen = vec![0; FACTORIALS as usize];
        for answer in self.answers() {
            let Answer::Factorial { operand, value } = answer else {
                return Err(format!("nobody asked for {answer:?}"));
            };
            if value != (1..=operand).fold(1, u32::wrapping_mul) {
                return Err(format!("{operand}! is not {value}"));
            }
            *seen.get_mut(operand as usize).ok_or("a factorial of what nobody asked for")? += 1;
        }
        match seen.iter().position(|&times| times != 1) {
            Some(operand) => Err(format!("{operand}! was answered {} times", seen[operand])),
            None => Ok(()),
        }
    }

    /// Copies data into the card's memory by DMA and back, and compares.
    fn round_trips(&self) -> Outcome {
        for seed in 1..=5_u32 {
            let words: Vec<u32> =
                (0..WORDS as u32).map(|n| (n + seed).wrapping_mul(0x9E37_79B9)).collect();
            self.run(Work::Store { offset: 0, words: words.clone() })?;
            let part = Work::Load { offset: 4 * seed as usize, words: WORDS / 2 };
            let answers = self.run(part)?;
            let start = seed as usize;
            match answers.as_slice() {
                [Answer::Loaded { words: got, .. }] if *got == words[start..start + WORDS / 2] => {}
                _ => return Err(format!("round trip {seed}: other words came back")),
            }
        }
        Ok(())
    }

    /// After a copy whose deadline has passed the card can be used.
    fn deadline(&self) -> Outcome {
        let load = Work::Load { offset: 0, words: 1 };
        let late = self.submit(load, Duration::from_millis(5)).map_err(|e| e.to_string())?;
        self.round_trips()?;
        let result = self.tally.result(late);
        println!("a copy of 100 ms with a deadline of 5 ms ended with {result:?}");
        Ok(())
    }
}

/// Finds the edu device by discovery.
fn find(root: &SysfsRoot) -> Result<Selector, String> {
    let all = discover(root, KINDS);
    for candidate in &all {
        println!("{candidate:?}");
    }
    let found = all.into_iter().find(|candidate| candidate.kind == edu::KIND);
    found.map(|candidate| candidate.selector).ok_or("discovery finds no edu device".to_owned())
}

/// The number of interrupts so far of handlers whose name contains `handler`.
fn interrupts(handler: &str) -> Result<u64, String> {
    let text = fs::read_to_string("/proc/interrupts").map_err(|e| e.to_string())?;
    let line = text.lines().find(|line| line.contains(handler));
    let line = line.ok_or_else(|| format!("no interrupt has the handler {handler}"))?;
    println!("{line}");
    let counts = line.split_whitespace().skip(1).map_while(|count| count.parse::<u64>().ok());
    Ok(counts.sum())
}

/// With `uio_pci_generic`: factorials by INTx, no DMA; then the card is removed.
pub fn uio() -> Outcome {
    let root = SysfsRoot::system();
    let Selector::Uio(number) = find(&root)? else {
        return Err("discovery does not offer the edu device by UIO".into());
    };
    let needs = Needs { registers: REGISTERS, dma: 0, msi: false };
    let folder = fs::canonicalize(format!("/sys/class/uio/uio{number}/device"))
        .map_err(|error| format!("/dev/uio{number} has no device: {error}"))?;
    let card = Card::start(UioDevice::open(&root, number, &needs).map_err(|e| e.to_string())?)?;
    let before = interrupts("uio_pci_generic")?;
    card.factorials()?;
    let came = interrupts("uio_pci_generic")? - before;
    // Each factorial interrupts on its own, and must be acknowledged before the next can begin.
    if came < u64::from(FACTORIALS) {
        return Err(format!("{came} interrupts for {FACTORIALS} factorials"));
    }
    let refused = card.submit(Work::Load { offset: 0, words: 1 }, LONG);
    if refused != Err(Refused::Rejected(ErrorCode::of::<{ -libc::EOPNOTSUPP }>())) {
        return Err(format!("a copy without DMA memory was not refused as it should: {refused:?}"));
    }

    // Requests seconds of work, most of which has to wait.
    for _ in 0..50 {
        card.submit(Work::Factorial { operand: u32::MAX }, LONG).map_err(|e| e.to_string())?;
    }
    fs::write(folder.join("remove"), "1").map_err(|error| format!("remove: {error}"))?;
    card.tally.wait(LONG)?;
    let gone = card.tally.counts().count(-libc::ENODEV);
    if gone < 40 {
        return Err(format!("{gone} of 50 requests noticed that the card was taken away"));
    }
    card.end(&[0, -libc::ENODEV])
}

/// With vfio-pci, and the interrupt as INTx.
pub fn vfio_intx() -> Outcome {
    // If an interrupt is pending when INTx is unmasked, it is delivered without being counted.
    vfio(false, "vfio-intx", 1)
}

/// With vfio-pci, and the interrupt as MSI.
pub fn vfio_msi() -> Outcome {
    vfio(true, "vfio-msi[0]", u64::from(FACTORIALS) + 10)
}

fn vfio(msi: bool, handler: &str, interrupts_at_least: u64) -> Outcome {
    let root = SysfsRoot::system();
    let Selector::Pci(address) = find(&root)? else {
        return Err("discovery does not offer the edu device by VFIO".into());
    };
    let card = Card::start(open_vfio(&root, address, msi)?)?;
    card.factorials()?;
    card.round_trips()?;
    let came = interrupts(handler)?;
    if came < interrupts_at_least {
        return Err(format!("{came} interrupts for {FACTORIALS} factorials and 10 copies"));
    }
    card.deadline()?;
    card.end(&[0, -libc::ETIMEDOUT])?;

    // The next user finds the card in its initial state at once.
    let card = Card::start(open_vfio(&root, address, msi)?)?;
    card.factorials()?;
    card.round_trips()?;
    card.end(&[0])
}

fn open_vfio(root: &SysfsRoot, address: PciAddress, msi: bool) -> Result<VfioDevice, String> {
    let needs = Needs { registers: REGISTERS, dma: 4 * WORDS, msi };
    VfioDevice::open_pci(root, address, &needs).map_err(|error| error.to_string())
}
