//! Checks parameters that can be judged without the hardware (R7): an error is returned directly,
//! and nothing has happened on the line.
//!
//! TAPI has checked pointers, sizes and handles (G5); what its pages call "not validated by TAPI"
//! is checked here (G6).

use ringback_driver::report;
use ringback_lines::CallNotes;
use ringback_tspi::constants::*;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring::{DialString, parse};
use ringback_tspi::error::LineError;
use ringback_tspi::key::Key;
use ringback_tspi::structs::{CallParams, LINEDIALPARAMS};
use ringback_tspi::types::Version;

use super::abilities::Abilities;

/// Country codes have up to three digits; 0 is the default.
const MAX_COUNTRY: u32 = 999;

/// Parses an address that is to be dialled.
///
/// # Errors
/// INVALCOUNTRYCODE; for the address the error of its first offending character. A full
/// international number is INVALADDRESS: how it is dialled depends on the location, so TAPI
/// translates it before.
pub(super) fn address(
    text: &str,
    country_code: u32,
    can: &Abilities,
) -> Result<DialString, LineError> {
    if country_code > MAX_COUNTRY {
        return Err(LineError::INVALCOUNTRYCODE);
    }
    let address = parse(text, can.modifiers).map_err(|refused| {
        report!(DEBUG, "an address is refused: {refused}");
        refused.error
    })?;
    if address.international {
        report!(
            DEBUG,
            "an address is refused: '+', character {}: a plain line needs the prefix for calls \
             abroad in its place, such as 00 or 011",
            text.chars().take_while(|c| *c != '+').count() + 1
        );
        return Err(LineError::INVALADDRESS);
    }
    Ok(address)
}

/// The parameters of a call to be made, copied (B1) and checked. Without parameters the defaults
/// apply.
///
/// # Errors
/// The one that names the member: INVALBEARERMODE, RATEUNAVAIL and so on.
pub(super) fn call_params(
    params: Option<&[u8]>,
    version: Version,
    can: &Abilities,
) -> Result<CallParams, LineError> {
    let Some(memory) = params else {
        return Ok(CallParams { media_mode: can.usual_media, ..CallParams::default() });
    };
    let params = CallParams::read(memory, version)?;
    bearer(params.bearer_mode, [params.min_rate, params.max_rate], can)?;
    media_modes(params.media_mode, can.media)?;
    if params.flags & !taken_flags(can.address_flags) != 0 {
        return Err(LineError::INVALCALLPARAMS);
    }
    if params.call_data.len() > CallNotes::MOST_DATA {
        return Err(LineError::INVALCALLPARAMS);
    }
    match params.address_mode {
        LINEADDRESSMODE_ADDRESSID if params.address_id == 0 => {}
        LINEADDRESSMODE_ADDRESSID => return Err(LineError::INVALADDRESSID),
        // A line of an exchange does not know its own number.
        _ => return Err(LineError::INVALADDRESSMODE),
    }
    user_user_info(&params.user_user_info)?;
    Ok(params)
}

/// The LINECALLPARAMFLAGS_ bits that an address accepts: those of the abilities that it announces,
/// and IDLE, which needs none. What an address can't do is refused rather than ignored.
fn taken_flags(address_flags: u32) -> u32 {
    const NEEDS: [(u32, u32); 5] = [
        (LINECALLPARAMFLAGS_SECURE, LINEADDRCAPFLAGS_SECURE),
        (LINECALLPARAMFLAGS_BLOCKID, LINEADDRCAPFLAGS_BLOCKIDOVERRIDE),
        (LINECALLPARAMFLAGS_ORIGOFFHOOK, LINEADDRCAPFLAGS_ORIGOFFHOOK),
        (LINECALLPARAMFLAGS_DESTOFFHOOK, LINEADDRCAPFLAGS_DESTOFFHOOK),
        (LINECALLPARAMFLAGS_PREDICTIVEDIAL, LINEADDRCAPFLAGS_PREDICTIVEDIALER),
    ];
    let announced = NEEDS.iter().filter(|(_, needed)| address_flags & needed != 0);
    announced.fold(LINECALLPARAMFLAGS_IDLE, |flags, (flag, _)| flags | flag)
}

/// One bearer mode that the line has, and rates that are in its range.
///
/// # Errors
/// INVALBEARERMODE, BEARERMODEUNAVAIL, INVALRATE, RATEUNAVAIL.
pub(super) fn bearer(
    mode: u32,
    [min_rate, max_rate]: [u32; 2],
    can: &Abilities,
) -> Result<(), LineError> {
    match mode {
        mode if mode.is_power_of_two() && mode & can.bearers != 0 => {}
        mode if LINEBEARERMODE.name_of(mode).is_some() => {
            return Err(LineError::BEARERMODEUNAVAIL);
        }
        _ => return Err(LineError::INVALBEARERMODE),
    }
    if min_rate > max_rate {
        return Err(LineError::INVALRATE);
    }
    if min_rate > can.rate { Err(LineError::RATEUNAVAIL) } else { Ok(()) }
}

/// A line has one address, with the id 0.
pub(super) fn address_id(id: u32) -> Result<(), LineError> {
    if id == 0 { Ok(()) } else { Err(LineError::INVALADDRESSID) }
}

/// One media mode that the line has, or several with UNKNOWN.
pub(super) fn media_modes(modes: u32, media: u32) -> Result<(), LineError> {
    let several = modes & (modes.wrapping_sub(1)) != 0;
    let known = modes & !(media | LINEMEDIAMODE_UNKNOWN) == 0;
    if modes == 0 || !known || several && modes & LINEMEDIAMODE_UNKNOWN == 0 {
        return Err(LineError::INVALMEDIAMODE);
    }
    Ok(())
}

/// User-user information exists on digital lines only, so any is refused (dwUUI...Size is 0).
pub(super) fn user_user_info(info: &[u8]) -> Result<(), LineError> {
    if info.is_empty() { Ok(()) } else { Err(LineError::USERUSERINFOTOOBIG) }
}

/// The requested durations of dialling, cut to the limits.
pub(super) fn timing(asked: &LINEDIALPARAMS) -> DialTiming {
    DialTiming {
        pause_ms: asked.dial_pause,
        gap_ms: asked.dial_speed,
        digit_ms: asked.digit_duration,
        dial_tone_ms: asked.wait_for_dialtone,
    }
    .clamped()
}

/// The durations of dialling in the form of LINEDEVCAPS.
pub(super) fn dial_params(timing: &DialTiming) -> LINEDIALPARAMS {
    LINEDIALPARAMS {
        dial_pause: timing.pause_ms,
        dial_speed: timing.gap_ms,
        digit_duration: timing.digit_ms,
        wait_for_dialtone: timing.dial_tone_ms,
    }
}

/// Digits to be generated; a comma is a pause (`None`). Other characters are skipped silently, as
/// the page of TSPI_lineGenerateDigits says.
pub(super) fn digits(text: &str) -> Vec<Option<Key>> {
    text.chars()
        .filter_map(|character| match character {
            ',' => Some(None),
            other => Key::from_char(other.to_ascii_uppercase()).map(Some),
        })
        .collect()
}

/// Checks that a version is one of the present model.
pub(super) fn version(version: Version) -> Result<Version, LineError> {
    if (Version::OLDEST_SPOKEN..=Version::NEWEST_SPOKEN).contains(&version) {
        Ok(version)
    } else {
        Err(LineError::INCOMPATIBLEAPIVERSION)
    }
}

#[cfg(test)]
mod tests {
    use super::super::abilities::abilities;
    use super::*;
    use ringback_tspi::dev_specific::LineKind;
    use ringback_tspi::structs::{Builder, LINECALLPARAMS};

    const FXO: &Abilities = abilities(LineKind::Fxo);
    const MODEM: &Abilities = abilities(LineKind::Modem);
    const MEDIA: u32 = FXO.media;
    const RATE: u32 = FXO.rate;

    #[test]
    fn the_first_bad_modifier_decides_r7() {
        assert_eq!(address("555$@", 0, FXO).unwrap_err(), LineError::DIALBILLING);
        assert_eq!(address("555@$", 0, FXO).unwrap_err(), LineError::DIALQUIET);
        assert_eq!(address("5?5", 0, FXO).unwrap_err(), LineError::DIALPROMPT);
        assert_eq!(address("5x5", 0, FXO).unwrap_err(), LineError::INVALADDRESS);
        assert_eq!(address("+1 555", 0, FXO).unwrap_err(), LineError::INVALADDRESS);
        assert!(address("W5,5!T6;", 0, FXO).unwrap().partial, "a line waits for dial tone");
        assert!(address("", 0, FXO).unwrap().steps.is_empty());
    }

    #[test]
    fn a_country_code_has_three_digits_g6() {
        assert!(address("1", 999, FXO).is_ok());
        assert_eq!(address("1", 1000, FXO).unwrap_err(), LineError::INVALCOUNTRYCODE);
        assert_eq!(address("x", u32::MAX, FXO).unwrap_err(), LineError::INVALCOUNTRYCODE);
    }

    fn voice() -> Builder<LINECALLPARAMS> {
        Builder::new(Version::V3_1)
            .set(LINECALLPARAMS::dwBearerMode, LINEBEARERMODE_VOICE)
            .set(LINECALLPARAMS::dwMinRate, RATE)
            .set(LINECALLPARAMS::dwMaxRate, RATE)
            .set(LINECALLPARAMS::dwMediaMode, LINEMEDIAMODE_INTERACTIVEVOICE)
            .set(LINECALLPARAMS::dwAddressMode, LINEADDRESSMODE_ADDRESSID)
    }

    fn judged(params: Builder<LINECALLPARAMS>) -> Result<CallParams, LineError> {
        call_params(Some(&params.finish()), Version::V3_1, FXO)
    }

    #[test]
    fn every_member_of_the_parameters_is_judged_g6() {
        type P = LINECALLPARAMS;
        assert_eq!(judged(voice()), Ok(CallParams::default()));
        assert_eq!(call_params(None, Version::V2_0, FXO), Ok(CallParams::default()));
        let refused = |params: Builder<P>| judged(params).unwrap_err();
        let bearer = |mode| voice().set(P::dwBearerMode, mode);
        assert_eq!(refused(bearer(LINEBEARERMODE_DATA)), LineError::BEARERMODEUNAVAIL);
        assert_eq!(refused(bearer(0)), LineError::INVALBEARERMODE);
        assert_eq!(refused(bearer(3)), LineError::INVALBEARERMODE, "one mode, not two");
        assert_eq!(refused(voice().set(P::dwMaxRate, 100)), LineError::INVALRATE);
        let fast = voice().set(P::dwMinRate, 64_000).set(P::dwMaxRate, 64_000);
        assert_eq!(refused(fast), LineError::RATEUNAVAIL);
        let media = |modes| voice().set(P::dwMediaMode, modes);
        for modes in [0, MEDIA, LINEMEDIAMODE_G3FAX, 0x8000_0000] {
            assert_eq!(refused(media(modes)), LineError::INVALMEDIAMODE, "{modes:#x}");
        }
        assert!(judged(media(MEDIA | LINEMEDIAMODE_UNKNOWN)).is_ok());
        for flags in (0..32).map(|bit| 1 << bit).filter(|flag| *flag != LINECALLPARAMFLAGS_IDLE) {
            let params = voice().set(P::dwCallParamFlags, flags);
            assert_eq!(refused(params), LineError::INVALCALLPARAMS, "{flags:#x}: not announced");
        }
        let offers = LINEADDRCAPFLAGS_ORIGOFFHOOK | LINEADDRCAPFLAGS_SECURE;
        let taken = LINECALLPARAMFLAGS_ORIGOFFHOOK | LINECALLPARAMFLAGS_SECURE;
        assert_eq!(taken_flags(offers), taken | LINECALLPARAMFLAGS_IDLE, "as it is announced");
        let data = |size| voice().item(P::dwCallData, &vec![7; size]);
        assert!(judged(data(CallNotes::MOST_DATA)).is_ok());
        assert_eq!(refused(data(CallNotes::MOST_DATA + 1)), LineError::INVALCALLPARAMS);
        assert_eq!(refused(voice().set(P::dwAddressID, 1)), LineError::INVALADDRESSID);
        let by_number = voice().set(P::dwAddressMode, LINEADDRESSMODE_DIALABLEADDR);
        assert_eq!(refused(by_number), LineError::INVALADDRESSMODE);
        let greeting = voice().item(P::dwUserUserInfo, b"hello");
        assert_eq!(refused(greeting), LineError::USERUSERINFOTOOBIG);
    }

    #[test]
    fn a_modem_is_asked_for_what_a_modem_can_do() {
        type P = LINECALLPARAMS;
        assert!(address("9W5@5$5", 0, MODEM).is_ok(), "R7: V.250 has all of them");
        let telephone = abilities(LineKind::Fxs);
        assert_eq!(address("W5", 0, telephone).unwrap_err(), LineError::DIALDIALTONE);
        let usual = call_params(None, Version::V3_1, MODEM).unwrap();
        assert_eq!(usual.media_mode, LINEMEDIAMODE_DATAMODEM);
        let judged = |params: Builder<P>| call_params(Some(&params.finish()), Version::V3_1, MODEM);
        let data = || voice().set(P::dwMediaMode, LINEMEDIAMODE_DATAMODEM);
        assert_eq!(judged(voice()).unwrap_err(), LineError::INVALMEDIAMODE);
        assert!(judged(data().set(P::dwMaxRate, 57_600)).is_ok());
        let own = judged(data().set(P::dwBearerMode, LINEBEARERMODE_PASSTHROUGH)).unwrap();
        assert_eq!(own.bearer_mode, LINEBEARERMODE_PASSTHROUGH);
        let both = LINEBEARERMODE_PASSTHROUGH | LINEBEARERMODE_VOICE;
        let refused = judged(data().set(P::dwBearerMode, both)).unwrap_err();
        assert_eq!(refused, LineError::INVALBEARERMODE);
    }

    #[test]
    fn digits_that_are_none_are_skipped() {
        let text: String =
            digits("1x,a#").into_iter().map(|digit| digit.map_or(',', Key::as_char)).collect();
        assert_eq!(text, "1,A#");
    }

    #[test]
    fn times_are_brought_into_their_limits() {
        let asked = LINEDIALPARAMS { digit_duration: 1, ..LINEDIALPARAMS::default() };
        let timing = timing(&asked);
        assert_eq!(timing.digit_ms, DialTiming::MIN.digit_ms);
        assert_eq!(timing.pause_ms, DialTiming::default().pause_ms);
        assert_eq!(dial_params(&timing).digit_duration, timing.digit_ms);
    }
}
