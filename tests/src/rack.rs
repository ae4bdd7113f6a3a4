//! A modem in software behind a serial port in software, its provider, and a host on it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ringback_driver::Time;
use ringback_driver::card::uart16550::{SoftModel, SoftUart, Uart16550};
use ringback_driver::card::{ThreadDelay, uart16550};
use ringback_driver::device::soft::{SoftDevice, SoftInterrupt};
use ringback_host::{Host, HostOptions, Line};
use ringback_lines::modem::{Far, ModemOptions, SoftModem};
use ringback_provider::{ModemCard, ModemProvider, OpenError};
use ringback_tspi::provider::Provider;

use crate::{Witness, watched};

/// The modem lives so much faster than we do: what takes it seconds takes a test no time. What the
/// driver waits for it to do is long enough all the same.
const HASTE: u32 = 20;
/// Characters between two looks at the modem.
const CHARACTERS: usize = 32;
const LOOK: Duration = Duration::from_millis(1);

/// A modem that reaches, at number 100, one that sends back what it gets; at 101 nobody but a busy
/// tone; at 102 no modem; at 103 a telephone that rings; at 104 not even dial tone; at 106 somebody
/// who hangs up and calls back. Dropping it shuts the host down and has the witness judge.
pub struct Rack {
    /// The host.
    pub host: Host,
    /// The serial port.
    pub uart: SoftUart,
    /// Who judges.
    pub witness: Arc<Witness>,
    /// The provider, unseen by the witness: for a test that has shut the host down.
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
        self.modem.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Time {
        Time::ZERO + self.began.elapsed() * HASTE
    }

    /// The cable between port and modem. It brings nothing while the port asks for service: a test
    /// is not about what a machine loses that is late.
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
            uart.set_inputs(modem.status());
            drop(modem);
            if uart.interrupts() {
                interrupt.raise();
            }
            thread::sleep(LOOK);
        }
    }
}

impl Rack {
    /// A modem that is switched on.
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
        let uart = SoftUart::new(SoftModel::default());
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
        let provider = Arc::new(watched(Arc::clone(&bare), Arc::clone(&witness)));
        let provider: Arc<dyn Provider> = provider;
        let host = Host::start(provider, HostOptions::default()).expect("the host starts");
        Rack { host, uart, witness, bare, outside, thread: Some(thread) }
    }

    /// Opens the modem's line.
    ///
    /// # Panics
    /// If it does not open.
    pub fn line(&self) -> Line {
        self.host.open(0).expect("the line opens")
    }

    /// The modem, to be looked at and changed.
    pub fn modem<R>(&self, act: impl FnOnce(&mut SoftModem) -> R) -> R {
        act(&mut self.outside.modem())
    }

    /// Somebody calls.
    pub fn call_in(&self) {
        let now = self.outside.now();
        self.modem(|modem| modem.call(now));
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
            // A panic there is seen in what is missing here.
            let _ = thread.join();
        }
        if !thread::panicking() {
            down.expect("the host shuts down in order");
            self.witness.judge();
            let counts = self.host.counts();
            assert_eq!(counts.requests, counts.completed + counts.lost, "{counts:?}");
            assert_eq!((counts.early, counts.duplicate), (0, 0), "{counts:?}");
        }
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
