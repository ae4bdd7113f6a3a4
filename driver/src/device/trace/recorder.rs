//! Recording a trace. It is fetched piece by piece, so that it takes little memory however long it
//! becomes; what is not fetched in time is counted as lost. Whoever notes an access allocates
//! nothing: room is made by whoever fetches.

use std::fmt::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{CHIPS, FORMAT, NotedAccess};
use crate::PortNumber;
use crate::sync::EvenPoisoned;

/// Bytes that wait to be fetched: enough for more than ten seconds of a card in service.
const ROOM: usize = 1 << 20;
/// Room for one more line.
const LINE: usize = 64;

/// The time since the trace began.
type Clock = Box<dyn Fn() -> Duration + Send + Sync>;

/// A trace that is being recorded.
pub struct RegisterTrace {
    clock: Clock,
    state: Mutex<Recording>,
}

struct Recording {
    text: String,
    chips: Vec<(&'static str, Option<PortNumber>)>,
    /// The time of the last line.
    told: Duration,
    lost: u64,
}

impl RegisterTrace {
    /// A trace that begins now. `about` has lines for people: which program, kernel and card.
    pub fn new(about: &[String]) -> RegisterTrace {
        let began = Instant::now();
        RegisterTrace::with_clock(about, move || began.elapsed())
    }

    /// A trace with a clock of its own, which gives the time since the trace began.
    pub fn with_clock(
        about: &[String],
        clock: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> RegisterTrace {
        let mut text = String::with_capacity(ROOM);
        // Writing to a String does not fail.
        let _ = writeln!(text, "{FORMAT}");
        for line in about.iter().flat_map(|text| text.lines()) {
            let _ = writeln!(text, "# {line}");
        }
        let chips = Vec::with_capacity(CHIPS);
        let state = Recording { text, chips, told: Duration::ZERO, lost: 0 };
        RegisterTrace { clock: Box::new(clock), state: Mutex::new(state) }
    }

    /// Notes an access.
    pub fn note(&self, access: NotedAccess) {
        let now = (self.clock)();
        self.state.lock().even_poisoned().note(now, access);
    }

    /// Fetches what was recorded since the last time. The pieces together are the trace.
    pub fn fetch(&self) -> String {
        let room = String::with_capacity(ROOM);
        let mut state = self.state.lock().even_poisoned();
        let mut text = std::mem::replace(&mut state.text, room);
        state.tell_lost();
        drop(state);
        text.shrink_to_fit();
        text
    }
}

impl std::fmt::Debug for RegisterTrace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegisterTrace").finish_non_exhaustive()
    }
}

impl Recording {
    fn tell_lost(&mut self) {
        let lost = std::mem::take(&mut self.lost);
        if lost > 0 {
            let _ = writeln!(self.text, "lost {lost}");
        }
    }

    fn note(&mut self, now: Duration, access: NotedAccess) {
        let NotedAccess { chip, slot, number, written, value } = access;
        let known = self.chips.iter().position(|known| *known == (chip, slot));
        if self.text.len() + 2 * LINE > ROOM || (known.is_none() && self.chips.len() == CHIPS) {
            self.lost += 1;
            return;
        }
        let place = known.unwrap_or_else(|| {
            self.chips.push((chip, slot));
            let letter = letter(self.chips.len() - 1);
            let _ = match slot {
                Some(slot) => writeln!(self.text, "chip {letter} {chip} {slot}"),
                None => writeln!(self.text, "chip {letter} {chip}"),
            };
            self.chips.len() - 1
        });
        let micros = now.saturating_sub(self.told).as_micros();
        // What is less than a microsecond stays for the next line.
        self.told += Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        let (letter, way) = (letter(place), if written { 'w' } else { 'r' });
        let _ = writeln!(self.text, "{micros} {letter}{way}{number} {value:x}");
    }
}

/// The letter of a chip.
fn letter(place: usize) -> char {
    char::from(b'a' + place as u8)
}
