//! Structures by the C types of their parameters: their sizes, and the members that are TAPI's,
//! which a provider must not change (B4).

use ringback_tspi::structs::layout::{Layout, Owner, Structure};
use ringback_tspi::structs::*;

/// The value of TAPI's members while a provider fills the others.
pub(crate) const CANARY: u32 = 0x5EED_CA11;

/// The structure that a parameter of this C type leads to: `LPLINECALLINFO`.
fn layout(kind: &str) -> Option<Layout> {
    const ALL: [Layout; 12] = [
        LINEDEVCAPS::LAYOUT,
        LINEADDRESSCAPS::LAYOUT,
        LINEDEVSTATUS::LAYOUT,
        LINEADDRESSSTATUS::LAYOUT,
        LINECALLINFO::LAYOUT,
        LINECALLSTATUS::LAYOUT,
        LINECALLPARAMS::LAYOUT,
        LINECALLHUBTRACKINGINFO::LAYOUT,
        VARSTRING::LAYOUT,
        PHONECAPS::LAYOUT,
        PHONESTATUS::LAYOUT,
        PHONEBUTTONINFO::LAYOUT,
    ];
    ALL.into_iter().find(|layout| named(kind) == layout.name)
}

fn named(kind: &str) -> &str {
    kind.split_whitespace().next().unwrap_or_default().trim_start_matches("LP")
}

/// The size of the structure's fixed part in the newest version; of a record, its size.
pub(crate) fn size(kind: &str) -> usize {
    match named(kind) {
        // dwTotalSize, dwNumEntries, and the first entry.
        "LINEFORWARDLIST" => 40,
        "LINEDIALPARAMS" => LINEDIALPARAMS::SIZE,
        "LINEMONITORTONE" => LINEMONITORTONE::SIZE,
        "LINEGENERATETONE" => LINEGENERATETONE::SIZE,
        "LINEMEDIACONTROLDIGIT" => LINEMEDIACONTROLDIGIT::SIZE,
        "LINEMEDIACONTROLMEDIA" => LINEMEDIACONTROLMEDIA::SIZE,
        "LINEMEDIACONTROLTONE" => LINEMEDIACONTROLTONE::SIZE,
        "LINEMEDIACONTROLCALLSTATE" => LINEMEDIACONTROLCALLSTATE::SIZE,
        _ => layout(kind).map_or(0, |layout| layout.size()),
    }
}

/// Offsets of the words that are TAPI's, but for dwTotalSize.
pub(crate) fn owned(kind: &str) -> Vec<usize> {
    let rows = layout(kind).map_or(&[][..], |layout| layout.rows);
    let owned = rows.iter().filter(|row| row.owner == Owner::Tapi && row.offset > 0);
    owned.flat_map(|row| (row.offset..row.offset + row.size).step_by(4)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_owners_are_those_of_the_pages() {
        assert_eq!((size("LPLINECALLINFO"), size("LPLINECALLPARAMS const")), (344, 180));
        assert_eq!((size("LPLINEMONITORTONE const"), size("LPVARSTRING")), (20, 24));
        assert_eq!(owned("LPLINECALLSTATUS"), [20]);
        assert_eq!(owned("LPPHONESTATUS"), [16, 20, 84, 88]);
        assert!(owned("LPLINEDEVSTATUS").starts_with(&[12, 16]));
        assert!(owned("LPLINEDEVCAPS").is_empty());
    }
}
