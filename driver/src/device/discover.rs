//! Finding cards: which are in this machine, which driver holds each, and what has to be done to
//! use it.
//!
//! Everything is read from `/sys`; nothing is opened, bound or changed.

use crate::report;
use std::collections::HashSet;
use std::fmt;

use super::confinement::{self, Confinement};
use super::kind::Kind;
use super::pci::{PciAddress, PciIds};
use super::selector::{MdevUuid, Selector};
use super::shim;
use super::sysfs::SysfsRoot;
use super::uio::UioInfo;
use super::vfio::group;

/// A card that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// How to select it, after everything in [`Candidate::need`] is done.
    pub selector: Selector,
    /// Which of the cards that Ringback drives it is.
    pub kind: Kind,
    /// Its PCI ids, where it is a PCI function.
    pub ids: Option<PciIds>,
    /// The driver that is bound to it now.
    pub driver: Option<String>,
    /// What has to be done before it can be used, as a sentence; `None` if nothing.
    pub need: Option<String>,
    /// Where it is on the PCI bus, if it is there.
    pub address: Option<PciAddress>,
    /// The number of its interrupt line.
    pub irq: Option<u32>,
    /// The names of the drivers that handle that interrupt now; several if they share the line.
    pub irq_users: Vec<String>,
    /// Its IOMMU group, which VFIO hands out as a whole.
    pub group: Option<String>,
    /// Whether an IOMMU confines it, where it masters memory.
    pub confinement: Option<Confinement>,
    /// Whether only programs with CAP_SYS_RAWIO can open it, because nothing confines it.
    pub privileged: bool,
}

impl fmt::Display for Candidate {
    /// One line for a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.selector, self.kind)?;
        if let Some(ids) = &self.ids {
            write!(f, " [{ids}]")?;
        }
        match &self.driver {
            Some(driver) => write!(f, ", driver {driver}")?,
            None => write!(f, ", no driver")?,
        }
        match &self.need {
            Some(need) => write!(f, "; {need}"),
            None => write!(f, "; ready"),
        }
    }
}

impl Candidate {
    fn new(
        selector: Selector,
        kind: Kind,
        driver: Option<String>,
        need: Option<String>,
    ) -> Candidate {
        let (ids, address, irq, group) = (None, None, None, None);
        let (irq_users, confinement, privileged) = (Vec::new(), None, false);
        Candidate {
            selector,
            kind,
            ids,
            driver,
            need,
            address,
            irq,
            irq_users,
            group,
            confinement,
            privileged,
        }
    }

    /// Adds what `/sys` has about the PCI function.
    fn at(self, root: &SysfsRoot, address: PciAddress) -> Candidate {
        let confinement = self.kind.needs_dma().then(|| Confinement::of(root, address));
        let privileged = self.driver.as_deref() == Some("ringback")
            && confinement.as_ref().is_some_and(|confinement| !confinement.is_confined())
            && !confinement::is_allowed(root);
        // 0 stands for no interrupt.
        let irq = root.small(address.folder().join("irq")).ok().filter(|irq: &u32| *irq > 0);
        let users = irq.and_then(|irq| root.text(format!("kernel/irq/{irq}/actions")).ok());
        let users = users.unwrap_or_default();
        let names = users.split(',').filter(|name| !name.is_empty());
        Candidate {
            address: Some(address),
            irq,
            irq_users: names.map(str::to_owned).collect(),
            group: address.group(root),
            confinement,
            privileged,
            ..self
        }
    }
}

/// Every card of this machine that is of one of `kinds`: UIO devices, then PCI functions, then
/// mediated devices. A card under a UIO driver is listed once, as a UIO device.
pub fn discover(root: &SysfsRoot, kinds: &[Kind]) -> Vec<Candidate> {
    let mut found = Vec::new();
    let mut under_uio = HashSet::new();
    for info in UioInfo::all(root) {
        under_uio.extend(info.pci);
        found.extend(uio(root, kinds, &info));
    }
    let mut addresses: Vec<PciAddress> =
        root.entries("bus/pci/devices").iter().filter_map(|name| name.parse().ok()).collect();
    addresses.sort();
    for address in addresses {
        if !under_uio.contains(&address) {
            found.extend(pci(root, kinds, address));
        }
    }
    for name in root.entries("bus/mdev/devices") {
        if let Ok(uuid) = name.parse() {
            found.extend(mdev(root, kinds, uuid));
        }
    }
    found
}

fn uio(root: &SysfsRoot, kinds: &[Kind], info: &UioInfo) -> Option<Candidate> {
    let ids = info.pci.and_then(|address| PciIds::read(root, address).ok());
    let kind = match Kind::of_uio(kinds, &info.name) {
        Some(kind) => kind,
        None => Kind::of_pci(kinds, ids.as_ref()?)?,
    };
    let driver = match info.pci {
        Some(address) => address.driver(root),
        None => Some(info.name.clone()),
    };
    let need = if !kind.is_driven() {
        Some(not_driven())
    } else if info.registers().is_none() {
        Some("its UIO driver offers no registers: use vfio-pci, or a newer kernel".to_owned())
    } else if kind.needs_dma() && info.dma().is_none() {
        Some("its UIO driver offers no DMA memory: use the ringback module or vfio-pci".to_owned())
    } else {
        None
    };
    let number = info.number;
    let selector = if info.name == shim::MODULE && shim::has_ports(root, number) {
        Selector::Shim(number)
    } else {
        Selector::Uio(number)
    };
    let found = Candidate::new(selector, kind, driver, need);
    Some(match info.pci {
        Some(address) => Candidate { ids, ..found.at(root, address) },
        None => found,
    })
}

fn pci(root: &SysfsRoot, kinds: &[Kind], address: PciAddress) -> Option<Candidate> {
    let ids = PciIds::read(root, address)
        .inspect_err(|error| report!(DEBUG, "{address}: {error}"))
        .ok()?;
    let kind = Kind::of_pci(kinds, &ids)?;
    let driver = address.driver(root);
    let need = if !kind.is_driven() {
        Some(not_driven())
    } else {
        match driver.as_deref() {
            Some("vfio-pci") => group::of_pci(root, address)
                .and_then(|group| group.viable(root))
                .err()
                .map(|error| error.to_string()),
            Some("ringback") => {
                Some("its module is loaded but shows no UIO device: see dmesg".to_owned())
            }
            Some(other) => Some(format!("take it from {other}: {}", bind(kind, address))),
            None => Some(format!("give it to a driver: {}", bind(kind, address))),
        }
    };
    let found = Candidate::new(Selector::Pci(address), kind, driver, need);
    Some(Candidate { ids: Some(ids), ..found.at(root, address) })
}

fn mdev(root: &SysfsRoot, kinds: &[Kind], uuid: MdevUuid) -> Option<Candidate> {
    let folder = format!("bus/mdev/devices/{uuid}");
    let mdev_type = root.link_name(format!("{folder}/mdev_type"))?;
    let kind = Kind::of_mdev(kinds, &mdev_type)?;
    let group = group::of_mdev(root, &uuid);
    let need = group.as_ref().err().map(|error| error.to_string());
    let driver = root.link_name(format!("{folder}/driver"));
    let found = Candidate::new(Selector::Mdev(uuid), kind, driver, need);
    Some(Candidate { group: group.ok().map(|group| group.name), ..found })
}

/// How to have a driver hold the card by which Ringback can use it.
fn bind(kind: Kind, address: PciAddress) -> String {
    let or = if kind.is_under(shim::MODULE) { ", or `--to ringback`" } else { "" };
    format!("`ringback device bind {address} --to vfio-pci`{or}")
}

fn not_driven() -> String {
    "not driven: only the TDM400P family of these cards is".to_owned()
}

#[cfg(all(test, feature = "cards"))]
mod tests {
    use super::super::sysfs::made_up::Tree;
    use super::*;
    use crate::card::{KINDS, edu, mailbox, tiger320, uart16550};

    const TDM400P: [&str; 5] = ["0xe159", "0x0001", "0xb100", "0x0003", "0x078000"];
    const A1200P: [&str; 5] = ["0xe159", "0x0001", "0x9100", "0x0003", "0x078000"];
    const NETWORK: [&str; 5] = ["0x8086", "0x100e", "0x1af4", "0x1100", "0x020000"];
    const EDU_IDS: [&str; 5] = ["0x1234", "0x11e8", "0x1af4", "0x1100", "0x00ff00"];
    const SERIAL: [&str; 5] = ["0x1b36", "0x0002", "0x1af4", "0x1100", "0x070002"];
    const OTHER_SERIAL: [&str; 5] = ["0x9710", "0x9835", "0x1000", "0x0012", "0x070002"];
    const MODEM: [&str; 5] = ["0x12b9", "0x1008", "0x12b9", "0x00d3", "0x070302"];
    const SOFT_MODEM: [&str; 5] = ["0x8086", "0x1040", "0x16be", "0x1040", "0x070300"];

    fn uio(tree: &Tree, number: u32, name: &str, maps: &[&str], pci: Option<&str>) {
        let folder = format!("sys/class/uio/uio{number}");
        tree.file(&format!("{folder}/name"), name).file(&format!("{folder}/event"), "0");
        for (index, map) in maps.iter().enumerate() {
            let map_folder = format!("{folder}/maps/map{index}");
            tree.file(&format!("{map_folder}/name"), map);
            for (attribute, value) in [("addr", "0x1000"), ("size", "0x1000"), ("offset", "0x0")] {
                tree.file(&format!("{map_folder}/{attribute}"), value);
            }
        }
        if let Some(address) = pci {
            tree.link(&format!("{folder}/device"), &format!("../../../{address}"));
        }
    }

    fn only(tree: &Tree) -> Candidate {
        let found = discover(&tree.root, KINDS);
        assert_eq!(found.len(), 1, "{found:?}");
        found.into_iter().next().unwrap()
    }

    #[test]
    fn an_empty_machine_has_no_cards() {
        assert_eq!(discover(&Tree::new().root, KINDS), []);
    }

    #[test]
    fn a_card_without_driver_is_to_be_bound() {
        let tree = Tree::new();
        tree.pci("0000:00:02.0", NETWORK, Some("e1000")).pci("0000:05:00.0", TDM400P, None);
        let card = only(&tree);
        assert_eq!(card.selector.to_string(), "pci:0000:05:00.0");
        assert_eq!((card.kind, card.driver.as_deref()), (tiger320::KIND, None));
        let line = card.to_string();
        for part in [
            "e159:0001, subsystem b100:0003",
            "no driver",
            "`ringback device bind 0000:05:00.0 --to vfio-pci`, or `--to ringback`",
        ] {
            assert!(line.contains(part), "{line}");
        }
    }

    #[test]
    fn a_card_under_another_driver_is_to_be_taken_from_it() {
        let tree = Tree::new();
        tree.pci("0000:05:00.0", TDM400P, Some("wctdm"));
        let need = only(&tree).need.unwrap();
        assert!(need.contains("take it from wctdm: `ringback device bind"), "{need}");
    }

    #[test]
    fn a_card_under_vfio_is_ready_when_its_group_is() {
        let tree = Tree::new();
        tree.pci("0000:05:00.0", TDM400P, Some("vfio-pci"));
        let need = only(&tree).need.unwrap();
        assert!(need.contains("IOMMU"), "{need}");

        tree.group(7, "0000:05:00.0");
        assert_eq!(only(&tree).need, None);
        assert!(only(&tree).to_string().ends_with("driver vfio-pci; ready"));

        tree.pci("0000:05:01.0", NETWORK, Some("e1000")).group(7, "0000:05:01.0");
        let need = only(&tree).need.unwrap();
        assert!(need.contains("0000:05:01.0") && need.contains("e1000"), "{need}");
    }

    #[test]
    fn a_card_under_uio_is_listed_once() {
        let tree = Tree::new();
        tree.pci("0000:05:00.0", TDM400P, Some("ringback"));
        let need = only(&tree).need.unwrap();
        assert!(need.contains("no UIO device"), "{need}");
        uio(&tree, 3, "ringback", &["registers", "dma"], Some("0000:05:00.0"));
        let card = only(&tree);
        assert_eq!(card.selector, Selector::Uio(3));
        assert_eq!((card.kind, card.driver.as_deref()), (tiger320::KIND, Some("ringback")));
        assert_eq!(card.need, None);
        // If the module moves the samples, that is preferred.
        tree.file("sys/0000:05:00.0/ringback/ringback0p0/dev", "240:0");
        assert_eq!(only(&tree).selector, Selector::Shim(3));
    }

    #[test]
    fn a_uio_driver_must_offer_what_the_card_needs() {
        let tree = Tree::new();
        tree.pci("0000:05:00.0", TDM400P, Some("uio_pci_generic"));
        tree.pci("0000:06:00.0", EDU_IDS, Some("uio_pci_generic"));
        tree.pci("0000:07:00.0", EDU_IDS, Some("uio_pci_generic"));
        tree.pci("0000:08:00.0", NETWORK, Some("uio_pci_generic"));
        uio(&tree, 0, "uio_pci_generic", &["BAR1"], Some("0000:05:00.0"));
        uio(&tree, 1, "uio_pci_generic", &["BAR0"], Some("0000:06:00.0"));
        uio(&tree, 2, "uio_pci_generic", &[], Some("0000:07:00.0"));
        uio(&tree, 3, "uio_pci_generic", &["BAR0"], Some("0000:08:00.0"));
        let found = discover(&tree.root, KINDS);
        let needs: Vec<_> = found.iter().map(|card| (card.kind, card.need.as_deref())).collect();
        let [(tdm400p, Some(dma)), (first, None), (second, Some(maps))] = needs[..] else {
            panic!("{needs:?}");
        };
        assert_eq!([tdm400p, first, second], [tiger320::KIND, edu::KIND, edu::KIND]);
        assert!(dma.contains("no DMA memory") && maps.contains("no registers"), "{dma} {maps}");
    }

    #[test]
    fn devices_without_pci_are_known_by_name() {
        let tree = Tree::new();
        uio(&tree, 0, "uio_dummy", &["mailbox"], None);
        uio(&tree, 1, "uio_pruss", &["pruss"], None);
        let card = only(&tree);
        assert_eq!((card.kind, card.ids, card.need), (mailbox::KIND, None, None));
        assert_eq!(card.driver.as_deref(), Some("uio_dummy"));
    }

    #[test]
    fn kinds_are_recognised_by_ids_subsystem_and_class() {
        let tree = Tree::new();
        tree.pci("0000:01:00.0", EDU_IDS, None);
        tree.pci("0000:02:00.0", SERIAL, Some("serial"));
        tree.pci("0000:03:00.0", OTHER_SERIAL, None);
        tree.pci("0000:03:00.1", MODEM, None);
        tree.pci("0000:03:00.2", SOFT_MODEM, None);
        tree.pci("0000:04:00.0", A1200P, None);
        tree.pci("10000:01:00.0", TDM400P, None);
        let found = discover(&tree.root, KINDS);
        let kinds: Vec<Kind> = found.iter().map(|card| card.kind).collect();
        let serial = uart16550::KIND;
        let expected = [edu::KIND, serial, serial, serial, tiger320::OTHER_KIND, tiger320::KIND];
        assert_eq!(kinds, expected);
        let need = found[4].need.as_deref().unwrap();
        assert!(need.contains("not driven"), "{need}");
    }

    #[test]
    fn mediated_uarts_are_found_by_their_type() {
        const UUID: &str = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
        let tree = Tree::new();
        let folder = format!("sys/bus/mdev/devices/{UUID}");
        tree.link(&format!("{folder}/mdev_type"), "../mdev_supported_types/mtty-2");
        tree.link(&format!("{folder}/driver"), "../../../bus/mdev/drivers/mtty");
        tree.link(
            "sys/bus/mdev/devices/00000000-0000-0000-0000-000000000001/mdev_type",
            "../i915-GVTg",
        );
        tree.file("sys/bus/mdev/devices/not-a-uuid/mdev_type", "mtty-1");
        let card = only(&tree);
        assert_eq!(card.selector.to_string(), format!("mdev:{UUID}"));
        assert_eq!((card.kind, card.driver.as_deref()), (uart16550::KIND, Some("mtty")));
        assert!(card.need.unwrap().contains("IOMMU group"));
        tree.link(&format!("{folder}/iommu_group"), "../../../kernel/iommu_groups/0");
        assert_eq!((only(&tree).need, only(&tree).group.as_deref()), (None, Some("0")));
    }

    #[test]
    fn a_card_is_listed_with_its_interrupt_and_its_group() {
        let tree = Tree::new();
        tree.pci("0000:05:00.0", TDM400P, Some("ringback")).group(7, "0000:05:00.0");
        tree.file("sys/bus/pci/devices/0000:05:00.0/irq", "16\n")
            .file("sys/kernel/irq/16/actions", "i801_smbus,ringback\n");
        let card = only(&tree);
        assert_eq!((card.irq, card.group.as_deref()), (Some(16), Some("7")));
        assert_eq!(card.irq_users, ["i801_smbus", "ringback"]);
        assert_eq!(card.address.unwrap().to_string(), "0000:05:00.0");
        tree.file("sys/bus/pci/devices/0000:05:00.0/irq", "0\n");
        uio(&tree, 3, "ringback", &["registers", "dma"], Some("0000:05:00.0"));
        let card = only(&tree);
        assert_eq!((card.irq, card.irq_users.len(), card.need), (None, 0, None));
        assert_eq!(card.group.as_deref(), Some("7"));
    }

    #[test]
    fn hostile_trees_are_survived() {
        let tree = Tree::new();
        tree.link("sys/bus/pci/devices/0000:05:00.0", "0000:05:00.0");
        tree.file("sys/bus/pci/devices/0000:06:00.0", "not a folder");
        tree.pci("0000:07:00.0", ["0xe159", "1", "0xb100", "", "0x078000"], None);
        tree.pci("0000:08:00.0", ["-1", "0xfffff", "0xb100", "0x3", "0x078000"], None);
        tree.pci("../escape", TDM400P, None);
        tree.link("sys/class/uio/uio0", "uio0");
        tree.file("sys/class/uio/uio1/name", [0xFF; 8192]);
        tree.link("sys/class/uio/uio2/name", "/dev/zero");
        tree.link("sys/bus/mdev/devices", "devices");
        assert_eq!(discover(&tree.root, KINDS), []);
    }
}
