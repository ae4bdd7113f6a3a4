//! Rules that are broken after a function of the provider has returned.

use std::time::Duration;

use ringback_tspi::constants::{
    LINE_CALLINFO, LINE_LINEDEVSTATE, LINECALLFEATURE_SECURECALL, LINECALLSTATE_SPECIALINFO,
};
use ringback_tspi::error::LineError;
use ringback_tspi::functions::*;
use ringback_tspi::structs::LINECALLSTATUS;

use crate::{Breaker, read, word, write};

/// A request id that the suite never uses.
const NOBODYS: u32 = 0x7ABC_DEF0;

/// Does something a little later, on a thread of its own.
pub(crate) fn later(milliseconds: u64, act: impl FnOnce() + Send + 'static) {
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(milliseconds));
        act();
    });
}

impl Breaker {
    /// What the function returns instead of this.
    pub(crate) fn answered(
        &'static self,
        function: &'static Function,
        words: &[usize],
        result: i32,
    ) -> i32 {
        let is = |one: &Function| function.name == one.name;
        let of = |name: &str| word(function, words, name);
        let status = of("lpCallStatus");
        match &*self.rule {
            "R1" | "R3" if is(&TSPI_lineDial) && result > 0 => return result ^ 0x0100_0000,
            "R2" if is(&TSPI_lineDial) && result > 0 => return 0,
            "R4" if is(&TSPI_lineMakeCall) && result < 0 => {
                self.completion(words[0] as u32, result)
            }
            "R7" if is(&TSPI_lineMakeCall) && by_modifier(result) => {
                let place = std::ptr::with_exposed_provenance_mut::<usize>(of("lphdCall"));
                // SAFETY: TAPI has handed over memory for a handle.
                unsafe { place.write_unaligned(0xDEAD_0000) };
                self.completion(words[0] as u32, result);
                return words[0] as i32;
            }
            "K2" if is(&TSPI_lineGetCallStatus) && result == 0 => return 1,
            "K3" if is(&TSPI_lineGetCallStatus) => self.completion(NOBODYS, 0),
            "T6" if is(&TSPI_lineMakeCall) && result < 0 => {
                return 0x8000_0FFF_u32.cast_signed();
            }
            "C5" if is(&TSPI_lineSetTerminal) && result > 0 => {
                return LineError::OPERATIONFAILED.raw();
            }
            "B1" if is(&TSPI_lineDial) && result > 0 => {
                self.books.lock().kept = of("lpszDestAddress");
            }
            "B2" if is(&TSPI_lineMonitorTones) && result == 0 => {
                self.books.lock().kept = of("lpToneList");
            }
            "B2" if is(&TSPI_lineGetCallStatus) => {
                let kept = std::mem::take(&mut self.books.lock().kept);
                if kept != 0 {
                    read(kept);
                }
            }
            "F1" if is(&TSPI_lineGetCallStatus) && result == 0 => {
                write(status, LINECALLSTATUS::dwCallFeatures.offset(), LINECALLFEATURE_SECURECALL);
            }
            "F2" if is(&TSPI_lineGetCallStatus) && result == 0 => {
                write(status, LINECALLSTATUS::dwCallState.offset(), LINECALLSTATE_SPECIALINFO);
            }
            "B3" if is(&TSPI_lineGetCallStatus) && result == 0 => write(status, 8, 0x1_0000),
            "B4" if is(&TSPI_lineGetCallStatus) && result == 0 => write(status, 20, 4),
            "N6" if is(&TSPI_lineCloseCall) => {
                let held = std::mem::take(&mut self.books.lock().held);
                held.into_iter().for_each(|(id, _)| self.completion(id, 0));
            }
            "N8" if is(&TSPI_lineCloseCall) && self.books.lock().failed.contains(&of("hdCall")) => {
                return LineError::OPERATIONFAILED.raw();
            }
            "V1" if is(&TSPI_lineNegotiateTSPIVersion) && result == 0 => {
                write(of("lpdwTSPIVersion"), 0, of("dwHighVersion") as u32 + 1);
            }
            "D1" if is(&TSPI_lineClose) => self.release_later(),
            "D10" if is(&TSPI_phoneClose) => self.release_later(),
            "D2" if is(&TSPI_lineClose) => {
                let line = self.tapi_line(of("hdLine"));
                later(20, move || self.line_event(line, 0, LINE_LINEDEVSTATE, [1, 0, 0]));
            }
            "D5" if is(&TSPI_lineCloseCall) => {
                let facts = self.books.lock();
                let call = facts.calls.get(&of("hdCall")).copied().unwrap_or(0);
                let line = facts.line_of_call.get(&call).copied().unwrap_or(0);
                drop(facts);
                later(20, move || self.line_event(line, call, LINE_CALLINFO, [1, 0, 0]));
            }
            "D12" if is(&TSPI_providerShutdown) => {
                let line = self.books.lock().any_line();
                later(20, move || self.line_event(line, 0, LINE_LINEDEVSTATE, [1, 0, 0]));
            }
            _ => {}
        }
        if is(&TSPI_providerInit) && result == 0 {
            self.books.lock().is_open = true;
        } else if is(&TSPI_providerShutdown) {
            self.books.lock().is_open = false;
        }
        result
    }

    /// Delivers the completions that are held back, long after the function has returned.
    fn release_later(&'static self) {
        later(40, move || self.release());
    }

    pub(crate) fn release(&self) {
        let held = std::mem::take(&mut self.books.lock().held);
        held.into_iter().for_each(|(id, result)| self.completion(id, result));
    }
}

fn by_modifier(result: i32) -> bool {
    let errors = [
        LineError::DIALBILLING,
        LineError::DIALQUIET,
        LineError::DIALDIALTONE,
        LineError::DIALPROMPT,
    ];
    errors.iter().any(|error| error.raw() == result)
}
