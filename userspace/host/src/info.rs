//! The contents of a provider's structures as plain Rust values.

use ringback_request::{PortNumber, report};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::dev_specific::{DevSpecific, LineKind};
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::error::LineError;
use ringback_tspi::structs::layout::Structure;
use ringback_tspi::structs::{
    Builder, LINECALLINFO, LINECALLPARAMS, LINECALLSTATUS, LINEDEVCAPS, LINEDEVSTATUS,
    LINEDIALPARAMS, Reader, blank,
};
use ringback_tspi::types::Version;

/// The bytes that a structure gets first; the provider says if it needs more.
const FIRST: usize = 1024;
/// More bytes than any structure needs; a provider that wants more is in error.
const MOST: usize = 1 << 20;

/// Has a provider fill a structure, in as much memory as it needs.
pub(super) fn fetch<S: Structure, E>(
    fill: impl Fn(&mut [u8]) -> Result<(), E>,
) -> Result<Vec<u8>, E> {
    let mut memory = blank::<S>(FIRST);
    fill(&mut memory)?;
    // dwNeededSize is the second word of every structure.
    let needed = memory.get(4..).and_then(|rest| rest.first_chunk().copied());
    let needed = needed.map_or(0, u32::from_le_bytes) as usize;
    if needed > memory.len() {
        memory = blank::<S>(needed.min(MOST));
        fill(&mut memory)?;
    }
    Ok(memory)
}

/// Reads a structure that a provider has filled.
pub(super) fn reader<S: Structure>(
    bytes: &[u8],
    version: Version,
) -> Result<Reader<'_, S>, LineError> {
    Reader::new(bytes, version).map_err(|malformed| {
        report!(ERROR, "the provider filled a structure wrongly: {malformed}");
        LineError::OPERATIONFAILED
    })
}

/// A line that a provider has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineInfo {
    /// The device id by which it is opened.
    pub device_id: u32,
    /// Its name for people.
    pub name: String,
    /// The slot on the card; `None` if the provider does not report it.
    pub slot: Option<PortNumber>,
    /// The kind of line; `None` if the provider does not report it.
    pub kind: Option<LineKind>,
    /// LINEMEDIAMODE_ bits of calls on it.
    pub media_modes: u32,
    /// LINEDIGITMODE_ bits that can be monitored on it.
    pub monitor_digits: u32,
    /// The version that was negotiated for it.
    pub version: Version,
}

/// What a line can do (LINEDEVCAPS).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineCaps {
    /// Its name for people.
    pub name: String,
    /// Text about the provider (dwProviderInfo).
    pub provider: String,
    /// The slot and kind, from a provider of Ringback.
    pub own: Option<DevSpecific>,
    /// LINEMEDIAMODE_ bits.
    pub media_modes: u32,
    /// LINEBEARERMODE_ bits.
    pub bearer_modes: u32,
    /// LINEDEVCAPFLAGS_ bits.
    pub flags: u32,
    /// LINEFEATURE_ bits.
    pub features: u32,
    /// LINEDIGITMODE_ bits that can be generated.
    pub generate_digits: u32,
    /// LINEDIGITMODE_ bits that can be monitored.
    pub monitor_digits: u32,
    /// How many addresses it has.
    pub addresses: u32,
    /// How many calls it can have at once.
    pub active_calls: u32,
}

impl LineCaps {
    pub(super) fn read(bytes: &[u8], version: Version) -> Result<LineCaps, LineError> {
        type C = LINEDEVCAPS;
        let caps = reader::<C>(bytes, version)?;
        Ok(LineCaps {
            name: caps.string(C::dwLineName).unwrap_or_default(),
            provider: caps.string(C::dwProviderInfo).unwrap_or_default(),
            own: DevSpecific::read(caps.item(C::dwDevSpecific)),
            media_modes: caps.get(C::dwMediaModes),
            bearer_modes: caps.get(C::dwBearerModes),
            flags: caps.get(C::dwDevCapFlags),
            features: caps.get(C::dwLineFeatures),
            generate_digits: caps.get(C::dwGenerateDigitModes),
            monitor_digits: caps.get(C::dwMonitorDigitModes),
            addresses: caps.get(C::dwNumAddresses),
            active_calls: caps.get(C::dwMaxNumActiveCalls),
        })
    }

    pub(super) fn info(self, device_id: u32, version: Version) -> LineInfo {
        LineInfo {
            device_id,
            name: self.name,
            slot: self.own.map(|own| own.slot),
            kind: self.own.map(|own| own.kind),
            media_modes: self.media_modes,
            monitor_digits: self.monitor_digits,
            version,
        }
    }
}

/// How a line is now (LINEDEVSTATUS).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineStatus {
    /// Calls that are not idle.
    pub active_calls: u32,
    /// LINEFEATURE_ bits that are legal now.
    pub features: u32,
    /// The line works: an exchange feeds it, or it is a telephone's.
    pub in_service: bool,
    /// Messages wait for whoever is at the line.
    pub message_waiting: bool,
}

impl LineStatus {
    pub(super) fn read(bytes: &[u8], version: Version) -> Result<LineStatus, LineError> {
        type S = LINEDEVSTATUS;
        let status = reader::<S>(bytes, version)?;
        let flags = status.get(S::dwDevStatusFlags);
        Ok(LineStatus {
            active_calls: status.get(S::dwNumActiveCalls),
            features: status.get(S::dwLineFeatures),
            in_service: flags & LINEDEVSTATUSFLAGS_INSERVICE != 0,
            message_waiting: flags & LINEDEVSTATUSFLAGS_MSGWAIT != 0,
        })
    }

    /// Whether a call can be made now.
    pub fn can_make_call(&self) -> bool {
        self.features & LINEFEATURE_MAKECALL != 0
    }
}

/// What is known about a call (LINECALLINFO).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallInfo {
    /// One LINECALLORIGIN_.
    pub origin: u32,
    /// One LINECALLREASON_.
    pub reason: u32,
    /// LINEMEDIAMODE_ bits.
    pub media_mode: u32,
    /// One LINEBEARERMODE_ value.
    pub bearer_mode: u32,
    /// A number that no other call of the provider has.
    pub call_id: u32,
    /// LINECALLSTATE_ bits of the states that the call may enter.
    pub states: u32,
    /// The caller's number, if it is known.
    pub caller: Option<String>,
    /// The caller's name, if it is known.
    pub caller_name: Option<String>,
    /// LINECALLPARTYID_ bits: what is known about the caller, or why nothing is.
    pub caller_flags: u32,
    /// What the network has displayed about the call (dwDisplay), if anything: Ringback's provider
    /// has there the exchange's time of the call, as `11-28 18:05`, or who calls during the call,
    /// as `waiting: 5551234 ADA BYRON 11-28 18:05`.
    pub display: Option<String>,
    /// The number that was dialled, if it is known.
    pub called: Option<String>,
}

impl CallInfo {
    pub(super) fn read(bytes: &[u8], version: Version) -> Result<CallInfo, LineError> {
        type I = LINECALLINFO;
        let info = reader::<I>(bytes, version)?;
        Ok(CallInfo {
            origin: info.get(I::dwOrigin),
            reason: info.get(I::dwReason),
            media_mode: info.get(I::dwMediaMode),
            bearer_mode: info.get(I::dwBearerMode),
            call_id: info.get(I::dwCallID),
            states: info.get(I::dwCallStates),
            caller: info.string(I::dwCallerID),
            caller_name: info.string(I::dwCallerIDName),
            caller_flags: info.get(I::dwCallerIDFlags),
            display: info.string(I::dwDisplay),
            called: info.string(I::dwCalledID),
        })
    }

    /// Whether the call came in.
    pub fn is_incoming(&self) -> bool {
        self.origin & LINECALLORIGIN_OUTBOUND == 0
    }
}

/// State of a call and what can be done with it (LINECALLSTATUS).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallStatus {
    /// The state that the call is in.
    pub state: CallState,
    /// The state's mode, of the family [`CallState::mode_family`]; 0 for none.
    pub mode: u32,
    /// LINECALLFEATURE_ bits.
    pub features: u32,
}

impl CallStatus {
    pub(super) fn read(bytes: &[u8], version: Version) -> Result<CallStatus, LineError> {
        type S = LINECALLSTATUS;
        let status = reader::<S>(bytes, version)?;
        Ok(CallStatus {
            state: CallState::from_raw(status.get(S::dwCallState)).unwrap_or(CallState::Unknown),
            mode: status.get(S::dwCallStateMode),
            features: status.get(S::dwCallFeatures),
        })
    }
}

/// Options for making a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallOptions {
    /// LINEMEDIAMODE_ bits; 0 for INTERACTIVEVOICE, or DATAMODEM on a modem's line.
    pub media_modes: u32,
    /// Gives the modem to the application without making a call (LINEBEARERMODE_PASSTHROUGH).
    pub pass_through: bool,
    /// Fail with CALLUNAVAIL rather than dial without a dial tone (LINECALLPARAMFLAGS_IDLE).
    pub only_if_idle: bool,
    /// The country of the called party, 0 for the default.
    pub country_code: u32,
    /// Times of dialling; within the limits of the line.
    pub timing: Option<DialTiming>,
    /// Who calls, for the called party to see (dwCallingPartyID). A telephone on an FXS line shows
    /// it: a number, a name, or both as `Ada <5551234>`.
    pub calling_party: Option<String>,
    /// Withholds who calls from the called party (LINECALLPARAMFLAGS_BLOCKID).
    pub withheld: bool,
}

impl CallOptions {
    /// LINECALLPARAMS; `None` (NULL) where the defaults are asked for.
    pub(super) fn params(&self, line: &LineInfo) -> Option<Vec<u8>> {
        type P = LINECALLPARAMS;
        if *self == (CallOptions { country_code: self.country_code, ..CallOptions::default() }) {
            return None;
        }
        const BANDWIDTH: u32 = 3100;
        let media = match self.media_modes {
            0 if line.kind == Some(LineKind::Modem) => LINEMEDIAMODE_DATAMODEM,
            0 => LINEMEDIAMODE_INTERACTIVEVOICE,
            modes => modes,
        };
        let flags = if self.only_if_idle { LINECALLPARAMFLAGS_IDLE } else { 0 }
            | if self.withheld { LINECALLPARAMFLAGS_BLOCKID } else { 0 };
        let timing = self.timing.map_or_else(LINEDIALPARAMS::default, |timing| LINEDIALPARAMS {
            dial_pause: timing.pause_ms,
            dial_speed: timing.gap_ms,
            digit_duration: timing.digit_ms,
            wait_for_dialtone: timing.dial_tone_ms,
        });
        let bearer = match self.pass_through {
            true => LINEBEARERMODE_PASSTHROUGH,
            false => LINEBEARERMODE_VOICE,
        };
        let params = Builder::<P>::new(line.version)
            .set(P::dwBearerMode, bearer)
            .set(P::dwMinRate, BANDWIDTH)
            .set(P::dwMaxRate, BANDWIDTH)
            .set(P::dwMediaMode, media)
            .set(P::dwCallParamFlags, flags)
            .set(P::dwAddressMode, LINEADDRESSMODE_ADDRESSID)
            .set(P::DialParams, timing);
        let params = match &self.calling_party {
            Some(party) => params.string(P::dwCallingPartyID, party),
            None => params,
        };
        Some(params.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringback_tspi::structs::CallParams;

    fn line(kind: LineKind) -> LineInfo {
        LineInfo {
            device_id: 0,
            name: String::new(),
            slot: None,
            kind: Some(kind),
            media_modes: 0,
            monitor_digits: 0,
            version: Version::V2_0,
        }
    }

    #[test]
    fn default_options_are_no_parameters() {
        assert_eq!(CallOptions::default().params(&line(LineKind::Modem)), None);
        let abroad = CallOptions { country_code: 49, ..CallOptions::default() };
        assert_eq!(abroad.params(&line(LineKind::Fxo)), None, "a parameter of its own");
    }

    #[test]
    fn options_are_read_as_they_were_given() {
        let timing = DialTiming { digit_ms: 120, ..DialTiming::default() };
        let options =
            CallOptions { only_if_idle: true, timing: Some(timing), ..CallOptions::default() };
        let bytes = options.params(&line(LineKind::Fxo)).unwrap();
        let params = CallParams::read(&bytes, Version::V2_0).unwrap();
        assert_eq!(params.flags, LINECALLPARAMFLAGS_IDLE);
        assert_eq!(params.media_mode, LINEMEDIAMODE_INTERACTIVEVOICE);
        assert_eq!((params.dial_params.digit_duration, params.calling_party_id), (120, None));
        let party = Some("Ada <5551234>".to_owned());
        let shown =
            CallOptions { calling_party: party.clone(), withheld: true, ..CallOptions::default() };
        let bytes = shown.params(&line(LineKind::Fxs)).unwrap();
        let params = CallParams::read(&bytes, Version::V2_0).unwrap();
        assert_eq!((params.calling_party_id, params.flags), (party, LINECALLPARAMFLAGS_BLOCKID));
    }

    #[test]
    fn a_modem_is_for_data_unless_it_is_asked_for_something_else() {
        let read = |options: CallOptions| {
            let bytes = options.params(&line(LineKind::Modem)).unwrap();
            CallParams::read(&bytes, Version::V2_0).unwrap()
        };
        let own = read(CallOptions { pass_through: true, ..CallOptions::default() });
        assert_eq!(own.bearer_mode, LINEBEARERMODE_PASSTHROUGH);
        assert_eq!(own.media_mode, LINEMEDIAMODE_DATAMODEM);
        let voice = LINEMEDIAMODE_INTERACTIVEVOICE;
        let asked = read(CallOptions { media_modes: voice, ..CallOptions::default() });
        assert_eq!((asked.media_mode, asked.bearer_mode), (voice, LINEBEARERMODE_VOICE));
    }

    #[test]
    fn a_structure_gets_the_memory_that_it_needs() {
        type C = LINEDEVCAPS;
        let long = "x".repeat(2000);
        let bytes = fetch::<C, LineError>(|memory| {
            ringback_tspi::structs::Writer::<C>::new(memory, Version::V3_1)?
                .string(C::dwLineName, &long);
            Ok(())
        });
        let caps = LineCaps::read(&bytes.unwrap(), Version::V3_1).unwrap();
        assert_eq!(caps.name, long);
        // A structure that never fits is read as far as it was filled.
        let greedy = fetch::<C, LineError>(|memory| {
            memory.get_mut(4..8).unwrap().copy_from_slice(&u32::MAX.to_le_bytes());
            Ok(())
        });
        assert_eq!(greedy.unwrap().len(), MOST);
    }
}
