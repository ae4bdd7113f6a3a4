//! Dial strings: what is to be dialled, and how.
//!
//! A dialable address is a number with modifiers in it (pauses, waits, hook flashes), perhaps a
//! subaddress behind `|`, a name behind `^`, and further addresses behind a line end. [`parse`]
//! turns it into steps, before anything has happened on the line: a modifier that the line can't
//! follow is refused at once, and of several it is the first that decides the error (R7).
//!
//! | in the string | means |
//! |---|---|
//! | `0`-`9` `A`-`D` `*` `#` | a digit; after `P` only `0`-`9` |
//! | `+` at the front | a full international number |
//! | `P` `T` | pulse or tone dialling from here |
//! | `,` | a pause (dwDialPause) |
//! | `!` | a hook flash |
//! | `W` | wait for dial tone; DIALDIALTONE if the line can't |
//! | `@` | wait for a quiet answer; DIALQUIET if the line can't |
//! | `$` | wait for a billing tone; DIALBILLING if the line can't |
//! | `?` | ask the user first: always DIALPROMPT |
//! | `;` at the end | more digits will follow (lineDial) |
//! | space `-` `.` `(` `)` | nothing: they separate digits for the reader |
//!
//! Letters may be in lower case. Everything else is INVALADDRESS.

use std::fmt;

use crate::constants::{
    LINEDEVCAPFLAGS_DIALBILLING, LINEDEVCAPFLAGS_DIALDIALTONE, LINEDEVCAPFLAGS_DIALQUIET,
};
use crate::error::LineError;
use crate::key::Key;

/// The longest address that is accepted, in characters, everything included.
pub const MAX_CHARS: usize = 256;

/// Which modifiers a line can follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Modifiers {
    /// It can wait for dial tone (`W`).
    pub dial_tone: bool,
    /// It can wait for a quiet answer (`@`).
    pub quiet: bool,
    /// It can wait for a billing tone (`$`).
    pub billing: bool,
}

impl Modifiers {
    /// The modifiers a line announces in dwDevCapFlags.
    pub const fn from_dev_cap_flags(flags: u32) -> Modifiers {
        Modifiers {
            dial_tone: flags & LINEDEVCAPFLAGS_DIALDIALTONE != 0,
            quiet: flags & LINEDEVCAPFLAGS_DIALQUIET != 0,
            billing: flags & LINEDEVCAPFLAGS_DIALBILLING != 0,
        }
    }

    /// The dwDevCapFlags bits that announce them.
    pub const fn dev_cap_flags(self) -> u32 {
        let mut flags = 0;
        if self.dial_tone {
            flags |= LINEDEVCAPFLAGS_DIALDIALTONE;
        }
        if self.quiet {
            flags |= LINEDEVCAPFLAGS_DIALQUIET;
        }
        if self.billing {
            flags |= LINEDEVCAPFLAGS_DIALBILLING;
        }
        flags
    }
}

/// One step of dialling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DialStep {
    /// Send one digit, as a tone or in pulses.
    Digit(Key),
    /// Wait for the line's dial pause.
    Pause,
    /// Wait until dial tone is heard.
    WaitForDialTone,
    /// Wait for at least one ringback tone and then some seconds of silence.
    WaitForQuietAnswer,
    /// Wait for a billing tone.
    WaitForBillingTone,
    /// Half a second on-hook, half a second off-hook.
    Flash,
    /// Digits go by tone from here on.
    ToneMode,
    /// Digits go by pulses from here on.
    PulseMode,
}

impl fmt::Display for DialStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DialStep::Digit(digit) => return digit.fmt(f),
            DialStep::Pause => ",",
            DialStep::WaitForDialTone => "W",
            DialStep::WaitForQuietAnswer => "@",
            DialStep::WaitForBillingTone => "$",
            DialStep::Flash => "!",
            DialStep::ToneMode => "T",
            DialStep::PulseMode => "P",
        })
    }
}

/// An address that was parsed: the steps of dialling, and what they mean.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DialString {
    /// What to do, in order. Empty for an empty address: a call without a number only goes
    /// off-hook, and an empty lineDial ends a partial address.
    pub steps: Vec<DialStep>,
    /// Whether more will follow (`;`).
    pub partial: bool,
    /// Whether the number is a full international one (`+`), which a plain line can't dial without
    /// knowing its exchange's prefix.
    pub international: bool,
    /// The subaddress, which stands behind `|`.
    pub subaddress: Option<String>,
    /// The name of the party (`^`).
    pub name: Option<String>,
    /// What follows behind a line end: further addresses for a provider that bundles several calls
    /// into one. Not looked at.
    pub next: Option<String>,
}

impl DialString {
    /// The digits alone, as a called number is shown.
    pub fn digits(&self) -> String {
        let digits = self.steps.iter().filter_map(|step| match step {
            DialStep::Digit(digit) => Some(digit.as_char()),
            _ => None,
        });
        self.international.then_some('+').into_iter().chain(digits).collect()
    }
}

impl fmt::Display for DialString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.international {
            f.write_str("+")?;
        }
        for step in &self.steps {
            step.fmt(f)?;
        }
        if self.partial {
            f.write_str(";")?;
        }
        if let Some(subaddress) = &self.subaddress {
            write!(f, "|{subaddress}")?;
        }
        if let Some(name) = &self.name {
            write!(f, "^{name}")?;
        }
        if let Some(next) = &self.next {
            write!(f, "\r\n{next}")?;
        }
        Ok(())
    }
}

/// Why an address is refused: the first character that offends (R7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{found:?}, character {position} of the address: {error}")]
pub struct DialError {
    /// The error to return.
    pub error: LineError,
    /// The character that is refused.
    pub found: char,
    /// Which character of the address it is, counted from 1.
    pub position: usize,
}

impl From<DialError> for LineError {
    fn from(refused: DialError) -> LineError {
        refused.error
    }
}

/// Parses an address, for a line that can follow these modifiers.
///
/// # Errors
/// What the first offending character asks for (R7): DIALBILLING, DIALQUIET, DIALDIALTONE,
/// DIALPROMPT for a modifier; INVALADDRESS for anything that can't be part of an address, and for
/// what is longer than [`MAX_CHARS`].
pub fn parse(text: &str, modifiers: Modifiers) -> Result<DialString, DialError> {
    let refuse = |error, position, found| Err(DialError { error, found, position });
    if let Some(found) = text.chars().nth(MAX_CHARS) {
        return refuse(LineError::INVALADDRESS, MAX_CHARS + 1, found);
    }
    let mut parsed = DialString::default();
    let (text, next) = match text.split_once("\r\n") {
        Some((text, next)) => (text, Some(next)),
        None => (text, None),
    };
    let mut pulse = false;
    let mut characters = text.chars().zip(1..);
    let mut tail = None;
    for (found, position) in characters.by_ref() {
        let step = match found.to_ascii_uppercase() {
            ' ' | '-' | '.' | '(' | ')' => continue,
            '|' | '^' => {
                tail = Some(found);
                break;
            }
            // Only separators may follow the end of a partial number.
            _ if parsed.partial => return refuse(LineError::INVALADDRESS, position, found),
            ';' => {
                parsed.partial = true;
                continue;
            }
            '+' if parsed.steps.is_empty() && !parsed.international => {
                parsed.international = true;
                continue;
            }
            ',' => DialStep::Pause,
            '!' => DialStep::Flash,
            'T' => {
                pulse = false;
                DialStep::ToneMode
            }
            'P' => {
                pulse = true;
                DialStep::PulseMode
            }
            'W' if modifiers.dial_tone => DialStep::WaitForDialTone,
            'W' => return refuse(LineError::DIALDIALTONE, position, found),
            '@' if modifiers.quiet => DialStep::WaitForQuietAnswer,
            '@' => return refuse(LineError::DIALQUIET, position, found),
            '$' if modifiers.billing => DialStep::WaitForBillingTone,
            '$' => return refuse(LineError::DIALBILLING, position, found),
            '?' => return refuse(LineError::DIALPROMPT, position, found),
            other => match Key::from_char(other) {
                Some(digit) if !pulse || other.is_ascii_digit() => DialStep::Digit(digit),
                _ => return refuse(LineError::INVALADDRESS, position, found),
            },
        };
        parsed.steps.push(step);
    }
    if tail == Some('|') {
        let mut subaddress = String::new();
        tail = None;
        for (found, position) in characters.by_ref() {
            match found {
                '^' => {
                    tail = Some('^');
                    break;
                }
                '+' | '|' => return refuse(LineError::INVALADDRESS, position, found),
                _ => subaddress.push(found),
            }
        }
        parsed.subaddress = Some(subaddress);
    }
    if tail == Some('^') {
        parsed.name = Some(characters.map(|(character, _)| character).collect());
    }
    parsed.next = next.filter(|next| !next.is_empty()).map(str::to_owned);
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: Modifiers = Modifiers { dial_tone: true, quiet: true, billing: true };
    const NONE: Modifiers = Modifiers { dial_tone: false, quiet: false, billing: false };

    fn digits(text: &str) -> Vec<DialStep> {
        text.chars().map(|c| DialStep::Digit(Key::from_char(c).unwrap())).collect()
    }

    fn error(text: &str, modifiers: Modifiers) -> Option<LineError> {
        parse(text, modifiers).err().map(LineError::from)
    }

    #[test]
    fn a_number_is_its_digits() {
        let dialled = parse("0123456789ABCD*#", NONE).unwrap();
        assert_eq!(dialled.steps, digits("0123456789ABCD*#"));
        assert!(!dialled.partial && !dialled.international);
        assert_eq!(parse("abcd", NONE).unwrap().steps, digits("ABCD"));
    }

    #[test]
    fn characters_for_readability_are_skipped() {
        let dialled = parse("(425) 882-80.80", NONE).unwrap();
        assert_eq!(dialled.steps, digits("4258828080"));
        assert_eq!(dialled.digits(), "4258828080");
    }

    #[test]
    fn a_canonical_address_is_international() {
        let dialled = parse("+1 (425) 882-8080", NONE).unwrap();
        assert!(dialled.international);
        assert_eq!(dialled.steps, digits("14258828080"));
        assert_eq!(dialled.digits(), "+14258828080");
        assert_eq!(error("1+2", NONE), Some(LineError::INVALADDRESS));
        assert_eq!(error("++1", NONE), Some(LineError::INVALADDRESS));
    }

    #[test]
    fn modifiers_are_steps_where_the_line_can_follow_them() {
        let dialled = parse("0W,!T1p2t*@$", ALL).unwrap();
        let digit = |c| DialStep::Digit(Key::from_char(c).unwrap());
        assert_eq!(
            dialled.steps,
            [
                digit('0'),
                DialStep::WaitForDialTone,
                DialStep::Pause,
                DialStep::Flash,
                DialStep::ToneMode,
                digit('1'),
                DialStep::PulseMode,
                digit('2'),
                DialStep::ToneMode,
                digit('*'),
                DialStep::WaitForQuietAnswer,
                DialStep::WaitForBillingTone,
            ]
        );
    }

    #[test]
    fn the_first_offending_modifier_decides_the_error_r7() {
        for (text, wanted) in [
            ("0W123", LineError::DIALDIALTONE),
            ("0w123", LineError::DIALDIALTONE),
            ("0@123", LineError::DIALQUIET),
            ("0$123", LineError::DIALBILLING),
            ("0?123", LineError::DIALPROMPT),
            ("0/123", LineError::INVALADDRESS),
            ("$@W?x", LineError::DIALBILLING),
            ("@W?x$", LineError::DIALQUIET),
            ("W?x$@", LineError::DIALDIALTONE),
            ("?x$@W", LineError::DIALPROMPT),
            ("x$@W?", LineError::INVALADDRESS),
        ] {
            assert_eq!(error(text, NONE), Some(wanted), "{text}");
        }
        // A modifier the line can follow does not offend.
        assert_eq!(error("W@$?", ALL), Some(LineError::DIALPROMPT), "nothing can prompt the user");
        let quiet = Modifiers { quiet: true, ..NONE };
        assert_eq!(error("@$W", quiet), Some(LineError::DIALBILLING));
    }

    #[test]
    fn the_error_names_the_character() {
        let refused = parse("030 W?", Modifiers { dial_tone: true, ..NONE }).unwrap_err();
        assert_eq!((refused.found, refused.position), ('?', 6));
        let text = refused.to_string();
        assert!(text.starts_with("'?', character 6 of the address"), "{text}");
        assert!(text.contains("LINEERR_DIALPROMPT"), "{text}");
    }

    #[test]
    fn capabilities_are_announced_as_they_are_kept() {
        for modifiers in [NONE, ALL, Modifiers { quiet: true, ..NONE }] {
            assert_eq!(Modifiers::from_dev_cap_flags(modifiers.dev_cap_flags()), modifiers);
        }
        assert_eq!(ALL.dev_cap_flags(), 0x1C0);
    }

    #[test]
    fn a_semicolon_at_the_end_is_a_partial_number() {
        let dialled = parse("0;", NONE).unwrap();
        assert!(dialled.partial);
        assert_eq!(dialled.steps, digits("0"));
        assert!(parse(";", NONE).unwrap().partial);
        assert!(parse("0; |7", NONE).unwrap().partial, "at the end of the number");
        assert_eq!(error("0;1", NONE), Some(LineError::INVALADDRESS));
        assert_eq!(error("0;;", NONE), Some(LineError::INVALADDRESS));
    }

    #[test]
    fn nothing_is_nothing_to_dial() {
        assert_eq!(parse("", NONE), Ok(DialString::default()));
        assert_eq!(parse("  ", NONE), Ok(DialString::default()));
    }

    #[test]
    fn pulses_have_only_ten_digits() {
        assert_eq!(parse("P0123456789", NONE).unwrap().steps.len(), 11);
        for text in ["P*", "p1#", "PA"] {
            assert_eq!(error(text, NONE), Some(LineError::INVALADDRESS), "{text}");
        }
        assert!(parse("P1T#", NONE).is_ok());
    }

    #[test]
    fn subaddress_name_and_further_addresses_follow() {
        let dialled = parse("123|45^Ada|Lovelace+\r\n456\r\n789", NONE).unwrap();
        assert_eq!(dialled.steps, digits("123"));
        assert_eq!(dialled.subaddress.as_deref(), Some("45"));
        assert_eq!(dialled.name.as_deref(), Some("Ada|Lovelace+"));
        assert_eq!(dialled.next.as_deref(), Some("456\r\n789"));
        let dialled = parse("123^Ada\r\n", NONE).unwrap();
        assert_eq!((dialled.subaddress, dialled.next), (None, None));
        assert_eq!(error("1|2|3", NONE), Some(LineError::INVALADDRESS));
        assert_eq!(error("1\n2", NONE), Some(LineError::INVALADDRESS));
        assert_eq!(error("1\r2", NONE), Some(LineError::INVALADDRESS));
    }

    #[test]
    fn an_address_has_a_longest_length() {
        assert!(parse(&"1".repeat(MAX_CHARS), NONE).is_ok());
        let refused = parse(&"1".repeat(MAX_CHARS + 1), NONE).unwrap_err();
        assert_eq!((refused.error, refused.position), (LineError::INVALADDRESS, MAX_CHARS + 1));
        assert_eq!(
            error(&format!("1^{}", "ü".repeat(MAX_CHARS)), NONE),
            Some(LineError::INVALADDRESS)
        );
    }

    proptest! {
        #[test]
        fn any_text_is_understood_or_refused(
            text in "\\PC{0,300}|[0-9A-Dp-wPTW,!@$?;|^+\r\n -]{0,40}",
        ) {
            for modifiers in [NONE, ALL] {
                match parse(&text, modifiers) {
                    Ok(dialled) => {
                        // A dial string that is printed and parsed again has the same meaning.
                        prop_assert_eq!(parse(&dialled.to_string(), modifiers), Ok(dialled));
                    }
                    Err(refused) => {
                        let there = text.chars().nth(refused.position - 1);
                        prop_assert_eq!(there, Some(refused.found));
                    }
                }
            }
        }

        #[test]
        fn what_a_poor_line_dials_a_rich_one_dials_too(text in "[0-9*#ABCDPTW,!@$?;+ -]{0,30}") {
            if let Ok(dialled) = parse(&text, NONE) {
                prop_assert_eq!(parse(&text, ALL), Ok(dialled));
            }
        }

        #[test]
        fn refused_is_the_first_that_offends_r7(good in "[0-9,!]{0,20}", rest in "[W@$?x]{1,6}") {
            let refused = parse(&format!("{good}{rest}"), NONE).unwrap_err();
            let first = rest.chars().next().unwrap();
            prop_assert_eq!((refused.found, refused.position), (first, good.len() + 1));
        }
    }
}
