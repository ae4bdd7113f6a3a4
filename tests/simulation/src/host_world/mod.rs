//! A world with everything above the lines in it as well: the provider and the host, on the thread
//! of an application that makes, answers, drops and closes calls by the host's interface, closes
//! lines and opens them again, uses the telephones as phone devices, and shuts the host down and
//! starts it again.
//!
//! The provider is watched by the witness of the system's tests, and the host by `rules`.

mod operator;
mod phones;
mod rules;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringback_driver::card::PortCardKind;
use ringback_driver::card::tiger320::{Tdm400p, Tiger320};
use ringback_driver::{PortNumber, Time};
use ringback_host::{Closed, HostOptions, LocalHost, Traced};
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
use crate::outside::Outside;
use crate::scenario::Scenario;

use operator::Operator;
use rules::Rules;

type SimCard = Tiger320<SimDevice>;

const MS: Duration = Duration::from_millis(1);
/// Time after the last fault in which modules are set up again.
const CALM: Duration = Duration::from_secs(6);
/// Number of steps between two comparisons of the witness's book.
const LOOKS: u64 = 64;

pub(crate) struct HostWorld {
    card: Cards,
    tap: Arc<Tap>,
    stepped: SteppedCard<SimCard>,
    provider: Arc<dyn Provider>,
    witness: Arc<Witness>,
    rules: Arc<Mutex<Rules>>,
    /// `None` while the host is shut down.
    host: Option<LocalHost>,
    operator: Operator,
    outside: Outside,
    faults: Faults,
    callers: Mutex<Callers>,
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
        let Wanted { seed, ref kept, last, .. } = *wanted;
        let acts = |actor| Acts::new(seed, actor, kept.as_ref());
        let mut dice = Dice::new(seed);
        let mut scenario = Scenario::new(seed, &mut dice);
        (scenario.kernel, scenario.dishonest, scenario.second) = (false, false, None);
        note!(journal, "     seed {seed}: a host, {scenario:?}");
        let part = SoftCard::new(scenario.card.clone());
        let card = Cards::new(vec![part.clone()]);
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
        let plugged = Arc::clone(&tap);
        let provider = LineProvider::new(move || {
            let mut clock = |time: Duration| (0..time.as_millis().max(1)).for_each(|_| part.tick());
            let device = plug(&part, &plugged, false).map_err(OpenError::Soft)?;
            Ok(Tdm400p::open(device, country, &mut clock)?)
        });
        let (provider, stepped) = provider.ok()?.under_a_virtual_clock();
        let witness = Arc::new(Witness::of_local_host());
        let provider: Arc<dyn Provider> =
            Arc::new(watched(Arc::new(provider), Arc::clone(&witness)));
        let rules = Arc::new(Mutex::new(Rules::new(journal.clone())));
        let operator = Operator::new(
            acts(Actor::Application),
            acts(Actor::Reaction),
            scenario.manner.clone(),
            journal.clone(),
            Arc::clone(&rules),
        );
        let faults = Faults::new(acts(Actor::Faults), journal.clone(), card.ports(), &scenario);
        let mut world = HostWorld {
            card,
            tap,
            stepped,
            provider,
            witness,
            rules,
            host: None,
            operator,
            outside,
            faults,
            callers: Mutex::new(callers),
            journal,
            coverage: Coverage::default(),
            storm: scenario.storm,
            now: Time::ZERO,
            step: 0,
            last,
        };
        world.start();
        world.coverage.count("worlds with a host");
        Some(world)
    }

    /// Runs the world from its beginning to its end.
    pub(crate) fn live(&mut self) {
        self.run(self.storm);
        let mut affected =
            Affected { card: &self.card, tap: &self.tap, callers: &self.callers, kernels: &mut [] };
        self.faults.end(&mut affected);
        self.outside.hang_up();
        self.run(CALM);
        if !self.is_broken() {
            self.operator.quieten();
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
        let mut affected =
            Affected { card: &self.card, tap: &self.tap, callers: &self.callers, kernels: &mut [] };
        self.faults.act(self.now, &mut affected, &mut self.coverage);
        self.card.tick();
        if self.tap.take_raised() > 0 {
            self.outside_functions(|world| world.stepped.interrupt());
        }
        self.deliver();
        if let Some(host) = &self.host {
            self.operator.act(host, self.now, &mut self.coverage);
        }
        self.deliver();
        self.outside_functions(|world| world.stepped.advance(MS));
        self.deliver();
        self.now += MS;
        self.journal.at(self.now, self.step);
        if self.operator.wants_restart() {
            self.shut_down();
            self.coverage.count("host restarted");
            self.start();
        }
        if self.step.is_multiple_of(LOOKS) {
            self.hear_witness();
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
        self.operator.hear(&mut self.coverage);
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
        self.operator.started(self.host.is_some());
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
        self.operator.hear(&mut self.coverage);
        self.operator.stopped();
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
        for port in (0..SLOTS).map(PortNumber::at) {
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
        self.operator.done().chain(others).collect()
    }
}
