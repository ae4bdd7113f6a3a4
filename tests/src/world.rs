//! A host on a software card.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ringback_driver::card::tiger320::{Options, Tiger320};
use ringback_driver::device::soft::SoftDevice;
use ringback_softcard::{
    Behaviour, CardConfig, Exchange, ExchangeConfig, LineOptions, ModuleKind, RealClock, SoftCard,
};
use ringback_tspi::host::{self, Host, Line};
use ringback_tspi::provider::{CardProvider, OpenError, Provider};

use crate::{Watched, Witness};

/// A telephone's line.
pub const FXS: u32 = 0;
/// A line of the exchange, number 102.
pub const FXO: u32 = 2;
/// A line of the exchange that reverses battery when the called party answers, number 103.
pub const SUPERVISED: u32 = 3;

/// A card with telephones on lines 0 and 1 and an exchange on lines 2 and 3, with its clock running,
/// and a host on it. Subscriber 200 of the exchange answers in the first ring, 201 never.
///
/// Dropping it shuts the host down and has the witness judge.
pub struct World {
    /// The card, for faults.
    pub card: SoftCard,
    /// The host.
    pub host: Host,
    /// The provider, for what a host does not do.
    pub provider: Arc<dyn Provider>,
    /// Who judges.
    pub witness: Arc<Witness>,
    _clock: RealClock,
}

impl World {
    /// A world without an observer.
    pub fn new() -> World {
        World::with(host::Options::default())
    }

    /// A world whose host has these options.
    pub fn with(options: host::Options) -> World {
        let line = |number: &str, polarity_on_answer| LineOptions {
            number: number.into(),
            polarity_on_answer,
            ..LineOptions::default()
        };
        let card = SoftCard::new(CardConfig {
            modules: [ModuleKind::Fxs, ModuleKind::Fxs, ModuleKind::Fxo, ModuleKind::Fxo],
            lines: [line("", false), line("", false), line("102", false), line("103", true)],
            exchange: ExchangeConfig { inter_digit_ms: 600, ..ExchangeConfig::default() },
        });
        card.exchange().add_subscriber("200", Behaviour::AnswerAfterRings(1));
        card.exchange().add_subscriber("201", Behaviour::Manual);
        let provider = provider(&card).expect("the software card comes up");
        let provider: Arc<dyn Provider> = Arc::new(provider);
        let witness = Arc::new(Witness::default());
        let watched: Arc<dyn Provider> =
            Arc::new(Watched::new(Arc::clone(&provider), Arc::clone(&witness)));
        let clock = RealClock::start_patient(&card);
        let host = Host::start(Arc::clone(&watched), options).expect("the host starts");
        World { card, host, provider: watched, witness, _clock: clock }
    }

    /// The exchange.
    pub fn exchange(&self) -> Exchange {
        self.card.exchange()
    }

    /// Opens a line and waits until it is in service.
    pub fn open(&self, device_id: u32) -> Line {
        let line = self.host.open(device_id).expect("the line opens");
        crate::eventually("the line is in service", || {
            line.status().is_ok_and(|status| status.in_service)
        });
        line
    }
}

impl Default for World {
    fn default() -> World {
        World::new()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.host.shutdown();
        if !thread::panicking() {
            self.witness.judge();
        }
    }
}

/// The provider of a software card, brought up in the card's own time, which is no time.
fn provider(card: &SoftCard) -> Result<CardProvider<SoftDevice<SoftCard>>, OpenError> {
    let card = card.clone();
    CardProvider::new(move || {
        let mut pass = |time: Duration| {
            card.advance(u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1));
        };
        let device = SoftDevice::card(card.clone()).map_err(OpenError::Soft)?;
        Ok(Tiger320::open(device, Options::default(), &mut pass)?)
    })
}
