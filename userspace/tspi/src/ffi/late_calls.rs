//! The three functions of a library whose memory is filled after they have returned.
//!
//! The memory belongs to the loader, not to the host: the library may write to it until the
//! completion, or until LINE_GATHERDIGITS, whatever the host does in the meantime (C12, B7). Then
//! its content is passed on.

use super::lend::Wide;
use super::loader::Loaded;
use super::upward::LateKey;
use crate::error::LineError;
use crate::functions::RequestId;
use crate::late::LateOutput;
use crate::provider::Ticket;
use crate::types::HDRVCALL;

impl Loaded {
    /// TSPI_lineCompleteCall, whose completion id comes later.
    pub(super) fn complete_call(
        &self,
        request: RequestId,
        call: HDRVCALL,
        completion_id: &LateOutput,
        completion_mode: u32,
        message_id: u32,
    ) -> Result<Ticket, LineError> {
        let function = self.slots.TSPI_lineCompleteCall.ok_or(LineError::OPERATIONUNAVAIL)?;
        self.late_request(request, Some((completion_id, vec![0; 4])), |id, memory| {
            // SAFETY: the library guarantees the function; the memory lives until its completion.
            unsafe { function(id, call.raw(), memory.cast(), completion_mode, message_id) }
        })
    }

    /// TSPI_linePark, whose park address comes later.
    pub(super) fn park(
        &self,
        request: RequestId,
        call: HDRVCALL,
        park_mode: u32,
        dir_address: Option<&str>,
        non_dir_address: Option<&LateOutput>,
    ) -> Result<Ticket, LineError> {
        let function = self.slots.TSPI_linePark.ok_or(LineError::OPERATIONUNAVAIL)?;
        let mut address = Wide::new(dir_address);
        let structure = non_dir_address.map(|output| (output, blank(output.size())));
        if structure.as_ref().is_some_and(|(_, memory)| memory.len() < 4) {
            return Err(LineError::STRUCTURETOOSMALL);
        }
        self.late_request(request, structure, |id, memory| {
            // SAFETY: the library guarantees the function; the address lives until it has returned,
            // the memory until its completion.
            unsafe { function(id, call.raw(), park_mode, address.first(), memory) }
        })
    }

    /// TSPI_lineGatherDigits, with the timeouts of the first digit and of the others.
    pub(super) fn gather(
        &self,
        call: HDRVCALL,
        end_to_end_id: u32,
        digit_modes: u32,
        digits: Option<&LateOutput>,
        termination_digits: Option<&str>,
        [first, others]: [u32; 2],
    ) -> Result<(), LineError> {
        let function = self.slots.TSPI_lineGatherDigits.ok_or(LineError::OPERATIONUNAVAIL)?;
        let mut termination = Wide::new(termination_digits);
        let key = LateKey::Digits(end_to_end_id);
        let memory = digits.map_or(std::ptr::null_mut(), |digits| {
            self.upward.lend(key, vec![0; digits.size()], digits)
        });
        let count = u32::try_from(digits.map_or(0, |digits| digits.size() / 2));
        let count = count.map_err(|_| LineError::INVALPARAM)?;
        let (raw, modes, ends) = (call.raw(), digit_modes, termination.first());
        // SAFETY: the library guarantees the function; the digits live until LINE_GATHERDIGITS.
        let result = unsafe {
            function(raw, end_to_end_id, modes, memory.cast(), count, ends, first, others)
        };
        let failed = LineError::OPERATIONFAILED.raw();
        let outcome = self.outcome(result, None, Vec::new(), failed);
        match LineError::from_raw(outcome.result) {
            Some(error) => {
                self.upward.give_back(key);
                Err(error)
            }
            None => Ok(()),
        }
    }

    /// Calls an asynchronous function with this memory, or with NULL.
    fn late_request(
        &self,
        request: RequestId,
        output: Option<(&LateOutput, Vec<u8>)>,
        act: impl FnOnce(u32, *mut u8) -> i32,
    ) -> Result<Ticket, LineError> {
        let key = LateKey::Request(request);
        self.upward.asking(request);
        let memory = output
            .map_or(std::ptr::null_mut(), |(output, memory)| self.upward.lend(key, memory, output));
        let result = act(request.get(), memory);
        let failed = LineError::OPERATIONFAILED.raw();
        let outcome = self.outcome(result, Some(request), Vec::new(), failed);
        match LineError::from_raw(outcome.result) {
            Some(error) => {
                self.upward.give_back(key);
                Err(error)
            }
            None => Ok(Ticket::ungated(request)),
        }
    }
}

/// A structure of zeros but for dwTotalSize.
fn blank(size: usize) -> Vec<u8> {
    let total = u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes();
    let mut memory = vec![0; size];
    memory.iter_mut().zip(total).for_each(|(here, byte)| *here = byte);
    memory
}
