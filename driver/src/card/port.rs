//! The events, commands and states of a card's port.
//!
//! These types are the interface between a card and the lines above it, the same for every card.
//! They depend neither on chips and registers, which belong to cards, nor on calls, which belong to
//! lines.

use crate::PortNumber;
use thiserror::Error;

/// Samples of one port in one tick: 1 ms at 8 kHz.
pub const FRAME: usize = 8;

/// What kind of module is in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ModuleKind {
    /// Foreign exchange station: a telephone is plugged in here, which the card feeds and rings.
    Fxs,
    /// Foreign exchange office: a line of an exchange is plugged in here, which feeds and rings the
    /// card.
    Fxo,
}

/// Whether current flows through the loop. For an FXS port this is the telephone's hook, for an FXO
/// port the card's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hook {
    /// The loop is open: idle.
    On,
    /// The loop is closed: in use.
    Off,
}

/// Which wire of the pair is the more positive one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Polarity {
    /// As it was wired: FXS states forward; FXO line voltage positive (Si3050 register 29).
    Forward,
    /// The wires are exchanged.
    Reverse,
}

/// How an FXS port feeds its line (Si3210 register 64); the polarity is kept beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineFeed {
    /// No voltage on the line.
    Open,
    /// Battery on the line, speech while the telephone is off-hook.
    Active,
    /// Battery on the line, and samples pass although the telephone is on-hook (caller id).
    OnHookTransmission,
    /// The ring generator is on. Its cadence is made by switching between this and another state.
    Ringing,
}

/// How loud an FXS port passes sound in one direction, compared with the setting of its country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Gain {
    /// No sound passes.
    Mute,
    /// 3.5 dB less.
    Lower,
    /// As the country has it.
    #[default]
    Normal,
    /// 3.5 dB more.
    Higher,
}

/// The gains of an FXS port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Gains {
    /// What the person at the telephone hears.
    pub to_telephone: Gain,
    /// What comes from the telephone's microphone and keypad.
    pub from_telephone: Gain,
}

/// What an FXO port is like for its line, where that differs from the setting of its country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineTuning {
    /// The impedance, 0 to 15 as in register 30 of a Si3050 ([`Daa::ac_termination`]).
    ///
    /// [`Daa::ac_termination`]: ringback_country::Daa::ac_termination
    pub ac_termination: u8,
    /// The coefficients of the hybrid, registers 45 to 52.
    pub hybrid: [i8; 8],
}

/// What happened on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PortEvent {
    /// FXS: the telephone closed or opened the loop, debounced (dial pulses and flashes are
    /// reported one by one).
    Hook(Hook),
    /// FXS: the telephone was lifted while it rang; the ring generator is off, the feed is
    /// [`LineFeed::Active`]. [`PortEvent::Hook`] follows when the loop is stable: off-hook, or
    /// on-hook if the telephone was hung up again at once.
    RingTrip,
    /// FXO: ringing voltage began (true) or ended, debounced.
    Ring(bool),
    /// FXO: the exchange feeds the line (true) or does not, debounced. The first one reports the
    /// initial state.
    Battery(bool),
    /// FXO: the exchange reversed the polarity, debounced. Not sent for the polarity that is seen
    /// first.
    Polarity(Polarity),
    /// FXO: the exchange lights the neon lamp of a telephone (true), by which it tells that
    /// messages wait, or no longer does.
    Lamp(bool),
    /// Something is wrong with the port.
    Fault(PortFault),
}

/// What is wrong with a port, and what was done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PortFault {
    /// The whole card was reset and lost its settings (suspend to RAM, a reset of its bus). Every
    /// line was on-hook or without voltage meanwhile: calls are over, and what was commanded is
    /// forgotten. With [`Remedy::Restored`] the port is as after the card was opened.
    CardReset(Remedy),
    /// The module's chip lost its settings (supply dip, static discharge). A telephone or an
    /// exchange saw the loop open meanwhile.
    PartReset(Remedy),
    /// FXS: the chip took the voltage off the line, because a transistor carried too much power
    /// (short circuit, foreign voltage).
    PowerAlarm(Remedy),
    /// FXO: the line side of the module does not answer over the isolation capacitors.
    IsoLinkLost(Remedy),
    /// The module does not answer, or with impossible values (loose, or its serial bus is stuck).
    NotAnswering(Remedy),
}

/// What was done about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// The module is being set up again; the port does not work until then.
    Restoring,
    /// The port is in its state from before: line feed, polarity and hook as last commanded (but
    /// see [`PortFault::CardReset`]).
    Restored,
    /// It happens too often or can't be repaired. After a power alarm the line stays
    /// [`LineFeed::Open`] until it is commanded again; after any other fault the port is out of use
    /// until the card is opened anew.
    GaveUp,
}

/// Receives a card's events and samples.
pub trait PortSink {
    /// Something happened on a port.
    fn event(&mut self, port: PortNumber, event: PortEvent);
    /// One frame: what came in, and what to play next, which is prefilled with silence. Both are
    /// companded by the law of the card's country ([`Country::companding`]).
    ///
    /// [`Country::companding`]: ringback_country::Country::companding
    fn frame(&mut self, port: PortNumber, received: &[u8; FRAME], play: &mut [u8; FRAME]);
}

/// The state of a port, as last sampled and commanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortStatus {
    /// What the port is.
    pub kind: ModuleKind,
    /// FXS: the telephone's hook; FXO: our own.
    pub hook: Hook,
    /// FXS: the ring generator is on; FXO: ringing voltage is on the line.
    pub ringing: bool,
    /// FXS: how the line is fed.
    pub feed: Option<LineFeed>,
    /// FXO: whether the exchange feeds the line; `None` until it was measured.
    pub battery: Option<bool>,
    /// FXS: as commanded; FXO: as measured, `None` until then.
    pub polarity: Option<Polarity>,
    /// FXO: line voltage in volts, signed by polarity, 0 below about 3 V; `None` until measured.
    pub voltage: Option<i16>,
    /// FXO: loop current in mA; `None` until measured.
    pub current: Option<u16>,
    /// Whether a fault is being repaired.
    pub restoring: bool,
}

/// Why a port did not accept a command.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum PortError {
    /// There is no such port, or its slot is empty or failed.
    #[error("port {0} has no working module: see the list of lines for the reason")]
    NoPort(PortNumber),
    /// The port is of the other kind.
    #[error(
        "port {port} is {kind}: this can only be done on the other kind",
        kind = match .kind {
            ModuleKind::Fxs => "FXS (telephone)",
            ModuleKind::Fxo => "FXO (exchange line)",
        }
    )]
    WrongKind {
        /// The port's number on the card, from 0.
        port: PortNumber,
        /// The kind of its module.
        kind: ModuleKind,
    },
    /// The card is gone or was made safe.
    #[error("the card is not there any more or was shut down")]
    Gone,
}
