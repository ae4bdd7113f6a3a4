//! What FXS and FXO modules have in common: the errors of a module that does not work, worded for
//! the owner of the card, the reactions to a status sample, and what makes a diagnosis certain.

use std::time::Duration;

use ringback_country::Companding;
use thiserror::Error;

/// What a module sends on the bus of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// Samples, by this law.
    Samples(Companding),
    /// Nothing.
    Nothing,
}

/// Why a module was not brought up. The other slots of the card are not affected.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModuleError {
    /// A chip answers, but not with the values it has after reset.
    #[error(
        "the FXS module's chip does not look freshly reset: register {register} reads {read:#04x} \
         instead of {expected:#04x}; reseat the module, try another slot, or replace the module"
    )]
    Identity {
        /// Number of the Si3210 register that was read.
        register: u8,
        /// What it should read.
        expected: u8,
        /// The value that the register has instead.
        read: u8,
    },
    /// The chip accepts no indirect access any more (Si3210 register 31 stays busy).
    #[error(
        "the FXS module's chip does not finish an access to its indirect registers: reseat or \
         replace the module"
    )]
    IndirectBusy,
    /// An indirect register does not hold what was written.
    #[error(
        "the FXS module's indirect register {register} reads {read:#06x} after {wrote:#06x} was \
         written: reseat the module; if another module works in this slot, this one is defective"
    )]
    Indirect {
        /// Number of the Si3210's indirect register.
        register: u8,
        /// The value that was written before.
        wrote: u16,
        /// The value that was read back.
        read: u16,
    },
    /// The module's voltage converter does not reach the line voltage.
    #[error(
        "the FXS module's line voltage reached only {volts} V in half a second: connect a drive \
         power cable (4-pin, 12 V) of the PC's power supply to the connector on the card; if it is \
         connected, the module is defective"
    )]
    NoPower {
        /// What the converter reached, in volts.
        volts: u8,
    },
    /// The chip's calibration does not end, not even the manual one.
    #[error(
        "the FXS module does not finish its calibration: unplug the telephone and try again; if \
         that does not help, replace the module"
    )]
    Calibration,
    /// The line side of an FXO module does not answer.
    #[error(
        "the FXO module's line side did not answer over the isolation link within 2 s: module or \
         line side missing or defective; reseat or replace the module"
    )]
    NoIsoLink,
    /// The module does not answer any more, or answers impossible values.
    #[error(
        "the module stopped answering: it is loose, was pulled, or its serial bus is stuck; reseat \
         the module"
    )]
    NotAnswering,
    /// The module fails again and again.
    #[error(
        "the module was set up again too often: check the line for short circuits, then replace \
         the module"
    )]
    TooManyFaults,
}

/// How a status sample is to be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// The sample is as it should be.
    None,
    /// The control register is to be written again.
    Write,
    /// The value is impossible in normal operation: the chip is to be diagnosed.
    Suspect,
}

/// The result of diagnosing a chip whose samples were impossible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Diagnosis {
    /// The chip works; at most its control register has a wrong value.
    Sound,
    /// The chip has its reset values.
    PartReset,
    /// FXS: the chip opened the line by itself.
    PowerAlarm,
    /// FXO: the line side does not answer.
    IsoLinkLost,
    /// No such chip answers.
    NotAnswering,
}

/// How long after an examination that found a fault the next one is made.
pub(crate) const EXAMINATION_INTERVAL: Duration = Duration::from_millis(10);

/// Repeated examinations of a chip whose samples were impossible.
///
/// The serial bus has no check sums: a disturbance makes every register read as zeros or ones for a
/// few milliseconds. A fault therefore counts only if it is found several times in succession; one
/// examination that finds nothing wrong is enough, because no disturbance makes all registers read
/// as they should.
#[derive(Debug, Default)]
pub(crate) struct Examination {
    found: Option<Diagnosis>,
    times: u32,
    all: u32,
}

impl Examination {
    /// The most examinations, if each finds something else.
    const MOST: u32 = 30;

    /// Adds what one more examination has found; `Some` once that is certain.
    pub(crate) fn add(&mut self, found: Diagnosis) -> Option<Diagnosis> {
        self.all += 1;
        self.times = if self.found.replace(found) == Some(found) { self.times + 1 } else { 1 };
        let enough = match found {
            Diagnosis::Sound => 1,
            Diagnosis::PartReset | Diagnosis::PowerAlarm | Diagnosis::IsoLinkLost => 3,
            Diagnosis::NotAnswering => 10,
        };
        (self.times >= enough || self.all >= Examination::MOST).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_counts_when_it_was_found_again() {
        let mut examination = Examination::default();
        assert_eq!(examination.add(Diagnosis::PartReset), None);
        assert_eq!(examination.add(Diagnosis::IsoLinkLost), None);
        assert_eq!(examination.add(Diagnosis::IsoLinkLost), None);
        assert_eq!(examination.add(Diagnosis::IsoLinkLost), Some(Diagnosis::IsoLinkLost));
        let mut examination = Examination::default();
        assert_eq!(examination.add(Diagnosis::NotAnswering), None);
        assert_eq!(examination.add(Diagnosis::Sound), Some(Diagnosis::Sound));
    }

    #[test]
    fn an_examination_ends_whatever_it_finds() {
        let mut examination = Examination::default();
        let found = [Diagnosis::PartReset, Diagnosis::NotAnswering].into_iter().cycle();
        let looks = found.map(|found| examination.add(found)).take_while(Option::is_none);
        assert_eq!(looks.count(), 29);
    }
}
