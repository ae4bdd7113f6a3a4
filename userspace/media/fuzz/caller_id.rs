//! Any bytes as the message of a caller id, and any text as a party: what is reported can be shown
//! on a terminal without harm, and a message with a changed byte is refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringback_media::caller_id::{Caller, Party, read_message};

fn harmless(party: &Party) {
    if let Some(text) = party.text() {
        assert!(!text.is_empty(), "a party that is known has a text");
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
}

fuzz_target!(|message: &[u8]| {
    harmless(&Party::reported(&String::from_utf8_lossy(message)));
    let Some(Caller { number, name, .. }) = read_message(message) else { return };
    harmless(&number);
    harmless(&name);
    // With its checksum no byte of it can be another, except for the length: a longer message may
    // have its checksum for its last byte.
    let whole = message.len() == usize::from(message[1]) + 3;
    for at in (0..message.len() * usize::from(whole)).filter(|at| *at != 1) {
        let mut damaged = message.to_vec();
        damaged[at] ^= 1;
        assert_eq!(read_message(&damaged), None, "byte {at} of {message:?}");
    }
});
