//! `ringback softcard`: serves the software card to virtual machines.

use std::fs::{Permissions, set_permissions};
use std::io::{self, BufReader};
use std::num::NonZeroU32;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use ringback_country::Country;
use ringback_softcard::control::{Control, ControlSocket};
use ringback_softcard::vfio_user::Server;
use ringback_softcard::{
    CardConfig, ExchangeConfig, Fault, ModuleKind, RealClock, SLOTS, SoftCard, UnknownModule,
};

use crate::country_file::parse_country;
use crate::exit::{Exit, Failure};
use crate::output::note;
use crate::signals::{Signals, no_thread, spawn};

/// Serve the software card to virtual machines as a PCI device (vfio-user), until Ctrl-C
///
/// A machine of QEMU 10.1 or newer has a TDM400P with telephones and an exchange, and any driver
/// of the real card works with it. Machines may connect one after the other; each finds the card as
/// after power-on. The far ends are controlled by commands, one per line, on stdin or at the socket
/// of --control: `help` lists them, and each has a line of JSON as its reply.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Softcard {
    /// The socket to which QEMU connects; given again, it adds another card
    #[arg(long, value_name = "SOCKET", required = true)]
    vfio_user: Vec<PathBuf>,
    /// The modules in slots 0 to 3: fxs, fxs-si3215, fxo, fxo-si3018 or empty. The exchange's line
    /// at slot N is number 10N
    #[arg(long, value_name = "MODULE,...", default_value = "fxs,fxs,fxo,fxo")]
    modules: Modules,
    /// The country of the exchange and of the telephones: DAHDI's name, the English one or the ISO
    /// code (a wrong name lists them all), LINE/TONES, or FILE.toml, a country of your own
    #[arg(long, value_name = "COUNTRY", value_parser = parse_country, default_value_t)]
    country: Country,
    /// Let one of the card's milliseconds take N real ones, and wait for a slow machine. Take 2 for
    /// a machine without KVM
    #[arg(long, value_name = "N", default_value = "1")]
    time_scale: NonZeroU32,
    /// Begin with this fault (a wrong name lists them all); may be given again
    #[arg(long, value_name = "NAME")]
    fault: Vec<Fault>,
    /// Take commands for the far ends at this socket, too
    #[arg(long, value_name = "SOCKET")]
    control: Option<PathBuf>,
    /// Let other users connect: the mode of the sockets, in octal, such as 0660. Whoever connects
    /// can do anything to the card
    #[arg(long, value_name = "MODE")]
    socket_mode: Option<Mode>,
}

/// The mode of a file, as chmod takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mode(u32);

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Mode, String> {
        match u32::from_str_radix(text, 8) {
            Ok(mode) if mode <= 0o777 => Ok(Mode(mode)),
            _ => Err("write an octal number up to 777, such as 0660".to_owned()),
        }
    }
}

const EXAMPLES: &str = "\
Example:
  ringback softcard --vfio-user /tmp/card.sock --modules fxs,fxo --control /tmp/card.control

and the virtual machine, whose memory has to be shared with the card:
  qemu-system-x86_64 -m 512 -machine q35,memory-backend=ram \\
    -object memory-backend-memfd,id=ram,size=512M,share=on \\
    -device '{\"driver\":\"vfio-user-pci\",\"socket\":{\"type\":\"unix\",\
     \"path\":\"/tmp/card.sock\"}}' ...

Commands for the far ends, on stdin:
  telephone 0 off-hook
  telephone 0 dial 5550100
  subscriber 5550100 add
  subscriber 5550100 answer-after 1
  subscriber 5550100 call 101
  exchange country Japan
  fault master-abort on
  state";

/// The modules of a card. Slots that are not named are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Modules([ModuleKind; SLOTS]);

impl FromStr for Modules {
    type Err = String;

    fn from_str(names: &str) -> Result<Modules, String> {
        let mut modules = [ModuleKind::Empty; SLOTS];
        if names.split(',').count() > SLOTS {
            return Err(format!("a card has {SLOTS} slots"));
        }
        for (slot, name) in modules.iter_mut().zip(names.split(',')) {
            *slot = name.parse().map_err(|error: UnknownModule| error.to_string())?;
        }
        Ok(Modules(modules))
    }
}

impl Softcard {
    pub(crate) fn run(self, signals: &Signals) -> Result<(), Failure> {
        self.check_sockets()?;
        let cards: Vec<SoftCard> = self.vfio_user.iter().map(|_| self.card()).collect();
        let control = Control::new(cards.clone());
        let mut served = Vec::new();
        for (card, socket) in cards.iter().zip(&self.vfio_user) {
            let (theirs, path) = (card.clone(), socket.clone());
            let server = signals.interruptible("listen", move || Server::start(&theirs, path))?;
            let server = server.map_err(Failure::failed)?;
            let clock = RealClock::start_slowed(card, self.time_scale).map_err(no_thread)?;
            served.push((server, clock));
        }
        let mut control_socket = None;
        if let Some(path) = self.control.clone() {
            let control = control.clone();
            let socket = signals.interruptible("listen", || ControlSocket::start(control, path))?;
            control_socket = Some(socket.map_err(Failure::failed)?);
        }
        for path in self.vfio_user.iter().chain(&self.control) {
            self.let_in(path)?;
        }
        for socket in &self.vfio_user {
            note(format_args!("a card waits for its machine at {}", socket.display()));
        }
        take_commands(control)?;
        let ended = signals.wait();
        drop(control_socket);
        ended
    }

    /// Gives the socket the mode of `--socket-mode`, if there is one.
    fn let_in(&self, path: &Path) -> Result<(), Failure> {
        let Some(Mode(mode)) = self.socket_mode else { return Ok(()) };
        set_permissions(path, Permissions::from_mode(mode)).map_err(|error| {
            let path = path.display();
            Failure::failed(format_args!("{path} can't be given the mode {mode:04o}: {error}"))
        })
    }

    /// Without this check the second of two sockets at one path would only fail with "in use".
    fn check_sockets(&self) -> Result<(), Failure> {
        let mut seen = Vec::new();
        for path in self.vfio_user.iter().chain(&self.control) {
            if seen.contains(&path) {
                let path = path.display();
                let text = format!(
                    "{path} is named twice: each card has a socket of its own, and --control \
                     another"
                );
                return Err(Failure::new(Exit::Usage, text));
            }
            seen.push(path);
        }
        Ok(())
    }

    fn card(&self) -> SoftCard {
        let card = SoftCard::new(CardConfig {
            modules: self.modules.0,
            exchange: ExchangeConfig { country: self.country, ..ExchangeConfig::default() },
            ..CardConfig::default()
        });
        for fault in &self.fault {
            card.set_fault(*fault, true);
        }
        card
    }
}

/// Reads commands from stdin until it ends. The thread is abandoned at the end of the program,
/// because nothing can wake it from a read.
fn take_commands(control: Control) -> Result<(), Failure> {
    let talk = move || {
        if let Err(error) = control.converse(BufReader::new(io::stdin()), io::stdout()) {
            note(format_args!("no more commands from stdin: {error}"));
        }
    };
    spawn("stdin", talk)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ModuleKind::{Empty, Fxo, Fxs};

    #[test]
    fn a_mode_is_octal() {
        assert_eq!("0660".parse(), Ok(Mode(0o660)));
        for wrong in ["", "8", "1777", "rw", "-1"] {
            assert!(wrong.parse::<Mode>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn modules_are_named_slot_by_slot() {
        assert_eq!("fxs,fxo,empty,fxs".parse(), Ok(Modules([Fxs, Fxo, Empty, Fxs])));
        assert_eq!("fxo".parse(), Ok(Modules([Fxo, Empty, Empty, Empty])));
        for wrong in ["", "fxs,", "FXS", "fxs,fxs,fxs,fxs,fxs"] {
            assert!(wrong.parse::<Modules>().is_err(), "{wrong:?}");
        }
        let error = "fxs,what".parse::<Modules>().unwrap_err();
        assert!(error.contains("\"what\"") && error.contains("fxo"), "{error}");
    }
}
