//! Does a TSPI provider keep the contract? Rule by rule, of any provider, by what was seen of it.
//!
//! A [`Log`](log::Log) is what passed between TAPI and a provider, as data: the functions that were
//! called and what they returned, the upcalls that the provider made, and what was seen of its
//! process. A [`Recorder`](recorder::Recorder) makes one while a provider runs.
//!
//! Nothing in this crate knows a driver, a card or an operating system.
//!
//! | module | what |
//! |---|---|
//! | [`log`] | entries, a log as a file of lines of JSON, and its checks |
//! | [`recorder`] | the layer around a provider that makes a log |

pub mod log;
pub mod recorder;
