//! A card with more ports than a TDM400P: several cards joined to one, as on a board with two
//! Tiger320 chips behind a bridge. It is the second implementation of `PortCard` for lines.
//!
//! Port numbers continue from one part to the next: those of the second part follow those of the
//! first. If one part is lost, the whole card is lost, because its users see one card.

use std::io;
use std::time::Duration;

use ringback_country::Country;
use ringback_driver::card::{
    FRAME, Gains, Hook, LineFeed, LineTuning, Polarity, PortCard, PortError, PortEvent, PortSink,
    PortStatus, Service, Slot, StartCardError,
};
use ringback_driver::device::Files;
use ringback_driver::{PortNumber, Time};

/// Cards of one kind as one card. There is at least one. They share the interrupt of the first one,
/// and each service serves all of them.
pub struct JointCard<C: PortCard> {
    first: C,
    others: Vec<C>,
    slots: Vec<Slot>,
    watch: Option<Watch>,
}

/// What is told when somebody comes to the card.
type Watch = Box<dyn Fn(Time) + Send>;

/// Passes on the events and frames of one part, with the port numbers of the whole card.
struct Numbered<'a, S> {
    sink: &'a mut S,
    base: usize,
}

impl<S: PortSink> PortSink for Numbered<'_, S> {
    fn event(&mut self, port: PortNumber, event: PortEvent) {
        self.sink.event(PortNumber::at(self.base + port.index()), event);
    }

    fn frame(&mut self, port: PortNumber, received: &[u8; FRAME], play: &mut [u8; FRAME]) {
        self.sink.frame(PortNumber::at(self.base + port.index()), received, play);
    }
}

impl<C: PortCard> JointCard<C> {
    /// Joins cards that were brought up.
    pub fn new(first: C, others: Vec<C>) -> JointCard<C> {
        let mut card = JointCard { first, others, slots: Vec::new(), watch: None };
        card.note_slots();
        card
    }

    /// Has `watch` called with the time before each service of the card and each look after it.
    pub fn watched(mut self, watch: impl Fn(Time) + Send + 'static) -> JointCard<C> {
        self.watch = Some(Box::new(watch));
        self
    }

    fn come(&self, now: Time) {
        if let Some(watch) = &self.watch {
            watch(now);
        }
    }

    /// The cards that it is made of, in the order of their ports.
    pub fn parts(&self) -> impl Iterator<Item = &C> {
        std::iter::once(&self.first).chain(&self.others)
    }

    fn parts_mut(&mut self) -> impl Iterator<Item = &mut C> {
        std::iter::once(&mut self.first).chain(&mut self.others)
    }

    /// Copies the parts' slots, which change when a module that fails too often is given up.
    fn note_slots(&mut self) {
        self.slots.clear();
        for part in std::iter::once(&self.first).chain(&self.others) {
            self.slots.extend_from_slice(part.slots());
        }
    }

    /// Calls `act` for each part, and combines the results to one for the whole card.
    fn for_each<S: PortSink>(
        &mut self,
        sink: &mut S,
        mut serve: impl FnMut(&mut C, &mut Numbered<'_, S>) -> Service,
    ) -> Service {
        let mut base = 0;
        let mut all = Service::Idle;
        for part in self.parts_mut() {
            let served = serve(part, &mut Numbered { sink, base });
            base += part.slots().len();
            all = match (all, served) {
                (Service::Gone, _) | (_, Service::Gone) => Service::Gone,
                (Service::Frames { frames, missed }, Service::Frames { frames: f, missed: m }) => {
                    Service::Frames { frames: frames.max(f), missed: missed.max(m) }
                }
                (frames @ Service::Frames { .. }, _) | (_, frames @ Service::Frames { .. }) => {
                    frames
                }
                (Service::Recovered, _) | (_, Service::Recovered) => Service::Recovered,
                (Service::Idle, Service::Idle) => Service::Idle,
            };
        }
        if all == Service::Gone {
            self.safe();
        }
        self.note_slots();
        all
    }

    /// Gives a command to the part that has the port.
    fn command(
        &mut self,
        port: PortNumber,
        act: impl FnOnce(&mut C, PortNumber) -> Result<(), PortError>,
    ) -> Result<(), PortError> {
        let mut own = port.index();
        for part in self.parts_mut() {
            match own.checked_sub(part.slots().len()) {
                Some(behind) => own = behind,
                None => return act(part, PortNumber::at(own)),
            }
        }
        Err(PortError::NoPort(port))
    }
}

impl<C: PortCard> PortCard for JointCard<C> {
    fn name(&self) -> &str {
        self.first.name()
    }

    fn country(&self) -> Country {
        self.first.country()
    }

    fn slots(&self) -> &[Slot] {
        &self.slots
    }

    fn status(&self, port: PortNumber) -> Option<PortStatus> {
        let mut own = port.index();
        for part in self.parts() {
            match own.checked_sub(part.slots().len()) {
                Some(behind) => own = behind,
                None => return part.status(PortNumber::at(own)),
            }
        }
        None
    }

    fn files(&self) -> io::Result<Files> {
        self.first.files()
    }

    fn kernel_moves_samples(&self) -> bool {
        self.first.kernel_moves_samples()
    }

    fn look_interval(&self) -> Duration {
        self.first.look_interval()
    }

    fn start(&mut self, now: Time) -> Result<(), StartCardError> {
        self.parts_mut().try_for_each(|part| part.start(now))
    }

    fn service(&mut self, now: Time, sink: &mut impl PortSink) -> Service {
        self.come(now);
        self.for_each(sink, |part, sink| part.service(now, sink))
    }

    fn look_after(&mut self, now: Time, sink: &mut impl PortSink) -> Service {
        self.come(now);
        self.for_each(sink, |part, sink| part.look_after(now, sink))
    }

    fn set_hook(&mut self, port: PortNumber, hook: Hook) -> Result<(), PortError> {
        self.command(port, |part, port| part.set_hook(port, hook))
    }

    fn set_line_feed(&mut self, port: PortNumber, feed: LineFeed) -> Result<(), PortError> {
        self.command(port, |part, port| part.set_line_feed(port, feed))
    }

    fn set_polarity(&mut self, port: PortNumber, polarity: Polarity) -> Result<(), PortError> {
        self.command(port, |part, port| part.set_polarity(port, polarity))
    }

    fn set_gains(&mut self, port: PortNumber, gains: Gains) -> Result<(), PortError> {
        self.command(port, |part, port| part.set_gains(port, gains))
    }

    fn tune(&mut self, port: PortNumber, tuning: LineTuning) -> Result<(), PortError> {
        self.command(port, |part, port| part.tune(port, tuning))
    }

    fn safe(&mut self) {
        self.parts_mut().for_each(PortCard::safe);
    }
}
