//! Interrupt pin A as an eventfd: INTx of VFIO, level-triggered, and masked after each signal.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard};

use ringback_request::sync::EvenPoisoned;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::InterruptLine;

/// The state of the pin, which the client sets.
#[derive(Debug, Default)]
pub(super) struct Intx(Mutex<IntxState>);

#[derive(Debug, Default)]
struct IntxState {
    eventfd: Option<File>,
    masked: bool,
}

impl Intx {
    fn state(&self) -> MutexGuard<'_, IntxState> {
        self.0.lock().even_poisoned()
    }

    /// Signals interrupts to this eventfd from now on, unmasked; `None` signals none.
    pub(super) fn set_eventfd(&self, eventfd: Option<OwnedFd>) {
        *self.state() = IntxState { eventfd: eventfd.map(File::from), masked: false };
    }

    pub(super) fn mask(&self) {
        self.state().masked = true;
    }

    /// Does not signal by itself: see the rules of `vfio_user`.
    pub(super) fn unmask(&self) {
        self.state().masked = false;
    }
}

impl InterruptLine for Intx {
    fn raise(&self) {
        let mut state = self.state();
        if state.masked {
            return;
        }
        let Some(eventfd) = &mut state.eventfd else { return };
        // The client may have passed a descriptor whose write blocks, which must not stop the
        // card's clock.
        let mut fds = [PollFd::new(eventfd, PollFlags::OUT)];
        if poll(&mut fds, Some(&Timespec::default())) == Ok(1)
            && fds[0].revents().contains(PollFlags::OUT)
            && eventfd.write_all(&1_u64.to_ne_bytes()).is_ok()
        {
            state.masked = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use rustix::event::{EventfdFlags, eventfd};

    use super::*;

    /// A pin and the client's end of its eventfd.
    fn pin() -> (Intx, File) {
        let client = eventfd(0, EventfdFlags::NONBLOCK).unwrap();
        let intx = Intx::default();
        intx.set_eventfd(Some(client.try_clone().unwrap()));
        (intx, File::from(client))
    }

    fn take(client: &mut File) -> Option<u64> {
        let mut count = [0; 8];
        client.read_exact(&mut count).ok().map(|()| u64::from_ne_bytes(count))
    }

    #[test]
    fn it_signals_once_until_it_is_unmasked() {
        let (intx, mut client) = pin();
        intx.raise();
        intx.raise();
        assert_eq!(take(&mut client), Some(1));
        intx.raise();
        assert_eq!(take(&mut client), None);
        intx.unmask();
        assert_eq!(take(&mut client), None, "unmasking signals nothing");
        intx.raise();
        assert_eq!(take(&mut client), Some(1));
    }

    #[test]
    fn a_masked_pin_and_one_without_eventfd_are_silent() {
        let (intx, mut client) = pin();
        intx.mask();
        intx.raise();
        assert_eq!(take(&mut client), None);
        intx.set_eventfd(None);
        intx.unmask();
        intx.raise();
        assert_eq!(take(&mut client), None);
    }

    #[test]
    fn a_descriptor_that_can_not_take_it_does_not_hold_up_the_card() {
        let intx = Intx::default();
        let full = eventfd(0, EventfdFlags::empty()).unwrap();
        File::from(full.try_clone().unwrap()).write_all(&(u64::MAX - 1).to_ne_bytes()).unwrap();
        intx.set_eventfd(Some(full));
        intx.raise();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        intx.set_eventfd(Some(writer.into()));
        intx.raise();
    }
}
