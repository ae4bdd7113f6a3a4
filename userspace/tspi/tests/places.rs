//! How many providers of C a process can have, in a process of its own: the sets of callbacks
//! belong to the whole process.
#![allow(unsafe_code, reason = "the loader of the C interface asks its caller for guarantees")]

use std::sync::Arc;

use ringback_tspi::error::LineError;
use ringback_tspi::ffi::{LoadError, Loaded};
use ringback_tspi::provider::{
    Completion, Devices, InProcess, Init, LineMessage, PhoneMessage, Provider, Tapi,
};
use ringback_tspi::types::{HDRVCALL, HTAPICALL, HTAPILINE, Version};

/// A provider that can be initialised, and no more.
struct Beginner;

impl InProcess for Beginner {}

impl Provider for Beginner {
    fn provider_enum_devices(&self, _: u32) -> Result<Devices, LineError> {
        Ok(Devices { lines: 0, phones: 0 })
    }

    fn provider_init(&self, _: Init, _: Box<dyn Tapi>) -> Result<u32, LineError> {
        Ok(0)
    }
}

fn make() -> Result<Arc<dyn Provider>, LineError> {
    Ok(Arc::new(Beginner))
}

mod exports {
    ringback_tspi::export_provider!(super::make);
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

fn load() -> Result<Loaded, LoadError> {
    // SAFETY: the exports are made of the rows.
    unsafe { Loaded::of_symbols(exports::tspi_symbol) }
}

#[test]
fn c3_a_set_of_callbacks_is_free_again_only_when_its_library_cannot_call_any_more() {
    let mut loaded: Vec<_> = (0..64).map(|_| load().unwrap()).collect();
    let refused = load().map(drop).unwrap_err();
    assert!(matches!(refused, LoadError::TooMany), "{refused}");
    drop(loaded.swap_remove(17));
    loaded.push(load().expect("one has ended"));

    let init = Init {
        version: Version::V3_0,
        permanent_provider_id: 1,
        line_device_id_base: 0,
        phone_device_id_base: 0,
        num_lines: 0,
        num_phones: 0,
    };
    let running = loaded.swap_remove(17);
    running.provider_init(init, Box::new(Deaf)).unwrap();
    drop(running);
    assert!(matches!(load(), Err(LoadError::TooMany)), "it was not shut down, and may still call");
}
