//! A software card, its provider, and a host on it.

use std::num::NonZeroU32;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use ringback_country::{Country, Profile};
use ringback_driver::card::PortCardKind;
use ringback_driver::card::tiger320::Tdm400p;
use ringback_driver::device::soft::SoftDevice;
use ringback_driver::request::RequestId;
use ringback_host::{
    Call, CallOptions, CloseError, Closed, Events, Host, HostOptions, Line, Pending,
};
use ringback_provider::{
    CardProvider, DeviceConfig, ExchangeOptions, OpenError, SlotReport, Slots, config_block,
};
use ringback_softcard::{
    Behaviour, CardConfig, Exchange, ExchangeConfig, LineOptions, LineState, ModuleKind, RealClock,
    SoftCard, Telephone,
};
use ringback_tspi::EvenPoisoned;
use ringback_tspi::callstate::CallState;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::provider::Provider;
use ringback_tspi::types::{HDRVCALL, HDRVLINE, HTAPICALL};

use crate::{Witness, watched};

/// The device id of a telephone's line.
pub const FXS: u32 = 0;
/// The device id of a line of the exchange, number 102.
pub const FXO: u32 = 2;
/// The device id of a line of the exchange, number 103, which reverses battery when the called
/// party answers.
pub const SUPERVISED: u32 = 3;

/// A software card with its clock running, and its provider with a witness: telephones on lines 0
/// and 1, an exchange on lines 2 and 3. Subscriber 200 of the exchange answers in the first ring;
/// 201 does nothing by itself.
pub struct Bench {
    /// The card, for faults.
    pub card: SoftCard,
    /// The provider, behind the witness.
    pub provider: Arc<dyn Provider>,
    /// Checks the rules of the contract.
    pub witness: Arc<Witness>,
    bare: Arc<dyn Provider>,
    slots: Arc<dyn Slots>,
    clock: Mutex<Option<RealClock>>,
    haste: NonZeroU32,
}

impl Bench {
    /// Starts a card and brings it up; the provider is not started.
    pub fn new() -> Bench {
        Bench::with(NonZeroU32::MIN, |provider| provider)
    }

    /// As [`new`](Bench::new), with a card whose time runs `haste` times as fast, and with a layer
    /// between its provider and the witness.
    pub fn with(
        haste: NonZeroU32,
        wrap: impl FnOnce(Arc<dyn Provider>) -> Arc<dyn Provider>,
    ) -> Bench {
        let line = |number: &str, polarity_on_answer| LineOptions {
            number: number.into(),
            polarity_on_answer,
            ..LineOptions::default()
        };
        let lines = [line("", false), line("", false), line("102", false), line("103", true)];
        Bench::build(haste, [Country::default(); 2], None, lines, wrap)
    }

    /// As [`new`](Bench::new), with an exchange of this profile. The lines do not know it yet.
    pub fn with_profile(profile: &'static Profile) -> Bench {
        let numbers = ["", "", "102", "103"];
        let line = |number: &str| LineOptions { number: number.into(), ..LineOptions::default() };
        let (countries, lines) = ([Country::default(); 2], numbers.map(line));
        Bench::build(NonZeroU32::MIN, countries, Some(profile), lines, |provider| provider)
    }

    /// As [`new`](Bench::new), with an exchange in one country and lines set for another, four
    /// times as fast. On both lines of the exchange only tones signal that the far end has hung up.
    pub fn abroad(exchange: Country, lines: Country) -> Bench {
        let line = |number: &str| LineOptions {
            number: number.into(),
            loop_break_ms: 0,
            ..LineOptions::default()
        };
        let haste = NonZeroU32::new(4).unwrap_or(NonZeroU32::MIN);
        let numbers = ["", "", "102", "103"].map(line);
        Bench::build(haste, [exchange, lines], None, numbers, |provider| provider)
    }

    /// As [`new`](Bench::new), in a country, with an exchange of this profile, of which the lines
    /// know nothing.
    pub fn flashing(country: Country, profile: &'static Profile) -> Bench {
        let line = |number: &str| LineOptions { number: number.into(), ..LineOptions::default() };
        let numbers = ["", "", "102", "103"].map(line);
        Bench::build(NonZeroU32::MIN, [country; 2], Some(profile), numbers, |provider| provider)
    }

    fn build(
        haste: NonZeroU32,
        [country, ours]: [Country; 2],
        profile: Option<&'static Profile>,
        lines: [LineOptions; 4],
        wrap: impl FnOnce(Arc<dyn Provider>) -> Arc<dyn Provider>,
    ) -> Bench {
        let card = SoftCard::new(CardConfig {
            modules: [ModuleKind::Fxs, ModuleKind::Fxs, ModuleKind::Fxo, ModuleKind::Fxo],
            lines,
            exchange: ExchangeConfig {
                country,
                profile,
                inter_digit_ms: 600,
                ..ExchangeConfig::default()
            },
        });
        card.exchange().add_subscriber("200", Behaviour::AnswerAfterRings(1));
        card.exchange().add_subscriber("201", Behaviour::Manual);
        let slots: Arc<dyn Slots> =
            Arc::new(provider(&card, ours).expect("the software card comes up"));
        let bare = wrap(Arc::clone(&slots) as Arc<dyn Provider>);
        let witness = Arc::new(Witness::default());
        let provider = Arc::new(watched(Arc::clone(&bare), Arc::clone(&witness)));
        let clock = Mutex::new(Some(RealClock::start_hurried(&card, haste).unwrap()));
        Bench { card, provider, witness, bare, slots, clock, haste }
    }

    /// Tells a line of the exchange which profile that has, by its device id.
    ///
    /// # Panics
    /// If the provider refuses it.
    pub fn set_profile(&self, device_id: u32, profile: &'static Profile) {
        let options = ExchangeOptions { profile: Some(profile), ..ExchangeOptions::default() };
        let country = Country::default().to_string();
        let block = config_block(&DeviceConfig::Exchange { country, options });
        let set = self.provider.line_set_dev_config(device_id, &block, "tapi/line");
        set.expect("it is a line of the exchange");
    }

    /// Calls TSPI_lineMakeCall, which has returned to TAPI when this returns.
    ///
    /// # Panics
    /// If the provider refuses the call.
    pub fn make_call(
        &self,
        request: RequestId,
        line: HDRVLINE,
        tapi: HTAPICALL,
        number: Option<&str>,
    ) -> HDRVCALL {
        let made = self.provider.line_make_call(request, line, tapi, number, 0, None);
        let (call, ticket) = made.expect("the call is accepted");
        ticket.release();
        call
    }

    /// The provider without the witness.
    pub fn bare(&self) -> &Arc<dyn Provider> {
        &self.bare
    }

    /// The state of the card's slots.
    pub fn slots(&self) -> Vec<SlotReport> {
        self.slots.slots()
    }

    /// The exchange behind lines 2 and 3.
    pub fn exchange(&self) -> Exchange {
        self.card.exchange()
    }

    /// The telephone of a subscriber of the exchange.
    pub fn subscriber(&self, number: &str) -> Telephone {
        self.exchange().subscriber(number).expect("a subscriber of the exchange")
    }

    /// Waits until one of the exchange's lines is in this state.
    pub fn until_line(&self, number: &str, state: LineState) {
        crate::eventually("the exchange's line comes into the state", || {
            self.exchange().state(number) == Some(state)
        });
    }

    /// Calls `act` while the card's clock is stopped.
    pub fn frozen<R>(&self, act: impl FnOnce() -> R) -> R {
        let mut clock = self.clock.lock().even_poisoned();
        drop(clock.take());
        let result = act();
        *clock = Some(RealClock::start_hurried(&self.card, self.haste).unwrap());
        result
    }

    /// Stops the card's clock for good.
    pub fn stop_clock(&self) {
        self.clock.lock().even_poisoned().take();
    }

    /// Waits until so much of the card's own time has passed.
    pub fn pass(&self, time: Duration) {
        let until = self.card.now_ms() + u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        crate::eventually("the card's time passes", || self.card.now_ms() >= until);
    }
}

impl Default for Bench {
    fn default() -> Bench {
        Bench::new()
    }
}

/// A host on a [`Bench`]. Dropping it shuts the host down and checks the witness.
pub struct World {
    bench: Bench,
    /// The host with the card's lines.
    pub host: Arc<Host>,
}

impl World {
    /// Starts a host without an observer.
    pub fn new() -> World {
        World::with(HostOptions::default())
    }

    /// As [`World::new`], on [`Bench::abroad`].
    pub fn abroad(exchange: Country, lines: Country) -> World {
        World::on(Bench::abroad(exchange, lines), HostOptions::default())
    }

    /// Starts a host with these options.
    pub fn with(options: HostOptions) -> World {
        World::on(Bench::new(), options)
    }

    fn on(bench: Bench, options: HostOptions) -> World {
        let host = Host::start(Arc::clone(&bench.provider), options).expect("the host starts");
        World { bench, host: Arc::new(host) }
    }

    /// Opens a line and waits until it is in service.
    pub fn open(&self, device_id: u32) -> Line {
        let line = self.host.open(device_id).expect("the line opens");
        crate::eventually("the line is in service", || {
            line.status().is_ok_and(|status| status.in_service)
        });
        line
    }

    /// Makes a call from [`SUPERVISED`] to subscriber 200, and waits until it is connected.
    pub fn connected(&self, line: &Line, events: &Events) -> Call {
        let call = crate::make(line, "200");
        crate::state(events, &call, CallState::Connected);
        call
    }

    /// Opens [`SUPERVISED`] and makes a call from it to subscriber 200; returns them when it is
    /// connected.
    pub fn talking(&self) -> (Line, Events, Call) {
        let line = self.open(SUPERVISED);
        let events = line.events();
        let call = self.connected(&line, &events);
        (line, events, call)
    }

    /// Makes a call from [`FXO`] that waits for dial tone. It goes on when the line with number 102
    /// is plugged in, and fails with CALLUNAVAIL if that does not happen within `dial_tone_ms`.
    pub fn stuck(&self, line: &Line, dial_tone_ms: u32) -> Pending<Call> {
        let timing = DialTiming { dial_tone_ms, ..DialTiming::default() };
        let options =
            CallOptions { only_if_idle: true, timing: Some(timing), ..CallOptions::default() };
        self.frozen(|| {
            let made = line.make_call("200", &options).expect("the call is accepted");
            self.exchange().unplug("102").expect("the line is there");
            made
        })
    }
}

impl Deref for World {
    type Target = Bench;
    fn deref(&self) -> &Bench {
        &self.bench
    }
}

impl Default for World {
    fn default() -> World {
        World::new()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        judge_end(&self.host, &self.witness, self.host.shutdown());
    }
}

/// Asserts at the end of a test that its host was shut down in order, and that all the contract's
/// rules were kept until then. Does nothing in a test that has failed.
pub(crate) fn judge_end(host: &Host, witness: &Witness, down: Result<Closed, CloseError>) {
    if !thread::panicking() {
        down.expect("the host shuts down in order");
        witness.judge();
        let counts = host.counts();
        assert_eq!(counts.requests, counts.completed + counts.lost, "{counts:?}");
        assert_eq!((counts.early, counts.duplicate), (0, 0), "{counts:?}");
    }
}

/// Brings a software card up in virtual time, which takes no real time, and makes its provider.
fn provider(
    card: &SoftCard,
    country: Country,
) -> Result<CardProvider<SoftDevice<SoftCard>>, OpenError> {
    let card = card.clone();
    CardProvider::new(move || {
        let mut pass = |time: Duration| {
            card.advance(u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1));
        };
        let device = SoftDevice::card(card.clone()).map_err(OpenError::Soft)?;
        Ok(Tdm400p::open(device, country, &mut pass)?)
    })
}
