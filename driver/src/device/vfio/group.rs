//! IOMMU groups: which group a device is in, and which other devices are.
//!
//! VFIO hands out whole groups only, because devices of one group can reach each other without
//! passing the IOMMU. A PCIe-to-PCI bridge and all its slots are one group.

use std::path::Path;

use super::VfioError;
use crate::device::pci::PciAddress;
use crate::device::selector::MdevUuid;
use crate::device::sysfs::SysfsRoot;

/// Drivers that do no DMA, so that VFIO hands out a group with devices bound to them.
const HARMLESS: [&str; 3] = ["vfio-pci", "pcieport", "pci-stub"];

/// An IOMMU group, by the name of its file below `/dev/vfio`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::device) struct Group {
    pub name: String,
}

/// The group of a PCI function that is bound to vfio-pci.
pub(in crate::device) fn of_pci(root: &SysfsRoot, address: PciAddress) -> Result<Group, VfioError> {
    let folder = address.folder();
    if !root.sys(&folder).is_dir() {
        return Err(VfioError::NoDevice(format!("PCI device {address}")));
    }
    match address.driver(root) {
        Some(driver) if driver == "vfio-pci" => {}
        other => {
            let driver = other.unwrap_or_else(|| "no driver".to_owned());
            return Err(VfioError::NotBound { address, driver });
        }
    }
    of(root, &folder).ok_or_else(|| VfioError::NoGroup(format!("PCI device {address}")))
}

/// The group of a mediated device.
pub(in crate::device) fn of_mdev(root: &SysfsRoot, uuid: &MdevUuid) -> Result<Group, VfioError> {
    let folder = Path::new("bus/mdev/devices").join(uuid.to_string());
    if !root.sys(&folder).is_dir() {
        return Err(VfioError::NoDevice(format!("mediated device {uuid}")));
    }
    of(root, &folder).ok_or_else(|| VfioError::NoGroup(format!("mediated device {uuid}")))
}

fn of(root: &SysfsRoot, folder: &Path) -> Option<Group> {
    root.link_name(folder.join("iommu_group")).map(|name| Group { name })
}

impl Group {
    /// Whether user space can have the group, as far as `/sys` shows.
    pub fn viable(&self, root: &SysfsRoot) -> Result<(), VfioError> {
        let others = self.others(root);
        if others.is_empty() {
            return Ok(());
        }
        Err(VfioError::NotViable { group: self.name.clone(), others: others.join(", ") })
    }

    /// The error of a group that the kernel has refused; names the devices in the way, if `/sys`
    /// shows them.
    pub fn not_viable(&self, root: &SysfsRoot) -> VfioError {
        let others = self.viable(root).err();
        others.unwrap_or_else(|| VfioError::NotViable {
            group: self.name.clone(),
            others: format!(
                "a device that ls /sys/kernel/iommu_groups/{}/devices shows",
                self.name
            ),
        })
    }

    /// The members that are bound to kernel drivers, each with its driver.
    fn others(&self, root: &SysfsRoot) -> Vec<String> {
        let members = root.entries(format!("kernel/iommu_groups/{}/devices", self.name));
        let taken = members.into_iter().filter_map(|member| {
            let address: PciAddress = member.parse().ok()?;
            let driver = address.driver(root)?;
            (!HARMLESS.contains(&driver.as_str())).then(|| format!("{address} (driver {driver})"))
        });
        taken.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::sysfs::made_up::Tree;

    const IDS: [&str; 5] = ["0xe159", "0x0001", "0xb100", "0x0003", "0x078000"];

    fn address(text: &str) -> PciAddress {
        text.parse().unwrap()
    }

    #[test]
    fn a_device_is_found_with_its_group() {
        let tree = Tree::new();
        tree.pci("0000:05:00.0", IDS, Some("vfio-pci")).group(12, "0000:05:00.0");
        let group = of_pci(&tree.root, address("05:00.0")).unwrap();
        assert_eq!(group.name, "12");
        group.viable(&tree.root).unwrap();
    }

    #[test]
    fn what_is_missing_is_reported_with_its_cure() {
        let tree = Tree::new();
        let text = |at: &str| of_pci(&tree.root, address(at)).unwrap_err().to_string();
        assert!(text("05:00.0").contains("no PCI device 0000:05:00.0"));

        tree.pci("0000:05:00.0", IDS, None);
        let bare = text("05:00.0");
        assert!(bare.contains("bound to no driver, not to vfio-pci; as root: "), "{bare}");
        assert!(bare.ends_with("ringback device bind 0000:05:00.0 --to vfio-pci"), "{bare}");

        tree.pci("0000:06:00.0", IDS, Some("wctdm"));
        assert!(text("06:00.0").contains("0000:06:00.0 is bound to wctdm, not to vfio-pci"));

        tree.pci("0000:07:00.0", IDS, Some("vfio-pci"));
        assert!(text("07:00.0").contains("intel_iommu=on"));
    }

    #[test]
    fn the_others_in_a_group_are_named() {
        let tree = Tree::new();
        tree.pci("0000:05:00.0", IDS, Some("vfio-pci")).group(3, "0000:05:00.0");
        tree.pci("0000:04:00.0", IDS, Some("pcieport")).group(3, "0000:04:00.0");
        tree.pci("0000:05:01.0", IDS, None).group(3, "0000:05:01.0");
        tree.file("sys/kernel/iommu_groups/3/devices/garbage", "");
        let group = of_pci(&tree.root, address("05:00.0")).unwrap();
        group.viable(&tree.root).unwrap();
        let unknown = group.not_viable(&tree.root).to_string();
        assert!(unknown.contains("group 3") && unknown.contains("iommu_groups/3/devices"));

        tree.pci("0000:05:02.0", IDS, Some("e1000")).group(3, "0000:05:02.0");
        tree.pci("0000:05:03.0", IDS, Some("snd_hda_intel")).group(3, "0000:05:03.0");
        for error in [group.viable(&tree.root).unwrap_err(), group.not_viable(&tree.root)] {
            let text = error.to_string();
            let others = "0000:05:02.0 (driver e1000), 0000:05:03.0 (driver snd_hda_intel)";
            assert!(text.contains(others), "{text}");
        }
    }

    #[test]
    fn a_mediated_device_is_found_with_its_group() {
        const UUID: &str = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
        let tree = Tree::new();
        let uuid: MdevUuid = UUID.parse().unwrap();
        assert!(matches!(of_mdev(&tree.root, &uuid), Err(VfioError::NoDevice(_))));
        tree.file(&format!("sys/bus/mdev/devices/{UUID}/uevent"), "");
        assert!(matches!(of_mdev(&tree.root, &uuid), Err(VfioError::NoGroup(_))));
        tree.link(&format!("sys/bus/mdev/devices/{UUID}/iommu_group"), "../../iommu_groups/0");
        assert_eq!(of_mdev(&tree.root, &uuid).unwrap().name, "0");
    }
}
