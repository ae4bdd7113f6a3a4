//! A world: the card and what is connected to it, the driver, the lines, the application, and time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ringback_driver::card::tiger320::{Options, Tiger320};
use ringback_driver::card::{Hook, ModuleKind, PortCard};
use ringback_driver::device::Device;
use ringback_driver::reactor::Stepper;
use ringback_driver::request::LineNumber;
use ringback_driver::{PortNumber, Time};
use ringback_joint_card::JointCard;
use ringback_lines::{CallHandles, DeviceConfig, LineEngine, Lines, SoundOptions};
use ringback_softcard::{LineState, SLOTS, SoftCard};
use ringback_tspi::EvenPoisoned;
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::LINEMEDIAMODE_INTERACTIVEVOICE;

use crate::Wanted;
use crate::acts::{Act, Actor, Acts};
use crate::application::{Application, Ear};
use crate::callers::{Callers, Look, MESSAGE, Reported};
use crate::cards::Cards;
use crate::checker::Rule;
use crate::dice::Dice;
use crate::faults::{Affected, Faults};
use crate::hardware::{SimHandle, SimLines, Tap, plug};
use crate::journal::{Journal, note};
use crate::kernel::{Kernel, Told};
use crate::outside::Outside;
use crate::sabotage::{Sabotage, Saboteur};
use crate::scenario::{Pace, Scenario};

const MS: Duration = Duration::from_millis(1);
/// Time in which the driver has to bring hook and ringing into the right state.
const SOON: Duration = Duration::from_millis(20);
/// Time in which a call has to be disconnected when its line loses battery.
const AT_ONCE: Duration = Duration::from_millis(100);
/// The longest time that a loop may be open for flashes while a call holds it.
const FLASH: Duration = Duration::from_millis(1000);
/// Number of steps between two comparisons with the calls' own state.
const CALLS: u64 = 16;
/// What is counted when a line has said who calls.
pub(crate) const CALLER_TOLD: &str = "a caller was told";
/// Number of steps between two checks of the wires from outside.
const LOOKS: u64 = 50;
/// Time in which the state of the wires has to follow, including repairs of modules.
const LATER: Duration = Duration::from_secs(4);

/// The times of one line that are not in its events.
#[derive(Debug, Clone, Copy, Default)]
struct Watch {
    port: PortNumber,
    /// Since when no call holds the loop, and since when none rings.
    free: Time,
    silent: Time,
    /// Since when a call needs the loop closed and it is open.
    open: Option<Time>,
    /// Since when a call needs the loop and the driver finds no battery on it.
    dead: Option<Time>,
    /// Since when a call's state differs from its telephone's.
    astray: Option<Time>,
}

pub(crate) struct World {
    pub(crate) scenario: Scenario,
    pub(crate) card: Cards,
    pub(crate) stepper: Stepper<SimLines, Ear<SimLines>>,
    pub(crate) handle: SimHandle,
    application: Arc<Mutex<Application<SimLines>>>,
    nested: Arc<AtomicBool>,
    pub(crate) outside: Outside,
    pub(crate) faults: Faults,
    callers: Arc<Mutex<Callers>>,
    /// One for each part of the card if the kernel moves the samples, otherwise none.
    kernels: Vec<Kernel>,
    pub(crate) journal: Journal,
    tap: Arc<Tap>,
    seed: u64,
    /// The random numbers of this step.
    dice: Dice,
    /// The step at which the world is cut off.
    last: u64,
    watches: Vec<Watch>,
    /// Time that has passed for the world and not yet for the card.
    owed: Duration,
    pub(crate) step: u64,
    /// Whether the kernel has found that the card is gone.
    gone: bool,
    /// Whether the card is lost, or the reactor stopped, so that its last orders need not be
    /// carried out.
    pub(crate) over: bool,
}

/// Sets what a line does to its sound.
fn set_sound(lines: &mut SimLines, line: LineNumber, sound: SoundOptions) {
    let mut config = lines.config(line);
    match &mut config {
        Ok(DeviceConfig::Exchange { options, .. }) => options.sound = sound,
        Ok(DeviceConfig::Telephone { options }) => options.sound = sound,
        Ok(DeviceConfig::Modem { .. }) | Err(_) => {}
    }
    let set = config.and_then(|config| lines.set_config(line, config));
    set.unwrap_or_else(|error| panic!("a line without a call is configured: {error}"));
}

impl World {
    /// Makes the world of a seed. `None` if the card has no working module.
    pub(crate) fn new(wanted: &Wanted, journal: Journal) -> Option<World> {
        let Wanted { seed, sabotage, ref kept, last } = *wanted;
        let acts = |actor| Acts::new(seed, actor, kept.as_ref());
        let mut dice = Dice::new(seed);
        let scenario = Scenario::new(seed, &mut dice);
        note!(journal, "     seed {seed}: {scenario:?}");
        let parts = std::iter::once(&scenario.card).chain(&scenario.second);
        let card = Cards::new(parts.map(|part| SoftCard::new(part.clone())).collect());
        for fault in &scenario.broken {
            card.set_fault(0, *fault, true);
        }
        let numbers = scenario.manner.numbers.clone();
        let outside = Outside::new(
            dice.fork(),
            acts(Actor::People),
            journal.clone(),
            &card,
            &scenario.subscribers,
            numbers,
            scenario.telephones_ms,
        );
        let callers = Callers::new(
            Dice::new(seed.rotate_left(40)),
            &card,
            scenario.card.exchange.country,
            &scenario.manner.numbers,
            sabotage,
        );
        let callers = Arc::new(Mutex::new(callers));
        let tap = Arc::new(Tap::default());
        let options = Options { country: scenario.card.exchange.country };
        let mut clock = |time: Duration| (0..time.as_millis().max(1)).for_each(|_| card.tick());
        let (mut parts, mut kernels) = (Vec::new(), Vec::new());
        for (at, part) in card.parts().iter().enumerate() {
            let device = plug(part, &tap, scenario.kernel);
            let device = device.unwrap_or_else(|error| panic!("no eventfd: {error}"));
            if let Some(memory) = device.dma().filter(|_| scenario.kernel) {
                kernels.push(Kernel::new(part.clone(), Arc::clone(memory), at * SLOTS));
            }
            let opened = Tiger320::open(device, options, &mut clock);
            parts.push(opened.unwrap_or_else(|error| panic!("the software card: {error}")));
        }
        let watch = Arc::clone(&tap);
        let tiger = JointCard::new(parts.remove(0), parts);
        let tiger = tiger.watched(move |now| watch.meter.visit(now));
        note!(journal, "     slots {:?}", tiger.slots());
        let handles = Arc::new(CallHandles::default());
        let lines = Lines::new(tiger, Arc::clone(&handles), Time::ZERO);
        let mut lines = lines.unwrap_or_else(|error| panic!("the software card: {error}"));
        let infos = lines.infos().to_vec();
        if infos.is_empty() {
            return None;
        }
        for line in 0..infos.len() {
            set_sound(&mut lines, LineNumber::at(line), scenario.sound);
        }
        let kinds: Vec<ModuleKind> = infos.iter().map(|info| info.kind).collect();
        let application = Arc::new(Mutex::new(Application::new(
            acts,
            scenario.manner.clone(),
            journal.clone(),
            handles,
            kinds,
            LINEMEDIAMODE_INTERACTIVEVOICE,
            Saboteur::new(sabotage),
        )));
        let nested = Arc::new(AtomicBool::new(false));
        let ear = Ear { application: Arc::clone(&application), nested: Arc::clone(&nested) };
        let stepper = Stepper::new(lines, ear, scenario.capacity).ok()?;
        let handle = stepper.handle();
        tap.meter.begin(card.parts().len(), scenario.kernel);
        let watch = |port| Watch { port, ..Watch::default() };
        let mut world = World {
            card: card.clone(),
            stepper,
            handle: handle.clone(),
            application,
            nested,
            outside,
            faults: Faults::new(acts(Actor::Faults), journal.clone(), card.ports(), &scenario),
            callers: Arc::clone(&callers),
            kernels,
            journal,
            tap,
            watches: infos.iter().map(|info| watch(info.port)).collect(),
            owed: Duration::ZERO,
            step: 0,
            gone: false,
            over: false,
            seed,
            dice,
            last,
            scenario,
        };
        world.stepper.deliver();
        let mut application = world.application();
        application.connect(handle);
        let told = callers.lock().even_poisoned().tell();
        application.name_callers(callers, infos.iter().map(|info| info.port).collect());
        if told {
            application.coverage.count("callers are told");
        }
        for line in 0..application.kinds().len() {
            application.open(line);
        }
        application.coverage.count(if card.ports() == 8 { "ports 8" } else { "ports 4" });
        if world.scenario.sound.echo_cancel {
            application.coverage.count("lines that cancel echo");
        }
        if world.scenario.kernel {
            application.coverage.count("samples by the kernel");
        }
        drop(application);
        if sabotage == Some(Sabotage::BusyBus) {
            world.tap.extra.store(2, Ordering::Relaxed);
        }
        Some(world)
    }

    pub(crate) fn application(&self) -> MutexGuard<'_, Application<SimLines>> {
        // A panic under this lock is an error of the simulation, and reported as a violation.
        self.application.lock().even_poisoned()
    }

    pub(crate) fn callers(&self) -> MutexGuard<'_, Callers> {
        self.callers.lock().even_poisoned()
    }

    pub(crate) fn now(&self) -> Time {
        self.stepper.now()
    }

    /// The acts that were carried out so far.
    pub(crate) fn done(&self) -> Vec<Act> {
        let others = self.outside.acts.done().iter().chain(self.faults.acts.done()).copied();
        self.application().done().chain(others).collect()
    }

    /// Returns whether a rule was broken.
    pub(crate) fn is_broken(&self) -> bool {
        self.application().checker.broken().is_some()
    }

    pub(crate) fn fail(&self, rule: Rule, text: String) {
        self.application().checker.fail(rule, text);
    }

    /// Runs for a time, or until a rule is broken.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now() + time;
        while self.now() < end && !self.is_broken() {
            self.step();
        }
    }

    /// One step: time passes, the card ticks and interrupts, all actors act, and all rules are
    /// checked.
    pub(crate) fn step(&mut self) {
        self.step += 1;
        if self.step > self.last {
            return self.fail(Rule::Cut, "the failure is not in this copy".into());
        }
        // Each step has random numbers of its own, so that they do not depend on what happened.
        self.dice = Dice::new(!self.seed ^ self.step.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        self.journal.at(self.now(), self.step);
        self.tap.meter.turn();
        let time = self.pace();
        self.outside.act(self.now());
        let mut coverage = std::mem::take(&mut self.application().coverage);
        let now = self.now();
        let mut affected = Affected {
            card: &self.card,
            tap: &self.tap,
            callers: &self.callers,
            kernels: &mut self.kernels,
        };
        self.faults.act(now, &mut affected, &mut coverage);
        self.application().coverage = coverage;

        self.owed += time;
        while self.owed >= MS {
            self.owed -= MS;
            self.card.tick();
        }
        if self.scenario.kernel {
            self.run_kernel();
        } else {
            self.interrupts();
        }
        self.after_delivery();

        self.application().act();
        self.stepper.deliver();
        self.after_delivery();

        self.stepper.advance(time);
        self.journal.at(self.now(), self.step);
        self.check_budget();
        self.after_delivery();
        self.check_lines();
    }

    fn pace(&mut self) -> Duration {
        match self.scenario.pace {
            Pace::Even => MS,
            Pace::Halting if self.dice.one_in(400) => self.dice.ms(2, 60),
            Pace::Uneven | Pace::Halting => {
                Duration::from_micros(300 + u64::from(self.dice.below(701)))
            }
        }
    }

    fn interrupts(&mut self) {
        let raised = u64::from(self.tap.take_raised());
        // On a shared interrupt line there are interrupts of other cards.
        let spurious = u64::from(self.dice.one_in(3000));
        let count = raised + spurious;
        if (2..4).contains(&count) && self.dice.percent(50) {
            for _ in 0..count {
                self.interrupt();
            }
        } else if count > 0 {
            self.interrupt();
        }
        self.stepper.deliver();
    }

    /// The kernel serves the interrupts, and tells the program what was received and played.
    fn run_kernel(&mut self) {
        let now = self.now();
        let raised = self.tap.take_raised() > 0;
        let mut told = Vec::new();
        let mut present = true;
        for kernel in &mut self.kernels {
            present &= !raised || kernel.interrupt(now);
            kernel.step(now, &mut self.dice);
            told.extend(kernel.due(now));
        }
        for told in told {
            match told {
                Told::Received(port, samples) => self.stepper.received(port, &samples),
                Told::Played(port, play, how) => self.stepper.played(port, play, how),
            }
        }
        if !present && !std::mem::replace(&mut self.gone, true) {
            self.stepper.gone();
        }
        self.stepper.deliver();
        self.take_orders();
    }

    /// Gives the lines' orders to the kernel.
    fn take_orders(&mut self) {
        let now = self.now();
        loop {
            let orders = self.stepper.orders();
            if orders.is_empty() {
                return;
            }
            for order in orders {
                self.kernels.iter_mut().for_each(|kernel| kernel.order(&order, now));
            }
            self.stepper.deliver();
        }
    }

    /// Ends all faults.
    pub(crate) fn end_faults(&mut self) {
        let mut affected = Affected {
            card: &self.card,
            tap: &self.tap,
            callers: &self.callers,
            kernels: &mut self.kernels,
        };
        self.faults.end(&mut affected);
    }

    fn interrupt(&mut self) {
        self.tap.meter.turn();
        self.stepper.interrupt();
    }

    /// Checks the accesses of this step.
    fn check_budget(&self) {
        if let Some(text) = self.tap.meter.exceeded()
            && !self.over
            && !self.lost()
        {
            self.fail(Rule::Budget, text);
        }
    }

    /// Returns whether the engine has reported that the card is gone.
    pub(crate) fn lost(&self) -> bool {
        self.handle
            .with(|lines, _| lines.card().parts().any(|part| part.failure().is_some()))
            .unwrap_or(true)
    }

    /// Called when everything deliverable has been delivered.
    pub(crate) fn after_delivery(&mut self) {
        while self.application().delivered() {
            self.stepper.deliver();
        }
        self.application().check_delivered(self.over, self.nested.load(Ordering::Relaxed));
    }

    /// Checks that hooks, bells and the lines' state correspond to the calls.
    fn check_lines(&mut self) {
        let now = self.now();
        let mut application = self.application.lock().even_poisoned();
        let checker = &mut application.checker;
        let known = |line| checker.calls(line).first().copied();
        let watched = self.watches.iter().enumerate();
        let watched: Vec<_> = watched.map(|(line, watch)| (watch.port, known(line))).collect();
        // What is known of a call takes long to put together.
        let whole = self.step.is_multiple_of(CALLS);
        let asked = self.handle.with(move |lines, _| {
            let ask = |(line, (port, known)): (usize, (PortNumber, Option<_>))| {
                let of_line = lines.state(LineNumber::at(line)).and_then(|state| state.call);
                let of_call = known.filter(|_| whole).and_then(|call| lines.call(call).ok());
                let reported = of_call.as_ref().map(|call| Reported {
                    call: call.call,
                    caller: call.info.caller.clone(),
                    waiting: call.info.waiting.clone(),
                });
                let of_call = of_call.map(|call| call.state.zip(Some(call.mode as usize)));
                (lines.card().status(port), of_line, of_call, reported)
            };
            watched.into_iter().enumerate().map(ask).collect::<Vec<_>>()
        });
        let Ok(asked) = asked else { return };
        let mut callers = self.callers.lock().even_poisoned();
        let mut told_callers = false;
        for (line, (status, of_line, of_call, reported)) in asked.into_iter().enumerate() {
            checker.agree(line, of_line, whole.then_some(of_call));
            let Some(watch) = self.watches.get_mut(line) else { continue };
            let held = checker.loop_held(line);
            let disturbed = self.faults.last_at(watch.port);
            if held || callers.is_told_off_hook(watch.port, disturbed, now) {
                watch.free = now;
            }
            if checker.may_ring(line) {
                watch.silent = now;
            }
            let Some(status) = status.filter(|status| status.kind == ModuleKind::Fxo) else {
                continue;
            };
            if whole {
                // Where samples are lost, so are messages.
                let undisturbed = match self.scenario.pace {
                    Pace::Halting => now,
                    Pace::Even | Pace::Uneven => self.faults.last_at(watch.port),
                };
                let told = reported.as_ref().map_or(0, |one| checker.callers_told(one.call));
                let state = checker.state_of(line);
                let look = Look {
                    now,
                    reported,
                    told,
                    held_back: checker.is_blocked(line),
                    open: checker.is_open(line),
                    has_call: !checker.calls(line).is_empty(),
                    offered: matches!(state, Some(CallState::Offering | CallState::Accepted))
                        && !held,
                    undisturbed,
                };
                match callers.look(&self.card, watch.port, look) {
                    Ok(told) => told_callers |= told,
                    Err(text) => checker.fail(Rule::Caller, format!("line {line}: {text}")),
                }
            }
            let off_hook = status.hook == Hook::Off;
            if off_hook && now - watch.free > SOON {
                let text = format!("line {line} has no call, and the driver keeps it off-hook");
                checker.fail(Rule::OnHook, text);
            }
            let dead = *watch.dead.get_or_insert(now);
            if status.battery != Some(false) || !checker.loop_needed(line) {
                watch.dead = None;
            } else if now - dead > AT_ONCE {
                let text = format!("line {line} has a call, and has lost its battery");
                checker.fail(Rule::Follows, text);
            }
            // Where the kernel moves the samples, they stand still for a second after a bus error
            // before the driver starts them anew; in a pulse or flash the loop is open meanwhile.
            let mut opened = *watch.open.get_or_insert(now);
            if self.scenario.kernel {
                opened = opened.max(self.faults.last_at(watch.port));
            }
            if off_hook || !checker.loop_needed(line) {
                watch.open = None;
            } else if now - opened > FLASH {
                let text = format!("line {line} has a call, and its loop has long been open");
                checker.fail(Rule::OffHook, text);
            }
        }
        drop(callers);
        if told_callers {
            application.coverage.count(CALLER_TOLD);
        }
        drop(application);
        if self.step.is_multiple_of(LOOKS) {
            self.look_at_wires(now);
        }
    }

    /// Checks what is seen from outside, which may follow a little later.
    fn look_at_wires(&mut self, now: Time) {
        self.look_at_telephones(now);
        for (line, watch) in self.watches.iter().enumerate() {
            let disturbed = self.faults.last_at(watch.port);
            if now - watch.free.max(disturbed) > LATER && self.loop_closed(watch.port) {
                let text = format!("line {line} has no call, and its exchange finds it off-hook");
                self.fail(Rule::OnHook, text);
            }
            if now - watch.silent.max(disturbed) > LATER && self.rings(watch.port) {
                self.fail(Rule::Rings, format!("the telephone of line {line} rings for no call"));
            }
        }
    }

    fn look_at_telephones(&mut self, now: Time) {
        for line in 0..self.watches.len() {
            let Some(mut watch) = self.watches.get(line).copied() else { continue };
            let Some(telephone) = self.card.telephone(watch.port) else { continue };
            let disturbed = self.faults.last_at(watch.port);
            let undisturbed = self.scenario.pace != Pace::Halting && now - disturbed > MESSAGE;
            let shows = self.callers().look_at_display(watch.port, &telephone, undisturbed);
            if let Err(text) = shows {
                self.fail(Rule::Caller, text);
            }
            let state = self.application().checker.state_of(line);
            let lifted = telephone.is_off_hook();
            let astray = match state {
                Some(CallState::Ringback) => lifted,
                Some(CallState::Offering | CallState::Connected | CallState::OnHold) => !lifted,
                _ => false,
            };
            watch.astray = astray.then(|| watch.astray.unwrap_or(now));
            if let Some(since) = watch.astray
                && now - since.max(self.faults.last_at(watch.port)) > LATER
            {
                let text = format!("line {line} is {state:?}, and its telephone lifted: {lifted}");
                self.fail(Rule::Follows, text);
            }
            if let Some(place) = self.watches.get_mut(line) {
                *place = watch;
            }
        }
    }

    fn rings(&self, port: PortNumber) -> bool {
        self.card.telephone(port).is_some_and(|phone| phone.is_ringing())
    }

    /// Returns whether the exchange sees the loop of a line closed.
    fn loop_closed(&self, port: PortNumber) -> bool {
        let state = self.card.exchange(port).and_then(|(exchange, own)| {
            exchange.line_number(own).and_then(|number| exchange.state(&number))
        });
        !matches!(state, None | Some(LineState::Idle | LineState::Ringing))
    }

    /// The port of a line.
    pub(crate) fn port(&self, line: usize) -> PortNumber {
        self.watches.get(line).map_or(PortNumber(u8::MAX), |watch| watch.port)
    }

    /// Makes the modules receive nothing from now on.
    pub(crate) fn deafen(&self) {
        self.tap.deaf.store(true, Ordering::Relaxed);
    }

    /// Checks after the shutdown that every line is on-hook and no telephone rings.
    pub(crate) fn check_safe(&mut self) {
        for _ in 0..1500 {
            self.card.tick();
        }
        for line in 0..self.watches.len() {
            let port = self.port(line);
            if self.loop_closed(port) {
                self.fail(Rule::OnHook, format!("line {line} is off-hook after the shutdown"));
            }
            if self.rings(port) {
                self.fail(Rule::Rings, format!("line {line}'s telephone rings after the shutdown"));
            }
        }
    }
}
