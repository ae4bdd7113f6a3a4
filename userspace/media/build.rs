//! Finds the system's spandsp and speexdsp with pkg-config, and names the package of one that is
//! missing.

use std::process::ExitCode;

/// Each library with the oldest version that will do, and its packages for Debian and for Fedora.
const LIBRARIES: [(&str, &str, &str, &str); 2] = [
    ("spandsp", "0.0.6", "libspandsp-dev", "spandsp-devel"),
    ("speexdsp", "1.2", "libspeexdsp-dev", "speexdsp-devel"),
];

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    for (name, version, debian, fedora) in LIBRARIES {
        if let Err(error) = pkg_config::Config::new().atleast_version(version).probe(name) {
            println!(
                "cargo::error={name} ({version} or newer) was not found: install {debian} (Debian, \
                 Ubuntu: apt-get install {debian} pkg-config; Fedora: dnf install {fedora})"
            );
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
