//! `ringback device`: which cards this machine has, and which kernel driver holds them.
//!
//! Rule: only `bind` and `release` change anything, and they change only what `--dry-run` prints.

use std::fmt::Display;

use clap::{Args, Subcommand, ValueEnum};
use ringback_driver::card::KINDS;
use ringback_driver::device::bind::{BindError, Plan};
use ringback_driver::device::confinement::Confinement;
use ringback_driver::device::discover::{Candidate, discover};
use ringback_driver::device::pci::{PciAddress, PciIds};
use ringback_driver::device::sysfs::SysfsRoot;
use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::output::{Colour, Output, note};
use crate::signals::Signals;

/// List the cards of this machine, and give them to the kernel driver that Ringback needs
///
/// Without a subcommand: list.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ringback device                                           what is there, and what it needs
  ringback device bind 0000:05:00.0 --to vfio-pci --dry-run
  ringback device bind 0000:05:00.0 --to vfio-pci           as root
  ringback device release 0000:05:00.0                      back to the kernel's own driver

Exit codes:
  0    done; with --dry-run: it could be tried
  1    not done (the message says why, and what to do)
  2    the command line is wrong: no such device, a driver that is not for it")]
pub(crate) struct Device {
    /// Print JSON objects, one per line, instead of text
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the cards: what they are, what holds them, what they need
    List,
    /// Bind a card to a kernel driver. Needs root
    Bind {
        /// The card, as `ringback device` and `lspci -D` show it
        address: PciAddress,
        /// The driver
        #[arg(long)]
        to: Driver,
        #[command(flatten)]
        how: How,
    },
    /// Undo bind: take the card from the driver, and let the kernel choose one. Needs root
    Release {
        /// The card, as `ringback device` and `lspci -D` show it
        address: PciAddress,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Debug, Args)]
struct How {
    /// Only print what would be written where, as shell commands
    #[arg(long)]
    dry_run: bool,
}

/// The kernel drivers through which Ringback can reach a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Driver {
    /// Any card, behind an IOMMU; no module of Ringback's is needed
    #[value(name = "vfio-pci")]
    Vfio,
    /// Cards that can mask their interrupt; not the TDM400P
    #[value(name = "uio_pci_generic")]
    UioPciGeneric,
    /// The TDM400P family, by Ringback's module
    #[value(name = "ringback")]
    Ringback,
}

impl Driver {
    fn name(self) -> &'static str {
        match self {
            Driver::Vfio => "vfio-pci",
            Driver::UioPciGeneric => "uio_pci_generic",
            Driver::Ringback => "ringback",
        }
    }
}

#[derive(Debug, Serialize)]
struct DeviceObject<'a> {
    event: &'static str,
    /// The value to give to `--card`.
    card: String,
    kind: String,
    /// The address on the PCI bus.
    address: Option<String>,
    ids: Option<Ids>,
    /// The kernel driver that holds the card.
    driver: Option<&'a str>,
    /// The number of its interrupt line, and the drivers that handle it.
    irq: Option<u32>,
    irq_users: &'a [String],
    iommu_group: Option<&'a str>,
    /// Whether an IOMMU confines the card to its own memory. Absent for a card that can't access
    /// memory by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    confined: Option<bool>,
    /// Whether only programs with CAP_SYS_RAWIO can open the card.
    privileged: bool,
    /// Whether the card can be used as it is.
    ready: bool,
    /// What has to be done before the card can be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    need: Option<&'a str>,
}

/// PCI ids, four hexadecimal digits each.
#[derive(Debug, Serialize)]
struct Ids {
    vendor: String,
    device: String,
    subsystem_vendor: String,
    subsystem_device: String,
}

/// One write of a plan, as JSON.
#[derive(Debug, Serialize)]
struct StepObject<'a> {
    event: &'static str,
    path: String,
    value: &'a str,
    does: &'a str,
}

/// How a change ended, as JSON.
#[derive(Debug, Serialize)]
struct Changed<'a> {
    event: &'static str,
    address: String,
    driver: Option<&'a str>,
    /// The value to give to `--card`, if Ringback can use the card now.
    card: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    need: Option<&'a str>,
}

impl Device {
    pub(crate) fn run(&self, signals: &Signals) -> Result<(), Failure> {
        let root = SysfsRoot::system();
        check(&root)?;
        let out = Output::new(self.json, signals);
        match &self.action {
            None | Some(Action::List) => list(&root, out),
            Some(Action::Bind { address, to, how }) => {
                let plan = Plan::bind(&root, KINDS, *address, to.name()).map_err(failure)?;
                change(&root, out, signals, *address, &plan, how.dry_run)
            }
            Some(Action::Release { address, how }) => {
                let plan = Plan::release(&root, KINDS, *address).map_err(failure)?;
                change(&root, out, signals, *address, &plan, how.dry_run)
            }
        }
    }
}

/// Without sysfs an empty list of cards would not mean that there is none.
fn check(root: &SysfsRoot) -> Result<(), Failure> {
    if root.sys("bus").is_dir() {
        return Ok(());
    }
    Err(Failure::failed(
        "/sys, where the kernel lists its cards, is not there: mount it (mount -t sysfs sysfs \
         /sys), or pass it into the container",
    ))
}

fn failure(error: BindError) -> Failure {
    let exit = match error {
        BindError::NoDevice(_) | BindError::Stranger(_) | BindError::Unsuited { .. } => Exit::Usage,
        _ => Exit::Failed,
    };
    Failure::new(exit, error)
}

fn list(root: &SysfsRoot, out: Output<'_>) -> Result<(), Failure> {
    let found = discover(root, KINDS);
    if found.is_empty() {
        note("there is no card in this machine that Ringback knows; --card soft needs none");
        return Ok(());
    }
    out.text(out.paint(Colour::Bold, columns("card", "kind", "driver", "irq", "group")))?;
    for card in &found {
        out.object(&object(card))?;
        out.text(row(card))?;
        out.text(match &card.need {
            None => out.paint(Colour::Good, "    ready".to_owned()),
            Some(need) => out.paint(Colour::Bad, format!("    {need}")),
        })?;
        if let Some(line) = confinement(card) {
            out.text(format_args!("    {line}"))?;
        }
    }
    Ok(())
}

/// Describes the card's access to memory, and the capability that its module requires because of
/// it.
fn confinement(card: &Candidate) -> Option<String> {
    let confinement = card.confinement.as_ref()?;
    Some(if card.privileged {
        format!(
            "{confinement}; the module gives it to root alone (CAP_SYS_RAWIO), until \
             /etc/modprobe.d/ringback.conf says: options ringback allow_unconfined=1"
        )
    } else {
        confinement.to_string()
    })
}

fn columns(card: impl Display, kind: &str, driver: &str, irq: &str, group: &str) -> String {
    // The columns are wide enough for PCI addresses; the UUIDs of mediated devices are longer.
    format!("{card:<18}  {kind:<27}  {driver:<15}  {irq:<4}  {group}")
}

fn row(card: &Candidate) -> String {
    let irq = card.irq.map_or_else(|| "-".to_owned(), |irq| irq.to_string());
    let kind = card.kind.to_string();
    let driver = card.driver.as_deref().unwrap_or("-");
    let mut row = columns(
        card.selector.to_string(),
        &kind,
        driver,
        &irq,
        card.group.as_deref().unwrap_or("-"),
    );
    let others = card.irq_users.iter().filter(|user| Some(*user) != card.driver.as_ref());
    let others: Vec<&str> = others.map(String::as_str).collect();
    if !others.is_empty() {
        row.push_str(&format!("  (interrupt shared with {})", others.join(", ")));
    }
    row
}

fn object(card: &Candidate) -> DeviceObject<'_> {
    DeviceObject {
        event: "device",
        card: card.selector.to_string(),
        kind: card.kind.to_string(),
        address: card.address.map(|address| address.to_string()),
        ids: card.ids.as_ref().map(ids),
        driver: card.driver.as_deref(),
        irq: card.irq,
        irq_users: &card.irq_users,
        iommu_group: card.group.as_deref(),
        confined: card.confinement.as_ref().map(Confinement::is_confined),
        privileged: card.privileged,
        ready: card.need.is_none(),
        need: card.need.as_deref(),
    }
}

fn ids(ids: &PciIds) -> Ids {
    let hex = |id: u16| format!("{id:04x}");
    Ids {
        vendor: hex(ids.vendor),
        device: hex(ids.device),
        subsystem_vendor: hex(ids.subsystem_vendor),
        subsystem_device: hex(ids.subsystem_device),
    }
}

/// Prints what the plan does, does it, and prints the result.
fn change(
    root: &SysfsRoot,
    out: Output<'_>,
    signals: &Signals,
    address: PciAddress,
    plan: &Plan,
    dry_run: bool,
) -> Result<(), Failure> {
    for step in plan.steps() {
        let path = step.path.display().to_string();
        let event = if dry_run { "would_write" } else { "writes" };
        let value = step.value.trim_end();
        out.object(&StepObject { event, path: path.clone(), value, does: &step.does })?;
        let echo = if value.is_empty() { "echo".to_owned() } else { format!("echo {value}") };
        let does = out.paint(Colour::Dim, format!("# {}", step.does));
        out.text(format_args!("{echo} > {path}  {does}"))?;
    }
    if dry_run {
        if plan.steps().is_empty() {
            out.text(format_args!(
                "nothing is to be done: {address} has the driver it should have"
            ))?;
        }
        return Ok(());
    }
    // A kernel driver may block the write until the card's user has closed it.
    let carried = plan.clone();
    signals.interruptible("bind", move || carried.carry_out())?.map_err(failure)?;
    let found = discover(root, KINDS).into_iter().find(|card| card.address == Some(address));
    let driver = found.as_ref().and_then(|card| card.driver.clone());
    let need = found.as_ref().and_then(|card| card.need.clone());
    let usable = found.as_ref().filter(|card| card.need.is_none());
    let card = usable.map(|card| card.selector.to_string());
    let holder = driver.as_deref().unwrap_or("no driver");
    out.text(match &card {
        Some(card) => format!("{address} is held by {holder}: use it with --card {card}"),
        None => format!("{address} is held by {holder}"),
    })?;
    let (address, driver, need) = (address.to_string(), driver.as_deref(), need.as_deref());
    if let Some(need) = need.filter(|_| plan.binds()) {
        note(format_args!("before it can be used: {need}"));
    }
    out.object(&Changed { event: "changed", address, driver, card, need })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;

    /// A machine with a card at 0000:05:00.0, in an IOMMU group with a network card.
    fn machine(folder: &Path, driver: Option<&str>) -> SysfsRoot {
        let put = |path: &str, text: &str| {
            let path = folder.join("sys").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let function = |address: &str, ids: [&str; 5]| {
            let names = ["vendor", "device", "subsystem_vendor", "subsystem_device", "class"];
            for (name, id) in names.into_iter().zip(ids) {
                put(&format!("bus/pci/devices/{address}/{name}"), id);
            }
            let at = folder.join(format!("sys/bus/pci/devices/{address}"));
            symlink("../../../../kernel/iommu_groups/7", at.join("iommu_group")).unwrap();
            put(&format!("kernel/iommu_groups/7/devices/{address}"), "");
            at
        };
        let card = function("0000:05:00.0", ["0xe159", "0x0001", "0xb100", "0x0003", "0x078000"]);
        put("bus/pci/devices/0000:05:00.0/irq", "16\n");
        put("kernel/irq/16/actions", "i801_smbus,netjet\n");
        put("bus/pci/devices/0000:05:00.0/driver_override", "(null)\n");
        put("bus/pci/drivers_probe", "");
        put("bus/pci/drivers/vfio-pci/bind", "");
        if let Some(driver) = driver {
            symlink(format!("../../drivers/{driver}"), card.join("driver")).unwrap();
        }
        let other = function("0000:05:01.0", ["0x8086", "0x100e", "0x1af4", "0x1100", "0x020000"]);
        symlink("../../drivers/e1000", other.join("driver")).unwrap();
        SysfsRoot::at(folder)
    }

    fn only(root: &SysfsRoot) -> Candidate {
        let mut found = discover(root, KINDS);
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    #[test]
    fn a_card_is_listed_with_all_that_matters_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let card = only(&machine(folder.path(), Some("netjet")));
        let text = row(&card);
        for part in
            ["pci:0000:05:00.0", "TDM400P", "netjet", " 16 ", " 7 ", "shared with i801_smbus"]
        {
            assert!(text.contains(part), "{text}");
        }
        let object = serde_json::to_value(object(&card)).unwrap();
        assert_eq!(object["card"], "pci:0000:05:00.0");
        assert_eq!(object["ids"]["subsystem_vendor"], "b100");
        assert_eq!((&object["irq"], &object["iommu_group"]), (&16.into(), &"7".into()));
        assert_eq!((&object["driver"], &object["ready"]), (&"netjet".into(), &false.into()));
        let need = object["need"].as_str().unwrap();
        assert!(need.contains("ringback device bind 0000:05:00.0 --to vfio-pci"), "{need}");
    }

    #[test]
    fn without_sysfs_the_error_is_not_that_there_is_no_card() {
        let folder = tempfile::tempdir().unwrap();
        let failure = check(&SysfsRoot::at(folder.path())).unwrap_err();
        assert!(failure.text.contains("mount -t sysfs"), "{failure}");
        assert_eq!(check(&machine(folder.path(), None)), Ok(()));
    }

    #[test]
    fn the_confinement_of_a_card_is_shown_with_its_meaning() {
        let folder = tempfile::tempdir().unwrap();
        let root = machine(folder.path(), Some("ringback"));
        let told = || {
            let card = only(&root);
            let object = serde_json::to_value(object(&card)).unwrap();
            (confinement(&card).unwrap(), object["confined"] == true, object["privileged"] == true)
        };
        let put = |path: &str, text: &str| {
            let path = folder.path().join("sys").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("kernel/iommu_groups/7/type", "identity\n");
        let (text, confined, privileged) = told();
        assert!(text.contains("not confined") && text.contains("allow_unconfined=1"), "{text}");
        assert_eq!((confined, privileged), (false, true));
        put("module/ringback/parameters/allow_unconfined", "Y\n");
        let (text, confined, privileged) = told();
        assert!(text.contains("not confined") && !text.contains("allow_unconfined"), "{text}");
        assert_eq!((confined, privileged), (false, false));
        put("kernel/iommu_groups/7/type", "DMA-FQ\n");
        let (text, confined, privileged) = told();
        assert!(
            text.contains("confined by IOMMU group 7") && text.contains("0000:05:01.0"),
            "{text}"
        );
        assert_eq!((confined, privileged), (true, false));
    }

    #[test]
    fn a_shared_group_is_shown_with_its_other_devices() {
        let folder = tempfile::tempdir().unwrap();
        let card = only(&machine(folder.path(), Some("vfio-pci")));
        let need = card.need.unwrap();
        assert!(need.contains("0000:05:01.0 (driver e1000)"), "{need}");
    }

    #[test]
    fn a_dry_run_writes_nothing_and_the_other_does() {
        let folder = tempfile::tempdir().unwrap();
        let root = machine(folder.path(), None);
        let address = "0000:05:00.0".parse().unwrap();
        let plan = Plan::bind(&root, KINDS, address, "vfio-pci").unwrap();
        let signals = Signals::default();
        let out = Output::new(true, &signals);
        let chosen = || fs::read_to_string(&plan.steps()[0].path).unwrap();
        change(&root, out, &signals, address, &plan, true).unwrap();
        assert_eq!(chosen(), "(null)\n");
        // These files are not a real sysfs, so that no driver binds the card.
        let failure = change(&root, out, &signals, address, &plan, false).unwrap_err();
        assert_eq!(chosen(), "vfio-pci");
        assert_eq!(failure.exit, Exit::Failed);
        assert!(failure.text.contains("dmesg") && failure.text.contains("release"), "{failure}");
    }

    #[test]
    fn what_can_not_be_has_its_own_exit_code() {
        let folder = tempfile::tempdir().unwrap();
        let root = machine(folder.path(), None);
        let exit = |address: &str, driver: &str| {
            failure(Plan::bind(&root, KINDS, address.parse().unwrap(), driver).unwrap_err()).exit
        };
        assert_eq!(exit("0000:06:00.0", "vfio-pci"), Exit::Usage, "there is none");
        assert_eq!(exit("0000:05:01.0", "ringback"), Exit::Usage, "a network card");
        assert_eq!(exit("0000:05:00.0", "uio_pci_generic"), Exit::Usage);
        assert_eq!(exit("0000:05:00.0", "ringback"), Exit::Failed, "it is not loaded");
    }
}
