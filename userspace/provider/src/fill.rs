//! Fills the structures of TAPI with capabilities and status of lines and calls.

use ringback_driver::Time;
use ringback_lines::{
    CallInfo, CallNotes, CallSnapshot, Caller, LineReport, MOST_CALL_BACKS, Party,
};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::dev_specific::{DevSpecific, LineKind};
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::error::LineError;
use ringback_tspi::structs::{
    Guid, LINEADDRESSCAPS, LINEADDRESSSTATUS, LINECALLINFO, LINECALLSTATUS, LINEDEVCAPS,
    LINEDEVSTATUS, SystemTime, Writer,
};
use ringback_tspi::types::Version;

use super::abilities::{Abilities, ExchangeAbilities, abilities};
use super::checks::dial_params;
use super::device_class::classes;
use super::sounds::{MOST_ENTRIES, MOST_FREQUENCIES, MOST_GENERATED, TIMEOUTS};

/// dwProviderInfo.
pub(super) const PROVIDER_INFO: &str = concat!("Ringback ", env!("CARGO_PKG_VERSION"));

/// A line's name, to be shown.
pub(super) fn line_name(device: &str, info: &DevSpecific) -> String {
    let name = abilities(info.kind).name;
    match info.kind {
        LineKind::Fxo | LineKind::Fxs => format!("{device} slot {} ({name})", info.slot),
        LineKind::Modem => format!("{device} ({name})"),
    }
}

/// Fills LINEDEVCAPS of a line from the abilities of its kind.
pub(super) fn dev_caps(
    memory: &mut [u8],
    version: Version,
    device: &str,
    provider_id: u32,
    info: &DevSpecific,
    exchange: &ExchangeAbilities,
) -> Result<(), LineError> {
    type C = LINEDEVCAPS;
    let mut caps = Writer::<C>::new(memory, version)?;
    let can = abilities(info.kind);
    let (generated, monitored) = can.digits;
    let tones = can.features & LINECALLFEATURE_GENERATETONE != 0;
    caps.set(C::dwPermanentLineID, provider_id << 16 | u32::from(info.slot.0))
        .set(C::dwStringFormat, STRINGFORMAT_UNICODE)
        .set(C::dwAddressModes, LINEADDRESSMODE_ADDRESSID)
        .set(C::dwNumAddresses, 1)
        .set(C::dwBearerModes, can.bearers)
        .set(C::dwMaxRate, can.rate)
        .set(C::dwMediaModes, can.media)
        .set(C::dwGenerateDigitModes, generated)
        .set(C::dwMonitorDigitModes, monitored)
        .set(C::dwGenerateToneModes, if tones { TONE_MODES } else { 0 })
        .set(C::dwGenerateToneMaxNumFreq, if tones { MOST_GENERATED } else { 0 })
        .set(C::dwMonitorToneMaxNumFreq, if tones { MOST_FREQUENCIES } else { 0 })
        .set(C::dwMonitorToneMaxNumEntries, if tones { MOST_ENTRIES } else { 0 })
        .set(C::dwGatherDigitsMinTimeout, if tones { *TIMEOUTS.start() } else { 0 })
        .set(C::dwGatherDigitsMaxTimeout, if tones { *TIMEOUTS.end() } else { 0 })
        .set(C::dwDevCapFlags, LINEDEVCAPFLAGS_CLOSEDROP | can.modifiers.dev_cap_flags())
        .set(C::dwMaxNumActiveCalls, 1)
        .set(C::dwAnswerMode, LINEANSWERMODE_NONE)
        .set(C::dwRingModes, can.ring_modes)
        .set(C::dwLineStates, can.line_states)
        .set(C::MinDialParams, dial_params(&DialTiming::MIN))
        .set(C::MaxDialParams, dial_params(&DialTiming::MAX))
        .set(C::DefaultDialParams, dial_params(&DialTiming::default()))
        .set(
            C::dwLineFeatures,
            LINEFEATURE_MAKECALL | LINEFEATURE_SETDEVSTATUS | exchange.line_features,
        )
        .set(C::dwSettableDevStatus, can.settable_status)
        .set(C::dwAddressTypes, LINEADDRESSTYPE_PHONENUMBER)
        .set(C::ProtocolGuid, Guid::PROTOCOL_PSTN);
    caps.string(C::dwLineName, &line_name(device, info))
        .string(C::dwProviderInfo, PROVIDER_INFO)
        .string(C::dwSwitchInfo, "analog line")
        .strings(C::dwDeviceClasses, classes(info.kind))
        .item(C::dwDevSpecific, &info.bytes());
    Ok(())
}

/// Fills LINEADDRESSCAPS of a line's only address.
pub(super) fn address_caps(
    memory: &mut [u8],
    version: Version,
    device_id: u32,
    info: &DevSpecific,
    exchange: &ExchangeAbilities,
) -> Result<(), LineError> {
    type C = LINEADDRESSCAPS;
    let can = abilities(info.kind);
    let mut caps = Writer::<C>::new(memory, version)?;
    caps.set(C::dwLineDeviceID, device_id)
        .set(C::dwAddressSharing, LINEADDRESSSHARING_PRIVATE)
        .set(C::dwCallerIDFlags, can.caller_id | exchange.caller_id)
        .set(C::dwCalledIDFlags, LINECALLPARTYID_ADDRESS | LINECALLPARTYID_UNAVAIL)
        .set(C::dwConnectedIDFlags, LINECALLPARTYID_UNAVAIL)
        .set(C::dwRedirectionIDFlags, LINECALLPARTYID_UNAVAIL)
        .set(C::dwRedirectingIDFlags, LINECALLPARTYID_UNAVAIL)
        .set(C::dwAddressStates, address_states(info.kind, exchange))
        .set(C::dwCallInfoStates, call_info_states(can, exchange))
        .set(C::dwMaxCallDataSize, u32::try_from(CallNotes::MOST_DATA).unwrap_or(0))
        .set(C::dwCallStates, can.states.union(exchange.states).bits())
        .set(C::dwDialToneModes, can.dial_tone_modes)
        .set(C::dwBusyModes, can.busy_modes)
        .set(C::dwSpecialInfo, can.special_info)
        .set(C::dwDisconnectModes, can.disconnect_modes)
        .set(C::dwMaxNumActiveCalls, 1)
        .set(
            C::dwMaxNumOnHoldCalls,
            exchange.held.max(u32::from(can.states.contains(CallState::OnHold))),
        )
        .set(C::dwMaxNumOnHoldPendingCalls, exchange.held_pending)
        .set(C::dwTransferModes, exchange.transfer_modes)
        .set(C::dwMaxNumConference, exchange.conference)
        .set(
            C::dwRemoveFromConfCaps,
            if exchange.conference == 0 { 0 } else { LINEREMOVEFROMCONF_LAST },
        )
        .set(
            C::dwRemoveFromConfState,
            if exchange.conference == 0 { 0 } else { LINECALLSTATE_IDLE },
        )
        .set(C::dwNumCallTreatments, u32::try_from(can.treatments.len()).unwrap_or(0))
        .set(C::dwAddrCapFlags, can.address_flags)
        .set(C::dwCallFeatures, can.features | exchange.features)
        .set(C::dwAddressFeatures, LINEADDRFEATURE_MAKECALL | exchange.address_features)
        .set(C::dwForwardModes, exchange.forward_modes)
        .set(C::dwMaxForwardEntries, if exchange.forward_modes == 0 { 0 } else { FORWARDS })
        .set(C::dwParkModes, exchange.park_modes)
        .set(C::dwCallCompletionModes, exchange.completion_modes)
        .set(
            C::dwCallCompletionConds,
            if exchange.completion_modes == 0 { 0 } else { LINECALLCOMPLCOND_BUSY },
        )
        .set(
            C::dwMaxCallCompletions,
            if exchange.completion_modes == 0 { 0 } else { MOST_CALL_BACKS },
        )
        .set(C::dwConnectedModes, can.connected_modes)
        .set(C::dwOfferingModes, LINEOFFERINGMODE_ACTIVE)
        .set(C::dwAvailableMediaModes, can.media);
    let treatments: Vec<(u32, &str)> =
        can.treatments.iter().map(|treatment| (treatment.id(), treatment.name())).collect();
    caps.named(C::dwCallTreatmentList, &treatments);
    Ok(())
}

/// The LINETONEMODE_ bits that a line with samples can generate.
const TONE_MODES: u32 =
    LINETONEMODE_CUSTOM | LINETONEMODE_RINGBACK | LINETONEMODE_BUSY | LINETONEMODE_BEEP;
/// As many kinds of forwarding as there are.
const FORWARDS: u32 = 3;

/// The LINEADDRESSSTATE_ bits of LINE_ADDRESSSTATE.
fn address_states(kind: LineKind, exchange: &ExchangeAbilities) -> u32 {
    let one = LINEADDRESSSTATE_INUSEZERO | LINEADDRESSSTATE_INUSEONE | LINEADDRESSSTATE_NUMCALLS;
    let of = |has: bool, bit| if has { bit } else { 0 };
    one | of(kind == LineKind::Fxo, LINEADDRESSSTATE_CAPSCHANGE)
        | of(exchange.held_pending != 0, LINEADDRESSSTATE_INUSEMANY)
        | of(exchange.forward_modes != 0, LINEADDRESSSTATE_FORWARD)
}
/// The LINECALLINFOSTATE_ bits of LINE_CALLINFO.
fn call_info_states(can: &Abilities, exchange: &ExchangeAbilities) -> u32 {
    let mut states = LINECALLINFOSTATE_MEDIAMODE
        | LINECALLINFOSTATE_APPSPECIFIC
        | LINECALLINFOSTATE_DIALPARAMS
        | LINECALLINFOSTATE_CALLDATA;
    if !can.treatments.is_empty() {
        states |= LINECALLINFOSTATE_TREATMENT;
    }
    // An exchange reports who calls while the call is offered; to a telephone we are the exchange.
    if (can.caller_id | exchange.caller_id) & LINECALLPARTYID_OUTOFAREA != 0 {
        states |= LINECALLINFOSTATE_CALLERID | LINECALLINFOSTATE_DISPLAY;
    }
    states
}

/// The numbers of calls of a line that are active and that are on hold. One that is still being
/// made is not counted (N4).
fn count_calls(state: &LineReport) -> (u32, u32) {
    match state.call.flatten() {
        None => (0, state.held),
        Some(CallState::OnHold) => (0, 1 + state.held),
        Some(_) => (1, state.held),
    }
}

/// Fills LINEADDRESSSTATUS of a line's only address.
pub(super) fn address_status(
    memory: &mut [u8],
    version: Version,
    exchange: &ExchangeAbilities,
    state: &LineReport,
) -> Result<(), LineError> {
    type S = LINEADDRESSSTATUS;
    let mut features = 0;
    if state.takes_call {
        features = LINEADDRFEATURE_MAKECALL | exchange.address_features;
        if state.call_backs == 0 {
            features &= !LINEADDRFEATURE_UNCOMPLETECALL;
        }
    }
    let (active, held) = count_calls(state);
    Writer::<S>::new(memory, version)?
        .set(S::dwNumInUse, active + held)
        .set(S::dwNumActiveCalls, active)
        .set(S::dwNumOnHoldCalls, held)
        .set(S::dwAddressFeatures, features);
    Ok(())
}

/// Fills LINEDEVSTATUS.
pub(super) fn line_dev_status(
    memory: &mut [u8],
    version: Version,
    kind: LineKind,
    exchange: &ExchangeAbilities,
    state: &LineReport,
) -> Result<(), LineError> {
    type S = LINEDEVSTATUS;
    let (active, held) = count_calls(state);
    let service = if state.in_service { LINEDEVSTATUSFLAGS_INSERVICE } else { 0 };
    let locked = if state.locked { LINEDEVSTATUSFLAGS_LOCKED } else { 0 };
    let free = LINEFEATURE_MAKECALL | exchange.line_features;
    let call = if state.takes_call { free } else { 0 };
    let messages = if state.message_waiting { LINEDEVSTATUSFLAGS_MSGWAIT } else { 0 };
    Writer::<S>::new(memory, version)?
        .set(S::dwNumActiveCalls, active)
        .set(S::dwNumOnHoldCalls, held)
        .set(S::dwLineFeatures, call | LINEFEATURE_SETDEVSTATUS)
        .set(S::dwRingMode, state.ring_mode)
        .set(S::dwDevStatusFlags, LINEDEVSTATUSFLAGS_CONNECTED | service | locked | messages)
        .set(S::dwAvailableMediaModes, if state.takes_call { abilities(kind).media } else { 0 });
    Ok(())
}

/// Fills LINECALLINFO from the engine's data about the call.
pub(super) fn call_info(
    memory: &mut [u8],
    version: Version,
    device_id: u32,
    kind: LineKind,
    exchange: &ExchangeAbilities,
    call: &CallSnapshot,
) -> Result<(), LineError> {
    type I = LINECALLINFO;
    let info = &call.info;
    let called =
        if info.called.is_empty() { LINECALLPARTYID_UNAVAIL } else { LINECALLPARTYID_ADDRESS };
    let can = abilities(kind);
    let treatment = if can.treatments.is_empty() { 0 } else { call.treatment().id() };
    let mut out = Writer::<I>::new(memory, version)?;
    out.set(I::dwLineDeviceID, device_id)
        .set(I::dwBearerMode, info.bearer)
        .set(I::dwRate, can.rate)
        .set(I::dwMediaMode, info.media)
        .set(I::dwAppSpecific, info.app_specific)
        .set(I::dwCallID, info.call_id)
        .set(I::dwCallParamFlags, info.notes.flags)
        .set(I::DialParams, dial_params(&info.timing))
        .set(I::dwCountryCode, info.notes.country)
        .set(I::dwCallStates, can.states.union(exchange.states).bits())
        .set(I::dwCallTreatment, treatment)
        .set(I::dwOrigin, info.origin)
        .set(I::dwReason, info.reason)
        .set(I::dwTrunk, UNKNOWN_TRUNK)
        .set(I::dwCallerIDFlags, party_id(&info.caller))
        .set(I::dwCalledIDFlags, called)
        .set(I::dwConnectedIDFlags, LINECALLPARTYID_UNAVAIL)
        .set(I::dwRedirectionIDFlags, LINECALLPARTYID_UNAVAIL)
        .set(I::dwRedirectingIDFlags, LINECALLPARTYID_UNAVAIL)
        .set(I::dwCalledIDAddressType, LINEADDRESSTYPE_PHONENUMBER);
    out.string(I::dwCallerID, info.caller.number.text().unwrap_or_default())
        .string(I::dwCallerIDName, info.caller.name.text().unwrap_or_default())
        .string(I::dwCalledID, &info.called)
        .string(I::dwDisplay, &display(info))
        .item(I::dwCallData, &info.notes.data);
    Ok(())
}

/// What an exchange has shown last: who waits during the call, or its time of the call.
fn display(info: &CallInfo) -> String {
    let Some(Caller { number, name, time }) = &info.waiting else {
        return info.caller.time.map(|time| time.to_string()).unwrap_or_default();
    };
    let number = match number {
        Party::Withheld => Some("withheld"),
        Party::OutOfArea => Some("out of area"),
        known => known.text(),
    };
    let time = time.map(|time| time.to_string());
    let words = [Some("waiting:"), number, name.text(), time.as_deref()];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The LINECALLPARTYID_ bits of a caller: what is known, or why nothing is.
fn party_id(caller: &Caller) -> u32 {
    let known = |party: &Party, bit| if party.text().is_some() { bit } else { 0 };
    let number = known(&caller.number, LINECALLPARTYID_ADDRESS);
    match (&caller.number, number | known(&caller.name, LINECALLPARTYID_NAME)) {
        (Party::Withheld, 0) => LINECALLPARTYID_BLOCKED,
        (Party::OutOfArea, 0) => LINECALLPARTYID_OUTOFAREA,
        (_, 0) => LINECALLPARTYID_UNAVAIL,
        (_, known) => known,
    }
}

/// dwTrunk of a call whose trunk is not known.
const UNKNOWN_TRUNK: u32 = u32::MAX;

/// Fills LINECALLSTATUS from the call's state and what is offered in it.
pub(super) fn call_status(
    memory: &mut [u8],
    version: Version,
    call: &CallSnapshot,
) -> Result<(), LineError> {
    type S = LINECALLSTATUS;
    Writer::<S>::new(memory, version)?
        .set(S::dwCallState, call.state.unwrap_or(CallState::Unknown).bit())
        .set(S::dwCallStateMode, call.mode)
        .set(S::dwCallFeatures, call.features)
        .set(S::tStateEntryTime, entered(call));
    Ok(())
}

/// When the call entered its state; all zero before the first one. The clock of the lines is not
/// the wall clock, so the time is counted back from now.
fn entered(call: &CallSnapshot) -> SystemTime {
    let ago = Time::monotonic().since(call.since);
    let since = call.state.and_then(|_| std::time::SystemTime::now().checked_sub(ago));
    since.map(SystemTime::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringback_driver::request::LineNumber;
    use ringback_driver::{PortNumber, Time};
    use ringback_lines::{CallInfo, CallerTime};
    use ringback_tspi::structs::{Reader, blank};
    use ringback_tspi::types::HDRVCALL;

    #[test]
    fn capabilities_say_what_a_line_can_do() {
        type C = LINEDEVCAPS;
        for kind in LineKind::ALL {
            let info = DevSpecific { slot: PortNumber(2), kind };
            let mut memory = blank::<C>(1024);
            dev_caps(&mut memory, Version::V3_1, "soft", 3, &info, &Default::default()).unwrap();
            let caps = Reader::<C>::new(&memory, Version::V3_1).unwrap();
            assert_eq!(DevSpecific::read(caps.item(C::dwDevSpecific)).unwrap().kind, kind);
            let flags = caps.get(C::dwDevCapFlags);
            assert_ne!(flags & LINEDEVCAPFLAGS_CLOSEDROP, 0, "D3: lineClose drops");
            assert_eq!(caps.get(C::dwPermanentLineID), 3 << 16 | 2);
            assert_eq!(flags & LINEDEVCAPFLAGS_DIALDIALTONE != 0, kind != LineKind::Fxs, "R7");
            let name = caps.string(C::dwLineName).unwrap();
            assert!(name.contains(&kind.to_string()), "{name}");
            assert_eq!(name.contains("slot 2"), kind != LineKind::Modem, "{name}");
            let bearers = caps.get(C::dwBearerModes);
            assert_eq!(bearers & LINEBEARERMODE_PASSTHROUGH != 0, kind == LineKind::Modem);
        }
    }

    #[test]
    fn too_small_a_structure_is_refused_and_an_older_one_is_filled_as_far_as_it_goes() {
        let info = DevSpecific { slot: PortNumber(0), kind: LineKind::Fxo };
        let mut memory = [0; 8];
        memory[0] = 8;
        let refused = address_caps(&mut memory, Version::V3_1, 1, &info, &Default::default());
        assert_eq!(refused, Err(LineError::STRUCTURETOOSMALL));
        let mut memory = vec![0xEE; 228 + 1];
        memory[..4].copy_from_slice(&228u32.to_le_bytes());
        address_caps(&mut memory, Version::V2_0, 1, &info, &Default::default()).unwrap();
        assert_eq!(memory[228], 0xEE, "V1: not one byte behind dwTotalSize");
    }

    fn snapshot(state: Option<CallState>) -> CallSnapshot {
        CallSnapshot {
            call: HDRVCALL::new(0x101).unwrap(),
            line: LineNumber(0),
            state,
            mode: 0,
            since: Time::monotonic(),
            info: CallInfo {
                origin: LINECALLORIGIN_OUTBOUND,
                reason: LINECALLREASON_DIRECT,
                bearer: LINEBEARERMODE_VOICE,
                media: LINEMEDIAMODE_INTERACTIVEVOICE,
                caller: Caller::default(),
                waiting: None,
                called: "5551234".into(),
                call_id: 77,
                timing: DialTiming::MAX,
                treatment: None,
                app_specific: 0xFACE,
                notes: CallNotes {
                    country: 49,
                    flags: LINECALLPARAMFLAGS_IDLE,
                    data: b"file 12".to_vec(),
                },
            },
            features: 0,
        }
    }

    #[test]
    fn call_info_displays_who_waits() {
        type I = LINECALLINFO;
        let known = |text: &str| Party::Known(text.into());
        let time = CallerTime::new(11, 28, 18, 5);
        for (number, name, time, text) in [
            (known("5551234"), known("Ada"), time, "waiting: 5551234 Ada 11-28 18:05"),
            (Party::Withheld, Party::Withheld, None, "waiting: withheld"),
            (Party::OutOfArea, Party::Unknown, time, "waiting: out of area 11-28 18:05"),
        ] {
            let mut call = snapshot(Some(CallState::Connected));
            call.info.waiting = Some(Caller { number, name, time });
            let mut memory = blank::<I>(512);
            call_info(&mut memory, Version::V3_1, 3, LineKind::Fxo, &Default::default(), &call)
                .unwrap();
            let info = Reader::<I>::new(&memory, Version::V3_1).unwrap();
            assert_eq!(info.string(I::dwDisplay).as_deref(), Some(text));
            assert_eq!(info.get(I::dwCallerIDFlags), LINECALLPARTYID_UNAVAIL);
        }
    }

    #[test]
    fn call_info_says_who_calls_or_why_that_is_not_known() {
        type I = LINECALLINFO;
        let known = |text: &str| Party::Known(text.into());
        let both = LINECALLPARTYID_ADDRESS | LINECALLPARTYID_NAME;
        for (number, name, flags) in [
            (known("5551234"), known("J\u{fc}rgen"), both),
            (known("5551234"), Party::Unknown, LINECALLPARTYID_ADDRESS),
            (Party::Withheld, known("Ada"), LINECALLPARTYID_NAME),
            (Party::Withheld, Party::Withheld, LINECALLPARTYID_BLOCKED),
            (Party::OutOfArea, Party::Unknown, LINECALLPARTYID_OUTOFAREA),
            (Party::Unknown, Party::Unknown, LINECALLPARTYID_UNAVAIL),
        ] {
            let mut call = snapshot(Some(CallState::Offering));
            let time = CallerTime::new(11, 28, 18, 5);
            call.info.caller = Caller { number: number.clone(), name: name.clone(), time };
            let mut memory = blank::<I>(512);
            call_info(&mut memory, Version::V3_1, 4, LineKind::Modem, &Default::default(), &call)
                .unwrap();
            let info = Reader::<I>::new(&memory, Version::V3_1).unwrap();
            assert_eq!(info.get(I::dwCallerIDFlags), flags, "{number:?} {name:?}");
            assert_eq!(info.string(I::dwCallerID).as_deref(), number.text());
            assert_eq!(info.string(I::dwDisplay).as_deref(), Some("11-28 18:05"));
            assert_eq!(info.string(I::dwCallerIDName).as_deref(), name.text());
        }
    }

    #[test]
    fn call_info_says_what_is_known() {
        type I = LINECALLINFO;
        let mut memory = blank::<I>(512);
        let call = snapshot(Some(CallState::Connected));
        call_info(&mut memory, Version::V3_1, 4, LineKind::Fxo, &Default::default(), &call)
            .unwrap();
        let info = Reader::<I>::new(&memory, Version::V3_1).unwrap();
        assert_eq!(info.string(I::dwCalledID).as_deref(), Some("5551234"));
        assert_eq!(info.get(I::dwCallID), 77);
        assert_eq!(info.get(I::dwLineDeviceID), 4);
        assert_eq!(info.get(I::dwCallerIDFlags), LINECALLPARTYID_UNAVAIL);
        assert_eq!(info.get(I::dwAppSpecific), 0xFACE);
        assert_eq!(info.get(I::dwCountryCode), 49);
        assert_eq!(info.get(I::dwCallParamFlags), LINECALLPARAMFLAGS_IDLE);
        assert_eq!(info.get(I::DialParams), dial_params(&DialTiming::MAX));
        assert_eq!(info.item(I::dwCallData), b"file 12");
    }

    #[test]
    fn call_status_says_since_when_the_call_is_in_its_state() {
        type S = LINECALLSTATUS;
        let entry = |state| {
            let mut memory = blank::<S>(0);
            call_status(&mut memory, Version::V3_1, &snapshot(state)).unwrap();
            Reader::<S>::new(&memory, Version::V3_1).unwrap().get(S::tStateEntryTime)
        };
        assert_eq!(entry(None), SystemTime::default(), "it has no state yet");
        let now = SystemTime::from(std::time::SystemTime::now());
        let entered = entry(Some(CallState::Connected));
        assert!((entered.year, entered.month) <= (now.year + 1, 12), "{entered:?}, {now:?}");
        assert!(entered.year >= 2026, "{entered:?}");
    }

    #[test]
    fn a_call_that_is_being_made_is_not_counted_n4() {
        type S = LINEDEVSTATUS;
        let count = |call: Option<Option<CallState>>| {
            let mut memory = blank::<S>(0);
            let takes_call = call.is_none();
            let state = LineReport {
                opening: None,
                call,
                held: 0,
                in_service: true,
                locked: false,
                takes_call,
                ring_mode: 0,
                message_waiting: false,
                call_backs: 0,
            };
            let nothing = ExchangeAbilities::default();
            line_dev_status(&mut memory, Version::V3_1, LineKind::Fxo, &nothing, &state).unwrap();
            let status = Reader::<S>::new(&memory, Version::V3_1).unwrap();
            let takes_call = status.get(S::dwLineFeatures) & LINEFEATURE_MAKECALL != 0;
            (status.get(S::dwNumActiveCalls), takes_call)
        };
        assert_eq!(count(None), (0, true));
        assert_eq!(count(Some(None)), (0, false));
        assert_eq!(count(Some(Some(CallState::DialTone))), (1, false));
    }
}
