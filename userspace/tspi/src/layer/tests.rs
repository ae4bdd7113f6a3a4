//! Every function goes through a layer; what the layer sees of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::thread;
use std::time::Duration;

use super::*;
use crate::error::PhoneError;
use crate::functions::{RequestId, TSPI_lineDrop, TSPI_lineGetNumAddressIDs, all};
use crate::late::{LateOutput, OwnedMemory};
use crate::provider::{Devices, InProcess, Init, Ticket};
use crate::structs::{LINEEXTENSIONID, LINEGENERATETONE};
use crate::types::*;
use ringback_request::sync::EvenPoisoned;

/// A provider that has a few functions.
struct Small;

impl InProcess for Small {}

impl Provider for Small {
    fn provider_enum_devices(&self, _: u32) -> Result<Devices, LineError> {
        Ok(Devices { lines: 2, phones: 1 })
    }

    fn provider_init(&self, _: Init, _: Box<dyn Tapi>) -> Result<u32, LineError> {
        Ok(1)
    }

    fn line_get_num_address_ids(&self, line: HDRVLINE) -> Result<u32, LineError> {
        Ok(line.raw() as u32 + 1)
    }

    fn line_get_call_info(&self, _: HDRVCALL, info: &mut [u8]) -> Result<(), LineError> {
        info.fill(7);
        Ok(())
    }

    fn line_drop(&self, id: RequestId, _: HDRVCALL, _: &[u8]) -> Result<Ticket, LineError> {
        Ok(Ticket::ungated(id))
    }

    fn line_get_extension_id(&self, _: u32, _: Version) -> Result<LINEEXTENSIONID, LineError> {
        Ok(LINEEXTENSIONID { id0: 1, id1: 2, id2: 3, id3: 4 })
    }

    fn phone_get_ring(&self, _: HDRVPHONE) -> Result<(u32, u32), PhoneError> {
        Ok((3, 0xFFFF))
    }
}

/// Notes each call and its outcome as text; answers instead of the provider if the test says so.
#[derive(Default)]
struct Notes {
    asked: Mutex<Vec<String>>,
    json: Mutex<String>,
    outcomes: Mutex<Vec<Outcome>>,
    answer: Mutex<Option<Outcome>>,
    busy: Mutex<()>,
}

impl Layer for Notes {
    type Kept<'a> = MutexGuard<'a, ()>;

    fn before<'a>(&'a self, asked: &Asked<'_>) -> Step<MutexGuard<'a, ()>> {
        self.asked.lock().even_poisoned().push(asked.to_string());
        *self.json.lock().even_poisoned() = asked.json();
        match self.answer.lock().even_poisoned().take() {
            Some(answer) => Step::Answer(answer),
            None => Step::Go(self.busy.try_lock().expect("one function at a time")),
        }
    }

    fn after<'a>(&'a self, asked: &Asked<'_>, outcome: &Outcome, _: MutexGuard<'a, ()>) {
        assert!(self.busy.try_lock().is_err(), "the kept guard is still held");
        self.asked.lock().even_poisoned().push(format!("after {asked}"));
        self.outcomes.lock().even_poisoned().push(outcome.clone());
    }
}

fn noted() -> Layered<Notes> {
    Layered::new(Arc::new(Small) as Arc<dyn Provider>, Notes::default())
}

fn call(value: usize) -> HDRVCALL {
    HDRVCALL::new(value).unwrap()
}

fn id(value: u32) -> RequestId {
    RequestId::new(value).unwrap()
}

#[test]
fn a_function_is_shown_before_and_after() {
    let provider = noted();
    let mut info = [0; 3];
    provider.line_get_call_info(call(0x2a), &mut info).unwrap();
    assert_eq!(info, [7; 3]);
    let asked = "TSPI_lineGetCallInfo(call: HDRVCALL(0x2a), info: 3 bytes)";
    assert_eq!(
        *provider.layer().asked.lock().even_poisoned(),
        [asked.to_owned(), format!("after {asked}")]
    );
    assert_eq!(provider.layer().outcomes.lock().even_poisoned().pop(), Some(Outcome::done(vec![])));
}

#[test]
fn outputs_are_shown() {
    let provider = noted();
    let next = || provider.layer().outcomes.lock().even_poisoned().pop().unwrap();
    assert_eq!(provider.line_get_num_address_ids(HDRVLINE::new(4).unwrap()), Ok(5));
    assert_eq!(next(), Outcome::done(vec![Value::Number(5)]));
    provider.line_drop(id(9), call(1), &[1, 2]).unwrap().release();
    assert_eq!(next(), Outcome { result: 9, given: vec![] });
    provider.line_get_extension_id(0, Version::V3_0).unwrap();
    let bytes = vec![1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0];
    assert_eq!(next(), Outcome::done(vec![Value::Bytes(bytes)]));
    assert_eq!(provider.phone_get_ring(HDRVPHONE::new(1).unwrap()), Ok((3, 0xFFFF)));
    assert_eq!(next(), Outcome::done(vec![Value::Number(3), Value::Number(0xFFFF)]));
    assert_eq!(provider.provider_enum_devices(1), Ok(Devices { lines: 2, phones: 1 }));
    assert_eq!(next(), Outcome::done(vec![Value::Number(2), Value::Number(1)]));
    let refused = provider.line_hold(id(3), call(1)).unwrap_err();
    assert_eq!(refused, LineError::OPERATIONUNAVAIL);
    assert_eq!(next(), Outcome::failed(LineError::OPERATIONUNAVAIL));
}

#[test]
fn every_shape_can_be_printed() {
    let provider = noted();
    let json = || provider.layer().json.lock().even_poisoned().clone();
    let tones = [LINEGENERATETONE { frequency: 440, ..LINEGENERATETONE::default() }];
    let _ = provider.line_generate_tone(call(1), 5, 6, 7, Some(&tones));
    assert!(json().contains("frequency: 440"), "{}", json());
    let memory = LateOutput::new(OwnedMemory::new(vec![0; 4]));
    let _ = provider.line_complete_call(id(1), call(2), &memory, 3, 4);
    assert!(json().contains("\"completion_id\": {\"bytes\": 4}"), "{}", json());
    let _ = provider.line_park(id(1), call(2), 3, Some("a\"\\\n"), None);
    assert_eq!(
        json(),
        "{\"function\": \"TSPI_linePark\", \"request\": 1, \"call\": 2, \"park_mode\": 3, \
         \"dir_address\": \"a\\\"\\\\\\u000a\", \"non_dir_address\": null}"
    );
    let _ = provider.line_drop(id(8), call(0x10), &[0xAB, 1]);
    assert!(json().ends_with("\"user_user_info\": \"ab01\"}"), "{}", json());
    let _ = provider.line_negotiate_ext_version(0, Version::V2_0, 1, 2);
    assert!(json().contains("\"version\": \"2.0\""), "{}", json());
    let _ = provider.provider_create_line_device(0x00FF_FFFF_FFFF, 1);
    assert!(json().contains("\"temp_id\": 1099511627775"), "{}", json());
}

#[test]
fn a_layer_may_answer_in_the_providers_place() {
    let provider = noted();
    let answer = |outcome| *provider.layer().answer.lock().even_poisoned() = Some(outcome);
    let line = HDRVLINE::new(4).unwrap();
    answer(Outcome::done(vec![Value::Number(70)]));
    assert_eq!(provider.line_get_num_address_ids(line), Ok(70));
    answer(Outcome::failed(LineError::NODEVICE));
    assert_eq!(provider.line_get_num_address_ids(line), Err(LineError::NODEVICE));
    answer(Outcome::done(vec![]));
    assert_eq!(provider.line_get_num_address_ids(line), Err(LineError::OPERATIONFAILED));
    answer(Outcome::done(vec![Value::Word(0)]));
    let nothing = provider.line_open(0, HTAPILINE::new(1).unwrap(), Version::V3_0);
    assert_eq!(nothing, Err(LineError::OPERATIONFAILED), "N2: 0 is no handle");
    answer(Outcome::done(vec![]));
    assert_eq!(provider.line_hold(id(6), call(1)).unwrap().id(), id(6), "R1");
    answer(Outcome::done(vec![Value::Word(5)]));
    let tapi = HTAPICALL::new(2).unwrap();
    let made = provider.line_make_call(id(7), line, tapi, None, 0, None).unwrap();
    assert_eq!((made.0, made.1.id()), (call(5), id(7)));
    answer(Outcome::failed(PhoneError::INVALRINGMODE));
    let phone = HDRVPHONE::new(1).unwrap();
    let refused = provider.phone_set_ring(id(1), phone, 9, 0).unwrap_err();
    assert_eq!(refused, PhoneError::INVALRINGMODE);
    assert!(provider.layer().outcomes.lock().even_poisoned().is_empty(), "after is not called");
}

/// A function that the provider does not have returns the same as without a layer.
#[test]
fn missing_functions_stay_unavailable() {
    let provider = noted();
    assert!(provider.media().is_none());
    assert!(provider.control().is_none());
    let unavailable = provider.line_dial(id(2), call(3), "1", 0).unwrap_err();
    assert_eq!(unavailable, LineError::OPERATIONUNAVAIL);
}

#[test]
fn a_function_is_known_by_its_row() {
    let arguments = [("request", Argument::Request(id(4)))];
    let asked = Asked::of(&TSPI_lineDrop, &arguments);
    assert!(asked.is(&TSPI_lineDrop) && !asked.is(&TSPI_lineGetNumAddressIDs));
    assert_eq!(asked.request(), Some(id(4)));
    assert_eq!(asked.word("call"), 0);
    assert!(all().any(|function| asked.is(function)));
}

/// Notes how many threads are in it at once, and shows a dialog until it is closed.
#[derive(Default)]
struct Crowd {
    inside: AtomicUsize,
    most: AtomicUsize,
    dialog: Mutex<Option<(mpsc::Sender<()>, mpsc::Receiver<()>)>>,
}

impl InProcess for Crowd {}

impl Provider for Crowd {
    fn provider_enum_devices(&self, _: u32) -> Result<Devices, LineError> {
        Ok(Devices { lines: 0, phones: 0 })
    }

    fn provider_init(&self, _: Init, _: Box<dyn Tapi>) -> Result<u32, LineError> {
        Ok(1)
    }

    fn line_get_num_address_ids(&self, _: HDRVLINE) -> Result<u32, LineError> {
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(inside, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(1));
        self.inside.fetch_sub(1, Ordering::SeqCst);
        Ok(1)
    }

    fn provider_config(&self, _: usize, _: u32) -> Result<(), LineError> {
        let (shown, close) = self.dialog.lock().even_poisoned().take().expect("it is shown once");
        shown.send(()).unwrap();
        close.recv_timeout(Duration::from_secs(60)).map_err(|_| LineError::OPERATIONFAILED)
    }
}

#[test]
fn g9_one_function_at_a_time_is_in_a_serialised_provider() {
    let crowd = Arc::new(Crowd::default());
    let inside = Arc::clone(&crowd) as Arc<dyn Provider>;
    let provider = Layered::new(inside, Serial::default());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    provider.line_get_num_address_ids(HDRVLINE::new(1).unwrap()).unwrap();
                }
            });
        }
    });
    assert_eq!(crowd.most.load(Ordering::SeqCst), 1);
}

#[test]
fn g10_a_dialog_does_not_block_a_serialised_provider() {
    let (shown, is_shown) = mpsc::channel();
    let (close, closed) = mpsc::channel();
    let crowd = Crowd { dialog: Mutex::new(Some((shown, closed))), ..Crowd::default() };
    let provider = Layered::new(Arc::new(crowd) as Arc<dyn Provider>, Serial::default());
    thread::scope(|scope| {
        let dialog = scope.spawn(|| provider.provider_config(0, 1));
        is_shown.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(provider.line_get_num_address_ids(HDRVLINE::new(1).unwrap()), Ok(1));
        close.send(()).unwrap();
        assert_eq!(dialog.join().unwrap(), Ok(()));
    });
}
