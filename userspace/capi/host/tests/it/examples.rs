//! The examples of `userspace/examples`.

use std::path::PathBuf;
use std::process::Command;

use crate::installed::{Installed, SANITIZED, SHARED, run, top};

fn example(name: &str) -> PathBuf {
    top().join("userspace/examples").join(name)
}

#[test]
fn the_provider_in_c_is_dialled_under_sanitizers() {
    let installed = Installed::get();
    let dial = installed.compile(&example("dial.c"), "dial-sanitized", SANITIZED);
    let flags = [SANITIZED, SHARED].concat();
    let provider = installed.compile(&example("provider.c"), "provider-sanitized.so", &flags);
    let out = run(installed.command(dial).arg(provider).args(["0", "5550100"]));
    assert!(out.contains("state 0x100") && out.ends_with("answered\n"), "{out}");
}

#[test]
fn the_provider_in_c_is_clean_under_valgrind() {
    let installed = Installed::get();
    let dial = installed.compile(&example("dial.c"), "dial-plain", &[]);
    let provider = installed.compile(&example("provider.c"), "provider-plain.so", SHARED);
    let mut valgrind = installed.command("valgrind");
    valgrind.args(["--quiet", "--error-exitcode=9", "--leak-check=full"]);
    valgrind.args(["--errors-for-leak-kinds=definite"]).arg(dial).arg(provider);
    let out = run(valgrind.args(["0", "5550100"]));
    assert!(out.ends_with("answered\n"), "{out}");
}

#[test]
fn ringbacks_provider_dials_on_the_software_card() {
    let installed = Installed::get();
    let dial = installed.compile(&example("dial.c"), "dial-soft", SANITIZED);
    let mut call = installed.command(dial);
    call.env("RINGBACK_CARD", "soft").arg(installed.provider()).args(["3", "5550103"]);
    let out = run(&mut call);
    assert!(out.contains("state 0x100") && out.ends_with("answered\n"), "{out}");
}

#[test]
fn ringbacks_provider_says_that_no_card_is_named() {
    let installed = Installed::get();
    let dial = installed.compile(&example("dial.c"), "dial-nowhere", &[]);
    for (card, cause) in [(None, "RINGBACK_CARD names no card"), (Some("moon"), "moon")] {
        let mut call: Command = installed.command(&dial);
        call.envs(card.map(|card| ("RINGBACK_CARD", card)));
        let output = call.arg(installed.provider()).args(["3", "5550103"]).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains("libringback_tsp: ") && error.contains(cause), "{error}");
    }
}

#[test]
fn a_call_is_waited_for_in_python() {
    let installed = Installed::get();
    let mut python = installed.command("python3");
    python.arg(example("wait_for_call.py")).arg(installed.provider()).arg("2");
    let out = run(python.env("RINGBACK_CARD", "soft"));
    assert!(out.contains("a call from") && out.ends_with("answered\n"), "{out}");
}
