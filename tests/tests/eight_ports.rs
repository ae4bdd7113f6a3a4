//! A card with eight ports, made as ARCHITECTURE.md describes for a new card with ports, in a
//! folder of its own (here `tests/joint-card`). Everything that works on a TDM400P has to work on
//! it.

use std::sync::Arc;
use std::time::Duration;

use ringback_driver::PortNumber;
use ringback_driver::card::tiger320::{Tdm400p, Tiger320};
use ringback_driver::card::{Country, PortCardKind};
use ringback_driver::device::soft::SoftDevice;
use ringback_host::{Host, HostOptions};
use ringback_joint_card::JointCard;
use ringback_provider::{LineProvider, OpenError, Slots};
use ringback_softcard::{
    Behaviour, CardConfig, ExchangeConfig, LineOptions, ModuleKind, RealClock, SoftCard,
};
use ringback_tests::{DEADLINE, eventually, incoming, make, state};
use ringback_tspi::callstate::CallState;
use ringback_tspi::dev_specific::LineKind;
use ringback_tspi::provider::Provider;

/// Two parts: telephones on ports 0, 1, 4 and 5, exchange lines on the others.
fn parts() -> [SoftCard; 2] {
    [(); 2].map(|()| {
        let line = |number: &str| LineOptions {
            number: number.into(),
            polarity_on_answer: true,
            ..LineOptions::default()
        };
        let card = SoftCard::new(CardConfig {
            modules: [ModuleKind::Fxs, ModuleKind::Fxs, ModuleKind::Fxo, ModuleKind::Fxo],
            lines: ["", "", "102", "103"].map(line),
            exchange: ExchangeConfig { inter_digit_ms: 600, ..ExchangeConfig::default() },
        });
        card.exchange().add_subscriber("200", Behaviour::AnswerAfterRings(1));
        card.exchange().add_subscriber("201", Behaviour::Manual);
        card
    })
}

type EightPort = JointCard<Tiger320<SoftDevice<SoftCard>>>;

/// Opens the card, as `open_card` does with one that is named.
fn provider(parts: [SoftCard; 2]) -> LineProvider<EightPort> {
    let opened = LineProvider::new(move || {
        let open = |card: &SoftCard| {
            let mut pass = |time: Duration| {
                card.advance(u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1));
            };
            let device = SoftDevice::card(card.clone()).map_err(OpenError::Soft)?;
            Ok::<_, OpenError>(Tdm400p::open(device, Country::default(), &mut pass)?)
        };
        let [first, second] = &parts;
        Ok(JointCard::new(open(first)?, vec![open(second)?]))
    });
    opened.expect("the card comes up")
}

#[test]
fn lines_of_a_card_with_eight_ports_make_and_take_calls() {
    let parts = parts();
    let provider = Arc::new(provider(parts.clone()));
    let tspi: Arc<dyn Provider> = provider.clone();
    let host = Host::start(tspi, HostOptions::default()).unwrap();
    let _clocks = parts.each_ref().map(|card| RealClock::start_patient(card).unwrap());
    let kinds: Vec<_> = host.lines().iter().map(|line| line.kind).collect();
    let half = [LineKind::Fxs, LineKind::Fxs, LineKind::Fxo, LineKind::Fxo].map(Some);
    assert_eq!(kinds, [half, half].concat());
    let slots = provider.slots();
    assert_eq!(slots.len(), 8);
    assert!(slots.iter().all(|slot| slot.line == Some(slot.slot.0.into())), "{slots:?}");
    let measured = || {
        provider
            .slots()
            .iter()
            .filter(|s| s.status.is_some_and(|s| s.battery == Some(true)))
            .count()
    };
    eventually("the exchanges feed four lines", || measured() == 4);

    // Out on a line of the second part, by its own exchange.
    let line = host.open(7).unwrap();
    let events = line.events();
    let call = make(&line, "200");
    state(&events, &call, CallState::Connected);
    call.drop_call().unwrap().wait(DEADLINE).unwrap();
    call.close().unwrap();

    // In on another one.
    let line = host.open(6).unwrap();
    let events = line.events();
    parts[1].exchange().subscriber("201").unwrap().call("102");
    let call = incoming(&events);
    call.answer().unwrap().wait(DEADLINE).unwrap();
    state(&events, &call, CallState::Connected);
    call.drop_call().unwrap().wait(DEADLINE).unwrap();
    call.close().unwrap();

    // A telephone of the second part rings, and is answered.
    let line = host.open(5).unwrap();
    let events = line.events();
    let call = make(&line, "");
    state(&events, &call, CallState::Ringback);
    let telephone = parts[1].telephone(PortNumber(1)).unwrap();
    eventually("the telephone rings", || telephone.is_ringing());
    assert!(
        !parts[0].telephone(PortNumber(1)).unwrap().is_ringing(),
        "the other part's telephone is silent"
    );
    telephone.off_hook();
    state(&events, &call, CallState::Connected);
    call.close().unwrap();
    host.shutdown().unwrap();
}
