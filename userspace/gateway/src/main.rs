//! The program `ringback-gateway`, which `ringback gateway` starts: lines of telephony cards as SIP
//! trunks.
//!
//! It reads its configuration, starts the gateway, and stops it when a signal comes. Errors are
//! sentences with cause and cure on stderr.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgAction, CommandFactory, Parser};
use clap_mangen::Man;
use ringback_gateway::config::Config;
use ringback_gateway::exit::{Exit, Failure};
use ringback_gateway::gateway::Gateway;
use ringback_gateway::service_manager::ServiceManager;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::info;
use tracing_subscriber::EnvFilter;

/// How long calls may go on after SIGTERM. systemd waits for 90 s, and hanging up takes some, too.
const DRAIN: Duration = Duration::from_secs(60);

/// Make a card's lines SIP trunks and extensions of a PBX
///
/// Calls of the PBX are made on lines of an exchange, or ring telephones; calls that come in on the
/// lines, or are dialled by the telephones, go to the PBX.
#[derive(Debug, Parser)]
#[command(
    name = "ringback gateway",
    version,
    after_help = "\
The least configuration, for a PBX on this machine that is called by SIP on port 5070:

  [[card]]
  device = \"shim:/dev/uio0\"       # as `ringback device` names it
  [line.2]                        # as `ringback lines` numbers it
  trunk = \"sip:127.0.0.1:5070\"

Exit codes:
  0    the configuration is right (--check)
  1    something went wrong (the message says what)
  2    the command line or the configuration is wrong
  7    the cards are gone
  130, 143        ended by Ctrl-C, SIGTERM: all calls were hung up first

SIGHUP has it read the configuration anew, without an end of calls. SIGTERM lets calls end by
themselves for a minute, and takes no new ones meanwhile."
)]
struct Arguments {
    /// The configuration
    #[arg(default_value = "/etc/ringback/gateway.toml")]
    config: PathBuf,
    /// Only say whether the configuration is right; no card is opened
    #[arg(long)]
    check: bool,
    /// Write the man page into this folder, as packages do
    #[arg(long, hide = true, value_name = "FOLDER")]
    manual: Option<PathBuf>,
    /// Log to stderr what happens to calls; -vv also what the card's driver does
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log_to_stderr(arguments.verbose);
    match run(&arguments) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            complain(&failure);
            failure.exit.into()
        }
    }
}

/// Prints an error. What a file contains can't control the terminal by it.
fn complain(failure: &Failure) {
    let text: String =
        failure.text.chars().filter(|c| !c.is_control() || "\n\t".contains(*c)).collect();
    // There is no other place to print to.
    let _ = writeln!(io::stderr(), "ringback gateway: {}", text.trim_end());
}

/// Warnings, and more with `-v`. The SIP stack says nothing: its messages have secrets in them.
fn log_to_stderr(verbose: u8) {
    let filter = match verbose {
        0 => "warn,rsipstack=off",
        1 => "warn,ringback_gateway=info,rsipstack=off",
        _ => "info,ringback_gateway=debug,rsipstack=off",
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(io::stderr)
        // A line that can't be written is dropped; reporting that on stderr would panic.
        .log_internal_errors(false)
        .with_ansi(false)
        .init();
}

/// Writes the man page, made of the program's own arguments.
fn write_manual(folder: &Path) -> io::Result<()> {
    let page = Man::new(Arguments::command().name("ringback-gateway"))
        .source(concat!("Ringback ", env!("CARGO_PKG_VERSION")))
        .manual("User Commands");
    let mut text = Vec::new();
    page.render(&mut text)?;
    // What follows the options has lines and columns of its own: an example, exit codes.
    let text = String::from_utf8_lossy(&text).replace(".SH EXTRA\n", ".SH NOTES\n.nf\n");
    fs::create_dir_all(folder)?;
    fs::write(folder.join(page.get_filename()), text)
}

fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    if let Some(folder) = &arguments.manual {
        return write_manual(folder).map(|()| Exit::Done).map_err(|error| {
            Failure::failed(format_args!("{} can't be written: {error}", folder.display()))
        });
    }
    let config = Config::load(&arguments.config).map_err(|text| Failure::new(Exit::Usage, text))?;
    if arguments.check {
        let numbers: Vec<String> = config.lines.keys().map(ToString::to_string).collect();
        let name = arguments.config.display();
        let told = writeln!(io::stdout(), "{name} is right; it has lines {}", numbers.join(", "));
        return told.map(|()| Exit::Done).map_err(Failure::failed);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime
        .map_err(|error| Failure::failed(format_args!("the gateway can't be started: {error}")))?;
    runtime.block_on(serve(config, &arguments.config))
}

/// The signals that stop it.
struct Stops {
    interrupt: Signal,
    terminate: Signal,
}

impl Stops {
    fn install() -> io::Result<Stops> {
        Ok(Stops {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The number of the next one. Cancel-safe.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 2,
            _ = self.terminate.recv() => 15,
        }
    }
}

async fn serve(config: Config, path: &Path) -> Result<Exit, Failure> {
    let uncaught = |error| Failure::failed(format_args!("signals can't be caught: {error}"));
    let mut stops = Stops::install().map_err(uncaught)?;
    let mut reloads = signal(SignalKind::hangup()).map_err(uncaught)?;
    let mut gateway = tokio::select! {
        started = Gateway::start(config, None) => started?,
        number = stops.next() => return Ok(Exit::Signal(number)),
    };
    let manager = ServiceManager::of_environment();
    manager.ready();
    let manager = Arc::new(manager);
    if let Some(period) = manager.sign_of_life() {
        // It is given only as long as the gateway's one thread works.
        let manager = Arc::clone(&manager);
        tokio::spawn(async move {
            let mut due = tokio::time::interval(period);
            loop {
                due.tick().await;
                manager.alive();
            }
        });
    }
    let exit = loop {
        tokio::select! {
            () = gateway.lines_gone() => {
                complain(&Failure::failed("the cards are gone: see `ringback device`"));
                break Exit::Gone;
            }
            number = stops.next() => break Exit::Signal(number),
            _ = reloads.recv() => {}
        }
        manager.reloading();
        let config = Config::load(path).map_err(|text| Failure::new(Exit::Usage, text));
        let reloaded = match config {
            Ok(config) => gateway.reload(config).await,
            Err(failure) => Err(failure),
        };
        match reloaded {
            Ok(()) => info!("the configuration was read anew"),
            Err(failure) => complain(&failure),
        }
        manager.ready();
    };
    manager.stopping();
    if exit == Exit::Signal(15) {
        tokio::select! {
            () = gateway.drain(DRAIN) => {}
            _ = stops.next() => {}
        }
    }
    tokio::select! {
        () = gateway.stop() => {}
        // The cards are made safe all the same.
        _ = stops.next() => {}
    }
    Ok(exit)
}
