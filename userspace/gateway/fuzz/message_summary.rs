//! Any text about waiting messages: what is read means the same when it is written again.

#![no_main]

#[path = "../src/message_summary.rs"]
mod message_summary;

use libfuzzer_sys::fuzz_target;
use message_summary::MessageSummary;

fuzz_target!(|body: &[u8]| {
    let Some(summary) = MessageSummary::read(body) else { return };
    let mut text = format!("Messages-Waiting: {}\r\n", if summary.waiting { "yes" } else { "no" });
    if let Some(user) = &summary.account {
        assert!(!user.is_empty() && !user.contains(['@', '\n']), "{user:?}");
        text.push_str(&format!("Message-Account: sip:{user}@pbx\r\n"));
    }
    assert_eq!(MessageSummary::read(text.as_bytes()), Some(summary));
});
