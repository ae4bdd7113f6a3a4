//! Every layout against `facts/structs.tsv` and `facts/struct-versions.tsv`.

use std::collections::BTreeMap;

use super::layout::{Layout, Owner, Structure};
use super::*;
use crate::types::Version;

/// Offset, C type, name and owner of one member.
type Cells = (usize, String, String, String);

/// Size and members of every structure in the table.
fn table() -> BTreeMap<&'static str, (usize, Vec<Cells>)> {
    let mut table: BTreeMap<&str, (usize, Vec<Cells>)> = BTreeMap::new();
    for line in include_str!("../../facts/structs.tsv").lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [structure, size, offset, kind, member, owner] = cells[..] else {
            panic!("six cells per row: {line}")
        };
        let number = |cell: &str| cell.parse::<usize>().expect(line);
        let entry = table.entry(structure).or_insert((number(size), Vec::new()));
        entry.1.push((number(offset), kind.into(), member.into(), owner.into()));
    }
    table
}

const LAYOUTS: &[Layout] = &[
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

const RECORDS: &[(&str, usize, &[&str])] = &[
    ("LINEDIALPARAMS", LINEDIALPARAMS::SIZE, LINEDIALPARAMS::MEMBERS),
    ("LINEGENERATETONE", LINEGENERATETONE::SIZE, LINEGENERATETONE::MEMBERS),
    ("LINEMONITORTONE", LINEMONITORTONE::SIZE, LINEMONITORTONE::MEMBERS),
    ("LINEMEDIACONTROLDIGIT", LINEMEDIACONTROLDIGIT::SIZE, LINEMEDIACONTROLDIGIT::MEMBERS),
    ("LINEMEDIACONTROLMEDIA", LINEMEDIACONTROLMEDIA::SIZE, LINEMEDIACONTROLMEDIA::MEMBERS),
    ("LINEMEDIACONTROLTONE", LINEMEDIACONTROLTONE::SIZE, LINEMEDIACONTROLTONE::MEMBERS),
    (
        "LINEMEDIACONTROLCALLSTATE",
        LINEMEDIACONTROLCALLSTATE::SIZE,
        LINEMEDIACONTROLCALLSTATE::MEMBERS,
    ),
    ("LINETERMCAPS", LINETERMCAPS::SIZE, LINETERMCAPS::MEMBERS),
    ("LINEEXTENSIONID", LINEEXTENSIONID::SIZE, LINEEXTENSIONID::MEMBERS),
];

/// Structures of functions that no line offers: forwarding, quality of service; the entries of call
/// treatments, which `Writer::named` writes; the lists of applications and of providers that TAPI
/// keeps to itself; and the extension id of phones, which is that of lines under another name.
const NOT_HERE: &[&str] = &[
    "LINEAPPINFO",
    "LINECALLTREATMENTENTRY",
    "LINEFORWARD",
    "LINEFORWARDLIST",
    "LINEPROVIDERENTRY",
    "LINEPROVIDERLIST",
    "LINEQOSSERVICELEVEL",
    "PHONEEXTENSIONID",
];

/// The rows of a layout with each pair taken apart.
fn flat(layout: &Layout) -> Vec<(usize, String, String, Owner)> {
    let mut rows = Vec::new();
    for row in layout.rows {
        if row.kind == "ITEM" {
            for (offset, suffix) in [(0, "Size"), (4, "Offset")] {
                let name = format!("{}{suffix}", row.name);
                rows.push((row.offset + offset, "DWORD".into(), name, row.owner));
            }
        } else {
            rows.push((row.offset, row.kind.into(), row.name.into(), row.owner));
        }
    }
    rows
}

#[test]
fn every_structure_is_here_or_known_to_be_left_out() {
    let mut here: Vec<&str> = LAYOUTS.iter().map(|layout| layout.name).collect();
    here.extend(RECORDS.iter().map(|record| record.0));
    here.extend(NOT_HERE);
    here.sort_unstable();
    assert_eq!(here, table().into_keys().collect::<Vec<_>>());
}

#[test]
fn every_offset_type_name_and_owner_agrees() {
    let table = table();
    for layout in LAYOUTS {
        let (size, members) = &table[layout.name];
        assert_eq!(layout.size(), *size, "size of {}", layout.name);
        let flat = flat(layout);
        assert_eq!(flat.len(), members.len(), "members of {}", layout.name);
        for ((offset, kind, name, owner), wanted) in flat.iter().zip(members) {
            let place = format!("{}.{name}", layout.name);
            assert_eq!((offset, kind, name), (&wanted.0, &wanted.1, &wanted.2), "{place}");
            let owner_agrees = match wanted.3.as_str() {
                "T" => *owner == Owner::Tapi,
                "P" => *owner == Owner::Provider,
                "T+P" => *owner == Owner::Both,
                "-" => *owner == Owner::Caller,
                // The reference does not say.
                "?" => true,
                other => panic!("owner {other}"),
            };
            assert!(owner_agrees, "{place} belongs to {}", wanted.3);
        }
    }
    for (name, size, members) in RECORDS {
        let (wanted_size, wanted) = &table[name];
        assert_eq!(size, wanted_size, "size of {name}");
        assert_eq!(*size, members.len() * 4);
        for (index, (member, wanted)) in members.iter().zip(wanted).enumerate() {
            let here = (index * 4, "DWORD", *member);
            assert_eq!(here, (wanted.0, wanted.1.as_str(), wanted.2.as_str()), "{name}");
        }
    }
}

#[test]
fn layouts_have_no_gaps_and_no_padding() {
    for layout in LAYOUTS {
        let mut end = 0;
        for row in layout.rows {
            assert_eq!(row.offset, end, "{}.{}", layout.name, row.name);
            end += row.size;
        }
        assert_eq!(end, layout.size(), "{}", layout.name);
        // A version never ends inside a member, and never shrinks.
        let starts: Vec<usize> = layout.rows.iter().map(|row| row.offset).chain([end]).collect();
        assert!(layout.sizes.iter().all(|(_, size)| starts.contains(size)), "{}", layout.name);
        assert!(layout.sizes.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1), "{}", layout.name);
        assert_eq!(layout.sizes[0].0, Version::V1_3);
    }
}

#[test]
fn fixed_sizes_follow_the_version() {
    let rows = include_str!("../../facts/struct-versions.tsv").lines().skip(1);
    let mut count = 0;
    for row in rows {
        let cells: Vec<&str> = row.split('\t').collect();
        let [structure, version, size, first_missing] = cells[..] else { panic!("{row}") };
        let layout = LAYOUTS.iter().find(|layout| layout.name == structure).expect(row);
        let version = Version::ALL.into_iter().find(|v| v.to_string() == version).expect(row);
        let fixed = layout.fixed_size(version);
        assert_eq!(fixed.to_string(), size, "{row}");
        let missing = flat(layout).into_iter().find(|member| member.0 == fixed);
        assert_eq!(missing.map_or("-".into(), |member| member.2), first_missing, "{row}");
        count += 1;
    }
    assert_eq!(count, 8 * 7, "eight structures that grew, in seven versions");
    assert_eq!(VARSTRING::LAYOUT.fixed_size(Version::V1_3), 24);
}

#[test]
fn typed_members_lie_where_the_layout_says() {
    let offset = |layout: Layout, name: &str| {
        layout.rows.iter().find(|row| row.name == name).map(|row| row.offset)
    };
    let info = LINECALLINFO::LAYOUT;
    assert_eq!(Some(LINECALLINFO::dwReason.offset()), offset(info, "dwReason"));
    assert_eq!(Some(LINECALLINFO::dwCallerID.offset()), offset(info, "dwCallerID"));
    assert_eq!(Some(LINECALLINFO::DialParams.offset()), offset(info, "DialParams"));
    assert_eq!(LINECALLSTATUS::tStateEntryTime.offset(), 40);
    assert_eq!(LINEDEVCAPS::ProtocolGuid.offset(), 272);
}
