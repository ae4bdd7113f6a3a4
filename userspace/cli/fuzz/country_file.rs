//! Any text as the file of a country: it is read or refused, and what is read can be shown.

#![no_main]

#[path = "../src/country_file.rs"]
#[allow(dead_code, reason = "the program also reads names and files")]
mod country_file;
#[path = "../src/exchange_section.rs"]
#[allow(dead_code, reason = "the program also reads names and files")]
mod exchange_section;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match country_file::read(text, "own") {
        Ok(country) => {
            assert!(country.to_string().ends_with("/own"), "{country}");
            assert!(country.flash() < country.hang_up(), "a flash hangs up");
            // Each tone can be written down.
            let _ = format!("{:?}", country.tones());
        }
        Err(error) => assert!(!error.is_empty(), "no cause is named"),
    }
});
