//! Lines as engines: they make TSPI lines of a card's ports and of a modem.
//!
//! Every line is one TSPI line with one address and one call at a time, beside which an exchange
//! may hold another if the line has a profile of that exchange; [`LineEngine`] has the
//! functions of all kinds. [`Lines`] is the engine of a card with ports (FXO lines of an exchange,
//! FXS stations), [`modem`] that of a modem. A [`Command`] to a line ends with a completion; what
//! happens on the line without a request is an [`Event`]. The telephone of an FXS line is a phone
//! as well, which is open or closed by itself ([`PhoneEngine`]).
//!
//! Rules that hold here: a call has no event before its creator's completion(0) (N4, O1); it never
//! leaves IDLE and has no event afterwards (O3, O4); each change of state is emitted once; every
//! request that is outstanding when its call or line is closed is completed first (D1, D5);
//! dropping completes all other requests of the call (D7). Every handle is checked, so a late or
//! repeated one gets an error and changes nothing.

mod book;
mod bookkeeping;
mod call;
mod command;
mod device_config;
mod device_status;
mod event;
mod exchange_options;
mod line_engine;
pub mod modem;
mod opening;
mod phone_engine;
mod phone_setting;
mod ports;
mod sound_options;
mod sounds;
mod telephone_options;
#[cfg(test)]
mod tests;
mod wishes;

pub use book::Book;
pub use call::{CallHandles, CallInfo, CallNotes, CallSnapshot};
pub use command::Command;
pub use device_config::DeviceConfig;
pub use event::{Event, Subject};
pub use exchange_options::{Answer, ExchangeOptions};
pub use line_engine::{LineEngine, LineReport, MOST_CALL_BACKS};
pub use opening::{Opening, Openings};
pub use phone_engine::{PhoneEngine, PhoneReport, PhoneWishes};
pub use phone_setting::PhoneSetting;
pub use ports::{Lines, PortInfo, dialing_time, line_kind};
pub use ringback_country::{Codes, Forwarding, Profile};
pub use ringback_media::caller_id::{Caller, CallerTime, Party};
pub use sound_options::SoundOptions;
pub use sounds::{Gather, Tone, Treatment};
pub use telephone_options::TelephoneOptions;
