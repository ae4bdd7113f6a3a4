//! A line whose device is a modem: V.250 ("AT") commands over a UART.
//!
//! [`Modem`] is the [`Engine`](ringback_driver::engine::Engine) of one such line. It takes the same
//! commands and emits the same events as the lines of a card, and keeps the same rules (it uses the
//! same `book`). What is different:
//!
//! - **Only what the modem reports is known.** It dials, and sends one result at the end. A call is
//!   DIALING until its digits must be out, PROCEEDING from then on, and ends in CONNECTED, BUSY or
//!   DISCONNECTED with the reason. CONNECT confirms that the call was answered.
//! - **The modem has to show that it is there before every call.** One that does not answer fails
//!   the call with OPERATIONFAILED, after its line was hung up as far as that can be done without
//!   an answer; one that stops answering later ends it as DISCONNECTED(NOANSWER).
//! - **A drop is complete when the modem has hung up**, which takes half a second where DTR does it
//!   and four seconds where only the escape sequence does. Closing does not wait for it; the next
//!   call does.
//! - **Caller id** is asked for each time the modem is prepared, and read from the lines between
//!   two RINGs or before the first.
//! - **Data** goes both ways while the call is connected: [`Command::Send`](crate::Command) is
//!   complete when the last byte has left, [`Command::Receive`](crate::Command) when enough has
//!   come, which is read from [`Data`](ringback_tspi::media::Data).
//! - **Data that is the escape sequence** (`+++` between two silences) is sent so that the modem
//!   does not take it for one.
//! - **The end of a connection** is signalled by the carrier detect circuit; what the modem still
//!   holds then is received first. If that circuit does not work, NO CARRIER in the data with half
//!   a second of silence after it counts as the end.

mod caller_lines;
mod calls;
mod control;
mod dial_command;
mod engine;
mod escape;
mod limits;
mod options;
mod plan;
mod reader;
mod result_code;
#[cfg(test)]
mod tests;
mod transfer;

pub use engine::Modem;
pub use options::{InitError, ModemOptions};
pub use result_code::ResultCode;
