//! `ringback/ringback.h` in every mode, and against the functions.

use std::fs;
use std::process::Command;

use crate::installed::{run, top};

const USER: &str = "
#include <ringback/ringback.h>

int32_t begin(rb_host *host, rb_line *line);
int32_t begin(rb_host *host, rb_line *line)
{
    int32_t result = rb_host_open(\"/nowhere\", host);
    return result == 0 ? rb_line_open(*host, 0, line) : result;
}
";

#[test]
fn the_header_is_clean_in_every_mode() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("user.c");
    fs::write(&file, USER).unwrap();
    let there = |name: &&str| Command::new(name).arg("--version").output().is_ok();
    for pair in [["gcc", "g++"], ["clang", "clang++"]] {
        for (compiler, modes) in pair.into_iter().zip([["c99", "c11"], ["c++17", "c++20"]]) {
            if !there(&compiler) {
                assert_ne!(pair[0], "gcc", "the tests need gcc and g++");
                continue;
            }
            for mode in modes {
                let language = if mode.starts_with("c++") { "c++" } else { "c" };
                let mut compile = Command::new(compiler);
                compile.args(["-x", language, &format!("-std={mode}"), "-fsyntax-only"]);
                compile.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I"]);
                run(compile.arg(top().join("userspace/capi/include")).arg(&file));
            }
        }
    }
}

#[test]
fn the_header_declares_every_function() {
    let header = fs::read_to_string(top().join("userspace/capi/include/ringback/ringback.h"));
    let header = header.unwrap();
    let listed = fs::read_to_string(top().join("userspace/capi/host/symbols.txt")).unwrap();
    for name in listed.lines() {
        assert!(header.contains(&format!("{name}(")), "{name} is not in ringback.h");
    }
}
