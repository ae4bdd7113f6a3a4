//! `ringback conform`: providers in C, judged from outside.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use nix::sys::signal::Signal;
use ringback_conform::report::{Judged, Report};
use ringback_conform::rules::Verdict;

use crate::program::{Ended, LIMIT, Program, run};

/// Compiles a provider.
pub(crate) fn compiled(folder: &Path, source: &str, defines: &[&str]) -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let library = folder.join("provider.so");
    let mut compiler = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    compiler.args(["-std=c11", "-Wall", "-Werror", "-shared", "-fPIC", "-pthread", "-I"]);
    compiler.arg(top.join("capi/include")).args(defines).arg("-o").arg(&library);
    assert!(compiler.arg(top.join(source)).status().unwrap().success());
    library
}

/// A library that Cargo has put beside the tests.
pub(crate) fn built(name: &str) -> PathBuf {
    let library = std::env::current_exe().unwrap().with_file_name(name);
    assert!(library.exists(), "{} is not there", library.display());
    library
}

/// Runs it with a patience that fits what completes at once.
fn conform(folder: &Path, arguments: &str) -> Ended {
    run(&format!("conform --patience 2 {}/provider.so {arguments}", folder.display()))
}

fn report(ended: &Ended) -> Report {
    serde_json::from_str(&ended.lines.join("\n")).unwrap()
}

fn verdict<'r>(report: &'r Report, key: &str) -> &'r Judged {
    report.rules.iter().find(|judged| judged.key == key).unwrap()
}

#[test]
fn the_example_in_c_keeps_every_rule_and_its_logs_show_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    compiled(folder.path(), "examples/provider.c", &[]);
    let log = folder.path().join("provider.log");
    let first = conform(folder.path(), &format!("--json --log {}", log.display())).with(0);
    let found = report(&first);
    assert!(found.counts().kept > 35 && found.counts().broken == 0, "{found}");
    for key in ["T4", "R4", "R5", "C3", "C11", "B1", "N1", "N4", "D1", "D5", "D12", "V1", "X1"] {
        let verdict = &verdict(&found, key).verdict;
        assert!(matches!(verdict, Verdict::Kept { .. }), "{key}: {verdict:?}");
    }
    // It has no phones and no digits, and rules about them do not count as kept.
    for key in ["D10", "D17", "B7"] {
        assert_eq!(verdict(&found, key).verdict, Verdict::NotExercised, "{key}");
    }
    std::fs::remove_file(folder.path().join("provider.so")).unwrap();
    let again = run(&format!("conform --json --replay {}", log.display())).with(0);
    assert_eq!(again.lines, first.lines);
    // A log that exists is not written over.
    compiled(folder.path(), "examples/provider.c", &[]);
    conform(folder.path(), &format!("--log {}", log.display())).with(1);
}

#[test]
fn what_can_not_be_judged_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("provider.so");
    conform(folder.path(), "").with(1).says("No such file");
    std::fs::write(&file, "no library").unwrap();
    let ended = conform(folder.path(), "").with(1);
    assert!(ended.errors.contains("can't be loaded") && ended.errors.contains("see above"));
    conform(folder.path(), "--rule Q7").with(2).says("there is no rule");
    let ended = conform(folder.path(), "--scenario dance").with(2);
    assert!(ended.errors.contains("close-call, close-line"), "every name: {ended}");
    conform(folder.path(), "--jobs 0").with(2);
    run(&format!("conform --replay {}", file.display())).with(1).says("line 1");
    run("conform").with(2);
}

#[test]
fn a_signal_ends_it_and_its_processes() {
    let folder = tempfile::tempdir().unwrap();
    compiled(folder.path(), "examples/provider.c", &[]);
    let provider = format!("{}/provider.so", folder.path().display());
    let arguments = ["conform", "--seeds", "4000", &provider];
    let mut program = Program::start(arguments.map(str::to_owned).to_vec());
    std::thread::sleep(std::time::Duration::from_millis(500));
    let since = Instant::now();
    program.signal(Signal::SIGINT);
    program.end().with(130);
    assert!(since.elapsed() < LIMIT / 4);
}

/// Exactly the rules that a deviating provider breaks are found.
#[test]
fn ways_of_its_own_are_found_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    compiled(folder.path(), "conform/tests/wayward.c", &[]);
    let ended = conform(folder.path(), "--json").with(1);
    let found = report(&ended);
    let broken: Vec<_> = found.broken().collect();
    assert_eq!(broken, ["R1", "R2", "B1", "B3", "B4", "O3", "D15", "V1"], "{found}");
    assert!(ended.errors.contains("does not keep R1, R2, B1"), "{ended}");
    // Each finding names what the provider does.
    let text = conform(folder.path(), "--rule B1").with(1).text();
    assert!(text.contains("dest_address was accessed after that"), "{text}");
    let text = conform(folder.path(), "--rule V1").with(1).text();
    assert!(text.contains("it chose 0x20000"), "{text}");
}

/// A crash, an exit and a function that does not return end a scenario, not the suite.
#[test]
fn a_crash_and_an_exit_are_findings() {
    for (define, seen) in [
        ("-DCRASHES", "its process was ended by signal 11"),
        ("-DEXITS", "its process ended with code 3"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        compiled(folder.path(), "conform/tests/wayward.c", &[define]);
        let text = conform(folder.path(), "--rule X1").with(1).text();
        assert!(text.contains(seen), "{text}");
        assert!(text.contains("TSPI_lineGetNumAddressIDs was called"), "{text}");
    }
}

/// A provider that relies on LINETSPIOPTION_NONREENTRANT fails only under a host that ignores the
/// option. Otherwise it has no fault, because TAPI honours the option (G9).
#[test]
fn what_relies_on_one_function_at_a_time_is_shown_only_by_the_host_that_ignores_it() {
    let folder = tempfile::tempdir().unwrap();
    compiled(folder.path(), "conform/tests/wayward.c", &["-DRELIES"]);
    conform(folder.path(), "--rule X1 --scenario threads").with(0);
    conform(folder.path(), "--rule X1").with(0);
    let text = conform(folder.path(), "--rule X1 --scenario unserialised").with(1).text();
    assert!(text.contains("its process was ended by signal 6"), "{text}");
    compiled(folder.path(), "examples/provider.c", &[]);
    conform(folder.path(), "--scenario unserialised").with(0);
}

/// Ringback's own provider, on the software card.
#[test]
fn ringbacks_provider_keeps_every_rule() {
    let library = built("libringback_tsp.so");
    let mut program = Command::new(env!("CARGO_BIN_EXE_ringback"));
    program.args(["conform", "--json"]).arg(library).env("RINGBACK_CARD", "soft");
    let output = program.output().unwrap();
    let found: Report = serde_json::from_slice(&output.stdout).unwrap();
    assert!(found.counts().broken == 0 && found.counts().kept >= 48, "{found}");
    // Its telephones are phones: closing one completes what is outstanding.
    let phones = &verdict(&found, "D10").verdict;
    assert!(matches!(phones, Verdict::Kept { .. }), "{phones:?}");
    assert!(output.status.success());
}
