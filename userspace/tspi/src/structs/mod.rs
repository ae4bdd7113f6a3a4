//! The structures that cross the interface, as bytes in memory.
//!
//! A structure is flat: a fixed part of members at known offsets, and a variable part of strings,
//! blobs and arrays that Size/Offset pairs of the fixed part lead to. [`Writer`] fills one in the
//! caller's memory, [`Reader`] reads one that came from outside, [`Builder`] makes one to hand
//! over. None of them needs `unsafe`: they work on byte slices, so no alignment is asked for (P6).
//!
//! Offsets and sizes are those of the public-domain mingw-w64 headers under `#pragma pack(1)`; they
//! are the same for 32 and 64 bit. Tests compare them all with `facts/structs.tsv`.

pub mod layout;

mod call;
mod call_params;
mod caps;
mod phone;
mod reader;
mod records;
mod status;
mod wire;
mod writer;

pub use call::*;
pub use call_params::CallParams;
pub use caps::*;
pub use phone::*;
pub use reader::{Malformed, Reader};
pub use records::*;
pub use status::*;
pub use wire::{Guid, SystemTime, Wire, from_utf16, read_array, utf16};
pub use writer::{Builder, Writer, blank};

#[cfg(test)]
mod tests;
