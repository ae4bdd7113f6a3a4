//! The state of the slots of a card, for display: TSPI describes only lines, without hooks and
//! batteries.

use ringback_driver::PortNumber;
use ringback_driver::card::{LineTuning, PortCard, PortStatus, RegisterDump, Slot};
use ringback_driver::request::LineNumber;
use ringback_lines::{LineEngine, Lines};
use ringback_tspi::callstate::CallState;
use ringback_tspi::provider::Provider;

/// A slot of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotReport {
    /// Its number, which is that of its port.
    pub slot: PortNumber,
    /// What was found in it when the card was brought up.
    pub content: Slot,
    /// The device id of its line; `None` for a slot without a working module.
    pub line: Option<u32>,
    /// The last measured state of its port; `None` for a slot without a working module, and once
    /// the card is gone.
    pub status: Option<PortStatus>,
    /// The state of the call on its line, if there is one and it has one.
    pub call: Option<CallState>,
}

/// A provider of a card that has slots.
pub trait Slots: Provider {
    /// The state of the slots of the card. Empty for a card without slots, and before init and
    /// after shutdown.
    fn slots(&self) -> Vec<SlotReport>;

    /// Fits the FXO line in a slot to what it is plugged into, until the card is opened anew.
    /// Returns whether there is such a line, in service.
    fn tune_line(&self, slot: PortNumber, tuning: LineTuning) -> bool;

    /// Begins to read all registers of the card, beside calls; [`Slots::register_dump`] has the
    /// result, about a second later. Returns whether the card can do this, and is in service.
    fn begin_register_dump(&self) -> bool;

    /// What the registers read; `None` until the dump is complete.
    fn register_dump(&self) -> Option<RegisterDump>;
}

/// The current state of each slot of a card; `base` is the device id of its first line.
pub(super) fn report<C: PortCard>(lines: &Lines<C>, base: u32) -> Vec<SlotReport> {
    let card = lines.card();
    PortNumber::each()
        .zip(card.slots())
        .map(|(slot, content)| {
            let place = lines.infos().iter().position(|info| info.port == slot);
            let line = place.map(LineNumber::at);
            SlotReport {
                slot,
                content: *content,
                line: line.map(|line| base.saturating_add(line.0)),
                status: card.status(slot),
                call: line.and_then(|line| lines.state(line)?.call?),
            }
        })
        .collect()
}
