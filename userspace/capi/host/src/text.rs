//! Texts of the C interface: UTF-8 that ends with a NUL.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};
use std::sync::OnceLock;

use ringback_tspi::error::{LineError, PhoneError};

/// A text of the application's.
///
/// # Errors
/// INVALPOINTER for NULL; `invalid` if it is not UTF-8.
///
/// # Safety
/// NULL, or readable up to its NUL.
pub unsafe fn read(at: *const c_char, invalid: LineError) -> Result<String, LineError> {
    if at.is_null() {
        return Err(LineError::INVALPOINTER);
    }
    // SAFETY: the caller guarantees that it can be read up to its NUL.
    let text = unsafe { CStr::from_ptr(at) };
    text.to_str().map(str::to_owned).map_err(|_| invalid)
}

/// Writes a text and its NUL into so many bytes.
///
/// # Errors
/// INVALPOINTER for NULL; STRUCTURETOOSMALL if it does not fit, and then nothing is written.
///
/// # Safety
/// NULL, or writable for so many bytes.
pub unsafe fn write(at: *mut c_char, size: usize, text: &str) -> Result<(), LineError> {
    if at.is_null() {
        return Err(LineError::INVALPOINTER);
    }
    let text: Vec<u8> = text.bytes().filter(|byte| *byte != 0).chain([0]).collect();
    if text.len() > size {
        return Err(LineError::STRUCTURETOOSMALL);
    }
    // SAFETY: the caller guarantees so many bytes, and the text is not longer.
    unsafe { at.copy_from_nonoverlapping(text.as_ptr().cast(), text.len()) };
    Ok(())
}

/// A sentence about an error, for as long as the process lives.
pub fn of_error(error: i32) -> &'static CStr {
    static TEXTS: OnceLock<Vec<(i32, CString)>> = OnceLock::new();
    if error >= 0 {
        return c"no error";
    }
    let texts = TEXTS.get_or_init(|| {
        let lines = LineError::ALL.iter().map(|error| (error.raw(), error.text()));
        let phones = PhoneError::ALL.iter().map(|error| (error.raw(), error.text()));
        lines
            .chain(phones)
            .map(|(code, text)| (code, CString::new(text).unwrap_or_default()))
            .collect()
    });
    let found = texts.iter().find(|(code, _)| *code == error);
    // T7: an unknown error.
    found.map_or(c"the operation failed", |(_, text)| text)
}

thread_local! {
    static FAILURE: RefCell<CString> = RefCell::default();
}

/// Notes why opening a provider has failed on this thread.
pub fn set_failure(cause: &str) {
    let cause = CString::new(cause.replace('\0', " ")).unwrap_or_default();
    // A thread whose locals are gone does not call `failure` any more.
    let _ = FAILURE.try_with(|failure| *failure.borrow_mut() = cause);
}

/// The text that was stored last on this thread; valid until the next is stored.
pub fn failure() -> *const c_char {
    FAILURE.try_with(|failure| failure.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}
