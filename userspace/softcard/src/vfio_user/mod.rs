//! The card as a PCI device of a virtual machine: a vfio-user server.
//!
//! The machine's monitor (QEMU 10.1 or newer, device `vfio-user-pci`) connects to a socket and
//! reads and writes the card's registers by messages. It hands over descriptors of the guest's
//! memory, for the card's DMA, and an eventfd, for its interrupt. The guest's kernel sees a PCI
//! card.
//!
//! ```text
//!  monitor -- socket -- Connection -- Session -- SoftCard
//!     |                                  |          |
//!     +--- guest memory ------------ GuestMemory <--+  read32, write32
//!     +--- eventfd ----------------- Intx        <--+  raise
//! ```
//!
//! Rules:
//! - A client is not trusted. Whatever it sends or passes is refused, ignored, or ends its own
//!   connection; it can't make the server panic, wait for anything but the next message, or
//!   allocate more than a message.
//! - Guest memory is reached by positioned reads and writes of its descriptors, not mapped: a
//!   client that truncates its memory gets a master abort and can't kill the process with a fault.
//!   (Memory on huge pages can't be written so; the card finds nobody there.)
//! - One client at a time, as a card sits in one machine; the next one waits in the socket's queue.
//!   Whoever does not introduce itself within five seconds gives up its seat.
//! - A message whose descriptor was lost on the way is refused: without it, it means something
//!   else. A client that begins, and one that leaves, are the machine's power: the card is reset.
//! - The interrupt is masked by itself when it was signalled. Unmasking signals nothing: whether
//!   the cause persists shows in the card's next millisecond. An interrupt that comes twice in a
//!   millisecond, as under [`Fault::DoubledInterrupts`](crate::Fault::DoubledInterrupts), so comes
//!   once.
//!
//! The messages are those of QEMU's `docs/interop/vfio-user.rst`. The server is written here
//! because the one of the crate `vfio_user` trusts its client: it panics on a malformed version
//! message, allocates what a count asks for, loses the message boundary after a refusal, and serves
//! one connection only.

mod connection;
mod interrupt;
mod memory;
mod refusal;
mod regions;
mod server;
mod session;
mod wire;

pub use server::Server;
