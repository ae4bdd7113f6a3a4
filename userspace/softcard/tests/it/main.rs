//! The card used from outside, as by a driver of the real one: bit-banged initialisation, DMA,
//! calls, faults, hostile writes, all in virtual time; and the card in a virtual machine, through
//! its socket.

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
