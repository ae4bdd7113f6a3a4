//! The byte registers of a module chip, as plain storage.

/// `N` registers with their values after reset. Reads beyond the last return 0, and writes there
/// are ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bank<const N: usize>([u8; N]);

impl<const N: usize> Bank<N> {
    /// All registers are 0 after reset, except those in `reset` (register, value).
    pub(crate) fn new(reset: &[(u8, u8)]) -> Bank<N> {
        let mut bank = Bank([0; N]);
        for (register, value) in reset {
            bank.set(*register, *value);
        }
        bank
    }

    pub(crate) fn get(&self, register: u8) -> u8 {
        self.0.get(usize::from(register)).copied().unwrap_or(0)
    }

    pub(crate) fn set(&mut self, register: u8, value: u8) {
        if let Some(byte) = self.0.get_mut(usize::from(register)) {
            *byte = value;
        }
    }
}
