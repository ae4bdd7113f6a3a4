//! Gives the card the samples that a line plays: frame by frame when the card needs them, or ahead,
//! in buffers that the kernel plays.
//!
//! Both get the samples from [`Machine::render`], and differ in how many they ask for. A request
//! whose samples the kernel plays has its WRITEs in the ring under its id.

use ringback_driver::card::FRAME;

use super::machine::Machine;
use super::port::{Port, Visit};
#[cfg(doc)]
use super::queue::MOST;
use super::queue::{REST, Sound};
use crate::book::Op;

/// The next frame that a line plays.
pub(super) fn frame(
    port: &mut Port,
    machine: &mut dyn Machine,
    visit: &mut Visit<'_, '_>,
) -> [i16; FRAME] {
    let mut play = [0; FRAME];
    if let Some(sound) = machine.sound(port) {
        let count = machine.render(port, visit, sound, &mut play);
        if sound == Sound::Audio && count > 0 {
            port.audio.played(count);
        }
    }
    play
}

/// Gives the kernel what a line plays, as far ahead as its queue has room, and has it drop what
/// should no longer be heard. `rendered` has room for [`MOST`] samples.
pub(super) fn ahead(
    port: &mut Port,
    machine: &mut dyn Machine,
    visit: &mut Visit<'_, '_>,
    rendered: &mut [i16],
) {
    if machine.sound(port).is_none_or(|sound| port.queue.has_tone_but(sound)) {
        port.silence(visit);
    }
    while let Some(sound) = machine.sound(port).filter(|sound| port.queue.has_room(*sound)) {
        let piece = rendered.get_mut(..sound.piece()).unwrap_or_default();
        let count = machine.render(port, visit, sound, piece);
        if count == 0 && machine.sound(port) == Some(sound) {
            break;
        }
        let request = if sound == Sound::Dial { port.book.request(Op::Dial) } else { None };
        port.play(visit, sound, request, piece.get(..count).unwrap_or_default());
    }
    // When samples are played that follow a gap is known only to the length of a read.
    if port.sound_path.is_cancelling() && machine.sound(port).is_some() {
        let missing = REST.saturating_sub(port.queue.len());
        port.play(visit, Sound::Rest, None, [0; REST].get(..missing).unwrap_or_default());
    }
}
