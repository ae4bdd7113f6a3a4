//! The card from outside, as a driver of the real one uses it: bit-banged bring-up, DMA, calls,
//! faults, hostile writes. All in virtual time. The card in a virtual machine, from its socket.

mod bring_up;
mod calls;
mod control;
mod dma;
mod faults;
mod host;
mod hostile;
mod real_clock;
mod talk;
mod vfio_user;
