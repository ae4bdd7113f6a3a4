//! What the peers have in common: the device's registers, and requests in a map under a mutex.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use ringback_driver::device::{Device, InterruptSize};
use ringback_driver::request::sync::EvenPoisoned;

use super::words;
use crate::hardware::Hardware;
use crate::kinds::{Bare, Kind};
use crate::plant::Plant;
use crate::probe::{Probe, ProbeDevice};

/// A device with its interrupt file, the same for every peer.
pub(super) struct Common<B> {
    pub(super) bare: B,
    pub(super) hardware: Hardware,
    pub(super) probe: Arc<Probe>,
    pub(super) over: AtomicBool,
}

impl<B: Bare> Common<B> {
    /// Makes the interrupt file blocking or not, and returns the size of its reads with it.
    pub(super) fn set_up<P>(
        plant: &P,
        blocking: bool,
        aside: Option<usize>,
    ) -> Result<(Arc<Self>, OwnedFd, usize), String>
    where
        P: Plant,
        P::Kind: Kind<Bare<ProbeDevice<P::Device>> = B>,
    {
        let (device, hardware) = plant.set_up(aside).map_err(words("device"))?;
        let interrupt = device.interrupt().map_err(words("interrupt"))?;
        let size = match interrupt.size {
            InterruptSize::UioCounter => 4,
            InterruptSize::EventFd => 8,
        };
        let set = || {
            let mut flags = OFlag::from_bits_retain(fcntl(&interrupt.fd, FcntlArg::F_GETFL)?);
            flags.set(OFlag::O_NONBLOCK, !blocking);
            fcntl(&interrupt.fd, FcntlArg::F_SETFL(flags))
        };
        set().map_err(|error| format!("fcntl: {error}"))?;
        let probe = Arc::new(Probe::default());
        let device = ProbeDevice::new(device, P::Kind::DOORBELL, Arc::clone(&probe));
        let bare = P::Kind::bare(device)?;
        let common = Common { bare, hardware, probe, over: AtomicBool::new(false) };
        Ok((Arc::new(common), interrupt.fd, size))
    }

    /// Stops the reaper with an interrupt.
    pub(super) fn stop(&self) {
        self.over.store(true, Ordering::Release);
        self.bare.ring(u32::MAX, 0);
        self.hardware.nudge();
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}

/// Called when a request is over.
pub(super) type Callback = Box<dyn FnOnce(i32) + Send>;

/// Requests by id.
pub(super) struct Pending<T> {
    requests: Mutex<HashMap<u32, (u32, T)>>,
    next: AtomicU32,
}

impl<T> Pending<T> {
    pub(super) fn new() -> Self {
        Pending { requests: Mutex::default(), next: AtomicU32::new(0) }
    }

    /// Stores a request, then rings the doorbell.
    pub(super) fn submit(&self, bare: &impl Bare, operand: u32, then: T) {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut requests = self.requests.lock().even_poisoned();
        requests.insert(id, (operand, then));
        drop(requests);
        bare.ring(id, operand);
    }

    /// Removes the request of an answer, and returns it with its result.
    pub(super) fn take<K: Kind>(&self, id: u32, answer: u32) -> Option<(T, i32)> {
        let mut requests = self.requests.lock().even_poisoned();
        let (operand, then) = requests.remove(&id)?;
        Some((then, if answer == K::answer(operand) { 0 } else { -libc::EBADMSG }))
    }
}
