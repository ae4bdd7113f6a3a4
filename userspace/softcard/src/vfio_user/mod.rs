//! The card as a PCI device of a virtual machine: a vfio-user server.
//!
//! The machine's monitor (QEMU 10.1 or newer, device `vfio-user-pci`) connects to a socket and
//! reads and writes the card's registers by messages. It passes descriptors of the guest's memory,
//! for the card's DMA, and an eventfd, for its interrupt. The guest's kernel finds a PCI card.
//!
//! ```text
//!  monitor -- socket -- Connection -- Session -- SoftCard
//!     |                                  |          |
//!     +--- guest memory ------------ GuestMemory <--+  read32, write32
//!     +--- eventfd ----------------- Intx        <--+  raise
//! ```
//!
//! Rules:
//! - A client is not trusted. Whatever it sends is refused, ignored, or ends its own connection; it
//!   can't make the server panic, wait for anything but the next message, or allocate more than a
//!   message.
//! - Guest memory is accessed by positioned reads and writes of its descriptors and is not mapped,
//!   so that a client that truncates its memory causes a master abort and can't kill the process
//!   with a fault. Memory on huge pages can't be written in this way, so that the card gets a
//!   master abort there.
//! - The server serves one client at a time, as a card is in one machine; the next one waits in the
//!   socket's queue. A client that does not send its version within five seconds is disconnected.
//! - A message whose descriptor was lost is refused, because it means something else without it.
//!   The card is reset when a client begins and when it leaves, as with the power of a machine.
//! - The interrupt masks itself when it is signalled. Unmasking does not signal: if the cause
//!   persists, the next millisecond of the card signals again. An interrupt that comes twice in a
//!   millisecond, as with [`Fault::DoubledInterrupts`](crate::Fault::DoubledInterrupts), is
//!   therefore signalled once.
//!
//! The messages are those of QEMU's `docs/interop/vfio-user.rst`. The server is our own because
//! that of the crate `vfio_user` trusts its client: it panics on a malformed version message,
//! allocates as much as a count says, loses the message boundary after a refusal, and serves one
//! connection only.

mod connection;
mod interrupt;
mod memory;
mod refusal;
mod regions;
mod server;
mod session;
mod wire;

pub use server::Server;
