//! Every function, from Rust through C into Rust: arguments and outputs arrive unchanged.

use std::sync::{MutexGuard, OnceLock};

use super::*;
use crate::error::PhoneError;
use crate::functions::{self, RequestId};
use crate::late::{LateOutput, OwnedMemory};
use crate::layer::Value;
use crate::types::*;

/// The calls that reach the exported provider.
fn inside() -> &'static Arc<Notes> {
    static NOTES: OnceLock<Arc<Notes>> = OnceLock::new();
    NOTES.get_or_init(Arc::default)
}

fn make() -> Result<Arc<dyn Provider>, LineError> {
    Ok(Arc::new(noted(Empty, inside())))
}

mod exports {
    crate::export_provider!(super::make);
}

/// The exports for one test at a time, without what the test before has left in their notes.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    let one = ONE.lock().even_poisoned();
    inside().asked.lock().even_poisoned().clear();
    inside().outcomes.lock().even_poisoned().clear();
    *inside().answer.lock().even_poisoned() = None;
    one
}

/// The exported provider through the loader, with notes of what is asked of the loader.
fn loaded(notes: &Arc<Notes>) -> Layered<Arc<Notes>> {
    // SAFETY: the exports are made of the rows.
    noted(unsafe { Loaded::of_symbols(exports::tspi_symbol) }.unwrap(), notes)
}

/// An argument of a shape.
macro_rules! sample {
    (Request) => {
        RequestId::new(0x7FFF_FFFF).unwrap()
    };
    (Version) => {
        Version::V2_1
    };
    (Line) => {
        HDRVLINE::new(0x10).unwrap()
    };
    (LineOrNull) => {
        HDRVLINE::new(0x11)
    };
    (Call) => {
        HDRVCALL::new(usize::MAX).unwrap()
    };
    (CallOrNull) => {
        None
    };
    (Phone) => {
        HDRVPHONE::new(0x12).unwrap()
    };
    (MspLine) => {
        HDRVMSPLINE::new(0x13).unwrap()
    };
    (Dialog) => {
        HDRVDIALOGINSTANCE::new(0x14).unwrap()
    };
    ([Tapi $tapi:ident]) => {
        $tapi::new(0x15).unwrap()
    };
    (TapiCallOrNone) => {
        HTAPICALL::new(0x16)
    };
    (DeviceId) => {
        3
    };
    (Number) => {
        0xFFFF_FFFE
    };
    (Word) => {
        0x1234_5678_9ABC_usize
    };
    (Window) => {
        7
    };
    (Foreign) => {
        usize::MAX
    };
    (Address) => {
        "+49 (30) \u{1F4DE}"
    };
    (DeviceClass) => {
        "comm/datamodem"
    };
    (NarrowClass) => {
        "tapi/line"
    };
    (SizedAddress) => {
        "5550100"
    };
    (SizedText) => {
        "Ä"
    };
    (AddressOrNull) => {
        Some("1,,2")
    };
    (GroupOrNull) => {
        None
    };
    (DigitsOrNull) => {
        Some("0123#")
    };
    (UserInfo) => {
        &[0xFF, 0, 1]
    };
    (Params) => {
        &[9; 300]
    };
    (Config) => {
        &[]
    };
    (Block) => {
        &mut [1, 2, 3]
    };
    ([Filled $s:ident]) => {
        &mut [9, 0, 0, 0, 5, 6, 7, 8, 9, 10, 11]
    };
    ([Given $s:ident]) => {
        &[8, 0, 0, 0, 5, 6, 7, 8]
    };
    ([Changeable $s:ident]) => {
        &[8, 0, 0, 0, 5, 6, 7, 8]
    };
    ([GivenOrNull $s:ident]) => {
        Some(&[8, 0, 0, 0, 5, 6, 7, 8])
    };
    ([RecordOrNull $s:ident]) => {
        Some(crate::structs::$s::default())
    };
    ([List $s:ident]) => {
        Some(&[crate::structs::$s::default(); 3])
    };
    ([CountedList $s:ident]) => {
        Some(&[crate::structs::$s::default(); 2])
    };
    (NumberLater) => {
        &LateOutput::new(OwnedMemory::new(vec![0; 4]))
    };
    ([FilledLater $s:ident]) => {
        Some(&LateOutput::new(OwnedMemory::new(vec![0; 40])))
    };
    (DigitsLater) => {
        Some(&LateOutput::new(OwnedMemory::new(vec![0; 10])))
    };
}

/// What is given back by a shape.
macro_rules! gift {
    (NumberOut) => {
        Value::Number(0xFEDC_BA98)
    };
    (VersionOut) => {
        Value::Number(Version::V2_2.word())
    };
    (IconOut) => {
        Value::Word(0x1C0)
    };
    (GuidOut) => {
        Value::Bytes((1..17).collect())
    };
    ([ExtensionOut $s:ident]) => {
        Value::Bytes((2..18).collect())
    };
    (PathOut) => {
        Value::Text("/usr/lib/Ü.so".to_owned())
    };
    ([Driver $driver:ident]) => {
        Value::Word(0x0D00_0000_0000)
    };
    (DriverCallOrNone) => {
        Value::Word(0)
    };
}

/// Calls one function through C, and compares.
macro_rules! compare {
    (
        { $outside:ident $provider:ident $method:ident $name:ident $error:ident }
        [$(($taken:ident $shape:tt))*] [$(($given:ident $given_shape:tt))*]
    ) => {{
        let given = vec![$(gift!($given_shape)),*];
        *inside().answer.lock().even_poisoned() = Some(Outcome::done(given.clone()));
        let done = $provider.$method($(sample!($shape)),*).map(|_| ());
        assert_eq!(done, Ok::<(), $error>(()), stringify!($name));
        let sent = $outside.asked.lock().even_poisoned().pop();
        let arrived = inside().asked.lock().even_poisoned().pop();
        assert!(sent.is_some(), stringify!($name));
        // Only the bytes that dwTotalSize covers are passed on: 9 of 11.
        let sent = sent.map(|sent| sent.replace("0900000005060708090a0b", "090000000506070809"));
        assert_eq!(sent, arrived, "what was sent, and what has arrived");
        let outcome = $outside.outcomes.lock().even_poisoned().pop().unwrap();
        assert_eq!(outcome.given, given, stringify!($name));
        let id = if functions::$name.is_async() { 0x7FFF_FFFF } else { 0 };
        assert_eq!(outcome.result, id, stringify!($name));
        1
    }};
}

/// Has C refuse one function, and compares the error.
macro_rules! refuse {
    (
        { $outside:ident $provider:ident $method:ident $name:ident $error:ident }
        [$(($taken:ident $shape:tt))*] [$(($given:ident $given_shape:tt))*]
    ) => {{
        *inside().answer.lock().even_poisoned() = Some(Outcome::failed($error::RESOURCEUNAVAIL));
        let refused = $provider.$method($(sample!($shape)),*).map(|_| ());
        assert_eq!(refused, Err($error::RESOURCEUNAVAIL), stringify!($name));
        let outcome = $outside.outcomes.lock().even_poisoned().pop();
        assert_eq!(outcome, Some(Outcome::failed($error::RESOURCEUNAVAIL)));
        1
    }};
}

macro_rules! every_function {
    (
        { $what:ident $outside:ident $provider:ident }
        $({ $group:ident $error:ident
            $(
                $(#[$doc:meta])*
                $method:ident $name:ident $kind:ident $class:ident $parameters:tt
                [$($legal:tt)*] ($($listed:ident)*);
            )*
        })*
    ) => {
        /// Calls every function, and counts them.
        fn $what($outside: &Notes, $provider: &dyn Provider) -> usize {
            0 $($(+ functions::sorted! {
                $what { $outside $provider $method $name $error } $parameters
            })*)*
        }
    };
}

crate::all_rows! { every_function, { compare outside provider } }
crate::all_rows! { every_function, { refuse outside provider } }

#[test]
fn every_function_goes_through_c_and_back() {
    let _one = alone();
    let outside = Arc::default();
    let provider = loaded(&outside);
    assert_eq!(compare(&outside, &provider), 115, "all but the two that begin a provider");
    assert_eq!(refuse(&outside, &provider), 115);
}

/// An upward interface that does nothing.
struct Deaf;

impl Tapi for Deaf {
    fn completion(&mut self, _: &Completion) {}
    fn line_event(&mut self, _: &LineMessage) {}
    fn new_call(&mut self, _: HTAPILINE, _: HDRVCALL) -> Option<HTAPICALL> {
        None
    }
    fn phone_event(&mut self, _: &PhoneMessage) {}
}

#[test]
fn the_two_functions_that_begin_a_provider_go_through_c_as_well() {
    let _one = alone();
    let outside = Arc::default();
    let provider = loaded(&outside);
    assert_eq!(provider.provider_enum_devices(5), Ok(Devices { lines: 3, phones: 4 }));
    let init = Init {
        version: Version::V3_0,
        permanent_provider_id: 1,
        line_device_id_base: 2,
        phone_device_id_base: 3,
        num_lines: 4,
        num_phones: 5,
    };
    assert_eq!(provider.provider_init(init, Box::new(Deaf)), Ok(1));
    let (sent, arrived) =
        (outside.asked.lock().even_poisoned().pop(), inside().asked.lock().even_poisoned().pop());
    assert!(sent.is_some_and(|sent| sent.contains("\"num_phones\": 5")));
    assert!(arrived.is_some_and(|arrived| arrived.contains("\"num_phones\": 5")));
    assert_eq!(provider.provider_init(init, Box::new(Deaf)), Ok(0), "D15");
    *inside().answer.lock().even_poisoned() = Some(Outcome::done(vec![]));
    assert_eq!(provider.provider_shutdown(Version::V3_0, 1), Ok(()));
    *inside().answer.lock().even_poisoned() = Some(Outcome::failed(LineError::NOMEM));
    assert_eq!(provider.provider_init(init, Box::new(Deaf)), Err(LineError::NOMEM));
    assert_eq!(provider.provider_init(init, Box::new(Deaf)), Ok(1), "a failed init is no pair");
}

#[test]
fn a_structure_whose_size_exceeds_its_memory_is_not_lent() {
    let _one = alone();
    let outside = Arc::default();
    let provider = loaded(&outside);
    let call = HDRVCALL::new(1).unwrap();
    for mut lies in [vec![9, 0, 0, 0, 1, 2, 3, 4], vec![3, 0, 0, 0], vec![0; 3], vec![]] {
        let refused = provider.line_get_call_info(call, &mut lies);
        assert_eq!(refused, Err(LineError::STRUCTURETOOSMALL), "{lies:?}");
        let phone = HDRVPHONE::new(1).unwrap();
        let refused = provider.phone_get_display(phone, &mut lies);
        assert_eq!(refused, Err(PhoneError::STRUCTURETOOSMALL), "{lies:?}");
    }
    assert!(inside().asked.lock().even_poisoned().is_empty(), "the library was not called");
}
