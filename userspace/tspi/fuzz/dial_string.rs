//! Any text as a dialable address, for a line with any modifiers: what is accepted reads the same
//! once it is written out, and what is refused names a character that is there (R7).

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringback_tspi::dialstring::{Modifiers, parse};

fuzz_target!(|input: (u32, &str)| {
    let (flags, text) = input;
    let modifiers = Modifiers::from_dev_cap_flags(flags);
    match parse(text, modifiers) {
        Ok(parsed) => {
            let written = parsed.to_string();
            assert_eq!(parse(&written, modifiers).as_ref(), Ok(&parsed), "{text:?}: {written:?}");
        }
        Err(refused) => {
            let named = text.chars().nth(refused.position - 1);
            assert_eq!(named, Some(refused.found), "{text:?}");
        }
    }
});
