//! What discovery and binding need of a kind of card.
//!
//! Nothing in this module is about a particular card. A card's folder in `card` has its
//! [`Description`], `card::KINDS` lists them all, and callers pass the kinds to look for.

use std::fmt;

use super::Needs;
use super::pci::PciIds;

/// A kind of card, described by the folder that drives it.
#[derive(Debug)]
pub struct Description {
    /// What people call it; no two kinds have the same name.
    pub name: &'static str,
    /// Whether a PCI function with these ids is of this kind. Kinds are asked in their order.
    pub is_pci: fn(&PciIds) -> bool,
    /// The name of the UIO devices that are of this kind whatever their ids are.
    pub uio: Option<&'static str>,
    /// The prefix of the types of mediated devices of this kind, which have no PCI ids.
    pub mdev: Option<&'static str>,
    /// What its driver needs of a device.
    pub needs: Needs,
    /// Whether an engine drives it. Discovery lists other kinds too, with the reason.
    pub is_driven: bool,
    /// Kernel drivers through which it can't be used, each with the reason and what to use instead.
    pub unsuited: &'static [(&'static str, &'static str)],
}

/// A kind of card: its description. Two are equal if they have the same name.
#[derive(Clone, Copy)]
pub struct Kind(&'static Description);

impl Kind {
    /// The kind that is described so.
    pub const fn new(description: &'static Description) -> Kind {
        Kind(description)
    }

    /// The kind of a PCI function, if it is one of `kinds`.
    pub(super) fn of_pci(kinds: &[Kind], ids: &PciIds) -> Option<Kind> {
        kinds.iter().copied().find(|kind| (kind.0.is_pci)(ids))
    }

    /// The kind of UIO devices of this name, if the name alone says it.
    pub(super) fn of_uio(kinds: &[Kind], name: &str) -> Option<Kind> {
        kinds.iter().copied().find(|kind| kind.0.uio == Some(name))
    }

    /// The kind of mediated devices of this type.
    pub(super) fn of_mdev(kinds: &[Kind], mdev_type: &str) -> Option<Kind> {
        let is_type = |kind: &Kind| kind.0.mdev.is_some_and(|start| mdev_type.starts_with(start));
        kinds.iter().copied().find(is_type)
    }

    /// What its driver needs of a device.
    pub const fn needs(self) -> Needs {
        self.0.needs
    }

    /// Whether an engine drives it.
    pub(super) const fn is_driven(self) -> bool {
        self.0.is_driven
    }

    /// The card masters memory.
    pub(super) const fn needs_dma(self) -> bool {
        self.0.needs.dma > 0
    }

    /// Whether its cards are UIO devices of the kernel module of this name.
    pub(super) fn is_under(self, module: &str) -> bool {
        self.0.uio == Some(module)
    }

    /// Why it can't be used through a kernel driver, if that is so.
    pub(super) fn unsuited(self, driver: &str) -> Option<&'static str> {
        self.0.unsuited.iter().find(|(name, _)| *name == driver).map(|(_, why)| *why)
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Kind) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Kind {}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kind({:?})", self.0.name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}
