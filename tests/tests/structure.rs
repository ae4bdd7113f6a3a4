//! What ARCHITECTURE.md says of the structure, read off the sources.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// "No other source knows the tones of a country": they are data of `ringback-country` alone.
#[test]
fn no_other_source_knows_the_tones_of_a_country() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for folder in ["driver/src", "userspace"] {
        sources(&top.join(folder), &mut found);
    }
    assert!(found.len() > 200, "the sources are not where they are looked for");
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        // What is behind it are the unit tests.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let is_test = path.iter().any(|name| name == "tests" || name == "tests.rs");
        for made in ["Signal {", "Cadence::on_off(", "Cadence::double("] {
            assert!(
                is_test || !code.contains(made),
                "{} makes a {made} of its own",
                path.display()
            );
        }
    }
}

/// "`report!` is the only way to log in driver and lines": a subscriber is never told anything while
/// a card is held, and no panic of it reaches the reaper.
#[test]
fn the_log_is_reached_by_report_alone() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for folder in ["driver/src", "driver/request/src", "userspace/tspi/src"] {
        sources(&top.join(folder), &mut found);
    }
    assert!(found.len() > 150, "the sources are not where they are looked for");
    // Tests read the log.
    let is_test = |path: &Path| path.iter().any(|name| name == "tests" || name == "tests.rs");
    let inside = |path: &PathBuf| path.strip_prefix(&top).is_ok_and(|path| !is_test(path));
    for path in found.iter().filter(|path| inside(path) && !path.ends_with("report.rs")) {
        let text = fs::read_to_string(path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let place = format!("{}:{}", path.display(), number + 1);
            assert!(!code.contains("tracing::"), "{place} logs by itself: {line}");
        }
    }
}
