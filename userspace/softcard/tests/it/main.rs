//! The card from outside, as a driver of the real one uses it: bit-banged bring-up, DMA, calls,
//! faults, hostile writes. All in virtual time.

mod bring_up;
mod dma;
mod host;
