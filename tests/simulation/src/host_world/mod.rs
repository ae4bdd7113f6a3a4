//! A world with everything above the lines in it as well: the provider and the host, on the thread
//! of one or two applications. They make, answer, drop and close calls by the host's interface,
//! close lines and open them again, use the telephones as phone devices, and shut the host down and
//! start it again. Two contend for the same lines and phones.
//!
//! The provider is watched by the witness of the system's tests, and the host by `rules`.

mod operator;
mod phones;
mod rules;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringback_driver::card::PortCardKind;
use ringback_driver::card::tiger320::{Tdm400p, Tiger320};
use ringback_driver::device::Device;
use ringback_driver::{PortNumber, Time};
use ringback_host::{Closed, HostOptions, LocalHost, Traced};
use ringback_joint_card::JointCard;
use ringback_lines::Lines;
use ringback_provider::{LineProvider, OpenError, SteppedCard};
use ringback_softcard::{LineState, SLOTS, SoftCard};
use ringback_tests::{Witness, watched};
use ringback_tspi::EvenPoisoned;
use ringback_tspi::provider::Provider;

use crate::Wanted;
use crate::acts::{Act, Actor, Acts};
use crate::callers::Callers;
use crate::cards::Cards;
use crate::checker::{Broken, Rule};
use crate::coverage::Coverage;
use crate::dice::Dice;
use crate::faults::{Affected, Faults};
use crate::hardware::{SimDevice, Tap, plug};
use crate::journal::{Journal, note};
use crate::kernel::{Kernel, Told};
use crate::outside::Outside;
use crate::sabotage::Sabotage;
use crate::scenario::Scenario;

use operator::Operator;
use rules::Rules;

type SimCard = JointCard<Tiger320<SimDevice>>;

const MS: Duration = Duration::from_millis(1);
/// Time after the last fault in which modules are set up again.
const CALM: Duration = Duration::from_secs(6);
/// Number of steps between two comparisons of the witness's book.
const LOOKS: u64 = 64;
/// One in so many worlds has two applications.
const OTHERS: u32 = 2;

pub(crate) struct HostWorld {
    card: Cards,
    tap: Arc<Tap>,
    stepped: SteppedCard<SimCard>,
    provider: Arc<dyn Provider>,
    witness: Arc<Witness>,
    rules: Arc<Mutex<Rules>>,
    /// `None` while the host is shut down.
    host: Option<LocalHost>,
    /// The applications, which contend for the lines and phones.
    operators: Vec<Operator>,
    outside: Outside,
    faults: Faults,
    callers: Mutex<Callers>,
    /// The kernel's part for each part of the card, made anew with each start of the provider; none
    /// where the driver moves the samples.
    kernels: Arc<Mutex<Vec<Kernel>>>,
    kernel: bool,
    /// Whether the kernel has found that the card is gone.
    gone: bool,
    /// The random numbers of the kernel's delays.
    dice: Dice,
    journal: Journal,
    coverage: Coverage,
    storm: Duration,
    now: Time,
    step: u64,
    last: u64,
}

impl HostWorld {
    /// Makes the world of a seed. `None` if the card has no working module.
    pub(crate) fn new(wanted: &Wanted, journal: Journal) -> Option<HostWorld> {
        let Wanted { seed, sabotage, ref kept, last } = *wanted;
        let acts = |actor| Acts::new(seed, actor, kept.as_ref());
        let mut dice = Dice::new(seed);
        let scenario = Scenario::new(seed, &mut dice);
        note!(journal, "     seed {seed}: a host, {scenario:?}");
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
            numbers.clone(),
            scenario.telephones_ms,
        );
        let country = scenario.card.exchange.country;
        let callers = Callers::new(Dice::new(seed.rotate_left(40)), &card, country, &numbers, None);
        let tap = Arc::new(Tap::default());
        let kernels = Arc::new(Mutex::new(Vec::new()));
        let (plugged, served, joined) = (Arc::clone(&tap), Arc::clone(&kernels), card.clone());
        let kernel = scenario.kernel;
        let provider = LineProvider::new(move || {
            let mut clock =
                |time: Duration| (0..time.as_millis().max(1)).for_each(|_| joined.tick());
            let mut kernels = served.lock().even_poisoned();
            kernels.clear();
            let mut parts = Vec::new();
            for (at, part) in joined.parts().iter().enumerate() {
                let device = plug(part, &plugged, kernel).map_err(OpenError::Soft)?;
                if let Some(memory) = device.dma().filter(|_| kernel) {
                    kernels.push(Kernel::new(part.clone(), Arc::clone(memory), at * SLOTS));
                }
                parts.push(Tdm400p::open(device, country, &mut clock)?);
            }
            let watch = Arc::clone(&plugged);
            let card = JointCard::new(parts.remove(0), parts);
            Ok(card.watched(move |now| watch.meter.visit(now)))
        });
        let (provider, stepped) = provider.ok()?.under_a_virtual_clock();
        let witness = Arc::new(Witness::of_local_host());
        let provider: Arc<dyn Provider> =
            Arc::new(watched(Arc::new(provider), Arc::clone(&witness)));
        let rules = Arc::new(Mutex::new(Rules::new(journal.clone())));
        let operator = |application, reaction| {
            let manner = scenario.manner.clone();
            let (journal, rules) = (journal.clone(), Arc::clone(&rules));
            Operator::new(acts(application), acts(reaction), manner, journal, rules)
        };
        let mut operators = vec![operator(Actor::Application, Actor::Reaction)];
        if Dice::new(seed.rotate_left(56)).one_in(OTHERS) {
            operators.push(operator(Actor::OtherApplication, Actor::OtherReaction));
        }
        let faults = Faults::new(acts(Actor::Faults), journal.clone(), card.ports(), &scenario);
        let mut world = HostWorld {
            card,
            tap,
            stepped,
            provider,
            witness,
            rules,
            host: None,
            operators,
            outside,
            faults,
            callers: Mutex::new(callers),
            kernels,
            kernel,
            gone: false,
            dice: Dice::new(!seed),
            journal,
            coverage: Coverage::default(),
            storm: scenario.storm,
            now: Time::ZERO,
            step: 0,
            last,
        };
        world.start();
        if sabotage == Some(Sabotage::BusyBus) {
            world.tap.extra.store(2, Ordering::Relaxed);
        }
        world.coverage.count("worlds with a host");
        if world.operators.len() > 1 {
            world.coverage.count("host: two applications");
        }
        if kernel {
            world.coverage.count("host: samples by the kernel");
        }
        if world.card.parts().len() > 1 {
            world.coverage.count("host: ports 8");
        }
        if scenario.dishonest && scenario.faults_every_ms.is_some() {
            world.coverage.count("host: a bus that may lie");
        }
        Some(world)
    }

    /// Runs the world from its beginning to its end.
    pub(crate) fn live(&mut self) {
        self.run(self.storm);
        let mut kernels = self.kernels.lock().even_poisoned();
        self.faults.end(&mut Affected {
            card: &self.card,
            tap: &self.tap,
            callers: &self.callers,
            kernels: &mut kernels,
        });
        drop(kernels);
        self.outside.hang_up();
        self.run(CALM);
        if !self.is_broken() {
            self.operators.iter_mut().for_each(Operator::quieten);
            self.shut_down();
            self.check_safe();
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end && !self.is_broken() {
            self.step();
        }
    }

    fn step(&mut self) {
        self.step += 1;
        if self.step > self.last {
            return self.fail(Rule::Cut, "the failure is not in this copy".into());
        }
        self.journal.at(self.now, self.step);
        self.outside.act(self.now);
        let mut kernels = self.kernels.lock().even_poisoned();
        let mut affected = Affected {
            card: &self.card,
            tap: &self.tap,
            callers: &self.callers,
            kernels: &mut kernels,
        };
        self.faults.act(self.now, &mut affected, &mut self.coverage);
        drop(kernels);
        self.tap.meter.turn();
        self.card.tick();
        let raised = self.tap.take_raised() > 0;
        if self.kernel {
            self.run_kernel(raised);
        } else if raised {
            self.outside_functions(|world| world.stepped.interrupt());
        }
        self.deliver();
        for at in 0..self.operators.len() {
            if let (Some(host), Some(operator)) = (&self.host, self.operators.get_mut(at)) {
                operator.act(host, self.now, &mut self.coverage);
            }
            self.deliver();
        }
        self.outside_functions(|world| world.stepped.advance(MS));
        self.deliver();
        self.check_budget();
        self.now += MS;
        self.journal.at(self.now, self.step);
        let mut restart = false;
        self.operators.iter_mut().for_each(|operator| restart |= operator.wants_restart());
        if restart {
            self.shut_down();
            self.coverage.count("host restarted");
            self.start();
        }
        if self.step.is_multiple_of(LOOKS) {
            self.hear_witness();
        }
    }

    /// The kernel serves an interrupt, tells what was received and played, and gets the lines'
    /// orders.
    fn run_kernel(&mut self, raised: bool) {
        let (now, mut told, mut present) = (self.now, Vec::new(), true);
        for kernel in self.kernels.lock().even_poisoned().iter_mut() {
            present &= !raised || kernel.interrupt(now);
            kernel.step(now, &mut self.dice);
            told.extend(kernel.due(now));
        }
        let gone = !present && !std::mem::replace(&mut self.gone, !present);
        self.outside_functions(|world| {
            for told in told {
                match told {
                    Told::Received(port, samples) => world.stepped.received(port, &samples),
                    Told::Played(port, play, how) => world.stepped.played(port, play, how),
                }
            }
            if gone {
                world.stepped.gone();
            }
        });
        let orders = self.stepped.orders();
        let mut kernels = self.kernels.lock().even_poisoned();
        for order in orders {
            kernels.iter_mut().for_each(|kernel| kernel.order(&order, now));
        }
    }

    /// Checks the accesses of this step; those that make a card safe that is lost do not count.
    fn check_budget(&self) {
        let exceeded = self.tap.meter.exceeded();
        let works =
            |lines: &Lines<SimCard>| lines.card().parts().all(|part| part.failure().is_none());
        if let Some(text) = exceeded
            && self.stepped.ask(works) == Some(true)
        {
            self.fail(Rule::Budget, text);
        }
    }

    /// Lets what is due be delivered: nothing of the host may be delivered anywhere else.
    fn outside_functions(&mut self, deliver: impl FnOnce(&mut HostWorld)) {
        self.rules().may_deliver(true);
        deliver(self);
        self.rules().may_deliver(false);
    }

    fn deliver(&mut self) {
        self.outside_functions(|world| {
            if let Some(host) = &mut world.host {
                while host.run_once(Time::ZERO) != 0 {}
            }
        });
        self.rules().settle();
        self.hear();
    }

    fn hear(&mut self) {
        for operator in &mut self.operators {
            operator.hear(&mut self.coverage);
        }
    }

    /// Starts the host, unless a broken module keeps it from that.
    fn start(&mut self) {
        let rules = Arc::clone(&self.rules);
        let trace = move |traced: &Traced<'_>| rules.lock().even_poisoned().see(traced);
        let options = HostOptions { trace: Some(Arc::new(trace)) };
        self.rules().may_deliver(true);
        self.host = match LocalHost::start(Arc::clone(&self.provider), options) {
            Ok(host) => Some(host),
            Err(error) => {
                note!(self.journal, "     the host does not start: {error}");
                self.coverage.count("host not started");
                None
            }
        };
        self.rules().may_deliver(false);
        self.tap.take_raised();
        self.tap.meter.begin(self.card.parts().len(), self.kernel);
        self.gone = false;
        let well = self.host.is_some();
        self.operators.iter_mut().for_each(|operator| operator.started(well));
    }

    fn shut_down(&mut self) {
        note!(self.journal, "     the host is shut down");
        self.rules().stopping();
        if let Some(mut host) = self.host.take() {
            self.rules().may_deliver(true);
            let ended = host.shutdown();
            if ended != Ok(Closed::Now) {
                self.fail(Rule::D12, format!("the shutdown ended with {ended:?}"));
            }
            let left = host.outstanding();
            if left != 0 {
                self.fail(Rule::D12, format!("{left} requests are outstanding at the end"));
            }
            drop(host);
            self.rules().may_deliver(false);
            self.witness.down();
        }
        let left = self.witness.outstanding();
        if left != 0 {
            self.fail(Rule::D12, format!("the provider has {left} requests left"));
        }
        self.hear();
        self.operators.iter_mut().for_each(Operator::stopped);
        self.rules().stopped();
        self.hear_witness();
    }

    fn hear_witness(&mut self) {
        if let Some(first) = self.witness.wrong().into_iter().next() {
            self.fail(Rule::Witness, first);
        }
    }

    /// After the shutdown every line is on-hook, and no telephone rings.
    fn check_safe(&mut self) {
        for _ in 0..1500 {
            self.card.tick();
        }
        for port in (0..self.card.ports()).map(PortNumber::at) {
            let state = self.card.exchange(port).and_then(|(exchange, own)| {
                exchange.line_number(own).and_then(|number| exchange.state(&number))
            });
            if !matches!(state, None | Some(LineState::Idle | LineState::Ringing)) {
                self.fail(Rule::OnHook, format!("port {port} is {state:?} after the shutdown"));
            }
            if self.card.telephone(port).is_some_and(|telephone| telephone.is_ringing()) {
                self.fail(Rule::Rings, format!("telephone {port} rings after the shutdown"));
            }
        }
    }

    fn rules(&self) -> std::sync::MutexGuard<'_, Rules> {
        self.rules.lock().even_poisoned()
    }

    fn fail(&self, rule: Rule, text: String) {
        self.rules().fail(rule, text);
    }

    fn is_broken(&self) -> bool {
        self.broken().is_some()
    }

    /// The first violation, if there was one.
    pub(crate) fn broken(&self) -> Option<Broken> {
        self.rules().broken().cloned()
    }

    pub(crate) fn steps(&self) -> u64 {
        self.step
    }

    pub(crate) fn now(&self) -> Time {
        self.now
    }

    pub(crate) fn coverage(&self) -> Coverage {
        self.coverage.clone()
    }

    /// The acts that were carried out so far.
    pub(crate) fn done(&self) -> Vec<Act> {
        let others = self.outside.acts.done().iter().chain(self.faults.acts.done()).copied();
        self.operators.iter().flat_map(Operator::done).chain(others).collect()
    }
}
