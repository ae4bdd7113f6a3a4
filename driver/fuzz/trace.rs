//! Any file as a trace of registers: what is accepted has its accesses in the order of their times
//! and of chips that it names; what is refused names a line of the file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringback_driver::device::trace::RecordedTrace;

fuzz_target!(|bytes: &[u8]| {
    match RecordedTrace::parse(bytes) {
        Ok(trace) => {
            assert!(trace.accesses.is_sorted_by_key(|access| access.at));
            assert!(trace.accesses.iter().all(|access| access.chip < trace.chips.len()));
        }
        Err(error) => {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            assert!((1..=lines).contains(&error.line), "{error}");
        }
    }
});
