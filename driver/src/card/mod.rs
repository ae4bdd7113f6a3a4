//! Cards: registers, DMA ring, interrupt service; no policy.

pub mod mailbox;
