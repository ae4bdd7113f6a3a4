//! Reading `/sys`: small text files and links, under a root that tests can replace.
//!
//! Nothing that is read is trusted: a file may be missing, unreadable, endless or garbage, a link
//! may point nowhere or to itself. What can't be parsed is an error, or counts as absent.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The kernel gives a sysfs attribute one page.
const ATTRIBUTE: u64 = 4096;

/// Where `/sys`, `/dev` and `/proc` are.
#[derive(Debug, Clone)]
pub struct SysfsRoot {
    root: PathBuf,
}

impl SysfsRoot {
    /// Those of the running system.
    pub fn system() -> SysfsRoot {
        SysfsRoot::at("/")
    }

    /// `sys`, `dev` and `proc` in the folder `root`.
    pub fn at(root: impl Into<PathBuf>) -> SysfsRoot {
        SysfsRoot { root: root.into() }
    }

    /// Whether it is that of the running system.
    pub(super) fn is_system(&self) -> bool {
        self.root == Path::new("/")
    }

    /// A path below `/sys`.
    pub fn sys(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join("sys").join(relative)
    }

    /// A path below `/dev`.
    pub fn dev(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join("dev").join(relative)
    }

    /// A path below `/proc`.
    pub(super) fn proc(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join("proc").join(relative)
    }

    /// The numbers of all processes, in order.
    pub(super) fn processes(&self) -> Vec<String> {
        let names = fs::read_dir(self.proc("")).into_iter().flatten().flatten();
        let mut numbers: Vec<u32> =
            names.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        numbers.sort_unstable();
        numbers.iter().map(u32::to_string).collect()
    }

    /// The names in a folder below `/sys`, sorted; none if there is no such folder.
    pub(super) fn entries(&self, relative: impl AsRef<Path>) -> Vec<String> {
        let Ok(folder) = fs::read_dir(self.sys(relative)) else { return Vec::new() };
        let names = folder.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// The last part of where a link below `/sys` points to, e.g. a driver's name.
    pub(super) fn link_name(&self, relative: impl AsRef<Path>) -> Option<String> {
        let target = fs::read_link(self.sys(relative)).ok()?;
        Some(target.file_name()?.to_str()?.to_owned())
    }

    /// An attribute's text without the white space around it.
    pub(super) fn text(&self, relative: impl AsRef<Path>) -> Result<String, SysfsError> {
        let path = self.sys(relative);
        match read_attribute(&path) {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(source) => Err(SysfsError::Unreadable { path, source }),
        }
    }

    /// An attribute that is a number, hexadecimal with `0x` in front or decimal.
    pub(super) fn number(&self, relative: impl AsRef<Path>) -> Result<u64, SysfsError> {
        let text = self.text(&relative)?;
        let parsed = match text.strip_prefix("0x") {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                u64::from_str_radix(digits, 16).ok()
            }
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            _ => None,
        };
        parsed.ok_or_else(|| SysfsError::NotANumber { path: self.sys(relative), text })
    }

    /// As [`SysfsRoot::number`], for what is at most `T` wide.
    pub(super) fn small<T: TryFrom<u64>>(
        &self,
        relative: impl AsRef<Path>,
    ) -> Result<T, SysfsError> {
        let number = self.number(&relative)?;
        T::try_from(number).map_err(|_| SysfsError::NotANumber {
            path: self.sys(relative),
            text: format!("{number:#x}"),
        })
    }
}

fn read_attribute(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(ATTRIBUTE).read_to_string(&mut text)?;
    Ok(text)
}

/// Why a sysfs attribute could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SysfsError {
    /// Missing, unreadable, or not text.
    #[error("can't read {}: {source}", path.display())]
    Unreadable {
        /// The attribute's file below `/sys`.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
    /// Not a number, or one that is too large for what it counts.
    #[error("{} should be a number and is {text:?}", path.display())]
    NotANumber {
        /// The attribute's file below `/sys`.
        path: PathBuf,
        /// The text that the attribute has.
        text: String,
    },
}

impl SysfsError {
    /// Whether the attribute does not exist.
    pub(super) fn is_missing(&self) -> bool {
        matches!(
            self,
            SysfsError::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound
        )
    }
}

/// Made-up trees for tests.
#[cfg(test)]
pub(super) mod made_up {
    use std::fs;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::SysfsRoot;

    /// A folder with a `sys` and a `dev`, removed when dropped.
    pub struct Tree {
        folder: TempDir,
        pub root: SysfsRoot,
    }

    impl Tree {
        pub fn new() -> Tree {
            let folder = TempDir::new().unwrap();
            let root = SysfsRoot::at(folder.path());
            fs::create_dir(root.sys("")).unwrap();
            fs::create_dir(root.dev("")).unwrap();
            Tree { folder, root }
        }

        /// A file, by its path below the root.
        pub fn file(&self, path: &str, content: impl AsRef<[u8]>) -> &Tree {
            let path = self.folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
            self
        }

        /// A link, by its path below the root; only the last part of `target` means anything.
        pub fn link(&self, path: &str, target: &str) -> &Tree {
            let path = self.folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            symlink(target, path).unwrap();
            self
        }

        /// A PCI function with its ids; `driver` is bound to it.
        pub fn pci(&self, address: &str, ids: [&str; 5], driver: Option<&str>) -> &Tree {
            let at = |name| format!("sys/bus/pci/devices/{address}/{name}");
            let names = ["vendor", "device", "subsystem_vendor", "subsystem_device", "class"];
            for (name, id) in names.into_iter().zip(ids) {
                self.file(&at(name), format!("{id}\n"));
            }
            if let Some(driver) = driver {
                self.link(&at("driver"), &format!("../../../../bus/pci/drivers/{driver}"));
            }
            self
        }

        /// Puts a PCI function into an IOMMU group.
        pub fn group(&self, group: u32, address: &str) -> &Tree {
            let of = format!("../../../kernel/iommu_groups/{group}");
            self.link(&format!("sys/bus/pci/devices/{address}/iommu_group"), &of);
            let member = format!("sys/kernel/iommu_groups/{group}/devices/{address}");
            self.link(&member, &format!("../../../../bus/pci/devices/{address}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::made_up::Tree;
    use super::*;

    #[test]
    fn numbers_are_decimal_or_hexadecimal() {
        let tree = Tree::new();
        tree.file("sys/a", "0xe159\n").file("sys/b", "4096\n").file("sys/c", " 0 ");
        assert_eq!(tree.root.number("a").unwrap(), 0xE159);
        assert_eq!(tree.root.number("b").unwrap(), 4096);
        assert_eq!(tree.root.number("c").unwrap(), 0);
        assert_eq!(tree.root.small::<u16>("a").unwrap(), 0xE159);
        assert!(matches!(tree.root.small::<u8>("a"), Err(SysfsError::NotANumber { .. })));
    }

    #[test]
    fn what_is_no_number_is_an_error_that_shows_it() {
        let tree = Tree::new();
        let garbage = ["", "\n", "0x", "-1", "+1", "0x+1", "12 34", "e159", "0xg", "0x1_0"];
        let huge = ["18446744073709551616", "0x10000000000000000"];
        for text in garbage.into_iter().chain(huge) {
            tree.file("sys/n", text);
            let error = tree.root.number("n").unwrap_err();
            let shown = format!("{:?}", text.trim());
            assert!(error.to_string().contains(&shown), "{text:?}: {error}");
        }
    }

    #[test]
    fn unreadable_attributes_are_errors() {
        let tree = Tree::new();
        tree.link("sys/loop", "loop")
            .link("sys/nowhere", "not/there")
            .file("sys/bytes", [0xFF, 0xFE]);
        for name in ["missing", "nowhere", "loop", "bytes", ""] {
            let error = tree.root.text(name).unwrap_err();
            assert!(matches!(error, SysfsError::Unreadable { .. }), "{name}: {error}");
            assert_eq!(error.is_missing(), name == "missing" || name == "nowhere");
        }
        assert_eq!(tree.root.link_name("missing"), None);
        assert_eq!(tree.root.link_name("loop").as_deref(), Some("loop"));
        assert!(tree.root.entries("missing").is_empty());
        assert!(tree.root.entries("bytes").is_empty());
    }

    #[test]
    fn an_endless_attribute_is_cut_off() {
        let tree = Tree::new();
        tree.link("sys/endless", "/dev/zero");
        assert_eq!(tree.root.text("endless").unwrap().len() as u64, ATTRIBUTE);
        assert!(tree.root.number("endless").is_err());
    }

    #[test]
    fn entries_are_sorted() {
        let tree = Tree::new();
        tree.file("sys/d/b", "").file("sys/d/a", "").file("sys/d/c/x", "");
        assert_eq!(tree.root.entries("d"), ["a", "b", "c"]);
    }
}
