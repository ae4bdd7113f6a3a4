//! The whole card against a small one in software: bring-up, service, faults, recovery.

use std::time::Duration;

use ringback_country::Companding;
use ringback_softcard::chips::{Battery, Feed, RegisterFile};

use super::fake::{Card, Fake, FakeDevice, FakeModule};
use super::{ACCESSES_PER_TICK, Failure, OpenError, Options, TICK, Tiger320, registers};
use crate::card::module::ModuleError;
use crate::card::port::{
    FRAME, Hook, LineFeed, ModuleKind, Polarity, PortError, PortEvent, PortFault, PortSink, Remedy,
};
use crate::card::port_card::{PortCard, Service, Slot, StartCardError};
use crate::card::register::offsets;
use crate::card::si3050::simulation::Si3050;
use crate::card::si3210::simulation::Si3210;
use crate::{PortNumber, Time};

offsets!(registers: CNTL OPER CPLD_SYNC);

/// Silence in North America, for which the card is opened.
const SILENCE: u8 = Companding::ULaw.silence();

fn fxs() -> FakeModule {
    FakeModule::Fxs(Box::new(Si3210::new()))
}

fn fxo() -> FakeModule {
    FakeModule::Fxo(Box::new(Si3050::new()))
}

/// An idle line of an exchange.
const FED: Feed = Feed { battery: Battery::Forward, ringing: None, audio: [0; FRAME] };

/// Two telephones, two exchange lines.
fn mixed() -> Fake {
    Fake::new([fxs(), fxs(), fxo(), fxo()])
}

fn open(fake: &Fake) -> Result<Tiger320<FakeDevice>, OpenError> {
    open_device(fake, fake.device())
}

fn open_device(fake: &Fake, device: FakeDevice) -> Result<Tiger320<FakeDevice>, OpenError> {
    Tiger320::open(device, Options::default(), &mut |time| fake.pass(time))
}

/// A card in service, with a sink that keeps everything, tick by tick.
struct Bench {
    fake: Fake,
    card: Tiger320<FakeDevice>,
    now: Time,
    log: Log,
    /// Most register accesses in one tick, from one service to the next.
    most: u64,
    mark: u64,
}

#[derive(Default)]
struct Log {
    events: Vec<(usize, PortEvent)>,
    received: [Vec<u8>; 4],
    frames: u64,
}

impl PortSink for Log {
    fn event(&mut self, port: PortNumber, event: PortEvent) {
        self.events.push((port.index(), event));
    }
    fn frame(&mut self, port: PortNumber, received: &[u8; FRAME], play: &mut [u8; FRAME]) {
        assert_eq!(*play, [SILENCE; FRAME], "prefilled");
        self.received[port.index()].extend(received);
        *play = [(self.received[port.index()].len() / FRAME % 100) as u8 | 0x80; FRAME];
        self.frames += 1;
    }
}

impl Bench {
    fn new(fake: Fake) -> Bench {
        let mut card = open(&fake).unwrap();
        card.start(Time::from_nanos(1_000_000)).unwrap();
        // The first interrupt word is one before the first chunk's end.
        fake.run(7);
        let mark = fake.with(|card| card.accesses);
        Bench { fake, card, now: Time::from_nanos(2_000_000), log: Log::default(), most: 0, mark }
    }

    /// One service, then one tick.
    fn tick(&mut self) -> Service {
        let accesses = self.fake.with(|card| card.accesses);
        self.most = self.most.max(accesses - self.mark);
        self.mark = accesses;
        let outcome = self.serve();
        self.pass();
        outcome
    }

    fn serve(&mut self) -> Service {
        self.card.service(self.now, &mut self.log)
    }

    fn look(&mut self) -> Service {
        self.card.look_after(self.now, &mut self.log)
    }

    /// Looks after the card every 10 ms until it interrupts again; the number of milliseconds.
    fn until_running(&mut self) -> u32 {
        for ms in 0..2000 {
            if ms % 10 == 0 {
                self.look();
            }
            if self.fake.run(8) {
                return ms;
            }
            self.fake.pass(TICK);
            self.now += TICK;
        }
        panic!("the card does not run again");
    }

    fn pass(&mut self) {
        self.fake.run(8);
        self.fake.pass(TICK);
        self.now += TICK;
    }

    fn ticks(&mut self, count: u32) -> Vec<(usize, PortEvent)> {
        for _ in 0..count {
            assert_eq!(self.tick(), Service::Frames { frames: 1, missed: 0 });
        }
        std::mem::take(&mut self.log.events)
    }

    fn events(&mut self) -> Vec<(usize, PortEvent)> {
        std::mem::take(&mut self.log.events)
    }
}

#[test]
fn a_card_can_change_threads_while_modules_are_restored() {
    fn send<T: Send>(_: &T) {}
    let mut bench = Bench::new(mixed());
    bench.ticks(50);
    bench.fake.with(|card| card.fxs(0).reset());
    bench.ticks(50);
    assert!(bench.card.status(PortNumber(0)).unwrap().restoring);
    send(&bench.card);
    let Bench { mut card, fake, now, .. } = bench;
    let status = std::thread::spawn(move || {
        for n in 1..=300 {
            fake.run(8);
            card.service(now + TICK * n, &mut Log::default());
        }
        card.status(PortNumber(0))
    });
    assert!(status.join().unwrap().is_some_and(|status| !status.restoring));
}

#[test]
fn brings_up_every_kind_of_slot() {
    let fake = Fake::new([fxo(), FakeModule::None, fxs(), fxs()]);
    fake.with(|card| card.fxs(3).weak_battery = Some(3));
    let card = open(&fake).unwrap();
    assert_eq!(
        card.slots(),
        [
            Slot::Module(ModuleKind::Fxo),
            Slot::Empty,
            Slot::Module(ModuleKind::Fxs),
            Slot::Failed(ModuleError::NoPower { volts: 1 })
        ]
    );
    fake.with(|card| {
        assert_eq!(card.register(CPLD_SYNC), 0b01011);
        assert_eq!(card.controls, [0x01, 0x06, 0x31, 0x31, 0x4F, 0x41]);
        assert_eq!((card.register(OPER), card.enabled()), (0, 0), "not started");
    });
    drop(card);
    assert_eq!(fake.with(|card| card.register(CNTL)), 0x4E, "dropped is safe");
}

#[test]
fn a_card_without_modules_opens_and_says_so() {
    let card = open(&Fake::new([const { FakeModule::None }; 4])).unwrap();
    assert_eq!(card.slots(), [Slot::Empty; 4]);
}

#[test]
fn cards_that_can_not_work_are_refused_with_the_cause() {
    let fake = mixed();
    fake.with(|card| card.gone = true);
    assert!(matches!(open(&fake), Err(OpenError::AllOnes)));

    let fake = mixed();
    fake.with(|card| card.cpld = 0x00);
    assert!(matches!(open(&fake), Err(OpenError::NotTdm400p { version: 0x73 })));

    let fake = mixed();
    fake.with(|card| card.cpld = 0xF7);
    let error = open(&fake).unwrap_err();
    assert!(
        matches!(error, OpenError::RegisterTest { register: 0xC8, wrote: 8, read: 0 }),
        "{error}"
    );
    assert_eq!(fake.with(|card| card.register(CNTL)), 0x4E, "left in reset");

    for (len, address) in
        [(0, 0x1000), (124, 0x1000), (128, 0x1002), (128, 1 << 32), (128, (1 << 32) - 64)]
    {
        let fake = mixed();
        let mut device = fake.device();
        (device.memory.1, device.memory.2) = (len, address);
        let error = open_device(&fake, device).unwrap_err();
        let right = match (len, address) {
            (0, _) => matches!(error, OpenError::NoDmaMemory),
            (124, _) => matches!(error, OpenError::DmaTooSmall { len: 124 }),
            (_, address) => matches!(error, OpenError::DmaAddress { address: a } if a == address),
        };
        assert!(right, "{len} at {address:#x}: {error}");
        assert_eq!(fake.with(|card| card.accesses), 0, "not touched");
    }
}

#[test]
fn samples_run_without_a_gap_both_ways() {
    let mut bench = Bench::new(mixed());
    bench.ticks(500);
    for port in 0..4 {
        let expected: Vec<u8> = (0..3999).map(|n| Card::sound(n, port)).collect();
        assert_eq!(bench.log.received[port][0], SILENCE);
        assert_eq!(bench.log.received[port][1..], expected);
        bench.fake.with(|card| {
            let from = card.played.iter().position(|word| word[port] == 0x81).unwrap();
            assert!(from <= 16, "played 1 ms after it was given, at word {from}");
            let played = card.played[from..].iter().take(3900).map(|word| word[port]);
            assert!(played.eq((0..3900).map(|n| ((n / 8 + 1) % 100) as u8 | 0x80)));
        });
    }
    assert_eq!(bench.card.counters().ticks, 500);
    assert_eq!(bench.card.counters().missed, 0);
    assert_eq!(bench.card.counters().late, 0);
    assert_eq!(bench.fake.with(|card| card.rearmed), 501);
}

#[test]
fn missed_interrupts_lose_only_what_was_lost() {
    let mut bench = Bench::new(mixed());
    bench.ticks(20);
    bench.pass();
    bench.pass();
    assert_eq!(bench.tick(), Service::Frames { frames: 1, missed: 2 });
    assert_eq!(bench.tick(), Service::Frames { frames: 1, missed: 0 });
    assert_eq!(bench.card.counters().missed, 2);
    let received = &bench.log.received[0];
    assert_eq!(received.len(), 22 * 8);
    let before = (0..159).map(|n| Card::sound(n, 0));
    let after = (175..191).map(|n| Card::sound(n, 0));
    assert!(received[1..].iter().copied().eq(before.chain(after)));
}

#[test]
fn a_doubled_interrupt_does_nothing() {
    let mut bench = Bench::new(mixed());
    for _ in 0..50 {
        assert!(matches!(bench.serve(), Service::Frames { missed: 0, .. }));
        assert_eq!(bench.serve(), Service::Idle);
        // Nor does one that comes late, to a card whose time is slower than the clock's.
        bench.now += 5 * TICK;
        assert_eq!(bench.serve(), Service::Idle);
        assert_eq!(bench.card.look_after(bench.now, &mut bench.log), Service::Idle);
        bench.pass();
    }
    assert_eq!((bench.card.counters().ticks, bench.card.counters().missed), (50, 0));
}

#[test]
fn every_port_is_sampled_every_eight_ticks() {
    let mut bench = Bench::new(mixed());
    bench.ticks(100);
    let before = bench.card.counters().module_reads;
    bench.ticks(256);
    // One register in each tick; in every fourth another, two of each FXO port and one of each FXS.
    assert_eq!(bench.card.counters().module_reads - before, 256 + 256 / 4 * 3 / 4);
}

#[test]
fn hook_ring_battery_and_polarity_become_events() {
    let mut bench = Bench::new(mixed());
    bench.fake.with(|card| {
        // No debouncing of the chip's own.
        card.fxs(1).write(69, 0);
        card.fxo(2).line = FED;
    });
    let events = bench.ticks(100);
    assert!(
        events.contains(&(2, PortEvent::Battery(true)))
            && events.contains(&(3, PortEvent::Battery(false)))
    );
    assert_eq!(events.len(), 2, "{events:?}");

    bench.fake.with(|card| card.fxs(1).telephone.off_hook = true);
    assert_eq!(bench.ticks(16), [(1, PortEvent::Hook(Hook::Off))]);
    bench.fake.with(|card| card.fxs(1).telephone.off_hook = false);
    assert_eq!(bench.ticks(16), [(1, PortEvent::Hook(Hook::On))]);

    bench.fake.with(|card| card.fxo(2).line.ringing = Some(20));
    assert_eq!(bench.ticks(160), [(2, PortEvent::Ring(true))]);
    assert!(bench.card.status(PortNumber(2)).unwrap().ringing);
    bench.fake.with(|card| card.fxo(2).line.ringing = None);
    assert_eq!(bench.ticks(264), [(2, PortEvent::Ring(false))]);

    bench.fake.with(|card| card.fxo(2).line.battery = Battery::Reversed);
    assert_eq!(bench.ticks(72), [(2, PortEvent::Polarity(Polarity::Reverse))]);
    let status = bench.card.status(PortNumber(2)).unwrap();
    assert_eq!((status.battery, status.voltage), (Some(true), Some(-48)));
}

#[test]
fn commands_are_written_at_once_and_known() {
    let mut bench = Bench::new(mixed());
    bench.ticks(5);
    bench.serve();
    bench.card.set_hook(PortNumber(2), Hook::Off).unwrap();
    assert_eq!(bench.fake.with(|card| card.fxo(2).read(5)), 0x09);
    bench.card.set_polarity(PortNumber(0), Polarity::Reverse).unwrap();
    bench.card.set_line_feed(PortNumber(0), LineFeed::OnHookTransmission).unwrap();
    assert_eq!(bench.fake.with(|card| card.fxs(0).read(64)), 0x66);
    assert_eq!(bench.card.status(PortNumber(2)).unwrap().hook, Hook::Off);
    let status = bench.card.status(PortNumber(0)).unwrap();
    assert_eq!(
        (status.feed, status.polarity),
        (Some(LineFeed::OnHookTransmission), Some(Polarity::Reverse))
    );

    assert_eq!(
        bench.card.set_hook(PortNumber(0), Hook::Off),
        Err(PortError::WrongKind { port: PortNumber(0), kind: ModuleKind::Fxs })
    );
    assert_eq!(
        bench.card.set_line_feed(PortNumber(2), LineFeed::Ringing),
        Err(PortError::WrongKind { port: PortNumber(2), kind: ModuleKind::Fxo })
    );
    assert_eq!(
        bench.card.set_hook(PortNumber(4), Hook::Off),
        Err(PortError::NoPort(PortNumber(4)))
    );
}

#[test]
fn a_lifted_telephone_stops_the_ringing() {
    let mut bench = Bench::new(mixed());
    bench.card.set_line_feed(PortNumber(0), LineFeed::Ringing).unwrap();
    assert_eq!(bench.ticks(100), [(2, PortEvent::Battery(false)), (3, PortEvent::Battery(false))]);
    assert!(bench.card.status(PortNumber(0)).unwrap().ringing);
    bench.fake.with(|card| {
        let chip = card.fxs(0);
        // No debouncing of the chip's own.
        chip.write(70, 0);
        chip.telephone.off_hook = true;
    });
    assert_eq!(bench.ticks(24), [(0, PortEvent::RingTrip), (0, PortEvent::Hook(Hook::Off))]);
    let status = bench.card.status(PortNumber(0)).unwrap();
    assert_eq!(
        (status.feed, status.ringing, status.hook),
        (Some(LineFeed::Active), false, Hook::Off)
    );
}

#[test]
fn a_part_reset_is_repaired_within_the_budget_while_others_speak() {
    let mut bench = Bench::new(mixed());
    bench.ticks(100);
    bench.card.set_polarity(PortNumber(1), Polarity::Reverse).unwrap();
    bench.ticks(3);
    bench.events();
    bench.fake.with(|card| card.fxs(1).reset());
    let mut commands = 0;
    let mut restored = None;
    for tick in 0..1500 {
        bench.ticks(1);
        // Meanwhile the other ports are commanded all the time.
        let hook = if tick % 2 == 0 { Hook::Off } else { Hook::On };
        bench.card.set_hook(PortNumber(2), hook).unwrap();
        bench.card.set_hook(PortNumber(3), hook).unwrap();
        bench.card.set_polarity(PortNumber(0), Polarity::Forward).unwrap();
        commands += 3;
        if bench.card.status(PortNumber(1)).unwrap().restoring {
            restored = Some(tick);
        }
    }
    assert_eq!(commands, 4500);
    assert!(bench.most <= u64::from(ACCESSES_PER_TICK), "{} accesses in a tick", bench.most);
    assert!(restored.is_some_and(|tick| tick < 1000), "{restored:?}");
    assert_eq!(bench.fake.with(|card| card.fxs(1).read(64)), 0x55, "fed as commanded");
    assert_eq!(bench.fake.with(|card| card.fxo(2).read(5)), 0x08, "the last command holds");
    assert_eq!(bench.card.counters().part_resets, 1);
    assert_eq!(bench.card.counters().restored, 1);
}

#[test]
fn an_undisturbed_repair_takes_a_fraction_of_a_second_and_is_reported() {
    for port in [0, 2] {
        let mut bench = Bench::new(mixed());
        bench.ticks(100);
        bench.fake.with(|card| if port == 0 { card.fxs(0).reset() } else { card.fxo(2).reset() });
        let events = bench.ticks(250);
        let fault = |remedy| (port, PortEvent::Fault(PortFault::PartReset(remedy)));
        assert_eq!(events, [fault(Remedy::Restoring), fault(Remedy::Restored)], "{events:?}");
        assert!(bench.most <= u64::from(ACCESSES_PER_TICK), "{} accesses in a tick", bench.most);
    }
}

#[test]
fn all_ports_failing_at_once_keep_the_budget() {
    let mut bench = Bench::new(mixed());
    bench.ticks(100);
    bench.fake.with(|card| {
        card.fxs(0).reset();
        card.fxs(1).reset();
        card.fxo(2).reset();
        card.fxo(3).reset();
    });
    bench.ticks(1000);
    assert!(bench.most <= u64::from(ACCESSES_PER_TICK), "{} accesses in a tick", bench.most);
    assert!(bench.most > u64::from(ACCESSES_PER_TICK) / 2, "the budget is used");
    assert_eq!(bench.card.counters().restored, 4);
}

#[test]
fn power_alarms_are_reset_ten_times() {
    let mut bench = Bench::new(mixed());
    bench.ticks(100);
    bench.card.set_line_feed(PortNumber(0), LineFeed::Ringing).unwrap();
    let mut told = Vec::new();
    for _ in 0..12 {
        bench.fake.with(|card| card.fxs(0).write(64, 0));
        told.extend(bench.ticks(50));
    }
    let alarm = |remedy| (0, PortEvent::Fault(PortFault::PowerAlarm(remedy)));
    let mut expected = vec![alarm(Remedy::Restored); 10];
    expected.push(alarm(Remedy::GaveUp));
    assert_eq!(told, expected);
    assert_eq!(bench.card.status(PortNumber(0)).unwrap().feed, Some(LineFeed::Open));
    // A command tries the line again; ringing from before the alarm is not resumed.
    bench.card.set_line_feed(PortNumber(0), LineFeed::Active).unwrap();
    bench.ticks(50);
    assert_eq!(bench.fake.with(|card| card.fxs(0).read(64)), 0x11);
    assert_eq!(bench.card.counters().power_alarms, 11);
}

#[test]
fn a_module_that_stops_answering_comes_back_or_is_given_up() {
    let mut bench = Bench::new(mixed());
    bench.ticks(100);
    bench.card.set_hook(PortNumber(3), Hook::Off).unwrap();
    for (port, level) in [(0, 0xFF), (0, 0x00), (3, 0xFF), (3, 0x00)] {
        let fake = bench.fake.clone();
        let absent = |value| {
            fake.with(|card| match port {
                0 => card.fxs(0).absent = value,
                _ => card.fxo(3).absent = value,
            });
        };
        absent(Some(level));
        bench.ticks(300);
        absent(None);
        let fault = |remedy| (port, PortEvent::Fault(PortFault::NotAnswering(remedy)));
        bench.log.events.clear();
        let events = bench.ticks(1500);
        assert_eq!(events, [fault(Remedy::Restored)], "port {port} level {level:#x}");
    }
    assert_eq!(bench.fake.with(|card| card.fxo(3).read(5)), 0x09, "off-hook as commanded");
    bench.fake.with(|card| card.fxs(0).absent = Some(0xFF));
    let events = bench.ticks(12_000);
    assert_eq!(
        events.last(),
        Some(&(0, PortEvent::Fault(PortFault::NotAnswering(Remedy::GaveUp))))
    );
    assert_eq!(bench.card.slots()[0], Slot::Failed(ModuleError::NotAnswering));
    assert_eq!(
        bench.card.set_line_feed(PortNumber(0), LineFeed::Active),
        Err(PortError::NoPort(PortNumber(0)))
    );
    assert_eq!(bench.card.status(PortNumber(0)), None);
    assert_eq!(bench.card.status(PortNumber(1)).unwrap().kind, ModuleKind::Fxs, "the others go on");
}

#[test]
fn a_lost_iso_link_is_found_and_restored() {
    let mut bench = Bench::new(mixed());
    bench.ticks(100);
    bench.fake.with(|card| card.fxo(2).link_after = Duration::MAX);
    let fault = |remedy| (2, PortEvent::Fault(PortFault::IsoLinkLost(remedy)));
    assert_eq!(bench.ticks(300), [fault(Remedy::Restoring)]);
    bench.fake.with(|card| card.fxo(2).link_after = Duration::ZERO);
    assert_eq!(bench.ticks(400), [fault(Remedy::Restored)]);
    assert_eq!(bench.card.counters().link_losses, 1);
}

#[test]
fn a_flipped_hook_bit_is_written_again() {
    let mut bench = Bench::new(mixed());
    bench.ticks(100);
    bench.fake.with(|card| card.fxo(2).write(5, 0x09));
    assert_eq!(bench.ticks(9), []);
    assert_eq!(bench.fake.with(|card| card.fxo(2).read(5)), 0x08);
    assert_eq!(bench.card.counters().rewritten, 1);
}

#[test]
fn a_master_abort_is_repaired() {
    let mut bench = Bench::new(mixed());
    bench.ticks(20);
    for _ in 0..5 {
        bench.fake.with(|card| {
            card.bus_master = false;
            card.controls.clear();
        });
        bench.pass();
        assert_eq!(bench.serve(), Service::Recovered);
        // DMA logic and serial port are held in reset together, for 10 ms.
        for _ in 0..10 {
            assert_eq!(bench.fake.with(|card| card.controls.clone()), [0x4F]);
            assert_eq!(bench.card.look_interval(), 10 * TICK);
            bench.pass();
            assert_eq!(bench.look(), Service::Idle);
        }
        // One module sends by itself as long.
        for _ in 0..10 {
            assert_eq!(bench.fake.with(|card| card.controls.clone()), [0x4F, 0x41]);
            assert_eq!(bench.fake.with(|card| card.enabled()), 0, "without interrupts");
            assert_eq!(bench.card.look_interval(), 10 * TICK);
            bench.pass();
            assert_eq!(bench.look(), Service::Idle);
        }
        bench.fake.with(|card| {
            assert_eq!([card.fxs(0).read(1), card.fxs(1).read(1)], [0x28; 2], "as usual");
            assert_eq!([card.fxo(2).read(33), card.fxo(3).read(33)], [0x28; 2], "as usual");
        });
        bench.fake.run(7);
        bench.now += TICK;
        bench.ticks(20);
    }
    assert_eq!((bench.card.counters().master_aborts, bench.card.counters().recoveries), (5, 5));
    let received = &bench.log.received[0];
    let transferred = bench.fake.with(|card| card.transferred);
    assert!(
        received.ends_with(&[Card::sound(transferred - 10, 0), Card::sound(transferred - 9, 0)])
    );
}

/// A program that is late comes to several steps of a recovery at once, and its calls go on.
#[test]
fn starting_a_card_anew_keeps_the_budget_in_each_step_with_the_commands_behind_it() {
    let mut bench = Bench::new(Fake::new([(); 4].map(|()| fxo())));
    bench.ticks(20);
    bench.fake.with(|card| card.bus_master = false);
    bench.pass();
    let (mut steps, mut hook) = (Vec::new(), Hook::Off);
    while bench.fake.with(|card| card.enabled()) == 0 || steps.len() < 3 {
        let before = bench.fake.with(|card| card.accesses);
        if steps.is_empty() {
            bench.serve();
        } else {
            (0..10).for_each(|_| bench.pass());
            bench.look();
        }
        // What the last tick has left is for these commands.
        for port in (0..4).filter(|_| !steps.is_empty()) {
            bench.card.set_hook(PortNumber(port), hook).unwrap();
        }
        steps.push(bench.fake.with(|card| card.accesses) - before);
        hook = if hook == Hook::Off { Hook::On } else { Hook::Off };
        assert!(steps.len() < 10, "{steps:?}");
    }
    let most = u64::from(ACCESSES_PER_TICK);
    assert!(steps.iter().all(|step| *step <= most), "{steps:?}");
    assert!(steps.iter().filter(|step| **step > most / 2).count() >= 2, "{steps:?}: the trial");
    bench.fake.run(7);
    bench.now += TICK;
    bench.ticks(3);
    let wanted = if hook == Hook::Off { 0x08 } else { 0x09 };
    for port in 0..4 {
        let control = bench.fake.with(|card| card.fxo(port).read(5));
        assert_eq!(control, wanted, "port {port}: the last command holds");
    }
}

#[test]
fn aborts_without_end_are_given_up() {
    let mut bench = Bench::new(mixed());
    bench.ticks(20);
    bench.card.set_hook(PortNumber(2), Hook::Off).unwrap();
    bench.fake.with(|card| card.aborting = true);
    let mut outcomes = Vec::new();
    for _ in 0..400 {
        bench.pass();
        outcomes.push(bench.serve());
    }
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Service::Gone).count(), 1);
    assert!(
        matches!(bench.card.failure(), Some(Failure::Stuck { .. })),
        "{:?}",
        bench.card.failure()
    );
    assert_eq!(outcomes.last(), Some(&Service::Idle));
    bench.fake.with(|card| {
        assert_eq!((card.register(CNTL), card.register(OPER), card.enabled()), (0x4E, 0, 0));
        assert_eq!(card.fxo(2).read(5) & 1, 0, "on-hook");
    });
    assert_eq!(bench.card.set_hook(PortNumber(2), Hook::Off), Err(PortError::Gone));
}

#[test]
fn a_card_that_stands_still_is_started_anew_by_the_watchdog() {
    let mut bench = Bench::new(mixed());
    bench.ticks(20);
    bench.serve();
    bench.fake.with(|card| card.frozen = true);
    let mut outcomes = Vec::new();
    for _ in 0..120 {
        bench.now += TICK;
        outcomes.push(bench.card.look_after(bench.now, &mut bench.log));
    }
    assert_eq!(outcomes.iter().position(|outcome| *outcome == Service::Recovered), Some(99));
    bench.fake.with(|card| card.frozen = false);
    bench.fake.run(7);
    bench.now += TICK;
    bench.ticks(10);
    assert_eq!((bench.card.counters().stalls, bench.card.counters().recoveries), (1, 1));
    assert_eq!(bench.card.counters().missed, 0);
}

#[test]
fn removal_is_reported_once_and_nothing_is_accessed_afterwards() {
    for watchdog in [false, true] {
        let mut bench = Bench::new(mixed());
        bench.card.set_hook(PortNumber(2), Hook::Off).unwrap();
        bench.ticks(20);
        bench.fake.with(|card| card.gone = true);
        let outcome =
            if watchdog { bench.card.look_after(bench.now, &mut bench.log) } else { bench.serve() };
        assert_eq!(outcome, Service::Gone);
        assert!(matches!(bench.card.failure(), Some(Failure::Removed)));
        assert_eq!(bench.card.status(PortNumber(2)), None);
        assert_eq!(bench.card.modules[2].as_ref().unwrap().status().hook, Hook::On);
        let accesses = bench.fake.with(|card| card.accesses);
        assert_eq!(bench.serve(), Service::Idle);
        assert_eq!(bench.card.set_hook(PortNumber(2), Hook::Off), Err(PortError::Gone));
        assert!(matches!(bench.card.start(bench.now), Err(StartCardError::Closed)));
        bench.card.safe();
        bench.card.safe();
        let Bench { card, fake, .. } = bench;
        drop(card);
        assert_eq!(fake.with(|card| card.accesses), accesses);
    }
}

#[test]
fn a_card_that_only_seems_to_be_removed_is_left_on_hook() {
    let mut bench = Bench::new(mixed());
    bench.card.set_hook(PortNumber(2), Hook::Off).unwrap();
    bench.card.set_line_feed(PortNumber(0), LineFeed::Ringing).unwrap();
    bench.ticks(20);
    bench.fake.with(|card| card.unreadable = true);
    assert_eq!(bench.serve(), Service::Gone);
    assert!(matches!(bench.card.failure(), Some(Failure::Removed)));
    bench.fake.with(|card| {
        assert_eq!((card.register(CNTL), card.register(OPER), card.enabled()), (0x4E, 0, 0));
        assert_eq!(card.fxs(0).read(64), 0);
        assert_eq!(card.fxo(2).read(5) & 1, 0);
    });
}

#[test]
fn a_device_that_is_refused_is_the_end() {
    let mut bench = Bench::new(mixed());
    bench.ticks(20);
    bench.fake.with(|card| card.refuse_rearm = true);
    assert_eq!(bench.serve(), Service::Gone);
    assert!(matches!(bench.card.failure(), Some(Failure::Device(_))));
    assert_eq!(
        bench.fake.with(|card| card.register(CNTL)),
        0x4E,
        "the card is still there and safe"
    );
}

#[test]
fn safe_puts_everything_on_hook() {
    let mut bench = Bench::new(mixed());
    bench.card.set_hook(PortNumber(2), Hook::Off).unwrap();
    bench.card.set_line_feed(PortNumber(0), LineFeed::Ringing).unwrap();
    bench.ticks(20);
    bench.card.safe();
    bench.fake.with(|card| {
        assert_eq!((card.register(CNTL), card.register(OPER), card.enabled()), (0x4E, 0, 0));
        assert_eq!(card.fxs(0).read(64), 0);
        assert_eq!(card.fxo(2).read(5) & 1, 0);
    });
    let accesses = bench.fake.with(|card| card.accesses);
    bench.card.safe();
    assert_eq!(bench.fake.with(|card| card.accesses), accesses);
    assert_eq!(bench.serve(), Service::Idle);
}

#[test]
fn an_ordinary_tick_takes_few_accesses() {
    let mut bench = Bench::new(mixed());
    bench.ticks(300);
    // 4 for the service, and 66 each (65 and the chip select) for the frequent and the rare sample
    // of FXO modules.
    assert!(bench.most <= 4 + 66 + 66, "{} accesses", bench.most);
}

#[test]
fn a_card_that_was_reset_is_set_up_again_with_its_modules() {
    let mut bench = Bench::new(mixed());
    bench.fake.with(|card| {
        (card.fxo(2).line, card.fxo(3).line) = (FED, FED);
        card.fxs(1).write(69, 0);
    });
    bench.ticks(100);
    bench.card.set_hook(PortNumber(2), Hook::Off).unwrap();
    bench.card.set_polarity(PortNumber(0), Polarity::Reverse).unwrap();
    bench.fake.with(|card| card.fxs(1).telephone.off_hook = true);
    assert_eq!(bench.ticks(20), [(1, PortEvent::Hook(Hook::Off))]);
    bench.fake.with(|card| {
        card.fxs(1).telephone.off_hook = false;
        card.reset();
    });
    let ms = bench.until_running();
    assert!((510..600).contains(&ms), "{ms} ms");
    let fault = |port, remedy| (port, PortEvent::Fault(PortFault::CardReset(remedy)));
    let restoring = |port| fault(port, Remedy::Restoring);
    let hung_up = (1, PortEvent::Hook(Hook::On));
    let expected = [restoring(0), restoring(1), hung_up, restoring(2), restoring(3)];
    assert_eq!(bench.events(), expected);
    // It stops for a trial when a module can send, here for nothing: the fake's sound is not made
    // by its modules.
    let outcomes: Vec<Service> = (0..900).map(|_| bench.tick()).collect();
    let idle = outcomes.iter().filter(|outcome| **outcome == Service::Idle).count();
    assert!((20..100).contains(&idle), "{idle}");
    let mut events = bench.events();
    events.sort_by_key(|event| event.0);
    let restored = |port| fault(port, Remedy::Restored);
    let fed = |port| (port, PortEvent::Battery(true));
    assert_eq!(events, [restored(0), restored(1), restored(2), fed(2), restored(3), fed(3)]);
    bench.fake.with(|card| {
        assert_eq!([card.register(CNTL), card.register(CPLD_SYNC)], [0x41, 0b11111]);
        assert_eq!(
            [card.register(0x02), card.register(0x2B), card.register(0x2D)],
            [0xDF, 4, 0xC1]
        );
        assert_eq!([card.fxs(0).read(64), card.fxs(1).read(64)], [0x11; 2], "fed again");
        assert_eq!([card.fxo(2).read(5), card.fxo(3).read(5)], [0x08; 2], "on-hook");
    });
    let counters = bench.card.counters();
    assert_eq!((counters.resets, counters.restored, counters.part_resets), (1, 4, 0));
    assert!(bench.most <= u64::from(ACCESSES_PER_TICK), "{} accesses in a tick", bench.most);
}

#[test]
fn a_card_that_is_reset_again_and_again_is_given_up() {
    let mut bench = Bench::new(mixed());
    bench.ticks(20);
    let mut outcome = Service::Idle;
    for _ in 0..100 {
        bench.fake.with(Card::reset);
        for _ in 0..60 {
            bench.now += 10 * TICK;
            bench.fake.pass(10 * TICK);
            bench.fake.run(80);
            outcome = match bench.look() {
                Service::Gone => Service::Gone,
                _ => outcome,
            };
        }
    }
    assert_eq!(outcome, Service::Gone);
    assert!(matches!(bench.card.failure(), Some(Failure::Resets)));
    // One is forgiven every ten seconds.
    assert!((10..20).contains(&bench.card.counters().resets));
}

#[test]
fn a_few_milliseconds_of_misread_registers_change_nothing() {
    for level in [0x00, 0xFF] {
        let mut bench = Bench::new(mixed());
        bench.fake.with(|card| (card.fxo(2).line, card.fxo(3).line) = (FED, FED));
        bench.ticks(100);
        bench.card.set_hook(PortNumber(2), Hook::Off).unwrap();
        bench.ticks(100);
        for _ in 0..100 {
            let fake = bench.fake.clone();
            let absent = |value| {
                fake.with(|card| {
                    (card.fxs(0).absent, card.fxs(1).absent) = (value, value);
                    (card.fxo(2).absent, card.fxo(3).absent) = (value, value);
                });
            };
            absent(Some(level));
            assert_eq!(bench.ticks(4), []);
            absent(None);
            assert_eq!(bench.ticks(37), [], "level {level:#04x}");
        }
        let restored = bench.card.counters().restored;
        assert_eq!(restored, 0);
        assert_eq!(bench.fake.with(|card| card.fxo(2).soft_resets), 1, "that of bring-up");
        assert_eq!(bench.fake.with(|card| card.fxo(2).read(5)), 0x09);
    }
}

#[test]
fn a_chip_that_answers_again_and_has_its_registers_is_not_reset() {
    for port in [0, 2] {
        let mut bench = Bench::new(mixed());
        bench.fake.with(|card| card.fxo(2).line = FED);
        bench.ticks(100);
        bench.card.set_hook(PortNumber(2), Hook::Off).unwrap();
        let fake = bench.fake.clone();
        let absent = |value| {
            fake.with(|card| match port {
                0 => card.fxs(0).absent = value,
                _ => card.fxo(2).absent = value,
            });
        };
        absent(Some(0));
        bench.ticks(300);
        absent(None);
        bench.events();
        let fault = PortFault::NotAnswering(Remedy::Restored);
        assert_eq!(bench.ticks(1500), [(port, PortEvent::Fault(fault))]);
        bench.fake.with(|card| {
            assert_eq!(card.fxo(2).soft_resets, 1, "that of bring-up");
            assert_eq!((card.fxo(2).read(5), card.fxs(0).read(64)), (0x09, 0x11));
        });
    }
}

#[test]
fn an_interrupt_that_stays_is_masked_and_tried_again_later() {
    let mut bench = Bench::new(mixed());
    bench.ticks(20);
    bench.fake.with(|card| {
        card.frozen = true;
        card.stand(true);
    });
    let mut interrupts = 0;
    while bench.fake.with(|card| card.interrupts()) {
        bench.serve();
        interrupts += 1;
        assert!(interrupts < 100, "the interrupt comes for ever");
    }
    assert_eq!(bench.card.counters().masked, 1);
    bench.now += 50 * TICK;
    bench.look();
    assert!(bench.fake.with(|card| card.interrupts()), "enabled again");
    bench.fake.with(|card| {
        card.frozen = false;
        card.stand(false);
    });
    bench.serve();
    bench.pass();
    bench.ticks(20);
}
