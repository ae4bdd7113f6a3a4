//! The contents of a provider's structures about phones as plain Rust values.

use ringback_tspi::constants::PHONESTATUSFLAGS_CONNECTED;
use ringback_tspi::error::PhoneError;
use ringback_tspi::structs::layout::Structure;
use ringback_tspi::structs::{PHONECAPS, PHONESTATUS, Reader};
use ringback_tspi::types::Version;

use super::info;

pub(super) fn reader<S: Structure>(
    bytes: &[u8],
    version: Version,
) -> Result<Reader<'_, S>, PhoneError> {
    info::reader(bytes, version).map_err(|_| PhoneError::OPERATIONFAILED)
}

/// A phone that a provider has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneInfo {
    /// The device id by which it is opened; lines have device ids of their own.
    pub device_id: u32,
    /// Its name for people.
    pub name: String,
    /// The version that was negotiated for it.
    pub version: Version,
}

/// What a phone can do (PHONECAPS).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneCaps {
    /// Its name for people.
    pub name: String,
    /// Text about the provider (dwProviderInfo).
    pub provider: String,
    /// PHONESTATE_ bits of what [`PhoneEvent::State`](super::PhoneEvent::State) reports.
    pub states: u32,
    /// PHONEHOOKSWITCHDEV_ bits of the hook switches it has.
    pub hook_switches: u32,
    /// PHONEHOOKSWITCHDEV_ bits of the hook switches whose volume can be set.
    pub volumes: u32,
    /// PHONEHOOKSWITCHDEV_ bits of the hook switches whose gain can be set.
    pub gains: u32,
    /// The number of its ring modes.
    pub ring_modes: u32,
    /// How many buttons and lamps it has.
    pub button_lamps: u32,
    /// Rows and columns of its display; 0 without one.
    pub display: (u32, u32),
    /// PHONEFEATURE_ bits.
    pub features: u32,
}

impl PhoneCaps {
    pub(super) fn read(bytes: &[u8], version: Version) -> Result<PhoneCaps, PhoneError> {
        type C = PHONECAPS;
        let caps = reader::<C>(bytes, version)?;
        Ok(PhoneCaps {
            name: caps.string(C::dwPhoneName).unwrap_or_default(),
            provider: caps.string(C::dwProviderInfo).unwrap_or_default(),
            states: caps.get(C::dwPhoneStates),
            hook_switches: caps.get(C::dwHookSwitchDevs),
            volumes: caps.get(C::dwVolumeFlags),
            gains: caps.get(C::dwGainFlags),
            ring_modes: caps.get(C::dwNumRingModes),
            button_lamps: caps.get(C::dwNumButtonLamps),
            display: (caps.get(C::dwDisplayNumRows), caps.get(C::dwDisplayNumColumns)),
            features: caps.get(C::dwPhoneFeatures),
        })
    }

    pub(super) fn info(self, device_id: u32, version: Version) -> PhoneInfo {
        PhoneInfo { device_id, name: self.name, version }
    }
}

/// How a hook switch of a phone is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HookSwitch {
    /// One PHONEHOOKSWITCHMODE_.
    pub mode: u32,
    /// The volume of its speaker, 0 to 0xFFFF.
    pub volume: u32,
    /// The gain of its microphone, 0 to 0xFFFF.
    pub gain: u32,
}

/// How a phone is now (PHONESTATUS).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhoneStatus {
    /// It is connected to the provider.
    pub connected: bool,
    /// The mode in which it rings; 0 while it does not ring.
    pub ring_mode: u32,
    /// The volume of its ringing, 0 to 0xFFFF.
    pub ring_volume: u32,
    /// Its handset.
    pub handset: HookSwitch,
    /// Its speaker.
    pub speaker: HookSwitch,
    /// Its headset.
    pub headset: HookSwitch,
    /// PHONEFEATURE_ bits of what is possible now.
    pub features: u32,
}

impl PhoneStatus {
    pub(super) fn read(bytes: &[u8], version: Version) -> Result<PhoneStatus, PhoneError> {
        type S = PHONESTATUS;
        let status = reader::<S>(bytes, version)?;
        Ok(PhoneStatus {
            connected: status.get(S::dwStatusFlags) & PHONESTATUSFLAGS_CONNECTED != 0,
            ring_mode: status.get(S::dwRingMode),
            ring_volume: status.get(S::dwRingVolume),
            handset: HookSwitch {
                mode: status.get(S::dwHandsetHookSwitchMode),
                volume: status.get(S::dwHandsetVolume),
                gain: status.get(S::dwHandsetGain),
            },
            speaker: HookSwitch {
                mode: status.get(S::dwSpeakerHookSwitchMode),
                volume: status.get(S::dwSpeakerVolume),
                gain: status.get(S::dwSpeakerGain),
            },
            headset: HookSwitch {
                mode: status.get(S::dwHeadsetHookSwitchMode),
                volume: status.get(S::dwHeadsetVolume),
                gain: status.get(S::dwHeadsetGain),
            },
            features: status.get(S::dwPhoneFeatures),
        })
    }
}
