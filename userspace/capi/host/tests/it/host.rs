//! `libringback` with a C program that makes every mistake, and with two threads.

use std::path::PathBuf;

use crate::installed::{Installed, SANITIZED, SHARED, run, top};

fn source(name: &str) -> PathBuf {
    top().join("userspace/capi/host/tests/it").join(name)
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

/// G1: of 40,000 completions that one thread gets while another makes the requests, none comes
/// before the function that made its request has returned.
#[test]
fn no_completion_comes_before_the_return_g1() {
    let installed = Installed::get();
    let program = installed.compile(&source("two_threads.c"), "two-threads", &["-O2"]);
    let out = run(installed.command(program).arg(provider("two-threads-provider.so", &["-O2"])));
    assert_eq!(out, "40000 completions, 0 before the return\n");
}
