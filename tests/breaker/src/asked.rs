//! Rules that are broken before the provider's function is called, or in place of calling it.

use std::time::Duration;

use ringback_tspi::constants::{
    LINE_LINEDEVSTATE, LINECALLSTATE_CONNECTED, LINECALLSTATE_IDLE, LINEDEVSTATE_CLOSE,
};
use ringback_tspi::error::LineError;
use ringback_tspi::functions::*;

use crate::{Breaker, leaked, word};

impl Breaker {
    /// Returns the result if the provider is not to be called, otherwise the arguments for it.
    pub(crate) fn asked(
        &'static self,
        function: &'static Function,
        words: &mut [usize],
    ) -> Option<i32> {
        let is = |one: &Function| function.name == one.name;
        let call = word(function, words, "hdCall");
        let state = {
            let facts = self.books.lock();
            facts.calls.get(&call).and_then(|call| facts.states.get(call)).copied().unwrap_or(0)
        };
        match &*self.rule {
            "K4" if is(&TSPI_lineGetCallAddressID) => Some(0),
            "K7" if is(&TSPI_lineGetNumAddressIDs) => {
                std::thread::sleep(Duration::from_secs(3600));
                None
            }
            "X1" if is(&TSPI_lineGetNumAddressIDs) => std::process::abort(),
            "C9" if call != 0 && self.books.lock().announcing == call => {
                Some(LineError::INVALCALLHANDLE.raw())
            }
            "D6" if is(&TSPI_lineCloseCall) && state != LINECALLSTATE_IDLE => {
                Some(LineError::INVALCALLSTATE.raw())
            }
            "D9" if is(&TSPI_lineDrop) && state == LINECALLSTATE_CONNECTED => {
                Some(LineError::INVALCALLSTATE.raw())
            }
            "D15" if is(&TSPI_providerInit) && self.books.lock().is_open => {
                Some(LineError::OPERATIONFAILED.raw())
            }
            "D18" if is(&TSPI_lineGatherDigits) && word(function, words, "dwNumDigits") == 0 => {
                Some(0)
            }
            "D4" if is(&TSPI_lineClose) => {
                let line = self.tapi_line(word(function, words, "hdLine"));
                let close = LINEDEVSTATE_CLOSE as usize;
                self.line_event(line, 0, LINE_LINEDEVSTATE, [close, 0, 0]);
                None
            }
            "T4" if function.is_async() => {
                let id = words[0] as u32;
                let mut facts = self.books.lock();
                if facts.telling.contains(&id) {
                    facts.unwanted.insert(id);
                }
                None
            }
            "B7" if is(&TSPI_lineGatherDigits) && words[3] != 0 => {
                words[3] = leaked(vec![0; 512]);
                None
            }
            "C13" if is(&TSPI_lineCompleteCall) => {
                words[2] = leaked(vec![0; 4]);
                None
            }
            "N1" if is(&TSPI_lineMakeCall) => {
                words[3] = leaked(vec![0; 8]);
                None
            }
            _ => None,
        }
    }

    /// TAPI's handle of a line.
    pub(crate) fn tapi_line(&self, line: usize) -> usize {
        self.books.lock().lines.get(&line).copied().unwrap_or(0)
    }
}
