//! What the ring has delivered since the last look of the reaper, for the engine.

use crate::PortNumber;
use crate::device::ring::READ_SAMPLES;
use crate::engine::{Play, Played};
use crate::request::Token;

/// Samples that a port has received, or the end of a play.
#[derive(Debug)]
pub(crate) enum Sound {
    Received { port: PortNumber, samples: [u8; READ_SAMPLES], length: usize },
    Played { port: PortNumber, play: Play, played: Played },
}

/// What the ring has delivered since the last look.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    /// Whether the card has interrupted at least once.
    pub(crate) interrupted: bool,
    /// The samples that ports have received, and the plays that have ended.
    pub(crate) sounds: Vec<Sound>,
    /// Buffers of samples that can be used again.
    pub(crate) spare: Vec<Vec<u8>>,
    /// Requests whose TIMEOUT has expired.
    pub(crate) expired: Vec<Token>,
    /// Requests whose TIMEOUT the kernel has refused.
    pub(crate) unarmed: Vec<Token>,
    /// Whether the interrupt file has failed.
    pub(crate) gone: bool,
}

impl Arrived {
    /// Returns whether nothing but an interrupt has arrived.
    pub(crate) fn is_empty(&self) -> bool {
        let Arrived { interrupted: _, sounds, spare, expired, unarmed, gone } = self;
        let none = sounds.is_empty() && spare.is_empty() && expired.is_empty();
        none && unarmed.is_empty() && !gone
    }
}
