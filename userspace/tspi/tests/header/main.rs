//! The header that C programs include is what the tables make, and compilers agree with it about
//! every size and offset.
//!
//! `make header` writes it anew.

mod generate;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn include() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../capi/include")
}

#[test]
fn the_header_in_the_tree_is_what_the_tables_make() {
    let path = include().join("ringback/tspi.h");
    let made = generate::header();
    if std::env::var_os("RINGBACK_WRITE_HEADER").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let here = fs::read_to_string(&path).unwrap_or_default();
    let difference = here.lines().zip(made.lines()).position(|(here, made)| here != made);
    assert!(here == made, "line {difference:?} and following differ: run `make header`");
    let long = made.lines().find(|line| line.chars().count() > 100);
    assert_eq!(long, None, "a line of the header has more than 100 columns");
}

/// A compiler for C and one for C++, if they are there.
fn compilers() -> Vec<[&'static str; 2]> {
    let is_there = |name: &&str| {
        Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success())
    };
    let pairs = [["gcc", "g++"], ["clang", "clang++"]];
    let found: Vec<_> = pairs.into_iter().filter(|pair| pair.iter().all(is_there)).collect();
    assert!(!found.is_empty(), "neither gcc and g++ nor clang and clang++ are there");
    found
}

/// Compiles a source in every mode in which the headers are to work, without a warning.
fn compile_everywhere(source: &str, more: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("source.c");
    fs::write(&file, source).unwrap();
    for [c, cpp] in compilers() {
        let modes =
            [(c, "c", "c99"), (c, "c", "c11"), (cpp, "c++", "c++17"), (cpp, "c++", "c++20")];
        for (compiler, language, standard) in modes {
            let run = Command::new(compiler)
                .args(["-x", language, &format!("-std={standard}"), "-fsyntax-only"])
                .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror"])
                .args(more)
                .arg("-I")
                .arg(include())
                .arg(&file)
                .output()
                .unwrap();
            let errors = String::from_utf8_lossy(&run.stderr);
            assert!(run.status.success(), "{compiler} -std={standard} {more:?}: {errors}");
        }
    }
}

/// Every type, constant and function is used or declared once more, as its prototype says.
const USER: &str = "
#include <ringback/tspi.h>
#include <ringback/tspi.h>

LONG TSPIAPI TSPI_lineDrop(DRV_REQUESTID id, HDRVCALL call, LPCSTR info, DWORD size)
{
    LINECALLINFO memory;
    LINECALLQOSINFO quality;
    TUISPICREATEDIALOGINSTANCEPARAMS dialog;
    quality.dwKey = LINEQOSSTRUCT_KEY;
    quality.SetQOSServiceLevel.dwNumServiceLevelEntries = quality.dwKey == LINEQOSSTRUCT_KEY;
    dialog.dwSize = quality.SetQOSServiceLevel.dwNumServiceLevelEntries;
    size += dialog.dwSize;
    memory.dwTotalSize = sizeof memory + size;
    (void)info;
    if (call == NULL)
        return LINEERR_INVALCALLHANDLE;
    return memory.dwTotalSize < LINECALLSTATE_CONNECTED ? (LONG)id : LINEERR_OPERATIONFAILED;
}
";

#[test]
fn the_header_is_clean_in_every_mode() {
    compile_everywhere(USER, &[]);
    compile_everywhere(USER, &["-DRINGBACK_TSPI_NO_PROTOTYPES", "-Wno-missing-declarations"]);
}

#[test]
fn a_wide_character_is_wchar_t_where_that_has_two_bytes() {
    let source = "
#include <ringback/tspi.h>
LPCWSTR text(void);
LPCWSTR text(void) { return L\"5550100\"; }
";
    compile_everywhere(source, &["-fshort-wchar"]);
    let source = "
#include <ringback/tspi.h>
uint16_t unit(LPCWSTR text);
uint16_t unit(LPCWSTR text) { const uint16_t *first = text; return *first; }
";
    compile_everywhere(source, &[]);
}

#[test]
fn sources_with_prototypes_of_their_own_leave_ours_out() {
    let source = "
#define RINGBACK_TSPI_NO_PROTOTYPES
#include <ringback/tspi.h>
void TSPI_lineDrop(void);
";
    compile_everywhere(source, &[]);
}
