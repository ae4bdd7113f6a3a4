//! Fills the structures of TAPI with capabilities and status of phones.

use ringback_lines::{PhoneReport, TelephoneOptions};
use ringback_tspi::constants::*;
use ringback_tspi::dev_specific::DevSpecific;
use ringback_tspi::error::{LineError, PhoneError};
use ringback_tspi::structs::layout::Returned;
use ringback_tspi::structs::{PHONEBUTTONINFO, PHONECAPS, PHONESTATUS, VARSTRING, Writer};
use ringback_tspi::types::Version;

use super::device_class::classes;
use super::fill::{PROVIDER_INFO, line_name};

/// The number of buttons, which is that of buttons and lamps: the digits, `*`, `#` and the flash.
pub(super) const BUTTONS: u32 = 13;
/// The hook switch, pressed for a moment.
const FLASH: u32 = 12;
/// The only lamp: messages wait.
pub(super) const MESSAGE_LAMP: u32 = 0;
/// The modes of the message lamp.
pub(super) const LAMP_MODES: [u32; 3] =
    [PHONELAMPMODE_OFF, PHONELAMPMODE_STEADY, PHONELAMPMODE_FLASH];
/// The number of ring modes: the cadence of the country, and others.
pub(super) const RING_MODES: u32 = TelephoneOptions::RING_MODES;
/// A bell has one volume.
pub(super) const RING_VOLUME: u32 = 0xFFFF;

/// What PHONE_STATE reports.
const STATES: u32 = PHONESTATE_DISCONNECTED
    | PHONESTATE_LAMP
    | PHONESTATE_RINGMODE
    | PHONESTATE_HANDSETHOOKSWITCH
    | PHONESTATE_HANDSETVOLUME
    | PHONESTATE_HANDSETGAIN;
const HOOK_MODES: u32 = PHONEHOOKSWITCHMODE_ONHOOK | PHONEHOOKSWITCHMODE_MICSPEAKER;
/// What can be done at any time.
const READ: u32 = PHONEFEATURE_GETBUTTONINFO
    | PHONEFEATURE_GETGAINHANDSET
    | PHONEFEATURE_GETHOOKSWITCHHANDSET
    | PHONEFEATURE_GETLAMP
    | PHONEFEATURE_GETRING
    | PHONEFEATURE_GETVOLUMEHANDSET;
const WRITE: u32 =
    PHONEFEATURE_SETGAINHANDSET | PHONEFEATURE_SETLAMP | PHONEFEATURE_SETVOLUMEHANDSET;

/// A writer of a structure of phones.
fn writer<S: Returned>(memory: &mut [u8], version: Version) -> Result<Writer<'_, S>, PhoneError> {
    Writer::new(memory, version).map_err(|error| match error {
        LineError::STRUCTURETOOSMALL => PhoneError::STRUCTURETOOSMALL,
        _ => PhoneError::OPERATIONFAILED,
    })
}

/// A list of words, one for each button or lamp.
fn words(word: impl Fn(u32) -> u32) -> Vec<u8> {
    (0..BUTTONS).flat_map(|id| word(id).to_le_bytes()).collect()
}

/// The function of a button or lamp.
fn function(id: u32) -> u32 {
    match id {
        MESSAGE_LAMP => PHONEBUTTONFUNCTION_MSGINDICATOR,
        FLASH => PHONEBUTTONFUNCTION_FLASH,
        _ => PHONEBUTTONFUNCTION_NONE,
    }
}

/// The mode of a button.
fn button_mode(id: u32) -> u32 {
    if id == FLASH { PHONEBUTTONMODE_FEATURE } else { PHONEBUTTONMODE_KEYPAD }
}

/// A phone's name, to be shown.
pub(super) fn phone_name(device: &str, info: &DevSpecific) -> String {
    format!("{} as a phone", line_name(device, info))
}

/// Fills PHONECAPS.
pub(super) fn phone_caps(
    memory: &mut [u8],
    version: Version,
    device: &str,
    provider_id: u32,
    info: &DevSpecific,
) -> Result<(), PhoneError> {
    type C = PHONECAPS;
    let mut caps = writer::<C>(memory, version)?;
    let lamp = LAMP_MODES.into_iter().fold(0, |modes, mode| modes | mode);
    let lamps = |id| if id == MESSAGE_LAMP { lamp } else { PHONELAMPMODE_DUMMY };
    caps.set(C::dwPermanentPhoneID, provider_id << 16 | u32::from(info.slot.0))
        .set(C::dwStringFormat, STRINGFORMAT_UNICODE)
        .set(C::dwPhoneStates, STATES)
        .set(C::dwHookSwitchDevs, PHONEHOOKSWITCHDEV_HANDSET)
        .set(C::dwHandsetHookSwitchModes, HOOK_MODES)
        .set(C::dwMonitoredHandsetHookSwitchModes, HOOK_MODES)
        .set(C::dwVolumeFlags, PHONEHOOKSWITCHDEV_HANDSET)
        .set(C::dwGainFlags, PHONEHOOKSWITCHDEV_HANDSET)
        .set(C::dwNumRingModes, RING_MODES)
        .set(C::dwNumButtonLamps, BUTTONS)
        .set(C::dwPhoneFeatures, READ | WRITE | PHONEFEATURE_SETRING);
    caps.string(C::dwPhoneName, &phone_name(device, info))
        .string(C::dwProviderInfo, PROVIDER_INFO)
        .string(C::dwPhoneInfo, "analog telephone")
        .item(C::dwButtonModes, &words(button_mode))
        .item(C::dwButtonFunctions, &words(function))
        .item(C::dwLampModes, &words(lamps))
        .strings(C::dwDeviceClasses, classes(info.kind))
        .item(C::dwDevSpecific, &info.bytes());
    Ok(())
}

/// Fills PHONESTATUS.
pub(super) fn phone_status(
    memory: &mut [u8],
    version: Version,
    phone: &PhoneReport,
) -> Result<(), PhoneError> {
    type S = PHONESTATUS;
    let mut status = writer::<S>(memory, version)?;
    let lamps = |id| if id == MESSAGE_LAMP { phone.lamp } else { PHONELAMPMODE_DUMMY };
    let ring = if phone.can_ring { PHONEFEATURE_SETRING } else { 0 };
    let hook =
        if phone.off_hook { PHONEHOOKSWITCHMODE_MICSPEAKER } else { PHONEHOOKSWITCHMODE_ONHOOK };
    status
        .set(S::dwStatusFlags, if phone.connected { PHONESTATUSFLAGS_CONNECTED } else { 0 })
        .set(S::dwRingMode, phone.ring_mode)
        .set(S::dwRingVolume, RING_VOLUME)
        .set(S::dwHandsetHookSwitchMode, hook)
        .set(S::dwHandsetVolume, phone.volume)
        .set(S::dwHandsetGain, phone.gain)
        .set(S::dwPhoneFeatures, READ | WRITE | ring);
    status.item(S::dwLampModes, &words(lamps));
    Ok(())
}

/// Fills PHONEBUTTONINFO of a button, which exists.
pub(super) fn button_info(memory: &mut [u8], version: Version, id: u32) -> Result<(), PhoneError> {
    type B = PHONEBUTTONINFO;
    let text = match id {
        10 => "*".to_owned(),
        11 => "#".to_owned(),
        FLASH => "flash".to_owned(),
        digit => digit.to_string(),
    };
    let mut info = writer::<B>(memory, version)?;
    info.set(B::dwButtonMode, button_mode(id))
        .set(B::dwButtonFunction, function(id))
        // Only while a key is held down are its tones heard, and only if they are listened for. A
        // flash is known when it is over.
        .set(B::dwButtonState, PHONEBUTTONSTATE_UNKNOWN);
    info.string(B::dwButtonText, &text);
    Ok(())
}

/// Fills a VARSTRING with the id of a device.
pub(super) fn device_id(memory: &mut [u8], version: Version, id: u32) -> Result<(), PhoneError> {
    let mut out = writer::<VARSTRING>(memory, version)?;
    out.set(VARSTRING::dwStringFormat, STRINGFORMAT_BINARY)
        .item(VARSTRING::dwString, &id.to_le_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringback_driver::PortNumber;
    use ringback_tspi::dev_specific::LineKind;
    use ringback_tspi::structs::{Reader, blank};

    #[test]
    fn capabilities_and_status_describe_a_plain_telephone() {
        type C = PHONECAPS;
        let info = DevSpecific { slot: PortNumber(1), kind: LineKind::Fxs };
        let mut memory = blank::<C>(1024);
        phone_caps(&mut memory, Version::V3_1, "soft", 3, &info).unwrap();
        let caps = Reader::<C>::new(&memory, Version::V3_1).unwrap();
        assert_eq!(caps.get(C::dwPermanentPhoneID), 3 << 16 | 1);
        assert!(caps.string(C::dwPhoneName).unwrap().contains("slot 1"));
        for item in [C::dwButtonModes, C::dwButtonFunctions, C::dwLampModes] {
            assert_eq!(caps.item(item).len(), 4 * BUTTONS as usize);
        }
        assert_eq!(
            caps.get(C::dwSettableHandsetHookSwitchModes),
            0,
            "nobody can lift it but people"
        );
        type S = PHONESTATUS;
        let report = |off_hook| PhoneReport {
            connected: true,
            off_hook,
            ring_mode: 0,
            can_ring: !off_hook,
            lamp: PHONELAMPMODE_FLASH,
            volume: 7,
            gain: 9,
        };
        for off_hook in [false, true] {
            let mut memory = blank::<S>(256);
            phone_status(&mut memory, Version::V2_0, &report(off_hook)).unwrap();
            let status = Reader::<S>::new(&memory, Version::V2_0).unwrap();
            let hook = status.get(S::dwHandsetHookSwitchMode);
            assert_eq!(hook == PHONEHOOKSWITCHMODE_MICSPEAKER, off_hook);
            assert_eq!((status.get(S::dwHandsetVolume), status.get(S::dwHandsetGain)), (7, 9));
            let features = status.get(S::dwPhoneFeatures);
            assert_eq!(features & PHONEFEATURE_SETRING != 0, !off_hook, "offered and accepted");
            assert_eq!(status.item(S::dwLampModes)[..4], PHONELAMPMODE_FLASH.to_le_bytes());
        }
        let small = phone_status(&mut [8, 0, 0, 0, 0, 0, 0, 0], Version::V2_0, &report(true));
        assert_eq!(small, Err(PhoneError::STRUCTURETOOSMALL));
    }
}
