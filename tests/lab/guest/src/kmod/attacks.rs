//! A user with access to some of the module's files, or to none, must not be able to take time and
//! memory of other processes, to reach the next owner's card, or to read kernel addresses and the
//! samples of a line.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ringback_driver::device::DmaMemory;

use super::aio::Aio;
use super::card::*;
use super::ring::Ring;
use crate::{Outcome, slowness};

/// The user nobody, and the numbers of groups in the machine.
const NOBODY: u32 = 65534;
const DIALOUT: u32 = 20;
const RINGBACK: u32 = 990;

/// Longer than what has to happen at once takes, and shorter than what must not be waited for.
fn at_once() -> Duration {
    slowness::here(Duration::from_secs(4))
}

fn itself(command: &str) -> Command {
    let mut it = Command::new("/bin/lab-guest");
    it.arg(command);
    it
}

/// Runs a command as another user, and returns its output.
fn as_user(command: &mut Command, group: u32) -> Result<String, String> {
    let output =
        command.uid(NOBODY).gid(group).output().map_err(|error| format!("{command:?}: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The user nobody can read no kernel address in the folders of UIO.
pub fn addresses() -> Outcome {
    let mut seen = 0;
    let mut folders = vec![format!("/sys/class/uio/uio{}/maps", info()?.number)];
    folders.push(format!("/sys/class/uio/uio{}/device", info()?.number));
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| format!("{folder}: {error}"))? {
            let entry = entry.map_err(|error| error.to_string())?;
            let path = entry.path().display().to_string();
            let kind = entry.file_type().map_err(|error| format!("{path}: {error}"))?;
            if kind.is_dir() && path.contains("/maps/") {
                folders.push(path);
            } else if kind.is_file() && !path.ends_with("/config") && !path.contains("/resource") {
                let text = as_user(Command::new("cat").arg(&path), NOBODY)?;
                let number = text.strip_prefix("0x").map(|hex| u64::from_str_radix(hex, 16));
                if let Some(Ok(number)) = number {
                    println!("{path}: {number:#x}");
                    seen += 1;
                    if number >> 47 != 0 {
                        return Err(format!("{path} tells everybody the kernel's {number:#x}"));
                    }
                }
            }
        }
    }
    // Each map has at least an address, an offset and a size.
    if seen < 6 { Err(format!("only {seen} numbers were found")) } else { Ok(()) }
}

/// fsync is not supported, because it would wait in a kernel thread that other processes need.
pub fn fsync() -> Outcome {
    let port = open_port(1, libc::O_NONBLOCK).map_err(|error| error.to_string())?;
    same("a write", (&port).write(&pattern(1, 6000)).map_err(|e| e.to_string())?, 6000)?;
    fails("fsync", libc::EINVAL, port.sync_all())?;
    fails("fdatasync", libc::EINVAL, port.sync_data())?;
    let aio = Aio::new().map_err(|error| format!("io_setup: {error}"))?;
    fails("fsync by aio", libc::EINVAL, aio.fsync(&port))?;
    let mut ring = Ring::new()?;
    ring.fsync(&port, 1)?;
    same("fsync by io_uring", ring.ends(1, long())?[0].result, -libc::EINVAL)
}

/// Prints the result of opening a file: `lab-guest kmod-may-open FILE`.
pub fn may_open() -> Outcome {
    let path = std::env::args().nth(2).ok_or("say FILE")?;
    match File::options().read(true).write(true).open(path) {
        Ok(_) => println!("opened"),
        Err(error) => println!("error {}", error.raw_os_error().unwrap_or(0)),
    }
    Ok(())
}

fn opens(what: &str, path: &str, group: u32, wanted: &str) -> Outcome {
    let said = as_user(itself("kmod-may-open").arg(path), group)?;
    same(what, said.lines().next().unwrap_or(""), wanted)
}

/// Gives a device file to the group in the module's udev rules.
fn as_udev_does(path: &str, subsystem: &str, name: Option<&str>) -> Outcome {
    const RULES: &str = include_str!("../../../../../kmod-shim/60-ringback.rules");
    let mut group = None;
    for rule in RULES.lines().filter(|line| !line.starts_with('#')) {
        let value = |key: &str| {
            let rest = rule.split_once(&format!("{key}\""))?.1;
            Some(rest.split_once('"')?.0)
        };
        let applies = value("SUBSYSTEM==") == Some(subsystem)
            && (value("ATTR{name}==").is_none() || value("ATTR{name}==") == name);
        if applies {
            group = value("GROUP=").or(group);
        }
    }
    let number = match group.ok_or_else(|| format!("no rule for {path}"))? {
        "ringback" => RINGBACK,
        "dialout" => DIALOUT,
        other => return Err(format!("the rules give {path} to {other}")),
    };
    chown(path, Some(0), Some(number)).map_err(|error| format!("{path}: {error}"))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o660)).map_err(|e| e.to_string())
}

/// The group for modems can open neither a line's samples nor the card; the group ringback can open
/// the card if an IOMMU confines it, or if the administrator allows it. The command is `lab-guest
/// kmod-access` with `confined` or `unconfined`.
pub fn access() -> Outcome {
    const PARAMETER: &str = "/sys/module/ringback/parameters/allow_unconfined";
    let confined = match std::env::args().nth(2).as_deref() {
        Some("confined") => true,
        Some("unconfined") => false,
        _ => return Err("say confined or unconfined".to_owned()),
    };
    let control = format!("/dev/uio{}", info()?.number);
    as_udev_does(&control, "uio", Some("ringback"))?;
    for slot in 0..4 {
        let port = format!("/dev/ringback0p{slot}");
        as_udev_does(&port, "ringback", None)?;
        opens("a port for dialout", &port, DIALOUT, &format!("error {}", libc::EACCES))?;
        opens("a port for the group ringback", &port, RINGBACK, "opened")?;
    }
    opens("the card for dialout", &control, DIALOUT, &format!("error {}", libc::EACCES))?;

    let refused = format!("error {}", libc::EPERM);
    let plain = if confined { "opened" } else { refused.as_str() };
    opens("the card for the group ringback", &control, RINGBACK, plain)?;
    let log = Command::new("dmesg").output().map_err(|error| format!("dmesg: {error}"))?;
    let log = String::from_utf8_lossy(&log.stdout).into_owned();
    let told = log.contains("options ringback allow_unconfined=1")
        && log.contains("/etc/modprobe.d/ringback.conf");
    same("the log names parameter and file", told, !confined)?;

    // Root has the capability, and taints the kernel; so does the user nobody if an IOMMU confines
    // the card.
    open_control(0).map_err(|error| format!("the card for root: {error}"))?;
    same("tainted by userspace", tainted()?, !confined)?;
    if !confined {
        fs::write(PARAMETER, "1").map_err(|error| format!("{PARAMETER}: {error}"))?;
        opens("the card, as is allowed", &control, RINGBACK, "opened")?;
        fs::write(PARAMETER, "0").map_err(|error| format!("{PARAMETER}: {error}"))?;
        opens("the card, as is not allowed any more", &control, RINGBACK, &refused)?;
    }
    Ok(())
}

/// Returns whether the kernel has TAINT_USER.
fn tainted() -> Result<bool, String> {
    let path = "/proc/sys/kernel/tainted";
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let bits: u64 = text.trim().parse().map_err(|_| format!("{path}: {text}"))?;
    Ok(bits >> 6 & 1 == 1)
}

/// The next user of the card finds no data of the last one in the DMA memory.
pub fn left_bytes() -> Outcome {
    for _ in 0..2 {
        let card = Card::open()?;
        let silence = |word: &u32| *word == u32::MAX;
        let memory = card.memory();
        same("ring at first", memory[..32].iter().all(silence), true)?;
        same("memory behind it", memory[32..].iter().all(|word| *word == 0), true)?;
        let dma = card.dma.as_ref().ok_or("no DMA memory")?;
        (0..1024).for_each(|word| dma.write32(word * 4, 0x5A5A_5A5A));
    }
    Ok(())
}

/// A mapping does not reach the card or its memory any more when another process has them; it stays
/// readable and writable, as if the card had been pulled out.
pub fn stale() -> Outcome {
    let address = pci_address()?;
    let driver = "/sys/bus/pci/drivers/ringback";
    let old = Card::running()?;
    let mut untouched = old.again()?;
    untouched.control = None;
    fs::write(format!("{driver}/unbind"), &address).map_err(|e| format!("unbind: {e}"))?;
    fs::write(format!("{driver}/bind"), &address).map_err(|e| format!("bind: {e}"))?;
    until("the card", || Ok(info().is_ok()))?;
    let next = Card::running()?;
    for (what, card) in [("used", &old), ("untouched", &untouched)] {
        let found = [CNTL, OPER, AUXC, INTSTAT].map(|register| card.read(register));
        same(what, found, [0xFF; 4])?;
        same("memory", card.memory().iter().all(|word| *word == u32::MAX), true)?;
    }
    let (auxc, memory) = (next.read(AUXC), next.memory());
    old.write(AUXC, auxc ^ 0x5A);
    old.write(OPER, 0);
    if let Some(dma) = &old.dma {
        (32..1024).for_each(|word| dma.write32(word * 4, 0x1234_5678));
    }
    same("AUXC of the next owner", next.read(AUXC), auxc)?;
    same("OPER of the next owner", next.read(OPER), 1)?;
    same("memory of the next owner", &next.memory()[32..], &memory[32..])?;
    let child = itself("kmod-touch").stdin(stdin_of(&old)?).output().map_err(|e| e.to_string())?;
    let said = String::from_utf8_lossy(&child.stdout).into_owned();
    same("a mapping of a file whose card is gone", said.contains("error 22"), true)?;
    drop(old);
    drop(untouched);
    same("OPER of the next owner", next.read(OPER), 1)
}

fn stdin_of(card: &Card) -> Result<OwnedFd, String> {
    let control = card.control.as_ref().ok_or("the control file is closed")?;
    control.as_fd().try_clone_to_owned().map_err(|error| error.to_string())
}

/// Maps the file that is its standard input.
pub fn touch() -> Outcome {
    let input = std::io::stdin().as_fd().try_clone_to_owned().map_err(|error| error.to_string())?;
    let mapped = ringback_driver::device::mmio::MappedRegisters::new(File::from(input), 0, 0, 256);
    match mapped {
        Ok(_) => println!("mapped"),
        Err(error) => println!("error {}", error.raw_os_error().unwrap_or(0)),
    }
    Ok(())
}

/// Submits to the port that is its standard input, and then waits or executes another program:
/// `lab-guest kmod-behind aio|io_uring wait|execute`.
pub fn behind() -> Outcome {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let input = std::io::stdin().as_fd().try_clone_to_owned().map_err(|error| error.to_string())?;
    let port = File::from(input);
    let mut ring = Ring::new()?;
    let aio = Aio::new().map_err(|error| format!("io_setup: {error}"))?;
    for tag in 0..60 {
        match words.first().map(String::as_str) {
            Some("aio") => {
                aio.write(&port, &[0x33; 8]).map_err(|error| format!("aio: {error}"))?;
            }
            Some("io_uring") => ring.write(&port, &[0x33; 8], tag)?,
            _ => return Err("say aio or io_uring".to_owned()),
        }
    }
    println!("submitted");
    if words.last().is_some_and(|word| word == "execute") {
        return Err(format!("execve: {}", itself("kmod-executed").exec()));
    }
    loop {
        thread::sleep(long());
    }
}

/// The program that is executed.
pub fn executed() -> Outcome {
    println!("executed");
    Ok(())
}

/// Starts a process with requests that are queued behind the running one of a port.
fn start_behind(
    port: &File,
    way: &str,
    then: &str,
) -> Result<(Child, BufReader<ChildStdout>), String> {
    let input = port.as_fd().try_clone_to_owned().map_err(|error| error.to_string())?;
    let mut child = itself("kmod-behind")
        .args([way, then])
        .stdin(input)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut output = BufReader::new(child.stdout.take().ok_or("no output")?);
    let mut line = String::new();
    output.read_line(&mut line).map_err(|error| error.to_string())?;
    same("what it says", line.trim(), "submitted")?;
    Ok((child, output))
}

/// A process that is killed, or executes another program, does not wait for requests of other
/// processes before its own; and those continue.
pub fn behind_others() -> Outcome {
    let card = Card::running()?;
    let port = open_port(1, 0).map_err(|error| error.to_string())?;
    let mut ring = Ring::new()?;
    let drop_all = || (&port).write(&[]).map_err(|error| format!("write of 0: {error}"));
    for way in ["aio", "io_uring"] {
        for then in ["wait", "execute"] {
            ring.write(&port, &pattern(1, 60_000), 1)?;
            let (mut child, mut output) = start_behind(&port, way, then)?;
            let start = Instant::now();
            if then == "wait" {
                child.kill().map_err(|error| format!("kill: {error}"))?;
            } else {
                let mut rest = String::new();
                output.read_to_string(&mut rest).map_err(|error| error.to_string())?;
                same("it was executed", rest.contains("executed"), true)?;
            }
            child.wait().map_err(|error| error.to_string())?;
            let took = start.elapsed();
            println!("{way}, {then}: it was over after {took:?}");
            if took > at_once() {
                return Err(format!("{way}, {then}: it waited {took:?} for another's request"));
            }
            same("the other's end", ring.end(Duration::from_millis(300))?.is_none(), true)?;
            drop_all()?;
            same("its end", ring.ends(1, long())?[0].result, -libc::ECANCELED)?;
        }
    }

    // If no samples of other processes follow those of the dead process, they are not played.
    let (mut child, _) = start_behind(&port, "io_uring", "wait")?;
    card.stop()?;
    let (mut other, _) = start_behind(&port, "aio", "wait")?;
    for child in [&mut child, &mut other] {
        child.kill().map_err(|error| format!("kill: {error}"))?;
        child.wait().map_err(|error| error.to_string())?;
    }
    card.start()?;
    ring.write(&port, &pattern(2, 400), 2)?;
    same("a WRITE after it", ring.ends(1, long())?[0].result, 400)?;

    // aio can cancel a single request, whether others precede it or not.
    let aio = Aio::new().map_err(|error| format!("io_setup: {error}"))?;
    ring.write(&port, &pattern(3, 60_000), 3)?;
    let taken_back = aio.write(&port, &pattern(4, 400)).map_err(|error| format!("aio: {error}"))?;
    aio.cancel(taken_back).map_err(|error| format!("io_cancel: {error}"))?;
    let end = aio.end(at_once()).map_err(|error| format!("io_getevents: {error}"))?;
    same("what was taken back", end, Some(-i64::from(libc::ECANCELED)))?;
    same("the other's end", ring.end(Duration::from_millis(300))?.is_none(), true)?;
    drop_all()?;
    same("its end", ring.ends(1, long())?[0].result, -libc::ECANCELED)
}
