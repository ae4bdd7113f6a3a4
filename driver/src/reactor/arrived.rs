//! What comes up the ring between two looks of the reaper, on its way to the engine.

use crate::device::ring::READ_SAMPLES;
use crate::engine::{Play, Played};
use crate::request::Token;

/// What a port has received or played.
#[derive(Debug)]
pub(crate) enum Sound {
    Received { port: usize, samples: [u8; READ_SAMPLES], length: usize },
    Played { port: usize, play: Play, played: Played },
}

/// What came up the ring since the last look.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    /// The card interrupted once or more.
    pub(crate) interrupted: bool,
    /// What ports have received and played.
    pub(crate) sounds: Vec<Sound>,
    /// Buffers of samples to be used again.
    pub(crate) spare: Vec<Vec<u8>>,
    /// Requests whose TIMEOUT has expired.
    pub(crate) expired: Vec<Token>,
    /// Requests whose TIMEOUT the kernel did not take.
    pub(crate) unarmed: Vec<Token>,
    /// The interrupt file failed.
    pub(crate) gone: bool,
}

impl Arrived {
    /// Whether nothing but an interrupt has arrived.
    pub(crate) fn is_empty(&self) -> bool {
        let Arrived { interrupted: _, sounds, spare, expired, unarmed, gone } = self;
        let none = sounds.is_empty() && spare.is_empty() && expired.is_empty();
        none && unarmed.is_empty() && !gone
    }
}
