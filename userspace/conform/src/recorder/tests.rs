//! A recorder's log holds what passed, in order, with threads and values.

use ringback_tspi::constants::LINE_CALLSTATE;
use ringback_tspi::functions::RequestId;
use ringback_tspi::provider::{Devices, InProcess, Init, Ticket};
use ringback_tspi::types::Version;

use super::*;
use crate::log::{Entry, FORMAT};
use crate::rules::Verdict;

/// A provider that completes inside its functions, in part on a thread of its own.
#[derive(Default)]
struct Inline(Mutex<Option<Box<dyn Tapi>>>);

impl InProcess for Inline {}

impl Provider for Inline {
    fn provider_enum_devices(&self, _: u32) -> Result<Devices, LineError> {
        Ok(Devices { lines: 1, phones: 0 })
    }

    fn provider_init(&self, _: Init, tapi: Box<dyn Tapi>) -> Result<u32, LineError> {
        *self.0.lock().unwrap() = Some(tapi);
        Ok(0)
    }

    fn line_get_call_info(&self, _: HDRVCALL, info: &mut [u8]) -> Result<(), LineError> {
        info.fill(7);
        Ok(())
    }

    fn line_drop(&self, id: RequestId, _: HDRVCALL, _: &[u8]) -> Result<Ticket, LineError> {
        let mut tapi = self.0.lock().unwrap();
        let tapi = tapi.as_mut().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| tapi.completion(&Completion::now(id, Ok(())))).join().unwrap()
        });
        let line = HTAPILINE::new(8).unwrap();
        assert_eq!(tapi.new_call(line, HDRVCALL::new(6).unwrap()), HTAPICALL::new(9));
        let (call, params) = (HTAPICALL::new(9), [1, 2, 3]);
        tapi.line_event(&LineMessage { line, call, message: LINE_CALLSTATE, params });
        Ok(Ticket::ungated(id))
    }

    /// Completes twice, which is against C3.
    fn line_unhold(&self, id: RequestId, _: HDRVCALL) -> Result<Ticket, LineError> {
        let mut tapi = self.0.lock().unwrap();
        let tapi = tapi.as_mut().unwrap();
        tapi.completion(&Completion::now(id, Ok(())));
        tapi.completion(&Completion::now(id, Ok(())));
        Ok(Ticket::ungated(id))
    }
}

/// A TAPI that gives every call the handle 9.
struct Nine;

impl Tapi for Nine {
    fn completion(&mut self, _: &Completion) {}

    fn line_event(&mut self, _: &LineMessage) {}

    fn new_call(&mut self, _: HTAPILINE, _: HDRVCALL) -> Option<HTAPICALL> {
        HTAPICALL::new(9)
    }

    fn phone_event(&mut self, _: &PhoneMessage) {}
}

/// A file that the test can read while it is written.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A provider that is recorded into this file and was started.
fn started(file: &Shared) -> (Recorded, Arc<Recorder>) {
    let header = Header {
        format: FORMAT,
        provider: "inline".to_owned(),
        scenario: "by hand".to_owned(),
        seed: 1,
        missing: vec![],
        watched: vec![],
    };
    let recorder = Recorder::into_file(header, file.clone());
    let provider = recorded(Arc::new(Inline::default()), Arc::clone(&recorder));
    let init = Init {
        version: Version::V2_2,
        permanent_provider_id: 1,
        line_device_id_base: 0,
        phone_device_id_base: 0,
        num_lines: 1,
        num_phones: 0,
    };
    assert_eq!(provider.provider_init(init, Box::new(Nine)), Ok(0));
    (provider, recorder)
}

#[test]
fn what_passes_is_in_the_log_and_in_the_file_at_once() {
    let file = Shared::default();
    let (provider, recorder) = started(&file);
    let call = HDRVCALL::new(5).unwrap();
    provider.line_get_call_info(call, &mut [1, 2]).unwrap();
    provider.line_drop(RequestId::new(3).unwrap(), call, b"bye").unwrap().release();
    provider.line_hold(RequestId::new(4).unwrap(), call).unwrap_err();

    let log = recorder.log();
    let text = String::from_utf8(file.0.lock().unwrap().clone()).unwrap();
    assert_eq!(Log::read(text.as_bytes()).unwrap(), log);

    let name = |entry: &Entry| match &entry.what {
        What::Called { function, .. } => (entry.thread, function.clone()),
        What::Returned { of, result, .. } => (entry.thread, format!("{of} gave {result:#x}")),
        What::Upcall { upcall, .. } => (entry.thread, format!("{upcall:?}")),
        What::Answered { of, call } => (entry.thread, format!("{of} answered {call:?}")),
        other => (entry.thread, format!("{other:?}")),
    };
    let seen: Vec<(u32, String)> = log.entries().iter().map(name).collect();
    let seen: Vec<(u32, &str)> = seen.iter().map(|(thread, text)| (*thread, &**text)).collect();
    let state = "Line { line: 8, call: 9, message: 2, params: [1, 2, 3] }";
    assert_eq!(
        seen,
        [
            (0, "TSPI_providerInit"),
            (0, "0 gave 0x0"),
            (0, "TSPI_lineGetCallInfo"),
            (0, "2 gave 0x0"),
            (0, "TSPI_lineDrop"),
            (1, "Completion { request: 3, result: 0 }"),
            (1, "5 answered None"),
            (0, "NewCall { line: 8, call: 6 }"),
            (0, "7 answered Some(9)"),
            (0, state),
            (0, "9 answered None"),
            (0, "4 gave 0x3"),
            (0, "TSPI_lineHold"),
            (0, "12 gave 0x80000049"),
        ]
    );
    let Some(Entry { what: What::Called { arguments, .. }, .. }) = log.entry(2) else { panic!() };
    assert_eq!(arguments["info"], Data::Bytes(Hex(vec![1, 2])), "as it was before");
    let Some(Entry { what: What::Returned { filled, .. }, .. }) = log.entry(3) else { panic!() };
    assert_eq!(filled["info"], Hex(vec![7, 7]), "and after");
    let Some(Entry { what: What::Called { arguments, .. }, .. }) = log.entry(4) else { panic!() };
    assert_eq!(arguments["request"], Data::Request(3));
    assert_eq!(arguments["user_user_info"], Data::Bytes(Hex(b"bye".to_vec())));
}

#[test]
fn what_was_recorded_is_judged() {
    let (provider, recorder) = started(&Shared::default());
    let call = HDRVCALL::new(5).unwrap();
    let verdict = |key: &str| {
        let judged = crate::judge(&recorder.log());
        judged.into_iter().find(|(rule, _)| rule.key == key).unwrap().1
    };
    provider.line_drop(RequestId::new(3).unwrap(), call, b"bye").unwrap().release();
    provider.line_hold(RequestId::new(4).unwrap(), call).unwrap_err();
    for (key, times) in [("R1", 2), ("R4", 1), ("R5", 1), ("C2", 1), ("C3", 1), ("N14", 1)] {
        assert_eq!(verdict(key), Verdict::Kept { times }, "{key}");
    }
    assert_eq!(verdict("D1"), Verdict::NotExercised);
    provider.line_unhold(RequestId::new(3).unwrap(), call).unwrap().release();
    let Verdict::Broken { findings } = verdict("C3") else { panic!("{:?}", verdict("C3")) };
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!(finding.done, "TSPI_lineUnhold under id 3 was accepted");
    assert_eq!(finding.seen, "it was completed 2 times");
}
