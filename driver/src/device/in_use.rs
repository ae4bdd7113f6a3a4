//! Which processes have a file of a PCI card open now, and whether the kernel itself uses it.
//!
//! A card must not be taken from its driver while it is used: a login on a serial line would be cut
//! off, and unbinding from vfio-pci blocks until the device is closed. Processes are found by
//! `/proc/PID/fd`, which only root can read for other users' processes; those that can't be read
//! are not reported.

use std::fs;
use std::path::Path;

use super::pci::PciAddress;
use super::sysfs::SysfsRoot;

/// How deep below a card's folder a serial port may be: controller and port are folders of their
/// own since Linux 6.6.
const PORT_DEPTH: usize = 2;

/// The users of the card, in words for a person: `ringback (process 1234, /dev/uio0)`.
pub fn users(root: &SysfsRoot, address: PciAddress) -> Vec<String> {
    let files = files(root, address);
    let consoles = root.text("class/tty/console/active").unwrap_or_default();
    let console = |file: &String| {
        let name = file.strip_prefix("/dev/")?;
        let is_one = consoles.split_whitespace().any(|console| console == name);
        is_one.then(|| format!("the kernel (its console is {file})"))
    };
    let mut users: Vec<String> = files.iter().filter_map(console).collect();
    if files.is_empty() {
        return users;
    }
    for process in root.processes() {
        let open = fs::read_dir(root.proc(&process).join("fd")).into_iter().flatten().flatten();
        let mut links = open.filter_map(|entry| fs::read_link(entry.path()).ok());
        if let Some(file) = links.find_map(|link| files.iter().find(|file| link == Path::new(file)))
        {
            let name = fs::read_to_string(root.proc(&process).join("comm")).unwrap_or_default();
            users.push(format!("{} (process {process}, {file})", name.trim()));
        }
    }
    users
}

/// The files below `/dev` that the card's present driver offers.
fn files(root: &SysfsRoot, address: PciAddress) -> Vec<String> {
    let folder = address.folder();
    let mut files = Vec::new();
    let mut add = |place: &str, prefix: &str| {
        let names = root.entries(folder.join(place));
        files.extend(names.into_iter().map(|name| format!("/dev/{prefix}{name}")));
    };
    add("uio", "");
    add("ringback", "");
    add("vfio-dev", "vfio/devices/");
    if address.driver(root).as_deref() == Some("vfio-pci") {
        let group = root.link_name(folder.join("iommu_group"));
        files.extend(group.map(|group| format!("/dev/vfio/{group}")));
    }
    terminals(root, &folder, PORT_DEPTH, &mut files);
    files
}

fn terminals(root: &SysfsRoot, folder: &Path, depth: usize, files: &mut Vec<String>) {
    let names = root.entries(folder.join("tty"));
    files.extend(names.into_iter().map(|name| format!("/dev/{name}")));
    let Some(own) = folder.file_name().and_then(|name| name.to_str()).filter(|_| depth > 0) else {
        return;
    };
    for entry in root.entries(folder) {
        // 0000:05:00.0:0, and 0000:05:00.0:0.0 in it.
        if entry.len() > own.len() && entry.starts_with(own) {
            terminals(root, &folder.join(entry), depth - 1, files);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sysfs::made_up::Tree;
    use super::*;

    const ADDRESS: &str = "0000:05:00.0";
    const IDS: [&str; 5] = ["0x1b36", "0x0002", "0x1af4", "0x1100", "0x070002"];

    fn of(tree: &Tree) -> Vec<String> {
        users(&tree.root, ADDRESS.parse().unwrap())
    }

    fn process(tree: &Tree, number: u32, name: &str, file: &str) {
        tree.file(&format!("proc/{number}/comm"), format!("{name}\n"));
        tree.link(&format!("proc/{number}/fd/0"), "/dev/null");
        tree.link(&format!("proc/{number}/fd/7"), file);
    }

    #[test]
    fn a_process_with_a_file_of_the_card_is_named() {
        let tree = Tree::new();
        tree.pci(ADDRESS, IDS, Some("vfio-pci")).group(7, ADDRESS);
        process(&tree, 12, "ringback", "/dev/vfio/8");
        assert_eq!(of(&tree), [""; 0]);
        process(&tree, 345, "ringback", "/dev/vfio/7");
        assert_eq!(of(&tree), ["ringback (process 345, /dev/vfio/7)"]);
    }

    #[test]
    fn files_of_every_driver_are_known() {
        let tree = Tree::new();
        let folder = format!("sys/bus/pci/devices/{ADDRESS}");
        tree.pci(ADDRESS, IDS, Some("ringback"));
        tree.file(&format!("{folder}/uio/uio3/name"), "ringback")
            .file(&format!("{folder}/ringback/ringback0p1/dev"), "240:1");
        process(&tree, 1, "a", "/dev/uio3");
        process(&tree, 2, "b", "/dev/ringback0p1");
        process(&tree, 3, "c", "/dev/uio31");
        assert_eq!(of(&tree), ["a (process 1, /dev/uio3)", "b (process 2, /dev/ringback0p1)"]);
    }

    #[test]
    fn serial_ports_are_found_wherever_the_kernel_has_them() {
        let folder = format!("sys/bus/pci/devices/{ADDRESS}");
        for place in ["", "/0000:05:00.0:0/0000:05:00.0:0.0"] {
            let tree = Tree::new();
            tree.pci(ADDRESS, IDS, Some("serial"));
            tree.file(&format!("{folder}{place}/tty/ttyS4/dev"), "4:68");
            process(&tree, 99, "pppd", "/dev/ttyS4");
            assert_eq!(of(&tree), ["pppd (process 99, /dev/ttyS4)"], "{place}");
            tree.file("sys/class/tty/console/active", "tty0 ttyS4\n");
            assert_eq!(of(&tree)[0], "the kernel (its console is /dev/ttyS4)");
        }
    }

    #[test]
    fn hostile_trees_are_survived() {
        let tree = Tree::new();
        let folder = format!("sys/bus/pci/devices/{ADDRESS}");
        tree.pci(ADDRESS, IDS, Some("serial"));
        tree.link(&format!("{folder}/{ADDRESS}:0"), ".")
            .file(&format!("{folder}/tty"), "no folder")
            .file("proc/12/fd", "no folder")
            .link("proc/13/fd", "fd")
            .file("proc/self/fd/0", "");
        assert_eq!(of(&tree), [""; 0]);
    }
}
