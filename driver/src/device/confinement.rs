//! Whether an IOMMU restricts a bus-mastering card to its own memory.
//!
//! It is not enough that the card is in an IOMMU group: with the kernel's argument `iommu=pt` the
//! group's domain contains all memory. VFIO gives the group a domain of its own even then.

use std::fmt;

use super::pci::PciAddress;
use super::sysfs::SysfsRoot;

/// The module parameter by which the administrator allows the card where nothing confines it.
pub(super) const PARAMETER: &str = "allow_unconfined";

/// Whether an IOMMU confines a card.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Confinement {
    /// It reaches the memory that was mapped for the devices of its IOMMU group, and no other.
    Group {
        /// The IOMMU group's name, which is a number for PCI devices.
        name: String,
        /// The other devices of the group, for example those behind the same conventional PCI
        /// bridge. Each reaches the memory that was mapped for the others.
        neighbours: Vec<String>,
    },
    /// It is in a group whose domain is all memory.
    PassThrough {
        /// The IOMMU group's name, which is a number for PCI devices.
        name: String,
    },
    /// It is in no group: no IOMMU, or one that is switched off.
    NoIommu,
}

impl Confinement {
    /// What `/sys` says of a PCI function.
    pub(super) fn of(root: &SysfsRoot, address: PciAddress) -> Confinement {
        let Some(name) = address.group(root) else { return Confinement::NoIommu };
        let folder = format!("kernel/iommu_groups/{name}");
        let by_vfio = address.driver(root).as_deref() == Some("vfio-pci");
        let domain = root.text(format!("{folder}/type")).unwrap_or_default();
        if !by_vfio && !domain.starts_with("DMA") {
            return Confinement::PassThrough { name };
        }
        let mut neighbours = root.entries(format!("{folder}/devices"));
        neighbours.retain(|neighbour| *neighbour != address.to_string());
        neighbours.sort();
        Confinement::Group { name, neighbours }
    }

    /// Whether the IOMMU keeps the card from any memory of the machine.
    pub fn is_confined(&self) -> bool {
        matches!(self, Confinement::Group { .. })
    }
}

/// Whether Ringback's module lets every process that may open the card's file use a card that
/// nothing confines.
pub(super) fn is_allowed(root: &SysfsRoot) -> bool {
    let value = root.text(format!("module/ringback/parameters/{PARAMETER}"));
    value.is_ok_and(|value| value == "Y")
}

impl fmt::Display for Confinement {
    /// One line for a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ALL: &str = "a program that has it can read and write all memory of the machine";
        match self {
            Confinement::Group { name, neighbours } if neighbours.is_empty() => {
                write!(f, "confined by IOMMU group {name}: it reaches only what is mapped for it")
            }
            Confinement::Group { name, neighbours } => write!(
                f,
                "confined by IOMMU group {name}: it reaches only what is mapped for it and for {}",
                neighbours.join(", ")
            ),
            Confinement::PassThrough { name } => write!(
                f,
                "not confined: its IOMMU group {name} lets it reach all memory (is iommu=pt on the \
                 kernel's command line?), so {ALL}"
            ),
            Confinement::NoIommu => {
                write!(f, "not confined: there is no IOMMU before it, so {ALL}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sysfs::made_up::Tree;
    use super::*;

    const CARD: &str = "0000:05:00.0";
    const IDS: [&str; 5] = ["0xe159", "0x0001", "0xb100", "0x0003", "0x078000"];

    fn of(tree: &Tree) -> Confinement {
        Confinement::of(&tree.root, CARD.parse().unwrap())
    }

    #[test]
    fn a_domain_for_dma_confines() {
        for domain in ["DMA\n", "DMA-FQ\n"] {
            let tree = Tree::new();
            tree.pci(CARD, IDS, Some("ringback")).group(7, CARD);
            tree.file("sys/kernel/iommu_groups/7/type", domain);
            let alone = of(&tree);
            assert!(alone.is_confined());
            assert!(alone.to_string().ends_with("mapped for it"), "{alone}");
            tree.pci("0000:05:01.0", IDS, None).group(7, "0000:05:01.0");
            assert!(of(&tree).to_string().ends_with("and for 0000:05:01.0"), "{}", of(&tree));
        }
    }

    #[test]
    fn a_group_alone_does_not() {
        let tree = Tree::new();
        tree.pci(CARD, IDS, Some("ringback"));
        assert_eq!(of(&tree), Confinement::NoIommu);
        tree.group(7, CARD);
        // An unknown domain type does not count as confining.
        assert!(!of(&tree).is_confined());
        tree.file("sys/kernel/iommu_groups/7/type", "identity\n");
        assert_eq!(of(&tree), Confinement::PassThrough { name: "7".to_owned() });
        assert!(of(&tree).to_string().contains("iommu=pt"));
    }

    #[test]
    fn vfio_has_a_domain_of_its_own() {
        let tree = Tree::new();
        tree.pci(CARD, IDS, Some("vfio-pci"));
        assert!(!of(&tree).is_confined(), "VFIO without an IOMMU confines nothing");
        tree.group(7, CARD).file("sys/kernel/iommu_groups/7/type", "identity\n");
        assert!(of(&tree).is_confined());
    }

    #[test]
    fn what_the_administrator_allows_is_in_the_modules_parameter() {
        let tree = Tree::new();
        assert!(!is_allowed(&tree.root));
        let parameter = "sys/module/ringback/parameters/allow_unconfined";
        tree.file(parameter, "N\n");
        assert!(!is_allowed(&tree.root));
        tree.file(parameter, "Y\n");
        assert!(is_allowed(&tree.root));
    }
}
