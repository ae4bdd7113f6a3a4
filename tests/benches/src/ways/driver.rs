//! Ringback: a driver with its reaper thread.

use std::sync::Arc;

use ringback_driver::device::Device as _;
use ringback_driver::reactor::{Driver, Handle, Options, Upcalls, Waiting};
use ringback_driver::request::{Completion, LineNumber, RequestId};

use super::{CAPACITY, DeviceOf, EngineOf, Way, drive, fill, words};
use crate::aside::Reaper;
use crate::cell::{Cell, Stages};
use crate::hardware::Hardware;
use crate::kinds::Kind as _;
use crate::noise::cpus;
use crate::plant::Plant;
use crate::probe::{Landing, Probe, ProbeDevice};

/// Requests of submitting thread n have id n + 1; those that stay outstanding have ids from this
/// one on.
const OTHERS: u32 = 1000;

/// Passes each completion to the landing of its thread.
pub(super) struct Landings(pub(super) Arc<[Landing]>);

impl<E: Send + 'static, O: Send + 'static> Upcalls<E, O> for Landings {
    fn completed(&mut self, completion: Completion<O>) {
        let number = completion.id.get() as usize - 1;
        if let Some(landing) = self.0.get(number)
            && completion.result.is_ok()
        {
            landing.land_from(completion.completed.as_nanos());
        }
    }
    fn event(&mut self, _: LineNumber, _: E) {}
}

pub(super) fn submit<P: Plant>(handle: &Handle<EngineOf<P>>, id: u32) {
    let command = P::Kind::command::<DeviceOf<P>>(id);
    let ticket = handle.submit_as(RequestId::new(id), LineNumber(0), command);
    ticket.expect("the driver takes as many requests as the cell has").release();
}

/// Submits the requests that stay outstanding.
pub(super) fn submit_others<P: Plant>(
    cell: Cell,
    hardware: &Hardware,
    handle: &Handle<EngineOf<P>>,
) -> Result<(), String> {
    fill(cell, hardware, |n| submit::<P>(handle, OTHERS + n as u32))
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
        if self.waiting != Waiting::Sleep && cpus() == 1 {
            return Err("keeps a CPU busy, and there is only one".into());
        }
        let (device, hardware) = self.plant.set_up(aside).map_err(words("device"))?;
        let probe = Arc::new(Probe::default());
        let device = ProbeDevice::new(device, P::Kind::DOORBELL, Arc::clone(&probe));
        let interrupt = device.interrupt().map_err(words("interrupt"))?;
        let engine = P::Kind::engine(device)?;
        let landings = Landing::several(cell.threads);
        let upcalls = Landings(Arc::clone(&landings));
        let options = Options { capacity: CAPACITY, waiting: self.waiting, ..Options::default() };
        let driver = Driver::start_with(engine, Some(interrupt), upcalls, &options)
            .map_err(|error| error.to_string())?;
        let handle = driver.handle();
        submit_others::<P>(cell, &hardware, &handle)?;
        drive(cell, count, &probe, &hardware, &landings, &|n| submit::<P>(&handle, n as u32 + 1))
    }
}
