//! (d) The lower bound: an io_uring that reads the interrupt file and indexes an array. No ids, no
//! gate, no order, no deadlines, no shutdown with outstanding requests; with one submitting thread
//! it needs no lock.

// Pushing an entry with the io-uring crate is unsafe, as it is for its users.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use io_uring::types::Fixed;
use io_uring::{IoUring, opcode};

use super::peer::Common;
use super::{BareOf, FLOOR, Way, drive, fill, words};
use crate::aside::Reaper;
use crate::cell::{Cell, Stages};
use crate::kinds::Bare;
use crate::plant::Plant;
use crate::probe::Landing;

/// The first tag of requests whose completions are ignored.
const OTHERS: u32 = 1000;

pub(super) struct Floor<P> {
    plant: Arc<P>,
}

impl<P: Plant> Floor<P> {
    pub(super) fn new(plant: &Arc<P>) -> Self {
        Floor { plant: Arc::clone(plant) }
    }
}

impl<P: Plant> Way for Floor<P> {
    fn name(&self) -> &'static str {
        FLOOR
    }

    fn aside(&self) -> Option<usize> {
        self.plant.aside(Reaper::Sleeps)
    }

    fn slice(&self, cell: Cell, count: usize, aside: Option<usize>) -> Result<Stages, String> {
        // As a fixed file it must not block; otherwise reads of UIO would go to a worker thread.
        let (common, interrupt, size) = Common::<BareOf<P>>::set_up(&*self.plant, false, aside)?;
        let landings = Landing::several(cell.threads);
        let reader = {
            let (common, landings) = (Arc::clone(&common), Arc::clone(&landings));
            thread::spawn(move || reap(&common, &interrupt, size as u32, &landings))
        };
        let stages = submit(cell, count, &common, &landings);
        common.stop();
        reader.join().map_err(|_| "the reading thread panicked")?.map_err(words("io_uring"))?;
        stages
    }
}

fn submit(
    cell: Cell,
    count: usize,
    common: &Common<impl Bare>,
    landings: &[Landing],
) -> Result<Stages, String> {
    fill(cell, &common.hardware, |n| common.bare.ring(OTHERS + n as u32, 0))?;
    let alone = (cell.threads == 1).then(|| AtomicU32::new(common.bare.count()));
    let lock = Mutex::new(());
    let ring = |n: usize| match &alone {
        Some(submitted) => {
            let next = common.bare.put(submitted.load(Ordering::Relaxed), n as u32, n as u32);
            submitted.store(next, Ordering::Relaxed);
        }
        None => {
            let _lock = lock.lock();
            common.bare.ring(n as u32, n as u32);
        }
    };
    let stages = drive(cell, count, &common.probe, &common.hardware, landings, &ring);
    if let Some(submitted) = alone {
        common.bare.set_count(submitted.into_inner());
    }
    stages
}

fn reap(
    common: &Common<impl Bare>,
    interrupt: &OwnedFd,
    size: u32,
    landings: &[Landing],
) -> std::io::Result<()> {
    let mut ring: IoUring =
        IoUring::builder().setup_single_issuer().setup_defer_taskrun().build(8)?;
    ring.submitter().register_files(&[interrupt.as_raw_fd()])?;
    let mut reaped = 0;
    let mut buffer = [0_u8; 8];
    while !common.is_over() {
        let read = opcode::Read::new(Fixed(0), buffer.as_mut_ptr(), size).build();
        // SAFETY: `buffer` outlives the read, which has ended when `submit_and_wait` returns.
        if unsafe { ring.submission().push(&read) }.is_err() {
            return Err(std::io::ErrorKind::OutOfMemory.into());
        }
        ring.submit_and_wait(1)?;
        common.probe.woken();
        ring.completion().for_each(drop);
        common.bare.reap(&mut reaped, |tag, _| {
            if let Some(landing) = landings.get(tag as usize) {
                landing.land();
            }
        });
    }
    Ok(())
}
