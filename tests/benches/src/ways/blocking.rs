//! (a) A thread with a blocking `read` on the interrupt file, and callbacks in a map under a mutex.

use std::sync::Arc;
use std::thread;

use super::peer::{Callback, Common, Pending};
use super::{BLOCKING, BareOf, Way, drive, fill};
use crate::aside::Reaper;
use crate::cell::{Cell, Stages};
use crate::kinds::Bare;
use crate::plant::Plant;
use crate::probe::{Landing, Probe};

pub(super) struct Blocking<P> {
    plant: Arc<P>,
}

impl<P: Plant> Blocking<P> {
    pub(super) fn new(plant: &Arc<P>) -> Self {
        Blocking { plant: Arc::clone(plant) }
    }
}

impl<P: Plant> Way for Blocking<P> {
    fn name(&self) -> &'static str {
        BLOCKING
    }

    fn aside(&self) -> Option<usize> {
        self.plant.aside(Reaper::Sleeps)
    }

    fn slice(&self, cell: Cell, count: usize, aside: Option<usize>) -> Result<Stages, String> {
        let (common, interrupt, size) = Common::<BareOf<P>>::set_up(&*self.plant, true, aside)?;
        let pending = Arc::new(Pending::<Callback>::new());
        let reader = {
            let (common, pending) = (Arc::clone(&common), Arc::clone(&pending));
            thread::spawn(move || {
                let mut reaped = 0;
                let mut buffer = [0; 8];
                while nix::unistd::read(&interrupt, &mut buffer[..size]).is_ok() {
                    common.probe.woken();
                    common.bare.reap(&mut reaped, |id, answer| {
                        if let Some((callback, result)) = pending.take::<P::Kind>(id, answer) {
                            callback(result);
                        }
                    });
                    if common.is_over() {
                        break;
                    }
                }
            })
        };
        let stages = submit_callbacks(cell, count, &common, &pending);
        common.stop();
        reader.join().map_err(|_| "the reading thread panicked")?;
        stages
    }
}

/// Times requests whose callbacks are boxed closures in a map.
pub(super) fn submit_callbacks(
    cell: Cell,
    count: usize,
    common: &Common<impl Bare>,
    pending: &Pending<Callback>,
) -> Result<Stages, String> {
    let landings = Landing::several(cell.threads);
    let probe: &Probe = &common.probe;
    fill(cell, &common.hardware, |n| {
        pending.submit(&common.bare, n as u32, Box::new(|_| ()));
    })?;
    drive(cell, count, probe, &common.hardware, &landings, &|n| {
        let landings = Arc::clone(&landings);
        let callback = move |result| {
            if result == 0 {
                landings[n].land();
            }
        };
        pending.submit(&common.bare, n as u32, Box::new(callback));
    })
}
