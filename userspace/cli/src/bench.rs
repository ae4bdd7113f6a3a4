//! `ringback bench`: measures the latency from a request to its callback, beside other designs.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use ringback_bench::{Error, Options, ROUNDS, Relaunch, run, workload};
use ringback_driver::device::selector::Selector;

use crate::exit::{Exit, Failure};
use crate::files::{Target, not_written};
use crate::output::Output;
use crate::signals::Signals;

/// Measure this machine
#[derive(Debug, Args)]
pub(crate) struct Bench {
    #[command(subcommand)]
    what: BenchCommand,
}

#[derive(Debug, Subcommand)]
enum BenchCommand {
    Latency(Latency),
    /// Run one part of the path COUNT times, for tools that count
    #[command(hide = true)]
    Workload {
        name: String,
        count: usize,
    },
}

/// Measure the latency from submitting a request to its callback, stage by stage, and compare it
/// with common designs, all on the same device in one run
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ringback bench latency                          the software mailbox
  ringback bench latency --plot latency.svg       with a picture
  ringback bench latency --card uio:/dev/uio0     the module uio_dummy, or QEMU's edu
  ringback bench latency --rounds 1               a first impression

Measurements that need valgrind, strace or liburing's header are left out if these are missing.
On a busy machine ratios are reliable, times are not. The end says which targets are reached.")]
struct Latency {
    /// The device: soft (a mailbox in software), or one that answers each request: uio:/dev/uio0
    /// (the module uio_dummy; QEMU's edu), pci:0000:00:03.0 (edu, or a 16550 with a loopback plug,
    /// under vfio-pci), mdev:UUID (mtty)
    #[arg(long, value_name = "CARD", default_value_t = Selector::Soft)]
    card: Selector,
    /// How often each design is measured; each ratio is the median over all rounds
    #[arg(
        long,
        default_value_t = ROUNDS as u32,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    rounds: u32,
    /// Draw the latency distributions into this SVG file, which must not exist
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Let --plot overwrite an existing file
    #[arg(long)]
    overwrite: bool,
    /// Print one JSON object per line; the last holds the figures
    #[arg(long)]
    json: bool,
}

impl Bench {
    pub(crate) fn run(self, signals: &Signals) -> Result<(), Failure> {
        match self.what {
            BenchCommand::Latency(latency) => latency.run(signals),
            BenchCommand::Workload { name, count } => {
                workload(&name, count).map_err(Failure::failed)
            }
        }
    }
}

impl Latency {
    fn run(self, signals: &Signals) -> Result<(), Failure> {
        let program = std::env::current_exe().map_err(|error| {
            Failure::failed(format_args!("the program does not find itself: {error}"))
        })?;
        // Checked before the measurement, which takes minutes.
        let plot = self.plot.as_deref();
        let plot = plot.map(|path| Target::look(path, self.overwrite, &[], signals)).transpose()?;
        let options = Options {
            card: self.card,
            rounds: self.rounds as usize,
            json: self.json,
            relaunch: Relaunch { program, arguments: vec!["bench".into(), "workload".into()] },
            lab: || Err("the lab counts them: `make bench`".into()),
        };
        let theirs = signals.clone();
        let measure = move || run(&options, &|| theirs.caught().is_some());
        // A slice of a measurement can take seconds, so that a signal must not wait for its end.
        let report = signals.attended("bench", measure)?.map_err(|error| match error {
            Error::Stopped => Failure::silent(signals.caught().unwrap_or(Exit::INTERRUPTED)),
            other => Failure::failed(other),
        })?;
        // The figures are printed even if the plot can't be written.
        Output::new(self.json, signals).write(report.text.as_bytes())?;
        let Some(plot) = plot else { return Ok(()) };
        let (mut file, path) = plot.open()?;
        let written = file.write_all(report.plot().as_bytes());
        written.map_err(|error| not_written(&path, &error))
    }
}
