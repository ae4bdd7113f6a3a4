//! Memory that is filled after the function has returned, by a library in C.

use super::library::{Library, Told, call, id, line};
use super::*;
use crate::late::{LateOutput, OwnedMemory};
use crate::types::*;

#[test]
fn c12_what_a_function_gives_back_later_is_handed_on_with_its_completion() {
    let library = Library::start();
    let memory = OwnedMemory::new(vec![0; 4]);
    let output = LateOutput::new(memory.clone());
    let provider = &library.provider;
    provider.line_complete_call(id(8), call(1), &output, 0, 0).unwrap().release();
    drop(output);
    assert_eq!(memory.bytes(), [0; 4], "it is not complete");
    provider.line_set_current_location(8).unwrap();
    assert_eq!(library.told(), [Told::Completion(8, 0)]);
    assert_eq!(memory.bytes(), 4711_u32.to_le_bytes());
}

#[test]
fn b7_gathered_digits_are_handed_on_with_their_event() {
    let library = Library::start();
    let open = library.provider.line_open(0, HTAPILINE::new(70).unwrap(), Version::V2_0).unwrap();
    assert_eq!(open, line(1));
    let memory = OwnedMemory::new(vec![0; 8]);
    let output = LateOutput::new(memory.clone());
    let provider = &library.provider;
    provider.line_gather_digits(call(1), 5, 2, Some(&output), Some("#"), 0, 0).unwrap();
    assert_eq!(memory.bytes(), [0; 8]);
    provider.line_set_current_location(5).unwrap();
    assert_eq!(library.told(), [Told::Line(70, 1, 6, [1, 5, 0])]);
    assert_eq!(memory.bytes(), *b"1\x002\x003\x00#\x00");
    let refused = provider.line_gather_digits(call(1), 6, 99, Some(&output), None, 0, 0);
    assert_eq!(refused, Err(LineError::INVALDIGITMODE));
}
