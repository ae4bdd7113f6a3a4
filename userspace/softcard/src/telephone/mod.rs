//! Telephones that can be scripted: hook switch, bell, keypad, mouth and ear.
//!
//! Each FXS module and each subscriber of the exchange has one. They run in card time: what a
//! telephone does by itself depends on ticks, never on the clock of the machine.

mod behaviour;
mod display;
mod instrument;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use ringback_country::CallerIdCoding;
use ringback_media::caller_id::Caller;
use ringback_request::sync::EvenPoisoned;

pub use behaviour::{Behaviour, Step};
use display::CallerDisplay;
use instrument::Instrument;

use crate::chips::{Feed, Load};

/// A telephone: a handle that is cheap to clone and can be used from any thread.
///
/// Commands take effect with the card's next millisecond. Sound is sent only off-hook: what is
/// dialled or played on-hook is dropped, and hanging up drops what is not sent yet.
#[derive(Clone)]
pub struct Telephone(Arc<Mutex<Instrument>>);

impl Telephone {
    pub(crate) fn new() -> Telephone {
        Telephone(Arc::new(Mutex::new(Instrument::new())))
    }

    fn instrument(&self) -> MutexGuard<'_, Instrument> {
        self.0.lock().even_poisoned()
    }

    /// Runs one millisecond: takes the line's feed, returns the telephone's load.
    pub(crate) fn tick(&self, feed: Feed) -> Load {
        self.instrument().tick(feed)
    }

    /// Lifts the handset. Clears the recording of what was heard.
    pub fn off_hook(&self) {
        self.instrument().off_hook();
    }

    /// Hangs up, and ends a script that runs.
    pub fn on_hook(&self) {
        self.instrument().on_hook();
    }

    /// Opens the loop for 300 ms (a hook flash).
    pub fn flash(&self) {
        self.instrument().flash();
    }

    /// Opens the loop of the lifted telephone for so many milliseconds, as a bouncing hook switch
    /// does. Breaks, flashes and pulses are queued after each other.
    pub fn open_for(&self, ms: u32) {
        self.instrument().open_for(ms);
    }

    /// Dials with a rotary dial: for each digit 0-9 as many breaks of 60 ms as it says, ten for 0,
    /// with 40 ms between them and 700 ms after each digit. Any other character is ignored.
    pub fn pulse(&self, digits: &str) {
        self.instrument().pulse(digits);
    }

    /// Sends digits (0-9, *, #, A-D) of 80 ms with pauses of 80 ms; a comma is a pause of 2 s, any
    /// other character is ignored. They are queued after what is not sent yet.
    pub fn dial(&self, digits: &str) {
        self.instrument().dial(digits);
    }

    /// Plays 16-bit linear samples at 8 kHz. They are queued after what is not sent yet.
    pub fn play(&self, samples: &[i16]) {
        self.instrument().play(samples.to_vec());
    }

    /// Calls a number: lifts the handset, waits 300 ms for dial tone, and dials.
    pub fn call(&self, number: &str) {
        self.run(vec![Step::OffHook, Step::Wait(300), Step::Dial(number.to_owned())]);
    }

    /// Runs a script from now on, replacing one that runs.
    pub fn run(&self, steps: Vec<Step>) {
        self.instrument().run(steps);
    }

    /// Sets how the telephone reacts to ringing.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.instrument().behaviour = behaviour;
    }

    /// Gives the telephone a display of who calls and whether messages wait, for lines that tell it
    /// in this coding.
    pub fn set_display(&self, coding: CallerIdCoding) {
        self.instrument().display = Some(CallerDisplay::new(coding));
    }

    /// Who called last, as the display shows it; `None` without one, or if nothing was told.
    pub fn displayed(&self) -> Option<Caller> {
        self.instrument().display.as_ref()?.shown().cloned()
    }

    /// Whether messages wait, as the display shows it; `None` without one, or if it was never told.
    pub fn displayed_messages(&self) -> Option<bool> {
        self.instrument().display.as_ref()?.messages()
    }

    /// Whether the handset is lifted.
    pub fn is_off_hook(&self) -> bool {
        self.instrument().is_off_hook()
    }

    /// Whether there is nothing left to send and no script runs.
    pub fn is_idle(&self) -> bool {
        self.instrument().is_idle()
    }

    /// About how many milliseconds of sound and digits are queued. A pause between digits counts as
    /// a digit.
    pub fn unsaid_ms(&self) -> u32 {
        self.instrument().unsaid_ms()
    }

    /// Whether there is battery on the line, as a line-powered lamp would show.
    pub fn has_battery(&self) -> bool {
        self.instrument().has_battery()
    }

    /// Whether battery is reversed.
    pub fn is_reversed(&self) -> bool {
        self.instrument().is_reversed()
    }

    /// Whether the bell sounds at this moment; false in the pause between two rings.
    pub fn is_ringing(&self) -> bool {
        self.instrument().is_ringing()
    }

    /// Number of rings of the current or last call: one for each time the bell began to sound after
    /// a pause of more than a second. A pause of more than 6 s ends the call.
    pub fn ring_count(&self) -> u32 {
        self.instrument().ring_count()
    }

    /// What was heard since the handset was last lifted: 16-bit linear samples at 8 kHz, at most
    /// the last 30 seconds.
    pub fn heard(&self) -> Vec<i16> {
        self.instrument().heard()
    }

    /// Like [`heard`](Telephone::heard), and clears the recording.
    pub fn take_heard(&self) -> Vec<i16> {
        self.instrument().take_heard()
    }

    /// The DTMF digits that were heard since the handset was last lifted, at most the last 256.
    pub fn digits_heard(&self) -> String {
        self.instrument().digits_heard().to_owned()
    }
}

impl fmt::Debug for Telephone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instrument = self.instrument();
        f.debug_struct("Telephone")
            .field("off_hook", &instrument.is_off_hook())
            .field("ringing", &instrument.is_ringing())
            .finish_non_exhaustive()
    }
}
