//! A world whose card is a serial port with a modem: the modem's line, the other modems that it
//! reaches, faults of the modem, the application, and time.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ringback_driver::Time;
use ringback_driver::card::ModuleKind;
use ringback_driver::card::uart16550::{Options, Uart16550};
use ringback_driver::device::soft::{SoftDevice, SoftInterrupt};
use ringback_driver::reactor::{Handle, Stepper};
use ringback_driver::request::LineNumber;
use ringback_lines::modem::{Modem, ModemOptions};
use ringback_lines::{CallHandles, LineEngine};
use ringback_softcard::{Far, ModemFault, SoftModem, SoftUart, UartModel};
use ringback_tspi::EvenPoisoned;
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::LINEMEDIAMODE_DATAMODEM;

use crate::Wanted;
use crate::acts::{Act, Actor, Acts};
use crate::application::{Application, Ear};
use crate::checker::Rule;
use crate::dice::Dice;
use crate::journal::{Journal, note};
use crate::sabotage::{Sabotage, Saboteur};
use crate::scenario::{Ending, Manner};

type SimModem = Modem<SoftDevice<SoftUart>>;

const MS: Duration = Duration::from_millis(1);
/// Characters of 115200 8N1 in a millisecond, roughly.
const PER_MS: usize = 11;
/// Number of steps between two comparisons with the call's own state.
const CALLS: u64 = 16;
/// Longer than it takes to hang up a modem that does not react to DTR.
const HUNG_UP: Duration = Duration::from_secs(12);
/// Time in which a call of the calm end is connected: after the last one was hung up and a modem
/// that did not answer was recovered.
const CONNECTED: Duration = Duration::from_secs(40);
/// What the line is.
const LINE: usize = 0;
/// The numbers that can be called, besides those at which nobody answers.
const NUMBERS: [&str; 8] = ["100", "101", "102", "103", "104", "105", "106", "107"];

pub(crate) struct ModemWorld {
    stepper: Stepper<SimModem, Ear<SimModem>>,
    handle: Handle<SimModem>,
    application: Arc<Mutex<Application<SimModem>>>,
    nested: Arc<AtomicBool>,
    uart: SoftUart,
    modem: SoftModem,
    /// How many of its commands are in the journal.
    commands: usize,
    to_modem: Vec<u8>,
    from_modem: VecDeque<u8>,
    people: Acts,
    next_person: Time,
    faults: Acts,
    faults_every_ms: Option<u64>,
    next_fault: Time,
    /// The faults that are on, each with its end.
    on: Vec<(Time, ModemFault)>,
    /// Whether the modem may not have heard that it was to hang up.
    deaf: bool,
    /// Since when no call holds the line.
    free: Time,
    journal: Journal,
    storm: Duration,
    ending: Ending,
    last: u64,
    step: u64,
    over: bool,
}

impl ModemWorld {
    /// Makes the world of a seed.
    pub(crate) fn new(wanted: &Wanted, journal: Journal) -> ModemWorld {
        let Wanted { seed, sabotage, ref kept, last } = *wanted;
        let acts = |actor| Acts::new(seed, actor, kept.as_ref());
        let mut dice = Dice::new(seed);
        let numbers = NUMBERS.map(str::to_owned).to_vec();
        let manner = Manner {
            sense: dice.pick(&[50, 80, 95]).unwrap_or(80),
            holds: dice.pick(&[0, 15, 50]).unwrap_or(15),
            inside: dice.pick(&[0, 3, 15]).unwrap_or(3),
            pause_ms: dice.pick(&[1000, 4000, 12_000]).unwrap_or(4000),
            own_ids: dice.percent(50),
            numbers,
        };
        let ending = dice.pick(&[Ending::Calm, Ending::Calm, Ending::Stop, Ending::Removal]);
        let ending = ending.unwrap_or(Ending::Calm);
        let faults_every_ms = dice.pick(&[None, Some(20_000), Some(6000)]).flatten();
        let capacity = dice.pick(&[2, 8, 64]).unwrap_or(64);
        note!(journal, "     seed {seed}: a modem, {manner:?}, {ending:?}, {faults_every_ms:?}");
        let mut modem = SoftModem::new();
        let mut after = || dice.ms(1000, 9000);
        for (number, far) in NUMBERS.into_iter().zip([
            Far::Echo(after()),
            Far::Busy,
            Far::NoCarrier,
            Far::NoAnswer,
            Far::NoDialTone,
            Far::Endless,
            Far::Modem(after()),
            Far::HangsUp { after: after(), talks: after() },
        ]) {
            modem.add(number, far);
        }
        let uart = SoftUart::new(UartModel::default());
        let interrupt = SoftInterrupt::new().unwrap_or_else(|error| panic!("no eventfd: {error}"));
        let device = SoftDevice::new(uart.clone(), None, interrupt);
        let mut delay = |time: Duration| {
            let characters = PER_MS * usize::try_from(time.as_millis()).unwrap_or(0);
            uart.run(characters, &mut VecDeque::new(), &mut Vec::new());
        };
        let opened = Uart16550::open(device, Options::default(), &mut delay);
        let opened = opened.unwrap_or_else(|error| panic!("the software UART: {error}"));
        let handles = Arc::new(CallHandles::default());
        let options = ModemOptions::default();
        let engine = Modem::new(opened, &options, Arc::clone(&handles), Time::ZERO);
        let engine = engine.unwrap_or_else(|error| panic!("the software UART: {error}"));
        let application = Arc::new(Mutex::new(Application::new(
            acts,
            manner,
            journal.clone(),
            handles,
            vec![ModuleKind::Fxo],
            LINEMEDIAMODE_DATAMODEM,
            Saboteur::new(sabotage),
        )));
        let nested = Arc::new(AtomicBool::new(false));
        let ear = Ear { application: Arc::clone(&application), nested: Arc::clone(&nested) };
        let stepper = Stepper::new(engine, ear, capacity);
        let stepper = stepper.unwrap_or_else(|error| panic!("the capacity: {error}"));
        let handle = stepper.handle();
        let faults = acts(Actor::Faults);
        let first = |every| Time::ZERO + faults.pause().ms(0, 2 * every);
        let world = ModemWorld {
            stepper,
            handle: handle.clone(),
            application,
            nested,
            uart,
            modem,
            commands: 0,
            to_modem: Vec::new(),
            from_modem: VecDeque::new(),
            people: acts(Actor::People),
            next_person: Time::ZERO,
            next_fault: faults_every_ms.map_or(Time::NEVER, first),
            faults,
            faults_every_ms,
            on: Vec::new(),
            deaf: false,
            free: Time::ZERO,
            journal,
            storm: dice.ms(30_000, 120_000),
            ending,
            last,
            step: 0,
            over: false,
        };
        let mut application = world.application();
        application.connect(handle);
        application.open(LINE);
        application.coverage.count("modem lines");
        drop(application);
        world
    }

    pub(crate) fn application(&self) -> MutexGuard<'_, Application<SimModem>> {
        // A panic under this lock is an error of the simulation, and reported as a violation.
        self.application.lock().even_poisoned()
    }

    pub(crate) fn now(&self) -> Time {
        self.stepper.now()
    }

    pub(crate) fn steps(&self) -> u64 {
        self.step
    }

    /// The acts that were carried out so far.
    pub(crate) fn done(&self) -> Vec<Act> {
        let others = self.people.done().iter().chain(self.faults.done()).copied();
        self.application().done().chain(others).collect()
    }

    fn is_broken(&self) -> bool {
        self.application().checker.broken().is_some()
    }

    fn fail(&self, rule: Rule, text: String) {
        self.application().checker.fail(rule, text);
    }

    /// Runs the world from its beginning to its end.
    pub(crate) fn live(&mut self) {
        self.run(self.storm);
        if self.is_broken() {
            return;
        }
        note!(self.journal, "     ending {:?}", self.ending);
        let ending = format!("modem ending {:?}", self.ending);
        self.application().coverage.count_owned(ending);
        match self.ending {
            Ending::Calm => self.calm_down(),
            Ending::Removal | Ending::Gone => self.lose(),
            Ending::Stop => {}
        }
        if !self.is_broken() {
            self.stop();
        }
    }

    /// Runs for a time, or until a rule is broken.
    fn run(&mut self, time: Duration) {
        let end = self.now() + time;
        while self.now() < end && !self.is_broken() {
            self.step();
        }
    }

    /// One step: a millisecond passes for all, each acts, and all rules are checked.
    fn step(&mut self) {
        self.step += 1;
        if self.step > self.last {
            return self.fail(Rule::Cut, "the failure is not in this copy".into());
        }
        self.journal.at(self.now(), self.step);
        self.act();
        for _ in 0..PER_MS {
            let waits = &mut VecDeque::new();
            let flows = if self.uart.rts() { &mut self.from_modem } else { waits };
            self.uart.run(1, flows, &mut self.to_modem);
            self.interrupt();
        }
        let time = self.now() - Time::ZERO;
        let on_hook = self.modem.is_on_hook();
        self.modem.run(time, self.uart.dtr(), &mut self.to_modem, &mut self.from_modem);
        for command in self.modem.commands().iter().skip(self.commands) {
            note!(self.journal, "mod  is told {command:?}");
        }
        self.commands = self.modem.commands().len();
        if on_hook != self.modem.is_on_hook() {
            note!(self.journal, "mod  is {}", if on_hook { "off-hook" } else { "on-hook" });
        }
        self.uart.set_inputs(self.modem.signals());
        self.interrupt();
        self.stepper.deliver();
        self.after_delivery();

        self.application().act();
        self.stepper.deliver();
        self.after_delivery();
        self.stepper.advance(MS);
        self.journal.at(self.now(), self.step);
        self.after_delivery();
        self.check_line();
    }

    fn interrupt(&mut self) {
        if self.uart.interrupts() {
            self.stepper.interrupt();
        }
    }

    fn after_delivery(&mut self) {
        while self.application().delivered() {
            self.stepper.deliver();
        }
        self.application().check_delivered(self.over, self.nested.load(Ordering::Relaxed));
    }

    /// What other modems and faults do.
    fn act(&mut self) {
        let now = self.now();
        if now >= self.next_person {
            self.next_person = now + self.people.pause().mostly_short_ms(500, 20_000);
            if let Some(mut dice) = self.people.next() {
                self.far_end(&mut dice);
            }
        }
        for (until, fault) in std::mem::take(&mut self.on) {
            if until <= now {
                note!(self.journal, "flt  {fault:?} ends");
                self.modem.set_fault(fault, false);
            } else {
                self.on.push((until, fault));
            }
        }
        let Some(every) = self.faults_every_ms else { return };
        if now < self.next_fault {
            return;
        }
        self.next_fault = now + self.faults.pause().ms(1, 2 * every);
        let Some(mut dice) = self.faults.next() else { return };
        let faults = [
            ModemFault::Dead,
            ModemFault::Loop,
            ModemFault::Noise,
            ModemFault::Numeric,
            ModemFault::NoDtr,
            ModemFault::NoDcd,
        ];
        let fault = dice.pick(&faults).unwrap_or(ModemFault::Dead);
        if self.on.iter().any(|(_, on)| *on == fault) {
            return;
        }
        let time = dice.mostly_short_ms(1, 30_000);
        note!(self.journal, "flt  {fault:?} for {time:?}");
        self.application().coverage.count_owned(format!("modem fault {fault:?}"));
        self.modem.set_fault(fault, true);
        self.on.push((now + time, fault));
    }

    fn far_end(&mut self, dice: &mut Dice) {
        let now = self.now() - Time::ZERO;
        let does = match dice.below(5) {
            0 | 1 => {
                self.modem.call(now);
                "calls"
            }
            2 => {
                self.modem.give_up();
                "gives up"
            }
            3 => {
                self.modem.far_hang_up(&mut self.from_modem);
                "hangs up"
            }
            _ => {
                let bytes = [&b"hello"[..], b"\r\nNO CARRIER\r\n", b"+++", b"\r\nOK\r\nRING\r\n"];
                self.modem.far_send(dice.pick(&bytes).unwrap_or_default());
                "sends"
            }
        };
        note!(self.journal, "far  {does}");
    }

    /// Checks that the line's state and the modem's hook correspond to the calls.
    fn check_line(&mut self) {
        let now = self.now();
        let mut application = self.application.lock().even_poisoned();
        let checker = &mut application.checker;
        let known = checker.calls(LINE).first().copied();
        let whole = self.step.is_multiple_of(CALLS);
        let asked = self.handle.with(move |lines, _| {
            let of_line = lines.state(LineNumber::at(LINE)).and_then(|state| state.call);
            let of_call = known.filter(|_| whole).and_then(|call| lines.call(call).ok());
            let of_call = of_call.map(|call| call.state.zip(Some(call.mode as usize)));
            (of_line, of_call)
        });
        if let Ok((of_line, of_call)) = asked {
            checker.agree(LINE, of_line, whole.then_some(of_call));
        }
        if checker.loop_held(LINE) {
            self.free = now;
        }
        // A modem that did not answer when it was hung up is hung up before the next call.
        self.deaf = !self.on.is_empty() || self.deaf && !self.modem.is_on_hook();
        if !self.deaf && now - self.free > HUNG_UP && !self.modem.is_on_hook() {
            checker.fail(Rule::OnHook, "there is no call, and the modem is off-hook".into());
        }
    }

    fn end_faults(&mut self) {
        for (_, fault) in std::mem::take(&mut self.on) {
            note!(self.journal, "flt  {fault:?} ends");
            self.modem.set_fault(fault, false);
        }
        self.faults_every_ms = None;
        self.next_person = Time::NEVER;
    }

    /// Pulls the serial port out: each request has to end, and the line has to be closed.
    fn lose(&mut self) {
        self.end_faults();
        self.uart.remove();
        self.application().quieten();
        self.run(Duration::from_millis(500));
        self.application().release_all();
        self.run(Duration::from_millis(5));
        let mut application = self.application();
        let left = application.checker.outstanding().next();
        if let Some((id, _)) = left {
            application.checker.fail(Rule::C3, format!("{id} outlived the serial port"));
        }
        if application.checker.is_open(LINE) {
            let text = "the line was not told LINE_CLOSE when the serial port went";
            application.checker.fail(Rule::D13, text.into());
        }
        if application.make_call(LINE, "100").is_some() {
            let text = "the line takes a call although the serial port is gone";
            application.checker.fail(Rule::Serves, text.into());
        }
    }

    /// Ends faults and callers; then the line has to work.
    fn calm_down(&mut self) {
        self.end_faults();
        self.modem.give_up();
        let mut application = self.application();
        application.quieten();
        application.release_all();
        drop(application);
        // A call that came in may be announced until it has not rung for ten seconds.
        for pause in [100, 11_000] {
            self.run(Duration::from_millis(pause));
            self.tidy();
        }
        self.run(HUNG_UP);
        if self.is_broken() {
            return;
        }
        if !self.modem.is_on_hook() {
            return self.fail(Rule::OnHook, "the modem is left off-hook".into());
        }
        let Some(call) = self.application().make_call(LINE, "100") else {
            return self.fail(Rule::Serves, "the line refuses a call".into());
        };
        let end = self.now() + CONNECTED;
        let is_connected = |world: &ModemWorld| {
            let state = world.application().checker.state(call);
            state.is_some_and(|(state, _)| state == CallState::Connected)
        };
        while !self.is_broken() && !is_connected(self) {
            if self.now() > end {
                let state = self.application().checker.state(call);
                self.fail(Rule::Serves, format!("call {call} is {state:x?} and not connected"));
            }
            self.step();
        }
        self.application().coverage.count("modem served");
        self.application().drop_call(call);
        self.run(Duration::from_secs(1));
        self.application().close_call(call);
        if !self.modem.is_on_hook() {
            self.fail(Rule::OnHook, "the modem is off-hook after its call".into());
        }
    }

    /// Opens the line, and ends its calls.
    fn tidy(&mut self) {
        let mut application = self.application();
        for call in application.checker.calls(LINE) {
            application.drop_call(call);
            application.close_call(call);
        }
        if !application.checker.is_open(LINE) {
            application.open(LINE);
        }
    }

    /// Shuts down, in whatever state the world is.
    fn stop(&mut self) {
        self.over = true;
        let mut application = self.application();
        application.quieten();
        let skipped = application.saboteur.plans(Sabotage::NoStop);
        let running = application.running().unwrap_or_default();
        application.checker.stopping(&running);
        drop(application);
        note!(self.journal, "     stop");
        if !skipped {
            self.stepper.stop();
        }
        self.after_delivery();
        self.application().release_all();
        self.stepper.deliver();
        self.after_delivery();
        let mut application = self.application();
        application.checker.stopped();
        if application.make_call(LINE, "100").is_some() {
            application.checker.fail(Rule::D12, "a call was taken after the shutdown".into());
        }
        drop(application);
        self.check_safe();
    }

    /// Checks after the shutdown that the modem has hung up, which DTR has made it do.
    fn check_safe(&mut self) {
        if self.ending == Ending::Removal {
            return;
        }
        self.end_faults();
        for ms in 0..200 {
            let time = self.now() - Time::ZERO + MS * ms;
            self.modem.run(time, self.uart.dtr(), &mut self.to_modem, &mut self.from_modem);
        }
        if !self.modem.is_on_hook() {
            self.fail(Rule::OnHook, "the modem is off-hook after the shutdown".into());
        }
    }
}
