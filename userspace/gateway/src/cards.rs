//! Opens the cards and sets their lines up.

use std::sync::Arc;

use ringback_country::Country;
use ringback_driver::device::selector::Selector;
use ringback_driver::reactor::{Granted, Realtime};
use ringback_host::{Host, HostOptions, Line, LineInfo, Phone};
use ringback_provider::{
    Answer, CardOptions, DeviceConfig, Slots, TelephoneOptions, config_block, open_card,
};
use ringback_softcard::{RealClock, SoftCard, scenery};
use ringback_tspi::constants::{
    PHONEBUTTONMODE_FEATURE, PHONEBUTTONSTATE_DOWN, PHONEBUTTONSTATE_UP,
};
use ringback_tspi::dev_specific::LineKind;
use ringback_tspi::error::{LineError, PhoneError};
use ringback_tspi::provider::Provider;
use tracing::warn;

use crate::config::{CardConfig, LineConfig};
use crate::exit::{Exit, Failure};

/// The device class of a line's configuration.
const CLASS: &str = "tapi/line";
/// The longest time that a processor may take to leave an idle state, in microseconds.
const IDLE_LATENCY_US: u16 = 10;

/// A card that was opened.
struct OpenCard {
    provider: Arc<dyn Provider>,
    country: Country,
    /// The number behind that of its last line.
    end: usize,
}

/// What a line is set to, and what is known of it before it is open.
pub(crate) struct LineSettings {
    provider: Arc<dyn Provider>,
    number: u32,
    device: DeviceConfig,
    /// Its place among the lines of all cards.
    place: usize,
    kind: LineKind,
    /// Whether exchanges of its country tell who calls.
    pub(crate) tells_callers: bool,
}

impl LineSettings {
    /// Sets the line. A call that it has keeps what it began with, as far as the line can.
    ///
    /// # Errors
    /// The line is gone.
    pub(crate) fn apply(&self) -> Result<(), LineError> {
        self.provider.line_set_dev_config(self.number, &config_block(&self.device), CLASS)
    }

    /// Has a telephone ring so for its next call, 1 to 3.
    ///
    /// # Errors
    /// The line is gone.
    pub(crate) fn set_ring_mode(&mut self, mode: u32) -> Result<(), LineError> {
        match &mut self.device {
            DeviceConfig::Telephone { options } if options.ring_mode != mode => {
                options.ring_mode = mode;
                self.apply()
            }
            _ => Ok(()),
        }
    }
}

/// A line that was opened.
pub(crate) struct OpenLine {
    pub(crate) line: Line,
    /// Its telephone; `None` for a line of an exchange.
    pub(crate) telephone: Option<Arc<Phone>>,
    pub(crate) settings: LineSettings,
}

/// The cards, running. Dropping it hangs up and makes them safe, and stops the software card's
/// clock only then.
pub(crate) struct Cards {
    host: Host,
    cards: Vec<OpenCard>,
    _clocks: Vec<RealClock>,
    _latency: Option<Granted>,
}

impl Cards {
    /// Brings the cards up, which takes a second or more. `soft` is the first software card of the
    /// configuration, if it is not to be one with the usual subscribers.
    ///
    /// # Errors
    /// A card can't be opened: its name, the cause and the cure.
    pub(crate) fn open(
        config: &[CardConfig],
        mut soft: Option<SoftCard>,
    ) -> Result<Cards, Failure> {
        let (mut clocks, mut opened) = (Vec::new(), Vec::new());
        let real = config.iter().any(|card| card.device != Selector::Soft);
        let realtime = Realtime { idle_latency_us: Some(IDLE_LATENCY_US), ..Realtime::default() };
        // Interrupts of a real card that come late from deep idle states distort its sound.
        let latency = real.then(|| realtime.apply());
        for CardConfig { device, country } in config {
            let failed = |error: &dyn std::fmt::Display, gone| {
                let exit = if gone { Exit::Gone } else { Exit::Failed };
                Failure::new(exit, format_args!("{device}: {error}"))
            };
            let mut options = CardOptions { country: *country, ..CardOptions::default() };
            if *device == Selector::Soft {
                let card = soft.take().unwrap_or_else(|| {
                    let card = scenery::card(*country);
                    scenery::furnish(&card);
                    card
                });
                let clock = RealClock::start_patient(&card);
                clocks.push(clock.map_err(|error| failed(&error, false))?);
                options.soft = Some(card);
            }
            let provider: Arc<dyn Slots> = Arc::from(
                open_card(device, options).map_err(|error| failed(&error, error.is_gone()))?,
            );
            opened.push((device, provider, *country));
        }
        let mut host: Option<Host> = None;
        let mut cards = Vec::new();
        for (device, provider, country) in opened {
            let provider: Arc<dyn Provider> = provider;
            let started = match &mut host {
                Some(host) => host.add(Arc::clone(&provider)),
                None => Host::start(Arc::clone(&provider), HostOptions::default())
                    .map(|started| host = Some(started)),
            };
            started.map_err(|error| {
                Failure::failed(format_args!("{device} can't be started: {error}"))
            })?;
            let end = host.as_ref().map_or(0, |host| host.lines().len());
            cards.push(OpenCard { provider, country, end });
        }
        let host = host.ok_or_else(|| Failure::failed("there is no card"))?;
        Ok(Cards { host, cards, _clocks: clocks, _latency: latency })
    }

    /// What a line is set to by its configuration. Nothing is set yet.
    ///
    /// # Errors
    /// There is no such line, or it is a modem's, or its configuration is for another kind.
    pub(crate) fn settings(
        &self,
        number: u32,
        config: &LineConfig,
    ) -> Result<LineSettings, Failure> {
        let lines = self.host.lines();
        let place = lines.iter().position(|line| line.device_id == number);
        let card = place.and_then(|place| self.cards.iter().find(|card| place < card.end));
        let (Some(place), Some(card)) = (place, card) else {
            return Err(Failure::new(
                Exit::Usage,
                format_args!("[line.{number}]: there is no such line, only {}", names(lines)),
            ));
        };
        let wrong = |what| Failure::new(Exit::Usage, format_args!("[line.{number}]: {what}"));
        let exchange = config.exchange;
        let (kind, device) = match lines.get(place).and_then(|line| line.kind) {
            Some(LineKind::Fxo) if config.mailbox.is_some() => {
                return Err(wrong("mailbox is for telephones (FXS)"));
            }
            Some(kind @ LineKind::Fxo) => {
                let country = card.country.to_string();
                (kind, DeviceConfig::Exchange { country, options: exchange })
            }
            Some(LineKind::Fxs) if exchange.answer != Answer::Any || exchange.silence.is_some() => {
                return Err(wrong("answer and silence are for lines of an exchange (FXO)"));
            }
            Some(kind @ LineKind::Fxs) => {
                let sound = exchange.sound;
                let options = TelephoneOptions { sound, ..TelephoneOptions::default() };
                (kind, DeviceConfig::Telephone { options })
            }
            _ => return Err(wrong("the gateway serves exchange lines (FXO) and telephones (FXS)")),
        };
        let provider = Arc::clone(&card.provider);
        let tells_callers = card.country.caller_id().is_some();
        Ok(LineSettings { provider, number, device, place, kind, tells_callers })
    }

    /// Sets a line up and opens it, with its telephone.
    ///
    /// # Errors
    /// It is used by another program, or the gateway has it still open.
    pub(crate) fn open_line(
        &self,
        number: u32,
        settings: LineSettings,
    ) -> Result<OpenLine, Failure> {
        let failed = |error: LineError| {
            Failure::failed(format_args!("line {number} can't be opened: {error}"))
        };
        settings.apply().map_err(failed)?;
        let line = self.host.open(number).map_err(failed)?;
        let telephone = match settings.kind {
            LineKind::Fxs => Some(self.telephone(settings.place).map_err(|error| {
                Failure::failed(format_args!(
                    "the telephone of line {number} can't be opened: {error}"
                ))
            })?),
            _ => None,
        };
        Ok(OpenLine { line, telephone, settings })
    }

    /// Opens the telephone of the line in this place. Phones are in the order of their lines.
    fn telephone(&self, place: usize) -> Result<Arc<Phone>, PhoneError> {
        let before = self.host.lines().iter().take(place);
        let phones = before.filter(|line| line.kind == Some(LineKind::Fxs)).count();
        let info = self.host.phones().get(phones).ok_or(PhoneError::NODEVICE)?;
        let phone = self.host.open_phone(info.device_id)?;
        let states = PHONEBUTTONSTATE_DOWN | PHONEBUTTONSTATE_UP;
        phone.set_status_messages(0, PHONEBUTTONMODE_FEATURE, states)?;
        // Whoever fetches events from now on gets those from then on.
        drop(phone.events());
        Ok(Arc::new(phone))
    }

    /// Hangs up and makes the cards safe.
    pub(crate) fn shut_down(&self) {
        if let Err(error) = self.host.shutdown() {
            warn!("the cards were not shut down in order: {error}");
        }
    }
}

impl Drop for Cards {
    fn drop(&mut self) {
        self.shut_down();
    }
}

/// `0 (FXS), 2 (FXO)`.
fn names(lines: &[LineInfo]) -> String {
    let name = |line: &LineInfo| match line.kind {
        Some(kind) => format!("{} ({kind})", line.device_id),
        None => line.device_id.to_string(),
    };
    lines.iter().map(name).collect::<Vec<_>>().join(", ")
}
