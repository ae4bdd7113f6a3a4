//! What the functions of the mock do, and its runner.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use ringback_request::sync::EvenPoisoned;
use ringback_request::{RequestId, Time};
use ringback_tspi::constants::*;
use ringback_tspi::error::{LineError, PhoneError};
use ringback_tspi::provider::{Control, Devices, InProcess, Init, Provider, Runner, Tapi, Ticket};
use ringback_tspi::structs::{LINEDEVCAPS, PHONECAPS, PHONESTATUS, VARSTRING, Writer};
use ringback_tspi::types::{
    HDRVCALL, HDRVLINE, HDRVPHONE, HTAPICALL, HTAPILINE, HTAPIPHONE, Version,
};

use super::super::{DEADLINE, FAILED, INITIALIZE_NEGOTIATION};
use super::{Mock, Noting, done};

/// The requests of a mock without a thread, which its runner completes.
pub(in crate::tests) struct Local {
    send: Sender<RequestId>,
    requests: Mutex<Option<Receiver<RequestId>>>,
}

impl Default for Local {
    fn default() -> Local {
        let (send, requests) = mpsc::channel();
        Local { send, requests: Mutex::new(Some(requests)) }
    }
}

struct Rounds {
    tapi: Noting,
    requests: Receiver<RequestId>,
}

impl Runner for Rounds {
    fn run_once(&mut self, until: Time) -> usize {
        let wait = until.since(Time::monotonic());
        match self.requests.recv_timeout(wait.min(DEADLINE)) {
            Ok(request) => {
                self.tapi.completion(&done(request));
                1
            }
            Err(_) => 0,
        }
    }
}

impl Provider for Mock {
    fn line_negotiate_tspi_version(
        &self,
        device_id: u32,
        low: u32,
        high: u32,
    ) -> Result<Version, LineError> {
        let answer = self.answers[usize::from(device_id != INITIALIZE_NEGOTIATION)];
        answer.map_or_else(|| Version::negotiate(low, high), Ok)
    }

    fn provider_enum_devices(&self, _: u32) -> Result<Devices, LineError> {
        Ok(Devices { lines: 1, phones: self.phones })
    }

    fn provider_init(&self, init: Init, tapi: Box<dyn Tapi>) -> Result<u32, LineError> {
        if let Some(error) = self.init_fails {
            return Err(error);
        }
        *self.given.lock().even_poisoned() = Some(init);
        let mut ours = self.tapi.lock().even_poisoned();
        // D15.
        if ours.is_none() {
            *ours = Some(Box::new(Noting(tapi, Arc::clone(&self.accepted))));
        }
        Ok(self.options)
    }

    fn provider_shutdown(&self, _: Version, _: u32) -> Result<(), LineError> {
        *self.shut_down.lock().unwrap() += 1;
        self.fail(None);
        self.ending.store(true, Ordering::SeqCst);
        self.catch_up();
        Ok(())
    }

    fn line_open(&self, _: u32, line: HTAPILINE, _: Version) -> Result<HDRVLINE, LineError> {
        *self.line.lock().unwrap() = Some(line);
        if let Some(error) = self.open_fails {
            return Err(error);
        }
        self.enter();
        if self.in_open {
            self.call_in(77);
        }
        *self.detected.lock().even_poisoned() = None;
        Ok(HDRVLINE::new(5).unwrap())
    }

    fn line_set_default_media_detection(
        &self,
        line: HDRVLINE,
        media_modes: u32,
    ) -> Result<(), LineError> {
        assert_eq!(line.raw(), 5);
        *self.detected.lock().even_poisoned() = Some(media_modes);
        self.detection_fails.map_or(Ok(()), Err)
    }

    fn line_close(&self, _: HDRVLINE) -> Result<(), LineError> {
        self.closing()?;
        *self.closed_lines.lock().unwrap() += 1;
        self.fail(None);
        Ok(())
    }

    fn line_get_dev_caps(
        &self,
        _: u32,
        version: Version,
        _: u32,
        caps: &mut [u8],
    ) -> Result<(), LineError> {
        self.enter();
        Writer::<LINEDEVCAPS>::new(caps, version)?
            .string(LINEDEVCAPS::dwLineName, "mock")
            .set(LINEDEVCAPS::dwMediaModes, LINEMEDIAMODE_DATAMODEM);
        Ok(())
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
        let line = self.line();
        let handle = if self.one_handle { 1 } else { call.raw() << 4 };
        let handle = HDRVCALL::new(handle).unwrap();
        let ticket = self.accept(request, handle)?;
        if let Some(local) = &self.local {
            local.send.send(request).unwrap();
        }
        if let Some(act) = &mut *self.making.lock().unwrap()
            && let Some(error) = self.tell(|tapi| act(tapi, request, line, call))
        {
            self.accepted.lock().even_poisoned().remove(&request);
            return Err(error);
        }
        Ok((handle, ticket))
    }

    fn line_dial(
        &self,
        request: RequestId,
        call: HDRVCALL,
        address: &str,
        _: u32,
    ) -> Result<Ticket, LineError> {
        self.function(|| {
            let ticket = self.accept(request, call)?;
            match address {
                "at once" => self.complete(request, Ok(())),
                "slowly" => thread::sleep(Duration::from_millis(1)),
                _ => {}
            }
            Ok(ticket)
        })
    }

    fn line_answer(&self, id: RequestId, call: HDRVCALL, _: &[u8]) -> Result<Ticket, LineError> {
        self.accept(id, call)
    }

    fn phone_negotiate_tspi_version(
        &self,
        _: u32,
        low: u32,
        high: u32,
    ) -> Result<Version, PhoneError> {
        Version::negotiate(low, high).map_err(|_| PhoneError::INCOMPATIBLEAPIVERSION)
    }

    fn phone_get_dev_caps(
        &self,
        _: u32,
        version: Version,
        _: u32,
        caps: &mut [u8],
    ) -> Result<(), PhoneError> {
        if self.no_caps {
            return Err(PhoneError::OPERATIONUNAVAIL);
        }
        Writer::<PHONECAPS>::new(caps, version)
            .map_err(|_| PhoneError::STRUCTURETOOSMALL)?
            .string(PHONECAPS::dwPhoneName, "mock phone")
            .set(PHONECAPS::dwHookSwitchDevs, 1);
        Ok(())
    }

    fn phone_open(&self, _: u32, phone: HTAPIPHONE, _: Version) -> Result<HDRVPHONE, PhoneError> {
        *self.phone.lock().even_poisoned() = Some(phone);
        Ok(HDRVPHONE::new(3).unwrap())
    }

    fn phone_get_status(&self, _: HDRVPHONE, status: &mut [u8]) -> Result<(), PhoneError> {
        Writer::<PHONESTATUS>::new(status, Version::NEWEST_SPOKEN)
            .map_err(|_| PhoneError::STRUCTURETOOSMALL)?
            .set(PHONESTATUS::dwHandsetHookSwitchMode, 4)
            .set(PHONESTATUS::dwHandsetVolume, 0x8000);
        Ok(())
    }

    fn phone_set_lamp(
        &self,
        request: RequestId,
        _: HDRVPHONE,
        id: u32,
        _: u32,
    ) -> Result<Ticket, PhoneError> {
        if id != 0 {
            return Err(PhoneError::INVALBUTTONLAMPID);
        }
        self.begin_phone(request)
    }

    fn phone_set_display(
        &self,
        request: RequestId,
        _: HDRVPHONE,
        row: u32,
        column: u32,
        text: &str,
    ) -> Result<Ticket, PhoneError> {
        if (row, column) != (0, 0) {
            return Err(PhoneError::INVALPARAM);
        }
        *self.shown.lock().even_poisoned() = text.to_owned();
        self.begin_phone(request)
    }

    fn phone_get_display(&self, _: HDRVPHONE, display: &mut [u8]) -> Result<(), PhoneError> {
        Writer::<VARSTRING>::new(display, Version::V2_0)
            .map_err(|_| PhoneError::NOMEM)?
            .set(VARSTRING::dwStringFormat, STRINGFORMAT_UNICODE)
            .string(VARSTRING::dwString, &self.shown.lock().even_poisoned());
        Ok(())
    }

    fn phone_set_data(
        &self,
        request: RequestId,
        _: HDRVPHONE,
        id: u32,
        data: &[u8],
    ) -> Result<Ticket, PhoneError> {
        if id != 3 {
            return Err(PhoneError::INVALDATAID);
        }
        *self.stored.lock().even_poisoned() = data.to_vec();
        self.begin_phone(request)
    }

    fn phone_get_data(&self, _: HDRVPHONE, id: u32, data: &mut [u8]) -> Result<(), PhoneError> {
        if id != 3 {
            return Err(PhoneError::INVALDATAID);
        }
        let stored = self.stored.lock().even_poisoned();
        data.iter_mut().zip(stored.iter()).for_each(|(to, from)| *to = *from);
        Ok(())
    }

    fn phone_close(&self, _: HDRVPHONE) -> Result<(), PhoneError> {
        if !self.never {
            self.complete_phone(Err(PhoneError::OPERATIONFAILED));
        }
        *self.closed_phones.lock().even_poisoned() += 1;
        Ok(())
    }

    fn line_monitor_digits(&self, _: HDRVCALL, _: u32) -> Result<(), LineError> {
        self.enter();
        Ok(())
    }

    fn line_close_call(&self, call: HDRVCALL) -> Result<(), LineError> {
        self.closing()?;
        self.closed_calls.lock().unwrap().push(call);
        self.fail(Some(call));
        Ok(())
    }
}

impl InProcess for Mock {
    fn calls_up_under_locks(&self) -> bool {
        self.locks
    }

    fn control(&self) -> Option<&dyn Control> {
        Some(self)
    }
}

impl Control for Mock {
    fn provider_init_local(
        &self,
        _: Init,
        tapi: Box<dyn Tapi>,
    ) -> Result<(u32, Box<dyn Runner>), LineError> {
        let local = self.local.as_ref().ok_or(LineError::OPERATIONUNAVAIL)?;
        let requests = local.requests.lock().unwrap().take().ok_or(LineError::RESOURCEUNAVAIL)?;
        let tapi = Noting(tapi, Arc::clone(&self.accepted));
        Ok((self.options, Box::new(Rounds { tapi, requests })))
    }

    fn failure_text(&self) -> Option<String> {
        Some("the mock is not in the mood".to_owned())
    }

    fn cancel(&self, request: RequestId) -> bool {
        let known = self.accepted.lock().even_poisoned().contains_key(&request);
        if known {
            self.complete(request, Err(FAILED));
        }
        known
    }
}
