//! Wrong input gets one clear sentence and the right exit code, and no card is opened.

use std::fs;
use std::process::Stdio;

use crate::program::{Program, limited, run};

/// Asserts that clap refuses the arguments: exit code 2, and the reason.
#[track_caller]
fn refused(arguments: &str, reason: &str) {
    let ended = run(arguments).with(2);
    assert!(ended.errors.starts_with("error: ") && ended.errors.contains(reason), "{ended}");
    assert!(ended.lines.is_empty());
}

#[test]
fn arguments_that_can_not_be_are_refused() {
    refused("call 2 555x --card soft", "'x', character 4 of the address");
    refused("call two 5550100 --card soft", "<LINE>");
    refused("call 2 555 --digits 12e --card soft", "'e', character 3");
    refused("call 2 555 --hangup-after soon --card soft", "write seconds");
    refused("call 2 555 --card usb:1", "\"usb:1\" is not a card");
    refused("answer 2 --timeout -1 --card soft", "-1");
    refused("lines --card soft --fault smoke", "no-power:SLOT");
    refused("lines --card soft --country atlantis", "GERMANY");
    refused("lines --card soft --modem-init X3", "begins with AT");
    refused("dance", "dance");
    refused("demo --card pci:0000:00:03.0", "--far <PATH>");
    refused("demo --far /dev/null", "--card <CARD>");
}

#[test]
fn a_line_that_is_not_there_is_answered_with_those_that_are() {
    let ended = run("call 9 5550100 --card soft").with(2);
    ended.says("soft has no line 9; there are 0 (FXS in slot 0), 1 (FXS in slot 1), 2 (FXO in");
}

/// Only the line can decide whether it supports a modifier: a modem can wait for a quiet answer, an
/// exchange line of the card can't detect one.
#[test]
fn a_number_that_waits_for_what_the_line_can_not_detect_is_refused() {
    let ended = run("call 2 55$5 --card soft").with(2);
    ended.says("can't dial \"55$5\"").says("billing tone");
    run("call 2 9@5 --card soft").with(2).says("quiet");
}

#[test]
fn a_fault_is_for_the_software_card() {
    run("lines --card uio:/dev/uio0 --fault removal").with(2).says("--card soft");
}

#[test]
fn commands_for_a_modem_are_for_modems() {
    run("lines --card soft --modem-init ATX3").with(2).says("soft is none: leave it out");
}

#[test]
fn the_demo_needs_a_control_socket_for_the_far_ends() {
    run("demo --card soft --far /dev/null").with(2).says("in this process");
    let ended = run("demo --card pci:ffff:ff:1f.7 --far /nowhere/far").with(1);
    ended.says("/nowhere/far: No such file");
}

#[test]
fn files_are_looked_at_before_the_card() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("text.wav"), "no sound at all").unwrap();
    let play =
        |file: &str| run(&format!("call 2 5550100 --card soft --play {}", path(file))).with(1);
    play("none.wav").says("none.wav: No such file");
    play("text.wav").says("text.wav is not a WAV file");
    let record = format!("answer 2 --card soft --record {}", path("no/folder.wav"));
    run(&record).with(1).says("folder.wav: No such file");
}

#[test]
fn a_card_that_is_not_there_is_reported_with_the_cure() {
    let ended = run("lines --card uio:/dev/uio4294967295").with(1);
    ended.says("uio:/dev/uio4294967295: there is no /dev/uio4294967295");
    run("call 0 1 --card pci:ffff:ff:1f.7").with(1).says("pci:ffff:ff:1f.7: ");
    run("lines --card soft --fault removal")
        .with(7)
        .says("every register of the card reads as ones");
}

#[test]
fn a_card_that_is_gone_from_the_start_is_7() {
    for fault in ["master-abort", "target-abort", "removal"] {
        for command in ["call 2 5550100", "answer 2", "lines", "monitor"] {
            let ended = run(&format!("{command} --card soft --fault {fault}")).with(7);
            assert!(ended.errors.contains("gone"), "{ended}");
        }
    }
}

#[test]
fn a_card_without_a_line_that_works_is_a_failure() {
    let faults =
        "--fault no-power:0 --fault no-power:1 --fault no-iso-link:2 --fault no-iso-link:3";
    run(&format!("lines --card soft {faults}")).with(1).says("there is no working module");
    // These faults make bringing the card up fail.
    let ended = run("lines --card soft --fault master-abort").with(7);
    assert_eq!(ended.lines.len(), 5, "the table is printed nevertheless: {ended}");
}

#[test]
fn a_hundred_descriptors_are_enough_and_too_few_are_reported_with_the_cure() {
    limited("--nofile=100", "lines --card soft").end().with(0);
    for limit in 4..=8 {
        let ended = limited(&format!("--nofile={limit}"), "lines --card soft").end();
        ended.with(1).says("ulimit -n");
    }
}

/// Each start of a thread fails once, for want of memory for its stack, while there is memory for
/// everything else: stacks are so large that a limit of memory decides how many threads there are.
#[test]
fn without_a_thread_it_says_so_and_does_not_panic() {
    const STACK: u64 = 256 << 20;
    const ELSE: u64 = 128 << 20;
    for threads in 0.. {
        let limit = format!("--as={}", threads * STACK + ELSE);
        let stack = format!("RUST_MIN_STACK={STACK}");
        let before = ["env", &stack, "MALLOC_ARENA_MAX=1", "prlimit", &limit];
        let before = before.map(str::to_owned).to_vec();
        let arguments = ["lines", "--card", "soft"].map(str::to_owned).to_vec();
        let ended = Program::start_after(before, arguments, Stdio::null()).end();
        if ended.code == Some(0) {
            assert!(threads > 1, "the clock and the reaper are threads");
            break;
        }
        assert!(ended.errors.contains("thread"), "with {threads} threads: {ended}");
    }
}

#[test]
fn an_international_number_is_refused_by_its_plus() {
    let arguments = ["call", "2", "+1 555-0100", "--card", "soft"].map(str::to_owned).into();
    let ended = Program::start(arguments).end().with(2);
    assert!(ended.errors.contains("'+', character 1"), "{ended}");
}

#[test]
fn names_of_others_do_not_command_the_terminal() {
    let escape = "\u{1b}]0;mine\u{7}\u{9b}31m";
    let call = |more: [&str; 2]| {
        let arguments = ["call", "2", "--card", "soft"].into_iter().chain(more);
        Program::start(arguments.map(str::to_owned).collect()).end()
    };
    let name = format!("5550101^{escape}");
    let file = format!("--play={escape}.wav");
    for ended in [call([&name, "-v"]), call(["5550101", &file]), call([escape, "-v"])] {
        let all = format!("{}{}", ended.text(), ended.errors);
        let harmful = |c: char| c.is_control() && c != '\n';
        assert!(!all.contains(harmful) && all.contains("\\u{1b}"), "{all:?}");
    }
}

#[test]
fn without_a_card_the_software_card_is_used_and_named() {
    let ended = run("lines").with(0);
    assert!(ended.errors.starts_with("ringback: no --card: using the software card"), "{ended}");
    assert_eq!(run("lines --card soft").with(0).errors, "");
}

#[test]
fn devices_are_listed_and_none_is_bound_that_is_not_there() {
    let listed = run("device --json").with(0).objects();
    assert!(listed.iter().all(|device| device["event"] == "device"), "{listed:?}");
    run("device list").with(0);
    let bind = "device bind ffff:ff:1f.7 --to vfio-pci";
    run(bind).with(2).says("there is no PCI device at ffff:ff:1f.7; `lspci -D` lists");
    run("device release ffff:ff:1f.7 --dry-run").with(2).says("no PCI device");
    refused("device bind 05:00 --to vfio-pci", "not a PCI address");
    refused("device bind 0000:05:00.0 --to netjet", "vfio-pci, uio_pci_generic, ringback");
    refused("device bind 0000:05:00.0", "--to");
}

#[test]
fn help_and_version_are_there() {
    let version = run("--version").with(0).text();
    assert_eq!(version, concat!("ringback ", env!("CARGO_PKG_VERSION")));
    let help = run("call --help").with(0).text();
    for part in ["Examples:", "Exit codes:", "  7    the card is gone", "5550101      is busy"] {
        assert!(help.contains(part), "{part}");
    }
    assert!(run("demo --help").with(0).text().contains("The last line is the summary"));
}

#[test]
fn more_is_said_on_stderr_when_asked() {
    let ended = run("lines -vv --card soft --fault no-power:0").with(0);
    assert!(ended.errors.contains("a module does not work"), "{ended}");
    assert!(!ended.errors.contains('\x1b'), "no colours without a terminal");
}

#[test]
fn arguments_that_are_not_text_are_no_panic() {
    let ended = Program::start(vec!["call".into(), "2".into(), "\u{1F4DE}".into()]).end().with(2);
    assert!(ended.errors.contains("character 1 of the address"), "{ended}");
}

/// The gateway is a program of its own, which `ringback gateway` becomes: here a script.
#[test]
fn the_gateway_is_the_program_beside_this_one() {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("ringback");
    fs::copy(env!("CARGO_BIN_EXE_ringback"), &program).unwrap();
    let run = |arguments: &[&str]| {
        Command::new(&program).arg("gateway").args(arguments).output().unwrap()
    };
    let missing = run(&[]);
    assert_eq!(missing.status.code(), Some(1));
    let text = String::from_utf8(missing.stderr).unwrap();
    assert!(text.contains("ringback-gateway is not installed: `make build`"), "{text}");
    let gateway = folder.path().join("ringback-gateway");
    fs::write(&gateway, "#!/bin/sh\nprintf '%s.' \"$@\"; exit 42\n").unwrap();
    fs::set_permissions(&gateway, fs::Permissions::from_mode(0o755)).unwrap();
    let became = run(&["--check", "--help", "-v", "a b"]);
    assert_eq!(became.status.code(), Some(42));
    assert_eq!(String::from_utf8(became.stdout).unwrap(), "--check.--help.-v.a b.");
}
