//! Lines that are ports of a card.
//!
//! An FXO port is a line to an exchange; an FXS port is a station whose telephone we feed, ring and
//! listen to. [`Lines`] is the [`Engine`](ringback_driver::engine::Engine) of a whole card: it
//! takes commands and interrupts, moves samples, decides what a tone or a hook means, and emits
//! completions and events.

mod activity;
mod clock;
mod dialer;
mod echo_control;
mod engine;
mod functions;
mod fxo;
mod fxs;
mod gathering;
mod generation;
mod hook_switch;
mod keypad;
mod machine;
mod media_modes;
mod phone;
mod phones;
mod playing;
mod port;
mod queue;
mod service;
mod sound_path;
mod switching;
#[cfg(test)]
mod tests;
mod tone_lists;

pub use dialer::dialing_time;
pub use engine::Lines;
pub use port::{PortInfo, line_kind};
