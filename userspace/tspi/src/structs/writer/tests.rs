//! The rules of the variable part, on structures a line really fills.

use proptest::prelude::*;

use super::*;
use crate::structs::{
    LINEADDRESSCAPS, LINECALLINFO, LINECALLSTATUS, LINEDEVCAPS, LINETERMCAPS, Reader, SystemTime,
    VARSTRING,
};

/// Memory of `total` bytes behind which a guard of 0xEE lies.
fn guarded(total: u32, filling: u8) -> Vec<u8> {
    let mut memory = vec![filling; total as usize];
    memory.extend([0xEE; 64]);
    memory[..4].copy_from_slice(&total.to_le_bytes());
    memory
}

fn word(memory: &[u8], offset: usize) -> u32 {
    u32::read(&memory[offset..]).unwrap()
}

#[test]
fn members_and_items_are_read_back() {
    let mut memory = guarded(400, 0);
    let mut info = Writer::<LINECALLINFO>::new(&mut memory, Version::V3_1).unwrap();
    info.set(LINECALLINFO::dwCallID, 7)
        .string(LINECALLINFO::dwCallerID, "200")
        .string(LINECALLINFO::dwCallerIDName, "Ada");
    assert_eq!((info.used(), info.needed()), (344 + 16, 344 + 16));
    assert_eq!(word(&memory, LINECALLINFO::dwCallerID.offset() + 4), 344, "V7: directly behind");
    assert_eq!(word(&memory, LINECALLINFO::dwCallerIDName.offset() + 4), 352, "B3: contiguous");
    let read = Reader::<LINECALLINFO>::new(&memory, Version::V3_1).unwrap();
    assert_eq!(read.get(LINECALLINFO::dwCallID), 7);
    assert_eq!(read.string(LINECALLINFO::dwCallerID).as_deref(), Some("200"));
    assert_eq!(read.string(LINECALLINFO::dwCallerIDName).as_deref(), Some("Ada"));
    assert_eq!(read.item(LINECALLINFO::dwCallerID).len(), 8, "V11: bytes, with terminator");
}

#[test]
fn an_item_that_does_not_fit_is_left_out_whole_b3() {
    let mut memory = guarded(344 + 8, 0);
    let mut info = Writer::<LINECALLINFO>::new(&mut memory, Version::V3_1).unwrap();
    info.string(LINECALLINFO::dwCallerIDName, "a name that is too long")
        .string(LINECALLINFO::dwCallerID, "200");
    // The short one behind the long one still fits.
    assert_eq!(info.used(), 352);
    assert_eq!(info.needed(), 344 + 48 + 8);
    assert_eq!(word(&memory, 4), 400, "V3: dwNeededSize counts both");
    assert_eq!(word(&memory, 8), 352, "V4: dwUsedSize counts what is there");
    let name = LINECALLINFO::dwCallerIDName.offset();
    assert_eq!((word(&memory, name), word(&memory, name + 4)), (0, 0), "V6");
    let read = Reader::<LINECALLINFO>::new(&memory, Version::V3_1).unwrap();
    assert_eq!(read.string(LINECALLINFO::dwCallerID).as_deref(), Some("200"));
}

#[test]
fn members_of_tapi_and_the_total_size_stay_b4() {
    let mut memory = guarded(344, 0xA5);
    Writer::<LINECALLINFO>::new(&mut memory, Version::V3_1).unwrap();
    assert_eq!(word(&memory, 0), 344, "dwTotalSize");
    for offset in [
        LINECALLINFO::hLine.offset(),
        LINECALLINFO::dwNumOwners.offset(),
        LINECALLINFO::dwMonitorDigitModes.offset(),
        LINECALLINFO::dwAppName.offset(),
        LINECALLINFO::dwComment.offset() + 4,
    ] {
        assert_eq!(word(&memory, offset), 0xA5A5_A5A5, "offset {offset}");
    }
    // What is the provider's and was not set is 0.
    assert_eq!(word(&memory, LINECALLINFO::dwTrunk.offset()), 0);
    assert_eq!(word(&memory, LINECALLINFO::dwUserUserInfo.offset()), 0);
}

#[test]
fn not_a_byte_behind_the_total_size_is_touched_v1() {
    let mut memory = guarded(350, 0);
    let mut info = Writer::<LINECALLINFO>::new(&mut memory, Version::V3_1).unwrap();
    info.string(LINECALLINFO::dwCallerID, "200").string(LINECALLINFO::dwDisplay, "12");
    assert_eq!(info.used(), 350, "the eight bytes did not fit, the six did");
    assert!(memory[350..].iter().all(|byte| *byte == 0xEE));
}

#[test]
fn an_older_version_has_a_shorter_fixed_part() {
    let mut memory = guarded(64, 0xA5);
    let mut status = Writer::<LINECALLSTATUS>::new(&mut memory, Version::V1_4).unwrap();
    status
        .set(LINECALLSTATUS::dwCallState, 1)
        .set(LINECALLSTATUS::dwCallFeatures2, 1)
        .set(LINECALLSTATUS::tStateEntryTime, SystemTime { year: 2026, ..Default::default() })
        .item(LINECALLSTATUS::dwDevSpecific, &[1, 2]);
    assert_eq!(status.used(), 38);
    assert_eq!(memory[36..38], [1, 2], "the variable part starts where 1.4 ends");
    assert!(memory[38..64].iter().all(|byte| *byte == 0xA5));
}

#[test]
fn an_item_newer_than_the_version_is_left_out() {
    let mut memory = guarded(400, 0);
    let mut info = Writer::<LINECALLINFO>::new(&mut memory, Version::V1_4).unwrap();
    info.item(LINECALLINFO::dwCallData, &[1]);
    assert_eq!((info.used(), info.needed()), (296, 296));
}

#[test]
fn too_small_a_memory_is_refused() {
    let refused =
        |mut memory: Vec<u8>, version| Writer::<LINECALLSTATUS>::new(&mut memory, version).err();
    let small = Some(LineError::STRUCTURETOOSMALL);
    assert_eq!(refused(guarded(55, 0), Version::V2_0), small);
    assert_eq!(refused(guarded(56, 0), Version::V2_0), None);
    assert_eq!(refused(guarded(36, 0), Version::V1_4), None);
    assert_eq!(refused(vec![], Version::V2_0), small);
    let mut liar = guarded(56, 0);
    liar[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(refused(liar, Version::V2_0), small, "more than the memory has");
}

#[test]
fn lists_and_arrays() {
    let mut memory = blank::<LINEDEVCAPS>(600);
    let mut caps = Writer::<LINEDEVCAPS>::new(&mut memory, Version::V3_1).unwrap();
    let terminals = [LINETERMCAPS { term_dev: 1, term_modes: 2, term_sharing: 1 }; 2];
    caps.strings(LINEDEVCAPS::dwDeviceClasses, &["tapi/line", "", "wave/in"])
        .records(LINEDEVCAPS::dwTerminalCaps, &terminals)
        .strings(LINEDEVCAPS::dwLineName, &[]);
    let read = Reader::<LINEDEVCAPS>::new(&memory, Version::V3_1).unwrap();
    let classes = read.item(LINEDEVCAPS::dwDeviceClasses);
    assert_eq!(classes.len(), (9 + 1 + 7 + 1 + 1) * 2);
    assert_eq!(crate::structs::from_utf16(&classes[20..]), "wave/in");
    assert_eq!(
        crate::structs::read_array(read.item(LINEDEVCAPS::dwTerminalCaps)),
        Some(terminals.to_vec())
    );
    assert!(read.item(LINEDEVCAPS::dwLineName).is_empty());
}

#[test]
fn a_varstring_holds_a_blob() {
    let mut memory = blank::<VARSTRING>(28);
    let mut id = Writer::<VARSTRING>::new(&mut memory, Version::V2_0).unwrap();
    id.set(VARSTRING::dwStringFormat, 4).item(VARSTRING::dwString, &7u32.to_le_bytes());
    assert_eq!((id.used(), id.needed()), (28, 28));
    assert_eq!(memory[24..], [7, 0, 0, 0]);
}

#[test]
fn names_follow_their_array_and_count_from_the_start_of_the_structure_v12() {
    type C = LINEADDRESSCAPS;
    let fixed = C::LAYOUT.size();
    let entries = [(1, "ab"), (4, "c")];
    for (room, fits) in [(24 + 6 + 4, true), (24 + 6 + 3, false)] {
        let mut memory = guarded((fixed + room) as u32, 0);
        let mut caps = Writer::<C>::new(&mut memory, Version::V3_1).unwrap();
        caps.named(C::dwCallTreatmentList, &entries);
        assert_eq!(caps.needed(), fixed + 34, "V6");
        let pair = C::dwCallTreatmentList.offset();
        let (size, offset) = (word(&memory, pair), word(&memory, pair + 4) as usize);
        if !fits {
            assert_eq!((size, offset), (0, 0), "all or nothing");
            continue;
        }
        assert_eq!((size, offset), (24, fixed), "the array alone");
        let words: Vec<u32> = (0..6).map(|at| word(&memory, offset + 4 * at)).collect();
        let names = (fixed + 24) as u32;
        assert_eq!(words, [1, 6, names, 4, 4, names + 6]);
        assert_eq!(memory[names as usize..][..10], *b"a\0b\0\0\0c\0\0\0");
    }
}

proptest! {
    /// Whatever is written into memory of any size: the size words are right, items are whole and
    /// contiguous, and nothing outside is touched.
    #[test]
    fn the_variable_part_keeps_its_rules(
        total in 344u32..700,
        items in prop::collection::vec(
            (0usize..4, prop::collection::vec(any::<u8>(), 0..200)),
            0..4,
        ),
    ) {
        let all = [
            LINECALLINFO::dwUserUserInfo,
            LINECALLINFO::dwHighLevelComp,
            LINECALLINFO::dwLowLevelComp,
            LINECALLINFO::dwChargingInfo,
        ];
        let mut memory = guarded(total, 0xA5);
        let mut info = Writer::<LINECALLINFO>::new(&mut memory, Version::V3_1).unwrap();
        let mut once = std::collections::BTreeMap::new();
        for (which, bytes) in items {
            if let std::collections::btree_map::Entry::Vacant(slot) = once.entry(which) {
                info.item(all[which], &bytes);
                slot.insert(bytes);
            }
        }
        let (used, needed) = (info.used(), info.needed());
        prop_assert_eq!(needed, 344 + once.values().map(Vec::len).sum::<usize>());
        prop_assert!(used <= total as usize && used <= needed);
        prop_assert_eq!(word(&memory, 0), total);
        prop_assert!(memory[total as usize..].iter().all(|byte| *byte == 0xEE));
        // Pairs of TAPI are not part of this: the memory was filled with nonsense.
        let mut written = 0;
        let mut ends = vec![344];
        let mut starts = vec![];
        for (which, bytes) in &once {
            let pair = all[*which].offset();
            let (size, offset) = (word(&memory, pair) as usize, word(&memory, pair + 4) as usize);
            prop_assert!(size == bytes.len() || (size == 0 && offset == 0), "never truncated");
            if size > 0 {
                prop_assert_eq!(&memory[offset..offset + size], &bytes[..]);
                written += size;
                starts.push(offset);
                ends.push(offset + size);
            }
        }
        prop_assert_eq!(used, 344 + written);
        for start in starts {
            prop_assert!(ends.contains(&start), "contiguous");
        }
    }
}
