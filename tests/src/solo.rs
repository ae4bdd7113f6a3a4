//! A provider on the test's own thread, on a card whose time the test advances: whole calls take
//! only the time to compute them, and nothing happens between two functions.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::Arc;
use std::thread;

use ringback_country::Profile;
use ringback_driver::Time;
use ringback_driver::request::RequestId;
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::LINE_CALLSTATE;
use ringback_tspi::error::LineError;
use ringback_tspi::provider::{Init, LineMessage, Runner};
use ringback_tspi::types::{HDRVCALL, HDRVLINE, HTAPICALL, HTAPILINE, Version};

use crate::desk::{Clerk, Tray};
use crate::{Bench, FXO, SUPERVISED, Told};

/// A [`Bench`] whose provider runs on the test's thread, with all lines open. Dropping it shuts the
/// provider down and checks the witness.
pub struct Solo {
    bench: Bench,
    tray: Arc<Tray>,
    runner: RefCell<Option<Box<dyn Runner>>>,
    lines: Vec<HDRVLINE>,
}

impl Solo {
    /// The device id of the provider's first line.
    pub const BASE: u32 = 40;

    /// Starts a provider and opens its lines.
    ///
    /// # Panics
    /// If one of them does not come up.
    pub fn new() -> Solo {
        Solo::on(Bench::new())
    }

    /// As [`new`](Solo::new), on an exchange with this profile, which its lines know.
    ///
    /// # Panics
    /// As [`new`](Solo::new).
    pub fn with_profile(profile: &'static Profile) -> Solo {
        let solo = Solo::on(Bench::with_profile(profile));
        for line in [FXO, SUPERVISED] {
            solo.set_profile(Solo::BASE + line, profile);
        }
        solo
    }

    /// On another bench.
    ///
    /// # Panics
    /// As [`new`](Solo::new).
    pub fn on(bench: Bench) -> Solo {
        bench.stop_clock();
        let tray = Arc::<Tray>::default();
        let devices = bench.provider.provider_enum_devices(1).expect("it has lines");
        let init = Init {
            version: Version::V3_1,
            permanent_provider_id: 1,
            line_device_id_base: Solo::BASE,
            phone_device_id_base: 0,
            num_lines: devices.lines,
            num_phones: devices.phones,
        };
        let control = bench.provider.control().expect("it runs on any thread");
        let clerk = Box::new(Clerk(Arc::clone(&tray)));
        let (_, runner) = control.provider_init_local(init, clerk).expect("it starts");
        let open = |line: u32| {
            let tapi = HTAPILINE::new(1 + line as usize).expect("a handle is not 0");
            bench.provider.line_open(Solo::BASE + line, tapi, Version::V3_1)
        };
        let lines = (0..devices.lines).map(|line| open(line).expect("it opens")).collect();
        let solo = Solo { bench, tray, runner: RefCell::new(Some(runner)), lines };
        solo.run(300);
        solo
    }

    /// A line, 0 the card's first.
    ///
    /// # Panics
    /// If there is none.
    pub fn line(&self, line: u32) -> HDRVLINE {
        self.lines[line as usize]
    }

    /// Lets so many milliseconds pass on the card.
    pub fn run(&self, ms: u64) {
        for _ in 0..ms {
            self.card.tick();
            self.deliver();
        }
    }

    /// Delivers what there is to deliver.
    pub fn deliver(&self) {
        if let Some(runner) = self.runner.borrow_mut().as_mut() {
            while runner.run_once(Time::ZERO) > 0 {}
        }
    }

    /// All upcalls so far.
    pub fn told(&self) -> Vec<Told> {
        self.deliver();
        self.tray.told().clone()
    }

    /// The result of a request that is complete.
    pub fn completion(&self, id: RequestId) -> Option<Result<(), LineError>> {
        self.told().into_iter().find_map(|told| match told {
            Told::Completed(of, result) if of == id => Some(result),
            _ => None,
        })
    }

    /// The state of a call that was reported last.
    pub fn state(&self, call: HTAPICALL) -> Option<CallState> {
        self.told().into_iter().rev().find_map(|told| match told {
            Told::Event(LineMessage {
                call: Some(of),
                message: LINE_CALLSTATE,
                params: [word, ..],
                ..
            }) if of == call => CallState::from_raw(u32::try_from(word).ok()?),
            _ => None,
        })
    }

    /// Lets time pass until a call is in a state.
    ///
    /// # Panics
    /// If that takes two minutes of the card's.
    pub fn until(&self, call: HTAPICALL, state: CallState) {
        self.wait("the call comes into the state", || self.state(call) == Some(state));
    }

    /// Lets time pass until a call is announced.
    ///
    /// # Panics
    /// If that takes two minutes of the card's.
    pub fn offered(&self) -> (HDRVCALL, HTAPICALL) {
        let mut found = None;
        self.wait("a call is announced", || {
            found = self.told().into_iter().rev().find_map(|told| match told {
                Told::NewCall(call, tapi) => Some((call, tapi)),
                _ => None,
            });
            found.is_some()
        });
        found.expect("it was found")
    }

    fn wait(&self, what: &str, mut is_true: impl FnMut() -> bool) {
        for _ in 0..120_000 {
            if is_true() {
                return;
            }
            self.run(1);
        }
        panic!("{what}: this never became true; upcalls: {:#?}", self.told());
    }
}

impl Deref for Solo {
    type Target = Bench;
    fn deref(&self) -> &Bench {
        &self.bench
    }
}

impl Default for Solo {
    fn default() -> Solo {
        Solo::new()
    }
}

impl Drop for Solo {
    fn drop(&mut self) {
        // What closing ends is delivered on this thread, which a shutdown would have to wait for.
        for line in &self.lines {
            let _ = self.provider.line_close(*line);
        }
        self.deliver();
        let down = self.provider.provider_shutdown(Version::V3_1, 1);
        if !thread::panicking() {
            down.expect("it shuts down in order");
            self.witness.judge();
        }
    }
}
