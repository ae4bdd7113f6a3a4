//! The gateway seen from outside: a PBX calls it by SIP, and is called, with sound in both
//! directions.
//!
//! The PBX is an [`Agent`](agent::Agent) in the test. All lines are those of the software card,
//! whose exchange the test has. Every wait has a limit far beyond what it takes.

mod agent;
mod asterisk;
mod drain;
mod flash;
mod incoming;
mod messages;
mod outgoing;
mod program;
mod registration;
mod reload;
mod security;
mod site;
mod telephones;
mod transports;
mod voice;
