//! The debouncing of loop closure and ring trip (registers 69 and 70).

/// A level that has to hold for a while before it counts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Debounced {
    pub(super) level: bool,
    pub(super) held_ms: u32,
}

impl Debounced {
    /// One millisecond of `raw`; the interval is in the chip's 1.25 ms steps.
    pub(super) fn feed(&mut self, raw: bool, interval: u8) {
        if raw == self.level {
            self.held_ms = 0;
            return;
        }
        self.held_ms += 1;
        if self.held_ms * 4 >= u32::from(interval & 0x7F) * 5 {
            self.level = raw;
            self.held_ms = 0;
        }
    }
}
