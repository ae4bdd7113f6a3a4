//! The program that the lab's scenarios run inside their virtual machines.
//!
//! Each subcommand is one check of the driver with a real kernel. It prints what it has seen, and
//! exits with status 0, or with status 1 and the cause as the last line.

mod counting;
mod countries;
mod dahdi;
mod desk;
mod echo;
mod edu;
mod far;
mod kmod;
mod latency;
mod mailbox;
mod modem;
mod mtty;
mod pattern;
mod slowness;
mod sound;
mod tally;
mod trace;

use std::process::ExitCode;

/// The result of a check; the error is the cause as it is printed.
type Outcome = Result<(), String>;

type Check = fn() -> Outcome;

const CHECKS: &[(&str, Check)] = &[
    ("counting", counting::instructions),
    ("latency-ways", latency::ways),
    ("latency-instructions", latency::instructions),
    ("mailbox-flood", mailbox::flood),
    ("mailbox-removal", mailbox::removal),
    ("mailbox-trace", mailbox::traced),
    ("mailbox-reopen", mailbox::reopen),
    ("mailbox-early", mailbox::early),
    ("mailbox-forever", mailbox::forever),
    ("far", far::command),
    ("sound-call", sound::call),
    ("countries", countries::calls),
    ("dahdi-telephone", dahdi::telephone),
    ("dahdi-hook", dahdi::hook),
    ("dahdi-silent", dahdi::silent),
    ("dahdi-incoming", dahdi::incoming),
    ("dahdi-outgoing", dahdi::outgoing),
    ("kmod-control", kmod::control),
    ("kmod-ports", kmod::ports),
    ("kmod-counters", kmod::counters),
    ("kmod-samples", kmod::samples),
    ("kmod-idle", kmod::idle),
    ("kmod-telephone", kmod::telephone),
    ("kmod-requests", kmod::requests),
    ("kmod-nonblocking", kmod::nonblocking),
    ("kmod-last-user", kmod::last_user),
    ("kmod-faults", kmod::faults),
    ("kmod-removal", kmod::removal),
    ("kmod-unbind", kmod::unbind),
    ("kmod-sleep", kmod::sleep),
    ("kmod-sleep-without", kmod::sleep_without),
    ("kmod-forever", kmod::forever),
    ("kmod-left", kmod::left),
    ("kmod-works", kmod::works),
    ("kmod-memory", kmod::memory),
    ("kmod-addresses", kmod::addresses),
    ("kmod-fsync", kmod::fsync),
    ("kmod-access", kmod::access),
    ("kmod-may-open", kmod::may_open),
    ("kmod-left-bytes", kmod::left_bytes),
    ("kmod-stale", kmod::stale),
    ("kmod-touch", kmod::touch),
    ("kmod-behind-others", kmod::behind_others),
    ("kmod-behind", kmod::behind),
    ("kmod-executed", kmod::executed),
    ("kmod-allocations", kmod::allocations),
    ("kmod-interrupt", kmod::interrupt),
    ("hostile-files", kmod::hostile_files),
    ("hostile-registers", kmod::hostile_registers),
    ("edu-uio", edu::uio),
    ("edu-vfio-intx", edu::vfio_intx),
    ("edu-vfio-msi", edu::vfio_msi),
    ("mtty-loopback", mtty::loopback),
    ("mtty-line", modem::loopback),
    ("modem-calls", modem::calls),
    ("modem-forever", modem::forever),
    ("modem-again", modem::again),
];

fn main() -> ExitCode {
    let asked = std::env::args().nth(1).unwrap_or_default();
    let Some((_, check)) = CHECKS.iter().find(|(name, _)| *name == asked) else {
        let names: Vec<_> = CHECKS.iter().map(|(name, _)| *name).collect();
        eprintln!("there is no check '{asked}'; there are: {}", names.join(", "));
        return ExitCode::from(2);
    };
    match check() {
        Ok(()) => {
            println!("{asked}: as it should be");
            ExitCode::SUCCESS
        }
        Err(cause) => {
            println!("{cause}");
            ExitCode::FAILURE
        }
    }
}
