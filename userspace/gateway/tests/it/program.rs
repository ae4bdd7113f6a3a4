//! The program from outside: its configuration, exit codes and signals.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::site::DEADLINE;

const PROGRAM: &str = env!("CARGO_BIN_EXE_ringback-gateway");
pub const RIGHT: &str = "[sip]\nlisten = '127.0.0.1:0'\n[[card]]\ndevice = 'soft'\n[line.2]\n\
                     trunk = 'sip:127.0.0.1:9'\n";

fn file(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn run(text: &str, arguments: &[&str]) -> Output {
    let (_folder, path) = file(text);
    Command::new(PROGRAM).args(arguments).arg(path).output().unwrap()
}

/// What a run that fails prints, and its exit code.
fn failure(text: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = run(text, arguments);
    assert!(stdout.is_empty(), "{}", String::from_utf8_lossy(&stdout));
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn check_says_whether_the_configuration_is_right_and_opens_nothing() {
    let Output { status, stdout, stderr } = run(RIGHT, &["--check"]);
    assert_eq!((status.code(), &*stderr), (Some(0), &[][..]));
    let text = String::from_utf8(stdout).unwrap();
    assert!(text.ends_with("gateway.toml is right; it has lines 2\n"), "{text}");
    // There is no such card.
    let absent = RIGHT.replace("soft", "shim:/dev/uio77");
    assert_eq!(run(&absent, &["--check"]).status.code(), Some(0));
    let (code, text) = failure(&RIGHT.replace("sip:", "tel:"), &["--check"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("line 6, column 9") && text.contains("write sip:HOST"), "{text}");
    let (code, text) = failure(&format!("{RIGHT}hunt = 'up'\n"), &["--check"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("line 7, column 1") && text.contains("unknown field"), "{text}");
    let (code, text) = failure("[sip]\nlisten = '\u{1b}[31m'\n", &["--check"]);
    assert!(code == Some(2) && !text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn its_man_page_is_made_of_its_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new(PROGRAM).arg("--manual").arg(folder.path()).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let page = std::fs::read_to_string(folder.path().join("ringback-gateway.1")).unwrap();
    assert!(page.contains("\n.TH ringback-gateway 1 ") && page.contains("\\-\\-check"), "{page}");
    assert!(page.contains("\n  trunk = \"sip:127.0.0.1:5070\"\n"), "{page}");
    assert!(!page.contains("manual\\fR"), "{page}");
}

#[test]
fn what_can_not_be_started_is_told_with_its_cause() {
    let telephone = format!("{RIGHT}[line.0]\ntrunk = 'sip:127.0.0.1'\nanswer = 'polarity'\n");
    let (code, text) = failure(&telephone, &[]);
    assert_eq!(code, Some(2));
    assert!(text.contains("[line.0]: answer and silence are for lines of an exchange"), "{text}");
    let (code, text) = failure(&RIGHT.replace("line.2", "line.9"), &[]);
    assert!(code == Some(2) && text.contains("no such line, only 0 (FXS)"), "{text}");
    let (code, text) = failure(&RIGHT.replace("soft", "shim:/dev/uio77"), &[]);
    assert!(code.is_some_and(|code| [1, 7].contains(&code)), "{text}");
    assert!(text.contains("shim:/dev/uio77"), "{text}");
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    let (code, text) = failure(&RIGHT.replace("127.0.0.1:0", &port), &[]);
    assert!(code == Some(1) && text.contains("another program may have the port"), "{text}");
    let missing = Command::new(PROGRAM).arg("/nowhere/gateway.toml").output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
}

/// Starts it, and waits until it serves.
pub fn start(text: &str) -> (Child, TempDir, BufReader<std::process::ChildStderr>) {
    start_with(text, &[])
}

/// The same, with variables of the environment.
fn start_with(
    text: &str,
    variables: &[(&str, &str)],
) -> (Child, TempDir, BufReader<std::process::ChildStderr>) {
    let (folder, path) = file(text);
    let mut child = Command::new(PROGRAM)
        .args(["-v", &path])
        .envs(variables.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("SIP on 127.0.0.1:") {
        line.clear();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "it has ended");
    }
    (child, folder, lines)
}

#[test]
fn signals_end_it_in_order() {
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130)] {
        let (mut child, _folder, _lines) = start(RIGHT);
        kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}");
    }
}

#[test]
fn systemd_is_told_that_it_serves_lives_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let systemd = UnixDatagram::bind(&path).unwrap();
    systemd.set_read_timeout(Some(DEADLINE)).unwrap();
    let variables = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "200000")];
    let (mut child, _folder, _lines) = start_with(RIGHT, &variables);
    let told = || {
        let mut datagram = [0; 200];
        let len = systemd.recv(&mut datagram).unwrap();
        String::from_utf8(datagram[..len].to_vec()).unwrap()
    };
    assert_eq!(told(), "READY=1");
    assert_eq!((told(), told()), ("WATCHDOG=1".to_owned(), "WATCHDOG=1".to_owned()));
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
    let mut last = told();
    while last == "WATCHDOG=1" {
        last = told();
    }
    assert_eq!(last, "STOPPING=1");
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn sighup_has_it_read_its_configuration_anew_and_a_wrong_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let systemd = UnixDatagram::bind(&path).unwrap();
    systemd.set_read_timeout(Some(DEADLINE)).unwrap();
    let variables = [("NOTIFY_SOCKET", path.to_str().unwrap())];
    let (mut child, folder, mut log) = start_with(RIGHT, &variables);
    let file = folder.path().join("gateway.toml");
    let mut told = |text: &str| {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "it has ended without {text}");
        }
    };
    let mut datagram = [0; 200];
    let mut notified = || {
        let len = systemd.recv(&mut datagram).unwrap();
        String::from_utf8(datagram[..len].to_vec()).unwrap()
    };
    assert_eq!(notified(), "READY=1");
    for (text, news) in [
        (RIGHT.replace("trunk", "trink"), "unknown field `trink`"),
        (RIGHT.replace("127.0.0.1:0", "127.0.0.2:0"), "[sip] listen is another one: start"),
        (
            RIGHT.replace("device = 'soft'", "device = 'soft'\ncountry = 'de'"),
            "[[card]] is another",
        ),
        (RIGHT.replace("line.2", "line.9"), "[line.9]: there is no such line"),
        (format!("{RIGHT}gain_sent = -3\n"), "the configuration was read anew"),
    ] {
        std::fs::write(&file, text).unwrap();
        kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGHUP).unwrap();
        told(news);
        let reloading = notified();
        assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
        assert_eq!(notified(), "READY=1");
    }
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
}
