//! Any text as the configuration of the gateway: it is read or refused with a reason, and what is
//! read is within its ranges.

#![no_main]

#[path = "../src/config.rs"]
#[allow(dead_code, reason = "the gateway also reads files")]
mod config;
#[path = "../src/config_text.rs"]
mod config_text;
#[path = "../src/secret.rs"]
#[allow(dead_code, reason = "the gateway also shows secrets")]
mod secret;
#[path = "../src/trunk.rs"]
#[allow(dead_code, reason = "the gateway also calls trunks")]
mod trunk;

use config::{Config, Trunk};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // Secrets are read from files, whose names are not to be any text.
    if text.contains("secret") {
        return;
    }
    let Config { sip, cards, lines, .. } = match Config::read(text, None) {
        Ok(config) => config,
        Err(error) => return assert!(!error.is_empty(), "no cause is named"),
    };
    assert!(!cards.is_empty() && !lines.is_empty());
    assert!(!sip.listen.ip().is_unspecified() && (1..=1000).contains(&sip.calls_per_second));
    assert!(
        sip.rtp_ports.is_none_or(|(first, last)| first >= 1024 && first % 2 == 0 && first <= last)
    );
    let mut numbers: Vec<&str> = lines.values().map(|line| line.number.as_str()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), lines.len(), "two lines have the same number");
    for line in lines.values() {
        assert!(line.credential.is_none(), "there is no secret");
        let written = line.trunk.to_string();
        assert!(!written.contains(char::is_whitespace), "{written:?}");
        let read: Trunk = written.parse().expect("a trunk is read as it is written");
        assert_eq!(read.to_string(), written);
    }
});
