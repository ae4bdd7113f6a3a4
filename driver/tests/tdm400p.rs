//! The TDM400P driver on the software card: chips, telephones and an exchange, register by
//! register.
//!
//! Time is virtual: one step is one millisecond of the card, and the service is called when the
//! interrupt was raised, as by a reaper.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ringback_country::{Companding, Country};
use ringback_driver::card::tiger320::{ACCESSES_PER_TICK, Failure, OpenError, Options, Tiger320};
use ringback_driver::card::{
    FRAME, Gain, Gains, Hook, LineFeed, LineTuning, ModuleError, ModuleKind, Polarity, PortCard,
    PortError, PortEvent, PortFault, PortSink, Remedy, Service, Slot,
};
use ringback_driver::device::soft::SoftDevice;
use ringback_driver::device::{Device, InterruptFd, Registers};
use ringback_driver::{PortNumber, Time};
use ringback_softcard::ModuleKind as SoftModule;
use ringback_softcard::{Behaviour, CardConfig, Fault, LineOptions, LineState, SoftCard};

type Soft = SoftDevice<SoftCard>;

/// A country of each law.
const COUNTRIES: [&str; 2] = ["FCC", "GERMANY"];

/// A device whose register accesses are counted.
struct Counted {
    device: Soft,
    accesses: Arc<AtomicU64>,
}

impl Counted {
    fn count(&self) {
        self.accesses.fetch_add(1, Ordering::Relaxed);
    }
}

impl Registers for Counted {
    fn len(&self) -> usize {
        self.device.registers().len()
    }
    fn read8(&self, offset: usize) -> u8 {
        self.count();
        self.device.registers().read8(offset)
    }
    fn write8(&self, offset: usize, value: u8) {
        self.count();
        self.device.registers().write8(offset, value);
    }
    fn read32(&self, offset: usize) -> u32 {
        self.count();
        self.device.registers().read32(offset)
    }
    fn write32(&self, offset: usize, value: u32) {
        self.count();
        self.device.registers().write32(offset, value);
    }
}

impl Device for Counted {
    type Registers = Counted;
    type Dma = <Soft as Device>::Dma;

    fn name(&self) -> &str {
        self.device.name()
    }
    fn registers(&self) -> &Counted {
        self
    }
    fn dma(&self) -> Option<&Self::Dma> {
        self.device.dma()
    }
    fn interrupt(&self) -> std::io::Result<InterruptFd> {
        self.device.interrupt()
    }
    fn rearm(&self) -> std::io::Result<()> {
        self.device.rearm()
    }
    fn enable_bus_master(&self) -> std::io::Result<()> {
        self.device.enable_bus_master()
    }
}

/// What came from the ports, and what is played to them.
#[derive(Default)]
struct Log {
    events: Vec<(usize, PortEvent)>,
    received: [Vec<u8>; 4],
    /// Samples still to be played; silence behind them.
    play: [Vec<u8>; 4],
}

impl PortSink for Log {
    fn event(&mut self, port: PortNumber, event: PortEvent) {
        self.events.push((port.index(), event));
    }
    fn frame(&mut self, port: PortNumber, received: &[u8; FRAME], play: &mut [u8; FRAME]) {
        self.received[port.index()].extend(received);
        let count = self.play[port.index()].len().min(FRAME);
        for (sample, next) in play.iter_mut().zip(self.play[port.index()].drain(..count)) {
            *sample = next;
        }
    }
}

/// A card in service.
struct Bench {
    card: SoftCard,
    driver: Tiger320<Counted>,
    interrupt: File,
    accesses: Arc<AtomicU64>,
    /// Most register accesses from one step to the next.
    most: u64,
    now: Time,
    /// When the card was served or looked after last.
    served: Time,
    log: Log,
}

fn open(card: &SoftCard, accesses: &Arc<AtomicU64>) -> Result<Tiger320<Counted>, OpenError> {
    open_for(card, accesses, Country::default())
}

fn open_for(
    card: &SoftCard,
    accesses: &Arc<AtomicU64>,
    country: Country,
) -> Result<Tiger320<Counted>, OpenError> {
    let device = SoftDevice::card(card.clone()).unwrap();
    let device = Counted { device, accesses: Arc::clone(accesses) };
    let mut delay = |time: Duration| card.advance(time.as_millis() as u64);
    Tiger320::open(device, Options { country }, &mut delay)
}

impl Bench {
    fn new(config: CardConfig) -> Bench {
        Bench::of(config, Country::default())
    }

    fn of(config: CardConfig, country: Country) -> Bench {
        let card = SoftCard::new(config);
        let accesses = Arc::default();
        let mut driver = open_for(&card, &accesses, country).unwrap();
        let interrupt = File::from(driver.device().interrupt().unwrap().fd);
        let now = Time::from_nanos(1_000_000_000);
        driver.start(now).unwrap();
        let served = now;
        Bench { card, driver, interrupt, accesses, most: 0, now, served, log: Log::default() }
    }

    /// Runs one millisecond, and looks after the card when that is due. Returns the results of the
    /// services in it, and of the looks that found something to do.
    fn step(&mut self) -> Vec<Service> {
        let before = self.accesses.load(Ordering::Relaxed);
        self.card.tick();
        self.now += Duration::from_millis(1);
        let mut outcomes = Vec::new();
        let mut count = [0; 8];
        if self.interrupt.read(&mut count).is_ok() {
            for _ in 0..u64::from_ne_bytes(count) {
                outcomes.push(self.driver.service(self.now, &mut self.log));
            }
            self.served = self.now;
        } else if self.now.since(self.served) >= self.driver.look_interval() {
            let outcome = self.driver.look_after(self.now, &mut self.log);
            outcomes.extend((outcome != Service::Idle).then_some(outcome));
            self.served = self.now;
        }
        self.most = self.most.max(self.accesses.load(Ordering::Relaxed) - before);
        outcomes
    }

    /// Runs steps in which every interrupt has to bring one frame. Returns the events.
    fn run(&mut self, ms: u32) -> Vec<(usize, PortEvent)> {
        for _ in 0..ms {
            assert_eq!(self.step(), [Service::Frames { frames: 1, missed: 0 }]);
        }
        std::mem::take(&mut self.log.events)
    }

    /// Runs steps. Returns the results of their services.
    fn steps(&mut self, ms: u32) -> Vec<Service> {
        (0..ms).flat_map(|_| self.step()).collect()
    }

    /// Runs until an event comes. Returns the time that it took, in ms.
    fn until(&mut self, wanted: (usize, PortEvent), limit: u32) -> u32 {
        for ms in 1..=limit {
            if self.run(1).contains(&wanted) {
                return ms;
            }
        }
        panic!("no {wanted:?} within {limit} ms");
    }
}

/// Ports 0 and 1 FXS, 2 and 3 FXO; the exchange has battery on both lines.
fn settled() -> Bench {
    settled_in(Country::default())
}

fn settled_in(country: Country) -> Bench {
    let mut bench = Bench::of(CardConfig::default(), country);
    assert_eq!(
        bench.run(200),
        [(2, PortEvent::Battery(true)), (3, PortEvent::Battery(true))],
        "all events of idle lines"
    );
    bench
}

fn ulaw(sample: i16) -> u8 {
    // G.711: sign, segment, four bits of mantissa, all inverted.
    let biased = sample.unsigned_abs().min(32_635) + 132;
    let segment = 8 - biased.leading_zeros();
    let code = (segment << 4) as u8 | (biased >> (segment + 3)) as u8 & 0x0F;
    !(code | if sample < 0 { 0x80 } else { 0 })
}

/// Two tones for 100 ms and a pause of as much.
fn dtmf(digit: char) -> Vec<u8> {
    let row = "123456789*0#".find(digit).unwrap();
    let tones = [[697.0, 770.0, 852.0, 941.0][row / 3], [1209.0, 1336.0, 1477.0][row % 3]];
    let tone = |n: u32| -> f64 {
        let angle = f64::from(n) * std::f64::consts::TAU / 8000.0;
        tones.iter().map(|hertz| (angle * hertz).sin() * 6000.0).sum()
    };
    (0..1600).map(|n| if n < 800 { ulaw(tone(n) as i16) } else { ulaw(0) }).collect()
}

#[test]
fn every_kind_of_slot_comes_up_or_says_why_not() {
    let card = SoftCard::new(CardConfig {
        modules: [SoftModule::Fxo, SoftModule::Empty, SoftModule::Fxs, SoftModule::Fxo],
        ..CardConfig::default()
    });
    let driver = open(&card, &Arc::default()).unwrap();
    assert_eq!(
        *driver.slots(),
        [
            Slot::Module(ModuleKind::Fxo),
            Slot::Empty,
            Slot::Module(ModuleKind::Fxs),
            Slot::Module(ModuleKind::Fxo)
        ]
    );
    assert!(card.telephone(PortNumber(2)).unwrap().has_battery());
    drop(driver);
    card.advance(10);
    assert!(!card.telephone(PortNumber(2)).unwrap().has_battery());

    card.set_fault(Fault::NoIsoLink(PortNumber(0)), true);
    card.set_fault(Fault::NoPower(PortNumber(2)), true);
    card.set_fault(Fault::StuckSpi(PortNumber(3)), true);
    let driver = open(&card, &Arc::default()).unwrap();
    assert_eq!(
        *driver.slots(),
        [
            Slot::Failed(ModuleError::NoIsoLink),
            Slot::Empty,
            Slot::Failed(ModuleError::NoPower { volts: 0 }),
            Slot::Empty
        ]
    );
}

#[test]
fn a_card_that_is_not_there_is_reported() {
    let card = SoftCard::new(CardConfig::default());
    card.set_fault(Fault::Removal, true);
    assert!(matches!(open(&card, &Arc::default()), Err(OpenError::AllOnes)));
    card.set_fault(Fault::Removal, false);
    assert!(open(&card, &Arc::default()).is_ok());
}

#[test]
fn a_telephone_is_lifted_flashed_and_hung_up() {
    let mut bench = settled();
    let telephone = bench.card.telephone(PortNumber(1)).unwrap();
    telephone.off_hook();
    let ms = bench.until((1, PortEvent::Hook(Hook::Off)), 100);
    assert!(ms <= 13 + 16 + 1, "chip and driver together debounce for {ms} ms");
    bench.run(100);
    telephone.flash();
    assert_eq!(bench.run(200), [(1, PortEvent::Hook(Hook::On))]);
    assert_eq!(bench.run(200), [(1, PortEvent::Hook(Hook::Off))]);
    telephone.on_hook();
    assert_eq!(bench.run(100), [(1, PortEvent::Hook(Hook::On))]);
    assert_eq!(bench.driver.status(PortNumber(1)).unwrap().hook, Hook::On);
}

#[test]
fn samples_pass_without_a_gap_both_ways() {
    let mut bench = settled();
    let telephone = bench.card.telephone(PortNumber(0)).unwrap();
    telephone.off_hook();
    bench.run(100);

    // A period that is no multiple of a frame; any sample lost or doubled would break it.
    const PERIOD: usize = 61;
    bench.log.play[0] = (0..32_000).map(|n| 0x80 | (n % PERIOD) as u8).collect();
    telephone.take_heard();
    let code = |n: usize| ((n % PERIOD) as i16 - 30) * 400;
    telephone.play(&(0..32_000).map(code).collect::<Vec<_>>());
    bench.log.received[0].clear();
    bench.run(3500);

    let heard = telephone.heard();
    let from = heard.iter().position(|sample| *sample != 0).unwrap();
    assert!(from <= 3 * FRAME, "played within 3 ms, at {from}");
    let heard = &heard[from..];
    assert!(heard.len() > 27_000);
    assert!(heard.windows(PERIOD + 1).all(|window| window[0] == window[PERIOD]));
    let distinct: std::collections::BTreeSet<i16> = heard[..PERIOD].iter().copied().collect();
    assert!(distinct.len() >= PERIOD - 1, "{distinct:?}");

    let received = &bench.log.received[0];
    let from = received.iter().position(|sample| *sample == ulaw(code(0))).unwrap();
    let expected = (0..received.len() - from).map(|n| ulaw(code(n)));
    assert!(received[from..].iter().copied().eq(expected));
    assert!(received.len() - from > 27_000);
}

#[test]
fn gains_make_sound_louder_softer_and_silent_and_outlive_a_repair() {
    const LOUD: i16 = 8000;
    let mut bench = settled();
    let (port, telephone) = (PortNumber(0), bench.card.telephone(PortNumber(0)).unwrap());
    telephone.off_hook();
    bench.run(100);
    // A square wave, whose level is that of any of its samples.
    let wave = |n: usize| if n % 16 < 8 { LOUD } else { -LOUD };
    bench.log.play[0] = (0..80_000).map(|n| ulaw(wave(n))).collect();
    let levels = |bench: &mut Bench| {
        bench.run(20);
        telephone.play(&(0..800).map(wave).collect::<Vec<_>>());
        telephone.take_heard();
        bench.log.received[0].clear();
        bench.run(50);
        let to = telephone.take_heard().iter().map(|sample| sample.abs()).max().unwrap();
        let from = bench.log.received[0].iter().map(|code| 0x7F - (code & 0x7F)).max().unwrap();
        (to, from)
    };
    let levels_with = |bench: &mut Bench, to_telephone, from_telephone| {
        bench.driver.set_gains(port, Gains { to_telephone, from_telephone }).unwrap();
        levels(bench)
    };
    let all = [Gain::Mute, Gain::Lower, Gain::Normal, Gain::Higher];
    let to = all.map(|gain| levels_with(&mut bench, gain, Gain::Normal).0);
    assert_eq!(to[0], 0);
    for (level, factor) in to[1..].iter().zip([0.668, 1.0, 1.496]) {
        let wanted = f32::from(LOUD) * factor;
        assert!((f32::from(*level) - wanted).abs() < wanted / 20.0, "{to:?}");
    }
    let from = all.map(|gain| levels_with(&mut bench, Gain::Normal, gain).1);
    assert!(from[0] == 0 && from.is_sorted_by(|a, b| a < b), "{from:?}");
    let before = levels_with(&mut bench, Gain::Lower, Gain::Higher);
    assert_eq!(before, (to[1], from[3]));
    bench.card.set_fault(Fault::PartReset(port), true);
    bench.until((0, PortEvent::Fault(PortFault::PartReset(Remedy::Restored))), 3000);
    bench.run(500);
    assert_eq!(levels_with(&mut bench, Gain::Lower, Gain::Higher), before);
    let wrong = bench.driver.set_gains(PortNumber(2), Gains::default());
    assert!(matches!(wrong, Err(PortError::WrongKind { .. })));
}

#[test]
fn a_telephone_rings_and_trips() {
    let mut bench = settled();
    let telephone = bench.card.telephone(PortNumber(0)).unwrap();
    bench.driver.set_polarity(PortNumber(0), Polarity::Reverse).unwrap();
    bench.driver.set_line_feed(PortNumber(0), LineFeed::Ringing).unwrap();
    bench.run(1000);
    assert!(telephone.is_ringing());
    bench.driver.set_line_feed(PortNumber(0), LineFeed::OnHookTransmission).unwrap();
    assert_eq!(bench.run(2000), []);
    assert!(!telephone.is_ringing() && telephone.is_reversed());
    bench.driver.set_line_feed(PortNumber(0), LineFeed::Ringing).unwrap();
    bench.run(500);
    telephone.off_hook();
    assert_eq!(bench.run(100), [(0, PortEvent::RingTrip), (0, PortEvent::Hook(Hook::Off))]);
    assert!(!telephone.is_ringing());
    assert!(telephone.is_reversed(), "the chip's own way to active lost the polarity; restored");
    let status = bench.driver.status(PortNumber(0)).unwrap();
    assert_eq!((status.ringing, status.feed), (false, Some(LineFeed::Active)));
}

#[test]
fn an_incoming_call_rings_is_answered_and_ends_with_a_loop_break() {
    let mut bench = settled();
    let exchange = bench.card.exchange();
    let caller = exchange.add_subscriber("200", Behaviour::Manual);
    exchange.call("200", "103").unwrap();
    bench.until((3, PortEvent::Ring(true)), 10_000);
    assert!(bench.driver.status(PortNumber(3)).unwrap().ringing);
    // 2 s on, 4 s off.
    let on = bench.until((3, PortEvent::Ring(false)), 3000);
    assert!((1900..=2300).contains(&on), "{on}");
    let off = bench.until((3, PortEvent::Ring(true)), 5000);
    assert!((3600..=4000).contains(&off), "{off}");
    bench.driver.set_hook(PortNumber(3), Hook::Off).unwrap();
    assert_eq!(bench.run(500), [(3, PortEvent::Ring(false))]);
    assert_eq!(exchange.state("103"), Some(LineState::Talking));
    let status = bench.driver.status(PortNumber(3)).unwrap();
    assert_eq!((status.hook, status.battery), (Hook::Off, Some(true)));
    caller.on_hook();
    let lost = bench.until((3, PortEvent::Battery(false)), 3000);
    let back = bench.until((3, PortEvent::Battery(true)), 1000);
    assert!((490..=510).contains(&back), "broken after {lost} for {back}");
    bench.driver.set_hook(PortNumber(3), Hook::On).unwrap();
    bench.run(1000);
    assert_eq!(exchange.state("103"), Some(LineState::Idle));
}

#[test]
fn an_outgoing_call_is_dialled_and_answered_with_reversal() {
    let mut config = CardConfig::default();
    config.lines[2] =
        LineOptions { number: "102".into(), polarity_on_answer: true, ..LineOptions::default() };
    let mut bench = Bench::new(config);
    bench.run(200);
    let exchange = bench.card.exchange();
    exchange.add_subscriber("345", Behaviour::AnswerAfterRings(1));
    bench.driver.set_hook(PortNumber(2), Hook::Off).unwrap();
    bench.run(500);
    assert_eq!(exchange.state("102"), Some(LineState::DialTone));
    let status = bench.driver.status(PortNumber(2)).unwrap();
    assert_eq!(status.voltage, Some(8));
    assert!(status.current.is_some_and(|current| (18..=30).contains(&current)), "{status:?}");
    bench.log.play[2] = "345".chars().flat_map(dtmf).collect();
    bench.until((2, PortEvent::Polarity(Polarity::Reverse)), 20_000);
    assert_eq!(exchange.dialled("102").as_deref(), Some("345"));
    assert_eq!(exchange.state("102"), Some(LineState::Talking));
    bench.driver.set_hook(PortNumber(2), Hook::On).unwrap();
    bench.until((2, PortEvent::Polarity(Polarity::Forward)), 1000);
    assert_eq!(exchange.state("102"), Some(LineState::Idle));
}

#[test]
fn an_unplugged_line_loses_battery() {
    let mut bench = settled();
    bench.card.set_fault(Fault::LineUnplugged(PortNumber(2)), true);
    assert_eq!(bench.run(100), [(2, PortEvent::Battery(false))]);
    assert_eq!(bench.driver.status(PortNumber(2)).unwrap().voltage, Some(0));
    bench.card.set_fault(Fault::LineUnplugged(PortNumber(2)), false);
    assert_eq!(bench.run(100), [(2, PortEvent::Battery(true))]);
}

#[test]
fn modules_that_fail_are_restored_within_the_budget() {
    let fault =
        |port, fault: fn(Remedy) -> PortFault, remedy| (port, PortEvent::Fault(fault(remedy)));
    let mut bench = settled();
    bench.driver.set_polarity(PortNumber(0), Polarity::Reverse).unwrap();
    bench.run(50);

    bench.card.set_fault(Fault::PartReset(PortNumber(0)), true);
    bench.card.set_fault(Fault::PartReset(PortNumber(1)), true);
    let events = bench.run(600);
    for port in [0, 1] {
        assert!(
            events.contains(&fault(port, PortFault::PartReset, Remedy::Restoring)),
            "{events:?}"
        );
        assert!(
            events.contains(&fault(port, PortFault::PartReset, Remedy::Restored)),
            "{events:?}"
        );
    }
    assert!(bench.card.telephone(PortNumber(0)).unwrap().is_reversed());

    bench.card.set_fault(Fault::PowerAlarm(PortNumber(1)), true);
    let mut events = bench.run(1);
    bench.card.set_fault(Fault::PowerAlarm(PortNumber(1)), false);
    events.extend(bench.run(50));
    assert_eq!(events, [fault(1, PortFault::PowerAlarm, Remedy::Restored)]);
    assert!(bench.card.telephone(PortNumber(1)).unwrap().has_battery());

    bench.card.set_fault(Fault::NoIsoLink(PortNumber(3)), true);
    assert_eq!(bench.run(300), [fault(3, PortFault::IsoLinkLost, Remedy::Restoring)]);
    bench.card.set_fault(Fault::NoIsoLink(PortNumber(3)), false);
    assert_eq!(bench.run(400), [fault(3, PortFault::IsoLinkLost, Remedy::Restored)]);

    for stuck in [Fault::StuckSpi, Fault::StuckSpiLow] {
        for port in [0, 2] {
            bench.card.set_fault(stuck(PortNumber::at(port)), true);
            assert_eq!(bench.run(300), [fault(port, PortFault::NotAnswering, Remedy::Restoring)]);
            bench.card.set_fault(stuck(PortNumber::at(port)), false);
            assert_eq!(bench.run(1500), [fault(port, PortFault::NotAnswering, Remedy::Restored)]);
        }
    }
    assert!(bench.most <= u64::from(ACCESSES_PER_TICK), "{} accesses in a tick", bench.most);
    let counters = bench.driver.counters();
    assert_eq!((counters.missed, counters.late), (0, 0));
    assert_eq!((counters.part_resets, counters.power_alarms), (2, 1));
    assert_eq!((counters.link_losses, counters.silences, counters.restored), (1, 4, 7));
}

#[test]
fn a_power_alarm_that_stays_leaves_the_line_open() {
    let mut bench = settled();
    bench.card.set_fault(Fault::PowerAlarm(PortNumber(0)), true);
    let events = bench.run(500);
    assert_eq!(events.len(), 11, "{events:?}");
    assert_eq!(events[10], (0, PortEvent::Fault(PortFault::PowerAlarm(Remedy::GaveUp))));
    bench.card.set_fault(Fault::PowerAlarm(PortNumber(0)), false);
    assert_eq!(bench.run(1000), []);
    assert!(!bench.card.telephone(PortNumber(0)).unwrap().has_battery());
    bench.driver.set_line_feed(PortNumber(0), LineFeed::Active).unwrap();
    assert_eq!(bench.run(100), []);
    assert!(bench.card.telephone(PortNumber(0)).unwrap().has_battery());
}

#[test]
fn a_part_reset_of_an_open_line_is_repaired() {
    let mut bench = settled();
    bench.driver.set_line_feed(PortNumber(0), LineFeed::Open).unwrap();
    bench.run(50);
    bench.card.set_fault(Fault::PartReset(PortNumber(0)), true);
    let events = bench.run(600);
    assert_eq!(
        events,
        [
            (0, PortEvent::Fault(PortFault::PartReset(Remedy::Restoring))),
            (0, PortEvent::Fault(PortFault::PartReset(Remedy::Restored))),
        ]
    );
    bench.driver.set_line_feed(PortNumber(0), LineFeed::Ringing).unwrap();
    bench.run(50);
    assert!(bench.card.telephone(PortNumber(0)).unwrap().is_ringing());
}

#[test]
fn a_module_that_is_given_up_is_put_on_hook_if_it_still_accepts_writes() {
    let mut bench = settled();
    bench.driver.set_line_feed(PortNumber(0), LineFeed::Ringing).unwrap();
    bench.driver.set_hook(PortNumber(2), Hook::Off).unwrap();
    bench.run(1000);
    assert!(bench.card.telephone(PortNumber(0)).unwrap().is_ringing());
    assert_eq!(bench.card.exchange().state("102"), Some(LineState::DialTone));
    for port in [0, 2] {
        bench.card.set_fault(Fault::StuckSpi(PortNumber(port)), true);
    }
    bench.run(20_000);
    for port in [0, 2] {
        assert_eq!(bench.driver.slots()[port], Slot::Failed(ModuleError::NotAnswering));
        assert_eq!(bench.driver.status(PortNumber::at(port)), None);
    }
    assert!(!bench.card.telephone(PortNumber(0)).unwrap().is_ringing());
    assert_eq!(bench.card.exchange().state("102"), Some(LineState::Idle));
    assert!(bench.most <= u64::from(ACCESSES_PER_TICK), "{} accesses in a tick", bench.most);
}

#[test]
fn bus_aborts_are_recovered_from() {
    for fault in [Fault::MasterAbort, Fault::TargetAbort] {
        let mut bench = settled();
        bench.driver.set_hook(PortNumber(2), Hook::Off).unwrap();
        bench.card.set_fault(fault, true);
        // DMA is held in reset for 10 ms each time.
        let outcomes = bench.steps(100);
        assert!((5..=10).contains(&outcomes.len()), "{outcomes:?}");
        assert!(outcomes.iter().all(|outcome| *outcome == Service::Recovered), "{outcomes:?}");
        bench.card.set_fault(fault, false);
        bench.steps(20);
        assert_eq!(bench.run(1000), []);
        assert_eq!(bench.card.exchange().state("102"), Some(LineState::DialTone), "{fault}");
        assert_eq!(bench.driver.counters().recoveries, outcomes.len() as u64);

        bench.card.set_fault(fault, true);
        let outcomes = bench.steps(1000);
        assert_eq!(outcomes.last(), Some(&Service::Gone), "reported once, then no more interrupts");
        assert!(matches!(bench.driver.failure(), Some(Failure::Stuck { .. })));
        bench.card.advance(1000);
        assert_eq!(bench.card.exchange().state("102"), Some(LineState::Idle), "on-hook");
    }
}

/// Runs until the card was found shifted so often; nothing may be received meanwhile.
fn until_shifted(bench: &mut Bench, times: u64) {
    bench.log.received = Default::default();
    for _ in 0..5000 {
        if bench.driver.counters().shifted >= times {
            let received = bench.log.received.iter().flatten();
            let silence = bench.driver.country().companding().silence();
            assert!(received.copied().all(|sample| sample == silence), "before it was proved");
            return;
        }
        bench.step();
    }
    panic!("nobody has noticed that the card is shifted");
}

/// Takes port 2 off-hook; dial tone has to come there, and nothing anywhere else.
fn hears_dial_tone_at_port_2_alone(bench: &mut Bench) {
    bench.driver.set_hook(PortNumber(2), Hook::Off).unwrap();
    bench.steps(200);
    bench.log.received = Default::default();
    bench.steps(100);
    let silence = bench.driver.country().companding().silence();
    for (port, samples) in bench.log.received.iter().enumerate() {
        let sound = samples.iter().filter(|sample| **sample != silence).count();
        assert_eq!(samples.len(), 800, "port {port}");
        assert!(if port == 2 { sound > 700 } else { sound == 0 }, "{sound} at port {port}");
    }
}

#[test]
fn a_card_that_comes_back_with_its_slots_shifted_is_mended_before_a_sample_is_exchanged() {
    let causes = [Fault::MasterAbort, Fault::Reset];
    for (cause, country) in causes.into_iter().flat_map(|one| COUNTRIES.map(|name| (one, name))) {
        let mut bench = settled_in(country.parse().unwrap());
        assert_eq!(bench.driver.counters().shifted, 0);
        bench.card.set_fault(Fault::ShiftedSlots, true);
        bench.card.set_fault(cause, true);
        bench.steps(5);
        bench.card.set_fault(cause, false);
        until_shifted(&mut bench, 2);
        bench.card.set_fault(Fault::ShiftedSlots, false);
        bench.steps(3000);
        hears_dial_tone_at_port_2_alone(&mut bench);
        assert!(bench.driver.failure().is_none());
        assert_eq!(bench.driver.counters().shifted, 2, "{cause}, {country}");
        assert!(bench.most <= u64::from(ACCESSES_PER_TICK), "{} accesses", bench.most);
    }
}

#[test]
fn a_card_whose_slots_stay_shifted_is_taken_out_of_service() {
    let mut bench = settled();
    bench.driver.set_hook(PortNumber(2), Hook::Off).unwrap();
    bench.run(500);
    bench.card.set_fault(Fault::ShiftedSlots, true);
    bench.card.set_fault(Fault::MasterAbort, true);
    bench.steps(5);
    bench.card.set_fault(Fault::MasterAbort, false);
    let outcomes = bench.steps(1000);
    assert_eq!(outcomes.last(), Some(&Service::Gone), "{outcomes:?}");
    let failure = bench.driver.failure().unwrap();
    assert!(matches!(failure, Failure::Shifted), "{failure}");
    assert!(failure.to_string().contains("reseat the card"), "{failure}");
    bench.card.advance(1000);
    assert_eq!(bench.card.exchange().state("102"), Some(LineState::Idle), "on-hook");
}

#[test]
fn a_card_whose_slots_are_shifted_from_the_beginning_is_not_opened_or_mended() {
    let card = SoftCard::new(CardConfig::default());
    card.set_fault(Fault::ShiftedSlots, true);
    let error = open(&card, &Arc::default()).err().unwrap();
    assert!(matches!(error, OpenError::Shifted), "{error}");
    assert!(error.to_string().contains("reseat the card"), "{error}");

    // The fault ends after some of the waits. Two of them are a reset of the ports and a trial.
    let waits = |faulty: u32| {
        let card = SoftCard::new(CardConfig::default());
        let device = SoftDevice::card(card.clone()).unwrap();
        let mut waits = 0;
        let mut delay = |time: Duration| {
            card.advance(time.as_millis() as u64);
            waits += 1;
            card.set_fault(Fault::ShiftedSlots, waits <= faulty);
        };
        let driver = Tiger320::open(device, Options::default(), &mut delay).unwrap();
        (driver.counters().shifted, waits)
    };
    let (shifted, usual) = waits(0);
    assert_eq!(shifted, 0);
    assert_eq!(waits(usual + 2), (2, usual + 4));
}

#[test]
fn a_card_that_is_not_shifted_is_never_taken_for_it_while_lines_are_loud() {
    for country in COUNTRIES {
        let mut bench = settled_in(country.parse().unwrap());
        let calls = bench.card.exchange();
        for port in [2, 3] {
            bench.driver.set_hook(PortNumber(port), Hook::Off).unwrap();
        }
        bench.card.telephone(PortNumber(0)).unwrap().off_hook();
        bench.run(500);
        assert_eq!(calls.state("102"), Some(LineState::DialTone));
        for _ in 0..20 {
            bench.card.set_fault(Fault::MasterAbort, true);
            bench.steps(3);
            bench.card.set_fault(Fault::MasterAbort, false);
            bench.steps(97);
        }
        let counters = bench.driver.counters();
        assert_eq!((counters.shifted, bench.driver.failure().is_none()), (0, true), "{country}");
        assert!(counters.recoveries >= 20, "{}", counters.recoveries);
    }
}

/// The PCM modes of the modules in slots 0 (Si3210, register 1) and 2 (Si3050, register 33).
fn pcm_modes(bench: &mut Bench) -> [u32; 2] {
    assert!(bench.driver.begin_dump());
    bench.run(2000);
    let dump = bench.driver.dump().expect("a second is enough");
    [(0, 1), (2, 33)].map(|(slot, number)| {
        let registers = &dump.modules[slot].direct;
        registers.iter().find(|register| register.number == number).unwrap().value
    })
}

#[test]
fn modules_compand_by_the_law_of_their_country_and_again_after_a_repair() {
    for (country, mode) in COUNTRIES.into_iter().zip([0x28, 0x20]) {
        let country: Country = country.parse().unwrap();
        let silence = country.companding().silence();
        let mut bench = settled_in(country);
        assert_eq!(pcm_modes(&mut bench), [mode; 2], "{country}");
        bench.log.received = Default::default();
        bench.card.set_fault(Fault::PartReset(PortNumber(0)), true);
        bench.card.set_fault(Fault::NoIsoLink(PortNumber(2)), true);
        bench.until((2, PortEvent::Fault(PortFault::IsoLinkLost(Remedy::Restoring))), 3000);
        bench.card.set_fault(Fault::NoIsoLink(PortNumber(2)), false);
        bench.until((2, PortEvent::Fault(PortFault::IsoLinkLost(Remedy::Restored))), 3000);
        bench.run(500);
        assert_eq!(bench.driver.counters().part_resets, 1);
        assert_eq!(pcm_modes(&mut bench), [mode; 2], "{country}, after repairs");
        for port in [0, 2] {
            let received = bench.log.received[port].iter();
            let other = received.filter(|sample| **sample != silence).count();
            // A chip that was reset sends nothing, which reads as ones, until that is noticed.
            let unnoticed = if silence == u8::MAX { 0 } else { 64 * FRAME };
            assert!(other <= unnoticed, "{country}: {other} samples at port {port}");
        }
    }
}

#[test]
fn a_telephone_hears_and_speaks_code_words_of_its_countrys_law() {
    for country in COUNTRIES {
        let country: Country = country.parse().unwrap();
        let mut bench = settled_in(country);
        let telephone = bench.card.telephone(PortNumber(0)).unwrap();
        telephone.off_hook();
        bench.run(100);
        // u-law's second zero is the one that a chip does not send.
        let second_zero = (country.companding() == Companding::ULaw).then_some(0x7F);
        let codes: Vec<u8> = (0..=u8::MAX).filter(|code| Some(*code) != second_zero).collect();
        bench.log.play[0].clone_from(&codes);
        telephone.take_heard();
        bench.run(100);
        let heard = telephone.take_heard();
        // The largest sample of each law: G.711, tables 1a and 2a.
        let largest = if second_zero.is_some() { 32_124 } else { 32_256 };
        assert_eq!(heard.iter().max(), Some(&largest), "{country}");
        bench.log.received[0].clear();
        telephone.play(&heard);
        bench.run(150);
        let received = &bench.log.received[0];
        assert!(received.windows(codes.len()).any(|part| part == codes), "{country}");
    }
}

#[test]
fn doubled_interrupts_do_nothing_twice() {
    let mut bench = settled();
    bench.card.set_fault(Fault::DoubledInterrupts, true);
    for _ in 0..100 {
        assert_eq!(bench.step(), [Service::Frames { frames: 1, missed: 0 }, Service::Idle]);
    }
    assert_eq!(bench.driver.counters().missed, 0);
}

/// The chip's specification wants a status written back as soon as it was read.
#[test]
fn a_card_that_wants_its_status_back_at_once_loses_nothing() {
    let mut bench = settled();
    bench.card.set_fault(Fault::StrictAcknowledgment, true);
    bench.driver.set_hook(PortNumber(2), Hook::Off).unwrap();
    for _ in 0..100 {
        assert_eq!(bench.step(), [Service::Frames { frames: 1, missed: 0 }]);
    }
    assert_eq!(bench.driver.counters().missed, 0);
}

#[test]
fn late_ticks_and_interrupts_lose_what_the_ring_can_not_hold() {
    let mut bench = settled();
    bench.card.set_fault(Fault::LateTick, true);
    let ticks = bench.driver.counters().ticks;
    bench.steps(1000);
    let counters = *bench.driver.counters();
    // Every other time both halves move at once: one of them is lost.
    assert_eq!((counters.ticks - ticks, counters.missed), (500, 500));
    bench.card.set_fault(Fault::LateTick, false);
    bench.run(100);

    bench.card.set_fault(Fault::LateInterrupt, true);
    let before = *bench.driver.counters();
    bench.steps(1000);
    let after = *bench.driver.counters();
    let (served, missed) = (after.ticks - before.ticks, after.missed - before.missed);
    assert!((990..=1000).contains(&(served + missed)), "{served} and {missed}");
    assert!(missed >= 2 * served, "{served} and {missed}");
}

#[test]
fn lost_interrupts_are_made_up_for_by_the_watchdog() {
    let mut bench = settled();
    bench.card.set_fault(Fault::LostInterrupts, true);
    let before = *bench.driver.counters();
    for _ in 0..25 {
        assert_eq!(bench.steps(20), []);
        let outcome = bench.driver.look_after(bench.now, &mut bench.log);
        bench.served = bench.now;
        assert_eq!(outcome, Service::Frames { frames: 1, missed: 19 });
    }
    bench.card.set_fault(Fault::LostInterrupts, false);
    bench.run(100);
    let after = *bench.driver.counters();
    assert_eq!(after.recoveries, 0);
    assert_eq!(after.ticks - before.ticks + after.missed - before.missed, 600);
}

#[test]
fn removal_is_reported_once() {
    let mut bench = settled();
    bench.card.set_fault(Fault::Removal, true);
    assert_eq!(bench.steps(40), []);
    assert_eq!(bench.driver.look_after(bench.now, &mut bench.log), Service::Gone);
    assert!(matches!(bench.driver.failure(), Some(Failure::Removed)));
    assert_eq!(bench.driver.look_after(bench.now, &mut bench.log), Service::Idle);
    assert!(bench.driver.set_hook(PortNumber(2), Hook::Off).is_err());
}

#[test]
fn safe_hangs_everything_up() {
    let mut bench = settled();
    let exchange = bench.card.exchange();
    bench.driver.set_hook(PortNumber(2), Hook::Off).unwrap();
    bench.driver.set_line_feed(PortNumber(0), LineFeed::Ringing).unwrap();
    bench.run(500);
    assert_eq!(exchange.state("102"), Some(LineState::DialTone));
    bench.driver.safe();
    bench.card.advance(1000);
    assert_eq!(exchange.state("102"), Some(LineState::Idle));
    let telephone = bench.card.telephone(PortNumber(0)).unwrap();
    assert!(!telephone.is_ringing() && !telephone.has_battery());
    assert_eq!(bench.steps(10), [], "no more interrupts");
}

#[test]
fn modules_that_miss_a_short_chip_select_are_brought_up_and_work() {
    let card = SoftCard::new(CardConfig::default());
    card.set_fault(Fault::ShortSelect, true);
    let driver = open(&card, &Arc::default()).unwrap();
    let [fxs, fxo] = [ModuleKind::Fxs, ModuleKind::Fxo].map(Slot::Module);
    assert_eq!(driver.slots(), [fxs, fxs, fxo, fxo]);
}

#[test]
fn a_si3215_and_a_si3018_work_like_the_others() {
    use SoftModule::{Empty, Fxo, FxoSi3018, Fxs, FxsSi3215};
    for modules in [[Fxs, Empty, Fxo, Empty], [FxsSi3215, Empty, FxoSi3018, Empty]] {
        let mut bench = Bench::new(CardConfig { modules, ..CardConfig::default() });
        bench.run(200);
        let telephone = bench.card.telephone(PortNumber(0)).unwrap();
        bench.driver.set_line_feed(PortNumber(0), LineFeed::Ringing).unwrap();
        bench.run(100);
        assert!(telephone.is_ringing(), "{modules:?}");
        telephone.off_hook();
        bench.until((0, PortEvent::RingTrip), 200);
        bench.driver.set_hook(PortNumber(2), Hook::Off).unwrap();
        bench.run(500);
        assert_eq!(bench.card.exchange().state("102"), Some(LineState::DialTone), "{modules:?}");
    }
}

#[test]
fn all_registers_are_read_beside_calls_and_within_the_budget() {
    let mut bench = Bench::new(CardConfig::default());
    assert!(bench.driver.dump().is_none());
    // FXS lines are sampled, and both FXO lines are in use.
    for port in [2, 3] {
        bench.driver.set_hook(PortNumber(port), Hook::Off).unwrap();
    }
    bench.run(50);
    bench.most = 0;
    bench.log = Log::default();
    assert!(bench.driver.begin_dump());
    assert!(bench.driver.dump().is_none(), "it takes a while");
    bench.card.set_fault(Fault::LineUnplugged(PortNumber(3)), true);
    let events = bench.run(2000);
    let dump = bench.driver.dump().expect("a second is enough").clone();
    assert!(bench.most <= u64::from(ACCESSES_PER_TICK), "{}", bench.most);
    assert_eq!(bench.log.received[2].len(), 2000 * FRAME, "no frame was lost");
    assert!(events.contains(&(3, PortEvent::Battery(false))), "status is still read");
    let chips: Vec<_> = dump.modules.iter().map(|module| (module.slot.0, module.chip)).collect();
    assert_eq!(chips, [(0, "Si3210"), (1, "Si3210"), (2, "Si3050"), (3, "Si3050")]);
    let hook = dump.modules[2].direct.iter().find(|register| register.number == 5).unwrap();
    assert_eq!((hook.name, hook.value), ("DAA_CONTROL", 0x09));
    assert_eq!(dump.cpld, 0x73);
    let counted = |name| dump.counters.iter().find(|(own, _)| *own == name).unwrap().1;
    assert!(counted("ticks") > 100 && counted("missed") == 0);
    assert_eq!([counted("part_resets"), counted("silences")], [0, 0]);

    bench.driver.safe();
    assert!(!bench.driver.begin_dump(), "the card is closed");
}

#[test]
fn an_exchange_line_is_tuned_in_a_call_and_keeps_that_when_it_is_set_up_again() {
    let mut bench = settled();
    let port = PortNumber(2);
    // Registers 30 and 45 to 52.
    let registers = |bench: &mut Bench| -> Vec<u32> {
        assert!(bench.driver.begin_dump());
        bench.run(2000);
        let dump = bench.driver.dump().expect("a second is enough");
        let tuned = |number| number == 30 || (45..=52).contains(&number);
        let module = &dump.modules[2].direct;
        module.iter().filter(|one| tuned(one.number)).map(|one| one.value).collect()
    };
    bench.driver.set_hook(port, Hook::Off).unwrap();
    bench.run(50);
    assert_eq!(registers(&mut bench), [0; 9]);
    bench.most = 0;
    bench.log = Log::default();
    let tuning = LineTuning { ac_termination: 5, hybrid: [0, 3, -10, 127, -128, 1, 0, 2] };
    bench.driver.tune(port, tuning).unwrap();
    bench.run(20);
    assert!(bench.most <= u64::from(ACCESSES_PER_TICK), "{}", bench.most);
    assert_eq!(bench.log.received[2].len(), 20 * FRAME, "no frame was lost");
    let tuned = [5, 0, 3, 0xF6, 0x7F, 0x80, 1, 0, 2];
    assert_eq!(registers(&mut bench), tuned);
    bench.card.set_fault(Fault::NoIsoLink(port), true);
    bench.until((2, PortEvent::Fault(PortFault::IsoLinkLost(Remedy::Restoring))), 3000);
    bench.card.set_fault(Fault::NoIsoLink(port), false);
    bench.until((2, PortEvent::Fault(PortFault::IsoLinkLost(Remedy::Restored))), 3000);
    assert_eq!(registers(&mut bench), tuned);
    let wrong = bench.driver.tune(PortNumber(0), tuning);
    assert!(matches!(wrong, Err(PortError::WrongKind { .. })));
}

#[test]
fn a_dump_waits_for_a_module_that_is_repaired() {
    let mut bench = Bench::new(CardConfig::default());
    bench.run(50);
    assert!(bench.driver.begin_dump());
    bench.run(20);
    bench.card.set_fault(Fault::PartReset(PortNumber(0)), true);
    let events = bench.run(6000);
    let dump = bench.driver.dump().expect("the repair takes less").clone();
    let restored = (0, PortEvent::Fault(PortFault::PartReset(Remedy::Restored)));
    assert!(events.contains(&restored), "{events:?}");
    assert_eq!(dump.modules[0].direct[8].value, 0, "read after the repair, not before");
    assert_eq!(dump.modules.len(), 4);
}
