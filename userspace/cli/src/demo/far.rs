//! The far ends of the card, telephones and exchange: what they do and what they have heard.
//!
//! Rule: the demo always controls them with the commands of `ringback softcard`, whether the card
//! is in this process or in another one, so that both cases run the same code.

use std::path::Path;
use std::sync::{Arc, Mutex};

use ringback_driver::PortNumber;
use ringback_softcard::SoftCard;
use ringback_softcard::control::{Client, ClientError, Control};
use ringback_tspi::EvenPoisoned;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::exit::Failure;
use crate::signals::Signals;

/// The result of a step of the demo; the error is a sentence.
pub(super) type Step<T = ()> = Result<T, String>;

/// The far ends of one card. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) enum Far {
    /// The software card of this process.
    Here(Control),
    /// A card of another process, reached by a socket or a serial port.
    There(Arc<Mutex<Client>>),
}

/// A line of the exchange, as the exchange sees it.
#[derive(Debug, Deserialize)]
pub(super) struct ExchangeLine {
    pub(super) number: String,
    pub(super) state: String,
    pub(super) dialled: String,
}

/// A telephone at the other end.
#[derive(Debug)]
pub(super) struct Telephone {
    far: Far,
    /// The prefix of all commands for this telephone.
    name: String,
}

/// The state of a telephone.
#[derive(Debug, Deserialize)]
pub(super) struct TelephoneState {
    pub(super) off_hook: bool,
    pub(super) ringing: bool,
    /// Number of rings of the current call.
    pub(super) rings: u32,
    /// Whether it still speaks or dials.
    pub(super) busy: bool,
    /// The digits that it has heard since it was lifted.
    pub(super) digits: String,
}

impl Far {
    pub(super) fn here(card: &SoftCard) -> Far {
        Far::Here(Control::new(vec![card.clone()]))
    }

    /// Connects to the far ends of a card in another process, and asks them for their state, so
    /// that the card is not touched for far ends that do not answer.
    pub(super) fn there(path: &Path, signals: &Signals) -> Result<Far, Failure> {
        let mut client = Client::open(path).map_err(Failure::failed)?;
        if let Some(event) = signals.event().map_err(Failure::failed)? {
            client.cancel_by(event);
        }
        client
            .ask("state")
            .map_err(|error| signals.check().err().unwrap_or_else(|| Failure::failed(error)))?;
        Ok(Far::There(Arc::new(Mutex::new(client))))
    }

    fn ask(&self, command: &str) -> Result<Value, ClientError> {
        match self {
            Far::Here(control) => control.ask(command),
            Far::There(client) => client.lock().even_poisoned().ask(command),
        }
    }

    fn tell(&self, command: &str) -> Step<Value> {
        self.ask(command).map_err(|error| error.to_string())
    }

    /// Returns the exchange's state of the line at an FXO slot.
    pub(super) fn line(&self, slot: PortNumber) -> Step<ExchangeLine> {
        let mut state = self.tell("state")?;
        let line = state.pointer_mut(&format!("/slots/{slot}/line")).map(Value::take);
        read(line.ok_or_else(|| format!("the exchange has no line at slot {slot}"))?)
    }

    /// The telephone at an FXS slot.
    pub(super) fn telephone(&self, slot: PortNumber) -> Telephone {
        Telephone { far: self.clone(), name: format!("telephone {slot}") }
    }

    /// Returns a subscriber of the exchange, which is created if it is new.
    pub(super) fn subscriber(&self, number: &str) -> Step<Telephone> {
        let name = format!("subscriber {number}");
        self.tell(&format!("{name} add"))?;
        Ok(Telephone { far: self.clone(), name })
    }
}

impl Telephone {
    /// Sends the telephone a command.
    pub(super) fn does(&self, action: &str) -> Step {
        self.far.tell(&format!("{} {action}", self.name)).map(drop)
    }

    pub(super) fn state(&self) -> Step<TelephoneState> {
        read(self.far.tell(&format!("{} state", self.name))?)
    }

    /// Returns the last `ms` milliseconds of what it has heard; less if it has not heard so much
    /// since it was lifted or its memory was cleared.
    pub(super) fn heard(&self, ms: u32) -> Step<Vec<i16>> {
        let mut reply = self.far.tell(&format!("{} heard {ms}", self.name))?;
        read(reply.get_mut("samples").map(Value::take).unwrap_or_default())
    }
}

fn read<T: DeserializeOwned>(value: Value) -> Step<T> {
    serde_json::from_value(value)
        .map_err(|error| format!("the far ends' reply is not understood: {error}"))
}

#[cfg(test)]
mod tests {
    use ringback_softcard::control::ControlSocket;

    use super::*;
    use crate::scenery;

    #[test]
    fn the_far_ends_are_asked_here_and_there() {
        let card = scenery::card(ringback_country::Country::default());
        asked(&card, &Far::here(&card));
        let card = scenery::card(ringback_country::Country::default());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("far");
        let _socket = ControlSocket::start(Control::new(vec![card.clone()]), &path).unwrap();
        asked(&card, &Far::there(&path, &Signals::default()).unwrap());
    }

    fn asked(card: &SoftCard, far: &Far) {
        let line = far.line(PortNumber(3)).unwrap();
        assert_eq!((&*line.number, &*line.state), (scenery::LINE_NUMBERS[1], "idle"));
        assert!(far.line(PortNumber(0)).unwrap_err().contains("no line at slot 0"));
        let telephone = far.telephone(PortNumber(1));
        telephone.does("off-hook").unwrap();
        card.tick();
        assert!(telephone.state().unwrap().off_hook);
        assert!(telephone.does("dance").unwrap_err().contains("dance"));
        assert!(far.telephone(PortNumber(2)).state().unwrap_err().contains("no FXS module"));
        let subscriber = far.subscriber("5550199").unwrap();
        subscriber.does("off-hook").unwrap();
        card.advance(9);
        assert_eq!(subscriber.heard(5).unwrap().len(), 40, "of dial tone");
        assert!(far.subscriber("x").is_err());
    }
}
