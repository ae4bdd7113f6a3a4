//! Any lines as commands for the far ends of a card: each has one reply, which is an object that
//! says whether the command was carried out, and the card goes on.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringback_softcard::control::Control;
use ringback_softcard::{CardConfig, SoftCard};
use serde_json::Value;

fuzz_target!(|text: &str| {
    let card = SoftCard::new(CardConfig::default());
    let control = Control::new(vec![card.clone()]);
    for line in text.lines().take(64) {
        let reply = control.execute(line);
        assert!(!reply.contains('\n'), "{reply}");
        let object: Value = serde_json::from_str(&reply).expect("JSON");
        assert!(object["ok"].is_boolean(), "{reply}");
        card.advance(3);
    }
});
