//! Which kernel driver holds a PCI card, and how that is changed.
//!
//! A change is planned first and carried out afterwards, so that a person can read the plan before.
//! It uses `driver_override`, which affects this one card and no other with the same ids. If a plan
//! could not succeed, there is a [`BindError`] in its place.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::in_use::users;
use super::kind::Kind;
use super::pci::{PciAddress, PciIds};
use super::sysfs::SysfsRoot;

/// The kernel's own module for PCI devices under UIO.
const GENERIC: &str = "uio_pci_generic";
const VFIO: &str = "vfio-pci";
/// Ringback's own kernel module, which moves samples.
const SHIM: &str = super::shim::MODULE;

/// Why a card's driver was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// No PCI function has this address.
    #[error("there is no PCI device at {0}; `lspci -D` lists those there are")]
    NoDevice(PciAddress),
    /// The kernel does not have the driver at present.
    #[error("the kernel has no driver {driver} loaded; `modprobe {driver}` first{locked}")]
    NoDriver {
        /// The kernel driver's name.
        driver: String,
        /// What in this kernel may prevent it (a lockdown, for example); empty if nothing is known.
        locked: String,
    },
    /// The card is not one that Ringback drives, nor in an IOMMU group with one.
    #[error(
        "{0} is no card that Ringback drives, and no such card is in its IOMMU group; \
         `ringback device` lists those there are"
    )]
    Stranger(PciAddress),
    /// The driver would be of no use with this card.
    #[error("{driver} is not for {address}: {why}")]
    Unsuited {
        /// The card's PCI address.
        address: PciAddress,
        /// The kernel driver's name.
        driver: String,
        /// Why not, and what is.
        why: &'static str,
    },
    /// VFIO needs an IOMMU.
    #[error(
        "{0} is in no IOMMU group, and vfio-pci does not take it without: switch the IOMMU on in \
         the firmware (VT-d, AMD-Vi) and, for Intel, by the kernel argument intel_iommu=on; a \
         TDM400P does without, by the module ringback"
    )]
    NoGroup(PciAddress),
    /// The card is in use, and its user would lose it.
    #[error("{address} is in use by {users}; end that first")]
    InUse {
        /// The card's PCI address.
        address: PciAddress,
        /// Programs and devices that use the card, as a list in words.
        users: String,
    },
    /// The name can't be one of a driver.
    #[error("{0:?} is no name of a driver")]
    BadName(String),
    /// One of the writes below `/sys` failed; those before it were done.
    #[error("writing to {} failed: {source}{}", path.display(), cure(source))]
    Step {
        /// The file that could not be written.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
    /// All writes succeeded, and the driver still does not hold the card.
    #[error(
        "{driver} did not take {address}; the kernel's log (dmesg) has the reason, and `ringback \
         device release {address}` gives the card back"
    )]
    NotTaken {
        /// The card's PCI address.
        address: PciAddress,
        /// The kernel driver's name.
        driver: String,
    },
}

fn cure(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "; binding drivers needs root (sudo)",
        _ => "",
    }
}

/// One write to a file below `/sys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The file below `/sys` that is written.
    pub path: PathBuf,
    /// The text that is written to it.
    pub value: String,
    /// What that does, in words for the person who decides.
    pub does: String,
}

/// What will be done to a card's driver. Nothing has happened yet.
#[derive(Debug, Clone)]
pub struct Plan {
    root: SysfsRoot,
    kinds: Vec<Kind>,
    address: PciAddress,
    /// The driver that is to hold the card; `None` to leave it to the kernel.
    wanted: Option<String>,
    steps: Vec<Step>,
}

impl Plan {
    /// Plans to bind the card, which is of one of `kinds`, to `driver`. The plan has no steps if
    /// the card is bound to it already.
    ///
    /// # Errors
    /// [`BindError`] if there is no such card or no such driver, if they don't suit each other, or
    /// if the card is in use.
    pub fn bind(
        root: &SysfsRoot,
        kinds: &[Kind],
        address: PciAddress,
        driver: &str,
    ) -> Result<Plan, BindError> {
        if driver.is_empty() || driver.contains(['/', '\0', '\n']) || driver.starts_with('.') {
            return Err(BindError::BadName(driver.into()));
        }
        let mut plan = Plan::of(root, kinds, address, Some(driver.into()))?;
        let folder = root.sys("bus/pci/drivers").join(driver);
        plan.check(driver)?;
        if !folder.is_dir() {
            let locked = match lockdown(root) {
                Some(mode) if driver == SHIM => format!(
                    "; the kernel is locked down ({mode}) and loads it only if it is signed with a \
                     key that the kernel trusts"
                ),
                _ => String::new(),
            };
            return Err(BindError::NoDriver { driver: driver.into(), locked });
        }
        let holder = plan.holder();
        if holder.as_deref() != Some(driver) {
            plan.check_idle()?;
            plan.hand_over(holder, driver, format!("let only {driver} take the card"));
        }
        Ok(plan)
    }

    /// Plans to undo a [`bind`](Plan::bind): the kernel chooses the card's driver again, if it has
    /// one. The plan has no steps if the kernel's choice holds the card already.
    ///
    /// # Errors
    /// [`BindError`] if there is no such card, it is none of Ringback's, or it is in use.
    pub fn release(
        root: &SysfsRoot,
        kinds: &[Kind],
        address: PciAddress,
    ) -> Result<Plan, BindError> {
        let mut plan = Plan::of(root, kinds, address, None)?;
        // A mistyped address must not unbind another device, such as the disk's controller.
        if !plan.is_driven(address) && !plan.has_driven_neighbour() {
            return Err(BindError::Stranger(address));
        }
        let holder = plan.holder();
        let by_hand = |holder: &String| [VFIO, GENERIC].contains(&holder.as_str());
        if plan.has_override() || holder.as_ref().is_none_or(by_hand) {
            plan.check_idle()?;
            // A line end empties the override.
            plan.hand_over(holder, "\n", "let any driver take the card that fits".into());
        }
        Ok(plan)
    }

    /// Whether the plan binds the card to a driver that was named, and does not leave the choice to
    /// the kernel.
    pub fn binds(&self) -> bool {
        self.wanted.is_some()
    }

    /// The writes of the plan, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Carries the plan out.
    ///
    /// # Errors
    /// [`BindError::Step`] at the first step that fails, the rest is left undone;
    /// [`BindError::NotTaken`] if the driver does not hold the card at the end.
    pub fn carry_out(&self) -> Result<(), BindError> {
        for Step { path, value, .. } in &self.steps {
            fs::write(path, value)
                .map_err(|source| BindError::Step { path: path.clone(), source })?;
        }
        match &self.wanted {
            Some(driver) if self.holder().as_ref() != Some(driver) => {
                Err(BindError::NotTaken { address: self.address, driver: driver.clone() })
            }
            _ => Ok(()),
        }
    }

    fn of(
        root: &SysfsRoot,
        kinds: &[Kind],
        address: PciAddress,
        wanted: Option<String>,
    ) -> Result<Plan, BindError> {
        let (root, kinds) = (root.clone(), kinds.to_vec());
        let plan = Plan { root, kinds, address, wanted, steps: Vec::new() };
        if plan.folder().is_dir() { Ok(plan) } else { Err(BindError::NoDevice(address)) }
    }

    /// Whether the driver can be of any use with this card.
    fn check(&self, driver: &str) -> Result<(), BindError> {
        let (root, address) = (&self.root, self.address);
        let Some(kind) = self.kind_of(address).filter(|kind| kind.is_driven()) else {
            // VFIO hands out whole groups, so other devices of the group may have to be bound as
            // well.
            return match driver {
                VFIO if self.has_driven_neighbour() => Ok(()),
                _ => Err(BindError::Stranger(address)),
            };
        };
        if driver == VFIO && address.group(root).is_none() {
            return Err(BindError::NoGroup(address));
        }
        let why = if let Some(why) = kind.unsuited(driver) {
            why
        } else if driver == GENERIC && lockdown(root).is_some() {
            "the kernel is locked down and refuses what enables its interrupt again; use vfio-pci"
        } else if driver == SHIM && !kind.is_under(SHIM) {
            "that module drives the TDM400P family only; use vfio-pci"
        } else {
            return Ok(());
        };
        Err(BindError::Unsuited { address, driver: driver.into(), why })
    }

    fn check_idle(&self) -> Result<(), BindError> {
        let users = users(&self.root, self.address);
        if users.is_empty() {
            return Ok(());
        }
        Err(BindError::InUse { address: self.address, users: users.join(", ") })
    }

    fn kind_of(&self, address: PciAddress) -> Option<Kind> {
        Kind::of_pci(&self.kinds, &PciIds::read(&self.root, address).ok()?)
    }

    fn is_driven(&self, address: PciAddress) -> bool {
        self.kind_of(address).is_some_and(Kind::is_driven)
    }

    /// Whether the card's IOMMU group has a card that Ringback drives.
    fn has_driven_neighbour(&self) -> bool {
        let group = self.address.group(&self.root);
        let folder = |group| format!("kernel/iommu_groups/{group}/devices");
        let names = group.map(|group| self.root.entries(folder(group)));
        let mut addresses = names.into_iter().flatten().filter_map(|name| name.parse().ok());
        addresses.any(|address| self.is_driven(address))
    }

    fn folder(&self) -> PathBuf {
        self.root.sys(self.address.folder())
    }

    fn holder(&self) -> Option<String> {
        self.address.driver(&self.root)
    }

    /// Whether `driver_override` is set: then only the driver that it names may take the card.
    fn has_override(&self) -> bool {
        let chosen = self.root.text(self.address.folder().join("driver_override"));
        chosen.is_ok_and(|driver| !driver.is_empty() && driver != "(null)")
    }

    fn hand_over(&mut self, holder: Option<String>, to: &str, does: String) {
        let (folder, address) = (self.folder(), self.address.to_string());
        self.step(folder.join("driver_override"), to.into(), does);
        if let Some(holder) = holder {
            let does = format!("take the card from {holder}");
            self.step(folder.join("driver/unbind"), address.clone(), does);
        }
        let probe = self.root.sys("bus/pci/drivers_probe");
        self.step(probe, address, "offer the card to the drivers".into());
    }

    fn step(&mut self, path: PathBuf, value: String, does: String) {
        self.steps.push(Step { path, value, does });
    }
}

/// How the kernel is locked down, where it is.
fn lockdown(root: &SysfsRoot) -> Option<String> {
    let modes = root.text("kernel/security/lockdown").ok()?;
    // The file lists all modes, with the current one in brackets.
    let (mode, _) = modes.split_once('[')?.1.split_once(']')?;
    (mode != "none").then(|| mode.to_owned())
}

#[cfg(all(test, feature = "cards"))]
mod tests {
    use super::super::sysfs::made_up::Tree;
    use super::*;
    use crate::card::KINDS;

    const ADDRESS: &str = "0000:05:00.0";
    const IDS: [&str; 5] = ["0xe159", "0x0001", "0xb100", "0x0003", "0x078000"];
    const SERIAL: [&str; 5] = ["0x1b36", "0x0002", "0x1af4", "0x1100", "0x070002"];
    const NETWORK: [&str; 5] = ["0x8086", "0x100e", "0x1af4", "0x1100", "0x020000"];
    const EDU: [&str; 5] = ["0x1234", "0x11e8", "0x1af4", "0x1100", "0x00ff00"];

    fn address() -> PciAddress {
        ADDRESS.parse().unwrap()
    }

    fn tree(driver: Option<&str>) -> Tree {
        let tree = Tree::new();
        tree.pci(ADDRESS, IDS, driver)
            .group(7, ADDRESS)
            .file("sys/bus/pci/drivers/vfio-pci/bind", "")
            .file("sys/bus/pci/drivers_probe", "")
            .file(&format!("sys/bus/pci/devices/{ADDRESS}/driver_override"), "(null)\n");
        tree
    }

    #[test]
    fn a_plan_says_what_it_does_and_does_nothing() {
        let tree = tree(Some("netjet"));
        let plan = Plan::bind(&tree.root, KINDS, address(), "vfio-pci").unwrap();
        let said: Vec<_> = plan.steps().iter().map(|step| step.does.as_str()).collect();
        assert_eq!(
            said,
            [
                "let only vfio-pci take the card",
                "take the card from netjet",
                "offer the card to the drivers"
            ]
        );
        assert!(plan.steps()[1].path.ends_with(format!("devices/{ADDRESS}/driver/unbind")));
        let untouched = fs::read_to_string(&plan.steps()[0].path).unwrap();
        assert_eq!(untouched, "(null)\n");
    }

    #[test]
    fn a_driver_that_does_not_take_the_card_is_an_error() {
        let tree = tree(None);
        let plan = Plan::bind(&tree.root, KINDS, address(), "vfio-pci").unwrap();
        // The files are written, but no kernel acts on them.
        assert!(matches!(plan.carry_out(), Err(BindError::NotTaken { .. })));
        assert_eq!(fs::read_to_string(&plan.steps()[0].path).unwrap(), "vfio-pci");
        assert_eq!(fs::read_to_string(&plan.steps()[1].path).unwrap(), ADDRESS);
        let release = Plan::release(&tree.root, KINDS, address()).unwrap();
        release.carry_out().unwrap();
        assert_eq!(fs::read_to_string(&plan.steps()[0].path).unwrap(), "\n");
    }

    #[test]
    fn nothing_is_to_do_where_the_driver_has_the_card() {
        let tree = tree(Some("vfio-pci"));
        let plan = Plan::bind(&tree.root, KINDS, address(), "vfio-pci").unwrap();
        assert!(plan.steps().is_empty());
        plan.carry_out().unwrap();
    }

    #[test]
    fn a_missing_device_is_reported() {
        let tree = tree(None);
        let other: PciAddress = "0000:06:00.0".parse().unwrap();
        let bind = |address, driver| Plan::bind(&tree.root, KINDS, address, driver).unwrap_err();
        assert!(matches!(bind(other, "vfio-pci"), BindError::NoDevice(_)));
        assert!(bind(address(), "ringback").to_string().contains("modprobe ringback"));
        for name in ["", "../vfio-pci", "a\nb", "."] {
            assert!(matches!(bind(address(), name), BindError::BadName(_)));
        }
    }

    /// Why the card at this address can't be bound to the driver.
    #[track_caller]
    fn refused(tree: &Tree, address: &str, driver: &str) -> String {
        Plan::bind(&tree.root, KINDS, address.parse().unwrap(), driver).unwrap_err().to_string()
    }

    #[test]
    fn drivers_that_do_not_suit_a_card_are_refused_with_those_that_do() {
        let tree = tree(None);
        for driver in ["uio_pci_generic", "ringback"] {
            tree.file(&format!("sys/bus/pci/drivers/{driver}/bind"), "");
        }
        tree.pci("0000:06:00.0", SERIAL, None).pci("0000:07:00.0", EDU, None);
        assert!(refused(&tree, ADDRESS, "uio_pci_generic").contains("can't mask its interrupt"));
        assert!(refused(&tree, "0000:06:00.0", "uio_pci_generic").contains("I/O ports"));
        assert!(refused(&tree, "0000:06:00.0", "ringback").contains("TDM400P family only"));
        assert!(refused(&tree, "0000:06:00.0", "vfio-pci").contains("intel_iommu=on"));
        let edu = "0000:07:00.0".parse().unwrap();
        assert_eq!(Plan::bind(&tree.root, KINDS, edu, "uio_pci_generic").unwrap().steps().len(), 2);
        assert_eq!(Plan::bind(&tree.root, KINDS, address(), "ringback").unwrap().steps().len(), 2);

        tree.file("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
        assert!(refused(&tree, "0000:07:00.0", "uio_pci_generic").contains("locked down"));
        tree.file("sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
        assert!(Plan::bind(&tree.root, KINDS, edu, "uio_pci_generic").is_ok());
    }

    #[test]
    fn a_locked_down_kernel_loads_no_unsigned_module() {
        let tree = tree(None);
        tree.file("sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
        let text = refused(&tree, ADDRESS, "ringback");
        assert!(text.contains("modprobe ringback") && text.contains("(confidentiality)"), "{text}");
        assert!(text.contains("signed"), "{text}");
    }

    #[test]
    fn other_devices_are_left_alone_unless_they_share_a_group_with_a_card() {
        let tree = tree(Some("vfio-pci"));
        tree.pci("0000:02:00.0", NETWORK, Some("e1000")).group(2, "0000:02:00.0");
        tree.pci("0000:03:00.0", NETWORK, Some("vfio-pci"));
        tree.file("sys/bus/pci/drivers/ringback/bind", "");
        for stranger in ["0000:02:00.0", "0000:03:00.0"] {
            assert!(refused(&tree, stranger, "vfio-pci").contains("no card that Ringback"));
            let release = Plan::release(&tree.root, KINDS, stranger.parse().unwrap());
            assert!(matches!(release, Err(BindError::Stranger(_))), "{release:?}");
        }
        tree.pci("0000:05:01.0", NETWORK, Some("e1000")).group(7, "0000:05:01.0");
        let neighbour = "0000:05:01.0".parse().unwrap();
        assert_eq!(Plan::bind(&tree.root, KINDS, neighbour, "vfio-pci").unwrap().steps().len(), 3);
        assert!(Plan::release(&tree.root, KINDS, neighbour).unwrap().steps().is_empty());
        assert!(refused(&tree, "0000:05:01.0", "ringback").contains("no card that Ringback"));
    }

    #[test]
    fn what_the_kernel_chose_by_itself_is_not_to_be_released() {
        let tree = tree(Some("wctdm"));
        let steps = || Plan::release(&tree.root, KINDS, address()).unwrap().steps().len();
        assert_eq!(steps(), 0);
        let driver_override = format!("sys/bus/pci/devices/{ADDRESS}/driver_override");
        tree.file(&driver_override, "\n");
        assert_eq!(steps(), 0);
        tree.file(&driver_override, "wctdm\n");
        assert_eq!(steps(), 3);
    }

    #[test]
    fn a_card_in_use_is_not_taken_away() {
        let tree = tree(Some("vfio-pci"));
        tree.file("proc/77/comm", "ringback\n").link("proc/77/fd/5", "/dev/vfio/7");
        let text = Plan::release(&tree.root, KINDS, address()).unwrap_err().to_string();
        assert!(text.contains("in use by ringback (process 77, /dev/vfio/7)"), "{text}");
        tree.file("sys/bus/pci/drivers/ringback/bind", "");
        assert!(refused(&tree, ADDRESS, "ringback").contains("process 77"));
        // It keeps its driver, so its user loses nothing.
        assert!(Plan::bind(&tree.root, KINDS, address(), "vfio-pci").is_ok());
    }
}
