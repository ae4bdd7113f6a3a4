//! Checks by the sources what ARCHITECTURE.md says of the structure.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[path = "structure/circles.rs"]
mod circles;

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

/// "`report!` is the only way to log in driver and lines": a subscriber never gets a line while a
/// card is held, and no panic of it reaches the reaper.
#[test]
fn the_log_is_reached_by_report_alone() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for folder in [
        "driver/src",
        "driver/request/src",
        "userspace/tspi/src",
        "userspace/lines/src",
        "userspace/provider/src",
        "userspace/host/src",
    ] {
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

/// What every module of the driver may use: it is in `ringback-request`, below all of them.
const EVERYBODYS: [&str; 5] = ["Time", "PortNumber", "report", "guard", "sync"];

/// The rows of ARCHITECTURE.md's table of imports: a module, and the modules that it may import.
fn arrows(top: &Path) -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(top.join("ARCHITECTURE.md")).unwrap();
    let table = text.split("| module | imports |").nth(1).expect("the table of imports");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let names = |cell: &str| {
        let quoted = cell.split('`').skip(1).step_by(2);
        quoted.map(str::to_owned).collect::<Vec<_>>()
    };
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split('|');
        let module = names(cells.next().unwrap_or_default()).remove(0);
        (module, names(cells.next().unwrap_or_default()))
    })
    .collect()
}

/// The code of a source: no comments, and nothing that only tests see.
fn code(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let lines: Vec<_> = lines.collect();
    let tests = |line: &&str| line.contains("cfg(test)") || line.contains("cfg(all(test");
    let mut kept = String::new();
    let mut rest = lines.as_slice();
    while let Some(at) = rest.iter().position(tests) {
        kept += &rest[..at].join("\n");
        // A whole module, which is the last thing in its file, or one item of one line.
        match rest.get(at + 1) {
            Some(next) if !next.ends_with('{') => rest = &rest[at + 2..],
            _ => return kept,
        }
    }
    kept + "\n" + &rest.join("\n")
}

/// The names that follow `crate::` anywhere in this code.
fn imported(code: &str) -> Vec<String> {
    let first = |path: &str| {
        let name = path.trim_start().split(|c: char| !c.is_alphanumeric() && c != '_');
        name.into_iter().next().unwrap_or_default().to_owned()
    };
    let mut found = Vec::new();
    for path in code.split("crate::").skip(1) {
        let Some(group) = path.strip_prefix('{') else {
            found.push(first(path));
            continue;
        };
        let (mut depth, mut start) = (0, true);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                c if start && !c.is_whitespace() => {
                    found.push(first(&group[at..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    found
}

/// How many modules `super::super::...` climbs at the most in this code.
fn climbs(code: &str) -> usize {
    let runs = code.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    runs.map(|run| run.matches("super::").count()).max().unwrap_or(0)
}

/// "In the driver they are these arrows and no others."
#[test]
fn imports_of_the_driver_go_one_way() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let arrows = arrows(&top);
    let modules = ["request", "device", "engine", "reactor", "card"];
    assert!(modules.iter().all(|module| arrows.contains_key(*module)), "{arrows:?}");

    let manifest = fs::read_to_string(top.join("driver/request/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap();
    // Tests may import anything.
    let (built, tests) = dependencies.split_once("[dev-dependencies]").unwrap();
    let tests = tests.split_once("\n[").unwrap();
    let built = [built, tests.1];
    assert!(!built.concat().contains("ringback-"), "`request` depends on nothing of ours");

    let folder = top.join("driver/src");
    let mut found = Vec::new();
    sources(&folder, &mut found);
    assert!(found.len() > 100, "the sources are not where they are looked for");
    let mut seen = 0;
    for path in found {
        let inside = path.strip_prefix(&folder).unwrap();
        let names: Vec<_> = inside.iter().map(|name| name.to_string_lossy()).collect();
        let module = names[0].trim_end_matches(".rs");
        if names.iter().any(|name| name == "tests" || name == "tests.rs" || name == "model") {
            continue;
        }
        let Some(allowed) = arrows.get(module) else { continue };
        let code = code(&fs::read_to_string(&path).unwrap());
        for name in imported(&code) {
            seen += 1;
            let known = name == module || EVERYBODYS.contains(&name.as_str());
            assert!(
                known || allowed.contains(&name),
                "{}: `{module}` imports `{name}`, which ARCHITECTURE.md does not allow",
                path.display()
            );
        }
        // `mod.rs` is its folder's module; in a module inside of a file there is one more.
        let inline = code.lines().any(|line| line.contains("mod ") && line.ends_with('{'));
        let depth = names.len() - usize::from(names.last().is_some_and(|name| name == "mod.rs"));
        assert!(
            climbs(&code) < depth + usize::from(inline),
            "{}: `super` leaves `{module}`; write `crate`, so that the arrow is seen",
            path.display()
        );
    }
    assert!(seen > 150, "only {seen} imports were found");
}

/// "Between crates ... the same test compares this table with the manifests."
#[test]
fn crates_depend_on_each_other_as_the_table_says() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(top.join("ARCHITECTURE.md")).unwrap();
    let table = text.split("| crate | in | depends on |").nth(1).expect("the table of crates");
    let rows: Vec<_> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() >= 9, "{rows:?}");
    for row in rows {
        let quoted: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        let [name, folder, allowed @ ..] = quoted.as_slice() else { panic!("{row}") };
        let manifest = fs::read_to_string(top.join(folder).join("Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{folder} is not {name}");
        let dependencies = manifest.split("\n[dependencies]\n").nth(1).unwrap();
        let dependencies = dependencies.split("\n[").next().unwrap();
        let ours = dependencies.lines().filter_map(|line| line.strip_prefix("ringback-"));
        let mut ours: Vec<_> = ours.map(|line| line.split(['.', ' ']).next().unwrap()).collect();
        let mut allowed = allowed.to_vec();
        ours.sort_unstable();
        allowed.sort_unstable();
        assert_eq!(ours, allowed, "{name} depends on others than ARCHITECTURE.md says");
    }
}

/// "A host builds without driver, io_uring and spandsp, which a test does."
#[test]
fn the_host_builds_without_driver_ring_and_tone_detector() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = |arguments: &[&str]| {
        let run = Command::new(env!("CARGO")).args(arguments).current_dir(&top).output().unwrap();
        let text = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(run.status.success(), "cargo {arguments:?}: {text}");
        String::from_utf8(run.stdout).unwrap()
    };
    let package = ["--locked", "--offline", "-p", "ringback-host"];
    let tree = cargo(&[&["tree", "-e", "normal,build", "--prefix", "none"], &package[..]].concat());
    assert!(tree.contains("ringback-tspi"), "{tree}");
    for without in ["ringback-driver", "ringback-media", "ringback-softcard", "io-uring"] {
        assert!(!tree.contains(without), "the host brings {without}");
    }
    let target = top.join("target").join("host-alone");
    let target = target.to_string_lossy();
    cargo(&[&["check", "--quiet", "--target-dir", &target], &package[..]].concat());
    // And the program without the benchmark, as packages have it.
    let package = ["--locked", "--offline", "-p", "ringback-cli", "--no-default-features"];
    let tree = cargo(&[&["tree", "-e", "normal,build", "--prefix", "none"], &package[..]].concat());
    assert!(tree.contains("ringback-host") && !tree.contains("ringback-bench"), "{tree}");
    // The gateway is a program of its own for this.
    for without in ["tokio", "rsipstack"] {
        assert!(!tree.contains(without), "the program brings {without}");
    }
    cargo(&[&["check", "--quiet", "--target-dir", &target], &package[..]].concat());
}

/// "A line of a Rust source has at most 100 columns": rustfmt leaves comments, tables and long
/// strings as they are.
#[test]
fn no_line_has_more_than_a_hundred_columns() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for folder in ["driver", "userspace", "tests"] {
        sources(&top.join(folder), &mut found);
    }
    let mut long = Vec::new();
    let mut seen = 0;
    for path in found {
        let inside = path.strip_prefix(&top).unwrap();
        // Crates outside of the workspace have their own folder of what Cargo makes.
        if inside.iter().any(|name| name == "target") {
            continue;
        }
        seen += 1;
        for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            let columns = line.chars().count();
            if columns > 100 {
                long.push(format!("{}:{}: {columns} columns", inside.display(), number + 1));
            }
        }
    }
    assert!(seen > 500, "the sources are not where they are looked for");
    assert!(long.is_empty(), "lines with more than 100 columns:\n{}", long.join("\n"));
}

/// "The one place that reads CLOCK_MONOTONIC": what two parts of the system say of one moment can
/// be compared.
#[test]
fn one_source_reads_the_monotonic_clock() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for folder in ["driver", "userspace", "tests"] {
        sources(&top.join(folder), &mut found);
    }
    // Written in two parts, so that this source is not one of them.
    let reading = ["clock_gettime(ClockId::", "CLOCK_MONOTONIC)"].concat();
    found.retain(|path| fs::read_to_string(path).unwrap().contains(&reading));
    assert_eq!(found, [top.join("driver/request/src/time.rs")]);
}

/// "No two types of a crate have the same name."
#[test]
fn the_types_of_a_crate_have_names_of_their_own() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut seen = 0;
    for folder in [
        "driver/request/src",
        "driver/src",
        "userspace/tspi/src",
        "userspace/lines/src",
        "userspace/provider/src",
        "userspace/host/src",
        "userspace/conform/src",
        "userspace/media/src",
        "userspace/softcard/src",
        "userspace/cli/src",
        "userspace/gateway/src",
        "userspace/capi/host/src",
    ] {
        let folder = top.join(folder);
        let mut found = Vec::new();
        sources(&folder, &mut found);
        // The kinds of cards, and tones and digits, have modules with the same parts.
        let mut names: BTreeMap<(String, String), BTreeSet<PathBuf>> = BTreeMap::new();
        for path in found {
            let inside = path.strip_prefix(&folder).unwrap();
            let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
            let is_test = |part: &str| ["tests", "tests.rs", "model", "fake.rs"].contains(&part);
            if parts.iter().any(|part| is_test(part)) {
                continue;
            }
            let room = match &parts[..] {
                [card, kind, _, ..] if card == "card" => kind.to_string(),
                [kind, _] if kind == "dtmf" || kind == "tone" => kind.to_string(),
                _ => String::new(),
            };
            let code = code(&fs::read_to_string(&path).unwrap());
            for name in types(&code) {
                seen += 1;
                names.entry((room.clone(), name)).or_default().insert(inside.to_owned());
            }
        }
        names.retain(|_, files| files.len() > 1);
        assert!(names.is_empty(), "{}: {names:#?}", folder.display());
    }
    assert!(seen > 700, "only {seen} types were found");
}

/// The names of the types that are defined at the top of a source.
fn types(code: &str) -> Vec<String> {
    let defined = |line: &str| {
        if line.starts_with(' ') {
            return None;
        }
        let mut words = line.split([' ', '<', '(', '{', ';', ':']).filter(|word| !word.is_empty());
        let mut word = words.next()?;
        if word == "pub" {
            word = words.next()?;
            // What `pub` is restricted to.
            if matches!(word, "crate)" | "super)" | "in") {
                word = words.next()?;
            }
        }
        matches!(word, "struct" | "enum" | "trait").then(|| words.next().map(str::to_owned))?
    };
    code.lines().filter_map(defined).collect()
}

#[test]
fn imports_are_found_however_they_are_written() {
    let names = |code: &str| imported(code).join(" ");
    assert_eq!(names("use crate::engine::{Context, Engine};"), "engine");
    assert_eq!(names("use crate::{Time, device::{A, B}, reactor::C};"), "Time device reactor");
    assert_eq!(names("fn f(x: crate::card::X) -> crate::sync::Y {}"), "card sync");
    assert_eq!(climbs("use super::super::engine::X; super::f()"), 2);
    let text =
        "use crate::a;\n// crate::b\n#[cfg(test)]\nmod c;\nuse crate::d;\n#[cfg(test)]\nmod e {";
    assert_eq!(names(&code(text)), "a d");
}

/// The crate of a driver writer, which `make test` builds and runs, is the page's engine.
#[test]
fn the_engine_outside_is_the_guides_word_for_word() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(top.join("driver/GUIDE.md")).unwrap();
    let engine = page.split("```rust\n").nth(1).and_then(|block| block.split("```").next());
    let outside = top.join("tests/outside/driver-writer/src/sensor.rs");
    assert_eq!(engine, Some(fs::read_to_string(outside).unwrap().as_str()));
}

/// "The files of a crate import each other in no circle."
#[test]
fn files_import_each_other_in_no_circle() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    // The least numbers of files and of imports among them, to notice files that have moved.
    for (folder, least_files, least_imports) in [
        ("driver/src", 90, 250),
        ("userspace/host/src", 30, 90),
        ("userspace/provider/src", 15, 30),
        ("userspace/cli/src", 25, 75),
        ("userspace/gateway/src", 20, 50),
        ("userspace/lines/src", 30, 90),
        ("userspace/media/src", 10, 20),
        ("userspace/softcard/src", 45, 120),
    ] {
        let folder = top.join(folder);
        let (files, imports) = circles::size(&folder);
        assert!(
            files >= least_files && imports >= least_imports,
            "{folder:?}: {files} files, {imports}"
        );
        let circles = circles::circles(&folder);
        assert!(circles.is_empty(), "{}: {}", folder.display(), circles.join("\n"));
    }
}

#[test]
fn a_circle_is_found_though_the_root_hides_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("lib.rs", "mod a;\nmod b;\nmod c;\npub use a::{A, Other};\n");
    write("a.rs", "use super::b;\npub struct A(b::B);\npub struct Other;\n");
    write("b.rs", "pub struct B;\n");
    write("c/mod.rs", "mod d;\nuse crate::A;\npub use d::D;\n#[cfg(test)]\nmod tests {");
    write("c/d.rs", "// use super::C;\npub struct D(crate::b::B);\n#[cfg(test)]\nuse crate::A;\n");
    assert_eq!(circles::circles(folder.path()), [] as [&str; 0]);
    write("b.rs", "use crate::{c::{D}, c::d};\npub struct B;\n");
    assert_eq!(circles::circles(folder.path()), ["\n  b imports c/d\n  c/d imports b"]);
    write("b.rs", "fn f(a: super::A) {}\n");
    assert_eq!(circles::circles(folder.path()), ["\n  a imports b\n  b imports a"]);
    write("c/mod.rs", "mod d;\npub use d::D;\n");
    write("b.rs", "use crate::c;\npub struct B;\nfn f(d: c::D) {}\n");
    assert_eq!(circles::circles(folder.path()), ["\n  b imports c/d\n  c/d imports b"]);
}
