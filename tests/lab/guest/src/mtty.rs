//! The kernel's sample device mtty, a mediated 16550 with its output looped back, with VFIO.

use std::sync::Arc;
use std::time::Duration;

use ringback_driver::card::uart16550::{self, Options, Uart16550};
use ringback_driver::card::{KINDS, ThreadDelay};
use ringback_driver::device::discover::discover;
use ringback_driver::device::selector::{MdevUuid, Selector};
use ringback_driver::device::sysfs::SysfsRoot;
use ringback_driver::device::vfio::VfioDevice;
use ringback_driver::device::{Device, Needs};
use ringback_driver::reactor::Driver;

use crate::Outcome;
use crate::echo::{Echo, Text};
use crate::tally::{Tallied, Tally};

const TEXTS: u32 = 200;
const LONG: Duration = Duration::from_secs(30);

/// Texts of all lengths are sent around the loop, with interrupts of both kinds.
pub fn loopback() -> Outcome {
    let root = SysfsRoot::system();
    let found = discover(&root, KINDS).into_iter().find_map(|candidate| match candidate {
        c if c.kind != uart16550::KIND => None,
        c => {
            if let Selector::Mdev(uuid) = c.selector {
                Some(uuid)
            } else {
                None
            }
        }
    });
    let uuid = found.ok_or("discovery finds no mediated 16550")?;
    for msi in [false, true] {
        println!("{uuid}, {}", if msi { "MSI" } else { "INTx" });
        round(&root, &uuid, msi)?;
    }
    Ok(())
}

fn round(root: &SysfsRoot, uuid: &MdevUuid, msi: bool) -> Outcome {
    let needs = Needs { msi, ..Uart16550::<VfioDevice>::NEEDS };
    let device = VfioDevice::open_mdev(root, uuid, &needs).map_err(|e| e.to_string())?;
    let interrupt = device.interrupt().map_err(|e| e.to_string())?;
    let mut uart =
        Uart16550::open(device, Options::default(), &mut ThreadDelay).map_err(|e| e.to_string())?;
    uart.start().map_err(|e| e.to_string())?;
    println!("FIFOs of {} bytes", uart.fifo_depth());

    let tally = Tally::new(1, TEXTS);
    let driver = Driver::start(Echo::new(uart), Some(interrupt), Tallied(Arc::clone(&tally)), 4096)
        .map_err(|e| e.to_string())?;
    let handle = driver.handle();
    let mut bytes = 0;
    for id in 1..=TEXTS {
        let text: Vec<u8> = (0..id).map(|n| (n * 31 + id) as u8).collect();
        bytes += text.len() as u64;
        let command = || Text { bytes: text.clone(), time_limit: LONG };
        let ticket = tally.submit(&handle, id, command, &mut None).map_err(|e| e.to_string())?;
        tally.release(ticket);
    }
    let waited = tally.wait(LONG);
    let seen = handle.with(|echo, _| (*echo.uart().counters(), echo.interrupts()));
    let (counters, interrupts) =
        seen.map_err(|error| format!("the engine stopped by itself: {error}"))?;
    println!("{interrupts} interrupts, {counters:?}");
    waited?;
    driver.shutdown();

    let counts = tally.counts();
    counts.exactly_once(TEXTS as usize)?;
    counts.only(&[0])?;
    if counters.received != bytes || counters.overruns != 0 {
        return Err(format!("{bytes} bytes were sent; of what came: {counters:?}"));
    }
    // One interrupt for each full FIFO would be more than a thousand; some are lost between mask
    // and unmask.
    if interrupts < 100 {
        return Err(format!("{interrupts} interrupts for {bytes} bytes"));
    }
    Ok(())
}
