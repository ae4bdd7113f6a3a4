//! Invalid calls from C: NULL, wrong sizes, dead handles, texts that are not UTF-16. Each returns
//! the documented error; only valid calls reach the provider.

use std::ptr::{null, null_mut};

use super::*;
use crate::error::PhoneError;
use crate::functions;
use crate::types::*;

/// A provider that panics when it is asked for address ids, and refuses the rest.
struct Touchy;

impl InProcess for Touchy {}

impl Provider for Touchy {
    fn provider_enum_devices(&self, _: u32) -> Result<Devices, LineError> {
        Ok(Devices { lines: 1, phones: 0 })
    }

    fn provider_init(&self, _: Init, _: Box<dyn Tapi>) -> Result<u32, LineError> {
        Ok(0)
    }

    fn line_get_num_address_ids(&self, line: HDRVLINE) -> Result<u32, LineError> {
        panic!("asked for {line}")
    }
}

fn make() -> Result<Arc<dyn Provider>, LineError> {
    Ok(Arc::new(Touchy))
}

fn fail() -> Result<Arc<dyn Provider>, LineError> {
    Err(LineError::NODRIVER)
}

static FACE: Face = Face::new(make);
static FACELESS: Face = Face::new(fail);

/// Calls a function of the face with these C arguments.
macro_rules! call {
    ($name:ident($($argument:expr),* $(,)?)) => {
        // SAFETY: the arguments are NULL, or lead to memory of this test's, or are no pointers.
        unsafe { exported::$name(&FACE, $($argument),*) }
    };
}

unsafe extern "C" fn no_completion(_: u32, _: i32) {}
unsafe extern "C" fn no_line(_: usize, _: usize, _: u32, _: usize, _: usize, _: usize) {}

/// Calls every function with nothing but zeros, and checks the error against the table.
macro_rules! all_zero {
    (
        {}
        $({ $group:ident $error:ident
            $(
                $(#[$doc:meta])*
                $method:ident $name:ident $kind:ident $class:ident
                ($($parameter:ident: $shape:tt ($c1:ident $(, $c2:ident)?)),* $(,)?)
                [$($legal:tt)*] ($($listed:ident)*);
            )*
        })*
    ) => {
        /// What every function returns.
        #[allow(clippy::multiple_unsafe_ops_per_block, reason = "the zeros of one call")]
        fn zeros() -> Vec<i32> {
            vec![$($({
            // SAFETY: numbers and handles may be zero, and pointers NULL.
            let result = unsafe {
                exported::$name(&FACE, $(
                    std::mem::zeroed::<crate::c_type!(first $shape)>()
                    $(, all_zero!(@second $c2 $shape))?
                ),*)
            };
            let may = result == 0 || functions::$name.may_give(result);
            assert!(may, "{}: {result:#x}", stringify!($name));
            result
            }),*),*]
        }
    };
    (@second $c2:ident $shape:tt) => { std::mem::zeroed::<crate::c_type!(second $shape)>() };
}

crate::start_rows! { all_zero, {}, {}, provider_rows line_async_rows line_sync_rows phone_rows }

#[test]
fn every_function_refuses_zeros_with_an_error_of_its_row() {
    let results = zeros();
    assert_eq!(results.len(), 117);
    assert!(results.iter().all(|result| *result < 0), "this provider has nothing for zeros");
}

#[test]
fn null_is_invalpointer_and_a_dead_handle_its_own_error() {
    let mut number = 0_u32;
    let mut handle = 0_usize;
    assert_eq!(call!(TSPI_lineGetNumAddressIDs(5, null_mut())), LineError::INVALPOINTER.raw());
    assert_eq!(call!(TSPI_lineGetNumAddressIDs(0, &mut number)), LineError::INVALLINEHANDLE.raw());
    assert_eq!(call!(TSPI_lineCloseCall(0)), LineError::INVALCALLHANDLE.raw());
    assert_eq!(call!(TSPI_phoneClose(0)), PhoneError::INVALPHONEHANDLE.raw());
    assert_eq!(call!(TSPI_lineClose(0)), LineError::INVALLINEHANDLE.raw());
    let made = call!(TSPI_lineMakeCall(1, 5, 6, null_mut(), null(), 0, null()));
    assert_eq!(made, LineError::INVALPOINTER.raw(), "nowhere to write the handle");
    let made = call!(TSPI_lineMakeCall(0, 5, 6, &mut handle, null(), 0, null()));
    assert_eq!(made, LineError::INVALPARAM.raw(), "T2: 0 is no request");
    let made = call!(TSPI_lineMakeCall(0x8000_0000, 5, 6, &mut handle, null(), 0, null()));
    assert_eq!(made, LineError::INVALPARAM.raw(), "T2: bit 31 is never set");
    let dialled = call!(TSPI_lineDial(1, 5, null(), 0));
    assert_eq!(dialled, LineError::INVALPOINTER.raw(), "an address that may not be NULL");
    let dropped = call!(TSPI_lineDrop(1, 5, null(), 9));
    assert_eq!(dropped, LineError::INVALPOINTER.raw(), "nine bytes at NULL");
    let dropped = call!(TSPI_lineDrop(1, 5, null(), 0));
    assert_eq!(dropped, LineError::OPERATIONUNAVAIL.raw(), "no bytes at NULL are none");
    assert_eq!(handle, 0, "nothing was written");
}

#[test]
fn a_structure_has_to_have_room_for_its_own_size() {
    for size in [0_u32, 3] {
        let mut info = size.to_le_bytes();
        let filled = call!(TSPI_lineGetCallInfo(5, info.as_mut_ptr()));
        assert_eq!(filled, LineError::STRUCTURETOOSMALL.raw());
        let mut handle = 0;
        let params = info.as_ptr();
        let made = call!(TSPI_lineMakeCall(1, 5, 6, &mut handle, null(), 0, params));
        assert_eq!(made, LineError::STRUCTURETOOSMALL.raw());
    }
    assert_eq!(call!(TSPI_lineGetCallInfo(5, null_mut())), LineError::INVALPOINTER.raw());
    assert_eq!(call!(TSPI_phoneGetStatus(5, null_mut())), PhoneError::INVALPOINTER.raw());
}

#[test]
fn a_text_that_is_no_utf16_is_the_error_of_its_parameter() {
    let surrogate = [0x31_u16, 0xD800, 0x31, 0];
    let dialled = call!(TSPI_lineDial(1, 5, surrogate.as_ptr(), 0));
    assert_eq!(dialled, LineError::INVALADDRESS.raw());
    let mut icon = 0;
    let asked = call!(TSPI_lineGetIcon(0, surrogate.as_ptr(), &mut icon));
    assert_eq!(asked, LineError::INVALDEVICECLASS.raw());
    let asked = call!(TSPI_phoneGetIcon(0, surrogate.as_ptr(), &mut icon));
    assert_eq!(asked, PhoneError::INVALDEVICECLASS.raw());
    let shown = call!(TSPI_phoneSetDisplay(1, 5, 0, 0, surrogate.as_ptr(), 6));
    assert_eq!(shown, PhoneError::INVALPARAM.raw());
    let endless = vec![0x31_u16; (1 << 16) + 2];
    let dialled = call!(TSPI_lineDial(1, 5, endless.as_ptr(), 0));
    assert_eq!(dialled, LineError::INVALADDRESS.raw(), "longer than any text");
}

#[test]
fn a_version_that_there_is_not_is_incompatible() {
    let mut caps = 64_u32.to_le_bytes();
    let filled = call!(TSPI_lineGetDevCaps(0, 0x0002_0003, 0, caps.as_mut_ptr()));
    assert_eq!(filled, LineError::INCOMPATIBLEAPIVERSION.raw());
    let mut handle = 0;
    let opened = call!(TSPI_lineOpen(0, 7, &mut handle, 0, Some(no_line)));
    assert_eq!(opened, LineError::INCOMPATIBLEAPIVERSION.raw());
    let opened = call!(TSPI_lineOpen(0, 7, &mut handle, 0x0002_0000, None));
    assert_eq!(opened, LineError::INVALPOINTER.raw(), "no procedure for its events");
    let mut options = 5;
    let begun = call!(TSPI_providerInit(0, 1, 0, 0, 1, 0, Some(no_completion), &mut options));
    assert_eq!(begun, LineError::INCOMPATIBLEAPIVERSION.raw());
    assert_eq!(options, 5, "nothing was written");
}

#[test]
fn nothing_unwinds_into_c() {
    let mut number = 0;
    let asked = call!(TSPI_lineGetNumAddressIDs(5, &mut number));
    assert_eq!(asked, LineError::OPERATIONFAILED.raw());
}

#[test]
fn without_a_provider_every_function_says_so() {
    // SAFETY: no pointer is involved.
    let line = unsafe { exported::TSPI_lineCloseCall(&FACELESS, 5) };
    assert_eq!(line, LineError::NODRIVER.raw());
    // SAFETY: no pointer is involved.
    let phone = unsafe { exported::TSPI_phoneClose(&FACELESS, 5) };
    assert_eq!(phone, PhoneError::NODRIVER.raw());
}
