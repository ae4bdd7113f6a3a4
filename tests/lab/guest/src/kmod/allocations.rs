//! Memory that is not to be had: on a kernel that can make a certain allocation fail, each that the
//! module makes for a task, directly or by what it calls, fails once. Whatever was asked for
//! succeeds or ends with an error, nothing is left of it, and the card works.

use std::fs;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::Path;

use nix::kmod::{DeleteModuleFlags, ModuleInitFlags, delete_module, finit_module};
use nix::sys::utsname::uname;

use super::aio::Aio;
use super::card::*;
use super::endings::works;
use super::ring::Ring;
use crate::Outcome;

/// The calling thread's count of allocations until one fails; 0 if none is to fail.
const COUNT: &str = "/proc/thread-self/fail-nth";
/// More allocations than the module makes in one go.
const MOST: u32 = 500;
/// What a fault injector is to do: fail also where the kernel could wait for memory, count only
/// what the module is behind, and print nothing.
const WAYS: [(&str, &[&str]); 2] = [
    ("/sys/kernel/debug/failslab", &["ignore-gfp-wait"]),
    ("/sys/kernel/debug/fail_page_alloc", &["ignore-gfp-wait", "ignore-gfp-highmem"]),
];

fn put(path: impl AsRef<Path>, text: &str) -> Outcome {
    let path = path.as_ref();
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Makes both injectors count allocations with this code on the stack alone, except for ACPI's.
fn count_behind(code: &Range<u64>) -> Outcome {
    // ACPI's interpreter uses memory that it has freed if an allocation fails while it looks up a
    // card's interrupt (Linux 6.12), which is no matter of the module's.
    let lookup = kernel_function("acpi_pci_irq_lookup")?;
    for (folder, switched_off) in WAYS {
        let folder = Path::new(folder);
        switched_off.iter().try_for_each(|switch| put(folder.join(switch), "N"))?;
        put(folder.join("verbose"), "0")?;
        put(folder.join("require-start"), &format!("{:#x}", code.start))?;
        put(folder.join("require-end"), &format!("{:#x}", code.end))?;
        put(folder.join("reject-start"), &format!("{:#x}", lookup.start))?;
        put(folder.join("reject-end"), &format!("{:#x}", lookup.end))?;
    }
    put("/sys/kernel/debug/fail_page_alloc/min-order", "0")
}

/// The code of the loaded module.
fn module_code() -> Result<Range<u64>, String> {
    let modules = fs::read_to_string("/proc/modules").map_err(|error| error.to_string())?;
    let ours = modules.lines().find(|line| line.starts_with("ringback "));
    let words: Vec<_> = ours.unwrap_or_default().split_whitespace().collect();
    let [_, size, _, _, _, address, ..] = words[..] else {
        return Err("no module ringback".to_owned());
    };
    let (Ok(size), Ok(start)) =
        (size.parse::<u64>(), u64::from_str_radix(address.trim_start_matches("0x"), 16))
    else {
        return Err(format!("{words:?} in /proc/modules"));
    };
    Ok(start..start + size)
}

/// The code of a function of the kernel.
fn kernel_function(name: &str) -> Result<Range<u64>, String> {
    let symbols = fs::read_to_string("/proc/kallsyms").map_err(|error| error.to_string())?;
    let mut code: Vec<(u64, &str)> = Vec::new();
    for line in symbols.lines() {
        if let [address, "t" | "T", symbol] = line.split_whitespace().collect::<Vec<_>>()[..]
            && let Ok(address) = u64::from_str_radix(address, 16)
        {
            code.push((address, symbol));
        }
    }
    code.sort_unstable();
    let at = code.iter().position(|(_, symbol)| *symbol == name);
    let functions = at.and_then(|at| code.get(at..at + 2));
    let [(start, _), (end, _)] = functions.unwrap_or_default() else {
        return Err(format!("{name} is not in /proc/kallsyms"));
    };
    Ok(*start..*end)
}

/// Does something again and again: the first time its first allocation fails, the second time its
/// second one, until there is none that could fail. Each time `after` checks the result.
fn each_fails<T>(
    what: &str,
    mut act: impl FnMut() -> io::Result<T>,
    mut after: impl FnMut(io::Result<T>) -> Outcome,
) -> Outcome {
    for nth in 1..MOST {
        put(COUNT, &nth.to_string())?;
        let result = act();
        let left = fs::read_to_string(COUNT).map_err(|error| error.to_string())?;
        put(COUNT, "0")?;
        let failed = left.trim() == "0";
        let shown = result.as_ref().err().map_or_else(|| "success".to_owned(), ToString::to_string);
        if !failed && result.is_err() {
            return Err(format!("{what}: {shown}, although no allocation failed"));
        }
        after(result).map_err(|cause| format!("{what}, allocation {nth} ({shown}): {cause}"))?;
        if !failed {
            println!("{what}: {} allocations", nth - 1);
            return Ok(());
        }
    }
    Err(format!("{what}: {MOST} allocations and more"))
}

/// Checks that what failed did so for want of memory.
fn for_want_of_memory<T>(result: &io::Result<T>) -> Outcome {
    match result {
        Err(error) if error.raw_os_error() != Some(libc::ENOMEM) => Err(error.to_string()),
        _ => Ok(()),
    }
}

/// Loads the module.
fn load() -> io::Result<()> {
    let release = uname()?.release().to_string_lossy().into_owned();
    let file = Path::new("/lib/modules").join(release).join("own/ringback.ko");
    Ok(finit_module(&fs::File::open(file)?, c"", ModuleInitFlags::empty())?)
}

/// Unloads the module, or says that it is in use.
fn unload() -> io::Result<()> {
    Ok(delete_module(c"ringback", DeleteModuleFlags::O_NONBLOCK)?)
}

/// Loads and unloads the module; what it does with a card is not part of this.
fn loading() -> Outcome {
    const DRIVER: &str = "/sys/bus/pci/drivers/ringback";
    let there = || Path::new(DRIVER).exists() || Path::new("/sys/class/ringback").exists();
    unload().map_err(|error| error.to_string())?;
    put("/sys/bus/pci/drivers_autoprobe", "0")?;
    // The module's own code has no address before it is loaded.
    count_behind(&kernel_function("do_one_initcall")?)?;
    each_fails("load", load, |result| {
        same("the driver is there", there(), result.is_ok())?;
        same("the module is loaded", unload().is_ok(), result.is_ok())?;
        same("something is left", there(), false)
    })?;
    let loaded = || {
        load().map_err(|error| error.to_string())?;
        count_behind(&module_code()?)
    };
    loaded()?;
    each_fails("unload", unload, |result| {
        same("it is unloaded", result.is_ok() && !there(), true)?;
        loaded()
    })?;
    put("/sys/bus/pci/drivers_autoprobe", "1")
}

/// Every allocation of the module fails once.
pub fn allocations() -> Outcome {
    let address = pci_address()?;
    let driver = "/sys/bus/pci/drivers/ringback";
    let unbound = || put(format!("{driver}/unbind"), &address);

    loading()?;
    each_fails(
        "bind",
        || fs::write(format!("{driver}/bind"), &address),
        |result| {
            // Not every function of the kernel says that memory was what it wanted.
            if result.is_ok() {
                same("the UIO device is there", info().is_ok(), true)?;
                unbound()?;
            }
            same("a UIO device is left", info().is_ok(), false)?;
            same("a port is left", Path::new("/dev/ringback0p0").exists(), false)
        },
    )?;
    put(format!("{driver}/bind"), &address)?;
    works()?;
    each_fails(
        "unbind",
        || fs::write(format!("{driver}/unbind"), &address),
        |result| {
            same("it is unbound", result.is_ok() && info().is_err(), true)?;
            put(format!("{driver}/bind"), &address)
        },
    )?;
    works()?;

    each_fails(
        "open of the card",
        || Card::open().map_err(io::Error::other),
        |card| match card {
            Err(cause) if !cause.to_string().contains("os error 12") => Err(cause.to_string()),
            card => {
                drop(card);
                until("the end of the card's use", || Ok(open_control(0).is_ok()))
            }
        },
    )?;
    let card = Card::running()?;
    each_fails("open of a port", || open_port(0, 0), |port| for_want_of_memory(&port))?;
    let port = open_port(0, 0).map_err(|error| error.to_string())?;
    let samples = pattern(1, 400);
    each_fails("write", || (&port).write(&samples), |written| for_want_of_memory(&written))?;
    each_fails("read", || (&port).read(&mut [0; 80]), |read| for_want_of_memory(&read))?;
    let aio = Aio::new().map_err(|error| format!("io_setup: {error}"))?;
    each_fails(
        "write by aio",
        || aio.write(&port, &samples),
        |submitted| match submitted {
            // An operation that was accepted may still end for want of memory.
            Ok(_) => match aio.end(long()).map_err(|error| error.to_string())? {
                Some(400) => Ok(()),
                Some(end) if end == -i64::from(libc::ENOMEM) => Ok(()),
                other => Err(format!("it ended with {other:?}")),
            },
            refused => for_want_of_memory(&refused),
        },
    )?;
    let mut ring = Ring::new()?;
    for way in ["WRITE", "READ"] {
        each_fails(
            way,
            || {
                let submitted = if way == "READ" {
                    ring.read(&port, 80, 1)
                } else {
                    ring.write(&port, &samples, 1)
                };
                submitted.and_then(|()| ring.ends(1, long())).map_err(io::Error::other)
            },
            |ends| match ends.map_err(|error| error.to_string())?[0].result {
                result @ 1.. if way == "READ" || result == 400 => Ok(()),
                result if result == -libc::ENOMEM => Ok(()),
                result => Err(format!("it ended with {result}")),
            },
        )?;
    }
    drop((ring, port, card));
    works()
}
