//! Memory that a function fills after it has returned.
//!
//! An asynchronous function writes its output before its completion (C13), and TAPI keeps the
//! memory until then (C12); gathered digits are complete when LINE_GATHERDIGITS is sent (B7). In C
//! that memory is a pointer, which has to be kept valid. Here it is a [`LateOutput`], which owns
//! its memory and never writes beyond it.

use std::fmt;
use std::sync::{Arc, Mutex};

use ringback_request::sync::EvenPoisoned;

/// The memory of a [`LateOutput`].
pub trait LateMemory: Send + Sync {
    /// How many bytes there are.
    fn size(&self) -> usize;

    /// Writes these bytes at the start. There are at most [`size`](LateMemory::size) of them.
    fn write(&self, bytes: &[u8]);
}

/// Memory of the caller for an output that is written later.
#[derive(Clone)]
pub struct LateOutput(Arc<dyn LateMemory>);

impl LateOutput {
    /// Writes to this memory.
    pub fn new(memory: impl LateMemory + 'static) -> LateOutput {
        LateOutput(Arc::new(memory))
    }

    /// How many bytes there are: what dwTotalSize says of a structure, 4 for a number, two for each
    /// digit.
    pub fn size(&self) -> usize {
        self.0.size()
    }

    /// Writes these bytes at the start; what does not fit is left out. Nothing may be written after
    /// the function's completion, or the event that stands for it, was sent.
    pub fn write(&self, bytes: &[u8]) {
        self.0.write(bytes.get(..self.size()).unwrap_or(bytes));
    }
}

impl fmt::Debug for LateOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LateOutput({} bytes)", self.size())
    }
}

/// Memory of the host, which it reads after the completion.
#[derive(Debug, Clone)]
pub struct OwnedMemory(Arc<Mutex<Vec<u8>>>);

impl OwnedMemory {
    /// Begins with these bytes, which the output overwrites.
    pub fn new(bytes: Vec<u8>) -> OwnedMemory {
        OwnedMemory(Arc::new(Mutex::new(bytes)))
    }

    /// What is in it now.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().even_poisoned().clone()
    }
}

impl LateMemory for OwnedMemory {
    fn size(&self) -> usize {
        self.0.lock().even_poisoned().len()
    }

    fn write(&self, bytes: &[u8]) {
        let mut memory = self.0.lock().even_poisoned();
        memory.iter_mut().zip(bytes).for_each(|(here, byte)| *here = *byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_beyond_the_memory_c12() {
        let memory = OwnedMemory::new(vec![0xEE; 4]);
        let output = LateOutput::new(memory.clone());
        output.write(&[1, 2]);
        assert_eq!(memory.bytes(), [1, 2, 0xEE, 0xEE]);
        output.write(&[3; 9]);
        assert_eq!(memory.bytes(), [3; 4]);
    }
}
