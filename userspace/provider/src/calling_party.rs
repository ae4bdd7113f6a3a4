//! Who calls a telephone, by the parameters of the call.
//!
//! TSPI has one member for it, dwCallingPartyID, and a flag that blocks it. The text is a number, a
//! name, or both as `Ada <5551234>`.

use ringback_lines::{Caller, Party};
use ringback_tspi::constants::LINECALLPARAMFLAGS_BLOCKID;
use ringback_tspi::structs::CallParams;

/// The caller that a telephone is to show.
pub(super) fn calling_party(params: &CallParams) -> Caller {
    if params.flags & LINECALLPARAMFLAGS_BLOCKID != 0 {
        return Caller { number: Party::Withheld, name: Party::Withheld, time: None };
    }
    let text = params.calling_party_id.as_deref().unwrap_or_default().trim();
    let (name, number) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
        Some((name, number)) => (name, number),
        None if text.chars().all(is_dialable) => ("", text),
        None => (text, ""),
    };
    Caller { number: Party::reported(number), name: Party::reported(name), time: None }
}

fn is_dialable(letter: char) -> bool {
    letter.is_ascii_digit() || " +-()*#".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_a_number_a_name_or_both() {
        let known = |text: &str| Party::Known(text.to_owned());
        for (text, number, name) in [
            ("5551234", known("5551234"), Party::Unknown),
            ("+49 (30) 1234-5", known("+49 (30) 1234-5"), Party::Unknown),
            ("Ada", Party::Unknown, known("Ada")),
            ("Ada 2", Party::Unknown, known("Ada 2")),
            ("Ada <5551234>", known("5551234"), known("Ada")),
            ("<5551234>", known("5551234"), Party::Unknown),
            ("A\u{7}da <", Party::Unknown, known("Ada <")),
            ("", Party::Unknown, Party::Unknown),
        ] {
            let asked =
                CallParams { calling_party_id: Some(text.to_owned()), ..CallParams::default() };
            let caller = Caller { number, name, time: None };
            assert_eq!(calling_party(&asked), caller, "{text:?}");
            let blocked = CallParams { flags: LINECALLPARAMFLAGS_BLOCKID, ..asked };
            assert_eq!(calling_party(&blocked).number, Party::Withheld);
        }
        assert_eq!(calling_party(&CallParams::default()), Caller::default());
    }
}
