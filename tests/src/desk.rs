//! Calls a provider as TAPI does, without a host: every id and handle is the test's own.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use ringback_driver::request::RequestId;
use ringback_tspi::EvenPoisoned;
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::LINE_CALLSTATE;
use ringback_tspi::error::LineError;
use ringback_tspi::provider::{Completion, Init, LineMessage, PhoneMessage, Tapi, Ticket};
use ringback_tspi::types::{HDRVCALL, HDRVLINE, HTAPICALL, HTAPILINE, Version};

use crate::Bench;

/// The upcalls of a provider, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// ASYNC_COMPLETION.
    Completed(RequestId, Result<(), LineError>),
    /// LINE_NEWCALL, and the handle that TAPI gave the call.
    NewCall(HDRVCALL, HTAPICALL),
    /// Any other message.
    Event(LineMessage),
}

/// Called by [`Desk`] in each completion.
type Hook = Box<dyn FnMut(RequestId, Result<(), LineError>) + Send>;

#[derive(Default)]
pub(crate) struct Tray {
    told: Mutex<Vec<Told>>,
    hook: Mutex<Option<Hook>>,
}

impl Tray {
    pub(crate) fn told(&self) -> MutexGuard<'_, Vec<Told>> {
        self.told.lock().even_poisoned()
    }
}

/// Records the upcalls of a provider.
pub(crate) struct Clerk(pub(crate) Arc<Tray>);

impl Tapi for Clerk {
    fn completion(&mut self, completion: &Completion) {
        let (id, result) = (completion.id, completion.result.map_err(LineError::from));
        self.0.told().push(Told::Completed(id, result));
        let hook = self.0.hook.lock().even_poisoned().take();
        if let Some(mut hook) = hook {
            hook(id, result);
        }
    }

    fn line_event(&mut self, event: &LineMessage) {
        self.0.told().push(Told::Event(*event));
    }

    fn new_call(&mut self, _: HTAPILINE, call: HDRVCALL) -> Option<HTAPICALL> {
        let tapi = HTAPICALL::new(0x1000 + call.raw())?;
        self.0.told().push(Told::NewCall(call, tapi));
        Some(tapi)
    }

    fn phone_event(&mut self, _: &PhoneMessage) {
        // The provider has lines only, so that there are no phone upcalls.
    }
}

/// A [`Bench`] with its provider started. Dropping it shuts the provider down and checks the
/// witness.
pub struct Desk {
    bench: Bench,
    tray: Arc<Tray>,
}

impl Desk {
    /// The device id of the provider's first line.
    pub const BASE: u32 = 40;

    /// Starts a provider on a new card.
    pub fn new() -> Desk {
        let desk = Desk { bench: Bench::new(), tray: Arc::default() };
        desk.start();
        desk
    }

    /// Calls TSPI_providerInit.
    pub fn start(&self) {
        let devices = self.provider.provider_enum_devices(1).expect("it has lines");
        let init = Init {
            version: Version::V3_1,
            permanent_provider_id: 1,
            line_device_id_base: Desk::BASE,
            phone_device_id_base: 0,
            num_lines: devices.lines,
            num_phones: devices.phones,
        };
        let clerk = Box::new(Clerk(Arc::clone(&self.tray)));
        self.provider.provider_init(init, clerk).expect("it starts");
    }

    /// All upcalls so far.
    pub fn told(&self) -> Vec<Told> {
        self.tray.told().clone()
    }

    /// Calls this in the next completion, on the reaper's thread.
    pub fn at_next_completion(
        &self,
        hook: impl FnMut(RequestId, Result<(), LineError>) + Send + 'static,
    ) {
        *self.tray.hook.lock().even_poisoned() = Some(Box::new(hook));
    }

    /// Opens a line (0 is the card's first) with a handle of TAPI's.
    pub fn open(&self, line: u32, tapi: usize) -> HDRVLINE {
        let tapi = HTAPILINE::new(tapi).expect("a handle is not 0");
        let line = self.provider.line_open(Desk::BASE + line, tapi, Version::V3_1);
        line.expect("the line opens")
    }

    /// Waits for the completion of a request, and returns its result.
    pub fn completion(&self, id: RequestId) -> Result<(), LineError> {
        let mut found = None;
        crate::eventually("the request completes", || {
            found = self.told().into_iter().find_map(|told| match told {
                Told::Completed(of, result) if of == id => Some(result),
                _ => None,
            });
            found.is_some()
        });
        found.expect("it was found")
    }

    /// Returns the error of a request that the line's state does not allow. A function that finds
    /// the card busy accepts the request, and its completion has the error (R4).
    pub fn refusal(&self, asked: Result<Ticket, LineError>) -> LineError {
        match asked {
            Err(error) => error,
            Ok(ticket) => {
                let id = ticket.id();
                ticket.release();
                self.completion(id).expect_err("it is refused")
            }
        }
    }

    /// Waits until a state of a call was delivered.
    pub fn state(&self, call: HTAPICALL, state: CallState) {
        crate::eventually("the call comes into the state", || {
            self.told().iter().any(|told| {
                matches!(told, Told::Event(event)
                    if (event.call, event.message) == (Some(call), LINE_CALLSTATE)
                        && event.params[0] == state.bit() as usize)
            })
        });
    }

    /// The number of completions that were delivered for a request.
    pub fn completions(&self, id: RequestId) -> usize {
        let told = self.told();
        told.iter().filter(|told| matches!(told, Told::Completed(of, _) if *of == id)).count()
    }
}

/// Converts a request id.
///
/// # Panics
/// If the number is not an id.
pub fn id(number: u32) -> RequestId {
    RequestId::new(number).expect("1 to 0x7FFFFFFF")
}

/// Makes TAPI's handle of a call.
///
/// # Panics
/// If the number is 0.
pub fn call(number: usize) -> HTAPICALL {
    HTAPICALL::new(number).expect("a handle is not 0")
}

impl Deref for Desk {
    type Target = Bench;
    fn deref(&self) -> &Bench {
        &self.bench
    }
}

impl Default for Desk {
    fn default() -> Desk {
        Desk::new()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // This fails if a test has shut the provider down already.
        let _ = self.provider.provider_shutdown(Version::V3_1, 1);
        if !thread::panicking() {
            self.witness.judge();
        }
    }
}
