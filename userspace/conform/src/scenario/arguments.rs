//! Plausible arguments for every function, by the shapes of its row and the names of its numbers.

use std::collections::BTreeMap;

use ringback_tspi::constants::{
    LINEADDRESSMODE_ADDRESSID, LINEBEARERMODE_VOICE, LINECALLSELECT_CALL, LINEDIGITMODE_DTMF,
    LINEMEDIAMODE_INTERACTIVEVOICE,
};
use ringback_tspi::functions::{Function, Shape};
use ringback_tspi::structs::LINECALLPARAMS;

use crate::log::{Data, Hex};
use crate::structures::{CANARY, owned, size};

/// What a function is called with where its row names a handle or a device.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Around {
    pub device: u32,
    pub version: u32,
    pub line: u64,
    pub call: u64,
    pub phone: u64,
    /// The media mode of calls that are made; 0 stands for speech.
    pub media: u32,
}

impl Around {
    fn media(&self) -> u32 {
        if self.media == 0 { LINEMEDIAMODE_INTERACTIVEVOICE } else { self.media }
    }
}

/// Arguments by name.
pub(super) fn with<const N: usize>(pairs: [(&str, Data); N]) -> BTreeMap<String, Data> {
    pairs.into_iter().map(|(name, data)| (name.to_owned(), data)).collect()
}

pub(super) fn handle(of: &str, value: u64) -> Data {
    Data::Handle { of: of.to_owned(), value }
}

/// A structure to be filled, as TAPI hands it over: cleared, its size set, its own members filled.
pub(super) fn filled(kind: &str, room: usize) -> Data {
    let mut bytes = vec![0; size(kind).max(4) + room];
    let total = bytes.len() as u32;
    bytes[..4].copy_from_slice(&total.to_le_bytes());
    for offset in owned(kind) {
        bytes[offset..offset + 4].copy_from_slice(&CANARY.to_le_bytes());
    }
    Data::Bytes(Hex(bytes))
}

/// A structure that is handed in, with nothing in it but its size and, of LINECALLPARAMS, what a
/// plain call of this media mode has.
fn given(kind: &str, media: u32) -> Data {
    let mut bytes = vec![0; size(kind).max(4)];
    let mut set = |offset: usize, number: u32| {
        bytes[offset..offset + 4].copy_from_slice(&number.to_le_bytes());
    };
    if !kind.contains("LINEDIALPARAMS") {
        set(0, size(kind) as u32);
    }
    if kind.contains("LINECALLPARAMS") {
        set(LINECALLPARAMS::dwBearerMode.offset(), LINEBEARERMODE_VOICE);
        set(LINECALLPARAMS::dwMediaMode.offset(), media);
        set(LINECALLPARAMS::dwAddressMode.offset(), LINEADDRESSMODE_ADDRESSID);
    }
    Data::Bytes(Hex(bytes))
}

/// A number by the name of its parameter.
fn number(name: &str, media: u32) -> u32 {
    match name {
        "digit_mode" | "digit_modes" => LINEDIGITMODE_DTMF,
        "media_mode" | "media_modes" => media,
        "address_mode" => LINEADDRESSMODE_ADDRESSID,
        "bearer_mode" => LINEBEARERMODE_VOICE,
        "select" => LINECALLSELECT_CALL,
        // LINEPARKMODE_NONDIRECTED, which gives an address back.
        "park_mode" => 2,
        // LINECALLCOMPLMODE_CAMPON, LINETRANSFERMODE_TRANSFER, PHONEHOOKSWITCHDEV_HANDSET,
        // PHONEHOOKSWITCHMODE_ONHOOK
        "completion_mode" | "transfer_mode" | "hook_switch_dev" | "hook_switch_devs"
        | "hook_switch_mode" => 1,
        // PHONELAMPMODE_OFF, and a frequency and a time
        "lamp_mode" => 2,
        "first_digit_timeout" | "inter_digit_timeout" => 300,
        "end_to_end_id" => 0x600D,
        "num_parties" => 3,
        _ => 0,
    }
}

/// Arguments of a function; the request's id and TAPI's handles of something new are added by the
/// caller.
pub(super) fn plausible(
    function: &Function,
    around: &Around,
    room: usize,
) -> BTreeMap<String, Data> {
    let mut arguments = BTreeMap::new();
    for parameter in function.parameters {
        let kind = parameter.c[0].kind;
        let data = match parameter.shape {
            Shape::DeviceId => Data::Number(around.device),
            Shape::Version => Data::Version(around.version),
            Shape::Number if parameter.name == "low" => Data::Number(0x0001_0003),
            Shape::Number if parameter.name == "high" => Data::Number(0x0003_0001),
            Shape::Number => Data::Number(number(parameter.name, around.media())),
            Shape::Word => Data::Word(0),
            Shape::Handle | Shape::HandleOrNull => {
                let value = match kind {
                    "HDRVLINE" => around.line,
                    "HDRVPHONE" => around.phone,
                    "HDRVCALL" => around.call,
                    _ => 0,
                };
                handle(kind, value)
            }
            Shape::Text | Shape::TextOrNull | Shape::SizedText => {
                Data::Text(match parameter.name {
                    "device_class" => "tapi/line".to_owned(),
                    "digits" | "termination_digits" => "12".to_owned(),
                    _ => "5550100".to_owned(),
                })
            }
            Shape::Bytes => Data::Bytes(Hex(b"conform".to_vec())),
            Shape::Block => Data::Bytes(Hex(vec![0; 64])),
            Shape::Given | Shape::GivenOrNull => given(kind, around.media()),
            Shape::Filled => filled(kind, room),
            Shape::Late if kind == "LPDWORD" => Data::Late(4),
            Shape::Late => Data::Late(64),
            Shape::List if function.name == "TSPI_lineMonitorTones" => tone(),
            _ => continue,
        };
        arguments.insert(parameter.name.to_owned(), data);
    }
    arguments
}

/// A list of one tone to be monitored: silence of half a second, without frequencies.
fn tone() -> Data {
    // dwAppSpecific, dwDuration, dwFrequency1 to 3
    let members = [7_u32, 500, 0, 0, 0];
    Data::Bytes(Hex(members.into_iter().flat_map(u32::to_le_bytes).collect()))
}
