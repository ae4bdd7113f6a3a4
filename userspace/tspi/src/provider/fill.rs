//! What the lines are and how they are, written into the structures of TAPI.

use ringback_driver::card::ModuleKind;

use super::checks::{MEDIA, MODIFIERS, RATE, dial_params};
use crate::callstate::{CallState, CallStates, features};
use crate::constants::*;
use crate::error::LineError;
use crate::line::{CallSnapshot, DialTiming, PortInfo, PortState};
use crate::structs::{
    Guid, LINEADDRESSCAPS, LINECALLINFO, LINECALLSTATUS, LINEDEVCAPS, LINEDEVSTATUS, Writer,
};
use crate::types::Version;

/// The call states of a line.
fn call_states(kind: ModuleKind) -> CallStates {
    use CallState::{
        Busy, Connected, DialTone, Dialing, Disconnected, Idle, Offering, Proceeding, Ringback,
        SpecialInfo,
    };
    match kind {
        ModuleKind::Fxo => CallStates::of(&[
            Idle,
            Offering,
            DialTone,
            Dialing,
            Ringback,
            Busy,
            SpecialInfo,
            Connected,
            Proceeding,
            Disconnected,
        ]),
        ModuleKind::Fxs => {
            CallStates::of(&[Idle, Offering, Ringback, Busy, Connected, Disconnected])
        }
    }
}

/// What can be done with a call of a line at all.
fn call_features(kind: ModuleKind) -> u32 {
    let common = LINECALLFEATURE_ANSWER
        | LINECALLFEATURE_DROP
        | LINECALLFEATURE_GENERATEDIGITS
        | LINECALLFEATURE_MONITORDIGITS;
    match kind {
        ModuleKind::Fxo => common | LINECALLFEATURE_DIAL,
        ModuleKind::Fxs => common,
    }
}

/// What can be done with a call in this state.
fn features_in(kind: ModuleKind, state: Option<CallState>) -> u32 {
    // Before its first state a call can only be given up.
    let Some(state) = state else { return LINECALLFEATURE_DROP };
    let loop_is_open = match state {
        // Nothing is heard before the answer.
        CallState::Offering => LINECALLFEATURE_GENERATEDIGITS | LINECALLFEATURE_DIAL,
        _ => 0,
    };
    features::legal(state) & call_features(kind) & !loop_is_open
}

/// A line's name for people.
pub(super) fn line_name(device: &str, info: &PortInfo) -> String {
    let kind = match info.kind {
        ModuleKind::Fxo => "exchange line",
        ModuleKind::Fxs => "telephone",
    };
    format!("{device} slot {} ({} {kind})", info.port, kind_name(info.kind))
}

fn kind_name(kind: ModuleKind) -> &'static str {
    match kind {
        ModuleKind::Fxo => "FXO",
        ModuleKind::Fxs => "FXS",
    }
}

/// Fills LINEDEVCAPS.
pub(super) fn dev_caps(
    memory: &mut [u8],
    version: Version,
    device: &str,
    info: &PortInfo,
) -> Result<(), LineError> {
    type C = LINEDEVCAPS;
    let mut caps = Writer::<C>::new(memory, version)?;
    let dial = match info.kind {
        ModuleKind::Fxo => MODIFIERS.dev_cap_flags(),
        ModuleKind::Fxs => 0,
    };
    let slot = u32::try_from(info.port).unwrap_or(u32::MAX);
    caps.set(C::dwPermanentLineID, slot)
        .set(C::dwStringFormat, STRINGFORMAT_UNICODE)
        .set(C::dwAddressModes, LINEADDRESSMODE_ADDRESSID)
        .set(C::dwNumAddresses, 1)
        .set(C::dwBearerModes, LINEBEARERMODE_VOICE)
        .set(C::dwMaxRate, RATE)
        .set(C::dwMediaModes, MEDIA)
        .set(C::dwGenerateDigitModes, LINEDIGITMODE_DTMF)
        .set(C::dwMonitorDigitModes, LINEDIGITMODE_DTMF | LINEDIGITMODE_DTMFEND)
        .set(C::dwDevCapFlags, LINEDEVCAPFLAGS_CLOSEDROP | dial)
        .set(C::dwMaxNumActiveCalls, 1)
        .set(C::dwAnswerMode, LINEANSWERMODE_NONE)
        .set(C::dwRingModes, 1)
        .set(C::MinDialParams, dial_params(&DialTiming::MIN))
        .set(C::MaxDialParams, dial_params(&DialTiming::MAX))
        .set(C::DefaultDialParams, dial_params(&DialTiming::default()))
        .set(C::dwLineFeatures, LINEFEATURE_MAKECALL)
        .set(C::dwAddressTypes, LINEADDRESSTYPE_PHONENUMBER)
        .set(C::ProtocolGuid, Guid::PROTOCOL_PSTN);
    caps.string(C::dwLineName, &line_name(device, info))
        .string(C::dwProviderInfo, concat!("Ringback ", env!("CARGO_PKG_VERSION")))
        .string(C::dwSwitchInfo, "analog line")
        .item(C::dwDevSpecific, &DevSpecific::of(info).bytes());
    Ok(())
}

/// Fills LINEADDRESSCAPS.
pub(super) fn address_caps(
    memory: &mut [u8],
    version: Version,
    device_id: u32,
    info: &PortInfo,
) -> Result<(), LineError> {
    type C = LINEADDRESSCAPS;
    let fxo = info.kind == ModuleKind::Fxo;
    let for_fxo = |bits| if fxo { bits } else { 0 };
    let mut caps = Writer::<C>::new(memory, version)?;
    caps.set(C::dwLineDeviceID, device_id)
        .set(C::dwAddressSharing, LINEADDRESSSHARING_PRIVATE)
        .set(C::dwCallerIDFlags, LINECALLPARTYID_UNAVAIL)
        .set(C::dwCalledIDFlags, LINECALLPARTYID_ADDRESS | LINECALLPARTYID_UNAVAIL)
        .set(C::dwConnectedIDFlags, LINECALLPARTYID_UNAVAIL)
        .set(C::dwRedirectionIDFlags, LINECALLPARTYID_UNAVAIL)
        .set(C::dwRedirectingIDFlags, LINECALLPARTYID_UNAVAIL)
        .set(C::dwCallStates, call_states(info.kind).bits())
        .set(C::dwDialToneModes, for_fxo(LINEDIALTONEMODE_NORMAL | LINEDIALTONEMODE_UNAVAIL))
        .set(C::dwBusyModes, LINEBUSYMODE_STATION)
        .set(C::dwSpecialInfo, for_fxo(LINESPECIALINFO_REORDER))
        .set(
            C::dwDisconnectModes,
            LINEDISCONNECTMODE_NORMAL
                | LINEDISCONNECTMODE_NOANSWER
                | LINEDISCONNECTMODE_OUTOFORDER
                | for_fxo(LINEDISCONNECTMODE_NODIALTONE | LINEDISCONNECTMODE_UNAVAIL),
        )
        .set(C::dwMaxNumActiveCalls, 1)
        .set(C::dwAddrCapFlags, for_fxo(LINEADDRCAPFLAGS_DIALED | LINEADDRCAPFLAGS_PARTIALDIAL))
        .set(C::dwCallFeatures, call_features(info.kind))
        .set(C::dwAddressFeatures, LINEADDRFEATURE_MAKECALL)
        .set(C::dwConnectedModes, LINECONNECTEDMODE_ACTIVE | LINECONNECTEDMODE_CONFIRMED)
        .set(C::dwOfferingModes, LINEOFFERINGMODE_ACTIVE)
        .set(C::dwAvailableMediaModes, MEDIA);
    Ok(())
}

/// Fills LINEDEVSTATUS. A call that is still being made is not counted (N4).
pub(super) fn line_dev_status(
    memory: &mut [u8],
    version: Version,
    state: &PortState,
) -> Result<(), LineError> {
    type S = LINEDEVSTATUS;
    let active = state.call.is_some_and(|call| call.is_some());
    let free = state.call.is_none() && state.in_service;
    let service = if state.in_service {
        LINEDEVSTATUSFLAGS_CONNECTED | LINEDEVSTATUSFLAGS_INSERVICE
    } else {
        0
    };
    Writer::<S>::new(memory, version)?
        .set(S::dwNumActiveCalls, u32::from(active))
        .set(S::dwLineFeatures, if free { LINEFEATURE_MAKECALL } else { 0 })
        .set(S::dwDevStatusFlags, service)
        .set(S::dwAvailableMediaModes, if free { MEDIA } else { 0 });
    Ok(())
}

/// Fills LINECALLINFO.
pub(super) fn call_info(
    memory: &mut [u8],
    version: Version,
    device_id: u32,
    kind: ModuleKind,
    call: &CallSnapshot,
) -> Result<(), LineError> {
    type I = LINECALLINFO;
    let info = &call.info;
    let called =
        if info.called.is_empty() { LINECALLPARTYID_UNAVAIL } else { LINECALLPARTYID_ADDRESS };
    let mut out = Writer::<I>::new(memory, version)?;
    out.set(I::dwLineDeviceID, device_id)
        .set(I::dwBearerMode, LINEBEARERMODE_VOICE)
        .set(I::dwRate, RATE)
        .set(I::dwMediaMode, info.media)
        .set(I::dwCallID, info.call_id)
        .set(I::dwCallStates, call_states(kind).bits())
        .set(I::dwOrigin, info.origin)
        .set(I::dwReason, info.reason)
        .set(I::dwTrunk, UNKNOWN_TRUNK)
        .set(I::dwCallerIDFlags, LINECALLPARTYID_UNAVAIL)
        .set(I::dwCalledIDFlags, called)
        .set(I::dwConnectedIDFlags, LINECALLPARTYID_UNAVAIL)
        .set(I::dwRedirectionIDFlags, LINECALLPARTYID_UNAVAIL)
        .set(I::dwRedirectingIDFlags, LINECALLPARTYID_UNAVAIL)
        .set(I::dwCalledIDAddressType, LINEADDRESSTYPE_PHONENUMBER);
    out.string(I::dwCalledID, &info.called);
    Ok(())
}

/// dwTrunk of a call whose trunk is not known.
const UNKNOWN_TRUNK: u32 = u32::MAX;

/// Fills LINECALLSTATUS.
pub(super) fn call_status(
    memory: &mut [u8],
    version: Version,
    kind: ModuleKind,
    call: &CallSnapshot,
) -> Result<(), LineError> {
    type S = LINECALLSTATUS;
    Writer::<S>::new(memory, version)?
        .set(S::dwCallState, call.state.unwrap_or(CallState::Unknown).bit())
        .set(S::dwCallStateMode, call.mode)
        .set(S::dwCallFeatures, features_in(kind, call.state));
    Ok(())
}

/// The dwDevSpecific of a Ringback line's LINEDEVCAPS: which slot of the card it is, and what is in
/// it. 12 bytes: a mark, the slot, 1 for FXO or 2 for FXS, each a little-endian word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DevSpecific {
    /// The slot on the card, counted from 0.
    pub slot: u32,
    /// What is in it.
    pub kind: ModuleKind,
}

impl DevSpecific {
    const MARK: [u8; 4] = *b"RNGB";

    fn of(info: &PortInfo) -> DevSpecific {
        DevSpecific { slot: u32::try_from(info.port).unwrap_or(u32::MAX), kind: info.kind }
    }

    /// The bytes.
    pub fn bytes(&self) -> [u8; 12] {
        let kind: u32 = match self.kind {
            ModuleKind::Fxo => 1,
            ModuleKind::Fxs => 2,
        };
        let mut bytes = [0; 12];
        let words = [Self::MARK, self.slot.to_le_bytes(), kind.to_le_bytes()];
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word);
        }
        bytes
    }

    /// Reads the bytes back; `None` if they are another provider's.
    pub fn read(bytes: &[u8]) -> Option<DevSpecific> {
        let word = |at: usize| bytes.get(at..)?.first_chunk::<4>().copied();
        if word(0)? != Self::MARK {
            return None;
        }
        let kind = match u32::from_le_bytes(word(8)?) {
            1 => ModuleKind::Fxo,
            2 => ModuleKind::Fxs,
            _ => return None,
        };
        Some(DevSpecific { slot: u32::from_le_bytes(word(4)?), kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::CallInfo;
    use crate::structs::{Reader, blank};
    use crate::types::HDRVCALL;

    #[test]
    fn dev_specific_reads_back() {
        let own = DevSpecific { slot: 3, kind: ModuleKind::Fxs };
        assert_eq!(DevSpecific::read(&own.bytes()), Some(own));
        assert_eq!(DevSpecific::read(&own.bytes()[..11]), None);
        assert_eq!(DevSpecific::read(b"somebody else's"), None);
    }

    #[test]
    fn capabilities_say_what_a_line_can_do() {
        type C = LINEDEVCAPS;
        for kind in [ModuleKind::Fxo, ModuleKind::Fxs] {
            let info = PortInfo { port: 2, kind };
            let mut memory = blank::<C>(1024);
            dev_caps(&mut memory, Version::V3_1, "soft", &info).unwrap();
            let caps = Reader::<C>::new(&memory, Version::V3_1).unwrap();
            assert_eq!(DevSpecific::read(caps.item(C::dwDevSpecific)).unwrap().kind, kind);
            let flags = caps.get(C::dwDevCapFlags);
            assert_ne!(flags & LINEDEVCAPFLAGS_CLOSEDROP, 0, "D3: lineClose drops");
            assert_eq!(flags & LINEDEVCAPFLAGS_DIALDIALTONE != 0, kind == ModuleKind::Fxo, "R7");
            let name = caps.string(C::dwLineName).unwrap();
            assert!(name.contains("slot 2") && name.contains(kind_name(kind)), "{name}");
        }
    }

    #[test]
    fn too_small_a_structure_is_refused_and_an_older_one_is_filled_as_far_as_it_goes() {
        let info = PortInfo { port: 0, kind: ModuleKind::Fxo };
        let mut memory = [0; 8];
        memory[0] = 8;
        let refused = address_caps(&mut memory, Version::V3_1, 1, &info);
        assert_eq!(refused, Err(LineError::STRUCTURETOOSMALL));
        let mut memory = vec![0xEE; 228 + 1];
        memory[..4].copy_from_slice(&228u32.to_le_bytes());
        address_caps(&mut memory, Version::V2_0, 1, &info).unwrap();
        assert_eq!(memory[228], 0xEE, "V1: not one byte behind dwTotalSize");
    }

    fn snapshot(state: Option<CallState>) -> CallSnapshot {
        CallSnapshot {
            call: HDRVCALL::new(0x101).unwrap(),
            line: 0,
            state,
            mode: 0,
            info: CallInfo {
                origin: LINECALLORIGIN_OUTBOUND,
                reason: LINECALLREASON_DIRECT,
                media: LINEMEDIAMODE_INTERACTIVEVOICE,
                called: "5551234".into(),
                call_id: 77,
            },
        }
    }

    #[test]
    fn features_follow_the_state() {
        type S = LINECALLSTATUS;
        let features = |kind, state| {
            let mut memory = blank::<S>(0);
            call_status(&mut memory, Version::V3_1, kind, &snapshot(state)).unwrap();
            Reader::<S>::new(&memory, Version::V3_1).unwrap().get(S::dwCallFeatures)
        };
        let offered = features(ModuleKind::Fxo, Some(CallState::Offering));
        assert_ne!(offered & LINECALLFEATURE_ANSWER, 0);
        assert_eq!(offered & (LINECALLFEATURE_DIAL | LINECALLFEATURE_GENERATEDIGITS), 0);
        assert_eq!(features(ModuleKind::Fxo, Some(CallState::Idle)), 0);
        assert_eq!(features(ModuleKind::Fxo, None), LINECALLFEATURE_DROP);
        let ended = features(ModuleKind::Fxo, Some(CallState::Disconnected));
        assert_eq!(ended, LINECALLFEATURE_DROP);
        let talking = features(ModuleKind::Fxs, Some(CallState::Connected));
        assert_eq!(talking & LINECALLFEATURE_DIAL, 0, "a telephone can't be dialled on");
        assert_ne!(talking & LINECALLFEATURE_GENERATEDIGITS, 0);
    }

    #[test]
    fn call_info_says_what_is_known() {
        type I = LINECALLINFO;
        let mut memory = blank::<I>(512);
        let call = snapshot(Some(CallState::Connected));
        call_info(&mut memory, Version::V3_1, 4, ModuleKind::Fxo, &call).unwrap();
        let info = Reader::<I>::new(&memory, Version::V3_1).unwrap();
        assert_eq!(info.string(I::dwCalledID).as_deref(), Some("5551234"));
        assert_eq!(info.get(I::dwCallID), 77);
        assert_eq!(info.get(I::dwLineDeviceID), 4);
        assert_eq!(info.get(I::dwCallerIDFlags), LINECALLPARTYID_UNAVAIL);
    }

    #[test]
    fn a_call_that_is_being_made_is_not_counted_n4() {
        type S = LINEDEVSTATUS;
        let count = |call| {
            let mut memory = blank::<S>(0);
            let state = PortState { open: true, call, in_service: true };
            line_dev_status(&mut memory, Version::V3_1, &state).unwrap();
            let status = Reader::<S>::new(&memory, Version::V3_1).unwrap();
            (status.get(S::dwNumActiveCalls), status.get(S::dwLineFeatures))
        };
        assert_eq!(count(None), (0, LINEFEATURE_MAKECALL));
        assert_eq!(count(Some(None)), (0, 0));
        assert_eq!(count(Some(Some(CallState::DialTone))), (1, 0));
    }
}
