//! The software cards behind a world's card: one, or two whose ports have consecutive numbers.

use ringback_driver::PortNumber;
use ringback_softcard::{Exchange, Fault, SLOTS, SoftCard, Telephone};

/// The software cards, each with an exchange of its own.
#[derive(Debug, Clone)]
pub(crate) struct Cards(Vec<SoftCard>);

impl Cards {
    pub(crate) fn new(parts: Vec<SoftCard>) -> Cards {
        Cards(parts)
    }

    pub(crate) fn parts(&self) -> &[SoftCard] {
        &self.0
    }

    pub(crate) fn ports(&self) -> usize {
        self.0.len() * SLOTS
    }

    /// Runs one millisecond of all cards.
    pub(crate) fn tick(&self) {
        self.0.iter().for_each(SoftCard::tick);
    }

    /// Switches a fault of one part on or off.
    pub(crate) fn set_fault(&self, part: usize, fault: Fault, on: bool) {
        if let Some(card) = self.0.get(part) {
            card.set_fault(fault, on);
        }
    }

    /// The telephone of an FXS port.
    pub(crate) fn telephone(&self, port: PortNumber) -> Option<Telephone> {
        let (card, own) = self.of(port)?;
        card.telephone(own)
    }

    /// The exchange of a port, and the port's number on its own card.
    pub(crate) fn exchange(&self, port: PortNumber) -> Option<(Exchange, PortNumber)> {
        let (card, own) = self.of(port)?;
        Some((card.exchange(), own))
    }

    /// The part with this port, and the port's number on it.
    fn of(&self, port: PortNumber) -> Option<(&SoftCard, PortNumber)> {
        let index = port.index();
        Some((self.0.get(index / SLOTS)?, PortNumber::at(index % SLOTS)))
    }
}
