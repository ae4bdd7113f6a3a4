//! (c) tokio: `AsyncFd` on the interrupt file, and a oneshot per request.
//!
//! Requesters are tasks. They compute between their requests, which takes a worker thread each; the
//! runtime has one more, so that there is always one to wait for the interrupt.

use std::sync::Arc;

use nix::sys::prctl::set_timerslack;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Builder;
use tokio::sync::oneshot::{self, Sender};

use super::peer::{Common, Pending};
use super::{BareOf, TOKIO, Way, fill};
use crate::aside::Reaper;
use crate::cell::{Cell, Recorder, Stages, WARM_UP};
use crate::clock::now;
use crate::kinds::Bare as _;
use crate::plant::Plant;

pub(super) struct Tokio<P> {
    plant: Arc<P>,
}

impl<P: Plant> Tokio<P> {
    pub(super) fn new(plant: &Arc<P>) -> Self {
        Tokio { plant: Arc::clone(plant) }
    }
}

impl<P: Plant> Way for Tokio<P> {
    fn name(&self) -> &'static str {
        TOKIO
    }

    fn aside(&self) -> Option<usize> {
        self.plant.aside(Reaper::Sleeps)
    }

    fn slice(&self, cell: Cell, count: usize, aside: Option<usize>) -> Result<Stages, String> {
        let (common, interrupt, size) = Common::<BareOf<P>>::set_up(&*self.plant, false, aside)?;
        let pending = Arc::new(Pending::<Sender<i32>>::new());
        let runtime = Builder::new_multi_thread()
            .worker_threads(cell.threads + 1)
            .enable_io()
            .build()
            .map_err(super::words("runtime"))?;
        let mut unanswered = Vec::new();
        fill(cell, &common.hardware, |n| {
            let (sender, receiver) = oneshot::channel();
            unanswered.push(receiver);
            pending.submit(&common.bare, n as u32, sender);
        })?;
        let reader = {
            let (common, pending) = (Arc::clone(&common), Arc::clone(&pending));
            runtime.spawn(async move {
                // Its successor is unsafe, because a type may return another descriptor each time;
                // an OwnedFd does not.
                #[expect(deprecated)]
                let interrupt = AsyncFd::new(interrupt)?;
                let mut reaped = 0;
                let mut buffer = [0; 8];
                while !common.is_over() {
                    let mut ready = interrupt.readable().await?;
                    common.probe.woken();
                    let read = |file: &AsyncFd<_>| {
                        Ok(nix::unistd::read(file.get_ref(), &mut buffer[..size])?)
                    };
                    if ready.try_io(read).is_err() {
                        continue;
                    }
                    common.bare.reap(&mut reaped, |id, answer| {
                        if let Some((sender, result)) = pending.take::<P::Kind>(id, answer) {
                            // This fails if the requester has ended.
                            let _ = sender.send(result);
                        }
                    });
                }
                Ok::<_, std::io::Error>(())
            })
        };
        common.hardware.begin();
        let requesters: Vec<_> = (0..cell.threads)
            .map(|number| {
                let (common, pending) = (Arc::clone(&common), Arc::clone(&pending));
                runtime.spawn(async move {
                    let _ = set_timerslack(1_000);
                    let mut recorder = Recorder::new(cell, number, &common.probe);
                    for _ in 0..WARM_UP + count / cell.threads {
                        let mut shot = recorder.begin();
                        let (sender, receiver) = oneshot::channel();
                        pending.submit(&common.bare, number as u32, sender);
                        recorder.returned(&mut shot, &common.hardware);
                        let result = receiver.await;
                        let at = now();
                        if result != Ok(0) {
                            return Err("a request has not come back".to_string());
                        }
                        recorder.end(shot, at, 0, &common.hardware);
                    }
                    Ok(recorder.stages)
                })
            })
            .collect();
        let stages = runtime.block_on(async {
            let mut all = Stages::new();
            for requester in requesters {
                all.add(&requester.await.map_err(|error| error.to_string())??);
            }
            Ok::<_, String>(all)
        });
        common.stop();
        runtime
            .block_on(reader)
            .map_err(|error| error.to_string())?
            .map_err(super::words("AsyncFd"))?;
        stages
    }
}
