//! Instructions of a guest with the module `uio_dummy`, counted by the lab's scenario `latency`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The text before the figure in the scenario's output.
const MARK: &str = "guest instructions against (a): ";

/// Runs the scenario, if this machine can.
///
/// # Errors
/// Why there is no figure, in a line.
pub fn instructions() -> Result<f64, String> {
    if !is_prepared() {
        return Err("the lab is not prepared; `make lab SCENARIO=latency` does that, once".into());
    }
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let console: PathBuf = tree.join("target/lab/latency-6.12/console.log");
    // Removes the output of an earlier run, so that it is not taken for this one's.
    if let Err(error) = fs::remove_file(&console)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(format!("{}: {error}", console.display()));
    }
    let output = Command::new(tree.join("tests/lab/run"))
        .args(["latency"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("the lab does not start: {error}"))?;
    let console = fs::read(&console).unwrap_or_default();
    figure(&String::from_utf8_lossy(&console)).ok_or_else(|| {
        let told = String::from_utf8_lossy(&output.stdout);
        let line = told.lines().find(|line| line.starts_with("FAIL")).unwrap_or("no result");
        format!("the lab: {line}")
    })
}

/// Returns whether the lab's files are there; fetching them would take longer than everything else.
fn is_prepared() -> bool {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let entries = cache.and_then(|cache| fs::read_dir(cache.join("ringback-lab")).ok());
    entries.is_some_and(|all| {
        all.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("root-"))
    })
}

/// Extracts the figure from the machine's output.
fn figure(console: &str) -> Option<f64> {
    console.lines().rev().find_map(|line| line.trim().strip_prefix(MARK)?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figure_is_found_among_what_a_machine_prints() {
        let console =
            "[    1.0] tsc\r\nguest instructions against (a): 1.03\r\n[    9.0] reboot\r\n";
        assert_eq!(figure(console), Some(1.03));
        assert_eq!(figure("run: ringback bench latency\r\n"), None);
    }
}
