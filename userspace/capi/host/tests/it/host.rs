//! `libringback` with a C program that makes every mistake, and with two threads.

use std::path::PathBuf;

use crate::installed::{Installed, SANITIZED, SHARED, run, top};

fn source(name: &str) -> PathBuf {
    top().join("userspace/capi/host/tests/it").join(name)
}

/// How long threads use the providers, in seconds: `RINGBACK_STRESS_MINUTES`, or a few.
fn stress_seconds() -> String {
    let minutes = std::env::var("RINGBACK_STRESS_MINUTES").ok();
    let seconds = minutes.map(|minutes| 60 * minutes.parse::<u32>().expect("a number of minutes"));
    seconds.unwrap_or(3).to_string()
}

/// Each request completes exactly once and none before its return (C3, R4, G1), and nothing comes
/// after its call, line or host was closed (D2, D5), with two providers side by side whose lines
/// and calls are used by several threads, and a third that is restarted under load.
#[test]
fn two_providers_and_one_that_restarts_keep_the_contract_under_load() {
    let installed = Installed::get();
    let program = installed.compile(&source("stress.c"), "stress", SANITIZED);
    let mut stress = installed.command(program);
    stress.arg(stress_seconds()).arg(installed.provider());
    stress.arg(provider("stress-provider.so", SANITIZED));
    stress.arg(provider("stress-restarted.so", SANITIZED));
    let out = run(stress.env("RINGBACK_CARD", "soft"));
    assert_eq!(out.matches("completed once each").count(), 3, "{out}");
    println!("{out}");
}

/// The example, which completes on a thread of its own.
fn provider(name: &str, flags: &[&str]) -> PathBuf {
    let source = top().join("userspace/examples/provider.c");
    Installed::get().compile(&source, name, &[flags, SHARED].concat())
}

#[test]
fn wrong_use_returns_the_documented_error() {
    let installed = Installed::get();
    let program = installed.compile(&source("wrong.c"), "wrong", SANITIZED);
    run(installed.command(program).arg(provider("wrong-provider.so", SANITIZED)));
}

/// C3, R4, D10: the requests of a phone complete once with PHONE_REPLY, its hook switch and its
/// ringing are reported, and nothing comes after it was closed.
#[test]
fn a_telephone_is_a_phone_for_c_programs() {
    let installed = Installed::get();
    let program = installed.compile(&source("phone.c"), "phone", SANITIZED);
    let mut phone = installed.command(program);
    run(phone.arg(installed.provider()).env("RINGBACK_CARD", "soft"));
}

/// G1: of 40,000 completions that one thread gets while another makes the requests, none comes
/// before the function that made its request has returned.
#[test]
fn no_completion_comes_before_the_return_g1() {
    let installed = Installed::get();
    let program = installed.compile(&source("two_threads.c"), "two-threads", &["-O2"]);
    let out = run(installed.command(program).arg(provider("two-threads-provider.so", &["-O2"])));
    assert_eq!(out, "40000 completions, 0 before the return\n");
}
