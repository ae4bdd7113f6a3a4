//! A dump of all registers that is under way.

use crate::card::register_dump::ModuleDump;
use crate::card::sequence::{Operation, Sequence};

/// A dump that is under way.
#[derive(Debug, Default)]
pub(super) struct DumpTask {
    /// The next slot to read, and what was read of the ones before.
    pub(super) slot: usize,
    pub(super) modules: Vec<ModuleDump>,
    /// The module that is being read, and the next operation.
    pub(super) reading: Option<(Sequence<ModuleDump>, Option<Operation>)>,
}
