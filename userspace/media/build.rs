//! Finds the system's spandsp with pkg-config, and if it is missing names the package to install.

use std::process::ExitCode;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    match pkg_config::Config::new().atleast_version("0.0.6").probe("spandsp") {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            println!(
                "cargo::error=spandsp (0.0.6 or newer) was not found: install libspandsp-dev \
                 (Debian, Ubuntu: apt-get install libspandsp-dev pkg-config; Fedora: dnf install \
                 spandsp-devel)"
            );
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
