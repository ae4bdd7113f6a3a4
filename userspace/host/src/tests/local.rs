//! A host on the application's own thread.

use std::rc::Rc;
use std::sync::mpsc;
use std::sync::mpsc::{Receiver, Sender};

use ringback_request::Time;
use ringback_tspi::provider::Runner;

use super::*;

/// A completion or event, or the end.
type Message = Box<dyn FnOnce(&mut dyn Tapi) + Send>;

/// A mock that has no thread.
struct Threadless {
    mock: Mock,
    send: Sender<Message>,
    messages: Mutex<Option<Receiver<Message>>>,
}

struct Rounds {
    tapi: Box<dyn Tapi>,
    messages: Receiver<Message>,
}

impl Runner for Rounds {
    fn run_once(&mut self, until: Time) -> usize {
        let wait = until.since(clock_now());
        match self.messages.recv_timeout(wait.min(DEADLINE)) {
            Ok(message) => {
                message(&mut *self.tapi);
                1
            }
            Err(_) => 0,
        }
    }
}

fn clock_now() -> Time {
    ringback_tspi::clock::now()
}

impl Provider for Threadless {
    fn line_negotiate_tspi_version(
        &self,
        _: u32,
        low: u32,
        high: u32,
    ) -> Result<Version, LineError> {
        Version::negotiate(low, high)
    }

    fn provider_enum_devices(&self, _: u32) -> Result<Devices, LineError> {
        Ok(Devices { lines: 1, phones: 0 })
    }

    fn provider_init(&self, _: Init, _: Box<dyn Tapi>) -> Result<u32, LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    fn provider_shutdown(&self, _: Version, _: u32) -> Result<(), LineError> {
        Ok(())
    }

    fn line_open(&self, id: u32, line: HTAPILINE, of: Version) -> Result<HDRVLINE, LineError> {
        self.mock.line_open(id, line, of)
    }

    fn line_close(&self, _: HDRVLINE) -> Result<(), LineError> {
        Ok(())
    }

    fn line_get_dev_caps(
        &self,
        device: u32,
        version: Version,
        ext: u32,
        caps: &mut [u8],
    ) -> Result<(), LineError> {
        self.mock.line_get_dev_caps(device, version, ext, caps)
    }

    fn line_make_call(
        &self,
        request: RequestId,
        _: HDRVLINE,
        call: HTAPICALL,
        _: Option<&str>,
        _: u32,
        _: Option<&[u8]>,
    ) -> Result<(HDRVCALL, Ticket), LineError> {
        self.send.send(Box::new(move |tapi| tapi.completion(&done(request)))).unwrap();
        Ok((HDRVCALL::new(call.raw() << 4).unwrap(), Ticket::ungated(request)))
    }

    fn line_close_call(&self, _: HDRVCALL) -> Result<(), LineError> {
        Ok(())
    }
}

impl InProcess for Threadless {
    fn control(&self) -> Option<&dyn Control> {
        Some(self)
    }
}

impl Control for Threadless {
    fn provider_init_local(
        &self,
        _: Init,
        tapi: Box<dyn Tapi>,
    ) -> Result<(u32, Box<dyn Runner>), LineError> {
        let messages = self.messages.lock().unwrap().take().ok_or(LineError::RESOURCEUNAVAIL)?;
        Ok((0, Box::new(Rounds { tapi, messages })))
    }
}

#[test]
fn everything_is_told_on_the_applications_own_thread() {
    let (send, messages) = mpsc::channel();
    let provider: Arc<dyn Provider> =
        Arc::new(Threadless { mock: Mock::default(), send, messages: Mutex::new(Some(messages)) });
    let mut local = LocalHost::start(provider, HostOptions::default()).unwrap();
    let line = local.open(0).unwrap();
    let pending = make(&line);
    assert_eq!(pending.wait(DEADLINE).unwrap_err(), WaitError::InUpcall, "nobody would run it");
    assert!(line.events().next_timeout(DEADLINE).is_none());
    let (give, results) = mpsc::channel();
    pending.on_complete(move |made| give.send((made.is_ok(), thread::current().id())).unwrap());
    while local.run_once(Time::NEVER) == 0 {}
    assert_eq!(results.try_recv(), Ok((true, thread::current().id())));
    // One that waits for nobody is told by the next rounds, and one that is given its callback
    // late.
    let late = make(&line);
    while local.run_once(Time::NEVER) == 0 {}
    let (give, results) = mpsc::channel();
    late.on_complete(move |made| give.send(made.is_ok()).unwrap());
    assert_eq!(local.run_once(Time::ZERO), 0);
    assert_eq!(results.try_recv(), Ok(true));
    let left = make(&line);
    assert_eq!(local.shutdown(), Ok(Closed::Now));
    assert!(left.wait(Duration::ZERO).is_ok(), "told by the last rounds");
    let _not_send = Rc::new(local);
}
