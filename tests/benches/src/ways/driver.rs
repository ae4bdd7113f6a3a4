//! Ringback: a driver with its reaper thread.

use std::sync::Arc;
use std::time::Duration;

use ringback_driver::card::mailbox::{Complement, Mailbox};
use ringback_driver::device::Device;
use ringback_driver::reactor::{Driver, Handle, Options, Upcalls, Waiting};
use ringback_driver::request::{Completion, RequestId};

use super::{Way, drive, fill, words};
use crate::aside::Reaper;
use crate::cell::{Cell, Stages};
use crate::plant::Plant;
use crate::probe::{Landing, Probe, ProbeDevice};

/// Requests of submitting thread n have id n + 1; those that stay outstanding have ids from here on.
const OTHERS: u32 = 1000;
/// The capacity of a driver by default, and the most that a mailbox holds.
pub(super) const CAPACITY: usize = 4096;
const LIMIT: Duration = Duration::from_secs(60);

/// Lands each completion where its thread waits.
pub(super) struct Landings(pub(super) Arc<[Landing]>);

impl Upcalls<()> for Landings {
    fn completed(&mut self, completion: Completion) {
        let number = completion.id.get() as usize - 1;
        if let Some(landing) = self.0.get(number)
            && completion.result == 0
        {
            landing.land_from(completion.completed.as_nanos());
        }
    }
    fn event(&mut self, _: usize, (): ()) {}
}

pub(super) fn submit<D: Device>(handle: &Handle<Mailbox<D>>, id: u32) {
    let command = Complement { operand: id, time_limit: LIMIT };
    let ticket = handle.submit_as(RequestId::new(id), 0, command);
    ticket.expect("the driver takes as many requests as the cell has").release();
}

/// Submits what is outstanding besides.
pub(super) fn submit_others<D: Device>(
    cell: Cell,
    hardware: &crate::hardware::Hardware,
    handle: &Handle<Mailbox<D>>,
) -> Result<(), String> {
    fill(cell, hardware, |n| submit(handle, OTHERS + n as u32))
}

pub(super) struct InThread<P> {
    plant: Arc<P>,
    name: &'static str,
    waiting: Waiting,
}

impl<P: Plant> InThread<P> {
    pub(super) fn new(plant: &Arc<P>, name: &'static str, waiting: Waiting) -> Self {
        InThread { plant: Arc::clone(plant), name, waiting }
    }
}

impl<P: Plant> Way for InThread<P> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn aside(&self) -> Option<usize> {
        let sleeps = self.waiting == Waiting::Sleep;
        self.plant.aside(if sleeps { Reaper::Sleeps } else { Reaper::Watches })
    }

    fn slice(&self, cell: Cell, count: usize, aside: Option<usize>) -> Result<Stages, String> {
        let (device, hardware) = self.plant.set_up(aside).map_err(words("device"))?;
        let probe = Arc::new(Probe::default());
        let device = ProbeDevice::new(device, Arc::clone(&probe));
        let interrupt = device.interrupt().map_err(words("interrupt"))?;
        let engine = Mailbox::new(device, CAPACITY).map_err(|error| error.to_string())?;
        let landings = Landing::several(cell.threads);
        let upcalls = Landings(Arc::clone(&landings));
        let options = Options { capacity: CAPACITY, waiting: self.waiting, ..Options::default() };
        let driver = Driver::start_with(engine, Some(interrupt), upcalls, &options)
            .map_err(|error| error.to_string())?;
        let handle = driver.handle();
        submit_others(cell, &hardware, &handle)?;
        drive(cell, count, &probe, &hardware, &landings, &|n| submit(&handle, n as u32 + 1))
    }
}
