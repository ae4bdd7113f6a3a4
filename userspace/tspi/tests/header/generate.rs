//! `ringback/tspi.h` out of the table of functions, the constants and the table of structures.

use std::collections::BTreeMap;
use std::fmt::Write;

use ringback_tspi::constants::FAMILIES;
use ringback_tspi::functions::{CParameter, Function, Kind, all};

/// What no table has: words, handles, callbacks.
const PRELUDE: &str = include_str!("prelude.h");
/// The structures that are not packed.
const NATURAL: &str = include_str!("natural.h");
const STRUCTS: &str = include_str!("../../facts/structs.tsv");

/// Where a prototype is broken into lines.
const COLUMNS: usize = 100;

/// The whole header.
pub fn header() -> String {
    let mut out = PRELUDE.to_owned();
    constants(&mut out);
    structures(&mut out);
    out.push_str(NATURAL);
    prototypes(&mut out);
    out.push_str("\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
    out
}

/// Appends a line. Writing to a string does not fail.
macro_rules! line {
    ($out:expr, $($text:tt)*) => { writeln!($out, $($text)*).expect("a string has room") };
}

fn constants(out: &mut String) {
    for family in FAMILIES {
        line!(out, "\n/* {}. */", family.name);
        // Results are LONGs, and everything else is a DWORD.
        let is_result = family.name.ends_with("ERR");
        for (name, value) in family.members {
            if is_result {
                line!(out, "#define {name} ((LONG)0x{value:08X}u)");
            } else {
                line!(out, "#define {name} 0x{value:08X}u");
            }
        }
    }
}

struct Structure {
    size: String,
    /// Offset, type and name of each member.
    members: Vec<(String, String, String)>,
}

fn structures(out: &mut String) {
    let mut order: Vec<&str> = Vec::new();
    let mut structures: BTreeMap<&str, Structure> = BTreeMap::new();
    for row in STRUCTS.lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        let [name, size, offset, kind, member, _owner] = cells[..] else {
            panic!("six cells per row: {row}")
        };
        let structure = structures.entry(name).or_insert_with(|| {
            order.push(name);
            Structure { size: size.to_owned(), members: Vec::new() }
        });
        structure.members.push((offset.to_owned(), kind.to_owned(), member.to_owned()));
    }
    line!(out, "\n/* Structures. The variable part of one begins behind what its version has. */");
    line!(out, "#pragma pack(push, 1)");
    let mut done = Vec::new();
    for name in order {
        structure(out, name, &structures, &mut done);
    }
    line!(out, "\n#pragma pack(pop)");
}

/// One structure, behind those that it has as members.
fn structure<'a>(
    out: &mut String,
    name: &'a str,
    structures: &'a BTreeMap<&str, Structure>,
    done: &mut Vec<&'a str>,
) {
    if done.contains(&name) {
        return;
    }
    done.push(name);
    let Structure { size, members } = &structures[name];
    for (_, kind, _) in members {
        if structures.contains_key(kind.as_str()) {
            structure(out, kind, structures, done);
        }
    }
    line!(out, "\ntypedef struct ringback_{name} {{");
    for (_, kind, member) in members {
        line!(out, "    {kind} {member};");
    }
    line!(out, "}} {name};");
    line!(out, "typedef {name} *LP{name};");
    line!(out, "RINGBACK_ASSERT(sizeof({name}) == {size}, size_of_{name});");
    for (offset, _, member) in members {
        // Of an array the place of its first element.
        let member = member.split('[').next().unwrap_or(member);
        line!(
            out,
            "RINGBACK_ASSERT(offsetof({name}, {member}) == {offset},\n                \
             {name}_{member});"
        );
    }
}

fn prototypes(out: &mut String) {
    line!(out, "\n#ifndef RINGBACK_TSPI_NO_PROTOTYPES");
    let titles = [
        (Kind::Sync, "Synchronous: 0 or an error, and no completion ever (K2, K3)."),
        (Kind::Async, "Asynchronous: their request id, or an error and then no completion (R1)."),
    ];
    for (kind, title) in titles {
        line!(out, "\n/* {title} */");
        all().filter(|function| function.kind == kind).for_each(|function| {
            line!(out, "{}", prototype(function));
        });
    }
    line!(out, "\n#endif");
}

/// A prototype, broken where a line is full.
fn prototype(function: &Function) -> String {
    let mut text = format!("LONG TSPIAPI {}(", function.name);
    let indent = text.len();
    let mut column = indent;
    let parameters: Vec<String> = function.c_parameters().map(parameter).collect();
    if parameters.is_empty() {
        text.push_str("void");
    }
    for (index, parameter) in parameters.iter().enumerate() {
        let end = if index + 1 == parameters.len() { ");" } else { "," };
        if index > 0 && column + 1 + parameter.len() + end.len() > COLUMNS {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            column = indent;
        } else if index > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(parameter);
        column += parameter.len();
        if index + 1 < parameters.len() {
            text.push(',');
            column += 1;
        }
    }
    text + ");"
}

fn parameter(parameter: &CParameter) -> String {
    let separator = if parameter.kind.ends_with('*') { "" } else { " " };
    format!("{}{separator}{}", parameter.kind, parameter.name)
}
