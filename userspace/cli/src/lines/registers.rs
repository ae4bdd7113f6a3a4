//! `ringback lines --registers` and `--details`: what the registers of a card read, and what that
//! says of its modules and lines.
//!
//! Rules: the card's own rounds read the registers, beside calls. The dump can be sent to others as
//! it is: its lines have a fixed form and order, and nothing in it is about the user. A line is
//! either a heading, which begins with `#`, or `CHIP NUMBER NAME VALUE`, with numbers as data
//! sheets have them and values in hexadecimal.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use ringback_driver::card::{
    DumpedRegister, FxoDetails, FxsDetails, ModuleDetails, ModuleDump, RegisterDump,
};
use ringback_driver::card::{KINDS, tiger320};
use ringback_driver::device::discover::discover;
use ringback_driver::device::sysfs::SysfsRoot;
use ringback_lines::line_kind;
use ringback_provider::SlotReport;
use serde::Serialize;

use crate::card::{Station, kind_name};
use crate::exit::Failure;
use crate::output::Output;
use crate::signals::Signals;

/// Reading all registers takes about a second, longer while modules are repaired.
const LIMIT: Duration = Duration::from_secs(30);
/// How often it is looked whether it is done.
const LOOK: Duration = Duration::from_millis(10);

/// Reads all registers of the card.
pub(super) fn read(station: &Station, signals: &Signals) -> Result<RegisterDump, Failure> {
    let name = station.name();
    if !station.begin_register_dump() {
        let text = format_args!("the registers of {name} can't be shown: it has no modules");
        return Err(Failure::failed(text));
    }
    let until = Instant::now() + LIMIT;
    loop {
        if let Some(dump) = station.register_dump() {
            return Ok(dump);
        }
        signals.check()?;
        if station.slots().iter().all(|slot| slot.status.is_none()) {
            return Err(Failure::gone("every line", name));
        }
        if Instant::now() >= until {
            let text = format_args!(
                "the registers of {name} were not read within {} s: a module is repaired again \
                 and again; `-v` says which",
                LIMIT.as_secs()
            );
            return Err(Failure::failed(text));
        }
        thread::sleep(LOOK);
    }
}

/// What a dump is of, which a reader elsewhere has to know.
#[derive(Debug, Serialize)]
struct Origin<'a> {
    program: &'static str,
    kernel: String,
    card: &'a str,
    /// The ids of the PCI function and its subsystem, if it is one.
    ids: Option<String>,
    country: String,
    /// The law of the modules' samples.
    companding: String,
}

impl<'a> Origin<'a> {
    fn of(station: &'a Station) -> Origin<'a> {
        let found = discover(&SysfsRoot::system(), KINDS);
        let own = found.iter().find(|card| {
            card.kind == tiger320::KIND && card.selector.to_string() == station.name()
        });
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Origin {
            program: env!("CARGO_PKG_VERSION"),
            kernel: kernel.trim().to_owned(),
            card: station.name(),
            ids: own.and_then(|card| card.ids).map(|ids| ids.to_string()),
            country: station.country.to_string(),
            companding: station.country.companding().to_string(),
        }
    }
}

/// A register as JSON.
#[derive(Debug, Serialize)]
struct RegisterObject {
    number: u16,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'static str,
    value: u32,
}

impl RegisterObject {
    fn all(registers: &[DumpedRegister]) -> Vec<RegisterObject> {
        let object = |&DumpedRegister { number, name, value }: &DumpedRegister| RegisterObject {
            number,
            name,
            value,
        };
        registers.iter().map(object).collect()
    }
}

/// The registers of a module as JSON.
#[derive(Debug, Serialize)]
struct ModuleObject {
    slot: u8,
    kind: &'static str,
    chip: &'static str,
    registers: Vec<RegisterObject>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    indirect: Vec<RegisterObject>,
}

/// A dump as JSON.
#[derive(Debug, Serialize)]
struct DumpObject<'a> {
    event: &'static str,
    format: u32,
    #[serde(flatten)]
    origin: Origin<'a>,
    chip: &'static str,
    registers: Vec<RegisterObject>,
    modules: Vec<ModuleObject>,
    counters: BTreeMap<&'static str, u64>,
}

/// Version of the dump's form.
const FORMAT: u32 = 1;

/// Prints all registers.
pub(super) fn print(
    station: &Station,
    dump: &RegisterDump,
    out: Output<'_>,
) -> Result<(), Failure> {
    let origin = Origin::of(station);
    if out.json {
        let module = |module: &ModuleDump| ModuleObject {
            slot: module.slot.0,
            kind: kind_name(line_kind(module.kind)),
            chip: module.chip,
            registers: RegisterObject::all(&module.direct),
            indirect: RegisterObject::all(&module.indirect),
        };
        return out.object(&DumpObject {
            event: "registers",
            format: FORMAT,
            origin,
            chip: dump.chip,
            registers: RegisterObject::all(&dump.card),
            modules: dump.modules.iter().map(module).collect(),
            counters: dump.counters.iter().copied().collect(),
        });
    }
    text(&origin, dump).iter().try_for_each(|line| out.text(line))
}

fn text(origin: &Origin<'_>, dump: &RegisterDump) -> Vec<String> {
    let mut lines = vec![
        format!("# ringback registers, format {FORMAT}"),
        format!("# program {}", origin.program),
        format!("# kernel {}", origin.kernel),
        format!("# card {}", origin.card),
    ];
    lines.extend(origin.ids.iter().map(|ids| format!("# ids {ids}")));
    lines.push(format!("# country {}", origin.country));
    lines.push(format!("# companding {}", origin.companding));
    let counters = dump.counters.iter().filter(|(_, count)| *count > 0);
    lines.extend(counters.map(|(name, count)| format!("# counted {name} {count}")));
    lines.push(format!("# {}; addresses are bytes behind the start of the memory", dump.chip));
    let named = |name: &'static str| if name.is_empty() { "-" } else { name };
    lines.extend(dump.card.iter().map(|DumpedRegister { number, name, value }| {
        format!("{} {number:#04x} {} {value:#04x}", dump.chip, named(name))
    }));
    for module in &dump.modules {
        let kind = kind_name(line_kind(module.kind));
        lines.push(format!("# slot {}: {kind}, {}", module.slot, module.chip));
        lines.extend(module.direct.iter().map(|DumpedRegister { number, name, value }| {
            format!("{} {number} {} {value:#04x}", module.chip, named(name))
        }));
        lines.extend(module.indirect.iter().map(|DumpedRegister { number, name, value }| {
            format!("{}-indirect {number} {} {value:#06x}", module.chip, named(name))
        }));
    }
    lines
}

/// What the registers say of the card, as JSON.
#[derive(Debug, Serialize)]
struct CardObject<'a> {
    event: &'static str,
    #[serde(flatten)]
    origin: Origin<'a>,
    chip: &'static str,
    cpld: u8,
    counters: BTreeMap<&'static str, u64>,
}

/// What the registers say of a module, as JSON. Volts are against ground but for `loop_volts`.
#[derive(Debug, Default, Serialize)]
struct DetailsObject {
    event: &'static str,
    slot: u8,
    line: Option<u32>,
    kind: &'static str,
    chip: &'static str,
    revision: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    lsid: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_side: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_side_revision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tip_volts: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ring_volts: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vbat_volts: Option<f64>,
    loop_volts: f64,
    loop_milliamperes: f64,
}

/// Prints what the registers say.
pub(super) fn print_details(
    station: &Station,
    dump: &RegisterDump,
    slots: &[SlotReport],
    out: Output<'_>,
) -> Result<(), Failure> {
    let origin = Origin::of(station);
    out.text("")?;
    out.text(format_args!("chip {}, CPLD version {:#04x}", dump.chip, dump.cpld))?;
    out.text(format_args!("country {}, samples in {}", origin.country, origin.companding))?;
    let counters = dump.counters.iter().copied().collect();
    let (chip, cpld) = (dump.chip, dump.cpld);
    out.object(&CardObject { event: "card", origin, chip, cpld, counters })?;
    for module in &dump.modules {
        let line = slots.iter().find(|slot| slot.slot == module.slot).and_then(|slot| slot.line);
        let kind = kind_name(line_kind(module.kind));
        let told = match module.details {
            ModuleDetails::Fxs(fxs) => fxs_text(module.chip, &fxs),
            ModuleDetails::Fxo(fxo) => fxo_text(module.chip, &fxo),
        };
        out.text(format_args!("slot {}: {kind}, {told}", module.slot))?;
        let common = DetailsObject {
            event: "details",
            slot: module.slot.0,
            line,
            kind,
            chip: module.chip,
            ..DetailsObject::default()
        };
        out.object(&match module.details {
            ModuleDetails::Fxs(fxs) => DetailsObject {
                revision: letter(fxs.revision),
                tip_volts: Some(thousandths(fxs.tip)),
                ring_volts: Some(thousandths(fxs.ring)),
                vbat_volts: Some(thousandths(fxs.battery)),
                loop_volts: thousandths(fxs.loop_voltage),
                loop_milliamperes: thousandths(fxs.loop_current),
                ..common
            },
            ModuleDetails::Fxo(fxo) => DetailsObject {
                revision: letter(fxo.revision),
                lsid: Some(fxo.line_side),
                line_side: line_side(fxo.line_side),
                line_side_revision: Some(letter(fxo.line_side_revision)),
                loop_volts: thousandths(fxo.line_voltage),
                loop_milliamperes: thousandths(fxo.loop_current),
                ..common
            },
        })?;
    }
    let counted: Vec<String> = dump
        .counters
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{} {count}", name.replace('_', " ")))
        .collect();
    out.text(format_args!("counted: {}", counted.join(", ")))
}

fn fxs_text(chip: &str, fxs: &FxsDetails) -> String {
    format!(
        "{chip} revision {}: TIP {:.1} V, RING {:.1} V, VBAT {:.1} V, loop {:.1} V and {:.2} mA",
        letter(fxs.revision),
        thousandths(fxs.tip),
        thousandths(fxs.ring),
        thousandths(fxs.battery),
        thousandths(fxs.loop_voltage),
        thousandths(fxs.loop_current),
    )
}

fn fxo_text(chip: &str, fxo: &FxoDetails) -> String {
    let side = line_side(fxo.line_side).unwrap_or("of an unknown kind");
    format!(
        "{chip} revision {}, line side {side} (LSID {}) revision {}: line {:.0} V, loop {:.1} mA",
        letter(fxo.revision),
        fxo.line_side,
        letter(fxo.line_side_revision),
        thousandths(fxo.line_voltage),
        thousandths(fxo.loop_current),
    )
}

/// The line side of a number that is known.
fn line_side(number: u8) -> Option<&'static str> {
    match number {
        1 => Some("Si3018"),
        3 => Some("Si3019"),
        _ => None,
    }
}

/// A chip's revision: data sheets count them by letters, with A for 1.
fn letter(revision: u8) -> String {
    match revision {
        1..=26 => char::from(b'A' + revision - 1).to_string(),
        other => other.to_string(),
    }
}

/// Volts of millivolts, milliamperes of microamperes.
fn thousandths(value: i32) -> f64 {
    f64::from(value) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringback_driver::PortNumber;
    use ringback_driver::card::ModuleKind;

    fn register(number: u16, name: &'static str, value: u32) -> DumpedRegister {
        DumpedRegister { number, name, value }
    }

    #[test]
    fn a_dump_has_a_fixed_form_that_others_can_read() {
        let dump = RegisterDump {
            chip: "Tiger320",
            card: vec![register(0, "CNTL", 0x41), register(0x24, "RX_CURRENT", 0x5C)],
            cpld: 0x73,
            modules: vec![ModuleDump {
                slot: PortNumber(2),
                kind: ModuleKind::Fxs,
                chip: "Si3210",
                direct: vec![register(64, "LINE_STATE", 0x11), register(7, "", 0)],
                indirect: vec![register(20, "RING_COEFFICIENT", 0x7EF0)],
                details: ModuleDetails::Fxs(FxsDetails {
                    revision: 5,
                    tip: -6016,
                    ring: -54_144,
                    battery: -75_200,
                    loop_voltage: 48_000,
                    loop_current: 0,
                }),
            }],
            counters: vec![("ticks", 12), ("missed", 0)],
        };
        let origin = Origin {
            program: "0.1.0",
            kernel: "6.12.1".to_owned(),
            card: "pci:0000:05:00.0",
            ids: Some("e159:0001 b100:0003".to_owned()),
            country: "FCC".to_owned(),
            companding: "u-law".to_owned(),
        };
        assert_eq!(
            text(&origin, &dump),
            [
                "# ringback registers, format 1",
                "# program 0.1.0",
                "# kernel 6.12.1",
                "# card pci:0000:05:00.0",
                "# ids e159:0001 b100:0003",
                "# country FCC",
                "# companding u-law",
                "# counted ticks 12",
                "# Tiger320; addresses are bytes behind the start of the memory",
                "Tiger320 0x00 CNTL 0x41",
                "Tiger320 0x24 RX_CURRENT 0x5c",
                "# slot 2: FXS, Si3210",
                "Si3210 64 LINE_STATE 0x11",
                "Si3210 7 - 0x00",
                "Si3210-indirect 20 RING_COEFFICIENT 0x7ef0",
            ]
        );
    }

    #[test]
    fn revisions_are_letters() {
        assert_eq!([1, 3, 26, 0, 27].map(letter), ["A", "C", "Z", "0", "27"]);
    }
}
