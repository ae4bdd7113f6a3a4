//! The C interface of TSPI: the types of its callbacks.

/// ASYNC_COMPLETION: a request is over (C1).
pub type AsyncCompletion = unsafe extern "C" fn(u32, i32);
/// LINEEVENT: a message of a line or of a call.
pub type LineEvent = unsafe extern "C" fn(usize, usize, u32, usize, usize, usize);
/// PHONEEVENT: a message of a phone.
pub type PhoneEvent = unsafe extern "C" fn(usize, u32, usize, usize, usize);
