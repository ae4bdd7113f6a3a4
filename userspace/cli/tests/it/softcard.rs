//! `ringback softcard`: a card for virtual machines. The test is the machine's monitor.
//!
//! What a monitor can do to the card, and what it can't, is tested in the card's own crate; these
//! tests are about the program around it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Ended, LIMIT, Program, run};

const VERSION: u16 = 1;
const REGION_READ: u16 = 9;
/// The index of vfio-user's region of PCI configuration space.
const CONFIG: u32 = 7;
/// Device and vendor id of the Tiger320, the first word of configuration space.
const TIGER320: u32 = 0x0001_E159;

fn sockets() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Starts the program, and waits until it listens at all of the sockets.
fn serve(arguments: &str, listening: &[&Path]) -> Program {
    let arguments = format!("softcard {arguments}").split_whitespace().map(str::to_owned).collect();
    let program = Program::start_with(arguments, Stdio::piped());
    for path in listening {
        connect(path);
    }
    program
}

/// Connects to a socket, waiting until the program listens there.
fn connect(path: &Path) -> UnixStream {
    let deadline = Instant::now() + LIMIT;
    loop {
        match UnixStream::connect(path) {
            Ok(stream) => {
                stream.set_read_timeout(Some(LIMIT)).unwrap();
                return stream;
            }
            Err(error) => assert!(Instant::now() < deadline, "{}: {error}", path.display()),
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Sends a message of vfio-user, and returns the payload of the reply.
fn say(stream: &mut UnixStream, command: u16, payload: &[u8]) -> Vec<u8> {
    let mut message = [1_u16.to_ne_bytes(), command.to_ne_bytes()].concat();
    for word in [16 + payload.len() as u32, 0, 0] {
        message.extend(word.to_ne_bytes());
    }
    message.extend(payload);
    stream.write_all(&message).unwrap();
    let mut header = [0; 16];
    stream.read_exact(&mut header).unwrap();
    let word = |at: usize| u32::from_ne_bytes(header[at..at + 4].try_into().unwrap());
    assert_eq!(word(8), 1, "a reply without an error: {header:?}");
    let mut payload = vec![0; word(4) as usize - 16];
    stream.read_exact(&mut payload).unwrap();
    payload
}

/// Connects as the monitor of a virtual machine, and negotiates the version.
fn machine(path: &Path) -> UnixStream {
    let mut stream = connect(path);
    say(&mut stream, VERSION, &[0; 4]);
    stream
}

/// The first four bytes of configuration space.
fn identity(stream: &mut UnixStream) -> u32 {
    let access = [[0, 0], [CONFIG, 4]].concat();
    let access: Vec<u8> = access.into_iter().flat_map(u32::to_ne_bytes).collect();
    let reply = say(stream, REGION_READ, &access);
    u32::from_le_bytes(reply[16..].try_into().unwrap())
}

fn path(folder: &TempDir, name: &str) -> (PathBuf, String) {
    let path = folder.path().join(name);
    let text = path.display().to_string();
    (path, text)
}

fn interrupt(mut program: Program) -> Ended {
    program.signal(Signal::SIGINT);
    program.end().with(130)
}

#[test]
fn machines_come_and_go_and_ctrl_c_takes_the_sockets_away() {
    let folder = sockets();
    let (first, one) = path(&folder, "one");
    let (second, two) = path(&folder, "two");
    let program = serve(&format!("--vfio-user {one} --vfio-user {two}"), &[&first, &second]);
    let mut other = machine(&second);
    for _ in 0..2 {
        assert_eq!(identity(&mut machine(&first)), TIGER320);
    }
    assert_eq!(identity(&mut other), TIGER320, "each card has its own machine");
    let mut running = machine(&first);
    let ended = interrupt(program);
    assert!(!first.exists() && !second.exists());
    assert_eq!(running.read(&mut [0]).unwrap(), 0, "the card is taken out");
    assert!(ended.errors.contains(&format!("a card waits for its machine at {one}\n")), "{ended}");
    assert!(ended.lines.is_empty(), "{ended}");
}

#[test]
fn nonsense_from_a_machine_does_not_end_it() {
    let folder = sockets();
    let (socket, name) = path(&folder, "card");
    let program = serve(&format!("--vfio-user {name}"), &[&socket]);
    for nonsense in [&[0xFF; 64][..], &[0; 16], &[1, 0, 1, 0, 20], b"GET / HTTP/1.1\r\n\r\n"] {
        let mut stream = connect(&socket);
        stream.write_all(nonsense).unwrap();
        drop(stream);
        assert_eq!(identity(&mut machine(&socket)), TIGER320, "after {nonsense:?}");
    }
    interrupt(program);
}

#[test]
fn the_far_ends_are_controlled_by_commands_on_stdin() {
    let folder = sockets();
    let (socket, name) = path(&folder, "card");
    let arguments = "--modules fxo,fxs --fault lost-interrupts --time-scale 3";
    let (_, second) = path(&folder, "other");
    let arguments = format!("--vfio-user {name} --vfio-user {second} {arguments}");
    let mut program = serve(&arguments, &[&socket]);
    let mut ask = |line: &str| -> Value { serde_json::from_str(&program.ask(line)).unwrap() };
    let state = ask("state");
    let modules = |state: &Value| {
        let slots = state["slots"].as_array().unwrap().iter();
        slots.map(|slot| slot["module"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(modules(&state), ["fxo", "fxs", "empty", "empty"]);
    assert_eq!(state["faults"], serde_json::json!(["lost-interrupts"]));
    assert_eq!(ask("fault lost-interrupts off")["ok"], true);
    assert_eq!(ask("state")["faults"], serde_json::json!([]));
    assert_eq!(ask("card 1 state")["faults"], serde_json::json!(["lost-interrupts"]));
    assert_eq!(ask("card 1 telephone 1 off-hook")["ok"], true);
    for (slot, wrong) in [("0", "no FXS module"), ("1 dance", "can't \"dance\"")] {
        let reply = ask(&format!("telephone {slot} off-hook").replace(" dance off-hook", " dance"));
        let error = reply["error"].as_str().unwrap();
        assert!(reply["ok"] == false && error.contains(wrong), "{reply}");
    }
    // A command takes effect in the card's next millisecond, for which its clock has to run.
    let deadline = Instant::now() + LIMIT;
    while ask("card 1 telephone 1 state")["off_hook"] != true {
        assert!(Instant::now() < deadline, "the handset is not lifted");
    }
    assert_eq!(ask("telephone 1 state")["off_hook"], false, "another card's");
    interrupt(program);
}

#[test]
fn the_far_ends_are_controlled_by_commands_at_a_socket() {
    let folder = sockets();
    let (socket, name) = path(&folder, "card");
    let (control, far) = path(&folder, "far");
    let program = serve(&format!("--vfio-user {name} --control {far}"), &[&socket]);
    for _ in 0..2 {
        let mut far = connect(&control);
        far.write_all(b"subscriber 5550100 add\n\nsubscriber 5550100 state\n").unwrap();
        let mut replies = BufReader::new(far).lines();
        let mut reply = || replies.next().unwrap().unwrap();
        assert_eq!(reply(), "{\"ok\":true}");
        assert!(reply().contains("\"off_hook\":false"));
    }
    let mut talking = connect(&control);
    interrupt(program);
    assert!(!control.exists());
    assert_eq!(talking.read(&mut [0]).unwrap(), 0);
}

#[test]
fn sockets_are_their_owners_unless_asked_otherwise() {
    let folder = sockets();
    let (card, one) = path(&folder, "card");
    let (far, other) = path(&folder, "far");
    for (option, mode) in [("", 0o600), ("--socket-mode 0660", 0o660)] {
        let program =
            serve(&format!("--vfio-user {one} --control {other} {option}"), &[&card, &far]);
        program.await_thread("stdin");
        for socket in [&card, &far] {
            assert_eq!(fs::metadata(socket).unwrap().permissions().mode() & 0o777, mode);
        }
        interrupt(program);
    }
}

#[test]
fn what_can_not_be_served_is_refused_with_the_reason() {
    let folder = sockets();
    let (file, text) = path(&folder, "file");
    fs::write(&file, "mine").unwrap();
    let (_, name) = path(&folder, "card");
    let served = |more: &str| run(&format!("softcard --vfio-user {name} {more}"));
    run(&format!("softcard --vfio-user {text}")).with(1).says("is not a socket");
    served(&format!("--control {text}")).with(1).says("is not a socket");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    run(&format!("softcard --vfio-user {text}/card")).with(1).says("is its folder there");
    served(&format!("--vfio-user {name}")).with(2).says("is named twice");
    served(&format!("--control {name}")).with(2).says("is named twice");
    for (wrong, reason) in [
        ("--modules fxs,modem", "\"modem\""),
        ("--modules fxs,fxs,fxs,fxs,fxs", "4 slots"),
        ("--time-scale 0", "--time-scale"),
        ("--fault smoke", "no-power:SLOT"),
    ] {
        let ended = served(wrong).with(2);
        assert!(ended.errors.contains(reason), "{ended}");
    }
    let ended = run("softcard").with(2);
    assert!(ended.errors.contains("--vfio-user"), "{ended}");
    assert!(!folder.path().join("card").exists());
}

#[test]
fn the_help_shows_a_machine_and_commands() {
    let help = run("softcard --help").with(0).text();
    for part in ["-device '{\"driver\":\"vfio-user-pci\"", "share=on", "telephone 0 dial 5550100"] {
        assert!(help.contains(part), "{part}");
    }
}
