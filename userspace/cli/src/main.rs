//! The program `ringback`: calls on telephony cards from the command line.
//!
//! | file | what |
//! |---|---|
//! | `demo` | four calls on the software card, printed as a time line |
//! | `lines`, `call`, `answer`, `monitor` | one command each |
//! | `one_call`, `conversation`, `talk` | what `call` and `answer` share |
//! | `device` | which cards there are, and which kernel driver holds them |
//! | `conform` | whether a provider keeps the contract |
//! | `bench` | measures latency; a cargo feature that packages leave out |
//! | `card` | opens the card of `--card` and starts a host |
//! | `softcard` | the software card in virtual machines |
//! | `gateway` | starts the program `ringback-gateway` |
//! | `scenery` | the telephones and subscribers behind the software card |
//! | `timeline` | records what happened, in order, and prints and counts it |
//! | `sound`, `data` | WAV files played and recorded; bytes sent and received by a modem |
//! | `trace_file` | the accesses to a card's registers, recorded |
//! | `files` | which files may be read and written during a call, and how |
//! | `manual` | man pages and completions, for packages |
//! | `signals`, `output`, `exit` | Ctrl-C, stdout and stderr, exit codes |
//!
//! Rules: results go to stdout, everything else to stderr; whatever happens, the line is left
//! on-hook and the card safe; an error is one sentence with cause and cure, and an exit code that
//! `--help` lists.

mod answer;
#[cfg(feature = "bench")]
mod bench;
mod call;
mod card;
mod conform;
mod conversation;
mod country_file;
mod data;
mod demo;
mod device;
mod exchange;
mod exchange_section;
mod exit;
mod files;
mod gateway;
mod levels;
mod line_sound;
mod lines;
mod manual;
mod monitor;
mod one_call;
mod output;
mod scenery;
mod signals;
mod softcard;
mod sound;
mod talk;
mod telephone;
mod timeline;
mod trace_file;

use std::io;
use std::process::ExitCode;

use clap::{ArgAction, CommandFactory, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::exit::{Exit, Failure};
use crate::one_call::OneCall;
use crate::output::{Stderr, colours_on, complain, note};
use crate::signals::Signals;

/// Calls on PCI telephony cards (TDM400P family), or on one in software.
#[derive(Debug, Parser)]
#[command(
    name = "ringback",
    version,
    after_help = "Try `ringback demo` first; it needs no hardware."
)]
struct Arguments {
    /// Log to stderr: -v faults of the card and what is done about them, -vv also every event of a
    /// port, -vvv also every access to a register
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Lines(lines::Lines),
    Call(call::Call),
    Answer(answer::Answer),
    Monitor(monitor::Monitor),
    Device(device::Device),
    Conform(conform::Conform),
    #[command(hide = true)]
    ConformPlay(conform::Play),
    #[cfg(feature = "bench")]
    Bench(bench::Bench),
    Softcard(softcard::Softcard),
    Gateway(gateway::Gateway),
    Manual(manual::Manual),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refused(&error),
    };
    log_to_stderr(arguments.verbose);
    let arguments = match arguments.command {
        // Threads and signals of this process are the provider's.
        Command::ConformPlay(play) => return exit_of(play.run()),
        // So are they the gateway's.
        Command::Gateway(gateway) => return exit_of(gateway.run()),
        command => Arguments { command, ..arguments },
    };
    let ended = Signals::install().and_then(|signals| match arguments.command {
        Command::Demo(demo) => demo.run(&signals),
        Command::Lines(lines) => lines.run(&signals),
        Command::Call(call) => call.run(&signals),
        Command::Answer(answer) => answer.run(&signals),
        Command::Monitor(monitor) => monitor.run(&signals),
        Command::Device(device) => device.run(&signals),
        Command::Conform(conform) => conform.run(&signals),
        Command::ConformPlay(play) => play.run(),
        Command::Gateway(gateway) => gateway.run(),
        #[cfg(feature = "bench")]
        Command::Bench(bench) => bench.run(&signals),
        Command::Softcard(softcard) => softcard.run(&signals),
        Command::Manual(manual) => manual.run(&Arguments::command()),
    });
    exit_of(ended)
}

fn exit_of(ended: Result<(), Failure>) -> ExitCode {
    match ended {
        Ok(()) => Exit::Done.into(),
        Err(failure) => {
            if !failure.text.is_empty() {
                note(&failure);
            }
            failure.exit.into()
        }
    }
}

/// Prints why the arguments are wrong, or the help or the version that they ask for.
fn refused(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        // An argument may contain text from elsewhere, so that control characters are removed from
        // it.
        complain(&error.render().to_string());
    } else {
        // An error here changes nothing: there is no other place to print to.
        let _ = error.print();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Sends the log to stderr with `-v`. Without it nothing is logged, so that a failure is one
/// sentence. RUST_LOG replaces both, if it is set.
fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => "off",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let colours = colours_on(&io::stderr());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Stderr::default)
        // A line that can't be written is dropped; reporting that on stderr would panic.
        .log_internal_errors(false)
        .with_ansi(colours)
        .init();
}
