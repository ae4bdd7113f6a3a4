//! The telephone of an FXS line as a phone: its opening, what was set on it, and its messages.
//!
//! PHONE_STATE and PHONE_BUTTON are emitted only if phoneSetStatusMessages has asked for them. A
//! change is found by comparing the phone with what was seen last ([`Phone::notice`]), so that
//! whatever changes it need not know about the messages.

use ringback_driver::card::{FRAME, Gain, Gains};
use ringback_driver::engine::Context;
use ringback_driver::request::LineNumber;
use ringback_tspi::constants::*;
use ringback_tspi::provider::PhoneMessage;
use ringback_tspi::types::HTAPIPHONE;

use super::keypad::Keypad;
use crate::{Event, Openings, PhoneReport, PhoneWishes};

/// The button of the hook flash.
const FLASH: u32 = 12;
/// The button or lamp that is the message lamp.
const MESSAGE_LAMP: u32 = 0;
/// Volume and gain until they are set: in the middle, as the country has it.
const MIDDLE: u32 = 0x8000;

/// What was set on a phone. It outlives an opening.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    pub(super) lamp: u32,
    pub(super) volume: u32,
    pub(super) gain: u32,
}

/// A phone beside a line.
#[derive(Debug)]
pub(super) struct Phone {
    line: LineNumber,
    pub(super) openings: Openings<HTAPIPHONE>,
    wishes: PhoneWishes,
    pub(super) setting: Setting,
    keypad: Keypad,
    /// How it was when its changes were last emitted.
    seen: PhoneReport,
}

impl Phone {
    pub(super) fn new(line: LineNumber) -> Phone {
        Phone {
            line,
            openings: Openings::default(),
            wishes: PhoneWishes::default(),
            setting: Setting { lamp: PHONELAMPMODE_OFF, volume: MIDDLE, gain: MIDDLE },
            keypad: Keypad::default(),
            seen: PhoneReport {
                connected: true,
                off_hook: false,
                ring_mode: 0,
                can_ring: true,
                lamp: PHONELAMPMODE_OFF,
                volume: MIDDLE,
                gain: MIDDLE,
            },
        }
    }

    /// Chooses the messages that are emitted from now on.
    pub(super) fn wish(&mut self, wishes: PhoneWishes) {
        if self.buttons() == 0 {
            self.keypad = Keypad::default();
        }
        self.wishes = wishes;
    }

    /// The button states that are reported of the keypad.
    fn buttons(&self) -> u32 {
        self.states_of(PHONEBUTTONMODE_KEYPAD)
    }

    /// The button states that are reported of buttons of this mode.
    fn states_of(&self, mode: u32) -> u32 {
        if self.wishes.button_modes & mode != 0 { self.wishes.button_states } else { 0 }
    }

    /// Closes it: no event of it follows (D10).
    pub(super) fn close(&mut self, cx: &mut Context<'_, Event>) {
        self.forget();
        cx.retain_events(self.line, |event| !event.is_phones());
    }

    /// Its device is gone: PHONE_CLOSE (D13). It has no outstanding request, because each is
    /// complete when it has been started.
    pub(super) fn gone(&mut self, cx: &mut Context<'_, Event>) {
        self.tell(cx, PHONE_CLOSE, [0; 3]);
        self.forget();
    }

    fn forget(&mut self) {
        self.openings.close();
        self.wishes = PhoneWishes::default();
        self.keypad = Keypad::default();
    }

    fn tell(&self, cx: &mut Context<'_, Event>, message: u32, params: [u32; 3]) {
        if let Some(phone) = self.openings.tapi() {
            let params = params.map(|param| param as usize);
            cx.event(self.line, Event::Phone(PhoneMessage { phone, message, params }));
        }
    }

    /// Emits what has changed since this was last called, each change once.
    pub(super) fn notice(&mut self, cx: &mut Context<'_, Event>, now: PhoneReport) {
        let seen = std::mem::replace(&mut self.seen, now);
        if seen == now {
            return;
        }
        let hook =
            if now.off_hook { PHONEHOOKSWITCHMODE_MICSPEAKER } else { PHONEHOOKSWITCHMODE_ONHOOK };
        let changes = [
            (seen.connected != now.connected, PHONESTATE_DISCONNECTED, 0),
            (seen.ring_mode != now.ring_mode, PHONESTATE_RINGMODE, now.ring_mode),
            (seen.off_hook != now.off_hook, PHONESTATE_HANDSETHOOKSWITCH, hook),
            (seen.lamp != now.lamp, PHONESTATE_LAMP, MESSAGE_LAMP),
            (seen.volume != now.volume, PHONESTATE_HANDSETVOLUME, 0),
            (seen.gain != now.gain, PHONESTATE_HANDSETGAIN, 0),
        ];
        if !now.off_hook {
            // A key that is still held down counts as released (every DOWN has its UP).
            self.release(cx);
        }
        for (changed, state, detail) in changes {
            if changed && self.wishes.states & state != 0 {
                self.tell(cx, PHONE_STATE, [state, detail, 0]);
            }
        }
    }

    fn button(&self, cx: &mut Context<'_, Event>, id: u32, mode: u32, state: u32) {
        if self.states_of(mode) & state != 0 {
            self.tell(cx, PHONE_BUTTON, [id, mode, state]);
        }
    }

    /// The hook switch was on-hook for a moment: the flash button was pressed and released.
    pub(super) fn flash(&self, cx: &mut Context<'_, Event>) {
        for state in [PHONEBUTTONSTATE_DOWN, PHONEBUTTONSTATE_UP] {
            self.button(cx, FLASH, PHONEBUTTONMODE_FEATURE, state);
        }
    }

    fn release(&mut self, cx: &mut Context<'_, Event>) {
        if let Some(id) = self.keypad.released() {
            self.button(cx, id, PHONEBUTTONMODE_KEYPAD, PHONEBUTTONSTATE_UP);
        }
    }

    /// Processes samples of the lifted telephone: the keys of its keypad.
    pub(super) fn hear(&mut self, cx: &mut Context<'_, Event>, heard: &[i16; FRAME]) {
        if self.buttons() == 0 {
            return;
        }
        for (id, down) in self.keypad.feed(heard).into_iter().flatten() {
            let state = if down { PHONEBUTTONSTATE_DOWN } else { PHONEBUTTONSTATE_UP };
            self.button(cx, id, PHONEBUTTONMODE_KEYPAD, state);
        }
    }

    /// The gains of the port for what was set.
    pub(super) fn gains(&self) -> Gains {
        let Setting { volume, gain, .. } = self.setting;
        Gains { to_telephone: step(volume), from_telephone: step(gain) }
    }

    /// Whether messages wait.
    pub(super) fn message_waits(&self) -> bool {
        self.setting.lamp != PHONELAMPMODE_OFF
    }
}

/// The chip's step for a volume or gain of 0 to 0xFFFF: silence only for 0, and a third of the
/// range for each of the three others.
fn step(level: u32) -> Gain {
    match level {
        0 => Gain::Mute,
        1..=0x5555 => Gain::Lower,
        0x5556..=0xAAAA => Gain::Normal,
        _ => Gain::Higher,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_steps_of_the_chip() {
        let levels = [0, 1, 0x5555, 0x5556, MIDDLE, 0xAAAA, 0xAAAB, 0xFFFF];
        let steps = levels.map(step);
        assert!(steps.is_sorted(), "{steps:?}");
        assert_eq!((steps[0], steps[4], steps[7]), (Gain::Mute, Gain::Normal, Gain::Higher));
    }
}
