//! The conformance suite sees each rule that is broken: for every rule that can be observed, an
//! interposer (`tests/breaker`) breaks it in a provider that keeps all of them
//! (`userspace/conform/tests/whole.c`).
//!
//! `tests/RESULTS.md` has the matrix. `make conform-matrix` writes it. The test runs it again: each
//! breaker is found by its rule, and by no rule that is not listed as implied.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use ringback_conform::report::Report;
use ringback_conform::rules::{ALL, Verdict, judge};

use crate::conform::{built, compiled};

/// How many breakers run at a time. They wait most of the time.
const AT_A_TIME: usize = 6;
/// The far end of the good provider: files that it looks for.
const FAR: &str = "touch \"$WHOLE_DOOR/$RINGBACK_FAR.$PPID\"";

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The report on the good provider behind the interposer, which breaks this rule, or none.
fn found(folder: &Path, breaker: &Path, rule: &str) -> Report {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ringback"));
    program.args(["conform", "--json", "--patience", "2", "--far", FAR]).arg(breaker);
    program.env("RINGBACK_BREAKER_PROVIDER", folder.join("provider.so"));
    program.env("RINGBACK_BREAKER_RULE", rule).env("WHOLE_DOOR", folder);
    let output = program.output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{rule}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The rules that were found broken, by the rule that was broken.
fn matrix() -> BTreeMap<&'static str, BTreeSet<String>> {
    let folder = tempfile::tempdir().unwrap();
    compiled(folder.path(), "conform/tests/whole.c", &[]);
    let breaker = built("libringback_breaker.so");
    let whole = found(folder.path(), &breaker, "");
    assert!(whole.counts().broken == 0 && whole.counts().not_exercised == 0, "{whole}");
    let waiting = Mutex::new(ALL.iter().filter(|rule| rule.is_observable()));
    let matrix = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let Some(rule) = waiting.lock().unwrap().next() else { return };
                    let report = found(folder.path(), &breaker, rule.key);
                    let broken = report.broken().map(str::to_owned).collect();
                    matrix.lock().unwrap().insert(rule.key, broken);
                }
            });
        }
    });
    matrix.into_inner().unwrap()
}

/// The rules that are found beside the one that was broken, as the file has them.
fn listed(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let rows = text.lines().filter(|line| line.starts_with("| ") && line.matches('|').count() == 5);
    rows.filter_map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        ALL.iter().find(|rule| rule.key == cells[0])?;
        let implied = cells[2].split(", ").filter(|key| !key.is_empty());
        Some((cells[0].to_owned(), implied.map(str::to_owned).collect()))
    })
    .collect()
}

/// The file, whose part before the rules is written by hand.
fn text(matrix: &BTreeMap<&'static str, BTreeSet<String>>, before: &str) -> String {
    const RULES: &str = "## Rules and breakers\n\n";
    let by_hand = before.split(RULES).next().unwrap_or_default();
    let mut text = format!("{by_hand}{RULES}");
    let before = listed(before);
    text += "Made by `make conform-matrix`; do not edit. A provider that keeps every rule \
         (`userspace/conform/tests/whole.c`) is judged behind an interposer (`tests/breaker`) that \
         breaks one. Each rule that can be observed is found when it is broken. The column \
         \"implied\" lists other rules that are then found broken, because breaking the one \
         breaks or hides the other; all further rules are kept.\n\n\
         | broken | found | implied | what it says |\n| --- | --- | --- | --- |\n";
    for rule in ALL.iter().filter(|rule| rule.is_observable()) {
        let broken = &matrix[rule.key];
        let is_found = if broken.contains(rule.key) { "yes" } else { "NO" };
        let seen = broken.iter().filter(|key| *key != rule.key).cloned();
        // What depends on the machine's speed stays listed.
        let mut implied: BTreeSet<String> = seen.collect();
        implied.extend(before.get(rule.key).cloned().unwrap_or_default());
        let implied: Vec<_> = implied.into_iter().collect();
        let (key, says) = (rule.key, rule.says);
        writeln!(text, "| {key} | {is_found} | {} | {says} |", implied.join(", ")).unwrap();
    }
    text += "\n## Rules that can't be observed\n\n| rule | why not | what it says |\n";
    text += "| --- | --- | --- |\n";
    let header = ringback_conform::log::Header {
        format: ringback_conform::log::FORMAT,
        provider: String::new(),
        scenario: String::new(),
        seed: 0,
        missing: vec![],
        watched: vec![],
    };
    for (rule, verdict) in judge(&ringback_conform::log::Log::new(header)) {
        if let Verdict::NotObservable { reason } = verdict {
            writeln!(text, "| {} | {reason} | {} |", rule.key, rule.says).unwrap();
        }
    }
    text
}

#[test]
fn each_rule_that_is_broken_is_found_and_nothing_else_but_what_is_implied() {
    let matrix = matrix();
    let file = top().join("tests/RESULTS.md");
    let before = std::fs::read_to_string(&file).unwrap_or_default();
    if std::env::var_os("RINGBACK_WRITE_MATRIX").is_some() {
        std::fs::write(&file, text(&matrix, &before)).unwrap();
    }
    let listed = listed(&std::fs::read_to_string(&file).unwrap());
    assert_eq!(listed.len(), matrix.len(), "make conform-matrix");
    for (key, broken) in &matrix {
        assert!(broken.contains(*key), "{key} was broken, and only {broken:?} was found");
        let implied = &listed[*key];
        let more: Vec<_> = broken.iter().filter(|one| *one != key).collect();
        assert!(
            more.iter().all(|one| implied.contains(*one)),
            "{key} was broken, and {more:?} was found; implied is {implied:?}"
        );
    }
}
