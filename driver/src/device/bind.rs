//! Which kernel driver holds a PCI card, and how that is changed.
//!
//! A change is planned first and carried out afterwards, so that a person can see it before. It goes
//! by `driver_override`, which concerns this one card and no other with the same ids.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::pci::PciAddress;
use super::sysfs::SysfsRoot;

/// Why a card's driver was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// No such card.
    #[error("there is no PCI device at {0}; `lspci -D` lists those there are")]
    NoDevice(PciAddress),
    /// The kernel does not have the driver at present.
    #[error("the kernel has no driver {0} loaded; `modprobe {0}` first")]
    NoDriver(String),
    /// The name can't be one of a driver.
    #[error("{0:?} is no name of a driver")]
    BadName(String),
    /// A step failed.
    #[error("writing to {} failed: {source}{}", path.display(), cure(source))]
    Step {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// All was done, and the driver still does not hold the card.
    #[error("{driver} did not take {address}; the kernel's log (dmesg) has the reason")]
    NotTaken {
        /// The card.
        address: PciAddress,
        /// The driver.
        driver: String,
    },
}

fn cure(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "; binding drivers needs root",
        _ => "",
    }
}

/// One write to a file below `/sys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The file.
    pub path: PathBuf,
    /// What is written.
    pub value: String,
    /// What that does.
    pub does: String,
}

/// What will be done to a card's driver. Nothing has happened yet.
#[derive(Debug, Clone)]
pub struct Plan {
    root: SysfsRoot,
    address: PciAddress,
    /// The driver that is to hold the card; `None` to leave it to the kernel.
    wanted: Option<String>,
    steps: Vec<Step>,
}

impl Plan {
    /// Has `driver` hold the card. Without steps if it does already.
    ///
    /// # Errors
    /// [`BindError`] if there is no such card or no such driver.
    pub fn bind(root: &SysfsRoot, address: PciAddress, driver: &str) -> Result<Plan, BindError> {
        if driver.is_empty() || driver.contains(['/', '\0', '\n']) || driver.starts_with('.') {
            return Err(BindError::BadName(driver.into()));
        }
        let mut plan = Plan::of(root, address, Some(driver.into()))?;
        let folder = root.sys("bus/pci/drivers").join(driver);
        if !folder.is_dir() {
            return Err(BindError::NoDriver(driver.into()));
        }
        let holder = plan.holder();
        if holder.as_deref() != Some(driver) {
            plan.hand_over(holder, driver, format!("let only {driver} take the card"));
        }
        Ok(plan)
    }

    /// Takes the card from whatever driver it was bound to by hand and leaves it to the one the
    /// kernel chooses, if there is one.
    ///
    /// # Errors
    /// [`BindError`] if there is no such card.
    pub fn release(root: &SysfsRoot, address: PciAddress) -> Result<Plan, BindError> {
        let mut plan = Plan::of(root, address, None)?;
        let holder = plan.holder();
        // A line end empties the override.
        plan.hand_over(holder, "\n", "let any driver take the card that fits".into());
        Ok(plan)
    }

    /// What carrying it out does, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Does it.
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
        address: PciAddress,
        wanted: Option<String>,
    ) -> Result<Plan, BindError> {
        let plan = Plan { root: root.clone(), address, wanted, steps: Vec::new() };
        if plan.folder().is_dir() { Ok(plan) } else { Err(BindError::NoDevice(address)) }
    }

    fn folder(&self) -> PathBuf {
        self.root.sys(self.address.folder())
    }

    fn holder(&self) -> Option<String> {
        self.address.driver(&self.root)
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

#[cfg(test)]
mod tests {
    use super::super::sysfs::made_up::Tree;
    use super::*;

    const ADDRESS: &str = "0000:05:00.0";
    const IDS: [&str; 5] = ["0xe159", "0x0001", "0xb100", "0x0003", "0x078000"];

    fn address() -> PciAddress {
        ADDRESS.parse().unwrap()
    }

    fn tree(driver: Option<&str>) -> Tree {
        let tree = Tree::new();
        tree.pci(ADDRESS, IDS, driver)
            .file("sys/bus/pci/drivers/vfio-pci/bind", "")
            .file("sys/bus/pci/drivers_probe", "")
            .file(&format!("sys/bus/pci/devices/{ADDRESS}/driver_override"), "(null)\n");
        tree
    }

    #[test]
    fn a_plan_says_what_it_does_and_does_nothing() {
        let tree = tree(Some("netjet"));
        let plan = Plan::bind(&tree.root, address(), "vfio-pci").unwrap();
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
        let plan = Plan::bind(&tree.root, address(), "vfio-pci").unwrap();
        // Files are written, but no kernel is behind them.
        assert!(matches!(plan.carry_out(), Err(BindError::NotTaken { .. })));
        assert_eq!(fs::read_to_string(&plan.steps()[0].path).unwrap(), "vfio-pci");
        assert_eq!(fs::read_to_string(&plan.steps()[1].path).unwrap(), ADDRESS);
        let release = Plan::release(&tree.root, address()).unwrap();
        release.carry_out().unwrap();
        assert_eq!(fs::read_to_string(&plan.steps()[0].path).unwrap(), "\n");
    }

    #[test]
    fn nothing_is_to_do_where_the_driver_has_the_card() {
        let tree = tree(Some("vfio-pci"));
        let plan = Plan::bind(&tree.root, address(), "vfio-pci").unwrap();
        assert!(plan.steps().is_empty());
        plan.carry_out().unwrap();
    }

    #[test]
    fn what_is_not_there_is_said() {
        let tree = tree(None);
        let other: PciAddress = "0000:06:00.0".parse().unwrap();
        let bind = |address, driver| Plan::bind(&tree.root, address, driver).unwrap_err();
        assert!(matches!(bind(other, "vfio-pci"), BindError::NoDevice(_)));
        assert!(bind(address(), "ringback").to_string().contains("modprobe ringback"));
        for name in ["", "../vfio-pci", "a\nb", "."] {
            assert!(matches!(bind(address(), name), BindError::BadName(_)));
        }
    }
}
