//! A software modem on a software serial port, its provider, and a host.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ringback_driver::card::uart16550::Uart16550;
use ringback_driver::card::{ThreadDelay, uart16550};
use ringback_driver::device::soft::{SoftDevice, SoftInterrupt};
use ringback_host::{Host, HostOptions, Line};
use ringback_lines::modem::ModemOptions;
use ringback_provider::{ModemCard, ModemProvider, OpenError};
use ringback_softcard::{Far, SoftModem, SoftUart, UartModel};
use ringback_tspi::EvenPoisoned;
use ringback_tspi::provider::Provider;

use crate::{Witness, watched, world};

/// The modem's time runs this many times faster, so that tests are short. The driver's time limits,
/// which are in real time, are long enough all the same.
const HASTE: u32 = 20;
/// Number of characters between two steps of the modem.
const CHARACTERS: usize = 32;
const LOOK: Duration = Duration::from_millis(1);

/// A modem with these numbers to call: 100 is a modem that echoes; 101 is busy; 102 answers without
/// a modem; 103 is a telephone that rings; 104 gives no dial tone; 106 hangs up and calls back.
/// Dropping it shuts the host down and checks the witness.
pub struct Rack {
    /// The host with the modem's line.
    pub host: Host,
    /// The modem's provider, behind the witness.
    pub provider: Arc<dyn Provider>,
    /// The serial port.
    pub uart: SoftUart,
    /// Checks the rules of the contract.
    pub witness: Arc<Witness>,
    /// The provider without the witness: for a test that has shut the host down.
    pub bare: Arc<dyn Provider>,
    outside: Arc<Outside>,
    thread: Option<JoinHandle<()>>,
}

struct Outside {
    modem: Mutex<SoftModem>,
    began: Instant,
    over: AtomicBool,
}

impl Outside {
    fn modem(&self) -> MutexGuard<'_, SoftModem> {
        self.modem.lock().even_poisoned()
    }

    fn now(&self) -> Duration {
        self.began.elapsed() * HASTE
    }

    /// The cable between port and modem. It carries nothing while the port asks for service,
    /// because the tests are not about data that a slow machine loses.
    fn run(&self, uart: &SoftUart, interrupt: &SoftInterrupt) {
        let (mut to_modem, mut from_modem) = (Vec::new(), VecDeque::new());
        while !self.over.load(Ordering::Acquire) {
            for _ in 0..CHARACTERS {
                let nothing = &mut VecDeque::new();
                let takes = uart.rts() && !uart.interrupts();
                uart.run(1, if takes { &mut from_modem } else { nothing }, &mut to_modem);
            }
            let mut modem = self.modem();
            modem.run(self.now(), uart.dtr(), &mut to_modem, &mut from_modem);
            uart.set_inputs(modem.signals());
            drop(modem);
            if uart.interrupts() {
                interrupt.raise();
            }
            thread::sleep(LOOK);
        }
    }
}

impl Rack {
    /// Starts a modem that is switched on.
    ///
    /// # Panics
    /// If the host does not start.
    pub fn new() -> Rack {
        let mut modem = SoftModem::new();
        let seconds = Duration::from_secs;
        for (number, far) in [
            ("100", Far::Echo(seconds(8))),
            ("101", Far::Busy),
            ("102", Far::NoCarrier),
            ("103", Far::NoAnswer),
            ("104", Far::NoDialTone),
            ("106", Far::CallsBack(seconds(5))),
        ] {
            modem.add(number, far);
        }
        let uart = SoftUart::new(UartModel::default());
        let interrupt = SoftInterrupt::new().expect("an event");
        let outside = Arc::new(Outside {
            modem: Mutex::new(modem),
            began: Instant::now(),
            over: AtomicBool::new(false),
        });
        let thread = {
            let (outside, uart, interrupt) =
                (Arc::clone(&outside), uart.clone(), interrupt.clone());
            thread::spawn(move || outside.run(&uart, &interrupt))
        };
        let witness = Arc::new(Witness::default());
        let bare: Arc<dyn Provider> =
            Arc::new(provider(uart.clone(), interrupt).expect("the serial port works"));
        let provider: Arc<dyn Provider> =
            Arc::new(watched(Arc::clone(&bare), Arc::clone(&witness)));
        let host =
            Host::start(Arc::clone(&provider), HostOptions::default()).expect("the host starts");
        Rack { host, provider, uart, witness, bare, outside, thread: Some(thread) }
    }

    /// Opens the modem's line.
    ///
    /// # Panics
    /// If it does not open.
    pub fn line(&self) -> Line {
        self.host.open(0).expect("the line opens")
    }

    /// Gives access to the modem, to read and change it.
    pub fn modem<R>(&self, act: impl FnOnce(&mut SoftModem) -> R) -> R {
        act(&mut self.outside.modem())
    }

    /// Makes an incoming call, about which the modem reports these lines after the first ring.
    pub fn call_in(&self, lines: &[&str]) {
        let now = self.outside.now();
        self.modem(|modem| modem.call_from(now, lines));
    }
}

impl Default for Rack {
    fn default() -> Rack {
        Rack::new()
    }
}

impl Drop for Rack {
    fn drop(&mut self) {
        let down = self.host.shutdown();
        self.outside.over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic of this thread shows in the tests.
            let _ = thread.join();
        }
        world::judge_end(&self.host, &self.witness, down);
    }
}

fn provider(
    uart: SoftUart,
    interrupt: SoftInterrupt,
) -> Result<ModemProvider<SoftDevice<SoftUart>>, OpenError> {
    ModemProvider::new(move || {
        let device = SoftDevice::new(uart.clone(), None, interrupt.clone());
        let uart = Uart16550::open(device, uart16550::Options::default(), &mut ThreadDelay)?;
        Ok(ModemCard { uart, options: ModemOptions::default() })
    })
}
