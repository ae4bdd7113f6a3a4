//! The gateway: exchange lines of telephony cards as SIP trunks, and telephones as extensions.
//!
//! It uses lines through `ringback-host` like any application; of cards it knows only how they are
//! opened. SIP messages, transactions, dialogs and digests are rsipstack's; SDP, RTP, RFC 4733 and
//! the jitter buffer are here.
//!
//! # Rules that hold here
//!
//! * A datagram of an address that is no peer's is dropped before it is read; nothing answers it.
//!   A connection of such an address is closed before anything is read of it. Peers are the hosts
//!   of the trunks and what the configuration names besides.
//! * What an INVITE asks to dial is digits, `*`, `#` and A to D: no pause, no flash, no change to
//!   pulses.
//! * Sound follows the card's clock in both directions: a frame is sent, and one is played, for
//!   each 20 ms that the card has recorded. The jitter buffer takes up what the peer's clock
//!   differs.
//! * However a call ends, its line is hung up. Everything that is waited for has a deadline.
//! * Neither a message nor a packet can end the program, and what is kept of them is bounded.
//!
//! # The files
//!
//! Each imports only from those below it; `tests/tests/structure.rs` finds a circle.
//!
//! | file | what |
//! |---|---|
//! | `gateway` | starts and ends everything, and has it follow a changed configuration |
//! | `dispatcher` | requests from outside: which are answered, and by which line |
//! | `standing_request` | registers a line at its PBX, and asks for its waiting messages |
//! | `line_set` | the lines, and how they follow a changed configuration |
//! | `line_task` | one line: takes calls from both sides, one at a time |
//! | `outgoing`, `incoming` | a call from SIP to the line; from the line to SIP |
//! | `conversation` | an answered call, whichever side began it |
//! | `digit_queue` | digits of an answered call on their way to its line |
//! | `served_line`, `occupancy` | a line as its task has it; whether it is free |
//! | `leg` | the SIP side of a call |
//! | `query` | requests to a PBX that belong to no call |
//! | `cards` | opens the cards and sets their lines up |
//! | `endpoint`, `tcp` | the SIP stack on its sockets |
//! | `peers`, `digest` | who may call: addresses and rates; secrets |
//! | `call_record` | one line of JSON for each call |
//! | `media` | the sound of a call between card and RTP |
//! | `jitter` | received sound in its order and time |
//! | `telephone_event`, `info` | digits and the hook flash in RTP packets; in INFO requests |
//! | `sdp`, `sdp_stream` | descriptions of sessions; of one stream |
//! | `rtp`, `codec` | packets; G.711 by its names |
//! | `messages` | whether messages wait, as a PBX tells it |
//! | `message_summary` | the text that says so |
//! | `alert` | how a telephone is to ring, as a PBX asks |
//! | `caller`, `cause` | who calls, and why a call ends, in the words of both sides |
//! | `config`, `config_text` | the configuration file: what is made of it; what it may contain |
//! | `trunk`, `secret` | addresses of PBXs, and secrets, as the file names them |
//! | `service_manager` | what systemd is told |
//! | `exit` | exit codes and error sentences |

mod alert;
mod call_record;
mod caller;
mod cards;
mod cause;
mod codec;
pub mod config;
mod config_text;
mod conversation;
mod digest;
mod digit_queue;
mod dispatcher;
mod endpoint;
pub mod exit;
pub mod gateway;
mod incoming;
mod info;
mod jitter;
mod leg;
mod line_set;
mod line_task;
mod media;
mod message_summary;
mod messages;
mod occupancy;
mod outgoing;
mod peers;
mod query;
pub mod rtp;
pub mod sdp;
mod sdp_stream;
pub mod secret;
mod served_line;
pub mod service_manager;
mod standing_request;
mod tcp;
mod telephone_event;
pub mod trunk;
