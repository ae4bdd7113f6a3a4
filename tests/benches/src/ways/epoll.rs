//! (b) epoll on the interrupt file, and callbacks in a map under a mutex.

use std::sync::Arc;
use std::thread;

use nix::sys::epoll::{self, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use super::blocking::submit_callbacks;
use super::peer::{Callback, Common, Pending};
use super::{BareOf, EPOLL, Way};
use crate::aside::Reaper;
use crate::cell::{Cell, Stages};
use crate::kinds::Bare as _;
use crate::plant::Plant;

pub(super) struct Epoll<P> {
    plant: Arc<P>,
}

impl<P: Plant> Epoll<P> {
    pub(super) fn new(plant: &Arc<P>) -> Self {
        Epoll { plant: Arc::clone(plant) }
    }
}

impl<P: Plant> Way for Epoll<P> {
    fn name(&self) -> &'static str {
        EPOLL
    }

    fn aside(&self) -> Option<usize> {
        self.plant.aside(Reaper::Sleeps)
    }

    fn slice(&self, cell: Cell, count: usize, aside: Option<usize>) -> Result<Stages, String> {
        let (common, interrupt, size) = Common::<BareOf<P>>::set_up(&*self.plant, false, aside)?;
        let pending = Arc::new(Pending::<Callback>::new());
        let set = || {
            let epoll = epoll::Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
            epoll.add(&interrupt, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
            Ok::<_, nix::Error>(epoll)
        };
        let epoll = set().map_err(|error| format!("epoll: {error}"))?;
        let reader = {
            let (common, pending) = (Arc::clone(&common), Arc::clone(&pending));
            thread::spawn(move || {
                let mut reaped = 0;
                let mut events = [EpollEvent::empty(); 16];
                let mut buffer = [0; 8];
                while epoll.wait(&mut events, EpollTimeout::NONE).is_ok() {
                    common.probe.woken();
                    if nix::unistd::read(&interrupt, &mut buffer[..size]).is_err() {
                        continue;
                    }
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
