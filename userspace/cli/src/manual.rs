//! Man pages and the completions of shells, made of the program's own arguments, for packages.
//!
//! Rule: what `--help` shows is in them, and nothing that it hides.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::exit::Failure;
use crate::files::not_written;

/// The command whose page its own program writes (`ringback-gateway --manual FOLDER`).
const OTHER_PROGRAM: &str = "gateway";

/// Write the man pages and the completions of bash, zsh and fish into a folder, as packages do
///
/// The page of the gateway is written by `ringback-gateway --manual FOLDER`.
#[derive(Debug, Args)]
#[command(hide = true)]
pub(crate) struct Manual {
    /// The folder, which is made if it is not there: `ringback*.1`, `ringback.bash`, `_ringback`,
    /// `ringback.fish`
    folder: PathBuf,
}

impl Manual {
    /// Writes the pages and completions of the program with these arguments.
    pub(crate) fn run(&self, program: &Command) -> Result<(), Failure> {
        self.write(program).map_err(|error| not_written(&self.folder, &error))
    }

    fn write(&self, program: &Command) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mut command = shown(program);
        command.build();
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            clap_complete::generate_to(shell, &mut command.clone(), "ringback", &self.folder)?;
        }
        self.write_pages(&command)
    }

    /// Writes the page of a command, and those of its subcommands.
    fn write_pages(&self, command: &Command) -> io::Result<()> {
        for subcommand in command.get_subcommands() {
            if subcommand.get_name() != OTHER_PROGRAM {
                self.write_pages(subcommand)?;
            }
        }
        let page = Man::new(command.clone())
            .source(concat!("Ringback ", env!("CARGO_PKG_VERSION")))
            .manual("User Commands");
        let mut text = Vec::new();
        page.render(&mut text)?;
        // What follows the options has lines and columns of its own: examples, exit codes.
        let text = String::from_utf8_lossy(&text).replace(".SH EXTRA\n", ".SH NOTES\n.nf\n");
        fs::write(self.folder.join(page.get_filename()), text)
    }
}

/// The program's arguments without the commands that `--help` hides. Completions of shells would
/// offer them.
fn shown(all: &Command) -> Command {
    let commands = all.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    // `ringback help call` prints what `ringback call --help` does, and needs no page.
    let mut shown = Command::new("ringback")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_subcommand(true)
        .args(all.get_arguments().cloned())
        .subcommands(commands);
    if let Some(about) = all.get_about() {
        shown = shown.about(about.clone());
    }
    if let Some(notes) = all.get_after_help() {
        shown = shown.after_help(notes.clone());
    }
    shown
}
