//! Reads LINEFORWARDLIST, and checks what is to be forwarded where.

use ringback_driver::report;
use ringback_lines::Forwarding;
use ringback_tspi::constants::*;
use ringback_tspi::dialstring::{DialStep, DialString};
use ringback_tspi::error::LineError;
use ringback_tspi::structs::{Wire, from_utf16};

use super::abilities::Abilities;
use super::checks;

/// What the list begins with: dwTotalSize and dwNumEntries.
const HEAD: usize = 8;
/// The sizes of an entry: without and with the types of its addresses, which newer headers have.
const STRIDES: [usize; 2] = [32, 24];

/// What a line's calls are to do: where they go in each case.
pub(super) type Forwards = Vec<(Forwarding, Option<DialString>)>;

/// The kinds of forwarding that a mode stands for; `None` for those that no plain line has.
pub(super) fn kinds(mode: u32) -> Option<&'static [Forwarding]> {
    match mode {
        LINEFORWARDMODE_UNCOND => Some(&[Forwarding::Unconditional]),
        LINEFORWARDMODE_BUSY => Some(&[Forwarding::Busy]),
        LINEFORWARDMODE_NOANSW => Some(&[Forwarding::NoAnswer]),
        LINEFORWARDMODE_BUSYNA => Some(&[Forwarding::Busy, Forwarding::NoAnswer]),
        _ => None,
    }
}

fn word(memory: &[u8], at: usize) -> Result<usize, LineError> {
    let word = memory.get(at..).and_then(u32::read);
    word.and_then(|word| usize::try_from(word).ok()).ok_or(LineError::STRUCTURETOOSMALL)
}

/// The size of an entry: the greater one, if no address is where that reaches.
fn stride(list: &[u8], entries: usize) -> Result<usize, LineError> {
    let fits = |stride: usize| {
        let end = entries.checked_mul(stride)?.checked_add(HEAD)?;
        let behind = |at: usize| {
            let (size, offset) = (word(list, at).ok()?, word(list, at + 4).ok()?);
            (size == 0 || offset >= end).then_some(())
        };
        let entry = |n: usize| behind(HEAD + n * stride + 4).and(behind(HEAD + n * stride + 16));
        (end <= list.len() && (0..entries).all(|n| entry(n).is_some())).then_some(stride)
    };
    STRIDES.into_iter().find_map(fits).ok_or(LineError::STRUCTURETOOSMALL)
}

/// Reads the list. An empty one, or none, ends every kind of forwarding that the line has.
///
/// # Errors
/// STRUCTURETOOSMALL; INVALPARAM for a mode that is not announced, or one that comes twice;
/// INVALADDRESS and INVALCOUNTRYCODE for the destination, of which there has to be one.
pub(super) fn read(
    memory: Option<&[u8]>,
    can: &Abilities,
    modes: u32,
) -> Result<Forwards, LineError> {
    let offered = |kind: &Forwarding| {
        let each = [LINEFORWARDMODE_UNCOND, LINEFORWARDMODE_BUSY, LINEFORWARDMODE_NOANSW];
        each.iter().any(|mode| modes & mode != 0 && kinds(*mode).is_some_and(|k| k.contains(kind)))
    };
    let none = || Forwarding::ALL.into_iter().filter(offered).map(|kind| (kind, None)).collect();
    let Some(memory) = memory else { return Ok(none()) };
    let list = memory.get(..word(memory, 0)?).ok_or(LineError::STRUCTURETOOSMALL)?;
    let entries = word(list, 4)?;
    if entries == 0 {
        return Ok(none());
    }
    let stride = stride(list, entries)?;
    let mut forwards = Forwards::new();
    for n in 0..entries {
        let at = HEAD + n * stride;
        let mode = u32::try_from(word(list, at)?).unwrap_or(0);
        let kinds = kinds(mode).filter(|_| modes & mode != 0).ok_or(LineError::INVALPARAM)?;
        let country = u32::try_from(word(list, at + 12)?).unwrap_or(u32::MAX);
        let (size, offset) = (word(list, at + 16)?, word(list, at + 20)?);
        let end = offset.checked_add(size).ok_or(LineError::STRUCTURETOOSMALL)?;
        let text = if size == 0 {
            String::new()
        } else {
            from_utf16(list.get(offset..end).ok_or(LineError::STRUCTURETOOSMALL)?)
        };
        let to = number(&text, country, can)?;
        for kind in kinds {
            if forwards.iter().any(|(one, _)| one == kind) {
                return Err(LineError::INVALPARAM);
            }
            forwards.push((*kind, Some(to.clone())));
        }
    }
    Ok(forwards)
}

/// A number that stands within a code: digits alone.
///
/// # Errors
/// INVALCOUNTRYCODE, and INVALADDRESS for everything else.
pub(super) fn number(text: &str, country: u32, can: &Abilities) -> Result<DialString, LineError> {
    let address = checks::address(text, country, can).map_err(|error| match error {
        LineError::INVALCOUNTRYCODE => error,
        _ => LineError::INVALADDRESS,
    })?;
    let is_digit = |step: &DialStep| match step {
        DialStep::Digit(key) => key.as_char().is_ascii_digit(),
        _ => false,
    };
    if address.partial || address.steps.is_empty() || !address.steps.iter().all(is_digit) {
        report!(DEBUG, "an address is refused: within a code there are only digits 0 to 9");
        return Err(LineError::INVALADDRESS);
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abilities::abilities;
    use ringback_tspi::dev_specific::LineKind;
    use ringback_tspi::structs::utf16;

    const ALL: u32 = LINEFORWARDMODE_UNCOND
        | LINEFORWARDMODE_BUSY
        | LINEFORWARDMODE_NOANSW
        | LINEFORWARDMODE_BUSYNA;

    /// A list with entries of this size.
    fn list(stride: usize, entries: &[(u32, &str)]) -> Vec<u8> {
        let mut words = vec![0, u32::try_from(entries.len()).unwrap()];
        let mut strings = Vec::new();
        for (mode, number) in entries {
            let text = utf16(number);
            let offset = HEAD + entries.len() * stride + strings.len();
            let size = u32::try_from(text.len()).unwrap();
            let entry = [*mode, 0, 0, 49, size, u32::try_from(offset).unwrap(), 0, 0];
            words.extend(&entry[..stride / 4]);
            strings.extend(text);
        }
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend(strings);
        let total = u32::try_from(bytes.len()).unwrap();
        bytes[..4].copy_from_slice(&total.to_le_bytes());
        bytes
    }

    fn told(memory: &[u8]) -> Result<Vec<(Forwarding, Option<String>)>, LineError> {
        let forwards = read(Some(memory), abilities(LineKind::Fxo), ALL)?;
        Ok(forwards.into_iter().map(|(kind, to)| (kind, to.map(|to| to.digits()))).collect())
    }

    #[test]
    fn lists_of_both_sizes_are_read() {
        use Forwarding::{Busy, NoAnswer, Unconditional};
        let to = |number: &str| Some(number.to_owned());
        for stride in STRIDES {
            let one = list(stride, &[(LINEFORWARDMODE_UNCOND, "205")]);
            assert_eq!(told(&one), Ok(vec![(Unconditional, to("205"))]));
            let two = list(stride, &[(LINEFORWARDMODE_NOANSW, "5"), (LINEFORWARDMODE_BUSY, "67")]);
            assert_eq!(told(&two), Ok(vec![(NoAnswer, to("5")), (Busy, to("67"))]));
            let both = list(stride, &[(LINEFORWARDMODE_BUSYNA, "5")]);
            assert_eq!(told(&both), Ok(vec![(Busy, to("5")), (NoAnswer, to("5"))]));
        }
        let nothing = Ok(Forwarding::ALL.map(|kind| (kind, None)).to_vec());
        assert_eq!(told(&list(32, &[])), nothing);
    }

    #[test]
    fn what_no_line_can_do_is_refused_r7() {
        let one = |mode, number| told(&list(32, &[(mode, number)])).unwrap_err();
        assert_eq!(one(LINEFORWARDMODE_BUSYINTERNAL, "5"), LineError::INVALPARAM);
        assert_eq!(one(LINEFORWARDMODE_UNCOND | LINEFORWARDMODE_BUSY, "5"), LineError::INVALPARAM);
        for number in ["", "x", "5,5", "*5", "+49 5", "5;"] {
            assert_eq!(one(LINEFORWARDMODE_UNCOND, number), LineError::INVALADDRESS, "{number}");
        }
        let twice = [(LINEFORWARDMODE_BUSY, "5"), (LINEFORWARDMODE_BUSYNA, "6")];
        assert_eq!(told(&list(32, &twice)), Err(LineError::INVALPARAM));
        let refused = read(
            Some(&list(32, &[(LINEFORWARDMODE_BUSY, "5")])),
            abilities(LineKind::Fxo),
            LINEFORWARDMODE_UNCOND,
        );
        assert_eq!(refused, Err(LineError::INVALPARAM), "this exchange has no code for it");
    }

    #[test]
    fn sizes_and_offsets_that_lead_outside_are_refused_b1() {
        let good = list(32, &[(LINEFORWARDMODE_UNCOND, "205")]);
        for end in 0..good.len() {
            assert_eq!(told(&good[..end]), Err(LineError::STRUCTURETOOSMALL), "{end} bytes");
        }
        for at in (0..40).step_by(4) {
            for value in [1, 7, 41, 1000, u32::MAX] {
                let mut bad = good.clone();
                bad[at..at + 4].copy_from_slice(&value.to_le_bytes());
                // Whatever it is taken for, nothing outside is read.
                let _ = told(&bad);
            }
        }
        let mut many = good;
        many[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(told(&many), Err(LineError::STRUCTURETOOSMALL));
    }
}
