//! The functions that generate tones, gather digits, and listen for tones and media modes.

use std::time::Duration;

use ringback_lines::{Gather, LineEngine, Tone};
use ringback_tspi::constants::*;
use ringback_tspi::error::LineError;
use ringback_tspi::key::Key;
use ringback_tspi::late::LateOutput;
use ringback_tspi::structs::{LINEGENERATETONE, LINEMONITORTONE};
use ringback_tspi::types::HDRVCALL;

use super::abilities::abilities;
use super::card::LineProvider;
use super::cards::Card;

/// The frequencies that can be generated, and those that can be detected, in Hz.
const GENERATED: std::ops::RangeInclusive<u32> = 0..=4000;
const HEARD: std::ops::RangeInclusive<u32> = 300..=3400;
/// How many frequencies a generated tone can have (dwGenerateToneMaxNumFreq).
pub(super) const MOST_GENERATED: u32 = 4;
/// How many frequencies a tone that is listened for can have (dwMonitorToneMaxNumFreq).
pub(super) const MOST_FREQUENCIES: u32 = 3;
/// How many tones a list can have (dwMonitorToneMaxNumEntries).
pub(super) const MOST_ENTRIES: u32 = 16;
/// The LINEMEDIAMODE_ bits that can be detected: a person can't be distinguished from a machine
/// that speaks.
const DETECTED: u32 = LINEMEDIAMODE_G3FAX | LINEMEDIAMODE_DATAMODEM;
/// The limits of waiting for a digit, in ms (dwGatherDigitsMinTimeout, ...MaxTimeout).
pub(super) const TIMEOUTS: std::ops::RangeInclusive<u32> = 100..=600_000;

/// A wait for a digit; 0 is for ever.
fn timeout(ms: u32) -> Result<Option<Duration>, LineError> {
    match ms {
        0 => Ok(None),
        ms if TIMEOUTS.contains(&ms) => Ok(Some(Duration::from_millis(u64::from(ms)))),
        _ => Err(LineError::INVALTIMEOUT),
    }
}

/// The tone of a mode.
fn tone(mode: u32, parts: Option<&[LINEGENERATETONE]>) -> Result<Tone, LineError> {
    match mode {
        LINETONEMODE_RINGBACK => Ok(Tone::Ringback),
        LINETONEMODE_BUSY => Ok(Tone::Busy),
        LINETONEMODE_BEEP => Ok(Tone::Beep),
        LINETONEMODE_CUSTOM => {
            let parts = parts.unwrap_or_default();
            let few = u32::try_from(parts.len()).is_ok_and(|count| count <= MOST_GENERATED);
            let known = parts.iter().all(|part| GENERATED.contains(&part.frequency));
            if parts.is_empty() || !few || !known {
                return Err(LineError::INVALTONE);
            }
            Ok(Tone::Custom(parts.to_vec()))
        }
        // A billing tone has 12 or 16 kHz, which no codec of a card can generate.
        _ => Err(LineError::INVALTONEMODE),
    }
}

impl<C: Card> LineProvider<C> {
    /// TSPI_lineGenerateTone. Mode 0 only cancels (D17).
    pub(super) fn generate_tone(
        &self,
        call: HDRVCALL,
        end_to_end_id: u32,
        mode: u32,
        duration_ms: u32,
        parts: Option<&[LINEGENERATETONE]>,
    ) -> Result<(), LineError> {
        let (running, line) = self.for_call(call)?;
        self.has(line, LINECALLFEATURE_GENERATETONE)?;
        let tone = if mode == 0 { None } else { Some(tone(mode, parts)?) };
        running.ask(move |lines, cx| {
            lines.generate_tone(call, end_to_end_id, tone.as_ref(), duration_ms, cx)
        })
    }

    /// TSPI_lineGatherDigits. Without a buffer it only cancels (D18).
    pub(super) fn gather_digits(
        &self,
        call: HDRVCALL,
        end_to_end_id: u32,
        modes: u32,
        buffer: Option<&LateOutput>,
        termination: Option<&str>,
        [first, next]: [u32; 2],
    ) -> Result<(), LineError> {
        let (running, line) = self.for_call(call)?;
        self.has(line, LINECALLFEATURE_GATHERDIGITS)?;
        let Some(output) = buffer.cloned() else {
            return running.ask(move |lines, cx| lines.gather_digits(call, None, cx));
        };
        // A digit is gathered when it begins, whatever its end is.
        let known = abilities(self.kind(line)?).digits.1 & !LINEDIGITMODE_DTMFEND;
        if modes == 0 || modes & !known != 0 {
            return Err(LineError::INVALDIGITMODE);
        }
        if output.size() < 2 {
            return Err(LineError::INVALPARAM);
        }
        let termination = termination.unwrap_or_default();
        let keys = termination.chars().map(|digit| Key::from_char(digit).map(Key::as_char));
        let gather = Gather {
            end_to_end: end_to_end_id,
            modes,
            output,
            termination: keys.collect::<Option<String>>().ok_or(LineError::INVALDIGITS)?,
            first: timeout(first)?,
            next: timeout(next)?,
        };
        running.ask(move |lines, cx| lines.gather_digits(call, Some(gather), cx))
    }

    /// TSPI_lineMonitorMedia.
    pub(super) fn monitor_media(&self, call: HDRVCALL, modes: u32) -> Result<(), LineError> {
        let (running, line) = self.for_call(call)?;
        self.has(line, LINECALLFEATURE_MONITORMEDIA)?;
        if modes & !DETECTED != 0 {
            return Err(LineError::INVALMEDIAMODE);
        }
        running.ask(move |lines, _| lines.monitor_media(call, modes))
    }

    /// TSPI_lineMonitorTones. The list is copied (B2).
    pub(super) fn monitor_tones(
        &self,
        call: HDRVCALL,
        list: u32,
        tones: Option<&[LINEMONITORTONE]>,
    ) -> Result<(), LineError> {
        let (running, line) = self.for_call(call)?;
        self.has(line, LINECALLFEATURE_MONITORTONES)?;
        let hears = |hz: u32| hz == 0 || HEARD.contains(&hz);
        let known = |tone: &LINEMONITORTONE| {
            [tone.frequency1, tone.frequency2, tone.frequency3].into_iter().all(hears)
        };
        let tones = tones.map(<[_]>::to_vec);
        if let Some(tones) = &tones {
            let few = u32::try_from(tones.len()).is_ok_and(|count| count <= MOST_ENTRIES);
            if tones.is_empty() || !few || !tones.iter().all(known) {
                return Err(LineError::INVALTONE);
            }
        }
        running.ask(move |lines, _| lines.monitor_tones(call, list, tones.as_deref()))
    }
}
