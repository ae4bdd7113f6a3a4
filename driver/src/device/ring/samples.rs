//! What a ring does with its ports: it takes their files, and reads and writes their samples.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU8, Ordering};

use super::ports::{PendingWrite, PortIndex, PortOperation, READ_SAMPLES, RingPort, WRITE_BIT};
use super::{Ring, RingError, RingOperation};

impl Ring {
    /// Takes over the file of a port's samples. It should not be O_NONBLOCK.
    ///
    /// The ring keeps the file open until it is dropped.
    ///
    /// # Errors
    /// [`RingError::TooManyFiles`] if there is no place for it; [`RingError::File`] when the kernel
    /// refuses the file.
    pub fn add_port(&mut self, fd: OwnedFd) -> Result<PortIndex, RingError> {
        if self.ports.ports.len() >= self.places.ports {
            return Err(RingError::TooManyFiles { limit: self.places.ports });
        }
        let index = self.ports.ports.len() as u32;
        let place = self.ports.first + index;
        let registered = self.uring.submitter().register_files_update(place, &[fd.as_raw_fd()]);
        registered.map_err(RingError::File)?;
        let received = Box::leak(Box::new([const { AtomicU8::new(0) }; READ_SAMPLES]));
        self.ports.ports.push(RingPort { fd, received, reading: None });
        Ok(PortIndex(index))
    }

    /// Queues a READ of 160 samples; [`Ring::received`] gives them after its
    /// completion.
    ///
    /// One READ per port may be in flight. Returns false, and queues nothing, if there is one or if
    /// the port is not one of this ring.
    pub fn read_samples(&mut self, port: PortIndex, user_data: u64) -> bool {
        match self.ports.ports.get_mut(port.0 as usize) {
            Some(state) if state.reading.is_none() => state.reading = Some(user_data),
            _ => return false,
        }
        self.queue(RingOperation::Port(PortOperation::Read { port, user_data }));
        true
    }

    /// What the last READ of a port has brought; valid until the next is queued.
    pub fn received(&self, port: PortIndex) -> [u8; READ_SAMPLES] {
        let Some(port) = self.ports.ports.get(port.0 as usize) else { return [0; READ_SAMPLES] };
        port.received.each_ref().map(|sample| sample.load(Ordering::Relaxed))
    }

    /// Queues a WRITE of samples, which completes with their number when they were played. The ring
    /// owns them until then; [`Ring::take_back`] gives them back.
    ///
    /// # Errors
    /// The samples, if the port is not one of this ring, if `user_data` lacks bit 63 or is
    /// that of another WRITE whose samples were not taken back.
    pub fn write(
        &mut self,
        port: PortIndex,
        samples: Vec<u8>,
        user_data: u64,
    ) -> Result<(), Vec<u8>> {
        let known = (port.0 as usize) < self.ports.ports.len();
        let used = self.ports.writes.iter().any(|write| write.user_data == user_data);
        if !known || used || user_data & WRITE_BIT == 0 {
            return Err(samples);
        }
        self.ports.writes.push(PendingWrite { user_data, samples, over: false });
        self.queue(RingOperation::Port(PortOperation::Write { port, user_data }));
        Ok(())
    }

    /// The samples of a WRITE whose completion has come.
    pub fn take_back(&mut self, user_data: u64) -> Option<Vec<u8>> {
        let over = |write: &PendingWrite| write.user_data == user_data && write.over;
        let place = self.ports.writes.iter().position(over)?;
        Some(self.ports.writes.swap_remove(place).samples)
    }

    /// Queues an empty WRITE, which drops all that a port has to play: its WRITEs complete with
    /// `-ECANCELED`.
    pub fn silence(&mut self, port: PortIndex, user_data: u64) {
        if (port.0 as usize) < self.ports.ports.len() {
            self.queue(RingOperation::Port(PortOperation::Silence { port, user_data }));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Time;
    use std::os::unix::net::UnixDatagram;

    use super::super::Completion;
    use super::super::ports::MAX_PORTS;
    use super::super::tests::EVERY;
    use super::*;

    const W: u64 = WRITE_BIT;

    /// A port, where a socket stands in for the char device: a datagram is a WRITE.
    fn port(ring: &mut Ring) -> (UnixDatagram, PortIndex) {
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        (theirs, ring.add_port(ours.into()).unwrap())
    }

    fn take(ring: &mut Ring, n: usize) -> Vec<(u64, i32)> {
        let end = Time::monotonic().as_nanos() + 60_000_000_000;
        let mut got = Vec::new();
        while got.len() < n {
            assert!(Time::monotonic().as_nanos() < end, "{} of {n} completions came", got.len());
            ring.wait(Some(end)).unwrap();
            ring.completions(&mut |Completion { user_data, result, .. }| {
                got.push((user_data, result));
            });
        }
        got
    }

    fn heard(theirs: &UnixDatagram) -> Vec<u8> {
        let mut samples = vec![0; 100_000];
        let count = theirs.recv(&mut samples).unwrap();
        samples.truncate(count);
        samples
    }

    #[test]
    fn samples_come_and_go() {
        let mut ring = Ring::new(16, EVERY).unwrap();
        let (theirs, port) = port(&mut ring);
        assert!(ring.read_samples(port, 5));
        assert!(!ring.read_samples(port, 6), "one READ is in flight");
        theirs.send(&[7; READ_SAMPLES]).unwrap();
        assert_eq!(take(&mut ring, 1), [(5, 160)]);
        assert_eq!(ring.received(port), [7; READ_SAMPLES]);
        assert!(ring.read_samples(port, 6));

        ring.write(port, vec![1; 1000], W | 77).unwrap();
        ring.silence(port, 9);
        assert_eq!(ring.take_back(W | 77), None, "the kernel has them");
        let mut ended = take(&mut ring, 2);
        ended.sort();
        assert_eq!(ended, [(9, 0), (W | 77, 1000)]);
        assert_eq!(ring.take_back(W | 77), Some(vec![1; 1000]));
        assert_eq!((heard(&theirs), heard(&theirs)), (vec![1; 1000], vec![]), "in this order");
    }

    #[test]
    fn memory_is_given_back_by_a_value_that_only_its_write_has() {
        let mut ring = Ring::new(16, EVERY).unwrap();
        let (_theirs, port) = port(&mut ring);
        assert_eq!(ring.write(port, vec![1], 7), Err(vec![1]), "without the bit");
        assert_eq!(ring.write(PortIndex(3), vec![1], W), Err(vec![1]), "another ring's port");
        ring.write(port, vec![2], W | 1).unwrap();
        assert_eq!(ring.write(port, vec![3], W | 1), Err(vec![3]), "in flight already");
        // Nothing else may have the bit, and so end a WRITE in its stead.
        ring.timeout(0, W | 1);
        ring.silence(port, W | 1);
        ring.timeout(0, 4);
        let mut ended = take(&mut ring, 2);
        ended.sort();
        assert_eq!(ended, [(4, -libc::ETIME), (W | 1, 1)]);
        assert_eq!(ring.take_back(W | 1), Some(vec![2]));
    }

    #[test]
    fn a_ring_that_is_dropped_waits_for_nothing_that_can_be_cancelled() {
        let mut ring = Ring::new(16, EVERY).unwrap();
        let (theirs, port) = port(&mut ring);
        assert!(ring.read_samples(port, 1));
        // More than the socket takes: the rest waits.
        for n in 0..40 {
            ring.write(port, vec![n as u8; 20_000], W | n).unwrap();
        }
        ring.poll().unwrap();
        let began = Time::monotonic().as_nanos();
        drop(ring);
        assert!(Time::monotonic().as_nanos() - began < 60_000_000_000);
        // Our end is closed, so what was not queued never comes.
        theirs.set_nonblocking(true).unwrap();
        let mut queued = 0;
        while theirs.recv(&mut [0; 20_000]).is_ok() {
            queued += 1;
        }
        assert!((1..40).contains(&queued), "{queued}");
    }

    #[test]
    fn ports_are_limited() {
        let mut ring = Ring::new(16, EVERY).unwrap();
        let ports: Vec<_> = (0..MAX_PORTS).map(|_| port(&mut ring)).collect();
        let (ours, _theirs) = UnixDatagram::pair().unwrap();
        let error = ring.add_port(ours.into()).unwrap_err();
        assert!(matches!(error, RingError::TooManyFiles { limit: MAX_PORTS }));
        for (n, (theirs, port)) in ports.iter().enumerate() {
            assert!(ring.read_samples(*port, n as u64));
            theirs.send(&[n as u8; 10]).unwrap();
        }
        for (n, result) in take(&mut ring, MAX_PORTS) {
            assert_eq!(result, 10);
            let (_, port) = ports[n as usize];
            assert_eq!(ring.received(port)[..10], [n as u8; 10]);
        }
    }
}
