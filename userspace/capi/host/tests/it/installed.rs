//! The libraries, installed once by the Makefile, and programs made with what is installed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The top of the sources.
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().unwrap()
}

/// Where Cargo has put the libraries that the tests are about: beside the tests.
pub fn built() -> PathBuf {
    let folder = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    for library in ["libringback.so", "libringback_tsp.so"] {
        assert!(folder.join(library).exists(), "{library} is not in {}", folder.display());
    }
    folder
}

/// Runs a command, which has to succeed; what it prints.
pub fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}: {status}\n{out}\n{err}");
    out.into_owned()
}

/// `make install-built` with these places.
pub fn install(destdir: &Path, prefix: &Path) {
    let set = |name: &str, path: &Path| format!("{name}={}", path.display());
    let mut make = Command::new("make");
    make.current_dir(top()).args(["--silent", "install-built"]);
    make.arg(set("BUILT", &built())).arg(set("DESTDIR", destdir)).arg(set("PREFIX", prefix));
    // The flags of a make that runs the tests must not affect this one.
    make.env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
    run(&mut make);
}

/// What is installed for all tests of this program.
pub struct Installed {
    folder: tempfile::TempDir,
}

impl Installed {
    pub fn get() -> &'static Installed {
        static INSTALLED: OnceLock<Installed> = OnceLock::new();
        INSTALLED.get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            install(Path::new(""), folder.path());
            Installed { folder }
        })
    }

    fn library_path(&self) -> PathBuf {
        self.folder.path().join("lib")
    }

    /// What pkg-config says.
    pub fn pkg_config(&self, arguments: &[&str]) -> Vec<String> {
        let mut command = Command::new("pkg-config");
        command.args(arguments).env("PKG_CONFIG_PATH", self.library_path().join("pkgconfig"));
        run(&mut command).split_whitespace().map(str::to_owned).collect()
    }

    /// Ringback's own provider.
    pub fn provider(&self) -> String {
        self.pkg_config(&["--variable=provider", "ringback-tsp"]).remove(0)
    }

    /// Compiles a C program or, with `-shared` among the flags, a provider.
    pub fn compile(&self, source: &Path, name: &str, flags: &[&str]) -> PathBuf {
        let made = self.folder.path().join(name);
        let mut command = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
        command.args(["-std=gnu11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g", "-pthread"]);
        command.args(flags).args(self.pkg_config(&["--cflags", "ringback"]));
        command.arg(source).arg("-o").arg(&made);
        if !flags.contains(&"-shared") {
            command.args(self.pkg_config(&["--libs", "ringback"]));
        }
        run(&mut command);
        made
    }

    /// A command that finds the installed libraries, and no card.
    pub fn command(&self, program: impl Into<OsString>) -> Command {
        let mut command = Command::new(program.into());
        command.env("LD_LIBRARY_PATH", self.library_path()).env_remove("RINGBACK_CARD");
        command
    }
}

/// The compiler flags that check the C parts while they run.
pub const SANITIZED: &[&str] = &["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
/// The compiler flags that make a provider of a source.
pub const SHARED: &[&str] = &["-shared", "-fPIC"];
