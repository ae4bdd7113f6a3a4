//! Whether messages wait for whoever is at the line, as its exchange tells.
//!
//! It tells so by a data message to the line on-hook, by a dial tone that stutters, and by the
//! voltage of a neon lamp. What it has told in one of these ways it takes back in the same way; a
//! data message that none wait takes back what dial tone has told, too, because the next dial tone
//! may be days away. Exchanges may also let dial tone stutter while calls are diverted: that can't
//! be told apart.

use ringback_country::Country;
use ringback_driver::card::FRAME;
use ringback_media::tone::{Detector, StutterListener};

/// What a line was told.
#[derive(Debug)]
pub(super) struct WaitingMessages {
    stutter: StutterListener,
    /// The line was seized, and nothing is dialled yet.
    listens: bool,
    by_data: bool,
    by_tone: bool,
    by_lamp: bool,
}

impl WaitingMessages {
    pub(super) fn new(country: Country) -> WaitingMessages {
        WaitingMessages {
            stutter: StutterListener::new(country.tones()),
            listens: false,
            by_data: false,
            by_tone: false,
            by_lamp: false,
        }
    }

    /// Whether messages wait.
    pub(super) fn wait(&self) -> bool {
        self.by_data || self.by_tone || self.by_lamp
    }

    /// A data message has told this.
    pub(super) fn told(&mut self, wait: bool) {
        self.by_data = wait;
        self.by_tone &= wait;
    }

    /// The lamp is lit, or no longer.
    pub(super) fn lit(&mut self, on: bool) {
        self.by_lamp = on;
    }

    /// The line is seized: its dial tone begins.
    pub(super) fn seized(&mut self) {
        self.stutter.reset();
        self.listens = true;
    }

    /// Something is dialled: what sounds now is no dial tone of the line's own exchange.
    pub(super) fn dialled(&mut self) {
        self.listens = false;
    }

    /// Processes a frame of the line that was seized. Returns whether its dial tone is found to
    /// stutter just now.
    pub(super) fn hear(&mut self, heard: &[i16; FRAME]) -> bool {
        if !self.listens {
            return false;
        }
        let before = self.stutter.stutters();
        self.stutter.feed(heard);
        self.stutter.stutters() && !before
    }

    /// Notes what the dial tone tells that sounds now, as `tones` knows it.
    pub(super) fn dial_tone(&mut self, tones: &Detector) {
        if !self.listens {
            return;
        }
        if self.stutter.stutters() || tones.tells_messages() {
            self.by_tone = true;
        } else if self.stutter.is_plain() {
            self.by_tone = false;
        }
    }
}
