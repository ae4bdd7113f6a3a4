//! Any bytes as logs of a provider: they are refused, or they are the same once they are written
//! and read again, and every rule can be judged.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringback_conform::log::Log;
use ringback_conform::report::Report;
use ringback_conform::rules;

fuzz_target!(|bytes: &[u8]| {
    let Ok(logs) = Log::read_all(bytes) else { return };
    let mut written = Vec::new();
    for log in &logs {
        log.write(&mut written).expect("memory");
    }
    assert_eq!(Log::read_all(&written[..]).expect("our own file"), logs);
    let report = Report::of(&logs);
    assert_eq!(report.rules.len(), rules::ALL.len());
    // Findings are printed as well.
    assert!(!report.to_string().is_empty());
});
