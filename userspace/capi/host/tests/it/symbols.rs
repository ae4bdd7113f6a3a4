//! What the libraries export, and how they are found.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::installed::{built, install, run, top};

/// The functions that a library exports, by name.
fn exported(library: &str) -> Vec<String> {
    let mut nm = Command::new("nm");
    nm.args(["-D", "--defined-only", "--format=posix"]).arg(built().join(library));
    let names = run(&mut nm);
    let mut names: Vec<_> =
        names.lines().filter_map(|line| Some(line.split(' ').next()?.to_owned())).collect();
    names.sort();
    names
}

fn listed(file: &str) -> Vec<String> {
    let text = fs::read_to_string(top().join("userspace/capi").join(file)).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn the_libraries_export_what_is_listed_and_nothing_else() {
    assert_eq!(exported("libringback.so"), listed("host/symbols.txt"));
    assert_eq!(exported("libringback_tsp.so"), listed("tsp/symbols.txt"));
}

/// OMIT is not exported, and everything else is.
#[test]
fn the_provider_exports_what_the_verdict_says() {
    let table = fs::read_to_string(top().join("userspace/tspi/facts/verdict.tsv")).unwrap();
    let mut wanted: Vec<String> = table
        .lines()
        .skip(1)
        .filter(|row| !row.split('\t').any(|cell| cell == "OMIT"))
        .map(|row| row.split('\t').next().unwrap().to_owned())
        .collect();
    wanted.sort();
    assert_eq!(wanted.len(), 101);
    assert_eq!(exported("libringback_tsp.so"), wanted);
}

#[test]
fn installing_puts_everything_where_it_belongs() {
    let folder = tempfile::tempdir().unwrap();
    install(folder.path(), Path::new("/usr"));
    let usr = folder.path().join("usr");
    let pc = fs::read_to_string(usr.join("lib/pkgconfig/ringback.pc")).unwrap();
    assert!(pc.contains("prefix=/usr\n") && !pc.contains('@'), "{pc}");
    for header in ["ringback.h", "tspi.h"] {
        assert!(usr.join("include/ringback").join(header).exists(), "{header}");
    }
    for library in ["libringback.so", "libringback_tsp.so"] {
        let link = fs::read_link(usr.join("lib").join(library)).unwrap();
        let major = format!("{library}.{}", env!("CARGO_PKG_VERSION_MAJOR"));
        assert_eq!(link.to_str(), Some(major.as_str()));
        let mut readelf = Command::new("readelf");
        let dynamic = run(readelf.arg("-d").arg(usr.join("lib").join(&major)));
        assert!(dynamic.contains(&format!("[{major}]")), "SONAME: {dynamic}");
        assert!(dynamic.contains("NODELETE"), "its threads need its code: {dynamic}");
    }
}
