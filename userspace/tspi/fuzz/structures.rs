//! Any bytes as the structure that an application hands in (V2, B3), of an old and of the newest
//! version: it is refused, or everything in it can be read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringback_tspi::structs::{CallParams, LINECALLPARAMS, Reader};
use ringback_tspi::types::Version;

fuzz_target!(|input: (bool, &[u8])| {
    let (is_new, memory) = input;
    let version = if is_new { Version::V3_1 } else { Version::V1_3 };
    let params = CallParams::read(memory, version);
    let reader = Reader::<LINECALLPARAMS>::new(memory, version);
    assert_eq!(params.is_ok(), reader.is_ok());
    if let (Ok(params), Ok(reader)) = (params, reader) {
        assert!(reader.fixed_size() <= memory.len());
        let whole = params.user_user_info.len() + params.dev_specific.len();
        assert!(whole <= 2 * memory.len(), "an item is longer than its structure");
    }
});
