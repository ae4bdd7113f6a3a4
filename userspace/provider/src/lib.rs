//! The provider: the TSPI side of a card.
//!
//! [`LineProvider`] is the [`Provider`](ringback_tspi::provider::Provider) of a card's lines and of
//! the phones beside them: it checks parameters, passes requests to the lines, and turns their
//! completions and events into TAPI's upcalls. [`open_card`] makes one from a short name.
//!
//! Rules that hold here: what can be judged without the hardware is returned directly (R4, R7);
//! input is copied before a function returns (B1); a call's handle is chosen, and everything that
//! an event of the call needs is stored, before the request is submitted (N1, C9); a second init
//! before the shutdown changes nothing (D15), and nothing is delivered after shutdown (D12);
//! closing waits until the completions that it causes are delivered (D1, D2, D5), except in an
//! upcall, which would wait for itself: then they are delivered as soon as the upcall has returned.
//! No lock is held during an upcall.
//!
//! | file | what |
//! |---|---|
//! | `card` | the provider of a card: its life |
//! | `cards` | which cards there are |
//! | `stepped` | a card whose time a simulation determines |
//! | `abilities` | what each kind of line can do |
//! | `functions` | its functions, one after the other |
//! | `bookkeeping` | the functions that only store or return data |
//! | `config` | the block of a device's configuration |
//! | `sounds` | the functions of tones and gathered digits |
//! | `lookup` | the card, line or call that a function is called on |
//! | `beside` | what it offers beside TSPI |
//! | `checks` | parameters that can be judged at once |
//! | `fill` | the structures of capabilities and status |
//! | `calls`, `open_devices` | the handles that were given out |
//! | `phones`, `phone_fill` | the functions of phones, and their structures |
//! | `phone_requests` | the outstanding requests of phones |
//! | `upward` | completions and events on their way to TAPI |
//! | `open`, `open_error` | cards by their short names, and why one can't be opened |
//! | `report` | how the slots of a card are, for people |

mod abilities;
mod beside;
mod bookkeeping;
mod calling_party;
mod calls;
mod card;
mod cards;
mod checks;
mod codes;
mod config;
mod device_class;
mod fill;
mod forwarding;
mod functions;
mod lookup;
mod open;
mod open_devices;
mod open_error;
mod phone_fill;
mod phone_requests;
mod phones;
mod report;
mod sounds;
mod stepped;
mod upward;

pub use card::{CardProvider, LineProvider, ModemProvider};
pub use cards::{Card, ModemCard};
pub use config::config_block;
pub use open::{CardOptions, open_card};
pub use open_error::OpenError;
pub use report::{SlotReport, Slots};
pub use ringback_lines::{
    Answer, DeviceConfig, ExchangeOptions, Profile, SoundOptions, TelephoneOptions,
};
pub use stepped::SteppedCard;
