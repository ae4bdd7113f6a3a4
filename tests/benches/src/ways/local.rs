//! Ringback in local mode: the submitting thread is the reaper.

use std::sync::Arc;
use std::time::Duration;

use ringback_driver::device::Device as _;
use ringback_driver::reactor::{Local, Options};

use super::driver::{Landings, submit, submit_others};
use super::{CAPACITY, Way, words};
use crate::aside::Reaper;
use crate::cell::{Cell, Recorder, Stages, WARM_UP};
use crate::kinds::Kind as _;
use crate::plant::Plant;
use crate::probe::{Landing, Probe, ProbeDevice};

/// A request that takes longer than this is lost.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct InPlace<P> {
    plant: Arc<P>,
}

impl<P: Plant> InPlace<P> {
    pub(super) fn new(plant: &Arc<P>) -> Self {
        InPlace { plant: Arc::clone(plant) }
    }
}

impl<P: Plant> Way for InPlace<P> {
    fn name(&self) -> &'static str {
        "ringback, local"
    }

    fn aside(&self) -> Option<usize> {
        self.plant.aside(Reaper::Sleeps)
    }

    fn slice(&self, cell: Cell, count: usize, aside: Option<usize>) -> Result<Stages, String> {
        if cell.threads != 1 {
            return Err("the one submitting thread is the reaper".into());
        }
        let (device, hardware) = self.plant.set_up(aside).map_err(words("device"))?;
        let probe = Arc::new(Probe::default());
        let device = ProbeDevice::new(device, P::Kind::DOORBELL, Arc::clone(&probe));
        let interrupt = device.interrupt().map_err(words("interrupt"))?;
        let engine = P::Kind::engine(device)?;
        let landings = Landing::several(1);
        let options = Options { capacity: CAPACITY, ..Options::default() };
        let upcalls = Landings(Arc::clone(&landings));
        let mut local = Local::new(engine, Some(interrupt), upcalls, &options)
            .map_err(|error| error.to_string())?;
        let handle = local.handle();
        submit_others::<P>(cell, &hardware, &handle)?;
        hardware.begin();
        let mut recorder = Recorder::new(cell, 0, &probe);
        for _ in 0..WARM_UP + count {
            landings[0].clear();
            let mut shot = recorder.begin();
            submit::<P>(&handle, 1);
            recorder.returned(&mut shot, &hardware);
            local.run_once(handle.now() + PATIENCE);
            let Some((at, woke)) = landings[0].landed() else {
                return Err("a request has not come back".into());
            };
            recorder.end(shot, at, woke, &hardware);
        }
        Ok(recorder.stages)
    }
}
