//! Members of structures that a provider fills.

use ringback_tspi::error::LineError;
use ringback_tspi::structs::layout::Returned;
use ringback_tspi::structs::{Reader, blank};
use ringback_tspi::types::Version;

/// What `member` reads in a structure that `fill` fills, in version 3.1.
///
/// # Panics
/// It is refused, or is none.
pub fn member_of<S: Returned>(
    fill: impl FnOnce(&mut [u8]) -> Result<(), LineError>,
    member: impl FnOnce(&Reader<'_, S>) -> u32,
) -> u32 {
    let mut memory = blank::<S>(2048);
    fill(&mut memory).expect("it is filled");
    member(&Reader::new(&memory, Version::V3_1).expect("it is whole"))
}
