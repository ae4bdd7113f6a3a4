//! `ringback gateway`: starts the program `ringback-gateway`, which is beside this one.
//!
//! The gateway is a program of its own, so that SIP and what it needs are not in this one. It takes
//! this program's place: signals, output and exit code are its own.

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use clap::Args;

use crate::exit::Failure;

/// The program's name.
const PROGRAM: &str = "ringback-gateway";

/// Make a card's lines SIP trunks and extensions of a PBX
///
/// `ringback gateway --help` says more.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Gateway {
    /// What the gateway is told
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

impl Gateway {
    /// Becomes the gateway. Returns only if it can't be started.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let own = env::current_exe().map_err(|error| {
            Failure::failed(format_args!("this program does not know where it is: {error}"))
        })?;
        let program = own.parent().unwrap_or(Path::new("/")).join(PROGRAM);
        let error = Command::new(&program).args(&self.arguments).exec();
        let name = program.display();
        Err(Failure::failed(match error.kind() {
            io::ErrorKind::NotFound => format!(
                "{name} is not installed: `make build` builds it, and it belongs beside this \
                 program"
            ),
            _ => format!("{name} can't be started: {error}"),
        }))
    }
}
